//! Secrets behind names in other forms than `name = value`: schemes of HTTP, elements of XML, lines of Dockerfiles and
//! `.netrc`.

use super::shape::{by_chance, ends_line, is_password, is_scattered, named_secret, payload, placeholder, secret_name};
use super::{Confidence, FoundSecret, NEAR};

/// The fewest letters of a word that says something in front of a blank.
pub(super) const SHORTEST: usize = 3;

/// What a word in front of a blank says.
pub(super) enum WordBefore {
    /// It names the secret behind it.
    Value(FoundSecret),
    /// There are [`lines`] of which it may be the first word.
    Lines,
}

/// What the word says that ends in front of the blank at `at`.
pub(super) fn before(text: &str, at: usize) -> Option<WordBefore> {
    let front = text.as_bytes().get(..at)?;
    match front.last()? {
        b'r' if front.ends_with(b"earer") => bearer(text, at - 5, at + 1).map(WordBefore::Value),
        b'c' if front.ends_with(b"asic") => basic(text, at - 4, at + 1).map(WordBefore::Value),
        b'V' if front.ends_with(b"ENV") => Some(WordBefore::Lines),
        b'G' if front.ends_with(b"ARG") => Some(WordBefore::Lines),
        b'e' if front.ends_with(b"machine") => Some(WordBefore::Lines),
        _ => None,
    }
}

/// The word at `from`, up to what ends a value.
fn word(text: &str, from: usize) -> Option<&str> {
    let length = text.as_bytes().get(from..)?.iter().take(2 * NEAR).take_while(|byte| byte.is_ascii_alphanumeric() || b"+/=_.~-".contains(byte)).count();
    text.get(from..from + length)
}

/// `Bearer TOKEN`
fn bearer(text: &str, at: usize, from: usize) -> Option<FoundSecret> {
    matches!(text.as_bytes().get(at.checked_sub(1)?)?, b'b' | b'B').then_some(())?;
    let token = word(text, from)?;
    let own = token.len() >= 16 && !placeholder(token) && (is_scattered(token) || (token.len() >= 24 && by_chance(token) && digits(token) >= 3));
    let ends = !matches!(text.as_bytes().get(from + token.len()), Some(b'$' | b'{' | b'<' | b'('));
    (own && ends).then_some(FoundSecret { kind: "bearer token", confidence: Confidence::Likely, range: from..from + token.len() })
}

fn digits(text: &str) -> usize {
    text.bytes().filter(u8::is_ascii_digit).count()
}

/// `Basic BASE64`, which is `user:password`.
fn basic(text: &str, at: usize, from: usize) -> Option<FoundSecret> {
    matches!(text.as_bytes().get(at.checked_sub(1)?)?, b'b' | b'B').then_some(())?;
    let coded = word(text, from)?;
    let said = payload(coded);
    let (user, password) = said.split_once(':')?;
    let own = coded.len() >= 16 && password.len() >= 8 && user.bytes().all(|byte| byte.is_ascii_graphic()) && is_password(password);
    own.then_some(FoundSecret { kind: "password for HTTP", confidence: Confidence::Likely, range: from..from + coded.len() })
}

/// `<name>value</name>`; `at` is the place of the second `<`.
pub(super) fn element(text: &str, at: usize) -> Option<FoundSecret> {
    let bytes = text.as_bytes();
    let name = bytes.get(at + 2..)?;
    let length = name.iter().take(NEAR).take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b':')).count();
    let name = secret_name(name.get(..length)?)?;
    let front = bytes.get(at.saturating_sub(NEAR)..at)?;
    let length = front.iter().rev().take_while(|byte| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>')).count();
    let start = at - length;
    (start.checked_sub(1).and_then(|at| bytes.get(at)) == Some(&b'>')).then_some(())?;
    let (kind, confidence) = named_secret(&name, text.get(start..at)?, text, start)?;
    Some(FoundSecret { kind, confidence, range: start..at })
}

/// `ENV NAME value` and `ARG NAME=value` of a Dockerfile, `machine … password value` of a `.netrc`.
pub(super) fn lines(text: &str) -> Vec<FoundSecret> {
    let begin = text.as_ptr().addr();
    let mut found = Vec::new();
    let mut machine = false;
    for line in text.lines() {
        let mut words = line.split_ascii_whitespace();
        let first = words.next().unwrap_or("");
        machine |= first == "machine";
        let pair = match first {
            "ENV" | "ARG" => words.next().zip(words.next()),
            _ if machine => line.split_ascii_whitespace().skip_while(|word| *word != "password").nth(1).map(|value| ("password", value)),
            _ => None,
        };
        let Some((name, value)) = pair else { continue };
        let bare = value.trim_matches(['"', '\'']);
        let start = bare.as_ptr().addr() - begin;
        let Some(name) = secret_name(name.as_bytes()).filter(|_| bare.bytes().all(|byte| byte.is_ascii_graphic())) else { continue };
        let known = named_secret(&name, bare, text, start).or_else(|| {
            let own = machine && bare.len() >= 12 && is_password(bare) && ends_line(text.as_bytes().get(start + bare.len()..).unwrap_or(b""));
            own.then_some(("password of a machine", Confidence::Likely))
        });
        if let Some((kind, confidence)) = known {
            found.push(FoundSecret { kind, confidence, range: start..start + bare.len() });
        }
    }
    found
}
