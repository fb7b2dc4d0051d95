//! Alibaba's Qwen Code: event names, fields and answers of Claude Code. Its contract as observed with version 0.24.4, and its
//! events as its bundle lists them.

use actions::json::Json;

use crate::fields::failure_in_rows;
use crate::moment::NotWired::{NotNeeded, SeenByCall, TooFrequent};
use crate::moment::{Moment, UnwiredEvent, WiredEvent};
use crate::{Client, Event, Sender, TranscriptForm, UnreadableEvent, Variables};

/// Alibaba's Qwen Code.
pub(crate) struct Qwen;

const WIRED: &[WiredEvent] = &[
    WiredEvent::new("PreToolUse", Moment::BeforeCall, true),
    WiredEvent::new("PermissionRequest", Moment::Permission, true),
    WiredEvent::new("PostToolUse", Moment::AfterCall, true),
    WiredEvent::new("PostToolUseFailure", Moment::AfterFailure, true),
    WiredEvent::new("UserPromptSubmit", Moment::Prompt, false),
    WiredEvent::new("SessionStart", Moment::SessionStart, false),
    WiredEvent::new("SessionEnd", Moment::SessionEnd, false),
    WiredEvent::new("Stop", Moment::TurnEnd, false),
    WiredEvent::new("SubagentStop", Moment::SubagentEnd, false),
];

const UNWIRED: &[UnwiredEvent] = &[
    UnwiredEvent::new("SubagentStart", Moment::Other, SeenByCall),
    UnwiredEvent::new("PostToolBatch", Moment::Other, SeenByCall),
    UnwiredEvent::new("PermissionDenied", Moment::Refused, SeenByCall),
    UnwiredEvent::new("UserPromptExpansion", Moment::Other, NotNeeded),
    UnwiredEvent::new("TodoCreated", Moment::Other, NotNeeded),
    UnwiredEvent::new("TodoCompleted", Moment::Other, NotNeeded),
    UnwiredEvent::new("PreCompact", Moment::Other, NotNeeded),
    UnwiredEvent::new("PostCompact", Moment::Other, NotNeeded),
    UnwiredEvent::new("StopFailure", Moment::Other, NotNeeded),
    UnwiredEvent::new("SessionDelete", Moment::Other, NotNeeded),
    UnwiredEvent::new("InstructionsLoaded", Moment::Other, NotNeeded),
    UnwiredEvent::new("Notification", Moment::Other, NotNeeded),
    UnwiredEvent::new("MessageDisplay", Moment::Other, TooFrequent),
];

impl Client for Qwen {
    fn name(&self) -> &'static str {
        "qwen"
    }

    fn programs(&self) -> &'static [&'static str] {
        &["qwen", "qwen-code"]
    }

    fn transcript(&self) -> Option<TranscriptForm> {
        Some(TranscriptForm::Qwen)
    }

    fn wired(&self) -> &'static [WiredEvent] {
        WIRED
    }

    fn unwired(&self) -> &'static [UnwiredEvent] {
        UNWIRED
    }

    fn variables(&self) -> Variables {
        Variables { agent: "QWEN_CODE", ..Variables::default() }
    }

    /// A time beside the mode, which Claude Code does not send (recorded with 0.24.4).
    fn has_signs(&self, _moment: Moment, payload: &Json) -> bool {
        payload.text("timestamp").is_some() && payload.text("permission_mode").is_some()
    }

    /// The type of a sub-agent is the front of its name, `general-purpose-call_6_0`; a failure is said in the rows in which the model
    /// reads it (both recorded with 0.24.4).
    fn read(&self, sender: Sender, mut payload: Json) -> Result<Event, UnreadableEvent> {
        let kind = payload.text("agent_id").and_then(|id| Some(id.split_once("-call_")?.0.to_owned()));
        if let Json::Object(fields) = &mut payload {
            if let Some(kind) = kind.filter(|_| !fields.iter().any(|(name, _)| name == "agent_type")) {
                fields.push(("agent_type".to_owned(), Json::Text(kind)));
            }
            if let Some((_, Json::Text(error))) = fields.iter_mut().find(|(name, _)| name == "error")
                && let Some(said) = failure_in_rows(error)
            {
                *error = said;
            }
        }
        Event::in_common_form(sender, payload)
    }

    /// The event comes before its approval prompt, and not in the mode `yolo`; `PreToolUse` comes after the person's answer (observed
    /// with 0.24.4).
    fn asks_at_permission(&self) -> bool {
        true
    }

    /// A command that failed is a call that was made; the text for the model says how it ended (recorded with 0.24.4).
    fn failure(&self, _tool: &str, response: &Json) -> Option<String> {
        failure_in_rows(response.text("llmContent")?)
    }
}
