//! Source text of many languages, read by one lexer that knows each language from data (`policies/layouts/*.toml`): its
//! comments, its strings, what a test and an assertion look like. Total and linear; knows neither paths nor rules.
#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros)]

mod change;
mod hollow;
mod lex;
mod node;
mod pattern;
mod soften;
mod types;
mod weaken;

use serde::Deserialize;

pub use change::{LineCounts, TestNeed, is_generated, need, removed_lines};
pub use lex::{SourceToken, TokenKind, lex};
pub use node::{NoTest, Node, SourceCode};
pub use pattern::{CodePattern, CodePatterns, glob};
pub use soften::Strengths;
pub use weaken::{Silencers, ToolSettings, Weakened, bare, settings_weakened, tests_weakened};

/// A language as data.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SourceLanguage {
    pub name: String,
    /// File extensions, without the dot.
    pub extensions: Vec<String>,
    /// What begins a comment that ends with its line.
    pub line: Vec<String>,
    /// A line comment begins only where a word could.
    pub tight: bool,
    /// Opening and closing of comments over lines. One that opens with `=` is at the start of a line.
    pub block: Vec<[String; 2]>,
    /// Block comments nest.
    pub nested: bool,
    pub strings: Vec<StringKind>,
    pub fences: Vec<Fence>,
    /// What opens a here-document: `<<` or `<<<`.
    pub heredoc: String,
    /// `'x'` is a character, and `'` alone a mark (lifetimes, type variables).
    pub chars: bool,
    /// `/…/` is a regular expression where a value could be.
    pub regex: bool,
    /// Signs that are in words beside letters, digits and `_`.
    pub word: String,
    /// Words are compared without case.
    pub fold: bool,
    /// Indentation shows where blocks end (or a word that is as far left as they began).
    pub indent: bool,
    pub types: types::Types,
    /// Tests.
    pub tests: CodePatterns,
    /// Definitions in which tests are found. None given: in all.
    pub holders: CodePatterns,
    /// What marks a test, or what holds tests, as not run.
    pub skips: CodePatterns,
    /// Calls that end a test where they are at its top.
    pub stops: CodePatterns,
    /// What keeps all tests of the text from running.
    pub skip_all: CodePatterns,
    /// What keeps all other tests from running.
    pub only: CodePatterns,
    /// Assertions.
    pub asserts: CodePatterns,
    /// Assertions that take one value for true, in this language alone.
    pub bare: Vec<String>,
    /// Words that an assertion is given besides what it compares.
    pub still: Vec<String>,
    /// Tests in documentation: what a comment or a string holds then.
    pub doctests: Vec<String>,
    /// Blocks of tests within a source.
    pub test_blocks: CodePatterns,
    /// Statements that need no test: imports, re-exports, types.
    pub free: CodePatterns,
    /// What ends such a statement where it holds code: the body of a method in an interface, of a class in a namespace.
    pub bodies: CodePatterns,
    /// What a text must hold to do anything; without it it only declares. None given: every text does.
    pub code: CodePatterns,
    /// Definitions; the last word is the name.
    pub defs: CodePatterns,
}

/// A kind of string.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StringKind {
    pub open: String,
    /// As `open`, where it is not given.
    pub close: Option<String>,
    /// The sign that takes the meaning from the next one.
    pub escape: String,
    /// The closing sign twice stands for itself.
    pub doubled: bool,
    /// It may hold line ends.
    pub lines: bool,
    /// Code within: opening and closing.
    pub code: Option<[String; 2]>,
}

/// A string whose ends carry a mark of their own: `r##"…"##`, `[==[…]==]`, `$tag$…$tag$`.
///
/// `open`, the fence, `then` begin it; `close`, the same fence, `end` end it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Fence {
    pub open: String,
    /// One sign that is repeated; empty: a word of any letters.
    pub fence: String,
    /// The fewest signs of the fence.
    pub least: usize,
    pub then: String,
    pub close: String,
    pub end: String,
}

#[cfg(test)]
#[path = "syntax_tests.rs"]
mod tests;
