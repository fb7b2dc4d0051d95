//! What arrived: the payload of an event as types.

use actions::ToolCall;
use actions::json::Json;

use crate::{Client, Moment, MomentKind};

/// An event of a coding client.
#[derive(Clone, Debug)]
pub struct Event {
    /// `PreToolUse`, `SessionStart`, …, as the client names it.
    pub name: String,
    /// When it comes.
    pub moment: Moment,
    /// Whose event it is, as far as its fields tell.
    pub client: &'static dyn Client,
    /// False if the command line of the hook named another client.
    pub certain: bool,
    /// The session's folder.
    pub cwd: Option<String>,
    /// The session.
    pub session: String,
    /// `default`, `acceptEdits`, `plan`, `auto`, `dontAsk`, `bypassPermissions`.
    pub mode: String,
    /// The agent's type; `main` outside sub-agents.
    pub agent: String,
    /// The id of the sub-agent. `None` if a sub-agent did not send it.
    pub agent_id: Option<String>,
    /// The call, on tool events.
    pub tool: Option<ToolCall>,
    /// What changed the settings or started the session. For prompts, who wrote it, where that was no person.
    pub source: String,
    /// The settings file that changed.
    pub file: Option<String>,
    /// The id that all events of one call share.
    pub call: Option<String>,
    /// What a tool gave back.
    pub response: Json,
    /// How the call ended. `None` before its end, or if the client does not say.
    pub outcome: Option<Outcome>,
    /// Why it failed; for shells the first line is `Exit code N`.
    pub error: Option<String>,
    /// The person interrupted it.
    pub interrupted: bool,
    /// The call only started something that still runs.
    pub background: bool,
    /// How long the call took, in milliseconds. `None`: the client does not say.
    pub took: Option<u64>,
    /// A hook already made the turn continue.
    pub stopping: bool,
    /// Where the client writes what is said: the sub-agent's own file at its end, else the session's.
    pub transcript: Option<String>,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The client calls it a success.
    Ok,
    /// It failed.
    Failed,
    /// The person interrupted it.
    Interrupted,
}

/// The client that sent a payload, and the event.
#[derive(Clone, Debug)]
pub struct Sender {
    /// The client.
    pub client: &'static dyn Client,
    /// The client's name of the event.
    pub event: String,
    /// When it comes.
    pub moment: Moment,
    /// False if the command line of the hook named another client.
    pub certain: bool,
}

/// Why an event could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnreadableEvent {
    /// It is not JSON of the accepted form.
    Json(String),
    /// A field that every event has is not there.
    Missing(&'static str),
}

impl Event {
    /// Reads the fields that Claude Code has, and most other clients too (their names as documented for Claude Code 2.1.329,
    /// Codex 0.169.0 and Gemini CLI 0.61.0, and recorded in `tests/events`).
    ///
    /// # Errors
    ///
    /// [`UnreadableEvent::Missing`]: a call has no tool.
    pub fn in_common_form(sender: Sender, mut payload: Json) -> Result<Self, UnreadableEvent> {
        let Sender { client, event: name, moment, certain } = sender;
        // Inputs can be large, so this one is moved.
        let input = payload.take("tool_input").unwrap_or_default();
        let response = payload.take("tool_response").unwrap_or_default();
        let text = |key: &str| payload.text(key).map(str::to_owned);
        let starts = ["run_in_background", "is_background"].iter().any(|key| input.get(key) == Some(&Json::Bool(true)));
        let background = starts || response.get("backgroundTaskId").is_some();
        let tool = match text("tool_name") {
            Some(tool) => Some(ToolCall { name: tool, input }),
            None if matches!(moment, Moment::BeforeCall | Moment::Permission) => return Err(UnreadableEvent::Missing("tool_name")),
            None => None,
        };
        let agent = if payload.text("agent_id").is_some() { text("agent_type").unwrap_or_else(|| "unknown".to_owned()) } else { "main".to_owned() };
        let name_of_tool = tool.as_ref().map_or("", |tool| &tool.name);
        let error = match payload.get("error") {
            Some(Json::Text(said)) => Some(said.clone()),
            Some(said @ Json::Object(_)) => said.text("message").map(str::to_owned),
            _ => client.failure(name_of_tool, &response),
        };
        let interrupted = [payload.get("is_interrupt"), response.get("interrupted")].contains(&Some(&Json::Bool(true)));
        let outcome = match moment {
            _ if interrupted => Some(Outcome::Interrupted),
            Moment::AfterFailure => Some(Outcome::Failed),
            Moment::AfterCall => client.outcome(name_of_tool, error.as_deref(), &response),
            _ => None,
        };
        Ok(Self {
            client,
            moment,
            certain,
            cwd: text("cwd"),
            session: text("session_id").unwrap_or_default(),
            mode: text("permission_mode").unwrap_or_else(|| "default".to_owned()),
            agent,
            tool,
            source: match payload.text("prompt") {
                // A background task that ended speaks as the person would.
                Some(prompt) if prompt.starts_with("<task-notification>") => "task-notification".to_owned(),
                _ => text("source").unwrap_or_default(),
            },
            file: text("file_path"),
            agent_id: text("agent_id"),
            call: text("tool_use_id"),
            outcome,
            error,
            interrupted,
            background,
            took: payload.get("duration_ms").and_then(Json::scalar).and_then(|number| number.parse().ok()),
            stopping: payload.get("stop_hook_active") == Some(&Json::Bool(true)),
            transcript: text("agent_transcript_path").or_else(|| text("transcript_path")),
            response,
            name,
        })
    }

    /// True if a person can be asked by the client's own prompt. Never where the event is not the named client's.
    #[must_use]
    pub fn can_ask(&self, attended: bool) -> bool {
        self.certain && self.moment.kind() == MomentKind::Guarding && self.client.can_ask(self, attended)
    }

    /// True if the client itself is about to ask a person.
    #[must_use]
    pub fn is_asking(&self) -> bool {
        self.certain && self.moment.kind() == MomentKind::Asking && self.client.asks_at_permission()
    }
}
