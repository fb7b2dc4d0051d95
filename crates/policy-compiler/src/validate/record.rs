//! Reads `[record]`. The organisation's and the user's policy alone may have it: a project must not decide how long what
//! happened in it is remembered.

use super::{layers::Head, when::WhenReader};
use policy::{Layer, RecordSection};

/// The fewest and the most megabytes of a record: a file and the one before it, and what is searched in a few seconds.
const MEGABYTES: (i64, i64) = (16, 4096);
/// The most days: ten years.
const DAYS: (i64, i64) = (1, 3650);

/// Reads the section of one more layer. The uppermost layer that has it owns it.
pub(super) fn record<'t>(known: Option<RecordSection<'t>>, head: &Head<'t>, reader: &mut WhenReader<'_, 't, '_>) -> Option<RecordSection<'t>> {
    let Some(table) = head.document.view().table("record") else { return known };
    let layer = head.document.layer;
    if !matches!(layer, Layer::Organisation | Layer::User) {
        let what = format!("`[record]` is not allowed in the {} layer, because a project does not decide how long its record is kept", layer.name());
        reader.checker.mistake(&table.span, what, "put it into the policy of the organisation or of the user");
        return known;
    }
    if known.is_some() {
        reader.checker.mistake(&table.span, "`[record]` is not allowed here, because an upper layer has it too", "remove it");
        return known;
    }
    let place = reader.patterns.keep(&head.document.place(&table.span));
    let mut number = |key: &str, (least, most): (i64, i64)| {
        let Some(value) = table.get(key) else { return 0 };
        let Some(number) = value.as_number() else { return 0 };
        match u32::try_from(number).ok().filter(|_| (least..=most).contains(&number)) {
            Some(number) => number,
            None => {
                reader.checker.mistake(&value.span, format!("`{key}` is {number}"), format!("write a number from {least} to {most}"));
                0
            }
        }
    };
    Some(RecordSection { place, days: number("keep_days", DAYS), megabytes: number("keep_mb", MEGABYTES) })
}
