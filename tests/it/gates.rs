//! Gates: what must be there before something is done, what counts as being there, and what does not.

use std::fs;
use std::path::Path;

use crate::docs::blocks;
use crate::support::{Scratch, commit_files, git_path, json, package, run};

/// A work tree on a branch of its own, with a policy and a home.
pub(crate) struct Project {
    pub(crate) scratch: Scratch,
    pub(crate) repository: git2::Repository,
}

const VALIDATE: &str = "#!/bin/sh\ntest -f src/app.py\n";

impl Project {
    /// A project whose `main` has a script, a source and the policy, and that is on the branch `feature`.
    pub(crate) fn new(policy: &str, files: &[(&str, &str)]) -> Self {
        let scratch = Scratch::new();
        let repository = git2::Repository::open(scratch.repo()).unwrap();
        scratch.write("portcullis.toml", &format!("schema = 1\n{policy}"));
        scratch.write("validate.sh", VALIDATE);
        scratch.write("src/app.py", "x = 1\n");
        for (path, text) in files {
            scratch.write(path, text);
        }
        let mut paths = vec!["portcullis.toml", "validate.sh", "src/app.py"];
        paths.extend(files.iter().map(|(path, _)| *path));
        commit_files(&repository, &paths, "begin");
        // A script that has just changed does not count.
        std::thread::sleep(std::time::Duration::from_millis(300));
        let project = Self { scratch, repository };
        project.branch("feature");
        project
    }

    pub(crate) fn branch(&self, name: &str) {
        let head = self.repository.head().unwrap().peel_to_commit().unwrap();
        self.repository.branch(name, &head, false).unwrap();
        self.repository.set_head(&format!("refs/heads/{name}")).unwrap();
    }

    /// The user lets agents work with this autonomy.
    pub(crate) fn autonomy(self, autonomy: &str) -> Self {
        let folder = self.scratch.home().join(".config/portcullis");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("portcullis.toml"), format!("schema = 1\n[pipeline]\nautonomy = \"{autonomy}\"\n")).unwrap();
        self
    }

    pub(crate) fn payload(&self, event: &str, agent: &str, session: &str, more: &str) -> String {
        let cwd = json(&self.scratch.repo().to_string_lossy());
        let agent = if agent == "main" { String::new() } else { format!(r#""agent_id":"a-{agent}","agent_type":"{agent}","#) };
        format!(r#"{{"session_id":"{session}","transcript_path":"/t","cwd":{cwd},"permission_mode":"default",{agent}"hook_event_name":"{event}"{more}}}"#)
    }

    pub(crate) fn tool(&self, event: &str, agent: &str, tool: &str, input: &str, more: &str) -> String {
        self.payload(event, agent, "s", &format!(r#","tool_name":"{tool}","tool_input":{input},"tool_use_id":"t1"{more}"#))
    }

    /// What is said before a command.
    pub(crate) fn before(&self, command: &str) -> String {
        let input = format!(r#"{{"command":{}}}"#, json(command));
        self.scratch.judge("PreToolUse", &self.tool("PreToolUse", "main", "Bash", &input, "")).short()
    }

    /// The whole refusal of a command.
    pub(crate) fn refusal(&self, command: &str) -> String {
        let input = format!(r#"{{"command":{}}}"#, json(command));
        self.scratch.judge("PreToolUse", &self.tool("PreToolUse", "main", "Bash", &input, "")).stderr
    }

    /// A command ran, and succeeded.
    pub(crate) fn ran(&self, command: &str) -> &Self {
        // Each call has an event before it, by which the policy is compiled.
        self.before(command);
        self.ran_with(command, "", "ok")
    }

    pub(crate) fn ran_with(&self, command: &str, input: &str, output: &str) -> &Self {
        let input = format!(r#"{{"command":{}{input}}}"#, json(command));
        let response = format!(r#","tool_response":{{"stdout":{},"stderr":"","interrupted":false}},"duration_ms":1"#, json(output));
        let said = self.scratch.judge("PostToolUse", &self.tool("PostToolUse", "main", "Bash", &input, &response));
        assert_eq!((said.code, said.stderr.as_str()), (0, ""), "{command}");
        self
    }

    /// A command ran, and failed.
    pub(crate) fn failed(&self, command: &str, error: &str) -> &Self {
        let input = format!(r#"{{"command":{}}}"#, json(command));
        let more = format!(r#","error":{},"is_interrupt":false"#, json(error));
        self.scratch.judge("PostToolUseFailure", &self.tool("PostToolUseFailure", "main", "Bash", &input, &more));
        self
    }

    /// An agent writes a file with its file tool.
    pub(crate) fn wrote(&self, agent: &str, path: &str, text: &str) -> &Self {
        let full = json(&self.scratch.repo().join(path).to_string_lossy());
        let input = format!(r#"{{"file_path":{full},"content":{}}}"#, json(text));
        let said = self.scratch.judge("PreToolUse", &self.tool("PreToolUse", agent, "Write", &input, "")).short();
        assert_eq!(said, "free", "{path}");
        self.scratch.write(path, text);
        self.scratch.judge("PostToolUse", &self.tool("PostToolUse", agent, "Write", &input, r#","tool_response":{"type":"create"}"#));
        self
    }

    /// An agent changes a text of a file with its file tool.
    pub(crate) fn edited(&self, agent: &str, path: &str, old: &str, new: &str) -> &Self {
        let full = self.scratch.repo().join(path);
        let text = fs::read_to_string(&full).unwrap();
        assert!(text.contains(old), "{path}: {text}");
        fs::write(&full, text.replacen(old, new, 1)).unwrap();
        let input = format!(r#"{{"file_path":{},"old_string":{},"new_string":{},"replace_all":false}}"#, json(&full.to_string_lossy()), json(old), json(new));
        self.scratch.judge("PostToolUse", &self.tool("PostToolUse", agent, "Edit", &input, r#","tool_response":{}"#));
        self
    }

    /// What is said when the main agent starts a sub-agent.
    pub(crate) fn starts(&self, agent: &str) -> String {
        let input = format!(r#"{{"description":"d","prompt":"p","subagent_type":"{agent}"}}"#);
        self.scratch.judge("PreToolUse", &self.tool("PreToolUse", "main", "Agent", &input, "")).short()
    }

    pub(crate) fn starts_said(&self, agent: &str) -> String {
        let input = format!(r#"{{"description":"d","prompt":"p","subagent_type":"{agent}"}}"#);
        self.scratch.judge("PreToolUse", &self.tool("PreToolUse", "main", "Agent", &input, "")).stderr
    }

    /// What an agent reads when it wants to end.
    pub(crate) fn stops(&self, session: &str, active: bool) -> String {
        self.scratch.judge("Stop", &self.payload("Stop", "main", session, &format!(r#","stop_hook_active":{active}"#))).stderr
    }

    pub(crate) fn stage(&self, path: &str) {
        let mut index = self.repository.index().unwrap();
        index.add_path(Path::new(path)).unwrap();
        index.write().unwrap();
    }

    pub(crate) fn phase(&self) -> serde_json::Value {
        let said = run(self.scratch.command(env!("CARGO_BIN_EXE_portcullis")).env_remove("CLAUDE_PROJECT_DIR").args(["phase", "--json"]), b"");
        serde_json::from_str(&said.stdout).unwrap_or_else(|error| panic!("{error}: {}{}", said.stdout, said.stderr))
    }
}

pub(crate) const VALIDATED: &str = r#"
[[gate]]
name   = "validated"
before = ["stop", "push", "commit", "pull-request"]
needs  = { command = "./validate.sh", since = "last-write" }
"#;

pub(crate) const FREE: &str = "free";
const HELD: &str = "deny validated";

#[test]
fn a_command_counts_until_a_tracked_file_is_written() {
    let project = Project::new(VALIDATED, &[]);
    assert_eq!(project.before("git push origin feature"), HELD);
    assert_eq!(project.before("git commit -m 'x'"), HELD);
    assert_eq!(project.before("gh pr create --fill"), HELD);
    for free in ["git status", "git commit --dry-run", "git push --dry-run", "echo git push", "gh pr create --help", "gh pr list", "./validate.sh"] {
        assert_eq!(project.before(free), FREE, "{free}");
    }
    let text = project.refusal("git push origin feature");
    for part in [
        "denied by `validated`: what must be there before a push is missing",
        "fact: `./validate.sh` was not seen to succeed since the last write: it was not seen to run here",
        "instead: ./validate.sh",
        "retry: yes; the same call passes once what is missing is there",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    project.ran("./validate.sh");
    assert_eq!(project.before("git push origin feature"), FREE);
    // A new file that git does not know is no write to a tracked one, and what was there when the command ran may be added.
    project.scratch.write("src/new.py", "y = 1\n");
    assert_eq!(project.before("git push origin feature"), FREE);
    project.stage("src/new.py");
    let text = project.refusal("git commit -m x");
    assert!(text.contains("`src/new.py` was written after it"), "{text}");
    project.ran("./validate.sh");
    assert_eq!(project.before("git commit -m x"), FREE);
    commit_files(&project.repository, &["src/new.py"], "new");
    assert_eq!(project.before("git push origin feature"), FREE);
    // However it is written.
    project.scratch.write("src/app.py", "x = 2\n");
    assert_eq!(project.before("git push origin feature"), HELD);
    // What is as it was when it ran was not written.
    project.scratch.write("src/app.py", "x = 1\n");
    assert_eq!(project.before("git push origin feature"), FREE);
    fs::remove_file(project.scratch.repo().join("src/app.py")).unwrap();
    assert_eq!(project.before("git push origin feature"), HELD);
    project.scratch.write("src/app.py", "x = 1\n");
    project.failed("./validate.sh", "Exit code 1\nno");
    let text = project.refusal("git push origin feature");
    assert!(text.contains("it failed when it ran last"), "{text}");
}

#[test]
fn what_hides_a_status_does_not_count() {
    let project = Project::new(VALIDATED, &[]);
    for (swallowing, why) in [
        ("./validate.sh || true", "`||` runs only after a failure"),
        ("./validate.sh; true", "is lost"),
        ("! ./validate.sh", "reverses"),
        ("./validate.sh &", "background"),
        ("./validate.sh | tail -5", "pipefail"),
        ("./validate.sh\necho done", "is lost"),
        ("if ./validate.sh; then echo yes; fi", "within another command"),
        ("bash -c './validate.sh; true'", "is lost"),
        ("SKIP=1 ./validate.sh", ""),
        ("sudo ./validate.sh", "within another command"),
        ("cd src && ./validate.sh", "top folder"),
        ("trap 'exit 0' EXIT && ./validate.sh", "change what it does"),
    ] {
        project.ran(swallowing);
        let text = project.refusal("git push");
        assert!(text.starts_with("denied by `validated`") && text.contains(why), "{swallowing}: {text}");
    }
    project.ran_with("./validate.sh", r#","run_in_background":true"#, "");
    let text = project.refusal("git push");
    assert!(text.contains("it ran in the background"), "{text}");
    for other in ["./validate.sh --help", "echo ./validate.sh", "cat validate.sh", "./other/validate.sh"] {
        project.ran(other);
        assert_eq!(project.before("git push"), HELD, "{other}");
    }
    for counting in ["set -o pipefail; ./validate.sh 2>&1 | tail -5", "npm ci && ./validate.sh", "./validate.sh && echo ok", "(./validate.sh)"] {
        project.scratch.write("src/app.py", &format!("x = '{}'\n", counting.len()));
        assert_eq!(project.before("git push"), HELD);
        project.ran(counting);
        assert_eq!(project.before("git push"), FREE, "{counting}");
    }
}

#[test]
fn a_script_that_was_changed_does_not_count() {
    let project = Project::new(VALIDATED, &[]);
    project.scratch.write("validate.sh", "#!/bin/sh\nexit 0\n");
    project.ran("./validate.sh");
    let text = project.refusal("git push");
    assert!(text.contains("`validate.sh` is not as it was where this branch began"), "{text}");
    // Committed on the branch, it is still not what the branch began with.
    commit_files(&project.repository, &["validate.sh"], "weaker");
    project.ran("./validate.sh");
    assert_eq!(project.before("git push"), HELD);
    project.scratch.write("validate.sh", VALIDATE);
    // A script that was put back while it ran has just changed.
    project.ran("./validate.sh");
    let text = project.refusal("git push");
    assert!(text.contains("changed while it ran"), "{text}");
    std::thread::sleep(std::time::Duration::from_millis(400));
    project.ran("./validate.sh");
    assert_eq!(project.before("git push"), FREE);
    // A script that only this branch has.
    let project = Project::new(&VALIDATED.replace("./validate.sh", "./check.sh"), &[]);
    project.scratch.write("check.sh", "#!/bin/sh\n");
    project.ran("./check.sh");
    let text = project.refusal("git push");
    assert!(text.contains("`check.sh` is new on this branch") && text.contains("portcullis phase --trust"), "{text}");
}

#[test]
fn the_end_of_the_work_is_refused_once_for_each_missing_piece() {
    let two = format!("{VALIDATED}[[gate]]\nname = \"documented\"\nbefore = \"stop\"\nneeds = {{ touched = \"docs/**\" }}\n");
    let project = Project::new(&two, &[]);
    project.before("ls");
    let text = project.stops("one", false);
    assert!(
        text.contains("not done yet, by `validated`") && text.contains("`documented`") && text.contains("run `./validate.sh` alone, in the foreground"),
        "{text}"
    );
    assert_eq!(project.stops("one", false), "");
    assert_eq!(project.stops("two", true), "", "a hook already made the turn continue");
    project.ran("./validate.sh");
    let text = project.stops("two", false);
    assert!(text.contains("no file of `docs/**` changed on this branch") && !text.contains("`validated`"), "{text}");
    project.scratch.write("docs/a.md", "a\n");
    assert_eq!(project.stops("three", false), "");
    // A sub-agent is only kept by gates that name it.
    let sub = |project: &Project, agent: &str| {
        project.scratch.judge("SubagentStop", &project.payload("SubagentStop", agent, "four", r#","stop_hook_active":false"#)).stderr
    };
    assert_eq!(sub(&project, "Explore"), "");
    let named = Project::new(&VALIDATED.replace("needs  =", "for_agents = [\"dev\"]\nneeds  ="), &[]);
    named.before("ls");
    assert_eq!(sub(&named, "Explore"), "");
    assert_eq!(named.stops("four", false), "");
    assert!(sub(&named, "dev").contains("`validated`"));
    // A task of a team.
    let project = Project::new(VALIDATED, &[]);
    project.before("ls");
    let task = project.payload("TaskCompleted", "main", "five", r#","task_id":"1","task_subject":"Do it""#);
    let said = project.scratch.judge("TaskCompleted", &task);
    assert_eq!((said.code, said.stderr.contains("`validated`")), (2, true), "{said:?}");
}

#[test]
fn tests_are_red_before_and_green_after() {
    let policy = r#"
[[gate]]
name   = "red"
before = "commit"
needs  = { tests = "red" }

[[gate]]
name   = "green"
before = "push"
needs  = { tests = "green" }
"#;
    let project = Project::new(policy, &[]);
    assert_eq!((project.before("git commit -m x"), project.before("git push")), ("deny red".to_owned(), "deny green".to_owned()));
    project.failed("pytest --nonsense", "Exit code 4\nERROR: usage: pytest\npytest: error: unrecognized arguments: --nonsense");
    assert_eq!(project.before("git commit -m x"), "deny red");
    project.failed("pytest -q", "Exit code 1\nFAILED tests/test_app.py::test_one - assert 1 == 2");
    assert_eq!((project.before("git commit -m x"), project.before("git push")), (FREE.to_owned(), "deny green".to_owned()));
    project.ran_with("pytest -q", "", "3 passed in 0.1s");
    assert_eq!((project.before("git commit -m x"), project.before("git push")), ("deny red".to_owned(), FREE.to_owned()));
    project.scratch.write("src/app.py", "x = 3\n");
    assert_eq!(project.before("git push"), "deny green");
    for (command, output, why) in [
        ("pytest -q | tail -3", "3 passed", "pipefail"),
        ("pytest -q || true", "3 passed", "`||`"),
        ("pytest -q -k one", "1 passed, 2 deselected", "only some of the tests"),
        ("cargo test one", "test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 7 filtered out", "only some of the tests"),
        ("python3 -m unittest", "Ran 0 tests in 0.000s\n\nOK", "no tests"),
        ("go test ./... -run Nothing", "ok  \texample.org/a\t0.002s [no tests to run]", "no tests"),
        ("pytest --version", "pytest 8.3", "only listed or built"),
        ("cargo test --no-run", "Finished", "only listed or built"),
        ("npx jest --listTests", "/r/a.test.js", "only listed or built"),
    ] {
        project.ran_with(command, "", output);
        let text = project.refusal("git push");
        assert!(text.contains(why), "{command}: {text}");
    }
    for (command, output) in [
        ("pytest -q", "12 passed, 3 deselected in 0.4s"),
        ("go test ./...", "ok  \texample.org/a\t0.002s\n?   \texample.org/b\t[no test files]\nok  \texample.org/c\t0.1s [no tests to run]"),
        ("npx mocha", "  10 passing (12ms)"),
        ("bun test", "Ran 10 tests across 2 files"),
    ] {
        project.scratch.write("src/app.py", &format!("x = '{}'\n", command.len()));
        assert_eq!(project.before("git push"), "deny green", "{command}");
        project.ran_with(command, "", output);
        assert_eq!(project.before("git push"), FREE, "{command}");
    }
    project.scratch.write("src/app.py", "x = 33\n");
    project.ran_with("cargo test", "", "test result: ok. 8 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out");
    assert_eq!(project.before("git push"), FREE);
}

const CHECKLIST: &str = r#"
[[gate]]
name   = "deploy-checklist"
before = ["deploy"]
run    = { program = "fly", words = ["deploy"] }
needs  = { checklist = "DEPLOY.md", by = ["release-*"], boxes = 3 }
"#;

#[test]
fn ticks_count_if_the_named_agent_made_them() {
    let project = Project::new(CHECKLIST, &[]);
    assert_eq!(project.before("fly deploy"), "deny deploy-checklist");
    assert_eq!(project.before("fly status"), FREE);
    assert!(project.refusal("fly deploy").contains("the checklist `DEPLOY.md` does not exist"));
    project.wrote("main", "DEPLOY.md", "# Deploy\n- [ ] one\n- [ ] two\n");
    assert!(project.refusal("fly deploy").contains("2 of 2 boxes in `DEPLOY.md` are not ticked"));
    project.edited("release-manager", "DEPLOY.md", "- [ ] one", "- [x] one").edited("main", "DEPLOY.md", "- [ ] two", "- [x] two");
    assert!(project.refusal("fly deploy").contains("has 2 boxes, and 3 are needed"));
    project.edited("release-manager", "DEPLOY.md", "- [x] two\n", "- [x] two\n- [x] three\n");
    let text = project.refusal("fly deploy");
    assert!(text.contains("`- [x] two` in `DEPLOY.md` must be ticked by `release-*`") && text.contains("`main` ticked it"), "{text}");
    project.edited("release-manager", "DEPLOY.md", "- [x] two", "- [ ] two").edited("release-manager", "DEPLOY.md", "- [ ] two", "- [x] two");
    assert_eq!(project.before("fly deploy"), FREE);
    // Whatever changed it unseen.
    project.scratch.write("DEPLOY.md", "- [x] one\n- [x] two\n- [x] three\n- [x] four\n");
    assert!(project.refusal("fly deploy").contains("nobody was seen to tick it"));
    // Boxes in a block of code are none.
    project.wrote("release-manager", "DEPLOY.md", "```\n- [ ] example\n```\n- [x] one\n- [X] two\n1. [x] three\n");
    assert_eq!(project.before("fly deploy"), FREE);
}

#[test]
fn a_verdict_counts_if_the_named_agent_wrote_it() {
    let policy = "[[gate]]\nname = \"reviewed\"\nbefore = \"merge\"\nneeds = { verdict = { file = \"review/verdict.md\", says = \"verdict: pass\", by = [\"reviewer\"] } }\n";
    let project = Project::new(policy, &[]);
    for merge in ["gh pr merge 12 --squash", "gh api -X PUT repos/o/r/pulls/12/merge"] {
        assert_eq!(project.before(merge), "deny reviewed", "{merge}");
    }
    assert_eq!(project.before("git merge main"), FREE, "into a branch of one's own");
    project.wrote("main", "review/verdict.md", "# Review\n\n**Verdict: pass**\n");
    assert!(project.refusal("gh pr merge 12").contains("`main` wrote it"));
    // To write behind the verdict of another does not make it one's own.
    project.edited("reviewer", "review/verdict.md", "# Review\n", "# Review\nlooks fine\n");
    assert_eq!(project.before("gh pr merge 12"), "deny reviewed");
    project.wrote("reviewer", "review/verdict.md", "# Review\n\nVerdict: fail\n");
    assert!(project.refusal("gh pr merge 12").contains("has no line `verdict: pass`"));
    project.wrote("reviewer", "review/verdict.md", "# Review\n\nVerdict: pass\n");
    assert_eq!(project.before("gh pr merge 12"), FREE);
    project.edited("main", "review/verdict.md", "# Review", "# Our review");
    assert_eq!(project.before("gh pr merge 12"), "deny reviewed");
}

#[test]
fn coverage_imports_files_and_sizes() {
    let policy = r#"
[[gate]]
name   = "covered"
before = "push"
needs  = { coverage = { report = "lcov.info", paths = ["src/**"], at_least = 80 } }

[[gate]]
name   = "dependencies"
before = "commit"
needs  = { imports = true }

[[gate]]
name   = "models-first"
before = "pull-request"
needs  = [{ exists = ["src/models/**"] }, { estimate = { lines = 2 } }]
"#;
    let project = Project::new(policy, &[("requirements.txt", "requests\n")]);
    let lcov = |hits: &str| format!("SF:src/app.py\n{hits}end_of_record\nSF:tests/x.py\nDA:1,0\nend_of_record\n");
    assert!(project.refusal("git push").contains("the coverage report `lcov.info` does not exist"));
    project.scratch.write("lcov.info", &lcov("DA:1,1\nDA:2,0\n"));
    assert!(project.refusal("git push").contains("1 of 2 lines of `src/**` are covered (50 %), and 80 % are needed"));
    project.scratch.write("lcov.info", &lcov("DA:1,1\nDA:2,3\n"));
    assert_eq!(project.before("git push"), FREE);
    std::thread::sleep(std::time::Duration::from_millis(20));
    project.scratch.write("src/app.py", "x = 4\n");
    assert!(project.refusal("git push").contains("`src/app.py` was written after the coverage report"));
    project.wrote("main", "lcov.info", &lcov("DA:1,1\n"));
    assert!(project.refusal("git push").contains("was written by hand"));

    assert_eq!(project.before("git commit -m x"), FREE);
    project.scratch.write("src/app.py", "import os\nimport requests\nimport numpy as np\nimport helper\n");
    project.scratch.write("src/helper.py", "");
    assert!(project.refusal("git commit -m x").contains("imports that no manifest names: `numpy` in `src/app.py`"));
    project.scratch.write("requirements.txt", "requests\nnumpy>=2\n");
    assert_eq!(project.before("git commit -m x"), FREE);

    assert!(project.refusal("gh pr create").contains("there is no file `src/models/**`"));
    project.scratch.write("src/models/user.py", "class User: ...\n");
    assert_eq!(project.before("gh pr create"), FREE);
    // A note does not stop: it is read after the call.
    let next = project.scratch.judge("PostToolUse", &project.tool("PostToolUse", "main", "Bash", r#"{"command":"gh pr create"}"#, r#","tool_response":{}"#));
    assert!(next.stdout.contains("2 were estimated"), "{}", next.stdout);
}

#[test]
fn two_work_trees_have_phases_and_evidence_of_their_own() {
    let project = Project::new(VALIDATED, &[]);
    project.ran("./validate.sh");
    assert_eq!(project.before("git push origin feature"), FREE);
    let other = project.scratch.repo().join("../other");
    let head = project.repository.head().unwrap().peel_to_commit().unwrap();
    let branch = project.repository.branch("other", &head, false).unwrap();
    let mut options = git2::WorktreeAddOptions::new();
    options.reference(Some(branch.get()));
    project.repository.worktree("other", &other, Some(&options)).unwrap();
    let there = fs::canonicalize(&other).unwrap();
    let payload = project.tool("PreToolUse", "main", "Bash", r#"{"command":"git push origin other"}"#, "");
    let payload = payload.replace(&json(&project.scratch.repo().to_string_lossy()), &json(&there.to_string_lossy()));
    assert_eq!(project.scratch.judge("PreToolUse", &payload).short(), HELD);
    fs::write(there.join("src/app.py"), "x = 9\n").unwrap();
    assert_eq!(project.before("git push origin feature"), FREE);
}

#[test]
fn what_a_command_is_made_of_must_be_as_it_was() {
    let makefile = "check:\n\t./validate.sh\n";
    let package = "{\"scripts\":{\"check\":\"./validate.sh\"},\"dependencies\":{}}\n";
    let files = [("Makefile", makefile), ("package.json", package), ("tools/check.py", "import sys\n")];
    for (command, file, harmless, weaker) in [
        ("make check", "Makefile", None, "check:\n\ttrue\n"),
        (
            "npm run check",
            "package.json",
            Some("{\"scripts\":{\"check\":\"./validate.sh\"},\"dependencies\":{\"a\":\"1\"}}\n"),
            "{\"scripts\":{\"check\":\"true\"}}\n",
        ),
        ("python3 tools/check.py --all", "tools/check.py", None, "import os\n"),
        ("bash validate.sh", "validate.sh", None, "exit 0\n"),
    ] {
        let project = Project::new(&VALIDATED.replace("./validate.sh", command), &files);
        std::thread::sleep(std::time::Duration::from_millis(300));
        project.ran(command);
        assert_eq!(project.before("git push"), FREE, "{command}");
        if let Some(harmless) = harmless {
            project.scratch.write(file, harmless);
            std::thread::sleep(std::time::Duration::from_millis(300));
            project.ran(command);
            assert_eq!(project.before("git push"), FREE, "{command}");
        }
        project.scratch.write(file, weaker);
        std::thread::sleep(std::time::Duration::from_millis(300));
        project.ran(command);
        let text = project.refusal("git push");
        assert!(text.contains(&format!("`{file}` is not as it was where this branch began")), "{command}: {text}");
    }
}

#[test]
fn a_call_of_git_elsewhere_is_judged_by_that_work_tree() {
    let project = Project::new(VALIDATED, &[]);
    project.ran("./validate.sh");
    let other = project.scratch.repo().join("../other");
    let head = project.repository.head().unwrap().peel_to_commit().unwrap();
    let branch = project.repository.branch("other", &head, false).unwrap();
    let mut options = git2::WorktreeAddOptions::new();
    options.reference(Some(branch.get()));
    project.repository.worktree("other", &other, Some(&options)).unwrap();
    assert_eq!(project.before("git -C ../other push origin other"), HELD);
    assert_eq!(project.before("git push origin feature"), FREE);
    project.scratch.write("src/app.py", "x = 8\n");
    assert_eq!(project.before("git push origin feature"), HELD);
    // Another repository is no matter of this gate.
    let alone = project.scratch.repo().join("../alone");
    git2::Repository::init(&alone).unwrap();
    assert_eq!(project.before("git -C ../alone push origin main"), FREE);
}

#[test]
fn the_page_says_what_an_agent_reads() {
    let page = fs::read_to_string(package().join("docs/pipeline.md")).unwrap();
    let (policy, texts) = (blocks(&page, "toml").remove(0).replace("schema = 1\n", ""), blocks(&page, "text"));
    let project = Project::new(&policy, &[("validate_deliverable.sh", VALIDATE)]);
    assert_eq!(project.refusal("git push origin feature").trim_end(), texts[0].trim_end());
    project.ran("./validate_deliverable.sh || true");
    assert_eq!(project.refusal("git push origin feature").trim_end(), texts[1].trim_end());
    project.ran("./validate_deliverable.sh");
    assert_eq!(project.before("git push origin feature"), FREE);
}

#[test]
fn git_s_own_hooks_ask_for_the_same_evidence_and_ci_does_not_know_it() {
    let project = Project::new(VALIDATED, &[]);
    let hook = |arguments: &[&str], input: &str| {
        let mut command = project.scratch.command(git_path());
        run(command.env_remove("CLAUDE_PROJECT_DIR").args(arguments), input.as_bytes())
    };
    let said = hook(&["pre-commit"], "");
    assert!(said.code == 1 && said.stderr.contains("denied by `validated`"), "{said:?}");
    let head = project.repository.head().unwrap().peel_to_commit().unwrap().id();
    let zero = "0".repeat(40);
    let refs = format!("refs/heads/feature {head} refs/heads/feature {zero}\n");
    let said = hook(&["pre-push", "origin", "https://example.org/r.git"], &refs);
    assert!(said.code == 1 && said.stderr.contains("denied by `validated`"), "{said:?}");
    project.ran("./validate.sh");
    assert_eq!(hook(&["pre-commit"], "").code, 0);
    assert_eq!(hook(&["pre-push", "origin", "https://example.org/r.git"], &refs).code, 0);
    let said = run(project.scratch.command(env!("CARGO_BIN_EXE_portcullis")).args(["check", "--base", "main"]), b"");
    assert!(said.stdout.contains("not known here: whether the gate `validated` (before stop, push, commit, pull-request) is passed"), "{said:?}");
}

#[test]
fn a_need_that_cannot_be_known_asks_a_person() {
    let project = Project::new("[[gate]]\nname = \"documented\"\nbefore = \"push\"\nneeds = { documents = true }\n", &[]);
    assert_eq!(project.before("git push"), "ask documented");
}

#[test]
fn the_binaries_do_the_same_and_only_calls_that_gates_speak_of_go_cold() {
    let project = Project::new(VALIDATED, &[]);
    let bash = |event: &str, command: &str, more: &str| {
        let input = format!(r#"{{"command":{}}}"#, json(command));
        project.scratch.hook(event, project.tool(event, "main", "Bash", &input, more).as_bytes())
    };
    assert_eq!(bash("PreToolUse", "git push", "").short(), HELD);
    bash("PostToolUse", "./validate.sh", r#","tool_response":{"stdout":"","stderr":""},"duration_ms":1"#);
    assert_eq!(bash("PreToolUse", "git push", "").short(), FREE);
    project.scratch.write("src/app.py", "x = 7\n");
    let stop = project.payload("Stop", "main", "b", r#","stop_hook_active":false"#);
    let said = project.scratch.hook("Stop", stop.as_bytes());
    assert!(said.code == 2 && said.stderr.contains("`src/app.py` was written after it"), "{said:?}");
    bash("PreToolUse", "ls src", "");
    bash("PostToolUse", "ls src", r#","tool_response":{"stdout":"","stderr":""}"#);
    let folders = fs::read_dir(project.scratch.home().join(".local/state/portcullis")).unwrap().flatten();
    let record: String = folders.filter_map(|folder| fs::read_to_string(folder.path().join("record.jsonl")).ok()).collect();
    let of_ls: Vec<&str> = record.lines().filter(|line| line.contains("ls src")).collect();
    assert!(of_ls.len() == 2 && of_ls.iter().all(|line| line.contains("\"source\":\"hot\"")), "{of_ls:#?}");
}
