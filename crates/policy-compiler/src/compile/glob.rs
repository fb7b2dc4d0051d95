//! Turns globs into regular expressions. Does not know which texts they are matched with.

use std::fmt::Write as _;

use super::pattern::PatternFault;

/// Braces may stand for this many texts.
const MAX_ALTERNATIVES: usize = 256;
/// Braces can be in braces this deep.
const MAX_DEPTH: usize = 8;
/// The longest pattern, in bytes.
pub(super) const MAX_PATTERN: usize = 4096;

/// One character, not a byte: patterns are over bytes, texts are UTF-8.
const CHARACTER: &str = r"(?:[\x00-\x7f]|[\xc2-\xf4][\x80-\xbf]{1,3})";
/// One character but `/`.
const NAME_CHARACTER: &str = r"(?:[\x00-.0-\x7f]|[\xc2-\xf4][\x80-\xbf]{1,3})";

/// What a glob is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum GlobPart {
    /// A character as it is, and whether a `\\` was before it.
    Character(char, bool),
    /// `?`
    One,
    /// `*`
    Any,
    /// `**`
    Deep,
    /// `{a,b}`
    Either(Vec<Vec<GlobPart>>),
    /// `[a-z]`: the inside, escaped for a regular expression, and whether it is negated.
    Class(String, bool),
}

pub(super) fn parts(glob: &str) -> Result<Vec<GlobPart>, PatternFault> {
    if glob.len() > MAX_PATTERN {
        return Err(PatternFault::new(format!("this pattern is longer than {MAX_PATTERN} bytes"), "split it into several patterns"));
    }
    sequence(&mut { glob }, 0)
}

/// Reads parts off the front of `rest`; within braces up to the end of an alternative.
fn sequence(rest: &mut &str, depth: usize) -> Result<Vec<GlobPart>, PatternFault> {
    if depth > MAX_DEPTH {
        return Err(PatternFault::new(format!("braces are nested more than {MAX_DEPTH} deep"), "split it into several patterns"));
    }
    let mut parts = Vec::new();
    while let Some(sign) = rest.chars().next() {
        if depth > 0 && matches!(sign, ',' | '}') {
            break;
        }
        take(rest);
        parts.push(match sign {
            '\\' => match take(rest) {
                Some(escaped) => GlobPart::Character(escaped, true),
                None => return Err(PatternFault::new("`\\` at the end escapes nothing", "write `\\\\` for the character itself")),
            },
            '?' => GlobPart::One,
            '*' => {
                let tail = rest.trim_start_matches('*');
                let part = if tail.len() == rest.len() { GlobPart::Any } else { GlobPart::Deep };
                *rest = tail;
                part
            }
            '[' => {
                let (inside, negated, length) = class(rest)?;
                *rest = rest.get(length..).unwrap_or("");
                GlobPart::Class(inside, negated)
            }
            '{' => {
                let mut alternatives = Vec::new();
                loop {
                    alternatives.push(sequence(rest, depth + 1)?);
                    match take(rest) {
                        Some('}') if alternatives.len() == 1 => {
                            return Err(PatternFault::new("braces have only one alternative", "write `\\{` for the character `{`"));
                        }
                        Some('}') => break GlobPart::Either(alternatives),
                        Some(_) => {}
                        None => return Err(PatternFault::new("`{` is never closed", "write `\\{` for the character itself")),
                    }
                }
            }
            other => GlobPart::Character(other, false),
        });
    }
    Ok(parts)
}

fn take(rest: &mut &str) -> Option<char> {
    let mut signs = rest.chars();
    let sign = signs.next();
    *rest = signs.as_str();
    sign
}

/// All globs that the braces of one stand for; those whose alternatives are not `chosen` stay.
pub(super) fn expand(parts: &[GlobPart], chosen: &impl Fn(&[Vec<GlobPart>]) -> bool) -> Result<Vec<Vec<GlobPart>>, PatternFault> {
    let mut all = vec![Vec::new()];
    for part in parts {
        let mut ends = Vec::new();
        match part {
            GlobPart::Either(alternatives) if chosen(alternatives) => {
                for alternative in alternatives {
                    ends.extend(expand(alternative, chosen)?);
                    if ends.len() * all.len() > MAX_ALTERNATIVES {
                        return Err(PatternFault::new(format!("the braces mean more than {MAX_ALTERNATIVES} texts"), "split it into several patterns"));
                    }
                }
            }
            _ => ends.push(vec![part.clone()]),
        }
        all = all.iter().flat_map(|start: &Vec<GlobPart>| ends.iter().map(|end| [start.as_slice(), end].concat())).collect();
    }
    Ok(all)
}

/// Whether braces reach over the end of a name.
pub(super) fn is_deep(alternatives: &[Vec<GlobPart>]) -> bool {
    alternatives.iter().flatten().any(|part| match part {
        GlobPart::Either(inner) => is_deep(inner),
        part => is_slash(part) || *part == GlobPart::Deep,
    })
}

/// Whether it is between two names.
pub(super) fn is_slash(part: &GlobPart) -> bool {
    matches!(part, GlobPart::Character('/', _))
}

/// Reads a class behind its `[`: its inside for a regular expression, whether it is negated, and its length with `]`.
fn class(rest: &str) -> Result<(String, bool, usize), PatternFault> {
    let negated = rest.starts_with(['!', '^']);
    let mut signs = rest.char_indices().skip(usize::from(negated)).peekable();
    let mut members: Vec<(char, bool)> = Vec::new();
    while let Some((at, sign)) = signs.next() {
        let member = match sign {
            ']' if !members.is_empty() => return Ok((inside(&members)?, negated, at + 1)),
            '\\' => match signs.next() {
                Some((_, escaped)) => (escaped, false),
                None => break,
            },
            // A dash between two characters makes a range; at either end it is itself.
            '-' => ('-', !members.is_empty() && signs.peek().is_some_and(|(_, next)| *next != ']')),
            other => (other, false),
        };
        if !member.0.is_ascii() {
            return Err(PatternFault::new(
                format!("`{}` is in a character class, which can only contain ASCII", member.0),
                "write `{ä,ö}` for such characters",
            ));
        }
        members.push(member);
    }
    Err(PatternFault::new("`[` is never closed", "write `\\[` for the character itself"))
}

fn inside(members: &[(char, bool)]) -> Result<String, PatternFault> {
    let mut inside = String::new();
    let mut at = 0;
    while let Some((first, _)) = members.get(at) {
        if let (Some((_, true)), Some((last, _))) = (members.get(at + 1), members.get(at + 2)) {
            if first > last {
                return Err(PatternFault::new(format!("the range `{first}-{last}` runs backwards"), "write the lower character first"));
            }
            let _ = write!(inside, r"\x{:02x}-\x{:02x}", u32::from(*first), u32::from(*last));
            at += 3;
        } else {
            let _ = write!(inside, r"\x{:02x}", u32::from(*first));
            at += 1;
        }
    }
    Ok(inside)
}

/// The text that is the only one to match, if the parts are all characters.
pub(super) fn literal(parts: &[GlobPart]) -> Option<String> {
    parts.iter().map(|part| if let GlobPart::Character(sign, _) = part { Some(*sign) } else { None }).collect()
}

/// The regular expression of a glob over a text.
pub(super) fn over_text(parts: &[GlobPart]) -> String {
    parts.iter().map(|part| regex(part, false)).collect()
}

/// The same in pieces, one for each part.
pub(super) fn over_each(parts: &[GlobPart]) -> Vec<String> {
    parts.iter().map(|part| regex(part, false)).collect()
}

/// The pieces of the regular expression of a glob over the components of a path. `rooted`: the path begins with a slash.
pub(super) fn over_path(components: &[Vec<GlobPart>], rooted: bool) -> Result<Vec<String>, PatternFault> {
    let mut out: Vec<String> = rooted.then(|| "/".to_owned()).into_iter().collect();
    for (at, component) in components.iter().enumerate() {
        let last = at + 1 == components.len();
        match component.as_slice() {
            [GlobPart::Deep] if last => out.push("(?s:.)+".to_owned()),
            [GlobPart::Deep] => out.push("(?:(?s:.)*/)?".to_owned()),
            parts if parts.contains(&GlobPart::Deep) => {
                return Err(PatternFault::new("`**` must be a whole path component", "write `**/*.rs` instead of `**.rs`"));
            }
            // A name is not empty, so that `a/*` does not stand for `a` itself.
            [GlobPart::Any] => out.push("[^/]+".to_owned()),
            parts => out.extend(parts.iter().map(|part| regex(part, true))),
        }
        if !last && component.as_slice() != [GlobPart::Deep] {
            out.push("/".to_owned());
        }
    }
    Ok(out)
}

/// The regular expression of any of several alternatives. What all of them begin and end with is outside: `*a*|*b*` makes
/// an automaton remember which of them was seen, `*(a|b)*` does not.
pub(super) fn any_of(alternatives: &[Vec<String>]) -> String {
    let Some((first, others)) = alternatives.split_first().filter(|(_, others)| !others.is_empty()) else { return alternatives.concat().concat() };
    let shared = |left: &mut dyn Iterator<Item = &String>, right: &mut dyn Iterator<Item = &String>| left.zip(right).take_while(|(a, b)| a == b).count();
    let front = others.iter().map(|other| shared(&mut first.iter(), &mut other.iter())).min().unwrap_or(0);
    let rests: Vec<&[String]> = alternatives.iter().map(|pieces| pieces.get(front..).unwrap_or(&[])).collect();
    let back = rests.iter().map(|rest| shared(&mut rests[0].iter().rev(), &mut rest.iter().rev())).min().unwrap_or(0);
    let middles: Vec<String> = rests.iter().map(|rest| rest.get(..rest.len() - back).unwrap_or(&[]).concat()).collect();
    let (head, tail) = (&first[..front], &first[first.len() - back..]);
    format!("{}(?:{}){}", head.concat(), middles.join("|"), tail.concat())
}

fn regex(part: &GlobPart, in_path: bool) -> String {
    match (part, in_path) {
        (GlobPart::Character(sign, _), _) => {
            let mut bytes = [0; 4];
            sign.encode_utf8(&mut bytes).bytes().map(escaped).collect()
        }
        (GlobPart::One, false) => CHARACTER.to_owned(),
        (GlobPart::One, true) => NAME_CHARACTER.to_owned(),
        (GlobPart::Any | GlobPart::Deep, false) => "(?s:.)*".to_owned(),
        (GlobPart::Any | GlobPart::Deep, true) => "[^/]*".to_owned(),
        (GlobPart::Either(alternatives), _) => {
            let all: Vec<String> = alternatives.iter().map(|parts| parts.iter().map(|part| regex(part, in_path)).collect()).collect();
            format!("(?:{})", all.join("|"))
        }
        (GlobPart::Class(inside, negated), _) => {
            let slash = if in_path { "&&[^/]" } else { "" };
            if *negated { format!(r"(?:[[^{inside}\x80-\xff]{slash}]|[\xc2-\xf4][\x80-\xbf]{{1,3}})") } else { format!("[[{inside}]{slash}]") }
        }
    }
}

/// Letters stay letters, so that they can match in both cases.
fn escaped(byte: u8) -> String {
    if byte.is_ascii_alphanumeric() || byte == b'/' { char::from(byte).to_string() } else { format!(r"\x{byte:02x}") }
}
