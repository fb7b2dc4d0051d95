//! The inbox and the archive as Markdown: suggestions to text and back. What a person writes around them stays as it is.

use std::fmt::Write as _;
use std::ops::Range;

use super::{Suggestion, SuggestionKind, line};

/// What a new inbox begins with.
pub const INBOX: &str = "\
# Documentation suggestions

`portcullis flywheel` lists here what the work of agents showed and no document says yet. If an entry is true, write it
into the document named, in your own words, and commit that. The entry is then resolved and moves to the archive by
itself. `portcullis flywheel drop ID` drops an entry.
";

/// What a new archive begins with.
pub const ARCHIVE: &str = "\
# Resolved documentation suggestions

Suggestions of `portcullis flywheel` that are resolved, each with the commit or the person that resolved it.
";

/// The trailer by which a commit says that it answers a suggestion.
pub const TRAILER: &str = "Flywheel-Suggestion:";

/// An entry of the inbox, with its place in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboxEntry {
    pub suggestion: Suggestion,
    pub span: Range<usize>,
}

/// An entry.
#[must_use]
pub fn render(one: &Suggestion) -> String {
    let mut text = format!("\n## {}\n\n`{}` {} · {} UTC · for `{}`\n", one.reason, one.id, one.kind.name(), moment(one.time), one.target);
    if !one.evidence.is_empty() {
        text.push('\n');
    }
    for evidence in &one.evidence {
        let _ = writeln!(text, "- {evidence}");
    }
    if !one.paste.is_empty() {
        let _ = write!(text, "\n> {}\n", one.paste);
    }
    text
}

/// An entry of the archive: the entry of the inbox, with the notes of a person, and how it ended.
#[must_use]
pub fn ended(one: &Suggestion, inbox: &str, how: &str) -> String {
    let placed = parse(inbox).into_iter().find(|placed| placed.suggestion.id == one.id);
    let stood = placed.and_then(|placed| inbox.get(placed.span)).map(|text| format!("\n{}\n", text.trim_end().replace('\r', "")));
    format!("{}\nEnded: {}\n", stood.unwrap_or_else(|| render(one)), line(how))
}

/// The entries of an inbox. Other headings and their text are skipped.
#[must_use]
pub fn parse(text: &str) -> Vec<InboxEntry> {
    let mut starts: Vec<usize> = Vec::new();
    let mut at = 0;
    for row in text.split_inclusive('\n') {
        if row.starts_with("## ") || row.starts_with("# ") {
            starts.push(at);
        }
        at += row.len();
    }
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    starts
        .iter()
        .zip(ends)
        .filter_map(|(start, end)| {
            let suggestion = entry(text.get(*start..end)?)?;
            // The blank line in front of the next one is that one's.
            let block = text.get(*start..end)?;
            let own = block.trim_end_matches(['\n', '\r']).len();
            Some(InboxEntry { suggestion, span: *start..(start + own + usize::from(own < block.len())) })
        })
        .collect()
}

/// The text without an entry.
#[must_use]
pub fn without(text: &str, ids: &[&str]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for placed in parse(text).iter().filter(|placed| ids.contains(&placed.suggestion.id.as_str())) {
        let before = text.get(at..placed.span.start).unwrap_or("");
        // An entry is written with a blank line in front.
        out.push_str(if before.ends_with("\n\n") { before.get(..before.len() - 1).unwrap_or("") } else { before });
        at = placed.span.end;
    }
    out.push_str(text.get(at..).unwrap_or(""));
    out
}

/// A commit's message with trailers: in its last paragraph where that is of trailers, in one of its own else, in front of
/// what git will cut away (git-interpret-trailers(1)).
#[must_use]
pub fn trailed(message: &str, ids: &[&str]) -> String {
    let end = message.find("\n#").map_or(message.len(), |at| at + 1);
    let end = if message.starts_with('#') { 0 } else { end };
    let (said, rest) = message.split_at(end);
    let body = said.trim_end();
    let last = body.rsplit("\n\n").next().unwrap_or("");
    let is_trailer = |line: &str| line.split_once(": ").is_some_and(|(key, _)| !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || c == '-'));
    // A subject alone may look like one.
    let gap = if body.contains("\n\n") && last.lines().all(is_trailer) { "\n" } else { "\n\n" };
    let lines: Vec<String> = ids.iter().map(|id| format!("{TRAILER} {id}")).collect();
    let after = if rest.is_empty() { "\n" } else { "\n\n" };
    format!("{body}{gap}{}{after}{rest}", lines.join("\n"))
}

fn entry(block: &str) -> Option<Suggestion> {
    let mut rows = block.lines().map(str::trim_end).filter(|row| !row.is_empty());
    let reason = rows.next()?.strip_prefix("## ")?.to_owned();
    let head = rows.next()?.strip_prefix('`')?;
    let (id, head) = head.split_once("` ")?;
    let mut parts = head.splitn(3, " · ");
    let kind = SuggestionKind::named(parts.next()?)?;
    let time = time_of(parts.next()?.strip_suffix(" UTC")?)?;
    let target = parts.next()?.strip_prefix("for `")?.strip_suffix('`')?;
    if id.len() != 10 || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut one = Suggestion { id: id.to_owned(), time, kind, target: target.to_owned(), reason, evidence: Vec::new(), paste: String::new() };
    for row in rows {
        match (row.strip_prefix("- "), row.strip_prefix("> ")) {
            (Some(evidence), _) => one.evidence.push(evidence.to_owned()),
            (_, Some(paste)) => paste.clone_into(&mut one.paste),
            // What a person noted there belongs to the entry and goes with it.
            _ => {}
        }
    }
    Some(one)
}

/// `2026-11-21 16:39:34`, in UTC, of milliseconds since 1970.
#[must_use]
pub fn moment(time: u64) -> String {
    let seconds = time / 1000;
    format!("{} {:02}:{:02}:{:02}", day(seconds / 86_400), seconds / 3600 % 24, seconds / 60 % 60, seconds % 60)
}

/// A day of the Gregorian calendar, by counting in years that begin in March.
#[must_use]
pub fn day(since_1970: u64) -> String {
    let shifted = since_1970 + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let (day, month) = (of_year - (153 * month + 2) / 5 + 1, if month < 10 { month + 3 } else { month - 9 });
    format!("{:04}-{month:02}-{day:02}", era * 400 + year_of_era + u64::from(month <= 2))
}

/// Milliseconds since 1970 of a [`moment`].
fn time_of(text: &str) -> Option<u64> {
    let (date, clock) = text.split_once(' ')?;
    let number = |text: &str| text.parse::<i64>().ok();
    let [year, month, day] = date.splitn(3, '-').map(number).collect::<Option<Vec<_>>>()?.try_into().ok()?;
    let [hour, minute, second] = clock.splitn(3, ':').map(number).collect::<Option<Vec<_>>>()?.try_into().ok()?;
    let plausible = (1970..=9999).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
    let seconds = policy::facts::days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
    u64::try_from(seconds).ok().filter(|_| plausible && hour < 24 && minute < 60 && second < 60).map(|seconds| seconds * 1000)
}
