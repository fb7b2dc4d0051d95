//! Shapes of code, written as their tokens with blanks between: `it ( STR`, `# [ ID :: test`, `def test_*`.

use serde::Deserialize;

use super::{Kind, Token};

/// Tokens that `..` may stand for.
const MAX_GAP: usize = 24;

/// A shape of code.
///
/// Words may hold `*` and `?`; `STR`, `NUM` and `ID` stand for any string, number and word; `BOL` asks for the start of a line,
/// `..` leaves some tokens out.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "String")]
pub struct Pattern {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Word(String),
    Mark(char),
    Text,
    Number,
    Any,
    Start,
    Gap,
}

impl From<String> for Pattern {
    fn from(text: String) -> Self {
        let mut parts = Vec::new();
        for element in text.split_ascii_whitespace() {
            match element {
                "STR" => parts.push(Part::Text),
                "NUM" => parts.push(Part::Number),
                "ID" => parts.push(Part::Any),
                "BOL" => parts.push(Part::Start),
                ".." => parts.push(Part::Gap),
                _ if element.contains(|sign: char| sign.is_alphanumeric() || sign == '_') => parts.push(Part::Word(element.to_owned())),
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

    /// Whether a name stands before `at` that it would belong to: `/x/.test("y")` is no test.
    pub fn belongs(&self, tokens: &[Token], at: usize) -> bool {
        matches!(self.parts.first(), Some(Part::Word(_))) && at.checked_sub(1).and_then(|before| tokens.get(before)).is_some_and(|before| before.text == ".")
    }

    /// It stands in front of what it speaks of: `#[test]`, `@Test`.
    pub fn is_attribute(&self) -> bool {
        match self.parts.iter().find(|part| **part != Part::Start) {
            Some(Part::Mark('#' | '@' | '[')) => true,
            Some(Part::Word(word)) => word.starts_with('@'),
            _ => false,
        }
    }
}

fn matches(parts: &[Part], tokens: &[Token], at: usize, fold: bool) -> Option<usize> {
    let Some((part, rest)) = parts.split_first() else { return Some(at) };
    let token = tokens.get(at);
    match part {
        Part::Start => token.filter(|token| token.first).and_then(|_| matches(rest, tokens, at, fold)),
        Part::Gap => (at..=at + MAX_GAP).find_map(|at| matches(rest, tokens, at, fold)),
        _ => {
            let token = token?;
            let holds = match (part, token.kind) {
                (Part::Word(pattern), Kind::Word) if fold => glob(&pattern.to_lowercase(), &token.text.to_lowercase()),
                (Part::Word(pattern), Kind::Word) => glob(pattern, token.text),
                (Part::Mark(sign), Kind::Mark) => token.text.starts_with(*sign),
                (Part::Text, Kind::Text) | (Part::Number, Kind::Number) | (Part::Any, Kind::Word) => true,
                _ => false,
            };
            if holds { matches(rest, tokens, at + 1, fold) } else { None }
        }
    }
}

/// Whether `text` is as `pattern`, in which `*` stands for anything and `?` for one sign.
pub fn glob(pattern: &str, text: &str) -> bool {
    let (mut pattern, mut text) = (pattern, text);
    // Where to go on if what follows a star does not fit: the star takes one sign more.
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
