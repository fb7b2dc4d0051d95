//! What commits resolve, open again and give rise to: in real repositories, made with libgit2. Each row that the origin of
//! the flywheel got wrong is right here.

use std::fs;
use std::path::{Path, PathBuf};

use portcullis::documents::committed;

use crate::flywheel::{ARCHIVE, COLD, Day, INBOX, context};
use crate::support::{commit_files, run};

pub(crate) const MAP: &str = "[flywheel]\nper_session = 50\ntrailers = true\nmap = [{ code = \"src/**\", docs = \"docs/the api.md\" }, { code = \"hooks/**\", docs = [\"CLAUDE.md\", \"tools/CLAUDE.md\"], after = 1 }]\n";

/// A repository whose commits are reported to the flywheel, as git's hook would.
pub(crate) struct Project {
    pub(crate) day: Day,
    /// The work tree.
    pub(crate) root: PathBuf,
}

impl Project {
    pub(crate) fn new(section: &str) -> Self {
        let day = Day::new(section);
        let root = day.scratch.repo();
        let project = Self { day, root };
        for (path, text) in [
            ("docs/the api.md", "# API\n"),
            ("CLAUDE.md", "# Root\n"),
            ("tools/CLAUDE.md", "# Tools\n"),
            ("README.md", "# Project\n"),
            ("docs/learnings.md", "# Learnings\n"),
        ] {
            project.write(path, text);
        }
        project.commit("begin");
        project
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn repository(&self) -> git2::Repository {
        git2::Repository::open(&self.root).unwrap()
    }

    /// Commits everything but what the flywheel wrote, and tells it.
    pub(crate) fn commit(&self, message: &str) -> Option<String> {
        self.make(message, false);
        self.told()
    }

    fn told(&self) -> Option<String> {
        committed(&self.day.scratch.world(), &self.root, true)
    }

    fn make(&self, message: &str, amend: bool) {
        let repository = self.repository();
        let mut index = repository.index().unwrap();
        let mut keep = |path: &Path, _: &[u8]| i32::from(path.starts_with("docs/flywheel"));
        index.add_all(["*"], git2::IndexAddOption::DEFAULT, Some(&mut keep)).unwrap();
        index.update_all(["*"], None).unwrap();
        index.write().unwrap();
        let tree = repository.find_tree(index.write_tree().unwrap()).unwrap();
        let who = git2::Signature::now("a", "a@example.org").unwrap();
        let head = repository.head().ok().map(|head| head.peel_to_commit().unwrap());
        if amend {
            head.unwrap().amend(Some("HEAD"), None, Some(&who), None, Some(message), Some(&tree)).unwrap();
        } else {
            repository.commit(Some("HEAD"), &who, &who, message, &tree, &head.iter().collect::<Vec<_>>()).unwrap();
        }
    }

    pub(crate) fn targets(&self) -> Vec<String> {
        let mut targets: Vec<String> = portcullis::deep::flywheel::Desk::inbox(&self.root, INBOX).into_iter().map(|one| one.target).collect();
        targets.sort();
        targets
    }

    pub(crate) fn archive(&self) -> String {
        fs::read_to_string(self.root.join(ARCHIVE)).unwrap_or_default()
    }

    /// Something that failed and works since a setting changed.
    fn learns(&self, command: &str) {
        self.day.bash(command, Some("Exit code 1\nREGION is not set"));
        self.day.edit("config/deploy.yml");
        self.day.bash(command, None);
        self.day.stop();
    }
}

pub(crate) const API: &str = "docs/the api.md";

#[test]
fn code_that_its_document_does_not_name_is_told_and_settled() {
    let project = Project::new(MAP);
    project.write("src/door.rs", "pub fn open_door() {}\n");
    assert!(project.commit("doors").unwrap().contains("1 suggestion"));
    assert_eq!(project.targets(), [API]);
    // Told once, by the next event.
    let told = context(&project.day.bash("true", None).1.unwrap());
    assert!(told.contains("`open_door` is new and `docs/the api.md` does not name it"), "{told}");
    assert_eq!(context(&project.day.bash("true", None).1.unwrap()), "");
    // A changing list is the same suggestion.
    project.write("src/window.rs", "pub fn open_window() {}\n");
    assert_eq!(project.commit("windows"), None);
    assert_eq!(project.targets().len(), 1);
    // A change that is not committed proves nothing; nor does one of another document.
    project.write("README.md", "# Project, of doors\n");
    project.make_only(&["README.md"], "read me");
    project.write(API, "# API\n\n`open_door`, `open_window`\n");
    assert_eq!(project.targets(), [API]);
    assert!(project.commit("describe them").unwrap().starts_with("portcullis flywheel: resolved"));
    assert!(project.targets().is_empty());
    assert!(project.archive().contains("Ended: resolved by "));
    // What was resolved does not come back with the next commit, whatever it is of.
    project.write("other.txt", "x\n");
    assert_eq!(project.commit("other"), None);
    project.write("src/door.rs", "pub fn open_door() { let _ = 1; }\n");
    assert_eq!(project.commit("doors again"), None);
    assert!(project.targets().is_empty());
    // New code after that does.
    project.write("src/gate.rs", "pub fn open_gate() {}\n");
    project.commit("gates");
    assert_eq!(project.targets(), [API]);
}

impl Project {
    /// Commits only these files.
    fn make_only(&self, paths: &[&str], message: &str) {
        commit_files(&self.repository(), paths, message);
        self.told();
    }
}

#[test]
fn a_guide_need_not_name_what_programs_call() {
    // the document, what the code gets, whether that is reported
    let rows = [
        ("# Guide\n\nRun `door --open`.\n", "pub fn shut_door() {}\n", false),
        ("# Guide\n\nRun `door --open`.\n", "let shut = \"--shut\";\n", true),
        ("# API\n\n`open_door()` opens it.\n", "pub fn shut_door() {}\n", true),
        ("# API\n\n`open_door()` opens it, `shut_door()` shuts it.\n", "pub fn shut_door() {}\n", false),
        ("# API\n\n`open_door()` opens it.\n", "fn shut_door() {}\n    pub fn inner() {}\n// pub fn old() {}\n", false),
    ];
    for (document, code, expected) in rows {
        let project = Project::new(MAP);
        project.write(API, document);
        project.write("src/door.rs", "pub fn open_door() {}\n");
        project.commit("doors, described");
        project.write("src/door.rs", &format!("pub fn open_door() {{}}\n{code}"));
        project.commit("more of them");
        assert_eq!(!project.targets().is_empty(), expected, "{document} {code}");
    }
}

#[test]
fn only_the_very_document_settles() {
    let project = Project::new(MAP);
    project.write("hooks/a.sh", "echo\n");
    project.commit("a hook");
    assert_eq!(project.targets(), ["CLAUDE.md", "tools/CLAUDE.md"]);
    project.write("CLAUDE.md", "# Root\n\nhooks\n");
    project.commit("describe it");
    assert_eq!(project.targets(), ["tools/CLAUDE.md"]);
}

#[test]
fn a_commit_that_did_not_come_about_settles_nothing() {
    let project = Project::new(MAP);
    project.write("hooks/a.sh", "echo\n");
    project.commit("a hook");
    project.write("CLAUDE.md", "# Root\n\nhooks\n");
    project.write("tools/CLAUDE.md", "# Tools\n\nhooks\n");
    let repository = project.repository();
    let mut index = repository.index().unwrap();
    index.add_path(Path::new("CLAUDE.md")).unwrap();
    index.write().unwrap();
    // Staged, and then a hook refused the commit: nothing was made, nothing is reported.
    assert_eq!(project.told(), None);
    assert_eq!(project.targets().len(), 2);
}

#[test]
fn many_files_are_no_reason_of_their_own() {
    let project = Project::new(MAP);
    for at in 0..9 {
        project.write(&format!("lib/{at}.txt"), "x\n");
    }
    assert_eq!(project.commit("many"), None);
    assert!(project.targets().is_empty());
}

#[test]
fn renames_deletions_amends_and_reverts() {
    // Another name is the same document.
    let project = Project::new(MAP);
    project.write("src/door.rs", "pub fn open_door() {}\n");
    project.commit("doors");
    fs::rename(project.root.join(API), project.root.join("docs/interface of it.md")).unwrap();
    project.commit("rename");
    assert_eq!(project.targets(), ["docs/interface of it.md"]);
    project.write("docs/interface of it.md", "# API\n\n`open_door`\n");
    project.commit("describe");
    assert!(project.targets().is_empty() && project.archive().contains("resolved by"));

    // A document that is gone asks for nothing.
    let project = Project::new(MAP);
    project.write("src/door.rs", "pub fn open_door() {}\n");
    project.commit("doors");
    fs::remove_file(project.root.join(API)).unwrap();
    project.commit("no api");
    assert!(project.targets().is_empty() && project.archive().contains("deletes the document"));

    // What is undone is open again: by a revert, and by an amendment that leaves the document out.
    let project = Project::new(MAP);
    project.write("src/door.rs", "pub fn open_door() {}\n");
    project.commit("doors");
    for amend in [false, true] {
        project.write(API, "# API\n\n`open_door`\n");
        project.write("other.txt", &format!("{amend}\n"));
        project.commit("describe");
        assert!(project.targets().is_empty());
        project.write(API, "# API\n");
        project.make("take it back", amend);
        assert!(project.told().unwrap().contains("opened again"));
        assert_eq!(project.targets(), [API], "amended: {amend}");
        assert!(!project.archive().contains("open_door"), "{}", project.archive());
    }

    // An amendment that keeps it is reported by its new number.
    let project = Project::new(MAP);
    project.write("src/door.rs", "pub fn open_door() {}\n");
    project.commit("doors");
    project.write(API, "# API\n\n`open_door`\n");
    project.commit("describe");
    project.make("describe doors", true);
    project.told();
    let id = project.repository().head().unwrap().peel_to_commit().unwrap().id().to_string();
    assert!(project.targets().is_empty() && project.archive().contains(&format!("resolved by {}", &id[..10])), "{}", project.archive());
}

#[test]
fn another_branch_settles_and_opens_nothing() {
    let project = Project::new(MAP);
    let repository = project.repository();
    let begin = repository.head().unwrap().peel_to_commit().unwrap();
    project.write("src/door.rs", "pub fn open_door() {}\n");
    project.commit("doors");
    repository.branch("other", &begin, false).unwrap();
    let turn = |name: &str| {
        repository.set_head(&format!("refs/heads/{name}")).unwrap();
        repository.checkout_head(Some(git2::build::CheckoutBuilder::new().force())).unwrap();
    };
    turn("other");
    project.write("other.txt", "x\n");
    project.commit("on another branch");
    assert_eq!(project.targets(), [API]);
    turn("main");
    project.write(API, "# API\n\n`open_door`\n");
    project.commit("describe");
    assert!(project.targets().is_empty());
    turn("other");
    project.write("other.txt", "y\n");
    project.commit("on another branch again");
    assert!(project.targets().is_empty());
}

#[test]
fn a_work_tree_has_its_own_inbox_and_the_same_memory() {
    let project = Project::new(MAP);
    let linked = project.day.scratch.home().parent().unwrap().join("linked tree");
    project.repository().worktree("linked", &linked, None).unwrap();
    let other = Project { root: fs::canonicalize(&linked).unwrap(), day: project.day };
    assert!(other.root.join(".git").is_file());
    other.write("src/door.rs", "pub fn open_door() {}\n");
    other.commit("doors");
    assert_eq!(other.targets(), [API]);
    assert!(other.day.inbox().is_empty(), "not the main work tree's");
    other.write(API, "# API\n\n`open_door`\n");
    other.commit("describe");
    assert!(other.targets().is_empty() && other.archive().contains("resolved by"));
}

#[test]
fn one_learning_does_not_settle_the_others() {
    let project = Project::new(MAP);
    project.learns("./deploy.sh staging");
    project.learns("./migrate.sh");
    assert_eq!(project.targets().len(), 2);
    project.write("docs/learnings.md", "# Learnings\n\n- `./migrate.sh` needs REGION\n");
    project.commit("learned");
    let left = project.day.inbox();
    assert!(left.len() == 1 && left[0].reason.contains("deploy.sh"), "{left:?}");
    // In other words, with the number in the message.
    project.write("docs/learnings.md", "# Learnings\n\n- `./migrate.sh` needs REGION\n- staging has a region of its own\n");
    project.learns("./third.sh");
    project.commit(&format!("learned more\n\nFlywheel-Suggestion: {}", left[0].id));
    assert_eq!(project.targets().len(), 1);
    // The only one for its document is resolved by any change of it.
    project.write("docs/learnings.md", "# Learnings\n\n- in other words\n");
    project.commit("say it better");
    assert!(project.targets().is_empty());
}

#[test]
fn a_message_is_given_the_numbers_that_the_commit_answers() {
    let project = Project::new(MAP);
    project.learns("./deploy.sh staging");
    project.learns("./migrate.sh");
    let trailed = |message: &str| portcullis::documents::trailed(&project.day.scratch.world(), &project.root, message);
    assert_eq!(trailed("learned\n"), None, "nothing is staged");
    project.write("docs/learnings.md", "# Learnings\n\n- `./migrate.sh` needs REGION\n");
    let repository = project.repository();
    let mut index = repository.index().unwrap();
    index.add_path(Path::new("docs/learnings.md")).unwrap();
    index.write().unwrap();
    let id = project.day.inbox().into_iter().find(|one| one.reason.contains("migrate")).unwrap().id;
    let number = format!("Flywheel-Suggestion: {id}");
    assert_eq!(trailed("learned\n").unwrap(), format!("learned\n\n{number}\n"));
    assert_eq!(trailed("learned\n\nwhy\n\nSigned-off-by: A <a@b>\n").unwrap(), format!("learned\n\nwhy\n\nSigned-off-by: A <a@b>\n{number}\n"));
    assert_eq!(trailed("learned\n\n# Please enter\n# more\n").unwrap(), format!("learned\n\n{number}\n\n# Please enter\n# more\n"));
    assert_eq!(trailed(&format!("learned\n\n{number}\n")), None, "it is there already");
}

#[test]
fn a_subject_that_says_so_is_worth_a_line() {
    let rows: &[(&str, &str, usize)] = &[
        ("fix: retry when the queue is full", "lib/a.rs", 1),
        ("Work around the proxy's buffering (workaround)", "lib/a.rs", 1),
        ("Revert \"faster queue\"", "lib/a.rs", 1),
        ("gotcha: dates are local", "lib/a.rs", 1),
        ("add a prefix to fixtures", "lib/a.rs", 0),
        ("fix typo", "lib/a.rs", 0),
        ("fix clippy warnings", "lib/a.rs", 0),
        ("fix the example", "notes.md", 0),
        ("fix the queue", "docs/learnings.md", 0),
        ("a new queue", "lib/a.rs", 0),
        // A test or a page holds what was fixed, and says it better; not so what was found out by the way.
        ("fix: retry when the queue is full", "lib/a.rs tests/a.rs", 0),
        ("fix: retry when the queue is full", "lib/a.rs CHANGES.rst", 0),
        ("fix: retry when the queue is full", "lib/a.rs docs/flywheel/pending.md", 1),
        ("Workaround for a full queue", "lib/a.rs tests/a.rs", 1),
        ("fix(deps): a newer queue", "lib/a.rs", 0),
        ("fix https://example.org/issues/1#issuecomment-2", "lib/a.rs", 0),
        ("Fix #12", "lib/a.rs", 0),
    ];
    for (subject, paths, expected) in rows {
        let project = Project::new(MAP);
        for path in paths.split(' ') {
            project.write(path, "x\n");
        }
        project.commit(subject);
        assert_eq!(project.targets().len(), *expected, "{subject}");
        // Amended, it is the same.
        project.make(subject, true);
        project.told();
        assert_eq!(project.targets().len(), *expected, "{subject}, amended");
    }
}

#[test]
fn without_a_map_new_options_belong_into_the_readme() {
    let project = Project::new("[flywheel]\n");
    project.write("lib/cli.rs", "arg(\"--dry-run\");\npub fn anything() {}\n");
    project.commit("an option");
    assert_eq!(project.targets(), ["README.md"]);
    assert!(project.day.inbox()[0].reason.contains("`--dry-run`"));
    let project = Project::new("[flywheel]\n");
    project.write("docs/guide.md", "Use `--dry-run`.\n");
    project.write("lib/cli.rs", "arg(\"--dry-run\");\n");
    assert_eq!(project.commit("an option, described"), None);
}

#[test]
fn a_gate_holds_the_commit_of_an_agent() {
    let project = Project::new(
        "[flywheel]\nmap = [{ code = \"src/**\", docs = \"docs/the api.md\", gate = 4 }, { code = \"lib/**\", docs = \"README.md\", gate = 3 }]\n",
    );
    let stage = |path: &str| {
        let repository = project.repository();
        let mut index = repository.index().unwrap();
        index.add_path(Path::new(path)).unwrap();
        index.write().unwrap();
    };
    let says = |command: &str| project.day.scratch.bash(command).short();
    assert_eq!(says("git commit -m x"), "free");
    project.write("src/door.rs", "fn door() {}\n");
    assert_eq!(says("git commit -m x"), "free", "what is not staged is not committed");
    stage("src/door.rs");
    assert_eq!(says("git commit -m x"), "deny document-left-behind");
    assert_eq!(says("cd src && git commit -m x"), "deny document-left-behind");
    assert_eq!(says("git status"), "free");
    project.write(API, "# API\n\ndoors\n");
    assert_eq!(says("git commit -am x"), "free");
    stage(API);
    assert_eq!(says("git commit -m x"), "free");
    project.write("lib/a.rs", "x\n");
    stage("lib/a.rs");
    assert_eq!(says("git commit -m x"), "ask document-left-behind");
}

#[test]
fn the_beginning_of_a_session_tells_what_waits() {
    let project = Project::new(MAP);
    for at in 0..7 {
        project.learns(&format!("./step-{at}.sh"));
    }
    let text = context(&project.day.event_of("s9", "SessionStart", r#""source":"startup""#));
    assert!(text.starts_with("7 suggestions wait in `docs/flywheel/pending.md`") && text.contains("and 4 more"), "{text}");
    assert!(text.lines().count() <= 5, "{text}");
    assert!(run(project.day.scratch.command(COLD).args(["flywheel", "stats", "--json"]), b"").stdout.contains("\"captured\": 7"));
}

/// Git itself, in the work tree, with the door of git as its hooks.
fn git(project: &Project, arguments: &[&str]) -> crate::support::Said {
    let mut command = project.day.scratch.command("/usr/bin/git");
    command.env("CLAUDECODE", "1").args(["-c", "user.name=a", "-c", "user.email=a@example.org"]).args(arguments);
    run(&mut command, b"")
}

const HOOKS: &[&str] = &["prepare-commit-msg", "post-commit", "pre-commit"];

pub(crate) fn hooked(section: &str, hooks: &[&str]) -> Project {
    let project = Project::new(section);
    for hook in hooks {
        let path = project.root.join(".git/hooks").join(hook);
        fs::write(&path, format!("#!/bin/sh\nexec {} {hook} \"$@\"\n", crate::support::git_path())).unwrap();
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    }
    project
}

/// A day in order: what happens, and what the model is reported with it.
#[test]
fn a_day_from_its_first_session_to_its_last() {
    let project = hooked(MAP, HOOKS);
    let day = &project.day;
    let told = |said: Option<crate::support::Said>| said.map_or_else(String::new, |said| context(&said));
    let commits = |message: &str, files: &[&str]| {
        assert_eq!(git(&project, &[&["add", "--"], files].concat()).code, 0);
        let said = git(&project, &["commit", "-qm", message]);
        assert_eq!(said.code, 0, "{said:?}");
        // The client tells of the call that made the commit.
        told(day.bash(&format!("git commit -qm '{message}'"), None).1)
    };

    // Morning: nothing waits, nothing is reported.
    assert_eq!(context(&day.event("SessionStart", r#""source":"startup""#)), "");
    day.event("UserPromptSubmit", r#""prompt":"deploy to staging""#);
    assert_eq!(told(day.bash("./deploy.sh staging", Some("Exit code 1\nREGION is not set")).1), "");
    day.edit("config/deploy.yml");
    assert_eq!(told(day.bash("./deploy.sh staging", None).1), "");
    assert_eq!(day.bash("git push --force origin topic", None).0.code, 2);
    assert_eq!(told(day.bash("git push origin topic", None).1), "");
    day.bash("grep -rn REGION src", Some("Exit code 1"));
    day.bash("cargo test", Some("Exit code 101\nassertion failed"));
    day.edit("src/door.rs");
    assert_eq!(told(day.bash("cargo test", None).1), "");
    assert!(!project.root.join(INBOX).exists(), "while the turn goes on, nothing is written");
    let text = day.stop();
    assert!(text.starts_with("Documentation suggestions (2 in `docs/flywheel/pending.md`, shown once):"), "{text}");
    assert!(text.contains("`./deploy.sh staging` failed, and works since `config/deploy.yml` changed"), "{text}");
    assert!(text.contains("`git push --force origin topic` is denied (`force-push`); `git push origin topic` was the way that worked"), "{text}");
    assert_eq!(context(&day.event("Stop", r#""stop_hook_active":true"#)), "");

    // The person stops a call.
    day.event("UserPromptSubmit", r#""prompt":"now the doors""#);
    day.event("PreToolUse", r#""tool_name":"Bash","tool_input":{"command":"npm install left-pad"},"tool_use_id":"x""#);
    day.event("UserPromptSubmit", r#""prompt":"no new packages, please""#);
    // Code is committed without its document.
    project.write("src/door.rs", "pub fn open_door() {}\n");
    let text = commits("doors", &["src/door.rs"]);
    assert!(text.contains("`open_door` is new and `docs/the api.md` does not name it"), "{text}");
    assert_eq!(told(day.bash("true", None).1), "");
    let text = day.stop();
    assert!(text.contains("`npm install left-pad` was stopped by the user") && !text.contains("open_door"), "{text}");
    assert_eq!(project.targets(), ["docs/learnings.md", "docs/learnings.md", "docs/learnings.md", API]);

    // The document follows; the number of what it answers is in the message, and the entry in the archive.
    project.write(API, "# API\n\n`open_door` opens it.\n");
    assert_eq!(commits("describe the doors", &[API]), "");
    let message = project.repository().head().unwrap().peel_to_commit().unwrap().message().unwrap().to_owned();
    assert!(message.starts_with("describe the doors\n\nFlywheel-Suggestion: "), "{message}");
    assert_eq!(project.targets(), ["docs/learnings.md"; 3]);
    assert!(project.archive().contains("`open_door` is new") && project.archive().contains("Ended: resolved by "));
    // What was learned is written down, one of three.
    project.write("docs/learnings.md", "# Learnings\n\n- `./deploy.sh staging` wants REGION in `config/deploy.yml`.\n");
    assert_eq!(commits("what deploying wants", &["docs/learnings.md"]), "");
    assert_eq!(project.targets().len(), 2);
    assert!(run(day.scratch.command(COLD).args(["flywheel", "drop", &day.inbox()[0].id]), b"").code == 0);
    assert_eq!(day.stop(), "");

    // The next session begins with what is left.
    let text = context(&day.event_of("s2", "SessionStart", r#""source":"startup""#));
    assert!(text.starts_with("1 suggestion waits") && text.lines().count() == 2, "{text}");
    assert_eq!(context(&day.event_of("s2", "Stop", r#""stop_hook_active":false"#)), "");
    assert_eq!(project.archive().matches("\nEnded: ").count(), 3);
}

#[test]
fn a_gate_holds_at_the_door_of_git_too() {
    let project = hooked("[flywheel]\nmap = { code = \"src/**\", docs = \"docs/the api.md\", gate = 4 }\n", HOOKS);
    project.write("src/door.rs", "fn door() {}\n");
    assert_eq!(git(&project, &["add", "src"]).code, 0);
    let said = git(&project, &["commit", "-qm", "doors"]);
    assert!(said.code == 1 && said.stderr.contains("document-left-behind"), "{said:?}");
    project.write(API, "# API\n\ndoors\n");
    assert_eq!(git(&project, &["add", "docs"]).code, 0);
    assert_eq!(git(&project, &["commit", "-qm", "doors"]).code, 0);
}
