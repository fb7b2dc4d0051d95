//! Tests that speak of a source without being where its test would: they name what it defines, or what names that.

use std::rc::Rc;

use super::{Changed, ChangedTree, FileVersion, Judge, place};
use crate::layout::folder;
use crate::syntax::{Node, SourceCode, SourceLanguage, SourceToken, TokenKind, bare};

/// Files of a package that are looked through.
const MAX_FILES: usize = 1000;
/// Sources that can be between a source and the test that speaks of it.
const BETWEEN: usize = 2;
/// Names of files that hand on what others define, or that are named by their folder.
const BY_FOLDER: &[&str] = &["index", "mod", "lib", "__init__", "main", "__main__"];
/// What begins a line that brings in another file.
const BRINGS: &[&str] = &["import", "from", "use", "require", "include", "export"];

/// What others would call a source by.
struct SourceNames {
    words: Vec<String>,
    /// Its name in imports.
    module: Option<String>,
}

impl<'a> Judge<'a> {
    /// A real test of the package that names what the source defines; where the change adds things `wanted` by others to a
    /// source that was there, one of them. A change that brings nothing new for others may also be tested over other sources: by
    /// tests of what names it, or of the program that it is a part of. What is new may be so by a test of the same change.
    pub(super) fn spoken_of(
        &self,
        change: &'a Changed,
        layouts: &[place::PlacedSource],
        language: &'a SourceLanguage,
        wanted: Option<&[String]>,
    ) -> Option<String> {
        let source = self.source(change.new.known()?, language);
        let (layout, packages, _) = layouts.first()?;
        let package = packages.first()?;
        let same = |path: &&String| {
            **path != change.path
                && self.catalogue.language(path).is_some_and(|other| std::ptr::eq(other, language))
                && self.places.packages(path, layout, self.catalogue).is_some_and(|other| other.first() == Some(package))
        };
        let all = self.places.all(package);
        // Tests first, so that the bound leaves them in.
        let (tests, others): (Vec<&String>, Vec<&String>) = all.iter().filter(same).partition(|path| self.places.is_test(path, self.catalogue));
        let both = tests.iter().map(|path| (*path, true)).chain(others.iter().map(|path| (*path, false)));
        let mut files: Vec<(&String, bool, Option<Rc<str>>)> = both.take(MAX_FILES).map(|(path, is_test)| (path, is_test, None)).collect();
        let loose = change.old != FileVersion::Absent && wanted.is_none();
        let mut wave = vec![match wanted {
            Some(wanted) => SourceNames { words: wanted.to_vec(), module: None },
            None => names_of(&change.path, &source),
        }];
        for hop in 0..=BETWEEN {
            let counts = |path: &str, direct: bool| direct || loose || self.says_new(path);
            let mut next = Vec::new();
            for (path, is_test, text) in &mut files {
                if hop == 0 {
                    *text = self.places.whole(path);
                }
                let Some(held) = text.as_deref().filter(|text| wave.iter().any(|names| names.may_stand_in(text))) else { continue };
                let spoken = SourceCode::new(held, language);
                if !wave.iter().any(|names| names.stand_in(&spoken)) {
                    continue;
                }
                let real = spoken.nodes().iter().any(Node::is_real);
                if real && (*is_test || (layout.inline && hop < BETWEEN)) && counts(path, *is_test && hop == 0) {
                    return Some(path.clone());
                }
                if !*is_test {
                    if layout.enters(path, package)
                        && let Some(test) = tests.iter().find(|test| counts(test, false) && self.places.holds_test(test, language))
                    {
                        return Some((*test).clone());
                    }
                    next.push(names_of(path, &spoken));
                }
                // Once is enough.
                *text = None;
            }
            wave = next;
        }
        None
    }

    /// Whether a test names anything that a source defines, as far as that is known.
    pub(super) fn speaks_of(&self, spoken: &SourceCode, change: &'a Changed) -> bool {
        let Some((text, language)) = change.new.known().zip(self.catalogue.language(&change.path)) else { return true };
        let source = self.source(text, language);
        let defined = source.definitions();
        let is_defined = |word: &str| defined.iter().any(|found| found.name == word);
        // A view is called by its name in a text.
        let speaks = |token: &SourceToken| match token.kind {
            TokenKind::Word => is_defined(token.text),
            TokenKind::Text => token.text.split(|sign: char| !sign.is_alphanumeric() && sign != '_').any(is_defined),
            _ => false,
        };
        defined.is_empty() || spoken.tokens.iter().any(speaks)
    }

    /// Whether the change makes a test assert what it did not before.
    fn says_new(&self, path: &str) -> bool {
        let says = |text: &'a FileVersion, language: &'a SourceLanguage| {
            let source = text.known().map(|text| self.source(text, language));
            source.map(|source| source.statements(source.nodes())).unwrap_or_default()
        };
        let change = self.places.change(path).filter(|change| !change.part);
        let (Some(change), Some(language)) = (change, self.catalogue.language(path)) else { return false };
        let old = says(&change.old, language);
        says(&change.new, language).iter().any(|(text, count)| old.get(text).is_none_or(|before| before < count))
    }

    /// A test that gets more to say in the same change: what was there, and has no test of its own, may be tested from outside.
    pub(super) fn brought(&self) -> Option<String> {
        let mut tests = self.changes.iter().map(|change| &change.path).filter(|path| self.places.is_test(path, self.catalogue));
        tests.find(|path| self.says_new(path)).cloned()
    }
}

impl ChangedTree<'_> {
    fn holds_test(&self, path: &str, language: &SourceLanguage) -> bool {
        self.whole(path).is_some_and(|text| SourceCode::new(&text, language).tested(false).is_ok())
    }
}

/// What others call a source by: names of definitions that few other texts contain, of two words or more, or of some
/// length with a capital; and its name in imports.
fn names_of(path: &str, source: &SourceCode) -> SourceNames {
    let two = |name: &str| {
        name.trim_matches('_').contains('_') || name.chars().zip(name.chars().skip(1)).any(|(one, next)| one.is_lowercase() && next.is_uppercase())
    };
    let tests: Vec<&str> = source.nodes().iter().map(|node| node.name.as_str()).collect();
    let telling = |name: &&str| (two(name) || (name.len() >= 6 && name.starts_with(char::is_uppercase))) && !tests.contains(name);
    let words = source.definitions().iter().map(|found| found.name).filter(telling).map(str::to_owned).collect();
    let stem = stem(path);
    let module = if BY_FOLDER.contains(&stem) { folder(path).trim_end_matches('/').rsplit('/').next().unwrap_or("") } else { stem };
    SourceNames { words, module: Some(module.to_owned()).filter(|module| module.len() > 1 && module != "src") }
}

/// The name of a file without what is after its first point.
fn stem(path: &str) -> &str {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    name.split('.').find(|part| !part.is_empty()).unwrap_or(name)
}

impl SourceNames {
    fn may_stand_in(&self, text: &str) -> bool {
        self.words.iter().chain(&self.module).any(|name| text.contains(name.as_str()))
    }

    fn stand_in(&self, source: &SourceCode) -> bool {
        let text = |at: usize| source.tokens.get(at).map_or("", |token| token.text);
        let mut head = "";
        source.tokens.iter().enumerate().any(|(at, token)| {
            if token.first {
                head = token.text;
            }
            if token.kind == TokenKind::Word && self.words.iter().any(|word| word == token.text) {
                return true;
            }
            let Some(module) = &self.module else { return false };
            match token.kind {
                TokenKind::Text => bare(token).contains(['/', '.']) && !bare(token).contains(char::is_whitespace) && stem(bare(token)) == module,
                TokenKind::Word => token.text == module && (BRINGS.contains(&head) || (text(at + 1) == ":" && text(at + 2) == ":")),
                _ => false,
            }
        })
    }
}
