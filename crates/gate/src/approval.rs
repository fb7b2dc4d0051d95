//! What approvals say of a call that needs a person where nobody can be asked. The cold binary finds it out.
#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros)]

use crate::judge::Judgement;
use crate::world::{Surroundings, World};
use clients::Event;

/// A call that only a person can allow, and about which nobody can be asked.
#[derive(Clone, Copy, Debug)]
pub struct ApprovalCase<'c> {
    /// The event in which the client tells of the call.
    pub event: &'c Event,
    /// What was concluded.
    pub judgement: &'c Judgement,
    /// What surrounds the call.
    pub around: &'c Surroundings,
    /// The world in which it was judged.
    pub world: &'c World,
}

/// What approvals say of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApprovalAnswer {
    /// A person approved this very call, and it takes place now.
    Approved {
        /// Who approved it.
        signer: String,
        /// The code.
        code: String,
    },
    /// A person must approve it first.
    Waits {
        /// The code. `None`: the request could not be kept.
        code: Option<String>,
        /// Minutes within which the call must come after it was approved.
        minutes: u32,
        /// What differs from a call that waits or is approved, or why the request could not be kept. Empty: nothing.
        note: String,
    },
}

impl ApprovalAnswer {
    /// The end of a denial: whether another try can work, and how.
    #[must_use]
    pub fn retry(&self) -> Option<String> {
        let Self::Waits { code, minutes, note } = self else { return None };
        let note = if note.is_empty() { String::new() } else { format!("\nnote: {note}") };
        Some(match code {
            None => format!("no, nobody can be asked here; tell the user, who can approve or do it{note}"),
            Some(code) => format!(
                "yes, the very same call, once a person has approved it\napproval: code {code}; tell the user to run `portcullis approve {code}` on a terminal of their own, and send the same call again within {minutes} min of that; only a person can do this{note}"
            ),
        })
    }
}
