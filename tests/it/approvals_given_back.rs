//! An approval whose call did not run can be used after all, and one whose call ran or may have run never twice.

use std::fs;

use crate::approvals::{Desk, can_play, code_of};
use crate::support::json;

/// The parallel processes that send one call.
const PARALLEL: usize = 64;

/// A desk with an approved call.
fn approved() -> (Desk, String) {
    let desk = Desk::keyed();
    let code = desk.denied("npm publish", "toolu_0");
    desk.approved(&code);
    (desk, code)
}

/// An event that is no call, or the end of one.
fn event(desk: &Desk, event: &str, session: &str, rest: &str) {
    let payload = format!(
        r#"{{"session_id":"{session}","transcript_path":"/t","cwd":{},"permission_mode":"bypassPermissions","hook_event_name":"{event}"{rest}}}"#,
        json(&desk.scratch.repo().to_string_lossy())
    );
    assert_eq!(desk.event(event, &payload).code, 0);
}

/// What comes behind the call: `PostToolUse`, `PermissionDenied`, …
fn behind(desk: &Desk, name: &str, call: &str) {
    let rest = format!(
        r#","tool_name":"Bash","tool_input":{{"command":"npm publish","description":"{call}"}},"tool_use_id":"{call}","tool_response":{{"stdout":"","stderr":""}}"#
    );
    event(desk, name, "s", &rest);
}

fn passes(desk: &Desk, call: &str) -> bool {
    let said = desk.hook("npm publish", call);
    assert!(said.code == 0 || said.stderr.contains("approval: code "), "{said:?}");
    said.code == 0
}

#[test]
fn a_call_that_the_client_refused_gives_its_approval_back() {
    if !can_play() {
        return;
    }
    let (desk, code) = approved();
    assert!(passes(&desk, "toolu_1") && !passes(&desk, "toolu_2"));
    assert_eq!(desk.state_of(&code), "used");
    behind(&desk, "PermissionDenied", "toolu_1");
    assert_eq!(desk.state_of(&code), "approved");
    assert!(passes(&desk, "toolu_3") && !passes(&desk, "toolu_4"));
    // The refusal of a call that did not use it says nothing of it, and neither does one that comes twice.
    behind(&desk, "PermissionDenied", "toolu_4");
    behind(&desk, "PermissionDenied", "toolu_1");
    assert!(!passes(&desk, "toolu_5"));
    behind(&desk, "PostToolUse", "toolu_3");
    for name in ["PermissionDenied", "PostToolUse"] {
        behind(&desk, name, "toolu_3");
        assert!(!passes(&desk, "toolu_6"), "{name}");
    }
    assert_eq!(desk.state_of(&code), "used");
    assert_eq!(desk.cold(&["approvals"]).stdout.matches("does not count").count(), 0);
    // What is given back can be taken back.
    let (desk, code) = approved();
    assert!(passes(&desk, "toolu_1"));
    behind(&desk, "PermissionDenied", "toolu_1");
    assert_eq!(desk.cold(&["revoke", &code]).code, 0);
    assert!(!passes(&desk, "toolu_2"));
    // It is given back so often, and not more.
    let (desk, _) = approved();
    let passed = (0..8).filter(|at| {
        let call = format!("toolu_{at}");
        let free = passes(&desk, &call);
        behind(&desk, "PermissionDenied", &call);
        free
    });
    assert_eq!(passed.count(), 4);
}

#[test]
fn silence_gives_an_approval_back_once() {
    if !can_play() {
        return;
    }
    for (name, rest) in [("Stop", ""), ("SessionEnd", ""), ("UserPromptSubmit", r#","prompt":"go on""#)] {
        let (desk, code) = approved();
        assert!(passes(&desk, "toolu_1"), "{name}");
        // Another session, and a prompt that no person wrote.
        event(&desk, name, "other", rest);
        event(&desk, "UserPromptSubmit", "s", r#","prompt":"<task-notification>done</task-notification>""#);
        assert!(!passes(&desk, "toolu_2"), "{name}");
        event(&desk, name, "s", rest);
        assert!(passes(&desk, "toolu_3") && !passes(&desk, "toolu_4"), "{name}");
        // If its end was lost twice, it may have run: a person is asked again.
        event(&desk, name, "s", rest);
        assert!(!passes(&desk, "toolu_5"), "{name}");
        assert_eq!(desk.state_of(&code), "used", "{name}");
    }
    // A client that names no sessions: the end of one could be that of any other.
    let (desk, _) = approved();
    let nameless = |call: &str| {
        let payload = format!(
            r#"{{"session_id":"","transcript_path":"/t","cwd":{},"permission_mode":"bypassPermissions","hook_event_name":"PreToolUse","tool_name":"Bash","tool_input":{{"command":"npm publish"}},"tool_use_id":"{call}"}}"#,
            json(&desk.scratch.repo().to_string_lossy())
        );
        desk.event("PreToolUse", &payload).code
    };
    assert_eq!(nameless("toolu_1"), 0);
    event(&desk, "Stop", "", "");
    assert_eq!(nameless("toolu_2"), 2);
}

#[test]
fn a_call_that_ran_gives_nothing_back() {
    if !can_play() {
        return;
    }
    for end in ["PostToolUse", "PostToolUseFailure"] {
        let (desk, _) = approved();
        assert!(passes(&desk, "toolu_1"));
        behind(&desk, end, "toolu_1");
        for name in ["PermissionDenied", "Stop", "SessionEnd"] {
            behind(&desk, name, "toolu_1");
            assert!(!passes(&desk, "toolu_2"), "{end} {name}");
        }
    }
    // The end comes late: what was given back is closed.
    for name in ["Stop", "PermissionDenied"] {
        let (desk, code) = approved();
        assert!(passes(&desk, "toolu_1"));
        behind(&desk, name, "toolu_1");
        behind(&desk, "PostToolUse", "toolu_1");
        assert!(!passes(&desk, "toolu_2"), "{name}");
        assert_eq!(desk.state_of(&code), "used", "{name}");
    }
    // The session broke off, and is taken up again.
    let (desk, _) = approved();
    assert!(passes(&desk, "toolu_1"));
    event(&desk, "SessionStart", "s", r#","source":"resume""#);
    event(&desk, "UserPromptSubmit", "s", r#","prompt":"go on""#);
    assert!(!passes(&desk, "toolu_2"));
    // After a compaction it runs on.
    let (desk, _) = approved();
    assert!(passes(&desk, "toolu_1"));
    event(&desk, "SessionStart", "s", r#","source":"compact""#);
    event(&desk, "Stop", "s", "");
    assert!(passes(&desk, "toolu_2"));
}

#[test]
fn the_end_of_another_agents_turn_gives_nothing_back() {
    if !can_play() {
        return;
    }
    let desk = Desk::keyed();
    let agent = r#","agent_id":"a","agent_type":"deployer""#;
    let by_agent = |call: &str| {
        let payload = format!(
            r#"{{"session_id":"s","transcript_path":"/t","cwd":{},"permission_mode":"bypassPermissions","hook_event_name":"PreToolUse"{agent},"tool_name":"Bash","tool_input":{{"command":"npm publish"}},"tool_use_id":"{call}"}}"#,
            json(&desk.scratch.repo().to_string_lossy())
        );
        desk.event("PreToolUse", &payload)
    };
    desk.approved(&code_of(&by_agent("toolu_1")));
    assert_eq!(by_agent("toolu_2").code, 0);
    for (name, rest) in [("Stop", ""), ("UserPromptSubmit", r#","prompt":"go on""#), ("SubagentStop", r#","agent_id":"b","agent_type":"x""#)] {
        event(&desk, name, "s", rest);
        assert_eq!(by_agent("toolu_3").code, 2, "{name}");
    }
    event(&desk, "SubagentStop", "s", agent);
    assert_eq!(by_agent("toolu_4").code, 0);
}

#[test]
fn of_many_processes_at_once_one_uses_what_was_given_back() {
    if !can_play() {
        return;
    }
    let (desk, code) = approved();
    let at_once = |round: usize| {
        std::thread::scope(|scope| {
            let run = |at: usize| (format!("toolu_{round}_{at}"), &desk);
            let runs: Vec<_> = (0..PARALLEL).map(run).map(|(call, desk)| scope.spawn(move || passes(desk, &call).then_some(call))).collect();
            runs.into_iter().filter_map(|run| run.join().unwrap()).collect::<Vec<String>>()
        })
    };
    let first = at_once(1);
    assert_eq!(first.len(), 1, "{first:?}");
    behind(&desk, "PermissionDenied", &first[0]);
    let second = at_once(2);
    assert_eq!(second.len(), 1, "{second:?}");
    // Whoever says how it ended at the same moment: it is never free as well as run.
    std::thread::scope(|scope| {
        for name in ["PostToolUse", "PermissionDenied", "Stop", "SessionEnd"] {
            let (desk, call) = (&desk, &second[0]);
            scope.spawn(move || behind(desk, name, call));
        }
    });
    assert_eq!(at_once(3), Vec::<String>::new());
    assert_eq!(desk.state_of(&code), "used");
}

#[test]
fn a_push_that_git_began_is_not_given_back() {
    if !can_play() {
        return;
    }
    let desk = Desk::keyed();
    let id = desk.repository().refname_to_id("refs/heads/main").unwrap();
    desk.approved(&desk.denied("git push origin main", "toolu_1"));
    assert_eq!(desk.hook("git push origin main", "toolu_2").code, 0);
    let line = format!("refs/heads/main {id} refs/heads/main {}\n", "0".repeat(40));
    let mut command = desk.scratch.command(crate::support::git_path());
    let pushed = crate::support::run(command.env("CLAUDECODE", "1").args(["pre-push", "origin", "https://example.com/r"]), line.as_bytes());
    assert_eq!(pushed.code, 0, "{}", pushed.stderr);
    event(&desk, "Stop", "s", "");
    assert_eq!(desk.hook("git push origin main", "toolu_3").code, 2);
}

#[test]
fn what_says_how_a_call_ended_is_read_with_care() {
    if !can_play() {
        return;
    }
    for text in ["", "{", r#"{"format":1,"end":"ran","time":1}"#, r#"{"format":2,"end":"refused","time":1}"#, "refused"] {
        let (desk, code) = approved();
        assert!(passes(&desk, "toolu_1"));
        fs::write(desk.folder().join(format!("{code}.ended")), text).unwrap();
        assert!(!passes(&desk, "toolu_2"), "{text}");
    }
    // The store that leads to it is lost or damaged: it stays used.
    for damage in [true, false] {
        let (desk, _) = approved();
        assert!(passes(&desk, "toolu_1"));
        let store = desk.folder().parent().unwrap().join("approved.store");
        if damage {
            let length = fs::metadata(&store).unwrap().len();
            fs::write(&store, vec![0x5a; usize::try_from(length).unwrap()]).unwrap();
        } else {
            fs::remove_file(&store).unwrap();
        }
        behind(&desk, "PermissionDenied", "toolu_1");
        event(&desk, "Stop", "s", "");
        assert!(!passes(&desk, "toolu_2"), "{damage}");
    }
}
