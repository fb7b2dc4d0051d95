//! Opening of files with one system call, and whether a path has links.

use std::fs::File;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{FromRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

/// Bytes of a path that need no memory of their own.
const USUAL_PATH: usize = 384;

/// Opens a file. Programs that are started do not get it. `mode` is that of a file that is made.
///
/// The standard library's way asks musl, which says a second time to the kernel that other programs do not get the file.
///
/// # Errors
///
/// The system's.
pub fn open(path: &Path, flags: i32, mode: libc::mode_t) -> io::Result<File> {
    with_c_path(path, |path| {
        loop {
            // SAFETY: `path` is a text ended by NUL that lives beyond the call.
            let fd = unsafe { libc::openat(libc::AT_FDCWD, path, flags | libc::O_CLOEXEC, libc::c_uint::from(mode)) };
            if fd >= 0 {
                // SAFETY: the descriptor is open, new, and owned by nobody else.
                return Ok(File::from(unsafe { OwnedFd::from_raw_fd(fd) }));
            }
            let error = io::Error::last_os_error();
            if error.kind() != io::ErrorKind::Interrupted {
                return Err(error);
            }
        }
    })
}

/// Whether there is no link on the way to `path` or in its place, by one question. `None`: this system has no such question.
///
/// # Errors
///
/// The system's: nothing is there, or it cannot be seen.
#[cfg(target_os = "linux")]
pub(in crate::world) fn is_without_links(path: &Path) -> Option<io::Result<bool>> {
    // SAFETY: all zero is a valid `open_how`: no flags, no mode, nothing asked of the way.
    let mut how: libc::open_how = unsafe { std::mem::zeroed() };
    how.flags = u64::from((libc::O_PATH | libc::O_CLOEXEC).cast_unsigned());
    how.resolve = libc::RESOLVE_NO_SYMLINKS;
    let opened = with_c_path(path, |path| {
        // SAFETY: `path` is a text ended by NUL, `how` is of the size that is given, and both live beyond the call.
        let fd = unsafe { libc::syscall(libc::SYS_openat2, libc::AT_FDCWD, path, &raw const how, size_of::<libc::open_how>()) };
        match i32::try_from(fd) {
            Ok(fd @ 0..) => {
                // SAFETY: the descriptor is open, new, and owned by nobody else.
                drop(unsafe { OwnedFd::from_raw_fd(fd) });
                Ok(())
            }
            _ => Err(io::Error::last_os_error()),
        }
    });
    match opened {
        Ok(()) => Some(Ok(true)),
        Err(error) => match error.raw_os_error() {
            Some(libc::ELOOP) => Some(Ok(false)),
            Some(libc::ENOENT | libc::ENOTDIR | libc::EACCES | libc::ENAMETOOLONG) => Some(Err(error)),
            // An older kernel, or a sandbox that does not know the question.
            _ => None,
        },
    }
}

/// There is no such question here.
#[cfg(not(target_os = "linux"))]
pub(in crate::world) fn is_without_links(_path: &Path) -> Option<io::Result<bool>> {
    None
}

/// Does `work` with a path as C takes it.
///
/// # Errors
///
/// Those of `work`; [`io::ErrorKind::InvalidInput`] if the path has a NUL.
fn with_c_path<T>(path: &Path, work: impl FnOnce(*const libc::c_char) -> io::Result<T>) -> io::Result<T> {
    let bytes = path.as_os_str().as_bytes();
    if bytes.contains(&0) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut usual = [const { MaybeUninit::<u8>::uninit() }; USUAL_PATH];
    if bytes.len() >= USUAL_PATH {
        return work([bytes, &[0]].concat().as_ptr().cast());
    }
    for (room, part) in [(0, bytes), (bytes.len(), &[0][..])] {
        usual.get_mut(room..room + part.len()).map(|room| room.write_copy_of_slice(part));
    }
    work(usual.as_ptr().cast())
}
