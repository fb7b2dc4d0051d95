//! `portcullis log`: shows the recorded decisions and signals of this repository. Changes nothing.

pub mod checkpoint;
pub mod export;
pub mod verify;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Subcommand};
use serde_json::json;

use super::place::Place;
use super::refusal::Refusal;
use super::terminal::{TextStyle, say, say_json, styled, tell};
use crate::record::export::{is_decision, is_trial};
use actions::shown::{escaped, escaped_json};
use flywheel::page::{day, moment};
use gate::record::{Entry, Held, Outcome};
use gate::world::{record, system};
use policy::facts::days;

/// How often a followed record is read again.
const BEAT: Duration = Duration::from_millis(200);
/// Entries that are shown if there is no filter.
const SHOWN: usize = 50;
/// Bytes of the record that are read at a time, from its end.
const CHUNK: u64 = 64 << 10;

/// What else is done with the record.
#[derive(Subcommand, Debug)]
pub enum LogCommand {
    /// Check that no line of the record was changed, removed, inserted or moved
    Verify(verify::VerifyArguments),
    /// Sign where the record ends now (only a person at a terminal can do this)
    Checkpoint(checkpoint::CheckpointArguments),
    /// Send the record to a receiver of OpenTelemetry logs, or print it as JSON lines, OCSF or CSV
    Export(export::ExportArguments),
}

#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub struct LogArguments {
    #[command(subcommand)]
    command: Option<LogCommand>,
    /// Only this session; the first characters of its id are enough
    #[arg(long, value_name = "ID")]
    session: Option<String>,
    /// Only this type of agent; the main agent is `main`
    #[arg(long, value_name = "TYPE")]
    agent: Option<String>,
    /// Only decisions in which this rule matched
    #[arg(long, value_name = "NAME")]
    rule: Option<String>,
    /// Only decisions of this tier or a stricter one
    #[arg(long, value_name = "1-4", value_parser = clap::value_parser!(u8).range(1..=4))]
    tier: Option<u8>,
    /// Only calls that were stopped: denied or asked about
    #[arg(long = "stopped", alias = "held")]
    held: bool,
    /// Only after this time: `90s`, `2h` or `3d` ago, or from the beginning of a day like `2027-03-31`
    #[arg(long, value_name = "WHEN")]
    since: Option<String>,
    /// Only before this time, in the same form; a day counts to its end
    #[arg(long, value_name = "WHEN", conflicts_with = "follow")]
    until: Option<String>,
    /// Only entries with this text in the path or the command, in capital or small letters
    #[arg(long, value_name = "TEXT")]
    path: Option<String>,
    /// Only this tool
    #[arg(long, value_name = "NAME")]
    tool: Option<String>,
    /// At most the last N entries; 50 if there is no filter
    #[arg(short = 'n', value_name = "N")]
    count: Option<usize>,
    /// Wait for new entries and show them
    #[arg(long, conflicts_with = "summary")]
    follow: bool,
    /// Also the calls by which Portcullis tries its own answer (`init`, `doctor`, `install`)
    #[arg(long)]
    trials: bool,
    /// Print JSON: a line for each entry, as it was recorded
    #[arg(long)]
    json: bool,
    /// Show counts by rule, tier, tool and day instead
    #[arg(long)]
    summary: bool,
}

/// Runs the command.
///
/// # Errors
///
/// The folder is not known, or an argument is wrong.
pub fn run(arguments: &LogArguments) -> Result<ExitCode, Refusal> {
    match &arguments.command {
        None => show_entries(arguments),
        Some(LogCommand::Verify(arguments)) => verify::run(arguments),
        Some(LogCommand::Checkpoint(arguments)) => checkpoint::run(arguments),
        Some(LogCommand::Export(arguments)) => export::run(arguments),
    }
}

fn show_entries(arguments: &LogArguments) -> Result<ExitCode, Refusal> {
    let place = Place::at(None)?;
    let since = arguments.since.as_deref().map(|text| time(text, false)).transpose()?;
    let until = arguments.until.as_deref().map(|text| time(text, true)).transpose()?;
    let wanted = |entry: &Entry| wanted(arguments, since, until, entry);
    let files = record::files(&place.around.memory);
    let (mut bad, mut kept, mut all) = (0, Vec::new(), 0);
    let mut left = FollowedFile::default();
    let filtered = arguments.held || since.is_some() || until.is_some() || arguments.tier.is_some();
    let named = [&arguments.session, &arguments.agent, &arguments.rule, &arguments.path, &arguments.tool];
    let most = arguments.count.unwrap_or(if filtered || named.iter().any(|name| name.is_some()) { usize::MAX } else { SHOWN });
    // The last entries are looked for from the end, so that a long record costs no more than a short one.
    let from_end = !arguments.summary && !arguments.follow && most < usize::MAX;
    let backward = files.iter().rev().filter(|_| from_end).flat_map(LinesFromEnd::of);
    let mut seen = record::SeenEntries::default();
    for line in backward {
        if kept.len() >= most {
            break;
        }
        match Entry::read(line.as_bytes()) {
            None => bad += 1,
            Some(entry) if !seen.is_new(&entry) => {}
            Some(entry) => {
                all += usize::from(arguments.trials || !is_trial(&entry));
                if wanted(&entry) {
                    kept.push((entry, line));
                }
            }
        }
    }
    kept.reverse();
    for path in files.iter().filter(|_| !from_end) {
        left = FollowedFile::of(path);
        for line in left.lines() {
            match Entry::read(line.as_bytes()) {
                None => bad += 1,
                Some(entry) if !seen.is_new(&entry) => {}
                Some(entry) => {
                    all += usize::from(arguments.trials || !is_trial(&entry));
                    if wanted(&entry) {
                        kept.push((entry, line));
                    }
                }
            }
        }
    }
    // Files end where others begin, but a process that was slow may have written to the older one.
    kept.sort_by_key(|(entry, _)| entry.time);
    if arguments.summary {
        summary(arguments, &kept);
    } else {
        for (entry, line) in kept.iter().skip(kept.len().saturating_sub(most)) {
            say(&if arguments.json { escaped_json(line).into_owned() } else { shown(entry) });
        }
    }
    if bad > 0 {
        tell(&format!("portcullis: {bad} lines of the record cannot be read and were left out"));
    }
    if all == 0 && !arguments.follow {
        tell(&format!("portcullis: nothing is recorded for {} yet", place.around.root.display()));
    } else if kept.is_empty() && !arguments.follow {
        tell(&format!("portcullis: none of {all} entries matches the filter"));
    }
    if arguments.follow {
        follow(&place, left, arguments, since);
    }
    Ok(ExitCode::SUCCESS)
}

fn wanted(arguments: &LogArguments, since: Option<u64>, until: Option<u64>, entry: &Entry) -> bool {
    let is = |wanted: &Option<String>, test: &dyn Fn(&str) -> bool| wanted.as_deref().is_none_or(test);
    is(&arguments.session, &|id| entry.session.starts_with(id))
        && is(&arguments.agent, &|name| entry.agent == name)
        && is(&arguments.rule, &|name| entry.rules.iter().any(|rule| rule.name == name))
        && is(&arguments.tool, &|name| entry.tool == name)
        && is(&arguments.path, &|text| [&entry.path, &entry.what].iter().any(|known| known.to_lowercase().contains(&text.to_lowercase())))
        && arguments.tier.is_none_or(|least| entry.tier.is_some_and(|tier| tier >= least))
        && (!arguments.held || entry.held.is_some())
        && since.is_none_or(|since| entry.time >= since)
        && until.is_none_or(|until| entry.time < until)
        && (arguments.trials || !is_trial(entry))
}

/// A time of the record in local time, with the zone.
pub(super) fn local(time: u64) -> String {
    let ahead = ahead(time / 1000);
    let zone = ahead.unsigned_abs() / 60;
    format!("{} {}{:02}:{:02}", moment(time.saturating_add_signed(ahead * 1000)), if ahead < 0 { '-' } else { '+' }, zone / 60, zone % 60)
}

fn ahead(seconds: u64) -> i64 {
    system::ahead_of_utc(i64::try_from(seconds).unwrap_or(0))
}

/// `2h` ago, or a day of local time, its beginning or its end, in milliseconds since 1970.
pub(super) fn time(text: &str, end: bool) -> Result<u64, Refusal> {
    let wrong = || Refusal::usage("nothing was shown", format!("`{text}` is not a time"), "write `90s`, `2h`, `3d`, or a day like `2027-03-31`");
    if let [year, month, day] = text.split('-').collect::<Vec<_>>().as_slice() {
        let number = |text: &str| text.parse::<i64>().ok();
        let (Some(year), Some(month @ 1..=12), Some(day @ 1..=31)) = (number(year), number(month), number(day)) else { return Err(wrong()) };
        let midnight = u64::try_from(days(year, month, day) + i64::from(end)).ok().and_then(|days| days.checked_mul(86_400)).ok_or_else(wrong)?;
        return Ok(midnight.saturating_add_signed(-ahead(midnight)).saturating_mul(1000));
    }
    let ago = match text.strip_suffix('d') {
        Some(days) => days.parse::<u64>().ok().and_then(|days| days.checked_mul(86_400)),
        None => super::pause::seconds(text),
    };
    Ok(system::now_ms().saturating_sub(ago.ok_or_else(wrong)?.saturating_mul(1000)))
}

/// An entry in one line.
fn shown(entry: &Entry) -> String {
    let (word, style) = match (entry.held, entry.outcome) {
        _ if is_trial(entry) => ("trial", None),
        (Some(Held::Deny), _) => ("denied", Some(TextStyle::Bad)),
        (Some(Held::Ask), _) => ("asked", Some(TextStyle::Doubtful)),
        _ if entry.paused => ("paused", Some(TextStyle::Doubtful)),
        (None, Some(Outcome::Ok)) => ("ok", Some(TextStyle::Good)),
        (None, Some(Outcome::Failed)) => ("failed", Some(TextStyle::Bad)),
        (None, Some(Outcome::Interrupted)) => ("aborted", Some(TextStyle::Doubtful)),
        (None, None) if is_decision(entry) => ("allowed", None),
        (None, None) if entry.tier.is_some() => ("prompt", None),
        (None, None) => ("-", None),
    };
    let padded = format!("{word:<7}");
    let word = style.map_or_else(|| padded.clone(), |style| styled(&padded, style));
    let rules: Vec<String> = entry.rules.iter().map(|rule| format!("{}{}", escaped(&rule.name), if rule.shadow { " (shadow)" } else { "" })).collect();
    let rules = if rules.is_empty() { String::new() } else { format!(" [{}]", styled(&rules.join(", "), TextStyle::Bold)) };
    let subject = if entry.tool.is_empty() { &entry.event } else { &entry.tool };
    let agent = if matches!(entry.agent.as_str(), "" | "main") { String::new() } else { format!(" ({})", escaped(&entry.agent)) };
    let text = |text: &str| if text.is_empty() { String::new() } else { format!(" {}", escaped(text)) };
    let exit = entry.exit.map_or_else(String::new, |exit| format!(" exit {exit}:"));
    let approved = if entry.approved.is_empty() { String::new() } else { format!(" — approved: {}", escaped(&entry.approved)) };
    let said = if entry.said.is_empty() { approved } else { format!(" —{exit} {}", escaped(&entry.said)) };
    format!("{} {word} {}{agent}{}{}{said}{rules}", local(entry.time), escaped(subject), text(&entry.path), text(&entry.what))
}

fn summary(arguments: &LogArguments, kept: &[(Entry, String)]) {
    let entries = || kept.iter().map(|(entry, _)| entry);
    let count = |names: &mut dyn Iterator<Item = String>| -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for name in names {
            *counts.entry(name).or_default() += 1;
        }
        counts
    };
    let decisions = || entries().filter(|entry| is_decision(entry));
    let groups = [
        ("tier", count(&mut decisions().filter_map(|entry| entry.tier).map(|tier| tier.to_string()))),
        ("stopped", count(&mut decisions().filter_map(|entry| entry.held).map(|held| if held == Held::Ask { "asked" } else { "denied" }.to_owned()))),
        ("rule", count(&mut decisions().flat_map(|entry| &entry.rules).map(|rule| rule.name.clone()))),
        ("tool", count(&mut decisions().map(|entry| entry.tool.clone()))),
        ("day", count(&mut decisions().map(|entry| day(entry.time.saturating_add_signed(ahead(entry.time / 1000) * 1000) / 86_400_000)))),
        ("signal", count(&mut entries().filter(|entry| !is_decision(entry)).map(|entry| entry.event.clone()))),
    ];
    if arguments.json {
        let counts: BTreeMap<_, _> = groups.iter().cloned().collect();
        return say_json(&json!({ "decisions": decisions().count(), "by": counts }));
    }
    say(&format!("{} decisions, {} signals", decisions().count(), kept.len() - decisions().count()));
    for (group, counts) in &groups {
        let mut counts: Vec<_> = counts.iter().collect();
        if *group != "day" && *group != "tier" {
            counts.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        }
        for (at, (name, count)) in counts.iter().enumerate() {
            say(&format!(
                "{:<8} {count:>7}  {}",
                if at == 0 { styled(group, TextStyle::Bold) + &" ".repeat(8 - group.len()) } else { " ".repeat(8) },
                escaped(name)
            ));
        }
    }
}

/// A file that is read further after its last whole line.
#[derive(Debug, Default)]
struct FollowedFile(Option<BufReader<File>>, Vec<u8>);

impl FollowedFile {
    fn of(path: &PathBuf) -> Self {
        Self(File::open(path).ok().map(BufReader::new), Vec::new())
    }

    /// The lines that exist now. A line without an end is kept for later; blank lines are left out.
    fn lines(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        while let Some(reader) = &mut self.0 {
            match reader.read_until(b'\n', &mut self.1) {
                Ok(1..) if self.1.ends_with(b"\n") => {
                    let line = String::from_utf8_lossy(self.1.trim_ascii()).into_owned();
                    if !line.is_empty() {
                        lines.push(line);
                    }
                    self.1.clear();
                }
                _ => break,
            }
        }
        lines
    }

    fn file(&self) -> Option<u64> {
        self.0.as_ref().and_then(|reader| reader.get_ref().metadata().ok()).map(|found| found.ino())
    }
}

/// The whole lines of a file, the last first. Blank ones are left out.
struct LinesFromEnd {
    file: Option<File>,
    /// Bytes of the file before those that were read.
    before: u64,
    /// Bytes that were read and belong to no line that was given.
    rest: Vec<u8>,
}

impl LinesFromEnd {
    fn of(path: &PathBuf) -> Self {
        let file = File::open(path).ok();
        let before = file.as_ref().and_then(|file| file.metadata().ok()).map_or(0, |found| found.len());
        let mut lines = Self { file, before, rest: Vec::new() };
        // A line without an end is still being written.
        while !lines.rest.contains(&b'\n') && lines.more() {}
        let end = lines.rest.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        lines.rest.truncate(end);
        lines
    }

    /// Reads what is before. Returns false if that is nothing.
    fn more(&mut self) -> bool {
        let count = self.before.min(CHUNK);
        let Some(file) = self.file.as_ref().filter(|_| count > 0) else { return false };
        let mut bytes = vec![0; usize::try_from(count).unwrap_or(0)];
        self.before -= count;
        if file.read_exact_at(&mut bytes, self.before).is_err() {
            self.file = None;
            return false;
        }
        bytes.append(&mut self.rest);
        self.rest = bytes;
        true
    }
}

impl Iterator for LinesFromEnd {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        loop {
            let whole = self.rest.strip_suffix(b"\n").unwrap_or(&self.rest).len();
            match self.rest.get(..whole)?.iter().rposition(|byte| *byte == b'\n') {
                None if self.more() => {}
                None if self.rest.is_empty() => return None,
                found => {
                    let line = self.rest.split_off(found.map_or(0, |at| at + 1));
                    let line = String::from_utf8_lossy(line.trim_ascii()).into_owned();
                    if !line.is_empty() {
                        return Some(line);
                    }
                }
            }
        }
    }
}

/// Shows new entries until this process is ended.
fn follow(place: &Place, mut reading: FollowedFile, arguments: &LogArguments, since: Option<u64>) {
    loop {
        for line in reading.lines() {
            if let Some(entry) = Entry::read(line.as_bytes()).filter(|entry| wanted(arguments, since, None, entry)) {
                say(&if arguments.json { escaped_json(&line).into_owned() } else { shown(&entry) });
            }
        }
        // Another file may have replaced it. The entries that were still written to the old one have been read.
        let current = record::current(&place.around.memory);
        let number = current.as_ref().and_then(|path| path.metadata().ok()).map(|found| found.ino());
        if number.is_some() && number != reading.file() {
            reading = current.as_ref().map_or_else(FollowedFile::default, FollowedFile::of);
            continue;
        }
        std::thread::sleep(BEAT);
    }
}
