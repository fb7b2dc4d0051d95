//! File names in the headers of diffs: quotes, time stamps, prefixes. Knows nothing of hunks.

/// A file name as a header gives it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Name {
    /// Without quotes and time stamp, with its prefix.
    pub(super) text: String,
    /// The time stamp is the epoch: by that `diff -N` says that there is no such file.
    pub(super) epoch: bool,
}

impl Name {
    /// No file on this side.
    pub(super) fn is_none(&self) -> bool {
        self.epoch || self.text == "/dev/null"
    }
}

/// Reads what follows `--- ` or `+++ `.
pub(super) fn name(rest: &str) -> Name {
    let rest = rest.trim_end_matches('\r');
    if let Some((text, after)) = quoted(rest) {
        return Name { text, epoch: is_epoch(after) };
    }
    let end = rest.find('\t').or_else(|| stamp(rest)).unwrap_or(rest.len());
    let (text, after) = rest.split_at(end);
    Name { text: text.trim().to_owned(), epoch: is_epoch(after) }
}

/// Reads a name that stands in quotes with C's escapes; gives the name and what follows it.
pub(super) fn quoted(text: &str) -> Option<(String, &str)> {
    let inner = text.strip_prefix('"')?;
    let mut bytes = Vec::new();
    let mut chars = inner.bytes().enumerate();
    while let Some((at, byte)) = chars.next() {
        match byte {
            b'"' => {
                let after = inner.get(at + 1..).unwrap_or_default();
                return Some((String::from_utf8_lossy(&bytes).into_owned(), after));
            }
            b'\\' => {
                let (_, escape) = chars.next()?;
                bytes.push(match escape {
                    b'a' => 7,
                    b'b' => 8,
                    b'f' => 12,
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'v' => 11,
                    b'0'..=b'7' => {
                        let mut value = u32::from(escape - b'0');
                        for _ in 0..2 {
                            // Git always writes three digits; a shorter escape ends at what is no digit.
                            let mut ahead = chars.clone();
                            match ahead.next() {
                                Some((_, digit @ b'0'..=b'7')) => value = value * 8 + u32::from(digit - b'0'),
                                _ => break,
                            }
                            chars = ahead;
                        }
                        u8::try_from(value & 0xff).unwrap_or_default()
                    }
                    other => other,
                });
            }
            other => bytes.push(other),
        }
    }
    None
}

/// Takes `count` leading parts off a path. A path with fewer parts stays whole.
pub(super) fn strip(path: &str, count: usize) -> &str {
    let mut rest = path;
    for _ in 0..count {
        match rest.split_once('/') {
            Some((_, tail)) => rest = tail.trim_start_matches('/'),
            None => return path,
        }
    }
    if rest.is_empty() { path } else { rest }
}

/// Both names of a `diff --git` line. Without quotes the two are told apart by being the same but for their prefix.
pub(super) fn git_names(rest: &str) -> Option<(String, String)> {
    let rest = rest.trim_end();
    if let Some((old, after)) = quoted(rest) {
        let after = after.trim_start();
        let new = quoted(after).map_or_else(|| after.to_owned(), |(new, _)| new);
        return Some((old, new));
    }
    if let Some((old, after)) = rest.split_once(" \"") {
        let (new, _) = quoted(rest.get(rest.len() - after.len() - 1..)?)?;
        return Some((old.to_owned(), new));
    }
    let middle = rest.len() / 2;
    if rest.as_bytes().get(middle) == Some(&b' ') {
        let (old, new) = (rest.get(..middle)?, rest.get(middle + 1..)?);
        if old == new || old.split_once('/').map(|(_, tail)| tail) == new.split_once('/').map(|(_, tail)| tail) {
            return Some((old.to_owned(), new.to_owned()));
        }
    }
    let (old, new) = rest
        .split_once(" b/")
        .map(|(old, new)| (old.to_owned(), format!("b/{new}")))
        .or_else(|| rest.rsplit_once(' ').map(|(old, new)| (old.to_owned(), new.to_owned())))?;
    Some((old, new))
}

/// Whether the two names carry git's prefixes: `a/` and `b/`, or in git's own headers also those of
/// `diff.mnemonicPrefix`.
pub(super) fn prefixed(old: &str, new: &str, git: bool) -> bool {
    let letter = |name: &str| match name.as_bytes() {
        [letter, b'/', ..] if b"abciow12".contains(letter) => Some(*letter),
        _ => None,
    };
    match (old, new) {
        ("/dev/null", name) => letter(name).is_some_and(|letter| git || letter == b'b'),
        (name, "/dev/null") => letter(name).is_some_and(|letter| git || letter == b'a'),
        _ => match (letter(old), letter(new)) {
            (Some(b'a'), Some(b'b')) => true,
            (Some(left), Some(right)) => git && left != right,
            _ => false,
        },
    }
}

/// Where a time stamp begins that is set off by blanks alone.
fn stamp(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let shape = b" dddd-dd-dd dd:dd";
    let at = bytes.windows(shape.len()).position(|window| {
        window.iter().zip(shape).all(|(byte, wanted)| match wanted {
            b'd' => byte.is_ascii_digit(),
            other => byte == other,
        })
    })?;
    (at > 0).then_some(at)
}

/// Whether the time stamp is the epoch, in whatever zone it was written.
fn is_epoch(stamp: &str) -> bool {
    let stamp = stamp.trim();
    (stamp.starts_with("1970-01-01 ") || stamp.starts_with("1969-12-31 ")) && stamp.contains(":00") || stamp.starts_with("Thu Jan  1 00:00:00 1970")
}
