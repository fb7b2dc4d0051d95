//! Adds Portcullis to the text of a settings file in JSON, and removes it. Text in, text out. Claude Code's settings are one
//! form of entries; those of other clients are in `cli::wiring`.
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
use clients::settings::MAX_BYTES;
use clients::settings::entry::{covers_all, starts_gate};
use clients::settings::shape::{self, Flaw};

#[derive(Clone, Debug)]
pub struct Wiring {
    /// The program: a full path, or one that begins with `${CLAUDE_PROJECT_DIR}/` or `${CLAUDE_PLUGIN_ROOT}/`.
    pub command: String,
    /// The events to wire, [`clients::claude_code::WIRED`] as a rule.
    pub events: &'static [WiredEvent],
    /// After how many seconds the client gives up waiting; above the gate's own deadline.
    pub timeout_seconds: u32,
}

/// What the entries of a client look like in a JSON file.
pub trait EntryForm {
    /// The events that have an entry.
    fn events(&self) -> &'static [WiredEvent];

    /// The handler of an event as it should be. `found` is the one that is there, of which a person's additions can be kept.
    fn handler(&self, event: WiredEvent, found: Option<&Value>) -> Value;

    /// True if a handler starts Portcullis.
    fn is_ours(&self, handler: &Map<String, Value>) -> bool;

    /// True if the handlers of an event are in groups with a matcher, and not in one list.
    fn has_groups(&self) -> bool {
        true
    }

    /// The group around a handler, if there are groups.
    fn group(&self, _event: WiredEvent, handler: Value) -> Value {
        json!({ "hooks": [handler] })
    }

    /// True if the client accepts comments.
    fn has_comments(&self) -> bool {
        false
    }

    /// True if the client passes over a byte order mark at the start of a file.
    fn has_mark(&self) -> bool {
        false
    }

    /// What a new file has beside the hooks, in front of them.
    fn head(&self) -> Map<String, Value> {
        Map::new()
    }

    /// What in a text makes the client ignore it, or a part of its hooks.
    fn flaw(&self, text: &Value) -> Option<Flaw>;
}

impl EntryForm for Wiring {
    fn events(&self) -> &'static [WiredEvent] {
        self.events
    }

    /// A person's `statusMessage` is kept.
    fn handler(&self, event: WiredEvent, found: Option<&Value>) -> Value {
        let own = self.timeout_seconds - self.timeout_seconds / 6;
        let mut handler = json!({ "type": "command", "command": self.command, "args": [event.event, NAME, own.to_string()], "timeout": self.timeout_seconds });
        if event.is_guarding() {
            handler["onFailure"] = "block".into();
        }
        if let Some(status) = found.and_then(|found| found.get("statusMessage")).and_then(Value::as_str) {
            handler["statusMessage"] = status.into();
        }
        handler
    }

    fn group(&self, event: WiredEvent, handler: Value) -> Value {
        if event.has_matcher { json!({ "matcher": "*", "hooks": [handler] }) } else { json!({ "hooks": [handler] }) }
    }

    fn is_ours(&self, handler: &Map<String, Value>) -> bool {
        handler.get("command").and_then(Value::as_str).is_some_and(starts_gate)
    }

    fn has_mark(&self) -> bool {
        true
    }

    fn flaw(&self, text: &Value) -> Option<Flaw> {
        shape::flaws(text).into_iter().next()
    }
}

/// A handler that starts Portcullis, and its event.
#[derive(Clone, Debug, PartialEq)]
pub struct OwnEntry {
    pub event: String,
    pub handler: Map<String, Value>,
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
pub fn install<F: EntryForm>(text: Option<&str>, form: &F) -> Result<String, SettingsMistake> {
    let Some(text) = text else { return Ok(made(form)) };
    let (mark, body) = split_mark(text);
    if !mark.is_empty() && !form.has_mark() {
        return Err(unwanted_mark());
    }
    refuse_what_the_client_drops(body, form)?;
    let mut body = body.to_owned();
    for _ in 0..MAX_EDITS {
        let splice = missing(&SettingsDocument::read(&body, form.has_comments())?, form);
        match splice {
            None => return Ok(format!("{mark}{body}")),
            Some(splice) => body = splice.applied_to(&body),
        }
    }
    Err(unsettled())
}

/// The text of a new file.
fn made<F: EntryForm>(form: &F) -> String {
    let mut root = form.head();
    root.insert("hooks".to_owned(), all_events(form));
    format!("{}\n", JsonLayout::ours().value(&root.into(), Some("")))
}

/// Returns Claude Code's settings text without the entries whose command `is_ours`. `None` if nothing is left and [`install`]
/// made the file, so that it can be deleted.
///
/// Objects and lists that become empty are removed too, unless they were there and empty before [`install`].
///
/// # Errors
///
/// The text is not strict JSON, or gives a key twice where it matters.
pub fn remove(text: &str, is_ours: impl Fn(&str) -> bool) -> Result<Option<String>, SettingsMistake> {
    taken_out(text, false, true, |handler| handler.get("command").and_then(Value::as_str).is_some_and(&is_ours))
}

/// The same for the entries of a client.
///
/// # Errors
///
/// As [`remove`].
pub fn remove_entries<F: EntryForm>(text: &str, form: &F) -> Result<Option<String>, SettingsMistake> {
    let left = taken_out(text, form.has_comments(), form.has_groups(), |handler| form.is_ours(handler))?;
    // A file with our head and nothing else is ours.
    let head = Value::from(form.head());
    let own = format!("{}\n", JsonLayout::ours().value(&head, Some("")));
    Ok(left.filter(|left| form.head().is_empty() || left == text || *left != own))
}

fn taken_out(text: &str, comments: bool, groups: bool, is_ours: impl Fn(&Map<String, Value>) -> bool) -> Result<Option<String>, SettingsMistake> {
    let (mark, body) = split_mark(text);
    let mut body = body.to_owned();
    for _ in 0..MAX_EDITS {
        let document = SettingsDocument::read(&body, comments)?;
        let places = document.places(groups, &is_ours, |_| true);
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

/// The handlers of Portcullis in a text.
///
/// # Errors
///
/// The text cannot be read.
pub fn entries_of<F: EntryForm>(text: &str, form: &F) -> Result<Vec<OwnEntry>, SettingsMistake> {
    let (_, body) = split_mark(text);
    let document = SettingsDocument::read(body, form.has_comments())?;
    let places = document.places(form.has_groups(), &|handler| form.is_ours(handler), |_| true);
    Ok(places.into_iter().filter_map(|place| Some(OwnEntry { event: place.name, handler: place.handler.as_object()?.clone() })).collect())
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

/// Readers of JSON and of TOML take the mark for a wrong first character.
pub(crate) fn unwanted_mark() -> SettingsMistake {
    let what = "the file begins with a byte order mark, and the client is not known to accept one".to_owned();
    SettingsMistake { line: 1, column: 1, what, fix: "save it as UTF-8 without the mark".to_owned() }
}

fn unsettled() -> SettingsMistake {
    let what = format!("the entries of Portcullis are not complete after {MAX_EDITS} edits");
    SettingsMistake { line: 1, column: 1, what, fix: "remove the entries of `portcullis-hook` by hand".to_owned() }
}

fn refuse_what_the_client_drops<F: EntryForm>(body: &str, form: &F) -> Result<(), SettingsMistake> {
    let document = SettingsDocument::read(body, form.has_comments())?;
    if body.len() > MAX_BYTES {
        return Err(document.mistake(0, "the file is larger than 2 MiB, so the client ignores it", "make it smaller"));
    }
    match form.flaw(document.value()) {
        None => Ok(()),
        Some(flaw) => Err(document.mistake(document.offset_of(&flaw.at), &flaw.what, "fix it, then run this again")),
    }
}

fn all_events<F: EntryForm>(form: &F) -> Value {
    form.events().iter().map(|event| (event.event.to_owned(), json!([element(form, *event)]))).collect::<Map<_, _>>().into()
}

/// The element of an event's list.
fn element<F: EntryForm>(form: &F, event: WiredEvent) -> Value {
    let handler = form.handler(event, None);
    if !form.has_groups() {
        return handler;
    }
    form.group(event, handler)
}

/// The next edit that brings the document nearer to `form`; `None` when it is there.
fn missing<F: EntryForm>(document: &SettingsDocument, form: &F) -> Option<Splice> {
    let is_ours = |handler: &Map<String, Value>| form.is_ours(handler);
    let Some(hooks) = document.hooks() else {
        return Some(document.append(&document.root(), Some("hooks"), &all_events(form)));
    };
    for event in form.events() {
        let Some(groups) = document.groups(event.event) else {
            return Some(document.append(&hooks, Some(event.event), &json!([element(form, *event)])));
        };
        let places = document.places(form.has_groups(), &is_ours, |name| name == event.event);
        let fits = |place: &&HandlerPlace| covers_all(place.matcher.as_ref()) && handler_fits(&place.handler, form, *event);
        let Some(kept) = places.iter().find(fits).or(places.first()) else {
            return Some(document.append(&groups, None, &element(form, *event)));
        };
        if let Some(other) = places.iter().find(|place| *place != kept) {
            return document.taken_out(other);
        }
        if !covers_all(kept.matcher.as_ref()) {
            // Where another tool's hook is in the same group, that one needs the matcher.
            return if kept.is_alone() { Some(document.replace(&kept.matcher_at, &"*".into())) } else { document.taken_out(kept) };
        }
        if !handler_fits(&kept.handler, form, *event) {
            return Some(document.replace(&kept.handler_at, &form.handler(*event, Some(&kept.handler))));
        }
    }
    // An entry that an older version had on another event would be started for nothing.
    let unused = |name: &str| form.events().iter().all(|event| event.event != name);
    document.places(form.has_groups(), &is_ours, unused).first().and_then(|place| document.taken_out(place))
}

/// Whether a handler is as it should be, whatever the order of its keys.
fn handler_fits<F: EntryForm>(found: &Value, form: &F, event: WiredEvent) -> bool {
    *found == form.handler(event, Some(found))
}

#[cfg(test)]
#[path = "settings_tests.rs"]
mod tests;
