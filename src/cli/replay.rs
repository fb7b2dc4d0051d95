//! `portcullis replay`: judges the calls of past sessions again, and shows what would be stopped. Nothing runs, and nothing is
//! written.

mod shown;

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Instant;

use clap::Args;

use super::log::time;
use super::place::Place;
use super::refusal::{Refusal, UNJUDGED};
use super::terminal::Progress;
use crate::deep::compiling::bytes_with;
use crate::replay::judging::PastJudge;
use crate::replay::past::PastDecisions;
use crate::replay::sources::{self, PastCall, SeenCalls};
use crate::replay::suggest::agreed;
use crate::replay::tally::Tally;
use clients::transcript::FOLDERS;
use gate::failure::Failure;
use gate::judge::today;
use gate::world::{layers, record};
use policy::{Layer, Policy};

const NOT: &str = "nothing was judged";
/// Calls that are handed to a judging thread at once, and how many such heaps may wait.
const HEAP: usize = 128;
const HEAPS: usize = 64;
/// Bytes after which the bar moves.
const TICK: usize = 1 << 20;

#[derive(Args, Debug)]
pub struct ReplayArguments {
    /// Transcripts, records or files of events, or folders of them (default: the transcripts of sessions in this folder)
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Judge by this file in place of the project's policy
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Also judge by this file in place of the project's policy, and show what differs
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
    /// The folder of calls that do not say theirs (default: this one)
    #[arg(long, value_name = "DIR")]
    cwd: Option<PathBuf>,
    /// Only files changed after this time: `7d` ago, or a day like `2027-03-31`
    #[arg(long, value_name = "WHEN")]
    since: Option<String>,
    /// Only show this rule
    #[arg(long, value_name = "NAME")]
    rule: Option<String>,
    /// Samples of each rule
    #[arg(long, value_name = "N", default_value_t = 3)]
    samples: usize,
    /// Threads that judge (default: one for each core)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    threads: Option<u16>,
    /// Show what a person agreed to again and again as lines for the policy, and judge nothing
    #[arg(long, conflicts_with_all = ["paths", "policy", "against", "rule"])]
    suggest: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What was read and how long it took.
#[derive(Clone, Debug, Default)]
pub(super) struct ReplayFigures {
    pub(super) files: usize,
    pub(super) bytes: u64,
    pub(super) unreadable: Vec<String>,
    pub(super) unknown: usize,
    pub(super) repeated: usize,
    pub(super) elsewhere: usize,
    pub(super) threads: usize,
    pub(super) seconds: f64,
}

/// Runs the command.
///
/// # Errors
///
/// A policy has mistakes, or there is nothing to judge.
pub fn run(arguments: &ReplayArguments) -> Result<ExitCode, Refusal> {
    let place = Place::at(arguments.cwd.as_deref())?;
    let since = arguments.since.as_deref().map(|text| time(text, false)).transpose()?;
    let past = PastDecisions::read(&place.around.memory);
    if arguments.suggest {
        shown::suggestions(&agreed(&past, since.unwrap_or(0)), &place, arguments.json)?;
        return Ok(ExitCode::SUCCESS);
    }
    let first = match &arguments.policy {
        Some(file) => policy_of(file, &place)?,
        None => place.policy()?.into_owned(),
    };
    let second = arguments.against.as_deref().map(|file| policy_of(file, &place)).transpose()?;
    let (paths, here) = if arguments.paths.is_empty() { (usual(&place), true) } else { (arguments.paths.clone(), false) };
    if let Some(missing) = arguments.paths.iter().find(|path| !path.exists()) {
        return Err(Refusal::usage(NOT, format!("`{}` is not there", missing.display()), "name a transcript, a record, a file of events, or a folder of them"));
    }
    let (mut files, bytes) = sources::files(&paths);
    if let Some(since) = since {
        files.retain(|path| changed(path).is_some_and(|changed| changed >= since));
    }
    if files.is_empty() {
        let fix = "name transcripts (`portcullis replay ~/.claude/projects`), or run this where an agent worked";
        return Err(Refusal { code: UNJUDGED, ..Refusal::new(NOT, "there is no transcript of a session here", fix) });
    }
    let ground = ReplayGround { place: &place, first: &first, second: second.as_deref(), past: &past, here };
    let (tally, figures) = ground.judge_all(files, bytes, arguments.threads)?;
    shown::all(&tally, &figures, arguments.rule.as_deref(), arguments.samples, arguments.json, second.is_some());
    Ok(ExitCode::SUCCESS)
}

/// The policy with a file in the place of the project's.
fn policy_of(file: &Path, place: &Place) -> Result<Vec<u8>, Refusal> {
    let text = std::fs::read_to_string(file).map_err(|error| Refusal::usage(NOT, format!("`{}`: {error}", file.display()), "name a policy file"))?;
    let found = layers::look(&place.around.layers)?;
    let project = found.iter().rev().find(|layer| layer.layer == Layer::Project).map(|layer| layer.path.clone());
    let Some(project) = project else { return Err(Refusal::new(NOT, "no place for a project's policy is known here", "run this in the repository")) };
    let bytes = bytes_with(&found, &place.around, |layer| (layer.path == project).then(|| Some(text.clone())))?;
    Policy::open(&bytes).ok_or(Failure::PolicyDamaged)?;
    Ok(bytes)
}

/// Where clients keep transcripts, and the record of this repository.
fn usual(place: &Place) -> Vec<PathBuf> {
    place.world.homes.iter().flat_map(|home| FOLDERS.iter().map(|folder| home.join(folder))).filter(|folder| folder.is_dir()).collect()
}

fn changed(path: &Path) -> Option<u64> {
    let time = path.metadata().ok()?.modified().ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    u64::try_from(time.as_millis()).ok()
}

/// What all threads judge with.
struct ReplayGround<'g> {
    place: &'g Place,
    first: &'g [u8],
    second: Option<&'g [u8]>,
    past: &'g PastDecisions,
    /// Only calls below this folder.
    here: bool,
}

impl ReplayGround<'_> {
    fn judge_all(&self, files: Vec<PathBuf>, bytes: u64, threads: Option<u16>) -> Result<(Tally, ReplayFigures), Refusal> {
        let cores = threads.map_or_else(|| std::thread::available_parallelism().map_or(1, usize::from), usize::from);
        let begun = Instant::now();
        let mut figures = ReplayFigures { files: files.len(), bytes, threads: cores, ..ReplayFigures::default() };
        let readers = cores.min(files.len()).max(1);
        let progress = Mutex::new(Progress::of(usize::try_from(bytes >> 20).unwrap_or(usize::MAX), "MB"));
        let (queue, seen, read) = (Mutex::new(VecDeque::from(files)), Mutex::new(SeenCalls::default()), Mutex::new(&mut figures));
        let elsewhere = AtomicUsize::new(0);
        let (sender, receiver) = sync_channel::<Vec<PastCall>>(HEAPS);
        let receiver = Mutex::new(receiver);
        let tallies: Vec<Option<Tally>> = std::thread::scope(|scope| {
            for _ in 0..readers {
                let sender = sender.clone();
                let (queue, seen, read, progress) = (&queue, &seen, &read, &progress);
                scope.spawn(move || read_files(queue, seen, read, progress, &sender));
            }
            drop(sender);
            let judging: Vec<_> = (0..cores).map(|_| scope.spawn(|| self.judge_heaps(&receiver, &elsewhere))).collect();
            judging.into_iter().map(|thread| thread.join().unwrap_or_default()).collect()
        });
        let mut tally = Tally::default();
        for part in tallies {
            tally.join(part.ok_or(Failure::PolicyDamaged)?);
        }
        figures.elsewhere = elsewhere.into_inner();
        figures.seconds = begun.elapsed().as_secs_f64();
        Ok((tally, figures))
    }

    /// Judges until nothing more comes. `None`: a policy cannot be read.
    fn judge_heaps(&self, receiver: &Mutex<Receiver<Vec<PastCall>>>, elsewhere: &AtomicUsize) -> Option<Tally> {
        let cwd = self.place.cwd.to_string_lossy();
        let judge = |bytes| PastJudge::new(bytes, &self.place.world, &cwd, today());
        let mut first = judge(self.first)?;
        let mut second = match self.second {
            Some(bytes) => Some(judge(bytes)?),
            None => None,
        };
        let roots: Vec<&str> = self.place.around.places.roots.iter().map(String::as_str).collect();
        let is_here =
            |cwd: &str| cwd.is_empty() || roots.iter().any(|root| cwd.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')));
        let mut tally = Tally::default();
        loop {
            let next = receiver.lock().ok()?.recv();
            let Ok(heap) = next else { return Some(tally) };
            for past in heap {
                if self.here && !is_here(&past.cwd) {
                    elsewhere.fetch_add(1, Ordering::Relaxed);
                    continue;
                }
                let then = self.past.of(&past.session, &past.id);
                let judged = first.judge(&past, then);
                let other = second.as_mut().map(|second| second.judge(&past, then));
                tally.count(&past, then, &judged, other.as_ref());
            }
        }
    }
}

/// Reads files until all are read.
fn read_files(
    queue: &Mutex<VecDeque<PathBuf>>,
    seen: &Mutex<SeenCalls>,
    figures: &Mutex<&mut ReplayFigures>,
    progress: &Mutex<Progress>,
    sender: &SyncSender<Vec<PastCall>>,
) {
    let next = || queue.lock().ok()?.pop_front();
    while let Some(path) = next() {
        let (mut heap, mut bytes) = (Vec::with_capacity(HEAP), 0);
        let mut found = |past: PastCall| {
            heap.push(past);
            if heap.len() >= HEAP {
                // Nobody judges any more only if all of them failed.
                let _ = sender.send(std::mem::replace(&mut heap, Vec::with_capacity(HEAP)));
            }
        };
        let mut advance = |length: usize| {
            bytes += length;
            if bytes >= TICK
                && let Ok(mut progress) = progress.lock()
            {
                progress.advance(bytes >> 20);
                bytes &= TICK - 1;
            }
        };
        let mut is_new = |id: &str, time: &str, call: &actions::ToolCall| seen.lock().is_ok_and(|mut seen| seen.is_new(id, time, call));
        let read = sources::read(&path, &mut is_new, &mut found, &mut advance);
        let _ = sender.send(heap);
        if let Ok(mut figures) = figures.lock() {
            match read {
                Ok(read) => {
                    figures.unknown += read.unknown;
                    figures.repeated += read.repeated;
                }
                Err(error) => figures.unreadable.push(format!("{}: {error}", path.display())),
            }
        }
    }
}

/// True if the record of this place has lines.
pub(super) fn has_record(place: &Place) -> bool {
    record::current(&place.around.memory).is_some()
}
