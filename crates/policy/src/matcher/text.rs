//! Patterns on words with holes: an automaton is walked with the set of all states it may be in, so the three-valued
//! answer is exact.

use crate::pattern::{Automaton, Pattern};
use crate::verdict::Answer;
use actions::word::{Bound, Word, WordPiece};

/// Bytes with which a name from a known producer never starts.
const NOT_IN_FRONT: &[u8] = b"-+:/~";

/// From this length on, in bytes, it is worth to know which bytes leave an automaton where it begins.
const LONG: usize = 400;

/// Whether `word` matches `pattern`.
pub fn word(pattern: &Pattern, word: &Word) -> Answer {
    let answer = match &pattern.table {
        None => literal(pattern.source, word),
        Some(table) => walk(table, &word.pieces),
    };
    // A word that may vanish or become several is not certainly this one.
    if word.multi && word.has_hole() { answer.min(Answer::Maybe) } else { answer }
}

/// Whether a wholly known text matches `pattern`.
pub fn text(pattern: &Pattern, text: &str) -> bool {
    match &pattern.table {
        None => pattern.source == text,
        Some(table) => {
            // In a long text most bytes do not even begin what is looked for.
            let quiet = (table.anywhere && text.len() > LONG).then(|| table.quiet());
            let (bytes, mut at, mut state) = (text.as_bytes(), 0, table.start);
            loop {
                if table.anywhere && table.is_found(state) {
                    return true;
                }
                if let Some(quiet) = quiet.as_ref().filter(|_| state == table.start) {
                    let rest = bytes.get(at..).unwrap_or(&[]);
                    at += rest.iter().position(|byte| !quiet.get(usize::from(*byte)).is_some_and(|quiet| *quiet)).unwrap_or(rest.len());
                }
                let Some(byte) = bytes.get(at) else { break };
                at += 1;
                state = table.step(state, table.class(*byte));
                if state == 0 {
                    return false;
                }
            }
            (table.anywhere && table.is_found(state)) || table.is_found(table.step(state, table.width))
        }
    }
}

/// Any of the patterns.
pub fn any(patterns: &[Pattern], subject: &Word) -> Answer {
    patterns.iter().map(|pattern| word(pattern, subject)).max().unwrap_or(Answer::No)
}

/// Any of the patterns. An empty list is not asked, and so holds.
pub fn any_word_or_unasked(patterns: &[Pattern], subject: &Word) -> Answer {
    if patterns.is_empty() { Answer::Yes } else { any(patterns, subject) }
}

/// Any of the patterns, on a known text. An empty list is not asked, and so holds.
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
        let component_start = std::mem::replace(&mut fresh, matches!(piece, WordPiece::Lit(text) if text.ends_with('/')));
        match piece {
            WordPiece::Lit(text) if at == 0 => match rest.strip_prefix(text.as_str()) {
                Some(tail) => rest = tail,
                None => return Answer::No,
            },
            WordPiece::Lit(text) if at + 1 == word.pieces.len() => return Answer::from(rest.ends_with(text.as_str())).min(Answer::Maybe),
            WordPiece::Lit(text) => match rest.find(text.as_str()) {
                Some(found) => rest = rest.get(found + text.len()..).unwrap_or(""),
                None => return Answer::No,
            },
            WordPiece::Any(Bound::Name | Bound::File | Bound::Truth) => {
                if rest.is_empty() || (at == 0 && rest.bytes().next().is_some_and(|first| NOT_IN_FRONT.contains(&first))) {
                    return Answer::No;
                }
            }
            // A glob is at least one character, and a name that it finds does not begin with a dot.
            WordPiece::Glob(_) => {
                if rest.is_empty() || (component_start && rest.starts_with('.')) {
                    return Answer::No;
                }
            }
            WordPiece::Any(Bound::Anything | Bound::Setup) => {}
        }
    }
    // A word that ends in a piece that is not known can still be anything.
    Answer::Maybe
}

/// Walks the table over pieces, from its start.
pub fn walk(table: &Automaton, pieces: &[WordPiece]) -> Answer {
    let mut states = States::from_start(table);
    states.pieces(table, pieces);
    states.answer(table)
}

/// Pieces of a word that are followed one by one; what is after may be any text.
const MAX_PIECES: usize = 64;

/// The states an automaton may be in.
#[derive(Clone, Debug)]
pub struct States {
    all: Vec<u16>,
}

impl States {
    /// Only the start.
    pub fn from_start(table: &Automaton) -> Self {
        Self { all: vec![table.start] }
    }

    /// Follows pieces.
    pub fn pieces(&mut self, table: &Automaton, pieces: &[WordPiece]) {
        let mut component_start = true;
        for (at, piece) in pieces.iter().enumerate() {
            match piece {
                _ if at >= MAX_PIECES => return self.anything(table, &|_| false, &|_| false),
                WordPiece::Lit(text) => self.text(table, text),
                WordPiece::Glob(glob) if glob.contains("**") => self.anything(table, &|_| false, &|_| false),
                WordPiece::Glob(_) => {
                    // A name that a glob finds does not begin with a dot; by itself, a glob is at least one character.
                    let ends = !matches!(pieces.get(at + 1), Some(next) if !matches!(next, WordPiece::Lit(text) if text.starts_with('/')));
                    if component_start && ends {
                        self.one(table, &|byte| matches!(byte, b'/' | b'.'));
                    }
                    self.anything(table, &|byte| byte == b'/', &|byte| component_start && byte == b'.' && !ends);
                }
                WordPiece::Any(Bound::Anything | Bound::Setup) => self.anything(table, &|_| false, &|_| false),
                WordPiece::Any(bound @ (Bound::Name | Bound::File | Bound::Truth)) => {
                    self.one(table, &|byte| byte == 0 || NOT_IN_FRONT.contains(&byte));
                    self.anything(table, &|byte| byte == 0 || (byte == b'/' && *bound != Bound::File), &|_| false);
                }
            }
            component_start = matches!(piece, WordPiece::Lit(text) if text.ends_with('/'));
        }
    }

    /// Follows a known text.
    pub fn text(&mut self, table: &Automaton, text: &str) {
        let mut seen = Seen(if self.all.len() > 1 { vec![false; table.states()] } else { Vec::new() });
        for byte in text.bytes() {
            let class = table.class(byte);
            for state in &mut self.all {
                if !(table.anywhere && table.is_found(*state)) {
                    *state = table.step(*state, class);
                }
            }
            if self.all.len() > 1 {
                seen.0.fill(false);
                self.all.retain(|state| seen.first(*state));
            }
        }
    }

    /// Follows any one byte but those that `not` names.
    fn one(&mut self, table: &Automaton, not: &dyn Fn(u8) -> bool) {
        let classes = classes(table, not);
        let mut seen = Seen::of(table);
        self.all = self.all.iter().flat_map(|state| steps(table, *state, &classes)).filter(|state| seen.first(*state)).collect();
    }

    /// Follows any text without the bytes that `without` names, the empty one too; the first byte is not in `not_first`.
    fn anything(&mut self, table: &Automaton, without: &dyn Fn(u8) -> bool, not_first: &dyn Fn(u8) -> bool) {
        let (first, later) = (classes(table, &|byte| without(byte) || not_first(byte)), classes(table, without));
        let mut seen = Seen::of(table);
        let mut reached: Vec<u16> = self.all.iter().flat_map(|state| steps(table, *state, &first)).filter(|state| seen.first(*state)).collect();
        let mut at = 0;
        while let Some(state) = reached.get(at).copied() {
            reached.extend(steps(table, state, &later).filter(|state| seen.first(*state)));
            at += 1;
        }
        reached.extend(self.all.iter().filter(|state| seen.first(**state)));
        self.all = reached;
    }

    /// What can be said at the end of the text.
    pub fn answer(&self, table: &Automaton) -> Answer {
        let end = |state: u16| (table.anywhere && table.is_found(state)) || table.is_found(table.step(state, table.width));
        match (self.all.iter().any(|state| end(*state)), self.all.iter().all(|state| end(*state))) {
            (true, true) => Answer::Yes,
            (true, false) => Answer::Maybe,
            (false, _) => Answer::No,
        }
    }
}

/// The classes of the bytes that `without` does not name. It may cut through a class, so they are collected byte by byte.
fn classes(table: &Automaton, without: &dyn Fn(u8) -> bool) -> Vec<u16> {
    let mut given = [false; 256];
    for byte in (0..=255u8).filter(|byte| !without(*byte)) {
        if let Some(given) = given.get_mut(usize::from(table.class(byte))) {
            *given = true;
        }
    }
    (0u16..).zip(given).filter_map(|(class, given)| given.then_some(class)).collect()
}

/// Where a state leads by these classes; what has been found stays found.
fn steps<'a>(table: &'a Automaton, state: u16, classes: &'a [u16]) -> impl Iterator<Item = u16> + 'a {
    let stays = table.anywhere && table.is_found(state);
    classes.iter().map(move |class| if stays { state } else { table.step(state, *class) })
}

/// States that have come up.
struct Seen(Vec<bool>);

impl Seen {
    fn of(table: &Automaton) -> Self {
        Self(vec![false; table.states()])
    }

    /// Whether it is the first time.
    fn first(&mut self, state: u16) -> bool {
        self.0.get_mut(usize::from(state)).is_some_and(|seen| !std::mem::replace(seen, true))
    }
}
