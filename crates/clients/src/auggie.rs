//! Augment's Auggie: answers of Claude Code. Its contract as read in its documentation and its bundle (0.36.0). It was not run,
//! because it needs a login.

use actions::json::Json;
use actions::tools::is_shell;

use crate::fields::{first_as, renamed};
use crate::moment::NotWired::NotNeeded;
use crate::moment::{Moment, UnwiredEvent, WiredEvent};
use crate::{Client, Event, Outcome, Sender, UnreadableEvent, Variables};

/// Augment's Auggie.
pub(crate) struct Auggie;

const WIRED: &[WiredEvent] = &[
    WiredEvent::new("PreToolUse", Moment::BeforeCall, true),
    WiredEvent::new("PostToolUse", Moment::AfterCall, true),
    WiredEvent::new("PromptSubmit", Moment::Prompt, false),
    WiredEvent::new("SessionStart", Moment::SessionStart, false),
    WiredEvent::new("SessionEnd", Moment::SessionEnd, false),
    WiredEvent::new("Stop", Moment::TurnEnd, false),
];

const UNWIRED: &[UnwiredEvent] = &[UnwiredEvent::new("Notification", Moment::Other, NotNeeded)];

/// Its own name of a field, and that of the common form.
const FIELDS: [(&str, &str); 2] = [("conversation_id", "session_id"), ("tool_output", "tool_response")];

impl Client for Auggie {
    fn name(&self) -> &'static str {
        "auggie"
    }

    fn programs(&self) -> &'static [&'static str] {
        &["auggie"]
    }

    fn wired(&self) -> &'static [WiredEvent] {
        WIRED
    }

    fn unwired(&self) -> &'static [UnwiredEvent] {
        UNWIRED
    }

    fn variables(&self) -> Variables {
        Variables::default()
    }

    /// It names the conversation and its folders, and has no session (read in the bundle of 0.36.0).
    fn has_signs(&self, _moment: Moment, payload: &Json) -> bool {
        payload.get("conversation_id").is_some() && payload.get("workspace_roots").is_some() && payload.get("cursor_version").is_none()
    }

    fn read(&self, sender: Sender, payload: Json) -> Result<Event, UnreadableEvent> {
        Event::in_common_form(sender, first_as(renamed(payload, &FIELDS), "workspace_roots", "cwd"))
    }

    /// How a command ended is not known to be said.
    fn outcome(&self, tool: &str, error: Option<&str>, _response: &Json) -> Option<Outcome> {
        match error {
            Some(_) => Some(Outcome::Failed),
            None => (!is_shell(tool)).then_some(Outcome::Ok),
        }
    }
}
