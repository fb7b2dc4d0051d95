//! What the model itself cost: reads the transcript on from where it ended the last time, and adds what is new to the budgets
//! that count tokens.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use clients::Event;
use gate::metering;
use gate::record::hash;
use gate::world::meters::FleetStore;
use gate::world::repository::head_branch;
use gate::world::store::{ANSWERS, Slot, Store, VALUE};
use gate::world::{Surroundings, meters, pending, record, system};
use policy::{Budget, Period};
use spend::{LinesBefore, ModelAnswer, TranscriptForm, answer, cost, folders, price_of};

/// How often the lock on a session's place is tried, and the pause between. Who waits in vain lets the other one count.
const TURN: (u32, Duration) = (20, Duration::from_millis(10));
/// The longest line that is read. Longer ones hold texts, no usage.
const MAX_LINE: u64 = 8 << 20;

/// How far the files of a session were read.
#[derive(Debug, Default, Serialize, Deserialize)]
struct TranscriptPlace {
    format: u32,
    files: BTreeMap<PathBuf, FilePlace>,
}

/// The form of [`TranscriptPlace`].
const FORMAT: u32 = 1;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct FilePlace {
    /// Bytes that were read, up to the end of a line.
    offset: u64,
    model: String,
}

/// What the new answers cost, in millionths of a US dollar.
#[derive(Debug, Default)]
struct NewSpend {
    /// Day (since 1970-01-01) and branch of each, where the line says so.
    answers: Vec<(u64, Option<i64>, Option<String>)>,
    /// A model without a known price.
    unpriced: Option<String>,
    /// An answer was interrupted: it may have cost more.
    cut: bool,
}

/// Adds what the session's transcript shows to the budgets that count tokens.
///
/// # Errors
///
/// The place or a budget cannot be kept.
pub(super) fn count(event: &Event, around: &Surroundings, budgets: &[Budget], fleet: Option<&dyn FleetStore>) -> io::Result<()> {
    let unseen = |why: &str| {
        let text = format!("what the model costs is not visible: {why}, so budgets count calls alone");
        pending::tell("budget-not-visible", &text, around)
    };
    let Some(form) = event.client.transcript() else { return unseen("it is not known how this client writes its transcripts") };
    let Some(transcript) = &event.transcript else { return unseen("this client names no transcript") };
    let transcript = Path::new(transcript);
    let counted: Vec<&Budget> = budgets.iter().filter(|budget| budget.tokens).collect();
    let file = record::in_first(&around.memory, |folder| record::open(&folder.join(meters::spend_file(around))))?;
    if record::lock(&file, TURN.0, TURN.1).is_err() {
        return Ok(());
    }
    let path = around.memory.iter().map(|folder| folder.join(meters::spend_file(around))).find(|path| path.is_file());
    let Some(path) = path else { return Ok(()) };
    let kept = fs::read(&path)?;
    let mut place: TranscriptPlace = serde_json::from_slice(&kept).ok().filter(|place: &TranscriptPlace| place.format == FORMAT).unwrap_or_default();
    place.format = FORMAT;
    if !transcript.is_file() {
        return unseen("the transcript of this session does not exist");
    }
    let mut spent = NewSpend::default();
    for transcript in files(form, transcript) {
        read_on(form, &transcript, &mut place, around, &mut spent)?;
    }
    let today = i64::try_from(system::now() / 86_400).unwrap_or(i64::MAX);
    let branch = around.repository.as_ref().and_then(head_branch);
    for budget in counted {
        let concerns = |(_, day, of): &&(u64, Option<i64>, Option<String>)| match budget.per {
            Period::Day => day.is_none_or(|day| day == today),
            Period::Branch => of.is_none() || *of == branch,
            Period::Session | Period::Run => true,
        };
        let micro = spent.answers.iter().filter(concerns).fold(0u64, |sum, (micro, ..)| sum.saturating_add(*micro));
        let standing = meters::spend(budget, micro, around, fleet).map_err(|failure| io::Error::other(gate::failure::what(&failure)))?;
        if let Some(found) = metering::of_budget(None, budget, &standing).filter(|found| found.tell) {
            let least = if spent.cut { "at least " } else { "" };
            pending::tell(budget.name, &format!("note by `{}`: {least}{}; instead: {}", budget.name, found.reason, found.instead), around)?;
        }
    }
    if let Some(model) = spent.unpriced {
        let model = actions::shown::escaped(&model).into_owned();
        pending::tell(
            "budget-unknown-model",
            &format!("the price of the model `{model}` is not known, so budgets count it as the dearest model that is"),
            around,
        )?;
    }
    // A kill before this counts the same answers again, and each counts once.
    let beside = path.with_extension(format!("{}.new", std::process::id()));
    fs::write(&beside, serde_json::to_vec(&place)?)?;
    fs::rename(&beside, &path)
}

/// The session's transcript, and those of its sub-agents.
fn files(form: TranscriptForm, transcript: &Path) -> Vec<PathBuf> {
    let mut files = vec![transcript.to_path_buf()];
    let mut left = folders(form, transcript);
    while let Some(folder) = left.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => left.push(entry.path()),
                Ok(kind) if kind.is_file() && entry.path().extension().is_some_and(|end| end == "jsonl") && entry.path() != transcript => {
                    files.push(entry.path());
                }
                _ => {}
            }
        }
    }
    files
}

/// Reads the whole lines that are new in a file.
fn read_on(form: TranscriptForm, path: &Path, place: &mut TranscriptPlace, around: &Surroundings, spent: &mut NewSpend) -> io::Result<()> {
    let known = place.files.get(path).cloned().unwrap_or_default();
    let mut file = File::open(path)?;
    let size = file.metadata()?.len();
    if size == known.offset {
        return Ok(());
    }
    // A file that became shorter is another one. What it repeats was counted, and counts once.
    let mut at = if size < known.offset { FilePlace::default() } else { known };
    file.seek(SeekFrom::Start(at.offset))?;
    let mut lines = BufReader::new(file);
    let mut before = LinesBefore { model: at.model.clone() };
    let mut store = Store::open(&around.memory, ANSWERS)?;
    let mut line = Vec::new();
    loop {
        line.clear();
        let length = (&mut lines).take(MAX_LINE).read_until(b'\n', &mut line)? as u64;
        if length == 0 || (length < MAX_LINE && line.last() != Some(&b'\n')) {
            break;
        }
        at.offset += length;
        if let Some(answer) = std::str::from_utf8(&line).ok().and_then(|line| answer(form, line, &mut before)) {
            add(&answer, &mut store, spent)?;
        }
    }
    at.model = before.model;
    place.files.insert(path.to_path_buf(), at);
    Ok(())
}

/// Counts an answer, or what it costs more than a line of it before.
fn add(answer: &ModelAnswer, store: &mut Store, spent: &mut NewSpend) -> io::Result<()> {
    let (price, known) = price_of(&answer.model);
    let micro = cost(&answer.usage, &price);
    let mut counted = 0;
    let key = hash(answer.key.as_bytes()).max(1);
    store.update(key, |old| {
        counted = old.and_then(|slot| slot.value.first_chunk().copied()).map_or(0, u64::from_le_bytes);
        let mut value = [0; VALUE];
        for (to, from) in value.iter_mut().zip(micro.to_le_bytes()) {
            *to = from;
        }
        (micro > counted).then_some(Slot { key, time: system::now_ms(), value })
    })?;
    if micro > counted {
        spent.answers.push((micro - counted, answer.day, answer.branch.clone()));
        spent.cut |= !answer.whole;
        if !known && !answer.model.is_empty() {
            spent.unpriced.get_or_insert_with(|| answer.model.clone());
        }
    }
    Ok(())
}
