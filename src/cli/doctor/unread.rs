//! Policy files that nothing reads: those below the root that git tracks, and those at places where people look for a policy and
//! Portcullis does not.

use std::path::{Path, PathBuf};

use super::CheckResults;
use crate::cli::place::Place;
use crate::cli::terminal::shown;
use gate::world::{LOCAL_POLICY, PROJECT_POLICY, unread};

const PART: &str = "policy";
const FIX: &str = "move its rules into the `portcullis.toml` in the root, with paths below that folder";
/// Places below the root of a project where no policy is read.
const IN_PROJECT: [&str; 3] = [".portcullis/portcullis.toml", ".claude/portcullis.toml", ".config/portcullis.toml"];
/// Places below a home folder where no policy is read.
const AT_HOME: [&str; 3] = [".config/portcullis.toml", ".portcullis/portcullis.toml", ".claude/portcullis.toml"];
/// Looks for such files. `cwd` is where the command was started.
pub(super) fn look(place: &Place, cwd: &Path, findings: &mut CheckResults) {
    if let Some(note) = place.around.repository.as_ref().and_then(unread::note) {
        findings.warn(PART, note, FIX);
    }
    let read = |path: &Path| place.around.layers.iter().any(|(_, layer)| layer == path);
    let root = &place.around.root;
    let from_here = cwd.ancestors().take_while(|folder| folder.starts_with(root) && folder != root).map(|folder| folder.join(PROJECT_POLICY));
    let mut named: Vec<PathBuf> = Vec::new();
    let in_project = IN_PROJECT.iter().map(|path| root.join(path)).chain(from_here);
    for path in in_project.filter(|path| !read(path) && !tracked(place, path)) {
        if path.is_file() && !named.contains(&path) {
            let fix =
                format!("move its rules into `{}`, or into `{}` for this machine alone", shown(&root.join(PROJECT_POLICY)), shown(&root.join(LOCAL_POLICY)));
            findings.warn(PART, format!("`{}` is a policy that nothing reads", shown(&path)), fix);
            named.push(path);
        }
    }
    for home in &place.world.homes {
        for path in AT_HOME.iter().map(|path| home.join(path)).filter(|path| !read(path) && path.is_file() && !named.contains(path)) {
            let own = place.world.configs.first().map_or_else(|| home.join(".config/portcullis"), PathBuf::clone).join(PROJECT_POLICY);
            findings.warn(PART, format!("`{}` is a policy that nothing reads", shown(&path)), format!("move it to `{}`", shown(&own)));
        }
    }
}

/// True if git tracks the file, so that it was named already.
fn tracked(place: &Place, path: &Path) -> bool {
    let Some(repository) = &place.around.repository else { return false };
    path.strip_prefix(&repository.root).is_ok_and(|path| unread::policies(repository).iter().any(|known| Path::new(known) == path))
}
