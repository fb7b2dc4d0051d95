//! Other places of a line that was changed: if it was a mistake there, it is one in each of them.

use std::collections::BTreeMap;
use std::path::Path;

use git2::{DiffOptions, Repository};

use actions::shown::escaped;

/// Removed lines of a work tree that are looked at. With more it is no fix but a rewrite.
const MAX_REMOVED: usize = 60;
/// The shortest and the longest line that says something of its own, in bytes.
const LENGTH: std::ops::RangeInclusive<usize> = 20..=300;
/// With more places a line is a habit and no copied mistake.
const MAX_PLACES: usize = 12;
/// Places that are named.
const NAMED: usize = 3;
/// Files, and bytes of one file and of all, that are searched.
const MAX_FILES: usize = 5_000;
const MAX_BYTES: u64 = 256 << 10;
const MAX_ALL: u64 = 30 << 20;
/// What lines begin with that many files have with good reason.
const BY_RIGHT: [&str; 16] =
    ["import ", "from ", "use ", "pub use ", "#include", "#", "//", "/*", "*", "--", "require", "package ", "const {", "module ", "\"", "<"];

/// A line that was changed, and where it still is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SameLine {
    pub line: String,
    /// Where it was changed, from the repository's root.
    pub changed: String,
    /// `path:line`
    pub places: Vec<String>,
}

impl SameLine {
    /// One sentence for the model.
    pub fn text(&self) -> String {
        let named: Vec<_> = self.places.iter().take(NAMED).map(|place| escaped(place)).collect();
        let more = self.places.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let count = self.places.len();
        let noun = if count == 1 { "place" } else { "places" };
        format!(
            "note by `[flywheel]`: `{}` was changed in {}, and {count} more {noun} have the same line: {}{more}; instead: if it was a mistake, fix it there too",
            escaped(&self.line),
            escaped(&self.changed),
            named.join(", ")
        )
    }
}

/// Whether a line says enough that its copies are of one kind.
fn says_something(line: &str) -> bool {
    let words = line.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| word.len() > 1).count();
    LENGTH.contains(&line.len()) && words >= 2 && line.contains(['(', '=', '.', '[', '<', '>']) && !BY_RIGHT.iter().any(|front| line.starts_with(front))
}

/// Lines that were replaced since the last commit, and that other tracked places still have. Empty if much was changed.
pub fn same_lines(root: &Path) -> Vec<SameLine> {
    found(root).unwrap_or_default()
}

fn found(root: &Path) -> Result<Vec<SameLine>, git2::Error> {
    let repository = Repository::open(root)?;
    let head = repository.head()?.peel_to_tree()?;
    let mut options = DiffOptions::new();
    options.context_lines(0).ignore_submodules(true).max_size(i64::try_from(MAX_BYTES).unwrap_or(i64::MAX));
    let diff = repository.diff_tree_to_workdir_with_index(Some(&head), Some(&mut options))?;
    // Of each line, how often each file lost it, less how often it got it.
    let mut lost: BTreeMap<String, BTreeMap<String, i64>> = BTreeMap::new();
    let mut count = 0;
    // In a file that is new or gone no line was replaced.
    diff.foreach(
        &mut |_, _| true,
        None,
        None,
        Some(&mut |delta, hunk, line| {
            let text = String::from_utf8_lossy(line.content()).trim().to_owned();
            let replaced = hunk.is_some_and(|hunk| hunk.old_lines() > 0 && hunk.new_lines() > 0);
            let change = match line.origin() {
                '-' if replaced => 1,
                '+' => -1,
                _ => return true,
            };
            count += usize::from(change > 0);
            if let Some(path) = delta.new_file().path().filter(|_| says_something(&text)) {
                *lost.entry(text).or_default().entry(path.to_string_lossy().into_owned()).or_default() += change;
            }
            true
        }),
    )?;
    // What was only moved or indented is still as it was.
    lost.retain(|_, files| files.values().sum::<i64>() > 0);
    let removed: BTreeMap<String, String> =
        lost.into_iter().filter_map(|(line, files)| Some((line, files.into_iter().find(|(_, change)| *change > 0)?.0))).collect();
    if removed.is_empty() || count > MAX_REMOVED {
        return Ok(Vec::new());
    }
    let mut places: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut read = 0;
    for entry in repository.index()?.iter().take(MAX_FILES) {
        let path = String::from_utf8_lossy(&entry.path).into_owned();
        let size = u64::from(entry.file_size);
        if size > MAX_BYTES || entry.mode & 0o170_000 != 0o100_000 {
            continue;
        }
        read += size;
        if read > MAX_ALL {
            break;
        }
        let Ok(text) = std::fs::read_to_string(root.join(&path)) else { continue };
        for (at, line) in text.lines().enumerate() {
            if let Some((known, _)) = removed.get_key_value(line.trim()) {
                places.entry(known).or_default().push(format!("{path}:{}", at + 1));
            }
        }
    }
    let named = removed.iter().filter_map(|(line, changed)| {
        let places = places.get(line.as_str()).filter(|places| places.len() <= MAX_PLACES)?.clone();
        Some(SameLine { line: line.clone(), changed: changed.clone(), places })
    });
    Ok(named.collect())
}
