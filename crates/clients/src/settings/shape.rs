//! The form that the client demands of a settings file, and what it drops where the form is wrong.
//!
//! One wrong entry makes the client drop every hook of its event in that file; on `PreToolUse` and
//! `PermissionRequest` newer clients drop the whole file, as they do for a wrong value of a known key (documented
//! in part, observed with 2.1.329). What an entry of the gate needs beyond that is in `entry`.

use serde_json::{Map, Value};

use crate::Client as _;
use crate::claude_code::ClaudeCode;

/// The events for whose broken entries a client from 2.1.270 on drops the whole file.
const FATAL: [&str; 2] = ["PreToolUse", "PermissionRequest"];

/// Forms, and the keys that have them.
type Keys = &'static [(ValueForm, &'static [&'static str])];

/// Known keys at the top of a settings file, of which a wrong value costs the whole file.
const KEYS: Keys = &[
    (ValueForm::Object, &["permissions", "env", "hooks", "enabledPlugins", "statusLine", "sandbox"]),
    (ValueForm::Text, &["model", "outputStyle", "apiKeyHelper"]),
    (ValueForm::Bool, &["includeCoAuthoredBy", "enableAllProjectMcpServers"]),
    (ValueForm::Texts, &["enabledMcpjsonServers", "disabledMcpjsonServers"]),
    (ValueForm::Number, &["cleanupPeriodDays"]),
];

/// The same below `permissions`.
const PERMISSION_KEYS: Keys = &[(ValueForm::Texts, &["allow", "ask", "deny", "additionalDirectories"]), (ValueForm::Text, &["defaultMode"])];

/// Per type of handler, the texts that it cannot do without.
const TYPES: &[(&str, &[&str])] =
    &[("command", &["command"]), ("http", &["url"]), ("mcp_tool", &["server", "tool"]), ("prompt", &["prompt"]), ("agent", &["prompt"])];

/// The same for keys of any handler that may be left out.
const HANDLER_KEYS: Keys = &[
    (ValueForm::AboveZero, &["timeout"]),
    (ValueForm::OneOf("continue", "block"), &["onFailure"]),
    (ValueForm::OneOf("bash", "powershell"), &["shell"]),
    (ValueForm::Texts, &["args"]),
    (ValueForm::Text, &["if", "statusMessage"]),
    (ValueForm::Bool, &["async", "asyncRewake", "once"]),
];

/// One step on the way from the top of the text to a place in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathStep {
    /// Into an object, by key.
    Key(String),
    /// Into an array, by position from 0.
    Index(usize),
}

/// A place whose form the client does not accept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// Where it is; the last steps may name what is missing.
    pub at: Vec<PathStep>,
    /// What is wrong there and what the client then drops, as a clause. It holds no positions, so that the same
    /// flaw keeps its text when something else is added before it.
    pub what: String,
}

#[derive(Clone, Copy)]
enum ValueForm {
    Object,
    Text,
    Texts,
    Bool,
    Number,
    AboveZero,
    OneOf(&'static str, &'static str),
}

impl ValueForm {
    fn fits(self, value: &Value) -> bool {
        match self {
            Self::Object => value.is_object(),
            Self::Text => value.is_string(),
            Self::Texts => value.as_array().is_some_and(|values| values.iter().all(Value::is_string)),
            Self::Bool => value.is_boolean(),
            Self::Number => value.is_number(),
            Self::AboveZero => value.as_f64().is_some_and(|number| number > 0.0),
            Self::OneOf(one, other) => value.as_str().is_some_and(|value| value == one || value == other),
        }
    }

    /// What a value is that does not fit.
    fn misfit(self) -> String {
        match self {
            Self::Object => "not an object".to_owned(),
            Self::Text => "not a text".to_owned(),
            Self::Texts => "not a list of texts".to_owned(),
            Self::Bool => "not true or false".to_owned(),
            Self::Number => "not a number".to_owned(),
            Self::AboveZero => "not a number above 0".to_owned(),
            Self::OneOf(one, other) => format!("neither `{one}` nor `{other}`"),
        }
    }
}

/// Every place in a settings file whose form the client does not accept. `root` must be an object; anything else
/// has no flaws but is no settings file either.
pub fn flaws(root: &Value) -> Vec<Flaw> {
    let mut found = ShapeCheck::default();
    let Some(root) = root.as_object() else { return found.flaws };
    let so = "so the client ignores the whole file";
    found.keys(root, KEYS, |key, form| format!("`{key}` is {form}, {so}"));
    if let Some(permissions) = root.get("permissions").and_then(Value::as_object) {
        found.within("permissions", |found| found.keys(permissions, PERMISSION_KEYS, |key, form| format!("`permissions.{key}` is {form}, {so}")));
    }
    for key in root.keys().filter(|key| resembles_fatal(key)) {
        found.add_at(key, format!("`{key}` must be inside of `hooks`, {so}"));
    }
    found.within("hooks", |found| {
        for (event, groups) in root.get("hooks").and_then(Value::as_object).into_iter().flatten() {
            found.within(event, |found| found.event(event, groups));
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
struct ShapeCheck {
    at: Vec<PathStep>,
    flaws: Vec<Flaw>,
}

impl ShapeCheck {
    fn add(&mut self, what: String) {
        self.flaws.push(Flaw { at: self.at.clone(), what });
    }

    fn add_at(&mut self, key: &str, what: String) {
        self.within(key, |found| found.add(what));
    }

    fn within(&mut self, key: &str, look: impl FnOnce(&mut Self)) {
        self.at.push(PathStep::Key(key.to_owned()));
        look(self);
        self.at.pop();
    }

    fn each(&mut self, items: &[Value], look: impl Fn(&mut Self, &Value)) {
        for (index, item) in items.iter().enumerate() {
            self.at.push(PathStep::Index(index));
            look(self, item);
            self.at.pop();
        }
    }

    fn keys(&mut self, object: &Map<String, Value>, keys: Keys, what: impl Fn(&str, &str) -> String) {
        for (form, keys) in keys {
            for key in keys.iter().filter(|key| object.get(**key).is_some_and(|value| !form.fits(value))) {
                self.add_at(key, what(key, &form.misfit()));
            }
        }
    }

    fn event(&mut self, event: &str, groups: &Value) {
        // A key that the client does not know as an event is passed over by it.
        if ClaudeCode.moment(event).is_none() {
            if resembles_fatal(event) {
                self.add(format!("`hooks.{event}` is a misspelt event, so the client ignores the whole file"));
            }
            return;
        }
        let so = if FATAL.contains(&event) {
            ", so the client ignores every hook of the event or the whole file"
        } else {
            ", so the client ignores every hook of the event"
        };
        let Some(groups) = groups.as_array() else {
            return self.add(format!("`hooks.{event}` is not a list{so}"));
        };
        self.each(groups, |found, group| found.group(event, group, so));
    }

    fn group(&mut self, event: &str, group: &Value, so: &str) {
        let Some(group) = group.as_object() else {
            return self.add(format!("a group on `{event}` is not an object{so}"));
        };
        if group.get("matcher").is_some_and(|matcher| !matcher.is_string()) {
            self.add_at("matcher", format!("a matcher on `{event}` is not a text{so}"));
        }
        let Some(handlers) = group.get("hooks").and_then(Value::as_array) else {
            return self.add_at("hooks", format!("a group on `{event}` has no list `hooks`{so}"));
        };
        self.within("hooks", |found| found.each(handlers, |found, handler| found.handler(event, handler, so)));
    }

    fn handler(&mut self, event: &str, handler: &Value, so: &str) {
        let Some(handler) = handler.as_object() else {
            return self.add(format!("a hook on `{event}` is not an object{so}"));
        };
        let kind = handler.get("type").and_then(Value::as_str).unwrap_or_default();
        let Some((_, needs)) = TYPES.iter().find(|(name, _)| *name == kind) else {
            return self.add_at("type", format!("a hook on `{event}` has no `type` that is known{so}"));
        };
        for key in needs.iter().filter(|key| handler.get(**key).and_then(Value::as_str).is_none_or(str::is_empty)) {
            self.add_at(key, format!("a hook on `{event}` has no text `{key}`{so}"));
        }
        let mut handler = handler.clone();
        if !matches!(kind, "command" | "http") {
            handler.remove("onFailure"); // it means nothing there
        }
        self.keys(&handler, HANDLER_KEYS, |key, form| format!("a hook on `{event}` has a `{key}` that is {form}{so}"));
    }
}
