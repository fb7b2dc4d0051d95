//! The file of a budget: what was spent, and what calls that have not ended may still cost.
//!
//! It has two halves. A change is written to the half that does not count, in one write with a checksum and a higher sequence
//! number, and counts from then on. A kill at any point leaves the state before the change or after it.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use super::Damaged;
use super::slots::IN_FLIGHT;
use crate::record::hash;

/// Bytes of a half.
const HALF: usize = 4096;
/// What a half begins with: what the file is, and the number of its form.
const MAGIC: &[u8; 8] = b"pcledge1";
/// Words in front of the reserved amounts: magic, checksum, sequence, spent, count.
const HEAD: usize = 5;
/// Calls that can be under way at once.
const MOST: usize = (HALF / 8 - HEAD) / 4;

/// What a call that has not ended may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ReservedCost {
    pub(super) key: u64,
    pub(super) session: u64,
    /// Milliseconds since 1970.
    pub(super) time: u64,
    /// Millionths of a US dollar.
    pub(super) micro: u64,
}

/// An open file of a budget. Amounts are in millionths of a US dollar.
#[derive(Debug)]
pub(super) struct Ledger {
    file: File,
    sequence: u64,
    /// What calls cost that have ended.
    pub(super) spent: u64,
    pub(super) reserved: Vec<ReservedCost>,
}

impl Ledger {
    /// Opens the file. With `make` it is made where it is missing; else `None`.
    ///
    /// # Errors
    ///
    /// The system's. The inner error: neither half is what was written.
    pub(super) fn open(path: &Path, make: bool) -> io::Result<Option<Result<Self, Damaged>>> {
        let Some((file, size)) = super::open_file(path, make)? else { return Ok(None) };
        if size == 0 {
            return Ok(Some(Ok(Self { file, sequence: 0, spent: 0, reserved: Vec::new() })));
        }
        if size > 2 * HALF {
            return Ok(Some(Err(Damaged)));
        }
        let mut bytes = vec![0; size];
        file.read_exact_at(&mut bytes, 0)?;
        let (halves, _) = bytes.as_chunks::<HALF>();
        let newest = halves.iter().filter_map(unpack).max_by_key(|(sequence, ..)| *sequence);
        Ok(Some(newest.map(|(sequence, spent, reserved)| Self { file, sequence, spent, reserved }).ok_or(Damaged)))
    }

    /// Forgets calls of whose end nothing is known for a long time.
    pub(super) fn expire(&mut self, now: u64) {
        self.reserved.retain(|call| now.saturating_sub(call.time) < IN_FLIGHT);
    }

    /// Reserves an amount. False: too many calls are under way.
    pub(super) fn reserve(&mut self, call: ReservedCost) -> bool {
        self.reserved.retain(|known| known.key != call.key);
        let fits = self.reserved.len() < MOST;
        if fits {
            self.reserved.push(call);
        }
        fits
    }

    /// Adds what was spent.
    pub(super) fn spend(&mut self, micro: u64) {
        self.spent = self.spent.saturating_add(micro);
    }

    /// Writes the state.
    ///
    /// # Errors
    ///
    /// The write's.
    pub(super) fn keep(&mut self) -> io::Result<()> {
        self.sequence += 1;
        let count = self.reserved.len() as u64;
        let calls = self.reserved.iter().flat_map(|call| [call.key, call.session, call.time, call.micro]);
        let words = [self.sequence, self.spent, count].into_iter().chain(calls);
        let mut bytes = vec![0; HALF];
        for (to, from) in bytes.iter_mut().skip(16).zip(words.flat_map(u64::to_le_bytes)) {
            *to = from;
        }
        let sum = hash(bytes.get(16..).unwrap_or_default());
        for (to, from) in bytes.iter_mut().zip(MAGIC.iter().copied().chain(sum.to_le_bytes())) {
            *to = from;
        }
        self.file.write_all_at(&bytes, if self.sequence.is_multiple_of(2) { 0 } else { HALF as u64 })
    }
}

/// Sequence, spent, reserved. `None`: it was never written, or not to its end.
fn unpack(half: &[u8; HALF]) -> Option<(u64, u64, Vec<ReservedCost>)> {
    let (words, _) = half.as_chunks::<8>();
    let word = |at: usize| words.get(at).map(|word| u64::from_le_bytes(*word));
    let whole = half.starts_with(MAGIC) && word(1)? == hash(half.get(16..)?);
    let count = usize::try_from(word(4)?).ok().filter(|count| *count <= MOST && whole)?;
    let call = |at: usize| Some(ReservedCost { key: word(at)?, session: word(at + 1)?, time: word(at + 2)?, micro: word(at + 3)? });
    let reserved = (0..count).map(|at| call(HEAD + 4 * at)).collect::<Option<_>>()?;
    Some((word(2)?, word(3)?, reserved))
}
