//! Where secrets are in a command line, by what the descriptions of programs say of their options, operands and standard
//! input (`secrets` in `policies/programs/*.toml`). For what is kept or shown of a command; knows nothing of their forms.

use std::ops::Range;

use shell_reader::ast::{Command, Compound, Part, RawWord, Redirect, Script, Simple, Target, Value};
use shell_reader::parse;

use crate::program::{Program, Programs, Takes};

/// Texts within texts (`bash -c '…'`) that are looked into.
const MAX_DEPTH: usize = 4;
/// Letters of a bundle of short options in front of the one that takes the value.
const MAX_BUNDLE: usize = 6;
/// Parts of names whose values are secrets, between blanks.
const NAMES: &str = "pass pwd secret token apikey api_key api-key accesskey access_key private credential authoriz auth_ auth- cookie";

/// Whether a name says that its value is a secret. It is in lower case.
#[must_use]
pub fn names_secret(name: &str) -> bool {
    NAMES.split_ascii_whitespace().any(|part| name.contains(part)) || ["key", "pw", "auth"].iter().any(|end| name.ends_with(end))
}

/// The places of secrets in a command line, in no order.
#[must_use]
pub fn places(line: &str, programs: &Programs) -> Vec<Range<usize>> {
    let base = |word: &str| word.trim_matches(|c: char| !c.is_alphanumeric()).rsplit('/').next().map(str::to_owned).unwrap_or_default();
    let may_hide = line.contains("stdin") || line.split(|c: char| c.is_whitespace() || ";|&()'\"`".contains(c)).any(|word| programs.hides(&base(word)));
    let mut found = Hidden { programs, line, places: Vec::new() };
    if may_hide {
        found.text(0..line.len(), 0);
    }
    found.places
}

struct Hidden<'l> {
    programs: &'l Programs<'l>,
    line: &'l str,
    places: Vec<Range<usize>>,
}

/// A word of a command: its text, where that is known, and its place in the line.
struct Placed {
    text: Option<String>,
    place: Range<usize>,
}

impl Hidden<'_> {
    /// A command line within the line.
    fn text(&mut self, range: Range<usize>, depth: usize) {
        let Some(text) = self.line.get(range.clone()).filter(|_| depth < MAX_DEPTH) else { return };
        let script = parse::read(text).script;
        self.script(&script, range.start, depth);
    }

    fn script(&mut self, script: &Script, from: usize, depth: usize) {
        for item in &script.items {
            self.command(&item.command, &[], from, depth);
        }
    }

    /// A command. `fed` are the places of the texts on its standard input.
    fn command(&mut self, command: &Command, fed: &[Range<usize>], from: usize, depth: usize) {
        match command {
            Command::Simple(simple) => self.simple(simple, fed, from, depth),
            Command::Pipeline(parts) => {
                let mut fed = fed.to_vec();
                for part in parts {
                    self.command(part, &fed, from, depth);
                    fed = self.printed(part, from).unwrap_or_default();
                }
            }
            Command::Compound { body, redirects, .. } => {
                let mut fed = fed.to_vec();
                fed.extend(inputs(redirects, from));
                for script in scripts(body) {
                    for item in &script.items {
                        self.command(&item.command, &fed, from, depth);
                    }
                }
            }
            Command::Function { body, .. } | Command::Coproc { body, .. } => self.command(body, fed, from, depth),
        }
    }

    fn simple(&mut self, simple: &Simple, fed: &[Range<usize>], from: usize, depth: usize) {
        let values = simple.assigns.iter().filter_map(|assign| if let Value::Scalar(word) = &assign.value { Some(word) } else { None });
        for word in simple.words.iter().chain(values) {
            self.within(word, from, depth);
        }
        let mut fed = fed.to_vec();
        fed.extend(inputs(&simple.redirects, from));
        let words: Vec<Placed> = simple.words.iter().map(|word| placed(word, from)).collect();
        for (at, word) in words.iter().enumerate() {
            let (Some(text), Some(rest)) = (&word.text, words.get(at + 1..)) else { continue };
            let name = text.rsplit('/').next().unwrap_or(text);
            if !self.programs.hides(name) {
                continue;
            }
            if let Some(program) = self.programs.find(name) {
                for call in program.details().secrets {
                    self.call(call, &program, rest, &fed);
                }
            }
        }
        // `--password-stdin` says it by itself.
        let told = |word: &Placed| word.text.as_ref().is_some_and(|text| text.starts_with("--") && text.ends_with("stdin") && names_secret(text));
        if words.iter().any(told) {
            self.places.extend(fed);
        }
    }

    /// Texts within a word: substitutions, and command lines in quotes.
    fn within(&mut self, word: &RawWord, from: usize, depth: usize) {
        for part in &word.parts {
            match part {
                Part::Command { script, .. } | Part::Process { script, .. } => self.script(script, from, depth + 1),
                Part::Quoted(text) if text.contains(char::is_whitespace) => {
                    let range = word.span.range();
                    let range = range.start + from..range.end + from;
                    // What has other quotes or escapes in it is not there one to one; its words are found all the same.
                    let quotes = |byte: Option<&u8>| usize::from(matches!(byte, Some(b'\'' | b'"')));
                    let bytes = self.line.as_bytes();
                    let inner = range.start + quotes(bytes.get(range.start))..range.end - quotes(range.end.checked_sub(1).and_then(|at| bytes.get(at)));
                    if inner.start < inner.end {
                        self.text(inner, depth + 1);
                    }
                }
                _ => {}
            }
        }
    }

    /// Hides what one description of a call says of these words.
    fn call(&mut self, call: &str, program: &Program, words: &[Placed], fed: &[Range<usize>]) {
        let text = |at: usize| words.get(at).and_then(|word| word.text.as_deref());
        let is_option = |at: &usize| text(*at).is_some_and(|text| text.len() > 1 && text.starts_with('-'));
        // The operands that were not matched yet.
        let mut operands = (0..words.len()).filter(|at| !is_option(at));
        let mut key: Option<&str> = None;
        let mut hidden: Vec<Range<usize>> = Vec::new();
        for wanted in call.split(' ') {
            if wanted == "<stdin>" {
                hidden.extend(fed.iter().cloned());
            } else if wanted == "<key>" {
                let Some(at) = operands.next() else { return };
                key = text(at);
            } else if wanted == "<secret>" {
                let told = key.is_none_or(|key| names_secret(&key.to_ascii_lowercase()));
                hidden.extend(operands.next().and_then(|at| words.get(at)).filter(|_| told).map(|word| word.place.clone()));
            } else if wanted == "<any>" {
                operands.next();
            } else if wanted == "<assigned>" {
                for word in operands.by_ref().filter_map(|at| words.get(at)) {
                    let value = word.text.as_deref().and_then(|text| text.split_once('=')).map(|(_, value)| value);
                    hidden.extend(value.filter(|value| !value.is_empty()).map(|value| self.end_of(&word.place, value)));
                }
            } else if let Some((names, takes)) = wanted.strip_prefix('-').and_then(|_| wanted.split_once('=')) {
                hidden.extend(names.split('|').flat_map(|name| self.values(name, takes, program, words)));
            } else if wanted.starts_with('-') {
                let given = |at: usize| text(at).is_some_and(|text| wanted.split('|').any(|name| text == name || is_in_bundle(text, name)));
                if !(0..words.len()).any(given) {
                    return;
                }
            } else if !operands.any(|at| text(at) == Some(wanted)) {
                return;
            }
        }
        self.places.extend(hidden);
    }

    /// The values of an option: the next word, what is behind `=`, and with `?` what is attached; `*` is all of these.
    fn values(&self, name: &str, takes: &str, program: &Program, words: &[Placed]) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        for (at, word) in words.iter().enumerate() {
            let Some(text) = &word.text else { continue };
            if (text == name || bundles(text, name)) && takes != "?" {
                // An option behind it says that it has no value here.
                let next = words.get(at + 1).filter(|next| next.text.as_ref().is_none_or(|text| !text.starts_with('-')));
                found.extend(next.map(|next| next.place.clone()));
            } else if let Some(value) = text.strip_prefix(name).filter(|value| !value.is_empty()) {
                let value = match value.strip_prefix('=') {
                    Some(value) => value,
                    // Nothing is attached to a long name.
                    None if takes.is_empty() || name.len() > 2 => continue,
                    None => value,
                };
                found.push(self.end_of(&word.place, value));
            } else if let Some(value) = behind_bundle(text, name, program).filter(|_| !takes.is_empty()) {
                found.push(self.end_of(&word.place, value));
            }
        }
        found
    }

    /// The place of the end of a word; where it is not there one to one, that of the word.
    fn end_of(&self, place: &Range<usize>, end: &str) -> Range<usize> {
        let source = self.line.get(place.clone()).unwrap_or_default();
        let bare = source.trim_end_matches(['\'', '"']);
        let stop = place.start + bare.len();
        if bare.ends_with(end) { stop - end.len()..stop } else { place.clone() }
    }

    /// The texts that a command prints because they are among its words.
    fn printed(&self, command: &Command, from: usize) -> Option<Vec<Range<usize>>> {
        let Command::Simple(simple) = command else { return None };
        let mut words = simple.words.iter().map(|word| placed(word, from));
        let name = words.next()?.text?;
        self.programs.echoes(&name).then(|| words.filter(|word| word.text.as_ref().is_some_and(|text| !text.starts_with('-'))).map(|word| word.place).collect())
    }
}

/// Whether a word is a bundle of short options with this one among them.
fn is_in_bundle(text: &str, name: &str) -> bool {
    let (Some(letters), Some(letter)) = (text.strip_prefix('-'), name.strip_prefix('-')) else { return false };
    letter.len() == 1 && (2..=MAX_BUNDLE).contains(&letters.len()) && letters.contains(letter) && letters.bytes().all(|byte| byte.is_ascii_alphabetic())
}

/// What is attached to a short option behind others that take no value: `-sSuNAME:PASSWORD`.
fn behind_bundle<'t>(text: &'t str, name: &str, program: &Program) -> Option<&'t str> {
    let letter = name.strip_prefix('-').filter(|letter| letter.len() == 1)?;
    let (front, value) = text.strip_prefix('-').filter(|letters| !letters.starts_with('-'))?.split_once(letter)?;
    let plain =
        |other: char| program.options.iter().any(|option| option.takes == Takes::Nothing && option.names.iter().any(|name| *name == format!("-{other}")));
    ((1..MAX_BUNDLE).contains(&front.len()) && !value.is_empty() && front.chars().all(plain)).then_some(value)
}

/// Whether a word is a bundle of short options that ends with this one.
fn bundles(text: &str, name: &str) -> bool {
    is_in_bundle(text, name) && name.chars().next_back().is_some_and(|letter| text.ends_with(letter))
}

fn placed(word: &RawWord, from: usize) -> Placed {
    let range = word.span.range();
    let mut text = Some(String::new());
    for part in &word.parts {
        match part {
            Part::Text(more) | Part::Quoted(more) => text.iter_mut().for_each(|text| text.push_str(more)),
            _ => text = None,
        }
    }
    Placed { text, place: range.start + from..range.end + from }
}

/// Texts that redirections give to standard input.
fn inputs(redirects: &[Redirect], from: usize) -> Vec<Range<usize>> {
    let word = |redirect: &Redirect| match &redirect.to {
        Target::HereString(word) => Some(word.span.range()),
        Target::HereDocument(body) => body.get().map(|body| body.span.range()),
        _ => None,
    };
    redirects.iter().filter_map(word).map(|range| range.start + from..range.end + from).collect()
}

fn scripts(body: &Compound) -> Vec<&Script> {
    match body {
        Compound::Subshell(script) | Compound::Group(script) => vec![script],
        Compound::If { branches, otherwise } => branches.iter().flat_map(|(one, two)| [one, two]).chain(otherwise).collect(),
        Compound::While { condition, body } => vec![condition, body],
        Compound::For { body, .. } | Compound::Select { body, .. } | Compound::ArithmeticFor { body, .. } => vec![body],
        Compound::Case { arms, .. } => arms.iter().map(|arm| &arm.body).collect(),
        Compound::Test(_) | Compound::Arithmetic(_) => Vec::new(),
    }
}
