//! `run`: programs and their arguments.

use super::{Cover, text};
use crate::{RunWhen, pattern::Pattern, verdict::Answer};
use actions::Run;
use actions::word::{Word, WordPiece};

/// Values with which an option is not given after all.
const OFF: [&str; 5] = ["none", "false", "no", "off", "0"];
/// Operands that are compared with sequences of words.
const MAX_WORDS: usize = 16;

/// Any of the tables.
pub(super) fn tables(tables: &[RunWhen], run: &Run, cover: Cover) -> Answer {
    tables.iter().map(|table| one(table, run, cover)).max().unwrap_or(Answer::No)
}

fn one(table: &RunWhen, run: &Run, cover: Cover) -> Answer {
    let subcommand =
        |run: &Run| run.subcommand.as_ref().map_or_else(|| table.subcommand.is_empty().into(), |word| text::any_word_or_unasked(&table.subcommand, word));
    let answer = text::any_or_unasked(&table.program, &run.program);
    let answer = answer.and_as(Some(true), || subcommand(run)).and_as(Some(true), || words(&table.words, run)).and_as(Some(true), || flags(table, run));
    answer.and_as(Some(true), || operands(table, run, cover)).and_as(Some(true), || surroundings(table, run))
}

fn flags(table: &RunWhen, run: &Run) -> Answer {
    let any = table.any_flag.iter().map(|(name, value)| flag(name, value.as_ref(), run)).max().unwrap_or(Answer::Yes);
    let all = table.all_flags.iter().map(|(name, value)| flag(name, value.as_ref(), run)).min().unwrap_or(Answer::Yes);
    let none = !table.no_flag.iter().map(|name| exempting(name, run)).max().unwrap_or(Answer::No);
    let given = table.given_flag.iter().map(|(name, value)| given(name, value.as_ref(), run)).max().unwrap_or(Answer::Yes);
    any.min(all).min(none).min(given)
}

/// Whether an option that would take the action out of the rule is given. It must be there for sure, and `--dry-run=none` is
/// as good as none.
fn exempting(name: &str, run: &Run) -> Answer {
    let counts = |value: &Word| match value.literal() {
        Some(text) => (!OFF.contains(&text)).into(),
        None => Answer::Maybe,
    };
    values(name, run).map(|value| value.map_or(Answer::Yes, counts)).max().unwrap_or(Answer::No)
}

/// Whether the subcommand and the operands begin with one of the sequences.
fn words(sequences: &[Vec<Vec<Pattern>>], run: &Run) -> Answer {
    if sequences.is_empty() {
        return Answer::Yes;
    }
    let subcommand = run.subcommand.iter().flat_map(|word| match word.literal() {
        Some(text) => text.split(' ').map(Word::lit).collect(),
        None => vec![word.clone()],
    });
    let words: Vec<Word> = subcommand.chain(run.args.iter().take(MAX_WORDS).cloned()).collect();
    sequences.iter().map(|sequence| begins(sequence, &words)).max().unwrap_or(Answer::No)
}

fn begins(sequence: &[Vec<Pattern>], words: &[Word]) -> Answer {
    let mut answer = Answer::Yes;
    for (at, patterns) in sequence.iter().enumerate() {
        let Some(word) = words.get(at) else { return Answer::No };
        let unknown = is_unknown(word);
        if unknown && word.may_be_several() {
            // In front it stands for options, and what is behind it counts; where nothing is, it is all of the command.
            let behind = words.get(at + 1..).unwrap_or(&[]);
            let (done, open) = sequence.split_at_checked(at).unwrap_or((sequence, &[]));
            let rest = if behind.is_empty() { (at == 0 || !done.iter().all(|patterns| anything(patterns))).into() } else { begins(open, behind) };
            return answer.min(rest).min(Answer::Maybe);
        }
        // One word of which nothing is known is data.
        answer = answer.min(if unknown && !anything(patterns) { Answer::No } else { text::any(patterns, word) });
        if answer == Answer::No {
            break;
        }
    }
    answer
}

/// Whether any word matches.
fn anything(patterns: &[Pattern]) -> bool {
    patterns.iter().any(|pattern| pattern.source == "*")
}

fn flag(name: &str, value: Option<&Pattern>, run: &Run) -> Answer {
    let given = values(name, run).map(|found| valued(value, found)).max().unwrap_or(Answer::No);
    if run.may_hide_flags.is_some() { given.max(Answer::Maybe) } else { given }
}

/// Whether an option is given for sure. A value of which nothing is known is data.
fn given(name: &str, value: Option<&Pattern>, run: &Run) -> Answer {
    let known = values(name, run).filter(|found| value.is_none() || found.is_none_or(|word| !is_unknown(word)));
    known.map(|found| valued(value, found)).max().unwrap_or(Answer::No)
}

/// The values of an option, each time that it is given.
fn values<'r>(name: &str, run: &'r Run) -> impl Iterator<Item = Option<&'r Word>> {
    run.flags.iter().filter(move |flag| flag.names.iter().any(|known| known == name)).map(|flag| flag.value.as_ref())
}

fn valued(pattern: Option<&Pattern>, value: Option<&Word>) -> Answer {
    match (pattern, value) {
        (None, _) => Answer::Yes,
        (Some(pattern), Some(word)) => text::word(pattern, word),
        (Some(_), None) => Answer::No,
    }
}

/// Whether nothing is known of a word.
fn is_unknown(word: &Word) -> bool {
    !word.pieces.is_empty() && word.pieces.iter().all(|piece| matches!(piece, WordPiece::Any(_)))
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
        Cover::Any if is_unknown(word) && !word.may_be_several() => Answer::No,
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
