//! What is on either side of a comparison: values, columns, sums, functions, brackets.

use super::Holds::{All, None as Never, Some as Few};
use super::{ConditionPart, ConstantValue, Holds, MAX_DEPTH, Reader, holds};
use crate::QueryLanguage;
use crate::lex::{SqlTokenKind, Token};

impl Reader<'_> {
    /// The place behind the bracket that closes the one here.
    pub(super) fn closing(&self) -> usize {
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

    pub(super) fn sum(&mut self) -> ConditionPart {
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

    pub(super) fn single(&mut self) -> ConditionPart {
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
            if self.sign(",") {
                // `(id, name)`: a row.
                self.at = from;
                self.at = self.closing();
                return self.part(from, Few);
            }
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
                        let parts: Vec<&[Token]> = inner.split(|token| token.sign(",")).skip_while(|part| matches!(part, [one] if one.is("NULL"))).collect();
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
                    if token.is("IF") && self.depth < MAX_DEPTH {
                        let parts: Vec<&[Token]> = inner.split(|token| token.sign(",")).collect();
                        let known: Vec<Holds> = parts.iter().map(|part| holds(part, self.table, self.language)).collect();
                        if let [condition, yes, no] = known.as_slice() {
                            return self.part(from, condition.and(*yes).or(condition.not().and(*no)));
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
