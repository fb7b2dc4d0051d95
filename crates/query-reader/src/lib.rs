//! What a text for a database would lose: SQL of `PostgreSQL`, `MySQL`, `MariaDB` and `SQLite`, commands of Redis, calls of
//! the `MongoDB` shell, mutations of `GraphQL`.
//!
//! There is no parser of any of these languages. A text is split into statements as the engine's own client splits it, and
//! the words of a statement say what would be gone. A transaction that is undone or left open loses nothing.
//!
//! [`read`] takes any text. It never fails and never panics, and takes time in proportion to the text.
//!
//! # Limits
//!
//! A limit that is reached gives [`LossKind::Unknown`].
//!
//! | limit | what happens there |
//! | --- | --- |
//! | 256 KiB of text, 64 KiB of a script | what is behind it is not read |
//! | 500 names, values and bodies that a text makes | further ones are not kept, so that what is lost of them counts |
//! | 8 texts within each other (a body, a file that is read) | the innermost is not read |
//! | 48 brackets within each other in a condition | the condition counts as true |
//! | 200 variables that are replaced | the text ends there |
//! | 100 losses | further ones are not noted |
#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros)]
#![forbid(unsafe_code)]

mod client;
mod condition;
mod definition;
mod graphql;
mod keys;
mod lex;
mod mongo;
mod operators;
mod rows;
mod session;
mod statement;
#[cfg(test)]
mod query_tests;

pub use keys::BETWEEN;
pub use lex::HOLE;
pub use session::{QuerySettings, Source, read};

/// The language of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum QueryLanguage {
    /// SQL of `PostgreSQL` and what speaks as it does.
    Postgres,
    /// SQL of `MySQL` and `MariaDB`, of which the worse counts.
    Mysql,
    /// SQL of `SQLite`.
    Sqlite,
    /// SQL of another database.
    Any,
    /// Commands of Redis and Valkey.
    Redis,
    /// Calls of the `MongoDB` shell.
    Mongo,
    /// Mutations.
    GraphQl,
}

impl QueryLanguage {
    /// All, with their names.
    pub const NAMES: &'static [(&'static str, Self)] = &[
        ("postgres", Self::Postgres),
        ("mysql", Self::Mysql),
        ("sqlite", Self::Sqlite),
        ("sql", Self::Any),
        ("redis", Self::Redis),
        ("mongodb", Self::Mongo),
        ("graphql", Self::GraphQl),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, language)| *language == self).map_or("sql", |(name, _)| *name)
    }
}

/// What kind of thing is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LossKind {
    /// A database, a schema, or all that is in a store.
    Database,
    /// A table or a collection.
    Table,
    /// A column, or the values in it.
    Column,
    /// All rows or documents of a table, or their values.
    AllRows,
    /// Some rows, documents or values.
    Rows,
    /// A view, an index, a function, a user: what can be defined again.
    Definition,
    /// Some keys of a key store.
    Keys,
    /// Nothing is gone, but others may do more than before.
    Permissions,
    /// It cannot be read.
    Unknown,
}

impl LossKind {
    /// All, with their names.
    pub const NAMES: &'static [(&'static str, Self)] = &[
        ("database", Self::Database),
        ("table", Self::Table),
        ("column", Self::Column),
        ("all-rows", Self::AllRows),
        ("rows", Self::Rows),
        ("definition", Self::Definition),
        ("keys", Self::Keys),
        ("permissions", Self::Permissions),
        ("unknown", Self::Unknown),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, loss)| *loss == self).map_or("unknown", |(name, _)| *name)
    }
}

/// Something that is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// What it is.
    pub what: LossKind,
    /// Its name, in lower case; empty if it has none.
    pub name: String,
}

impl Lost {
    fn new(what: LossKind, name: impl Into<String>) -> Self {
        Self { what, name: name.into() }
    }
}

/// The name of what was listed by another program: how much it is cannot be known.
pub const SEVERAL: &str = "?";
