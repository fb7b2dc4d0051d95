//! Scopes: which settings file each one means, which sessions it protects, and which it does not.
//!
//! Facts about the client are from its documentation of settings and hooks, and from observing version 2.1.329.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use clients::Client as _;
use clients::claude_code::{ClaudeCode, SETTINGS};
use gate::world::World;
use gate::world::repository::{Discovery, Repository, discover, main_work_tree};

use crate::cli::place::lasting;
use crate::cli::refusal::Refusal;
use crate::deep::own_files::main_settings_count;

/// Whose sessions are protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// This checkout, for you only (`.claude/settings.local.json`)
    Local,
    /// This project, for everyone who works on it (`.claude/settings.json`, committed)
    Project,
    /// All your sessions on this machine (`~/.claude/settings.json`)
    User,
    /// All sessions of everyone on this machine (needs the administrator)
    Managed,
}

impl Scope {
    /// Its name on the command line.
    pub fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// The sessions that are protected.
    pub fn holds(self) -> &'static str {
        match self {
            Self::Local => "your sessions that start anywhere in this repository and its linked work trees (clients before 2.1.211: at its root)",
            Self::Project => {
                "everyone's sessions that start in exactly this folder; where Portcullis is not installed, all calls are denied, with a text that says what to do"
            }
            Self::User => "all your sessions on this machine, in every folder",
            Self::Managed => "all sessions of everyone on this machine; no other settings and no edit during a session can switch it off",
        }
    }

    /// The sessions that are not protected.
    pub fn spares(self) -> &'static str {
        match self {
            Self::Local => {
                "other checkouts and other people; settings can be edited while a session runs (edits that remove Portcullis are denied), and `--bare`, `--safe-mode` or `disableAllHooks` in `--settings` start a session without it"
            }
            Self::Project => {
                "sessions that start in a subfolder (project settings are read from the start folder only); the settings can be changed during a session, and are disabled by a person's own `disableAllHooks`, `--bare` or `--safe-mode`"
            }
            Self::User => {
                "cloud sessions and another `CLAUDE_CONFIG_DIR`; a project's `disableAllHooks`, `--bare` and `--safe-mode` start a session without it"
            }
            Self::Managed => "`--bare` (CLAUDE_CODE_SIMPLE=1), which drops managed hooks too",
        }
    }
}

/// The folders that a scope needs.
#[derive(Clone, Debug)]
pub struct Site {
    /// The root of the work tree, or the folder itself where there is no repository.
    pub root: PathBuf,
    pub repository: Option<Repository>,
    /// Of a linked work tree the main one, if sessions in all its work trees read a person's own settings there.
    pub main: Option<PathBuf>,
    /// The folder of the user's settings of Claude Code.
    pub user: Option<PathBuf>,
    /// The home folder in which clients look for a person's configuration.
    pub home: Option<PathBuf>,
    /// The home folders of this person.
    pub homes: Vec<PathBuf>,
    /// The folder with the binaries that the settings will start.
    pub binaries: PathBuf,
}

impl Site {
    /// The folders for a session in `cwd`.
    ///
    /// # Errors
    ///
    /// The repository cannot be found, or the folder of the binaries is not known.
    pub fn at(cwd: &Path, world: &World, binaries: Option<&Path>) -> Result<Self, Refusal> {
        let what = "the settings to change were not found";
        let repository = match discover(cwd) {
            Discovery::Found(found) => Some(found),
            Discovery::None => None,
            Discovery::Bare(folder) => {
                let why = format!("`{}` is a repository without a work tree", folder.display());
                return Err(Refusal::new(what, why, "go into a work tree, or use `--scope user`"));
            }
            Discovery::Unreadable(fault) => {
                let why = format!("`{}`: {}", fault.path.display(), gate::world::errno_text(fault.errno));
                return Err(Refusal::new(what, why, "make it readable"));
            }
        };
        let main = repository.as_ref().and_then(main_work_tree).filter(|main| main_settings_count(main, &world.homes)).map(Path::to_path_buf);
        let root = repository.as_ref().map_or_else(|| cwd.to_path_buf(), |found| found.root.clone());
        let moved = ClaudeCode.variables().config.and_then(std::env::var_os).map(PathBuf::from).filter(|folder| folder.is_absolute());
        // A person's `HOME` says where the client looks; the password database is for what must not be moved.
        let home = std::env::var_os("HOME").map(PathBuf::from).filter(|home| home.is_absolute());
        let home = home.or_else(|| world.homes.first().cloned());
        let user = moved.or_else(|| home.as_ref().map(|home| home.join(SETTINGS.folder)));
        let binaries = binaries.map(Path::to_path_buf).or_else(|| world.binaries.as_deref().map(lasting));
        let binaries = binaries.ok_or_else(|| Refusal::new(what, "the folder of this program is not known", "start it by its full path"))?;
        Ok(Self { root, repository, main, user, home, homes: world.homes.clone(), binaries })
    }

    /// True if the root is a home folder of this person.
    pub fn is_home(&self) -> bool {
        let real = |path: &Path| std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
        let homes = std::env::var_os("HOME").map(PathBuf::from).into_iter().chain(self.homes.iter().cloned());
        homes.map(|home| real(&home)).any(|home| home == real(&self.root))
    }

    /// The folder of what a person has of their own for all work trees of the repository.
    pub fn top(&self) -> &Path {
        self.main.as_ref().unwrap_or(&self.root)
    }

    /// The settings file of a scope.
    ///
    /// # Errors
    ///
    /// No home folder is known.
    pub fn settings(&self, scope: Scope) -> Result<PathBuf, Refusal> {
        match scope {
            Scope::Local => Ok(self.top().join(SETTINGS.folder).join(SETTINGS.local)),
            Scope::Project => Ok(self.root.join(SETTINGS.folder).join(SETTINGS.shared)),
            Scope::User => match &self.user {
                Some(folder) => Ok(folder.join(SETTINGS.shared)),
                None => Err(Refusal::new("could not find your settings", "no home folder is known", "set HOME")),
            },
            Scope::Managed => Ok(PathBuf::from(SETTINGS.managed)),
        }
    }
}
