//! Events that are not calls. Events that only inform are recorded, and answered with what the model or the person should
//! know. Changed settings are judged.

use std::borrow::Cow;

use actions::shown::{escaped, escaped_lines};
use clients::{Event, Moment};
use policy::Policy;

use crate::answer::{HookAnswer, denial};
use crate::call::{entry, pause_minutes, pause_until, policy_bytes, policy_here};
use crate::deep::{Deep, Stop};
use crate::notes::{Note, apply};
use crate::world::compiled::CompiledPolicy;
use crate::world::repository::main_work_tree;
use crate::world::{Surroundings, World, layers, pending, state, unread};

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
    let mut file = None;
    let compiled = Stop::unless_failed(policy_here(&found, around, world, deep, &mut file))?;
    let has_flywheel = compiled.is_some_and(|compiled| compiled.open().is_ok_and(|policy| policy.flywheel.is_some()));
    if has_flywheel { Err(Stop::HandOver) } else { Ok(None) }
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
    let mut file = None;
    let Some(compiled) = Stop::unless_failed(policy_here(&found, around, world, deep, &mut file))? else { return Ok(()) };
    let may_run = compiled.open().is_ok_and(|policy| policy.tests_first.as_ref().is_some_and(|section| section.may_run(line)));
    match compiled {
        _ if !may_run => {}
        CompiledPolicy::File(..) => return Err(Stop::HandOver),
        CompiledPolicy::Memory(bytes) => drop(Stop::unless_failed(deep.remember_run(event, call, around, &bytes))?),
    }
    Ok(())
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
