//! Checks which settings files start Portcullis, whether they name every event, and whether the program answers.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::{CheckResults, Repair};
use crate::cli::canary;
use crate::cli::init::plan;
use crate::cli::init::scope::{Scope, Site};
use crate::cli::place::Place;
use crate::cli::wired::{Wired, entries};
use crate::cli::wiring::found::{self, CLAUDE_CODE};
use crate::deep::own_files::settings_files;
use clients::claude_code::{NAME, SETTINGS, TRIED, WIRED};
use clients::settings::{PROGRAM, SettingsReading, judge};

const PART: &str = "wired";
/// How a fault begins that is one of our own entry, which `init` writes anew.
const OWN_ENTRY: &str = "the entry of Portcullis";

/// Checks every settings file, and tries the programs that they start.
/// `others`: another client is wired here.
pub(super) fn look(place: &Place, silent: bool, others: bool, findings: &mut CheckResults) {
    let mut programs: BTreeMap<PathBuf, Wired> = BTreeMap::new();
    let mut wired: Vec<PathBuf> = Vec::new();
    for path in files(place) {
        let shown = path.display();
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => continue,
            Err(error) => {
                findings.fail(PART, format!("{shown} cannot be read: {error}"), "make it readable");
                continue;
            }
        };
        let effect = match judge(&text) {
            SettingsReading::Read(effect) => effect,
            SettingsReading::Unreadable(why) => {
                findings.fail(PART, format!("{shown}: {why}"), "fix the file, then run `portcullis init` again");
                continue;
            }
        };
        for fault in &effect.faults {
            let text = format!("{shown}: {fault}");
            match scope(&path, place).filter(|_| fault.starts_with(OWN_ENTRY)) {
                Some(scope) => {
                    let fix = format!("run `portcullis init --scope {}` again, or `portcullis doctor --fix`", scope.name());
                    findings.broken(PART, text, fix, Repair::Settings(scope));
                }
                None => findings.fail(PART, text, "remove it from the file, or run `portcullis init` again"),
            }
        }
        let entries = entries(&text, &place.cwd, None);
        if !entries.is_empty() && effect.whole {
            findings.ok(PART, format!("{shown}: {}", summary(&entries)));
        } else if !entries.is_empty() {
            let text = format!("{shown}: an event before an action has no entry ({})", summary(&entries));
            match scope(&path, place) {
                Some(scope) => {
                    let fix = format!("run `portcullis init --scope {}` again", scope.name());
                    findings.broken(PART, text, fix, Repair::Settings(scope));
                }
                None => findings.fail(PART, text, "run `portcullis init` again"),
            }
        }
        if entries.iter().any(|entry| entry.event == TRIED) {
            wired.push(path.clone());
        }
        for entry in entries.into_iter().filter(|entry| entry.event == TRIED) {
            programs.entry(entry.program()).or_insert(entry);
        }
    }
    if let [_, _, ..] = wired.as_slice() {
        let names = wired.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(" and ");
        findings.warn(
            PART,
            format!("{names} start Portcullis: each call is judged more than once"),
            "one is enough; `portcullis init --scope SCOPE --undo` removes the other",
        );
    }
    let used = || Site::at(&place.cwd, &place.world, None).is_ok_and(|site| found::claude_code(&site).is_used());
    if programs.is_empty() && !others {
        findings.fail(PART, "no settings file starts Portcullis (plugins are not checked)", "run `portcullis init`");
    } else if programs.is_empty() && used() {
        let text = format!("{CLAUDE_CODE} is used on this machine, and no settings file of it starts Portcullis (plugins are not checked)");
        findings.warn(PART, text, format!("run `portcullis init --client {NAME}`"));
    }
    let mut tried = programs.is_empty();
    for (program, entry) in programs {
        if is_ours(&program, place) {
            tried = true;
            answers(&program, &entry, place, silent, findings);
        } else {
            let text = format!("`{}` is not the hook of this build, so it was not started", program.display());
            findings.warn("runs", text, "run `portcullis init` again with the same scope, or run the `portcullis doctor` in the folder of that hook");
        }
    }
    if !tried {
        findings.fail("runs", "no program in the settings could be tried", "run `portcullis init` again");
    }
}

/// The scope of `init` whose file this is.
fn scope(path: &Path, place: &Place) -> Option<Scope> {
    let site = Site::at(&place.cwd, &place.world, None).ok()?;
    [Scope::Local, Scope::Project, Scope::User].into_iter().find(|scope| site.settings(*scope).is_ok_and(|file| file == path))
}

/// Every settings file that a session here would read.
pub(super) fn files(place: &Place) -> Vec<PathBuf> {
    let managed = Path::new(SETTINGS.managed);
    let mut files = vec![managed.to_path_buf()];
    let mut dropped: Vec<PathBuf> = fs::read_dir(managed.with_extension("d")).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    dropped.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    dropped.sort();
    files.extend(dropped);
    files.extend(settings_files(&place.world, &place.around));
    files
}

/// The programs that these files start.
pub(super) fn programs(place: &Place) -> Vec<PathBuf> {
    let texts = files(place).into_iter().filter_map(|path| fs::read_to_string(path).ok());
    texts.flat_map(|text| entries(&text, &place.cwd, None).iter().map(Wired::program).collect::<Vec<_>>()).collect()
}

/// The entries in one line.
fn summary(entries: &[Wired]) -> String {
    let events = WIRED.iter().filter(|event| entries.iter().any(|entry| entry.event == event.event)).count();
    let guarding = || entries.iter().filter(|entry| WIRED.iter().any(|event| event.is_guarding() && event.event == entry.event));
    let blocks = if guarding().all(|entry| entry.blocks) { "onFailure block" } else { "onFailure missing" };
    let timeout =
        guarding().filter_map(|entry| entry.timeout).reduce(f64::min).map_or_else(|| "no timeout".to_owned(), |seconds| format!("timeout {seconds} s"));
    format!("starts Portcullis for {events} of {} events, {blocks}, {timeout}", WIRED.len())
}

/// Whether a program is, byte for byte, the hook beside this binary, or the script of `init` that would start it. A project
/// that was only just fetched can name any program, so only one that is known is started.
fn is_ours(program: &Path, place: &Place) -> bool {
    let ours = place.world.binaries.as_ref().and_then(|folder| fs::read(folder.join(PROGRAM)).ok());
    let is_hook = |path: &Path| ours.as_ref().is_some_and(|ours| fs::read(path).is_ok_and(|bytes| bytes == *ours));
    let is_start = fs::read(program).is_ok_and(|bytes| bytes == plan::start().as_bytes());
    is_hook(program)
        || is_start
            && program
                .parent()
                .and_then(Path::parent)
                .is_some_and(|project| plan::started(project).iter().find(|path| path.is_file()).is_some_and(|path| is_hook(path)))
}

/// Tries a program: it must deny a force push, allow a harmless command, and start its cold binary.
fn answers(program: &Path, entry: &Wired, place: &Place, silent: bool, findings: &mut CheckResults) {
    let shown = program.display();
    match canary::hands_over(entry, place) {
        Ok(()) => findings.ok("build", format!("`{shown}` and the `portcullis` beside it are of one build")),
        Err(why) => findings.fail("build", why, "install both from one source (`portcullis install`)"),
    }
    if silent {
        return findings.warn("runs", format!("`{shown}` was not tried: it denies nothing now"), "see `pause` and `shadow` above");
    }
    match canary::refused(entry, place) {
        Ok(text) => findings.ok("runs", format!("`{shown}` denies `{}`: {}", canary::DENIED, text.lines().next().unwrap_or_default())),
        Err(refusal) => findings.fail("runs", refusal.why, "run `portcullis install`, then `portcullis init`"),
    }
    match canary::lets_through(entry, place) {
        Ok(()) => findings.ok("runs", format!("`{shown}` allows `{}`", canary::HARMLESS)),
        Err(why) => findings.fail("runs", why, "run `portcullis explain` with this command; it names the rule"),
    }
}
