//! Tries what is wired for a client: sends a call in the client's form through the configured line, file or plugin.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::{FoundHook, HookPlace, HookStart};
use crate::cli::canary::{self, Reply};
use crate::cli::init::plan;
use crate::cli::place::Place;
use crate::cli::refusal::Refusal;
use clients::settings::PROGRAM;
use clients::wiring::calls;
use gate::call::TRIAL;
use gate::world::state;

/// The variables that clients set for their hooks, which must not be a person's own here.
const CLEARED: [&str; 2] = ["CLAUDE_PROJECT_DIR", "CLAUDE_PLUGIN_ROOT"];

/// The entry that the client starts before a tool call.
pub fn tried(place: &HookPlace, found: &[FoundHook]) -> Option<FoundHook> {
    let event = place.wiring.tried()?;
    found.iter().find(|hook| hook.event == event.event).cloned()
}

/// True if the entry starts a program that is known: the hook of this build, or a script of `init` that would start it. A
/// project that was only just fetched can name any program.
pub fn is_known(place: &HookPlace, hook: &FoundHook, here: &Place) -> bool {
    let own = here.world.binaries.as_ref().and_then(|folder| fs::read(folder.join(PROGRAM)).ok());
    let is_hook = |path: &Path| own.as_ref().is_some_and(|own| fs::read(path).is_ok_and(|bytes| bytes == *own));
    let program = place.program(&hook.started);
    if !hook.current {
        return false;
    }
    if !hook.started.committed {
        return is_hook(&program);
    }
    let is_script = fs::read(&program).is_ok_and(|bytes| bytes == plan::script(place.wiring).as_bytes());
    is_script && plan::started(&place.top).iter().find(|path| path.is_file()).is_some_and(|path| is_hook(path))
}

fn process(place: &HookPlace, hook: &FoundHook, folder: &Path) -> Command {
    let mut process = match &hook.start {
        HookStart::Line(line) => {
            let mut process = Command::new("/bin/sh");
            process.args(["-c", line]);
            process
        }
        HookStart::File(path) => {
            let mut process = Command::new("/bin/sh");
            process.arg(path);
            process
        }
        HookStart::Hook(path) => {
            let mut process = Command::new(path);
            let seconds = place.wiring.tried().map_or(1, |event| place.wiring.own_seconds(event));
            process.args([hook.event.as_str(), place.wiring.client.name(), &seconds.to_string()]);
            process
        }
    };
    process.current_dir(folder);
    for variable in CLEARED {
        process.env_remove(variable);
    }
    process
}

/// Sends one command, and keeps the last refusal, which a person might still want to see.
fn ask(place: &HookPlace, hook: &FoundHook, here: &Place, command: &str) -> Result<Reply, String> {
    let (states, root) = (&here.world.states, &here.around.root);
    let last = state::read_last(states, root);
    let call = calls::made_up(place.wiring, command, &here.cwd.to_string_lossy(), TRIAL);
    let reply = canary::run(process(place, hook, &here.cwd), &call);
    let _ = match last {
        Some(bytes) => state::write(states, root, state::LAST, &bytes).map(drop),
        None => state::remove(states, root, state::LAST),
    };
    reply
}

/// The denial of a force push, as the client would be answered.
///
/// # Errors
///
/// It was not denied, or only because the hook is broken.
pub fn refused(place: &HookPlace, hook: &FoundHook, here: &Place) -> Result<String, Refusal> {
    let what = format!("Portcullis is not active in {}", place.wiring.title);
    let fix = "run `portcullis doctor`, which checks each part";
    let reply = ask(place, hook, here, canary::DENIED).map_err(|why| Refusal::new(what.clone(), why, fix))?;
    if let Some(text) = denial(&reply) {
        return Ok(text);
    }
    let why = format!("`{}` should be denied, but the answer was {}", canary::DENIED, said(&reply));
    Err(Refusal::new(what, why, fix))
}

/// Checks that a harmless command is allowed.
///
/// # Errors
///
/// What was answered instead.
pub fn lets_through(place: &HookPlace, hook: &FoundHook, here: &Place) -> Result<(), String> {
    let reply = ask(place, hook, here, canary::HARMLESS)?;
    if reply.code == Some(0) && !reply.stdout.contains("denied") && reply.stderr.is_empty() {
        return Ok(());
    }
    Err(format!("`{}` should be allowed, but the answer was {}", canary::HARMLESS, said(&reply)))
}

/// The text of a denial by a rule: on standard error with exit 2, or within the JSON of standard output.
fn denial(reply: &Reply) -> Option<String> {
    const BY_RULE: &str = "denied by `";
    if reply.code == Some(2) && reply.stderr.starts_with(BY_RULE) {
        return Some(reply.stderr.trim_end().to_owned());
    }
    let value: Value = serde_json::from_str(&reply.stdout).ok().filter(|_| reply.code == Some(0))?;
    let mut left = vec![&value];
    while let Some(value) = left.pop() {
        match value {
            Value::String(text) if text.starts_with(BY_RULE) => return Some(text.trim_end().to_owned()),
            Value::Array(items) => left.extend(items),
            Value::Object(members) => left.extend(members.values()),
            _ => {}
        }
    }
    None
}

fn said(reply: &Reply) -> String {
    let code = reply.code.map_or_else(|| "a signal".to_owned(), |code| format!("exit {code}"));
    [code.as_str(), reply.stdout.trim_end(), reply.stderr.trim_end()].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n")
}
