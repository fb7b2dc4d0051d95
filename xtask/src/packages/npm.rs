//! npm: one package for each platform with its programs, and one that people install, which starts them. No package runs
//! anything while it is installed.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde_json::{Map, Value, json};

use super::{GIT_SCRIPT, PackedFiles, UnpackedPrograms};
use crate::archive::{GIT, MAIN, put_program, tar};
use crate::release::Release;
use crate::workspace::{HOOK, root};

/// Finds the package of the platform, and starts a program of it.
const START: &str = include_str!("../../packages/start.js");
/// The folder within a package file.
const FOLDER: &str = "package";
const LICENCES: [&str; 2] = ["LICENSE-APACHE", "LICENSE-MIT"];

/// The package with the programs of one platform.
pub(super) fn of_platform(programs: &UnpackedPrograms) -> Result<PathBuf> {
    let folder = programs.scratch.join("npm").join(FOLDER);
    fs::create_dir_all(folder.join("bin"))?;
    for program in [MAIN, HOOK] {
        fs::copy(programs.folder.join(program), folder.join("bin").join(program))?;
    }
    // npm leaves links out.
    put_program(&folder.join("bin").join(GIT), GIT_SCRIPT)?;
    let (system, processor) = programs.platform.npm;
    let name = programs.platform.npm_package();
    let mut manifest = common(programs.release, &name, &format!("The programs of portcullis for {system}, {processor}"));
    manifest.insert("os".to_owned(), json!([system]));
    manifest.insert("cpu".to_owned(), json!([processor]));
    let readme = format!("# {name}\n\nThe programs of `portcullis` for {system} and {processor}. Install `portcullis`, which brings this.\n");
    pack(programs.release, &folder, &name, manifest, &readme, programs.out)
}

/// The package that people install.
pub(super) fn launcher(release: &Release, platforms: &[PackedFiles], out: &Path) -> Result<PathBuf> {
    let scratch = tempfile::tempdir()?;
    let folder = scratch.path().join(FOLDER);
    fs::create_dir_all(folder.join("bin"))?;
    put_program(&folder.join("bin/start.js"), START)?;
    let names = [MAIN, HOOK, GIT];
    for name in names {
        put_program(&folder.join("bin").join(name), &format!("#!/usr/bin/env node\nrequire('./start.js')('{name}')\n"))?;
    }
    let mut manifest = common(release, MAIN, &release.description);
    manifest.insert("bin".to_owned(), names.iter().map(|name| ((*name).to_owned(), json!(format!("bin/{name}")))).collect::<Map<_, _>>().into());
    // The same version: the hook and what it starts must be of one build.
    let wanted = platforms.iter().map(|platform| (platform.platform.npm_package(), json!(release.version)));
    manifest.insert("optionalDependencies".to_owned(), wanted.collect::<Map<_, _>>().into());
    manifest.insert("engines".to_owned(), json!({ "node": ">=14" }));
    let readme = format!(
        "# portcullis\n\n{}.\n\n```sh\nnpm install --global portcullis\nportcullis init\n```\n\nInstall it for all projects, and not into one: `npm ci` deletes a project's `node_modules`, and with it the hook.\nDocumentation: {}\n",
        release.description, release.repository
    );
    pack(release, &folder, MAIN, manifest, &readme, out)
}

fn common(release: &Release, name: &str, description: &str) -> Map<String, Value> {
    let value = json!({
        "name": name,
        "version": release.version,
        "description": description,
        "license": "MIT OR Apache-2.0",
        "repository": { "type": "git", "url": format!("git+{}.git", release.repository) },
        "files": ["bin"],
    });
    value.as_object().cloned().unwrap_or_default()
}

/// Packs a folder as `npm pack` does, with the same bytes each time.
fn pack(release: &Release, folder: &Path, name: &str, manifest: Map<String, Value>, readme: &str, out: &Path) -> Result<PathBuf> {
    fs::write(folder.join("package.json"), format!("{}\n", serde_json::to_string_pretty(&manifest)?))?;
    fs::write(folder.join("README.md"), readme)?;
    for licence in LICENCES {
        fs::copy(root().join(licence), folder.join(licence))?;
    }
    let to = out.join(format!("{name}-{}.tgz", release.version));
    tar(folder.parent().unwrap_or(folder), &[FOLDER], release.time, &to)?;
    Ok(to)
}
