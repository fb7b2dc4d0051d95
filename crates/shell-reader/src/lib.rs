//! Reads the text of a shell command into a tree with the place of every part, as bash 5.2 reads it, or zsh 5.9.
//! Nothing is expanded, run, looked up or judged.
//!
//! [`parse::read`] takes any text. It never fails, never panics and never hangs:
//!
//! - What the shell would refuse is a [`ast::Fault`] beside the tree, and reading continues behind it. Bash runs the lines in
//!   front of a mistake, so what was read before a fault stays in the tree.
//! - It takes time and memory in proportion to the length of the text.
//! - It has no dependency and no `unsafe` code.
//!
//! # Limits
//!
//! A limit that is reached is a fault too, with `refused_by_shell: false`: the shell would continue, and what it would run
//! behind that place might not be in the tree.
//!
//! | limit | what happens there |
//! | --- | --- |
//! | 60 constructs within each other | "nested too deep": reading ends; what was read so far stays |
//! | each byte read 32 times again, on average, and 32 KiB in all for short texts | "too involved to read": reading ends; what was read so far stays |
//! | 4 GiB of text | "too long to read": the tree is empty |
//! | 100 faults | further mistakes of the text are not noted; what can be read is read |
//! | 64 words out of one by [`braces::braces`] | it returns `None` |
//!
//! A few texts that bash itself reads in a way of its own (a here-document that begins within an open quote, for example) are
//! faults of the same kind, each with its reason.
//!
//! # Spans
//!
//! Words, commands, assignments, redirections, expansions and the bodies of here-documents have a [`ast::Span`]: bytes of the
//! text that was given. A span lies within the one of what it is part of; only the body of a here-document is apart from
//! its redirection. Texts within the text have their own places as far as their characters are there one to one. Where they
//! do not (backquotes with backslashes in front of `$`, `` ` `` or `\`, `<<-` with tabs, lines that a backslash joins in
//! a here-document, `$'…'` in arithmetic), everything in them has the span of the whole construct. Texts that only exist when
//! a command runs (of `eval`, of an alias) are not read here.
#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros)]
#![forbid(unsafe_code)]

pub mod ast;
pub mod braces;
pub mod escapes;
pub mod parse;

/// The example of the README is a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
