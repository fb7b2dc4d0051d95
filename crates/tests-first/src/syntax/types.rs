//! Types that are written beside names, and do nothing when the code runs: `net: int`, `-> str`, `const a: T`, `as T`.

use super::{SourceCode, TokenKind};

/// Words that a line of Python may begin with in front of a `:` that begins a block.
const BLOCKS: &[&str] = &["if", "elif", "else", "for", "while", "with", "try", "except", "finally", "class", "match", "case", "lambda", "async"];
/// Words in front of brackets that hold no parameters.
const CONDITIONS: &[&str] = &["if", "for", "while", "switch", "catch", "with", "return", "await", "typeof"];

/// How a language writes types.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Types {
    /// Nowhere, or they decide what the code does.
    #[default]
    None,
    /// As Python does.
    Python,
    /// As TypeScript does.
    Typescript,
}

/// Which tokens only say of what type something is.
pub(super) fn types(source: &SourceCode) -> Vec<bool> {
    let mut found = TypeFinder { source, typed: vec![false; source.tokens.len()] };
    match source.language.types {
        Types::None => {}
        Types::Python => found.python(),
        Types::Typescript => (0..source.tokens.len()).for_each(|at| found.typescript(at)),
    }
    found.typed
}

struct TypeFinder<'s, 't, 'l> {
    source: &'s SourceCode<'t, 'l>,
    typed: Vec<bool>,
}

impl<'t> TypeFinder<'_, 't, '_> {
    fn text(&self, at: usize) -> &'t str {
        self.source.tokens.get(at).map_or("", |token| token.text)
    }

    fn first(&self, at: usize) -> bool {
        self.source.tokens.get(at).is_none_or(|token| token.first)
    }

    fn mark(&mut self, from: usize, to: usize) {
        self.typed.get_mut(from..to).into_iter().flatten().for_each(|typed| *typed = true);
    }

    /// The first place from `at` where one of `ends` is outside of brackets, no further than `stop`.
    fn until(&self, mut at: usize, stop: usize, ends: &[&str]) -> usize {
        while at < stop && !ends.contains(&self.text(at)) {
            at = self.source.close(at).max(at) + 1;
        }
        at.min(stop)
    }

    /// The types of the parameters between two brackets.
    fn parameters(&mut self, open: usize) {
        let close = self.source.close(open);
        let mut at = open + 1;
        while at < close {
            let colon = self.until(at, close, &[":", ",", "="]);
            if self.text(colon) == ":" {
                let optional = usize::from(self.text(colon - 1) == "?");
                let end = self.until(colon, close, &[",", "="]);
                self.mark(colon - optional, end);
            }
            at = self.until(colon, close, &[","]) + 1;
        }
    }

    fn python(&mut self) {
        let mut at = 0;
        while at < self.source.tokens.len() {
            let is_word = self.source.tokens.get(at).is_some_and(|token| token.kind == TokenKind::Word);
            if is_word && self.text(at) == "def" {
                let open = self.until(at, self.source.tokens.len(), &["(", ":"]);
                if self.text(open) == "(" {
                    self.parameters(open);
                    let behind = self.source.close(open) + 1;
                    if self.text(behind) == "-" {
                        self.mark(behind, self.until(behind, self.source.tokens.len(), &[":"]));
                    }
                    at = behind;
                    continue;
                }
            } else if is_word && self.first(at) && !BLOCKS.contains(&self.text(at)) {
                let mut colon = at + 1;
                while self.text(colon) == "." {
                    colon += 2;
                }
                if self.text(colon) == ":" && !self.first(colon) && !self.first(colon + 1) {
                    let mut end = colon + 1;
                    while !self.first(end) && !matches!(self.text(end), "=" | ";") {
                        end = self.source.close(end).max(end) + 1;
                    }
                    let alone = self.text(end) != "=" || self.first(end);
                    self.mark(if alone { at } else { colon }, end);
                }
            }
            at = self.source.close(at).max(at) + 1;
        }
    }

    fn typescript(&mut self, at: usize) {
        if matches!(self.text(at), "const" | "let" | "var") && self.text(at + 2) == ":" {
            self.mark(at + 2, self.until(at + 2, at + 60, &["=", ";"]));
        }
        let close = self.source.close(at);
        if self.text(at) != "(" || close == at || (at > 0 && CONDITIONS.contains(&self.text(at - 1))) {
            return;
        }
        let mut block = close + 1;
        if self.text(block) == ":" {
            // A type may be an object, or hold a function's.
            block = self.source.close(block + 1).max(block + 1) + 1;
            while block < close + 60
                && !matches!(self.text(block), "{" | ";" | ",")
                && (self.text(block), self.text(block + 1)) != ("=", ">")
                && !self.first(block)
            {
                block = self.source.close(block).max(block) + 1;
            }
        }
        if self.text(block) == "{" || (self.text(block), self.text(block + 1)) == ("=", ">") {
            self.parameters(at);
            self.mark(close + 1, block);
        }
    }
}
