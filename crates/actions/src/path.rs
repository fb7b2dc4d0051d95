//! Paths as far as they can be known: made absolute and cleaned by their text alone. Links are a fact, not seen here.

use super::word::{Bound, Word, WordPiece};

/// A path of an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// Absolute and without `.`, `..` and doubled slashes; or beginning with a hole, if the hole may be absolute.
    pub word: Word,
    /// As it was written.
    pub shown: String,
}

/// A stretch between two slashes.
type Component = Vec<WordPiece>;

impl Path {
    /// The path `written` means in the folder `cwd`.
    pub fn resolve(cwd: &Word, written: &Word) -> Self {
        let mut components = Vec::new();
        if !starts_anew(written) {
            clean(cwd, &mut components);
        }
        clean(written, &mut components);
        Self { word: Word { span: written.span, ..join(&components) }, shown: written.to_string() }
    }

    /// A path that is known as text and already absolute or relative to `cwd`.
    pub fn known(cwd: &str, written: &str) -> Self {
        Self::resolve(&Word::lit(cwd), &Word::lit(written))
    }

    /// Its last component.
    pub fn name(&self) -> Word {
        let mut components = Vec::new();
        clean(&self.word, &mut components);
        let mut word = Word::default();
        for piece in components.pop().unwrap_or_default() {
            word.push(piece);
        }
        word
    }

    /// `self/name`
    pub fn below(&self, name: &Word) -> Self {
        let mut path = Self::resolve(&self.word, name);
        path.shown = format!("{}/{name}", self.shown.trim_end_matches('/'));
        path.word.span = self.word.span;
        path
    }
}

/// Whether the folder in front does not matter, or may not.
fn starts_anew(word: &Word) -> bool {
    match word.pieces.first() {
        Some(WordPiece::Lit(text)) => text.starts_with('/'),
        Some(WordPiece::Any(bound)) => bound.is_open(),
        _ => false,
    }
}

fn clean(word: &Word, out: &mut Vec<Component>) {
    let mut current: Component = Vec::new();
    for piece in &word.pieces {
        let WordPiece::Lit(text) = piece else {
            current.push(piece.clone());
            continue;
        };
        let mut parts = text.split('/');
        push_text(&mut current, parts.next().unwrap_or(""));
        for part in parts {
            add(std::mem::take(&mut current), out);
            push_text(&mut current, part);
        }
    }
    add(current, out);
}

fn push_text(component: &mut Component, text: &str) {
    if !text.is_empty() {
        component.push(WordPiece::Lit(text.to_owned()));
    }
}

fn add(component: Component, out: &mut Vec<Component>) {
    match component.as_slice() {
        [] => {}
        [WordPiece::Lit(text)] if text == "." => {}
        [WordPiece::Lit(text)] if text == ".." => match out.last() {
            // What is above an unknown folder is unknown.
            Some(last) if last.iter().any(|piece| matches!(piece, WordPiece::Any(Bound::Anything | Bound::Setup))) => {
                out.clear();
                out.push(vec![WordPiece::Any(Bound::Anything)]);
            }
            _ => {
                out.pop();
            }
        },
        _ => out.push(component),
    }
}

fn join(components: &[Component]) -> Word {
    let mut word = Word::default();
    let floating = components.first().is_some_and(|first| matches!(first.first(), Some(WordPiece::Any(Bound::Anything | Bound::Setup))));
    for (at, component) in components.iter().enumerate() {
        if at > 0 || !floating {
            word.push_lit("/");
        }
        for piece in component {
            word.push(piece.clone());
        }
    }
    if components.is_empty() {
        word.push_lit("/");
    }
    word
}

#[cfg(test)]
#[path = "path_tests.rs"]
mod tests;
