//! `run`: programs and their arguments.

use super::{Cover, text};
use crate::{RunWhen, pattern::Pattern, verdict::Answer};
use actions::Run;
use actions::word::{Word, WordPiece};

/// Any of the tables.
pub(super) fn tables(tables: &[RunWhen], run: &Run, cover: Cover) -> Answer {
    tables.iter().map(|table| one(table, run, cover)).max().unwrap_or(Answer::No)
}

fn one(table: &RunWhen, run: &Run, cover: Cover) -> Answer {
    let subcommand =
        |run: &Run| run.subcommand.as_ref().map_or_else(|| table.subcommand.is_empty().into(), |word| text::any_word_or_unasked(&table.subcommand, word));
    let answer = text::any_or_unasked(&table.program, &run.program);
    let answer = answer.and_as(Some(true), || subcommand(run)).and_as(Some(true), || flags(table, run));
    answer.and_as(Some(true), || operands(table, run, cover)).and_as(Some(true), || surroundings(table, run))
}

fn flags(table: &RunWhen, run: &Run) -> Answer {
    let any = table.any_flag.iter().map(|(name, value)| flag(name, value.as_ref(), run)).max().unwrap_or(Answer::Yes);
    let all = table.all_flags.iter().map(|(name, value)| flag(name, value.as_ref(), run)).min().unwrap_or(Answer::Yes);
    // An option that would take the action out of the rule must be there for sure.
    let none = !table.no_flag.iter().map(|name| (flag(name, None, run) == Answer::Yes).into()).max().unwrap_or(Answer::No);
    any.min(all).min(none)
}

fn flag(name: &str, value: Option<&Pattern>, run: &Run) -> Answer {
    let given = run
        .flags
        .iter()
        .filter(|flag| flag.names.iter().any(|known| known == name))
        .map(|flag| match (value, &flag.value) {
            (None, _) => Answer::Yes,
            (Some(pattern), Some(word)) => text::word(pattern, word),
            (Some(_), None) => Answer::No,
        })
        .max()
        .unwrap_or(Answer::No);
    if run.may_hide_flags.is_some() { given.max(Answer::Maybe) } else { given }
}

fn operands(table: &RunWhen, run: &Run, cover: Cover) -> Answer {
    let count = run.args.iter().filter(|word| !word.multi || !word.has_hole()).count();
    let enough = if count >= usize::from(table.min_args) {
        Answer::Yes
    } else if run.args.iter().any(|word| word.multi && word.has_hole()) {
        Answer::Maybe
    } else {
        Answer::No
    };
    let over = |patterns: &[Pattern], cover| if patterns.is_empty() { Answer::Yes } else { over(patterns, &run.args, cover) };
    // A rule that names a key is not about a value that reads like it.
    let arg = match run.args.first() {
        Some(key) if run.keyed && cover == Cover::Any && !table.arg.is_empty() => text::any(&table.arg, key),
        _ => over(&table.arg, cover),
    };
    let verb = match run.args.first() {
        _ if table.verb.is_empty() => Answer::Yes,
        Some(verb) => text::any(&table.verb, verb),
        None => Answer::No,
    };
    let and_arg = over(&table.and_arg, Cover::Any);
    let none = if table.no_arg.is_empty() { Answer::Yes } else { !over(&table.no_arg, Cover::Any) };
    enough.min(arg).min(verb).min(and_arg).min(none)
}

fn over(patterns: &[Pattern], words: &[Word], cover: Cover) -> Answer {
    let answers = words.iter().map(|word| match cover {
        // One word of which nothing is known is data: a branch, a commit, a name.
        Cover::Any if !word.pieces.is_empty() && word.pieces.iter().all(|piece| matches!(piece, WordPiece::Any(_))) && !word.may_be_several() => Answer::No,
        _ => text::any(patterns, word),
    });
    match cover {
        Cover::Any => answers.max().unwrap_or(Answer::No),
        Cover::Every => answers.min().unwrap_or(Answer::No),
    }
}

fn surroundings(table: &RunWhen, run: &Run) -> Answer {
    let env = if table.env.is_empty() {
        Answer::Yes
    } else {
        let all = run.exported.iter().chain(&run.env);
        all.map(|(name, value)| {
            let mut word = Word::lit(format!("{name}="));
            word.extend(value);
            text::any(&table.env, &word)
        })
        .max()
        .unwrap_or(Answer::No)
    };
    let stdin = match &run.stdin_from {
        _ if table.stdin_from.is_empty() => Answer::Yes,
        // The program, or the whole command.
        Some(command) => {
            let program = command.split(' ').next().unwrap_or(command);
            [command, program].into_iter().any(|text| table.stdin_from.iter().any(|pattern| text::text(pattern, text))).into()
        }
        None => Answer::No,
    };
    env.min(stdin)
}
