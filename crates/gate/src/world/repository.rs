//! Where a repository begins, by git's own rules, and which folder's policy holds. Files are looked at, nothing is
//! started: a judged repository's configuration can name programs.
//!
//! Left out on purpose:
//! - `GIT_DIR`, `GIT_WORK_TREE`, `GIT_CEILING_DIRECTORIES` and their like are not read. A judged project can set
//!   environment variables for this process, and would so move its root away from its policy.
//! - `core.worktree`, `safe.directory` and `safe.bareRepository` are not read: where git refuses to work, or works
//!   elsewhere, the policy holds all the same.
//! - Mount points are walked past, where git stops: a policy outside of them holds inside too.

mod anchor;
pub mod configuration;

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::below;
use super::links::{leads_here, without_links};
use super::system::{errno_of, named_identity, open, read_some};

pub use anchor::{PolicyAnchor, anchor, main_work_tree};

/// Folders that are looked at on the way up. A deeper start is [`Discovery::Unreadable`]: a folder dug deep enough must
/// not be a way out of a repository.
const MAX_LEVELS: usize = 256;
/// Bytes that are read of `HEAD`, `commondir` and a `.git` file. Git's own bound for the first is 255; the others hold
/// one path.
const MAX_FILE: u64 = 16 * 1024;
/// Bytes that such a file usually has at most.
const EXPECTED_FILE: usize = 256;
/// What a link says that is opened and not followed. BSD has a number of its own for it.
const LINK: i32 = if cfg!(any(target_os = "freebsd", target_os = "dragonfly")) { 31 } else { libc::ELOOP };

/// A repository that has, or is treated as if it had, a work tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository {
    /// The top of the work tree, links resolved.
    pub root: PathBuf,
    /// What `git rev-parse --git-dir` names: where `HEAD` and the index of this work tree are.
    pub git_dir: PathBuf,
    /// What `git rev-parse --git-common-dir` names: where objects, branches and the configuration are.
    pub common_dir: PathBuf,
}

/// What the way up from a folder leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Discovery {
    /// The innermost repository. A folder inside a plain `.git` folder belongs to the repository above it, though git
    /// itself refuses to work there: its policy must hold there more than anywhere.
    Found(Repository),
    Bare(PathBuf),
    None,
    /// It could not be found out, which is not the same as none.
    Unreadable(Unreadable),
}

/// What kept a search from its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    pub path: PathBuf,
    /// Why, as the system says it.
    pub errno: i32,
}

impl Unreadable {
    fn new(path: &Path, error: &io::Error) -> Self {
        Self { path: path.to_path_buf(), errno: errno_of(error) }
    }
}

/// The innermost repository that holds `start`, or the nearest folder above it that exists. Links in `start` are
/// resolved first, as git does by asking for its working folder.
///
/// As git does, it passes over a `.git` folder that is empty or lacks `HEAD`, `objects` or `refs`. It also passes over a
/// `.git` file that leads nowhere, where git would stop with an error.
pub fn discover(start: &Path) -> Discovery {
    match existing(start, None).and_then(|(start, _)| climb(&start, None)) {
        Ok(discovery) => discovery,
        Err(fault) => Discovery::Unreadable(fault),
    }
}

/// Whether both are work trees of one repository. `false` if that cannot be found out.
pub fn same_repository(one: &Repository, other: &Repository) -> bool {
    let place = |repository: &Repository| fs::metadata(&repository.common_dir).ok().map(|found| (found.dev(), found.ino()));
    place(one).is_some_and(|one| Some(one) == place(other))
}

/// Whether the repository keeps its references in tables, which are not read here: `HEAD` says nothing then.
#[must_use]
pub fn has_ref_tables(repository: &Repository) -> bool {
    small_file(&repository.git_dir.join("HEAD")).is_ok_and(|head| head.is_some_and(|head| reference(&head) == Some(b"refs/heads/.invalid")))
}

/// The branch that `HEAD` names, without `refs/heads/`; it need not have a commit yet.
///
/// `None` if `HEAD` is on a commit, cannot be read, is not UTF-8, or if the repository keeps its references in
/// tables, where the file `HEAD` says nothing.
pub fn head_branch(repository: &Repository) -> Option<String> {
    let path = repository.git_dir.join("HEAD");
    let target = match fs::read_link(&path) {
        // Git wrote `HEAD` as a link, long ago, and still reads it.
        Ok(target) => target.into_os_string().into_encoded_bytes(),
        Err(_) => reference(&small_file(&path).ok()??)?.to_vec(),
    };
    let branch = target.strip_prefix(b"refs/heads/")?;
    // The name that is in `HEAD` where tables hold the true one; no branch can be called so.
    if branch == b".invalid" {
        return None;
    }
    String::from_utf8(branch.to_vec()).ok()
}

/// Whether `name` is a branch, a tag, a remote-tracking ref or the number of a commit in the repository around `folder`.
#[must_use]
pub fn has_ref(folder: &Path, name: &str) -> bool {
    let Discovery::Found(repository) = discover(folder) else { return false };
    if name.len() >= 7 && name.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return true;
    }
    let common = &repository.common_dir;
    let places = ["refs/heads/", "refs/tags/", "refs/remotes/", "refs/", ""].map(|front| format!("{front}{name}"));
    places.iter().take(4).any(|place| common.join(place).is_file())
        || fs::read_to_string(common.join("packed-refs"))
            .is_ok_and(|packed| packed.lines().filter_map(|line| line.split_once(' ')).any(|(_, found)| places.iter().any(|place| place == found)))
}

/// The folder at or above `path` that exists, absolute and with links resolved; and whether that is `path` itself. What lies within `known`, a result of
/// this function, is looked at from there on.
fn existing(path: &Path, known: Option<&Path>) -> Result<(PathBuf, bool), Unreadable> {
    let absolute = if path.is_absolute() { Ok(path.to_path_buf()) } else { std::path::absolute(path) };
    let absolute = absolute.map_err(|error| Unreadable::new(path, &error))?;
    if known.is_none() && leads_here(&absolute) {
        return Ok((absolute, true));
    }
    let mut found = absolute.as_path();
    loop {
        match without_links(found, known) {
            Ok(real) => return Ok((real, found == absolute)),
            Err(error) if is_absence(&error) => match found.parent() {
                Some(parent) => found = parent,
                None => return Err(Unreadable::new(found, &error)),
            },
            Err(error) => return Err(Unreadable::new(found, &error)),
        }
    }
}

/// [`discover`] from a path that [`existing`] gave. It ends at `limit`, as if nothing was there or further out.
fn climb(start: &Path, limit: Option<&Path>) -> Result<Discovery, Unreadable> {
    for (level, folder) in start.ancestors().enumerate() {
        if limit == Some(folder) {
            break;
        }
        if level == MAX_LEVELS {
            return Err(Unreadable { path: start.to_path_buf(), errno: libc::ENAMETOOLONG });
        }
        if let Some((git_dir, common_dir)) = dot_git(folder)? {
            return Ok(Discovery::Found(Repository { root: folder.to_path_buf(), git_dir, common_dir }));
        }
        if git_folder(folder)?.is_some() {
            return inside_git_folder(folder);
        }
    }
    Ok(Discovery::None)
}

/// `folder` is a git folder, and was not reached through a `.git` beside it.
fn inside_git_folder(folder: &Path) -> Result<Discovery, Unreadable> {
    // `.git/modules/NAME` and `.git/worktrees/NAME` are git folders within a git folder.
    for outer in folder.ancestors() {
        let (true, Some(root)) = (outer.file_name() == Some(OsStr::new(".git")), outer.parent()) else { continue };
        if let Some(common_dir) = git_folder(outer)? {
            let (root, git_dir) = (root.to_path_buf(), outer.to_path_buf());
            return Ok(Discovery::Found(Repository { root, git_dir, common_dir }));
        }
    }
    Ok(Discovery::Bare(folder.to_path_buf()))
}

/// The git folder and the common folder that `.git` in `folder` is or names.
fn dot_git(folder: &Path) -> Result<Option<(PathBuf, PathBuf)>, Unreadable> {
    let path = below(folder, ".git");
    let Some(found) = there(&path, fs::metadata(&path))? else { return Ok(None) };
    if found.is_dir() {
        return Ok(git_folder(&path)?.map(|common_dir| (path, common_dir)));
    }
    let Some(bytes) = small_file(&path)? else { return Ok(None) };
    let Some(named) = bytes.strip_prefix(b"gitdir: ").map(first_line) else { return Ok(None) };
    if named.is_empty() {
        return Ok(None);
    }
    let target = folder.join(OsStr::from_bytes(named));
    let Some(target) = there(&target, fs::canonicalize(&target))? else { return Ok(None) };
    Ok(git_folder(&target)?.map(|common_dir| (target, common_dir)))
}

/// The common folder, if `folder` is what git takes for a git folder: a `HEAD` that names a reference or a commit, and
/// `objects` and `refs` here or where the file `commondir` leads (`is_git_directory` in git's `setup.c`).
fn git_folder(folder: &Path) -> Result<Option<PathBuf>, Unreadable> {
    if !has_head(folder)? {
        return Ok(None);
    }
    let common = match small_file(&below(folder, "commondir"))? {
        None => folder.to_path_buf(),
        Some(bytes) => {
            let named = folder.join(OsStr::from_bytes(first_line(&bytes)));
            let Some(real) = there(&named, fs::canonicalize(&named))? else { return Ok(None) };
            real
        }
    };
    for part in ["objects", "refs"] {
        let part = below(&common, part);
        if !there(&part, fs::metadata(&part))?.is_some_and(|found| found.is_dir()) {
            return Ok(None);
        }
    }
    Ok(Some(common))
}

fn has_head(folder: &Path) -> Result<bool, Unreadable> {
    let path = below(folder, "HEAD");
    let bytes = match opened(&path, libc::O_NOFOLLOW) {
        Ok(file) => beginning(file),
        Err(error) if errno_of(&error) == LINK => {
            let target = there(&path, fs::read_link(&path))?;
            return Ok(target.is_some_and(|target| target.as_os_str().as_bytes().starts_with(b"refs/")));
        }
        Err(error) => Err(error),
    };
    match bytes {
        Ok(bytes) => Ok(reference(&bytes).is_some() || is_commit(&bytes)),
        Err(error) if is_absence(&error) || errno_of(&error) == libc::EISDIR => Ok(false),
        Err(error) => Err(Unreadable::new(&path, &error)),
    }
}

/// `refs/…` out of `ref: refs/…`.
fn reference(head: &[u8]) -> Option<&[u8]> {
    let target = first_line(head.strip_prefix(b"ref:")?).trim_ascii_start();
    target.starts_with(b"refs/").then_some(target)
}

/// Whether `head` begins with the number of a commit: 40 digits, or 64 where SHA-256 is used.
fn is_commit(head: &[u8]) -> bool {
    head.get(..40).is_some_and(|number| number.iter().all(u8::is_ascii_hexdigit))
}

/// The text before the line ends at the end, of which git allows several; a path may hold any other byte.
fn first_line(bytes: &[u8]) -> &[u8] {
    let mut line = bytes;
    while let [rest @ .., b'\n' | b'\r'] = line {
        line = rest;
    }
    line
}

/// What was found at `path`; nothing if nothing is there.
fn there<T>(path: &Path, found: io::Result<T>) -> Result<Option<T>, Unreadable> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(error) if is_absence(&error) => Ok(None),
        Err(error) => Err(Unreadable::new(path, &error)),
    }
}

/// The beginning of a plain file; nothing for a folder. A pipe or a terminal is not waited for.
fn small_file(path: &Path) -> Result<Option<Vec<u8>>, Unreadable> {
    match opened(path, 0).and_then(beginning) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if is_absence(&error) || errno_of(&error) == libc::EISDIR => Ok(None),
        Err(error) => Err(Unreadable::new(path, &error)),
    }
}

fn opened(path: &Path, flags: i32) -> io::Result<File> {
    open(path, libc::O_RDONLY | libc::O_NONBLOCK | libc::O_NOCTTY | flags, 0)
}

/// The beginning of an open file.
fn beginning(file: File) -> io::Result<Vec<u8>> {
    let mut room = [const { MaybeUninit::uninit() }; EXPECTED_FILE];
    let mut bytes = read_some(&file, &mut room)?.to_vec();
    if bytes.len() == EXPECTED_FILE {
        file.take(MAX_FILE - EXPECTED_FILE as u64).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

fn is_absence(error: &io::Error) -> bool {
    matches!(errno_of(error), libc::ENOENT | libc::ENOTDIR)
}

/// Whether a file of one of these names is in `folder`. A link that leads to nothing cannot be looked at.
fn holds_policy(folder: &Path, names: &[&str]) -> Result<bool, Unreadable> {
    for name in names {
        let path = below(folder, name);
        match named_identity(&path) {
            Ok(Some(_)) => return Ok(true),
            Ok(None) => {}
            Err(errno) => return Err(Unreadable { path, errno }),
        }
    }
    Ok(false)
}
