//! Notes of rules (`tell`): the call is allowed, and the model reads the reason after it, once a session and rule. And the
//! sentences that rules name (`source`).

use std::fs;

use crate::support::{COLD, Said, Scratch, json, run};
use portcullis::cli::policy::source::shipped;
use serde_json::Value;

const POLICY: &str = r#"
schema = 1

[[rule]]
name    = "migration-noted"
tier    = 1
tell    = true
source  = "handbook:4.2"
write   = { path = "db/**", adds = 'DROP' }
reason  = "a column that is dropped cannot be had back"
instead = "rename it first"
catches = [{ write = { path = "db/1.sql", text = "DROP x" } }]
spares  = [{ write = { path = "db/1.sql", text = "ADD x" } }]

[[rule]]
name    = "migration-of-main"
tier    = 4
write   = { path = "db/main.sql" }
reason  = "it is generated"
instead = "change the model"
catches = [{ write = { path = "db/main.sql", text = "x" } }]
spares  = [{ write = { path = "db/1.sql", text = "x" } }]
"#;

fn scratch() -> Scratch {
    let scratch = Scratch::new();
    scratch.write("portcullis.toml", POLICY);
    scratch
}

/// What the hook's process says to a write, at one moment of a session.
fn written(scratch: &Scratch, session: &str, event: &str, path: &str, text: &str) -> Said {
    let input = format!(r#"{{"file_path":{},"content":{}}}"#, json(&scratch.repo().join(path).to_string_lossy()), json(text));
    let payload = scratch.payload("Write", &input, "default").replace(r#""session_id":"s""#, &format!(r#""session_id":"{session}""#));
    scratch.hook(event, payload.replace("PreToolUse", event).as_bytes())
}

fn is_silent(said: &Said) -> bool {
    said.code == 0 && said.stdout.is_empty() && said.stderr.is_empty()
}

/// What the model reads.
fn context(said: &Said) -> String {
    let answer: Value = serde_json::from_str(&said.stdout).unwrap_or_default();
    answer["hookSpecificOutput"]["additionalContext"].as_str().unwrap_or_default().to_owned()
}

/// The note on the write of `db/1.sql`.
fn note(scratch: &Scratch) -> String {
    let path = scratch.repo().join("db/1.sql");
    format!("note by `migration-noted` on `write {}`: a column that is dropped cannot be had back; instead: rename it first", path.display())
}

#[test]
fn a_note_is_read_after_the_call_once_a_session() {
    let scratch = scratch();
    assert!(is_silent(&written(&scratch, "one", "PreToolUse", "db/1.sql", "DROP x")), "the call is allowed");
    let after = written(&scratch, "one", "PostToolUse", "db/1.sql", "DROP x");
    assert_eq!((after.code, context(&after)), (0, note(&scratch)));
    for event in ["PostToolUse", "PreToolUse", "PostToolUse"] {
        assert!(is_silent(&written(&scratch, "one", event, "db/1.sql", "DROP y")), "{event}");
    }
    assert!(is_silent(&written(&scratch, "two", "PreToolUse", "db/1.sql", "DROP x")));
    assert!(is_silent(&written(&scratch, "one", "PostToolUse", "db/2.sql", "x")), "the note is of another session");
    assert_eq!(context(&written(&scratch, "two", "PostToolUseFailure", "db/1.sql", "DROP x")), note(&scratch));
}

#[test]
fn a_call_without_a_note_leaves_nothing() {
    let scratch = scratch();
    for (event, path, text) in [("PreToolUse", "db/1.sql", "ADD x"), ("PostToolUse", "db/1.sql", "ADD x"), ("PreToolUse", "src/a.rs", "DROP")] {
        assert!(is_silent(&written(&scratch, "one", event, path, text)), "{path} {text}");
    }
    let denied = written(&scratch, "one", "PreToolUse", "db/main.sql", "DROP x");
    assert!(denied.code == 2 && denied.stderr.contains("migration-of-main"), "{denied:?}");
    assert!(is_silent(&written(&scratch, "one", "PostToolUse", "src/a.rs", "x")), "a call that was denied leaves no note");
    let state = scratch.home().join(".local/state/portcullis");
    let files = fs::read_dir(&state).unwrap().flat_map(|folder| fs::read_dir(folder.unwrap().path()).unwrap());
    let kept: Vec<String> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    assert!(kept.iter().all(|name| !name.starts_with("notes") && !name.contains("pending")), "{kept:?}");
}

#[test]
fn explain_shows_a_note_and_leaves_none() {
    let scratch = scratch();
    let input = format!(r#"{{"file_path":{},"content":"DROP x"}}"#, json(&scratch.repo().join("db/1.sql").to_string_lossy()));
    let payload = scratch.payload("Write", &input, "default");
    let said = run(scratch.command(COLD).args(["explain", "--payload", "-"]), payload.as_bytes());
    assert!(said.stdout.contains("free, with a note: a column that is dropped") && said.stdout.contains("a note of `migration-noted`"), "{}", said.stdout);
    let said = run(scratch.command(COLD).args(["explain", "--json", "--payload", "-"]), payload.as_bytes());
    let explained: Value = serde_json::from_str(&said.stdout).unwrap();
    assert!(explained["notes"].as_array().unwrap().iter().any(|note| note["kind"] == "tell" && note["text"] == self::note(&scratch)), "{explained}");
    assert!(is_silent(&written(&scratch, "s", "PostToolUse", "src/a.rs", "x")));
}

/// Rows that a rule, a test section or the wiring must hold: those that only other parts hold come with these parts.
const HELD: &str = "D1.1 D1.2 D1.3 D2.1 D2.4 D2.5 D3.1 D3.2 D5.1 D5.2 D6.1 D7.1 D7.2 D8.1 D10.1 D10.2 D11.1 D12.1 Q1 V1 V2 V3 V4 V5 V6 V7 V8 V9 V10 V12 V15 \
    F4 F5 F9 F12 F13 F14 E1 E2 E3 E4 E5 E8 M2 M4 M7 M8 M10";

#[test]
fn every_demand_has_a_rule_or_says_why_not() {
    let rows = shipped("seeds");
    assert!(rows.len() == 90 && rows.iter().all(|row| !row.demand.is_empty()), "a rule names a sentence that the table does not have");
    for id in HELD.split_whitespace() {
        let row = rows.iter().find(|row| row.id == id).unwrap();
        assert!(!row.rules.is_empty() || row.also.is_some() || row.never.is_some(), "{id} is held by nothing");
    }
    for row in &rows {
        assert!(!row.rules.is_empty() || row.also.is_some() || row.later.is_some() || row.never.is_some(), "{} says nothing", row.id);
    }
}

#[test]
fn the_table_shows_rules_of_packs_that_are_on_and_off() {
    let scratch = scratch();
    let policy = |arguments: &[&str]| run(scratch.command(COLD).arg("policy").args(arguments), b"");
    let said = policy(&["--source", "seeds"]).stdout;
    assert!(said.contains("command-in-tool-server (factory, off here)") && said.contains("force-push (git)"), "{said}");
    assert!(said.contains("no gate can hold it: it is an order of work"), "{said}");
    let own = policy(&["--source", "handbook"]).stdout;
    assert!(own.contains("4.2") && own.contains("migration-noted (project)"), "{own}");
    scratch.write("portcullis.toml", "schema = 1\npacks = [\"factory\"]\n");
    let rows: Value = serde_json::from_str(&policy(&["--source", "seeds", "--json"]).stdout).unwrap();
    let rules = |id: &str| rows.as_array().unwrap().iter().find(|row| row["id"] == id).unwrap()["rules"].clone();
    // The pack brings two others.
    for (id, pack) in [("D1.1", "factory"), ("D5.1", "twilio-apis"), ("F12", "twilio")] {
        assert!(rules(id).as_array().unwrap().iter().any(|rule| rule["pack"] == pack && rule["on"] == true), "{id}");
    }
    assert!(rules("V1").as_array().unwrap().iter().all(|rule| rule["on"] == false));
    let unknown = policy(&["--source", "nothing"]);
    assert!(unknown.code != 0 && unknown.stderr.contains("no rule names a sentence of `nothing`"), "{unknown:?}");
}

#[test]
fn packs_bring_only_shipped_packs() {
    let packs: Vec<toml::Table> = policy_compiler::packs::PACKS.iter().map(|(_, text)| text.parse().unwrap()).collect();
    for pack in &packs {
        for brought in pack.get("brings").and_then(toml::Value::as_array).into_iter().flatten() {
            assert!(packs.iter().any(|other| other["pack"] == *brought), "{}: {brought}", pack["pack"]);
        }
    }
}
