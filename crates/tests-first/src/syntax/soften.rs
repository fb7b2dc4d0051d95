//! Assertions that ask less than those in whose place they are: a value was compared, and now it only has to be there.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::{Node, SourceCode, SourceToken, TokenKind, glob};

/// Tokens between the head of a condition and the assertion in its block.
const MAX_CONDITION: usize = 60;

/// How much an assertion asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Strength {
    /// That there is something, or that it counts as true.
    Presence,
    /// That it is within bounds, or is not one value.
    Bound,
    /// That it is this value, or anything else that is not known to ask less.
    Value,
}

/// Words of assertions that ask less than for a value, whatever the language. They may hold `*`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Strengths {
    /// That there is something.
    pub presence: Vec<String>,
    /// That it is within bounds.
    pub bounds: Vec<String>,
    /// Assertions that take one value for true, if nothing is compared in them.
    pub bare: Vec<String>,
    /// Assertions that are reached when a condition in front of them holds: it is the condition that asks.
    pub fails: Vec<String>,
}

/// An assertion of a test.
struct Claim {
    strength: Strength,
    /// What it speaks of: words that are not of the assertion itself.
    subject: BTreeSet<String>,
    text: String,
    /// It compares with true, false, nothing or what is empty.
    constant: bool,
    /// It takes one value for true.
    is_bare: bool,
}

/// The first assertion of a test that asks less than the one before, as a clause. Tests are compared by their names.
pub(super) fn softened(old: &SourceCode, new: &SourceCode, strengths: &Strengths) -> Option<String> {
    let before = |name: &str| old.nodes().iter().find(|node| node.name == name && !node.skipped);
    let pairs = new.nodes().iter().filter(|node| !node.skipped).filter_map(|after| Some((before(&after.name)?, after)));
    pairs.filter(|(before, after)| old.is_rewritten(before, new, after)).find_map(|(before, after)| {
        let (lost, come) = differences(old.claims_of(before, strengths), new.claims_of(after, strengths));
        lost.iter().find_map(|lost| {
            let about = |claim: &&Claim| lost.is_of(claim);
            // What is still asked of it elsewhere is not asked less.
            let kept = come.iter().filter(about).any(|come| come.strength >= lost.strength);
            // `x == True` and `x`, `x == []` and `not x` are one for linters.
            let same = |come: &&Claim| lost.constant && come.is_bare;
            let less = come.iter().filter(about).find(|come| come.strength < lost.strength && !kept && !same(come))?;
            Some(format!("`{}` would ask less than `{}`", shown(&less.text), shown(&lost.text)))
        })
    })
}

fn shown(text: &str) -> String {
    let short: String = text.chars().take(60).collect();
    if short.len() < text.len() { format!("{short}…") } else { short }
}

/// Assertions that are only before, and those that are only after.
fn differences(before: Vec<Claim>, mut after: Vec<Claim>) -> (Vec<Claim>, Vec<Claim>) {
    let mut lost = Vec::new();
    for claim in before {
        match after.iter().position(|other| other.text == claim.text) {
            Some(at) => drop(after.swap_remove(at)),
            None => lost.push(claim),
        }
    }
    (lost, after)
}

impl Claim {
    /// Whether they speak of the same: most of what the other speaks of.
    fn is_of(&self, other: &Self) -> bool {
        let shared = self.subject.intersection(&other.subject).count();
        shared > 0 && 2 * shared >= other.subject.len().min(self.subject.len())
    }
}

impl<'t> SourceCode<'t, '_> {
    fn texts(&self, start: usize, end: usize) -> Vec<&'t str> {
        self.tokens.get(start..end).unwrap_or(&[]).iter().map(|token| token.text).collect()
    }

    /// Whether a test has other tokens than before.
    fn is_rewritten(&self, node: &Node, other: &SourceCode, after: &Node) -> bool {
        self.texts(node.start, node.end) != other.texts(after.start, after.end)
    }

    /// The assertions of a test.
    fn claims_of(&self, node: &Node, strengths: &Strengths) -> Vec<Claim> {
        let own = self.own_claims();
        let mut claims = Vec::new();
        let mut at = node.start;
        while at < node.end {
            if own.get(at) != Some(&true) {
                at += 1;
                continue;
            }
            let end = self.statement_end(at);
            claims.push(self.claim(at, end, node.start, strengths));
            at = end.max(at + 1);
        }
        claims
    }

    fn claim(&self, at: usize, end: usize, from: usize, strengths: &Strengths) -> Claim {
        let is = |words: &[String], token: &SourceToken| token.kind == TokenKind::Word && words.iter().any(|word| glob(word, token.text));
        let head = self.tokens.get(at).map_or("", |token| token.text);
        let fails = self.tokens.get(at..end.min(at + 3)).unwrap_or(&[]).iter().any(|token| is(&strengths.fails, token));
        let condition = if fails { self.condition(at, from) } else { None };
        // `x should equal 3`: what it speaks of is in front.
        let small = head.to_lowercase();
        let behind = small.starts_with("should") || small.starts_with("must") || (at > from && self.tokens.get(at - 1).is_some_and(|token| token.text == "."));
        let start = if behind { (from..=at).rev().find(|at| self.tokens.get(*at).is_some_and(|token| token.first)).unwrap_or(at) } else { at };
        let (start, end) = condition.unwrap_or((start, end));
        let tokens = self.tokens.get(start..end).unwrap_or(&[]);
        let has = |words: &[String]| tokens.iter().any(|token| is(words, token));
        let text = |at: usize| tokens.get(at).map_or("", |token| token.text);

        let compared = |at: usize| self.comparison(start + at, head == "[");
        let compared = (0..tokens.len()).filter_map(compared).map(|found| if condition.is_some() { found.turned() } else { found });
        let most = compared.map(Strength::from).max();
        let truth = has(&strengths.bare) || has(&self.language.bare) || head == "[" || condition.is_some();
        let names_comparison = tokens.iter().any(|token| token.kind == TokenKind::Word && COMPARES.iter().any(|word| glob(word, token.text)));
        let is_bare = most.is_none() && truth && !names_comparison;
        let mut strength = most.unwrap_or(if is_bare { Strength::Presence } else { Strength::Value });
        if most != Some(Strength::Value) {
            // `assert!(…)` negates nothing.
            let word = |at: usize| tokens.get(at).is_some_and(|token| token.kind == TokenKind::Word);
            let negated = (0..tokens.len()).any(|at| NEGATIONS.contains(&text(at)) || (text(at) == "!" && text(at + 1) != "=" && !(at > 0 && word(at - 1))));
            if has(&strengths.presence) {
                strength = Strength::Presence;
            } else if has(&strengths.bounds) || (negated && most.is_none()) {
                strength = strength.min(Strength::Bound);
            }
        }
        let is_constant = |at: usize, token: &SourceToken| {
            (token.kind == TokenKind::Word && CONSTANTS.contains(&token.text.to_lowercase().as_str()))
                || matches!((token.text, text(at + 1)), ("[", "]") | ("{", "}"))
                || matches!(token.text, "\"\"" | "''" | "0")
        };
        let literal = |token: &SourceToken| match token.kind {
            TokenKind::Number => token.text != "0",
            TokenKind::Text => token.text.len() > 2,
            _ => false,
        };
        let constant = tokens.iter().enumerate().any(|(at, token)| is_constant(at, token)) && !tokens.iter().any(literal);
        // `is not None`, `!= nil`
        if strength == Strength::Bound && constant {
            strength = Strength::Presence;
        }
        let own = |at: usize, token: &SourceToken| {
            [&strengths.presence, &strengths.bounds, &strengths.bare, &strengths.fails].iter().any(|words| is(words, token))
                || self.any(&self.language.asserts, at).is_some()
                || COMMON.contains(&token.text.to_lowercase().as_str())
        };
        let mut subject = BTreeSet::new();
        for (at, token) in (start..end).filter_map(|at| Some((at, self.tokens.get(at)?))) {
            match token.kind {
                TokenKind::Word if !own(at, token) => drop(subject.insert(token.text.to_owned())),
                // Variables in a text of a shell.
                TokenKind::Text if token.text.contains('$') => {
                    subject.extend(token.text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty()).map(str::to_owned));
                }
                _ => {}
            }
        }
        let text = tokens.iter().map(|token| token.text).collect::<Vec<_>>().join(" ");
        Claim { strength, subject, text, constant, is_bare }
    }

    /// The condition of the `if` in whose block a place is.
    fn condition(&self, at: usize, from: usize) -> Option<(usize, usize)> {
        let text = |at: usize| self.tokens.get(at).map_or("", |token| token.text);
        let least = at.saturating_sub(MAX_CONDITION).max(from);
        let open = (least..at).rev().find(|open| text(*open) == "{" && self.close(*open) > at)?;
        let head = (least..open).rev().find(|head| self.tokens.get(*head).is_some_and(|token| token.first))?;
        (text(head) == "if").then_some((head + 1, open))
    }

    /// What is compared at a place.
    fn comparison(&self, at: usize, single: bool) -> Option<ComparedTo> {
        let text = |at: usize| self.tokens.get(at).map_or("", |token| token.text);
        let mark = |at: usize| self.tokens.get(at).is_some_and(|token| token.kind == TokenKind::Mark);
        let before = at.checked_sub(1).map_or("", text);
        match (before, text(at), text(at + 1)) {
            (_, "=", "=") if before != "=" && before != "!" && mark(at) => Some(ComparedTo::Same),
            ("(", "=", next) if next != "=" => Some(ComparedTo::Same),
            (before, "=", next) if single && !matches!(before, "=" | "!") && next != "=" => Some(ComparedTo::Same),
            (_, "!", "=") if mark(at) => Some(ComparedTo::Other),
            ("=" | "-" | ">" | "<", ">" | "<", _) | (_, "<", "<" | "-") | (_, ">", ">") => None,
            // `Vec<u8>` and `a < b` differ in their blanks, which are not kept: only a number tells.
            (_, "<" | ">", next) if mark(at) && (next == "=" || self.tokens.get(at + 1).is_some_and(|token| token.kind == TokenKind::Number)) => {
                Some(ComparedTo::Bound)
            }
            (_, "in", _) if self.tokens.get(at).is_some_and(|token| token.kind == TokenKind::Word) && self.language.indent => Some(ComparedTo::Bound),
            (_, "is", "not") => Some(ComparedTo::Other),
            (_, "is", _) if self.language.indent && self.tokens.get(at).is_some_and(|token| token.kind == TokenKind::Word) => Some(ComparedTo::Same),
            _ => None,
        }
    }
}

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ComparedTo {
    Same,
    Other,
    Bound,
}

impl ComparedTo {
    /// Where the test fails if it holds: `if got != want`.
    const fn turned(self) -> Self {
        match self {
            Self::Same => Self::Other,
            Self::Other => Self::Same,
            Self::Bound => Self::Bound,
        }
    }
}

impl From<ComparedTo> for Strength {
    fn from(comparison: ComparedTo) -> Self {
        if comparison == ComparedTo::Same { Self::Value } else { Self::Bound }
    }
}

/// Words for constants, in lower case.
const CONSTANTS: &[&str] = &["true", "false", "none", "nil", "null", "undefined", "nullptr", "be_nil", "be_null", "is_nil"];
/// Words that turn an assertion round.
const NEGATIONS: &[&str] = &["not", "Not", "not_to", "to_not", "should_not", "isNot"];
/// Words that say nothing of what an assertion speaks of, in lower case.
const COMMON: &[&str] = &[
    "not",
    "to",
    "be",
    "is",
    "and",
    "or",
    "in",
    "it",
    "that",
    "self",
    "this",
    "await",
    "true",
    "false",
    "none",
    "nil",
    "null",
    "undefined",
    "nullptr",
    "t",
    "a",
    "an",
    "the",
];
/// Functions that compare.
const COMPARES: &[&str] = &["eq*", "*Equal*", "equal*", "contains*", "include*", "starts*", "ends*", "match*", "*_eq", "compare*", "has*", "same*"];
