//! What runs beside Portcullis in one hook of git: the hook that was there before, and programs that leave out their own
//! hooks if one is in their place. They run after Portcullis has allowed the action. Judges nothing.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use super::block::KEPT;
use crate::cli::terminal::tell;
use crate::deep::commits::Folders;

/// A program that leaves out its hooks if others are in their place.
struct GivesWay {
    /// Its program.
    program: &'static str,
    /// Its folder in git's, which is there once the repository uses it.
    folder: &'static str,
    /// The attribute that files have in repositories that use it.
    attribute: &'static str,
    /// Its hooks: their arguments, where `"$@"` are git's own, and whether a failure stops git.
    hooks: &'static [(&'static str, &'static [&'static str], bool)],
}

/// git-lfs 3.3 leaves out all its hooks if one is taken (`git lfs update --manual` shows them), git-annex 10 each that is.
const GIVE_WAY: [GivesWay; 2] = [
    GivesWay {
        program: "git-lfs",
        folder: "lfs",
        attribute: "filter=lfs",
        hooks: &[("pre-push", &["pre-push", "$@"], true), ("post-commit", &["post-commit", "$@"], false), ("post-merge", &["post-merge", "$@"], false)],
    },
    GivesWay {
        program: "git-annex",
        folder: "annex",
        attribute: "filter=annex",
        hooks: &[("pre-commit", &["pre-commit", "."], true), ("post-merge", &["smudge", "--update"], false)],
    },
];

/// The folder, beside the hooks, from which a hook that was there before is started under its own name.
pub const VIEW: &str = "portcullis-hooks";

/// Starts the programs that left out their hooks, with git's arguments and input. `Some` is the exit code of the first one
/// that stops git.
pub fn gave_way(hook: &str, arguments: &[OsString], input: &[u8]) -> Option<ExitCode> {
    let cwd = std::env::current_dir().ok()?;
    let common = Folders::find(&cwd).ok()?.common;
    for way in &GIVE_WAY {
        let Some((_, words, stops)) = way.hooks.iter().find(|(name, ..)| *name == hook).filter(|_| is_used(way, &common, &cwd)) else { continue };
        let mut command = Command::new(way.program);
        for word in *words {
            if *word == "$@" {
                command.args(arguments)
            } else {
                command.arg(word)
            };
        }
        let (code, why) = match fed(command, input) {
            Ok(0) => continue,
            Ok(code) => (code, format!("`{}` failed ({code})", way.program)),
            Err(error) => (1, format!("this repository uses `{0}`, and `{0}` could not be started: {error}", way.program)),
        };
        tell(&format!("portcullis-git: {hook}: {why}"));
        if *stops {
            return Some(ExitCode::from(code));
        }
    }
    None
}

fn is_used(way: &GivesWay, common: &Path, top: &Path) -> bool {
    let attributes = [top.join(".gitattributes"), common.join("info/attributes")];
    common.join(way.folder).is_dir() || attributes.iter().any(|file| fs::read_to_string(file).is_ok_and(|text| text.contains(way.attribute)))
}

/// Runs the hook that was there before, with git's arguments and input. Returns its exit code.
pub fn chained(program: &OsStr, hook: &str, arguments: &[OsString], input: &[u8]) -> ExitCode {
    // What git would not run is passed over as git passes over it.
    let runs = |path: &Path| fs::metadata(path).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0);
    let kept = Path::new(program);
    if fs::symlink_metadata(kept).is_err() {
        tell(&format!("portcullis-git: {hook}: `{}`, the hook that was here before, is gone, so it was not started", kept.display()));
        return ExitCode::SUCCESS;
    }
    let Some(kept) = std::path::absolute(kept).ok().filter(|path| runs(path)) else { return ExitCode::SUCCESS };
    let path = named(&kept, hook).unwrap_or(kept);
    let mut command = Command::new(&path);
    command.args(arguments);
    match fed(command, input) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            tell(&format!("portcullis-git: the hook `{}` could not be started: {error}", Path::new(program).display()));
            ExitCode::FAILURE
        }
    }
}

/// A path to a kept hook whose last part is the hook's own name, in a folder where all is found that is beside the hooks:
/// programs tell by their name and folder which hook they are. `None` if it cannot be made.
fn named(kept: &Path, hook: &str) -> Option<PathBuf> {
    let folder = kept.parent()?;
    let cwd = std::env::current_dir().ok()?;
    let view = Folders::find(&cwd).ok()?.common.join(VIEW);
    fs::create_dir_all(&view).ok()?;
    let link = |to: &Path, name: &OsStr| {
        let at = view.join(name);
        // Several hooks can run at once, and all make the same links.
        if fs::read_link(&at).ok().as_deref() != Some(to) {
            let _ = fs::remove_file(&at);
            let _ = symlink(to, &at);
        }
        fs::read_link(&at).is_ok_and(|there| there == to).then_some(at)
    };
    for entry in fs::read_dir(folder).ok()?.flatten() {
        let name = entry.file_name();
        let is_kept = fs::symlink_metadata(folder.join(with_suffix(&name))).is_ok();
        if !is_kept && !name.to_string_lossy().ends_with(KEPT) {
            link(&entry.path(), &name);
        }
    }
    link(kept, OsStr::new(hook))
}

fn with_suffix(name: &OsStr) -> OsString {
    let mut name = name.to_owned();
    name.push(KEPT);
    name
}

/// Runs a program with this input, or with git's own if it is empty. Its exit code; 1 if a signal ended it.
fn fed(mut command: Command, input: &[u8]) -> std::io::Result<u8> {
    let piped = if input.is_empty() { Stdio::inherit() } else { Stdio::piped() };
    let mut child = command.stdin(piped).spawn()?;
    if let Some(mut pipe) = child.stdin.take() {
        // A hook may end without reading its input.
        let _ = pipe.write_all(input);
    }
    Ok(child.wait()?.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}
