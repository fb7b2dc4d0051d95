//! The gate's own files for one repository: the compiled policy, the last refusal, a pause. Each is written beside its
//! place and renamed into it, so that nobody ever reads half of one.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::record::in_first;
use super::{below, system};
use crate::digest::hexadecimal;

/// The compiled policy.
pub const POLICY: &str = "policy";
/// The mistakes of the policy, and the state of its files in which it has them.
pub const MISTAKES: &str = "mistakes";
/// Is locked by the process that compiles the policy.
pub const COMPILING: &str = "compiling";
/// Is beside the compiled policy where that asks for calls to be looked at once they have ended: most have no need to be
/// looked into then.
pub const ENDED: &str = "ended";
/// Is beside the compiled policy where that has gates: what the calls have in their texts after which gates must look.
pub const GATES: &str = "gates";
/// The last call that was stopped.
pub const LAST: &str = "last.json";
/// Where `init` added Portcullis, in the folder of the place's root.
pub const WIRED: &str = "wired";
/// What `install` put into a folder, in the folder of that one.
pub const INSTALLED: &str = "installed";
/// The source tree in which that was built, in the same folder; missing for what came out of a release.
pub const SOURCE: &str = "source";
/// A pause that a person made.
pub const PAUSE: &str = "pause";
/// The tools of servers as a person saw them last, as JSON.
pub const SERVERS: &str = "servers.json";
/// Larger files are not ours.
pub const MAX_BYTES: usize = 64 << 20;

/// The name of a repository's folder in the state: its path hashed (FNV-1a, 64 bits), so that any path has one.
pub fn folder_name(root: &Path) -> String {
    let hash = root.as_os_str().as_encoded_bytes().iter().fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    str::from_utf8(hexadecimal(hash.to_be_bytes()).as_flattened()).unwrap_or_default().to_owned()
}

/// A file of the repository's state, in a state folder.
pub fn file_name(state: &Path, root: &Path, name: &str) -> PathBuf {
    below(state, &[&folder_name(root), "/", name].concat())
}

/// Where the compiled policy can be: the state folders, and memory, where no home can be written to.
pub fn policy_places(states: &[PathBuf]) -> impl Iterator<Item = PathBuf> {
    states.iter().cloned().chain(std::iter::once_with(in_memory))
}

/// A folder in memory that is this user's own.
pub fn in_memory() -> PathBuf {
    PathBuf::from(format!("/dev/shm/portcullis-{}", system::user()))
}

/// Keeps the compiled policy where a state folder takes it, else in memory. Losing it costs time, not safety.
///
/// # Errors
///
/// Neither takes it.
pub fn write_policy(states: &[PathBuf], root: &Path, bytes: &[u8]) -> io::Result<PathBuf> {
    write(states, root, POLICY, bytes).or_else(|error| {
        let place = in_memory();
        let _ = fs::DirBuilder::new().mode(0o700).create(&place);
        // Anybody can make a folder there, and what is in theirs is theirs.
        let found = fs::symlink_metadata(&place)?;
        if found.is_dir() && found.uid() == system::user() { write(&[place], root, POLICY, bytes) } else { Err(error) }
    })
}

/// Reads a file of the repository's state from the first state folder that has it.
pub fn read(states: &[PathBuf], root: &Path, name: &str) -> Option<Vec<u8>> {
    states.iter().find_map(|state| {
        let mut file = system::open(&file_name(state, root, name), libc::O_RDONLY, 0).ok()?;
        let size = file.metadata().ok()?.len();
        if size > MAX_BYTES as u64 {
            return None;
        }
        let mut bytes = Vec::with_capacity(usize::try_from(size).ok()? + 1);
        file.read_to_end(&mut bytes).ok()?;
        Some(bytes)
    })
}

/// The files of this name in the states of all repositories.
pub fn every(states: &[PathBuf], name: &str) -> Vec<Vec<u8>> {
    let folders = states.iter().filter_map(|state| fs::read_dir(state).ok()).flatten().flatten();
    folders.filter_map(|folder| fs::read(folder.path().join(name)).ok()).collect()
}

/// Whether a file of the repository's state is there.
pub fn has(states: &[PathBuf], root: &Path, name: &str) -> bool {
    states.iter().any(|state| fs::symlink_metadata(file_name(state, root, name)).is_ok())
}

/// Writes a file of the repository's state into the first state folder that takes it.
///
/// # Errors
///
/// The last folder's error, if none took it.
pub fn write(states: &[PathBuf], root: &Path, name: &str, bytes: &[u8]) -> io::Result<PathBuf> {
    let folders: Vec<PathBuf> = states.iter().map(|state| state.join(folder_name(root))).collect();
    in_first(&folders, |folder| put(folder, name, bytes).map(|()| folder.join(name)))
}

/// Writes the last refusal: one line, over the one before it.
///
/// In place, because renaming over a file makes some file systems write it to the disk at once, which costs more than the
/// whole decision. Readers take the first line, so what is left of a longer one is never seen.
///
/// # Errors
///
/// The last folder's error, if none took it.
pub fn write_last(states: &[PathBuf], root: &Path, line: &str) -> io::Result<()> {
    let in_place = states.iter().any(|state| {
        let path = state.join(folder_name(root)).join(LAST);
        fs::OpenOptions::new()
            .write(true)
            .open(path)
            .and_then(|mut file| {
                file.write_all(line.as_bytes())?;
                file.set_len(line.len() as u64)
            })
            .is_ok()
    });
    if in_place { Ok(()) } else { write(states, root, LAST, line.as_bytes()).map(|_| ()) }
}

/// The line of the last refusal.
pub fn read_last(states: &[PathBuf], root: &Path) -> Option<Vec<u8>> {
    let mut bytes = read(states, root, LAST)?;
    let end = bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |at| at + 1);
    bytes.truncate(end);
    Some(bytes)
}

/// Removes a file of the repository's state from every state folder.
///
/// # Errors
///
/// The first error but absence.
pub fn remove(states: &[PathBuf], root: &Path, name: &str) -> io::Result<()> {
    for state in states {
        match fs::remove_file(state.join(folder_name(root)).join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// Makes a folder of the state, if it is missing.
///
/// # Errors
///
/// The system's.
pub fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() { Ok(()) } else { fs::DirBuilder::new().recursive(true).mode(0o700).create(folder) }
}

fn put(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let temporary = folder.join(format!(".{name}.{}", std::process::id()));
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
    let written = file.write_all(bytes).and_then(|()| fs::rename(&temporary, folder.join(name)));
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written
}
