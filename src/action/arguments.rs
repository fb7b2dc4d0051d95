//! Reads the arguments of a program by its description: options, operands, and what each of them is.
//! Does not expand words and runs nothing.

use super::Flag;
use super::program::{Form, Opt, Program, Role, Style, Takes};
use super::word::Word;

/// Arguments as the program would read them.
#[derive(Debug, Default)]
pub struct Arguments {
    /// Options in front of the subcommand, or all where there is none.
    pub front: Vec<Flag>,
    /// The subcommand's words.
    pub subcommand: Vec<Word>,
    /// Options, those in front of the subcommand too.
    pub flags: Vec<Flag>,
    /// Operands.
    pub operands: Vec<Word>,
    /// Where the operands began that stood behind `--`, if one stood there.
    pub behind_dashes: Option<usize>,
    /// What operands and option values are, in order.
    pub roles: Vec<(Role, Word)>,
    /// The last role before which others were collected as many as were left over (`cp A B DIR`): how many those are.
    pub gathered: usize,
    /// Where an inner command begins among the words, and its role ([`Role::Argv`] or [`Role::ShellRest`]).
    pub inner: Option<(Role, usize)>,
    /// Inner commands that are values of options (`find -exec … ;`).
    pub embedded: Vec<Vec<Word>>,
    /// The first word that could turn out to be an option.
    pub may_hide: Option<Word>,
    /// An option in front of the inner command was not known: it may have taken the next word as its value.
    pub unsure: bool,
    /// Assignments for the inner command.
    pub assignments: Vec<(String, Word)>,
}

/// Reads `words` (without the program's name).
#[must_use]
pub fn read(program: &Program, words: &[Word]) -> Arguments {
    let mut arguments = Arguments::default();
    let mut at = 0;
    let mut current = program;
    while !current.subcommands.is_empty() {
        at = options(current, words, at, true, &mut arguments);
        let Some(word) = words.get(at) else { break };
        arguments.front.clone_from(&arguments.flags);
        let name = word.literal().unwrap_or("");
        let found = current.subcommand(name);
        if found.is_none() && !arguments.subcommand.is_empty() && !current.forms.is_empty() {
            // `git stash -u`, `git remote -v`: the inner subcommand may be left out.
            break;
        }
        arguments.subcommand.push(word.clone());
        at += 1;
        match found {
            Some(found) => current = found,
            None => {
                current = &UNDESCRIBED;
                break;
            }
        }
    }
    let at = options(current, words, at, current.stops, &mut arguments);
    if current.subcommands.is_empty() || !arguments.subcommand.is_empty() {
        assign(current, &mut arguments);
    }
    let _ = at;
    arguments
}

/// How a program that nobody described is read: every word with a dash is an option, none takes the next word.
static UNDESCRIBED: Program<'static> = Program {
    names: Vec::new(),
    style: Style::Exact,
    options: Vec::new(),
    forms: Vec::new(),
    stops: false,
    remote: false,
    shell_stdin: false,
    appends: false,
    language: "",
    subcommands: Vec::new(),
};

/// Reads the words of a program that nobody described.
#[must_use]
pub fn read_undescribed(words: &[Word]) -> Arguments {
    read(&UNDESCRIBED, words)
}

/// Reads options and operands from `at` on; stops at the first operand if `stops`, and at an inner command.
fn options(program: &Program, words: &[Word], mut at: usize, stops: bool, out: &mut Arguments) -> usize {
    let before_subcommand = !program.subcommands.is_empty();
    let mut options_end = false;
    while let Some(word) = words.get(at) {
        if !options_end && word.is("--") && program.style != Style::Keys {
            options_end = true;
            out.behind_dashes = Some(out.operands.len());
            at += 1;
            continue;
        }
        if !options_end {
            if let Some(next) = option(program, words, at, out) {
                at = next;
                continue;
            }
            if word.may_be_option() && !word.prefix().starts_with('-') && out.may_hide.is_none() {
                out.may_hide = Some(word.clone());
            }
        }
        if before_subcommand {
            return at;
        }
        let role = form(program, &out.flags).and_then(|form| form.operands.get(out.operands.len())).copied();
        match role {
            Some((Role::Assignments, _)) => {
                if let Some((name, value)) = assignment(word) {
                    out.assignments.push((name, value));
                    at += 1;
                    continue;
                }
                // No assignment: the role behind it is this word's.
                let next = form(program, &out.flags).and_then(|form| form.operands.get(out.operands.len() + 1)).copied();
                if let Some((role @ (Role::Argv | Role::ShellRest), _)) = next {
                    out.inner = Some((role, at));
                    return at;
                }
            }
            Some((role @ (Role::Argv | Role::ShellRest), _)) => {
                out.inner = Some((role, at));
                return at;
            }
            _ => {}
        }
        out.operands.push(word.clone());
        at += 1;
        options_end |= stops;
    }
    at
}

/// `NAME=value`.
#[must_use]
pub fn assignment(word: &Word) -> Option<(String, Word)> {
    let (name, _) = word.prefix().split_once('=')?;
    let valid = name.bytes().enumerate().all(|(at, byte)| byte == b'_' || byte.is_ascii_alphabetic() || (at > 0 && byte.is_ascii_digit()));
    (valid && !name.is_empty()).then(|| (name.to_owned(), word.without_prefix(name.len() + 1)))
}

fn form<'p, 'a>(program: &'p Program<'a>, flags: &[Flag]) -> Option<&'p Form<'a>> {
    program.forms.iter().find(|form| form.with.iter().all(|name| flags.iter().any(|flag| flag.names.iter().any(|known| known == name))))
}

/// Reads an option at `at`; none if the word is no option. Gives the place behind it and its value.
fn option(program: &Program, words: &[Word], at: usize, out: &mut Arguments) -> Option<usize> {
    let word = words.get(at)?;
    let text = word.prefix();
    if program.style == Style::Keys {
        let opt = program.options.iter().find(|opt| opt.names.iter().any(|name| text.strip_prefix(name).is_some_and(|rest| rest.starts_with('='))))?;
        let length = text.find('=')? + 1;
        take(opt, Some(word.without_prefix(length)), out);
        return Some(at + 1);
    }
    if !text.starts_with('-') || word.is("-") {
        return None;
    }
    if program.style == Style::SingleDash || text.starts_with("--") {
        return Some(long(program, words, at, out));
    }
    Some(bundle(program, words, at, out))
}

fn long(program: &Program, words: &[Word], at: usize, out: &mut Arguments) -> usize {
    let Some(word) = words.get(at) else { return at + 1 };
    let text = word.prefix();
    let (name, attached) = match text.split_once('=') {
        Some((name, _)) => (name, Some(word.without_prefix(name.len() + 1))),
        None => (text, None),
    };
    if attached.is_none() && word.literal().is_none() {
        // The name itself has a hole.
        out.may_hide.get_or_insert_with(|| word.clone());
        return at + 1;
    }
    let exact: Vec<&Opt> = program.options.iter().filter(|opt| opt.names.contains(&name)).collect();
    let candidates = if exact.is_empty() && program.style == Style::Gnu && name.len() > 2 {
        program.options.iter().filter(|opt| opt.names.iter().any(|known| known.starts_with(name) && known.starts_with("--"))).collect()
    } else {
        exact
    };
    if let [only] = candidates.as_slice() {
        if only.takes == Takes::Value && attached.is_none() {
            return value_behind(only, words, at + 1, out);
        }
        take(only, attached, out);
        return at + 1;
    }
    if candidates.is_empty() {
        if let Some(positive) = name.strip_prefix("--no-") {
            // The last of `--x` and `--no-x` counts.
            let positive = format!("--{positive}");
            out.flags.retain(|flag| !flag.names.contains(&positive));
        }
        out.unsure |= attached.is_none();
    }
    // An ambiguous beginning: the program will refuse it, or a newer one knows better; all that it may mean is noted.
    let names = candidates.iter().flat_map(|opt| opt.names.iter().map(|name| (*name).to_owned())).chain([name.to_owned()]).collect();
    out.flags.push(Flag { names, value: attached });
    at + 1
}

fn bundle(program: &Program, words: &[Word], at: usize, out: &mut Arguments) -> usize {
    let Some(word) = words.get(at) else { return at + 1 };
    let text = word.prefix();
    for (offset, letter) in text.char_indices().skip(1) {
        let name = format!("-{letter}");
        let end = offset + letter.len_utf8();
        let rest = (end < text.len() || word.pieces.len() > 1).then(|| word.without_prefix(end));
        match program.options.iter().find(|opt| opt.names.contains(&name.as_str())) {
            Some(opt) if opt.takes == Takes::Value => {
                return match rest {
                    Some(rest) => {
                        take(opt, Some(rest), out);
                        at + 1
                    }
                    None => value_behind(opt, words, at + 1, out),
                };
            }
            Some(opt) if opt.takes == Takes::Attached => {
                take(opt, rest, out);
                return at + 1;
            }
            Some(opt) => take(opt, None, out),
            None => {
                out.flags.push(Flag { names: vec![name], value: None });
                out.unsure = true;
            }
        }
    }
    if word.literal().is_none() {
        out.may_hide.get_or_insert_with(|| word.clone());
    }
    at + 1
}

/// The value of an option in the words behind it.
fn value_behind(opt: &Opt, words: &[Word], at: usize, out: &mut Arguments) -> usize {
    if opt.role == Role::Argv {
        let rest = words.get(at..).unwrap_or(&[]);
        let length = rest.iter().position(|word| word.is(";") || word.is("+")).unwrap_or(rest.len());
        out.embedded.push(rest.iter().take(length).cloned().collect());
        take(opt, None, out);
        return at + length + 1;
    }
    take(opt, words.get(at).cloned(), out);
    at + 1
}

fn take(opt: &Opt, value: Option<Word>, out: &mut Arguments) {
    if let (true, Some(value)) = (opt.role != Role::None, &value) {
        out.roles.push((opt.role, value.clone()));
    }
    out.flags.push(Flag { names: opt.names.iter().map(|name| (*name).to_owned()).collect(), value });
}

/// Gives each operand its role.
fn assign(program: &Program, out: &mut Arguments) {
    let Some(form) = form(program, &out.flags) else { return };
    let roles: Vec<(Role, bool)> = form.operands.iter().copied().filter(|(role, _)| *role != Role::Assignments).collect();
    let spare = (out.operands.len() + 1).saturating_sub(roles.len());
    let mut operands = out.operands.iter();
    for (place, (role, many)) in roles.iter().enumerate() {
        let last = place + 1 == roles.len();
        let count = if *many { if last { operands.len() } else { spare } } else { 1 };
        if *many && !last {
            out.gathered = count;
        }
        out.roles.extend(operands.by_ref().take(count).map(|word| (*role, word.clone())));
    }
}
