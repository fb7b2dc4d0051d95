//! The only place that strings the stages together: event, actions, facts, decision, answer. Doors, `explain`, `test` and
//! the tests call it.

#[cfg(feature = "cold")]
pub mod commit;
#[cfg(feature = "cold")]
pub mod flywheel;
#[cfg(feature = "cold")]
mod push;
#[cfg(feature = "cold")]
mod refs;

#[cfg(feature = "cold")]
pub use push::{Ruling, pushed};
#[cfg(feature = "cold")]
pub use refs::refs_moved;

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::action::lookup::Lookups;
use crate::action::{self, Action, Deed, shell};
use crate::answer::{self, Answer};
use crate::decide::{Decided, decide};
use crate::door::Door;
use crate::event::{self, Event, Kind, ToolCall, Unreadable};
use crate::facts::{Facts, Known, Need, Places};
use crate::failure::{Conclusion, Failure, conclude};
use crate::policy::{Policy, Tier};
use crate::record::{Entry, Held, Source};
use crate::report::plain;
use crate::verdict::Verdict;
use crate::world::{Surroundings, World, layers, observe, pending, record, state, system, written};

/// Bytes of an event that are read; what is larger is denied.
pub const MAX_INPUT: usize = 24 << 20;
/// Rounds of asking for facts; each round's questions come of the answers before, and rules have two levels of them.
const MAX_ROUNDS: usize = 8;
/// Files and configurations that are looked up for one call.
const MAX_LOOKUPS: usize = 128;
/// The largest input that is kept with a refusal.
const MAX_KEPT: usize = 256 << 10;

/// The packs that are on by default, compiled. Made by the test `built_in::the_compiled_policy_is_fresh`.
pub static BUILT_IN: &[u8] = include_bytes!("../policies/compiled.bin");

/// What became of an event.
#[derive(Debug)]
pub enum Outcome {
    /// The answer.
    Answer(Answer),
    /// The cold door must decide.
    HandOver,
}

/// Judges an event as it came in. `argument` is the event's name on the command line, where there is one.
#[must_use]
pub fn answer(argument: Option<&str>, input: &[u8], world: &World, door: Door) -> Outcome {
    let told = argument.map_or(Kind::Guarding, Kind::of);
    let event = match event::read(input) {
        Ok(event) => event,
        Err(unreadable) => {
            let why = match unreadable {
                Unreadable::Json(why) => why,
                Unreadable::Missing(field) => format!("it has no `{field}`"),
            };
            return Outcome::Answer(answer::to_failure(&Failure::InputUnreadable(why), told));
        }
    };
    let kind = Kind::of(&event.name);
    if let Some(argument) = argument.filter(|argument| *argument != event.name) {
        // Whichever of the two can hold something decides what the failure concludes.
        let strict = if told == Kind::Observing { kind } else { told };
        let failure = Failure::EventMismatch { argument: argument.to_owned(), input: event.name.clone() };
        return Outcome::Answer(answer::to_failure(&failure, strict));
    }
    match judged(&event, input, world, door) {
        Ok(outcome) => outcome,
        Err(failure) => {
            if let Ok(around) = world.around(&event) {
                let held = (conclude(&failure, kind) == Conclusion::Deny).then_some(Held::Deny);
                let said = crate::failure::what(&failure);
                note(&Entry { held, said, tier: held.map(|_| Tier::Prohibited as u8), ..entry(&event, door) }, &around);
            }
            Outcome::Answer(answer::to_failure(&failure, kind))
        }
    }
}

fn judged(event: &Event, input: &[u8], world: &World, door: Door) -> Result<Outcome, Failure> {
    if Kind::of(&event.name) == Kind::Observing {
        return Ok(signal(event, world, door));
    }
    if event.name == "ConfigChange" {
        let outcome = config_change(event, world, door)?;
        if let (Outcome::Answer(answer), Ok(around)) = (&outcome, world.around(event)) {
            note(&Entry { held: held(event, answer), ..entry(event, door) }, &around);
        }
        return Ok(outcome);
    }
    let Some(call) = &event.tool else { return Ok(Outcome::Answer(Answer::nothing())) };
    let around = world.around(event)?;
    let found = layers::look(&around.layers)?;
    let Some(bytes) = policy_bytes(&found, &around, world, door)? else { return Ok(Outcome::HandOver) };
    let policy = Policy::open(&bytes).ok_or(Failure::PolicyDamaged)?;
    let mut facts = facts(event, &around.places);
    let Some(actions) = actions(call, &facts.places, &policy, &around) else { return Ok(Outcome::HandOver) };
    let Some(mut decided) = settle(&actions, &mut facts, &around, &policy, door, false)? else { return Ok(Outcome::HandOver) };
    if !tests_first(&mut decided.verdict, &actions, &facts, &policy, &around) || !documents(&mut decided.verdict, &actions, &around, &policy) {
        return Ok(Outcome::HandOver);
    }
    let (answer, paused) = said(event, &decided.verdict, input, &around, world);
    let held = held(event, &answer);
    if held != Some(Held::Deny)
        && let Err(error) = written::remember(&actions, &around)
    {
        unrecorded(&error);
    }
    note(&Entry { held, paused, ..entry(event, door).judged(&actions, &decided.verdict) }, &around);
    Ok(Outcome::Answer(answer))
}

/// The compiled policy that holds: the built-in one where no layer has a file, else the cache; compiled anew by the cold
/// door where that is stale. None: the cold door must.
///
/// # Errors
///
/// What keeps the policy from being known.
pub fn policy_bytes(found: &[layers::Found], around: &Surroundings, world: &World, door: Door) -> Result<Option<Cow<'static, [u8]>>, Failure> {
    if found.iter().all(|file| file.identity.is_empty()) {
        return Ok(Some(BUILT_IN.into()));
    }
    let cached = state::read(&world.states, &around.root, state::POLICY);
    if let Some(bytes) = cached.filter(|bytes| Policy::open(bytes).is_some_and(|policy| layers::fresh(&policy, found))) {
        return Ok(Some(bytes.into()));
    }
    match door {
        Door::Hot => Ok(None),
        #[cfg(feature = "cold")]
        Door::Cold => crate::cli::compiling::compile_layers(found, around, world).map(|compiled| Some(compiled.bytes.into())),
        #[cfg(not(feature = "cold"))]
        Door::Cold => Err(Failure::PolicyDamaged),
    }
}

/// The facts where git asks: it does not say which agent does it, or in which mode, so it is judged as the main agent's,
/// in the usual one.
#[cfg(feature = "cold")]
fn facts_of(places: &Places) -> Facts {
    Facts { places: places.clone(), known: BTreeMap::new(), today: today(), agent: "main".to_owned(), mode: "default".to_owned() }
}

/// The facts that are known before anything is asked.
#[must_use]
pub fn facts(event: &Event, places: &Places) -> Facts {
    Facts { places: places.clone(), known: BTreeMap::new(), today: today(), agent: event.agent.clone(), mode: event.mode.clone() }
}

/// Days since 1970-01-01.
fn today() -> i64 {
    i64::try_from(system::now() / 86_400).unwrap_or(i64::MAX)
}

/// What a call would do. Scripts, recipes and configuration that decide it are looked up. None: the cold door must.
#[must_use]
pub fn actions(call: &ToolCall, places: &Places, policy: &Policy, around: &Surroundings) -> Option<Vec<Action>> {
    let setting = setting(places);
    let mut lookups = Lookups::default();
    for _ in 0..MAX_ROUNDS {
        let (actions, mut found) = action::tools::of(call, &setting, &policy.programs, lookups);
        if found.asked.is_empty() || found.known.len() > MAX_LOOKUPS {
            return Some(actions);
        }
        for lookup in std::mem::take(&mut found.asked) {
            let answer = crate::world::lookup::look_up(&lookup, around)?;
            found.known.push((lookup, answer));
        }
        lookups = found;
    }
    Some(action::tools::of(call, &setting, &policy.programs, lookups).0)
}

/// Where a command of a call starts.
#[must_use]
pub fn setting(places: &Places) -> shell::Setting {
    shell::Setting {
        cwd: places.cwd.clone(),
        home: places.homes.first().cloned(),
        temporary: places.temporary.last().cloned().unwrap_or_else(|| "/tmp".to_owned()),
        root: places.roots.first().cloned().unwrap_or_default(),
        zsh: places.zsh,
    }
}

/// Decides, and finds out what the decision asks for, until it stands. None: the cold door must.
///
/// # Errors
///
/// [`Failure::PolicyDamaged`].
pub fn settle(actions: &[Action], facts: &mut Facts, around: &Surroundings, policy: &Policy, door: Door, every: bool) -> Result<Option<Decided>, Failure> {
    for _ in 0..MAX_ROUNDS {
        let decided = decide(actions, facts, policy, every).ok_or(Failure::PolicyDamaged)?;
        if decided.needs.is_empty() {
            return Ok(Some(decided));
        }
        let (light, heavy): (Vec<_>, Vec<_>) = decided.needs.into_iter().partition(observe::is_light);
        if light.is_empty() {
            // The heavy questions are asked last: what the others tell may make them needless.
            let found = if door == Door::Cold { heavy_facts(heavy, around) } else { None };
            let Some(found) = found else { return Ok(None) };
            facts.known.extend(found);
        }
        facts.known.extend(light.into_iter().map(|need| {
            let known = observe::light(&need, around);
            (need, known)
        }));
    }
    decide(actions, facts, policy, every).map(Some).ok_or(Failure::PolicyDamaged)
}

/// Adds what the section on tests finds in the writes of a call. False: the cold door must look.
#[cfg(feature = "cold")]
pub fn tests_first(verdict: &mut Verdict, actions: &[Action], facts: &Facts, policy: &Policy, around: &Surroundings) -> bool {
    let Some(section) = policy.tests_first.as_ref().filter(|section| speaks_of_tests(section, actions, facts)) else { return true };
    let mut found = crate::world::tests_first::trees(actions, &facts.places.roots, &around.memory, |path| section.concerns(path))
        .iter()
        .flat_map(|(tree, changes)| crate::tests_first::judge(changes, tree, section, facts.today))
        .collect::<Vec<_>>();
    found.extend(crate::tests_first::snapshots_renewed(actions, section));
    verdict.add(found);
    true
}

/// The hot door only knows which names concern the section.
#[cfg(not(feature = "cold"))]
pub fn tests_first(_: &mut Verdict, actions: &[Action], facts: &Facts, policy: &Policy, _: &Surroundings) -> bool {
    !policy.tests_first.as_ref().is_some_and(|section| speaks_of_tests(section, actions, facts))
}

/// Whether a call writes or deletes a file that could be a source, a test or a setting of what is checked, or renews what
/// tests expect.
fn speaks_of_tests(section: &crate::policy::TestsFirst, actions: &[Action], facts: &Facts) -> bool {
    let inside = |path: &str| below(path, &facts.places.roots).any(|rest| !rest.is_empty());
    actions.iter().any(|action| match &action.deed {
        Deed::Write(write) => write.path.word.literal().is_some_and(|path| inside(path) && section.concerns(path)),
        // A folder's name tells nothing of what is in it.
        Deed::Delete(delete) => delete.path.word.literal().is_some_and(|path| inside(path) && (delete.recursive || section.concerns(path))),
        Deed::Run(run) => crate::policy::renews_snapshots(run),
        _ => false,
    })
}

/// The path from each root that it is below or is itself; that of a root is empty.
fn below<'p>(path: &'p str, roots: &'p [String]) -> impl Iterator<Item = &'p str> {
    roots.iter().filter_map(move |root| {
        let rest = path.strip_prefix(root.as_str())?;
        if rest.is_empty() { Some(rest) } else { rest.strip_prefix('/') }
    })
}

/// Adds what the section on documents finds in a call. False: the cold door must look.
pub fn documents(verdict: &mut Verdict, actions: &[Action], around: &Surroundings, policy: &Policy) -> bool {
    let Some(section) = &policy.flywheel else { return true };
    let gated = section.map.iter().any(|pair| pair.gate.is_some());
    let commits = || actions.iter().any(|action| matches!(&action.deed, Deed::Run(run) if commits(run)));
    let concerned = loses_learnings(section, actions, &around.places.roots) || (gated && commits());
    if !concerned {
        return true;
    }
    #[cfg(feature = "cold")]
    flywheel::judge(verdict, actions, around, section);
    #[cfg(not(feature = "cold"))]
    let _ = verdict;
    cfg!(feature = "cold")
}

/// Whether a call writes or deletes a file of what was learned, or a folder in which one is.
fn loses_learnings(section: &crate::policy::Flywheel, actions: &[Action], roots: &[String]) -> bool {
    let kept = || section.learnings.iter().chain([&section.archive]);
    let inside = |path: &str, with_contents: bool| {
        below(path, roots).any(|rest| {
            kept().any(|file| *file == rest || (with_contents && (rest.is_empty() || file.strip_prefix(rest).is_some_and(|rest| rest.starts_with('/')))))
        })
    };
    actions.iter().any(|action| match &action.deed {
        Deed::Write(write) => write.path.word.literal().is_some_and(|path| inside(path, false)),
        Deed::Delete(delete) => delete.path.word.literal().is_some_and(|path| inside(path, delete.recursive || delete.moved)),
        _ => false,
    })
}

/// Whether a command makes a commit.
fn commits(run: &action::Run) -> bool {
    run.program == "git" && run.subcommand.as_ref().and_then(|subcommand| subcommand.literal()) == Some("commit")
}

/// What only the cold door finds out. None: this binary is not it.
#[cfg(feature = "cold")]
#[expect(clippy::unnecessary_wraps, reason = "its twin of the hot binary has nothing to give")]
fn heavy_facts(needs: Vec<Need>, around: &Surroundings) -> Option<Vec<(Need, Known)>> {
    let found = needs.into_iter().map(|need| {
        let known = crate::world::gate::heavy(&need, around);
        (need, known)
    });
    Some(found.collect())
}

#[cfg(not(feature = "cold"))]
fn heavy_facts(_: Vec<Need>, _: &Surroundings) -> Option<Vec<(Need, Known)>> {
    None
}

/// The answer, with what is left behind for the person: the last refusal. A pause lets everything go on.
fn said(event: &Event, verdict: &Verdict, input: &[u8], around: &Surroundings, world: &World) -> (Answer, bool) {
    if verdict.findings.iter().all(|finding| finding.tier < Tier::Supervised) {
        return (Answer::nothing(), false);
    }
    let paused = pause_until(world, around).is_some();
    let answer = if paused { Answer::nothing() } else { answer::to(event, verdict, command(event), world.attended) };
    if let Err(failure) = leave_last(event, verdict, input, &answer, paused, around, world) {
        // The record of a refusal never changes it.
        debug_assert_eq!(conclude(&failure, Kind::Guarding), Conclusion::GoOn);
    }
    (answer, paused)
}

/// Events that are recorded as signals: what became of calls, and where a turn begins and ends.
const SIGNALS: &[&str] = &[
    "PostToolUse",
    "PostToolUseFailure",
    "Stop",
    "SubagentStop",
    "SessionStart",
    "SessionEnd",
    "UserPromptSubmit",
    "PermissionDenied",
    // Gemini CLI
    "AfterTool",
    "BeforeAgent",
    "AfterAgent",
];

/// An entry for an event, as of now.
fn entry(event: &Event, door: Door) -> Entry {
    let source = match door {
        Door::Hot => Source::Hot,
        Door::Cold => Source::Cold,
    };
    Entry::of(event, source, system::now_ms())
}

/// Puts an entry into the record; whether it is there now. What cannot be recorded changes nothing.
pub fn note(entry: &Entry, around: &Surroundings) -> bool {
    record::append(&around.memory, &entry.line()).map_err(|error| unrecorded(&error)).is_ok()
}

fn unrecorded(error: &std::io::Error) {
    debug_assert_eq!(conclude(&Failure::RecordUnwritable(error.to_string()), Kind::Guarding), Conclusion::GoOn);
}

/// How an answer holds its call.
fn held(event: &Event, answer: &Answer) -> Option<Held> {
    match answer {
        answer if *answer == Answer::nothing() => None,
        Answer { code: 0, .. } if Kind::of(&event.name) == Kind::Guarding => Some(Held::Ask),
        _ => Some(Held::Deny),
    }
}

/// An event that only tells: it is recorded, and the start of a session is told what a person should know.
fn signal(event: &Event, world: &World, door: Door) -> Outcome {
    let nothing = Outcome::Answer(Answer::nothing());
    if !SIGNALS.contains(&event.name.as_str()) {
        return nothing;
    }
    let Ok(around) = world.around(event) else { return nothing };
    if test_run(event, &around, world, door) == Some(true) {
        return Outcome::HandOver;
    }
    let turns = matches!(event.name.as_str(), "Stop" | "SubagentStop" | "AfterAgent" | "SessionStart" | "SessionEnd");
    let policy = if turns { flywheel_policy(&around, world, door) } else { Some(None) };
    let Some(policy) = policy else { return Outcome::HandOver };
    let recorded = note(&entry(event, door), &around);
    let context = match event.name.as_str() {
        "PostToolUse" | "PostToolUseFailure" | "AfterTool" | "UserPromptSubmit" | "BeforeAgent" => pending::take(&around.memory, around.tree()),
        _ => policy.and_then(|bytes| turned(event, &around, &bytes)),
    };
    let person = if event.name == "SessionStart" { session_start(recorded, &around, world) } else { None };
    Outcome::Answer(answer::context(event, context.as_deref(), person.as_deref()))
}

/// The policy, where it has a flywheel; inner none: it has not. Outer none: the cold door must look, for this one does not
/// know or has not got what turns it.
fn flywheel_policy(around: &Surroundings, world: &World, door: Door) -> Option<Option<Cow<'static, [u8]>>> {
    let Ok(found) = layers::look(&around.layers) else { return Some(None) };
    if found.iter().all(|file| file.identity.is_empty()) {
        return Some(None);
    }
    let bytes = match policy_bytes(&found, around, world, door) {
        Ok(bytes) => bytes?,
        Err(_) => return Some(None),
    };
    let on = Policy::open(&bytes).is_some_and(|policy| policy.flywheel.is_some());
    match (on, door) {
        (false, _) => Some(None),
        (true, Door::Hot) => None,
        (true, Door::Cold) => Some(Some(bytes)),
    }
}

/// What the flywheel tells the model.
#[cfg(feature = "cold")]
fn turned(event: &Event, around: &Surroundings, policy: &[u8]) -> Option<String> {
    let policy = Policy::open(policy)?;
    flywheel::turned(event, around, policy.flywheel.as_ref()?)
}

#[cfg(not(feature = "cold"))]
fn turned(_: &Event, _: &Surroundings, _: &[u8]) -> Option<String> {
    None
}

/// Where the policy asks for runs of tests to be seen: whether the cold door must look at what became of this command,
/// which is it itself where it gives none. A policy that cannot be read is told where something is held.
fn test_run(event: &Event, around: &Surroundings, world: &World, door: Door) -> Option<bool> {
    let call = event.tool.as_ref().filter(|_| matches!(event.name.as_str(), "PostToolUse" | "PostToolUseFailure" | "AfterTool"))?;
    let line = call.input.text("command").or_else(|| call.input.text("cmd"))?;
    // Reading the policy costs more than all else here.
    if !state::has(&world.states, &around.root, state::RUNS) && state::has(&world.states, &around.root, state::POLICY) {
        return None;
    }
    let found = layers::look(&around.layers).ok().filter(|found| found.iter().any(|file| !file.identity.is_empty()))?;
    let Some(bytes) = policy_bytes(&found, around, world, door).ok()? else { return Some(true) };
    let policy = Policy::open(&bytes)?;
    let section = policy.tests_first.as_ref().filter(|section| section.may_run(line))?;
    remember_run(event, call, around, &policy, section)
}

#[cfg(feature = "cold")]
fn remember_run(event: &Event, call: &ToolCall, around: &Surroundings, policy: &Policy, section: &crate::policy::TestsFirst) -> Option<bool> {
    let facts = facts(event, &around.places);
    let actions = actions(call, &facts.places, policy, around)?;
    if actions.iter().any(|action| matches!(&action.deed, Deed::Run(run) if section.runs(run))) {
        let seen = crate::tests_first::Seen::of(event, call)?;
        crate::world::tests_first::remember_runs(&seen, &facts.places.roots, &around.memory).map_err(|error| unrecorded(&error)).ok()?;
    }
    None
}

#[cfg(not(feature = "cold"))]
#[expect(clippy::unnecessary_wraps, reason = "its twin of the cold binary has nothing to hand on")]
fn remember_run(_: &Event, _: &ToolCall, _: &Surroundings, _: &Policy, _: &crate::policy::TestsFirst) -> Option<bool> {
    Some(true)
}

/// The end of a pause that a person made, in seconds since 1970, if it has not come yet.
#[must_use]
pub fn pause_until(world: &World, around: &Surroundings) -> Option<u64> {
    let bytes = state::read(&world.states, &around.root, state::PAUSE)?;
    let pause = event::json::Json::read(&bytes).ok()?;
    let until: u64 = pause.get("until")?.scalar()?.parse().ok()?;
    (system::now() < until).then_some(until)
}

/// The text in which the actions of a call have their spans.
pub fn command(event: &Event) -> Option<&str> {
    event.tool.as_ref().and_then(action::tools::command_line)
}

fn leave_last(event: &Event, verdict: &Verdict, input: &[u8], answer: &Answer, paused: bool, around: &Surroundings, world: &World) -> Result<(), Failure> {
    let quote = event::json::quoted;
    let held = answer != &Answer::nothing();
    let rules: Vec<String> = verdict.findings.iter().map(|finding| quote(&finding.rule)).collect();
    let text = match answer.stderr.strip_suffix('\n') {
        Some(refusal) => Cow::Borrowed(refusal),
        None => Cow::Owned(plain::refusal(verdict, command(event), answer::can_ask(event, world.attended))),
    };
    let kept = if input.len() <= MAX_KEPT { std::str::from_utf8(input).unwrap_or("null") } else { "null" };
    let text = format!(
        "{{\"time\":{},\"held\":{held},\"paused\":{paused},\"tier\":{},\"event\":{},\"rules\":[{}],\"text\":{},\"input\":{}}}\n",
        system::now(),
        verdict.findings.iter().map(|finding| finding.tier).max().unwrap_or(Tier::Free) as u8,
        quote(&event.name),
        rules.join(","),
        quote(&text),
        // One line: a line end outside a string is a blank to JSON, and within one it is escaped.
        kept.trim().replace(['\n', '\r'], " "),
    );
    state::write_last(&world.states, &around.root, &text).map_err(|error| Failure::LastUnwritable(error.to_string()))
}

/// A pause, and a record that cannot be written, are told at the start of a session.
fn session_start(recorded: bool, around: &Surroundings, world: &World) -> Option<String> {
    let paused = pause_until(world, around).map(|until| {
        let minutes = until.saturating_sub(system::now()).div_ceil(60);
        format!("portcullis is paused for {minutes} more min: nothing is held (`portcullis pause --end` ends it)")
    });
    let lost = (!recorded).then(|| "portcullis holds, but nothing it decides can be recorded: `portcullis doctor` says why".to_owned());
    let notes: Vec<String> = paused.into_iter().chain(lost).collect();
    (!notes.is_empty()).then(|| notes.join("; "))
}

/// Settings that changed while the session runs: kept out if they lose the gate.
fn config_change(event: &Event, world: &World, door: Door) -> Result<Outcome, Failure> {
    if matches!(event.source.as_str(), "policy_settings" | "skills") {
        return Ok(Outcome::Answer(Answer::nothing()));
    }
    match door {
        Door::Hot => Ok(Outcome::HandOver),
        Door::Cold => settings_changed(event, world),
    }
}

#[cfg(feature = "cold")]
fn settings_changed(event: &Event, world: &World) -> Result<Outcome, Failure> {
    let around = world.around(event)?;
    let changed = event.file.as_deref().map(std::path::Path::new);
    let why = crate::world::gate::changed_settings(world, &around, changed).filter(|_| pause_until(world, &around).is_none());
    Ok(Outcome::Answer(why.map_or_else(Answer::nothing, |why| {
        Answer::deny(&format!(
            "denied: the new settings do not hold\nwhy: {why}\nmend: a person changes settings outside the session, or runs `portcullis init` again"
        ))
    })))
}

#[cfg(not(feature = "cold"))]
#[expect(clippy::unnecessary_wraps, reason = "its twin of the cold binary can fail")]
fn settings_changed(_: &Event, _: &World) -> Result<Outcome, Failure> {
    Ok(Outcome::HandOver)
}
