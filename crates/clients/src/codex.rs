//! `OpenAI`'s Codex CLI: event names and answers of Claude Code. Its contract as published in its schemas, and observed with
//! versions 0.169.0 and 0.171.0. `init` cannot write its settings yet; a person can.

use actions::json::Json;

use crate::moment::NotWired::{NotNeeded, SeenByCall};
use crate::moment::{Moment, UnwiredEvent, WiredEvent};
use crate::{Client, Outcome, TranscriptForm, Variables};

/// `OpenAI`'s Codex CLI.
pub(crate) struct Codex;

const WIRED: &[WiredEvent] = &[
    WiredEvent::new("PreToolUse", Moment::BeforeCall, true),
    WiredEvent::new("PermissionRequest", Moment::Permission, true),
    WiredEvent::new("PostToolUse", Moment::AfterCall, true),
    WiredEvent::new("UserPromptSubmit", Moment::Prompt, false),
    WiredEvent::new("SessionStart", Moment::SessionStart, false),
    WiredEvent::new("SessionEnd", Moment::SessionEnd, false),
    WiredEvent::new("Stop", Moment::TurnEnd, false),
    WiredEvent::new("SubagentStop", Moment::SubagentEnd, false),
];

const UNWIRED: &[UnwiredEvent] = &[
    UnwiredEvent::new("SubagentStart", Moment::Other, SeenByCall),
    UnwiredEvent::new("PreCompact", Moment::Other, NotNeeded),
    UnwiredEvent::new("PostCompact", Moment::Other, NotNeeded),
];

impl Client for Codex {
    fn name(&self) -> &'static str {
        "codex"
    }

    fn programs(&self) -> &'static [&'static str] {
        &["codex"]
    }

    fn transcript(&self) -> Option<TranscriptForm> {
        Some(TranscriptForm::Codex)
    }

    fn wired(&self) -> &'static [WiredEvent] {
        WIRED
    }

    fn unwired(&self) -> &'static [UnwiredEvent] {
        UNWIRED
    }

    fn variables(&self) -> Variables {
        Variables { agent: "CODEX_*", ..Variables::default() }
    }

    /// A `turn_id` on all events within a turn (recorded with 0.169.0).
    fn has_signs(&self, moment: Moment, payload: &Json) -> bool {
        matches!(moment, Moment::SessionStart | Moment::SessionEnd) || payload.get("turn_id").is_some()
    }

    /// It sends the event when its approval prompt is about to be shown (documented).
    fn asks_at_permission(&self) -> bool {
        true
    }

    /// It gives what a command printed, and not how that ended (recorded with 0.169.0). Its shell is called `Bash`.
    fn outcome(&self, tool: &str, _error: Option<&str>, _response: &Json) -> Option<Outcome> {
        (tool != "Bash").then_some(Outcome::Ok)
    }
}
