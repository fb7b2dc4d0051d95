//! Links on the way to a file.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::{fs, io};

use super::system;

/// Names on a way of which it is cheaper to ask for all at once than one by one.
const MANY: usize = 3;

/// The absolute `path` with links resolved, those of `known` already. Most paths have none, and to see that is cheaper than to
/// resolve them.
///
/// # Errors
///
/// The system's: nothing is there, or it cannot be seen.
pub fn without_links(path: &Path, known: Option<&Path>) -> io::Result<PathBuf> {
    let bytes = path.as_os_str().as_bytes();
    let prefix = known.map_or(&b""[..], |known| known.as_os_str().as_bytes());
    let (mut end, rest) = match bytes.strip_prefix(prefix) {
        Some([]) if !prefix.is_empty() => return Ok(path.to_path_buf()),
        Some(rest @ [b'/', ..]) => (prefix.len(), rest),
        _ => (0, bytes),
    };
    let names = || rest.split(|byte| *byte == b'/').skip(1);
    let mut count = 0;
    for name in names() {
        if matches!(name, b"" | b"." | b"..") {
            return fs::canonicalize(path);
        }
        count += 1;
    }
    if count >= MANY
        && let Some(answer) = system::is_without_links(path)
    {
        return if answer? { Ok(path.to_path_buf()) } else { fs::canonicalize(path) };
    }
    for name in names() {
        end += 1 + name.len();
        let folder = Path::new(OsStr::from_bytes(bytes.get(..end).unwrap_or(bytes)));
        if fs::symlink_metadata(folder)?.is_symlink() {
            return fs::canonicalize(path);
        }
    }
    Ok(path.to_path_buf())
}

/// Whether the kernel's own name of the working folder begins with this path: then it has no links. A hook is nearly always
/// started in the project or below it.
pub fn leads_here(path: &Path) -> bool {
    let begins = |here: &[u8]| here.strip_prefix(path.as_os_str().as_bytes()).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"));
    path.is_absolute() && std::env::current_dir().is_ok_and(|here| begins(here.as_os_str().as_bytes()))
}
