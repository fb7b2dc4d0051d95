//! Joins the compiled packs of `policies/compiled/` to the built-in policy, and gives all binaries of one source tree the
//! same build id: a hash over the sources and the shipped policies.
//!
//! It depends on no crate, so that nothing is compiled twice for it. It includes the few sources that it shares with the
//! crates.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::{env, fs};

#[path = "../policy/form.rs"]
mod form;
#[allow(unreachable_pub, reason = "a module of `policy-compiler`")]
#[path = "../policy-compiler/src/packs.rs"]
mod packs;
#[allow(dead_code, unreachable_pub, unused_macros, reason = "a module of `actions`, which uses the rest")]
#[path = "../actions/src/wire.rs"]
mod wire;

use form::Fnv;
use wire::{Pieces, TableWriter};

fn main() {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("../..");
    let mut files = vec!["Cargo.toml".to_owned()];
    println!("cargo::rerun-if-changed=../../Cargo.toml");
    for folder in ["src", "crates", "policies"] {
        collect(&root, folder.to_owned(), &mut files);
        println!("cargo::rerun-if-changed=../../{folder}");
    }
    files.sort();
    let mut build = Fnv::default();
    for file in files {
        build.add(&file, &fs::read(root.join(&file)).unwrap_or_default());
    }
    println!("cargo::rustc-env=PORTCULLIS_BUILD={:016x}", build.0);
    println!("cargo::rerun-if-changed=order.ld");
    // Functions of everyday calls are side by side in the static hook. The file adds to the linker's own script.
    let order = root.join("crates/gate/order.ld");
    if env::var("CARGO_CFG_TARGET_ENV").is_ok_and(|env| env == "musl") && order.is_file() {
        println!("cargo::rustc-link-arg-bin=portcullis-hook=-Wl,-T,{}", order.display());
    }
    let written = joined(&root).and_then(|bytes| {
        let path = Path::new(&env::var_os("OUT_DIR").unwrap_or_default()).join("built-in.policy");
        fs::write(path, bytes).map_err(|error| error.to_string())
    });
    if let Err(why) = written {
        println!("cargo::error={why}; run `cargo xtask refresh`");
    }
}

/// One policy of all compiled packs and descriptions of programs, in the order of their lists.
fn joined(root: &Path) -> Result<Vec<u8>, String> {
    let magic = format!("portcullis policy {:016x}\n", form::fingerprint(&root.join("crates")));
    let (mut programs, mut rules) = (TableWriter::default(), TableWriter::default());
    let (mut lists, mut rest): (Vec<String>, Cow<[u8]>) = <_>::default();
    let mut pieces = Vec::new();
    let mut list = String::new();
    for (path, text) in packs::PACKS.iter().chain(packs::PROGRAMS) {
        let file = packs::compiled(path);
        list.extend([format!("({path:?}, include_bytes!({:?})),\n", root.join(&file).display().to_string())]);
        let bytes = fs::read(root.join(&file)).map_err(|error| format!("{file}: {error}"))?;
        let mut source = Fnv::default();
        source.add(path, text.as_bytes());
        let piece = bytes.strip_prefix(&source.0.to_le_bytes()).ok_or_else(|| format!("{file} was compiled from another {path}"))?;
        if !piece.starts_with(magic.as_bytes()) {
            return Err(format!("{file} has the form of another build"));
        }
        if packs::is_on(path, text) {
            pieces.push((file, piece.to_vec()));
        }
    }
    let list = format!(
        "/// Each pack and description of programs with its compiled form, behind eight bytes that name its source.\npub static PIECES: &[(&str, &[u8])] = &[\n{list}];\n"
    );
    fs::write(Path::new(&env::var_os("OUT_DIR").unwrap_or_default()).join("pieces.rs"), list).map_err(|error| error.to_string())?;
    for (file, piece) in &pieces {
        let sealed = wire::unseal(magic.as_bytes(), Pieces::Memory(piece)).filter(|_| wire::is_intact(magic.as_bytes(), piece));
        let damaged = || format!("{file} is damaged");
        let wire::Sealed { head, tables: [own_programs, own_rules, _] } = sealed.ok_or_else(damaged)?;
        let (own_lists, own_rest): (Vec<&str>, Cow<[u8]>) = wire::read_back(head).ok_or_else(damaged)?;
        programs.append(&own_programs).and_then(|()| rules.append(&own_rules)).ok_or_else(damaged)?;
        lists.resize(own_lists.len(), String::new());
        for (list, own) in lists.iter_mut().zip(own_lists).filter(|(_, own)| !own.is_empty()) {
            list.push_str(if list.is_empty() { "" } else { " " });
            list.push_str(own);
        }
        // Only one pack says something here: the one that names the protected branches.
        rest = if own_rest.len() > rest.len() { own_rest } else { rest };
    }
    let lists: Vec<&str> = lists.iter().map(String::as_str).collect();
    let head = wire::lay_down(&(lists, rest));
    Ok(wire::seal(magic.as_bytes(), &head, [programs, rules, TableWriter::default()]))
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
