//! Files, environment, repository, clock: the only module that touches them. Does not judge.

pub mod approved;
pub mod compiled;
pub mod layers;
pub mod links;
pub mod lookup;
pub mod meters;
pub mod observe;
pub mod others;
pub mod owed;
pub mod pending;
pub mod phase;
pub mod record;
pub mod repository;
pub mod state;
pub mod store;
pub mod system;
pub mod trail;
pub(crate) mod transcript;
pub mod unread;
pub mod waiting;
pub mod written;

use std::borrow::Cow;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::failure::Failure;
use clients::surroundings::variables;
use clients::{Event, Variables};
use policy::Layer;
use policy::facts::Places;
use repository::Repository;

/// What the process was started with, as far as the gate goes by it. A judged project can set environment variables for
/// this process, so nothing here loosens a verdict.
#[derive(Clone, Debug, Default)]
pub struct World {
    /// The project folder that the host exports.
    pub project_dir: Option<PathBuf>,
    /// Home folders: the password database's first, then the environment's where it differs.
    pub homes: Vec<PathBuf>,
    /// Configuration folders, in the same order.
    pub configs: Vec<PathBuf>,
    /// Folders in which state is kept: the password database's home alone where it can be written to, for a project may
    /// set the others, and would so bring a pause or a compiled policy of its own.
    pub states: Vec<PathBuf>,
    /// All folders in which state could be, to be guarded.
    pub state_places: Vec<PathBuf>,
    /// `TMPDIR`.
    pub temporary: Option<PathBuf>,
    /// The clients' shell may be zsh.
    pub zsh: bool,
    /// A person can answer a prompt.
    pub attended: bool,
    /// The hook was started by a plugin.
    pub plugin: bool,
    /// The folder of the gate's binaries.
    pub binaries: Option<PathBuf>,
}

/// What surrounds a call.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// Folders, for facts.
    pub places: Places,
    /// Policy files that hold, upper layers first, whether they exist or not.
    pub layers: Vec<(Layer, PathBuf)>,
    /// The repository.
    pub repository: Option<Repository>,
    /// The folder whose policy holds.
    pub root: PathBuf,
    /// Why that one.
    pub why: &'static str,
    /// Folders of what is remembered of the repository, of which the first that takes it counts: one for all its work trees.
    pub memory: Vec<PathBuf>,
    /// The session; empty outside of one.
    pub session: String,
    /// The id of the sub-agent; empty for the main agent.
    pub agent: String,
}

impl Surroundings {
    /// The work tree; without a repository the folder whose policy holds.
    #[must_use]
    pub fn tree(&self) -> &Path {
        self.repository.as_ref().map_or(&self.root, |repository| &repository.root)
    }
}

/// Where temporary folders are.
const TEMPORARY: &[&str] = &["/tmp", "/var/tmp", "/private/tmp", "/private/var/folders", "/var/folders", "/dev/shm", "/run/user"];
/// The project policy, relative to its root.
pub const PROJECT_POLICY: &str = "portcullis.toml";
/// The local policy, relative to the same root.
pub const LOCAL_POLICY: &str = ".portcullis/local.toml";
/// The organisation's policy.
#[cfg(not(target_os = "macos"))]
const ORGANISATION_POLICY: &str = "/etc/portcullis/portcullis.toml";
/// The organisation's policy.
#[cfg(target_os = "macos")]
const ORGANISATION_POLICY: &str = "/Library/Application Support/Portcullis/portcullis.toml";

impl World {
    /// The world as this process finds it.
    pub fn real() -> Self {
        Self { binaries: system::own_folder().map(Path::to_path_buf), ..Self::without_binaries(&|name| std::env::var_os(name)) }
    }

    /// As [`World::real`], for the hook: where it is itself is found out only if a path is judged or it hands over. `variable`
    /// is the environment.
    pub(crate) fn without_binaries(variable: &dyn Fn(&str) -> Option<OsString>) -> Self {
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let client_variable = |of: &dyn Fn(Variables) -> Option<&'static str>| variables(of).find_map(variable);
        let absolute = |path: PathBuf| path.is_absolute().then_some(path);
        let mut homes: Vec<PathBuf> = Vec::new();
        let mut configs: Vec<PathBuf> = Vec::new();
        let mut states: Vec<PathBuf> = Vec::new();
        let account = system::account();
        let password_home = password_home(account.as_ref());
        let named_home = variable("HOME").and_then(absolute).filter(|home| Some(home) != password_home.as_ref());
        for home in [password_home.clone(), named_home].into_iter().flatten() {
            configs.push(below(&home, ".config/portcullis"));
            states.push(below(&home, ".local/state/portcullis"));
            homes.push(home);
        }
        // The person's own setting is between the two homes, but may only be added, never taken for the first.
        if let Some(config) = variable("XDG_CONFIG_HOME").and_then(absolute) {
            add(&mut configs, config.join("portcullis"));
        }
        if let Some(state) = variable("XDG_STATE_HOME").and_then(absolute) {
            add(&mut states, state.join("portcullis"));
        }
        let state_places = states.clone();
        if password_home.is_some_and(|home| system::is_writable(&home)) {
            states.truncate(1);
        }
        Self {
            project_dir: client_variable(&|names| names.project),
            homes,
            configs,
            states,
            state_places,
            // A project may set it, so it counts only where temporary folders are.
            temporary: variable("TMPDIR").and_then(absolute).filter(|path| TEMPORARY.iter().any(|known| path.starts_with(known))),
            zsh: variable("SHELL").is_none_or(|shell| !is_called(&shell, "bash")) || account.is_some_and(|account| is_called(&account.shell, "zsh")),
            attended: client_variable(&|names| names.attended).is_none_or(|value| value.as_os_str() != "0"),
            plugin: client_variable(&|names| names.plugin).is_some(),
            binaries: None,
        }
    }

    /// What surrounds an event.
    ///
    /// # Errors
    ///
    /// [`Failure::FolderUnknown`] or [`Failure::Unreadable`]: which policy holds is not known.
    pub fn around(&self, event: &Event) -> Result<Surroundings, Failure> {
        let cwd = match (&event.cwd, &self.project_dir) {
            (Some(cwd), _) if cwd.starts_with('/') => PathBuf::from(cwd),
            (_, Some(project)) => project.clone(),
            _ => std::env::current_dir().map_err(|_| Failure::FolderUnknown)?,
        };
        let agent = event.agent_id.clone().unwrap_or_default();
        Ok(Surroundings { session: event.session.clone(), agent, ..self.at(&cwd)? })
    }

    /// What surrounds a command in `cwd`.
    ///
    /// # Errors
    ///
    /// As [`World::around`].
    pub fn at(&self, cwd: &Path) -> Result<Surroundings, Failure> {
        let anchor = repository::anchor(self.project_dir.as_deref(), cwd, &[PROJECT_POLICY, LOCAL_POLICY])
            .map_err(|unreadable| layers::unreadable(&unreadable.path, unreadable.errno))?;
        let text = |path: &Path| path.to_str().map_or_else(|| path.to_string_lossy(), Cow::Borrowed).trim_end_matches('/').to_owned();
        let mut roots = vec![text(&anchor.root)];
        if let Some(origin) = &anchor.origin {
            roots.push(text(origin));
        }
        // The work tree itself, where a policy further out holds.
        if let Some(repository) = &anchor.repository {
            let known = |root: &Path| root.as_os_str() == repository.root.as_os_str();
            if !known(&anchor.root) && !anchor.origin.as_deref().is_some_and(known) {
                roots.push(text(&repository.root));
            }
        }
        let mut temporary: Vec<String> = TEMPORARY.iter().map(|path| (*path).to_owned()).collect();
        temporary.push("/tmp".to_owned());
        if let Some(folder) = &self.temporary {
            temporary.push(text(folder));
        }
        let mut git: Vec<String> = Vec::new();
        if let Some(repository) = &anchor.repository {
            git.push(text(&repository.git_dir));
            if repository.git_dir.as_os_str() != repository.common_dir.as_os_str() {
                git.push(text(&repository.common_dir));
            }
        }
        let places = Places {
            roots,
            cwd: text(cwd),
            homes: self.homes.iter().map(|path| text(path)).collect(),
            temporary,
            binaries: self.binaries.iter().map(|path| text(path)).collect(),
            state: self.state_places.iter().map(|path| text(path)).collect(),
            config: self.configs.iter().map(|path| text(path)).chain(organisation_policy().parent().map(text)).collect(),
            policies: Vec::new(),
            git,
            zsh: self.zsh,
        };
        let layers = layers::paths(&self.configs, &anchor);
        let name = state::folder_name(anchor.repository.as_ref().map_or(&anchor.root, |repository| &repository.common_dir));
        let memory = self.states.iter().map(|state| below(state, &name)).collect();
        Ok(Surroundings {
            places,
            layers,
            repository: anchor.repository,
            root: anchor.root,
            why: anchor.why,
            memory,
            session: String::new(),
            agent: String::new(),
        })
    }
}

/// Where the organisation's policy is.
#[must_use]
pub fn organisation_policy() -> PathBuf {
    // Tests must not change the machine that they run on; a released binary does not read this variable.
    #[cfg(debug_assertions)]
    if let Some(path) = std::env::var_os("PORTCULLIS_TEST_ORGANISATION") {
        return PathBuf::from(path);
    }
    PathBuf::from(ORGANISATION_POLICY)
}

/// The home folder of the password database, which the environment cannot move.
fn password_home(account: Option<&system::Account>) -> Option<PathBuf> {
    // Tests must not touch the home of whoever runs them; a released binary does not read this variable.
    #[cfg(debug_assertions)]
    if let Some(home) = std::env::var_os("PORTCULLIS_TEST_PASSWORD_HOME") {
        return Some(PathBuf::from(home));
    }
    account?.home.clone()
}

/// The path of `name` in a folder, or further below it. It is relative and not empty, so nothing has to be looked at that `join`
/// looks at.
pub(crate) fn below(folder: &Path, name: &str) -> PathBuf {
    let folder = folder.as_os_str();
    let mut path = OsString::with_capacity(folder.len() + 1 + name.len());
    path.push(folder);
    if !folder.as_encoded_bytes().ends_with(b"/") && !folder.is_empty() {
        path.push("/");
    }
    path.push(name);
    path.into()
}

/// Whether a program has this name.
fn is_called(program: &Path, name: &str) -> bool {
    program.as_os_str().as_encoded_bytes().rsplit(|byte| *byte == b'/').next() == Some(name.as_bytes())
}

fn add(list: &mut Vec<PathBuf>, path: PathBuf) {
    if !list.contains(&path) {
        list.push(path);
    }
}

/// The words of the operating system for an error number.
pub fn errno_text(errno: i32) -> String {
    std::io::Error::from_raw_os_error(errno).to_string()
}
