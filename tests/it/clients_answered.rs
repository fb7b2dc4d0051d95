//! Every client that was run is answered in its own words: recorded calls of it, with other inputs, through the real hook.

use serde_json::{Value, json};

use crate::support::{COLD, Said, Scratch, hook_path, recorded, run, sender_and_event};

/// A client's calls as they were recorded, and how it takes a denial.
struct Told {
    /// The recorded call of a command, and where its command is: a JSON pointer.
    command: (&'static str, &'static str),
    /// The recorded call that writes a file, and where its path and text are.
    write: (&'static str, &'static str, &'static str),
    /// A file of its wiring.
    wiring: &'static str,
    /// The reason in a denial; `None` if the answer is no denial of this client.
    denied: fn(&Said) -> Option<String>,
}

/// Exit 2, the reason on standard error, nothing else.
fn exit_two(said: &Said) -> Option<String> {
    (said.code == 2 && said.stdout.is_empty()).then(|| said.stderr.trim_end().to_owned())
}

/// Exactly one object with exit 0 and nothing else: what `make` makes of the reason in it at `pointer`.
fn object(said: &Said, pointer: &str, make: fn(&str) -> Value) -> Option<String> {
    let answer: Value = serde_json::from_str(&said.stdout).ok()?;
    let reason = answer.pointer(pointer)?.as_str()?.to_owned();
    (said.code == 0 && said.stderr.is_empty() && answer == make(&reason) && said.stdout.lines().count() == 1).then_some(reason)
}

const CLIENTS_RUN: &[Told] = &[
    Told { command: ("codex.PreToolUse.Bash", "/tool_input/command"), write: ("", "", ""), wiring: "", denied: exit_two },
    Told {
        command: ("gemini.BeforeTool.run_shell_command", "/tool_input/command"),
        write: ("gemini.BeforeTool.write_file", "/tool_input/file_path", "/tool_input/content"),
        wiring: ".gemini/settings.json",
        denied: exit_two,
    },
    Told {
        command: ("qwen.PreToolUse.run_shell_command", "/tool_input/command"),
        write: ("qwen.PreToolUse.write_file", "/tool_input/file_path", "/tool_input/content"),
        wiring: ".qwen/settings.json",
        denied: exit_two,
    },
    Told {
        command: ("qwen.PreToolUse.run_shell_command.in-subagent", "/tool_input/command"),
        write: ("qwen.PreToolUse.write_file", "/tool_input/file_path", "/tool_input/content"),
        wiring: ".qwen/settings.json",
        denied: exit_two,
    },
    Told {
        command: ("kimi.PreToolUse.Bash", "/tool_input/command"),
        write: ("kimi.PreToolUse.Write", "/tool_input/path", "/tool_input/content"),
        wiring: "~/.kimi-code/config.toml",
        denied: exit_two,
    },
    Told {
        command: ("droid.PreToolUse.Execute", "/tool_input/command"),
        write: ("droid.PreToolUse.Create", "/tool_input/file_path", "/tool_input/content"),
        wiring: ".factory/settings.json",
        denied: exit_two,
    },
    Told {
        command: ("copilot.preToolUse.bash", "/toolArgs/command"),
        write: ("copilot.preToolUse.create", "/toolArgs/path", "/toolArgs/file_text"),
        wiring: ".github/hooks/portcullis.json",
        denied: |said| object(said, "/permissionDecisionReason", |reason| json!({ "permissionDecision": "deny", "permissionDecisionReason": reason })),
    },
    Told {
        command: ("copilot.preToolUse.bash.in-subagent", "/toolArgs/command"),
        write: ("copilot.preToolUse.create", "/toolArgs/path", "/toolArgs/file_text"),
        wiring: ".github/hooks/portcullis.json",
        denied: |said| object(said, "/permissionDecisionReason", |reason| json!({ "permissionDecision": "deny", "permissionDecisionReason": reason })),
    },
    Told {
        command: ("copilot.permissionRequest.bash", "/toolInput/command"),
        write: ("", "", ""),
        wiring: "",
        denied: |said| object(said, "/message", |reason| json!({ "behavior": "deny", "message": reason })),
    },
    Told {
        command: ("vibe.pre_tool.file_system.bash", "/tool_input/command"),
        write: ("vibe.pre_tool.file_system.write_file", "/tool_input/file_path", "/tool_input/content"),
        wiring: ".vibe/hooks.toml",
        denied: |said| object(said, "/reason", |reason| json!({ "decision": "deny", "reason": reason })),
    },
    Told {
        command: ("cline.tool_call.run_commands", "/tool_call/input/commands/0"),
        write: ("cline.tool_call.editor", "/tool_call/input/path", "/tool_call/input/new_text"),
        wiring: ".clinerules/hooks/PreToolUse",
        denied: |said| object(said, "/errorMessage", |reason| json!({ "cancel": true, "errorMessage": reason })),
    },
    Told {
        command: ("cline.tool_call.run_commands.in-subagent", "/tool_call/input/commands/0"),
        write: ("cline.tool_call.editor", "/tool_call/input/path", "/tool_call/input/new_text"),
        wiring: ".clinerules/hooks/PreToolUse",
        denied: |said| object(said, "/errorMessage", |reason| json!({ "cancel": true, "errorMessage": reason })),
    },
    Told {
        command: ("opencode.tool.execute.before.bash", "/output/args/command"),
        write: ("", "", ""),
        wiring: ".opencode/plugins/portcullis.js",
        denied: exit_two,
    },
];

/// What the hook says to a recorded call with other values at these places, named as its wiring names it.
fn said(scratch: &Scratch, file: &str, changes: &[(&str, &str)]) -> Said {
    let mut payload: Value = serde_json::from_str(&recorded(scratch)[file]).unwrap();
    for (pointer, text) in changes {
        *payload.pointer_mut(pointer).unwrap_or_else(|| panic!("{file} has no {pointer}")) = (*text).into();
    }
    let (client, event) = sender_and_event(file);
    run(scratch.command(hook_path()).args([wired_as(event), client.name(), "50"]), payload.to_string().as_bytes())
}

/// The event as the wiring writes it, where the payload has another name for it.
fn wired_as(event: &str) -> &str {
    match event {
        "tool_call" => "PreToolUse",
        event => event,
    }
}

fn nothing() -> Said {
    Said { code: 0, stdout: String::new(), stderr: String::new() }
}

#[test]
fn a_command_is_passed_or_denied_in_each_clients_own_words() {
    let scratch = Scratch::new().with_work();
    scratch.write("src/lib.rs", "work that is in no commit\n");
    for Told { command: (file, pointer), denied, .. } in CLIENTS_RUN {
        for harmless in ["touch ran; echo tool output", "git status", "ls src"] {
            assert_eq!(said(&scratch, file, &[(pointer, harmless)]), nothing(), "{file}: {harmless}");
        }
        for (command, rule) in
            [("git push --force origin main", "force-push"), ("rm -rf src", "recursive-deletion"), ("echo {} > .claude/settings.local.json", "gate-unwired")]
        {
            let answer = said(&scratch, file, &[(pointer, command)]);
            let reason = denied(&answer).unwrap_or_else(|| panic!("{file}: {command} is answered by {answer:?}"));
            assert!(reason.starts_with(&format!("denied by `{rule}`")), "{file}: {reason}");
            assert!(reason.contains("\ninstead: ") && reason.contains("\nretry: "), "{file}: {reason}");
        }
    }
}

#[test]
fn what_a_person_must_allow_is_denied_with_a_code_by_clients_that_do_not_ask() {
    let scratch = Scratch::new().with_work();
    for Told { command: (file, pointer), denied, .. } in CLIENTS_RUN {
        let answer = said(&scratch, file, &[(pointer, "git reset --hard")]);
        let reason = denied(&answer).unwrap_or_else(|| panic!("{file} is answered by {answer:?}"));
        assert!(reason.starts_with("denied by `uncommitted-work-discarded`"), "{file}: {reason}");
        // A permission request comes beside the call, which has the code.
        let code = reason.contains("\napproval: code ") && reason.contains("portcullis approve ");
        assert!(code || file.contains("permissionRequest"), "{file}: {reason}");
    }
}

#[test]
fn a_call_that_cannot_be_read_is_denied_in_each_clients_own_words() {
    let scratch = Scratch::new();
    for Told { command: (file, pointer), denied, .. } in CLIENTS_RUN {
        let (client, event) = sender_and_event(file);
        let broken = ["", "{", "[1]", "{}", "{\"a\":1,\"a\":2}", "not json"];
        for input in broken {
            let answer = run(scratch.command(hook_path()).args([wired_as(event), client.name(), "50"]), input.as_bytes());
            let reason = denied(&answer).unwrap_or_else(|| panic!("{file}: {input:?} is answered by {answer:?}"));
            assert!(reason.starts_with("denied: Portcullis could not judge this call\nwhy: "), "{file}: {reason}");
        }
        // The command is no text.
        let mut payload: Value = serde_json::from_str(&recorded(&scratch)[*file]).unwrap();
        *payload.pointer_mut(pointer).unwrap() = json!({ "a": 1 });
        let answer = run(scratch.command(hook_path()).args([wired_as(event), client.name(), "50"]), payload.to_string().as_bytes());
        assert!(denied(&answer).is_some_and(|reason| reason.contains("cannot be judged")), "{file}: {answer:?}");
    }
}

#[test]
fn a_hook_that_has_no_time_denies_in_each_clients_own_words() {
    let scratch = Scratch::new();
    for Told { command: (file, _), denied, .. } in CLIENTS_RUN {
        let (client, event) = sender_and_event(file);
        // The client leaves standard input open and sends nothing: the hook's own time ends it.
        let mut command = scratch.command(hook_path());
        command
            .args([wired_as(event), client.name(), "1"])
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped());
        let mut child = command.spawn().unwrap();
        let held = child.stdin.take();
        let output = child.wait_with_output().unwrap();
        drop(held);
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let answer = Said { code: output.status.code().unwrap_or(-1), stdout: text(output.stdout), stderr: text(output.stderr) };
        let reason = denied(&answer).unwrap_or_else(|| panic!("{file} is answered by {answer:?}"));
        assert!(reason.contains("busy"), "{file}: {reason}");
    }
}

#[test]
fn a_write_of_each_client_is_read_as_one() {
    let scratch = Scratch::new();
    let hook = scratch.repo().join(".git/hooks/pre-commit").to_string_lossy().into_owned();
    for Told { write: (file, path, text), denied, .. } in CLIENTS_RUN.iter().filter(|told| !told.write.0.is_empty()) {
        assert_eq!(said(&scratch, file, &[(text, "x\n")]), nothing(), "{file}");
        let answer = said(&scratch, file, &[(path, &hook)]);
        let reason = denied(&answer).unwrap_or_else(|| panic!("{file} is answered by {answer:?}"));
        assert!(reason.starts_with("denied by `git-hooks-changed`"), "{file}: {reason}");
    }
}

#[test]
fn the_end_of_a_call_is_known_where_the_client_says_it() {
    let scratch = Scratch::new();
    // (recorded event, how the call ended, the exit code of a failure)
    let cases: &[(&str, Option<&str>, Option<i64>)] = &[
        ("gemini.AfterTool.run_shell_command", Some("ok"), None),
        ("gemini.AfterTool.run_shell_command.failed", Some("failed"), Some(3)),
        ("qwen.PostToolUse.run_shell_command", Some("ok"), None),
        ("qwen.PostToolUseFailure.run_shell_command", Some("failed"), Some(3)),
        ("kimi.PostToolUse.Bash", Some("ok"), None),
        ("kimi.PostToolUseFailure.Bash", Some("failed"), Some(3)),
        ("droid.PostToolUse.Execute", Some("ok"), None),
        ("copilot.postToolUse.bash", Some("ok"), None),
        ("copilot.postToolUse.bash.failed", Some("failed"), Some(3)),
        ("copilot.PostToolUse.Bash", Some("ok"), None),
        ("vibe.post_tool.file_system.bash", Some("ok"), None),
        ("vibe.post_tool.file_system.bash.failed", Some("failed"), Some(3)),
        ("cline.tool_result.run_commands", Some("ok"), None),
        ("cline.tool_result.run_commands.failed", Some("failed"), Some(3)),
        ("opencode.tool.execute.after.bash", Some("ok"), None),
        ("opencode.tool.execute.after.bash.failed", Some("failed"), Some(3)),
        // The event does not say it, and the transcript that it names is not there.
        ("codex.PostToolUse.Bash", None, None),
        ("codex.PostToolUse.Bash.failed", None, None),
    ];
    for (file, outcome, exit) in cases {
        let (client, event) = sender_and_event(file);
        let event = match event {
            "tool_result" => "PostToolUse",
            event => event,
        };
        let answer = run(scratch.command(hook_path()).args([event, client.name(), "50"]), recorded(&scratch)[*file].as_bytes());
        assert_eq!(answer, nothing(), "{file}");
        let entry = last_entry(&scratch);
        assert_eq!(entry["outcome"].as_str(), *outcome, "{file}: {entry}");
        assert_eq!(entry["exit"].as_i64(), *exit, "{file}: {entry}");
    }
}

/// The last line of the record.
fn last_entry(scratch: &Scratch) -> Value {
    let log = run(scratch.command(COLD).args(["log", "--json"]), b"");
    let line = log.stdout.lines().last().unwrap_or_else(|| panic!("{log:?}"));
    serde_json::from_str(line).unwrap()
}

#[test]
fn the_end_of_a_command_of_codex_is_in_its_transcript() {
    let line = |call: &str, code: i64| {
        json!({ "type": "event_msg", "payload": { "type": "item_completed", "item": { "type": "CommandExecution", "id": call, "status": "failed", "aggregated_output": "out\nbad\n", "exit_code": code } } }).to_string()
    };
    let other = line("call_0_0", 0);
    for (lines, outcome, exit) in [
        (vec![other.clone(), line("call_1_0", 3)], Some("failed"), Some(3)),
        (vec![other.clone(), line("call_1_0", 0)], Some("ok"), None),
        (vec![other.clone()], None, None),
        // Somebody else wrote one of them.
        (vec![line("call_1_0", 0), line("call_1_0", 3)], None, None),
        (vec!["no JSON CommandExecution call_1_0".to_owned()], None, None),
    ] {
        let scratch = Scratch::new();
        let transcript = scratch.home().join("rollout.jsonl");
        let mut payload: Value = serde_json::from_str(&recorded(&scratch)["codex.PostToolUse.Bash.failed"]).unwrap();
        payload["transcript_path"] = transcript.to_string_lossy().into_owned().into();
        std::fs::write(&transcript, lines.join("\n") + "\n").unwrap();
        let answer = run(scratch.command(hook_path()).args(["PostToolUse", "codex", "50"]), payload.to_string().as_bytes());
        assert_eq!(answer, nothing());
        let entry = last_entry(&scratch);
        assert_eq!((entry["outcome"].as_str(), entry["exit"].as_i64()), (outcome, exit), "{lines:?}: {entry}");
    }
}

#[test]
fn what_starts_the_hook_in_each_client_cannot_be_taken_away_by_it() {
    for Told { command: (file, pointer), write: (writes, path, text), wiring, denied } in CLIENTS_RUN.iter().filter(|told| !told.wiring.is_empty()) {
        let scratch = Scratch::new();
        let place = wiring.strip_prefix("~/").map_or_else(|| scratch.repo().join(wiring), |rest| scratch.home().join(rest));
        let ours = match place.extension().and_then(std::ffi::OsStr::to_str) {
            Some("toml") => "[[hooks]]\nevent = \"PreToolUse\"\ncommand = \"/b/portcullis-hook PreToolUse x 50\"\n",
            Some("json") => r#"{"hooks":{"PreToolUse":[{"hooks":[{"command":"/b/portcullis-hook PreToolUse x 50"}]}]}}"#,
            _ => "/b/portcullis-hook PreToolUse x 50\n",
        };
        std::fs::create_dir_all(place.parent().unwrap()).unwrap();
        std::fs::write(&place, ours).unwrap();
        let place = place.to_string_lossy().into_owned();
        let held = |answer: &Said, rule: &str| {
            let reason = denied(answer).unwrap_or_else(|| panic!("{file}: {wiring} is answered by {answer:?}"));
            assert!(reason.starts_with(&format!("denied by `{rule}`")), "{file}: {reason}");
        };
        if !writes.is_empty() {
            held(&said(&scratch, writes, &[(path, &place), (text, "")]), "client-unwired");
            assert_eq!(said(&scratch, writes, &[(path, &place), (text, ours)]), nothing(), "{file}: the same text");
        }
        held(&said(&scratch, file, &[(pointer, &format!("echo > '{place}'"))]), "client-unwired");
        held(&said(&scratch, file, &[(pointer, &format!("rm '{place}'"))]), "client-files-deletion");
        held(&said(&scratch, file, &[(pointer, &format!("mv '{place}' /tmp/x"))]), "client-files-deletion");
        assert_eq!(said(&scratch, file, &[(pointer, &format!("cat '{place}'"))]), nothing(), "{file}");
    }
}
