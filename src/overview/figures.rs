//! Counts what the record says. Touches no file.

use std::collections::{BTreeMap, BTreeSet};

use crate::record::export::{is_decision, is_trial};
use flywheel::page::day;
use gate::record::{Entry, Held, Outcome, RecordSource};
use gate::world::record::SeenEntries;

/// How long after a stopped call the next one may be what was done instead, in milliseconds.
const SOON: u64 = 10 * 60 * 1000;
/// Stopped calls that are shown.
const MAX_STOPPED: usize = 40;
/// Days that are shown one by one; more are shown by week.
const MAX_DAYS: usize = 45;

/// Decisions of a time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DecisionFigures {
    pub allowed: usize,
    pub asked: usize,
    pub denied: usize,
}

impl DecisionFigures {
    #[must_use]
    pub fn all(&self) -> usize {
        self.allowed + self.asked + self.denied
    }

    fn count(&mut self, entry: &Entry) {
        match entry.held {
            None => self.allowed += 1,
            Some(Held::Ask) => self.asked += 1,
            Some(Held::Deny) => self.denied += 1,
        }
    }
}

/// A call that was stopped, and what came after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoppedCall {
    pub rule: String,
    pub call: String,
    pub count: usize,
    /// How often the very same call was allowed afterwards.
    pub allowed_later: usize,
    /// What the agent did next that was allowed, and how often.
    pub instead: Option<(String, usize)>,
    /// Milliseconds since 1970.
    pub last: u64,
}

/// A rule and what it did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleDecisions {
    pub tier: u8,
    pub denied: usize,
    pub asked: usize,
    /// It matched, and the call was allowed: a shadow, a pause, an approval, or a rule of tier 1 or 2.
    pub only_matched: usize,
}

/// How long decisions took, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AnswerTimes {
    /// Decisions of which it is known.
    pub count: usize,
    /// Half of them took no longer.
    pub median: u64,
    /// 95 and 99 of 100 took no longer.
    pub most: u64,
    pub nearly_all: u64,
    pub longest: u64,
}

impl AnswerTimes {
    fn of(mut times: Vec<u64>) -> Self {
        times.sort_unstable();
        // The smallest that so many of a hundred do not exceed.
        let share = |percent: usize| (times.len() * percent).div_ceil(100).checked_sub(1).and_then(|at| times.get(at)).copied().unwrap_or(0);
        Self { count: times.len(), median: share(50), most: share(95), nearly_all: share(99), longest: share(100) }
    }
}

/// All figures of a time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordOverview {
    pub decisions: DecisionFigures,
    /// By day, or by week if there are many: the first day, and the figures.
    pub times: Vec<(String, DecisionFigures)>,
    pub by_week: bool,
    /// By tier, 1 to 4.
    pub tiers: BTreeMap<u8, usize>,
    pub rules: Vec<(String, RuleDecisions)>,
    pub tools: Vec<(String, DecisionFigures)>,
    pub agents: Vec<(String, DecisionFigures)>,
    pub sessions: usize,
    pub stopped: Vec<StoppedCall>,
    /// Kinds of stopped calls beyond those that are shown.
    pub more_stopped: usize,
    pub paused: usize,
    pub approved: usize,
    /// Calls that ran, by how they ended.
    pub succeeded: usize,
    pub failed: usize,
    /// How long the answers took, by who judged.
    pub times_taken: Vec<(&'static str, AnswerTimes)>,
    /// The first and the last entry, in milliseconds since 1970.
    pub from: Option<u64>,
    pub until: Option<u64>,
}

/// Counts entries. `ahead` is by how many seconds local time is ahead of UTC at a time.
#[must_use]
pub fn overview(mut entries: Vec<Entry>, ahead: impl Fn(u64) -> i64) -> RecordOverview {
    let mut seen = SeenEntries::default();
    entries.retain(|entry| !is_trial(entry) && seen.is_new(entry));
    entries.sort_by_key(|entry| entry.time);
    let mut found =
        RecordOverview { from: entries.first().map(|entry| entry.time), until: entries.last().map(|entry| entry.time), ..RecordOverview::default() };
    let (mut days, mut rules, mut tools, mut agents) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    let mut sessions = BTreeSet::new();
    let mut taken: BTreeMap<&'static str, Vec<u64>> = BTreeMap::new();
    for entry in &entries {
        if !entry.session.is_empty() {
            sessions.insert(entry.session.as_str());
        }
        match entry.outcome {
            Some(Outcome::Ok) => found.succeeded += 1,
            Some(Outcome::Failed | Outcome::Interrupted) => found.failed += 1,
            None => {}
        }
        if !is_decision(entry) {
            continue;
        }
        found.decisions.count(entry);
        if let Some(took) = entry.took {
            taken.entry(judged_by(entry.source)).or_default().push(took);
        }
        found.paused += usize::from(entry.paused);
        found.approved += usize::from(!entry.approved.is_empty());
        *found.tiers.entry(entry.tier.unwrap_or(0)).or_default() += 1;
        let local = entry.time.saturating_add_signed(ahead(entry.time / 1000) * 1000) / 86_400_000;
        let figures = |figures: &mut BTreeMap<String, DecisionFigures>, key: &str| figures.entry(key.to_owned()).or_default().count(entry);
        days.entry(local).or_insert_with(DecisionFigures::default).count(entry);
        figures(&mut tools, if entry.tool.is_empty() { &entry.event } else { &entry.tool });
        figures(&mut agents, if entry.agent.is_empty() { "main" } else { &entry.agent });
        for rule in &entry.rules {
            let figures: &mut RuleDecisions = rules.entry(rule.name.clone()).or_default();
            figures.tier = figures.tier.max(rule.tier);
            match entry.held {
                Some(Held::Deny) if !rule.shadow => figures.denied += 1,
                Some(Held::Ask) if !rule.shadow => figures.asked += 1,
                _ => figures.only_matched += 1,
            }
        }
    }
    found.sessions = sessions.len();
    found.times_taken = taken.into_iter().map(|(by, times)| (by, AnswerTimes::of(times))).collect();
    found.times_taken.sort_by_key(|(_, times)| std::cmp::Reverse(times.count));
    (found.times, found.by_week) = times(days);
    found.rules = rules.into_iter().collect();
    found.rules.sort_by_key(|(_, figures)| std::cmp::Reverse((figures.denied + figures.asked, figures.only_matched)));
    for (into, from) in [(&mut found.tools, tools), (&mut found.agents, agents)] {
        *into = from.into_iter().collect();
        into.sort_by_key(|(_, figures)| std::cmp::Reverse(figures.all()));
    }
    found.stopped = stopped(&entries);
    found.more_stopped = found.stopped.len().saturating_sub(MAX_STOPPED);
    found.stopped.truncate(MAX_STOPPED);
    found
}

/// Who judged, in words.
fn judged_by(source: RecordSource) -> &'static str {
    match source {
        RecordSource::Hot => "the hook alone",
        RecordSource::Cold => "the hook with the full program",
        RecordSource::Git => "git's hooks",
        RecordSource::Check | RecordSource::Trial => "others",
    }
}

/// A length of time in microseconds, for people: `0.62 ms`, `41 ms`, `1.3 s`.
#[must_use]
pub fn duration(microseconds: u64) -> String {
    match microseconds {
        0..10_000 => format!("{}.{:02} ms", microseconds / 1000, microseconds % 1000 / 10),
        10_000..1_000_000 => format!("{} ms", microseconds / 1000),
        _ => format!("{}.{} s", microseconds / 1_000_000, microseconds % 1_000_000 / 100_000),
    }
}

/// By day, without gaps; by week where that would be too long.
fn times(days: BTreeMap<u64, DecisionFigures>) -> (Vec<(String, DecisionFigures)>, bool) {
    let (Some((first, _)), Some((last, _))) = (days.first_key_value(), days.last_key_value()) else { return (Vec::new(), false) };
    let by_week = usize::try_from(last - first).unwrap_or(usize::MAX) >= MAX_DAYS;
    // 1970-01-01 was a Thursday: weeks begin on a Monday.
    let start = |day: u64| if by_week { ((day + 3) / 7 * 7).saturating_sub(3) } else { day };
    let step = if by_week { 7 } else { 1 };
    let mut all: BTreeMap<u64, DecisionFigures> = BTreeMap::new();
    let mut at = start(*first);
    while at <= *last {
        all.insert(at, DecisionFigures::default());
        at = start(at + step);
    }
    for (day, figures) in days {
        let sum = all.entry(start(day)).or_default();
        sum.allowed += figures.allowed;
        sum.asked += figures.asked;
        sum.denied += figures.denied;
    }
    (all.into_iter().map(|(at, figures)| (day(at), figures)).collect(), by_week)
}

/// A call in one line.
fn called(entry: &Entry) -> String {
    let target = if entry.path.is_empty() { &entry.what } else { &entry.path };
    let tool = if entry.tool.is_empty() { &entry.event } else { &entry.tool };
    if target.is_empty() { tool.clone() } else { format!("{tool}: {target}") }
}

/// Stopped calls by rule and text, the most frequent first, with what was done next in the same session.
fn stopped(entries: &[Entry]) -> Vec<StoppedCall> {
    let mut sessions: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
    for entry in entries.iter().filter(|entry| is_decision(entry)) {
        sessions.entry(&entry.session).or_default().push(entry);
    }
    let mut calls: BTreeMap<(String, String), (StoppedCall, BTreeMap<String, usize>)> = BTreeMap::new();
    for decisions in sessions.values() {
        for (at, entry) in decisions.iter().enumerate().filter(|(_, entry)| entry.held.is_some()) {
            let rule = entry.rules.iter().find(|rule| !rule.shadow).map_or_else(|| "without a rule".to_owned(), |rule| rule.name.clone());
            let call = called(entry);
            let later = || decisions.iter().skip(at + 1).take_while(|next| next.time.saturating_sub(entry.time) <= SOON).filter(|next| next.held.is_none());
            let same = |next: &&&Entry| next.tool == entry.tool && next.input == entry.input;
            let (stopped, instead) = calls
                .entry((rule.clone(), call.clone()))
                .or_insert_with(|| (StoppedCall { rule, call, count: 0, allowed_later: 0, instead: None, last: 0 }, BTreeMap::new()));
            stopped.count += 1;
            stopped.last = stopped.last.max(entry.time);
            stopped.allowed_later += usize::from(later().any(|next| same(&next)));
            if let Some(next) = later().find(|next| !same(next)) {
                *instead.entry(called(next)).or_default() += 1;
            }
        }
    }
    let most =
        |(stopped, instead): (StoppedCall, BTreeMap<String, usize>)| StoppedCall { instead: instead.into_iter().max_by_key(|(_, count)| *count), ..stopped };
    let mut all: Vec<StoppedCall> = calls.into_values().map(most).collect();
    all.sort_by_key(|stopped| std::cmp::Reverse((stopped.count, stopped.last)));
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use gate::record::{RecordSource, RecordedRule};

    fn entry(time: u64, call: &str, what: &str, held: Option<Held>) -> Entry {
        let rules = held.map(|_| RecordedRule { name: "a-rule".to_owned(), tier: 4, shadow: false }).into_iter().collect();
        let hash = Some(gate::record::hash(what.as_bytes()));
        let tier = Some(if held.is_some() { 4 } else { 1 });
        Entry {
            session: "s".to_owned(),
            tool: "T".to_owned(),
            call: call.to_owned(),
            what: what.to_owned(),
            held,
            rules,
            tier,
            input: hash,
            ..Entry::new("E", RecordSource::Hot, time)
        }
    }

    #[test]
    fn what_was_done_instead_is_the_next_call_that_was_allowed() {
        let day = 86_400_000;
        let entries = vec![
            entry(day, "1", "push --force", Some(Held::Deny)),
            entry(day, "1", "push --force", Some(Held::Deny)),
            entry(day + 1000, "2", "push --force", Some(Held::Deny)),
            entry(day + 2000, "3", "push", None),
            entry(3 * day, "4", "reset", Some(Held::Ask)),
            entry(3 * day + 1, "5", "reset", None),
            entry(3 * day + SOON + 2, "6", "other", None),
        ];
        let found = overview(entries, |_| 0);
        assert_eq!((found.decisions.allowed, found.decisions.asked, found.decisions.denied), (3, 1, 2), "the same call counts once");
        assert_eq!(
            found.times.iter().map(|(day, figures)| (day.as_str(), figures.all())).collect::<Vec<_>>(),
            [("1970-01-02", 3), ("1970-01-03", 0), ("1970-01-04", 3)]
        );
        let [pushed, reset] = found.stopped.as_slice() else { panic!("{:?}", found.stopped) };
        assert_eq!((pushed.count, pushed.allowed_later, pushed.instead.clone()), (2, 0, Some(("T: push".to_owned(), 2))));
        assert_eq!((reset.count, reset.allowed_later, reset.instead.clone()), (1, 1, None));
        assert_eq!(found.rules[0].1, RuleDecisions { tier: 4, denied: 2, asked: 1, only_matched: 0 });
    }

    #[test]
    fn how_long_answers_took_is_counted_by_who_judged() {
        let took = |at: u64, took: Option<u64>, source| Entry { took, source, ..entry(at, &at.to_string(), "x", None) };
        let mut entries: Vec<Entry> = (1..=200).map(|at| took(at, Some(at * 10), RecordSource::Hot)).collect();
        entries.extend([took(300, Some(40_000), RecordSource::Cold), took(301, None, RecordSource::Hot)]);
        // What is no decision does not count.
        entries.push(Entry { tier: None, ..took(302, Some(9_000_000), RecordSource::Hot) });
        let expected = [
            ("the hook alone", AnswerTimes { count: 200, median: 1000, most: 1900, nearly_all: 1980, longest: 2000 }),
            ("the hook with the full program", AnswerTimes { count: 1, median: 40_000, most: 40_000, nearly_all: 40_000, longest: 40_000 }),
        ];
        assert_eq!(overview(entries, |_| 0).times_taken, expected);
        for (microseconds, words) in [(0, "0.00 ms"), (620, "0.62 ms"), (9_999, "9.99 ms"), (41_300, "41 ms"), (1_340_000, "1.3 s")] {
            assert_eq!(duration(microseconds), words);
        }
    }

    #[test]
    fn many_days_become_weeks() {
        let entries = (0..100).map(|day| entry(day * 86_400_000, &day.to_string(), "x", None)).collect();
        let found = overview(entries, |_| 0);
        assert!(found.by_week && found.times.len() == 15, "{:?}", found.times);
        assert_eq!(found.times.iter().map(|(_, figures)| figures.all()).sum::<usize>(), 100);
        assert_eq!(overview(Vec::new(), |_| 0), RecordOverview::default());
    }
}
