//! One statement: those that are about the session and its transaction; all others lose what they say.

use super::{MAX_KEPT, Session};
use crate::lex::{SqlTokenKind, Token};
use crate::statement::{find, is, parts};
use crate::{LossKind, Lost, QueryLanguage};

impl Session<'_> {
    /// One statement.
    pub(super) fn statement(&mut self, tokens: Vec<Token>) {
        let mut tokens = tokens;
        while tokens.last().is_some_and(|last| last.sign(";")) {
            tokens.pop();
        }
        self.made.created.truncate(MAX_KEPT);
        self.made.parameters.truncate(MAX_KEPT);
        self.made.prepared.truncate(MAX_KEPT);
        self.made.routines.truncate(MAX_KEPT);
        let Some(first) = tokens.first() else { return };
        if self.stopped || self.text_ended || !self.conditions.iter().all(|(active, _)| *active) {
            return;
        }
        let language = self.settings.language;
        let mysql = language == QueryLanguage::Mysql;
        let word = if first.kind == SqlTokenKind::Word { first.text.to_ascii_uppercase() } else { String::new() };
        let has = |any: &str| tokens.iter().any(|token| token.is(any));
        let next = |at: usize, any: &[&str]| is(&tokens, at, any);
        if self.transaction.failed && !matches!(word.as_str(), "ROLLBACK" | "ABORT" | "COMMIT" | "END") {
            return;
        }
        match word.as_str() {
            "BEGIN" | "START" if word == "BEGIN" || next(1, &["TRANSACTION"]) => {
                if self.transaction.explicit && language == QueryLanguage::Sqlite {
                    self.error();
                    return;
                }
                if mysql {
                    self.commit();
                }
                self.transaction.explicit = true;
                let pair = |one: &str, other: &str| tokens.windows(2).any(|pair| is(pair, 0, &[one]) && is(pair, 1, &[other]));
                self.transaction.read_only = (self.transaction.read_only || pair("READ", "ONLY")) && !pair("READ", "WRITE");
            }
            "COMMIT" | "END" if !(word == "END" && mysql) => {
                if next(1, &["PREPARED"]) {
                    return;
                }
                if self.transaction.failed {
                    self.roll_back();
                } else {
                    self.commit();
                }
                self.transaction.explicit = has("CHAIN") && !has("NO");
            }
            "ROLLBACK" | "ABORT" => match find(&tokens, 1, &["TO"]) {
                Some(at) => {
                    let name = tokens.get(at + 1 + usize::from(next(at + 1, &["SAVEPOINT"]))).map(|token| token.text.to_lowercase()).unwrap_or_default();
                    if let Some(place) = self.transaction.savepoints.iter().rposition(|(known, _)| *known == name) {
                        let mark = self.transaction.savepoints.get(place).map_or(0, |(_, mark)| *mark);
                        self.transaction.pending.truncate(mark);
                        self.transaction.savepoints.truncate(place + 1);
                        self.transaction.failed = false;
                    }
                }
                None if next(1, &["PREPARED"]) => {}
                None => {
                    self.roll_back();
                    self.transaction.explicit = has("CHAIN") && !has("NO");
                }
            },
            "SAVEPOINT" => {
                let name = tokens.get(1).map(|token| token.text.to_lowercase()).unwrap_or_default();
                if language == QueryLanguage::Sqlite && !self.transaction.explicit {
                    self.transaction.explicit = true;
                    self.transaction.by_savepoint = true;
                }
                if self.transaction.savepoints.len() < MAX_KEPT {
                    self.transaction.savepoints.push((name, self.transaction.pending.len()));
                }
            }
            "RELEASE" => {
                let name = tokens.last().map(|token| token.text.to_lowercase()).unwrap_or_default();
                if let Some(place) = self.transaction.savepoints.iter().rposition(|(known, _)| *known == name) {
                    self.transaction.savepoints.truncate(place);
                    if self.transaction.savepoints.is_empty() && self.transaction.by_savepoint {
                        self.commit();
                    }
                }
            }
            "XA" => match tokens.get(1).map(|token| token.text.to_ascii_uppercase()).as_deref() {
                Some("START" | "BEGIN") => self.transaction.explicit = true,
                Some("COMMIT") => self.commit(),
                Some("ROLLBACK") => self.roll_back(),
                _ => {}
            },
            "PRAGMA" => {
                let on = tokens.last().is_some_and(|last| matches!(last.text.to_ascii_lowercase().as_str(), "1" | "on" | "true" | "yes" | ")")) && !has("OFF");
                if has("query_only") {
                    self.transaction.read_only = on && tokens.len() > 2;
                } else if has("writable_schema") {
                    self.made.writable_schema = on && tokens.len() > 2;
                }
            }
            "SET" if !next(1, &["STATEMENT"]) => self.sets(&tokens),
            "PREPARE" => self.prepares(&tokens),
            _ => {
                let temporary = next(1, &["TEMPORARY"]) || next(3, &["TEMPORARY"]);
                let commits =
                    matches!(word.as_str(), "ALTER" | "TRUNCATE" | "RENAME" | "GRANT" | "REVOKE" | "OPTIMIZE" | "REPAIR" | "CACHE" | "FLUSH" | "LOCK")
                        || (matches!(word.as_str(), "CREATE" | "DROP") && !temporary && !next(1, &["PREPARE"]))
                        || (word == "ANALYZE" && has("TABLE"));
                if mysql && commits {
                    self.commit();
                }
                match self.losses(&tokens) {
                    Ok(lost) => self.note(lost),
                    Err(_) => self.error(),
                }
                if mysql && commits && !self.stopped {
                    self.commit();
                }
            }
        }
    }

    pub(super) fn sets(&mut self, tokens: &[Token]) {
        let mysql = self.settings.language == QueryLanguage::Mysql;
        for part in parts(tokens.get(1..).unwrap_or(&[])) {
            let Some(equal) = part.iter().position(|token| token.sign("=") || token.sign(":=") || token.is("TO")) else { continue };
            let name =
                equal.checked_sub(1).and_then(|at| part.get(at)).map(|token| token.text.trim_start_matches('@').to_ascii_lowercase()).unwrap_or_default();
            let raw = equal.checked_sub(1).and_then(|at| part.get(at)).map(|token| token.text.clone()).unwrap_or_default();
            let value = part.get(equal + 1).map(|token| token.text.to_ascii_lowercase()).unwrap_or_default();
            let on = matches!(value.as_str(), "1" | "on" | "true" | "yes");
            match name.as_str() {
                "autocommit" if mysql => {
                    if on {
                        self.commit();
                    }
                    self.transaction.autocommit = on;
                }
                "sql_mode" if mysql => {
                    self.quoting.double_names = value.contains("ansi");
                    self.quoting.backslash = !value.contains("no_backslash_escapes");
                }
                "standard_conforming_strings" if !self.whole => self.quoting.backslash = !on,
                "default_transaction_read_only" | "transaction_read_only" | "session.transaction_read_only" => {
                    self.transaction.read_only = on;
                    self.settings.read_only = on && name.starts_with("default");
                }
                _ if raw.starts_with('@') => {
                    if let Some(text) = self.text_of(part.get(equal + 1..).unwrap_or(&[])) {
                        self.made.parameters.push((raw, text));
                    }
                }
                _ => {}
            }
        }
        if mysql && is(tokens, 1, &["PASSWORD"]) {
            self.commit();
        }
        let pair = |one: &str, other: &str| tokens.windows(2).any(|pair| is(pair, 0, &[one]) && is(pair, 1, &[other]));
        if tokens.iter().any(|token| token.is("TRANSACTION")) {
            if pair("READ", "ONLY") {
                self.transaction.read_only = true;
                self.settings.read_only |= is(tokens, 1, &["SESSION"]);
            } else if pair("READ", "WRITE") {
                self.transaction.read_only = false;
            }
        }
    }

    /// `PREPARE name AS statement`, `PREPARE name FROM text`
    pub(super) fn prepares(&mut self, tokens: &[Token]) {
        if is(tokens, 1, &["TRANSACTION"]) {
            self.commit();
            return;
        }
        let name = tokens.get(1).map(|token| token.text.to_ascii_lowercase()).unwrap_or_default();
        let lost = if let Some(at) = find(tokens, 2, &["AS"]) {
            match self.losses(tokens.get(at + 1..).unwrap_or(&[])) {
                Ok(lost) => lost,
                Err(_) => return self.error(),
            }
        } else if let Some(at) = find(tokens, 2, &["FROM"]) {
            match self.text_of(tokens.get(at + 1..).unwrap_or(&[])) {
                Some(text) => self.inner(&text),
                None => vec![Lost::new(LossKind::Unknown, "")],
            }
        } else {
            Vec::new()
        };
        self.made.prepared.push((name, lost));
    }
}
