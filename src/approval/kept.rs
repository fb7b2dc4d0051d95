//! Keeps what an approved action could lose, where git can keep it: under `refs/portcullis/kept/CODE/`, written when a
//! person approves, and never inside the judged call. With libgit2, which starts no program.

use std::path::Path;

use git2::{Oid, Repository, Signature, StatusOptions};

/// Where the refs are.
pub const KEPT: &str = "refs/portcullis/kept";

/// A ref that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptRef {
    pub name: String,
    /// What it keeps, in words.
    pub what: String,
    /// The command that gives it back.
    pub back: String,
}

/// Keeps `HEAD`, the refs that the part `git` of a request names, and uncommitted work of tracked files. `git` is that part.
///
/// # Errors
///
/// Why something could not be kept.
pub fn keep(git_dir: &Path, code: &str, git: &str) -> Result<Vec<KeptRef>, String> {
    let repository = Repository::open(git_dir).map_err(|error| error.message().to_owned())?;
    let mut kept = Vec::new();
    if let Ok(head) = repository.refname_to_id("HEAD") {
        kept.push(put(&repository, code, "head", head, "the commit that is checked out", |name| format!("git branch saved {name}"))?);
    }
    for (name, id) in git.lines().filter_map(|line| line.split_once(' ')).filter(|(name, _)| name.starts_with("refs/")) {
        let Some(commit) = Oid::from_str(id).ok().filter(|id| repository.odb().is_ok_and(|objects| objects.exists(*id))) else { continue };
        let (short, what) = (name.trim_start_matches("refs/"), format!("`{name}`"));
        let back = format!("git update-ref {name} ");
        kept.push(put(&repository, code, short, commit, &what, |name| format!("{back}{name}"))?);
        // The remote's side, as far as it is known here.
        if let Some(branch) = name.strip_prefix("refs/heads/") {
            for remote in
                repository.remotes().into_iter().flat_map(|names| names.iter().filter_map(|name| name.ok().flatten().map(str::to_owned)).collect::<Vec<_>>())
            {
                let tracking = format!("refs/remotes/{remote}/{branch}");
                if let Ok(id) = repository.refname_to_id(&tracking) {
                    let what = format!("`{branch}` of `{remote}`, as it was seen last");
                    kept.push(put(&repository, code, &format!("remotes/{remote}/{branch}"), id, &what, |name| {
                        format!("git push {remote} {name}:refs/heads/{branch}")
                    })?);
                }
            }
        }
    }
    if let Some(work) = work(&repository).map_err(|error| error.message().to_owned())? {
        kept.push(put(&repository, code, "work", work, "uncommitted work of tracked files", |name| format!("git stash apply {name}"))?);
    }
    Ok(kept)
}

fn put(repository: &Repository, code: &str, short: &str, id: Oid, what: &str, back: impl Fn(&str) -> String) -> Result<KeptRef, String> {
    let name = format!("{KEPT}/{code}/{short}");
    repository.reference(&name, id, true, "portcullis: kept before an approved action").map_err(|error| format!("`{name}`: {}", error.message()))?;
    Ok(KeptRef { back: back(&name), what: what.to_owned(), name })
}

/// A commit as `git stash create` makes one: the tree of the tracked files as they are, with `HEAD` and the index as parents.
/// `None`: nothing is changed, or there is no commit yet.
fn work(repository: &Repository) -> Result<Option<Oid>, git2::Error> {
    let mut options = StatusOptions::new();
    options.include_untracked(false).no_refresh(true);
    if repository.is_bare() || repository.statuses(Some(&mut options))?.is_empty() {
        return Ok(None);
    }
    let Ok(head) = repository.refname_to_id("HEAD").and_then(|id| repository.find_commit(id)) else { return Ok(None) };
    // In memory: neither is written back.
    let mut index = repository.index()?;
    if index.has_conflicts() {
        return Ok(None);
    }
    let by = repository.signature().or_else(|_| Signature::now("Portcullis", "portcullis@localhost"))?;
    let staged = repository.find_tree(index.write_tree()?)?;
    let on = format!("on {}: kept by Portcullis", head.id());
    let staged = repository.commit(None, &by, &by, &format!("index {on}"), &staged, &[&head])?;
    index.update_all(["*"], None)?;
    let tree = repository.find_tree(index.write_tree()?)?;
    // What was changed in memory must not be written by a later use.
    index.read(true)?;
    let staged = repository.find_commit(staged)?;
    repository.commit(None, &by, &by, &format!("work {on}"), &tree, &[&head, &staged]).map(Some)
}

/// Removes the refs of a code.
///
/// # Errors
///
/// Why one could not be removed.
pub fn forget(git_dir: &Path, code: &str) -> Result<usize, String> {
    let repository = Repository::open(git_dir).map_err(|error| error.message().to_owned())?;
    let found = repository.references_glob(&format!("{KEPT}/{code}/*")).map_err(|error| error.message().to_owned())?;
    let mut removed = 0;
    for reference in found {
        reference.and_then(|mut reference| reference.delete()).map_err(|error| error.message().to_owned())?;
        removed += 1;
    }
    Ok(removed)
}
