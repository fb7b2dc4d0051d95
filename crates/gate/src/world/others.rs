//! Which sessions work in a work tree: an empty file for each, whose time of change is that of its last prompt.

use std::fs;
use std::time::Duration;

use super::Surroundings;
use super::record::in_first;
use super::state::folder_name;
use crate::record::hash;

/// A session that gave no sign for so long does not count.
const QUIET: Duration = Duration::from_hours(1);

fn front(around: &Surroundings) -> String {
    format!("session.{}.", folder_name(around.tree()))
}

fn own(around: &Surroundings) -> String {
    format!("{}{:016x}", front(around), hash(around.session.as_bytes()))
}

/// This session is at work. Gives how long ago the others of this work tree gave a sign, the latest first.
#[must_use]
pub fn arrive(around: &Surroundings) -> Vec<Duration> {
    if around.session.is_empty() {
        return Vec::new();
    }
    let (own, front) = (own(around), front(around));
    // What cannot be written is not known to others.
    let _ = in_first(&around.memory, |folder| fs::write(folder.join(&own), b""));
    let entries = around.memory.iter().flat_map(|folder| fs::read_dir(folder).into_iter().flatten().flatten());
    let mut others = Vec::new();
    for entry in entries {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let quiet = entry.metadata().and_then(|found| found.modified()).ok().and_then(|time| time.elapsed().ok());
        match quiet.filter(|_| name.starts_with(&front) && *name != *own) {
            Some(quiet) if quiet < QUIET => others.push(quiet),
            Some(_) => drop(fs::remove_file(entry.path())),
            None => {}
        }
    }
    others.sort_unstable();
    others
}

/// This session has ended.
pub fn leave(around: &Surroundings) {
    let own = own(around);
    for folder in &around.memory {
        // It may be in another folder, or nowhere.
        let _ = fs::remove_file(folder.join(&own));
    }
}
