//! Whether the gate stands in git's hooks.

use super::Findings;
use crate::cli::init::git;
use crate::cli::init::scope::Site;
use crate::cli::place::Place;

const PART: &str = "git";

/// Looks at the hooks of the repository, if there is one.
pub(super) fn look(here: &Place, findings: &mut Findings) {
    let Ok(site) = Site::at(&here.cwd, &here.world, None) else { return };
    if site.repository.is_none() {
        return;
    }
    let hooks = match git::Site::of(&site) {
        Ok(hooks) => hooks,
        Err(refusal) => return findings.ok(PART, format!("not looked at: {}", refusal.why)),
    };
    match hooks.standing() {
        (standing, missing) if missing.is_empty() => findings.ok(PART, format!("the gate stands in {} of git's hooks", standing.len())),
        (standing, _) if standing.is_empty() => findings.ok(PART, "the gate stands in none of git's hooks (`portcullis init --git` puts it there)"),
        (_, missing) => findings.warn(PART, format!("the gate is gone from git's hooks {}", missing.join(", ")), "run `portcullis init --git` again"),
    }
}
