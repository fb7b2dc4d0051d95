//! What a change would do to the files that Portcullis needs: settings that start it, and policies.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use gate::world::observe::repository_at;
use gate::world::repository::main_work_tree;
use gate::world::{Surroundings, World, system};

use super::{wired_files, work};
use crate::git::block;
use actions::Change;
use clients::settings::{self, SettingsReading};
use clients::surroundings::with_settings;
use policy::facts::{Known, Need};

/// Answers the facts that the hook leaves to the cold binary.
pub fn heavy(need: &Need, around: &Surroundings) -> Known {
    match need {
        Need::Dirty(risk) => match repository_at(&risk.folder, around) {
            None => Known::Unknown("there is no repository".to_owned()),
            Some(repository) => {
                let found = work::at_risk(&repository, risk, &around.places.homes);
                found.map_or_else(Known::Unknown, |files| because((!files.is_empty()).then(|| at_risk(&files))))
            }
        },
        Need::Unpushed(path) => work::unpushed(Path::new(path)).map_or_else(Known::Unknown, because),
        Need::OnlyThere(folder, remote, target) => match repository_at(folder, around) {
            None => Known::Unknown("there is no repository".to_owned()),
            Some(found) => work::only_there(&found, remote, target).map_or_else(Known::Unknown, |is| Known::Is(is, String::new())),
        },
        Need::Ignored(path) => {
            let folder = Path::new(path).parent().map(|folder| folder.to_string_lossy().into_owned()).unwrap_or_default();
            let is_there = || Path::new(path).symlink_metadata().is_ok();
            let found = repository_at(&folder, around).filter(|_| is_there()).map_or(Ok(false), |found| work::is_ignored(&found, Path::new(path)));
            found.map_or_else(Known::Unknown, |is| Known::Is(is, String::new()))
        }
        Need::Ignores(path) => {
            let folder = Path::new(path).parent().map(|folder| folder.to_string_lossy().into_owned()).unwrap_or_default();
            // Without a repository nothing is committed.
            let found = repository_at(&folder, around).map_or(Ok(true), |found| work::is_ignored(&found, Path::new(path)));
            found.map_or_else(Known::Unknown, |is| Known::Is(is, String::new()))
        }
        Need::LosesGate(path, change) => because(loses_gate(Path::new(path), change, &around.places.homes)),
        Need::WeakensPolicy(path, change) => because(weakens_policy(Path::new(path), change, &around.places.policies)),
        _ => Known::Unknown("this version cannot answer it".to_owned()),
    }
}

/// True if there is a reason.
fn because(why: Option<String>) -> Known {
    Known::Is(why.is_some(), why.unwrap_or_default())
}

/// The reason for a change whose outcome is not known.
const UNTOLD: &str = "the text after the change is not known";

/// The text of a file before and after a change. `None` after the change if it is not known.
fn after(path: &Path, change: &Change) -> (Option<String>, Option<String>) {
    let before = text_of(path);
    let text = match change {
        Change::Attributes { .. } => before.clone(),
        change => after_text(before.as_deref().unwrap_or(""), change),
    };
    (before, text)
}

/// What a change makes of a text. `None` if it is not known.
pub(crate) fn after_text(before: &str, change: &Change) -> Option<String> {
    match change {
        Change::Whole(text) => Some(text.clone()),
        Change::Append(text) => Some(format!("{before}{text}")),
        Change::Edits(edits) => edits.iter().try_fold(before.to_owned(), |text, (old, new, everywhere)| {
            if old.is_empty() {
                // An edit of nothing makes a new file.
                return text.is_empty().then(|| new.clone());
            }
            // An edit whose text is not there is refused by the tool; then nothing changes.
            Some(if *everywhere { text.replace(old, new) } else { text.replacen(old, new, 1) })
        }),
        // What is computed of an edit is not sure enough for the files that Portcullis needs.
        Change::Edited(_) | Change::Patch { .. } | Change::Tree(_) | Change::Copy { .. } | Change::AppendUnknown | Change::Unknown => None,
        Change::Attributes { .. } => Some(before.to_owned()),
    }
}

/// The text of a file; what is not UTF-8 in it is replaced, so that a file never looks like none.
pub(super) fn text_of(path: &Path) -> Option<String> {
    fs::read(path).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// Files of which the first ones are named in a message.
const NAMED: usize = 3;

fn at_risk(files: &[String]) -> String {
    let named = files.iter().take(NAMED).map(|file| format!("`{file}`")).collect::<Vec<_>>().join(", ");
    match files.len().saturating_sub(NAMED) {
        0 => format!("changes in {named} are in no commit"),
        more => format!("changes in {named} and {more} more are in no commit"),
    }
}

fn loses_gate(path: &Path, change: &Change, homes: &[String]) -> Option<String> {
    if path.is_dir() {
        // A folder goes away: what counts are the settings in it.
        let inside = with_settings().flat_map(|(_, names)| {
            [path.to_path_buf(), path.join(names.folder)].into_iter().flat_map(|folder| [names.shared, names.local].map(|name| folder.join(name)))
        });
        let theirs = inside.into_iter().find(|file| {
            let text = text_of(file);
            text.is_some_and(|text| matches!(settings::judge(&text), SettingsReading::Read(effect) if effect.gate_entries > 0))
        });
        let others = || wired_files::inside(path).into_iter().find(|file| text_of(file).is_some_and(|text| wired_files::starts(&text)));
        return theirs.or_else(others).map(|file| format!("{} starts Portcullis", file.display()));
    }
    let (before, after) = after(path, change);
    let wired = wired_files::of(path);
    match after {
        // Of others' files the mode decides nothing, unless they are programs that start Portcullis.
        _ if matches!(change, Change::Attributes { .. }) => {
            before.filter(|before| wired.is_none() || wired_files::starts(before)).map(|_| "its mode, owner or times would change".to_owned())
        }
        None => Some(UNTOLD.to_owned()).filter(|_| wired.is_none_or(|wired| wired.matters(path, before.as_deref(), homes))),
        Some(after) => worse(path, before.as_deref(), &after, homes),
    }
}

/// Why the settings at a path are worse after a change.
pub fn worse(path: &Path, before: Option<&str>, after: &str, homes: &[String]) -> Option<String> {
    if let Some(wired) = wired_files::of(path) {
        return wired.worse(path, before, after, homes);
    }
    let emptied = matches!(after.split_whitespace().collect::<String>().as_str(), "" | "{}");
    if emptied && before.is_none_or(|before| before.trim() != after.trim()) && !(before.is_none() && after.trim().is_empty()) {
        return Some("all its settings would be deleted".to_owned());
    }
    settings::worsened(before, after)
}

/// Why the changed settings must not be used, for `ConfigChange`. `None` if they can be used.
pub fn changed_settings(world: &World, around: &Surroundings, changed: Option<&Path>) -> Option<String> {
    let mut started = world.plugin;
    for path in settings_files(world, around) {
        let Some(text) = text_of(&path) else { continue };
        let this = changed.is_none_or(|changed| changed == path);
        match settings::judge(&text) {
            SettingsReading::Unreadable(why) if this => return Some(format!("{} cannot be read: {why}", path.display())),
            SettingsReading::Unreadable(_) => {}
            SettingsReading::Read(effect) => {
                // Variables are a person's own affair here: what an agent writes was judged when it wrote it.
                let fault = effect.faults.iter().find(|fault| !fault.starts_with("`env` sets"));
                if let Some(fault) = fault.filter(|_| this) {
                    return Some(format!("{}: {fault}", path.display()));
                }
                started |= effect.gate_entries > 0;
            }
        }
    }
    (!started).then(|| "no settings file would start Portcullis any more".to_owned())
}

/// The settings files that a session in these surroundings reads, without those of the machine.
pub fn settings_files(world: &World, around: &Surroundings) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = Vec::new();
    let mut add = |path: PathBuf| {
        if !files.contains(&path) {
            files.push(path);
        }
    };
    let main = around.repository.as_ref().and_then(main_work_tree);
    for (client, names) in with_settings() {
        if let Some(folder) = client.variables().config.and_then(std::env::var_os) {
            add(Path::new(&folder).join(names.shared));
        }
        for home in &world.homes {
            add(home.join(names.folder).join(names.shared));
        }
        // In a linked work tree the policy's folder may be the main one, of which only the person's own settings are read.
        let folders = world.project_dir.iter().chain([&around.root]).chain(around.repository.as_ref().map(|repository| &repository.root));
        for folder in folders.filter(|folder| world.project_dir.as_ref() == Some(folder) || main != Some(folder)) {
            add(folder.join(names.folder).join(names.shared));
            add(folder.join(names.folder).join(names.local));
        }
        if let Some(main) = main.filter(|main| main_settings_count(main, &world.homes)) {
            add(main.join(names.folder).join(names.local));
        }
    }
    files
}

/// Whether sessions in linked work trees read a person's own settings in the main one: not if that is the home folder, or
/// if the folder, its `.git` or its `.claude` belongs to somebody else (observed with Claude Code 2.1.332).
pub fn main_settings_count(main: &Path, homes: &[PathBuf]) -> bool {
    let owner = |path: PathBuf| fs::symlink_metadata(path).ok().map(|found| found.uid());
    let person = system::user();
    let theirs = |path: PathBuf| owner(path).is_none_or(|owner| owner == person);
    homes.iter().all(|home| home != main)
        && theirs(main.to_path_buf())
        && with_settings().all(|(_, names)| theirs(main.join(names.folder)))
        && theirs(main.join(".git"))
}

fn weakens_policy(path: &Path, change: &Change, linked: &[String]) -> Option<String> {
    let (before, after) = after(path, change);
    let after = after.filter(|_| before.is_none() || !matches!(change, Change::Attributes { .. }));
    if linked.iter().any(|policy| Path::new(policy) == path) {
        return policy_weakened(before.as_deref(), after.as_deref());
    }
    weakened(path, before.as_deref(), after.as_deref())
}

/// Why the file of a policy or of a hook manager checks less after a change. `None` if it does not. `after` is `None` if the
/// text after the change is not known.
pub fn weakened(path: &Path, before: Option<&str>, after: Option<&str>) -> Option<String> {
    if matches!(path.file_name().and_then(std::ffi::OsStr::to_str), Some("portcullis.toml" | "local.toml")) {
        return policy_weakened(before, after);
    }
    let Some(given) = after else { return Some(UNTOLD.to_owned()) };
    // The lines of Portcullis are known; to take them out is a change.
    let (name, calls) = (path.file_name().and_then(std::ffi::OsStr::to_str).unwrap_or_default(), block::known_calls());
    let has_ours = |text: &str| block::begins_with(text, name, &calls);
    let after = if has_ours(given) && !before.is_some_and(has_ours) { block::without(given).unwrap_or_default() } else { given.to_owned() };
    let Some(before) = before else {
        let only_ours = has_ours(given) && after.lines().all(|line| line.trim().is_empty() || line.starts_with('#'));
        return (!only_ours).then(|| replaces(path).unwrap_or_else(|| "the file is new, and decides what runs before a commit or push".to_owned()));
    };
    // Other versions of the same checks, and other remarks, are no fewer.
    let lines = |text: &str| -> Vec<String> {
        text.lines().map(unversioned).filter(|line| !line.is_empty() && (!line.starts_with('#') || line.starts_with("#!"))).collect()
    };
    let (before, after) = (lines(before), lines(&after));
    let at = before.iter().zip(&after).position(|(before, after)| before != after).unwrap_or(before.len().min(after.len()));
    before.get(at).or_else(|| after.get(at)).map(|line| format!("`{line}` would be added, changed or deleted"))
}

/// Settings of hook managers that are read in the place of others, or over them: the beginning of their names, and of the
/// others'.
const REPLACES: [(&str, &str); 6] = [
    ("lefthook-local.", "lefthook."),
    (".lefthook-local.", ".lefthook."),
    ("lefthook.", ".lefthook."),
    (".lefthook.", "lefthook."),
    ("hk.local.", "hk."),
    ("prek.", ".pre-commit-config."),
];

/// The settings in the place of which a new file would be read.
fn replaces(path: &Path) -> Option<String> {
    let (name, folder) = (path.file_name()?.to_str()?, path.parent()?);
    let fronts = REPLACES.iter().filter(|(front, _)| name.starts_with(front)).map(|(_, others)| others);
    let known: Vec<String> = fs::read_dir(folder).into_iter().flatten().flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    let other = fronts.flat_map(|front| known.iter().filter(move |other| other.starts_with(front) && *other != name)).next()?;
    Some(format!("it would be read in the place of `{other}`, or over it"))
}

/// A line of a hook manager's settings without the version that it asks for.
fn unversioned(line: &str) -> String {
    let line = line.trim().trim_start_matches("- ");
    let version = |rest: &str| rest.trim_start().starts_with(['=', ':']) && !rest.contains("://");
    for key in ["rev", "ref", "minimum_pre_commit_version", "min_version", "autoupdate_branch", "autoupdate_schedule"] {
        if line.strip_prefix(key).is_some_and(version) {
            return key.to_owned();
        }
    }
    let name = line.split_once("==").map(|(name, _)| name).filter(|name| !name.contains(char::is_whitespace));
    name.unwrap_or(line).trim_matches(['"', '\'']).to_owned()
}

fn policy_weakened(before: Option<&str>, after: Option<&str>) -> Option<String> {
    // Without a file nothing is lost: a new policy can only add, unless it waives or watches.
    let new = before.is_none();
    let Some(after) = after else { return Some(UNTOLD.to_owned()) };
    match (before.unwrap_or_default().parse::<toml::Table>(), after.parse::<toml::Table>()) {
        (_, Err(_)) if new => Some(UNTOLD.to_owned()),
        (_, Err(error)) => Some(format!("it would not be valid: {}", error.message())),
        // A broken policy denies; mending it cannot be judged against what it was meant to be.
        (Err(_), Ok(_)) => Some("the policy before the change cannot be read".to_owned()),
        (Ok(before), Ok(after)) => weaker(&before, &after),
    }
}

fn weaker(before: &toml::Table, after: &toml::Table) -> Option<String> {
    // A single value stands for a list of it.
    let list = |table: &toml::Table, key: &str| match table.get(key) {
        Some(toml::Value::Array(list)) => list.clone(),
        other => other.cloned().into_iter().collect(),
    };
    for key in ["rule", "packs", "protected", "program", "limit", "budget", "result", "gate"] {
        let kept = list(after, key);
        if let Some(lost) = list(before, key).iter().find(|entry| !kept.contains(entry)) {
            let name = lost.get("name").and_then(|name| name.as_str()).or_else(|| lost.as_str()).unwrap_or("?");
            return Some(format!("`{name}` in `{key}` would be changed or deleted"));
        }
    }
    for key in ["waiver", "opens", "disable", "shadow"] {
        let known = list(before, key);
        if list(after, key).iter().any(|entry| !known.contains(entry)) {
            return Some(format!("`{key}` would be added or changed"));
        }
    }
    for key in ["tests-first", "pipeline", "stall"] {
        if before.get(key).is_some_and(|before| after.get(key) != Some(before)) {
            return Some(format!("`{key}` would be changed or deleted"));
        }
    }
    if let Some(why) = before.get("flywheel").and_then(|before| weaker_flywheel(before, after.get("flywheel"))) {
        return Some(why);
    }
    if before.contains_key("opens") && !after.contains_key("opens") {
        return Some("`opens` would be deleted, and every rule that it does not name could then be changed".to_owned());
    }
    let shadow = |table: &toml::Table| table.get("mode").and_then(|mode| mode.as_str()) == Some("shadow");
    (shadow(after) && !shadow(before)).then(|| "the policy would only observe (shadow mode)".to_owned())
}

/// What of the flywheel holds something: the guard of the learnings, and gates of the map. Where suggestions go, and pairs
/// that only suggest, are free.
fn weaker_flywheel(before: &toml::Value, after: Option<&toml::Value>) -> Option<String> {
    let Some(after) = after else { return Some("`flywheel` would be deleted".to_owned()) };
    if let Some(key) = ["learnings", "archive", "shrink"].iter().find(|key| before.get(key) != after.get(key)) {
        return Some(format!("`{key}` in `flywheel` would be changed or deleted"));
    }
    let pairs = |table: &toml::Value| match table.get("map") {
        Some(toml::Value::Array(list)) => list.clone(),
        other => other.cloned().into_iter().collect(),
    };
    let kept = pairs(after);
    let lost = pairs(before).into_iter().any(|pair| pair.get("gate").is_some() && !kept.contains(&pair));
    lost.then(|| "a `gate` in the map of `flywheel` would be changed or deleted".to_owned())
}

#[cfg(test)]
#[path = "own_files_tests.rs"]
mod tests;
