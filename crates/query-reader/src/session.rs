//! A client that is given texts: its settings and what it knows. `texts` splits texts into statements, `run` runs one, and
//! `transaction` says what of it is kept. What is undone is not lost.

mod run;
mod texts;
mod transaction;

pub(crate) use transaction::Transaction;

use crate::lex::{QuotingRules, words};
use crate::{LossKind, Lost, QueryLanguage, graphql, keys, mongo};

/// Characters of a text that are read.
pub(crate) const MAX_TEXT: usize = 1 << 18;
/// Texts within each other.
pub(crate) const MAX_DEPTH: usize = 8;
/// Variables that are replaced.
pub(crate) const MAX_REPLACED: usize = 200;
/// Names, values and bodies that a text makes and that are kept.
pub(crate) const MAX_KEPT: usize = 500;
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

/// What the texts made, by name.
#[derive(Default)]
pub(crate) struct TextNames {
    pub(crate) created: Vec<String>,
    pub(crate) temporary: Vec<String>,
    /// `@name`, `$1`, `:name`
    pub(crate) parameters: Vec<(String, String)>,
    pub(crate) prepared: Vec<(String, Vec<Lost>)>,
    pub(crate) routines: Vec<(String, Vec<Lost>)>,
    pub(crate) writable_schema: bool,
}

/// A session of a client.
pub(crate) struct Session<'f> {
    pub(crate) settings: QuerySettings,
    pub(crate) files: &'f mut dyn FnMut(&str) -> Option<String>,
    pub(crate) quoting: QuotingRules,
    pub(crate) client: bool,
    pub(crate) depth: usize,
    pub(crate) made: TextNames,
    pub(crate) in_cte: bool,
    /// More than one statement is in the argument.
    pub(crate) several: bool,
    pub(crate) lost: Vec<Lost>,
    pub(crate) transaction: Transaction,
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
            made: TextNames::default(),
            in_cte: false,
            several: false,
            lost: Vec::new(),
            transaction: Transaction::new(settings),
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
        if (self.settings.one_transaction && !self.transaction.failed && !self.stopped) || self.settings.continues {
            self.commit();
        }
        self.lost.truncate(MAX_LOST);
        self.lost
    }

    pub(crate) fn set(&mut self, name: &str, value: &str) {
        let off = ["off", "false", "0", "no"].iter().any(|no| value.eq_ignore_ascii_case(no));
        match name {
            "AUTOCOMMIT" => self.transaction.autocommit = !off,
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
}
