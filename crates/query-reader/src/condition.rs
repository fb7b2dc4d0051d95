//! Whether a `WHERE` holds for all rows, for none, or for some: as far as its words say. Knows no table.

use crate::QueryLanguage;
use crate::lex::{SqlTokenKind, Token};
use crate::operators::{leading_number, negation, number, plain, turned, wide};

/// Which rows a condition holds for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holds {
    All,
    None,
    Some,
}

use Holds::{All, None as Never, Some as Few};

impl Holds {
    fn not(self) -> Self {
        match self {
            All => Never,
            Never => All,
            Few => Few,
        }
    }

    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Never, _) | (_, Never) => Never,
            (All, All) => All,
            _ => Few,
        }
    }

    fn or(self, other: Self) -> Self {
        self.not().and(other.not()).not()
    }

    fn when(is: bool) -> Self {
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
    fn word(&self, word: &str) -> bool {
        self.tokens.get(self.at).is_some_and(|token| token.is(word))
    }

    fn sign(&self, sign: &str) -> bool {
        self.tokens.get(self.at).is_some_and(|token| token.sign(sign))
    }

    fn takes(&mut self, word: &str) -> bool {
        let is = if word.starts_with(|c: char| c.is_ascii_alphabetic()) { self.word(word) } else { self.sign(word) };
        self.at += usize::from(is);
        is
    }

    fn part(&self, from: usize, holds: Holds) -> ConditionPart {
        ConditionPart { holds, value: None, from, to: self.at, compared: None }
    }

    fn of(&self, value: ConstantValue, from: usize) -> ConditionPart {
        ConditionPart { holds: Few, value: Some(value), from, to: self.at, compared: None }
    }

    fn slice(&self, part: (usize, usize)) -> &[Token] {
        self.tokens.get(part.0..part.1).unwrap_or(&[])
    }

    /// What a value is as a condition.
    fn truth(&self, part: &ConditionPart) -> Holds {
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
    fn is_key(&self, part: &(usize, usize)) -> bool {
        let Some(last) = self.slice(*part).last().filter(|token| matches!(token.kind, SqlTokenKind::Word | SqlTokenKind::Name)) else { return false };
        let plain = self.slice(*part).iter().all(|token| matches!(token.kind, SqlTokenKind::Word | SqlTokenKind::Name) || token.sign("."));
        let name = last.text.to_ascii_lowercase();
        plain
            && (matches!(name.as_str(), "id" | "rowid" | "oid" | "_rowid_" | "ctid" | "uuid" | "pk" | "created_at" | "tableoid" | "xmin")
                || name == format!("{}_id", self.table.trim_end_matches('s')))
    }

    fn either(&mut self) -> ConditionPart {
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

    fn exclusive(&mut self) -> ConditionPart {
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

    fn both(&mut self) -> ConditionPart {
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

    fn negated(&mut self) -> ConditionPart {
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

    fn comparison(&mut self) -> ConditionPart {
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
    fn compared(&self, compared: &Compared, otherwise: Holds) -> Holds {
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
            ">" | ">=" if bound <= -LARGE => All,
            "<" | "<=" if bound >= 1e12 => All,
            _ => otherwise,
        }
    }

    /// Whether two parts of an `OR` leave nothing out.
    fn opposite(&self, one: &ConditionPart, other: &ConditionPart) -> bool {
        let (Some(one), Some(other)) = (&one.compared, &other.compared) else { return false };
        self.slice(one.left) == self.slice(other.left) && self.slice(one.right) == self.slice(other.right) && {
            let pair = (one.operator, other.operator);
            pair.1 == negation(pair.0) || matches!(pair, ("<=", ">=") | (">=", "<="))
        }
    }

    /// What is behind `IN`, or `NOT IN`: whether it holds the value.
    fn listed(&mut self, left: &ConditionPart, not: bool) -> Holds {
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
    fn whole(&self, query: &[Token]) -> bool {
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

    /// The place behind the bracket that closes the one here.
    fn closing(&self) -> usize {
        let mut depth = 0usize;
        for (at, token) in self.tokens.iter().enumerate().skip(self.at) {
            if token.sign("(") || token.sign("[") {
                depth += 1;
            } else if token.sign(")") || token.sign("]") {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at + 1;
                }
            } else if depth == 0 && at > self.at {
                return at;
            }
        }
        self.tokens.len()
    }

    fn sum(&mut self) -> ConditionPart {
        let from = self.at;
        let mut part = self.single();
        loop {
            // Brackets behind an operand are a place in it.
            if self.takes("::") {
                while self.tokens.get(self.at).is_some_and(|token| token.kind == SqlTokenKind::Word) {
                    self.at += 1;
                }
                part.to = self.at;
                continue;
            }
            if self.takes("COLLATE") {
                self.at += 1;
                continue;
            }
            let Some(sign) = ["+", "-", "*", "/", "%", "||", "&", "|", "->", "#>"].into_iter().find(|sign| self.sign(sign)) else { return part };
            if sign == "||" && self.language == QueryLanguage::Mysql {
                return part;
            }
            self.at += 1;
            let next = self.single();
            let value = match (&part.value, &next.value) {
                (Some(ConstantValue::Number(left)), Some(ConstantValue::Number(right))) => match sign {
                    "+" => Some(left + right),
                    "-" => Some(left - right),
                    "*" => Some(left * right),
                    "/" if *right != 0.0 => Some(left / right),
                    "%" if *right != 0.0 => Some(left % right),
                    _ => None,
                }
                .map(ConstantValue::Number),
                (Some(ConstantValue::Text(left)), Some(ConstantValue::Text(right))) if sign == "||" => Some(ConstantValue::Text(format!("{left}{right}"))),
                _ => None,
            };
            part = ConditionPart { holds: Few, value, from, to: self.at, compared: None };
        }
    }

    fn single(&mut self) -> ConditionPart {
        let from = self.at;
        let Some(token) = self.tokens.get(self.at) else { return self.part(from, Few) };
        if token.sign("(") {
            let inner_query = self.tokens.get(self.at + 1).is_some_and(|next| next.is("SELECT") || next.is("WITH"));
            if inner_query {
                self.at = self.closing();
                return self.part(from, Few);
            }
            self.at += 1;
            let mut inner = self.either();
            if !self.takes(")") {
                self.at = self.tokens.len() + 1;
            }
            // `(id)` is `id`.
            if inner.holds == Few && inner.value.is_none() && inner.compared.is_none() {
                inner.from = from;
            }
            return ConditionPart { to: self.at, ..inner };
        }
        if token.sign("-") || token.sign("+") || token.sign("~") {
            let negative = token.sign("-");
            self.at += 1;
            if self.depth >= MAX_DEPTH {
                self.at = self.tokens.len() + 1;
                return self.part(from, All);
            }
            self.depth += 1;
            let inner = self.single();
            self.depth -= 1;
            return match inner.value {
                Some(ConstantValue::Number(number)) => self.of(ConstantValue::Number(if negative { -number } else { number }), from),
                _ => self.part(from, Few),
            };
        }
        let token = token.clone();
        self.at += 1;
        match token.kind {
            SqlTokenKind::Number => self.of(ConstantValue::Number(token.text.parse().unwrap_or(1.0)), from),
            SqlTokenKind::Text => self.of(ConstantValue::Text(token.text), from),
            SqlTokenKind::Word if token.is("TRUE") => self.of(ConstantValue::Truth(true), from),
            SqlTokenKind::Word if token.is("FALSE") => self.of(ConstantValue::Truth(false), from),
            SqlTokenKind::Word if token.is("NULL") || token.is("UNKNOWN") => self.of(ConstantValue::Null, from),
            SqlTokenKind::Word if token.is("EXISTS") && self.sign("(") => {
                let start = self.at;
                self.at = self.closing();
                let inner = self.tokens.get(start + 1..self.at.saturating_sub(1)).unwrap_or(&[]);
                let condition = inner.iter().position(|token| token.is("WHERE")).and_then(|at| inner.get(at + 1..));
                let limit = inner.windows(2).any(|pair| matches!(pair, [word, count] if word.is("LIMIT") && count.text == "0"));
                // A row is found again by its own key.
                let found_again = |condition: &[Token]| {
                    matches!(condition, [one, dot, left, equal, other, point, right] if dot.sign(".") && point.sign(".") && equal.sign("=") && left == right && one != other)
                        && inner.iter().any(|token| token.text.eq_ignore_ascii_case(self.table))
                };
                let holds = match condition {
                    _ if limit => Never,
                    Some(condition) if found_again(condition) => All,
                    Some(condition) if self.depth < MAX_DEPTH => holds(condition, self.table, self.language),
                    Some(_) => All,
                    None => All,
                };
                self.part(from, holds)
            }
            SqlTokenKind::Word if token.is("CASE") => {
                let mut depth = 1usize;
                while depth > 0 && self.at < self.tokens.len() {
                    depth = (depth + usize::from(self.word("CASE"))).saturating_sub(usize::from(self.word("END")));
                    self.at += 1;
                }
                let inner = self.tokens.get(from..self.at).unwrap_or(&[]);
                let results: Vec<&Token> =
                    inner.windows(2).filter(|pair| matches!(pair, [word, _] if word.is("THEN") || word.is("ELSE"))).filter_map(|pair| pair.get(1)).collect();
                let yes = |token: &&Token| token.is("TRUE") || token.text == "1";
                let all = !results.is_empty() && results.iter().all(yes) && inner.iter().any(|token| token.is("ELSE"));
                self.part(from, if all { All } else { Few })
            }
            SqlTokenKind::Word | SqlTokenKind::Name => {
                while self.sign(".") {
                    self.at += 2;
                }
                if self.sign("(") {
                    let start = self.at;
                    self.at = self.closing();
                    let inner = self.tokens.get(start + 1..self.at.saturating_sub(1)).unwrap_or(&[]);
                    if token.is("COALESCE") || token.is("IFNULL") {
                        let parts: Vec<&[Token]> = inner.split(|token| token.sign(",")).collect();
                        let known: Vec<Holds> =
                            parts.iter().map(|part| if self.depth < MAX_DEPTH { holds(part, self.table, self.language) } else { All }).collect();
                        let first_is_literal =
                            parts.first().is_some_and(|part| matches!(part, [one] if matches!(one.kind, SqlTokenKind::Number | SqlTokenKind::Text)));
                        if first_is_literal {
                            return self.part(from, known.first().copied().unwrap_or(Few));
                        }
                        if known.iter().all(|holds| *holds == All) && !known.is_empty() {
                            return self.part(from, All);
                        }
                    }
                } else if (token.is("BOOL") || token.is("BOOLEAN")) && self.tokens.get(self.at).is_some_and(|next| next.kind == SqlTokenKind::Text) {
                    let text = self.tokens.get(self.at).map(|token| token.text.clone()).unwrap_or_default();
                    self.at += 1;
                    return self.of(ConstantValue::Text(text), from);
                } else if ["DATE", "TIMESTAMP", "INTERVAL", "TIMESTAMPTZ", "BINARY"].iter().any(|word| token.is(word))
                    && self.tokens.get(self.at).is_some_and(|next| next.kind == SqlTokenKind::Text)
                {
                    self.at += 1;
                } else if token.is("CURRENT") {
                    // `CURRENT OF cursor`
                    self.at = self.tokens.len();
                }
                self.part(from, Few)
            }
            SqlTokenKind::Parameter | SqlTokenKind::Hole | SqlTokenKind::Sign => self.part(from, Few),
        }
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
