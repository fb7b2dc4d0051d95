//! The file of a limit: one slot for each call that it counts.
//!
//! A slot is 32 bytes and is written at once: key, session, time with state, checksum. 32 bytes never cross a page, so a kill
//! leaves the old slot or the new one. The file holds as many slots as calls ever counted at the same time, and no more.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use super::Damaged;
use crate::record::hash;

/// Bytes of a slot, and of the head in front of them.
const SLOT: usize = 32;
/// What the head begins with: what the file is, and the number of its form.
const MAGIC: &[u8; 16] = b"portcullis-slot1";
/// Where the state is in a time.
const STATE: u32 = 56;
/// How long a call counts that was let through and of whose end nothing is known, in milliseconds.
pub(super) const IN_FLIGHT: u64 = 600_000;

/// What is known of a counted call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SlotState {
    /// It was let through, and has not ended.
    Reserved = 1,
    /// It ran.
    Used,
    /// It did not run.
    GivenBack,
}

/// A counted call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CountedCall {
    pub(super) key: u64,
    pub(super) session: u64,
    /// Milliseconds since 1970.
    pub(super) time: u64,
    pub(super) state: SlotState,
}

impl CountedCall {
    /// Whether it takes a place at the time `now`, in a window of some milliseconds (0: without an end).
    pub(super) fn counts(&self, now: u64, window: u64) -> bool {
        let age = now.saturating_sub(self.time);
        let kept = match self.state {
            SlotState::Reserved => age < IN_FLIGHT,
            SlotState::Used => true,
            SlotState::GivenBack => false,
        };
        kept && (window == 0 || age < window)
    }

    fn pack(&self) -> [u8; SLOT] {
        let words = [self.key, self.session, self.time | ((self.state as u64) << STATE)];
        let mut bytes = [0; SLOT];
        let (front, sum) = bytes.split_at_mut(SLOT - 8);
        for (to, from) in front.iter_mut().zip(words.iter().flat_map(|word| word.to_le_bytes())) {
            *to = from;
        }
        sum.copy_from_slice(&hash(front).to_le_bytes());
        bytes
    }

    /// `None`: a place that was never used. An error: this file did not come from here.
    fn unpack(bytes: &[u8; SLOT]) -> Result<Option<Self>, Damaged> {
        if *bytes == [0; SLOT] {
            return Ok(None);
        }
        let (words, _) = bytes.as_chunks::<8>();
        let word = |at: usize| words.get(at).map_or(0, |word| u64::from_le_bytes(*word));
        let state = match word(2) >> STATE {
            1 => SlotState::Reserved,
            2 => SlotState::Used,
            3 => SlotState::GivenBack,
            _ => return Err(Damaged),
        };
        let whole = bytes.get(..SLOT - 8).is_some_and(|front| hash(front) == word(3));
        if whole { Ok(Some(Self { key: word(0), session: word(1), time: word(2) & ((1 << STATE) - 1), state })) } else { Err(Damaged) }
    }
}

/// An open file of slots.
#[derive(Debug)]
pub(super) struct Slots {
    file: File,
    /// Each place of the file. `None`: it was never used.
    pub(super) places: Vec<Option<CountedCall>>,
}

impl Slots {
    /// Opens the file, and reads all of it. With `make` it is made where it is missing; else `None`.
    ///
    /// # Errors
    ///
    /// The system's. The inner error: it is no file of slots.
    pub(super) fn open(path: &Path, make: bool) -> io::Result<Option<Result<Self, Damaged>>> {
        let Some((file, size)) = super::open_file(path, make)? else { return Ok(None) };
        if size == 0 {
            return Ok(Some(Ok(Self { file, places: Vec::new() })));
        }
        if size > SLOT * (2 * policy::Limit::MOST as usize + 1) {
            return Ok(Some(Err(Damaged)));
        }
        let mut bytes = vec![0; size];
        file.read_exact_at(&mut bytes, 0)?;
        let (slots, rest) = bytes.as_chunks::<SLOT>();
        let Some((head, slots)) = slots.split_first().filter(|(head, _)| head.starts_with(MAGIC) && rest.is_empty()) else { return Ok(Some(Err(Damaged))) };
        debug_assert_eq!(head.len(), SLOT);
        let places: Result<Vec<_>, Damaged> = slots.iter().map(CountedCall::unpack).collect();
        Ok(Some(places.map(|places| Self { file, places })))
    }

    /// Calls that count at the time `now`.
    pub(super) fn counted(&self, now: u64, window: u64) -> impl Iterator<Item = &CountedCall> {
        self.places.iter().flatten().filter(move |call| call.counts(now, window))
    }

    /// The time by which windows are reckoned: a clock that steps back opens none.
    pub(super) fn now(&self, clock: u64) -> u64 {
        self.places.iter().flatten().map(|call| call.time).max().map_or(clock, |newest| newest.max(clock))
    }

    /// Puts a call into its own place, else into one that no longer counts, else behind all others.
    ///
    /// # Errors
    ///
    /// The write's.
    pub(super) fn put(&mut self, call: CountedCall, now: u64, window: u64) -> io::Result<()> {
        let own = self.places.iter().position(|place| place.is_some_and(|known| known.key == call.key));
        let free = || self.places.iter().position(|place| place.is_none_or(|known| !known.counts(now, window)));
        let at = own.or_else(free).unwrap_or(self.places.len());
        if self.places.is_empty() {
            let mut head = [0; SLOT];
            for (to, from) in head.iter_mut().zip(MAGIC) {
                *to = *from;
            }
            self.file.write_all_at(&head, 0)?;
        }
        self.file.write_all_at(&call.pack(), (SLOT * (at + 1)) as u64)?;
        match self.places.get_mut(at) {
            Some(place) => *place = Some(call),
            None => self.places.push(Some(call)),
        }
        Ok(())
    }

    /// Changes the state of calls that `which` says yes to.
    ///
    /// # Errors
    ///
    /// The write's.
    pub(super) fn mark(&mut self, state: SlotState, which: impl Fn(&CountedCall) -> bool) -> io::Result<()> {
        for (at, place) in self.places.iter_mut().enumerate() {
            if let Some(call) = place.filter(|call| call.state != state && which(call)) {
                let changed = CountedCall { state, ..call };
                self.file.write_all_at(&changed.pack(), (SLOT * (at + 1)) as u64)?;
                *place = Some(changed);
            }
        }
        Ok(())
    }
}
