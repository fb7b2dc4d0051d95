//! Verdicts to people. Does not judge and does not re-word what rules say.
#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros)]

#[cfg(feature = "cold")]
pub mod explain;
#[cfg(feature = "cold")]
pub mod json;
pub mod plain;
