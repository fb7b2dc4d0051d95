//! Shapes of code, written as their tokens with blanks between: `it ( STR`, `# [ ID :: test`, `def test_*`.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::OnceLock;

use serde::Deserialize;

use super::{Kind, Token};

/// Tokens that `..` may stand for; brackets with what is in them are one.
const MAX_GAP: i32 = 24;

/// A shape of code.
///
/// Words may hold `*` and `?`; `STR`, `NUM` and `ID` stand for any string, number and word; `BOL` asks for the start of a line,
/// `..` leaves some tokens out, but no bracket half.
#[derive(Clone, Debug)]
pub struct Pattern {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    /// How a word is compared, and with what.
    Word(Shape, String),
    Mark(char),
    Text,
    Number,
    Any,
    Start,
    Gap,
}

/// How a word with stars compares; most need no search for where a star ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Exact,
    Begins,
    Ends,
    Holds,
    Glob,
}

impl Shape {
    fn of(word: &str) -> Self {
        match (word.strip_prefix('*'), word.strip_suffix('*')) {
            _ if word.trim_matches('*').contains(['*', '?']) || word.starts_with("**") || word.ends_with("**") => Self::Glob,
            (Some(_), Some(_)) => Self::Holds,
            (Some(_), None) => Self::Ends,
            (None, Some(_)) => Self::Begins,
            (None, None) => Self::Exact,
        }
    }

    fn holds(self, pattern: &str, text: &str) -> bool {
        let bare = pattern.trim_matches('*');
        match self {
            Self::Exact => pattern == text,
            Self::Begins => text.starts_with(bare),
            Self::Ends => text.ends_with(bare),
            Self::Holds => text.contains(bare),
            Self::Glob => glob(pattern, text),
        }
    }
}

/// Shapes of code, in their order, found by the token that they begin with. Most languages are never asked for, so the texts
/// are read when they are.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(from = "Vec<String>")]
pub struct Patterns {
    texts: Vec<String>,
    read: OnceLock<Read>,
}

#[derive(Clone, Debug, Default)]
struct Read {
    all: Vec<Pattern>,
    /// Places of those that begin with this very word or mark.
    exact: HashMap<String, Vec<usize>>,
    /// Places of the others.
    others: Vec<usize>,
}

impl From<Vec<String>> for Patterns {
    fn from(texts: Vec<String>) -> Self {
        Self { texts, read: OnceLock::new() }
    }
}

impl Read {
    fn new(texts: &[String]) -> Self {
        let mut patterns = Self { all: texts.iter().map(|text| Pattern::from(text.as_str())).collect(), ..Self::default() };
        for (at, pattern) in patterns.all.iter().enumerate() {
            let key = match pattern.parts.iter().find(|part| **part != Part::Start) {
                // Without case by its lower letters, in which a token is looked up too.
                Some(Part::Word(Shape::Exact, word)) => word.to_lowercase(),
                Some(Part::Mark(sign)) => sign.to_string(),
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

impl Deref for Patterns {
    type Target = [String];

    fn deref(&self) -> &[String] {
        &self.texts
    }
}

impl Patterns {
    /// The patterns that may match where such a token is, in their order.
    pub fn near(&self, token: &Token) -> impl Iterator<Item = &Pattern> {
        let read = self.read.get_or_init(|| Read::new(&self.texts));
        let exact = match token.kind {
            Kind::Word if token.text.chars().any(char::is_uppercase) => read.exact.get(&token.text.to_lowercase()),
            Kind::Word | Kind::Mark => read.exact.get(token.text),
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

impl From<&str> for Pattern {
    fn from(text: &str) -> Self {
        let mut parts = Vec::new();
        for element in text.split_ascii_whitespace() {
            match element {
                "STR" => parts.push(Part::Text),
                "NUM" => parts.push(Part::Number),
                "ID" => parts.push(Part::Any),
                "BOL" => parts.push(Part::Start),
                ".." => parts.push(Part::Gap),
                _ if element.contains(|sign: char| sign.is_alphanumeric() || sign == '_') => {
                    parts.push(Part::Word(Shape::of(element), element.to_owned()));
                }
                _ => parts.extend(element.chars().map(Part::Mark)),
            }
        }
        Self { parts }
    }
}

impl Pattern {
    /// The end of the tokens that match from `at` on.
    pub fn at(&self, tokens: &[Token], at: usize, fold: bool) -> Option<usize> {
        matches(&self.parts, tokens, at, fold)
    }

    /// Whether a name is before `at` that it would belong to: `/x/.test("y")` is no test.
    pub fn belongs(&self, tokens: &[Token], at: usize) -> bool {
        matches!(self.parts.first(), Some(Part::Word(..))) && at.checked_sub(1).and_then(|before| tokens.get(before)).is_some_and(|before| before.text == ".")
    }

    /// It is before what it speaks of: `#[test]`, `@Test`.
    pub fn is_attribute(&self) -> bool {
        match self.parts.iter().find(|part| **part != Part::Start) {
            Some(Part::Mark('#' | '@' | '[')) => true,
            Some(Part::Word(_, word)) => word.starts_with('@'),
            _ => false,
        }
    }
}

fn matches(parts: &[Part], tokens: &[Token], at: usize, fold: bool) -> Option<usize> {
    let Some((part, rest)) = parts.split_first() else { return Some(at) };
    let token = tokens.get(at);
    match part {
        Part::Start => token.filter(|token| token.first).and_then(|_| matches(rest, tokens, at, fold)),
        Part::Gap => gap(tokens, at).find_map(|at| matches(rest, tokens, at, fold)),
        _ => {
            let token = token?;
            let holds = match (part, token.kind) {
                (Part::Word(_, pattern), Kind::Word) if fold => glob(&pattern.to_lowercase(), &token.text.to_lowercase()),
                (Part::Word(shape, pattern), Kind::Word) => shape.holds(pattern, token.text),
                (Part::Mark(sign), Kind::Mark) => token.text.starts_with(*sign),
                (Part::Text, Kind::Text) | (Part::Number, Kind::Number) | (Part::Any, Kind::Word) => true,
                _ => false,
            };
            if holds { matches(rest, tokens, at + 1, fold) } else { None }
        }
    }
}

/// Where what is after a gap may begin: within the brackets that are open, and in none that open in between.
fn gap<'t>(tokens: &'t [Token], at: usize) -> impl Iterator<Item = usize> + 't {
    let mut depth = 0_i32;
    let mut steps = 0;
    (at..tokens.len())
        .map_while(move |at| {
            let before = depth;
            match tokens.get(at).filter(|token| token.kind == Kind::Mark).map(|token| token.text) {
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
