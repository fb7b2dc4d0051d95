//! Moonshot's Kimi Code: most event names and answers of Claude Code. Its contract as observed with version 2.1.0, and its
//! events as its bundle lists them. Calls of sub-agents carry no mark of them.

use actions::json::{Json, quoted};

use crate::fields::{code_at_end, exit_failure, renamed};
use crate::moment::NotWired::{AnswerIgnored, NotNeeded, SeenByCall, TooFrequent};
use crate::moment::{Moment, UnwiredEvent, WiredEvent};
use crate::{Client, Event, HookAnswer, Sender, TranscriptForm, UnreadableEvent, Variables};

/// Moonshot's Kimi Code.
pub(crate) struct Kimi;

const WIRED: &[WiredEvent] = &[
    WiredEvent::new("PreToolUse", Moment::BeforeCall, true),
    WiredEvent::new("PostToolUse", Moment::AfterCall, true),
    WiredEvent::new("PostToolUseFailure", Moment::AfterFailure, true),
    WiredEvent::new("UserPromptSubmit", Moment::Prompt, false),
    WiredEvent::new("SessionStart", Moment::SessionStart, false),
    WiredEvent::new("SessionEnd", Moment::SessionEnd, false),
    WiredEvent::new("Stop", Moment::TurnEnd, false),
    WiredEvent::new("SubagentStop", Moment::SubagentEnd, false),
];

const UNWIRED: &[UnwiredEvent] = &[
    // It starts the hook beside its prompt, and waits for no answer (read in the bundle of 2.1.0).
    UnwiredEvent::new("PermissionRequest", Moment::Permission, AnswerIgnored),
    UnwiredEvent::new("PermissionResult", Moment::Other, SeenByCall),
    UnwiredEvent::new("SubagentStart", Moment::Other, SeenByCall),
    UnwiredEvent::new("UserPromptQueued", Moment::Other, NotNeeded),
    UnwiredEvent::new("TurnStarted", Moment::Other, NotNeeded),
    UnwiredEvent::new("TaskStarted", Moment::Other, NotNeeded),
    UnwiredEvent::new("StopFailure", Moment::Other, NotNeeded),
    UnwiredEvent::new("Interrupt", Moment::Other, NotNeeded),
    UnwiredEvent::new("PreCompact", Moment::Other, NotNeeded),
    UnwiredEvent::new("PostCompact", Moment::Other, NotNeeded),
    UnwiredEvent::new("Notification", Moment::Other, NotNeeded),
    UnwiredEvent::new("SessionHeartbeat", Moment::Other, TooFrequent),
];

/// Its own names of fields, and those of the common form.
const FIELDS: [(&str, &str); 2] = [("tool_call_id", "tool_use_id"), ("tool_output", "tool_response")];

impl Client for Kimi {
    fn name(&self) -> &'static str {
        "kimi"
    }

    fn programs(&self) -> &'static [&'static str] {
        &["kimi", "kimi-code"]
    }

    fn transcript(&self) -> Option<TranscriptForm> {
        Some(TranscriptForm::Kimi)
    }

    fn wired(&self) -> &'static [WiredEvent] {
        WIRED
    }

    fn unwired(&self) -> &'static [UnwiredEvent] {
        UNWIRED
    }

    fn variables(&self) -> Variables {
        Variables { config: Some("KIMI_CODE_HOME"), agent: "KIMI_CODE_*", ..Variables::default() }
    }

    /// It names itself in each event (recorded with 2.1.0).
    fn has_signs(&self, _moment: Moment, payload: &Json) -> bool {
        payload.text("client_type") == Some("kimi_code_cli")
    }

    /// A command that failed says so behind its output (recorded with 2.1.0).
    fn read(&self, sender: Sender, payload: Json) -> Result<Event, UnreadableEvent> {
        let mut payload = renamed(payload, &FIELDS);
        let said = payload.get("error").and_then(|error| error.text("message")).unwrap_or_default();
        let failed = code_at_end(said, "Command failed with exit code: ", ".").and_then(|(said, code)| exit_failure(code, said));
        if let (Json::Object(fields), Some(failed)) = (&mut payload, failed)
            && let Some((_, error)) = fields.iter_mut().find(|(name, _)| name == "error")
        {
            *error = Json::Text(failed);
        }
        Event::in_common_form(sender, payload)
    }

    /// It waits for the answer to a prompt alone (read in the bundle of 2.1.0).
    fn takes_context(&self, moment: Moment) -> bool {
        moment == Moment::Prompt
    }

    /// Only what comes with a prompt reaches the model (read in the bundle of 2.1.0).
    fn context(&self, event: &Event, model: Option<&str>, _person: Option<&str>) -> HookAnswer {
        match model.filter(|_| self.takes_context(event.moment)) {
            Some(text) => HookAnswer::json(format!("{{\"message\":{}}}\n", quoted(text)), None),
            None => HookAnswer::nothing(),
        }
    }
}
