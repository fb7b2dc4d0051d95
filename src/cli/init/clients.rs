//! Which clients `init` wires, and the changes for each of them but Claude Code, whose changes are in `plan`.

use std::path::Path;

use super::InitArguments;
use super::exclude::LINES;
use super::plan::{self, Plan, StillUsed};
use super::scope::{Scope, Site};
use crate::cli::files::{self, Edit};
use crate::cli::refusal::Refusal;
use crate::cli::wiring::HookPlace;
use crate::cli::wiring::found::{self, CLAUDE_CODE, FoundClient};
use clients::CLIENTS;
use clients::claude_code::NAME;
use clients::wiring::{ClientWiring, Knowledge};

/// The name that stands for every client that is used here.
pub const AUTO: &str = "auto";

/// One thing to wire, or to take out.
#[derive(Clone, Debug)]
pub enum WiringTarget {
    ClaudeCode(Scope),
    Other(HookPlace),
}

/// What is to be done, and what is not.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    pub targets: Vec<WiringTarget>,
    /// Sentences about scopes and clients that are here and not chosen.
    pub notes: Vec<String>,
    /// Clients that `auto` left out, each with the reason.
    pub left_out: Vec<String>,
}

/// The names that `--client` takes.
pub fn names() -> Vec<&'static str> {
    std::iter::once(AUTO).chain(CLIENTS.iter().map(|client| client.name())).collect()
}

impl WiringTarget {
    /// The client's name as people say it.
    pub fn title(&self) -> &'static str {
        match self {
            Self::ClaudeCode(_) => CLAUDE_CODE,
            Self::Other(place) => place.wiring.title,
        }
    }

    /// The client's name on the command line.
    pub fn name(&self) -> &'static str {
        match self {
            Self::ClaudeCode(_) => NAME,
            Self::Other(place) => place.wiring.client.name(),
        }
    }

    pub fn scope(&self) -> Scope {
        match self {
            Self::ClaudeCode(scope) => *scope,
            Self::Other(place) => place.scope,
        }
    }

    /// The sessions that are protected.
    pub fn protects(&self) -> String {
        match self {
            Self::ClaudeCode(scope) => scope.holds().to_owned(),
            Self::Other(place) => match place.scope {
                Scope::Project => "everyone's sessions in this project, where Portcullis is installed and the client trusts the project".to_owned(),
                Scope::Local => "your sessions in this work tree".to_owned(),
                _ => "all your sessions on this machine, in every folder and work tree".to_owned(),
            },
        }
    }

    /// The sessions that are not protected.
    pub fn leaves(&self) -> String {
        match self {
            Self::ClaudeCode(scope) => scope.spares().to_owned(),
            Self::Other(place) => {
                let known = match place.wiring.known {
                    Knowledge::Run(_) => "",
                    Knowledge::Read(_) | Knowledge::Documented => "; this client was not run with Portcullis",
                };
                format!("sessions that start with hooks switched off, or with configuration from another folder{known}")
            }
        }
    }

    /// The changes that add Portcullis. `together`: everything that is added with it.
    ///
    /// # Errors
    ///
    /// A file cannot be read or understood.
    pub fn wire(&self, site: &Site, policy: Option<&str>, together: &[Self]) -> Result<Plan, Refusal> {
        let local = together.iter().flat_map(Self::ignored);
        let ignored: Vec<&str> = ignored_now(site, &[]).into_iter().chain(local).collect();
        match self {
            Self::ClaudeCode(scope) => plan::wire(*scope, site, policy, &ignored),
            Self::Other(place) => wire(place, site, policy, &ignored),
        }
    }

    /// The lines that git must ignore because of it.
    fn ignored(&self) -> Vec<&'static str> {
        match self {
            Self::ClaudeCode(Scope::Local) => LINES.to_vec(),
            Self::Other(place) if place.scope == Scope::Local => place.wiring.local.into_iter().collect(),
            _ => Vec::new(),
        }
    }

    /// The changes that remove Portcullis. `leaving`: everything that is removed with it.
    ///
    /// # Errors
    ///
    /// A file cannot be read or understood.
    pub fn unwire(&self, site: &Site, leaving: &[Self]) -> Result<Plan, Refusal> {
        self.unwire_beside(site, &still_used(site, leaving))
    }

    /// The same, where it is known what is still used.
    ///
    /// # Errors
    ///
    /// A file cannot be read or understood.
    pub fn unwire_beside(&self, site: &Site, used: &StillUsed) -> Result<Plan, Refusal> {
        match self {
            Self::ClaudeCode(scope) => plan::unwire(*scope, site, used),
            Self::Other(place) => unwire(place, site, used),
        }
    }
}

/// Everything of this project that is wired now, and does not leave.
fn staying(site: &Site, leaving: &[WiringTarget]) -> Vec<WiringTarget> {
    let stays = |scope: Scope| !leaving.iter().any(|target| matches!(target, WiringTarget::ClaudeCode(leaving) if *leaving == scope));
    let claude = [Scope::Local, Scope::Project].into_iter().filter(|scope| stays(*scope) && plan::is_wired(*scope, site));
    let leaves = |path: &Path| leaving.iter().any(|target| matches!(target, WiringTarget::Other(place) if place.path == path));
    let others = HookPlace::wired(site).into_iter().filter(|place| place.scope != Scope::User && !leaves(&place.path));
    claude.map(WiringTarget::ClaudeCode).chain(others.map(WiringTarget::Other)).collect()
}

fn ignored_now(site: &Site, leaving: &[WiringTarget]) -> Vec<&'static str> {
    staying(site, leaving).iter().flat_map(WiringTarget::ignored).collect()
}

/// What of a project something uses that does not leave.
fn still_used(site: &Site, leaving: &[WiringTarget]) -> StillUsed {
    let scopes: Vec<Scope> = staying(site, leaving).iter().map(WiringTarget::scope).collect();
    StillUsed { ignored: ignored_now(site, leaving), policy: scopes.first().copied(), copies: scopes.contains(&Scope::Project) }
}

/// What the arguments mean here.
///
/// # Errors
///
/// A client has no settings that are known, or none is found.
pub fn choose(arguments: &InitArguments, site: &Site) -> Result<Choice, Refusal> {
    let mut choice = Choice::default();
    let found = found::clients(site);
    let chosen: Vec<&FoundClient> = if arguments.client.is_empty() {
        by_default(arguments, &found, site, &mut choice)
    } else if arguments.client.iter().any(|name| name == AUTO) {
        automatic(arguments, &found, site, &mut choice)?
    } else {
        let mut chosen = Vec::new();
        for name in &arguments.client {
            let client = found.iter().find(|found| found.client.name() == name).ok_or_else(|| without_settings(name, site))?;
            if !chosen.iter().any(|known: &&FoundClient| known.client.name() == name) {
                chosen.push(client);
            }
        }
        chosen
    };
    for client in chosen {
        choice.add(client, arguments, site);
    }
    if choice.targets.is_empty() && !choice.notes.is_empty() {
        let why = choice.notes.join("; ");
        return Err(Refusal::new("nothing was changed", why, "use another `--scope`, or leave it out"));
    }
    Ok(choice)
}

/// Claude Code, unless only others are used here.
fn by_default<'f>(arguments: &InitArguments, found: &'f [FoundClient], site: &Site, choice: &mut Choice) -> Vec<&'f FoundClient> {
    let (Some(claude), others) = (found.first(), found.get(1..).unwrap_or_default()) else { return Vec::new() };
    let is_wired = |client: &FoundClient| client.wiring.is_some_and(|wiring| HookPlace::every(wiring, site).any(|place| place.is_wired()));
    if arguments.undo {
        let left: Vec<&str> = others.iter().filter(|client| is_wired(client)).map(|client| client.title).collect();
        if !left.is_empty() {
            choice.notes.push(format!("Portcullis stays in {}: `portcullis init --client {AUTO} --undo` removes it from every client", left.join(", ")));
        }
        return vec![claude];
    }
    let used: Vec<&FoundClient> = others.iter().filter(|client| client.is_used() && !is_wired(client)).collect();
    let wired_already = [Scope::Local, Scope::Project, Scope::User].into_iter().any(|scope| plan::is_wired(scope, site));
    if used.is_empty() || claude.is_used() || wired_already || arguments.scope == Some(Scope::Managed) {
        if !used.is_empty() {
            // What reads Claude Code's settings of this project is reached by them.
            let reached = |client: &FoundClient| arguments.scope != Some(Scope::User) && client.wiring.is_some_and(|wiring| !wiring.also_reads.is_empty());
            let names: Vec<&str> = used.iter().filter(|client| !reached(client)).map(|client| client.title).collect();
            if names.is_empty() {
                return vec![claude];
            }
            choice.notes.push(format!("also here, and not protected by this: {}; `portcullis init --client {AUTO}` adds Portcullis to them", names.join(", ")));
        }
        return vec![claude];
    }
    choice.notes.push(format!("{CLAUDE_CODE} was not found; `portcullis init --client {NAME}` adds Portcullis to it"));
    used
}

fn automatic<'f>(arguments: &InitArguments, found: &'f [FoundClient], site: &Site, choice: &mut Choice) -> Result<Vec<&'f FoundClient>, Refusal> {
    if arguments.undo {
        return Ok(found.iter().collect());
    }
    let (used, left): (Vec<&FoundClient>, Vec<&FoundClient>) = found.iter().partition(|client| client.is_used());
    choice.left_out = left.iter().map(|client| format!("{} ({}): {}", client.title, client.client.name(), client.said())).collect();
    if used.is_empty() {
        let why = format!("no client was found in the PATH or in `{}`", site.home.as_deref().unwrap_or(&site.root).display());
        return Err(Refusal::new("nothing was changed", why, "name one: `portcullis init --client NAME` (`portcullis init --help` lists them)"));
    }
    Ok(used)
}

fn without_settings(name: &str, site: &Site) -> Refusal {
    let hook = site.binaries.join(clients::settings::PROGRAM);
    let event = CLIENTS.iter().find(|client| client.name() == name).and_then(|client| client.wired().first()).map_or("EVENT", |event| event.event);
    Refusal::new(
        "nothing was changed",
        format!("`{name}` means any client with the fields of {CLAUDE_CODE}, so its settings are not known"),
        format!(
            "let your client start `{} {event} {name} 50` before each tool call, with the event as JSON on standard input (docs/clients.md)",
            hook.display()
        ),
    )
}

impl Choice {
    fn add(&mut self, client: &FoundClient, arguments: &InitArguments, site: &Site) {
        let Some(wiring) = client.wiring else {
            let scopes: Vec<Scope> = match arguments.scope {
                None if arguments.undo && !arguments.client.is_empty() => {
                    let scopes = [Scope::Local, Scope::Project, Scope::User].into_iter();
                    scopes.filter(|scope| plan::is_wired(*scope, site) || (*scope == Scope::Project && plan::has_script(site))).collect()
                }
                scope => vec![scope.unwrap_or(Scope::Local)],
            };
            return self.targets.extend(scopes.into_iter().map(WiringTarget::ClaudeCode));
        };
        if arguments.undo {
            let wired = HookPlace::every(wiring, site).filter(|place| arguments.scope.map_or_else(|| could_be_wired(place), |scope| scope == place.scope));
            return self.targets.extend(wired.map(WiringTarget::Other));
        }
        let (scope, note) = scope_of(wiring, arguments.scope);
        self.notes.extend(note);
        self.targets.extend(scope.and_then(|scope| HookPlace::of(wiring, scope, site)).map(WiringTarget::Other));
    }
}

/// True if it has an entry of Portcullis, cannot be understood and names Portcullis, or has our script left.
fn could_be_wired(place: &HookPlace) -> bool {
    let script = place.wiring.script.filter(|_| place.scope == Scope::Project).map(|script| place.top.join(script));
    let has_script = script.is_some_and(|script| std::fs::read(script).is_ok_and(|text| text == plan::script(place.wiring).as_bytes()));
    has_script
        || place
            .found()
            .map_or_else(|_| std::fs::read_to_string(&place.path).is_ok_and(|text| text.contains(clients::settings::PROGRAM)), |found| !found.is_empty())
}

/// The scope that a client has for the one that was asked for. A person's own hooks reach every folder and work tree.
fn scope_of(wiring: &ClientWiring, asked: Option<Scope>) -> (Option<Scope>, Option<String>) {
    let title = wiring.title;
    match asked {
        None | Some(Scope::User) => (Some(Scope::User), None),
        Some(Scope::Project) if wiring.project.is_some() => (Some(Scope::Project), None),
        Some(Scope::Project) => (Some(Scope::User), Some(format!("{title} is not known to have hooks of a project; your own for all projects are used"))),
        Some(Scope::Local) if wiring.local.is_some() => (Some(Scope::Local), None),
        Some(Scope::Local) => (Some(Scope::User), Some(format!("{title} has no settings of one person for one project; your own for all projects are used"))),
        Some(Scope::Managed) => (None, Some(format!("`init` cannot write an administrator's settings of {title}"))),
    }
}

/// The changes that add Portcullis to a client.
fn wire(place: &HookPlace, site: &Site, policy: Option<&str>, ignored: &[&'static str]) -> Result<Plan, Refusal> {
    plan::hook(site)?;
    let mut edits = Vec::new();
    let mut notes = Vec::new();
    if let (Scope::Project, Some(script)) = (place.scope, place.wiring.script) {
        edits.extend(plan::copies(site)?);
        let text = plan::script(place.wiring);
        edits.push(Edit::of(&site.root.join(script), files::PROGRAM, |_| Ok(Some(text.into_bytes())))?);
        notes.push(format!("commit `{script}` with the hooks: it finds Portcullis on each machine, and says what to do where it is missing"));
    }
    if let (Scope::Local, Some(repository)) = (place.scope, &site.repository) {
        edits.push(plan::excluded(repository, |text| Some(super::exclude::with(&text, ignored)))?);
    }
    if let (Scope::Local | Scope::Project, Some(policy)) = (place.scope, policy) {
        edits.push(plan::with_policy(site, policy)?);
    }
    for other in HookPlace::every(place.wiring, site).filter(|other| other.scope != place.scope && other.is_wired()) {
        let (name, scope) = (place.wiring.client.name(), other.scope.name());
        notes.push(format!(
            "{} starts Portcullis in the scope {scope} here too, and one is enough: `portcullis init --client {name} --scope {scope} --undo` removes it",
            place.wiring.title
        ));
    }
    notes.extend(place.wiring.confirm.map(|confirm| format!("{} starts new hooks only after you confirmed them: {confirm}", place.wiring.title)));
    // The hooks are last: what they start is there then.
    edits.extend(place.wire(site)?);
    Ok(Plan { settings: place.path.clone(), edits, notes, ..Plan::default() })
}

/// The changes that remove Portcullis from a client.
fn unwire(place: &HookPlace, site: &Site, used: &StillUsed) -> Result<Plan, Refusal> {
    let mut notes = Vec::new();
    // While files go, the hooks must not name them any more.
    let mut edits = place.unwire()?;
    // Also where a run that was killed had removed the files already.
    let mut folders = if edits.iter().all(|edit| edit.after.is_none()) { place.folders() } else { Vec::new() };
    if place.scope == Scope::Project && !used.copies {
        let (removed, emptied) = plan::without_copies(site)?;
        edits.extend(removed);
        folders.extend(emptied);
    }
    if let (Scope::Local, Some(repository)) = (place.scope, &site.repository) {
        edits.push(plan::without_lines(repository, &used.ignored)?);
    }
    if matches!(place.scope, Scope::Project | Scope::Local) {
        edits.push(plan::without_policy(&site.root, used.policy, &mut notes)?);
    }
    // The script is last: while it is there, a run that was killed can be run again.
    if let (Scope::Project, Some(script)) = (place.scope, place.wiring.script) {
        let text = plan::script(place.wiring);
        edits.push(Edit::of(&site.root.join(script), files::PROGRAM, |before| Ok(before.filter(|known| *known != text.as_bytes())))?);
        folders.extend(site.root.join(script).parent().map(Path::to_path_buf));
    }
    folders.retain(|folder| *folder != site.root);
    Ok(Plan { settings: place.path.clone(), edits, folders, notes, ..Plan::default() })
}
