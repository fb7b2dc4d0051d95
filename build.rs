//! Gives all binaries of one source tree the same build id: a hash over the sources and the shipped policies.

use std::path::Path;
use std::{env, fs};

fn main() {
    let root = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default();
    let mut files = vec!["Cargo.toml".into(), "build.rs".into()];
    for folder in ["src", "crates", "policies"] {
        collect(Path::new(&root), folder.into(), &mut files);
        println!("cargo::rerun-if-changed={folder}");
    }
    files.sort();
    let mut build = 0xcbf2_9ce4_8422_2325;
    for file in files {
        let bytes = fs::read(Path::new(&root).join(&file)).unwrap_or_default();
        hash(&mut build, &file, &bytes);
    }
    println!("cargo::rustc-env=PORTCULLIS_BUILD={build:016x}");
}

/// FNV-1a over a name and a text, with an end mark that occurs in neither.
fn hash(hash: &mut u64, name: &str, text: &[u8]) {
    for byte in name.bytes().chain([0xff]).chain(text.iter().copied()).chain([0xff]) {
        *hash = (*hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
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
