//! What a change of a file means for the wiring of a client other than Claude Code: which files of a client start Portcullis,
//! and whether they still would after the change. Where its files are and what switches its hooks off is in
//! `clients::wiring`.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use clients::settings::PROGRAM;
use clients::wiring::{ClientWiring, HookForm, OURS, OffSwitch, OffValue, ReplacedBy, WIRINGS};
use serde_json::{Map, Value};

use super::own_files::text_of;

/// Levels of a file that are looked into.
const MAX_LEVELS: usize = 32;

/// A file that belongs to the wiring of a client.
#[derive(Clone, Copy)]
pub(super) struct WiredFile {
    wiring: &'static ClientWiring,
    /// It is ours as a whole, or a file of somebody else's in a folder of such files.
    whole: bool,
}

/// The files of a client, each below a project or a home. A folder of programs ends with `/`.
fn paths(wiring: &'static ClientWiring) -> impl Iterator<Item = (String, bool)> {
    let whole = matches!(wiring.form, HookForm::OwnFile | HookForm::Plugin | HookForm::Programs);
    let folder = wiring.home.folder;
    let user = std::iter::once(format!("{folder}/{}", wiring.user));
    let project = [wiring.project, wiring.local].into_iter().flatten().map(str::to_owned);
    let switched = wiring.switches.iter().flat_map(move |switch| std::iter::once(format!("{folder}/{}", switch.user)).chain(switch.project.map(str::to_owned)));
    let instead = match wiring.replaced_by {
        Some(ReplacedBy::EventIn(file)) => Some(format!("{folder}/{file}")),
        _ => None,
    };
    let scripts = wiring.script.map(str::to_owned);
    let hooks = user.chain(project).chain(scripts).map(move |path| (path, whole));
    hooks.chain(switched.chain(instead).map(move |path| (path, false)))
}

/// The wiring to which a file belongs. `None`: to none.
pub(super) fn of(path: &Path) -> Option<WiredFile> {
    WIRINGS.iter().find_map(|wiring| {
        let whole = matches!(wiring.form, HookForm::OwnFile | HookForm::Plugin | HookForm::Programs);
        let is_it = |known: &str| {
            let known = Path::new(known);
            // Other files beside ours can be started in the same way, and a folder of programs has one for each event.
            let beside = if wiring.form == HookForm::Programs { Some(known) } else { known.parent().filter(|_| whole) };
            path.ends_with(known) || beside.is_some_and(|folder| path.parent().is_some_and(|parent| parent.ends_with(folder)))
        };
        paths(wiring).find(|(known, _)| is_it(known)).map(|(_, whole)| WiredFile { wiring, whole })
    })
}

/// The files of wirings that are in a folder, or that are it.
pub(super) fn inside(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for (known, _) in WIRINGS.iter().flat_map(paths) {
        let parts: Vec<&OsStr> = Path::new(&known).iter().collect();
        for taken in 0..=parts.len() {
            let (front, rest) = parts.split_at(taken);
            if taken == 0 || folder.ends_with(front.iter().collect::<PathBuf>()) {
                let path = folder.join(rest.iter().collect::<PathBuf>());
                // Programs are in a folder of their own.
                match std::fs::read_dir(&path) {
                    Ok(entries) => found.extend(entries.flatten().map(|entry| entry.path())),
                    Err(_) => found.push(path),
                }
            }
        }
    }
    found
}

/// True if a text starts Portcullis.
pub(super) fn starts(text: &str) -> bool {
    text.contains(PROGRAM)
}

impl WiredFile {
    /// True if a change that is not known could keep the client from starting Portcullis.
    pub(super) fn matters(self, path: &Path, before: Option<&str>, homes: &[String]) -> bool {
        let switches = || {
            let files = self.wiring.switches.iter().flat_map(|switch| switch.project.into_iter().chain([switch.user]));
            files.into_iter().any(|file| path.ends_with(file))
        };
        before.is_some_and(starts) || ((switches() || self.wiring.replaced_by.is_some()) && self.is_wired_for_person(path, homes))
    }

    /// True if another file, the person's own, starts Portcullis.
    fn is_wired_for_person(self, path: &Path, homes: &[String]) -> bool {
        let ClientWiring { home, user, form, .. } = self.wiring;
        homes.iter().map(|folder| Path::new(folder).join(home.folder).join(user)).filter(|person| person != path).any(|person| match form {
            HookForm::Programs => {
                person.is_dir() && std::fs::read_dir(person).is_ok_and(|all| all.flatten().any(|file| text_of(&file.path()).is_some_and(|text| starts(&text))))
            }
            _ => text_of(&person).is_some_and(|text| starts(&text)),
        })
    }

    /// Why the client would not start Portcullis after a change as it does now. `None` if it would.
    pub(super) fn worse(self, path: &Path, before: Option<&str>, after: &str, homes: &[String]) -> Option<String> {
        let is_ours = before.is_some_and(starts);
        let title = self.wiring.title;
        if self.whole && is_ours {
            return (before != Some(after)).then(|| format!("this file starts Portcullis for {title}"));
        }
        if before == Some(after) {
            return None;
        }
        let read = |text: &str| read(path, text);
        let old = before.and_then(read);
        let Some(new) = read(after) else {
            return is_ours.then(|| format!("{title} could not read the file any more"));
        };
        if is_ours && old.is_none() && !starts(after) {
            return Some(format!("the entry of Portcullis for {title} is missing"));
        }
        let none = Value::Null;
        let old = old.as_ref().unwrap_or(&none);
        if let Some(switch) = self.wiring.switches.iter().find(|switch| is_off(switch, &new) && !is_off(switch, old)) {
            return Some(format!("`{}` switches the hooks of {title} off", switch.keys.join(".")));
        }
        let (had, has) = (entries(old), entries(&new));
        let count = |all: &[WiredEntry], one: &WiredEntry| all.iter().filter(|other| *other == one).count();
        if let Some(lost) = had.iter().find(|entry| count(&has, entry) < count(&had, entry)) {
            return Some(format!("the entry of Portcullis for {title} under `{}` would be changed or deleted", lost.keys));
        }
        self.replaces(path, old, &new, homes)
    }

    /// What a change puts in the place of our entries.
    fn replaces(self, path: &Path, old: &Value, new: &Value, homes: &[String]) -> Option<String> {
        let title = self.wiring.title;
        match self.wiring.replaced_by? {
            ReplacedBy::EventIn(file) if path.file_name() == Some(OsStr::new(file)) => {
                let beside = Path::new(self.wiring.user).file_name().and_then(|name| text_of(&path.with_file_name(name)));
                let is_new = |event: &str| new.get(event).is_some() && new.get(event) != old.get(event);
                let event = self.wiring.client.wired().iter().find(|known| is_new(known.event))?;
                let is_wired = beside.is_some_and(|text| starts(&text)) || self.is_wired_for_person(path, homes);
                (is_wired && !starts(&new.to_string())).then(|| format!("{title} would read `{}` here, in the place of the entry of Portcullis", event.event))
            }
            ReplacedBy::SameName => {
                let named = |value: &Value| -> Vec<Value> {
                    let hooks = value.get("hooks").and_then(Value::as_array).cloned().unwrap_or_default();
                    let is_other = |hook: &Value| {
                        let text = |key: &str| hook.get(key).and_then(Value::as_str).unwrap_or_default();
                        text("name").starts_with(OURS) && !text("command").contains(PROGRAM)
                    };
                    hooks.into_iter().filter(is_other).collect()
                };
                let known = named(old);
                named(new).iter().any(|hook| !known.contains(hook)).then(|| format!("a hook with the name of Portcullis would take its place in {title}"))
            }
            ReplacedBy::ProjectFile if *old == Value::Null && !starts(&new.to_string()) => {
                let why = format!("{title} would read this file in the place of the person's own, which starts Portcullis");
                self.is_wired_for_person(path, homes).then_some(why)
            }
            _ => None,
        }
    }
}

/// A place in a file that starts Portcullis.
#[derive(PartialEq)]
struct WiredEntry {
    /// The keys that lead to it, without the numbers of lists.
    keys: String,
    /// What it is, and what else of it decides when it runs.
    parts: Vec<Value>,
}

/// Every object that starts Portcullis by a text of its own, with the plain values of the objects around it.
fn entries(root: &Value) -> Vec<WiredEntry> {
    let mut found = Vec::new();
    collect(root, &mut Vec::new(), &mut Vec::new(), 0, &mut found);
    found
}

fn collect(value: &Value, keys: &mut Vec<String>, around: &mut Vec<Value>, level: usize, found: &mut Vec<WiredEntry>) {
    if level > MAX_LEVELS {
        return;
    }
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, keys, around, level + 1, found)),
        Value::Object(fields) => {
            if fields.values().any(starts_it) {
                let parts = around.iter().cloned().chain([value.clone()]).collect();
                found.push(WiredEntry { keys: keys.join("."), parts });
                return;
            }
            // The root's other values are no part of an entry.
            let own: Map<String, Value> = fields
                .iter()
                .filter(|(_, value)| level > 0 && !value.is_object() && !value.is_array())
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect();
            around.push(own.into());
            for (key, value) in fields {
                keys.push(key.clone());
                collect(value, keys, around, level + 1, found);
                keys.pop();
            }
            around.pop();
        }
        _ => {}
    }
}

fn starts_it(value: &Value) -> bool {
    match value {
        Value::String(text) => starts(text),
        Value::Array(items) => items.iter().any(|item| item.as_str().is_some_and(starts)),
        _ => false,
    }
}

fn is_off(switch: &OffSwitch, root: &Value) -> bool {
    let value = switch.keys.iter().try_fold(root, |value, key| value.get(key));
    match (value, switch.value) {
        (Some(Value::Array(names)), OffValue::Named) => {
            names.iter().any(|name| name.as_str().is_some_and(|name| name.contains(OURS) || name.contains(PROGRAM)))
        }
        (Some(value), OffValue::True) => *value != Value::Bool(false),
        (Some(value), OffValue::False) => *value != Value::Bool(true),
        _ => false,
    }
}

/// The text of a file as a tree: TOML by its ending, else JSON, in which comments are passed over. `None` if it is neither.
fn read(path: &Path, text: &str) -> Option<Value> {
    if path.extension().is_some_and(|end| end == "toml") {
        return serde_json::to_value(text.parse::<toml::Table>().ok()?).ok();
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    serde_json::from_str(text).or_else(|_| serde_json::from_str(&without_comments(text))).ok()
}

/// A text of JSON without comments, and without commas behind the last element.
fn without_comments(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    let mut in_text = false;
    while let Some(sign) = rest.next() {
        match (sign, rest.peek()) {
            ('\\', _) if in_text => {
                out.push(sign);
                out.extend(rest.next());
            }
            ('"', _) => {
                in_text = !in_text;
                out.push(sign);
            }
            ('/', Some('/')) if !in_text => {
                let _ = rest.by_ref().find(|sign| *sign == '\n');
                out.push('\n');
            }
            ('/', Some('*')) if !in_text => {
                rest.next();
                let mut before = ' ';
                let _ = rest.by_ref().find(|sign| std::mem::replace(&mut before, *sign) == '*' && *sign == '/');
            }
            ('}' | ']', _) if !in_text => {
                let end = out.trim_end().len();
                if out.get(..end).is_some_and(|text| text.ends_with(',')) {
                    out.truncate(end - 1);
                }
                out.push(sign);
            }
            _ => out.push(sign),
        }
    }
    out
}
