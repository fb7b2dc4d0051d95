//! The changes of `init`, file by file. All are computed before the first file is changed.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::cli::files::{self, Edit};
use crate::cli::place;
use crate::cli::refusal::Refusal;
use crate::cli::settings::{self, Wiring};
use crate::cli::wired::entries;
use clients::WiredEvent;
use clients::claude_code::{LOCAL_SETTINGS, PROJECT_DIR, WIRED};
use clients::settings::entry::starts_gate;
use clients::settings::{PROGRAM, SettingsReading, judge};
use clients::wiring::ClientWiring;
use gate::world::PROJECT_POLICY;
use gate::world::repository::Repository;

use super::exclude;
use super::scope::{Scope, Site};

/// The policy that a repository without one gets.
pub const STARTER: &str = include_str!("starter.toml");

/// A policy to begin with, for one way of working.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Profile {
    /// One person who works with an agent
    Solo,
    /// Several people and their agents on one repository
    Team,
    /// An agent that works alone for hours
    Autonomous,
    /// Agents that build Twilio services, by phases
    Factory,
}

impl Profile {
    /// Its policy file.
    pub fn text(self) -> &'static str {
        match self {
            Self::Solo => include_str!("profiles/solo.toml"),
            Self::Team => include_str!("profiles/team.toml"),
            Self::Autonomous => include_str!("profiles/autonomous.toml"),
            Self::Factory => include_str!("profiles/factory.toml"),
        }
    }
}

/// Whether a policy file is as `init` wrote it.
fn is_untouched(text: &[u8]) -> bool {
    let profiles = <Profile as clap::ValueEnum>::value_variants().iter().map(|profile| profile.text());
    std::iter::once(STARTER).chain(profiles).any(|own| own.as_bytes() == text)
}
/// The binaries, which are in one folder.
pub const BINARIES: [&str; 3] = [PROGRAM, "portcullis-git", "portcullis"];
/// Seconds after which the client stops waiting. The hook gives up ten seconds earlier.
const TIMEOUT: u32 = 60;
/// The script that a project's settings start; it is committed, and finds the hook on each machine.
pub const START: &str = ".claude/portcullis-hook";
/// The folder of Portcullis in a project.
const FOLDER: &str = ".portcullis";
/// What keeps that folder out of commits.
const IGNORE_ALL: &str = "*\n";

pub fn wiring(command: &str) -> Wiring {
    Wiring { command: command.to_owned(), events: WIRED, timeout_seconds: TIMEOUT }
}

/// The text of [`START`].
pub fn start() -> String {
    start_for(WIRED, START, ".claude/settings.json")
}

/// The text of the script that a client's hooks in a project start.
pub fn script(wiring: &ClientWiring) -> String {
    start_for(wiring.client.wired(), wiring.script.unwrap_or_default(), wiring.project.unwrap_or_default())
}

/// The script at this path from the root of a project. Events that can stop something are denied if there is no hook.
fn start_for(events: &[WiredEvent], path: &str, settings: &str) -> String {
    let guarding: Vec<&str> = events.iter().filter(|event| event.is_guarding()).map(|event| event.event).collect();
    let root = vec![".."; path.matches('/').count()].join("/");
    include_str!("start.sh").replace("EVENTS", &guarding.join("|")).replace("ROOT", &root).replace("SETTINGS", settings)
}

/// The programs that [`start`] looks for in a project, the first first.
pub fn started(project: &Path) -> Vec<PathBuf> {
    let home = std::env::var_os("HOME").map(|home| Path::new(&home).join(".local/bin"));
    let on_path = std::env::var_os("PATH");
    let folders = [project.join(FOLDER).join("bin")].into_iter().chain(home).chain(on_path.iter().flat_map(std::env::split_paths));
    folders.filter(|folder| folder.is_absolute()).map(|folder| folder.join(PROGRAM)).collect()
}

#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// The settings file, links followed.
    pub settings: PathBuf,
    /// Every file, in the order of the changes. The settings are changed last when Portcullis is added, and first when it is
    /// removed.
    pub edits: Vec<Edit>,
    /// Files that are moved before any is changed.
    pub moved_first: Vec<(PathBuf, PathBuf)>,
    /// Files that are moved after all are changed.
    pub moved_last: Vec<(PathBuf, PathBuf)>,
    /// Folders that go if nothing is left in them, inner ones first.
    pub folders: Vec<PathBuf>,
    /// Folders of links, which go.
    pub views: Vec<PathBuf>,
    /// Other settings that disable or weaken Portcullis, each a clause.
    pub faults: Vec<String>,
    pub notes: Vec<String>,
}

impl Plan {
    pub fn changes(&self) -> bool {
        self.edits.iter().any(Edit::changes)
    }

    /// Adds the changes of another plan. A file that both change in the same way is changed once.
    pub fn join(&mut self, other: Self) {
        for edit in other.edits {
            if !self.edits.iter().any(|known| known.path == edit.path) {
                self.edits.push(edit);
            }
        }
        self.moved_first.extend(other.moved_first);
        self.moved_last.extend(other.moved_last);
        self.folders.extend(other.folders);
        self.views.extend(other.views);
        self.faults.extend(other.faults);
        self.notes.extend(other.notes.into_iter().filter(|note| !self.notes.contains(note)).collect::<Vec<_>>());
        if self.settings.as_os_str().is_empty() {
            self.settings = other.settings;
        }
    }

    /// Makes the changes.
    ///
    /// # Errors
    ///
    /// The first change that could not be made. Changes before it are kept.
    pub fn apply(&self) -> Result<(), Refusal> {
        files::rename(&self.moved_first)?;
        for edit in &self.edits {
            edit.apply()?;
        }
        files::rename(&self.moved_last)?;
        for view in &self.views {
            files::remove_links(view);
        }
        for folder in &self.folders {
            files::remove_if_empty(folder);
        }
        Ok(())
    }

    /// The settings text afterwards.
    pub fn settings_text(&self) -> Option<String> {
        let edit = self.edits.iter().find(|edit| edit.path == self.settings)?;
        String::from_utf8(edit.after.clone()?).ok()
    }
}

/// The hook that settings will start.
///
/// # Errors
///
/// It is not there.
pub fn hook(site: &Site) -> Result<PathBuf, Refusal> {
    let hook = site.binaries.join(PROGRAM);
    if hook.is_file() {
        return Ok(hook);
    }
    let why = format!("`{}` does not exist", hook.display());
    Err(Refusal::new("nothing was changed", why, "run `portcullis install` first (of an unpacked release, or in a clone: `cargo run --release -- install`)"))
}

/// What keeps a hook from being one for all users of a machine: others can change it, or cannot start it.
fn for_everyone(hook: &Path) -> Vec<String> {
    let mut notes = Vec::new();
    let real = fs::canonicalize(hook).unwrap_or_else(|_| hook.to_path_buf());
    let fix = "put it where only the administrator writes: `sudo portcullis install --prefix /usr/local`";
    for part in real.ancestors() {
        let Ok(found) = fs::metadata(part) else { continue };
        // In a folder such as `/tmp` others cannot replace what is the administrator's.
        let sticky = found.is_dir() && found.mode() & 0o1000 != 0;
        if found.uid() != 0 || (found.mode() & 0o022 != 0 && !sticky) {
            notes.push(format!(
                "everyone on this machine will start `{}`, and others than the administrator can change `{}`; {fix}",
                hook.display(),
                part.display()
            ));
            break;
        }
    }
    if let Some(part) = real.ancestors().find(|part| fs::metadata(part).is_ok_and(|found| found.mode() & 0o001 == 0)) {
        let what = format!("other users cannot start `{}`, because `{}` is closed to them, so all their calls would be denied", hook.display(), part.display());
        notes.push(format!("{what}; {fix}"));
    }
    let policy = gate::world::organisation_policy();
    if !policy.exists() {
        let path = policy.display();
        notes
            .push(format!("there is no organisation's policy (`{path}`), so people and projects decide; write one, or bring it with `portcullis policy pull`"));
    }
    notes
}

/// The changes that add Portcullis to Claude Code. `ignored`: the lines that git then must ignore.
///
/// # Errors
///
/// A file cannot be read, the client would not accept the settings, or a binary is missing.
pub fn wire(scope: Scope, site: &Site, policy: Option<&str>, ignored: &[&'static str]) -> Result<Plan, Refusal> {
    let mut edits = Vec::new();
    let mut notes = Vec::new();
    let hook = hook(site)?;
    let command = match scope {
        Scope::Local | Scope::User | Scope::Managed => place::text(&hook)?.to_owned(),
        Scope::Project => {
            edits.extend(copies(site)?);
            edits.push(Edit::of(&site.root.join(START), files::PROGRAM, |_| Ok(Some(start().into_bytes())))?);
            notes.push(format!("commit `{START}` with the settings: it finds Portcullis on each machine, and says what to do where it is missing"));
            format!("${{{PROJECT_DIR}}}/{START}")
        }
    };
    match (scope, &site.repository) {
        (Scope::Local, Some(repository)) => edits.push(excluded(repository, |text| Some(exclude::with(&text, ignored)))?),
        (Scope::Local | Scope::Project, None) => {
            notes.push(format!("`{}` is not in a git repository; Portcullis is added for this folder", site.root.display()));
        }
        _ => {}
    }
    if let (Scope::Local | Scope::Project, Some(policy)) = (scope, policy) {
        edits.push(with_policy(site, policy)?);
    }
    if let (Scope::Local, Some(main)) = (scope, &site.main) {
        notes.push(format!(
            "this is a linked work tree: `{}` is read in all work trees of the repository (clients from 2.1.211)",
            main.join(LOCAL_SETTINGS).display()
        ));
    }
    let others = [Scope::Local, Scope::Project, Scope::User].into_iter().filter(|other| *other != scope && is_wired(*other, site));
    notes.extend(others.map(|other| {
        let name = other.name();
        format!("the scope {name} starts Portcullis here too, and one is enough: `portcullis init --scope {name} --undo` removes it")
    }));
    if scope == Scope::Managed {
        notes.extend(for_everyone(&hook));
    }
    let settings = site.settings(scope)?;
    let (edit, faults) = settings_edit(&settings, &command)?;
    let settings = edit.path.clone();
    edits.push(edit);
    Ok(Plan { settings, edits, faults, notes, ..Plan::default() })
}

/// The change that makes git ignore no more than these of our lines.
///
/// # Errors
///
/// The file of ignored paths cannot be read.
pub fn without_lines(repository: &Repository, kept: &[&'static str]) -> Result<Edit, Refusal> {
    excluded(repository, |text| {
        let text = exclude::without(&text);
        if kept.is_empty() { text } else { Some(exclude::with(&text.unwrap_or_default(), kept)) }
    })
}

/// The change of the file of paths that git ignores here. A file that is not UTF-8 is not changed.
///
/// # Errors
///
/// It cannot be read.
pub fn excluded(repository: &Repository, change: impl FnOnce(String) -> Option<String>) -> Result<Edit, Refusal> {
    Edit::of(&repository.common_dir.join("info/exclude"), files::FILE, |before| {
        Ok(match String::from_utf8(before.unwrap_or_default()) {
            Ok(text) => change(text).map(String::into_bytes),
            Err(error) => Some(error.into_bytes()),
        })
    })
}

/// The settings with the entries of Portcullis, and the other settings that disable it.
fn settings_edit(path: &Path, command: &str) -> Result<(Edit, Vec<String>), Refusal> {
    let edit = Edit::of(path, files::FILE, |before| {
        let after = settings::install(text(path, before.as_deref())?, &wiring(command)).map_err(|mistake| mistaken(path, &mistake))?;
        Ok(Some(after.into_bytes()))
    })?;
    let after = edit.after.as_deref().map(String::from_utf8_lossy).unwrap_or_default();
    let effect = match judge(&after) {
        SettingsReading::Read(effect) if effect.whole => effect,
        SettingsReading::Read(effect) => {
            let why = effect.faults.first().cloned().unwrap_or_else(|| "Portcullis would not see every call".to_owned());
            return Err(Refusal::new(
                "nothing was changed",
                format!("`{}`: {why}", path.display()),
                "fix the settings, or install Portcullis in another folder",
            ));
        }
        SettingsReading::Unreadable(why) => return Err(Refusal::new("nothing was changed", format!("`{}`: {why}", path.display()), "fix the settings")),
    };
    let faults = effect.faults.iter().map(|fault| format!("`{}`: {fault}", path.display())).collect();
    Ok((edit, faults))
}

/// What of a project stays in use when something is removed.
#[derive(Clone, Debug, Default)]
pub struct StillUsed {
    /// Lines that git must still ignore.
    pub ignored: Vec<&'static str>,
    /// A scope that needs the starter policy.
    pub policy: Option<Scope>,
    /// The binaries in the project are started by something else.
    pub copies: bool,
}

/// True if the project has the script of Claude Code's hooks, as this version writes it.
pub fn has_script(site: &Site) -> bool {
    fs::read(site.root.join(START)).is_ok_and(|text| text == start().as_bytes())
}

/// Whether the settings of a scope start Portcullis.
pub fn is_wired(scope: Scope, site: &Site) -> bool {
    let text = site.settings(scope).ok().and_then(|settings| fs::read_to_string(settings).ok());
    text.is_some_and(|text| !entries(&text, &site.root, None).is_empty())
}

/// The changes that remove Portcullis from one scope of Claude Code. What is still used stays.
///
/// # Errors
///
/// A file cannot be read, or the settings are not JSON.
pub fn unwire(scope: Scope, site: &Site, used: &StillUsed) -> Result<Plan, Refusal> {
    let mut edits = Vec::new();
    let mut folders = Vec::new();
    let mut notes = Vec::new();
    if scope == Scope::Project && !used.copies {
        let (removed, emptied) = without_copies(site)?;
        edits.extend(removed);
        folders.extend(emptied);
    }
    if let (Scope::Local, Some(repository)) = (scope, &site.repository) {
        edits.push(without_lines(repository, &used.ignored)?);
    }
    let mut tops = vec![site.root.clone()];
    tops.extend(site.main.clone().filter(|_| scope == Scope::Local));
    for top in tops.iter().filter(|_| matches!(scope, Scope::Local | Scope::Project)) {
        edits.push(without_policy(top, used.policy, &mut notes)?);
    }
    // The script is last: while it is there, a run that was killed can be run again.
    if scope == Scope::Project {
        edits.push(Edit::of(&site.root.join(START), files::PROGRAM, |before| Ok(before.filter(|text| text != start().as_bytes())))?);
    }
    let mut unwired = |settings: &Path| -> Result<Edit, Refusal> {
        let edit = Edit::of(settings, files::FILE, |before| match text(settings, before.as_deref())? {
            None => Ok(None),
            Some(text) => {
                let after = settings::remove(text, starts_gate).map_err(|mistake| mistaken(settings, &mistake))?;
                Ok(after.map(String::into_bytes))
            }
        })?;
        // Also where a run that was killed had removed the file already.
        if edit.after.is_none() {
            folders.extend(settings.parent().map(Path::to_path_buf));
        }
        Ok(edit)
    };
    // A linked work tree may have entries of its own too.
    if scope == Scope::Local && site.main.is_some() {
        edits.insert(0, unwired(&site.root.join(LOCAL_SETTINGS))?);
    }
    let edit = unwired(&site.settings(scope)?)?;
    // While files go, the settings must not name them any more.
    let settings = edit.path.clone();
    edits.insert(0, edit);
    Ok(Plan { settings, edits, folders, notes, ..Plan::default() })
}

/// The binaries in the project's own folder, kept out of commits.
///
/// # Errors
///
/// A binary cannot be read.
pub fn copies(site: &Site) -> Result<Vec<Edit>, Refusal> {
    let folder = site.root.join(FOLDER);
    let mut edits = vec![Edit::of(&folder.join(".gitignore"), files::FILE, |before| Ok(before.or_else(|| Some(IGNORE_ALL.into()))))?];
    for name in BINARIES {
        let source = site.binaries.join(name);
        let bytes = fs::read(&source).map_err(|error| {
            Refusal::new("nothing was changed", format!("`{}` cannot be read: {error}", source.display()), "run `portcullis install` again")
        })?;
        edits.push(Edit::of(&folder.join("bin").join(name), files::PROGRAM, |_| Ok(Some(bytes)))?);
    }
    Ok(edits)
}

/// The change that removes the policy as `init` wrote it. It stays if `other` needs it, or if it was changed.
///
/// # Errors
///
/// It cannot be read.
pub fn without_policy(top: &Path, other: Option<Scope>, notes: &mut Vec<String>) -> Result<Edit, Refusal> {
    let policy = top.join(PROJECT_POLICY);
    let edit = Edit::of(&policy, files::FILE, |before| Ok(before.filter(|text| other.is_some() || !is_untouched(text))))?;
    if let (Some(other), true) = (other, edit.after.is_some()) {
        notes.push(format!("`{}` stays: the scope {} is in use here too", policy.display(), other.name()));
    } else if edit.after.is_some() {
        notes.push(format!("`{}` was changed by you, so it is kept", policy.display()));
    }
    Ok(edit)
}

/// The change that adds a policy if there is no file yet.
///
/// # Errors
///
/// A file cannot be read.
pub fn with_policy(site: &Site, policy: &str) -> Result<Edit, Refusal> {
    // A linked work tree without a policy is under that of the main one, and a starter of its own would hide it.
    let own = site.root.join(PROJECT_POLICY);
    let path = if own.exists() { own } else { site.top().join(PROJECT_POLICY) };
    Edit::of(&path, files::FILE, |before| Ok(before.or_else(|| Some(policy.into()))))
}

/// The changes that remove the binaries from the project's own folder, and the folders that then may be empty.
///
/// # Errors
///
/// A file cannot be read.
pub fn without_copies(site: &Site) -> Result<(Vec<Edit>, Vec<PathBuf>), Refusal> {
    let folder = site.root.join(FOLDER);
    let mut edits = Vec::new();
    for name in BINARIES {
        edits.push(Edit::of(&folder.join("bin").join(name), files::PROGRAM, |_| Ok(None))?);
    }
    edits.push(Edit::of(&folder.join(".gitignore"), files::FILE, |before| Ok(before.filter(|text| text != IGNORE_ALL.as_bytes())))?);
    Ok((edits, vec![folder.join("bin"), folder]))
}

/// The bytes of a file as text.
///
/// # Errors
///
/// It is not UTF-8.
pub fn text<'t>(path: &Path, bytes: Option<&'t [u8]>) -> Result<Option<&'t str>, Refusal> {
    let refused =
        |error| Refusal::new(format!("`{}` was left as it is", path.display()), format!("it is not UTF-8: {error}"), "save it as UTF-8, then run this again");
    bytes.map(std::str::from_utf8).transpose().map_err(refused)
}

/// Why a file was left as it is.
pub fn mistaken(path: &Path, mistake: &settings::SettingsMistake) -> Refusal {
    let why = format!("{}:{}:{}: {}", path.display(), mistake.line, mistake.column, mistake.what);
    Refusal::new(format!("`{}` was left as it is", path.display()), why, mistake.fix.clone())
}
