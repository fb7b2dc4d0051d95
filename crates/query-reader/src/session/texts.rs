//! From a text to its statements: what ends one, and the client's own lines between them.

use super::{MAX_TEXT, Session, Source};
use crate::lex::{Next, QueryLexer, SqlTokenKind, Token};
use crate::statement::is;
use crate::{LossKind, Lost, QueryLanguage};

/// Words of a body without quotes.
const MAX_BLOCK: usize = 5_000;

impl Session<'_> {
    /// Reads a text.
    pub(crate) fn text(&mut self, text: &str, source: Source) {
        if self.stopped {
            return;
        }
        if text.len() > MAX_TEXT {
            self.transaction.pending.push(Lost::new(LossKind::Unknown, ""));
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
        if self.whole && !self.transaction.explicit && self.transaction.autocommit {
            if self.transaction.failed {
                self.roll_back();
            } else {
                self.commit();
            }
        }
        self.whole = outer;
    }

    /// Whether a statement of the text begins with a word that begins none, or has a backslash.
    pub(super) fn malformed(&mut self, text: &str) -> bool {
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
