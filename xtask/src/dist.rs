//! A release: static programs, packed with their licences into `dist/`, with the checksum and this version's changes.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use clap::Args;

use crate::hook;
use crate::step::{command, output, pass};
use crate::workspace::{HOOK, HOOK_PROFILE, Member, hook_member, members, owner, root, target};

/// The program of people and of CI.
const MAIN: &str = "portcullis";
/// What git's hooks call. Where it is no program of its own, it is a link to the main one.
const GIT: &str = "portcullis-git";
/// What lies beside the programs in the archive.
const PAPERS: &[&str] = &["README.md", "CHANGELOG.md", "SECURITY.md", "LICENSE-APACHE", "LICENSE-MIT"];

#[derive(Args)]
pub(crate) struct DistArguments {
    /// Fail unless this tag is `v` and the version, and CHANGELOG.md has a section of the version
    #[arg(long, value_name = "TAG")]
    tag: Option<String>,
    /// Build `portcullis` for this machine's own C library, where there is no C compiler for musl
    #[arg(long)]
    dynamic: bool,
    /// Print what would be built without building it
    #[arg(long)]
    dry_run: bool,
}

pub(crate) fn run(arguments: &DistArguments) -> Result<()> {
    ensure!(cfg!(target_os = "linux"), "a release is built on Linux");
    let members = members()?;
    let main = owner(&members, MAIN).with_context(|| format!("no member has a binary `{MAIN}`"))?;
    let changes = changes(&fs::read_to_string(root().join("CHANGELOG.md"))?, &main.version);
    if let Some(tag) = &arguments.tag {
        ensure!(*tag == format!("v{}", main.version), "the tag is `{tag}`, the version is {}: change one of them", main.version);
        ensure!(changes.is_some(), "CHANGELOG.md has no section `## {}`: give the changes of this version one", main.version);
    }
    let musl = format!("{}-unknown-linux-musl", std::env::consts::ARCH);
    let name =
        format!("portcullis-{}-{}", main.version, if arguments.dynamic { format!("{}-unknown-linux-gnu", std::env::consts::ARCH) } else { musl.clone() });
    if arguments.dry_run {
        println!("would build {HOOK}, {MAIN} and {GIT}, and pack dist/{name}.tar.gz");
        return Ok(());
    }
    if !arguments.dynamic {
        let compiler = std::env::var(format!("CC_{}", musl.replace('-', "_"))).unwrap_or_else(|_| "musl-gcc".to_owned());
        let found = command(&compiler).arg("--version").output().is_ok_and(|output| output.status.success());
        ensure!(found, "`{compiler}` is missing, and libgit2 is written in C: install it (Debian: musl-tools), or run with `--dynamic`");
    }
    let folder = root().join("dist").join(&name);
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    build(&hook_member()?, HOOK, Some(&musl), &folder)?;
    let target = (!arguments.dynamic).then_some(musl.as_str());
    build(main, MAIN, target, &folder)?;
    match owner(&members, GIT) {
        Some(member) => build(member, GIT, target, &folder)?,
        None => symlink(MAIN, folder.join(GIT))?,
    }
    for paper in PAPERS {
        fs::copy(root().join(paper), folder.join(paper)).with_context(|| (*paper).to_owned())?;
    }
    hook::needs_no_loader(&folder.join(HOOK))?;
    if !arguments.dynamic {
        hook::needs_no_loader(&folder.join(MAIN))?;
    }
    hook::judges(&folder.join(HOOK))?;
    let program = folder.join(MAIN).display().to_string();
    pass(command(&program).arg("--version"))?;
    pass(command(&program).arg("man").arg(folder.join("man")))?;
    pack(&name)?;
    if let Some(changes) = changes {
        fs::write(root().join("dist/changes.md"), changes)?;
    }
    println!("dist/{name}.tar.gz");
    Ok(())
}

/// Builds one program, and copies it into the folder.
fn build(member: &Member, program: &str, triple: Option<&str>, folder: &Path) -> Result<()> {
    let profile = if program == HOOK { HOOK_PROFILE } else { "release" };
    let mut cargo = command("cargo");
    cargo.args(["build", "--locked", "--profile", profile, "--package", &member.name, "--bin", program]);
    if program == HOOK {
        cargo.arg("--no-default-features");
    }
    let mut built: PathBuf = target();
    if let Some(triple) = triple {
        cargo.args(["--target", triple]);
        built.push(triple);
    }
    pass(&mut cargo).with_context(|| format!("building {program}"))?;
    fs::copy(built.join(profile).join(program), folder.join(program)).with_context(|| program.to_owned())?;
    Ok(())
}

/// Packs `dist/NAME`, with the same bytes for the same files whoever packs them and when.
fn pack(name: &str) -> Result<()> {
    let archive = format!("{name}.tar.gz");
    let time = output(command("git").args(["log", "-1", "--format=%ct"]))?;
    let mut tar = command("tar");
    tar.current_dir(root().join("dist")).args(["--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--mode=u+rw,go=rX"]);
    pass(tar.arg(format!("--mtime=@{}", time.trim())).args(["--use-compress-program", "gzip -9n", "-cf", &archive, name]))?;
    let sum = output(command("sha256sum").current_dir(root().join("dist")).arg(&archive))?;
    fs::write(root().join("dist").join(format!("{archive}.sha256")), &sum)?;
    print!("{sum}");
    if sum.len() < 64 {
        bail!("`sha256sum` said `{sum}`");
    }
    Ok(())
}

/// The section of a version without its heading: `## 0.1.0`, with a date or without.
fn changes(text: &str, version: &str) -> Option<String> {
    let heading = |line: &str| line.strip_prefix("## ").map(|title| title.trim_start_matches('[').split([' ', ']']).next().unwrap_or_default() == version);
    let section: Vec<&str> = text.lines().skip_while(|line| heading(line) != Some(true)).skip(1).take_while(|line| heading(line).is_none()).collect();
    let section = section.join("\n");
    (!section.trim().is_empty()).then(|| format!("{}\n", section.trim()))
}

#[cfg(test)]
mod tests {
    use super::changes;

    #[test]
    fn the_changes_of_a_version_end_at_the_next() {
        let text = "# Changelog\n\n## Unreleased\n\n- new\n\n## [0.2.0] - 2026-01-01\n\n### Added\n\n- two\n\n## 0.1.0\n\n- one\n";
        assert_eq!(changes(text, "0.2.0").as_deref(), Some("### Added\n\n- two\n"));
        assert_eq!(changes(text, "0.1.0").as_deref(), Some("- one\n"));
        assert_eq!(changes(text, "0.1"), None);
    }
}
