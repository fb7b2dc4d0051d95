//! The gate's entries in a settings text, as the client would start them.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::event::settings::entry::starts_gate;

/// One handler that starts the gate.
#[derive(Clone, Debug, PartialEq)]
pub struct Wired {
    /// The event it stands on.
    pub event: String,
    /// The command as written.
    pub command: String,
    /// Its arguments; none: the command is a line for a shell.
    pub args: Option<Vec<String>>,
    /// Seconds after which the client gives up waiting.
    pub timeout: Option<f64>,
    /// A gate that cannot answer holds the call back (`"onFailure": "block"`).
    pub blocks: bool,
}

/// Folders that the client puts in the place of its placeholders.
#[derive(Clone, Copy, Debug)]
pub struct Folders<'a> {
    /// `${CLAUDE_PROJECT_DIR}`
    pub project: &'a Path,
    /// `${CLAUDE_PLUGIN_ROOT}`, where a plugin carries the gate.
    pub plugin: Option<&'a Path>,
}

impl Folders<'_> {
    fn filled_in(&self, text: &str) -> String {
        let text = text.replace("${CLAUDE_PROJECT_DIR}", &self.project.to_string_lossy());
        match self.plugin {
            Some(plugin) => text.replace("${CLAUDE_PLUGIN_ROOT}", &plugin.to_string_lossy()),
            None => text,
        }
    }
}

impl Wired {
    /// The program that is started; for a line for a shell, its first word.
    #[must_use]
    pub fn program(&self, folders: Folders) -> PathBuf {
        let command = folders.filled_in(&self.command);
        if self.args.is_some() || Path::new(&command).is_file() {
            return PathBuf::from(command);
        }
        let first = command.split_whitespace().next().unwrap_or_default();
        PathBuf::from(first.trim_matches(['"', '\'']))
    }

    /// The process as the client starts it, its streams not yet set.
    #[must_use]
    pub fn process(&self, folders: Folders) -> Command {
        let command = folders.filled_in(&self.command);
        let mut process = if let Some(args) = &self.args {
            let mut process = Command::new(command);
            process.args(args.iter().map(|argument| folders.filled_in(argument)));
            process
        } else {
            let mut process = Command::new("/bin/sh");
            process.args(["-c", &command]);
            process
        };
        process.env("CLAUDE_PROJECT_DIR", folders.project).env_remove("CLAUDE_PLUGIN_ROOT");
        if let Some(plugin) = folders.plugin {
            process.env("CLAUDE_PLUGIN_ROOT", plugin);
        }
        process
    }
}

/// Every handler that starts the gate. A text that cannot be read has none.
#[must_use]
pub fn entries(text: &str) -> Vec<Wired> {
    let Ok(root) = serde_json::from_str::<Value>(text.strip_prefix('\u{feff}').unwrap_or(text)) else { return Vec::new() };
    let mut found = Vec::new();
    for (event, groups) in root.get("hooks").and_then(Value::as_object).into_iter().flatten() {
        let handlers = groups.as_array().into_iter().flatten().filter_map(|group| group.get("hooks")?.as_array()).flatten();
        found.extend(handlers.filter_map(|handler| wired(event, handler)));
    }
    found
}

fn wired(event: &str, handler: &Value) -> Option<Wired> {
    let command = handler.get("command")?.as_str().filter(|command| starts_gate(command))?;
    let args = handler.get("args").and_then(Value::as_array);
    Some(Wired {
        event: event.to_owned(),
        command: command.to_owned(),
        args: args.map(|args| args.iter().filter_map(Value::as_str).map(str::to_owned).collect()),
        timeout: handler.get("timeout").and_then(Value::as_f64),
        blocks: handler.get("onFailure").and_then(Value::as_str) == Some("block"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_fills_in_its_folders() {
        let folders = Folders { project: Path::new("/p p"), plugin: Some(Path::new("/q")) };
        for (handler, program, args) in [
            (r#""command":"${CLAUDE_PROJECT_DIR}/bin/portcullis-hook","args":["PreToolUse"]"#, "/p p/bin/portcullis-hook", vec!["PreToolUse"]),
            (r#""command":"${CLAUDE_PLUGIN_ROOT}/bin/portcullis-hook","args":["PreToolUse"]"#, "/q/bin/portcullis-hook", vec!["PreToolUse"]),
            (r#""command":"/x/portcullis-hook PreToolUse""#, "/x/portcullis-hook", vec!["-c", "/x/portcullis-hook PreToolUse"]),
        ] {
            let text = format!(r#"{{"hooks":{{"PreToolUse":[{{"matcher":"*","hooks":[{{"type":"command",{handler}}}]}}]}}}}"#);
            let found = entries(&text);
            assert_eq!(found.len(), 1, "{text}");
            let entry = &found[0];
            assert_eq!(entry.program(folders), Path::new(program), "{text}");
            assert_eq!(entry.process(folders).get_args().collect::<Vec<_>>(), args, "{text}");
        }
        assert_eq!(entries("{"), []);
    }
}
