//! Policy files to a compiled policy: reads TOML, reports every mistake with its place, compiles patterns and programs.
//! Touches no file. The compiled form itself is `policy`'s.
#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros)]

pub mod compile;
pub mod examples;
pub mod mistake;
pub mod packs;
pub mod schema;
pub mod validate;
