//! A release: programs of one or more targets, each packed into an archive in `dist/`, and the packages made out of them.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use clap::Args;

use crate::archive::{self, MAIN};
use crate::hook;
use crate::packages;
use crate::release::{Platform, Release};
use crate::step::{command, output, pass};
use crate::workspace::{HOOK, HOOK_PROFILE, Member, hook_member, members, owner, root, target};

/// The profile of the main program in a release: the one that `install` builds.
const PROFILE: &str = "release";

#[derive(Args)]
pub(crate) struct DistArguments {
    /// Fail unless this tag is `v` and the version, and CHANGELOG.md has a section of the version
    #[arg(long, value_name = "TAG")]
    tag: Option<String>,
    /// Build for this target; can be given several times (default: this processor, and the other one if its tools are here)
    #[arg(long, value_name = "TRIPLE")]
    target: Vec<String>,
    /// Build `portcullis` for this machine's own C library, where there is no C compiler for musl
    #[arg(long, conflicts_with = "target")]
    dynamic: bool,
    /// Pack the archives alone, without the packages made out of them
    #[arg(long, conflicts_with = "key")]
    archives: bool,
    /// Sign the checksums with this SSH key
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Print what would be built without building it
    #[arg(long)]
    dry_run: bool,
}

pub(crate) fn run(arguments: &DistArguments) -> Result<()> {
    let release = Release::of_this_tree()?;
    let changes = changes(&fs::read_to_string(root().join("CHANGELOG.md"))?, &release.version);
    if let Some(tag) = &arguments.tag {
        release.is_tagged(tag)?;
        ensure!(changes.is_some(), "CHANGELOG.md has no section `## {}`: give the changes of this version one", release.version);
    }
    let arch = std::env::consts::ARCH;
    let mut builds = Vec::new();
    if arguments.dynamic {
        builds.push(Build { hook: format!("{arch}-unknown-linux-musl"), main: format!("{arch}-unknown-linux-gnu") });
    } else if arguments.target.is_empty() {
        ensure!(cfg!(target_os = "linux"), "elsewhere than on Linux, name the target with `--target`");
        builds.push(Build::of(&format!("{arch}-unknown-linux-musl")));
        let other = Build::of(if arch == "x86_64" { "aarch64-unknown-linux-musl" } else { "x86_64-unknown-linux-musl" });
        match other.missing() {
            None => builds.push(other),
            Some(missing) => println!("SKIPPED: {}, because {missing}", other.main),
        }
    } else {
        builds.extend(arguments.target.iter().map(|triple| Build::of(triple)));
    }
    for build in &builds {
        // Nothing is built that could not be packed.
        Platform::of(&build.main)?;
        if arguments.dry_run {
            println!("would build {HOOK} and {MAIN}, and pack dist/{}.tar.gz", release.name(&build.main));
        } else if let Some(missing) = build.missing() {
            bail!("{} cannot be built: {missing}", build.main);
        }
    }
    if arguments.dry_run {
        return Ok(());
    }
    let out = root().join("dist");
    fs::create_dir_all(&out)?;
    for build in &builds {
        let programs = tempfile::tempdir()?;
        build.build(programs.path())?;
        archive::archive(&release, &build.main, programs.path(), build.runner().as_deref(), &out)?;
    }
    if let Some(changes) = changes {
        fs::write(out.join("changes.md"), changes)?;
    }
    if !arguments.archives {
        packages::make(&release, &out, arguments.key.as_deref())?;
    }
    Ok(())
}

/// The targets of the two programs of an archive.
struct Build {
    hook: String,
    main: String,
}

impl Build {
    fn of(triple: &str) -> Self {
        Self { hook: triple.to_owned(), main: triple.to_owned() }
    }

    /// What is not here to build it, as a clause. `None`: nothing is missing.
    fn missing(&self) -> Option<String> {
        for triple in [&self.hook, &self.main] {
            let libraries = output(command("rustc").args(["--print", "target-libdir", "--target", triple])).unwrap_or_default();
            if !Path::new(libraries.trim()).is_dir() {
                return Some(format!("the toolchain has no `{triple}` (`rustup target add {triple}`)"));
            }
        }
        let compiler = std::env::var(format!("CC_{}", self.main.replace('-', "_")));
        // libgit2 is written in C.
        let compiler = match (compiler, self.is_native()) {
            (Ok(compiler), _) => compiler,
            (Err(_), true) if self.main.ends_with("-musl") => "musl-gcc".to_owned(),
            (Err(_), true) => return None,
            (Err(_), false) => return Some(format!("no C compiler for it is named in `CC_{}`", self.main.replace('-', "_"))),
        };
        let found = command(&compiler).arg("--version").output().is_ok_and(|output| output.status.success());
        (!found).then(|| format!("`{compiler}` is missing, and libgit2 is written in C (Debian: musl-tools; or build with `--dynamic`)"))
    }

    fn is_native(&self) -> bool {
        self.main.starts_with(std::env::consts::ARCH)
    }

    /// What starts programs of another processor here. `None`: they start by themselves, or nothing starts them.
    fn runner(&self) -> Option<String> {
        let processor = self.main.split('-').next().unwrap_or_default();
        (!self.is_native()).then(|| format!("qemu-{processor}"))
    }

    /// Builds both programs, tries them, and copies them into the folder.
    fn build(&self, folder: &Path) -> Result<()> {
        let all = members()?;
        let main = owner(&all, MAIN).with_context(|| format!("no member has a binary `{MAIN}`"))?;
        build(&hook_member()?, HOOK, &self.hook, folder)?;
        build(main, MAIN, &self.main, folder)?;
        let is_static = |triple: &str| triple.ends_with("-musl");
        for (program, triple) in [(HOOK, &self.hook), (MAIN, &self.main)] {
            if is_static(triple) && self.is_native() {
                hook::needs_no_loader(&folder.join(program))?;
            }
        }
        hook::judges(&folder.join(HOOK), self.runner().as_deref())
    }
}

/// Builds one program, and copies it into the folder.
fn build(member: &Member, program: &str, triple: &str, folder: &Path) -> Result<()> {
    let profile = if program == HOOK { HOOK_PROFILE } else { PROFILE };
    let mut cargo = command("cargo");
    cargo.args(["build", "--locked", "--profile", profile, "--package", &member.name, "--bin", program, "--target", triple]);
    if program == HOOK {
        cargo.arg("--no-default-features");
    }
    pass(&mut cargo).with_context(|| format!("building {program}"))?;
    fs::copy(target().join(triple).join(profile).join(program), folder.join(program)).with_context(|| program.to_owned())?;
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
