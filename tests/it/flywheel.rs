//! The documentation flywheel through the real hook and the real cold binary: a day in order, what is no signal, many
//! processes at once, the guard of what was learned, the command for people. What commits resolve is `flywheel_commits`'.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use flywheel::{Suggestion, SuggestionKind, page};
use portcullis::deep::flywheel::Desk;

use crate::support::{Said, Scratch, json, run};

/// The cold binary.
pub(crate) const COLD: &str = env!("CARGO_BIN_EXE_portcullis");
pub(crate) const INBOX: &str = "docs/flywheel/pending.md";
pub(crate) const ARCHIVE: &str = "docs/flywheel/archive.md";

/// A repository with a policy, and a session in it.
pub(crate) struct Day {
    pub(crate) scratch: Scratch,
    calls: std::cell::Cell<usize>,
}

impl Day {
    pub(crate) fn new(section: &str) -> Self {
        let scratch = Scratch::new();
        scratch.write("portcullis.toml", &format!("schema = 1\n{section}"));
        Self { scratch, calls: std::cell::Cell::new(0) }
    }

    pub(crate) fn event(&self, name: &str, fields: &str) -> Said {
        self.event_of("s1", name, fields)
    }

    pub(crate) fn event_of(&self, session: &str, name: &str, fields: &str) -> Said {
        let cwd = json(&self.scratch.repo().to_string_lossy());
        let input = format!(r#"{{"session_id":"{session}","cwd":{cwd},"permission_mode":"default","hook_event_name":"{name}",{fields}}}"#);
        self.scratch.hook(name, input.as_bytes())
    }

    /// A tool call: before it, and after it unless it was stopped. `fails` is the error that it ends with.
    pub(crate) fn call_of(&self, session: &str, tool: &str, input: &str, fails: Option<&str>) -> (Said, Option<Said>) {
        let at = self.calls.get();
        self.calls.set(at + 1);
        let call = format!(r#""tool_name":"{tool}","tool_input":{input},"tool_use_id":"t{at}""#);
        let before = self.event_of(session, "PreToolUse", &call);
        if before.short() != "free" {
            return (before, None);
        }
        let after = match fails {
            Some(error) => self.event_of(session, "PostToolUseFailure", &format!(r#"{call},"error":{},"is_interrupt":false"#, json(error))),
            None => self.event_of(session, "PostToolUse", &format!(r#"{call},"tool_response":{{"stdout":""}}"#)),
        };
        (before, Some(after))
    }

    pub(crate) fn bash(&self, command: &str, fails: Option<&str>) -> (Said, Option<Said>) {
        self.call_of("s1", "Bash", &format!(r#"{{"command":{}}}"#, json(command)), fails)
    }

    pub(crate) fn edit(&self, path: &str) {
        let path = json(&self.scratch.repo().join(path).to_string_lossy());
        self.call_of("s1", "Edit", &format!(r#"{{"file_path":{path},"old_string":"a","new_string":"b"}}"#), None);
    }

    pub(crate) fn stop(&self) -> String {
        context(&self.event("Stop", r#""stop_hook_active":false"#))
    }

    pub(crate) fn inbox(&self) -> Vec<Suggestion> {
        Desk::inbox(&self.scratch.repo(), INBOX)
    }

    pub(crate) fn desk(&self) -> Desk {
        Desk::open(&self.scratch.world().at(&self.scratch.repo()).unwrap().memory).unwrap()
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.scratch.repo().join(path)).unwrap_or_default()
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Said {
        run(self.scratch.command(COLD).arg("flywheel").args(arguments), b"")
    }
}

/// What the model is given beside an event; empty: nothing.
pub(crate) fn context(said: &Said) -> String {
    assert_eq!((said.code, said.stderr.as_str()), (0, ""), "{said:?}");
    if said.stdout.is_empty() {
        return String::new();
    }
    let answer: serde_json::Value = serde_json::from_str(&said.stdout).unwrap();
    assert!(answer.get("decision").is_none() && answer.get("continue").is_none(), "it is never a block");
    let text = answer["hookSpecificOutput"]["additionalContext"].as_str().unwrap_or_default();
    // The first line at the start of a session is of the gate itself.
    let lines: Vec<&str> =
        text.lines().filter(|line| !["judges each tool call here", "another agent session works"].iter().any(|own| line.contains(own))).collect();
    lines.join("\n")
}

fn kinds(day: &Day) -> Vec<&'static str> {
    day.inbox().iter().map(|one| one.kind.name()).collect()
}

const ON: &str = "[flywheel]\n";
const MISSING: &str = "Exit code 1\nREGION is not set in config/deploy.yml";

/// What happens, and what of it lands in the inbox.
struct Row {
    name: &'static str,
    does: fn(&Day),
    kinds: &'static [&'static str],
}

const ROWS: &[Row] = &[
    Row {
        name: "failed, changed, worked",
        does: |day| {
            day.bash("./deploy.sh staging", Some(MISSING));
            day.edit("config/deploy.yml");
            day.bash("./deploy.sh staging", None);
        },
        kinds: &["fixed"],
    },
    Row {
        name: "the same command, shown otherwise",
        does: |day| {
            day.bash("cd /tmp && ./deploy.sh  staging 2>&1 | tail -5", Some(MISSING));
            day.edit("config/deploy.yml");
            day.bash("./deploy.sh staging", None);
        },
        kinds: &["fixed"],
    },
    Row {
        name: "failed and worked, and nothing changed",
        does: |day| {
            day.bash("./deploy.sh staging", Some(MISSING));
            day.bash("./deploy.sh staging", None);
        },
        kinds: &[],
    },
    Row {
        name: "changed before it failed",
        does: |day| {
            day.edit("config/deploy.yml");
            day.bash("./deploy.sh staging", Some(MISSING));
            day.bash("./deploy.sh staging", None);
        },
        kinds: &[],
    },
    Row {
        name: "a test that is red and then green is how code is written",
        does: |day| {
            day.bash("cargo test lexer", Some("Exit code 101\nassertion failed"));
            day.edit("src/lexer.rs");
            day.bash("cargo test lexer", None);
        },
        kinds: &[],
    },
    Row {
        name: "a build that a setting mends is worth a line",
        does: |day| {
            day.bash("cargo build", Some("Exit code 101\nerror: feature `x` is missing"));
            day.edit("Cargo.toml");
            day.bash("cargo build", None);
        },
        kinds: &["fixed"],
    },
    Row {
        name: "nothing found is an answer",
        does: |day| {
            day.bash("grep -r needle src", Some("Exit code 1"));
            day.edit("config/deploy.yml");
            day.bash("grep -r needle src", None);
            day.bash("ls missing", Some("Exit code 2\nls: cannot access"));
            day.bash("ls missing", Some("Exit code 2\nls: cannot access"));
            day.bash("ls missing", Some("Exit code 2\nls: cannot access"));
        },
        kinds: &[],
    },
    Row {
        name: "words of success in a failure, and of failure in a success, count for nothing",
        does: |day| {
            day.bash("./deploy.sh staging", Some("Exit code 1\nall tests passed, deploy succeeded, fixed"));
            day.bash("echo 'fatal error: failed, workaround, gotcha'", None);
        },
        kinds: &[],
    },
    Row {
        name: "the same failure three times",
        does: |day| {
            for _ in 0..3 {
                day.bash("terraform plan", Some("Exit code 1\nError: no credentials"));
            }
        },
        kinds: &["again"],
    },
    Row {
        name: "three failures that differ",
        does: |day| {
            for at in 0..3 {
                day.bash("terraform plan", Some(&format!("Exit code 1\nError: line {at}")));
            }
        },
        kinds: &[],
    },
    Row {
        name: "the same failure in three sessions",
        does: |day| {
            for session in ["s2", "s3", "s1"] {
                day.call_of(session, "Bash", r#"{"command":"terraform plan"}"#, Some("Exit code 1\nError: no credentials"));
            }
        },
        kinds: &["again"],
    },
    Row {
        name: "the same failure in two sessions may be a slip",
        does: |day| {
            day.bash("git show nosuch", Some("Exit code 128\nfatal: bad revision"));
            day.call_of("s2", "Bash", r#"{"command":"git show nosuch"}"#, Some("Exit code 128\nfatal: bad revision"));
        },
        kinds: &[],
    },
    Row {
        name: "waited for until it came",
        does: |day| {
            for _ in 0..5 {
                day.bash("curl -s localhost:8080/health", Some("Exit code 7\ncurl: (7) connection refused"));
            }
            day.bash("curl -s localhost:8080/health", None);
        },
        kinds: &[],
    },
    Row {
        name: "the same failure while it is worked on is work",
        does: |day| {
            for at in 0..4 {
                day.bash("node --check lib/a.js", Some("Exit code 1\nSyntaxError: Unexpected token"));
                day.edit(&format!("lib/{}.js", at % 2));
            }
        },
        kinds: &[],
    },
    Row {
        name: "what several changes did not mend, and one did",
        does: |day| {
            for at in 0..3 {
                day.bash("cargo test lexer", Some("Exit code 101\nerror: linking failed"));
                day.edit(&format!("src/{at}.rs"));
            }
            day.bash("cargo test lexer", None);
        },
        kinds: &["fixed"],
    },
    Row {
        name: "a file that is being written fails until it is right",
        does: |day| {
            day.edit("settings.json");
            for command in ["npm run build", "jq . settings.json", "node load.js"] {
                day.bash(command, Some("Exit code 1\nSyntaxError: not JSON"));
                day.edit("settings.json");
                day.bash(command, None);
            }
        },
        kinds: &[],
    },
    Row {
        name: "what a command names is what it checks",
        does: |day| {
            day.bash("python -m yamllint ./deploy/a.yml", Some("Exit code 1\ntoo long"));
            day.edit("deploy/a.yml");
            day.bash("python -m yamllint ./deploy/a.yml", None);
            day.bash("./scripts/report.toml.sh", Some("Exit code 1\nnothing to report"));
            day.edit("scripts/report.toml.sh");
            day.bash("./scripts/report.toml.sh", None);
        },
        kinds: &[],
    },
    Row {
        name: "a change that had nothing to do with it",
        does: |day| {
            day.bash("git fetch upstream", Some("Exit code 128\nfatal: could not read from remote"));
            day.edit("README.md");
            day.bash("git fetch upstream", None);
            day.bash("./serve.sh", Some("Exit code 1\naddress in use"));
            day.edit("a.toml");
            for _ in 0..9 {
                day.bash("true", None);
            }
            day.bash("./serve.sh", None);
        },
        kinds: &[],
    },
    Row {
        name: "no word, and what git answers, are answers",
        does: |day| {
            for command in ["git commit -m wip", "git merge topic"] {
                for _ in 0..3 {
                    day.bash(command, Some("Exit code 1\nnothing to commit, working tree clean"));
                }
            }
            for _ in 0..3 {
                day.bash("./is-ready", Some("Exit code 1"));
                day.bash("cat a.log && tail b.log", Some("Exit code 1\ncat: a.log: no such file"));
                day.bash("./slow", Some("Exit code 143\nCommand timed out after 2m"));
            }
        },
        kinds: &[],
    },
    Row {
        name: "denied, and another way taken",
        does: |day| {
            assert_eq!(day.bash("git push --force origin topic", None).0.code, 2);
            day.bash("git push origin topic", None);
        },
        kinds: &["denied"],
    },
    Row {
        name: "denied, and something else done",
        does: |day| {
            assert_eq!(day.bash("git push --force origin topic", None).0.code, 2);
            day.bash("cargo doc", None);
            assert_eq!(day.bash("git add a && git push --force origin topic", None).0.code, 2);
            day.bash("git status -sb", None);
            day.bash("git add a", None);
        },
        kinds: &[],
    },
    Row {
        name: "a person stops a call and says what they want",
        does: |day| {
            day.event("PreToolUse", r#""tool_name":"Bash","tool_input":{"command":"npm install left-pad"},"tool_use_id":"x""#);
            day.event("UserPromptSubmit", r#""prompt":"no, use what is there""#);
        },
        kinds: &["corrected"],
    },
    Row {
        name: "a person has seen enough",
        does: |day| {
            day.event("PreToolUse", r#""tool_name":"Bash","tool_input":{"command":"sleep 60 && tail -f log"},"tool_use_id":"x""#);
            day.event("UserPromptSubmit", r#""prompt":"go on""#);
        },
        kinds: &[],
    },
    Row {
        name: "a person's next prompt after a turn that ended",
        does: |day| {
            day.event("PreToolUse", r#""tool_name":"Bash","tool_input":{"command":"npm install"},"tool_use_id":"x","run_in_background":true"#);
            day.event("Stop", r#""stop_hook_active":false"#);
            day.event("UserPromptSubmit", r#""prompt":"and now the docs""#);
        },
        kinds: &[],
    },
    Row {
        name: "a person writes while a call runs, which then ends",
        does: |day| {
            let call = r#""tool_name":"Bash","tool_input":{"command":"npm install"},"tool_use_id":"x""#;
            day.event("PreToolUse", call);
            day.event("UserPromptSubmit", r#""prompt":"and then the docs""#);
            day.event("PostToolUse", &format!(r#"{call},"tool_response":{{"stdout":""}}"#));
        },
        kinds: &[],
    },
    Row {
        name: "a background task speaks, not a person",
        does: |day| {
            day.event("PreToolUse", r#""tool_name":"Bash","tool_input":{"command":"npm install"},"tool_use_id":"x""#);
            day.event("UserPromptSubmit", r#""prompt":"<task-notification>\n<task-id>b</task-id></task-notification>""#);
        },
        kinds: &[],
    },
    Row {
        name: "at most so many a session",
        does: |day| {
            for at in 0..9 {
                day.bash(&format!("./deploy.sh {at}"), Some(MISSING));
                day.edit(&format!("config/{at}.yml"));
                day.bash(&format!("./deploy.sh {at}"), None);
            }
        },
        kinds: &["fixed"; 5],
    },
];

#[test]
fn what_is_a_signal_and_what_is_not() {
    for row in ROWS {
        let day = Day::new(ON);
        day.event("SessionStart", r#""source":"startup""#);
        (row.does)(&day);
        day.stop();
        assert_eq!(kinds(&day), row.kinds, "{}: {:#?}", row.name, day.inbox());
        // Looked at again, it is the same.
        day.stop();
        assert_eq!(kinds(&day), row.kinds, "{}, again", row.name);
    }
}

#[test]
fn without_the_section_nothing_happens() {
    let day = Day::new("");
    (ROWS[0].does)(&day);
    assert_eq!(day.stop(), "");
    assert!(!day.scratch.repo().join("docs").exists());
    let memory = day.scratch.world().at(&day.scratch.repo()).unwrap().memory;
    assert!(fs::read_dir(&memory[0]).unwrap().all(|entry| !entry.unwrap().file_name().to_string_lossy().starts_with("flywheel")));
}

#[test]
fn what_is_new_is_told_once() {
    let day = Day::new(ON);
    assert_eq!(context(&day.event("SessionStart", r#""source":"startup""#)), "");
    (ROWS[0].does)(&day);
    let told = day.stop();
    assert!(told.contains("1 in `docs/flywheel/pending.md`") && told.contains("`./deploy.sh staging` failed"), "{told}");
    assert_eq!(day.stop(), "", "told once");
    // While a turn continues because of a hook, nothing is added to it; the next event tells.
    for _ in 0..3 {
        day.bash("terraform plan", Some("Exit code 1\nError: no credentials"));
    }
    assert_eq!(context(&day.event("Stop", r#""stop_hook_active":true"#)), "");
    let (_, after) = day.bash("true", None);
    assert!(context(&after.unwrap()).contains("terraform plan"));
    let (_, after) = day.bash("true", None);
    assert_eq!(context(&after.unwrap()), "");
    // A sub-agent's end tells its caller, not the sub-agent.
    day.bash("./migrate.sh", Some("Exit code 1\nno database"));
    day.edit("config/database.yml");
    day.bash("./migrate.sh", None);
    assert_eq!(context(&day.event("SubagentStop", r#""agent_id":"a","agent_type":"Explore","stop_hook_active":false"#)), "");
    assert!(context(&day.bash("true", None).1.unwrap()).contains("migrate.sh"));
    // The next session is reported in five lines at most.
    let start = context(&day.event_of("s2", "SessionStart", r#""source":"startup""#));
    assert!(start.starts_with("3 suggestions wait") && start.lines().count() <= 5, "{start}");
    assert_eq!(context(&day.event_of("s2", "Stop", r#""stop_hook_active":false"#)), "");
}

#[test]
fn no_secret_gets_into_the_inbox() {
    let day = Day::new(ON);
    let token = ["aB3dE5fG7hJ9", "kL1mN2pQ4rS6"].concat();
    let command = format!("curl -H 'Authorization: Bearer {token}' https://api.example/deploy");
    day.bash(&command, Some(&format!("Exit code 22\nno such user: https://deploy:{token}@api.example")));
    day.edit("config/deploy.yml");
    day.bash(&command, None);
    day.stop();
    assert_eq!(kinds(&day), ["fixed"]);
    assert!(!day.read(INBOX).contains(&token) && !day.read(INBOX).contains("aB3dE5fG7hJ9"), "{}", day.read(INBOX));
}

#[test]
fn a_link_is_not_written_through() {
    let day = Day::new(ON);
    let outside = day.scratch.home().join("notes.md");
    fs::write(&outside, "mine\n").unwrap();
    fs::create_dir_all(day.scratch.repo().join("docs/flywheel")).unwrap();
    std::os::unix::fs::symlink(&outside, day.scratch.repo().join(INBOX)).unwrap();
    (ROWS[0].does)(&day);
    day.stop();
    assert_eq!(fs::read_to_string(&outside).unwrap(), "mine\n");
    let day = Day::new(ON);
    std::os::unix::fs::symlink(day.scratch.home(), day.scratch.repo().join("docs")).unwrap();
    (ROWS[0].does)(&day);
    day.stop();
    assert!(!day.scratch.home().join("flywheel").exists());
}

const PROCESSES: usize = 8;
const SUGGESTIONS: usize = 10_000;
const BATCH: usize = 10;

fn made_up(at: usize) -> Suggestion {
    let one = Suggestion::new(
        SuggestionKind::Fixed,
        &[&at.to_string()],
        1_700_000_000_000 + at as u64 * 1000,
        "docs/learnings.md",
        &format!("`command {at}` failed, and works since `a b.toml` changed"),
    );
    one.with(
        [format!("failed: `command {at}` (exit 1): `an error of some length, {at}`"), "changed: `a b.toml`".to_owned()],
        &format!("- `command {at}`: mended."),
    )
}

/// Started as a process of its own by the test below; by itself it does nothing.
#[test]
fn one_of_many_appends() {
    let Ok(process) = std::env::var("PORTCULLIS_FLYWHEEL_PROCESS") else { return };
    let process: usize = process.parse().unwrap();
    let root = std::env::current_dir().unwrap();
    let memory = [std::path::PathBuf::from(std::env::var_os("PORTCULLIS_FLYWHEEL_MEMORY").unwrap())];
    for batch in 0..SUGGESTIONS / BATCH {
        // Each batch is offered by two of the processes.
        if batch % PROCESSES == process || (batch + 1) % PROCESSES == process {
            let all = (batch * BATCH..(batch + 1) * BATCH).map(|at| (made_up(at), Vec::new())).collect();
            Desk::open(&memory).unwrap().capture(&root, INBOX, "s", all).unwrap();
        }
    }
}

#[test]
fn eight_processes_append_ten_thousand() {
    let day = Day::new(ON);
    let memory = day.scratch.world().at(&day.scratch.repo()).unwrap().memory[0].clone();
    let start = |process: usize| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "flywheel::one_of_many_appends", "--quiet"]).current_dir(day.scratch.repo());
        command.env("PORTCULLIS_FLYWHEEL_PROCESS", process.to_string()).env("PORTCULLIS_FLYWHEEL_MEMORY", &memory).stdout(std::process::Stdio::null());
        command.spawn().unwrap()
    };
    let children: Vec<_> = (0..PROCESSES).map(start).collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let expected: BTreeSet<String> = (0..SUGGESTIONS).map(|at| page::render(&made_up(at))).collect();
    let text = day.read(INBOX);
    let found = day.inbox();
    let rendered: BTreeSet<String> = found.iter().map(page::render).collect();
    assert_eq!(found.len(), SUGGESTIONS, "none is lost, none stands twice");
    assert!(rendered == expected, "each is whole");
    assert_eq!(text.len(), page::INBOX.len() + expected.iter().map(String::len).sum::<usize>(), "and nothing else is there");
    assert_eq!(day.desk().standings().len(), SUGGESTIONS);
}

#[test]
fn what_a_process_had_begun_is_ended_by_the_next() {
    let memory = |day: &Day| day.scratch.world().at(&day.scratch.repo()).unwrap().memory[0].clone();
    for stage in ["begun", "in the inbox", "in the ledger"] {
        let day = Day::new(ON);
        drop(day.desk());
        let begun = memory(&day).join("flywheel.begun");
        let step = flywheel::ledger::LedgerStep {
            suggestion: Some(made_up(1)),
            ..flywheel::ledger::LedgerStep::of(flywheel::ledger::What::Captured, &made_up(1).id, made_up(1).time)
        };
        if stage != "begun" {
            day.desk().put_in(&day.scratch.repo(), INBOX, &[&made_up(1)]).unwrap();
        }
        if stage == "in the ledger" {
            day.desk().step(std::slice::from_ref(&step)).unwrap();
        }
        fs::write(&begun, format!("{}\n{INBOX}\n{}", day.scratch.repo().display(), step.line())).unwrap();
        day.desk().capture(&day.scratch.repo(), INBOX, "s", vec![(made_up(1), Vec::new()), (made_up(2), Vec::new())]).unwrap();
        assert_eq!(day.inbox(), [made_up(1), made_up(2)], "{stage}");
        assert_eq!(day.desk().standings().len(), 2, "{stage}");
        assert!(!begun.exists());
    }
}

#[test]
fn learnings_leave_only_into_the_archive() {
    let lessons = |range: std::ops::Range<usize>| range.map(|at| format!("- lesson {at}: what it was\n")).collect::<Vec<_>>().concat();
    let (text, leaving) = (lessons(0..10), lessons(0..5));
    let without = |count: usize| lessons(count..10);
    let write = |path: &str, text: &str| ("Write", format!(r#"{{"file_path":"ROOT/{path}","content":{}}}"#, json(text)));
    let bash = |command: &str| ("Bash", format!(r#"{{"command":{}}}"#, json(command)));
    let edit = |old: &str, new: &str| ("Edit", format!(r#"{{"file_path":"ROOT/docs/learnings.md","old_string":{},"new_string":{}}}"#, json(old), json(new)));
    let rows = [
        ("wiped", write("docs/learnings.md", ""), "ask learnings-lost"),
        ("half of it goes", write("docs/learnings.md", &without(5)), "ask learnings-lost"),
        ("two of ten may go", write("docs/learnings.md", &without(2)), "free"),
        ("three of ten may not", write("docs/learnings.md", &without(3)), "ask learnings-lost"),
        ("it grows", write("docs/learnings.md", &format!("{text}- one more\n")), "free"),
        ("it is set in another order", write("docs/learnings.md", &text.replace("- ", "* ").lines().rev().collect::<Vec<_>>().join("\n")), "free"),
        ("an edit takes five out", edit(&leaving, ""), "ask learnings-lost"),
        ("an edit of one line", edit("- lesson 3: what it was\n", "- lesson 3: what it is\n"), "free"),
        ("a shell writes over it", bash("echo gone > docs/learnings.md"), "ask learnings-lost"),
        ("a shell adds to it", bash("echo '- lesson 11' >> docs/learnings.md"), "free"),
        ("emptied by a redirection", bash(": > docs/learnings.md"), "ask learnings-lost"),
        ("deleted", bash("rm docs/learnings.md"), "ask learnings-lost"),
        ("deleted with its folder", bash("rm -r docs"), "ask learnings-lost"),
        ("sed takes five out", bash("sed -i 1,5d docs/learnings.md"), "ask learnings-lost"),
        ("what awk leaves is not known", bash("awk 1 docs/a > docs/learnings.md"), "ask learnings-lost"),
        ("the archive is wiped", write("docs/flywheel/archive.md", ""), "ask learnings-lost"),
        ("another file", write("docs/other.md", ""), "free"),
    ];
    for (name, (tool, input), expected) in rows {
        for archived in [false, true] {
            let day = Day::new(ON);
            day.scratch.write("docs/learnings.md", &text);
            day.scratch.write(ARCHIVE, if archived { &text } else { "# Written down\n\n- an old one\n" });
            let input = input.replace("ROOT", &day.scratch.repo().to_string_lossy());
            let said = day.scratch.judge("PreToolUse", &day.scratch.payload(tool, &input, "default")).short();
            // With all of it archived, whatever leaves is kept; that the archive itself goes is not.
            let unknown = name.contains("awk") || name.contains("archive") || name.contains("folder");
            let expected = if archived && !unknown { "free" } else { expected };
            let said = if name.contains("folder") && said.contains("learnings-lost") { "ask learnings-lost".to_owned() } else { said };
            assert_eq!(said, expected, "{name}, archived: {archived}");
        }
    }
}

#[test]
fn the_command_shows_and_settles() {
    let day = Day::new(ON);
    (ROWS[0].does)(&day);
    for _ in 0..3 {
        day.bash("terraform plan", Some("Exit code 1\nError: no credentials"));
    }
    day.stop();
    let ids: Vec<String> = day.inbox().into_iter().map(|one| one.id).collect();
    assert_eq!(ids.len(), 2);
    let list = day.command(&["list"]);
    assert!(list.code == 0 && list.stdout.contains(&ids[0]) && list.stdout.contains("2 suggestions"), "{list:?}");
    let shown = day.command(&["show", &ids[0], "--json"]).stdout;
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    assert_eq!((shown["kind"].as_str(), shown["target"].as_str()), (Some("fixed"), Some("docs/learnings.md")));
    assert!(day.command(&["show", &ids[1][..4]]).stdout.contains("terraform"));
    // A dry run changes nothing.
    assert_eq!(day.command(&["drop", &ids[0], "--dry-run"]).code, 0);
    assert!(day.command(&["promote", &ids[0], "--dry-run"]).stdout.contains("+- `./deploy.sh staging`"));
    assert!(day.inbox().len() == 2 && !day.scratch.repo().join("docs/learnings.md").exists());
    let promoted = day.command(&["promote", &ids[0]]);
    assert!(promoted.code == 0 && promoted.stdout.contains("+- `./deploy.sh staging`"), "{promoted:?}");
    assert!(day.read("docs/learnings.md").contains("./deploy.sh staging"));
    assert_eq!(day.command(&["drop", &ids[1], "--reason", "known"]).code, 0);
    assert!(day.read(ARCHIVE).contains("Ended: dropped by hand") && day.read(ARCHIVE).contains(": known"));
    assert_eq!(day.inbox().len(), 1);
    // What was dropped does not come back.
    for _ in 0..3 {
        day.bash("terraform plan", Some("Exit code 1\nError: no credentials"));
    }
    assert_eq!(day.stop(), "");
    assert_eq!(day.command(&["done", &ids[0]]).code, 0);
    assert!(day.inbox().is_empty());
    assert_eq!(day.command(&["done", &ids[0]]).code, 1);
    let stats: serde_json::Value = serde_json::from_str(&day.command(&["stats", "--json"]).stdout).unwrap();
    assert_eq!(
        (stats["captured"].as_u64(), stats["open"].as_u64(), stats["ended"]["done"].as_u64(), stats["ended"]["dropped"].as_u64()),
        (Some(2), Some(0), Some(1), Some(1))
    );
    assert!(day.command(&["stats"]).stdout.contains("captured 2, open 0"));
    assert_eq!(day.command(&["stats", "--html", "page.html"]).code, 0);
    let page = day.read("page.html");
    assert!(page.contains("<polyline") && !page.contains("src=") && !page.contains("http"), "{page}");
    // What was learned goes to the archive by the tool itself.
    assert!(day.command(&["archive", "deploy.sh", "--dry-run"]).stdout.contains("-- `./deploy.sh"));
    assert_eq!(day.command(&["archive", "deploy.sh"]).code, 0);
    assert!(!day.read("docs/learnings.md").contains("deploy.sh") && day.read(ARCHIVE).contains("# Learned, and archived"));
    assert_eq!(Day::new("").command(&["list"]).code, 1);
}

#[test]
fn mistakes_of_the_section_are_all_told_with_their_place() {
    let day = Day::new(
        "[flywheel]\ninbox = \"../out.md\"\narchive = \".git/hooks/post-commit\"\nlearnings = \"/etc/learnings.md\"\nper_session = 0\nshrink = 101\ncolour = 1\nmap = [{ code = \"src/**\", docs = \"docs/*.md\", gate = 1 }, { code = [] }]\n",
    );
    let said = run(day.scratch.command(COLD).arg("doctor"), b"").stdout;
    for part in [
        "`../out.md` is not a path",
        "is not a Markdown file",
        "`/etc/learnings.md` is not a path",
        "`per_session` is 0",
        "`shrink` is 101",
        "unknown key `colour`",
        "is a glob",
        "stops nothing",
        "`code` is empty",
        "needs `docs`",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(said.contains("portcullis.toml:3"));
    let day = Day::new("[flywheel]\nmap = { code = \"src/**\", docs = [\"docs/none.md\"] }\n");
    assert!(run(day.scratch.command(COLD).arg("doctor"), b"").stdout.contains("the map names `docs/none.md` (portcullis.toml"));
}
