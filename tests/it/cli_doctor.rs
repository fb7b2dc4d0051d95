//! `portcullis doctor` on repositories that are well and not well; `install` without a source; the plugin's files.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use portcullis::cli::init::plan::wiring;
use portcullis::cli::install::{PLUGIN, PLUGIN_COMMAND};
use portcullis::cli::settings::hooks_json;
use serde_json::Value;

use crate::cli_init::{as_person, portcullis};
use crate::support::{COLD, Said, Scratch, package, run};

#[track_caller]
fn findings(said: &Said) -> Vec<(String, String, String)> {
    let value: Value = serde_json::from_str(&said.stdout).unwrap_or_else(|error| panic!("{error}: {}{}", said.stdout, said.stderr));
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap().to_owned();
    value["findings"].as_array().unwrap().iter().map(|finding| (text(finding, "part"), text(finding, "state"), text(finding, "text"))).collect()
}

#[track_caller]
fn finds(scratch: &Scratch, code: i32, expected: &[(&str, &str, &str)]) {
    let said = portcullis(scratch, &["doctor", "--json"]);
    assert_eq!(said.code, code, "{}{}", said.stdout, said.stderr);
    let found = findings(&said);
    for (part, state, text) in expected {
        let fits = found.iter().any(|(is, in_state, says)| is == part && in_state == state && says.contains(text));
        assert!(fits, "{part} {state} `{text}` in {found:#?}");
    }
}

#[test]
fn a_wired_repository_is_well() {
    let scratch = Scratch::new();
    assert_eq!(portcullis(&scratch, &["init", "--yes"]).code, 0);
    finds(
        &scratch,
        0,
        &[
            ("policy", "ok", "portcullis.toml"),
            ("state", "ok", "/.local/state/portcullis/"),
            ("wired", "ok", "12 of 12 events, onFailure block, timeout 60 s"),
            ("build", "ok", "are of one build"),
            ("runs", "ok", "denied by `force-push`"),
            ("runs", "ok", "allows `git status --short`"),
        ],
    );
    let said = portcullis(&scratch, &["doctor"]);
    assert!(said.stdout.ends_with("Portcullis is active\n"), "{}", said.stdout);
}

#[test]
fn what_is_not_well_is_named() {
    let scratch = Scratch::new();
    finds(&scratch, 1, &[("wired", "fail", "no settings file starts Portcullis")]);

    assert_eq!(portcullis(&scratch, &["init", "--yes"]).code, 0);
    scratch.write(".claude/settings.json", "{\"disableAllHooks\": true}");
    finds(&scratch, 1, &[("wired", "fail", "`disableAllHooks` switches every hook off")]);
    scratch.write(".claude/settings.json", "{");
    finds(&scratch, 1, &[("wired", "fail", "not JSON")]);
    fs::remove_file(scratch.repo().join(".claude/settings.json")).unwrap();

    scratch.write("portcullis.toml", "schema = 1\nrules = 1\n");
    finds(&scratch, 1, &[("policy", "fail", "unknown key `rules`"), ("runs", "fail", "could not judge")]);
    // In the person's own policy, which speaks for the built-in rules too.
    scratch.write("portcullis.toml", "schema = 1\n");
    let user = scratch.home().join(".config/portcullis");
    fs::create_dir_all(&user).unwrap();
    fs::write(user.join("portcullis.toml"), "schema = 1\nmode = \"shadow\"\n").unwrap();
    finds(&scratch, 0, &[("shadow", "warn", "including the built-in rules"), ("runs", "warn", "denies nothing now")]);
    let said = portcullis(&scratch, &["init", "--yes"]);
    assert!(said.code == 0 && said.stdout.contains("`mode = \"shadow\"`"), "{}{}", said.stdout, said.stderr);
    fs::remove_file(user.join("portcullis.toml")).unwrap();

    let local = scratch.repo().join(".claude/settings.local.json");
    let text = fs::read_to_string(&local).unwrap().replace(",\n            \"onFailure\": \"block\"", "");
    fs::write(&local, text).unwrap();
    finds(&scratch, 1, &[("wired", "fail", "onFailure")]);
}

#[test]
fn a_program_that_is_not_known_is_not_started() {
    let scratch = Scratch::new();
    let marker = scratch.home().join("started");
    let program = scratch.repo().join("bin/portcullis-hook");
    scratch.write("bin/portcullis-hook", &format!("#!/bin/sh\ntouch {}\nexit 2\n", marker.display()));
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    scratch.write(".claude/settings.json", &hooks_json(&wiring("${CLAUDE_PROJECT_DIR}/bin/portcullis-hook")));
    finds(
        &scratch,
        1,
        &[("runs", "warn", "is not the hook of this build, so it was not started"), ("runs", "fail", "no program in the settings could be tried")],
    );
    assert!(!marker.exists());
}

/// What an older client lacks is said, whatever it is installed by; what lies in the project is read and not started.
#[test]
fn what_the_installed_client_lacks_is_said() {
    let scratch = Scratch::new();
    assert_eq!(portcullis(&scratch, &["init", "--yes"]).code, 0);
    let marker = scratch.home().join("started");
    let program = scratch.home().join(".local/bin/claude");
    fs::create_dir_all(program.parent().unwrap()).unwrap();
    let install = |text: &str| {
        fs::write(&program, text).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    };
    let lacks = |version: &str| {
        let said = portcullis(&scratch, &["doctor", "--json"]);
        let client = findings(&said).into_iter().filter(|(part, _, text)| part == "client" && text.contains(version));
        let client = client
            .map(|(_, state, text)| format!("{state} {}", text.split(&format!("{version} ")).nth(1).and_then(|rest| rest.split(' ').next()).unwrap_or("-")));
        (said.code, client.collect::<Vec<_>>())
    };
    for (version, code, expected) in [
        ("2.1.332", 0, &["ok -"][..]),
        ("2.1.329", 0, &["warn has"]),
        ("2.1.197", 0, &["warn reads", "warn ignores", "warn has"]),
        ("2.0.5", 1, &["fail does", "warn reads", "warn ignores", "warn has"]),
    ] {
        install(&format!("#!/bin/sh\necho '{version} (Claude Code)'\n"));
        assert_eq!(lacks(version), (code, expected.iter().map(|text| (*text).to_owned()).collect()), "{version}");
    }
    install("#!/bin/sh\nexit 1\n");
    scratch.write("node_modules/@anthropic-ai/claude-code/package.json", r#"{"name":"@anthropic-ai/claude-code","version":"2.1.197"}"#);
    scratch.write("node_modules/.bin/claude", &format!("#!/bin/sh\ntouch {}\n", marker.display()));
    assert_eq!(lacks("2.1.197").1.len(), 3);
    assert!(!marker.exists());
}

#[test]
fn the_last_refusal_outlives_a_doctor() {
    let scratch = Scratch::new();
    assert_eq!(portcullis(&scratch, &["init", "--yes"]).code, 0);
    scratch.hook("PreToolUse", scratch.payload("Bash", r#"{"command":"git push -f origin topic"}"#, "default").as_bytes());
    let before = portcullis(&scratch, &["explain", "--last"]).stdout;
    assert!(before.contains("git push -f origin topic"), "{before}");
    assert_eq!(portcullis(&scratch, &["doctor"]).code, 0);
    assert!(portcullis(&scratch, &["explain", "--last"]).stdout.contains("git push -f origin topic"));
}

#[test]
fn an_installation_needs_the_source_or_a_release() {
    let scratch = Scratch::new();
    // A program of its own, without the other one beside it.
    let alone = scratch.home().join("alone/portcullis");
    fs::create_dir_all(alone.parent().unwrap()).unwrap();
    fs::copy(COLD, &alone).unwrap();
    let said = run(scratch.command(&alone.display().to_string()).arg("install"), b"");
    assert_eq!(said.code, 1);
    assert!(said.stderr.contains("neither the source of portcullis is here") && said.stderr.contains("cargo run --release -- install"), "{}", said.stderr);
    let said = run(as_person(&scratch).args(["install", "--dry-run", "--source"]).arg(package()), b"");
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert!(said.stdout.contains(&scratch.home().join(".local/bin/portcullis-hook").display().to_string()), "{}", said.stdout);
    assert!(!scratch.home().join(".local").exists());
}

#[test]
fn the_version_is_the_build() {
    let said = portcullis(&Scratch::new(), &["--version"]);
    // Where the commit is known it follows, with its own day and not that of the build.
    let rest = said.stdout.trim_end().strip_prefix(&format!("portcullis {}", gate::BUILD)).unwrap().to_owned();
    let named = |rest: &str| rest.strip_prefix(" (commit ").and_then(|rest| rest.strip_suffix(')')?.split_once(", ")).is_some_and(|(_, day)| day.len() == 10);
    assert!(said.code == 0 && (rest.is_empty() || named(&rest)), "{rest}");
}

/// Set to make generated files anew instead of comparing them.
const REFRESH: &str = "PORTCULLIS_REFRESH";

#[test]
fn the_plugin_wires_every_event_by_its_own_binary() {
    let path = package().join("hooks.json");
    let expected = hooks_json(&wiring(PLUGIN_COMMAND));
    if std::env::var_os(REFRESH).is_some() {
        fs::write(&path, &expected).unwrap();
    }
    assert_eq!(fs::read_to_string(path).unwrap(), expected, "run `{REFRESH}=1 cargo test plugin`");
    let manifest: Value = serde_json::from_str(PLUGIN).unwrap();
    assert_eq!(
        (&manifest["name"], &manifest["version"], &manifest["hooks"]),
        (&"portcullis".into(), &env!("CARGO_PKG_VERSION").into(), &"./hooks.json".into())
    );
}
