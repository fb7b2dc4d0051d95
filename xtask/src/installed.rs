//! Installs each package of a release as a user without cargo does, and starts what was installed. All homes are scratch
//! folders, and all files are local.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;
use tempfile::TempDir;

use crate::archive;
use crate::hook;
use crate::packages::{PackedFiles, PackedRelease};
use crate::release::SUMS;
use crate::step::pass;
use crate::workspace::HOOK;

/// Programs of the system, without a toolchain.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin";
/// Settings that keep installers from looking for what is new, and git from what this machine has set.
const VARIABLES: [(&str, &str); 9] = [
    ("TERM", "dumb"),
    ("PIP_DISABLE_PIP_VERSION_CHECK", "1"),
    ("NPM_CONFIG_UPDATE_NOTIFIER", "false"),
    ("NPM_CONFIG_AUDIT", "false"),
    ("NPM_CONFIG_FUND", "false"),
    ("GIT_CONFIG_NOSYSTEM", "1"),
    ("GIT_AUTHOR_NAME", "a"),
    ("GIT_COMMITTER_NAME", "a"),
    ("EMAIL", "a@example.com"),
];

/// A home in which nothing is but what is installed there.
struct ScratchHome {
    folder: TempDir,
    /// In front of the programs of the system.
    path: Vec<PathBuf>,
}

impl ScratchHome {
    fn new() -> Result<Self> {
        Ok(Self { folder: tempfile::tempdir()?, path: Vec::new() })
    }

    fn folder(&self) -> Result<PathBuf> {
        Ok(fs::canonicalize(self.folder.path())?)
    }

    /// A program of the system or of what was installed, with nothing of this process's environment.
    fn command(&self, program: &str) -> Result<Command> {
        let home = self.folder()?;
        let path = std::env::join_paths(self.path.iter().cloned().chain(std::env::split_paths(PATH)))?;
        // The programs of `path` are those that this process finds too.
        let found = std::env::split_paths(&path).map(|folder| folder.join(program)).find(|path| path.is_file());
        let mut command = Command::new(found.unwrap_or_else(|| PathBuf::from(program)));
        command.env_clear().env("HOME", &home).env("PATH", path).envs(VARIABLES).current_dir(home).stdin(Stdio::null());
        Ok(command)
    }

    fn pass(&self, program: &str, arguments: &[&str]) -> Result<()> {
        pass(self.command(program)?.args(arguments))
    }

    /// Standard output of a command that succeeds.
    fn output(&self, folder: &Path, program: &str, arguments: &[&str]) -> Result<String> {
        let ended = self.command(program)?.args(arguments).current_dir(folder).output().with_context(|| program.to_owned())?;
        let text = String::from_utf8_lossy(&ended.stdout).into_owned();
        ensure!(ended.status.success(), "`{program} {}`: {}\n{text}{}", arguments.join(" "), ended.status, String::from_utf8_lossy(&ended.stderr));
        Ok(text)
    }

    fn has(&self, program: &str) -> bool {
        self.command(program).is_ok_and(|mut command| command.arg("--version").output().is_ok_and(|output| output.status.success()))
    }
}

/// How a package is installed: the folder in which the programs are then. `None`: this machine has not what it needs.
type InstallsPackage = fn(&PackedRelease, &PackedFiles, &mut ScratchHome) -> Result<Option<PathBuf>>;

/// Each package, with what `portcullis update` says of it.
const PACKAGES: [(&str, &str, InstallsPackage); 6] = [
    ("archive", "an archive", from_archive),
    ("npm", "npm", from_npm),
    ("wheel", "pip", from_wheel),
    ("Debian package", "an archive", from_debian),
    ("devcontainer feature", "an archive", from_feature),
    ("Homebrew formula", "Homebrew", from_formula),
];

/// Installs all packages for this machine, and prints how long each took until a force push was denied.
///
/// Error: one of them cannot be installed, or does not protect.
pub(crate) fn all(packed: &PackedRelease) -> Result<()> {
    signature(packed)?;
    let here = packed.platforms.iter().find(|files| files.platform.triple.starts_with(std::env::consts::ARCH) && files.platform.triple.contains("linux"));
    let files = here.context("there is no archive for this machine")?;
    let mut lines = Vec::new();
    for (name, updated, install) in PACKAGES {
        let mut home = ScratchHome::new()?;
        for program in ["cargo", "rustc"] {
            ensure!(!home.has(program), "`{program}` is in {PATH}, so this would not show an installation without a toolchain");
        }
        let begun = Instant::now();
        let Some(bin) = install(packed, files, &mut home).with_context(|| name.to_owned())? else {
            lines.push(format!("{name:<22} skipped: this machine has not what installs it"));
            continue;
        };
        let repository = home.folder()?.join("project");
        home.pass("git", &["init", "--quiet", "--initial-branch", "main", &repository.display().to_string()])?;
        let said = home.output(&repository, "portcullis", &["init", "--yes"]).with_context(|| name.to_owned())?;
        ensure!(said.contains("denied by `force-push`"), "{name}: `init` showed no denied force push:\n{said}");
        lines.push(format!("{name:<22} {:.1} s from the file to the first denied call", begun.elapsed().as_secs_f64()));
        protects(&home, &repository, &bin, updated).with_context(|| name.to_owned())?;
    }
    println!("{}", lines.join("\n"));
    Ok(())
}

/// What `init` wired is the hook of this installation, and git's hooks and the other commands work.
fn protects(home: &ScratchHome, repository: &Path, bin: &Path, updated: &str) -> Result<()> {
    let settings: Value = serde_json::from_str(&fs::read_to_string(repository.join(".claude/settings.local.json"))?)?;
    let wired = settings["hooks"]["PreToolUse"][0]["hooks"][0]["command"].as_str().context("no hook is wired")?;
    ensure!(Path::new(wired) == bin.join(HOOK), "`{wired}` is wired, and not the hook in {}", bin.display());
    ensure!(fs::read(wired)?.starts_with(b"\x7fELF"), "`{wired}` is no program, so each call would start something else first");
    hook::judges(Path::new(wired), None)?;
    home.output(repository, "portcullis", &["doctor"])?;
    home.output(repository, "portcullis", &["init", "--git", "--yes"])?;
    fs::write(repository.join("a.txt"), "a\n")?;
    home.output(repository, "git", &["add", "a.txt"])?;
    home.output(repository, "git", &["commit", "--quiet", "--message", "one"])?;
    fs::write(
        repository.join("key.txt"),
        format!("-----BEGIN RSA {} KEY-----\n{}\n", "PRIVATE", "MIIEpAIBAAKCAQEA1234567890abcdefghijklmnopqrstuvwxyz".repeat(3)),
    )?;
    home.output(repository, "git", &["add", "key.txt"])?;
    let refused = home.command("git")?.args(["commit", "--quiet", "--message", "two"]).current_dir(repository).output()?;
    ensure!(!refused.status.success(), "git's hook let a private key pass: {}", String::from_utf8_lossy(&refused.stderr));
    let said: Value = serde_json::from_str(&home.output(repository, "portcullis", &["update", "--json"])?)?;
    let installed = said["installed"].as_str().unwrap_or_default();
    ensure!(installed.contains(updated), "`portcullis update` says of this: {installed}");
    // Not `uninstall`: it finds places by the state, which is in the home of whoever runs this, and would take them out too.
    home.output(repository, "portcullis", &["init", "--git", "--undo", "--yes"])?;
    ensure!(!repository.join(".claude").exists() && !repository.join(".git/hooks/pre-commit").exists(), "`init --undo` left something");
    Ok(())
}

/// A list of checksums that is signed with a key of its own is valid, and a changed one is not.
fn signature(packed: &PackedRelease) -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let (key, list, signers) = (scratch.path().join("key"), scratch.path().join(SUMS), scratch.path().join("signers"));
    pass(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&key))?;
    fs::copy(packed.folder.join(SUMS), &list)?;
    archive::sign(scratch.path(), &key, None)?;
    fs::write(&signers, format!("{} namespaces=\"{}\" {}", archive::SIGNER, crate::release::NAMESPACE, fs::read_to_string(key.with_extension("pub"))?))?;
    let signature = scratch.path().join(format!("{SUMS}.sig"));
    archive::verify(&list, &signature, &signers)?;
    fs::write(&list, fs::read_to_string(&list)?.replacen(['0', '1'], "2", 1))?;
    ensure!(archive::verify(&list, &signature, &signers).is_err(), "the signature is valid for another list");
    Ok(())
}

fn from_archive(_: &PackedRelease, files: &PackedFiles, home: &mut ScratchHome) -> Result<Option<PathBuf>> {
    let folder = archive::unpack(&files.archive, &home.folder()?.join("unpacked"))?;
    let said = home.output(&home.folder()?, &folder.join("portcullis").display().to_string(), &["install"])?;
    ensure!(said.contains("denied by `force-push`"), "`install` showed no denied force push:\n{said}");
    fs::remove_dir_all(&folder)?;
    Ok(on_path(home, ".local/bin"))
}

/// A folder of the home, which is from now on in front of the others on `PATH`.
fn on_path(home: &mut ScratchHome, folder: &str) -> Option<PathBuf> {
    let folder = home.folder().ok()?.join(folder);
    home.path.push(folder.clone());
    Some(folder)
}

fn from_npm(_: &PackedRelease, files: &PackedFiles, home: &mut ScratchHome) -> Result<Option<PathBuf>> {
    if !home.has("npm") {
        return Ok(None);
    }
    let prefix = home.folder()?.join("npm").display().to_string();
    home.pass("npm", &["install", "--silent", "--offline", "--ignore-scripts", "--global", "--prefix", &prefix, &files.npm.display().to_string()])?;
    on_path(home, "npm/bin");
    Ok(Some(home.folder()?.join("npm/lib/node_modules/portcullis/bin")))
}

fn from_wheel(_: &PackedRelease, files: &PackedFiles, home: &mut ScratchHome) -> Result<Option<PathBuf>> {
    // The Python of this machine may be a shim, which needs the home of whoever installed it.
    let python = Command::new("python3").args(["-c", "import sys; print(sys.executable)"]).output();
    let Some(python) = python.ok().filter(|said| said.status.success()) else { return Ok(None) };
    let python = String::from_utf8_lossy(&python.stdout).trim().to_owned();
    home.pass(&python, &["-m", "venv", "environment"])?;
    let wheel = files.wheel.display().to_string();
    home.pass(&home.folder()?.join("environment/bin/pip").display().to_string(), &["install", "--quiet", "--no-index", &wheel])?;
    Ok(on_path(home, "environment/bin"))
}

fn from_debian(_: &PackedRelease, files: &PackedFiles, home: &mut ScratchHome) -> Result<Option<PathBuf>> {
    let Some(package) = files.debian.as_ref().filter(|_| home.has("dpkg")) else { return Ok(None) };
    let package = package.display().to_string();
    let root = home.folder()?.join("root");
    // What dpkg wants to find in a root.
    for folder in ["var/lib/dpkg/info", "var/lib/dpkg/updates"] {
        fs::create_dir_all(root.join(folder))?;
    }
    fs::write(root.join("var/lib/dpkg/status"), "")?;
    let own = format!("--root={}", root.display());
    // The C library of a package that is not static is in the real root.
    home.pass("dpkg", &[&own, "--force-not-root", "--force-depends", "--log=/dev/null", "--install", &package])?;
    let listed = home.output(&root, "dpkg", &[&own, "--listfiles", "portcullis"])?;
    for path in ["/usr/bin/portcullis-hook", "/usr/share/man/man1/portcullis.1.gz", "/usr/share/bash-completion/completions/portcullis"] {
        ensure!(listed.lines().any(|line| line == path), "the package has no {path}:\n{listed}");
    }
    Ok(on_path(home, "root/usr/bin"))
}

fn from_feature(packed: &PackedRelease, files: &PackedFiles, home: &mut ScratchHome) -> Result<Option<PathBuf>> {
    if !home.has("curl") {
        return Ok(None);
    }
    let folder = home.folder()?;
    // Where a release of this repository would be.
    let (feature, published) = (folder.join("feature"), folder.join(format!("published/releases/download/v{}", packed.release.version)));
    fs::create_dir_all(&feature)?;
    fs::create_dir_all(published.parent().unwrap_or(&folder))?;
    symlink(&packed.folder, &published)?;
    pass(Command::new("tar").arg("-xf").arg(&packed.feature).arg("-C").arg(&feature))?;
    let mut install = home.command("sh")?;
    install.arg(feature.join("install.sh")).env("VERSION", &packed.release.version).env("PORTCULLIS_TARGET", &files.platform.triple);
    let prefix = folder.join("prefix");
    let own = || format!("file://{}/published", folder.display());
    pass(install.env("PORTCULLIS_REPOSITORY", own()).env("PORTCULLIS_PREFIX", &prefix))?;
    // An archive that is not the one of the list is not installed.
    let false_one = folder.join("false/releases/download").join(format!("v{}", packed.release.version));
    fs::create_dir_all(&false_one)?;
    fs::copy(published.join(SUMS), false_one.join(SUMS))?;
    let name = files.archive.file_name().context("an archive without a name")?;
    fs::write(false_one.join(name), "another archive")?;
    let mut refused = home.command("sh")?;
    refused.arg(feature.join("install.sh")).env("VERSION", &packed.release.version).env("PORTCULLIS_TARGET", &files.platform.triple);
    refused.env("PORTCULLIS_REPOSITORY", format!("file://{}/false", folder.display())).env("PORTCULLIS_PREFIX", folder.join("refused"));
    let code = refused.output()?.status.code();
    ensure!(code == Some(1) && !folder.join("refused/bin/portcullis").exists(), "an archive with a wrong checksum: exit {code:?}");
    Ok(on_path(home, "prefix/bin"))
}

/// As Homebrew lays a formula out; the formula itself is read by Ruby where there is one.
fn from_formula(packed: &PackedRelease, files: &PackedFiles, home: &mut ScratchHome) -> Result<Option<PathBuf>> {
    if home.has("ruby") {
        home.pass("ruby", &["-c", &packed.folder.join("portcullis.rb").display().to_string()])?;
    }
    let prefix = home.folder()?.join("brew");
    let kept = prefix.join("Cellar/portcullis").join(&packed.release.version);
    let unpacked = archive::unpack(&files.archive, &home.folder()?.join("unpacked"))?;
    for folder in [kept.join("bin"), prefix.join("bin"), prefix.join("opt")] {
        fs::create_dir_all(folder)?;
    }
    for name in [archive::MAIN, HOOK] {
        fs::copy(unpacked.join(name), kept.join("bin").join(name))?;
    }
    symlink(archive::MAIN, kept.join("bin").join(archive::GIT))?;
    for name in [archive::MAIN, HOOK, archive::GIT] {
        symlink(kept.join("bin").join(name), prefix.join("bin").join(name))?;
    }
    symlink(&kept, prefix.join("opt/portcullis"))?;
    on_path(home, "brew/bin");
    // An update removes the folder of the old version; the link is that of the newest.
    let lasting = prefix.join("opt/portcullis/bin");
    if !lasting.join(HOOK).is_file() {
        bail!("`{}` is missing", lasting.display());
    }
    Ok(Some(lasting))
}
