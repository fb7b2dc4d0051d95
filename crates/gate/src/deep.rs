//! What only the cold binary can find out. `portcullis-hook` is small because none of this is linked into it: its answer
//! to each question is [`Stop::HandOver`].

use actions::{Action, ToolCall};
use clients::Event;
use policy::decide::Metered;
use policy::facts::{Facts, Known, Need};
use policy::verdict::Finding;
use policy::{FleetSection, Flywheel, Policy, TestsFirst, Tiers};

use crate::approval::{ApprovalAnswer, ApprovalCase};
use crate::failure::Failure;
use crate::judge::Gated;
use crate::world::layers::FoundLayer;
use crate::world::meters::FleetStore;
use crate::world::{Surroundings, World};

/// Why a judgement ends without a verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The cold binary must judge this call.
    HandOver,
    /// It cannot be judged.
    Failed(Failure),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// For callers that are the cold binary themselves.
impl From<Stop> for Failure {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::HandOver => Self::Unanswered,
            Stop::Failed(failure) => failure,
        }
    }
}

impl Stop {
    /// Ignores a failure, and passes on the wish to hand over: for events that only inform.
    ///
    /// # Errors
    ///
    /// [`Stop::HandOver`].
    pub(crate) fn unless_failed<T>(result: Result<T, Self>) -> Result<Option<T>, Self> {
        match result {
            Ok(found) => Ok(Some(found)),
            Err(Self::HandOver) => Err(Self::HandOver),
            Err(Self::Failed(_)) => Ok(None),
        }
    }
}

/// Answers that need more than file-system calls: TOML, git objects, source code. Each method of the hook's answers
/// [`Stop::HandOver`].
pub trait Deep {
    /// True in the cold binary.
    fn is_cold(&self) -> bool {
        false
    }

    /// YAML as JSON text. `None` if it cannot be read.
    ///
    /// # Errors
    ///
    /// [`Stop`]
    fn yaml_as_json(&self, _text: &str) -> Result<Option<String>, Stop> {
        Err(Stop::HandOver)
    }

    /// Compiles the policy of these layers, and keeps it for later calls.
    ///
    /// # Errors
    ///
    /// [`Stop`]
    fn compile(&self, _layers: &[FoundLayer], _around: &Surroundings, _world: &World) -> Result<Vec<u8>, Stop> {
        Err(Stop::HandOver)
    }

    /// Answers questions that [`crate::world::observe::light`] cannot answer.
    ///
    /// # Errors
    ///
    /// [`Stop`]
    fn facts(&self, _needs: Vec<Need>, _around: &Surroundings) -> Result<Vec<(Need, Known)>, Stop> {
        Err(Stop::HandOver)
    }

    /// What `[tests-first]` finds in the writes of a call.
    ///
    /// # Errors
    ///
    /// [`Stop`]
    fn tests_first(&self, _actions: &[Action], _facts: &Facts, _section: &TestsFirst, _around: &Surroundings) -> Result<Vec<Finding>, Stop> {
        Err(Stop::HandOver)
    }

    /// What calls of git would do to the policies and settings in the work tree without naming them.
    ///
    /// # Errors
    ///
    /// [`Stop`]
    fn taken_by_git(&self, _actions: &[Action], _around: &Surroundings) -> Result<Vec<Action>, Stop> {
        Err(Stop::HandOver)
    }

    /// What `[flywheel]` finds in a call: learnings that would be lost, documents that a commit leaves behind.
    ///
    /// # Errors
    ///
    /// [`Stop`]
    fn documents(&self, _actions: &[Action], _around: &Surroundings, _section: &Flywheel) -> Result<Vec<Finding>, Stop> {
        Err(Stop::HandOver)
    }

    /// What gates and phases find in a call that they speak of.
    ///
    /// # Errors
    ///
    /// [`Stop`]
    fn gates(&self, _gated: &[Metered], _call: &[Action], _facts: &Facts, _policy: &Policy, _around: &Surroundings) -> Result<Gated, Stop> {
        Err(Stop::HandOver)
    }

    /// Why an agent must not end its work yet. `None`: it may. `policy` is the compiled policy.
    ///
    /// # Errors
    ///
    /// [`Stop`]
    fn ending(&self, _event: &Event, _around: &Surroundings, _policy: &[u8]) -> Result<Option<String>, Stop> {
        Err(Stop::HandOver)
    }

    /// Remembers what a call that ended shows to gates. `policy` is the compiled policy.
    ///
    /// # Errors
    ///
    /// [`Stop`]
    fn remember_evidence(&self, _event: &Event, _call: &ToolCall, _around: &Surroundings, _policy: &[u8]) -> Result<(), Stop> {
        Err(Stop::HandOver)
    }

    /// Remembers what a run of tests showed. `policy` is the compiled policy.
    ///
    /// # Errors
    ///
    /// [`Stop`]
    fn remember_run(&self, _event: &Event, _call: &ToolCall, _around: &Surroundings, _policy: &[u8]) -> Result<(), Stop> {
        Err(Stop::HandOver)
    }

    /// What the model is shown when a turn or a session begins or ends. `None`: nothing.
    ///
    /// # Errors
    ///
    /// [`Stop`]
    fn turn(&self, _event: &Event, _around: &Surroundings, _section: &Flywheel) -> Result<Option<String>, Stop> {
        Err(Stop::HandOver)
    }

    /// Whether a person approved this very call. An approval that is found is used up by it. `None`: approvals are not for
    /// such calls.
    ///
    /// # Errors
    ///
    /// [`Stop`]
    fn approval(&self, _case: &ApprovalCase) -> Result<Option<ApprovalAnswer>, Stop> {
        Err(Stop::HandOver)
    }

    /// Adds what the model itself cost to budgets that count tokens, as the transcript of the session shows it.
    ///
    /// # Errors
    ///
    /// [`Stop`]
    fn count_spend(&self, _event: &Event, _around: &Surroundings, _tiers: &Tiers) -> Result<(), Stop> {
        Err(Stop::HandOver)
    }

    /// Where what all machines of a fleet share is counted. `None`: it cannot be reached, and this machine counts for itself.
    ///
    /// # Errors
    ///
    /// [`Stop`]
    fn fleet(&self, _section: &FleetSection) -> Result<Option<Box<dyn FleetStore>>, Stop> {
        Err(Stop::HandOver)
    }

    /// Why settings that changed during a session must not take effect. `None`: they may.
    ///
    /// # Errors
    ///
    /// [`Stop`]
    fn settings_changed(&self, _event: &Event, _around: &Surroundings, _world: &World) -> Result<Option<String>, Stop> {
        Err(Stop::HandOver)
    }
}

/// The hook itself: everything deep is handed over.
#[derive(Clone, Copy, Debug)]
pub struct HandsOver;

impl Deep for HandsOver {}
