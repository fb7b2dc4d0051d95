//! Texts from outside, as the fuzz targets check them, in a short run: the kept seeds, and changes of them that are drawn by lot and
//! the same each time. `PORTCULLIS_FUZZ_ROUNDS` makes it longer, `PORTCULLIS_FUZZ_SEED` draws others.

use std::collections::BTreeMap;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::support::package;

#[path = "../../fuzz/parsers.rs"]
mod parsers;

/// Changes of each seed, where nothing else is said.
const ROUNDS: usize = 12;
/// Bytes of a changed input.
const MAX_INPUT: usize = 16 << 10;
/// Pieces that mean something in one of the texts.
const PIECES: &[&str] = &[
    "\n",
    "\r\n",
    "\0",
    "\"",
    "\\",
    "'",
    "`",
    "$(",
    "{",
    "}",
    "[",
    "]",
    "<",
    ">",
    ":",
    ";",
    "#",
    "//",
    "/*",
    "=",
    ",",
    "\u{feff}",
    "\u{202e}",
    "é",
    "\u{1f600}",
    "0",
    "-1",
    "18446744073709551615",
    "4294967296",
    "1e999",
    "null",
    "true",
    "../",
    "~",
    "%",
    "\t",
    "\u{7f}",
];

/// Numbers drawn by lot.
struct Lot(u64);

impl Lot {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap() % most.max(1)
    }

    /// A text with some changes. `other` is one of which a part may come.
    fn changed(&mut self, text: &[u8], other: &[u8], from: usize) -> Vec<u8> {
        let mut text = text.to_vec();
        for _ in 0..=self.below(4) {
            let at = from + self.below(text.len() + 1 - from);
            let end = at + self.below((text.len() - at).min(64) + 1);
            match self.below(8) {
                0 => text.truncate(at),
                1 => drop(text.drain(at..end)),
                2 => {
                    let piece = PIECES[self.below(PIECES.len())];
                    text.splice(at..at, piece.bytes());
                }
                3 => {
                    let piece = PIECES[self.below(PIECES.len())];
                    text.splice(at..end, piece.bytes());
                }
                4 if at < text.len() => text[at] ^= 1 << self.below(8),
                5 if at < text.len() => text[at] = u8::try_from(self.below(256)).unwrap(),
                6 => {
                    // A part once more, sometimes very often.
                    let part = text[at..end].to_vec();
                    let times = if self.below(20) == 0 { 200 } else { 1 + self.below(3) };
                    text.splice(at..at, part.repeat(times));
                }
                _ => {
                    let begin = self.below(other.len() + 1);
                    let part = other[begin..begin + self.below((other.len() - begin).min(200) + 1)].to_vec();
                    text.splice(at..at, part);
                }
            }
            text.truncate(MAX_INPUT);
        }
        text
    }
}

fn number(variable: &str, otherwise: usize) -> usize {
    std::env::var(variable).ok().map_or(otherwise, |text| text.parse().expect("a number"))
}

/// The kept inputs of a target, by name.
fn seeds(target: &str) -> BTreeMap<String, Vec<u8>> {
    let folder = package().join("fuzz/seeds").join(target);
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(path).unwrap())).collect()
}

fn run_short(target: &str) {
    let (_, check) = parsers::TARGETS.iter().find(|(name, _)| *name == target).unwrap();
    let seeds = seeds(target);
    let rounds = number("PORTCULLIS_FUZZ_ROUNDS", ROUNDS);
    let mut lot = Lot(0x9e37_79b9_7f4a_7c15 ^ number("PORTCULLIS_FUZZ_SEED", 1) as u64);
    let all: Vec<&Vec<u8>> = seeds.values().collect();
    // The byte that chooses the parser stays.
    let from = usize::from(target == "parsers");
    let mut wrong = Vec::new();
    for (name, seed) in &seeds {
        for round in 0..=rounds {
            let other = all[lot.below(all.len())];
            let input = if round == 0 { seed.clone() } else { lot.changed(seed, other, from) };
            if catch_unwind(AssertUnwindSafe(|| check(&input))).is_err() {
                wrong.push(format!("{target}/{name}, round {round}: {:?}", String::from_utf8_lossy(&input)));
                break;
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn parsers_of_text_from_outside_hold_what_they_promise() {
    run_short("parsers");
}

#[test]
fn events_from_outside_get_an_answer() {
    run_short("event");
}

#[test]
fn commands_from_outside_hide_nothing() {
    run_short("command");
}

#[test]
fn policies_from_outside_are_compiled_or_explained() {
    run_short("policy");
}

#[test]
fn each_parser_has_a_letter_of_its_own_and_seeds() {
    let chosen: std::collections::BTreeSet<u8> = seeds("parsers").values().map(|seed| seed[0]).collect();
    assert_eq!(chosen, parsers::choosing());
    assert_eq!(parsers::choosing().len(), parsers::PARSERS.len());
    let readme = fs::read_to_string(package().join("fuzz/README.md")).unwrap();
    for (byte, name, _) in parsers::PARSERS {
        assert!(readme.contains(&format!("| `{}` | {name} |", char::from(*byte))), "{name}");
    }
    for (target, _) in parsers::TARGETS {
        assert!(package().join(format!("fuzz/fuzz_targets/{target}.rs")).is_file() && readme.contains(&format!("`{target}`")), "{target}");
    }
}
