//! Whether a `WHERE` holds for all rows, for none, or for some: as far as its words say. Knows no table. Here is how its parts
//! are joined; what they compare is in `comparison`, and what is on either side in `operand`.

mod comparison;
mod operand;

use crate::QueryLanguage;
use crate::lex::{SqlTokenKind, Token};
use crate::operators::{leading_number, negation};

/// Which rows a condition holds for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holds {
    All,
    None,
    Some,
}

use Holds::{All, None as Never, Some as Few};

impl Holds {
    pub(super) fn not(self) -> Self {
        match self {
            All => Never,
            Never => All,
            Few => Few,
        }
    }

    pub(super) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Never, _) | (_, Never) => Never,
            (All, All) => All,
            _ => Few,
        }
    }

    pub(super) fn or(self, other: Self) -> Self {
        self.not().and(other.not()).not()
    }

    pub(super) fn when(is: bool) -> Self {
        if is { All } else { Never }
    }
}

/// A value that is written out.
#[derive(Clone, Debug, PartialEq)]
enum ConstantValue {
    Number(f64),
    Text(String),
    Truth(bool),
    Null,
}

/// A part of a condition, as far as it is understood.
#[derive(Clone, Debug)]
struct ConditionPart {
    holds: Holds,
    value: Option<ConstantValue>,
    /// From which word to which.
    from: usize,
    to: usize,
    /// Made by `NOT`: what was negated.
    compared: Option<Compared>,
}

/// A comparison: the words of its left and right side, and the operator.
#[derive(Clone, Debug)]
struct Compared {
    left: (usize, usize),
    right: (usize, usize),
    operator: &'static str,
}

/// Conditions within each other; what is deeper counts as true.
const MAX_DEPTH: usize = 48;
/// From here on a bound is beyond all keys.
const LARGE: f64 = 10_000.0;

/// Evaluates a condition over the rows of `table`, which is in lower case.
pub(crate) fn holds(tokens: &[Token], table: &str, language: QueryLanguage) -> Holds {
    let mut reader = Reader { tokens, at: 0, depth: 0, table, language };
    let part = reader.either();
    if reader.at < tokens.len() { Few } else { reader.truth(&part) }
}

struct Reader<'t> {
    tokens: &'t [Token],
    at: usize,
    depth: usize,
    table: &'t str,
    language: QueryLanguage,
}

impl Reader<'_> {
    pub(super) fn word(&self, word: &str) -> bool {
        self.tokens.get(self.at).is_some_and(|token| token.is(word))
    }

    pub(super) fn sign(&self, sign: &str) -> bool {
        self.tokens.get(self.at).is_some_and(|token| token.sign(sign))
    }

    pub(super) fn takes(&mut self, word: &str) -> bool {
        let is = if word.starts_with(|c: char| c.is_ascii_alphabetic()) { self.word(word) } else { self.sign(word) };
        self.at += usize::from(is);
        is
    }

    pub(super) fn part(&self, from: usize, holds: Holds) -> ConditionPart {
        ConditionPart { holds, value: None, from, to: self.at, compared: None }
    }

    pub(super) fn of(&self, value: ConstantValue, from: usize) -> ConditionPart {
        ConditionPart { holds: Few, value: Some(value), from, to: self.at, compared: None }
    }

    pub(super) fn slice(&self, part: (usize, usize)) -> &[Token] {
        self.tokens.get(part.0..part.1).unwrap_or(&[])
    }

    /// What a value is as a condition.
    pub(super) fn truth(&self, part: &ConditionPart) -> Holds {
        match &part.value {
            None => {
                // A column alone is true for each number but 0; keys are such numbers.
                let column = part.holds == Few && self.language != QueryLanguage::Postgres && self.is_key(&(part.from, part.to));
                if column { All } else { part.holds }
            }
            Some(ConstantValue::Truth(is)) => Holds::when(*is),
            Some(ConstantValue::Null) => Never,
            // PostgreSQL takes no number as a condition.
            Some(ConstantValue::Number(_)) if self.language == QueryLanguage::Postgres => Never,
            Some(ConstantValue::Number(number)) => Holds::when(*number != 0.0),
            Some(ConstantValue::Text(text)) if matches!(self.language, QueryLanguage::Postgres | QueryLanguage::Any) => {
                let text = text.trim().to_ascii_lowercase();
                Holds::when(!text.is_empty() && (["true", "yes", "on", "1"].iter().any(|word| word.starts_with(&text)) && text != "o"))
            }
            Some(ConstantValue::Text(text)) => Holds::when(leading_number(text) != 0.0),
        }
    }

    /// Whether the words name a column that has a value in each row, never 0.
    pub(super) fn is_key(&self, part: &(usize, usize)) -> bool {
        let Some(last) = self.slice(*part).last().filter(|token| matches!(token.kind, SqlTokenKind::Word | SqlTokenKind::Name)) else { return false };
        let plain = self.slice(*part).iter().all(|token| matches!(token.kind, SqlTokenKind::Word | SqlTokenKind::Name) || token.sign("."));
        let name = last.text.to_ascii_lowercase();
        plain
            && (matches!(name.as_str(), "id" | "rowid" | "oid" | "_rowid_" | "ctid" | "uuid" | "pk" | "created_at" | "tableoid" | "xmin")
                || name == format!("{}_id", self.table.trim_end_matches('s')))
    }

    pub(super) fn either(&mut self) -> ConditionPart {
        let from = self.at;
        if self.depth >= MAX_DEPTH {
            self.at = self.tokens.len();
            return self.part(from, All);
        }
        self.depth += 1;
        let mut part = self.exclusive();
        let mut terms = vec![part.clone()];
        while self.word("OR") || (self.sign("||") && self.language == QueryLanguage::Mysql) {
            self.at += 1;
            let next = self.exclusive();
            let mut holds = self.truth(&part).or(self.truth(&next));
            if terms.iter().any(|term| self.opposite(term, &next)) {
                holds = All;
            }
            terms.push(next);
            part = self.part(from, holds);
        }
        self.depth -= 1;
        part
    }

    pub(super) fn exclusive(&mut self) -> ConditionPart {
        let from = self.at;
        let mut part = self.both();
        while self.takes("XOR") {
            let next = self.both();
            let holds = match (self.truth(&part), self.truth(&next)) {
                (Few, _) | (_, Few) => Few,
                (one, other) => Holds::when(one != other),
            };
            part = self.part(from, holds);
        }
        part
    }

    pub(super) fn both(&mut self) -> ConditionPart {
        let from = self.at;
        let mut part = self.negated();
        while self.word("AND") || (self.sign("&&") && self.language != QueryLanguage::Postgres) {
            self.at += 1;
            let next = self.negated();
            let holds = self.truth(&part).and(self.truth(&next));
            part = self.part(from, holds);
        }
        part
    }

    pub(super) fn negated(&mut self) -> ConditionPart {
        let from = self.at;
        let mut count = 0;
        while self.takes("NOT") || self.takes("!") {
            count += 1;
        }
        let inner = self.comparison();
        if count == 0 {
            return inner;
        }
        let known = match inner.value {
            // What is not known is not true either way.
            Some(ConstantValue::Null) => Never,
            _ if count % 2 == 1 => match &inner.compared {
                Some(compared) => self.compared(&Compared { operator: negation(compared.operator), ..compared.clone() }, inner.holds.not()),
                None => self.truth(&inner).not(),
            },
            _ => self.truth(&inner),
        };
        self.part(from, known)
    }
}
