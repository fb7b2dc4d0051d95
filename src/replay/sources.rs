//! Where calls of the past are: transcripts, records, and files of events. Each line says by itself what it is.

use std::collections::{HashSet, VecDeque};
use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::texts::{ChangedTexts, FollowedTexts, KnownTexts};
use actions::json::Json;
use actions::program::Programs;
use actions::{ToolCall, tools};
use clients::transcript::calls::{TranscriptItem, TranscriptState, is_event, items, may_speak};
use clients::{Invocation, MomentKind};
use gate::BUILT_IN;
use gate::record::{Entry, hash_all, hash_of};
use policy::Policy;

/// Calls that wait for their end at the same time; after that they are judged without it.
const WAITING: usize = 256;
/// Levels of folders that are looked through for files.
const MAX_LEVELS: usize = 8;
/// The longest line that is read.
const MAX_LINE: usize = 64 << 20;

/// A call of the past.
#[derive(Clone, Debug)]
pub struct PastCall {
    /// `FILE:LINE`
    pub place: Arc<str>,
    pub line: usize,
    /// Among the calls of this file.
    pub number: usize,
    pub session: String,
    pub id: String,
    pub call: ToolCall,
    /// Empty where it is not said.
    pub cwd: String,
    pub branch: String,
    pub mode: String,
    pub agent: String,
    /// Milliseconds since 1970. `None`: it is not said, and nothing before it in the file says a time.
    pub time: Option<u64>,
    /// The folder in which the session began. Empty where it is not said.
    pub begun: Arc<str>,
    /// How many prompts of a person were before it. `None`: prompts cannot be seen in this file.
    pub run: Option<usize>,
    /// A person refused it at the client's question.
    pub refused: bool,
    /// How it ended. `None`: not said.
    pub succeeded: Option<bool>,
    /// What the session had written before it.
    pub texts: Arc<KnownTexts>,
    /// A part of its input is not known: the record shortens it and leaves out what files get.
    pub partial: bool,
}

impl PastCall {
    /// A call of which nothing else is known.
    #[must_use]
    pub fn of(call: ToolCall) -> Self {
        Self {
            place: "".into(),
            line: 0,
            number: 0,
            session: String::new(),
            id: String::new(),
            call,
            cwd: String::new(),
            branch: String::new(),
            mode: String::new(),
            agent: "main".to_owned(),
            time: None,
            begun: "".into(),
            run: None,
            refused: false,
            succeeded: None,
            texts: Arc::default(),
            partial: false,
        }
    }
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
    let mut reading = SourceReading::of(path);
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
    reading.waiting.drain(..).map(|(call, _)| call).for_each(found);
    Ok(reading.figures)
}

struct SourceReading {
    place: Arc<str>,
    state: TranscriptState,
    /// What is known of programs; `None` if this binary is damaged.
    programs: Option<Programs<'static>>,
    texts: FollowedTexts,
    /// Calls whose end has not come yet, with what they change.
    waiting: VecDeque<(PastCall, ChangedTexts)>,
    /// The newest time so far.
    time: Option<u64>,
    begun: Arc<str>,
    prompts: Option<usize>,
    calls: usize,
    figures: ReadFigures,
}

impl SourceReading {
    fn of(path: &Path) -> Self {
        Self {
            place: path.display().to_string().into(),
            state: TranscriptState::default(),
            programs: Policy::programs_of(BUILT_IN),
            texts: FollowedTexts::default(),
            waiting: VecDeque::new(),
            time: None,
            begun: "".into(),
            prompts: None,
            calls: 0,
            figures: ReadFigures::default(),
        }
    }

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
            number: self.calls,
            session: self.state.session.clone(),
            cwd: self.state.cwd.clone(),
            branch: self.state.branch.clone(),
            mode: self.state.mode.clone(),
            time: self.time,
            begun: self.begun.clone(),
            run: self.prompts,
            texts: self.texts.now(),
            ..PastCall::of(call)
        }
    }

    fn item(&mut self, item: TranscriptItem, seen: &mut dyn FnMut(&str, &str, &ToolCall) -> bool, found: &mut dyn FnMut(PastCall)) {
        match item {
            TranscriptItem::Call(item) => {
                if !seen(&item.id, &item.time, &item.call) {
                    self.figures.repeated += 1;
                    return;
                }
                self.calls += 1;
                // A clock that steps back opens no window.
                self.time = milliseconds(&item.time).max(self.time);
                if self.begun.is_empty() {
                    self.begun = self.state.cwd.as_str().into();
                }
                let agent = if item.by_subagent { "subagent" } else { "main" };
                let call = PastCall { id: item.id, succeeded: item.succeeded, refused: item.refused, agent: agent.to_owned(), ..self.call(item.call) };
                let mut changed = || self.programs.as_ref().map(|programs| self.texts.call(&call.call, &self.state.cwd, programs)).unwrap_or_default();
                match call.succeeded {
                    Some(succeeded) => {
                        if succeeded {
                            changed();
                        }
                        found(call);
                    }
                    None => {
                        let changed = changed();
                        self.waiting.push_back((call, changed));
                        if self.waiting.len() > WAITING {
                            self.waiting.pop_front().map(|(call, _)| call).into_iter().for_each(found);
                        }
                    }
                }
            }
            TranscriptItem::Prompt => self.prompts = Some(self.prompts.map_or(1, |prompts| prompts + 1)),
            TranscriptItem::Ended { id, succeeded, refused } => {
                if let Some(at) = self.waiting.iter().rposition(|(call, _)| call.id == id)
                    && let Some((call, changed)) = self.waiting.remove(at)
                {
                    if !succeeded {
                        self.texts.undo(changed);
                    }
                    found(PastCall { succeeded: Some(succeeded), refused, ..call });
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
        let time = Some(entry.time);
        found(PastCall { session: entry.session, id: entry.call, agent: entry.agent, partial, time, ..self.call(call) });
    }
}

/// Milliseconds since 1970 of a time as transcripts write it: `2026-11-29T21:42:19.465Z` (RFC 3339, in UTC).
fn milliseconds(text: &str) -> Option<u64> {
    let (date, clock) = text.strip_suffix('Z')?.split_once('T')?;
    let numbers = |text: &str, sign: char| -> Option<[i64; 3]> {
        let parts = text.splitn(3, sign).map(|part| part.parse::<i64>().ok().filter(|number| *number >= 0));
        parts.collect::<Option<Vec<i64>>>()?.try_into().ok()
    };
    let (clock, part) = clock.split_once('.').unwrap_or((clock, ""));
    let ([year, month, day], [hour, minute, second]) = (numbers(date, '-')?, numbers(clock, ':')?);
    let plausible = (1970..=9999).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second <= 60;
    let seconds = policy::facts::days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
    let thousandths = format!("{part:0<3}").get(..3)?.parse::<u64>().ok()?;
    u64::try_from(seconds).ok().filter(|_| plausible).map(|seconds| seconds * 1000 + thousandths)
}

#[cfg(test)]
mod tests {
    use super::milliseconds;

    #[test]
    fn times_of_transcripts_are_read() {
        for (text, time) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2026-11-29T21:42:19.465Z", Some(1_795_988_539_465)),
            ("2026-11-29T21:42:19.4Z", Some(1_795_988_539_400)),
            ("2026-11-29T21:42:19.465123Z", Some(1_795_988_539_465)),
            ("2026-11-29T21:42:19", None),
            ("2026-11-29", None),
            ("t", None),
            ("2026-13-29T21:42:19Z", None),
            ("-1-01-01T00:00:00Z", None),
            ("2026-11-29T21:42:19.é5Z", None),
            ("", None),
        ] {
            assert_eq!(milliseconds(text), time, "{text}");
        }
    }
}
