//! Commands inside commands: what stands behind a wrapper, comes on standard input, or is made of it (`xargs`, `parallel`).

use std::rc::Rc;

use super::builtin::joined;
use super::{FILE, Output, Shell, Stdin};
use crate::action::Flag;
use crate::action::arguments::Arguments;
use crate::action::program::{Program, Role};
use crate::action::word::{Bound, Piece, Word};

impl Shell<'_> {
    /// Inner commands, and command lines on standard input.
    pub(super) fn inner(
        &mut self,
        program: &Program,
        name: &str,
        words: &[Word],
        arguments: &Arguments,
        env: &[(String, Word)],
        stdin: &Stdin,
    ) -> Option<Output> {
        let mut env = env.to_vec();
        env.extend(arguments.assignments.iter().cloned());
        let mut output = None;
        for inner in &arguments.embedded {
            let inner = inner.clone();
            self.within(name, |shell| shell.invoke(inner, env.clone(), stdin));
        }
        let args = words.get(1..).unwrap_or(&[]);
        match arguments.inner {
            Some((Role::Argv, start)) => {
                let inner = args.get(start..).unwrap_or(&[]).to_vec();
                self.spend(stdin.text.as_ref().filter(|_| program.appends).map_or(0, |text| text.size()));
                let inners = if program.appends { appended(inner, arguments, stdin) } else { vec![inner] };
                let inside = if program.appends { Stdin::default() } else { stdin.clone() };
                if let Some(first) = inners.first().filter(|first| arguments.unsure && first.len() > 1) {
                    // An unknown option may have taken the next word as its value.
                    let before = std::mem::replace(&mut self.sure, false);
                    let shorter = first.get(1..).unwrap_or(&[]).to_vec();
                    self.within(name, |shell| shell.invoke(shorter, env.clone(), &inside));
                    self.sure = before;
                }
                for inner in inners {
                    // What another program starts is no function; `time` is a word of the shell itself.
                    self.plain = name != "time";
                    output = self.within(name, |shell| shell.invoke(inner, env.clone(), &inside));
                }
            }
            Some((Role::ShellRest, start)) => {
                let rest = args.get(start..).unwrap_or(&[]);
                let lines = if program.appends { fanned(rest, arguments, stdin) } else { vec![joined(rest)] };
                for line in lines {
                    output = self.within(name, |shell| shell.separate(|shell| shell.text(&line, stdin)));
                }
            }
            _ => {}
        }
        let reads = stdin.connected && arguments.text_from_stdin();
        if program.shell_stdin && reads {
            output = match &stdin.text {
                Some(text) => {
                    let (text, positional) = (text.clone(), arguments.operands.clone());
                    self.within(name, |shell| {
                        shell.separate(|shell| {
                            shell.inherit();
                            shell.state.place.positional = Some(Rc::new(positional));
                            shell.text(&text, &Stdin::default())
                        })
                    })
                }
                None if stdin.file.is_some() => self.redirected(program, stdin, &arguments.operands),
                None if from_file(stdin) => None,
                None => {
                    let from = stdin.program.clone().unwrap_or_else(|| "a pipe".to_owned());
                    self.opaque(format!("{from} | {name}"), "a command line comes out of a pipe");
                    None
                }
            };
        } else if !program.language.is_empty() && reads {
            match stdin.text.clone() {
                Some(text) => self.code(program.language, &text, usize::MAX),
                None if stdin.file.is_some() => drop(self.redirected(program, stdin, &[])),
                None if from_file(stdin) => {}
                None => self.opaque(format!("{} | {name}", stdin.program.as_deref().unwrap_or("a pipe")), "a program text comes out of a pipe"),
            }
        } else if name == "apply_patch" || (name == "patch" && reads && !arguments.has("--dry-run")) {
            let text = arguments.operands.first().filter(|_| name == "apply_patch").or(stdin.text.as_deref()).cloned();
            self.patch(text.as_ref(), usize::MAX);
        }
        output
    }
}

/// Whether standard input is a file and no pipe.
fn from_file(stdin: &Stdin) -> bool {
    stdin.program.as_deref() == Some(FILE)
}

/// The commands that `xargs` makes: the words added to its command, or one command for each line where a place is marked.
fn appended(mut inner: Vec<Word>, arguments: &Arguments, stdin: &Stdin) -> Vec<Vec<Word>> {
    if inner.is_empty() {
        inner.push(Word::lit("echo"));
    }
    let replaced = arguments
        .flags
        .iter()
        .find(|flag| flag.names.iter().any(|name| name == "-I" || name == "--replace"))
        .map(|flag| flag.value.as_ref().and_then(Word::literal).filter(|text| !text.is_empty()).unwrap_or("{}").to_owned());
    let items: Vec<Word> = match (&stdin.items, stdin.text.as_ref().map(|text| (text, text.literal()))) {
        (Some(items), _) => items.clone(),
        (None, Some((_, Some(text)))) if replaced.is_some() => text.lines().map(|line| Word::lit(line.trim_start())).collect(),
        (None, Some((_, Some(text)))) => text.split_whitespace().map(Word::lit).collect(),
        (None, Some((text, None))) if names(text) => vec![Word { pieces: vec![Piece::Any(Bound::Name)], multi: true }],
        (None, _) => vec![Word { multi: true, ..Word::unknown() }],
    };
    match replaced {
        Some(mark) if items.len() <= MAX_LINES => {
            items.iter().map(|item| inner.iter().flat_map(|word| replace(word, &mark, std::slice::from_ref(item))).collect()).collect()
        }
        Some(mark) => vec![inner.into_iter().flat_map(|word| replace(&word, &mark, &items)).collect()],
        None => {
            inner.extend(items);
            vec![inner]
        }
    }
}

/// Lines for which `xargs -I` is followed one by one.
const MAX_LINES: usize = 64;

/// Whether the text is made of nothing but names from a known producer.
pub(super) fn names(text: &Word) -> bool {
    let plain = |piece: &Piece| match piece {
        Piece::Any(bound) => *bound == Bound::Name,
        Piece::Lit(text) => text.trim().is_empty(),
        Piece::Glob(_) => false,
    };
    text.has_hole() && text.pieces.iter().all(plain)
}

/// The command lines that `parallel` makes of its template: one for each word behind `:::`, or of standard input.
fn fanned(words: &[Word], arguments: &Arguments, stdin: &Stdin) -> Vec<Word> {
    let end = words.iter().position(|word| matches!(word.literal(), Some(":::" | ":::+" | "::::" | "::::+"))).unwrap_or(words.len());
    let (template, sources) = words.split_at_checked(end).unwrap_or((words, &[]));
    let items = sources.iter().filter(|word| !word.is(":::") && !word.is(":::+")).cloned().collect();
    let stdin = match sources.first() {
        Some(first) if first.prefix().starts_with("::::") => &Stdin::default(),
        Some(_) => &Stdin { items: Some(items), ..Stdin::default() },
        None => stdin,
    };
    match template.is_empty() {
        true => stdin.items.clone().unwrap_or_default(),
        false if template.iter().any(|word| word.prefix().contains("{}")) => {
            let marked = Arguments { flags: vec![Flag { names: vec!["-I".to_owned()], value: Some(Word::lit("{}")) }], ..Arguments::default() };
            appended(template.to_vec(), &marked, stdin).iter().map(|words| joined(words)).collect()
        }
        false => appended(template.to_vec(), arguments, stdin).iter().map(|words| joined(words)).collect(),
    }
}

pub(super) fn replace(word: &Word, mark: &str, items: &[Word]) -> Vec<Word> {
    let Some(text) = word.literal().filter(|text| text.contains(mark)) else { return vec![word.clone()] };
    items
        .iter()
        .map(|item| {
            let mut whole = Word::default();
            for (at, stretch) in text.split(mark).enumerate() {
                if at > 0 {
                    whole.extend(item);
                }
                whole.push_lit(stretch);
            }
            whole.multi = false;
            whole
        })
        .collect()
}
