//! The shape of policy files: which keys are allowed where, and the type of each value. Does not know what the values mean.
//!
//! The shapes are data, so that a file's mistakes are all found in one go; decoding by `serde` would stop at the first.

mod view;

use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::mistake::{PolicyMistake, suggestion};
use policy::table::{Key, Shape, may, must};
use policy::{Conditions, When};
pub use view::{SpannedText, SpannedValue};

/// A policy file longer than this is refused unread.
const MAX_FILE: usize = 1 << 20;

/// Keys of a layer's file. Which layer may use which is `validate`'s.
pub static LAYER: &[Key] = &[
    must("schema", Shape::Number),
    may("packs", Shape::Texts),
    may("mode", Shape::Text),
    may("protected", Shape::Texts),
    may("opens", Shape::Later),
    may("disable", Shape::Texts),
    may("rule", Shape::Tables(RULE)),
    may("waiver", Shape::Tables(WAIVER)),
    may("program", Shape::Tables(&PROGRAM)),
    may("tests-first", Shape::Table(TESTS_FIRST)),
    may("flywheel", Shape::Table(FLYWHEEL)),
];

/// Keys of `[tests-first]`.
static TESTS_FIRST: &[Key] = &[
    may("tier", Shape::Number),
    may("layouts", Shape::Texts),
    may("exempt", Shape::Tables(EXEMPT)),
    may("only", Shape::Texts),
    may("red", Shape::Text),
    may("weakening", Shape::Number),
    may("strict", Shape::Flag),
    may("reports", Shape::Texts),
    may("layout", Shape::Tables(OWN_LAYOUT)),
];

static EXEMPT: &[Key] = &[must("path", Shape::Text), must("reason", Shape::Text), may("until", Shape::Day)];

static OWN_LAYOUT: &[Key] = &[
    must("name", Shape::Text),
    may("manifest", Shape::Texts),
    must("source", Shape::Texts),
    may("test", Shape::Texts),
    may("inline", Shape::Flag),
    may("exempt", Shape::Texts),
    may("unit", Shape::Text),
];

/// Keys of `[flywheel]`.
static FLYWHEEL: &[Key] = &[
    may("inbox", Shape::Text),
    may("archive", Shape::Text),
    may("learnings", Shape::Texts),
    may("map", Shape::Tables(PAIR)),
    may("per_session", Shape::Number),
    may("shrink", Shape::Number),
    may("trailers", Shape::Flag),
];

static PAIR: &[Key] = &[must("code", Shape::Texts), must("docs", Shape::Texts), may("after", Shape::Number), may("gate", Shape::Number)];

/// Keys of a built-in pack's file.
pub static PACK: &[Key] = &[
    must("schema", Shape::Number),
    must("pack", Shape::Text),
    must("description", Shape::Text),
    must("default", Shape::Flag),
    may("protected", Shape::Texts),
    may("rule", Shape::Tables(RULE)),
];

pub static RULE: &[Key] = &[
    must("name", Shape::Text),
    must("tier", Shape::Number),
    KINDS,
    may("unless", Shape::Later),
    may("where", Shape::Table(Conditions::KEYS)),
    may("for_agents", Shape::Texts),
    may("open", Shape::Flag),
    must("reason", Shape::Text),
    must("instead", Shape::Text),
    must("catches", Shape::Later),
    must("spares", Shape::Later),
    may("unsure", Shape::Later),
];

pub static WAIVER: &[Key] = &[must("rule", Shape::Text), KINDS, must("reason", Shape::Text), must("until", Shape::Day)];

/// Is for all kinds of *when*.
const KINDS: Key = may("", Shape::Kinds);

/// Keys of an example that is not a plain command.
pub static EXAMPLE: &[Key] = &[
    may("command", Shape::Text),
    may("write", Shape::Table(&[must("path", Shape::Text), may("text", Shape::Text)])),
    may("delete", Shape::Table(&[must("path", Shape::Text), may("recursive", Shape::Flag), may("moved", Shape::Flag)])),
    may("read", Shape::Table(&[must("path", Shape::Text)])),
    may("fetch", Shape::Table(&[must("url", Shape::Text), may("method", Shape::Text)])),
    may("call", Shape::Table(&[must("tool", Shape::Text), may("args", Shape::Map)])),
    may("spawn", Shape::Table(&[must("agent", Shape::Text), may("prompt", Shape::Text)])),
    may("commit", Shape::Table(&[may("message", Shape::Text), may("author", Shape::Text), may("touches", Shape::Texts), may("deletes", Shape::Texts)])),
    may("push", Shape::Table(&[may("ref", Shape::Text), may("remote", Shape::Text), must("kind", Shape::Text)])),
    may("facts", Shape::Table(FACTS)),
    may("agent", Shape::Text),
    may("mode", Shape::Text),
];

static FACTS: &[Key] = &[
    may("branch", Shape::Text),
    may("protected_branch", Shape::Flag),
    may("dirty", Shape::Flag),
    may("loses_gate", Shape::Flag),
    may("weakens_policy", Shape::Flag),
    may("exists", Shape::Texts),
    may("bytes", Shape::Number),
];

/// Keys of a file that describes programs.
pub static PROGRAMS: &[Key] = &[may("program", Shape::Tables(&PROGRAM))];

pub static PROGRAM: [Key; 23] = [
    must("name", Shape::Texts),
    may("style", Shape::Text),
    may("options", Shape::Texts),
    may("values", Shape::Map),
    may("operands", Shape::Texts),
    may("forms", Shape::Tables(FORM)),
    may("stops", Shape::Flag),
    may("remote", Shape::Flag),
    may("shell_stdin", Shape::Flag),
    may("appends", Shape::Flag),
    may("runs", Shape::Text),
    may("language", Shape::Text),
    may("escapes", Shape::Texts),
    may("neutral", Shape::Texts),
    may("prints", Shape::Tables(PRINTS)),
    may("sets_up", Shape::Texts),
    may("ways", Shape::Texts),
    may("methods", Shape::Tables(METHOD)),
    may("scripts", Shape::Table(SCRIPTS)),
    may("starts", Shape::Texts),
    may("named_by", Shape::Texts),
    may("examples", Shape::Map),
    may("subcommand", Shape::Tables(&PROGRAM)),
];

static PRINTS: &[Key] = &[
    may("called", Shape::Texts),
    may("with", Shape::Texts),
    may("only", Shape::Texts),
    may("operands", Shape::Texts),
    may("always", Shape::Flag),
    must("as", Shape::Text),
    may("text", Shape::Text),
];

static METHOD: &[Key] = &[may("any", Shape::Texts), may("items", Shape::Flag), must("is", Shape::Later)];

static SCRIPTS: &[Key] = &[must("file", Shape::Text), must("key", Shape::Text), must("names", Shape::Map)];

static FORM: &[Key] = &[may("with", Shape::Texts), may("operands", Shape::Texts), may("values", Shape::Map)];

/// Keys of capabilities that the language has but this version does not.
const NOT_YET: &[&str] = &["limit", "budget", "pipeline", "gate", "stall", "result", "phase"];

/// Reads a file's tables. A syntax error ends this file.
///
/// # Errors
///
/// The file is too large, or is not TOML.
pub fn parse<'t>(path: &str, text: &'t str) -> Result<DeValue<'t>, PolicyMistake> {
    if text.len() > MAX_FILE {
        let what = format!("this file is larger than {MAX_FILE} bytes");
        return Err(PolicyMistake { path: path.to_owned(), span: 0..0, what, fix: "split it".to_owned() });
    }
    // Only the first error is reported, because it often causes the errors after it.
    DeTable::parse(text).map(|table| DeValue::Table(table.into_inner())).map_err(|error| PolicyMistake {
        path: path.to_owned(),
        span: error.span().unwrap_or(0..0),
        what: format!("not TOML: {}", error.message().lines().collect::<Vec<_>>().join(", ")),
        fix: "see https://toml.io for how values are written".to_owned(),
    })
}

/// Collects the mistakes of one file.
#[derive(Debug)]
pub struct Checker<'p> {
    pub path: &'p str,
    /// Where they are noted.
    pub mistakes: &'p mut Vec<PolicyMistake>,
}

impl Checker<'_> {
    /// What a name stands for.
    pub fn named<T: Copy>(&mut self, text: &SpannedText, all: &[(&'static str, T)], what: &str) -> Option<T> {
        let found = all.iter().find(|(name, _)| *name == text.text);
        if found.is_none() {
            self.mistake(&text.span, format!("unknown {what} `{}`", text.text), suggestion(text.text, all.iter().map(|(name, _)| *name)));
        }
        found.map(|(_, value)| *value)
    }

    pub fn mistake(&mut self, span: &Range<usize>, what: impl Into<String>, fix: impl Into<String>) {
        self.mistakes.push(PolicyMistake { path: self.path.to_owned(), span: span.clone(), what: what.into(), fix: fix.into() });
    }

    /// Reports keys that are unknown, missing, or of another kind. `of` names the table: `a rule`.
    pub fn table(&mut self, table: &SpannedValue, keys: &'static [Key], of: &str) {
        let keys = keys.iter().flat_map(|key| if matches!(key.shape, Shape::Kinds) { When::KINDS } else { std::slice::from_ref(key) });
        for (name, value) in table.entries() {
            match keys.clone().find(|key| key.name == name.text) {
                Some(key) => self.value(&value, key),
                None if NOT_YET.contains(&name.text) => {
                    self.mistake(&name.span, format!("`{}` is not supported by this version", name.text), "remove it, or update portcullis");
                }
                None => {
                    let fix = suggestion(name.text, keys.clone().map(|key| key.name));
                    self.mistake(&name.span, format!("unknown key `{}` in {of}", name.text), fix);
                }
            }
        }
        for key in keys.filter(|key| key.must && table.get(key.name).is_none()) {
            self.mistake(&table.span, format!("{of} needs `{}`", key.name), format!("add `{} = …`", key.name));
        }
    }

    /// Reports a value that is not of the kind of its key.
    pub fn value(&mut self, value: &SpannedValue, key: &Key) {
        let name = key.name;
        match key.shape {
            Shape::Text => match value.as_text() {
                None => self.kind(value, name, "a string"),
                Some(text) if key.must && text.text.trim().is_empty() => self.empty(value, name),
                Some(_) => {}
            },
            Shape::Texts | Shape::Tables(_) if value.elements().is_empty() => self.empty(value, name),
            Shape::Texts => {
                for element in value.elements().iter().filter(|element| element.as_text().is_none()) {
                    self.kind(element, name, "a string, or a list of strings");
                }
            }
            Shape::Tables(keys) => {
                for element in value.elements() {
                    if element.is_table() {
                        self.table(&element, keys, &format!("`{name}`"));
                    } else {
                        self.kind(&element, name, "a table, or a list of tables");
                    }
                }
            }
            Shape::Table(keys) if value.is_table() => self.table(value, keys, &format!("`{name}`")),
            Shape::Table(_) | Shape::Map if !value.is_table() => self.kind(value, name, "a table"),
            Shape::Flag if !matches!(value.value, DeValue::Boolean(_)) => self.kind(value, name, "`true` or `false`"),
            Shape::Number if value.as_number().is_none() => self.kind(value, name, "an integer"),
            Shape::Day if value.as_day().is_none() => self.kind(value, name, "a day like 2027-03-31, without quotes"),
            _ => {}
        }
    }

    fn kind(&mut self, value: &SpannedValue, name: &str, wanted: &str) {
        self.mistake(&value.span, format!("`{name}` is {}", value.kind()), format!("write {wanted}"));
    }

    fn empty(&mut self, value: &SpannedValue, name: &str) {
        self.mistake(&value.span, format!("`{name}` is empty"), "write a value, or remove the key");
    }
}
