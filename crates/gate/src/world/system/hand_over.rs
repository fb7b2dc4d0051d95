//! One process becomes another and gives it its input: the hook hands on what it cannot decide, in one process.

use std::ffi::{CString, OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, Seek as _, Write as _};
use std::os::fd::AsRawFd as _;
#[cfg(target_os = "linux")]
use std::os::fd::{FromRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::process;
use std::ptr;

use super::last_words::{milliseconds, set_timer};
use super::now_ns;

/// Replaces this process by `program`, an absolute path (no search takes place).
///
/// It is started with `args` (its own name first, as is the custom) and with `env` as its whole environment, and finds
/// `input` on standard input, from the beginning. Handlers and deadline are gone there, `SIGPIPE` stays ignored.
///
/// Returns only on failure, with why; the deadline then continues as it was.
#[must_use = "it only returns if it failed"]
pub fn hand_over(program: &Path, args: &[&OsStr], env: &[(OsString, OsString)], input: &[u8]) -> io::Error {
    match replace(program, args, env, input) {
        Ok(never) => match never {},
        Err(error) => error,
    }
}

enum Never {}

fn replace(program: &Path, args: &[&OsStr], env: &[(OsString, OsString)], input: &[u8]) -> io::Result<Never> {
    let program = CString::new(program.as_os_str().as_bytes())?;
    let mut arguments = Vec::with_capacity(args.len());
    for argument in args {
        arguments.push(CString::new(argument.as_bytes())?);
    }
    let mut variables = Vec::with_capacity(env.len());
    for (name, value) in env {
        variables.push(CString::new([name.as_bytes(), b"=", value.as_bytes()].concat())?);
    }

    let mut file = memory_file().or_else(|_| unlinked_file())?;
    file.write_all(input)?;
    file.rewind()?;
    make_standard_input(&file)?;

    let arguments = pointers(&arguments);
    let variables = pointers(&variables);
    let left = set_timer(milliseconds(0));
    // SAFETY: the path and both lists of texts end as they must (NUL, null) and outlive the call.
    unsafe { libc::execve(program.as_ptr(), arguments.as_ptr(), variables.as_ptr()) };
    let error = io::Error::last_os_error();
    set_timer(left);
    Err(error)
}

fn pointers(texts: &[CString]) -> Vec<*const libc::c_char> {
    texts.iter().map(|text| text.as_ptr()).chain([ptr::null()]).collect()
}

fn make_standard_input(file: &File) -> io::Result<()> {
    let fd = file.as_raw_fd();
    let result = if fd == libc::STDIN_FILENO {
        // It took the free place by itself, but would be closed on the way.
        // SAFETY: sets a flag of a descriptor that is open.
        unsafe { libc::fcntl(fd, libc::F_SETFD, 0) }
    } else {
        // SAFETY: both numbers are descriptors; what was at 0 was the input that has been read.
        unsafe { libc::dup2(fd, libc::STDIN_FILENO) }
    };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// A file that exists in memory only.
#[cfg(target_os = "linux")]
fn memory_file() -> io::Result<File> {
    // SAFETY: the name is a text ended by NUL.
    let fd = unsafe { libc::memfd_create(c"portcullis-input".as_ptr(), libc::MFD_CLOEXEC) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor is open, new, and owned by nobody else.
    Ok(File::from(unsafe { OwnedFd::from_raw_fd(fd) }))
}

/// There is no such file here.
#[cfg(not(target_os = "linux"))]
fn memory_file() -> io::Result<File> {
    Err(io::ErrorKind::Unsupported.into())
}

/// A file whose name is gone at once. `/tmp` and not `$TMPDIR`, which a judged project may set.
fn unlinked_file() -> io::Result<File> {
    let path = format!("/tmp/portcullis-input-{}-{}", process::id(), now_ns());
    // `create_new` follows no link that somebody else laid there.
    let file = fs::OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path)?;
    fs::remove_file(&path)?;
    Ok(file)
}

#[cfg(test)]
#[path = "hand_over_tests.rs"]
mod tests;
