//! Each recorded event is known to its client, with or without an entry; and who is asked, by the client that the wiring
//! names and the signs of the payload.

use clients::moment::NotWired;
use clients::{CLIENTS, Invocation, Moment, MomentKind};

use crate::support::{Scratch, hook_path, recorded, run, sender_and_event};

#[test]
fn every_recorded_event_is_known_and_has_an_entry_or_a_reason() {
    for file in recorded(&Scratch::new()).into_keys() {
        let (client, event) = sender_and_event(&file);
        assert_eq!(client.moment(event), Some(Moment::of(event)), "{file}: `{event}` is not in the tables of {}", client.name());
    }
}

#[test]
fn a_recorded_payload_is_its_clients_with_and_without_a_name_on_the_command_line() {
    for (file, text) in recorded(&Scratch::new()) {
        let (client, event) = sender_and_event(&file);
        if client.unwired().iter().any(|known| known.event == event) {
            continue;
        }
        let read = |name| Invocation::new(Some(event), name).read(text.as_bytes()).unwrap_or_else(|error| panic!("{file}: {error:?}"));
        let named = read(Some(client.name()));
        assert_eq!((named.client.name(), named.certain), (client.name(), true), "{file}");
        assert_eq!(named.name, event, "{file}");
        // What a payload does not show can only be read as another one's that is not asked more.
        let unnamed = read(None);
        let guarding = named.moment.kind() != MomentKind::Observing;
        assert!(unnamed.client.name() == client.name() || !unnamed.can_ask(true), "{file} looks like one of {}", unnamed.client.name());
        assert_eq!(unnamed.moment.kind(), named.moment.kind(), "{file}");
        assert!(named.cwd.is_some() || !guarding, "{file} has no folder");
        assert!(named.tool.as_ref().is_none_or(|call| !call.name.is_empty()), "{file}");
        assert_eq!(
            named.agent_id.is_some(),
            file.ends_with(".in-subagent") || named.moment == Moment::SubagentEnd && !file.starts_with("kimi"),
            "{file}: {:?}",
            named.agent_id
        );
    }
}

#[test]
fn a_tool_servers_tool_has_one_name_in_all_clients() {
    let mut seen = 0;
    for (file, text) in recorded(&Scratch::new()) {
        let (client, event) = sender_and_event(&file);
        if file.contains("fixture") && file.contains("run_line") {
            let event = Invocation::new(Some(event), Some(client.name())).read(text.as_bytes()).unwrap();
            assert_eq!(event.tool.map(|call| call.name).as_deref(), Some("mcp__fixture__run_line"), "{file}");
            seen += 1;
        }
    }
    assert!(seen >= 13, "{seen}");
}

#[test]
fn an_event_means_the_same_to_all_clients_and_guarding_ones_have_an_entry() {
    for client in CLIENTS {
        let events = || client.wired().iter().map(|known| known.event).chain(client.unwired().iter().map(|known| known.event));
        for event in events() {
            assert_eq!(client.moment(event), Some(Moment::of(event)), "`{event}` of {}", client.name());
            assert_eq!(events().filter(|other| *other == event).count(), 1, "`{event}` of {} is there twice", client.name());
        }
        for known in client.unwired() {
            let needs_entry = known.moment.kind() != MomentKind::Observing && !matches!(known.reason, NotWired::SeenByCall | NotWired::AnswerIgnored);
            assert!(!needs_entry, "`{}` of {} can stop something and has no entry", known.event, client.name());
        }
        assert_eq!(CLIENTS.iter().filter(|other| other.name() == client.name()).count(), 1, "{} is there twice", client.name());
    }
}

/// What the hook says to a recorded call with another command, started with these arguments.
fn said(scratch: &Scratch, file: &str, command: &str, arguments: &[&str]) -> String {
    let mut payload: serde_json::Value = serde_json::from_str(&recorded(scratch)[file]).unwrap();
    let input = ["tool_input", "toolInput", "toolArgs"].into_iter().find(|field| payload.get(field).is_some()).unwrap_or("tool_input");
    payload[input]["command"] = command.into();
    if payload["permission_mode"] == "bypassPermissions" {
        payload["permission_mode"] = "default".into();
    }
    let text = payload.to_string().replace("/home/dev/project", &scratch.repo().to_string_lossy());
    run(scratch.command(hook_path()).args(arguments), text.as_bytes()).short()
}

#[test]
fn only_a_client_that_is_known_to_ask_is_asked() {
    let scratch = Scratch::new().with_work();
    // (recorded call, arguments of the hook, whether a person is asked)
    let cases: &[(&str, &[&str], bool)] = &[
        ("PreToolUse.Bash", &["PreToolUse"], true),
        ("PreToolUse.Bash", &["PreToolUse", "claude-code"], true),
        ("PreToolUse.Bash", &["PreToolUse", "codex"], false),
        ("PreToolUse.Bash", &["PreToolUse", "nobody"], false),
        ("PreSkillShellCommand.Bash", &["PreSkillShellCommand", "claude-code"], false),
        ("codex.PreToolUse.Bash", &["PreToolUse"], false),
        ("codex.PreToolUse.Bash", &["PreToolUse", "codex"], false),
        ("codex.PreToolUse.Bash", &["PreToolUse", "claude-code"], false),
        ("gemini.BeforeTool.run_shell_command", &["BeforeTool"], false),
        ("gemini.BeforeTool.run_shell_command", &["BeforeTool", "gemini"], false),
        // Clients that are not known, started from what was written for Claude Code.
        ("kimi.PreToolUse.Bash", &["PreToolUse", "claude-code"], false),
        ("droid.PreToolUse.Execute", &["PreToolUse", "claude-code"], false),
        ("qwen.PreToolUse.run_shell_command", &["PreToolUse", "claude-code"], false),
        ("copilot.PreToolUse.Bash", &["PreToolUse", "claude-code"], false),
        ("copilot.PreToolUse.Bash", &["PreToolUse"], false),
        ("copilot.preToolUse.bash", &["preToolUse", "copilot"], false),
        ("copilot.preToolUse.bash", &["preToolUse"], false),
        ("copilot.preToolUse.bash.in-subagent", &["preToolUse", "copilot"], false),
    ];
    for (file, arguments, asked) in cases {
        let word = if *asked { "ask" } else { "deny" };
        let about = format!("{file} by {arguments:?}");
        assert_eq!(said(&scratch, file, "git reset --hard", arguments), format!("{word} uncommitted-work-discarded"), "{about}");
        assert_eq!(said(&scratch, file, "git push --force origin main", arguments), "deny force-push", "{about}");
        assert_eq!(said(&scratch, file, "git status", arguments), "free", "{about}");
    }
}

#[test]
fn a_mode_that_is_not_known_asks_nobody() {
    let scratch = Scratch::new().with_work();
    for (mode, word) in [("default", "ask"), ("acceptEdits", "ask"), ("plan", "ask"), ("auto", "ask"), ("dontAsk", "deny"), ("yolo", "deny"), ("", "deny")] {
        let payload = scratch.payload("Bash", r#"{"command":"git reset --hard"}"#, mode);
        assert_eq!(scratch.judge("PreToolUse", &payload).short(), format!("{word} uncommitted-work-discarded"), "{mode}");
    }
}

#[test]
fn copilot_is_answered_in_the_form_in_which_it_asks() {
    let scratch = Scratch::new().with_work();
    let said = |file: &str, command: &str, arguments: &[&str]| {
        let mut payload: serde_json::Value = serde_json::from_str(&recorded(&scratch)[file]).unwrap();
        let input = ["tool_input", "toolInput", "toolArgs"].into_iter().find(|field| payload.get(field).is_some()).unwrap_or("tool_input");
        payload[input]["command"] = command.into();
        let text = payload.to_string().replace("/home/dev/project", &scratch.repo().to_string_lossy());
        let said = run(scratch.command(hook_path()).args(arguments), text.as_bytes());
        assert_eq!((said.code, said.stderr.as_str()), (0, ""), "{file} {command}");
        if said.stdout.is_empty() { serde_json::Value::Null } else { serde_json::from_str(&said.stdout).unwrap() }
    };
    // What `init` wrote for Claude Code, an older entry, and one of its own.
    let permission: [&[&str]; 4] = [&["PermissionRequest", "claude-code"], &["PermissionRequest"], &["permissionRequest", "copilot"], &["permissionRequest"]];
    for arguments in permission {
        for file in ["copilot.permissionRequest.bash", "copilot.permissionRequest.bash.in-subagent"] {
            let denied = said(file, "git push --force origin main", arguments);
            assert_eq!(denied["behavior"], "deny", "{file} {arguments:?}");
            assert!(denied["message"].as_str().unwrap().starts_with("denied by `force-push`"), "{denied}");
            // With `--allow-all-tools` the same event comes, and no person is asked.
            let denied = said(file, "git reset --hard", arguments);
            assert!(denied["message"].as_str().unwrap().starts_with("denied by `uncommitted-work-discarded`"), "{denied}");
            for command in ["touch ran", "git status", "git reset --soft HEAD"] {
                assert_eq!(said(file, command, arguments), serde_json::Value::Null, "{command} {arguments:?}");
            }
        }
    }
    for arguments in [&["preToolUse", "copilot"][..], &["preToolUse"], &["PreToolUse", "claude-code"]] {
        let denied = said("copilot.preToolUse.bash", "git push --force origin main", arguments);
        assert_eq!((denied["permissionDecision"].as_str(), denied["hookSpecificOutput"].as_str()), (Some("deny"), None), "{arguments:?}");
        assert_eq!(said("copilot.preToolUse.bash", "ls", arguments), serde_json::Value::Null, "{arguments:?}");
    }
    let denied = said("copilot.PreToolUse.Bash", "git push --force origin main", &["PreToolUse", "claude-code"]);
    assert_eq!(denied["hookSpecificOutput"]["permissionDecision"], "deny");
    assert!(denied["permissionDecision"].is_null(), "{denied}");
}
