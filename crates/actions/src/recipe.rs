//! Recipes: files that give names to command lines (Makefile, justfile, `scripts` of package.json, Taskfile). Read for the
//! lines that the given names lead to; what they do is the shell's.

pub mod just;
pub mod make;
pub mod package;
pub mod task;

use super::word::Word;

/// Names that lead to names.
const MAX_STEPS: usize = 2_000;
/// Names within names.
const MAX_DEPTH: usize = 64;

/// The order in which names are worked off, each once, what it needs before it.
#[derive(Debug, Default)]
struct Order {
    done: Vec<String>,
    /// There were more names than are followed.
    cut: bool,
}

impl Order {
    /// Whether `name` comes up for the first time, and there is room for it. `depth`: the names around it.
    fn first(&mut self, name: &str, depth: usize) -> bool {
        if self.done.iter().any(|known| known == name) {
            return false;
        }
        let first = self.done.len() < MAX_STEPS && depth <= MAX_DEPTH;
        self.cut |= !first;
        if first {
            self.done.push(name.to_owned());
        }
        first
    }
}

/// A line with what stands for each `{{ name }}` in it.
fn filled(line: &str, known: impl Fn(&str) -> Word) -> Word {
    let mut word = Word::default();
    let mut rest = line;
    while let Some((front, behind)) = rest.split_once("{{") {
        word.push_lit(front);
        let (name, after) = behind.split_once("}}").unwrap_or((behind, ""));
        word.extend(&known(name.trim()));
        rest = after;
    }
    word.push_lit(rest);
    word.multi = false;
    word
}
