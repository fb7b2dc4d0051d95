//! `portcullis explain`: judges one call as the hook would, and shows every step.

mod passes;

use std::fs;
use std::io::Read as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use super::place::{self, Place};
use super::refusal::{Refusal, UNJUDGED};
use super::terminal::{TextStyle, say, say_json, shell_word, styled};
use crate::deep::Cold;
use crate::report::explain::Explanation;
use crate::report::json as machine;
use actions::clip;
use clients::{Event, Invocation, MomentKind};
use gate::answer::HookAnswer;
use gate::call::{self, Judged, Purpose};
use gate::failure::Failure;
use gate::world::{World, state, system};
use policy::Policy;
use shell_reader::ast::Fault;
use shell_reader::parse;

#[derive(Args, Debug)]
pub struct ExplainArguments {
    /// The folder in which the command would run
    #[arg(long, value_name = "DIR")]
    cwd: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// The permission mode of Claude Code
    #[arg(long, default_value = "default", value_name = "MODE")]
    mode: String,
    /// A file with an event as the client sends it; `-` is standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["last", "command"])]
    payload: Option<PathBuf>,
    /// The last call that was denied or asked about here
    #[arg(long, conflicts_with = "command")]
    last: bool,
    /// The command: one argument is a command line, several arguments are its words
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, required_unless_present_any = ["payload", "last"], value_name = "COMMAND")]
    command: Vec<String>,
}

/// Runs the command.
///
/// # Errors
///
/// The call could not be judged.
pub fn run(arguments: &ExplainArguments) -> Result<ExitCode, Refusal> {
    let place = Place::at(arguments.cwd.as_deref())?;
    if arguments.last {
        return last(arguments, &place);
    }
    let input = match &arguments.payload {
        Some(path) => payload(path)?,
        None => super::canary::before_command(&command_line(&arguments.command), &place.cwd, &arguments.mode).into_bytes(),
    };
    explain(&input, &place.world, arguments.json, None)?;
    Ok(ExitCode::SUCCESS)
}

/// The command line that the words mean.
pub(super) fn command_line(words: &[String]) -> String {
    match words {
        [line] => line.clone(),
        _ => words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" "),
    }
}

/// A word, quoted for a shell.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) { word.to_owned() } else { shell_word(word) }
}

fn payload(path: &PathBuf) -> Result<Vec<u8>, Refusal> {
    let mut bytes = Vec::new();
    let read = if path.as_os_str() == "-" { std::io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes) } else { fs::read(path) };
    let refused =
        |error| Refusal { code: UNJUDGED, ..Refusal::new("nothing was judged", format!("`{}`: {error}", path.display()), "name a file with an event as JSON") };
    read.map_err(refused)
}

/// Judges the last stopped call again.
fn last(arguments: &ExplainArguments, place: &Place) -> Result<ExitCode, Refusal> {
    let none = |why: &str| Refusal::new("there is nothing to explain", why, "name a command: `portcullis explain -- COMMAND`");
    let Some(bytes) = state::read_last(&place.world.states, &place.around.root) else {
        return Err(none(&format!("no call was stopped in `{}` yet", place.around.root.display())));
    };
    let kept: Value = serde_json::from_slice(&bytes).map_err(|error| none(&format!("the file with the last refusal cannot be read: {error}")))?;
    let time = kept.get("time").and_then(Value::as_u64).unwrap_or(0);
    let ago = ago(system::now().saturating_sub(time));
    let held = kept.get("stopped").or_else(|| kept.get("held")).and_then(Value::as_bool).unwrap_or(true);
    let text = kept.get("text").and_then(Value::as_str).unwrap_or_default();
    let Some(input) = kept.get("input").filter(|input| !input.is_null()) else {
        if arguments.json {
            say_json(&json!({ "last": kept, "ago": ago }));
        } else {
            say(&format!("stopped {ago}; the call was too large to be kept\n{}", super::init::indented(text)));
        }
        return Ok(ExitCode::SUCCESS);
    };
    if !arguments.json {
        let what = if held { "stopped" } else { "allowed (paused, or rules in shadow mode)," };
        say(&format!("{} {what} {ago}; judged again by the present policy:", styled("last", TextStyle::Bold)));
    }
    // It was judged with this root as the project.
    let world = World { project_dir: Some(place.around.root.clone()), ..place.world.clone() };
    explain(input.to_string().as_bytes(), &world, arguments.json, Some(json!({ "time": time, "ago": ago, "stopped": held, "text": text })))?;
    Ok(ExitCode::SUCCESS)
}

/// A stretch of time that has passed, in its largest unit.
pub(super) fn ago(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s ago"),
        60..3600 => format!("{} min ago", seconds / 60),
        3600..86_400 => format!("{} h ago", seconds / 3600),
        _ => format!("{} days ago", seconds / 86_400),
    }
}

/// Judges an event, and prints how.
fn explain(input: &[u8], world: &World, as_json: bool, last: Option<Value>) -> Result<(), Refusal> {
    if as_json {
        say_json(&in_json(input, world, last.as_ref())?);
    } else {
        let show = &mut |explanation: &Explanation| explanation.text(|heading| styled(heading, TextStyle::Bold));
        let kept = last.as_ref().and_then(|last| last.get("text")).and_then(Value::as_str);
        say(&judged(input, world, kept, show, &mut without_call)?);
    }
    Ok(())
}

/// The judgement of an event as JSON. `last` is what is known of the refusal that is judged again, if it is one.
///
/// # Errors
///
/// The event cannot be read, or the policy not be known.
pub fn in_json(input: &[u8], world: &World, last: Option<&Value>) -> Result<Value, Refusal> {
    judged(
        input,
        world,
        last.and_then(|last| last.get("text")).and_then(Value::as_str),
        &mut |explanation| machine::explanation(explanation, last),
        &mut |event, answer| json!({ "event": event.name, "tool": null, "answer": { "exit": answer.code, "stdout": answer.stdout, "stderr": answer.stderr } }),
    )
}

/// Judges an event, and gives what `show` makes of a judged call, or `show_answer` of the answer to an event without one. `kept`
/// is the text of the refusal that is judged again, if it is one.
fn judged<T>(
    input: &[u8],
    world: &World,
    kept: Option<&str>,
    show: &mut dyn FnMut(&Explanation) -> T,
    show_answer: &mut dyn FnMut(&Event, &HookAnswer) -> T,
) -> Result<T, Refusal> {
    let event = Invocation::new(None, None).read(input).map_err(call::unreadable_input)?;
    let judged =
        if event.moment.kind() == MomentKind::Observing { None } else { call::judged(&event, world, &Cold, Purpose::Explain).map_err(Failure::from)? };
    let (Some(called), Some(judged)) = (&event.tool, &judged) else {
        let answer = call::answer_without_call(&event, world, &Cold).map_err(Failure::from)?;
        return Ok(show_answer(&event, &answer));
    };
    let Judged { around, facts, judgement, paused, .. } = judged;
    let bytes = place::policy_bytes(world, around)?;
    let policy = Policy::open(&bytes).ok_or(Failure::PolicyDamaged)?;
    let rules = policy.all_rules().ok_or(Failure::RuleDamaged)?;
    let root = around.root.to_string_lossy();
    let (answer, notes) = judged.response(&event, input, world, &Cold);
    let passes = passes::ways(&event, judged, world, &rules, input, kept);
    let explanation = Explanation {
        event: &event.name,
        tool: &called.name,
        cwd: &facts.places.cwd,
        mode: &event.mode,
        agent: &event.agent,
        root: (&root, around.why),
        digest: policy.digest,
        refused: &called.input.text("command").map(refused).unwrap_or_default(),
        actions: &judgement.actions,
        looks: &judgement.looks,
        rules: &rules,
        verdict: &judgement.verdict,
        command: call::command(&event),
        answer: &answer,
        notes: &notes,
        passes: &passes,
        paused: paused.map(|until| until.saturating_sub(system::now()).div_ceil(60)),
    };
    Ok(show(&explanation))
}

/// The parts of a command line that the shell would reject. It runs the commands before them.
fn refused(line: &str) -> Vec<String> {
    let faults = parse::read(line).faults.into_iter().filter(|fault| fault.refused_by_shell);
    let clause = |fault: Fault| match line.get(fault.at..).map(str::trim).filter(|rest| !rest.is_empty()) {
        Some(rest) => format!("the shell rejects `{}`: {}", clip(rest), fault.what),
        None => format!("the shell rejects the end of the line: {}", fault.what),
    };
    faults.map(clause).collect()
}

/// The answer to an event that is no call, as text.
fn without_call(event: &Event, answer: &HookAnswer) -> String {
    let said = format!("{}{}", answer.stdout, answer.stderr);
    let judged =
        if event.moment.kind() == MomentKind::Observing { "it reports what happened, so nothing is judged" } else { "it is judged as a whole, not by rules" };
    let head = format!("{} {}: {judged}", styled("event", TextStyle::Bold), event.name);
    if said.trim().is_empty() {
        format!("{head}\n{} exit {}, nothing is printed", styled("answer", TextStyle::Bold), answer.code)
    } else {
        format!("{head}\n{} exit {}:\n{}", styled("answer", TextStyle::Bold), answer.code, super::init::indented(&said))
    }
}
