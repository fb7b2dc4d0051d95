//! `[stall]` and `[[result]]` through the real hook: circles are noted, then denied, then ended; answers are looked into.

use crate::support::{Said, Scratch, hook_path, json, run};

const STALL: &str = "schema = 1\n[stall]\nrepeat = 3\nidle = 8\nwaits = [\"sleep*\", \"mcp__ci__wait_*\"]\n";

/// A session in a repository under this policy.
struct Session {
    scratch: Scratch,
    /// The next call's number.
    next: std::cell::Cell<u32>,
}

impl Session {
    fn new(policy: &str) -> Self {
        let scratch = Scratch::new();
        scratch.write("portcullis.toml", policy);
        Self { scratch, next: std::cell::Cell::new(0) }
    }

    fn event(&self, event: &str, call: u32, rest: &str) -> Said {
        let input = format!(
            r#"{{"session_id":"s","transcript_path":"/t","cwd":{},"permission_mode":"default","hook_event_name":"{event}","tool_use_id":"t{call}"{rest}}}"#,
            json(&self.scratch.repo().to_string_lossy())
        );
        run(self.scratch.command(hook_path()).args([event, "claude-code", "50"]), input.as_bytes())
    }

    /// A call and its end: what is said before it, and after it where it was let through.
    fn call(&self, tool: &str, input: &str, response: &str) -> (String, String) {
        let call = self.next.replace(self.next.get() + 1);
        let named = format!(r#","tool_name":"{tool}","tool_input":{input}"#);
        let before = self.event("PreToolUse", call, &named);
        if before.short() != "free" {
            return (before.short(), before.stdout + &before.stderr);
        }
        let after = self.event("PostToolUse", call, &format!("{named},\"tool_response\":{response}"));
        ("free".to_owned(), after.stdout)
    }

    fn bash(&self, command: &str, stdout: &str) -> (String, String) {
        self.call("Bash", &format!(r#"{{"command":{}}}"#, json(command)), &format!(r#"{{"stdout":{},"stderr":""}}"#, json(stdout)))
    }
}

#[test]
fn equal_calls_with_equal_answers_are_noted_then_asked_about() {
    let session = Session::new(STALL);
    for round in 1..=3 {
        let (before, after) = session.bash("cargo test", &format!("1 failed in 0.0{round}s"));
        assert_eq!(before, "free");
        assert_eq!(after.contains("the same call gave the same answer 3 times"), round == 3, "{round}: {after}");
    }
    let (before, text) = session.bash("cargo test", "");
    assert_eq!(before, "ask stall", "{text}");
    // Another call is free, and so is the same one once a file changed.
    assert_eq!(session.bash("ls", "a").0, "free");
    for _ in 0..3 {
        session.bash("cargo test", "1 failed");
    }
    assert_eq!(session.bash("cargo test", "").0, "ask stall");
    let written = format!(r#"{{"file_path":{},"content":"x"}}"#, json(&session.scratch.repo().join("a.txt").to_string_lossy()));
    assert_eq!(session.call("Write", &written, r#"{"type":"create"}"#).0, "free");
    assert_eq!(session.bash("cargo test", "1 failed").0, "free");
}

#[test]
fn what_is_no_circle_is_free() {
    let session = Session::new(STALL);
    // Polling with answers that differ, and calls that wait.
    for round in 0..10 {
        assert_eq!(session.bash("gh run view", &format!("step {round}")), ("free".to_owned(), String::new()));
        assert_eq!(session.bash("sleep 5", ""), ("free".to_owned(), String::new()));
        assert_eq!(session.call("mcp__ci__wait_run", "{}", r#""waiting""#), ("free".to_owned(), String::new()));
    }
    // What differs deep inside an input makes another call; the order of its keys does not.
    let look = |input: &str| session.call("mcp__tracker__look", input, r#""none""#);
    for round in 0..5 {
        let input = format!(r#"{{"of":"a","terms":[{{"at":{{"line":{round}}},"is":"x"}}]}}"#);
        assert_eq!(look(&input), ("free".to_owned(), String::new()));
    }
    let ordered = [r#"{"of":"b","terms":[{"is":"x","at":{"line":1}}]}"#, r#"{"terms":[{"at":{"line":1},"is":"x"}],"of":"b"}"#];
    assert_eq!([0, 1].map(|at| look(ordered[at])), [0, 1].map(|_| ("free".to_owned(), String::new())));
    assert!(look(ordered[0]).1.contains("the same call gave the same answer 3 times"));
    session.bash("true", "");
    // A person speaks in between.
    for _ in 0..4 {
        for _ in 0..2 {
            assert_eq!(session.bash("ls", "a"), ("free".to_owned(), String::new()));
        }
        session.event("UserPromptSubmit", 900, r#","prompt":"again""#);
    }
    // Without the section nothing is noticed.
    let session = Session::new("schema = 1\n");
    for _ in 0..6 {
        assert_eq!(session.bash("ls", "a"), ("free".to_owned(), String::new()));
    }
}

#[test]
fn circles_of_several_calls_and_calls_without_a_change_are_noted() {
    let session = Session::new(STALL);
    let mut last = String::new();
    for round in 0..3 {
        for (command, answer) in [("cat a", "A"), ("cat b", "B")] {
            let (before, after) = session.bash(command, answer);
            assert_eq!(before, "free", "{round}");
            last = after;
        }
    }
    assert!(last.contains("the same 2 calls gave the same answers 3 times in turn"), "{last}");
    assert_eq!(session.bash("cat a", "A").0, "ask stall");
    assert_eq!(session.bash("cat c", "C").0, "free");

    let session = Session::new(STALL);
    session.bash("echo x > a.txt", "");
    let notes: Vec<String> = (0..9).map(|at| session.bash(&format!("cat {at}"), "x").1).collect();
    assert!(notes[7].contains("8 calls in a row changed no file") && notes[8].is_empty(), "{notes:?}");
}

#[test]
fn an_agent_that_tries_on_after_denials_is_stopped_as_a_whole() {
    let session = Session::new(STALL);
    let said: Vec<(String, String)> = (0..7).map(|_| session.bash("git push --force", "")).collect();
    assert!(said[..6].iter().all(|(word, _)| word == "deny force-push"), "{said:?}");
    assert!(said[6].1.contains(r#""continue":false"#) && said[6].1.contains("the same call was denied 6 times"), "{said:?}");
    // Another call goes on.
    assert_eq!(session.bash("git push", "").0, "free");
}

#[test]
fn calls_that_run_at_the_same_time_are_compared_by_their_answers() {
    let before = |session: &Session, call: u32, command: &str| {
        session.event("PreToolUse", call, &format!(r#","tool_name":"Bash","tool_input":{{"command":"{command}"}}"#)).short()
    };
    let after = |session: &Session, call: u32, command: &str, answer: &str| {
        let rest = format!(r#","tool_name":"Bash","tool_input":{{"command":"{command}"}},"tool_response":{{"stdout":"{answer}","stderr":""}}"#);
        session.event("PostToolUse", call, &rest).stdout
    };
    // Five calls of one agent are begun before the first one ends. All look at the same thing, which goes on.
    let session = Session::new(STALL);
    assert!((0..5).all(|call| before(&session, call, "gh run view") == "free"));
    assert!([3, 0, 4, 1, 2].into_iter().all(|call| after(&session, call, "gh run view", &format!("step {call}")).is_empty()));
    assert_eq!(before(&session, 5, "gh run view"), "free");
    // Others run between them, and end in another order.
    let session = Session::new(STALL);
    for round in 0..2 {
        for (at, command) in ["cat a", "cat b", "cat c"].into_iter().enumerate() {
            assert_eq!(before(&session, 3 * round + u32::try_from(at).unwrap(), command), "free");
        }
        for at in [2, 0, 1] {
            let said = after(&session, 3 * round + at, ["cat a", "cat b", "cat c"][at as usize], &format!("{round}{at}"));
            assert_eq!(said, "");
        }
    }
    // The same answer to all of them is what a circle looks like.
    let session = Session::new(STALL);
    assert!((0..3).all(|call| before(&session, call, "cargo test") == "free"));
    let said: Vec<bool> = [1, 0, 2].into_iter().map(|call| after(&session, call, "cargo test", "1 failed").contains("the same answer 3 times")).collect();
    assert_eq!(said, [false, false, true]);
    assert_eq!(before(&session, 3, "cargo test"), "ask stall");
}

#[test]
fn agents_of_a_session_have_their_own_trails() {
    let session = Session::new(STALL);
    let of = |agent: &str, call: u32| {
        let rest = format!(r#","agent_id":"{agent}","agent_type":"x","tool_name":"Bash","tool_input":{{"command":"ls"}},"tool_response":{{"stdout":"a"}}"#);
        (session.event("PreToolUse", call, &rest).short(), session.event("PostToolUse", call, &rest).stdout)
    };
    for (call, agent) in ["a", "b", "a", "b"].iter().enumerate() {
        assert_eq!(of(agent, u32::try_from(call).unwrap()), ("free".to_owned(), String::new()));
    }
}

const RESULTS: &str = r#"schema = 1
[[result]]
name = "undelivered"
call = { tool = "mcp__mail__send_*" }
finds = { "/status" = "/failed|undelivered/" }
reason = "the letter was accepted and not delivered"
instead = "read the error code, and send it anew only if it can arrive"

[[result]]
name = "accepted"
call = { tool = "mcp__mail__send_*" }
finds = { "/status" = "queued" }
follow = ["mcp__mail__get_*", "courier status *"]
holds = "stop"
reason = "queued is not delivered"

[[result]]
name = "alerts"
run = { program = "courier", words = ["alerts"] }
finds = { "/alerts/*/code" = ">=500" }
reason = "the service reports errors"
instead = "tell the user which"

[[budget]]
name = "mail"
usd = 1
per = "session"
over = 4
costs = [{ call = { tool = "mcp__mail__send_*" }, usd = 0.1, usd_at = "/price" }]
"#;

/// An answer of a tool server: JSON as the text of its content.
fn answer(inner: &str) -> String {
    format!(r#"[{{"type":"text","text":{}}}]"#, json(inner))
}

#[test]
fn answers_are_looked_into() {
    let session = Session::new(RESULTS);
    let send = |inner: &str| session.call("mcp__mail__send_letter", r#"{"to":"a"}"#, &answer(inner));
    assert_eq!(send(r#"{"status":"delivered","price":0.2}"#), ("free".to_owned(), String::new()));
    let told = send(r#"{"status":"undelivered","price":"-0.2"}"#).1;
    assert!(told.contains("the letter was accepted and not delivered") && told.contains("`undelivered`"), "{told}");
    let told = session.bash("courier alerts --json", r#"{"alerts":[{"code":404},{"code":503}]}"#).1;
    assert!(told.contains("the service reports errors"), "{told}");
    for stdout in [r#"{"alerts":[{"code":404}]}"#, "503", "", "{\"alerts\":"] {
        assert_eq!(session.bash("courier alerts --json", stdout).1, "", "{stdout}");
    }
    // Prices of the answers: 0.2 twice, and then 0.5 leave no room for what a call may cost.
    assert_eq!(send(r#"{"status":"delivered","price":0.5}"#).0, "free");
    assert_eq!(send(r#"{"status":"delivered"}"#).0, "free");
    assert_eq!(send(r#"{"status":"delivered"}"#).0, "deny mail");
}

#[test]
fn what_must_follow_is_asked_for_once_at_the_end_of_the_turn() {
    let session = Session::new(RESULTS);
    let end = || session.event("Stop", 99, "").stdout;
    session.call("mcp__mail__send_letter", r#"{"to":"a"}"#, &answer(r#"{"status":"queued"}"#));
    let told = end();
    assert!(told.contains("`accepted` asks for `mcp__mail__get_*, courier status *`"), "{told}");
    assert_eq!(end(), "", "it is asked for once");
    for follow in ["get", "status"] {
        session.call("mcp__mail__send_letter", r#"{"to":"b"}"#, &answer(r#"{"status":"queued"}"#));
        match follow {
            "get" => session.call("mcp__mail__get_letter", "{}", r#""ok""#),
            _ => session.bash("courier status b", "ok"),
        };
        assert_eq!(end(), "", "{follow}");
    }
    session.call("mcp__mail__send_letter", r#"{"to":"c"}"#, &answer(r#"{"status":"queued"}"#));
    assert_eq!(session.event("Stop", 99, r#","stop_hook_active":true"#).stdout, "");
}

/// Long sessions, and calls of each if `PORTCULLIS_CALLS` does not say.
const LONG: (usize, usize) = (50, 1_000);

/// A step of a made session: the tool, its input and its answer.
type Step = (&'static str, String, String);

/// Sessions that were made, not recorded: an agent reads, changes a file, runs tests that fail and then pass, looks at what it
/// did, waits for a pipeline, and commits. Nothing in them is a circle, although much is done again.
fn made(session: usize, calls: usize, repository: &str) -> Vec<Step> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(session as u64 + 1);
    let mut any = move |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    };
    let bash = |command: &str, stdout: &str| ("Bash", format!(r#"{{"command":{}}}"#, json(command)), format!(r#"{{"stdout":{},"stderr":""}}"#, json(stdout)));
    let mut steps: Vec<Step> = Vec::new();
    let mut tests = 40;
    while steps.len() < calls {
        let file = format!("{repository}/src/part{}.txt", any(12));
        for _ in 0..any(4) {
            let other = format!("{repository}/src/part{}.txt", any(30));
            match any(4) {
                0 => steps.push(bash(&format!("ls {}", ["src", "tests", "."][usize::try_from(any(3)).unwrap()]), "a\nb\nc")),
                1 => steps.push(("Grep", format!(r#"{{"pattern":"name{}"}}"#, any(20)), format!(r#"{{"numFiles":{}}}"#, any(3)))),
                2 => steps.push(bash("git log --oneline -5", "a1 one\nb2 two")),
                _ => steps.push(("Read", format!(r#"{{"file_path":{}}}"#, json(&other)), r#"{"type":"text"}"#.to_owned())),
            }
        }
        // The same mistake, once more after each change.
        let tries = 1 + any(4);
        for attempt in 0..tries {
            let change = any(1_000_000);
            steps.push((
                "Edit",
                format!(r#"{{"file_path":{},"old_string":"a{change}","new_string":"b{change}"}}"#, json(&file)),
                r#"{"structuredPatch":[]}"#.to_owned(),
            ));
            tests += any(2);
            let failed = if attempt + 1 < tries { "1 failed: part is not whole" } else { "0 failed" };
            for _ in 0..=any(2) {
                // A flaky one is run twice.
                steps.push(bash("cargo test", &format!("running {tests} tests\n{failed}; finished in 0.{}s", any(90))));
            }
        }
        if any(3) == 0 {
            steps.push(bash("git status --short", "M src/part.txt"));
            steps.push(bash("git diff --stat", "1 file changed"));
        }
        if any(5) == 0 {
            for minute in 0..2 + any(9) {
                steps.push(bash("gh run view 7", &format!("in progress, {minute} min")));
            }
        }
        if any(4) == 0 {
            steps.push(bash(&format!("git add -A && git commit -qm 'part {}'", any(1000)), ""));
        }
    }
    steps
}

#[test]
#[ignore = "takes minutes"]
#[expect(clippy::print_stdout, reason = "the figures")]
fn long_sessions_without_a_circle_are_left_alone() {
    let wanted = std::env::var("PORTCULLIS_CALLS").ok().and_then(|text| text.parse().ok()).unwrap_or(LONG.1);
    let (mut calls, mut notes, mut stopped) = (0, Vec::new(), Vec::new());
    for session in 0..LONG.0 {
        let scratch = Scratch::new();
        scratch.write("portcullis.toml", "schema = 1\n[stall]\n");
        let world = scratch.world();
        let repository = scratch.repo().to_string_lossy().into_owned();
        for (at, (tool, input, response)) in made(session, wanted, &repository).into_iter().enumerate() {
            calls += 1;
            let answer = |event: &str, rest: &str| {
                let payload = format!(
                    r#"{{"session_id":"s{session}","transcript_path":"/t","cwd":{},"permission_mode":"default","hook_event_name":"{event}","tool_use_id":"t{at}","tool_name":"{tool}","tool_input":{input}{rest}}}"#,
                    json(&repository)
                );
                gate::call::answer(&clients::Invocation::new(Some(event), Some("claude-code")), payload.as_bytes(), &world, &portcullis::deep::Cold).unwrap()
            };
            let before = answer("PreToolUse", "");
            if before.held.is_some() {
                stopped.push(format!("{session}/{at}: {tool} {input}: {}{}", before.stdout, before.stderr));
                continue;
            }
            let after = answer("PostToolUse", &format!(",\"tool_response\":{response}"));
            if after.stdout.contains("stall") {
                notes.push(format!("{session}/{at}: {tool} {input}: {}", after.stdout));
            }
        }
    }
    println!("{} sessions, {calls} calls: {} notes, {} stopped\n{}\n{}", LONG.0, notes.len(), stopped.len(), notes.join("\n"), stopped.join("\n"));
    assert!(stopped.is_empty() && notes.len() * 1_000 <= calls);
}
