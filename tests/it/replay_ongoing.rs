//! What earlier calls of a replay decide of later ones: limits and budgets by the times of the transcript, phases, texts that
//! edits change; and what is proposed of what people refused.

use std::fs;

use serde_json::{Value, json};

use crate::replay::{bash, counts, replay, report, rule};
use crate::support::{Said, Scratch, json as quoted};

/// How a call ended.
#[derive(Clone, Copy, PartialEq)]
enum CallEnd {
    Ok,
    Failed,
    /// A person refused it, as Claude Code says so.
    Refused,
}

use CallEnd::{Failed, Ok as Succeeded, Refused};

/// A call at a time of 2026-11-29.
type TimedCall<'c> = (&'c str, &'c str, Value, CallEnd);

/// A session in the form of Claude Code, after a prompt of a person. A call `prompt` is another one.
fn session(scratch: &Scratch, name: &str, calls: &[TimedCall]) -> String {
    let line = |time: &str, kind: &str, content: Value| {
        json!({ "sessionId": name, "cwd": scratch.repo(), "gitBranch": "topic", "isSidechain": false, "version": "2.1.332", "timestamp": format!("2026-11-29T{time}Z"), "type": kind,
            "message": { "role": kind, "content": content } })
        .to_string()
            + "\n"
    };
    let mut text = line("00:00:00", "user", "do it".into());
    for (at, (time, tool, input, end)) in calls.iter().enumerate() {
        if *tool == "prompt" {
            text += &line(time, "user", json!([{ "type": "text", "text": "once more" }]));
            continue;
        }
        let id = format!("toolu_{name}_{at}");
        let said = if *end == Refused { "The user doesn't want to proceed with this tool use. The tool use was rejected." } else { "…" };
        text += &line(time, "assistant", json!([{ "type": "tool_use", "id": id, "name": tool, "input": input }]));
        text += &line(time, "user", json!([{ "type": "tool_result", "tool_use_id": id, "content": said, "is_error": *end != Succeeded }]));
    }
    text
}

/// A folder with sessions, each with its calls.
fn folder(scratch: &Scratch, sessions: &[(&str, &[TimedCall])]) -> String {
    let folder = scratch.home().join("past");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    for (name, calls) in sessions {
        fs::write(folder.join(format!("{name}.jsonl")), session(scratch, name, calls)).unwrap();
    }
    folder.to_str().unwrap().to_owned()
}

/// Commands at these times, which all succeeded.
fn commands<'c>(times: &[&'c str], command: &str) -> Vec<TimedCall<'c>> {
    times.iter().map(|time| (*time, "Bash", bash(command), Succeeded)).collect()
}

fn limit(rest: &str) -> String {
    format!("schema = 1\n[[limit]]\nname = \"builds\"\nrun = {{ program = \"make\" }}\nover = 4\n{rest}\n")
}

/// Allowed, asked, denied and unknown calls under a policy.
fn judged(scratch: &Scratch, policy: &str, path: &str) -> [u64; 4] {
    scratch.write("portcullis.toml", policy);
    let [_, rest @ ..] = counts(&report(scratch, &[path]));
    rest
}

#[test]
fn windows_slide_by_the_times_of_the_transcript() {
    let scratch = Scratch::new();
    let minutes = ["10:00:00", "10:00:30.500", "10:00:59", "10:01:01", "10:01:31", "11:00:00"];
    let path = folder(&scratch, &[("one", &commands(&minutes, "make all"))]);
    // The third is beyond two in a minute; the fourth comes when the first has left the window, and the third took nothing.
    assert_eq!(judged(&scratch, &limit("max = 2\nper = \"1m\""), &path), [5, 0, 1, 0]);
    assert_eq!(judged(&scratch, &limit("max = 1\nper = \"1h\""), &path), [2, 0, 4, 0]);
    assert_eq!(judged(&scratch, &limit("max = 3\nper = \"1d\""), &path), [3, 0, 3, 0]);
    assert_eq!(judged(&scratch, &limit("max = 6\nper = \"1d\""), &path), [6, 0, 0, 0]);
    assert_eq!(judged(&scratch, &limit("max = 3\nper = \"1d\"").replace("over = 4", "over = 3"), &path), [3, 3, 0, 0]);
    assert_eq!(judged(&scratch, &format!("mode = \"shadow\"\n{}", limit("max = 1\nper = \"1d\"")), &path), [6, 0, 0, 0]);
    // Calls of two sessions are put into the order of their times, whatever file is read first.
    let other = ["09:59:50", "10:00:45"];
    let path = folder(&scratch, &[("one", &commands(&minutes[..2], "make all")), ("two", &commands(&other, "make test"))]);
    assert_eq!(judged(&scratch, &limit("max = 4\nper = \"1m\""), &path), [4, 0, 0, 0]);
    scratch.write("portcullis.toml", &limit("max = 3\nper = \"1m\""));
    let found = report(&scratch, &[&path]);
    assert_eq!(counts(&found), [4, 3, 0, 1, 0], "{found:#}");
    assert!(rule(&found, "builds")["samples"][0]["place"].as_str().unwrap().contains("two.jsonl"), "{found:#}");
    assert_eq!(found["counted_from"], 1_795_946_390_000_u64);
    // Each for itself.
    assert_eq!(judged(&scratch, &limit("max = 2\nper = \"1m\"\nscope = \"session\""), &path), [4, 0, 0, 0]);
    assert_eq!(judged(&scratch, &limit("max = 1\nper = \"session\"\nscope = \"session\""), &path), [2, 0, 2, 0]);
}

#[test]
fn sessions_that_name_no_folder_are_kept_apart_by_where_they_lie() {
    let scratch = Scratch::new();
    let chat = |id: &str, minute: &str| {
        let calls = json!([{ "id": id, "timestamp": format!("2026-11-29T10:{minute}:00Z"), "name": "run_shell_command", "args": { "command": "make" }, "status": "success" }]);
        let lines = [
            json!({ "sessionId": id, "projectHash": "0", "kind": "main" }),
            json!({ "id": "1", "timestamp": "t", "type": "gemini", "content": "", "toolCalls": calls }),
        ];
        lines.map(|line| format!("{line}\n")).concat()
    };
    let past = scratch.home().join("past");
    for (project, id, minute) in [("one", "a", "00"), ("one", "b", "01"), ("two", "c", "02")] {
        fs::create_dir_all(past.join(project)).unwrap();
        fs::write(past.join(project).join(format!("session-{id}.jsonl")), chat(id, minute)).unwrap();
    }
    let path = past.to_str().unwrap();
    assert_eq!(judged(&scratch, &limit("max = 1\nper = \"1h\"\nscope = \"repo\""), path), [2, 0, 1, 0]);
    assert_eq!(judged(&scratch, &limit("max = 1\nper = \"1h\"\nscope = \"machine\""), path), [1, 0, 2, 0]);
    // Prompts cannot be seen there, so a budget for a run says nothing.
    let budget = "schema = 1\n[[budget]]\nname = \"paid\"\nusd = 0.5\nper = \"run\"\nover = 4\ncosts = [{ run = { program = \"make\" }, usd = 0.9 }]\n";
    assert_eq!(judged(&scratch, budget, path), [3, 0, 0, 0]);
    assert_eq!(judged(&scratch, &budget.replace("\"run\"\nover", "\"session\"\nover"), path), [0, 0, 3, 0]);
}

#[test]
fn a_replay_counts_as_the_hook_does() {
    let scratch = Scratch::new();
    scratch.write("portcullis.toml", &limit("max = 3\nper = \"1h\"\nscope = \"session\""));
    // One that another rule denies takes nothing; one with two actions takes two.
    let lines = ["make", "make && git push --force", "make a; make b", "ls", "make", "make"];
    let mut hook = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let payload = scratch.payload("Bash", &bash(line).to_string(), "bypassPermissions").replace("toolu_1", &format!("toolu_{at}"));
        hook.push(scratch.hook("PreToolUse", payload.as_bytes()).short());
    }
    assert_eq!(hook, ["free", "deny force-push", "free", "free", "deny builds", "deny builds"]);
    let calls: Vec<TimedCall> = lines.iter().map(|line| ("10:00:00", "Bash", bash(line), Succeeded)).collect();
    let found = report(&scratch, &[&folder(&scratch, &[("s2", &calls)])]);
    assert_eq!(counts(&found), [6, 3, 0, 3, 0], "{found:#}");
    assert_eq!((&rule(&found, "builds")["denied"], &rule(&found, "force-push")["denied"]), (&json!(2), &json!(1)));
    let said = replay(&scratch, &[scratch.home().join("past").to_str().unwrap()]);
    assert!(said.stdout.contains("taken as unknown:") && said.stdout.contains("begin with nothing used up"), "{}", said.stdout);
    // Where nothing is counted, nothing is said of it.
    scratch.write("portcullis.toml", "schema = 1\n");
    assert!(!replay(&scratch, &[scratch.home().join("past").to_str().unwrap()]).stdout.contains("taken as unknown"));
}

#[test]
fn a_limit_on_every_call_and_calls_that_people_refused() {
    let scratch = Scratch::new();
    let calls = [
        ("10:00:00", "Bash", bash("make"), Succeeded),
        ("10:00:01", "Bash", bash("make"), Refused),
        ("10:00:02", "Read", json!({ "file_path": "/x" }), Failed),
        ("10:00:03", "Bash", bash("ls"), Succeeded),
    ];
    let path = folder(&scratch, &[("s", &calls)]);
    // What a person refused gave back what it took.
    assert_eq!(judged(&scratch, &limit("max = 2\nper = \"1h\""), &path), [4, 0, 0, 0]);
    assert_eq!(judged(&scratch, "schema = 1\n[[limit]]\nname = \"all\"\nmax = 2\nper = \"1h\"\nover = 4\n", &path), [3, 0, 1, 0]);
    // Two policies count each for itself.
    let other = scratch.home().join("other.toml");
    fs::write(&other, limit("max = 0\nper = \"1h\"")).unwrap();
    scratch.write("portcullis.toml", &limit("max = 9\nper = \"1h\""));
    let found = report(&scratch, &[&path, "--against", other.to_str().unwrap()]);
    assert_eq!((counts(&found), &found["changes"][0]["count"]), ([4, 4, 0, 0, 0], &json!(2)), "{found:#}");
}

#[test]
fn budgets_add_up_fixed_costs() {
    let scratch = Scratch::new();
    let budget = |per: &str| {
        format!(
            "schema = 1\n[[budget]]\nname = \"letters\"\nusd = 1.00\nper = \"{per}\"\nover = 4\ncosts = [{{ run = {{ program = \"make\" }}, usd = 0.4 }}, {{ run = {{ program = \"ant\" }}, usd = 0.5 }}]\n"
        )
    };
    let mut calls = commands(&["10:00:00", "10:01:00", "10:02:00"], "make");
    calls.push(("10:03:00", "prompt", json!({}), Succeeded));
    calls.extend(commands(&["10:04:00"], "make && ant"));
    let path = folder(&scratch, &[("s", &calls), ("t", &commands(&["09:00:00"], "make"))]);
    assert_eq!(judged(&scratch, &budget("session"), &path), [3, 0, 2, 0]);
    // After another prompt a new run begins.
    assert_eq!(judged(&scratch, &budget("run"), &path), [4, 0, 1, 0]);
    assert_eq!(judged(&scratch, &budget("branch"), &path), [2, 0, 3, 0]);
    assert_eq!(judged(&scratch, &budget("day"), &path), [2, 0, 3, 0]);
}

#[test]
fn work_moves_through_phases() {
    let scratch = Scratch::new();
    let start = |time, agent: &str| (time, "Task", json!({ "subagent_type": agent, "prompt": "p", "description": "d" }), Succeeded);
    let write = |time, path: &str| (time, "Write", json!({ "file_path": scratch.repo().join(path), "content": "x" }), Succeeded);
    let phases = |gates: &str| {
        format!(
            "schema = 1\n[pipeline]\nphases = [\"plan\", \"dev\", \"docs\"]\nagents = {{ plan = \"planner\", dev = \"developer\", docs = \"writer\" }}\nmarker = \".phase\"\n{gates}\n[[rule]]\nname = \"sources-later\"\ntier = 4\nwrite = {{ path = \"src/**\" }}\nwhere = {{ phase = \"plan\" }}\nreason = \"first the plan\"\ninstead = \"write it in docs\"\ncatches = [{{ write = {{ path = \"src/a\", text = \"x\" }}, facts = {{ phase = \"plan\" }} }}]\nspares = [{{ write = {{ path = \"src/a\", text = \"x\" }} }}]\n"
        )
    };
    let user = |autonomy: &str| {
        let folder = scratch.home().join(".config/portcullis");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("portcullis.toml"), format!("schema = 1\n[pipeline]\nautonomy = \"{autonomy}\"\n")).unwrap();
    };
    let calls = [
        write("10:00:00", "src/a"),
        start("10:01:00", "planner"),
        write("10:02:00", "src/a"),
        // One phase is skipped, so the work stays where it is.
        start("10:03:00", "writer"),
        write("10:04:00", "src/b"),
        start("10:05:00", "developer"),
        write("10:06:00", "src/c"),
        ("10:07:00", "Write", json!({ "file_path": scratch.repo().join(".phase"), "content": "docs\n" }), Succeeded),
    ];
    let path = folder(&scratch, &[("s", &calls)]);
    user("headless");
    scratch.write("portcullis.toml", &phases(""));
    let found = report(&scratch, &[&path]);
    assert_eq!(counts(&found), [8, 5, 0, 3, 0], "{found:#}");
    assert_eq!((&rule(&found, "sources-later")["denied"], &rule(&found, "phase-skipped")["denied"]), (&json!(2), &json!(1)), "{found:#}");
    // What a gate asks for is not known, and whether a person moved the work is not known.
    scratch.write("portcullis.toml", &phases("[[gate]]\nname = \"planned\"\nbefore = \"phase:dev\"\nneeds = { exists = \"plan.md\" }\n"));
    let found = report(&scratch, &[&path]);
    assert_eq!((counts(&found), &rule(&found, "planned")["unknown"]), ([8, 4, 0, 3, 1], &json!(1)), "{found:#}");
    user("supervised");
    let found = report(&scratch, &[&path]);
    assert_eq!(found["asked"], 0, "{found:#}");
    assert!(found["unknown"] == 2 && rule(&found, "phase-by-person")["denied"] == 0, "{found:#}");
    let taken = found["taken_as_unknown"].to_string();
    assert!(taken.contains("in no phase") && taken.contains("gates"), "{taken}");
}

#[test]
fn edits_of_files_that_the_session_wrote_are_followed() {
    let scratch = Scratch::new();
    scratch.write("portcullis.toml", "schema = 1\n[tests-first]\n");
    let write = |path: &str, text: &str| ("10:00:00", "Write", json!({ "file_path": scratch.repo().join(path), "content": text }), Succeeded);
    let edit = |path: &str, old: &str, new: &str| {
        ("10:00:01", "Edit", json!({ "file_path": scratch.repo().join(path), "old_string": old, "new_string": new }), Succeeded)
    };
    let (source, test) = ("def add(a, b):\n    return a + b\n", "from add import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n");
    let (more, more_test) = ("\n\ndef sub(a, b):\n    return a - b\n", "\n\ndef test_sub():\n    from add import sub\n    assert sub(1, 2) == -1\n");
    let both = || vec![write("tests/test_add.py", test), write("src/add.py", source)];
    let tests_then_source =
        [both(), vec![edit("tests/test_add.py", "== 3\n", &format!("== 3\n{more_test}")), edit("src/add.py", "a + b\n", &format!("a + b\n{more}"))]].concat();
    let one = |calls: &[TimedCall]| {
        let [_, allowed, _, denied, unknown] = counts(&report(&scratch, &[&folder(&scratch, &[("s", calls)])]));
        (allowed, denied, unknown)
    };
    assert_eq!(one(&tests_then_source), (4, 0, 0));
    // A line that only leaves needs no test.
    assert_eq!(one(&[both(), vec![edit("src/add.py", "    return a + b\n", "    return b + a\n")]].concat()).1, 0);
    // An edit of a file whose text is not known may need a test, and it may be there.
    assert_eq!(one(&[edit("src/other.py", "x = 1\n", "def other():\n    return 2\n")]), (0, 0, 1));
    // Other files are free.
    assert_eq!(one(&[edit("README.md", "a", "b")]), (1, 0, 0));
    // An edit that failed changed nothing: a script is judged as it was written.
    let script = |end| {
        vec![
            write("x.sh", "echo 1\n"),
            ("10:00:01", "Edit", json!({ "file_path": scratch.repo().join("x.sh"), "old_string": "echo 1", "new_string": "git push --force" }), end),
            ("10:00:02", "Bash", bash("bash x.sh"), Succeeded),
        ]
    };
    assert_eq!(one(&script(Succeeded)), (2, 1, 0));
    assert_eq!(one(&script(Failed)), (3, 0, 0));
}

fn suggested(scratch: &Scratch, path: &str) -> Said {
    replay(scratch, &["--suggest", path])
}

#[test]
fn what_people_refused_again_and_again_becomes_a_rule() {
    let scratch = Scratch::new();
    let refused = |line: &str| ("10:00:00", "Bash", bash(line), Refused);
    let ran = |line: &str| ("10:00:00", "Bash", bash(line), Succeeded);
    let calls: Vec<TimedCall> = [
        vec![refused("cd pkg && frobnicate deploy --prod"); 3],
        vec![ran("frobnicate status"), ran("frobnicate deploy --dry-run"), ran("ls")],
        // Twice is not often; what ran once was agreed to; a failure is no refusal.
        vec![refused("twice x"); 2],
        vec![refused("sometimes x"); 4],
        vec![ran("sometimes x")],
        vec![("10:00:00", "Bash", bash("failing x"), Failed); 4],
    ]
    .concat();
    let path = folder(&scratch, &[("s", &calls)]);
    let said = suggested(&scratch, &path);
    for line in [
        "+[[rule]]",
        "+name    = \"refused-frobnicate",
        "--prod\"]",
        "+reason  = \"a person refused it 3 times\"",
        "+catches = [\"cd pkg && frobnicate deploy --prod\"]",
    ] {
        assert!(said.stdout.contains(line), "{line}: {said:?}");
    }
    assert!(
        said.stdout.contains("\"frobnicate deploy --dry-run\"") && !["twice", "sometimes", "failing"].iter().any(|word| said.stdout.contains(word)),
        "{said:?}"
    );
    assert!(!scratch.repo().join("portcullis.toml").exists());
    // As it stands, the proposal is a policy, and its examples hold.
    let found: Value = serde_json::from_str(&replay(&scratch, &["--suggest", &path, "--json"]).stdout).unwrap();
    scratch.write("portcullis.toml", &format!("schema = 1\n{}\n", found["rules"][0]["rule"].as_str().unwrap()));
    assert!(scratch.bash("frobnicate deploy --prod").short().starts_with("deny refused-frobnicate"), "{found:#}");
    assert_eq!(scratch.bash("frobnicate deploy --dry-run").short(), "free");
    let tried = crate::support::run(scratch.command(crate::support::COLD).args(["test", "--policy", "portcullis.toml"]), b"");
    assert_eq!(tried.code, 0, "{tried:?}");
    // What the policy denies now is not proposed again.
    assert!(suggested(&scratch, &path).stdout.contains("nothing to propose"), "{:?}", suggested(&scratch, &path));
}

#[test]
fn the_record_knows_refusals_too() {
    let scratch = Scratch::new();
    scratch.write("made/by/hand.txt", "work\n");
    for at in 0..3 {
        let payload = scratch.payload("Bash", &bash("rm -rf made").to_string(), "default").replace("toolu_1", &format!("toolu_{at}"));
        assert!(scratch.hook("PreToolUse", payload.as_bytes()).stdout.contains("ask"));
    }
    let said = replay(&scratch, &["--suggest"]);
    assert!(said.stdout.contains("+[[rule]]") && said.stdout.contains(&format!("+catches = [{}]", quoted("rm -rf made"))), "{said:?}");
}
