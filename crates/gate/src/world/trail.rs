//! The last calls of an agent and what came of them: a small file for each agent of a session, in the repository's memory.
//! Each record has its place in a ring and is written at once, with a checksum; a torn one is passed over.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::PathBuf;
use std::time::Duration;

use super::Surroundings;
use super::record::{in_first, lock};
use crate::record::{hash, hash_all};
use crate::stall::SeenCall;

/// Bytes of a record.
const RECORD: usize = 40;
/// Records in a file.
const PLACES: usize = 64;
/// A pipe in the place of the file must not be waited for.
const FLAGS: i32 = libc::O_NONBLOCK | libc::O_NOCTTY;
/// How often the lock is tried, and the pause between. What is lost then is one call of a row.
const TRIES: (u32, Duration) = (100, Duration::from_micros(500));
const FAILED: u64 = 1;
const CHANGED: u64 = 2;
const DENIED: u64 = 4;
/// Bits of a number that are flags.
const FLAG_BITS: u32 = 8;

fn name(around: &Surroundings) -> String {
    format!("trail.{:016x}.ring", hash_all(&[&around.session, &around.agent]))
}

/// The last calls of the agent, the oldest first.
#[must_use]
pub fn read(around: &Surroundings) -> Vec<SeenCall> {
    let name = name(around);
    let open = |folder: &PathBuf| OpenOptions::new().read(true).custom_flags(FLAGS).open(folder.join(&name)).ok();
    around.memory.iter().find_map(open).map_or_else(Vec::new, |file| calls(&file).into_iter().map(|(_, call)| call).collect())
}

/// Adds a call, and gives the whole trail with it.
///
/// # Errors
///
/// The last folder's, or another process keeps the lock for too long.
pub fn add(call: SeenCall, around: &Surroundings) -> io::Result<Vec<SeenCall>> {
    let name = name(around);
    in_first(&around.memory, |folder| {
        let path = folder.join(&name);
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).custom_flags(FLAGS).open(path)?;
        lock(&file, TRIES.0, TRIES.1)?;
        let mut known = calls(&file);
        let number = known.last().map_or(1, |(number, _)| number + 1);
        file.write_all_at(&pack(number, &call), number % PLACES as u64 * RECORD as u64)?;
        known.push((number, call));
        Ok(known.into_iter().map(|(_, call)| call).collect())
    })
}

/// Forgets the calls of the agent: a person spoke.
pub fn forget(around: &Surroundings) {
    let name = name(around);
    for folder in &around.memory {
        let _ = fs::remove_file(folder.join(&name));
    }
}

fn calls(file: &File) -> Vec<(u64, SeenCall)> {
    let mut bytes = vec![0; RECORD * PLACES];
    let length = file.read_at(&mut bytes, 0).unwrap_or(0);
    let (records, _) = bytes.get(..length).unwrap_or_default().as_chunks::<RECORD>();
    let mut calls: Vec<(u64, SeenCall)> = records.iter().filter_map(unpack).collect();
    calls.sort_unstable_by_key(|(number, _)| *number);
    calls
}

fn pack(number: u64, call: &SeenCall) -> [u8; RECORD] {
    let flag = |set: bool, bit: u64| if set { bit } else { 0 };
    let flags = flag(call.failed, FAILED) | flag(call.changed, CHANGED) | flag(call.denied, DENIED);
    let words = [call.input, call.result, call.time, number << FLAG_BITS | flags];
    let mut bytes = [0; RECORD];
    let (front, sum) = bytes.split_at_mut(RECORD - 8);
    for (to, from) in front.iter_mut().zip(words.iter().flat_map(|word| word.to_le_bytes())) {
        *to = from;
    }
    sum.copy_from_slice(&hash(front).to_le_bytes());
    bytes
}

fn unpack(bytes: &[u8; RECORD]) -> Option<(u64, SeenCall)> {
    let (words, _) = bytes.as_chunks::<8>();
    let word = |at: usize| words.get(at).map(|word| u64::from_le_bytes(*word));
    let (input, result, time, last) = (word(0)?, word(1)?, word(2)?, word(3)?);
    let whole = word(4)? == hash(bytes.get(..RECORD - 8)?) && last != 0;
    let is = |bit: u64| last & bit != 0;
    whole.then_some((last >> FLAG_BITS, SeenCall { input, result, time, failed: is(FAILED), changed: is(CHANGED), denied: is(DENIED) }))
}
