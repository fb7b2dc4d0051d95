//! Bodies of strings: where they end, escapes, holes. Python's prefixes.

use super::Language;
use super::lex::{Lexer, Part, Token};

/// Where a string ends.
#[derive(Clone, Copy)]
pub(super) enum Close {
    Byte(u8),
    /// Three of it.
    Triple(u8),
    /// A bracket; the inner ones are counted.
    Pair(u8, u8),
    /// At this place.
    At(usize),
}

/// What a backslash means.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Escapes {
    /// Nothing, but the quote after it does not close.
    Raw,
    /// It only escapes itself and the quote.
    Single,
    /// As in C.
    C,
}

/// How code is put into a string.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Holes {
    None,
    /// `{…}`
    Braces,
    /// `${…}`
    Dollar,
    /// `#{…}`
    Hash,
    /// `$name`, `@name`, `{$…}`
    Sigil,
}

#[derive(Clone, Copy)]
pub(super) struct How {
    pub(super) escapes: Escapes,
    pub(super) holes: Holes,
    /// A line end ends the string although it is not closed.
    pub(super) one_line: bool,
}

/// Nothing but the quote and the backslash is special.
pub(super) const RAW: How = How { escapes: Escapes::Single, holes: Holes::None, one_line: false };

/// Parts of a string as they come together.
#[derive(Default)]
struct Parts<'a> {
    parts: Vec<Part<'a>>,
    text: String,
}

impl<'a> Parts<'a> {
    fn hole(&mut self, code: &'a str) {
        if !self.text.is_empty() {
            self.parts.push(Part::Lit(std::mem::take(&mut self.text)));
        }
        self.parts.push(Part::Hole(code));
    }

    fn finish(mut self) -> Vec<Part<'a>> {
        if !self.text.is_empty() || self.parts.is_empty() {
            self.parts.push(Part::Lit(self.text));
        }
        self.parts
    }
}

impl<'a> Lexer<'a> {
    /// Reads the body of a string and its end. Gives false where the end is missing.
    pub(super) fn body(&mut self, close: Close, how: How) -> (Vec<Part<'a>>, bool) {
        let mut parts = Parts::default();
        let mut depth = 0_usize;
        while self.at < self.text.len() {
            let byte = self.byte(0);
            let ends = match close {
                Close::Byte(quote) => byte == quote,
                Close::Triple(quote) => byte == quote && self.byte(1) == quote && self.byte(2) == quote,
                Close::Pair(_, end) => byte == end && depth == 0,
                Close::At(end) => self.at >= end,
            };
            if ends {
                self.at += match close {
                    Close::Triple(_) => 3,
                    Close::At(_) => 0,
                    _ => 1,
                };
                return (parts.finish(), true);
            }
            match (byte, close) {
                (b'\n', _) if how.one_line => return (parts.finish(), false),
                (b'\\', _) => {
                    self.at += 1;
                    self.escape(&mut parts.text, close, how.escapes);
                    continue;
                }
                (open, Close::Pair(start, _)) if open == start => depth += 1,
                (end, Close::Pair(_, stop)) if end == stop => depth -= 1,
                _ => {}
            }
            if how.holes != Holes::None && self.hole(&mut parts, how.holes) {
                continue;
            }
            self.copy(&mut parts.text);
        }
        let closed = matches!(close, Close::At(_));
        (parts.finish(), closed)
    }

    /// Copies one character.
    fn copy(&mut self, text: &mut String) {
        match self.rest().chars().next() {
            Some(char) => {
                text.push(char);
                self.at += char.len_utf8();
            }
            None => self.at += 1,
        }
    }

    /// Decodes what follows a backslash.
    fn escape(&mut self, text: &mut String, close: Close, escapes: Escapes) {
        let byte = self.byte(0);
        let quote = match close {
            Close::Byte(quote) | Close::Triple(quote) => byte == quote,
            Close::Pair(start, end) => byte == start || byte == end,
            Close::At(_) => false,
        };
        if escapes != Escapes::C {
            if escapes == Escapes::Raw || !(quote || byte == b'\\') {
                text.push('\\');
            }
            if quote || byte == b'\\' {
                self.copy(text);
            }
            return;
        }
        if matches!(byte, b'0'..=b'7') {
            let value = self.digits(8, 3);
            text.extend(char::from_u32(value));
            return;
        }
        let simple = match byte {
            b'n' => Some('\n'),
            b't' => Some('\t'),
            b'r' => Some('\r'),
            b'a' => Some('\x07'),
            b'b' => Some('\x08'),
            b'f' => Some('\x0c'),
            b'v' => Some('\x0b'),
            b'e' if self.language != Language::Python => Some('\x1b'),
            _ => None,
        };
        if simple.is_some() {
            text.extend(simple);
            self.at += 1;
            return;
        }
        match byte {
            b'\n' => self.at += 1,
            b'\r' if self.byte(1) == b'\n' => self.at += 2,
            b'x' | b'u' | b'U' if self.byte(1) == b'{' => {
                self.at += 2;
                let value = self.digits(16, 8);
                text.extend(char::from_u32(value));
                if self.byte(0) == b'}' {
                    self.at += 1;
                }
            }
            b'x' | b'u' | b'U' if self.byte(1).is_ascii_hexdigit() => {
                self.at += 1;
                let value = self.digits(
                    16,
                    match byte {
                        b'x' => 2,
                        b'u' => 4,
                        _ => 8,
                    },
                );
                text.extend(char::from_u32(value));
            }
            b'L' | b'U' | b'E' | b'Q' if self.language == Language::Perl => self.at += 1,
            _ => {
                let kept = matches!(self.language, Language::Python | Language::Php | Language::Unknown);
                let plain = quote || matches!(byte, b'\\' | b'\'' | b'"' | b'$' | b'`' | b'#' | b'@');
                if kept && !plain {
                    text.push('\\');
                }
                self.copy(text);
            }
        }
    }

    fn digits(&mut self, radix: u32, most: usize) -> u32 {
        let mut value = 0_u32;
        for _ in 0..most {
            let Some(digit) = char::from(self.byte(0)).to_digit(radix) else { break };
            value = value.saturating_mul(radix).saturating_add(digit);
            self.at += 1;
        }
        value
    }

    /// Reads a hole if one begins here.
    fn hole(&mut self, parts: &mut Parts<'a>, holes: Holes) -> bool {
        let (byte, next) = (self.byte(0), self.byte(1));
        let name = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
        match (holes, byte) {
            (Holes::Braces, b'{' | b'}') if next == byte => {
                parts.text.push(char::from(byte));
                self.at += 2;
                true
            }
            (Holes::Braces, b'{') => self.braces(parts, 0),
            (Holes::Dollar, b'$') | (Holes::Hash, b'#') if next == b'{' => self.braces(parts, 1),
            (Holes::Hash, b'#') if matches!(next, b'@' | b'$') => {
                let start = self.at + 1;
                self.at += 2;
                self.name();
                parts.hole(self.slice(start, self.at));
                true
            }
            (Holes::Sigil, b'{') if next == b'$' && self.language == Language::Php => self.braces(parts, 0),
            (Holes::Sigil, b'$') if next == b'{' => self.braces(parts, 1),
            (Holes::Sigil, b'@') if next == b'{' && self.language == Language::Perl => self.braces(parts, 1),
            (Holes::Sigil, b'$' | b'@') if name(next) && (byte == b'$' || self.language == Language::Perl) => {
                let start = self.at;
                self.at += 1;
                self.name();
                self.subscripts();
                parts.hole(self.slice(start, self.at));
                true
            }
            (Holes::Sigil, b'$') if self.language == Language::Perl && (next.is_ascii_digit() || matches!(next, b'!' | b'@' | b'$' | b'&' | b'^')) => {
                let start = self.at;
                self.at += if next == b'^' { 3 } else { 2 };
                parts.hole(self.slice(start, self.at));
                true
            }
            _ => false,
        }
    }

    /// Moves past a name.
    pub(super) fn name(&mut self) {
        while self.byte(0).is_ascii_alphanumeric() || self.byte(0) == b'_' || self.rest().starts_with("::") && self.byte(2).is_ascii_alphabetic() {
            self.at += if self.byte(0) == b':' { 2 } else { 1 };
        }
    }

    /// `[…]`, `{…}`, `->[…]`, `->name` after a variable inside a string.
    fn subscripts(&mut self) {
        /// Longer subscripts are taken for text.
        const MAX_SUBSCRIPT: usize = 128;
        loop {
            let arrow = usize::from(self.rest().starts_with("->")) * 2;
            let end = match self.byte(arrow) {
                b'[' => b']',
                b'{' if self.language == Language::Perl => b'}',
                byte if arrow > 0 && self.language == Language::Php && byte.is_ascii_alphabetic() => {
                    self.at += arrow;
                    self.name();
                    return;
                }
                _ => return,
            };
            let window = self.text.as_bytes().get(self.at + arrow..).unwrap_or_default();
            let Some(length) = window.iter().take(MAX_SUBSCRIPT).take_while(|byte| **byte != b'\n').position(|byte| *byte == end) else {
                return;
            };
            self.at += arrow + length + 1;
        }
    }

    /// A hole in braces, `skip` bytes from here. A hole that does not close takes the text up to the first brace.
    fn braces(&mut self, parts: &mut Parts<'a>, skip: usize) -> bool {
        let start = self.at + skip + 1;
        let balanced = if self.at < self.open_hole { None } else { self.balanced(start) };
        let end = balanced.or_else(|| {
            self.open_hole = self.open_hole.max(start + 1);
            self.slice(start, self.text.len()).find('}').map(|length| start + length)
        });
        if balanced.is_none() {
            // It is known now that nothing from here on balances.
            self.open_hole = self.text.len();
        }
        if let Some(end) = end {
            parts.hole(self.slice(start, end));
            self.at = end + 1;
        } else {
            parts.hole(self.slice(start, self.text.len()));
            self.at = self.text.len();
        }
        true
    }

    /// The place of the brace that closes the one before `start`, past strings and the holes in them.
    fn balanced(&self, start: usize) -> Option<usize> {
        let bytes = self.text.as_bytes();
        let mut open = vec![b'}'];
        let mut at = start;
        while let Some(byte) = bytes.get(at).copied() {
            #[cfg(test)]
            super::tests::count_step();
            let inside = *open.last()?;
            if inside == b'}' {
                match byte {
                    b'{' => open.push(b'}'),
                    b'}' => {
                        open.pop();
                        if open.is_empty() {
                            return Some(at);
                        }
                    }
                    b'\'' | b'"' => open.push(byte),
                    b'`' if self.language != Language::Python => open.push(byte),
                    _ => {}
                }
            } else if byte == b'\\' {
                at += 1;
            } else if byte == inside {
                open.pop();
            } else if bytes.get(at + 1) == Some(&b'{') && (byte == b'$' && inside == b'`' || byte == b'#' && inside == b'"') {
                open.push(b'}');
                at += 1;
            }
            at += 1;
        }
        None
    }

    /// Python's strings with their prefixes. Gives false where none begins.
    pub(super) fn python_string(&mut self) -> bool {
        let start = self.at;
        let mut prefix = 0;
        while prefix < 3 && matches!(self.byte(prefix).to_ascii_lowercase(), b'r' | b'b' | b'u' | b'f' | b't') {
            prefix += 1;
        }
        let quote = self.byte(prefix);
        let after_name = self.tokens.last().is_some_and(|placed| placed.end == start && matches!(placed.token, Token::Word(_)));
        if !matches!(quote, b'\'' | b'"') || prefix > 0 && after_name {
            return false;
        }
        let triple = self.byte(prefix + 1) == quote && self.byte(prefix + 2) == quote;
        if self.language == Language::Unknown && !triple && prefix == 0 {
            return false;
        }
        let letters = self.slice(start, start + prefix).to_ascii_lowercase();
        let how = How {
            escapes: if letters.contains('r') { Escapes::Raw } else { Escapes::C },
            holes: if letters.contains(['f', 't']) { Holes::Braces } else { Holes::None },
            one_line: !triple,
        };
        self.at += prefix + if triple { 3 } else { 1 };
        let (parts, _) = self.body(if triple { Close::Triple(quote) } else { Close::Byte(quote) }, how);
        self.push(Token::Text(parts), start);
        true
    }
}
