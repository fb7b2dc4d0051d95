//! Tokens with their brackets paired, and the ways to walk over them. Knows no language's calls.

use std::ops::Range;

use super::Language;
use super::lex::{Placed, Token};

/// Expressions of more tokens than this, groups counted as one, are not read.
const MAX_EXPRESSION: usize = 512;

/// A bracket without a partner ends after this many tokens.
const MAX_UNCLOSED: usize = 64;

/// A range of tokens, by index.
pub(super) type Span = Range<usize>;

/// One piece of code.
pub(super) struct Piece<'a> {
    tokens: Vec<Placed<'a>>,
    /// For every bracket the index of the other one; for all else, and brackets without one, see [`Piece::skip`].
    partner: Vec<usize>,
    language: Language,
    /// Makes an index unique among the pieces of one text.
    pub(super) base: usize,
}

impl<'a> Piece<'a> {
    pub(super) fn new(tokens: Vec<Placed<'a>>, language: Language, base: usize) -> Self {
        let mut partner = vec![usize::MAX; tokens.len()];
        let mut open: Vec<(usize, &str)> = Vec::new();
        for (index, placed) in tokens.iter().enumerate() {
            let Token::Mark(mark) = placed.token else { continue };
            match mark {
                "(" | "[" | "{" => open.push((index, mark)),
                ")" | "]" | "}" => {
                    // A bracket that closes nothing is left alone.
                    if let Some((other, _)) = open.pop_if(|(_, start)| matches!((*start, mark), ("(", ")") | ("[", "]") | ("{", "}"))) {
                        for (at, to) in [(other, index), (index, other)] {
                            if let Some(place) = partner.get_mut(at) {
                                *place = to;
                            }
                        }
                    }
                }
                _ => {}
            }
        }
        Self { tokens, partner, language, base }
    }

    pub(super) fn len(&self) -> usize {
        self.tokens.len()
    }

    pub(super) fn token(&self, at: usize) -> Option<&Token<'a>> {
        #[cfg(test)]
        super::tests::count_step();
        self.tokens.get(at).map(|placed| &placed.token)
    }

    pub(super) fn before(&self, at: usize) -> Option<&Token<'a>> {
        self.token(at.checked_sub(1)?)
    }

    pub(super) fn word(&self, at: usize) -> Option<&'a str> {
        match self.token(at) {
            Some(Token::Word(word)) => Some(word),
            _ => None,
        }
    }

    /// The operator or bracket here, or nothing.
    pub(super) fn mark(&self, at: usize) -> &'a str {
        match self.token(at) {
            Some(Token::Mark(mark)) => mark,
            _ => "",
        }
    }

    pub(super) fn is_newline(&self, at: usize) -> bool {
        matches!(self.token(at), Some(Token::Newline))
    }

    /// Whether nothing stands between this token and the one before.
    pub(super) fn adjacent(&self, at: usize) -> bool {
        match (at.checked_sub(1).and_then(|before| self.tokens.get(before)), self.tokens.get(at)) {
            (Some(before), Some(here)) => before.end == here.start,
            _ => false,
        }
    }

    /// The end of the bracket that opens here: the index of its partner. A bracket that is never closed ends after a
    /// while, so that many of them cost no more than one.
    pub(super) fn close(&self, open: usize) -> usize {
        match self.partner.get(open) {
            Some(&close) if close != usize::MAX && close > open => close,
            _ => self.len().min(open + MAX_UNCLOSED),
        }
    }

    fn is_open(&self, at: usize) -> bool {
        matches!(self.mark(at), "(" | "[" | "{")
    }

    /// The index after this token, or after the group that opens here.
    pub(super) fn skip(&self, at: usize) -> usize {
        if self.is_open(at) { (self.close(at) + 1).min(self.len()) } else { at + 1 }
    }

    pub(super) fn skip_newlines(&self, mut at: usize) -> usize {
        while self.is_newline(at) {
            at += 1;
        }
        at
    }

    pub(super) fn trim(&self, span: Span) -> Span {
        let mut span = self.skip_newlines(span.start)..span.end;
        while span.end > span.start && self.is_newline(span.end - 1) {
            span.end -= 1;
        }
        span
    }

    /// The parts of `span` between the marks that `divides` accepts; groups stay whole, empty parts go.
    pub(super) fn split(&self, span: Span, divides: impl Fn(&str) -> bool) -> Vec<Span> {
        let mut parts = Vec::new();
        let mut start = span.start;
        let mut at = span.start;
        while at < span.end {
            if divides(self.mark(at)) {
                parts.push(start..at);
                start = at + 1;
            }
            at = self.skip(at);
        }
        parts.push(start.min(span.end)..span.end);
        parts.into_iter().map(|part| self.trim(part)).filter(|part| !part.is_empty()).collect()
    }

    /// What stands between the bracket that opens here and its partner, split at commas.
    pub(super) fn items(&self, open: usize) -> Vec<Span> {
        let perl = self.language == Language::Perl;
        self.split(open + 1..self.close(open), |mark| mark == "," || perl && mark == "=>")
    }

    /// The end of arguments that stand without brackets, or of the value of an assignment.
    pub(super) fn expression_end(&self, start: usize, commas: bool) -> usize {
        let lines = !matches!(self.language, Language::Perl | Language::Php);
        let mut at = start;
        let mut left = MAX_EXPRESSION;
        while at < self.len() {
            left -= 1;
            if left == 0 {
                break; // INVARIANT: longer than any expression that is evaluated, so its value is unknown
            }
            match self.token(at) {
                Some(Token::Mark(";" | ")" | "]" | "}")) => break,
                Some(Token::Mark(",")) if !commas => break,
                Some(Token::Word("if" | "unless" | "while" | "until" | "and" | "or" | "do" | "foreach" | "for"))
                    if at > start && matches!(self.language, Language::Ruby | Language::Perl) =>
                {
                    break;
                }
                Some(Token::Mark("||" | "&&" | "|" | "==")) if commas => break,
                Some(Token::Newline) if lines => {
                    let next = self.skip_newlines(at);
                    let goes_on = at == start
                        || matches!(self.before(at), Some(Token::Mark("," | "+" | "." | "=" | "=>" | "?" | ":" | "||" | "??")))
                        || matches!(self.mark(next), "." | "?." | "&.")
                        || self.language == Language::JavaScript && matches!(self.mark(next), "+" | "?" | ":" | "||" | "??");
                    if !goes_on {
                        break;
                    }
                }
                Some(Token::Mark("(" | "[" | "{")) if self.partner.get(at) == Some(&usize::MAX) => break, // it is never closed
                _ => {}
            }
            at = self.skip(at);
        }
        at.min(self.len())
    }
}
