//! What cargo knows about the members of this workspace.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::step::{command, output};

/// The program that Claude Code starts on every call.
pub(crate) const HOOK: &str = "portcullis-hook";
/// The profile that the hook is shipped in, and the folder of what it builds.
pub(crate) const HOOK_PROFILE: &str = "hook";

pub(crate) struct Member {
    pub(crate) name: String,
    /// Relative to the root; empty for the root package.
    pub(crate) folder: String,
    pub(crate) binaries: Vec<String>,
    /// Other members that this one is compiled with, in tests too.
    pub(crate) needs: Vec<String>,
}

/// The root of the repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

/// Where cargo builds.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |folder| root().join(folder))
}

/// All members, in cargo's order.
/// Error: cargo cannot read the manifests.
pub(crate) fn members() -> Result<Vec<Member>> {
    let text = output(command("cargo").args(["metadata", "--no-deps", "--format-version", "1", "--quiet"]))?;
    let all: Value = serde_json::from_str(&text).context("the answer of `cargo metadata`")?;
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let names: Vec<String> = list(&all["packages"]).iter().map(|package| text(&package["name"])).collect();
    let is = |target: &Value, kind: &str| list(&target["kind"]).iter().any(|found| found == kind);
    let member = |package: &Value| {
        let folder = PathBuf::from(text(&package["manifest_path"]));
        let folder = folder.parent().and_then(|folder| folder.strip_prefix(root()).ok()).unwrap_or(Path::new(""));
        let targets = list(&package["targets"]);
        Member {
            name: text(&package["name"]),
            folder: folder.display().to_string(),
            binaries: targets.iter().filter(|target| is(target, "bin")).map(|target| text(&target["name"])).collect(),
            needs: list(&package["dependencies"]).iter().map(|needed| text(&needed["name"])).filter(|name| names.contains(name)).collect(),
        }
    };
    Ok(list(&all["packages"]).iter().map(member).collect())
}

/// The member that a binary belongs to; `None` if there is no such binary.
pub(crate) fn owner<'a>(members: &'a [Member], binary: &str) -> Option<&'a Member> {
    members.iter().find(|member| member.binaries.iter().any(|name| name == binary))
}

/// The member that has the hook.
/// Error: no member has it.
pub(crate) fn hook_member() -> Result<Member> {
    let has_hook = |member: &Member| member.binaries.iter().any(|name| name == HOOK);
    members()?.into_iter().find(has_hook).with_context(|| format!("no member has a binary `{HOOK}`"))
}
