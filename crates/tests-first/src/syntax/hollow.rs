//! Assertions that say nothing of the code, and code that never runs: constants alone tell both.

use std::collections::HashSet;

use super::{Node, SourceCode, SourceToken, TokenKind};

/// Words, in lower case, that are always the same value or that only join values.
const CONSTANTS: &[&str] =
    &["true", "false", "nil", "null", "none", "undefined", "nullptr", "and", "or", "not", "is", "in", "be", "eq", "eql", "equal", "to", "not_to", "await", "_"];
/// Values that do not hold.
const FALSE: &[&str] = &["false", "False", "FALSE", "nil", "null", "None", "0"];
const TRUE: &[&str] = &["true", "True", "TRUE", "1"];
/// What names of assertions begin with that are decided by what is in them, in lower case and without `_`. Of others it
/// is not known: `assert_response 200` looks at what the test holds.
const PLAIN: &[&str] = &["assert", "xctassert", "refute", "expect", "require", "strict", "deep"];
/// What may follow in such a name.
const ASKED: &[&str] = &["", "true", "false", "equal", "equals", "eq", "ne", "notequal", "notequals", "that", "is", "same", "null", "nil", "notnull", "notnil"];
/// Whole names of that kind.
const SHORT: &[&str] = &["ok", "equal", "["];
/// What assertions begin with whose value is before it: `1.must_equal 1`.
const BEHIND: &[&str] = &["must_", "wont_", "should"];
/// Members of `expect` that set it up.
const SETTINGS: &[&str] = &["assertions", "hasAssertions", "extend", "setState", "addSnapshotSerializer"];
/// Tokens of one statement that are looked at.
const MAX_TOKENS: usize = 400;

impl<'t> SourceCode<'t, '_> {
    fn text(&self, at: usize) -> &'t str {
        self.tokens.get(at).map_or("", |token| token.text)
    }

    /// The end of the statement that continues behind `at`.
    pub(super) fn statement_end(&self, at: usize) -> usize {
        let mut end = at + 1;
        while let Some(token) = self.tokens.get(end).filter(|_| end < at + MAX_TOKENS) {
            let goes_on = matches!(token.text, "." | "?" | ">" | "-" | "&" | "|" | "=") || matches!(self.text(end - 1), "." | "," | "=" | "&" | "|" | "\\");
            if (token.first && !goes_on) || (token.kind == TokenKind::Mark && matches!(token.text, ";" | ")" | "]" | "}")) {
                break;
            }
            end = self.close(end).max(end) + 1;
        }
        end
    }

    /// Whether an assertion that is at `at` holds whatever the code does.
    fn is_hollow(&self, at: usize) -> bool {
        let name: String = self.text(at).chars().filter(|sign| *sign != '_').flat_map(char::to_lowercase).collect();
        let behind = BEHIND.iter().any(|start| self.text(at).starts_with(start));
        let plain = PLAIN.iter().any(|start| name.strip_prefix(start).is_some_and(|rest| ASKED.contains(&rest))) || SHORT.contains(&name.as_str());
        if name == "expect" && self.text(at + 1) == "." && SETTINGS.contains(&self.text(at + 2)) {
            return true;
        }
        // `.expect("a file")` takes a value apart, `expect.any(Price)` is one.
        let step = name == "expect" && (self.text(at + 1) == "." || (at > 0 && self.text(at - 1) == "."));
        if !behind && (!plain || step) {
            return false;
        }
        let end = self.statement_end(at);
        // `or True`, `|| true`
        let joined = |at: usize| self.text(at) == "or" || (self.text(at) == "|" && self.text(at - 1) == "|");
        if (at + 1..end).any(|at| joined(at) && TRUE.contains(&self.text(at + 1)) && self.text(at + 1) != "1") {
            return true;
        }
        // `#expect(a == b)` is whole.
        let macro_call = at > 0 && self.text(at - 1) == "#";
        let half = name == "expect" && !macro_call && self.text(at + 1) == "(" && self.close(at + 1) + 1 >= end;
        if half && (at + 2..self.close(at + 1)).all(|at| self.text(at) != ",") {
            return true;
        }
        let start = if behind { (0..=at).rev().find(|at| self.tokens.get(*at).is_some_and(|token| token.first)).unwrap_or(at) } else { at };
        let mut values: Vec<&str> = Vec::new();
        // Whether what comes is asked of a value: `.toBe` behind `expect(true)`.
        let mut asks = true;
        let mut place = start;
        while place < end {
            let close = self.close(place).max(place);
            let within = if place == at { place..place } else { place..close + 1 };
            for inner in within {
                let Some(token) = self.tokens.get(inner) else { break };
                let matcher = inner == place && asks && place > at && inner > 0 && matches!(self.text(inner - 1), "." | "!" | ">" | ":");
                match token.kind {
                    _ if self.language.still.iter().any(|word| word == token.text) => {}
                    // `assert.fail()` is a place that must not be reached.
                    TokenKind::Word if matcher && !token.text.to_lowercase().starts_with("fail") => {}
                    TokenKind::Word if is_constant(token.text) => values.push(token.text),
                    TokenKind::Word => return false,
                    TokenKind::Number | TokenKind::Text => values.push(token.text),
                    TokenKind::Mark | TokenKind::Comment => {}
                }
            }
            asks = asks && self.tokens.get(place).is_some_and(|token| !matches!(token.kind, TokenKind::Text | TokenKind::Number)) || place == at;
            place = close + 1;
        }
        // So is `assert False`.
        !matches!(values.as_slice(), [value] if FALSE.contains(value)) && (!values.is_empty() || matches!(self.text(at + 1), "(" | "!"))
    }

    /// Assertions that hold whatever the code does.
    pub(super) fn hollow(&self) -> Vec<usize> {
        // A function of the same text does what it does.
        let own: HashSet<&str> = self.definitions().iter().map(|found| found.name).collect();
        (0..self.tokens.len()).filter(|at| self.any(&self.language.asserts, *at).is_some() && !own.contains(self.text(*at)) && self.is_hollow(*at)).collect()
    }

    /// How many cases a test stands for: the rows of the longest table in it or in the marks in front of it, at least one.
    pub(super) fn rows(&self, node: &Node) -> usize {
        let earlier = self.nodes().partition_point(|other| other.start < node.start);
        let from = self.nodes().iter().take(earlier).rev().map(|other| other.end).find(|end| *end <= node.start).unwrap_or(0);
        let opens = |at: usize| self.close(at) > at;
        let rows = |open: usize| {
            let (mut rows, mut commas, mut at) = (0, 0, open + 1);
            while at < self.close(open) {
                rows += usize::from(opens(at) && matches!(self.text(at - 1), "[" | "{" | "," | "param"));
                commas += usize::from(self.text(at) == ",");
                at = self.close(at) + 1;
            }
            // All that the table holds are rows.
            if matches!(self.text(open), "[" | "{") && commas <= rows { rows } else { 0 }
        };
        (from..node.end).filter(|at| opens(*at)).map(rows).max().unwrap_or(0).max(1)
    }

    /// Stretches that never run.
    pub(super) fn dead(&self) -> Vec<(usize, usize)> {
        self.behind(FALSE)
    }

    /// Stretches behind a condition that always holds.
    pub(super) fn sure(&self) -> Vec<(usize, usize)> {
        self.behind(TRUE)
    }

    /// Stretches behind a condition that is one of the words alone.
    fn behind(&self, words: &[&str]) -> Vec<(usize, usize)> {
        let found = |(at, token): (usize, &SourceToken<'t>)| {
            let brackets = usize::from(self.text(at + 1) == "(");
            let behind = at + 2 + 2 * brackets;
            let alone = matches!(token.text, "if" | "when" | "while") && words.contains(&self.text(at + 1 + brackets));
            if !alone || (brackets > 0 && self.text(at + 3) != ")") {
                return None;
            }
            match self.text(behind) {
                "{" => Some((at, self.close(behind))),
                _ if brackets > 0 && !self.language.indent => Some((at, self.statement_end(behind))),
                ":" | ";" | "then" => Some((at, self.indented_end(at))),
                _ => self.tokens.get(behind).filter(|token| token.first).map(|_| (at, self.indented_end(at))),
            }
        };
        self.tokens.iter().enumerate().filter_map(found).collect()
    }
}

fn is_constant(word: &str) -> bool {
    CONSTANTS.contains(&word.to_lowercase().as_str()) || word.starts_with("be_") || (word.starts_with('-') && word.len() > 1)
}
