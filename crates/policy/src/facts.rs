//! Facts about the file system and the repository, as data. `gate::world` answers them.
#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros)]

use std::collections::BTreeMap;

use actions::Change;

/// The known facts. Places are always known; other facts only if a rule asked for them.
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
    /// A commit is judged.
    pub committing: bool,
}

/// Folders, each an absolute path without a slash at its end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    /// The root of the repository, or the project folder without a repository; a linked work tree may add a second.
    pub roots: Vec<String>,
    /// The folder in which a command starts.
    pub cwd: String,
    /// Home folders: the password database's and, where it differs, the environment's.
    pub homes: Vec<String>,
    /// Temporary folders.
    pub temporary: Vec<String>,
    /// The folder of the binaries.
    pub binaries: Vec<String>,
    /// Folders of the state.
    pub state: Vec<String>,
    /// Folders of the user's policy.
    pub config: Vec<String>,
    /// Files to which links lead that are the project's or the local policy, and the links on the way.
    pub policies: Vec<String>,
    /// The git directory and the common directory of the repository.
    pub git: Vec<String>,
    /// The clients' shell may be zsh: the environment does not name bash, or the password database names zsh.
    pub zsh: bool,
}

/// A fact that a rule needs and that is not in the action.
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
    /// The phase in which the work of the session's work tree is.
    Phase,
    /// Whether work that is in no commit would be lost.
    Dirty(WorkAtRisk),
    /// Whether the repository of which this is the git folder has commits that are on no remote.
    Unpushed(String),
    /// Whether a ref of a remote has commits that no other branch or tag has: a folder of the repository, the remote, the ref.
    OnlyThere(String, String, String),
    /// Whether something is at this path, and git ignores it.
    Ignored(String),
    /// Whether git would ignore a file at this path, or there is no repository that could take it.
    Ignores(String),
    /// The text of a file, if it is a small one.
    Text(String),
    /// The folder in which git looks for hooks, where its configuration names one.
    HooksFolder,
    /// Whether Portcullis would no longer be started after a change of this settings file.
    LosesGate(String, Change),
    /// Whether the policy would allow more after a change of this file.
    WeakensPolicy(String, Change),
    /// The size of a file in the judged commit. The answer is no if no commit is judged.
    Size(String),
}

/// Where work could be lost, and how.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WorkAtRisk {
    /// A folder of the work tree.
    pub folder: String,
    /// Path specifications of git, or patterns of a shell, as absolute paths. Empty: the whole work tree.
    pub paths: Vec<String>,
    /// The work that counts.
    pub loss: Loss,
    /// Folders out of which files are copied over those of the same names. Empty: any file may be replaced.
    pub sources: Vec<String>,
}

impl WorkAtRisk {
    /// The one file or folder that is deleted or written.
    #[must_use]
    pub fn only(&self) -> Option<String> {
        let ([pattern], Loss::Files | Loss::Tree) = (self.paths.as_slice(), self.loss) else { return None };
        let mut path = String::new();
        let mut signs = pattern.chars();
        while let Some(sign) = signs.next() {
            match sign {
                '\\' => path.extend(signs.next()),
                '*' | '?' | '[' => return None,
                sign => path.push(sign),
            }
        }
        Some(path)
    }
}

/// The work that an action could lose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Loss {
    /// Git puts other versions of tracked files into the work tree: their changes.
    Changes,
    /// As `Changes`, and files that git neither tracks nor ignores.
    Untracked,
    /// As `Untracked`, and those that it ignores: the rules by which it does may be gone before the command runs.
    Ignored,
    /// Files that the paths name are deleted or written one by one; what is in the index stays there.
    Files,
    /// All below the paths is deleted.
    Tree,
}

/// The answer to a [`Need`].
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
    /// The answer to `need`. `None` if it was not asked yet.
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
