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
        let anew = starts_anew(written);
        if let (Some(text), Some(folder)) = (written.literal(), if anew { Some("") } else { cwd.literal() }) {
            return Self { word: Word { span: written.span, ..Word::lit(cleaned(folder, text)) }, shown: text.to_owned() };
        }
        let mut components = Vec::new();
        if !anew {
            clean(cwd, &mut components);
        }
        clean(written, &mut components);
        Self { word: Word { span: written.span, ..join(&components) }, shown: written.to_string() }
    }

    /// A path that is known as text and already absolute or relative to `cwd`.
    pub fn known(cwd: &str, written: &str) -> Self {
        let folder = if written.starts_with('/') { "" } else { cwd };
        Self { word: Word::lit(cleaned(folder, written)), shown: written.to_owned() }
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

/// What `clean` and `join` make of a folder and a text in it that are both known.
fn cleaned(folder: &str, text: &str) -> String {
    let mut path = String::with_capacity(folder.len() + text.len() + 2);
    for part in folder.split('/').chain(text.split('/')) {
        match part {
            "" | "." => {}
            ".." => path.truncate(path.rfind('/').unwrap_or(0)),
            name => {
                path.push('/');
                path.push_str(name);
            }
        }
    }
    if path.is_empty() {
        path.push('/');
    }
    path
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
