//! `OpenCode`. It has no hooks that are commands: a plugin of a few lines sends what it gets to the hook, and throws the text of a
//! denial. Its contract as observed with version 1.18.33.
//!
//! The plugin writes one object: `event`, and `input` and `output` as the plugin was called with them, and the client's
//! `directory` and `worktree`. It throws if the hook does not end with 0, so that a hook that is missing, crashes or is stopped
//! denies. What the hook prints for the model is put behind the tool's result.

use actions::json::Json;

use crate::fields::{exit_failure, object, served};
use crate::moment::NotWired::{NotNeeded, SeenByCall, TooFrequent};
use crate::moment::{Moment, UnwiredEvent, WiredEvent};
use crate::{Client, Event, HookAnswer, Sender, UnreadableEvent, Variables};

/// `OpenCode`.
pub(crate) struct OpenCode;

const WIRED: &[WiredEvent] =
    &[WiredEvent::new("tool.execute.before", Moment::BeforeCall, false), WiredEvent::new("tool.execute.after", Moment::AfterCall, false)];

const UNWIRED: &[UnwiredEvent] = &[
    UnwiredEvent::new("permission.ask", Moment::Other, SeenByCall),
    UnwiredEvent::new("command.execute.before", Moment::Other, SeenByCall),
    UnwiredEvent::new("shell.env", Moment::Other, NotNeeded),
    UnwiredEvent::new("tool.definition", Moment::Other, NotNeeded),
    UnwiredEvent::new("chat.message", Moment::Other, NotNeeded),
    UnwiredEvent::new("chat.params", Moment::Other, TooFrequent),
    UnwiredEvent::new("chat.headers", Moment::Other, TooFrequent),
];

impl Client for OpenCode {
    fn name(&self) -> &'static str {
        "opencode"
    }

    fn programs(&self) -> &'static [&'static str] {
        &["opencode"]
    }

    fn wired(&self) -> &'static [WiredEvent] {
        WIRED
    }

    fn unwired(&self) -> &'static [UnwiredEvent] {
        UNWIRED
    }

    fn variables(&self) -> Variables {
        Variables { agent: "OPENCODE", ..Variables::default() }
    }

    fn recognise<'p>(&self, payload: &'p Json, _argument: Option<&'p str>) -> Option<(&'p str, Moment)> {
        let event = payload.text("event")?;
        let moment = self.moment(event)?;
        self.has_signs(moment, payload).then_some((event, moment))
    }

    fn has_signs(&self, _moment: Moment, payload: &Json) -> bool {
        payload.get("input").is_some_and(|input| input.get("sessionID").is_some())
    }

    fn read(&self, sender: Sender, mut payload: Json) -> Result<Event, UnreadableEvent> {
        let (mut input, mut output) = (payload.take("input").unwrap_or_default(), payload.take("output").unwrap_or_default());
        // Before a call its arguments can be changed, and after it they cannot.
        let arguments = output.take("args").or_else(|| input.take("args"));
        let fields = object([
            ("tool_name", input.take("tool")),
            ("tool_input", arguments),
            ("tool_use_id", input.take("callID")),
            ("session_id", input.take("sessionID")),
            ("cwd", payload.take("directory")),
            ("tool_response", (sender.moment == Moment::AfterCall).then_some(output)),
        ]);
        // Tools of tool servers are `SERVER_TOOL` (recorded with 1.18.33); its own have no underscore, but for one.
        Event::in_common_form(sender, served(fields, |name| name.split_once('_').filter(|_| name != "apply_patch")))
    }

    /// The exit code of a command is among what it gives of it (recorded with 1.18.33).
    fn failure(&self, _tool: &str, response: &Json) -> Option<String> {
        let code = response.get("metadata")?.get("exit")?.scalar()?;
        exit_failure(&code, response.text("output").unwrap_or_default())
    }

    /// The plugin has the result of a tool, and no other place for a text.
    fn takes_context(&self, moment: Moment) -> bool {
        moment == Moment::AfterCall
    }

    /// The plugin puts what is printed behind the result.
    fn context(&self, event: &Event, model: Option<&str>, _person: Option<&str>) -> HookAnswer {
        match model.filter(|_| self.takes_context(event.moment)) {
            Some(text) => HookAnswer { stdout: format!("{text}\n"), ..HookAnswer::nothing() },
            None => HookAnswer::nothing(),
        }
    }
}
