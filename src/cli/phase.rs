//! `portcullis phase`: in which phase the work is, and what its next steps need. A person moves it, and says that scripts count
//! as they are.

use std::collections::BTreeSet;
use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::place::Place;
use super::refusal::Refusal;
use super::terminal::{TextStyle, agent, can_ask, say, say_json, styled};
use crate::approval::person;
use crate::pipeline::needs::{GateBook, NeedOutcome};
use crate::pipeline::{moment, moves, seen};
use actions::shown::escaped;
use gate::failure::Failure;
use gate::world::phase::{self, PhaseMove};
use gate::world::system;
use policy::pipeline::{BEFORE_PHASE, DONE};
use policy::verdict::Finding;
use policy::{NeedKind, Pipeline, Policy, Tier};

#[derive(Args, Debug)]
pub struct PhaseArguments {
    /// The phase into which the work moves; `done` ends it. Without it the state is shown
    #[arg(conflicts_with = "trust")]
    name: Option<String>,
    /// Let the scripts of the gates count as they are now
    #[arg(long)]
    trust: bool,
    /// Move the work although something is missing, or a phase is skipped
    #[arg(long, requires_all = ["name", "reason"])]
    anyway: bool,
    /// The reason, which is recorded
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
///
/// The policy is not known, an agent asks, or something that must be there is missing.
pub fn run(arguments: &PhaseArguments) -> Result<ExitCode, Refusal> {
    let place = Place::at(None)?;
    let bytes = place.policy()?;
    let policy = Policy::open(&bytes).ok_or(Failure::PolicyDamaged)?;
    let tiers = policy.tiers().ok_or(Failure::RuleDamaged)?;
    if tiers.pipeline.is_none() && tiers.gates.is_empty() {
        return Err(Refusal::new("there are no phases here", "the policy has neither `[pipeline]` nor `[[gate]]`", "add one; docs/pipeline.md has an example"));
    }
    let book = GateBook::open(&place.around, &policy, &tiers);
    moves::note_autonomy(&book);
    match (&arguments.name, &tiers.pipeline) {
        _ if arguments.trust => trust(&book),
        (Some(_), None) => Err(Refusal::usage("nothing was moved", "the policy has no `[pipeline]`", "add `[pipeline]` with `phases = [\"…\"]`")),
        (Some(name), Some(pipeline)) => go(&book, pipeline, name, arguments),
        (None, _) => {
            show(&book, arguments.json);
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Refuses whoever is no person at a terminal.
fn by_person(what: &str) -> Result<(), Refusal> {
    if let Some(variable) = agent() {
        return Err(Refusal::new(what, format!("an agent runs this (`{variable}` is set)"), "a person must run this at a terminal"));
    }
    if let Some(why) = person::agent_above(&person::above()) {
        return Err(Refusal::new(what, why, "a person must run this at a terminal of their own"));
    }
    if !can_ask() {
        return Err(Refusal::new(what, "there is no terminal here", "a person must run this at a terminal"));
    }
    Ok(())
}

fn go(book: &GateBook, pipeline: &Pipeline, name: &str, arguments: &PhaseArguments) -> Result<ExitCode, Refusal> {
    const NOTHING: &str = "nothing was moved";
    if pipeline.position(name).is_none_or(|at| at == 0) {
        let fix = policy_compiler::mistake::suggestion(name, pipeline.phases.iter().copied().chain([DONE]));
        return Err(Refusal::usage(NOTHING, format!("there is no phase `{name}`"), fix));
    }
    by_person(NOTHING)?;
    let state = book.place.clone().unwrap_or_default();
    let (at, to) = (pipeline.position(&state.phase).unwrap_or(0), pipeline.position(name).unwrap_or(0));
    let is_next = pipeline.after(&state.phase) == Some(name);
    let blank = Finding::of_section(pipeline.layer.name(), "phases", pipeline.place, Tier::Metered, pipeline.shadow);
    let (found, there) = if to > at || is_next { book.gates_before(name, &blank) } else { (Vec::new(), Vec::new()) };
    let missing: Vec<&Finding> = found.iter().filter(|finding| finding.tier >= Tier::Supervised).collect();
    let why = if book.place.is_err() {
        // Nobody knows what comes next.
        None
    } else if to > at && !is_next {
        Some(format!("no phase is skipped, and `{}` comes first", pipeline.after(&state.phase).unwrap_or(DONE)))
    } else {
        let all = missing.iter().map(|finding| format!("`{}`: {}", finding.rule, finding.told)).collect::<Vec<_>>().join("; ");
        (!missing.is_empty()).then_some(all)
    };
    if let Some(why) = why.as_ref().filter(|_| !arguments.anyway) {
        let how = missing.first().map_or_else(|| "move the work one phase at a time".to_owned(), |finding| finding.instead.trim_start_matches("$ ").to_owned());
        return Err(Refusal::new(NOTHING, why, format!("{how}; `--anyway --reason TEXT` moves it all the same, and records the reason")));
    }
    let by = std::env::var("USER").or_else(|_| std::env::var("LOGNAME")).unwrap_or_else(|_| format!("user {}", system::user()));
    let reason = arguments.reason.as_deref().map(str::trim).filter(|reason| !reason.is_empty());
    let evidence = match (why, reason) {
        (Some(why), reason) => format!("moved anyway ({}); not there: {why}", reason.unwrap_or_default()),
        (None, Some(reason)) => format!("{reason}; {}", there.join("; ")),
        (None, None) => there.join("; "),
    };
    let to = PhaseMove { person: true, ..book.going(&state, name, false, &format!("{by}, at a terminal"), evidence) };
    phase::go(&to, book.around).map_err(|error| Refusal::new(NOTHING, error, "make the state folder writable; `portcullis doctor` names it"))?;
    say(&format!("the work is in the phase `{name}`; before: {}", phase::shown(&state.phase)));
    Ok(ExitCode::SUCCESS)
}

/// The scripts of the repository that gates ask for.
fn scripts(book: &GateBook) -> Vec<String> {
    let Ok(work) = &book.work else { return Vec::new() };
    let needs = book.tiers.gates.iter().flat_map(|gate| &gate.needs).filter(|need| need.kind == NeedKind::Command);
    let files: BTreeSet<String> = needs.flat_map(|need| need.text.split("&&")).filter_map(|command| seen::own_file(command, work)).collect();
    files.into_iter().collect()
}

fn trust(book: &GateBook) -> Result<ExitCode, Refusal> {
    const NOTHING: &str = "nothing was changed";
    let files = scripts(book);
    if files.is_empty() {
        return Err(Refusal::new(NOTHING, "no gate asks for a script of this repository", "`portcullis phase` shows what the gates need"));
    }
    by_person(NOTHING)?;
    let Ok(work) = &book.work else { return Ok(ExitCode::SUCCESS) };
    for file in &files {
        seen::trust(work, book.around, file).map_err(|error| Refusal::new(NOTHING, error, "make the state folder writable; `portcullis doctor` names it"))?;
        let _ = phase::note(&format!("trusted: {file}"), "by a person, at a terminal: its success counts as it is now", book.around);
        say(&format!("`{}` counts as it is now", escaped(file)));
    }
    Ok(ExitCode::SUCCESS)
}

/// A gate before a moment, and what is found of each of its needs.
type Found<'b> = (&'b str, &'b str, Vec<NeedOutcome>);

fn show(book: &GateBook, as_json: bool) {
    let mut found: Vec<Found> = Vec::new();
    for gate in &book.tiers.gates {
        let outcomes: Vec<NeedOutcome> = gate.needs.iter().map(|need| book.outcome(gate, need)).collect();
        found.extend(gate.before.iter().map(|before| (gate.name, *before, outcomes.clone())));
    }
    let state = book.place.as_ref().ok();
    let current = state.map_or("", |state| state.phase.as_str());
    let next = book.tiers.pipeline.as_ref().and_then(|pipeline| pipeline.after(current));
    if as_json {
        let outcome = |outcome: &NeedOutcome| match outcome {
            NeedOutcome::There(what) => json!({ "state": "there", "what": what }),
            NeedOutcome::Missing { what, how } => json!({ "state": "missing", "what": what, "how": how }),
            NeedOutcome::Unknown(why) => json!({ "state": "unknown", "what": why }),
            NeedOutcome::Remark(text) => json!({ "state": "remark", "what": text }),
        };
        say_json(&json!({
            "phase": state.map(|state| &state.phase), "damaged": book.place.is_err(), "next": next,
            "phases": book.tiers.pipeline.as_ref().map(|pipeline| &pipeline.phases),
            "autonomy": book.tiers.pipeline.as_ref().map(|pipeline| pipeline.autonomy.name()),
            "since": state.map(|state| state.since), "by": state.map(|state| &state.by), "tries": state.map(|state| state.tries),
            "passed": state.map(|state| state.passed), "stopped": state.map(|state| state.stopped),
            "gates": found.iter().map(|(gate, before, outcomes)| json!({
                "gate": gate, "before": before, "passed": outcomes.iter().all(is_there), "needs": outcomes.iter().map(outcome).collect::<Vec<_>>(),
            })).collect::<Vec<_>>(),
        }));
        return;
    }
    if let Some(pipeline) = &book.tiers.pipeline {
        let mark = |phase: &&str| if *phase == current { styled(&format!("[{phase}]"), TextStyle::Bold) } else { (*phase).to_owned() };
        say(&format!("phases    {}", pipeline.phases.iter().chain([&DONE]).map(mark).collect::<Vec<_>>().join(" > ")));
        match &book.place {
            Ok(state) if state.number > 0 => {
                let ago = super::explain::ago((system::now_ms().saturating_sub(state.since)) / 1000);
                say(&format!("now       {}, begun {ago}, moved by {}", phase::shown(&state.phase), escaped(&state.by)));
            }
            Ok(_) => say("now       no phase was begun"),
            Err(damaged) => say(&format!("now       not known: `{}` is damaged; `portcullis phase NAME` sets it anew", damaged.0.display())),
        }
        let set = if pipeline.autonomy_place.is_empty() { "the default".to_owned() } else { format!("set in {}", escaped(pipeline.autonomy_place)) };
        say(&format!("autonomy  {} ({set})", pipeline.autonomy.name()));
        if let (Some(next), Ok(state)) = (next, &book.place) {
            let who = moves::person_needed(pipeline, state, next)
                .map_or_else(|| "evidence is enough".to_owned(), |_| format!("a person moves the work: `portcullis phase {next}`"));
            say(&format!("next      {next}: {who}"));
        }
    }
    for (gate, before, outcomes) in &found {
        let passed = outcomes.iter().all(is_there);
        let before = before.strip_prefix(BEFORE_PHASE).map_or_else(|| moment(before), |phase| format!("the phase `{phase}`"));
        let word = if passed { styled("passed", TextStyle::Good) } else { styled("not passed", TextStyle::Doubtful) };
        say(&format!("gate      `{gate}` before {before}: {word}"));
        for outcome in outcomes {
            match outcome {
                NeedOutcome::There(what) => say(&format!("          + {}", escaped(what))),
                NeedOutcome::Missing { what, how } => {
                    say(&format!("          - {}", escaped(what)));
                    say(&format!("            {}", escaped(how.strip_prefix("$ ").map_or(how.as_str(), |command| command))));
                }
                NeedOutcome::Unknown(why) => say(&format!("          ? {}", escaped(why))),
                NeedOutcome::Remark(text) => say(&format!("          ! {}", escaped(text))),
            }
        }
    }
}

fn is_there(outcome: &NeedOutcome) -> bool {
    matches!(outcome, NeedOutcome::There(_) | NeedOutcome::Remark(_))
}
