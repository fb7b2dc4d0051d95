//! Factory's droid: event names, fields and answers of Claude Code, and modes and tools of its own. Its contract as observed
//! with version 0.215.0, and its events as its bundle lists them.

use actions::json::Json;

use crate::fields::{code_at_end, exit_failure, served};
use crate::moment::NotWired::NotNeeded;
use crate::moment::{Moment, UnwiredEvent, WiredEvent};
use crate::{Client, Event, Sender, UnreadableEvent, Variables};

/// Factory's droid.
pub(crate) struct Droid;

const WIRED: &[WiredEvent] = &[
    WiredEvent::new("PreToolUse", Moment::BeforeCall, true),
    WiredEvent::new("PostToolUse", Moment::AfterCall, true),
    WiredEvent::new("UserPromptSubmit", Moment::Prompt, false),
    WiredEvent::new("SessionStart", Moment::SessionStart, false),
    WiredEvent::new("SessionEnd", Moment::SessionEnd, false),
    WiredEvent::new("Stop", Moment::TurnEnd, false),
    WiredEvent::new("SubagentStop", Moment::SubagentEnd, false),
];

const UNWIRED: &[UnwiredEvent] = &[UnwiredEvent::new("Notification", Moment::Other, NotNeeded), UnwiredEvent::new("PreCompact", Moment::Other, NotNeeded)];

/// Its modes (documented; `auto-low` and `off` are recorded with 0.215.0).
const MODES: [&str; 5] = ["off", "spec", "auto-low", "auto-medium", "auto-high"];

impl Client for Droid {
    fn name(&self) -> &'static str {
        "droid"
    }

    fn programs(&self) -> &'static [&'static str] {
        &["droid"]
    }

    fn wired(&self) -> &'static [WiredEvent] {
        WIRED
    }

    fn unwired(&self) -> &'static [UnwiredEvent] {
        UNWIRED
    }

    /// It sets `CLAUDE_PROJECT_DIR` too (observed with 0.215.0).
    fn variables(&self) -> Variables {
        Variables::default()
    }

    /// Its modes have names of their own.
    fn has_signs(&self, _moment: Moment, payload: &Json) -> bool {
        payload.text("permission_mode").is_some_and(|mode| MODES.contains(&mode))
    }

    /// Tools of tool servers are `SERVER___TOOL` (recorded with 0.215.0).
    fn read(&self, sender: Sender, payload: Json) -> Result<Event, UnreadableEvent> {
        Event::in_common_form(sender, served(payload, |name| name.split_once("___")))
    }

    /// What it gives of a command ends with `[Process exited with code 0]` (recorded with 0.215.0).
    fn failure(&self, _tool: &str, response: &Json) -> Option<String> {
        let Json::Text(text) = response else { return None };
        let (said, code) = code_at_end(text, "[Process exited with code ", "]")?;
        exit_failure(code, said)
    }
}
