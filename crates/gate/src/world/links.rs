//! Links on the way to a file.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::{fs, io};

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
    for name in rest.split(|byte| *byte == b'/').skip(1) {
        if matches!(name, b"" | b"." | b"..") {
            return fs::canonicalize(path);
        }
        end += 1 + name.len();
        let folder = Path::new(OsStr::from_bytes(bytes.get(..end).unwrap_or(bytes)));
        if fs::symlink_metadata(folder)?.is_symlink() {
            return fs::canonicalize(path);
        }
    }
    Ok(path.to_path_buf())
}
