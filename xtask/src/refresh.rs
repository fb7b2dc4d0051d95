//! Writes all generated files again. The compiled packs are first, since the gate is built from them. Each other file is
//! made by the test that compares it; the variable turns comparing into writing.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::step::{Step, command, output, pass};
use crate::workspace::{members, root};

const VARIABLE: &str = "PORTCULLIS_REFRESH";
/// A file can be made from another generated file, so that one pass is not always enough.
const PASSES: usize = 4;

/// The arguments of `cargo test` that choose a test binary, and the modules that are run in it.
type Chosen = BTreeMap<Vec<String>, Vec<String>>;

pub(crate) fn steps() -> Result<Vec<Step>> {
    let chosen = chosen()?;
    let lines = chosen.iter().map(|(binary, modules)| {
        let filter = if modules.is_empty() { String::new() } else { format!(" -- {}", modules.join(" ")) };
        format!("cargo test {}{filter}", binary.join(" "))
    });
    let lines: Vec<String> = lines.collect();
    let name = lines.iter().map(|line| format!("{VARIABLE}=1 {line}")).collect::<Vec<_>>().join("\n   ");
    let packs = "cargo run --quiet --package policy-compiler --bin compile-packs";
    Ok(vec![Step::command(packs), Step::action(&name, move |_| write(&lines)), Step::command("git status --short")])
}

/// Runs the tests until they change nothing and pass.
fn write(lines: &[String]) -> Result<()> {
    let state = || output(command("git").args(["diff", "HEAD", "--binary"]));
    let mut before = state()?;
    for _ in 0..PASSES {
        let mut failed = None;
        for line in lines {
            let words: Vec<&str> = line.split(' ').collect();
            let (program, rest) = words.split_first().context("a line without a command")?;
            if let Err(error) = pass(command(program).args(rest).env(VARIABLE, "1")) {
                failed = Some(error);
            }
        }
        let after = state()?;
        match failed {
            None if after == before => return Ok(()),
            Some(error) if after == before => return Err(error).context("the files were written, but a test still fails"),
            // What was compiled in was the old file.
            _ => before = after,
        }
    }
    bail!("the generated files still change after {PASSES} passes: something in them differs from run to run");
}

/// Every test module that knows the variable.
fn chosen() -> Result<Chosen> {
    let mut chosen = Chosen::new();
    for member in members()?.into_iter().filter(|member| member.name != env!("CARGO_PKG_NAME")) {
        let folder = root().join(&member.folder);
        for part in ["src", "tests"] {
            for file in sources(&folder.join(part))? {
                if !fs::read_to_string(&file).with_context(|| file.display().to_string())?.contains(VARIABLE) {
                    continue;
                }
                let place: Vec<String> =
                    file.with_extension("").strip_prefix(folder.join(part)).unwrap_or(&file).iter().map(|part| part.display().to_string()).collect();
                // A unit test, the file of a test binary of its own, or a module of one.
                let (binary, module) = match (part, place.split_first()) {
                    ("tests", Some((binary, rest))) => (vec!["--test".to_owned(), binary.clone()], rest.join("::")),
                    _ => (vec!["--package".to_owned(), member.name.clone(), "--lib".to_owned()], String::new()),
                };
                let modules = chosen.entry(binary).or_default();
                if !module.is_empty() {
                    modules.push(format!("{module}::"));
                }
            }
        }
    }
    Ok(chosen)
}

/// All Rust files below a folder, in order. `None` if there is no such folder.
fn sources(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    if folder.is_dir() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                found.extend(sources(&path)?);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}
