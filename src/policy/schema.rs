//! Policy files as written: which keys stand where and what kind of value each has. Knows not what the values mean.
//!
//! The shapes are data, so that a file's mistakes are all found in one go; decoding by `serde` would stop at the first.

mod view;

use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::mistake::{Mistake, suggestion};
pub use view::{Text, Value, View};

/// A policy file longer than this is refused unread.
const MAX_FILE: usize = 1 << 20;

/// What kind of value a key has.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// A string.
    Text,
    /// A string, or a list of strings that is not empty.
    Texts,
    /// `true` or `false`.
    Flag,
    /// An integer.
    Number,
    /// A local date.
    Day,
    /// A table.
    Table(&'static [Key]),
    /// A table, or a list of tables that is not empty.
    Tables(&'static [Key]),
    /// A table whose keys are the writer's own.
    Map,
    /// Looked at later: its kind depends on another key.
    Later,
}

/// A key of a table.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// The kind of its value.
    pub shape: Shape,
    /// It must be there, and not empty.
    pub must: bool,
}

const fn may(name: &'static str, shape: Shape) -> Key {
    Key { name, shape, must: false }
}

const fn must(name: &'static str, shape: Shape) -> Key {
    Key { name, shape, must: true }
}

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
];

/// Keys of a built-in pack's file.
pub static PACK: &[Key] = &[
    must("schema", Shape::Number),
    must("pack", Shape::Text),
    must("description", Shape::Text),
    must("default", Shape::Flag),
    may("protected", Shape::Texts),
    may("rule", Shape::Tables(RULE)),
];

/// Keys of a rule.
pub static RULE: &[Key] = &[
    must("name", Shape::Text),
    must("tier", Shape::Number),
    may("run", Shape::Tables(RUN)),
    may("write", Shape::Tables(WRITE)),
    may("delete", Shape::Tables(DELETE)),
    may("read", Shape::Tables(READ)),
    may("fetch", Shape::Tables(FETCH)),
    may("call", Shape::Tables(CALL)),
    may("spawn", Shape::Tables(SPAWN)),
    may("push", Shape::Tables(PUSH)),
    may("opaque", Shape::Tables(OPAQUE)),
    may("unless", Shape::Later),
    may("where", Shape::Table(WHERE)),
    may("for_agents", Shape::Texts),
    may("open", Shape::Flag),
    must("reason", Shape::Text),
    must("instead", Shape::Text),
    must("catches", Shape::Later),
    must("spares", Shape::Later),
    may("unsure", Shape::Later),
];

/// Keys of a waiver.
pub static WAIVER: &[Key] = &[
    must("rule", Shape::Text),
    may("run", Shape::Tables(RUN)),
    may("write", Shape::Tables(WRITE)),
    may("delete", Shape::Tables(DELETE)),
    may("read", Shape::Tables(READ)),
    may("fetch", Shape::Tables(FETCH)),
    may("call", Shape::Tables(CALL)),
    may("spawn", Shape::Tables(SPAWN)),
    may("push", Shape::Tables(PUSH)),
    may("opaque", Shape::Tables(OPAQUE)),
    must("reason", Shape::Text),
    must("until", Shape::Day),
];

/// The kinds of *when*, each with its keys.
pub static KINDS: &[(&str, &[Key])] = &[
    ("run", RUN),
    ("write", WRITE),
    ("delete", DELETE),
    ("read", READ),
    ("fetch", FETCH),
    ("call", CALL),
    ("spawn", SPAWN),
    ("push", PUSH),
    ("opaque", OPAQUE),
];

static RUN: &[Key] = &[
    may("program", Shape::Texts),
    may("subcommand", Shape::Texts),
    may("any_flag", Shape::Texts),
    may("all_flags", Shape::Texts),
    may("no_flag", Shape::Texts),
    may("arg", Shape::Texts),
    may("and_arg", Shape::Texts),
    may("no_arg", Shape::Texts),
    may("min_args", Shape::Number),
    may("env", Shape::Texts),
    may("stdin_from", Shape::Texts),
];

static WRITE: &[Key] = &[
    may("path", Shape::Texts),
    may("new", Shape::Flag),
    may("adds", Shape::Texts),
    may("unless", Shape::Texts),
    may("outside_repo", Shape::Flag),
    may("loses_gate", Shape::Flag),
    may("weakens_policy", Shape::Flag),
];

static DELETE: &[Key] = &[
    may("path", Shape::Texts),
    may("outside_repo", Shape::Flag),
    may("recursive", Shape::Flag),
    may("moved", Shape::Flag),
    may("loses_gate", Shape::Flag),
    may("weakens_policy", Shape::Flag),
];

static READ: &[Key] = &[may("path", Shape::Texts), may("outside_repo", Shape::Flag)];

static FETCH: &[Key] = &[may("host", Shape::Texts), may("url", Shape::Texts), may("method", Shape::Texts)];

static CALL: &[Key] = &[may("tool", Shape::Texts), may("args", Shape::Map)];

static SPAWN: &[Key] = &[may("agent", Shape::Texts), may("prompt", Shape::Texts)];

static PUSH: &[Key] = &[may("refs", Shape::Texts), may("remote", Shape::Texts), may("kind", Shape::Texts)];

static OPAQUE: &[Key] = &[may("why", Shape::Texts)];

static WHERE: &[Key] =
    &[may("branch", Shape::Texts), may("protected_branch", Shape::Flag), may("dirty", Shape::Flag), may("agent", Shape::Texts), may("mode", Shape::Texts)];

/// Keys of an example that is not a plain command.
pub static EXAMPLE: &[Key] = &[
    may("command", Shape::Text),
    may("write", Shape::Table(&[must("path", Shape::Text), may("text", Shape::Text)])),
    may("delete", Shape::Table(&[must("path", Shape::Text), may("recursive", Shape::Flag), may("moved", Shape::Flag)])),
    may("read", Shape::Table(&[must("path", Shape::Text)])),
    may("fetch", Shape::Table(&[must("url", Shape::Text), may("method", Shape::Text)])),
    may("call", Shape::Table(&[must("tool", Shape::Text), may("args", Shape::Map)])),
    may("spawn", Shape::Table(&[must("agent", Shape::Text), may("prompt", Shape::Text)])),
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
];

/// Keys of a file that describes programs.
pub static PROGRAMS: &[Key] = &[may("program", Shape::Tables(&PROGRAM))];

/// Keys of a program.
pub static PROGRAM: [Key; 12] = [
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
    may("language", Shape::Text),
    may("subcommand", Shape::Tables(&PROGRAM)),
];

static FORM: &[Key] = &[may("with", Shape::Texts), may("operands", Shape::Texts), may("values", Shape::Map)];

/// Keys of capabilities that the language has but this version does not.
const NOT_YET: &[&str] = &["tests-first", "limit", "budget", "pipeline", "gate", "stall", "flywheel", "commit", "result", "phase", "layouts"];

/// Reads a file's tables. A syntax error ends this file.
///
/// # Errors
/// The file is too large, or is not TOML.
pub fn parse<'t>(path: &str, text: &'t str) -> Result<DeTable<'t>, Mistake> {
    if text.len() > MAX_FILE {
        let what = format!("this file is larger than {MAX_FILE} bytes");
        return Err(Mistake { path: path.to_owned(), span: 0..0, what, mend: "split it, or drop what is not a rule".to_owned() });
    }
    // Only the first error is told: it is often the cause of all that a parser finds behind it.
    DeTable::parse(text).map(toml::Spanned::into_inner).map_err(|error| Mistake {
        path: path.to_owned(),
        span: error.span().unwrap_or(0..0),
        what: format!("not TOML: {}", error.message().lines().collect::<Vec<_>>().join(", ")),
        mend: "see https://toml.io for how values are written".to_owned(),
    })
}

/// Collects the mistakes of one file.
#[derive(Debug)]
pub struct Checker<'p> {
    /// The file, as shown.
    pub path: &'p str,
    /// What was found.
    pub mistakes: Vec<Mistake>,
}

impl Checker<'_> {
    /// Notes a mistake.
    pub fn mistake(&mut self, span: &Range<usize>, what: impl Into<String>, mend: impl Into<String>) {
        self.mistakes.push(Mistake { path: self.path.to_owned(), span: span.clone(), what: what.into(), mend: mend.into() });
    }

    /// Reports keys that are unknown, missing, or of another kind. `of` names the table: `a rule`.
    pub fn table(&mut self, view: &View, keys: &'static [Key], of: &str) {
        for (name, value) in view.entries() {
            match keys.iter().find(|key| key.name == name.text) {
                Some(key) => self.value(&value, key),
                None if NOT_YET.contains(&name.text) => {
                    self.mistake(&name.span, format!("`{}` is not supported by this version", name.text), "take it out, or update portcullis");
                }
                None => {
                    let mend = suggestion(name.text, keys.iter().map(|key| key.name));
                    self.mistake(&name.span, format!("unknown key `{}` in {of}", name.text), mend);
                }
            }
        }
        for key in keys.iter().filter(|key| key.must && !view.table.contains_key(key.name)) {
            self.mistake(&view.span, format!("{of} needs `{}`", key.name), format!("add `{} = …`", key.name));
        }
    }

    /// Reports a value that should be tables of this kind and is not.
    pub fn tables(&mut self, value: &Value, keys: &'static [Key], name: &str) {
        if let DeValue::Array(list) = value.value
            && list.is_empty()
        {
            self.empty(value, name);
        }
        for element in value.elements() {
            match element.table() {
                Some(view) => self.table(&view, keys, &format!("`{name}`")),
                None => self.kind(&element, name, "a table, or a list of tables"),
            }
        }
    }

    fn value(&mut self, value: &Value, key: &Key) {
        let name = key.name;
        match key.shape {
            Shape::Text => match value.text() {
                None => self.kind(value, name, "a string"),
                Some(text) if key.must && text.text.trim().is_empty() => self.empty(value, name),
                Some(_) => {}
            },
            Shape::Texts => {
                let elements = value.elements();
                if elements.is_empty() {
                    self.empty(value, name);
                }
                for element in elements.iter().filter(|element| element.text().is_none()) {
                    self.kind(element, name, "a string, or a list of strings");
                }
            }
            Shape::Flag => {
                if !matches!(value.value, DeValue::Boolean(_)) {
                    self.kind(value, name, "`true` or `false`");
                }
            }
            Shape::Number => {
                if value.number().is_none() {
                    self.kind(value, name, "an integer");
                }
            }
            Shape::Day => {
                if value.day().is_none() {
                    self.kind(value, name, "a day like 2027-03-31, without quotes");
                }
            }
            Shape::Table(keys) => match value.table() {
                Some(view) => self.table(&view, keys, &format!("`{name}`")),
                None => self.kind(value, name, "a table"),
            },
            Shape::Tables(keys) => self.tables(value, keys, name),
            Shape::Map => {
                if value.table().is_none() {
                    self.kind(value, name, "a table");
                }
            }
            Shape::Later => {}
        }
    }

    fn kind(&mut self, value: &Value, name: &str, wanted: &str) {
        self.mistake(&value.span, format!("`{name}` is {}", value.kind()), format!("write {wanted}"));
    }

    fn empty(&mut self, value: &Value, name: &str) {
        self.mistake(&value.span, format!("`{name}` is empty"), "an empty value asks nothing; fill it or take it out");
    }
}
