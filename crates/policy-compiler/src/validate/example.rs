//! One example of a rule, from written to meant.

use toml::de::DeValue;

use super::PolicyDocument;
use crate::examples::{Example, ExampleDeed, ExampleFacts};
use crate::schema::{Checker, EXAMPLE, SpannedValue};
use actions::PushKind;

/// What an example may do; exactly one of them.
const DEEDS: &[&str] = &["command", "write", "delete", "read", "fetch", "call", "spawn", "commit", "push"];

/// Reads an element of `catches`, `spares` or `unsure`.
pub(super) fn example(value: &SpannedValue, key: &str, document: &PolicyDocument, checker: &mut Checker) -> Option<Example> {
    let place = document.place(&value.span);
    if let Some(text) = value.as_text() {
        if text.text.trim().is_empty() {
            checker.mistake(&value.span, format!("an example in `{key}` is empty"), "write a command");
        }
        let deed = ExampleDeed::Command(text.text.to_owned());
        return Some(Example { deed, facts: ExampleFacts::default(), agent: None, mode: None, place });
    }
    if !value.is_table() {
        let what = format!("an example in `{key}` is neither a command nor a table");
        checker.mistake(&value.span, what, "write `\"a command\"` or `{ write = { path = \"…\" } }`");
        return None;
    }
    let table = value;
    checker.table(table, EXAMPLE, "an example");
    let facts = table.table("facts").map(|facts| ExampleFacts {
        branch: owned(&facts, "branch"),
        phase: owned(&facts, "phase"),
        protected_branch: facts.flag("protected_branch"),
        dirty: facts.flag("dirty"),
        loses_gate: facts.flag("loses_gate"),
        weakens_policy: facts.flag("weakens_policy"),
        ignored: facts.flag("ignored"),
        loses_commits: facts.flag("loses_commits"),
        exists: all(&facts, "exists"),
        bytes: facts.get("bytes").and_then(|value| value.as_number()?.try_into().ok()),
    });
    let deed = deed(table, checker)?;
    Some(Example { deed, facts: facts.unwrap_or_default(), agent: owned(table, "agent"), mode: owned(table, "mode"), place })
}

fn deed(table: &SpannedValue, checker: &mut Checker) -> Option<ExampleDeed> {
    let given: Vec<&&str> = DEEDS.iter().filter(|deed| table.get(deed).is_some()).collect();
    let [kind] = given.as_slice() else {
        let all: Vec<String> = DEEDS.iter().map(|deed| format!("`{deed}`")).collect();
        checker.mistake(&table.span, "an example does not do exactly one thing", format!("write one of {}", all.join(", ")));
        return None;
    };
    if **kind == "command" {
        return owned(table, "command").map(ExampleDeed::Command);
    }
    let inner = table.table(kind)?;
    let flag = |key: &str| inner.flag(key).unwrap_or(false);
    Some(match **kind {
        "write" => ExampleDeed::Write { path: owned(&inner, "path")?, text: owned(&inner, "text") },
        "delete" => ExampleDeed::Delete { path: owned(&inner, "path")?, recursive: flag("recursive"), moved: flag("moved") },
        "read" => ExampleDeed::Read { path: owned(&inner, "path")? },
        "fetch" => ExampleDeed::Fetch { url: owned(&inner, "url")?, method: owned(&inner, "method") },
        "call" => {
            let args = inner.get("args").map_or_else(|| Some(toml::Table::new().into()), |args| argument(&args, checker));
            ExampleDeed::Call { tool: owned(&inner, "tool")?, args: args? }
        }
        "spawn" => ExampleDeed::Spawn { agent: owned(&inner, "agent")?, prompt: owned(&inner, "prompt").unwrap_or_default() },
        "commit" => ExampleDeed::Commit {
            message: owned(&inner, "message"),
            author: owned(&inner, "author").unwrap_or_default(),
            touches: all(&inner, "touches"),
            deletes: all(&inner, "deletes"),
        },
        _ => ExampleDeed::Push {
            target: owned(&inner, "ref"),
            remote: owned(&inner, "remote"),
            kind: checker.named(&inner.text("kind")?, PushKind::NAMES, "kind of push")?,
        },
    })
}

/// A value among the arguments of a call.
fn argument(value: &SpannedValue, checker: &mut Checker) -> Option<toml::Value> {
    Some(match value.value {
        DeValue::String(text) => toml::Value::String(text.to_string()),
        DeValue::Integer(_) => toml::Value::Integer(value.as_number()?),
        DeValue::Float(number) => toml::Value::Float(number.as_str().parse().ok()?),
        DeValue::Boolean(flag) => toml::Value::Boolean(*flag),
        DeValue::Array(_) => toml::Value::Array(value.elements().iter().filter_map(|element| argument(element, checker)).collect()),
        DeValue::Table(_) => {
            let entries = value.entries().into_iter().filter_map(|(key, value)| Some((key.text.to_owned(), argument(&value, checker)?)));
            toml::Value::Table(entries.collect())
        }
        DeValue::Datetime(_) => {
            checker.mistake(&value.span, "JSON has no dates", "write it as a string");
            return None;
        }
    })
}

fn all(table: &SpannedValue, key: &str) -> Vec<String> {
    table.texts(key).iter().map(|text| text.text.to_owned()).collect()
}

fn owned(table: &SpannedValue, key: &str) -> Option<String> {
    table.text(key).map(|text| text.text.to_owned())
}
