//! Where calls of the past are: transcripts, records, and files of events. Each line says by itself what it is.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use actions::json::Json;
use actions::{ToolCall, tools};
use clients::transcript::calls::{TranscriptItem, TranscriptState, is_event, items, may_speak};
use clients::{Invocation, MomentKind};
use gate::record::{Entry, hash_all, hash_of};

/// Calls that wait for their end at the same time; after that they are judged without it.
const WAITING: usize = 256;
/// Texts of files that a transcript has, and the bytes of one.
const MAX_TEXTS: usize = 400;
const MAX_TEXT: usize = 64 << 10;
/// Levels of folders that are looked through for files.
const MAX_LEVELS: usize = 8;
/// The longest line that is read.
const MAX_LINE: usize = 64 << 20;

/// Texts of files as a session left them, by their full paths.
pub type KnownTexts = BTreeMap<String, Arc<str>>;

/// A call of the past.
#[derive(Clone, Debug)]
pub struct PastCall {
    /// `FILE:LINE`
    pub place: Arc<str>,
    pub line: usize,
    pub session: String,
    pub id: String,
    pub call: ToolCall,
    /// Empty where it is not said.
    pub cwd: String,
    pub branch: String,
    pub mode: String,
    pub agent: String,
    /// How it ended. `None`: not said.
    pub succeeded: Option<bool>,
    /// What the session had written before it.
    pub texts: Arc<KnownTexts>,
    /// A part of its input is not known: the record shortens it and leaves out what files get.
    pub partial: bool,
}

/// The calls that were seen in other files too, because a session was resumed or copied.
#[derive(Debug, Default)]
pub struct SeenCalls(HashSet<u64>);

impl SeenCalls {
    /// True for the first call with this id, time and input.
    pub fn is_new(&mut self, id: &str, time: &str, call: &ToolCall) -> bool {
        self.0.insert(hash_all(&[id, time, &call.name, &format!("{:x}", hash_of(&call.input))]))
    }
}

/// The files below these paths that may have calls, the largest first, and how many bytes they have.
#[must_use]
pub fn files(paths: &[PathBuf]) -> (Vec<PathBuf>, u64) {
    let mut found: Vec<(u64, PathBuf)> = Vec::new();
    let mut folders: Vec<(PathBuf, usize)> = paths.iter().map(|path| (path.clone(), 0)).collect();
    while let Some((path, level)) = folders.pop() {
        let Ok(about) = fs::metadata(&path) else { continue };
        if about.is_dir() && level < MAX_LEVELS {
            let mut below: Vec<PathBuf> =
                fs::read_dir(&path).into_iter().flatten().flatten().filter(|entry| !entry.path().is_symlink()).map(|entry| entry.path()).collect();
            below.sort();
            folders.extend(below.into_iter().map(|path| (path, level + 1)));
        } else if about.is_file() && (level == 0 || path.extension().is_some_and(|end| end == "jsonl" || end == "json")) {
            found.push((about.len(), path));
        }
    }
    found.sort_by(|one, other| other.0.cmp(&one.0).then_with(|| one.1.cmp(&other.1)));
    let bytes = found.iter().map(|(bytes, _)| bytes).sum();
    (found.into_iter().map(|(_, path)| path).collect(), bytes)
}

/// What reading a file gave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadFigures {
    pub lines: usize,
    /// Calls that other files had too.
    pub repeated: usize,
    /// Lines that are nothing that is known here.
    pub unknown: usize,
}

/// Reads a file line by line. `found` takes each call, in the order in which they ended; `seen` tells those of other files.
///
/// # Errors
///
/// The file cannot be read.
pub fn read(
    path: &Path,
    seen: &mut dyn FnMut(&str, &str, &ToolCall) -> bool,
    found: &mut dyn FnMut(PastCall),
    progress: &mut dyn FnMut(usize),
) -> io::Result<ReadFigures> {
    let mut reader = BufReader::with_capacity(1 << 20, File::open(path)?);
    let mut reading = SourceReading { place: path.display().to_string().into(), ..SourceReading::default() };
    let mut line = Vec::new();
    let mut whole = Vec::new();
    loop {
        line.clear();
        let length = reader.read_until(b'\n', &mut line)?;
        if length == 0 {
            break;
        }
        progress(length);
        reading.figures.lines += 1;
        if line.len() > MAX_LINE {
            reading.figures.unknown += 1;
            continue;
        }
        let text = line.trim_ascii();
        if text.is_empty() {
            continue;
        }
        // An event that is written over several lines.
        if !whole.is_empty() || (reading.figures.lines == 1 && Json::read(text).is_err()) {
            whole.extend_from_slice(&line);
            continue;
        }
        reading.line(text, seen, found);
    }
    if !whole.is_empty() {
        reading.figures.lines = 1;
        reading.line(&whole, seen, found);
    }
    reading.waiting.drain(..).for_each(found);
    Ok(reading.figures)
}

#[derive(Default)]
struct SourceReading {
    place: Arc<str>,
    state: TranscriptState,
    texts: Arc<KnownTexts>,
    waiting: VecDeque<PastCall>,
    figures: ReadFigures,
}

impl SourceReading {
    fn line(&mut self, text: &[u8], seen: &mut dyn FnMut(&str, &str, &ToolCall) -> bool, found: &mut dyn FnMut(PastCall)) {
        if let Some(entry) = Entry::read(text) {
            return self.of_record(entry, found);
        }
        let event = is_event(text);
        if !event && !may_speak(text) {
            return;
        }
        if let Ok(mut json) = Json::read(text)
            && !event
            && let Some(items) = items(&mut json, &mut self.state)
        {
            for item in items {
                self.item(item, seen, found);
            }
            return;
        }
        match Invocation::new(None, None).read(text) {
            Ok(event) if event.moment.kind() == MomentKind::Guarding => {
                let Some(call) = event.tool else { return };
                if !seen(event.call.as_deref().unwrap_or_default(), "", &call) {
                    self.figures.repeated += 1;
                    return;
                }
                let call = PastCall {
                    session: event.session,
                    id: event.call.unwrap_or_default(),
                    cwd: event.cwd.unwrap_or_default(),
                    mode: event.mode,
                    agent: event.agent,
                    ..self.call(call)
                };
                found(call);
            }
            Ok(_) => {}
            Err(_) => self.figures.unknown += 1,
        }
    }

    /// A call with what is known of every one.
    fn call(&self, call: ToolCall) -> PastCall {
        PastCall {
            place: self.place.clone(),
            line: self.figures.lines,
            session: self.state.session.clone(),
            id: String::new(),
            call,
            cwd: self.state.cwd.clone(),
            branch: self.state.branch.clone(),
            mode: self.state.mode.clone(),
            agent: "main".to_owned(),
            succeeded: None,
            texts: self.texts.clone(),
            partial: false,
        }
    }

    fn item(&mut self, item: TranscriptItem, seen: &mut dyn FnMut(&str, &str, &ToolCall) -> bool, found: &mut dyn FnMut(PastCall)) {
        match item {
            TranscriptItem::Call(item) => {
                if !seen(&item.id, &item.time, &item.call) {
                    self.figures.repeated += 1;
                    return;
                }
                let written = tools::whole_write(&item.call).map(|(path, text)| (full(path, &self.state.cwd), text.to_owned()));
                let agent = if item.by_subagent { "subagent" } else { "main" };
                let call = PastCall { id: item.id, succeeded: item.succeeded, agent: agent.to_owned(), ..self.call(item.call) };
                if call.succeeded.is_some() {
                    found(call);
                } else {
                    self.waiting.push_back(call);
                    if self.waiting.len() > WAITING {
                        self.waiting.pop_front().into_iter().for_each(found);
                    }
                }
                if let Some((path, text)) = written.filter(|(_, text)| text.len() <= MAX_TEXT)
                    && (self.texts.len() < MAX_TEXTS || self.texts.contains_key(&path))
                {
                    Arc::make_mut(&mut self.texts).insert(path, text.into());
                }
            }
            TranscriptItem::Ended { id, succeeded } => {
                if let Some(at) = self.waiting.iter().rposition(|call| call.id == id)
                    && let Some(call) = self.waiting.remove(at)
                {
                    found(PastCall { succeeded: Some(succeeded), ..call });
                }
            }
        }
    }

    /// A line of the record: the command is there if it was short, the path always, and never what a file got.
    fn of_record(&mut self, entry: Entry, found: &mut dyn FnMut(PastCall)) {
        if entry.tool.is_empty() || !crate::record::export::is_decision(&entry) || crate::record::export::is_trial(&entry) {
            return;
        }
        let (key, text) = if entry.path.is_empty() { ("command", entry.what) } else { ("file_path", entry.path) };
        let call = ToolCall { name: entry.tool, input: Json::Object(vec![(key.to_owned(), Json::Text(text.clone()))]) };
        let is_whole = !text.is_empty() && !text.ends_with('…') && !text.contains("[secret]");
        let partial = !(is_whole && (tools::command_line(&call).is_some() || entry.kinds.iter().all(|kind| kind == "read")));
        found(PastCall { session: entry.session, id: entry.call, agent: entry.agent, partial, ..self.call(call) });
    }
}

/// A path as a full one.
fn full(path: &str, cwd: &str) -> String {
    if path.starts_with('/') { path.to_owned() } else { format!("{}/{path}", cwd.trim_end_matches('/')) }
}
