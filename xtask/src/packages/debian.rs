//! A Debian package, put together without Debian's tools: a Unix archive of two packed folders.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::UnpackedPrograms;
use crate::archive::{GIT, MAIN, ar, gzip, tar};
use crate::workspace::{HOOK, root};

/// Where completions lie in the archive and on Debian.
const COMPLETIONS: [(&str, &str); 3] = [
    ("portcullis.bash", "usr/share/bash-completion/completions/portcullis"),
    ("_portcullis", "usr/share/zsh/vendor-completions/_portcullis"),
    ("portcullis.fish", "usr/share/fish/vendor_completions.d/portcullis.fish"),
];
/// Who answers for the package, in the form that Debian demands.
const MAINTAINER: &str = "The authors of Portcullis <portcullis@localhost>";

/// The package; `None` for a system that is not Linux.
pub(super) fn package(programs: &UnpackedPrograms) -> Result<Option<PathBuf>> {
    let Some(arch) = programs.platform.debian else { return Ok(None) };
    let (release, folder) = (programs.release, programs.scratch.join("debian"));
    let (data, control) = (folder.join("data"), folder.join("control"));
    let (bin, man, about) = (data.join("usr/bin"), data.join("usr/share/man/man1"), data.join("usr/share/doc/portcullis"));
    for made in [&bin, &man, &about, &control] {
        fs::create_dir_all(made)?;
    }
    for program in [MAIN, HOOK] {
        fs::copy(programs.folder.join(program), bin.join(program))?;
    }
    symlink(MAIN, bin.join(GIT))?;
    for page in fs::read_dir(programs.folder.join("man"))? {
        let page = page?;
        let to = man.join(page.file_name());
        fs::copy(page.path(), &to)?;
        gzip(&to)?;
    }
    for (name, to) in COMPLETIONS {
        let to = data.join(to);
        fs::create_dir_all(to.parent().unwrap_or(&data))?;
        fs::copy(programs.folder.join("completions").join(name), to)?;
    }
    fs::write(about.join("copyright"), copyright(&release.repository)?)?;
    fs::copy(root().join("CHANGELOG.md"), about.join("changelog"))?;
    gzip(&about.join("changelog"))?;

    let needs = if programs.platform.is_static() { "" } else { "Depends: libc6\n" };
    let text = format!(
        "Package: portcullis\nVersion: {}\nSection: devel\nPriority: optional\nArchitecture: {arch}\n{needs}Installed-Size: {}\nMaintainer: {MAINTAINER}\nHomepage: {}\nDescription: {}\n Portcullis is a hook: the client of a coding agent starts it before each tool call.\n",
        release.version,
        size(&data)?.div_ceil(1024),
        release.repository,
        release.description
    );
    fs::write(control.join("control"), text)?;
    for (name, folder) in [("control", &control), ("data", &data)] {
        tar(folder, &["."], release.time, &folder.with_file_name(format!("{name}.tar.gz")))?;
    }
    let part = |name: &str| fs::read(folder.join(name));
    let members = [("debian-binary", b"2.0\n".to_vec()), ("control.tar.gz", part("control.tar.gz")?), ("data.tar.gz", part("data.tar.gz")?)];
    let to = programs.out.join(format!("portcullis_{}_{arch}.deb", release.version));
    fs::write(&to, ar(&members, release.time)?)?;
    Ok(Some(to))
}

/// Both licences, in the form that Debian asks for.
fn copyright(repository: &str) -> Result<String> {
    let mut text = format!(
        "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\nSource: {repository}\n\nFiles: *\nCopyright: the authors of Portcullis\nLicense: Expat or Apache-2.0\n"
    );
    for (name, file) in [("Expat", "LICENSE-MIT"), ("Apache-2.0", "LICENSE-APACHE")] {
        let _ = write!(text, "\nLicense: {name}\n");
        for line in fs::read_to_string(root().join(file))?.lines() {
            let _ = writeln!(text, " {}", if line.trim().is_empty() { "." } else { line.trim_end() });
        }
    }
    Ok(text)
}

/// The bytes of all files below a folder.
fn size(folder: &Path) -> Result<u64> {
    let mut sum = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        sum += if kind.is_dir() { size(&entry.path())? } else { entry.metadata()?.len() };
    }
    Ok(sum)
}
