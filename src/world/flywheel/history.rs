//! What commits say of code and documents, by libgit2, which starts no program.

use std::collections::HashSet;
use std::path::Path;

use git2::{Commit, Delta, Diff, DiffFindOptions, DiffOptions, Patch, Repository, Tree};

use crate::flywheel::drift::Touched;
use crate::record::hash;

/// Commits that are looked through for the last change of a document.
const MAX_COMMITS: usize = 300;
/// Files of one commit of which the new lines are read, and lines of one file.
const MAX_FILES: usize = 200;
const MAX_LINES: usize = 2000;

/// What stands for a document that is not there.
pub const ABSENT: &str = "-";

/// A repository's commits.
pub struct History {
    repository: Repository,
}

/// The commit that `HEAD` leads to.
#[derive(Clone, Debug, Default)]
pub struct Head {
    pub id: String,
    pub parents: Vec<String>,
    pub subject: String,
    pub message: String,
    pub touched: Vec<Touched>,
}

impl History {
    /// Error: there is no repository, or it cannot be read.
    pub fn open(root: &Path) -> Result<Self, String> {
        let repository = Repository::open(root).map_err(|error| error.message().to_owned())?;
        Ok(Self { repository })
    }

    /// The last commit, and what it changes against its first parent.
    /// Error: there is none, or it cannot be read.
    pub fn head(&self) -> Result<Head, String> {
        let look = || -> Result<Head, git2::Error> {
            let commit = self.commit()?;
            let parent = commit.parents().next().map(|parent| parent.tree()).transpose()?;
            let diff = self.diff(parent.as_ref(), &commit.tree()?)?;
            let message = String::from_utf8_lossy(commit.message_bytes()).into_owned();
            Ok(Head {
                id: commit.id().to_string(),
                parents: commit.parent_ids().map(|id| id.to_string()).collect(),
                subject: message.lines().next().unwrap_or_default().to_owned(),
                message,
                touched: touched(&diff),
            })
        };
        look().map_err(|error| error.message().to_owned())
    }

    /// What `git commit` would commit now; with `all`, as `git commit -a`.
    /// Error: the index cannot be read.
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
        self.commit().ok().map_or_else(|| ABSENT.to_owned(), |commit| self.text(&commit, path).map_or_else(|| ABSENT.to_owned(), |bytes| known_by(&bytes)))
    }

    /// What it is in the parents of `HEAD`.
    #[must_use]
    pub fn in_parents(&self, path: &str) -> Vec<String> {
        let parents: Vec<Commit> = self.commit().map(|commit| commit.parents().collect()).unwrap_or_default();
        parents.iter().map(|parent| self.text(parent, path).map_or_else(|| ABSENT.to_owned(), |bytes| known_by(&bytes))).collect()
    }

    /// How many commits touched such code since the document last changed, up to a bound.
    #[must_use]
    pub fn commits_since(&self, doc: &str, is_code: impl Fn(&str) -> bool) -> usize {
        let mut count = 0;
        let Ok(mut commit) = self.commit() else { return 0 };
        for _ in 0..MAX_COMMITS {
            let parent = commit.parent(0).ok();
            let trees = (parent.as_ref().and_then(|parent| parent.tree().ok()), commit.tree());
            let Ok(diff) = trees.1.and_then(|tree| self.repository.diff_tree_to_tree(trees.0.as_ref(), Some(&tree), Some(&mut options()))) else { break };
            let paths: Vec<String> = diff.deltas().filter_map(|delta| shown(delta.new_file().path().or(delta.old_file().path()))).collect();
            if paths.iter().any(|path| path == doc) {
                break;
            }
            count += usize::from(paths.iter().any(|path| is_code(path)));
            let Some(parent) = parent else { break };
            commit = parent;
        }
        count
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

    fn text(&self, commit: &Commit, path: &str) -> Option<Vec<u8>> {
        let entry = commit.tree().ok()?.get_path(Path::new(path)).ok()?;
        Some(self.repository.find_blob(entry.id()).ok()?.content().to_vec())
    }

    fn diff(&self, before: Option<&Tree>, after: &Tree) -> Result<Diff<'_>, git2::Error> {
        let mut diff = self.repository.diff_tree_to_tree(before, Some(after), Some(&mut options()))?;
        diff.find_similar(Some(&mut DiffFindOptions::new()))?;
        Ok(diff)
    }
}

/// What a document is in the work tree: a hash of its text, or [`ABSENT`].
#[must_use]
pub fn in_tree(root: &Path, path: &str) -> String {
    std::fs::read(root.join(path)).map_or_else(|_| ABSENT.to_owned(), |bytes| known_by(&bytes))
}

/// Line ends are git's affair.
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
    let mut lines = Vec::new();
    for hunk in 0..patch.num_hunks() {
        for line in 0..patch.num_lines_in_hunk(hunk).unwrap_or(0) {
            if let Ok(line) = patch.line_in_hunk(hunk, line)
                && line.origin() == '+'
                && lines.len() < MAX_LINES
            {
                lines.push(String::from_utf8_lossy(line.content()).trim_end().to_owned());
            }
        }
    }
    lines
}
