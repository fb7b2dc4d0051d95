//! Reads the text of a shell command into a tree, as bash 5.2 or zsh would read it. Nothing is expanded, run or judged.
//!
//! [`parse::read`] takes any text and always returns: what the shell would refuse is a [`ast::Fault`] beside the tree.
#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros)]
#![forbid(unsafe_code)]

pub mod ast;
pub mod braces;
pub mod escapes;
pub mod parse;
