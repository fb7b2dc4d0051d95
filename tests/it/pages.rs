//! The blocks of all pages are true: consoles say what the page shows, commands are commands, and workflows use what the action has.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::docs::{blocks, fenced};
use crate::readme::{agrees, plain, steps};
use crate::support::{Scratch, hook_path, package, run};

/// What a block can be.
const LANGUAGES: [&str; 5] = ["console", "sh", "text", "toml", "yaml"];
/// Pages whose consoles a test of their own runs: they need a person at a terminal, or have the first screen.
const OWN_TEST: [&str; 2] = ["README.md", "docs/approvals.md"];
/// Programs of other people's machines, which are not started here.
const OTHERS: [&str; 5] = ["cargo ", "PORTCULLIS_TRIAL=", "PORTCULLIS_SCRIPTS=", "tar ", "sudo "];
/// Would wait for ever.
const WAITS: &str = "--follow";
/// Exit codes of a shell that found no such command, and of Portcullis for a wrong command line.
const WRONG: [i32; 3] = [2, 126, 127];

/// The pages that people write by hand, with their texts.
pub(crate) fn pages() -> Vec<(String, String)> {
    let mut names: Vec<String> = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "ARCHITECTURE.md"].map(str::to_owned).into();
    let docs = fs::read_dir(package().join("docs")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.extend(docs.filter(|name| Path::new(name).extension().is_some_and(|end| end == "md")).map(|name| format!("docs/{name}")));
    names.sort();
    names.into_iter().map(|name| (name.clone(), fs::read_to_string(package().join(&name)).unwrap())).collect()
}

#[test]
fn each_block_names_its_language() {
    for (name, text) in pages() {
        for (language, block) in fenced(&text).1 {
            assert!(LANGUAGES.contains(&language.as_str()), "{name}: ```{language}\n{block}");
        }
    }
}

#[test]
fn the_consoles_of_all_pages_say_what_the_pages_show() {
    let mut wrong = Vec::new();
    for (name, text) in pages().into_iter().filter(|(name, _)| !OWN_TEST.contains(&name.as_str())) {
        let scratch = Scratch::new();
        let path = format!("{}:/usr/bin:/bin", Path::new(hook_path()).parent().unwrap().display());
        scratch.write("../cwd", &format!("{}\n", scratch.repo().display()));
        for step in blocks(&text, "console").iter().flat_map(|block| steps(block)) {
            // One shell after the other, each in the folder in which the one before it ended.
            let line = format!("cd \"$(cat ../cwd)\"\n{} 2>&1\npwd > \"$HOME/../cwd\"", step.command);
            let mut shell = scratch.command("/bin/sh");
            let said = run(shell.env("PATH", &path).env_remove("CLAUDE_PROJECT_DIR").args(["-c", &line]), b"");
            let found = plain(&said.stdout, &scratch);
            let (expected, lines): (Vec<&str>, Vec<&str>) = (step.said.lines().collect(), found.lines().collect());
            if !agrees(&expected, &lines) {
                wrong.push(format!("{name}\n$ {}\nit says\n{found}", step.command));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_commands_of_all_pages_are_commands() {
    let (mut wrong, mut count) = (Vec::new(), 0);
    for (name, text) in pages() {
        for block in blocks(&text, "sh") {
            let scratch = Scratch::new();
            let path = format!("{}:/usr/bin:/bin", Path::new(hook_path()).parent().unwrap().display());
            for line in block.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
                if OTHERS.iter().any(|other| line.starts_with(other)) || line.contains(WAITS) {
                    continue;
                }
                count += 1;
                let mut shell = scratch.command("/bin/sh");
                shell.env("PATH", &path).env("GIT_AUTHOR_NAME", "a").env("GIT_COMMITTER_NAME", "a").env("EMAIL", "a@example.com");
                let said = run(shell.env_remove("CLAUDE_PROJECT_DIR").args(["-c", line]), b"");
                // A file that only the page's reader has is no fault of the page.
                if WRONG.contains(&said.code) && !(said.stderr.starts_with("portcullis: ") && said.stderr.contains("\nfix: ")) {
                    wrong.push(format!("{name}: {line}\nexit {}: {}{}", said.code, said.stdout, said.stderr));
                }
            }
        }
    }
    assert!(count > 15, "only {count} commands were found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_workflows_of_the_pages_use_what_is_there() {
    let action = fs::read_to_string(package().join("action.yml")).unwrap();
    let hooks = fs::read_to_string(package().join(".pre-commit-hooks.yaml")).unwrap();
    let inputs = action.split("\ninputs:\n").nth(1).unwrap().split("\nruns:").next().unwrap();
    let inputs: BTreeSet<&str> = inputs.lines().filter_map(|line| line.strip_prefix("  ").filter(|line| !line.starts_with(' '))?.strip_suffix(':')).collect();
    let mut count = 0;
    for (name, text) in pages() {
        for block in blocks(&text, "yaml") {
            for (at, _) in block.match_indices("/portcullis@") {
                let with = block.get(at..).unwrap().split("with: {").nth(1).and_then(|rest| rest.split('}').next()).unwrap_or_default();
                for input in with.split(',').filter_map(|pair| pair.split(':').next()).map(str::trim) {
                    count += 1;
                    assert!(inputs.contains(input), "{name}: the action has no input `{input}`");
                }
            }
            for id in block.split("{ id: ").skip(1).filter_map(|rest| rest.split(' ').next()) {
                count += 1;
                assert!(hooks.contains(&format!("- id: {id}\n")), "{name}: there is no hook `{id}`");
            }
        }
    }
    assert!(count >= 5, "only {count} were found");
}

/// All Rust files and scripts below a folder, as one text.
fn sources(folder: &Path, into: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|end| end == "rs" || end == "sh") {
            into.push_str(&fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn what_is_said_can_be_found_in_troubleshooting() {
    let page = fs::read_to_string(package().join("docs/troubleshooting.md")).unwrap();
    let mut all = String::new();
    for folder in ["src", "crates"] {
        sources(&package().join(folder), &mut all);
    }
    let cells = page.lines().filter_map(|line| line.strip_prefix("| \"")?.split('"').next());
    let unsaid: Vec<&str> = cells.clone().filter(|quoted| !all.contains(quoted)).collect();
    assert!(unsaid.is_empty(), "docs/troubleshooting.md quotes what is never said: {unsaid:#?}");
    assert!(cells.count() > 15);
}
