//! Whether a description of output speaks of a call: its options and operands, one by one. What is written is `shell::filter`'s.

use super::Flag;
use super::arguments::{ParsedArguments, innermost};
use super::program::{Printed, Program, Takes};
use super::word::{Bound, Word, WordPiece, is_one};

/// The kinds of operand that a description may name; behind each can be `?` (it may be missing) or `*` (any number).
/// Anything else is the operand itself, or several separated by `|`.
pub const OPERANDS: &[&str] = &["<name>", "<number>", "<format>", "<word>", "<any>", "<shell>"];

/// Is among options for a number with a dash (`head -5`).
pub const ANY_NUMBER: &str = "-<number>";
/// What [`OPERANDS`] calls a shell.
const SHELLS: &str = "bash zsh sh fish posix dash ksh tcsh csh powershell pwsh xonsh nu nushell elvish -";

/// Whether the call writes lines that set up a shell.
pub(crate) fn sets_up(program: &Program, args: &[Word]) -> bool {
    program.setups().iter().any(|call| operands(&call.split(' ').collect::<Vec<_>>(), args))
}

/// The description that speaks of this call. `None`: what the call writes is not known.
pub(crate) fn of<'a>(program: &Program<'a>, called: &str, arguments: &ParsedArguments) -> Option<Printed<'a>> {
    let inner = innermost(program, arguments);
    // A subcommand that nobody described writes what it likes.
    let described = match arguments.subcommand.last() {
        Some(last) => last.literal().is_some_and(|name| inner.names.contains(&name)),
        None => true,
    };
    let (printed, neutral) = (inner.details().prints, if arguments.front.is_empty() { Vec::new() } else { program.details().neutral });
    let called = arguments.subcommand.last().and_then(Word::literal).unwrap_or(called);
    printed.into_iter().find(|one| described && (one.called.is_empty() || one.called.contains(&called)) && agrees(one, &inner, program, &neutral, arguments))
}

fn agrees(one: &Printed, program: &Program, outer: &Program, neutral: &[&str], arguments: &ParsedArguments) -> bool {
    if one.always {
        return true;
    }
    let open = arguments.may_hide.is_some() || arguments.unsure || arguments.inner.is_some() || !arguments.embedded.is_empty();
    // `--name=value` asks for the value; an option whose value may be left out is meant without one.
    let fits = |name: &str, flag: &Flag| {
        let (bare, value) = name.split_once('=').map_or((name, None), |(bare, value)| (bare, Some(value)));
        let takes = program.options.iter().chain(&outer.options).find(|opt| opt.names.contains(&bare)).map_or(Takes::Nothing, |opt| opt.takes);
        let meant = match (value, &flag.value) {
            (Some("*"), _) => true,
            (Some(value), given) => given.as_ref().is_some_and(|given| given.is(value)),
            (None, given) => takes == Takes::Value || given.is_none(),
        };
        meant && flag.is(bare)
    };
    let number =
        |flag: &Flag| one.only.contains(&ANY_NUMBER) && flag.names.iter().all(|name| name.trim_start_matches('-').bytes().all(|byte| byte.is_ascii_digit()));
    let allowed = |flag: &Flag| {
        flag.is("--") || number(flag) || neutral.iter().any(|name| flag.is(name)) || one.with.iter().chain(&one.only).any(|name| fits(name, flag))
    };
    let all = || one.with.iter().all(|name| arguments.flags.iter().any(|flag| fits(name, flag)));
    !open && arguments.flags.iter().all(allowed) && all() && operands(&one.operands, &arguments.operands)
}

/// Whether the operands are those that are described.
fn operands(wanted: &[&str], given: &[Word]) -> bool {
    let Some((first, rest)) = wanted.split_first() else { return given.is_empty() };
    if let Some(kind) = first.strip_suffix('*').filter(|kind| kind.ends_with('>')) {
        return given.iter().all(|word| is_of(kind, word));
    }
    let (kind, missing) = first.strip_suffix('?').map_or((*first, false), |kind| (kind, true));
    match given.split_first() {
        Some((word, behind)) => is_of(kind, word) && operands(rest, behind),
        None => missing && operands(rest, given),
    }
}

fn is_of(kind: &str, word: &Word) -> bool {
    match kind {
        "<any>" => true,
        "<word>" => !word.multi && !word.pieces.is_empty() && !word.may_be_option() && word.pieces.iter().all(|piece| !matches!(piece, WordPiece::Glob(_))),
        "<name>" => is_name(word),
        "<number>" => {
            let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            word.literal().map_or_else(|| matches!(word.pieces.as_slice(), [WordPiece::Any(Bound::Name)]), number)
        }
        "<shell>" => word.literal().is_some_and(|text| is_one(SHELLS, text)),
        "<format>" => word.literal().is_some_and(|text| text.starts_with('+')),
        literal => word.literal().is_some_and(|text| literal.split('|').any(|one| one == text)),
    }
}

/// Whether a word is one that begins like a name, as far as it is known.
fn is_name(word: &Word) -> bool {
    let begins = match word.pieces.first() {
        Some(WordPiece::Lit(text)) => text.chars().next().is_some_and(begins_name),
        Some(WordPiece::Any(bound)) => bound.is_name(),
        _ => false,
    };
    let plain = |piece: &WordPiece| match piece {
        WordPiece::Lit(text) => !text.contains(|c: char| c.is_whitespace() || c.is_control()),
        WordPiece::Any(bound) => bound.is_name(),
        WordPiece::Glob(_) => false,
    };
    begins && word.pieces.iter().all(plain)
}

/// Whether a text is one word that begins like a name ([`Bound::Name`]).
pub fn is_plain_name(text: &str) -> bool {
    is_name(&Word::lit(text))
}

fn begins_name(first: char) -> bool {
    !first.is_whitespace() && !first.is_control() && !"-+:/~^!".contains(first)
}
