//! The binaries to install: built from a source tree with cargo, or those of a release.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::cli::refusal::Refusal;
use crate::cli::terminal::progress;
use clients::settings::PROGRAM;

#[derive(Debug)]
pub(super) struct Built {
    executables: BTreeMap<String, PathBuf>,
    pub target: String,
    /// The hook links nothing when it starts.
    pub is_static: bool,
}

impl Built {
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.executables.get(name).cloned().unwrap_or_default()
    }
}

/// Where the binaries come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum BinarySource {
    /// They are built in this source tree.
    Tree(PathBuf),
    /// They are in this folder, beside the program that runs.
    Release(PathBuf),
}

/// Finds what to install: what is named, the tree of `cargo run`, the release that this program is of, or the tree in the
/// working folder.
///
/// # Errors
///
/// There is neither a source tree nor a release.
pub(super) fn origin(named: Option<&Path>) -> Result<BinarySource, Refusal> {
    let is_source = |folder: &Path| fs::read_to_string(folder.join("Cargo.toml")).is_ok_and(|text| text.lines().any(|line| line == "name = \"portcullis\""));
    let refused =
        |why: String| Refusal::new("nothing was installed", why, "go into a clone and run `cargo run --release -- install`, or name one with `--source DIR`");
    if let Some(named) = named {
        let named = fs::canonicalize(named).map_err(|error| refused(format!("`{}`: {error}", named.display())))?;
        return if is_source(&named) { Ok(BinarySource::Tree(named)) } else { Err(refused(format!("`{}` is not the source of portcullis", named.display()))) };
    }
    // `cargo run` tells where the package is.
    if let Some(told) = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).filter(|folder| is_source(folder)) {
        return Ok(BinarySource::Tree(told));
    }
    let own = gate::world::system::own_folder().filter(|folder| folder.join(PROGRAM).is_file());
    if let Some(unpacked) = unpacked() {
        return Ok(BinarySource::Release(unpacked.to_path_buf()));
    }
    if let Some(here) = env::current_dir().ok().filter(|folder| is_source(folder)) {
        return Ok(BinarySource::Tree(here));
    }
    let own = own.map(|folder| BinarySource::Release(folder.to_path_buf()));
    own.ok_or_else(|| refused("neither the source of portcullis is here, nor `portcullis-hook` beside this program".to_owned()))
}

/// The folder of this program, if that is an unpacked archive of a release: there the programs will not stay.
pub fn unpacked() -> Option<&'static Path> {
    let own = gate::world::system::own_folder().filter(|folder| folder.join(PROGRAM).is_file());
    own.filter(|folder| PAPERS.iter().all(|paper| folder.join(paper).is_file()))
}

/// Beside the binaries of an unpacked archive.
const PAPERS: [&str; 2] = ["CHANGELOG.md", "LICENSE-MIT"];

/// The target for which a binary links nothing when it starts, which is most of what starting costs.
pub(super) fn static_target() -> String {
    format!("{}-unknown-linux-musl", env::consts::ARCH)
}

/// What builds the hook: its package alone, so that nothing is linked into it that others ask for.
const HOOK: [&str; 4] = ["--package", "gate", "--bin", PROGRAM];

/// Builds the hook without optimisation, as the tests start it.
///
/// # Errors
///
/// Cargo cannot build it.
pub fn hook_for_tests(source: &Path) -> Result<PathBuf, Refusal> {
    // Without the package: its build script then shares the crates that `cargo test` has compiled.
    Ok(cargo(source, &["--bin", PROGRAM])?.remove(PROGRAM).unwrap_or_default())
}

/// The binaries of a release.
///
/// # Errors
///
/// One of them is missing.
pub(super) fn released(folder: &Path) -> Result<Built, Refusal> {
    let names = ["portcullis", PROGRAM];
    if let Some(missing) = names.iter().map(|name| folder.join(name)).find(|path| !path.is_file()) {
        return Err(Refusal::new("nothing was installed", format!("`{}` is missing", missing.display()), "unpack the whole archive anew"));
    }
    let executables = names.iter().map(|name| ((*name).to_owned(), folder.join(name))).collect();
    Ok(Built { executables, target: env!("PORTCULLIS_TARGET").to_owned(), is_static: cfg!(target_env = "musl") })
}

/// Builds both of them; what is built already is not built again.
pub(super) fn all(source: &Path) -> Result<Built, Refusal> {
    let mut executables = cargo(source, &["--release", "--bin", "portcullis"])?;
    // Its own profile: link-time optimisation pays for what runs on every call, and for nothing else.
    let hook = [&HOOK[..], &["--profile", "hook"]].concat();
    let target = static_target();
    let found = match have(source, &target) {
        Ok(()) => cargo(source, &[&hook[..], &["--target", &target]].concat()).map_err(|refusal| refusal.why),
        Err(why) => Err(why),
    };
    let (found, is_static, target) = match found {
        Ok(found) => (found, true, target),
        Err(why) => {
            progress(&format!("the hook is built for the default target, so it starts more slowly: {why}"));
            (cargo(source, &hook)?, false, "default".to_owned())
        }
    };
    executables.extend(found);
    Ok(Built { executables, target, is_static })
}

/// Sees to the target's standard library; why it is not to be had.
fn have(source: &Path, target: &str) -> Result<(), String> {
    if !cfg!(target_os = "linux") {
        return Err(format!("{target} runs on Linux only"));
    }
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| OsString::from("rustc"));
    let folder = Command::new(rustc).args(["--print", "target-libdir", "--target", target]).current_dir(source).stderr(Stdio::null()).output();
    let folder = folder.ok().map(|output| PathBuf::from(String::from_utf8_lossy(&output.stdout).trim().to_owned()));
    let there = |folder: &PathBuf| fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
    if folder.as_ref().is_some_and(there) {
        return Ok(());
    }
    progress(&format!("adding the target {target} with rustup"));
    let added = Command::new("rustup").args(["target", "add", target]).current_dir(source).stdin(Stdio::null()).stdout(Stdio::null()).status();
    match added {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err(format!("rustup could not add {target}")),
        Err(_) => Err(format!("the toolchain has no {target}, and there is no rustup to add it")),
    }
}

/// Builds with these arguments, and gives every executable by its name.
fn cargo(source: &Path, arguments: &[&str]) -> Result<BTreeMap<String, PathBuf>, Refusal> {
    progress(&format!("cargo build {}", arguments.join(" ")));
    let cargo = env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(cargo);
    command.args(["build", "--message-format", "json-render-diagnostics"]).args(arguments);
    if source.join("Cargo.lock").is_file() {
        command.arg("--locked");
    }
    // What `cargo run` has set for this package is not for the next cargo.
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(|name| {
            name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_BIN_") || name == "CARGO_MANIFEST_DIR" || name == "CARGO_MANIFEST_PATH"
        }) {
            command.env_remove(name);
        }
    }
    let output = command.current_dir(source).stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let refused = |why: String| Refusal::new("nothing was installed", why, "see the message of cargo above");
    let output = output.map_err(|error| refused(format!("cargo cannot be started: {error}")))?;
    if !output.status.success() {
        return Err(refused("cargo could not build it".to_owned()));
    }
    let messages = String::from_utf8_lossy(&output.stdout);
    let executables = messages.lines().filter_map(|line| {
        let message: Value = serde_json::from_str(line).ok()?;
        let path = message.get("executable")?.as_str()?;
        let name = message.get("target")?.get("name")?.as_str()?;
        Some((name.to_owned(), PathBuf::from(path)))
    });
    Ok(executables.collect())
}
