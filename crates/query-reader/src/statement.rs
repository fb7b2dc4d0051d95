//! What one statement of SQL loses, by its words. Knows no transaction.

use crate::condition::{self, Holds};
use crate::lex::{Token, TokenKind, words};
use crate::session::Session;
use crate::{Language, Loss, Lost};

/// The engine refuses the statement.
#[derive(Debug)]
pub(crate) struct Refused;

/// What a statement loses.
pub(crate) type Losses = Result<Vec<Lost>, Refused>;

const NONE: Losses = Ok(Vec::new());

fn one(what: Loss, name: &str) -> Losses {
    Ok(vec![Lost::new(what, name)])
}

/// Whether the word at this place is one of these.
pub(crate) fn is(tokens: &[Token], at: usize, any: &[&str]) -> bool {
    tokens.get(at).is_some_and(|token| any.iter().any(|word| token.is(word)))
}

fn sign(tokens: &[Token], at: usize, sign: &str) -> bool {
    tokens.get(at).is_some_and(|token| token.sign(sign))
}

/// The place of a word outside of all brackets, from `from` on.
pub(crate) fn find(tokens: &[Token], from: usize, any: &[&str]) -> Option<usize> {
    let mut depth = 0usize;
    for (at, token) in tokens.iter().enumerate().skip(from) {
        if token.sign("(") {
            depth += 1;
        } else if token.sign(")") {
            depth = depth.saturating_sub(1);
        } else if depth == 0 && any.iter().any(|word| token.is(word)) {
            return Some(at);
        }
    }
    None
}

/// The place behind the bracket that closes the one at `at`.
fn closing(tokens: &[Token], at: usize) -> usize {
    let mut depth = 0usize;
    for (place, token) in tokens.iter().enumerate().skip(at) {
        if token.sign("(") {
            depth += 1;
        } else if token.sign(")") {
            depth = depth.saturating_sub(1);
            if depth == 0 {
                return place + 1;
            }
        }
    }
    tokens.len()
}

fn behind(tokens: &[Token], at: usize) -> &[Token] {
    tokens.get(at..).unwrap_or(&[])
}

/// Parts between commas outside of all brackets.
fn parts(tokens: &[Token]) -> Vec<&[Token]> {
    let (mut depth, mut start, mut all) = (0usize, 0, Vec::new());
    for (at, token) in tokens.iter().enumerate() {
        if token.sign("(") {
            depth += 1;
        } else if token.sign(")") {
            depth = depth.saturating_sub(1);
        } else if depth == 0 && token.sign(",") {
            all.push(tokens.get(start..at).unwrap_or(&[]));
            start = at + 1;
        }
    }
    all.push(behind(tokens, start));
    all
}

/// Texts joined by `||`, or within `CONCAT(…)`; what is not known is left out.
pub(crate) fn joined(tokens: &[Token]) -> Option<String> {
    let texts: String = tokens.iter().filter(|token| token.kind == TokenKind::Text).map(|token| token.text.as_str()).collect();
    (!texts.is_empty()).then_some(texts)
}

/// A name with what is in front of its dots, in lower case, and the place behind it.
#[derive(Debug)]
struct Named {
    schema: String,
    name: String,
    next: usize,
}

impl Session<'_> {
    /// The name at a place. `None`: there is none.
    fn named(&self, tokens: &[Token], at: usize) -> Option<Named> {
        let language = self.quoting.language;
        let mut next = at;
        let mut name = String::new();
        loop {
            let token = tokens.get(next).filter(|token| token.names(language))?;
            let schema = std::mem::replace(&mut name, if token.kind == TokenKind::Word || language != Language::Postgres { token.text.to_lowercase() } else { token.text.clone() });
            next += 1;
            if !sign(tokens, next, ".") {
                return Some(Named { schema, name, next });
            }
            next += 1;
        }
    }

    /// Names between commas. `None`: what is there is no name.
    fn names(&self, tokens: &[Token], at: usize) -> Option<(Vec<Named>, usize)> {
        let mut all = Vec::new();
        let mut at = at;
        loop {
            let named = self.named(tokens, at)?;
            at = named.next;
            all.push(named);
            at += usize::from(sign(tokens, at, "*"));
            if !sign(tokens, at, ",") {
                return Some((all, at));
            }
            at += 1;
        }
    }

    /// Whether it was made by the same text, and so nothing of it was there before.
    fn fresh(&self, named: &Named) -> bool {
        let name = &named.name;
        let temporary = named.schema.starts_with("pg_temp") || matches!(named.schema.as_str(), "temp" | "tempdb") || name.starts_with('#');
        temporary || (self.created.contains(name) && (named.schema.is_empty() || !self.temporary.contains(name)))
    }

    fn lost(&self, what: Loss, named: &Named) -> Vec<Lost> {
        if self.fresh(named) { Vec::new() } else { vec![Lost::new(what, named.name.as_str())] }
    }

    /// What a statement loses.
    pub(crate) fn losses(&mut self, tokens: &[Token]) -> Losses {
        let language = self.quoting.language;
        let Some(first) = tokens.first() else { return NONE };
        if first.kind == TokenKind::Hole {
            return one(Loss::Unknown, "");
        }
        if first.sign("(") {
            let end = closing(tokens, 0);
            return self.losses(tokens.get(1..end.saturating_sub(1)).unwrap_or(&[]));
        }
        if self.depth > crate::session::MAX_DEPTH {
            return one(Loss::Unknown, "");
        }
        self.depth += 1;
        let word = if first.kind == TokenKind::Word { first.text.to_ascii_uppercase() } else { String::new() };
        let losses = match word.as_str() {
            "DROP" => self.dropped(tokens),
            "TRUNCATE" => self.truncated(tokens),
            "DELETE" => self.deleted(tokens),
            "UPDATE" => self.updated(tokens),
            "INSERT" | "REPLACE" => self.inserted(tokens),
            "MERGE" => self.merged(tokens),
            "WITH" => self.with(tokens),
            "ALTER" => self.altered(tokens),
            "CREATE" => self.creates(tokens),
            "EXPLAIN" | "ANALYZE" | "DESCRIBE" | "DESC" => self.explained(tokens, &word),
            "EXECUTE" => self.executed(tokens),
            "DO" if language == Language::Postgres => {
                let body = tokens.iter().find(|token| token.kind == TokenKind::Text).map(|token| token.text.clone()).unwrap_or_default();
                Ok(self.body(&body))
            }
            "DO" | "SELECT" | "VALUES" | "TABLE" | "CALL" | "PERFORM" | "EXEC" => self.selected(tokens),
            "COPY" if sign(tokens, 1, "(") => {
                let end = closing(tokens, 1);
                self.losses(tokens.get(2..end.saturating_sub(1)).unwrap_or(&[]))
            }
            "REFRESH" => {
                let all = tokens.windows(3).any(|words| is(words, 0, &["WITH"]) && is(words, 1, &["NO"]) && is(words, 2, &["DATA"]));
                if all { one(Loss::AllRows, "") } else { NONE }
            }
            "GRANT" => Ok(granted(tokens)),
            "SET" if is(tokens, 1, &["STATEMENT"]) => match find(tokens, 2, &["FOR"]) {
                Some(at) => self.losses(behind(tokens, at + 1)),
                None => NONE,
            },
            "OPTIMIZE" if language == Language::Any && tokens.iter().any(|token| token.is("TTL")) => one(Loss::Rows, ""),
            "UNDROP" | "FLUSH" | "PURGE" | "RESET" => NONE,
            _ if language == Language::Any && word == "IF" => match find(tokens, 1, &["DROP", "TRUNCATE", "DELETE"]) {
                Some(at) => self.losses(behind(tokens, at)),
                None => NONE,
            },
            _ if self.known(&word) => NONE,
            _ => Err(Refused),
        };
        self.depth -= 1;
        losses
    }

    /// Whether a statement can begin with this word.
    fn known(&self, word: &str) -> bool {
        let postgres = "ABORT ANALYZE CHECKPOINT CLOSE CLUSTER COMMENT COPY DEALLOCATE DECLARE DISCARD FETCH GRANT IMPORT LISTEN LOAD LOCK MOVE NOTIFY PREPARE REASSIGN REINDEX RESET REVOKE SECURITY SET SHOW UNLISTEN VACUUM";
        let mysql = "BINLOG CACHE CHANGE CHECK CHECKSUM CLONE DEALLOCATE FLUSH GET HANDLER HELP IMPORT INSTALL KILL LOAD LOCK OPTIMIZE PREPARE PURGE RENAME REPAIR RESET RESIGNAL RESTART REVOKE SET SHOW SHUTDOWN SIGNAL STOP START UNINSTALL UNLOCK USE XA BEGIN BACKUP RETURN IF DECLARE";
        let sqlite = "ATTACH DETACH PRAGMA REINDEX VACUUM";
        let list = match self.quoting.language {
            Language::Postgres => postgres,
            Language::Mysql => mysql,
            Language::Sqlite => sqlite,
            _ => return true,
        };
        list.split(' ').any(|known| known == word)
    }

    fn dropped(&mut self, tokens: &[Token]) -> Losses {
        let language = self.quoting.language;
        let mut at = 1;
        let temporary = is(tokens, at, &["TEMPORARY", "TEMP"]);
        at += usize::from(temporary);
        let materialized = is(tokens, at, &["MATERIALIZED"]);
        at += usize::from(materialized || is(tokens, at, &["FOREIGN", "EXTERNAL", "DYNAMIC", "TRANSIENT"]));
        let foreign = is(tokens, at - 1, &["FOREIGN", "EXTERNAL"]);
        let kind = tokens.get(at).map(|token| token.text.to_ascii_uppercase()).unwrap_or_default();
        at += 1;
        if is(tokens, at, &["IF"]) {
            at += 2;
        }
        let cascades = tokens.iter().any(|token| token.is("CASCADE"));
        match kind.as_str() {
            "TABLE" | "TABLES" | "COLLECTION" if kind == "TABLE" || language != Language::Postgres => {
                let Some((names, next)) = self.names(tokens, at) else { return if is_hole(tokens, at) { one(Loss::Table, "") } else { Err(Refused) } };
                let ending = ["CASCADE", "RESTRICT", "WAIT", "NOWAIT", "PURGE", "SYNC", "ON", "NO"];
                if next < tokens.len() && (language == Language::Sqlite || (language != Language::Any && !is(tokens, next, &ending))) {
                    return Err(Refused);
                }
                if temporary || foreign {
                    return NONE;
                }
                Ok(names.iter().flat_map(|named| self.lost(Loss::Table, named)).collect())
            }
            "VIEW" if materialized => {
                let Some((names, _)) = self.names(tokens, at) else { return Err(Refused) };
                Ok(names.iter().flat_map(|named| self.lost(Loss::Table, named)).collect())
            }
            "DATABASE" | "SCHEMA" | "KEYSPACE" | "DATASET" | "CATALOG" => {
                if language == Language::Sqlite {
                    return Err(Refused);
                }
                let whole = kind == "DATABASE" && language == Language::Postgres;
                let Some((names, next)) = self.names(tokens, at) else { return if is_hole(tokens, at) { one(Loss::Database, "") } else { Err(Refused) } };
                let outside = whole && (self.in_block() || self.several);
                if outside || (next < tokens.len() && language == Language::Mysql) {
                    return Err(Refused);
                }
                // Without CASCADE a schema must be empty.
                if kind == "SCHEMA" && language == Language::Postgres && !cascades {
                    return one(Loss::Definition, names.first().map_or("", |named| &named.name));
                }
                Ok(names.iter().flat_map(|named| self.lost(Loss::Database, named)).collect())
            }
            "OWNED" => one(Loss::Table, ""),
            "TYPE" | "DOMAIN" | "EXTENSION" if cascades => {
                let named = self.named(tokens, at);
                Ok(named.map_or_else(Vec::new, |named| self.lost(Loss::Column, &named)))
            }
            "PREPARE" => NONE,
            "PARTITION" => one(Loss::Rows, ""),
            "" => Err(Refused),
            _ => {
                let name = self.named(tokens, at);
                Ok(name.map_or_else(Vec::new, |named| self.lost(Loss::Definition, &named)))
            }
        }
    }

    fn truncated(&mut self, tokens: &[Token]) -> Losses {
        let language = self.quoting.language;
        if language == Language::Sqlite {
            return Err(Refused);
        }
        let mut at = 1 + usize::from(is(tokens, 1, &["TABLE", "DATABASE"]) && tokens.len() > 2);
        at += usize::from(is(tokens, at, &["ONLY"]) && tokens.len() > at + 1);
        if is(tokens, at, &["IF"]) {
            at += 2;
        }
        let Some((names, next)) = self.names(tokens, at) else { return if is_hole(tokens, at) { one(Loss::AllRows, "") } else { Err(Refused) } };
        if language == Language::Mysql && (names.len() > 1 || (next < tokens.len() && !is(tokens, next, &["WAIT", "NOWAIT"]))) {
            return Err(Refused);
        }
        Ok(names.iter().flat_map(|named| self.lost(Loss::AllRows, named)).collect())
    }

    /// Which rows the end of a statement leaves: its condition and its limit.
    fn rows(&self, tokens: &[Token], from: usize, table: &str) -> Holds {
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
    fn replaced(&self, tokens: &[Token]) -> Vec<Token> {
        let value = |token: &Token| {
            let value = self.parameters.iter().rev().find(|(name, _)| *name == token.text)?;
            Some(Token { kind: if value.1.parse::<f64>().is_ok() { TokenKind::Number } else { TokenKind::Text }, text: value.1.clone() })
        };
        let null = |token: &Token| Token { kind: TokenKind::Word, text: if self.quoting.language == Language::Sqlite && token.kind == TokenKind::Parameter { "NULL".to_owned() } else { String::new() } };
        tokens
            .iter()
            .map(|token| match token.kind {
                TokenKind::Parameter => value(token).unwrap_or_else(|| if self.quoting.language == Language::Sqlite && self.client { null(token) } else { token.clone() }),
                _ => token.clone(),
            })
            .collect()
    }

    fn by(&self, rows: Holds, named: &Named) -> Vec<Lost> {
        match rows {
            Holds::All => self.lost(Loss::AllRows, named),
            Holds::Some => self.lost(Loss::Rows, named),
            Holds::None => Vec::new(),
        }
    }

    fn deleted(&mut self, tokens: &[Token]) -> Losses {
        let language = self.quoting.language;
        let mut at = 1;
        while is(tokens, at, &["LOW_PRIORITY", "QUICK", "IGNORE"]) && language != Language::Postgres {
            at += 1;
        }
        if is(tokens, at, &["HISTORY"]) && is(tokens, at + 1, &["FROM"]) {
            let name = self.named(tokens, at + 2).map(|named| named.name).unwrap_or_default();
            return one(Loss::AllRows, &name);
        }
        if language == Language::Mysql && !is(tokens, at, &["FROM"]) {
            // `DELETE a, b FROM …`
            let Some(from) = find(tokens, at, &["FROM"]) else { return Err(Refused) };
            let rows = self.rows(tokens, from, "");
            let lists = parts(tokens.get(at..from).unwrap_or(&[]));
            return Ok(lists.iter().filter_map(|part| self.named(part, 0)).flat_map(|named| self.by(rows, &named)).collect());
        }
        if is(tokens, at, &["FROM"]) {
            at += 1;
        } else if language != Language::Any {
            return Err(Refused);
        }
        at += usize::from(is(tokens, at, &["ONLY"]));
        if sign(tokens, at, "(") {
            return Err(Refused);
        }
        let Some(named) = self.named(tokens, at) else { return if is_hole(tokens, at) { one(Loss::AllRows, "") } else { Err(Refused) } };
        if language == Language::Postgres && find(tokens, at, &["LIMIT", "ORDER"]).is_some_and(|place| find(tokens, at, &["WHERE"]).is_none_or(|condition| place > condition)) && !self.in_cte {
            return Err(Refused);
        }
        if named.name.starts_with("sqlite_") && language == Language::Sqlite {
            return if self.writable_schema { one(Loss::AllRows, &named.name) } else { Err(Refused) };
        }
        if named.schema == "pg_catalog" || named.schema == "information_schema" {
            return one(Loss::Definition, &named.name);
        }
        let mut rows = self.rows(tokens, named.next, &named.name);
        if is(tokens, named.next, &["PARTITION"]) && rows == Holds::All {
            rows = Holds::Some;
        }
        Ok(self.by(rows, &named))
    }

    fn updated(&mut self, tokens: &[Token]) -> Losses {
        let language = self.quoting.language;
        let mut at = 1;
        while is(tokens, at, &["LOW_PRIORITY", "IGNORE", "ONLY"]) {
            at += 1;
        }
        if is(tokens, at, &["OR"]) {
            at += 2;
        }
        let Some(named) = self.named(tokens, at) else { return if is_hole(tokens, at) { one(Loss::AllRows, "") } else { Err(Refused) } };
        let Some(set) = find(tokens, at, &["SET"]) else { return Err(Refused) };
        if language == Language::Sqlite && named.name.starts_with("sqlite_") {
            return if self.writable_schema { one(Loss::AllRows, &named.name) } else { Err(Refused) };
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

    fn inserted(&mut self, tokens: &[Token]) -> Losses {
        let replaces = is(tokens, 0, &["REPLACE"]) || (is(tokens, 1, &["OR"]) && is(tokens, 2, &["REPLACE"]));
        if self.quoting.language == Language::Postgres && replaces {
            return Err(Refused);
        }
        let into = find(tokens, 0, &["INTO"]);
        let overwrites = is(tokens, 1, &["OVERWRITE"]) || is(tokens, 2, &["OVERWRITE"]);
        let mut at = into.map_or(1, |at| at + 1);
        while is(tokens, at, &["TABLE", "OVERWRITE", "LOW_PRIORITY", "DELAYED", "IGNORE", "HIGH_PRIORITY"]) {
            at += 1;
        }
        let Some(named) = self.named(tokens, at) else { return NONE };
        let query = find(tokens, named.next, &["SELECT", "TABLE", "WITH"]).is_some() || (sign(tokens, named.next, "(") && is(tokens, named.next + 1, &["SELECT"]));
        let conflict = find(tokens, named.next, &["CONFLICT", "DUPLICATE"]).filter(|at| find(tokens, *at, &["UPDATE"]).is_some());
        let mut losses = self.triggered(&named.name);
        if overwrites {
            losses.extend(self.lost(Loss::AllRows, &named));
        } else if replaces || conflict.is_some() {
            // Rows with the keys of those that are selected are replaced.
            let narrow = !query || find(tokens, named.next, &["WHERE", "LIMIT"]).is_some_and(|at| conflict.is_none_or(|conflict| at < conflict) && !always(tokens, at, &named.name, self.quoting.language));
            losses.extend(self.by(if narrow { Holds::Some } else { Holds::All }, &named));
        }
        Ok(losses)
    }

    fn merged(&mut self, tokens: &[Token]) -> Losses {
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
            let narrow = find(clause, 0, &["AND"]).is_some_and(|at| at < then && condition::holds(clause.get(at + 1..then).unwrap_or(&[]), &named.name, self.quoting.language) != Holds::All);
            let source = is(clause, 3, &["BY"]) && is(clause, 4, &["SOURCE"]);
            let found = match clause.get(then + 1) {
                Some(word) if word.is("DELETE") || word.is("UPDATE") => if (all || source) && !narrow { Holds::All } else { Holds::Some },
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
    fn with(&mut self, tokens: &[Token]) -> Losses {
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
                if language == Language::Sqlite || language == Language::Mysql {
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
            while !sign(tokens, at, ",") && at < tokens.len() && !is(tokens, at, &["SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "VALUES", "TABLE", "REPLACE"]) && !sign(tokens, at, "(") {
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

    fn altered(&mut self, tokens: &[Token]) -> Losses {
        let language = self.quoting.language;
        if is(tokens, 1, &["USER", "ROLE"]) {
            let mighty = tokens.iter().any(|token| ["SUPERUSER", "BYPASSRLS", "CREATEROLE"].iter().any(|word| token.is(word)));
            return if mighty { one(Loss::Permissions, "") } else { NONE };
        }
        if is(tokens, 1, &["TYPE"]) && find(tokens, 2, &["ATTRIBUTE"]).is_some() && find(tokens, 2, &["DROP"]).is_some() {
            return one(Loss::Column, "");
        }
        let mut at = 1;
        while is(tokens, at, &["ONLINE", "IGNORE", "FOREIGN"]) {
            at += 1;
        }
        if !is(tokens, at, &["TABLE"]) {
            return NONE;
        }
        at += 1;
        if is(tokens, at, &["IF"]) {
            at += 2;
        }
        at += usize::from(is(tokens, at, &["ONLY"]));
        let Some(named) = self.named(tokens, at) else { return if is_hole(tokens, at) { one(Loss::Unknown, "") } else { Err(Refused) } };
        let mut losses = Vec::new();
        for part in parts(behind(tokens, named.next + usize::from(sign(tokens, named.next, "*")))) {
            let word = part.first().map(|token| token.text.to_ascii_uppercase()).unwrap_or_default();
            match word.as_str() {
                "ADD" => {
                    let at = 1 + usize::from(is(part, 1, &["COLUMN"]));
                    if let Some(column) = self.named(part, at).filter(|_| !is(part, at, &["IF"])) {
                        self.created.push(format!("{}.{}", named.name, column.name));
                    }
                }
                "DROP" if is(part, 1, &["CONSTRAINT", "INDEX", "KEY", "PRIMARY", "FOREIGN", "CHECK", "PERIOD"]) => losses.extend(self.lost(Loss::Definition, &named)),
                "DROP" if is(part, 1, &["PARTITION"]) => losses.extend(self.by(Holds::Some, &named)),
                "DROP" if is(part, 1, &["SYSTEM"]) && is(part, 2, &["VERSIONING"]) => losses.extend(self.by(Holds::All, &named)),
                "DROP" => {
                    let mut at = 1 + usize::from(is(part, 1, &["COLUMN"]));
                    if is(part, at, &["IF"]) {
                        at += 2;
                    }
                    at += usize::from(sign(part, at, "("));
                    let column = self.named(part, at).map(|column| column.name);
                    let known = column.as_ref().is_some_and(|column| self.created.contains(&format!("{}.{column}", named.name)));
                    if column.is_none() && !is_hole(part, at) {
                        return Err(Refused);
                    }
                    if !known {
                        losses.extend(self.lost(Loss::Column, &named));
                    }
                }
                "ALTER" | "MODIFY" if find(part, 0, &["TYPE"]).is_some() && language != Language::Mysql => {
                    if narrows(part) {
                        losses.extend(self.lost(Loss::Column, &named));
                    }
                }
                "TRUNCATE" if is(part, 1, &["PARTITION"]) => {
                    let all = is(part, 2, &["ALL"]);
                    losses.extend(self.by(if all { Holds::All } else { Holds::Some }, &named));
                }
                "DISCARD" if is(part, 1, &["TABLESPACE"]) => losses.extend(self.by(Holds::All, &named)),
                "DISCARD" => losses.extend(self.by(Holds::Some, &named)),
                "DELETE" => losses.extend(self.by(self.rows(part, 1, &named.name), &named)),
                "CLEAR" => losses.extend(self.lost(Loss::Column, &named)),
                "ENGINE" if part.iter().any(|token| token.text.eq_ignore_ascii_case("BLACKHOLE")) => losses.extend(self.by(Holds::All, &named)),
                _ => {}
            }
        }
        Ok(losses)
    }

    fn creates(&mut self, tokens: &[Token]) -> Losses {
        let language = self.quoting.language;
        let mut at = 1;
        let replaces = is(tokens, 1, &["OR"]) && is(tokens, 2, &["REPLACE"]);
        at += if replaces { 2 } else { 0 };
        let mut temporary = false;
        while is(tokens, at, &["TEMP", "TEMPORARY", "GLOBAL", "LOCAL", "UNLOGGED", "TRANSIENT", "EXTERNAL", "VIRTUAL", "VOLATILE", "HYBRID", "AGGREGATE", "CONSTRAINT", "MATERIALIZED"]) {
            temporary |= is(tokens, at, &["TEMP", "TEMPORARY", "VOLATILE"]);
            at += 1;
        }
        // `DEFINER = name`
        while is(tokens, at, &["DEFINER", "ALGORITHM", "SQL"]) {
            at += if is(tokens, at, &["SQL"]) { 3 } else { 3 };
            while at < tokens.len() && !is(tokens, at, &["TRIGGER", "PROCEDURE", "FUNCTION", "EVENT", "VIEW", "SQL"]) {
                at += 1;
            }
        }
        let kind = tokens.get(at).map(|token| token.text.to_ascii_uppercase()).unwrap_or_default();
        at += 1;
        let existing = is(tokens, at, &["IF"]);
        if existing {
            at += 3;
        }
        match kind.as_str() {
            "TABLE" | "DATABASE" | "SCHEMA" => {
                if replaces && matches!(language, Language::Postgres | Language::Sqlite) {
                    return Err(Refused);
                }
                let Some(named) = self.named(tokens, at) else { return NONE };
                let loss = if kind == "TABLE" { Loss::Table } else { Loss::Database };
                let losses = if replaces && !temporary { self.lost(loss, &named) } else { Vec::new() };
                if !existing || temporary {
                    if temporary {
                        self.temporary.push(named.name.clone());
                    }
                    self.created.push(named.name);
                }
                Ok(losses)
            }
            "FUNCTION" | "PROCEDURE" | "TRIGGER" => {
                let Some(named) = self.named(tokens, at) else { return NONE };
                let body = match find(tokens, named.next, &["BEGIN", "AS", "DELETE", "UPDATE", "INSERT", "DROP", "TRUNCATE"]) {
                    // Of a trigger, `DELETE` is the occasion too.
                    _ if kind == "TRIGGER" => find(tokens, named.next, &["BEGIN", "ROW"]),
                    place => place,
                };
                let Some(body) = body else { return NONE };
                if self.quoting.language == Language::Mysql && is(tokens, body, &["BEGIN"]) && !tokens.last().is_some_and(|last| last.is("END")) {
                    return Err(Refused);
                }
                let lost = if is(tokens, body, &["AS"]) {
                    let text = tokens.get(body + 1).filter(|token| token.kind == TokenKind::Text).map(|token| token.text.clone());
                    text.map_or_else(Vec::new, |text| self.body(&text))
                } else {
                    let skip = usize::from(is(tokens, body, &["BEGIN", "ROW"]));
                    self.pieces(behind(tokens, body + skip))
                };
                let name = if kind == "TRIGGER" { find(tokens, named.next, &["ON"]).and_then(|at| self.named(tokens, at + 1)).map(|table| format!("on {}", table.name)) } else { Some(named.name) };
                if let Some(name) = name.filter(|_| !lost.is_empty()) {
                    self.routines.push((name, lost));
                }
                NONE
            }
            "USER" | "ROLE" if tokens.iter().any(|token| token.is("SUPERUSER")) => one(Loss::Permissions, ""),
            "" => Err(Refused),
            _ => NONE,
        }
    }

    /// What a trigger that the same text made does when rows come into a table.
    fn triggered(&self, table: &str) -> Vec<Lost> {
        self.routines.iter().filter(|(name, _)| name.strip_prefix("on ") == Some(table)).flat_map(|(_, lost)| lost.clone()).collect()
    }

    fn explained(&mut self, tokens: &[Token], word: &str) -> Losses {
        let language = self.quoting.language;
        let mut at = 1;
        let mut runs = false;
        if word == "ANALYZE" {
            // `ANALYZE DELETE` (MariaDB)
            while at < tokens.len() && !is(tokens, at, &["DELETE", "UPDATE", "INSERT", "REPLACE", "WITH", "SELECT", "TABLE"]) {
                at += 1;
            }
            return if language == Language::Mysql && is(tokens, at, &["DELETE", "UPDATE", "INSERT", "REPLACE", "WITH"]) { self.losses(behind(tokens, at)) } else { NONE };
        }
        if sign(tokens, 1, "(") {
            let end = closing(tokens, 1);
            for part in parts(tokens.get(2..end.saturating_sub(1)).unwrap_or(&[])) {
                if is(part, 0, &["ANALYZE", "ANALYSE"]) {
                    runs = !part.get(1).is_some_and(|value| ["false", "off", "0", "no"].iter().any(|no| value.text.eq_ignore_ascii_case(no)));
                }
            }
            at = end;
        }
        while is(tokens, at, &["ANALYZE", "ANALYSE", "VERBOSE", "EXTENDED", "QUERY", "PLAN"]) {
            runs |= is(tokens, at, &["ANALYZE", "ANALYSE"]);
            at += 1;
        }
        if runs && matches!(language, Language::Postgres | Language::Any) { self.losses(behind(tokens, at)) } else { NONE }
    }

    /// `EXECUTE name`, `EXECUTE IMMEDIATE text`
    fn executed(&mut self, tokens: &[Token]) -> Losses {
        if is(tokens, 1, &["IMMEDIATE"]) {
            let value = self.text_of(behind(tokens, 2));
            return match value {
                Some(text) => Ok(self.inner(&text)),
                None => one(Loss::Unknown, ""),
            };
        }
        let name = tokens.get(1).map(|token| token.text.to_ascii_lowercase()).unwrap_or_default();
        match self.prepared.iter().rev().find(|(known, _)| *known == name) {
            Some((_, lost)) => Ok(lost.clone()),
            None => NONE,
        }
    }

    /// The text that words make: a string, strings joined, or a variable that was set to one.
    pub(crate) fn text_of(&self, tokens: &[Token]) -> Option<String> {
        let mut texts = String::new();
        for token in tokens {
            match token.kind {
                TokenKind::Text => texts.push_str(&token.text),
                TokenKind::Parameter => texts.push_str(&self.parameters.iter().rev().find(|(name, _)| name.eq_ignore_ascii_case(&token.text))?.1),
                TokenKind::Word if token.is("USING") => break,
                _ => {}
            }
        }
        (!texts.is_empty()).then_some(texts)
    }

    /// What a query loses: by functions that delete, and by those that the same text made.
    fn selected(&mut self, tokens: &[Token]) -> Losses {
        let language = self.quoting.language;
        let mut lost = Vec::new();
        for (at, token) in tokens.iter().enumerate().filter(|(_, token)| matches!(token.kind, TokenKind::Word | TokenKind::Name)) {
            if !sign(tokens, at + 1, "(") {
                continue;
            }
            let name = token.text.to_ascii_lowercase();
            lost.extend(self.routines.iter().filter(|(known, _)| *known == name).flat_map(|(_, lost)| lost.clone()));
            match name.as_str() {
                "lo_unlink" if language == Language::Postgres => lost.push(Lost::new(Loss::AllRows, "large objects")),
                "dblink_exec" | "dblink" if language == Language::Postgres => {
                    let end = closing(tokens, at + 1);
                    let text = tokens.get(at + 1..end).and_then(|inner| inner.iter().rev().find(|token| token.kind == TokenKind::Text)).map(|token| token.text.clone());
                    if let Some(text) = text {
                        lost.extend(self.inner(&text));
                    }
                }
                _ => {}
            }
        }
        if !lost.is_empty() {
            return Ok(lost);
        }
        if is(tokens, 0, &["SELECT"]) && self.fails(tokens) {
            return Err(Refused);
        }
        NONE
    }

    /// Whether a query without a table names a column, or divides by zero.
    fn fails(&self, tokens: &[Token]) -> bool {
        let language = self.quoting.language;
        let zero = tokens.windows(2).any(|pair| matches!(pair, [sign, zero] if sign.sign("/") && zero.kind == TokenKind::Number && zero.text.trim_matches(['0', '.']).is_empty()));
        if zero && language == Language::Postgres && find(tokens, 0, &["FROM"]).is_none() {
            return true;
        }
        let plain = ["TRUE", "FALSE", "NULL", "DEFAULT", "USER", "LOCALTIME", "LOCALTIMESTAMP", "SESSION_USER", "DISTINCT", "ALL"];
        match tokens {
            [_, word] if word.kind == TokenKind::Word => !plain.iter().any(|plain| word.is(plain)) && !word.text.to_ascii_lowercase().starts_with("current_") && !word.text.to_ascii_lowercase().starts_with("utc_"),
            _ => false,
        }
    }

    /// A body in quotes: of `DO`, of a function.
    pub(crate) fn body(&mut self, text: &str) -> Vec<Lost> {
        let tokens = words(text, self.quoting);
        self.pieces(&tokens)
    }

    /// What the statements of a body lose.
    fn pieces(&mut self, tokens: &[Token]) -> Vec<Lost> {
        if self.depth > crate::session::MAX_DEPTH {
            return vec![Lost::new(Loss::Unknown, "")];
        }
        self.depth += 1;
        let mut lost = Vec::new();
        for piece in tokens.split(|token| token.sign(";")) {
            if is(piece, 0, &["RAISE", "DECLARE", "RETURN"]) {
                continue;
            }
            let start = piece.iter().position(|token| ["DROP", "TRUNCATE", "DELETE", "UPDATE", "INSERT", "ALTER", "MERGE", "EXECUTE", "WITH", "PERFORM", "CREATE", "RAISE"].iter().any(|word| token.is(word)));
            let Some(start) = start else { continue };
            let piece = behind(piece, start);
            if is(piece, 0, &["RAISE"]) {
                continue;
            }
            if is(piece, 0, &["EXECUTE"]) {
                match joined(piece) {
                    Some(text) => lost.extend(self.inner(&text.replace("%I", "name").replace("%s", "name"))),
                    None => lost.push(Lost::new(Loss::Unknown, "")),
                }
            } else {
                lost.extend(self.losses(piece).unwrap_or_default());
            }
        }
        self.depth -= 1;
        lost
    }
}

fn is_hole(tokens: &[Token], at: usize) -> bool {
    tokens.get(at).is_some_and(|token| matches!(token.kind, TokenKind::Hole | TokenKind::Parameter))
}

fn always(tokens: &[Token], at: usize, table: &str, language: Language) -> bool {
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

fn assigned(part: &[Token], language: Language) -> Assigned {
    let Some(equal) = part.iter().position(|token| token.sign("=") || token.sign(":=")) else { return Assigned::Other };
    let (column, value) = (part.get(..equal).unwrap_or(&[]), behind(part, equal + 1));
    let last = column.last();
    let same = |tokens: &[Token]| tokens == column || (tokens.len() == 1 && tokens.last() == last) || (tokens.len() == 3 && tokens.last() == last && tokens.get(1).is_some_and(|dot| dot.sign(".")));
    if same(value) {
        return Assigned::Same;
    }
    let (front, end) = value.split_at(value.len().saturating_sub(2));
    let neutral = match end {
        [sign, value] if sign.sign("||") => value.kind == TokenKind::Text && value.text.is_empty() && language != Language::Mysql,
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

/// Whether a new type can cut what is there.
fn narrows(part: &[Token]) -> bool {
    let Some(at) = find(part, 0, &["TYPE"]) else { return false };
    let using = find(part, at, &["USING"]);
    let column = part.iter().take(at).rev().find(|token| !token.is("DATA") && !token.is("SET")).map(|token| token.text.as_str()).unwrap_or("");
    let sized = sign(part, at + 2, "(") || sign(part, at + 3, "(");
    let kind = |any: &[&str]| is(part, at + 1, any);
    let cuts = (kind(&["CHAR", "CHARACTER", "NUMERIC", "DECIMAL", "BPCHAR", "DEC"]) && sized && !is(part, at + 2, &["VARYING"])) || kind(&["DATE", "REAL", "FLOAT4", "TIME", "BOOLEAN", "BOOL"]);
    match using {
        None => cuts && !kind(&["BOOLEAN", "BOOL"]),
        Some(using) => {
            let wide = kind(&["TEXT", "BIGINT", "JSONB", "TIMESTAMPTZ", "UUID", "INT8"]) && !sized;
            let plain = part.get(using + 1).is_some_and(|token| token.text.eq_ignore_ascii_case(column));
            !(wide && plain) || sized
        }
    }
}

fn granted(tokens: &[Token]) -> Vec<Lost> {
    let all = is(tokens, 1, &["ALL"]);
    let wide = tokens.windows(3).any(|words| matches!(words, [one, dot, other] if one.sign("*") && dot.sign(".") && other.sign("*")));
    let to = find(tokens, 0, &["TO"]).unwrap_or(tokens.len());
    let public = is(tokens, to + 1, &["PUBLIC"]);
    let passed = tokens.iter().any(|token| token.is("ADMIN")) || tokens.windows(2).any(|pair| is(pair, 0, &["GRANT"]) && is(pair, 1, &["OPTION"]));
    let mighty = tokens.iter().take(to).any(|token| ["SUPER", "rds_superuser", "cloudsqlsuperuser", "pg_write_server_files", "pg_execute_server_program", "OWNERSHIP", "ACCOUNTADMIN"].iter().any(|word| token.text.eq_ignore_ascii_case(word)));
    if all || wide || public || passed || mighty { vec![Lost::new(Loss::Permissions, "")] } else { Vec::new() }
}
