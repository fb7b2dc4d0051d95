//! Where the layers of the policy are, and whether they are as they were when it was compiled.

use std::path::{Path, PathBuf};

use super::repository::PolicyAnchor;
use super::{LOCAL_POLICY, ORGANISATION_POLICY, PROJECT_POLICY, errno_text, system};
use crate::failure::Failure;
use policy::{Layer, Policy};

/// Nanoseconds between the ticks of a file system's clock: a file changed this shortly before a compile may have changed
/// after it too.
const TICK: u64 = 20_000_000;

/// The policy files that hold at an anchor, upper layers first.
pub(super) fn paths(configs: &[PathBuf], anchor: &PolicyAnchor) -> Vec<(Layer, PathBuf)> {
    let mut all = vec![(Layer::Organisation, PathBuf::from(ORGANISATION_POLICY))];
    // Only the password database's home is surely the person's. What the environment names may be a project's doing, so
    // it may tighten like a local file, and not waive.
    let layer = |at: usize| if at == 0 { Layer::User } else { Layer::Local };
    all.extend(configs.iter().enumerate().map(|(at, folder)| (layer(at), folder.join("portcullis.toml"))));
    for root in anchor.origin.iter().chain([&anchor.root]) {
        all.push((Layer::Project, root.join(PROJECT_POLICY)));
    }
    all.push((Layer::Local, anchor.root.join(LOCAL_POLICY)));
    all
}

/// A layer's file as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundLayer {
    /// Which layer.
    pub layer: Layer,
    /// Its path.
    pub path: PathBuf,
    /// As in [`policy::LayerFile::identity`].
    pub identity: Vec<u64>,
}

/// Looks at every layer's file.
///
/// # Errors
///
/// [`Failure::Unreadable`] if one can neither be seen nor be shown to be absent.
pub fn look(layers: &[(Layer, PathBuf)]) -> Result<Vec<FoundLayer>, Failure> {
    layers.iter().map(|(layer, path)| Ok(FoundLayer { layer: *layer, path: path.clone(), identity: identity(path)? })).collect()
}

fn identity(path: &Path) -> Result<Vec<u64>, Failure> {
    match system::identity(path) {
        Ok(None) => Ok(Vec::new()),
        Ok(Some(found)) => Ok(vec![found.dev, found.ino, found.size, found.mtime_ns.cast_unsigned(), found.ctime_ns.cast_unsigned()]),
        Err(errno) => Err(Failure::Unreadable { path: path.display().to_string(), why: errno_text(errno) }),
    }
}

/// Whether `policy` was compiled by this build from exactly these files.
pub fn fresh(policy: &Policy, found: &[FoundLayer]) -> bool {
    policy.build == crate::BUILD
        && policy.layers.len() == found.len()
        && policy.layers.iter().zip(found).all(|(then, now)| {
            then.layer == now.layer
                && Path::new(then.path) == now.path
                && then.identity == now.identity
                && now.identity.get(4).is_none_or(|changed| changed.saturating_add(TICK) < policy.compiled_at)
        })
}
