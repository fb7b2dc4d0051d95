//! How clients other than Claude Code are wired: where a person's and a project's hooks are configured, in which form, and what
//! `init` writes there. [`table`] has one entry for each client, [`forms`] makes the texts. Claude Code's settings are in
//! [`crate::settings`]. Reads and writes no file.
//!
//! Facts have the version with which they were seen. Where a client was run, it ran offline, with a scripted model.

pub mod calls;
pub mod forms;
mod table;

use crate::{Client, Moment, WiredEvent};

pub use table::WIRINGS;

/// The name that our own files and entries have.
pub const OURS: &str = "portcullis";

/// How one client is wired.
pub struct ClientWiring {
    /// The client: its name on the hook's command line, its programs and its events.
    pub client: &'static dyn Client,
    /// Its name as people say it.
    pub title: &'static str,
    /// How this entry is known.
    pub known: Knowledge,
    /// The folder of a person's own configuration.
    pub home: HomeFolder,
    /// The file with the person's hooks, below that folder; of [`HookForm::Programs`] the folder with them.
    pub user: &'static str,
    /// The same for a project's hooks, below its root. `None`: it has none that is known.
    pub project: Option<&'static str>,
    /// The same for a person's own hooks in one project. `None`: it has none.
    pub local: Option<&'static str>,
    /// The script in a project that the project's hooks start. It is committed with them.
    pub script: Option<&'static str>,
    /// What the file looks like.
    pub form: HookForm,
    /// What denies a call if the hook cannot be started or ends in an unknown way.
    pub guard: FailureGuard,
    /// Seconds that the client waits for a hook.
    pub waits: u32,
    /// The client cuts hooks off after this time whatever its settings say, so the file names no time-out.
    pub waits_fixed: bool,
    /// Moments at which it waits for less, in seconds.
    pub waits_less: &'static [(Moment, u32)],
    /// The unit of the time-out in the file is milliseconds. Otherwise it is seconds.
    pub milliseconds: bool,
    /// Its package in a registry, for the version of one that is installed from there.
    pub package: Option<&'static str>,
    /// Settings that switch its hooks off.
    pub switches: &'static [OffSwitch],
    /// Something else that is read in the place of our entries.
    pub replaced_by: Option<ReplacedBy>,
    /// Files and folders of a project that show that somebody uses the client there.
    pub signs: &'static [&'static str],
    /// What older versions lack, as a clause about the client.
    pub lacks: &'static [(ClientVersion, &'static str)],
    /// Settings of Claude Code in a project that it reads too, from the root.
    pub also_reads: &'static [&'static str],
    /// How a person says that a project's hooks are trusted. `None`: it is not known, or not needed.
    pub trust: Option<ProjectTrust>,
    /// What a person must do once before the client starts new hooks.
    pub confirm: Option<&'static str>,
    /// A call before a shell command in the form that the client sends, for [`calls::made_up`].
    pub call: &'static str,
}

/// How a person's configuration says that the hooks of a project may run.
#[derive(Clone, Copy, Debug)]
pub struct ProjectTrust {
    /// The TOML file in the person's folder.
    pub file: &'static str,
    /// The table with one table for each root of a project.
    pub table: &'static str,
    /// The key there, and its value.
    pub key: &'static str,
    pub value: &'static str,
}

/// Major, minor and patch.
pub type ClientVersion = (u32, u32, u32);

/// How an entry of the table is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Knowledge {
    /// The client was run with such hooks.
    Run(ClientVersion),
    /// The program's own text was read.
    Read(ClientVersion),
    /// Its documentation says so.
    Documented,
}

impl Knowledge {
    /// The version with which it was seen.
    #[must_use]
    pub fn version(self) -> Option<ClientVersion> {
        match self {
            Self::Run(version) | Self::Read(version) => Some(version),
            Self::Documented => None,
        }
    }
}

/// The folder of a person's own configuration.
#[derive(Clone, Copy, Debug)]
pub struct HomeFolder {
    /// The variable that moves it.
    pub variable: Option<&'static str>,
    /// The folder below the one that the variable names; empty if that is it.
    pub below: &'static str,
    /// The folder below the person's home if the variable is not set.
    pub folder: &'static str,
    /// What in it shows that the client is configured; empty for the folder itself.
    pub sign: &'static str,
}

/// The form in which hooks are configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HookForm {
    /// JSON: under `hooks`, for each event a list of groups, each with a list `hooks` of handlers.
    Groups {
        /// The client accepts comments.
        comments: bool,
        /// Handlers can have a name.
        named: bool,
        /// Handlers are a program with `args`, and not a line for a shell.
        program: bool,
    },
    /// JSON: `version`, and under `hooks` for each event a list of handlers.
    Handlers,
    /// A JSON file in a folder of such files. It is ours as a whole.
    OwnFile,
    /// A plugin in JavaScript. It is ours as a whole.
    Plugin,
    /// TOML: one table `[[hooks]]` for each event.
    Tables {
        /// The key with the event's name.
        event: &'static str,
        /// Each table has a `name`.
        named: bool,
    },
    /// An executable file for each event, with the event's name.
    Programs,
}

/// What denies a call if the hook cannot be started, crashes, or is killed. A hook that hangs is another matter: its own
/// deadline is shorter than the client's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureGuard {
    /// The line that starts it turns every failure into exit 2 with a text.
    Line,
    /// A key of the entry.
    Key(&'static str),
    /// The client itself.
    Client,
    /// Our own file around it.
    File,
}

/// A setting that switches all hooks of a client off.
#[derive(Clone, Copy, Debug)]
pub struct OffSwitch {
    /// The file: below the person's folder, and below a project's folder of the same kind.
    pub user: &'static str,
    /// The same in a project. `None`: a project cannot do it.
    pub project: Option<&'static str>,
    /// The keys that lead to the value.
    pub keys: &'static [&'static str],
    /// The value that switches off: true, false, or a list that contains [`OURS`].
    pub value: OffValue,
}

/// The value of a setting that switches hooks off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OffValue {
    /// `true`
    True,
    /// `false`
    False,
    /// A list with the name of our hooks.
    Named,
}

/// What the client reads in the place of our entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplacedBy {
    /// A project's hook of the same name, in the project's file.
    SameName,
    /// The same event in this file of the same folder.
    EventIn(&'static str),
    /// The project's file, as a whole, if there is one.
    ProjectFile,
}

impl ClientWiring {
    /// The entry of a client. `None`: it is not known, or is wired in another way.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        WIRINGS.iter().find(|wiring| wiring.client.name() == name)
    }

    /// Seconds that the client waits for the hook of an event.
    #[must_use]
    pub fn waits_for(&self, event: WiredEvent) -> u32 {
        self.waits_less.iter().find(|(moment, _)| *moment == event.moment).map_or(self.waits, |(_, seconds)| *seconds)
    }

    /// Seconds that the hook may take: fewer, because a client allows the call when it stops waiting.
    #[must_use]
    pub fn own_seconds(&self, event: WiredEvent) -> u32 {
        let waits = self.waits_for(event);
        waits - (waits / 6).max(1).min(waits.saturating_sub(1))
    }

    /// The event before a shell command.
    #[must_use]
    pub fn tried(&self) -> Option<WiredEvent> {
        self.client.wired().iter().find(|event| event.moment == Moment::BeforeCall).copied()
    }
}

impl std::fmt::Debug for ClientWiring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("ClientWiring").field(&self.client.name()).finish()
    }
}

#[cfg(test)]
#[path = "wiring_tests.rs"]
mod tests;
