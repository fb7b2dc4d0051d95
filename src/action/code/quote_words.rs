//! Strings that begin with a word or a mark of their own: `%w[…]`, `qq{…}`, `<<EOT`.

use std::collections::HashMap;

use super::Language;
use super::lex::{Lexer, Part, Pending, Token};
use super::quotes::{Close, Escapes, Holes, How, RAW};

impl Lexer<'_> {
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
        let Some(word) = ["qq", "qw", "qx", "qr", "tr", "q", "m", "s", "y"]
            .into_iter()
            .find(|word| rest.strip_prefix(word).is_some_and(|tail| !tail.starts_with(|next: char| next.is_alphanumeric() || next == '_')))
        else {
            return false;
        };
        let before = self.tokens.last().map(|placed| (&placed.token, placed.end == start));
        // `-s $file` is a test of a file.
        if matches!(before, Some((Token::Mark("->" | "::") | Token::Word("sub"), _) | (Token::Word(_) | Token::Mark("-" | "&"), true))) {
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
