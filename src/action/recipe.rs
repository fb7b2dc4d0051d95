//! Recipes: files that give names to command lines (Makefile, justfile, `scripts` of package.json, Taskfile). Read for the
//! lines that the given names lead to; what they do is the shell's.

pub mod just;
pub mod make;
pub mod package;
pub mod task;

/// Names that lead to names.
const MAX_STEPS: usize = 200;

/// The order in which names are worked off, each once, what it needs before it.
#[derive(Debug, Default)]
struct Order {
    done: Vec<String>,
}

impl Order {
    /// Whether `name` comes up for the first time, and there is room for it.
    fn first(&mut self, name: &str) -> bool {
        let first = self.done.len() < MAX_STEPS && !self.done.iter().any(|known| known == name);
        if first {
            self.done.push(name.to_owned());
        }
        first
    }
}
