//! Text to tokens: words, numbers, marks, strings and comments. Every text has some; nothing is refused.

use super::{SourceLanguage, StringKind};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    Word,
    Number,
    /// A string, or a part of one around code within it.
    Text,
    /// One sign.
    Mark,
    Comment,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceToken<'t> {
    pub kind: TokenKind,
    /// As written, with quotes.
    pub text: &'t str,
    /// The line on which it begins, counted from 1.
    pub line: u32,
    /// Nothing but blanks is before it on its line.
    pub first: bool,
    /// Blanks at the start of its line; a tab counts as four.
    pub indent: u32,
}

/// A word after which a value follows, so that `/` begins a regular expression.
const BEFORE_VALUE: &[&str] =
    &["return", "typeof", "case", "in", "of", "do", "else", "void", "delete", "throw", "await", "yield", "if", "when", "unless", "and", "or", "not"];
/// Columns of a tab.
const TAB: u32 = 4;

struct SourceLexer<'t, 'l> {
    text: &'t str,
    language: &'l SourceLanguage,
    at: usize,
    line: u32,
    first: bool,
    indent: u32,
    tokens: Vec<SourceToken<'t>>,
    /// Strings that are interrupted by code: the string, and how deep its brackets are nested.
    open: Vec<(&'l StringKind, usize)>,
    /// Here-documents that begin on the next line: what ends them.
    heredocs: Vec<&'t str>,
}

/// The tokens of a text, comments among them.
pub fn lex<'t>(text: &'t str, language: &SourceLanguage) -> Vec<SourceToken<'t>> {
    let mut lexer = SourceLexer { text, language, at: 0, line: 1, first: true, indent: 0, tokens: Vec::new(), open: Vec::new(), heredocs: Vec::new() };
    while lexer.at < text.len() {
        lexer.step();
    }
    lexer.tokens
}

impl<'t, 'l> SourceLexer<'t, 'l> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or("")
    }

    /// The token from here to `end`.
    fn push(&mut self, kind: TokenKind, end: usize) {
        let end = boundary(self.text, end.max(self.at + 1));
        let text = self.text.get(self.at..end).unwrap_or("");
        self.tokens.push(SourceToken { kind, text, line: self.line, first: self.first, indent: self.indent });
        let lines = text.bytes().filter(|byte| *byte == b'\n').count();
        self.line += u32::try_from(lines).unwrap_or(0);
        // What follows a comment on its line may still be the first of it.
        if kind != TokenKind::Comment || lines > 0 {
            self.first = false;
        }
        self.at = end;
    }

    fn step(&mut self) {
        let rest = self.rest();
        let Some(sign) = rest.chars().next() else { return };
        if sign == '\n' {
            return self.line_end();
        }
        if sign.is_whitespace() || sign == '\u{feff}' {
            if self.first {
                self.indent += if sign == '\t' { TAB } else { 1 };
            }
            self.at += sign.len_utf8();
            return;
        }
        if self.back_in_string(sign) || self.comment(rest) || self.fence(rest) {
            return;
        }
        let language = self.language;
        if let Some(quote) = language.strings.iter().filter(|quote| rest.starts_with(&quote.open)).max_by_key(|quote| quote.open.len()) {
            return self.string(quote, self.at + quote.open.len());
        }
        if language.chars && sign == '\'' {
            let end = character(rest);
            return self.push(if end > 1 { TokenKind::Text } else { TokenKind::Mark }, self.at + end);
        }
        if !language.heredoc.is_empty() && rest.starts_with(&language.heredoc) && self.heredoc(rest) {
            return;
        }
        if language.regex && sign == '/' && self.value_may_follow(rest) {
            let end = regular_expression(rest);
            return self.push(TokenKind::Text, self.at + end);
        }
        if sign.is_ascii_digit() {
            let end = number(rest);
            return self.push(TokenKind::Number, self.at + end);
        }
        let in_word = |sign: char| sign.is_alphanumeric() || sign == '_' || language.word.contains(sign);
        let end = rest.find(|sign| !in_word(sign)).unwrap_or(rest.len());
        // A stretch of such signs alone is marks: `-` in a language of dashed words, `->`.
        if end > 0 && rest.chars().take_while(|sign| in_word(*sign)).any(|sign| sign.is_alphanumeric() || sign == '_') {
            return self.push(TokenKind::Word, self.at + end);
        }
        self.push(TokenKind::Mark, self.at + sign.len_utf8());
    }

    fn line_end(&mut self) {
        self.at += 1;
        self.line += 1;
        self.first = true;
        self.indent = 0;
        for end in std::mem::take(&mut self.heredocs) {
            let rest = self.rest();
            let mut length = 0;
            for line in rest.split_inclusive('\n') {
                length += line.len();
                let bare = line.trim();
                // PHP lets marks follow the word on its line.
                if bare == end || bare.strip_prefix(end).is_some_and(|rest| rest.starts_with([';', ',', ')'])) {
                    break;
                }
            }
            if length > 0 {
                self.push(TokenKind::Text, self.at + length);
                self.first = true;
                self.indent = 0;
            }
        }
    }

    /// Code within a string: its brackets, and the end that leads back into the string.
    fn back_in_string(&mut self, sign: char) -> bool {
        let Some((quote, depth)) = self.open.last_mut() else { return false };
        let Some([_, close]) = &quote.code else { return false };
        let opening = if close == ")" { '(' } else { '{' };
        if sign == opening {
            *depth += 1;
        } else if close.starts_with(sign) {
            if *depth == 0 {
                let quote = *quote;
                self.open.pop();
                self.string(quote, self.at + close.len());
                return true;
            }
            *depth -= 1;
        }
        false
    }

    fn comment(&mut self, rest: &str) -> bool {
        for [open, close] in &self.language.block {
            let placed = !open.starts_with('=') || (self.first && self.indent == 0);
            if placed && rest.starts_with(open) {
                let end = block_end(rest, open, close, self.language.nested);
                self.push(TokenKind::Comment, self.at + end);
                return true;
            }
        }
        let before = self.text.get(..self.at).and_then(|text| text.bytes().next_back());
        let placed = !self.language.tight || before.is_none_or(|byte| byte.is_ascii_whitespace() || b";|&(){}".contains(&byte));
        if placed && self.language.line.iter().any(|open| rest.starts_with(open)) {
            let end = rest.find('\n').unwrap_or(rest.len());
            self.push(TokenKind::Comment, self.at + end);
            return true;
        }
        false
    }

    fn fence(&mut self, rest: &str) -> bool {
        for fence in &self.language.fences {
            let Some(after) = rest.strip_prefix(&fence.open) else { continue };
            // Such a prefix is the end of a longer word otherwise: `for"`.
            if fence.open.starts_with(char::is_alphabetic) && self.in_word() {
                continue;
            }
            let length = match fence.fence.chars().next() {
                Some(sign) => after.len() - after.trim_start_matches(sign).len(),
                None => after.find(|sign: char| !sign.is_alphanumeric() && sign != '_').unwrap_or(after.len()),
            };
            let (marks, after) = after.split_at(length);
            // A word as fence does not begin with a digit: `$1` is no fence.
            if length < fence.least || !after.starts_with(&fence.then) || (fence.fence.is_empty() && marks.starts_with(|sign: char| sign.is_ascii_digit())) {
                continue;
            }
            let start = fence.open.len() + length + fence.then.len();
            let close = format!("{}{marks}{}", fence.close, fence.end);
            let end = rest.get(start..).and_then(|body| body.find(&close)).map_or(rest.len(), |found| start + found + close.len());
            self.push(TokenKind::Text, self.at + end);
            return true;
        }
        false
    }

    fn in_word(&self) -> bool {
        self.text.get(..self.at).and_then(|text| text.chars().next_back()).is_some_and(|sign| sign.is_alphanumeric() || sign == '_')
    }

    /// A string whose inside begins at `from`, up to its end or to code within it.
    fn string(&mut self, quote: &'l StringKind, from: usize) {
        let close = quote.close.as_ref().unwrap_or(&quote.open);
        let mut at = from;
        loop {
            let rest = self.text.get(at..).unwrap_or("");
            let Some(sign) = rest.chars().next() else { break };
            if !quote.escape.is_empty() && rest.starts_with(&quote.escape) {
                // Code within may begin with the escape sign: `\(`.
                if let Some([open, _]) = quote.code.as_ref().filter(|[open, _]| rest.starts_with(open.as_str())) {
                    return self.interrupt(quote, at + open.len());
                }
                at += quote.escape.len();
                at += self.text.get(at..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
                continue;
            }
            if rest.starts_with(close.as_str()) {
                at += close.len();
                if quote.doubled && self.text.get(at..).is_some_and(|rest| rest.starts_with(close.as_str())) {
                    at += close.len();
                    continue;
                }
                break;
            }
            if let Some([open, _]) = quote.code.as_ref().filter(|[open, _]| rest.starts_with(open.as_str())) {
                return self.interrupt(quote, at + open.len());
            }
            if sign == '\n' && !quote.lines {
                break;
            }
            at += sign.len_utf8();
        }
        self.push(TokenKind::Text, at);
    }

    fn interrupt(&mut self, quote: &'l StringKind, at: usize) {
        self.push(TokenKind::Text, at);
        self.open.push((quote, 0));
    }

    /// The head of a here-document; its body begins on the next line.
    fn heredoc(&mut self, rest: &'t str) -> bool {
        let after = rest.get(self.language.heredoc.len()..).unwrap_or("");
        let word = after.trim_start_matches(['-', '~']).trim_start_matches(['\'', '"', '`', '\\']);
        let length = word.find(|sign: char| !sign.is_alphanumeric() && sign != '_').unwrap_or(word.len());
        let (word, _) = word.split_at(length);
        if !word.starts_with(|sign: char| sign.is_alphabetic() || sign == '_') || after.starts_with('<') {
            return false;
        }
        self.heredocs.push(word);
        let head = rest.len() - after.len() + (after.len() - after.trim_start_matches(['-', '~', '\'', '"', '`', '\\']).len()) + length;
        let quoted = rest.get(head..).is_some_and(|rest| rest.starts_with(['\'', '"', '`']));
        self.push(TokenKind::Text, self.at + head + usize::from(quoted));
        true
    }

    /// Whether a `/` begins a regular expression here.
    fn value_may_follow(&self, rest: &str) -> bool {
        // A division has blanks on both sides or on none.
        let tight = rest.chars().nth(1).is_some_and(|sign| !sign.is_whitespace() && sign != '=');
        let apart = self.text.get(..self.at).is_some_and(|text| text.ends_with([' ', '\t']));
        match self.tokens.iter().rev().find(|token| token.kind != TokenKind::Comment) {
            None => true,
            Some(last) if last.kind == TokenKind::Mark => !matches!(last.text, ")" | "]" | "}"),
            Some(last) if last.kind == TokenKind::Word => BEFORE_VALUE.contains(&last.text) || (tight && apart && !last.first && self.language.name == "ruby"),
            Some(_) => false,
        }
    }
}

/// The nearest end of a sign at or behind `at`.
fn boundary(text: &str, at: usize) -> usize {
    (at.min(text.len())..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len())
}

/// Bytes of a comment over lines.
fn block_end(rest: &str, open: &str, close: &str, nested: bool) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(here) = rest.get(at..).filter(|here| !here.is_empty()) {
        if here.starts_with(close) && depth > 0 {
            depth -= 1;
            at += close.len();
            if depth == 0 {
                return at;
            }
        } else if here.starts_with(open) && (nested || depth == 0) {
            depth += 1;
            at += open.len();
        } else {
            at += here.chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

/// Bytes of a character in quotes; 1: the quote is alone.
fn character(rest: &str) -> usize {
    let mut signs = rest.char_indices().skip(1);
    match signs.next() {
        Some((_, '\\')) => {
            signs.next();
            signs.find(|(_, sign)| *sign == '\'' || *sign == '\n').filter(|(_, sign)| *sign == '\'').map_or(1, |(at, _)| at + 1)
        }
        Some((_, sign)) if sign != '\'' && sign != '\n' => signs.next().filter(|(_, sign)| *sign == '\'').map_or(1, |(at, _)| at + 1),
        _ => 1,
    }
}

/// Bytes of a regular expression with its flags; it ends with its line at the latest.
fn regular_expression(rest: &str) -> usize {
    let (mut class, mut escaped) = (false, false);
    for (at, sign) in rest.char_indices().skip(1) {
        match sign {
            '\n' => return 1,
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '[' => class = true,
            ']' => class = false,
            '/' if !class => {
                let flags = rest.get(at + 1..).unwrap_or("");
                return at + 1 + flags.find(|sign: char| !sign.is_alphanumeric()).unwrap_or(flags.len());
            }
            _ => {}
        }
    }
    1
}

/// Bytes of a number: `1_000.5e3`, `0xFF`, `1'000`.
fn number(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_alphanumeric);
    let mut at = 1;
    while let Some(byte) = bytes.get(at) {
        let signed = matches!(byte, b'+' | b'-') && matches!(bytes.get(at - 1), Some(b'e' | b'E')) && !rest.starts_with("0x") && digit(at + 1);
        // A point belongs to it only in front of a digit: `0..10`, `1.max(2)`.
        let inner = matches!(byte, b'.' | b'\'') && bytes.get(at + 1).is_some_and(u8::is_ascii_digit);
        if !(byte.is_ascii_alphanumeric() || *byte == b'_' || inner || signed) {
            break;
        }
        at += 1;
    }
    at
}
