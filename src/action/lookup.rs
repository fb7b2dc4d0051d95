//! What must be looked up before a call can be read to its end: scripts that it runs, configuration that gives its words
//! their meaning. Reading comes back with these, as `decide` comes back with facts. Looks nothing up itself.

use super::word::{Piece, Word};

/// A question to the world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// The text of the first of these files that is there (absolute paths).
    Text(Vec<String>),
    /// As [`Lookup::Text`], for YAML, which is given as JSON text.
    Yaml(Vec<String>),
    /// The configuration that git reads in this folder, in the order in which later entries win.
    Configuration(String),
    /// The files of which a pattern is the path: an absolute one, in which nothing but globs is not known.
    Named(Word),
    /// Whether there is a file or folder here, and no branch, tag or commit of the name: folder and name.
    IsFile(String, String),
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// A file's path and its text; only the beginning of one that is very long. And whether this session wrote it.
    Text { path: String, text: String, written: bool },
    /// Entries of a configuration: `section.sub.name`, section and name in small letters.
    Entries(Vec<(String, String)>),
    /// Full paths, some of them where they are many.
    Names(Vec<String>),
    /// Yes.
    Yes,
    /// No; no such file; nothing that can be read as text.
    Nothing,
}

/// Whether names of folders and of a file fit a path that was split at its slashes. `**` stands for any folders.
pub fn fits(pattern: &[Word], names: &[&str]) -> bool {
    let Some((first, rest)) = pattern.split_first() else { return names.is_empty() };
    if is_any_depth(first) {
        return (0..=names.len()).any(|at| names.get(at..).is_some_and(|names| fits(rest, names)));
    }
    names.split_first().is_some_and(|(name, names)| is_named(&first.pieces, name) && fits(rest, names))
}

/// `**` alone.
pub fn is_any_depth(word: &Word) -> bool {
    matches!(word.pieces.as_slice(), [Piece::Glob(glob)] if glob == "**")
}

/// Whether a name fits one stretch of a pattern. A set in brackets is taken for any character.
pub fn is_named(pieces: &[Piece], name: &str) -> bool {
    let Some((piece, rest)) = pieces.split_first() else { return name.is_empty() };
    let tails = || name.char_indices().map(|(at, _)| at).chain([name.len()]).filter_map(|at| name.get(at..));
    match piece {
        Piece::Lit(text) => name.strip_prefix(text.as_str()).is_some_and(|name| is_named(rest, name)),
        Piece::Glob(glob) if glob.starts_with(['?', '[']) => name.chars().next().is_some_and(|c| is_named(rest, name.get(c.len_utf8()..).unwrap_or(""))),
        Piece::Glob(_) | Piece::Any(_) => tails().any(|name| is_named(rest, name)),
    }
}

/// What is known so far, and what is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lookups {
    /// Answers, in the order in which they were asked.
    pub known: Vec<(Lookup, Found)>,
    /// Questions that came up since.
    pub asked: Vec<Lookup>,
}

impl Lookups {
    /// The answer; [`Found::Nothing`] where it is not known yet, and the question is noted.
    pub(in crate::action) fn of(&mut self, lookup: Lookup) -> &Found {
        match self.known.iter().position(|(asked, _)| *asked == lookup) {
            Some(at) => self.known.get(at).map_or(&Found::Nothing, |(_, found)| found),
            None => {
                if !self.asked.contains(&lookup) {
                    self.asked.push(lookup);
                }
                &Found::Nothing
            }
        }
    }
}
