//! Rules that are proposed for what people refused again and again. Each is tried: it finds the command, and nothing that ran.

use actions::json::quoted;
use actions::word::Word;
use actions::{Action, Deed, Run, ToolCall};

use crate::cli::place::Place;
use crate::cli::refusal::Refusal;
use crate::deep::compiling::bytes_with;
use crate::replay::judging::PastJudge;
use crate::replay::refused::{PeoplesAnswers, RefusedCommand};
use crate::replay::sources::PastCall;
use gate::judge::{Answers, read, today};
use gate::world::layers;
use policy::facts::{Known, Need};
use policy::{Layer, Policy};

/// Commands that ran and that a rule is tried with.
const MAX_TRIED: usize = 1000;
/// Commands that ran and that a rule has as harmless examples.
const SPARES: usize = 3;

/// A rule for a command that people refused.
pub(super) struct ProposedRule {
    pub(super) command: RefusedCommand,
    pub(super) text: String,
}

/// Nothing is looked up for what is only read.
struct Nothing;

impl Answers for Nothing {
    fn facts(&self, needs: std::collections::BTreeSet<Need>) -> Result<Vec<(Need, Known)>, gate::deep::Stop> {
        Ok(gate::judge::answered(needs, |_| Known::Unknown("it is only read".to_owned())))
    }
}

/// The rules that can be proposed, and the commands for which no rule was found. `text` is the project's policy with what is
/// proposed already.
///
/// # Errors
///
/// The policy has mistakes.
pub(super) fn proposed(answers: &PeoplesAnswers, most: usize, text: &str, place: &Place) -> Result<(Vec<ProposedRule>, Vec<RefusedCommand>), Refusal> {
    let bytes = place.policy()?;
    let policy = Policy::open(&bytes).ok_or(gate::failure::Failure::PolicyDamaged)?;
    let runs = |line: &str| -> Vec<Run> {
        let actions = read(&ToolCall::command(line), &place.around.places, &policy, &Nothing).unwrap_or_default();
        let run = |action: Action| if let Deed::Run(run) = action.deed { Some(run) } else { None };
        actions.into_iter().filter_map(run).collect()
    };
    let ran: Vec<(&str, Vec<Run>)> = answers.ran().take(MAX_TRIED).map(|line| (line, runs(line))).collect();
    let known = policy.all_rules().unwrap_or_default();
    let (mut made, mut left): (Vec<ProposedRule>, Vec<RefusedCommand>) = (Vec::new(), Vec::new());
    for command in answers.refused() {
        // One rule may find several of the commands.
        let with_made = made.iter().fold(text.to_owned(), |text, rule| format!("{text}\n{}\n", rule.text));
        let found = if made.len() < most {
            one(&command, &runs(&command.command), &ran, &with_made, place, &|name| known.iter().any(|rule| rule.name == name))
        } else {
            None
        };
        match found {
            Some(Some(text)) => made.push(ProposedRule { command, text }),
            Some(None) => {}
            None => left.push(command),
        }
    }
    Ok((made, left))
}

/// A rule for one command. `Some(None)`: a rule that is proposed already finds it.
fn one(command: &RefusedCommand, runs: &[Run], ran: &[(&str, Vec<Run>)], text: &str, place: &Place, is_taken: &dyn Fn(&str) -> bool) -> Option<Option<String>> {
    if text.contains("reason  = \"a person refused it") && finds(text, "refused-", &[&command.command], place)? == [true] {
        return Some(None);
    }
    let same = |one: &Run, other: &Run| one.program == other.program && name_of(one) == name_of(other);
    let is_new = |run: &&Run| !ran.iter().any(|(_, others)| others.iter().any(|other| same(run, other)));
    // What never ran at all is what was meant; otherwise the last command.
    let run = runs.iter().rev().find(is_new).or_else(|| runs.last())?;
    let lines: Vec<&str> = std::iter::once(command.command.as_str()).chain(ran.iter().map(|(line, _)| *line)).collect();
    // Commands that look most like it come first.
    let mut spares: Vec<&str> = ran.iter().filter(|(_, others)| others.iter().any(|other| other.program == run.program)).map(|(line, _)| *line).collect();
    spares.extend(["git status", "ls"]);
    spares.retain(|line| *line != command.command);
    spares.truncate(SPARES);
    let name = name(run, is_taken);
    tables(run)?.into_iter().find_map(|table| {
        let harmless: Vec<String> = spares.iter().map(|line| quoted(line)).collect();
        let rule = format!(
            "[[rule]]\nname    = {}\ntier    = 4\nrun     = {table}\nreason  = \"a person refused it {} times\"\ninstead = \"do the work without it, or tell the user what it is needed for\"\ncatches = [{}]\nspares  = [{}]",
            quoted(&name),
            command.times,
            quoted(&command.command),
            harmless.join(", ")
        );
        let found = finds(&format!("{text}\n{rule}\n"), &name, &lines, place)?;
        (found.first() == Some(&true) && found.iter().skip(1).all(|found| !found)).then_some(Some(rule))
    })
}

/// A name for a rule on a command that no other rule has.
fn name(run: &Run, is_taken: &dyn Fn(&str) -> bool) -> String {
    let words = format!("refused-{} {}", run.program, name_of(run).unwrap_or_default());
    let plain: String = words.trim().chars().map(|sign| if sign.is_ascii_alphanumeric() { sign.to_ascii_lowercase() } else { '-' }).collect();
    let plain = plain.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-");
    let numbered = (2..100).map(|number| format!("{plain}-{number}"));
    std::iter::once(plain.clone()).chain(numbered).find(|name| !is_taken(name)).unwrap_or(plain)
}

fn name_of(run: &Run) -> Option<&str> {
    run.subcommand.as_ref().and_then(|word| literal(word))
}

fn literal(word: &Word) -> Option<&str> {
    word.literal().filter(|text| !text.contains(['*', '?', '[', '{', '\\', '<']) && !text.is_empty())
}

/// What a rule can match of a command, the widest first. `None`: the command is not known.
fn tables(run: &Run) -> Option<Vec<String>> {
    let subcommand = match &run.subcommand {
        Some(word) => format!(", subcommand = {}", quoted(literal(word)?)),
        None => String::new(),
    };
    let flags: Vec<String> = run.flags.iter().filter_map(|flag| flag.names.first()).map(|name| quoted(name)).collect();
    let operands: Vec<String> = run.args.iter().filter_map(literal).map(quoted).collect();
    let flags = (!flags.is_empty()).then(|| format!(", any_flag = [{}]", flags.join(", ")));
    let operands = (!operands.is_empty()).then(|| format!(", arg = [{}]", operands.join(", ")));
    let base = format!("program = {}{subcommand}", quoted(&run.program));
    let more = [Some(String::new()), flags.clone(), operands.clone(), flags.zip(operands).map(|(flags, operands)| flags + &operands)];
    Some(more.into_iter().flatten().map(|more| format!("{{ {base}{more} }}")).collect())
}

/// Whether rules whose names begin so find each of these commands, by this text of the project's policy. `None`: it has mistakes.
fn finds(text: &str, name: &str, lines: &[&str], place: &Place) -> Option<Vec<bool>> {
    let found = layers::look(&place.around.layers).ok()?;
    let project = found.iter().rev().find(|layer| layer.layer == Layer::Project)?.path.clone();
    let bytes = bytes_with(&found, &place.around, |layer| (layer.path == project).then(|| Some(text.to_owned()))).ok()?;
    let mut judge = PastJudge::new(&bytes, &place.world, &place.cwd.to_string_lossy(), today())?;
    let is_found = |line: &&str| {
        let (judged, _) = judge.judge(&PastCall::of(ToolCall::command(line)), None);
        judged.rules.iter().any(|(rule, _)| rule.starts_with(name))
    };
    Some(lines.iter().map(is_found).collect())
}
