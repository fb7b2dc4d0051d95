//! `portcullis unblock`: what denied the last call, and the ways out. It changes one thing, if a person says so: a policy file
//! with mistakes is put back to its committed text.

pub(super) mod waiver;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::files::{self, Edit};
use super::place::Place;
use super::refusal::Refusal;
use super::status::LastStopped;
use super::terminal::{self, TextStyle, can_ask, say, say_json, shown, styled};
use crate::deep::changes::Changes;
use crate::deep::commits::Folders;
use crate::deep::compiling;
use actions::shown::escaped;
use gate::failure::Failure;
use gate::world::layers;
use policy::{Layer, Policy};
use waiver::ProposedWaiver;

#[derive(Args, Debug)]
pub struct UnblockArguments {
    /// Print JSON, and change nothing
    #[arg(long)]
    json: bool,
}

/// What keeps calls from being allowed.
enum Cause {
    /// The policy has mistakes, so every call is denied. The edit puts the committed file back.
    Mistakes(String, Option<Edit>),
    /// Another failure: why, and how to fix it.
    Failed(String, String),
    /// Rules.
    Rules(LastStopped),
    Nothing,
}

/// Runs the command.
///
/// # Errors
///
/// The folder is not known, or the file could not be put back.
pub fn run(arguments: &UnblockArguments) -> Result<ExitCode, Refusal> {
    let place = Place::at(None)?;
    let cause = cause(&place)?;
    if arguments.json {
        say_json(&as_json(&cause, &place));
        return Ok(ExitCode::SUCCESS);
    }
    match &cause {
        Cause::Nothing => say(&format!("nothing was stopped in {} yet; `portcullis status` shows the state", shown(&place.around.root))),
        Cause::Failed(why, fix) => {
            say(&format!("{}: {why}", styled("calls could not be judged", TextStyle::Bad)));
            say(&format!("fix: {fix}\nif that does not help: `portcullis doctor` checks each part, {}", pause()));
        }
        Cause::Mistakes(mistakes, edit) => {
            say(&format!("{}\n{mistakes}", styled("every call is denied, because the policy has mistakes:", TextStyle::Bad)));
            match edit {
                Some(edit) => put_back(edit)?,
                None => say("fix the file (no committed one without mistakes is known); then every call is judged again"),
            }
        }
        Cause::Rules(last) => show(last, &place),
    }
    Ok(ExitCode::SUCCESS)
}

fn pause() -> &'static str {
    "`portcullis pause 10m --reason \"…\"` allows everything for a while"
}

fn cause(place: &Place) -> Result<Cause, Refusal> {
    let found = place.layers()?;
    let compiled =
        if found.iter().all(|file| file.identity.is_empty()) { Ok(()) } else { compiling::compile_layers(&found, &place.around, &place.world).map(drop) };
    // What is wrong now comes before what was wrong then.
    match compiled {
        Err(Failure::PolicyInvalid(mistakes)) => return Ok(Cause::Mistakes(mistakes, committed(place, &found))),
        Err(failure) => {
            let refusal = Refusal::from(failure);
            return Ok(Cause::Failed(refusal.why, refusal.fix));
        }
        Ok(()) => {}
    }
    Ok(match LastStopped::of(place) {
        None => Cause::Nothing,
        Some(last) if last.rules.is_empty() => {
            let why = last.text.split_once("\nwhy: ").map_or(last.text.as_str(), |(_, rest)| rest);
            let (why, fix) = why.split_once("\nfix: ").unwrap_or((why, "run `portcullis doctor`"));
            Cause::Failed(format!("{why} ({})", last.line()), fix.to_owned())
        }
        Some(last) => Cause::Rules(last),
    })
}

/// The edit that puts the committed policy file back, if with it the policy has no mistakes.
fn committed(place: &Place, found: &[layers::FoundLayer]) -> Option<Edit> {
    let file = found.iter().rev().find(|file| file.layer == Layer::Project)?;
    let repository = place.around.repository.as_ref()?;
    let path = file.path.strip_prefix(&repository.root).ok()?.to_str()?;
    let changes = Changes::open(&Folders::find(&repository.root).ok()?.own).ok()?;
    let text = changes.text_at(None, path).ok()??;
    let with = |other: &layers::FoundLayer| (other.path == file.path).then(|| Some(text.clone()));
    compiling::bytes_with(found, &place.around, with).ok()?;
    let edit = Edit::of(&file.path, files::FILE, |_| Ok(Some(text.clone().into_bytes()))).ok()?;
    edit.changes().then_some(edit)
}

/// Shows the difference to the committed file, and puts that back if the person says so.
fn put_back(edit: &Edit) -> Result<(), Refusal> {
    say("\nthe committed file has no mistakes. To put it back would change:");
    say(edit.difference().trim_end());
    let again = format!("git checkout HEAD -- {}", terminal::shell_word(&edit.path.to_string_lossy()));
    if terminal::agent().is_some() || !can_ask() {
        say(&format!("fix the file, or put the committed one back: a person can run `portcullis unblock` at a terminal, or `{again}`"));
        return Ok(());
    }
    if !terminal::agreed_after_all("put the committed file back? your changes of it are lost") {
        say("nothing was changed");
        return Ok(());
    }
    edit.apply()?;
    say(&format!("{} {}", styled("put back", TextStyle::Good), shown(&edit.path)));
    Ok(())
}

/// A rule that stopped the last call, as it is now.
struct StoppingRule {
    name: String,
    known: bool,
    /// Where it is, if that is the project's or the user's own policy.
    own: Option<String>,
    /// None: the layer of the rule did not open it.
    waiver: Option<ProposedWaiver>,
}

fn rules(last: &LastStopped, place: &Place) -> Vec<StoppingRule> {
    let bytes = place.policy().unwrap_or_default();
    let known = Policy::open(&bytes).and_then(|policy| policy.all_rules()).unwrap_or_default();
    let of = |name: &String| {
        let rule = known.iter().find(|rule| rule.name == name);
        let waiver = rule.filter(|rule| rule.open).map(|rule| waiver::proposed(rule.name, last.input.as_ref(), place));
        let own = rule.filter(|rule| matches!(rule.layer, Layer::Project | Layer::Local | Layer::User)).map(|rule| rule.place.to_owned());
        StoppingRule { name: name.clone(), known: rule.is_some(), own, waiver }
    };
    last.rules.iter().map(of).collect()
}

fn show(last: &LastStopped, place: &Place) {
    say(&styled(&last.line(), TextStyle::Bold));
    say(&super::init::indented(&last.text));
    say("\nways out, the narrowest first:");
    say("  do what the line `instead` says, or run the command yourself, in your own shell");
    for StoppingRule { name, known, own, waiver } in rules(last, place) {
        say(&format!("  portcullis policy {}: what the rule matches, and what not", escaped(&name)));
        match waiver {
            None if own.is_some() => {
                say(&format!("  it is a rule of your own: a person can change it ({})", escaped(&own.unwrap_or_default())));
            }
            Some(waiver) => {
                let covers = waiver.covers.map_or_else(|| "fill in its table".to_owned(), |covers| format!("it would cover: {covers}"));
                say(&format!("  a waiver in {}, until its day; {covers}", shown(&policy_file(place))));
                say(&super::init::indented(&waiver.text));
            }
            None if known => say("  a waiver: not for this rule, because the layer that has it did not open it"),
            None => say("  the rule is not in the policy any more"),
        }
    }
    say(&format!("  {}", pause()));
    say("`portcullis explain --last` judges the call again");
}

fn policy_file(place: &Place) -> PathBuf {
    let project = place.around.layers.iter().rev().find(|(layer, _)| *layer == Layer::Project);
    project.map_or_else(|| place.around.root.join(gate::world::PROJECT_POLICY), |(_, path)| path.clone())
}

fn as_json(cause: &Cause, place: &Place) -> serde_json::Value {
    match cause {
        Cause::Nothing => json!({ "cause": null }),
        Cause::Failed(why, fix) => json!({ "cause": "failure", "why": why, "fix": fix }),
        Cause::Mistakes(mistakes, edit) => {
            let edit = edit.as_ref().map(|edit| json!({ "path": edit.path, "difference": edit.difference() }));
            json!({ "cause": "policy", "why": mistakes, "committed": edit })
        }
        Cause::Rules(last) => {
            let rule = |rule: StoppingRule| {
                let (text, covers) = rule.waiver.map(|waiver| (waiver.text, waiver.covers)).unzip();
                json!({ "name": rule.name, "known": rule.known, "show": format!("portcullis policy {}", rule.name), "waiver": text, "covers": covers.flatten() })
            };
            let rules: Vec<_> = rules(last, place).into_iter().map(rule).collect();
            json!({ "cause": "rule", "time": last.time, "tier": last.tier, "text": last.text, "rules": rules, "policy": policy_file(place) })
        }
    }
}
