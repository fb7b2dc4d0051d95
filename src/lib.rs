//! Portcullis: judges what a coding agent is about to do. The modules stand in the order in which a call meets them.

pub mod door;
pub mod world;
pub mod failure;
pub mod answer;
pub mod report;
pub mod record;
#[cfg(feature = "cold")]
pub mod flywheel;
pub mod pipeline;
#[cfg(feature = "cold")]
pub mod cli;

/// The build: version and a hash of the sources. The hot and the cold binary must agree on it.
pub const BUILD: &str = concat!(env!("CARGO_PKG_VERSION"), "+", env!("PORTCULLIS_BUILD"));
