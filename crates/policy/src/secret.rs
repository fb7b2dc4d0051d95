//! Finds secrets in a text: keys and tokens by the forms of their providers, with checksums where there are any, private
//! keys, addresses with passwords, values of names that say what they are. Examples and placeholders are no secrets.
//!
//! The time is linear: a text is cut into runs of letters once, and each run is compared with the few forms that begin
//! with its first letter. What looks like chance is measured, not guessed by a name.
#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros)]

mod formats;
mod named;
mod redact;
mod shape;

use std::ops::Range;

use formats::{Check, FORMATS, Letters, SecretFormat};
use named::WordBefore;
pub use redact::{redact, redact_command};
use shape::{by_chance, checksum, is_base64, payload, placeholder};

actions::named_enum! {
    /// How sure it is that a text is a secret that someone could use.
    #[derive(PartialOrd, Ord)]
    pub enum Confidence {
        /// By chance and by its name or a form that others share.
        Likely = "likely",
        /// A private key, whose use is not known: tests make their own.
        Key = "key",
        /// By its provider's own form.
        Certain = "certain",
    }
}

/// A secret in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundSecret {
    /// What it is: `GitHub token`.
    pub kind: &'static str,
    /// How sure that is.
    pub confidence: Confidence,
    /// Where it is, in bytes.
    pub range: Range<usize>,
}

impl FoundSecret {
    /// Its beginning, for a message: enough to find it by, too little to use it.
    pub fn shown(&self, text: &str) -> String {
        let secret = text.get(self.range.clone()).unwrap_or("");
        let most = (secret.len() / 4).min(8);
        format!("{}…", secret.chars().take(most).filter(|c| !c.is_control()).collect::<String>())
    }
}

/// Letters with which shorter runs begin that something follows: `-----BEGIN`, a host, a number.
const SPECIAL: &[u8] = b"-0123456789dh";
/// A shorter run of letters is no key, and begins none.
const SHORTEST: usize = 8;
/// A shorter run is no key of itself.
const LONG: usize = 20;
/// How far behind a sign its name, and after it its value, is looked for.
const NEAR: usize = 256;
/// Bytes of a private key at the most; the largest RSA keys take some 6 kB.
const MAX_KEY: usize = 16 << 10;

/// The secrets of a text, in their order; none lies within another.
pub fn find(text: &str) -> Vec<FoundSecret> {
    let bytes = text.as_bytes();
    let [mut found, mut equals, mut colons, mut others] = [const { Vec::new() }; 4];
    let mut lines = false;
    // `from`: no run of letters that is still to be looked at begins before it.
    let (mut at, mut from) = (0, 0);
    loop {
        let length = bytes.get(at..).map_or(0, |rest| rest.iter().position(|byte| !is_run(*byte)).unwrap_or(rest.len()));
        let end = at + length;
        let byte = bytes.get(end);
        if length >= SHORTEST {
            from = ended_run(text, from.max(at), end, from, &mut found);
        }
        if length >= named::SHORTEST && byte == Some(&b' ') {
            match named::before(text, end) {
                Some(WordBefore::Lines) => lines = true,
                Some(WordBefore::Value(secret)) => others.push(secret),
                None => {}
            }
        }
        match byte {
            None => break,
            Some(b'=') => equals.extend(assigned(text, end)),
            Some(b':') if bytes.get(end + 1..end + 3) == Some(b"//") => colons.extend(address(text, end)),
            Some(b':') => colons.extend(assigned(text, end)),
            Some(b'<') if bytes.get(end + 1) == Some(&b'/') => others.extend(named::element(text, end)),
            Some(_) => {}
        }
        at = end + 1;
    }
    found.extend(equals);
    found.extend(colons);
    found.extend(others);
    if lines {
        found.extend(named::lines(text));
    }
    // Of two that overlap the surer one stays: a form says more than a name in front of it.
    found.sort_by_key(|found| found.range.start);
    let mut kept: Vec<FoundSecret> = Vec::with_capacity(found.len());
    for found in found {
        match kept.last_mut() {
            Some(last) if found.range.start < last.range.end => {
                if found.confidence > last.confidence {
                    *last = found;
                }
            }
            _ => kept.push(found),
        }
    }
    kept
}

/// Looks at a run of letters. Returns from where the next ones count: letters within a secret do not count again.
fn ended_run(text: &str, start: usize, end: usize, from: usize, found: &mut Vec<FoundSecret>) -> usize {
    let special = text.as_bytes().get(start).is_some_and(|first| SPECIAL.contains(first));
    if end < start + if special { SHORTEST } else { LONG } {
        return from;
    }
    let Some(new) = run(text, start, end) else { return from };
    let from = new.range.end;
    found.push(new);
    from
}

/// Letters, digits and what is within keys.
const fn is_run(byte: u8) -> bool {
    RUN[byte as usize]
}

static RUN: [bool; 256] = {
    let mut table = [false; 256];
    let letters = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-.~";
    let mut at = 0;
    while at < letters.len() {
        table[letters[at] as usize] = true;
        at += 1;
    }
    table
};

/// Whether a mark begins with this byte.
static FIRST: [bool; 256] = {
    let mut table = [false; 256];
    let mut at = 0;
    while at < FORMATS.len() {
        table[FORMATS[at].mark.as_bytes()[0] as usize] = true;
        at += 1;
    }
    table
};

/// A run of letters from `start` to `end`.
fn run(text: &str, start: usize, end: usize) -> Option<FoundSecret> {
    let whole = text.get(start..end)?;
    // A full stop ends a sentence.
    let run = whole.trim_end_matches('.');
    let first = *run.as_bytes().first().unwrap_or(&b'-');
    if FIRST.get(usize::from(first)).is_some_and(|any| *any) {
        for format in FORMATS.iter().filter(|format| run.starts_with(format.mark)) {
            if let Some(confidence) = fits(format, run) {
                return Some(FoundSecret { kind: format.kind, confidence, range: start..start + run.len() });
            }
        }
    }
    let certain = |kind, range| Some(FoundSecret { kind, confidence: Confidence::Certain, range });
    match first {
        b'-' if whole == "-----BEGIN" => private_key(text, start),
        b'0'..=b'9' if is_telegram(text, start, end) => certain("Telegram token", start..end + 36),
        b'M' | b'N' | b'O' if is_discord(run) => certain("Discord token", start..start + run.len()),
        b'A' if is_twilio(run) => twilio(text, end),
        b'h' if run == "hooks.slack.com" => hook(text, end, "/services/T", 40).and_then(|end| certain("Slack webhook", start..end)),
        b'd' if run == "discord.com" || run == "discordapp.com" => hook(text, end, "/api/webhooks/", 80).and_then(|end| certain("Discord webhook", start..end)),
        _ if run.len() > 75 && run.get(14..).is_some_and(|rest| rest.starts_with(".atlasv1.")) && !placeholder(run) && by_chance(run) => {
            certain("Terraform token", start..start + run.len())
        }
        _ if run.len() == 40 && run.get(3..).is_some_and(|rest| rest.starts_with("8Q~")) && !placeholder(run) && by_chance(run) => {
            certain("Azure client secret", start..start + run.len())
        }
        _ => None,
    }
}

/// Whether a run is a secret of this form, and how sure that is.
fn fits(format: &SecretFormat, run: &str) -> Option<Confidence> {
    let body = run.get(format.mark.len()..)?;
    let letters = |byte: u8| match format.letters {
        Letters::Hex => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
        Letters::Base32 => byte.is_ascii_uppercase() || (b'2'..=b'7').contains(&byte),
        Letters::Alnum => byte.is_ascii_alphanumeric(),
        Letters::Upper => byte.is_ascii_digit() || byte.is_ascii_uppercase(),
        Letters::Url => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'),
        Letters::Dotted => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'),
    };
    if body.len() < format.least || body.len() > format.most || !body.bytes().all(letters) || placeholder(body) {
        return None;
    }
    let likely = || by_chance(body).then_some(format.confidence);
    match (format.check, format.mark) {
        (Check::Crc, _) => checksum(body).then_some(Confidence::Certain),
        (Check::MaybeCrc, _) => {
            if checksum(body) {
                Some(Confidence::Certain)
            } else {
                likely().map(|_| Confidence::Likely)
            }
        }
        (Check::Holds(part), _) => body.contains(part).then(likely).flatten(),
        (Check::Chance, "eyJ") => is_token(run).then(likely).flatten(),
        (Check::Chance, "SG.") => (body.find('.') == Some(22)).then(likely).flatten(),
        (Check::Chance, "pat") => (body.find('.') == Some(14)).then(likely).flatten(),
        (Check::Chance, _) => likely(),
    }
}

/// Whether a run is a JSON web token that is worth keeping: three parts, and not the one that a public page carries.
fn is_token(run: &str) -> bool {
    let parts: Vec<&str> = run.split('.').collect();
    let [head, claims, sign] = parts.as_slice() else { return false };
    let (head, claims) = (payload(head), payload(claims));
    let public = claims.contains("\"role\":\"anon\"") || claims.contains("\"sub\":\"1234567890\"") || claims.contains("example");
    head.contains("\"alg\"") && sign.len() >= 20 && !public && !claims.is_empty()
}

/// The lines of a private key, from `-----BEGIN`.
fn private_key(text: &str, start: usize) -> Option<FoundSecret> {
    let line = text.get(start..)?.get(10..).map(|rest| rest.get(..rest.len().min(48)).unwrap_or(""))?;
    let (name, _) = line.split_once("-----")?;
    let kind = match name.trim() {
        name if name.ends_with("PRIVATE KEY") || name.ends_with("PRIVATE KEY BLOCK") => "private key",
        _ => return None,
    };
    let from = start + 10 + name.len() + 5;
    let rest = text.get(from..)?;
    // Its end, or the beginning of another.
    let length = rest.find("-----").unwrap_or(rest.len()).min(MAX_KEY);
    let mut end = from + length;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    // A page that explains keys has dots or words there.
    let longest = text.get(from..end)?.split(|c: char| !is_base64(c)).max_by_key(|part| part.len()).unwrap_or("");
    let real = longest.len() >= 40 && !shape::says_example(longest) && by_chance(longest);
    real.then_some(FoundSecret { kind, confidence: Confidence::Key, range: start..end })
}

/// `123456789:AA…`: the number of a bot in front of a colon, 35 letters behind it.
fn is_telegram(text: &str, start: usize, end: usize) -> bool {
    let number = text.get(start..end).is_some_and(|number| number.len() <= 10 && number.bytes().all(|byte| byte.is_ascii_digit()));
    let key = text.get(end..).and_then(|rest| rest.strip_prefix(":AA")).and_then(|rest| rest.get(..33));
    let behind = text.as_bytes().get(end + 36).is_none_or(|byte| !is_run(*byte));
    number && behind && key.is_some_and(|key| key.bytes().all(|byte| is_run(byte) && byte != b'.') && !placeholder(key) && by_chance(key))
}

/// Three parts: a number in base 64, a time, a key.
fn is_discord(run: &str) -> bool {
    let parts: Vec<&str> = run.split('.').collect();
    let [number, time, key] = parts.as_slice() else { return false };
    let digits = payload(number);
    (24..=28).contains(&number.len())
        && digits.len() >= 17
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && time.len() == 6
        && (27..=40).contains(&key.len())
        && !placeholder(key)
        && by_chance(key)
}

/// The name of an account: `AC` and 32 digits of base 16.
fn is_twilio(run: &str) -> bool {
    run.len() == 34 && run.strip_prefix("AC").is_some_and(|id| !placeholder(id) && by_chance(id) && id.bytes().all(is_digit))
}

/// The token beside the name of an account that ends at `end`, as in `Client("AC…", "…")`.
fn twilio(text: &str, end: usize) -> Option<FoundSecret> {
    let near = text.as_bytes().get(end..text.len().min(end + NEAR))?;
    let letters = |at: usize| near.get(at).is_some_and(u8::is_ascii_alphanumeric);
    let starts = (1..near.len()).filter(|at| letters(*at) && !letters(at - 1));
    let token = |at: &usize| (*at..at + 32).all(|at| near.get(at).is_some_and(|byte| is_digit(*byte))) && !letters(at + 32);
    let start = end + starts.into_iter().find(token)?;
    let body = text.get(start..start + 32)?;
    (!placeholder(body) && by_chance(body)).then_some(FoundSecret { kind: "Twilio auth token", confidence: Confidence::Certain, range: start..start + 32 })
}

/// A digit of base 16 in small letters.
const fn is_digit(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

/// The end of an address that begins with `path` behind `at`, and is long enough to hold a key.
fn hook(text: &str, at: usize, path: &str, least: usize) -> Option<usize> {
    let rest = text.get(at..).filter(|rest| rest.starts_with(path))?;
    let length = rest.bytes().take(NEAR).take_while(|byte| is_run(*byte) || *byte == b'/').count();
    let found = rest.get(..length)?;
    let key = found.rsplit('/').next()?;
    (length >= least && key.len() >= 20 && !placeholder(found) && by_chance(key)).then_some(at + length)
}

/// A password in an address: `scheme://user:password@host`. `at` is the place of the colon.
fn address(text: &str, at: usize) -> Option<FoundSecret> {
    let from = at + 3;
    let rest = text.as_bytes().get(from..)?;
    let length = rest
        .iter()
        .take(NEAR)
        .take_while(|byte| !byte.is_ascii_whitespace() && !matches!(byte, b'"' | b'\'' | b'`' | b'/' | b'<' | b'>' | b',' | b')' | b'?'))
        .count();
    let authority = text.get(from..from + length)?;
    let (user, host) = authority.rsplit_once('@')?;
    let (name, password) = user.split_once(':')?;
    let own = shape::is_elsewhere(host) && password.len() >= 8 && !password.eq_ignore_ascii_case(name) && shape::is_password(password);
    let start = from + name.len() + 1;
    own.then_some(FoundSecret { kind: "password in an address", confidence: Confidence::Likely, range: start..start + password.len() })
}

/// The value behind `=` or `:` at `at`, where the name in front of it says that it is a secret.
fn assigned(text: &str, at: usize) -> Option<FoundSecret> {
    let name = shape::name_before(text, at)?;
    let (start, value) = shape::value_behind(text, at, &name)?;
    let (kind, confidence) = shape::named_secret(&name, value, text, at)?;
    Some(FoundSecret { kind, confidence, range: start..start + value.len() })
}

#[cfg(test)]
#[path = "secret_tests.rs"]
mod tests;
