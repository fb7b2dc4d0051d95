//! `portcullis log checkpoint`: a person signs where the record ends now.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::verify::{check, folder_of};
use crate::approval::{RECORD_NAMESPACE, signature};
use crate::cli::approve::{keys, refuse_agents};
use crate::cli::place::Place;
use crate::cli::refusal::Refusal;
use crate::cli::terminal::{TextStyle, can_ask, print_whole, say, say_json, styled, tell};
use crate::deep::approval::signers_of;
use crate::record::checkpoint::{self, RecordCheckpoint, SignedCheckpoint};
use gate::world::system;
use policy::Policy;

const NOT: &str = "no checkpoint was made";

#[derive(Args, Debug)]
pub struct CheckpointArguments {
    /// Sign with this key (default: the one that `approve --setup` made)
    #[arg(long, value_name = "FILE", conflicts_with = "print")]
    key: Option<PathBuf>,
    /// A sentence that is signed with it
    #[arg(long, value_name = "TEXT", conflicts_with = "print")]
    note: Option<String>,
    /// Also put it into a ref of its own, `refs/portcullis/record/…`, which can be pushed away
    #[arg(long, conflicts_with = "print")]
    git: bool,
    /// Sign nothing: print the last line as `LINE:DIGEST`, to be kept where nobody here can change it
    #[arg(long)]
    print: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
///
/// An agent asks, there is no record, or nothing could be signed.
pub fn run(arguments: &CheckpointArguments) -> Result<ExitCode, Refusal> {
    if !arguments.print {
        refuse_agents(NOT)?;
    }
    let place = Place::at(None)?;
    let nothing = || Refusal::new(NOT, "nothing is recorded here yet", "run an agent with Portcullis in this repository first");
    let folder = folder_of(&place).ok_or_else(nothing)?;
    let checked = check(&folder, &[], &place)?;
    let (Some(number), Some(digest)) = (checked.report.last, checked.report.digest.clone()) else { return Err(nothing()) };
    let breaks = checked.report.breaks.iter().filter(|found| !found.kind.is_harmless()).count();
    if breaks > 0 {
        tell(&format!("portcullis: the chain is broken at {breaks} places already; `portcullis log verify` lists them, and the checkpoint says so"));
    }
    if arguments.print {
        if arguments.json {
            say_json(&json!({ "line": number, "digest": digest, "broken_at": breaks }));
            return Ok(ExitCode::SUCCESS);
        }
        let printed = print_whole(&format!("{number}:{digest}"));
        return printed.map(|()| ExitCode::SUCCESS).map_err(|error| Refusal::new(NOT, error, "write it to a file"));
    }
    let record = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let statement = RecordCheckpoint { record: record.clone(), number, digest, time: system::now(), breaks, note: arguments.note.clone().unwrap_or_default() };
    let signed = sign(arguments, &statement, &place)?;
    checkpoint::keep(std::slice::from_ref(&folder), &signed).map_err(|error| Refusal::new(NOT, error, "make the state folder writable"))?;
    let anchored = anchor(arguments.git, &record, &signed, &place)?;
    if arguments.json {
        say_json(&json!({ "line": statement.number, "digest": statement.digest, "broken_at": breaks, "ref": anchored }));
        return Ok(ExitCode::SUCCESS);
    }
    say(&format!(
        "{} a checkpoint of line {number}: from now on `portcullis log verify` shows if a line up to there is written anew",
        styled("signed:", TextStyle::Good)
    ));
    match anchored {
        Some(name) => say(&format!("it is also in {name}; `git push REMOTE {name}` keeps it where nobody here can change it")),
        None => say("whoever can write the record can remove the checkpoint too: keep it elsewhere (`--git` and a push, or `--print`)"),
    }
    Ok(ExitCode::SUCCESS)
}

/// Signs, and checks that the signature will count.
fn sign(arguments: &CheckpointArguments, statement: &RecordCheckpoint, place: &Place) -> Result<SignedCheckpoint, Refusal> {
    if !can_ask() {
        return Err(Refusal::new(NOT, "there is no terminal here", "a person must run this at a terminal, or keep what `--print` prints elsewhere"));
    }
    let Some(key) = arguments.key.clone().or_else(|| keys::usual(&place.world)) else {
        return Err(Refusal::new(NOT, "there is no home folder for a key", "name the key with `--key`"));
    };
    keys::usable(&key, NOT)?;
    let text = statement.text();
    let signed = SignedCheckpoint { signature: keys::sign(&key, &text, RECORD_NAMESPACE, NOT)?, statement: text };
    let bytes = place.policy()?;
    let section = Policy::open(&bytes).and_then(|policy| policy.approval);
    let security_key = section.as_ref().is_some_and(|section| section.security_key);
    let allowed = signers_of(section.as_ref(), &place.around, &place.world).text();
    let counts =
        allowed.and_then(|allowed| signature::signer_in(RECORD_NAMESPACE, &signed.statement, &signed.signature, &allowed, security_key, system::now()));
    counts.map_err(|why| {
        Refusal::new(
            NOT,
            why,
            format!("`portcullis approve --setup` lets the key sign; its line in the file of signers must allow the namespace `{RECORD_NAMESPACE}`"),
        )
    })?;
    Ok(signed)
}

fn anchor(wanted: bool, record: &str, signed: &SignedCheckpoint, place: &Place) -> Result<Option<String>, Refusal> {
    if !wanted {
        return Ok(None);
    }
    let kept = "the checkpoint is kept beside the record, but not in git";
    let Some(repository) = &place.around.repository else { return Err(Refusal::new(kept, "this is no git repository", "leave `--git` out")) };
    checkpoint::anchor(&repository.common_dir, record, signed).map_err(|why| Refusal::new(kept, why, "make the repository writable"))?;
    Ok(Some(checkpoint::reference(record)))
}
