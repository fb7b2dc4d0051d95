//! The shape of policy files: which keys are allowed where, and the type of each value. Does not know what the values mean.
//!
//! The shapes are data, so that a file's mistakes are all found in one go; decoding by `serde` would stop at the first.

mod view;

use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::mistake::{PolicyMistake, suggestion};
use super::validate::approval::APPROVAL;
use policy::keys;
use policy::table::{Key, Shape};
use policy::{Conditions, When};
pub use view::{SpannedText, SpannedValue};

/// A policy file longer than this is refused unread.
const MAX_FILE: usize = 1 << 20;

/// Keys of a layer's file. Which layer may use which is `validate`'s.
pub static LAYER: &[Key] = keys![
    must "schema": Number, may "packs": Texts, may "mode": Text, may "protected": Texts, may "opens": Later, may "disable": Texts, may "rule": Tables(RULE),
    may "waiver": Tables(WAIVER), may "program": Tables(&PROGRAM), may "tests-first": Table(TESTS_FIRST), may "flywheel": Table(FLYWHEEL),
    may "limit": Tables(LIMIT), may "budget": Tables(BUDGET), may "pipeline": Table(PIPELINE), may "gate": Tables(GATE),
    may "result": Tables(RESULT), may "stall": Table(STALL), may "approval": Table(APPROVAL), may "store": Table(STORE), may "record": Table(RECORD),
    may "shadow": Tables(SHADOW),
    may "release": Table(RELEASE),
];

/// Keys of `[[shadow]]`.
static SHADOW: &[Key] = keys![may "pack": Texts, may "rule": Texts];

/// Keys of `[pipeline]`.
static PIPELINE: &[Key] = keys![
    may "phases": Texts, may "autonomy": Text, may "agents": Map, may "marker": Text, may "retries": Map, may "batch": Number,
];

/// Keys of `[[gate]]`.
static GATE: &[Key] = keys![
    must "name": Text, must "before": Texts, must "needs": Tables(NEEDS), may "": Kinds, may "unless": Later, may "where": Table(Conditions::KEYS),
    may "for_agents": Texts, may "tier": Number, may "reason": Text, may "instead": Text,
];

/// Keys of a table of `needs`.
static NEEDS: &[Key] = keys![
    may "command": Text, may "since": Text, may "tests": Text, may "touched": Texts, may "documents": Flag, may "checklist": Text, may "boxes": Number,
    may "by": Texts, may "verdict": Table(keys![must "file": Text, must "says": Text, may "by": Texts]),
    may "coverage": Table(keys![must "report": Text, must "at_least": Number, may "paths": Texts]), may "imports": Flag, may "exists": Texts,
    may "estimate": Table(keys![must "lines": Number, may "within": Later]),
];

/// Keys of `[[limit]]`.
pub static LIMIT: &[Key] = keys![
    must "name": Text, may "": Kinds, may "unless": Later, may "where": Table(Conditions::KEYS), may "for_agents": Texts, must "max": Number, must "per": Text,
    may "scope": Text, may "over": Number, may "reason": Text, may "instead": Text,
];

/// Keys of `[[budget]]`.
pub static BUDGET: &[Key] = keys![
    must "name": Text, must "usd": Later, must "per": Text, may "warn": Later, may "over": Number, must "costs": Tables(COST),
    may "scope": Text, may "unknown": Text, may "reason": Text, may "instead": Text,
];

/// Keys of `[store]`.
static STORE: &[Key] = keys![must "engine": Text, may "unreachable": Text, may "password_env": Text, may "password_file": Text];

/// Keys of `[record]`.
static RECORD: &[Key] = keys![may "keep_days": Number, may "keep_mb": Number];

/// Keys of `[release]`.
static RELEASE: &[Key] = keys![must "serial": Number, may "valid_until": Day, may "grace_days": Number, may "stale": Text];

/// Keys of `[[result]]`.
pub static RESULT: &[Key] = keys![
    must "name": Text, may "": Kinds, may "unless": Later, may "where": Table(Conditions::KEYS), may "for_agents": Texts, may "finds": Map, may "follow": Texts,
    may "holds": Text, must "reason": Text, may "instead": Text,
];

/// Keys of `[stall]`.
static STALL: &[Key] = keys![
    may "repeat": Number, may "cycle": Table(keys![may "length": Later, may "times": Number]), may "errors": Number, may "idle": Number, may "ladder": Texts,
    may "waits": Texts,
];

static COST: &[Key] = keys![
    may "": Kinds, may "unless": Later, may "where": Table(Conditions::KEYS), may "for_agents": Texts, may "usd": Later, may "usd_at": Text, may "tokens": Text,
];

/// Keys of `[tests-first]`.
static TESTS_FIRST: &[Key] = keys![
    may "tier": Number, may "layouts": Texts, may "exempt": Tables(EXEMPT), may "only": Texts, may "red": Text, may "weakening": Number, may "strict": Flag,
    may "reports": Texts, may "layout": Tables(OWN_LAYOUT),
];

static EXEMPT: &[Key] = keys![must "path": Text, must "reason": Text, may "until": Day];

static OWN_LAYOUT: &[Key] = keys![
    must "name": Text, may "manifest": Texts, must "source": Texts, may "test": Texts, may "inline": Flag, may "exempt": Texts, may "unit": Text,
];

/// Keys of `[flywheel]`.
static FLYWHEEL: &[Key] = keys![
    may "inbox": Text, may "archive": Text, may "learnings": Texts, may "map": Tables(PAIR), may "per_session": Number, may "shrink": Number,
    may "trailers": Flag,
];

static PAIR: &[Key] = keys![must "code": Texts, must "docs": Texts, may "after": Number, may "gate": Number];

/// Keys of a built-in pack's file.
pub static PACK: &[Key] = keys![
    must "schema": Number, must "pack": Text, must "description": Text, must "default": Flag, may "brings": Texts, may "protected": Texts, may "rule": Tables(RULE),
    may "limit": Tables(LIMIT), may "result": Tables(RESULT),
];

pub static RULE: &[Key] = keys![
    must "name": Text, must "tier": Number, may "": Kinds, may "unless": Later, may "where": Table(Conditions::KEYS), may "for_agents": Texts,
    may "open": Flag, may "tell": Flag, may "source": Texts, must "reason": Text, must "instead": Text, must "catches": Later, must "spares": Later, may "unsure": Later,
];

pub static WAIVER: &[Key] = keys![must "rule": Text, may "": Kinds, must "reason": Text, must "until": Day];

/// Keys of an example that is not a plain command.
pub static EXAMPLE: &[Key] = keys![
    may "command": Text,
    may "write": Table(keys![must "path": Text, may "text": Text]),
    may "delete": Table(keys![must "path": Text, may "recursive": Flag, may "moved": Flag]),
    may "read": Table(keys![must "path": Text]),
    may "fetch": Table(keys![must "url": Text, may "method": Text]),
    may "call": Table(keys![must "tool": Text, may "args": Map]),
    may "spawn": Table(keys![must "agent": Text, may "prompt": Text]),
    may "commit": Table(keys![may "message": Text, may "author": Text, may "touches": Texts, may "deletes": Texts]),
    may "push": Table(keys![may "ref": Text, may "remote": Text, must "kind": Text]),
    may "facts": Table(FACTS),
    may "agent": Text,
    may "mode": Text,
];

static FACTS: &[Key] = keys![
    may "branch": Text, may "phase": Text, may "protected_branch": Flag, may "dirty": Flag, may "loses_gate": Flag, may "weakens_policy": Flag, may "exists": Texts,
    may "ignored": Flag, may "loses_commits": Flag, may "bytes": Number,
];

/// Keys of a file that describes programs.
pub static PROGRAMS: &[Key] = keys![may "program": Tables(&PROGRAM)];

pub static PROGRAM: [Key; 30] = *keys![
    must "name": Texts, may "style": Text, may "options": Texts, may "values": Map, may "operands": Texts, may "forms": Tables(FORM), may "stops": Flag,
    may "remote": Flag, may "shell_stdin": Flag, may "appends": Flag, may "runs": Text, may "language": Text, may "escapes": Texts, may "writes": Texts, may "options_in": Texts, may "neutral": Texts,
    may "prints": Tables(PRINTS), may "sets_up": Texts, may "ways": Texts, may "methods": Tables(METHOD), may "scripts": Table(SCRIPTS), may "empties": Texts, may "hushes": Texts, may "opens": Texts, may "secrets": Texts, may "starts": Texts,
    may "query": Table(QUERY), may "named_by": Texts, may "examples": Map, may "subcommand": Tables(&PROGRAM),
];

static QUERY: &[Key] = keys![
    may "language": Text, may "words": Flag, may "file": Flag, may "input": Flag, may "one": Texts, may "stops": Texts, may "continues": Texts, may "lines": Texts, may "nothing": Texts,
    may "reads": Texts, may "delimiter": Text, may "variable": Text, may "host": Texts, may "host_in": Texts, may "database": Texts, may "starts_with": Texts, may "loses": Texts,
];

static PRINTS: &[Key] =
    keys![may "called": Texts, may "with": Texts, may "only": Texts, may "operands": Texts, may "always": Flag, must "as": Text, may "text": Text];

static METHOD: &[Key] = keys![may "any": Texts, may "items": Flag, must "is": Later];

static SCRIPTS: &[Key] = keys![must "file": Text, must "key": Text, must "names": Map];

static FORM: &[Key] = keys![may "with": Texts, may "operands": Texts, may "values": Map];

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
