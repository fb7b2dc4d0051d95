//! What is being committed or pushed: files of a change, the message, the refs that git hands to its hooks, as types.
//! Reads their lines and judges nothing; knows neither repositories nor rules.
#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros)]

pub mod files;
pub mod message;

/// The digits of an object's number with SHA-1 and with SHA-256 (gitformat-pack, "object name").
const DIGITS: [usize; 2] = [40, 64];
/// The longest stretch of a line in a message, in characters.
const SHOWN: usize = 120;

/// The number of an object: 40 or 64 hexadecimal digits, in lower case, not all of them zero.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id(String);

impl Id {
    /// The digits.
    pub fn digits(&self) -> &str {
        &self.0
    }

    /// Whether it is a SHA-256 number.
    pub fn is_sha256(&self) -> bool {
        self.0.len() == 64
    }

    /// Reads a number. Outer none: it is not one. Inner none: it is the one that stands for no object, all zeros.
    pub fn read(text: &str) -> Option<Option<Self>> {
        let valid = DIGITS.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        valid.then(|| text.bytes().any(|byte| byte != b'0').then(|| Self(text.to_ascii_lowercase())))
    }
}

/// What is to become of one ref in the remote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    /// The ref in the remote, in full: `refs/heads/main`.
    pub target: String,
    /// What it leads to now. `None`: the remote has no such ref.
    pub old: Option<Id>,
    /// What it is to lead to. `None`: it goes away.
    pub new: Option<Id>,
}

impl Update {
    /// Whether the ref is a tag.
    pub fn is_tag(&self) -> bool {
        self.target.starts_with("refs/tags/")
    }

    /// The name as people and policies write it: a branch without `refs/heads/`.
    pub fn name(&self) -> &str {
        self.target.strip_prefix("refs/heads/").unwrap_or(&self.target)
    }
}

/// Reads the lines of standard input: `<local ref> <local id> <remote ref> <remote id>` (githooks(5), "pre-push").
///
/// The local ref is what the person wrote and may hold blanks (`HEAD@{1 day ago}`); the other three never do.
/// Error: the first line that is not one, and why.
pub fn updates(input: &[u8]) -> Result<Vec<Update>, String> {
    // Other bytes than UTF-8 can be in the name of a ref; it is still one ref, and no pattern names it by them.
    let text = String::from_utf8_lossy(input);
    text.split_terminator('\n').enumerate().map(|(at, line)| update(line).map_err(|why| format!("line {}, `{}`: {why}", at + 1, clipped(line)))).collect()
}

fn update(line: &str) -> Result<Update, &'static str> {
    let mut fields = line.rsplitn(4, ' ');
    let (Some(old), Some(target), Some(new), Some(_)) = (fields.next(), fields.next(), fields.next(), fields.next()) else {
        return Err("it has fewer than four fields");
    };
    let number = "it has no object number of 40 or 64 digits where one belongs";
    if old.len() != new.len() {
        return Err("its two object numbers are not of one kind");
    }
    if !target.starts_with("refs/") {
        return Err("the remote ref is not written in full");
    }
    Ok(Update { target: target.to_owned(), old: Id::read(old).ok_or(number)?, new: Id::read(new).ok_or(number)? })
}

fn clipped(line: &str) -> String {
    crate::shown::escaped(&line.chars().take(SHOWN).collect::<String>()).into_owned()
}

#[cfg(test)]
#[path = "change_tests.rs"]
mod tests;
