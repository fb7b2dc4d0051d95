//! `portcullis policy new`: a rule to begin with, made from a command line as it is read.

use std::fmt::Write as _;

use toml::Value;

use crate::cli::refusal::Refusal;
use crate::cli::test::{judge_example, of_command};
use actions::{Deed, Run};
use gate::failure::Failure;
use policy::Policy;

/// What only a person can say: in place of `reason` and `instead`.
pub(super) const TO_FILL_IN: [&str; 2] = ["say what would be lost", "say what to do instead; a command begins with `$ `"];

/// A rule that matches the command, as TOML. What only a person can say is left to them.
///
/// # Errors
///
/// The command runs no program whose name is known.
pub(super) fn rule(command: &str, policy: &Policy) -> Result<String, Refusal> {
    let judgement = judge_example(&of_command(command, ""), policy).ok_or(Failure::RuleDamaged)?;
    let run = judgement.actions.iter().find_map(|action| if let Deed::Run(run) = &action.deed { Some(run) } else { None });
    let Some(run) = run.filter(|run| !run.program.is_empty()) else {
        return Err(Refusal::usage(
            "no rule was made",
            format!("`{command}` runs no program whose name is known"),
            "give the command as an agent would type it",
        ));
    };
    let list = |texts: &[String]| Value::from(texts.to_vec()).to_string();
    let quoted = |text: &str| Value::from(text).to_string();
    let mut when = format!("program = {}", quoted(&run.program));
    if let Some(subcommand) = run.subcommand.as_ref().and_then(|word| word.literal()) {
        let _ = write!(when, ", subcommand = {}", quoted(subcommand));
    }
    let (flags, operands) = parts(run);
    if !flags.is_empty() {
        let _ = write!(when, ", all_flags = {}", list(&flags));
    } else if let Some(first) = operands.first() {
        let _ = write!(when, ", arg = {}", list(std::slice::from_ref(first)));
    }
    let name: Vec<&str> = [run.program.as_str(), run.subcommand.as_ref().and_then(|word| word.literal()).unwrap_or("called")].into();
    let name: String = name.join("-").to_ascii_lowercase().chars().map(|sign| if sign.is_ascii_alphanumeric() { sign } else { '-' }).collect();
    let [loss, way_out] = TO_FILL_IN;
    let bare = [run.program.as_str(), "--help"].join(" ");
    Ok(format!(
        "[[rule]]\nname    = {}\ntier    = 3                       # 3 asks a person, 4 denies\nrun     = {{ {when} }}\nreason  = \"{loss}\"\n\
         instead = \"{way_out}\"\ncatches = [{}]\nspares  = [{}, {}]\n",
        quoted(name.trim_matches('-')),
        quoted(command),
        quoted(&format!("echo {}", crate::cli::terminal::shell_word(command))),
        quoted(&bare)
    ))
}

/// Its options by their longest names, and its operands, as far as they are known.
fn parts(run: &Run) -> (Vec<String>, Vec<String>) {
    let longest = |names: &[String]| names.iter().max_by_key(|name| name.len()).cloned();
    let flags = run.flags.iter().filter_map(|flag| longest(&flag.names)).collect();
    let operands = run.args.iter().filter_map(|word| word.literal().map(str::to_owned)).collect();
    (flags, operands)
}
