//! What is true of the world, as data. Computes nothing; `world` fills it in.
#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros)]

use std::collections::BTreeMap;

use actions::Change;

/// What is known of the world. Places are always known; the rest only if it was asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// Folders and identities that every judgement needs.
    pub places: Places,
    /// Answers to [`Need`]s.
    pub known: BTreeMap<Need, Known>,
    /// Today, in days since 1970-01-01 (UTC).
    pub today: i64,
    /// The agent's type; the main agent is `main`.
    pub agent: String,
    /// The host's permission mode.
    pub mode: String,
}

/// Folders, each an absolute path without a slash at its end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    /// The root of the repository, or the project folder where there is none; a linked work tree may add a second.
    pub roots: Vec<String>,
    /// The folder in which a command starts.
    pub cwd: String,
    /// Home folders: the password database's and, where it differs, the environment's.
    pub homes: Vec<String>,
    /// Temporary folders.
    pub temporary: Vec<String>,
    /// The folder of the gate's binaries.
    pub binaries: Vec<String>,
    /// Folders of the gate's state.
    pub state: Vec<String>,
    /// Folders of the gate's user policy.
    pub config: Vec<String>,
    /// The git directory and the common directory of the repository.
    pub git: Vec<String>,
    /// The clients' shell may be zsh: the environment does not name bash, or the password database names zsh.
    pub zsh: bool,
}

/// Something a rule must know that is not in the action.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// Where a path leads when links are followed; in its last component only if the flag says so.
    RealPath(String, bool),
    /// Whether a file exists.
    Exists(String),
    /// Whether a file holds this text.
    Holds(String, String),
    /// The current branch of the repository around this folder.
    Branch(String),
    /// Whether the work tree around this folder has changes that are in no commit; with files that git does not track, if
    /// the flag says so.
    Dirty(String, bool),
    /// The folder in which git looks for hooks, where its configuration names one.
    HooksFolder,
    /// Whether a change of this settings file would lose the gate.
    LosesGate(String, Change),
    /// Whether a change of this policy file would make it hold less.
    WeakensPolicy(String, Change),
    /// How large a file is in the commit that is judged; a no where none is.
    Size(String),
}

/// What was found out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// A text.
    Text(String),
    /// Bytes.
    Size(u64),
    /// Yes or no, and for yes the reason where there is one.
    Is(bool, String),
    /// It could not be found out, and why.
    Unknown(String),
}

impl Facts {
    /// What is known of `need`; none if it was not asked yet.
    #[must_use]
    pub fn of(&self, need: &Need) -> Option<&Known> {
        self.known.get(need)
    }
}

/// Days since 1970-01-01 of a day of the Gregorian calendar, by counting in years that begin in March.
pub fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + (153 * month + 2) / 5 + day - 1 - 719_468
}
