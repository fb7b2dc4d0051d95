//! Gives the crate the fingerprint of the compiled policy's form, and makes the table of the forms of secrets from
//! `policies/secret-formats.txt`.

use std::path::Path;
use std::{env, fs};

mod form;

fn main() {
    let crates = Path::new(&env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("..");
    for file in form::FORM {
        println!("cargo::rerun-if-changed=../{file}");
    }
    println!("cargo::rustc-env=PORTCULLIS_FORM={:016x}", form::fingerprint(&crates));
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
