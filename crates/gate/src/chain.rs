//! The chain of the record: each line carries a digest over the line before it and itself. A line that was changed, removed,
//! inserted or moved breaks the chain at its place. Nothing is read or written here; `world::record` puts lines on the disk.
//!
//! The link is the end of a line: `,"n":NUMBER,"chain":"DIGEST"}`. The digest is of the digest before, in hexadecimal, and of
//! the line up to `,"chain"`. The first line of a file names the digest before it (`prev`), because the file before may be
//! gone. A line that was written without the record's lock has `unlinked` with the digest that was seen last, which another
//! line may follow too; its number is that of the line seen.
#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros)]

use crate::digest::{SIGNS, digest};
use actions::json::put_number;

/// Bytes that a link takes at the most: `prev` or `unlinked`, the number, the digest.
pub const LINK: usize = 120;
/// What is before the first line.
pub const START: LineDigest = [b'0'; SIGNS];

const CHAIN: &str = ",\"chain\":\"";
const NUMBER: &str = ",\"n\":";
const UNLINKED: &str = ",\"unlinked\":\"";
const PREVIOUS: &str = ",\"prev\":\"";
/// What ends a line.
const END: &str = "}\n";

/// A digest, in hexadecimal.
pub type LineDigest = [u8; SIGNS];

/// The link of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineLink {
    /// Numbers the lines of a record, from 1.
    pub number: u64,
    pub digest: LineDigest,
    /// For a line written without the lock: the digest seen before it.
    pub unlinked: Option<LineDigest>,
    /// For the first line of a file: the digest before it, which is in another file.
    pub previous: Option<LineDigest>,
    /// Bytes of the line that the digest covers.
    covered: usize,
}

impl LineLink {
    /// The link of a line without its line end. `None`: it has none.
    #[must_use]
    pub fn read(line: &[u8]) -> Option<Self> {
        let (text, digest) = last_value(line.strip_suffix(b"}")?, CHAIN)?;
        let covered = text.len();
        let (text, unlinked) = last_value(text, UNLINKED).map_or((text, None), |(text, seen)| (text, Some(seen)));
        let digits = text.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
        let (text, digits) = text.split_at_checked(text.len() - digits)?;
        let number = std::str::from_utf8(digits).ok()?.parse().ok()?;
        let previous = last_value(text.strip_suffix(NUMBER.as_bytes())?, PREVIOUS).map(|(_, previous)| previous);
        Some(Self { number, digest, unlinked, previous, covered })
    }

    /// True if the digest is of this line behind one with the digest `before`.
    #[must_use]
    pub fn follows(&self, before: &LineDigest, line: &[u8]) -> bool {
        self.after(before, line) == self.digest
    }

    /// The digest that this line would have behind one with the digest `before`.
    #[must_use]
    pub fn after(&self, before: &LineDigest, line: &[u8]) -> LineDigest {
        digest(&[before, line.get(..self.covered).unwrap_or(line)])
    }
}

/// A digest with its key at the end of a text, and what is in front of both.
fn last_value<'l>(text: &'l [u8], key: &str) -> Option<(&'l [u8], LineDigest)> {
    let (text, value) = text.strip_suffix(b"\"")?.split_last_chunk::<SIGNS>()?;
    let text = text.strip_suffix(key.as_bytes())?;
    value.iter().all(|sign| matches!(sign, b'0'..=b'9' | b'a'..=b'f')).then_some((text, *value))
}

/// Where the next line continues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainEnd {
    /// The highest number so far.
    pub number: u64,
    /// The digest of the last line.
    pub digest: LineDigest,
}

impl Default for ChainEnd {
    fn default() -> Self {
        Self { number: 0, digest: START }
    }
}

/// The end of the chain in the last bytes of a file. `None`: the last whole line with a link was written without the lock, or
/// no line has one, so more bytes must be looked at.
#[must_use]
pub fn end_of(tail: &[u8]) -> Option<ChainEnd> {
    let link = ends_of_lines(tail).find_map(LineLink::read)?;
    link.unlinked.is_none().then_some(ChainEnd { number: link.number, digest: link.digest })
}

/// As [`end_of`], with what lines without the lock tell: a line may have been written between one of them and what it saw.
#[must_use]
pub fn end_of_all(tail: &[u8]) -> Option<ChainEnd> {
    let mut end: Option<ChainEnd> = None;
    for link in ends_of_lines(tail).filter_map(LineLink::read) {
        let last = end.get_or_insert(ChainEnd { number: link.number, digest: link.digest });
        last.number = last.number.max(link.number);
    }
    end
}

/// The last bytes of a file up to the end of each line, the last line first. A link is at the end of its line and has no line
/// end in it, so where the line begins does not matter.
fn ends_of_lines(tail: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = tail;
    std::iter::from_fn(move || {
        rest = rest.iter().rposition(|byte| *byte == b'\n').and_then(|end| rest.get(..end))?;
        Some(rest)
    })
}

/// The line with its link, behind `end`. `first`: it is the first of its file.
#[must_use]
pub fn linked(line: &str, end: ChainEnd, first: bool) -> String {
    let mut text = opened(line);
    if first && end != ChainEnd::default() {
        put(&mut text, PREVIOUS, &end.digest);
    }
    text.push_str(NUMBER);
    put_number(end.number + 1, &mut text);
    closed(text, &end.digest)
}

/// The line, marked as written without the lock, where `end` was seen.
#[must_use]
pub fn unlinked(line: &str, end: ChainEnd) -> String {
    let mut text = opened(line);
    text.push_str(NUMBER);
    put_number(end.number, &mut text);
    put(&mut text, UNLINKED, &end.digest);
    closed(text, &end.digest)
}

/// A line without its end.
fn opened(line: &str) -> String {
    let mut text = String::with_capacity(line.len() + LINK);
    text.push_str(line.strip_suffix(END).unwrap_or(line));
    text
}

fn closed(mut text: String, before: &LineDigest) -> String {
    let chain = digest(&[before, text.as_bytes()]);
    put(&mut text, CHAIN, &chain);
    text.push_str(END);
    text
}

fn put(text: &mut String, key: &str, value: &LineDigest) {
    text.push_str(key);
    // A digest that was read has these signs alone, as has one that was made.
    text.push_str(str::from_utf8(value).unwrap_or_default());
    text.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bare(line: &str) -> &[u8] {
        line.trim_end().as_bytes()
    }

    #[test]
    fn a_link_is_read_back_and_nothing_else_is_one() {
        let end = ChainEnd { number: 41, digest: digest(&[b"x"]) };
        let first = linked("{\"v\":2}\n", end, true);
        let link = LineLink::read(bare(&first)).unwrap();
        assert_eq!((link.number, link.previous, link.unlinked), (42, Some(end.digest), None));
        assert!(link.follows(&end.digest, bare(&first)) && !link.follows(&START, bare(&first)));
        let late = unlinked("{\"v\":2}\n", end);
        let link = LineLink::read(bare(&late)).unwrap();
        assert_eq!((link.number, link.previous, link.unlinked), (41, None, Some(end.digest)));
        assert!(link.follows(&end.digest, bare(&late)));
        let long = linked(&format!("{{\"v\":2,\"what\":\"{}\"}}\n", "x".repeat(300)), ChainEnd { number: u64::MAX - 1, digest: START }, true);
        assert!(long.len() <= 320 + LINK, "{}", long.len());
        // What a text of the line says is no link of it: its quotes are escaped.
        let said = format!("{{\"v\":2,\"what\":{}}}", actions::json::quoted(first.trim_end().strip_suffix("\"}").unwrap()));
        assert_eq!(LineLink::read(said.as_bytes()), None);
        for (from, to) in [("\"n\":42", "\"n\":"), ("\"n\"", "\"m\""), ("chain", "Chain"), ("\"}", "\" }"), ("{\"v\":2", "")] {
            let other = first.replacen(from, to, 1);
            assert!(LineLink::read(bare(&other)).is_none_or(|link| !link.follows(&end.digest, bare(&other))), "{other}");
        }
    }

    #[test]
    fn the_end_is_the_last_whole_line() {
        let one = linked("{\"v\":2}\n", ChainEnd::default(), true);
        let end = end_of(one.as_bytes()).unwrap();
        assert_eq!(end.number, 1);
        let two = linked("{\"v\":2}\n", end, false);
        let next = end_of(format!("{one}{two}").as_bytes()).unwrap();
        assert_eq!(next.number, 2);
        // A cut line, a blank one, and one of an earlier version.
        for rest in ["{\"v\":2,\"wh", "\n", "{\"v\":2}\n\n{\"v\":1}\n{\"v\""] {
            assert_eq!(end_of(format!("{one}{two}{rest}").as_bytes()), Some(next), "{rest}");
        }
        // One that was late saw the first line only.
        let late = unlinked("{\"v\":2,\"late\":1}\n", end);
        let all = format!("{one}{two}{late}");
        assert_eq!(end_of(all.as_bytes()), None);
        assert_eq!(end_of_all(all.as_bytes()).map(|end| end.number), Some(2));
        assert_eq!((end_of(b"x\n"), end_of_all(b"{\"v\":2}\n")), (None, None));
    }
}
