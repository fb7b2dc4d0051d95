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
        let mut bytes = Vec::new();
        let read = fs::File::open(&own).and_then(|file| file.take(MAX_TOLD).read_to_end(&mut bytes));
        let _ = fs::remove_file(&own);
        if let Err(cut) = std::str::from_utf8(&bytes)
            && cut.error_len().is_none()
        {
            // The bound is inside a character.
            bytes.truncate(cut.valid_up_to());
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        read.ok().filter(|_| !text.trim().is_empty()).map(|_| text)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_cut_inside_a_character_is_shown_up_to_it() {
        let folder = std::env::temp_dir().join(format!("portcullis-pending-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let root = Path::new("/r");
        let most = usize::try_from(MAX_TOLD).expect("small");
        for text in ["é".repeat(most), format!("a{}", "é".repeat(most)), "short é".to_owned()] {
            fs::write(folder.join(name(root)), &text).expect("written");
            let told = take(std::slice::from_ref(&folder), root).expect("it waits");
            assert!(text.starts_with(&told) && told.len() + 2 > most.min(text.len()), "{}", told.len());
            assert_eq!(take(std::slice::from_ref(&folder), root), None);
        }
        fs::remove_dir_all(&folder).expect("removed");
    }
}
