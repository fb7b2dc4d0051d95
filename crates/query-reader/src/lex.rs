//! Words of SQL: comments, quotes and names as each language reads them. Knows no statement.

use crate::QueryLanguage;

/// Marks a stretch of a text that is not known.
pub const HOLE: char = '\u{fffc}';

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SqlTokenKind {
    /// A keyword, or a name without quotes.
    Word,
    /// A name in quotes.
    Name,
    /// A string, without its quotes.
    Text,
    Number,
    /// `?`, `$1`, `:name`, `@name`.
    Parameter,
    /// Anything else: one sign, or one of the operators of two or three signs.
    Sign,
    /// A stretch that is not known.
    Hole,
}

/// One word of a statement.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Token {
    pub(crate) kind: SqlTokenKind,
    pub(crate) text: String,
}

impl Token {
    /// Whether it is this keyword, which is in capitals.
    pub(crate) fn is(&self, word: &str) -> bool {
        self.kind == SqlTokenKind::Word && self.text.eq_ignore_ascii_case(word)
    }

    pub(crate) fn sign(&self, sign: &str) -> bool {
        self.kind == SqlTokenKind::Sign && self.text == sign
    }

    /// Whether it can be a name.
    pub(crate) fn names(&self, language: QueryLanguage) -> bool {
        matches!(self.kind, SqlTokenKind::Word | SqlTokenKind::Name | SqlTokenKind::Hole)
            || (self.kind == SqlTokenKind::Text && language == QueryLanguage::Sqlite)
    }
}

/// How quotes and comments are read; statements may change it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct QuotingRules {
    pub(crate) language: QueryLanguage,
    /// A backslash escapes in `'…'`.
    pub(crate) backslash: bool,
    /// `"…"` is a name.
    pub(crate) double_names: bool,
    /// Of the two that share a client the one with `/*M!`.
    pub(crate) maria: bool,
}

impl QuotingRules {
    pub(crate) fn new(language: QueryLanguage, maria: bool) -> Self {
        let mysql = language == QueryLanguage::Mysql;
        Self { language, backslash: mysql, double_names: !mysql, maria }
    }
}

/// What comes next in a text.
#[derive(Debug, PartialEq)]
pub(crate) enum Next {
    Token(Token),
    /// A backslash outside of quotes; the text continues behind it.
    Backslash,
    End,
}

/// A text and how far it is read.
#[derive(Debug)]
pub(crate) struct QueryLexer {
    pub(crate) chars: Vec<char>,
    pub(crate) at: usize,
    /// Within a comment whose text runs (`/*! … */`).
    pub(crate) conditional: bool,
    /// What ends a statement in place of `;`: no word goes beyond it.
    pub(crate) delimiter: Vec<char>,
}

/// Operators of more than one sign.
const OPERATORS: &[&str] = &["<=>", "!~*", "::", "<>", "!=", "<=", ">=", "==", "||", "&&", ":=", "~*", "!~", "->", "#>"];
/// Beyond this `MariaDB` skips what is for newer servers.
const MARIA_VERSION: u32 = 120_000;
/// Beyond this `MySQL` does.
const MYSQL_VERSION: u32 = 90_700;

impl QueryLexer {
    pub(crate) fn new(text: &str) -> Self {
        Self { chars: text.strip_prefix('\u{feff}').unwrap_or(text).chars().collect(), at: 0, conditional: false, delimiter: Vec::new() }
    }

    pub(crate) fn peek(&self, ahead: usize) -> char {
        self.chars.get(self.at + ahead).copied().unwrap_or('\0')
    }

    pub(crate) fn ended(&self) -> bool {
        self.at >= self.chars.len()
    }

    pub(crate) fn starts(&self, text: &str) -> bool {
        text.chars().enumerate().all(|(ahead, c)| self.peek(ahead) == c)
    }

    /// Whether only blanks are in front of it on its line.
    pub(crate) fn at_line_start(&self) -> bool {
        self.chars.get(..self.at).unwrap_or(&[]).iter().rev().take_while(|c| **c != '\n').all(char::is_ascii_whitespace)
    }

    /// The rest of the line, which is passed.
    pub(crate) fn line(&mut self) -> String {
        let line: String = self.chars.get(self.at..).unwrap_or(&[]).iter().take_while(|c| **c != '\n').collect();
        self.at = (self.at + line.chars().count() + 1).min(self.chars.len());
        line
    }

    /// The rest of the line, which stays.
    pub(crate) fn ahead(&self) -> String {
        self.chars.get(self.at..).unwrap_or(&[]).iter().take_while(|c| **c != '\n').collect()
    }

    /// Puts a text in place of the next characters.
    pub(crate) fn replace(&mut self, count: usize, text: &str) {
        let end = (self.at + count).min(self.chars.len());
        self.chars.splice(self.at.min(end)..end, text.chars());
    }

    fn until(&mut self, end: &str) -> String {
        let start = self.at;
        while !self.ended() && !self.starts(end) {
            self.at += 1;
        }
        let text = self.chars.get(start..self.at).unwrap_or(&[]).iter().collect();
        self.at = (self.at + end.chars().count()).min(self.chars.len());
        text
    }

    /// Passes blanks and comments.
    pub(crate) fn blanks(&mut self, quoting: QuotingRules) {
        let language = quoting.language;
        let mysql = language == QueryLanguage::Mysql;
        loop {
            let c = self.peek(0);
            if self.ended() {
                return;
            } else if c.is_ascii_whitespace() || matches!(c, '\u{b}' | '\0') {
                self.at += 1;
            } else if self.conditional && self.starts("*/") {
                self.at += 2;
                self.conditional = false;
            } else if self.starts("--") && (!mysql || self.peek(2).is_whitespace() || matches!(self.peek(2), '\0') || self.at_line_start())
                || c == '#' && (mysql || language == QueryLanguage::Any && self.at_line_start())
            {
                self.line();
            } else if self.starts("/*") {
                self.comment(quoting);
            } else {
                return;
            }
        }
    }

    fn comment(&mut self, quoting: QuotingRules) {
        if quoting.language == QueryLanguage::Mysql && (self.starts("/*!") || (quoting.maria && self.starts("/*M!"))) {
            let front = if self.peek(2) == 'M' { 4 } else { 3 };
            let digits: String = (front..front + 6).map(|ahead| self.peek(ahead)).take_while(char::is_ascii_digit).collect();
            let digits = if digits.len() < 5 { "" } else { &digits };
            let version: u32 = digits.parse().unwrap_or(0);
            let newer = if quoting.maria { (front == 3 && (50_700..=99_999).contains(&version)) || version > MARIA_VERSION } else { version > MYSQL_VERSION };
            if !newer && !self.conditional {
                self.at += front + digits.len();
                self.conditional = true;
                return;
            }
        }
        self.at += 2;
        let mut depth = 1;
        while !self.ended() && depth > 0 {
            if self.starts("*/") {
                self.at += 2;
                depth -= 1;
            } else if quoting.language == QueryLanguage::Postgres && self.starts("/*") {
                self.at += 2;
                depth += 1;
            } else {
                self.at += 1;
            }
        }
    }

    /// Text in quotes, of which the first is next. A doubled quote is one.
    fn quoted(&mut self, end: char, backslash: bool) -> String {
        self.at += 1;
        let mut text = String::new();
        while !self.ended() {
            let c = self.peek(0);
            if c == '\\' && backslash && self.at + 1 < self.chars.len() {
                text.push(match self.peek(1) {
                    'n' => '\n',
                    't' => '\t',
                    other => other,
                });
                self.at += 2;
            } else if c == end && self.peek(1) == end {
                text.push(c);
                self.at += 2;
            } else if c == end {
                self.at += 1;
                return text;
            } else {
                text.push(c);
                self.at += 1;
            }
        }
        text
    }

    /// The next word.
    pub(crate) fn next(&mut self, quoting: QuotingRules) -> Next {
        self.blanks(quoting);
        if self.ended() {
            return Next::End;
        }
        let language = quoting.language;
        let c = self.peek(0);
        let (kind, text) = match c {
            HOLE => {
                self.at += 1;
                (SqlTokenKind::Hole, String::new())
            }
            '\\' => {
                self.at += 1;
                return Next::Backslash;
            }
            '\'' => (SqlTokenKind::Text, self.quoted(c, quoting.backslash)),
            '"' if quoting.double_names => (SqlTokenKind::Name, self.quoted(c, false)),
            '"' => (SqlTokenKind::Text, self.quoted(c, quoting.backslash)),
            '`' if language != QueryLanguage::Postgres => (SqlTokenKind::Name, self.quoted(c, false)),
            '[' if matches!(language, QueryLanguage::Sqlite | QueryLanguage::Any) && (self.peek(1).is_alphabetic() || self.peek(1) == '_') => {
                self.at += 1;
                (SqlTokenKind::Name, self.until("]"))
            }
            'e' | 'E' if self.peek(1) == '\'' && language == QueryLanguage::Postgres => {
                self.at += 1;
                (SqlTokenKind::Text, self.quoted('\'', true))
            }
            'n' | 'N' | 'x' | 'X' | 'b' | 'B' if self.peek(1) == '\'' => {
                self.at += 1;
                (SqlTokenKind::Text, self.quoted('\'', quoting.backslash))
            }
            'u' | 'U' if self.starts_folded("u&\"") || self.starts_folded("u&'") => {
                self.at += 2;
                let quote = self.peek(0);
                let text = unescaped(&self.quoted(quote, false));
                (if quote == '"' { SqlTokenKind::Name } else { SqlTokenKind::Text }, text)
            }
            '$' if language == QueryLanguage::Postgres || language == QueryLanguage::Any => match self.dollars() {
                Some(text) => (SqlTokenKind::Text, text),
                None => self.parameter(),
            },
            '?' => self.parameter(),
            '@' | ':' if self.peek(1).is_alphanumeric() || matches!(self.peek(1), '_' | '@') => self.parameter(),
            _ if c.is_ascii_digit() || (c == '.' && self.peek(1).is_ascii_digit()) => {
                (SqlTokenKind::Number, self.run(|c| c.is_ascii_alphanumeric() || c == '.'))
            }
            _ if c.is_alphabetic() || c == '_' || (c == '$' && language != QueryLanguage::Postgres) || !c.is_ascii() => {
                (SqlTokenKind::Word, self.run(|c| c.is_alphanumeric() || matches!(c, '_' | '$') || (!c.is_ascii() && c != HOLE)))
            }
            _ => {
                let operator = OPERATORS.iter().find(|operator| self.starts(operator));
                let text = operator.map_or_else(|| c.to_string(), |operator| (*operator).to_owned());
                self.at += text.chars().count();
                (SqlTokenKind::Sign, text)
            }
        };
        Next::Token(Token { kind, text })
    }

    fn starts_folded(&self, text: &str) -> bool {
        text.chars().enumerate().all(|(ahead, c)| self.peek(ahead).eq_ignore_ascii_case(&c))
    }

    fn run(&mut self, within: impl Fn(char) -> bool) -> String {
        let rest = self.chars.get(self.at..).unwrap_or(&[]);
        let ends = |at: usize| at > 0 && !self.delimiter.is_empty() && rest.get(at..).is_some_and(|rest| rest.starts_with(&self.delimiter));
        let text: String = rest.iter().enumerate().take_while(|(at, c)| within(**c) && !ends(*at)).map(|(_, c)| *c).collect();
        self.at += text.chars().count().max(1);
        text
    }

    fn parameter(&mut self) -> (SqlTokenKind, String) {
        let first = self.peek(0);
        self.at += 1;
        let mut text = String::from(first);
        while self.peek(0).is_alphanumeric() || matches!(self.peek(0), '_' | '@') {
            text.push(self.peek(0));
            self.at += 1;
        }
        (SqlTokenKind::Parameter, text)
    }

    /// `$tag$ … $tag$`
    fn dollars(&mut self) -> Option<String> {
        let tag: String = self.chars.get(self.at + 1..)?.iter().take_while(|c| c.is_alphanumeric() || **c == '_').collect();
        let end = format!("${tag}$");
        if tag.starts_with(|c: char| c.is_ascii_digit()) || !self.starts(&end) {
            return None;
        }
        self.at += end.chars().count();
        Some(self.until(&end))
    }
}

/// `\0061` and `\+000061` of a `U&` text.
fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((front, behind)) = rest.split_once('\\') {
        out.push_str(front);
        let (digits, skip) = if behind.starts_with('+') { (behind.get(1..7), 7) } else { (behind.get(..4), 4) };
        match digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()).and_then(char::from_u32) {
            Some(c) => {
                out.push(c);
                rest = behind.get(skip..).unwrap_or("");
            }
            None => {
                out.push('\\');
                rest = behind;
            }
        }
    }
    out + rest
}

/// All words of a text without client commands.
pub(crate) fn words(text: &str, quoting: QuotingRules) -> Vec<Token> {
    let mut lexer = QueryLexer::new(text);
    let mut all = Vec::new();
    loop {
        match lexer.next(quoting) {
            Next::Token(token) => all.push(token),
            Next::Backslash => {}
            Next::End => return all,
        }
    }
}
