//! Globs to regular expressions. Knows not what the texts are that they are matched with.

use std::fmt::Write as _;

use super::pattern::Fault;

/// Braces may stand for this many texts.
const MAX_ALTERNATIVES: usize = 256;
/// The longest pattern, in bytes.
pub(super) const MAX_PATTERN: usize = 4096;

/// One character, not a byte: patterns are over bytes, texts are UTF-8.
const CHARACTER: &str = r"(?:[\x00-\x7f]|[\xc2-\xf4][\x80-\xbf]{1,3})";
/// One character but `/`.
const NAME_CHARACTER: &str = r"(?:[\x00-.0-\x7f]|[\xc2-\xf4][\x80-\xbf]{1,3})";

/// What a glob is made of, braces taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// A character as it is.
    Character(char),
    /// `?`
    One,
    /// `*`
    Any,
    /// `**`
    Deep,
    /// `[a-z]`: the inside, escaped for a regular expression, and whether it is negated.
    Class(String, bool),
}

/// All texts that the braces of `glob` stand for. Escapes and classes stay as they are.
pub(super) fn expand(glob: &str) -> Result<Vec<String>, Fault> {
    if glob.len() > MAX_PATTERN {
        return Err(Fault::new(format!("this pattern is longer than {MAX_PATTERN} bytes"), "split it into several patterns"));
    }
    let mut done = Vec::new();
    let mut open = vec![glob.to_owned()];
    while let Some(next) = open.pop() {
        let Some(brace) = Brace::first(&next)? else {
            done.push(next);
            continue;
        };
        // Pushed in reverse, so that the first alternative is taken up first.
        open.extend(brace.alternatives.iter().rev().map(|alternative| format!("{}{alternative}{}", brace.before, brace.after)));
        if open.len() + done.len() > MAX_ALTERNATIVES {
            return Err(Fault::new(format!("the braces stand for more than {MAX_ALTERNATIVES} texts"), "split it into several patterns"));
        }
    }
    Ok(done)
}

/// The first `{a,b}` of a glob.
struct Brace<'g> {
    before: &'g str,
    alternatives: Vec<&'g str>,
    after: &'g str,
}

impl<'g> Brace<'g> {
    fn first(glob: &'g str) -> Result<Option<Self>, Fault> {
        let mut depth = 0usize;
        let mut opened = 0;
        let mut cuts = Vec::new();
        let mut signs = glob.char_indices();
        while let Some((at, sign)) = signs.next() {
            match sign {
                '\\' => {
                    signs.next();
                }
                '[' => {
                    let (_, _, length) = class(glob.get(at + 1..).unwrap_or(""))?;
                    signs = glob.char_indices();
                    signs.find(|(seen, _)| *seen == at + length);
                }
                '{' => {
                    if depth == 0 {
                        opened = at;
                    }
                    depth += 1;
                }
                ',' if depth == 1 => cuts.push(at),
                '}' if depth > 1 => depth -= 1,
                '}' if depth == 1 => {
                    if cuts.is_empty() {
                        return Err(Fault::new("braces hold only one alternative", "write `\\{` for the sign `{`"));
                    }
                    cuts.push(at);
                    let starts = std::iter::once(opened + 1).chain(cuts.iter().map(|cut| cut + 1));
                    let alternatives = starts.zip(&cuts).filter_map(|(start, end)| glob.get(start..*end)).collect();
                    let (before, after) = (glob.get(..opened).unwrap_or(""), glob.get(at + 1..).unwrap_or(""));
                    return Ok(Some(Self { before, alternatives, after }));
                }
                _ => {}
            }
        }
        if depth > 0 { Err(Fault::new("`{` is never closed", "write `\\{` for the sign itself")) } else { Ok(None) }
    }
}

/// The parts of a glob without braces.
pub(super) fn parts(glob: &str) -> Result<Vec<Part>, Fault> {
    let mut parts = Vec::new();
    let mut rest = glob;
    while let Some(sign) = rest.chars().next() {
        rest = rest.get(sign.len_utf8()..).unwrap_or("");
        parts.push(match sign {
            '\\' => {
                let Some(escaped) = rest.chars().next() else {
                    return Err(Fault::new("`\\` stands at the end and takes nothing", "write `\\\\` for the sign itself"));
                };
                rest = rest.get(escaped.len_utf8()..).unwrap_or("");
                Part::Character(escaped)
            }
            '?' => Part::One,
            '*' => {
                let tail = rest.trim_start_matches('*');
                let stars = rest.len() - tail.len() + 1;
                rest = tail;
                if stars == 1 { Part::Any } else { Part::Deep }
            }
            '[' => {
                let (inside, negated, length) = class(rest)?;
                rest = rest.get(length..).unwrap_or("");
                Part::Class(inside, negated)
            }
            other => Part::Character(other),
        });
    }
    Ok(parts)
}

/// Reads a class behind its `[`: its inside for a regular expression, whether it is negated, and its length with `]`.
fn class(rest: &str) -> Result<(String, bool, usize), Fault> {
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
            return Err(Fault::new(format!("`{}` stands in a class, where only ASCII can", member.0), "write `{ä,ö}` for such characters"));
        }
        members.push(member);
    }
    Err(Fault::new("`[` is never closed", "write `\\[` for the sign itself"))
}

fn inside(members: &[(char, bool)]) -> Result<String, Fault> {
    let mut inside = String::new();
    let mut at = 0;
    while let Some((first, _)) = members.get(at) {
        match (members.get(at + 1), members.get(at + 2)) {
            (Some((_, true)), Some((last, _))) => {
                if first > last {
                    return Err(Fault::new(format!("the range `{first}-{last}` runs backwards"), "write the lower character first"));
                }
                let _ = write!(inside, r"\x{:02x}-\x{:02x}", u32::from(*first), u32::from(*last));
                at += 3;
            }
            _ => {
                let _ = write!(inside, r"\x{:02x}", u32::from(*first));
                at += 1;
            }
        }
    }
    Ok(inside)
}

/// The text that is the only one to match, if the parts are all characters.
pub(super) fn literal(parts: &[Part]) -> Option<String> {
    parts.iter().map(|part| if let Part::Character(sign) = part { Some(*sign) } else { None }).collect()
}

/// The regular expression of a glob over a text.
pub(super) fn over_text(parts: &[Part]) -> String {
    parts.iter().map(|part| regex(part, false)).collect()
}

/// The regular expression of a glob over the components of a path. `rooted`: the path begins with a slash.
pub(super) fn over_path(components: &[Vec<Part>], rooted: bool) -> Result<String, Fault> {
    let mut out = String::from(if rooted { "/" } else { "" });
    for (at, component) in components.iter().enumerate() {
        let last = at + 1 == components.len();
        match component.as_slice() {
            [Part::Deep] if last => out.push_str("(?s:.)+"),
            [Part::Deep] => out.push_str("(?:(?s:.)*/)?"),
            parts if parts.contains(&Part::Deep) => {
                return Err(Fault::new("`**` does not stand alone between slashes", "write `**/*.rs` rather than `**.rs`"));
            }
            // A name is not empty, so that `a/*` does not stand for `a` itself.
            [Part::Any] => out.push_str("[^/]+"),
            parts => out.extend(parts.iter().map(|part| regex(part, true))),
        }
        if !last && component.as_slice() != [Part::Deep] {
            out.push('/');
        }
    }
    Ok(out)
}

fn regex(part: &Part, in_path: bool) -> String {
    match (part, in_path) {
        (Part::Character(sign), _) => {
            let mut bytes = [0; 4];
            sign.encode_utf8(&mut bytes).bytes().map(escaped).collect()
        }
        (Part::One, false) => CHARACTER.to_owned(),
        (Part::One, true) => NAME_CHARACTER.to_owned(),
        (Part::Any | Part::Deep, false) => "(?s:.)*".to_owned(),
        (Part::Any | Part::Deep, true) => "[^/]*".to_owned(),
        (Part::Class(inside, negated), _) => {
            let slash = if in_path { "&&[^/]" } else { "" };
            if *negated { format!(r"(?:[[^{inside}\x80-\xff]{slash}]|[\xc2-\xf4][\x80-\xbf]{{1,3}})") } else { format!("[[{inside}]{slash}]") }
        }
    }
}

/// Letters stay letters, so that they can match in both cases.
fn escaped(byte: u8) -> String {
    if byte.is_ascii_alphanumeric() || byte == b'/' { char::from(byte).to_string() } else { format!(r"\x{byte:02x}") }
}
