//! Compiles the shipped packs into the binaries, and gives all binaries of one source tree the same build id: a hash over
//! the sources and the shipped policies.

use std::path::{Path, PathBuf};
use std::{env, fs};

use policy_compiler::compile::{Input, compile};
use policy_compiler::packs::{PACKS, PROGRAMS};

fn main() {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("../..");
    let mut files = vec!["Cargo.toml".to_owned()];
    for folder in ["src", "crates", "policies"] {
        collect(&root, folder.to_owned(), &mut files);
        println!("cargo::rerun-if-changed=../../{folder}");
    }
    files.sort();
    let (mut build, mut packs) = (Fnv::default(), Fnv::default());
    for file in files {
        let bytes = fs::read(root.join(&file)).unwrap_or_default();
        build.add(&file, &bytes);
        // What the compiled packs depend on.
        if ["policies/", "crates/policy/", "crates/policy-compiler/", "crates/actions/src/program.rs", "crates/actions/src/wire.rs"]
            .iter()
            .any(|part| file.starts_with(part))
        {
            packs.add(&file, &bytes);
        }
    }
    println!("cargo::rustc-env=PORTCULLIS_BUILD={:016x}", build.0);
    if let Err(mistakes) = built_in(packs.0) {
        println!("cargo::error=the shipped packs do not compile:");
        mistakes.lines().for_each(|line| println!("cargo::error={line}"));
    }
}

/// Writes the compiled packs, unless they are of these sources already: compiling them takes longer than all else here.
fn built_in(sources: u64) -> Result<(), String> {
    let folder = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    let (policy, key) = (folder.join("built-in.policy"), folder.join("built-in.key"));
    let sources = format!("{sources:016x}");
    if policy.is_file() && fs::read_to_string(&key).is_ok_and(|known| known == sources) {
        return Ok(());
    }
    let input = Input { build: "", compiled_at: 0, packs: PACKS, programs: PROGRAMS, layers: &[], files: Vec::new() };
    let compiled = compile(&input).map_err(|mistakes| input.render(&mistakes, false))?;
    fs::write(&policy, &compiled.bytes).and_then(|()| fs::write(&key, sources)).map_err(|error| error.to_string())
}

/// FNV-1a, 64 bits.
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    /// Adds a name and a text, each with an end mark that occurs in neither.
    fn add(&mut self, name: &str, text: &[u8]) {
        for byte in name.bytes().chain([0xff]).chain(text.iter().copied()).chain([0xff]) {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
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
