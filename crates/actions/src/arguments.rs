//! Reads the arguments of a program by its description: options, operands, and what each of them is.
//! Does not expand words and runs nothing.

use std::borrow::Cow;

use super::Flag;
use super::program::{OperandForm, Opt, OptionStyle, Program, ProgramWay, Role, Subcommands, Takes};
use super::word::{Word, WordPiece};

/// Arguments as the program would read them.
#[derive(Debug, Default)]
pub struct ParsedArguments {
    /// Options in front of the subcommand, or all options without a subcommand.
    pub front: Vec<Flag>,
    /// The subcommand's words.
    pub subcommand: Vec<Word>,
    /// Options, those in front of the subcommand too.
    pub flags: Vec<Flag>,
    /// Operands.
    pub operands: Vec<Word>,
    /// Where the operands began that was behind `--`, if one was there.
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
    /// An option that begins with `--no-` was given.
    pub(super) negated: bool,
    /// Assignments for the inner command.
    pub assignments: Vec<(String, Word)>,
    /// Standard input was named where a file with commands or text is expected (`make -f -`).
    pub from_stdin: bool,
}

impl ParsedArguments {
    /// Whether an option of this name was given.
    pub fn has(&self, name: &str) -> bool {
        self.flags.iter().any(|flag| flag.is(name))
    }

    /// The first word with one of these roles.
    pub fn word(&self, roles: &[Role]) -> Option<&Word> {
        self.roles.iter().find(|(role, _)| roles.contains(role)).map(|(_, word)| word)
    }

    /// The value of an option.
    pub fn value(&self, name: &str) -> Option<&Word> {
        self.flags.iter().find(|flag| flag.is(name))?.value.as_ref()
    }

    /// Nothing given says what to run: an interpreter reads it from standard input.
    pub fn text_from_stdin(&self) -> bool {
        self.inner.is_none() && self.embedded.is_empty() && self.word(&[Role::Script, Role::Shell, Role::Code]).is_none()
    }
}

/// The description of the subcommand that was given, or of the program where it has none.
pub fn innermost<'p, 'a>(program: &'p Program<'a>, arguments: &ParsedArguments) -> Cow<'p, Program<'a>> {
    let mut current = Cow::Borrowed(program);
    for name in arguments.subcommand.iter().filter_map(Word::literal) {
        match current.subcommand(name) {
            Some(found) => current = Cow::Owned(found),
            None => break,
        }
    }
    current
}

/// Reads `words` (without the program's name).
pub fn read(program: &Program, words: &[Word]) -> ParsedArguments {
    let mut arguments = ParsedArguments::default();
    let mut at = 0;
    let mut scope = vec![Cow::Borrowed(program)];
    while let Some(current) = scope.first().filter(|current| !current.subcommands.is_empty()) {
        at = options(&scope, words, at, Until::Subcommand, &mut arguments);
        let Some(word) = words.get(at) else { break };
        arguments.front.clone_from(&arguments.flags);
        let name = word.literal().unwrap_or("");
        let found = current.subcommand(name);
        if found.is_none() && !current.forms.is_empty() && !word.has_hole() {
            // `git config user.name x`: the inner subcommand may be left out, and its operands are in its place.
            break;
        }
        arguments.subcommand.push(word.clone());
        at += 1;
        let found = found.map_or(Cow::Borrowed(&UNDESCRIBED), Cow::Owned);
        if found.style != OptionStyle::Exact || program.style != OptionStyle::Exact {
            scope.clear();
        }
        scope.insert(0, found);
    }
    let Some(current) = scope.first() else { return arguments };
    options(&scope, words, at, if stops(current) { Until::Operand } else { Until::End }, &mut arguments);
    if current.subcommands.is_empty() || !arguments.subcommand.is_empty() || !current.forms.is_empty() {
        assign(current, program.is(ProgramWay::HostPaths), &mut arguments);
    }
    arguments
}

/// How far options are read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Until {
    /// Up to the subcommand.
    Subcommand,
    /// Up to the first operand; what follows are operands whatever they look like.
    Operand,
    /// To the end.
    End,
}

/// A program with subcommands that is used without one (`git stash -u -- FILE`) reads its options to the end.
fn stops(program: &Program) -> bool {
    program.stops && program.subcommands.is_empty()
}

/// How a program that nobody described is read: every word with a dash is an option, none takes the next word.
static UNDESCRIBED: Program<'static> = Program {
    names: Vec::new(),
    style: OptionStyle::Exact,
    options: Vec::new(),
    forms: Vec::new(),
    stops: false,
    remote: false,
    shell_stdin: false,
    appends: false,
    runs: "",
    language: "",
    escapes: Vec::new(),
    ways: Vec::new(),
    details: Cow::Borrowed(&[]),
    subcommands: Subcommands::EMPTY,
};

/// Reads the words of a program that nobody described.
pub fn read_undescribed(words: &[Word]) -> ParsedArguments {
    read(&UNDESCRIBED, words)
}

/// Reads options and operands from `at` on, and stops at an inner command. `scope` holds the subcommand, and behind it
/// the programs around it if it takes their options too.
fn options(scope: &[Cow<Program>], words: &[Word], mut at: usize, until: Until, out: &mut ParsedArguments) -> usize {
    let Some(program) = scope.first() else { return at };
    let mut options_end = false;
    if program.style == OptionStyle::Bundled {
        at = old_bundle(program, words, at, out);
    }
    while let Some(word) = words.get(at) {
        if !options_end && word.is("--end-of-options") && program.style == OptionStyle::Gnu {
            // As `--`, but what follows may be a revision (gitcli(7)).
            options_end = true;
            at += 1;
            continue;
        }
        if !options_end && word.is("--") && program.style != OptionStyle::Keys {
            options_end = true;
            out.behind_dashes = Some(out.operands.len());
            // Rules can ask for it: behind it are paths, whatever they look like.
            out.flags.push(Flag { names: vec!["--".to_owned()], value: None });
            at += 1;
            let behind = form(program, &out.flags).and_then(|form| form.operands.iter().skip_while(|(_, many)| !many).nth(1)).copied();
            if let Some((role @ (Role::Argv | Role::ShellRest), _)) = behind {
                // `mise exec TOOL… -- COMMAND`
                out.inner = Some((role, at));
                return at;
            }
            continue;
        }
        if !options_end {
            if let Some(next) = option(scope, words, at, out) {
                at = next;
                continue;
            }
            // A quoted word is one operand nearly always; git's own reading looks at it where that is not enough.
            let is_image = || is_image(form(program, &out.flags).and_then(|form| role_at(form, out.operands.len())), word, words.get(at + 1));
            if word.multi && word.may_be_option() && !word.prefix().starts_with('-') && out.may_hide.is_none() && !is_image() {
                out.may_hide = Some(word.clone());
            }
        }
        if until == Until::Subcommand {
            return at;
        }
        let role = form(program, &out.flags).and_then(|form| role_at(form, out.operands.len()));
        match role {
            Some((Role::Assignments, _)) if word.is("-") => {
                // `env -` is `env -i`.
                at += 1;
                continue;
            }
            Some((Role::Assignments, _)) => {
                if let Some((name, value)) = assignment(word) {
                    out.assignments.push((name, value));
                    at += 1;
                    continue;
                }
                // No assignment: the role behind it is this word's.
                let next = form(program, &out.flags).and_then(|form| role_at(form, out.operands.len() + 1));
                if let Some((role @ (Role::Argv | Role::ShellRest), _)) = next {
                    out.inner = Some((role, at));
                    return at;
                }
            }
            Some((Role::Argv | Role::ShellRest, _)) if word.is("--") => {
                // `lxc exec CONTAINER -- COMMAND`
                at += 1;
                continue;
            }
            Some((Role::Argv, _)) if word.is("-") && !program.language.is_empty() => {
                // `uv run -`
                out.from_stdin = true;
                at += 1;
                continue;
            }
            // `pwsh -Command -`
            Some((Role::ShellRest, _)) if word.is("-") && program.shell_stdin => {
                out.from_stdin = true;
                at += 1;
                continue;
            }
            Some((role @ (Role::Argv | Role::ShellRest), _)) => {
                out.inner = Some((role, at));
                return at;
            }
            _ => {}
        }
        out.operands.push(word.clone());
        at += 1;
        options_end |= until == Until::Operand;
    }
    at
}

/// `NAME=value`.
pub fn assignment(word: &Word) -> Option<(String, Word)> {
    let (name, _) = word.prefix().split_once('=')?;
    let valid = name.bytes().enumerate().all(|(at, byte)| byte == b'_' || byte.is_ascii_alphabetic() || (at > 0 && byte.is_ascii_digit()));
    (valid && !name.is_empty()).then(|| (name.to_owned(), word.without_prefix(name.len() + 1)))
}

/// The role of the operand at this place, if it follows from the place alone.
fn role_at(form: &OperandForm, place: usize) -> Option<(Role, bool)> {
    let gathers = form.operands.iter().take(place).any(|(_, many)| *many);
    form.operands.get(place).filter(|_| !gathers).copied()
}

/// The form that the options given choose.
pub(super) fn form<'p, 'a>(program: &'p Program<'a>, flags: &[Flag]) -> Option<&'p OperandForm<'a>> {
    program.forms.iter().find(|form| form.with.iter().all(|name| flags.iter().any(|flag| flag.is(name))))
}

/// Reads an option at `at`. `None` if the word is no option. Gives the place behind it and its value.
fn option(scope: &[Cow<Program>], words: &[Word], at: usize, out: &mut ParsedArguments) -> Option<usize> {
    let program = scope.first()?;
    let word = words.get(at)?;
    let text = word.prefix();
    if program.style == OptionStyle::Keys {
        let opt = program.options.iter().find(|opt| opt.names.iter().any(|name| text.strip_prefix(name).is_some_and(|rest| rest.starts_with('='))))?;
        let length = text.find('=')? + 1;
        take(opt, Some(word.without_prefix(length)), out);
        return Some(at + 1);
    }
    if matches!(program.style, OptionStyle::Cmdlet | OptionStyle::Slash) {
        return windows(program, words, at, out);
    }
    let plus = text.starts_with('+') && program.options.iter().any(|opt| opt.names.iter().any(|name| name.starts_with('+')));
    if (!text.starts_with('-') && !plus) || word.is("-") {
        return None;
    }
    // A long name behind one dash goes before a bundle (`gdb -args`, `bash -norc`).
    let name = text.split_once('=').map_or(text, |(name, _)| name);
    let whole = name.len() > 2 && known(scope, name).is_some();
    if program.style == OptionStyle::SingleDash || text.starts_with("--") || whole {
        return Some(long(scope, words, at, out));
    }
    Some(bundle(scope, words, at, out))
}

/// An option of PowerShell or cmd ([`OptionStyle::Cmdlet`], [`OptionStyle::Slash`]).
fn windows(program: &Program, words: &[Word], at: usize, out: &mut ParsedArguments) -> Option<usize> {
    let word = words.get(at)?;
    let text = word.prefix();
    let slash = text.starts_with('/');
    let cmdlet = program.style == OptionStyle::Cmdlet;
    // A program takes both (`pwsh /Command`), a cmdlet takes dashes, cmd slashes, which Git for Windows wants doubled.
    let body = match text.strip_prefix(if slash { '/' } else { '-' }) {
        Some(body) if cmdlet && (!slash || program.shell_stdin) => body,
        Some(body) if !cmdlet && slash => body.trim_start_matches('/'),
        _ => return None,
    };
    if !body.starts_with(|c: char| c.is_ascii_alphabetic() || c == '?') {
        return None;
    }
    let (name, attached) = match body.split_once([':', '=']) {
        Some((name, _)) => (name, Some(word.without_prefix(text.len() - body.len() + name.len() + 1))),
        None => (body, None),
    };
    let name = name.to_ascii_lowercase();
    let sign = if cmdlet { "-" } else { "/" };
    let named = |test: &dyn Fn(&str) -> bool| program.options.iter().find(|opt| opt.names.iter().any(|known| known.strip_prefix(sign).is_some_and(test)));
    let exact = named(&|known| known.eq_ignore_ascii_case(&name));
    let found = exact.or_else(|| named(&|known| cmdlet && known.to_ascii_lowercase().starts_with(&name)));
    match found {
        Some(opt) if opt.takes == Takes::Value => return Some(valued(program, opt, attached, words, at, out)),
        // `-WhatIf:$false`
        Some(_) if attached.as_ref().is_some_and(|value| value.is("$false") || value.is("0")) => {}
        Some(opt) => take(opt, attached, out),
        None if slash => {
            let parts: Vec<_> =
                name.split('/').map(|part| program.options.iter().find(|opt| opt.names.iter().any(|known| known.get(1..) == Some(part)))).collect();
            let parts: Option<Vec<_>> = parts.into_iter().collect();
            parts.filter(|parts| parts.len() > 1)?.into_iter().for_each(|opt| take(opt, None, out));
        }
        None => {
            out.flags.push(Flag { names: vec![format!("-{name}")], value: attached });
            out.unsure = true;
        }
    }
    Some(at + 1)
}

/// The option of this very name.
fn known<'p, 'a>(scope: &'p [Cow<Program<'a>>], name: &str) -> Option<&'p Opt<'a>> {
    scope.iter().flat_map(|program| &program.options).find(|opt| opt.names.contains(&name))
}

/// The first word of `tar xzf ARCHIVE`: letters of options without a dash, whose values are the words behind it in order.
fn old_bundle(program: &Program, words: &[Word], at: usize, out: &mut ParsedArguments) -> usize {
    let Some(letters) = words.get(at).and_then(Word::literal).filter(|text| !text.starts_with('-')) else { return at };
    let mut next = at + 1;
    for letter in letters.chars() {
        let name = format!("-{letter}");
        match program.options.iter().find(|opt| opt.names.contains(&name.as_str())) {
            Some(opt) if matches!(opt.takes, Takes::Value | Takes::Pair) => next = value_behind(program, opt, words, next, out),
            Some(opt) => take(opt, None, out),
            None => out.flags.push(Flag { names: vec![name], value: None }),
        }
    }
    next
}

/// Whether a word in the place of an image is one, although its beginning is not known: it has a tag or a path, or no
/// other word follows that could be the image instead.
fn is_image(role: Option<(Role, bool)>, word: &Word, next: Option<&Word>) -> bool {
    let has_tag = || word.pieces.iter().any(|piece| matches!(piece, WordPiece::Lit(text) if text.contains([':', '/'])));
    // An option behind it would be docker's own, if the unknown beginning brought one too.
    matches!(role, Some((Role::Image, _))) && next.is_none_or(|next| has_tag() && !next.may_be_option())
}

fn long(scope: &[Cow<Program>], words: &[Word], at: usize, out: &mut ParsedArguments) -> usize {
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
    let Some(program) = scope.first() else { return at + 1 };
    let candidates = candidates(scope, name);
    match candidates.as_slice() {
        [(opt, false)] => {
            // The last of `--x` and `--no-x` counts.
            let opposites: Vec<String> = opt.names.iter().filter_map(|name| opposite(name)).collect();
            let negates = opt.names.iter().any(|name| name.starts_with("--no-"));
            if negates || out.negated {
                out.negated |= negates;
                out.flags.retain(|flag| !flag.names.iter().any(|known| opposites.contains(known)));
            }
            match attached {
                None if !matches!(opt.takes, Takes::Value | Takes::Pair) => take(opt, None, out),
                attached => return valued(program, opt, attached, words, at, out),
            }
            return at + 1;
        }
        [(opt, true)] => {
            out.flags.retain(|flag| !flag.names.iter().any(|known| opt.names.contains(&known.as_str())));
            let names = opt.names.iter().filter_map(|known| opposite(known)).collect();
            out.negated = true;
            out.flags.push(Flag { names, value: attached });
            return at + 1;
        }
        [] => {
            if let Some(positive) = name.strip_prefix("--no-") {
                let positive = format!("--{positive}");
                out.flags.retain(|flag| !flag.names.contains(&positive));
            }
            out.unsure |= attached.is_none();
        }
        _ => {}
    }
    // An ambiguous beginning: the program will refuse it, or a newer one knows better; all that it may mean is noted.
    let names = candidates.iter().filter(|(_, opposed)| !opposed).flat_map(|(opt, _)| opt.names.iter().map(|name| (*name).to_owned()));
    let names = names.chain([name.to_owned()]).collect();
    out.flags.push(Flag { names, value: attached });
    at + 1
}

/// The options that `name` may mean, exactly or as a beginning, each with whether it is its opposite (`--no-force` of
/// `--force`, `--verify` of `--no-verify`; parse-options in git's `Documentation/technical/api-parse-options.adoc`).
fn candidates<'p, 'a>(scope: &'p [Cow<Program<'a>>], name: &str) -> Vec<(&'p Opt<'a>, bool)> {
    let plain: Vec<_> = known(scope, name).map(|opt| (opt, false)).into_iter().collect();
    let Some(program) = scope.first().filter(|program| matches!(program.style, OptionStyle::Gnu | OptionStyle::Bundled)) else { return plain };
    if !plain.is_empty() || !name.starts_with("--") || name.len() < 3 {
        return plain;
    }
    let any = |test: &dyn Fn(&str) -> bool| program.options.iter().filter(|opt| opt.names.iter().any(|known| test(known))).collect::<Vec<_>>();
    let opposed = |test: &dyn Fn(&str) -> bool| any(&|known| opposite(known).is_some_and(|known| test(&known)));
    if let [only] = opposed(&|known| known == name).as_slice() {
        return vec![(only, true)];
    }
    let plain = any(&|known| known.starts_with(name) && known.starts_with("--"));
    let opposed = opposed(&|known| known.starts_with(name));
    match (plain.as_slice(), opposed.as_slice()) {
        ([only], _) => vec![(only, false)],
        ([], [only]) => vec![(only, true)],
        _ => plain.into_iter().map(|opt| (opt, false)).chain(opposed.into_iter().map(|opt| (opt, true))).collect(),
    }
}

/// The long name that takes back another.
fn opposite(name: &str) -> Option<String> {
    match (name.strip_prefix("--no-"), name.strip_prefix("--")) {
        (Some(rest), _) => Some(format!("--{rest}")),
        (None, Some(rest)) => Some(format!("--no-{rest}")),
        (None, None) => None,
    }
}

fn bundle(scope: &[Cow<Program>], words: &[Word], at: usize, out: &mut ParsedArguments) -> usize {
    let (Some(program), Some(word)) = (scope.first(), words.get(at)) else { return at + 1 };
    let text = word.prefix();
    let sign = text.chars().next().unwrap_or('-');
    if let Some(opt) = known(scope, "+").filter(|_| sign == '+') {
        // `vim +COMMAND`
        take(opt, Some(word.without_prefix(1)), out);
        return at + 1;
    }
    for (offset, letter) in text.char_indices().skip(1) {
        let name = format!("{sign}{letter}");
        let end = offset + letter.len_utf8();
        let rest = (end < text.len() || word.pieces.len() > 1).then(|| word.without_prefix(end));
        match known(scope, &name) {
            Some(opt) if matches!(opt.takes, Takes::Value | Takes::Pair) => {
                return valued(program, opt, rest, words, at, out);
            }
            Some(opt) if opt.takes == Takes::Attached => {
                take(opt, rest, out);
                return at + 1;
            }
            Some(opt) => take(opt, None, out),
            None => {
                out.flags.push(Flag { names: vec![name], value: None });
                // A number is no option that takes a value (`nice -5`, `git log -3`, `perl -0777`).
                out.unsure |= !letter.is_ascii_digit();
            }
        }
    }
    if word.literal().is_none() {
        out.may_hide.get_or_insert_with(|| word.clone());
    }
    at + 1
}

/// The value of the option at `at`: what is attached to it, or the words behind it.
fn valued(program: &Program, opt: &Opt, attached: Option<Word>, words: &[Word], at: usize, out: &mut ParsedArguments) -> usize {
    match attached {
        None => value_behind(program, opt, words, at + 1, out),
        Some(value) if matches!(opt.role, Role::Argv | Role::SplitArgv) => {
            let words: Vec<Word> = words.iter().take(at).cloned().chain([value]).chain(words.iter().skip(at + 1).cloned()).collect();
            value_behind(program, opt, &words, at, out)
        }
        attached => {
            take(opt, attached, out);
            at + 1
        }
    }
}

/// The value of an option in the words from `at` on.
fn value_behind(program: &Program, opt: &Opt, words: &[Word], at: usize, out: &mut ParsedArguments) -> usize {
    let rest = words.get(at..).unwrap_or(&[]);
    match opt.role {
        Role::Argv => {
            let length = rest.iter().position(|word| word.is(";") || word.is("+")).unwrap_or(rest.len());
            out.embedded.push(rest.iter().take(length).cloned().collect());
            take(opt, None, out);
            at + length + 1
        }
        Role::SplitArgv => {
            // What was split is read again in its place, options of the program too (`env -S "-u A cmd"`).
            let name = program.names.first().copied().unwrap_or("");
            let split = rest.first().map(split).unwrap_or_default();
            out.embedded.push([Word::lit(name)].into_iter().chain(split).chain(rest.iter().skip(1).cloned()).collect());
            take(opt, None, out);
            words.len()
        }
        _ => {
            take(opt, rest.first().cloned(), out);
            at + if opt.takes == Takes::Pair { 2 } else { 1 }
        }
    }
}

/// Splits at blanks outside of quotes (coreutils, `env` invocation, "-S/--split-string syntax").
pub(super) fn split(word: &Word) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let (mut open, mut quote) = (false, None);
    for piece in &word.pieces {
        let known = if let WordPiece::Lit(text) = piece { text.as_str() } else { "\u{fffd}" };
        let mut chars = known.chars();
        while let Some(c) = chars.next() {
            if quote.is_none() && c.is_ascii_whitespace() {
                open = false;
                continue;
            }
            if !std::mem::replace(&mut open, true) {
                words.push(Word::default());
            }
            let Some(last) = words.last_mut() else { continue };
            match (piece, c, quote) {
                (WordPiece::Glob(_) | WordPiece::Any(_), ..) => last.push(piece.clone()),
                (_, '\'' | '"', None) => quote = Some(c),
                (_, _, Some(end)) if c == end => quote = None,
                (_, '\\', None | Some('"')) => last.push_lit(&chars.next().map(String::from).unwrap_or_default()),
                _ => last.push_lit(c.encode_utf8(&mut [0; 4])),
            }
        }
    }
    words
}

fn take(opt: &Opt, value: Option<Word>, out: &mut ParsedArguments) {
    if let (true, Some(value)) = (opt.role != Role::None, &value) {
        give(opt.role, value, out);
    }
    out.flags.push(Flag { names: opt.names.iter().map(|name| (*name).to_owned()).collect(), value });
}

/// Notes the role of a word, unless it stands for a standard stream and not for a file of that name.
fn give(role: Role, word: &Word, out: &mut ParsedArguments) {
    match role {
        Role::Read | Role::Write | Role::Script | Role::Code if word.is("-") || word.is("/dev/stdin") => out.from_stdin |= role == Role::Script,
        _ => out.roles.push((role, word.clone())),
    }
}

/// Whether the word names a file of another machine (`host:path`: a colon before any slash).
pub(super) fn elsewhere(word: &Word) -> bool {
    let mut front = word.pieces.iter().map(|piece| if let WordPiece::Lit(text) = piece { text.as_str() } else { "" });
    let host = front.find_map(|text| text.find([':', '/']).and_then(|at| text.get(at..)));
    host.is_some_and(|rest| rest.starts_with(':'))
}

/// Gives each operand its role, and each option value the role that it has in this form.
fn assign(program: &Program, hosts: bool, out: &mut ParsedArguments) {
    let Some(form) = form(program, &out.flags) else { return };
    for (name, role) in &form.values {
        let values: Vec<Word> = out.flags.iter().filter(|flag| flag.is(name)).filter_map(|flag| flag.value.clone()).collect();
        for value in values {
            give(*role, &value, out);
        }
    }
    // `http POST ADDRESS`, `http ADDRESS`
    let address = |word: &Word| word.prefix().contains(['/', ':', '.']) && !word.prefix().contains('=');
    let followed = out.operands.get(1).is_some_and(address);
    let method = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_uppercase() || (followed && byte.is_ascii_lowercase()));
    let spoken = out.operands.first().and_then(Word::literal).is_some_and(method);
    let counts = |role: Role| role != Role::Assignments && (role != Role::Method || spoken);
    let roles: Vec<(Role, bool)> = form.operands.iter().copied().filter(|(role, _)| counts(*role)).collect();
    let spare = (out.operands.len() + 1).saturating_sub(roles.len());
    let all = out.operands.clone();
    let mut operands = all.iter();
    for (place, (role, many)) in roles.iter().enumerate() {
        let last = place + 1 == roles.len();
        let count = if *many { if last { operands.len() } else { spare } } else { 1 };
        if *many && !last {
            out.gathered = count;
        }
        for word in operands.by_ref().take(count).filter(|word| !hosts || !elsewhere(word)) {
            give(*role, word, out);
        }
    }
}
