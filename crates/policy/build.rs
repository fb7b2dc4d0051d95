//! Gives the crate the fingerprint of the compiled policy's form.

use std::env;
use std::path::Path;

mod form;

fn main() {
    let crates = Path::new(&env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("..");
    for file in form::FORM {
        println!("cargo::rerun-if-changed=../{file}");
    }
    println!("cargo::rustc-env=PORTCULLIS_FORM={:016x}", form::fingerprint(&crates));
}
