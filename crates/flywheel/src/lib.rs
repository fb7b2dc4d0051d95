//! The documentation flywheel: suggests what should be documented and in which document, and recognises the commit that did
//! it. Signals come from the record and from commits, never from the output of tools.
#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros)]

pub mod drift;
pub mod guard;
pub mod ledger;
pub mod page;
pub mod pair;

use actions::shown::escaped_lines;
use gate::record::hash_all;
use policy::secret::redact;
use serde::{Deserialize, Serialize};

/// Characters of a text that is named in a reason or as evidence.
const MAX_NAMED: usize = 120;

/// What gave rise to a suggestion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SuggestionKind {
    /// A person stopped or refused a call, and then said something.
    Corrected,
    /// A call was denied, and another way was taken.
    Denied,
    /// The same failure, again and again.
    Again,
    /// It failed, something was changed, it worked.
    Fixed,
    /// The code of a document changed, and the document did not.
    Drift,
    /// A commit says that it fixes or works around something.
    Commit,
}

/// The kinds by name, the most telling first.
pub const KINDS: &[(&str, SuggestionKind)] = &[
    ("corrected", SuggestionKind::Corrected),
    ("denied", SuggestionKind::Denied),
    ("again", SuggestionKind::Again),
    ("fixed", SuggestionKind::Fixed),
    ("drift", SuggestionKind::Drift),
    ("commit", SuggestionKind::Commit),
];

impl SuggestionKind {
    #[must_use]
    pub fn name(self) -> &'static str {
        KINDS.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }

    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        KINDS.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind)
    }
}

/// Something that should be documented. All texts are one line, without secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suggestion {
    /// Ten hexadecimal digits: the same for the same thing, whatever lists it names.
    #[serde(skip)]
    pub id: String,
    /// Milliseconds since 1970.
    #[serde(skip)]
    pub time: u64,
    pub kind: SuggestionKind,
    /// The document, from the root of the repository.
    pub target: String,
    pub reason: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<String>,
    /// A line to paste; empty if there is no line.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub paste: String,
}

impl Suggestion {
    /// A suggestion known by `identity`: what makes two of them the same.
    #[must_use]
    pub fn new(kind: SuggestionKind, identity: &[&str], time: u64, target: &str, reason: &str) -> Self {
        let mut parts = vec![kind.name(), target];
        parts.extend(identity);
        // Forty bits: among ten thousand the odds that two are taken for one are one in twenty thousand.
        let id = format!("{:010x}", hash_all(&parts) >> 24);
        Self { id, time, kind, target: line(target), reason: line(reason), evidence: Vec::new(), paste: String::new() }
    }

    #[must_use]
    pub fn with(mut self, evidence: impl IntoIterator<Item = String>, paste: &str) -> Self {
        self.evidence = evidence.into_iter().map(|text| line(&text)).collect();
        self.paste = line(paste);
        self
    }

    /// Words by which a document about it is recognised: the words between backticks.
    #[must_use]
    pub fn words(&self) -> Vec<&str> {
        let texts = [&self.reason, &self.paste].into_iter().chain(&self.evidence);
        let mut words: Vec<&str> = texts.flat_map(|text| text.split('`').skip(1).step_by(2)).filter(|word| word.len() > 2 && *word != self.target).collect();
        words.sort_unstable();
        words.dedup();
        words
    }
}

/// A text in one line, in which nothing is unseen.
#[must_use]
pub fn line(text: &str) -> String {
    let text = escaped_lines(text);
    text.split(char::is_whitespace).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// A text as code within a line, without its secrets: clipped, and its own backticks turned.
#[must_use]
pub fn code(text: &str) -> String {
    let text = line(&redact(text)).replace('`', "'");
    let clipped: String = text.chars().take(MAX_NAMED).collect();
    let more = if clipped.len() < text.len() { "…" } else { "" };
    format!("`{clipped}{more}`")
}

/// True if a list of words holds this word.
fn holds(list: &str, word: &str) -> bool {
    list.split(' ').any(|known| known == word)
}

/// The most telling `most` of them, in the order of their time.
#[must_use]
pub fn best(mut suggestions: Vec<Suggestion>, most: usize) -> Vec<Suggestion> {
    suggestions.sort_by_key(|suggestion| suggestion.kind);
    suggestions.truncate(most);
    suggestions.sort_by_key(|suggestion| suggestion.time);
    suggestions
}

/// The text for the model about new suggestions.
#[must_use]
pub fn told(suggestions: &[&Suggestion], inbox: &str) -> String {
    let lines: Vec<String> = suggestions.iter().map(|one| format!("- {} ({}): {}", one.id, one.target, one.reason)).collect();
    let them = if suggestions.len() == 1 { "it" } else { "each" };
    format!(
        "Documentation suggestions ({} in `{inbox}`, shown once):\n{}\nIf {them} is true and new, write it into the document named and commit that with the work; the suggestion is then resolved by itself. If not: `portcullis flywheel drop ID`.",
        suggestions.len(),
        lines.join("\n")
    )
}

/// The text at the start of a session: at most five lines.
#[must_use]
pub fn summary(suggestions: &[Suggestion], inbox: &str) -> String {
    const NAMED: usize = 3;
    let mut lines =
        vec![format!("{} {} in `{inbox}` (`portcullis flywheel list`):", count(suggestions.len()), if suggestions.len() == 1 { "waits" } else { "wait" })];
    // The youngest are the likeliest to be still known.
    lines.extend(suggestions.iter().rev().take(NAMED).map(|one| format!("- {} ({}): {}", one.id, one.target, one.reason)));
    if suggestions.len() > NAMED {
        lines.push(format!("- and {} more", suggestions.len() - NAMED));
    }
    lines.join("\n")
}

/// `1 suggestion`, `2 suggestions`.
#[must_use]
pub fn count(number: usize) -> String {
    format!("{number} suggestion{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
#[path = "flywheel_tests.rs"]
mod tests;
