//! `portcullis revoke`: an approval no longer counts, and a call that waits is no longer asked for under its code.

use std::process::ExitCode;

use clap::Args;

use super::approvals::{KnownPlace, find};
use super::refusal::Refusal;
use super::terminal::{agent, say};
use crate::approval::{kept, person, store};

/// What was not done.
const NOT: &str = "nothing was revoked";

#[derive(Args, Debug)]
pub struct RevokeArguments {
    /// The code
    code: String,
}

/// Runs the command.
///
/// # Errors
///
/// An agent asks, the code is not known, or it could not be written.
pub fn run(arguments: &RevokeArguments) -> Result<ExitCode, Refusal> {
    let fix = "a person must run this";
    if let Some(variable) = agent() {
        return Err(Refusal::new(NOT, format!("an agent runs this (`{variable}` is set)"), fix));
    }
    if let Some(why) = person::agent_above(&person::above()) {
        return Err(Refusal::new(NOT, why, fix));
    }
    let KnownPlace { place, known } = find(&arguments.code, NOT)?;
    let code = &known.request.code;
    if known.used.is_some() {
        return Err(Refusal::new(NOT, format!("{code} was used already"), "what it did is done; `portcullis log` shows it"));
    }
    store::revoke(&place.around.memory, code).map_err(|error| Refusal::new(NOT, error, "make the state folder writable"))?;
    if let Some(repository) = &place.around.repository {
        let _ = kept::forget(&repository.git_dir, code);
    }
    say(&format!("revoked {code}: no call is allowed by it; the same call gets a new code"));
    Ok(ExitCode::SUCCESS)
}
