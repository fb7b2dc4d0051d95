//! Where the hooks of clients other than Claude Code are configured on this machine: what `init` changes there, and what of
//! Portcullis is there now. What is written is described in `clients::wiring`.

pub mod found;
mod json;
mod tables;
pub mod trial;
pub mod trust;

use std::fs;
use std::path::{Path, PathBuf};

use super::files::{self, Edit};
use super::init::plan;
use super::init::scope::{Scope, Site};
use super::place;
use super::refusal::Refusal;
use super::settings::{self, SettingsMistake};
use clients::WiredEvent;
use clients::settings::PROGRAM;
use clients::wiring::forms::{self, HookPath, StartedHook};
use clients::wiring::{ClientWiring, HomeFolder, HookForm, WIRINGS};
use json::ClientEntries;

/// The text of a client's settings with the entries of Portcullis. Of clients whose hooks are files of their own it stays as it is.
///
/// # Errors
///
/// The text is not understood, or no entry can be added to it.
pub fn wired_text(wiring: &'static ClientWiring, text: Option<&str>, hook: HookPath) -> Result<String, SettingsMistake> {
    match wiring.form {
        HookForm::Tables { .. } => tables::with(wiring, text, hook, wiring.client.wired()),
        HookForm::Groups { .. } | HookForm::Handlers => settings::install(text, &ClientEntries { wiring, hook }),
        HookForm::Programs | HookForm::OwnFile | HookForm::Plugin => Ok(text.unwrap_or_default().to_owned()),
    }
}

/// The text without them. `None`: nothing is left.
///
/// # Errors
///
/// As [`wired_text`].
pub fn unwired_text(wiring: &'static ClientWiring, text: &str) -> Result<Option<String>, SettingsMistake> {
    match wiring.form {
        HookForm::Tables { .. } => tables::without(wiring, text),
        HookForm::Groups { .. } | HookForm::Handlers => settings::remove_entries(text, &ClientEntries { wiring, hook: HookPath::Installed(PROGRAM) }),
        HookForm::Programs | HookForm::OwnFile | HookForm::Plugin => Ok(Some(text.to_owned())),
    }
}

/// The hooks of one client in one scope.
#[derive(Clone, Debug)]
pub struct HookPlace {
    pub wiring: &'static ClientWiring,
    pub scope: Scope,
    /// The file; of [`HookForm::Programs`] the folder with the files.
    pub path: PathBuf,
    /// The root of the project, or the person's folder.
    pub top: PathBuf,
}

/// An entry of Portcullis as it is configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundHook {
    pub event: String,
    pub started: StartedHook,
    /// It is as `init` would write it for this hook.
    pub current: bool,
    pub start: HookStart,
}

/// How the client starts an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HookStart {
    /// A line for a shell.
    Line(String),
    /// A file, by the shell.
    File(PathBuf),
    /// The hook itself, by a plugin.
    Hook(PathBuf),
}

/// The folder of a person's configuration of a client.
pub fn home_of(home: HomeFolder, site: &Site) -> Option<PathBuf> {
    let moved = home.variable.and_then(std::env::var_os).map(PathBuf::from).filter(|folder| folder.is_absolute());
    match moved {
        Some(folder) if home.below.is_empty() => Some(folder),
        Some(folder) => Some(folder.join(home.below)),
        None => site.home.as_ref().map(|folder| folder.join(home.folder)),
    }
}

impl HookPlace {
    /// The hooks of a client in a scope. `None`: the client has none in that scope.
    pub fn of(wiring: &'static ClientWiring, scope: Scope, site: &Site) -> Option<Self> {
        let (top, path) = match scope {
            Scope::User => (home_of(wiring.home, site)?, wiring.user),
            Scope::Project => (site.root.clone(), wiring.project?),
            Scope::Local => (site.root.clone(), wiring.local?),
            Scope::Managed => return None,
        };
        Some(Self { wiring, scope, path: top.join(path), top })
    }

    /// All places of all clients that a session here would read.
    pub fn all(site: &Site) -> Vec<Self> {
        WIRINGS.iter().flat_map(|wiring| Self::every(wiring, site)).collect()
    }

    /// All places of one client that a session here would read.
    pub fn every(wiring: &'static ClientWiring, site: &Site) -> impl Iterator<Item = Self> {
        [Scope::User, Scope::Project, Scope::Local].into_iter().filter_map(move |scope| Self::of(wiring, scope, site))
    }

    /// All places of all clients here that have entries of Portcullis.
    pub fn wired(site: &Site) -> Vec<Self> {
        Self::all(site).into_iter().filter(Self::is_wired).collect()
    }

    /// True if it has an entry of Portcullis.
    pub fn is_wired(&self) -> bool {
        self.found().is_ok_and(|found| !found.is_empty())
    }

    /// The hook that entries in this scope start.
    fn hook<'s>(&self, hook: &'s str) -> HookPath<'s> {
        match (self.scope, self.wiring.script) {
            (Scope::Project, Some(script)) => HookPath::Committed(script),
            _ => HookPath::Installed(hook),
        }
    }

    fn entries<'s>(&self, hook: HookPath<'s>) -> ClientEntries<'s> {
        ClientEntries { wiring: self.wiring, hook }
    }

    /// The changes that add Portcullis.
    ///
    /// # Errors
    ///
    /// A file cannot be read or understood, or is in the way.
    pub fn wire(&self, site: &Site) -> Result<Vec<Edit>, Refusal> {
        let binary = site.binaries.join(PROGRAM);
        let binary = place::text(&binary)?;
        let hook = self.hook(binary);
        if forms::shell_word(binary).is_none() {
            let why = format!("`{binary}` has quotes in its name that do not fit into a line for a shell");
            return Err(Refusal::new("nothing was changed", why, "install Portcullis in another folder"));
        }
        let whole = |text: Option<String>| text.ok_or_else(|| Refusal::new("nothing was changed", "no entry could be made", "report this"));
        match self.wiring.form {
            HookForm::Programs => {
                let events = self.wiring.client.wired().iter();
                events.map(|event| owned(&self.program_file(event)?, files::PROGRAM, whole(forms::program(self.wiring, *event, hook))?)).collect()
            }
            HookForm::OwnFile => Ok(vec![owned(&self.path, files::FILE, whole(forms::own_file(self.wiring, hook))?)?]),
            HookForm::Plugin => Ok(vec![owned(&self.path, files::FILE, forms::plugin(self.wiring, hook))?]),
            HookForm::Tables { .. } | HookForm::Groups { .. } | HookForm::Handlers => self.edited(|text| wired_text(self.wiring, text, hook).map(Some)),
        }
    }

    /// The changes that remove Portcullis.
    ///
    /// # Errors
    ///
    /// A file cannot be read or understood.
    pub fn unwire(&self) -> Result<Vec<Edit>, Refusal> {
        match self.wiring.form {
            HookForm::Programs | HookForm::OwnFile | HookForm::Plugin => {
                let own = self.own_files().into_iter().filter(|path| read(path).is_some_and(|text| is_ours(&text)));
                own.map(|path| Edit::of(&path, files::FILE, |_| Ok(None))).collect()
            }
            HookForm::Tables { .. } | HookForm::Groups { .. } | HookForm::Handlers => {
                self.edited(|text| text.map_or(Ok(None), |text| unwired_text(self.wiring, text)))
            }
        }
    }

    /// Folders that were made for the files, inner ones first.
    pub fn folders(&self) -> Vec<PathBuf> {
        let inner = if self.wiring.form == HookForm::Programs { self.path.clone() } else { self.path.parent().unwrap_or(&self.path).to_path_buf() };
        let stop = if self.scope == Scope::User { self.top.parent() } else { Some(self.top.as_path()) };
        inner.ancestors().take_while(|folder| Some(*folder) != stop).map(Path::to_path_buf).collect()
    }

    /// What of Portcullis is configured. Empty: nothing is.
    ///
    /// # Errors
    ///
    /// The file cannot be understood, so the client ignores it.
    pub fn found(&self) -> Result<Vec<FoundHook>, String> {
        match self.wiring.form {
            HookForm::Programs | HookForm::OwnFile | HookForm::Plugin => Ok(self.owned_hooks()),
            _ => {
                let text = match fs::read_to_string(&self.path) {
                    Ok(text) => text,
                    Err(error) if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => return Ok(Vec::new()),
                    Err(error) => return Err(format!("it cannot be read: {error}")),
                };
                let said = |mistake: SettingsMistake| format!("line {}, column {}: {}", mistake.line, mistake.column, mistake.what);
                if matches!(self.wiring.form, HookForm::Tables { .. }) {
                    let tables = tables::read(self.wiring, &text).map_err(said)?;
                    return Ok(tables.into_iter().filter_map(|table| self.of_table(table)).collect());
                }
                let entries = settings::entries_of(&text, &self.entries(HookPath::Installed(PROGRAM))).map_err(said)?;
                Ok(entries.into_iter().filter_map(|entry| self.of_handler(entry.event, &entry.handler)).collect())
            }
        }
    }

    /// The tables of a TOML file that are not ours, by their names.
    pub fn foreign_names(&self) -> Vec<String> {
        let tables = read(&self.path).and_then(|text| tables::read(self.wiring, &text).ok()).unwrap_or_default();
        tables.into_iter().filter(|table| table.started.is_none()).filter_map(|table| table.name).collect()
    }

    fn of_table(&self, table: tables::HookTable) -> Option<FoundHook> {
        let started = table.started?;
        let expected = self.event(&table.event).and_then(|event| forms::table(self.wiring, event, as_path(&started)));
        let current = expected.is_some_and(|expected| expected.trim_end() == table.text.trim_end());
        Some(FoundHook { event: table.event, started, current, start: HookStart::Line(table.command) })
    }

    fn of_handler(&self, event: String, handler: &serde_json::Map<String, serde_json::Value>) -> Option<FoundHook> {
        let started = forms::started_by(handler)?;
        let expected = self.event(&event).and_then(|event| forms::handler(self.wiring, event, as_path(&started)));
        let current = expected.is_some_and(|expected| expected.as_object() == Some(handler));
        Some(FoundHook { event, current, start: HookStart::Line(forms::line_of(handler)?.to_owned()), started })
    }

    /// Files that are ours as a whole, as far as they are there.
    fn own_files(&self) -> Vec<PathBuf> {
        match self.wiring.form {
            HookForm::Programs => {
                let events = self.wiring.client.wired().iter();
                events.flat_map(|event| PROGRAM_ENDS.map(|end| self.path.join(format!("{}{end}", event.event)))).filter(|path| path.is_file()).collect()
            }
            _ => vec![self.path.clone()],
        }
    }

    fn owned_hooks(&self) -> Vec<FoundHook> {
        let mut found = Vec::new();
        for path in self.own_files() {
            let Some(text) = read(&path).filter(|text| is_ours(text)) else { continue };
            let started = hook_in(&text, self.wiring);
            let hook = as_path(&started);
            let expected = |event: &WiredEvent| match self.wiring.form {
                HookForm::Programs => forms::program(self.wiring, *event, hook),
                HookForm::OwnFile => forms::own_file(self.wiring, hook),
                _ => Some(forms::plugin(self.wiring, hook)),
            };
            for event in self.wiring.client.wired() {
                let is_of_event = self.wiring.form != HookForm::Programs || path.file_stem().is_some_and(|stem| stem == event.event);
                let has_event = self.wiring.form == HookForm::Programs || text.contains(event.event);
                if !is_of_event || !has_event {
                    continue;
                }
                let start = match self.wiring.form {
                    HookForm::Programs => HookStart::File(path.clone()),
                    HookForm::Plugin => HookStart::Hook(self.program(&started)),
                    _ => HookStart::Line(forms::line(self.wiring, *event, hook).unwrap_or_default()),
                };
                let current = expected(event).is_some_and(|expected| expected == text);
                found.push(FoundHook { event: event.event.to_owned(), started: started.clone(), current, start });
            }
        }
        found
    }

    /// The program that is started, by its full path.
    pub fn program(&self, started: &StartedHook) -> PathBuf {
        if started.committed { self.top.join(&started.program) } else { PathBuf::from(&started.program) }
    }

    fn event(&self, name: &str) -> Option<WiredEvent> {
        self.wiring.client.wired().iter().find(|event| event.event == name).copied()
    }

    /// The file for an event. If a person has one of that name, ours has an ending: the client starts both.
    fn program_file(&self, event: &WiredEvent) -> Result<PathBuf, Refusal> {
        let files = PROGRAM_ENDS.map(|end| self.path.join(format!("{}{end}", event.event)));
        let free = |path: &&PathBuf| read(path).is_none_or(|text| is_ours(&text)) && !path.is_dir();
        files.iter().find(free).cloned().ok_or_else(|| in_the_way(&files[0]))
    }

    fn edited(&self, change: impl FnOnce(Option<&str>) -> Result<Option<String>, SettingsMistake>) -> Result<Vec<Edit>, Refusal> {
        let edit = Edit::of(&self.path, files::FILE, |before| {
            let text = plan::text(&self.path, before.as_deref())?;
            let after = change(text).map_err(|mistake| plan::mistaken(&self.path, &mistake))?;
            Ok(after.map(String::into_bytes))
        })?;
        Ok(vec![edit])
    }
}

/// The edit of a file that is ours as a whole.
fn owned(path: &Path, mode: u32, text: String) -> Result<Edit, Refusal> {
    Edit::of(path, mode, |before| match before {
        Some(before) if !is_ours(&String::from_utf8_lossy(&before)) => Err(in_the_way(path)),
        _ => Ok(Some(text.into_bytes())),
    })
}

/// Ends of the names of executable files, the first first.
const PROGRAM_ENDS: [&str; 2] = ["", ".sh"];

fn as_path(started: &StartedHook) -> HookPath<'_> {
    if started.committed { HookPath::Committed(&started.program) } else { HookPath::Installed(&started.program) }
}

fn read(path: &Path) -> Option<String> {
    fs::read(path).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// True for the text of a file that is ours as a whole.
fn is_ours(text: &str) -> bool {
    text.contains(forms::MADE_BY) || (text.contains(PROGRAM) && text.trim_start().starts_with('{'))
}

/// The hook in the text of a file that is ours as a whole.
fn hook_in(text: &str, wiring: &ClientWiring) -> StartedHook {
    let committed = wiring.script.map(|script| StartedHook { program: script.to_owned(), committed: true });
    let installed = |program: &str| StartedHook { program: program.to_owned(), committed: false };
    match wiring.form {
        HookForm::OwnFile => {
            let value: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
            let handlers = value.get("hooks").and_then(serde_json::Value::as_object).into_iter().flat_map(|hooks| hooks.values());
            let mut handlers = handlers.filter_map(|list| list.get(0)?.as_object());
            handlers.find_map(forms::started_by).unwrap_or_else(|| installed(""))
        }
        HookForm::Plugin => {
            let line = text.lines().find_map(|line| line.strip_prefix("const hook = ")).unwrap_or_default();
            serde_json::from_str::<String>(line).map_or_else(|_| committed.unwrap_or_else(|| installed("")), |path| installed(&path))
        }
        _ => {
            let line = text.lines().find(|line| line.contains(PROGRAM) && !line.starts_with('#')).unwrap_or_default();
            let start = line.strip_prefix("said=$(").unwrap_or(line);
            if start.starts_with("\"${0%") {
                return committed.unwrap_or_else(|| installed(""));
            }
            let end = start.rfind(PROGRAM).map_or(0, |at| at + PROGRAM.len());
            installed(start.get(..end).unwrap_or_default().trim_start_matches(['\'', '"']))
        }
    }
}

fn in_the_way(path: &Path) -> Refusal {
    Refusal::new(format!("`{}` was left as it is", path.display()), "it is there, and Portcullis did not make it", "move it away, then run this again")
}
