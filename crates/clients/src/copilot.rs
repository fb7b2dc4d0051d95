//! GitHub's Copilot CLI. Its contract as observed with version 1.0.102 and read in its documentation. `init` cannot write its
//! settings yet; a person can. It also starts what is in Claude Code's settings of a project.
//!
//! Its permission requests also come with `--allow-all-tools`, where nobody is asked (observed with 1.0.102), so what needs a
//! person is denied there too.
//!
//! It has two forms of payloads, by the form of the event's name in the settings: `PreToolUse` brings Claude Code's fields,
//! `preToolUse` fields of its own, without the event's name. Permission requests come in its own form either way.

use actions::json::{Json, quoted};
use actions::tools::is_shell;

use crate::claude_code::ClaudeCode;
use crate::fields::{code_at_end, exit_failure, parsed, renamed, served};
use crate::moment::NotWired::{NotNeeded, SeenByCall};
use crate::moment::{Moment, UnwiredEvent, WiredEvent};
use crate::{Client, Event, Held, HookAnswer, Outcome, Sender, TranscriptForm, UnreadableEvent, Variables};

/// GitHub's Copilot CLI.
pub(crate) struct Copilot;

const WIRED: &[WiredEvent] = &[
    WiredEvent::new("preToolUse", Moment::BeforeCall, true),
    WiredEvent::new("permissionRequest", Moment::Permission, true),
    WiredEvent::new("postToolUse", Moment::AfterCall, true),
    WiredEvent::new("postToolUseFailure", Moment::AfterFailure, true),
    WiredEvent::new("userPromptSubmitted", Moment::Prompt, false),
    WiredEvent::new("sessionStart", Moment::SessionStart, false),
    WiredEvent::new("sessionEnd", Moment::SessionEnd, false),
    WiredEvent::new("agentStop", Moment::TurnEnd, false),
    WiredEvent::new("subagentStop", Moment::SubagentEnd, false),
];

const UNWIRED: &[UnwiredEvent] = &[
    UnwiredEvent::new("subagentStart", Moment::Other, SeenByCall),
    UnwiredEvent::new("errorOccurred", Moment::Other, NotNeeded),
    UnwiredEvent::new("notification", Moment::Other, NotNeeded),
    UnwiredEvent::new("preCompact", Moment::Other, NotNeeded),
];

/// Its own names of fields, and those of the common form.
const FIELDS: [(&str, &str); 8] = [
    ("sessionId", "session_id"),
    ("toolName", "tool_name"),
    ("toolInput", "tool_input"),
    ("toolArgs", "tool_input"),
    ("toolResult", "tool_response"),
    ("agentId", "agent_id"),
    ("agentType", "agent_type"),
    ("transcriptPath", "transcript_path"),
];

/// Fields that a call in Claude Code's form has from the others that send it, and not from this client (recorded).
const NOT_SENT: [&str; 7] = ["permission_mode", "tool_use_id", "transcript_path", "turn_id", "client_type", "tool_call_id", "prompt_id"];

impl Client for Copilot {
    fn name(&self) -> &'static str {
        "copilot"
    }

    fn programs(&self) -> &'static [&'static str] {
        &["copilot"]
    }

    fn transcript(&self) -> Option<TranscriptForm> {
        Some(TranscriptForm::Copilot)
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

    /// It takes the names of Claude Code too.
    fn moment(&self, event: &str) -> Option<Moment> {
        let own = WIRED.iter().find(|known| known.event == event).map(|known| known.moment);
        own.or_else(|| UNWIRED.iter().find(|known| known.event == event).map(|known| known.moment)).or_else(|| ClaudeCode.moment(event))
    }

    /// In its own form only permission requests name the event; for the others the hook's argument does. The event's name
    /// is the argument's where both mean the same moment.
    fn recognise<'p>(&self, payload: &'p Json, argument: Option<&'p str>) -> Option<(&'p str, Moment)> {
        let named = argument.map(|event| (event, Moment::of(event)));
        if let Some(event) = payload.text("hook_event_name") {
            let moment = ClaudeCode.moment(event)?;
            return self.has_signs(moment, payload).then_some((event, moment));
        }
        payload.text("sessionId")?;
        match payload.text("hookName") {
            Some(event) => {
                let moment = self.moment(event)?;
                Some(named.filter(|(_, named)| *named == moment).unwrap_or((event, moment)))
            }
            None => named.filter(|(_, moment)| *moment != Moment::Unknown),
        }
    }

    /// In Claude Code's form: a time, and no mode and no id of the call. Only the end of a turn names a transcript.
    fn has_signs(&self, moment: Moment, payload: &Json) -> bool {
        let is_sent = |field: &str| field == "transcript_path" && moment == Moment::TurnEnd;
        payload.text("timestamp").is_some() && !NOT_SENT.iter().any(|field| !is_sent(field) && payload.get(field).is_some())
    }

    fn read(&self, sender: Sender, payload: Json) -> Result<Event, UnreadableEvent> {
        if payload.get("hook_event_name").is_some() {
            return Event::in_common_form(Sender { client: &ClaudeForm, ..sender }, renamed(payload, &[("tool_result", "tool_response")]));
        }
        // Earlier versions send the arguments as JSON in a text (documented). Tools of tool servers are `SERVER-TOOL` before a call
        // and `SERVER/TOOL` in a permission request; most names of tools have no `-` (recorded with 1.0.102).
        let payload = parsed(renamed(payload, &FIELDS), "tool_input");
        Event::in_common_form(sender, served(payload, |name| name.split_once('/').or_else(|| name.rsplit_once('-'))))
    }

    /// The text of exit 2 is lost, so JSON denies (calls: observed; permission requests: documented).
    fn denial(&self, moment: Moment, reason: &str) -> HookAnswer {
        let text = quoted(reason);
        match moment {
            Moment::Permission => HookAnswer::json(format!("{{\"behavior\":\"deny\",\"message\":{text}}}\n"), Some(Held::Deny)),
            Moment::BeforeCall => HookAnswer::json(format!("{{\"permissionDecision\":\"deny\",\"permissionDecisionReason\":{text}}}\n"), Some(Held::Deny)),
            Moment::TurnEnd | Moment::SubagentEnd => HookAnswer::json(format!("{{\"decision\":\"block\",\"reason\":{text}}}\n"), Some(Held::Deny)),
            _ => HookAnswer::exit_two(reason),
        }
    }

    /// A text for the model is a field of the answer itself (observed with 1.0.102).
    fn context(&self, event: &Event, model: Option<&str>, _person: Option<&str>) -> HookAnswer {
        match model.filter(|_| self.takes_context(event.moment)) {
            Some(text) => HookAnswer::json(format!("{{\"additionalContext\":{}}}\n", quoted(text)), None),
            None => HookAnswer::nothing(),
        }
    }

    fn failure(&self, _tool: &str, response: &Json) -> Option<String> {
        ended(response).and_then(Result::err)
    }

    fn outcome(&self, tool: &str, error: Option<&str>, response: &Json) -> Option<Outcome> {
        outcome(tool, error, response)
    }
}

/// How a call ended, by its result: of a command the last line says the exit code, `<shellId: 0 completed with exit code 0>`
/// (recorded). `None`: it does not say, as of a command that still runs.
fn ended(result: &Json) -> Option<Result<(), String>> {
    let field = |own: &str, common: &str| result.text(own).or_else(|| result.text(common));
    let text = field("textResultForLlm", "text_result_for_llm").unwrap_or_default();
    match (code_at_end(text, " completed with exit code ", ">"), field("resultType", "result_type")?) {
        (Some((said, code)), _) => {
            let said = said.rsplit_once('\n').map_or("", |(said, _)| said);
            Some(exit_failure(code, said).map_or(Ok(()), Err))
        }
        (None, "success") => Some(Ok(())),
        (None, _) => Some(Err(text.to_owned())),
    }
}

fn outcome(tool: &str, error: Option<&str>, result: &Json) -> Option<Outcome> {
    let is_shell = is_shell(tool);
    let text = result.text("textResultForLlm").or_else(|| result.text("text_result_for_llm")).unwrap_or_default();
    match error {
        Some(_) => Some(Outcome::Failed),
        None if is_shell && code_at_end(text, " completed with exit code ", ">").is_none() => None,
        None => ended(result).map(|_| Outcome::Ok),
    }
}

/// The same client where it sends a call in Claude Code's form. It then reads the denial in that form alone (observed).
struct ClaudeForm;

impl Client for ClaudeForm {
    fn name(&self) -> &'static str {
        Copilot.name()
    }

    fn wired(&self) -> &'static [WiredEvent] {
        WIRED
    }

    fn unwired(&self) -> &'static [UnwiredEvent] {
        UNWIRED
    }

    fn has_signs(&self, moment: Moment, payload: &Json) -> bool {
        Copilot.has_signs(moment, payload)
    }

    fn failure(&self, tool: &str, response: &Json) -> Option<String> {
        Copilot.failure(tool, response)
    }

    fn outcome(&self, tool: &str, error: Option<&str>, response: &Json) -> Option<Outcome> {
        outcome(tool, error, response)
    }

    /// As in its own form: inside `hookSpecificOutput` it is dropped (observed with 1.0.102).
    fn context(&self, event: &Event, model: Option<&str>, person: Option<&str>) -> HookAnswer {
        Copilot.context(event, model, person)
    }

    fn denial(&self, moment: Moment, reason: &str) -> HookAnswer {
        if moment != Moment::BeforeCall {
            return Copilot.denial(moment, reason);
        }
        let object = format!(
            "{{\"hookSpecificOutput\":{{\"hookEventName\":\"PreToolUse\",\"permissionDecision\":\"deny\",\"permissionDecisionReason\":{}}}}}\n",
            quoted(reason)
        );
        HookAnswer::json(object, Some(Held::Deny))
    }
}
