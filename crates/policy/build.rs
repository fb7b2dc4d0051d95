//! Makes a fingerprint of the compiled policy's form: a hash over the sources that lay it down and read it back. Makes the
//! table of the forms of secrets from `policies/secret-formats.txt`.

use std::path::Path;
use std::{env, fs};

/// The sources that decide the form, from the folder of all crates. `tests/it/built_in.rs` checks that there are no others.
const FORM: [&str; 6] =
    ["actions/src/program.rs", "actions/src/wire.rs", "policy/src/lib.rs", "policy/src/pattern.rs", "policy/src/section.rs", "policy/src/table.rs"];

fn main() {
    let crates = Path::new(&env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("..");
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for file in FORM {
        println!("cargo::rerun-if-changed=../{file}");
        let source = fs::read(crates.join(file)).unwrap_or_default();
        let code = code(&String::from_utf8_lossy(&source));
        for byte in file.bytes().chain([0xff]).chain(code).chain([0xff]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    println!("cargo::rustc-env=PORTCULLIS_FORM={hash:016x}");
    println!("cargo::rerun-if-changed=../../policies/secret-formats.txt");
    let forms = fs::read_to_string(crates.join("../policies/secret-formats.txt")).unwrap_or_default();
    let forms: Vec<String> = forms.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(secret_format).collect();
    let made = Path::new(&env::var_os("OUT_DIR").unwrap_or_default()).join("formats.rs");
    fs::write(made, format!("&[{}]", forms.join(", "))).unwrap_or_else(|error| println!("cargo::error=formats.rs: {error}"));
}

/// A line of the forms of secrets, as code.
fn secret_format(line: &str) -> String {
    let fields: Vec<&str> = line.split(" | ").collect();
    let (check, confidence) = match fields.get(5) {
        Some(&"Likely") => ("Chance", "Likely"),
        check => (check.copied().unwrap_or("Chance"), "Certain"),
    };
    let [kind, mark, letters, least, most, ..] = fields.as_slice() else { return format!("compile_error!({line:?})") };
    format!(
        "SecretFormat {{ kind: {kind:?}, mark: {mark:?}, letters: Letters::{letters}, least: {least}, most: {most}, \
         check: Check::{check}, confidence: Confidence::{confidence} }}"
    )
}

/// A source without its comments and line ends: what the compiler sees.
fn code(source: &str) -> Vec<u8> {
    source.lines().map(str::trim).filter(|line| !line.starts_with("//")).flat_map(str::bytes).collect()
}
