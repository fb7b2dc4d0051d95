//! What the output of a test run says of test files: which of them failed, which passed. It is read as lines, whatever the
//! runner: what names a file or a test of it on a line that speaks of a failure.

use super::red::bare;
use crate::syntax::SourceCode;
use actions::json::Json;

/// Exit codes that say nothing of tests: no such command, not to be run, no tests found, killed.
const UNTOLD: &[i64] = &[5, 126, 127, 130, 137, 143];
/// What a line of a failure holds.
const FAILING: &[&str] =
    &["FAIL", "fail", "ERROR", "Error", "error", "not ok", "panicked", "\u{2717}", "\u{2715}", "\u{d7}", "\u{2716}", "\u{274c}", "undefined", "rspec ./"];
/// What a line of a success, or of something else, holds.
const PASSING: &[&str] = &["PASS", "passed", "\u{2713}", "\u{2714}", "... ok", "arning", "0 failed", "0 failures", "0 errors"];

/// Options that choose some of the tests.
const CHOOSING: &[&str] = &["-k", "-m", "--deselect", "--ignore"];
/// What a run says that had no tests.
const EMPTY: &[&str] = &["no tests ran", "No tests found", "No test files found", "collected 0 items", "Ran 0 tests"];

/// What a run says of arguments that it does not know.
const MISUSED: &[&str] = &[
    "unrecognized arguments",
    "unexpected argument",
    "file or directory not found",
    "Unrecognized option",
    "unknown option",
    "Unknown option",
    "flag provided but not defined",
];

/// A run of tests that is over.
#[derive(Debug)]
pub struct SeenRun {
    /// The command line.
    command: String,
    failed: bool,
    output: String,
}

/// How surely a run speaks of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum By {
    /// A test's name, which other files could have too.
    Name,
    /// The file's own path.
    Path,
}

/// A command that ended, as the client reports it.
#[derive(Debug)]
pub struct Ended<'e> {
    /// The command line.
    pub command: &'e str,
    /// What the tool returned.
    pub response: &'e Json,
    /// Why it failed; its first line may be `Exit code N`.
    pub error: Option<&'e str>,
    /// The client reports it as failed.
    pub failed: bool,
    /// The person interrupted it.
    pub interrupted: bool,
}

impl SeenRun {
    /// Reads the result of a test run. `None` if it does not say how the run ended.
    pub fn of(ended: &Ended) -> Option<Self> {
        let command = ended.command.to_owned();
        let mut output = ended.error.unwrap_or_default().to_owned();
        texts(ended.response, &mut output);
        let code = || output.lines().next()?.strip_prefix("Exit code ")?.trim().parse::<i64>().ok();
        if ended.interrupted || (ended.failed && code().is_some_and(|code| UNTOLD.contains(&code))) {
            return None;
        }
        // Behind a pipe or `|| true` the exit code is another's.
        let failed = ended.failed || output.lines().any(is_failing);
        Some(Self { command, failed, output })
    }

    /// Whether tests failed in it.
    #[must_use]
    pub fn failed(&self) -> bool {
        self.failed
    }

    /// Whether it says that the runner did not understand its arguments, so that no test ran.
    #[must_use]
    pub fn is_misused(&self) -> bool {
        self.failed && MISUSED.iter().any(|mark| self.output.contains(mark))
    }

    /// Whether it says that only some of the tests ran because the command chose them, or that there were no tests.
    #[must_use]
    pub fn is_partial(&self) -> bool {
        // A choice in the settings of the project is the project's own.
        let chosen = self.command.split_whitespace().any(|word| CHOOSING.contains(&word) || word.contains("::"));
        let some = |mark: &str| {
            self.output.match_indices(mark).any(|(at, _)| number_before(self.output.get(..at).unwrap_or_default()).is_some_and(|number| number > 0))
        };
        let go: Vec<&str> = self.output.lines().filter(|line| line.starts_with("ok  ")).collect();
        some("filtered out")
            || (chosen && some("deselected"))
            || (!go.is_empty() && go.iter().all(|line| line.contains("[no tests to run]")))
            || self.output.lines().any(|line| line.trim_start().starts_with("0 passing"))
            || EMPTY.iter().any(|mark| self.output.contains(mark))
    }

    /// Whether it names a file of this name at all: a cheap look before that is read.
    pub fn may_name(&self, name: &str) -> bool {
        self.output.contains(name) || self.command.contains(name)
    }

    /// Whether it says that tests of this file failed, and by what. `None`: it does not speak of it.
    pub fn speaks(&self, path: &str, source: &SourceCode) -> Option<(bool, By)> {
        if source.nodes().is_empty() {
            return None;
        }
        let given = names_path(&self.command, path);
        if !self.failed {
            return (given || names_path(&self.output, path)).then_some((false, By::Path));
        }
        if self.output.lines().any(|line| names_path(line, path) && (is_failing(line) || is_place(line, path))) {
            return Some((true, By::Path));
        }
        let names: Vec<&str> = source.nodes().iter().map(|node| bare(&node.name)).filter(|name| !name.is_empty()).collect();
        let holds_one = |line: &str| names.iter().any(|name| at_bounds(line, name));
        if self.output.lines().any(|line| is_failing(line) && holds_one(line)) {
            return Some((true, By::Name));
        }
        // Of a run of this file alone its exit code speaks.
        let alone = self.command.split_whitespace().filter(|word| word.contains('/') && word.contains('.')).count() == 1;
        (given && alone).then_some((true, By::Path))
    }
}

/// The number at the end of a text.
fn number_before(text: &str) -> Option<u64> {
    let text = text.trim_end();
    let digits = text.len() - text.trim_end_matches(|sign: char| sign.is_ascii_digit()).len();
    text.get(text.len() - digits..)?.parse().ok()
}

/// All texts of a value, a line each.
fn texts(value: &Json, into: &mut String) {
    match value {
        Json::Text(text) => {
            into.push('\n');
            into.push_str(text);
        }
        Json::List(items) => items.iter().for_each(|item| texts(item, into)),
        Json::Object(fields) => fields.iter().for_each(|(_, value)| texts(value, into)),
        _ => {}
    }
}

fn is_failing(line: &str) -> bool {
    FAILING.iter().any(|mark| line.contains(mark)) && !PASSING.iter().any(|mark| line.contains(mark))
}

/// Whether the path is there as a place: with a line number behind it.
fn is_place(line: &str, path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let behind = |at: usize| {
        let rest = line.get(at + name.len()..).unwrap_or("").trim_start_matches(['"', '\'', ',', ' ']);
        let number = rest.strip_prefix(':').or_else(|| rest.strip_prefix('(')).or_else(|| rest.strip_prefix("line "));
        number.is_some_and(|number| number.starts_with(|sign: char| sign.is_ascii_digit()))
    };
    !line.contains("arning") && line.match_indices(name).any(|(at, _)| behind(at))
}

/// Whether a text names a file: its path, or the end of it, or one that ends with it.
fn names_path(text: &str, path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let in_path = |sign: char| sign.is_alphanumeric() || matches!(sign, '_' | '-' | '.' | '/' | '@' | '[' | ']');
    text.match_indices(name).any(|(at, _)| {
        let head = text.get(..at).unwrap_or("");
        let start = head.trim_end_matches(in_path).len();
        let found = text.get(start..at + name.len()).unwrap_or("").trim_start_matches("./").trim_start_matches('/');
        let ends = |long: &str, short: &str| long.strip_suffix(short).is_some_and(|head| head.is_empty() || head.ends_with('/'));
        let next = text.get(at + name.len()..).and_then(|rest| rest.chars().next());
        (ends(path, found) || ends(found, path)) && next.is_none_or(|sign| !sign.is_alphanumeric() && sign != '_')
    })
}

/// Whether a name is in a line as a whole word.
fn at_bounds(line: &str, name: &str) -> bool {
    let inner = |sign: char| sign.is_alphanumeric() || sign == '_';
    line.match_indices(name).any(|(at, _)| {
        let before = line.get(..at).and_then(|head| head.chars().next_back());
        let behind = line.get(at + name.len()..).and_then(|rest| rest.chars().next());
        before.is_none_or(|sign| !inner(sign)) && behind.is_none_or(|sign| !inner(sign))
    })
}
