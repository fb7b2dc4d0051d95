//! Where the texts of files go: from what reads a file through pipes, substitutions and variables to the result of the call,
//! to another machine, or to another file. What a text holds is not looked at.

use super::{Shell, Stdin, expand::is_name};
use crate::arguments::{self, ParsedArguments};
use crate::hidden::names_secret;
use crate::program::{Program, ProgramWay, Role};
use crate::word::Word;
use crate::{Change, Deed, Edited, path::Path};
use shell_reader::ast::{Op, Parameter};

/// The environment of a process as a file (proc(5)).
const ENVIRONMENT: &str = "/proc/self/environ";
/// Stands for a store of secrets that is no file of this machine.
const STORE: &str = "/secret-store";
/// Parts of names whose values hold secrets though their names do not say so: addresses with passwords in them.
const ADDRESSES: &[&str] = &["url", "uri", "dsn", "database", "conn", "redis"];
/// A shorter text looks for too much to be a name.
const MIN_NAME: usize = 2;

/// The texts of files that are on the way. Numbers are the places of reads among the actions.
#[derive(Debug, Default)]
pub(super) struct Flows {
    /// In what was written to standard output, whatever that is connected to.
    written: Vec<usize>,
    /// In words of the present command.
    words: Vec<usize>,
    /// Variables of the environment in words of the present command that name secrets.
    secrets: Vec<String>,
    /// In variables.
    variables: Vec<(String, Vec<usize>)>,
}

/// What was in the words of an outer command.
#[derive(Debug)]
pub(super) struct OuterWords(Vec<usize>, Vec<String>);

impl Shell<'_> {
    /// A place in what was written so far.
    pub(super) fn flow_mark(&self) -> usize {
        self.flows.written.len()
    }

    /// What was written since `mark`; it goes elsewhere than standard output.
    pub(super) fn flowed(&mut self, mark: usize) -> Vec<usize> {
        if mark >= self.flows.written.len() { Vec::new() } else { self.flows.written.split_off(mark) }
    }

    /// The files whose texts were written since `mark`.
    pub(super) fn flowing(&self, mark: usize) -> Vec<String> {
        self.paths(self.flows.written.get(mark..).unwrap_or(&[]))
    }

    /// The files of reads, as far as they are known.
    fn paths(&self, reads: &[usize]) -> Vec<String> {
        let path = |at: &usize| self.actions.get(*at).and_then(|action| if let Deed::Read(read) = &action.deed { read.path.word.literal() } else { None });
        reads.iter().filter_map(path).map(str::to_owned).collect()
    }

    /// Texts go to standard output.
    pub(super) fn flow(&mut self, reads: &[usize]) {
        self.flows.written.extend_from_slice(reads);
    }

    /// Texts are in a word of the present command.
    pub(super) fn flow_into_word(&mut self, reads: &[usize]) {
        self.flows.words.extend_from_slice(reads);
    }

    /// What is in the words of a command that begins.
    pub(super) fn words_begin(&mut self) -> OuterWords {
        OuterWords(std::mem::take(&mut self.flows.words), std::mem::take(&mut self.flows.secrets))
    }

    pub(super) fn words_end(&mut self, outer: OuterWords) {
        (self.flows.words, self.flows.secrets) = (outer.0, outer.1);
    }

    /// A place among what is in words.
    pub(super) fn word_mark(&self) -> usize {
        self.flows.words.len()
    }

    /// What came into words since `mark`.
    pub(super) fn in_words(&self, mark: usize) -> Vec<usize> {
        self.flows.words.get(mark..).unwrap_or(&[]).to_vec()
    }

    /// A variable gets these texts, in place of its old ones.
    pub(super) fn flow_into_variable(&mut self, name: &str, reads: Vec<usize>) {
        if !self.flows.variables.is_empty() {
            self.flows.variables.retain(|(known, _)| known != name);
        }
        if !reads.is_empty() {
            self.flows.variables.push((name.to_owned(), reads));
        }
    }

    /// A variable is used.
    pub(super) fn used(&mut self, parameter: &Parameter) {
        let name = parameter.name.as_str();
        if parameter.length || matches!(parameter.op, Op::Alternative { .. } | Op::Substring { .. }) {
            return;
        }
        if let Some((_, reads)) = self.flows.variables.iter().find(|(known, _)| known == name) {
            self.flows.words.extend(reads);
        }
        let of_environment = name.len() >= MIN_NAME && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
        if of_environment && !self.stored && holds_secret(&name.to_ascii_lowercase()) && self.state.variable(name).is_none() {
            self.flows.secrets.push(name.to_owned());
        }
    }

    /// The words of the present command go to standard output.
    pub(super) fn says_words(&mut self) {
        let words = std::mem::take(&mut self.flows.words);
        self.flow(&words);
        self.flows.words = words;
        for name in std::mem::take(&mut self.flows.secrets) {
            self.opened(ENVIRONMENT, &format!("${name}"), None);
        }
    }

    /// The environment is written out.
    pub(super) fn says_environment(&mut self) {
        self.opened(ENVIRONMENT, "the environment", None);
    }

    /// The text of a file goes to standard output.
    fn opened(&mut self, path: &str, shown: &str, from: Option<usize>) {
        let shown = if path == STORE { "a secret store" } else { shown };
        let word = match (path.strip_prefix("~/"), self.state.get("HOME")) {
            (Some(rest), Some(mut home)) => {
                home.push_lit("/");
                home.push_lit(rest);
                home
            }
            _ => Word::lit(path),
        };
        let read = self.push(Deed::Read(Path { word, shown: shown.to_owned() }.into()), from);
        self.flow(&[read]);
    }

    /// Texts are sent to another machine.
    pub(super) fn send_off(&mut self, reads: &[usize]) {
        for read in reads {
            if let Some(Deed::Read(read)) = self.actions.get_mut(*read).map(|action| &mut action.deed) {
                read.sent = true;
            }
        }
    }

    fn send_words(&mut self) {
        let words = std::mem::take(&mut self.flows.words);
        self.send_off(&words);
        self.flows.words = words;
    }

    /// What is left on standard output is the result of the call. A script that was there before reads what it needs.
    pub(super) fn show(&mut self) {
        for read in std::mem::take(&mut self.flows.written) {
            if let Some(action) = self.actions.get_mut(read).filter(|action| !action.stored)
                && let Deed::Read(read) = &mut action.deed
            {
                read.shown = true;
            }
        }
    }

    /// Notes that a file is read. Gives its place. If the file is a copy that this line made, what it was copied from is read
    /// too, at the next place.
    pub(super) fn reads(&mut self, path: Path, from: Option<usize>) -> usize {
        let source = path.word.literal().and_then(|path| self.state.copied_from(path));
        let read = self.push(Deed::Read(path.into()), from);
        if let Some(source) = source {
            let path = Path { shown: source.clone(), word: Word::lit(source) };
            self.push(Deed::Read(path.into()), from);
        }
        read
    }

    /// Where the texts go that a program reads: `reads` are those of its operands and options.
    #[inline(never)] // Most calls do not come here, and touch fewer pages without it.
    pub(super) fn goes(&mut self, program: &Program, arguments: &ParsedArguments, stdin: &Stdin, first: usize, at: usize) {
        if program.is(ProgramWay::Opens) {
            for call in program.details().opens {
                let (words, path) = call.rsplit_once(' ').unwrap_or(("", call));
                if !words.split(' ').filter(|word| !word.is_empty()).all(|word| holds(word, arguments)) {
                    continue;
                }
                if path == "<operands>" {
                    for word in &arguments.operands {
                        let read = self.reads(self.path(word), Some(at));
                        self.flow(&[read]);
                    }
                } else {
                    self.opened(path, path, Some(at));
                }
            }
        }
        let own = |action: &crate::Action| action.from == Some(at) && matches!(action.deed, Deed::Read(_));
        let mut reads: Vec<usize> = (first..self.actions.len()).filter(|at| self.actions.get(*at).is_some_and(own)).collect();
        if program.is(ProgramWay::Sends) {
            let there = |words: &[Word]| words.last().is_some_and(arguments::elsewhere);
            if !program.is(ProgramWay::HostPaths) {
                self.send_off(&reads);
                self.send_off(&stdin.holds);
                self.send_words();
            } else if there(&arguments.operands) {
                for word in arguments.operands.iter().filter(|word| !arguments::elsewhere(word) && !word.is("") && reads.is_empty()) {
                    let path = self.path(word);
                    let read = self.reads(path, Some(at));
                    self.send_off(&[read]);
                }
                self.send_off(&reads);
                self.send_off(&stdin.holds);
            }
        }
        for (role, word) in &arguments.roles {
            match role {
                Role::Url | Role::Download if word.has_hole() => self.send_words(),
                Role::SentText => self.sends_text(word, stdin, at),
                _ => {}
            }
        }
        if program.is(ProgramWay::Shows) {
            reads.extend_from_slice(&stdin.holds);
            if !reads.is_empty() && !hushed(program, arguments) {
                self.flow(&reads);
            }
        }
        if program.appends {
            self.flow_into_word(&stdin.holds);
        }
    }

    /// A change of which the text is not known, with what is known of where it comes from. `given`: it is standard input.
    pub(super) fn with_sources(&self, change: Change, program: &Program, arguments: &ParsedArguments, stdin: &Stdin, given: bool) -> Change {
        let unknown = matches!(change, Change::Unknown | Change::AppendUnknown);
        let from: Vec<String> = match given {
            _ if !unknown => return change,
            true => self.paths(&stdin.holds),
            false if program.is(ProgramWay::Shows) && !hushed(program, arguments) => {
                let read = arguments.roles.iter().filter(|(role, _)| *role == Role::Read);
                read.filter_map(|(_, word)| self.path(word).word.literal().map(str::to_owned)).collect()
            }
            false => Vec::new(),
        };
        let made = stdin.made.as_deref().filter(|_| given);
        if made.is_none() && from.is_empty() {
            change
        } else {
            Change::Edited(Edited { from, append: made.is_none() && change == Change::AppendUnknown, ..made.cloned().unwrap_or_default() })
        }
    }

    /// `@file`, `name=@file`, `name=<file`, a text.
    fn sends_text(&mut self, word: &Word, stdin: &Stdin, at: usize) {
        // A pattern is data here.
        let whole = Word::lit(if word.has_hole() { String::new() } else { word.to_string() });
        let word = if word.has_hole() { word } else { &whole };
        let front = word.prefix();
        let begins =
            front.find(['@', '<']).filter(|sign| *sign == 0 || front.as_bytes().get(sign - 1) == Some(&b'=') || is_name(front.get(..*sign).unwrap_or("")));
        match begins {
            Some(sign) => {
                let file = word.without_prefix(sign + 1);
                // `file;type=text/plain`
                let file = file.literal().map_or(file.clone(), |text| Word::lit(text.split(';').next().unwrap_or(text)));
                if file.is("-") {
                    self.send_off(&stdin.holds);
                } else {
                    let path = self.path(&file);
                    let read = self.reads(path, Some(at));
                    self.send_off(&[read, read + 1]);
                }
                self.send_words();
            }
            None if word.has_hole() => self.send_words(),
            None => {}
        }
    }
}

/// Whether the output of a call holds no values of what it reads.
fn hushed(program: &Program, arguments: &ParsedArguments) -> bool {
    !program.details.is_empty() && program.details().hushes.iter().any(|call| call.split(' ').all(|word| holds(word, arguments)))
}

/// Whether a word of a description holds of a call.
fn holds(word: &str, arguments: &ParsedArguments) -> bool {
    match word {
        "<none>" => {
            let plain = |operand: &Word| !operand.prefix().contains('=');
            !arguments.operands.iter().any(plain) && arguments.inner.is_none()
        }
        "<secret>" => arguments.operands.iter().filter_map(Word::literal).any(|name| holds_secret(&name.to_ascii_lowercase())),
        "<some>" => !arguments.operands.is_empty(),
        "<names>" => arguments.operands.first().and_then(Word::literal).is_some_and(only_names),
        _ if word.len() > 1 && word.starts_with('!') => !holds(word.get(1..).unwrap_or(""), arguments),
        _ if word.starts_with('-') => match word.split_once('=') {
            Some((name, value)) => arguments.value(name).is_some_and(|given| given.is(value)),
            None => arguments.has(word),
        },
        _ => {
            let puts_nothing_back = |rest: &str| !rest.contains(['&', '\\', ';', '$']);
            let fits = |text: &str| match word.strip_suffix('…') {
                Some(front) => text.strip_prefix(front).is_some_and(puts_nothing_back),
                None => text == word,
            };
            if arguments.has(word) {
                return true;
            }
            let texts = arguments
                .roles
                .iter()
                .filter(|(role, _)| matches!(role, Role::Code | Role::Commands | Role::None))
                .map(|(_, word)| word)
                .chain(&arguments.operands);
            texts.into_iter().filter_map(Word::literal).any(|text| fits(&text.split_whitespace().collect::<String>()))
        }
    }
}

/// Whether the value of a name may be a secret, or hold one. The name is in lower case.
fn holds_secret(name: &str) -> bool {
    // `TOKEN_FILE` names a file, `SSH_AUTH_SOCK` a socket.
    let names_place = [
        "_file", "_path", "_dir", "_sock", "_name", "_id", "_type", "_url", "_user", "_json", "_env", "_arn", "_label", "_version", "_length", "_expiry",
        "_ttl",
    ]
    .iter()
    .any(|end| name.ends_with(end));
    names_secret(name) && !names_place && !"oldpwd".ends_with(name)
}

/// Whether a pattern looks for names alone, none of which may hold a secret.
fn only_names(pattern: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_^=|()\\.*-+?$\"".contains(c);
    let name = |part: &str| part.trim_matches(|c: char| !c.is_ascii_alphanumeric()).to_ascii_lowercase();
    let harmless = |name: String| name.len() >= MIN_NAME && !names_secret(&name) && !ADDRESSES.iter().any(|part| name.contains(part));
    pattern.chars().all(plain) && pattern.split('|').map(name).all(harmless)
}
