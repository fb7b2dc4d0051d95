//! What arrived: the host's JSON as types. Strict with nothing but the form: unknown fields and tools are kept, not refused.
//! Does not judge.
#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros)]

#[cfg(feature = "wiring")]
pub mod settings;

use actions::ToolCall;
use actions::json::Json;

/// An event of a coding client.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// `PreToolUse`, `SessionStart`, …, as the host names it.
    pub name: String,
    /// Whose event it is, as far as its fields tell.
    pub host: Host,
    /// The session's folder.
    pub cwd: Option<String>,
    /// The session.
    pub session: String,
    /// `default`, `acceptEdits`, `plan`, `auto`, `dontAsk`, `bypassPermissions`.
    pub mode: String,
    /// The agent's type; `main` outside sub-agents.
    pub agent: String,
    /// What tells one sub-agent from another; none outside of them.
    pub agent_id: Option<String>,
    /// The call, on tool events.
    pub tool: Option<ToolCall>,
    /// `source` of `ConfigChange` and `SessionStart`; of `UserPromptSubmit`, who wrote it, where that was no person.
    pub source: String,
    /// `file_path` of `ConfigChange`.
    pub file: Option<String>,
    /// `tool_use_id`: what a call's later events share with it.
    pub call: Option<String>,
    /// What a tool gave back (`PostToolUse`, `AfterTool`).
    pub response: Json,
    /// Why it failed (`PostToolUseFailure`, `AfterTool`); for shells the first line is `Exit code N`.
    pub error: Option<String>,
    /// The person interrupted it.
    pub interrupted: bool,
    /// `stop_hook_active`: the turn goes on already because a hook wanted it to.
    pub stopping: bool,
}

/// A coding client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Host {
    /// Anthropic's Claude Code; also what is assumed where nothing speaks against it.
    ClaudeCode,
    /// `OpenAI`'s Codex CLI: the same event names, with a `turn_id`.
    Codex,
    /// Google's Gemini CLI: `BeforeTool`, `AfterTool`, …
    Gemini,
}

/// What an event is for the gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It stands in front of something that can still be held: exit 2 holds it.
    Guarding,
    /// `PermissionRequest`: held by a JSON answer alone (exit 2 decides nothing there).
    Asking,
    /// It tells what happened.
    Observing,
}

impl Kind {
    /// The kind of the event of this name. An unknown name is guarding: what is not known must not pass unseen.
    pub fn of(name: &str) -> Self {
        match name {
            "PermissionRequest" => Self::Asking,
            "PermissionDenied" | "PostToolUse" | "PostToolUseFailure" | "PostToolBatch" | "UserPromptSubmit" | "UserPromptExpansion" | "SessionStart"
            | "Setup" | "SessionEnd" | "Stop" | "StopFailure" | "SubagentStart" | "SubagentStop" | "TeammateIdle" | "TaskCreated" | "TaskCompleted"
            | "PreCompact" | "PostCompact" | "PreModelSwitch" | "PostModelSwitch" | "Notification" | "InstructionsLoaded" | "CwdChanged" | "FileChanged"
            | "DirectoryAdded" | "WorktreeCreate" | "WorktreeRemove" | "Elicitation" | "ElicitationResult" | "MessageDisplay"
            // Gemini CLI
            | "AfterTool" | "BeforeAgent" | "AfterAgent" | "BeforeModel" | "AfterModel" | "BeforeToolSelection" | "PreCompress" => Self::Observing,
            _ => Self::Guarding,
        }
    }
}

/// Why an event could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// It is not JSON of the accepted form.
    Json(String),
    /// A field that every event has is not there.
    Missing(&'static str),
}

/// Reads an event.
/// Error: [`Unreadable`], with the reader's own words.
pub fn read(input: &[u8]) -> Result<Event, Unreadable> {
    let mut json = Json::read(input).map_err(Unreadable::Json)?;
    // Inputs can be large, so this one is moved.
    let input = json.take("tool_input").unwrap_or_default();
    let response = json.take("tool_response").unwrap_or_default();
    let text = |key: &str| json.text(key).map(str::to_owned);
    let name = text("hook_event_name").ok_or(Unreadable::Missing("hook_event_name"))?;
    let host = match name.as_str() {
        "BeforeTool" | "AfterTool" => Host::Gemini,
        _ if json.get("turn_id").is_some() => Host::Codex,
        _ => Host::ClaudeCode,
    };
    let tool = match (text("tool_name"), Kind::of(&name)) {
        (Some(tool), _) => Some(ToolCall { name: tool, input }),
        (None, Kind::Guarding) if name == "PreToolUse" || name == "BeforeTool" => return Err(Unreadable::Missing("tool_name")),
        (None, Kind::Asking) => return Err(Unreadable::Missing("tool_name")),
        (None, _) => None,
    };
    let agent = if json.text("agent_id").is_some() { text("agent_type").unwrap_or_else(|| "unknown".to_owned()) } else { "main".to_owned() };
    Ok(Event {
        host,
        cwd: text("cwd"),
        session: text("session_id").unwrap_or_default(),
        mode: text("permission_mode").unwrap_or_else(|| "default".to_owned()),
        agent,
        tool,
        source: match json.text("prompt") {
            // A background task that ended speaks as the person would.
            Some(prompt) if prompt.starts_with("<task-notification>") => "task-notification".to_owned(),
            _ => text("source").unwrap_or_default(),
        },
        file: text("file_path"),
        agent_id: text("agent_id"),
        call: text("tool_use_id"),
        error: text("error").or_else(|| shell_failure(&response)),
        interrupted: [json.get("is_interrupt"), response.get("interrupted")].contains(&Some(&Json::Bool(true))),
        stopping: json.get("stop_hook_active") == Some(&Json::Bool(true)),
        response,
        name,
    })
}

/// How a shell command failed, where the client tells it in the text for the model alone, behind the output: Gemini CLI's
/// `Exit Code: 1`, and then which processes it left. None: it did not, or nothing tells.
fn shell_failure(response: &Json) -> Option<String> {
    let (output, _) = response.text("llmContent")?.rsplit_once("\nProcess Group PGID: ")?;
    let rows: Vec<&str> = output.lines().collect();
    let last = rows.iter().rposition(|row| !["Background PIDs: ", "Signal: "].iter().any(|key| row.starts_with(key)))?;
    let code = rows.get(last)?.strip_prefix("Exit Code: ")?;
    let said = rows.get(..last)?.join("\n");
    Some(format!("Exit code {code}\n{}", said.split_once("Output: ").map_or(said.as_str(), |(_, said)| said)))
}
