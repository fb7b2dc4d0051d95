//! Counts what was judged, by rule, and what differs between two policies. Keeps some samples of each.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::judging::{JudgedPast, PastVerdict};
use super::past::PastDecision;
use super::sources::PastCall;
use actions::tools::command_line;

/// Signs of a sample's text.
const MAX_SHOWN: usize = 300;

/// What is kept of a call that is counted later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SampleText {
    pub tool: String,
    /// As [`shown`].
    pub text: String,
    /// It ran then, and succeeded; and whether the record says otherwise.
    pub succeeded: bool,
    pub ran: bool,
    pub recorded: bool,
}

/// A call that is counted. Its text is made only if it is shown.
pub struct TalliedCall<'c> {
    pub tool: &'c str,
    pub place: &'c Arc<str>,
    pub line: usize,
    pub succeeded: bool,
    pub ran: bool,
    pub recorded: bool,
    pub text: &'c dyn Fn() -> String,
}

impl<'c> TalliedCall<'c> {
    /// A call as it was read.
    #[must_use]
    pub fn of(past: &'c PastCall, then: Option<&PastDecision>, text: &'c dyn Fn() -> String) -> Self {
        let succeeded = past.succeeded == Some(true);
        // The record knows better than a transcript whether it ran: what a person refused did not.
        let ran = succeeded && then.is_none_or(|then| then.held != Some(gate::record::Held::Deny));
        Self { tool: &past.call.name, place: &past.place, line: past.line, succeeded, ran, recorded: then.is_some(), text }
    }

    /// What is kept of it.
    #[must_use]
    pub fn kept(&self) -> SampleText {
        SampleText { tool: self.tool.to_owned(), text: (self.text)(), succeeded: self.succeeded, ran: self.ran, recorded: self.recorded }
    }
}

/// A call that stands for others.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PastSample {
    /// The command, or the tool with its file. Calls with the same text are one sample.
    pub text: String,
    /// `FILE:LINE` of the first.
    pub place: String,
    /// How many calls.
    pub count: usize,
    /// It ran then, and succeeded.
    pub succeeded: bool,
    /// What the rule found.
    pub found: String,
}

/// What a rule did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleFigures {
    pub denied: usize,
    pub asked: usize,
    pub unknown: usize,
    /// In shadow mode: it would have stopped them.
    pub shadow: usize,
    /// Stopped calls that ran then, and succeeded: candidates for false blocks.
    pub succeeded: usize,
    samples: BTreeMap<String, PastSample>,
}

impl RuleFigures {
    /// The samples, candidates for false blocks first, then the most frequent.
    #[must_use]
    pub fn samples(&self, most: usize) -> Vec<&PastSample> {
        let mut samples: Vec<&PastSample> = self.samples.values().collect();
        samples.sort_by_key(|sample| (std::cmp::Reverse((sample.succeeded, sample.count)), &sample.text));
        samples.truncate(most);
        samples
    }

    #[must_use]
    pub fn stopped(&self) -> usize {
        self.denied + self.asked
    }
}

/// Calls whose verdict differs between two policies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangeFigures {
    pub count: usize,
    samples: BTreeMap<String, PastSample>,
}

impl ChangeFigures {
    #[must_use]
    pub fn samples(&self, most: usize) -> Vec<&PastSample> {
        let mut samples: Vec<&PastSample> = self.samples.values().collect();
        samples.sort_by_key(|sample| (std::cmp::Reverse(sample.count), &sample.text));
        samples.truncate(most);
        samples
    }
}

/// All that was counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub calls: usize,
    pub verdicts: BTreeMap<PastVerdict, usize>,
    pub tools: BTreeMap<String, usize>,
    pub rules: BTreeMap<String, RuleFigures>,
    /// Why calls could not be known, where no rule says it.
    pub unknown: BTreeMap<String, usize>,
    /// Calls about which the record says what was decided then.
    pub recorded: usize,
    /// Before and after, with the rule that makes the difference.
    pub changes: BTreeMap<(PastVerdict, PastVerdict, String), ChangeFigures>,
}

/// Samples of one rule that are kept; beyond that new texts are only counted.
const MAX_SAMPLES: usize = 200;

fn add(samples: &mut BTreeMap<String, PastSample>, call: &TalliedCall, found: &str) {
    let text = (call.text)();
    if let Some(known) = samples.get_mut(&text) {
        known.count += 1;
        known.succeeded |= call.succeeded;
    } else if samples.len() < MAX_SAMPLES {
        let place = format!("{}:{}", call.place, call.line);
        samples.insert(text.clone(), PastSample { text, place, count: 1, succeeded: call.succeeded, found: gate::record::redact_line(found) });
    }
}

/// The call in one line, without its secrets.
#[must_use]
pub fn shown(past: &PastCall) -> String {
    let text = match command_line(&past.call) {
        Some(line) => gate::record::redact_line(line),
        None => {
            let (path, what) = gate::record::shown_call(&past.call);
            format!("{} {}", past.call.name, if path.is_empty() { what } else { path })
        }
    };
    let mut short: String = text.chars().take(MAX_SHOWN).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

impl Tally {
    /// Counts a call. `other` is what a second policy says of it.
    pub fn count(&mut self, call: &TalliedCall, judged: &JudgedPast, other: Option<&JudgedPast>) {
        self.calls += 1;
        *self.verdicts.entry(judged.verdict).or_default() += 1;
        *self.tools.entry(call.tool.to_owned()).or_default() += 1;
        self.recorded += usize::from(call.recorded);
        for rule in &judged.shadow {
            self.rules.entry(rule.clone()).or_default().shadow += 1;
        }
        for (rule, found) in &judged.rules {
            if rule.is_empty() {
                *self.unknown.entry(found.clone()).or_default() += 1;
                continue;
            }
            let figures = self.rules.entry(rule.clone()).or_default();
            match judged.verdict {
                PastVerdict::Denied => figures.denied += 1,
                PastVerdict::Asked => figures.asked += 1,
                PastVerdict::Unknown => figures.unknown += 1,
                PastVerdict::Allowed => {}
            }
            if judged.verdict.stops() {
                figures.succeeded += usize::from(call.ran);
                add(&mut figures.samples, call, found);
            }
        }
        if let Some(other) = other.filter(|other| other.verdict != judged.verdict) {
            let stricter = if other.verdict > judged.verdict { other } else { judged };
            let (rule, found) = stricter.rules.first().cloned().unwrap_or_default();
            let figures = self.changes.entry((judged.verdict, other.verdict, rule)).or_default();
            figures.count += 1;
            add(&mut figures.samples, call, &found);
        }
    }

    /// Adds what another thread counted.
    pub fn join(&mut self, other: Self) {
        fn sum<K: Ord>(into: &mut BTreeMap<K, usize>, from: BTreeMap<K, usize>) {
            for (key, count) in from {
                *into.entry(key).or_default() += count;
            }
        }
        fn join_samples(into: &mut BTreeMap<String, PastSample>, from: BTreeMap<String, PastSample>) {
            for (text, sample) in from {
                if let Some(known) = into.get_mut(&text) {
                    known.count += sample.count;
                    known.succeeded |= sample.succeeded;
                    known.place = known.place.clone().min(sample.place);
                } else if into.len() < MAX_SAMPLES {
                    into.insert(text, sample);
                }
            }
        }
        self.calls += other.calls;
        self.recorded += other.recorded;
        sum(&mut self.verdicts, other.verdicts);
        sum(&mut self.tools, other.tools);
        sum(&mut self.unknown, other.unknown);
        for (rule, figures) in other.rules {
            let own = self.rules.entry(rule).or_default();
            own.denied += figures.denied;
            own.asked += figures.asked;
            own.unknown += figures.unknown;
            own.shadow += figures.shadow;
            own.succeeded += figures.succeeded;
            join_samples(&mut own.samples, figures.samples);
        }
        for (change, figures) in other.changes {
            let own = self.changes.entry(change).or_default();
            own.count += figures.count;
            join_samples(&mut own.samples, figures.samples);
        }
    }

    /// The rules that stopped or may have stopped something, candidates for false blocks first.
    #[must_use]
    pub fn by_rule(&self) -> Vec<(&String, &RuleFigures)> {
        let mut rules: Vec<(&String, &RuleFigures)> = self.rules.iter().collect();
        rules.sort_by_key(|(rule, figures)| (std::cmp::Reverse((figures.succeeded, figures.stopped(), figures.unknown, figures.shadow)), *rule));
        rules
    }

    #[must_use]
    pub fn of(&self, verdict: PastVerdict) -> usize {
        self.verdicts.get(&verdict).copied().unwrap_or(0)
    }
}
