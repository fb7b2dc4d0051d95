//! Declares the tables of a rule once: the struct, its binary form, its keys as written, and how each key is read.

use super::ValueTest;
use super::pattern::{PathPattern, Pattern};
use crate::secret::Confidence;
use actions::PushKind;
use actions::program::ToolEffect;

/// What kind of value a key has.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    Text,
    /// A string, or a list of strings that is not empty.
    Texts,
    Flag,
    Number,
    /// A local date.
    Day,
    Table(&'static [Key]),
    /// A table, or a list of tables that is not empty.
    Tables(&'static [Key]),
    /// A table whose keys are chosen by the writer.
    Map,
    /// Checked later: its kind depends on another key.
    Later,
    /// Not a key of its own: one key for each kind of *when*.
    Kinds,
}

/// A key of a table as written in a policy file.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    pub name: &'static str,
    pub shape: Shape,
    /// It is required, and must not be empty.
    pub must: bool,
}

/// An optional key.
pub const fn may(name: &'static str, shape: Shape) -> Key {
    Key { name, shape, must: false }
}

/// A required key.
pub const fn must(name: &'static str, shape: Shape) -> Key {
    Key { name, shape, must: true }
}

/// The keys of a table: `may "path": Texts, must "name": Text`, each with its [`Shape`].
#[macro_export]
macro_rules! keys {
    ($($must:ident $name:literal: $shape:ident $(($($inner:expr),*))?),* $(,)?) => {
        &[$($crate::table::$must($name, $crate::table::Shape::$shape $(($($inner),*))?)),*]
    };
}

/// Reads the values of one table by the names of their keys. The policy compiler implements it over TOML; each method
/// reports what it cannot read and returns the empty value.
pub trait TableReader<'a> {
    /// A table as written.
    type Table;
    /// Globs, or regular expressions between slashes.
    fn texts(&mut self, table: &Self::Table, key: &str) -> Vec<Pattern<'a>>;
    /// Globs between blanks, each for one word; those that a glob with braces stands for are separate.
    fn word_lists(&mut self, table: &Self::Table, key: &str) -> Vec<Vec<Vec<Pattern<'a>>>>;
    /// As [`TableReader::texts`]; `<protected>` is replaced by the protected branches.
    fn texts_with_protected(&mut self, table: &Self::Table, key: &str) -> Vec<Pattern<'a>>;
    /// Regular expressions over content.
    fn contents(&mut self, table: &Self::Table, key: &str) -> Vec<Pattern<'a>>;
    /// Globs on paths.
    fn paths(&mut self, table: &Self::Table, key: &str) -> Vec<PathPattern<'a>>;
    /// Options, each with a pattern on its value: `--force`, `--exec=GLOB`.
    fn flags(&mut self, table: &Self::Table, key: &str) -> Vec<(&'a str, Option<Pattern<'a>>)>;
    /// Options without values.
    fn bare_flags(&mut self, table: &Self::Table, key: &str) -> Vec<&'a str>;
    /// `true` or `false`.
    fn flag(&mut self, table: &Self::Table, key: &str) -> Option<bool>;
    /// A number from 0 to 255; 0 if the key is absent.
    fn count(&mut self, table: &Self::Table, key: &str) -> u8;
    /// A size in bytes.
    fn bytes(&mut self, table: &Self::Table, key: &str) -> Option<u64>;
    /// JSON pointers, each with a test on its value.
    fn args(&mut self, table: &Self::Table, key: &str) -> Vec<(&'a str, ValueTest<'a>)>;
    /// How sure a secret must be.
    fn confidences(&mut self, table: &Self::Table, key: &str) -> Vec<Confidence>;
    /// What a tool does.
    fn tool_effects(&mut self, table: &Self::Table, key: &str) -> Vec<ToolEffect>;
    /// How a ref changes.
    fn push_kinds(&mut self, table: &Self::Table, key: &str) -> Vec<PushKind>;
}

/// A struct of a rule's table. Each field names the method of [`TableReader`] by which its key is read.
macro_rules! table {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $field:ident: $type:ty = $way:ident,)* }) => {
        $(#[$about])*
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct $name<'a> { $($(#[$doc])* pub $field: $type),* }
        actions::wire_struct!($name { $($field),* });

        impl<'a> $name<'a> {
            /// Its keys as written.
            pub const KEYS: &'static [$crate::table::Key] =
                &[$($crate::table::may(stringify!($field), $crate::table::shape!($way))),*];

            /// Reads the table.
            pub fn read<R: $crate::table::TableReader<'a>>(reader: &mut R, table: &R::Table) -> Self {
                Self { $($field: reader.$way(table, stringify!($field))),* }
            }
        }
    };
}

/// The shape of a key by how it is read.
macro_rules! shape {
    (flag) => {
        $crate::table::Shape::Flag
    };
    (count) => {
        $crate::table::Shape::Number
    };
    (bytes) => {
        $crate::table::Shape::Number
    };
    (args) => {
        $crate::table::Shape::Map
    };
    ($texts:ident) => {
        $crate::table::Shape::Texts
    };
}

/// The kinds of *when*: the variant with its tables, its byte in the compiled form, its name, its keys as written.
macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident($table:ident) = $byte:literal, $name:literal, $keys:expr;)*) => {
        /// Which actions: any of the tables of one kind.
        #[derive(Clone, Debug, PartialEq)]
        pub enum When<'a> { $($(#[$doc])* $variant(Vec<$table<'a>>)),* }

        impl<'a> actions::wire::Wire<'a> for When<'a> {
            fn put(&self, out: &mut actions::wire::RecordOutput) {
                match self { $(Self::$variant(tables) => ($byte.put(out), tables.put(out))),* };
            }
            fn get(from: &mut actions::wire::Bytes<'a>) -> Option<Self> {
                Some(match u8::get(from)? { $($byte => Self::$variant(Wire::get(from)?),)* _ => return None })
            }
        }

        impl<'a> When<'a> {
            /// The name of the table.
            pub const fn kind(&self) -> &'static str {
                match self { $(Self::$variant(_) => $name),* }
            }

            /// The keys under which a rule or a waiver has one.
            pub const KINDS: &'static [$crate::table::Key] =
                &[$($crate::table::may($name, $crate::table::Shape::Tables($keys))),*];

            /// Reads the tables of one kind. `None` if there is no such kind.
            pub fn read<R: $crate::table::TableReader<'a>>(reader: &mut R, kind: &str, tables: &[R::Table]) -> Option<Self> {
                match kind {
                    $($name => Some(Self::$variant(tables.iter().map(|table| $table::read(reader, table)).collect())),)*
                    _ => None,
                }
            }
        }
    };
}

pub(crate) use {kinds, shape, table};
