//! Everything that a change must pass, from a fresh clone on a machine with rustup.

use anyhow::{Result, bail};

use crate::bench;
use crate::hook;
use crate::packages;
use crate::step::{Step, command, output, pass};
use crate::workflows;
use crate::workspace::{HOOK, hook_member};

/// The only crate of others that the hook links.
const LINKED: &str = "libc";

pub(crate) fn steps() -> Vec<Step> {
    vec![
        Step::action("tools", |_| tools()),
        Step::command("cargo fmt --all --check"),
        Step::action("workflows", |_| workflows::check()),
        Step::command("cargo clippy --locked --workspace --all-targets -- -D warnings"),
        Step::action("clippy of the hook alone", |_| clippy_of_the_hook()),
        Step::command("cargo deny check bans licenses sources"),
        // The README's second command. A trial that cannot be run in a jail is a failure here.
        Step::command("cargo test").with("PORTCULLIS_JAIL", "required"),
        Step::action("crates of the hook", |_| crates_of_the_hook()),
        Step::action("install", |state| hook::wires(hook::shipped(state)?)),
        Step::action("call", |state| hook::judges(&hook::shipped(state)?.hook, None)),
        Step::action("packages", packages::of_shipped),
        Step::action("startup", |state| hook::startup(hook::shipped(state)?)),
        Step::action("counts", bench::check_counts),
        Step::action("own policy", |state| hook::own_policy(hook::shipped(state)?)),
    ]
}

/// Installs what the steps need and rustup, cargo or apt can bring.
fn tools() -> Result<()> {
    pass(command("rustc").arg("--version"))?;
    for (subcommand, component) in [("fmt", "rustfmt"), ("clippy", "clippy")] {
        if !works("cargo", &[subcommand, "--version"]) {
            pass(command("rustup").args(["component", "add", component]))?;
        }
    }
    if !works("cargo", &["deny", "--version"]) {
        pass(command("cargo").args(["install", "--locked", "cargo-deny"]))?;
    }
    pass(command("cargo").args(["deny", "--version"]))?;
    // Tests that need one of these say so where it is missing, and are not run.
    for package in ["zsh", "redis-server", "strace", "tmux", "expect", "at"] {
        if ["--version", "-V", "-v"].iter().any(|option| works(package, &[option])) {
            continue;
        }
        let install = || pass(command("apt-get").args(["update", "-qq"])).and_then(|()| pass(command("apt-get").args(["install", "-y", "-qq", package])));
        if let Err(error) = install() {
            println!("{package} is missing and could not be installed ({error:#}); install it to run the tests that need it");
        }
    }
    Ok(())
}

fn works(program: &str, arguments: &[&str]) -> bool {
    command(program).args(arguments).output().is_ok_and(|output| output.status.success())
}

fn clippy_of_the_hook() -> Result<()> {
    let package = hook_member()?.name;
    pass(command("cargo").args(["clippy", "--locked", "--package", &package, "--no-default-features", "--bin", HOOK, "--", "-D", "warnings"]))
}

/// The hook links our own crates and `libc`.
fn crates_of_the_hook() -> Result<()> {
    let package = hook_member()?.name;
    let tree = output(command("cargo").args([
        "tree",
        "--locked",
        "--package",
        &package,
        "--no-default-features",
        "--edges",
        "normal",
        "--prefix",
        "none",
        "--format",
        "{p}",
    ]))?;
    println!("{tree}");
    for line in tree.lines().filter(|line| !line.is_empty()) {
        // A member is shown with its folder.
        let ours = line.split(' ').nth(2).is_some_and(|place| place.starts_with("(/"));
        if !ours && line.split(' ').next() != Some(LINKED) {
            bail!("the hook links `{line}`, which is not our own");
        }
    }
    Ok(())
}
