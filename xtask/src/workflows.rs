//! Whether the files that GitHub reads are right: workflows, the action, issue forms and the settings of Dependabot.
//! The checkers come from the Python package index into a virtual environment below `target/`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::step::{command, pass};
use crate::workspace::{root, target};

/// The checkers and their versions.
const REQUIREMENTS: &str = "xtask/requirements.txt";

/// A schema that check-jsonschema carries, and the files it is for. A folder means all its YAML files.
const SCHEMAS: &[(&str, &[&str])] = &[
    ("vendor.github-workflows", &[".github/workflows"]),
    ("vendor.github-issue-forms", &[".github/ISSUE_TEMPLATE"]),
    ("vendor.github-issue-config", &[".github/ISSUE_TEMPLATE/config.yml"]),
    ("vendor.dependabot", &[".github/dependabot.yml"]),
    ("vendor.github-actions", &["action.yml"]),
];
/// Shell scripts that run on other people's machines, or in CI.
const SCRIPTS: [&str; 4] = [".ci/run", ".github/fetch-release.sh", "xtask/packages/feature.sh", "xtask/packages/portcullis-git.sh"];
/// In the folder of the issue forms, but no form.
const NO_FORM: &str = "config.yml";

/// Installs the checkers if they are not there, and runs them.
/// Error: a checker cannot be installed, or finds a mistake.
pub(crate) fn check() -> Result<()> {
    let tools = install()?;
    let path = std::env::join_paths(std::iter::once(tools.clone()).chain(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())))?;
    let tool = |name: &str| {
        let mut command = command(&tools.join(name).display().to_string());
        command.env("PATH", &path);
        command
    };
    // Without arguments it finds the workflows by itself.
    pass(&mut tool("actionlint"))?;
    pass(tool("shellcheck").args(SCRIPTS))?;
    for (schema, places) in SCHEMAS {
        let mut files = Vec::new();
        for place in *places {
            files.extend(yaml(Path::new(place))?);
        }
        pass(tool("check-jsonschema").args(["--quiet", "--builtin-schema", schema]).args(&files)).with_context(|| format!("the schema `{schema}`"))?;
    }
    Ok(())
}

/// A file, or all YAML files of a folder, relative to the root.
fn yaml(place: &Path) -> Result<Vec<PathBuf>> {
    if root().join(place).is_file() {
        return Ok(vec![place.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(root().join(place)).with_context(|| format!("`{}` is missing", place.display()))? {
        let name = entry?.file_name();
        if name != NO_FORM && Path::new(&name).extension().is_some_and(|extension| extension == "yml" || extension == "yaml") {
            files.push(place.join(name));
        }
    }
    files.sort();
    Ok(files)
}

/// The folder of the installed checkers. What is already installed in these versions is not installed again.
fn install() -> Result<PathBuf> {
    let folder = target().join("tools");
    let (programs, installed) = (folder.join("bin"), folder.join("installed.txt"));
    let wanted = fs::read_to_string(root().join(REQUIREMENTS)).with_context(|| REQUIREMENTS.to_owned())?;
    if fs::read_to_string(&installed).is_ok_and(|found| found == wanted) {
        return Ok(programs);
    }
    pass(command("python3").args(["-m", "venv", "--clear"]).arg(&folder)).context("install Python 3 with its module `venv` (Debian: python3-venv)")?;
    let pip = programs.join("pip").display().to_string();
    pass(command(&pip).args(["install", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:", "--requirement", REQUIREMENTS]))
        .context("the checkers come from PyPI; is it reachable?")?;
    fs::write(&installed, wanted).with_context(|| installed.display().to_string())?;
    Ok(programs)
}
