//! Checks that the installed Claude Code supports what Portcullis needs of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::CheckResults;
use crate::cli::canary;
use crate::cli::place::Place;
use crate::cli::terminal::shown;
use clients::claude_code::LACKING;

/// The package of the client, from a folder with packages.
const PACKAGE: &str = "node_modules/@anthropic-ai/claude-code/package.json";
/// Where the client installs itself, from the home folder.
const IN_HOME: [&str; 2] = [".local/bin/claude", ".claude/local/claude"];

/// Checks the versions of the clients that are installed. Reports nothing if no client is found.
pub(super) fn look(place: &Place, findings: &mut CheckResults) {
    let mut seen = Vec::new();
    let homes = place.world.homes.iter();
    let programs = std::iter::once(PathBuf::from("claude")).chain(homes.flat_map(|home| IN_HOME.map(|program| home.join(program))));
    for program in programs {
        if let Some(version) = asked(&program).filter(|version| !seen.contains(version)) {
            seen.push(version);
            report(version, "", findings);
        }
    }
    // What lies in the project is read, and not started.
    let packages = [place.around.tree().join(PACKAGE)].into_iter().chain(place.world.homes.iter().map(|home| home.join(".claude/local").join(PACKAGE)));
    for package in packages {
        if let Some(version) = packed(&package).filter(|version| !seen.contains(version)) {
            seen.push(version);
            report(version, &format!(" ({})", shown(&package)), findings);
        }
    }
}

/// What a program says of its version. A name is looked for on the `PATH`.
fn asked(program: &Path) -> Option<(u32, u32, u32)> {
    if program.is_absolute() && !program.is_file() {
        return None;
    }
    let mut process = Command::new(program);
    // Not in the project, so that no file there can influence the answer.
    process.arg("--version").current_dir("/");
    let reply = canary::run(process, "").ok().filter(|reply| reply.code == Some(0))?;
    version(&reply.stdout)
}

/// What a package says of its version.
fn packed(package: &Path) -> Option<(u32, u32, u32)> {
    let value: Value = serde_json::from_str(&fs::read_to_string(package).ok()?).ok()?;
    version(value.get("version")?.as_str()?)
}

fn report(version: (u32, u32, u32), place: &str, findings: &mut CheckResults) {
    let shown = format!("Claude Code {}.{}.{}{place}", version.0, version.1, version.2);
    let mut lacking = LACKING.iter().filter(|lack| version < lack.before).peekable();
    if lacking.peek().is_none() {
        return findings.ok("client", shown);
    }
    for lack in lacking {
        let (text, fix) = (format!("{shown} {}", lack.what), "update it (`claude update`; its npm package needs Node 22 for a new version)");
        if lack.starts { findings.warn("client", text, fix) } else { findings.fail("client", text, fix) }
    }
}

/// `2.1.329 (Claude Code)`
pub(in crate::cli) fn version(text: &str) -> Option<(u32, u32, u32)> {
    let mut numbers = text.split_whitespace().next()?.splitn(3, '.').map(|number| number.parse().ok());
    Some((numbers.next()??, numbers.next()??, numbers.next()??))
}
