//! An npm package for each platform, whose commands are the programs themselves. It runs nothing while it is installed, and
//! has no dependency: nobody else can put something in between.

use std::fs;
use std::path::PathBuf;

use anyhow::Result;
use serde_json::json;

use super::{GIT_SCRIPT, UnpackedPrograms};
use crate::archive::{GIT, MAIN, put_program, tar};
use crate::workspace::{HOOK, root};

/// The folder within a package file.
const FOLDER: &str = "package";
const LICENCES: [&str; 2] = ["LICENSE-APACHE", "LICENSE-MIT"];

pub(super) fn package(programs: &UnpackedPrograms) -> Result<PathBuf> {
    let (release, folder) = (programs.release, programs.scratch.join("npm").join(FOLDER));
    fs::create_dir_all(folder.join("bin"))?;
    for program in [MAIN, HOOK] {
        fs::copy(programs.folder.join(program), folder.join("bin").join(program))?;
    }
    // npm leaves links out.
    put_program(&folder.join("bin").join(GIT), GIT_SCRIPT)?;
    let (system, processor) = programs.platform.npm;
    let manifest = json!({
        "name": MAIN,
        "version": release.version,
        "description": release.description,
        "license": "MIT OR Apache-2.0",
        "repository": { "type": "git", "url": format!("git+{}.git", release.repository) },
        // Nobody publishes it by mistake under a name that is not ours.
        "private": true,
        "os": [system],
        "cpu": [processor],
        "bin": { MAIN: format!("bin/{MAIN}"), HOOK: format!("bin/{HOOK}"), GIT: format!("bin/{GIT}") },
        "files": ["bin"],
    });
    fs::write(folder.join("package.json"), format!("{}\n", serde_json::to_string_pretty(&manifest)?))?;
    let readme = format!(
        "# portcullis\n\n{}.\n\nInstall it for all projects (`npm install --global FILE`), and not into one: `npm ci` deletes a project's\n`node_modules`, and with it the hook. Then run `portcullis init` in a repository. Documentation: {}\n",
        release.description, release.repository
    );
    fs::write(folder.join("README.md"), readme)?;
    for licence in LICENCES {
        fs::copy(root().join(licence), folder.join(licence))?;
    }
    let to = programs.out.join(format!("portcullis-{}-npm-{system}-{processor}.tgz", release.version));
    tar(folder.parent().unwrap_or(&folder), &[FOLDER], release.time, &to)?;
    Ok(to)
}
