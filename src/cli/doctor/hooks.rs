//! Checks git's hooks.

use super::CheckResults;
use crate::cli::init::git;
use crate::cli::init::scope::Site;
use crate::cli::place::Place;

const PART: &str = "git";

/// Checks the hooks of the repository, if there is one.
pub(super) fn look(here: &Place, findings: &mut CheckResults) {
    let Ok(site) = Site::at(&here.cwd, &here.world, None) else { return };
    if site.repository.is_none() {
        return;
    }
    let hooks = match git::HookSite::of(&site) {
        Ok(hooks) => hooks,
        Err(refusal) => return findings.ok(PART, format!("git hooks were not checked: {}", refusal.why)),
    };
    match hooks.standing() {
        (standing, missing) if missing.is_empty() => findings.ok(PART, format!("Portcullis is in {} git hooks", standing.len())),
        (standing, _) if standing.is_empty() => findings.ok(PART, "Portcullis is in no git hook (`portcullis init --git` adds it)"),
        (_, missing) => findings.warn(PART, format!("Portcullis is missing in the git hooks {}", missing.join(", ")), "run `portcullis init --git` again"),
    }
}
