//! `tests/events/*.json`: what real clients sent, through the real hook as a process.

use std::fs;

use clients::claude_code::WIRED;
use clients::{Moment, MomentKind};
use portcullis::cli::settings::{Wiring, install};

use crate::support::{Said, Scratch, hook_path, json, recorded, run, sender_and_event};

/// The event of a recorded payload.
fn event(name: &str) -> &str {
    sender_and_event(name).1
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

/// Whether an event goes on without a word, or, at the start of a session, with the one line of the gate itself.
fn goes_on(name: &str, said: &Said) -> bool {
    let at_start = Moment::of(event(name)) == Moment::SessionStart && (said.code, said.stderr.as_str()) == (0, "") && said.stdout.lines().count() <= 1;
    *said == nothing()
        || (at_start
            && said.stdout.contains(" judges each tool call here (")
            && !said.stdout.replace("\\nanother agent session works in this", "").contains("\\n"))
}

#[test]
fn harmless_events_of_every_client_go_on_without_a_word() {
    let scratch = wired();
    let mut wrong = Vec::new();
    for (name, text) in recorded(&scratch) {
        let said = scratch.hook(event(&name), text.as_bytes());
        if !goes_on(&name, &said) {
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
fn what_needs_a_person_is_left_to_a_client_that_asks_one() {
    let scratch = wired().with_work();
    let texts = recorded(&scratch);
    let answered = |arguments: &[&str], command: &str| {
        let text = with(&texts["PermissionRequest.Bash"], &["tool_input", "command"], command, None);
        let said = run(scratch.command(hook_path()).args(arguments), text.as_bytes());
        assert_eq!((said.code, said.stderr.as_str()), (0, ""), "{arguments:?}");
        if said.stdout.contains(r#""behavior":"deny""#) { "deny" } else { "" }
    };
    for (arguments, held) in [
        (&["PermissionRequest", "claude-code", "50"][..], ""),
        (&["PermissionRequest"], ""),
        // The command line names others than the one that the payload fits.
        (&["PermissionRequest", "copilot", "50"], "deny"),
        (&["PermissionRequest", "kimi"], "deny"),
    ] {
        assert_eq!(answered(arguments, "git reset --hard"), held, "{arguments:?}");
        assert_eq!(answered(arguments, "git push -f"), "deny", "{arguments:?}");
        assert_eq!(answered(arguments, "git status"), "", "{arguments:?}");
    }
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
        assert!(!observing || goes_on(&name, &said), "{name}: {said:?}");
    }
}

/// A call of a tool with this input, as it is answered.
fn called(scratch: &Scratch, tool: &str, input: &str) -> String {
    let said = scratch.judge("PreToolUse", &scratch.payload(tool, input, "default"));
    if said.code == 2 && said.stderr.contains("cannot be judged: ") { "malformed".to_owned() } else { said.short() }
}

#[test]
fn a_call_of_a_known_tool_in_another_form_is_denied() {
    let scratch = Scratch::new();
    let malformed = [
        ("Bash", "null"),
        ("Bash", "{}"),
        ("Bash", "[]"),
        ("Bash", r#""git push --force""#),
        ("Bash", r#"{"command":null}"#),
        ("Bash", r#"{"command":7}"#),
        ("Bash", r#"{"command":true}"#),
        ("Bash", r#"{"command":{"text":"git push --force"}}"#),
        ("Bash", r#"{"command":[]}"#),
        ("Bash", r#"{"command":["git",["push","-f"]]}"#),
        ("Bash", r#"{"command":["git",null]}"#),
        ("Bash", r#"{"Command":{"a":"ls"}}"#),
        ("Bash", r#"{"command":"ls","cwd":["/tmp"]}"#),
        ("Bash", r#"{"restart":false}"#),
        ("Monitor", r#"{"description":"m","timeout_ms":1000}"#),
        ("PowerShell", r#"{"command":{}}"#),
        ("run_shell_command", r#"{"description":"x"}"#),
        ("run_shell_command", r#"{"command":"ls","dir_path":5}"#),
        ("exec_command", r#"{"cmd":{"a":1}}"#),
        ("local_shell", r#"{"action":{"type":"exec","command":{}}}"#),
        ("Write", r#"{"content":"x"}"#),
        ("Write", r#"{"file_path":null,"content":"x"}"#),
        ("Write", r#"{"file_path":7,"content":"x"}"#),
        ("Write", r#"{"file_path":["a.txt"],"content":"x"}"#),
        ("Write", r#"{"file_path":"a.txt"}"#),
        ("Write", r#"{"file_path":"a.txt","content":null}"#),
        ("Write", r#"{"file_path":"a.txt","content":{"text":"x"}}"#),
        ("Write", r#"{"file_path":"a.txt","content":["x"]}"#),
        ("write_file", r#"{"file_path":{"a":"b"},"content":"x"}"#),
        ("Edit", r#"{"old_string":"a","new_string":"b"}"#),
        ("Edit", r#"{"file_path":false,"old_string":"a","new_string":"b"}"#),
        ("Edit", r#"{"file_path":"a.txt","old_string":["a"],"new_string":"b"}"#),
        ("Edit", r#"{"file_path":"a.txt","new_string":"b"}"#),
        ("replace", r#"{"file_path":"a.txt","old_string":"a","new_string":3}"#),
        ("MultiEdit", r#"{"file_path":"a.txt","edits":"[]"}"#),
        ("MultiEdit", r#"{"file_path":"a.txt","edits":{"old_string":"a","new_string":"b"}}"#),
        ("MultiEdit", r#"{"file_path":"a.txt","edits":["x"]}"#),
        ("MultiEdit", r#"{"file_path":"a.txt","edits":[{"old_string":"a"}]}"#),
        ("MultiEdit", r#"{"file_path":"a.txt","edits":[{"old_string":"a","new_string":7}]}"#),
        ("NotebookEdit", r#"{"new_source":"x"}"#),
        ("NotebookEdit", r#"{"notebook_path":"a.ipynb","new_source":["x"]}"#),
        ("Read", r#"{"file_path":["a"]}"#),
        ("apply_patch", r#"{"patch":{"a":"b"}}"#),
        ("apply_patch", "{}"),
        ("WebFetch", r#"{"url":["http://a"],"prompt":"x"}"#),
        ("Agent", r#"{"subagent_type":"x","prompt":["do"]}"#),
    ];
    for (tool, input) in malformed {
        assert_eq!(called(&scratch, tool, input), "malformed", "{tool} {input}");
    }
    let harmless = [
        ("Bash", r#"{"command":""}"#),
        ("Bash", r#"{"command":"ls","description":null,"timeout":null}"#),
        ("Bash", r#"{"command":"ls","run_in_background":true,"timeout":60000}"#),
        ("Bash", r#"{"command":["git","status"]}"#),
        ("Bash", r#"{"restart":true}"#),
        ("Bash", r#"{"command":"ls","cwd":null}"#),
        ("Monitor", r#"{"description":"m","ws":{"url":"ws://localhost:1"}}"#),
        ("exec_command", r#"{"cmd":"ls","shell":"bash","login":true,"yield_time_ms":1000}"#),
        ("shell", r#"{"command":["bash","-lc","ls"],"workdir":"/tmp"}"#),
        ("local_shell", r#"{"action":{"type":"exec","command":["ls"]}}"#),
        ("Write", r#"{"file_path":"a.txt","content":""}"#),
        ("Write", r#"{"path":"a.txt","content":"x","mode":"overwrite"}"#),
        ("Edit", r#"{"file_path":"a.txt","old_string":"a","new_string":"","replace_all":null}"#),
        ("Edit", r#"{"path":"a.txt","old_string":"a","new_string":"b"}"#),
        ("Edit", r#"{"file_path":"a.txt","old_str":"a","new_str":"b","change_all":false}"#),
        ("MultiEdit", r#"{"file_path":"a.txt","edits":[{"old_string":"a","new_string":"b"},{"old_string":"","new_string":"c"}]}"#),
        ("MultiEdit", r#"{"file_path":"a.txt","edits":[]}"#),
        ("NotebookEdit", r#"{"notebook_path":"a.ipynb","cell_id":"1","edit_mode":"delete"}"#),
        ("Read", r#"{"path":"a.txt"}"#),
        ("read_file", r#"{"absolute_path":"/tmp/a.txt","offset":1}"#),
        ("Agent", r#"{"description":"d","prompt":"x"}"#),
        ("Task", r#"{"prompt":"x","subagent_type":null}"#),
        ("mcp__a__run", r#"{"command":null}"#),
        ("mcp__a__note", r#"{"file_path":null,"content":{"a":1}}"#),
        ("Glob", "null"),
        ("TodoWrite", r#"{"todos":"x"}"#),
    ];
    for (tool, input) in harmless {
        assert_eq!(called(&scratch, tool, input), "free", "{tool} {input}");
    }
}

/// Rules that a policy of a scratch repository adds.
const RULE: &str = "schema = 1\n[[rule]]\nname = \"no-deploy\"\ntier = 4\nrun = { program = \"deploy\" }\nreason = \"r\"\ninstead = \"i\"\ncatches = [\"deploy\"]\nspares = [\"ls\"]\n";

#[test]
fn the_file_behind_a_linked_policy_is_guarded_as_the_policy_is() {
    let scratch = Scratch::new();
    let shared = scratch.home().join("shared");
    fs::create_dir_all(scratch.repo().join("rules")).unwrap();
    fs::create_dir_all(&shared).unwrap();
    fs::write(shared.join("p.toml"), RULE).unwrap();
    fs::write(shared.join("other.toml"), RULE).unwrap();
    let link = |target: &str, name: &str| std::os::unix::fs::symlink(target, scratch.repo().join(name)).unwrap();
    link("rules/p.toml", "portcullis.toml");
    link(&shared.join("p.toml").to_string_lossy(), "rules/p.toml");
    assert_eq!(scratch.bash("deploy").short(), "deny no-deploy");
    let weakened =
        ["> ~/shared/p.toml", "echo 'schema = 1' > ~/shared/p.toml", "sed -i /deploy/d ~/shared/p.toml", "cp /dev/null rules/p.toml", "> portcullis.toml"];
    for command in weakened {
        assert_eq!(scratch.bash(command).short(), "ask policy-weakened", "{command}");
    }
    for command in ["mv ~/shared/p.toml /tmp/x", "rm rules/p.toml", "rm -rf ~/shared", "unlink portcullis.toml", "mv rules old"] {
        let said = scratch.bash(command).short();
        assert!(said.contains("policy-deletion"), "{command}: {said}");
    }
    let more = RULE.replace("schema = 1\n", "").replace("no-deploy", "no-release").replace("\"deploy\"", "\"release\"");
    let harmless = ["cat rules/p.toml", "ls ~/shared", "> ~/shared/other.toml", "rm ~/shared/other.toml", "cp ~/shared/p.toml /tmp/x", "touch rules/new.toml"];
    for command in harmless {
        assert_eq!(scratch.bash(command).short(), "free", "{command}");
    }
    assert_eq!(scratch.bash(&format!("cat >> ~/shared/p.toml <<'E'\n{more}E\n")).short(), "free", "a rule is added");

    // What is not there, is.
    fs::remove_file(shared.join("p.toml")).unwrap();
    assert_eq!(scratch.bash("ls").short(), "failure");
    fs::remove_file(scratch.repo().join("portcullis.toml")).unwrap();
    assert_eq!(scratch.bash("ls").short(), "free");
    link("nowhere", ".portcullis");
    assert_eq!(scratch.bash("ls").short(), "failure");
}

#[test]
fn a_command_is_judged_in_the_folder_that_the_call_names() {
    let scratch = wired();
    fs::create_dir_all(scratch.repo().join("sub")).unwrap();
    let settings = scratch.repo().join(".claude").to_string_lossy().into_owned();
    let with = |tool: &str, field: &str, folder: &str, command: &str| {
        called(&scratch, tool, &format!(r#"{{"command":{},"{field}":{}}}"#, json(command), json(folder)))
    };
    let fields = [
        ("run_shell_command", "dir_path"),
        ("run_shell_command", "directory"),
        ("Bash", "cwd"),
        ("bash", "workdir"),
        ("launch-process", "cwd"),
        ("exec_command", "workdir"),
    ];
    for (tool, field) in fields {
        for folder in [".claude", "./.claude/", "sub/../.claude", &settings] {
            assert_eq!(with(tool, field, folder, "rm settings.local.json"), "deny gate-settings-deletion", "{tool} {field} {folder}");
        }
        assert_eq!(with(tool, field, ".git", "rm hooks/pre-commit"), "deny git-hooks-removal", "{tool} {field}");
        assert_eq!(with(tool, field, "sub", "rm settings.local.json"), "free", "{tool} {field}");
        assert_eq!(with(tool, field, ".claude", "ls settings.local.json"), "free", "{tool} {field}");
        assert_eq!(with(tool, field, "", "ls"), "free", "{tool} {field}");
        // The session's folder is where it was.
        assert_eq!(with(tool, field, "sub", "rm .claude/settings.local.json"), "free", "{tool} {field}");
        assert_eq!(with(tool, field, "sub", "rm ../.claude/settings.local.json"), "deny gate-settings-deletion", "{tool} {field}");
    }
    let words = format!(r#"{{"command":["rm","settings.local.json"],"workdir":{}}}"#, json(&settings));
    assert_eq!(called(&scratch, "shell", &words), "deny gate-settings-deletion");
    let several = r#"{"commands":["ls","rm settings.local.json"],"cwd":".claude"}"#;
    assert_eq!(called(&scratch, "run_commands", several), "deny gate-settings-deletion");
    assert_eq!(called(&scratch, "mcp__files__list", r#"{"path":"settings.local.json","cwd":".claude"}"#), "free");
}
