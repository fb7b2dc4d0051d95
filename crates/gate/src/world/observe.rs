//! Answers the facts that rules need. The cold binary answers those that need more than file-system calls.

use std::path::{Path, PathBuf};

use super::links::without_links;
use super::repository::{Discovery, Repository, configuration, discover, has_ref_tables, head_branch};
use super::{Surroundings, lookup, phase, system};
use actions::shown::escaped;
use policy::facts::{Known, Loss, Need, WorkAtRisk};

/// Bytes of a file in which a text is looked for.
const MAX_SEARCHED: u64 = 1 << 20;
/// Bytes of a copied file that is searched. Files of settings are smaller.
const MAX_COPIED: u64 = 64 << 10;

/// Answers a fact with file-system calls alone. `None`: the cold binary must answer it.
pub fn light(need: &Need, around: &Surroundings) -> Option<Known> {
    Some(match need {
        Need::RealPath(path, follow) => real_path(Path::new(path), *follow, around)
            .map_or_else(|| Known::Unknown("where it leads could not be found out".to_owned()), |real| Known::Text(real.to_string_lossy().into_owned())),
        Need::Exists(path) => match system::identity(Path::new(path)) {
            Ok(found) => Known::Is(found.is_some(), String::new()),
            Err(errno) => Known::Unknown(super::errno_text(errno)),
        },
        Need::Holds(path, text) => {
            let there =
                lookup::beginning(Path::new(path), MAX_SEARCHED).is_some_and(|bytes| bytes.windows(text.len().max(1)).any(|part| part == text.as_bytes()));
            Known::Is(there, String::new())
        }
        Need::Text(path) => match lookup::beginning(Path::new(path), MAX_COPIED + 1) {
            Some(bytes) if bytes.len() as u64 <= MAX_COPIED => Known::Text(String::from_utf8_lossy(&bytes).into_owned()),
            _ => Known::Is(false, String::new()),
        },
        Need::Branch(folder) => match repository_at(folder, around) {
            None => Known::Unknown("there is no repository".to_owned()),
            Some(repository) => match head_branch(&repository) {
                Some(branch) => Known::Text(branch),
                None if has_ref_tables(&repository) => Known::Unknown("its references are in tables".to_owned()),
                None => Known::Is(false, "no branch is checked out".to_owned()),
            },
        },
        Need::Phase => match phase::read(around) {
            Ok(state) if state.phase.is_empty() => Known::Is(false, String::new()),
            Ok(state) => Known::Text(state.phase),
            Err(damaged) => Known::Unknown(format!("`{}` is damaged", escaped(&damaged.0.to_string_lossy()))),
        },
        // The size is not known before the file is written. Git's hooks know it.
        Need::Size(_) => Known::Is(false, String::new()),
        Need::HooksFolder => hooks_folder(around).map_or(Known::Is(false, String::new()), Known::Text),
        Need::Dirty(risk) => return without_git(risk, around),
        // A link to the git folder of another work tree holds nothing.
        Need::Unpushed(path) if !Path::new(path).is_dir() => Known::Is(false, String::new()),
        Need::LosesGate(..) | Need::WeakensPolicy(..) | Need::Ignored(_) | Need::Ignores(_) | Need::Unpushed(_) | Need::OnlyThere(..) => return None,
    })
}

/// What can be said of files that are deleted or written without git's objects: what is not there is not lost, and outside
/// of a repository nothing else has it.
fn without_git(risk: &WorkAtRisk, around: &Surroundings) -> Option<Known> {
    if !matches!(risk.loss, Loss::Files | Loss::Tree) {
        return None;
    }
    // Where the folder in front of a pattern is missing, the pattern names nothing.
    if let Some(path) = risk.only().or_else(|| (!risk.paths.is_empty()).then(|| risk.folder.clone())) {
        match system::identity(Path::new(&path)) {
            Ok(None) => return Some(Known::Is(false, String::new())),
            Ok(Some(_)) => {}
            Err(errno) => return Some(Known::Unknown(super::errno_text(errno))),
        }
    }
    repository_at(&risk.folder, around).is_none().then(|| Known::Is(true, String::new()))
}

/// The repository that git would work on in `folder`.
#[must_use]
pub fn repository_at(folder: &str, around: &Surroundings) -> Option<Repository> {
    if folder == around.places.cwd {
        return around.repository.clone();
    }
    match discover(Path::new(folder)) {
        Discovery::Found(repository) => Some(repository),
        Discovery::Bare(_) | Discovery::None | Discovery::Unreadable(_) => None,
    }
}

/// What `core.hooksPath` says (git-config(1)): a path from the top of the work tree, or from a home folder.
fn hooks_folder(around: &Surroundings) -> Option<String> {
    let entries = configuration::entries(Path::new(&around.places.cwd), around);
    let (_, value) = entries.into_iter().rev().find(|(key, _)| key == "core.hookspath").filter(|(_, value)| !value.is_empty())?;
    let folder = match (value.strip_prefix("~/"), around.places.homes.first()) {
        (Some(rest), Some(home)) => Path::new(home).join(rest),
        _ => around.repository.as_ref()?.root.join(&value),
    };
    let folder = nearest(&folder, around)?;
    Some(folder.to_string_lossy().into_owned())
}

/// Where a path leads: links of what exists are followed, what does not exist stays as it is.
fn real_path(path: &Path, follow_last: bool, around: &Surroundings) -> Option<PathBuf> {
    if follow_last {
        if let Some(real) = existing(path, around) {
            return Some(real);
        }
        // A link to what does not exist yet decides all the same where a write goes.
        if let Ok(target) = std::fs::read_link(path) {
            let target = path.parent()?.join(target);
            return Some(nearest(target.parent()?, around)?.join(target.file_name()?));
        }
    }
    Some(nearest(path.parent()?, around)?.join(path.file_name()?))
}

/// The real path of what exists. Nearly every path is below the root, of which the links are resolved already.
fn existing(path: &Path, around: &Surroundings) -> Option<PathBuf> {
    if path.is_absolute() { without_links(path, Some(&around.root)).ok() } else { std::fs::canonicalize(path).ok() }
}

/// The real path of the nearest folder that exists, with the rest behind it.
fn nearest(folder: &Path, around: &Surroundings) -> Option<PathBuf> {
    let mut rest = Vec::new();
    let mut at = folder;
    loop {
        if let Some(real) = existing(at, around) {
            return Some(rest.iter().rev().fold(real, |path, name| path.join(name)));
        }
        rest.push(at.file_name()?);
        at = at.parent()?;
    }
}
