//! Checks what else is in Claude Code's settings, and how the client is started: hooks of others that can
//! allow or change a call, and options that drop all hooks.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::{CheckResults, wiring};
use crate::cli::place::Place;
use crate::cli::terminal::shown;
use clients::claude_code::{ALLOWING, ANSWERED, CHANGING, DROPPING, PROGRAM_NAME, PROJECT_DIR};
use clients::settings::entry::{handlers, starts_gate};

/// A longer script is not looked into.
const MAX_SCRIPT: u64 = 64 << 10;
/// Files of a person in which a shell finds its aliases, from the home folder.
const SHELL_FILES: [&str; 8] = [".bashrc", ".bash_profile", ".bash_aliases", ".profile", ".zshrc", ".zprofile", ".zshenv", ".config/fish/config.fish"];
/// Files of a project that start programs.
const PROJECT_FILES: [&str; 4] = ["package.json", "Makefile", "justfile", "Taskfile.yml"];

/// Looks at other hooks on the events that Portcullis answers.
pub(super) fn look(place: &Place, findings: &mut CheckResults) {
    for path in wiring::files(place) {
        let Some(root) = fs::read_to_string(&path).ok().and_then(|text| serde_json::from_str::<Value>(&text).ok()) else { continue };
        let Some(root) = root.as_object() else { continue };
        for (event, _, handler) in handlers(root).filter(|(event, ..)| ANSWERED.contains(event)) {
            let command = handler.get("command").and_then(Value::as_str).unwrap_or_default();
            if command.is_empty() || starts_gate(command) || command.contains(clients::settings::PROGRAM) {
                continue;
            }
            let text = format!("{command}\n{}\n{}", arguments(handler), script(command, place).unwrap_or_default());
            if let Some(what) = power(&text) {
                let said = format!("{}: another hook on `{event}` {what} (`{command}`)", shown(&path));
                findings.warn("hooks", said, "remove it, or let it deny and print nothing else; Portcullis cannot see its answer");
            }
        }
    }
}

/// What the answer of a hook can do to ours, as far as its text says.
fn power(text: &str) -> Option<&'static str> {
    let allows = || ["\"allow\"", "'allow'", "\\\"allow\\\"", ":allow"].iter().any(|word| text.contains(word));
    if text.contains(CHANGING) {
        Some("can change a call after it was judged")
    } else if ALLOWING.iter().any(|key| text.contains(key)) && allows() {
        Some("can allow a call about which Portcullis asks")
    } else {
        None
    }
}

fn arguments(handler: &Map<String, Value>) -> String {
    handler.get("args").map(ToString::to_string).unwrap_or_default()
}

/// The text of the script that a command starts. It is read, and not started.
fn script(command: &str, place: &Place) -> Option<String> {
    let root = place.around.root.to_string_lossy();
    let filled = command.replace(&format!("${{{PROJECT_DIR}}}"), &root).replace(&format!("${PROJECT_DIR}"), &root);
    let paths = filled.split_whitespace().map(|word| word.trim_matches(['"', '\'']));
    let path = paths.filter(|word| word.contains('/') || word.contains('.')).map(|word| place.around.root.join(word)).find(|path| path.is_file())?;
    if fs::metadata(&path).ok()?.len() > MAX_SCRIPT {
        return None;
    }
    fs::read_to_string(path).ok()
}

/// Looks for ways of starting the client with which it drops the hooks.
pub(super) fn starts(place: &Place, findings: &mut CheckResults) {
    let fix = "remove it, or wire managed settings, which stay (docs/organisation.md)";
    for name in DROPPING.iter().filter_map(|word| word.strip_suffix('=')) {
        if std::env::var_os(name).is_some_and(|value| !value.is_empty() && value != "0") {
            findings.fail("starts", format!("`{name}` is set here, so the client drops the hooks of people and projects"), format!("unset {name}"));
        }
    }
    let homes = place.world.homes.first().into_iter().flat_map(|home| SHELL_FILES.map(|file| home.join(file)));
    let files = homes.chain(PROJECT_FILES.map(|file| place.around.root.join(file)));
    for path in files {
        for (line, word) in dropping(&path) {
            let text = format!("{}:{line}: `{word}` lets the client drop the hooks of people and projects", shown(&path));
            findings.warn("starts", text, fix);
        }
    }
}

/// Lines of a file that start the client so.
fn dropping(path: &PathBuf) -> Vec<(usize, &'static str)> {
    let Ok(text) = fs::read_to_string(path) else { return Vec::new() };
    let is_start = |line: &str, word: &str| line.contains(word) && (word.ends_with('=') || words(line).any(|word| word == PROGRAM_NAME));
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with(['#', ';']) && !line.trim_start().starts_with("//"));
    lines.filter_map(|(at, line)| DROPPING.iter().find(|word| is_start(line, word)).map(|word| (at + 1, word.trim_end_matches('=')))).collect()
}

/// The names of programs in a line.
fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| c.is_whitespace() || "\"'=;&|()`,".contains(c)).filter_map(|word| Path::new(word).file_name()?.to_str())
}
