//! `portcullis install`: builds the binaries or takes those of a release, copies them into a folder of programs, and shows in
//! a temporary repository that they deny a force push.

pub mod build;
mod scratch;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::canary;
use super::files::{self, PROGRAM as PROGRAM_MODE};
use super::init::clients::WiringTarget;
use super::init::plan::{BINARIES, STARTER, wiring};
use super::init::scope::{Scope, Site};
use super::init::{Live, indented, live};
use super::place::Place;
use super::refusal::Refusal;
use super::settings::hooks_json;
use super::terminal::{TextStyle, progress, say, say_json, styled};
use super::wired::entry;
use build::{BinarySource, Built};
pub use clients::claude_code::PLUGIN_COMMAND;
use clients::settings::PROGRAM;
use gate::world::{World, state};
use scratch::Scratch;

/// The cold binary.
const COLD: &str = "portcullis";

pub const PLUGIN: &str = include_str!("../../.claude-plugin/plugin.json");

#[derive(Args, Debug)]
pub struct InstallArguments {
    /// Install into DIR/bin (default: ~/.local)
    #[arg(long, value_name = "DIR", conflicts_with = "plugin")]
    prefix: Option<PathBuf>,
    /// Build in this source tree (default: the one of `cargo run`, or the release that this program is of)
    #[arg(long, value_name = "DIR")]
    source: Option<PathBuf>,
    /// Make DIR a Claude Code plugin that contains the binaries; install nothing else
    #[arg(long, value_name = "DIR")]
    plugin: Option<PathBuf>,
    /// Show what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
///
/// The binaries cannot be built or put in place, or what was installed does not refuse.
pub fn run(arguments: &InstallArguments) -> Result<ExitCode, Refusal> {
    let origin = build::origin(arguments.source.as_deref())?;
    let folder = match (&arguments.plugin, &arguments.prefix) {
        (Some(plugin), _) => absolute(plugin)?.join("bin"),
        (None, Some(prefix)) => absolute(prefix)?.join("bin"),
        (None, None) => home()?.join(".local/bin"),
    };
    if arguments.dry_run {
        match &origin {
            BinarySource::Tree(source) => {
                let target = build::static_target();
                say(&format!("would build {} in {}", BINARIES.join(", "), source.display()));
                say(&format!("would build portcullis-hook for {target}, or for the default target if {target} is not available"));
            }
            BinarySource::Release(folder) => say(&format!("would take {} from {}", BINARIES.join(", "), folder.display())),
        }
        for name in BINARIES {
            say(&format!("would install {}", folder.join(name).display()));
        }
        say("would then show a denied force push in a temporary repository; nothing was done (--dry-run)");
        return Ok(ExitCode::SUCCESS);
    }
    let built = match &origin {
        BinarySource::Tree(source) => build::all(source)?,
        BinarySource::Release(folder) => build::released(folder)?,
    };
    let changed = put(&built, &folder)?;
    if arguments.plugin.is_none() {
        // `uninstall` removes only what is known to come from here.
        let folder = fs::canonicalize(&folder).unwrap_or_else(|_| folder.clone());
        let states = World::real().states;
        let _ = state::write(&states, &folder, state::INSTALLED, folder.as_os_str().as_encoded_bytes());
        // `update` names where a newer one is built.
        let _ = match &origin {
            BinarySource::Tree(source) => state::write(&states, &folder, state::SOURCE, source.as_os_str().as_encoded_bytes()).map(drop),
            BinarySource::Release(_) => state::remove(&states, &folder, state::SOURCE),
        };
    }
    let text = match &arguments.plugin {
        Some(plugin) => as_plugin(&absolute(plugin)?)?,
        None => tried(&folder)?,
    };
    let on_path = std::env::var_os("PATH").is_some_and(|path| std::env::split_paths(&path).any(|entry| entry == folder));
    if arguments.json {
        say_json(&json!({
            "installed": BINARIES.map(|name| folder.join(name)),
            "changed": changed,
            "static": built.is_static,
            "target": built.target,
            "on_path": on_path,
            "command": canary::DENIED,
            "refusal": text,
        }));
        return Ok(ExitCode::SUCCESS);
    }
    say(&format!("tried `{}` in a temporary repository; the agent would read:\n", canary::DENIED));
    say(&indented(&text));
    say("");
    finish(arguments, &folder, on_path);
    Ok(ExitCode::SUCCESS)
}

fn finish(arguments: &InstallArguments, folder: &Path, on_path: bool) {
    let good = |text: &str| styled(text, TextStyle::Good);
    if let Some(plugin) = &arguments.plugin {
        say(&format!("{}: {}", good("the plugin is ready"), plugin.display()));
        say(&format!("next: claude --plugin-dir {}", plugin.display()));
        return;
    }
    say(&format!("{} in {}", good("installed"), folder.display()));
    let program = if on_path { PathBuf::from("portcullis") } else { folder.join("portcullis") };
    if !on_path {
        say(&format!("{} {} is not on your PATH; add it, or type the full path", styled("note:", TextStyle::Doubtful), folder.display()));
    }
    say(&format!("next, in your own repository: {} init", program.display()));
}

fn absolute(path: &Path) -> Result<PathBuf, Refusal> {
    std::path::absolute(path).map_err(|error| Refusal::usage("nothing was installed", format!("`{}`: {error}", path.display()), "name a folder"))
}

/// The home folder as the person's shell has it: a fresh `HOME` is to stay the only place that changes.
fn home() -> Result<PathBuf, Refusal> {
    let home = std::env::var_os("HOME").map(PathBuf::from).filter(|home| home.is_absolute()).or_else(|| gate::world::system::account()?.home);
    home.ok_or_else(|| Refusal::new("nothing was installed", "no home folder is known", "name a folder with `--prefix DIR`"))
}

/// Puts the binaries in place, each by one rename; whether any of them changed. The hook comes last: until then the old
/// pair is whole, or the new cold binary refuses the old hook, which holds.
fn put(built: &Built, folder: &Path) -> Result<bool, Refusal> {
    let mut changed = false;
    for name in BINARIES.iter().rev() {
        let to = folder.join(name);
        if *name == crate::git::NAME {
            changed |= link(&to)?;
            continue;
        }
        let from = built.path(name);
        let refused = |error: std::io::Error| {
            Refusal::new("nothing was installed", format!("`{}`: {error}", to.display()), "name a folder that you can write with `--prefix DIR`")
        };
        let bytes = fs::read(&from).map_err(|error| Refusal::new("nothing was installed", format!("`{}`: {error}", from.display()), "build again"))?;
        if fs::read(&to).is_ok_and(|old| old == bytes) {
            progress(&format!("{} is up to date", to.display()));
            continue;
        }
        files::put(&to, &bytes, PROGRAM_MODE).map_err(refused)?;
        progress(&format!("installed {}", to.display()));
        changed = true;
    }
    Ok(changed)
}

/// Makes `portcullis-git` beside `portcullis`: a link to it, replaced by one rename. Returns whether it changed.
fn link(to: &Path) -> Result<bool, Refusal> {
    if fs::read_link(to).is_ok_and(|target| target == Path::new(COLD)) {
        progress(&format!("{} is up to date", to.display()));
        return Ok(false);
    }
    let refused = |error: std::io::Error| {
        Refusal::new("nothing was installed", format!("`{}`: {error}", to.display()), "name a folder that you can write with `--prefix DIR`")
    };
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder).map_err(refused)?;
    }
    let new = to.with_extension(format!("{}.new", std::process::id()));
    std::os::unix::fs::symlink(COLD, &new).and_then(|()| fs::rename(&new, to)).map_err(refused)?;
    progress(&format!("installed {} (a link to {COLD})", to.display()));
    Ok(true)
}

/// Wires a scratch repository with the binaries in `folder`, and gives the refusal of a force push there.
fn tried(folder: &Path) -> Result<String, Refusal> {
    let scratch = Scratch::new()?;
    progress(&format!("adding Portcullis to the temporary repository {}", scratch.root().display()));
    let place = Place::in_project(scratch.root())?;
    let site = Site::at(scratch.root(), &place.world, Some(folder))?;
    let plan = WiringTarget::ClaudeCode(Scope::Local).wire(&site, Some(STARTER), &[WiringTarget::ClaudeCode(Scope::Local)])?;
    plan.apply()?;
    let text = match live(&WiringTarget::ClaudeCode(Scope::Local), &site)? {
        Live::Refused(text) | Live::Unconfirmed(text) => text,
        Live::Watching(why) => return Err(Refusal::new("Portcullis is not active", why, "change the policy of this machine, then run this again")),
    };
    let entry = entry(&plan.settings_text().unwrap_or_default(), scratch.root(), None);
    // After the wiring, so that the policy is the one that was just written.
    let place = Place::in_project(scratch.root())?;
    if let Some(entry) = &entry {
        let broken = |why: String| Refusal::new("Portcullis is not active", why, "run `portcullis install` again; if this does not help, report it as a bug");
        canary::hands_over(entry, &place).map_err(broken)?;
        canary::lets_through(entry, &place).map_err(broken)?;
        progress("the binaries are of one build, and a harmless command is allowed");
    }
    scratch.forget(&place);
    Ok(text)
}

/// Adds what makes `folder` a plugin, and gives the refusal of a force push through it.
fn as_plugin(folder: &Path) -> Result<String, Refusal> {
    let hooks = hooks_json(&wiring(PLUGIN_COMMAND));
    for (name, text) in [(".claude-plugin/plugin.json", PLUGIN), ("hooks.json", &hooks)] {
        let path = folder.join(name);
        files::put(&path, text.as_bytes(), files::FILE)
            .map_err(|error| Refusal::new("the plugin was not made", format!("`{}`: {error}", path.display()), "name a folder that you can write"))?;
    }
    let scratch = Scratch::new()?;
    let place = Place::in_project(scratch.root())?;
    let entry = entry(&hooks, scratch.root(), Some(folder));
    let entry =
        entry.ok_or_else(|| Refusal::new("the plugin was not made", format!("hooks.json has no entry that starts `{PROGRAM}`"), "report this as a bug"))?;
    let text = canary::refused(&entry, &place)?;
    scratch.forget(&place);
    Ok(text)
}
