//! What statements that change definitions lose: `DROP`, `TRUNCATE`, `ALTER`, `CREATE OR REPLACE`.

use crate::condition::Holds;
use crate::lex::{SqlTokenKind, Token};
use crate::session::Session;
use crate::statement::{Losses, NONE, Refused, behind, find, is, is_hole, one, parts, sign};
use crate::{LossKind, Lost, QueryLanguage};

impl Session<'_> {
    pub(crate) fn dropped(&mut self, tokens: &[Token]) -> Losses {
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
            "TABLE" | "TABLES" | "COLLECTION" if kind == "TABLE" || language != QueryLanguage::Postgres => {
                let Some((names, next)) = self.names(tokens, at) else { return if is_hole(tokens, at) { one(LossKind::Table, "") } else { Err(Refused) } };
                let ending = ["CASCADE", "RESTRICT", "WAIT", "NOWAIT", "PURGE", "SYNC", "ON", "NO"];
                if next < tokens.len() && (language == QueryLanguage::Sqlite || (language != QueryLanguage::Any && !is(tokens, next, &ending))) {
                    return Err(Refused);
                }
                if temporary || foreign {
                    return NONE;
                }
                let lost = names.iter().flat_map(|named| self.lost(LossKind::Table, named)).collect();
                // What hid another is gone.
                self.made.created.retain(|created| !names.iter().any(|named| named.name == *created));
                Ok(lost)
            }
            "VIEW" if materialized => {
                let Some((names, _)) = self.names(tokens, at) else { return Err(Refused) };
                Ok(names.iter().flat_map(|named| self.lost(LossKind::Table, named)).collect())
            }
            "DATABASE" | "SCHEMA" | "KEYSPACE" | "DATASET" | "CATALOG" => {
                if language == QueryLanguage::Sqlite {
                    return Err(Refused);
                }
                let whole = kind == "DATABASE" && language == QueryLanguage::Postgres;
                let Some((names, next)) = self.names(tokens, at) else { return if is_hole(tokens, at) { one(LossKind::Database, "") } else { Err(Refused) } };
                let outside = whole && (self.in_block() || self.several);
                if outside || (next < tokens.len() && language == QueryLanguage::Mysql) {
                    return Err(Refused);
                }
                // Without CASCADE a schema must be empty.
                if kind == "SCHEMA" && language == QueryLanguage::Postgres && !cascades {
                    return one(LossKind::Definition, names.first().map_or("", |named| &named.name));
                }
                Ok(names.iter().flat_map(|named| self.lost(LossKind::Database, named)).collect())
            }
            "OWNED" => one(LossKind::Table, ""),
            "TYPE" | "DOMAIN" | "EXTENSION" if cascades => {
                let named = self.named(tokens, at);
                Ok(named.map_or_else(Vec::new, |named| self.lost(LossKind::Column, &named)))
            }
            "PREPARE" => NONE,
            "PARTITION" => one(LossKind::Rows, ""),
            "" => Err(Refused),
            _ => {
                let name = self.named(tokens, at);
                Ok(name.map_or_else(Vec::new, |named| self.lost(LossKind::Definition, &named)))
            }
        }
    }

    pub(crate) fn truncated(&mut self, tokens: &[Token]) -> Losses {
        let language = self.quoting.language;
        if language == QueryLanguage::Sqlite {
            return Err(Refused);
        }
        let mut at = 1 + usize::from(is(tokens, 1, &["TABLE", "DATABASE"]) && tokens.len() > 2);
        at += usize::from(is(tokens, at, &["ONLY"]) && tokens.len() > at + 1);
        if is(tokens, at, &["IF"]) {
            at += 2;
        }
        let Some((names, next)) = self.names(tokens, at) else { return if is_hole(tokens, at) { one(LossKind::AllRows, "") } else { Err(Refused) } };
        if language == QueryLanguage::Mysql && (names.len() > 1 || (next < tokens.len() && !is(tokens, next, &["WAIT", "NOWAIT"]))) {
            return Err(Refused);
        }
        Ok(names.iter().flat_map(|named| self.lost(LossKind::AllRows, named)).collect())
    }

    pub(crate) fn altered(&mut self, tokens: &[Token]) -> Losses {
        let language = self.quoting.language;
        if is(tokens, 1, &["USER", "ROLE"]) {
            let mighty = tokens.iter().any(|token| ["SUPERUSER", "BYPASSRLS", "CREATEROLE"].iter().any(|word| token.is(word)));
            return if mighty { one(LossKind::Permissions, "") } else { NONE };
        }
        if is(tokens, 1, &["TYPE"]) && find(tokens, 2, &["ATTRIBUTE"]).is_some() && find(tokens, 2, &["DROP"]).is_some() {
            return one(LossKind::Column, "");
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
        let Some(named) = self.named(tokens, at) else { return if is_hole(tokens, at) { one(LossKind::Unknown, "") } else { Err(Refused) } };
        let mut losses = Vec::new();
        for part in parts(behind(tokens, named.next + usize::from(sign(tokens, named.next, "*")))) {
            let word = part.first().map(|token| token.text.to_ascii_uppercase()).unwrap_or_default();
            match word.as_str() {
                "ADD" => {
                    let at = 1 + usize::from(is(part, 1, &["COLUMN"]));
                    if let Some(column) = self.named(part, at).filter(|_| !is(part, at, &["IF"])) {
                        self.made.created.push(format!("{}.{}", named.name, column.name));
                    }
                }
                "DROP" if is(part, 1, &["CONSTRAINT", "INDEX", "KEY", "PRIMARY", "FOREIGN", "CHECK", "PERIOD"]) => {
                    losses.extend(self.lost(LossKind::Definition, &named));
                }
                "DROP" if is(part, 1, &["PARTITION"]) => losses.extend(self.by(Holds::Some, &named)),
                "DROP" if is(part, 1, &["SYSTEM"]) && is(part, 2, &["VERSIONING"]) => losses.extend(self.by(Holds::All, &named)),
                "DROP" => {
                    let mut at = 1 + usize::from(is(part, 1, &["COLUMN"]));
                    if is(part, at, &["IF"]) {
                        at += 2;
                    }
                    at += usize::from(sign(part, at, "("));
                    let column = self.named(part, at).map(|column| column.name);
                    let known = column.as_ref().is_some_and(|column| self.made.created.contains(&format!("{}.{column}", named.name)));
                    if column.is_none() && !is_hole(part, at) {
                        return Err(Refused);
                    }
                    if !known {
                        losses.extend(self.lost(LossKind::Column, &named));
                    }
                }
                "ALTER" | "MODIFY" if find(part, 0, &["TYPE"]).is_some() && language != QueryLanguage::Mysql && narrows(part) => {
                    losses.extend(self.lost(LossKind::Column, &named));
                }
                "TRUNCATE" if is(part, 1, &["PARTITION"]) => {
                    let all = is(part, 2, &["ALL"]);
                    losses.extend(self.by(if all { Holds::All } else { Holds::Some }, &named));
                }
                "DISCARD" if is(part, 1, &["TABLESPACE"]) => losses.extend(self.by(Holds::All, &named)),
                "DISCARD" => losses.extend(self.by(Holds::Some, &named)),
                "DELETE" => losses.extend(self.by(self.rows(part, 1, &named.name), &named)),
                "CLEAR" => losses.extend(self.lost(LossKind::Column, &named)),
                "ENGINE" if part.iter().any(|token| token.text.eq_ignore_ascii_case("BLACKHOLE")) => losses.extend(self.by(Holds::All, &named)),
                _ => {}
            }
        }
        Ok(losses)
    }

    pub(crate) fn creates(&mut self, tokens: &[Token]) -> Losses {
        let language = self.quoting.language;
        let mut at = 1;
        let replaces = is(tokens, 1, &["OR"]) && is(tokens, 2, &["REPLACE"]);
        at += if replaces { 2 } else { 0 };
        let mut temporary = false;
        while is(
            tokens,
            at,
            &[
                "TEMP",
                "TEMPORARY",
                "GLOBAL",
                "LOCAL",
                "UNLOGGED",
                "TRANSIENT",
                "EXTERNAL",
                "VIRTUAL",
                "VOLATILE",
                "HYBRID",
                "AGGREGATE",
                "CONSTRAINT",
                "MATERIALIZED",
            ],
        ) {
            temporary |= is(tokens, at, &["TEMP", "TEMPORARY", "VOLATILE"]);
            at += 1;
        }
        // `DEFINER = name`
        while is(tokens, at, &["DEFINER", "ALGORITHM", "SQL"]) {
            at += 3;
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
                if replaces && matches!(language, QueryLanguage::Postgres | QueryLanguage::Sqlite) {
                    return Err(Refused);
                }
                let Some(named) = self.named(tokens, at) else { return NONE };
                let loss = if kind == "TABLE" { LossKind::Table } else { LossKind::Database };
                let losses = if replaces && !temporary { self.lost(loss, &named) } else { Vec::new() };
                if !existing || temporary {
                    if temporary {
                        self.made.temporary.push(named.name.clone());
                    }
                    self.made.created.push(named.name);
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
                if self.quoting.language == QueryLanguage::Mysql && is(tokens, body, &["BEGIN"]) && !tokens.last().is_some_and(|last| last.is("END")) {
                    return Err(Refused);
                }
                let lost = if is(tokens, body, &["AS"]) {
                    let text = tokens.get(body + 1).filter(|token| token.kind == SqlTokenKind::Text).map(|token| token.text.clone());
                    text.map_or_else(Vec::new, |text| self.body(&text))
                } else {
                    let skip = usize::from(is(tokens, body, &["BEGIN", "ROW"]));
                    self.pieces(behind(tokens, body + skip))
                };
                let name = if kind == "TRIGGER" {
                    find(tokens, named.next, &["ON"]).and_then(|at| self.named(tokens, at + 1)).map(|table| format!("on {}", table.name))
                } else {
                    Some(named.name)
                };
                if let Some(name) = name.filter(|_| !lost.is_empty()) {
                    self.made.routines.push((name, lost));
                }
                NONE
            }
            "USER" | "ROLE" if tokens.iter().any(|token| token.is("SUPERUSER")) => one(LossKind::Permissions, ""),
            "" => Err(Refused),
            _ => NONE,
        }
    }

    /// What a trigger that the same text made does when rows come into a table.
    pub(crate) fn triggered(&self, table: &str) -> Vec<Lost> {
        self.made.routines.iter().filter(|(name, _)| name.strip_prefix("on ") == Some(table)).flat_map(|(_, lost)| lost.clone()).collect()
    }
}

/// Whether a new type can cut what is there.
fn narrows(part: &[Token]) -> bool {
    let Some(at) = find(part, 0, &["TYPE"]) else { return false };
    let using = find(part, at, &["USING"]);
    let column = part.iter().take(at).rev().find(|token| !token.is("DATA") && !token.is("SET")).map_or("", |token| token.text.as_str());
    let sized = sign(part, at + 2, "(") || sign(part, at + 3, "(");
    let kind = |any: &[&str]| is(part, at + 1, any);
    let cuts = (kind(&["CHAR", "CHARACTER", "NUMERIC", "DECIMAL", "BPCHAR", "DEC"]) && sized && !is(part, at + 2, &["VARYING"]))
        || kind(&["DATE", "REAL", "FLOAT4", "TIME", "BOOLEAN", "BOOL"]);
    match using {
        None => cuts && !kind(&["BOOLEAN", "BOOL"]),
        Some(using) => {
            let wide = kind(&["TEXT", "BIGINT", "JSONB", "TIMESTAMPTZ", "UUID", "INT8"]) && !sized;
            let plain = part.get(using + 1).is_some_and(|token| token.text.eq_ignore_ascii_case(column));
            !(wide && plain) || sized
        }
    }
}
