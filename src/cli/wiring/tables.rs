//! Adds the tables of Portcullis to a TOML file of a client, and removes them. Text in, text out; the rest stays byte for byte.
//!
//! `toml` gives the places, and the text is changed there. An editor of whole documents would move tables that are apart.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

use crate::cli::settings::{SettingsMistake, unwanted_mark};
use clients::WiredEvent;
use clients::wiring::forms::{self, HookPath, StartedHook};
use clients::wiring::{ClientWiring, HookForm};

/// The key of the list of tables.
const KEY: &str = "hooks";
/// The line in front of our tables.
const MARK: &str = "# made by `portcullis init`; `portcullis init --undo` removes it";
/// The same, where the text before had no line end, so that it can lose it again.
const MARK_AFTER_OPEN_LINE: &str = "# made by `portcullis init`; `portcullis init --undo` removes it; the line above had no end";

/// A table of hooks, ours or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HookTable {
    /// The event's name, or whatever is in its place.
    pub event: String,
    pub name: Option<String>,
    /// The line that it starts.
    pub command: String,
    /// What it starts, if it is ours.
    pub started: Option<StartedHook>,
    /// Its lines, from the header to the last key.
    lines: Range<usize>,
    /// Its text without the line ends of other systems.
    pub text: String,
}

/// The same, where there was a file without a text.
const MARK_IN_EMPTY_FILE: &str = "# made by `portcullis init`; `portcullis init --undo` removes it; the file was empty";

/// Why no table can be added.
const IN_ONE_VALUE: &str = "`hooks` is a list in one value: write it as `[[hooks]]` tables, so that one can be added";

/// All tables of hooks in a text.
pub(crate) fn read(wiring: &ClientWiring, text: &str) -> Result<Vec<HookTable>, SettingsMistake> {
    tables(wiring, text, false)
}

/// `adds`: a table is to be added.
fn tables(wiring: &ClientWiring, text: &str, adds: bool) -> Result<Vec<HookTable>, SettingsMistake> {
    let HookForm::Tables { event: event_key, .. } = wiring.form else { return Ok(Vec::new()) };
    let body = text.strip_prefix('\u{feff}').unwrap_or(text);
    let skipped = text.len() - body.len();
    let document = DeTable::parse(body).map_err(|error| mistake(text, skipped + error.span().map_or(0, |span| span.start), error.message()))?;
    let entry = document.get_ref().iter().find(|(key, _)| key.get_ref().as_ref() == KEY);
    let Some((_, list)) = entry else { return Ok(Vec::new()) };
    let DeValue::Array(list) = list.get_ref() else {
        return Err(mistake(text, skipped + list.span().start, "`hooks` is not a list of tables, so no hook can be added"));
    };
    let list_at = skipped + entry.map_or(0, |(_, list)| list.span().start);
    if list.is_empty() && adds {
        return Err(mistake(text, list_at, IN_ONE_VALUE));
    }
    let mut found = Vec::new();
    for element in list {
        let at = skipped + element.span().start;
        let DeValue::Table(table) = element.get_ref() else { continue };
        if !text.get(at..).is_some_and(|rest| rest.starts_with("[[")) {
            return Err(mistake(text, list_at, IN_ONE_VALUE));
        }
        let member = |name: &str| table.iter().find(|(key, _)| key.get_ref().as_ref() == name).and_then(|(_, value)| value.get_ref().as_str());
        let end = table.iter().map(|(_, value)| skipped + value.span().end).chain([skipped + element.span().end]).max().unwrap_or(at);
        let end = text.get(end..).and_then(|rest| rest.find('\n')).map_or(text.len(), |line| end + line + 1);
        let start = text.get(..at).and_then(|before| before.rfind('\n')).map_or(skipped, |line| line + 1);
        let command = member("command").unwrap_or_default().to_owned();
        found.push(HookTable {
            event: member(event_key).unwrap_or_default().to_owned(),
            name: member("name").map(str::to_owned),
            started: forms::started(&command),
            command,
            text: text.get(start..end).unwrap_or_default().replace("\r\n", "\n"),
            lines: start..end,
        });
    }
    Ok(found)
}

/// The text with our tables for these events, and with nothing else of ours.
///
/// # Errors
///
/// The text is not TOML, or no table can be added to it.
pub(crate) fn with(wiring: &ClientWiring, text: Option<&str>, hook: HookPath, events: &[WiredEvent]) -> Result<String, SettingsMistake> {
    let wanted: Vec<String> = events.iter().filter_map(|event| forms::table(wiring, *event, hook)).collect();
    let before = text.unwrap_or_default();
    if before.starts_with('\u{feff}') {
        return Err(unwanted_mark());
    }
    let ours: Vec<HookTable> = tables(wiring, before, true)?.into_iter().filter(|table| table.started.is_some()).collect();
    // All of them, as they should be, in any order.
    if !ours.is_empty() && ours.len() == wanted.len() && wanted.iter().all(|wanted| ours.iter().any(|table| table.text.trim_end() == wanted.trim_end())) {
        return Ok(before.to_owned());
    }
    let kept = without(wiring, before)?;
    let text = text.filter(|_| kept.is_some());
    let kept = kept.unwrap_or_default();
    let eol = if kept.contains("\r\n") { "\r\n" } else { "\n" };
    let open = !kept.is_empty() && !kept.ends_with('\n');
    let (end, mark) = match open {
        true => (eol, MARK_AFTER_OPEN_LINE),
        false if text.is_some() && kept.is_empty() => ("", MARK_IN_EMPTY_FILE),
        false => ("", MARK),
    };
    let tables = wanted.join("\n").replace('\n', eol);
    let made = format!("{kept}{end}{mark}{eol}{tables}");
    // A table that continues at the end of the file would take ours in.
    read(wiring, &made)?;
    Ok(made)
}

/// The text without our tables. `None` if nothing is left.
///
/// # Errors
///
/// The text is not TOML.
pub(crate) fn without(wiring: &ClientWiring, text: &str) -> Result<Option<String>, SettingsMistake> {
    let ours: Vec<Range<usize>> = read(wiring, text)?.into_iter().filter(|table| table.started.is_some()).map(|table| table.lines).collect();
    let (Some(first), false) = (ours.first(), ours.is_empty()) else { return Ok(Some(text.to_owned())) };
    // The lines between two of our tables that follow each other are blank ones of our own.
    let mut kept = text.get(..first.start).unwrap_or_default().to_owned();
    let was_empty = kept.trim_end() == MARK_IN_EMPTY_FILE;
    for (at, range) in ours.iter().enumerate() {
        let next = ours.get(at + 1).map_or(text.len(), |next| next.start);
        let between = text.get(range.end..next).unwrap_or_default();
        if at == 0 {
            remove_mark(&mut kept);
        }
        if !(between.trim().is_empty() && at + 1 < ours.len()) {
            kept.push_str(between);
        }
    }
    Ok((was_empty || !kept.is_empty()).then_some(kept))
}

/// Removes our line at the end of a text, and the line end that came with it.
fn remove_mark(kept: &mut String) {
    let line_start = kept.trim_end_matches(['\r', '\n']).rfind('\n').map_or(0, |at| at + 1);
    let line = kept.get(line_start..).unwrap_or_default().trim_end();
    let open = line == MARK_AFTER_OPEN_LINE;
    if line != MARK && line != MARK_IN_EMPTY_FILE && !open {
        return;
    }
    kept.truncate(line_start);
    if open {
        let whole = kept.strip_suffix('\n').map(|rest| rest.strip_suffix('\r').unwrap_or(rest).len());
        kept.truncate(whole.unwrap_or(kept.len()));
    }
}

fn mistake(text: &str, offset: usize, what: &str) -> SettingsMistake {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.rsplit_once('\n').map_or(before, |(_, line)| line);
    SettingsMistake {
        line: before.matches('\n').count() + 1,
        column: line.chars().count() + 1,
        what: what.to_owned(),
        fix: "fix it, then run this again".to_owned(),
    }
}

#[cfg(test)]
#[path = "tables_tests.rs"]
mod tests;
