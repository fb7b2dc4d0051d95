//! Files of a change out of git's objects, read with libgit2, which starts no program and runs no filter. What is judged
//! are the bytes that are committed, whatever the work tree holds.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use git2::{Delta, Diff, DiffDelta, DiffFile, DiffFindOptions, DiffOptions, ErrorCode, FileMode, Index, Oid, Patch, Repository, Sort, Tree};

use super::committed::{Committed, CommittedFiles};
use actions::change::Id;
use actions::change::files::{CommitFiles, Content, File, FileKind, FileText, Version};
use actions::change::message::Cleanup;

/// Bytes of a file that are read; larger ones are judged by their names and sizes.
pub(super) const MAX_TEXT: usize = 8 << 20;
/// Where git looks for a NUL to tell whether a file is text (`buffer_is_binary`).
const TEXT_HEAD: usize = 8000;
/// New files that are compared with deleted ones to find what was moved.
const MAX_MOVED: usize = 256;

/// A repository of which changes are read.
pub struct Changes {
    repository: Repository,
    git_dir: PathBuf,
}

/// Why a range of commits cannot be walked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gap {
    /// There is no such commit here.
    Missing(String),
    /// The clone is shallow, and ends within the range.
    Shallow,
    /// Something else.
    Unread(String),
}

type GitResult<T> = Result<T, String>;
/// Lines that are added, each with its number, and lines that are taken away.
type ChangedLines = (Vec<(usize, String)>, Vec<String>);

fn told(error: git2::Error) -> String {
    error.message().to_owned()
}

impl Changes {
    /// Opens a repository by its git folder, which for a linked work tree is its own.
    ///
    /// # Errors
    ///
    /// Why it cannot be read.
    pub fn open(git_dir: &Path) -> GitResult<Self> {
        let repository = super::commits::open(git_dir).map_err(|error| format!("`{}`: {}", git_dir.display(), told(error)))?;
        Ok(Self { repository, git_dir: git_dir.to_path_buf() })
    }

    /// What a commit of the index would change, against the commit that is checked out; while a merge is being committed,
    /// against that and what is merged. `whole`: against nothing.
    pub fn staged(&self, index: &Path, merged: &[Id], whole: bool) -> GitResult<Vec<File>> {
        let index = match Index::open_ext(index, self.repository.object_format()) {
            Ok(index) => index,
            Err(error) => return Err(format!("the index `{}`: {}", index.display(), told(error))),
        };
        let head = if whole { None } else { self.head()? };
        let against = |tree: Option<&Tree>| self.repository.diff_tree_to_index(tree, Some(&index), Some(&mut options())).map_err(told);
        let mut trees = vec![head.map(|head| self.tree(head)).transpose()?];
        for id in merged {
            trees.push(Some(self.tree(self.oid(id)?)?));
        }
        merge(trees.iter().map(|tree| against(tree.as_ref())).collect())
    }

    /// A commit, and what it changes: against its parent, or what differs from every parent.
    pub fn commit(&self, id: &Id) -> GitResult<CommitFiles> {
        let commit = self.repository.find_commit(self.oid(id)?).map_err(told)?;
        let tree = commit.tree().map_err(told)?;
        let mut parents: Vec<Option<Tree>> = Vec::new();
        for parent in commit.parent_ids() {
            parents.push(Some(self.tree(parent)?));
        }
        if parents.is_empty() {
            parents.push(None);
        }
        let against = |old: Option<&Tree>| self.repository.diff_tree_to_tree(old, Some(&tree), Some(&mut options())).map_err(told);
        let files = merge(parents.iter().map(|parent| against(parent.as_ref())).collect())?;
        let author = commit.author();
        let author = format!("{} <{}>", String::from_utf8_lossy(author.name_bytes()), String::from_utf8_lossy(author.email_bytes()));
        Ok(CommitFiles { id: id.clone(), message: String::from_utf8_lossy(commit.message_bytes()).into_owned(), author, files })
    }

    /// The files around what is staged.
    pub fn around_index(&self, index: &Path) -> GitResult<Committed<'_>> {
        let index = Index::open_ext(index, self.repository.object_format()).map_err(told)?;
        Ok(Committed { repository: &self.repository, files: CommittedFiles::Index(index), before: self.head()? })
    }

    /// The files of a commit.
    pub fn around_commit(&self, id: &Id) -> GitResult<Committed<'_>> {
        let commit = self.repository.find_commit(self.oid(id)?).map_err(told)?;
        let files = CommittedFiles::Commit(commit.tree().map_err(told)?);
        Ok(Committed { repository: &self.repository, files, before: commit.parent_id(0).ok() })
    }

    /// The texts of a file, and what the change adds to them.
    ///
    /// # Errors
    ///
    /// An object is not here.
    pub fn content(&self, file: &File) -> GitResult<Content> {
        let (old, _) = self.text(file.old.as_ref(), file)?;
        let (new, bytes) = self.text(file.new.as_ref(), file)?;
        let (mut added, mut removed) = lines(&old, &new)?;
        for other in &file.others {
            let (other, _) = self.text(other.as_ref(), file)?;
            let (theirs, gone) = lines(&other, &new)?;
            let theirs: HashSet<&(usize, String)> = theirs.iter().collect();
            added.retain(|line| theirs.contains(line));
            // What one side had already taken away is not taken away by the merge.
            let gone: HashSet<&String> = gone.iter().collect();
            removed.retain(|line| gone.contains(line));
        }
        Ok(Content { old, new, bytes, added, removed })
    }

    /// The text of a file in the commit `at`, or in the commit that is checked out. `None` if there is no such file.
    pub fn text_at(&self, at: Option<&Id>, path: &str) -> GitResult<Option<String>> {
        let commit = match at {
            Some(id) => Some(self.oid(id)?),
            None => self.head()?,
        };
        let Some(commit) = commit else { return Ok(None) };
        let entry = match self.tree(commit)?.get_path(Path::new(path)) {
            Ok(entry) => entry,
            Err(error) if error.code() == ErrorCode::NotFound => return Ok(None),
            Err(error) => return Err(told(error)),
        };
        let blob = self.repository.find_blob(entry.id()).map_err(told)?;
        Ok(Some(String::from_utf8_lossy(blob.content()).into_owned()))
    }

    /// The commit that `from` names, and the commits of `to` that it does not contain, older ones first. Without `from`, all
    /// commits of `to`.
    ///
    /// # Errors
    ///
    /// Why they cannot be named.
    pub fn range(&self, from: Option<&str>, to: &str) -> Result<(Option<Id>, Vec<Id>), Gap> {
        let unread = |error: git2::Error| Gap::Unread(told(error));
        let commit = |name: &str| {
            let found = self.repository.revparse_single(name).and_then(|object| object.peel_to_commit());
            found.map(|commit| commit.id()).map_err(|_| Gap::Missing(name.to_owned()))
        };
        let head = commit(to)?;
        let base = from.map(commit).transpose()?;
        let mut walk = self.repository.revwalk().map_err(unread)?;
        walk.set_sorting(Sort::TOPOLOGICAL | Sort::REVERSE).map_err(unread)?;
        walk.push(head).map_err(unread)?;
        if let Some(base) = base {
            walk.hide(base).map_err(unread)?;
        }
        let cut = self.cut();
        let mut ids = Vec::new();
        for found in walk {
            let Some(found) = id(found.map_err(unread)?) else { continue };
            if cut.contains(found.digits()) {
                return Err(Gap::Shallow);
            }
            ids.push(found);
        }
        Ok((base.and_then(id), ids))
    }

    /// Commits that `new` brings and none of these refs of a remote holds.
    pub fn brought(&self, new: &Id, held: &[Id], remote: Option<&str>) -> GitResult<Vec<Id>> {
        let mut walk = self.repository.revwalk().map_err(told)?;
        walk.set_sorting(Sort::TOPOLOGICAL | Sort::REVERSE).map_err(told)?;
        let Ok(commit) = self.repository.find_object(self.oid(new)?, None).and_then(|object| object.peel_to_commit()) else { return Ok(Vec::new()) };
        walk.push(commit.id()).map_err(told)?;
        for held in held {
            // What is not here hides nothing.
            let _ = self.oid(held).map(|held| walk.hide(held));
        }
        if let Some(remote) = remote {
            let _ = walk.hide_glob(&format!("refs/remotes/{remote}/*"));
        }
        let cut = self.cut();
        let ids: Vec<Id> = walk.flatten().filter_map(id).collect();
        Ok(ids.into_iter().filter(|id| !cut.contains(id.digits())).collect())
    }

    /// The parents of a commit.
    pub fn parents(&self, id: &Id) -> GitResult<Vec<Id>> {
        Ok(self.repository.find_commit(self.oid(id)?).map_err(told)?.parent_ids().filter_map(self::id).collect())
    }

    /// The commit that a ref names. `None` if the ref does not exist.
    pub fn leads(&self, name: &str) -> Option<Id> {
        self.repository.refname_to_id(name).ok().and_then(id)
    }

    /// Whether another branch, tag or remote-tracking ref than `name` reaches the commit.
    pub fn named_elsewhere(&self, commit: &Id, name: &str) -> bool {
        let Ok(commit) = self.oid(commit) else { return false };
        let references = self.repository.references().into_iter().flatten().flatten();
        let others = references.filter(|reference| {
            let other = String::from_utf8_lossy(reference.name_bytes()).into_owned();
            other != name && ["refs/heads/", "refs/tags/", "refs/remotes/"].iter().any(|front| other.starts_with(front))
        });
        let tips: HashSet<Oid> = others.filter_map(|reference| Some(reference.peel_to_commit().ok()?.id())).collect();
        tips.contains(&commit) || tips.iter().any(|tip| self.repository.graph_descendant_of(*tip, commit).unwrap_or(false))
    }

    /// Whether a rebase of this branch, which led to `old` when it began, is under way.
    pub fn rebasing(&self, name: &str, old: &Id) -> bool {
        ["rebase-merge", "rebase-apply"].iter().any(|folder| {
            let holds = |file: &str, text: &str| fs::read_to_string(self.git_dir.join(folder).join(file)).is_ok_and(|found| found.trim() == text);
            holds("head-name", name) && holds("orig-head", old.digits())
        })
    }

    /// The commits whose merge is being committed: `MERGE_HEAD`, or, in the hook before a merge that went through by
    /// itself, the variables in which `git merge` names them.
    pub fn merged(&self) -> Vec<Id> {
        let file = fs::read_to_string(self.git_dir.join("MERGE_HEAD")).unwrap_or_default();
        let mut found: Vec<Id> = file.lines().filter_map(|line| Id::read(line.trim()).flatten()).collect();
        if found.is_empty() {
            let named = std::env::vars_os().filter_map(|(name, _)| Id::read(name.to_str()?.strip_prefix("GITHEAD_")?).flatten());
            found.extend(named);
        }
        found
    }

    /// How messages are cleaned, and what their comments begin with (git-config(1), "commit.cleanup", "core.commentChar").
    pub fn cleanup(&self) -> (Cleanup, String) {
        let config = self.repository.config().ok();
        let value = |key: &str| config.as_ref()?.get_string(key).ok();
        // Git tells its hooks by this that no editor was open.
        let edited = std::env::var_os("GIT_EDITOR").is_none_or(|editor| editor != ":");
        let cleanup = match value("commit.cleanup").as_deref() {
            Some("verbatim") => Cleanup::Verbatim,
            Some("whitespace") => Cleanup::Whitespace,
            Some("strip") => Cleanup::Strip,
            Some("scissors") if edited => Cleanup::Scissors,
            _ if edited => Cleanup::Strip,
            _ => Cleanup::Whitespace,
        };
        let comment = value("core.commentString").or_else(|| value("core.commentChar")).filter(|sign| !sign.is_empty() && sign != "auto");
        (cleanup, comment.unwrap_or_else(|| "#".to_owned()))
    }

    /// Who commits, as git tells its hooks, else as it is configured.
    pub fn author(&self) -> String {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let config = self.repository.config().ok();
        let configured = |key: &str| config.as_ref()?.get_string(key).ok();
        let name = variable("GIT_AUTHOR_NAME").or_else(|| configured("user.name")).unwrap_or_default();
        let address = variable("GIT_AUTHOR_EMAIL").or_else(|| configured("user.email")).unwrap_or_default();
        format!("{name} <{address}>")
    }

    fn head(&self) -> GitResult<Option<Oid>> {
        match self.repository.head() {
            Ok(head) => Ok(Some(head.peel_to_commit().map_err(told)?.id())),
            Err(error) if matches!(error.code(), ErrorCode::UnbornBranch | ErrorCode::NotFound) => Ok(None),
            Err(error) => Err(told(error)),
        }
    }

    fn tree(&self, commit: Oid) -> GitResult<Tree<'_>> {
        self.repository.find_commit(commit).and_then(|commit| commit.tree()).map_err(|error| format!("the commit {commit}: {}", told(error)))
    }

    fn oid(&self, id: &Id) -> GitResult<Oid> {
        Oid::from_str_ext(id.digits(), self.repository.object_format()).map_err(told)
    }

    /// Commits behind which a shallow clone ends.
    fn cut(&self) -> HashSet<String> {
        let text = fs::read_to_string(self.repository.commondir().join("shallow")).unwrap_or_default();
        text.lines().map(|line| line.trim().to_owned()).collect()
    }

    /// The text of one side, and its bytes.
    fn text(&self, version: Option<&Version>, file: &File) -> GitResult<(FileText, u64)> {
        let Some(version) = version else { return Ok((FileText::None, 0)) };
        if version.kind == FileKind::Module {
            return Ok((FileText::Unread, 0));
        }
        let absent = |error: git2::Error| format!("the text of `{}` is not in this clone: {}", file.path, told(error));
        let objects = self.repository.odb().map_err(told)?;
        let id = self.oid(&version.id)?;
        let (size, _) = objects.read_header(id).map_err(absent)?;
        if size > MAX_TEXT {
            return Ok((FileText::Unread, size as u64));
        }
        let object = objects.read(id).map_err(absent)?;
        let binary = object.data().iter().take(TEXT_HEAD).any(|byte| *byte == 0);
        Ok((if binary { FileText::Unread } else { FileText::Lines(String::from_utf8_lossy(object.data()).into_owned()) }, size as u64))
    }
}

fn options() -> DiffOptions {
    let mut options = DiffOptions::new();
    options.include_typechange(true).skip_binary_check(true);
    options
}

fn id(oid: Oid) -> Option<Id> {
    Id::read(&oid.to_string()).flatten()
}

fn version(file: &DiffFile) -> Option<Version> {
    let kind = match file.mode() {
        FileMode::Blob | FileMode::BlobGroupWritable => FileKind::Plain,
        FileMode::BlobExecutable => FileKind::Program,
        FileMode::Link => FileKind::Link,
        FileMode::Commit => FileKind::Module,
        FileMode::Unreadable | FileMode::Tree => return None,
    };
    file.exists().then(|| id(file.id())).flatten().map(|id| Version { kind, id })
}

/// The files of a difference.
fn files(diff: &Diff) -> Vec<File> {
    let path = |file: &DiffFile| file.path_bytes().map(|path| String::from_utf8_lossy(path).into_owned()).unwrap_or_default();
    let deltas = diff.deltas().filter(|delta| delta.status() != Delta::Conflicted);
    let file = |delta: DiffDelta| {
        let from = (delta.status() == Delta::Renamed).then(|| path(&delta.old_file()));
        File { path: path(&delta.new_file()), from, old: version(&delta.old_file()), new: version(&delta.new_file()), others: Vec::new() }
    };
    deltas.map(file).collect()
}

/// What differs from every side. Moves are only looked for where there is one side.
fn merge(sides: Vec<GitResult<Diff>>) -> GitResult<Vec<File>> {
    let one = sides.len() == 1;
    let mut sides = sides.into_iter();
    let Some(first) = sides.next() else { return Ok(Vec::new()) };
    let mut first = first?;
    let count = |status: Delta| first.deltas().filter(|delta| delta.status() == status).count();
    if one && count(Delta::Deleted) > 0 && (1..=MAX_MOVED).contains(&count(Delta::Added)) {
        first.find_similar(Some(DiffFindOptions::new().renames(true).rename_limit(MAX_MOVED))).map_err(told)?;
    }
    let mut found = files(&first);
    for side in sides {
        let mut theirs: HashMap<String, File> = files(&side?).into_iter().map(|file| (file.path.clone(), file)).collect();
        found.retain_mut(|file| match theirs.remove(&file.path) {
            Some(other) => {
                file.others.push(other.old);
                true
            }
            None => false,
        });
    }
    Ok(found)
}

/// Lines that are added and taken away between two texts.
fn lines(old: &FileText, new: &FileText) -> GitResult<ChangedLines> {
    let ends = |line: &str| line.trim_end_matches(['\n', '\r']).to_owned();
    match (old.lines(), new.lines()) {
        (None, Some(new)) => Ok((new.lines().enumerate().map(|(at, line)| (at + 1, ends(line))).collect(), Vec::new())),
        (Some(old), None) => Ok((Vec::new(), old.lines().map(ends).collect())),
        (None, None) => Ok((Vec::new(), Vec::new())),
        (Some(old), Some(new)) => {
            let mut options = DiffOptions::new();
            options.context_lines(0).interhunk_lines(0).force_text(true);
            let patch = Patch::from_buffers(old.as_bytes(), None, new.as_bytes(), None, Some(&mut options)).map_err(told)?;
            let (mut added, mut removed) = (Vec::new(), Vec::new());
            for (origin, number, text) in patch_lines(&patch).map_err(told)? {
                match (origin, number) {
                    ('+', Some(number)) => added.push((number as usize, ends(&text))),
                    ('-', _) => removed.push(ends(&text)),
                    _ => {}
                }
            }
            Ok((added, removed))
        }
    }
}

/// The lines of a patch: where each comes from, its number in the new text, and its text.
pub(super) fn patch_lines(patch: &Patch) -> Result<Vec<(char, Option<u32>, String)>, git2::Error> {
    let mut lines = Vec::new();
    for hunk in 0..patch.num_hunks() {
        for line in 0..patch.num_lines_in_hunk(hunk)? {
            let line = patch.line_in_hunk(hunk, line)?;
            lines.push((line.origin(), line.new_lineno(), String::from_utf8_lossy(line.content()).into_owned()));
        }
    }
    Ok(lines)
}
