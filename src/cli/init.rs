//! `portcullis init`: adds Portcullis to the settings of Claude Code, or removes it, and shows a denied force push.

pub mod exclude;
pub mod git;
mod hooks_folder;
pub mod noted;
pub mod plan;
pub mod scope;

use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use super::canary;
use super::place::Place;
use super::refusal::{FAILED, Refusal};
use super::terminal::{self, TextStyle, agreed, can_ask, say, say_json, styled, tell};
use super::wired::entry;
use noted::NotedPart;
use plan::Plan;
use scope::{Scope, Site};

#[derive(Args, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of the command line")]
pub struct InitArguments {
    /// Whose sessions are protected
    #[arg(long, value_enum, default_value = "local")]
    scope: Scope,
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
    refuse_home(arguments, &site)?;
    let mut plan = if arguments.undo { plan::unwire(arguments.scope, &site)? } else { plan::wire(arguments.scope, &site, arguments.policy())? };
    if arguments.git {
        if arguments.undo { git::HookSite::unwire_all(&site, &mut plan)? } else { git::HookSite::of(&site)?.wire(&mut plan)? }
    } else if arguments.undo {
        plan.notes.extend(git::HookSite::left(&site));
    }

    if !arguments.json {
        show(arguments, &plan);
    }
    if !arguments.dry_run && !confirmed(&plan, arguments.yes, arguments.json, "make these changes?")? {
        say("nothing was changed");
        return Ok(ExitCode::from(FAILED));
    }
    if !arguments.dry_run {
        // Before the changes: a place that is noted and has nothing is harmless, and the reverse would be forgotten.
        let parts = [Some(NotedPart::Settings(arguments.scope, &plan.settings)), arguments.git.then_some(NotedPart::Hooks)];
        let noted = |added| parts.into_iter().flatten().try_for_each(|part| noted::note(&place.world, &site, part, added));
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
    let mut live = if arguments.dry_run || arguments.undo { None } else { Some(live(&plan, &site)?) };
    // Settings that disable the hooks are for the person to fix. Portcullis is in the settings, but it is not active.
    let off = plan.faults.first();
    if let (Some(fault), Some(live)) = (off, &mut live) {
        *live = Live::Watching(format!("{fault}; fix it, then run this again"));
    }
    if arguments.json {
        say_json(&as_json(arguments, &plan, live.as_ref()));
    } else {
        finish(arguments, &plan, live.as_ref());
    }
    Ok(if off.is_some() { ExitCode::from(FAILED) } else { ExitCode::SUCCESS })
}

/// The home folder is no project: its settings are those of all sessions, and its policy would apply in every folder.
fn refuse_home(arguments: &InitArguments, site: &Site) -> Result<(), Refusal> {
    if arguments.undo || !matches!(arguments.scope, Scope::Local | Scope::Project) || !site.is_home() {
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

/// Sends a force push through the command that is in the settings file now.
///
/// # Errors
///
/// The force push was not denied.
pub fn live(plan: &Plan, site: &Site) -> Result<Live, Refusal> {
    let (_, bytes) = super::files::read(&plan.settings)?;
    let text = String::from_utf8(bytes.unwrap_or_default()).unwrap_or_default();
    let entry = entry(&text, &site.root, None).ok_or_else(|| {
        Refusal::new("Portcullis is not active", format!("`{}` has no entry for `{}`", plan.settings.display(), clients::claude_code::TRIED), "run this again")
    })?;
    // What a new policy file changes is only seen now.
    let place = Place::in_project(&site.root)?;
    if let Some(minutes) = gate::call::pause_minutes(&place.world, &place.around) {
        return Ok(Live::Watching(format!("it is paused for {minutes} more min (`portcullis pause --end` ends the pause)")));
    }
    if place.watches()? {
        return Ok(Live::Watching("the policy has `mode = \"shadow\"`, so verdicts are only shown (`portcullis explain --last`)".to_owned()));
    }
    canary::refused(&entry, &place).map(Live::Refused)
}

fn show(arguments: &InitArguments, plan: &Plan) {
    if arguments.dry_run || can_ask() || !arguments.yes {
        show_changes(plan);
    }
    if !plan.changes() {
        let state = if arguments.undo { "Portcullis is not in the settings" } else { "Portcullis is in the settings already" };
        say(&format!("nothing to do: {state} ({})", plan.settings.display()));
    }
    for note in plan.faults.iter().chain(&plan.notes) {
        say(&format!("{} {note}", styled("note:", TextStyle::Doubtful)));
    }
}

/// Every change, as a difference.
pub fn show_changes(plan: &Plan) {
    for edit in plan.edits.iter().filter(|edit| edit.changes()) {
        say(edit.difference().trim_end());
    }
    for (from, to) in plan.moved_first.iter().chain(&plan.moved_last) {
        say(&format!("move {} to {}", from.display(), to.display()));
    }
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

fn finish(arguments: &InitArguments, plan: &Plan, live: Option<&Live>) {
    if arguments.dry_run {
        say(if plan.changes() { "nothing was changed (--dry-run)" } else { "nothing would change" });
        return;
    }
    say_done(plan);
    if arguments.undo {
        return;
    }
    let scope = arguments.scope;
    say(&format!("scope {}\n  protected:     {}\n  not protected: {}", scope.name(), scope.holds(), scope.spares()));
    match live {
        Some(Live::Refused(text)) => {
            say(&format!("tried `{}` through the settings file; the agent would read:\n", canary::DENIED));
            say(&indented(text));
            say(&format!(
                "\n{}, also in running sessions. next: `portcullis doctor`, `portcullis explain -- COMMAND`",
                styled("Portcullis is active", TextStyle::Good)
            ));
        }
        Some(Live::Watching(why)) => say(&format!("{}: {why}", styled("Portcullis is in the settings, but not active", TextStyle::Doubtful))),
        None => {}
    }
}

/// A text of another program, with a bar before each line.
pub fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  | {line}")).collect::<Vec<_>>().join("\n")
}

fn as_json(arguments: &InitArguments, plan: &Plan, live: Option<&Live>) -> Value {
    let files: Vec<Value> = plan.edits.iter().map(|edit| json!({ "path": edit.path, "change": edit.kind(), "difference": edit.difference() })).collect();
    json!({
        "scope": arguments.scope.name(),
        "settings": plan.settings,
        "made": !arguments.dry_run && plan.changes(),
        "files": files,
        "faults": plan.faults,
        "notes": plan.notes,
        "protected": arguments.scope.holds(),
        "not_protected": arguments.scope.spares(),
        "refusal": match live { Some(Live::Refused(text)) => Some(text), _ => None },
        "watching": match live { Some(Live::Watching(why)) => Some(why), _ => None },
    })
}
