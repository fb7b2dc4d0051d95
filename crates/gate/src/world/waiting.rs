//! How many calls wait for a person's approval. The cold binary reads and writes the requests themselves.

use std::fs;
use std::path::PathBuf;

use std::os::unix::fs::MetadataExt as _;

use super::system;

/// The folder of requests and approvals, in the repository's memory.
pub const FOLDER: &str = "approvals";
/// Seconds for which a request waits.
pub const WAITS: u64 = 24 * 3600;

/// The requests that nobody approved, used or revoked, and that are not too old.
#[must_use]
pub fn count(memory: &[PathBuf]) -> usize {
    let now = system::now();
    let entries = memory.iter().filter_map(|folder| fs::read_dir(folder.join(FOLDER)).ok()).flatten().flatten();
    let waits = |entry: &fs::DirEntry| {
        let path = entry.path();
        let is_request = path.extension().is_some_and(|end| end == "request") && !entry.file_name().as_encoded_bytes().starts_with(b".");
        let is_settled = || ["approval", "used", "revoked"].iter().any(|end| path.with_extension(end).symlink_metadata().is_ok());
        let is_young = || entry.metadata().is_ok_and(|found| u64::try_from(found.mtime()).is_ok_and(|time| now <= time.saturating_add(WAITS)));
        is_request && !is_settled() && is_young()
    };
    entries.filter(waits).count()
}

/// The number in words. `None`: nothing waits.
#[must_use]
pub fn said(memory: &[PathBuf]) -> Option<String> {
    match count(memory) {
        0 => None,
        1 => Some("a call waits for your approval (`portcullis approvals` shows it)".to_owned()),
        many => Some(format!("{many} calls wait for your approval (`portcullis approvals` shows them)")),
    }
}
