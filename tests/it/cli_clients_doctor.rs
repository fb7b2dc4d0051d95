//! `portcullis doctor` on clients that are wired and something keeps them from starting the hook: each is found, and fixed by
//! `--fix` where it says so.

use std::fs;
use std::path::Path;

use clients::wiring::{ClientWiring, HookForm, WIRINGS};
use portcullis::cli::init::scope::Scope;
use serde_json::Value;

use crate::cli_clients::{call, confirm, findings, good, hooks_path, install, started};
use crate::cli_init::{as_person, portcullis};
use crate::support::{Said, Scratch, run};

/// What is wrong with one client.
struct Seeded {
    client: &'static str,
    what: &'static str,
    make: fn(&Scratch, &Path),
    /// The state and a part of the text of the finding.
    finding: &'static str,
    fixed: bool,
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn edit(path: &Path, change: impl FnOnce(String) -> String) {
    fs::write(path, change(fs::read_to_string(path).unwrap())).unwrap();
}

/// Sets a key of a JSON file.
fn set(path: &Path, key: &str, value: Value) {
    let mut root: Value = serde_json::from_str(&fs::read_to_string(path).unwrap_or_else(|_| "{}".to_owned())).unwrap();
    root[key] = value;
    write(path, &root.to_string());
}

/// Removes an event's entries from a JSON file.
fn without(path: &Path, event: &str) {
    let mut root: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    root["hooks"].as_object_mut().unwrap().remove(event);
    fs::write(path, root.to_string()).unwrap();
}

const SEEDED: &[Seeded] = &[
    Seeded {
        client: "gemini",
        what: "the event before a call has no entry",
        make: |_, path| without(path, "BeforeTool"),
        finding: "fail : an event before an action has no entry (`BeforeTool`)",
        fixed: true,
    },
    Seeded {
        client: "qwen",
        what: "an observing event has no entry",
        make: |_, path| without(path, "Stop"),
        finding: "warn : these events have no entry: `Stop`",
        fixed: true,
    },
    Seeded {
        client: "codex",
        what: "a time-out that is shorter than the hook's own",
        make: |_, path| edit(path, |text| text.replacen("60", "5", 1)),
        finding: "warn : entries are not as this version writes them: PreToolUse",
        fixed: true,
    },
    Seeded {
        client: "vibe",
        what: "the key that denies on failures is off",
        make: |_, path| edit(path, |text| text.replace("strict = true\n", "")),
        finding: "warn : entries are not as this version writes them: pre_tool",
        fixed: true,
    },
    Seeded {
        client: "cline",
        what: "the file does something else too",
        make: |_, path| edit(&path.join("PreToolUse"), |text| text + "exit 0\n"),
        finding: "warn : entries are not as this version writes them: PreToolUse",
        fixed: true,
    },
    Seeded {
        client: "opencode",
        what: "the plugin no longer throws",
        make: |_, path| edit(path, |text| text.replace("throw new", "console.log")),
        finding: "warn : entries are not as this version writes them: tool.execute.before",
        fixed: true,
    },
    Seeded {
        client: "kimi",
        what: "the program is missing",
        make: |scratch, path| edit(path, |text| text.replace(crate::support::hook_path(), &format!("{}/gone/portcullis-hook", scratch.home().display()))),
        finding: "fail /gone/portcullis-hook`, which Kimi Code starts, is missing, so every call is denied",
        fixed: true,
    },
    Seeded {
        client: "droid",
        what: "the file is not JSON any more",
        make: |_, path| edit(path, |text| text + "}"),
        finding: "fail droid ignores the whole file, and with it Portcullis",
        fixed: false,
    },
    Seeded {
        client: "qwen",
        what: "the person's settings switch hooks off",
        make: |_, path| set(path, "disableAllHooks", true.into()),
        finding: "fail : `disableAllHooks` is true, so Qwen Code starts no hook",
        fixed: false,
    },
    Seeded {
        client: "qwen",
        what: "the project's settings switch hooks off",
        make: |scratch, _| scratch.write(".qwen/settings.json", "{ // never\n \"disableAllHooks\": true }"),
        finding: "fail /repo/.qwen/settings.json: `disableAllHooks` is true",
        fixed: false,
    },
    Seeded {
        client: "gemini",
        what: "hooks are switched off in the project",
        make: |scratch, _| scratch.write(".gemini/settings.json", "{\"hooksConfig\":{\"enabled\":false}}"),
        finding: "fail : `hooksConfig.enabled` is false",
        fixed: false,
    },
    Seeded {
        client: "gemini",
        what: "our hook is in the list of those that are off",
        make: |_, path| set(path, "hooksConfig", serde_json::json!({ "disabled": ["other", "portcullis"] })),
        finding: "fail : `hooksConfig.disabled` names `portcullis`",
        fixed: false,
    },
    Seeded {
        client: "codex",
        what: "the feature is off",
        make: |_, path| edit(&path.with_file_name("config.toml"), |text| format!("[features]\nhooks = false\n{text}")),
        finding: "fail : `features.hooks` is false, so Codex starts no hook",
        fixed: false,
    },
    Seeded {
        client: "codex",
        what: "a hook that a person confirmed was changed since",
        make: |_, path| edit(&path.with_file_name("config.toml"), |text| text.replacen("sha256:", "sha256:0", 1)),
        finding: "fail Codex passes over 1 of 8 hooks",
        fixed: false,
    },
    Seeded {
        client: "copilot",
        what: "our own file switches hooks off",
        make: |_, path| set(path, "disableAllHooks", true.into()),
        finding: "fail : `disableAllHooks` is true, so Copilot CLI starts no hook",
        fixed: true,
    },
    Seeded {
        client: "droid",
        what: "hooks are switched off",
        make: |_, path| edit(path, |text| text.replacen("\"hooks\": {", "\"hooks\": {\n    \"hooksDisabled\": true,", 1)),
        finding: "fail : `hooks.hooksDisabled` is true",
        fixed: false,
    },
    Seeded {
        client: "droid",
        what: "the same event in the file that is read over the settings",
        make: |_, path| write(&path.with_file_name("hooks.json"), "{\"PreToolUse\":[{\"hooks\":[{\"type\":\"command\",\"command\":\"true\"}]}]}"),
        finding: "fail hooks.json: its `PreToolUse` is read in the place of ours",
        fixed: false,
    },
    Seeded {
        client: "vibe",
        what: "a project's hook has the name of ours",
        make: |scratch, _| scratch.write(".vibe/hooks.toml", "[[hooks]]\nname = \"portcullis-pre_tool\"\ntype = \"pre_tool\"\ncommand = \"true\"\n"),
        finding: "fail a hook of the project is called `portcullis-pre_tool`, and Vibe starts it in the place of yours",
        fixed: false,
    },
    Seeded {
        client: "openhands",
        what: "the project has hooks of its own",
        make: |scratch, _| scratch.write(".openhands/hooks.json", "{\"hooks\":{}}"),
        finding: "fail /repo/.openhands/hooks.json is read in the place of yours",
        fixed: false,
    },
    Seeded {
        client: "codex",
        what: "a project that nobody trusts in the client",
        make: |scratch, path| {
            good(&portcullis(scratch, &["init", "--yes", "--client", "codex", "--scope", "project"]));
            edit(&path.with_file_name("config.toml"), |text| text.replace("trusted\"", "untrusted\""));
        },
        finding: "fail /repo/.codex/hooks.json, because the project is not trusted in it",
        fixed: false,
    },
    Seeded {
        client: "copilot",
        what: "Claude Code's settings of the project start it too",
        make: |scratch, _| good(&portcullis(scratch, &["init", "--yes", "--client", "claude-code"])),
        finding: "ok Copilot CLI also starts what ",
        fixed: false,
    },
    Seeded {
        client: "cursor",
        what: "wired in two scopes",
        make: |scratch, _| good(&portcullis(scratch, &["init", "--yes", "--client", "cursor", "--scope", "project"])),
        finding: "warn start Portcullis: each call is judged more than once",
        fixed: false,
    },
];

fn has(found: &[String], finding: &str) -> bool {
    let (state, text) = finding.split_once(' ').unwrap();
    found.iter().any(|found| found.starts_with(&format!("{state} ")) && found.contains(text))
}

#[test]
fn what_keeps_a_client_from_the_hook_is_found_and_fixed() {
    for seeded in SEEDED {
        let scratch = Scratch::new();
        let wiring = ClientWiring::named(seeded.client).unwrap();
        let path = hooks_path(&scratch, wiring, Scope::User);
        good(&portcullis(&scratch, &["init", "--yes", "--client", seeded.client]));
        confirm(&scratch, wiring, &path);
        good(&portcullis(&scratch, &["doctor"]));
        (seeded.make)(&scratch, &path);
        let said = portcullis(&scratch, &["doctor", "--json"]);
        let found = findings(&said, seeded.client);
        assert!(has(&found, seeded.finding), "{}: `{}` in {found:#?}", seeded.what, seeded.finding);
        assert_eq!(said.code, i32::from(found.iter().any(|finding| finding.starts_with("fail"))), "{}", seeded.what);
        let fixed = portcullis(&scratch, &["doctor", "--fix", "--json"]);
        assert_eq!(!has(&findings(&fixed, seeded.client), seeded.finding), seeded.fixed, "{}: {}", seeded.what, fixed.stdout);
    }
}

#[test]
fn versions_and_the_last_event_are_said() {
    let scratch = Scratch::new();
    let path = install(&scratch, "copilot", "GitHub Copilot CLI 1.0.56");
    install(&scratch, "gemini", "0.40.0");
    install(&scratch, "qwen", "0.24.4");
    let with = |arguments: &[&str]| run(as_person(&scratch).env("PATH", &path).args(arguments), b"");
    good(&with(&["init", "--yes", "--client", "claude-code", "--no-policy"]));
    let said = with(&["doctor", "--json"]);
    assert!(has(&findings(&said, "copilot"), "ok Copilot CLI starts what "), "{}", said.stdout);
    good(&with(&["init", "--yes", "--undo"]));
    good(&with(&["init", "--yes", "--client", "auto"]));
    let said = with(&["doctor", "--json"]);
    good(&said);
    assert!(has(&findings(&said, "copilot"), "warn Copilot CLI 1.0.56 allows a call if the hook crashes"), "{}", said.stdout);
    assert!(has(&findings(&said, "gemini"), "warn Gemini CLI 0.40.0 is older than 0.61.0"), "{}", said.stdout);
    let qwen = findings(&said, "qwen");
    assert!(has(&qwen, "ok Qwen Code 0.24.4") && has(&qwen, "ok no event of it was seen in this repository yet"), "{qwen:#?}");

    // What `init` and `doctor` tried is no event; what the client sends is.
    let wiring = ClientWiring::named("qwen").unwrap();
    let hooks = hooks_path(&scratch, wiring, Scope::User);
    good(&run(&mut started(&scratch, wiring, &hooks), call(wiring, "git status", &scratch.repo()).as_bytes()));
    let said = with(&["doctor", "--json"]);
    assert!(has(&findings(&said, "qwen"), "ok its last event here was `PreToolUse`, "), "{}", said.stdout);
    assert!(has(&findings(&said, "gemini"), "ok no event of it was seen"), "{}", said.stdout);

    // The package beside the program says the version without starting it.
    let package = scratch.home().join("lib/node_modules/@openai/codex");
    write(&package.join("package.json"), "{\"name\":\"@openai/codex\",\"version\":\"0.170.0\"}");
    write(&package.join("bin/codex.js"), "#!/bin/sh\ntouch started\n");
    install(&scratch, "codex", "");
    fs::remove_file(scratch.home().join("bin/codex")).unwrap();
    std::os::unix::fs::symlink(package.join("bin/codex.js"), scratch.home().join("bin/codex")).unwrap();
    std::process::Command::new("chmod").arg("755").arg(package.join("bin/codex.js")).status().unwrap();
    let said = with(&["doctor", "--json"]);
    assert!(has(&findings(&said, "codex"), "warn Codex 0.170.0 is used on this machine"), "{}", said.stdout);
    assert!(!scratch.repo().join("started").exists());
}

#[test]
fn uninstall_finds_every_client_from_anywhere() {
    let scratch = Scratch::new();
    let names: Vec<&str> = WIRINGS.iter().map(|wiring| wiring.client.name()).collect();
    let projects: Vec<&str> = WIRINGS.iter().filter(|wiring| wiring.project.is_some()).map(|wiring| wiring.client.name()).collect();
    good(&portcullis(&scratch, &["init", "--yes", "--client", &names.join(",")]));
    good(&portcullis(&scratch, &["init", "--yes", "--client", &projects.join(","), "--scope", "project"]));
    good(&portcullis(&scratch, &["init", "--yes", "--client", "auggie,droid", "--scope", "local"]));
    let elsewhere = scratch.home().join("elsewhere");
    fs::create_dir_all(&elsewhere).unwrap();
    let there = |arguments: &[&str]| -> Said { run(as_person(&scratch).current_dir(&elsewhere).args(arguments), b"") };
    let dry = there(&["uninstall", "--dry-run"]);
    good(&dry);
    for wiring in WIRINGS {
        let path = hooks_path(&scratch, wiring, Scope::User);
        let path = if wiring.form == HookForm::Programs { path.join(wiring.tried().unwrap().event) } else { path };
        assert!(dry.stdout.contains(path.to_str().unwrap()), "{} in {}", path.display(), dry.stdout);
    }
    let said = there(&["uninstall", "--yes"]);
    good(&said);
    for wiring in WIRINGS {
        for scope in [Scope::User, Scope::Project].into_iter().filter(|scope| *scope == Scope::User || wiring.project.is_some()) {
            assert!(!hooks_path(&scratch, wiring, scope).exists(), "{wiring:?} {}", scope.name());
        }
    }
    assert!(!scratch.repo().join(".portcullis").exists() && !scratch.repo().join("portcullis.toml").exists());
    assert!(!scratch.repo().join(".augment").exists() && !scratch.repo().join(".factory").exists());
    let exclude = fs::read_to_string(scratch.repo().join(".git/info/exclude")).unwrap_or_default();
    assert!(!exclude.contains("settings.local.json"), "{exclude}");
}
