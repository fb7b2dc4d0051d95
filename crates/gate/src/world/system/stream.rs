//! Whole reads and whole writes on file descriptors, without the buffers and locks of the standard streams.

use std::fs::File;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::AsRawFd as _;

use actions::json::Json;

use super::{errno_of, last_words};

/// Bytes of the first buffer: an ordinary payload fits.
const FIRST_BUFFER: usize = 64 * 1024;
/// Bytes that are thrown away at a time.
const SINK: usize = 16 * 1024;
/// Bytes that are read and thrown away at most once an input is too large.
const MAX_DRAINED: usize = 512 << 20;
/// Milliseconds without more, after which a whole object is taken for all there is.
const QUIET_MS: i32 = 500;

/// Why an input could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadFault {
    /// The stream is closed, or broken: the `errno` of `read`.
    Closed(i32),
    /// There is more of it than `limit` bytes, or than memory.
    TooLarge {
        /// The limit that was set.
        limit: usize,
    },
}

/// A copy of `length` bytes of a file, from `at` on, or of those that are there. `None`: it cannot be read.
///
/// The standard library would fill the buffer with zeros first.
pub fn read_at(file: &File, at: usize, length: usize) -> Option<Vec<u8>> {
    let mut bytes: Vec<u8> = Vec::with_capacity(length);
    while bytes.len() < length {
        let place = libc::off_t::try_from(at.checked_add(bytes.len())?).ok()?;
        let missing = length - bytes.len();
        let room = bytes.spare_capacity_mut();
        // SAFETY: `pread` writes at most `missing` bytes, and `with_capacity` made room for that many.
        let got = unsafe { libc::pread(file.as_raw_fd(), room.as_mut_ptr().cast(), missing.min(room.len()), place) };
        match usize::try_from(got) {
            Ok(0) => break,
            // SAFETY: `pread` wrote so many bytes behind those that are there.
            Ok(got) => unsafe { bytes.set_len(bytes.len() + got) },
            Err(_) if io::Error::last_os_error().kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return None,
        }
    }
    Some(bytes)
}

/// What one question gives of a file: nearly always all that is left of it, or as much as there is room for.
///
/// # Errors
///
/// The system's.
pub fn read_some<'b>(file: &File, room: &'b mut [MaybeUninit<u8>]) -> io::Result<&'b [u8]> {
    loop {
        // SAFETY: `read` writes into the room alone.
        let got = unsafe { libc::read(file.as_raw_fd(), room.as_mut_ptr().cast(), room.len()) };
        if let Ok(got) = usize::try_from(got) {
            let filled = room.get(..got).unwrap_or_default();
            // SAFETY: `read` wrote so many bytes.
            return Ok(unsafe { filled.assume_init_ref() });
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}

/// Everything that is on `fd` until its end, at most `limit` bytes.
///
/// What goes beyond the limit is read and dropped (up to 512 MiB), so that a host that writes all of it before it looks
/// for an answer is not broken by the refusal. A host that leaves the stream open is not waited for once a whole object of
/// JSON was read and nothing more comes.
///
/// # Errors
///
/// [`ReadFault::Closed`] if reading fails, [`ReadFault::TooLarge`] if there is more than `limit`.
pub fn read_all(fd: i32, limit: usize) -> Result<Vec<u8>, ReadFault> {
    let mut bytes: Vec<u8> = Vec::new();
    loop {
        if bytes.len() > limit {
            return Err(drain(fd, limit));
        }
        if bytes.len() == bytes.capacity() {
            // One byte more than the limit tells that there is more.
            let wanted = bytes.capacity().saturating_mul(2).clamp(FIRST_BUFFER, limit.saturating_add(1).max(FIRST_BUFFER));
            if bytes.try_reserve_exact(wanted - bytes.len()).is_err() {
                return Err(drain(fd, limit));
            }
        }
        let room = bytes.spare_capacity_mut();
        // SAFETY: `room` is writable for its length; `read` only writes there.
        let count = unsafe { libc::read(fd, room.as_mut_ptr().cast(), room.len()) };
        match usize::try_from(count) {
            Ok(0) => return Ok(whole(bytes)),
            // SAFETY: `read` has written `count` bytes behind the old length, and no more than there was room for.
            Ok(count) => unsafe { bytes.set_len(bytes.len() + count) },
            Err(_) => wait_or(fd, libc::POLLIN).map_err(ReadFault::Closed)?,
        }
        if bytes.trim_ascii_end().ends_with(b"}") {
            match what_follows(fd) {
                Following::Nothing if Json::read(&bytes).is_ok() => return Ok(whole(bytes)),
                Following::End => return Ok(whole(bytes)),
                Following::Nothing | Following::More => {}
            }
        }
    }
}

/// An input without the room behind it, so that what is kept next is on the same page.
fn whole(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.shrink_to_fit();
    bytes
}

/// What comes on a stream within a while.
enum Following {
    /// Neither more nor the end.
    Nothing,
    /// The end, and nothing in front of it.
    End,
    /// More, or the end, or a fault.
    More,
}

fn what_follows(fd: i32) -> Following {
    let mut asked = libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
    // SAFETY: `asked` is one entry.
    match unsafe { libc::poll(&raw mut asked, 1, QUIET_MS) } {
        0 => Following::Nothing,
        // Of a pipe whose writer has gone Linux says this alone only if nothing is left in it.
        1 if cfg!(target_os = "linux") && asked.revents == libc::POLLHUP => Following::End,
        _ => Following::More,
    }
}

/// Reads on into nothing, to the end or the bound. Every call would pay for its buffer if this was a part of its caller.
#[cold]
#[inline(never)]
fn drain(fd: i32, limit: usize) -> ReadFault {
    let mut sink = [0_u8; SINK];
    let mut drained = 0;
    while drained < MAX_DRAINED {
        // SAFETY: `sink` is writable for its length.
        let count = unsafe { libc::read(fd, sink.as_mut_ptr().cast(), sink.len()) };
        match usize::try_from(count) {
            Ok(0) => break,
            Ok(count) => drained += count,
            Err(_) if wait_or(fd, libc::POLLIN).is_ok() => {}
            Err(_) => break,
        }
    }
    ReadFault::TooLarge { limit }
}

/// Writes all of `bytes` to `fd`. Output begun on standard output keeps last words from being mixed into it.
///
/// # Errors
///
/// The `errno` of the write that failed; a part may have been written by then.
pub fn write_all(fd: i32, bytes: &[u8]) -> Result<(), i32> {
    if fd == libc::STDOUT_FILENO && !bytes.is_empty() {
        last_words::answer_begins();
    }
    let mut left = bytes;
    while !left.is_empty() {
        // SAFETY: the bytes are readable for the length given.
        let written = unsafe { libc::write(fd, left.as_ptr().cast(), left.len()) };
        match usize::try_from(written) {
            Ok(0) => return Err(libc::EIO),
            Ok(count) => left = left.get(count..).unwrap_or_default(),
            Err(_) => wait_or(fd, libc::POLLOUT)?,
        }
    }
    Ok(())
}

/// After a call that failed: nothing if it was interrupted, a wait if `fd` does not block and was not ready, else why.
fn wait_or(fd: i32, events: libc::c_short) -> Result<(), i32> {
    let errno = errno_of(&io::Error::last_os_error());
    if errno == libc::EAGAIN || errno == libc::EWOULDBLOCK {
        let mut asked = libc::pollfd { fd, events, revents: 0 };
        // Whatever it returns, the next call tells what is the matter; the deadline bounds the wait.
        // SAFETY: one entry, which outlives the call.
        unsafe { libc::poll(&raw mut asked, 1, -1) };
        return Ok(());
    }
    if errno == libc::EINTR { Ok(()) } else { Err(errno) }
}
