//! Where `init` added Portcullis, so that `uninstall` finds all of it: one small file in the state folder for each place.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::scope::{Scope, Site};
use crate::cli::wiring::HookPlace;
use gate::world::{World, state};

/// One place, with everything that was added from there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotedPlace {
    /// The root of the work tree, or the folder of the settings if they are for all places.
    pub root: PathBuf,
    /// The scopes, each with its settings file.
    pub scopes: Vec<(Scope, PathBuf)>,
    /// Git's hooks have Portcullis too.
    pub git: bool,
    /// Other clients: the name of each, the scope, and the file or folder of its hooks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clients: Vec<(String, Scope, PathBuf)>,
}

/// A change of what is noted.
#[derive(Clone, Copy, Debug)]
pub enum NotedPart<'p> {
    /// The settings of a scope, in this file.
    Settings(Scope, &'p Path),
    Hooks,
    /// The hooks of a client.
    Client(&'p HookPlace),
}

/// Everything that was noted.
pub fn all(world: &World) -> Vec<NotedPlace> {
    let mut places: Vec<NotedPlace> = state::every(&world.states, state::WIRED).iter().filter_map(|bytes| serde_json::from_slice(bytes).ok()).collect();
    places.sort_by(|one, other| one.root.cmp(&other.root));
    places
}

/// Notes that a part was added, or takes the note away.
///
/// # Errors
///
/// The state folder cannot be written.
pub fn note(world: &World, site: &Site, part: NotedPart, added: bool) -> io::Result<()> {
    let root = match part {
        NotedPart::Settings(Scope::User | Scope::Managed, settings) => settings.parent().unwrap_or(settings),
        NotedPart::Client(hooks) if hooks.scope == Scope::User => &hooks.top,
        _ => &site.root,
    };
    let kept = state::read(&world.states, root, state::WIRED).and_then(|bytes| serde_json::from_slice::<NotedPlace>(&bytes).ok());
    let mut place = kept.filter(|place| place.root == root).unwrap_or_default();
    root.clone_into(&mut place.root);
    match part {
        NotedPart::Hooks => place.git = added,
        NotedPart::Client(hooks) => {
            place.clients.retain(|(_, _, path)| *path != hooks.path);
            place.clients.extend(added.then(|| (hooks.wiring.client.name().to_owned(), hooks.scope, hooks.path.clone())));
        }
        NotedPart::Settings(scope, settings) => {
            place.scopes.retain(|(known, path)| *known != scope && path != settings);
            place.scopes.extend(added.then(|| (scope, settings.to_path_buf())));
        }
    }
    if place.scopes.is_empty() && place.clients.is_empty() && !place.git {
        return state::remove(&world.states, root, state::WIRED);
    }
    let bytes = serde_json::to_vec(&place).map_err(io::Error::other)?;
    state::write(&world.states, root, state::WIRED, &bytes).map(drop)
}
