//! Verdict to answer; what that looks like is the client's. Does not weigh anything and does not re-word reasons.
#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros)]

use crate::failure::{Conclusion, Failure, conclude};
use crate::refusal::{self, Audience};
use clients::{Client, Event, Kind, Moment};
use policy::Tier;
use policy::verdict::Verdict;

pub use clients::Answer;

/// The answer to a verdict. `command` is the text in which the findings have their spans, if there is one.
pub fn to(event: &Event, verdict: &Verdict, command: Option<&str>, attended: bool) -> Answer {
    match (event.moment.kind(), verdict.tier) {
        (Kind::Observing, _) | (_, Tier::Free | Tier::Metered) => Answer::nothing(),
        // The person is looking at the host's prompt already.
        (Kind::Asking, Tier::Supervised) => Answer::nothing(),
        (Kind::Asking, Tier::Prohibited) => denial(event, &refusal::refusal(verdict, command, Audience::Agent)),
        (Kind::Guarding, Tier::Supervised) if event.can_ask(attended) => event.client.question(&refusal::question(verdict, command)),
        (Kind::Guarding, Tier::Supervised | Tier::Prohibited) => denial(event, &refusal::refusal(verdict, command, Audience::Agent)),
    }
}

/// The denial of an event.
pub fn denial(event: &Event, reason: &str) -> Answer {
    event.client.denial(event.moment, reason)
}

/// The answer to a failure at a moment.
pub fn to_failure(failure: &Failure, client: &dyn Client, moment: Moment) -> Answer {
    match conclude(failure, moment.kind()) {
        Conclusion::GoOn => Answer::nothing(),
        Conclusion::Deny => client.denial(moment, &crate::failure::text(failure)),
    }
}
