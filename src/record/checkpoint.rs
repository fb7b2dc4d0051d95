//! Checkpoints: a person signs which line of the record has which digest, so that a record that is written anew, or cut, does
//! not pass for it. They are kept beside the record, and on request in a ref of their own, which can be pushed away.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use git2::{Oid, Repository, Signature};
use serde_json::{Value, json};

use super::verify::KnownLine;
use crate::approval::{RECORD_NAMESPACE, signature};
use actions::shown::escaped;
use gate::digest::SIGNS;
use gate::world::record;

/// The file beside the record: one JSON object a line.
pub const FILE: &str = "checkpoints.jsonl";
/// Where the refs are; each record has one, named by its folder.
pub const REFS: &str = "refs/portcullis/record";
/// The first line of what is signed.
const FIRST: &str = "portcullis record checkpoint, format 1";
/// The form of a line of the file.
const FORMAT: u64 = 1;
/// The largest file of checkpoints that is read.
const MAX_FILE: u64 = 16 << 20;
/// Checkpoints of a ref that are read.
const MAX_COMMITS: usize = 10_000;
/// The file in each commit of the ref.
const IN_COMMIT: &str = "checkpoint.json";
/// Signs of a note that are kept.
const MAX_NOTE: usize = 200;

/// What is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordCheckpoint {
    /// Which record: the name of its folder.
    pub record: String,
    /// The number and the digest of the last line.
    pub number: u64,
    pub digest: String,
    /// Seconds since 1970.
    pub time: u64,
    /// Places at which the record was already broken.
    pub breaks: usize,
    /// What the person says to it. Empty: nothing.
    pub note: String,
}

impl RecordCheckpoint {
    /// The text, with its end.
    #[must_use]
    pub fn text(&self) -> String {
        let Self { record, number, digest, time, breaks, note } = self;
        let note: String = note.chars().take(MAX_NOTE).collect();
        format!("{FIRST}\nrecord: {record}\nline: {number}\ndigest: {digest}\ntime: {time}\nbroken at: {breaks}\nnote: {}\n", escaped(&note))
    }

    /// Reads such a text. `None` if it has another form.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let mut lines = text.strip_suffix('\n')?.split('\n');
        if lines.next() != Some(FIRST) {
            return None;
        }
        let mut field = |name: &str| lines.next()?.strip_prefix(name)?.strip_prefix(": ").map(str::to_owned);
        let read = Self {
            record: field("record")?,
            number: field("line")?.parse().ok()?,
            digest: field("digest")?,
            time: field("time")?.parse().ok()?,
            breaks: field("broken at")?.parse().ok()?,
            note: field("note")?,
        };
        let whole = read.digest.len() == SIGNS && read.digest.bytes().all(|sign| matches!(sign, b'0'..=b'9' | b'a'..=b'f'));
        (whole && lines.next().is_none()).then_some(read)
    }
}

/// A statement with its signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCheckpoint {
    pub statement: String,
    pub signature: String,
}

impl SignedCheckpoint {
    fn line(&self) -> String {
        json!({ "format": FORMAT, "statement": self.statement, "signature": self.signature }).to_string()
    }

    fn read(line: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(line).ok()?;
        let text = |key: &str| value.get(key)?.as_str().map(str::to_owned);
        (value.get("format")?.as_u64()? == FORMAT).then_some(Self { statement: text("statement")?, signature: text("signature")? })
    }

    /// The line that it proves, if a key that may sign has signed it for this record.
    ///
    /// # Errors
    ///
    /// Why it proves nothing.
    pub fn known(&self, record: &str, allowed: &str, security_key: bool, now: u64) -> Result<(KnownLine, RecordCheckpoint), String> {
        let statement = RecordCheckpoint::read(&self.statement).ok_or("a checkpoint cannot be read")?;
        if statement.record != record {
            return Err(format!("a checkpoint is of another record ({})", escaped(&statement.record)));
        }
        // A key whose time has ended since then was good when it signed; a time to come proves nothing.
        let when = statement.time.min(now);
        let by = signature::signer_in(RECORD_NAMESPACE, &self.statement, &self.signature, allowed, security_key, when)
            .map_err(|why| format!("the checkpoint of line {} does not count: {why}", statement.number))?;
        Ok((KnownLine { number: statement.number, digest: statement.digest.clone(), by: format!("the checkpoint of {}", escaped(&by)) }, statement))
    }
}

/// The checkpoints beside a record. Lines that cannot be read are left out.
#[must_use]
pub fn kept(folders: &[PathBuf]) -> Vec<SignedCheckpoint> {
    let read = |folder: &PathBuf| {
        let path = folder.join(FILE);
        let small = fs::metadata(&path).is_ok_and(|found| found.is_file() && found.len() <= MAX_FILE);
        if small { fs::read_to_string(path).ok() } else { None }
    };
    folders.iter().filter_map(read).flat_map(|text| text.lines().filter_map(SignedCheckpoint::read).collect::<Vec<_>>()).collect()
}

/// Adds a checkpoint to those beside a record.
///
/// # Errors
///
/// The system's.
pub fn keep(folders: &[PathBuf], checkpoint: &SignedCheckpoint) -> io::Result<()> {
    record::in_first(folders, |folder| {
        let file = record::open(&folder.join(FILE))?;
        record::write_line(&file, file.metadata()?.len(), &format!("{}\n", checkpoint.line()))
    })
}

/// The ref of a record.
#[must_use]
pub fn reference(record: &str) -> String {
    format!("{REFS}/{record}")
}

/// Adds a checkpoint to the ref of a record, as a commit on top of the one before.
///
/// # Errors
///
/// What git says.
pub fn anchor(git_dir: &Path, record: &str, checkpoint: &SignedCheckpoint) -> Result<Oid, String> {
    let add = || {
        let repository = Repository::open(git_dir)?;
        let name = reference(record);
        let parent = repository.find_reference(&name).ok().map(|found| found.peel_to_commit()).transpose()?;
        let mut tree = repository.treebuilder(None)?;
        tree.insert(IN_COMMIT, repository.blob(format!("{}\n", checkpoint.line()).as_bytes())?, 0o100_644)?;
        let tree = repository.find_tree(tree.write()?)?;
        let by = repository.signature().or_else(|_| Signature::now("Portcullis", "portcullis@localhost"))?;
        let parents: Vec<&git2::Commit<'_>> = parent.iter().collect();
        repository.commit(Some(&name), &by, &by, &checkpoint.statement, &tree, &parents)
    };
    add().map_err(|error| error.message().to_owned())
}

/// The checkpoints in refs of a record, here and as they were fetched from remotes.
#[must_use]
pub fn anchored(git_dir: &Path, record: &str) -> Vec<SignedCheckpoint> {
    let Ok(repository) = Repository::open(git_dir) else { return Vec::new() };
    let tips = repository.references_glob(&format!("refs/*portcullis/record/{record}")).into_iter().flatten().flatten();
    let mut found = Vec::new();
    for tip in tips.filter_map(|tip| tip.target()) {
        let mut next = repository.find_commit(tip).ok();
        while let Some(commit) = next.filter(|_| found.len() < MAX_COMMITS) {
            let text = commit.tree().ok().and_then(|tree| tree.get_name(IN_COMMIT).and_then(|entry| repository.find_blob(entry.id()).ok()));
            found.extend(text.and_then(|blob| SignedCheckpoint::read(&String::from_utf8_lossy(blob.content()))));
            next = commit.parent(0).ok();
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_read_back_and_nothing_else_is_one() {
        let checkpoint = RecordCheckpoint {
            record: "0123456789abcdef".to_owned(),
            number: 812,
            digest: "ab".repeat(16),
            time: 1_796_000_000,
            breaks: 0,
            note: "before the audit\nline: 900".to_owned(),
        };
        let text = checkpoint.text();
        let read = RecordCheckpoint::read(&text).expect("a checkpoint");
        assert_eq!((read.number, read.record.as_str()), (812, "0123456789abcdef"));
        assert!(!text.contains("\nline: 900"), "{text}");
        for (from, to) in
            [("format 1", "format 2"), ("line: 812", "line:812"), ("abab", "abxy"), ("time: 1", "time: x"), ("broken at: 0\n", ""), ("note: ", "")]
        {
            assert!(text.contains(from), "{from}");
            assert_eq!(RecordCheckpoint::read(&text.replacen(from, to, 1)), None, "{from} → {to}");
        }
        assert_eq!(RecordCheckpoint::read(&(text + "more\n")), None);
    }
}
