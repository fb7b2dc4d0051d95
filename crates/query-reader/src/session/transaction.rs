//! What is kept and what is undone: transactions, savepoints, errors.

use super::{MAX_LOST, QuerySettings, Session};
use crate::{Lost, QueryLanguage};

/// The transaction of a session.
pub(crate) struct Transaction {
    /// Lost once it is committed.
    pub(crate) pending: Vec<Lost>,
    pub(crate) savepoints: Vec<(String, usize)>,
    /// A transaction was begun by a statement; one begun by a savepoint.
    pub(crate) explicit: bool,
    pub(crate) by_savepoint: bool,
    pub(crate) failed: bool,
    pub(crate) autocommit: bool,
    pub(crate) read_only: bool,
}

impl Transaction {
    pub(super) fn new(settings: &QuerySettings) -> Self {
        Self {
            pending: Vec::new(),
            savepoints: Vec::new(),
            explicit: settings.one_transaction,
            by_savepoint: false,
            failed: false,
            autocommit: true,
            read_only: settings.read_only,
        }
    }
}

impl Session<'_> {
    pub(crate) fn in_block(&self) -> bool {
        self.transaction.explicit
    }

    pub(crate) fn commit(&mut self) {
        let pending = std::mem::take(&mut self.transaction.pending);
        for lost in pending {
            if self.lost.len() < MAX_LOST && !self.lost.contains(&lost) {
                self.lost.push(lost);
            }
        }
        self.ended();
    }

    pub(crate) fn roll_back(&mut self) {
        self.transaction.pending.clear();
        self.ended();
    }

    pub(crate) fn ended(&mut self) {
        self.transaction.savepoints.clear();
        self.transaction.explicit = false;
        self.transaction.by_savepoint = false;
        self.transaction.failed = false;
        self.transaction.read_only = self.settings.read_only;
    }

    /// Notes what is lost by a statement that is run now.
    pub(crate) fn note(&mut self, lost: Vec<Lost>) {
        if self.transaction.read_only && !lost.is_empty() {
            self.error();
            return;
        }
        self.transaction.pending.extend(lost.into_iter().take(MAX_LOST));
        let open = self.transaction.explicit || self.whole || !self.transaction.autocommit;
        if !open {
            let (explicit, by) = (self.transaction.explicit, self.transaction.by_savepoint);
            self.commit();
            (self.transaction.explicit, self.transaction.by_savepoint) = (explicit, by);
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
                } else if self.transaction.explicit || !self.transaction.autocommit {
                    self.transaction.failed = true;
                    self.transaction.pending.clear();
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
    pub(super) fn whole_argument(&self) -> bool {
        self.nested == 0 && self.argument
    }
}
