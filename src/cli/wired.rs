//! The gate's entries in a settings text, as the client would start them.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Map, Value};

use clients::claude_code::{PLUGIN_ROOT, PROJECT_DIR, TRIED};
use clients::settings::entry::{handlers, starts_gate};

#[derive(Clone, Debug, PartialEq)]
pub struct Wired {
    pub event: String,
    /// The command. The client's placeholders are replaced.
    pub command: String,
    /// Its arguments. `None` if the command is a line for a shell.
    pub args: Option<Vec<String>>,
    /// Seconds after which the client gives up waiting.
    pub timeout: Option<f64>,
    /// The client denies the call if Portcullis cannot answer (`"onFailure": "block"`).
    pub blocks: bool,
    /// Variables that the client sets for it.
    variables: Vec<(&'static str, PathBuf)>,
}

impl Wired {
    /// The program that is started; for a line for a shell, its first word.
    pub fn program(&self) -> PathBuf {
        if self.args.is_some() || Path::new(&self.command).is_file() {
            return PathBuf::from(&self.command);
        }
        let first = self.command.split_whitespace().next().unwrap_or_default();
        PathBuf::from(first.trim_matches(['"', '\'']))
    }

    /// The process as the client starts it, its streams not yet set.
    pub fn process(&self) -> Command {
        let mut process = Command::new(if self.args.is_some() { &self.command } else { "/bin/sh" });
        match &self.args {
            Some(args) => process.args(args),
            None => process.args(["-c", &self.command]),
        };
        process.env_remove(PLUGIN_ROOT).envs(self.variables.iter().cloned());
        process
    }
}

/// Every handler that starts Portcullis in sessions of a project. `plugin` is the folder of a plugin that contains it. Empty
/// if the text cannot be read.
pub fn entries(text: &str, project: &Path, plugin: Option<&Path>) -> Vec<Wired> {
    let Ok(root) = serde_json::from_str::<Value>(text.strip_prefix('\u{feff}').unwrap_or(text)) else { return Vec::new() };
    let variables: Vec<_> =
        [(PROJECT_DIR, Some(project)), (PLUGIN_ROOT, plugin)].into_iter().filter_map(|(name, folder)| Some((name, folder?.to_path_buf()))).collect();
    let root = root.as_object().cloned().unwrap_or_default();
    handlers(&root).filter_map(|(event, _, handler)| wired(event, handler, &variables)).collect()
}

/// The first of them that the client starts before a tool call. `None` if there is no such handler.
pub fn entry(text: &str, project: &Path, plugin: Option<&Path>) -> Option<Wired> {
    entries(text, project, plugin).into_iter().find(|entry| entry.event == TRIED)
}

fn wired(event: &str, handler: &Map<String, Value>, variables: &[(&'static str, PathBuf)]) -> Option<Wired> {
    let command = handler.get("command")?.as_str().filter(|command| starts_gate(command))?;
    let filled_in =
        |text: &str| variables.iter().fold(text.to_owned(), |text, (name, folder)| text.replace(&format!("${{{name}}}"), &folder.to_string_lossy()));
    let args = handler.get("args").and_then(Value::as_array);
    Some(Wired {
        event: event.to_owned(),
        command: filled_in(command),
        args: args.map(|args| args.iter().filter_map(Value::as_str).map(filled_in).collect()),
        timeout: handler.get("timeout").and_then(Value::as_f64),
        blocks: handler.get("onFailure").and_then(Value::as_str) == Some("block"),
        variables: variables.to_vec(),
    })
}
