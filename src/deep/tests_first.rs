//! What a call's writes make of files, for the judgement of tests: texts before and after, by the disk. Judges nothing.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use super::own_files::after_text;
use actions::{Action, Change, Deed};
use gate::record::hash_all;
use gate::world::store::{Slot, Store, TESTS, VALUE};
use gate::world::system::now_ms;
use tests_first::layout::Catalogue;
use tests_first::syntax::SourceCode;
use tests_first::{By, Changed, FileVersion, SeenRun, Tree, evidence};

/// Bytes of a file that are read.
const MAX_FILE: u64 = 4 << 20;
/// Files of a deleted folder that are looked at.
const MAX_DELETED: usize = 2_000;

/// The files below a folder on the disk.
#[derive(Debug)]
pub struct Disk {
    root: PathBuf,
    /// Where runs of tests are remembered.
    memory: Vec<PathBuf>,
}

impl Disk {
    pub fn new(root: &Path, memory: &[PathBuf]) -> Self {
        Self { root: root.to_path_buf(), memory: memory.to_vec() }
    }
}

impl Tree for Disk {
    fn read(&self, path: &str) -> Option<Vec<u8>> {
        read(&self.root.join(path))
    }

    fn exists(&self, path: &str) -> bool {
        self.root.join(path).is_file()
    }

    fn list(&self, folder: &str) -> Vec<(String, bool)> {
        let entries = fs::read_dir(self.root.join(folder)).into_iter().flatten().flatten();
        // Links to folders are not followed: they may lead around in a circle.
        entries.filter_map(|entry| Some((entry.file_name().into_string().ok()?, entry.file_type().ok()?.is_dir()))).collect()
    }

    fn seen_to_fail(&self, test: &str, evidence: &str) -> Option<bool> {
        let found = Store::look(&self.memory, TESTS)?.get(hash_all(&[test, evidence]))?;
        Some(found.value.first() == Some(&FAILED))
    }
}

/// What is kept of a run, for the very text of a test.
const FAILED: u8 = 1;
const PASSED: u8 = 2;

/// Remembers what a run of tests says of the test files below the roots. One that was seen to fail as it is stays so.
///
/// # Errors
///
/// What kept it from being remembered.
pub fn remember_runs(seen: &SeenRun, roots: &[String], memory: &[PathBuf]) -> std::io::Result<()> {
    let Ok(catalogue) = Catalogue::shipped() else { return Ok(()) };
    let mut spoken: Vec<(bool, By, [u64; 2])> = Vec::new();
    let mut read_bytes = 0;
    for root in roots {
        let root = Path::new(root);
        for full in files(root, true) {
            let Some(path) = full.strip_prefix(root).ok().and_then(Path::to_str) else { continue };
            let Some(language) = catalogue.language(path).filter(|language| !language.tests.is_empty()) else { continue };
            // What neither is named nor looks like a test is read only up to a bound.
            let name = path.rsplit('/').next().unwrap_or(path);
            let is_likely = seen.may_name(name) || path.to_ascii_lowercase().contains("test") || path.to_ascii_lowercase().contains("spec");
            if !is_likely && read_bytes > MAX_FILE {
                continue;
            }
            let Some(bytes) = read(&full) else { continue };
            read_bytes += bytes.len() as u64;
            let whole = String::from_utf8_lossy(&bytes);
            let source = SourceCode::new(&whole, language);
            let Some((failed, by)) = seen.speaks(path, &source) else { continue };
            let key = |inline| hash_all(&[path, &evidence(&source, &whole, inline)]);
            spoken.push((failed, by, [key(false), key(true)]));
        }
    }
    // Where files are named, names of tests would only add others that have tests of the same names.
    let best = spoken.iter().map(|(_, by, _)| *by).max();
    spoken.retain(|(_, by, _)| Some(*by) == best);
    if spoken.is_empty() {
        return Ok(());
    }
    let mut store = Store::open(memory, TESTS)?;
    for (failed, _, keys) in spoken {
        for key in keys {
            let mut value = [0; VALUE];
            value[0] = if failed { FAILED } else { PASSED };
            store.update(key, |old| {
                let stays = old.is_some_and(|old| old.value.first() == Some(&FAILED));
                (failed || !stays).then_some(Slot { key, time: now_ms(), value })
            })?;
        }
    }
    Ok(())
}

fn read(path: &Path) -> Option<Vec<u8>> {
    let data = fs::metadata(path).ok().filter(|data| data.is_file() && data.len() <= MAX_FILE)?;
    let bytes = fs::read(path).ok()?;
    (bytes.len() as u64 <= data.len().max(MAX_FILE)).then_some(bytes)
}

/// The trees that the actions of a call change, each with its changes. A file belongs to the innermost of the `roots`.
pub fn trees(actions: &[Action], roots: &[String], memory: &[PathBuf], concerns: impl Fn(&str) -> bool) -> Vec<(Disk, Vec<Changed>)> {
    let of_root = |root: &String| {
        let inner = |path: &str| {
            let full = format!("{root}/{path}");
            roots.iter().any(|other| other.len() > root.len() && full.strip_prefix(other.as_str()).is_some_and(|rest| rest.starts_with('/')))
        };
        let changes = changes(actions, root, |path| concerns(path) && !inner(path));
        (!changes.is_empty()).then(|| (Disk::new(Path::new(root), memory), changes))
    };
    roots.iter().filter_map(of_root).collect()
}

/// What the actions make of the files below `root`, each file once.
fn changes(actions: &[Action], root: &str, concerns: impl Fn(&str) -> bool) -> Vec<Changed> {
    let prefix = format!("{root}/");
    let mut changed: BTreeMap<String, Changed> = BTreeMap::new();
    let before = |full: &str| match read(Path::new(full)) {
        // Editing tools take the two kinds of line end for the same.
        Some(bytes) => FileVersion::Known(String::from_utf8_lossy(&bytes).replace("\r\n", "\n")),
        None if Path::new(full).exists() => FileVersion::Unknown,
        None => FileVersion::Absent,
    };
    for action in actions {
        match &action.deed {
            Deed::Write(write) if !matches!(write.change, Change::Attributes { .. } | Change::Tree(_)) => {
                let Some(full) = write.path.word.literal().filter(|full| !is_other_target(actions, action, full)) else { continue };
                let Some(path) = full.strip_prefix(&prefix).filter(|path| concerns(path)) else { continue };
                let known = changed.entry(path.to_owned()).or_insert_with(|| {
                    let old = before(full);
                    Changed { path: path.to_owned(), new: old.clone(), old, part: false }
                });
                let new = match &write.change {
                    Change::Unknown => copied(actions, action).map_or(FileVersion::Unknown, FileVersion::Known),
                    Change::Patch { added, removed } => match &known.new {
                        FileVersion::Known(text) => FileVersion::Known(patched(text, added, removed)),
                        _ => FileVersion::Unknown,
                    },
                    change => {
                        let text = if let FileVersion::Known(text) = &known.new { text.clone() } else { String::new() };
                        after_text(&text, change).map_or(FileVersion::Unknown, FileVersion::Known)
                    }
                };
                known.new = new;
            }
            Deed::Delete(delete) => {
                let Some(full) = delete.path.word.literal() else { continue };
                for full in files(Path::new(full), delete.recursive) {
                    let full = full.to_string_lossy().into_owned();
                    let Some(path) = full.strip_prefix(&prefix).filter(|path| concerns(path)) else { continue };
                    let known = changed.entry(path.to_owned()).or_insert_with(|| Changed {
                        path: path.to_owned(),
                        old: before(&full),
                        new: FileVersion::Absent,
                        part: false,
                    });
                    known.new = FileVersion::Absent;
                }
            }
            _ => {}
        }
    }
    // What is as it was is no change.
    changed.into_values().filter(|change| change.old != change.new || change.new == FileVersion::Unknown).collect()
}

/// `cp a b` writes `b`, or `b/a` where `b` is a folder: the disk tells which of the two it is not.
fn is_other_target(actions: &[Action], write: &Action, full: &str) -> bool {
    let Some((parent, _)) = full.rsplit_once('/') else { return false };
    let twin = |path: &str| {
        let same = actions.iter().filter(|action| action.from.is_some() && action.from == write.from);
        same.filter_map(|action| if let Deed::Write(write) = &action.deed { write.path.word.literal() } else { None }).any(|other| other == path)
    };
    Path::new(full).is_dir() || (twin(parent) && !Path::new(parent).is_dir())
}

/// The text that a copy or a move brings: that of the one file which the same command reads or moves away.
fn copied(actions: &[Action], write: &Action) -> Option<String> {
    let from = write.from?;
    let Some(Deed::Run(run)) = actions.get(from).map(|action| &action.deed) else { return None };
    if !matches!(run.program.as_str(), "cp" | "mv" | "install" | "git" | "ln" | "rsync") {
        return None;
    }
    let mut sources = actions.iter().filter(|action| action.from == Some(from)).filter_map(|action| match &action.deed {
        Deed::Read(path) => path.word.literal(),
        Deed::Delete(delete) if delete.moved => delete.path.word.literal(),
        _ => None,
    });
    let (source, None) = (sources.next()?, sources.next()) else { return None };
    // What the same call wrote there before goes first.
    let written = actions.iter().take_while(|action| !std::ptr::eq(*action, write)).filter_map(|action| match &action.deed {
        Deed::Write(write) if write.path.word.literal() == Some(source) => Some(&write.change),
        _ => None,
    });
    match written.last() {
        Some(Change::Whole(text)) => Some(text.clone()),
        Some(_) => None,
        None => read(Path::new(source)).and_then(|bytes| String::from_utf8(bytes).ok()),
    }
}

/// A text after lines of it were replaced: those that leave are taken out, those that come are where the first of them
/// was, or at the end.
fn patched(text: &str, added: &str, removed: &str) -> String {
    let leaving: Vec<&str> = removed.lines().collect();
    // Where each line is first among them.
    let first: HashMap<&str, usize> = leaving.iter().enumerate().rev().map(|(at, line)| (*line, at)).collect();
    let mut lines: Vec<&str> = Vec::new();
    // Where the first of them was, which of them that was, and which one comes next.
    let (mut place, mut begun, mut next) = (None, 0, 0);
    for line in text.lines() {
        match first.get(line) {
            Some(at) if place.is_none() => (place, begun) = (Some(lines.len()), *at),
            Some(_) if leaving.get(next) == Some(&line) => next += 1,
            _ => {
                lines.push(line);
                continue;
            }
        }
        next += usize::from(next == begun);
    }
    let place = place.unwrap_or(lines.len());
    let mut after: Vec<&str> = lines.get(..place).unwrap_or(&[]).to_vec();
    after.extend(added.lines());
    after.extend(lines.get(place..).unwrap_or(&[]));
    after.join("\n") + "\n"
}

/// A file, or those below a folder.
fn files(path: &Path, recursive: bool) -> Vec<PathBuf> {
    if !path.is_dir() || path.is_symlink() {
        return if path.exists() { vec![path.to_path_buf()] } else { Vec::new() };
    }
    let mut found = Vec::new();
    let mut left = if recursive { vec![path.to_path_buf()] } else { Vec::new() };
    while let Some(folder) = left.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() && matches!(entry.file_name().to_str(), Some("node_modules" | ".git" | "target")) => {}
                Ok(kind) if kind.is_dir() => left.push(entry.path()),
                Ok(kind) if kind.is_file() => found.push(entry.path()),
                _ => {}
            }
        }
        if found.len() > MAX_DELETED {
            break;
        }
    }
    found
}

#[cfg(test)]
#[path = "tests_first_tests.rs"]
mod tests;
