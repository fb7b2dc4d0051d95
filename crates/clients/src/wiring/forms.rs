//! The texts that `init` writes for a client: the line that starts the hook, and the entry, table, file or plugin around it.

use actions::json::quoted;
use serde_json::{Map, Value, json};

use super::{ClientWiring, FailureGuard, HookForm, OURS};
use crate::WiredEvent;
use crate::settings::PROGRAM;
use crate::settings::entry::starts_gate;

/// What is said if the hook cannot be started or fails. It must not contain quotes.
pub const FAILED: &str = "denied: Portcullis could not be started or failed; fix: a person must run portcullis doctor";
/// The beginning of a line that looks for the committed script from the folder of the session upwards.
const SEARCH: &str = "d=$PWD; while [ -n \"$d\" ] && [ ! -x \"$d/";
/// What comes behind the hook in a line that denies if the hook fails.
const GUARD: &str = " || { ";
/// The first lines of files that are ours as a whole contain this.
pub const MADE_BY: &str = "Made by `portcullis init`; `portcullis init --undo` removes it.";

/// Where the hook is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HookPath<'p> {
    /// On this machine, by its full path.
    Installed(&'p str),
    /// A script in the project, by its path from the root.
    Committed(&'p str),
}

/// A path as one word of a POSIX shell. `None` if no simple quotes fit around it.
#[must_use]
pub fn shell_word(path: &str) -> Option<String> {
    let is_plain = |sign: char| sign.is_ascii_alphanumeric() || "/._-+,:@%".contains(sign);
    if !path.is_empty() && path.chars().all(is_plain) {
        Some(path.to_owned())
    } else if !path.contains(['\'', '\n']) {
        Some(format!("'{path}'"))
    } else if !path.contains(['"', '$', '`', '\\', '!', '\n']) {
        Some(format!("\"{path}\""))
    } else {
        None
    }
}

/// The line for a shell that starts the hook for an event. `None` if the path fits into no line.
#[must_use]
pub fn line(wiring: &ClientWiring, event: WiredEvent, hook: HookPath) -> Option<String> {
    let arguments = format!("{} {} {}", event.event, wiring.client.name(), wiring.own_seconds(event));
    match hook {
        HookPath::Installed(path) => {
            let start = format!("{} {arguments}", shell_word(path)?);
            let guarded = wiring.guard == FailureGuard::Line && event.is_guarding();
            Some(if guarded { format!("{start}{GUARD}[ $? = 2 ] || echo '{FAILED}' >&2; exit 2; }}") } else { start })
        }
        HookPath::Committed(script) => {
            let missing =
                if event.is_guarding() { format!("echo 'denied: {script} is missing; fix: restore it from git' >&2; exit 2") } else { "exit 0".to_owned() };
            Some(format!("{SEARCH}{script}\" ]; do d=${{d%/*}}; done; [ -z \"$d\" ] || exec \"$d/{script}\" {arguments}; {missing}"))
        }
    }
}

/// How a line or a program with arguments starts the hook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartedHook {
    /// The full path of the hook, or of a committed script its path from the root.
    pub program: String,
    /// It is a committed script.
    pub committed: bool,
}

/// Reads a line as [`line`] makes it. `None` if it starts something else, or Portcullis in another way.
#[must_use]
pub fn started(line: &str) -> Option<StartedHook> {
    if let Some(rest) = line.strip_prefix(SEARCH) {
        let (script, _) = rest.split_once("\" ]")?;
        return script.ends_with(PROGRAM).then(|| StartedHook { program: script.to_owned(), committed: true });
    }
    let start = line.split_once(GUARD).map_or(line, |(start, _)| start);
    if !starts_gate(start) {
        return None;
    }
    let program = match start.chars().next()? {
        quote @ ('\'' | '"') => start.get(1..)?.split(quote).next()?,
        _ => start.split(' ').next()?,
    };
    Some(StartedHook { program: program.to_owned(), committed: false })
}

/// The handler of an event in JSON, and how the hook is read back from it.
#[must_use]
pub fn handler(wiring: &ClientWiring, event: WiredEvent, hook: HookPath) -> Option<Value> {
    let line = line(wiring, event, hook)?;
    let waits = Value::from(if wiring.milliseconds { wiring.waits_for(event) * 1000 } else { wiring.waits_for(event) });
    let mut handler = Map::new();
    let mut put = |key: &str, value: Value| handler.insert(key.to_owned(), value);
    match wiring.form {
        HookForm::Groups { named, program, .. } => {
            if named {
                put("name", OURS.into());
            }
            put("type", "command".into());
            if program {
                put("command", "/bin/sh".into());
                put("args", json!(["-c", line]));
            } else {
                put("command", line.into());
            }
            put("timeout", waits);
        }
        HookForm::OwnFile => {
            put("type", "command".into());
            put("bash", line.into());
            put("timeoutSec", waits);
        }
        _ => {
            put("command", line.into());
            put("timeout", waits);
        }
    }
    if let FailureGuard::Key(key) = wiring.guard
        && event.is_guarding()
    {
        put(key, true.into());
    }
    Some(handler.into())
}

/// The hook that a handler in JSON starts. `None` if it is somebody else's.
#[must_use]
pub fn started_by(handler: &Map<String, Value>) -> Option<StartedHook> {
    let text = |key: &str| handler.get(key).and_then(Value::as_str);
    let in_arguments = || match handler.get("args").and_then(Value::as_array).map(Vec::as_slice) {
        Some([option, line]) if option == "-c" && text("command") == Some("/bin/sh") => started(line.as_str()?),
        _ => None,
    };
    text("command").or_else(|| text("bash")).and_then(started).or_else(in_arguments)
}

/// The line that a handler starts, for a shell.
#[must_use]
pub fn line_of(handler: &Map<String, Value>) -> Option<&str> {
    let text = |key: &str| handler.get(key).and_then(Value::as_str);
    match handler.get("args").and_then(Value::as_array).map(Vec::as_slice) {
        Some([_, line]) if text("command") == Some("/bin/sh") => line.as_str(),
        _ => text("command").or_else(|| text("bash")),
    }
}

/// One table `[[hooks]]` of a TOML file.
#[must_use]
pub fn table(wiring: &ClientWiring, event: WiredEvent, hook: HookPath) -> Option<String> {
    let HookForm::Tables { event: key, named } = wiring.form else { return None };
    let line = line(wiring, event, hook)?;
    let mut rows = vec!["[[hooks]]".to_owned()];
    if named {
        rows.push(format!("name = {}", quoted(&table_name(event))));
    }
    rows.push(format!("{key} = {}", quoted(event.event)));
    rows.push(format!("command = {}", quoted(&line)));
    rows.push(format!("timeout = {}", wiring.waits_for(event)));
    if let FailureGuard::Key(key) = wiring.guard
        && event.is_guarding()
    {
        rows.push(format!("{key} = true"));
    }
    Some(rows.join("\n") + "\n")
}

/// The name of our table for an event.
#[must_use]
pub fn table_name(event: WiredEvent) -> String {
    format!("{OURS}-{}", event.event)
}

/// A JSON file that is ours as a whole.
#[must_use]
pub fn own_file(wiring: &ClientWiring, hook: HookPath) -> Option<String> {
    let mut hooks = Map::new();
    for event in wiring.client.wired() {
        hooks.insert(event.event.to_owned(), json!([handler(wiring, *event, hook)?]));
    }
    serde_json::to_string_pretty(&json!({ "version": 1, "hooks": hooks })).ok().map(|text| text + "\n")
}

/// An executable file that is started for one event. The client reads JSON and nothing else, so a failure is answered by JSON.
#[must_use]
pub fn program(wiring: &ClientWiring, event: WiredEvent, hook: HookPath) -> Option<String> {
    let start = match hook {
        HookPath::Installed(path) => shell_word(path)?,
        HookPath::Committed(_) => format!("\"${{0%/*}}/{PROGRAM}\""),
    };
    let start = format!("{start} {} {} {}", event.event, wiring.client.name(), wiring.own_seconds(event));
    let body = if event.is_guarding() {
        // What a failed hook printed before would make two values of the answer.
        format!("said=$({start}) || said={}\nprintf '%s\\n' \"$said\"\n", shell_word(&format!("{{\"cancel\":true,\"errorMessage\":\"{FAILED}\"}}"))?)
    } else {
        format!("{start} || :\n")
    };
    Some(format!("#!/bin/sh\n# Lets Portcullis judge what the agent does. {MADE_BY}\n{body}"))
}

/// A plugin in JavaScript that starts the hook for each event, and throws if a guarding one does not end well.
#[must_use]
pub fn plugin(wiring: &ClientWiring, hook: HookPath) -> String {
    let path = match hook {
        HookPath::Installed(path) => quoted(path),
        HookPath::Committed(_) => format!("fileURLToPath(new URL(\"../{PROGRAM}\", import.meta.url))"),
    };
    let import = if matches!(hook, HookPath::Committed(_)) { "import { fileURLToPath } from \"node:url\"\n" } else { "" };
    let members = wiring.client.wired().iter().map(|event| {
        let (name, seconds) = (quoted(event.event), wiring.waits_for(*event));
        let call = format!("judge(place, {seconds}, {name}, input, output)");
        // What is printed behind a call is for the model, which reads the tool's output.
        let then = if event.is_guarding() {
            format!("if (said.status !== 0) throw new Error(said.stderr || \"{FAILED}\")")
        } else {
            "if (said.status === 0 && said.stdout && typeof output.output === \"string\") output.output += \"\\n\" + said.stdout".to_owned()
        };
        let body = format!("const said = {call}\n    {then}");
        format!("  {name}: async (input, output) => {{\n    {body}\n  }},\n")
    });
    format!(
        "// Lets Portcullis judge what the agent does. {MADE_BY}\nimport {{ spawnSync }} from \"node:child_process\"\n{import}\nconst hook = {path}\n\n\
         const judge = (place, seconds, event, input, output) =>\n  \
         spawnSync(hook, [event, {}, String(seconds - Math.ceil(seconds / 6))], {{\n    \
         cwd: place.directory,\n    encoding: \"utf8\",\n    timeout: seconds * 1000,\n    maxBuffer: 64 * 1024 * 1024,\n    \
         input: JSON.stringify({{ event, input, output, directory: place.directory, worktree: place.worktree }}),\n  }})\n\n\
         export const Portcullis = async (place) => ({{\n{}}})\n",
        quoted(wiring.client.name()),
        members.collect::<String>()
    )
}
