//! `OpenHands`: event names of Claude Code, and fields and answers of its own. Its contract as read in its documentation and its
//! package `openhands-sdk` 1.21.0. It was not run.

use actions::json::{Json, quoted};
use actions::tools::is_shell;

use crate::fields::{exit_failure, renamed};
use crate::moment::{Moment, UnwiredEvent, WiredEvent};
use crate::{Client, Event, HookAnswer, Outcome, Sender, UnreadableEvent, Variables};

/// `OpenHands`.
pub(crate) struct OpenHands;

const WIRED: &[WiredEvent] = &[
    WiredEvent::new("PreToolUse", Moment::BeforeCall, true),
    WiredEvent::new("PostToolUse", Moment::AfterCall, true),
    WiredEvent::new("UserPromptSubmit", Moment::Prompt, false),
    WiredEvent::new("SessionStart", Moment::SessionStart, false),
    WiredEvent::new("SessionEnd", Moment::SessionEnd, false),
    WiredEvent::new("Stop", Moment::TurnEnd, false),
];

/// Its own name of a field, and that of the common form.
const FIELDS: [(&str, &str); 1] = [("working_dir", "cwd")];

impl Client for OpenHands {
    fn name(&self) -> &'static str {
        "openhands"
    }

    fn programs(&self) -> &'static [&'static str] {
        &["openhands"]
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

    fn recognise<'p>(&self, payload: &'p Json, _argument: Option<&'p str>) -> Option<(&'p str, Moment)> {
        let event = payload.text("event_type")?;
        let moment = self.moment(event)?;
        self.has_signs(moment, payload).then_some((event, moment))
    }

    fn has_signs(&self, _moment: Moment, payload: &Json) -> bool {
        payload.get("hook_event_name").is_none()
    }

    fn read(&self, sender: Sender, payload: Json) -> Result<Event, UnreadableEvent> {
        Event::in_common_form(sender, renamed(payload, &FIELDS))
    }

    /// The exit code of a command is among what it gives of it (read in the package).
    fn failure(&self, _tool: &str, response: &Json) -> Option<String> {
        exit_failure(&response.get("exit_code")?.scalar()?, "").filter(|_| response.get("exit_code") != Some(&Json::Number("-1".to_owned())))
    }

    fn outcome(&self, tool: &str, error: Option<&str>, response: &Json) -> Option<Outcome> {
        match error {
            Some(_) => Some(Outcome::Failed),
            None if is_shell(tool) && response.get("exit_code").and_then(Json::scalar).as_deref() != Some("0") => None,
            None => Some(Outcome::Ok),
        }
    }

    /// It has an answer for the next prompt alone (documented).
    fn takes_context(&self, moment: Moment) -> bool {
        moment == Moment::Prompt
    }

    /// It has an answer for the model's next prompt (documented).
    fn context(&self, event: &Event, model: Option<&str>, _person: Option<&str>) -> HookAnswer {
        match model.filter(|_| self.takes_context(event.moment)) {
            Some(text) => HookAnswer::json(format!("{{\"additionalContext\":{}}}\n", quoted(text)), None),
            None => HookAnswer::nothing(),
        }
    }
}
