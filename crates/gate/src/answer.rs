//! Verdict to the host's contract: exit code, standard error, JSON. Does not weigh anything and does not re-word reasons.
#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros)]

use crate::failure::{Conclusion, Failure, conclude};
use crate::refusal::{self, Audience};
use actions::json::quoted;
use clients::{Event, Host, Kind};
use policy::Tier;
use policy::verdict::Verdict;

/// What the process gives back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The exit code: 0, or 2 for a denial.
    pub code: i32,
    /// Standard output: nothing, or one JSON object.
    pub stdout: String,
    /// Standard error: nothing, or the reason of a denial.
    pub stderr: String,
}

impl Answer {
    /// Nothing to say; never an explicit allow, which would skip the person's own prompts.
    pub fn nothing() -> Self {
        Self::default()
    }

    /// The denial that every host honours: exit 2, the reason on standard error, an empty standard output.
    pub fn deny(reason: &str) -> Self {
        Self { code: 2, stdout: String::new(), stderr: format!("{reason}\n") }
    }
}

/// Whether a person can be asked by the host's own prompt.
///
/// Claude Code prompts on `ask` unless it runs unattended (`attended` is false), in `bypassPermissions` or in `dontAsk`;
/// Codex and Gemini have no such answer and would continue.
pub fn can_ask(event: &Event, attended: bool) -> bool {
    event.host == Host::ClaudeCode && event.name == "PreToolUse" && attended && !matches!(event.mode.as_str(), "bypassPermissions" | "dontAsk")
}

/// The answer to a verdict. `command` is the text in which the findings have their spans, if there is one.
pub fn to(event: &Event, verdict: &Verdict, command: Option<&str>, attended: bool) -> Answer {
    match (Kind::of(&event.name), verdict.tier) {
        (Kind::Observing, _) | (_, Tier::Free | Tier::Metered) => Answer::nothing(),
        // The person is looking at the host's prompt already.
        (Kind::Asking, Tier::Supervised) => Answer::nothing(),
        (Kind::Asking, Tier::Prohibited) => permission_denied(&refusal::refusal(verdict, command, Audience::Agent)),
        (Kind::Guarding, Tier::Supervised) if can_ask(event, attended) => ask(&refusal::question(verdict, command)),
        (Kind::Guarding, Tier::Supervised | Tier::Prohibited) => Answer::deny(&refusal::refusal(verdict, command, Audience::Agent)),
    }
}

/// The answer to a failure.
pub fn to_failure(failure: &Failure, kind: Kind) -> Answer {
    match (conclude(failure, kind), kind) {
        (Conclusion::GoOn, _) => Answer::nothing(),
        (Conclusion::Deny, Kind::Asking) => permission_denied(&crate::failure::text(failure)),
        (Conclusion::Deny, _) => Answer::deny(&crate::failure::text(failure)),
    }
}

/// A text for the model, and one for the person, beside an event that only tells.
pub fn context(event: &Event, model: Option<&str>, person: Option<&str>) -> Answer {
    let person = person.map(|text| format!("\"systemMessage\":{}", quoted(text)));
    // The event's name is part of it: without, clients drop the whole.
    let model = model.map(|text| format!("\"hookSpecificOutput\":{{\"hookEventName\":{},\"additionalContext\":{}}}", quoted(&event.name), quoted(text)));
    let parts: Vec<String> = person.into_iter().chain(model).collect();
    if parts.is_empty() { Answer::nothing() } else { Answer { code: 0, stdout: format!("{{{}}}\n", parts.join(",")), stderr: String::new() } }
}

fn ask(reason: &str) -> Answer {
    let stdout = format!(
        "{{\"hookSpecificOutput\":{{\"hookEventName\":\"PreToolUse\",\"permissionDecision\":\"ask\",\"permissionDecisionReason\":{}}}}}\n",
        quoted(reason)
    );
    Answer { code: 0, stdout, stderr: String::new() }
}

/// `PermissionRequest` is decided by JSON alone.
pub fn permission_denied(reason: &str) -> Answer {
    let stdout = format!(
        "{{\"hookSpecificOutput\":{{\"hookEventName\":\"PermissionRequest\",\"decision\":{{\"behavior\":\"deny\",\"message\":{}}}}}}}\n",
        quoted(reason)
    );
    Answer { code: 0, stdout, stderr: String::new() }
}
