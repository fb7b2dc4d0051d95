//! `portcullis status`: the state of this repository at a glance. Starts nothing, and changes nothing.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use super::init::git::{self, HookFile, HookSite};
use super::init::scope::{Scope, Site};
use super::install::build::unpacked;
use super::pause;
use super::place::Place;
use super::refusal::Refusal;
use super::terminal::{TextStyle, say, say_json, shown, styled};
use super::wired::{Wired, entries};
use super::wiring::{HookPlace, trial, trust};
use crate::git::block::BEGIN;
use actions::shown::escaped;
use clients::claude_code::{NAME, TRIED};
use gate::BUILD;
use gate::world::meters::MeterState;
use gate::world::{state, system, waiting};
use policy::Policy;

#[derive(Args, Debug, Default)]
pub struct StatusArguments {
    /// One line, for a status bar
    #[arg(long, conflicts_with = "json")]
    short: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// The last call that was stopped here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastStopped {
    /// Seconds since 1970.
    pub time: u64,
    pub rules: Vec<String>,
    pub tier: u64,
    /// What the agent was shown.
    pub text: String,
    /// False in a pause or in shadow mode.
    pub stopped: bool,
    /// The event as it came in, if it was not too large.
    pub input: Option<Value>,
}

impl LastStopped {
    /// Reads it from the state. `None` if nothing was stopped.
    pub fn of(place: &Place) -> Option<Self> {
        let kept: Value = serde_json::from_slice(&state::read_last(&place.world.states, &place.around.root)?).ok()?;
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let mut rules: Vec<String> = kept.get("rules")?.as_array()?.iter().filter_map(text).collect();
        let mut seen = Vec::new();
        rules.retain(|rule| {
            !seen.contains(rule) && {
                seen.push(rule.clone());
                true
            }
        });
        Some(Self {
            time: kept.get("time")?.as_u64()?,
            rules,
            tier: kept.get("tier")?.as_u64()?,
            text: kept.get("text").and_then(text).unwrap_or_default(),
            stopped: kept.get("stopped").and_then(Value::as_bool).unwrap_or(true),
            input: kept.get("input").filter(|input| !input.is_null()).cloned(),
        })
    }

    /// In one line: when, and by what.
    pub fn line(&self) -> String {
        let by = if self.rules.is_empty() {
            "a failure".to_owned()
        } else {
            self.rules.iter().map(|rule| format!("`{}`", escaped(rule))).collect::<Vec<_>>().join(", ")
        };
        let what = if self.stopped { "stopped" } else { "would be stopped" };
        format!("{what} by {by}, {}", super::explain::ago(system::now().saturating_sub(self.time)))
    }
}

/// A client other than Claude Code that is wired here.
struct WiredClient {
    hooks: HookPlace,
    program: PathBuf,
    /// The client does not start the hook before a person confirmed it.
    unconfirmed: bool,
}

impl WiredClient {
    fn all(site: &Site) -> Vec<Self> {
        let places = HookPlace::all(site).into_iter().filter_map(|hooks| {
            let hook = trial::tried(&hooks, &hooks.found().ok()?)?;
            let event = hook.event.clone();
            let unconfirmed = trust::unconfirmed(&hooks, site).contains(&event) || trust::is_untrusted(&hooks, site);
            Some(Self { program: hooks.program(&hook.started), unconfirmed, hooks })
        });
        places.collect()
    }

    /// True if the client would start the hook.
    fn starts(&self) -> bool {
        self.program.is_file() && !self.unconfirmed
    }
}

/// What is found out of a place.
struct PlaceStatus {
    place: Place,
    /// The scopes whose settings start Portcullis, each with its first entry.
    wired: Vec<(Scope, PathBuf, Wired)>,
    /// Other clients that start Portcullis here.
    clients: Vec<WiredClient>,
    /// Git's hooks with Portcullis.
    hooks: usize,
    /// Digest and count of the rules, or why the policy is not known.
    policy: Result<(String, usize), Refusal>,
    files: Vec<(&'static str, PathBuf)>,
    pause: Option<u64>,
    shadow: bool,
    last: Option<LastStopped>,
    /// How far limits and budgets are used; those of sessions are not counted here.
    meters: Vec<MeterState>,
}

impl PlaceStatus {
    fn of() -> Result<Self, Refusal> {
        let here = Place::at(None)?;
        let site = Site::at(&here.cwd, &here.world, None)?;
        // As a session at the root of the repository has it.
        let place = Place::in_project(&site.root)?;
        let wired = [Scope::Managed, Scope::Local, Scope::Project, Scope::User].into_iter().filter_map(|scope| {
            let settings = site.settings(scope).ok()?;
            let text = fs::read_to_string(&settings).ok()?;
            let entry = entries(&text, &site.root, None).into_iter().find(|entry| entry.event == TRIED)?;
            Some((scope, settings, entry))
        });
        let hooks = site.repository.as_ref().and_then(|_| HookSite::of(&site).ok());
        let has = |hook: &git::Wanted| matches!(git::state(hook), Ok(HookFile::Script(text)) if text.contains(BEGIN));
        let policy = place.policy().map(|bytes| {
            let policy = Policy::open(&bytes);
            policy.map(|policy| (policy.digest.to_owned(), policy.all_rules().map_or(0, |rules| rules.len()))).unwrap_or_default()
        });
        let files = place.layers()?.into_iter().filter(|file| !file.identity.is_empty()).map(|file| (file.layer.name(), file.path)).collect();
        Ok(Self {
            wired: wired.collect(),
            clients: WiredClient::all(&site),
            hooks: hooks.map_or(0, |hooks| hooks.wanted().filter(has).count()),
            files,
            pause: gate::call::pause_minutes(&place.world, &place.around),
            shadow: policy.is_ok() && place.watches()?,
            policy,
            last: LastStopped::of(&place),
            meters: super::state::states(&place).unwrap_or_default(),
            place,
        })
    }

    /// The state in a few words, and the next step. An empty step: there is nothing to do.
    fn said(&self) -> (String, TextStyle, &'static str) {
        let started = self.wired.iter().any(|(_, _, entry)| entry.program().is_file()) || self.clients.iter().any(WiredClient::starts);
        let unconfirmed = self.clients.iter().any(|client| client.unconfirmed && client.program.is_file());
        match (&self.policy, self.pause) {
            // In an unpacked archive, what is wired now would be gone with the folder.
            _ if self.wired.is_empty() && self.clients.is_empty() && unpacked().is_some() => {
                ("not active: it is not installed yet, and no settings file starts it here".to_owned(), TextStyle::Bad, "portcullis install")
            }
            _ if self.wired.is_empty() && self.clients.is_empty() => {
                ("not active: no settings file starts it here".to_owned(), TextStyle::Bad, "portcullis init")
            }
            _ if !started && unconfirmed => ("not active: its hooks are not confirmed in the client yet".to_owned(), TextStyle::Bad, "portcullis doctor"),
            _ if !started => ("not active: the program that the settings start is missing".to_owned(), TextStyle::Bad, "portcullis install"),
            (Err(_), _) => ("every call is denied: the policy cannot be used".to_owned(), TextStyle::Bad, "portcullis unblock"),
            (_, Some(minutes)) => (format!("paused for {minutes} more min"), TextStyle::Doubtful, "portcullis pause --end"),
            _ if self.shadow => ("shadow mode: nothing is stopped".to_owned(), TextStyle::Doubtful, "portcullis policy"),
            _ => ("active".to_owned(), TextStyle::Good, ""),
        }
    }
}

/// Runs the command. `bare`: the command line named none.
///
/// # Errors
///
/// The folder is not known.
pub fn run(arguments: &StatusArguments, bare: bool) -> Result<ExitCode, Refusal> {
    let status = PlaceStatus::of()?;
    let (said, style, next) = status.said();
    if arguments.short {
        say(&styled(&format!("portcullis: {said}"), style));
    } else if arguments.json {
        let (policy, why) = match &status.policy {
            Ok((digest, rules)) => (Some(json!({ "digest": digest, "rules": rules })), None),
            Err(refusal) => (None, Some(&refusal.why)),
        };
        say_json(&json!({
            "root": status.place.around.root, "active": style == TextStyle::Good, "state": said, "next": next, "build": BUILD,
            "wired": wired_as_json(&status),
            "git_hooks": status.hooks, "policy": policy, "mistakes": why,
            "layers": status.files.iter().map(|(layer, path)| json!({ "layer": layer, "path": path })).collect::<Vec<_>>(),
            "meters": status.meters.iter().map(super::state::of_state).collect::<Vec<_>>(),
            "approvals_waiting": waiting::count(&status.place.around.memory),
            "paused_minutes": status.pause, "shadow": status.shadow,
            "last": status.last.as_ref().map(|last| json!({ "time": last.time, "rules": last.rules, "tier": last.tier, "stopped": last.stopped })),
        }));
    } else {
        show(&status, &styled(&said, style));
        if !next.is_empty() {
            // By the full path, where the program is not on the `PATH` yet.
            let next = match (unpacked(), next.strip_prefix("portcullis ")) {
                (Some(folder), Some(rest)) => format!("{} {rest}", shown(&folder.join("portcullis"))),
                _ => next.to_owned(),
            };
            say(&format!("next: {next}"));
        } else if bare {
            say(
                "next: `portcullis explain -- COMMAND` shows a verdict, `portcullis policy new COMMAND` begins a rule of your own, `portcullis log --stopped` shows what was stopped, `portcullis --help` all commands",
            );
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn wired_as_json(status: &PlaceStatus) -> Vec<Value> {
    let claude =
        status.wired.iter().map(|(scope, settings, entry)| json!({ "client": NAME, "scope": scope.name(), "settings": settings, "program": entry.program() }));
    let others = status.clients.iter().map(|client| {
        let hooks = &client.hooks;
        let name = hooks.wiring.client.name();
        json!({ "client": name, "scope": hooks.scope.name(), "settings": hooks.path, "program": client.program, "confirmed": !client.unconfirmed })
    });
    claude.chain(others).collect()
}

fn show(status: &PlaceStatus, said: &str) {
    let place = &status.place;
    say(&format!("Portcullis {} is {said}", super::version()));
    say(&format!("place   {} ({})", shown(&place.around.root), place.around.why));
    for (scope, settings, _) in &status.wired {
        say(&format!("wired   scope {}, {}", scope.name(), shown(settings)));
    }
    for client in &status.clients {
        let note = match (client.unconfirmed, client.program.is_file()) {
            (_, false) => " (the program that it starts is missing)",
            (true, true) => " (not confirmed in the client yet)",
            (false, true) => "",
        };
        say(&format!("wired   {}, scope {}, {}{note}", client.hooks.wiring.title, client.hooks.scope.name(), shown(&client.hooks.path)));
    }
    if place.around.repository.is_some() {
        let hooks =
            if status.hooks == 0 { "in none of git's hooks (`portcullis init --git`)".to_owned() } else { format!("in {} of git's hooks", status.hooks) };
        say(&format!("git     {hooks}"));
    }
    match &status.policy {
        Ok((digest, rules)) => say(&format!("policy  {rules} rules, digest {digest}")),
        Err(refusal) => say(&format!("policy  {}", escaped(refusal.why.lines().next().unwrap_or_default()))),
    }
    for (layer, path) in &status.files {
        say(&format!("        {layer}, {}", shown(path)));
    }
    for state in &status.meters {
        say(&super::state::line(state));
    }
    if let Some(waits) = waiting::said(&place.around.memory) {
        say(&format!("waiting {waits}"));
    }
    if status.pause.is_some() {
        say(&format!("pause   {}", pause::status(place)));
    }
    if let Some(last) = &status.last {
        say(&format!("last    {} (`portcullis unblock` shows the ways out)", last.line()));
    }
}
