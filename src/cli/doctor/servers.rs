//! Checks the tool servers that are declared here: whether each can be started, and whether one of its tools was ever used.

use std::collections::BTreeSet;
use std::fs;
use std::time::UNIX_EPOCH;

use serde_json::Value;

use super::past::Past;
use super::{CheckResults, permissions};
use crate::cli::place::Place;
use crate::cli::servers::declared::{self, DeclaredServer, ServerStart};
use gate::world::state;

const PART: &str = "servers";
/// After so many sessions without a call, a server counts as one that never started.
const SESSIONS: usize = 5;

/// Looks at the declared servers. Starts none of them.
pub(super) fn look(place: &Place, past: &Past, findings: &mut CheckResults) {
    let (servers, unreadable) = declared::all(place);
    for why in unreadable {
        findings.warn(PART, format!("the servers in this file are not started: {why}"), "fix the file");
    }
    let probed: Value =
        state::read(&place.world.states, &place.around.root, state::SERVERS).and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
    let before = findings.0.len();
    for server in &servers {
        if let Some(program) = missing(server, place) {
            let text = format!("the server `{}` ({}) cannot be started: there is no program `{program}`", server.name, server.file);
            findings.warn(PART, text, format!("install it, or remove the server from {}", server.file));
        } else if probed.get(&server.name).is_none() && !past.entries.iter().any(|entry| is_of(&entry.tool, &server.name)) {
            let since = declared_at(server, place).unwrap_or(u64::MAX);
            let sessions: BTreeSet<&str> = past.entries.iter().filter(|entry| entry.time > since).map(|entry| entry.session.as_str()).collect();
            if sessions.len() >= SESSIONS {
                let text =
                    format!("the server `{}` ({}) is declared, and none of its tools was called in {} sessions", server.name, server.file, sessions.len());
                let fix = format!("`portcullis servers --probe {}` starts it and says what is wrong; remove it if nobody needs it", server.name);
                findings.warn(PART, text, fix);
            }
        }
    }
    if !servers.is_empty() && findings.0.len() == before {
        findings.ok(PART, format!("{} tool servers are declared, and can be started", servers.len()));
    }
}

/// The program of a server, if it is nowhere.
fn missing(server: &DeclaredServer, place: &Place) -> Option<String> {
    let ServerStart::Program { words, .. } = &server.start else { return None };
    let program = words.first().filter(|program| !program.is_empty() && !program.contains('$'))?;
    let is_there = if program.contains('/') { place.around.root.join(program).exists() } else { permissions::found(program).is_some() };
    (!is_there).then(|| program.clone())
}

/// Milliseconds since 1970 at which the file with a server was last changed.
fn declared_at(server: &DeclaredServer, place: &Place) -> Option<u64> {
    let path = match server.file.strip_prefix("~/") {
        Some(path) => place.world.homes.first()?.join(path),
        None => place.around.root.join(&server.file),
    };
    let changed = fs::metadata(path).ok()?.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    u64::try_from(changed.as_millis()).ok()
}

/// True if a tool is one of a server, as any client names it: `mcp__NAME__tool`, `mcp_NAME_tool`, `NAME___tool`.
fn is_of(tool: &str, server: &str) -> bool {
    let plain = |text: &str| -> String { text.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect() };
    let server = plain(server);
    !server.is_empty() && format!("_{}", plain(tool)).contains(&format!("_{server}_"))
}
