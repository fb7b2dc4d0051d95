//! Cursor: event names, fields and answers of its own. Its contract as documented in autumn 2026. It was not run.

use actions::json::{Json, quoted};
use actions::tools::is_shell;

use crate::fields::{first_as, parsed, renamed};
use crate::moment::NotWired::{NotNeeded, SeenByCall, TooFrequent};
use crate::moment::{Moment, UnwiredEvent, WiredEvent};
use crate::{Client, Event, Held, HookAnswer, Outcome, Sender, UnreadableEvent, Variables};

/// Cursor.
pub(crate) struct Cursor;

/// `preToolUse` comes before every tool; the events of single kinds of tools are not needed beside it, and would judge and
/// count a call twice.
const WIRED: &[WiredEvent] = &[
    WiredEvent::new("preToolUse", Moment::BeforeCall, true),
    WiredEvent::new("postToolUse", Moment::AfterCall, true),
    WiredEvent::new("postToolUseFailure", Moment::AfterFailure, true),
    WiredEvent::new("beforeSubmitPrompt", Moment::Prompt, false),
    WiredEvent::new("sessionStart", Moment::SessionStart, false),
    WiredEvent::new("sessionEnd", Moment::SessionEnd, false),
    WiredEvent::new("stop", Moment::TurnEnd, false),
    WiredEvent::new("subagentStop", Moment::SubagentEnd, false),
];

const UNWIRED: &[UnwiredEvent] = &[
    UnwiredEvent::new("beforeShellExecution", Moment::BeforeCall, SeenByCall),
    UnwiredEvent::new("beforeMCPExecution", Moment::BeforeCall, SeenByCall),
    UnwiredEvent::new("beforeReadFile", Moment::BeforeCall, SeenByCall),
    UnwiredEvent::new("afterShellExecution", Moment::Other, SeenByCall),
    UnwiredEvent::new("afterMCPExecution", Moment::Other, SeenByCall),
    UnwiredEvent::new("afterFileEdit", Moment::Other, SeenByCall),
    UnwiredEvent::new("subagentStart", Moment::Other, SeenByCall),
    UnwiredEvent::new("preCompact", Moment::Other, NotNeeded),
    UnwiredEvent::new("afterAgentResponse", Moment::Other, TooFrequent),
    UnwiredEvent::new("afterAgentThought", Moment::Other, TooFrequent),
];

/// Its own names of fields, and those of the common form.
const FIELDS: [(&str, &str); 3] = [("conversation_id", "session_id"), ("tool_output", "tool_response"), ("error_message", "error")];

impl Client for Cursor {
    fn name(&self) -> &'static str {
        "cursor"
    }

    fn programs(&self) -> &'static [&'static str] {
        &["cursor", "cursor-agent"]
    }

    fn wired(&self) -> &'static [WiredEvent] {
        WIRED
    }

    fn unwired(&self) -> &'static [UnwiredEvent] {
        UNWIRED
    }

    fn variables(&self) -> Variables {
        Variables { agent: "CURSOR_AGENT", ..Variables::default() }
    }

    fn has_signs(&self, _moment: Moment, payload: &Json) -> bool {
        payload.get("conversation_id").is_some() && payload.get("workspace_roots").is_some()
    }

    fn read(&self, sender: Sender, payload: Json) -> Result<Event, UnreadableEvent> {
        let mut payload = first_as(renamed(payload, &FIELDS), "workspace_roots", "cwd");
        // The events of one kind of tool have no tool's name, or give the input of a tool server's tool as a text.
        let (tool, of) = match sender.event.as_str() {
            "beforeShellExecution" => ("Shell", "command"),
            "beforeReadFile" => ("Read", "file_path"),
            _ => ("", ""),
        };
        if let (Json::Object(fields), false) = (&mut payload, tool.is_empty())
            && let Some((_, value)) = fields.iter().find(|(name, _)| name == of).cloned()
        {
            fields.push(("tool_name".to_owned(), Json::Text(tool.to_owned())));
            fields.push(("tool_input".to_owned(), Json::Object(vec![(of.to_owned(), value)])));
        }
        Event::in_common_form(sender, parsed(payload, "tool_input"))
    }

    /// How a command ended is not known to be said.
    fn outcome(&self, tool: &str, error: Option<&str>, _response: &Json) -> Option<Outcome> {
        match error {
            Some(_) => Some(Outcome::Failed),
            None => (!is_shell(tool)).then_some(Outcome::Ok),
        }
    }

    /// It takes the decision from JSON, with a text for the person and one for the model (documented). At the end of a turn only a
    /// message of its own continues it.
    fn denial(&self, moment: Moment, reason: &str) -> HookAnswer {
        let text = quoted(reason);
        match moment {
            Moment::TurnEnd | Moment::SubagentEnd => HookAnswer::json(format!("{{\"followup_message\":{text}}}\n"), Some(Held::Deny)),
            _ => HookAnswer::json(format!("{{\"permission\":\"deny\",\"user_message\":{text},\"agent_message\":{text}}}\n"), Some(Held::Deny)),
        }
    }

    /// At the start of a session and behind the result of a tool (documented).
    fn takes_context(&self, moment: Moment) -> bool {
        matches!(moment, Moment::AfterCall | Moment::SessionStart)
    }

    /// A text for the model at the start of a session and behind a tool's result (documented).
    fn context(&self, event: &Event, model: Option<&str>, _person: Option<&str>) -> HookAnswer {
        match model.filter(|_| self.takes_context(event.moment)) {
            Some(text) => HookAnswer::json(format!("{{\"additional_context\":{}}}\n", quoted(text)), None),
            None => HookAnswer::nothing(),
        }
    }
}
