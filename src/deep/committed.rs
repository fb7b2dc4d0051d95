//! Files around a change, for the judgement of tests: as the index or a commit holds them, whatever the work tree does.

use std::path::Path;

use git2::{Index, ObjectType, Oid, Repository, Tree as GitTree};

use super::changes::MAX_TEXT;
use tests_first::Tree;

/// Commits that are looked at to tell which of two files changed last.
const MAX_COMMITS: usize = 2_000;

/// Files as they will be once the change is committed.
pub struct Committed<'r> {
    pub(super) repository: &'r Repository,
    pub(super) files: CommittedFiles<'r>,
    /// The commit before the change. `None` for the first commit.
    pub(super) before: Option<Oid>,
}

pub(super) enum CommittedFiles<'r> {
    Index(Index),
    Commit(GitTree<'r>),
}

impl Committed<'_> {
    /// The text of a plain file.
    fn blob(&self, path: &str) -> Option<Oid> {
        match &self.files {
            CommittedFiles::Index(index) => index.get_path(Path::new(path), 0).filter(|entry| entry.mode & 0o170_000 == 0o100_000).map(|entry| entry.id),
            CommittedFiles::Commit(tree) => in_tree(tree, path),
        }
    }
}

impl Tree for Committed<'_> {
    fn read(&self, path: &str) -> Option<Vec<u8>> {
        let blob = self.repository.find_blob(self.blob(path)?).ok()?;
        (blob.size() <= MAX_TEXT).then(|| blob.content().to_vec())
    }

    fn exists(&self, path: &str) -> bool {
        self.blob(path).is_some()
    }

    fn list(&self, folder: &str) -> Vec<(String, bool)> {
        match &self.files {
            CommittedFiles::Commit(tree) => {
                let inner = if folder.is_empty() {
                    Some(tree.clone())
                } else {
                    tree.get_path(Path::new(folder)).ok().and_then(|entry| self.repository.find_tree(entry.id()).ok())
                };
                let entries = inner.iter().flat_map(|tree| tree.iter()).map(|entry| {
                    let name = String::from_utf8_lossy(entry.name_bytes()).into_owned();
                    (name, entry.kind() == Some(ObjectType::Tree))
                });
                entries.collect()
            }
            CommittedFiles::Index(index) => listed(index, folder),
        }
    }

    fn sees_runs(&self) -> bool {
        false
    }

    fn newer(&self, test: &str, source: &str) -> Option<bool> {
        let mut commit = self.repository.find_commit(self.before?).ok()?;
        for _ in 0..MAX_COMMITS {
            let parent = commit.parent(0).ok();
            let (now, then) = (commit.tree().ok()?, parent.as_ref().map(git2::Commit::tree).transpose().ok()?);
            let changed = |path: &str| in_tree(&now, path) != then.as_ref().and_then(|then| in_tree(then, path));
            if changed(test) {
                return Some(true);
            }
            if changed(source) {
                return Some(false);
            }
            commit = parent?;
        }
        None
    }
}

fn in_tree(tree: &GitTree, path: &str) -> Option<Oid> {
    tree.get_path(Path::new(path)).ok().filter(|entry| entry.kind() == Some(ObjectType::Blob) && entry.filemode() != 0o120_000).map(|entry| entry.id())
}

/// Names in a folder of the index. Its entries are sorted by path, so folders within are stepped over.
fn listed(index: &Index, folder: &str) -> Vec<(String, bool)> {
    let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
    let path = |at: usize| index.get(at).map(|entry| entry.path);
    let first_from = |least: &[u8]| {
        let (mut low, mut high) = (0, index.len());
        while low < high {
            let middle = low.midpoint(high);
            if path(middle).is_some_and(|path| path.as_slice() < least) { low = middle + 1 } else { high = middle }
        }
        low
    };
    let mut names = Vec::new();
    let mut at = first_from(prefix.as_bytes());
    while let Some(path) = path(at) {
        let Some(rest) = path.strip_prefix(prefix.as_bytes()) else { break };
        let name = String::from_utf8_lossy(rest.split(|byte| *byte == b'/').next().unwrap_or(rest)).into_owned();
        let is_folder = rest.contains(&b'/');
        // `0` is the sign behind `/`.
        at = if is_folder { first_from(format!("{prefix}{name}0").as_bytes()) } else { at + 1 };
        names.push((name, is_folder));
    }
    names
}
