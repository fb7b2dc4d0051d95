//! Strings: bodies, escapes, holes, here-documents, the quote-like words of each language.

use std::collections::HashMap;

use super::Language;
use super::lex::{Lexer, Part, Pending, Token};

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

const RAW: How = How { escapes: Escapes::Single, holes: Holes::None, one_line: false };

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
                let value = self.digits(16, match byte { b'x' => 2, b'u' => 4, _ => 8 });
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
            (Holes::Sigil, b'$') if self.language == Language::Perl && (next.is_ascii_digit() || matches!(next, b'!' | b'@' | b'$' | b'&')) => {
                let start = self.at;
                self.at += 2;
                parts.hole(self.slice(start, self.at));
                true
            }
            _ => false,
        }
    }

    fn name(&mut self) {
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
        match end {
            Some(end) => {
                parts.hole(self.slice(start, end));
                self.at = end + 1;
            }
            None => {
                parts.hole(self.slice(start, self.text.len()));
                self.at = self.text.len();
            }
        }
        true
    }

    /// The place of the brace that closes the one before `start`, past strings and the holes in them.
    fn balanced(&self, start: usize) -> Option<usize> {
        let bytes = self.text.as_bytes();
        let mut open = vec![b'}'];
        let mut at = start;
        while let Some(byte) = bytes.get(at).copied() {
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

    /// The other side of an opening delimiter.
    fn delimiter(byte: u8) -> Close {
        match byte {
            b'(' => Close::Pair(b'(', b')'),
            b'[' => Close::Pair(b'[', b']'),
            b'{' => Close::Pair(b'{', b'}'),
            b'<' => Close::Pair(b'<', b'>'),
            other => Close::Byte(other),
        }
    }

    fn words(&mut self, close: Close, start: usize) {
        let (parts, _) = self.body(close, RAW);
        let text: String = parts.iter().filter_map(|part| if let Part::Lit(text) = part { Some(text.as_str()) } else { None }).collect();
        self.push(Token::Words(text.split_whitespace().map(str::to_owned).collect()), start);
    }

    /// `%w[…]` and its kin, symbols, character literals.
    pub(super) fn ruby_string(&mut self) -> bool {
        let start = self.at;
        let (byte, next) = (self.byte(0), self.byte(1));
        let value = self.expects_value() || self.looks_like_argument();
        if byte == b':' && (next.is_ascii_alphabetic() || next == b'_') && value {
            self.at += 1;
            self.name();
            self.push(Token::Text(vec![Part::Lit(self.slice(start + 1, self.at).to_owned())]), start);
            return true;
        }
        if byte == b'?' && next.is_ascii_punctuation() && value && !self.byte(2).is_ascii_alphanumeric() {
            self.at += 2;
            self.push(Token::Text(vec![Part::Lit(self.slice(start + 1, self.at).to_owned())]), start);
            return true;
        }
        if byte != b'%' || !value {
            return false;
        }
        let (kind, delimiter, skip) = if next.is_ascii_alphabetic() { (next, self.byte(2), 3) } else { (b'Q', next, 2) };
        if !b"wWiIqQxrs".contains(&kind) || !delimiter.is_ascii_punctuation() {
            return false;
        }
        self.at += skip;
        let close = Self::delimiter(delimiter);
        let holes = How { escapes: Escapes::C, holes: Holes::Hash, one_line: false };
        match kind {
            b'w' | b'W' | b'i' | b'I' => self.words(close, start),
            b'q' | b's' => {
                let (parts, _) = self.body(close, RAW);
                self.push(Token::Text(parts), start);
            }
            b'r' => {
                self.body(close, RAW);
                self.push(Token::Regex, start);
            }
            kind => {
                let (parts, _) = self.body(close, holes);
                self.push(if kind == b'x' { Token::Command(parts) } else { Token::Text(parts) }, start);
            }
        }
        true
    }

    /// `q`, `qq`, `qw`, `qx`, `m`, `qr`, `s`, `tr`, `y` of Perl.
    pub(super) fn perl_string(&mut self) -> bool {
        let start = self.at;
        let rest = self.rest();
        let Some(word) = ["qq", "qw", "qx", "qr", "tr", "q", "m", "s", "y"].into_iter().find(|word| {
            rest.strip_prefix(word).is_some_and(|tail| !tail.starts_with(|next: char| next.is_alphanumeric() || next == '_'))
        }) else {
            return false;
        };
        let before = self.tokens.last().map(|placed| (&placed.token, placed.end == start));
        if matches!(before, Some((Token::Mark("->" | "::") | Token::Word("sub"), _)) | Some((Token::Word(_), true))) {
            return false;
        }
        let tail = rest.get(word.len()..).unwrap_or_default();
        let trimmed = tail.trim_start();
        let spaced = trimmed.len() < tail.len();
        let Some(delimiter) = trimmed.bytes().next().filter(u8::is_ascii_punctuation) else { return false };
        let refused = match delimiter {
            b',' | b';' | b')' => true,
            b'=' => spaced || trimmed.starts_with("=>") || trimmed.starts_with("=="),
            b'#' => spaced,
            b'}' => true,
            _ => false,
        };
        if refused {
            return false;
        }
        self.at += rest.len() - trimmed.len() + 1;
        let close = Self::delimiter(delimiter);
        let holes = How { escapes: Escapes::C, holes: if delimiter == b'\'' { Holes::None } else { Holes::Sigil }, one_line: false };
        match word {
            "qw" => self.words(close, start),
            "q" => {
                let (parts, _) = self.body(close, RAW);
                self.push(Token::Text(parts), start);
            }
            "qq" | "qx" => {
                let (parts, _) = self.body(close, holes);
                self.push(if word == "qx" { Token::Command(parts) } else { Token::Text(parts) }, start);
            }
            _ => {
                self.body(close, RAW);
                let mut code = None;
                if !matches!(word, "m" | "qr") {
                    let second = match close {
                        Close::Pair(..) => {
                            while self.byte(0).is_ascii_whitespace() {
                                self.at += 1;
                            }
                            let close = Self::delimiter(self.byte(0));
                            self.at += 1;
                            close
                        }
                        other => other,
                    };
                    let from = self.at;
                    self.body(second, RAW);
                    code = Some(self.slice(from, self.at.saturating_sub(1)));
                }
                let flags = self.at;
                while self.byte(0).is_ascii_alphabetic() {
                    self.at += 1;
                }
                // With `e` the replacement is code.
                let evaluated = word == "s" && self.slice(flags, self.at).contains('e');
                match code {
                    Some(code) if evaluated => self.push(Token::Text(vec![Part::Hole(code)]), start),
                    _ => self.push(Token::Regex, start),
                }
            }
        }
        true
    }

    /// The beginning of a here-document, if its end stands on a line further down.
    pub(super) fn here_document(&mut self) -> bool {
        let start = self.at;
        let rest = self.rest();
        let tail = if self.language == Language::Php { rest.strip_prefix("<<<") } else { rest.strip_prefix("<<") };
        let Some(tail) = tail else { return false };
        let (tail, indented) = match tail.strip_prefix(['~', '-']) {
            Some(tail) => (tail, true),
            None => (tail.trim_start_matches([' ', '\t']), self.language == Language::Php),
        };
        let quote = tail.bytes().next().filter(|byte| matches!(byte, b'\'' | b'"' | b'`'));
        let name = quote.map_or(tail, |_| tail.get(1..).unwrap_or_default());
        let length = match quote {
            Some(quote) => name.bytes().position(|byte| byte == quote || byte == b'\n').unwrap_or(0),
            None => name.bytes().position(|byte| !(byte.is_ascii_alphanumeric() || byte == b'_')).unwrap_or(name.len()),
        };
        let Some(end) = name.get(..length).filter(|name| !name.is_empty() && !name.starts_with(|first: char| first.is_ascii_digit())) else {
            return false;
        };
        let after = rest.len() - name.len() + length + usize::from(quote.is_some());
        if !self.ends_later(end) {
            return false;
        }
        self.at += after;
        self.pending.push(Pending { token: self.tokens.len(), end, raw: quote == Some(b'\''), command: quote == Some(b'`'), indented });
        self.push(Token::Text(vec![Part::Lit(String::new())]), start);
        true
    }

    /// Whether a line further down holds `end`.
    fn ends_later(&mut self, end: &str) -> bool {
        let text = self.text;
        let php = self.language == Language::Php;
        let lines = self.lines.get_or_insert_with(|| {
            let mut lines = HashMap::new();
            let mut at = 0;
            for line in text.split('\n') {
                lines.insert(end_word(line.trim(), php), at);
                at += line.len() + 1;
            }
            lines
        });
        lines.get(end).is_some_and(|place| *place > self.at)
    }

    /// Reads the bodies of the here-documents that were begun on the line before.
    pub(super) fn here_documents(&mut self) {
        for pending in std::mem::take(&mut self.pending) {
            let from = self.at;
            let mut line_start = from;
            let mut end = None;
            while line_start < self.text.len() {
                let line_end = self.text.get(line_start..).and_then(|rest| rest.find('\n')).map_or(self.text.len(), |length| line_start + length);
                let line = self.slice(line_start, line_end);
                let bare = if pending.indented { line.trim() } else { line.trim_end() };
                if end_word(bare, self.language == Language::Php) == pending.end {
                    end = Some((line_start, line_start + line.len() - line.trim_start().len() + pending.end.len()));
                    break;
                }
                line_start = line_end + 1;
            }
            let Some((stop, next)) = end else { continue };
            let how = How {
                escapes: if pending.raw { Escapes::Raw } else { Escapes::C },
                holes: match self.language {
                    _ if pending.raw => Holes::None,
                    Language::Ruby => Holes::Hash,
                    _ => Holes::Sigil,
                },
                one_line: false,
            };
            let (parts, _) = self.body(Close::At(stop), how);
            self.at = next;
            if let Some(placed) = self.tokens.get_mut(pending.token) {
                placed.token = if pending.command { Token::Command(parts) } else { Token::Text(parts) };
            }
        }
    }
}

/// A line as the end of a here-document: in PHP anything may follow the name.
fn end_word(line: &str, php: bool) -> &str {
    if !php {
        return line;
    }
    let length = line.bytes().position(|byte| !(byte.is_ascii_alphanumeric() || byte == b'_')).unwrap_or(line.len());
    line.get(..length).unwrap_or_default()
}
