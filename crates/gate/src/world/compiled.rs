//! The compiled policy of a repository as a file, of which a call reads only the pieces that it needs.
//!
//! It is not mapped. A look-up reads some ten short pieces, which costs less than the page faults of a mapping; a file that is
//! cut meanwhile gives a short read in place of a signal; and nothing borrows from memory that others may change.

use std::borrow::Cow;
use std::fs::File;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{state, system};
use crate::failure::Failure;
use actions::wire::{Pieces, ReadsPieces};
use policy::Policy;

/// The compiled policy that applies to a call.
#[derive(Debug)]
pub enum CompiledPolicy<'f> {
    /// The built-in one, or one that was read and checked as a whole.
    Memory(Cow<'static, [u8]>),
    /// One that is read piece by piece, and what was read of it when it was opened.
    File(&'f PolicyFile, Box<Policy<'f>>),
}

/// Bytes that are read at a time, where less is wanted, and those of the first piece: the front is read on each call.
const BLOCK: usize = 1024;
const FIRST: usize = 4096;

/// A compiled policy that is open.
#[derive(Debug)]
pub struct PolicyFile {
    file: File,
    damaged: AtomicBool,
    /// Pieces that were read, and where they are.
    pieces: Mutex<Vec<(usize, &'static [u8])>>,
}

impl CompiledPolicy<'_> {
    /// The policy.
    ///
    /// # Errors
    ///
    /// [`Failure::PolicyDamaged`]
    pub fn open(&self) -> Result<Cow<'_, Policy<'_>>, Failure> {
        match self {
            Self::Memory(bytes) => Policy::open(bytes).map(Cow::Owned).ok_or(Failure::PolicyDamaged),
            Self::File(_, policy) => Ok(Cow::Borrowed(policy)),
        }
    }

    /// True if no piece that was read so far was damaged.
    #[must_use]
    pub fn is_intact(&self) -> bool {
        !matches!(self, Self::File(file, _) if file.damaged.load(Ordering::Relaxed))
    }
}

impl PolicyFile {
    /// Opens the compiled policy of the repository around `root`. `None` if this user wrote no such file.
    #[must_use]
    pub fn open(states: &[PathBuf], root: &Path) -> Option<Self> {
        let flags = libc::O_RDONLY | libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_NOCTTY;
        let file = state::policy_places(states).find_map(|state| system::open(&state::file_name(&state, root, state::POLICY), flags, 0).ok())?;
        let found = file.metadata().ok()?;
        (found.is_file() && found.uid() == system::user()).then(|| Self { file, damaged: AtomicBool::new(false), pieces: Mutex::default() })
    }

    /// The policy in it. `None` if it holds something else, or its head is damaged.
    pub fn policy(&self) -> Option<CompiledPolicy<'_>> {
        Policy::of(Pieces::Apart(self)).map(|policy| CompiledPolicy::File(self, Box::new(policy)))
    }
}

impl ReadsPieces for PolicyFile {
    fn read(&self, at: usize, length: usize) -> Option<&[u8]> {
        // More than any piece has. A damaged length must not take all memory.
        if length > state::MAX_BYTES {
            return None;
        }
        let mut pieces = self.pieces.lock().ok()?;
        let within = |place: usize, piece: &'static [u8]| piece.get(at.checked_sub(place)?..)?.get(..length);
        if let Some(known) = pieces.iter().find_map(|(place, piece)| within(*place, piece)) {
            return Some(known);
        }
        // Short pieces are near each other: an entry of a directory, the front of a record and the record.
        let block = at - at % BLOCK;
        let wanted = match at.saturating_add(length) {
            ..=FIRST => (0, FIRST),
            end if end <= block + BLOCK => (block, BLOCK),
            _ => (at, length),
        };
        // The process judges one call and ends.
        let piece: &'static [u8] = system::read_at(&self.file, wanted.0, wanted.1)?.leak();
        pieces.push((wanted.0, piece));
        within(wanted.0, piece)
    }

    fn found_damaged(&self) {
        self.damaged.store(true, Ordering::Relaxed);
    }
}
