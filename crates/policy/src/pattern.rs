//! Patterns in their compiled form: a literal, or a table automaton made when the policy was compiled.
//! How they are walked is `matcher::text`'s.

use std::borrow::Cow;

use actions::wire::{Bytes, RecordOutput, Wire};
use actions::{wire_enum, wire_struct};

/// A pattern on a text.
#[derive(Clone, Debug, PartialEq)]
pub struct Pattern<'a> {
    /// As written, for people.
    pub source: &'a str,
    /// None: the text must be equal to `source`.
    pub table: Option<Automaton<'a>>,
}
wire_struct!(Pattern { source, table });

impl<'a> Pattern<'a> {
    /// The only text that matches, if there is only one.
    pub fn literal(&self) -> Option<&'a str> {
        self.table.is_none().then_some(self.source)
    }
}

/// A deterministic automaton over bytes. State 0 is dead: nothing leads out of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Automaton<'a> {
    /// The class of each byte, 256 of them.
    pub classes: Cow<'a, [u8]>,
    /// How many classes; the end of the text is one more.
    pub width: u16,
    /// Successors, `width + 1` a state, 16 bits little-endian each, the end of the text last.
    pub next: Cow<'a, [u8]>,
    /// A bit for each state: the pattern has been found.
    pub found: Cow<'a, [u8]>,
    pub start: u16,
    /// Found anywhere suffices, and then stays found; otherwise the whole text must match.
    pub anywhere: bool,
}
wire_struct!(Automaton { classes, width, next, found, start, anywhere });

/// Where a path pattern begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PathAnchor {
    /// At the root of the file system (`/etc/**`); the pattern is for the whole path.
    Absolute,
    /// At the root of the repository (`src/**`); the pattern is for what follows.
    Repository,
    /// At a home folder (`~/…`).
    Home,
    /// In any folder (`**/…`); the pattern is for the whole path.
    Anywhere,
    /// In the folder of the gate's own binaries (`<binaries>/…`).
    Binaries,
    /// In a folder of the gate's state (`<state>/…`).
    State,
    /// In a folder with the gate's user policy (`<config>/…`).
    Config,
    /// The file behind a link that is the project's or the local policy (`<policy>`), and each link on the way.
    Policy,
    /// In a temporary folder (`<temporary>/…`).
    Temporary,
    /// The folder in which the command runs (`.` or `<here>`) .
    Here,
    /// The folder in which the repository's root lies (`<beside>/…`).
    Beside,
    /// The repository's own git directory, wherever it is (`<git>/…`).
    GitDirectory,
    /// The folder that `core.hooksPath` names (`<hooks>/NAME`); the pattern is for the names of files in it.
    Hooks,
}
wire_enum!(PathAnchor { Absolute, Repository, Home, Anywhere, Binaries, State, Config, Policy, Temporary, Here, Beside, GitDirectory, Hooks });

impl PathAnchor {
    /// How policies write it; for those without a name of their own, what they are.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Absolute => "/",
            Self::Repository => "<root>",
            Self::Home => "~",
            Self::Anywhere => "**",
            Self::Binaries => "<binaries>",
            Self::State => "<state>",
            Self::Config => "<config>",
            Self::Policy => "<policy>",
            Self::Temporary => "<temporary>",
            Self::Here => "<here>",
            Self::Beside => "<beside>",
            Self::GitDirectory => "<git>",
            Self::Hooks => "<hooks>",
        }
    }

    /// True if patterns with this anchor cover the whole path.
    pub const fn is_whole(self) -> bool {
        matches!(self, Self::Absolute | Self::Anywhere)
    }
}

/// A pattern on a path.
#[derive(Clone, Debug, PartialEq)]
pub struct PathPattern<'a> {
    pub anchor: PathAnchor,
    /// For the part behind the anchor, without a slash in front; for `Absolute` and `Anywhere` the whole path with it.
    /// The anchor itself is the empty text.
    pub pattern: Pattern<'a>,
    /// As written.
    pub source: &'a str,
    /// What is literally in its components, for the question whether a path with a hole agrees with it.
    pub literals: Vec<&'a str>,
    /// The folders in front of its first wildcard, behind the anchor: deleting one of them deletes what it names.
    /// None if it begins with a wildcard.
    pub stem: Option<&'a str>,
    /// For each of its alternatives a name that every path has which it matches: `/name`, or `.ending` of the last name;
    /// empty if the paths have no such thing in common. Only the table of rules is made with it, so it is not laid down.
    pub telling: Vec<&'a str>,
}

impl<'a> Wire<'a> for PathPattern<'a> {
    fn put(&self, out: &mut RecordOutput) {
        self.anchor.put(out);
        self.pattern.put(out);
        (self.source, self.stem).put(out);
        self.literals.put(out);
    }

    fn get(from: &mut Bytes<'a>) -> Option<Self> {
        let (anchor, pattern) = <_>::get(from)?;
        let (source, stem) = <_>::get(from)?;
        Some(Self { anchor, pattern, source, literals: <_>::get(from)?, stem, telling: Vec::new() })
    }
}

impl Automaton<'_> {
    /// The state after `state` on the byte class `class` (`width` is the end of the text). Damaged tables give 0.
    pub fn step(&self, state: u16, class: u16) -> u16 {
        let at = (usize::from(state) * (usize::from(self.width) + 1) + usize::from(class)) * 2;
        match self.next.get(at..at + 2) {
            Some(&[low, high]) => u16::from_le_bytes([low, high]),
            _ => 0,
        }
    }

    /// Of each byte, whether it leaves the automaton in its first state.
    pub fn quiet(&self) -> [bool; 256] {
        let stays = |byte: usize| u8::try_from(byte).is_ok_and(|byte| self.step(self.start, self.class(byte)) == self.start);
        std::array::from_fn(stays)
    }

    /// True if no text of ASCII alone matches.
    pub fn needs_other_letters(&self) -> bool {
        let ends = |state: u16| self.is_found(state) || self.is_found(self.step(state, self.width));
        let mut classes: Vec<u16> = (0..128).map(|byte| self.class(byte)).collect();
        classes.sort_unstable();
        classes.dedup();
        let (mut seen, mut at) = (vec![self.start], 0);
        while let Some(state) = seen.get(at).copied() {
            if ends(state) {
                return false;
            }
            for class in &classes {
                let next = self.step(state, *class);
                if next != 0 && !seen.contains(&next) {
                    seen.push(next);
                }
            }
            at += 1;
        }
        true
    }

    /// How many states there are.
    pub fn states(&self) -> usize {
        self.next.len() / (2 * (usize::from(self.width) + 1))
    }

    /// The class of a byte.
    pub fn class(&self, byte: u8) -> u16 {
        self.classes.get(usize::from(byte)).map_or(0, |class| u16::from(*class))
    }

    /// Whether the pattern has been found in this state.
    pub fn is_found(&self, state: u16) -> bool {
        self.found.get(usize::from(state / 8)).is_some_and(|bits| bits >> (state % 8) & 1 == 1)
    }
}
