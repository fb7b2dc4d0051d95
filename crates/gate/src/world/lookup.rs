//! Answers what reading a call asks for: scripts, recipes, git's configuration. Only plain files are opened, and of them
//! only the beginning.

use std::io::Read as _;
use std::path::Path;

use super::repository::configuration;
use super::{Surroundings, repository, system, written};
use crate::deep::{Deep, Stop};
use actions::lookup::{Lookup, LookupAnswer, is_any_depth, is_named};
use actions::word::Word;

/// Bytes that are read of a script. What is behind is not followed, as a file on the disk is only judged by what is certain.
const MAX_TEXT: u64 = 256 << 10;

/// Entries of folders that are looked at for one pattern.
const MAX_ENTRIES: usize = 4_000;
/// Files that one pattern may give.
const MAX_NAMED: usize = 16;

/// The answer.
///
/// # Errors
///
/// [`Stop::HandOver`] if only the cold binary can give it.
pub fn look_up(lookup: &Lookup, around: &Surroundings, deep: &dyn Deep) -> Result<LookupAnswer, Stop> {
    let found = |(path, text): (String, String)| LookupAnswer::Text { written: written::is_written(&path, around), path, text };
    Ok(match lookup {
        Lookup::Text(paths) => first(paths).map_or(LookupAnswer::Nothing, found),
        Lookup::Yaml(paths) => match first(paths) {
            None => LookupAnswer::Nothing,
            Some((path, text)) => deep.yaml_as_json(&text)?.map_or(LookupAnswer::Nothing, |text| found((path, text))),
        },
        Lookup::Configuration(folder) => LookupAnswer::Entries(configuration::entries(Path::new(folder), around)),
        Lookup::Named(path) => {
            let (mut names, mut left) = (Vec::new(), MAX_ENTRIES);
            named(Path::new("/"), path.split('/').get(1..).unwrap_or(&[]), &mut names, &mut left);
            LookupAnswer::Names(names)
        }
        Lookup::IsFile(folder, name) => {
            let there = Path::new(folder).join(name).symlink_metadata().is_ok() && !repository::has_ref(Path::new(folder), name);
            if there { LookupAnswer::Yes } else { LookupAnswer::Nothing }
        }
    })
}

/// Files below `folder` that fit. Links to folders are followed only where they are named.
fn named(folder: &Path, pattern: &[Word], names: &mut Vec<String>, left: &mut usize) {
    let Some((first, rest)) = pattern.split_first() else {
        if names.len() < MAX_NAMED && folder.is_file() {
            names.extend(folder.to_str().map(str::to_owned));
        }
        return;
    };
    if let Some(name) = first.literal() {
        return named(&folder.join(name), rest, names, left);
    }
    let deep = is_any_depth(first);
    if deep {
        named(folder, rest, names, left);
    }
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let Some(rest_of_work) = left.checked_sub(1) else { return };
        *left = rest_of_work;
        let name = entry.file_name();
        let name = name.to_str().unwrap_or("");
        if deep {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) && name != ".git" {
                named(&entry.path(), pattern, names, left);
            }
        } else if is_named(&first.pieces, name) {
            named(&entry.path(), rest, names, left);
        }
    }
}

/// The first of the files that is there, with its text. One that holds a NUL byte is no script, and ends the search too.
fn first(paths: &[String]) -> Option<(String, String)> {
    let (path, bytes) = paths.iter().find_map(|path| Some((path, beginning(Path::new(path), MAX_TEXT)?)))?;
    (!bytes.contains(&0)).then(|| (path.clone(), String::from_utf8_lossy(&bytes).into_owned()))
}

/// The beginning of a plain file. A pipe or a terminal is not waited for.
pub(super) fn beginning(path: &Path, most: u64) -> Option<Vec<u8>> {
    let mut file = system::open(path, libc::O_RDONLY | libc::O_NONBLOCK | libc::O_NOCTTY, 0).ok()?;
    if !file.metadata().ok()?.is_file() {
        return None;
    }
    // Most programs are no scripts, which their first bytes tell.
    let mut bytes = Vec::new();
    (&mut file).take(512.min(most)).read_to_end(&mut bytes).ok()?;
    if !bytes.contains(&0) {
        file.take(most - bytes.len() as u64).read_to_end(&mut bytes).ok()?;
    }
    Some(bytes)
}
