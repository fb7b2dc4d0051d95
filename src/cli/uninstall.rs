//! `portcullis uninstall`: takes Portcullis out of everything that starts it, and then removes the programs.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use super::files;
use super::init::clients::WiringTarget;
use super::init::git::HookSite;
use super::init::noted::{self, NotedPart, NotedPlace};
use super::init::plan::{self, BINARIES, Plan, StillUsed};
use super::init::scope::{Scope, Site};
use super::init::{confirmed, say_done, show_changes};
use super::place::Place;
use super::refusal::{FAILED, Refusal};
use super::terminal::{self, TextStyle, say, say_json, shown, styled};
use super::update::InstalledFrom;
use super::wiring::HookPlace;
use clients::wiring::ClientWiring;
use gate::world::{World, state};

#[derive(Args, Debug)]
pub struct UninstallArguments {
    /// Show the changes and make none
    #[arg(long)]
    dry_run: bool,
    /// Do not ask for confirmation
    #[arg(long, short)]
    yes: bool,
    /// Remove the state too: the record, the last refusal, compiled policies
    #[arg(long)]
    state: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What is taken out of one place.
struct Removal {
    site: Site,
    plan: Plan,
    scopes: Vec<(Scope, PathBuf)>,
    clients: Vec<HookPlace>,
    git: bool,
}

/// Everything that is to be done.
#[derive(Default)]
struct Removals {
    places: Vec<Removal>,
    /// What could not be looked at, each a sentence.
    unreached: Vec<String>,
    /// Places that are gone, with what to do if they come back.
    gone: Vec<String>,
    programs: Vec<PathBuf>,
    /// What stays, and why.
    kept: Vec<String>,
    states: Vec<PathBuf>,
}

/// Runs the command.
///
/// # Errors
///
/// An agent runs it, nobody can be asked, or nothing could be looked at.
pub fn run(arguments: &UninstallArguments) -> Result<ExitCode, Refusal> {
    if let (false, Some(variable)) = (arguments.dry_run, terminal::agent()) {
        return Err(Refusal::new("nothing was removed", format!("an agent runs this (`{variable}` is set)"), "a person must run this at a terminal"));
    }
    let place = Place::at(None)?;
    let mut all = Removals::of(&place, arguments.state);
    let whole = all.whole();
    if !arguments.json {
        all.show(&whole, arguments);
    }
    if arguments.dry_run || !(whole.changes() || !all.programs.is_empty() || !all.states.is_empty()) {
        if arguments.json {
            say_json(&all.as_json(&whole, false));
        } else {
            say(if arguments.dry_run { "nothing was changed (--dry-run)" } else { "nothing to do: Portcullis is in no place that is known" });
        }
        return Ok(if all.unreached.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(FAILED) });
    }
    // The question is for the programs too, even if nothing starts them.
    let asks = if whole.changes() {
        whole.clone()
    } else {
        Plan { edits: all.programs.iter().chain(&all.states).map(|path| gone(path)).collect(), ..Plan::default() }
    };
    if !confirmed(&asks, arguments.yes, arguments.json, "remove all this?")? {
        say("nothing was changed");
        return Ok(ExitCode::from(FAILED));
    }
    all.apply(&place.world, arguments.json);
    if arguments.json {
        say_json(&all.as_json(&whole, true));
    } else {
        all.finish();
    }
    Ok(if all.unreached.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
}

/// The edit that removes a path, for the question alone.
fn gone(path: &Path) -> files::Edit {
    files::Edit { path: path.to_path_buf(), before: Some(Vec::new()), after: None, mode: files::FILE }
}

impl Removals {
    /// Finds every place: those that were noted, and those that a session here would use.
    fn of(place: &Place, with_state: bool) -> Self {
        let mut all = Self::default();
        let mut roots: Vec<PathBuf> = Vec::new();
        for noted in noted::all(&place.world) {
            roots.push(noted.root.clone());
            all.noted(noted, &place.world);
        }
        match Site::at(&place.cwd, &place.world, None) {
            Ok(site) => {
                let scopes = [Scope::Local, Scope::Project, Scope::User, Scope::Managed].into_iter();
                let scopes = scopes.filter_map(|scope| Some((scope, site.settings(scope).ok()?))).filter(|(scope, _)| plan::is_wired(*scope, &site)).collect();
                let git = site.repository.is_some();
                let clients = HookPlace::wired(&site);
                all.add(site, scopes, clients, git);
            }
            // What is around this folder is no place that a session could use.
            Err(refusal) => all.kept.push(format!("this folder was not looked at: {}", refusal.why)),
        }
        all.programs(&place.world);
        if with_state {
            let states = place.world.states.iter().cloned().chain([state::in_memory()]);
            all.states = states.filter(|folder| fs::symlink_metadata(folder).is_ok_and(|found| found.is_dir())).collect();
        }
        all
    }

    fn noted(&mut self, noted: NotedPlace, world: &World) {
        let root = shown(&noted.root);
        if !noted.root.is_dir() {
            let settings = noted.scopes.iter().map(|(_, settings)| settings).chain(noted.clients.iter().map(|(_, _, path)| path));
            let files: Vec<String> = settings.map(|settings| format!("`{}`", shown(settings))).collect();
            let hooks = if noted.git { " and from git's hooks" } else { "" };
            self.gone.push(format!("`{root}` is gone; if it comes back, remove what starts `portcullis-hook` from {}{hooks}", files.join(", ")));
            return;
        }
        match Site::at(&noted.root, world, None) {
            Ok(site) => {
                // As they were when they were noted, whatever the variables say now.
                let user = noted.scopes.iter().find(|(scope, _)| *scope == Scope::User).and_then(|(_, settings)| settings.parent());
                let user = user.map(Path::to_path_buf).or_else(|| site.user.clone());
                let clients = noted.clients.iter().filter_map(|(name, scope, path)| {
                    let wiring = ClientWiring::named(name)?;
                    let top = if *scope == Scope::User { noted.root.clone() } else { site.root.clone() };
                    Some(HookPlace { wiring, scope: *scope, path: path.clone(), top })
                });
                let clients = clients.collect();
                self.add(Site { user, ..site }, noted.scopes, clients, noted.git);
            }
            Err(refusal) => self.unreached.push(format!("`{root}`: {}", refusal.why)),
        }
    }

    fn add(&mut self, site: Site, scopes: Vec<(Scope, PathBuf)>, clients: Vec<HookPlace>, git: bool) {
        let mut plan = Plan::default();
        let known =
            |plan: &Plan, path: &Path| self.places.iter().map(|place| &place.plan).chain([plan]).any(|known| known.edits.iter().any(|edit| edit.path == path));
        let mut failed = Vec::new();
        let mut taken = Vec::new();
        for (scope, settings) in scopes {
            match plan::unwire(scope, &site, &StillUsed::default()) {
                Ok(own) => {
                    taken.push((scope, settings));
                    let edits: Vec<_> = own.edits.into_iter().filter(|edit| !known(&plan, &edit.path)).collect();
                    plan.edits.extend(edits);
                    plan.folders.extend(own.folders);
                    plan.notes.extend(own.notes);
                }
                Err(refusal) => failed.push(format!("`{}`: {}", shown(&settings), refusal.why)),
            }
        }
        let mut unwired = Vec::new();
        for client in clients {
            let path = client.path.clone();
            let target = WiringTarget::Other(client.clone());
            match target.unwire_beside(&site, &StillUsed::default()) {
                Ok(own) => {
                    unwired.push(client);
                    let edits: Vec<_> = own.edits.into_iter().filter(|edit| !known(&plan, &edit.path)).collect();
                    plan.edits.extend(edits);
                    plan.folders.extend(own.folders);
                    plan.notes.extend(own.notes);
                }
                Err(refusal) => failed.push(format!("`{}`: {}", shown(&path), refusal.why)),
            }
        }
        let mut git = git;
        let mut hooks = Plan::default();
        match HookSite::unwire_all(&site, &mut hooks) {
            _ if !git => {}
            Ok(()) => {
                let edits: Vec<_> = hooks.edits.into_iter().filter(|edit| !known(&plan, &edit.path)).collect();
                // What goes with hooks that another place has removed already, goes there.
                plan.moved_last.extend(hooks.moved_last.into_iter().filter(|(_, to)| edits.iter().any(|edit| edit.path == *to)));
                plan.edits.extend(edits);
                plan.folders.extend(hooks.folders);
                plan.views.extend(hooks.views);
            }
            Err(refusal) => {
                git = false;
                failed.push(format!("git's hooks of `{}`: {}", shown(&site.root), refusal.why));
            }
        }
        self.unreached.extend(failed);
        // What could not be looked at stays noted.
        self.places.push(Removal { site, plan, scopes: taken, clients: unwired, git });
    }

    /// The programs beside this one, if `install` put them there.
    fn programs(&mut self, world: &World) {
        let Some(folder) = &world.binaries else { return };
        let there: Vec<PathBuf> = BINARIES.iter().map(|name| folder.join(name)).filter(|path| fs::symlink_metadata(path).is_ok()).collect();
        let marked = state::read(&world.states, folder, state::INSTALLED);
        if marked.is_some_and(|marked| marked == folder.as_os_str().as_encoded_bytes()) {
            self.programs = there;
        } else if !there.is_empty() {
            let list = there.iter().map(|path| shown(path)).collect::<Vec<_>>().join(" ");
            let removal = InstalledFrom::of(&folder.join("portcullis"), &world.states).removal();
            self.kept.push(match removal {
                Some(command) => format!("the programs stay, because a package brought them: `{command}` removes them"),
                None => format!("the programs stay, because `portcullis install` is not known to have put them there: rm {list}"),
            });
        }
    }

    fn whole(&self) -> Plan {
        let mut whole = Plan::default();
        for place in &self.places {
            whole.edits.extend(place.plan.edits.iter().cloned());
            whole.moved_last.extend(place.plan.moved_last.iter().cloned());
            whole.notes.extend(place.plan.notes.iter().cloned());
        }
        whole
    }

    fn show(&self, whole: &Plan, arguments: &UninstallArguments) {
        if arguments.dry_run || !arguments.yes || terminal::can_ask() {
            show_changes(whole, arguments.dry_run);
            for program in &self.programs {
                say(&format!("remove {}", shown(program)));
            }
            for folder in &self.states {
                say(&format!("remove {} and everything in it", shown(folder)));
            }
        }
        for note in self.gone.iter().chain(&whole.notes).chain(&self.kept) {
            say(&format!("{} {note}", styled("note:", TextStyle::Doubtful)));
        }
        for why in &self.unreached {
            say(&format!("{} {why}", styled("could not be reached:", TextStyle::Bad)));
        }
    }

    /// Does it. The programs go last, and only if nothing is left that would start them: a client whose hook is missing
    /// denies every call.
    fn apply(&mut self, world: &World, quiet: bool) {
        for place in &self.places {
            match place.plan.apply() {
                Ok(()) => {
                    if !quiet {
                        say_done(&place.plan);
                    }
                    for (scope, settings) in &place.scopes {
                        let _ = noted::note(world, &place.site, NotedPart::Settings(*scope, settings), false);
                    }
                    for client in &place.clients {
                        let _ = noted::note(world, &place.site, NotedPart::Client(client), false);
                    }
                    if place.git {
                        let _ = noted::note(world, &place.site, NotedPart::Hooks, false);
                        place.site.repository.iter().for_each(|repository| HookSite::remember(world, repository, false));
                    }
                }
                Err(refusal) => self.unreached.push(format!("{}: {} ({})", refusal.what, refusal.why, refusal.fix)),
            }
        }
        if !self.unreached.is_empty() {
            (self.programs, self.states) = (Vec::new(), Vec::new());
        }
        let removed = |path: &PathBuf, done: io::Result<()>| match done {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Some(format!("`{}` could not be removed: {error}", shown(path))),
            _ => None,
        };
        // The hook is removed before what it starts.
        let failed: Vec<String> = self.programs.iter().filter_map(|path| removed(path, fs::remove_file(path))).collect();
        if let Some(folder) = world.binaries.as_ref().filter(|_| !self.programs.is_empty() && failed.is_empty()) {
            let _ = [state::INSTALLED, state::SOURCE].map(|name| state::remove(&world.states, folder, name));
        }
        self.unreached.extend(failed);
        let failed: Vec<String> = self.states.iter().filter_map(|path| removed(path, fs::remove_dir_all(path))).collect();
        self.unreached.extend(failed);
    }

    fn finish(&self) {
        for path in self.programs.iter().chain(&self.states).filter(|path| fs::symlink_metadata(path).is_err()) {
            say(&format!("removed {}", shown(path)));
        }
        for why in &self.unreached {
            say(&format!("{} {why}", styled("could not be removed:", TextStyle::Bad)));
        }
        if !self.unreached.is_empty() {
            return say("Portcullis is not removed everywhere, so the programs and the state stay until nothing starts them: fix this, then run it again");
        }
        say(&styled("Portcullis is removed", TextStyle::Good));
        if self.states.is_empty() {
            say("the record and your own policy files stay (`--state` removes the record: ~/.local/state/portcullis)");
        }
    }

    fn as_json(&self, whole: &Plan, made: bool) -> Value {
        let files: Vec<Value> = whole
            .edits
            .iter()
            .filter(|edit| edit.changes())
            .map(|edit| json!({ "path": edit.path, "change": edit.kind(), "difference": edit.difference() }))
            .collect();
        json!({
            "made": made, "files": files, "programs": self.programs, "states": self.states, "gone": self.gone, "unreached": self.unreached,
            "kept": self.kept, "notes": whole.notes,
        })
    }
}
