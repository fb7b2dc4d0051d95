//! Verdicts to people. Does not judge and does not re-word what rules say.
#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros)]

pub mod changes;
pub mod explain;
pub mod github;
pub mod json;
pub mod junit;
pub mod sarif;
