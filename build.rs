//! Gives both binaries of one source tree the same build id: a hash over the sources and the shipped policies. And a
//! fingerprint of the compiled policy's form: a hash over the sources that lay it down.

use std::path::Path;
use std::{env, fs};

/// What lays a compiled policy down and reads it back. `tests/it/built_in.rs` holds that there are no others.
const FORM: [&str; 6] =
    ["src/action/program.rs", "src/policy.rs", "src/policy/pattern.rs", "src/policy/section.rs", "src/policy/table.rs", "src/policy/wire.rs"];

fn main() {
    let root = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default();
    let mut files = vec!["Cargo.toml".into(), "build.rs".into()];
    let mut folders = vec!["src".to_owned(), "policies".to_owned()];
    for entry in fs::read_dir(Path::new(&root).join("crates")).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        folders.push(format!("crates/{name}/src"));
        files.push(format!("crates/{name}/Cargo.toml"));
    }
    for folder in folders {
        println!("cargo::rerun-if-changed={folder}");
        collect(Path::new(&root), folder, &mut files);
    }
    files.sort();
    let (mut build, mut form) = (0xcbf2_9ce4_8422_2325, 0xcbf2_9ce4_8422_2325);
    for file in files {
        let bytes = fs::read(Path::new(&root).join(&file)).unwrap_or_default();
        hash(&mut build, &file, &bytes);
        if FORM.contains(&file.as_str()) {
            hash(&mut form, &file, &said(&String::from_utf8_lossy(&bytes)));
        }
    }
    println!("cargo::rustc-env=PORTCULLIS_BUILD={build:016x}");
    println!("cargo::rustc-env=PORTCULLIS_FORM={form:016x}");
}

/// FNV-1a over a name and a text, with an end mark that occurs in neither.
fn hash(hash: &mut u64, name: &str, text: &[u8]) {
    for byte in name.bytes().chain([0xff]).chain(text.iter().copied()).chain([0xff]) {
        *hash = (*hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
}

/// A source without its comments and line ends: what it says to the compiler.
fn said(source: &str) -> Vec<u8> {
    source.lines().map(str::trim).filter(|line| !line.starts_with("//")).flat_map(str::bytes).collect()
}

fn collect(root: &Path, folder: String, files: &mut Vec<String>) {
    for entry in fs::read_dir(root.join(&folder)).into_iter().flatten().flatten() {
        let name = format!("{folder}/{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            collect(root, name, files);
        } else {
            files.push(name);
        }
    }
}
