//! Cline's command line. Its hooks are executable files, named as an event; what they read has other names for the events, and
//! fields of its own. Its contract as observed with version 3.0.65 and read in its bundle.

use actions::json::{Json, quoted};

use crate::fields::{exit_failure, object, served};
use crate::moment::NotWired::NotNeeded;
use crate::moment::{Moment, UnwiredEvent, WiredEvent};
use crate::{Client, Event, Held, HookAnswer, Sender, UnreadableEvent, Variables};

/// Cline's command line.
pub(crate) struct Cline;

/// By the names of the files. Those of the last three start without the client waiting for an answer.
const WIRED: &[WiredEvent] = &[
    WiredEvent::new("PreToolUse", Moment::BeforeCall, false),
    WiredEvent::new("PostToolUse", Moment::AfterCall, false),
    WiredEvent::new("TaskStart", Moment::SessionStart, false),
    WiredEvent::new("UserPromptSubmit", Moment::Prompt, false),
    WiredEvent::new("TaskComplete", Moment::TurnEnd, false),
    WiredEvent::new("SessionShutdown", Moment::SessionEnd, false),
];

const UNWIRED: &[UnwiredEvent] = &[
    UnwiredEvent::new("TaskResume", Moment::Other, NotNeeded),
    UnwiredEvent::new("TaskCancel", Moment::Other, NotNeeded),
    UnwiredEvent::new("TaskError", Moment::Other, NotNeeded),
    UnwiredEvent::new("PreCompact", Moment::Other, NotNeeded),
    UnwiredEvent::new("Notification", Moment::Other, NotNeeded),
];

/// The names in what it sends, and those of the files.
const SENT: [(&str, &str); 9] = [
    ("tool_call", "PreToolUse"),
    ("tool_result", "PostToolUse"),
    ("prompt_submit", "UserPromptSubmit"),
    ("agent_start", "TaskStart"),
    ("agent_resume", "TaskResume"),
    ("agent_end", "TaskComplete"),
    ("agent_abort", "TaskCancel"),
    ("agent_error", "TaskError"),
    ("session_shutdown", "SessionShutdown"),
];

impl Client for Cline {
    fn name(&self) -> &'static str {
        "cline"
    }

    fn programs(&self) -> &'static [&'static str] {
        &["cline"]
    }

    fn wired(&self) -> &'static [WiredEvent] {
        WIRED
    }

    fn unwired(&self) -> &'static [UnwiredEvent] {
        UNWIRED
    }

    fn variables(&self) -> Variables {
        Variables { config: Some("CLINE_DIR"), agent: "CLINE_*", ..Variables::default() }
    }

    fn moment(&self, event: &str) -> Option<Moment> {
        let file = SENT.iter().find(|(sent, _)| *sent == event).map_or(event, |(_, file)| *file);
        let wired = WIRED.iter().find(|known| known.event == file).map(|known| known.moment);
        wired.or_else(|| UNWIRED.iter().find(|known| known.event == file).map(|known| known.moment))
    }

    /// The event's name is the argument's where both mean the same.
    fn recognise<'p>(&self, payload: &'p Json, argument: Option<&'p str>) -> Option<(&'p str, Moment)> {
        let sent = payload.text("hookName")?;
        let moment = self.moment(sent)?;
        if !self.has_signs(moment, payload) {
            return None;
        }
        let event = argument.filter(|event| self.moment(event) == Some(moment)).unwrap_or(sent);
        // A sub-agent begins and ends inside the session.
        let moment = match moment {
            Moment::SessionStart if payload.text("parent_agent_id").is_some() => Moment::Other,
            Moment::TurnEnd if payload.text("parent_agent_id").is_some() => Moment::SubagentEnd,
            moment => moment,
        };
        Some((event, moment))
    }

    fn has_signs(&self, _moment: Moment, payload: &Json) -> bool {
        payload.get("taskId").is_some() && payload.get("workspaceRoots").is_some()
    }

    fn read(&self, sender: Sender, mut payload: Json) -> Result<Event, UnreadableEvent> {
        let mut call = payload.take("tool_call").or_else(|| payload.take("tool_result")).unwrap_or_default();
        let root = payload.get("workspaceRoots").and_then(|roots| if let Json::List(roots) = roots { roots.first().cloned() } else { None });
        // The task is another one in each agent; the session is what they share.
        let session = payload.get("sessionContext").and_then(|context| context.get("rootSessionId")).or_else(|| payload.get("taskId")).cloned();
        let agent = if payload.text("parent_agent_id").is_some() { payload.take("agent_id") } else { None };
        // It also takes the commands, or a patch, without an object around them (read in the bundle).
        let bare = |input: Json| match (call.text("name"), &input) {
            (Some("run_commands"), Json::Text(_)) => Json::Object(vec![("commands".to_owned(), Json::List(vec![input]))]),
            (Some("run_commands"), Json::List(_)) => Json::Object(vec![("commands".to_owned(), input)]),
            (Some("apply_patch"), Json::Text(_)) => Json::Object(vec![("input".to_owned(), input)]),
            _ => input,
        };
        let input = call.get("input").cloned().map(bare);
        let fields = object([
            ("tool_name", call.take("name")),
            ("tool_input", input),
            ("tool_use_id", call.take("id")),
            ("tool_response", call.take("output")),
            ("error", call.take("error")),
            ("duration_ms", call.take("durationMs")),
            ("cwd", root),
            ("session_id", session),
            ("agent_id", agent),
        ]);
        // Tools of tool servers are `SERVER__TOOL` (recorded with 3.0.65).
        Event::in_common_form(sender, served(fields, |name| name.split_once("__")))
    }

    /// It starts the hook there and does not wait (read in the bundle).
    fn holds_turn_end(&self) -> bool {
        false
    }

    /// Each of several commands says for itself how it ended (recorded with 3.0.65).
    fn failure(&self, _tool: &str, response: &Json) -> Option<String> {
        let Json::List(all) = response else { return None };
        let failed = all.iter().find(|one| one.get("success") == Some(&Json::Bool(false)))?;
        let (error, said) = (failed.text("error").unwrap_or_default(), failed.text("result").unwrap_or_default());
        let code = error.strip_prefix("Command exited with code ").and_then(|code| exit_failure(code, said));
        Some(code.unwrap_or_else(|| error.to_owned()))
    }

    /// Exit codes and texts beside JSON mean nothing to it. This ends the run (observed).
    fn denial(&self, _moment: Moment, reason: &str) -> HookAnswer {
        HookAnswer::json(format!("{{\"cancel\":true,\"errorMessage\":{}}}\n", quoted(reason)), Some(Held::Deny))
    }

    /// It starts the hook of a task without waiting for it (observed with 3.0.65).
    fn takes_context(&self, moment: Moment) -> bool {
        moment == Moment::AfterCall
    }

    /// A text for the model, where the client waits for the answer.
    fn context(&self, event: &Event, model: Option<&str>, _person: Option<&str>) -> HookAnswer {
        match model.filter(|_| self.takes_context(event.moment)) {
            Some(text) => HookAnswer::json(format!("{{\"contextModification\":{}}}\n", quoted(text)), None),
            None => HookAnswer::nothing(),
        }
    }
}
