//! What the model reads when a session begins, and again whenever it may have forgotten it; and what it reads of other sessions.

use crate::support::{COLD, Said, Scratch, hook_path, json, run};

const POLICY: &str = r#"schema = 1

[[limit]]
name = "letters"
call = { tool = "mcp__mail__send_*" }
max  = 2
per  = "1h"
over = 4

[[budget]]
name  = "post"
usd   = 1
per   = "day"
costs = [{ call = { tool = "mcp__mail__send_*" }, usd = 0.25 }]

[pipeline]
phases = ["spec", "dev"]
"#;

fn event(scratch: &Scratch, event: &str, session: &str, rest: &str) -> Said {
    let input = format!(
        r#"{{"session_id":"{session}","transcript_path":"/t","cwd":{},"permission_mode":"bypassPermissions","hook_event_name":"{event}"{rest}}}"#,
        json(&scratch.repo().to_string_lossy())
    );
    run(scratch.command(hook_path()).args([event, "claude-code", "50"]), input.as_bytes())
}

/// What the model reads at the start of a session.
fn told(scratch: &Scratch, session: &str, source: &str) -> Vec<String> {
    let said = event(scratch, "SessionStart", session, &format!(r#","source":"{source}""#));
    let answer: serde_json::Value = serde_json::from_str(&said.stdout).unwrap_or_else(|error| panic!("{error}: {said:?}"));
    answer["hookSpecificOutput"]["additionalContext"].as_str().unwrap_or_default().lines().map(str::to_owned).collect()
}

#[test]
fn a_session_is_told_what_holds_and_told_again_when_it_was_forgotten() {
    let scratch = Scratch::new();
    scratch.write("portcullis.toml", POLICY);
    let send = |call: &str| {
        let rest = format!(r#","tool_name":"mcp__mail__send_letter","tool_input":{{"n":"{call}"}},"tool_use_id":"{call}","tool_response":"ok""#);
        (event(&scratch, "PreToolUse", "s", &rest).short(), event(&scratch, "PostToolUse", "s", &rest))
    };
    let begins = told(&scratch, "s", "startup");
    for part in ["Portcullis 0.", "(policy ", "phase", "limit `letters`: 2 of 2 calls in 1 hour left", "budget `post`: 1.00 of 1.00 USD left today"] {
        assert!(begins.iter().any(|line| line.contains(part)), "{part}: {begins:#?}");
    }
    assert_eq!(send("1").0, "free");
    for source in ["compact", "resume", "clear", "fork"] {
        let lines = told(&scratch, "s", source);
        assert!(lines.len() <= 8 && lines.iter().any(|line| line.contains("limit `letters`: 1 of 2")), "{source}: {lines:#?}");
        assert!(lines.iter().any(|line| line.contains("budget `post`: 0.75 of 1.00 USD left today")), "{source}: {lines:#?}");
    }
    // The same for a person.
    let status = run(scratch.command(COLD).env_remove("CLAUDE_PROJECT_DIR").args(["status"]), b"").stdout;
    assert!(status.contains("letters: 1 of 2 calls in 1 hour") && status.contains("post: 0.25 of 1.00 USD"), "{status}");
}

#[test]
fn two_sessions_in_one_work_tree_know_of_each_other() {
    let scratch = Scratch::new();
    let mentions =
        |session: &str, name: &str, rest: &str| event(&scratch, name, session, rest).stdout.contains("another agent session works in this work tree");
    let begins = |session: &str| mentions(session, "SessionStart", r#","source":"startup""#);
    let prompt = |session: &str| mentions(session, "UserPromptSubmit", r#","prompt":"go on""#);
    assert!(!begins("one") && !prompt("one"));
    assert!(begins("two"), "the second session reads it when it begins");
    assert!(prompt("one"), "the first at its next prompt");
    assert!(!prompt("one") && !prompt("two"), "each session reads it once");
    // One that has ended is not there any more.
    event(&scratch, "SessionEnd", "two", "");
    event(&scratch, "SessionEnd", "one", "");
    assert!(!begins("three"));
}
