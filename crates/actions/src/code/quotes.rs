//! Bodies of strings: where they end, escapes, holes.

use super::Language;
use super::grammar::{Escapes, Holes, Quote};
use super::lex::{Lexer, TextPart, is_word};
use shell_reader::escapes;

impl<'a> Lexer<'a> {
    /// Reads the body of a string and its end, in which `counted` opens an inner bracket. Gives false where the end is
    /// missing.
    pub(super) fn body(&mut self, close: &str, counted: Option<u8>, how: Quote) -> (Vec<TextPart<'a>>, bool) {
        let mut parts = Vec::new();
        let mut text = String::new();
        let mut depth = 0_usize;
        let mut closed = false;
        let ends = close.bytes().next();
        while self.at < self.text.len() {
            let byte = self.byte(0);
            if Some(byte) == ends && self.rest().starts_with(close) {
                if depth == 0 {
                    self.at += close.len();
                    closed = true;
                    break;
                }
                depth -= 1;
            } else if Some(byte) == counted {
                depth += 1;
            }
            if byte == b'\n' && how.one_line {
                break;
            }
            if byte == b'\\' {
                self.at += 1;
                let quote = self.at < self.text.len() && (Some(self.byte(0)) == ends || Some(self.byte(0)) == counted);
                self.escape(&mut text, quote, how.escapes);
            } else if how.holes == Holes::Braces && matches!(byte, b'{' | b'}') && self.byte(1) == byte {
                text.push(char::from(byte));
                self.at += 2;
            } else if let Some(code) = self.hole(how.holes) {
                if !text.is_empty() {
                    parts.push(TextPart::Lit(std::mem::take(&mut text)));
                }
                parts.push(TextPart::Hole(code));
            } else {
                self.copy(&mut text);
            }
        }
        if !text.is_empty() || parts.is_empty() {
            parts.push(TextPart::Lit(text));
        }
        (parts, closed)
    }

    fn copy(&mut self, text: &mut String) {
        let next = self.rest().chars().next();
        text.extend(next);
        self.at += next.map_or(1, char::len_utf8);
    }

    fn escape(&mut self, text: &mut String, quote: bool, escapes: Escapes) {
        let byte = self.byte(0);
        if escapes != Escapes::C {
            if escapes == Escapes::Raw || !(quote || byte == b'\\') {
                text.push('\\');
            }
            if quote || byte == b'\\' {
                self.copy(text);
            }
            return;
        }
        let digits = match byte {
            b'x' => 2,
            b'u' => 4,
            _ => 8,
        };
        match byte {
            b'x' | b'u' | b'U' if self.byte(1) == b'{' => {
                self.at += 2;
                text.extend(char::from_u32(self.digits(16, 8)));
                self.at += usize::from(self.byte(0) == b'}');
            }
            b'x' | b'u' | b'U' if self.byte(1).is_ascii_hexdigit() => {
                self.at += 1;
                text.extend(char::from_u32(self.digits(16, digits)));
            }
            b'\n' => self.at += 1,
            b'0'..=b'7' | b'n' | b't' | b'r' | b'a' | b'b' | b'f' | b'v' => {
                let (plain, length) = escapes::byte(self.rest().as_bytes()).unwrap_or((byte, 1));
                text.push(char::from(plain));
                self.at += length;
            }
            b'L' | b'U' | b'E' | b'Q' if self.language == Language::Perl => self.at += 1,
            _ => {
                let kept = matches!(self.language, Language::Python | Language::Php | Language::Unknown);
                if kept && !quote && !b"\\'\"$`#@".contains(&byte) {
                    text.push('\\');
                }
                self.copy(text);
            }
        }
    }

    fn digits(&mut self, radix: u32, most: usize) -> u32 {
        let (value, length) = escapes::number(self.rest().as_bytes(), radix, most);
        self.at += length;
        value
    }

    /// The code of the hole that begins here, if one does.
    fn hole(&mut self, holes: Holes) -> Option<&'a str> {
        let start = self.at;
        let (byte, next) = (self.byte(0), self.byte(1));
        let perl = self.language == Language::Perl;
        match (holes, byte) {
            (Holes::Braces, b'{') => Some(self.braces(1)),
            (Holes::Dollar | Holes::Sigil, b'$') | (Holes::Hash, b'#') if next == b'{' => Some(self.braces(2)),
            (Holes::Sigil, b'{') if next == b'$' && self.language == Language::Php => Some(self.braces(1)),
            (Holes::Sigil, b'$') if next == b'(' && self.language == Language::Julia => Some(self.brackets()),
            (Holes::Sigil, b'@') if next == b'{' && perl => Some(self.braces(2)),
            (Holes::Hash, b'#') if matches!(next, b'@' | b'$') => {
                self.at += 2;
                self.skip_while(is_word);
                Some(self.slice(start + 1, self.at))
            }
            (Holes::Sigil, b'$' | b'@') if (next.is_ascii_alphabetic() || next == b'_') && (byte == b'$' || perl) => {
                self.at += 1;
                self.skip_while(is_word);
                self.subscripts();
                Some(self.slice(start, self.at))
            }
            (Holes::Sigil, b'$') if perl && (next.is_ascii_digit() || b"!@$&^".contains(&next)) => {
                self.at += if next == b'^' { 3 } else { 2 };
                Some(self.slice(start, self.at))
            }
            _ => None,
        }
    }

    /// `[…]`, `{…}`, `->[…]`, `->name` after a variable inside a string.
    fn subscripts(&mut self) {
        /// Longer subscripts are taken for text.
        const MAX_SUBSCRIPT: usize = 128;
        loop {
            let arrow = if self.byte(0) == b'-' && self.byte(1) == b'>' { 2 } else { 0 };
            let end = match self.byte(arrow) {
                b'[' => b']',
                b'{' if self.language == Language::Perl => b'}',
                byte if arrow > 0 && self.language == Language::Php && byte.is_ascii_alphabetic() => {
                    self.at += arrow;
                    return self.skip_while(is_word);
                }
                _ => return,
            };
            let window = self.text.as_bytes().get(self.at + arrow..).unwrap_or_default();
            let Some(length) = window.iter().take(MAX_SUBSCRIPT).take_while(|byte| **byte != b'\n').position(|byte| *byte == end) else { return };
            self.at += arrow + length + 1;
        }
    }

    /// The code of a hole `$(…)`. One that does not close takes the rest.
    fn brackets(&mut self) -> &'a str {
        let start = self.at + 2;
        let mut depth = 1_usize;
        self.at = start;
        while self.at < self.text.len() && depth > 0 {
            match self.byte(0) {
                b'(' => depth += 1,
                b')' => depth -= 1,
                _ => {}
            }
            self.at += 1;
        }
        self.slice(start, self.at - usize::from(depth == 0))
    }

    /// The code of a hole whose brace is the last of `skip` bytes from here. A hole that does not close takes the text up
    /// to the first brace.
    fn braces(&mut self, skip: usize) -> &'a str {
        let start = self.at + skip;
        let balanced = if start < self.open.hole { None } else { self.balanced(start) };
        if balanced.is_none() {
            self.open.hole = self.text.len(); // nothing from here on balances
        }
        let first = || self.slice(start, self.text.len()).find('}').map(|length| start + length);
        let end = balanced.or_else(first).unwrap_or(self.text.len());
        self.at = (end + 1).min(self.text.len());
        self.slice(start, end)
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
            match byte {
                b'\\' if inside != b'}' => at += 1,
                _ if byte == inside => {
                    open.pop();
                    if open.is_empty() {
                        return Some(at);
                    }
                }
                b'{' if inside == b'}' => open.push(b'}'),
                b'\'' | b'"' if inside == b'}' => open.push(byte),
                b'`' if inside == b'}' && self.language != Language::Python => open.push(byte),
                b'$' | b'#' if bytes.get(at + 1) == Some(&b'{') && inside == if byte == b'$' { b'`' } else { b'"' } => {
                    open.push(b'}');
                    at += 1;
                }
                _ => {}
            }
            at += 1;
        }
        None
    }
}
