//! What a call's writes make of files, for the judgement of tests: texts before and after, by the disk. Judges nothing.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::own_files::after_text;
use super::{checkouts, edited};
use git2::{Repository, RepositoryOpenFlags};

use actions::word::Word;
use actions::{Action, Change, Deed, Run};
use gate::record::hash_all;
use gate::world::Surroundings;
use gate::world::store::{Slot, Store, TESTS, VALUE};
use gate::world::system::now_ms;
use tests_first::layout::Catalogue;
use tests_first::syntax::{SourceCode, glob};
use tests_first::{By, Changed, FileVersion, SeenRun, Tree, evidence};

/// Bytes of a file that are read.
const MAX_FILE: u64 = 4 << 20;
/// How long files are looked for. The judgement must end within the hook's deadline.
const MAX_SEARCH: Duration = Duration::from_secs(3);
/// Files of a deleted folder that are looked at.
const MAX_DELETED: usize = 2_000;

/// The files below a folder on the disk.
#[derive(Debug)]
pub struct Disk {
    root: PathBuf,
    /// Where runs of tests are remembered.
    memory: Vec<PathBuf>,
    begun: Instant,
}

impl Disk {
    pub fn new(root: &Path, memory: &[PathBuf]) -> Self {
        Self { root: root.to_path_buf(), memory: memory.to_vec(), begun: Instant::now() }
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

    fn is_checkout(&self, folder: &str) -> bool {
        is_checkout(&self.root.join(folder))
    }

    fn is_late(&self) -> bool {
        self.begun.elapsed() > MAX_SEARCH
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
pub fn trees(actions: &[Action], around: &Surroundings, concerns: impl Fn(&str) -> bool) -> Vec<(Disk, Vec<Changed>)> {
    let (roots, memory) = (&around.places.roots, &around.memory);
    let of_root = |root: &String| {
        let inner = |path: &str| {
            let full = format!("{root}/{path}");
            roots.iter().any(|other| other.len() > root.len() && full.strip_prefix(other.as_str()).is_some_and(|rest| rest.starts_with('/')))
        };
        let changes = changes(actions, root, around, |path| concerns(path) && !inner(path));
        (!changes.is_empty()).then(|| (Disk::new(Path::new(root), memory), changes))
    };
    roots.iter().filter_map(of_root).collect()
}

/// What a change makes of a text. `None` if that is not known.
#[must_use]
pub fn changed_text(before: &str, change: &Change) -> Option<String> {
    match change {
        Change::Patch { added, removed } => Some(patched(before, added, removed)),
        // A text that only comes from elsewhere is not known, whatever is known of where it comes from.
        Change::Edited(edited) if edited.only_arrives() => None,
        Change::Edited(edited) => edited::apply(before, edited),
        change => after_text(before, change),
    }
}

/// What the actions make of the files below `root`, each file once.
fn changes(actions: &[Action], root: &str, around: &Surroundings, concerns: impl Fn(&str) -> bool) -> Vec<Changed> {
    // What git takes out of its objects.
    let by_git = |action: &Action, path: &str| {
        let Some(Deed::Run(run)) = action.from.and_then(|from| actions.get(from)).map(|action| &action.deed) else { return None };
        checkouts::text_after(run, path, around)
    };
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
                for full in named(&write.path.word, root) {
                    let full = full.as_str();
                    if is_other_target(actions, action, full) {
                        continue;
                    }
                    let Some(path) = full.strip_prefix(&prefix).filter(|path| concerns(path)) else { continue };
                    let known = changed.entry(path.to_owned()).or_insert_with(|| {
                        let old = before(full);
                        Changed { path: path.to_owned(), new: old.clone(), old, part: false }
                    });
                    // A text that only comes from elsewhere is not known, whatever is known of where it comes from.
                    let change = match &write.change {
                        Change::Edited(edited) if edited.only_arrives() => {
                            if edited.append {
                                &Change::AppendUnknown
                            } else {
                                &Change::Unknown
                            }
                        }
                        change => change,
                    };
                    let new = match change {
                        Change::Unknown => match by_git(action, path) {
                            Some(Some(text)) => FileVersion::Known(text),
                            Some(None) => FileVersion::Absent,
                            None => FileVersion::Unknown,
                        },
                        Change::Copy { from, append } => match (copied(actions, action, from), &known.new) {
                            (Some(text), FileVersion::Known(before)) if *append => FileVersion::Known(format!("{before}{text}")),
                            (Some(text), _) => FileVersion::Known(text),
                            (None, _) => FileVersion::Unknown,
                        },
                        Change::Patch { added, removed } => match &known.new {
                            FileVersion::Known(text) => FileVersion::Known(patched(text, added, removed)),
                            _ => FileVersion::Unknown,
                        },
                        Change::Edited(edited) => match &known.new {
                            // An editing program makes no file.
                            FileVersion::Absent => FileVersion::Absent,
                            FileVersion::Known(text) => edited::apply(text, edited).map_or(FileVersion::Unknown, FileVersion::Known),
                            FileVersion::Unknown => FileVersion::Unknown,
                        },
                        change => {
                            let text = if let FileVersion::Known(text) = &known.new { text.clone() } else { String::new() };
                            after_text(&text, change).map_or(FileVersion::Unknown, FileVersion::Known)
                        }
                    };
                    known.part = matches!(change, Change::AppendUnknown | Change::Copy { append: true, .. }) && known.new == known.old;
                    known.new = new;
                }
            }
            Deed::Delete(delete) => {
                let named = named(&delete.path.word, root).into_iter().filter(|full| full == root || !is_checkout(Path::new(full)));
                for full in named.flat_map(|full| files(Path::new(&full), delete.recursive)) {
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
    // What an earlier command of the call made there without a text is a folder, and so is what `mkdir` names.
    let named = |run: &Run, path: &str| {
        let place = |word: &Word| word.literal().zip(run.folder.literal()).map(|(name, folder)| Path::new(folder).join(name));
        run.program == "mkdir" && run.args.iter().filter_map(place).any(|place| place == Path::new(path))
    };
    let is_folder = |path: &str| {
        let earlier = actions.iter().take_while(|action| !std::ptr::eq(*action, write)).filter(|action| action.from != write.from);
        let made = |action: &Action| match &action.deed {
            Deed::Write(made) => made.change == Change::Unknown && made.path.word.literal() == Some(path),
            Deed::Run(run) => named(run, path),
            _ => false,
        };
        Path::new(path).is_dir() || (!Path::new(path).exists() && earlier.into_iter().any(made))
    };
    is_folder(full) || (twin(parent) && !is_folder(parent))
}

/// The text of a file that is copied or moved: what the same call wrote there before goes first.
fn copied(actions: &[Action], write: &Action, source: &str) -> Option<String> {
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

/// The path of a word; of a pattern, the files and folders below `root` that it names.
fn named(word: &Word, root: &str) -> Vec<String> {
    if let Some(path) = word.literal() {
        return vec![path.to_owned()];
    }
    let Some(pattern) = word.to_string().strip_prefix(root).and_then(|rest| rest.strip_prefix('/')).map(str::to_owned).filter(|_| !word.has_hole()) else {
        return Vec::new();
    };
    let mut found = vec![PathBuf::from(root)];
    for part in pattern.split('/').filter(|part| !part.is_empty()) {
        // A choice of letters stands for any: what is too much here is only looked at.
        let part = part.replace('[', "?").replace(']', "*");
        let below = |folder: PathBuf| -> Vec<PathBuf> {
            if !part.contains(['*', '?']) {
                return Some(folder.join(&part)).filter(|path| path.symlink_metadata().is_ok()).into_iter().collect();
            }
            if part == "**" {
                return folders(&folder);
            }
            let entries = fs::read_dir(folder).into_iter().flatten().flatten();
            entries.filter(|entry| entry.file_name().to_str().is_some_and(|name| glob(&part, name))).map(|entry| entry.path()).collect()
        };
        found = found.into_iter().flat_map(below).take(MAX_DELETED).collect();
    }
    // `FOLDER/**` is all that is in it.
    if pattern.ends_with("**") {
        found = found.first().map(|folder| files(folder, true)).unwrap_or_default();
    }
    found.into_iter().filter_map(|path| path.into_os_string().into_string().ok()).collect()
}

/// A folder and those below it.
fn folders(start: &Path) -> Vec<PathBuf> {
    let mut found = vec![start.to_path_buf()];
    let mut at = 0;
    while let Some(folder) = found.get(at).filter(|_| at < MAX_DELETED) {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let inner: Vec<PathBuf> = entries.filter(is_entered).map(|entry| entry.path()).collect();
        found.extend(inner);
        at += 1;
    }
    found
}

/// Whether a folder is looked into: it holds files of this project.
fn is_entered(entry: &fs::DirEntry) -> bool {
    let other = matches!(entry.file_name().to_str(), Some("node_modules" | ".git" | "target"));
    !other && entry.file_type().is_ok_and(|kind| kind.is_dir()) && !is_checkout(&entry.path())
}

/// True if a folder is a checkout of its own: a linked work tree, or another repository of which the one around it tracks
/// no file.
fn is_checkout(folder: &Path) -> bool {
    if !folder.join(".git").exists() {
        return false;
    }
    let Ok(inner) = Repository::open_ext(folder, RepositoryOpenFlags::NO_SEARCH, &[] as &[&OsStr]) else { return false };
    if inner.is_worktree() {
        return true;
    }
    let around = folder.parent().and_then(|parent| Repository::discover(parent).ok());
    let Some(around) = around else { return true };
    let inner = around.workdir().and_then(|root| Some(folder.canonicalize().ok()?.strip_prefix(root.canonicalize().ok()?).ok()?.to_path_buf()));
    let Some((inner, index)) = inner.zip(around.index().ok()) else { return false };
    // A submodule is one entry, of the folder itself.
    !index.iter().any(|entry| Path::new(OsStr::from_bytes(&entry.path)).strip_prefix(&inner).is_ok_and(|rest| !rest.as_os_str().is_empty()))
}

/// A file, or those below a folder. Those of other checkouts within it are not this project's.
fn files(path: &Path, recursive: bool) -> Vec<PathBuf> {
    if !path.is_dir() || path.is_symlink() {
        return if path.exists() { vec![path.to_path_buf()] } else { Vec::new() };
    }
    let mut found = Vec::new();
    let mut left = if recursive { vec![path.to_path_buf()] } else { Vec::new() };
    while let Some(folder) = left.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.file_type() {
                Ok(_) if is_entered(&entry) => left.push(entry.path()),
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
