//! Commits and remote-tracking refs, read with libgit2, which starts no program (no filter, no
//! monitor, no hook) whatever the repository's configuration says. Git itself is never started.

use std::collections::{BinaryHeap, HashSet};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use git2::{Direction, ObjectFormat, ObjectType, Odb, Oid, Repository, RepositoryOpenFlags};

use actions::change::Id;
use gate::world::repository::{Discovery, discover};

/// Commits that are looked at, the youngest first, before it counts as not shown that one reaches another. A push that
/// only adds is recognised within as many commits as it adds.
const MAX_COMMITS: usize = 100_000;

/// The folders of a repository of which a hook runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folders {
    /// Where `HEAD` and the index of this work tree are.
    pub own: PathBuf,
    /// Configuration and refs that all work trees share.
    pub common: PathBuf,
    /// Object folders, the first its own.
    objects: Vec<PathBuf>,
}

impl Folders {
    /// The repository that a hook in `cwd` runs for: git exports `GIT_DIR` and its like where they were given
    /// (githooks(5)), and otherwise it is found from the folder.
    ///
    /// # Errors
    ///
    /// Why no repository was found.
    pub fn find(cwd: &Path) -> Result<Self, String> {
        let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let (own, common) = match (variable("GIT_COMMON_DIR"), variable("GIT_DIR")) {
            (Some(common), git) => (git.map_or_else(|| cwd.join(&common), |git| cwd.join(git)), cwd.join(&common)),
            (None, Some(git)) => {
                let git = cwd.join(git);
                match fs::read_to_string(git.join("commondir")) {
                    Ok(common) => (git.clone(), git.join(common.trim_end_matches(['\n', '\r']))),
                    Err(_) => (git.clone(), git),
                }
            }
            (None, None) => match discover(cwd) {
                Discovery::Found(repository) => (repository.git_dir, repository.common_dir),
                Discovery::Bare(folder) => (folder.clone(), folder),
                Discovery::None => return Err(format!("there is no repository in `{}` or above it", cwd.display())),
                Discovery::Unreadable(fault) => return Err(format!("`{}`: {}", fault.path.display(), gate::world::errno_text(fault.errno))),
            },
        };
        let common = fs::canonicalize(&common).map_err(|error| format!("`{}`: {error}", common.display()))?;
        let objects = variable("GIT_OBJECT_DIRECTORY").map_or_else(|| common.join("objects"), |folder| cwd.join(folder));
        if !objects.is_dir() {
            return Err(format!("`{}` is no folder of objects", objects.display()));
        }
        let others = variable("GIT_ALTERNATE_OBJECT_DIRECTORIES");
        let others = others.iter().flat_map(std::env::split_paths).map(|folder| cwd.join(folder));
        Ok(Self { own, objects: [objects].into_iter().chain(others).collect(), common })
    }

    /// The index that is committed: another one while only some files are (`git commit FILE`), which git tells its hooks.
    pub fn index(&self, cwd: &Path) -> PathBuf {
        let given = std::env::var_os("GIT_INDEX_FILE").filter(|value| !value.is_empty());
        given.map_or_else(|| self.own.join("index"), |index| cwd.join(index))
    }

    /// Whether `packed-refs` says that a ref leads there.
    pub fn packed(&self, name: &str, id: &Id) -> bool {
        let text = fs::read_to_string(self.common.join("packed-refs")).unwrap_or_default();
        text.lines().any(|line| line.split_once(' ') == Some((id.digits(), name)))
    }

    /// Whether `new` is `old` or a commit that reaches it, so that a ref that moves from one to the other drops nothing.
    ///
    /// Parents are read from the commits themselves: what git lays over them (`refs/replace`, `info/grafts`, the
    /// commit-graph) holds here alone and not in the remote. A shallow clone's missing parents reach nothing.
    ///
    /// # Errors
    ///
    /// Why the objects could not be opened.
    pub fn keeps(&self, old: &Id, new: &Id) -> Result<Kept, String> {
        let format = if new.is_sha256() { ObjectFormat::Sha256 } else { ObjectFormat::Sha1 };
        let fault = |error: git2::Error| format!("the objects of `{}`: {}", self.common.display(), error.message());
        let objects = Odb::new_ext(format).map_err(fault)?;
        for (at, folder) in self.objects.iter().enumerate() {
            let added = objects.add_disk_alternate(&folder.to_string_lossy());
            // A folder that only might hold more objects can be missing, as for git.
            if at == 0 {
                added.map_err(fault)?;
            }
        }
        let id = |id: &Id| Oid::from_str_ext(id.digits(), format).map_err(fault);
        let (old, new) = (id(old)?, id(new)?);
        Ok(if old == new {
            Kept::Yes
        } else if !objects.exists(old) {
            Kept::Absent
        } else if reaches(&objects, new, old) {
            Kept::Yes
        } else {
            Kept::No
        })
    }

    /// What the remote-tracking ref of `target` in `remote` names. `None` if it does not exist.
    pub fn tracked(&self, remote: &str, target: &str) -> Option<Id> {
        let repository = self.open()?;
        let remote = repository.find_remote(remote).ok()?;
        let tracking = remote.refspecs().filter(|spec| spec.direction() == Direction::Fetch && spec.src_matches(target)).find_map(|spec| {
            let name = spec.transform(target).ok()?;
            Some(name.as_str().ok()?.to_owned())
        })?;
        Id::read(&repository.refname_to_id(&tracking).ok()?.to_string())?
    }

    /// Whether the configuration makes every push to this remote a mirror (git-config, "remote.<name>.mirror"): in
    /// files, or given with `-c` or by variables, which git passes on to its hook.
    pub fn mirrors(&self, remote: Option<&str>) -> bool {
        let given = |name: &OsStr| name == "GIT_CONFIG_PARAMETERS" || name.as_encoded_bytes().starts_with(b"GIT_CONFIG_KEY_");
        let key = format!("remote.{}.mirror", remote.unwrap_or_default());
        std::env::vars_os().any(|(name, value)| given(&name) && value.to_string_lossy().to_ascii_lowercase().contains(".mirror"))
            || self.open().and_then(|repository| repository.config().ok()?.get_bool(&key).ok()).unwrap_or(false)
    }

    /// The commit that an expression (gitrevisions(7)) names. `None` if that is not known. A full id names itself.
    pub fn resolved(&self, expression: &str) -> Option<Id> {
        if let Some(id) = Id::read(expression) {
            return id;
        }
        Id::read(&self.open()?.revparse_single(expression).ok()?.id().to_string())?
    }

    fn open(&self) -> Option<Repository> {
        open(&self.common).ok()
    }
}

/// Opens the repository of a git folder, and looks for none around it.
pub(crate) fn open(git_dir: &Path) -> Result<Repository, git2::Error> {
    Repository::open_ext(git_dir, RepositoryOpenFlags::NO_SEARCH, &[] as &[&OsStr])
}

/// What becomes of the commit that a ref led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    Yes,
    /// It is not reached from the new one, or that cannot be shown.
    No,
    /// It is not in this repository, so nothing can be said of it.
    Absent,
}

/// Walks from `from` towards older commits, the youngest first, until `to` comes up.
fn reaches(objects: &Odb, from: Oid, to: Oid) -> bool {
    let mut seen = HashSet::from([from]);
    let mut left = BinaryHeap::new();
    left.extend(commit(objects, from).map(|(date, parents)| (date, from, parents)));
    for _ in 0..MAX_COMMITS {
        let Some((_, _, parents)) = left.pop() else { return false };
        for parent in parents {
            if parent == to {
                return true;
            }
            if seen.insert(parent) {
                left.extend(commit(objects, parent).map(|(date, parents)| (date, parent, parents)));
            }
        }
    }
    false
}

/// The date (seconds since 1970) and the parents of a commit. `None` if it is not here or is not one.
fn commit(objects: &Odb, id: Oid) -> Option<(i64, Vec<Oid>)> {
    let object = objects.read(id).ok()?;
    if object.kind() != ObjectType::Commit {
        return None;
    }
    let mut date = 0;
    let mut parents = Vec::new();
    // The header ends at the first empty line; parents are before the author (git-commit-tree, git-hash-object).
    for line in object.data().split(|byte| *byte == b'\n').take_while(|line| !line.is_empty()) {
        if let Some(parent) = line.strip_prefix(b"parent ") {
            parents.push(Oid::from_str_ext(std::str::from_utf8(parent).ok()?, id.object_format()).ok()?);
        } else if let Some(committer) = line.strip_prefix(b"committer ") {
            let text = String::from_utf8_lossy(committer);
            date = text.rsplit(' ').nth(1).and_then(|seconds| seconds.parse().ok()).unwrap_or(0);
            break;
        }
    }
    Some((date, parents))
}
