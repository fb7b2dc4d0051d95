//! The ledger: one line of JSON for each step of a suggestion, so that a suggestion that was shown or resolved is not shown
//! again. The inbox lists the open suggestions for people; it is derived from the ledger.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Suggestion;

/// A step in the life of a suggestion. An alias is the word of an earlier version, which is still read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum What {
    Captured,
    /// The model has seen it.
    #[serde(rename = "shown", alias = "told")]
    Told,
    /// A commit contains the change of its document.
    #[serde(rename = "resolved", alias = "settled")]
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

/// A line. Texts and lists that are empty are left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerStep {
    /// The schema of the line.
    #[serde(rename = "v", default)]
    pub schema: u8,
    /// Milliseconds since 1970.
    pub time: u64,
    pub what: What,
    pub id: String,
    /// The captured suggestion; only the document if it moved.
    #[serde(flatten)]
    pub suggestion: Option<Suggestion>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub session: String,
    /// The document when the suggestion was captured: git's ids of its text in `HEAD` and in the work tree; empty if there was
    /// no document.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub was: Vec<String>,
    /// The commit that ended it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub commit: String,
}

impl LedgerStep {
    #[must_use]
    pub fn of(what: What, id: &str, time: u64) -> Self {
        Self { schema: 1, time, what, id: id.to_owned(), suggestion: None, session: String::new(), was: Vec::new(), commit: String::new() }
    }

    /// The line, with its end.
    #[must_use]
    pub fn line(&self) -> String {
        serde_json::to_string(self).unwrap_or_default() + "\n"
    }

    /// Reads a line. `None` if it is not a step.
    #[must_use]
    pub fn read(line: &str) -> Option<Self> {
        let mut step: Self = serde_json::from_str(line).ok()?;
        if let Some(one) = &mut step.suggestion {
            (one.id, one.time) = (step.id.clone(), step.time);
        }
        Some(step)
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
