//! Measurements of the whole gate that are too long for every run: how the work grows with the input, how much of real
//! scripts can be read, and whether git's options are read as git reads them. Each has a short form, which `cargo test`
//! runs, and a long one, which a variable of the environment asks for; the head of each module says which.
#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test fails by panicking, and says how it went")]

mod git_options;
mod growth;
mod scripts;
#[path = "../it/support.rs"]
#[expect(dead_code, reason = "the other test binary uses the rest")]
mod support;
