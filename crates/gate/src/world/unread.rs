//! Policies that git tracks below the top of a repository, where nothing reads them. Git's index is read for their names alone.

use std::fs;

use actions::shown::escaped;

use super::repository::Repository;

/// A larger index is not read, in bytes.
const MAX_INDEX: u64 = 64 << 20;
/// In each entry in front of its name: times, numbers, the id (SHA-1) and flags (gitformat-index(5)).
const FRONT: usize = 62;
const NAME: &[u8] = b"/portcullis.toml";

/// What is said of such policies. `None` if there are no such policies.
#[must_use]
pub fn note(repository: &Repository) -> Option<String> {
    let names = policies(repository);
    let (first, more) = names.split_first()?;
    let others = if more.is_empty() { "is".to_owned() } else { format!("and {} more are", more.len()) };
    Some(format!("`{}` {others} not read: only the policy in the repository's root counts", escaped(first)))
}

/// The paths of tracked files named `portcullis.toml` below the top. Empty if the index cannot be read, or is in a form that
/// is not known here (version 4, SHA-256).
#[must_use]
pub fn policies(repository: &Repository) -> Vec<String> {
    let path = repository.git_dir.join("index");
    if fs::metadata(&path).map_or(true, |about| about.len() > MAX_INDEX) {
        return Vec::new();
    }
    fs::read(&path).map(|index| named(&index)).unwrap_or_default()
}

/// The paths of files of this name in the bytes of git's index.
#[must_use]
pub fn named(index: &[u8]) -> Vec<String> {
    let version = index.get(4..8).filter(|_| index.starts_with(b"DIRC"));
    let there = index.windows(NAME.len() + 1).any(|window| window.strip_suffix(b"\0") == Some(NAME));
    if !there || !matches!(version, Some([0, 0, 0, 2 | 3])) {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut at = 12;
    while let Some([high, _]) = index.get(at + FRONT - 2..at + FRONT) {
        let start = at + FRONT + if high & 0x40 == 0 { 0 } else { 2 };
        let Some(length) = index.get(start..).and_then(|rest| rest.iter().position(|byte| *byte == 0)).filter(|length| *length > 0) else { break };
        if let Some(name) = index.get(start..start + length).filter(|name| name.ends_with(NAME)) {
            found.push(String::from_utf8_lossy(name).into_owned());
        }
        // An entry ends with one to eight zeros, at a multiple of eight from its beginning.
        at += (start - at + length + 8) & !7;
    }
    found
}
