//! What must be looked up before a call can be read to its end: scripts that it runs, configuration that gives its words
//! their meaning. Reading comes back with these, as `decide` comes back with facts. Looks nothing up itself.

use super::word::{Word, WordPiece};

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
pub enum LookupAnswer {
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
    agrees(pattern, names.len(), is_any_depth, |word, at| names.get(at).filter(|name| is_named(&word.pieces, name)).map(|_| at + 1))
}

/// `**` alone.
pub fn is_any_depth(word: &Word) -> bool {
    matches!(word.pieces.as_slice(), [WordPiece::Glob(glob)] if glob == "**")
}

/// Whether a name fits one stretch of a pattern. A set in brackets is taken for any character.
pub fn is_named(pieces: &[WordPiece], name: &str) -> bool {
    let one = |glob: &str| glob.starts_with(['?', '[']);
    let any = |piece: &WordPiece| !matches!(piece, WordPiece::Lit(_)) && !matches!(piece, WordPiece::Glob(glob) if one(glob));
    agrees(pieces, name.len(), any, |piece, at| {
        let rest = name.get(at..)?;
        match piece {
            WordPiece::Lit(text) => rest.starts_with(text.as_str()).then(|| at + text.len()),
            WordPiece::Glob(_) | WordPiece::Any(_) => rest.chars().next().map(|c| at + c.len_utf8()),
        }
    })
}

/// Whether a pattern agrees with all of what is `length` long: `any` tells a part that stands for any stretch, `step` where
/// another part ends that begins at a place. Only the last such stretch is tried again, so that many cost no more.
fn agrees<P>(pattern: &[P], length: usize, any: impl Fn(&P) -> bool, step: impl Fn(&P, usize) -> Option<usize>) -> bool {
    let (mut part, mut at) = (0, 0);
    let mut again: Option<(usize, usize)> = None;
    loop {
        match pattern.get(part) {
            None if at == length => return true,
            Some(wide) if any(wide) => {
                again = Some((part + 1, at));
                part += 1;
                continue;
            }
            Some(narrow) if let Some(end) = step(narrow, at) => {
                (part, at) = (part + 1, end);
                continue;
            }
            _ => {}
        }
        // It did not fit: the last stretch takes one place more.
        match again {
            Some((next, from)) if from < length => {
                again = Some((next, from + 1));
                (part, at) = (next, from + 1);
            }
            _ => return false,
        }
    }
}

/// What is known so far, and what is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lookups {
    /// Answers, in the order in which they were asked.
    pub known: Vec<(Lookup, LookupAnswer)>,
    /// Questions that came up since.
    pub asked: Vec<Lookup>,
}

impl Lookups {
    /// The answer; [`LookupAnswer::Nothing`] where it is not known yet, and the question is noted.
    pub(crate) fn of(&mut self, lookup: Lookup) -> &LookupAnswer {
        match self.known.iter().position(|(asked, _)| *asked == lookup) {
            Some(at) => self.known.get(at).map_or(&LookupAnswer::Nothing, |(_, found)| found),
            None => {
                if !self.asked.contains(&lookup) {
                    self.asked.push(lookup);
                }
                &LookupAnswer::Nothing
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> Word {
        let mut word = Word::default();
        for c in text.chars() {
            match c {
                '*' | '?' => word.push(WordPiece::Glob(c.to_string())),
                _ => word.push_lit(c.encode_utf8(&mut [0; 4])),
            }
        }
        word
    }

    #[test]
    fn names_fit_patterns() {
        let cases = [
            ("*.sh", "a.sh", true),
            ("*.sh", "a.sh.txt", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXbYc ", false),
            ("*é?", "aéz", true),
            ("", "", true),
            ("*", "", true),
            ("?", "", false),
        ];
        for (glob, name, expected) in cases {
            assert_eq!(is_named(&pattern(glob).pieces, name), expected, "{glob} {name}");
        }
        // With a way back for each star this would not end.
        assert!(!is_named(&pattern(&format!("{}c", "a*".repeat(60))).pieces, &"a".repeat(250)));
    }

    #[test]
    fn paths_fit_patterns() {
        let deep = || Word { pieces: vec![WordPiece::Glob("**".to_owned())], ..Word::default() };
        let find = [pattern(""), pattern("r"), deep(), pattern("*.sh")];
        for (path, expected) in [("/r/a.sh", true), ("/r/x/y/a.sh", true), ("/r/a.txt", false), ("/s/a.sh", false), ("/r", false)] {
            assert_eq!(fits(&find, &path.split('/').collect::<Vec<_>>()), expected, "{path}");
        }
        let many: Vec<Word> = (0..30).flat_map(|_| [deep(), pattern("a")]).chain([pattern("c")]).collect();
        assert!(!fits(&many, &["a"; 200]));
    }
}
