//! What `--fix` does.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use super::{CheckResult, Repair};
use crate::cli::init::clients::WiringTarget;
use crate::cli::init::git::HookSite;
use crate::cli::init::plan::Plan;
use crate::cli::init::scope::Site;
use crate::cli::place::Place;
use crate::cli::refusal::Refusal;
use crate::cli::terminal::{say, shown};
use crate::cli::wiring::HookPlace;
use clients::wiring::ClientWiring;

/// Does what `--fix` can do. True if something was changed.
pub(super) fn all(findings: &[CheckResult], quiet: bool) -> Result<bool, Refusal> {
    let mut repairs: Vec<&Repair> = Vec::new();
    for repair in findings.iter().filter_map(|finding| finding.repair.as_ref()) {
        if !repairs.contains(&repair) {
            repairs.push(repair);
        }
    }
    let here = Place::at(None)?;
    let site = Site::at(&here.cwd, &here.world, None)?;
    let mut changed = false;
    for repair in repairs {
        let plan = match repair {
            Repair::Settings(scope) => WiringTarget::ClaudeCode(*scope).wire(&site, None, &[])?,
            Repair::Client(name, scope) => {
                let hooks = ClientWiring::named(name).and_then(|wiring| HookPlace::of(wiring, *scope, &site));
                let Some(hooks) = hooks else { continue };
                WiringTarget::Other(hooks).wire(&site, None, &[])?
            }
            Repair::Hooks => {
                let mut plan = Plan::default();
                HookSite::of(&site)?.wire(&mut plan)?;
                plan
            }
            Repair::ReadOnly(path) => {
                changed |= set_mode(path, |mode| mode & !0o022, quiet)?;
                continue;
            }
            Repair::Executable(path) => {
                changed |= set_mode(path, |mode| mode | 0o100, quiet)?;
                continue;
            }
        };
        plan.apply()?;
        changed |= plan.changes();
        for edit in plan.edits.iter().filter(|edit| edit.changes() && !quiet) {
            say(&format!("fixed {}", edit.path.display()));
        }
    }
    Ok(changed)
}

/// Changes who may do what with a file. True: something was changed.
fn set_mode(path: &Path, new: impl Fn(u32) -> u32, quiet: bool) -> Result<bool, Refusal> {
    let failed =
        |error: std::io::Error| Refusal::new("not everything was fixed", format!("`{}`: {error}", shown(path)), "fix it by hand, as `portcullis doctor` says");
    let mode = fs::metadata(path).map_err(failed)?.mode();
    if new(mode) == mode {
        return Ok(false);
    }
    fs::set_permissions(path, fs::Permissions::from_mode(new(mode) & 0o7777)).map_err(failed)?;
    if !quiet {
        say(&format!("fixed {}", shown(path)));
    }
    Ok(true)
}
