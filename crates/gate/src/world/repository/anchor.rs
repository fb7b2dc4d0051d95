//! Which folder's policy holds for a call. It must not be the agent's to move: it can go into another folder, make a
//! repository (`git init`) or a work tree anywhere, or take `.git` away.

use std::path::{Path, PathBuf};

use super::{Discovery, Repository, Unreadable, climb, existing, holds_policy, same_repository};

/// Where the policy is anchored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyAnchor {
    /// The folder whose policy holds, links resolved.
    pub root: PathBuf,
    /// The repository whose work tree `root` is, else the innermost one around it, if there is any.
    pub repository: Option<Repository>,
    /// The project's own root, where `root` is another work tree of the same repository. Its policy should hold too:
    /// a work tree made of an old commit may carry a weaker one.
    pub origin: Option<PathBuf>,
    /// Which rule of [`anchor`] chose, in words for `explain` and `doctor`.
    pub why: &'static str,
}

/// Why the policy of the main work tree holds in a linked one.
const BY_MAIN: &str = "the main work tree, for this linked one has no policy";

/// The folder whose policy applies to a call in `cwd`, in a project that begins at `project_dir` according to the client.
/// `policy_names` are the names of policy files, relative to such a folder.
///
/// The way up begins at `project_dir`; at `cwd` only if the client names no absolute path. The
/// first of these is the result:
/// 1. the innermost work tree with a policy file: a nested repository without one, such as one an agent made, does not
///    hide the outer one;
///    A linked work tree without one is under the policy of its main work tree;
/// 2. the innermost folder with a policy file: a policy applies without a repository too, and taking `.git` away or making
///    a repository further out does not take it away;
/// 3. the innermost work tree;
/// 4. the start itself.
///
/// Then, if `cwd` lies in another work tree of the same repository, that work tree is the root, for the files are there;
/// but not if it has no policy file while the first root has one.
///
/// # Errors
///
/// What could not be looked at: an anchor found without it might be the wrong one.
pub fn anchor(project_dir: Option<&Path>, cwd: &Path, policy_names: &[&str]) -> Result<PolicyAnchor, Unreadable> {
    let Some(project) = project_dir.filter(|path| path.is_absolute()) else {
        let (start, _) = existing(cwd, None)?;
        return anchor_at(&start, policy_names, "the host names no project folder; the working folder");
    };
    let (project, is_there) = existing(project, None)?;
    let anchor = anchor_at(&project, policy_names, "the project folder itself")?;
    let (cwd, _) = existing(cwd, Some(&project))?;
    if !is_there && !cwd.starts_with(&anchor.root) {
        return without_project(anchor, &cwd, policy_names);
    }
    if !is_there && !holds_policy(&anchor.root, policy_names)? {
        return anchor_at(&cwd, policy_names, "the project folder is gone; the working folder");
    }
    if cwd == project {
        return Ok(anchor);
    }
    follow(anchor, &cwd, policy_names)
}

/// The anchor where the client names a project folder that is gone: that of the working folder, and beside it the policy
/// around the place where the project was.
fn without_project(anchor: PolicyAnchor, cwd: &Path, names: &[&str]) -> Result<PolicyAnchor, Unreadable> {
    let there = anchor_at(cwd, names, "the project folder is gone; the working folder")?;
    let origin = if holds_policy(&anchor.root, names)? { Some(anchor.root) } else { there.origin };
    Ok(PolicyAnchor { origin, ..there })
}

/// The main work tree of a linked one: git keeps all that is shared in its `.git` folder. `None` if the repository is no
/// linked work tree, or has no main one.
#[must_use]
pub fn main_work_tree(repository: &Repository) -> Option<&Path> {
    let common = &repository.common_dir;
    let linked = repository.git_dir != *common && common.file_name().is_some_and(|name| name == ".git");
    common.parent().filter(|_| linked && repository.git_dir.starts_with(common.join("worktrees")))
}

/// The anchor for one start; `fallback` says why the start itself was taken.
fn anchor_at(start: &Path, names: &[&str], fallback: &'static str) -> Result<PolicyAnchor, Unreadable> {
    let mut innermost: Option<Repository> = None;
    let mut from = Some(start.to_path_buf());
    // Where no folder on the way up has a policy, repositories further out decide nothing.
    let nearest = nearest_policy(start, names)?;
    while let Some(folder) = from.filter(|_| nearest.is_some() || innermost.is_none()) {
        from = match climb(&folder, None)? {
            Discovery::Found(repository) => {
                let nested = innermost.is_some();
                if nearest == Some(&repository.root) || holds_policy(&repository.root, names)? {
                    let why = if nested { "the outer repository, for the inner one has no policy" } else { "the repository" };
                    return Ok(PolicyAnchor { root: repository.root.clone(), repository: Some(repository), origin: None, why });
                }
                if let Some(main) = main_work_tree(&repository).filter(|_| !nested).map(Path::to_path_buf)
                    && holds_policy(&main, names)?
                {
                    return Ok(PolicyAnchor { root: main, repository: Some(repository), origin: None, why: BY_MAIN });
                }
                let next = repository.root.parent().map(Path::to_path_buf);
                innermost.get_or_insert(repository);
                next
            }
            Discovery::Bare(folder) => folder.parent().map(Path::to_path_buf),
            Discovery::None => None,
            Discovery::Unreadable(fault) => return Err(fault),
        };
    }
    if let Some(folder) = nearest {
        let why = "the nearest folder with a policy; no repository has one";
        return Ok(PolicyAnchor { root: folder.to_path_buf(), repository: innermost, origin: None, why });
    }
    let (root, why) = match &innermost {
        Some(repository) => (repository.root.clone(), "the repository, which has no policy"),
        None => (start.to_path_buf(), fallback),
    };
    Ok(PolicyAnchor { root, repository: innermost, origin: None, why })
}

/// The innermost folder at or above `start` with a policy file.
fn nearest_policy<'p>(start: &'p Path, names: &[&str]) -> Result<Option<&'p Path>, Unreadable> {
    for folder in start.ancestors() {
        if holds_policy(folder, names)? {
            return Ok(Some(folder));
        }
    }
    Ok(None)
}

/// Goes over to the work tree that holds `cwd`, if it is one of the same repository. Other repositories in between
/// (submodules, or what an agent made there) are passed over.
fn follow(anchor: PolicyAnchor, cwd: &Path, names: &[&str]) -> Result<PolicyAnchor, Unreadable> {
    let Some(repository) = anchor.repository.as_ref().filter(|found| found.root == anchor.root) else {
        return Ok(anchor);
    };
    let mut from = Some(cwd.to_path_buf());
    while let Some(folder) = from {
        from = match climb(&folder, Some(&anchor.root))? {
            Discovery::Found(there) if there.root == anchor.root => None,
            Discovery::Found(there) if same_repository(&there, repository) => {
                if !holds_policy(&there.root, names)? && holds_policy(&anchor.root, names)? {
                    return Ok(anchor);
                }
                let why = "the work tree that holds the working folder";
                return Ok(PolicyAnchor { root: there.root.clone(), repository: Some(there), origin: Some(anchor.root), why });
            }
            Discovery::Found(other) => other.root.parent().map(Path::to_path_buf),
            Discovery::Bare(folder) => folder.parent().map(Path::to_path_buf),
            Discovery::None => None,
            Discovery::Unreadable(fault) => return Err(fault),
        };
    }
    Ok(anchor)
}
