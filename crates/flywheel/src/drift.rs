//! From changes of files to documents that should have changed with them: by the policy's map, and by what a commit says
//! of itself. Knows no repository; what changed is given.

use std::fmt::Write as _;

use super::{Suggestion, SuggestionKind, code, holds};
use policy::verdict::Finding;
use policy::{Flywheel, Pair, Tier};
use tests_first::layout::matches;

/// The rule that a gate of the map holds by.
pub const RULE: &str = "document-left-behind";
/// Items or files that are named.
const NAMED: usize = 4;
/// A document that names one in so many public items of its code is a list of them.
const LISTED: usize = 4;
/// Words of a subject that says what was found out.
const MIN_WORDS: usize = 3;
/// The most of a document's words that an item may be looked for in.
const MAX_DOCUMENT: usize = 1 << 20;

/// Words of a commit's subject that say that something was found out.
const TELLING: &[&str] = &["workaround", "gotcha", "quirk", "pitfall", "regression"];
/// Words for a fix. A test or a page in the same commit describes it better.
const MENDING: &[&str] = &["fix", "fixes", "fixed", "bugfix", "hotfix", "revert", "reverts"];
/// Words after which a fix is not worth a document.
const TRIFLES: &str = "\
    typo typos format formatting fmt lint lints clippy warning warnings whitespace indentation spelling comment \
    comments test tests ci deps dependency dependencies version release types typing merge conflict conflicts build \
    wording link links docs doc documentation readme changelog";

/// A file that a commit changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Touched {
    /// From the root of the repository; where it went away, the name that it had.
    pub path: String,
    /// The name before, where it was renamed.
    pub from: Option<String>,
    /// It is not there afterwards.
    pub gone: bool,
    /// Lines that the change brings in.
    pub added: Vec<String>,
}

/// A pair of the map that a commit left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Behind<'s, 'a> {
    pub pair: &'s Pair<'a>,
    pub doc: &'a str,
    /// Files of the pair that changed.
    pub code: Vec<String>,
}

/// True if a path is code of a pair. A document is never code, even if the glob matches it.
#[must_use]
pub fn is_code(pair: &Pair, path: &str) -> bool {
    pair.code.iter().any(|glob| matches(glob, path)) && !pair.docs.contains(&path)
}

/// Pairs of which the code changed and a document did not.
#[must_use]
pub fn behind<'s, 'a>(section: &'s Flywheel<'a>, touched: &[Touched]) -> Vec<Behind<'s, 'a>> {
    let mut found = Vec::new();
    for pair in &section.map {
        let changed: Vec<String> = touched.iter().filter(|file| is_code(pair, &file.path)).map(|file| file.path.clone()).collect();
        let here = |doc: &str| touched.iter().any(|file| !file.gone && (file.path == doc || file.from.as_deref() == Some(doc)));
        if !changed.is_empty() {
            found.extend(pair.docs.iter().filter(|doc| !here(doc)).map(|doc| Behind { pair, doc, code: changed.clone() }));
        }
    }
    found
}

/// What a commit leaves undescribed: a new command, option or public item that the document does not name, or code that
/// changed in more commits than the pair lets pass. `text` is the document's, by which `was` it is known; `known` are the
/// items of all its code; `commits` counts those since the document changed.
#[must_use]
pub fn drift(behind: &Behind, touched: &[Touched], (text, was): (&str, &str), known: &[String], commits: usize, time: u64) -> Option<Suggestion> {
    let text: String = text.chars().take(MAX_DOCUMENT).collect();
    let mut items: Vec<String> = Vec::new();
    let public: Vec<&String> = known.iter().filter(|item| !item.starts_with("--")).collect();
    let named = public.iter().filter(|item| names(&text, item)).count();
    let lists = !text.contains('`') || named * LISTED >= public.len();
    for line in touched.iter().filter(|file| behind.code.contains(&file.path) && !is_test(&file.path)).flat_map(|file| &file.added) {
        for item in surface(line) {
            // A guide for users need not name what programs call; one that names some of it should name all of it.
            let kind = item.starts_with("--") || lists;
            if kind && !names(&text, &item) && !items.contains(&item) {
                items.push(item);
            }
        }
    }
    if items.is_empty() && commits < usize::from(behind.pair.after) {
        return None;
    }
    let shown = |list: &[String]| {
        let mut shown = list.iter().take(NAMED).map(|item| code(item)).collect::<Vec<_>>().join(", ");
        if list.len() > NAMED {
            let _ = write!(shown, " and {} more", list.len() - NAMED);
        }
        shown
    };
    let reason = if items.is_empty() {
        format!("{commits} commits changed {} since {} did", shown(&globs(behind.pair)), code(behind.doc))
    } else {
        let (are, them) = if items.len() == 1 { ("is", "it") } else { ("are", "them") };
        format!("{} {are} new and {} does not name {them}", shown(&items), code(behind.doc))
    };
    // The document as it was makes it the same suggestion, whatever else changes until it is brought up to date.
    let one = Suggestion::new(SuggestionKind::Drift, &[was], time, behind.doc, &reason);
    let since = if commits > 0 { vec![format!("commits of this code since the document changed: {commits}")] } else { Vec::new() };
    Some(one.with([format!("changed: {}", shown(&behind.code))].into_iter().chain(since), ""))
}

fn globs(pair: &Pair) -> Vec<String> {
    pair.code.iter().map(|glob| (*glob).to_owned()).collect()
}

/// Whether a text names an item as a word of its own.
fn names(text: &str, item: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    text.match_indices(item).any(|(at, _)| {
        let before = text.get(..at).and_then(|front| front.chars().next_back());
        let after = text.get(at + item.len()..).and_then(|rest| rest.chars().next());
        !before.is_some_and(part) && !after.is_some_and(part)
    })
}

/// A page of documentation by its name.
#[must_use]
pub fn is_page(path: &str) -> bool {
    path.rsplit_once('.').is_some_and(|(_, end)| matches!(end, "md" | "rst" | "adoc" | "txt"))
}

/// Tests say what is there for people by the way, if at all.
pub(super) fn is_test(path: &str) -> bool {
    path.split('/').any(|name| {
        let stem = name.split('.').next().unwrap_or(name);
        matches!(name, "test" | "tests" | "spec" | "__tests__" | "fixtures")
            || stem.ends_with("_test")
            || stem.ends_with("_tests")
            || stem.starts_with("test_")
            || name.contains(".test.")
            || name.contains(".spec.")
    })
}

/// Commands, options and public items that a line of code brings into the world.
#[must_use]
pub fn surface(line: &str) -> Vec<String> {
    let text = line.trim();
    if ["//", "#!", "# ", "*", "/*", "--", "<!--"].iter().any(|mark| text.starts_with(mark)) {
        return Vec::new();
    }
    let mut items: Vec<String> = quoted(text).into_iter().filter(|word| is_option(word)).map(str::to_owned).collect();
    let words: Vec<&str> = text.split_whitespace().collect();
    let name = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    // Documents rarely describe nested definitions.
    let top = !line.starts_with([' ', '\t']);
    let public = match words.as_slice() {
        _ if !top => None,
        ["pub", "async" | "const" | "unsafe", "fn", rest, ..] => Some(name(rest)),
        ["pub", "fn" | "struct" | "enum" | "trait" | "type" | "const" | "static" | "macro", rest, ..] => Some(name(rest)),
        ["export", "default", "function" | "class", rest, ..] | ["export", "async", "function", rest, ..] => Some(name(rest)),
        ["export", "function" | "class" | "const" | "interface" | "type" | "enum", rest, ..] => Some(name(rest)),
        // Go's names are public by their first letter; Python's by the lack of an underscore.
        ["func", rest, ..] => Some(name(rest)).filter(|name| name.starts_with(char::is_uppercase)),
        ["def" | "class", rest, ..] => Some(name(rest)).filter(|name| !name.starts_with('_')),
        _ => None,
    };
    items.extend(public.filter(|name| name.len() > 2));
    items
}

fn quoted(text: &str) -> Vec<&str> {
    text.split(['"', '\'']).skip(1).step_by(2).collect()
}

/// `--dry-run`
fn is_option(word: &str) -> bool {
    word.strip_prefix("--")
        .is_some_and(|name| name.len() > 1 && name.starts_with(|c: char| c.is_ascii_lowercase()) && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'))
}

/// What a commit's own subject says that it found out.
#[must_use]
pub fn commit(subject: &str, id: &str, touched: &[Touched], section: &Flywheel, time: u64) -> Option<Suggestion> {
    let target = section.learnings.first()?;
    let said =
        subject.split_whitespace().filter(|word| !word.contains("://") && !word.contains('#')).flat_map(|word| word.split(|c: char| !c.is_alphanumeric()));
    let words: Vec<String> = said.filter(|word| !word.is_empty()).map(str::to_lowercase).collect();
    let any = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    // The inbox is often committed with the work.
    let own = |file: &&Touched| file.path != section.inbox && file.path != section.archive;
    let held = touched
        .iter()
        .filter(own)
        .any(|file| is_page(&file.path) || is_test(&file.path) || file.added.iter().any(|line| line.trim_start().starts_with("#[test]")));
    let telling = any(TELLING) || (any(MENDING) && !held);
    // `fix #12`, `fix PARSER` say nothing.
    let trifle = words.iter().any(|word| holds(TRIFLES, word)) || words.len() < MIN_WORDS;
    // It is written down already, or there is no code in it.
    let documented = touched.iter().any(|file| section.learnings.contains(&file.path.as_str()));
    let code_changed = touched.iter().any(|file| !is_page(&file.path) && !is_test(&file.path));
    if !telling || trifle || documented || !code_changed {
        return None;
    }
    let short = id.get(..10).unwrap_or(id);
    let files: Vec<String> = touched.iter().take(NAMED).map(|file| code(&file.path)).collect();
    let reason = format!("the commit {} reports a finding: {}", code(short), code(subject));
    // An amended commit says the same under another number.
    let one = Suggestion::new(SuggestionKind::Commit, &[&words.join(" ")], time, target, &reason);
    Some(one.with([format!("changed: {}", files.join(", "))], &format!("- {} ({short}): say what was wrong, and how to recognise it.", super::line(subject))))
}

/// What the gates of the map say of a change that is about to be committed.
#[must_use]
pub fn gated(section: &Flywheel, touched: &[Touched]) -> Vec<Finding> {
    let gates = behind(section, touched).into_iter().filter_map(|behind| behind.pair.gate.map(|tier| (behind, tier)));
    gates.map(|(behind, tier)| finding(section, &behind, tier)).collect()
}

fn finding(section: &Flywheel, behind: &Behind, tier: Tier) -> Finding {
    let files = behind.code.iter().take(NAMED).map(|path| code(path)).collect::<Vec<_>>().join(", ");
    Finding {
        reason: format!("{files} would be committed without a change of {}, which documents it", code(behind.doc)),
        instead: format!("update `{}` in the same commit", behind.doc),
        action: "commit".to_owned(),
        ..Finding::of_section("flywheel", RULE, behind.pair.place, tier, section.shadow)
    }
}
