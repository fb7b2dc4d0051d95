//! Program text to tokens. Knows strings, comments and regular expressions of each language, and no call.

use std::collections::HashMap;

use super::Language;
use super::quotes::{Close, Escapes, Holes, How};

/// A stretch of a string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part<'a> {
    /// Text as it will be, escapes decoded.
    Lit(String),
    /// Code whose value is put in here.
    Hole(&'a str),
}

/// A token. Comments and blanks are none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// A name or keyword, with its sigil.
    Word(&'a str),
    /// A string.
    Text(Vec<Part<'a>>),
    /// A string of JavaScript in backquotes.
    Template(Vec<Part<'a>>),
    /// A string that is run by the shell.
    Command(Vec<Part<'a>>),
    /// `%w[…]`, `qw(…)`
    Words(Vec<String>),
    Number(&'a str),
    Regex,
    /// An operator or a bracket.
    Mark(&'a str),
    Newline,
}

/// A token and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Placed<'a> {
    pub(super) token: Token<'a>,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// Operators of more than one byte; the longer ones first.
const MARKS: &[&str] = &[
    "<=>", "===", "!==", "**=", "...", "||=", "&&=", "//=", "<<=", ">>=", "??=", "=>", "==", "!=", "->", "::", "?.", "&.", ":=", "+=", "-=", ".=", "*=", "|=",
    "<<", ">>", "||", "&&", "**", "=~", "!~", "|&", "<=", ">=", "..", "??", "++", "--",
];

/// Words after which a value follows, so that `/` begins a regular expression there.
const BEFORE_VALUE: &[&str] = &[
    "return", "if", "elsif", "elif", "unless", "while", "until", "and", "or", "not", "in", "of", "case", "when", "typeof", "else", "then", "do", "split",
    "grep", "map", "join", "push", "x", "await", "yield", "throw", "print", "puts", "void", "delete", "new", "lt", "gt", "eq", "ne", "cmp", "die", "begin",
];

/// A here-document whose body has not come yet.
pub(super) struct Pending<'a> {
    pub(super) token: usize,
    pub(super) end: &'a str,
    pub(super) raw: bool,
    pub(super) command: bool,
    pub(super) indented: bool,
}

pub(super) struct Lexer<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
    pub(super) language: Language,
    pub(super) tokens: Vec<Placed<'a>>,
    pub(super) pending: Vec<Pending<'a>>,
    /// The last place of each line of the text without its blanks; made when a here-document is first met.
    pub(super) lines: Option<HashMap<&'a str, usize>>,
    /// Up to these places it is known that a regular expression, a quote, a hole does not close.
    pub(super) open_regex: usize,
    pub(super) open_quote: usize,
    pub(super) open_hole: usize,
    /// For every round bracket that is open, whether a condition stands in it; then the same of the one closed last.
    conditions: Vec<bool>,
    after_condition: bool,
}

/// Reads all of `text`.
pub(super) fn tokens(text: &str, language: Language) -> Vec<Placed<'_>> {
    let mut lexer = Lexer {
        text,
        at: 0,
        language,
        tokens: Vec::new(),
        pending: Vec::new(),
        lines: None,
        open_regex: 0,
        open_quote: 0,
        open_hole: 0,
        conditions: Vec::new(),
        after_condition: false,
    };
    if language == Language::Php && text.contains("<?") {
        lexer.skip_page();
    }
    while lexer.at < text.len() {
        let before = lexer.at;
        lexer.step();
        if lexer.at == before {
            lexer.at += 1; // INVARIANT: every step moves on
        }
    }
    lexer.tokens
}

impl<'a> Lexer<'a> {
    pub(super) fn byte(&self, ahead: usize) -> u8 {
        #[cfg(test)]
        super::tests::count_step();
        self.text.as_bytes().get(self.at + ahead).copied().unwrap_or(0)
    }

    pub(super) fn slice(&self, from: usize, to: usize) -> &'a str {
        self.text.get(from..to).unwrap_or_default()
    }

    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(super) fn push(&mut self, token: Token<'a>, start: usize) {
        self.tokens.push(Placed { token, start, end: self.at });
    }

    pub(super) fn line_end(&self) -> usize {
        self.rest().find('\n').map_or(self.text.len(), |length| self.at + length)
    }

    fn at_line_start(&self) -> bool {
        self.at == 0 || self.text.as_bytes().get(self.at - 1) == Some(&b'\n')
    }

    fn blank_before(&self) -> bool {
        self.at == 0 || self.text.as_bytes().get(self.at - 1).is_some_and(u8::is_ascii_whitespace)
    }

    fn step(&mut self) {
        let byte = self.byte(0);
        if byte == b'\n' {
            let start = self.at;
            self.at += 1;
            if !matches!(self.language, Language::Perl | Language::Php) {
                self.push(Token::Newline, start);
            }
            self.here_documents();
            return;
        }
        if byte == b'\\' && self.byte(1) == b'\n' {
            self.at += 2; // the line goes on
            return;
        }
        if byte.is_ascii_whitespace() {
            self.at += 1;
            return;
        }
        if self.comment() || self.string() {
            return;
        }
        if byte.is_ascii_digit() {
            let start = self.at;
            while self.byte(0).is_ascii_alphanumeric() || self.byte(0) == b'_' || self.byte(0) == b'.' && self.byte(1).is_ascii_digit() {
                self.at += 1;
            }
            self.push(Token::Number(self.slice(start, self.at)), start);
            return;
        }
        if self.word() {
            return;
        }
        let start = self.at;
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        match byte {
            b'(' => {
                let condition = matches!(self.tokens.last(), Some(Placed { token: Token::Word("if" | "while" | "for" | "with"), .. }));
                self.conditions.push(condition);
            }
            b')' => self.after_condition = self.conditions.pop().unwrap_or(false),
            _ => {}
        }
        let length = MARKS.iter().find(|mark| rest.starts_with(mark.as_bytes())).map_or(1, |mark| mark.len());
        self.at += length;
        self.push(Token::Mark(self.slice(start, self.at)), start);
    }

    fn comment(&mut self) -> bool {
        use Language::{Awk, JavaScript, Perl, Php, Python, Ruby, Unknown};
        let rest = self.rest();
        let hash = match self.language {
            Python | Awk | Ruby | Perl => true,
            Php => !rest.starts_with("#["),
            JavaScript => self.at == 0 && rest.starts_with("#!"),
            Unknown => self.blank_before(),
        };
        let slashes = matches!(self.language, JavaScript | Php | Unknown);
        if rest.starts_with('#') && hash || slashes && rest.starts_with("//") {
            let end = self.line_end();
            let line = self.slice(self.at, end);
            // In PHP the page comes back at the end of the code even inside a comment.
            self.at = match line.find("?>") {
                Some(length) if self.language == Php => self.at + length,
                _ => end,
            };
            return true;
        }
        if slashes && rest.starts_with("/*") {
            self.at = rest.get(2..).and_then(|tail| tail.find("*/")).map_or(self.text.len(), |length| self.at + length + 4);
            return true;
        }
        if self.language == Php && rest.starts_with("?>") {
            self.at += 2;
            self.push(Token::Mark(";"), self.at);
            self.skip_page();
            return true;
        }
        if !self.at_line_start() || !matches!(self.language, Ruby | Perl) {
            return false;
        }
        if rest.starts_with("__END__") || rest.starts_with("__DATA__") && self.language == Perl {
            self.at = self.text.len();
            return true;
        }
        let end = match self.language {
            Ruby if rest.starts_with("=begin") => "\n=end",
            Perl if rest.starts_with('=') && self.byte(1).is_ascii_alphabetic() => "\n=cut",
            _ => return false,
        };
        self.at = rest.find(end).map_or(self.text.len(), |length| self.at + length + end.len());
        self.at = self.line_end();
        true
    }

    /// Skips what stands around PHP's code in a page.
    fn skip_page(&mut self) {
        let Some(length) = self.rest().find("<?") else {
            self.at = self.text.len();
            return;
        };
        self.at += length + 2;
        if self.rest().starts_with("php") {
            self.at += 3;
        } else if self.rest().starts_with('=') {
            self.at += 1;
        }
    }

    /// Reads a name with its sigil; quote-like words of Perl and prefixes of Python's strings have been looked for.
    fn word(&mut self) -> bool {
        use Language::{JavaScript, Perl, Php, Ruby, Unknown};
        let start = self.at;
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80;
        let dollar = matches!(self.language, JavaScript);
        match self.byte(0) {
            b'$' if dollar => {}
            b'$' if matches!(self.language, Perl | Php | Ruby | Unknown) => {
                self.at += 1;
                while self.byte(0) == b'$' {
                    self.at += 1;
                }
                if self.language == Perl && self.byte(0) == b'#' && (is_word(self.byte(1)) || matches!(self.byte(1), b'{' | b'$')) {
                    self.at += 1;
                }
                if !is_word(self.byte(0)) {
                    // `$'`, `$"`, `$/`, `$^X`: special variables.
                    let special =
                        matches!(self.language, Perl | Ruby) && self.byte(0).is_ascii_punctuation() && !matches!(self.byte(0), b'{' | b'(' | b'[' | b')');
                    if !special {
                        self.push(Token::Mark("$"), start);
                        return true;
                    }
                    self.at += if self.byte(0) == b'^' && self.byte(1).is_ascii_uppercase() { 2 } else { 1 };
                    self.push(Token::Word(self.slice(start, self.at)), start);
                    return true;
                }
            }
            b'@' if matches!(self.language, Perl | Ruby) && (is_word(self.byte(1)) || self.byte(1) == b'@') => {
                self.at += 1;
                if self.byte(0) == b'@' {
                    self.at += 1;
                }
            }
            b'%' if self.language == Perl && is_word(self.byte(1)) && (self.expects_value() || self.after_function()) => {
                self.at += 1;
            }
            byte if is_word(byte) => {}
            _ => return false,
        }
        while is_word(self.byte(0)) || dollar && self.byte(0) == b'$' {
            self.at += 1;
        }
        if self.language == Ruby && matches!(self.byte(0), b'?' | b'!') && self.byte(1) != b'=' {
            self.at += 1;
        }
        self.push(Token::Word(self.slice(start, self.at)), start);
        true
    }

    /// Whether a value may begin here, judged by the token before.
    pub(super) fn expects_value(&self) -> bool {
        match self.tokens.last().map(|placed| &placed.token) {
            None | Some(Token::Newline) => true,
            Some(Token::Mark(")")) => self.after_condition && self.language == Language::JavaScript,
            Some(Token::Mark(mark)) => !matches!(*mark, "]" | "}" | "$" | "++" | "--"),
            Some(Token::Word(word)) => BEFORE_VALUE.contains(word),
            _ => false,
        }
    }

    /// Whether the token before is a name without a sigil.
    fn after_function(&self) -> bool {
        matches!(self.tokens.last(), Some(Placed { token: Token::Word(word), .. }) if !word.starts_with(['$', '@', '%']))
    }

    /// Whether the token before is a name and the text here is set off from it but not from what follows, as an
    /// argument without brackets is in Ruby.
    pub(super) fn looks_like_argument(&self) -> bool {
        matches!(self.tokens.last(), Some(Placed { token: Token::Word(_), .. }))
            && self.blank_before()
            && !self.byte(1).is_ascii_whitespace()
            && self.byte(1) != b'='
    }

    /// A quote or a regular expression, in the manner of the language.
    fn string(&mut self) -> bool {
        use Language::{Awk, JavaScript, Perl, Php, Python, Ruby, Unknown};
        let start = self.at;
        let byte = self.byte(0);
        let language = self.language;
        match language {
            Python => return self.python_string(),
            Unknown if self.python_string() => return true,
            Ruby if self.ruby_string() => return true,
            Perl if self.perl_string() => return true,
            Ruby | Perl | Php if byte == b'<' && self.here_document() => return true,
            _ => {}
        }
        let how = match (self.language, byte) {
            (JavaScript, b'\'' | b'"') => How { escapes: Escapes::C, holes: Holes::None, one_line: true },
            (JavaScript, b'`') => How { escapes: Escapes::C, holes: Holes::Dollar, one_line: false },
            (Ruby | Perl | Php, b'\'') => How { escapes: Escapes::Single, holes: Holes::None, one_line: false },
            (Ruby, b'"' | b'`') => How { escapes: Escapes::C, holes: Holes::Hash, one_line: false },
            (Perl | Php, b'"' | b'`') => How { escapes: Escapes::C, holes: Holes::Sigil, one_line: false },
            (Awk, b'"') => How { escapes: Escapes::C, holes: Holes::None, one_line: true },
            (Unknown, b'\'' | b'"' | b'`') => {
                if self.at < self.open_quote {
                    return false;
                }
                How { escapes: Escapes::C, holes: Holes::None, one_line: true }
            }
            (JavaScript | Ruby | Perl | Awk, b'/') => return self.regex(),
            _ => return false,
        };
        self.at += 1;
        let (parts, closed) = self.body(Close::Byte(byte), how);
        if !closed && self.language == Unknown {
            // A quote that does not close on its line is an apostrophe.
            self.open_quote = self.at;
            self.at = start + 1;
            return true;
        }
        let token = match (self.language, byte) {
            (Ruby | Perl | Php, b'`') => Token::Command(parts),
            (JavaScript, b'`') => Token::Template(parts),
            _ => Token::Text(parts),
        };
        self.push(token, start);
        true
    }

    fn regex(&mut self) -> bool {
        let after_block = self.language == Language::JavaScript
            && matches!(self.tokens.last().map(|placed| &placed.token), Some(Token::Mark("}")))
            && self.slice(self.at.saturating_sub(1), self.at) == "\n";
        let argument = self.language == Language::Ruby && self.looks_like_argument();
        if self.at < self.open_regex || !(self.expects_value() || after_block || argument) {
            return false;
        }
        let start = self.at;
        let bytes = self.text.as_bytes();
        let mut at = self.at + 1;
        let mut class = false;
        loop {
            #[cfg(test)]
            super::tests::count_step();
            match bytes.get(at) {
                None | Some(b'\n') => {
                    self.open_regex = at;
                    return false;
                }
                Some(b'\\') => at += 1,
                Some(b'[') => class = true,
                Some(b']') => class = false,
                Some(b'/') if !class => break,
                _ => {}
            }
            at += 1;
        }
        self.at = at + 1;
        while self.byte(0).is_ascii_alphabetic() {
            self.at += 1;
        }
        self.push(Token::Regex, start);
        true
    }
}
