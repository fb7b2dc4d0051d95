//! A waiver for one rule and the call that it stopped, as text for a policy file.

use serde_json::Value;

use crate::cli::place::Place;
use crate::deep::Cold;
use crate::deep::compiling;
use actions::json::quoted;
use actions::path::Path;
use actions::word::Word;
use actions::{Action, Deed};
use clients::Invocation;
use flywheel::page::day;
use gate::call;
use gate::judge::{Here, facts_of, judge};
use gate::world::{World, layers, system};
use policy::{Layer, Policy};

/// Days for which a waiver is proposed.
const DAYS: u64 = 30;

/// A waiver.
pub(in crate::cli) struct ProposedWaiver {
    pub text: String,
    /// It exempts the call that was stopped, and the rest is to be filled in; else its table is too.
    pub covers: Option<String>,
}

/// A waiver of `rule` for the call in `input`, tried with the policy that applies. Where none is found that exempts the call,
/// its table is to be filled in.
pub(in crate::cli) fn proposed(rule: &str, input: Option<&Value>, place: &Place) -> ProposedWaiver {
    let text = |table: &str| {
        let until = day(system::now() / 86_400 + DAYS);
        format!("[[waiver]]\nrule   = {}\n{table}\nreason = \"why this is harmless here\"\nuntil  = {until}", quoted(rule))
    };
    let found = input.and_then(|input| tables(rule, &input.to_string(), place)).and_then(|(tables, shown)| {
        let text = text(&tables);
        exempts(rule, &text, &input?.to_string(), place).then_some(ProposedWaiver { text, covers: Some(shown) })
    });
    found.unwrap_or_else(|| ProposedWaiver { text: text("run    = { program = \"PROGRAM\", arg = [\"ARGUMENT\"] }"), covers: None })
}

fn world(place: &Place) -> World {
    World { project_dir: Some(place.around.root.clone()), ..place.world.clone() }
}

/// The table that matches what the rule found in a call, and that in words.
fn tables(rule: &str, input: &str, place: &Place) -> Option<(String, String)> {
    let event = Invocation::new(None, None).read(input.as_bytes()).ok()?;
    let judged = call::judged(&event, &world(place), &Cold, call::Purpose::Verdict).ok()??;
    let findings = judged.judgement.verdict.findings.iter().filter(|finding| finding.rule == rule);
    let shown: Vec<&str> = findings.map(|finding| finding.action.as_str()).collect();
    // A finding also names the command that leads to its action.
    let is_found = |action: &Action| {
        let own = action.shown();
        shown.iter().any(|shown| *shown == own || shown.strip_suffix(')').is_some_and(|shown| shown.ends_with(&format!(" ({own}"))))
    };
    let found: Vec<&Action> = judged.judgement.actions.iter().filter(|action| is_found(action)).collect();
    let table = match &found.first()?.deed {
        Deed::Run(run) => {
            let operands =
                list(
                    &found,
                    |deed| if let Deed::Run(run) = deed { run.args.iter().map(|word| literal(word).map(str::to_owned)).collect() } else { vec![None] },
                )?;
            let subcommand = match &run.subcommand {
                Some(word) => format!(", subcommand = {}", quoted(literal(word)?)),
                None => String::new(),
            };
            let operands = if operands == "[]" { String::new() } else { format!(", arg = {operands}") };
            format!("run    = {{ program = {}{subcommand}{operands} }}", quoted(&run.program))
        }
        Deed::Write(_) => {
            format!("write  = {{ path = {} }}", list(&found, |deed| vec![if let Deed::Write(write) = deed { path(&write.path, place) } else { None }])?)
        }
        Deed::Delete(_) => {
            format!("delete = {{ path = {} }}", list(&found, |deed| vec![if let Deed::Delete(delete) = deed { path(&delete.path, place) } else { None }])?)
        }
        Deed::Read(_) => {
            format!("read   = {{ path = {} }}", list(&found, |deed| vec![if let Deed::Read(read) = deed { path(&read.path, place) } else { None }])?)
        }
        _ => return None,
    };
    Some((table, found.iter().map(|action| action.shown()).collect::<Vec<_>>().join("; ")))
}

/// The words of all actions as a list of TOML. `None` if one of them is not known.
fn list(found: &[&Action], of: impl Fn(&Deed) -> Vec<Option<String>>) -> Option<String> {
    let mut words: Vec<String> = found.iter().flat_map(|action| of(&action.deed)).map(|word| word.map(|word| quoted(&word))).collect::<Option<_>>()?;
    words.dedup();
    Some(format!("[{}]", words.join(", ")))
}

/// A word that a pattern can name as it is.
fn literal(word: &Word) -> Option<&str> {
    word.literal().filter(|text| !text.contains(['*', '?', '[', '{', '\\', '<']))
}

/// A path as a policy writes it: from the root or from the home folder, if it is within.
fn path(path: &Path, place: &Place) -> Option<String> {
    let text = literal(&path.word)?;
    let within = |folders: &[String]| folders.iter().find_map(|folder| text.strip_prefix(folder.as_str())?.strip_prefix('/'));
    let places = &place.around.places;
    Some(within(&places.roots).map(str::to_owned).or_else(|| within(&places.homes).map(|rest| format!("~/{rest}"))).unwrap_or_else(|| text.to_owned()))
}

/// Whether with the waiver in the project's policy the rule does not find anything in the call.
fn exempts(rule: &str, waiver: &str, input: &str, place: &Place) -> bool {
    let tried = || {
        let event = Invocation::new(None, None).read(input.as_bytes()).ok()?;
        let around = world(place).around(&event).ok()?;
        let found = layers::look(&around.layers).ok()?;
        let file = found.iter().rev().find(|file| file.layer == Layer::Project)?;
        let now = if file.identity.is_empty() { "schema = 1".to_owned() } else { std::fs::read_to_string(&file.path).ok()? };
        let with = |other: &layers::FoundLayer| (other.path == file.path).then(|| Some(format!("{now}\n{waiver}\n")));
        let bytes = compiling::bytes_with(&found, &around, with).ok()?;
        let policy = Policy::open(&bytes)?;
        let mut facts = facts_of(&event, &around.places);
        let judgement = judge(event.tool.as_ref()?, &mut facts, &policy, &Here { around: &around, deep: &Cold, event: None }, false).ok()?;
        Some(judgement.verdict.findings.iter().all(|finding| finding.rule != rule))
    };
    tried().unwrap_or(false)
}
