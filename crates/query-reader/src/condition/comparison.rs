//! Comparisons: of columns with what is written out, with lists and with queries.

use super::Holds::{All, None as Never, Some as Few};
use super::{Compared, ConditionPart, ConstantValue, Holds, LARGE, MAX_DEPTH, Reader, holds};
use crate::lex::{SqlTokenKind, Token};
use crate::operators::{leading_number, negation, number, plain, turned, wide};

impl Reader<'_> {
    pub(super) fn comparison(&mut self) -> ConditionPart {
        let from = self.at;
        let mut left = self.sum();
        loop {
            let not = self.word("NOT")
                && self
                    .tokens
                    .get(self.at + 1)
                    .is_some_and(|next| ["IN", "LIKE", "ILIKE", "BETWEEN", "GLOB", "REGEXP", "RLIKE", "SIMILAR", "MATCH"].iter().any(|word| next.is(word)));
            let before = self.at;
            self.at += usize::from(not);
            let whole = (left.from, left.to);
            let holds = if self.takes("IS") {
                let not = self.takes("NOT");
                let distinct = self.takes("DISTINCT") && self.takes("FROM");
                let right = self.sum();
                let same = self.slice(whole) == self.slice((right.from, right.to));
                match (&left.value, &right.value) {
                    _ if distinct => {
                        if same {
                            Holds::when(not)
                        } else {
                            Few
                        }
                    }
                    (Option::None, Option::None) if same => Holds::when(!not),
                    (Some(value), Some(ConstantValue::Null)) => Holds::when((*value == ConstantValue::Null) != not),
                    (Option::None, Some(ConstantValue::Null))
                        if self.is_key(&whole)
                            || left.compared.as_ref().is_some_and(|compared| self.is_key(&compared.left) && number(self.slice(compared.right)).is_some()) =>
                    {
                        Holds::when(not)
                    }
                    // The clock has a time in each row.
                    (Option::None, Some(ConstantValue::Null))
                        if self.tokens.get(whole.0).is_some_and(|first| computed(std::slice::from_ref(first), &[], 0)) =>
                    {
                        Holds::when(not)
                    }
                    (Some(_), Some(ConstantValue::Truth(is))) => Holds::when((self.truth(&left) == Holds::when(*is)) != not),
                    (Option::None, Some(ConstantValue::Truth(is))) if left.holds != Few => Holds::when((left.holds == Holds::when(*is)) != not),
                    _ => Few,
                }
            } else if self.takes("IN") {
                let holds = self.listed(&left, not);
                if not { holds.not() } else { holds }
            } else if self.takes("BETWEEN") {
                let low = self.sum();
                self.takes("AND");
                let high = self.sum();
                let holds = match (&left.value, &low.value, &high.value) {
                    (Some(ConstantValue::Number(value)), Some(ConstantValue::Number(low)), Some(ConstantValue::Number(high))) => {
                        Holds::when(low <= value && value <= high)
                    }
                    (_, Some(ConstantValue::Number(low)), Some(ConstantValue::Number(high))) if *low <= 1.0 && *high >= LARGE && self.is_key(&whole) => All,
                    _ => Few,
                };
                if not { holds.not() } else { holds }
            } else if let Some(word) = ["LIKE", "ILIKE", "GLOB", "REGEXP", "RLIKE", "SIMILAR", "~", "~*"].iter().find(|word| self.takes(word)) {
                self.takes("TO");
                let right = self.sum();
                if self.takes("ESCAPE") {
                    self.sum();
                }
                let same = self.slice(whole) == self.slice((right.from, right.to));
                let holds = match (&left.value, &right.value) {
                    (Some(ConstantValue::Text(left)), Some(ConstantValue::Text(right))) if left == right => All,
                    (_, Some(ConstantValue::Text(pattern))) => Holds::when(wide(pattern, word)),
                    _ if same => All,
                    _ => Never,
                };
                // A narrow pattern holds for some.
                let holds = if holds == Never { Few } else { holds };
                if not { holds.not() } else { holds }
            } else if let Some(operator) = ["=", "==", "<>", "!=", "<=>", "<=", ">=", "<", ">"].into_iter().find(|operator| self.sign(operator)) {
                self.at += 1;
                let any = self.takes("ANY") || self.takes("SOME");
                if any && operator == "=" {
                    self.listed(&left, false)
                } else {
                    if any || self.takes("ALL") {
                        self.sum();
                        left = self.part(from, Few);
                        continue;
                    }
                    let right = self.sum();
                    let compared = Compared { left: whole, right: (right.from, right.to), operator: plain(operator) };
                    let holds = match (&left.value, &right.value) {
                        (Some(left), Some(right)) => constants(left, right, compared.operator),
                        _ => self.compared(&compared, Few),
                    };
                    left = ConditionPart { holds, value: Option::None, from, to: self.at, compared: Some(compared) };
                    continue;
                }
            } else {
                self.at = before;
                return left;
            };
            left = self.part(from, holds);
        }
    }

    /// A comparison in which a column is.
    pub(super) fn compared(&self, compared: &Compared, otherwise: Holds) -> Holds {
        let (left, right) = (self.slice(compared.left), self.slice(compared.right));
        if left == right {
            return Holds::when(matches!(compared.operator, "=" | "<=" | ">=" | "<=>"));
        }
        let number = |tokens: &[Token]| number(tokens);
        let (key, bound, operator) = match (number(left), number(right)) {
            (Option::None, Some(bound)) => (compared.left, bound, compared.operator),
            (Some(bound), Option::None) => (compared.right, bound, turned(compared.operator)),
            _ => {
                let columns = left.iter().chain(right).enumerate().any(|(at, token)| {
                    matches!(token.kind, SqlTokenKind::Word | SqlTokenKind::Name | SqlTokenKind::Parameter | SqlTokenKind::Hole) && !computed(left, right, at)
                });
                // A comparison without any column, such as a time with a date, is meant to be true.
                return if columns || otherwise != Few { otherwise } else { All };
            }
        };
        let words = self.slice(key);
        let counts = words
            .first()
            .is_some_and(|first| ["length", "char_length", "octet_length", "abs", "count", "coalesce", "ifnull"].iter().any(|name| first.is(name)));
        let chance = words.first().is_some_and(|first| first.is("rand") || first.is("random"));
        let key = self.is_key(&key);
        match operator {
            ">" if key => {
                if bound < 1.0 {
                    All
                } else {
                    otherwise
                }
            }
            ">=" if key => {
                if bound <= 1.0 {
                    All
                } else {
                    otherwise
                }
            }
            "<" | "<=" if key => {
                if bound >= LARGE {
                    All
                } else if bound <= 0.0 {
                    Never
                } else {
                    otherwise
                }
            }
            "<>" if key => All,
            ">" if counts && bound < 0.0 => All,
            ">=" if counts && bound <= 0.0 => All,
            "<" | "<=" if chance && bound >= 1.0 => All,
            ">=" if chance && bound <= 0.0 => All,
            ">" | ">=" if bound <= -LARGE => All,
            "<" | "<=" if bound >= 1e12 => All,
            _ => otherwise,
        }
    }

    /// Whether two parts of an `OR` leave nothing out.
    pub(super) fn opposite(&self, one: &ConditionPart, other: &ConditionPart) -> bool {
        let (Some(one), Some(other)) = (&one.compared, &other.compared) else { return false };
        self.slice(one.left) == self.slice(other.left) && self.slice(one.right) == self.slice(other.right) && {
            let pair = (one.operator, other.operator);
            pair.1 == negation(pair.0) || matches!(pair, ("<=", ">=") | (">=", "<="))
        }
    }

    /// What is behind `IN`, or `NOT IN`: whether it holds the value.
    pub(super) fn listed(&mut self, left: &ConditionPart, not: bool) -> Holds {
        let start = self.at;
        let end = self.closing();
        let inner = self.tokens.get(start + 1..end.saturating_sub(1)).unwrap_or(&[]);
        self.at = end;
        if inner.first().is_some_and(|first| first.is("SELECT") || first.is("WITH") || first.is("TABLE") || first.is("VALUES")) {
            return if self.whole(inner) { All } else { Few };
        }
        let words = self.slice((left.from, left.to));
        let items: Vec<&[Token]> = inner.split(|token| token.sign(",")).collect();
        if items.contains(&words) {
            return All;
        }
        let numbers: Option<Vec<f64>> = items.iter().map(|item| number(item)).collect();
        match (&left.value, numbers) {
            (Some(ConstantValue::Number(value)), Some(numbers)) => Holds::when(numbers.contains(value)),
            // Keys that are listed are few, and those that are not are most.
            (Option::None, Some(_)) if not && self.is_key(&(left.from, left.to)) => Never,
            _ => Few,
        }
    }

    /// Whether a query gives all rows of the table.
    pub(super) fn whole(&self, query: &[Token]) -> bool {
        let narrow = ["WHERE", "LIMIT", "HAVING", "TABLESAMPLE", "FETCH", "EXCEPT", "INTERSECT", "OFFSET", "JOIN"];
        let plain = !query.iter().any(|token| narrow.iter().any(|word| token.is(word)));
        let same = query.iter().any(|token| token.text.eq_ignore_ascii_case(self.table));
        if plain {
            return same;
        }
        let mut depth = 0usize;
        let position = query.iter().position(|token| {
            depth = (depth + usize::from(token.sign("("))).saturating_sub(usize::from(token.sign(")")));
            depth == 0 && token.is("WHERE")
        });
        let Some(behind) = position.and_then(|at| query.get(at + 1..)) else { return false };
        same && self.depth < MAX_DEPTH
            && !query.iter().any(|token| token.is("LIMIT") || token.is("HAVING") || token.is("JOIN"))
            && holds(behind, self.table, self.language) == All
    }
}

/// Whether the word at this place of both sides is a function of the clock, and no column.
fn computed(left: &[Token], right: &[Token], at: usize) -> bool {
    let token = left.get(at).or_else(|| right.get(at.wrapping_sub(left.len())));
    let clock = [
        "now",
        "current_date",
        "current_timestamp",
        "current_time",
        "localtimestamp",
        "sysdate",
        "curdate",
        "utc_timestamp",
        "date",
        "datetime",
        "strftime",
        "timestamp",
        "interval",
        "clock_timestamp",
        "unix_timestamp",
        "julianday",
        "pi",
        "version",
    ];
    token.is_some_and(|token| token.kind == SqlTokenKind::Word && clock.iter().any(|name| token.is(name)))
}

fn constants(left: &ConstantValue, right: &ConstantValue, operator: &str) -> Holds {
    use std::cmp::Ordering;
    let order = match (left, right) {
        (ConstantValue::Null, _) | (_, ConstantValue::Null) => return if operator == "<=>" && left == right { All } else { Never },
        (ConstantValue::Text(left), ConstantValue::Text(right)) => left.cmp(right),
        (left, right) => {
            let number = |value: &ConstantValue| match value {
                ConstantValue::Number(number) => *number,
                ConstantValue::Truth(is) => f64::from(u8::from(*is)),
                ConstantValue::Text(text) => leading_number(text),
                ConstantValue::Null => 0.0,
            };
            number(left).partial_cmp(&number(right)).unwrap_or(Ordering::Equal)
        }
    };
    Holds::when(match operator {
        "=" | "<=>" => order.is_eq(),
        "<>" => order.is_ne(),
        "<" => order.is_lt(),
        "<=" => order.is_le(),
        ">" => order.is_gt(),
        _ => order.is_ge(),
    })
}
