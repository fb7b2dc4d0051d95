//! Tests first: checks that the sources which a call or a commit changes have a test, and that it does not weaken tests. All
//! changes are judged together. [`Tree`] gives access to other files.
#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros)]

pub mod layout;
mod place;
mod reach;
pub mod report_file;
mod red;
mod seen;
pub mod syntax;
mod weakening;

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use crate::layout::{Catalogue, Layout, Unit, matches};
use crate::syntax::{SourceCode, SourceLanguage, TestNeed, is_generated, need, removed_lines};
use actions::{Action, Deed};
use place::ChangedTree;
use policy::verdict::{Answer, Finding};
use policy::{OwnLayout, TestsFirst, Tier, renews_snapshots};
pub use red::evidence;
pub use seen::{By, Ended, SeenRun};

/// The rule that requires a test for a source.
pub const RULE: &str = "tests-first";
/// The rule that protects tests from being weakened.
pub const WEAKENED: &str = "tests-weakened";
/// The rule that requires a failing run of the test.
pub const NOT_RED: &str = "tests-not-red";
/// The most bytes of a text that is read; a longer text counts as unknown.
const MAX_TEXT: usize = 2 << 20;
/// Candidates that a message names.
const NAMED: usize = 3;

/// The text of a file before or after a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileVersion {
    /// There is no such file.
    Absent,
    Known(String),
    /// The file exists; its text is not known.
    Unknown,
}

impl FileVersion {
    fn known(&self) -> Option<&str> {
        if let Self::Known(text) = self { Some(text).filter(|text| text.len() <= MAX_TEXT).map(String::as_str) } else { None }
    }
}

/// A file that a call or a commit changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// From the root of the repository, with `/`.
    pub path: String,
    pub old: FileVersion,
    pub new: FileVersion,
    /// The texts are stretches of the file, before and after: a patch whose place in the file was not found. Where the new
    /// text is not known, it is only added at the end.
    pub part: bool,
}

/// Files around the changes. The changes are used first, so it does not matter whether the tree contains them.
pub trait Tree {
    /// None: there is no such plain file, or it cannot be read.
    fn read(&self, path: &str) -> Option<Vec<u8>>;
    fn exists(&self, path: &str) -> bool;
    /// Names in a folder (`""` is the root), each with whether it is a folder.
    fn list(&self, folder: &str) -> Vec<(String, bool)>;
    /// Whether a folder in which something is called `.git` is the root of another repository or work tree.
    fn is_checkout(&self, _folder: &str) -> bool {
        false
    }
    /// Whether the test was committed after the source was last; none where that is not asked.
    fn newer(&self, _test: &str, _source: &str) -> Option<bool> {
        None
    }
    /// Whether a run of this very [`evidence`] of a test was seen to fail; none where no run of it is known. For the gate's
    /// own record of runs, which goes before reports.
    fn seen_to_fail(&self, _test: &str, _evidence: &str) -> Option<bool> {
        None
    }
    /// True if there is no time left to look for more.
    fn is_late(&self) -> bool {
        false
    }
    /// Whether runs are seen here. Where they are not (a commit, a pull request), it is no fault that none is known.
    fn sees_runs(&self) -> bool {
        true
    }
}

/// What is found in the changes of one call or one commit. `today` in days since 1970-01-01 (UTC).
pub fn judge(changes: &[Changed], tree: &dyn Tree, section: &TestsFirst, today: i64) -> Vec<Finding> {
    match catalogue(section) {
        Ok(catalogue) => {
            Judge { changes, section, today, places: ChangedTree::new(changes, tree), catalogue: &catalogue, sources: RefCell::default() }.findings()
        }
        // The shipped layouts are read by a test; own ones were validated.
        Err(why) => vec![Finding { answer: Answer::Maybe, unread: Some(why), ..blank(section, RULE, Tier::Supervised) }],
    }
}

/// Commands that write down anew what tests expect.
pub fn snapshots_renewed(actions: &[Action], section: &TestsFirst) -> Vec<Finding> {
    let mut renewing = actions.iter().filter(|action| matches!(&action.deed, Deed::Run(run) if renews_snapshots(run)));
    let finding = |action: &Action| Finding {
        action: action.shown(),
        via: action.via.clone(),
        span: action.span,
        reason: "this overwrites what the tests expect with what the code does now, right or wrong".to_owned(),
        instead: "look at the differences first, and ask the user to renew the snapshots".to_owned(),
        ..blank(section, WEAKENED, section.weakening)
    };
    // A wrapper and what it runs are one: the innermost is reported.
    renewing.next_back().map(finding).into_iter().collect()
}

/// The layouts that hold by the section.
fn catalogue(section: &TestsFirst) -> Result<Cow<'static, Catalogue>, String> {
    let mut catalogue = Cow::Borrowed(Catalogue::shipped()?);
    if !section.layouts.is_empty() {
        let layouts = &mut catalogue.to_mut().layouts;
        layouts.retain(|layout| section.layouts.contains(&layout.name.as_str()));
        for layout in layouts.iter_mut() {
            layout.named = true;
        }
    }
    if !section.own.is_empty() {
        catalogue.to_mut().layouts.extend(section.own.iter().map(own_layout));
    }
    Ok(catalogue)
}

/// A layout that a policy brings.
fn own_layout(own: &OwnLayout) -> Layout {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let mut layout = Layout::default();
    own.name.clone_into(&mut layout.name);
    layout.manifest = texts(&own.manifest);
    layout.source = texts(&own.source);
    layout.test = texts(&own.test);
    layout.exempt = texts(&own.exempt);
    layout.inline = own.inline;
    layout.named = true;
    layout.unit = match own.unit {
        "folder" => Unit::Folder,
        "module" => Unit::Module,
        _ => Unit::File,
    };
    layout
}

/// A finding of the section without what it says.
fn blank(section: &TestsFirst, rule: &str, tier: Tier) -> Finding {
    Finding::of_section(RULE, rule, section.place, tier, section.shadow)
}

struct Judge<'a> {
    changes: &'a [Changed],
    section: &'a TestsFirst<'a>,
    today: i64,
    catalogue: &'a Catalogue,
    places: ChangedTree<'a>,
    /// Texts that were read as code, by where they are in memory.
    sources: RefCell<HashMap<(*const u8, *const SourceLanguage), Rc<SourceCode<'a, 'a>>>>,
}

/// Whether a source has a test.
enum Stand {
    /// It has a real test, with this path.
    Tested(String),
    /// Its test cannot be read.
    Unread(String),
    /// It has no test. `candidates` are the paths where the test could be, the likeliest first, each with the number of tests
    /// here that are named in the same way. `faults` are files that do not count as a test, and why.
    Missing { candidates: Vec<(String, usize)>, faults: Vec<String> },
}

impl<'a> Judge<'a> {
    fn findings(&self) -> Vec<Finding> {
        let mut findings: Vec<Finding> = Vec::new();
        let moved = self.moved();
        for change in self.changes.iter().filter(|change| self.holds(&change.path)) {
            findings.extend(self.untested(change, &moved));
            findings.extend(self.weakened(change));
        }
        findings.sort_by_key(|finding| std::cmp::Reverse((!finding.shadow, finding.tier, finding.answer)));
        findings
    }

    /// A text of a change as code, read once.
    fn source(&self, text: &'a str, language: &'a SourceLanguage) -> Rc<SourceCode<'a, 'a>> {
        let key = (text.as_ptr(), std::ptr::from_ref(language));
        Rc::clone(self.sources.borrow_mut().entry(key).or_insert_with(|| Rc::new(SourceCode::new(text, language))))
    }

    /// Whether the section speaks of the path at all.
    fn holds(&self, path: &str) -> bool {
        let inner = self.places.inner(path);
        self.section.only.is_empty() || self.section.only.iter().any(|only| matches(only, inner))
    }

    /// Lines that leave each language's files: what others may take over. What leaves a file that needs no test is new where it
    /// comes.
    fn moved(&self) -> HashMap<&str, HashMap<String, usize>> {
        let mut moved: HashMap<&str, HashMap<String, usize>> = HashMap::new();
        for change in self.changes {
            if !self.holds(&change.path) || self.exempt(&change.path) || self.places.sources(&change.path, self.catalogue).is_empty() {
                continue;
            }
            let (Some(language), Some(old)) = (self.catalogue.language(&change.path), change.old.known()) else { continue };
            let new = change.new.known().map(|text| self.source(text, language));
            if new.is_none() && change.new != FileVersion::Absent {
                continue;
            }
            let pool = moved.entry(&language.name).or_default();
            for (line, count) in removed_lines(&self.source(old, language), new.as_deref()) {
                *pool.entry(line).or_default() += count;
            }
        }
        moved
    }

    /// A source that gets code which no test speaks of.
    fn untested(&self, change: &'a Changed, moved: &HashMap<&str, HashMap<String, usize>>) -> Option<Finding> {
        if change.new == FileVersion::Absent {
            return None;
        }
        let language = self.catalogue.language(&change.path)?;
        let layouts = self.places.sources(&change.path, self.catalogue);
        if layouts.is_empty() || self.exempt(&change.path) {
            return None;
        }
        // A mark that the change itself brings frees nothing unless the repository says so too: anyone can write it.
        let says = |text: &'a FileVersion| text.known().is_some_and(|text| is_generated(&self.source(text, language)));
        let claimed = says(&change.new);
        if claimed && self.places.says_generated(&change.path) {
            return None;
        }
        let action = format!("write {}", change.path);
        let (line, defines, wanted) = match change.new.known() {
            Some(new) => {
                let old = change.old.known().map(|text| self.source(text, language));
                let none = HashMap::new();
                // What leaves this file is not moved into it.
                let pool = if change.old == FileVersion::Absent || self.changes.len() > 1 { moved.get(language.name.as_str()).unwrap_or(&none) } else { &none };
                // Without the text before, every line may be new.
                match need(old.as_deref(), &self.source(new, language), pool, change.part, layouts.iter().any(|(layout, ..)| layout.inline)) {
                    // The next change would be that of a generated file.
                    TestNeed::Nothing(_) if claimed && change.old.known().is_some() && !says(&change.old) => {
                        return Some(Finding {
                            action,
                            reason: format!("only a new comment says that `{}` is generated, which would exempt it from tests", change.path),
                            instead: "leave the comment out, or ask the user to mark the file in `.gitattributes` (`linguist-generated`)".to_owned(),
                            ..blank(self.section, RULE, self.section.tier.min(Tier::Supervised))
                        });
                    }
                    TestNeed::Nothing(_) => return None,
                    TestNeed::Test { line, defines, open } => {
                        (Some(line), !defines.is_empty(), Some(defines).filter(|_| open && change.old != FileVersion::Absent))
                    }
                }
            }
            None => (None, true, None),
        };
        let tier = if claimed { self.section.tier.min(Tier::Supervised) } else { self.section.tier };
        let what = match &line {
            Some(line) => format!("`{}` {} `{}`", change.path, if defines { "defines" } else { "changes" }, actions::clip(&tight(line))),
            None => format!("the new text of `{}` is not known, which counts as new code", change.path),
        };
        match self.stand(&change.path, change, &layouts, language, wanted.as_deref()) {
            Stand::Tested(test) => {
                if let Some(why) = self.not_red(&test, test == change.path, defines && !claimed) {
                    return Some(Finding {
                        action,
                        reason: format!("{what}, and {why}"),
                        instead: format!("write a test of it in `{test}`, run the tests and see it fail, then repeat this change"),
                        ..blank(self.section, NOT_RED, self.section.tier)
                    });
                }
                let old = self.section.strict && !self.changes.iter().any(|other| other.path == test);
                (old && self.places.tree.newer(&test, &change.path) == Some(false)).then(|| Finding {
                    action,
                    reason: format!("{what}, and this change does not touch its older test `{test}`"),
                    instead: format!("change `{test}` in the same commit, so that it tests the new code"),
                    ..blank(self.section, RULE, self.section.tier)
                })
            }
            Stand::Unread(test) => Some(Finding {
                action,
                answer: Answer::Maybe,
                reason: format!("{what}, and the text of its test is not known"),
                instead: format!("write `{test}` with a tool that shows its text"),
                unread: Some(test),
                ..blank(self.section, RULE, self.section.tier.min(Tier::Supervised))
            }),
            // Its test may be among what was not looked at.
            Stand::Missing { .. } if self.places.is_cut() => Some(Finding {
                action,
                answer: Answer::Maybe,
                reason: if self.places.tree.is_late() {
                    format!("{what}, and this machine was too busy to find its test in time")
                } else {
                    format!("{what}, and its test was not found among the first {} files", place::MAX_ENTRIES)
                },
                instead: String::from("repeat this change when less is running; a large repository can limit the section with `only`"),
                ..blank(self.section, RULE, self.section.tier.min(Tier::Supervised))
            }),
            Stand::Missing { candidates, faults } => {
                let there = if faults.is_empty() { String::from("no test of it exists") } else { faults.join(", ") };
                let there = if claimed { format!("{there}; only a new comment in it says that it is generated") } else { there };
                Some(Finding {
                    action,
                    reason: format!("{what}, and {there}"),
                    instead: instead(&candidates, self.places.sources(&change.path, self.catalogue).iter().any(|(layout, ..)| layout.inline)),
                    ..blank(self.section, RULE, tier)
                })
            }
        }
    }

    fn exempt(&self, path: &str) -> bool {
        let path = self.places.inner(path);
        self.section.exempt.iter().any(|exempt| exempt.until.is_none_or(|until| until >= self.today) && matches(exempt.path, path))
    }

    fn stand(&self, path: &str, change: &'a Changed, layouts: &[place::PlacedSource], language: &'a SourceLanguage, wanted: Option<&[String]>) -> Stand {
        // What was there, and gets nothing new for others, may be tested from outside.
        let loose = change.old != FileVersion::Absent && wanted.is_none();
        let mut faults = Vec::new();
        let mut unread = None;
        let mut fault = |path: &str, why: &str| {
            let text = format!("`{path}` {why}");
            if faults.len() < NAMED && !faults.contains(&text) {
                faults.push(text);
            }
        };
        for (layout, ..) in layouts.iter().filter(|(layout, ..)| layout.inline) {
            let source = change.new.known().filter(|_| !change.part).map(|text| self.source(text, language));
            match source.map(|source| (source.tested(layout.doctest), source.nodes().is_empty())) {
                Some((Ok(()), _)) => return Stand::Tested(path.to_owned()),
                Some((Err(why), false)) => fault(path, why.text()),
                _ => {}
            }
            // Tests that are in the file already, where only a stretch of it or nothing of the change is known.
            if (change.part || change.new == FileVersion::Unknown)
                && self.places.read_before(path).is_some_and(|text| SourceCode::new(&text, language).tested(layout.doctest).is_ok())
            {
                return Stand::Tested(path.to_owned());
            }
        }
        let candidates = ChangedTree::candidates(path, layouts);
        for candidate in &candidates {
            for test in self.places.found(&candidate.path) {
                if test == path || self.places.checkout(&test) != self.places.checkout(path) {
                    continue;
                }
                let Some(text) = self.places.text(&test) else { continue };
                let FileVersion::Known(text) = text else {
                    unread.get_or_insert(test);
                    continue;
                };
                let Some(language) = self.catalogue.language(&test) else {
                    // A format without a language of its own (cram's `.t`, `.phpt`): a text that is not blank.
                    if text.trim().is_empty() {
                        fault(&test, "is empty");
                    } else {
                        return Stand::Tested(test);
                    }
                    continue;
                };
                let source = SourceCode::new(&text, language);
                if candidate.mention && !names(&source, &text, path) {
                    continue;
                }
                if candidate.wide && !candidate.mention && !loose && !self.speaks_of(&source, change) {
                    fault(&test, "names nothing that the change defines");
                    continue;
                }
                match source.tested(false) {
                    Ok(()) => return Stand::Tested(test),
                    Err(_) if candidate.mention => {}
                    Err(why) => fault(&test, why.text()),
                }
            }
        }
        if let Some(test) = unread {
            return Stand::Unread(test);
        }
        let brought = if loose { self.brought() } else { None };
        if let Some(test) = brought.or_else(|| self.spoken_of(change, layouts, language, wanted)) {
            return Stand::Tested(test);
        }
        Stand::Missing { candidates: self.places.ranked(path, candidates, self.catalogue), faults }
    }
}

/// Whether a test names the source: as a word of its code, or of a string.
fn names(source: &SourceCode, text: &str, path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    source.tokens.iter().any(|token| token.text == stem || token.text.split(|sign: char| !sign.is_alphanumeric() && sign != '_').any(|word| word == stem))
        && !text.is_empty()
}

/// A line of tokens as people write it.
fn tight(line: &str) -> String {
    let mut text = line.to_owned();
    for mark in ["( ", " (", " )", " ,", " ;", " :", " .", ". ", " !", "< ", " <", " >", "# [ ", " ]"] {
        text = text.replace(mark, mark.trim());
    }
    text
}

fn instead(candidates: &[(String, usize)], inline: bool) -> String {
    let mut named = candidates.iter().take(NAMED).map(|(path, count)| match count {
        0 => format!("`{path}`"),
        1 => format!("`{path}` (like 1 test here)"),
        count => format!("`{path}` (like {count} tests here)"),
    });
    let first = named.next();
    let rest: Vec<String> = named.collect();
    let also = if inline { " or in the file itself" } else { "" };
    match first {
        None => format!("write a failing test first{also}, then repeat this change"),
        Some(first) if rest.is_empty() => format!("write a failing test first, in {first}{also}, then repeat this change"),
        Some(first) => format!("write a failing test first, in {first}, or in {}{also}, then repeat this change", rest.join(" or ")),
    }
}

#[cfg(test)]
#[path = "tests_first_tests.rs"]
mod tests;
