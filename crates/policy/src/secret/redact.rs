//! Takes secrets out of a text that is kept or shown. Rather too much than too little: what stays must only tell a person
//! what was done.

use std::ops::Range;

use super::{NEAR, find};
use actions::hidden::{names_secret, places};
use actions::program::Programs;

/// What is in the place of a secret.
const GONE: &str = "[secret]";
/// Words behind which a secret is.
const SCHEMES: &[&str] = &["bearer", "basic", "digest", "negotiate"];

/// A command line without its secrets, those too that are such by their place.
pub fn redact_command(line: &str, programs: &Programs) -> String {
    without(line, places(line, programs))
}

/// The text without its secrets.
pub fn redact(text: &str) -> String {
    without(text, Vec::new())
}

/// The text without its secrets and what is in these places.
fn without(text: &str, mut gone: Vec<Range<usize>>) -> String {
    gone.extend(find(text).into_iter().map(|found| found.range));
    loose(text, &mut gone);
    if gone.is_empty() {
        return text.to_owned();
    }
    gone.sort_by_key(|range| range.start);
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for range in gone {
        if range.start >= at {
            out.push_str(text.get(at..range.start).unwrap_or(""));
            out.push_str(GONE);
        }
        at = at.max(range.end);
    }
    out.push_str(text.get(at..).unwrap_or(""));
    out
}

/// What is behind names, options and signs that say that a secret follows.
fn loose(text: &str, gone: &mut Vec<Range<usize>>) {
    // Most texts are one word, a path, and behind its name alone nothing can be a secret.
    if !text.bytes().any(|byte| matches!(byte, b'=' | b':') || byte.is_ascii_whitespace()) {
        return;
    }
    let base = text.as_ptr().addr();
    let range = |part: &str| {
        let start = part.as_ptr().addr() - base;
        start..start + part.len()
    };
    let (mut expected, mut option) = (false, false);
    // The quote at which a value of several words ends.
    let mut open: Option<char> = None;
    for word in text.split_ascii_whitespace() {
        if let Some(quote) = open {
            gone.push(range(word.trim_matches(quote)));
            open = open.filter(|_| !word.contains(quote));
            continue;
        }
        let told = word.trim_matches(['"', '\'', '`', ',', ';']);
        let lower = told.to_ascii_lowercase();
        let scheme = SCHEMES.contains(&lower.trim_end_matches(':'));
        if (expected || option) && !scheme && !(option && told.starts_with('-')) {
            gone.push(range(told));
            (expected, option) = (false, false);
            continue;
        }
        option = false;
        expected |= scheme;
        if let Some(at) = lower.find("://")
            && let Some((user, _)) = told.get(at + 3..).and_then(|rest| rest.get(..rest.find('/').unwrap_or(rest.len()))).and_then(|host| host.rsplit_once('@'))
        {
            gone.push(range(user.split_once(':').map_or(user, |(_, password)| password)));
        }
        // `NAME=value`, `name: value`, `"name":"value"`, `?name=value&…`
        for part in told.split(['&', '?', ',', '{']) {
            // `--from-literal=password=VALUE`: the name that counts is the one in front of a sign.
            let mut from = 0;
            let found = part.match_indices(['=', ':']).find_map(|(at, _)| {
                let name = part.get(std::mem::replace(&mut from, at + 1)..at)?;
                (name.len() <= NEAR && names_secret(&name.to_ascii_lowercase())).then_some(at)
            });
            let Some(at) = found else { continue };
            match part.get(at + 1..).unwrap_or("").trim_matches(['"', '\'', '=']) {
                // The value is the next word, or more than one.
                "" => expected = true,
                value if SCHEMES.contains(&value.to_ascii_lowercase().as_str()) => expected = true,
                value => {
                    gone.push(range(value));
                    let quote = word.split_once(['=', ':']).and_then(|(_, value)| value.chars().next()).filter(|first| matches!(first, '"' | '\''));
                    open = quote.filter(|quote| word.matches(*quote).count() == 1);
                }
            }
        }
        if !told.contains('=') && told.starts_with('-') {
            option = told.starts_with("--") && names_secret(&lower) && !lower.ends_with("stdin");
        }
    }
}
