//! What a text of Claude Code's settings means for Portcullis: whether the settings start it, what in them disables or weakens
//! it, and whether an edit makes this worse. [`shape`] checks the form of a settings file. `cli::settings` edits settings;
//! nothing here reads a file or the environment.
//!
//! The facts about the client come from its documentation and from observing version 2.1.329.

pub mod entry;
pub mod shape;

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::claude_code::{TRIED, WIRED};
use entry::GateEntry;

/// The file name of the program that a gate entry starts.
pub const PROGRAM: &str = "portcullis-hook";

/// The events whose answer can hold something back, what weighs most first; without one of them the gate has a gap.
pub fn guarding() -> impl Iterator<Item = &'static str> {
    WIRED.iter().filter(|event| event.is_guarding()).map(|event| event.event)
}

/// The client drops a larger settings file whole.
pub const MAX_BYTES: usize = 2 * 1024 * 1024;

/// Variables that a settings file must not hand to the gate's process, which inherits `env`, and to the client itself:
/// what they do, and their names. A trailing `*` stands for any ending. What only concerns the agent's commands
/// (`GIT_EDITOR`, `NODE_OPTIONS`, `TMPDIR`) is not among them, nor is `ENV`, which only interactive shells read.
const REACHING_ENV: &[(&str, &str)] = &[
    ("loads foreign code into Portcullis", "LD_* DYLD_*"),
    ("changes the C library of Portcullis", "GLIBC_TUNABLES"),
    // A shell form, or a program named without its path, would start something else.
    ("decides which programs are started", "PATH"),
    ("runs a file before every shell command", "BASH_ENV"),
    ("replaces commands by shell functions", "BASH_FUNC_*"),
    ("decides by which shell's rules commands are read", "SHELL"),
    ("changes how commands are read", "SHELLOPTS BASHOPTS"),
    ("moves the policy and state of Portcullis", "HOME XDG_*"),
    ("configures Portcullis itself", "PORTCULLIS_*"),
    // The repository whose policy holds, and the hooks that git runs.
    ("moves the repository that Portcullis reads", "GIT_DIR GIT_WORK_TREE GIT_COMMON_DIR GIT_CEILING_DIRECTORIES GIT_DISCOVERY_ACROSS_FILESYSTEM"),
    ("moves the index that Portcullis reads", "GIT_INDEX_FILE"),
    ("moves the objects that Portcullis reads", "GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES"),
    ("changes which refs Portcullis reads", "GIT_NAMESPACE"),
    ("can switch git's own hooks off", "GIT_CONFIG*"),
    ("replaces git's own programs", "GIT_EXEC_PATH"),
    ("puts hooks into new repositories", "GIT_TEMPLATE_DIR"),
    // The client's own switches.
    ("drops the hooks", "CLAUDE_CODE_SIMPLE CLAUDE_CODE_SAFE_MODE"),
    ("wraps hook commands", "CLAUDE_CODE_SHELL_PREFIX"),
    ("lets code make tool calls that no hook is known to see", "CLAUDE_CODE_EXPERIMENTAL_CODE_MODE"),
    ("pretends that a person can be asked", "CLAUDE_CODE_SESSION_ATTENDED"),
    ("moves the user's settings", "CLAUDE_CONFIG_DIR"),
    ("sets further variables", "CLAUDE_ENV_FILE"),
    ("moves the project that Portcullis reads", "CLAUDE_PROJECT_DIR"),
    ("moves the program of Portcullis", "CLAUDE_PLUGIN_ROOT"),
];

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsEffect {
    /// Handlers on `PreToolUse` that start the gate for every tool and wait for its answer.
    pub gate_entries: usize,
    /// Whether every event of [`guarding`] has such a handler.
    pub whole: bool,
    /// What in this text disables or weakens the gate, each a clause in lower case. A text with faults may still
    /// hold a whole gate: the client can drop it all the same.
    pub faults: Vec<String>,
}

/// A settings text, as far as it can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingsReading {
    /// The client drops such a file whole; the clause says why.
    Unreadable(String),
    Read(SettingsEffect),
}

/// Says what `text` does for the gate, looked at by itself.
pub fn judge(text: &str) -> SettingsReading {
    match Settings::read(text) {
        Err(why) => SettingsReading::Unreadable(why),
        Ok(settings) => SettingsReading::Read(settings.effect()),
    }
}

/// Says why replacing `before` by `after` harms the gate; `None` when it keeps what was there.
///
/// `before` is `None` when there was no file. Faults that were there already do not count against the edit; adding
/// permissions, other hooks or a model is no harm.
pub fn worsened(before: Option<&str>, after: &str) -> Option<String> {
    let before_text = before.unwrap_or_default();
    let before = Settings::read(before_text).ok();
    let after = match Settings::read(after) {
        Ok(after) => after,
        // An empty file is dropped as well, but where no gate was there is nothing to lose.
        Err(_) if after.trim().is_empty() && !before_text.contains(PROGRAM) => return None,
        Err(why) => return Some(why),
    };
    let Some(before) = before else {
        // The client dropped the old text, so nothing is lost; but if it named the gate, it was meant to hold it.
        if before_text.contains(PROGRAM) && after.effect().gate_entries == 0 {
            return Some("the entry of Portcullis for `PreToolUse` is missing".to_owned());
        }
        return after.reasons_beyond(&[]);
    };
    after.reasons_beyond(&before.findings).or_else(|| before.lost_in(&after))
}

/// Something that disables or weakens the gate.
#[derive(PartialEq)]
struct SettingsFinding {
    /// The clause that people read.
    text: String,
    /// What tells two findings with one text apart, for instance the value of a variable. It may be a secret, so
    /// it is compared and never shown.
    detail: String,
}

impl SettingsFinding {
    fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), detail: String::new() }
    }
}

/// What a readable text says about the gate.
struct Settings {
    entries: Vec<GateEntry>,
    plugins_on: BTreeSet<String>,
    findings: Vec<SettingsFinding>,
}

impl Settings {
    fn read(text: &str) -> Result<Self, String> {
        let root = parse(text)?;
        let Some(object) = root.as_object() else {
            return Err("the text is not a JSON object, so the client ignores the whole file".to_owned());
        };
        let mut entries = entry::all(object);
        // What weighs most is named first.
        entries.sort_by_key(|entry| guarding().position(|event| event == entry.event).unwrap_or(usize::MAX));
        let mut findings: Vec<SettingsFinding> = shape::flaws(&root).into_iter().map(|flaw| SettingsFinding::plain(flaw.what)).collect();
        findings.extend(entries.iter().flat_map(|entry| entry.faults.iter().map(SettingsFinding::plain)));
        findings.extend(switches(object, entries.iter().any(GateEntry::is_gate)));
        findings.extend(environment(object));
        findings.extend(plugins(object, false).map(|name| SettingsFinding::plain(format!("`enabledPlugins` turns the plugin `{name}` off"))));
        Ok(Self { entries, plugins_on: plugins(object, true).map(str::to_owned).collect(), findings })
    }

    fn effect(&self) -> SettingsEffect {
        SettingsEffect {
            gate_entries: self.entries.iter().filter(|entry| entry.is_gate() && entry.event == TRIED).count(),
            whole: guarding().all(|event| self.entries.iter().any(|entry| entry.is_gate() && entry.event == event)),
            faults: self.texts_beyond(&[]),
        }
    }

    /// The findings that `known` does not hold, each text once.
    fn texts_beyond(&self, known: &[SettingsFinding]) -> Vec<String> {
        let mut new: Vec<String> = Vec::new();
        for finding in self.findings.iter().filter(|finding| !known.contains(finding)) {
            if !new.contains(&finding.text) {
                new.push(finding.text.clone());
            }
        }
        new
    }

    /// The same in one sentence.
    fn reasons_beyond(&self, known: &[SettingsFinding]) -> Option<String> {
        Some(self.texts_beyond(known).join("; ")).filter(|reasons| !reasons.is_empty())
    }

    /// What of the gate was in `self` and is missing in `after`.
    fn lost_in(&self, after: &Self) -> Option<String> {
        for entry in self.entries.iter().filter(|entry| entry.runs) {
            let count = |settings: &Self| settings.entries.iter().filter(|other| other.replaces(entry)).count();
            if count(after) >= count(self) {
                continue;
            }
            let event = &entry.event;
            let here = |settings: &Self| settings.entries.iter().filter(|other| other.runs && other.event == *event).count();
            return Some(if here(after) < here(self) {
                format!("the entry of Portcullis for `{event}` is missing")
            } else {
                format!("the entry of Portcullis for `{event}` no longer starts `{}`", entry.command)
            });
        }
        let lost = self.plugins_on.difference(&after.plugins_on).next()?;
        Some(format!("`enabledPlugins` no longer turns the plugin `{lost}` on"))
    }
}

/// Reads `text` as the client does: strict JSON, a byte order mark in front is passed over, of keys that are given
/// twice the last one counts.
fn parse(text: &str) -> Result<Value, String> {
    if text.len() > MAX_BYTES {
        return Err("the text is larger than 2 MiB, so the client ignores the whole file".to_owned());
    }
    let body = text.strip_prefix('\u{feff}').unwrap_or(text);
    if body.trim().is_empty() {
        return Err("the text is empty, which is not JSON, so the client ignores the whole file".to_owned());
    }
    serde_json::from_str(body).map_err(|error| format!("the text is not JSON ({error}), so the client ignores the whole file"))
}

/// Keys that switch hooks off as a whole.
fn switches(root: &Map<String, Value>, holds_gate: bool) -> Vec<SettingsFinding> {
    let mut found = Vec::new();
    match root.get("disableAllHooks") {
        None | Some(Value::Bool(false)) => {}
        Some(Value::Bool(true)) => found.push(SettingsFinding::plain("`disableAllHooks` switches every hook off")),
        Some(_) => found.push(SettingsFinding::plain("`disableAllHooks` is neither true nor false, so the hooks might be switched off")),
    }
    // Both keys count in managed settings only. There they keep the hooks of their own tier and drop the others',
    // so a text that holds the gate itself may have them. A wrong value counts as true.
    if !holds_gate {
        let set = |key| root.get(key).is_some_and(|value| *value != Value::Bool(false));
        if set("allowManagedHooksOnly") {
            found.push(SettingsFinding::plain("`allowManagedHooksOnly` drops the hooks of Portcullis in all other settings"));
        }
        let only_other_parts = |value: &Value| value.as_array().is_some_and(|parts| parts.iter().all(|part| part.as_str().is_some_and(|part| part != "hooks")));
        if set("strictPluginOnlyCustomization") && !root.get("strictPluginOnlyCustomization").is_some_and(only_other_parts) {
            found.push(SettingsFinding::plain("`strictPluginOnlyCustomization` drops the hooks of Portcullis in all other settings"));
        }
    }
    found
}

fn environment(root: &Map<String, Value>) -> Vec<SettingsFinding> {
    let Some(variables) = root.get("env").and_then(Value::as_object) else { return Vec::new() };
    let fits = |pattern: &str, name: &str| pattern.strip_suffix('*').map_or(name == pattern, |start| name.starts_with(start));
    let found = variables.iter().filter_map(|(name, value)| {
        let (effect, _) = REACHING_ENV.iter().find(|(_, patterns)| patterns.split(' ').any(|pattern| fits(pattern, name)))?;
        Some(SettingsFinding { text: format!("`env` sets `{name}`, which {effect}"), detail: value.to_string() })
    });
    found.collect()
}

/// The gate's own plugins that `enabledPlugins` turns on (`on`), or names and does not turn on.
fn plugins(root: &Map<String, Value>, on: bool) -> impl Iterator<Item = &str> {
    root.get("enabledPlugins")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .filter(move |(name, value)| name.to_ascii_lowercase().contains("portcullis") && (**value == Value::Bool(true)) == on)
        .map(|(name, _)| name.as_str())
}

#[cfg(test)]
#[path = "settings_tests.rs"]
mod tests;
