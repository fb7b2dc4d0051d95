//! The ledger: one line of JSON for each step of a suggestion, so that a suggestion that was shown or resolved is not shown
//! again. The inbox lists the open suggestions for people; it is derived from the ledger.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{Suggestion, SuggestionKind};
use actions::json::{Json, quoted};

/// A step in the life of a suggestion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    Captured,
    /// The model has seen it.
    Told,
    /// A commit contains the change of its document.
    Settled,
    /// The commit that ended it was undone.
    Reopened,
    /// Its document has another name now.
    Moved,
    /// A person or an agent marked it as done.
    Done,
    /// It was dropped, or its document was deleted.
    Dropped,
    /// It was written into its document by `promote`; the commit of that change resolves it.
    Promoted,
}

const WHATS: &[(&str, What)] = &[
    ("captured", What::Captured),
    ("shown", What::Told),
    ("resolved", What::Settled),
    ("reopened", What::Reopened),
    ("moved", What::Moved),
    ("done", What::Done),
    ("dropped", What::Dropped),
    ("promoted", What::Promoted),
];
/// Words of earlier versions, which are still read.
const OLDER: &[(&str, What)] = &[("told", What::Told), ("settled", What::Settled)];

/// A line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerStep {
    /// Milliseconds since 1970.
    pub time: u64,
    pub what: What,
    pub id: String,
    /// The captured suggestion; only the document if it moved.
    pub suggestion: Option<Suggestion>,
    pub session: String,
    /// The document when the suggestion was captured: git's ids of its text in `HEAD` and in the work tree; empty if there was
    /// no document.
    pub was: Vec<String>,
    /// The commit that ended it.
    pub commit: String,
}

impl LedgerStep {
    #[must_use]
    pub fn of(what: What, id: &str, time: u64) -> Self {
        Self { time, what, id: id.to_owned(), suggestion: None, session: String::new(), was: Vec::new(), commit: String::new() }
    }

    /// The line, with its end.
    #[must_use]
    pub fn line(&self) -> String {
        let what = WHATS.iter().find(|(_, what)| *what == self.what).map_or("", |(name, _)| name);
        let mut line = format!("{{\"v\":1,\"time\":{},\"what\":\"{what}\",\"id\":{}", self.time, quoted(&self.id));
        let mut text = |key: &str, value: &str| {
            if !value.is_empty() {
                let _ = write!(line, ",\"{key}\":{}", quoted(value));
            }
        };
        text("session", &self.session);
        text("commit", &self.commit);
        if let Some(one) = &self.suggestion {
            text("kind", one.kind.name());
            text("target", &one.target);
            text("reason", &one.reason);
            text("paste", &one.paste);
        }
        let list = |items: &[String]| items.iter().map(|item| quoted(item)).collect::<Vec<_>>().join(",");
        if let Some(one) = self.suggestion.as_ref().filter(|one| !one.evidence.is_empty()) {
            let _ = write!(line, ",\"evidence\":[{}]", list(&one.evidence));
        }
        if !self.was.is_empty() {
            let _ = write!(line, ",\"was\":[{}]", list(&self.was));
        }
        line.push_str("}\n");
        line
    }

    /// Reads a line. `None` if it is not a step.
    #[must_use]
    pub fn read(line: &str) -> Option<Self> {
        let json = Json::read(line.as_bytes()).ok()?;
        let text = |key: &str| json.text(key).unwrap_or_default().to_owned();
        let list = |key: &str| match json.get(key) {
            Some(Json::List(items)) => items.iter().filter_map(Json::scalar).collect(),
            _ => Vec::new(),
        };
        let time = json.get("time")?.scalar()?.parse().ok()?;
        let what = WHATS.iter().chain(OLDER).find(|(name, _)| Some(*name) == json.text("what")).map(|(_, what)| *what)?;
        let id = text("id");
        let suggestion = SuggestionKind::named(&text("kind")).map(|kind| Suggestion {
            id: id.clone(),
            time,
            kind,
            target: text("target"),
            reason: text("reason"),
            evidence: list("evidence"),
            paste: text("paste"),
        });
        Some(Self { time, what, id, suggestion, session: text("session"), was: list("was"), commit: text("commit") })
    }
}

/// The state of a suggestion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    pub suggestion: Suggestion,
    pub session: String,
    pub was: Vec<String>,
    pub told: bool,
    pub promoted: bool,
    /// How it ended, and when. `None` if it is open.
    pub ended: Option<(What, u64)>,
    /// The commit that ended it, if one did.
    pub commit: String,
}

/// The state of each suggestion after all steps, by id.
#[must_use]
pub fn standings(text: &str) -> BTreeMap<String, Standing> {
    let mut all: BTreeMap<String, Standing> = BTreeMap::new();
    for step in text.lines().filter_map(LedgerStep::read) {
        match (all.get_mut(&step.id), step.what) {
            (None, What::Captured) => {
                if let Some(suggestion) = step.suggestion {
                    let standing =
                        Standing { suggestion, session: step.session, was: step.was, told: false, promoted: false, ended: None, commit: String::new() };
                    all.insert(step.id, standing);
                }
            }
            (Some(known), What::Told) => known.told = true,
            (Some(known), What::Promoted) => known.promoted = true,
            (Some(known), What::Reopened) => known.ended = None,
            (Some(known), What::Moved) => {
                if let Some(moved) = step.suggestion {
                    known.suggestion.target = moved.target;
                }
            }
            (Some(known), What::Settled | What::Done | What::Dropped) => {
                known.ended = Some((step.what, step.time));
                known.commit = step.commit;
            }
            _ => {}
        }
    }
    all
}
