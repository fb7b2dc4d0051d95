//! Checks git's hooks: where git looks for them, what it would start there, and whether Portcullis answers. What a hook does
//! first must be the known lines of Portcullis; only then it is started, with an argument for which Portcullis always fails.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{CheckResults, Repair};
use crate::cli::canary;
use crate::cli::init::git::{self, HookFile, HookSite, Wanted};
use crate::cli::init::scope::Site;
use crate::cli::place::Place;
use crate::cli::terminal::shown;
use crate::git::block::{BEGIN, GateCall, begins_with, without};
use actions::shown::escaped;
use gate::BUILD;
use gate::world::repository::Repository;

const PART: &str = "git";
/// Adds what is missing.
const AGAIN: &str = "run `portcullis init --git` again";
/// The first lines of the files that husky 9 writes; they start its runner `h`.
const HUSKY_STARTS: [&str; 2] = ["#!/usr/bin/env sh\n. \"$(dirname \"$0\")/h\"", "#!/usr/bin/env sh\n. \"${0%/*}/h\""];
/// Its runner: the hashes of those that start nothing but the person's own file and that of the hook (husky 9.0.1 to 9.1.7).
const HUSKY_RUNNERS: [u64; 4] = [0x756b_765e_c51b_50e8, 0x6887_4d8d_0509_e9a8, 0x12ef_bc83_95d3_e9fb, 0x0efa_3826_0ccf_9cd9];
/// Folders in a repository that hold committed hooks, and how git is made to start them.
const COMMITTED: [(&str, &str); 2] =
    [(".husky", "run `npx husky FOLDER` (or the project's own `prepare` script)"), (".githooks", "run `git config core.hooksPath FOLDER`")];
/// Entries of a folder in which they are looked for.
const MAX_ENTRIES: usize = 500;

/// What is known of one hook.
enum HookTrial {
    /// It was started, and Portcullis answered.
    Answered,
    /// A manager's hook starts the file to which it moved ours, and Portcullis answered there.
    Through,
    /// Portcullis is in it, but was not started, for this reason.
    Untried(String),
    /// Portcullis is in it, and git does not start it, or it does not answer.
    Silent(String),
    Missing,
}

/// Checks the hooks of the repository, if there is one.
pub(super) fn look(here: &Place, findings: &mut CheckResults) {
    let Ok(site) = Site::at(&here.cwd, &here.world, None) else { return };
    let Some(repository) = &site.repository else { return };
    let made = HookSite::were_made(&here.world, repository);
    let hooks = match HookSite::of(&site) {
        Ok(hooks) => hooks,
        Err(refusal) if made => return findings.fail(PART, format!("git starts no hook of Portcullis: {}", refusal.why), refusal.fix),
        Err(refusal) => return findings.ok(PART, format!("git hooks were not checked: {}", refusal.why)),
    };
    let wanted: Vec<Wanted> = hooks.wanted().collect();
    let wired = wanted.iter().any(|hook| matches!(git::state(hook), Ok(HookFile::Script(text)) if text.contains(BEGIN)));
    if let Some((why, fix)) = hooks.starts_nothing() {
        if wired || made {
            return findings.fail(PART, format!("git starts no hook of Portcullis: {why}"), fix);
        }
        return findings.ok(PART, format!("Portcullis is in no git hook: {why}"));
    }
    if let (true, Err(refusal)) = (wired, hooks.readable()) {
        return findings.fail(PART, format!("the hooks would refuse every commit: {}", refusal.why), refusal.fix);
    }
    let calls = hooks.calls();
    let trials: Vec<(&str, HookTrial)> = wanted.iter().map(|hook| (hook.name, tried(&hooks, hook, &calls))).collect();
    report(&trials, made, &hooks, repository, findings);
    if wired {
        beside(&wanted, &hooks, repository, findings);
    }
}

fn report(trials: &[(&str, HookTrial)], made: bool, hooks: &HookSite, repository: &Repository, findings: &mut CheckResults) {
    let all = trials.len();
    let stand = trials.iter().filter(|(_, trial)| !matches!(trial, HookTrial::Missing | HookTrial::Silent(_))).count();
    let missing: Vec<&str> = trials.iter().filter(|(_, trial)| matches!(trial, HookTrial::Missing)).map(|(name, _)| *name).collect();
    let manager = hooks.managers().next();
    let again = || manager.map_or_else(|| AGAIN.to_owned(), |(what, fix)| format!("{AGAIN}; {what}: {fix}"));
    if missing.len() == all {
        match (made, elsewhere(repository)) {
            (true, _) => findings.broken(PART, "Portcullis was added to git's hooks, and is in none of them now", again(), Repair::Hooks),
            (false, Some((folder, fix))) => {
                findings.warn(PART, format!("Portcullis is in the committed hooks of `{folder}`, and git does not start them in this clone"), fix);
            }
            (false, None) => findings.ok(PART, "Portcullis is in no git hook (`portcullis init --git` adds it)"),
        }
        return;
    }
    let tried = trials.iter().filter(|(_, trial)| matches!(trial, HookTrial::Answered | HookTrial::Through)).count();
    let how = if tried == stand { "git starts it in each".to_owned() } else { format!("it was started in {tried}") };
    if stand == all {
        findings.ok(PART, format!("Portcullis is in {stand} git hooks of `{}`, and {how}", shown(&hooks.folder)));
    } else if !missing.is_empty() {
        findings.repairable(PART, format!("Portcullis is missing in the git hooks {}", missing.join(", ")), again(), Repair::Hooks);
    }
    // One line for hooks with one reason.
    let mut seen: Vec<&str> = Vec::new();
    for (_, trial) in trials {
        let (why, silent) = match trial {
            HookTrial::Silent(why) => (why, true),
            HookTrial::Untried(why) => (why, false),
            _ => continue,
        };
        if seen.contains(&why.as_str()) {
            continue;
        }
        seen.push(why);
        let names: Vec<&str> = trials
            .iter()
            .filter(|(_, other)| matches!(other, HookTrial::Silent(text) | HookTrial::Untried(text) if text == why))
            .map(|(name, _)| *name)
            .collect();
        let text = format!("{}: {why}", names.join(", "));
        if silent { findings.broken(PART, text, again(), Repair::Hooks) } else { findings.repairable(PART, text, again(), Repair::Hooks) }
    }
}

/// Starts a hook, if it is known what it does first.
fn tried(hooks: &HookSite, hook: &Wanted, calls: &[GateCall]) -> HookTrial {
    let text = match git::state(hook) {
        Ok(HookFile::Script(text)) if text.contains(BEGIN) => text,
        Err(refusal) => return HookTrial::Silent(refusal.why),
        _ => {
            return match git::moved(hook) {
                Some((path, true)) => match answered(&path, hook, hooks, calls) {
                    HookTrial::Answered => HookTrial::Through,
                    other => other,
                },
                Some((path, false)) => HookTrial::Silent(format!("the hook manager moved it to `{}`, which it does not start", shown(&path))),
                None => HookTrial::Missing,
            };
        }
    };
    let Some(own) = hooks.started_by(hook) else { return answered(&hook.path, hook, hooks, calls) };
    let runs = fs::metadata(&own).is_ok_and(|found| found.permissions().mode() & 0o111 != 0);
    if !runs {
        return HookTrial::Silent(format!("`{}` does not start it; run husky again", shown(&own)));
    }
    if !begins_with(&text, hook.name, calls) {
        return HookTrial::Untried(OTHER_LINES.to_owned());
    }
    if known_husky(&own) { start(Command::new(&own), hook, hooks) } else { start(by_husky(&hook.path), hook, hooks) }
}

const OTHER_LINES: &str = "the lines of Portcullis are not the first, or not those of this version, so it was not started";

/// Starts a file that git, or a manager, starts itself.
fn answered(path: &Path, hook: &Wanted, hooks: &HookSite, calls: &[GateCall]) -> HookTrial {
    let Ok(text) = fs::read_to_string(path) else { return HookTrial::Missing };
    if !begins_with(&text, hook.name, calls) {
        return HookTrial::Untried(OTHER_LINES.to_owned());
    }
    if fs::metadata(path).is_ok_and(|found| found.permissions().mode() & 0o111 == 0) {
        return HookTrial::Silent(format!("`{}` is not executable, so git does not start it", shown(path)));
    }
    // Git gives a file without a first line of its own to the shell.
    let process = if text.starts_with("#!") { Command::new(path) } else { by_shell(path) };
    start(process, hook, hooks)
}

fn start(mut process: Command, hook: &Wanted, hooks: &HookSite) -> HookTrial {
    process.arg(crate::git::CANARY).current_dir(hooks.root());
    // Hooks that read git's lines do nothing without one.
    match canary::run(process, "portcullis\n") {
        Ok(reply) if reply.stdout.lines().any(|line| line == crate::git::canary(hook.name)) => HookTrial::Answered,
        Ok(reply) if reply.stdout.contains(crate::git::NAME) => HookTrial::Silent(format!("it starts another build than {BUILD}")),
        Ok(reply) => {
            let said = reply.stderr.lines().next().map_or_else(|| "it said nothing".to_owned(), |line| format!("it said: {}", escaped(line)));
            HookTrial::Silent(format!("Portcullis does not answer when it is started ({said})"))
        }
        Err(why) => HookTrial::Silent(why),
    }
}

fn by_shell(path: &Path) -> Command {
    let mut shell = Command::new("/bin/sh");
    shell.arg(path);
    shell
}

/// As husky starts a person's file.
fn by_husky(path: &Path) -> Command {
    let mut shell = Command::new("/bin/sh");
    shell.arg("-e").arg(path);
    shell
}

/// Whether husky's own files are those that it writes.
fn known_husky(own: &Path) -> bool {
    let text = |path: &Path| fs::read_to_string(path).unwrap_or_default();
    let hash = |text: &str| text.bytes().fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    HUSKY_STARTS.contains(&text(own).trim_end()) && HUSKY_RUNNERS.contains(&hash(&text(&own.with_file_name("h"))))
}

/// A folder of committed hooks with Portcullis in them, and how git is made to start them.
fn elsewhere(repository: &Repository) -> Option<(String, String)> {
    let folders = |folder: &Path| -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten().take(MAX_ENTRIES);
        entries.map(|entry| entry.path()).filter(|path| path.is_dir() && !path.ends_with("node_modules") && !path.ends_with(".git")).collect()
    };
    let near = folders(&repository.root);
    let below: Vec<PathBuf> = near.iter().flat_map(|folder| folders(folder)).collect();
    for folder in [repository.root.clone()].iter().chain(&near).chain(&below) {
        for (name, fix) in COMMITTED {
            let hooks = folder.join(name);
            if fs::read_to_string(hooks.join("pre-commit")).is_ok_and(|text| text.contains(BEGIN)) {
                let shown = shown(hooks.strip_prefix(&repository.root).unwrap_or(&hooks));
                let fix = fix.replace("FOLDER", &shown);
                return Some((shown, fix));
            }
        }
    }
    None
}

/// Programs whose hooks are left out because of ours.
fn beside(wanted: &[Wanted], hooks: &HookSite, repository: &Repository, findings: &mut CheckResults) {
    let texts: Vec<(&str, String)> = wanted.iter().map(|hook| (hook.name, fs::read_to_string(&hook.path).unwrap_or_default())).collect();
    for (what, fix) in hooks.managers().filter(|(what, _)| what.starts_with("yorkie")) {
        if texts.iter().all(|(_, text)| !text.contains("yorkie")) {
            findings.warn(PART, what, fix);
        }
    }
    let lfs = repository.common_dir.join("lfs").is_dir();
    let starts = |text: &str| without(text).is_none_or(|rest| ["lfs", "lefthook", "hook-impl"].iter().any(|word| rest.contains(word)));
    for (name, _) in texts.iter().filter(|(name, text)| lfs && *name == "pre-push" && text.contains(BEGIN) && !starts(text)) {
        let text = format!("the hook `{name}` has commands of its own, and git-lfs is not among them, so its objects are not pushed");
        findings.warn(PART, text, "add the lines that `git lfs update --manual` shows");
    }
}
