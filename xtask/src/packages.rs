//! Packages made out of the archives of a release: npm, a Python wheel, Debian, Homebrew and a devcontainer feature. Each
//! contains the programs of the archives, unchanged. Nothing is published from here.

mod debian;
mod feature;
mod homebrew;
mod npm;
mod wheel;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use clap::Args;

use crate::archive;
use crate::hook;
use crate::installed;
use crate::release::{Platform, Release, SUMS};
use crate::step::RunState;
use crate::workspace::{HOOK, root};

/// Started by git's hooks where a package can contain no link.
const GIT_SCRIPT: &str = include_str!("../packages/portcullis-git.sh");

#[derive(Args)]
pub(crate) struct PackagesArguments {
    /// First pack an archive from the programs in this folder, for this machine
    #[arg(long, value_name = "DIR")]
    from: Option<PathBuf>,
    /// The folder with the archives, which also gets the packages
    #[arg(long, value_name = "DIR", default_value = "dist")]
    out: PathBuf,
    /// Sign the checksums with this SSH key
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Install each package into a home of its own without cargo, and say after how many seconds it denied a force push
    #[arg(long)]
    install: bool,
}

/// What was made out of one archive.
#[derive(Clone, Debug)]
pub(crate) struct PackedFiles {
    pub(crate) platform: Platform,
    pub(crate) archive: PathBuf,
    pub(crate) npm: PathBuf,
    pub(crate) wheel: PathBuf,
    pub(crate) debian: Option<PathBuf>,
}

/// Everything that was made.
#[derive(Clone, Debug)]
pub(crate) struct PackedRelease {
    pub(crate) release: Release,
    pub(crate) folder: PathBuf,
    pub(crate) platforms: Vec<PackedFiles>,
    pub(crate) feature: PathBuf,
}

/// The programs of one platform, unpacked.
struct UnpackedPrograms<'t> {
    release: &'t Release,
    platform: &'t Platform,
    /// The folder of the unpacked archive.
    folder: &'t Path,
    /// A folder for what is put together, which goes afterwards.
    scratch: &'t Path,
    out: &'t Path,
}

pub(crate) fn run(arguments: &PackagesArguments) -> Result<()> {
    let release = Release::of_this_tree()?;
    fs::create_dir_all(&arguments.out)?;
    let out = fs::canonicalize(&arguments.out)?;
    if let Some(from) = &arguments.from {
        archive::archive(&release, &triple_of(from)?, from, None, &out)?;
    }
    let packed = make(&release, &out, arguments.key.as_deref())?;
    if arguments.install { installed::all(&packed) } else { Ok(()) }
}

/// The step of CI: packages of the programs that an earlier step installed, each installed and started.
/// Error: a package cannot be made or installed, or does not deny a force push.
pub(crate) fn of_shipped(state: &mut RunState) -> Result<()> {
    let folder = hook::shipped(state)?.hook.parent().context("the hook is in no folder")?.to_owned();
    let out = tempfile::tempdir()?;
    let release = Release::of_this_tree()?;
    archive::archive(&release, &triple_of(&folder)?, &folder, None, out.path())?;
    installed::all(&make(&release, out.path(), None)?)
}

/// What the programs in a folder were built for.
fn triple_of(folder: &Path) -> Result<String> {
    let is_static = [archive::MAIN, HOOK].iter().all(|name| hook::needs_no_loader(&folder.join(name)).is_ok());
    let arch = std::env::consts::ARCH;
    ensure!(cfg!(target_os = "linux"), "elsewhere than on Linux, `cargo xtask dist` packs the archive");
    Ok(format!("{arch}-unknown-linux-{}", if is_static { "musl" } else { "gnu" }))
}

/// Makes all packages of the archives of this version in a folder, and the list of checksums.
/// Error: there is no archive, or a package cannot be made.
pub(crate) fn make(release: &Release, out: &Path, key: Option<&Path>) -> Result<PackedRelease> {
    let mut archives = Vec::new();
    for entry in fs::read_dir(out)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        if let Some(triple) = name.strip_prefix(&release.name("")).and_then(|rest| rest.strip_suffix(".tar.gz")) {
            archives.push((triple.to_owned(), path));
        }
    }
    archives.sort();
    ensure!(!archives.is_empty(), "`{}` has no archive of version {}: run `cargo xtask dist`", out.display(), release.version);
    let mut platforms: Vec<PackedFiles> = Vec::new();
    for (triple, archive) in archives {
        let scratch = tempfile::tempdir()?;
        let platform = Platform::of(&triple)?;
        let folder = archive::unpack(&archive, scratch.path())?;
        let programs = UnpackedPrograms { release, platform: &platform, folder: &folder, scratch: scratch.path(), out };
        let (npm, wheel, debian) = (npm::package(&programs)?, wheel::wheel(&programs)?, debian::package(&programs)?);
        // Of two builds for one machine, the static one is the release.
        let same = platforms.iter().position(|other| other.platform.npm == platform.npm);
        let files = PackedFiles { platform, archive, npm, wheel, debian };
        match same {
            None => platforms.push(files),
            Some(at) if files.platform.is_static() => platforms[at] = files,
            Some(_) => println!("{triple} is left out: there is a static archive for the same machine"),
        }
    }
    let formula = homebrew::formula(release, &platforms, out)?;
    let feature = feature::feature(release, out)?;
    let mut files = vec![formula, feature.clone()];
    for platform in &platforms {
        files.extend([platform.archive.clone(), platform.npm.clone(), platform.wheel.clone()]);
        files.extend(platform.debian.clone());
    }
    archive::sums(out, &files)?;
    match key {
        Some(key) => archive::sign(out, key, Some(&root().join(archive::SIGNERS)))?,
        None => println!("{SUMS} is not signed; `--key FILE` signs it"),
    }
    Ok(PackedRelease { release: release.clone(), folder: out.to_owned(), platforms, feature })
}
