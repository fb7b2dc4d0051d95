//! Whether an agent goes round in circles: equal calls with equal answers, circles of several calls, the same error, many calls
//! without a change. Decides from what was seen, and keeps nothing.
#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros)]

use actions::json::Json;
use policy::verdict::Finding;
use policy::{Stall, Tier};

use crate::record::{hash, hash_of};

/// The rule that findings name.
pub const RULE: &str = "stall";
/// The rule of a finding that ends the agent's turn.
pub const STOPPED: &str = "stall-stopped";
/// Milliseconds after which a denied try is forgotten.
const FORGOTTEN: u64 = 600_000;
/// Keys of answers whose values differ from call to call without a meaning.
const VOLATILE: &[&str] = &["durationms", "duration", "durationseconds", "elapsed", "elapsedms", "timestamp", "pid", "requestid", "date"];

/// A call that ended, or a try that was denied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SeenCall {
    /// Hash of tool and whole input.
    pub input: u64,
    /// [`fingerprint`] of the answer; of a failure, the hash of the error.
    pub result: u64,
    pub failed: bool,
    /// It changed a file.
    pub changed: bool,
    /// It was denied, and did not run.
    pub denied: bool,
    /// Milliseconds since 1970.
    pub time: u64,
}

/// What is noticed of an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Circle {
    /// So many equal calls with equal answers.
    Repeated(usize),
    /// A circle of so many calls was gone round so often.
    Cycle(usize, usize),
    /// So many failures with the same error.
    SameError(usize),
    /// So many calls without a change.
    Idle(usize),
}

/// What to do about the next call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StallStep {
    /// It is not let through as it is.
    Deny(Circle),
    /// The agent does not stop by itself.
    Stop(usize),
}

/// Calls that ran since the last change of a file.
fn since_change(trail: &[SeenCall]) -> Vec<SeenCall> {
    let from = trail.iter().rposition(|call| call.changed).map_or(0, |at| at + 1);
    trail.get(from..).unwrap_or_default().iter().filter(|call| !call.denied).copied().collect()
}

fn same(one: &SeenCall, other: &SeenCall) -> bool {
    (one.input, one.result) == (other.input, other.result)
}

/// How many of the last calls are each equal to the one `length` before it, with the first `length` of them.
fn circling(calls: &[SeenCall], length: usize) -> usize {
    let pairs = calls.iter().rev().zip(calls.iter().rev().skip(length));
    let equal = pairs.take_while(|(one, other)| same(one, other)).count();
    if equal == 0 { 0 } else { equal + length }
}

/// The circle at the end of some calls.
fn circle(calls: &[SeenCall], section: &Stall) -> Option<(Circle, usize)> {
    let repeated = circling(calls, 1);
    if section.repeat > 0 && repeated >= usize::from(section.repeat) {
        return Some((Circle::Repeated(repeated), 1));
    }
    let (short, long) = section.cycle;
    (usize::from(short)..=usize::from(long)).filter(|length| *length > 1).find_map(|length| {
        let row = circling(calls, length);
        (row >= length * usize::from(section.times)).then_some((Circle::Cycle(length, row / length), length))
    })
}

/// What is worth a note once a call has ended; it is the last of the trail. Each circle is noted when it is seen, and again each
/// time it has become as long once more.
#[must_use]
pub fn after(trail: &[SeenCall], section: &Stall) -> Option<Circle> {
    let calls = since_change(trail);
    let due = |row: usize, first: usize| first > 0 && row >= first && row.is_multiple_of(first);
    let circle = circle(&calls, section).map(|(circle, _)| circle);
    if let Some(found) = circle {
        let is_due = match found {
            Circle::Repeated(row) => due(row, section.repeat.into()),
            Circle::Cycle(length, _) => due(circling(&calls, length), length * usize::from(section.times)),
            Circle::SameError(_) | Circle::Idle(_) => false,
        };
        return Some(found).filter(|_| is_due);
    }
    let last = calls.last()?;
    let same_error = if last.failed { calls.iter().rev().take_while(|call| call.failed && call.result == last.result).count() } else { 0 };
    if due(same_error, section.errors.into()) {
        return Some(Circle::SameError(same_error));
    }
    let writes = trail.iter().any(|call| call.changed);
    (writes && due(calls.len(), section.idle.into())).then_some(Circle::Idle(calls.len()))
}

/// What to do about a call before it runs. `now` is in milliseconds since 1970.
#[must_use]
pub fn before(trail: &[SeenCall], section: &Stall, input: u64, now: u64) -> Option<StallStep> {
    let calls = since_change(trail);
    let tries = trail.iter().filter(|call| call.denied && call.input == input && now.saturating_sub(call.time) < FORGOTTEN).count();
    let patience = usize::from(section.repeat.max(2));
    let next = |length: usize| calls.len().checked_sub(length).and_then(|at| calls.get(at)).is_some_and(|call| call.input == input);
    let stalled = circle(&calls, section).filter(|(_, length)| next(*length)).map(|(circle, _)| circle);
    // What is denied again and again is a circle of its own.
    if section.stops && tries >= if stalled.is_some() { patience } else { 2 * patience } {
        return Some(StallStep::Stop(tries));
    }
    stalled.filter(|_| section.denies).map(StallStep::Deny)
}

/// The finding for a step before a call.
#[must_use]
pub fn finding(step: StallStep, section: &Stall) -> Finding {
    let (rule, tier, reason) = match step {
        StallStep::Deny(circle) => (RULE, Tier::Supervised, format!("nothing changes: {}", said(circle))),
        StallStep::Stop(tries) => (STOPPED, Tier::Prohibited, format!("the same call was denied {tries} times, and is tried again")),
    };
    Finding {
        reason,
        instead: "do something else: read what the answer says, or tell the user what is missing".to_owned(),
        action: "the same call again".to_owned(),
        ..Finding::of_section(RULE, rule, section.place, tier, section.shadow)
    }
}

/// A note for the model, in one line.
#[must_use]
pub fn note(circle: Circle) -> String {
    let advice = match circle {
        Circle::Repeated(_) | Circle::Cycle(..) => {
            "the next call will give the same answer; change something, try another way, or tell the user what is missing"
        }
        Circle::SameError(_) => "read the error from its beginning, and change your assumption, or tell the user what is missing",
        Circle::Idle(_) => "if something is missing, tell the user; otherwise do the next step",
    };
    format!("note by `{RULE}`: {}; {advice}", said(circle))
}

fn said(circle: Circle) -> String {
    match circle {
        Circle::Repeated(row) => format!("the same call gave the same answer {row} times"),
        Circle::Cycle(length, rounds) => format!("the same {length} calls gave the same answers {rounds} times in turn"),
        Circle::SameError(row) => format!("{row} calls in a row failed with the same error"),
        Circle::Idle(row) => format!("{row} calls in a row changed no file"),
    }
}

/// A number for an answer in which times, durations and the like do not count: the same test run takes longer the second time.
#[must_use]
pub fn fingerprint(answer: &Json) -> u64 {
    match answer {
        Json::Text(text) => hash(steady(text).as_bytes()),
        Json::List(items) => items.iter().fold(3, |state: u64, item| state.rotate_left(7) ^ fingerprint(item)),
        Json::Object(entries) => {
            let counts = |key: &str| {
                let plain: String = key.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
                !VOLATILE.contains(&plain.as_str())
            };
            let parts = entries.iter().filter(|(key, _)| counts(key)).map(|(key, value)| hash(key.as_bytes()).rotate_left(13) ^ fingerprint(value));
            parts.fold(5, u64::wrapping_add)
        }
        other => hash_of(other),
    }
}

/// A text without durations below a minute, times of day and process ids. Whole minutes stay: whoever waits for something else
/// looks again and again, and a run that fails once more takes about as long.
fn steady(text: &str) -> String {
    let mut steady = String::with_capacity(text.len());
    let mut rest = text;
    let mut is_listed = false;
    while let Some(at) = rest.find(|sign: char| sign.is_ascii_digit()) {
        let (front, number) = rest.split_at(at);
        steady.push_str(front);
        let end = number.find(|sign: char| !(sign.is_ascii_digit() || matches!(sign, '.' | ':' | '-' | '_' | ','))).unwrap_or(number.len());
        let (number, behind) = number.split_at(end);
        // `PIDs: 17, 18`
        let is_own = is_process(front) || (is_listed && front.trim_matches(' ').is_empty());
        is_listed = is_own && number.ends_with(',');
        if is_time(number, behind) || is_own {
            steady.push('#');
        } else if MINUTES.contains(&unit(behind)) {
            steady.push_str(number.split('.').next().unwrap_or(number));
        } else {
            steady.push_str(number);
        }
        rest = behind;
    }
    steady.push_str(rest);
    steady
}

/// Words for minutes, behind their number.
const MINUTES: [&str; 4] = ["min", "mins", "minute", "minutes"];

/// The word behind a number.
fn unit(behind: &str) -> &str {
    let unit = behind.trim_start_matches(' ');
    unit.find(|sign: char| !sign.is_ascii_alphabetic()).map_or(unit, |end| unit.get(..end).unwrap_or(unit))
}

/// `12:03:44`, `2026-11-30`, or a number in front of a unit of time that is less than a minute.
fn is_time(number: &str, behind: &str) -> bool {
    let clock = number.split(':').count() > 1 && number.split([':', '.']).all(|part| !part.is_empty());
    let day = number.split('-').count() == 3 && number.len() >= 8;
    let below = ["ms", "s", "sec", "secs", "second", "seconds", "us", "ns"].contains(&unit(behind));
    clock || day || below || behind.trim_start_matches(' ').starts_with('µ')
}

/// `PID 4711`, `Process Group PGID: 4711`, which Gemini CLI 0.61.0 adds to each answer of its shell (observed).
fn is_process(front: &str) -> bool {
    let named = front.trim_end_matches([' ', ':', '=', '#']);
    let word = named.rfind(|sign: char| !sign.is_ascii_alphanumeric()).map_or(named, |at| named.get(at + 1..).unwrap_or_default());
    ["pid", "pids", "pgid", "ppid"].iter().any(|known| word.eq_ignore_ascii_case(known))
}

#[cfg(test)]
#[path = "stall_tests.rs"]
mod tests;
