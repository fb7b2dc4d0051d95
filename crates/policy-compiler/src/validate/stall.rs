//! Reads `[stall]`. The uppermost layer that has it owns it.

use super::layers::Head;
use super::when::WhenReader;
use crate::schema::SpannedValue;
use policy::Stall;
use policy::table::TableReader as _;

/// What holds where nothing is said.
const REPEAT: u8 = 3;
const CYCLE: (u8, u8) = (2, 5);
const TIMES: u8 = 3;
const ERRORS: u8 = 5;
const IDLE: u8 = 0;
/// The longest row of calls that is remembered.
const MOST: u8 = 60;
/// The steps of the ladder.
const STEPS: &[(&str, &str)] = &[("note", "note"), ("deny", "deny"), ("stop", "stop")];

/// Reads the section of one more layer into what the layers above it say.
pub(super) fn stall<'t>(known: Option<Stall<'t>>, head: &Head<'t>, shadow: bool, reader: &mut WhenReader<'_, 't, '_>) -> Option<Stall<'t>> {
    let Some(table) = head.document.view().table("stall") else { return known };
    if let Some(upper) = known {
        let what = format!("`[stall]` is not allowed here, because the {} layer has it too", upper.layer.name());
        reader.checker.mistake(&table.span, what, "remove it");
        return Some(upper);
    }
    let cycle = table.table("cycle");
    let (cycle, times) = match &cycle {
        None => (CYCLE, TIMES),
        Some(table) => (lengths(table, reader), number(table, "times", 2, reader).unwrap_or(TIMES)),
    };
    if u32::from(cycle.1) * u32::from(times) > u32::from(MOST) {
        reader.checker.mistake(&table.span, "`cycle` needs more calls than are remembered", format!("`length` times `times` is {MOST} at the most"));
    }
    let steps: Vec<&str> = match table.texts("ladder") {
        steps if steps.is_empty() => vec!["note", "deny", "stop"],
        steps => steps.iter().filter_map(|step| reader.checker.named(step, STEPS, "step of the ladder")).collect(),
    };
    let on = |step: &str| steps.contains(&step);
    Some(Stall {
        place: reader.patterns.keep(&head.document.place(&table.span)),
        layer: head.document.layer,
        shadow,
        repeat: number(&table, "repeat", 2, reader).unwrap_or(REPEAT),
        cycle,
        times,
        errors: number(&table, "errors", 2, reader).unwrap_or(ERRORS),
        idle: number(&table, "idle", 3, reader).unwrap_or(IDLE),
        notes: on("note"),
        denies: on("deny"),
        stops: on("stop"),
        waits: reader.texts(&table, "waits"),
    })
}

/// A number of calls, or 0 for what is not looked for.
fn number(table: &SpannedValue, key: &str, least: u8, reader: &mut WhenReader) -> Option<u8> {
    let value = table.get(key)?;
    let number = value.as_number()?;
    let known = u8::try_from(number).ok().filter(|number| *number == 0 || (least..=MOST).contains(number));
    if known.is_none() {
        reader.checker.mistake(&value.span, format!("`{key}` is {number}"), format!("write a number from {least} to {MOST}, or 0 not to look for it"));
    }
    known
}

/// `length = [2, 5]`, or one number.
fn lengths(table: &SpannedValue, reader: &mut WhenReader) -> (u8, u8) {
    let Some(value) = table.get("length") else { return CYCLE };
    let numbers: Vec<u8> = value.elements().iter().filter_map(|element| u8::try_from(element.as_number()?).ok()).collect();
    match numbers.as_slice() {
        [one] if (2..=9).contains(one) => (*one, *one),
        [short, long] if (2..=9).contains(short) && (*short..=9).contains(long) => (*short, *long),
        [0] => (0, 0),
        _ => {
            reader.checker.mistake(&value.span, "`length` is no range of lengths", "write two numbers from 2 to 9, like `[2, 5]`");
            CYCLE
        }
    }
}
