//! The judgement of one call, from the bytes of an event to the bytes of an answer. Links nothing but libc.
//!
//! `hook` is the process; `call` strings the stages together; `judge` is the one function that reads, asks and decides;
//! `deep` names what only the cold binary can find out; `notes` are what a judgement leaves behind.

pub mod answer;
pub mod approval;
pub mod call;
pub mod chain;
pub mod deep;
pub mod digest;
mod ended;
pub mod failure;
pub mod first_look;
pub mod hook;
pub mod judge;
pub mod metering;
pub mod notes;
pub mod record;
pub mod refusal;
pub mod release;
mod gating;
mod session;
pub mod stall;
pub mod underline;
pub mod world;

/// The build: version and a hash of the sources. The hook and the cold binary must agree on it.
pub const BUILD: &str = concat!(env!("CARGO_PKG_VERSION"), "+", env!("PORTCULLIS_BUILD"));
/// The packs that are on by default, compiled by `build.rs`.
pub static BUILT_IN: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/built-in.policy"));
include!(concat!(env!("OUT_DIR"), "/pieces.rs"));
/// Bytes of an event that are read; a larger one is denied.
pub const MAX_INPUT: usize = 24 << 20;
