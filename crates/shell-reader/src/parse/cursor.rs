//! The place in the text: characters, line continuations, operators, reserved words, limits and faults.
//! What is made of them is in the other files.

use std::{cell::OnceCell, collections::BTreeMap, rc::Rc};

use super::arithmetic::Bracket;
use crate::ast::{Fault, RawWord, Span};

/// Constructs that can be in each other. Real scripts stay below ten; the machine stack is sized for this.
pub(super) const MAX_DEPTH: usize = 60;

/// Faults that are kept. More of them say nothing new.
const MAX_FAULTS: usize = 100;

/// How often each byte of the text may be read again, on average, before reading stops: a text that is not
/// what it seemed (`$((` that is no arithmetic) and texts within texts (backquotes, here-documents) are read again.
const READ_AGAIN: usize = 32;

/// What all readers of one text have in common, those of the texts within it included.
#[derive(Debug)]
pub(super) struct SharedReading {
    /// What was not read.
    pub(super) faults: Vec<Fault>,
    /// How many constructs are open.
    depth: usize,
    /// A limit was reached: from here on every reader finds the end of its text.
    pub(super) stopped: bool,
    /// Bytes that may still be read again.
    fuel: usize,
    /// Read as zsh reads.
    pub(super) zsh: bool,
}

impl SharedReading {
    pub(super) fn new(length: usize, zsh: bool) -> Self {
        let fuel = length.saturating_add(1024).saturating_mul(READ_AGAIN);
        Self { faults: Vec::new(), depth: 0, stopped: false, fuel, zsh }
    }
}

/// What would end the list that is being read: the reserved words and operators that an open construct waits for.
/// All others are out of place and are passed over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Closers(u16);

impl Closers {
    pub(super) const NONE: Self = Self(0);
    pub(super) const THEN: Self = Self(1);
    pub(super) const ELSE: Self = Self(1 << 1);
    pub(super) const FI: Self = Self(1 << 2);
    pub(super) const DO: Self = Self(1 << 3);
    pub(super) const DONE: Self = Self(1 << 4);
    pub(super) const ESAC: Self = Self(1 << 5);
    pub(super) const BRACE: Self = Self(1 << 6);
    pub(super) const PARENTHESIS: Self = Self(1 << 7);
    /// `}` as a character: the end of `${ …; }`.
    pub(super) const CHARACTER_BRACE: Self = Self(1 << 8);
    /// The `end` of `foreach`, in zsh.
    pub(super) const END: Self = Self(1 << 9);

    pub(super) const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// The reserved words that begin a command. `in` and `]]` are looked for where they can be only.
const BEGINNING: &[&str] = &["!", "{", "[[", "case", "coproc", "for", "function", "if", "select", "time", "until", "while"];
/// The reserved words that close something, and what must be open for one to be in command position.
const CLOSING: &[(&str, Closers)] = &[
    ("}", Closers::BRACE),
    ("do", Closers::DO),
    ("done", Closers::DONE),
    ("elif", Closers::ELSE),
    ("else", Closers::ELSE),
    ("end", Closers::END),
    ("esac", Closers::ESAC),
    ("fi", Closers::FI),
    ("then", Closers::THEN),
];

/// What must be open for a reserved word to be in command position. `None`: it begins a command.
pub(super) fn closer(reserved: &str) -> Option<Closers> {
    CLOSING.iter().find(|(word, _)| *word == reserved).map(|(_, closer)| *closer)
}

/// Blanks separate words. A carriage return does not: it is a character of the word, as in bash.
pub(super) const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// Characters that end a word unless quoted.
pub(super) const fn is_metacharacter(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b';' | b'&' | b'|' | b'<' | b'>' | b'(' | b')')
}

pub(super) const fn begins_name(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_'
}

pub(super) const fn continues_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Whether a line continuation is at the end: one whose backslash is not itself escaped.
fn continues_at_end(bytes: &[u8]) -> bool {
    bytes.strip_suffix(b"\n").is_some_and(|line| line.iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1)
}

/// A here-document whose body is still to come.
#[derive(Debug)]
pub(super) struct Pending {
    /// Its place in the redirection.
    pub(super) body: Rc<OnceCell<RawWord>>,
    /// The line that ends it.
    pub(super) delimiter: String,
    /// A quoted delimiter: the body is data.
    pub(super) quoted: bool,
    /// `<<-`: leading tabs are dropped.
    pub(super) strip_tabs: bool,
    /// Where its operator ended.
    pub(super) from: usize,
    /// Where the substitution ended that it was in, if that was closed before the body came.
    pub(super) late: Option<usize>,
}

/// Where the characters of a text are in the one that was given.
#[derive(Clone, Copy, Debug)]
pub(super) enum Origin {
    /// All from this byte on.
    From(usize),
    /// Somewhere in there.
    Within(Span),
}

/// A reader of one text.
#[derive(Debug)]
pub(super) struct ShellReader<'t, 's> {
    pub(super) text: &'t str,
    pub(super) pos: usize,
    /// Reading ends here.
    pub(super) end: usize,
    /// For a text within a text: where it is in the one that was given.
    base: Option<usize>,
    origin: Origin,
    pub(super) closers: Closers,
    /// Here-documents whose bodies begin after the next line end.
    pub(super) pending: Vec<Pending>,
    /// Within `$( … )`: a here-document may end in `EOF)`.
    pub(super) in_substitution: bool,
    /// The body of a here-document was read in the substitution.
    pub(super) after_here_document: bool,
    /// Where brackets are closed, by where their content begins. Looking for that reads what is in them: without this
    /// table, brackets in brackets would be read twice to the power of the depth.
    pub(super) closings: BTreeMap<(usize, Bracket), Option<usize>>,
    /// Up to here the text was taken for `((` arithmetic and put back.
    pub(super) put_back: usize,
    /// The first pattern with parentheses in the array that is being read.
    pub(super) pattern_at: Option<usize>,
    /// The last line end of the text.
    pub(super) last_line_end: Option<usize>,
    /// The last line end within single quotes.
    pub(super) quoted_line_end: Option<usize>,
    /// Bash gave up the line, and continues at its end as if nothing were open. Until then, nothing is left to read.
    pub(super) given_up: Option<usize>,
    pub(super) shared: &'s mut SharedReading,
}

impl<'t, 's> ShellReader<'t, 's> {
    pub(super) fn new(text: &'t str, base: Option<usize>, origin: Origin, shared: &'s mut SharedReading) -> Self {
        Self {
            text,
            pos: 0,
            end: text.len(),
            base,
            origin,
            closers: Closers::NONE,
            pending: Vec::new(),
            in_substitution: false,
            after_here_document: false,
            closings: BTreeMap::new(),
            put_back: 0,
            pattern_at: None,
            last_line_end: text.rfind('\n'),
            quoted_line_end: None,
            given_up: None,
            shared,
        }
    }

    /// The byte here, line continuations included.
    pub(super) fn raw(&self) -> Option<u8> {
        if self.pos >= self.end || self.is_over() {
            return None;
        }
        self.text.as_bytes().get(self.pos).copied()
    }

    /// Nothing more is read, or nothing of what is open.
    pub(super) fn is_over(&self) -> bool {
        self.shared.stopped || self.given_up.is_some()
    }

    /// The byte at a place of the text, if it is to be read.
    pub(super) fn byte_at(&self, pos: usize) -> Option<u8> {
        if pos >= self.end {
            return None;
        }
        self.text.as_bytes().get(pos).copied()
    }

    /// The next byte. Line continuations in front of it are passed over.
    pub(super) fn peek(&mut self) -> Option<u8> {
        loop {
            let byte = self.raw()?;
            if byte != b'\\' || self.byte_at(self.pos + 1) != Some(b'\n') {
                return Some(byte);
            }
            self.pos += 2;
        }
    }

    /// The byte that is so many bytes behind the next one.
    pub(super) fn peek_ahead(&mut self, bytes: usize) -> Option<u8> {
        let here = self.pos;
        let mut next = self.peek();
        for _ in 0..bytes {
            if next.is_some() {
                self.bump();
                next = self.peek();
            }
        }
        self.pos = here;
        next
    }

    /// The byte after the next one.
    pub(super) fn peek_second(&mut self) -> Option<u8> {
        self.peek_ahead(1)
    }

    /// Passes over the byte that [`Self::peek`] showed. Only for ASCII.
    pub(super) fn bump(&mut self) {
        self.pos += 1;
    }

    pub(super) fn looking_at(&mut self, operator: &str) -> bool {
        let here = self.pos;
        let found = self.eat(operator);
        self.pos = here;
        found
    }

    /// Passes over the operator, if it is next, line continuations between its characters or not.
    pub(super) fn eat(&mut self, operator: &str) -> bool {
        let here = self.pos;
        for wanted in operator.bytes() {
            if self.peek() != Some(wanted) {
                self.pos = here;
                return false;
            }
            self.bump();
        }
        true
    }

    /// The next character, which is passed over.
    pub(super) fn take_char(&mut self) -> Option<char> {
        self.raw()?;
        let next = self.text.get(self.pos..self.end)?.chars().next()?;
        self.pos += next.len_utf8();
        Some(next)
    }

    /// The text from here up to a byte that `ends` names, which is passed over. Line continuations are not looked for.
    pub(super) fn take_run(&mut self, ends: impl Fn(u8) -> bool) -> &'t str {
        if self.raw().is_none() {
            return "";
        }
        let text = self.text;
        let rest = text.get(self.pos..self.end).unwrap_or_default();
        let length = rest.bytes().position(ends).unwrap_or(rest.len());
        self.pos += length;
        rest.get(..length).unwrap_or_default()
    }

    /// Reads as if the text ended there, and passes over what was left.
    pub(super) fn up_to<T>(&mut self, end: usize, read: impl FnOnce(&mut Self) -> T) -> T {
        let outer = self.end;
        self.end = end.min(outer);
        let result = read(self);
        self.pos = self.end;
        self.end = outer;
        result
    }

    /// The identifier here, which is passed over.
    pub(super) fn take_name(&mut self) -> Option<String> {
        if !begins_name(self.peek()?) {
            return None;
        }
        let mut name = String::new();
        while self.peek().is_some_and(continues_name) {
            name.push_str(self.take_run(|byte| !continues_name(byte)));
        }
        Some(name)
    }

    /// The bare word here, if it is at most `limit` bytes long, and where it ends.
    fn short_word<const LIMIT: usize>(&mut self) -> Option<([u8; LIMIT], usize, usize)> {
        let here = self.pos;
        let mut word = [0; LIMIT];
        let mut length = 0;
        while let Some(byte) = self.peek().filter(|&byte| !is_metacharacter(byte)) {
            let Some(slot) = word.get_mut(length) else {
                self.pos = here;
                return None;
            };
            *slot = byte;
            length += 1;
            self.bump();
        }
        let end = self.pos;
        self.pos = here;
        Some((word, length, end))
    }

    /// The reserved word that is next, and where it ends.
    pub(super) fn reserved(&mut self) -> Option<(&'static str, usize)> {
        // Most words are reported by their first letter.
        if !matches!(self.peek()?, b'!' | b'{' | b'}' | b'[' | b'c'..=b'f' | b'i' | b's'..=b'u' | b'w') {
            return None;
        }
        if self.opens_group() {
            return Some(("{", self.pos + 1));
        }
        let (word, length, end) = self.short_word::<8>()?;
        let word = word.get(..length)?;
        let mut all = BEGINNING.iter().copied().chain(CLOSING.iter().map(|(word, _)| *word));
        let known = all.find(|known| known.as_bytes() == word)?;
        // Only zsh knows `end`, where a loop waits for it.
        (known != "end" || self.closers.has(Closers::END)).then_some((known, end))
    }

    /// Whether a brace is next that begins a list in zsh, where no blank need be behind it. `{name}>` is a descriptor.
    fn opens_group(&mut self) -> bool {
        let rest = if self.shared.zsh { self.text.get(self.pos..).and_then(|rest| rest.strip_prefix('{')) } else { None };
        rest.is_some_and(|rest| {
            let name = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
            !rest.get(name..).is_some_and(|behind| name > 0 && (behind.starts_with("}<") || behind.starts_with("}>")))
        })
    }

    /// Passes over an unquoted word, if exactly this is next.
    pub(super) fn eat_word(&mut self, wanted: &str) -> bool {
        if wanted == "{" && self.opens_group() {
            self.bump();
            return true;
        }
        match self.short_word::<8>() {
            Some((word, length, end)) if word.get(..length) == Some(wanted.as_bytes()) => {
                self.pos = end;
                true
            }
            _ => false,
        }
    }

    /// Passes over blanks and a comment. To be asked between words only: there `#` begins a comment.
    pub(super) fn skip_blanks(&mut self) {
        while self.peek().is_some_and(is_blank) {
            self.bump();
        }
        if self.raw() == Some(b'#') {
            // A backslash at the end of a comment continues nothing.
            let comment = self.take_run(|byte| byte == b'\n');
            if self.closers.has(Closers::CHARACTER_BRACE) && comment.contains('}') {
                // Before bash 5.3, `${ …` is no list, and ends at this brace.
                self.unread("a brace in a comment within `${ … }`");
            }
        }
    }

    /// Passes over blanks, comments and line ends, and takes the here-documents that begin there.
    pub(super) fn skip_lines(&mut self) {
        loop {
            self.skip_blanks();
            if self.raw() != Some(b'\n') {
                return;
            }
            self.end_line();
        }
    }

    /// Reads one construct deeper. `None`: that is too deep, and reading has stopped.
    pub(super) fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.shared.depth >= MAX_DEPTH {
            self.stop("nested too deep");
            return None;
        }
        self.shared.depth += 1;
        let result = read(self);
        self.shared.depth = self.shared.depth.saturating_sub(1);
        Some(result)
    }

    /// Passes over the sign that closes what began at `start`.
    pub(super) fn close(&mut self, sign: u8, missing: &'static str, start: usize) {
        if self.peek() == Some(sign) {
            self.bump();
        } else {
            self.fault_at(missing, start);
        }
    }

    /// Some bytes are to be read again. False: that has been done too often, and reading has stopped.
    pub(super) fn read_again(&mut self, bytes: usize) -> bool {
        let Some(rest) = self.shared.fuel.checked_sub(bytes) else {
            self.stop("too involved to read");
            return false;
        };
        self.shared.fuel = rest;
        !self.shared.stopped
    }

    fn stop(&mut self, what: &'static str) {
        if !self.shared.stopped {
            self.unread(what);
            self.shared.stopped = true;
        }
    }

    /// The shell would refuse what is here.
    pub(super) fn fault(&mut self, what: &'static str) {
        self.fault_at(what, self.pos);
    }

    /// The shell would refuse what is there. One fault for a place: the ones that follow from it say nothing new.
    pub(super) fn fault_at(&mut self, what: &'static str, pos: usize) {
        let at = self.base.unwrap_or(pos);
        let faults = &mut self.shared.faults;
        if self.shared.stopped || self.given_up.is_some() || faults.len() >= MAX_FAULTS || faults.iter().rev().take(4).any(|fault| fault.at == at) {
            return;
        }
        faults.push(Fault { what, at, refused_by_shell: true });
    }

    /// Bash does not run the line. It does run the ones below.
    pub(super) fn give_up_line(&mut self) {
        if self.take_run(|byte| byte == b'\n').ends_with('\\') {
            self.unread("a line that cannot be read continues in the next one");
        }
        self.given_up = Some(self.pos);
    }

    /// Continues below a line that was given up, if there is one.
    pub(super) fn go_on(&mut self) -> bool {
        let Some(line_end) = self.given_up.take() else { return false };
        self.pos = line_end;
        self.pending.clear();
        true
    }

    /// What is here is not read as the shell reads it, and what is hidden may run.
    pub(super) fn unread(&mut self, what: &'static str) {
        let at = self.base.unwrap_or(self.pos);
        self.shared.faults.push(Fault { what, at, refused_by_shell: false });
    }

    /// Reads a text that is at `pos` of this one. `None`: a limit was reached.
    pub(super) fn within<T>(&mut self, text: &str, pos: usize, origin: Origin, read: impl FnOnce(&mut ShellReader<'_, '_>) -> T) -> Option<T> {
        let base = self.base.unwrap_or(pos);
        self.deeper(|outer| outer.read_again(text.len()).then(|| read(&mut ShellReader::new(text, Some(base), origin, outer.shared)))).flatten()
    }

    /// The origin of a text that is between two places of this one. Reading it out of there only ever drops
    /// characters: one that is as long is the same.
    pub(super) fn origin_of(&self, text: &str, from: usize, to: usize) -> Origin {
        match self.origin {
            Origin::From(base) if to.checked_sub(from) == Some(text.len()) => Origin::From(base + from),
            _ => Origin::Within(self.span_to(from, to)),
        }
    }

    /// The span from there to here.
    pub(super) fn span(&self, from: usize) -> Span {
        self.span_to(from, self.pos)
    }

    /// The span between two places of this text, without line continuations at its ends.
    pub(super) fn span_to(&self, from: usize, to: usize) -> Span {
        let base = match self.origin {
            Origin::From(base) => base,
            Origin::Within(span) => return span,
        };
        // Behind a line that is given up, nothing belongs to what was open.
        let most = self.given_up.unwrap_or(self.text.len());
        let mut from = from.min(most);
        let mut to = to.clamp(from, most);
        let bytes = self.text.as_bytes();
        // Nearly always, one look at each end shows that there is no continuation. What is missing is before them.
        while to > 0 && bytes.get(to - 1) == Some(&b'\n') && bytes.get(if from < to { from } else { 0 }..to).is_some_and(continues_at_end) {
            to -= 2;
            from = from.min(to);
        }
        while from < to && bytes.get(from) == Some(&b'\\') && bytes.get(from..to).is_some_and(|bytes| bytes.starts_with(b"\\\n")) {
            from += 2;
        }
        Span::of(base + from..base + to)
    }
}
