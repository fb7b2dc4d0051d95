//! What gates remember of calls that ended: commands that were seen to succeed, with the files as they were then; runs of
//! tests; who ticked a box, wrote a verdict, or wrote a report by hand. Each piece is replaced as a whole, so that processes
//! that run at once, or are killed, leave one of them.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use ::tests_first::layout::Catalogue;
use ::tests_first::{Ended, SeenRun};
use actions::json::{Json, quoted};
use actions::{Action, Change, Deed, ToolCall};
use clients::{Event, Moment, Outcome};
use gate::deep::Stop;
use gate::judge::{Here, facts_of, opened, read};
use gate::record::{hash, hash_all};
use gate::world::Surroundings;
use gate::world::phase;
use gate::world::record::in_first;
use gate::world::state::folder_name;
use gate::world::store::{EVIDENCE, Slot, Store, TRUSTED, VALUE};
use gate::world::system::now_ms;
use git2::Oid;
use policy::matcher::text;
use policy::{Gate, GateNeed, NeedKind, Policy};

use super::status::{self, CommandPlace, CommandStatus};
use super::tree::{self, GatedTree, SeenFiles};
use crate::deep::Cold;

/// The name under which runs of tests are kept.
const TESTS: &str = "tests";
/// How much later than its true start a call may seem to start, in milliseconds.
const SLACK: i64 = 250;
/// Options with which runners run no tests.
const IDLE: &[&str] = &[
    "--version",
    "-V",
    "--help",
    "-h",
    "--no-run",
    "--collect-only",
    "--co",
    "--listTests",
    "--list",
    "--list-tests",
    "--dry-run",
    "--showConfig",
    "--fixtures",
    "--markers",
];
/// Manifests of which only the part that names commands decides what a command does.
const PACKAGE: &str = "package.json";

/// A command that was seen to end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SeenCommand {
    pub ok: bool,
    /// In milliseconds since 1970.
    pub time: u64,
    /// The phase in which it ran: [`phase::PhaseState::number`].
    pub number: u64,
    /// The files as they were then.
    pub files: SeenFiles,
}

/// Who wrote something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Writer {
    /// One of those whom the need names.
    pub named: bool,
    pub number: u64,
    /// The beginning of the agent's type.
    pub agent: String,
}

/// Remembers what a call that ended shows.
///
/// # Errors
///
/// [`Stop`]
pub fn remember(event: &Event, call: &ToolCall, around: &Surroundings, policy: &Policy) -> Result<(), Stop> {
    let Some(tiers) = policy.tiers().filter(|tiers| !tiers.gates.is_empty()) else { return Ok(()) };
    // Where the phase is not known, nothing counts for it.
    let (Ok(work), Ok(place)) = (GatedTree::open(around, policy), phase::read(around)) else { return Ok(()) };
    let places = facts_of(event, &around.places).places;
    let here = Here { around, deep: &Cold, event: None };
    let seen = Looking { event, around, work: &work, begun: &place.begun, number: place.number };
    let needs: Vec<(&Gate, &GateNeed)> = tiers.gates.iter().flat_map(|gate| gate.needs.iter().map(move |need| (gate, need))).collect();
    if let Some(line) = actions::tools::command_line(call) {
        let files = opened(call, &places, policy, &here)?;
        let mut done: Vec<&str> = Vec::new();
        for (_, need) in needs.iter().filter(|(_, need)| need.kind == NeedKind::Command) {
            if !done.contains(&need.text) {
                done.push(need.text);
                seen.command(line, need.text, &files);
            }
        }
        if needs.iter().any(|(_, need)| need.kind == NeedKind::Tests) {
            let actions = read(call, &places, policy, &here)?;
            seen.tests(line, &actions);
        }
    }
    let files = || needs.iter().filter(|(_, need)| matches!(need.kind, NeedKind::Checklist | NeedKind::Verdict | NeedKind::Coverage));
    if event.moment == Moment::AfterCall && files().next().is_some() {
        let actions = read(call, &places, policy, &here)?;
        for action in &actions {
            if let Deed::Write(write) = &action.deed
                && let Some(path) = write.path.word.literal().and_then(|path| Path::new(path).strip_prefix(&work.root).ok()).and_then(Path::to_str)
            {
                for (gate, need) in files().filter(|(_, need)| need.text == path) {
                    seen.file(gate, need, &write.change, action);
                }
            }
        }
    }
    Ok(())
}

/// A call that ended, and where.
struct Looking<'l> {
    event: &'l Event,
    around: &'l Surroundings,
    work: &'l GatedTree,
    begun: &'l str,
    number: u64,
}

impl Looking<'_> {
    /// Whether the call succeeded. `None`: that is not known, or it still runs.
    fn succeeded(&self) -> Option<bool> {
        match (self.event.moment, self.event.outcome) {
            _ if self.event.background => None,
            (Moment::AfterCall, Some(Outcome::Ok)) => Some(true),
            (Moment::AfterFailure, _) | (_, Some(Outcome::Failed | Outcome::Interrupted)) => Some(false),
            _ => None,
        }
    }

    /// Where the command began: the call can name another folder than the session's.
    fn folder(&self, root: &str) -> String {
        let session = self.event.cwd.as_deref().unwrap_or(root);
        let named = self.event.tool.as_ref().and_then(actions::tools::folder);
        named.map_or_else(|| session.to_owned(), |folder| Path::new(session).join(folder).to_string_lossy().into_owned())
    }

    fn command(&self, line: &str, wanted: &str, opened: &[String]) {
        let root = self.work.root.to_string_lossy();
        let folder = self.folder(&root);
        let found = status::of(line, wanted, CommandPlace { folder: folder.trim_end_matches('/'), root: &root });
        let why = match (found, self.succeeded()) {
            (CommandStatus::Absent, _) => return,
            (CommandStatus::Swallowed(why), _) => format!("it ran where its status does not decide: {why}"),
            (CommandStatus::Decides, None) if self.event.background => "it ran in the background, where its status is not seen".to_owned(),
            (CommandStatus::Decides, None) => "the client does not say how the call ended".to_owned(),
            (CommandStatus::Decides, Some(false)) => {
                let failed = SeenCommand { time: now_ms(), number: self.number, ..SeenCommand::default() };
                let _ = write(self.around, NeedKind::Command.name(), wanted, &failed);
                return;
            }
            (CommandStatus::Decides, Some(true)) => match self.trusted(wanted, opened).and_then(|()| self.work.files()) {
                Err(why) => why,
                Ok(files) => {
                    let _ = write(self.around, NeedKind::Command.name(), wanted, &SeenCommand { ok: true, time: now_ms(), number: self.number, files });
                    return;
                }
            },
        };
        let _ = hint(self.around, NeedKind::Command.name(), wanted, &why);
    }

    fn tests(&self, line: &str, actions: &[Action]) {
        let Ok(catalogue) = Catalogue::shipped() else { return };
        let runner =
            catalogue.runners.iter().find(|runner| actions.iter().any(|action| matches!(&action.deed, Deed::Run(run) if policy::is_run_by(runner, run))));
        if runner.is_none() || self.event.background {
            return;
        }
        let ended = Ended {
            command: line,
            response: &self.event.response,
            error: self.event.error.as_deref(),
            failed: self.succeeded() == Some(false),
            interrupted: self.event.interrupted,
        };
        let Some(run) = SeenRun::of(&ended) else { return };
        let idle =
            |action: &Action| matches!(&action.deed, Deed::Run(run) if run.words.iter().filter_map(|word| word.literal()).any(|word| IDLE.contains(&word)));
        if actions.iter().any(idle) || run.is_misused() {
            let _ = hint(self.around, TESTS, TESTS, "it only listed or built tests, or its options were wrong");
            return;
        }
        // A failure cannot be swallowed into being one, so it counts in any form.
        let why = if run.failed() {
            None
        } else if self.succeeded() != Some(true) {
            Some("the client does not say how the tests ended".to_owned())
        } else if run.is_partial() {
            Some("only some of the tests ran, or there were no tests".to_owned())
        } else {
            let root = self.work.root.to_string_lossy();
            // The words of the run as they are in the line decide, whatever its options are.
            let run = actions.iter().find_map(|action| match &action.deed {
                Deed::Run(run) if runner.is_some_and(|runner| policy::is_run_by(runner, run)) => Some(run),
                _ => None,
            });
            let words: Option<Vec<&str>> = run.map(|run| run.words.iter().filter_map(|word| word.literal()).collect());
            let folder = self.folder(&root);
            match words.map(|words| status::of(line, &shell_words(&words), CommandPlace { folder: folder.trim_end_matches('/'), root: &root })) {
                Some(CommandStatus::Decides) => None,
                Some(CommandStatus::Swallowed(why)) => Some(format!("they ran where their status does not decide: {why}")),
                _ => Some("they ran within another command, where their status does not decide".to_owned()),
            }
        };
        let done = match (why, self.work.files()) {
            (Some(why), _) | (None, Err(why)) => hint(self.around, TESTS, TESTS, &why),
            (None, Ok(files)) => write(self.around, TESTS, TESTS, &SeenCommand { ok: !run.failed(), time: now_ms(), number: self.number, files }),
        };
        let _ = done;
    }

    /// Whether the files that a command is made of are those that the branch began with, or that a person trusts.
    fn trusted(&self, wanted: &str, opened: &[String]) -> Result<(), String> {
        let root = self.work.root.to_string_lossy().into_owned();
        let own = own_file(wanted, self.work);
        let mut paths: Vec<String> = opened.iter().filter_map(|path| path.strip_prefix(&root)?.strip_prefix('/').map(str::to_owned)).collect();
        paths.retain(|path| !path.starts_with(".git/"));
        paths.extend(own);
        paths.sort();
        paths.dedup();
        let base = self.work.base(self.begun);
        for path in paths {
            is_trusted(self.work, self.around, base, &path)?;
            let start = self.event.took.map(|took| i64::try_from(now_ms().saturating_sub(took)).unwrap_or(i64::MAX));
            if start.zip(self.work.changed_at(&path)).is_some_and(|(start, changed)| changed > start - SLACK) {
                return Err(format!("`{path}` changed while it ran, or just before"));
            }
        }
        Ok(())
    }

    /// A file that a need speaks of was written.
    fn file(&self, gate: &Gate, need: &GateNeed, change: &Change, action: &Action) {
        let Some(after) = self.work.text(need.text) else { return };
        let named = text::any_or_unasked(&need.by, &self.event.agent) == policy::verdict::Answer::Yes;
        let note = |what: &str| {
            let key = key_of(self.around, gate.name, need.text, what);
            let value = laid_down(&Writer { named, number: self.number, agent: self.event.agent.clone() });
            let _ = Store::open(&self.around.memory, EVIDENCE).and_then(|mut store| store.update(key, |_| Some(Slot { key, time: now_ms(), value })));
        };
        match need.kind {
            NeedKind::Checklist => {
                for line in ticked_by(change, &after) {
                    note(&line);
                }
            }
            // A program that makes a report is no writer by hand.
            NeedKind::Coverage if action.from.is_none() || matches!(change, Change::Whole(_) | Change::Append(_) | Change::Edits(_) | Change::Edited(_)) => {
                note(&after);
            }
            NeedKind::Verdict => {
                note(&after);
                if brings(change, need.says) {
                    note(need.says);
                }
            }
            _ => {}
        }
    }
}

/// The words as a shell reads them.
fn shell_words(words: &[&str]) -> String {
    let plain = |word: &&str| !word.is_empty() && word.chars().all(|sign| sign.is_ascii_alphanumeric() || "-_./:=@%+,".contains(sign));
    words.iter().map(|word| if plain(word) { (*word).to_owned() } else { crate::cli::terminal::shell_word(word) }).collect::<Vec<_>>().join(" ")
}

/// Programs whose first operand is the file that they run.
const INTERPRETERS: &[&str] = &[
    "bash", "sh", "zsh", "dash", "ksh", "fish", "python", "python3", "node", "deno", "bun", "tsx", "ts-node", "ruby", "perl", "php", "Rscript", "pwsh", "lua",
];

/// The file of the repository that a command starts.
#[must_use]
pub fn own_file(wanted: &str, work: &GatedTree) -> Option<String> {
    let mut words = wanted.split_whitespace().skip_while(|word| word.contains('='));
    let program = words.next()?;
    let file =
        if INTERPRETERS.contains(&program) { words.find(|word| !word.starts_with('-'))? } else { Some(program).filter(|program| program.contains('/'))? };
    let path = file.strip_prefix("./").unwrap_or(file);
    (!path.starts_with('/') && work.root.join(path).is_file()).then(|| path.to_owned())
}

/// Whether a file is as it was where the branch began, or as a person let it count.
///
/// # Errors
///
/// Why it is not.
pub fn is_trusted(work: &GatedTree, around: &Surroundings, base: Option<Oid>, path: &str) -> Result<(), String> {
    let Some(now) = work.text(path) else { return Ok(()) };
    let plain = |text: &str| text.replace("\r\n", "\n");
    let before = base.and_then(|base| work.text_at(base, path)).map(|bytes| plain(&String::from_utf8_lossy(&bytes)));
    let scripts = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok().and_then(|value| value.get("scripts").cloned());
    let is_package = path.rsplit('/').next() == Some(PACKAGE);
    let same = match &before {
        Some(before) if is_package => scripts(before).is_some() && scripts(before) == scripts(&now),
        Some(before) => *before == plain(&now),
        None => false,
    };
    let key = trusted_key(path, &now);
    if same || Store::look(&around.memory, TRUSTED).is_some_and(|store| store.get(key).is_some()) {
        return Ok(());
    }
    Err(match (base, before) {
        (_, Some(_)) => format!("`{path}` is not as it was where this branch began"),
        (Some(_), None) => format!("`{path}` is new on this branch, so nobody has looked at it"),
        (None, _) => format!("it is not known where this branch began, so `{path}` cannot be compared"),
    })
}

fn trusted_key(path: &str, text: &str) -> u64 {
    hash_all(&["trusted", path, text])
}

/// Lets a file count as it is now.
///
/// # Errors
///
/// It cannot be read, or that cannot be kept.
pub fn trust(work: &GatedTree, around: &Surroundings, path: &str) -> io::Result<()> {
    let text = work.text(path).ok_or_else(|| io::Error::other(format!("`{path}` cannot be read")))?;
    let key = trusted_key(path, &text);
    Store::open(&around.memory, TRUSTED)?.update(key, |_| Some(Slot { key, time: now_ms(), value: [0; VALUE] })).map(|_| ())
}

/// The ticked boxes of a text, each as its line without blanks around it, and how many boxes there are that are not ticked.
#[must_use]
pub fn boxes(text: &str) -> (Vec<String>, Vec<String>) {
    let (mut ticked, mut open) = (Vec::new(), Vec::new());
    let mut fence = false;
    for line in text.lines() {
        let line = line.trim();
        if line.starts_with("```") || line.starts_with("~~~") {
            fence = !fence;
            continue;
        }
        let item = line.trim_start_matches(['>', ' ']);
        let item = ["- ", "* ", "+ "].iter().find_map(|mark| item.strip_prefix(mark)).or_else(|| {
            let rest = item.trim_start_matches(|sign: char| sign.is_ascii_digit());
            (rest.len() < item.len()).then(|| rest.strip_prefix(". ").or_else(|| rest.strip_prefix(") "))).flatten()
        });
        match item.map(str::trim_start) {
            _ if fence => {}
            Some(item) if item.starts_with("[x]") || item.starts_with("[X]") => ticked.push(line.to_owned()),
            Some(item) if item.starts_with("[ ]") || item.starts_with("[]") => open.push(line.to_owned()),
            _ => {}
        }
    }
    (ticked, open)
}

/// Whether a call writes a line of a verdict, which it does not only leave as it was.
fn brings(change: &Change, says: &str) -> bool {
    let has = |text: &str| has_line(text, says);
    match change {
        Change::Whole(text) | Change::Append(text) => has(text),
        Change::Edits(edits) => edits.iter().any(|(old, new, _)| has(new) && !has(old)),
        Change::Patch { added, removed } => has(added) && !has(removed),
        _ => false,
    }
}

/// Whether a line of a text says this, whatever its marks of Markdown and its letters' case are.
#[must_use]
pub fn has_line(text: &str, says: &str) -> bool {
    let bare = |line: &str| line.trim_matches(|sign: char| sign.is_whitespace() || "*_#>`-.".contains(sign)).to_lowercase();
    let wanted = bare(says);
    text.lines().any(|line| bare(line).replace("**", "") == wanted)
}

/// The lines that a call ticked: those that its own text ticks and that were not ticked in what it replaces.
fn ticked_by(change: &Change, after: &str) -> Vec<String> {
    let (now, _) = boxes(after);
    let new: Vec<String> = match change {
        // Who writes the whole file makes each tick in it.
        Change::Whole(text) => boxes(text).0,
        Change::Edits(edits) => edits
            .iter()
            .flat_map(|(old, new, everywhere)| {
                let old = boxes(old).0;
                // A part of a line was replaced: the lines of the file that have it.
                let whole = boxes(new).0;
                let parts: Vec<String> =
                    if whole.is_empty() && new.contains("[x]") { now.iter().filter(|line| line.contains(new.trim())).cloned().collect() } else { whole };
                let one = if *everywhere { usize::MAX } else { parts.len() };
                parts.into_iter().take(one).filter(move |line| !old.contains(line)).collect::<Vec<_>>()
            })
            .collect(),
        Change::Append(text) => boxes(text).0,
        Change::Patch { added, removed } => {
            let removed = boxes(removed).0;
            boxes(added).0.into_iter().filter(|line| !removed.contains(line)).collect()
        }
        _ => Vec::new(),
    };
    new.into_iter().filter(|line| now.contains(line)).collect()
}

fn key_of(around: &Surroundings, gate: &str, file: &str, what: &str) -> u64 {
    hash_all(&["wrote", &folder_name(around.tree()), gate, file, what])
}

fn laid_down(writer: &Writer) -> [u8; VALUE] {
    let mut bytes = [0; VALUE];
    let agent = writer.agent.as_bytes();
    let parts = [u8::from(writer.named) + 1].into_iter().chain(writer.number.to_le_bytes()).chain(agent.iter().copied());
    for (to, from) in bytes.iter_mut().zip(parts) {
        *to = from;
    }
    bytes
}

/// Who wrote a text into a file that a need speaks of, or a line of it. `None`: nobody was seen to.
#[must_use]
pub fn writer(around: &Surroundings, gate: &str, file: &str, what: &str) -> Option<Writer> {
    let slot = Store::look(&around.memory, EVIDENCE)?.get(key_of(around, gate, file, what))?;
    let (first, rest) = slot.value.split_first()?;
    let (number, agent) = rest.split_at_checked(8)?;
    let number = u64::from_le_bytes(number.try_into().ok()?);
    Some(Writer { named: *first == 2, number, agent: String::from_utf8_lossy(agent).trim_end_matches('\0').to_owned() })
}

fn name(front: &str, around: &Surroundings, kind: &str, text: &str) -> String {
    format!("{front}.{}.{:016x}", folder_name(around.tree()), hash_all(&[kind, text]))
}

fn put(around: &Surroundings, name: &str, bytes: &str) -> io::Result<()> {
    in_first(&around.memory, |folder| {
        let beside = folder.join(format!(".{name}.{}", std::process::id()));
        let written = File::create(&beside).and_then(|mut file| file.write_all(bytes.as_bytes())).and_then(|()| fs::rename(&beside, folder.join(name)));
        if written.is_err() {
            let _ = fs::remove_file(&beside);
        }
        written
    })
}

fn write(around: &Surroundings, kind: &str, text: &str, seen: &SeenCommand) -> io::Result<()> {
    let SeenCommand { ok, time, number, files } = seen;
    let rest = format!("{{\"v\":1,\"ok\":{ok},\"time\":{time},\"number\":{number},\"what\":{}}}\n{}", quoted(text), tree::laid_down(files));
    put(around, &name("seen", around, kind, text), &format!("{:016x}\n{rest}", hash(rest.as_bytes())))
}

/// Keeps why a command that ran does not count, for the text of a refusal.
fn hint(around: &Surroundings, kind: &str, text: &str, why: &str) -> io::Result<()> {
    put(around, &name("uncounted", around, kind, text), &format!("{} {why}\n", now_ms()))
}

fn found(around: &Surroundings, name: &str) -> Option<String> {
    around.memory.iter().find_map(|folder| fs::read_to_string(folder.join(name)).ok())
}

/// How a command ended when it was seen last. `None`: it was not seen, or what is kept of it is damaged.
#[must_use]
pub fn command(around: &Surroundings, wanted: &str) -> Option<SeenCommand> {
    look(around, NeedKind::Command.name(), wanted)
}

/// How the tests ended when they were seen last.
#[must_use]
pub fn tests(around: &Surroundings) -> Option<SeenCommand> {
    look(around, TESTS, TESTS)
}

fn look(around: &Surroundings, kind: &str, text: &str) -> Option<SeenCommand> {
    let kept = found(around, &name("seen", around, kind, text))?;
    let (sum, rest) = kept.split_once('\n')?;
    if u64::from_str_radix(sum, 16).ok()? != hash(rest.as_bytes()) {
        return None;
    }
    let (head, files) = rest.split_once('\n')?;
    let json = Json::read(head.as_bytes()).ok()?;
    let number = |key: &str| json.get(key)?.scalar()?.parse::<u64>().ok();
    let ok = json.get("ok") == Some(&Json::Bool(true));
    Some(SeenCommand { ok, time: number("time")?, number: number("number")?, files: tree::read_back(files)? })
}

/// Why a command does not count that ran after `since` (milliseconds since 1970).
#[must_use]
pub fn uncounted(around: &Surroundings, wanted: &str, since: u64) -> Option<String> {
    uncounted_of(around, NeedKind::Command.name(), wanted, since)
}

/// As [`uncounted`], of the tests.
#[must_use]
pub fn uncounted_tests(around: &Surroundings, since: u64) -> Option<String> {
    uncounted_of(around, TESTS, TESTS, since)
}

fn uncounted_of(around: &Surroundings, kind: &str, text: &str, since: u64) -> Option<String> {
    let kept = found(around, &name("uncounted", around, kind, text))?;
    let (time, why) = kept.trim_end().split_once(' ')?;
    (time.parse::<u64>().ok()? > since).then(|| why.to_owned())
}

/// What the calls have in their texts after which gates look: a row for each, of which all words must be there.
#[must_use]
pub fn signs(policy: &Policy) -> Option<String> {
    let tiers = policy.tiers()?;
    if tiers.gates.is_empty() && tiers.pipeline.is_none() {
        return None;
    }
    let last = |path: &str| path.rsplit('/').next().unwrap_or(path).split(' ').next().unwrap_or_default().to_owned();
    let mut rows: Vec<String> = Vec::new();
    for need in tiers.gates.iter().flat_map(|gate| &gate.needs) {
        match need.kind {
            NeedKind::Command => rows.push(
                need.text
                    .split_whitespace()
                    .filter(|word| *word != "&&")
                    .map(|word| last(word).trim_matches(['"', '\'']).to_owned())
                    .collect::<Vec<_>>()
                    .join(" "),
            ),
            NeedKind::Tests => {
                let runners = Catalogue::shipped().map(|catalogue| catalogue.runners.as_slice()).unwrap_or_default();
                rows.extend(runners.iter().map(|runner| runner.split(' ').map(|word| word.trim_matches('*')).collect::<Vec<_>>().join(" ")));
            }
            NeedKind::Checklist | NeedKind::Verdict | NeedKind::Coverage => rows.push(last(need.text)),
            _ => {}
        }
    }
    rows.sort();
    rows.dedup();
    Some(rows.join("\n"))
}
