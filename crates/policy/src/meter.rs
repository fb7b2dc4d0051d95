//! What is done with matching calls beside a verdict: `[[limit]]` counts them, `[[budget]]` adds up what they cost, `[[result]]`
//! looks into their answers; and `[stall]`. In the compiled form. What happened so far is not known here.

use super::pattern::Pattern;
use super::{Layer, Tier, ValueTest};
use actions::wire::{Bytes, RecordOutput, Wire};
use actions::{named_enum, wire_struct};

/// What is done with a matching call.
#[derive(Clone, Debug, PartialEq)]
pub enum Meter<'a> {
    /// It uses up one of a number of calls.
    Limit(Limit),
    /// It uses up money.
    Cost(Cost<'a>),
    /// Its answer is looked into. What must be at these JSON pointers; empty: nothing is asked.
    Result(Vec<(&'a str, ValueTest<'a>)>),
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
            Self::Limit(limit) => (0u8.put(out), limit.put(out)),
            Self::Cost(cost) => (1u8.put(out), cost.put(out)),
            Self::Result(finds) => (2u8.put(out), finds.put(out)),
            Self::Gate(before) => (3u8.put(out), before.put(out)),
            Self::Phase(phase) => (4u8.put(out), phase.put(out)),
        };
    }

    fn get(from: &mut Bytes<'a>) -> Option<Self> {
        match u8::get(from)? {
            0 => Limit::get(from).map(Self::Limit),
            1 => Cost::get(from).map(Self::Cost),
            2 => Vec::get(from).map(Self::Result),
            3 => <&str>::get(from).map(Self::Gate),
            4 => <&str>::get(from).map(Self::Phase),
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
    pub scope: MeterScope,
    /// What becomes of a call beyond it.
    pub over: Tier,
}

impl<'a> Wire<'a> for Limit {
    fn put(&self, out: &mut RecordOutput) {
        ((self.max, self.window), (self.scope, self.over)).put(out);
    }

    fn get(from: &mut Bytes<'a>) -> Option<Self> {
        <((u32, u64), (MeterScope, Tier))>::get(from).map(|((max, window), (scope, over))| Self { max, window, scope, over })
    }
}

/// A `[[limit]]` on every call, whatever it does.
#[derive(Clone, Debug, PartialEq)]
pub struct EveryCall<'a> {
    pub name: &'a str,
    /// `portcullis.toml:12`
    pub place: &'a str,
    pub layer: Layer,
    pub shadow: bool,
    pub limit: Limit,
    pub reason: &'a str,
    pub instead: &'a str,
}
wire_struct!(EveryCall { name, place, layer, shadow, limit, reason, instead });

impl Limit {
    /// The largest `max`: each counted call has a place in a file.
    pub const MOST: u32 = 10_000;
}

named_enum! {
    /// Whose calls are counted together.
    pub enum MeterScope {
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
    /// The share in percent at which the model is warned.
    pub warn: u8,
    /// What becomes of a call that would go beyond it.
    pub over: Tier,
    /// The tokens that the client's transcript tells count too.
    pub tokens: bool,
    /// Calls are stopped while no transcript can be seen. Otherwise that is only reported.
    pub needs_transcript: bool,
    /// All machines that share the `[store]` spend together.
    pub fleet: bool,
    pub shadow: bool,
    pub reason: &'a str,
    pub instead: &'a str,
}
wire_struct!(Budget { name, place, layer, micro, per, warn, over, tokens, needs_transcript, fleet, shadow, reason, instead });

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

/// `[store]`: where what all machines of a fleet share is counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FleetSection<'a> {
    /// `portcullis.toml:12`
    pub place: &'a str,
    pub layer: Layer,
    /// `redis://HOST:6379/0`
    pub engine: &'a str,
    /// Calls are counted on this machine alone while it cannot be reached. Otherwise they are denied.
    pub local: bool,
    /// The variable with the password. Empty: none.
    pub password_env: &'a str,
    /// The file with the password. Empty: none.
    pub password_file: &'a str,
}
wire_struct!(FleetSection { place, layer, engine, local, password_env, password_file });

/// `[record]`: how much of the record is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordSection<'a> {
    /// `portcullis.toml:12`
    pub place: &'a str,
    /// Days after which a line goes. 0: it goes only for its size.
    pub days: u32,
    /// Megabytes of all files of one repository. 0: as where nothing is said.
    pub megabytes: u32,
}
wire_struct!(RecordSection { place, days, megabytes });

/// `[release]`: which state of the organisation's policy this is, and how long it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseSection<'a> {
    /// `/etc/portcullis/portcullis.toml:12`
    pub place: &'a str,
    /// The policy only watches.
    pub shadow: bool,
    /// A later state has a higher number.
    pub serial: u64,
    /// The last day on which it holds, in days since 1970-01-01 (UTC). `None`: it has no end.
    pub until: Option<i64>,
    /// Days behind the last one in which calls are not denied yet.
    pub grace: u32,
    /// After these days every call is denied. Otherwise it is only said.
    pub denies: bool,
}
wire_struct!(ReleaseSection { place, shadow, serial, until, grace, denies });

/// How old a state of the organisation's policy is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReleaseAge {
    Fresh,
    /// It has ended. After so many days calls are denied; `None`: they never are.
    Stale {
        left: Option<i64>,
    },
    /// It has ended, its grace too, and calls are denied.
    Over,
}

impl ReleaseSection<'_> {
    /// How old it is on the day `today`, in days since 1970-01-01 (UTC).
    #[must_use]
    pub fn age(&self, today: i64) -> ReleaseAge {
        let Some(until) = self.until.filter(|until| today > *until) else { return ReleaseAge::Fresh };
        let left = until.saturating_add(i64::from(self.grace)).saturating_sub(today);
        match self.denies {
            true if left < 0 => ReleaseAge::Over,
            denies => ReleaseAge::Stale { left: denies.then_some(left + 1) },
        }
    }
}

/// What must follow a call before the turn ends: `follow` of a `[[result]]` with `holds = "stop"`.
#[derive(Clone, Debug, PartialEq)]
pub struct FollowUp<'a> {
    /// The name of the `[[result]]`.
    pub name: &'a str,
    /// `portcullis.toml:12`
    pub place: &'a str,
    /// Any of these tools, or a command that begins so.
    pub calls: Vec<Pattern<'a>>,
    /// What follows, as written.
    pub shown: &'a str,
    /// The turn is not kept from ending.
    pub shadow: bool,
}
wire_struct!(FollowUp { name, place, calls, shown, shadow });

/// `[stall]`: when an agent goes round in circles.
#[derive(Clone, Debug, PartialEq)]
pub struct Stall<'a> {
    /// `portcullis.toml:12`
    pub place: &'a str,
    pub layer: Layer,
    pub shadow: bool,
    /// Equal calls in a row with equal answers. 0: not looked for.
    pub repeat: u8,
    /// The lengths of circles, the shortest and the longest. Two zeros: not looked for.
    pub cycle: (u8, u8),
    /// How often a circle is gone round.
    pub times: u8,
    /// Failures in a row with the same error. 0: not looked for.
    pub errors: u8,
    /// Calls without a change of any file, in a session that changes some. 0: not looked for.
    pub idle: u8,
    /// A note for the model comes first.
    pub notes: bool,
    /// The next equal call is stopped.
    pub denies: bool,
    /// An agent that repeats what was denied is stopped as a whole.
    pub stops: bool,
    /// Tools, and beginnings of commands, that wait for something: they may repeat themselves.
    pub waits: Vec<Pattern<'a>>,
}
wire_struct!(Stall { place, layer, shadow, repeat, cycle, times, errors, idle, notes, denies, stops, waits });
