//! What people refused again and again, from transcripts and from the record: there a rule could say it before anybody is asked.

use std::collections::{BTreeMap, HashSet};

use super::past::{PastDecision, PastDecisions};
use super::sources::PastCall;
use super::suggest::OFTEN;
use actions::tools::command_line;
use gate::record::Held;

/// Different commands that are kept. What is beyond is left out.
const MAX_COMMANDS: usize = 5000;

/// A command that people refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedCommand {
    pub command: String,
    pub times: usize,
}

/// Commands, with how often people refused them and how often they ran.
#[derive(Clone, Debug, Default)]
pub struct PeoplesAnswers {
    commands: BTreeMap<String, (usize, usize)>,
    seen: HashSet<u64>,
}

impl PeoplesAnswers {
    /// Adds a call of a transcript. `then` is what the record says of it.
    pub fn add(&mut self, past: &PastCall, then: Option<&PastDecision>) {
        let Some(line) = command_line(&past.call).filter(|_| !past.partial) else { return };
        self.seen.insert(PastDecisions::key(&past.session, &past.id));
        let denied_by_us = then.is_some_and(|then| then.held == Some(Held::Deny));
        match past.succeeded {
            _ if past.refused => self.count(line, true),
            // What Portcullis denied was refused by nobody.
            Some(_) if !denied_by_us => self.count(line, false),
            _ => {}
        }
    }

    /// Adds what the record knows of calls that no transcript had: a question after which the call did not run.
    pub fn add_record(&mut self, past: &PastDecisions, since: u64) {
        for (key, decision) in past.with_keys().filter(|(_, decision)| decision.time >= since) {
            let whole = decision.is_command && !decision.what.is_empty() && !decision.what.contains('…') && !decision.what.contains("[secret]");
            if !whole || self.seen.contains(&key) {
                continue;
            }
            match decision.held {
                Some(Held::Ask) if !decision.ran && decision.approved.is_none() => self.count(&decision.what, true),
                _ if decision.ran => self.count(&decision.what, false),
                _ => {}
            }
        }
    }

    fn count(&mut self, line: &str, refused: bool) {
        if self.commands.len() >= MAX_COMMANDS && !self.commands.contains_key(line) {
            return;
        }
        let (no, yes) = self.commands.entry(line.to_owned()).or_default();
        *(if refused { no } else { yes }) += 1;
    }

    /// What was refused often and never ran, the most frequent first.
    #[must_use]
    pub fn refused(&self) -> Vec<RefusedCommand> {
        let often = self.commands.iter().filter(|(_, (no, yes))| *no >= OFTEN && *yes == 0);
        let mut found: Vec<RefusedCommand> = often.map(|(command, (times, _))| RefusedCommand { command: command.clone(), times: *times }).collect();
        found.sort_by_key(|one| std::cmp::Reverse(one.times));
        found
    }

    /// What ran.
    pub fn ran(&self) -> impl Iterator<Item = &str> {
        self.commands.iter().filter(|(_, (_, yes))| *yes > 0).map(|(command, _)| command.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ran_once_is_not_refused() {
        let mut answers = PeoplesAnswers::default();
        for (line, no, yes) in [("npm publish", 3, 0), ("make", 4, 1), ("rm x", 2, 0), ("ls", 0, 9)] {
            (0..no).for_each(|_| answers.count(line, true));
            (0..yes).for_each(|_| answers.count(line, false));
        }
        assert_eq!(answers.refused(), [RefusedCommand { command: "npm publish".to_owned(), times: 3 }]);
        assert_eq!(answers.ran().collect::<Vec<_>>(), ["ls", "make"]);
    }
}
