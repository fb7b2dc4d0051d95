//! The tool calls in a line of a transcript, for those who judge them again. Opens no file. The forms are those that Claude
//! Code 2.1.197 and 2.1.332, Codex 0.171.0 and Gemini CLI 0.61.0 were seen to write. A line in another form has none.

use actions::ToolCall;
use actions::json::Json;

/// What earlier lines of a transcript say of the later ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TranscriptState {
    pub session: String,
    /// The folder in which calls start. Empty: not said.
    pub cwd: String,
    /// The branch that is checked out. Empty: not said.
    pub branch: String,
    /// The permission mode. Empty: not said.
    pub mode: String,
}

/// A call in a transcript.
#[derive(Clone, Debug, PartialEq)]
pub struct TranscriptCall {
    /// The client's id of it.
    pub id: String,
    /// `2026-11-29T21:42:19.465Z`
    pub time: String,
    /// A sub-agent made it.
    pub by_subagent: bool,
    pub call: ToolCall,
    /// Whether it succeeded, where the same line says so.
    pub succeeded: Option<bool>,
    /// A person refused it at the client's question.
    pub refused: bool,
}

/// What a line says of calls.
#[derive(Clone, Debug, PartialEq)]
pub enum TranscriptItem {
    Call(Box<TranscriptCall>),
    /// A person wrote something to the agent.
    Prompt,
    /// The call with this id ended.
    Ended {
        id: String,
        succeeded: bool,
        /// A person refused it at the client's question.
        refused: bool,
    },
}

/// How Claude Code tells the model that a person refused a call (2.1.332).
const REFUSED: &str = "The user doesn't want to proceed with this tool use";

/// Texts one of which every line has that says something of calls, or of what surrounds them.
const SIGNS: [&[u8]; 7] = [b"tool_use", b"tool_result", b"_call", b"toolCalls", b"session_meta", b"turn_context", b"\"sessionId\""];

/// Bytes at the beginning and at the end of a line in which what it says of itself is.
const MAX_HEAD: usize = 4096;

/// True if a line may say something of calls. Most long lines do not, and need not be read as JSON.
#[must_use]
pub fn may_speak(line: &[u8]) -> bool {
    // What surrounds a call is at the beginning or the end of a line.
    let (head, tail) = (line.get(..MAX_HEAD).unwrap_or(line), line.get(line.len().saturating_sub(MAX_HEAD)..).unwrap_or(line));
    let has = |text: &[u8], sign: &[u8]| text.windows(sign.len()).any(|window| window == sign);
    SIGNS.iter().any(|sign| has(head, sign) || (line.len() > MAX_HEAD && has(tail, sign)))
}

/// True if a text is an event as a client sends it to its hooks, and no line of a transcript.
#[must_use]
pub fn is_event(text: &[u8]) -> bool {
    let name = b"\"hook_event_name\"";
    text.windows(name.len()).take(MAX_HEAD).any(|window| window == name)
}

/// Reads a line. `None`: it is not in the form of a transcript that is known here.
#[must_use]
pub fn items(line: &mut Json, state: &mut TranscriptState) -> Option<Vec<TranscriptItem>> {
    let kind = line.text("type").unwrap_or_default().to_owned();
    match kind.as_str() {
        "assistant" | "user" if line.get("message").is_some() => Some(of_messages(line, &kind, state)),
        "response_item" | "session_meta" | "turn_context" | "event_msg" if line.get("payload").is_some() => Some(of_rollout(line, &kind, state)),
        _ if line.get("toolCalls").is_some() => Some(of_chat(line)),
        // The first line of a chat.
        _ if line.text("projectHash").is_some() => {
            set(&mut state.session, line.text("sessionId"));
            Some(Vec::new())
        }
        // Other lines of the three.
        _ if line.text("sessionId").is_some() || line.get("$set").is_some() => Some(Vec::new()),
        _ => None,
    }
}

fn set(field: &mut String, text: Option<&str>) {
    if let Some(text) = text {
        text.clone_into(field);
    }
}

/// Claude Code: blocks of a message.
fn of_messages(line: &mut Json, kind: &str, state: &mut TranscriptState) -> Vec<TranscriptItem> {
    set(&mut state.session, line.text("sessionId"));
    set(&mut state.cwd, line.text("cwd"));
    set(&mut state.branch, line.text("gitBranch"));
    set(&mut state.mode, line.text("permissionMode"));
    let by_subagent = line.get("isSidechain") == Some(&Json::Bool(true));
    let time = line.text("timestamp").unwrap_or_default().to_owned();
    // What the client itself or a machine puts there is marked.
    let is_by_person =
        kind == "user" && !by_subagent && line.get("isMeta") != Some(&Json::Bool(true)) && line.get("isCompactSummary") != Some(&Json::Bool(true));
    let blocks = match line.take("message").and_then(|mut message| message.take("content")) {
        Some(Json::List(blocks)) => blocks,
        Some(Json::Text(_)) if is_by_person => return vec![TranscriptItem::Prompt],
        _ => return Vec::new(),
    };
    if is_by_person && blocks.iter().all(|block| matches!(block.text("type"), Some("text" | "image"))) && !blocks.is_empty() {
        return vec![TranscriptItem::Prompt];
    }
    let item = |mut block: Json| match (kind, block.text("type")?) {
        ("assistant", "tool_use") => Some(TranscriptItem::Call(Box::new(TranscriptCall {
            id: block.text("id")?.to_owned(),
            time: time.clone(),
            by_subagent,
            call: ToolCall { name: block.text("name")?.to_owned(), input: block.take("input")? },
            succeeded: None,
            refused: false,
        }))),
        ("user", "tool_result") => {
            let succeeded = block.get("is_error") != Some(&Json::Bool(true));
            let said = match block.get("content") {
                Some(Json::Text(text)) => Some(text.as_str()),
                Some(Json::List(parts)) => parts.first().and_then(|part| part.text("text")),
                _ => None,
            };
            let refused = !succeeded && said.is_some_and(|said| said.starts_with(REFUSED));
            Some(TranscriptItem::Ended { id: block.text("tool_use_id")?.to_owned(), succeeded, refused })
        }
        _ => None,
    };
    blocks.into_iter().filter_map(item).collect()
}

/// Codex: items of a rollout.
fn of_rollout(line: &mut Json, kind: &str, state: &mut TranscriptState) -> Vec<TranscriptItem> {
    let time = line.text("timestamp").unwrap_or_default().to_owned();
    let Some(mut item) = line.take("payload") else { return Vec::new() };
    if kind != "response_item" {
        // A sub-agent's file has its parent's line behind its own.
        if kind == "session_meta" && state.session.is_empty() {
            set(&mut state.session, item.text("id").or_else(|| item.text("session_id")));
            set(&mut state.branch, item.get("git").and_then(|git| git.text("branch")));
        }
        if kind != "event_msg" {
            set(&mut state.cwd, item.text("cwd"));
        }
        return Vec::new();
    }
    let id = item.text("call_id").or_else(|| item.text("id")).unwrap_or_default().to_owned();
    let name = item.text("name").unwrap_or_default().to_owned();
    let call = match item.text("type").unwrap_or_default() {
        "function_call" => item.text("arguments").and_then(|arguments| Json::read(arguments.as_bytes()).ok()).map(|input| (name, input)),
        "custom_tool_call" => item.take("input").map(|input| (name, Json::Object(vec![("input".to_owned(), input)]))),
        "local_shell_call" => item.take("action").map(|action| ("local_shell".to_owned(), action)),
        // Its text is for the model; whether the call succeeded is not said.
        _ => None,
    };
    let item = |(name, input)| {
        TranscriptItem::Call(Box::new(TranscriptCall { id, time, by_subagent: false, call: ToolCall { name, input }, succeeded: None, refused: false }))
    };
    call.map(item).into_iter().collect()
}

/// Gemini CLI: calls of an answer, with how they ended.
fn of_chat(line: &mut Json) -> Vec<TranscriptItem> {
    let time = line.text("timestamp").unwrap_or_default().to_owned();
    let Some(Json::List(calls)) = line.take("toolCalls") else { return Vec::new() };
    let item = |mut call: Json| {
        let succeeded = match call.text("status") {
            Some("success") => Some(true),
            Some("error" | "cancelled") => Some(false),
            _ => None,
        };
        Some(TranscriptItem::Call(Box::new(TranscriptCall {
            id: call.text("id")?.to_owned(),
            time: call.text("timestamp").unwrap_or(&time).to_owned(),
            by_subagent: false,
            succeeded,
            refused: call.text("status") == Some("cancelled"),
            call: ToolCall { name: call.text("name")?.to_owned(), input: call.take("args")? },
        })))
    };
    calls.into_iter().filter_map(item).collect()
}
