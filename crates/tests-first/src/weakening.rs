//! Findings for changes that weaken tests, or the settings of tools that check code.

use super::{Changed, FileVersion, Finding, Judge, WEAKENED, blank};
use crate::layout::folder;
use crate::syntax::{Node, SourceCode, SourceLanguage, TokenKind, Weakened, bare, settings_weakened, tests_weakened};
use policy::Tier;
use policy::verdict::Answer;

/// What a person reads of why this is stopped.
const INSTEAD: &str = "fix the code instead; if the test is wrong, or the code that it covers goes too, change both together or ask the user";

/// Tests that are looked through for one that left.
const MAX_ELSEWHERE: usize = 1000;
/// Signs of a word that means something by itself.
const LONG: usize = 4;

impl<'a> Judge<'a> {
    /// What of the change makes tests or checks weaker.
    pub(super) fn weakened(&self, change: &'a Changed) -> Vec<Finding> {
        let path = &change.path;
        let found = if self.catalogue.is_snapshot(path) {
            // At a commit what is expected comes with the code that it is expected of.
            let goes = change.new == FileVersion::Absent;
            let with_code = |other: &Changed| self.catalogue.language(&other.path).is_some() && goes == (other.new == FileVersion::Absent);
            let renewed = !self.places.tree.sees_runs() && self.changes.iter().any(with_code);
            snapshot(change).filter(|_| !renewed).into_iter().collect()
        } else {
            let mut found = self.tests(change);
            found.extend(self.settings(change));
            found
        };
        let action = format!("{} {path}", if change.new == FileVersion::Absent { "delete" } else { "write" });
        let finding = |weakened: Weakened| Finding {
            action: action.clone(),
            reason: format!("this weakens tests or checks: in `{path}` {}", weakened.what),
            instead: INSTEAD.to_owned(),
            answer: Answer::Yes,
            ..blank(self.section, WEAKENED, self.section.weakening)
        };
        let mut findings: Vec<Finding> = found.into_iter().map(finding).collect();
        findings.extend(self.is_unreadable(change).then(|| Finding {
            action: action.clone(),
            reason: format!("the new text of `{path}` is not known, and it may weaken the tests there"),
            instead: "change the file with a tool that shows its new text".to_owned(),
            answer: Answer::Maybe,
            ..blank(self.section, WEAKENED, self.section.weakening.min(Tier::Supervised))
        }));
        findings
    }

    /// Whether a file of tests gets a text that is not known.
    fn is_unreadable(&self, change: &'a Changed) -> bool {
        let Some(language) = self.catalogue.language(&change.path).filter(|_| change.new == FileVersion::Unknown && !change.part) else { return false };
        let holds_tests = || match change.old.known() {
            Some(old) => self.source(old, language).nodes().iter().any(Node::is_real),
            None => change.old == FileVersion::Unknown,
        };
        !language.tests.is_empty() && self.places.is_test(&change.path, self.catalogue) && holds_tests()
    }

    fn tests(&self, change: &'a Changed) -> Vec<Weakened> {
        let Some(language) = self.catalogue.language(&change.path) else { return Vec::new() };
        // A new file cannot weaken anything.
        let Some(old) = change.old.known() else { return Vec::new() };
        if change.new == FileVersion::Unknown || change.part {
            return Vec::new();
        }
        let new = change.new.known().unwrap_or("");
        let (old, new) = (self.source(old, language), self.source(new, language));
        let is_test = self.places.is_test(&change.path, self.catalogue);
        let mut found = Vec::new();
        // A test that moves to another file is not gone.
        let inline = !is_test && self.places.sources(&change.path, self.catalogue).iter().any(|(layout, ..)| layout.inline);
        if is_test || inline {
            let others = self
                .changes
                .iter()
                .filter(|other| other.path != change.path && self.catalogue.language(&other.path).is_some_and(|other| std::ptr::eq(other, language)))
                .filter(|other| self.places.checkout(&other.path) == self.places.checkout(&change.path));
            // Under a name that no runner looks for it is gone.
            let others = others.filter(|other| self.places.runs(&other.path, self.catalogue));
            let others: Vec<_> = others.filter_map(|other| Some(self.source(other.new.known()?, language))).collect();
            let comes = |node: &Node| others.iter().any(|text| text.nodes().iter().any(|come| come.name == node.name && (come.is_real() || !node.is_real())));
            let moved = |node: &Node| comes(node) || self.is_elsewhere(&old, node, &change.path, language);
            found = tests_weakened(&old, &new, &self.catalogue.strengths, &moved);
            found.retain(|weakened| weakened.gone.is_empty() || !self.covers_nothing(weakened, change, language));
        }
        if change.new != FileVersion::Absent && (is_test || !self.places.sources(&change.path, self.catalogue).is_empty()) {
            found.extend(self.catalogue.silencers.more(&old, &new, is_test).map(|what| Weakened { what, gone: Vec::new() }));
        }
        found
    }

    /// Whether a test that is gone is word for word in another file of the same checkout, where a runner finds it: it was
    /// moved before.
    fn is_elsewhere(&self, old: &SourceCode, node: &Node, path: &str, language: &SourceLanguage) -> bool {
        let words = |source: &SourceCode, node: &Node| {
            source.tokens.get(node.start..node.end).unwrap_or(&[]).iter().map(|token| token.text.to_owned()).collect::<Vec<_>>()
        };
        let wanted = words(old, node);
        let all = self.places.all(self.places.checkout(path));
        let others = all.iter().filter(|other| *other != path && self.catalogue.language(other).is_some_and(|other| std::ptr::eq(other, language)));
        let others = others.filter(|other| self.places.is_test(other, self.catalogue) && self.places.runs(other, self.catalogue)).take(MAX_ELSEWHERE);
        others.filter_map(|other| self.places.whole(other)).any(|text| {
            let bare = node.name.trim_matches(['"', '\'', '`']);
            text.contains(bare) && {
                let source = SourceCode::new(&text, language);
                source.nodes().iter().any(|other| other.name == node.name && other.skipped == node.skipped && words(&source, other) == wanted)
            }
        })
    }

    /// What the tests that are gone spoke of is gone too: nothing that the sources they cover define is named in them, or
    /// the change takes such a definition away.
    fn covers_nothing(&self, weakened: &Weakened, change: &Changed, language: &SourceLanguage) -> bool {
        let names = |source: &SourceCode| -> Vec<String> { source.definitions().iter().map(|found| found.name.to_owned()).collect() };
        for other in self.changes {
            let (Some(old), Some(language)) = (other.old.known(), self.catalogue.language(&other.path)) else { continue };
            if other.new == FileVersion::Unknown || (other.path == change.path && self.places.is_test(&other.path, self.catalogue)) {
                continue;
            }
            let (old, new) = (self.source(old, language), self.source(other.new.known().unwrap_or(""), language));
            // A name that is in this source no more.
            // Of a sentence a part may be asked for.
            let is = |token: &str, word: &str| token == word || (word.contains(' ') && token.contains(word));
            let holds = |source: &SourceCode, word: &str| {
                source.tokens.iter().any(|token| matches!(token.kind, TokenKind::Word | TokenKind::Text) && is(bare(token), word))
            };
            let left = |word: &&String| word.len() >= LONG && is_telling(word) && holds(&old, word) && !holds(&new, word);
            if !self.places.is_test(&other.path, self.catalogue) && other.path != change.path && weakened.gone.iter().any(|word| left(&word)) {
                return true;
            }
            let kept = names(&new);
            // A test's own name goes with it in any case.
            let own = |name: &String| old.nodes().iter().any(|node| node.name == *name);
            if names(&old).iter().any(|name| !kept.contains(name) && weakened.gone.contains(name) && !own(name) && !is_test_name(name)) {
                return true;
            }
        }
        let covered = self.covered(&change.path);
        if covered.is_empty() {
            // The whole file goes, and there is no source that it would be the test of.
            return change.new == FileVersion::Absent;
        }
        let still = covered.iter().filter_map(|path| self.places.text(path)).any(|text| match text {
            FileVersion::Known(text) => names(&SourceCode::new(&text, language)).iter().any(|name| weakened.gone.contains(name) && !is_test_name(name)),
            _ => true,
        });
        !still
    }

    /// The sources whose test a path may be.
    fn covered(&self, test: &str) -> Vec<String> {
        let extension = crate::layout::extension(test);
        let stem = test.rsplit('/').next().unwrap_or(test).to_ascii_lowercase();
        let root = self.places.checkout(test);
        let top = test.get(..root.len() + folder(test).get(root.len()..).and_then(|inner| inner.find('/')).unwrap_or(0)).unwrap_or("");
        let near = |path: &str| {
            let name = path.rsplit('/').next().unwrap_or(path);
            let base = name.rsplit_once('.').map_or(name, |(base, _)| base).to_ascii_lowercase();
            path != test && crate::layout::extension(path) == extension && (stem.contains(base.split('.').next().unwrap_or(&base)) || path.starts_with(top))
        };
        let all = self.places.all(root);
        let sources = all.iter().filter(|path| near(path));
        let is_candidate = |path: &&String| {
            let layouts = self.places.sources(path, self.catalogue);
            super::ChangedTree::candidates(path, &layouts).iter().any(|candidate| !candidate.mention && crate::layout::matches(&candidate.path, test))
        };
        let mut covered: Vec<String> = sources.filter(is_candidate).cloned().collect();
        if self.places.text(test).is_some() && !self.places.sources(test, self.catalogue).is_empty() {
            covered.push(test.to_owned());
        }
        covered
    }

    fn settings(&self, change: &Changed) -> Vec<Weakened> {
        let settings = self.catalogue.settings(&change.path);
        let Some(form) = self.catalogue.languages.iter().find(|language| language.name == "settings") else { return Vec::new() };
        let Some(old) = change.old.known().filter(|_| change.new != FileVersion::Unknown && !change.part) else { return Vec::new() };
        // What is set elsewhere now, in a file of the same kind, is not gone.
        let same = |other: &&Changed| {
            other.path != change.path && self.catalogue.settings(&other.path).iter().any(|one| settings.iter().any(|two| std::ptr::eq(*one, *two)))
        };
        let also: String = self.changes.iter().filter(same).filter_map(|other| other.new.known()).flat_map(|text| [text, "\n"]).collect();
        settings.iter().flat_map(|settings| settings_weakened(old, change.new.known().unwrap_or(""), &also, settings, form)).collect()
    }
}

/// A type, a name of two words, or a text of more than one.
fn is_telling(word: &str) -> bool {
    word.starts_with(char::is_uppercase)
        || word.trim_matches('_').contains(|sign: char| !sign.is_alphanumeric())
        || word.chars().skip(1).any(char::is_uppercase)
}

fn is_test_name(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    lower.starts_with("test") || lower.ends_with("test") || lower.ends_with("tests")
}

/// What a tool wrote down as expected is written over.
fn snapshot(change: &Changed) -> Option<Weakened> {
    let what = match (&change.old, &change.new) {
        (FileVersion::Absent, _) => return None,
        (old, new) if old == new && *new != FileVersion::Unknown => return None,
        (_, FileVersion::Absent) => "the expected output would be deleted",
        _ => "the expected output would be overwritten",
    };
    Some(Weakened { what: what.to_owned(), gone: Vec::new() })
}
