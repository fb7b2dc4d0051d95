//! The fingerprint of the compiled policy's form: a hash over the sources that lay it down and read it back. Build scripts
//! include this file.

use std::fs;
use std::path::Path;

/// The sources that decide the form, from the folder of all crates. `tests/it/built_in.rs` checks that there are no others.
pub(crate) const FORM: [&str; 11] = [
    "actions/src/lib.rs",
    "actions/src/program.rs",
    "actions/src/wire.rs",
    "policy/src/lib.rs",
    "policy/src/meter.rs",
    "policy/src/pattern.rs",
    "policy/src/pipeline.rs",
    "policy/src/secret.rs",
    "policy/src/section.rs",
    "policy/src/section/approval.rs",
    "policy/src/table.rs",
];

/// FNV-1a, 64 bits, over [`FORM`] without comments and line ends. `crates` is the folder of all crates.
pub(crate) fn fingerprint(crates: &Path) -> u64 {
    let mut hash = Fnv::default();
    for file in FORM {
        let source = fs::read(crates.join(file)).unwrap_or_default();
        hash.add(file, &code(&String::from_utf8_lossy(&source)));
    }
    hash.0
}

/// A source without its comments and line ends: what the compiler sees.
fn code(source: &str) -> Vec<u8> {
    source.lines().map(str::trim).filter(|line| !line.starts_with("//")).flat_map(str::bytes).collect()
}

/// FNV-1a, 64 bits.
pub(crate) struct Fnv(pub(crate) u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    /// Adds a name and a text, each with an end mark that occurs in neither.
    pub(crate) fn add(&mut self, name: &str, text: &[u8]) {
        for byte in name.bytes().chain([0xff]).chain(text.iter().copied()).chain([0xff]) {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}
