//! Tests in a text: where they are, whether they are run, whether they assert anything.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use super::{CodePattern, CodePatterns, SourceLanguage, SourceToken, TokenKind, lex};

/// Tokens between a test's head and its body.
const MAX_HEAD: usize = 200;
/// Words in front of a bracket and a block that define nothing.
const BRANCHES: &[&str] = &["if", "for", "while", "switch", "catch", "with", "return", "else", "do", "foreach", "match", "until", "unless", "function"];
/// Rounds in which functions that call asserting functions are found.
const MAX_ROUNDS: usize = 4;
/// Assertions of a function that count where it is called.
const MAX_WEIGHT: usize = 100;

/// A text as code: without comments, brackets and blocks paired.
#[derive(Debug)]
pub struct SourceCode<'t, 'l> {
    pub language: &'l SourceLanguage,
    /// All but comments.
    pub tokens: Vec<SourceToken<'t>>,
    pub comments: Vec<SourceToken<'t>>,
    /// For an opening bracket the place of its closing one; for others their own.
    pub closes: Vec<usize>,
    /// For the first token of a line that no bracket encloses: where the block ends that it begins, by indentation.
    ends: Vec<usize>,
    /// How many assertions begin before each token.
    asserts: OnceCell<Vec<usize>>,
    /// The same, with how many assertions a called function holds.
    claims: OnceCell<Vec<usize>>,
    definitions: OnceCell<Vec<Definition<'t>>>,
    nodes: OnceCell<Vec<Node>>,
}

/// A test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    pub name: String,
    /// Its tokens.
    pub start: usize,
    pub end: usize,
    pub line: u32,
    pub skipped: bool,
    pub asserts: usize,
}

/// Something that is given a name and a body.
#[derive(Clone, Copy, Debug)]
pub struct Definition<'t> {
    pub name: &'t str,
    /// The name's token.
    pub at: usize,
    pub start: usize,
    pub end: usize,
}

impl Node {
    /// It is run and asserts something.
    pub fn is_real(&self) -> bool {
        !self.skipped && self.asserts > 0
    }
}

/// Why a text holds no real test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoTest {
    Empty,
    OnlyComments,
    NoTest,
    Skipped,
    NoAssertion,
}

impl NoTest {
    /// What is said of the file.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Empty => "is empty",
            Self::OnlyComments => "contains only comments",
            Self::NoTest => "contains no test",
            Self::Skipped => "contains only skipped tests",
            Self::NoAssertion => "contains no test that asserts anything",
        }
    }
}

impl<'t, 'l> SourceCode<'t, 'l> {
    pub fn new(text: &'t str, language: &'l SourceLanguage) -> Self {
        let (comments, tokens) = lex(text, language).into_iter().partition(|token| token.kind == TokenKind::Comment);
        let mut source = Self {
            language,
            tokens,
            comments,
            closes: Vec::new(),
            ends: Vec::new(),
            asserts: OnceCell::new(),
            claims: OnceCell::new(),
            definitions: OnceCell::new(),
            nodes: OnceCell::new(),
        };
        source.pair();
        source
    }

    /// Pairs brackets, and finds the ends of indented blocks.
    fn pair(&mut self) {
        let count = self.tokens.len();
        self.closes = (0..count).collect();
        self.ends = vec![count; count];
        let mut brackets: Vec<(usize, &str)> = Vec::new();
        let mut lines: Vec<(usize, u32)> = Vec::new();
        for (at, token) in self.tokens.iter().enumerate() {
            if token.first && brackets.is_empty() {
                while let Some((start, _)) = lines.pop_if(|(_, indent)| *indent >= token.indent) {
                    if let Some(end) = self.ends.get_mut(start) {
                        *end = at;
                    }
                }
                lines.push((at, token.indent));
            }
            match (token.kind, token.text) {
                (TokenKind::Mark, "(" | "[" | "{") => brackets.push((at, token.text)),
                (TokenKind::Mark, close @ (")" | "]" | "}")) => {
                    // A closing bracket that fits an outer one closes those within it too.
                    let open = match close {
                        ")" => "(",
                        "]" => "[",
                        _ => "{",
                    };
                    if brackets.iter().any(|(_, text)| *text == open) {
                        while let Some((start, text)) = brackets.pop() {
                            if let Some(end) = self.closes.get_mut(start) {
                                *end = at;
                            }
                            if text == open {
                                break;
                            }
                        }
                    }
                }
                _ => {}
            }
        }
        for (start, _) in brackets {
            if let Some(end) = self.closes.get_mut(start) {
                *end = count.saturating_sub(1);
            }
        }
    }

    pub fn any(&self, patterns: &CodePatterns, at: usize) -> Option<usize> {
        patterns.near(self.tokens.get(at)?).find_map(|pattern| pattern.at(&self.tokens, at, self.language.fold))
    }

    /// Every place where one of the patterns matches: start, end of what matched, end of what it speaks of.
    pub fn places(&self, patterns: &CodePatterns) -> Vec<(usize, usize, usize)> {
        let found = |(at, token)| {
            let mut fitting = patterns.near(token).filter(|pattern| !pattern.belongs(&self.tokens, at));
            let (pattern, end) = fitting.find_map(|pattern| Some((pattern, pattern.at(&self.tokens, at, self.language.fold)?)))?;
            Some((at, end, self.extent(pattern, at, end)))
        };
        self.tokens.iter().enumerate().filter_map(found).collect()
    }

    fn is(&self, at: usize, text: &str) -> bool {
        self.tokens.get(at).is_some_and(|token| token.kind == TokenKind::Mark && token.text == text)
    }

    fn is_word(&self, at: usize, text: &str) -> bool {
        self.tokens.get(at).is_some_and(|token| token.kind == TokenKind::Word && token.text == text)
    }

    pub(super) fn close(&self, at: usize) -> usize {
        self.closes.get(at).copied().unwrap_or(at)
    }

    /// The end of what a matched pattern speaks of: the block behind it, or the call that it is.
    fn extent(&self, pattern: &CodePattern, start: usize, end: usize) -> usize {
        if self.language.indent {
            return self.indented(pattern, start, end);
        }
        // A bracket that the pattern opened and did not close.
        let open = (start..end).find(|at| self.close(*at) >= end && self.close(*at) != *at);
        let mut past = open.map_or(end, |open| self.close(open) + 1);
        if open.is_some_and(|open| (open == start && self.is(open, "(")) || self.is(open, "{")) {
            return past;
        }
        // `test.skipIf(slow)("name", …)` are calls too.
        let calls = open.is_some() || self.is(past, "(");
        while calls && self.is(past, "(") {
            past = self.close(past) + 1;
        }
        if !pattern.is_attribute() && calls && !self.opens_block(past) {
            return past;
        }
        self.block(start, past, pattern.is_attribute())
    }

    /// Whether a block follows at once: `TEST(a, b) {`, `func TestX(t) error {`.
    fn opens_block(&self, at: usize) -> bool {
        let words = (at..at + 8).find(|at| {
            !self
                .tokens
                .get(*at)
                .is_some_and(|token| !token.first && matches!(token.kind, TokenKind::Word) || matches!(token.text, "*" | "." | ":" | "-" | ">"))
        });
        words.is_some_and(|at| self.is(at, "{")) || self.tokens.get(at).is_some_and(|token| token.first && token.text == "{")
    }

    /// The end of the first block behind `from`. Attributes of the same item are stepped over.
    fn block(&self, start: usize, from: usize, attribute: bool) -> usize {
        let mut at = from;
        let indent = self.tokens.get(..=start).unwrap_or(&[]).iter().rev().find(|token| token.first).map_or(0, |token| token.indent);
        let mut seen_word = false;
        while at < self.tokens.len().min(from + MAX_HEAD) {
            let Some(token) = self.tokens.get(at) else { break };
            match (token.kind, token.text) {
                (TokenKind::Mark, "{") => return self.close(at) + 1,
                (TokenKind::Mark, ";") => return at + 1,
                (TokenKind::Mark, "(" | "[") => at = self.close(at),
                (TokenKind::Mark, "}") => return at,
                // The next statement has begun, or the next item: this one has no block.
                (TokenKind::Word, _) if !attribute && token.first && at > from && token.indent <= indent => return at,
                (TokenKind::Mark, "@" | "#") if attribute && token.first && seen_word => return at,
                (TokenKind::Word, _) if !token.first || at == from || attribute => seen_word = true,
                _ => {}
            }
            at += 1;
        }
        at
    }

    fn indented(&self, pattern: &CodePattern, start: usize, end: usize) -> usize {
        let mut line = (0..=start).rev().find(|at| self.tokens.get(*at).is_some_and(|token| token.first)).unwrap_or(start);
        if pattern.is_attribute() {
            // The item is on the first line behind that is no attribute itself.
            let next = (end..self.tokens.len()).find(|at| {
                self.tokens.get(*at).is_some_and(|token| token.first && token.text != "@" && token.text != "[")
                    && self.ends.get(*at).is_some_and(|end| *end > *at)
            });
            line = next.unwrap_or(line);
        }
        self.ends.get(line).copied().unwrap_or(end).max(end)
    }

    /// The end of the block that the line of `at` begins, by indentation.
    pub(super) fn indented_end(&self, at: usize) -> usize {
        let line = (0..=at).rev().find(|at| self.tokens.get(*at).is_some_and(|token| token.first)).unwrap_or(at);
        self.ends.get(line).copied().unwrap_or(at)
    }

    /// Where assertions of the language are that can fail.
    fn own_asserts(&self) -> Vec<bool> {
        let mut own: Vec<bool> = (0..self.tokens.len()).map(|at| self.any(&self.language.asserts, at).is_some()).collect();
        let hollow = self.hollow().into_iter().map(|at| (at, self.statement_end(at)));
        for (start, end) in self.dead().into_iter().chain(hollow) {
            own.get_mut(start..end).into_iter().flatten().for_each(|own| *own = false);
        }
        own
    }

    /// How many assertions begin before each token, those of functions of this text with where these are called: each as
    /// one, or with its `weight` as many as it holds.
    fn counted(&self, own: &[bool], weight: bool) -> Vec<usize> {
        let functions = self.definitions();
        let names: BTreeSet<usize> = functions.iter().map(|function| function.at).collect();
        let mut asserting: BTreeMap<&str, usize> = BTreeMap::new();
        let mut before = Vec::new();
        for _ in 0..MAX_ROUNDS {
            let mut count = 0;
            before = Vec::with_capacity(self.tokens.len() + 1);
            for (at, (token, own)) in self.tokens.iter().zip(own).enumerate() {
                before.push(count);
                let called = asserting.get(token.text).filter(|_| token.kind == TokenKind::Word && !names.contains(&at) && (!weight || self.is(at + 1, "(")));
                count += called.map_or(usize::from(*own), |held| if weight { *held } else { 1 });
            }
            before.push(count);
            let held = |function: &Definition<'t>| (function.name, between(&before, function.start, function.end).min(MAX_WEIGHT));
            let found: BTreeMap<&str, usize> = functions.iter().map(held).filter(|(_, held)| *held > 0).collect();
            if found == asserting {
                break;
            }
            asserting = found;
        }
        before
    }

    /// Assertions are those of the language, and calls of functions of this text that assert.
    fn asserts(&self) -> &[usize] {
        self.asserts.get_or_init(|| self.counted(&self.own_asserts(), false))
    }

    /// Functions and classes.
    pub fn definitions(&self) -> &[Definition<'t>] {
        let named = |(start, matched, end): (usize, usize, usize)| {
            // `total(net) {`: the name is before the parameters, not among them.
            let ends = self.tokens.get(matched.wrapping_sub(1)).is_some_and(|last| matches!(last.text, "{" | "(" | ")"));
            let head = (start..matched).find(|at| ends && self.is(*at, "(")).filter(|open| *open > start).unwrap_or(matched);
            let at = (start..head).rev().find(|at| self.tokens.get(*at).is_some_and(|token| token.kind == TokenKind::Word))?;
            let name = self.tokens.get(at).map(|token| token.text).filter(|name| !BRANCHES.contains(name))?;
            Some(Definition { name, at, start, end })
        };
        self.definitions.get_or_init(|| self.places(&self.language.defs).into_iter().filter_map(named).collect())
    }

    /// The tests of the text, in their order.
    pub fn nodes(&self) -> &[Node] {
        self.nodes.get_or_init(|| self.find_nodes())
    }

    /// How many assertions a stretch comes to, with those in functions that it calls, without calls that only give up on
    /// errors.
    pub fn claims(&self, start: usize, end: usize) -> usize {
        let claims = self.claims.get_or_init(|| self.counted(&self.own_claims(), true));
        between(claims, start, end)
    }

    pub(super) fn own_claims(&self) -> Vec<bool> {
        const GIVING_UP: &[&str] = &["unwrap", "?", "Result"];
        self.own_asserts().into_iter().zip(&self.tokens).map(|(own, token)| own && !GIVING_UP.contains(&token.text)).collect()
    }

    /// How often each assertion of the stretches is there, as its tokens.
    pub fn statements(&self, nodes: &[Node]) -> BTreeMap<String, usize> {
        let own = self.own_claims();
        let mut found = BTreeMap::new();
        for at in nodes.iter().filter(|node| !node.skipped).flat_map(|node| node.start..node.end).filter(|at| own.get(*at) == Some(&true)) {
            let tokens = self.tokens.get(at..self.statement_end(at)).unwrap_or(&[]);
            *found.entry(tokens.iter().map(|token| token.text).collect::<Vec<_>>().join(" ")).or_default() += 1;
        }
        found
    }

    fn find_nodes(&self) -> Vec<Node> {
        let skips = self.places(&self.language.skips);
        let stops = self.places(&self.language.stops);
        let none = (0..self.tokens.len()).any(|at| self.any(&self.language.skip_all, at).is_some());
        let (dead, sure) = (self.dead(), self.sure());
        // What is in a block that always runs is where that begins.
        let place = |at: usize| sure.iter().find(|(from, to)| (*from..*to).contains(&at)).map_or(at, |(from, _)| *from);
        let is_return = |at: &usize| self.is_word(*at, "return") && self.tokens.get(at + 1).is_none_or(|next| next.first || matches!(next.text, ";" | "}"));
        let returns: Vec<usize> = (0..self.tokens.len()).filter(is_return).collect();
        let mut nodes: Vec<Node> = Vec::new();
        // Definitions that are open where a test begins.
        let (mut definitions, mut around) = (self.definitions().iter().peekable(), Vec::new());
        for (start, matched, end) in self.places(&self.language.tests) {
            // Two patterns may speak of one test: `#[test]` and `#[tokio::test]`, an attribute and a name.
            // A function within a test is its own affair.
            if nodes.last().is_some_and(|last| last.end == end || (self.language.indent && start < last.end)) {
                continue;
            }
            while let Some(found) = definitions.next_if(|found| found.start < start) {
                around.push(found);
            }
            around.retain(|found| found.end > start);
            let collected = |found: &Definition| (found.start..found.at).any(|at| self.any(&self.language.holders, at).is_some());
            if !self.language.holders.is_empty() && !around.iter().all(|found| end > found.end || collected(found)) {
                continue;
            }
            let skipped = none
                || dead.iter().any(|(from, to)| (*from..*to).contains(&start))
                || skips.iter().any(|(from, _, to)| (*from..*to).contains(&start) || (*to == end && *from >= start))
                || stops
                    .iter()
                    .skip(stops.partition_point(|(at, ..)| *at < start))
                    .take_while(|(at, ..)| *at < end)
                    .any(|(at, ..)| self.stops(start, end, place(*at)));
            let later = returns.iter().skip(returns.partition_point(|at| *at < start)).take_while(|at| **at < end);
            let until = later.copied().find(|at| self.stops(start, end, place(*at))).unwrap_or(end);
            let line = self.tokens.get(start).map_or(0, |token| token.line);
            nodes.push(Node { name: self.name(start, matched, end), start, end, line, skipped, asserts: between(self.asserts(), start, until) });
        }
        nodes
    }

    /// Whether what is at `at` ends the test in any case: on the test's first line, or at the top of its body.
    fn stops(&self, start: usize, end: usize, at: usize) -> bool {
        let (Some(head), Some(token)) = (self.tokens.get(start), self.tokens.get(at)) else { return false };
        if !(start..end).contains(&at) {
            return false;
        }
        let body = self.tokens.get(start..end).into_iter().flatten().find(|token| token.first && token.line > head.line && token.indent > head.indent);
        token.line == head.line || body.is_some_and(|body| token.first && token.indent == body.indent)
    }

    /// The name of a test: the string or the last word of what matched, else the word in front of the next bracket.
    fn name(&self, start: usize, matched: usize, end: usize) -> String {
        let within = self.tokens.get(start..matched).unwrap_or(&[]);
        if let Some(text) = within.iter().find(|token| token.kind == TokenKind::Text) {
            return text.text.to_owned();
        }
        let attribute = within.first().is_some_and(|token| matches!(token.text, "#" | "@" | "["));
        if !attribute {
            // `test.skipIf(slow)("name"`, `it.each(table)("name"`: it is in the second call.
            let second = self.close(matched) + 1;
            if self.is(matched, "(")
                && self.is(second, "(")
                && let Some(text) = self.tokens.get(second + 1).filter(|token| token.kind == TokenKind::Text)
            {
                return text.text.to_owned();
            }
            return within.iter().filter(|token| token.kind == TokenKind::Word).map(|token| token.text).collect::<Vec<_>>().join(" ");
        }
        // The word in front of the parameters; an attribute of its own can be between.
        let mut at = matched;
        while at < end {
            let Some(token) = self.tokens.get(at) else { break };
            let named = token.kind == TokenKind::Word && self.is(at + 1, "(") && self.tokens.get(at.wrapping_sub(1)).is_none_or(|before| before.text != "@");
            if named {
                return token.text.to_owned();
            }
            at = self.close(at) + 1;
        }
        String::new()
    }

    /// Whether documentation holds a test.
    pub fn has_doctest(&self) -> bool {
        let texts = self.comments.iter().chain(self.tokens.iter().filter(|token| token.kind == TokenKind::Text && token.text.contains('\n')));
        texts.into_iter().any(|token| {
            self.language
                .doctests
                .iter()
                .any(|mark| token.text.lines().any(|line| line.trim_start_matches(['/', '!', '#', '-', '*', ' ', '\t', '|']).starts_with(mark.as_str())))
        })
    }

    /// Whether it holds a real test.
    ///
    /// # Errors
    ///
    /// Why not.
    pub fn tested(&self, doctests: bool) -> Result<(), NoTest> {
        let nodes = self.nodes();
        if nodes.iter().any(Node::is_real) || (doctests && self.has_doctest()) {
            return Ok(());
        }
        Err(if self.tokens.is_empty() {
            if self.comments.is_empty() { NoTest::Empty } else { NoTest::OnlyComments }
        } else if nodes.iter().any(|node| !node.skipped) {
            NoTest::NoAssertion
        } else if !nodes.is_empty() || !self.places(&self.language.skips).is_empty() {
            NoTest::Skipped
        } else {
            NoTest::NoTest
        })
    }
}

/// How many of what is counted before each place are in a stretch.
fn between(before: &[usize], start: usize, end: usize) -> usize {
    let at = |place: usize| before.get(place).or(before.last()).copied().unwrap_or(0);
    at(end).saturating_sub(at(start))
}
