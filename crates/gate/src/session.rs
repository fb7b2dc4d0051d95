//! Events that are not calls. Events that only inform are recorded, and answered with what the model or the person should
//! know. Changed settings are judged.

use std::borrow::Cow;

use actions::shown::{escaped, escaped_lines};
use clients::{Event, Moment};
use policy::Policy;

use crate::answer::{HookAnswer, denial};
use crate::call::{entry, fleet_store, pause_minutes, pause_until, policy_bytes, policy_here};
use crate::deep::{Deep, Stop};
use crate::ended::{self, EndedCall};
use crate::failure;
use crate::judge::today;
use crate::metering;
use crate::notes::{Note, apply};
use crate::record::Entry;
use crate::world::approved::UseEnd;
use crate::world::compiled::CompiledPolicy;
use crate::world::meters::{self, AnsweredPrice, CallEnd, CallIdentity, FleetStore};
use crate::world::repository::main_work_tree;
use crate::world::{Surroundings, World, approved, layers, others, owed, pending, record, state, system, trail, unread, waiting};
use crate::{BUILD, gating, release};

/// Records an event that only informs. Returns what the model and the person should know.
///
/// # Errors
///
/// [`Stop::HandOver`]
#[inline(never)] // Most calls do not come here, and touch fewer pages without it.
pub(crate) fn inform(event: &Event, world: &World, deep: &dyn Deep) -> Result<HookAnswer, Stop> {
    if event.moment == Moment::Other {
        return Ok(HookAnswer::nothing());
    }
    let completed = ended::completed(event);
    let event = completed.as_ref().unwrap_or(event);
    let Ok(around) = world.around(event) else { return Ok(HookAnswer::nothing()) };
    // First, for the cold binary does all of this once more.
    let counts = ends_call(event) && meters::counts(&around);
    let fleet = if counts { fleet(event, &around, world, deep)? } else { None };
    spend(event, &around, world, deep)?;
    gating::evidence(event, &around, world, deep)?;
    if let Some(reason) = gating::ending(event, &around, world, deep)? {
        let answer = denial(event, &reason);
        apply(&[Note::Record(Box::new(Entry { held: answer.held, ..entry(event, deep) }))], &around, world);
        return Ok(answer);
    }
    let ended = ended_call(event, &around, world, deep)?;
    let metered = if counts || !ends_call(event) { meters(event, &around, &ended.prices, fleet.as_deref()) } else { None };
    approvals(event, &around);
    let turns = matches!(event.moment, Moment::TurnEnd | Moment::SubagentEnd | Moment::SessionStart | Moment::SessionEnd);
    let policy = if turns { flywheel_policy(&around, world, deep)? } else { None };
    let owed = owed_calls(event, &around, world, deep)?;
    let recorded = apply(&[Note::Record(Box::new(entry(event, deep)))], &around, world);
    let context = match event.moment {
        // What the model cannot read now is kept until it can.
        Moment::AfterCall | Moment::AfterFailure | Moment::Prompt if !event.client.takes_context(event.moment) => None,
        Moment::AfterCall | Moment::AfterFailure | Moment::Prompt => pending::take(&around.memory, around.tree(), &around.session),
        _ => match policy.as_deref().and_then(Policy::open).and_then(|policy| policy.flywheel) {
            Some(section) => Stop::unless_failed(deep.turn(event, &around, &section))?.flatten(),
            None => None,
        },
    };
    if event.moment == Moment::SessionStart {
        record::let_go(&around.memory, system::now_ms());
    }
    let begins = if event.moment == Moment::SessionStart { said_at_start(&around, world, deep)? } else { AtStart::default() };
    let others = if matches!(event.moment, Moment::SessionStart | Moment::Prompt) { other_sessions(&around) } else { None };
    let lines: Vec<String> = begins.lines.into_iter().chain(others).chain(ended.notes).chain(owed).chain(context).collect();
    let context = (!lines.is_empty()).then(|| lines.join("\n"));
    if event.moment == Moment::SessionEnd {
        others::leave(&around);
    }
    let person = if event.moment == Moment::SessionStart { session_start(recorded, &around, world) } else { None };
    let person = begins.stale.into_iter().chain(person).reduce(|one, other| format!("{one}; {other}"));
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
    let mut file = None;
    let compiled = Stop::unless_failed(policy_here(&found, around, world, deep, &mut file))?;
    let has_flywheel = compiled.is_some_and(|compiled| compiled.open().is_ok_and(|policy| policy.flywheel.is_some()));
    if has_flywheel { Err(Stop::HandOver) } else { Ok(None) }
}

/// Whether an event says how a call ended.
fn ends_call(event: &Event) -> bool {
    matches!(event.moment, Moment::AfterCall | Moment::AfterFailure | Moment::Refused)
}

/// Where a call that has ended is counted for a fleet. A store that cannot be named leaves the call counted for ten minutes.
fn fleet(event: &Event, around: &Surroundings, world: &World, deep: &dyn Deep) -> Result<Option<Box<dyn FleetStore>>, Stop> {
    let Some(call) = CallIdentity::of(event) else { return Ok(None) };
    Ok(Stop::unless_failed(fleet_store(call, around, world, deep))?.flatten())
}

/// Adds what the model cost since the last look, where a budget counts it. At the end of a call [`ended_call`] does it, which opens
/// the policy anyway.
fn spend(event: &Event, around: &Surroundings, world: &World, deep: &dyn Deep) -> Result<(), Stop> {
    if !matches!(event.moment, Moment::TurnEnd | Moment::SubagentEnd | Moment::SessionEnd | Moment::Prompt) {
        return Ok(());
    }
    let Ok(found) = layers::look(&around.layers) else { return Ok(()) };
    if found.iter().all(|file| file.identity.is_empty()) {
        return Ok(());
    }
    let mut file = None;
    let Some(compiled) = Stop::unless_failed(policy_here(&found, around, world, deep, &mut file))? else { return Ok(()) };
    compiled.open().map_or(Ok(()), |policy| count_spend(event, &policy, around, deep))
}

fn count_spend(event: &Event, policy: &Policy, around: &Surroundings, deep: &dyn Deep) -> Result<(), Stop> {
    if let Some(tiers) = policy.tiers().filter(|tiers| tiers.budgets.iter().any(|budget| budget.tokens)) {
        Stop::unless_failed(deep.count_spend(event, around, &tiers))?;
    }
    Ok(())
}

/// Counts a call that ran, and gives back what did not run. Returns what a person must know.
fn meters(event: &Event, around: &Surroundings, prices: &[AnsweredPrice], fleet: Option<&dyn FleetStore>) -> Option<String> {
    let ended = |how| CallIdentity::of(event).map_or(Ok(()), |call| meters::end(call, how, around, prices, fleet));
    let done = match event.moment {
        Moment::AfterCall | Moment::AfterFailure => ended(CallEnd::Ran),
        Moment::Refused => ended(CallEnd::DidNotRun),
        Moment::Prompt if is_of_person(event) => {
            trail::forget(around);
            meters::begin_run(around).and_then(|()| meters::give_back_all(around))
        }
        Moment::TurnEnd | Moment::SessionEnd => meters::give_back_all(around),
        Moment::SessionStart => meters::check(around),
        _ => Ok(()),
    };
    done.err().map(|failure| format!("limits and budgets: {}", failure::what(&failure)))
}

/// Writes down what came of calls that used an approval. A client that does not report how calls end gives nothing back by silence.
fn approvals(event: &Event, around: &Surroundings) {
    let of_call = |end| CallIdentity::of(event).into_iter().for_each(|call| approved::ended(call, end, around));
    let reports = || event.client.wired().iter().any(|wired| wired.moment == Moment::AfterCall);
    match event.moment {
        Moment::AfterCall | Moment::AfterFailure => of_call(UseEnd::Ran),
        Moment::Refused => of_call(UseEnd::Refused),
        Moment::Prompt if is_of_person(event) && reports() => approved::turn_ended(false, around),
        Moment::TurnEnd | Moment::SubagentEnd if reports() => approved::turn_ended(false, around),
        Moment::SessionEnd if reports() => approved::turn_ended(true, around),
        Moment::SessionStart if event.source != "compact" => approved::session_resumed(around),
        _ => {}
    }
}

/// Whether a prompt is a person's, and not a program's or a background task's.
fn is_of_person(event: &Event) -> bool {
    matches!(event.source.as_str(), "" | "user" | "sdk")
}

/// Looks at a call that ended, if the policy asks for that: a run of tests is noted, its answer is looked into. A policy that
/// cannot be read is not reported here: the next call before an action reports it.
fn ended_call(event: &Event, around: &Surroundings, world: &World, deep: &dyn Deep) -> Result<EndedCall, Stop> {
    let nothing = EndedCall::default();
    let ended = matches!(event.moment, Moment::AfterCall | Moment::AfterFailure);
    let Some(call) = event.tool.as_ref().filter(|_| ended) else { return Ok(nothing) };
    // Reading the policy costs more than all else here.
    let is_asked_for = state::has(&world.states, &around.root, state::ENDED);
    if !is_asked_for && state::has(&world.states, &around.root, state::POLICY) {
        return Ok(nothing);
    }
    let Some(found) = layers::look(&around.layers).ok().filter(|found| found.iter().any(|file| !file.identity.is_empty())) else { return Ok(nothing) };
    let mut file = None;
    let Some(compiled) = Stop::unless_failed(policy_here(&found, around, world, deep, &mut file))? else { return Ok(nothing) };
    let Ok(policy) = compiled.open() else { return Ok(nothing) };
    if is_asked_for && meters::spend_is_due(around) {
        count_spend(event, &policy, around, deep)?;
    }
    let line = call.input.text("command").or_else(|| call.input.text("cmd"));
    if let (Some(section), Some(line)) = (&policy.tests_first, line)
        && section.may_run(line)
    {
        match &compiled {
            CompiledPolicy::File(..) => return Err(Stop::HandOver),
            CompiledPolicy::Memory(bytes) => drop(Stop::unless_failed(deep.remember_run(event, call, around, bytes))?),
        }
    }
    Ok(Stop::unless_failed(ended::look(event, call, &policy, around, deep))?.unwrap_or(nothing))
}

/// What must still follow before the turn ends. The session is reminded of each once.
fn owed_calls(event: &Event, around: &Surroundings, world: &World, deep: &dyn Deep) -> Result<Vec<String>, Stop> {
    if event.stopping || !matches!(event.moment, Moment::TurnEnd | Moment::SubagentEnd) || !owed::any(around) {
        return Ok(Vec::new());
    }
    let Some(found) = layers::look(&around.layers).ok() else { return Ok(Vec::new()) };
    let mut file = None;
    let Some(compiled) = Stop::unless_failed(policy_here(&found, around, world, deep, &mut file))? else { return Ok(Vec::new()) };
    let follow_ups = compiled.open().ok().and_then(|policy| policy.tiers()).map(|tiers| tiers.follow_ups).unwrap_or_default();
    let due = follow_ups.iter().filter(|follow_up| !follow_up.shadow && owed::remind(follow_up.name, around));
    Ok(due
        .map(|follow_up| format!("`{}` asks for `{}` before the work is called done, and it was not seen", follow_up.name, escaped(follow_up.shown)))
        .collect())
}

/// What the model reads if another session works in the same work tree. A session is shown it once, and again after an hour.
fn other_sessions(around: &Surroundings) -> Option<String> {
    let latest = others::arrive(around).into_iter().next()?;
    let seen = owed::is_new("another-session", around);
    seen.then(|| {
        format!(
            "another agent session works in this work tree (its last sign {} ago): files can change under your hands, so look at `git status` before you commit",
            metering::duration(latest.as_secs())
        )
    })
}

/// The most limits and budgets that are named at the start of a session.
const MAX_METERS: usize = 5;

/// What is said at the start of a session because of the policy.
#[derive(Default)]
struct AtStart {
    /// What the model reads.
    lines: Vec<String>,
    /// What the person reads if the organisation's policy has ended.
    stale: Option<String>,
}

/// What is said when a session begins, is resumed or was compacted: that calls are judged, whether the organisation's policy has
/// ended, and what is left of limits and budgets.
fn said_at_start(around: &Surroundings, world: &World, deep: &dyn Deep) -> Result<AtStart, Stop> {
    let Ok(found) = layers::look(&around.layers) else { return Ok(AtStart::default()) };
    let mut file = None;
    let Some(compiled) = Stop::unless_failed(policy_here(&found, around, world, deep, &mut file))? else {
        let line = "Portcullis denies every tool call here, because its policy has a mistake: tell the user to run `portcullis doctor`";
        return Ok(AtStart { lines: vec![line.to_owned()], stale: None });
    };
    let Ok(policy) = compiled.open() else { return Ok(AtStart::default()) };
    let digest = if found.iter().all(|file| file.identity.is_empty()) { "built-in rules".to_owned() } else { format!("policy {}", policy.digest) };
    let version = BUILD.split('+').next().unwrap_or(BUILD);
    let first = format!(
        "Portcullis {version} judges each tool call here ({digest}): a denial says why and what to do instead, and the same by another way is denied too"
    );
    let mut states = if policy.has_meters() { meters::states(&policy, around, None).unwrap_or_default() } else { Vec::new() };
    // Those of which little is left come first.
    states.sort_by_key(|state| std::cmp::Reverse(u128::from(state.standing.used) * 1000 / u128::from(state.standing.of.max(1))));
    let stale = policy.tiers().and_then(|tiers| release::stale(&tiers.release?, today()));
    let lines = std::iter::once(first).chain(stale.clone()).chain(gating::phase_line(&policy, around));
    let lines = lines.chain(states.iter().take(MAX_METERS).map(metering::left)).collect();
    Ok(AtStart { lines, stale: stale.map(|stale| format!("{stale}: {}", release::MEND)) })
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
    let notes: Vec<String> = paused.into_iter().chain(lost).chain(by_main).chain(unread).chain(waiting::said(&around.memory)).collect();
    (!notes.is_empty()).then(|| notes.join("; "))
}

/// Settings that changed while the session runs. They are denied if the client would not start Portcullis any more.
///
/// # Errors
///
/// [`Stop`]
#[inline(never)] // Most calls do not come here, and touch fewer pages without it.
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
