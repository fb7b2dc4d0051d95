//! What one statement of SQL loses, by its words. Knows no transaction.

use crate::lex::{SqlTokenKind, Token, words};
use crate::session::Session;
use crate::{LossKind, Lost, QueryLanguage};

/// The engine refuses the statement.
#[derive(Debug)]
pub(crate) struct Refused;

/// What a statement loses.
pub(crate) type Losses = Result<Vec<Lost>, Refused>;

pub(crate) const NONE: Losses = Ok(Vec::new());

#[expect(clippy::unnecessary_wraps, reason = "it ends arms that give a result")]
pub(crate) fn one(what: LossKind, name: &str) -> Losses {
    Ok(vec![Lost::new(what, name)])
}

/// Whether the word at this place is one of these.
pub(crate) fn is(tokens: &[Token], at: usize, any: &[&str]) -> bool {
    tokens.get(at).is_some_and(|token| any.iter().any(|word| token.is(word)))
}

pub(crate) fn sign(tokens: &[Token], at: usize, sign: &str) -> bool {
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
pub(crate) fn closing(tokens: &[Token], at: usize) -> usize {
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

pub(crate) fn behind(tokens: &[Token], at: usize) -> &[Token] {
    tokens.get(at..).unwrap_or(&[])
}

/// Parts between commas outside of all brackets.
pub(crate) fn parts(tokens: &[Token]) -> Vec<&[Token]> {
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
    let texts: String = tokens.iter().filter(|token| token.kind == SqlTokenKind::Text).map(|token| token.text.as_str()).collect();
    (!texts.is_empty()).then_some(texts)
}

/// A name with what is in front of its dots, in lower case, and the place behind it.
#[derive(Debug)]
pub(crate) struct NamedObject {
    pub(crate) schema: String,
    pub(crate) name: String,
    pub(crate) next: usize,
}

impl Session<'_> {
    /// The name at a place. `None`: there is no name.
    pub(crate) fn named(&self, tokens: &[Token], at: usize) -> Option<NamedObject> {
        let language = self.quoting.language;
        let mut next = at;
        let mut name = String::new();
        loop {
            let token = tokens.get(next).filter(|token| token.names(language))?;
            let schema = std::mem::replace(
                &mut name,
                if token.kind == SqlTokenKind::Word || language != QueryLanguage::Postgres { token.text.to_lowercase() } else { token.text.clone() },
            );
            next += 1;
            if !sign(tokens, next, ".") {
                return Some(NamedObject { schema, name, next });
            }
            next += 1;
        }
    }

    /// Names between commas. `None`: what is there is no name.
    pub(crate) fn names(&self, tokens: &[Token], at: usize) -> Option<(Vec<NamedObject>, usize)> {
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
    fn fresh(&self, named: &NamedObject) -> bool {
        let name = &named.name;
        let temporary = named.schema.starts_with("pg_temp") || matches!(named.schema.as_str(), "temp" | "tempdb") || name.starts_with('#');
        temporary || (self.made.created.contains(name) && (named.schema.is_empty() || !self.made.temporary.contains(name)))
    }

    pub(crate) fn lost(&self, what: LossKind, named: &NamedObject) -> Vec<Lost> {
        if self.fresh(named) { Vec::new() } else { vec![Lost::new(what, named.name.as_str())] }
    }

    /// What a statement loses.
    pub(crate) fn losses(&mut self, tokens: &[Token]) -> Losses {
        let language = self.quoting.language;
        let Some(first) = tokens.first() else { return NONE };
        if first.kind == SqlTokenKind::Hole {
            return one(LossKind::Unknown, "");
        }
        if self.depth > crate::session::MAX_DEPTH {
            return one(LossKind::Unknown, "");
        }
        if first.sign("(") {
            let end = closing(tokens, 0);
            self.depth += 1;
            let losses = self.losses(tokens.get(1..end.saturating_sub(1)).unwrap_or(&[]));
            self.depth -= 1;
            return losses;
        }
        self.depth += 1;
        let word = if first.kind == SqlTokenKind::Word { first.text.to_ascii_uppercase() } else { String::new() };
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
            "DO" if language == QueryLanguage::Postgres => {
                let body = tokens.iter().find(|token| token.kind == SqlTokenKind::Text).map(|token| token.text.clone()).unwrap_or_default();
                Ok(self.body(&body))
            }
            "DO" | "SELECT" | "VALUES" | "TABLE" | "CALL" | "PERFORM" | "EXEC" => self.selected(tokens),
            "COPY" if sign(tokens, 1, "(") => {
                let end = closing(tokens, 1);
                self.losses(tokens.get(2..end.saturating_sub(1)).unwrap_or(&[]))
            }
            "REFRESH" => {
                let all = tokens.windows(3).any(|words| is(words, 0, &["WITH"]) && is(words, 1, &["NO"]) && is(words, 2, &["DATA"]));
                if all { one(LossKind::AllRows, "") } else { NONE }
            }
            "GRANT" => Ok(granted(tokens)),
            "SET" if is(tokens, 1, &["STATEMENT"]) => match find(tokens, 2, &["FOR"]) {
                Some(at) => self.losses(behind(tokens, at + 1)),
                None => NONE,
            },
            "OPTIMIZE" if language == QueryLanguage::Any && tokens.iter().any(|token| token.is("TTL")) => one(LossKind::Rows, ""),
            "UNDROP" | "FLUSH" | "PURGE" | "RESET" => NONE,
            _ if language == QueryLanguage::Any && word == "IF" => match find(tokens, 1, &["DROP", "TRUNCATE", "DELETE"]) {
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
            QueryLanguage::Postgres => postgres,
            QueryLanguage::Mysql => mysql,
            QueryLanguage::Sqlite => sqlite,
            _ => return true,
        };
        list.split(' ').any(|known| known == word)
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
            return if language == QueryLanguage::Mysql && is(tokens, at, &["DELETE", "UPDATE", "INSERT", "REPLACE", "WITH"]) {
                self.losses(behind(tokens, at))
            } else {
                NONE
            };
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
        if runs && matches!(language, QueryLanguage::Postgres | QueryLanguage::Any) { self.losses(behind(tokens, at)) } else { NONE }
    }

    /// `EXECUTE name`, `EXECUTE IMMEDIATE text`
    fn executed(&mut self, tokens: &[Token]) -> Losses {
        if is(tokens, 1, &["IMMEDIATE"]) {
            let value = self.text_of(behind(tokens, 2));
            return match value {
                Some(text) => Ok(self.inner(&text)),
                None => one(LossKind::Unknown, ""),
            };
        }
        let name = tokens.get(1).map(|token| token.text.to_ascii_lowercase()).unwrap_or_default();
        match self.made.prepared.iter().rev().find(|(known, _)| *known == name) {
            Some((_, lost)) => Ok(lost.clone()),
            None => NONE,
        }
    }

    /// The text that words make: a string, strings joined, or a variable that was set to one.
    pub(crate) fn text_of(&self, tokens: &[Token]) -> Option<String> {
        let mut texts = String::new();
        for token in tokens {
            match token.kind {
                SqlTokenKind::Text => texts.push_str(&token.text),
                SqlTokenKind::Parameter => texts.push_str(&self.made.parameters.iter().rev().find(|(name, _)| name.eq_ignore_ascii_case(&token.text))?.1),
                SqlTokenKind::Word if token.is("USING") => break,
                _ => {}
            }
        }
        (!texts.is_empty()).then_some(texts)
    }

    /// What a query loses: by functions that delete, and by those that the same text made.
    fn selected(&mut self, tokens: &[Token]) -> Losses {
        let language = self.quoting.language;
        let mut lost = Vec::new();
        for (at, token) in tokens.iter().enumerate().filter(|(_, token)| matches!(token.kind, SqlTokenKind::Word | SqlTokenKind::Name)) {
            if !sign(tokens, at + 1, "(") {
                continue;
            }
            let name = token.text.to_ascii_lowercase();
            lost.extend(self.made.routines.iter().filter(|(known, _)| *known == name).flat_map(|(_, lost)| lost.clone()));
            match name.as_str() {
                "lo_unlink" if language == QueryLanguage::Postgres => lost.push(Lost::new(LossKind::AllRows, "large objects")),
                "dblink_exec" | "dblink" if language == QueryLanguage::Postgres => {
                    let end = closing(tokens, at + 1);
                    let text = tokens
                        .get(at + 1..end)
                        .and_then(|inner| inner.iter().rev().find(|token| token.kind == SqlTokenKind::Text))
                        .map(|token| token.text.clone());
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
        let zero = tokens
            .windows(2)
            .any(|pair| matches!(pair, [sign, zero] if sign.sign("/") && zero.kind == SqlTokenKind::Number && zero.text.trim_matches(['0', '.']).is_empty()));
        if zero && language == QueryLanguage::Postgres && find(tokens, 0, &["FROM"]).is_none() {
            return true;
        }
        let plain = ["TRUE", "FALSE", "NULL", "DEFAULT", "USER", "LOCALTIME", "LOCALTIMESTAMP", "SESSION_USER", "DISTINCT", "ALL"];
        match tokens {
            [_, word] if word.kind == SqlTokenKind::Word => {
                !plain.iter().any(|plain| word.is(plain))
                    && !word.text.to_ascii_lowercase().starts_with("current_")
                    && !word.text.to_ascii_lowercase().starts_with("utc_")
            }
            _ => false,
        }
    }

    /// A body in quotes: of `DO`, of a function.
    pub(crate) fn body(&mut self, text: &str) -> Vec<Lost> {
        let tokens = words(text, self.quoting);
        self.pieces(&tokens)
    }

    /// What the statements of a body lose.
    pub(crate) fn pieces(&mut self, tokens: &[Token]) -> Vec<Lost> {
        if self.depth > crate::session::MAX_DEPTH {
            return vec![Lost::new(LossKind::Unknown, "")];
        }
        self.depth += 1;
        let mut lost = Vec::new();
        let handled = tokens.windows(2).any(|pair| is(pair, 0, &["EXCEPTION"]) && is(pair, 1, &["WHEN"]));
        for piece in tokens.split(|token| token.sign(";")) {
            // An error undoes the whole body.
            if is(piece, 0, &["ROLLBACK"]) || (is(piece, 0, &["RAISE"]) && is(piece, 1, &["EXCEPTION"]) && !handled) {
                lost.clear();
            }
            if piece.windows(3).any(|words| is(words, 0, &["IF"]) && is(words, 1, &["FALSE"]) && is(words, 2, &["THEN"])) {
                continue;
            }
            if is(piece, 0, &["RAISE", "DECLARE", "RETURN"]) {
                continue;
            }
            let start = piece.iter().position(|token| {
                ["DROP", "TRUNCATE", "DELETE", "UPDATE", "INSERT", "ALTER", "MERGE", "EXECUTE", "WITH", "PERFORM", "CREATE", "RAISE"]
                    .iter()
                    .any(|word| token.is(word))
            });
            let Some(start) = start else { continue };
            let piece = behind(piece, start);
            if is(piece, 0, &["RAISE"]) {
                continue;
            }
            if is(piece, 0, &["EXECUTE"]) {
                match joined(piece) {
                    Some(text) => lost.extend(self.inner(&text.replace("%I", "name").replace("%s", "name"))),
                    None => lost.push(Lost::new(LossKind::Unknown, "")),
                }
            } else {
                lost.extend(self.losses(piece).unwrap_or_default());
            }
        }
        self.depth -= 1;
        lost
    }
}

pub(crate) fn is_hole(tokens: &[Token], at: usize) -> bool {
    tokens.get(at).is_some_and(|token| matches!(token.kind, SqlTokenKind::Hole | SqlTokenKind::Parameter))
}

fn granted(tokens: &[Token]) -> Vec<Lost> {
    let all = is(tokens, 1, &["ALL"]);
    let wide = tokens.windows(3).any(|words| matches!(words, [one, dot, other] if one.sign("*") && dot.sign(".") && other.sign("*")));
    let to = find(tokens, 0, &["TO"]).unwrap_or(tokens.len());
    let public = is(tokens, to + 1, &["PUBLIC"]);
    let passed = tokens.iter().any(|token| token.is("ADMIN")) || tokens.windows(2).any(|pair| is(pair, 0, &["GRANT"]) && is(pair, 1, &["OPTION"]));
    let mighty = tokens.iter().take(to).any(|token| {
        ["SUPER", "rds_superuser", "cloudsqlsuperuser", "pg_write_server_files", "pg_execute_server_program", "OWNERSHIP", "ACCOUNTADMIN"]
            .iter()
            .any(|word| token.text.eq_ignore_ascii_case(word))
    });
    if all || wide || public || passed || mighty { vec![Lost::new(LossKind::Permissions, "")] } else { Vec::new() }
}
