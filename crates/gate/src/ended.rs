//! What is looked at once a call has ended: what it cost, what its answer says, whether the agent goes round in circles.

use std::path::Path;

use actions::json::Json;
use actions::{Action, Deed, ToolCall};
use clients::{Event, Moment, Outcome};
use policy::decide::Metered;
use policy::matcher::{text, value_passes};
use policy::pattern::Pattern;
use policy::{Meter, Policy, Stall, Tiers, ValueTest};

use crate::deep::{Deep, Stop};
use crate::failure::Failure;
use crate::judge::{Here, facts_of, metered, read};
use crate::record::{hash_all, hash_of};
use crate::world::meters::AnsweredPrice;
use crate::world::system::now_ms;
use crate::world::transcript::last_lines;
use crate::world::{Surroundings, owed, trail};
use crate::{refusal, stall};

/// What comes of an ended call.
#[derive(Debug, Default)]
pub(crate) struct EndedCall {
    /// What the model reads, a line each.
    pub(crate) notes: Vec<String>,
    /// What it cost, where its answer says so.
    pub(crate) prices: Vec<AnsweredPrice>,
}

/// The event with the end of its call, where the client says that in its transcript alone. `None`: it says it in the event, or
/// nowhere.
pub(crate) fn completed(event: &Event) -> Option<Event> {
    if event.moment != Moment::AfterCall || event.outcome.is_some() {
        return None;
    }
    let reader = event.client.end_in_transcript()?;
    let lines = last_lines(Path::new(event.transcript.as_deref()?))?;
    let (outcome, error) = reader(event.call.as_deref()?, &lines)?;
    Some(Event { outcome: Some(outcome), error, ..event.clone() })
}

/// Looks at a call that ended. State is changed last, so that the cold binary can do it all once more.
///
/// # Errors
///
/// [`Stop`]
#[inline(never)] // Most calls do not come here, and touch fewer pages without it.
pub(crate) fn look(event: &Event, call: &ToolCall, policy: &Policy, around: &Surroundings, deep: &dyn Deep) -> Result<EndedCall, Stop> {
    let tiers = policy.tiers().ok_or(Failure::RuleDamaged)?;
    let mut ended = EndedCall::default();
    if tiers == Tiers::default() {
        return Ok(ended);
    }
    let mut facts = facts_of(event, &around.places);
    let here = Here { around, deep, event: None };
    let actions = read(call, &facts.places, policy, &here)?;
    let found = if tiers.answers { metered(&actions, &mut facts, policy, &here)? } else { Vec::new() };
    let answers = answers(&event.response);
    let went = event.outcome != Some(Outcome::Failed) && !event.interrupted;
    for Metered { meter, finding, .. } in &found {
        match meter {
            Meter::Cost(cost) if !cost.at.is_empty() => {
                let price = answers.iter().flat_map(|answer| values(answer, cost.at)).find_map(|value| micro(&value));
                if let (Some(micro), Some(budget)) = (price, tiers.budgets.iter().find(|budget| budget.name == cost.budget)) {
                    ended.prices.push(AnsweredPrice::of(budget, micro, around));
                }
            }
            Meter::Result(finds) if !finding.shadow && passes(finds, &answers) => ended.notes.push(refusal::note(finding)),
            _ => {}
        }
    }
    for follow_up in tiers.follow_ups.iter().filter(|_| went) {
        let due = found.iter().any(|entry| entry.finding.place == follow_up.place && matches!(&entry.meter, Meter::Result(finds) if passes(finds, &answers)));
        // Losing it only loses a reminder.
        let _ = if due {
            owed::owe(follow_up.name, around)
        } else if is_call(&follow_up.calls, call) {
            owed::followed(follow_up.name, around)
        } else {
            Ok(())
        };
    }
    if let Some(section) = &tiers.stall {
        ended.notes.extend(circle(event, call, &actions, section, around));
    }
    Ok(ended)
}

/// Remembers the call, and says whether it is one of a circle.
fn circle(event: &Event, call: &ToolCall, actions: &[Action], section: &Stall, around: &Surroundings) -> Option<String> {
    if event.interrupted || is_call(&section.waits, call) {
        return None;
    }
    let failed = event.outcome == Some(Outcome::Failed);
    let result = match &event.error {
        Some(error) if failed => stall::fingerprint(&Json::Text(error.clone())),
        _ => stall::fingerprint(&event.response),
    };
    let changed = actions.iter().any(|action| changes(action, around));
    let seen = stall::SeenCall { input: input_of(call), result, failed, changed, denied: false, time: now_ms() };
    let trail = trail::add(seen, around).ok()?;
    stall::after(&trail, section).filter(|_| section.notes && !section.shadow).map(stall::note)
}

/// What two calls share that are the same.
pub(crate) fn input_of(call: &ToolCall) -> u64 {
    hash_all(&[&call.name]) ^ hash_of(&call.input)
}

/// Whether an action changes a file of the project.
fn changes(action: &Action, around: &Surroundings) -> bool {
    let path = match &action.deed {
        Deed::Write(write) => &write.path,
        Deed::Delete(delete) => &delete.path,
        _ => return false,
    };
    let inside = |path: &str| around.places.roots.iter().any(|root| path.strip_prefix(root.as_str()).is_some_and(|rest| rest.starts_with('/')));
    path.word.literal().is_none_or(inside)
}

/// Whether a call is of one of these tools, or a command that one of the patterns matches.
pub(crate) fn is_call(patterns: &[Pattern], call: &ToolCall) -> bool {
    let line = actions::tools::command_line(call);
    patterns.iter().any(|pattern| text::text(pattern, &call.name) || line.is_some_and(|line| text::text(pattern, line)))
}

/// Whether all that is asked for is in one of the answers.
fn passes(finds: &[(&str, ValueTest)], answers: &[Json]) -> bool {
    let in_one = |answer: &Json| finds.iter().all(|(pointer, test)| values(answer, pointer).iter().any(|value| value_passes(test, value)));
    finds.is_empty() || answers.iter().any(in_one)
}

/// The answer as it came, and JSON that is text in it: tool servers give their results so, and commands their output.
fn answers(response: &Json) -> Vec<Json> {
    let mut all = vec![response.clone()];
    let parts = |json: &Json| match json {
        Json::List(items) => items.clone(),
        Json::Object(_) => ["content", "stdout", "output", "result"].iter().filter_map(|key| json.get(key)).cloned().collect(),
        _ => Vec::new(),
    };
    let mut texts: Vec<Json> = vec![response.clone()];
    // The content of an answer is a list of texts.
    for _ in 0..3 {
        let inner: Vec<Json> = texts.iter().flat_map(parts).collect();
        for json in texts.iter().chain(&inner) {
            let text = json.text("text").or(if let Json::Text(text) = json { Some(text.as_str()) } else { None });
            let read = text.filter(|text| text.trim_start().starts_with(['{', '['])).and_then(|text| Json::read(text.trim().as_bytes()).ok());
            all.extend(read.filter(|read| !all.contains(read)));
        }
        texts = inner;
    }
    all
}

/// The values at a JSON pointer; `*` is any element of a list.
fn values(json: &Json, pointer: &str) -> Vec<String> {
    let mut found = vec![json];
    for step in pointer.split('/').skip(1) {
        let step = step.replace("~1", "/").replace("~0", "~");
        let next = |json: &'_ Json| -> Vec<usize> {
            match json {
                Json::List(items) if step == "*" => (0..items.len()).collect(),
                Json::List(_) => step.parse().into_iter().collect(),
                _ => Vec::new(),
            }
        };
        found = found
            .into_iter()
            .flat_map(|json| match json {
                Json::Object(_) => json.get(&step).into_iter().collect::<Vec<_>>(),
                Json::List(items) => next(json).into_iter().filter_map(|at| items.get(at)).collect(),
                _ => Vec::new(),
            })
            .collect();
    }
    found.into_iter().map(|json| json.scalar().unwrap_or_else(|| if matches!(json, Json::Null) { "null".to_owned() } else { String::new() })).collect()
}

/// A price in US dollars as millionths, rounded up. `-0.0083`, as some services write what they took, is as much.
fn micro(price: &str) -> Option<u64> {
    let dollars = price.trim().trim_start_matches(['-', '$']).parse::<f64>().ok().filter(|dollars| (0.0..1e9).contains(dollars))?;
    // In range, and the sign is known.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in range, and the sign is known")]
    Some((dollars * 1e6 - 1e-3).ceil().max(0.0) as u64)
}
