//! `portcullis approvals`: what waits for a person, and what was approved.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use super::place::Place;
use super::refusal::Refusal;
use super::terminal::{TextStyle, say, say_json, shown, styled};
use crate::approval::statement::ApprovalStatement;
use crate::approval::store::{self, ApprovalShelf, KnownRequest};
use crate::approval::{approver, code};
use crate::deep::approval::signers_of;
use actions::shown::escaped;
use gate::world::{World, system};
use policy::{ApprovalSection, Policy};

#[derive(Args, Debug)]
pub struct ApprovalsArguments {
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Also show those that were used, revoked, or have ended
    #[arg(long)]
    all: bool,
}

/// A request, and the place to which it belongs.
pub(super) struct KnownPlace {
    pub(super) place: Place,
    pub(super) known: KnownRequest,
}

/// The request of a code: here, or else of the repository that asked for it.
pub(super) fn find(typed: &str, not: &str) -> Result<KnownPlace, Refusal> {
    let list = "`portcullis approvals` lists the codes of this repository";
    let code = code::read(typed).ok_or_else(|| Refusal::usage(not, format!("`{typed}` is not a code, such as K7QM-2XRD"), list))?;
    let place = Place::at(None)?;
    if let Some(known) = store::look(&place.around.memory).find(&code) {
        return Ok(KnownPlace { known: known.clone(), place });
    }
    for memory in every_memory(&place.world) {
        if let Some(known) = store::look(std::slice::from_ref(&memory)).find(&code) {
            let folder = PathBuf::from(known.request.parts.text("folder").lines().next().unwrap_or_default());
            let there = Place::at(Some(&folder))?;
            if there.around.memory.contains(&memory) {
                return Ok(KnownPlace { known: known.clone(), place: there });
            }
        }
    }
    Err(Refusal::new(not, format!("there is no request {code}"), list))
}

/// The memories of all repositories.
fn every_memory(world: &World) -> Vec<PathBuf> {
    let folders = world.states.iter().filter_map(|state| fs::read_dir(state).ok()).flatten().flatten();
    folders.map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApprovalState {
    Pending,
    Approved,
    Used,
    Revoked,
    Expired,
    /// There is an approval, and it does not count.
    Invalid,
}

impl ApprovalState {
    const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Used => "used",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
            Self::Invalid => "invalid",
        }
    }

    const fn is_open(self) -> bool {
        matches!(self, Self::Pending | Self::Approved | Self::Invalid)
    }
}

/// The state of a request; who approved it, or why the approval does not count.
pub(super) fn state(known: &KnownRequest, section: Option<&ApprovalSection>, place: &Place) -> (ApprovalState, String) {
    let request = &known.request;
    let file = signers_of(section, &place.around, &place.world);
    let approval = known.approval.as_ref().map(|record| approver(record, &request.code, &request.digest, section, &file));
    match (&known.used, known.revoked, approval) {
        (Some(used), ..) => (ApprovalState::Used, used.signer.clone()),
        (_, true, _) => (ApprovalState::Revoked, String::new()),
        (_, _, Some(Ok(signer))) => (ApprovalState::Approved, signer),
        (_, _, Some(Err(_))) if over(known) => (ApprovalState::Expired, String::new()),
        (_, _, Some(Err(why))) => (ApprovalState::Invalid, why),
        (_, _, None) if known.late => (ApprovalState::Expired, String::new()),
        (_, _, None) => (ApprovalState::Pending, String::new()),
    }
}

fn over(known: &KnownRequest) -> bool {
    let statement = known.approval.as_ref().and_then(|record| ApprovalStatement::read(&record.statement));
    statement.is_some_and(|statement| system::now() >= statement.until)
}

/// The rule that stopped a request, with its reason.
pub(super) fn rule_line(known: &KnownRequest) -> String {
    known.request.parts.text("rules").lines().next().unwrap_or_default().to_owned()
}

/// The command or the tool in one line.
fn call_line(known: &KnownRequest) -> String {
    let text = known.request.parts.text("call");
    let (tool, rest) = text.split_once('\n').unwrap_or((text, ""));
    let command = rest.rsplit_once('\n').map_or(rest, |(command, _)| command);
    actions::clip(&format!("{tool}: {command}"))
}

/// Runs the command.
///
/// # Errors
///
/// The policy cannot be read.
pub fn run(arguments: &ApprovalsArguments) -> Result<ExitCode, Refusal> {
    let place = Place::at(None)?;
    let bytes = place.policy()?;
    let section = Policy::open(&bytes).and_then(|policy| policy.approval);
    let shelf = store::look(&place.around.memory);
    if arguments.json {
        say_json(&as_json(&shelf, section.as_ref(), &place));
        return Ok(ExitCode::SUCCESS);
    }
    let mut lines = 0;
    for known in &shelf.requests {
        let (state, by) = state(known, section.as_ref(), &place);
        if !state.is_open() && !arguments.all {
            continue;
        }
        lines += 1;
        let style = match state {
            ApprovalState::Approved => TextStyle::Good,
            ApprovalState::Invalid => TextStyle::Bad,
            _ => TextStyle::Doubtful,
        };
        let by = if by.is_empty() { String::new() } else { format!(" ({})", escaped(&by)) };
        let age = system::now().saturating_sub(known.request.asked) / 60;
        say(&format!("{} {}{by}, asked {age} min ago", known.request.code, styled(state.name(), style)));
        say(&format!("  {}\n  {}", escaped(&call_line(known)), escaped(&rule_line(known))));
    }
    for (path, why) in &shelf.foreign {
        say(&format!("{} {}: {}", styled("does not count:", TextStyle::Bad), shown(path), escaped(why)));
    }
    if lines == 0 {
        let hidden = if shelf.requests.is_empty() { "" } else { " (`--all` shows those of the last days)" };
        say(&format!("nothing waits for a person in {}{hidden}", shown(&place.around.root)));
    }
    Ok(ExitCode::SUCCESS)
}

fn as_json(shelf: &ApprovalShelf, section: Option<&ApprovalSection>, place: &Place) -> Value {
    let requests: Vec<Value> = shelf
        .requests
        .iter()
        .map(|known| {
            let (state, by) = state(known, section, place);
            let request = &known.request;
            json!({
                "code": request.code, "state": state.name(), "by": by, "asked": request.asked, "digest": request.digest, "event": request.event,
                "call": call_line(known), "rule": rule_line(known), "folder": request.parts.text("folder").lines().next(),
                "kept": known.approval.as_ref().map(|record| record.kept.clone()).unwrap_or_default(),
            })
        })
        .collect();
    let foreign: Vec<Value> = shelf.foreign.iter().map(|(path, why)| json!({ "path": path.to_string_lossy(), "why": why })).collect();
    json!({ "version": 1, "approvals": requests, "foreign": foreign })
}
