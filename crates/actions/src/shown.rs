//! Texts from outside as they are shown: names of files, branches and tools, commands, what was committed. Each could hold
//! a line end, an escape sequence or a character that turns the order of others round, and so write a line of its own into
//! a message. Every message, question, report and line of the record goes through here.

use std::borrow::Cow;
use std::fmt::Write as _;

/// A text from outside in one line: characters that are not seen, or that a terminal acts on, are escaped; a line end is
/// shown as `⏎` and a tab as a blank.
#[must_use]
pub fn escaped(text: &str) -> Cow<'_, str> {
    if is_plain(text) { Cow::Borrowed(text) } else { Cow::Owned(one_by_one(text, false)) }
}

/// Like [`escaped`], for a text of several lines: its line ends and tabs are kept.
#[must_use]
pub fn escaped_lines(text: &str) -> Cow<'_, str> {
    if is_plain(text) { Cow::Borrowed(text) } else { Cow::Owned(one_by_one(text, true)) }
}

/// JSON in which a reader sees what is in its strings: what is not seen is escaped, and means the same.
#[must_use]
pub fn escaped_json(json: &str) -> Cow<'_, str> {
    if json.is_ascii() || !json.contains(|c: char| !c.is_ascii() && is_unseen(c)) {
        return Cow::Borrowed(json);
    }
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_ascii() || !is_unseen(c) {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
    Cow::Owned(out)
}

/// Characters that are not seen, that a terminal acts on, or that turn the order of others round (Unicode Standard, 23).
#[must_use]
pub fn is_unseen(c: char) -> bool {
    let unseen = |c: char| {
        matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}')
            || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}')
            || matches!(c, '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
    };
    c.is_control() || (!c.is_ascii() && unseen(c))
}

fn is_plain(text: &str) -> bool {
    is_printable(text.as_bytes()) || !text.contains(is_unseen)
}

/// Whether all bytes are from the blank to `~`: eight are looked at together.
fn is_printable(bytes: &[u8]) -> bool {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH: u64 = ONES << 7;
    let (words, rest) = bytes.as_chunks::<8>();
    // Without a high bit, one more sets it in `0x7f` alone; with it, 0x20 less takes it from what is below the blank alone.
    let one = |word: u64| (word | word.wrapping_add(ONES) | !((word | HIGH).wrapping_sub(ONES * 0x20))) & HIGH == 0;
    words.iter().all(|word| one(u64::from_ne_bytes(*word))) && rest.iter().all(|byte| matches!(byte, b' '..=b'~'))
}

fn one_by_one(text: &str, lines: bool) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\n' | '\t' if lines => out.push(c),
            '\n' => out.push('⏎'),
            '\t' => out.push(' '),
            c if is_unseen(c) => {
                let _ = write!(out, "{}", c.escape_default());
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_reader_is_escaped() {
        for (text, expected) in [
            ("src/a b.rs", "src/a b.rs"),
            ("größe 語 e\u{301}", "größe 語 e\u{301}"),
            ("a\nretry: yes", "a⏎retry: yes"),
            ("a\r\u{1b}[2Kb\u{9b}2J\u{7}", "a\\r\\u{1b}[2Kb\\u{9b}2J\\u{7}"),
            ("exe\u{202e}txt.sh\u{2066}", "exe\\u{202e}txt.sh\\u{2066}"),
            ("a\u{200b}\u{e0041}\u{3164}", "a\\u{200b}\\u{e0041}\\u{3164}"),
            ("a\tb", "a b"),
        ] {
            assert_eq!(escaped(text), expected, "{text:?}");
        }
        assert_eq!(escaped_lines("a\nb\u{1b}c"), "a\nb\\u{1b}c");
    }

    #[test]
    fn each_byte_that_is_not_printed_is_seen_in_each_place() {
        for place in 0..20 {
            for byte in 0..=u8::MAX {
                let mut bytes = [b'a'; 20];
                bytes[place] = byte;
                assert_eq!(is_printable(&bytes), (b' '..=b'~').contains(&byte), "{byte:#x} at {place}");
            }
        }
    }

    #[test]
    fn json_means_the_same_afterwards() {
        let text = "a\u{202e}\u{e0041}\n語\u{9b}";
        let json = crate::json::quoted(text);
        assert!(!json.contains(is_unseen), "{json}");
        assert_eq!(crate::json::Json::read(json.as_bytes()).unwrap().scalar().as_deref(), Some(text));
    }
}
