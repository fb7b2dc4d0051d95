//! A client that is given texts: statements, its own commands, and transactions. What is undone is not lost.

use crate::lex::{Next, QueryLexer, QuotingRules, SqlTokenKind, Token, words};
use crate::statement::{find, is, parts};
use crate::{LossKind, Lost, QueryLanguage, graphql, keys, mongo};

/// Characters of a text that are read.
pub(crate) const MAX_TEXT: usize = 1 << 18;
/// Texts within each other.
pub(crate) const MAX_DEPTH: usize = 8;
/// Variables that are replaced.
pub(crate) const MAX_REPLACED: usize = 200;
/// Names, values and bodies that a text makes and that are kept.
pub(crate) const MAX_KEPT: usize = 500;
/// Words of a body without quotes.
const MAX_BLOCK: usize = 5_000;
/// Losses that are noted.
const MAX_LOST: usize = 100;

/// How a client was called.
#[derive(Clone, Debug)]
pub struct QuerySettings {
    /// What it speaks.
    pub language: QueryLanguage,
    /// All texts are one transaction.
    pub one_transaction: bool,
    /// It stops at the first error.
    pub stops: bool,
    /// It reads its own commands in the texts, and replaces its variables.
    pub client: bool,
    /// A line is a statement.
    pub lines: bool,
    /// Changes are kept though no `COMMIT` follows: the connection continues.
    pub continues: bool,
    /// The engine refuses changes.
    pub read_only: bool,
    /// What ends a statement in place of `;`.
    pub delimiter: String,
    /// Its variables.
    pub variables: Vec<(String, String)>,
}

impl QuerySettings {
    /// As the language's own client is without options.
    pub fn new(language: QueryLanguage) -> Self {
        Self {
            language,
            one_transaction: false,
            stops: language == QueryLanguage::Mysql,
            client: true,
            lines: false,
            continues: false,
            read_only: false,
            delimiter: String::new(),
            variables: Vec::new(),
        }
    }
}

/// Where a text comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// An argument.
    Argument,
    /// Standard input, or a file.
    Input,
}

/// A session of a client.
pub(crate) struct Session<'f> {
    pub(crate) settings: QuerySettings,
    pub(crate) files: &'f mut dyn FnMut(&str) -> Option<String>,
    pub(crate) quoting: QuotingRules,
    pub(crate) client: bool,
    pub(crate) depth: usize,
    /// Names of what the texts made, and of what is temporary.
    pub(crate) created: Vec<String>,
    pub(crate) temporary: Vec<String>,
    /// `@name`, `$1`, `:name`
    pub(crate) parameters: Vec<(String, String)>,
    pub(crate) prepared: Vec<(String, Vec<Lost>)>,
    pub(crate) routines: Vec<(String, Vec<Lost>)>,
    pub(crate) writable_schema: bool,
    pub(crate) in_cte: bool,
    /// More than one statement is in the argument.
    pub(crate) several: bool,
    pub(crate) lost: Vec<Lost>,
    pub(crate) pending: Vec<Lost>,
    pub(crate) savepoints: Vec<(String, usize)>,
    /// A transaction was begun by a statement; one begun by a savepoint.
    pub(crate) explicit: bool,
    pub(crate) by_savepoint: bool,
    pub(crate) failed: bool,
    pub(crate) autocommit: bool,
    pub(crate) read_only: bool,
    /// Nothing more is run: of this text, of all.
    pub(crate) text_ended: bool,
    pub(crate) stopped: bool,
    pub(crate) whole: bool,
    pub(crate) argument: bool,
    pub(crate) line_failed: bool,
    pub(crate) replaced: usize,
    pub(crate) nested: usize,
    pub(crate) conditions: Vec<(bool, bool)>,
    pub(crate) delimiter: String,
}

impl std::fmt::Debug for Session<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// What texts lose, given to a client one after the other. `files` gives the text of a file that is read, if it is there.
pub fn read(settings: &QuerySettings, texts: &[(Source, String)], files: &mut dyn FnMut(&str) -> Option<String>) -> Vec<Lost> {
    match settings.language {
        QueryLanguage::Redis => {
            let mut reader = keys::Commands::default();
            for (_, text) in texts {
                reader.text(text);
            }
            reader.finish()
        }
        QueryLanguage::Mongo => {
            let mut all = Vec::new();
            for (source, text) in texts {
                all.extend(mongo::read(text, *source == Source::Input, files));
            }
            all
        }
        QueryLanguage::GraphQl => texts.iter().flat_map(|(_, text)| graphql::read(text)).collect(),
        QueryLanguage::Mysql => {
            // One name for two engines: the worse of both counts.
            let mut first = Session::new(settings, false, files).all(texts);
            for lost in Session::new(settings, true, files).all(texts) {
                if !first.contains(&lost) {
                    first.push(lost);
                }
            }
            first
        }
        _ => Session::new(settings, false, files).all(texts),
    }
}

impl<'f> Session<'f> {
    fn new(settings: &QuerySettings, maria: bool, files: &'f mut dyn FnMut(&str) -> Option<String>) -> Self {
        Self {
            settings: settings.clone(),
            files,
            quoting: QuotingRules::new(settings.language, maria),
            client: settings.client,
            depth: 0,
            created: Vec::new(),
            temporary: Vec::new(),
            parameters: Vec::new(),
            prepared: Vec::new(),
            routines: Vec::new(),
            writable_schema: false,
            in_cte: false,
            several: false,
            lost: Vec::new(),
            pending: Vec::new(),
            savepoints: Vec::new(),
            explicit: settings.one_transaction,
            by_savepoint: false,
            failed: false,
            autocommit: true,
            read_only: settings.read_only,
            text_ended: false,
            stopped: false,
            whole: false,
            argument: false,
            line_failed: false,
            replaced: 0,
            nested: 0,
            conditions: Vec::new(),
            delimiter: settings.delimiter.clone(),
        }
    }

    fn all(mut self, texts: &[(Source, String)]) -> Vec<Lost> {
        for (name, value) in self.settings.variables.clone() {
            self.set(&name, &value);
        }
        // Arguments of one client may be one text (`-e A -e B`).
        if self.settings.language == QueryLanguage::Mysql {
            let arguments: Vec<&str> = texts.iter().filter(|(source, _)| *source == Source::Argument).map(|(_, text)| text.as_str()).collect();
            if !arguments.is_empty() {
                self.text(&arguments.join("\n"), Source::Argument);
            }
            texts.iter().filter(|(source, _)| *source == Source::Input).for_each(|(source, text)| self.text(text, *source));
        } else {
            for (source, text) in texts {
                self.text(text, *source);
            }
        }
        self.finish()
    }

    fn finish(mut self) -> Vec<Lost> {
        if (self.settings.one_transaction && !self.failed && !self.stopped) || self.settings.continues {
            self.commit();
        }
        self.lost.truncate(MAX_LOST);
        self.lost
    }

    pub(crate) fn in_block(&self) -> bool {
        self.explicit
    }

    pub(crate) fn commit(&mut self) {
        let pending = std::mem::take(&mut self.pending);
        for lost in pending {
            if self.lost.len() < MAX_LOST && !self.lost.contains(&lost) {
                self.lost.push(lost);
            }
        }
        self.ended();
    }

    pub(crate) fn roll_back(&mut self) {
        self.pending.clear();
        self.ended();
    }

    pub(crate) fn ended(&mut self) {
        self.savepoints.clear();
        self.explicit = false;
        self.by_savepoint = false;
        self.failed = false;
        self.read_only = self.settings.read_only;
    }

    pub(crate) fn set(&mut self, name: &str, value: &str) {
        let off = ["off", "false", "0", "no"].iter().any(|no| value.eq_ignore_ascii_case(no));
        match name {
            "AUTOCOMMIT" => self.autocommit = !off,
            "ON_ERROR_STOP" => self.settings.stops = !off,
            _ => {}
        }
        self.settings.variables.push((name.to_owned(), value.to_owned()));
    }

    pub(crate) fn variable(&self, name: &str) -> Option<String> {
        self.settings.variables.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    }

    /// A text of a body or a string that is run: what it loses.
    pub(crate) fn inner(&mut self, text: &str) -> Vec<Lost> {
        let tokens = words(text, self.quoting);
        if self.depth > MAX_DEPTH {
            return vec![Lost::new(LossKind::Unknown, "")];
        }
        let mut lost = Vec::new();
        for piece in tokens.split(|token| token.sign(";")) {
            lost.extend(self.losses(piece).unwrap_or_default());
        }
        lost
    }

    /// Reads a text.
    pub(crate) fn text(&mut self, text: &str, source: Source) {
        if self.stopped {
            return;
        }
        if text.len() > MAX_TEXT {
            self.pending.push(Lost::new(LossKind::Unknown, ""));
        }
        let text: String = text.chars().take(MAX_TEXT).collect();
        let language = self.settings.language;
        let argument = source == Source::Argument;
        if language == QueryLanguage::Sqlite && argument && text.starts_with('.') {
            self.dot(text.trim());
            return;
        }
        self.text_ended = false;
        self.argument = argument;
        let outer = self.whole;
        self.whole = argument && language == QueryLanguage::Postgres;
        let command = text.trim_start().starts_with('\\');
        if self.whole && !command && self.malformed(&text) {
            // Nothing of a text is run that does not parse.
            self.error();
        } else {
            let text = if self.settings.lines { text.replace('\n', ";\n") } else { text };
            self.statements(&text, argument, command);
        }
        if self.whole && !self.explicit && self.autocommit {
            if self.failed {
                self.roll_back();
            } else {
                self.commit();
            }
        }
        self.whole = outer;
    }

    /// Whether a statement of the text begins with a word that begins none, or has a backslash.
    fn malformed(&mut self, text: &str) -> bool {
        let mut lexer = QueryLexer::new(text);
        let mut first = true;
        let mut count = 0;
        loop {
            match lexer.next(self.quoting) {
                Next::End => break,
                Next::Backslash => return true,
                Next::Token(token) if token.sign(";") => first = true,
                Next::Token(token) => {
                    count += usize::from(first);
                    let verbs = "BEGIN START COMMIT END ROLLBACK SAVEPOINT RELEASE DROP TRUNCATE DELETE UPDATE INSERT MERGE WITH ALTER CREATE EXPLAIN EXECUTE DO SELECT VALUES TABLE CALL REFRESH GRANT ABORT ANALYZE CHECKPOINT CLOSE CLUSTER COMMENT COPY DEALLOCATE DECLARE DISCARD FETCH IMPORT LISTEN LOAD LOCK MOVE NOTIFY PREPARE REASSIGN REINDEX RESET REVOKE SECURITY SET SHOW UNLISTEN VACUUM";
                    if first && (token.kind == SqlTokenKind::Name || (token.kind == SqlTokenKind::Word && !verbs.split(' ').any(|verb| token.is(verb)))) {
                        return true;
                    }
                    if token.sign(":") || token.kind == SqlTokenKind::Parameter && token.text.starts_with(':') {
                        return true;
                    }
                    first = false;
                }
            }
        }
        self.several = count > 1;
        false
    }

    pub(crate) fn statements(&mut self, text: &str, argument: bool, command: bool) {
        let language = self.settings.language;
        let client = self.client && (!argument || language != QueryLanguage::Postgres || command);
        let mut lexer = QueryLexer::new(text);
        let mut tokens: Vec<Token> = Vec::new();
        loop {
            if self.stopped || self.text_ended {
                return;
            }
            if tokens.is_empty() && client && self.line_command(&mut lexer, argument) {
                continue;
            }
            lexer.delimiter = self.delimiter.chars().collect();
            lexer.blanks(self.quoting);
            if client && language == QueryLanguage::Sqlite && !argument && !tokens.is_empty() && lexer.at_line_start() {
                let line = lexer.ahead();
                if matches!(line.trim().to_ascii_lowercase().as_str(), "/" | "go") {
                    lexer.line();
                    self.end(&mut tokens, &mut lexer, argument);
                    continue;
                }
            }
            if client && language == QueryLanguage::Any && lexer.at_line_start() && lexer.ahead().trim().eq_ignore_ascii_case("go") {
                lexer.line();
                self.end(&mut tokens, &mut lexer, argument);
                continue;
            }
            if client && language == QueryLanguage::Postgres && self.replaces(&mut lexer) {
                continue;
            }
            if !self.delimiter.is_empty() && lexer.starts(&self.delimiter) {
                lexer.at += self.delimiter.chars().count();
                self.end(&mut tokens, &mut lexer, argument);
                continue;
            }
            match lexer.next(self.quoting) {
                Next::End => {
                    // A client drops a statement without an end, or sends it.
                    let last = std::mem::take(&mut tokens);
                    self.statement(last);
                    return;
                }
                Next::Backslash if language == QueryLanguage::Postgres && client => self.backslash(&mut lexer, &mut tokens, argument),
                Next::Backslash if language == QueryLanguage::Mysql && client => self.short(&mut lexer, &mut tokens, argument),
                Next::Backslash => {}
                Next::Token(token) if token.sign(";") && self.delimiter.is_empty() && !lexer.conditional => {
                    if open_block(&tokens, language) {
                        tokens.push(token);
                    } else {
                        self.end(&mut tokens, &mut lexer, argument);
                    }
                }
                Next::Token(token) => tokens.push(token),
            }
        }
    }

    pub(crate) fn end(&mut self, tokens: &mut Vec<Token>, lexer: &mut QueryLexer, argument: bool) {
        let mut statement = std::mem::take(tokens);
        // With another delimiter the server splits what it is sent, but for bodies.
        if !self.delimiter.is_empty() && !is(&statement, 0, &["CREATE"]) {
            let pieces: Vec<Vec<Token>> = statement.split(|token| token.sign(";")).map(<[Token]>::to_vec).collect();
            if let Some((last, front)) = pieces.split_last() {
                for piece in front {
                    self.statement(piece.clone());
                }
                statement.clone_from(last);
            }
        }
        self.line_failed = false;
        let copies =
            !argument && is(&statement, 0, &["COPY"]) && statement.iter().any(|token| token.is("STDIN")) && statement.iter().any(|token| token.is("FROM"));
        self.statement(statement);
        if std::mem::take(&mut self.line_failed) && !argument {
            lexer.line();
        }
        if copies && self.settings.language == QueryLanguage::Postgres {
            lexer.line();
            while !lexer.ended() && lexer.line().trim_end() != "\\." {}
        }
    }

    /// Notes what is lost by a statement that is run now.
    pub(crate) fn note(&mut self, lost: Vec<Lost>) {
        if self.read_only && !lost.is_empty() {
            self.error();
            return;
        }
        self.pending.extend(lost.into_iter().take(MAX_LOST));
        let open = self.explicit || self.whole || !self.autocommit;
        if !open {
            let (explicit, by) = (self.explicit, self.by_savepoint);
            self.commit();
            (self.explicit, self.by_savepoint) = (explicit, by);
        }
    }

    /// The engine refuses a statement.
    pub(crate) fn error(&mut self) {
        match self.settings.language {
            QueryLanguage::Postgres => {
                if self.whole && !self.settings.one_transaction {
                    self.roll_back();
                    self.text_ended = true;
                } else if self.variable("ON_ERROR_ROLLBACK").is_some_and(|value| value == "on") {
                    // A savepoint in front of each statement takes the error.
                } else if self.explicit || !self.autocommit {
                    self.failed = true;
                    self.pending.clear();
                }
                self.stopped |= self.settings.stops;
            }
            QueryLanguage::Sqlite => {
                self.text_ended = self.whole_argument();
                // On standard input the rest of the line is dropped.
                self.line_failed = true;
                self.stopped |= self.settings.stops;
            }
            _ => self.stopped |= self.settings.stops,
        }
    }

    /// `SQLite` ends an argument at its first error.
    fn whole_argument(&self) -> bool {
        self.nested == 0 && self.argument
    }

    /// One statement.
    fn statement(&mut self, tokens: Vec<Token>) {
        let mut tokens = tokens;
        while tokens.last().is_some_and(|last| last.sign(";")) {
            tokens.pop();
        }
        self.created.truncate(MAX_KEPT);
        self.parameters.truncate(MAX_KEPT);
        self.prepared.truncate(MAX_KEPT);
        self.routines.truncate(MAX_KEPT);
        let Some(first) = tokens.first() else { return };
        if self.stopped || self.text_ended || !self.conditions.iter().all(|(active, _)| *active) {
            return;
        }
        let language = self.settings.language;
        let mysql = language == QueryLanguage::Mysql;
        let word = if first.kind == SqlTokenKind::Word { first.text.to_ascii_uppercase() } else { String::new() };
        let has = |any: &str| tokens.iter().any(|token| token.is(any));
        let next = |at: usize, any: &[&str]| is(&tokens, at, any);
        if self.failed && !matches!(word.as_str(), "ROLLBACK" | "ABORT" | "COMMIT" | "END") {
            return;
        }
        match word.as_str() {
            "BEGIN" | "START" if word == "BEGIN" || next(1, &["TRANSACTION"]) => {
                if self.explicit && language == QueryLanguage::Sqlite {
                    self.error();
                    return;
                }
                if mysql {
                    self.commit();
                }
                self.explicit = true;
                let pair = |one: &str, other: &str| tokens.windows(2).any(|pair| is(pair, 0, &[one]) && is(pair, 1, &[other]));
                self.read_only = (self.read_only || pair("READ", "ONLY")) && !pair("READ", "WRITE");
            }
            "COMMIT" | "END" if !(word == "END" && mysql) => {
                if next(1, &["PREPARED"]) {
                    return;
                }
                if self.failed {
                    self.roll_back();
                } else {
                    self.commit();
                }
                self.explicit = has("CHAIN") && !has("NO");
            }
            "ROLLBACK" | "ABORT" => match find(&tokens, 1, &["TO"]) {
                Some(at) => {
                    let name = tokens.get(at + 1 + usize::from(next(at + 1, &["SAVEPOINT"]))).map(|token| token.text.to_lowercase()).unwrap_or_default();
                    if let Some(place) = self.savepoints.iter().rposition(|(known, _)| *known == name) {
                        let mark = self.savepoints.get(place).map_or(0, |(_, mark)| *mark);
                        self.pending.truncate(mark);
                        self.savepoints.truncate(place + 1);
                        self.failed = false;
                    }
                }
                None if next(1, &["PREPARED"]) => {}
                None => {
                    self.roll_back();
                    self.explicit = has("CHAIN") && !has("NO");
                }
            },
            "SAVEPOINT" => {
                let name = tokens.get(1).map(|token| token.text.to_lowercase()).unwrap_or_default();
                if language == QueryLanguage::Sqlite && !self.explicit {
                    self.explicit = true;
                    self.by_savepoint = true;
                }
                if self.savepoints.len() < MAX_KEPT {
                    self.savepoints.push((name, self.pending.len()));
                }
            }
            "RELEASE" => {
                let name = tokens.last().map(|token| token.text.to_lowercase()).unwrap_or_default();
                if let Some(place) = self.savepoints.iter().rposition(|(known, _)| *known == name) {
                    self.savepoints.truncate(place);
                    if self.savepoints.is_empty() && self.by_savepoint {
                        self.commit();
                    }
                }
            }
            "XA" => match tokens.get(1).map(|token| token.text.to_ascii_uppercase()).as_deref() {
                Some("START" | "BEGIN") => self.explicit = true,
                Some("COMMIT") => self.commit(),
                Some("ROLLBACK") => self.roll_back(),
                _ => {}
            },
            "PRAGMA" => {
                let on = tokens.last().is_some_and(|last| matches!(last.text.to_ascii_lowercase().as_str(), "1" | "on" | "true" | "yes" | ")")) && !has("OFF");
                if has("query_only") {
                    self.read_only = on && tokens.len() > 2;
                } else if has("writable_schema") {
                    self.writable_schema = on && tokens.len() > 2;
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

    fn sets(&mut self, tokens: &[Token]) {
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
                    self.autocommit = on;
                }
                "sql_mode" if mysql => {
                    self.quoting.double_names = value.contains("ansi");
                    self.quoting.backslash = !value.contains("no_backslash_escapes");
                }
                "standard_conforming_strings" if !self.whole => self.quoting.backslash = !on,
                "default_transaction_read_only" | "transaction_read_only" | "session.transaction_read_only" => {
                    self.read_only = on;
                    self.settings.read_only = on && name.starts_with("default");
                }
                _ if raw.starts_with('@') => {
                    if let Some(text) = self.text_of(part.get(equal + 1..).unwrap_or(&[])) {
                        self.parameters.push((raw, text));
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
                self.read_only = true;
                self.settings.read_only |= is(tokens, 1, &["SESSION"]);
            } else if pair("READ", "WRITE") {
                self.read_only = false;
            }
        }
    }

    /// `PREPARE name AS statement`, `PREPARE name FROM text`
    fn prepares(&mut self, tokens: &[Token]) {
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
        self.prepared.push((name, lost));
    }
}

/// Whether a `;` here is within a body that has no quotes around it.
fn open_block(tokens: &[Token], language: QueryLanguage) -> bool {
    if !is(tokens, 0, &["CREATE"]) || language == QueryLanguage::Mysql || tokens.len() > MAX_BLOCK {
        return false;
    }
    let count = |any: &[&str]| (0..tokens.len()).filter(|at| is(tokens, *at, any)).count();
    let body = match language {
        QueryLanguage::Postgres => tokens.windows(2).any(|pair| is(pair, 0, &["BEGIN"]) && is(pair, 1, &["ATOMIC"])),
        QueryLanguage::Sqlite => tokens.iter().take(4).any(|token| token.is("TRIGGER")),
        _ => tokens.iter().take(6).any(|token| ["TRIGGER", "PROCEDURE", "PROC", "FUNCTION"].iter().any(|word| token.is(word))),
    };
    body && count(&["BEGIN", "CASE"]) > count(&["END"])
}
