//! Reads `[release]`. The organisation's policy alone may have it: it says which state of that policy this is, and how long it
//! holds.

use super::{layers::Head, when::WhenReader};
use policy::{Layer, ReleaseSection};

/// Values of `stale`: whether calls are denied after the grace.
const STALE: &[(&str, bool)] = &[("note", false), ("deny", true)];
/// The most days of grace: a year.
const MOST_GRACE: i64 = 366;
/// Days of grace where nothing is said.
const GRACE: u32 = 14;

/// Reads the section of one more layer.
pub(super) fn release<'t>(known: Option<ReleaseSection<'t>>, head: &Head<'t>, shadow: bool, reader: &mut WhenReader<'_, 't, '_>) -> Option<ReleaseSection<'t>> {
    let Some(table) = head.document.view().table("release") else { return known };
    let layer = head.document.layer;
    if layer != Layer::Organisation {
        let what = format!("`[release]` is not allowed in the {} layer", layer.name());
        reader.checker.mistake(&table.span, what, "only the organisation layer can have it");
        return known;
    }
    let mut number = |key: &str, least: i64, most: i64| {
        let value = table.get(key)?;
        let number = value.as_number()?;
        if !(least..=most).contains(&number) {
            let fix = if most == i64::MAX { format!("write a number from {least}") } else { format!("write a number from {least} to {most}") };
            reader.checker.mistake(&value.span, format!("`{key}` is {number}"), fix);
        }
        Some(number)
    };
    let serial = number("serial", 1, i64::MAX);
    let grace = number("grace_days", 0, MOST_GRACE).map_or(GRACE, |days| u32::try_from(days).unwrap_or(GRACE));
    let denies = table.text("stale").and_then(|text| reader.checker.named(&text, STALE, "value of `stale`")).unwrap_or(false);
    let until = table.get("valid_until");
    for key in ["grace_days", "stale"].into_iter().filter(|_| until.is_none()) {
        if let Some(value) = table.get(key) {
            reader.checker.mistake(&value.span, format!("`{key}` without `valid_until`"), "say until when this policy holds: `valid_until = 2027-03-31`");
        }
    }
    Some(ReleaseSection {
        place: reader.patterns.keep(&head.document.place(&table.span)),
        shadow,
        serial: serial.and_then(|number| u64::try_from(number).ok()).unwrap_or(0),
        until: until.and_then(|day| day.as_day()),
        grace,
        denies,
    })
}
