//! Gives both binaries of one source tree the same build id: a hash over the sources and the shipped policies.

use std::path::Path;
use std::{env, fs};

fn main() {
    let root = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default();
    let mut files = vec!["Cargo.toml".into(), "build.rs".into()];
    for folder in ["src", "policies"] {
        collect(Path::new(&root), folder.into(), &mut files);
        println!("cargo::rerun-if-changed={folder}");
    }
    files.sort();
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    for file in files {
        let bytes = fs::read(Path::new(&root).join(&file)).unwrap_or_default();
        // FNV-1a over each name and text, with an end mark that occurs in neither.
        for byte in file.bytes().chain([0xff]).chain(bytes).chain([0xff]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    println!("cargo::rustc-env=PORTCULLIS_BUILD={hash:016x}");
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
