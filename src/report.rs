//! Verdicts to people. Does not judge and does not re-word what rules say.
#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros)]

#[cfg(feature = "cold")]
pub mod changes;
#[cfg(feature = "cold")]
pub mod explain;
#[cfg(feature = "cold")]
pub mod github;
#[cfg(feature = "cold")]
pub mod json;
#[cfg(feature = "cold")]
pub mod junit;
pub mod plain;
#[cfg(feature = "cold")]
pub mod sarif;
pub mod underline;
