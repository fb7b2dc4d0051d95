//! Archives with the same bytes for the same files, whoever packs them and when; checksums, and their signature.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};
use sha2::{Digest as _, Sha256};

use crate::release::{NAMESPACE, Release, SUMS};
use crate::step::{command, output, pass};
use crate::workspace::{HOOK, root};

/// The program of people and of CI.
pub(crate) const MAIN: &str = "portcullis";
/// What git's hooks call: a link to the main program.
pub(crate) const GIT: &str = "portcullis-git";
/// What lies beside the programs in the archive.
pub(crate) const PAPERS: &[&str] = &["README.md", "CHANGELOG.md", "SECURITY.md", "LICENSE-APACHE", "LICENSE-MIT"];
/// Shells, and the name under which each looks for completions.
const COMPLETIONS: &[(&str, &str)] = &[("bash", "portcullis.bash"), ("zsh", "_portcullis"), ("fish", "portcullis.fish")];
/// The public keys that may sign releases, in the form of ssh-keygen.
pub(crate) const SIGNERS: &str = ".github/release_signers";
/// The name that signs.
pub(crate) const SIGNER: &str = "release@portcullis";

/// Packs `OUT/NAME.tar.gz` from the programs in a folder, and returns its path. `runner` starts programs of another processor.
///
/// Error: a program is missing or does not start, or a file cannot be written.
pub(crate) fn archive(release: &Release, triple: &str, programs: &Path, runner: Option<&str>, out: &Path) -> Result<PathBuf> {
    let name = release.name(triple);
    let folder = out.join(&name);
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(folder.join("completions"))?;
    for program in [MAIN, HOOK] {
        fs::copy(programs.join(program), folder.join(program)).with_context(|| programs.join(program).display().to_string())?;
    }
    symlink(MAIN, folder.join(GIT))?;
    for paper in PAPERS {
        fs::copy(root().join(paper), folder.join(paper)).with_context(|| (*paper).to_owned())?;
    }
    let main = folder.join(MAIN).display().to_string();
    let start = || runner.map_or_else(|| command(&main), |runner| with_first(runner, &main));
    pass(start().arg("--version"))?;
    pass(start().arg("man").arg(folder.join("man")))?;
    for (shell, file) in COMPLETIONS {
        fs::write(folder.join("completions").join(file), output(start().args(["completions", shell]))?)?;
    }
    let packed = out.join(format!("{name}.tar.gz"));
    tar(out, &[&name], release.time, &packed)?;
    fs::remove_dir_all(&folder)?;
    println!("{}", packed.display());
    Ok(packed)
}

fn with_first(runner: &str, program: &str) -> Command {
    let mut command = command(runner);
    command.arg(program);
    command
}

/// Unpacks an archive of a release into a folder, and returns the folder with the programs.
///
/// Error: `tar` fails.
pub(crate) fn unpack(archive: &Path, into: &Path) -> Result<PathBuf> {
    fs::create_dir_all(into)?;
    pass(command("tar").arg("-xzf").arg(archive).arg("-C").arg(into))?;
    let name = archive.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(".tar.gz"));
    Ok(into.join(name.context("an archive ends in `.tar.gz`")?))
}

/// Packs members of a folder.
///
/// Error: GNU tar or gzip is missing, or fails.
pub(crate) fn tar(folder: &Path, members: &[&str], time: u64, to: &Path) -> Result<()> {
    // macOS has another tar under that name.
    let mut tar = command(if cfg!(target_os = "macos") { "gtar" } else { "tar" });
    tar.arg("-C").arg(folder).args(["--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--mode=u+rw,go=rX", "--format=gnu"]);
    pass(tar.arg(format!("--mtime=@{time}")).args(["--use-compress-program", "gzip -9n", "-cf"]).arg(to).args(members))
}

/// Writes a file that can be run.
///
/// Error: it cannot be written.
pub(crate) fn put_program(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| path.display().to_string())?;
    Ok(fs::set_permissions(path, fs::Permissions::from_mode(0o755))?)
}

/// The checksum of a file, in hexadecimal digits.
///
/// Error: it cannot be read.
pub(crate) fn sha256(path: &Path) -> Result<String> {
    let digest = Sha256::digest(fs::read(path).with_context(|| path.display().to_string())?);
    Ok(digest.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    }))
}

/// Writes the checksums of all files to be published into one list.
///
/// Error: a file cannot be read or written.
pub(crate) fn sums(out: &Path, files: &[PathBuf]) -> Result<()> {
    let mut lines = Vec::new();
    for file in files {
        let name = file.strip_prefix(out).unwrap_or(file).display().to_string();
        lines.push((name, sha256(file)?));
    }
    lines.sort();
    let text = lines.iter().fold(String::new(), |text, (name, sum)| text + sum + "  " + name + "\n");
    print!("{text}");
    Ok(fs::write(out.join(SUMS), text)?)
}

/// Signs the list of checksums with an SSH key, and checks the signature with the keys that users have, if they are given.
///
/// Error: `ssh-keygen` fails, or users could not verify it.
pub(crate) fn sign(out: &Path, key: &Path, signers: Option<&Path>) -> Result<()> {
    let (list, signature) = (out.join(SUMS), out.join(format!("{SUMS}.sig")));
    let _ = fs::remove_file(&signature);
    pass(command("ssh-keygen").args(["-q", "-Y", "sign", "-n", NAMESPACE, "-f"]).arg(std::path::absolute(key)?).arg(&list))?;
    let Some(signers) = signers else { return Ok(()) };
    if !signers.is_file() {
        println!("signed, but nobody can verify it yet: `{SIGNERS}` is missing. Add the line `{SIGNER} namespaces=\"{NAMESPACE}\" PUBLIC-KEY`");
        return Ok(());
    }
    verify(&list, &signature, signers).with_context(|| format!("the key is not in `{SIGNERS}`, so nobody could verify this release"))
}

/// Verifies a signature as docs/install.md says it.
///
/// Error: it is not of these keys, or not for this text.
pub(crate) fn verify(list: &Path, signature: &Path, signers: &Path) -> Result<()> {
    let mut verify = command("ssh-keygen");
    verify.args(["-Y", "verify", "-n", NAMESPACE, "-I", SIGNER, "-f"]).arg(signers).arg("-s").arg(signature);
    let mut child = verify.stdin(Stdio::piped()).spawn().context("`ssh-keygen` cannot be started")?;
    child.stdin.take().context("no standard input")?.write_all(&fs::read(list)?)?;
    ensure!(child.wait()?.success(), "the signature is not valid");
    Ok(())
}

/// Compresses a file, without a time in it.
///
/// Error: `gzip` fails.
pub(crate) fn gzip(path: &Path) -> Result<()> {
    pass(command("gzip").args(["-9n"]).arg(path))
}

/// The Unix archive that a Debian package is: its members, one after the other.
///
/// Error: a member is too large for the form.
pub(crate) fn ar(members: &[(&str, Vec<u8>)], time: u64) -> Result<Vec<u8>> {
    let mut bytes = b"!<arch>\n".to_vec();
    for (name, content) in members {
        if name.len() > 15 || content.len() > 9_999_999_999 {
            bail!("`{name}` does not fit into an archive");
        }
        writeln!(bytes, "{name:<16}{time:<12}{:<6}{:<6}{:<8}{:<10}`", 0, 0, "100644", content.len())?;
        bytes.extend(content);
        if content.len() % 2 == 1 {
            bytes.push(b'\n');
        }
    }
    Ok(bytes)
}
