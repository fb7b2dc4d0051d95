//! Checks that the installed Claude Code supports the settings that Portcullis needs.

use std::process::Command;

use super::CheckResults;
use crate::cli::canary;

/// The first client that knows `"onFailure": "block"` (its documentation; measured with this version).
const KNOWS_ON_FAILURE: (u32, u32, u32) = (2, 1, 295);
/// The first client in which `args` starts a program without a shell.
const KNOWS_ARGS: (u32, u32, u32) = (2, 1, 139);

/// Checks the version of the client. Reports nothing if none is installed.
pub(super) fn look(findings: &mut CheckResults) {
    let mut process = Command::new("claude");
    // Not in the project, so that no file there can influence the answer.
    process.arg("--version").current_dir("/");
    let reply = canary::run(process, "").ok().filter(|reply| reply.code == Some(0));
    let Some(version) = reply.and_then(|reply| version(&reply.stdout)) else { return };
    let shown = format!("Claude Code {}.{}.{}", version.0, version.1, version.2);
    if version < KNOWS_ARGS {
        findings.fail("client", format!("{shown} does not support `args` in hooks, so it does not start Portcullis"), "update it (`claude update`)");
    } else if version < KNOWS_ON_FAILURE {
        findings.warn("client", format!("{shown} ignores `onFailure`: calls are allowed if the hook cannot be started"), "update it (`claude update`)");
    } else {
        findings.ok("client", shown);
    }
}

/// `2.1.329 (Claude Code)`
pub(in crate::cli) fn version(text: &str) -> Option<(u32, u32, u32)> {
    let mut numbers = text.split_whitespace().next()?.splitn(3, '.').map(|number| number.parse().ok());
    Some((numbers.next()??, numbers.next()??, numbers.next()??))
}
