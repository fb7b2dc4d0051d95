//! Where the layers of the policy are, and whether they are as they were when it was compiled.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use super::repository::PolicyAnchor;
use super::{LOCAL_POLICY, PROJECT_POLICY, below, errno_text, organisation_policy, system};
use crate::failure::Failure;
use policy::facts::Places;
use policy::{Layer, Policy};

/// Nanoseconds between the ticks of a file system's clock: a file changed this shortly before a compile may have changed
/// after it too.
const TICK: u64 = 20_000_000;

/// The policy files that hold at an anchor, upper layers first.
pub(super) fn paths(configs: &[PathBuf], anchor: &PolicyAnchor) -> Vec<(Layer, PathBuf)> {
    let mut all = vec![(Layer::Organisation, organisation_policy())];
    // Only the password database's home is surely the person's. What the environment names may be a project's doing, so
    // it may tighten like a local file, and not waive.
    let layer = |at: usize| if at == 0 { Layer::User } else { Layer::Local };
    all.extend(configs.iter().enumerate().map(|(at, folder)| (layer(at), below(folder, "portcullis.toml"))));
    for root in anchor.origin.iter().chain([&anchor.root]) {
        all.push((Layer::Project, below(root, PROJECT_POLICY)));
    }
    all.push((Layer::Local, below(&anchor.root, LOCAL_POLICY)));
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
    /// A link leads to it: it is one itself, or its folder is.
    pub linked: bool,
}

/// Links that are followed from one policy file.
const MAX_LINKS: usize = 40;

/// Looks at every layer's file.
///
/// # Errors
///
/// [`Failure::Unreadable`] if one can neither be seen nor be shown to be absent.
pub fn look(layers: &[(Layer, PathBuf)]) -> Result<Vec<FoundLayer>, Failure> {
    layers.iter().map(|(layer, path)| found(*layer, path)).collect()
}

fn found(layer: Layer, path: &Path) -> Result<FoundLayer, Failure> {
    let absent = || FoundLayer { layer, path: path.to_path_buf(), identity: Vec::new(), linked: false };
    let mut linked = false;
    // A project's own folder is there. The others need not be; then nothing else is looked at.
    if let Some(folder) = folder_of(path).filter(|_| layer != Layer::Project) {
        match system::named_identity(folder).map_err(|errno| unreadable(folder, errno))? {
            None => return Ok(absent()),
            Some((_, link)) => linked = link,
        }
    }
    let Some((found, link)) = system::named_identity(path).map_err(|errno| unreadable(path, errno))? else { return Ok(absent()) };
    let identity = vec![found.dev, found.ino, found.size, found.mtime_ns.cast_unsigned(), found.ctime_ns.cast_unsigned()];
    Ok(FoundLayer { identity, linked: linked || link, ..absent() })
}

/// The folder of a file, as `parent` gives it. The path is made of a folder and a name, so its parts need not be looked at.
fn folder_of(path: &Path) -> Option<&Path> {
    let bytes = path.as_os_str().as_bytes();
    let end = bytes.iter().rposition(|byte| *byte == b'/')?;
    Some(Path::new(OsStr::from_bytes(bytes.get(..end.max(1))?)))
}

/// Why a policy file cannot be read. Absence is no error, so a name that leads to nothing is a link.
pub(super) fn unreadable(path: &Path, errno: i32) -> Failure {
    let why = if errno == libc::ENOENT { "it is a link that leads to nothing".to_owned() } else { errno_text(errno) };
    Failure::Unreadable { path: path.display().to_string(), why }
}

/// Adds the files behind links to what is guarded as a policy is.
pub fn guard_linked(found: &[FoundLayer], places: &mut Places) {
    for layer in found.iter().filter(|layer| layer.linked) {
        let guarded = if matches!(layer.layer, Layer::Project | Layer::Local) { &mut places.policies } else { &mut places.config };
        guarded.extend(behind(&layer.path).iter().map(|path| path.to_string_lossy().into_owned()));
    }
}

/// Where a link leads, and the links on the way.
fn behind(path: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    let mut at = path.to_path_buf();
    while let (Some(folder), Ok(target)) = (at.parent(), fs::read_link(&at)) {
        let next = folder.join(target);
        // The folder without its links, for a path is compared as it really is.
        at = match (next.parent().map(fs::canonicalize), next.file_name()) {
            (Some(Ok(folder)), Some(name)) => folder.join(name),
            _ => break,
        };
        all.push(at.clone());
        if all.len() == MAX_LINKS {
            break;
        }
    }
    all.extend(fs::canonicalize(path).ok().filter(|real| !all.contains(real)));
    all
}

/// What tells these files in this state from all others.
#[must_use]
pub fn key(found: &[FoundLayer]) -> String {
    let files: Vec<String> = found.iter().map(|file| format!("{} {:?}", file.path.display(), file.identity)).collect();
    format!("{} {}", crate::BUILD, files.join(" ").replace('\n', " "))
}

/// True if no file changed so shortly before `time` that it may have changed after it too.
#[must_use]
pub fn settled(found: &[FoundLayer], time: u64) -> bool {
    found.iter().all(|file| file.identity.get(4).is_none_or(|changed| changed.saturating_add(TICK) < time))
}

/// Whether `policy` was compiled by this build from exactly these files.
pub fn fresh(policy: &Policy, found: &[FoundLayer]) -> bool {
    policy.build == crate::BUILD
        && policy.layers.len() == found.len()
        && policy.layers.iter().zip(found).all(|(then, now)| {
            then.layer == now.layer
                && then.path.as_bytes() == now.path.as_os_str().as_bytes()
                && then.identity == now.identity
                && now.identity.get(4).is_none_or(|changed| changed.saturating_add(TICK) < policy.compiled_at)
        })
}
