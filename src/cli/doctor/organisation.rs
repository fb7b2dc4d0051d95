//! The organisation's policy: which state of it is in place, whether it has ended, and whether it can be pulled.

use super::{CheckResults, Place};
use crate::cli::policy::pull::origin::{FILE, PolicyOrigin};
use gate::judge::today;
use gate::release::{MEND, day, stale};
use gate::world::organisation_policy;
use policy::{Policy, ReleaseAge};

pub(super) fn look(place: &Place, findings: &mut CheckResults) {
    let part = "release";
    let path = organisation_policy();
    if let Some(folder) = path.parent().filter(|folder| folder.join(FILE).exists())
        && let Err(why) = PolicyOrigin::read(folder, None)
    {
        findings.warn(part, format!("the organisation's policy cannot be pulled: {why}"), "the administrator fixes this file");
    }
    // A policy with mistakes is reported elsewhere.
    let Ok(bytes) = place.policy() else { return };
    let Some(release) = Policy::open(&bytes).and_then(|policy| policy.tiers()?.release) else { return };
    match (release.age(today()), stale(&release, today())) {
        (ReleaseAge::Over, Some(text)) if !release.shadow => findings.fail(part, format!("{text}, so every call is denied"), MEND),
        (_, Some(text)) => findings.warn(part, text, MEND),
        (_, None) => {
            let until = release.until.map(|until| format!(", holds until {}", day(until))).unwrap_or_default();
            findings.ok(part, format!("the organisation's policy {}{until}", release.serial));
        }
    }
}
