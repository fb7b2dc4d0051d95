//! Program text to tokens, driven by the tables in `grammar`. Knows no call.

use super::Language;
use super::grammar::{self, Escapes, Grammar, Holes, Quote, RAW};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TextPart<'a> {
    /// Text as it will be, escapes decoded.
    Lit(String),
    /// Code whose value is put in here.
    Hole(&'a str),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TextForm {
    Plain,
    /// A name in front of it is called with it.
    Template,
    /// The shell runs it.
    Command,
    Words,
    Regex,
    /// A regular expression and what is put in its place.
    Replace,
}

/// A token. Comments and blanks are not tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum CodeToken<'a> {
    /// A name or keyword, with its sigil.
    Word(&'a str),
    Text(TextForm, Vec<TextPart<'a>>),
    Number(&'a str),
    /// An operator or a bracket.
    Mark(&'a str),
    Newline,
}

#[derive(Clone, Debug)]
pub(super) struct PlacedToken<'a> {
    pub(super) token: CodeToken<'a>,
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

/// After so many marks that look like here-documents but are not, no more are looked for.
const MAX_FALSE_HERE: usize = 8;

pub(super) struct Lexer<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
    pub(super) language: Language,
    grammar: &'static Grammar,
    tokens: Vec<PlacedToken<'a>>,
    /// Where the text continues behind the bodies of here-documents, once the present line ends.
    resume: usize,
    pub(super) open: Open,
}

/// What is known of things that are open or do not close.
#[derive(Default)]
pub(super) struct Open {
    /// Up to these places a regular expression, a quote, a hole does not close.
    regex: usize,
    quote: usize,
    pub(super) hole: usize,
    /// How many marks looked like here-documents.
    false_here: usize,
    /// For every round bracket that is open, whether a condition is in it; then the same of the one closed last.
    conditions: Vec<bool>,
    after_condition: bool,
}

pub(super) fn tokens(text: &str, language: Language) -> Vec<PlacedToken<'_>> {
    let mut lexer = Lexer { text, at: 0, language, grammar: grammar::of(language), tokens: Vec::new(), resume: 0, open: Open::default() };
    if language == Language::Php {
        lexer.at = text.find("<?").map_or(0, |page| page + 2);
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

pub(super) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
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

    fn push(&mut self, token: CodeToken<'a>, start: usize) {
        self.tokens.push(PlacedToken { token, start, end: self.at });
    }

    fn last(&self) -> Option<&CodeToken<'a>> {
        self.tokens.last().map(|placed| &placed.token)
    }

    fn before(&self) -> u8 {
        self.at.checked_sub(1).and_then(|before| self.text.as_bytes().get(before)).copied().unwrap_or(b'\n')
    }

    pub(super) fn skip_while(&mut self, accepts: impl Fn(u8) -> bool) {
        while self.at < self.text.len() && accepts(self.byte(0)) {
            self.at += 1;
        }
    }

    fn step(&mut self) {
        let start = self.at;
        let byte = self.byte(0);
        match byte {
            b'\n' => {
                self.at += 1;
                if self.grammar.newlines {
                    self.push(CodeToken::Newline, start);
                }
                self.at = self.at.max(std::mem::take(&mut self.resume));
            }
            b'\\' if self.byte(1) == b'\n' => self.at += 2, // the line continues
            _ if byte.is_ascii_whitespace() => self.at += 1,
            _ if self.comment() || self.string() => {}
            b'0'..=b'9' => {
                while self.byte(0).is_ascii_alphanumeric() || self.byte(0) == b'_' || self.byte(0) == b'.' && self.byte(1).is_ascii_digit() {
                    self.at += 1;
                }
                self.push(CodeToken::Number(self.slice(start, self.at)), start);
            }
            _ if self.word() => {}
            _ => {
                if byte == b'(' {
                    self.open.conditions.push(matches!(self.last(), Some(CodeToken::Word("if" | "while" | "for" | "with"))));
                } else if byte == b')' {
                    self.open.after_condition = self.open.conditions.pop().unwrap_or(false);
                }
                let rest = self.text.as_bytes().get(start..).unwrap_or_default();
                self.at += MARKS.iter().find(|mark| rest.starts_with(mark.as_bytes())).map_or(1, |mark| mark.len());
                self.push(CodeToken::Mark(self.slice(start, self.at)), start);
            }
        }
    }

    fn comment(&mut self) -> bool {
        let (rest, start) = (self.rest(), self.at);
        let php = self.language == Language::Php;
        if let Some((open, close)) = self.grammar.blocks.iter().find(|(open, _)| rest.starts_with(open))
            && !(open.starts_with(['=', '_']) && self.before() != b'\n')
        {
            let body = rest.get(open.len()..).unwrap_or_default();
            self.at = body.find(close).map_or(self.text.len(), |length| start + open.len() + length + close.len());
            if *open == "?>" {
                self.push(CodeToken::Mark(";"), start);
            } else if open.starts_with('=') {
                self.skip_while(|byte| byte != b'\n');
            }
            return true;
        }
        if let Some(mark) = self.grammar.lines.iter().find(|mark| rest.starts_with(**mark)) {
            // In PHP `#[` begins an attribute; in an unknown language `#` may belong to a word.
            let none = *mark == "#" && (php && rest.starts_with("#[") || self.language == Language::Unknown && !self.before().is_ascii_whitespace());
            if !none {
                let line = rest.find('\n').map_or(rest, |length| rest.get(..length).unwrap_or_default());
                // The page comes back at the end of PHP's code even inside a comment.
                self.at += line.find("?>").filter(|_| php).unwrap_or(line.len());
                return true;
            }
        }
        false
    }

    /// Reads a name with its sigil.
    fn word(&mut self) -> bool {
        let start = self.at;
        let (byte, next) = (self.byte(0), self.byte(1));
        let dollar = self.language == Language::JavaScript;
        if self.grammar.sigils.as_bytes().contains(&byte) {
            match byte {
                b'$' => {
                    self.skip_while(|byte| byte == b'$');
                    self.at += usize::from(self.language == Language::Perl && self.byte(0) == b'#');
                    if !is_word(self.byte(0)) {
                        return self.special(start);
                    }
                }
                b'@' if is_word(next) || next == b'@' => self.skip_while(|byte| byte == b'@'),
                // Elsewhere it is the remainder of a division.
                b'%' if is_word(next) && (self.expects_value() || matches!(self.last(), Some(CodeToken::Word(word)) if !word.starts_with(['$', '@', '%']))) => {
                    self.at += 1;
                }
                _ => return false,
            }
        } else if !(is_word(byte) || dollar && byte == b'$') {
            return false;
        }
        self.skip_while(|byte| is_word(byte) || dollar && byte == b'$');
        let ends = match self.language {
            Language::Ruby => self.byte(1) != b'=',
            // Elixir's `File.rm!(…)`
            Language::Unknown => self.byte(1) == b'(',
            _ => false,
        };
        if ends && matches!(self.byte(0), b'?' | b'!') {
            self.at += 1;
        }
        self.push(CodeToken::Word(self.slice(start, self.at)), start);
        true
    }

    /// `$'`, `$"`, `$/`, `$^X` of Perl and Ruby; else only the sigil.
    fn special(&mut self, start: usize) -> bool {
        let byte = self.byte(0);
        if matches!(self.language, Language::Perl | Language::Ruby) && byte.is_ascii_punctuation() && !b"{([)".contains(&byte) {
            self.at += if byte == b'^' && self.byte(1).is_ascii_uppercase() { 2 } else { 1 };
            self.push(CodeToken::Word(self.slice(start, self.at)), start);
        } else {
            self.push(CodeToken::Mark("$"), start);
        }
        true
    }

    /// Whether a value may begin here, judged by the token before.
    fn expects_value(&self) -> bool {
        match self.last() {
            None | Some(CodeToken::Newline) => true,
            Some(CodeToken::Mark(")")) => self.open.after_condition && self.language == Language::JavaScript,
            // After a block a statement may begin, if it is on a line of its own.
            Some(CodeToken::Mark("}")) => self.language == Language::JavaScript && self.before() == b'\n',
            Some(CodeToken::Mark(mark)) => !matches!(*mark, "]" | "$" | "++" | "--"),
            Some(CodeToken::Word(word)) => {
                // In Ruby an argument without brackets is set off from the name but not from what follows.
                let argument = self.language == Language::Ruby && self.before() == b' ' && !self.byte(1).is_ascii_whitespace() && self.byte(1) != b'=';
                argument || BEFORE_VALUE.contains(word)
            }
            _ => false,
        }
    }

    /// A quote or a regular expression, in the manner of the language.
    fn string(&mut self) -> bool {
        let start = self.at;
        let byte = self.byte(0);
        if !self.grammar.here.is_empty() && byte == b'<' && self.here_document() || self.quote_word() {
            return true;
        }
        if self.language == Language::Ruby && matches!(byte, b':' | b'?') && self.expects_value() {
            // A symbol, a single character.
            let next = self.byte(1);
            if byte == b':' && (next.is_ascii_alphabetic() || next == b'_') || byte == b'?' && next.is_ascii_punctuation() && !is_word(self.byte(2)) {
                self.at += 2;
                self.skip_while(|next| byte == b':' && is_word(next));
                self.push(CodeToken::Text(TextForm::Plain, vec![TextPart::Lit(self.slice(start + 1, self.at).to_owned())]), start);
                return true;
            }
        }
        if byte == b'/' && self.grammar.regex {
            return self.regex();
        }
        let after_name = self.tokens.last().is_some_and(|placed| placed.end == start && matches!(placed.token, CodeToken::Word(_)));
        let mut prefix = 0;
        while self.grammar.prefixes && !after_name && prefix < 3 && matches!(self.byte(prefix).to_ascii_lowercase(), b'r' | b'b' | b'u' | b'f' | b't') {
            prefix += 1;
        }
        let body = self.rest().get(prefix..).unwrap_or_default();
        let Some(quote) = self.grammar.quotes.iter().find(|quote| body.starts_with(quote.open)) else { return false };
        let mut quote = *quote;
        let letters = self.slice(start, start + prefix).to_ascii_lowercase();
        if letters.contains('r') {
            quote.escapes = Escapes::Raw;
        }
        if letters.contains(['f', 't']) {
            quote.holes = Holes::Braces;
        }
        if start < self.open.quote && quote.one_line && self.language == Language::Unknown {
            return false;
        }
        self.at += prefix + quote.open.len();
        let close = match quote.open {
            "[[" => "]]",
            "[=[" => "]=]",
            "[==[" => "]==]",
            same => same,
        };
        let (parts, closed) = self.body(close, None, quote);
        if !closed && quote.one_line && self.language == Language::Unknown {
            // A quote that does not close on its line is an apostrophe.
            self.open.quote = self.at;
            self.at = start + prefix + 1;
            return true;
        }
        self.push(CodeToken::Text(quote.form, parts), start);
        true
    }

    fn regex(&mut self) -> bool {
        let start = self.at;
        if start < self.open.regex || !self.expects_value() {
            return false;
        }
        let mut class = false;
        self.at += 1;
        loop {
            match self.byte(0) {
                0 | b'\n' => {
                    self.open.regex = self.at;
                    self.at = start;
                    return false;
                }
                b'\\' => self.at += 1,
                b'[' => class = true,
                b']' => class = false,
                b'/' if !class => break,
                _ => {}
            }
            self.at += 1;
        }
        self.at += 1;
        self.skip_while(|byte| byte.is_ascii_alphabetic());
        self.push(CodeToken::Text(TextForm::Regex, Vec::new()), start);
        true
    }

    /// `%w[…]`, `qq{…}` and their kin.
    fn quote_word(&mut self) -> bool {
        let start = self.at;
        let rest = self.rest();
        let Some(quote) = self.grammar.words.iter().find(|quote| rest.starts_with(quote.open)) else { return false };
        let tail = rest.get(quote.open.len()..).unwrap_or_default();
        let perl = self.language == Language::Perl;
        let body = if perl { tail.trim_start() } else { tail };
        let spaced = body.len() < tail.len();
        let Some(delimiter) = body.bytes().next().filter(u8::is_ascii_punctuation) else { return false };
        let adjacent = self.tokens.last().is_some_and(|placed| placed.end == start);
        let refused = if perl {
            // `-s $file` is a test of a file, `{q}` and `y => 1` are keys.
            matches!(delimiter, b',' | b';' | b')' | b'}' | b'_')
                || delimiter == b'#' && spaced
                || delimiter == b'=' && (spaced || body.starts_with("=>") || body.starts_with("=="))
                || matches!(self.last(), Some(CodeToken::Mark("->" | "::") | CodeToken::Word("sub")))
                || adjacent && matches!(self.last(), Some(CodeToken::Word(_) | CodeToken::Mark("-" | "&")))
        } else {
            !self.expects_value()
        };
        if refused {
            return false;
        }
        self.at += rest.len() - body.len();
        let first = self.delimited(*quote);
        let token = match quote.form {
            TextForm::Replace => {
                let from = if matches!(delimiter, b'(' | b'[' | b'{' | b'<') {
                    self.skip_while(|byte| byte.is_ascii_whitespace());
                    self.at + 1
                } else {
                    self.at -= 1; // the middle one ends the first part and begins the second
                    self.at + 1
                };
                self.delimited(RAW);
                let (code, flags) = (self.slice(from, self.at.saturating_sub(1)), self.at);
                self.skip_while(|byte| byte.is_ascii_alphabetic());
                // With `e` the replacement is code.
                let evaluated = quote.open == "s" && self.slice(flags, self.at).contains('e');
                CodeToken::Text(TextForm::Regex, if evaluated { vec![TextPart::Hole(code)] } else { Vec::new() })
            }
            TextForm::Regex => {
                self.skip_while(|byte| byte.is_ascii_alphabetic());
                CodeToken::Text(TextForm::Regex, Vec::new())
            }
            form => CodeToken::Text(form, first),
        };
        self.push(token, start);
        true
    }

    /// A string from its delimiter to the same or the bracket that closes it.
    fn delimited(&mut self, quote: Quote) -> Vec<TextPart<'a>> {
        let open = self.byte(0);
        let own = self.slice(self.at, self.at + 1);
        let (close, counted) = match open {
            b'(' => (")", Some(open)),
            b'[' => ("]", Some(open)),
            b'{' => ("}", Some(open)),
            b'<' => (">", Some(open)),
            _ => (own, None),
        };
        self.at += 1;
        let holes = if open == b'\'' { Holes::None } else { quote.holes };
        self.body(close, counted, Quote { holes, ..quote }).0
    }

    /// A here-document, if its end is on a line further down: its body begins behind the present line, or behind the
    /// body before it.
    fn here_document(&mut self) -> bool {
        let start = self.at;
        let rest = self.rest();
        let Some(tail) = rest.strip_prefix(self.grammar.here) else { return false };
        let tail = tail.trim_start_matches(['~', '-', ' ']);
        let quote = tail.bytes().next().filter(|byte| matches!(byte, b'\'' | b'"' | b'`'));
        let name = quote.map_or(tail, |_| tail.get(1..).unwrap_or_default());
        let length = name.bytes().position(|byte| !is_word(byte)).unwrap_or(name.len());
        let Some(end) = name.get(..length).filter(|end| end.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')) else { return false };
        if self.open.false_here >= MAX_FALSE_HERE {
            return false;
        }
        let front = self.resume.max(start);
        let line_end = self.slice(front, self.text.len()).find('\n').map(|length| front + length);
        let Some((line_end, (stop, next))) = line_end.and_then(|line_end| Some((line_end, self.here_end(line_end, end)?))) else {
            self.open.false_here += 1;
            return false;
        };
        let head = start + rest.len() - name.len() + length + usize::from(quote.is_some());
        let whole = self.text;
        self.text = self.slice(0, stop);
        self.at = line_end + 1;
        let holes = if self.language == Language::Ruby { Holes::Hash } else { Holes::Sigil };
        let how = if quote == Some(b'\'') { Quote { escapes: Escapes::Raw, ..RAW } } else { Quote { escapes: Escapes::C, holes, ..RAW } };
        let (parts, _) = self.body("", None, how);
        (self.text, self.at, self.resume) = (whole, head, next);
        self.push(CodeToken::Text(if quote == Some(b'`') { TextForm::Command } else { TextForm::Plain }, parts), start);
        true
    }

    /// The beginning and the end of the first line after `from` that ends a here-document.
    fn here_end(&self, from: usize, end: &str) -> Option<(usize, usize)> {
        let mut at = from;
        loop {
            at += self.text.get(at..)?.find('\n')? + 1;
            let line = self.text.get(at..)?;
            let bare = line.trim_start_matches([' ', '\t']);
            if bare.strip_prefix(end).is_some_and(|tail| !tail.starts_with(|next: char| next.is_alphanumeric() || next == '_')) {
                return Some((at, at + line.len() - bare.len() + end.len()));
            }
        }
    }
}
