//! Events that are not calls. Events that only inform are recorded, and answered with what the model or the person should
//! know. Changed settings are judged.

use std::borrow::Cow;

use actions::ToolCall;
use actions::json::Json;
use actions::shown::{escaped, escaped_lines};
use clients::{Event, Moment};
use policy::Policy;

use crate::answer::{HookAnswer, denial};
use crate::call::{entry, pause_minutes, pause_until, policy_bytes, policy_here};
use crate::deep::{Deep, Stop};
use crate::failure;
use crate::notes::{Note, apply};
use crate::record::Entry;
use crate::world::compiled::CompiledPolicy;
use crate::world::meters::{self, CallEnd, CallIdentity};
use crate::world::repository::main_work_tree;
use crate::world::{Surroundings, World, layers, pending, state, unread};

/// The longest text of a call that gates look into.
const MAX_TEXT: usize = 64 << 10;

/// Records an event that only informs. Returns what the model and the person should know.
///
/// # Errors
///
/// [`Stop::HandOver`]
pub(crate) fn inform(event: &Event, world: &World, deep: &dyn Deep) -> Result<HookAnswer, Stop> {
    if event.moment == Moment::Other {
        return Ok(HookAnswer::nothing());
    }
    let Ok(around) = world.around(event) else { return Ok(HookAnswer::nothing()) };
    test_run(event, &around, world, deep)?;
    evidence(event, &around, world, deep)?;
    if let Some(reason) = ending(event, &around, world, deep)? {
        let answer = denial(event, &reason);
        apply(&[Note::Record(Box::new(Entry { held: answer.held, ..entry(event, deep) }))], &around, world);
        return Ok(answer);
    }
    let metered = meters(event, &around);
    let turns = matches!(event.moment, Moment::TurnEnd | Moment::SubagentEnd | Moment::SessionStart | Moment::SessionEnd);
    let policy = if turns { flywheel_policy(&around, world, deep)? } else { None };
    let recorded = apply(&[Note::Record(Box::new(entry(event, deep)))], &around, world);
    let context = match event.moment {
        Moment::AfterCall | Moment::AfterFailure | Moment::Prompt => pending::take(&around.memory, around.tree(), &around.session),
        _ => match policy.as_deref().and_then(Policy::open).and_then(|policy| policy.flywheel) {
            Some(section) => Stop::unless_failed(deep.turn(event, &around, &section))?.flatten(),
            None => None,
        },
    };
    let person = if event.moment == Moment::SessionStart { session_start(recorded, &around, world) } else { None };
    let person = person.into_iter().chain(metered).reduce(|one, other| format!("{one}; {other}"));
    Ok(event.client.context(event, context.as_deref(), person.as_deref()))
}

/// The policy, if it has a flywheel. A hook that would have to run it hands over before anything is recorded.
fn flywheel_policy(around: &Surroundings, world: &World, deep: &dyn Deep) -> Result<Option<Cow<'static, [u8]>>, Stop> {
    let Ok(found) = layers::look(&around.layers) else { return Ok(None) };
    if found.iter().all(|file| file.identity.is_empty()) {
        return Ok(None);
    }
    if deep.is_cold() {
        let bytes = Stop::unless_failed(policy_bytes(&found, around, world, deep))?;
        return Ok(bytes.filter(|bytes| Policy::open(bytes).is_some_and(|policy| policy.flywheel.is_some())));
    }
    let compiled = Stop::unless_failed(policy_here(&found, around, world, deep))?;
    let has_flywheel = compiled.is_some_and(|compiled| compiled.open().is_ok_and(|policy| policy.flywheel.is_some()));
    if has_flywheel { Err(Stop::HandOver) } else { Ok(None) }
}

/// Counts a call that ran, and gives back what did not run. Returns what a person must know.
fn meters(event: &Event, around: &Surroundings) -> Option<String> {
    let ended = |how| CallIdentity::of(event).map_or(Ok(()), |call| meters::end(call, how, around));
    let done = match event.moment {
        Moment::AfterCall | Moment::AfterFailure => ended(CallEnd::Ran),
        Moment::Refused => ended(CallEnd::DidNotRun),
        Moment::Prompt if matches!(event.source.as_str(), "" | "user" | "sdk") => meters::begin_run(around).and_then(|()| meters::give_back_all(around)),
        Moment::TurnEnd | Moment::SessionEnd => meters::give_back_all(around),
        Moment::SessionStart => meters::check(around),
        _ => Ok(()),
    };
    done.err().map(|failure| format!("limits and budgets: {}", failure::what(&failure)))
}

/// Notes a run of tests if the policy asks for that. A policy that cannot be read is not reported here: the next call
/// before an action reports it.
fn test_run(event: &Event, around: &Surroundings, world: &World, deep: &dyn Deep) -> Result<(), Stop> {
    let ended = matches!(event.moment, Moment::AfterCall | Moment::AfterFailure);
    let Some(call) = event.tool.as_ref().filter(|_| ended) else { return Ok(()) };
    let Some(line) = call.input.text("command").or_else(|| call.input.text("cmd")) else { return Ok(()) };
    // Reading the policy costs more than all else here.
    if !state::has(&world.states, &around.root, state::RUNS) && state::has(&world.states, &around.root, state::POLICY) {
        return Ok(());
    }
    let Some(found) = layers::look(&around.layers).ok().filter(|found| found.iter().any(|file| !file.identity.is_empty())) else { return Ok(()) };
    let Some(compiled) = Stop::unless_failed(policy_here(&found, around, world, deep))? else { return Ok(()) };
    let may_run = compiled.open().ok().and_then(|policy| policy.tests_first).is_some_and(|section| section.may_run(line));
    match compiled {
        _ if !may_run => {}
        CompiledPolicy::File(_) => return Err(Stop::HandOver),
        CompiledPolicy::Memory(bytes) => drop(Stop::unless_failed(deep.remember_run(event, call, around, &bytes))?),
    }
    Ok(())
}

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
fn evidence(event: &Event, around: &Surroundings, world: &World, deep: &dyn Deep) -> Result<(), Stop> {
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
fn ending(event: &Event, around: &Surroundings, world: &World, deep: &dyn Deep) -> Result<Option<String>, Stop> {
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

/// The message at the start of a session: whether a pause is active, whether the record cannot be written, whether a
/// linked work tree is under the policy of its main one, and whether policies are where nothing reads them. `None` if none
/// is so.
fn session_start(recorded: bool, around: &Surroundings, world: &World) -> Option<String> {
    let paused = pause_minutes(world, around)
        .map(|minutes| format!("Portcullis is paused for {minutes} more min: no call is denied or asked about (`portcullis pause --end` ends the pause)"));
    let lost = (!recorded).then(|| "Portcullis is active, but it cannot write its record: `portcullis doctor` says why".to_owned());
    let repository = around.repository.as_ref().filter(|repository| repository.root != around.root);
    let main = repository.and_then(main_work_tree).filter(|main| *main == around.root);
    let by_main = main.map(|main| format!("this linked work tree is under the policy of its main one, `{}`", escaped(&main.to_string_lossy())));
    let unread = around.repository.as_ref().and_then(unread::note);
    let notes: Vec<String> = paused.into_iter().chain(lost).chain(by_main).chain(unread).collect();
    (!notes.is_empty()).then(|| notes.join("; "))
}

/// Settings that changed while the session runs. They are denied if the client would not start Portcullis any more.
///
/// # Errors
///
/// [`Stop`]
pub(crate) fn settings_changed(event: &Event, world: &World, deep: &dyn Deep) -> Result<HookAnswer, Stop> {
    if matches!(event.source.as_str(), "policy_settings" | "skills") {
        return Ok(HookAnswer::nothing());
    }
    if !deep.is_cold() {
        return Err(Stop::HandOver);
    }
    let around = world.around(event)?;
    let why = deep.settings_changed(event, &around, world)?.filter(|_| pause_until(world, &around).is_none());
    Ok(why.map_or_else(HookAnswer::nothing, |why| {
        let reason = format!(
            "denied: the new settings are not used\nwhy: {}\nfix: change the settings outside the session, or run `portcullis init` again",
            escaped_lines(&why)
        );
        denial(event, &reason)
    }))
}
