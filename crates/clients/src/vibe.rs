//! Mistral's Vibe: event names and answers of its own. Its contract as observed with version 3.0.2 and described in its own
//! guide to itself.

use actions::json::{Json, quoted};
use actions::tools::is_shell;

use crate::fields::{exit_failure, renamed, served};
use crate::moment::{Moment, UnwiredEvent, WiredEvent};
use crate::{Client, Event, Held, HookAnswer, Outcome, Sender, UnreadableEvent, Variables};

/// Mistral's Vibe.
pub(crate) struct Vibe;

const WIRED: &[WiredEvent] = &[
    WiredEvent::new("pre_tool", Moment::BeforeCall, true),
    WiredEvent::new("post_tool", Moment::AfterCall, true),
    WiredEvent::new("post_agent", Moment::TurnEnd, false),
];

/// Its own names of fields, and those of the common form.
const FIELDS: [(&str, &str); 3] = [("tool_call_id", "tool_use_id"), ("tool_output", "tool_response"), ("tool_error", "error")];

impl Client for Vibe {
    fn name(&self) -> &'static str {
        "vibe"
    }

    fn programs(&self) -> &'static [&'static str] {
        &["vibe", "vibe-rs"]
    }

    fn wired(&self) -> &'static [WiredEvent] {
        WIRED
    }

    fn unwired(&self) -> &'static [UnwiredEvent] {
        &[]
    }

    fn variables(&self) -> Variables {
        Variables::default()
    }

    /// The names of its events are enough.
    fn has_signs(&self, _moment: Moment, _payload: &Json) -> bool {
        true
    }

    /// A sub-agent has a session of its own, and names that of its parent. Tools of tool servers are `mcp_SERVER.TOOL` (both
    /// observed with 3.0.2).
    fn read(&self, sender: Sender, payload: Json) -> Result<Event, UnreadableEvent> {
        let mut payload = served(renamed(payload, &FIELDS), |name| name.strip_prefix("mcp_")?.split_once('.'));
        let cancelled = payload.text("tool_status") == Some("cancelled");
        let parent = payload.text("parent_session_id").map(str::to_owned);
        if let Json::Object(fields) = &mut payload {
            if let Some(parent) = parent
                && let Some((_, session)) = fields.iter_mut().find(|(name, _)| name == "session_id")
            {
                let agent = std::mem::replace(session, Json::Text(parent));
                fields.push(("agent_id".to_owned(), agent));
            }
            if cancelled {
                fields.push(("is_interrupt".to_owned(), Json::Bool(true)));
            }
        }
        Event::in_common_form(sender, payload)
    }

    /// The exit code of a command is among what it gives of it (recorded with 3.0.2).
    fn failure(&self, _tool: &str, response: &Json) -> Option<String> {
        exit_failure(&response.get("returncode")?.scalar()?, response.text("stderr").unwrap_or_default())
    }

    fn outcome(&self, tool: &str, error: Option<&str>, response: &Json) -> Option<Outcome> {
        match error {
            Some(_) => Some(Outcome::Failed),
            None if is_shell(tool) && response.get("returncode").and_then(Json::scalar).as_deref() != Some("0") => None,
            None => Some(Outcome::Ok),
        }
    }

    /// Exit 2 is a failure like any other, and fails open without `strict`; this alone denies (observed). At the end of a turn it
    /// continues the turn, three times at most (its guide).
    fn denial(&self, _moment: Moment, reason: &str) -> HookAnswer {
        HookAnswer::json(format!("{{\"decision\":\"deny\",\"reason\":{}}}\n", quoted(reason)), Some(Held::Deny))
    }

    /// Only the result of a tool can have a text behind it (its guide, and observed).
    fn takes_context(&self, moment: Moment) -> bool {
        moment == Moment::AfterCall
    }

    /// The result of a tool can have more text behind it; a text at the side is shown to the person.
    fn context(&self, event: &Event, model: Option<&str>, person: Option<&str>) -> HookAnswer {
        let model = model.filter(|_| self.takes_context(event.moment));
        let model = model.map(|text| format!("\"hook_specific_output\":{{\"additional_context\":{}}}", quoted(text)));
        let person = person.map(|text| format!("\"system_message\":{}", quoted(text)));
        let parts: Vec<String> = person.into_iter().chain(model).collect();
        if parts.is_empty() { HookAnswer::nothing() } else { HookAnswer::json(format!("{{{}}}\n", parts.join(",")), None) }
    }
}
