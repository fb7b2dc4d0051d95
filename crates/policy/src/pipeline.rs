//! Work in phases (`[pipeline]`), and what must be there before something is done (`[[gate]]`), in the compiled form. What is
//! there is not known here.

use super::{Layer, Tier};
use crate::pattern::Pattern;
use actions::{named_enum, wire_struct};

/// `[pipeline]`: the phases of a piece of work, in their order.
#[derive(Clone, Debug, PartialEq)]
pub struct Pipeline<'a> {
    /// `portcullis.toml:12`
    pub place: &'a str,
    /// The uppermost layer that names the phases.
    pub layer: Layer,
    /// What would be stopped is shown, and nothing is stopped.
    pub shadow: bool,
    pub phases: Vec<&'a str>,
    pub autonomy: Autonomy,
    /// Where the autonomy is set; empty where nothing sets it.
    pub autonomy_place: &'a str,
    /// Phases, each with the types of the sub-agents that work in it.
    pub agents: Vec<(&'a str, Vec<Pattern<'a>>)>,
    /// A file of which the first line names the phase, from the root of the repository. Empty: there is no such file.
    pub marker: &'a str,
    /// Phases, each with how often its agent may be started once more.
    pub retries: Vec<(&'a str, u16)>,
    /// How many phases an agent may enter before a person must move the work, where the autonomy is supervised.
    pub batch: u16,
}
wire_struct!(Pipeline { place, layer, shadow, phases, autonomy, autonomy_place, agents, marker, retries, batch });

named_enum! {
    /// Who moves the work from phase to phase. The stricter is first.
    #[derive(PartialOrd, Ord)]
    pub enum Autonomy {
        /// A person does, each time.
        Supervised = "supervised",
        /// A person begins it and ends it.
        Semi = "semi",
        /// Evidence alone does.
        Headless = "headless",
    }
}

/// The phase behind the last one: the work is done.
pub const DONE: &str = "done";
/// What a moment before a phase begins with: `phase:review`.
pub const BEFORE_PHASE: &str = "phase:";
/// The moment before an agent ends its work.
pub const BEFORE_STOP: &str = "stop";
/// The moment before a commit.
pub const BEFORE_COMMIT: &str = "commit";
/// The moment for which a gate says itself what it is.
pub const BEFORE_DEPLOY: &str = "deploy";

/// `[[gate]]`: what must be there before something is done.
#[derive(Clone, Debug, PartialEq)]
pub struct Gate<'a> {
    pub name: &'a str,
    /// `portcullis.toml:12`
    pub place: &'a str,
    pub layer: Layer,
    pub shadow: bool,
    /// `stop`, `phase:review`, `commit`, `push`, `pull-request`, `merge`, `deploy`.
    pub before: Vec<&'a str>,
    /// All of them must be there.
    pub needs: Vec<GateNeed<'a>>,
    /// What becomes of the action where something is missing.
    pub tier: Tier,
    /// Only for these agent types; empty: for all, and before `stop` for the main one.
    pub for_agents: Vec<Pattern<'a>>,
    pub reason: &'a str,
    pub instead: &'a str,
}
wire_struct!(Gate { name, place, layer, shadow, before, needs, tier, for_agents, reason, instead });

/// One thing that a gate needs. What a field means depends on the kind.
#[derive(Clone, Debug, PartialEq)]
pub struct GateNeed<'a> {
    pub kind: NeedKind,
    /// The command; the file of ticks, of a verdict or of a report; `red` or `green`.
    pub text: &'a str,
    /// The line that a verdict must have.
    pub says: &'a str,
    /// Globs, from the root of the repository.
    pub paths: Vec<&'a str>,
    /// Agents of which one must have written it. Empty: anybody may.
    pub by: Vec<Pattern<'a>>,
    /// Boxes at the least; a share in percent; lines.
    pub number: u32,
    /// How far an estimate may be passed, in percent of it.
    pub within: u32,
    /// Only what was done in the present phase counts. Without it a command must have run after the last write.
    pub in_phase: bool,
}
wire_struct!(GateNeed { kind, text, says, paths, by, number, within, in_phase });

named_enum! {
    /// The kinds of what a gate needs.
    #[derive(PartialOrd, Ord)]
    pub enum NeedKind {
        /// A command was seen to succeed.
        Command = "command",
        /// Tests were seen to fail, or to pass.
        Tests = "tests",
        /// Files of these paths changed.
        Touched = "touched",
        /// No suggestion for the documentation is open.
        Documents = "documents",
        /// All boxes of a file are ticked.
        Checklist = "checklist",
        /// A file has a line.
        Verdict = "verdict",
        /// Lines of these paths are covered by tests.
        Coverage = "coverage",
        /// What changed sources import is in their manifests.
        Imports = "imports",
        /// There are files of these paths.
        Exists = "exists",
        /// The change is about as large as was thought: a note, which stops nothing.
        Estimate = "estimate",
    }
}

impl<'a> Pipeline<'a> {
    /// The phase behind another one; behind none, and behind the last, the work begins anew. `None`: there is no such phase.
    #[must_use]
    pub fn after(&self, phase: &str) -> Option<&'a str> {
        if phase.is_empty() || phase == DONE {
            return self.phases.first().copied();
        }
        let at = self.phases.iter().position(|known| *known == phase)?;
        Some(self.phases.get(at + 1).copied().unwrap_or(DONE))
    }

    /// Where a phase is among the others: 0 before the first, and [`DONE`] behind the last. `None`: there is no such phase.
    #[must_use]
    pub fn position(&self, phase: &str) -> Option<usize> {
        match phase {
            "" => Some(0),
            DONE => Some(self.phases.len() + 1),
            _ => self.phases.iter().position(|known| *known == phase).map(|at| at + 1),
        }
    }

    /// How often the agent of a phase may be started in it. `None`: as often as it likes.
    #[must_use]
    pub fn tries(&self, phase: &str) -> Option<u32> {
        self.retries.iter().find(|(known, _)| *known == phase).map(|(_, retries)| u32::from(*retries) + 1)
    }
}
