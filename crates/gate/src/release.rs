//! What is said of an organisation's policy that has ended: to people, to the model, and in the place of a verdict.
#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros)]

use policy::verdict::Finding;
use policy::{Layer, ReleaseAge, ReleaseSection, Tier};

/// The name under which it is denied.
pub const RULE: &str = "organisation-policy-stale";
/// What a person does about it.
pub const MEND: &str = "run `sudo portcullis policy pull`; if that brings nothing newer, ask whoever publishes the organisation's policy";

/// What it finds once its grace is over, of every call and of whatever else is judged: `action` says what that is.
#[must_use]
pub fn finding(section: &ReleaseSection, today: i64, action: &str) -> Option<Finding> {
    (section.age(today) == ReleaseAge::Over).then(|| Finding {
        reason: stale(section, today).unwrap_or_default(),
        instead: format!("tell the user: {MEND}"),
        action: action.to_owned(),
        ..Finding::of_section(Layer::Organisation.name(), RULE, section.place, Tier::Prohibited, section.shadow)
    })
}

/// That it has ended, and what follows. `None`: it has not.
#[must_use]
pub fn stale(section: &ReleaseSection, today: i64) -> Option<String> {
    let ended = || format!("the organisation's policy {} was valid until {}", section.serial, section.until.map(day).unwrap_or_default());
    match section.age(today) {
        ReleaseAge::Fresh => None,
        ReleaseAge::Stale { left: None } => Some(ended()),
        ReleaseAge::Stale { left: Some(left) } => {
            let days = if left == 1 { "day" } else { "days" };
            Some(format!("{}; in {left} {days} every call is denied", ended()))
        }
        ReleaseAge::Over => Some(format!("{}, and the {} days of grace are over", ended(), section.grace)),
    }
}

/// A day as people write it, from days since 1970-01-01 (the calendar of Howard Hinnant's `civil_from_days`).
#[must_use]
pub fn day(days: i64) -> String {
    let from_march = days.saturating_add(719_468);
    let (era, of_era) = (from_march.div_euclid(146_097), from_march.rem_euclid(146_097));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    format!("{:04}-{month:02}-{day:02}", year + era * 400 + next)
}
