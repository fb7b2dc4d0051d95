//! Patterns on words with holes: an automaton is walked with the set of all states it may be in, so the three-valued
//! answer is exact.

use crate::action::word::{Bound, Piece, Word};
use crate::policy::pattern::{Automaton, Pattern};
use crate::verdict::Answer;

/// Bytes with which a name from a known producer never starts.
const NOT_IN_FRONT: &[u8] = b"-+:/~";

/// Whether `word` matches `pattern`.
#[must_use]
pub fn word(pattern: &Pattern, word: &Word) -> Answer {
    let answer = match &pattern.table {
        None => literal(pattern.source, word),
        Some(table) => walk(table, &word.pieces),
    };
    // A word that may vanish or become several is not certainly this one.
    if word.multi && word.has_hole() { answer.min(Answer::Maybe) } else { answer }
}

/// Whether a wholly known text matches `pattern`.
#[must_use]
pub fn text(pattern: &Pattern, text: &str) -> bool {
    match &pattern.table {
        None => pattern.source == text,
        Some(table) => {
            let mut state = table.start;
            for byte in text.bytes() {
                if table.anywhere && table.is_found(state) {
                    return true;
                }
                state = table.step(state, table.class(byte));
                if state == 0 {
                    return false;
                }
            }
            (table.anywhere && table.is_found(state)) || table.is_found(table.step(state, table.width))
        }
    }
}

/// Any of the patterns.
#[must_use]
pub fn any(patterns: &[Pattern], subject: &Word) -> Answer {
    patterns.iter().map(|pattern| word(pattern, subject)).max().unwrap_or(Answer::No)
}

/// Any of the patterns, on a known text. An empty list is not asked, and so holds.
#[must_use]
pub fn any_or_unasked(patterns: &[Pattern], subject: &str) -> Answer {
    (patterns.is_empty() || patterns.iter().any(|pattern| text(pattern, subject))).into()
}

fn literal(source: &str, word: &Word) -> Answer {
    if let Some(known) = word.literal() {
        return (known == source).into();
    }
    // Could the holes be filled so that the word is `source`? The first and last known stretches must fit, and those
    // between must occur in order.
    let mut rest = source;
    let mut fresh = true;
    for (at, piece) in word.pieces.iter().enumerate() {
        let component_start = std::mem::replace(&mut fresh, matches!(piece, Piece::Lit(text) if text.ends_with('/')));
        match piece {
            Piece::Lit(text) if at == 0 => match rest.strip_prefix(text.as_str()) {
                Some(tail) => rest = tail,
                None => return Answer::No,
            },
            Piece::Lit(text) if at + 1 == word.pieces.len() => return rest.ends_with(text.as_str()).into_maybe(),
            Piece::Lit(text) => match rest.find(text.as_str()) {
                Some(found) => rest = rest.get(found + text.len()..).unwrap_or(""),
                None => return Answer::No,
            },
            Piece::Any(Bound::Name | Bound::Truth) => {
                if rest.is_empty() || (at == 0 && rest.bytes().next().is_some_and(|first| NOT_IN_FRONT.contains(&first))) {
                    return Answer::No;
                }
            }
            // A glob is at least one character, and a name that it finds does not begin with a dot.
            Piece::Glob(_) => {
                if rest.is_empty() || (component_start && rest.starts_with('.')) {
                    return Answer::No;
                }
            }
            Piece::Any(Bound::Anything) => {}
        }
    }
    // A word that ends in a piece that is not known can still be anything.
    Answer::Maybe
}

trait IntoMaybe {
    fn into_maybe(self) -> Answer;
}

impl IntoMaybe for bool {
    fn into_maybe(self) -> Answer {
        if self { Answer::Maybe } else { Answer::No }
    }
}

/// Walks the table over pieces, from its start.
#[must_use]
pub fn walk(table: &Automaton, pieces: &[Piece]) -> Answer {
    let mut states = States::from_start(table);
    states.pieces(table, pieces);
    states.answer(table)
}

/// Pieces of a word that are followed one by one; what stands behind may be any text.
const MAX_PIECES: usize = 64;

/// The states an automaton may be in.
#[derive(Clone, Debug)]
pub struct States {
    all: Vec<u16>,
}

impl States {
    /// Only the start.
    #[must_use]
    pub fn from_start(table: &Automaton) -> Self {
        Self { all: vec![table.start] }
    }

    /// Follows pieces.
    pub fn pieces(&mut self, table: &Automaton, pieces: &[Piece]) {
        let mut component_start = true;
        for (at, piece) in pieces.iter().enumerate() {
            match piece {
                _ if at >= MAX_PIECES => return self.anything(table, &|_| false, &|_| false),
                Piece::Lit(text) => self.text(table, text),
                Piece::Glob(glob) if glob.contains("**") => self.anything(table, &|_| false, &|_| false),
                Piece::Glob(_) => {
                    // A name that a glob finds does not begin with a dot; standing alone, a glob is at least one character.
                    let ends = !matches!(pieces.get(at + 1), Some(next) if !matches!(next, Piece::Lit(text) if text.starts_with('/')));
                    if component_start && ends {
                        self.one(table, &|byte| matches!(byte, b'/' | b'.'));
                    }
                    self.anything(table, &|byte| byte == b'/', &|byte| component_start && byte == b'.' && !ends);
                }
                Piece::Any(Bound::Anything) => self.anything(table, &|_| false, &|_| false),
                Piece::Any(Bound::Name | Bound::Truth) => {
                    self.one(table, &|byte| byte == 0 || NOT_IN_FRONT.contains(&byte));
                    self.anything(table, &|byte| matches!(byte, 0 | b'/'), &|_| false);
                }
            }
            component_start = matches!(piece, Piece::Lit(text) if text.ends_with('/'));
        }
    }

    /// Follows a known text.
    pub fn text(&mut self, table: &Automaton, text: &str) {
        for byte in text.bytes() {
            let class = table.class(byte);
            for state in &mut self.all {
                if !(table.anywhere && table.is_found(*state)) {
                    *state = table.step(*state, class);
                }
            }
            if self.all.len() > 1 {
                self.all.sort_unstable();
                self.all.dedup();
            }
        }
    }

    /// Follows any one byte but those that `not` names.
    fn one(&mut self, table: &Automaton, not: &dyn Fn(u8) -> bool) {
        if let Some(next) = step_all(table, &self.all, not, &|_| false) {
            self.all = next;
        }
    }

    /// Follows any text without the bytes that `without` names, the empty one too; the first byte is none of `not_first`.
    fn anything(&mut self, table: &Automaton, without: &dyn Fn(u8) -> bool, not_first: &dyn Fn(u8) -> bool) {
        let mut frontier = self.all.clone();
        let mut first = true;
        while let Some(next) = step_all(table, &frontier, without, if first { not_first } else { &|_| false }) {
            first = false;
            frontier = next.into_iter().filter(|state| !self.all.contains(state)).collect();
            if frontier.is_empty() {
                break;
            }
            self.all.extend(&frontier);
        }
    }

    /// What can be said at the end of the text.
    #[must_use]
    pub fn answer(&self, table: &Automaton) -> Answer {
        let end = |state: u16| (table.anywhere && table.is_found(state)) || table.is_found(table.step(state, table.width));
        match (self.all.iter().any(|state| end(*state)), self.all.iter().all(|state| end(*state))) {
            (true, true) => Answer::Yes,
            (true, false) => Answer::Maybe,
            (false, _) => Answer::No,
        }
    }

    /// Whether some text could still follow that matches.
    #[must_use]
    pub fn alive(&self) -> bool {
        self.all.iter().any(|state| *state != 0)
    }
}

fn step_all(table: &Automaton, from: &[u16], without: &dyn Fn(u8) -> bool, not_first: &dyn Fn(u8) -> bool) -> Option<Vec<u16>> {
    if from.is_empty() {
        return None;
    }
    // One byte stands for its class, but `without` may cut through a class: so classes are collected from the bytes that are left.
    let mut classes: Vec<u16> = (0..=255u8).filter(|byte| !without(*byte) && !not_first(*byte)).map(|byte| table.class(byte)).collect();
    classes.sort_unstable();
    classes.dedup();
    let mut next: Vec<u16> = from
        .iter()
        .flat_map(|state| classes.iter().map(|class| if table.anywhere && table.is_found(*state) { *state } else { table.step(*state, *class) }))
        .collect();
    next.sort_unstable();
    next.dedup();
    Some(next)
}
