//! When a client starts the hook, in words that no client owns; and the tables in which each client says which of its
//! events is which moment.

use crate::CLIENTS;

/// The moment at which a client starts the hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// A tool is about to be used.
    BeforeCall,
    /// The client is about to ask a person for permission to use a tool.
    Permission,
    /// A settings file changed while the session runs.
    SettingsChanged,
    /// A tool was used. [`crate::Event::outcome`] tells how that ended.
    AfterCall,
    /// A tool was used and failed, for clients that have an event of its own for that.
    AfterFailure,
    /// The client itself refused a call.
    Refused,
    /// A prompt was sent to the model.
    Prompt,
    /// The agent ended its turn.
    TurnEnd,
    /// A sub-agent ended its work.
    SubagentEnd,
    /// An agent of a team says that a task is done.
    TaskEnd,
    /// A session begins, or is taken up again.
    SessionStart,
    /// A session ends.
    SessionEnd,
    /// Something else happened, and Portcullis needs nothing of it.
    Other,
    /// An event that no client is known to have.
    Unknown,
}

/// What an answer can do at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MomentKind {
    /// The action is still to come, and a denial stops it.
    Guarding,
    /// The client asks a person, and a denial answers instead.
    Asking,
    /// It happened already.
    Observing,
}

impl Moment {
    /// The moment of the event of this name, whichever client's it is. Clients that share a name mean the same moment.
    #[must_use]
    pub fn of(event: &str) -> Self {
        CLIENTS.iter().find_map(|client| client.moment(event)).unwrap_or(Self::Unknown)
    }

    /// What an answer can do. At an unknown moment it may still stop something: what is not known must not pass unseen.
    #[must_use]
    pub fn kind(self) -> MomentKind {
        match self {
            Self::BeforeCall | Self::SettingsChanged | Self::Unknown => MomentKind::Guarding,
            Self::Permission => MomentKind::Asking,
            _ => MomentKind::Observing,
        }
    }
}

/// An event that needs an entry in the client's settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WiredEvent {
    /// The client's name of the event. It is also the first argument of the hook.
    pub event: &'static str,
    /// When it comes.
    pub moment: Moment,
    /// True if entries on it have a matcher for tools; ours matches all of them.
    pub has_matcher: bool,
}

impl WiredEvent {
    pub(crate) const fn new(event: &'static str, moment: Moment, has_matcher: bool) -> Self {
        Self { event, moment, has_matcher }
    }

    /// True if a hook that cannot answer must stop what is about to happen.
    #[must_use]
    pub fn is_guarding(self) -> bool {
        self.moment.kind() != MomentKind::Observing
    }
}

/// An event that has no entry, with the reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnwiredEvent {
    /// The client's name of the event.
    pub event: &'static str,
    /// When it comes.
    pub moment: Moment,
    /// Why it has no entry.
    pub reason: NotWired,
}

impl UnwiredEvent {
    pub(crate) const fn new(event: &'static str, moment: Moment, reason: NotWired) -> Self {
        Self { event, moment, reason }
    }
}

/// Why an event has no entry in the client's settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotWired {
    /// No rule and no record needs what it reports.
    NotNeeded,
    /// The calls that it reports have events of their own, which are wired.
    SeenByCall,
    /// The answer of a hook replaces what the client would do itself, so that silence would break it.
    ReplacesClient,
    /// The client starts the hook and does not wait for its answer.
    AnswerIgnored,
    /// It comes for each part of a text or each request to the model, and would cost more than it tells.
    TooFrequent,
}
