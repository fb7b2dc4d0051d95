//! What statements that change rows lose: `DELETE`, `UPDATE`, `INSERT`, `MERGE`, and those within `WITH`.

use crate::condition::{self, Holds};
use crate::lex::{SqlTokenKind, Token};
use crate::session::Session;
use crate::statement::{Losses, NONE, NamedObject, Refused, behind, closing, find, is, is_hole, one, parts, sign};
use crate::{LossKind, Lost, QueryLanguage};

impl Session<'_> {
    /// Which rows the end of a statement leaves: its condition and its limit.
    pub(crate) fn rows(&self, tokens: &[Token], from: usize, table: &str) -> Holds {
        let end = find(tokens, from, &["RETURNING"]).unwrap_or(tokens.len());
        let tokens = tokens.get(..end).unwrap_or(tokens);
        let order = find(tokens, from, &["ORDER", "LIMIT"]).unwrap_or(tokens.len());
        let condition = find(tokens, from, &["WHERE"]);
        let mut rows = match condition {
            Some(at) => {
                let condition = tokens.get(at + 1..order.max(at + 1)).unwrap_or(&[]);
                if condition.is_empty() { Holds::All } else { condition::holds(&self.replaced(condition), table, self.quoting.language) }
            }
            None => Holds::All,
        };
        if let Some(limit) = find(tokens, from, &["LIMIT"]) {
            let count = tokens.get(limit + 1).and_then(|token| token.text.parse::<u64>().ok());
            rows = match count {
                Some(0) => Holds::None,
                Some(count) if count >= 10_000 => rows,
                _ if rows == Holds::None => rows,
                _ => Holds::Some,
            };
        }
        // A join with a condition picks rows.
        if condition.is_none() && rows == Holds::All && find(tokens, from, &["JOIN"]).is_some() && find(tokens, from, &["ON", "USING", "NATURAL"]).is_some() {
            rows = Holds::Some;
        }
        rows
    }

    /// A condition with the values of its parameters, as far as they are known.
    pub(crate) fn replaced(&self, tokens: &[Token]) -> Vec<Token> {
        let value = |token: &Token| {
            let value = self.made.parameters.iter().rev().find(|(name, _)| *name == token.text)?;
            Some(Token { kind: if value.1.parse::<f64>().is_ok() { SqlTokenKind::Number } else { SqlTokenKind::Text }, text: value.1.clone() })
        };
        let null = |token: &Token| Token {
            kind: SqlTokenKind::Word,
            text: if self.quoting.language == QueryLanguage::Sqlite && token.kind == SqlTokenKind::Parameter { "NULL".to_owned() } else { String::new() },
        };
        tokens
            .iter()
            .map(|token| match token.kind {
                SqlTokenKind::Parameter => {
                    value(token).unwrap_or_else(|| if self.quoting.language == QueryLanguage::Sqlite && self.client { null(token) } else { token.clone() })
                }
                _ => token.clone(),
            })
            .collect()
    }

    pub(crate) fn by(&self, rows: Holds, named: &NamedObject) -> Vec<Lost> {
        match rows {
            Holds::All => self.lost(LossKind::AllRows, named),
            Holds::Some => self.lost(LossKind::Rows, named),
            Holds::None => Vec::new(),
        }
    }

    pub(crate) fn deleted(&mut self, tokens: &[Token]) -> Losses {
        let language = self.quoting.language;
        let mut at = 1;
        while is(tokens, at, &["LOW_PRIORITY", "QUICK", "IGNORE"]) && language != QueryLanguage::Postgres {
            at += 1;
        }
        if is(tokens, at, &["HISTORY"]) && is(tokens, at + 1, &["FROM"]) {
            let name = self.named(tokens, at + 2).map(|named| named.name).unwrap_or_default();
            return one(LossKind::AllRows, &name);
        }
        if language == QueryLanguage::Mysql && !is(tokens, at, &["FROM"]) {
            // `DELETE a, b FROM …`
            let Some(from) = find(tokens, at, &["FROM"]) else { return Err(Refused) };
            let rows = self.rows(tokens, from, "");
            let lists = parts(tokens.get(at..from).unwrap_or(&[]));
            return Ok(lists.iter().filter_map(|part| self.named(part, 0)).flat_map(|named| self.by(rows, &named)).collect());
        }
        if is(tokens, at, &["FROM"]) {
            at += 1;
        } else if language != QueryLanguage::Any {
            return Err(Refused);
        }
        at += usize::from(is(tokens, at, &["ONLY"]));
        if sign(tokens, at, "(") {
            return Err(Refused);
        }
        let Some(named) = self.named(tokens, at) else { return if is_hole(tokens, at) { one(LossKind::AllRows, "") } else { Err(Refused) } };
        if language == QueryLanguage::Postgres
            && find(tokens, at, &["LIMIT", "ORDER"]).is_some_and(|place| find(tokens, at, &["WHERE"]).is_none_or(|condition| place > condition))
            && !self.in_cte
        {
            return Err(Refused);
        }
        if named.name.starts_with("sqlite_") && language == QueryLanguage::Sqlite {
            return if self.made.writable_schema { one(LossKind::AllRows, &named.name) } else { Err(Refused) };
        }
        if named.schema == "pg_catalog" || named.schema == "information_schema" {
            return one(LossKind::Definition, &named.name);
        }
        let mut rows = self.rows(tokens, named.next, &named.name);
        if is(tokens, named.next, &["PARTITION"]) && rows == Holds::All {
            rows = Holds::Some;
        }
        Ok(self.by(rows, &named))
    }

    pub(crate) fn updated(&mut self, tokens: &[Token]) -> Losses {
        let language = self.quoting.language;
        let mut at = 1;
        while is(tokens, at, &["LOW_PRIORITY", "IGNORE", "ONLY"]) {
            at += 1;
        }
        if is(tokens, at, &["OR"]) {
            at += 2;
        }
        let Some(named) = self.named(tokens, at) else { return if is_hole(tokens, at) { one(LossKind::AllRows, "") } else { Err(Refused) } };
        let Some(set) = find(tokens, at, &["SET"]) else { return Err(Refused) };
        if language == QueryLanguage::Sqlite && named.name.starts_with("sqlite_") {
            return if self.made.writable_schema { one(LossKind::AllRows, &named.name) } else { Err(Refused) };
        }
        let end = find(tokens, set, &["WHERE", "FROM", "RETURNING", "ORDER", "LIMIT"]).unwrap_or(tokens.len());
        let assignments: Vec<Assigned> = parts(tokens.get(set + 1..end).unwrap_or(&[])).into_iter().map(|part| assigned(part, language)).collect();
        if assignments.iter().all(|assigned| *assigned == Assigned::Same) {
            return NONE;
        }
        let mut rows = self.rows(tokens, end, &named.name);
        let joined = find(tokens.get(..set).unwrap_or(&[]), at, &["JOIN"]).is_some();
        let from = is(tokens, end, &["FROM"]);
        if rows == Holds::All && (joined || from || assignments.iter().all(|assigned| *assigned != Assigned::Other)) {
            rows = Holds::Some;
        }
        Ok(self.by(rows, &named))
    }

    pub(crate) fn inserted(&mut self, tokens: &[Token]) -> Losses {
        let replaces = is(tokens, 0, &["REPLACE"]) || (is(tokens, 1, &["OR"]) && is(tokens, 2, &["REPLACE"]));
        if self.quoting.language == QueryLanguage::Postgres && replaces {
            return Err(Refused);
        }
        let into = find(tokens, 0, &["INTO"]);
        let overwrites = is(tokens, 1, &["OVERWRITE"]) || is(tokens, 2, &["OVERWRITE"]);
        let mut at = into.map_or(1, |at| at + 1);
        while is(tokens, at, &["TABLE", "OVERWRITE", "LOW_PRIORITY", "DELAYED", "IGNORE", "HIGH_PRIORITY"]) {
            at += 1;
        }
        let Some(named) = self.named(tokens, at) else { return NONE };
        let query =
            find(tokens, named.next, &["SELECT", "TABLE", "WITH"]).is_some() || (sign(tokens, named.next, "(") && is(tokens, named.next + 1, &["SELECT"]));
        let conflict = find(tokens, named.next, &["CONFLICT", "DUPLICATE"]).filter(|at| find(tokens, *at, &["UPDATE"]).is_some());
        let mut losses = self.triggered(&named.name);
        if overwrites {
            losses.extend(self.lost(LossKind::AllRows, &named));
        } else if replaces || conflict.is_some() {
            // Rows with the keys of those that are selected are replaced.
            let narrow = !query
                || find(tokens, named.next, &["WHERE", "LIMIT"])
                    .is_some_and(|at| conflict.is_none_or(|conflict| at < conflict) && !always(tokens, at, &named.name, self.quoting.language));
            losses.extend(self.by(if narrow { Holds::Some } else { Holds::All }, &named));
        }
        Ok(losses)
    }

    pub(crate) fn merged(&mut self, tokens: &[Token]) -> Losses {
        let at = find(tokens, 0, &["INTO"]).map_or(1, |at| at + 1);
        let Some(named) = self.named(tokens, at) else { return Err(Refused) };
        let using = find(tokens, at, &["USING"]).unwrap_or(tokens.len());
        let on = find(tokens, using, &["ON"]).unwrap_or(tokens.len());
        let when = find(tokens, on, &["WHEN"]).unwrap_or(tokens.len());
        let same = tokens.get(using..on).unwrap_or(&[]).iter().any(|token| token.text.eq_ignore_ascii_case(&named.name));
        let all = same || condition::holds(tokens.get(on + 1..when).unwrap_or(&[]), &named.name, self.quoting.language) == Holds::All;
        let mut rows = Holds::None;
        let mut place = when;
        while place < tokens.len() {
            let next = find(tokens, place + 1, &["WHEN"]).unwrap_or(tokens.len());
            let clause = tokens.get(place..next).unwrap_or(&[]);
            let then = find(clause, 0, &["THEN"]).unwrap_or(clause.len());
            let narrow = find(clause, 0, &["AND"])
                .is_some_and(|at| at < then && condition::holds(clause.get(at + 1..then).unwrap_or(&[]), &named.name, self.quoting.language) != Holds::All);
            let source = is(clause, 3, &["BY"]) && is(clause, 4, &["SOURCE"]);
            let found = match clause.get(then + 1) {
                Some(word) if word.is("DELETE") || word.is("UPDATE") => {
                    if (all || source) && !narrow {
                        Holds::All
                    } else {
                        Holds::Some
                    }
                }
                _ => Holds::None,
            };
            rows = match (rows, found) {
                (Holds::All, _) | (_, Holds::All) => Holds::All,
                (Holds::Some, _) | (_, Holds::Some) => Holds::Some,
                _ => Holds::None,
            };
            place = next;
        }
        Ok(self.by(rows, &named))
    }

    /// `WITH name AS (…), … statement`
    pub(crate) fn with(&mut self, tokens: &[Token]) -> Losses {
        let language = self.quoting.language;
        let mut at = 1 + usize::from(is(tokens, 1, &["RECURSIVE"]));
        let mut inner = Vec::new();
        let mut gone = Vec::new();
        loop {
            let Some(open) = find(tokens, at, &["AS"]) else { return Err(Refused) };
            let mut open = open + 1;
            while is(tokens, open, &["NOT", "MATERIALIZED"]) {
                open += 1;
            }
            if !sign(tokens, open, "(") {
                return Err(Refused);
            }
            let end = closing(tokens, open);
            let body = tokens.get(open + 1..end.saturating_sub(1)).unwrap_or(&[]);
            if is(body, 0, &["DELETE", "UPDATE", "INSERT", "MERGE", "WITH"]) {
                if language == QueryLanguage::Sqlite || language == QueryLanguage::Mysql {
                    return if is(body, 0, &["WITH"]) { NONE } else { Err(Refused) };
                }
                let lost = self.losses(body)?;
                if is(body, 0, &["DELETE"]) && find(body, 0, &["RETURNING"]).is_some() {
                    gone.push((tokens.get(at).map(|token| token.text.clone()).unwrap_or_default(), lost));
                } else {
                    inner.extend(lost);
                }
            }
            at = end;
            // `SEARCH …` and `CYCLE …` are behind it.
            while !sign(tokens, at, ",")
                && at < tokens.len()
                && !is(tokens, at, &["SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "VALUES", "TABLE", "REPLACE"])
                && !sign(tokens, at, "(")
            {
                at += 1;
            }
            if !sign(tokens, at, ",") {
                break;
            }
            at += 1;
        }
        let main = behind(tokens, at);
        // What is deleted and inserted elsewhere has moved.
        let moves = |name: &str| is(main, 0, &["INSERT"]) && main.iter().any(|token| token.text.eq_ignore_ascii_case(name));
        for (name, lost) in gone {
            if !moves(&name) {
                inner.extend(lost);
            }
        }
        inner.extend(self.losses(main)?);
        Ok(inner)
    }
}

fn always(tokens: &[Token], at: usize, table: &str, language: QueryLanguage) -> bool {
    let end = find(tokens, at, &["ON", "LIMIT", "ORDER"]).filter(|end| *end > at).unwrap_or(tokens.len());
    is(tokens, at, &["WHERE"]) && condition::holds(tokens.get(at + 1..end).unwrap_or(&[]), table, language) == Holds::All
}

/// What an assignment does to the value that was there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Assigned {
    /// It stays.
    Same,
    /// It is written otherwise: its case, blanks at its ends.
    Tidied,
    Other,
}

fn assigned(part: &[Token], language: QueryLanguage) -> Assigned {
    let Some(equal) = part.iter().position(|token| token.sign("=") || token.sign(":=")) else { return Assigned::Other };
    let (column, value) = (part.get(..equal).unwrap_or(&[]), behind(part, equal + 1));
    let last = column.last();
    let same = |tokens: &[Token]| {
        tokens == column
            || (tokens.len() == 1 && tokens.last() == last)
            || (tokens.len() == 3 && tokens.last() == last && tokens.get(1).is_some_and(|dot| dot.sign(".")))
    };
    if same(value) {
        return Assigned::Same;
    }
    let (front, end) = value.split_at(value.len().saturating_sub(2));
    let neutral = match end {
        [sign, value] if sign.sign("||") => value.kind == SqlTokenKind::Text && value.text.is_empty() && language != QueryLanguage::Mysql,
        [sign, value] if sign.sign("+") || sign.sign("-") => value.text == "0",
        [sign, value] if sign.sign("*") || sign.sign("/") => value.text == "1",
        _ => false,
    };
    if neutral && same(front) {
        return Assigned::Same;
    }
    match value {
        [name, open, inner @ .., close] if open.sign("(") && close.sign(")") => {
            let tidies = ["LOWER", "UPPER", "TRIM", "BTRIM", "LTRIM", "RTRIM", "INITCAP"].iter().any(|word| name.is(word));
            if same(inner) && tidies {
                Assigned::Tidied
            } else if (name.is("COALESCE") || name.is("IFNULL")) && parts(inner).first().is_some_and(|first| same(first)) {
                Assigned::Same
            } else {
                Assigned::Other
            }
        }
        _ => Assigned::Other,
    }
}
