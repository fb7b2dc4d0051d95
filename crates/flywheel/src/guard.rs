//! The guard of learnings files: lines can only be moved to the archive, or to another document of the same change. The texts
//! before and after are compared, so the way of writing does not matter.

use policy::verdict::{Answer, Finding};
use policy::{Flywheel, Tier};
use tests_first::{Changed, FileVersion};

/// The rule that protects learnings.
pub const RULE: &str = "learnings-lost";

/// The findings for changes that lose lines of learnings files or of the archive. `archived` is the present text of the
/// archive.
#[must_use]
pub fn judge(changes: &[Changed], archived: &str, section: &Flywheel) -> Vec<Finding> {
    let kept = |path: &str| path == section.archive || section.learnings.contains(&path);
    changes.iter().filter(|change| kept(&change.path)).filter_map(|change| lost(change, changes, archived, section)).collect()
}

fn lost(change: &Changed, changes: &[Changed], archived: &str, section: &Flywheel) -> Option<Finding> {
    let before = match &change.old {
        FileVersion::Absent => return None,
        FileVersion::Unknown => return Some(finding(change, section, None)),
        FileVersion::Known(text) => lines(text),
    };
    if before.is_empty() {
        return None;
    }
    let after = match &change.new {
        FileVersion::Unknown => return Some(finding(change, section, None)),
        FileVersion::Absent => Vec::new(),
        FileVersion::Known(text) => lines(text),
    };
    // Lines that were moved count as kept, wherever in the change they went.
    let mut kept: Vec<&str> = after;
    let archive_changes = changes.iter().any(|other| other.path == section.archive);
    if !archive_changes {
        kept.extend(lines(archived));
    }
    for other in changes.iter().filter(|other| other.path != change.path) {
        if let FileVersion::Known(text) = &other.new {
            kept.extend(lines(text));
        }
    }
    let gone = before.iter().filter(|line| !kept.contains(line)).count();
    (gone * 100 > before.len() * usize::from(section.shrink)).then(|| finding(change, section, Some((gone, before.len()))))
}

/// The lines that say something, without what a list or an indentation puts in front.
fn lines(text: &str) -> Vec<&str> {
    let bare = |line: &'_ str| -> bool { line.chars().any(char::is_alphanumeric) };
    text.lines().map(|line| line.trim().trim_start_matches(['-', '*', '>', '#', ' '])).filter(|line| bare(line)).collect()
}

fn finding(change: &Changed, section: &Flywheel, gone: Option<(usize, usize)>) -> Finding {
    let reason = match gone {
        Some((gone, of)) => format!("{gone} of {of} lines of `{}` would be lost: they are not in `{}`", change.path, section.archive),
        None => format!("the text of `{}` after the change is not known", change.path),
    };
    Finding {
        answer: if gone.is_some() { Answer::Yes } else { Answer::Maybe },
        unread: gone.is_none().then(|| change.path.clone()),
        reason,
        instead: format!("move the lines to `{}` first, or change the file with a tool that shows its text", section.archive),
        action: format!("write {}", change.path),
        ..Finding::of_section("flywheel", RULE, section.place, Tier::Supervised, section.shadow)
    }
}
