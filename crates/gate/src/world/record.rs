//! The record on the disk: lines appended to a file of the repository's memory, each with exactly one write, so that eight
//! processes lose and tear nothing. What an entry is, is `record`'s; how lines are chained, `chain`'s.
//!
//! A client that is wired twice sends each event twice: what the last lines of the file already hold is not written again.
//! Hooks that run at the same moment may still write both, so readers leave out the second one too ([`SeenEntries`]).
//!
//! The lock is for the chain alone: each line is linked to the one before it, which is read from the end of the file. Without
//! the lock the line is written all the same, and marked: the kernel puts one write on an append-only file behind another, and
//! lines are so short that a kill does not cut them. Where a line was cut (a full disk), the next one begins on a line of its own.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::{below, system};
use crate::chain::{self, ChainEnd};
use crate::record::{Entry, MAX_LINE, hash_all};

/// Bytes after which a new file is begun.
const MAX_BYTES: u64 = 8 << 20;
/// Bytes of the end of the file in which the twin of a line is looked for, and the line to be linked to: some five lines, and
/// always one of them whole.
const TAIL: u64 = 2048;
/// Bytes in which the line to be linked to is looked for behind lines that were written without the lock.
const LONG_TAIL: u64 = 64 << 10;
/// How long a line waits for the lock of the record, and the longest pause between two tries.
const PATIENCE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_millis(1);
/// Times that a file is turned over by others before a line is written.
const TURNS: usize = 4;
/// Bytes that a probe writes.
const PROBE: usize = 4096;
/// Older files that are kept where no policy says otherwise; so the record takes 40 MB at the most.
const KEPT: usize = 4;
/// The most files that a policy can ask for.
const MOST_KEPT: usize = 4096 / 8 - 1;
/// The file beside the record that says how much of it a policy keeps: days and megabytes, 0 for what it does not say.
const RETENTION: &str = "retention";
/// Milliseconds of a day.
const DAY: u64 = 86_400_000;

/// Appends a line to the record in the first of the folders that takes it. `twin`: a line that holds all these texts says the
/// same; if one of the last lines does, nothing is appended.
///
/// # Errors
///
/// The last folder's error, if none took it.
pub fn append(folders: &[PathBuf], line: &str, twin: Option<[&str; 4]>) -> io::Result<()> {
    in_first(folders, |folder| append_to(folder, line, twin, MAX_BYTES))
}

/// Tells lines that were already read from new ones: of a call and an event, one counts.
#[derive(Debug, Default)]
pub struct SeenEntries(HashSet<u64>);

impl SeenEntries {
    /// True for the first entry of its call and event, and for every entry without a call.
    pub fn is_new(&mut self, entry: &Entry) -> bool {
        entry.twin().is_none_or(|[event, call, _, input]| self.0.insert(hash_all(&[&entry.session, &event, &call, &input])))
    }
}

/// Whether a line could be appended; nothing is. Some bytes are written beside the record, for a full disk still makes files.
///
/// # Errors
///
/// As [`append`].
pub fn probe(folders: &[PathBuf]) -> io::Result<PathBuf> {
    in_first(folders, |folder| {
        open(&name(folder, 0))?;
        let beside = folder.join(format!(".probe.{}", std::process::id()));
        let written = fs::write(&beside, [b'\n'; PROBE]);
        let _ = fs::remove_file(&beside);
        written.map(|()| name(folder, 0))
    })
}

/// The files of the record, the oldest first.
#[must_use]
pub fn files(folders: &[PathBuf]) -> Vec<PathBuf> {
    folders.iter().flat_map(|folder| ages(folder).into_iter().rev().map(|age| name(folder, age))).filter(|path| path.is_file()).collect()
}

/// The ages of the files of the record in a folder, the newest first.
fn ages(folder: &Path) -> Vec<usize> {
    let names = fs::read_dir(folder).into_iter().flatten().flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let age = |name: String| match name.strip_prefix("record.")?.strip_suffix("jsonl")? {
        "" => Some(0),
        age => age.strip_suffix('.')?.parse::<usize>().ok().filter(|age| (1..=MOST_KEPT).contains(age)),
    };
    let mut ages: Vec<usize> = names.filter_map(age).collect();
    ages.sort_unstable();
    ages
}

/// Notes how much of the record is kept: days, and megabytes of all files. 0: as where no policy says it.
///
/// # Errors
///
/// The last folder's error, if none took it.
pub fn keep(folders: &[PathBuf], days: u32, megabytes: u32) -> io::Result<()> {
    in_first(folders, |folder| {
        let path = folder.join(RETENTION);
        if (days, megabytes) == (0, 0) {
            return match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            };
        }
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
        writeln!(file, "{days} {megabytes}")
    })
}

/// Days (0: for ever) and older files that are kept.
fn retention(folder: &Path) -> (u64, usize) {
    let text = fs::read_to_string(folder.join(RETENTION)).unwrap_or_default();
    // A number that no policy can say is as none: nothing goes for it.
    let mut numbers = text.split_whitespace().map(|number| number.parse::<u32>().map_or(0, u64::from));
    let (days, megabytes) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    let files = usize::try_from((megabytes << 20) / MAX_BYTES).unwrap_or(MOST_KEPT).min(MOST_KEPT + 1);
    (days, if files == 0 { KEPT } else { files.saturating_sub(1).max(1) })
}

/// Removes what is older than a policy keeps it, and begins a new file where the present one has lines of a quarter of that
/// time: so a line goes after that time and a quarter at the latest. `now` is in milliseconds since 1970. Called when a
/// session begins, so that it costs nothing on a call.
pub fn let_go(folders: &[PathBuf], now: u64) {
    for folder in folders {
        let (days, _) = retention(folder);
        if days == 0 {
            continue;
        }
        let time = days * DAY;
        if let Ok(file) = open(&name(folder, 0))
            && first_time(&file).is_some_and(|first| now.saturating_sub(first) > time / 4)
            && lock_in_time(&file)
        {
            turn_over(folder, &file);
        }
        for age in ages(folder).into_iter().filter(|age| *age > 0) {
            let path = name(folder, age);
            let written = fs::metadata(&path).ok().and_then(|found| u64::try_from(found.mtime()).ok()?.checked_mul(1000));
            if written.is_some_and(|written| now.saturating_sub(written) > time) {
                let _ = fs::remove_file(path);
            }
        }
    }
}

/// The time of the first line of a file.
fn first_time(file: &File) -> Option<u64> {
    let bytes = system::read_at(file, 0, MAX_LINE)?;
    Entry::read(bytes.split(|byte| *byte == b'\n').next()?).map(|entry| entry.time)
}

/// The file to which lines are appended now, in the first folder that has one.
#[must_use]
pub fn current(folders: &[PathBuf]) -> Option<PathBuf> {
    folders.iter().map(|folder| name(folder, 0)).find(|path| path.is_file())
}

/// Does `work` in the first of the folders in which it succeeds; a missing folder is created.
pub fn in_first<T>(folders: &[PathBuf], work: impl Fn(&Path) -> io::Result<T>) -> io::Result<T> {
    let mut error = io::Error::other("there is no state folder: neither a home folder nor XDG_STATE_HOME is known");
    for folder in folders {
        let done = match work(folder) {
            Err(missing) if missing.kind() == io::ErrorKind::NotFound => {
                fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).and_then(|()| work(folder))
            }
            done => done,
        };
        match done {
            Ok(done) => return Ok(done),
            Err(found) => error = found,
        }
    }
    Err(error)
}

/// `record.jsonl`, `record.1.jsonl`, …
fn name(folder: &Path, age: usize) -> PathBuf {
    if age == 0 { below(folder, "record.jsonl") } else { below(folder, &format!("record.{age}.jsonl")) }
}

/// Opens a file of our own to be read and appended to; it is created if it is missing.
///
/// # Errors
///
/// The system's.
pub fn open(path: &Path) -> io::Result<File> {
    // A pipe in its place must not be waited for.
    system::open(path, libc::O_RDWR | libc::O_APPEND | libc::O_CREAT | libc::O_NONBLOCK | libc::O_NOCTTY, 0o600)
}

fn append_to(folder: &Path, line: &str, twin: Option<[&str; 4]>, most: u64) -> io::Result<()> {
    let path = name(folder, 0);
    let mut file = open(&path)?;
    let mut locked = lock_in_time(&file);
    let mut size = file.metadata()?.len();
    for _ in 0..TURNS {
        if !locked || size < most || !turn_over(folder, &file) {
            break;
        }
        let next = open(&path)?;
        locked = lock_in_time(&next);
        size = next.metadata()?.len();
        file = next;
    }
    let tail = tail_of(&file, size, TAIL);
    if twin.is_some_and(|twin| ends_with_twin(&tail, &twin)) {
        return Ok(());
    }
    let end = || match chain::end_of(&tail) {
        Some(end) => end,
        None if size > 0 => chain::end_of_all(&tail_of(&file, size, LONG_TAIL)).unwrap_or_default(),
        None => end_of_older(folder),
    };
    // What cannot be read back cannot be linked to.
    let linked = locked && (size == 0 || !tail.is_empty());
    let whole = if linked { chain::linked(line, end(), size == 0) } else { chain::unlinked(line, end()) };
    write_behind(&file, tail.last(), &whole)
}

/// Takes the lock, unless another process keeps it for too long, or the file system has none.
fn lock_in_time(file: &File) -> bool {
    let (mut end, mut pause) = (None, Duration::from_micros(100));
    loop {
        match file.try_lock() {
            Ok(()) => return true,
            Err(TryLockError::Error(_)) => return false,
            Err(TryLockError::WouldBlock) => {}
        }
        if Instant::now() >= *end.get_or_insert_with(|| Instant::now() + PATIENCE) {
            return false;
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Where the chain continues in a new file.
fn end_of_older(folder: &Path) -> ChainEnd {
    let tail = File::open(name(folder, 1)).ok().and_then(|older| Some(tail_of(&older, older.metadata().ok()?.len(), LONG_TAIL)));
    tail.and_then(|tail| chain::end_of(&tail).or_else(|| chain::end_of_all(&tail))).unwrap_or_default()
}

/// The last bytes of a file. Nothing if they cannot be read.
fn tail_of(file: &File, size: u64, most: u64) -> Vec<u8> {
    let length = size.min(most);
    let place = usize::try_from(size - length).ok().zip(usize::try_from(length).ok());
    place.filter(|(_, length)| *length > 0).and_then(|(at, length)| system::read_at(file, at, length)).unwrap_or_default()
}

/// Whether one of the last lines holds all these texts.
fn ends_with_twin(bytes: &[u8], twin: &[&str; 4]) -> bool {
    // The end of a call's id is nearly always missing.
    let Some(end) = twin.get(1).and_then(|call| call.as_bytes().last_chunk::<8>()) else { return false };
    places_of(end, bytes).any(|at| {
        let from = bytes.get(..at).and_then(|before| before.iter().rposition(|byte| *byte == b'\n')).map_or(0, |end| end + 1);
        let line = bytes.get(from..).and_then(|rest| rest.split(|byte| *byte == b'\n').next()).map(String::from_utf8_lossy).unwrap_or_default();
        twin.iter().all(|part| line.contains(part))
    })
}

/// Where eight bytes are in others. Sixteen places are looked at together, for two of the eight bytes.
fn places_of<'b>(wanted: &'b [u8; 8], bytes: &'b [u8]) -> impl Iterator<Item = usize> + use<'b> {
    const PLACES: usize = 16;
    let [.., last, end] = *wanted;
    let may = move |at: &usize| {
        let pair = bytes.get(at + 6..).and_then(|rest| Some((rest.first_chunk::<PLACES>()?, rest.get(1..)?.first_chunk::<PLACES>()?)));
        // Behind the last whole piece each place is looked at.
        pair.is_none_or(|(one, next)| one.iter().zip(next).fold(0, |any, (one, next)| any | (u8::from(*one == last) & u8::from(*next == end))) != 0)
    };
    let is = move |at: &usize| bytes.get(*at..).and_then(|rest| rest.first_chunk()) == Some(wanted);
    (0..bytes.len()).step_by(PLACES).filter(may).flat_map(|at| at..at + PLACES).filter(is)
}

/// Appends with exactly one write, on a line of its own. `size` is the present size of the file.
///
/// # Errors
///
/// The system's, or only a part was written.
pub fn write_line(file: &File, size: u64, text: &str) -> io::Result<()> {
    let mut last = [b'\n'];
    if size > 0 {
        file.read_at(&mut last, size - 1)?;
    }
    write_behind(file, last.first(), text)
}

/// As [`write_line`], behind the byte that the file ends with.
fn write_behind(mut file: &File, last: Option<&u8>, text: &str) -> io::Result<()> {
    let cut = last.is_some_and(|last| *last != b'\n');
    let whole = if cut { Cow::Owned(format!("\n{text}")) } else { Cow::Borrowed(text) };
    // The rest of a cut line would come after somebody else's.
    if file.write(whole.as_bytes())? == whole.len() { Ok(()) } else { Err(io::Error::other("only a part of the line could be written")) }
}

/// Takes the lock of a file. It is tried `tries` times, with a pause after each.
///
/// # Errors
///
/// [`io::ErrorKind::WouldBlock`] if another process keeps the lock, or the system's.
pub fn lock(file: &File, tries: u32, pause: Duration) -> io::Result<()> {
    for _ in 0..tries {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) => std::thread::sleep(pause),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    Err(io::ErrorKind::WouldBlock.into())
}

/// Puts the full file away. The caller has its lock. Who waits for that lock sees that the file is full, and finds the new one.
/// Who did not get it still appends to the old one, under its new name.
fn turn_over(folder: &Path, file: &File) -> bool {
    let path = name(folder, 0);
    let same = |other: fs::Metadata| file.metadata().is_ok_and(|own| (own.dev(), own.ino()) == (other.dev(), other.ino()));
    if !fs::metadata(&path).is_ok_and(same) {
        // Another process was faster; the new file is there.
        return true;
    }
    let (_, kept) = retention(folder);
    for age in ages(folder).into_iter().rev() {
        // Files that a policy no longer keeps go too.
        let _ = if age < kept { fs::rename(name(folder, age), name(folder, age + 1)) } else { fs::remove_file(name(folder, age)) };
    }
    true
}

#[cfg(test)]
#[path = "record_tests.rs"]
mod tests;
