//! What a write brings into a file: `adds`, `secret`, `conflict`, `names_home`. What the file holds already, and what goes
//! where the new text comes, is not brought in. Text that is not known never matches: what it brings is seen at the commit.

use super::{Asking, text};
use crate::facts::{Known, Need, Places};
use crate::{FileWhen, secret::find, verdict::Answer};
use actions::{Change, Write};

/// Whether a table asks for the text at all.
pub(super) fn is_asked(table: &FileWhen) -> bool {
    !table.adds.is_empty() || !table.secret.is_empty() || table.conflict.is_some() || table.names_home.is_some()
}

pub(super) fn brought(table: &FileWhen, write: &Write, asking: &mut Asking) -> Answer {
    // Texts are long, and while something else is to be found out this is asked again anyway. What is copied has no text yet.
    let is_copied = matches!(write.change, Change::Copy { .. } | Change::Edited(_));
    if !asking.needs.is_empty() && !is_copied {
        asking.put_off = true;
        return Answer::Maybe;
    }
    let texts = texts(&write.change);
    let mut answer = Answer::Yes;
    if !table.adds.is_empty() {
        answer = answer.min(texts.iter().any(|(text, old)| adds(table, text) && !held(table, write, text, old, asking)).into());
        if asking.put_off {
            return Answer::Maybe;
        }
    }
    if answer != Answer::No && !table.secret.is_empty() {
        let written = texts.iter().any(|(text, old)| secret(table, write, text, old, asking));
        answer = answer.min(if written { Answer::Yes } else { arrives(table, write, asking) });
    }
    answer = answer.and_as(table.conflict, || {
        texts.iter().any(|(text, old)| conflict(text).is_some_and(|marks| !old.contains(marks) && !holds(write, marks, asking))).into()
    });
    let homes = &asking.facts.places.homes;
    answer.and_as(table.names_home, || texts.iter().any(|(text, old)| names_home(homes, text) && !names_home(homes, old)).into())
}

/// The texts that a change brings in, each with what goes in its place where that is known.
pub(crate) fn texts(change: &Change) -> Vec<(&str, &str)> {
    match change {
        Change::Whole(text) | Change::Append(text) => vec![(text, "")],
        Change::Patch { added, removed } => vec![(added, removed)],
        Change::Edits(edits) => edits.iter().map(|(old, new, _)| (new.as_str(), old.as_str())).collect(),
        // What an editing program brings in is in its program text.
        Change::Edited(edited) => vec![(&edited.script, "")],
        Change::Attributes { .. } | Change::Tree(_) | Change::Copy { .. } | Change::AppendUnknown | Change::Unknown => Vec::new(),
    }
}

/// Whether a secret comes from another file: for certain if its whole text does.
fn arrives(table: &FileWhen, write: &Write, asking: &mut Asking) -> Answer {
    let (sources, most) = match &write.change {
        Change::Copy { from, .. } => (std::slice::from_ref(from), Answer::Yes),
        Change::Edited(edited) => (edited.from.as_slice(), Answer::Maybe),
        _ => return Answer::No,
    };
    let facts = asking.facts;
    let mut answer = Answer::No;
    for source in sources {
        let need = Need::Text(source.clone());
        match facts.of(&need) {
            None => {
                asking.needs.insert(need);
                asking.put_off = true;
                return Answer::Maybe;
            }
            Some(Known::Text(text)) if secret(table, write, text, "", asking) => {
                // What is in a file that git takes is not news to the repository.
                let news = if is_apart(source, &facts.places) { Answer::Yes } else { asking.holds(Need::Ignored(source.clone())) };
                answer = answer.max(most.min(news));
            }
            Some(_) => {}
        }
    }
    answer
}

/// Whether a file is outside of the repository, or has a hidden name, as files for secrets do.
fn is_apart(path: &str, places: &Places) -> bool {
    let inside = |root: &String| path.strip_prefix(root.as_str()).is_some_and(|rest| rest.starts_with('/'));
    !places.roots.iter().any(inside) || path.rsplit('/').next().is_some_and(|name| name.starts_with('.'))
}

/// Whether the file is known to hold this text before the change.
fn holds(write: &Write, text: &str, asking: &mut Asking) -> bool {
    let Some(path) = write.path.word.literal() else { return false };
    matches!(asking.known(Need::Holds(path.to_owned(), text.to_owned())), Some(Known::Is(true, _)))
}

fn adds(table: &FileWhen, text: &str) -> bool {
    if !table.adds.iter().any(|pattern| text::text(pattern, text)) {
        return false;
    }
    // `unless` spares a line, so with it the search goes line by line.
    table.unless.is_empty()
        || text.lines().any(|line| table.adds.iter().any(|pattern| text::text(pattern, line)) && !table.unless.iter().any(|pattern| text::text(pattern, line)))
}

/// Whether all that `adds` finds was there before: in what the edit replaces, or in the file of which the whole text is
/// written anew. A line counts as often as it is there.
fn held(table: &FileWhen, write: &Write, text: &str, old: &str, asking: &mut Asking) -> bool {
    let whole = matches!(write.change, Change::Whole(_));
    let Some(path) = write.path.word.literal().filter(|_| whole) else { return !old.is_empty() && !adds_more(table, text, old) };
    let need = Need::Text(path.to_owned());
    match asking.facts.of(&need) {
        None => {
            asking.needs.insert(need);
            asking.put_off = true;
            true
        }
        Some(Known::Text(before)) => !adds_more(table, text, before),
        Some(_) => false,
    }
}

/// Whether `adds` finds a line more often than before, or finds more than a line where it found nothing.
fn adds_more(table: &FileWhen, text: &str, old: &str) -> bool {
    let finds = |line: &&str| adds(table, line);
    let bare = |line| str::trim_end_matches(str::trim(line), ',');
    let mut before: Vec<&str> = old.lines().filter(finds).map(bare).collect();
    let mut single = false;
    for line in text.lines().filter(finds) {
        single = true;
        match before.iter().position(|known| *known == bare(line)) {
            Some(at) => before.swap_remove(at),
            None => return true,
        };
    }
    !single && !adds(table, old)
}

fn secret(table: &FileWhen, write: &Write, text: &str, old: &str, asking: &mut Asking) -> bool {
    // Several rules ask for the secrets of one text; it is searched once. Texts stay where they are while actions do.
    let place = (text.as_ptr().addr(), text.len());
    if !asking.secrets.iter().any(|(known, _)| *known == place) {
        asking.secrets.push((place, find(text)));
    }
    let found = asking.secrets.iter().find(|(known, _)| *known == place).map(|(_, found)| found.clone()).unwrap_or_default();
    let mut brought = false;
    for found in found.iter().filter(|found| table.secret.contains(&found.confidence)) {
        let secret = text.get(found.range.clone()).unwrap_or("");
        if !old.contains(secret) && !holds(write, secret, asking) {
            let told = format!("{}: `{}`", found.kind, found.shown(text));
            if !asking.told.contains(&told) {
                asking.told.push(told);
            }
            brought = true;
        }
    }
    brought
}

/// From the first mark of a merge to the last, each on a line of its own; what is in a fence of Markdown is an example.
fn conflict(text: &str) -> Option<&str> {
    const MARKS: [&str; 3] = ["<<<<<<<", "=======", ">>>>>>>"];
    // One sign is found faster than seven.
    let (first, _) = text.match_indices('<').find(|(at, _)| text.get(*at..).is_some_and(|rest| rest.starts_with(MARKS[0])))?;
    let (mut fenced, mut next, mut start, mut at) = (false, 0, 0, 0);
    for line in text.split_inclusive('\n') {
        let (begin, bare) = (at, line.trim_end());
        at += line.len();
        fenced ^= bare.trim_start().starts_with("```") || bare.trim_start().starts_with("~~~");
        if fenced || begin + line.len() <= first {
            continue;
        }
        let rest = bare.strip_prefix(MARKS.get(next)?);
        if rest.is_some_and(|rest| rest.is_empty() || (rest.starts_with(' ') && next != 1)) {
            start = if next == 0 { begin } else { start };
            next += 1;
        }
        if next == MARKS.len() {
            return text.get(start..at);
        }
    }
    None
}

/// Whether a text names one of the homes, and not only a folder whose name begins like it.
fn names_home(homes: &[String], text: &str) -> bool {
    let inside = |next: Option<&u8>| next.is_some_and(|next| next.is_ascii_alphanumeric() || b"_-.".contains(next));
    // `/root` is everybody's.
    homes
        .iter()
        .filter(|home| home.matches('/').count() > 1)
        .any(|home| text.match_indices(home.as_str()).any(|(at, _)| !inside(text.as_bytes().get(at + home.len()))))
}
