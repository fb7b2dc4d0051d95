//! Verdict to answer; what that looks like is the client's. Does not weigh anything and does not re-word reasons.
#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros)]

use crate::approval::ApprovalAnswer;
use crate::failure::{Conclusion, Failure, conclude};
use crate::refusal::{self, Audience};
use crate::stall;
use clients::{Client, Event, Moment, MomentKind};
use policy::Tier;
use policy::verdict::Verdict;

pub use clients::HookAnswer;

/// The answer to a verdict. `command` is the text in which the findings have their spans, if there is one.
/// `approval` is what approvals say, if they were asked.
pub fn to(event: &Event, verdict: &Verdict, command: Option<&str>, attended: bool, approval: Option<&ApprovalAnswer>) -> HookAnswer {
    let refusal = || match approval.and_then(ApprovalAnswer::retry) {
        Some(retry) => refusal::refusal_with(verdict, command, &retry),
        None => refusal::refusal(verdict, command, Audience::Agent),
    };
    if let Some(stopped) = verdict.holding().find(|finding| finding.rule == stall::STOPPED).filter(|_| event.moment == Moment::BeforeCall) {
        let others = verdict.findings.iter().filter(|finding| finding.rule != stall::STOPPED);
        let first = Verdict { tier: verdict.tier, findings: std::iter::once(stopped).chain(others).cloned().collect(), price: verdict.price };
        return event.client.stop(event.moment, &refusal::refusal(&first, command, Audience::Agent));
    }
    match (event.moment.kind(), verdict.tier) {
        (MomentKind::Observing, _) | (_, Tier::Free | Tier::Metered) => HookAnswer::nothing(),
        // The person is looking at the host's prompt already.
        (MomentKind::Asking, Tier::Supervised) if event.is_asking() => HookAnswer::nothing(),
        (MomentKind::Asking, Tier::Supervised | Tier::Prohibited) => denial(event, &refusal::refusal(verdict, command, Audience::Agent)),
        (MomentKind::Guarding, Tier::Supervised) if event.can_ask(attended) => event.client.question(&refusal::question(verdict, command, Audience::Agent)),
        (MomentKind::Guarding, Tier::Supervised | Tier::Prohibited) => denial(event, &refusal()),
    }
}

/// True if a person must approve the call, and nobody can be asked about it.
pub fn needs_approval(event: &Event, verdict: &Verdict, attended: bool) -> bool {
    verdict.tier == Tier::Supervised && event.moment.kind() == MomentKind::Guarding && !event.can_ask(attended)
}

/// The denial of an event.
pub fn denial(event: &Event, reason: &str) -> HookAnswer {
    event.client.denial(event.moment, reason)
}

/// The answer to a failure at a moment.
pub fn to_failure(failure: &Failure, client: &dyn Client, moment: Moment) -> HookAnswer {
    match conclude(failure, moment.kind()) {
        Conclusion::GoOn => HookAnswer::nothing(),
        Conclusion::Deny => client.denial(moment, &crate::failure::text(failure)),
    }
}
