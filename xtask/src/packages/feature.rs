//! The devcontainer feature: a folder whose `install.sh` fetches the programs of a release while a container is built.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde_json::json;

use crate::archive::{put_program, tar};
use crate::release::Release;
use crate::workspace::root;

/// Run as root while the container is built.
const INSTALL: &str = include_str!("../../packages/feature.sh");
/// Fetches and checks a release; the action of this repository uses it too.
pub(crate) const FETCH: &str = ".github/fetch-release.sh";

pub(super) fn feature(release: &Release, out: &Path) -> Result<PathBuf> {
    let scratch = tempfile::tempdir()?;
    let about = json!({
        "id": "portcullis",
        "version": release.version,
        "name": "Portcullis",
        "description": release.description,
        "documentationURL": release.repository,
        "options": { "version": { "type": "string", "default": release.version, "description": "The version to install" } },
    });
    fs::write(scratch.path().join("devcontainer-feature.json"), format!("{}\n", serde_json::to_string_pretty(&about)?))?;
    put_program(&scratch.path().join("install.sh"), &INSTALL.replace("@ADDRESS@", &release.repository))?;
    put_program(&scratch.path().join("fetch-release.sh"), &fs::read_to_string(root().join(FETCH))?)?;
    let to = out.join("devcontainer-feature-portcullis.tgz");
    tar(scratch.path(), &["devcontainer-feature.json", "fetch-release.sh", "install.sh"], release.time, &to)?;
    Ok(to)
}
