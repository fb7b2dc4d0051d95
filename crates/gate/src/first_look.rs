//! A first look at what `[tests-first]` judges. To judge a change, texts must be read as code, which the cold binary does; but
//! many changes are surely free, and that is seen here: what changes no file that the section speaks of, and files that are new
//! and either tests by their names or no code. In doubt it says nothing.

use std::fs;
use std::path::{Path, PathBuf};

use crate::world::system;
use actions::{Action, Change, Deed, Delete, Write};
use policy::TestsFirst;

/// Entries of a deleted folder that are looked at.
const MAX_ENTRIES: usize = 256;
/// Folders of which nothing is judged when they are deleted.
const NOT_JUDGED: [&str; 3] = ["node_modules", ".git", "target"];

/// Whether the section surely finds nothing in an action that writes or deletes what it speaks of.
#[must_use]
pub fn is_free(action: &Action, section: &TestsFirst) -> bool {
    match &action.deed {
        Deed::Write(write) => is_free_write(write, section),
        Deed::Delete(delete) => is_free_deletion(delete, section),
        _ => false,
    }
}

fn is_free_write(write: &Write, section: &TestsFirst) -> bool {
    match &write.change {
        // No text changes.
        Change::Attributes { .. } | Change::Tree(_) => true,
        // What is new weakens nothing, and only code needs a test.
        Change::Whole(_) => {
            let is_new = |path: &str| matches!(system::identity(Path::new(path)), Ok(None));
            write.path.word.literal().is_some_and(|path| section.is_test_or_no_code(path) && is_new(path))
        }
        _ => false,
    }
}

fn is_free_deletion(delete: &Delete, section: &TestsFirst) -> bool {
    let Some(path) = delete.path.word.literal().map(Path::new) else { return false };
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => !delete.recursive || holds_nothing(path, section),
        Ok(_) => false,
        Err(_) => matches!(system::identity(path), Ok(None)),
    }
}

/// Whether nothing that the section speaks of is below a folder.
fn holds_nothing(folder: &Path, section: &TestsFirst) -> bool {
    let mut left = vec![PathBuf::from(folder)];
    let mut seen = 0;
    while let Some(folder) = left.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { return false };
        for entry in entries {
            seen += 1;
            let Ok((entry, kind)) = entry.and_then(|entry| entry.file_type().map(|kind| (entry, kind))) else { return false };
            let (path, name) = (entry.path(), entry.file_name());
            if seen > MAX_ENTRIES || (!kind.is_dir() && path.to_str().is_none_or(|path| section.concerns(path))) {
                return false;
            }
            if kind.is_dir() && !NOT_JUDGED.iter().any(|known| name == *known) {
                left.push(path);
            }
        }
    }
    true
}
