//! `portcullis init`: adds Portcullis to the settings of coding clients, or removes it, and shows a denied force push.

pub mod clients;
pub mod exclude;
pub mod git;
mod hooks_folder;
pub mod noted;
pub mod plan;
pub mod scope;

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use clap::builder::PossibleValuesParser;
use serde_json::{Value, json};

use self::clients::{Choice, WiringTarget};
use super::canary;
use super::place::Place;
use super::refusal::{FAILED, Refusal};
use super::terminal::{self, TextStyle, agreed, can_ask, say, say_json, styled, tell};
use super::wired::entry;
use super::wiring::{trial, trust};
use noted::NotedPart;
use plan::Plan;
use scope::{Scope, Site};

#[derive(Args, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of the command line")]
pub struct InitArguments {
    /// Whose sessions are protected [default: `local` for Claude Code, `user` for other clients]
    #[arg(long, value_enum)]
    scope: Option<Scope>,
    /// The coding clients to protect; `auto`: all that are used here. Without it: Claude Code, or the others if only they are used
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = PossibleValuesParser::new(clients::names()))]
    client: Vec<String>,
    /// Show the changes and make none
    #[arg(long)]
    dry_run: bool,
    /// Remove what `init` added
    #[arg(long)]
    undo: bool,
    /// Do not ask for confirmation
    #[arg(long, short)]
    yes: bool,
    /// Write no starter `portcullis.toml`
    #[arg(long)]
    no_policy: bool,
    /// Write the policy of a way of working in place of the starter; a file that is there is kept
    #[arg(long, value_enum, conflicts_with_all = ["undo", "no_policy"])]
    profile: Option<plan::Profile>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Add Portcullis to git's hooks too; existing hooks still run
    #[arg(long)]
    git: bool,
}

impl InitArguments {
    /// The policy file that is written if the place has no other.
    fn policy(&self) -> Option<&'static str> {
        (!self.no_policy).then(|| self.profile.map_or(plan::STARTER, plan::Profile::text))
    }
}

/// The answer of the hook to the force push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Live {
    /// It was denied, with this text.
    Refused(String),
    /// It was denied, with this text, and the client does not start the hook before a person confirmed it.
    Unconfirmed(String),
    /// Nothing is denied now, for this reason.
    Watching(String),
}

/// Runs the command.
///
/// # Errors
///
/// The settings could not be changed, or the force push was not denied.
pub fn run(arguments: &InitArguments) -> Result<ExitCode, Refusal> {
    if cfg!(windows) {
        return Err(Refusal::new("nothing was changed", "this version does not support Windows", "use it in WSL, for sessions that run there"));
    }
    if let (true, false, Some(variable)) = (arguments.undo, arguments.dry_run, terminal::agent()) {
        return Err(Refusal::new("nothing was removed", format!("an agent runs this (`{variable}` is set)"), "a person must run this at a terminal"));
    }
    let place = Place::at(None)?;
    let site = Site::at(&place.cwd, &place.world, None)?;
    let choice = clients::choose(arguments, &site)?;
    refuse_home(arguments, &choice, &site)?;
    let mut plan = Plan::default();
    for target in &choice.targets {
        plan.join(if arguments.undo { target.unwire(&site, &choice.targets)? } else { target.wire(&site, arguments.policy(), &choice.targets)? });
    }
    if !arguments.undo && plan.edits.is_empty() {
        return Err(Refusal::new("nothing was changed", "no client was chosen", "name one: `portcullis init --client NAME`"));
    }
    // A policy that was asked for is written, whichever files start Portcullis.
    if let (Some(profile), Some(_)) = (arguments.profile, &site.repository) {
        plan.join(Plan { edits: vec![plan::with_policy(&site, profile.text())?], ..Plan::default() });
    }
    plan.notes.extend(choice.notes.iter().cloned());
    if arguments.git {
        if arguments.undo { git::HookSite::unwire_all(&site, &mut plan)? } else { git::HookSite::of(&site)?.wire(&mut plan)? }
    } else if arguments.undo {
        plan.notes.extend(git::HookSite::left(&site));
    }

    if !arguments.json {
        show(arguments, &choice, &plan);
    }
    if !arguments.dry_run && !confirmed(&plan, arguments.yes, arguments.json, "make these changes?")? {
        say("nothing was changed");
        return Ok(ExitCode::from(FAILED));
    }
    if !arguments.dry_run {
        // Before the changes: a place that is noted and has nothing is harmless, and the reverse would be forgotten.
        let noted = |added| note(arguments, &choice, &place, &site, added);
        if let (false, Err(error)) = (arguments.undo, noted(true)) {
            tell(&format!("portcullis: `portcullis uninstall` will not find this place by itself: it could not be noted ({error})"));
        }
        plan.apply()?;
        if arguments.undo {
            let _ = noted(false);
        }
        if let Some(repository) = site.repository.as_ref().filter(|_| arguments.git) {
            git::HookSite::remember(&place.world, repository, !arguments.undo);
        }
    }
    let mut tried = Vec::new();
    if !arguments.dry_run && !arguments.undo {
        for target in &choice.targets {
            tried.push((target, live(target, &site)?));
        }
    }
    // Settings that disable the hooks are for the person to fix. Portcullis is in the settings, but it is not active.
    let off = plan.faults.first();
    if let Some(fault) = off {
        for (_, live) in &mut tried {
            *live = Live::Watching(format!("{fault}; fix it, then run this again"));
        }
    }
    if arguments.json {
        say_json(&as_json(arguments, &choice, &plan, &tried));
    } else {
        finish(arguments, &choice, &plan, &tried);
    }
    Ok(if off.is_some() { ExitCode::from(FAILED) } else { ExitCode::SUCCESS })
}

/// Notes each target, or takes the notes away.
fn note(arguments: &InitArguments, choice: &Choice, place: &Place, site: &Site, added: bool) -> std::io::Result<()> {
    for target in &choice.targets {
        match target {
            WiringTarget::ClaudeCode(scope) => {
                let settings = site.settings(*scope).map_err(|refusal| std::io::Error::other(refusal.why))?;
                let (settings, _) = super::files::read(&settings).map_err(|refusal| std::io::Error::other(refusal.why))?;
                noted::note(&place.world, site, NotedPart::Settings(*scope, &settings), added)?;
            }
            WiringTarget::Other(hooks) => noted::note(&place.world, site, NotedPart::Client(hooks), added)?,
        }
    }
    if arguments.git { noted::note(&place.world, site, NotedPart::Hooks, added) } else { Ok(()) }
}

/// The home folder is no project: its settings are those of all sessions, and its policy would apply in every folder.
fn refuse_home(arguments: &InitArguments, choice: &Choice, site: &Site) -> Result<(), Refusal> {
    let in_project = choice.targets.iter().any(|target| matches!(target.scope(), Scope::Local | Scope::Project));
    if arguments.undo || !in_project || !site.is_home() {
        return Ok(());
    }
    let why = format!("`{}` is your home folder, and not a project: its settings and its policy would reach into every folder below it", site.root.display());
    Err(Refusal::new("nothing was changed", why, "go into a repository, or run `portcullis init --scope user` for all your sessions"))
}

/// Whether the changes are to be made: `--yes` says so, or the person at the terminal.
///
/// # Errors
///
/// There is nobody to ask.
pub fn confirmed(plan: &Plan, yes: bool, json: bool, question: &str) -> Result<bool, Refusal> {
    if yes || !plan.changes() {
        return Ok(true);
    }
    if json || !can_ask() {
        let why = if json { "with `--json` nobody is asked" } else { "there is no terminal here, so nobody can be asked" };
        return Err(Refusal::new("nothing was changed", why, "look at the changes with `--dry-run`, then run it again with `--yes`"));
    }
    Ok(agreed(question))
}

/// Sends a force push through what is configured now.
///
/// # Errors
///
/// The force push was not denied.
pub fn live(target: &WiringTarget, site: &Site) -> Result<Live, Refusal> {
    // What a new policy file changes is only seen now.
    let place = Place::in_project(&site.root)?;
    if let Some(minutes) = gate::call::pause_minutes(&place.world, &place.around) {
        return Ok(Live::Watching(format!("it is paused for {minutes} more min (`portcullis pause --end` ends the pause)")));
    }
    if place.watches()? || place.lets_trial_through() {
        return Ok(Live::Watching("the policy has `mode = \"shadow\"` or `[[shadow]]`, so verdicts are only shown (`portcullis explain --last`)".to_owned()));
    }
    let missing =
        |path: &Path, event: &str| Refusal::new("Portcullis is not active", format!("`{}` has no entry for `{event}`", path.display()), "run this again");
    match target {
        WiringTarget::ClaudeCode(scope) => {
            let (path, bytes) = super::files::read(&site.settings(*scope)?)?;
            let text = String::from_utf8(bytes.unwrap_or_default()).unwrap_or_default();
            let entry = entry(&text, &site.root, None).ok_or_else(|| missing(&path, ::clients::claude_code::TRIED))?;
            canary::refused(&entry, &place).map(Live::Refused)
        }
        WiringTarget::Other(hooks) => {
            let found =
                hooks.found().map_err(|why| Refusal::new("Portcullis is not active", format!("`{}`: {why}", hooks.path.display()), "run this again"))?;
            let event = hooks.wiring.tried().map_or("", |event| event.event);
            let hook = trial::tried(hooks, &found).ok_or_else(|| missing(&hooks.path, event))?;
            let text = trial::refused(hooks, &hook, &place)?;
            let waits = !trust::unconfirmed(hooks, site).is_empty() || trust::is_untrusted(hooks, site);
            Ok(if waits { Live::Unconfirmed(text) } else { Live::Refused(text) })
        }
    }
}

fn show(arguments: &InitArguments, choice: &Choice, plan: &Plan) {
    if arguments.dry_run || can_ask() || !arguments.yes {
        show_changes(plan, arguments.dry_run);
    }
    if !plan.changes() {
        let state = if arguments.undo { "Portcullis is not in the settings" } else { "Portcullis is in the settings already" };
        say(&format!("nothing to do: {state} ({})", plan.settings.display()));
    }
    for note in plan.faults.iter().chain(&plan.notes) {
        say(&format!("{} {note}", styled("note:", TextStyle::Doubtful)));
    }
    for client in &choice.left_out {
        say(&format!("left out: {client}"));
    }
}

/// Lines of a difference that are shown before a question, where more than twice as many are added or removed in a row.
const SHOWN_LINES: usize = 10;

/// Every change, as a difference. If not `whole`, long rows of added or removed lines are shortened.
pub fn show_changes(plan: &Plan, whole: bool) {
    let mut cut = false;
    for edit in plan.edits.iter().filter(|edit| edit.changes()) {
        let difference = edit.difference();
        let shown = if whole { difference.clone() } else { shortened(&difference) };
        cut |= shown != difference;
        say(shown.trim_end());
    }
    if cut {
        say("(`--dry-run` shows all lines)");
    }
    for (from, to) in plan.moved_first.iter().chain(&plan.moved_last) {
        say(&format!("move {} to {}", from.display(), to.display()));
    }
}

/// A difference whose long rows of added or removed lines end after [`SHOWN_LINES`].
fn shortened(difference: &str) -> String {
    let lines: Vec<&str> = difference.split_inclusive('\n').collect();
    let is_side = |line: &str| (line.starts_with('+') || line.starts_with('-')) && !line.starts_with("+++ ") && !line.starts_with("--- ");
    let rows = lines.chunk_by(|one, other| is_side(one) && is_side(other) && one.as_bytes().first() == other.as_bytes().first());
    let mut shown = String::new();
    for row in rows {
        match row.split_at_checked(SHOWN_LINES).filter(|(_, rest)| rest.len() > SHOWN_LINES) {
            Some((front, rest)) => {
                shown.extend(front.iter().copied());
                let what = if row.first().is_some_and(|line| line.starts_with('+')) { "added" } else { "removed" };
                let _ = writeln!(shown, "  … {} more lines are {what}", rest.len());
            }
            None => shown.extend(row.iter().copied()),
        }
    }
    shown
}

/// Every file that was changed.
pub fn say_done(plan: &Plan) {
    for edit in plan.edits.iter().filter(|edit| edit.changes()) {
        let word = match edit.kind() {
            "create" => "created",
            "remove" => "removed",
            _ => "changed",
        };
        say(&format!("{word} {}", edit.path.display()));
    }
}

fn finish(arguments: &InitArguments, choice: &Choice, plan: &Plan, tried: &[(&WiringTarget, Live)]) {
    if arguments.dry_run {
        say(if plan.changes() { "nothing was changed (--dry-run)" } else { "nothing would change" });
        return;
    }
    say_done(plan);
    if arguments.undo {
        return;
    }
    let several = choice.targets.len() > 1 || choice.targets.iter().any(|target| matches!(target, WiringTarget::Other(_)));
    // Clients with the same words are in one block.
    let mut said: Vec<(String, Vec<&str>)> = Vec::new();
    for target in &choice.targets {
        let text = format!("scope {}\n  protected:     {}\n  not protected: {}", target.scope().name(), target.protects(), target.leaves());
        match said.iter_mut().find(|(known, _)| *known == text) {
            Some((_, titles)) => titles.push(target.title()),
            None => said.push((text, vec![target.title()])),
        }
    }
    for (text, titles) in said {
        let clients = if several { format!("{}: ", titles.join(", ")) } else { String::new() };
        say(&format!("{clients}{text}"));
    }
    // One refusal is enough to read; the others are the same text in other forms.
    if let Some((target, Live::Refused(text) | Live::Unconfirmed(text))) = tried.iter().find(|(_, live)| !matches!(live, Live::Watching(_))) {
        let through = if several { format!("as {} starts it", target.title()) } else { "through the settings file".to_owned() };
        say(&format!("tried `{}` {through}; the agent would read:\n", canary::DENIED));
        say(&indented(text));
        say("");
    }
    let active: Vec<&str> = tried.iter().filter(|(_, live)| matches!(live, Live::Refused(_))).map(|(target, _)| target.title()).collect();
    for (target, live) in tried {
        let client = if several { format!("{}: ", target.title()) } else { String::new() };
        match live {
            Live::Watching(why) => say(&format!("{client}{}: {why}", styled("Portcullis is in the settings, but not active", TextStyle::Doubtful))),
            Live::Unconfirmed(_) => {
                let WiringTarget::Other(hooks) = target else { continue };
                let how = hooks.wiring.confirm.unwrap_or_default();
                say(&format!("{client}{}: {how}; then `portcullis doctor` says so", styled("not active until you confirm it", TextStyle::Doubtful)));
            }
            Live::Refused(_) => {}
        }
    }
    if !active.is_empty() {
        let clients = if several { format!(" in {}", active.join(", ")) } else { String::new() };
        let active = styled(&format!("Portcullis is active{clients}"), TextStyle::Good);
        let sessions = if several { "new sessions have it" } else { "also in running sessions" };
        say(&format!("{active}, {sessions}. next: `portcullis doctor`, `portcullis explain -- COMMAND`"));
    }
}

/// A text of another program, with a bar before each line.
pub fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  | {line}")).collect::<Vec<_>>().join("\n")
}

fn as_json(arguments: &InitArguments, choice: &Choice, plan: &Plan, tried: &[(&WiringTarget, Live)]) -> Value {
    let files: Vec<Value> = plan.edits.iter().map(|edit| json!({ "path": edit.path, "change": edit.kind(), "difference": edit.difference() })).collect();
    let refusal = |live: &Live| match live {
        Live::Refused(text) | Live::Unconfirmed(text) => Some(text.clone()),
        Live::Watching(_) => None,
    };
    let watching = |live: &Live| match live {
        Live::Watching(why) => Some(why.clone()),
        _ => None,
    };
    let clients: Vec<Value> = choice
        .targets
        .iter()
        .enumerate()
        .map(|(at, target)| {
            let live = tried.get(at).map(|(_, live)| live);
            let path = match target {
                WiringTarget::ClaudeCode(_) => plan.settings.clone(),
                WiringTarget::Other(hooks) => hooks.path.clone(),
            };
            json!({
                "client": target.name(), "scope": target.scope().name(), "settings": path, "refusal": live.and_then(refusal),
                "watching": live.and_then(watching), "confirm": live.is_some_and(|live| matches!(live, Live::Unconfirmed(_))),
            })
        })
        .collect();
    let first = choice.targets.first();
    let live = tried.first().map(|(_, live)| live);
    json!({
        "scope": first.map(|target| target.scope().name()),
        "settings": plan.settings,
        "made": !arguments.dry_run && plan.changes(),
        "files": files,
        "faults": plan.faults,
        "notes": plan.notes,
        "protected": first.map(WiringTarget::protects),
        "not_protected": first.map(WiringTarget::leaves),
        "refusal": live.and_then(refusal),
        "watching": live.and_then(watching),
        "clients": clients,
        "left_out": choice.left_out,
    })
}
