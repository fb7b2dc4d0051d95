//! `portcullis doctor` on set-ups in which one thing is wrong, and on set-ups that are well: each fault is found and says how to
//! fix it, `--fix` fixes what it says it can, and nothing is said of what is well.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::cli_clients::good;
use crate::cli_init::{PORTCULLIS, files, portcullis};
use crate::push;
use crate::support::{Said, Scratch, hook_path, run};

/// One thing that is wrong.
struct SeededFault {
    what: &'static str,
    make: fn(&Scratch),
    /// The part, the state and some of the text.
    finding: (&'static str, &'static str, &'static str),
    fixed: bool,
}

const fn seeded(what: &'static str, finding: (&'static str, &'static str, &'static str), make: fn(&Scratch)) -> SeededFault {
    SeededFault { what, make, finding, fixed: false }
}

const fn fixable(what: &'static str, finding: (&'static str, &'static str, &'static str), make: fn(&Scratch)) -> SeededFault {
    SeededFault { what, make, finding, fixed: true }
}

const LOCAL: &str = ".claude/settings.local.json";
const PROJECT: &str = ".claude/settings.json";

fn project(scratch: &Scratch, settings: &Value) {
    scratch.write(PROJECT, &settings.to_string());
}

/// A hook of somebody else on an event.
fn other(scratch: &Scratch, event: &str, command: &str) {
    project(scratch, &json!({ "hooks": { event: [{ "matcher": "*", "hooks": [{ "type": "command", "command": command }] }] } }));
}

fn local(scratch: &Scratch, change: impl FnOnce(&mut Value)) {
    let path = scratch.repo().join(LOCAL);
    let mut root: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    change(&mut root);
    fs::write(path, root.to_string()).unwrap();
}

fn at_home(scratch: &Scratch, path: &str, text: &str) {
    let path = scratch.home().join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn user_policy(scratch: &Scratch, text: &str) {
    at_home(scratch, ".config/portcullis/portcullis.toml", &format!("schema = 1\n{text}"));
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// A call in a session, as the client sends it: no two calls have one id.
fn tool_call(scratch: &Scratch, session: &str, tool: &str, input: &Value) {
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    let mut event: Value = serde_json::from_str(&scratch.payload(tool, &input.to_string(), "default")).unwrap();
    event["session_id"] = session.into();
    event["tool_use_id"] = format!("toolu_{}", CALLS.fetch_add(1, Ordering::Relaxed)).into();
    scratch.hook("PreToolUse", event.to_string().as_bytes());
}

fn call(scratch: &Scratch, session: &str, command: &str) {
    tool_call(scratch, session, "Bash", &json!({ "command": command }));
}

/// A transcript of Claude Code with calls of these tools.
fn session(scratch: &Scratch, name: &str, year: &str, tools: &[&str]) {
    let folder: String = scratch.repo().to_string_lossy().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let line = |tool: &&str| {
        let content = json!([{ "type": "tool_use", "id": tool, "name": tool, "input": {} }]);
        json!({ "type": "assistant", "timestamp": format!("{year}-01-01T10:00:00.000Z"), "message": { "content": content } }).to_string()
    };
    at_home(scratch, &format!(".claude/projects/{folder}/{name}.jsonl"), &tools.iter().map(line).collect::<Vec<_>>().join("\n"));
}

fn rule(name: &str) -> String {
    format!(
        "\n[[rule]]\nname = \"{name}\"\ntier = 4\nrun = {{ program = \"git\", subcommand = \"push\", any_flag = \"--force\" }}\nreason = \"it drops commits\"\ninstead = \"$ git push\"\ncatches = [\"git push --force\"]\nspares = [\"git push\"]\n"
    )
}

const FAULTS: &[SeededFault] = &[
    seeded("all hooks are off", ("wired", "fail", "`disableAllHooks` switches every hook off"), |scratch| {
        project(scratch, &json!({ "disableAllHooks": true }));
    }),
    seeded("a switch of another kind", ("wired", "fail", "`disableAllHooks` is neither true nor false"), |scratch| {
        project(scratch, &json!({ "disableAllHooks": "yes" }));
    }),
    seeded("settings that the client drops", ("wired", "fail", "not JSON"), |scratch| scratch.write(PROJECT, "{")),
    seeded("settings that are empty", ("wired", "fail", "the text is empty"), |scratch| scratch.write(PROJECT, "")),
    seeded("only managed hooks", ("wired", "fail", "`allowManagedHooksOnly` drops"), |scratch| {
        project(scratch, &json!({ "allowManagedHooksOnly": true }));
    }),
    seeded("only hooks of plugins", ("wired", "fail", "`strictPluginOnlyCustomization` drops"), |scratch| {
        project(scratch, &json!({ "strictPluginOnlyCustomization": true }));
    }),
    seeded("the settings change the PATH", ("wired", "fail", "`env` sets `PATH`"), |scratch| project(scratch, &json!({ "env": { "PATH": "/tmp" } }))),
    seeded("the settings drop the hooks", ("wired", "fail", "`CLAUDE_CODE_SIMPLE`, which drops the hooks"), |scratch| {
        project(scratch, &json!({ "env": { "CLAUDE_CODE_SIMPLE": "1" } }));
    }),
    fixable("a failure lets the call through", ("wired", "fail", "onFailure"), |scratch| {
        local(scratch, |root| {
            root["hooks"]["PreToolUse"][0]["hooks"][0].as_object_mut().unwrap().remove("onFailure");
        });
    }),
    fixable("a matcher misses tools", ("wired", "fail", "an event before an action has no entry"), |scratch| {
        local(scratch, |root| root["hooks"]["PreToolUse"][0]["matcher"] = "Bash".into());
    }),
    fixable("the event before a call has no entry", ("wired", "fail", "an event before an action has no entry"), |scratch| {
        local(scratch, |root| {
            root["hooks"].as_object_mut().unwrap().remove("PreToolUse");
        });
    }),
    seeded("wired twice", ("wired", "warn", "judged more than once"), |scratch| {
        good(&portcullis(scratch, &["init", "--yes", "--scope", "project", "--client", "claude-code"]));
    }),
    seeded("another hook changes calls", ("hooks", "warn", "can change a call after it was judged"), |scratch| {
        other(scratch, "PreToolUse", "echo '{\"hookSpecificOutput\":{\"updatedInput\":{}}}'");
    }),
    seeded("a script allows calls", ("hooks", "warn", "another hook on `PreToolUse` can allow"), |scratch| {
        scratch.write("tools/ok.sh", "echo '{\"hookSpecificOutput\":{\"permissionDecision\":\"allow\"}}'\n");
        other(scratch, "PreToolUse", "\"${CLAUDE_PROJECT_DIR}/tools/ok.sh\"");
    }),
    seeded("a hook answers questions", ("hooks", "warn", "another hook on `PermissionRequest` can allow"), |scratch| {
        other(scratch, "PermissionRequest", "echo '{\"hookSpecificOutput\":{\"decision\":{\"behavior\":\"allow\"}}}'");
    }),
    seeded("an alias drops hooks", ("starts", "warn", ".bashrc:2: `--bare`"), |scratch| {
        at_home(scratch, ".bashrc", "# claude --bare\nalias c='claude --bare'\n");
    }),
    seeded("a variable drops hooks", ("starts", "warn", "`CLAUDE_CODE_SIMPLE`"), |scratch| at_home(scratch, ".zshrc", "export CLAUDE_CODE_SIMPLE=1\n")),
    seeded("a script of the project drops hooks", ("starts", "warn", "package.json:1: `--safe-mode`"), |scratch| {
        scratch.write("package.json", "{\"scripts\":{\"ai\":\"claude --safe-mode -p x\"}}");
    }),
    fixable("everyone can change the person's policy", ("files", "fail", "everyone on this machine can change"), |scratch| {
        user_policy(scratch, "");
        mode(&scratch.home().join(".config/portcullis/portcullis.toml"), 0o666);
    }),
    fixable("everyone can change the project's policy", ("files", "fail", "everyone on this machine can change"), |scratch| {
        mode(&scratch.repo().join("portcullis.toml"), 0o646);
    }),
    seeded("the policy has a mistake", ("policy", "fail", "unknown key `rules`"), |scratch| scratch.write("portcullis.toml", "schema = 1\nrules = 1\n")),
    seeded("nothing is denied", ("shadow", "warn", "including the built-in rules"), |scratch| user_policy(scratch, "mode = \"shadow\"\n")),
    seeded("a pack only watches", ("shadow", "warn", "some built-in rules among them"), |scratch| user_policy(scratch, "[[shadow]]\npack = \"git\"\n")),
    seeded("a rule that another one covers", ("rules", "warn", "each of its examples is also stopped by `force-push`"), |scratch| {
        scratch.write("portcullis.toml", &format!("schema = 1\n{}", rule("again")));
    }),
    seeded("a waiver that is over", ("waiver", "warn", "has expired"), |scratch| {
        let waiver = "\n[[waiver]]\nrule = \"again\"\nrun = { program = \"git\", arg = \"x\" }\nreason = \"r\"\nuntil = 2020-01-01\n";
        scratch.write("portcullis.toml", &format!("schema = 1\n{}{waiver}", rule("again")));
    }),
    seeded("a document that is not there", ("flywheel", "warn", "`docs/NOT.md`"), |scratch| {
        scratch.write("portcullis.toml", "schema = 1\n[flywheel]\nmap = [{ code = \"src/**\", docs = [\"docs/NOT.md\"] }]\n");
    }),
    seeded("a policy that git tracks below the root", ("policy", "warn", "`packages/ai/portcullis.toml` is not read"), |scratch| {
        scratch.write("packages/ai/portcullis.toml", "schema = 1\n");
        let repository = git2::Repository::open(scratch.repo()).unwrap();
        let mut index = repository.index().unwrap();
        index.add_path(Path::new("packages/ai/portcullis.toml")).unwrap();
        index.write().unwrap();
    }),
    seeded("a policy at a place that is not read", ("policy", "warn", ".portcullis/portcullis.toml` is a policy that nothing reads"), |scratch| {
        scratch.write(".portcullis/portcullis.toml", "schema = 1\n");
    }),
    seeded("a person's policy at a place that is not read", ("policy", "warn", ".config/portcullis.toml` is a policy that nothing reads"), |scratch| {
        at_home(scratch, ".config/portcullis.toml", "schema = 1\n");
    }),
    seeded("a server without a program", ("servers", "warn", "there is no program `no-such-server`"), |scratch| {
        scratch.write(".mcp.json", "{\"mcpServers\":{\"notes\":{\"command\":\"no-such-server\"}}}");
    }),
];

/// Faults that only what was recorded shows.
const PAST_FAULTS: &[SeededFault] = &[
    seeded("a server that never started", ("servers", "warn", "none of its tools was called in 5 sessions"), |scratch| {
        scratch.write(".mcp.json", "{\"mcpServers\":{\"notes\":{\"command\":\"sh\"},\"used\":{\"command\":\"sh\"}}}");
        for session in ["a", "b", "c", "d", "e"] {
            call(scratch, session, "true");
        }
        tool_call(scratch, "e", "mcp__used__list", &json!({}));
    }),
    seeded("servers that cannot be read", ("servers", "warn", ".mcp.json"), |scratch| scratch.write(".mcp.json", "{\"mcpServers\":")),
    seeded("the record was changed", ("chain", "warn", "the record was changed"), |scratch| {
        call(scratch, "a", "git push --force");
        call(scratch, "a", "true");
        let state = scratch.home().join(".local/state");
        for (path, _, bytes) in files(&state) {
            let text = String::from_utf8_lossy(&bytes);
            if path.contains("record") && text.contains("\"force-push\"") {
                fs::write(state.join(&path), text.replace("\"force-push\"", "\"forse-push\"")).unwrap();
            }
        }
    }),
    seeded("a session that was not seen", ("unseen", "warn", "the session elsewhere made 2 calls"), |scratch| {
        call(scratch, "a", "true");
        session(scratch, "elsewhere", "2099", &["Bash", "Read", "Write"]);
    }),
];

/// What is the case, and how it comes about.
type GoodPast = (&'static str, fn(&Scratch));

/// What the record shows and that is well.
const GOOD_PASTS: &[GoodPast] = &[
    ("each server was used, and one is new", |scratch| {
        scratch.write(".mcp.json", "{ // servers\n \"mcpServers\": {\"notes\":{\"command\":\"sh\"}} }");
        for session in ["a", "b", "c", "d", "e"] {
            call(scratch, session, "true");
        }
        tool_call(scratch, "c", "mcp__notes__list", &json!({}));
        scratch.write(".gemini/settings.json", "{\"mcpServers\":{\"fresh\":{\"command\":\"sh\"}}}");
        call(scratch, "f", "true");
    }),
    ("a server that few sessions could have used", |scratch| {
        scratch.write(".mcp.json", "{\"mcpServers\":{\"notes\":{\"command\":\"sh\"}}}");
        for session in ["a", "b", "c", "d"] {
            call(scratch, session, "true");
        }
    }),
    ("a record as it was written", |scratch| {
        for at in 0..20 {
            call(scratch, "a", if at % 2 == 0 { "git push --force" } else { "true" });
        }
    }),
    ("sessions that were seen, or began before Portcullis was there", |scratch| {
        call(scratch, "seen", "true");
        session(scratch, "seen", "2099", &["Bash", "Write"]);
        session(scratch, "before", "2001", &["Bash", "Write"]);
        // It changed nothing.
        session(scratch, "looked", "2099", &["Read", "Grep"]);
    }),
    ("policies where they are read", |scratch| {
        scratch.write("portcullis.toml", "schema = 1\n");
        scratch.write(".portcullis/local.toml", "schema = 1\n");
        user_policy(scratch, "");
        // A policy of a repository of its own.
        scratch.write("vendor/other/portcullis.toml", "schema = 1\n");
    }),
];

#[test]
fn nothing_is_said_of_a_past_that_is_well() {
    for (what, make) in GOOD_PASTS {
        let scratch = Scratch::new();
        good(&portcullis(&scratch, &["init", "--yes", "--client", "claude-code"]));
        make(&scratch);
        let found = wrong(&portcullis(&scratch, &["doctor", "--json"]));
        assert!(found.is_empty(), "{what}: {found:#?}");
    }
}

/// `part state text` of what is not well, with the fix.
fn wrong(said: &Said) -> Vec<[String; 4]> {
    let value: Value = serde_json::from_str(&said.stdout).unwrap_or_else(|error| panic!("{error}: {}{}", said.stdout, said.stderr));
    let findings = value["findings"].as_array().unwrap().iter().filter(|finding| finding["state"] != "ok");
    findings.map(|finding| ["part", "state", "text", "fix"].map(|key| finding[key].as_str().unwrap().to_owned())).collect()
}

fn has(found: &[[String; 4]], (part, state, text): (&str, &str, &str)) -> bool {
    found.iter().any(|finding| finding[0] == part && finding[1] == state && finding[2].contains(text))
}

#[test]
fn each_seeded_fault_of_the_first_half_is_found_and_says_its_fix() {
    found_and_mended(&FAULTS[..FAULTS.len() / 2]);
}

#[test]
fn each_seeded_fault_of_the_second_half_is_found_and_says_its_fix() {
    found_and_mended(&FAULTS[FAULTS.len() / 2..]);
}

#[test]
fn each_fault_that_the_record_shows_is_found() {
    found_and_mended(PAST_FAULTS);
}

/// Each run starts the real programs some times, so the faults are shared out to two tests.
fn found_and_mended(faults: &[SeededFault]) {
    for fault in faults {
        let scratch = Scratch::new();
        good(&portcullis(&scratch, &["init", "--yes", "--client", "claude-code"]));
        (fault.make)(&scratch);
        let said = portcullis(&scratch, &["doctor", "--json"]);
        let found = wrong(&said);
        assert!(has(&found, fault.finding), "{}: {:?} in {found:#?}", fault.what, fault.finding);
        assert_eq!(said.code, i32::from(found.iter().any(|finding| finding[1] == "fail")), "{}: {found:#?}", fault.what);
        assert!(found.iter().all(|finding| !finding[3].is_empty()), "{}: {found:#?}", fault.what);
        if fault.fixed {
            let fixed = wrong(&portcullis(&scratch, &["doctor", "--fix", "--json"]));
            assert!(!has(&fixed, fault.finding), "{}: {fixed:#?}", fault.what);
        }
    }
}

/// Who may change and start the programs, on a copy of them.
#[test]
fn programs_that_others_can_change_are_found_and_mended() {
    let scratch = Scratch::new();
    let folder = scratch.home().join(".local/bin");
    fs::create_dir_all(&folder).unwrap();
    let (hook, cold) = (folder.join("portcullis-hook"), folder.join("portcullis"));
    fs::copy(hook_path(), &hook).unwrap();
    fs::copy(PORTCULLIS, &cold).unwrap();
    let own = |arguments: &[&str]| run(scratch.command(cold.to_str().unwrap()).env_remove("CLAUDE_PROJECT_DIR").args(arguments), b"");
    good(&own(&["init", "--yes", "--client", "claude-code"]));
    assert!(wrong(&own(&["doctor", "--json"])).is_empty());
    let faults: [(&Path, u32, &str); 4] = [
        (&hook, 0o757, "everyone on this machine can change"),
        (&cold, 0o777, "everyone on this machine can change"),
        (&hook, 0o644, "is not executable"),
        (&folder, 0o777, "everyone on this machine can replace the programs"),
    ];
    for (path, seeded, text) in faults {
        mode(path, seeded);
        let found = wrong(&own(&["doctor", "--json"]));
        assert!(has(&found, ("files", "fail", text)), "{text}: {found:#?}");
        let fixed = wrong(&own(&["doctor", "--fix", "--json"]));
        assert!(fixed.is_empty(), "{text}: {fixed:#?}");
    }
    // Another program of this name comes first on the PATH.
    let other = scratch.home().join("other");
    fs::create_dir_all(&other).unwrap();
    fs::write(other.join("portcullis"), "#!/bin/sh\n").unwrap();
    mode(&other.join("portcullis"), 0o755);
    let path = format!("{}:{}", other.display(), std::env::var("PATH").unwrap_or_default());
    let said = run(scratch.command(cold.to_str().unwrap()).env("PATH", path).args(["doctor", "--json"]), b"");
    assert!(has(&wrong(&said), ("build", "warn", "which is another one than this")), "{}", said.stdout);
}

/// Hook managers, by what they leave behind.
const MANAGERS: [(&str, &str); 5] = [
    ("none", "true"),
    ("own hook", "printf '#!/bin/sh\\nexit 0\\n' >.git/hooks/pre-commit; chmod +x .git/hooks/pre-commit"),
    ("githooks", "mkdir .githooks; printf '#!/bin/sh\\nexit 0\\n' >.githooks/pre-commit; chmod +x .githooks/pre-commit; git config core.hooksPath .githooks"),
    ("husky", crate::git_layouts::HUSKY_AT_ROOT),
    ("linked", "git worktree add -q ../linked -b linked"),
];

#[test]
fn nothing_is_said_of_what_is_well() {
    let mut count = 0;
    for (client, scope) in
        [("claude-code", "local"), ("claude-code", "project"), ("claude-code", "user"), ("gemini", "project"), ("qwen", "user"), ("cursor", "project")]
    {
        for (manager, prepare) in MANAGERS {
            let scratch = push::Scratch::new();
            let said = scratch.shell("work", prepare);
            good(&said);
            let folder = if manager == "linked" { "linked" } else { "work" };
            let person = |arguments: &[&str]| run(scratch.command(PORTCULLIS, folder).env_remove("CLAUDECODE").args(arguments), b"");
            good(&person(&["init", "--yes", "--git", "--client", client, "--scope", scope]));
            let said = person(&["doctor", "--json"]);
            good(&said);
            let found = wrong(&said);
            assert!(found.is_empty(), "{client} {scope} {manager}: {found:#?}");
            count += 1;
        }
    }
    assert!(count >= 20);
}
