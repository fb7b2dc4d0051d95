//! Text that waits for the model: a small file in the repository's memory. Suggestions for documents wait for whichever
//! event comes next, notes of rules for the next one of their session. The next event shows them once. While the file does
//! not exist, a check costs one `stat`.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::Surroundings;
use super::record::{in_first, open, write_line};
use super::state::folder_name;
use super::store::{NOTES, Slot, Store, VALUE};
use super::system::now_ms;
use crate::record::{hash, hash_all};

/// The file of a work tree. All work trees share the memory, but each shows only its own text.
#[must_use]
pub fn name(root: &Path) -> String {
    format!("flywheel.pending.{}", folder_name(root))
}

/// The most bytes that are shown.
const MAX_TOLD: u64 = 8 << 10;

/// What a line of one session begins with. Behind it are the session and the time, sixteen digits each.
const OF_SESSION: char = '\u{1}';
/// Milliseconds after which a line of another session is dropped: that session has ended.
const KEPT: u64 = 3_600_000;

/// Leaves a text for whichever event comes next in a work tree.
///
/// # Errors
///
/// The last folder's, if none took it.
pub fn leave(folders: &[PathBuf], root: &Path, text: &str) -> io::Result<()> {
    in_first(folders, |folder| {
        let file = open(&folder.join(name(root)))?;
        let size = file.metadata()?.len();
        write_line(&file, size, &format!("{text}\n"))
    })
}

/// Leaves the note of a rule for the next event of this session, if the session was not shown it yet.
///
/// # Errors
///
/// What kept it from being left.
pub fn tell(rule: &str, text: &str, around: &Surroundings) -> io::Result<()> {
    let key = hash_all(&[&around.session, rule]);
    if around.session.is_empty() || Store::look(&around.memory, NOTES).is_some_and(|store| store.get(key).is_some()) {
        return Ok(());
    }
    let new = |old: Option<Slot>| if old.is_none() { Some(Slot { key, time: now_ms(), value: [0; VALUE] }) } else { None };
    // Of two calls at once, one leaves it.
    if Store::open(&around.memory, NOTES)?.update(key, new)?.is_none() {
        return Ok(());
    }
    leave(&around.memory, around.tree(), &format!("{OF_SESSION}{:016x}{:016x}{text}", hash(around.session.as_bytes()), now_ms()))
}

/// What this session is shown of a waiting text, and the lines that other sessions wait for.
fn shares(text: &str, session: &str) -> (String, String) {
    let own = hash(session.as_bytes());
    let (mut shown, mut others) = (Vec::new(), Vec::new());
    for line in text.lines() {
        let parts = line.strip_prefix(OF_SESSION).and_then(|rest| Some((rest.get(..16)?, rest.get(16..32)?, rest.get(32..)?)));
        match parts {
            None => shown.push(line),
            Some((of, time, note)) => match [of, time].map(|digits| u64::from_str_radix(digits, 16).unwrap_or(0)) {
                [of, _] if of == own => shown.push(note),
                [_, time] if now_ms().saturating_sub(time) < KEPT => others.push(line),
                _ => {}
            },
        }
    }
    (shown.join("\n"), others.join("\n"))
}

/// Takes the waiting text for this session, so that no other event shows it. `None` if nothing waits for it.
#[must_use]
pub fn take(folders: &[PathBuf], root: &Path, session: &str) -> Option<String> {
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
        read.ok()?;
        let (shown, others) = shares(&text, session);
        if !others.is_empty() {
            let _ = leave(std::slice::from_ref(folder), root, &others);
        }
        (!shown.trim().is_empty()).then_some(shown)
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
            let told = take(std::slice::from_ref(&folder), root, "s").expect("it waits");
            assert!(text.starts_with(&told) && told.len() + 2 > most.min(text.len()), "{}", told.len());
            assert_eq!(take(std::slice::from_ref(&folder), root, "s"), None);
        }
        fs::remove_dir_all(&folder).expect("removed");
    }

    #[test]
    fn each_session_takes_its_own_lines_and_those_for_all() {
        let folder = std::env::temp_dir().join(format!("portcullis-shares-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let (folders, root) = ([folder.clone()], Path::new("/r"));
        let line = |session: &str, ago: u64, text: &str| format!("{OF_SESSION}{:016x}{:016x}{text}", hash(session.as_bytes()), now_ms() - ago);
        leave(&folders, root, "for all\nof them").expect("left");
        leave(&folders, root, &line("one", 0, "for one")).expect("left");
        leave(&folders, root, &line("two", 0, "for two")).expect("left");
        leave(&folders, root, &line("gone", 2 * KEPT, "too old")).expect("left");
        assert_eq!(take(&folders, root, "one").as_deref(), Some("for all\nof them\nfor one"));
        assert_eq!(take(&folders, root, "three"), None);
        assert_eq!(take(&folders, root, "two").as_deref(), Some("for two"));
        assert_eq!(take(&folders, root, "two"), None);
        assert!(fs::read_dir(&folder).expect("a folder").next().is_none());
        fs::remove_dir_all(&folder).expect("removed");
    }
}
