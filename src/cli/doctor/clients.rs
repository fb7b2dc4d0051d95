//! Checks the clients other than Claude Code: whether each that is used here is wired, whether it would start the hook, what
//! in its settings keeps it from that, and when an event of it came last.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{CheckResults, Repair};
use crate::cli::canary;
use crate::cli::explain::ago;
use crate::cli::init::scope::{Scope, Site};
use crate::cli::place::Place;
use crate::cli::terminal::shown;
use crate::cli::wired::entries;
use crate::cli::wiring::found::{self, FoundClient};
use crate::cli::wiring::{FoundHook, HookPlace, home_of, trial, trust};
use clients::settings::PROGRAM;
use clients::wiring::{ClientVersion, ClientWiring, Knowledge, OURS, OffSwitch, OffValue, ReplacedBy, forms};
use gate::record::{Entry, RecordSource};
use gate::world::{record, system};

/// Files of the record in which the last event is looked for.
const FILES: usize = 2;

/// A place with entries of Portcullis.
struct WiredPlace {
    hooks: HookPlace,
    found: Vec<FoundHook>,
}

/// Looks at each client. True if one is wired here.
pub(super) fn look(here: &Place, site: &Site, silent: bool, findings: &mut CheckResults) -> bool {
    let mut any = false;
    for client in found::clients(site) {
        let Some(wiring) = client.wiring else { continue };
        let mut look = ClientLook { wiring, site, here, findings };
        any |= look.at(&client, silent);
    }
    any
}

struct ClientLook<'l> {
    wiring: &'static ClientWiring,
    site: &'l Site,
    here: &'l Place,
    findings: &'l mut CheckResults,
}

impl ClientLook<'_> {
    fn part(&self) -> &'static str {
        self.wiring.client.name()
    }

    /// The command that wires the client in a scope.
    fn init(&self, scope: Scope) -> String {
        let scope = if scope == Scope::User { String::new() } else { format!(" --scope {}", scope.name()) };
        format!("run `portcullis init --client {}{scope}`", self.part())
    }

    fn at(&mut self, client: &FoundClient, silent: bool) -> bool {
        let (part, title) = (self.part(), self.wiring.title);
        let mut wired = Vec::new();
        for hooks in HookPlace::every(self.wiring, self.site) {
            match hooks.found() {
                Ok(found) if found.is_empty() => {}
                Ok(found) => wired.push(WiredPlace { hooks, found }),
                Err(why) if fs::read_to_string(&hooks.path).is_ok_and(|text| text.contains(PROGRAM)) => {
                    let text = format!("{}: {why}; {title} ignores the whole file, and with it Portcullis", shown(&hooks.path));
                    let fix = format!("fix the file, then {}", self.init(hooks.scope));
                    self.findings.fail(part, text, fix);
                }
                Err(_) => {}
            }
        }
        if wired.is_empty() && !client.is_used() {
            return false;
        }
        let version = client.program.as_ref().and_then(|program| found::version(program, self.wiring.package));
        let through = self.through_claude_code();
        if let (true, Some(path)) = (wired.is_empty(), &through) {
            let text = format!("{title} starts what {} has, so its calls in this repository are judged, and nowhere else", shown(path));
            self.findings.ok(part, text);
            return true;
        }
        if wired.is_empty() {
            let version = version.map_or_else(String::new, |version| format!(" {}", dotted(version)));
            let text = format!("{title}{version} is used on this machine ({}), and its calls are not judged", client.said());
            self.findings.warn(part, text, self.init(Scope::User));
            return false;
        }
        for place in &wired {
            self.entries(place);
            self.tries(place, silent);
        }
        self.twice(&wired);
        if let Some(path) = through {
            let text = format!("{title} also starts what {} has: calls here are judged twice, which changes no answer", shown(&path));
            self.findings.ok(part, text);
        }
        self.switches();
        self.replaced(&wired);
        self.confirmed(&wired);
        self.version(version);
        let last = last_event(self.here, part).map_or_else(
            || "no event of it was seen in this repository yet".to_owned(),
            |entry| format!("its last event here was `{}`, {}", entry.event, ago(system::now().saturating_sub(entry.time / 1000))),
        );
        self.findings.ok(part, last);
        true
    }

    /// Whether each event has its entry, as this version writes it.
    fn entries(&mut self, place: &WiredPlace) {
        let (part, path) = (self.part(), shown(&place.hooks.path));
        let events = self.wiring.client.wired();
        let missing: Vec<_> = events.iter().filter(|event| place.found.iter().all(|hook| hook.event != event.event)).collect();
        let names = |events: &[&clients::WiredEvent]| events.iter().map(|event| format!("`{}`", event.event)).collect::<Vec<_>>().join(", ");
        let repair = Repair::Client(part, place.hooks.scope);
        let again = format!("{} again, or `portcullis doctor --fix`", self.init(place.hooks.scope));
        if missing.iter().any(|event| event.is_guarding()) {
            let text = format!("{path}: an event before an action has no entry ({})", names(&missing));
            return self.findings.broken(part, text, again, repair);
        }
        if !missing.is_empty() {
            return self.findings.repairable(part, format!("{path}: these events have no entry: {}", names(&missing)), again, repair);
        }
        let altered: Vec<&str> = place.found.iter().filter(|hook| !hook.current).map(|hook| hook.event.as_str()).collect();
        if !altered.is_empty() {
            let text = format!("{path}: entries are not as this version writes them: {}", altered.join(", "));
            return self.findings.repairable(part, text, again, repair);
        }
        let (title, scope) = (self.wiring.title, place.hooks.scope.name());
        self.findings.ok(part, format!("{path}: {title} starts Portcullis for {} of {} events (scope {scope})", events.len(), events.len()));
    }

    /// Tries the program that is started before a call.
    fn tries(&mut self, place: &WiredPlace, silent: bool) {
        let part = self.part();
        let Some(hook) = trial::tried(&place.hooks, &place.found) else { return };
        let program = place.hooks.program(&hook.started);
        let again = self.init(place.hooks.scope);
        if !program.is_file() {
            let what = match self.wiring.guard {
                clients::wiring::FailureGuard::Line | clients::wiring::FailureGuard::File => "every call is denied",
                clients::wiring::FailureGuard::Key(_) | clients::wiring::FailureGuard::Client => "the client denies every call",
            };
            let text = format!("`{}`, which {} starts, is missing, so {what}", shown(&program), self.wiring.title);
            return self.findings.broken(part, text, format!("run `portcullis install`, then {again}"), Repair::Client(part, place.hooks.scope));
        }
        if !trial::is_known(&place.hooks, &hook, self.here) {
            if hook.current {
                let text = format!("`{}` is not the hook of this build, so it was not started", shown(&program));
                self.findings.warn(part, text, format!("{again} again, or run the `portcullis doctor` in the folder of that hook"));
            }
            return;
        }
        if silent {
            return;
        }
        match trial::refused(&place.hooks, &hook, self.here) {
            Ok(text) => {
                let text = format!("as {} starts it, `{}` is {}", self.wiring.title, canary::DENIED, text.lines().next().unwrap_or_default());
                self.findings.ok(part, text);
            }
            Err(refusal) => self.findings.fail(part, refusal.why, format!("run `portcullis install`, then {again}")),
        }
        if let Err(why) = trial::lets_through(&place.hooks, &hook, self.here) {
            self.findings.fail(part, why, "run `portcullis explain` with this command; it names the rule");
        }
    }

    fn twice(&mut self, wired: &[WiredPlace]) {
        if wired.len() > 1 {
            let names = wired.iter().map(|place| shown(&place.hooks.path)).collect::<Vec<_>>().join(" and ");
            let fix = format!("one is enough; `portcullis init --client {} --scope SCOPE --undo` removes the other", self.part());
            self.findings.warn(self.part(), format!("{names} start Portcullis: each call is judged more than once"), fix);
        }
    }

    /// A file of Claude Code's settings in this project that the client reads too, and that starts Portcullis.
    fn through_claude_code(&self) -> Option<PathBuf> {
        let mut paths = self.wiring.also_reads.iter().map(|path| self.site.root.join(path));
        paths.rfind(|path| fs::read_to_string(path).is_ok_and(|text| !entries(&text, &self.site.root, None).is_empty()))
    }

    /// Settings that switch all hooks off.
    fn switches(&mut self) {
        let (part, title) = (self.part(), self.wiring.title);
        let home = home_of(self.wiring.home, self.site);
        for switch in self.wiring.switches {
            let user = home.as_ref().map(|home| home.join(switch.user));
            let project = switch.project.map(|project| self.site.root.join(project));
            for path in user.into_iter().chain(project).filter(|path| is_off(path, switch)) {
                let keys = switch.keys.join(".");
                let text = match switch.value {
                    OffValue::True => format!("{}: `{keys}` is true, so {title} starts no hook", shown(&path)),
                    OffValue::False => format!("{}: `{keys}` is false, so {title} starts no hook", shown(&path)),
                    OffValue::Named => format!("{}: `{keys}` names `{OURS}`, so {title} does not start it", shown(&path)),
                };
                self.findings.fail(part, text, "remove it from the file: nobody else can do that for you");
            }
        }
    }

    /// What is read in the place of our entries.
    fn replaced(&mut self, wired: &[WiredPlace]) {
        let (part, title) = (self.part(), self.wiring.title);
        let Some(by) = self.wiring.replaced_by else { return };
        let project = HookPlace::of(self.wiring, Scope::Project, self.site);
        let ours_in_project = wired.iter().any(|place| place.hooks.scope == Scope::Project);
        match (by, project) {
            (ReplacedBy::SameName, Some(project)) if !ours_in_project => {
                let ours: Vec<String> = self.wiring.client.wired().iter().map(|event| forms::table_name(*event)).collect();
                for name in project.foreign_names().into_iter().filter(|name| ours.contains(name)) {
                    let text = format!("{}: a hook of the project is called `{name}`, and {title} starts it in the place of yours", shown(&project.path));
                    self.findings.fail(part, text, "remove or rename it, and find out who wrote it");
                }
            }
            (ReplacedBy::ProjectFile, Some(project)) if !ours_in_project && project.path.is_file() => {
                let text = format!("{} is read in the place of yours, and does not start Portcullis", shown(&project.path));
                self.findings.fail(part, text, self.init(Scope::Project));
            }
            (ReplacedBy::EventIn(file), _) => {
                for place in wired {
                    let Some(folder) = place.hooks.path.parent() else { continue };
                    for path in [folder.join(file), folder.join("hooks").join(file)] {
                        for event in events_in(&path, &place.hooks) {
                            let text = format!("{}: its `{event}` is read in the place of ours in {}", shown(&path), shown(&place.hooks.path));
                            self.findings.fail(part, text, "move these hooks into the settings file, beside ours, or remove them");
                        }
                    }
                }
            }
            _ => {}
        }
    }

    /// Hooks that the client passes over until a person confirms them.
    fn confirmed(&mut self, wired: &[WiredPlace]) {
        let Some(confirm) = self.wiring.confirm else { return };
        for place in wired {
            if trust::is_untrusted(&place.hooks, self.site) {
                let text = format!("{} passes over the hooks in {}, because the project is not trusted in it", self.wiring.title, shown(&place.hooks.path));
                self.findings.fail(self.part(), text, "start it in this folder, and trust the folder when it asks");
            }
            let left = trust::unconfirmed(&place.hooks, self.site);
            if left.is_empty() {
                self.findings.ok(self.part(), format!("the hooks in {} are confirmed", shown(&place.hooks.path)));
                continue;
            }
            let text = format!(
                "{} passes over {} of {} hooks in {}, because nobody confirmed them: {}",
                self.wiring.title,
                left.len(),
                place.found.len(),
                shown(&place.hooks.path),
                left.join(", ")
            );
            self.findings.fail(self.part(), text, confirm);
        }
    }

    fn version(&mut self, version: Option<ClientVersion>) {
        let (part, title) = (self.part(), self.wiring.title);
        let Some(version) = version else { return };
        let known = format!("{title} {}", dotted(version));
        let lacks: Vec<&str> = self.wiring.lacks.iter().filter(|(before, _)| version < *before).map(|(_, what)| *what).collect();
        for what in &lacks {
            self.findings.warn(part, format!("{known} {what}"), "update it");
        }
        match self.wiring.known {
            Knowledge::Run(seen) if version < seen && lacks.is_empty() => {
                let text = format!("{known} is older than {}, with which Portcullis was tried", dotted(seen));
                self.findings.warn(part, text, "update it, or try a call that is denied");
            }
            Knowledge::Run(_) if lacks.is_empty() => self.findings.ok(part, known),
            _ if lacks.is_empty() => self.findings.ok(part, format!("{known}; this client was not run with Portcullis")),
            _ => {}
        }
    }
}

fn dotted(version: ClientVersion) -> String {
    format!("{}.{}.{}", version.0, version.1, version.2)
}

/// True if a file switches hooks off. A file that cannot be read says nothing.
fn is_off(path: &Path, switch: &OffSwitch) -> bool {
    let Ok(text) = fs::read_to_string(path) else { return false };
    let value = if path.extension().is_some_and(|end| end == "toml") {
        text.parse::<toml::Table>().ok().and_then(|table| serde_json::to_value(table).ok())
    } else {
        jsonc_parser::parse_to_serde_value::<Value>(&text, &jsonc_parser::ParseOptions::default()).ok()
    };
    let found = value.and_then(|value| switch.keys.iter().try_fold(value, |value, key| value.get(key).cloned()));
    match (found, switch.value) {
        (Some(Value::Bool(found)), OffValue::True) => found,
        (Some(Value::Bool(found)), OffValue::False) => !found,
        (Some(Value::Array(names)), OffValue::Named) => names.iter().any(|name| name == OURS),
        _ => false,
    }
}

/// The events of a client that a file of hooks names, with nothing of ours.
fn events_in(path: &Path, hooks: &HookPlace) -> Vec<&'static str> {
    let Ok(text) = fs::read_to_string(path) else { return Vec::new() };
    let value: Value = jsonc_parser::parse_to_serde_value(&text, &jsonc_parser::ParseOptions::default()).unwrap_or_default();
    let events = value.get("hooks").filter(|hooks| hooks.is_object()).unwrap_or(&value).clone();
    let names = hooks.wiring.client.wired().iter().map(|event| event.event);
    names.filter(|event| events.get(event).is_some_and(|list| !list.to_string().contains(PROGRAM))).collect()
}

/// The last entry of a client in the record of this repository. Calls that Portcullis made up do not count.
fn last_event(here: &Place, client: &str) -> Option<Entry> {
    let mark = format!("\"client\":\"{client}\"");
    let files: Vec<PathBuf> = record::files(&here.around.memory);
    // The newest is the last.
    files.iter().rev().take(FILES).find_map(|path| {
        let text = fs::read(path).ok()?;
        let lines = text.split(|byte| *byte == b'\n').rev();
        let of_client = lines.filter(|line| line.windows(mark.len()).any(|part| part == mark.as_bytes()));
        of_client.filter_map(Entry::read).find(|entry| entry.source != RecordSource::Trial && entry.client == client)
    })
}
