//! Phases: who moves work from one to the next, and what stops it.

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use crate::gates::{FREE, Project, VALIDATED};
use crate::support::{hook_path, json, run};

const PHASES: &str = r#"
[pipeline]
phases  = ["architect", "spec", "test-gen", "dev", "review", "docs"]
agents  = { architect = "architect", spec = "spec-writer", test-gen = "test-writer", dev = "developer", review = "reviewer", docs = "writer" }
marker  = ".phase"
retries = { dev = 1 }

[[gate]]
name   = "architecture"
before = "phase:spec"
needs  = { touched = "docs/architecture.md", since = "phase" }

[[gate]]
name   = "specified"
before = "phase:test-gen"
needs  = { checklist = "docs/spec.md", by = ["spec-writer"] }

[[gate]]
name   = "red"
before = "phase:dev"
needs  = [{ exists = "tests/**" }, { tests = "red" }]

[[gate]]
name   = "green"
before = "phase:review"
needs  = [{ tests = "green" }, { command = "./validate.sh" }]

[[gate]]
name   = "reviewed"
before = "phase:docs"
needs  = { verdict = { file = "docs/review.md", says = "verdict: pass", by = ["reviewer"] } }

[[gate]]
name   = "documented"
before = ["phase:done", "push"]
needs  = { touched = "README.md" }
"#;

#[test]
fn a_rule_can_be_of_a_phase() {
    let rule = "[[rule]]\nname = \"sources-later\"\ntier = 4\nwrite = { path = \"src/**\" }\nwhere = { phase = [\"architect\", \"spec\"] }\nreason = \"first the plan\"\ninstead = \"write it in docs\"\ncatches = [{ write = { path = \"src/a\", text = \"x\" }, facts = { phase = \"spec\" } }]\nspares = [{ write = { path = \"src/a\", text = \"x\" } }, { write = { path = \"src/a\", text = \"x\" }, facts = { phase = \"dev\" } }]\n";
    let project = Project::new(&format!("{PHASES}{rule}"), &[("README.md", "# x\n")]).autonomy("headless");
    let write = || {
        let path = project.scratch.repo().join("src/a.txt");
        let input = format!(r#"{{"file_path":{},"content":"x"}}"#, json(&path.to_string_lossy()));
        project.scratch.hook("PreToolUse", project.scratch.payload("Write", &input, "default").as_bytes()).short()
    };
    assert_eq!(write(), FREE, "no phase was begun");
    assert_eq!(project.starts("architect"), FREE);
    assert_eq!(write(), "deny sources-later");
}

#[test]
fn a_headless_run_is_stopped_at_every_gate_and_passes_with_the_evidence() {
    let project = Project::new(PHASES, &[("README.md", "# x\n")]).autonomy("headless");
    assert_eq!(project.starts("spec-writer"), "deny phase-skipped");
    assert_eq!(project.starts("Explore"), FREE, "an agent of no phase");
    assert_eq!(project.starts("architect"), FREE);
    assert_eq!(project.phase()["phase"], "architect");

    assert_eq!(project.starts("spec-writer"), "deny architecture");
    assert!(project.starts_said("spec-writer").contains("no file of `docs/architecture.md` changed since this phase began"));
    assert_eq!(project.phase()["phase"], "architect");
    project.wrote("architect", "docs/architecture.md", "# Architecture\n");
    assert_eq!(project.starts("developer"), "deny phase-skipped");
    assert!(project.starts_said("developer").contains("no phase is skipped, and `spec` comes before `dev`"));
    assert_eq!(project.starts("spec-writer"), FREE);

    project.wrote("main", "docs/spec.md", "- [x] inputs\n");
    assert!(project.starts_said("test-writer").contains("must be ticked by `spec-writer` in this phase: `main` ticked it"));
    project.wrote("spec-writer", "docs/spec.md", "- [x] inputs\n- [ ] outputs\n");
    assert!(project.starts_said("test-writer").contains("1 of 2 boxes"));
    project.edited("spec-writer", "docs/spec.md", "- [ ] outputs", "- [x] outputs");
    assert_eq!(project.starts("test-writer"), FREE);

    let text = project.starts_said("developer");
    assert!(text.contains("there is no file `tests/**`; tests were not seen to fail") && text.contains("; then "), "{text}");
    project.wrote("test-writer", "tests/test_app.py", "def test_app():\n    assert False\n");
    project.ran_with("pytest -q", "", "1 passed");
    assert!(project.starts_said("developer").contains("they passed when they ran last"));
    project.failed("pytest -q", "Exit code 1\nFAILED tests/test_app.py::test_app - assert False");
    assert_eq!(project.starts("developer"), FREE);

    // Its budget of retries: one more start, and then a person is asked.
    assert_eq!(project.starts("developer"), FREE);
    assert_eq!(project.starts("developer"), "ask phase-retries");
    assert_eq!(project.starts("architect"), FREE, "an earlier agent may look once more");
    assert_eq!(project.phase()["phase"], "dev");

    project.wrote("developer", "src/app.py", "x = 5\n");
    assert_eq!(project.starts("reviewer"), "deny green");
    project.ran_with("pytest -q", "", "1 passed").ran("./validate.sh || true");
    let text = project.starts_said("reviewer");
    assert!(!text.contains("tests were not seen") && text.contains("`||` runs only after a failure"), "{text}");
    project.ran("./validate.sh");
    assert_eq!(project.starts("reviewer"), FREE);

    project.wrote("developer", "docs/review.md", "verdict: pass\n");
    assert_eq!(project.starts("writer"), "deny reviewed");
    project.wrote("reviewer", "docs/review.md", "all good\nverdict: pass\n");
    assert_eq!(project.starts("writer"), FREE);

    assert_eq!(project.before("git push"), "deny documented");
    project.wrote("writer", "README.md", "# x\nuse it\n");
    assert_eq!(project.before("git push"), FREE);
    assert_eq!(project.phase()["phase"], "docs");
    project.wrote("writer", ".phase", "done\n");
    assert_eq!(project.phase()["phase"], "done");
    // The next piece of work begins with the first phase.
    assert_eq!(project.starts("developer"), "deny phase-skipped");
    assert_eq!(project.starts("architect"), FREE);
    let memory = fs::read_dir(project.scratch.home().join(".local/state/portcullis")).unwrap().flatten();
    let record: String = memory.filter_map(|folder| fs::read_to_string(folder.path().join("record.jsonl")).ok()).collect();
    for part in
        ["phase: dev -> review", "tests were seen to pass; `./validate.sh` succeeded", "autonomy: supervised -> headless", "portcullis.toml:3, written by user"]
    {
        assert!(record.contains(part), "{part}\n{record}");
    }
}

#[test]
fn a_marker_moves_the_work_only_forward_and_only_where_gates_pass() {
    let project = Project::new(PHASES, &[("README.md", "# x\n")]).autonomy("headless");
    let mark = |phase: &str| {
        let path = json(&project.scratch.repo().join(".phase").to_string_lossy());
        let input = format!(r#"{{"file_path":{path},"content":"{phase}\n"}}"#);
        project.scratch.judge("PreToolUse", &project.tool("PreToolUse", "main", "Write", &input, "")).short()
    };
    assert_eq!(mark("dev"), "deny phase-skipped");
    assert_eq!(mark("nonsense"), "deny phase-skipped");
    assert_eq!(mark("architect"), FREE);
    assert_eq!(project.phase()["phase"], "architect");
    assert_eq!(mark("spec"), "deny architecture");
    assert_eq!(project.before("echo spec > .phase"), "deny architecture");
    // Written unseen, it moves nothing.
    for jump in ["dev\n", "done\n", "review\n", "spec\n"] {
        project.scratch.write(".phase", jump);
        project.before("git push");
        assert_eq!(project.phase()["phase"], "architect", "{jump}");
    }
    project.scratch.write("docs/architecture.md", "# A\n");
    project.scratch.write(".phase", "spec\n");
    project.scratch.write("README.md", "# y\n");
    assert_eq!(project.before("git push"), FREE);
    assert_eq!(project.phase()["phase"], "spec");
    assert_eq!(mark("architect"), "deny phase-skipped");
    assert_eq!(mark("spec"), FREE);
}

#[test]
fn a_person_moves_the_work_where_the_autonomy_asks_for_one() {
    let project = Project::new(PHASES, &[]);
    let text = project.starts_said("architect");
    assert!(text.contains("denied by `phase-by-person`") && text.contains("portcullis phase architect"), "{text}");
    let semi = Project::new("[pipeline]\nphases = [\"one\", \"two\", \"three\"]\nagents = { one = \"a\", two = \"b\", three = \"c\" }\n", &[]).autonomy("semi");
    assert_eq!(semi.starts("a"), "deny phase-by-person");
    // An agent cannot be the person.
    for (environment, why) in [("CLAUDECODE", "an agent runs this"), ("NONE", "there is no terminal here")] {
        let said = run(semi.scratch.command(env!("CARGO_BIN_EXE_portcullis")).env(environment, "1").args(["phase", "one"]), b"");
        assert!(said.code != 0 && said.stderr.contains(why), "{said:?}");
    }
    assert_eq!(semi.before("portcullis phase one"), "deny gate-loosened");
    assert_eq!(semi.before("portcullis phase"), FREE);
}

#[test]
fn a_damaged_state_is_said_and_lets_nothing_pass() {
    let project = Project::new(PHASES, &[]).autonomy("headless");
    assert_eq!(project.starts("architect"), FREE);
    let folders = fs::read_dir(project.scratch.home().join(".local/state/portcullis")).unwrap().flatten();
    let file = folders
        .flat_map(|folder| fs::read_dir(folder.path()).unwrap().flatten())
        .map(|entry| entry.path())
        .find(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("phase.") && name != "phase.lock"));
    let file = file.unwrap();
    let whole = fs::read_to_string(&file).unwrap();
    for cut in [0, 1, whole.len() / 2, whole.len() - 1] {
        fs::write(&file, &whole[..cut]).unwrap();
        assert_eq!(project.starts("architect"), "deny phase-unknown", "{cut} bytes");
        assert_eq!(project.before("git push"), "deny documented");
        assert!(project.refusal("git push").contains("is damaged"));
    }
    fs::write(&file, whole.replace("architect", "dev")).unwrap();
    assert_eq!(project.starts("reviewer"), "deny phase-unknown");
    assert_eq!(project.phase()["damaged"], true);
    fs::write(&file, &whole).unwrap();
    assert_eq!(project.starts("architect"), FREE);
}

#[test]
fn an_agent_does_not_take_a_gate_out_of_the_policy() {
    let project = Project::new(&format!("{VALIDATED}{PHASES}"), &[]);
    let path = json(&project.scratch.repo().join("portcullis.toml").to_string_lossy());
    let whole = fs::read_to_string(project.scratch.repo().join("portcullis.toml")).unwrap();
    let writes = |text: &str| {
        let input = format!(r#"{{"file_path":{path},"content":{}}}"#, json(text));
        project.scratch.judge("PreToolUse", &project.tool("PreToolUse", "main", "Write", &input, "")).short()
    };
    let more = "[[gate]]\nname = \"more\"\nbefore = \"push\"\nneeds = { imports = true }\n";
    assert_eq!(writes(&format!("{whole}{more}")), FREE);
    for (old, new) in [
        ("\"push\", \"commit\", ", ""),
        ("./validate.sh\"", "true\""),
        ("name   = \"validated\"", "name   = \"validated\"\ntier = 3"),
        ("\"spec\", \"test-gen\", ", "\"test-gen\", "),
        ("retries = { dev = 1 }", "retries = { dev = 9 }"),
        (VALIDATED, ""),
    ] {
        assert!(whole.contains(old), "{old}");
        assert_ne!(writes(&whole.replacen(old, new, 1)), FREE, "{old}");
    }
}

#[test]
fn the_next_session_is_shown_the_phase() {
    let project = Project::new(PHASES, &[]).autonomy("headless");
    assert_eq!(project.starts("architect"), FREE);
    let start = project.payload("SessionStart", "main", "next", r#","source":"startup""#);
    let said = project.scratch.judge("SessionStart", &start);
    assert!(said.stdout.contains("the work is in `architect` of the phases architect, spec"), "{said:?}");
}

#[test]
fn a_process_that_is_killed_at_any_point_leaves_a_whole_state() {
    let project = Project::new(PHASES, &[]).autonomy("headless");
    assert_eq!(project.starts("architect"), FREE);
    let input = project.tool("PreToolUse", "main", "Agent", r#"{"description":"d","prompt":"p","subagent_type":"architect"}"#, "");
    let begin = || {
        let mut command = project.scratch.command(hook_path());
        let mut child = command.arg("PreToolUse").stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), input.as_bytes()).unwrap();
        child
    };
    let mut seen = 1;
    for round in 0..30u64 {
        // Two at once, of which one is killed: somewhere between its start and its end. What it started may still end.
        let (mut killed, mut left) = (begin(), begin());
        std::thread::sleep(Duration::from_millis(round * 7));
        let _ = killed.kill();
        assert!(left.wait().unwrap().success());
        let _ = killed.wait();
        let state = project.phase();
        let tries = state["tries"].as_u64().unwrap();
        assert!(state["damaged"] == false && state["phase"] == "architect" && (seen + 1..=2 * round + 3).contains(&tries), "{round}: {state}");
        seen = tries;
    }
}

#[test]
fn mistakes_in_phases_and_gates_are_reported() {
    const LINE: &str = "[pipeline]\nphases = [\"one\", \"two\"]\n";
    let gate = |rest: &str| format!("[[gate]]\nname = \"g\"\n{rest}\n");
    for (policy, what) in [
        (format!("{LINE}autonomy = \"headless\"\n"), "`autonomy = \"headless\"` is not allowed in the project layer"),
        (format!("{LINE}autonomy = \"semi\"\n"), "is not allowed in the project layer"),
        (format!("{LINE}batch = 2\n"), "`batch` is not allowed in the project layer"),
        (format!("{LINE}autonomy = \"alone\"\n"), "unknown autonomy `alone`"),
        (format!("{LINE}agents = {{ three = \"x\" }}\n"), "unknown phase `three`"),
        (format!("{LINE}retries = {{ one = -1 }}\n"), "is no number of retries"),
        ("[pipeline]\nphases = [\"one\", \"one\"]\n".to_owned(), "the phase `one` is named twice"),
        ("[pipeline]\nphases = [\"done\"]\n".to_owned(), "is not a name for a phase"),
        ("[pipeline]\nmarker = \".phase\"\n".to_owned(), "`marker` without `phases`"),
        (gate("before = \"pushes\"\nneeds = { imports = true }"), "unknown moment `pushes`"),
        (gate("before = \"phase:three\"\nneeds = { imports = true }") + LINE, "before the unknown phase `three`"),
        (gate("before = \"push\"\nneeds = { }"), "`needs` asks for nothing"),
        (gate("before = \"push\"\nneeds = { imports = false }"), "`imports` is not `true`"),
        (gate("before = \"push\"\ntier = 2\nneeds = { imports = true }"), "a gate of this tier stops nothing"),
        (gate("before = \"deploy\"\nneeds = { imports = true }"), "does not say which actions it matches"),
        (gate("before = \"push\"\nrun = { program = \"fly\" }\nneeds = { imports = true }"), "has no `deploy` in `before`"),
        (gate("before = \"push\"\nneeds = { tests = \"blue\" }"), "unknown state of tests `blue`"),
        (gate("before = \"push\"\nneeds = { imports = true, by = \"x\" }"), "`by` without `checklist`"),
        (gate("before = \"push\"\nneeds = { checklist = \"/etc/x\" }"), "is not a path from the root"),
        (gate("before = \"push\"\nneeds = { imports = true }").repeat(2), "the name `g` is taken"),
        (gate("before = \"push\"\nneeds = { coverage = { report = \"x\" } }"), "needs `at_least`"),
    ] {
        let project = Project::new(&policy, &[]);
        let said = project.refusal("ls");
        assert!(said.contains(what), "{policy}\n{said}");
    }
    for autonomy in ["supervised", "semi", "headless"] {
        assert_eq!(Project::new(LINE, &[]).autonomy(autonomy).before("ls"), FREE, "{autonomy}");
    }
}
