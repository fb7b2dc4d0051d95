//! Keeps the texts that a compiled policy borrows and no file contains as they are.

use std::cell::{Cell, OnceCell};

type Block = Box<[OnceCell<Box<str>>]>;

/// Texts that live as long as this. Each block is twice as large as the one before it, so none ever moves.
#[derive(Debug, Default)]
pub struct Texts {
    blocks: [OnceCell<Block>; 32],
    used: Cell<usize>,
}

impl Texts {
    /// Keeps a copy of `text`.
    pub fn keep(&self, text: &str) -> &str {
        // The texts before block n are 2^n - 1.
        let at = self.used.get() + 1;
        let block = at.ilog2() as usize;
        let slot = at - (1 << block);
        let place = self.blocks.get(block).and_then(|cell| cell.get_or_init(|| (0..1usize << block).map(|_| OnceCell::new()).collect()).get(slot));
        self.used.set(at);
        // There is no block 32 before memory ends.
        place.map_or("", |place| place.get_or_init(|| text.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::Texts;

    #[test]
    fn kept_texts_stay() {
        let texts = Texts::default();
        let kept: Vec<&str> = (0..1000).map(|number| texts.keep(&number.to_string())).collect();
        assert!(kept.iter().enumerate().all(|(number, text)| number.to_string() == **text));
    }
}
