//! What Portcullis remembers of a repository between calls: records of one size in a file, found by a key.
//! The file is opened only when it is needed. The user of the store defines the content of a record.
//!
//! One writer at a time (`flock`, which the kernel gives back when a process dies); readers take no lock. A record is never
//! changed in place: the new one overwrites one that is no longer needed, and has a sequence number and a
//! checksum. So a kill at any point leaves the old record or the new one; a torn record is ignored.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::record::{in_first, lock};
use super::{below, system};
use crate::record::hash;

/// Bytes of a record on the disk: checksum, sequence, key, time, value.
const SLOT: usize = 64;
/// Bytes that are the user's.
pub const VALUE: usize = 32;
/// Records among which one with a key is looked for.
const BUCKET: u64 = 8;
/// How often a lock that another process holds is tried, and how long is waited in between: 200 ms in all, far below any
/// deadline. A process that is stopped with the lock must not stop the others.
const TRIES: u32 = 400;
/// As often where a verdict hangs on it: 2 s in all.
const PATIENT: u32 = 4000;
const PAUSE: Duration = Duration::from_micros(500);

/// A file of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreFile {
    /// Its name.
    pub name: &'static str,
    /// How many records it holds, a multiple of eight; then the oldest give way.
    pub slots: u64,
    /// How often its lock is tried.
    tries: u32,
}

/// Scripts that a session wrote; the key is of the session and the path.
pub const SCRIPTS: StoreFile = StoreFile { name: "scripts", slots: 2048, tries: TRIES };
/// Test runs that were seen to fail or to pass; the key is of what was run.
pub const TESTS: StoreFile = StoreFile { name: "tests", slots: 1024, tries: TRIES };

/// Notes of rules that a session was shown; the key is of the session and the rule.
pub const NOTES: StoreFile = StoreFile { name: "notes", slots: 1024, tries: TRIES };

/// Calls that limits and budgets speak of, with the files of these; the key is of the call.
pub const CALLS: StoreFile = StoreFile { name: "calls", slots: 2048, tries: PATIENT };

/// Answers of models that were counted, with what they cost; the key is of the answer.
pub const ANSWERS: StoreFile = StoreFile { name: "answers", slots: 32_768, tries: PATIENT };

/// Limits and budgets that a person raised for a time; the key is of the name.
pub const RAISES: StoreFile = StoreFile { name: "raises", slots: 256, tries: PATIENT };

/// Ticks, verdicts and reports that were seen to be written; the key is of the work tree, the need and the text.
pub const EVIDENCE: StoreFile = StoreFile { name: "evidence", slots: 4096, tries: PATIENT };

/// Scripts that a person lets count as they are; the key is of the path and the text.
pub const TRUSTED: StoreFile = StoreFile { name: "trusted", slots: 512, tries: PATIENT };
/// What must follow certain calls of a session; the key is of the session and the rule.
pub const OWED: StoreFile = StoreFile { name: "owed", slots: 512, tries: TRIES };

/// Uses of approvals by calls, until it is known what came of them; the key is of the call.
pub const APPROVED: StoreFile = StoreFile { name: "approved", slots: 256, tries: PATIENT };

/// When a session's last prompt came; the key is of the session.
pub const PROMPTS: StoreFile = StoreFile { name: "prompts", slots: 256, tries: TRIES };

/// A record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// What it is found by, and not 0; see [`crate::record::hash_all`].
    pub key: u64,
    /// Milliseconds since 1970.
    pub time: u64,
    pub value: [u8; VALUE],
}

/// A record in its place, with its sequence number.
#[derive(Clone, Copy, Debug)]
struct StoredRecord {
    at: u64,
    sequence: u64,
    slot: Slot,
}

/// An open file of records.
#[derive(Debug)]
pub struct Store {
    file: File,
    slots: u64,
    folder: PathBuf,
}

impl Store {
    /// Opens it to be changed, in the first of the folders that takes it; it is locked until it is dropped.
    ///
    /// # Errors
    ///
    /// The last folder's error, or [`io::ErrorKind::WouldBlock`] if another process keeps the lock.
    pub fn open(folders: &[PathBuf], kind: StoreFile) -> io::Result<Self> {
        in_first(folders, |folder| {
            let path = file_name(folder, kind);
            let file = system::open(&path, libc::O_RDWR | libc::O_CREAT | FLAGS, 0o600)?;
            lock(&file, kind.tries, PAUSE)?;
            Ok(Self { file, slots: kind.slots, folder: folder.to_path_buf() })
        })
    }

    /// Opens it for reading. `None` if it does not exist or cannot be read.
    #[must_use]
    pub fn look(folders: &[PathBuf], kind: StoreFile) -> Option<Self> {
        let open = |folder: &PathBuf| {
            let file = system::open(&file_name(folder, kind), libc::O_RDONLY | FLAGS, 0).ok()?;
            Some(Self { file, slots: kind.slots, folder: folder.clone() })
        };
        folders.iter().find_map(open)
    }

    /// The folder that it is in.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The newest record with this key.
    #[must_use]
    pub fn get(&self, key: u64) -> Option<Slot> {
        newest(&self.bucket(key), key).map(|placed| placed.slot)
    }

    /// The newest record of each key.
    #[must_use]
    pub fn all(&self) -> Vec<Slot> {
        let records = self.read(0, self.slots);
        records.iter().filter(|one| newest(&records, one.slot.key).is_some_and(|newest| newest.at == one.at)).map(|one| one.slot).collect()
    }

    /// Puts what `change` makes of the newest record with this key in its place; nothing if it makes nothing.
    /// Gives what it made.
    ///
    /// # Errors
    ///
    /// The write's.
    pub fn update(&mut self, key: u64, change: impl FnOnce(Option<Slot>) -> Option<Slot>) -> io::Result<Option<Slot>> {
        let bucket = self.bucket(key);
        let old = newest(&bucket, key);
        let Some(new) = change(old.map(|placed| placed.slot)) else { return Ok(None) };
        let new = Slot { key, ..new };
        let first = self.first_of(key);
        let sequence = bucket.iter().map(|placed| placed.sequence).max().unwrap_or(0) + 1;
        let free = (first..first + BUCKET).find(|at| !bucket.iter().any(|placed| placed.at == *at));
        // Then one that a newer record of its key has replaced, then the oldest; never the one that still counts.
        let replaced = bucket.iter().find(|placed| newest(&bucket, placed.slot.key).is_some_and(|newest| newest.at != placed.at)).map(|placed| placed.at);
        let oldest = || bucket.iter().filter(|placed| Some(placed.at) != old.map(|old| old.at)).min_by_key(|placed| placed.sequence).map(|placed| placed.at);
        let at = free.or(replaced).or_else(oldest).unwrap_or(first);
        self.write(at, sequence, new)?;
        Ok(Some(new))
    }

    fn first_of(&self, key: u64) -> u64 {
        key % (self.slots / BUCKET) * BUCKET
    }

    fn bucket(&self, key: u64) -> Vec<StoredRecord> {
        self.read(self.first_of(key), BUCKET)
    }

    /// The records from `first` on that are whole.
    fn read(&self, first: u64, count: u64) -> Vec<StoredRecord> {
        let mut bytes = vec![0; usize::try_from(count).unwrap_or(0) * SLOT];
        let mut length = 0;
        while length < bytes.len()
            && let Ok(more @ 1..) = self.file.read_at(bytes.get_mut(length..).unwrap_or(&mut []), first * SLOT as u64 + length as u64)
        {
            length += more;
        }
        let (slots, _) = bytes.get(..length).unwrap_or(&[]).as_chunks::<SLOT>();
        (first..).zip(slots).filter_map(|(at, slot)| unpack(slot).map(|(sequence, slot)| StoredRecord { at, sequence, slot })).collect()
    }

    fn write(&self, at: u64, sequence: u64, slot: Slot) -> io::Result<()> {
        self.file.write_all_at(&pack(sequence, slot), at * SLOT as u64)
    }
}

fn file_name(folder: &Path, kind: StoreFile) -> PathBuf {
    below(folder, &[kind.name, ".store"].concat())
}

/// A pipe in the place of the file must not be waited for.
const FLAGS: i32 = libc::O_NONBLOCK | libc::O_NOCTTY;

fn newest(placed: &[StoredRecord], key: u64) -> Option<StoredRecord> {
    placed.iter().filter(|placed| placed.slot.key == key).max_by_key(|placed| placed.sequence).copied()
}

fn pack(sequence: u64, slot: Slot) -> [u8; SLOT] {
    let mut bytes = [0; SLOT];
    let (sum, rest) = bytes.split_at_mut(8);
    for (to, from) in rest.iter_mut().zip([sequence, slot.key, slot.time].iter().flat_map(|word| word.to_le_bytes()).chain(slot.value)) {
        *to = from;
    }
    sum.copy_from_slice(&hash(rest).to_le_bytes());
    bytes
}

/// A record and its sequence number. `None` if its checksum is not right, as that of an empty place.
fn unpack(bytes: &[u8; SLOT]) -> Option<(u64, Slot)> {
    let (words, _) = bytes.as_chunks::<8>();
    let word = |at: usize| words.get(at).map(|word| u64::from_le_bytes(*word));
    let (sum, rest) = bytes.split_at_checked(8)?;
    let whole = sum == hash(rest).to_le_bytes() && word(1)? > 0;
    let value = rest.get(24..).and_then(|value| value.try_into().ok())?;
    whole.then_some((word(1)?, Slot { key: word(2)?, time: word(3)?, value }))
}

#[cfg(test)]
#[path = "store_tests.rs"]
mod tests;
