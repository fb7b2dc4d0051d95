//! What commits say of code and documents, by libgit2, which starts no program.

use std::collections::HashSet;
use std::path::Path;

use git2::{Commit, Delta, Diff, DiffFindOptions, DiffOptions, Oid, Patch, Repository, Sort, Tree};

use crate::deep::changes::patch_lines;
use flywheel::drift::Touched;
use gate::record::hash;

/// Commits that are looked through: for the last change of a document, for what resolves.
const MAX_COMMITS: usize = 300;
/// Commits that are looked through for one that is still part of the history.
const MAX_REACH: usize = 5000;
/// Files of one commit of which the new lines are read, and lines of one file.
const MAX_FILES: usize = 200;
const MAX_LINES: usize = 2000;

/// What stands for a document that is not there.
pub const ABSENT: &str = "-";

/// A repository's commits.
pub struct History {
    repository: Repository,
}

/// A commit, and what it changes against its first parent.
#[derive(Clone, Debug, Default)]
pub struct Made {
    pub id: String,
    /// Seconds since 1970, by the clock of who committed it.
    pub time: u64,
    /// Who commits here committed it.
    pub own: bool,
    /// It has more than one parent.
    pub merges: bool,
    pub subject: String,
    pub message: String,
    pub touched: Vec<Touched>,
}

impl History {
    /// Opens the repository around a folder.
    ///
    /// # Errors
    ///
    /// There is no repository, or it cannot be read.
    pub fn open(root: &Path) -> Result<Self, String> {
        let repository = Repository::open(root).map_err(|error| error.message().to_owned())?;
        Ok(Self { repository })
    }

    /// True while git rebases, or will restore work that it put aside. Until it is done, the work tree is git's own.
    #[must_use]
    pub fn is_rewriting(&self) -> bool {
        use git2::RepositoryState::{ApplyMailbox, ApplyMailboxOrRebase, CherryPickSequence, Rebase, RebaseInteractive, RebaseMerge, RevertSequence};
        let states = [ApplyMailbox, ApplyMailboxOrRebase, CherryPickSequence, Rebase, RebaseInteractive, RebaseMerge, RevertSequence];
        states.contains(&self.repository.state()) || self.repository.path().join("MERGE_AUTOSTASH").exists()
    }

    /// The last commit.
    ///
    /// # Errors
    ///
    /// The repository has no commit, or it cannot be read.
    pub fn head(&self) -> Result<Made, String> {
        self.commit().and_then(|commit| self.made(&commit)).map_err(|error| error.message().to_owned())
    }

    fn made(&self, commit: &Commit) -> Result<Made, git2::Error> {
        let parent = commit.parents().next().map(|parent| parent.tree()).transpose()?;
        let diff = self.diff(parent.as_ref(), &commit.tree()?)?;
        let message = String::from_utf8_lossy(commit.message_bytes()).into_owned();
        let here = self.repository.signature().ok();
        Ok(Made {
            id: commit.id().to_string(),
            time: seconds(commit),
            own: here.is_some_and(|here| here.email_bytes() == commit.committer().email_bytes()),
            merges: commit.parent_count() > 1,
            subject: message.lines().next().unwrap_or_default().to_owned(),
            message,
            touched: touched(&diff),
        })
    }

    /// The commits behind `HEAD` that were made from `time` on (seconds since 1970), the oldest first, up to a bound.
    #[must_use]
    pub fn since(&self, time: u64) -> Vec<Made> {
        let mut found: Vec<Made> = self.walk(false, time, MAX_COMMITS).iter().filter_map(|commit| self.made(commit).ok()).collect();
        found.reverse();
        found
    }

    /// The commits behind `HEAD`, or behind all references and work trees, made from `time` on, up to a bound.
    #[must_use]
    pub fn reached(&self, everywhere: bool, time: u64) -> HashSet<String> {
        self.walk(everywhere, time, MAX_REACH).iter().map(|commit| commit.id().to_string()).collect()
    }

    /// The time of a commit. `None` if it does not exist any more.
    #[must_use]
    pub fn time_of(&self, id: &str) -> Option<u64> {
        Some(seconds(&self.repository.find_commit(Oid::from_str(id).ok()?).ok()?))
    }

    fn walk(&self, everywhere: bool, time: u64, most: usize) -> Vec<Commit<'_>> {
        let Ok(mut walk) = self.repository.revwalk() else { return Vec::new() };
        let _ = walk.set_sorting(Sort::TIME);
        let _ = walk.push_head();
        if everywhere {
            let _ = walk.push_glob("*");
            for head in heads(self.repository.commondir()) {
                let _ = walk.push(head);
            }
        }
        walk.flatten().take(most).filter_map(|id| self.repository.find_commit(id).ok()).take_while(|commit| seconds(commit) >= time).collect()
    }

    /// What `git commit` would commit now; with `all`, as `git commit -a`.
    ///
    /// # Errors
    ///
    /// The index cannot be read.
    pub fn staged(&self, all: bool) -> Result<Vec<Touched>, String> {
        let look = || -> Result<Vec<Touched>, git2::Error> {
            let tree = self.commit().and_then(|commit| commit.tree()).ok();
            let mut diff = self.repository.diff_tree_to_index(tree.as_ref(), None, Some(&mut options()))?;
            if all {
                diff.merge(&self.repository.diff_index_to_workdir(None, Some(&mut options()))?)?;
            }
            diff.find_similar(Some(&mut DiffFindOptions::new()))?;
            Ok(touched(&diff))
        };
        look().map_err(|error| error.message().to_owned())
    }

    /// What a document is in `HEAD`: a hash of its text, or [`ABSENT`].
    #[must_use]
    pub fn in_head(&self, path: &str) -> String {
        self.commit().map_or_else(|_| ABSENT.to_owned(), |commit| self.state(&commit, path))
    }

    /// What a document is in a commit, and in each of its parents. `None` if there is no such commit.
    #[must_use]
    pub fn around(&self, id: &str, path: &str) -> Option<(String, Vec<String>)> {
        let commit = self.repository.find_commit(Oid::from_str(id).ok()?).ok()?;
        Some((self.state(&commit, path), commit.parents().map(|parent| self.state(&parent, path)).collect()))
    }

    /// How many commits touched such code since the document last changed, up to a bound.
    #[must_use]
    pub fn commits_since(&self, doc: &str, is_code: impl Fn(&str) -> bool) -> usize {
        self.back_to(doc).map_or(0, |(commits, _)| commits.iter().filter(|paths| paths.iter().any(|path| is_code(path))).count())
    }

    /// The commit that last changed a document. `None` if none of the last commits did.
    #[must_use]
    pub fn last_change(&self, doc: &str) -> Option<String> {
        self.back_to(doc).ok()?.1
    }

    /// The paths that each commit changes against its first parent, back to the last change of a document, and which that
    /// is.
    fn back_to(&self, doc: &str) -> Result<(Vec<Vec<String>>, Option<String>), git2::Error> {
        let mut commits = Vec::new();
        let mut commit = self.commit()?;
        for _ in 0..MAX_COMMITS {
            let parent = commit.parent(0).ok();
            let before = parent.as_ref().and_then(|parent| parent.tree().ok());
            let diff = self.repository.diff_tree_to_tree(before.as_ref(), Some(&commit.tree()?), Some(&mut options()))?;
            let paths: Vec<String> = diff.deltas().filter_map(|delta| shown(delta.new_file().path().or(delta.old_file().path()))).collect();
            if paths.iter().any(|path| path == doc) {
                return Ok((commits, Some(commit.id().to_string())));
            }
            commits.push(paths);
            let Some(parent) = parent else { break };
            commit = parent;
        }
        Ok((commits, None))
    }

    /// Files of `HEAD` of such names, up to a bound.
    #[must_use]
    pub fn files(&self, wanted: impl Fn(&str) -> bool) -> Vec<String> {
        let mut found = Vec::new();
        let Ok(tree) = self.commit().and_then(|commit| commit.tree()) else { return found };
        let _ = tree.walk(git2::TreeWalkMode::PreOrder, |folder, entry| {
            let path = format!("{folder}{}", String::from_utf8_lossy(entry.name_bytes()));
            if entry.kind() == Some(git2::ObjectType::Blob) && wanted(&path) {
                found.push(path);
            }
            if found.len() < MAX_FILES { git2::TreeWalkResult::Ok } else { git2::TreeWalkResult::Abort }
        });
        found
    }

    fn commit(&self) -> Result<Commit<'_>, git2::Error> {
        self.repository.head()?.peel_to_commit()
    }

    fn state(&self, commit: &Commit, path: &str) -> String {
        let look = || Some(known_by(self.repository.find_blob(commit.tree().ok()?.get_path(Path::new(path)).ok()?.id()).ok()?.content()));
        look().unwrap_or_else(|| ABSENT.to_owned())
    }

    fn diff(&self, before: Option<&Tree>, after: &Tree) -> Result<Diff<'_>, git2::Error> {
        let mut diff = self.repository.diff_tree_to_tree(before, Some(after), Some(&mut options()))?;
        diff.find_similar(Some(&mut DiffFindOptions::new()))?;
        Ok(diff)
    }
}

fn seconds(commit: &Commit) -> u64 {
    u64::try_from(commit.time().seconds()).unwrap_or(0)
}

/// Where the heads of all work trees are that lead to a commit by its number (gitrepository-layout(5)).
fn heads(common: &Path) -> Vec<Oid> {
    let linked = std::fs::read_dir(common.join("worktrees")).into_iter().flatten().flatten().map(|entry| entry.path());
    let texts = linked.chain([common.to_path_buf()]).filter_map(|folder| std::fs::read_to_string(folder.join("HEAD")).ok());
    texts.filter_map(|text| Oid::from_str(text.trim()).ok()).collect()
}

/// What a document is in the work tree: a hash of its text, or [`ABSENT`].
#[must_use]
pub fn in_tree(root: &Path, path: &str) -> String {
    super::text_of(root, path).map_or_else(|| ABSENT.to_owned(), |text| known_by(text.as_bytes()))
}

/// A hash of a text without carriage returns, because git may convert line ends.
fn known_by(bytes: &[u8]) -> String {
    let text: Vec<u8> = bytes.iter().copied().filter(|byte| *byte != b'\r').collect();
    format!("{:016x}", hash(&text))
}

fn options() -> DiffOptions {
    let mut options = DiffOptions::new();
    options.context_lines(0).ignore_submodules(true).skip_binary_check(false);
    options
}

fn shown(path: Option<&Path>) -> Option<String> {
    path.map(|path| path.to_string_lossy().into_owned())
}

fn touched(diff: &Diff) -> Vec<Touched> {
    let mut all = Vec::new();
    let mut seen: HashSet<String> = HashSet::new();
    for (at, delta) in diff.deltas().enumerate() {
        let (old, new) = (shown(delta.old_file().path()), shown(delta.new_file().path()));
        let gone = delta.status() == Delta::Deleted;
        let Some(path) = (if gone { old.clone() } else { new }).filter(|path| seen.insert(path.clone())) else { continue };
        let from = old.filter(|old| delta.status() == Delta::Renamed && *old != path);
        let added = if gone || at >= MAX_FILES { Vec::new() } else { added(diff, at) };
        all.push(Touched { path, from, gone, added });
    }
    all
}

/// The lines that one file of a change brings in.
fn added(diff: &Diff, at: usize) -> Vec<String> {
    let Ok(Some(patch)) = Patch::from_diff(diff, at) else { return Vec::new() };
    let lines = patch_lines(&patch).unwrap_or_default().into_iter().filter(|(origin, ..)| *origin == '+').take(MAX_LINES);
    lines.map(|(_, _, text)| text.trim_end().to_owned()).collect()
}
