//! What calls use up: `[[limit]]` counts them, `[[budget]]` adds up what they cost. In the compiled form. What was used so far
//! is not known here.

use super::{Layer, Tier};
use actions::wire::{Bytes, RecordOutput, Wire};
use actions::{named_enum, wire_struct};

/// What a matching call uses up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meter<'a> {
    /// One of a number of calls.
    Limit(Limit),
    /// Money.
    Cost(Cost<'a>),
    /// Nothing: the gate of the rule's name asks for what must be there before it, and this is the moment.
    Gate(&'a str),
    /// Nothing: the work enters this phase. Empty: a file says which.
    Phase(&'a str),
}

impl Meter<'_> {
    /// Whether it stands for a gate or a phase, which use up nothing.
    #[must_use]
    pub fn is_gate(&self) -> bool {
        matches!(self, Self::Gate(_) | Self::Phase(_))
    }
}

impl<'a> Wire<'a> for Meter<'a> {
    fn put(&self, out: &mut RecordOutput) {
        match self {
            Self::Limit(limit) => (0u8.put(out), ((limit.max, limit.window), (limit.scope, limit.over)).put(out)),
            Self::Cost(cost) => (1u8.put(out), cost.put(out)),
            Self::Gate(before) => (2u8.put(out), before.put(out)),
            Self::Phase(phase) => (3u8.put(out), phase.put(out)),
        };
    }

    fn get(from: &mut Bytes<'a>) -> Option<Self> {
        match u8::get(from)? {
            0 => <((u32, u64), (Scope, Tier))>::get(from).map(|((max, window), (scope, over))| Self::Limit(Limit { max, window, scope, over })),
            1 => Cost::get(from).map(Self::Cost),
            2 => <&str>::get(from).map(Self::Gate),
            3 => <&str>::get(from).map(Self::Phase),
            _ => None,
        }
    }
}

/// `[[limit]]`: so many calls in so much time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Calls that are allowed in the window; at most [`Limit::MOST`].
    pub max: u32,
    /// The length of the sliding window in milliseconds. 0: the whole session.
    pub window: u64,
    /// Whose calls are counted together.
    pub scope: Scope,
    /// What becomes of a call beyond it.
    pub over: Tier,
}

impl Limit {
    /// The largest `max`: each counted call has a place in a file.
    pub const MOST: u32 = 10_000;
}

named_enum! {
    /// Whose calls are counted together.
    pub enum Scope {
        Session = "session",
        /// An agent of a session: the main one, or one sub-agent.
        Agent = "agent",
        /// A repository with all its work trees.
        Repository = "repo",
        /// All repositories of one user on one machine.
        Machine = "machine",
        /// All machines that share the `[store]`.
        Fleet = "fleet",
    }
}

/// What one action of a kind costs: a row of `costs` in a `[[budget]]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost<'a> {
    /// The budget's name.
    pub budget: &'a str,
    /// In millionths of a US dollar: what is reserved before the call.
    pub micro: u64,
    /// Where the tool's answer has the true price in US dollars, as a JSON pointer. Empty: the price is fixed.
    pub at: &'a str,
}
wire_struct!(Cost { budget, micro, at });

/// `[[budget]]`: how much may be spent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budget<'a> {
    pub name: &'a str,
    /// `portcullis.toml:12`
    pub place: &'a str,
    pub layer: Layer,
    /// In millionths of a US dollar.
    pub micro: u64,
    pub per: Period,
    /// The share in percent at which the model is told.
    pub warn: u8,
    /// What becomes of a call that would go beyond it.
    pub over: Tier,
    /// The tokens that the client's transcript tells count too.
    pub tokens: bool,
    pub shadow: bool,
    pub reason: &'a str,
    pub instead: &'a str,
}
wire_struct!(Budget { name, place, layer, micro, per, warn, over, tokens, shadow, reason, instead });

named_enum! {
    /// What a budget is for.
    pub enum Period {
        Session = "session",
        /// A branch of the repository, in all sessions.
        Branch = "branch",
        /// A day of the repository (UTC).
        Day = "day",
        /// What a session does after one prompt of a person.
        Run = "run",
    }
}
