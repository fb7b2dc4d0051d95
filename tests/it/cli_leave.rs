//! Leaving and being stopped, as a person meets them: `uninstall`, `unblock`, `status`, and `portcullis` without a command.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::cli_init::{PORTCULLIS, as_person, portcullis};
use crate::support::{Said, Scratch, hook_path, json, run};
use gate::world::state;

#[track_caller]
fn says(said: &Said, code: i32, parts: &[&str]) {
    let all = format!("{}{}", said.stdout, said.stderr);
    assert_eq!(said.code, code, "{all}");
    for part in parts {
        assert!(all.contains(part), "`{part}` in\n{all}");
    }
}

/// A command on a terminal of its own, with what is typed there.
pub(crate) fn at_terminal(scratch: &Scratch, program: &Path, arguments: &str, typed: &str) -> Said {
    let mut command = scratch.command("/usr/bin/script");
    command.env_remove("CLAUDE_PROJECT_DIR").env("SHELL", "/bin/sh").env("NO_COLOR", "1");
    run(command.args(["-qec", &format!("{} {arguments}", program.display()), "/dev/null"]), typed.as_bytes())
}

/// The three programs in a home, as `install` puts them there.
fn installed(scratch: &Scratch) -> PathBuf {
    let folder = scratch.home().join(".local/bin");
    fs::create_dir_all(&folder).unwrap();
    fs::copy(PORTCULLIS, folder.join("portcullis")).unwrap();
    fs::copy(hook_path(), folder.join("portcullis-hook")).unwrap();
    std::os::unix::fs::symlink("portcullis", folder.join("portcullis-git")).unwrap();
    state::write(&scratch.world().states, &folder, state::INSTALLED, folder.as_os_str().as_encoded_bytes()).unwrap();
    folder.join("portcullis")
}

/// A repository beside the one of the scratch.
fn beside(scratch: &Scratch, name: &str) -> PathBuf {
    let root = scratch.home().join(name);
    for folder in ["objects", "refs/heads", "hooks", "info"] {
        fs::create_dir_all(root.join(".git").join(folder)).unwrap();
    }
    fs::write(root.join(".git/HEAD"), "ref: refs/heads/main\n").unwrap();
    fs::write(root.join(".git/config"), "[core]\n\trepositoryformatversion = 0\n").unwrap();
    root
}

fn in_folder(scratch: &Scratch, program: &Path, folder: &Path, arguments: &[&str]) -> Said {
    let mut command = scratch.command(program.to_str().unwrap());
    run(command.env_remove("CLAUDE_PROJECT_DIR").current_dir(folder).args(arguments), b"")
}

#[test]
fn everything_that_was_wired_is_unwired_and_the_programs_go() {
    let scratch = Scratch::new();
    let program = installed(&scratch);
    let (other, lost) = (beside(&scratch, "other"), beside(&scratch, "lost"));
    for (folder, arguments) in [
        (&scratch.repo(), &["init", "--yes", "--git"][..]),
        (&other, &["init", "--yes", "--scope", "project"]),
        (&other, &["init", "--yes"]),
        (&lost, &["init", "--yes"]),
        (&other, &["init", "--yes", "--scope", "user"]),
    ] {
        says(&in_folder(&scratch, &program, folder, arguments), 0, &["Portcullis is active"]);
    }
    fs::remove_dir_all(&lost).unwrap();

    let elsewhere = scratch.home().join("elsewhere");
    fs::create_dir_all(&elsewhere).unwrap();
    // Nothing happens to be in the folder in which it is run.
    let dry = in_folder(&scratch, &program, &elsewhere, &["uninstall", "--dry-run"]);
    says(&dry, 0, &["lost` is gone", ".git/hooks/pre-push", "other/.claude/settings.json", "remove ", "nothing was changed (--dry-run)"]);
    let refused = in_folder(&scratch, &program, &elsewhere, &["uninstall"]);
    says(&refused, 1, &["there is no terminal here", "--yes"]);
    let agent = run(scratch.command(program.to_str().unwrap()).env("CLAUDECODE", "1").args(["uninstall", "--yes"]), b"");
    says(&agent, 1, &["an agent runs this"]);
    assert!(program.exists() && scratch.repo().join(".claude/settings.local.json").exists());

    let said = in_folder(&scratch, &program, &elsewhere, &["uninstall", "--yes"]);
    says(&said, 0, &["removed ", "portcullis-hook", "Portcullis is removed"]);
    for path in [scratch.repo().join(".claude"), other.join(".claude"), other.join("portcullis.toml"), scratch.home().join(".claude/settings.json")] {
        assert!(!path.exists(), "{}", path.display());
    }
    assert!(fs::read_dir(scratch.repo().join(".git/hooks")).unwrap().next().is_none());
    assert!(["portcullis", "portcullis-git", "portcullis-hook"].iter().all(|name| fs::symlink_metadata(program.with_file_name(name)).is_err()));
    assert!(scratch.home().join(".local/state/portcullis").exists(), "the record stays");
}

#[test]
fn programs_stay_while_something_starts_them() {
    let scratch = Scratch::new();
    let program = installed(&scratch);
    let other = beside(&scratch, "other");
    says(&in_folder(&scratch, &program, &other, &["init", "--yes"]), 0, &[]);
    let settings = other.join(".claude/settings.local.json");
    let text = fs::read_to_string(&settings).unwrap();
    fs::write(&settings, text.replacen('{', "{ // mine\n", 1)).unwrap();
    let said = in_folder(&scratch, &program, &scratch.repo(), &["uninstall", "--yes", "--state"]);
    says(&said, 1, &["could not be", "settings.local.json", "stay until nothing starts them"]);
    assert!(program.exists());
    fs::write(&settings, text).unwrap();
    let said = in_folder(&scratch, &program, &scratch.repo(), &["uninstall", "--json", "--yes", "--state"]);
    let value: Value = serde_json::from_str(&said.stdout).unwrap();
    assert!(!settings.exists(), "what could not be changed is still known");
    assert_eq!((said.code, &value["made"], value["unreached"].as_array().map(Vec::len)), (0, &true.into(), Some(0)), "{said:?}");
    assert!(!program.exists() && !scratch.home().join(".local/state/portcullis").exists());
}

#[test]
fn programs_that_nobody_installed_stay() {
    let scratch = Scratch::new();
    says(&portcullis(&scratch, &["init", "--yes"]), 0, &[]);
    says(&portcullis(&scratch, &["uninstall", "--yes"]), 0, &["is not known to have put them there", "Portcullis is removed"]);
    assert!(Path::new(PORTCULLIS).exists() && !scratch.repo().join(".claude").exists());
    says(&portcullis(&scratch, &["uninstall", "--yes"]), 0, &["nothing to do"]);
}

#[test]
fn a_person_is_asked_before_anything_goes() {
    let scratch = Scratch::new();
    says(&portcullis(&scratch, &["init", "--yes"]), 0, &[]);
    let settings = scratch.repo().join(".claude/settings.local.json");
    says(&at_terminal(&scratch, Path::new(PORTCULLIS), "uninstall", "n\n"), 1, &["remove all this?", "nothing was changed"]);
    assert!(settings.exists());
    says(&at_terminal(&scratch, Path::new(PORTCULLIS), "uninstall", "y\n"), 0, &["remove all this?", "Portcullis is removed"]);
    assert!(!settings.exists());
    let asked = at_terminal(&scratch, Path::new(PORTCULLIS), "init", "n\n");
    says(&asked, 1, &["make these changes?", "nothing was changed", "more lines are added", "`--dry-run` shows all lines"]);
    let whole = at_terminal(&scratch, Path::new(PORTCULLIS), "init --dry-run", "");
    says(&whole, 0, &["\"PostToolUse\"", "nothing was changed (--dry-run)"]);
    assert!(!whole.stdout.contains("more lines are added") && asked.stdout.lines().count() * 3 < whole.stdout.lines().count(), "{}", asked.stdout);
    assert!(!settings.exists());
}

#[test]
fn an_undo_says_what_it_leaves() {
    let scratch = Scratch::new();
    says(&portcullis(&scratch, &["init", "--yes", "--git"]), 0, &[]);
    says(&portcullis(&scratch, &["init", "--yes", "--undo"]), 0, &["Portcullis stays in 8 of git's hooks", "portcullis init --git --undo"]);
    let said = portcullis(&scratch, &["init", "--yes", "--git", "--undo"]);
    assert!(!said.stdout.contains("stays in"), "{}", said.stdout);

    // The scope that is left still has its policy.
    for (first, second) in [("local", "project"), ("project", "local")] {
        let scratch = Scratch::new();
        for scope in [first, second] {
            says(&portcullis(&scratch, &["init", "--yes", "--scope", scope]), 0, &[]);
        }
        says(&portcullis(&scratch, &["init", "--yes", "--undo", "--scope", second]), 0, &["stays: the scope"]);
        assert!(scratch.repo().join("portcullis.toml").exists());
        says(&portcullis(&scratch, &["init", "--yes", "--undo", "--scope", first]), 0, &[]);
        assert!(!scratch.repo().join("portcullis.toml").exists());
    }
}

#[test]
fn nothing_changes_without_a_word_and_a_home_is_no_project() {
    let scratch = Scratch::new();
    let said = portcullis(&scratch, &["init"]);
    says(&said, 1, &["+++ ", "there is no terminal here", "--yes"]);
    says(&portcullis(&scratch, &["init", "--json"]), 1, &["nobody is asked"]);
    assert!(!scratch.repo().join(".claude").exists() && !scratch.repo().join("portcullis.toml").exists());
    for arguments in [&["init", "--yes"][..], &["init", "--yes", "--scope", "project"], &["init", "--dry-run"]] {
        says(&in_folder(&scratch, Path::new(PORTCULLIS), &scratch.home(), arguments), 1, &["is your home folder", "--scope user"]);
    }
    says(&in_folder(&scratch, Path::new(PORTCULLIS), &scratch.home(), &["init", "--yes", "--scope", "user"]), 0, &[]);
    says(&in_folder(&scratch, Path::new(PORTCULLIS), &scratch.home(), &["init", "--yes", "--scope", "user", "--undo"]), 0, &[]);
}

fn denied(scratch: &Scratch, command: &str) -> Said {
    scratch.hook("PreToolUse", scratch.payload("Bash", &format!(r#"{{"command":{}}}"#, json(command)), "default").as_bytes())
}

#[test]
fn the_ways_out_of_a_rule_are_shown() {
    let scratch = Scratch::new();
    says(&portcullis(&scratch, &["unblock"]), 0, &["nothing was stopped"]);
    denied(&scratch, "git push --force origin main");
    says(&portcullis(&scratch, &["unblock"]), 0, &["stopped by `force-push`", "portcullis policy force-push", "did not open it", "portcullis pause"]);

    // A waiver that is shown exempts the call.
    scratch.write("scratch/a", "x");
    scratch.write("data/a", "x");
    for (command, rule, covers) in
        [("rm -rf scratch data", "recursive-deletion", "delete scratch; delete data"), ("echo x >> ~/.ssh/authorized_keys", "start-file-changed", "write")]
    {
        denied(&scratch, command);
        let said = portcullis(&scratch, &["unblock"]);
        says(&said, 0, &[&format!("rule   = \"{rule}\""), "it would cover: ", covers]);
        let value: Value = serde_json::from_str(&portcullis(&scratch, &["unblock", "--json"]).stdout).unwrap();
        let waiver = value["rules"][0]["waiver"].as_str().unwrap();
        scratch.write("portcullis.toml", &format!("schema = 1\n{waiver}\n"));
        assert_eq!(scratch.bash(command).short(), "free", "{waiver}");
        fs::remove_file(scratch.repo().join("portcullis.toml")).unwrap();
    }
}

#[test]
fn a_policy_with_mistakes_is_put_back_if_a_person_says_so() {
    let scratch = Scratch::new();
    let git = |arguments: &[&str]| {
        let mut git = Command::new("git");
        git.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", scratch.home()).current_dir(scratch.repo());
        let identity = ["-c", "user.name=A", "-c", "user.email=a@b"];
        assert_eq!(run(git.args(identity).args(arguments), b"").code, 0, "{arguments:?}");
    };
    let good = "schema = 1\nprotected = [\"production\"]\n";
    scratch.write("portcullis.toml", good);
    git(&["add", "portcullis.toml"]);
    git(&["commit", "-q", "--no-verify", "-m", "policy"]);
    scratch.write("portcullis.toml", "schema = 1\nprotect = [\"production\"]\n");
    assert_eq!(denied(&scratch, "git status").code, 2);
    let now = || fs::read_to_string(scratch.repo().join("portcullis.toml")).unwrap();

    says(&portcullis(&scratch, &["unblock"]), 0, &["unknown key `protect`", "+protected = [\"production\"]", "a person can run"]);
    let value: Value = serde_json::from_str(&portcullis(&scratch, &["unblock", "--json"]).stdout).unwrap();
    assert_eq!(value["cause"], "policy");
    let mut agent = as_person(&scratch);
    says(&run(agent.env("CLAUDECODE", "1").arg("unblock"), b""), 0, &["a person can run"]);
    says(&at_terminal(&scratch, Path::new(PORTCULLIS), "unblock", "\n"), 0, &["put the committed file back?", "nothing was changed"]);
    assert_ne!(now(), good);
    says(&at_terminal(&scratch, Path::new(PORTCULLIS), "unblock", "y\n"), 0, &["put back "]);
    assert_eq!(now(), good);
    assert_eq!(denied(&scratch, "git status").code, 0);
    // What denied the last call is still known, and that it was no rule.
    says(&portcullis(&scratch, &["unblock"]), 0, &["calls could not be judged", "the policy has mistakes", "fix: "]);
}

#[test]
fn the_state_is_one_word_and_the_next_step() {
    let scratch = Scratch::new();
    says(&portcullis(&scratch, &[]), 0, &["not active: no settings file starts it here", "next: portcullis init"]);
    says(&portcullis(&scratch, &["status", "--short"]), 0, &["portcullis: not active"]);
    says(&portcullis(&scratch, &["init", "--yes"]), 0, &[]);
    assert_eq!(portcullis(&scratch, &["status", "--short"]).stdout, "portcullis: active\n");
    denied(&scratch, "git push --force origin main");
    says(&portcullis(&scratch, &[]), 0, &["is active", "wired   scope local", "last    stopped by `force-push`", "next: "]);
    let value: Value = serde_json::from_str(&portcullis(&scratch, &["status", "--json"]).stdout).unwrap();
    assert_eq!((&value["active"], &value["wired"][0]["scope"], &value["last"]["rules"][0]), (&true.into(), &"local".into(), &"force-push".into()));
    says(&at_terminal(&scratch, Path::new(PORTCULLIS), "pause 10m --reason x", ""), 0, &["paused for 10 min"]);
    says(&portcullis(&scratch, &["status", "--short"]), 0, &["portcullis: paused for 10 more min"]);
    says(&portcullis(&scratch, &["pause", "--end"]), 0, &[]);
    scratch.write("portcullis.toml", "schema = 2\n");
    says(&portcullis(&scratch, &["status"]), 0, &["every call is denied", "next: portcullis unblock"]);
}

#[test]
fn a_trial_is_no_refusal() {
    let scratch = Scratch::new();
    says(&portcullis(&scratch, &["init", "--yes"]), 0, &["denied by `force-push`"]);
    says(&portcullis(&scratch, &["doctor"]), 0, &[]);
    let said = portcullis(&scratch, &["log", "--stopped"]);
    assert_eq!(said.stdout, "", "{}", said.stdout);
    says(&portcullis(&scratch, &["log", "--summary"]), 0, &["0 decisions"]);
    says(&portcullis(&scratch, &["log", "--trials"]), 0, &["trial", "force-push"]);
    denied(&scratch, "git push --force origin main");
    assert_eq!(portcullis(&scratch, &["log", "--stopped"]).stdout.lines().count(), 1);
}

#[test]
fn times_are_local_with_their_zone() {
    let scratch = Scratch::new();
    denied(&scratch, "git push --force origin main");
    let log = |zone: &str, arguments: &[&str]| run(as_person(&scratch).env("TZ", zone).arg("log").args(arguments), b"").stdout;
    let (utc, india) = (log("UTC0", &[]), log("IST-5:30", &[]));
    assert!(utc.contains(" +00:00 denied") && india.contains(" +05:30 denied"), "{utc}{india}");
    assert!(log("NST+3:30", &[]).contains(" -03:30 denied"));
    let (now, day) = (utc.get(..19).unwrap(), india.get(..10).unwrap());
    assert_ne!(india.get(..19), Some(now));
    assert_eq!(log("IST-5:30", &["--since", day, "--until", day]), india);
    assert_eq!(log("IST-5:30", &["--until", "2026-01-01"]), "");
    assert_eq!(log("UTC0", &["--until", "1h"]), "");
    assert_eq!(log("UTC0", &["--path", "PUSH --Force"]), utc);
}

#[test]
fn the_hook_says_what_it_is_and_is_never_taken_for_permission() {
    let scratch = Scratch::new();
    for argument in ["--help", "-h", "--version"] {
        let said = run(scratch.command(hook_path()).arg(argument), b"");
        assert!(said.code == 2 && said.stdout.is_empty() && said.stderr.starts_with("portcullis-hook") && !said.stderr.contains("denied"), "{said:?}");
        says(&at_terminal(&scratch, Path::new(hook_path()), argument, ""), 0, &["portcullis-hook"]);
    }
    says(&at_terminal(&scratch, Path::new(hook_path()), "", ""), 0, &["is not started by hand"]);
    // Without a terminal it is a call that names no event.
    assert_eq!(run(&mut scratch.command(hook_path()), b"").code, 2);
    assert_eq!(run(scratch.command(hook_path()).arg("--helpful"), b"").code, 2);
}

#[test]
fn completions_pages_and_help_are_there_for_every_command() {
    let scratch = Scratch::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        says(&portcullis(&scratch, &["completions", shell]), 0, &["uninstall", "portcullis"]);
    }
    says(&portcullis(&scratch, &["man", "pages"]), 0, &[]);
    for name in ["portcullis.1", "portcullis-init.1", "portcullis-unblock.1"] {
        assert!(fs::read_to_string(scratch.repo().join("pages").join(name)).unwrap().contains(".TH "), "{name}");
    }
    let commands = [
        "install",
        "init",
        "check",
        "explain",
        "test",
        "pause",
        "status",
        "unblock",
        "doctor",
        "log",
        "flywheel",
        "policy",
        "uninstall",
        "completions",
        "update",
        "man",
    ];
    let help = portcullis(&scratch, &["-h"]).stdout;
    for command in commands {
        assert!(help.contains(&format!("\n  {command} ")), "{command}");
        says(&portcullis(&scratch, &[command, "-h"]), 0, &["Usage: portcullis"]);
        let page = fs::read_to_string(crate::support::package().join("docs/commands.md")).unwrap();
        assert!(page.contains(&format!("| `portcullis {command}")), "docs/commands.md does not speak of `{command}`");
    }
    says(&portcullis(&scratch, &["--version"]), 0, &[gate::BUILD]);
    says(&portcullis(&scratch, &["policy", "--paths"]), 0, &["/repo/portcullis.toml (does not exist)", "/etc/portcullis/portcullis.toml"]);
}

#[test]
fn a_question_says_what_each_answer_does() {
    let scratch = Scratch::new().with_work();
    let said = denied(&scratch, "git reset --hard HEAD~1");
    for part in
        ["asked by `", "asked because: `", "leaves this to a person each time", "if yes: exactly this is done, once", "if no: nothing is done; the agent"]
    {
        assert!(said.code == 0 && said.stdout.contains(part), "`{part}` in {said:?}");
    }
    let said = denied(&scratch, "rm -rf $FOLDER");
    assert!(said.stdout.contains("asked because: it cannot be known before it runs"), "{said:?}");
}
