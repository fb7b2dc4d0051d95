//! `tests/events/*.json`: what real clients sent, through the real hook as a process.

use std::collections::BTreeMap;
use std::fs;

use clients::claude_code::WIRED;
use clients::{Moment, MomentKind};
use portcullis::cli::settings::{Wiring, install};

use crate::support::{Said, Scratch, hook_path, json, package};

/// The recorded texts by their names, the project's folder replaced by the scratch repository.
fn recorded(scratch: &Scratch) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(package().join("tests/events")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "json") {
            let text = fs::read_to_string(&path).unwrap();
            let text = text.replace("/home/dev/project", &scratch.repo().to_string_lossy());
            let text = text.replace("/home/dev/", &format!("{}/", scratch.home().to_string_lossy()));
            all.insert(path.file_stem().unwrap().to_string_lossy().into_owned(), text);
        }
    }
    assert!(all.len() >= 115, "only {} events were found", all.len());
    all
}

/// The event of a recorded payload: the first part of its file's name, or the second where a client's is before it.
fn event(name: &str) -> &str {
    name.split('.').find(|part| Moment::of(part) != Moment::Unknown).unwrap_or_else(|| panic!("{name}: no client has such an event"))
}

fn nothing() -> Said {
    Said { code: 0, stdout: String::new(), stderr: String::new() }
}

/// A scratch repository into whose settings the gate is wired.
fn wired() -> Scratch {
    let scratch = Scratch::new();
    let wiring = Wiring { command: hook_path().to_owned(), events: WIRED, timeout_seconds: 10 };
    scratch.write(".claude/settings.local.json", &install(None, &wiring).unwrap());
    scratch
}

#[test]
fn harmless_events_of_every_client_go_on_without_a_word() {
    let scratch = wired();
    let mut wrong = Vec::new();
    for (name, text) in recorded(&scratch) {
        let said = scratch.hook(event(&name), text.as_bytes());
        if said != nothing() {
            wrong.push(format!("{name}: {said:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_pretty_text_and_a_single_line_are_the_same() {
    let scratch = wired();
    for (name, text) in recorded(&scratch).into_iter().filter(|(name, _)| Moment::of(event(name)) == Moment::BeforeCall) {
        // The client writes one line.
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(scratch.hook(event(&name), value.to_string().as_bytes()), nothing(), "{name}");
    }
}

#[test]
fn changed_settings_that_do_not_start_the_gate_are_kept_out() {
    let scratch = Scratch::new();
    scratch.write(".claude/settings.local.json", "{\"model\":\"opus\"}\n");
    let texts = recorded(&scratch);
    let said = scratch.hook("ConfigChange", texts["ConfigChange.local_settings"].as_bytes());
    assert_eq!((said.code, said.stdout.as_str()), (2, ""), "{said:?}");
    for part in ["denied: ", "\nwhy: ", "\nfix: "] {
        assert!(said.stderr.contains(part), "{said:?}");
    }
}

/// A recorded call with another input.
fn with(text: &str, path: &[&str], value: &str, mode: Option<&str>) -> String {
    let mut event: serde_json::Value = serde_json::from_str(text).unwrap();
    *path.iter().fold(&mut event, |event, key| &mut event[*key]) = serde_json::Value::String(value.to_owned());
    if let Some(mode) = mode {
        event["permission_mode"] = mode.into();
    }
    event.to_string()
}

#[test]
fn the_same_calls_with_a_dangerous_input_are_held() {
    let scratch = wired();
    let texts = recorded(&scratch);
    let command: &[&str] = &["tool_input", "command"];
    let patch = "*** Begin Patch\n*** Add File: .git/hooks/pre-commit\n+exit 0\n*** End Patch\n";
    let hook = scratch.repo().join(".git/hooks/pre-commit").to_string_lossy().into_owned();
    // (recorded call, where its input is changed, to what, the rule that must be named)
    let cases = [
        ("PreToolUse.Bash", command, "git push --force origin main", "force-push"),
        ("PreToolUse.Bash.in-subagent", command, "git push --force origin main", "force-push"),
        ("PreToolUse.Monitor", command, "git push --force origin main", "force-push"),
        ("codex.PreToolUse.Bash", command, "git push --force origin main", "force-push"),
        ("gemini.BeforeTool.run_shell_command", command, "git push --force origin main", "force-push"),
        ("PreToolUse.Write", &["tool_input", "file_path"], &hook, "git-hooks-changed"),
        ("PreToolUse.Edit", &["tool_input", "file_path"], &hook, "git-hooks-changed"),
        ("gemini.BeforeTool.write_file", &["tool_input", "file_path"], &hook, "git-hooks-changed"),
        ("gemini.BeforeTool.replace", &["tool_input", "file_path"], &hook, "git-hooks-changed"),
        ("codex.PreToolUse.apply_patch", command, patch, "git-hooks-changed"),
    ];
    for (name, path, value, rule) in cases {
        for mode in ["default", "acceptEdits", "plan", "bypassPermissions", "dontAsk"] {
            let input = with(&texts[name], path, value, Some(mode));
            let said = scratch.hook(event(name), input.as_bytes());
            assert_eq!(said.short().split(' ').take(2).collect::<Vec<_>>(), ["deny", rule], "{name} in {mode}: {said:?}");
            assert!(said.stdout.is_empty() && said.stderr.contains("\nfound: ") && said.stderr.contains("\ninstead: "), "{name}: {said:?}");
        }
    }
}

#[test]
fn a_question_is_one_json_object_where_a_person_can_be_asked() {
    let scratch = wired().with_work();
    let texts = recorded(&scratch);
    let asked = |mode| {
        let input = with(&texts["PreToolUse.Bash"], &["tool_input", "command"], "git reset --hard", Some(mode));
        scratch.hook("PreToolUse", input.as_bytes())
    };
    for mode in ["default", "acceptEdits", "plan"] {
        let said = asked(mode);
        let answer: serde_json::Value = serde_json::from_str(&said.stdout).unwrap();
        let output = &answer["hookSpecificOutput"];
        assert_eq!((said.code, said.stderr.as_str()), (0, ""));
        assert_eq!((output["hookEventName"].as_str(), output["permissionDecision"].as_str()), (Some("PreToolUse"), Some("ask")));
    }
    for mode in ["bypassPermissions", "dontAsk"] {
        assert_eq!(asked(mode).short(), "deny uncommitted-work-discarded", "{mode}");
    }
}

#[test]
fn a_permission_request_is_denied_by_json_alone() {
    let scratch = wired();
    let texts = recorded(&scratch);
    let said = scratch.hook("PermissionRequest", with(&texts["PermissionRequest.Bash"], &["tool_input", "command"], "git push -f", None).as_bytes());
    let answer: serde_json::Value = serde_json::from_str(&said.stdout).unwrap();
    let output = &answer["hookSpecificOutput"];
    assert_eq!((said.code, said.stderr.as_str()), (0, ""));
    assert_eq!((output["hookEventName"].as_str(), output["decision"]["behavior"].as_str()), (Some("PermissionRequest"), Some("deny")));
    assert!(output["decision"]["message"].as_str().unwrap().starts_with("denied by `force-push`"), "{said:?}");
}

#[test]
fn no_event_is_given_an_explicit_allow() {
    let scratch = wired();
    for (name, text) in recorded(&scratch) {
        // What observes is shown of the same things after they happened.
        let text = text.replace("\"touch ran\"", &json("git push --force"));
        let said = scratch.hook(event(&name), text.as_bytes());
        assert!(!said.stdout.contains("allow") && [0, 2].contains(&said.code), "{name}: {said:?}");
        let observing = Moment::of(event(&name)).kind() == MomentKind::Observing;
        assert!(!observing || said == nothing(), "{name}: {said:?}");
    }
}
