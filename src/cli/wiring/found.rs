//! Which clients are on this machine: as a program, as a folder of a person's configuration, as files in the project; and in
//! which version.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::home_of;
use crate::cli::canary;
use crate::cli::init::scope::Site;
use clients::Client;
use clients::claude_code::{ClaudeCode, SETTINGS};
use clients::wiring::{ClientVersion, ClientWiring, WIRINGS};

/// Claude Code's name as people say it.
pub const CLAUDE_CODE: &str = "Claude Code";
/// Where Claude Code installs itself, from the home folder.
pub const CLAUDE_PROGRAMS: [&str; 2] = [".local/bin/claude", ".claude/local/claude"];
/// Folders above a program in which its package can be.
const MAX_ABOVE: usize = 6;

/// A client, and what of it is here.
#[derive(Clone, Debug)]
pub struct FoundClient {
    pub client: &'static dyn Client,
    pub title: &'static str,
    /// `None`: Claude Code.
    pub wiring: Option<&'static ClientWiring>,
    /// The program, as it would be started.
    pub program: Option<PathBuf>,
    /// The folder of a person's configuration.
    pub home: Option<PathBuf>,
    /// A file of the project that is for it.
    pub sign: Option<&'static str>,
}

impl FoundClient {
    /// True if a person here seems to use it.
    pub fn is_used(&self) -> bool {
        self.program.is_some() || self.home.is_some()
    }

    /// What of it is here, as a clause.
    pub fn said(&self) -> String {
        match (&self.program, &self.home, self.sign) {
            (Some(program), _, _) => format!("{} is installed", program.display()),
            (None, Some(home), _) => format!("{} is there", home.display()),
            (None, None, Some(sign)) => format!("`{sign}` is in this project, and the program is not installed"),
            (None, None, None) => "not installed".to_owned(),
        }
    }
}

/// All clients that can be wired, Claude Code first.
pub fn clients(site: &Site) -> Vec<FoundClient> {
    let mut found = vec![claude_code(site)];
    found.extend(WIRINGS.iter().map(|wiring| of(wiring, site)));
    found
}

/// One client, and what of it is here.
pub fn of(wiring: &'static ClientWiring, site: &Site) -> FoundClient {
    let home = home_of(wiring.home, site).map(|home| home.join(wiring.home.sign));
    FoundClient {
        client: wiring.client,
        title: wiring.title,
        wiring: Some(wiring),
        program: wiring.client.programs().iter().find_map(|name| on_path(name)),
        // An empty folder shows nothing.
        home: home.filter(|home| has_entries(home)),
        sign: wiring.signs.iter().copied().find(|sign| site.root.join(sign).exists()),
    }
}

/// Claude Code, and what of it is here.
pub fn claude_code(site: &Site) -> FoundClient {
    let in_home = || site.home.iter().flat_map(|home| CLAUDE_PROGRAMS.map(|program| home.join(program))).find(|program| is_program(program));
    FoundClient {
        client: &ClaudeCode,
        title: CLAUDE_CODE,
        wiring: None,
        program: ClaudeCode.programs().iter().find_map(|name| on_path(name)).or_else(in_home),
        home: site.user.clone().filter(|home| has_entries(home)),
        sign: site.root.join(SETTINGS.folder).exists().then_some(SETTINGS.folder),
    }
}

fn has_entries(folder: &Path) -> bool {
    fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some())
}

/// A program of this name on the `PATH`.
pub fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).filter(|folder| folder.is_absolute()).map(|folder| folder.join(name)).find(|program| is_program(program))
}

fn is_program(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| found.is_file() && found.mode() & 0o111 != 0)
}

/// The version of a program: that of the package in which it is, or what the program says.
pub fn version(program: &Path, package: Option<&str>) -> Option<ClientVersion> {
    let real = fs::canonicalize(program).unwrap_or_else(|_| program.to_path_buf());
    let packed = package.and_then(|package| {
        let folders = real.ancestors().skip(1).take(MAX_ABOVE);
        folders.map(|folder| folder.join("package.json")).find_map(|file| packed(&file, package))
    });
    packed.or_else(|| said(program))
}

fn packed(file: &Path, package: &str) -> Option<ClientVersion> {
    let value: Value = serde_json::from_str(&fs::read_to_string(file).ok()?).ok()?;
    if value.get("name")?.as_str()? != package {
        return None;
    }
    read_version(value.get("version")?.as_str()?)
}

fn said(program: &Path) -> Option<ClientVersion> {
    let mut process = Command::new(program);
    // Not in the project, so that no file there can influence the answer.
    process.arg("--version").current_dir("/");
    let reply = canary::run(process, "").ok().filter(|reply| reply.code == Some(0))?;
    read_version(&reply.stdout)
}

/// The first word that is a version: `codex-cli 0.171.0`, `2.1.329 (Claude Code)`.
pub fn read_version(text: &str) -> Option<ClientVersion> {
    let numbers = |word: &str| {
        let mut parts = word.trim_start_matches('v').splitn(3, '.');
        let number = |part: &str| part.split(|sign: char| !sign.is_ascii_digit()).next().and_then(|digits| digits.parse().ok());
        let version = (number(parts.next()?)?, number(parts.next()?)?, number(parts.next()?)?);
        Some(version)
    };
    text.split_whitespace().find_map(numbers)
}
