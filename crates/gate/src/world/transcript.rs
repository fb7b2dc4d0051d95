//! The end of a client's transcript, for what a client says there alone.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use super::system::read_at;

/// Bytes that are read: the last call and its result are in them, unless the result is larger.
const MAX_TAIL: usize = 256 << 10;
/// A pipe in the place of the file must not be waited for.
const FLAGS: i32 = libc::O_NONBLOCK | libc::O_NOCTTY;

/// The last whole lines of a transcript. `None`: it is no file, or cannot be read.
pub(crate) fn last_lines(path: &Path) -> Option<String> {
    let file = OpenOptions::new().read(true).custom_flags(FLAGS).open(path).ok()?;
    let data = file.metadata().ok().filter(std::fs::Metadata::is_file)?;
    let start = usize::try_from(data.len()).ok()?.saturating_sub(MAX_TAIL);
    let text = String::from_utf8_lossy(&read_at(&file, start, MAX_TAIL)?).into_owned();
    Some(if start == 0 { text } else { text.split_once('\n')?.1.to_owned() })
}
