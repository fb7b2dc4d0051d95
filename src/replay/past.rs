//! What the record knows of calls of the past.

use std::collections::HashMap;
use std::path::PathBuf;

use crate::record::export::{is_decision, is_trial};
use crate::record::feed::{FeedPosition, RecordFeed};
use actions::tools::is_shell;
use gate::record::{Entry, Held, Outcome, hash_all};

/// What was decided on a call, and how it ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PastDecision {
    /// The rules that matched.
    pub rules: Vec<String>,
    pub held: Option<Held>,
    /// The code of the approval that allowed it, and who approved.
    pub approved: Option<String>,
    /// It ran, and it ran and succeeded.
    pub ran: bool,
    pub succeeded: bool,
    /// `what` is the line of a command.
    pub is_command: bool,
    /// Milliseconds since 1970.
    pub time: u64,
    pub what: String,
}

/// Decisions by session and call.
#[derive(Clone, Debug, Default)]
pub struct PastDecisions(HashMap<u64, PastDecision>);

impl PastDecisions {
    /// Reads the records in these folders. What cannot be read is not known.
    #[must_use]
    pub fn read(folders: &[PathBuf]) -> Self {
        let mut known = Self::default();
        for folder in folders {
            let Ok(mut feed) = RecordFeed::after(folder, &FeedPosition::default()) else { continue };
            while let Ok(lines) = feed.batch(1000) {
                if lines.is_empty() {
                    break;
                }
                for line in &lines {
                    known.add(&line.entry);
                }
            }
        }
        known
    }

    fn add(&mut self, entry: &Entry) {
        if entry.call.is_empty() || is_trial(entry) {
            return;
        }
        let decision = is_decision(entry);
        let key = Self::key(&entry.session, &entry.call);
        if !decision {
            if let (Some(known), Some(outcome)) = (self.0.get_mut(&key), entry.outcome) {
                known.ran |= outcome != Outcome::Interrupted;
                known.succeeded |= outcome == Outcome::Ok;
            }
            return;
        }
        let rules = entry.rules.iter().map(|rule| rule.name.clone()).collect();
        let what = if entry.path.is_empty() { entry.what.clone() } else { entry.path.clone() };
        let is_command = entry.path.is_empty() && is_shell(&entry.tool);
        let approved = Some(entry.approved.clone()).filter(|approved| !approved.is_empty());
        let known = PastDecision { rules, held: entry.held, approved, ran: false, succeeded: false, is_command, time: entry.time, what };
        self.0.insert(key, known);
    }

    /// What was decided on a call.
    #[must_use]
    pub fn of(&self, session: &str, call: &str) -> Option<&PastDecision> {
        if call.is_empty() { None } else { self.0.get(&Self::key(session, call)) }
    }

    /// What tells a call of a session from all others.
    #[must_use]
    pub fn key(session: &str, call: &str) -> u64 {
        hash_all(&[session, call])
    }

    /// All of them, with their keys, in no order.
    pub fn with_keys(&self) -> impl Iterator<Item = (u64, &PastDecision)> {
        self.0.iter().map(|(key, decision)| (*key, decision))
    }

    /// All of them, in no order.
    pub fn all(&self) -> impl Iterator<Item = &PastDecision> {
        self.0.values()
    }
}
