//! Under which keys a rule is found, and which keys an action is looked up by. A rule that may say yes or maybe to an action
//! shares a key with it; most others are never read.
#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros)]

use crate::facts::{Facts, Known, Need, Places};
use crate::matcher::content::texts;
use crate::matcher::swept;
use crate::pattern::{Automaton, PathAnchor, Pattern};
use crate::{CallWhen, FileWhen, RunWhen, When};
use actions::wire::{KeyStart, key_of as key};
use actions::{Action, Change, Deed, Read, Run, Write, path::Path};

/// In keys of rules that nothing matches which is written in ASCII alone.
const LETTERS: &str = "<letters>";
/// What ends the literal beginning of a pattern.
const GLOB: [char; 7] = ['*', '?', '[', '{', '\\', '(', '/'];
/// Behind a kind, in the key of all its rules.
const ANY: &str = " any";
/// Behind a kind, in the key of a folder in front of what a rule names.
const INSIDE: &str = " in ";
/// Letters of a name's beginning that a key has.
const BEGINNING: usize = 4;
/// Behind which a part of a program's name begins.
const MARKS: [char; 3] = ['.', '-', '_'];

/// Under which keys a rule is found.
///
/// - `run git push` or `run git` for programs known by name, `run mkfs.` for `mkfs.*`, `run` for any. Behind `run =` come those
///   that ask for a variable.
/// - For files `write /settings.json`, `write .pem`, `write ^.esl`: what every path has that the rule matches. `write` if there is no such
///   thing, `write <state>` if only the folder at which the pattern is anchored is known, `write in .claude` for the folders in
///   front of what it names, `write any` always. Rules that speak only of modes are under `modes` in place of
///   `write`, those that speak only of commits under `committed`, those that speak only of many files under `sweeps`; of
///   reads, those that speak only of texts that are shown or sent under `shown` and `sent`.
/// - `call mcp__server__tool`, `call mcp__server__`, `call does deletes`, or `call`; `call any` always.
pub(crate) fn of_rule(when: &When) -> Vec<u32> {
    let modes = |table: &FileWhen| table.attributes == Some(true) || table.recursive == Some(true);
    let strange = |table: &FileWhen| {
        let other = |pattern: &Pattern| pattern.table.as_ref().is_some_and(Automaton::needs_other_letters);
        !table.adds.is_empty() && table.adds.iter().all(other)
    };
    let committed = |table: &FileWhen| table.committed == Some(true) || table.larger_than.is_some();
    match when {
        When::Write(tables) if tables.iter().all(|table| !table.sweeps.is_empty()) => of_files("sweeps", tables),
        When::Write(tables) if tables.iter().all(strange) => of_files(LETTERS, tables),
        When::Write(tables) if tables.iter().all(modes) => of_files("modes", tables),
        When::Write(tables) if tables.iter().all(committed) => of_files("committed", tables),
        When::Read(tables) if tables.iter().all(|table| table.shown == Some(true)) => of_files("shown", tables),
        When::Read(tables) if tables.iter().all(|table| table.sent == Some(true)) => of_files("sent", tables),
        When::Write(tables) | When::Delete(tables) | When::Read(tables) => of_files(when.kind(), tables),
        When::Run(tables) => tables.iter().flat_map(of_run).map(|name| key(&[&name])).collect(),
        When::Call(tables) => tables.iter().flat_map(of_call).map(|name| key(&[&name])).chain([key(&["call any"])]).collect(),
        other => vec![key(&[other.kind()])],
    }
}

/// A table for one program and certain subcommands, or certain words behind the program, need not be looked at for others; where the subcommand of a command is not
/// known, all tables of the program are (`run git ?`).
fn of_run(table: &RunWhen) -> Vec<String> {
    let run = if table.env.is_empty() { "run" } else { "run =" };
    // `mkfs.*`
    let begins = |pattern: &Pattern| {
        let end = pattern.source.find(GLOB)?;
        let end = pattern.source.get(..end)?.rfind(MARKS)?;
        pattern.source.get(..=end).map(str::to_owned)
    };
    let program = |pattern: &Pattern| pattern.literal().map(str::to_owned).or_else(|| begins(pattern));
    let strange = |pattern: &Pattern| pattern.table.as_ref().is_some_and(Automaton::needs_other_letters);
    if !table.program.is_empty() && table.program.iter().all(strange) {
        return vec![format!("{run} {LETTERS}")];
    }
    let programs: Option<Vec<String>> = table.program.iter().map(program).collect();
    let Some(programs) = programs.filter(|programs| !programs.is_empty()) else { return vec![run.to_owned()] };
    let all_literal = table.program.iter().all(|pattern| pattern.literal().is_some());
    let subcommands = if all_literal { literals(&table.subcommand).or_else(|| first_words(&table.words)) } else { None };
    let Some(subcommands) = subcommands else { return programs.iter().map(|program| format!("{run} {program}")).collect() };
    let with = |program: &String| {
        let names = subcommands.iter().copied().chain(["?"]);
        names.map(|subcommand| format!("{run} {program} {subcommand}")).collect::<Vec<_>>()
    };
    programs.iter().flat_map(with).collect()
}

/// The only texts that the patterns match. `None` if there are others.
fn literals<'p>(patterns: &[Pattern<'p>]) -> Option<Vec<&'p str>> {
    let all: Option<Vec<&str>> = patterns.iter().map(Pattern::literal).collect();
    all.filter(|all| !all.is_empty())
}

/// The only words with which the sequences begin. `None` if there are others, or no sequences.
fn first_words<'p>(sequences: &[Vec<Vec<Pattern<'p>>>]) -> Option<Vec<&'p str>> {
    let all: Option<Vec<Vec<&str>>> = sequences.iter().map(|sequence| literals(sequence.first()?)).collect();
    all.map(|all| all.concat()).filter(|all| !all.is_empty())
}

/// The first word behind the program, where it is not all of the subcommand.
fn first_word(run: &Run) -> Option<&str> {
    match &run.subcommand {
        Some(subcommand) => subcommand.literal()?.split_once(' ').map(|(first, _)| first),
        None => run.args.first().map(|word| word.literal().unwrap_or("?")),
    }
}

fn of_call(table: &CallWhen) -> Vec<String> {
    let key = |pattern: &Pattern| match pattern.literal() {
        Some(name) => format!("call {name}"),
        // `mcp__server__delete_*`
        None => match pattern.source.find(GLOB).and_then(|end| pattern.source.get(..end)?.rfind("__")) {
            Some(end) => format!("call {}__", pattern.source.get(..end).unwrap_or("")),
            None => "call".to_owned(),
        },
    };
    match (table.tool.as_slice(), table.does.as_slice()) {
        ([], []) => vec!["call".to_owned()],
        ([], does) => does.iter().map(|effect| format!("call does {}", effect.name())).collect(),
        (tools, _) => tools.iter().map(key).collect(),
    }
}

fn of_files(kind: &str, tables: &[FileWhen]) -> Vec<u32> {
    let kind = KeyStart::EMPTY.and(kind);
    let mut keys = vec![kind.and(ANY).rare()];
    for table in tables {
        // A path that is wholly known names one file.
        if table.path.is_empty() && table.sweeps.is_empty() {
            keys.push(kind.rare());
        }
        for pattern in &table.path {
            let anywhere = matches!(pattern.anchor, PathAnchor::Absolute | PathAnchor::Anywhere | PathAnchor::Hooks);
            let anchored = || if anywhere { kind } else { kind.and(" ").and(pattern.anchor.name()) };
            if pattern.telling.is_empty() {
                keys.push(kind.rare());
            }
            keys.extend(pattern.telling.iter().map(|telling| if telling.is_empty() { anchored() } else { kind.and(" ").and(telling) }.rare()));
            let folders = pattern.stem.into_iter().flat_map(|stem| stem.split('/')).filter(|name| !name.is_empty());
            keys.extend(folders.map(|name| kind.and(INSIDE).and(name).rare()));
        }
    }
    keys
}

/// Under which keys rules that may speak of the action are found.
///
/// # Errors
///
/// The fact that must be known first.
pub(crate) fn of_action(action: &Action, facts: &Facts, every: bool) -> Result<Vec<u32>, Box<Need>> {
    let kind = action.deed.kind();
    Ok(match &action.deed {
        Deed::Run(run) => {
            let mut keys = Vec::new();
            let with_variables = !run.env.is_empty() || !run.exported.is_empty();
            for kind in ["run", "run ="].into_iter().take(1 + usize::from(with_variables)) {
                keys.extend([key(&[kind]), key(&[kind, " ", &run.program])]);
                keys.extend((!run.program.is_ascii()).then(|| key(&[kind, " ", LETTERS])));
                let begins = run.program.match_indices(MARKS).filter_map(|(at, _)| run.program.get(..=at));
                keys.extend(begins.map(|begin| key(&[kind, " ", begin])));
                keys.extend(run.subcommand.as_ref().map(|name| key(&[kind, " ", &run.program, " ", name.literal().unwrap_or("?")])));
                keys.extend(first_word(run).map(|name| key(&[kind, " ", &run.program, " ", name])));
            }
            keys
        }
        // Where the copies go is said by a write of its own.
        Deed::Write(Write { change: Change::Tree(_), .. }) => vec![KeyStart::EMPTY.and("sweeps").and(ANY).rare()],
        Deed::Write(write) => {
            let sweeps = matches!(write.change, Change::Whole(_)) && swept(&write.path.word).is_some();
            let modes = matches!(write.change, Change::Attributes { .. });
            // What a copy brings is not known here.
            let copied = matches!(write.change, Change::Copy { .. } | Change::Edited(_));
            let strange = copied || !texts(&write.change).iter().all(|(text, _)| text.is_ascii());
            let kinds =
                [strange.then_some(LETTERS), Some("write"), modes.then_some("modes"), sweeps.then_some("sweeps"), facts.committing.then_some("committed")];
            let tree = matches!(write.change, Change::Attributes { tree: true });
            of_path(&kinds, &write.path, tree, true, facts, every)?
        }
        Deed::Delete(delete) => of_path(&[Some(kind)], &delete.path, delete.recursive || delete.moved, false, facts, every)?,
        Deed::Read(read) => of_path(&kinds_of_read(read).map(Some).collect::<Vec<_>>(), &read.path, false, true, facts, every)?,
        Deed::Call(_) if every => vec![key(&["call any"])],
        Deed::Call(call) => {
            let servers = call.tool.match_indices("__").filter_map(|(at, mark)| call.tool.get(..at + mark.len()));
            let does = call.does.map(|effect| key(&["call does ", effect.name()]));
            [call.tool.as_str()].into_iter().chain(servers).map(|name| key(&["call ", name])).chain([key(&[kind])]).chain(does).collect()
        }
        _ => vec![key(&[kind])],
    })
}

/// The kinds of rules that may speak of a read.
pub(crate) fn kinds_of_read(read: &Read) -> impl Iterator<Item = &'static str> {
    [Some("read"), read.shown.then_some("shown"), read.sent.then_some("sent")].into_iter().flatten()
}

/// The keys of all rules that may speak of a read.
pub(crate) fn any_of_read(read: &Read) -> Vec<u32> {
    kinds_of_read(read).map(|kind| KeyStart::EMPTY.and(kind).and(ANY).rare()).collect()
}

/// Keys of a path. With `tree`, all below it is concerned too. A path with a hole is looked up by `any`, and with `every` all
/// are.
fn of_path(kinds: &[Option<&str>], path: &Path, tree: bool, follow: bool, facts: &Facts, every: bool) -> Result<Vec<u32>, Box<Need>> {
    let starts = || kinds.iter().flatten().map(|kind| KeyStart::EMPTY.and(kind));
    let any = || starts().map(|kind| kind.and(ANY).rare()).collect();
    let Some(literal) = path.word.literal().filter(|_| !every) else { return Ok(any()) };
    let need = Need::RealPath(literal.to_owned(), follow);
    let real = match facts.of(&need) {
        None => return Err(need.into()),
        Some(Known::Text(real)) => Some(real.as_str()).filter(|real| *real != literal),
        Some(_) => None,
    };
    let places = &facts.places;
    let mut keys: Vec<u32> = starts().map(KeyStart::rare).collect();
    for path in [Some(literal), real].into_iter().flatten() {
        if tree && (path == "/" || bases(places).any(|(_, base)| inside(base, path))) {
            return Ok(any());
        }
        let last = path.rsplit('/').next().unwrap_or(path);
        let ending = last.rfind('.').and_then(|at| last.get(at..));
        let anchors: Vec<PathAnchor> = bases(places).filter(|(_, base)| inside(path, base)).map(|(anchor, _)| anchor).collect();
        for kind in starts() {
            let (start, name) = (kind.and(" "), kind.and(" /"));
            keys.extend(path.split('/').filter(|part| !part.is_empty()).map(|part| name.and(part).rare()));
            keys.extend(ending.map(|ending| start.and(ending).rare()));
            keys.extend(last.get(..BEGINNING).map(|beginning| start.and("^").and(beginning).rare()));
            keys.extend(anchors.iter().map(|anchor| start.and(anchor.name()).rare()));
            if tree {
                keys.push(kind.and(INSIDE).and(last).rare());
            }
        }
    }
    keys.dedup();
    Ok(keys)
}

/// Folders at which patterns are anchored.
fn bases(places: &Places) -> impl Iterator<Item = (PathAnchor, &str)> {
    let all: [(PathAnchor, &[String]); 9] = [
        (PathAnchor::Repository, &places.roots),
        (PathAnchor::Home, &places.homes),
        (PathAnchor::Binaries, &places.binaries),
        (PathAnchor::State, &places.state),
        (PathAnchor::Config, &places.config),
        (PathAnchor::Policy, &places.policies),
        (PathAnchor::Temporary, &places.temporary),
        (PathAnchor::GitDirectory, &places.git),
        (PathAnchor::Here, std::slice::from_ref(&places.cwd)),
    ];
    let beside = places.roots.iter().filter_map(|root| root.rsplit_once('/')).map(|(parent, _)| (PathAnchor::Beside, parent));
    all.into_iter().flat_map(|(anchor, bases)| bases.iter().map(move |base| (anchor, base.as_str()))).chain(beside)
}

/// True if `path` is `base` or below it.
fn inside(path: &str, base: &str) -> bool {
    path.strip_prefix(base).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
