//! What each client puts around a session: the environment variables that it gives its hooks, and its settings files.

use crate::{CLIENTS, Client};

/// The environment variables by which a client tells its hooks where and how they run. `None`: it has no such variable.
#[derive(Clone, Copy, Debug, Default)]
pub struct Variables {
    /// The folder of the project.
    pub project: Option<&'static str>,
    /// The folder of the plugin that brought the hook.
    pub plugin: Option<&'static str>,
    /// The folder of the person's settings, if the person moved it.
    pub config: Option<&'static str>,
    /// It is `0` if no person can answer a question.
    pub attended: Option<&'static str>,
    /// Set in every process that an agent of the client starts. A `*` at its end stands for any ending.
    pub agent: &'static str,
}

impl Variables {
    /// The names of all variables that are no pattern.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        let agent = Some(self.agent).filter(|name| !name.ends_with('*') && !name.is_empty());
        [self.project, self.plugin, self.config, self.attended, agent].into_iter().flatten()
    }

    /// True if a variable of this name says that an agent of the client runs the process. The one with which a person moves
    /// the settings says nothing about that.
    pub fn is_of_agent(self, name: &str) -> bool {
        !self.agent.is_empty() && self.config != Some(name) && self.agent.strip_suffix('*').map_or(name == self.agent, |front| name.starts_with(front))
    }
}

/// The settings files of a client that `init` can write.
#[derive(Clone, Copy, Debug)]
pub struct SettingsFiles {
    /// The administrator's file, as a full path.
    pub managed: &'static str,
    /// The folder in a home and in a project that holds the other files.
    pub folder: &'static str,
    /// The file in that folder: the person's in a home, everyone's in a project.
    pub shared: &'static str,
    /// The person's own file for one project, in the same folder.
    pub local: &'static str,
}

/// The variables of all clients that name something, in the order of the clients.
pub fn variables(of: impl Fn(Variables) -> Option<&'static str>) -> impl Iterator<Item = &'static str> {
    CLIENTS.iter().filter_map(move |client| of(client.variables()))
}

/// The clients whose settings files are known, each with them.
pub fn with_settings() -> impl Iterator<Item = (&'static dyn Client, &'static SettingsFiles)> {
    CLIENTS.iter().filter_map(|client| Some((*client, client.settings_files()?)))
}
