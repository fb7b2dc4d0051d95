//! The gate's own entries in a settings text: which handlers start it, and in what way each of them is weak.
//!
//! What the client demands of handlers in general is in `shape`.

use serde_json::{Map, Value};

use super::{PROGRAM, guarding};
use crate::claude_code::NAME;

/// With a shorter timeout the client can end Portcullis before its own deadline, and then allows the call.
const MIN_TIMEOUT_SECONDS: f64 = 2.0;
/// The client's own default. With a longer one, a hook that hangs is ended after more than ten minutes.
const MAX_TIMEOUT_SECONDS: f64 = 600.0;

/// What a full path may begin with: placeholders that the client replaces, and the root.
const ANCHORS: [&str; 3] = ["/", "${CLAUDE_PROJECT_DIR}/", "${CLAUDE_PLUGIN_ROOT}/"];

/// One handler that starts the gate, or names it.
pub(super) struct GateEntry {
    pub event: String,
    pub command: String,
    /// The program, where the client starts the gate by it in a way that is understood.
    program: Option<String>,
    /// Whether the client starts the gate by it and waits for the answer.
    pub runs: bool,
    /// Whether it does so for every call.
    sees_all: bool,
    /// What weakens it, each as a clause.
    pub faults: Vec<String>,
}

impl GateEntry {
    /// True if it starts Portcullis for every call.
    pub(super) fn is_gate(&self) -> bool {
        self.runs && self.sees_all
    }

    /// Whether this entry does what `old` did: it starts the same program on the same event for as many calls.
    pub(super) fn replaces(&self, old: &Self) -> bool {
        self.runs && self.event == old.event && self.program == old.program && (self.sees_all || !old.sees_all)
    }
}

/// Whether the command of a handler (with or without arguments in it) starts the gate.
pub fn starts_gate(command: &str) -> bool {
    let is_program = |path: &str| path.rsplit('/').next() == Some(PROGRAM);
    // A path may hold blanks. A word before the path makes it a line for a shell.
    let is_path = !command.contains(" /") && (!command.contains(' ') || ANCHORS.iter().any(|anchor| command.starts_with(anchor)));
    is_path && is_program(command) || shell_words(command).is_some_and(|words| words.first().is_some_and(|first| is_program(first)))
}

/// Whether a matcher lets every tool through; a group without one does too.
pub fn covers_all(matcher: Option<&Value>) -> bool {
    matcher.is_none_or(|matcher| matches!(matcher.as_str(), Some("" | "*")))
}

/// Every entry of the gate below the key `hooks`. What has not the form of an entry is passed over: `shape` names it.
pub(super) fn all(root: &Map<String, Value>) -> Vec<GateEntry> {
    handlers(root).filter_map(|(event, matcher, handler)| read(event, matcher, handler)).collect()
}

/// Every handler below the key `hooks`, with its event and the matcher of its group. What has not the form of a handler is
/// left out.
pub fn handlers(root: &Map<String, Value>) -> impl Iterator<Item = (&str, Option<&Value>, &Map<String, Value>)> {
    fn list(value: Option<&Value>) -> impl Iterator<Item = &Value> {
        value.and_then(Value::as_array).into_iter().flatten()
    }
    root.get("hooks").and_then(Value::as_object).into_iter().flatten().flat_map(move |(event, groups)| {
        list(Some(groups))
            .flat_map(move |group| list(group.get("hooks")).filter_map(|handler| Some((event.as_str(), group.get("matcher"), handler.as_object()?))))
    })
}

fn read(event: &str, matcher: Option<&Value>, handler: &Map<String, Value>) -> Option<GateEntry> {
    let command = handler.get("command")?.as_str()?;
    let arguments = handler.get("args");
    let mut faults = Vec::new();
    if !starts_gate(command) {
        // Its name within another command: a wrapper (`sh -c`, `env`, `|| true`) whose answer may be another one.
        let named = command.contains(PROGRAM) || arguments.is_some_and(|arguments| arguments.to_string().contains(PROGRAM));
        if !(named && guarding().any(|guarding| guarding == event)) {
            return None;
        }
        faults.push(format!("an entry for `{event}` starts Portcullis through another command, which can change its answer"));
    }
    let wrapped = !faults.is_empty();
    let set = |key: &str| handler.get(key).is_some_and(|value| *value != Value::Bool(false));
    let mut stops = Vec::new();
    let program = if wrapped { None } else { start(event, command, handler).map_err(|why| stops.push(why)).ok() };
    stops.extend((handler.get("type").and_then(Value::as_str) != Some("command")).then(|| "is not of the type `command`".to_owned()));
    for key in ["async", "asyncRewake"].into_iter().filter(|key| set(key)) {
        stops.push(format!("runs in the background (`{key}`), where its answer is ignored"));
    }
    stops.extend(set("once").then(|| "runs only once (`once`)".to_owned()));
    let runs = !wrapped && stops.is_empty();

    let condition = handler.get("if");
    let mut weak: Vec<String> = condition.map(|condition| format!("has a condition (`if`: {condition}), so it does not see every call")).into_iter().collect();
    if !covers_all(matcher) {
        weak.push(format!("sees only calls that the matcher {} selects", matcher.unwrap_or(&Value::Null)));
    }
    if let Some(seconds) = handler.get("timeout").and_then(Value::as_f64)
        && !(MIN_TIMEOUT_SECONDS..=MAX_TIMEOUT_SECONDS).contains(&seconds)
    {
        weak.push(format!("has a `timeout` of {seconds} seconds; it must be from {MIN_TIMEOUT_SECONDS} to {MAX_TIMEOUT_SECONDS}"));
    }
    if guarding().any(|guarding| guarding == event) && handler.get("onFailure").and_then(Value::as_str) != Some("block") {
        weak.push("has no `\"onFailure\": \"block\"`, so calls are allowed if Portcullis cannot start".to_owned());
    }
    faults.extend(stops.iter().chain(&weak).map(|text| format!("the entry of Portcullis for `{event}` {text}")));
    Some(GateEntry { event: event.to_owned(), command: command.to_owned(), program, runs, sees_all: condition.is_none() && covers_all(matcher), faults })
}

/// The program, if the command starts the gate by a full path and tells it the event and no other client.
fn start(event: &str, command: &str, handler: &Map<String, Value>) -> Result<String, String> {
    let (program, first, second, third) = match handler.get("args") {
        None if handler.get("shell").is_some_and(|shell| shell.as_str() != Some("bash")) => {
            return Err("goes through another shell (`shell`)".to_owned());
        }
        Some(arguments) => {
            let argument = |at: usize| arguments.get(at).and_then(Value::as_str).map(str::to_owned);
            (command.to_owned(), argument(0), argument(1), argument(2))
        }
        None => match shell_words(command).as_deref() {
            Some([program, rest @ ..]) if rest.len() <= 3 => (program.clone(), rest.first().cloned(), rest.get(1).cloned(), rest.get(2).cloned()),
            _ => return Err("goes through a shell line that can change its answer".to_owned()),
        },
    };
    if !ANCHORS.iter().any(|anchor| program.starts_with(anchor)) {
        return Err("is not started by its full path".to_owned());
    }
    if first.as_deref() != Some(event) {
        return Err(format!("does not pass its event (the first of `args` must be `{event}`)"));
    }
    // Entries without a client are those of older versions.
    if second.is_some_and(|client| client != NAME) {
        return Err(format!("is for another client (the second of `args` must be `{NAME}`)"));
    }
    // Older entries have no time of their own.
    let waits = handler.get("timeout").and_then(Value::as_f64).unwrap_or(MAX_TIMEOUT_SECONDS);
    match third.map(|seconds| seconds.parse::<u32>()) {
        Some(Ok(seconds)) if f64::from(seconds) >= waits => {
            Err(format!("may take {seconds} seconds (the third of `args`), and the client waits for {waits} (`timeout`)"))
        }
        Some(Err(_)) => Err("has a third of `args` that is not a number of seconds".to_owned()),
        _ => Ok(program),
    }
}

/// The words of a shell line that is a plain command: words, quotes and the client's placeholders, nothing else.
/// `None` where a shell would do more with it.
fn shell_words(line: &str) -> Option<Vec<String>> {
    let line = line.replace("$CLAUDE_PROJECT_DIR/", "${CLAUDE_PROJECT_DIR}/").replace("$CLAUDE_PROJECT_DIR\"", "${CLAUDE_PROJECT_DIR}\"");
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut rest = line.as_str();
    while let Some(character) = rest.chars().next() {
        let mut taken = character.len_utf8();
        match (quote, character) {
            (Some(open), _) if character == open => quote = None,
            (None, '\'' | '"') => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            (None, ' ' | '\t') => words.extend(word.take()),
            (None, ';' | '|' | '&' | '<' | '>' | '(' | ')' | '\n' | '\r' | '#' | '~' | '*' | '?' | '[' | '{' | '}' | '!') => return None,
            (None | Some('"'), '\\' | '`') => return None,
            (None | Some('"'), '$') => {
                let placeholder = ANCHORS.iter().filter_map(|anchor| anchor.strip_suffix('/')).find(|name| !name.is_empty() && rest.starts_with(name))?;
                word.get_or_insert_default().push_str(placeholder);
                taken = placeholder.len();
            }
            _ => word.get_or_insert_default().push(character),
        }
        rest = rest.get(taken..)?;
    }
    words.extend(word);
    // `NAME=value program` sets a variable for it.
    (quote.is_none() && !words.first()?.contains('=')).then_some(words)
}
