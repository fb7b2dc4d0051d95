//! An entry of the record for a decision or a signal: one line of JSON, in schema 2, which `docs/record.md` describes.
//! `world::record` writes the lines to the disk.
#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros)]

use std::borrow::Cow;
use std::fmt::Write as _;
use std::ops::Range;

use actions::Action;
use actions::ToolCall;
use actions::json::{Json, put_number, put_quoted, quoted};
use clients::{Event, Moment};
use policy::Policy;
use policy::secret::{find, redact, redact_command};
use policy::verdict::Verdict;

use crate::BUILT_IN;
use crate::chain::LINK;
use crate::digest::hexadecimal;

pub use clients::{Held, Outcome};

/// The schema of the lines that are written.
pub const SCHEMA: u64 = 2;
/// The older schema, which is still read. It has `door` for `source`, and `held` (`ask`, `deny`) for `stopped`.
const SCHEMA_1: u64 = 1;
/// The most bytes of a line, with its link and its end. A write of a page or less is never cut by a kill.
pub const MAX_LINE: usize = 1000;
/// The most bytes of what an entry itself says.
const MAX_SAID: usize = MAX_LINE - LINK;
/// The most rules that an entry names.
const MAX_RULES: usize = 3;
/// Bytes of a text that are searched for secrets. Fewer bytes are kept, so that no secret is cut in two and missed.
const MAX_READ: usize = 1024;
/// The most bytes of an event's name and of a call's id.
const MAX_EVENT: usize = 32;
const MAX_CALL: usize = 48;
/// The most bytes of a session's id.
const MAX_SESSION: usize = 64;
/// The most bytes of a client's name.
const MAX_CLIENT: usize = 24;
/// The most bytes of a text that are kept.
const MAX_TEXT: usize = 300;
/// A shorter name holds no key.
const SHORTEST_KEY: usize = 16;

/// Where an entry comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RecordSource {
    /// The hook itself.
    #[default]
    Hot,
    /// The cold binary, for the hook.
    Cold,
    /// A hook of git.
    Git,
    /// `portcullis check`.
    Check,
    /// A call that Portcullis made up to check its own answer.
    Trial,
}

const SOURCES: &[(&str, RecordSource)] =
    &[("hot", RecordSource::Hot), ("cold", RecordSource::Cold), ("git", RecordSource::Git), ("check", RecordSource::Check), ("trial", RecordSource::Trial)];
const STOPPED: &[(&str, Held)] = &[("asked", Held::Ask), ("denied", Held::Deny)];
const HELD: &[(&str, Held)] = &[("ask", Held::Ask), ("deny", Held::Deny)];
const OUTCOMES: &[(&str, Outcome)] = &[("ok", Outcome::Ok), ("failed", Outcome::Failed), ("interrupted", Outcome::Interrupted)];

/// A rule that matched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedRule {
    pub name: String,
    pub tier: u8,
    /// The rule is in shadow mode.
    pub shadow: bool,
}

/// A decision or a signal. Empty texts are not known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// Milliseconds since 1970.
    pub time: u64,
    pub source: RecordSource,
    /// The client's or git's name of the event: `PreToolUse`, `pre-push`.
    pub event: String,
    /// The client's name on the hook's command line. Empty for Claude Code, and where no client has a part in it.
    pub client: String,
    pub session: String,
    /// The agent's type.
    pub agent: String,
    /// The id of a sub-agent.
    pub agent_id: String,
    pub tool: String,
    /// `tool_use_id`, which all entries of one call share.
    pub call: String,
    /// [`hash`] of the whole input. Two calls are the same if tool and input are the same.
    pub input: Option<u64>,
    /// The kinds of the actions, as in policies: `run`, `write`.
    pub kinds: Vec<String>,
    /// The verdict, 1 to 4. `None` for signals.
    pub tier: Option<u8>,
    pub rules: Vec<RecordedRule>,
    pub held: Option<Held>,
    /// A pause allowed it.
    pub paused: bool,
    /// The code of the approval that allowed it, and who approved.
    pub approved: String,
    /// Microseconds from the start of the hook until the answer was known. `None`: it was not measured.
    pub took: Option<u64>,
    pub outcome: Option<Outcome>,
    /// The exit code, if the failure names one.
    pub exit: Option<i64>,
    /// [`hash`] of the whole error.
    pub error: Option<u64>,
    /// The first informative line of the error, or why nothing could be judged; without secrets.
    pub said: String,
    /// The file, for tools that name one.
    pub path: String,
    /// The command, the address, the question; without secrets.
    pub what: String,
}

impl Entry {
    /// An entry with the event and nothing else.
    #[must_use]
    pub fn new(event: &str, source: RecordSource, time: u64) -> Self {
        Self { time, source, event: event.to_owned(), ..Self::default() }
    }

    /// The entry of an event, with the outcome if the event has one.
    #[must_use]
    pub fn of(event: &Event, source: RecordSource, time: u64) -> Self {
        let text = |text: &Option<String>| text.as_deref().map(clean).unwrap_or_default();
        let client = Some(event.client.name()).filter(|name| *name != clients::claude_code::NAME).unwrap_or_default();
        let mut entry = Self {
            client: client.to_owned(),
            session: clean(&event.session),
            agent: clean(&event.agent),
            agent_id: text(&event.agent_id),
            call: text(&event.call),
            ..Self::new(&clean(&event.name), source, time)
        };
        if let Some(call) = &event.tool {
            entry.tool = clean(&call.name);
            entry.input = Some(hash_of(&call.input));
            (entry.path, entry.what) = shown_call(call);
        }
        if let Some(error) = &event.error {
            let mut lines = error.lines().map(uncoloured).filter(|line| line.contains(char::is_alphanumeric));
            let first = lines.next().unwrap_or_default();
            entry.exit = first.strip_prefix("Exit code ").and_then(|code| code.trim().parse().ok());
            let told = if entry.exit.is_some() { lines.next().unwrap_or(first) } else { first };
            // Python names the error in the last line.
            let told = if told.starts_with("Traceback (most recent call last)") { lines.next_back().unwrap_or(told) } else { told };
            entry.error = Some(hash(error.as_bytes()));
            entry.said = redact(beginning(&told, MAX_READ));
        }
        // The text of a prompt is not kept. If a machine wrote it, the name of the machine is kept.
        if event.moment == Moment::Prompt && !matches!(event.source.as_str(), "" | "user" | "sdk") {
            entry.said = redact(beginning(&event.source, MAX_READ));
        }
        entry.outcome = event.outcome;
        entry
    }

    /// The entry with a verdict.
    #[must_use]
    pub fn judged(mut self, actions: &[Action], verdict: &Verdict) -> Self {
        for action in actions {
            if !self.kinds.iter().any(|kind| kind == action.deed.kind()) {
                self.kinds.push(action.deed.kind().to_owned());
            }
        }
        self.tier = Some(verdict.tier as u8);
        for finding in &verdict.findings {
            if !self.rules.iter().any(|rule| rule.name == finding.rule) {
                self.rules.push(RecordedRule { name: finding.rule.clone(), tier: finding.tier as u8, shadow: finding.shadow });
            }
        }
        self
    }

    /// What each line of this call and event holds. `None`: it is of no call, or Portcullis made the call up.
    #[must_use]
    pub fn twin(&self) -> Option<[String; 4]> {
        let field = |key: &str, text: &str, most: usize| {
            let mut line = RecordLine(String::new());
            line.text(key, text, most);
            line.0
        };
        let input = || {
            let mut line = RecordLine(String::new());
            line.hash("input", self.input);
            line.0
        };
        let [event, call, session] = [("event", &self.event, MAX_EVENT), ("call", &self.call, MAX_CALL), ("session", &self.session, MAX_SESSION)]
            .map(|(key, text, most)| field(key, text, most));
        self.has_twin().then(|| [event, call, session, input()])
    }

    fn has_twin(&self) -> bool {
        !self.call.is_empty() && self.source != RecordSource::Trial
    }

    /// The line without its link, with its end. Texts are clipped so that it is never longer than [`MAX_LINE`] with both.
    #[must_use]
    pub fn line(&self) -> String {
        self.line_with_twin().line
    }

    /// As [`Entry::line`], and what its twin holds.
    #[must_use]
    pub fn line_with_twin(&self) -> WrittenEntry {
        let mut line = RecordLine(String::with_capacity(MAX_LINE));
        line.0.push_str("{\"v\":");
        put_number(SCHEMA, &mut line.0);
        line.number("time", self.time);
        line.name("source", Some(name_of(SOURCES, self.source)));
        let event = line.text("event", &self.event, MAX_EVENT);
        line.text("client", &self.client, MAX_CLIENT);
        let session = line.text("session", &self.session, MAX_SESSION);
        line.text("agent", &self.agent, 48);
        line.text("agent_id", &self.agent_id, 40);
        line.text("tool", &self.tool, 64);
        let call = line.text("call", &self.call, MAX_CALL);
        let input = line.hash("input", self.input);
        line.list("kinds", &self.kinds, |kind, out| put_quoted(kind, out));
        self.tier.into_iter().for_each(|tier| line.number("tier", tier.into()));
        line.list("rules", self.rules.get(..MAX_RULES).unwrap_or(&self.rules), RecordedRule::put);
        line.name("stopped", self.held.map(|held| name_of(STOPPED, held)));
        line.some("paused", Some("true").filter(|_| self.paused));
        line.text("approved", &self.approved, 80);
        self.took.into_iter().for_each(|took| line.number("took", took));
        line.name("outcome", self.outcome.map(|outcome| name_of(OUTCOMES, outcome)));
        line.some("exit", self.exit.map(|exit| exit.to_string()));
        line.hash("error", self.error);
        line.text("said", &self.said, 120);
        line.text("path", &self.path, MAX_TEXT);
        line.text("what", &self.what, MAX_TEXT);
        line.0.push_str("}\n");
        WrittenEntry { line: line.0, twin: self.has_twin().then_some([event, call, session, input]) }
    }

    /// Reads a line of this or of the older schema. `None` if it is neither.
    #[must_use]
    pub fn read(line: &[u8]) -> Option<Self> {
        let json = Json::read(line).ok()?;
        let number = |key: &str| json.get(key).and_then(Json::scalar).and_then(|text| text.parse::<u64>().ok());
        let text = |key: &str| json.text(key).unwrap_or_default().to_owned();
        let hash = |key: &str| json.text(key).and_then(|text| u64::from_str_radix(text, 16).ok());
        let (source, stopped, words) = match number("v")? {
            SCHEMA => ("source", "stopped", STOPPED),
            SCHEMA_1 => ("door", "held", HELD),
            _ => return None,
        };
        let list = |key: &str| match json.get(key) {
            Some(Json::List(items)) => items.clone(),
            _ => Vec::new(),
        };
        Some(Self {
            time: number("time")?,
            source: named(SOURCES, json.text(source)?)?,
            event: text("event"),
            client: text("client"),
            session: text("session"),
            agent: text("agent"),
            agent_id: text("agent_id"),
            tool: text("tool"),
            call: text("call"),
            input: hash("input"),
            kinds: list("kinds").iter().filter_map(Json::scalar).collect(),
            tier: number("tier").and_then(|tier| u8::try_from(tier).ok()),
            rules: list("rules").iter().filter_map(RecordedRule::read).collect(),
            held: json.text(stopped).and_then(|name| named(words, name)),
            paused: json.get("paused") == Some(&Json::Bool(true)),
            approved: text("approved"),
            took: number("took"),
            outcome: json.text("outcome").and_then(|name| named(OUTCOMES, name)),
            exit: json.get("exit").and_then(Json::scalar).and_then(|text| text.parse().ok()),
            error: hash("error"),
            said: text("said"),
            path: text("path"),
            what: text("what"),
        })
    }
}

impl RecordedRule {
    fn put(&self, out: &mut String) {
        out.push_str("{\"rule\":");
        put_quoted(beginning(&self.name, 64), out);
        out.push_str(",\"tier\":");
        put_number(self.tier.into(), out);
        out.push_str(if self.shadow { ",\"shadow\":true}" } else { "}" });
    }

    fn read(json: &Json) -> Option<Self> {
        let tier = json.get("tier")?.scalar()?.parse().ok()?;
        Some(Self { name: json.text("rule")?.to_owned(), tier, shadow: json.get("shadow") == Some(&Json::Bool(true)) })
    }
}

/// A line without what colours it (ECMA-48, 5.4: `ESC [`, parameters, one final byte).
fn uncoloured(line: &str) -> Cow<'_, str> {
    let mut parts = line.split("\x1b[");
    let Some(first) = parts.next().filter(|first| first.len() < line.len()) else { return line.into() };
    let rest = parts.map(|part| part.split_once(|c| ('@'..='~').contains(&c)).map_or("", |(_, rest)| rest));
    [first].into_iter().chain(rest).collect::<String>().into()
}

fn name_of<T: PartialEq>(names: &[(&'static str, T)], value: T) -> &'static str {
    names.iter().find(|(_, known)| *known == value).map_or("", |(name, _)| name)
}

fn named<T: Copy>(names: &[(&'static str, T)], name: &str) -> Option<T> {
    names.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
}

/// A line with what tells lines of the same call and event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenEntry {
    /// The line without its link, with its end.
    pub line: String,
    /// Where in it the texts of [`Entry::twin`] are.
    twin: Option<[Range<usize>; 4]>,
}

impl WrittenEntry {
    /// As [`Entry::twin`].
    #[must_use]
    pub fn twin(&self) -> Option<[&str; 4]> {
        self.twin.clone().map(|twin| twin.map(|range| self.line.get(range).unwrap_or_default()))
    }
}

/// A line being made, without the machinery of `write!`, since there is a line for each call.
struct RecordLine(String);

impl RecordLine {
    fn key(&mut self, key: &str) {
        self.0.push_str(",\"");
        self.0.push_str(key);
        self.0.push_str("\":");
    }

    /// A value as JSON, if there is one.
    fn some(&mut self, key: &str, value: Option<impl AsRef<str>>) {
        if let Some(value) = value {
            self.key(key);
            self.0.push_str(value.as_ref());
        }
    }

    fn number(&mut self, key: &str, number: u64) {
        self.key(key);
        put_number(number, &mut self.0);
    }

    /// A name of ours, if there is one.
    fn name(&mut self, key: &str, name: Option<&str>) {
        if let Some(name) = name {
            self.key(key);
            put_quoted(name, &mut self.0);
        }
    }

    /// A hash in 16 hexadecimal digits, if there is one. Returns where it is, with its key.
    fn hash(&mut self, key: &str, hash: Option<u64>) -> Range<usize> {
        let start = self.0.len();
        if let Some(hash) = hash {
            self.key(key);
            self.0.push('"');
            self.0.push_str(str::from_utf8(hexadecimal(hash.to_be_bytes()).as_flattened()).unwrap_or_default());
            self.0.push('"');
        }
        start..self.0.len()
    }

    /// A list as JSON, unless it is empty.
    fn list<T>(&mut self, key: &str, items: &[T], put: impl Fn(&T, &mut String)) {
        for (at, item) in items.iter().enumerate() {
            if at == 0 {
                self.key(key);
            }
            self.0.push(if at == 0 { '[' } else { ',' });
            put(item, &mut self.0);
        }
        if !items.is_empty() {
            self.0.push(']');
        }
    }

    /// A text in at most `most` bytes, and in what is left of the line. Returns where it is, with its key.
    fn text(&mut self, key: &str, text: &str, most: usize) -> Range<usize> {
        let start = self.0.len();
        // Quotes, a key, the sign of what was left out, the end.
        let around = key.len() + 12;
        let room = MAX_SAID.saturating_sub(start + around).min(most);
        if text.is_empty() || room == 0 {
            return start..start;
        }
        self.key(key);
        let front = self.0.len();
        if text.len() <= room {
            put_quoted(text, &mut self.0);
            if self.0.len() <= front + room + 2 {
                return start..self.0.len();
            }
            self.0.truncate(front);
        }
        let mut end = 0;
        let mut length = 0;
        for (at, c) in text.char_indices() {
            let size = quoted(c.encode_utf8(&mut [0; 4])).len() - 2;
            if length + size > room {
                break;
            }
            length += size;
            end = at + c.len_utf8();
        }
        put_quoted(text.get(..end).unwrap_or(""), &mut self.0);
        if end < text.len() {
            self.0.insert(self.0.len() - 1, '…');
        }
        start..self.0.len()
    }
}

/// A name or an id without keys. Ids look like chance, so only what has the form of a provider's key goes.
fn clean(name: &str) -> String {
    let harmless = name.len() < SHORTEST_KEY || is_uuid(name) || find(name).is_empty();
    if harmless { name.to_owned() } else { redact(beginning(name, MAX_READ)) }
}

/// True for the form of most clients' session ids, which is no provider's key.
fn is_uuid(text: &str) -> bool {
    text.len() == 36 && text.bytes().enumerate().all(|(at, byte)| if matches!(at, 8 | 13 | 18 | 23) { byte == b'-' } else { byte.is_ascii_hexdigit() })
}

/// The first bytes of a text, as far as they are whole characters.
fn beginning(text: &str, most: usize) -> &str {
    if text.len() <= most {
        return text;
    }
    let end = (0..=most).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    text.get(..end).unwrap_or("")
}

/// The file that a call names, otherwise the command, address or question.
#[must_use]
pub fn shown_call(call: &ToolCall) -> (String, String) {
    let text = |keys: &[&str]| keys.iter().find_map(|key| call.input.text(key));
    if let Some(path) = text(&["file_path", "notebook_path", "absolute_path", "path"]) {
        return (redact(beginning(path, MAX_READ)), String::new());
    }
    let what = match text(&["command", "cmd", "url", "query", "pattern", "description", "subagent_type"]) {
        Some(text) => return (String::new(), redact_line(beginning(text, MAX_READ))),
        None => {
            let mut words = String::new();
            scalars(&call.input, "", &mut words);
            words
        }
    };
    (String::new(), redact(&what))
}

/// A command line without its secrets.
#[must_use]
pub fn redact_line(line: &str) -> String {
    match Policy::programs_of(BUILT_IN) {
        Some(programs) => redact_command(line, &programs),
        None => redact(line),
    }
}

/// `key=value` of the scalars, up to the limit.
fn scalars(json: &Json, key: &str, out: &mut String) {
    match json {
        _ if out.len() > MAX_READ => {}
        Json::List(items) => items.iter().for_each(|item| scalars(item, key, out)),
        Json::Object(entries) => entries.iter().for_each(|(key, value)| scalars(value, key, out)),
        other => {
            let value = other.scalar().unwrap_or_default();
            let space = if out.is_empty() { "" } else { " " };
            let equals = if key.is_empty() { "" } else { "=" };
            let _ = write!(out, "{space}{key}{equals}{}", beginning(&value, MAX_READ));
        }
    }
}

/// A hash that is the same on every machine and in every build of this schema: eight bytes at a time, for long inputs.
/// It tells equal from different; it keeps nobody from making two texts with one hash.
#[must_use]
pub fn hash(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let mut state = mix(bytes.len() as u64, 0x243f_6a88_85a3_08d3);
    for word in words {
        state = mix(state, u64::from_le_bytes(*word));
    }
    let mut last = [0; 8];
    for (to, from) in last.iter_mut().zip(rest) {
        *to = *from;
    }
    let state = mix(state, u64::from_le_bytes(last));
    let state = (state ^ (state >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    state ^ (state >> 32)
}

/// [`hash`] over several texts, none of which can be mistaken for a part of another.
#[must_use]
pub fn hash_all(parts: &[&str]) -> u64 {
    parts.iter().fold(0, |state, part| mix(state, hash(part.as_bytes())))
}

const fn mix(state: u64, word: u64) -> u64 {
    (state.rotate_left(23) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// [`hash`] over an input; the order of keys does not count.
#[must_use]
pub fn hash_of(json: &Json) -> u64 {
    match json {
        Json::Null => 1,
        Json::Bool(value) => 2 + u64::from(*value),
        Json::Number(text) => mix(4, hash(text.as_bytes())),
        Json::Text(text) => mix(5, hash(text.as_bytes())),
        Json::List(items) => items.iter().fold(6, |state, item| mix(state, hash_of(item))),
        Json::Object(entries) => entries.iter().fold(7, |sum, (key, value)| sum.wrapping_add(mix(hash(key.as_bytes()), hash_of(value)))),
    }
}

#[cfg(test)]
#[path = "record_tests.rs"]
mod tests;
