//! Arithmetic: `$(( … ))`, `$[ … ]`, `(( … ))`, subscripts and offsets. Its value is not computed here; what counts are
//! the substitutions in it, and where it ends.

use super::super::ast::{Command, Part, RawWord, Script};
use super::cursor::{Closers, Reader};
use super::words::{Quoting, push_quoted, push_text};

/// What may end an expression.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// The bracket that nests.
    pub(super) open: u8,
    /// Its partner, which ends the expression.
    pub(super) close: u8,
    /// A `}` ends it too: it stands in `${ … }`.
    pub(super) in_braces: bool,
    /// A `:` that belongs to no `?` ends it, and `close` does not.
    pub(super) to_colon: bool,
}

/// What ended an expression. Only a bracket is passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EndedBy {
    Bracket,
    Brace,
    Colon,
    Text,
}

const PARENTHESES: Bounds = Bounds { open: b'(', close: b')', in_braces: false, to_colon: false };
const BRACKETS: Bounds = Bounds { open: b'[', close: b']', in_braces: false, to_colon: false };

impl Reader<'_, '_> {
    /// An expression whose opening bracket has been read.
    pub(super) fn expression_into(&mut self, parts: &mut Vec<Part>, bounds: Bounds) -> EndedBy {
        let mut open = 1_usize;
        let mut conditions = 0_usize;
        while let Some(byte) = self.peek() {
            match byte {
                b'}' if bounds.in_braces => return EndedBy::Brace,
                b':' if bounds.to_colon && open == 1 => {
                    if conditions == 0 {
                        return EndedBy::Colon;
                    }
                    conditions -= 1;
                    self.character(parts, byte);
                }
                b'?' if bounds.to_colon => {
                    conditions += 1;
                    self.character(parts, byte);
                }
                b'\\' => {
                    self.bump();
                    match self.take_char() {
                        Some(escaped @ ('$' | '`' | '"' | '\\')) => push_quoted(parts, escaped.encode_utf8(&mut [0; 4])),
                        Some(other) => {
                            push_text(parts, "\\");
                            push_text(parts, other.encode_utf8(&mut [0; 4]));
                        }
                        None => push_text(parts, "\\"),
                    }
                }
                b'\'' => {
                    let start = self.pos;
                    let text = self.single_quoted();
                    self.expanded_in_quotes(text, start, parts);
                }
                b'"' => self.double_quoted(parts),
                b'`' => self.backquoted(parts, true, false),
                b'$' if self.peek_second() == Some(b'\'') => {
                    let start = self.pos;
                    self.bump();
                    self.peek();
                    let text = self.ansi_c_quoted();
                    self.expanded_in_quotes(&text, start, parts);
                }
                b'$' => self.dollar(parts, Quoting::Double),
                _ if byte == bounds.open => {
                    open += 1;
                    self.character(parts, byte);
                }
                _ if byte == bounds.close && open > 1 => {
                    open -= 1;
                    self.character(parts, byte);
                }
                _ if byte == bounds.close && !bounds.to_colon => {
                    self.bump();
                    return EndedBy::Bracket;
                }
                _ if byte == bounds.close => self.character(parts, byte),
                _ => {
                    let run = self.take_run(|next| {
                        matches!(next, b'\\' | b'\'' | b'"' | b'`' | b'$' | b'}' | b':' | b'?')
                            || next == bounds.open
                            || next == bounds.close
                    });
                    if run.is_empty() {
                        self.character(parts, byte);
                    } else {
                        push_text(parts, run);
                    }
                }
            }
        }
        EndedBy::Text
    }

    fn character(&mut self, parts: &mut Vec<Part>, byte: u8) {
        self.bump();
        push_text(parts, char::from(byte).encode_utf8(&mut [0; 4]));
    }

    /// `$(( … ))`, or `$( ( … ) … )`. The next byte is the second parenthesis.
    ///
    /// Bash looks for the `)` that ends the whole first, by counting parentheses; the text is arithmetic if the second
    /// parenthesis is closed right in front of it. If not, what stands between is a list.
    pub(super) fn arithmetic_or_substitution(&mut self, quoted: bool) -> Part {
        let start = self.pos;
        if !self.enter() {
            return Part::Command { script: Script::default(), quoted };
        }
        let part = match self.not_arithmetic.get(&start).copied() {
            Some(close) => self.substitution_to(close, quoted),
            None => self.arithmetic_attempt(quoted),
        };
        self.leave();
        part
    }

    fn arithmetic_attempt(&mut self, quoted: bool) -> Part {
        let start = self.pos;
        let faults = self.shared.faults.len();
        let pending = self.pending.len();
        self.bump();
        let mut expression = RawWord::default();
        let mut ended = self.expression_into(&mut expression.parts, PARENTHESES);
        if ended == EndedBy::Bracket && self.peek() == Some(b')') {
            self.bump();
            return Part::Arithmetic { expression, quoted };
        }
        if ended == EndedBy::Bracket {
            ended = self.expression_into(&mut expression.parts, PARENTHESES);
        }
        if self.shared.stopped {
            // No second try: what was found is kept.
            return Part::Arithmetic { expression, quoted };
        }
        let close = (ended == EndedBy::Bracket).then(|| self.pos - 1);
        self.not_arithmetic.insert(start, close);
        self.shared.faults.truncate(faults);
        self.pending.truncate(pending);
        self.read_again(self.pos - start);
        self.pos = start;
        self.substitution_to(close, quoted)
    }

    /// The list of a substitution that ends at a known place, or, if none was found, wherever it does.
    fn substitution_to(&mut self, close: Option<usize>, quoted: bool) -> Part {
        let Some(close) = close.filter(|&close| close < self.end) else {
            return Part::Command { script: self.enclosed_list(), quoted };
        };
        let outer = std::mem::replace(&mut self.end, close);
        let script = self.substituted(Closers::NONE, |reader| {
            let script = reader.whole();
            reader.pos = close + 1;
            script
        });
        self.end = outer;
        Part::Command { script, quoted }
    }

    /// `$[ … ]`, whose bracket has been read.
    pub(super) fn bracketed_arithmetic(&mut self, quoted: bool) -> Part {
        let start = self.pos;
        let mut expression = RawWord::default();
        if self.enter() {
            if self.expression_into(&mut expression.parts, BRACKETS) != EndedBy::Bracket {
                self.fault_at("unterminated arithmetic", start);
            }
            self.leave();
        }
        Part::Arithmetic { expression, quoted }
    }

    /// `[ … ]` after a variable's name, whose bracket has been read. False: the closing one is missing.
    pub(super) fn subscript(&mut self, in_braces: bool) -> (RawWord, bool) {
        let mut word = RawWord::default();
        let mut closed = false;
        if self.enter() {
            closed = self.expression_into(&mut word.parts, Bounds { in_braces, ..BRACKETS }) == EndedBy::Bracket;
            self.leave();
        }
        (word, closed)
    }

    /// An offset or a length of `${name:offset:length}`.
    pub(super) fn offset(&mut self, to_colon: bool) -> RawWord {
        let mut word = RawWord::default();
        let bounds = Bounds { in_braces: true, to_colon: true, ..PARENTHESES };
        while self.expression_into(&mut word.parts, bounds) == EndedBy::Colon && !to_colon {
            self.character(&mut word.parts, b':');
        }
        word
    }

    /// `(( … ))` as a command, or the expressions of `for ((`. None, and nothing passed over: it is no arithmetic.
    pub(super) fn double_parentheses(&mut self) -> Option<RawWord> {
        let start = self.pos;
        if self.not_arithmetic.contains_key(&start) {
            return None;
        }
        let faults = self.shared.faults.len();
        let pending = self.pending.len();
        if !self.eat("((") {
            return None;
        }
        let mut expression = RawWord::default();
        let ended = self.expression_into(&mut expression.parts, PARENTHESES);
        if ended == EndedBy::Bracket && self.raw() == Some(b')') {
            self.bump();
            return Some(expression);
        }
        if self.shared.stopped {
            return Some(expression);
        }
        self.not_arithmetic.insert(start, None);
        self.shared.faults.truncate(faults);
        self.pending.truncate(pending);
        self.read_again(self.pos - start);
        self.pos = start;
        None
    }

    /// `(( … ))` where a command may stand. None: it is a subshell in a subshell.
    pub(super) fn arithmetic_command(&mut self) -> Option<Command> {
        if !self.looking_at("((") {
            return None;
        }
        let expression = self.double_parentheses()?;
        let redirects = self.redirects();
        Some(Command::Arithmetic { expression, redirects })
    }
}
