//! Which commands of git this process runs below: where git gives its hook no way to tell (leases), their words do.
//! Does not read them as commands.

use std::fs;
use std::os::unix::process::parent_id;

/// Processes between the hook and git: a shell, a hook manager and what it is written in.
const MAX_ABOVE: usize = 16;

/// The words of every git process above this one, the nearest first, as far up as can be seen.
///
/// A process above cannot be put between git and its hook by whoever starts git. Empty where the system does not show
/// them as Linux does (`/proc/PID/cmdline`, proc(5)).
pub fn commands() -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let mut process = parent_id();
    for _ in 0..MAX_ABOVE {
        let (Some(words), Some(parent)) = (words(process), parent_of(process)) else { break };
        let name = words.first().and_then(|word| word.rsplit('/').next()).unwrap_or_default();
        if name == "git" || name.starts_with("git-") {
            found.push(words);
        }
        process = parent;
    }
    found
}

fn words(process: u32) -> Option<Vec<String>> {
    let bytes = fs::read(format!("/proc/{process}/cmdline")).ok()?;
    let text = String::from_utf8_lossy(bytes.strip_suffix(b"\0").unwrap_or(&bytes)).into_owned();
    (!text.is_empty()).then(|| text.split('\0').map(str::to_owned).collect())
}

/// The fourth field of `stat`; the second is in parentheses and may hold anything.
fn parent_of(process: u32) -> Option<u32> {
    let text = fs::read(format!("/proc/{process}/stat")).ok()?;
    let text = String::from_utf8_lossy(&text);
    text.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}
