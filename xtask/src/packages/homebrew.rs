//! The Homebrew formula: addresses and checksums of the archives. A tap takes it as it is.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::PackedFiles;
use crate::archive::sha256;
use crate::release::Release;

/// What the formula does with an unpacked archive.
const REST: &str = include_str!("../../packages/formula.rb");

pub(super) fn formula(release: &Release, platforms: &[PackedFiles], out: &Path) -> Result<PathBuf> {
    let mut text = format!(
        "# Made by `cargo xtask dist`.\nclass Portcullis < Formula\n  desc \"{}\"\n  homepage \"{}\"\n  version \"{}\"\n  license any_of: [\"MIT\", \"Apache-2.0\"]\n",
        release.description, release.repository, release.version
    );
    for system in ["macos", "linux"] {
        let own: Vec<&PackedFiles> = platforms.iter().filter(|files| files.platform.brew.0 == system).collect();
        if own.is_empty() {
            continue;
        }
        let _ = writeln!(text, "\n  on_{system} do");
        for files in own {
            let name = files.archive.file_name().and_then(|name| name.to_str()).context("an archive without a name")?;
            let (url, sum) = (release.address(name), sha256(&files.archive)?);
            let _ = writeln!(text, "    on_{} do\n      url \"{url}\"\n      sha256 \"{sum}\"\n    end", files.platform.brew.1);
        }
        text.push_str("  end\n");
    }
    text.push('\n');
    text.push_str(REST);
    let to = out.join("portcullis.rb");
    fs::write(&to, text)?;
    Ok(to)
}
