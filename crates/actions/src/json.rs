//! JSON as a tree (RFC 8259), read in one pass. Refuses what a host never sends and an attacker might: the same key
//! twice, half a surrogate pair, nesting beyond 128 levels, anything behind the end.
//!
//! Own code because every call pays for it: a text of 50 kB with many line ends costs a quarter of what the general
//! reader takes. A test holds the two to each other.

use std::borrow::Cow;
use std::{collections::BTreeSet, fmt::Write as _};

/// Levels of arrays and objects that are read; what is deeper is refused, so that the stack always suffices.
const MAX_LEVELS: usize = 128;
/// Keys that are compared one by one; larger objects keep a set.
const FEW_KEYS: usize = 16;

/// A JSON value.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Json {
    /// `null`
    #[default]
    Null,
    /// `true`, `false`
    Bool(bool),
    /// A number, as written.
    Number(String),
    /// A string.
    Text(String),
    /// An array.
    List(Vec<Json>),
    /// An object, in the order of its keys; no key occurs twice.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// Reads one value.
    /// Error: what is wrong, and at which byte.
    pub fn read(text: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(text).map_err(|error| format!("it is not UTF-8 at byte {}", error.valid_up_to()))?;
        let mut reader = JsonReader { text, at: 0 };
        let value = reader.value(0).map_err(|what| format!("{what} at byte {}", reader.at))?;
        reader.blanks();
        if reader.at < text.len() { Err(format!("there is more behind its end at byte {}", reader.at)) } else { Ok(value) }
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Object(entries) => entries.iter().find(|(name, _)| name == key).map(|(_, value)| value),
            _ => None,
        }
    }

    /// Takes the value of a key out; `null` stays in its place.
    pub fn take(&mut self, key: &str) -> Option<Self> {
        match self {
            Self::Object(entries) => entries.iter_mut().find(|(name, _)| name == key).map(|(_, value)| std::mem::take(value)),
            _ => None,
        }
    }

    /// The text of a key's string.
    pub fn text(&self, key: &str) -> Option<&str> {
        match self.get(key)? {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A scalar as text.
    pub fn scalar(&self) -> Option<String> {
        match self {
            Self::Bool(value) => Some(value.to_string()),
            Self::Number(text) | Self::Text(text) => Some(text.clone()),
            Self::Null | Self::List(_) | Self::Object(_) => None,
        }
    }
}

/// A text as a JSON string, with its quotes.
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    put_quoted(text, &mut out);
    out
}

/// Adds a text as a JSON string, with its quotes.
pub fn put_quoted(text: &str, out: &mut String) {
    let start = out.len();
    out.reserve(text.len() + 2);
    out.push('"');
    // Nearly every text is in it as it is.
    if text.is_ascii() && plain(text.as_bytes()) == text.len() {
        out.push_str(text);
        out.push('"');
        return;
    }
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c < ' ' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    let escaped = match crate::shown::escaped_json(out.get(start..).unwrap_or_default()) {
        Cow::Borrowed(_) => return,
        Cow::Owned(escaped) => escaped,
    };
    out.truncate(start);
    out.push_str(&escaped);
}

/// Adds a number in decimal digits. Lines of the record have several, and `write!` takes five times as long.
pub fn put_number(number: u64, out: &mut String) {
    let mut digits = [b'0'; 20];
    let mut rest = number;
    let mut first = digits.len();
    while let Some(place) = first.checked_sub(1) {
        if let (Some(digit), Ok(value)) = (digits.get_mut(place), u8::try_from(rest % 10)) {
            *digit = b'0' + value;
        }
        (first, rest) = (place, rest / 10);
        if rest == 0 {
            break;
        }
    }
    out.push_str(digits.get(first..).and_then(|digits| str::from_utf8(digits).ok()).unwrap_or_default());
}

/// Escapes that stand for one byte, the frequent ones first.
const SIMPLE: &[(u8, u8)] = &[(b'n', b'\n'), (b'"', b'"'), (b'\\', b'\\'), (b't', b'\t'), (b'/', b'/'), (b'r', b'\r'), (b'b', 8), (b'f', 12)];

struct JsonReader<'t> {
    text: &'t str,
    at: usize,
}

type JsonResult<T> = Result<T, &'static str>;

impl<'t> JsonReader<'t> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    /// Goes past `byte`, if it is next.
    fn skip(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn value(&mut self, level: usize) -> JsonResult<Json> {
        self.blanks();
        match self.peek() {
            Some(b'"') => self.string().map(Json::Text),
            Some(b'{') => self.object(level),
            Some(b'[') => self.list(level),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Json::Bool(true)),
            Some(b'f') => self.word("false", Json::Bool(false)),
            Some(b'n') => self.word("null", Json::Null),
            Some(_) => Err("there is no JSON value"),
            None => Err("it ends too early"),
        }
    }

    fn word(&mut self, word: &str, value: Json) -> JsonResult<Json> {
        if !self.rest().starts_with(word) {
            return Err("there is no JSON value");
        }
        self.at += word.len();
        Ok(value)
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn deeper(level: usize) -> JsonResult<usize> {
        if level >= MAX_LEVELS { Err("it is nested beyond 128 levels") } else { Ok(level + 1) }
    }

    /// Reads what is between brackets, one element after the other.
    fn elements(&mut self, close: u8, missing: &'static str, mut element: impl FnMut(&mut Self) -> JsonResult<()>) -> JsonResult<()> {
        self.at += 1;
        self.blanks();
        if self.skip(close) {
            return Ok(());
        }
        loop {
            element(self)?;
            self.blanks();
            if self.skip(close) {
                return Ok(());
            }
            if !self.skip(b',') {
                return Err(self.missing(missing));
            }
        }
    }

    fn list(&mut self, level: usize) -> JsonResult<Json> {
        let level = Self::deeper(level)?;
        let mut items = Vec::new();
        self.elements(b']', "a `,` or `]` is missing", |reader| reader.value(level).map(|item| items.push(item)))?;
        Ok(Json::List(items))
    }

    fn object(&mut self, level: usize) -> JsonResult<Json> {
        let level = Self::deeper(level)?;
        // An event has some ten fields.
        let mut entries: Vec<(String, Json)> = Vec::with_capacity(if level == 1 { FEW_KEYS } else { 0 });
        let mut seen: BTreeSet<String> = BTreeSet::new();
        self.elements(b'}', "a `,` or `}` is missing", |reader| {
            reader.blanks();
            if reader.peek() != Some(b'"') {
                return Err(reader.missing("a key is missing"));
            }
            let key = reader.string()?;
            let twice = if entries.len() < FEW_KEYS {
                entries.iter().any(|(known, _)| *known == key)
            } else {
                if seen.is_empty() {
                    seen.extend(entries.iter().map(|(known, _)| known.clone()));
                }
                !seen.insert(key.clone())
            };
            if twice {
                return Err("a key occurs twice");
            }
            reader.blanks();
            if !reader.skip(b':') {
                return Err(reader.missing("a `:` is missing"));
            }
            entries.push((key, reader.value(level)?));
            Ok(())
        })?;
        Ok(Json::Object(entries))
    }

    fn missing(&self, what: &'static str) -> &'static str {
        if self.peek().is_none() { "it ends too early" } else { what }
    }

    fn number(&mut self) -> JsonResult<Json> {
        let start = self.at;
        self.skip(b'-');
        if !self.skip(b'0') && self.digits() == 0 {
            return Err("a number has no digits");
        }
        if self.skip(b'.') && self.digits() == 0 {
            return Err("a number has no digits behind its point");
        }
        if self.skip(b'e') || self.skip(b'E') {
            let _ = self.skip(b'+') || self.skip(b'-');
            if self.digits() == 0 {
                return Err("a number has no digits in its exponent");
            }
        }
        Ok(Json::Number(self.text.get(start..self.at).unwrap_or("").to_owned()))
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        self.at - start
    }

    fn string(&mut self) -> JsonResult<String> {
        self.at += 1;
        let bytes = self.text.as_bytes();
        let start = self.at;
        self.at += plain(bytes.get(start..).unwrap_or(&[]));
        if self.peek() == Some(b'"') {
            let whole = self.text.get(start..self.at).unwrap_or("").to_owned();
            self.at += 1;
            return Ok(whole);
        }
        let mut out: Vec<u8> = Vec::with_capacity((self.at - start) * 2 + 256);
        out.extend_from_slice(bytes.get(start..self.at).unwrap_or(&[]));
        let mut at = self.at;
        while let Some(byte) = bytes.get(at).copied() {
            match byte {
                b'"' => {
                    self.at = at + 1;
                    return String::from_utf8(out).map_err(|_| "it is not UTF-8");
                }
                b'\\' => {
                    let simple = bytes.get(at + 1).and_then(|letter| SIMPLE.iter().find(|(known, _)| known == letter));
                    if let Some((_, plain)) = simple {
                        out.push(*plain);
                        at += 2;
                    } else {
                        self.at = at;
                        let escaped = self.escape()?;
                        out.extend_from_slice(escaped.encode_utf8(&mut [0; 4]).as_bytes());
                        at = self.at;
                    }
                }
                0..0x20 => {
                    self.at = at;
                    return Err("a string contains a control character");
                }
                _ => {
                    let rest = bytes.get(at..).unwrap_or(&[]);
                    let run = rest.get(..plain(rest)).unwrap_or(&[]);
                    out.extend_from_slice(run);
                    at += run.len();
                }
            }
        }
        self.at = at;
        Err("it ends too early")
    }

    /// `\\uXXXX`, one or a pair.
    fn escape(&mut self) -> JsonResult<char> {
        self.at += 1;
        let letter = self.peek().ok_or("it ends too early")?;
        self.at += 1;
        if letter != b'u' {
            return Err("an escape is not one of JSON's");
        }
        let mut code = self.hex()?;
        if (0xd800..=0xdbff).contains(&code) && self.rest().starts_with("\\u") {
            self.at += 2;
            let second = self.hex()?;
            if !(0xdc00..=0xdfff).contains(&second) {
                return Err("half of a surrogate pair is alone");
            }
            code = 0x1_0000 + ((code - 0xd800) << 10) + (second - 0xdc00);
        }
        char::from_u32(code).ok_or("half of a surrogate pair is alone")
    }

    fn hex(&mut self) -> JsonResult<u32> {
        let digits = self.rest().get(..4).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit())).ok_or("an escape has too few digits")?;
        self.at += 4;
        u32::from_str_radix(digits, 16).map_err(|_| "an escape has too few digits")
    }
}

/// How many bytes are before the first quote, backslash or control character: eight at a time.
fn plain(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH: u64 = ONES << 7;
    let zero = |word: u64| word.wrapping_sub(ONES) & !word;
    let (chunks, rest) = bytes.as_chunks::<8>();
    for (at, chunk) in chunks.iter().enumerate() {
        let word = u64::from_le_bytes(*chunk);
        // The lowest mark is exact; a borrow can only make false ones above it.
        let marks = (zero(word ^ (ONES * u64::from(b'"'))) | zero(word ^ (ONES * u64::from(b'\\'))) | (word.wrapping_sub(ONES * 0x20) & !word)) & HIGH;
        if marks != 0 {
            return at * 8 + marks.trailing_zeros() as usize / 8;
        }
    }
    let start = bytes.len() - rest.len();
    rest.iter().position(|byte| matches!(byte, b'"' | b'\\') || *byte < 0x20).map_or(bytes.len(), |at| start + at)
}

#[cfg(test)]
#[path = "json_tests.rs"]
mod tests;
