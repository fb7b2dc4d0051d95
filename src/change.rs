//! What is being pushed: the refs that git hands to its `pre-push` hook, as types. Reads their lines and judges nothing;
//! knows neither repositories nor rules.
#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros)]

/// The digits of an object's number with SHA-1 and with SHA-256 (gitformat-pack, "object name").
const DIGITS: [usize; 2] = [40, 64];
/// The longest stretch of a line in a message, in characters.
const SHOWN: usize = 120;

/// The number of an object: 40 or 64 hexadecimal digits, in lower case, not all of them zero.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id(String);

impl Id {
    /// The digits.
    #[must_use]
    pub fn digits(&self) -> &str {
        &self.0
    }

    /// Whether it is a SHA-256 number.
    #[must_use]
    pub fn is_sha256(&self) -> bool {
        self.0.len() == 64
    }

    /// Reads a number. Outer none: it is not one. Inner none: it is the one that stands for no object, all zeros.
    #[must_use]
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
    /// What it leads to now; none: the remote has no such ref.
    pub old: Option<Id>,
    /// What it is to lead to; none: it goes away.
    pub new: Option<Id>,
}

impl Update {
    /// Whether the ref is a tag.
    #[must_use]
    pub fn is_tag(&self) -> bool {
        self.target.starts_with("refs/tags/")
    }

    /// The name as people and policies write it: a branch without `refs/heads/`.
    #[must_use]
    pub fn name(&self) -> &str {
        self.target.strip_prefix("refs/heads/").unwrap_or(&self.target)
    }
}

/// Reads the lines of standard input: `<local ref> <local id> <remote ref> <remote id>` (githooks(5), "pre-push").
///
/// The local ref is what the person wrote and may hold blanks (`HEAD@{1 day ago}`); the other three never do.
///
/// # Errors
///
/// The first line that is none, and why.
pub fn updates(input: &[u8]) -> Result<Vec<Update>, String> {
    // Other bytes than UTF-8 may stand in the name of a ref; it is still one ref, and no pattern names it by them.
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
    line.chars().take(SHOWN).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::{Id, updates};

    const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const B: &str = "BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB";

    /// `target old new`, with `-` for no object and the first four digits otherwise.
    fn short(input: &str) -> Result<Vec<String>, String> {
        let id = |id: &Option<Id>| id.as_ref().map_or("-".to_owned(), |id| id.digits().chars().take(4).collect());
        updates(input.as_bytes()).map(|all| all.iter().map(|one| format!("{} {} {}", one.target, id(&one.old), id(&one.new))).collect())
    }

    #[test]
    fn lines_are_read() {
        let (zero, zero64, c) = ("0".repeat(40), "0".repeat(64), "c".repeat(64));
        for (input, expected) in [
            (String::new(), vec![]),
            (format!("refs/heads/x {A} refs/heads/y {B}\n"), vec!["refs/heads/y bbbb aaaa"]),
            (format!("refs/heads/x {A} refs/heads/y {zero}"), vec!["refs/heads/y - aaaa"]),
            (format!("(delete) {zero} refs/heads/y {B}\n"), vec!["refs/heads/y bbbb -"]),
            (format!("HEAD@{{1 day ago}} {A} refs/heads/y {B}\n"), vec!["refs/heads/y bbbb aaaa"]),
            (format!("a {c} refs/tags/t {zero64}\nb {zero64} refs/tags/u {c}\n"), vec!["refs/tags/t - cccc", "refs/tags/u cccc -"]),
        ] {
            assert_eq!(short(&input), Ok(expected.into_iter().map(str::to_owned).collect()), "{input:?}");
        }
    }

    #[test]
    fn what_is_no_line_is_refused_with_its_place() {
        let good = format!("a {A} refs/heads/a {B}");
        for (input, expected) in [
            ("\n".to_owned(), "line 1, ``: it has fewer than four fields"),
            (format!("{good}\n{A} refs/heads/a {B}\n"), "line 2"),
            (format!("a {A}1 refs/heads/a {B}1\n"), "no object number"),
            (format!("a {} refs/heads/a {}\n", "g".repeat(40), "g".repeat(40)), "no object number"),
            (format!("a {A} refs/heads/a {}\n", "c".repeat(64)), "not of one kind"),
            (format!("a {A} main {B}\n"), "not written in full"),
            (format!("{good}\r\n"), "not of one kind"),
        ] {
            let why = short(&input).expect_err(&input);
            assert!(why.contains(expected), "{input:?}: {why}");
        }
    }
}
