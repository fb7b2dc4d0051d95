//! README.md is true: its commands are run in a scratch repository and say what it says they say.

use std::fs;
use std::path::Path;

use gate::BUILD;

use crate::docs::blocks;
use crate::support::{Scratch, hook_path, json, package, run};

/// Set to write what the commands say now into README.md.
const REFRESH: &str = "PORTCULLIS_REFRESH";
/// Commands that are not run here: they are run on a fresh machine, and the second is what runs this.
const SET_UP: &[&str] = &["cargo run --release -- install", "cargo test"];

fn readme() -> String {
    fs::read_to_string(package().join("README.md")).unwrap()
}

/// A command and what it says.
pub(crate) struct Step {
    pub(crate) command: String,
    pub(crate) said: String,
}

pub(crate) fn steps(block: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut lines = block.lines();
    while let Some(line) = lines.next() {
        match (line.strip_prefix("$ "), steps.last_mut()) {
            (Some(command), _) if command.ends_with("<<'END'") => {
                let document: Vec<&str> = lines.by_ref().take_while(|line| *line != "END").collect();
                steps.push(Step { command: format!("{command}\n{}\nEND\ntrue", document.join("\n")), said: String::new() });
            }
            (Some(command), _) => steps.push(Step { command: command.to_owned(), said: String::new() }),
            (None, Some(step)) => {
                step.said += line;
                step.said.push('\n');
            }
            (None, None) => panic!("a console block begins with `$ `: {line}"),
        }
    }
    steps
}

/// Whether a text is what a pattern says: `...` stands for any lines, `[..]` for anything in a line.
pub(crate) fn agrees(pattern: &[&str], text: &[&str]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, None) => true,
        (Some((&"...", rest)), _) => (0..=text.len()).any(|skipped| agrees(rest, text.get(skipped..).unwrap())),
        (Some((line, pattern)), Some((found, text))) => in_line(line, found) && agrees(pattern, text),
        _ => false,
    }
}

fn in_line(pattern: &str, text: &str) -> bool {
    match pattern.split_once("[..]") {
        None => pattern == text,
        Some((before, after)) => {
            let Some(rest) = text.strip_prefix(before) else { return false };
            (0..=rest.len()).filter(|at| rest.is_char_boundary(*at)).any(|at| in_line(after, rest.get(at..).unwrap()))
        }
    }
}

/// A text with the folders of README.md.
pub(crate) fn plain(text: &str, scratch: &Scratch) -> String {
    let folder = Path::new(hook_path()).parent().unwrap().to_string_lossy().into_owned();
    text.replace(&*scratch.repo().to_string_lossy(), "/home/dev/project")
        .replace(&*scratch.home().to_string_lossy(), "/home/dev")
        .replace(&folder, "/home/dev/.local/bin")
        .replace(BUILD, "0.1.0+build")
}

#[test]
fn every_console_block_runs() {
    let text = readme();
    let mut new = text.clone();
    let scratch = Scratch::new();
    let path = format!("{}:/usr/bin:/bin", Path::new(hook_path()).parent().unwrap().display());
    let (mut wrong, mut count) = (Vec::new(), 0);
    for step in blocks(&text, "console").iter().flat_map(|block| steps(block)) {
        count += 1;
        if SET_UP.contains(&step.command.as_str()) {
            continue;
        }
        assert!(step.command.starts_with("portcullis "), "`{}` is neither of the set-up nor ours", step.command);
        let mut shell = scratch.command("/bin/sh");
        let said = run(shell.env("PATH", &path).env_remove("CLAUDE_PROJECT_DIR").args(["-c", &format!("{} 2>&1", step.command)]), b"");
        let found = plain(&said.stdout, &scratch);
        let (expected, lines): (Vec<&str>, Vec<&str>) = (step.said.lines().collect(), found.lines().collect());
        if !agrees(&expected, &lines) {
            new = new.replacen(&format!("$ {}\n{}", step.command, step.said), &format!("$ {}\n{found}", step.command), 1);
            wrong.push(format!("$ {}\nREADME.md says\n{}\nit says\n{found}", step.command, step.said));
        }
    }
    if std::env::var_os(REFRESH).is_some() {
        fs::write(package().join("README.md"), new).unwrap();
        return;
    }
    assert!(count >= 6, "only {count} commands were found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_refusal_on_the_first_screen_is_the_hook_s_own() {
    let text = readme();
    let first: String = text.lines().take(40).flat_map(|line| [line, "\n"]).collect();
    let command = first.split("An agent runs `").nth(1).and_then(|rest| rest.split('`').next()).expect("it names a command");
    let shown = blocks(&first, "text").into_iter().next().expect("it shows a refusal");
    let scratch = Scratch::new();
    let payload = scratch.payload("Bash", &format!(r#"{{"command":{}}}"#, json(command)), "default");
    let said = scratch.hook("PreToolUse", payload.as_bytes());
    assert_eq!((said.code, said.stdout.as_str()), (2, ""));
    if std::env::var_os(REFRESH).is_some() {
        fs::write(package().join("README.md"), text.replacen(&shown, said.stderr.trim_end(), 1)).unwrap();
        return;
    }
    assert_eq!(said.stderr.trim_end(), shown);
}

#[test]
fn what_the_first_screen_says_of_other_spellings_is_true() {
    let text = readme();
    let said = text.split("Portcullis also denies ").nth(1).unwrap().split("is allowed").next().unwrap();
    let scratch = Scratch::new();
    let (denied, allowed) = said.split_once("alias for a force push").unwrap();
    for command in denied.split('`').skip(1).step_by(2) {
        assert_eq!(scratch.bash(command).short(), "deny force-push", "{command}");
    }
    for command in allowed.split('`').skip(1).step_by(2) {
        assert_eq!(scratch.bash(command).short(), "free", "{command}");
    }
    assert_eq!(scratch.bash("git -c alias.yolo='push --force' yolo").short(), "deny force-push");
}

#[test]
fn the_set_up_is_two_commands_and_ci_runs_both() {
    let text = readme();
    let first: String = text.lines().take(40).flat_map(|line| [line, "\n"]).collect();
    let block = blocks(&first, "console").into_iter().next().expect("it shows the set-up");
    let commands: Vec<String> = steps(&block).into_iter().map(|step| step.command).collect();
    assert_eq!(commands, SET_UP);
    let tasks: String = ["hook.rs", "full.rs"].iter().map(|file| fs::read_to_string(package().join("xtask/src").join(file)).unwrap()).collect();
    for command in SET_UP {
        assert!(tasks.contains(&format!("\"{command}\"")), "`cargo xtask full` does not run `{command}`");
    }
}

#[test]
fn the_scopes_are_those_of_the_command() {
    let text = readme();
    for scope in ["local", "project", "user", "managed"] {
        assert!(text.contains(&format!("| `{scope}`")), "README.md does not speak of `--scope {scope}`");
    }
}
