//! A client that is not known, or whose payload fits no client: the fields of Claude Code, exit 2 with a text, and never a
//! question. Kimi Code 2.1.0, droid 0.215.0 and Codex 0.171.0 continue with the call on an answer they do not know (observed).

use actions::json::Json;
use actions::tools::is_shell;

use crate::moment::{Moment, UnwiredEvent, WiredEvent};
use crate::{Client, Outcome, claude_code};

/// Any client with the form of Claude Code.
pub(crate) struct Generic;

impl Client for Generic {
    fn name(&self) -> &'static str {
        "generic"
    }

    fn wired(&self) -> &'static [WiredEvent] {
        claude_code::COMMON
    }

    fn unwired(&self) -> &'static [UnwiredEvent] {
        &[]
    }

    /// An event that no client is known to have can still stop something.
    fn recognise<'p>(&self, payload: &'p Json, _argument: Option<&'p str>) -> Option<(&'p str, Moment)> {
        let event = payload.text("hook_event_name")?;
        Some((event, Moment::of(event)))
    }

    fn has_signs(&self, _moment: Moment, _payload: &Json) -> bool {
        true
    }

    /// How a command ended is not known to be said.
    fn outcome(&self, tool: &str, error: Option<&str>, _response: &Json) -> Option<Outcome> {
        match error {
            Some(_) => Some(Outcome::Failed),
            None => (!is_shell(tool)).then_some(Outcome::Ok),
        }
    }
}
