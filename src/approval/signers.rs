//! `allowed_signers`: the file of public keys that may sign, in the form of ssh-keygen(1). A line that could not
//! be read to its end allows nobody, as with `ssh-keygen -Y verify`.

use std::fs::{self, OpenOptions};
use std::io::Read as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use gate::world::system;
use ssh_key::PublicKey;
use ssh_key::public::KeyData;

/// The largest file that is read.
const MAX_FILE: u64 = 1 << 20;
/// Kinds of keys that a line may name and that are not verified here: such a line is passed over.
const OTHER_KINDS: &[&str] = &["ssh-rsa", "ssh-dss", "ecdsa-sha2-", "sk-ecdsa-sha2-", "webauthn-", "ssh-ed448", "rsa-sha2-"];

/// Where the file is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignersFile {
    /// `None`: the policy names none.
    pub path: Option<PathBuf>,
    /// The repository that is judged: the file must not be in it.
    pub outside: Vec<PathBuf>,
}

impl SignersFile {
    /// The text of the file, if it may be trusted.
    ///
    /// # Errors
    ///
    /// Why it may not.
    pub fn text(&self) -> Result<String, String> {
        let path = self.path.as_ref().ok_or("the policy names no `signers`")?;
        let shown = path.display();
        let real = fs::canonicalize(path).map_err(|error| format!("`{shown}`: {error}"))?;
        if self.outside.iter().any(|root| real.starts_with(root)) {
            return Err(format!("`{shown}` is in the repository, where agents write"));
        }
        trusted_text(&real, "a file of keys")
    }
}

/// The text of a file that only its owner can write: this user, or the administrator. `what` it should be.
///
/// # Errors
///
/// It is not so, or cannot be read.
pub fn trusted_text(path: &Path, what: &str) -> Result<String, String> {
    let shown = path.display();
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path);
    let file = file.map_err(|error| format!("`{shown}`: {error}"))?;
    let found = file.metadata().map_err(|error| format!("`{shown}`: {error}"))?;
    if !found.is_file() || found.len() > MAX_FILE {
        return Err(format!("`{shown}` is not {what}"));
    }
    if found.mode() & 0o022 != 0 || (found.uid() != system::user() && found.uid() != 0) {
        return Err(format!("`{shown}` can be written by others (`chmod go-w` it)"));
    }
    let mut text = String::new();
    file.take(MAX_FILE).read_to_string(&mut text).map_err(|error| format!("`{shown}`: {error}"))?;
    Ok(text)
}

/// The file that a policy names, from the home folder of the password database.
#[must_use]
pub fn file(named: &str, homes: &[PathBuf], outside: Vec<PathBuf>) -> SignersFile {
    let path = match (named, named.strip_prefix("~/"), homes.first()) {
        ("", ..) => None,
        (_, Some(rest), Some(home)) => Some(home.join(rest)),
        (_, Some(_), None) => None,
        (whole, None, _) => Some(Path::new(whole).to_path_buf()),
    };
    SignersFile { path, outside }
}

/// A line of the file.
struct SignersLine {
    principals: String,
    /// `None`: of a kind that is not verified here.
    key: Option<KeyData>,
    authority: bool,
    namespaces: Option<String>,
    after: Option<u64>,
    before: Option<u64>,
}

/// The principals of the first line by which a key may sign in a namespace at a time. `None`: nobody may.
#[must_use]
pub fn principal(text: &str, key: &KeyData, namespace: &str, now: u64) -> Option<String> {
    text.lines().find_map(|line| allowed(line, None, key, namespace, now)).map(|line| line.principals)
}

/// The line, if it lets this key sign. With `principal`, only theirs.
fn allowed(line: &str, principal: Option<&str>, key: &KeyData, namespace: &str, now: u64) -> Option<SignersLine> {
    let line = read_line(line, principal).ok()??;
    (line.key.as_ref() == Some(key) && is_valid(&line, namespace, now)).then_some(line)
}

/// Lines that nothing goes by, with their numbers: for `doctor`.
#[must_use]
pub fn unreadable_lines(text: &str) -> Vec<usize> {
    text.lines().enumerate().filter(|(_, line)| read_line(line, None).is_err()).map(|(at, _)| at + 1).collect()
}

/// Keys that could sign now.
#[must_use]
pub fn count(text: &str, namespace: &str, now: u64) -> usize {
    text.lines().filter(|line| matches!(read_line(line, None), Ok(Some(line)) if line.key.is_some() && is_valid(&line, namespace, now))).count()
}

fn is_valid(line: &SignersLine, namespace: &str, now: u64) -> bool {
    !line.authority
        && line.namespaces.as_ref().is_none_or(|list| in_list(namespace, list))
        && line.after.is_none_or(|after| now >= after)
        && line.before.is_none_or(|before| now <= before)
}

/// Reads a line. `Ok(None)`: it is empty, a remark, or another principal's.
fn read_line(line: &str, principal: Option<&str>) -> Result<Option<SignersLine>, ()> {
    let line = line.trim_start_matches([' ', '\t', '\r']);
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let (principals, rest) = first_word(line).ok_or(())?;
    if principal.is_some_and(|principal| !in_list(principal, &principals)) {
        return Ok(None);
    }
    if rest.is_empty() {
        return Err(());
    }
    let mut read = SignersLine { principals, key: None, authority: false, namespaces: None, after: None, before: None };
    if let Ok(key) = key_of(rest) {
        return Ok(Some(SignersLine { key, ..read }));
    }
    let (options, rest) = past_options(rest);
    read.key = key_of(rest.trim_start_matches([' ', '\t']))?;
    set_options(options, &mut read)?;
    Ok(Some(read))
}

/// A key in front of a text. `Ok(None)`: one that is not verified here.
fn key_of(text: &str) -> Result<Option<KeyData>, ()> {
    let mut words = text.split([' ', '\t', '\r']).filter(|word| !word.is_empty());
    let (kind, base64) = (words.next().ok_or(())?, words.next().ok_or(())?);
    if let Ok(key) = PublicKey::from_openssh(&format!("{kind} {base64}")) {
        let verified = matches!(key.key_data(), KeyData::Ed25519(_) | KeyData::SkEd25519(_));
        return Ok(verified.then(|| key.key_data().clone()));
    }
    let known = OTHER_KINDS.iter().any(|other| kind.starts_with(other)) || kind.contains("-cert-v01");
    let is_base64 = base64.len() >= 16 && base64.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='));
    if known && is_base64 { Ok(None) } else { Err(()) }
}

/// The first word of a line, which may be in quotes, and what is behind it.
fn first_word(line: &str) -> Option<(String, &str)> {
    let (word, rest) = match line.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"')?,
        None => line.split_at(line.find([' ', '\t', '\r']).unwrap_or(line.len())),
    };
    Some((word.to_owned(), rest.trim_start_matches([' ', '\t', '\r'])))
}

/// Options, which end at the first blank that is not in quotes, and what is behind them.
fn past_options(text: &str) -> (&str, &str) {
    let mut quoted = false;
    let mut signs = text.char_indices().peekable();
    while let Some((at, sign)) = signs.next() {
        match sign {
            '\\' if signs.peek().is_some_and(|(_, next)| *next == '"') => drop(signs.next()),
            '"' => quoted = !quoted,
            ' ' | '\t' if !quoted => return text.split_at(at),
            _ => {}
        }
    }
    (text, "")
}

fn set_options(options: &str, line: &mut SignersLine) -> Result<(), ()> {
    let mut left = options;
    loop {
        let name_end = left.find(['=', ',']).unwrap_or(left.len());
        let (name, mut rest) = left.split_at(name_end);
        let mut value = None;
        if let Some(behind) = rest.strip_prefix('=') {
            let (text, behind) = quoted(behind).ok_or(())?;
            (value, rest) = (Some(text), behind);
        }
        match (name.to_ascii_lowercase().as_str(), value) {
            ("cert-authority", None) => line.authority = true,
            ("namespaces", Some(list)) if line.namespaces.is_none() => line.namespaces = Some(list),
            ("valid-after", Some(time)) if line.after.is_none() => line.after = Some(seconds(&time).ok_or(())?),
            ("valid-before", Some(time)) if line.before.is_none() => line.before = Some(seconds(&time).ok_or(())?),
            _ => return Err(()),
        }
        match rest.strip_prefix(',') {
            Some("") => return Err(()),
            Some(more) => left = more,
            None if rest.is_empty() => break,
            None => return Err(()),
        }
    }
    // A time that never comes is a mistake.
    if line.after.zip(line.before).is_some_and(|(after, before)| before <= after) { Err(()) } else { Ok(()) }
}

/// A value in quotes, and what is behind it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let text = text.strip_prefix('"')?;
    let mut value = String::new();
    let mut signs = text.char_indices().peekable();
    while let Some((at, sign)) = signs.next() {
        match sign {
            '\\' if signs.peek().is_some_and(|(_, next)| *next == '"') => {
                signs.next();
                value.push('"');
            }
            '"' => return Some((value, text.get(at + 1..)?)),
            other => value.push(other),
        }
    }
    None
}

/// `20270331`, `202703311200`, `20270331120059`, each with `Z` for UTC or without for the time of this machine, in seconds
/// since 1970.
fn seconds(text: &str) -> Option<u64> {
    let upper = text.to_ascii_uppercase();
    let (digits, utc) = match upper.strip_suffix("UTC").or_else(|| upper.strip_suffix('Z')) {
        Some(digits) => (digits, true),
        None => (upper.as_str(), false),
    };
    if !matches!(digits.len(), 8 | 12 | 14) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number = |from: usize, to: usize| digits.get(from..to).map_or(Some(0), |part| part.parse::<i64>().ok());
    let (year, month, day) = (number(0, 4)?, number(4, 6)?, number(6, 8)?);
    let (hour, minute, second) = (number(8, 10)?, number(10, 12)?, number(12, 14)?);
    // A 30th of February is taken for the day that comes after the 29th, as the C library does.
    if year < 1970 || !(1..=12).contains(&month) || !(1..=31).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    // Days since 1970 by the calendar that begins in March.
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (era, of_era) = (y.div_euclid(400), y.rem_euclid(400));
    let all = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + (153 * m + 2) / 5 + day - 1 - 719_468;
    let time = all * 86_400 + hour * 3_600 + minute * 60 + second;
    let time = if utc { time } else { time - system::ahead_of_utc(time) };
    u64::try_from(time).ok()
}

/// True if a name fits a list of patterns (`ssh_config(5)`, PATTERNS): one fits, and none that begins with `!` does.
fn in_list(name: &str, list: &str) -> bool {
    let mut found = false;
    for pattern in list.split(',') {
        match pattern.strip_prefix('!') {
            Some(not) if fits(name.as_bytes(), not.as_bytes()) => return false,
            Some(_) => {}
            None => found |= fits(name.as_bytes(), pattern.as_bytes()),
        }
    }
    found
}

/// `*` stands for any stretch, `?` for any sign.
fn fits(name: &[u8], pattern: &[u8]) -> bool {
    let (mut at, mut part, mut again) = (0, 0, None);
    while at < name.len() {
        match pattern.get(part) {
            Some(b'*') => {
                again = Some((part + 1, at));
                part += 1;
            }
            Some(sign) if *sign == b'?' || Some(sign) == name.get(at) => (at, part) = (at + 1, part + 1),
            _ => match again {
                Some((next, from)) => {
                    again = Some((next, from + 1));
                    (part, at) = (next, from + 1);
                }
                None => return false,
            },
        }
    }
    pattern.get(part..).is_some_and(|rest| rest.iter().all(|sign| *sign == b'*'))
}

#[cfg(test)]
#[path = "signers_tests.rs"]
mod tests;
