//! A Python wheel whose scripts are the programs. It contains no Python. Its name is not `portcullis`: on `PyPI` that is another
//! project.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};

use super::{GIT_SCRIPT, UnpackedPrograms};
use crate::archive::{GIT, MAIN, put_program};
use crate::step::{command, pass};
use crate::workspace::{HOOK, root};

/// Packs a folder as a wheel: a zip archive with the list of its files.
const PACK: &str = "xtask/packages/wheel.py";

/// The name in file names, with `_` for `-`.
const NAME: &str = "portcullis_gate";
const LICENCES: [&str; 2] = ["LICENSE-APACHE", "LICENSE-MIT"];

pub(super) fn wheel(programs: &UnpackedPrograms) -> Result<PathBuf> {
    let release = programs.release;
    let folder = programs.scratch.join("wheel");
    let name = format!("{NAME}-{}", release.version);
    let (scripts, about) = (folder.join(format!("{name}.data/scripts")), folder.join(format!("{name}.dist-info")));
    for made in [&scripts, &about.join("licenses")] {
        fs::create_dir_all(made)?;
    }
    for program in [MAIN, HOOK] {
        fs::copy(programs.folder.join(program), scripts.join(program))?;
    }
    // A wheel can contain no link.
    put_program(&scripts.join(GIT), GIT_SCRIPT)?;
    for licence in LICENCES {
        fs::copy(root().join(licence), about.join("licenses").join(licence))?;
    }
    let metadata = [
        "Metadata-Version: 2.4",
        "Name: portcullis-gate",
        &format!("Version: {}", release.version),
        &format!("Summary: {}", release.description),
        &format!("Project-URL: Repository, {}", release.repository),
        "License-Expression: MIT OR Apache-2.0",
        &LICENCES.map(|licence| format!("License-File: {licence}")).join("\n"),
        "Description-Content-Type: text/markdown",
        "",
        &release.description,
        "",
        "Then run `portcullis init` in a repository.",
        "",
    ];
    fs::write(about.join("METADATA"), metadata.join("\n"))?;
    let tags = programs.platform.wheel.split('.').fold(String::new(), |text, tag| text + "Tag: py3-none-" + tag + "\n");
    fs::write(about.join("WHEEL"), format!("Wheel-Version: 1.0\nGenerator: cargo xtask dist\nRoot-Is-Purelib: false\n{tags}"))?;
    let to = programs.out.join(format!("{name}-py3-none-{}.whl", programs.platform.wheel));
    pass(command("python3").arg(root().join(PACK)).arg(&folder).arg(&to).arg(release.time.to_string())).context("a wheel needs Python 3")?;
    Ok(to)
}
