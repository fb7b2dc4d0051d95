//! `portcullis init` as a process: what it writes, that it takes all of it back, and what it leaves alone.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::{Said, Scratch, run};

/// The people's door.
pub(crate) const PORTCULLIS: &str = env!("CARGO_BIN_EXE_portcullis");
const LOCAL: &str = ".claude/settings.local.json";

/// The people's door as a person starts it in the repository.
pub(crate) fn portcullis(scratch: &Scratch, arguments: &[&str]) -> Said {
    run(as_person(scratch).args(arguments), b"")
}

/// The same, to be changed before it is run.
pub(crate) fn as_person(scratch: &Scratch) -> Command {
    let mut command = scratch.command(PORTCULLIS);
    command.env_remove("CLAUDE_PROJECT_DIR");
    command
}

/// Every file below a folder with its mode and bytes, and every folder but those that git needs not.
pub(crate) fn files(folder: &Path) -> Vec<(String, u32, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        let name = path.to_string_lossy().into_owned();
        let known = fs::symlink_metadata(&path).unwrap();
        if known.is_dir() {
            found.push((format!("{name}/"), 0, Vec::new()));
            found.extend(files(&path));
        } else if known.is_symlink() {
            found.push((name, 0, fs::read_link(&path).unwrap().to_string_lossy().into_owned().into_bytes()));
        } else {
            found.push((name, known.mode(), fs::read(&path).unwrap()));
        }
    }
    found.sort();
    found
}

#[track_caller]
fn good(said: &Said) {
    assert_eq!(said.code, 0, "{}{}", said.stdout, said.stderr);
}

/// A command that was not done says what, why and what to do.
#[track_caller]
fn refused(said: &Said, code: i32, parts: &[&str]) {
    assert_eq!(said.code, code, "{}{}", said.stdout, said.stderr);
    let lines: Vec<&str> = said.stderr.lines().collect();
    assert!(lines.first().is_some_and(|line| line.starts_with("portcullis: ")), "{}", said.stderr);
    assert!(lines.iter().any(|line| line.starts_with("why: ")) && lines.iter().any(|line| line.starts_with("fix: ")), "{}", said.stderr);
    for part in parts {
        assert!(said.stderr.contains(part), "`{part}` in {}", said.stderr);
    }
}

#[test]
fn what_is_put_in_can_be_taken_out_byte_for_byte() {
    let settings: [Option<&str>; 6] = [
        None,
        Some("{}\n"),
        Some("{\r\n\t\"model\": \"opus\"\r\n}"),
        Some("{\"hooks\":{\"Stop\":[{\"hooks\":[{\"type\":\"command\",\"command\":\"/usr/bin/true\"}]}]},\"permissions\":{\"allow\":[\"Bash(ls:*)\"]}}"),
        Some("\u{feff}{\n  \"hooks\": {\n    \"PreToolUse\": [\n      { \"matcher\": \"Bash\", \"hooks\": [] }\n    ]\n  }\n}\n"),
        Some("{ \"env\": { \"A\": \"b\" } }"),
    ];
    let excludes = [None, Some("# mine\n*.o\n"), Some("no end")];
    let policies = [None, Some("schema = 1\n")];
    for (at, text) in settings.iter().enumerate() {
        let scratch = Scratch::new();
        if let Some(text) = text {
            scratch.write(LOCAL, text);
            fs::set_permissions(scratch.repo().join(LOCAL), fs::Permissions::from_mode(0o600)).unwrap();
        }
        if let Some(text) = excludes[at % excludes.len()] {
            scratch.write(".git/info/exclude", text);
        }
        if let Some(text) = policies[at % policies.len()] {
            scratch.write("portcullis.toml", text);
        }
        let before = files(&scratch.repo());
        good(&portcullis(&scratch, &["init", "--yes"]));
        let wired = files(&scratch.repo());
        assert_ne!(wired, before);
        let again = portcullis(&scratch, &["init", "--yes"]);
        good(&again);
        assert!(again.stdout.starts_with("nothing to do: "), "{}", again.stdout);
        assert_eq!(files(&scratch.repo()), wired, "a second time changes nothing");

        good(&portcullis(&scratch, &["init", "--yes", "--undo"]));
        assert_eq!(files(&scratch.repo()), before, "{text:?}");
        let again = portcullis(&scratch, &["init", "--yes", "--undo"]);
        assert!(again.stdout.starts_with("nothing to do: "), "{}", again.stdout);
    }
}

#[test]
fn it_ends_with_a_refusal_through_the_command_as_wired() {
    let scratch = Scratch::new();
    let said = portcullis(&scratch, &["init", "--yes"]);
    good(&said);
    assert!(said.stdout.contains("  | denied by `force-push`: a force push drops commits"), "{}", said.stdout);
    assert!(said.stdout.contains("scope local\n  protected: "), "{}", said.stdout);
    let settings: Value = serde_json::from_str(&fs::read_to_string(scratch.repo().join(LOCAL)).unwrap()).unwrap();
    let handler = &settings["hooks"]["PreToolUse"][0]["hooks"][0];
    assert_eq!(handler["command"], crate::support::hook_path());
    assert_eq!((&handler["args"][0], &handler["onFailure"], &handler["timeout"]), (&"PreToolUse".into(), &"block".into(), &60.into()));
    let exclude = fs::read_to_string(scratch.repo().join(".git/info/exclude")).unwrap();
    assert!(exclude.contains("\n.claude/settings.local.json\n.portcullis/\n"), "{exclude}");
    // The call that was made up is not the last refusal that the person wants to see.
    assert_eq!(portcullis(&scratch, &["explain", "--last"]).code, 1);
}

#[test]
fn a_dry_run_shows_every_file_and_changes_none() {
    for arguments in
        [vec!["init", "--yes", "--dry-run"], vec!["init", "--yes", "--dry-run", "--scope", "project"], vec!["init", "--yes", "--dry-run", "--scope", "user"]]
    {
        let scratch = Scratch::new();
        scratch.write(".claude/settings.json", "{ \"model\": \"opus\" }\n");
        let before = (files(&scratch.repo()), files(&scratch.home()));
        let said = portcullis(&scratch, &arguments);
        good(&said);
        assert!(said.stdout.contains("\n+++ ") && said.stdout.contains("PreToolUse"), "{}", said.stdout);
        assert_eq!((files(&scratch.repo()), files(&scratch.home())), before, "{arguments:?}");
    }
    let scratch = Scratch::new();
    let said = portcullis(&scratch, &["init", "--yes", "--dry-run", "--scope", "managed"]);
    good(&said);
    assert!(said.stdout.contains("managed-settings.json"), "{}", said.stdout);

    good(&portcullis(&scratch, &["init", "--yes"]));
    let wired = files(&scratch.repo());
    let said = portcullis(&scratch, &["init", "--yes", "--undo", "--dry-run"]);
    good(&said);
    assert!(said.stdout.contains("\n-  \"hooks\": {"), "{}", said.stdout);
    assert_eq!(files(&scratch.repo()), wired);
}

#[test]
fn settings_that_cannot_be_understood_are_left_alone() {
    for (text, parts) in [
        ("{ \"hooks\": ", vec!["settings.local.json:1:", "left as it is"]),
        ("{\n  // mine\n  \"a\": 1\n}", vec!["settings.local.json:2:3"]),
        ("[]", vec!["settings.local.json:1:1"]),
        ("", vec!["settings.local.json:1:1"]),
        ("{\"hooks\": {}, \"hooks\": {}}", vec!["hooks"]),
        ("{\"hooks\": {\"PreToolUse\": {\"matcher\": \"*\"}}}", vec!["PreToolUse"]),
    ] {
        let scratch = Scratch::new();
        scratch.write(LOCAL, text);
        let before = files(&scratch.repo());
        refused(&portcullis(&scratch, &["init", "--yes"]), 1, &parts);
        assert_eq!(files(&scratch.repo()), before, "{text}");
    }
    let scratch = Scratch::new();
    fs::create_dir_all(scratch.repo().join(".claude")).unwrap();
    fs::write(scratch.repo().join(LOCAL), b"{\"a\": \"\xff\"}").unwrap();
    refused(&portcullis(&scratch, &["init", "--yes"]), 1, &["it is not UTF-8"]);
    assert!(!scratch.repo().join("portcullis.toml").exists());
}

#[test]
fn links_to_settings_stay_links() {
    let scratch = Scratch::new();
    let target = scratch.home().join("dotfiles.json");
    fs::write(&target, "{}").unwrap();
    fs::create_dir_all(scratch.repo().join(".claude")).unwrap();
    symlink(&target, scratch.repo().join(LOCAL)).unwrap();
    good(&portcullis(&scratch, &["init", "--yes"]));
    assert!(fs::symlink_metadata(scratch.repo().join(LOCAL)).unwrap().is_symlink());
    assert!(fs::read_to_string(&target).unwrap().contains("portcullis-hook"));
    good(&portcullis(&scratch, &["init", "--yes", "--undo"]));
    assert_eq!(fs::read_to_string(&target).unwrap(), "{}");

    fs::remove_file(&target).unwrap();
    refused(&portcullis(&scratch, &["init", "--yes"]), 1, &["it is a link that cannot be followed"]);
    assert!(!target.exists());
}

#[test]
fn what_is_asked_for_and_cannot_be_done_is_said() {
    let scratch = Scratch::new();
    good(&portcullis(&scratch, &["init", "--yes"]));
    let wired = files(&scratch.repo());
    for variable in ["CLAUDECODE", "CODEX_SANDBOX", "GEMINI_CLI"] {
        let said = run(as_person(&scratch).env(variable, "1").args(["init", "--yes", "--undo"]), b"");
        refused(&said, 1, &[variable, "a person must run this at a terminal"]);
    }
    assert_eq!(files(&scratch.repo()), wired);

    let bare = Scratch::new();
    let inside = bare.home().join("bare.git");
    for folder in ["objects", "refs"] {
        fs::create_dir_all(inside.join(folder)).unwrap();
    }
    fs::write(inside.join("HEAD"), "ref: refs/heads/main\n").unwrap();
    refused(&run(as_person(&bare).current_dir(&inside).args(["init", "--yes"]), b""), 1, &["without a work tree"]);

    // A binary that was copied by itself has nothing to wire.
    let alone = bare.home().join("portcullis");
    fs::copy(PORTCULLIS, &alone).unwrap();
    let mut command = bare.command(alone.to_str().unwrap());
    refused(&run(command.env_remove("CLAUDE_PROJECT_DIR").arg("init"), b""), 1, &["portcullis-hook` does not exist", "portcullis install"]);
}

#[test]
fn a_policy_that_was_changed_stays() {
    let scratch = Scratch::new();
    good(&portcullis(&scratch, &["init", "--yes"]));
    let policy = scratch.repo().join("portcullis.toml");
    let text = fs::read_to_string(&policy).unwrap() + "# mine\n";
    fs::write(&policy, &text).unwrap();
    let said = portcullis(&scratch, &["init", "--yes", "--undo"]);
    good(&said);
    assert!(said.stdout.contains("was changed by you, so it is kept"), "{}", said.stdout);
    assert_eq!(fs::read_to_string(&policy).unwrap(), text);
}

#[test]
fn the_repository_is_wired_from_any_folder_in_it() {
    let scratch = Scratch::new();
    scratch.write("a/b/c.txt", "");
    good(&run(as_person(&scratch).current_dir(scratch.repo().join("a/b")).args(["init", "--yes", "--no-policy", "--scope", "local"]), b""));
    assert!(scratch.repo().join(LOCAL).exists());
    assert!(!scratch.repo().join("portcullis.toml").exists());
}

#[test]
fn user_settings_are_wired_without_a_policy() {
    let scratch = Scratch::new();
    let before = files(&scratch.repo());
    good(&portcullis(&scratch, &["init", "--yes", "--scope", "user"]));
    assert_eq!(files(&scratch.repo()), before);
    let settings = scratch.home().join(".claude/settings.json");
    assert!(fs::read_to_string(&settings).unwrap().contains("\"onFailure\": \"block\""));
    good(&portcullis(&scratch, &["init", "--yes", "--scope", "user", "--undo"]));
    assert!(!settings.exists());
}

#[test]
fn project_settings_start_the_copy_in_the_project() {
    let scratch = Scratch::new();
    let before = files(&scratch.repo());
    let said = portcullis(&scratch, &["init", "--yes", "--scope", "project", "--json"]);
    good(&said);
    let value: Value = serde_json::from_str(&said.stdout).unwrap();
    assert!(value["refusal"].as_str().unwrap().starts_with("denied by `force-push`"), "{value}");
    assert_eq!(value["made"], true);
    let settings = fs::read_to_string(scratch.repo().join(".claude/settings.json")).unwrap();
    assert!(settings.contains("\"${CLAUDE_PROJECT_DIR}/.claude/portcullis-hook\""), "{settings}");
    assert_eq!(fs::read_to_string(scratch.repo().join(".portcullis/.gitignore")).unwrap(), "*\n");
    for name in ["portcullis", "portcullis-hook", "portcullis-git"] {
        let mode = fs::metadata(scratch.repo().join(".portcullis/bin").join(name)).unwrap().mode();
        assert_eq!(mode & 0o111, 0o111, "{name}");
    }
    good(&portcullis(&scratch, &["init", "--yes", "--scope", "project", "--undo"]));
    assert_eq!(files(&scratch.repo()), before);
}

/// What is committed reaches people without Portcullis.
#[test]
fn the_committed_script_finds_the_hook_or_says_what_to_do() {
    let scratch = Scratch::new();
    good(&portcullis(&scratch, &["init", "--yes", "--scope", "project"]));
    let hook = fs::read(scratch.repo().join(".portcullis/bin/portcullis-hook")).unwrap();
    fs::remove_dir_all(scratch.repo().join(".portcullis")).unwrap();
    let script = scratch.repo().join(".claude/portcullis-hook");
    let payload = scratch.payload("Bash", r#"{"command":"git push -f"}"#, "default");
    let said = |event: &str, path: &str| run(scratch.command(script.to_str().unwrap()).env("PATH", path).args([event, "claude-code"]), payload.as_bytes());
    for event in ["PreToolUse", "PermissionRequest", "PreSkillShellCommand"] {
        let said = said(event, "/usr/bin:/bin");
        assert!(said.code == 2 && said.stdout.is_empty() && said.stderr.contains("fix: a person must install it once"), "{event}: {said:?}");
    }
    // An event that only informs never stops the work. The model is informed when the session starts.
    for event in ["PostToolUse", "Stop", "UserPromptSubmit", "SessionEnd", ""] {
        assert_eq!(said(event, "/usr/bin:/bin"), Said { code: 0, stdout: String::new(), stderr: String::new() }, "{event}");
    }
    assert!(said("SessionStart", "/usr/bin:/bin").stdout.contains("is not installed on this machine"));
    // A script that finds itself on the `PATH` does not start itself for ever.
    assert_eq!(said("PreToolUse", scratch.repo().join(".claude").to_str().unwrap()).code, 2);
    for folder in ["elsewhere", ".local/bin"] {
        let folder = scratch.home().join(folder);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("portcullis-hook"), &hook).unwrap();
        fs::set_permissions(folder.join("portcullis-hook"), fs::Permissions::from_mode(0o755)).unwrap();
        let said = said("PreToolUse", &format!("/usr/bin:/bin:{}", folder.display()));
        assert!(said.code == 2 && said.stderr.starts_with("denied by `force-push`"), "{said:?}");
        fs::remove_file(folder.join("portcullis-hook")).unwrap();
    }
}

#[test]
fn a_linked_work_tree_is_wired_in_the_main_one() {
    let scratch = Scratch::new();
    let linked = scratch.home().join("linked");
    let git_dir = scratch.repo().join(".git/worktrees/linked");
    fs::create_dir_all(&git_dir).unwrap();
    fs::create_dir_all(&linked).unwrap();
    fs::write(git_dir.join("HEAD"), "ref: refs/heads/topic\n").unwrap();
    fs::write(git_dir.join("commondir"), "../..\n").unwrap();
    fs::write(git_dir.join("gitdir"), format!("{}\n", linked.join(".git").display())).unwrap();
    fs::write(linked.join(".git"), format!("gitdir: {}\n", git_dir.display())).unwrap();
    let before = (files(&scratch.repo()), files(&linked));
    let there = |arguments: &[&str]| run(as_person(&scratch).current_dir(&linked).args(arguments), b"");
    assert!(there(&["doctor"]).stdout.contains("no settings file starts Portcullis"));
    let said = there(&["init", "--yes"]);
    good(&said);
    assert!(said.stdout.contains("this is a linked work tree"), "{}", said.stdout);
    assert!(scratch.repo().join(LOCAL).exists() && scratch.repo().join("portcullis.toml").exists() && !linked.join("portcullis.toml").exists());
    let doctor = there(&["doctor"]);
    good(&doctor);
    assert!(doctor.stdout.contains(scratch.repo().join(LOCAL).to_str().unwrap()), "{}", doctor.stdout);
    // When a session starts there, it says which policy applies.
    let start = r#"{"session_id":"s","cwd":"LINKED","hook_event_name":"SessionStart","source":"startup"}"#.replace("LINKED", linked.to_str().unwrap());
    let mut hook = scratch.command(crate::support::hook_path());
    let told = run(hook.env("CLAUDE_PROJECT_DIR", &linked).current_dir(&linked).args(["SessionStart", "claude-code"]), start.as_bytes());
    assert!(told.stdout.contains("under the policy of its main one"), "{told:?}");
    good(&there(&["init", "--yes", "--undo"]));
    assert_eq!((files(&scratch.repo()), files(&linked)), before);
}

#[test]
fn settings_that_switch_hooks_off_are_named() {
    let scratch = Scratch::new();
    scratch.write(LOCAL, "{\"disableAllHooks\": true}");
    let said = portcullis(&scratch, &["init", "--yes"]);
    assert_eq!(said.code, 1, "{}", said.stdout);
    assert!(said.stdout.contains("`disableAllHooks` switches every hook off"), "{}", said.stdout);
    assert!(!said.stdout.contains("Portcullis is active"), "{}", said.stdout);
}
