//! The first ten minutes, by somebody who reads only what the screen says: each step is one that the step before it names. In a
//! Python, a TypeScript and a Rust repository, from the first start to having left again.

use std::fs;
use std::path::{Path, PathBuf};

use crate::cli_init::portcullis;
use crate::support::{Said, Scratch, hook_path, json, run};

/// A repository: its files, a command of its own that its people want to be asked about, and a harmless one like it.
struct Newcomer {
    files: &'static [(&'static str, &'static str)],
    own: &'static str,
    like_it: &'static str,
}

const NEWCOMERS: [Newcomer; 3] = [
    Newcomer {
        files: &[("pyproject.toml", "[project]\nname = \"shop\"\nversion = \"0.1\"\n"), ("src/shop/cart.py", "def total(a):\n    return sum(a)\n")],
        own: "python3 tools/send_invoices.py",
        like_it: "python3 tools/list_invoices.py",
    },
    Newcomer {
        files: &[
            ("package.json", "{\"name\":\"web\",\"scripts\":{\"test\":\"vitest\",\"db:seed\":\"tsx seed.ts\"}}\n"),
            ("src/add.ts", "export const a = 1\n"),
        ],
        own: "npm run db:seed",
        like_it: "npm run test",
    },
    Newcomer {
        files: &[("Cargo.toml", "[package]\nname = \"tool\"\nversion = \"0.1.0\"\n"), ("src/main.rs", "fn main() {}\n")],
        own: "cargo xtask deploy",
        like_it: "cargo xtask lint",
    },
];

/// The commands that a text names in backticks.
fn named(text: &str) -> Vec<String> {
    text.split('`').skip(1).step_by(2).filter_map(|command| command.strip_prefix("portcullis ")).map(str::to_owned).collect()
}

/// The line that says what to do next.
fn next(said: &Said) -> String {
    let line = said.stdout.lines().rev().find_map(|line| line.split_once("next: ").map(|(_, next)| next.to_owned()));
    line.unwrap_or_else(|| panic!("it names no next step: {said:?}"))
}

/// Runs a command as it is named, with a command of the repository where it leaves one open.
fn follow(scratch: &Scratch, line: &str, own: &str) -> Said {
    let line = line.replace("COMMAND", own);
    portcullis(scratch, &line.split(' ').collect::<Vec<_>>())
}

/// Every file below a folder but git's own.
fn tree(folder: &Path, into: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            tree(&path, into);
        } else {
            into.push((path.clone(), fs::read(path).unwrap()));
        }
    }
    into.sort();
}

fn hook(scratch: &Scratch, command: &str) -> Said {
    let payload = scratch.payload("Bash", &format!(r#"{{"command":{}}}"#, json(command)), "default");
    run(scratch.command(hook_path()).args(["PreToolUse", "claude-code", "50"]), payload.as_bytes())
}

#[test]
fn each_screen_leads_to_the_next() {
    for newcomer in &NEWCOMERS {
        let scratch = Scratch::new();
        for (path, text) in newcomer.files {
            scratch.write(path, text);
        }
        let mut before = Vec::new();
        tree(&scratch.repo(), &mut before);

        // Nothing is there yet, and the screen says what to do.
        let first = portcullis(&scratch, &[]);
        assert!(first.stdout.contains("is not active"), "{first:?}");
        let step = next(&first);
        assert_eq!(step, "portcullis init");
        // Here is no terminal, at which it would ask; it says so, and how to go on without one.
        let asked = follow(&scratch, "init", newcomer.own);
        assert!(asked.code == 1 && asked.stderr.contains("`--dry-run`") && asked.stderr.contains("`--yes`"), "{asked:?}");
        let wired = follow(&scratch, "init --yes", newcomer.own);
        assert!(wired.code == 0 && wired.stdout.contains("denied by `force-push`"), "{wired:?}");

        // What it names works, for a command of this repository too.
        for step in named(&next(&wired)) {
            let said = follow(&scratch, &step, newcomer.own);
            assert!(said.code == 0, "{step}: {said:?}");
        }
        let second = portcullis(&scratch, &[]);
        let steps = named(&next(&second));
        assert!(second.stdout.contains("is active") && steps.iter().any(|step| step.starts_with("policy new")), "{second:?}");
        for step in steps.iter().filter(|step| *step != "--help") {
            assert_eq!(follow(&scratch, step, newcomer.own).code, 0, "{step}");
        }

        // A rule of their own goes where the screen says, and holds.
        assert_eq!(hook(&scratch, newcomer.own).short(), "free");
        let rule = follow(&scratch, "policy new COMMAND", newcomer.own);
        let file = rule.stderr.split("at the end of ").nth(1).and_then(|rest| rest.split(',').next()).unwrap_or_else(|| panic!("{rule:?}"));
        assert_eq!(Path::new(file), scratch.repo().join("portcullis.toml"));
        fs::write(file, fs::read_to_string(file).unwrap() + &rule.stdout).unwrap();
        let [test, lint] = <[String; 2]>::try_from(named(&rule.stderr)).unwrap();
        let unfilled = follow(&scratch, &lint, newcomer.own);
        assert!(unfilled.code == 1 && unfilled.stdout.contains("still the text of `policy new`"), "{unfilled:?}");
        let filled_in = fs::read_to_string(file).unwrap().replace("say what would be lost", "customers get it twice");
        fs::write(file, filled_in.replace("say what to do instead; a command begins with `$ `", "ask the person")).unwrap();
        for (step, says) in [(test, "1 rules"), (lint, "")] {
            let said = follow(&scratch, &step, newcomer.own);
            assert!(said.code == 0 && said.stdout.contains(says), "{step}: {said:?}");
        }
        let stopped = hook(&scratch, newcomer.own);
        assert!(stopped.short().starts_with("ask "), "{stopped:?}");
        assert_eq!(hook(&scratch, newcomer.like_it).short(), "free", "{}", newcomer.like_it);

        // What was stopped is explained, with the ways out.
        let last = portcullis(&scratch, &[]);
        assert!(last.stdout.contains("last    stopped by") && last.stdout.contains("`portcullis unblock`"), "{last:?}");
        let unblock = portcullis(&scratch, &["unblock"]);
        assert!(unblock.code == 0 && unblock.stdout.contains("it is a rule of your own: a person can change it (portcullis.toml:"), "{unblock:?}");

        // The help says how to leave, and nothing is left.
        let help = portcullis(&scratch, &["-h"]).stdout;
        assert!(help.contains("uninstall") && help.contains("`--undo`: remove it"), "{help}");
        let left = follow(&scratch, "init --undo --yes", newcomer.own);
        assert_eq!(left.code, 0, "{left:?}");
        let policy = scratch.repo().join("portcullis.toml");
        assert!(policy.exists(), "a policy with rules of their own is theirs");
        fs::remove_file(policy).unwrap();
        let mut after = Vec::new();
        tree(&scratch.repo(), &mut after);
        assert_eq!(before, after);
    }
}
