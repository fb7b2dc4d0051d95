//! `portcullis state`: how far limits and budgets are used, and counting anew.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::place::Place;
use super::refusal::Refusal;
use super::terminal::{agent, agreed_after_all, can_ask, say, say_json, shown};
use crate::deep::Cold;
use actions::shown::escaped;
use gate::deep::{Deep as _, Stop};
use gate::failure::Failure;
use gate::metering::{dollars, duration, whose, window};
use gate::record::{Entry, RecordSource};
use gate::world::meters::{self, MeterKind, MeterState};
use gate::world::{record, system};
use policy::Policy;

#[derive(Args, Debug)]
pub struct StateArguments {
    #[command(subcommand)]
    command: Option<StateCommand>,
    /// The session whose own limits and budgets are shown
    #[arg(long, value_name = "ID", global = true)]
    session: Option<String>,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand, Debug)]
enum StateCommand {
    /// Show how far each limit and each budget is used (the default)
    Show,
    /// Raise a limit or a budget for a time (only a person can do this)
    Raise {
        /// The limit or the budget
        name: String,
        /// By how many calls, or US dollars
        #[arg(long)]
        by: f64,
        /// For how long: `30m`, `2h`; at most `24h`
        #[arg(long, value_name = "TIME")]
        r#for: String,
    },
    /// Put damaged files aside and count anew (only a person can do this)
    Reset(ResetArguments),
}

#[derive(Args, Clone, Copy, Debug)]
struct ResetArguments {
    /// Count all limits and budgets of this repository anew, and those of the machine
    #[arg(long)]
    all: bool,
    /// Show what would be done
    #[arg(long)]
    dry_run: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

/// Runs the command.
///
/// # Errors
///
/// The policy or the state cannot be used, or an agent asks for a reset.
pub fn run(arguments: &StateArguments) -> Result<ExitCode, Refusal> {
    let mut place = Place::at(None)?;
    place.around.session = arguments.session.clone().unwrap_or_default();
    match arguments.command {
        None | Some(StateCommand::Show) => show(&place, arguments.json),
        Some(StateCommand::Raise { ref name, by, r#for: ref time }) => raise(&place, name, by, time),
        Some(StateCommand::Reset(how)) => reset(&place, how, arguments.json),
    }
}

/// Every limit and budget that applies in a place.
///
/// # Errors
///
/// The policy or the state cannot be used.
pub fn states(place: &Place) -> Result<Vec<MeterState>, Refusal> {
    let bytes = place.policy()?;
    let policy = Policy::open(&bytes).ok_or(Failure::PolicyDamaged)?;
    let shared = policy.tiers().and_then(|tiers| tiers.fleet);
    let fleet = shared.map_or(Ok(None), |section| Cold.fleet(&section)).map_err(|stop| match stop {
        Stop::Failed(failure) => failure,
        Stop::HandOver => Failure::PolicyDamaged,
    })?;
    Ok(meters::states(&policy, &place.around, fleet.as_deref())?)
}

fn show(place: &Place, as_json: bool) -> Result<ExitCode, Refusal> {
    let states = states(place)?;
    if as_json {
        say_json(&json!({ "meters": states.iter().map(of_state).collect::<Vec<_>>() }));
    } else if states.is_empty() {
        say("the policy has no limits and no budgets (docs/limits.md shows how to write one)");
    }
    if !as_json {
        for state in &states {
            say(&line(state));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A limit or a budget as JSON. Money is in US dollars.
pub fn of_state(state: &MeterState) -> Value {
    let standing = &state.standing;
    match state.kind {
        MeterKind::Limit(limit) => json!({
            "name": state.name, "place": state.place, "kind": "limit", "used": standing.used, "max": standing.of, "scope": limit.scope.name(),
            "window_ms": limit.window, "over": limit.over as u8,
        }),
        MeterKind::Budget(per) => json!({
            "name": state.name, "place": state.place, "kind": "budget", "used_usd": dollars(standing.used), "usd": dollars(standing.of), "per": per.name(),
        }),
    }
}

/// A limit or a budget in one line.
pub fn line(state: &MeterState) -> String {
    let (name, standing) = (escaped(&state.name), &state.standing);
    let opens = standing.opens_in.map(|seconds| format!("; the next in {}", duration(seconds))).unwrap_or_default();
    match state.kind {
        MeterKind::Limit(limit) => {
            format!("limit   {name}: {} of {} calls {} {} used{opens}", standing.used, standing.of, window(limit.window), whose(limit.scope))
        }
        MeterKind::Budget(per) => format!("budget  {name}: {} of {} USD spent per {}", dollars(standing.used), dollars(standing.of), per.name()),
    }
}

/// The longest raise, in seconds.
const LONGEST: u64 = 24 * 3600;

fn raise(place: &Place, name: &str, by: f64, time: &str) -> Result<ExitCode, Refusal> {
    let refused = "nothing was raised";
    let seconds = super::pause::seconds(time).filter(|seconds| (1..=LONGEST).contains(seconds));
    let seconds = seconds.ok_or_else(|| Refusal::usage(refused, format!("`{time}` is not a time of at most 24 hours"), "write it as `30m` or `2h`"))?;
    let states = states(place)?;
    let state = states.iter().find(|state| state.name == name);
    let state = state.ok_or_else(|| Refusal::usage(refused, format!("there is no limit and no budget `{name}`"), "`portcullis state` lists them"))?;
    let unit = if matches!(state.kind, MeterKind::Budget(_)) { 1_000_000.0 } else { 1.0 };
    let more = Some(by * unit).filter(|more| (1.0..=1e12).contains(more) && more.fract() == 0.0);
    let more = more.ok_or_else(|| Refusal::usage(refused, format!("`--by {by}` is no amount"), "write a whole number of calls, or US dollars"))?;
    if let Some(variable) = agent() {
        return Err(Refusal::new(refused, format!("an agent runs this (`{variable}` is set)"), "a person must run this at a terminal"));
    }
    if !can_ask() {
        return Err(Refusal::new(refused, "there is no terminal here", "a person must run this at a terminal"));
    }
    // In range, and whole.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in range, and the sign is known")]
    meters::raise(name, more as u64, system::now_ms() + seconds * 1000, &place.around)?;
    let who = std::env::var("USER").unwrap_or_else(|_| "a person".to_owned());
    let said = format!("{who} raised `{name}` by {by} for {}", duration(seconds));
    let entry = Entry { said: said.clone(), ..Entry::new("limit-raised", RecordSource::Cold, system::now_ms()) };
    record::append(&place.around.memory, &entry.line(), None)
        .map_err(|error| Refusal::new("it was raised, and not recorded", error, "make the state folder writable"))?;
    say(&said);
    Ok(ExitCode::SUCCESS)
}

fn reset(place: &Place, ResetArguments { all, dry_run: dry, yes }: ResetArguments, as_json: bool) -> Result<ExitCode, Refusal> {
    let refused = "nothing was reset";
    if let Some(variable) = agent().filter(|_| !dry) {
        return Err(Refusal::new(refused, format!("an agent runs this (`{variable}` is set)"), "a person must run this at a terminal"));
    }
    if !dry && !yes && !can_ask() {
        return Err(Refusal::new(refused, "there is no terminal here", "a person must run this at a terminal, or add `--yes`"));
    }
    let found = meters::reset(&place.around, all, true)?;
    if !dry && !yes && !found.is_empty() && !agreed_after_all(&format!("count {} limits and budgets anew?", found.len())) {
        return Err(Refusal::new(refused, "it was not confirmed", "answer `y` if it must be done"));
    }
    let done = if dry { found } else { meters::reset(&place.around, all, false)? };
    if as_json {
        let rows: Vec<Value> = done.iter().map(|file| json!({ "file": file.path, "kept": file.kept, "damaged": file.damaged })).collect();
        say_json(&json!({ "dry_run": dry, "reset": rows }));
        return Ok(ExitCode::SUCCESS);
    }
    if done.is_empty() {
        say("nothing is damaged, so nothing was changed; `--all` counts everything anew");
    }
    for file in &done {
        let what = if dry { "would be put aside as" } else { "is now" };
        say(&format!("{}{} {what} {}", shown(&file.path), if file.damaged { " (damaged)" } else { "" }, shown(&file.kept)));
    }
    Ok(ExitCode::SUCCESS)
}
