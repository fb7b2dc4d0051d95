//! Which scripts a session wrote itself: they are judged like the call that runs them, not like what was there before.

use std::path::Path;

use super::Surroundings;
use super::store::{SCRIPTS, Slot, Store, VALUE};
use super::system::now_ms;
use crate::record::hash_all;
use actions::{Action, Change, Deed};

/// The files that these actions write anew, by their full paths. A change within a file that was there leaves it what it
/// was: it would make the whole script, which others wrote, the session's.
#[must_use]
pub fn files(actions: &[Action], around: &Surroundings) -> Vec<String> {
    let anew = |change: &Change, path: &str| match change {
        Change::Whole(_) => true,
        Change::Attributes { .. } => false,
        _ => Path::new(path).symlink_metadata().is_err(),
    };
    let mut files: Vec<String> = Vec::new();
    for action in actions.iter().filter(|action| !action.stored && !around.session.is_empty()) {
        if let Deed::Write(write) = &action.deed
            && let Some(path) = write.path.word.literal().filter(|path| !path.starts_with("/dev/"))
            && anew(&write.change, path)
        {
            files.push(path.to_owned());
        }
    }
    files
}

/// Remembers that the session wrote these files.
///
/// # Errors
///
/// What kept it from being remembered.
pub fn remember(files: &[String], around: &Surroundings) -> std::io::Result<()> {
    let mut store = Store::open(&around.memory, SCRIPTS)?;
    for file in files {
        let key = key(around, file);
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
