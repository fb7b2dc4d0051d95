//! `portcullis log verify`: checks the chain of the record, and compares it with checkpoints. Changes nothing.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use super::local;
use crate::cli::place::Place;
use crate::cli::refusal::{FAILED, Refusal, UNJUDGED};
use crate::cli::terminal::{TextStyle, say, say_json, shown, styled};
use crate::deep::approval::signers_of;
use crate::record::checkpoint::{self, RecordCheckpoint};
use crate::record::verify::{ChainReport, KnownLine, RecordFile, verify};
use actions::shown::escaped;
use gate::digest::SIGNS;
use gate::world::{record, system};
use policy::Policy;

/// Findings that are shown; `--json` has all of them.
const SHOWN: usize = 50;
/// How often the files are opened anew, because one was begun meanwhile.
const TRIES: usize = 10;
/// What a chain alone cannot show.
const ALONE: &str =
    "without a checkpoint, a chain shows damage and partial edits; it cannot show that somebody wrote the whole rest of the record anew, or cut its end off";

#[derive(Args, Debug)]
pub struct VerifyArguments {
    /// Compare with a checkpoint that was printed and kept elsewhere, as `LINE:DIGEST`
    #[arg(long, value_name = "LINE:DIGEST")]
    checkpoint: Vec<String>,
    /// Check the record in this folder, instead of the one of this repository
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// A record that was checked.
#[derive(Debug, Default)]
pub(in crate::cli) struct CheckedRecord {
    pub(super) folder: PathBuf,
    pub(super) files: usize,
    pub(in crate::cli) report: ChainReport,
    /// The signed checkpoints that agree, newest last, with who signed.
    signed: Vec<(RecordCheckpoint, String)>,
    /// Why some prove nothing.
    ignored: Vec<String>,
}

/// Runs the command.
///
/// # Errors
///
/// There is no record, or an argument is wrong.
pub fn run(arguments: &VerifyArguments) -> Result<ExitCode, Refusal> {
    let place = Place::at(None)?;
    let given: Vec<KnownLine> = arguments.checkpoint.iter().map(|text| printed(text)).collect::<Result<_, _>>()?;
    let folders = arguments.folder.clone().map_or_else(|| place.around.memory.clone(), |folder| vec![folder]);
    let checked: Vec<CheckedRecord> = folders
        .iter()
        .filter(|folder| !record::files(std::slice::from_ref(folder)).is_empty())
        .map(|folder| check(folder, &given, &place))
        .collect::<Result<_, _>>()?;
    if checked.is_empty() {
        return Err(Refusal {
            code: UNJUDGED,
            ..Refusal::new("nothing was checked", "nothing is recorded here yet", "run an agent with Portcullis in this repository first")
        });
    }
    if arguments.json {
        say_json(&checked.iter().map(as_json).collect::<Vec<_>>());
    } else {
        checked.iter().for_each(show);
    }
    Ok(if checked.iter().all(|checked| checked.report.is_whole()) { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
}

/// `LINE:DIGEST`.
fn printed(text: &str) -> Result<KnownLine, Refusal> {
    let parts = text.split_once(':').and_then(|(number, digest)| Some((number.parse().ok()?, digest.to_ascii_lowercase())));
    match parts.filter(|(_, digest)| digest.len() == SIGNS && digest.bytes().all(|sign| sign.is_ascii_hexdigit())) {
        Some((number, digest)) => Ok(KnownLine { number, digest, by: "the checkpoint that was given".to_owned() }),
        None => Err(Refusal::usage(
            "nothing was checked",
            format!("`{text}` is not a checkpoint"),
            "give it as `portcullis log checkpoint --print` printed it, for example `812:0123456789abcdef0123456789abcdef`",
        )),
    }
}

/// Checks the record in a folder.
pub(in crate::cli) fn check(folder: &Path, given: &[KnownLine], place: &Place) -> Result<CheckedRecord, Refusal> {
    let files =
        read(folder).map_err(|error| Refusal { code: UNJUDGED, ..Refusal::new("nothing was checked", error, "make the files of the record readable") })?;
    let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let (mut known, mut statements, mut ignored) = (given.to_vec(), Vec::new(), Vec::new());
    let mut all = checkpoint::kept(&[folder.to_path_buf()]);
    if let Some(repository) = &place.around.repository {
        all.extend(checkpoint::anchored(&repository.common_dir, &name));
    }
    if !all.is_empty() {
        let bytes = place.policy()?;
        let section = Policy::open(&bytes).and_then(|policy| policy.approval);
        let security_key = section.as_ref().is_some_and(|section| section.security_key);
        match signers_of(section.as_ref(), &place.around, &place.world).text() {
            Err(why) => ignored.push(format!("{} checkpoints do not count: {why}", all.len())),
            Ok(allowed) => {
                for one in &all {
                    match one.known(&name, &allowed, security_key, system::now()) {
                        Ok((line, statement)) if !known.contains(&line) => {
                            statements.push((statement, line.by.clone()));
                            known.push(line);
                        }
                        Ok(_) => {}
                        Err(why) => ignored.push(why),
                    }
                }
            }
        }
    }
    let report = verify(&files, &known);
    let mut signed: Vec<(RecordCheckpoint, String)> = statements
        .into_iter()
        .filter(|(statement, _)| report.agreeing.iter().any(|known| known.number == statement.number && known.digest == statement.digest))
        .collect();
    signed.sort_by_key(|(statement, _)| statement.number);
    ignored.sort();
    ignored.dedup();
    Ok(CheckedRecord { folder: folder.to_path_buf(), files: files.len(), report, signed, ignored })
}

/// The files of a record at one moment. All are opened before the first is read, so that a file that is begun meanwhile moves
/// none of them away.
fn read(folder: &Path) -> std::io::Result<Vec<RecordFile>> {
    let folders = [folder.to_path_buf()];
    for _ in 0..TRIES {
        let opened: Vec<(PathBuf, File)> =
            record::files(&folders).into_iter().map(|path| File::open(&path).map(|file| (path, file))).collect::<Result<_, _>>()?;
        let newest = |path: Option<PathBuf>| path.and_then(|path| path.metadata().ok()).map(|found| found.ino());
        let last = opened.last().and_then(|(_, file)| file.metadata().ok()).map(|found| found.ino());
        if newest(record::current(&folders)).is_some_and(|current| Some(current) != last) {
            continue;
        }
        let whole = |(path, mut file): (PathBuf, File)| {
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            Ok(RecordFile { name: path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(), bytes })
        };
        return opened.into_iter().map(whole).collect();
    }
    Err(std::io::Error::other("new files are begun all the time"))
}

/// What the check rests on.
fn grounds(checked: &CheckedRecord) -> String {
    let report = &checked.report;
    let Some(last) = report.agreeing.last() else { return ALONE.to_owned() };
    let by = checked.signed.last().filter(|(statement, _)| statement.number == last.number);
    let which = by.map_or_else(|| last.by.clone(), |(statement, by)| format!("{by}, {}", local(statement.time.saturating_mul(1000))));
    let count = report.agreeing.len();
    format!(
        "compared with {count} checkpoint{}, the last of line {} ({which}): only lines after it can have been written anew or cut off unseen",
        if count == 1 { "" } else { "s" },
        last.number
    )
}

fn show(checked: &CheckedRecord) {
    let report = &checked.report;
    say(&styled(&grounds(checked), TextStyle::Bold));
    let range = report.first.zip(report.last).map_or_else(|| "no line of a chain".to_owned(), |(first, last)| format!("lines {first} to {last}"));
    say(&format!("record: {}, {} file{}, {range}", shown(&checked.folder), checked.files, if checked.files == 1 { "" } else { "s" }));
    if report.older > 0 {
        say(&format!("note: {} lines before the chain were written by an earlier version, and prove nothing", report.older));
    }
    if report.first.is_some_and(|first| first > 1) {
        say(&format!(
            "note: older lines are not kept; a chain does not show who removed them{}",
            if report.gone > 0 { ", and checkpoints of them cannot be compared" } else { "" }
        ));
    }
    checked.ignored.iter().for_each(|why| say(&format!("note: {}", escaped(why))));
    for found in report.breaks.iter().take(SHOWN) {
        let style = if found.kind.is_harmless() { TextStyle::Doubtful } else { TextStyle::Bad };
        say(&format!("{}:{} {}: {}", escaped(&found.file), found.line, styled(found.kind.word(), style), escaped(&found.what)));
    }
    if let Some(more @ 1..) = report.breaks.len().checked_sub(SHOWN) {
        say(&format!("and {more} more (`--json` has all of them)"));
    }
    let broken = report.breaks.iter().filter(|found| !found.kind.is_harmless()).count();
    let noted = report.breaks.len() - broken;
    let rest = if noted == 0 { String::new() } else { format!("; {noted} noted, which happen by themselves") };
    if broken == 0 {
        say(&format!("{} every line follows the one before it{rest}", styled("ok:", TextStyle::Good)));
    } else {
        say(&format!("{} the chain is broken at {broken} place{}{rest}", styled("BROKEN:", TextStyle::Bad), if broken == 1 { "" } else { "s" }));
    }
}

fn as_json(checked: &CheckedRecord) -> Value {
    let CheckedRecord { folder, files, report, signed, ignored } = checked;
    let breaks: Vec<Value> =
        report.breaks.iter().map(|found| json!({ "file": found.file, "line": found.line, "kind": found.kind.word(), "what": found.what })).collect();
    let checkpoints: Vec<Value> = report.agreeing.iter().map(|known| json!({ "line": known.number, "digest": known.digest, "by": known.by })).collect();
    json!({
        "rests_on": grounds(checked),
        "folder": folder,
        "files": files,
        "whole": report.is_whole(),
        "lines": report.lines,
        "linked": report.linked,
        "older": report.older,
        "first": report.first,
        "last": report.last,
        "digest": report.digest,
        "breaks": breaks,
        "checkpoints": checkpoints,
        "signed": signed.len(),
        "ignored": ignored,
    })
}

/// The record of a place that would be checked: the folder with its newest file.
pub(super) fn folder_of(place: &Place) -> Option<PathBuf> {
    record::current(&place.around.memory).and_then(|path| path.parent().map(Path::to_path_buf))
}
