//! Shapes of code, written as their tokens with blanks between: `it ( STR`, `# [ ID :: test`, `def test_*`.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::OnceLock;

use serde::Deserialize;

use super::{SourceToken, TokenKind};

/// Tokens that `..` may stand for; brackets with what is in them are one.
const MAX_GAP: i32 = 24;

/// A shape of code.
///
/// Words may hold `*` and `?`; `STR`, `NUM` and `ID` stand for any string, number and word; `BOL` asks for the start of a line,
/// `..` leaves some tokens out, but no bracket half.
#[derive(Clone, Debug)]
pub struct CodePattern {
    parts: Vec<PatternPart>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum PatternPart {
    /// A word, which may hold `*` and `?`.
    Word(String),
    Mark(char),
    Text,
    Number,
    Any,
    Start,
    Gap,
}

/// Shapes of code, in their order, found by the token that they begin with. Most languages are never asked for, so the texts
/// are read when they are.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(from = "Vec<String>")]
pub struct CodePatterns {
    texts: Vec<String>,
    read: OnceLock<ReadPatterns>,
}

#[derive(Clone, Debug, Default)]
struct ReadPatterns {
    all: Vec<CodePattern>,
    /// Places of those that begin with this very word or mark.
    exact: HashMap<String, Vec<usize>>,
    /// Places of the others.
    others: Vec<usize>,
}

impl From<Vec<String>> for CodePatterns {
    fn from(texts: Vec<String>) -> Self {
        Self { texts, read: OnceLock::new() }
    }
}

impl ReadPatterns {
    fn new(texts: &[String]) -> Self {
        let mut patterns = Self { all: texts.iter().map(|text| CodePattern::from(text.as_str())).collect(), ..Self::default() };
        for (at, pattern) in patterns.all.iter().enumerate() {
            let key = match pattern.parts.iter().find(|part| **part != PatternPart::Start) {
                // Without case by its lower letters, in which a token is looked up too.
                Some(PatternPart::Word(word)) if !word.contains(['*', '?']) => word.to_lowercase(),
                Some(PatternPart::Mark(sign)) => sign.to_string(),
                _ => {
                    patterns.others.push(at);
                    continue;
                }
            };
            patterns.exact.entry(key).or_default().push(at);
        }
        patterns
    }
}

impl Deref for CodePatterns {
    type Target = [String];

    fn deref(&self) -> &[String] {
        &self.texts
    }
}

impl CodePatterns {
    /// The patterns that may match where such a token is, in their order.
    pub fn near(&self, token: &SourceToken) -> impl Iterator<Item = &CodePattern> {
        let read = self.read.get_or_init(|| ReadPatterns::new(&self.texts));
        let exact = match token.kind {
            TokenKind::Word if token.text.chars().any(char::is_uppercase) => read.exact.get(&token.text.to_lowercase()),
            TokenKind::Word | TokenKind::Mark => read.exact.get(token.text),
            _ => None,
        };
        let (mut exact, mut others) = (exact.into_iter().flatten().peekable(), read.others.iter().peekable());
        std::iter::from_fn(move || match (exact.peek(), others.peek()) {
            (Some(first), Some(second)) if first < second => exact.next(),
            (_, Some(_)) => others.next(),
            _ => exact.next(),
        })
        .filter_map(|at| read.all.get(*at))
    }
}

impl From<&str> for CodePattern {
    fn from(text: &str) -> Self {
        let mut parts = Vec::new();
        for element in text.split_ascii_whitespace() {
            match element {
                "STR" => parts.push(PatternPart::Text),
                "NUM" => parts.push(PatternPart::Number),
                "ID" => parts.push(PatternPart::Any),
                "BOL" => parts.push(PatternPart::Start),
                ".." => parts.push(PatternPart::Gap),
                _ if element.contains(|sign: char| sign.is_alphanumeric() || sign == '_') => {
                    parts.push(PatternPart::Word(element.to_owned()));
                }
                _ => parts.extend(element.chars().map(PatternPart::Mark)),
            }
        }
        Self { parts }
    }
}

impl CodePattern {
    /// The end of the tokens that match from `at` on.
    pub fn at(&self, tokens: &[SourceToken], at: usize, fold: bool) -> Option<usize> {
        matches(&self.parts, tokens, at, fold).or_else(|| self.qualified(tokens, at, fold))
    }

    /// As [`CodePattern::at`], for an attribute that is called by its full name: `@org.junit.jupiter.api.Test`.
    fn qualified(&self, tokens: &[SourceToken], at: usize, fold: bool) -> Option<usize> {
        let marks = self.parts.iter().take_while(|part| matches!(part, PatternPart::Mark('@' | '[' | '#'))).count();
        let (front, rest) =
            self.parts.split_at_checked(marks).filter(|(front, rest)| !front.is_empty() && matches!(rest.first(), Some(PatternPart::Word(_))))?;
        let mut place = matches(front, tokens, at, fold)?;
        let text = |at: usize| tokens.get(at).map_or("", |token| token.text);
        let start = place;
        place += usize::from(text(place) == "\\");
        while tokens.get(place).is_some_and(|token| token.kind == TokenKind::Word) {
            let signs = match (text(place + 1), text(place + 2)) {
                ("." | "\\", _) => 1,
                (":", ":") => 2,
                _ => break,
            };
            place += 1 + signs;
        }
        if place == start { None } else { matches(rest, tokens, place, fold) }
    }

    /// Whether a name is before `at` that it would belong to: `/x/.test("y")` is no test.
    pub fn belongs(&self, tokens: &[SourceToken], at: usize) -> bool {
        matches!(self.parts.first(), Some(PatternPart::Word(..)))
            && at.checked_sub(1).and_then(|before| tokens.get(before)).is_some_and(|before| before.text == ".")
    }

    /// It is before what it speaks of: `#[test]`, `@Test`.
    pub fn is_attribute(&self) -> bool {
        match self.parts.iter().find(|part| **part != PatternPart::Start) {
            Some(PatternPart::Mark('#' | '@' | '[')) => true,
            Some(PatternPart::Word(word)) => word.starts_with('@'),
            _ => false,
        }
    }
}

fn matches(parts: &[PatternPart], tokens: &[SourceToken], at: usize, fold: bool) -> Option<usize> {
    let Some((part, rest)) = parts.split_first() else { return Some(at) };
    let token = tokens.get(at);
    match part {
        PatternPart::Start => token.filter(|token| token.first).and_then(|_| matches(rest, tokens, at, fold)),
        PatternPart::Gap => gap(tokens, at).find_map(|at| matches(rest, tokens, at, fold)),
        _ => {
            let token = token?;
            let holds = match (part, token.kind) {
                (PatternPart::Word(pattern), TokenKind::Word) if fold => glob(&pattern.to_lowercase(), &token.text.to_lowercase()),
                (PatternPart::Word(pattern), TokenKind::Word) => glob(pattern, token.text),
                (PatternPart::Mark(sign), TokenKind::Mark) => token.text.starts_with(*sign),
                (PatternPart::Text, TokenKind::Text) | (PatternPart::Number, TokenKind::Number) | (PatternPart::Any, TokenKind::Word) => true,
                _ => false,
            };
            if holds { matches(rest, tokens, at + 1, fold) } else { None }
        }
    }
}

/// Where what is after a gap may begin: within the brackets that are open, and in none that open in between.
fn gap<'t>(tokens: &'t [SourceToken], at: usize) -> impl Iterator<Item = usize> + 't {
    let mut depth = 0_i32;
    let mut steps = 0;
    (at..tokens.len())
        .map_while(move |at| {
            let before = depth;
            match tokens.get(at).filter(|token| token.kind == TokenKind::Mark).map(|token| token.text) {
                Some("(" | "[" | "{") => depth += 1,
                Some(")" | "]" | "}") => depth -= 1,
                _ => {}
            }
            steps += i32::from(before == 0);
            // Where the brackets end, the gap does, and what follows it may.
            (before >= 0 && steps <= MAX_GAP).then_some((at, before == 0))
        })
        .filter_map(|(at, counts)| counts.then_some(at))
}

/// Whether `text` is as `pattern`, in which `*` stands for anything and `?` for one sign.
pub fn glob(pattern: &str, text: &str) -> bool {
    let (mut pattern, mut text) = (pattern, text);
    // Where to continue if what follows a star does not fit: the star takes one sign more.
    let mut star: Option<(&str, &str)> = None;
    loop {
        let mut signs = pattern.chars();
        match (signs.next(), text.chars().next()) {
            (Some('*'), _) => {
                pattern = signs.as_str();
                star = Some((pattern, text));
            }
            (None, None) => return true,
            (Some(sign), Some(found)) if sign == '?' || sign == found => {
                pattern = signs.as_str();
                text = text.get(found.len_utf8()..).unwrap_or("");
            }
            _ => {
                let Some((after, from)) = star else { return false };
                let Some(skipped) = from.chars().next() else { return false };
                pattern = after;
                text = from.get(skipped.len_utf8()..).unwrap_or("");
                star = Some((after, text));
            }
        }
    }
}
