//! The form that the client demands of a settings file, and what it drops where the form is wrong.
//!
//! One wrong entry makes the client drop every hook of its event in that file; on `PreToolUse` and
//! `PermissionRequest` newer clients drop the whole file, as they do for a wrong value of a known key (documented
//! in part, observed with 2.1.329). What an entry of the gate needs beyond that stands in `entry`.

use serde_json::{Map, Value};

/// The events that version 2.1.329 knows. A key of any other name below `hooks` is passed over by the client.
const EVENTS: &[&str] = &[
    "PreToolUse",
    "PermissionRequest",
    "PermissionDenied",
    "PostToolUse",
    "PostToolUseFailure",
    "PostToolBatch",
    "UserPromptSubmit",
    "UserPromptExpansion",
    "SessionStart",
    "Setup",
    "SessionEnd",
    "Stop",
    "StopFailure",
    "SubagentStart",
    "SubagentStop",
    "TeammateIdle",
    "TaskCreated",
    "TaskCompleted",
    "PreCompact",
    "PostCompact",
    "PreModelSwitch",
    "PostModelSwitch",
    "Notification",
    "ConfigChange",
    "InstructionsLoaded",
    "CwdChanged",
    "FileChanged",
    "DirectoryAdded",
    "WorktreeCreate",
    "WorktreeRemove",
    "Elicitation",
    "ElicitationResult",
    "MessageDisplay",
];

/// The events for whose broken entries a client from 2.1.270 on drops the whole file.
const FATAL: [&str; 2] = ["PreToolUse", "PermissionRequest"];

/// Known keys at the top of a settings file, of which a wrong value costs the whole file.
const KEYS: &[(&str, Form)] = &[
    ("permissions", Form::Object),
    ("env", Form::Object),
    ("hooks", Form::Object),
    ("enabledPlugins", Form::Object),
    ("statusLine", Form::Object),
    ("sandbox", Form::Object),
    ("model", Form::Text),
    ("outputStyle", Form::Text),
    ("apiKeyHelper", Form::Text),
    ("includeCoAuthoredBy", Form::Bool),
    ("enableAllProjectMcpServers", Form::Bool),
    ("enabledMcpjsonServers", Form::Texts),
    ("disabledMcpjsonServers", Form::Texts),
    ("cleanupPeriodDays", Form::Number),
];

/// The same below `permissions`.
const PERMISSION_KEYS: &[(&str, Form)] =
    &[("allow", Form::Texts), ("ask", Form::Texts), ("deny", Form::Texts), ("additionalDirectories", Form::Texts), ("defaultMode", Form::Text)];

/// Per type of handler, the texts that it cannot do without.
const TYPES: &[(&str, &[&str])] =
    &[("command", &["command"]), ("http", &["url"]), ("mcp_tool", &["server", "tool"]), ("prompt", &["prompt"]), ("agent", &["prompt"])];

/// The same for keys of any handler that may be left out.
const HANDLER_KEYS: &[(&str, Form)] =
    &[("args", Form::Texts), ("if", Form::Text), ("statusMessage", Form::Text), ("async", Form::Bool), ("asyncRewake", Form::Bool), ("once", Form::Bool)];

/// One step on the way from the top of the text to a place in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Into an object, by key.
    Key(String),
    /// Into an array, by position from 0.
    Index(usize),
}

/// A place whose form the client does not accept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// Where it is; the last steps may name what is missing.
    pub at: Vec<Step>,
    /// What is wrong there and what the client then drops, as a clause. It holds no positions, so that the same
    /// flaw keeps its text when something else is added before it.
    pub what: String,
}

#[derive(Clone, Copy)]
enum Form {
    Object,
    Text,
    Texts,
    Bool,
    Number,
}

impl Form {
    fn fits(self, value: &Value) -> bool {
        match self {
            Self::Object => value.is_object(),
            Self::Text => value.is_string(),
            Self::Texts => value.as_array().is_some_and(|values| values.iter().all(Value::is_string)),
            Self::Bool => value.is_boolean(),
            Self::Number => value.is_number(),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Object => "an object",
            Self::Text => "a text",
            Self::Texts => "a list of texts",
            Self::Bool => "true or false",
            Self::Number => "a number",
        }
    }
}

/// Every place in a settings file whose form the client does not accept. `root` must be an object; anything else
/// has no flaws but is no settings file either.
#[must_use]
pub fn flaws(root: &Value) -> Vec<Flaw> {
    let mut found = Found::default();
    let Some(root) = root.as_object() else { return found.flaws };
    found.keys(root, KEYS, "", ", so that the client drops the whole file");
    found.within(Step::Key("permissions".to_owned()), |found| {
        if let Some(permissions) = root.get("permissions").and_then(Value::as_object) {
            found.keys(permissions, PERMISSION_KEYS, "permissions.", ", so that the client drops the whole file");
        }
    });
    for key in root.keys().filter(|key| resembles_fatal(key)) {
        found.within(Step::Key(key.clone()), |found| {
            found.add(format!("`{key}` stands outside of `hooks`, so that the client drops the whole file"));
        });
    }
    found.within(Step::Key("hooks".to_owned()), |found| {
        for (event, groups) in root.get("hooks").and_then(Value::as_object).into_iter().flatten() {
            found.within(Step::Key(event.clone()), |found| found.event(event, groups));
        }
    });
    found.flaws
}

/// Whether a key is one of the two events, or one of them misspelt: other case, `-`, `_` or spaces.
fn resembles_fatal(key: &str) -> bool {
    let letters: String = key.chars().filter(char::is_ascii_alphanumeric).collect();
    FATAL.iter().any(|event| letters.eq_ignore_ascii_case(event))
}

#[derive(Default)]
struct Found {
    at: Vec<Step>,
    flaws: Vec<Flaw>,
}

impl Found {
    fn add(&mut self, what: String) {
        self.flaws.push(Flaw { at: self.at.clone(), what });
    }

    fn within(&mut self, step: Step, look: impl FnOnce(&mut Self)) {
        self.at.push(step);
        look(self);
        self.at.pop();
    }

    fn keys(&mut self, object: &Map<String, Value>, keys: &[(&str, Form)], before: &str, so: &str) {
        for (key, form) in keys {
            if object.get(*key).is_some_and(|value| !form.fits(value)) {
                self.within(Step::Key((*key).to_owned()), |found| found.add(format!("`{before}{key}` is not {}{so}", form.name())));
            }
        }
    }

    fn event(&mut self, event: &str, groups: &Value) {
        if !EVENTS.contains(&event) {
            if resembles_fatal(event) {
                self.add(format!("`hooks.{event}` is a misspelt event, so that the client drops the whole file"));
            }
            return;
        }
        let so = if FATAL.contains(&event) {
            ", so that the client drops every hook of the event or the whole file"
        } else {
            ", so that the client drops every hook of the event"
        };
        let Some(groups) = groups.as_array() else {
            return self.add(format!("`hooks.{event}` is not a list{so}"));
        };
        for (index, group) in groups.iter().enumerate() {
            self.within(Step::Index(index), |found| found.group(event, group, so));
        }
    }

    fn group(&mut self, event: &str, group: &Value, so: &str) {
        let Some(group) = group.as_object() else {
            return self.add(format!("a group on `{event}` is not an object{so}"));
        };
        if group.get("matcher").is_some_and(|matcher| !matcher.is_string()) {
            self.within(Step::Key("matcher".to_owned()), |found| found.add(format!("a matcher on `{event}` is not a text{so}")));
        }
        let Some(handlers) = group.get("hooks").and_then(Value::as_array) else {
            return self.within(Step::Key("hooks".to_owned()), |found| found.add(format!("a group on `{event}` has no list `hooks`{so}")));
        };
        self.within(Step::Key("hooks".to_owned()), |found| {
            for (index, handler) in handlers.iter().enumerate() {
                found.within(Step::Index(index), |found| found.handler(event, handler, so));
            }
        });
    }

    fn handler(&mut self, event: &str, handler: &Value, so: &str) {
        let Some(handler) = handler.as_object() else {
            return self.add(format!("a hook on `{event}` is not an object{so}"));
        };
        let kind = handler.get("type").and_then(Value::as_str).unwrap_or_default();
        let Some((_, needs)) = TYPES.iter().find(|(name, _)| *name == kind) else {
            return self.within(Step::Key("type".to_owned()), |found| found.add(format!("a hook on `{event}` has no `type` that is known{so}")));
        };
        for key in *needs {
            if handler.get(*key).and_then(Value::as_str).is_none_or(str::is_empty) {
                self.within(Step::Key((*key).to_owned()), |found| found.add(format!("a hook on `{event}` has no text `{key}`{so}")));
            }
        }
        if handler.get("timeout").is_some_and(|timeout| timeout.as_f64().is_none_or(|seconds| seconds <= 0.0)) {
            self.within(Step::Key("timeout".to_owned()), |found| {
                found.add(format!("a hook on `{event}` has a `timeout` that is not a number above 0{so}"));
            });
        }
        let one_of = |key: &str, values: [&str; 2]| handler.get(key).is_some_and(|value| !value.as_str().is_some_and(|value| values.contains(&value)));
        if one_of("onFailure", ["continue", "block"]) && matches!(kind, "command" | "http") {
            self.within(Step::Key("onFailure".to_owned()), |found| {
                found.add(format!("a hook on `{event}` has an `onFailure` that is neither `continue` nor `block`{so}"));
            });
        }
        if one_of("shell", ["bash", "powershell"]) {
            self.within(Step::Key("shell".to_owned()), |found| {
                found.add(format!("a hook on `{event}` has a `shell` that is neither `bash` nor `powershell`{so}"));
            });
        }
        for (key, form) in HANDLER_KEYS {
            if handler.get(*key).is_some_and(|value| !form.fits(value)) {
                self.within(Step::Key((*key).to_owned()), |found| found.add(format!("a hook on `{event}` has a `{key}` that is not {}{so}", form.name())));
            }
        }
    }
}
