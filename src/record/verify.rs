//! Checks the chain of a record, line by line, and says where and how it breaks. Touches no file.
//!
//! A chain alone shows damage and partial edits. Whoever can write the files can also make the whole rest of the chain anew
//! behind an edit, or cut the end off. Only a checkpoint that is kept elsewhere, or signed, shows that.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use actions::json::Json;
use gate::chain::{LineDigest, LineLink, START};

/// A file of a record: its name, and what is in it.
#[derive(Clone, Debug, Default)]
pub struct RecordFile {
    pub name: String,
    pub bytes: Vec<u8>,
}

/// What is wrong with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum BreakKind {
    /// It does not have the digest that it says, so it or the line before it was changed.
    Changed,
    /// Lines before it are missing.
    Removed,
    /// It belongs to no place in the chain.
    Inserted,
    /// It is at another place than it was written to.
    Swapped,
    /// Lines at the end of a file are missing.
    Cut,
    /// It is not the line that a checkpoint was made of, so everything behind some line before it was written anew.
    Rewritten,
    /// It is no whole line: a write was cut, for example because the disk was full.
    Torn,
    /// It was written without the record's lock.
    Unlinked,
}

impl BreakKind {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Removed => "removed",
            Self::Inserted => "inserted",
            Self::Swapped => "swapped",
            Self::Cut => "cut",
            Self::Rewritten => "rewritten",
            Self::Torn => "torn",
            Self::Unlinked => "unlinked",
        }
    }

    /// True if it happens without anybody's fault: a full disk, a lock that did not come.
    #[must_use]
    pub fn is_harmless(self) -> bool {
        matches!(self, Self::Torn | Self::Unlinked)
    }
}

/// A place at which the chain breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainBreak {
    pub file: String,
    /// The line of the file, from 1.
    pub line: usize,
    pub kind: BreakKind,
    /// What was found, in words.
    pub what: String,
}

/// A line that a checkpoint names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownLine {
    pub number: u64,
    pub digest: String,
    /// What made it known, in words.
    pub by: String,
}

/// What was found in a record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChainReport {
    /// Lines, without blank ones.
    pub lines: usize,
    /// Lines with a link.
    pub linked: usize,
    /// Lines before the chain begins, which an earlier version wrote.
    pub older: usize,
    /// The numbers of the first and the last linked line.
    pub first: Option<u64>,
    pub last: Option<u64>,
    /// The digest of the last line of the chain.
    pub digest: Option<String>,
    /// All that was found, in the order of the record.
    pub breaks: Vec<ChainBreak>,
    /// Checkpoints that agree with the record, by the number of their line.
    pub agreeing: Vec<KnownLine>,
    /// Checkpoints of lines that are no longer kept.
    pub gone: usize,
}

impl ChainReport {
    /// True if nothing was found but what happens by itself.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.breaks.iter().all(|found| found.kind.is_harmless())
    }
}

/// A digest as text.
#[must_use]
pub fn shown(digest: &LineDigest) -> String {
    digest.iter().copied().map(char::from).collect()
}

/// A line with its place.
struct PlacedLine<'f> {
    file: usize,
    at: usize,
    text: &'f [u8],
    link: Option<LineLink>,
    /// It has no line end.
    open: bool,
}

/// How far the chain is followed.
#[derive(Clone, Default)]
struct ChainState {
    number: u64,
    /// Digests that the next line may follow: the last linked line's, and those of lines without the lock behind it.
    ends: Vec<LineDigest>,
    /// The finding about the line that brought it here, if there is one.
    finding: Option<usize>,
    place: (usize, usize),
}

/// Checks the files of a record, the oldest first, against its own chain and the lines that checkpoints name.
#[must_use]
pub fn verify(files: &[RecordFile], known: &[KnownLine]) -> ChainReport {
    let lines = lines_of(files);
    let numbers: BTreeSet<u64> = lines.iter().filter_map(|line| line.link).filter(|chained| chained.unlinked.is_none()).map(|chained| chained.number).collect();
    let mut walk = ChainWalk {
        files,
        numbers,
        seen: HashSet::new(),
        passed: BTreeSet::new(),
        moved: BTreeSet::new(),
        state: None,
        prior: None,
        loose: 0,
        report: ChainReport::default(),
    };
    for line in &lines {
        walk.line(line);
    }
    walk.report.breaks.retain(|found| !found.what.is_empty());
    compare(&lines, files, known, &mut walk.report);
    walk.report
}

fn lines_of(files: &[RecordFile]) -> Vec<PlacedLine<'_>> {
    let mut lines = Vec::new();
    for (file, record) in files.iter().enumerate() {
        for (at, text) in record.bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
            let open = !text.ends_with(b"\n");
            let text = text.trim_ascii_end();
            if !text.is_empty() {
                lines.push(PlacedLine { file, at: at + 1, text, link: if open { None } else { LineLink::read(text) }, open });
            }
        }
    }
    lines
}

struct ChainWalk<'f> {
    files: &'f [RecordFile],
    /// Numbers of all linked lines.
    numbers: BTreeSet<u64>,
    /// Digests so far.
    seen: HashSet<LineDigest>,
    /// Numbers of linked lines so far.
    passed: BTreeSet<u64>,
    /// Numbers that were missed at their place and come later.
    moved: BTreeSet<u64>,
    state: Option<ChainState>,
    prior: Option<ChainState>,
    /// Lines without a readable link since the last linked one.
    loose: usize,
    report: ChainReport,
}

impl ChainWalk<'_> {
    fn found(&mut self, line: &PlacedLine<'_>, kind: BreakKind, what: impl Into<String>) -> usize {
        let file = self.files.get(line.file).map(|file| file.name.clone()).unwrap_or_default();
        self.report.breaks.push(ChainBreak { file, line: line.at, kind, what: what.into() });
        self.report.breaks.len() - 1
    }

    fn line(&mut self, line: &PlacedLine<'_>) {
        self.report.lines += 1;
        let Some(chained) = line.link else { return self.without_link(line) };
        self.report.linked += 1;
        self.report.first.get_or_insert(chained.number);
        match chained.unlinked {
            Some(before) => self.without_lock(line, &chained, &before),
            None => self.linked(line, &chained),
        }
        self.seen.insert(chained.digest);
        if chained.unlinked.is_none() {
            self.passed.insert(chained.number);
        }
        self.loose = 0;
    }

    /// A line of an earlier version, a piece of a line, or something that somebody wrote.
    fn without_link(&mut self, line: &PlacedLine<'_>) {
        let whole = !line.open && Json::read(line.text).is_ok();
        match (whole, &self.state) {
            (false, _) => {
                let what =
                    if line.open { "it has no line end: it is being written, or was cut" } else { "it cannot be read; a write was cut, or it was damaged" };
                self.found(line, BreakKind::Torn, what);
            }
            (true, None) => {
                self.report.older += 1;
                return;
            }
            (true, Some(_)) => {
                self.found(line, BreakKind::Inserted, "it has no link; an earlier version of Portcullis writes such lines, and so could anybody");
            }
        }
        self.loose += 1;
    }

    fn without_lock(&mut self, line: &PlacedLine<'_>, chained: &LineLink, before: &LineDigest) {
        if !chained.follows(before, line.text) {
            self.found(line, BreakKind::Changed, "its text does not have the digest that it says");
        } else if self.state.is_some() && *before != START && !self.seen.contains(before) && !self.starts(before) {
            self.found(line, BreakKind::Inserted, "it says that it follows a line that is not here");
        } else {
            self.found(line, BreakKind::Unlinked, "the record's lock did not come in time, so its place is not proven");
        }
        let state = self.state.get_or_insert_with(|| ChainState { number: chained.number, ends: vec![*before], ..ChainState::default() });
        state.ends.push(chained.digest);
    }

    /// True if the chain that is here begins with a line behind `before`.
    fn starts(&self, before: &LineDigest) -> bool {
        self.seen.is_empty() || self.state.as_ref().is_some_and(|state| state.ends.contains(before))
    }

    fn linked(&mut self, line: &PlacedLine<'_>, chained: &LineLink) {
        // It was missed at its place.
        if self.state.is_some() && self.moved.remove(&chained.number) {
            return;
        }
        let follows = |state: &ChainState| state.ends.iter().rev().any(|end| chained.follows(end, line.text));
        let finding = match &self.state {
            None => self.begin(line, chained),
            Some(state) if follows(state) => None,
            Some(state) => {
                let state = state.clone();
                // What the last line took for itself is this one's place: that line does not belong there.
                if let Some(prior) = self.prior.clone().filter(|prior| chained.number <= state.number && follows(prior)) {
                    self.drop_last(&state);
                    self.state = Some(prior);
                    None
                } else {
                    match self.broken(line, chained, &state) {
                        // It stays out of the chain.
                        None => return,
                        finding => finding,
                    }
                }
            }
        };
        let mut ends = vec![chained.digest];
        // If its digest was changed, and not its text, the next line follows what it should say.
        if let (Some(_), Some(state)) = (finding, &self.state) {
            ends.extend(state.ends.last().map(|end| chained.after(end, line.text)));
        }
        let next = ChainState { number: chained.number, ends, finding, place: (line.file, line.at) };
        self.prior = self.state.replace(next);
        (self.report.last, self.report.digest) = (Some(chained.number), Some(shown(&chained.digest)));
    }

    /// The first line of what is kept.
    fn begin(&mut self, line: &PlacedLine<'_>, chained: &LineLink) -> Option<usize> {
        match chained.previous {
            Some(previous) if !chained.follows(&previous, line.text) => {
                Some(self.found(line, BreakKind::Changed, "its text does not have the digest that it says"))
            }
            Some(_) => None,
            None if chained.number == 1 && chained.follows(&START, line.text) => None,
            None if chained.number == 1 => Some(self.found(line, BreakKind::Changed, "its text does not have the digest that it says")),
            None => Some(self.found(
                line,
                BreakKind::Removed,
                format!("lines before it are missing: it is line {} of the record, and not the first of a file", chained.number),
            )),
        }
    }

    /// The line before was put where this one belongs.
    fn drop_last(&mut self, state: &ChainState) {
        let what = "it belongs to no place in the chain: the line after it follows the one before it";
        match state.finding.and_then(|at| self.report.breaks.get_mut(at)) {
            Some(found) => (found.kind, found.what) = (BreakKind::Inserted, what.to_owned()),
            None => {
                let file = self.files.get(state.place.0).map(|file| file.name.clone()).unwrap_or_default();
                self.report.breaks.push(ChainBreak { file, line: state.place.1, kind: BreakKind::Inserted, what: what.to_owned() });
            }
        }
    }

    /// A line that does not follow what is before it. `None`: it has no place in the chain here.
    fn broken(&mut self, line: &PlacedLine<'_>, chained: &LineLink, state: &ChainState) -> Option<usize> {
        let expected = state.number + 1;
        if chained.number < expected {
            self.found(line, BreakKind::Inserted, format!("it says that it is line {}, which is already there", chained.number));
            return None;
        }
        if chained.number == expected {
            return Some(self.found(line, BreakKind::Changed, "it does not follow the line before it: it was changed, or that one was"));
        }
        let missing: Vec<u64> = (expected..chained.number).take(self.report.lines + self.numbers.len()).collect();
        let later: Vec<u64> = missing.iter().copied().filter(|number| self.numbers.contains(number) && !self.passed.contains(number)).collect();
        let count = chained.number - expected;
        let numbers = if count == 1 { format!("line {expected}") } else { format!("lines {expected} to {}", chained.number - 1) };
        if !later.is_empty() && later.len() == missing.len() {
            self.moved.extend(later);
            return Some(self.found(
                line,
                BreakKind::Swapped,
                format!("{numbers} should be before it, and {} further down", if count == 1 { "is" } else { "are" }),
            ));
        }
        if usize::try_from(count).is_ok_and(|count| count == self.loose) {
            self.loose = 0;
            let at = self.report.breaks.len().saturating_sub(usize::try_from(count).unwrap_or(0));
            for found in self.report.breaks.iter_mut().skip(at) {
                (found.kind, found.what) = (BreakKind::Changed, "its link cannot be read, and the next line does not follow the one before it".to_owned());
            }
            return Some(self.found(line, BreakKind::Changed, String::new()));
        }
        let is = if count == 1 { "is" } else { "are" };
        if chained.previous.is_some() && line.file > 0 {
            let before = self.files.get(line.file - 1).map(|file| file.name.clone()).unwrap_or_default();
            let last = self.files.get(line.file - 1).map_or(0, |file| file.bytes.split_inclusive(|byte| *byte == b'\n').count());
            let what = format!("{numbers} of the record {is} missing at its end");
            self.report.breaks.push(ChainBreak { file: before, line: last, kind: BreakKind::Cut, what });
            return Some(self.report.breaks.len() - 1);
        }
        Some(self.found(line, BreakKind::Removed, format!("{numbers} of the record {is} missing before it")))
    }
}

/// Compares with what checkpoints know.
fn compare(lines: &[PlacedLine<'_>], files: &[RecordFile], known: &[KnownLine], report: &mut ChainReport) {
    let linked = lines.iter().filter_map(|line| line.link.filter(|chained| chained.unlinked.is_none()).map(|chained| (chained.number, (line, chained))));
    let by_number: BTreeMap<u64, _> = linked.collect();
    for checkpoint in known {
        let (file, line, kind, what) = match by_number.get(&checkpoint.number) {
            Some((_, chained)) if shown(&chained.digest) == checkpoint.digest => {
                report.agreeing.push(checkpoint.clone());
                continue;
            }
            Some((line, _)) => {
                let what = format!("it is not the line {} that {} names: a part of the record before it was written anew", checkpoint.number, checkpoint.by);
                (line.file, line.at, BreakKind::Rewritten, what)
            }
            None if report.first.is_some_and(|first| checkpoint.number < first) => {
                report.gone += 1;
                continue;
            }
            None => {
                let last = lines.last().map_or((files.len().saturating_sub(1), 0), |line| (line.file, line.at));
                let what = format!("line {} of the record, which {} names, is missing", checkpoint.number, checkpoint.by);
                (last.0, last.1, BreakKind::Cut, what)
            }
        };
        let file = files.get(file).map(|file| file.name.clone()).unwrap_or_default();
        report.breaks.push(ChainBreak { file, line, kind, what });
    }
    report.agreeing.sort_by_key(|known| known.number);
}

#[cfg(test)]
#[path = "verify_tests.rs"]
mod tests;
