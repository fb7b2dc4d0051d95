//! Adds Portcullis to the text of a Claude Code settings file, and removes it. Text in, text out.
//!
//! Everything else in the text stays byte for byte. So the text is changed at single places and never written again as a
//! whole. [`document`] finds those places, and [`layout`] lays out what is added. `clients::settings` says what a settings
//! text means for Portcullis. This module reads and writes no file.

mod document;
mod layout;

use actions::shown::escaped;
use serde_json::{Map, Value, json};
use similar::TextDiff;

use self::document::{HandlerPlace, SettingsDocument, Splice};
use self::layout::JsonLayout;
use clients::WiredEvent;
use clients::claude_code::NAME;
use clients::settings::entry::{covers_all, starts_gate};
use clients::settings::{MAX_BYTES, shape};

#[derive(Clone, Debug)]
pub struct Wiring {
    /// The program: a full path, or one that begins with `${CLAUDE_PROJECT_DIR}/` or `${CLAUDE_PLUGIN_ROOT}/`.
    pub command: String,
    /// The events to wire, [`clients::claude_code::WIRED`] as a rule.
    pub events: &'static [WiredEvent],
    /// After how many seconds the client gives up waiting; above the gate's own deadline.
    pub timeout_seconds: u32,
}

/// Why a settings text is left alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsMistake {
    /// The line, from 1.
    pub line: usize,
    /// The character in the line, from 1.
    pub column: usize,
    /// What is wrong there, a clause in lower case.
    pub what: String,
    pub fix: String,
}

/// One edit resolves one thing; there are never more than a few per entry of the gate in a file.
const MAX_EDITS: usize = 10_000;

/// Returns the settings text with the entries of Portcullis. `text` is `None` if there is no file yet.
///
/// An old entry of Portcullis (another path, another timeout, something missing) is updated in its place. A text that is
/// up to date is returned unchanged.
///
/// # Errors
///
/// The client would ignore the text, or a part of its hooks.
pub fn install(text: Option<&str>, wiring: &Wiring) -> Result<String, SettingsMistake> {
    let Some(text) = text else {
        let root = json!({ "hooks": all_events(wiring) });
        return Ok(format!("{}\n", JsonLayout::ours().value(&root, Some(""))));
    };
    let (mark, body) = split_mark(text);
    refuse_what_the_client_drops(body)?;
    let mut body = body.to_owned();
    for _ in 0..MAX_EDITS {
        let splice = missing(&SettingsDocument::read(&body)?, wiring);
        match splice {
            None => return Ok(format!("{mark}{body}")),
            Some(splice) => body = splice.applied_to(&body),
        }
    }
    Err(unsettled())
}

/// Returns the settings text without the entries whose command `is_ours`. `None` if nothing is left and [`install`] made
/// the file, so that it can be deleted.
///
/// Objects and lists that become empty are removed too, unless they were there and empty before [`install`].
///
/// # Errors
///
/// The text is not strict JSON, or gives a key twice where it matters.
pub fn remove(text: &str, is_ours: impl Fn(&str) -> bool) -> Result<Option<String>, SettingsMistake> {
    let (mark, body) = split_mark(text);
    let mut body = body.to_owned();
    for _ in 0..MAX_EDITS {
        let document = SettingsDocument::read(&body)?;
        let places = document.places(&is_ours, |_| true);
        let Some(place) = places.first() else {
            return Ok(Some(format!("{mark}{body}")));
        };
        match document.taken_out(place) {
            Some(splice) => body = splice.applied_to(&body),
            // A mark in front of the text is not of our making, so neither was the file.
            None if mark.is_empty() => return Ok(None),
            None => return Ok(Some(format!("{mark}{{}}"))),
        }
    }
    Err(unsettled())
}

/// The file `hooks.json` of a Claude Code plugin that carries the gate.
pub fn hooks_json(wiring: &Wiring) -> String {
    let description = "Portcullis stops coding agents before they do what cannot be undone";
    let root = json!({ "description": description, "hooks": all_events(wiring) });
    format!("{}\n", JsonLayout::ours().value(&root, Some("")))
}

/// The change of a file as a unified diff. It is empty if nothing changes. `None` is a file that does not exist.
pub fn difference(name: &str, before: Option<&str>, after: Option<&str>) -> String {
    let side = |text: Option<&str>| if text.is_some() { escaped(name).into_owned() } else { "/dev/null".to_owned() };
    TextDiff::from_lines(before.unwrap_or_default(), after.unwrap_or_default()).unified_diff().header(&side(before), &side(after)).to_string()
}

/// Splits off a byte order mark. The client ignores it, so it is kept.
fn split_mark(text: &str) -> (&'static str, &str) {
    text.strip_prefix('\u{feff}').map_or(("", text), |body| ("\u{feff}", body))
}

fn unsettled() -> SettingsMistake {
    let what = format!("the entries of Portcullis are not complete after {MAX_EDITS} edits");
    SettingsMistake { line: 1, column: 1, what, fix: "remove the entries of `portcullis-hook` by hand".to_owned() }
}

fn refuse_what_the_client_drops(body: &str) -> Result<(), SettingsMistake> {
    let document = SettingsDocument::read(body)?;
    if body.len() > MAX_BYTES {
        return Err(document.mistake(0, "the file is larger than 2 MiB, so the client ignores it", "make it smaller"));
    }
    match shape::flaws(document.value()).into_iter().next() {
        None => Ok(()),
        Some(flaw) => Err(document.mistake(document.offset_of(&flaw.at), &flaw.what, "fix it, then run this again")),
    }
}

fn all_events(wiring: &Wiring) -> Value {
    wiring.events.iter().map(|event| (event.event.to_owned(), json!([group(wiring, *event)]))).collect::<Map<_, _>>().into()
}

fn group(wiring: &Wiring, event: WiredEvent) -> Value {
    let hooks = json!([handler(wiring, event, None)]);
    if event.has_matcher { json!({ "matcher": "*", "hooks": hooks }) } else { json!({ "hooks": hooks }) }
}

/// The handler as it should be; a person's `statusMessage` is kept.
fn handler(wiring: &Wiring, event: WiredEvent, status: Option<&str>) -> Value {
    let own = wiring.timeout_seconds - wiring.timeout_seconds / 6;
    let mut handler = json!({ "type": "command", "command": wiring.command, "args": [event.event, NAME, own.to_string()], "timeout": wiring.timeout_seconds });
    if event.is_guarding() {
        handler["onFailure"] = "block".into();
    }
    if let Some(status) = status {
        handler["statusMessage"] = status.into();
    }
    handler
}

/// The next edit that brings the document nearer to `wiring`; `None` when it is there.
fn missing(document: &SettingsDocument, wiring: &Wiring) -> Option<Splice> {
    let Some(hooks) = document.hooks() else {
        return Some(document.append(&document.root(), Some("hooks"), &all_events(wiring)));
    };
    for event in wiring.events {
        let Some(groups) = document.groups(event.event) else {
            return Some(document.append(&hooks, Some(event.event), &json!([group(wiring, *event)])));
        };
        let places = document.places(&starts_gate, |name| name == event.event);
        let fits = |place: &&HandlerPlace| covers_all(place.matcher.as_ref()) && handler_fits(&place.handler, wiring, *event);
        let Some(kept) = places.iter().find(fits).or(places.first()) else {
            return Some(document.append(&groups, None, &group(wiring, *event)));
        };
        if let Some(other) = places.iter().find(|place| *place != kept) {
            return document.taken_out(other);
        }
        if !covers_all(kept.matcher.as_ref()) {
            // Where another tool's hook is in the same group, that one needs the matcher.
            return if kept.is_alone() { Some(document.replace(&kept.matcher_at, &"*".into())) } else { document.taken_out(kept) };
        }
        if !handler_fits(&kept.handler, wiring, *event) {
            let status = kept.handler.get("statusMessage").and_then(Value::as_str);
            return Some(document.replace(&kept.handler_at, &handler(wiring, *event, status)));
        }
    }
    // An entry that an older version had on another event would be started for nothing.
    let unused = |name: &str| wiring.events.iter().all(|event| event.event != name);
    document.places(&starts_gate, unused).first().and_then(|place| document.taken_out(place))
}

/// Whether a handler is what [`handler`] would make, whatever the order of its keys.
fn handler_fits(found: &Value, wiring: &Wiring, event: WiredEvent) -> bool {
    let status = found.get("statusMessage").and_then(Value::as_str);
    *found == handler(wiring, event, status)
}

#[cfg(test)]
#[path = "settings_tests.rs"]
mod tests;
