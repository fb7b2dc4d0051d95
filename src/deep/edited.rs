//! What editing programs make of a text: `sed` and `perl` with the commands that people write in one line. Facts: sed(1) of
//! GNU, "Commands"; perlop(1), "s///". Everything else is not computed.

use actions::{EMPTIED, Edited};
use regex::{Captures, Regex, RegexBuilder};

/// Bytes of a script that is read.
const MAX_SCRIPT: usize = 8 << 10;
/// Bytes that a text may grow to.
const MAX_TEXT: usize = 8 << 20;
/// Options that change nothing of the result.
const PLAIN: &[&str] = &["--in-place", "-I", "--expression", "--separate", "--unbuffered", "--follow-symlinks", "--posix", "-e", "-i", "-p", "-w", "-s"];

/// The text after the edit. `None` if that is not known.
pub(super) fn apply(text: &str, edited: &Edited) -> Option<String> {
    if edited.language == EMPTIED {
        return Some(String::new());
    }
    let is_plain = |option: &String| PLAIN.contains(&option.as_str()) || option == "--regexp-extended";
    if edited.script.len() > MAX_SCRIPT || !edited.options.iter().all(is_plain) {
        return None;
    }
    let has = |name: &str| edited.options.iter().any(|option| option == name);
    let commands = match edited.language.as_str() {
        "sed" => ScriptReader { rest: &edited.script, extended: has("--regexp-extended"), perl: false }.commands()?,
        "perl" if has("-p") => ScriptReader { rest: &edited.script, extended: true, perl: true }.commands()?,
        _ => return None,
    };
    let perl = edited.language == "perl";
    let ends = text.ends_with('\n');
    let count = text.lines().count();
    // Whether the range of each command is open.
    let mut open = vec![None; commands.len()];
    let mut out = String::with_capacity(text.len());
    for (at, line) in text.lines().enumerate() {
        let place = LinePlace { number: at + 1, last: at + 1 == count };
        let (mut line, mut kept, mut behind) = (line.to_owned(), true, String::new());
        for (command, open) in commands.iter().zip(&mut open) {
            if command.selects(&line, &place, open) == command.negated {
                continue;
            }
            match &command.act {
                SedAct::Delete => kept = false,
                SedAct::Replace { from, to, only, all } if perl => {
                    // There the line end is a part of the line.
                    line = replaced(&(line + "\n"), from, to, *only, *all);
                    line.truncate(line.strip_suffix('\n')?.len());
                }
                SedAct::Replace { from, to, only, all } => line = replaced(&line, from, to, *only, *all),
                SedAct::Before(text) => out.push_str(text),
                SedAct::Behind(text) => behind.push_str(text),
                SedAct::Change(text) => {
                    out.push_str(text);
                    kept = false;
                }
                SedAct::Translate(from, to) => {
                    line = line.chars().map(|c| from.iter().position(|known| *known == c).and_then(|at| to.get(at)).copied().unwrap_or(c)).collect();
                }
            }
            if !kept {
                break;
            }
        }
        if kept {
            out.push_str(&line);
            out.push_str(if place.last && !ends { "" } else { "\n" });
        }
        out.push_str(&behind);
        if out.len() > MAX_TEXT {
            return None;
        }
    }
    Some(out)
}

/// Where a line is.
struct LinePlace {
    number: usize,
    last: bool,
}

enum LineAddress {
    Number(usize),
    Last,
    Fits(Regex),
}

impl LineAddress {
    fn is(&self, line: &str, place: &LinePlace) -> bool {
        match self {
            Self::Number(number) => *number == place.number,
            Self::Last => place.last,
            Self::Fits(regex) => regex.is_match(line),
        }
    }
}

/// What a command does with a line.
enum SedAct {
    Delete,
    /// `only`: the occurrence that is replaced; with `all` those after it too.
    Replace {
        from: Regex,
        to: Vec<NewPart>,
        only: usize,
        all: bool,
    },
    Before(String),
    Behind(String),
    Change(String),
    Translate(Vec<char>, Vec<char>),
}

/// A part of a replacement.
enum NewPart {
    Text(String),
    Group(usize),
}

struct SedCommand {
    from: Option<LineAddress>,
    to: Option<LineAddress>,
    negated: bool,
    act: SedAct,
}

impl SedCommand {
    /// Whether its addresses select a line. `open` is the line where its range began.
    fn selects(&self, line: &str, place: &LinePlace, open: &mut Option<usize>) -> bool {
        let Some(from) = &self.from else { return true };
        let Some(to) = &self.to else { return from.is(line, place) };
        match open {
            Some(_) => {
                if to.is(line, place) || matches!(to, LineAddress::Number(end) if *end <= place.number) {
                    *open = None;
                }
                true
            }
            None if from.is(line, place) => {
                // A second address that is a number at or before the line selects that line alone.
                *open = Some(place.number).filter(|_| !matches!(to, LineAddress::Number(end) if *end <= place.number) && !place.last);
                true
            }
            None => false,
        }
    }
}

fn replaced(line: &str, from: &Regex, to: &[NewPart], only: usize, all: bool) -> String {
    let (mut out, mut behind) = (String::new(), 0);
    for (at, found) in from.captures_iter(line).enumerate().map(|(at, found)| (at + 1, found)) {
        if at < only || (at > only && !all) {
            continue;
        }
        let Some(whole) = found.get(0) else { continue };
        out.push_str(line.get(behind..whole.start()).unwrap_or(""));
        for part in to {
            out.push_str(part.of(&found));
        }
        behind = whole.end();
    }
    out.push_str(line.get(behind..).unwrap_or(""));
    out
}

impl NewPart {
    fn of<'t>(&'t self, found: &'t Captures) -> &'t str {
        match self {
            Self::Text(text) => text,
            Self::Group(at) => found.get(*at).map_or("", |group| group.as_str()),
        }
    }
}

/// Reads a script.
struct ScriptReader<'s> {
    rest: &'s str,
    /// Brackets are special without a backslash.
    extended: bool,
    perl: bool,
}

impl ScriptReader<'_> {
    fn commands(mut self) -> Option<Vec<SedCommand>> {
        let mut commands = Vec::new();
        loop {
            self.rest = self.rest.trim_start_matches(|c: char| c.is_whitespace() || c == ';');
            if self.rest.is_empty() {
                return (!commands.is_empty()).then_some(commands);
            }
            commands.push(self.command()?);
        }
    }

    fn command(&mut self) -> Option<SedCommand> {
        let from = self.address()?;
        let comma = self.rest.trim_start().strip_prefix(',').filter(|_| from.is_some());
        let to = match comma {
            Some(rest) => {
                self.rest = rest.trim_start();
                Some(self.address()??)
            }
            None => None,
        };
        self.rest = self.rest.trim_start();
        let negated = self.rest.starts_with('!');
        self.rest = self.rest.trim_start_matches(['!', ' ']);
        let act = match self.next()? {
            'd' if !self.perl => SedAct::Delete,
            's' => self.replace()?,
            'y' if !self.perl => {
                let end = self.next()?;
                let (from, to) = (self.part(end)?, self.part(end)?);
                let plain = !from.contains('\\') && !to.contains('\\') && from.chars().count() == to.chars().count();
                plain.then(|| SedAct::Translate(from.chars().collect(), to.chars().collect()))?
            }
            'i' if !self.perl => SedAct::Before(self.text()?),
            'a' if !self.perl => SedAct::Behind(self.text()?),
            'c' if !self.perl && to.is_none() => SedAct::Change(self.text()?),
            _ => return None,
        };
        let behind = self.rest.trim_start_matches([' ', '\t']);
        (behind.is_empty() || behind.starts_with([';', '\n']) || matches!(act, SedAct::Before(_) | SedAct::Behind(_) | SedAct::Change(_))).then_some(())?;
        Some(SedCommand { from, to, negated, act })
    }

    /// An address, if there is one. The outer `None`: it cannot be read.
    fn address(&mut self) -> Option<Option<LineAddress>> {
        let digits = self.rest.len() - self.rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        Some(match self.rest.chars().next() {
            _ if self.perl => None,
            Some('$') => {
                self.next();
                Some(LineAddress::Last)
            }
            Some('/') => {
                self.next();
                let pattern = self.part('/')?;
                let any_case = self.rest.starts_with('I');
                self.rest = self.rest.trim_start_matches('I');
                Some(LineAddress::Fits(self.regex(&pattern, any_case)?))
            }
            Some(c) if c.is_ascii_digit() => {
                let (number, rest) = self.rest.split_at_checked(digits)?;
                self.rest = rest;
                // `0,/x/` and `2~3` are other forms.
                Some(LineAddress::Number(number.parse().ok().filter(|number| *number > 0 && !rest.starts_with('~'))?))
            }
            Some('\\' | '+' | '~') => return None,
            _ => None,
        })
    }

    fn replace(&mut self) -> Option<SedAct> {
        let end = self.next()?;
        let close = if self.perl && end == '{' { '}' } else { end };
        let pattern = self.part(close)?;
        if close != end {
            self.rest = self.rest.trim_start().strip_prefix('{')?;
        }
        let new = self.part(close)?;
        let (mut all, mut any_case, mut only) = (false, false, 1);
        while let Some(flag) = self.rest.chars().next().filter(char::is_ascii_alphanumeric) {
            self.next();
            match flag {
                'g' => all = true,
                'i' => any_case = true,
                'I' if !self.perl => any_case = true,
                '1'..='9' if !self.perl => only = flag.to_digit(10)? as usize,
                _ => return None,
            }
        }
        Some(SedAct::Replace { from: self.regex(&pattern, any_case)?, to: self.parts(&new)?, only, all })
    }

    /// The parts of a replacement.
    fn parts(&self, new: &str) -> Option<Vec<NewPart>> {
        let mut parts = Vec::new();
        let mut text = String::new();
        let mut chars = new.chars().peekable();
        while let Some(c) = chars.next() {
            let group = match c {
                '&' if !self.perl => Some(0),
                '$' if self.perl => Some(chars.next()?.to_digit(10)? as usize),
                '@' if self.perl => return None,
                '\\' => match chars.next()? {
                    digit @ '0'..='9' => Some(digit.to_digit(10)? as usize),
                    'n' | '\n' => {
                        text.push('\n');
                        None
                    }
                    't' => {
                        text.push('\t');
                        None
                    }
                    letter if letter.is_ascii_alphabetic() => return None,
                    other => {
                        text.push(other);
                        None
                    }
                },
                c => {
                    text.push(c);
                    None
                }
            };
            if let Some(group) = group {
                parts.push(NewPart::Text(std::mem::take(&mut text)));
                parts.push(NewPart::Group(group));
            }
        }
        parts.push(NewPart::Text(text));
        Some(parts)
    }

    /// The text of `a`, `i` or `c` to the end of its line.
    fn text(&mut self) -> Option<String> {
        let (line, rest) = self.rest.split_once('\n').unwrap_or((self.rest, ""));
        let line = line.trim_start();
        let (line, rest) = match line.strip_prefix('\\') {
            Some("") => rest.split_once('\n').unwrap_or((rest, "")),
            Some(text) => (text, rest),
            None => (line, rest),
        };
        self.rest = rest;
        (!line.ends_with('\\')).then(|| format!("{}\n", line.replace("\\n", "\n")))
    }

    fn regex(&self, pattern: &str, any_case: bool) -> Option<Regex> {
        let pattern = if self.extended { pattern.replace("\\<", "\\b").replace("\\>", "\\b") } else { basic(pattern)? };
        // The empty pattern is the last one; Perl puts variables in, and its `$` is in front of the line end; `\d065` is `A` to
        // sed.
        let odd: &[&str] = if self.perl { &["$", "@"] } else { &["\\d", "\\o", "\\x", "\\c"] };
        let is_odd = pattern.is_empty() || odd.iter().any(|sign| pattern.contains(sign));
        (!is_odd).then_some(())?;
        RegexBuilder::new(&pattern).case_insensitive(any_case).build().ok()
    }

    /// The text up to `end`.
    fn part(&mut self, end: char) -> Option<String> {
        let mut text = String::new();
        loop {
            match self.next()? {
                c if c == end => return Some(text),
                '\\' => {
                    let c = self.next()?;
                    if c != end {
                        text.push('\\');
                    }
                    text.push(c);
                }
                c => text.push(c),
            }
        }
    }

    fn next(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let next = chars.next();
        self.rest = chars.as_str();
        next
    }
}

/// A basic regular expression as an extended one: the signs that are special with a backslash there are so without one here.
fn basic(pattern: &str) -> Option<String> {
    let mut out = String::new();
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next()? {
                sign @ ('(' | ')' | '{' | '}' | '+' | '?' | '|') => out.push(sign),
                '<' | '>' => out.push_str("\\b"),
                '1'..='9' => return None,
                other => out.extend(['\\', other]),
            },
            '(' | ')' | '{' | '}' | '+' | '?' | '|' => out.extend(['\\', c]),
            // A star at the beginning is a star.
            '*' if out.is_empty() || out == "^" => out.push_str("\\*"),
            '[' => {
                out.push('[');
                // A bracket that is first in a set is one of it, and a backslash is a backslash.
                let mut first = true;
                loop {
                    let inner = chars.next()?;
                    match inner {
                        '^' if first => {
                            out.push('^');
                            continue;
                        }
                        ']' if !first => break,
                        '\\' | ']' | '[' if inner != '[' || !chars.as_str().starts_with(':') => out.extend(['\\', inner]),
                        '[' => {
                            let (class, rest) = chars.as_str().split_once(":]")?;
                            out.extend(["[", class, ":]"]);
                            chars = rest.chars();
                        }
                        '&' | '~' | '-' if inner != '-' => out.extend(['\\', inner]),
                        _ => out.push(inner),
                    }
                    first = false;
                }
                out.push(']');
            }
            c => out.push(c),
        }
    }
    Some(out)
}

#[cfg(test)]
#[path = "edited_tests.rs"]
mod tests;
