//! `tests/cases/*.toml`: what is said to a command or a tool call, through the same pipeline as the live hook.
//!
//! `cargo test --test it cases -- --nocapture` prints the table of them all by file. With `PORTCULLIS_CASES=DIR`
//! the files of another folder are judged instead.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, Mutex};

use actions::word::{Word, WordPiece};
use actions::{Action, Deed};
use clients::Invocation;
use gate::call;
use gate::world::World;
use portcullis::deep::Cold;

use crate::support::{Scratch, json, judge_in, package};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// What every case of the file is expected to be, if it does not say so itself.
    #[serde(default)]
    expect: Option<String>,
    /// Packs that the project's policy adds.
    #[serde(default)]
    packs: Vec<String>,
    #[serde(default)]
    case: Vec<Case>,
    /// Commands without more: each is a case with the file's expectation.
    #[serde(default)]
    commands: Vec<String>,
}

#[derive(Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    /// A Bash command, or
    pub(crate) command: Option<String>,
    /// a tool with its input as JSON; `REPO` and `HOME_DIR` stand for the folders.
    tool: Option<String>,
    input: Option<String>,
    /// The permission mode.
    pub(crate) mode: Option<String>,
    /// The type of the subagent that acts.
    pub(crate) agent: Option<String>,
    /// Files that are there before: path and text.
    #[serde(default)]
    pub(crate) files: BTreeMap<String, String>,
    /// Nothing in the work tree could be lost.
    #[serde(default)]
    pub(crate) clean: bool,
    /// `free`, `held` (asked or denied), `ask`, `deny`, or `ask RULE`, `deny RULE`: the first rule named.
    expect: Option<String>,
    /// What the case deletes is there: it is expected to be held for that.
    #[serde(skip)]
    there: bool,
    /// The packs of its file.
    #[serde(skip)]
    pub(crate) packs: Vec<String>,
}

/// One row of the table: how many were expected to be held and to be free, and what went wrong with them.
#[derive(Clone, Copy, Default)]
struct Row {
    held: usize,
    misses: usize,
    /// Held, but not by the tier or rule expected.
    otherwise: usize,
    free: usize,
    blocks: usize,
}

#[test]
#[expect(clippy::print_stdout, reason = "the table is what `--nocapture` shows")]
fn every_case_is_judged_as_expected() {
    let foreign = std::env::var_os("PORTCULLIS_CASES").map(PathBuf::from);
    let folder = foreign.clone().unwrap_or_else(|| package().join("tests/cases"));
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    // The longest first, so that no worker is left alone with it. The table is sorted by name.
    files.sort_by_key(|path| std::cmp::Reverse(fs::metadata(path).unwrap().len()));
    // Judging changes nothing, so cases without files of their own share one.
    let plain = Scratch::new().with_work();
    let (next, judged) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(path) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let row = judge_file(path, &plain);
                    judged.lock().unwrap().insert(path.file_stem().unwrap().to_string_lossy().into_owned(), row);
                }
            });
        }
    });
    let (mut rows, mut wrong) = (Vec::new(), Vec::new());
    for (name, (row, mistakes)) in judged.into_inner().unwrap() {
        rows.push((name, row));
        wrong.extend(mistakes);
    }
    let (text, commands) = table(&rows);
    println!("{text}");
    assert!(foreign.is_some() || commands >= 600, "only {commands} cases were found");
    assert!(wrong.is_empty(), "{} of {commands} cases are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// The row of a file, and a line for each case that is wrong.
fn judge_file(path: &Path, plain: &Scratch) -> (Row, Vec<String>) {
    let name = path.file_stem().unwrap().to_string_lossy();
    let (mut row, mut wrong) = (Row::default(), Vec::new());
    let (cases, own) = (cases(path), shared(path));
    let plain = own.as_ref().unwrap_or(plain);
    for (case, expected) in cases {
        let got = judge(&case, plain);
        row.count(&expected, &got);
        if !agrees(&expected, &got) {
            let what = case.command.as_deref().or(case.input.as_deref()).unwrap_or("");
            wrong.push(format!("{name}: {what:?}: expected {expected}, got {got}"));
        }
    }
    (row, wrong)
}

/// A command that a rule advises must not be held itself.
#[test]
fn what_rules_advise_is_free() {
    let mut advised = 0;
    for entry in fs::read_dir(package().join("policies")).unwrap() {
        let path = entry.unwrap().path();
        let Some(text) = fs::read_to_string(&path).ok().filter(|_| path.extension().is_some_and(|extension| extension == "toml")) else { continue };
        let policy: toml::Table = toml::from_str(&text).unwrap();
        for rule in policy["rule"].as_array().unwrap() {
            if let Some(command) = rule["instead"].as_str().unwrap().strip_prefix("$ ") {
                let got = judge(&Case { command: Some(command.to_owned()), ..Case::default() }, &Scratch::new());
                assert_eq!(got, "free", "{}: {command}", rule["name"]);
                advised += 1;
            }
        }
    }
    assert!(advised > 10, "only {advised} commands are advised");
}

/// What lies behind a limit of reading, in a file too, is asked about.
#[test]
fn a_limit_in_a_file_is_not_silent() {
    let scratch = Scratch::new();
    let makefile = |count: usize, last: &str| {
        let names: Vec<String> = (0..count).map(|at| format!("t{at}")).collect();
        let rules = names.iter().map(|name| format!("{name}:\n\techo {name}\n")).collect::<Vec<_>>().concat();
        format!("all: {} last\n{rules}last:\n\t{last}\n", names.join(" "))
    };
    let script = |count: usize, last: &str| "echo x\n".repeat(count) + last + "\n";
    let fan = |last: &str| {
        let calls = |at: usize| format!("f{at}() {{ {}}}\n", format!("f{}; ", at - 1).repeat(10));
        format!("f0() {{ D=x; }}\n{}f5\n{last}\n", (1..=5).map(calls).collect::<String>())
    };
    let cases = [
        ("make", "Makefile", makefile(250, "git push -f"), "deny force-push"),
        ("make", "Makefile", makefile(250, "echo done"), "free"),
        ("make", "Makefile", makefile(2_500, "git push -f"), "ask unreadable-command"),
        ("bash a.sh", "a.sh", script(5_100, "git push -f"), "deny force-push"),
        ("bash a.sh", "a.sh", script(5_100, "echo done"), "free"),
        ("bash a.sh", "a.sh", script(25_000, "git push -f"), "ask unreadable-command"),
        // Functions that call each other often are no reason to ask: the lines behind them are still read.
        ("bash a.sh", "a.sh", fan("echo done"), "free"),
        ("bash a.sh", "a.sh", fan("git push -f"), "deny force-push"),
        ("bash a.sh", "a.sh", fan("rm -rf \"$D/\""), "free"),
        ("bash a.sh && bash a.sh && echo done", "a.sh", fan("echo done"), "free"),
        ("bash a.sh && git push -f", "a.sh", fan("echo done"), "deny force-push"),
        ("bash a.sh && \"$X\" -f", "a.sh", fan("echo done"), "ask unreadable-command"),
    ];
    for (command, name, text, expected) in cases {
        let case = Case { command: Some(command.to_owned()), files: BTreeMap::from([(name.to_owned(), text)]), ..Case::default() };
        assert_eq!(judge(&case, &scratch), expected, "{command} with {name}");
    }
}

/// The cases of a file, each with what is expected.
pub(crate) fn cases(path: &Path) -> Vec<(Case, String)> {
    let text = fs::read_to_string(path).unwrap();
    let file: File = toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let plain = file.commands.into_iter().map(|command| Case { command: Some(command), ..Case::default() });
    let expected = |case: &Case| case.expect.clone().or_else(|| file.expect.clone()).expect("a case says what it expects");
    file.case
        .into_iter()
        .chain(plain)
        .map(|case| {
            let expected = expected(&case);
            (Case { there: expected != "free", packs: file.packs.clone(), ..case }, expected)
        })
        .collect()
}

/// The repository that the cases of a file share, if the file adds packs.
pub(crate) fn shared(path: &Path) -> Option<Scratch> {
    let packs = cases(path).first()?.0.packs.clone();
    if packs.is_empty() {
        return None;
    }
    let scratch = Scratch::new().with_work();
    with_packs(&scratch, &packs);
    Some(scratch)
}

fn with_packs(scratch: &Scratch, packs: &[String]) {
    if !packs.is_empty() {
        scratch.write("portcullis.toml", &format!("schema = 1\npacks = {packs:?}\n"));
    }
}

impl Row {
    fn count(&mut self, expected: &str, got: &str) {
        let right = agrees(expected, got);
        if expected == "free" {
            self.free += 1;
            self.blocks += usize::from(!right);
        } else {
            self.held += 1;
            self.misses += usize::from(!right && got == "free");
            self.otherwise += usize::from(!right && got != "free");
        }
    }
}

/// The table in Markdown, with a last row of sums, and the number of commands.
fn table(rows: &[(String, Row)]) -> (String, usize) {
    let mut sum = Row::default();
    let mut text =
        "| file | commands | right | attacks | misses | other tier or rule | harmless | false blocks |\n|---|---:|---:|---:|---:|---:|---:|---:|\n".to_owned();
    let mut line = |name: &str, row: Row| {
        let Row { held, misses, otherwise, free, blocks } = row;
        let right = held + free - misses - otherwise - blocks;
        writeln!(text, "| {name} | {} | {right} | {held} | {misses} | {otherwise} | {free} | {blocks} |", held + free).unwrap();
    };
    for (name, row) in rows {
        line(name, *row);
        sum = Row {
            held: sum.held + row.held,
            misses: sum.misses + row.misses,
            otherwise: sum.otherwise + row.otherwise,
            free: sum.free + row.free,
            blocks: sum.blocks + row.blocks,
        };
    }
    line("all", sum);
    (text, sum.held + sum.free)
}

/// The most bytes of half of the denials, and of nine in ten.
const SHORT: (usize, usize) = (300, 400);

/// A denial that is long is not read, and it fills the context of a model.
#[test]
#[expect(clippy::print_stdout, reason = "the sizes are what `--nocapture` shows")]
fn denials_are_short() {
    let mut files: Vec<PathBuf> = fs::read_dir(package().join("tests/cases")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let plain = Scratch::new().with_work();
    let mut texts: Vec<String> = files.iter().flat_map(|path| said_in(path, &plain)).collect();
    texts.retain(|text| text.starts_with("denied by `"));
    texts.sort_by_key(String::len);
    assert!(texts.len() > 300, "only {} denials were found", texts.len());
    let at = |part: usize| &texts[texts.len() * part / 100];
    if let Some(file) = std::env::var_os("PORTCULLIS_DENIALS") {
        fs::write(file, texts.join("\n")).unwrap();
    }
    println!("{} denials: median {} bytes, 90th percentile {}, longest {}", texts.len(), at(50).len(), at(90).len(), texts.last().unwrap().len());
    assert!(at(50).len() <= SHORT.0, "{}", at(50));
    assert!(at(90).len() <= SHORT.1, "{}", at(90));
}

/// What the agent reads of the cases of a file.
fn said_in(path: &Path, plain: &Scratch) -> Vec<String> {
    let own = shared(path);
    let plain = own.as_ref().unwrap_or(plain);
    cases(path).iter().filter(|(_, expected)| expected != "free").map(|(case, _)| said(case, plain)).collect()
}

/// What the agent reads.
fn said(case: &Case, plain: &Scratch) -> String {
    let own = scratch_of(case);
    let scratch = own.as_ref().unwrap_or(plain);
    judge_in(&scratch.world(), "PreToolUse", &payload_of(case, scratch)).stderr
}

/// The repository of a case, if it needs one of its own.
pub(crate) fn scratch_of(case: &Case) -> Option<Scratch> {
    let deleted = if case.there { deleted_by(case) } else { Vec::new() };
    let own = match (case.clean, case.files.is_empty() && deleted.is_empty()) {
        (false, true) => None,
        (true, _) => Some(Scratch::new()),
        (false, false) => Some(Scratch::new().with_work()),
    };
    if let Some(own) = &own {
        with_packs(own, &case.packs);
    }
    for path in deleted {
        own.as_ref().unwrap().stage(&path);
    }
    for (path, text) in &case.files {
        own.as_ref().unwrap().write(path, text);
    }
    own
}

/// Files that a case would take away, or in folders that it would, from the folder around its repository.
fn deleted_by(case: &Case) -> Vec<String> {
    static KNOWN: LazyLock<Mutex<BTreeMap<String, Vec<String>>>> = LazyLock::new(Mutex::default);
    let Some(command) = case.command.as_ref().or(case.input.as_ref()) else { return Vec::new() };
    // Three tests ask for the same.
    if let Some(known) = KNOWN.lock().unwrap().get(command) {
        return known.clone();
    }
    let found = find_deleted(case);
    KNOWN.lock().unwrap().insert(command.clone(), found.clone());
    found
}

fn find_deleted(case: &Case) -> Vec<String> {
    let scratch = Scratch::new();
    let event = Invocation::new(Some("PreToolUse"), None).read(payload_of(case, &scratch).as_bytes()).unwrap_or_else(|error| panic!("{error:?}"));
    let Ok(Some(judged)) = call::judged(&event, &scratch.world(), &Cold, call::Purpose::Verdict) else { return Vec::new() };
    let around = scratch.repo().parent().unwrap().to_path_buf();
    let words = |action: &Action| match &action.deed {
        Deed::Delete(delete) if delete.recursive => vec![delete.path.word.clone()],
        Deed::Run(run) => run.limits.iter().map(|limit| limit.word.clone()).collect(),
        _ => Vec::new(),
    };
    let path = |word: Word| {
        // What a pattern names has the name that stands for all.
        let text: String = word.pieces.iter().map(|piece| if let WordPiece::Lit(text) = piece { text.as_str() } else { "work" }).collect();
        let inside = Path::new(&text).strip_prefix(&around).ok().filter(|inside| inside.components().count() > 0 && !inside.ends_with("portcullis.toml"))?;
        let file = inside.extension().is_some() || word.literal().is_none();
        Path::new(&text).symlink_metadata().is_err().then(|| if file { inside.to_path_buf() } else { inside.join("work") }.to_str().map(str::to_owned))?
    };
    judged.judgement.actions.iter().flat_map(words).filter_map(path).collect()
}

/// The event of a case in its repository.
pub(crate) fn payload_of(case: &Case, scratch: &Scratch) -> String {
    let mode = case.mode.as_deref().unwrap_or("default");
    let place = |text: &str| text.replace("REPO", &scratch.repo().to_string_lossy()).replace("HOME_DIR", &scratch.home().to_string_lossy());
    let payload = match (&case.command, &case.tool, &case.input) {
        (Some(command), None, None) => scratch.payload("Bash", &format!(r#"{{"command":{}}}"#, json(&place(command))), mode),
        (None, Some(tool), Some(input)) => scratch.payload(tool, &place(input), mode),
        _ => panic!("a case is a command, or a tool with its input"),
    };
    match &case.agent {
        Some(agent) => payload.replacen("\"tool_use_id\"", &format!("\"agent_id\":\"a1\",\"agent_type\":{},\"tool_use_id\"", json(agent)), 1),
        None => payload,
    }
}

fn judge(case: &Case, plain: &Scratch) -> String {
    let own = scratch_of(case);
    let scratch = own.as_ref().unwrap_or(plain);
    let payload = payload_of(case, scratch);
    // Where the shell is known to be bash, and where it may be zsh: nothing may depend on that.
    let world = scratch.world();
    let either = judge_in(&world, "PreToolUse", &payload).short();
    let bash = judge_in(&World { zsh: false, ..world }, "PreToolUse", &payload).short();
    if either == bash { bash } else { format!("{either} (as bash alone: {bash})") }
}

fn agrees(expected: &str, got: &str) -> bool {
    match expected {
        "held" => got.starts_with("ask ") || got.starts_with("deny "),
        "ask" | "deny" => got.split(' ').next() == Some(expected),
        _ => got == expected || got.strip_prefix(expected).is_some_and(|rest| rest.starts_with(' ')),
    }
}
