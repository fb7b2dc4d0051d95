//! `tests/cases/*.toml`: what is said to a command or a tool call, through the same pipeline as the live hook.

use std::fs;

use crate::support::{Scratch, json, package};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// What every case of the file is expected to be, if it does not say so itself.
    #[serde(default)]
    expect: Option<String>,
    #[serde(default)]
    case: Vec<Case>,
    /// Commands without more: each is a case with the file's expectation.
    #[serde(default)]
    commands: Vec<String>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// A Bash command, or
    command: Option<String>,
    /// a tool with its input as JSON; `REPO` and `HOME` stand for the folders.
    tool: Option<String>,
    input: Option<String>,
    /// The permission mode.
    mode: Option<String>,
    /// Files that are there before: path and text.
    #[serde(default)]
    files: std::collections::BTreeMap<String, String>,
    /// Nothing in the work tree could be lost.
    #[serde(default)]
    clean: bool,
    /// `free`, `held` (asked or denied), `ask`, `deny`, or `ask RULE`, `deny RULE`: the first rule named.
    expect: Option<String>,
}

#[test]
fn every_case_is_judged_as_expected() {
    let mut wrong = Vec::new();
    let mut count = 0;
    // Judging changes nothing, so cases without files of their own share one.
    let plain = Scratch::new().with_work();
    for entry in fs::read_dir(package().join("tests/cases")).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let file: File = toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let commands = file.commands.into_iter().map(|command| Case {
            command: Some(command),
            tool: None,
            input: None,
            mode: None,
            files: std::collections::BTreeMap::default(),
            clean: false,
            expect: None,
        });
        for case in file.case.into_iter().chain(commands) {
            let expected = case.expect.clone().or_else(|| file.expect.clone()).expect("a case says what it expects");
            let got = judge(&case, &plain);
            count += 1;
            if !agrees(&expected, &got) {
                let what = case.command.as_deref().or(case.input.as_deref()).unwrap_or("");
                wrong.push(format!("{}: {what:?}: expected {expected}, got {got}", path.file_name().unwrap().to_string_lossy()));
            }
        }
    }
    assert!(count > 150, "only {count} cases were found");
    assert!(wrong.is_empty(), "{} of {count} cases are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

fn judge(case: &Case, plain: &Scratch) -> String {
    let own = match (case.clean, case.files.is_empty()) {
        (false, true) => None,
        (true, _) => Some(Scratch::new()),
        (false, false) => Some(Scratch::new().with_work()),
    };
    let scratch = own.as_ref().unwrap_or(plain);
    for (path, text) in &case.files {
        scratch.write(path, text);
    }
    let mode = case.mode.as_deref().unwrap_or("default");
    let place = |text: &str| text.replace("REPO", &scratch.repo().to_string_lossy()).replace("HOME_DIR", &scratch.home().to_string_lossy());
    let payload = match (&case.command, &case.tool, &case.input) {
        (Some(command), None, None) => scratch.payload("Bash", &format!(r#"{{"command":{}}}"#, json(&place(command))), mode),
        (None, Some(tool), Some(input)) => scratch.payload(tool, &place(input), mode),
        _ => panic!("a case is a command, or a tool with its input"),
    };
    scratch.judge("PreToolUse", &payload).short()
}

fn agrees(expected: &str, got: &str) -> bool {
    match expected {
        "held" => got.starts_with("ask ") || got.starts_with("deny "),
        "ask" | "deny" => got.split(' ').next() == Some(expected),
        _ => got == expected || got.strip_prefix(expected).is_some_and(|rest| rest.starts_with(' ')),
    }
}
