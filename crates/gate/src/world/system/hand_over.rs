//! One process asks another and gives it its input: the hook hands on what it cannot decide.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, PipeReader, Read as _, Seek as _, Write as _};
use std::os::fd::AsRawFd as _;
#[cfg(target_os = "linux")]
use std::os::fd::{FromRawFd as _, OwnedFd};
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{self, Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::now_ns;

/// Bytes that are read at a time.
const CHUNK: usize = 16 * 1024;
/// How long a program that closed its output may take to end by itself.
const PATIENCE: Duration = Duration::from_millis(100);

/// A program that was asked, and what it gave back.
#[derive(Debug)]
pub struct Asked {
    child: Child,
    /// What it wrote to standard output.
    pub output: Vec<u8>,
    /// It neither ended nor closed its output in time.
    pub late: bool,
}

/// Starts `program`, an absolute path (no search takes place), and waits for the end of what it writes.
///
/// It is started with `args` (its own name first, as is the custom) and with `env` as its whole environment, and finds
/// `input` on standard input, from the beginning. Its standard error is not read. No more than `most` bytes are taken.
///
/// # Errors
///
/// Why it could not be started, or its output could not be read.
pub fn ask(program: &Path, args: &[&OsStr], env: Vec<(OsString, OsString)>, input: &[u8], most: usize, deadline: Instant) -> io::Result<Asked> {
    let mut file = memory_file().or_else(|_| unlinked_file())?;
    file.write_all(input)?;
    file.rewind()?;
    let (reader, writer) = io::pipe()?;
    let [name, rest @ ..] = args else { return Err(io::ErrorKind::InvalidInput.into()) };
    // The command keeps the writing end open as long as it lives.
    let child = Command::new(program).arg0(name).args(rest).env_clear().envs(env).stdin(file).stdout(writer).stderr(Stdio::null()).spawn()?;
    let mut asked = Asked { child, output: Vec::new(), late: false };
    match asked.read(reader, most, deadline) {
        Ok(()) => Ok(asked),
        Err(error) => {
            asked.end();
            Err(error)
        }
    }
}

impl Asked {
    fn read(&mut self, mut reader: PipeReader, most: usize, deadline: Instant) -> io::Result<()> {
        let mut chunk = vec![0; CHUNK];
        while self.output.len() <= most {
            let left = deadline.saturating_duration_since(Instant::now()).as_millis();
            let mut asked = libc::pollfd { fd: reader.as_raw_fd(), events: libc::POLLIN, revents: 0 };
            // SAFETY: one entry, which outlives the call.
            match unsafe { libc::poll(&raw mut asked, 1, i32::try_from(left).unwrap_or(i32::MAX)) } {
                0 => {
                    self.late = true;
                    return Ok(());
                }
                -1 if io::Error::last_os_error().kind() == io::ErrorKind::Interrupted => {}
                -1 => return Err(io::Error::last_os_error()),
                _ => match reader.read(&mut chunk)? {
                    0 => return Ok(()),
                    count => self.output.extend_from_slice(chunk.get(..count).unwrap_or_default()),
                },
            }
        }
        Ok(())
    }

    /// Ends the program if it still runs, and says how it ended.
    pub fn end(&mut self) -> String {
        let until = Instant::now() + PATIENCE;
        let mut status = self.child.try_wait();
        while !self.late && matches!(status, Ok(None)) && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(2));
            status = self.child.try_wait();
        }
        if let Ok(Some(status)) = status {
            return match (status.code(), status.signal()) {
                (Some(code), _) => format!("it ended with exit code {code}"),
                (_, Some(signal)) => format!("signal {signal} ended it"),
                _ => "it ended".to_owned(),
            };
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        "it did not end".to_owned()
    }
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
