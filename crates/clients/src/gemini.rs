//! Google's Gemini CLI. Its contract as documented in its repository (0.56), and observed with version 0.61.0. `init` cannot
//! write its settings yet; a person can.

use actions::json::Json;

use crate::fields::{called, failure_in_rows, served_name};
use crate::moment::NotWired::{NotNeeded, TooFrequent};
use crate::moment::{Moment, UnwiredEvent, WiredEvent};
use crate::{Client, Event, Sender, TranscriptForm, UnreadableEvent, Variables};

/// Google's Gemini CLI.
pub(crate) struct Gemini;

const WIRED: &[WiredEvent] = &[
    WiredEvent::new("BeforeTool", Moment::BeforeCall, true),
    WiredEvent::new("AfterTool", Moment::AfterCall, true),
    WiredEvent::new("BeforeAgent", Moment::Prompt, false),
    WiredEvent::new("AfterAgent", Moment::TurnEnd, false),
    WiredEvent::new("SessionStart", Moment::SessionStart, false),
    WiredEvent::new("SessionEnd", Moment::SessionEnd, false),
];

const UNWIRED: &[UnwiredEvent] = &[
    UnwiredEvent::new("Notification", Moment::Other, NotNeeded),
    UnwiredEvent::new("PreCompress", Moment::Other, NotNeeded),
    UnwiredEvent::new("BeforeToolSelection", Moment::Other, NotNeeded),
    UnwiredEvent::new("BeforeModel", Moment::Other, TooFrequent),
    UnwiredEvent::new("AfterModel", Moment::Other, TooFrequent),
];

impl Client for Gemini {
    fn name(&self) -> &'static str {
        "gemini"
    }

    fn programs(&self) -> &'static [&'static str] {
        &["gemini", "gemini-cli"]
    }

    fn transcript(&self) -> Option<TranscriptForm> {
        Some(TranscriptForm::Gemini)
    }

    fn wired(&self) -> &'static [WiredEvent] {
        WIRED
    }

    fn unwired(&self) -> &'static [UnwiredEvent] {
        UNWIRED
    }

    fn variables(&self) -> Variables {
        Variables { agent: "GEMINI_CLI", ..Variables::default() }
    }

    /// The names of its events are enough; those that it shares with others have a time and a transcript, and no
    /// `permission_mode` here (recorded with 0.61.0).
    fn has_signs(&self, moment: Moment, payload: &Json) -> bool {
        matches!(moment, Moment::BeforeCall | Moment::AfterCall | Moment::Prompt | Moment::TurnEnd)
            || (payload.get("permission_mode").is_none() && payload.get("timestamp").is_some() && payload.get("transcript_path").is_some())
    }

    /// Its names of tool servers' tools do not show where the server's name ends; a field does (recorded with 0.61.0).
    fn read(&self, sender: Sender, mut payload: Json) -> Result<Event, UnreadableEvent> {
        let context = payload.take("mcp_context").unwrap_or_default();
        let name = context.text("server_name").zip(context.text("tool_name")).and_then(|(server, tool)| served_name(server, tool));
        Event::in_common_form(sender, called(payload, name))
    }

    /// It has one event for both ends of a call; only the text for the model tells of a failure (recorded with 0.61.0).
    fn failure(&self, _tool: &str, response: &Json) -> Option<String> {
        failure_in_rows(response.text("llmContent")?)
    }
}
