//! What a release is called: its version, where it is published, and the names of its files for each platform.

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use crate::step::{command, output};

/// In place of whoever owns the repository, until the first release.
pub(crate) const NO_OWNER: &str = "OWNER";
/// The namespace of the signatures of releases. That of approvals is another one, so that neither counts as the other.
pub(crate) const NAMESPACE: &str = "portcullis-release";
/// The list of all checksums of a release.
pub(crate) const SUMS: &str = "SHA256SUMS";

/// A version of Portcullis, as it is published.
#[derive(Clone, Debug)]
pub(crate) struct Release {
    pub(crate) version: String,
    /// The address of the repository.
    pub(crate) repository: String,
    /// One sentence on what it is.
    pub(crate) description: String,
    /// The time of the commit, in seconds since 1970: files get it, so that the same sources give the same bytes.
    pub(crate) time: u64,
}

impl Release {
    /// What the manifest of the root package and the commit say.
    ///
    /// Error: cargo or git does not answer.
    pub(crate) fn of_this_tree() -> Result<Self> {
        let text = output(command("cargo").args(["metadata", "--no-deps", "--format-version", "1", "--quiet"]))?;
        let all: Value = serde_json::from_str(&text).context("the answer of `cargo metadata`")?;
        let package = all["packages"].as_array().and_then(|packages| packages.iter().find(|package| package["name"] == "portcullis"));
        let package = package.context("no member is called `portcullis`")?;
        let text = |key: &str| package[key].as_str().map(str::to_owned).with_context(|| format!("the manifest has no `{key}`"));
        // A source archive has no commit; then all files get the same time too.
        let time = output(command("git").args(["log", "-1", "--format=%ct"])).ok().and_then(|time| time.trim().parse().ok()).unwrap_or(0);
        Ok(Self { version: text("version")?, repository: text("repository")?, description: text("description")?, time })
    }

    /// Error: the tag is not that of this version, or nobody owns the repository.
    pub(crate) fn is_tagged(&self, tag: &str) -> Result<()> {
        ensure!(tag == format!("v{}", self.version), "the tag is `{tag}`, the version is {}: change one of them", self.version);
        let owned = !self.repository.split('/').any(|part| part == NO_OWNER);
        ensure!(owned, "Cargo.toml says that releases are published at `{}`: replace `{NO_OWNER}` by the owner of the repository", self.repository);
        Ok(())
    }

    /// The folder within an archive, and the archive's name without its ending.
    pub(crate) fn name(&self, triple: &str) -> String {
        format!("portcullis-{}-{triple}", self.version)
    }

    /// Where a file of this release is fetched from.
    pub(crate) fn address(&self, file: &str) -> String {
        format!("{}/releases/download/v{}/{file}", self.repository, self.version)
    }
}

/// A platform that programs are released for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Platform {
    pub(crate) triple: String,
    /// As Node.js calls system and processor.
    pub(crate) npm: (&'static str, &'static str),
    /// As wheels call it.
    pub(crate) wheel: &'static str,
    /// As Debian calls the processor; `None` for another system.
    pub(crate) debian: Option<&'static str>,
    /// As Homebrew asks for it: the blocks of system and processor.
    pub(crate) brew: (&'static str, &'static str),
}

impl Platform {
    /// Error: nothing is packed for this target.
    pub(crate) fn of(triple: &str) -> Result<Self> {
        // Static programs run with any C library. One that needs glibc is for this machine only, and no index takes it.
        let (npm, wheel, debian, brew) = match triple {
            "x86_64-unknown-linux-musl" => (("linux", "x64"), "manylinux_2_17_x86_64.musllinux_1_1_x86_64", Some("amd64"), ("linux", "intel")),
            "aarch64-unknown-linux-musl" => (("linux", "arm64"), "manylinux_2_17_aarch64.musllinux_1_1_aarch64", Some("arm64"), ("linux", "arm")),
            "x86_64-unknown-linux-gnu" => (("linux", "x64"), "linux_x86_64", Some("amd64"), ("linux", "intel")),
            "aarch64-unknown-linux-gnu" => (("linux", "arm64"), "linux_aarch64", Some("arm64"), ("linux", "arm")),
            "x86_64-apple-darwin" => (("darwin", "x64"), "macosx_10_12_x86_64", None, ("macos", "intel")),
            "aarch64-apple-darwin" => (("darwin", "arm64"), "macosx_11_0_arm64", None, ("macos", "arm")),
            _ => bail!("nothing is packed for `{triple}`"),
        };
        Ok(Self { triple: triple.to_owned(), npm, wheel, debian, brew })
    }

    /// The programs start without a loader.
    pub(crate) fn is_static(&self) -> bool {
        self.triple.ends_with("-musl")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::HOOK;

    /// A value of `[package.metadata.binstall]` with cargo-binstall's variables filled in.
    fn filled_in(package: &Value, key: &str, release: &Release, triple: &str, binary: &str) -> String {
        let template = package["metadata"]["binstall"][key].as_str().unwrap_or_default();
        let variables = [("repo", package["repository"].as_str().unwrap_or_default()), ("version", &release.version), ("target", triple), ("bin", binary)];
        variables.iter().fold(template.replace("{ binary-ext }", ""), |text, (name, value)| text.replace(&format!("{{ {name} }}"), value))
    }

    #[test]
    fn cargo_binstall_finds_the_programs_in_the_archive() -> Result<()> {
        let release = Release::of_this_tree()?;
        let all: Value = serde_json::from_str(&output(command("cargo").args(["metadata", "--no-deps", "--format-version", "1", "--quiet"]))?)?;
        for (name, binary) in [("portcullis", "portcullis"), ("gate", HOOK)] {
            let package = all["packages"].as_array().and_then(|packages| packages.iter().find(|package| package["name"] == name)).context("a package")?;
            let binaries = package["targets"].as_array().into_iter().flatten().filter(|target| target["kind"][0] == "bin");
            assert!(binaries.into_iter().all(|target| target["name"] == binary), "{name} has other programs than {binary}");
            for triple in ["x86_64-unknown-linux-musl", "aarch64-apple-darwin"] {
                let archive = release.name(triple);
                assert_eq!(filled_in(package, "pkg-url", &release, triple, binary), release.address(&format!("{archive}.tar.gz")));
                assert_eq!(filled_in(package, "bin-dir", &release, triple, binary), format!("{archive}/{binary}"));
            }
        }
        Ok(())
    }

    #[test]
    fn a_release_needs_an_owner_and_its_own_tag() -> Result<()> {
        let release = Release { repository: "https://example.com/acme/portcullis".to_owned(), ..Release::of_this_tree()? };
        let tag = format!("v{}", release.version);
        assert!(release.is_tagged(&tag).is_ok());
        assert!(release.is_tagged("v0.0.0").is_err());
        let nobody = Release { repository: format!("https://example.com/{NO_OWNER}/portcullis"), ..release };
        assert!(nobody.is_tagged(&tag).is_err());
        Ok(())
    }
}
