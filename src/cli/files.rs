//! Changes of files: shown as a difference, and made by renaming, so that nobody reads a half-written file.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use super::refusal::Refusal;
use super::settings;

/// The mode of a new file.
pub const FILE: u32 = 0o644;
/// The mode of a new program.
pub const PROGRAM: u32 = 0o755;

/// How the name of a file begins that is not yet in its place.
const SCRAP: &str = ".portcullis-";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// The file, links followed.
    pub path: PathBuf,
    /// Its bytes. `None` if it does not exist.
    pub before: Option<Vec<u8>>,
    /// Its bytes afterwards. `None` if it is removed.
    pub after: Option<Vec<u8>>,
    /// The mode, if it is new.
    pub mode: u32,
}

impl Edit {
    /// Reads the file at `path` and gives the edit that leaves it as `change` says.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or `change` refuses it.
    pub fn of(path: &Path, mode: u32, change: impl FnOnce(Option<Vec<u8>>) -> Result<Option<Vec<u8>>, Refusal>) -> Result<Self, Refusal> {
        let (path, before) = read(path)?;
        let after = change(before.clone())?;
        Ok(Self { path, before, after, mode })
    }

    pub fn changes(&self) -> bool {
        self.before != self.after
    }

    /// `create`, `change`, `remove` or `keep`.
    pub fn kind(&self) -> &'static str {
        match (&self.before, &self.after) {
            (before, after) if before == after => "keep",
            (None, _) => "create",
            (_, None) => "remove",
            _ => "change",
        }
    }

    /// The change as a unified diff; of programs, only that they change.
    pub fn difference(&self) -> String {
        let name = self.path.display().to_string();
        let text = |bytes: &Option<Vec<u8>>| bytes.as_ref().map(|bytes| String::from_utf8(bytes.clone())).transpose();
        match (text(&self.before), text(&self.after)) {
            (Ok(before), Ok(after)) => settings::difference(&name, before.as_deref(), after.as_deref()),
            _ => match &self.after {
                Some(after) => format!("{} {name} ({} bytes)\n", self.kind(), after.len()),
                None => format!("remove {name}\n"),
            },
        }
    }

    /// Makes the change.
    ///
    /// # Errors
    ///
    /// The file is no longer as it was read, or the system refuses.
    pub fn apply(&self) -> Result<(), Refusal> {
        if !self.changes() {
            return Ok(());
        }
        let refused = |error: io::Error| {
            let fix = if error.kind() == io::ErrorKind::PermissionDenied {
                "make it writable, or run this as its owner (`sudo` for managed settings)"
            } else {
                "fix this, then run the command again"
            };
            Refusal::new(format!("could not {} `{}`", self.kind(), self.path.display()), error, fix)
        };
        let (_, now) = read(&self.path)?;
        if now != self.before {
            return Err(Refusal::new(format!("left `{}` as it is", self.path.display()), "it changed while this ran", "run this again"));
        }
        match &self.after {
            Some(bytes) => put(&self.path, bytes, self.mode).map_err(refused),
            None => fs::remove_file(&self.path).map_err(refused),
        }
    }
}

/// A file's path with links followed, and its bytes. `None` if there is no file.
///
/// # Errors
///
/// It cannot be read, or is a link that leads nowhere.
pub fn read(path: &Path) -> Result<(PathBuf, Option<Vec<u8>>), Refusal> {
    let refused = |why: &dyn std::fmt::Display| Refusal::new(format!("could not read `{}`", path.display()), why, "make it readable, or remove it");
    // People keep their settings elsewhere and link to them; the link stays.
    let real = match fs::symlink_metadata(path) {
        Ok(found) if found.is_symlink() => fs::canonicalize(path).map_err(|error| refused(&format!("it is a link that cannot be followed: {error}")))?,
        _ => path.to_path_buf(),
    };
    match fs::read(&real) {
        Ok(bytes) => Ok((real, Some(bytes))),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok((real, None)),
        Err(error) => Err(refused(&error)),
    }
}

/// Replaces a file by one rename. An old file's owner and mode are kept; for a program, it also becomes executable.
///
/// # Errors
///
/// The system's; then the old file is as it was.
pub fn put(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let folder = path.parent().ok_or_else(|| io::Error::other("it has no folder"))?;
    fs::create_dir_all(folder)?;
    let old = fs::metadata(path).ok();
    let kept = old.as_ref().map_or(mode, |old| old.mode() & 0o7777 | mode & 0o111);
    let mut file = tempfile::Builder::new().prefix(SCRAP).permissions(fs::Permissions::from_mode(kept)).tempfile_in(folder)?;
    file.write_all(bytes)?;
    if let Some(old) = &old {
        file.as_file().set_permissions(fs::Permissions::from_mode(kept))?;
        // Only the administrator may give a file away; for all others it is theirs already.
        let _ = std::os::unix::fs::chown(file.path(), Some(old.uid()), Some(old.gid()));
    }
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

/// Renames files.
///
/// # Errors
///
/// The first that could not be moved, or whose new name is taken.
pub fn rename(moves: &[(PathBuf, PathBuf)]) -> Result<(), Refusal> {
    for (from, to) in moves {
        let refused = |why: &dyn std::fmt::Display| {
            Refusal::new(format!("could not move `{}` to `{}`", from.display(), to.display()), why, "fix this, then run the command again")
        };
        if fs::symlink_metadata(to).is_ok() {
            return Err(refused(&"there is a file of that name"));
        }
        fs::rename(from, to).map_err(|error| refused(&error))?;
    }
    Ok(())
}

/// Removes a folder with nothing in it. What a run left that was killed counts as nothing.
pub fn remove_if_empty(folder: &Path) {
    let scraps = fs::read_dir(folder).into_iter().flatten().flatten().filter(|entry| entry.file_name().to_string_lossy().starts_with(SCRAP));
    for scrap in scraps {
        let _ = fs::remove_file(scrap.path());
    }
    // `rmdir` refuses a folder with something in it, which is what is wanted.
    let _ = fs::remove_dir(folder);
}

/// Removes a folder and the links in it; what is no link stays, and the folder with it.
pub fn remove_links(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_symlink()) {
            let _ = fs::remove_file(entry.path());
        }
    }
    remove_if_empty(folder);
}
