//! Commands inside commands: what is after a wrapper, comes on standard input, or is made of it (`xargs`, `parallel`).

use std::rc::Rc;

use super::{FILE, Output, Shell, Stdin, builtin::joined, invoke::program_name};
use crate::Flag;
use crate::arguments::{self, ParsedArguments};
use crate::program::{Program, ProgramWay, Role};
use crate::word::{Bound, Word, WordPiece};

impl Shell<'_> {
    /// Inner commands, and command lines on standard input.
    #[inline(never)] // Most calls do not come here, and touch fewer pages without it.
    pub(super) fn inner(
        &mut self,
        program: &Program,
        name: &str,
        words: &[Word],
        arguments: &ParsedArguments,
        env: &[(String, Word)],
        stdin: &Stdin,
    ) -> Option<Output> {
        let mut env = env.to_vec();
        env.extend(arguments.assignments.iter().cloned());
        let mut output = None;
        for inner in &arguments.embedded {
            let mut inner = inner.clone();
            let module = inner.first().and_then(Word::literal).filter(|_| program.is(ProgramWay::Modules)).map(|name| format!("module:{name}"));
            if let (Some(first), Some(module)) = (inner.first_mut(), module.filter(|module| self.programs.find(module).is_some())) {
                *first = Word { span: first.span, ..Word::lit(module) };
            }
            self.begun(name, inner, &env, stdin);
        }
        let args = words.get(1..).unwrap_or(&[]);
        match arguments.inner {
            Some((Role::Argv, start)) => {
                let behind = args.get(start..).unwrap_or(&[]);
                let mut inner = self.front(program, arguments, behind);
                inner.extend_from_slice(behind);
                let listed = arguments.value("--arg-file").filter(|_| program.appends).map(|file| {
                    // The words are in a file, and standard input is not read.
                    let path = self.path(file).word.to_string();
                    Stdin { text: self.state.written_text(&path), connected: true, ..Stdin::default() }
                });
                let stdin = listed.as_ref().unwrap_or(stdin);
                self.spend(stdin.text.as_ref().filter(|_| program.appends).map_or(0, |text| text.size()));
                let inners = if program.appends { appended(inner, arguments, stdin) } else { vec![inner] };
                let inside = if program.appends { Stdin::default() } else { stdin.clone() };
                if let Some(first) = inners.first().filter(|first| arguments.unsure && first.len() > 1) {
                    // An unknown option may have taken the next word as its value.
                    let shorter = first.get(1..).unwrap_or(&[]).to_vec();
                    self.unsurely(|shell| shell.within(name, |shell| shell.invoke(shorter, env.clone(), &inside)));
                }
                for inner in inners {
                    // What another program starts is no function; `time` is a word of the shell itself.
                    self.plain = !program.is(ProgramWay::Keyword);
                    output = self.begun(name, inner, &env, &inside);
                }
            }
            Some((Role::ShellRest, start)) => {
                let rest = args.get(start..).unwrap_or(&[]);
                let lines = if program.appends { fanned(rest, arguments, stdin) } else { vec![joined(rest)] };
                for line in lines {
                    output = self.within(name, |shell| shell.separate(|shell| shell.speaking(program, |shell| shell.text(&line, stdin))));
                }
            }
            _ => {}
        }
        if arguments.has("-EncodedCommand") {
            self.opaque(joined(words).to_string(), "the command line is encoded");
        }
        let reads = stdin.connected && arguments.text_from_stdin();
        let from = || stdin.program.clone().unwrap_or_else(|| "a pipe".to_owned());
        if let Some(text) = stdin.text.as_ref().filter(|_| stdin.connected && arguments.inner.is_none()) {
            self.escaped(program, text);
        }
        // As a script that is named: what was on the disk before is not read here.
        if !reads || (stdin.text.is_none() && stdin.file.is_none() && from_file(stdin)) {
            return output;
        }
        // What a file holds that standard input is connected to.
        let redirected = |shell: &mut Self, args: &[Word]| {
            let path = Word::lit(stdin.file.clone()?);
            shell.script_file(program, &path, &Word::lit("bash"), args, &Stdin::default())
        };
        if program.shell_stdin {
            match &stdin.text {
                Some(text) => {
                    let mut text = text.clone();
                    // A backslash at its very end continues in no line.
                    if let Some(WordPiece::Lit(last)) = Rc::make_mut(&mut text).pieces.last_mut()
                        && last.bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 1
                    {
                        last.pop();
                    }
                    let run = self.script_text(name, &text, &Word::lit("bash"), &arguments.operands, &Stdin::default());
                    // What runs later writes elsewhere.
                    output = Some(if program.is(ProgramWay::Later) { Output::unknown() } else { run });
                }
                None if stdin.file.is_some() => output = redirected(self, &arguments.operands),
                None => self.opaque(format!("{} | {name}", from()), "a command line comes out of a pipe"),
            }
        } else if arguments.from_stdin || reads_text(program, arguments) {
            match &stdin.text {
                Some(text) => self.code(program.language, &text.clone(), None),
                None if stdin.file.is_some() => drop(redirected(self, &[])),
                // Patches and lists of times come out of other programs; what they do is not this command's to know.
                None if program.language.is_empty() || matches!(program.language, "patch" | "cron") => {}
                None => self.opaque(format!("{} | {name}", from()), "a program text comes out of a pipe"),
            }
        }
        output
    }

    /// An inner command that a program starts.
    fn begun(&mut self, name: &str, words: Vec<Word>, env: &[(String, Word)], stdin: &Stdin) -> Option<Output> {
        self.within(name, |shell| match words.as_slice() {
            // One word with blanks is a command line, or nothing that runs (`git submodule foreach 'a; b'`).
            [line] if line.prefix().contains(' ') => shell.separate(|shell| shell.text(line, stdin)),
            _ => shell.invoke(words, env.to_vec(), stdin),
        })
    }

    /// The program of an inner command of which only the arguments are there.
    fn front(&self, program: &Program, arguments: &ParsedArguments, behind: &[Word]) -> Vec<Word> {
        if let Some(entry) = arguments.word(&[Role::Entrypoint]).filter(|entry| !entry.is("")) {
            return vec![entry.clone()];
        }
        if !program.runs.is_empty() {
            return vec![Word::lit(program.runs)];
        }
        // `alpine/git:latest`, `nixpkgs#git`
        let image = arguments.word(&[Role::Image]).and_then(Word::literal).and_then(|image| image.rsplit(['/', '#']).next()?.split([':', '@']).next());
        let known = |name: &str| self.programs.find(name).is_some();
        let named = behind.first().and_then(program_name).is_some_and(|name| known(&name));
        image.filter(|image| !named && known(image)).map(Word::lit).into_iter().collect()
    }
}

/// Whether the program takes text of its language from standard input where no file is named.
fn reads_text(program: &Program, arguments: &ParsedArguments) -> bool {
    let text = |(role, _): &(Role, bool)| matches!(role, Role::Script | Role::Code);
    !program.language.is_empty() && arguments::form(program, &arguments.flags).is_some_and(|form| form.operands.iter().any(text))
}

/// Whether standard input is a file and no pipe.
fn from_file(stdin: &Stdin) -> bool {
    stdin.program.as_deref() == Some(FILE)
}

/// The commands that `xargs` makes: the words added to its command, or one command for each line where a place is marked.
fn appended(mut inner: Vec<Word>, arguments: &ParsedArguments, stdin: &Stdin) -> Vec<Vec<Word>> {
    if inner.is_empty() {
        inner.push(Word::lit("echo"));
    }
    let replaced = arguments
        .flags
        .iter()
        .find(|flag| flag.is("-I") || flag.is("--replace"))
        .map(|flag| flag.value.as_ref().and_then(Word::literal).filter(|text| !text.is_empty()).unwrap_or("{}").to_owned());
    let items: Vec<Word> = match (&stdin.items, stdin.text.as_ref().map(|text| (text, text.literal()))) {
        (Some(items), _) => items.clone(),
        (None, Some((_, Some(text)))) => items_of(text, arguments, replaced.is_some()),
        (None, Some((text, None))) if names(text) => vec![Word { multi: true, ..named(text) }],
        (None, _) => vec![Word::several()],
    };
    match replaced {
        Some(mark) if items.len() <= MAX_LINES => {
            items.iter().map(|item| inner.iter().flat_map(|word| replace(word, &mark, std::slice::from_ref(item))).collect()).collect()
        }
        Some(mark) => vec![inner.into_iter().flat_map(|word| replace(&word, &mark, &items)).collect()],
        None => match at_once(arguments) {
            Some(count) if items.len() > count && items.len() <= MAX_LINES => items.chunks(count).map(|items| [&inner, items].concat()).collect(),
            _ => {
                inner.extend(items);
                vec![inner]
            }
        },
    }
}

/// The items that a text holds: what is between the marks that are asked for, else lines or words (xargs(1)).
fn items_of(text: &str, arguments: &ParsedArguments, lines: bool) -> Vec<Word> {
    let mark = match arguments.flags.iter().find(|flag| flag.is("--delimiter") || flag.is("--null")) {
        Some(flag) if flag.is("--null") => Some('\0'),
        Some(flag) => match flag.value.as_ref().and_then(Word::literal) {
            Some("\\n") => Some('\n'),
            Some("\\t") => Some('\t'),
            Some("\\0") => Some('\0'),
            other => other.and_then(|text| text.chars().next()),
        },
        None => None,
    };
    match mark {
        Some(mark) => text.strip_suffix(mark).unwrap_or(text).split(mark).map(Word::lit).collect(),
        None if lines => text.lines().map(|line| Word::lit(line.trim_start())).collect(),
        // Quotes and backslashes keep blanks.
        None => arguments::split(&Word::lit(text)),
    }
}

/// How many items each command gets at most.
fn at_once(arguments: &ParsedArguments) -> Option<usize> {
    let flag = arguments.flags.iter().rev().find(|flag| flag.is("--max-args") || flag.is("--max-lines") || flag.is("-L"))?;
    flag.value.as_ref().map_or(Some(1), |value| value.literal()?.parse().ok()).filter(|count| *count > 0)
}

/// Lines for which `xargs -I` is followed one by one.
const MAX_LINES: usize = 64;

/// Whether the text is made of nothing but names from a known producer.
pub(super) fn names(text: &Word) -> bool {
    let plain = |piece: &WordPiece| match piece {
        WordPiece::Any(bound) => bound.is_name(),
        WordPiece::Lit(text) => text.trim().is_empty(),
        WordPiece::Glob(_) => false,
    };
    text.has_hole() && text.pieces.iter().all(plain)
}

/// One of the names of which a text is made.
pub(super) fn named(text: &Word) -> Word {
    let file = text.pieces.contains(&WordPiece::Any(Bound::File));
    Word { pieces: vec![WordPiece::Any(if file { Bound::File } else { Bound::Name })], ..Word::default() }
}

/// The command lines that `parallel` makes of its template: one for each word behind `:::`, or of standard input.
fn fanned(words: &[Word], arguments: &ParsedArguments, stdin: &Stdin) -> Vec<Word> {
    let end = words.iter().position(|word| matches!(word.literal(), Some(":::" | ":::+" | "::::" | "::::+"))).unwrap_or(words.len());
    let (template, sources) = words.split_at_checked(end).unwrap_or((words, &[]));
    let items = sources.iter().filter(|word| !word.is(":::") && !word.is(":::+")).cloned().collect();
    let stdin = match sources.first() {
        Some(first) if first.prefix().starts_with("::::") => &Stdin::default(),
        Some(_) => &Stdin { items: Some(items), ..Stdin::default() },
        None => stdin,
    };
    if template.is_empty() {
        return stdin.items.clone().unwrap_or_default();
    }
    // What comes into the template is quoted for the shell.
    let listed = stdin.text.as_deref().and_then(Word::literal).map(|text| items_of(text, arguments, true));
    let items = stdin.items.as_ref().or(listed.as_ref()).map(|items| items.iter().map(quoted).collect());
    let stdin = &Stdin { items, ..stdin.clone() };
    let marked = ParsedArguments { flags: vec![Flag { names: vec!["-I".to_owned()], value: Some(Word::lit("{}")) }], ..ParsedArguments::default() };
    let marked = if template.iter().any(|word| word.prefix().contains("{}")) { &marked } else { arguments };
    appended(template.to_vec(), marked, stdin).iter().map(|words| joined(words)).collect()
}

/// A word as the shell is to find it again.
fn quoted(word: &Word) -> Word {
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_./=:+@".contains(&byte));
    word.literal().filter(|text| !plain(text)).map_or_else(|| word.clone(), |text| Word::lit(format!("'{}'", text.replace('\'', "'\\''"))))
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
