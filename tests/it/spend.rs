//! Budgets that count what the model costs: transcripts of a real client, read on from where they ended.

use std::fs;

use crate::support::{Said, Scratch, hook_path, json, run};

const POLICY: &str = "schema = 1\n[[budget]]\nname = \"model\"\nusd = 1.00\nper = \"session\"\nover = 4\ncosts = [{ tokens = \"transcript\" }]\n";

struct Session {
    scratch: Scratch,
}

impl Session {
    fn new(policy: &str) -> Self {
        let scratch = Scratch::new();
        scratch.write("portcullis.toml", policy);
        Self { scratch }
    }

    fn transcript(&self) -> std::path::PathBuf {
        self.scratch.home().join("projects/s.jsonl")
    }

    fn event(&self, event: &str, rest: &str) -> Said {
        let input = format!(
            r#"{{"session_id":"s","transcript_path":{},"cwd":{},"permission_mode":"default","hook_event_name":"{event}"{rest}}}"#,
            json(&self.transcript().to_string_lossy()),
            json(&self.scratch.repo().to_string_lossy())
        );
        run(self.scratch.command(hook_path()).args([event, "claude-code", "50"]), input.as_bytes())
    }

    fn call(&self, id: &str) -> Said {
        self.event("PreToolUse", &format!(r#","tool_name":"Bash","tool_input":{{"command":"ls"}},"tool_use_id":"{id}""#))
    }

    /// What `portcullis state` says is spent.
    fn spent(&self) -> String {
        let said = run(self.scratch.command(crate::support::COLD).args(["state", "--json", "--session", "s"]), b"");
        let state: serde_json::Value = serde_json::from_str(&said.stdout).unwrap();
        state["meters"][0]["used_usd"].as_str().unwrap().to_owned()
    }

    fn write(&self, path: &str, lines: &[String]) {
        let path = self.transcript().parent().unwrap().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut text = fs::read_to_string(&path).unwrap_or_default();
        for line in lines {
            text.push_str(line);
            text.push('\n');
        }
        fs::write(path, text).unwrap();
    }
}

/// A part of an answer, as Claude Code 2.1.332 writes it: each part has the whole usage.
fn part(answer: u32, output: u32) -> String {
    format!(
        r#"{{"type":"assistant","requestId":"req_{answer}","timestamp":"2026-11-30T10:00:00.000Z","sessionId":"s","gitBranch":"main","message":{{"id":"msg_{answer}","model":"claude-opus-5-5","stop_reason":"tool_use","content":[],"usage":{{"input_tokens":2000,"cache_creation_input_tokens":9000,"cache_read_input_tokens":30000,"output_tokens":{output},"cache_creation":{{"ephemeral_1h_input_tokens":5000,"ephemeral_5m_input_tokens":4000}}}}}}}}"#
    )
}

#[test]
fn what_cannot_be_seen_is_told_or_denied() {
    for (policy, answers) in [(POLICY.to_owned(), ["free", "free"]), (POLICY.replace("over = 4", "over = 4\nunknown = \"deny\""), ["deny model", "free"])] {
        let session = Session::new(&policy);
        let before = session.call("1");
        assert_eq!(before.short(), answers[0], "{before:?}");
        if before.code == 2 {
            let parts = ["what the model costs must be seen, and it cannot be", "unknown = \"note\""];
            assert!(parts.iter().all(|part| before.stderr.contains(part)), "{before:?}");
        } else {
            session.event("Stop", "");
            let told = session.event("UserPromptSubmit", r#","prompt":"go on""#);
            assert!(told.stdout.contains("what the model costs is not visible: the transcript of this session does not exist"), "{told:?}");
        }
        session.write("s.jsonl", &[part(1, 10)]);
        assert_eq!(session.call("2").short(), answers[1]);
    }
}

#[test]
fn each_answer_counts_once_and_the_cap_holds() {
    let session = Session::new(POLICY);
    // 2000 * 4 + 30000 * 0.2 + 4000 * 5 + 5000 * 8 + 10000 * 20 millionths.
    session.write("s.jsonl", &[part(1, 10_000), part(1, 10_000), part(1, 10_000), r#"{"type":"user","message":{}}"#.to_owned()]);
    session.event("Stop", "");
    assert_eq!(session.spent(), "0.2740");
    session.event("Stop", "");
    assert_eq!(session.spent(), "0.2740", "read twice");
    // A sub-agent's answers count too, and a line that is written to its end later.
    session.write("s/subagents/agent-1.jsonl", &[part(2, 10_000)]);
    let half = part(3, 10_000);
    fs::write(session.transcript(), format!("{}{}", fs::read_to_string(session.transcript()).unwrap(), &half[..80])).unwrap();
    session.event("UserPromptSubmit", r#","prompt":"more""#);
    assert_eq!(session.spent(), "0.5480");
    fs::write(session.transcript(), format!("{}{}\n", fs::read_to_string(session.transcript()).unwrap(), &half[80..])).unwrap();
    session.event("Stop", "");
    assert_eq!(session.spent(), "0.8220");
    // 80 % are noted, calls still pass, and beyond the cap none does.
    assert_eq!(session.call("1").short(), "free");
    let told = session.event("PostToolUse", r#","tool_name":"Bash","tool_input":{"command":"ls"},"tool_use_id":"1","tool_response":{"stdout":""}"#).stdout;
    assert!(told.contains("0.8220 of 1.00 USD are spent in this session"), "{told}");
    session.write("s.jsonl", &[part(4, 10_000)]);
    session.event("Stop", "");
    let denied = session.call("2");
    assert_eq!(denied.short(), "deny model", "{denied:?}");
    assert!(denied.stderr.contains("1.0960 of 1.00 USD are spent in this session"), "{denied:?}");
}

#[test]
fn a_transcript_that_begins_anew_repeats_nothing() {
    let session = Session::new(POLICY);
    session.write("s.jsonl", &[part(1, 10_000), part(2, 10_000)]);
    session.event("Stop", "");
    assert_eq!(session.spent(), "0.5480");
    // Compacted to less, with an answer that was counted, once with a usage of nothing.
    fs::write(session.transcript(), format!("{}\n{}\n", part(2, 0), part(5, 10))).unwrap();
    session.event("Stop", "");
    assert_eq!(session.spent(), "0.6222");
}

#[test]
fn what_cannot_be_seen_or_priced_is_said() {
    let session = Session::new(POLICY);
    let after = || session.event("PostToolUse", r#","tool_name":"Bash","tool_input":{"command":"ls"},"tool_use_id":"1","tool_response":{"stdout":""}"#).stdout;
    session.event("Stop", "");
    let told = after();
    assert!(told.contains("what the model costs is not visible"), "{told}");
    session.write("s.jsonl", &[part(1, 10).replace("claude-opus-5-5", "house-model")]);
    session.event("Stop", "");
    let told = after();
    assert!(told.contains("the price of the model `house-model` is not known"), "{told}");
}

#[test]
fn more_calls_with_a_price_at_once_than_can_be_kept_are_said_to_be_too_many() {
    let scratch = Scratch::new();
    scratch.write("portcullis.toml", "schema = 1\n[[budget]]\nname = \"f\"\nusd = 50\nper = \"day\"\ncosts = [{ call = { tool = \"mcp__*\" }, usd = 0.01 }]\n");
    let event = |event: &str, call: usize| {
        let input = format!(
            r#"{{"session_id":"s","transcript_path":"/t","cwd":{},"permission_mode":"default","hook_event_name":"{event}","tool_use_id":"t{call}","tool_name":"mcp__a__b","tool_input":{{"of":{call}}},"tool_response":"{call}"}}"#,
            json(&scratch.repo().to_string_lossy())
        );
        run(scratch.command(hook_path()).args([event, "claude-code", "50"]), input.as_bytes())
    };
    let stopped = (0..200).find_map(|call| Some((call, event("PreToolUse", call))).filter(|(_, said)| said.short() != "free"));
    let (call, said) = stopped.expect("no bound");
    assert!(call > 100 && said.stdout.contains("too many calls with a price are under way at once"), "{call}: {}{}", said.stdout, said.stderr);
    // One that ends makes room.
    assert_eq!(event("PostToolUse", 0).short(), "free");
    assert_eq!(event("PreToolUse", call + 1).short(), "free");
}
