//! Arithmetic: `$(( … ))`, `$[ … ]`, `(( … ))`, subscripts and offsets. Its value is not computed here; what counts are
//! the substitutions in it, and where it ends.

use super::cursor::{Closers, Origin, ShellReader};
use super::words::{Quoting, push_quoted, push_text};
use super::zsh_words::is_zsh_arithmetic;
use crate::ast::{Command, Compound, Part, RawWord, Script};

/// What may end an expression.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    /// The bracket that nests, and its partner, which ends the expression.
    brackets: (u8, u8),
    /// A `}` ends it too: it is in `${ … }`.
    in_braces: bool,
    /// A `:` that belongs to no `?` ends it, and a bracket does not.
    to_colon: bool,
}

/// What ended an expression. Only a bracket is passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum EndedBy {
    Bracket,
    Brace,
    Colon,
    Text,
}

/// Brackets whose partner bash looks for before it reads what is between.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Bracket {
    /// `((` and `$((`. Substitutions are passed over as a whole.
    Arithmetic,
    /// `$[`
    Square,
    /// `(` in a pattern or in a regular expression.
    Pattern,
    /// `${name:-` within double quotes, where single quotes protect braces though they are text.
    Operand,
}

impl Bracket {
    const fn pair(self) -> (u8, u8) {
        match self {
            Self::Arithmetic | Self::Pattern => (b'(', b')'),
            Self::Square => (b'[', b']'),
            // Braces do not nest there.
            Self::Operand => (b'}', b'}'),
        }
    }
}

const SUBSCRIPT: Bounds = Bounds { brackets: (b'[', b']'), in_braces: false, to_colon: false };
const OFFSET: Bounds = Bounds { brackets: (b'(', b')'), in_braces: true, to_colon: true };

impl ShellReader<'_, '_> {
    /// All of an expression whose end is known.
    fn expression_to(&mut self, end: usize) -> RawWord {
        let mut word = RawWord::default();
        let from = self.pos;
        self.up_to(end, |reader| {
            while reader.peek().is_some() {
                reader.expression_piece(&mut word.parts, |_| false);
            }
        });
        word.span = self.span(from);
        word
    }

    /// An expression whose opening bracket has been read.
    fn expression_into(&mut self, parts: &mut Vec<Part>, bounds: Bounds) -> EndedBy {
        let (opening, closing) = bounds.brackets;
        let mut open = 1_usize;
        let mut conditions = 0_usize;
        while let Some(byte) = self.peek() {
            match byte {
                b'}' if bounds.in_braces => return EndedBy::Brace,
                b':' if bounds.to_colon && open == 1 && conditions == 0 => return EndedBy::Colon,
                b':' if bounds.to_colon && open == 1 => conditions -= 1,
                b'?' if bounds.to_colon => conditions += 1,
                _ if byte == opening => open += 1,
                _ if byte == closing && open > 1 => open -= 1,
                // In a subscript that turns out to be none, these run.
                b'<' | b'>' if !bounds.to_colon => {
                    self.angle(parts);
                    continue;
                }
                _ if byte == closing && !bounds.to_colon => {
                    self.bump();
                    return EndedBy::Bracket;
                }
                _ => {
                    self.expression_piece(parts, |next| matches!(next, b'}' | b':' | b'?' | b'<' | b'>') || next == opening || next == closing);
                    continue;
                }
            }
            self.character(parts, byte);
        }
        EndedBy::Text
    }

    /// A piece of an expression: quoted, an expansion, or text up to one of these or to what `ends` names.
    fn expression_piece(&mut self, parts: &mut Vec<Part>, ends: impl Fn(u8) -> bool) {
        let Some(byte) = self.peek() else { return };
        match byte {
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
                let origin = self.origin_of(text, start + 1, start + 1 + text.len());
                self.expanded_in_quotes(text, start, origin, parts);
            }
            b'"' => self.double_quoted(parts),
            b'`' => self.backquoted(parts, true, false),
            b'$' if self.peek_second() == Some(b'\'') => {
                let start = self.pos;
                self.bump();
                self.peek();
                let text = self.ansi_c_quoted();
                self.expanded_in_quotes(&text, start, Origin::Within(self.span(start)), parts);
            }
            b'$' => self.dollar(parts, Quoting::Double),
            _ => {
                let first = self.take_char().unwrap_or_default();
                push_text(parts, first.encode_utf8(&mut [0; 4]));
                let run = self.take_run(|next| matches!(next, b'\\' | b'\'' | b'"' | b'`' | b'$') || ends(next));
                push_text(parts, run);
            }
        }
    }

    fn character(&mut self, parts: &mut Vec<Part>, byte: u8) {
        self.bump();
        push_text(parts, char::from(byte).encode_utf8(&mut [0; 4]));
    }

    /// Where the bracket is closed that has just been passed over. Quotes protect brackets; in arithmetic and in
    /// patterns, `${ … }` does not: so bash 5.2.
    ///
    /// What is read on the way comes into `found` and is of use only if reading is over: then this stays where it is.
    pub(super) fn closing(&mut self, bracket: Bracket, found: &mut Vec<Part>) -> Option<usize> {
        let start = self.pos;
        if let Some(&known) = self.closings.get(&(start, bracket)) {
            return known;
        }
        let faults = self.shared.faults.len();
        let pending = self.pending.len();
        let close = self.find_closing(bracket, found);
        if self.is_over() {
            return close;
        }
        self.shared.faults.truncate(faults);
        self.pending.truncate(pending);
        self.read_again(self.pos - start);
        self.closings.insert((start, bracket), close);
        self.pos = start;
        close
    }

    fn find_closing(&mut self, bracket: Bracket, found: &mut Vec<Part>) -> Option<usize> {
        let (opening, closing) = bracket.pair();
        let mut open = 1_usize;
        loop {
            match self.peek()? {
                b'\\' => {
                    self.bump();
                    self.take_char();
                }
                // In zsh it is a character of the expression.
                b'\'' if self.shared.zsh && bracket == Bracket::Arithmetic => self.bump(),
                b'\'' => {
                    self.single_quoted();
                }
                b'"' => self.double_quoted(found),
                b'`' => {
                    self.backquoted_text(false);
                }
                b'$' => {
                    let from = self.pos;
                    self.bump();
                    match self.peek() {
                        Some(b'\'') => {
                            self.ansi_c_quoted();
                        }
                        Some(b'(') if bracket == Bracket::Arithmetic => self.parenthesised_dollar(found, from, true),
                        Some(_) if bracket == Bracket::Operand => self.behind_dollar(found, from, Quoting::Double),
                        _ => {}
                    }
                }
                byte if byte == closing => {
                    open -= 1;
                    if open == 0 {
                        return Some(self.pos);
                    }
                    self.bump();
                }
                byte if byte == opening => {
                    self.bump();
                    open += 1;
                }
                _ => {
                    self.take_char();
                    self.take_run(|byte| matches!(byte, b'\\' | b'\'' | b'"' | b'`' | b'$') || byte == opening || byte == closing);
                }
            }
        }
    }

    /// `$(( … ))`, or `$( ( … ) … )`. The next byte is the second parenthesis.
    ///
    /// Bash looks for the `)` that ends the whole first, by counting parentheses; the text is arithmetic if the second
    /// parenthesis is closed right in front of it. If not, what is between is a list.
    pub(super) fn arithmetic_or_substitution(&mut self, from: usize, quoted: bool) -> Part {
        let read = |reader: &mut Self| {
            let start = reader.pos;
            reader.bump();
            let content = reader.pos;
            let mut expression = RawWord::default();
            let mut close = reader.closing(Bracket::Arithmetic, &mut expression.parts);
            if let Some(inner) = close {
                reader.pos = inner + 1;
                // In zsh the two must be side by side.
                if reader.peek() == Some(b')') && (!reader.shared.zsh || reader.pos == inner + 1) {
                    let outer = std::mem::replace(&mut reader.pos, content);
                    let text = reader.text.get(content..inner).unwrap_or_default();
                    if balanced(text) && (!reader.shared.zsh || is_zsh_arithmetic(text)) {
                        expression = reader.expression_to(inner);
                        reader.pos = outer + 1;
                        return Part::Arithmetic(Box::new(expression));
                    }
                    close = Some(outer);
                } else {
                    close = reader.closing(Bracket::Arithmetic, &mut expression.parts);
                }
            }
            if reader.is_over() {
                expression.span = reader.span(content);
                return Part::Arithmetic(Box::new(expression));
            }
            reader.pos = start;
            let script = reader.substitution_to(close);
            Part::Command { script: Box::new(script), quoted, span: reader.span(from) }
        };
        self.deeper(read).unwrap_or_else(|| Part::Command { script: Box::default(), quoted, span: self.span(from) })
    }

    /// The list of a substitution that ends at a known place, or, if none was found, wherever it does.
    fn substitution_to(&mut self, close: Option<usize>) -> Script {
        let Some(close) = close else { return self.enclosed_list(Closers::PARENTHESIS, b')') };
        let script = self.up_to(close, |reader| reader.substituted(Closers::NONE, Self::whole));
        self.pos = close + 1;
        script
    }

    /// `$[ … ]`, whose bracket has been read.
    pub(super) fn bracketed_arithmetic(&mut self) -> Part {
        let start = self.pos;
        let mut expression = RawWord::default();
        self.deeper(|reader| {
            let close = reader.closing(Bracket::Square, &mut expression.parts);
            expression.span = reader.span(start);
            if !reader.is_over() {
                expression = reader.expression_to(close.unwrap_or(usize::MAX));
                reader.close(b']', "unterminated arithmetic", start);
            }
        });
        Part::Arithmetic(Box::new(expression))
    }

    /// `[ … ]` after a variable's name, whose bracket has been read. False: the closing one is missing.
    pub(super) fn subscript(&mut self, in_braces: bool) -> (RawWord, bool) {
        let mut word = RawWord::default();
        let from = self.pos;
        let closed = self.deeper(|reader| reader.expression_into(&mut word.parts, Bounds { in_braces, ..SUBSCRIPT })) == Some(EndedBy::Bracket);
        word.span = self.span_to(from, self.pos - usize::from(closed));
        (word, closed)
    }

    /// An offset or a length of `${name:offset:length}`.
    pub(super) fn offset(&mut self, to_colon: bool) -> RawWord {
        let mut word = RawWord::default();
        let from = self.pos;
        while self.expression_into(&mut word.parts, OFFSET) == EndedBy::Colon && !to_colon {
            self.character(&mut word.parts, b':');
        }
        word.span = self.span(from);
        word
    }

    /// `(( … ))` as a command, or the expressions of `for ((`. None, and nothing passed over: it is no arithmetic.
    pub(super) fn double_parentheses(&mut self) -> Option<RawWord> {
        let start = self.pos;
        if !self.eat("((") {
            return None;
        }
        let content = self.pos;
        let mut expression = RawWord::default();
        let close = self.closing(Bracket::Arithmetic, &mut expression.parts);
        if self.is_over() {
            expression.span = self.span(content);
            return Some(expression);
        }
        if let Some(close) = close {
            self.pos = close + 1;
            let is_arithmetic = !self.shared.zsh || is_zsh_arithmetic(self.text.get(content..close).unwrap_or_default());
            if self.raw() == Some(b')') && is_arithmetic {
                self.pos = content;
                expression = self.expression_to(close);
                self.pos = close + 2;
                return Some(expression);
            }
            self.put_back = self.put_back.max(close + 2);
        }
        self.pos = start;
        None
    }

    /// `(( … ))` where a command can be. `None`: it is a subshell in a subshell.
    pub(super) fn arithmetic_command(&mut self) -> Option<Command> {
        if !self.looking_at("((") {
            return None;
        }
        let expression = self.double_parentheses()?;
        Some(self.compound(Compound::Arithmetic(expression)))
    }
}

/// Whether bash takes a text between `$((` and `))` for arithmetic at last: its parentheses are counted once more, and
/// backquotes do not protect them then.
fn balanced(text: &str) -> bool {
    let mut open = 0_usize;
    let mut quote = None;
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match (byte, quote) {
            (b'\\', None | Some(b'"')) => drop(bytes.next()),
            (b'\'' | b'"', None) => quote = Some(byte),
            (byte, Some(closing)) if byte == closing => quote = None,
            (b'(', None) => open += 1,
            (b')', None) => match open.checked_sub(1) {
                Some(left) => open = left,
                None => return false,
            },
            _ => {}
        }
    }
    open == 0
}
