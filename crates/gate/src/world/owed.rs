//! Calls that must follow others before a turn ends: what a session still owes.

use std::io;

use super::Surroundings;
use super::store::{OWED, Slot, Store, VALUE};
use super::system::now_ms;
use crate::record::hash_all;

/// The first byte of a record.
const FOLLOWED: u8 = 0;
const DUE: u8 = 1;
const REMINDED: u8 = 2;

fn put(name: &str, state: u8, around: &Surroundings) -> io::Result<()> {
    let mut value = [0; VALUE];
    if let Some(first) = value.first_mut() {
        *first = state;
    }
    let key = hash_all(&[&around.session, name]);
    Store::open(&around.memory, OWED)?.update(key, |_| Some(Slot { key, time: now_ms(), value })).map(|_| ())
}

fn state(name: &str, around: &Surroundings) -> u8 {
    let found = Store::look(&around.memory, OWED).and_then(|store| store.get(hash_all(&[&around.session, name])));
    found.and_then(|slot| slot.value.first().copied()).unwrap_or(FOLLOWED)
}

/// Something must follow.
///
/// # Errors
///
/// It cannot be kept.
pub fn owe(name: &str, around: &Surroundings) -> io::Result<()> {
    put(name, DUE, around)
}

/// It followed.
///
/// # Errors
///
/// It cannot be kept.
pub fn followed(name: &str, around: &Surroundings) -> io::Result<()> {
    if state(name, around) == FOLLOWED { Ok(()) } else { put(name, FOLLOWED, around) }
}

/// Whether something must still follow of which the session was not reminded; it is now.
#[must_use]
pub fn remind(name: &str, around: &Surroundings) -> bool {
    state(name, around) == DUE && put(name, REMINDED, around).is_ok()
}

/// Milliseconds after which a remark is made again.
const AGAIN: u64 = 3_600_000;

/// Whether a remark was not made to this session for some time; it is now.
#[must_use]
pub fn is_new(name: &str, around: &Surroundings) -> bool {
    let key = hash_all(&[&around.session, name]);
    let found = Store::look(&around.memory, OWED).and_then(|store| store.get(key));
    found.is_none_or(|slot| now_ms().saturating_sub(slot.time) > AGAIN) && put(name, FOLLOWED, around).is_ok()
}

/// Whether anything was ever owed here.
#[must_use]
pub fn any(around: &Surroundings) -> bool {
    Store::look(&around.memory, OWED).is_some()
}
