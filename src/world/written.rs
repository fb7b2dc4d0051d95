//! Which scripts a session wrote itself: they are judged like the call that runs them, not like what was there before.

use std::path::Path;

use super::Surroundings;
use super::store::{SCRIPTS, Slot, Store, VALUE};
use super::system::now_ms;
use actions::{Action, Change, Deed};
use crate::record::hash_all;

/// Remembers the files that these actions write anew. A change within a file that was there leaves it what it was: it
/// would make the whole script, which others wrote, the session's.
/// Error: what kept it from being remembered.
pub fn remember(actions: &[Action], around: &Surroundings) -> std::io::Result<()> {
    let anew = |change: &Change, path: &str| match change {
        Change::Whole(_) => true,
        Change::Attributes => false,
        _ => Path::new(path).symlink_metadata().is_err(),
    };
    let mut keys: Vec<u64> = Vec::new();
    for action in actions.iter().filter(|action| !action.stored && !around.session.is_empty()) {
        if let Deed::Write(write) = &action.deed
            && let Some(path) = write.path.word.literal().filter(|path| !path.starts_with("/dev/"))
            && anew(&write.change, path)
        {
            keys.push(key(around, path));
        }
    }
    if keys.is_empty() {
        return Ok(());
    }
    let mut store = Store::open(&around.memory, SCRIPTS)?;
    for key in keys {
        // One that is known is written anew, so that it does not give way.
        store.update(key, |_| Some(Slot { key, time: now_ms(), value: [0; VALUE] }))?;
    }
    Ok(())
}

/// Whether the session wrote this file.
#[must_use]
pub fn is_written(path: &str, around: &Surroundings) -> bool {
    !around.session.is_empty() && Store::look(&around.memory, SCRIPTS).is_some_and(|store| store.get(key(around, path)).is_some())
}

fn key(around: &Surroundings, path: &str) -> u64 {
    hash_all(&[&around.session, path])
}
