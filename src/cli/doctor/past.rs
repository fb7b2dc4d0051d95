//! Checks what the record says: when each event and rule was last seen, whether the chain holds, and whether a session's
//! transcript has calls of which the record knows nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;

use serde_json::Value;

use super::CheckResults;
use crate::cli::explain::ago;
use crate::cli::log::verify;
use crate::cli::place::Place;
use crate::cli::terminal::shown;
use clients::claude_code::{is_transcript, transcripts};
use flywheel::page::day;
use gate::record::{Entry, RecordSource};
use gate::world::{record, system};

/// Files of the record that are read, newest first.
const FILES: usize = 2;
/// Bytes of a record up to which its chain is checked; `portcullis log verify` checks any.
const MAX_CHAIN: u64 = 16 << 20;
/// Rules that are named.
const NAMED: usize = 8;
/// Transcripts that are looked into, newest first, and lines of one.
const TRANSCRIPTS: usize = 10;
const MAX_LINES: usize = 2_000;

/// What the record says of this repository.
pub(super) struct Past {
    /// Calls that Portcullis made up are not among them.
    pub(super) entries: Vec<Entry>,
}

impl Past {
    pub(super) fn of(place: &Place) -> Self {
        let files: Vec<PathBuf> = record::files(&place.around.memory);
        let newest = files.iter().skip(files.len().saturating_sub(FILES));
        let texts = newest.filter_map(|path| fs::read(path).ok());
        let entries = texts.flat_map(|text| text.split(|byte| *byte == b'\n').filter_map(Entry::read).collect::<Vec<_>>());
        Self { entries: entries.filter(|entry| entry.source != RecordSource::Trial).collect() }
    }

    /// When each event was last seen, and each rule last matched.
    pub(super) fn fired(&self, findings: &mut CheckResults) {
        let mut events: BTreeMap<&str, u64> = BTreeMap::new();
        let mut rules: BTreeMap<&str, (u64, usize)> = BTreeMap::new();
        for entry in &self.entries {
            let last = events.entry(entry.event.as_str()).or_default();
            *last = entry.time.max(*last);
            for rule in &entry.rules {
                let (last, count) = rules.entry(rule.name.as_str()).or_default();
                *last = entry.time.max(*last);
                *count += 1;
            }
        }
        let since = |time: u64| ago(system::now().saturating_sub(time / 1000));
        if events.is_empty() {
            return findings.ok("fired", "no event was recorded here yet");
        }
        let shown: Vec<String> = events.iter().map(|(event, time)| format!("`{event}` {}", since(*time))).collect();
        findings.ok("fired", format!("last events: {}", shown.join(", ")));
        let mut order: Vec<(&str, (u64, usize))> = rules.into_iter().collect();
        order.sort_by_key(|(_, (time, _))| std::cmp::Reverse(*time));
        let more = order.len().saturating_sub(NAMED);
        let mut shown: Vec<String> = order.iter().take(NAMED).map(|(rule, (time, count))| format!("`{rule}` {} ({count} in all)", since(*time))).collect();
        if more > 0 {
            shown.push(format!("and {more} more"));
        }
        findings.ok("fired", if shown.is_empty() { "no rule matched in what is recorded".to_owned() } else { format!("last matches: {}", shown.join(", ")) });
    }

    /// Sessions that called tools after Portcullis was there, and of which it saw nothing. Only sessions of a later day than the
    /// first entry count, so that none from before it was installed is among them.
    pub(super) fn unseen(&self, place: &Place, findings: &mut CheckResults) {
        let Some(first) = self.entries.iter().map(|entry| entry.time).min().map(|time| day(time / 86_400_000)) else { return };
        let seen: BTreeSet<&str> = self.entries.iter().map(|entry| entry.session.as_str()).collect();
        let Some(folder) = place.world.homes.first().map(|home| transcripts(home, &place.around.root)) else { return };
        let files = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
        let mut files: Vec<_> = files.filter(|path| is_transcript(path)).filter_map(|path| Some((fs::metadata(&path).ok()?.modified().ok()?, path))).collect();
        files.sort_by(|one, other| other.cmp(one));
        for (_, path) in files.into_iter().take(TRANSCRIPTS) {
            let session = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
            if seen.contains(session.as_str()) {
                continue;
            }
            let calls = calls(&path, &first);
            if calls > 0 {
                let text = format!("the session {session} made {calls} calls that Portcullis did not see ({})", shown(&path));
                let fix = format!("`portcullis replay {}` judges them; see how the client was started: `--bare` and other folders drop hooks", shown(&path));
                findings.warn("unseen", text, fix);
            }
        }
    }
}

/// Calls of a transcript that write or run something, if it began after a day.
fn calls(path: &PathBuf, after: &str) -> usize {
    let Ok(file) = fs::File::open(path) else { return 0 };
    let mut begun = false;
    let mut count = 0;
    for line in BufReader::new(file).lines().take(MAX_LINES).map_while(Result::ok) {
        if begun && !line.contains("tool_use") {
            continue;
        }
        let Ok(value) = serde_json::from_str::<Value>(&line) else { continue };
        if let (false, Some(time)) = (begun, value.get("timestamp").and_then(Value::as_str)) {
            begun = time.get(..after.len()).is_some_and(|day| day > after);
            if !begun {
                return 0;
            }
        }
        let parts = value.pointer("/message/content").and_then(Value::as_array);
        let calls = parts.into_iter().flatten().filter(|part| part.get("type").and_then(Value::as_str) == Some("tool_use"));
        let names = calls.filter_map(|call| call.get("name").and_then(Value::as_str));
        count += names.filter(|name| actions::tools::is_shell(name) || actions::tools::writes_file(name)).count();
    }
    if begun { count } else { 0 }
}

/// Whether the record is what was written.
pub(super) fn chain(place: &Place, findings: &mut CheckResults) {
    for folder in &place.around.memory {
        let files = record::files(std::slice::from_ref(folder));
        let size: u64 = files.iter().filter_map(|path| fs::metadata(path).ok()).map(|known| known.len()).sum();
        if files.is_empty() {
            continue;
        }
        if size > MAX_CHAIN {
            findings.ok("chain", format!("{} MB are recorded, so the chain was not checked here (`portcullis log verify` does it)", size >> 20));
            continue;
        }
        let Ok(checked) = verify::check(folder, &[], place) else { continue };
        let report = &checked.report;
        match report.breaks.iter().find(|found| !found.kind.is_harmless()) {
            None => findings.ok("chain", format!("the record's chain holds over {} lines", report.linked)),
            Some(found) => {
                let text = format!("the record was changed: {}:{}: {}", shown(&folder.join(&found.file)), found.line, found.what);
                findings.warn("chain", text, "`portcullis log verify` shows each place; find out who wrote it, and move the record away to begin a new one");
            }
        }
    }
}
