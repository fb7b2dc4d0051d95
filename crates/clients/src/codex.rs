//! `OpenAI`'s Codex CLI: event names and answers of Claude Code. Its contract as published in its schemas, and observed with
//! versions 0.169.0 and 0.171.0.

use actions::json::Json;

use crate::fields::exit_failure;
use crate::moment::NotWired::{NotNeeded, SeenByCall};
use crate::moment::{Moment, UnwiredEvent, WiredEvent};
use crate::{Client, EndFinder, Outcome, TranscriptForm, Variables};

/// `OpenAI`'s Codex CLI.
pub(crate) struct Codex;

const WIRED: &[WiredEvent] = &[
    WiredEvent::new("PreToolUse", Moment::BeforeCall, true),
    WiredEvent::new("PermissionRequest", Moment::Permission, true),
    WiredEvent::new("PostToolUse", Moment::AfterCall, true),
    WiredEvent::new("UserPromptSubmit", Moment::Prompt, false),
    WiredEvent::new("SessionStart", Moment::SessionStart, false),
    WiredEvent::new("SessionEnd", Moment::SessionEnd, false),
    WiredEvent::new("Stop", Moment::TurnEnd, false),
    WiredEvent::new("SubagentStop", Moment::SubagentEnd, false),
];

const UNWIRED: &[UnwiredEvent] = &[
    UnwiredEvent::new("SubagentStart", Moment::Other, SeenByCall),
    UnwiredEvent::new("PreCompact", Moment::Other, NotNeeded),
    UnwiredEvent::new("PostCompact", Moment::Other, NotNeeded),
];

impl Client for Codex {
    fn name(&self) -> &'static str {
        "codex"
    }

    fn programs(&self) -> &'static [&'static str] {
        &["codex"]
    }

    fn transcript(&self) -> Option<TranscriptForm> {
        Some(TranscriptForm::Codex)
    }

    fn wired(&self) -> &'static [WiredEvent] {
        WIRED
    }

    fn unwired(&self) -> &'static [UnwiredEvent] {
        UNWIRED
    }

    fn variables(&self) -> Variables {
        Variables { config: Some("CODEX_HOME"), agent: "CODEX_*", ..Variables::default() }
    }

    /// A `turn_id` on all events within a turn; when a session begins a mode, which Kimi Code does not send, and no time; when it
    /// ends nothing that others do not send (recorded with 0.169.0 and 0.171.0).
    fn has_signs(&self, moment: Moment, payload: &Json) -> bool {
        match moment {
            Moment::SessionStart => payload.get("permission_mode").is_some() && payload.get("timestamp").is_none(),
            Moment::SessionEnd => true,
            _ => payload.get("turn_id").is_some(),
        }
    }

    /// It sends the event when its approval prompt is about to be shown (documented).
    fn asks_at_permission(&self) -> bool {
        true
    }

    /// It gives what a command printed, and not how that ended (recorded with 0.169.0 and 0.171.0). Its shell is called `Bash`.
    fn outcome(&self, tool: &str, _error: Option<&str>, _response: &Json) -> Option<Outcome> {
        (tool != "Bash").then_some(Outcome::Ok)
    }

    fn end_in_transcript(&self) -> Option<EndFinder> {
        Some(end)
    }
}

/// When the hook is started, the transcript has a line that the command is complete, with its exit code (observed with 0.171.0). A
/// second line of the same call would not be the client's, and then neither counts.
fn end(call: &str, lines: &str) -> Option<(Outcome, Option<String>)> {
    let mut ends = lines.lines().filter(|line| line.contains("\"CommandExecution\"") && line.contains(call)).filter_map(|line| {
        let line = Json::read(line.as_bytes()).ok()?;
        let item = line.get("payload")?.get("item")?;
        let code = item.get("exit_code")?.scalar()?;
        (item.text("type") == Some("CommandExecution") && item.text("id") == Some(call))
            .then(|| (code.clone(), item.text("aggregated_output").unwrap_or_default().to_owned()))
    });
    let (code, said) = ends.next()?;
    if ends.next().is_some() {
        return None;
    }
    let failed = exit_failure(&code, &said);
    match failed {
        Some(_) => Some((Outcome::Failed, failed)),
        None => (code == "0").then_some((Outcome::Ok, None)),
    }
}
