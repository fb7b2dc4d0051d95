//! Tokens with their brackets paired, and the ways to walk over them. Knows no language's calls.

use std::ops::Range;

use super::Language;
use super::lex::{CodeToken, PlacedToken};

/// Expressions of more tokens than this, groups counted as one, are not read.
const MAX_EXPRESSION: usize = 512;

/// A bracket without a partner ends after this many tokens.
const MAX_UNCLOSED: usize = 64;

pub(super) type TokenRange = Range<usize>;

pub(super) struct CodePiece<'a> {
    tokens: Vec<PlacedToken<'a>>,
    /// For every bracket that opens and is closed, the index of the other one.
    partner: Vec<Option<usize>>,
    language: Language,
    /// Makes an index unique among the pieces of one text.
    pub(super) base: usize,
}

impl<'a> CodePiece<'a> {
    pub(super) fn new(tokens: Vec<PlacedToken<'a>>, language: Language, base: usize) -> Self {
        let mut partner = vec![None; tokens.len()];
        let mut open: Vec<(usize, &str)> = Vec::new();
        for (index, placed) in tokens.iter().enumerate() {
            let CodeToken::Mark(mark) = placed.token else { continue };
            let close = match mark {
                "(" => ")",
                "[" => "]",
                "{" => "}",
                // A bracket that closes nothing is left alone.
                _ => {
                    if let Some((other, _)) = open.pop_if(|(_, close)| *close == mark)
                        && let Some(place) = partner.get_mut(other)
                    {
                        *place = Some(index);
                    }
                    continue;
                }
            };
            open.push((index, close));
        }
        Self { tokens, partner, language, base }
    }

    pub(super) fn len(&self) -> usize {
        self.tokens.len()
    }

    pub(super) fn token(&self, at: usize) -> Option<&CodeToken<'a>> {
        #[cfg(test)]
        super::tests::count_step();
        self.tokens.get(at).map(|placed| &placed.token)
    }

    pub(super) fn before(&self, at: usize) -> Option<&CodeToken<'a>> {
        self.token(at.checked_sub(1)?)
    }

    pub(super) fn word(&self, at: usize) -> Option<&'a str> {
        match self.token(at) {
            Some(CodeToken::Word(word)) => Some(word),
            _ => None,
        }
    }

    /// The operator or bracket here, or nothing.
    pub(super) fn mark(&self, at: usize) -> &'a str {
        match self.token(at) {
            Some(CodeToken::Mark(mark)) => mark,
            _ => "",
        }
    }

    pub(super) fn is_newline(&self, at: usize) -> bool {
        matches!(self.token(at), Some(CodeToken::Newline))
    }

    /// Whether nothing is between this token and the one before.
    pub(super) fn adjacent(&self, at: usize) -> bool {
        at.checked_sub(1).and_then(|before| self.tokens.get(before)).map(|before| before.end) == self.tokens.get(at).map(|here| here.start)
    }

    /// The end of the bracket that opens here: the index of its partner. A bracket that is never closed ends after a
    /// while, so that many of them cost no more than one.
    pub(super) fn close(&self, open: usize) -> usize {
        self.partner.get(open).copied().flatten().unwrap_or_else(|| self.len().min(open + MAX_UNCLOSED))
    }

    /// Whether this is a bracket that is never closed.
    pub(super) fn unclosed(&self, at: usize) -> bool {
        matches!(self.mark(at), "(" | "[" | "{") && self.partner.get(at) == Some(&None)
    }

    /// The index after this token, or after the group that opens here.
    pub(super) fn skip(&self, at: usize) -> usize {
        if matches!(self.mark(at), "(" | "[" | "{") { (self.close(at) + 1).min(self.len()) } else { at + 1 }
    }

    pub(super) fn skip_newlines(&self, mut at: usize) -> usize {
        while self.is_newline(at) {
            at += 1;
        }
        at
    }

    pub(super) fn trim(&self, span: TokenRange) -> TokenRange {
        let mut span = self.skip_newlines(span.start)..span.end;
        while span.end > span.start && self.is_newline(span.end - 1) {
            span.end -= 1;
        }
        span
    }

    /// The parts of `span` between commas; groups stay whole, empty parts go.
    pub(super) fn split(&self, span: TokenRange) -> Vec<TokenRange> {
        let arrows = self.language == Language::Perl;
        // `f(a; key = value)`
        let semicolons = self.language == Language::Julia;
        let mut parts = Vec::new();
        let mut start = span.start;
        let mut at = span.start;
        while at < span.end {
            if self.mark(at) == "," || arrows && self.mark(at) == "=>" || semicolons && self.mark(at) == ";" {
                parts.push(start..at);
                start = at + 1;
            }
            at = self.skip(at);
        }
        parts.push(start.min(span.end)..span.end);
        parts.into_iter().map(|part| self.trim(part)).filter(|part| !part.is_empty()).collect()
    }

    /// What is between the bracket that opens here and its partner, split at commas.
    pub(super) fn items(&self, open: usize) -> Vec<TokenRange> {
        self.split(open + 1..self.close(open))
    }

    /// The end of arguments that are without brackets, or of the value of an assignment.
    pub(super) fn expression_end(&self, start: usize, commas: bool) -> usize {
        let commands = matches!(self.language, Language::Ruby | Language::Perl);
        let mut at = start;
        for _ in 0..MAX_EXPRESSION {
            match self.token(at) {
                None | Some(CodeToken::Mark(";" | ")" | "]" | "}")) => break,
                Some(CodeToken::Mark(",")) if !commas => break,
                Some(CodeToken::Mark("||" | "&&" | "|" | "==")) if commas => break,
                Some(CodeToken::Word("if" | "unless" | "while" | "until" | "and" | "or" | "do" | "foreach" | "for")) if commands && at > start => break,
                Some(CodeToken::Newline) => {
                    let next = self.mark(self.skip_newlines(at));
                    let goes_on = at == start
                        || matches!(self.before(at), Some(CodeToken::Mark("," | "+" | "." | "=" | "=>" | "?" | ":" | "||" | "??")))
                        || matches!(next, "." | "?." | "&.")
                        || self.language == Language::JavaScript && matches!(next, "+" | "?" | ":" | "||" | "??");
                    if !goes_on {
                        break;
                    }
                }
                _ if self.unclosed(at) => break,
                _ => {}
            }
            at = self.skip(at);
        }
        at.min(self.len())
    }
}
