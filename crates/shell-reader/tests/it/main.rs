//! The reader from outside: trees as they are printed, what holds of every tree, and what real shells say of the same texts.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test fails by panicking, in its helpers too")]

mod mutate;
mod nodes;
mod properties;
mod shells;
mod snapshots;

use std::path::{Path, PathBuf};

/// A file beside these tests.
pub(crate) fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/texts").join(name)
}

/// Texts of a file, with `%%` between them.
pub(crate) fn texts(name: &str) -> Vec<String> {
    let text = std::fs::read_to_string(file(name)).unwrap();
    text.strip_suffix('\n').unwrap_or(&text).split("\n%%\n").map(str::to_owned).collect()
}
