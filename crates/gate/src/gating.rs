//! Events after which gates look at what happened, and events that they may stop: which of them the cold binary must see.

use actions::ToolCall;
use actions::json::Json;
use clients::{Event, Moment};

use crate::call::{pause_until, policy_bytes};
use crate::deep::{Deep, Stop};
use crate::world::{Surroundings, World, layers, phase, state};
use actions::shown::escaped;
use policy::Policy;

/// The longest text of a call that gates look into.
const MAX_TEXT: usize = 64 << 10;

/// Whether gates look at a call once it ended, by what is in its text.
fn concerns_gates(call: &ToolCall, around: &Surroundings, world: &World) -> bool {
    if !state::has(&world.states, &around.root, state::GATES) {
        return false;
    }
    let signs = state::read(&world.states, &around.root, state::GATES).unwrap_or_default();
    let signs = String::from_utf8_lossy(&signs);
    let mut texts = Vec::new();
    texts_of(&call.input, &mut texts);
    // A row holds for a text that has all words of it.
    signs.lines().any(|row| !row.is_empty() && texts.iter().any(|text| row.split(' ').all(|word| text.contains(word))))
}

/// The texts of a call's input that are short enough to be a command or a path.
fn texts_of<'j>(input: &'j Json, into: &mut Vec<&'j str>) {
    match input {
        Json::Text(text) if text.len() <= MAX_TEXT => into.push(text),
        Json::List(items) => items.iter().for_each(|item| texts_of(item, into)),
        Json::Object(fields) => fields.iter().for_each(|(_, value)| texts_of(value, into)),
        _ => {}
    }
}

/// Remembers what a call that ended shows to gates. Only where the policy has some, and only of calls that they look at.
///
/// # Errors
///
/// [`Stop::HandOver`]
pub(crate) fn evidence(event: &Event, around: &Surroundings, world: &World, deep: &dyn Deep) -> Result<(), Stop> {
    let ended = matches!(event.moment, Moment::AfterCall | Moment::AfterFailure);
    let Some(call) = event.tool.as_ref().filter(|call| ended && concerns_gates(call, around, world)) else { return Ok(()) };
    if !deep.is_cold() {
        return Err(Stop::HandOver);
    }
    let bytes = layers::look(&around.layers).ok().map(|found| policy_bytes(&found, around, world, deep));
    if let Some(Ok(bytes)) = bytes {
        Stop::unless_failed(deep.remember_evidence(event, call, around, &bytes))?;
    }
    Ok(())
}

/// Why an agent must not end its work yet. `None`: it may, or no gate speaks of that.
///
/// # Errors
///
/// [`Stop::HandOver`]
pub(crate) fn ending(event: &Event, around: &Surroundings, world: &World, deep: &dyn Deep) -> Result<Option<String>, Stop> {
    let ends = matches!(event.moment, Moment::TurnEnd | Moment::SubagentEnd | Moment::TaskEnd);
    if !ends || event.stopping || !state::has(&world.states, &around.root, state::GATES) || pause_until(world, around).is_some() {
        return Ok(None);
    }
    if !deep.is_cold() {
        return Err(Stop::HandOver);
    }
    let Some(Ok(bytes)) = layers::look(&around.layers).ok().map(|found| policy_bytes(&found, around, world, deep)) else { return Ok(None) };
    Ok(Stop::unless_failed(deep.ending(event, around, &bytes))?.flatten())
}

/// What the model reads of the phase when a session begins. `None`: there are no phases.
pub(crate) fn phase_line(policy: &Policy, around: &Surroundings) -> Option<String> {
    let pipeline = policy.tiers()?.pipeline?;
    let phases = pipeline.phases.join(", ");
    Some(match phase::read(around) {
        Ok(place) => format!(
            "the work is in {} of the phases {phases} (autonomy: {}); `portcullis phase` shows what each next step needs",
            if place.phase.is_empty() { "no phase yet".to_owned() } else { format!("`{}`", escaped(&place.phase)) },
            pipeline.autonomy.name(),
        ),
        Err(damaged) => format!(
            "in which of the phases {phases} the work is cannot be known, because `{}` is damaged: what depends on it is denied until a person runs `portcullis phase NAME`",
            escaped(&damaged.0.to_string_lossy())
        ),
    })
}
