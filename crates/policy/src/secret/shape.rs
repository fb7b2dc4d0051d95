//! What a secret looks like: chance, checksums, placeholders; the names in front of values.

use super::{Confidence, NEAR};

/// Texts that occur in examples and never in keys. The last three begin the MD5, SHA-1 and SHA-256 sums of the empty text.
/// Shorter texts would come up by chance.
const EXAMPLES: &str = "example xxxx your placeholder dummy sample fake changeme change_me change-me redacted replace insert notreal not-real \
    not_real deadbeef foobar test-token testtoken test_token test-key test_key testkey qwerty -here _here d41d8cd98f00b204 \
    da39a3ee5e6b4b0d e3b0c44298fc1c14";
/// Ends of names whose values are secrets, in small letters without what joins words.
const NAMES: &[&str] =
    &["password", "passwd", "pwd", "passphrase", "secret", "token", "apikey", "accesskey", "secretkey", "privatekey", "authkey", "encryptionkey", "accountkey"];
/// A longer value is no key of one line.
const MAX_VALUE: usize = 128;
/// Passwords that guard nothing.
const WEAK: &[&str] = &["pass", "secret", "admin", "root", "user", "postgres", "mysql", "mongo", "rabbit", "guest", "test", "demo", "local", "docker", "pwd"];
/// As many signs in a row that go up, go down or stay the same are a person's.
const ROW: usize = 6;

/// Whether it was written to show a form.
pub(super) fn placeholder(body: &str) -> bool {
    let small = body.to_ascii_lowercase();
    let bytes = small.as_bytes();
    let row = |far: usize, step: i16| {
        let mut length = 0;
        bytes.iter().zip(bytes.iter().skip(far)).any(|(one, next)| {
            length = if i16::from(*next) - i16::from(*one) == step { length + 1 } else { 0 };
            length >= ROW - 1
        })
    };
    says_example(body)
        || row(1, 0)
        || row(1, 1)
        || row(1, -1)
        // `a1b2c3d4`
        || row(2, 1)
        || small.get(..8).is_some_and(|begin| small.get(8..).is_some_and(|rest| rest.contains(begin)))
}

/// Whether a word in it says that it is an example.
pub(super) fn says_example(body: &str) -> bool {
    let small = body.to_ascii_lowercase();
    EXAMPLES.split(' ').any(|word| small.contains(word))
}

/// Whether it looks random: many different characters for its length, and digits among the letters. Names made of words have
/// no digits.
pub(super) fn by_chance(body: &str) -> bool {
    let length = body.len();
    let hex = body.bytes().all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b'-' | b'_' | b'.'));
    let least = match (hex, length) {
        (_, ..20) => 2.6,
        (true, _) => 2.9,
        (false, ..30) => 3.2,
        (false, _) => 3.6,
    };
    let digits = body.bytes().filter(u8::is_ascii_digit).count();
    let mixed = body.bytes().filter(u8::is_ascii_uppercase).count() >= 3 && body.bytes().filter(u8::is_ascii_lowercase).count() >= 3;
    (digits > 0 || mixed) && digits < length && entropy(body) >= least
}

/// Bits a sign (Shannon).
pub(super) fn entropy(body: &str) -> f64 {
    let mut counts = [0u16; 256];
    for byte in body.bytes() {
        if let Some(count) = counts.get_mut(usize::from(byte)) {
            *count = count.saturating_add(1);
        }
    }
    let length = f64::from(u32::try_from(body.len()).unwrap_or(u32::MAX).max(1));
    counts.iter().filter(|count| **count > 0).map(|count| f64::from(*count) / length).map(|share| -share * share.log2()).sum()
}

/// Whether the last six characters are the CRC-32 of the rest in base 62, as GitHub's tokens have it since 2021.
pub(super) fn checksum(body: &str) -> bool {
    body.len().checked_sub(6).and_then(|at| body.split_at_checked(at)).is_some_and(|(key, sum)| base62(crc32(key.as_bytes())) == sum.as_bytes())
}

/// CRC-32 (ISO-HDLC, as in zip and gzip).
pub(super) fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |sum, byte| (0..8).fold(sum ^ u32::from(*byte), |sum, _| if sum & 1 == 1 { (sum >> 1) ^ 0xedb8_8320 } else { sum >> 1 }))
}

/// Six digits, of `0-9A-Za-z`.
pub(super) fn base62(number: u32) -> [u8; 6] {
    let mut rest = number;
    let mut digits = [b'0'; 6];
    for digit in digits.iter_mut().rev() {
        let value = u8::try_from(rest % 62).unwrap_or(0);
        *digit = match value {
            0..10 => b'0' + value,
            10..36 => b'A' + value - 10,
            _ => b'a' + value - 36,
        };
        rest /= 62;
    }
    digits
}

/// What base 64 says, in either alphabet; nothing if it is not base 64.
pub(super) fn payload(text: &str) -> String {
    actions::base64::decode(text).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}

pub(super) fn is_base64(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=')
}

/// Whether a host is outside of this machine, its network and the names kept for examples (RFC 2606, RFC 6761).
pub(super) fn is_elsewhere(host: &str) -> bool {
    let name = host.split(':').next().unwrap_or("").to_ascii_lowercase();
    let near = ["127.", "10.", "192.168.", "172.", "0."];
    let kept = [".example", ".test", ".invalid", ".localhost", ".local", "example.com", "example.org", "example.net"];
    name.contains('.')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
        && !near.iter().any(|front| name.starts_with(front) && name.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'))
        && !kept.iter().any(|end| name.ends_with(end))
        && !placeholder(&name)
}

/// Whether it could guard something.
pub(super) fn is_password(text: &str) -> bool {
    let small = text.to_ascii_lowercase();
    let signs = text.bytes().all(|byte| byte.is_ascii_graphic() && !b"${}<>*[]()\\|;".contains(&byte));
    signs && !placeholder(text) && !WEAK.iter().any(|word| small.contains(word)) && text.bytes().any(|byte| byte.is_ascii_digit()) && entropy(text) >= 2.7
}

/// The name in front of the `=` or `:` at `at`, in small letters without what joins its words. `None`: no name of a secret.
pub(super) fn name_before(text: &str, at: usize) -> Option<String> {
    let front = text.as_bytes().get(at.saturating_sub(NEAR)..at)?;
    let front = front.trim_ascii_end();
    let front = front.strip_suffix(b":").unwrap_or(front);
    let front = match front {
        [rest @ .., b'\\', b'"' | b'\''] | [rest @ .., b'"' | b'\'' | b']'] => rest,
        front => front,
    };
    // Most names end otherwise.
    if !matches!(front.last()?.to_ascii_lowercase(), b'd' | b't' | b'n' | b'y' | b'e') {
        return None;
    }
    let length = front.iter().rev().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')).count();
    let name = front.get(front.len() - length..)?;
    if front.get(..front.len() - length).is_some_and(|front| front.ends_with(b"::")) {
        // `AWS::SecretsManager::Secret` is a type.
        return None;
    }
    if name.eq_ignore_ascii_case(b"value") {
        // `name: API_KEY`, and `value: …` behind it; `key="ApiKey" value="…"`.
        return name_of_value(front.get(..front.len() - length)?);
    }
    secret_name(name)
}

/// The name that is given in front of the word `value`.
fn name_of_value(front: &[u8]) -> Option<String> {
    let joins = |byte: &u8| byte.is_ascii_whitespace() || b"\"',".contains(byte);
    let end = front.iter().rposition(|byte| !joins(byte)).map(|at| at + 1).filter(|end| *end < front.len())?;
    let front = front.get(..end)?;
    let length = front.iter().rev().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')).count();
    secret_name(front.get(front.len() - length..)?)
}

/// A name in small letters without what joins its words, if its value is a secret.
pub(super) fn secret_name(name: &[u8]) -> Option<String> {
    let name: String = name.iter().filter(|byte| byte.is_ascii_alphanumeric()).map(|byte| char::from(byte.to_ascii_lowercase())).collect();
    NAMES.iter().any(|end| name.ends_with(end)).then_some(name)
}

/// The value behind the `=` or `:` at `at`, without its quotes, and where it begins.
pub(super) fn value_behind<'t>(text: &'t str, at: usize, name: &str) -> Option<(usize, &'t str)> {
    let rest = text.as_bytes().get(at + 1..)?;
    let rest = rest.get(..rest.len().min(MAX_VALUE + 8)).unwrap_or(rest);
    let sign = usize::from(matches!(rest.first(), Some(b'>' | b'=')));
    if sign == 1 && rest.first() == Some(&b'=') {
        // A comparison, unless it is the `:=` whose colon is at `at`.
        if text.as_bytes().get(at) != Some(&b':') {
            return None;
        }
    }
    let blanks = rest.iter().skip(sign).take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let escaped = usize::from(rest.get(sign + blanks) == Some(&b'\\'));
    let quote = usize::from(matches!(rest.get(sign + blanks + escaped), Some(b'"' | b'\'' | b'`')));
    let start = sign + blanks + if quote == 1 { escaped + 1 } else { 0 };
    let of_value = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=_.~-".contains(byte);
    let opened = rest.get(sign + blanks + escaped).filter(|_| quote == 1);
    let mut length = rest.get(start..)?.iter().take_while(|byte| of_value(byte)).count();
    if let Some(opened) = opened.filter(|opened| is_word_to_remember(name) && rest.get(start + length) != Some(opened)) {
        // People and generators put other signs into passwords.
        let signs = |byte: &&u8| **byte != *opened && (of_value(byte) || b"!#%^&*?@,:;|".contains(byte));
        length = rest.get(start..)?.iter().take_while(signs).count();
    }
    // What continues is no literal but code, a template or a text.
    let behind = rest.get(start + length);
    let ends = match quote {
        1 => matches!(behind, Some(b'"' | b'\'' | b'`' | b'\\')),
        _ => {
            let constant = blanks == 0 && is_constant(text, at) && behind.is_none_or(|byte| byte.is_ascii_whitespace() || b",;&\"'`)".contains(byte));
            constant || (is_scattered(text.get(at + 1 + start..at + 1 + start + length)?) && ends_line(rest.get(start + length..)?))
        }
    };
    ends.then(|| Some((at + 1 + start, text.get(at + 1 + start..at + 1 + start + length)?))).flatten()
}

/// Whether a name says that its value is chosen by a person, or for one.
fn is_word_to_remember(name: &str) -> bool {
    ["password", "passwd", "pwd", "passphrase"].iter().any(|end| name.ends_with(end))
}

/// Whether nothing but a comment is behind a value on its line: then it is a setting. Code continues.
pub(super) fn ends_line(rest: &[u8]) -> bool {
    let line = rest.split(|byte| matches!(byte, b'\n' | b'\r')).next().unwrap_or(rest);
    let bare = line.trim_ascii_start();
    bare.is_empty() || (bare.len() < line.len() && bare.starts_with(b"#"))
}

/// Whether digits are scattered among letters as in no name that is made of words.
pub(super) fn is_scattered(value: &str) -> bool {
    let bytes = value.as_bytes();
    let groups = |is: fn(&u8) -> bool| bytes.iter().zip(bytes.iter().skip(1)).filter(|(one, next)| is(one) != is(next)).count();
    let count = |is: fn(&u8) -> bool| bytes.iter().filter(|byte| is(byte)).count();
    let (digits, upper, lower) = (count(u8::is_ascii_digit), count(u8::is_ascii_uppercase), count(u8::is_ascii_lowercase));
    let parts = bytes.iter().filter(|byte| matches!(byte, b'.' | b'/' | b'-' | b'_')).count();
    let mixed = digits >= 2 && upper >= 2 && lower >= 2;
    let one_case = digits >= 3 && lower.max(upper) >= 4;
    (16..=MAX_VALUE).contains(&bytes.len())
        && (mixed || one_case)
        && parts * 8 <= bytes.len()
        && groups(u8::is_ascii_digit) >= if mixed { 3 } else { 5 }
        && entropy(value) >= 3.2
        && !placeholder(value)
}

/// Whether the name in front of `at` is all capitals: then what is behind it without quotes is a setting, not code.
fn is_constant(text: &str, at: usize) -> bool {
    let front = text.as_bytes().get(at.saturating_sub(NEAR)..at).unwrap_or(&[]);
    let name = front.iter().rev().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_');
    name.clone().count() > 2 && name.clone().all(|byte| !byte.is_ascii_lowercase())
        // A connection string is one too.
        || front.ends_with(b"AccountKey") || front.ends_with(b"SharedAccessKey") || front.ends_with(b"secret_access_key")
}

/// What the value of a name is, if it is a secret.
pub(super) fn named_secret(name: &str, value: &str, text: &str, at: usize) -> Option<(&'static str, Confidence)> {
    let hex = |least: usize| value.len() >= least && value.bytes().all(|byte| byte.is_ascii_hexdigit());
    if placeholder(value) {
        return None;
    }
    if name.ends_with("secretaccesskey") || name.ends_with("awssecretkey") {
        return (value.len() == 40 && value.chars().all(is_base64) && by_chance(value)).then_some(("AWS secret key", Confidence::Certain));
    }
    if name == "accountkey" || name == "sharedaccesskey" {
        return (value.len() >= 43 && value.ends_with('=') && by_chance(value)).then_some(("Azure key", Confidence::Certain));
    }
    if name.ends_with("authtoken") && value.len() == 32 && hex(32) && by_chance(value) {
        let near = text.as_bytes().get(at.saturating_sub(NEAR)..at).unwrap_or(&[]).to_ascii_lowercase();
        let twilio = near.windows(6).any(|word| word == b"twilio");
        return Some(if twilio { ("Twilio auth token", Confidence::Certain) } else { ("token", Confidence::Likely) });
    }
    // Others name what is public, or no value at all.
    let public = ["publickey", "publictoken", "tokentype", "csrftoken", "nextpagetoken", "pagetoken", "cancellationtoken"];
    if public.iter().any(|word| name.ends_with(word)) || !(12..=MAX_VALUE).contains(&value.len()) {
        return None;
    }
    // The address of a token is public; what ends as its name is a name too.
    if (value.len() == 42 && value.starts_with("0x")) || value.to_ascii_lowercase().ends_with(name) {
        return None;
    }
    let odd = value.bytes().filter(|byte| !byte.is_ascii_alphanumeric() && !b"+/=_.~-".contains(byte)).count();
    if odd > 0 {
        let each = [u8::is_ascii_digit, u8::is_ascii_uppercase, u8::is_ascii_lowercase].iter().all(|is| value.bytes().any(|byte| is(&byte)));
        return (each && is_password(value)).then_some(("password by its name", Confidence::Likely));
    }
    if value.len() < 16 {
        return None;
    }
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    let upper = value.bytes().filter(u8::is_ascii_uppercase).count();
    let lower = value.bytes().filter(u8::is_ascii_lowercase).count();
    // Dots and slashes are of code and paths, dashes of words.
    let parts = value.bytes().filter(|byte| matches!(byte, b'.' | b'/' | b'-' | b'_')).count();
    let mixed = digits >= 3 && upper >= 3 && lower >= 3 && parts * 8 <= value.len() && entropy(value) >= 3.8;
    let found = (mixed && value.len() >= 20) || (hex(32) && lower.min(digits) >= 4 && by_chance(value)) || is_scattered(value);
    found.then_some(("secret by its name", Confidence::Likely))
}
