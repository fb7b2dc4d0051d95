//! Calls of the past, judged again: from transcripts of three clients, from the record, and from files of events.

use std::fs;

use serde_json::{Value, json};

use crate::support::{COLD, Said, Scratch, run};

pub(crate) fn replay(scratch: &Scratch, arguments: &[&str]) -> Said {
    run(scratch.command(COLD).arg("replay").args(arguments), b"")
}

pub(crate) fn report(scratch: &Scratch, arguments: &[&str]) -> Value {
    let said = replay(scratch, &[arguments, &["--json"]].concat());
    assert_eq!(said.code, 0, "{said:?}");
    serde_json::from_str(&said.stdout).unwrap()
}

pub(crate) fn rule<'r>(report: &'r Value, name: &str) -> &'r Value {
    report["rules"].as_array().unwrap().iter().find(|rule| rule["rule"] == name).unwrap_or_else(|| panic!("{name}: {report}"))
}

pub(crate) fn counts(report: &Value) -> [u64; 5] {
    ["calls", "allowed", "asked", "denied", "unknown"].map(|key| report[key].as_u64().unwrap())
}

/// A session in the form of Claude Code: each call with whether it succeeded.
fn claude(scratch: &Scratch, session: &str, calls: &[(&str, Value, bool)]) -> String {
    let common = |at: usize| json!({ "sessionId": session, "cwd": scratch.repo(), "gitBranch": "topic", "isSidechain": false, "version": "2.1.332", "timestamp": format!("2026-11-29T21:42:{at:02}.000Z") });
    let with = |at: usize, kind: &str, content: Value| {
        let mut line = common(at);
        line["type"] = kind.into();
        line["message"] = json!({ "role": kind, "content": content });
        format!("{line}\n")
    };
    let mut text = json!({ "type": "queue-operation", "sessionId": session }).to_string() + "\n";
    for (at, (tool, input, succeeded)) in calls.iter().enumerate() {
        let id = format!("toolu_{session}_{at}");
        text += &with(at, "assistant", json!([{ "type": "text", "text": "…" }, { "type": "tool_use", "id": id, "name": tool, "input": input }]));
        text += &with(at, "user", json!([{ "type": "tool_result", "tool_use_id": id, "content": "…", "is_error": !succeeded }]));
    }
    text
}

pub(crate) fn bash(command: &str) -> Value {
    json!({ "command": command, "description": "d" })
}

#[test]
fn transcripts_of_three_clients_are_judged() {
    let scratch = Scratch::new();
    let folder = scratch.home().join("past");
    fs::create_dir_all(&folder).unwrap();
    let session = claude(
        &scratch,
        "s1",
        &[
            ("Bash", bash("git status"), true),
            ("Bash", bash("git push --force"), true),
            ("Bash", bash("git push --force"), false),
            ("Bash", bash("git reset --hard"), true),
            ("Write", json!({ "file_path": scratch.repo().join("x.sh"), "content": "git push --force\n" }), true),
            ("Bash", bash("bash x.sh"), true),
            ("Bash", bash("git push"), true),
        ],
    );
    fs::write(folder.join("s1.jsonl"), &session).unwrap();
    // A fork has the same calls.
    fs::write(folder.join("s2.jsonl"), session.replace("\"sessionId\":\"s1\"", "\"sessionId\":\"s2\"")).unwrap();
    let codex = [
        json!({ "timestamp": "t1", "type": "session_meta", "payload": { "id": "c1", "cwd": scratch.repo(), "git": { "branch": "main" } } }),
        json!({ "timestamp": "t2", "type": "response_item", "payload": { "type": "function_call", "name": "exec_command", "arguments": "{\"cmd\": \"git push -f\"}", "call_id": "call_1" } }),
        json!({ "timestamp": "t3", "type": "response_item", "payload": { "type": "custom_tool_call", "name": "apply_patch", "input": "*** Begin Patch\n*** Delete File: portcullis.toml\n*** End Patch\n", "call_id": "call_2" } }),
        json!({ "timestamp": "t4", "type": "response_item", "payload": { "type": "local_shell_call", "action": { "type": "exec", "command": ["git", "push", "--force"] }, "call_id": "call_3" } }),
    ];
    fs::write(folder.join("rollout-1.jsonl"), codex.map(|line| format!("{line}\n")).concat()).unwrap();
    let gemini = [
        json!({ "sessionId": "g1", "projectHash": "0", "kind": "main" }),
        json!({ "id": "1", "timestamp": "t", "type": "gemini", "content": "", "toolCalls": [
            { "id": "a", "name": "run_shell_command", "args": { "command": "git push --force" }, "status": "success" },
            { "id": "b", "name": "read_file", "args": { "absolute_path": "/home/dev/a" }, "status": "error" } ] }),
    ];
    fs::write(folder.join("session-1.jsonl"), gemini.map(|line| format!("{line}\n")).concat()).unwrap();
    let report = report(&scratch, &[folder.to_str().unwrap()]);
    // `git reset --hard` hangs on whether there was work to lose.
    assert_eq!(counts(&report), [12, 4, 1, 6, 1], "{report:#}");
    assert_eq!((report["repeated"].as_u64(), report["files"].as_u64()), (Some(7), Some(4)));
    let pushed = rule(&report, "force-push");
    assert_eq!((pushed["denied"].as_u64(), pushed["succeeded"].as_u64()), (Some(6), Some(3)), "{pushed}");
    assert!(pushed["samples"][0]["succeeded"].as_bool().unwrap());
    assert_eq!(rule(&report, "uncommitted-work-discarded")["unknown"], 1);
    let said = replay(&scratch, &[folder.to_str().unwrap()]);
    let [first, last] = ["force-push: ", "could not be known, because"].map(|text| said.stdout.find(text).unwrap());
    assert!(first < last && said.stdout.contains("3 ran and succeeded then"), "{}", said.stdout);
}

#[test]
fn the_record_says_what_was_true_then() {
    let scratch = Scratch::new().with_work();
    let transcript = claude(&scratch, "s", &[("Bash", bash("git reset --hard"), true), ("Bash", bash("git checkout -- work.txt"), true)]);
    let file = scratch.home().join("s.jsonl");
    fs::write(&file, transcript).unwrap();
    let path = file.to_str().unwrap();
    assert_eq!(counts(&report(&scratch, &[path])), [2, 0, 0, 0, 2]);
    // The hook judged the first of them, when there was work to lose.
    let payload = scratch.payload("Bash", &bash("git reset --hard").to_string(), "default").replace("toolu_1", "toolu_s_0");
    assert!(scratch.hook("PreToolUse", payload.as_bytes()).stdout.contains("ask"));
    let report = report(&scratch, &[path]);
    assert_eq!((counts(&report), report["recorded"].as_u64()), ([2, 0, 1, 0, 1], Some(1)), "{report:#}");
}

#[test]
fn the_record_itself_and_files_of_events_are_judged() {
    let scratch = Scratch::new();
    for (at, command) in ["git status", "git push --force", &format!("echo {}", "x".repeat(400))].iter().enumerate() {
        scratch.hook("PreToolUse", scratch.payload("Bash", &bash(command).to_string(), "default").replace("toolu_1", &format!("toolu_{at}")).as_bytes());
    }
    let path = scratch.repo().join("new.txt");
    scratch.hook("PreToolUse", scratch.payload("Write", &json!({ "file_path": path, "content": "x" }).to_string(), "default").as_bytes());
    let record = gate::world::record::current(&scratch.world().at(&scratch.repo()).unwrap().memory).unwrap();
    let judged = report(&scratch, &[record.to_str().unwrap()]);
    // What was shortened, and what a file got, is not in the record.
    assert_eq!(counts(&judged), [4, 1, 0, 1, 2], "{judged:#}");
    assert_eq!(judged["unknown_because"]["a part of the call is not in the record"], 2);
    let event = scratch.home().join("event.json");
    let payload: Value = serde_json::from_str(&scratch.payload("Bash", &bash("git push --force").to_string(), "default")).unwrap();
    fs::write(&event, serde_json::to_string_pretty(&payload).unwrap()).unwrap();
    assert_eq!(counts(&report(&scratch, &[event.to_str().unwrap()])), [1, 0, 0, 1, 0]);
}

const RULE: &str = r#"schema = 1
[[rule]]
name    = "make-run"
tier    = 4
run     = { program = "make" }
reason  = "nothing is built here"
instead = "ask"
catches = ["make all"]
spares  = ["echo make"]
"#;

#[test]
fn two_policies_are_compared() {
    let scratch = Scratch::new();
    let file = scratch.home().join("s.jsonl");
    fs::write(&file, claude(&scratch, "s", &[("Bash", bash("make all"), true), ("Bash", bash("make test"), true), ("Bash", bash("ls"), true)])).unwrap();
    let other = scratch.home().join("stricter.toml");
    fs::write(&other, RULE).unwrap();
    let [path, other] = [file, other].map(|path| path.to_str().unwrap().to_owned());
    let same = replay(&scratch, &[&path, "--policy", &other, "--against", &other]);
    assert!(same.stdout.contains("both policies say the same"), "{same:?}");
    let report = report(&scratch, &[&path, "--against", &other]);
    assert_eq!(counts(&report), [3, 3, 0, 0, 0]);
    let change = &report["changes"][0];
    assert_eq!(
        (change["before"].as_str(), change["after"].as_str(), change["rule"].as_str(), change["count"].as_u64()),
        (Some("allowed"), Some("denied"), Some("make-run"), Some(2))
    );
    let said = replay(&scratch, &[&path, "--against", &other]);
    assert!(said.stdout.contains("allowed → denied (`make-run`): 2"), "{said:?}");
    // A policy with a mistake judges nothing.
    fs::write(scratch.home().join("wrong.toml"), "schema = 1\nrules = 3\n").unwrap();
    let wrong = replay(&scratch, &[&path, "--policy", scratch.home().join("wrong.toml").to_str().unwrap()]);
    assert!(wrong.code != 0 && wrong.stderr.contains("rules"), "{wrong:?}");
    let missing = replay(&scratch, &["nowhere.jsonl"]);
    assert!(missing.code == 2 && missing.stderr.contains("is not there"), "{missing:?}");
    assert!(replay(&scratch, &[]).stderr.contains("no transcript"));
}

#[test]
fn tests_first_goes_by_texts_that_the_transcript_has() {
    let scratch = Scratch::new();
    scratch.write("portcullis.toml", "schema = 1\n[tests-first]\n");
    let write = |path: &str, text: &str| ("Write", json!({ "file_path": scratch.repo().join(path), "content": text }), true);
    let source = "def add(a, b):\n    return a + b\n";
    let test = "from add import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n";
    let one = scratch.home().join("one.jsonl");
    fs::write(&one, claude(&scratch, "one", &[write("src/add.py", source)])).unwrap();
    let both = scratch.home().join("both.jsonl");
    fs::write(&both, claude(&scratch, "both", &[write("tests/test_add.py", test), write("src/add.py", source)])).unwrap();
    // A test may have been on the disk.
    assert_eq!(counts(&report(&scratch, &[one.to_str().unwrap()])), [1, 0, 0, 0, 1]);
    assert_eq!(counts(&report(&scratch, &[both.to_str().unwrap()])), [2, 2, 0, 0, 0]);
}

#[test]
fn what_a_person_agreed_to_often_is_proposed_and_nothing_is_written() {
    let scratch = Scratch::new();
    assert!(replay(&scratch, &["--suggest"]).stdout.contains("nothing is recorded"));
    scratch.write("made/by/hand.txt", "work\n");
    for at in 0..4 {
        let id = format!("toolu_{at}");
        let payload = scratch.payload("Bash", &bash("rm -rf made").to_string(), "default").replace("toolu_1", &id);
        assert!(scratch.hook("PreToolUse", payload.as_bytes()).stdout.contains("ask"));
        let ended = payload.replace("PreToolUse", "PostToolUse").replace("\"tool_use_id\"", "\"tool_response\":{\"stdout\":\"\"},\"tool_use_id\"");
        scratch.hook("PostToolUse", ended.as_bytes());
    }
    let said = replay(&scratch, &["--suggest"]);
    for line in ["+[[waiver]]", "+rule   = \"recursive-deletion\"", "+delete = { path = [\"made\"] }", "+reason = \"a person agreed to it 4 times\""] {
        assert!(said.stdout.contains(line), "{line}: {said:?}");
    }
    assert!(!scratch.repo().join("portcullis.toml").exists());
}
