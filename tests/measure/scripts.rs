//! How much of real shell scripts can be read: every `*.sh` and every file whose first line names `sh` or `bash` is read as
//! one command line, and every function that it defines is called with arguments that are not known. Each command of a
//! script counts once for each function that holds it.
//!
//! Short: the scripts of this repository, and those that come with git. Long: `PORTCULLIS_SCRIPTS=FOLDER cargo test --release --test measure scripts --
//! --nocapture` for a folder with one folder for each repository; `PORTCULLIS_SCRIPTS_SHOW` names a file for what could not
//! be read.
//!
//! What is counted here is stricter than what the gate does: of scripts that were on the disk before, it takes only what is
//! certain; only a script that the call itself wrote is stopped for what cannot be read.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use actions::Deed;
use actions::lookup::Lookups;
use actions::shell::{Setting, Shell};
use gate::BUILT_IN;
use policy::Policy;
use shell_reader::ast::{Command, Compound, Script};
use shell_reader::parse;

use crate::support::package;

/// Commands in a hundred that may be unreadable.
const MOST: f64 = 1.0;

fn scripts(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        let kind = fs::symlink_metadata(&path).unwrap().file_type();
        if kind.is_dir() && !path.ends_with("target") && !path.ends_with(".git") {
            scripts(&path, found);
        } else if kind.is_file() && is_script(&path) {
            found.push(path);
        }
    }
}

fn is_script(path: &Path) -> bool {
    let Ok(text) = fs::read(path) else { return false };
    // Tcl behind a shell's first line.
    if [&b"exec wish"[..], b"exec tclsh"].iter().any(|mark| text.windows(mark.len()).take(2_000).any(|stretch| stretch == *mark)) {
        return false;
    }
    let first = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let first = String::from_utf8_lossy(first).into_owned();
    let named = first.strip_prefix("#!").and_then(|line| line.split(['/', ' ']).rfind(|word| !word.is_empty() && !word.starts_with('-')).map(str::to_owned));
    match named {
        Some(name) => matches!(name.as_str(), "sh" | "bash" | "dash"),
        None => path.extension().is_some_and(|extension| extension == "sh" || extension == "bash"),
    }
}

/// The names of all functions in a script.
fn functions(script: &Script, names: &mut Vec<String>) {
    for item in &script.items {
        inside(&item.command, names);
    }
}

fn inside(command: &Command, names: &mut Vec<String>) {
    match command {
        Command::Function { name, body, .. } => {
            names.push(name.clone());
            inside(body, names);
        }
        Command::Pipeline(commands) => commands.iter().for_each(|command| inside(command, names)),
        Command::Compound { body, .. } => match body {
            Compound::Subshell(body)
            | Compound::Group(body)
            | Compound::For { body, .. }
            | Compound::Select { body, .. }
            | Compound::ArithmeticFor { body, .. } => functions(body, names),
            Compound::If { branches, otherwise } => {
                branches.iter().flat_map(|(condition, body)| [condition, body]).chain(otherwise).for_each(|part| functions(part, names));
            }
            Compound::While { condition, body } => [condition, body].into_iter().for_each(|part| functions(part, names)),
            Compound::Case { arms, .. } => arms.iter().for_each(|arm| functions(&arm.body, names)),
            Compound::Test(_) | Compound::Arithmetic(_) => {}
        },
        _ => {}
    }
}

#[derive(Default)]
struct Tally {
    scripts: usize,
    commands: usize,
    unread: usize,
}

#[test]
fn real_scripts_can_be_read() {
    let root = std::env::var_os("PORTCULLIS_SCRIPTS").map(PathBuf::from);
    let mut folders: Vec<PathBuf> = match &root {
        Some(root) => fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect(),
        None => std::iter::once(package().to_path_buf()).chain(scripts_of_git()).collect(),
    };
    folders.sort();
    let policy = Policy::open(BUILT_IN).unwrap();
    let setting = Setting { cwd: "/repo".to_owned(), home: Some("/home/dev".to_owned()), temporary: "/tmp".to_owned(), root: "/repo".to_owned(), zsh: false };
    let mut all = Tally::default();
    let mut shown = String::new();
    let mut classes: BTreeMap<String, usize> = BTreeMap::new();
    for folder in folders {
        let mut found = Vec::new();
        scripts(&folder, &mut found);
        let mut tally = Tally::default();
        for path in found {
            let Ok(text) = fs::read_to_string(&path) else { continue };
            let mut names = Vec::new();
            functions(&parse::read(&text).script, &mut names);
            tally.scripts += 1;
            let follow = |text: &str| {
                let mut shell = Shell::new(&setting, &policy.programs, Lookups::default());
                shell.line(text);
                shell.finish().0
            };
            let mut seen = BTreeSet::new();
            let alone = follow(&text);
            let before = alone.len();
            // Each function has its own share of what is followed in one call.
            let called = names.iter().map(|name| follow(&format!("{text}\n{name} \"$@\"\n")).into_iter().skip(before).collect());
            for actions in [alone].into_iter().chain(called.collect::<Vec<Vec<_>>>()) {
                for action in actions {
                    // A function that is called from many places holds each of its commands once.
                    if !seen.insert((matches!(action.deed, Deed::Opaque { .. }), action.shown(), action.via.last().cloned())) {
                        continue;
                    }
                    match &action.deed {
                        Deed::Run(_) => tally.commands += 1,
                        Deed::Opaque { why, .. } => {
                            tally.commands += 1;
                            tally.unread += 1;
                            *classes.entry((*why).to_owned()).or_default() += 1;
                            let _ = writeln!(shown, "{why}\t{}\t{}\t{}", action.shown(), action.via.join(" > "), path.display());
                        }
                        _ => {}
                    }
                }
            }
        }
        println!(
            "{:<28} {:>5} scripts {:>7} commands {:>5} unread {:>6.2} %",
            folder.file_name().unwrap().to_string_lossy(),
            tally.scripts,
            tally.commands,
            tally.unread,
            share(&tally)
        );
        all = Tally { scripts: all.scripts + tally.scripts, commands: all.commands + tally.commands, unread: all.unread + tally.unread };
    }
    println!("{:<28} {:>5} scripts {:>7} commands {:>5} unread {:>6.2} %", "all", all.scripts, all.commands, all.unread, share(&all));
    println!("{classes:#?}");
    if let Some(path) = std::env::var_os("PORTCULLIS_SCRIPTS_SHOW") {
        fs::write(path, shown).unwrap();
    }
    // The package's own scripts are few, and one of them starts what it is given.
    let most = if root.is_some() { MOST } else { 5.0 };
    assert!(all.commands > 20 && share(&all) <= most, "{:.2} % of {} commands could not be read", share(&all), all.commands);
}

#[expect(clippy::cast_precision_loss, reason = "a share")]
fn share(tally: &Tally) -> f64 {
    tally.unread as f64 * 100.0 / tally.commands.max(1) as f64
}

/// The folder of git's own programs, some of which are shell scripts.
fn scripts_of_git() -> Option<PathBuf> {
    let output = std::process::Command::new("git").arg("--exec-path").output().ok()?;
    Some(PathBuf::from(String::from_utf8(output.stdout).ok()?.trim())).filter(|path| path.is_dir())
}
