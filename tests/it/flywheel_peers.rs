//! The flywheel with clients that are not Claude Code, by the payloads that they really sent: what they tell of outcomes, and
//! which of their events takes a context.

use crate::flywheel::{Day, context};
use crate::support::json;

const ON: &str = "[flywheel]\n";

/// A call of Gemini CLI, which has no number for it and tells its end in the text for the model.
fn gemini(day: &Day, tool: &str, input: &str, told: &str) -> String {
    let call = format!(r#""timestamp":"2026-11-21T08:32:08.450Z","tool_name":"{tool}","tool_input":{input}"#);
    assert_eq!(day.event("BeforeTool", &call).code, 0);
    let text = json(&format!("<untrusted_context>\nOutput: {told}\nProcess Group PGID: 24625\n</untrusted_context>"));
    context(&day.event("AfterTool", &format!(r#"{call},"tool_response":{{"llmContent":{text},"returnDisplay":""}}"#)))
}

#[test]
fn gemini_is_told_with_its_next_prompt_or_result() {
    let deploy = r#"{"command":"./deploy.sh staging","description":"d"}"#;
    let edit = r#"{"file_path":"config/deploy.yml","old_string":"a","new_string":"b","instruction":"i"}"#;
    for next in ["BeforeAgent", "AfterTool"] {
        let day = Day::new(ON);
        day.event("BeforeAgent", r#""prompt":"go""#);
        // A code that a program printed is none.
        assert_eq!(gemini(&day, "run_shell_command", r#"{"command":"./fine.sh"}"#, "Exit Code: 1\nit says so itself"), "");
        assert_eq!(gemini(&day, "run_shell_command", deploy, "REGION is not set\nExit Code: 1\nSignal: 0"), "");
        assert_eq!(gemini(&day, "replace", edit, "done"), "");
        assert_eq!(gemini(&day, "run_shell_command", deploy, "deployed"), "");
        assert_eq!(context(&day.event("AfterAgent", r#""prompt":"go","prompt_response":"done","stop_hook_active":false"#)), "");
        assert_eq!(day.inbox().len(), 1, "{:?}", day.inbox());
        assert!(day.inbox()[0].evidence[0].contains("(exit 1): `REGION is not set`"), "{:?}", day.inbox());
        let told =
            if next == "BeforeAgent" { context(&day.event(next, r#""prompt":"and now""#)) } else { gemini(&day, "run_shell_command", deploy, "deployed") };
        assert!(told.contains("`./deploy.sh staging` failed, and works since `config/deploy.yml` changed"), "{next}: {told}");
        assert_eq!(context(&day.event("BeforeAgent", r#""prompt":"more""#)), "", "told once");
    }
}

#[test]
fn codex_is_told_with_its_next_prompt_or_result() {
    let day = Day::new(ON);
    let event = |name: &str, fields: &str| context(&day.event(name, &format!(r#""turn_id":"t1","model":"gpt-5.5",{fields}"#)));
    let call = |tool: &str, command: &str, response: &str| {
        let call = format!(r#""tool_name":"{tool}","tool_input":{{"command":{}}},"tool_use_id":"call_1""#, json(command));
        let before = day.event("PreToolUse", &format!(r#""turn_id":"t1",{call}"#));
        if before.code == 0 { event("PostToolUse", &format!(r#"{call},"tool_response":{}"#, json(response))) } else { String::new() }
    };
    let patch = "*** Begin Patch\n*** Update File: config.yml\n@@\n-a\n+b\n*** End Patch\n";
    // How a command ended is not shown: neither a failure nor a way that worked is made of it.
    assert_eq!(call("Bash", "./deploy.sh staging", "REGION is not set\n"), "");
    assert_eq!(call("apply_patch", patch, "Exit code: 0\nOutput:\nSuccess.\n"), "");
    assert_eq!(call("Bash", "./deploy.sh staging", "deployed\n"), "");
    assert_eq!(call("Bash", "git push --force origin topic", ""), "");
    assert_eq!(call("Bash", "git push origin topic", "fatal: no such remote\n"), "");
    let stop = r#""stop_hook_active":false,"last_assistant_message":"done""#;
    assert_eq!(event("Stop", stop), "");
    assert!(day.inbox().is_empty(), "{:?}", day.inbox());
    // A person's correction shows in the order of events. The end of a turn takes no context; what follows does.
    for next in ["UserPromptSubmit", "PostToolUse"] {
        day.event("PreToolUse", &format!(r#""turn_id":"t1","tool_name":"Bash","tool_input":{{"command":"npm install {next}"}},"tool_use_id":"x""#));
        event("UserPromptSubmit", r#""prompt":"no, use what is there""#);
        assert_eq!(day.event("Stop", &format!(r#""turn_id":"t1",{stop}"#)).stdout, "");
        let told = if next == "PostToolUse" { call("Bash", "ls", "") } else { event(next, r#""prompt":"and now""#) };
        assert!(told.contains(&format!("`npm install {next}` was stopped by the user")), "{next}: {told}");
        assert_eq!(event("UserPromptSubmit", r#""prompt":"more""#), "");
    }
}
