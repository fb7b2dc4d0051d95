//! The first step of the action: what it fetches, what it refuses, and when it builds. The release is a folder, and cargo and the
//! programs are scripts.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use crate::support::{Said, Scratch, package, run};

const VERSION: &str = "9.9.9";

/// The script of the step with this name.
fn script(name: &str) -> String {
    let action = fs::read_to_string(package().join("action.yml")).unwrap();
    let step = action.split(&format!("- name: {name}\n")).nth(1).unwrap().split("\n    - name: ").next().unwrap();
    let lines: Vec<&str> = step.split("run: |\n").nth(1).unwrap().lines().map(|line| line.trim_start_matches("        ")).collect();
    lines.join("\n")
}

fn program(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// A release of scripts, published below the home.
fn publish(scratch: &Scratch) {
    let machine = run(Command::new("uname").arg("-m"), b"").stdout.trim().replace("arm64", "aarch64");
    let name = format!("portcullis-{VERSION}-{machine}-unknown-linux-musl");
    let published = scratch.home().join(format!("published/releases/download/v{VERSION}"));
    for file in ["portcullis", "portcullis-hook"] {
        program(&published.join(&name).join(file), "echo released");
    }
    let pack = format!("tar -czf {name}.tar.gz {name} && sha256sum {name}.tar.gz >SHA256SUMS");
    assert_eq!(run(Command::new("/bin/sh").args(["-c", &pack]).current_dir(&published), b"").code, 0);
}

/// Runs the step for a ref of the action, and returns what it said and the folders that it adds to `PATH`.
fn get(scratch: &Scratch, action_ref: &str) -> (Said, String) {
    let (home, added) = (scratch.home(), scratch.home().join("added"));
    program(&home.join("tools/cargo"), "echo built");
    fs::write(&added, "").unwrap();
    let mut step = Command::new("/bin/bash");
    step.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", &script("Get portcullis")]).env_clear();
    step.env("PATH", format!("{}:/usr/bin:/bin", home.join("tools").display())).env("HOME", &home).env("RUNNER_TEMP", home.join("temp"));
    step.env("GITHUB_PATH", &added).env("GITHUB_ACTION_PATH", package());
    step.env("ACTION_REPOSITORY", format!("file://{}/published", home.display())).env("ACTION_REF", action_ref);
    (run(&mut step, b""), fs::read_to_string(&added).unwrap())
}

#[test]
fn a_tag_is_fetched_and_everything_else_is_built() {
    if !cfg!(target_os = "linux") {
        return;
    }
    let scratch = Scratch::new();
    for action_ref in ["main", "0123456789abcdef", &format!("v{VERSION}")] {
        let (said, added) = get(&scratch, action_ref);
        assert!(said.code == 0 && said.stdout.contains("built") && added.contains("temp/portcullis/bin"), "{action_ref}: {said:?} {added}");
    }
    publish(&scratch);
    let (said, added) = get(&scratch, &format!("v{VERSION}"));
    assert!(said.code == 0 && said.stdout.contains("released") && !said.stdout.contains("built"), "{said:?}");
    let bin = scratch.home().join("temp/portcullis/bin");
    assert!(added.trim() == bin.to_str().unwrap() && bin.join("portcullis-hook").is_file());
    assert_eq!(fs::read_link(bin.join("portcullis-git")).unwrap(), Path::new("portcullis"));
    let (said, _) = get(&scratch, "main");
    assert!(said.stdout.contains("built"), "a branch is not the release: {said:?}");
}

#[test]
fn what_is_not_what_was_released_ends_the_run() {
    if !cfg!(target_os = "linux") {
        return;
    }
    let scratch = Scratch::new();
    publish(&scratch);
    let published = scratch.home().join(format!("published/releases/download/v{VERSION}"));
    let sums = fs::read_to_string(published.join("SHA256SUMS")).unwrap();
    fs::write(published.join("SHA256SUMS"), format!("{}{}", "0".repeat(64), sums.get(64..).unwrap())).unwrap();
    let (said, added) = get(&scratch, &format!("v{VERSION}"));
    assert!(said.code != 0 && !said.stdout.contains("built") && added.is_empty(), "{said:?}");
    assert!(!scratch.home().join("temp/portcullis/bin/portcullis").exists());
}
