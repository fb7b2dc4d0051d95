//! Sections of a policy that are not rules, in the compiled form.

pub mod approval;

use actions::Run;

use super::{Layer, Tier};
use actions::{named_enum, wire_struct};

/// `[tests-first]`: a source changes only where a test of it is.
#[derive(Clone, Debug, PartialEq)]
pub struct TestsFirst<'a> {
    /// `portcullis.toml:12`
    pub place: &'a str,
    /// The uppermost layer that has the section. It owns the lists below; others only make it stricter.
    pub layer: Layer,
    /// Findings are shown and nothing is stopped.
    pub shadow: bool,
    /// What becomes of code without a test.
    pub tier: Tier,
    /// What becomes of a change that makes tests say less.
    pub weakening: Tier,
    pub red: Red,
    /// At a commit the test is part of the change or newer than the source.
    pub strict: bool,
    /// Where it holds; empty: everywhere.
    pub only: Vec<&'a str>,
    pub exempt: Vec<Exempt<'a>>,
    /// Built-in layouts that hold; empty: all of them.
    pub layouts: Vec<&'a str>,
    pub own: Vec<OwnLayout<'a>>,
    /// Where reports of test runs are found, beside the usual places.
    pub reports: Vec<&'a str>,
    /// Ends of names that concern it, so that the hook need not know layouts.
    pub endings: Vec<&'a str>,
    /// Names that are tests' in every folder and every project: `test_*.py`.
    pub tests: Vec<&'a str>,
    /// Commands that run tests; none where runs need not be seen.
    pub runners: Vec<&'a str>,
}
wire_struct!(TestsFirst { place, layer, shadow, tier, weakening, red, strict, only, exempt, layouts, own, reports, endings, tests, runners });

/// Sources that need no test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exempt<'a> {
    /// A glob, from the repository's root.
    pub path: &'a str,
    pub reason: &'a str,
    /// The last day on which it holds, in days since 1970-01-01 (UTC).
    pub until: Option<i64>,
}
wire_struct!(Exempt { path, reason, until });

/// A layout that a policy brings. Lists are globs and templates as in `policies/layouts/*.toml`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnLayout<'a> {
    pub name: &'a str,
    pub manifest: Vec<&'a str>,
    pub source: Vec<&'a str>,
    pub test: Vec<&'a str>,
    pub exempt: Vec<&'a str>,
    /// A test can be in the source.
    pub inline: bool,
    /// `file`, `folder` or `module`.
    pub unit: &'a str,
}
wire_struct!(OwnLayout { name, manifest, source, test, exempt, inline, unit });

/// `[flywheel]`: what is worth writing down, and where.
#[derive(Clone, Debug, PartialEq)]
pub struct Flywheel<'a> {
    /// `portcullis.toml:12`
    pub place: &'a str,
    /// The uppermost layer that has the section. It owns it; others only add to `map`.
    pub layer: Layer,
    /// Findings are shown and nothing is stopped.
    pub shadow: bool,
    /// Where suggestions wait, from the repository's root.
    pub inbox: &'a str,
    /// Where those go that are resolved, and what leaves the learnings.
    pub archive: &'a str,
    /// Files of what was learned; suggestions that no document of the map is for go to the first.
    pub learnings: Vec<&'a str>,
    pub map: Vec<Pair<'a>>,
    /// Suggestions of one session, at the most.
    pub per_session: u16,
    /// How much of a learnings file may leave without being in the archive, in percent.
    pub shrink: u8,
    /// Messages of commits name the suggestions that they answer.
    pub trailers: bool,
}
wire_struct!(Flywheel { place, layer, shadow, inbox, archive, learnings, map, per_session, shrink, trailers });

/// Code, and the documents that speak of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair<'a> {
    pub place: &'a str,
    /// Globs, from the repository's root.
    pub code: Vec<&'a str>,
    pub docs: Vec<&'a str>,
    /// Commits of the code after which a document that did not change lags behind.
    pub after: u16,
    /// What becomes of a commit of the code without the documents. `None`: a suggestion.
    pub gate: Option<Tier>,
}
wire_struct!(Pair { place, code, docs, after, gate });

named_enum! {
    /// Whether a test must have been seen to fail before the code is written.
    pub enum Red {
        Off = "off",
        /// Where a report speaks of the test as it is.
        WhenReported = "when-reported",
        /// Always.
        Required = "required",
    }
}

impl TestsFirst<'_> {
    /// Whether a file of this path could be a source, a test, or a setting of what is checked. A name without a dot may be
    /// a script.
    pub fn concerns(&self, path: &str) -> bool {
        let name = path.rsplit('/').next().unwrap_or(path);
        !name.contains('.') || self.endings.iter().any(|ending| name.ends_with(ending)) || path.contains("/__snapshots__/")
    }

    /// Whether a file of this path is surely a test, or surely no code.
    pub fn is_test_or_no_code(&self, path: &str) -> bool {
        let name = path.rsplit('/').next().unwrap_or(path);
        let Some((_, extension)) = name.rsplit_once('.').filter(|(stem, _)| !stem.is_empty()) else { return false };
        let code = self.endings.iter().any(|ending| ending.strip_prefix('.') == Some(extension));
        !code || self.tests.iter().any(|pattern| fits(pattern, name))
    }

    /// Whether a command line could run tests: all words of a runner are in it.
    pub fn may_run(&self, line: &str) -> bool {
        self.runners.iter().any(|runner| runner.split(' ').all(|word| line.contains(word.trim_matches('*'))))
    }

    /// Whether a command runs tests.
    pub fn runs(&self, run: &Run) -> bool {
        self.runners.iter().any(|runner| is_run_by(runner, run))
    }
}

/// Whether a command is one of a runner of tests: its words, in their order, with others in between.
#[must_use]
pub fn is_run_by(runner: &str, run: &Run) -> bool {
    let mut wanted = runner.split(' ');
    let mut left = run.words.iter().filter_map(|word| word.literal()).skip(1);
    wanted.next().is_some_and(|program| matches(program, &run.program)) && wanted.all(|word| left.any(|found| matches(word, found)))
}

/// Whether a word is as one with stars at its ends.
fn matches(pattern: &str, word: &str) -> bool {
    let bare = pattern.trim_matches('*');
    match (pattern.starts_with('*'), pattern.ends_with('*')) {
        (true, true) => word.contains(bare),
        (true, false) => word.ends_with(bare),
        (false, true) => word.starts_with(bare),
        (false, false) => word == bare,
    }
}

/// Whether a name is as a pattern with stars.
fn fits(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let (Some(mut rest), Some(last)) = (parts.next().and_then(|first| name.strip_prefix(first)), parts.next_back()) else { return pattern == name };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = rest.get(at + part.len()..).unwrap_or("");
    }
    rest.ends_with(last)
}

/// Options by which test runners write down anew what tests expect: `jest -u`, `pytest --snapshot-update`.
const RENEWING: &[&str] =
    &["--update-snapshots", "--updateSnapshot", "--update-snapshot", "--snapshot-update", "--force-update-snapshots", "--update-golden", "--update-goldens"];
/// Programs of which `-u` does so too.
const RUNNERS: &[&str] = &["jest", "vitest", "ava", "playwright"];

/// Whether a command renews what tests expect.
pub fn renews_snapshots(run: &Run) -> bool {
    let assigned = run.env.iter().chain(run.exported.iter());
    let renews = |name: &str, value: Option<&str>| match name {
        "INSTA_UPDATE" => value.is_none_or(|value| matches!(value, "always" | "unseen" | "force")),
        "INSTA_FORCE_UPDATE" | "UPDATE_SNAPSHOTS" | "UPDATE_GOLDEN" | "UPDATE_EXPECT" => value.is_none_or(|value| value != "0"),
        "SNAPSHOTS" => value == Some("overwrite"),
        _ => false,
    };
    let words = || run.words.iter().filter_map(|word| word.literal());
    let runner = words().any(|word| RUNNERS.contains(&word.rsplit('/').next().unwrap_or(word)));
    assigned.into_iter().any(|(name, value)| renews(name, value.literal()))
        || words().any(|word| RENEWING.contains(&word.split('=').next().unwrap_or(word)) || (runner && matches!(word, "-u" | "--update")))
        || (run.program == "cargo" && words().take(3).collect::<Vec<_>>() == ["cargo", "insta", "accept"])
}
