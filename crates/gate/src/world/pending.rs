//! Text that waits for the model: a small file in the repository's memory. The cold binary writes it, and the next event
//! shows it once. While the file does not exist, a check costs one `stat`.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::state::folder_name;

/// The file of a work tree. All work trees share the memory, but each shows only its own text.
#[must_use]
pub fn name(root: &Path) -> String {
    format!("flywheel.pending.{}", folder_name(root))
}

/// The most bytes that are shown.
const MAX_TOLD: u64 = 8 << 10;

/// Takes the waiting text, so that no other event shows it. `None` if nothing waits.
#[must_use]
pub fn take(folders: &[PathBuf], root: &Path) -> Option<String> {
    let name = name(root);
    folders.iter().find_map(|folder| {
        let path = folder.join(&name);
        fs::symlink_metadata(&path).ok()?;
        // Of several processes one gets it: the name is gone for the others.
        let own = folder.join(format!(".{name}.{}", std::process::id()));
        fs::rename(&path, &own).ok()?;
        let mut text = String::new();
        let read = fs::File::open(&own).and_then(|file| file.take(MAX_TOLD).read_to_string(&mut text));
        let _ = fs::remove_file(&own);
        read.ok().filter(|_| !text.trim().is_empty()).map(|_| text)
    })
}
