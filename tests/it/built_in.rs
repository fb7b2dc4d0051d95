//! What is compiled into the binaries is what stands in `policies/`.

use std::collections::BTreeSet;
use std::fs;

use crate::support::package;
use portcullis::cli::compiling;
use portcullis::policy::packs::{PACKS, PROGRAMS};

/// Set to make generated files anew instead of comparing them.
const REFRESH: &str = "PORTCULLIS_REFRESH";

#[test]
fn the_compiled_policy_is_fresh() {
    let compiled = compiling::built_in().unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let path = package().join("policies/compiled.bin");
    if std::env::var_os(REFRESH).is_some() {
        fs::write(&path, &compiled.bytes).unwrap();
    }
    let fresh = fs::read(&path).unwrap() == compiled.bytes;
    assert!(fresh, "policies/compiled.bin is not what policies/*.toml compile to; run `{REFRESH}=1 cargo test built_in`");
}

#[test]
fn every_policy_file_is_shipped() {
    let shipped: BTreeSet<String> = PACKS.iter().chain(PROGRAMS).map(|(path, _)| (*path).to_owned()).collect();
    let mut found = BTreeSet::new();
    for folder in ["policies", "policies/programs"] {
        for entry in fs::read_dir(package().join(folder)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if std::path::Path::new(&name).extension().is_some_and(|extension| extension == "toml") {
                found.insert(format!("{folder}/{name}"));
            }
        }
    }
    assert_eq!(shipped, found);
}
