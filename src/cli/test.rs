//! `portcullis test`: the examples of every rule, each rule alone and all rules together.
//!
//! An example is judged without a disk: the repository is `/repo`, the home folder is `/home/dev`, and only the facts of the
//! example are true.

mod examples;

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::place::Place;
use super::refusal::{FAILED, Refusal, UNJUDGED};
use super::terminal::{TextStyle, say, say_json, styled};
use crate::deep::compiling;
use gate::BUILD;
use gate::failure::Failure;
use policy::{Layer, Policy};
use policy_compiler::compile::{Compiled, Input, PolicySource, compile};
use policy_compiler::packs::{PACKS, PROGRAMS};

pub use examples::{ExamplesOutcome, judge_example, of_command, run as run_examples, run_programs, shown};

#[derive(Args, Debug)]
pub struct TestArguments {
    /// Test these files as the policy of the project, instead of the policy that applies here
    #[arg(long, value_name = "FILE", num_args = 1..)]
    policy: Vec<PathBuf>,
    /// Only this rule
    #[arg(long, value_name = "NAME")]
    rule: Option<String>,
    /// The shipped rules too
    #[arg(long)]
    all: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
///
/// The policy has mistakes, or there is no such rule.
pub fn run(arguments: &TestArguments) -> Result<ExitCode, Refusal> {
    let compiled = if arguments.policy.is_empty() { with_examples(&Place::at(None)?)? } else { files(&arguments.policy)? };
    let policy = Policy::open(&compiled.bytes).ok_or(Failure::PolicyDamaged)?;
    let mut rules = compiled.rules.clone();
    let mut programs = compiled.programs.clone();
    // A person cannot change the shipped ones, and our own tests try them.
    if !arguments.all && arguments.rule.is_none() {
        let known = policy.all_rules().ok_or(Failure::RuleDamaged)?;
        rules.retain(|rule| known.iter().any(|known| known.name == rule.name && known.layer != Layer::BuiltIn));
        programs.retain(|program| PROGRAMS.iter().all(|(path, _)| !program.place.starts_with(path)));
    }
    if let Some(name) = &arguments.rule {
        rules.retain(|rule| rule.name == *name);
        if rules.is_empty() {
            let names = compiled.rules.iter().map(|rule| rule.name.as_str());
            return Err(Refusal::usage("nothing was tested", format!("there is no rule `{name}`"), policy_compiler::mistake::suggestion(name, names)));
        }
    }
    let mut outcome = run_examples(&rules, &policy).ok_or(Failure::RuleDamaged)?;
    if arguments.rule.is_none() {
        run_programs(&programs, &policy, &mut outcome);
    }
    if arguments.json {
        say_json(&outcome);
    } else {
        show(&outcome);
        if rules.is_empty() {
            say("no policy file here has rules of its own; `portcullis test --all` tries the shipped ones");
        }
    }
    Ok(if outcome.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
}

/// The policy that applies at a place, with its examples.
///
/// # Errors
///
/// It has mistakes, or cannot be read.
pub fn with_examples(place: &Place) -> Result<Compiled, Refusal> {
    let found = place.layers()?;
    if found.iter().all(|file| file.identity.is_empty()) {
        return compiling::built_in().map_err(|mistakes| Failure::PolicyInvalid(mistakes).into());
    }
    Ok(compiling::compile_layers(&found, &place.around, &place.world)?)
}

/// The built-in packs and these files.
fn files(paths: &[PathBuf]) -> Result<Compiled, Refusal> {
    let mut texts = Vec::new();
    for path in paths {
        let shown = path.display().to_string();
        let refused =
            |error| Refusal { code: UNJUDGED, ..Refusal::new("nothing was tested", format!("`{shown}` cannot be read: {error}"), "name a policy file") };
        let text = fs::read_to_string(path).map_err(refused)?;
        texts.push((shown, text));
    }
    let layers: Vec<PolicySource> = texts.iter().map(|(path, text)| PolicySource { layer: Layer::Project, path, text }).collect();
    let input = Input { build: BUILD, compiled_at: 0, packs: PACKS, programs: PROGRAMS, layers: &layers, ..Input::default() };
    compile(&input).map_err(|mistakes| Failure::PolicyInvalid(input.render(&mistakes, false)).into())
}

fn show(outcome: &ExamplesOutcome) {
    for failure in &outcome.failures {
        let head = format!("failed `{}` ({})", failure.rule, failure.place);
        say(&format!(
            "{}\n  {} {}\n  expected: {}\n  got:      {}",
            styled(&head, TextStyle::Bad),
            failure.list,
            failure.example,
            failure.expected,
            failure.got
        ));
    }
    for note in &outcome.notes {
        say(&format!("{} {note}", styled("note:", TextStyle::Doubtful)));
    }
    let end = format!("{} rules, {} examples, {} failed", outcome.rules, outcome.examples, outcome.failures.len());
    say(&styled(&end, if outcome.failures.is_empty() { TextStyle::Good } else { TextStyle::Bad }));
}
