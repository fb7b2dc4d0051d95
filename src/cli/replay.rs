//! `portcullis replay`: judges the calls of past sessions again, and shows what would be stopped. Nothing runs, and nothing is
//! written.

mod rules;
mod shown;

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use clap::Args;

use super::log::time;
use super::place::Place;
use super::refusal::{Refusal, UNJUDGED};
use super::terminal::Progress;
use crate::deep::compiling::bytes_with;
use crate::replay::judging::{JudgedPast, PastJudge};
use crate::replay::ongoing::{OngoingState, OpenParts, WaitingCall, taken_as_unknown};
use crate::replay::past::{PastDecision, PastDecisions};
use crate::replay::refused::PeoplesAnswers;
use crate::replay::sources::{self, PastCall, SeenCalls};
use crate::replay::suggest::agreed;
use crate::replay::tally::{TalliedCall, Tally, shown};
use clients::transcript::FOLDERS;
use gate::failure::Failure;
use gate::judge::today;
use gate::record::{hash, hash_all};
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
    /// Show what people agreed to or refused again and again as lines for the policy, and judge nothing
    #[arg(long, conflicts_with_all = ["policy", "against", "rule"])]
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
    /// Calls of which no time is said, among those that others decide on.
    pub(super) undated: usize,
    /// What was taken as unknown, in words.
    pub(super) taken: Vec<&'static str>,
    /// The first and the last call that others decide on, in milliseconds since 1970.
    pub(super) counted: Option<(u64, u64)>,
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
    if let Some(missing) = arguments.paths.iter().find(|path| !path.exists()) {
        return Err(Refusal::usage(NOT, format!("`{}` is not there", missing.display()), "name a transcript, a record, a file of events, or a folder of them"));
    }
    if arguments.suggest {
        let answers = peoples_answers(arguments, &past, since.unwrap_or(0), &place);
        shown::suggestions(&agreed(&past, since.unwrap_or(0)), &answers, &place, arguments.json)?;
        return Ok(ExitCode::SUCCESS);
    }
    let first = match &arguments.policy {
        Some(file) => policy_of(file, &place)?,
        None => place.policy()?.into_owned(),
    };
    let second = arguments.against.as_deref().map(|file| policy_of(file, &place)).transpose()?;
    let (paths, here) = if arguments.paths.is_empty() { (usual(&place), true) } else { (arguments.paths.clone(), false) };
    let (mut files, bytes) = sources::files(&paths);
    if let Some(since) = since {
        files.retain(|path| changed(path).is_some_and(|changed| changed >= since));
    }
    if files.is_empty() {
        let fix = "name transcripts (`portcullis replay ~/.claude/projects`), or run this where an agent worked";
        return Err(Refusal { code: UNJUDGED, ..Refusal::new(NOT, "there is no transcript of a session here", fix) });
    }
    let ground = ReplayGround { place: &place, first: &first, second: second.as_deref(), past: &past, here, root: place.around.root.to_string_lossy().into() };
    let (tally, figures) = ground.judge_all(files, bytes, arguments.threads)?;
    shown::all(&tally, &figures, arguments.rule.as_deref(), arguments.samples, arguments.json, second.is_some());
    Ok(ExitCode::SUCCESS)
}

/// What people agreed to and refused, in transcripts and in the record.
fn peoples_answers(arguments: &ReplayArguments, past: &PastDecisions, since: u64, place: &Place) -> PeoplesAnswers {
    let mut answers = PeoplesAnswers::default();
    let (paths, here) = if arguments.paths.is_empty() { (usual(place), true) } else { (arguments.paths.clone(), false) };
    let mut seen = SeenCalls::default();
    for path in sources::files(&paths).0.into_iter().filter(|path| changed(path).is_none_or(|changed| changed >= since)) {
        let mut found = |call: PastCall| {
            if !here || is_below(&call.cwd, &place.around.places.roots) {
                answers.add(&call, past.of(&call.session, &call.id));
            }
        };
        // A file that cannot be read says nothing.
        let _ = sources::read(&path, &mut |id, time, call| seen.is_new(id, time, call), &mut found, &mut |_| {});
    }
    answers.add_record(past, since);
    answers
}

/// True for a folder below one of these, and where none is said.
fn is_below(cwd: &str, roots: &[String]) -> bool {
    cwd.is_empty() || roots.iter().any(|root| cwd.strip_prefix(root.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
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
    root: Arc<str>,
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
        let tallies: Vec<Option<(Tally, Vec<WaitingCall>)>> = std::thread::scope(|scope| {
            for _ in 0..readers {
                let sender = sender.clone();
                let (queue, seen, read, progress) = (&queue, &seen, &read, &progress);
                scope.spawn(move || read_files(queue, seen, read, progress, &sender));
            }
            drop(sender);
            let judging: Vec<_> = (0..cores).map(|_| scope.spawn(|| self.judge_heaps(&receiver, &elsewhere))).collect();
            judging.into_iter().map(|thread| thread.join().unwrap_or_default()).collect()
        });
        let (mut tally, mut waiting) = (Tally::default(), Vec::new());
        for part in tallies {
            let (part, more) = part.ok_or(Failure::PolicyDamaged)?;
            tally.join(part);
            waiting.extend(more);
        }
        self.count_in_order(waiting, &mut tally, &mut figures)?;
        figures.elsewhere = elsewhere.into_inner();
        figures.seconds = begun.elapsed().as_secs_f64();
        Ok((tally, figures))
    }

    /// Counts the calls that others decide on, in the order of their times.
    fn count_in_order(&self, mut waiting: Vec<WaitingCall>, tally: &mut Tally, figures: &mut ReplayFigures) -> Result<(), Failure> {
        let mut states = Vec::new();
        for bytes in [Some(self.first), self.second].into_iter().flatten() {
            let tiers = Policy::open(bytes).and_then(|policy| policy.tiers()).ok_or(Failure::PolicyDamaged)?;
            for what in taken_as_unknown(&tiers) {
                if !figures.taken.contains(&what) {
                    figures.taken.push(what);
                }
            }
            states.push(OngoingState::new(tiers));
        }
        waiting.sort_by(|one, other| (one.time, &one.place, one.line, one.number).cmp(&(other.time, &other.place, other.line, other.number)));
        figures.undated = waiting.iter().filter(|call| call.time == 0).count();
        figures.counted = waiting.iter().find(|call| call.time > 0).zip(waiting.last()).map(|(first, last)| (first.time, last.time));
        for call in &waiting {
            let whole: Vec<JudgedPast> = states.iter_mut().zip(&call.judged).map(|(state, (judged, open))| state.judge(call, judged, open)).collect();
            let [first, others @ ..] = whole.as_slice() else { continue };
            let (sample, text) = (&call.sample, || call.sample.text.clone());
            let tallied = TalliedCall {
                tool: &sample.tool,
                place: &call.place,
                line: call.line,
                succeeded: sample.succeeded,
                ran: sample.ran,
                recorded: sample.recorded,
                text: &text,
            };
            tally.count(&tallied, first, others.first());
        }
        Ok(())
    }

    /// What is kept of a call that others decide on.
    fn waiting(&self, past: &PastCall, then: Option<&PastDecision>, judged: Vec<(JudgedPast, OpenParts)>) -> WaitingCall {
        let text = || shown(past);
        let is_main = matches!(past.agent.as_str(), "" | "main");
        // All that is judged here is of one repository, wherever its sessions began.
        let begun = match Path::new(&*past.place).parent() {
            _ if self.here => self.root.clone(),
            // Clients that name no folder keep the sessions of each project in one.
            Some(folder) if past.begun.is_empty() => folder.to_string_lossy().into(),
            _ => past.begun.clone(),
        };
        WaitingCall {
            time: past.time.unwrap_or(0),
            place: past.place.clone(),
            line: past.line,
            number: past.number,
            session: hash(past.session.as_bytes()),
            agent: if is_main { 0 } else { hash_all(&[&past.place, &past.agent]) },
            branch: past.branch.clone(),
            begun,
            run: past.run,
            succeeded: past.succeeded,
            refused: past.refused,
            sample: TalliedCall::of(past, then, &text).kept(),
            judged,
        }
    }

    /// Judges until nothing more comes. `None`: a policy cannot be read. Calls that others decide on are given back.
    fn judge_heaps(&self, receiver: &Mutex<Receiver<Vec<PastCall>>>, elsewhere: &AtomicUsize) -> Option<(Tally, Vec<WaitingCall>)> {
        let cwd = self.place.cwd.to_string_lossy();
        let judge = |bytes| PastJudge::new(bytes, &self.place.world, &cwd, today());
        let mut first = judge(self.first)?;
        let mut second = match self.second {
            Some(bytes) => Some(judge(bytes)?),
            None => None,
        };
        let counts_all = [Some(self.first), self.second].into_iter().flatten().any(counts_every_call);
        let (mut tally, mut waiting) = (Tally::default(), Vec::new());
        loop {
            let next = receiver.lock().ok()?.recv();
            let Ok(heap) = next else { return Some((tally, waiting)) };
            for past in heap {
                if self.here && !is_below(&past.cwd, &self.place.around.places.roots) {
                    elsewhere.fetch_add(1, Ordering::Relaxed);
                    continue;
                }
                let then = self.past.of(&past.session, &past.id);
                let judged: Vec<(JudgedPast, OpenParts)> =
                    [Some(&mut first), second.as_mut()].into_iter().flatten().map(|policy| policy.judge(&past, then)).collect();
                if counts_all || judged.iter().any(|(_, open)| !open.is_empty()) {
                    waiting.push(self.waiting(&past, then, judged));
                } else if let [(first, _), others @ ..] = judged.as_slice() {
                    let text = || shown(&past);
                    tally.count(&TalliedCall::of(&past, then, &text), first, others.first().map(|(other, _)| other));
                }
            }
        }
    }
}

/// True if the policy counts all calls, whatever they do.
fn counts_every_call(policy: &[u8]) -> bool {
    Policy::open(policy).and_then(|policy| policy.tiers()).is_some_and(|tiers| !tiers.every_call.is_empty())
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
