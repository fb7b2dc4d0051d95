//! See `parsers.rs` beside the manifest.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../parsers.rs"]
#[allow(dead_code)]
mod parsers;

fuzz_target!(|input: &[u8]| parsers::check(input));
