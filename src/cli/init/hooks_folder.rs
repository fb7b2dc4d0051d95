//! Where git looks for hooks, asked of git itself: conditional includes, the configuration of one work tree and variables
//! count as they do for git. `git rev-parse` and `git config` start no program, whatever the configuration names.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cli::canary;

/// Variables of a hook, which would make git answer for another place.
const OF_HOOKS: [&str; 5] = ["GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_INDEX_FILE", "GIT_PREFIX"];

/// What git says of its hooks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HooksFolder {
    /// The folder, absolute; it need not exist.
    pub path: PathBuf,
    /// `core.hooksPath`, if it is set.
    pub set: Option<String>,
    /// It is set for all repositories, not for this one.
    pub for_all: bool,
}

/// Asks git in the top folder of a work tree.
///
/// # Errors
///
/// Git is missing, or refuses to work here.
pub(super) fn asked(root: &Path) -> Result<HooksFolder, String> {
    // A folder's own path is written in other ways than that of a file in it.
    let file = said(root, &["rev-parse", "--git-path", "hooks/pre-commit"])??;
    let path = real(&root.join(Path::new(file.trim_end_matches('\n')).parent().unwrap_or(Path::new("/"))));
    let set = said(root, &["config", "--show-scope", "--get", "core.hooksPath"])?.ok();
    let set = set.as_deref().and_then(|line| line.trim_end_matches('\n').split_once('\t'));
    let for_all = set.is_some_and(|(scope, _)| matches!(scope, "system" | "global"));
    Ok(HooksFolder { path, set: set.map(|(_, value)| value.to_owned()), for_all })
}

/// The path without `..` and links, as far as it exists.
fn real(path: &Path) -> PathBuf {
    let mut rest = Vec::new();
    let mut at = path;
    loop {
        if let Ok(real) = fs::canonicalize(at) {
            return rest.iter().rev().fold(real, |path, name| path.join(name));
        }
        match (at.file_name(), at.parent()) {
            (Some(name), Some(parent)) => {
                rest.push(name);
                at = parent;
            }
            _ => return path.to_path_buf(),
        }
    }
}

/// What git prints, or its message.
fn said(root: &Path, arguments: &[&str]) -> Result<Result<String, String>, String> {
    let mut git = Command::new("git");
    git.args(arguments).current_dir(root);
    for name in OF_HOOKS {
        git.env_remove(name);
    }
    let reply = canary::run(git, "")?;
    Ok(if reply.code == Some(0) { Ok(reply.stdout) } else { Err(reply.stderr.trim_end().to_owned()) })
}
