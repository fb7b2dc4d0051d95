//! Regular expressions to table automata. Knows neither globs nor rules.

use std::{borrow::Cow, collections::HashMap};

use regex_automata::dfa::{Automaton as _, StartKind, dense};
use regex_automata::nfa::thompson;
use regex_automata::util::alphabet::Unit;
use regex_automata::util::primitives::StateID;
use regex_automata::util::start;
use regex_automata::{Anchored, MatchKind};

use super::pattern::PatternFault;
use policy::pattern::Automaton;

const MAX_TABLE: usize = 256 << 10;
/// What making one may take in between, in bytes; repetitions can blow up before they are minimal.
const MAX_WORK: usize = 16 << 20;
/// Successors that are looked at to make a table smaller; one that takes more stays as it is, which is right too.
const MAX_LOOKS: usize = 1 << 28;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct PatternMode {
    /// Found anywhere suffices; otherwise the whole text must match.
    pub anywhere: bool,
    /// ASCII letters match in both cases.
    pub any_case: bool,
    /// `^` and `$` match at lines, and `.` stays within one.
    pub lines: bool,
}

/// The automaton of a regular expression over bytes.
pub(super) fn automaton(regex: &str, reading: PatternMode) -> Result<Automaton<'static>, PatternFault> {
    let mut parser = regex_syntax::ParserBuilder::new();
    parser.unicode(false).utf8(false).case_insensitive(reading.any_case).multi_line(reading.lines).dot_matches_new_line(!reading.lines);
    let help = "see https://docs.rs/regex/latest/regex/#syntax; `\\` escapes a character";
    let hir = parser.build().parse(regex).map_err(|error| PatternFault::new(one_line(&error), help))?;
    let fault = |limit: bool, error: &dyn std::error::Error| if limit { too_large() } else { PatternFault::new(error.to_string(), "write it in another way") };

    let config = thompson::Config::new().utf8(false).which_captures(thompson::WhichCaptures::None).nfa_size_limit(Some(MAX_WORK));
    let nfa = thompson::Compiler::new().configure(config).build_from_hir(&hir).map_err(|error| fault(error.size_limit().is_some(), &error))?;
    let (starts, matches) = if reading.anywhere {
        (StartKind::Unanchored, MatchKind::LeftmostFirst)
    } else {
        // All matches are followed, so that a short one does not hide the one that reaches the end of the text.
        (StartKind::Anchored, MatchKind::All)
    };
    let config =
        dense::Config::new().start_kind(starts).match_kind(matches).accelerate(false).dfa_size_limit(Some(MAX_WORK)).determinize_size_limit(Some(MAX_WORK));
    let dfa = dense::Builder::new().configure(config).build_from_nfa(&nfa).map_err(|error| fault(error.is_size_limit_exceeded(), &error))?;
    let mut rows = Rows::of(&dfa, reading.anywhere)?;
    rows.minimize(reading.anywhere);
    rows.table(reading.anywhere)
}

/// An automaton that nothing matches.
pub(super) fn nothing() -> Automaton<'static> {
    Automaton { classes: Cow::Owned(vec![0; 256]), width: 1, next: Cow::Owned(vec![0; 4]), found: Cow::Owned(vec![0]), start: 0, anywhere: false }
}

fn too_large() -> PatternFault {
    PatternFault::new(
        format!("the table of this pattern is larger than {} kB", MAX_TABLE >> 10),
        "write `{20,}` instead of `{20,64}`, or split it into several patterns",
    )
}

fn one_line(error: &regex_syntax::Error) -> String {
    match error {
        regex_syntax::Error::Parse(error) => error.kind().to_string(),
        regex_syntax::Error::Translate(error) => error.kind().to_string(),
        other => other.to_string().lines().last().unwrap_or("it cannot be read").to_owned(),
    }
}

/// States as rows of successors: one for each byte class, then one for the end of the text.
/// Row 0 is dead. Row 1 is found: nothing leads out of it.
struct Rows {
    classes: Vec<u8>,
    all: Vec<Vec<u32>>,
    start: u32,
}

const DEAD: u32 = 0;
const FOUND: u32 = 1;

impl Rows {
    /// `dfa` reports a match one byte late, or at the end of the text. Where a match anywhere suffices, every state
    /// that reports one becomes `FOUND`; otherwise only what is reported at the end of the text counts.
    fn of(dfa: &dense::DFA<Vec<u32>>, anywhere: bool) -> Result<Self, PatternFault> {
        let byte_classes = dfa.byte_classes();
        let representatives: Vec<u8> = byte_classes.representatives(0..=255).filter_map(Unit::as_u8).collect();
        let classes = (0..=255).map(|byte| byte_classes.get(byte)).collect();
        let width = representatives.len();
        let anchored = if anywhere { Anchored::No } else { Anchored::Yes };
        let first =
            dfa.start_state(&start::Config::new().anchored(anchored)).map_err(|error| PatternFault::new(error.to_string(), "write it in another way"))?;

        let end = if anywhere { FOUND } else { DEAD };
        let mut rows = vec![vec![DEAD; width + 1], vec![end; width + 1]];
        let mut numbers: HashMap<StateID, u32> = HashMap::new();
        let mut waiting: Vec<StateID> = Vec::new();
        let mut number = |state: StateID, rows: &mut Vec<Vec<u32>>, waiting: &mut Vec<StateID>| -> u32 {
            if dfa.is_dead_state(state) {
                return DEAD;
            }
            if anywhere && dfa.is_match_state(state) {
                return FOUND;
            }
            *numbers.entry(state).or_insert_with(|| {
                rows.push(vec![DEAD; width + 1]);
                waiting.push(state);
                u32::try_from(rows.len() - 1).unwrap_or(u32::MAX)
            })
        };
        let start = number(first, &mut rows, &mut waiting);
        while let Some(state) = waiting.pop() {
            let own = number(state, &mut rows, &mut waiting);
            let mut row = Vec::with_capacity(width + 1);
            for byte in &representatives {
                row.push(number(dfa.next_state(state, *byte), &mut rows, &mut waiting));
            }
            row.push(if dfa.is_match_state(dfa.next_eoi_state(state)) { FOUND } else { DEAD });
            if let Some(place) = rows.get_mut(own as usize) {
                *place = row;
            }
        }
        Ok(Self { classes, all: rows, start })
    }

    /// Merges states that no text tells apart (Moore), then byte classes that no state tells apart.
    fn minimize(&mut self, anywhere: bool) {
        // For a whole text, `FOUND` is the end itself and leads nowhere, but it is not `DEAD`.
        let first = |(at, row): (u32, &Vec<u32>)| if at == FOUND && !anywhere { u32::MAX } else { row.last().copied().unwrap_or(DEAD) };
        let mut blocks: Vec<u32> = (0..).zip(&self.all).map(first).collect();
        let mut count = 0;
        let looks = self.all.len() * self.all.first().map_or(1, Vec::len);
        for _ in 0..=MAX_LOOKS / looks {
            let mut names: HashMap<Vec<u32>, u32> = HashMap::new();
            let mut finer = Vec::with_capacity(blocks.len());
            for (row, block) in self.all.iter().zip(&blocks) {
                let look: Vec<u32> = std::iter::once(*block).chain(row.iter().map(|next| blocks[*next as usize])).collect();
                let fresh = u32::try_from(names.len()).unwrap_or(u32::MAX);
                finer.push(*names.entry(look).or_insert(fresh));
            }
            // `DEAD` and `FOUND` come first and differ, so they keep their numbers.
            blocks = finer;
            if names.len() == count {
                self.merge_rows(&blocks, count);
                break;
            }
            count = names.len();
        }
        self.merge_classes();
    }

    fn merge_rows(&mut self, blocks: &[u32], count: usize) {
        let mut rows: Vec<Option<Vec<u32>>> = vec![None; count];
        for (row, block) in self.all.iter().zip(blocks) {
            rows[*block as usize].get_or_insert_with(|| row.iter().map(|next| blocks[*next as usize]).collect());
        }
        self.all = rows.into_iter().flatten().collect();
        self.start = blocks[self.start as usize];
    }

    fn merge_classes(&mut self) {
        let width = self.all.first().map_or(1, Vec::len) - 1;
        let mut columns: HashMap<Vec<u32>, u8> = HashMap::new();
        let mut kept: Vec<usize> = Vec::new();
        let mut merged = Vec::with_capacity(width);
        for class in 0..width {
            let column: Vec<u32> = self.all.iter().map(|row| row[class]).collect();
            let fresh = u8::try_from(columns.len()).unwrap_or(u8::MAX);
            let name = *columns.entry(column).or_insert_with(|| {
                kept.push(class);
                fresh
            });
            merged.push(name);
        }
        for class in &mut self.classes {
            *class = merged[usize::from(*class)];
        }
        for row in &mut self.all {
            *row = kept.iter().chain([&width]).map(|column| row[*column]).collect();
        }
    }

    fn table(&self, anywhere: bool) -> Result<Automaton<'static>, PatternFault> {
        let mut next = Vec::new();
        for successor in self.all.iter().flatten() {
            next.extend(u16::try_from(*successor).map_err(|_| too_large())?.to_le_bytes());
        }
        let mut found = vec![0; self.all.len().div_ceil(8)];
        found[0] |= 1 << FOUND;
        if next.len() + found.len() + 256 > MAX_TABLE {
            return Err(too_large());
        }
        let width = self.all.first().map_or(1, Vec::len) - 1;
        Ok(Automaton {
            classes: Cow::Owned(self.classes.clone()),
            width: u16::try_from(width).map_err(|_| too_large())?,
            next: Cow::Owned(next),
            found: Cow::Owned(found),
            start: u16::try_from(self.start).map_err(|_| too_large())?,
            anywhere,
        })
    }
}
