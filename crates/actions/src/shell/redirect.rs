//! Redirections: what a command reads and where its output goes, and the paths that they name.

use std::{borrow::Cow, rc::Rc};

use super::{FILE, Output, Shell, Stdin};
use crate::word::{Bound, Word, WordPiece};
use crate::{Change, Deed, Edited, Write, path::Path};
use shell_reader::ast::{Part, RawWord, Redirect, Target};

impl Shell<'_> {
    /// Follows redirections in order: what is read becomes standard input, what is written is noted with unknown text
    /// (known text is filled in by [`Self::send`]).
    pub(super) fn redirect_all<'s>(&mut self, redirects: &[Redirect], stdin: &'s Stdin) -> Cow<'s, Stdin> {
        if redirects.is_empty() { Cow::Borrowed(stdin) } else { self.redirected(redirects, stdin) }
    }

    #[inline(never)] // Most calls do not come here, and touch fewer pages without it.
    fn redirected<'s>(&mut self, redirects: &[Redirect], stdin: &'s Stdin) -> Cow<'s, Stdin> {
        let mut stdin = Cow::Borrowed(stdin);
        for redirect in redirects {
            let input = redirect.fd.as_deref().is_none_or(|fd| fd == "0");
            match &redirect.to {
                Target::HereDocument(body) => {
                    let mark = self.word_mark();
                    let text = body.get().map(|body| self.scalar(body)).unwrap_or_default();
                    let holds = self.in_words(mark);
                    self.numbered(redirect, &Rc::new(text.clone()));
                    if input {
                        stdin = Cow::Owned(Stdin { text: Some(Rc::new(text)), connected: true, holds, ..Stdin::default() });
                    }
                }
                Target::HereString(word) => {
                    let mark = self.word_mark();
                    let mut text = self.scalar(word);
                    let holds = self.in_words(mark);
                    text.push_lit("\n");
                    self.numbered(redirect, &Rc::new(text.clone()));
                    if input {
                        stdin = Cow::Owned(Stdin { text: Some(Rc::new(text)), connected: true, holds, ..Stdin::default() });
                    }
                }
                Target::Read(word) => {
                    // A pattern is expanded where it names one file.
                    let pattern = self.fields(word).into_iter().next().filter(|word| word.pieces.iter().any(|piece| matches!(piece, WordPiece::Glob(_))));
                    let named = pattern.and_then(|pattern| self.only_file(&pattern));
                    let word = named.map_or_else(|| self.scalar(word), Word::lit);
                    let path = self.path(&word);
                    if let (false, Some(file), Some(number)) = (input, path.word.literal(), descriptor(redirect)) {
                        self.state.copy(file, &number);
                    }
                    let mut holds = Vec::new();
                    if !is_device(&path) && !path.word.prefix().starts_with("/dev/") {
                        // Without the file, the command does not run.
                        self.faulty |= path.word.literal().is_none_or(|path| self.state.written_text(path).is_none());
                        holds.push(self.reads(path.clone(), None));
                    }
                    if input {
                        if path.word.prefix().starts_with("/dev/tcp/") || path.word.prefix().starts_with("/dev/udp/") {
                            // Bash itself connects (bash(1), "REDIRECTION"): what comes is not known.
                            stdin = Cow::Owned(Stdin { program: Some("the network".to_owned()), connected: true, ..Stdin::default() });
                            continue;
                        }
                        let empty = path.word.is("/dev/null").then(Rc::default);
                        let text = empty.or_else(|| self.state.written_text(&path.word.to_string()));
                        let file = path.word.literal().map(str::to_owned);
                        stdin = Cow::Owned(Stdin { program: Some(FILE.to_owned()), text, connected: true, file, holds, ..Stdin::default() });
                    }
                    if !is_device(&path) && path.word.prefix().starts_with("/dev/") {
                        self.faulty |= path.word.literal().is_none_or(|path| self.state.written_text(path).is_none());
                        self.reads(path, None);
                    }
                }
                Target::ReadWrite(word) => {
                    let word = self.scalar(word);
                    self.numbered(redirect, &Rc::new(Word::unknown()));
                    self.write(&word, Change::Unknown, None);
                }
                // Without a command behind it a file is made empty or left; either way it is written.
                Target::Write(word) | Target::Append(word) => self.faulty |= is_odd_device(word),
                Target::Duplicate { word, output: false } if input && !matches!(word.parts.as_slice(), [Part::Text(text)] if text == "0" || text == "-") => {
                    // `<&3`: what was opened under that number.
                    let path = Word::lit(format!("/dev/fd/{}", self.scalar(word)));
                    let text = self.state.written_text(&path.to_string());
                    let file = path.literal().and_then(|path| self.state.copied_from(path));
                    let read = file.as_ref().map(|file| self.reads(Path { shown: file.clone(), word: Word::lit(file.as_str()) }, None));
                    let holds = read.into_iter().collect();
                    stdin = Cow::Owned(Stdin { program: file.is_some().then(|| FILE.to_owned()), text, connected: true, file, holds, ..Stdin::default() });
                }
                Target::Duplicate { word, .. } => {
                    self.faulty |= !matches!(word.parts.as_slice(), [Part::Text(text)] if matches!(text.as_str(), "0" | "1" | "2" | "-"));
                }
            }
        }
        stdin
    }

    /// Notes the text that is opened under a number other than that of standard input.
    fn numbered(&mut self, redirect: &Redirect, text: &Rc<Word>) {
        let Some(number) = descriptor(redirect) else { return };
        self.state.write(&number, Rc::clone(text));
        if let Some(name) = redirect.fd.as_deref().filter(|name| name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')) {
            // `{NAME}<<< TEXT`: the shell chooses the number.
            self.state.set(name, Word::lit(name));
        }
    }

    /// Sends what a command writes to the files its redirections name; gives what is left on standard output.
    /// `mark`: where the flow of its texts begins.
    pub(super) fn send(&mut self, redirects: &[Redirect], output: Output, mark: usize) -> Output {
        let (mut kept, mut away) = (true, false);
        let from = if redirects.is_empty() { Vec::new() } else { self.flowing(mark) };
        for redirect in redirects {
            let stdout = redirect.fd.as_deref().is_none_or(|fd| fd == "1");
            let (word, append) = match &redirect.to {
                Target::Write(word) => (word, false),
                Target::Append(word) => (word, true),
                Target::Duplicate { word, output: true } => {
                    let target = self.scalar(word);
                    let descriptor = target.literal().is_some_and(|text| text == "-" || text.trim_end_matches('-').bytes().all(|byte| byte.is_ascii_digit()));
                    if descriptor || (redirect.fd.is_some() && !target.prefix().contains('/')) {
                        kept &= !stdout;
                        continue;
                    }
                    // Bash expands the name of the file a second time.
                    self.again(&target.to_string());
                    (word, false)
                }
                _ => continue,
            };
            let target = self.scalar(word);
            if stdout && (target.prefix().starts_with("/dev/tcp/") || target.prefix().starts_with("/dev/udp/")) {
                let reads = self.flowed(mark);
                self.send_off(&reads);
            }
            let change = if stdout { self.sent(&target, output.text.as_ref(), output.file.as_deref(), append) } else { Change::Unknown };
            let one_of_many = target.pieces.iter().any(|piece| matches!(piece, WordPiece::Glob(_) | WordPiece::Any(Bound::File)));
            if one_of_many && !append && change == Change::Unknown {
                self.write(&target, Change::Tree(Vec::new()), None);
            }
            let unknown = stdout && matches!(change, Change::Unknown | Change::AppendUnknown);
            let change = match &output.made {
                made if unknown && (made.is_some() || !from.is_empty()) => Change::Edited(Edited {
                    from: from.clone(),
                    append: made.is_none() && change == Change::AppendUnknown,
                    ..made.as_deref().cloned().unwrap_or_default()
                }),
                _ => change,
            };
            away |= stdout;
            self.write(&target, change, None);
            kept &= !stdout;
        }
        if away {
            self.flowed(mark);
        }
        if kept { output } else { Output::nothing() }
    }

    /// Remembers what a file holds to which a text was sent, or what another file holds; gives what becomes of its text.
    pub(super) fn sent(&mut self, target: &Word, text: Option<&Rc<Word>>, file: Option<&str>, append: bool) -> Change {
        self.spend(text.map_or(0, |text| text.size()));
        let path = &self.path(target).word.to_string();
        let stands = text.cloned().unwrap_or_else(|| Rc::new(Word::unknown()));
        match file {
            Some(file) if !append => self.state.copy(file, path),
            _ if append => self.state.append(path, stands),
            _ => self.state.write(path, stands),
        }
        match (text.and_then(|text| text.literal()), append) {
            (Some(text), false) => Change::Whole(text.to_owned()),
            (Some(text), true) => Change::Append(text.to_owned()),
            (None, append) => match file {
                Some(file) => Change::Copy { from: file.to_owned(), append },
                None if append => Change::AppendUnknown,
                None => Change::Unknown,
            },
        }
    }

    /// Notes a write, unless it is to a device that keeps nothing.
    pub(super) fn write(&mut self, word: &Word, change: Change, from: Option<usize>) {
        let path = self.path(word);
        if !is_device(&path) {
            self.push(Deed::Write(Write { path, change }), from);
        }
    }

    /// The path a word means in the present folder.
    pub(super) fn path(&self, word: &Word) -> Path {
        let cwd = if self.remote && self.mounts.is_none() { Word::unknown() } else { self.state.place.cwd.clone() };
        let path = Path::resolve(&cwd, word);
        if let Some(mounts) = &self.mounts {
            let path = outside(path, mounts, &self.setting.temporary);
            return Path { word: Word { span: word.span, ..path.word }, ..path };
        }
        if let Some(number) = path.word.literal().and_then(|path| path.strip_prefix("/proc/self/fd/")) {
            return Path { word: Word { span: word.span, ..Word::lit(format!("/dev/fd/{number}")) }, ..path };
        }
        match self.state.through_links(path.word.prefix()) {
            Some(target) => {
                let mut word = Word { span: word.span, ..Word::lit(target) };
                word.extend(&path.word.without_prefix(path.word.prefix().len()));
                Path { word: Path::resolve(&Word::lit("/"), &word).word, shown: path.shown }
            }
            None => path,
        }
    }
}

/// The name of the file that a redirection opens under a number, if that is not standard input.
fn descriptor(redirect: &Redirect) -> Option<String> {
    redirect.fd.as_deref().filter(|fd| *fd != "0").map(|fd| format!("/dev/fd/{fd}"))
}

/// Where a path of a container leads on this machine. What is the container's own goes when it goes.
fn outside(path: Path, mounts: &[(String, Word)], temporary: &str) -> Path {
    let text = path.word.prefix();
    if !text.starts_with('/') {
        return path;
    }
    let below = |inside: &str| text.strip_prefix(inside).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let above = |inside: &str| inside.strip_prefix(text.trim_end_matches('/')).is_some_and(|rest| rest.starts_with('/'));
    let found = mounts.iter().filter(|(inside, _)| below(inside)).max_by_key(|(inside, _)| inside.len());
    let mut word = match (found, mounts.iter().find(|(inside, _)| above(inside))) {
        (Some((inside, host)), _) => {
            let mut word = host.clone();
            word.extend(&path.word.without_prefix(inside.len()));
            word
        }
        (None, Some((_, host))) => host.clone(),
        (None, None) => {
            let mut word = Word::lit(format!("{temporary}/a container's own"));
            word.extend(&path.word);
            word
        }
    };
    word.multi = path.word.multi;
    Path { shown: path.shown, ..Path::resolve(&Word::lit("/"), &word) }
}

/// Whether a file is meant that nobody, or only the administrator, can make.
fn is_odd_device(word: &RawWord) -> bool {
    let text: String = word.parts.iter().map(|part| if let Part::Text(text) | Part::Quoted(text) = part { text } else { "" }).collect();
    let known = word.parts.iter().all(|part| matches!(part, Part::Text(_) | Part::Quoted(_)));
    let odd = text.starts_with("/dev/") || text.starts_with("/proc/") || text.strip_prefix('/').is_some_and(|name| !name.contains('/'));
    known && odd && !is_device(&Path::resolve(&Word::lit("/"), &Word::lit(text)))
}

/// `/dev/null` and its kind keep nothing.
fn is_device(path: &Path) -> bool {
    path.word.literal().is_some_and(|text| {
        matches!(text, "/dev/null" | "/dev/stdout" | "/dev/stderr" | "/dev/stdin" | "/dev/tty" | "/dev/zero" | "/dev/full") || text.starts_with("/dev/fd/")
    })
}
