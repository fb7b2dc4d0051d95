//! Reports of test runs: `JUnit` XML, TAP, the JSON of jest, vitest, mocha, pytest, cargo and go. Opens no file; a text in
//! another format has no runs.
#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros)]

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use serde_json::Value;

/// A test that was run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ran {
    /// As the report names it.
    pub name: String,
    pub failed: bool,
}

/// Tests of which one report is read.
const MAX_TESTS: usize = 100_000;

/// The tests that a report speaks of, without those that were skipped.
pub fn read(text: &str) -> Vec<Ran> {
    let start = text.trim_start_matches('\u{feff}').trim_start();
    if start.starts_with('<') {
        return junit(start);
    }
    if start.starts_with('{') || start.starts_with('[') {
        return match serde_json::from_str::<Value>(start) {
            Ok(whole) => json(&whole),
            Err(_) => start.lines().filter_map(|line| line_of_json(&serde_json::from_str(line).ok()?)).take(MAX_TESTS).collect(),
        };
    }
    tap(start)
}

/// A line of TAP: `ok 1 - name`, `not ok 2 - name # TODO why` (testanything.org, version 14).
fn tap(text: &str) -> Vec<Ran> {
    let case = |line: &str| {
        let line = line.trim_start();
        let (failed, rest) = match line.strip_prefix("not ok") {
            Some(rest) => (true, rest),
            None => (false, line.strip_prefix("ok")?),
        };
        if !rest.is_empty() && !rest.starts_with(' ') {
            return None;
        }
        let rest = rest.trim_start().trim_start_matches(|sign: char| sign.is_ascii_digit()).trim_start();
        let (name, directive) = rest.split_once(" # ").unwrap_or((rest, ""));
        let directive = directive.to_ascii_lowercase();
        (!directive.starts_with("skip") && !directive.starts_with("todo"))
            .then(|| Ran { name: name.strip_prefix("- ").unwrap_or(name).trim_end().to_owned(), failed })
    };
    let mut lines = text.lines().peekable();
    let is_tap = lines.peek().is_some_and(|line| line.starts_with("TAP version") || line.starts_with("1..") || case(line).is_some());
    if is_tap { lines.filter_map(case).take(MAX_TESTS).collect() } else { Vec::new() }
}

/// `JUnit` XML: `testcase` with `failure` or `error` in it; with `skipped` it was not run.
fn junit(text: &str) -> Vec<Ran> {
    let mut reader = Reader::from_str(text);
    let mut ran: Vec<Ran> = Vec::new();
    let mut open: Option<(Ran, bool)> = None;
    loop {
        match reader.read_event() {
            Ok(Event::Start(tag)) if tag.name().as_ref() == "testcase" => open = Some((Ran { name: name(&tag), failed: false }, false)),
            Ok(Event::Empty(tag)) if tag.name().as_ref() == "testcase" => ran.push(Ran { name: name(&tag), failed: false }),
            Ok(Event::Start(tag) | Event::Empty(tag)) => {
                if let Some((case, skipped)) = &mut open {
                    match tag.name().as_ref() {
                        "failure" | "error" => case.failed = true,
                        "skipped" => *skipped = true,
                        _ => {}
                    }
                }
            }
            Ok(Event::End(tag)) if tag.name().as_ref() == "testcase" => ran.extend(open.take().filter(|(_, skipped)| !skipped).map(|(case, _)| case)),
            // What follows a fault cannot be trusted, and a report that is cut off is ignored.
            Err(_) => return Vec::new(),
            Ok(Event::Eof) => return ran,
            Ok(_) => {}
        }
        if ran.len() > MAX_TESTS {
            return ran;
        }
    }
}

fn name(tag: &BytesStart) -> String {
    let value = tag.try_get_attribute("name").ok().flatten().map(|attribute| attribute.value.into_owned()).unwrap_or_default();
    quick_xml::escape::unescape(&value).map_or_else(|_| value.clone(), std::borrow::Cow::into_owned)
}

fn text<'v>(value: &'v Value, keys: &[&str]) -> Option<&'v str> {
    keys.iter().find_map(|key| value.get(*key)).and_then(Value::as_str)
}

fn outcome(name: Option<&str>, status: &str) -> Option<Ran> {
    let failed = match status {
        "failed" | "fail" | "failure" | "error" | "broken" => true,
        "passed" | "pass" | "ok" | "success" => false,
        _ => return None,
    };
    Some(Ran { name: name?.to_owned(), failed })
}

/// One JSON document: jest and vitest (`testResults`), mocha (`tests`, `failures`), pytest-json-report (`tests`).
fn json(whole: &Value) -> Vec<Ran> {
    let list = |value: &Value, key: &str| value.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    let jest = list(whole, "testResults").into_iter().flat_map(|file| list(&file, "assertionResults"));
    let mut ran: Vec<Ran> = jest.filter_map(|test| outcome(text(&test, &["title", "fullName"]), text(&test, &["status"])?)).collect();
    for test in list(whole, "tests") {
        ran.extend(match text(&test, &["outcome"]) {
            Some(status) => outcome(text(&test, &["nodeid"]), status),
            None => {
                let failed = test.get("err").and_then(Value::as_object).is_some_and(|error| !error.is_empty());
                let pending = list(whole, "pending").iter().any(|other| text(other, &["fullTitle"]) == text(&test, &["fullTitle"]));
                text(&test, &["title"]).filter(|_| !pending).map(|name| Ran { name: name.to_owned(), failed })
            }
        });
    }
    if ran.is_empty() { line_of_json(whole).into_iter().collect() } else { ran }
}

/// A line of `go test -json` (`Action`, `Test`) or of libtest's JSON (`type`, `event`, `name`).
fn line_of_json(line: &Value) -> Option<Ran> {
    match text(line, &["type"]) {
        Some("test") => outcome(text(line, &["name"]), text(line, &["event"])?),
        _ => outcome(text(line, &["Test"]), text(line, &["Action"])?),
    }
}

#[cfg(test)]
#[path = "report_file_tests.rs"]
mod tests;
