//! Entries of the record to suggestions: what stands in the order of a session and belongs together. Only what an entry
//! says of outcomes counts; a failure whose text speaks of success is a failure.

use std::collections::HashMap;

use super::{Kind, Suggestion, code};
use crate::record::{Entry, Held, Outcome};

/// How often the same failure comes within a session before it is worth a word.
const OFTEN: usize = 3;
/// How often a check of the work itself (a test, a build) fails before what made it pass is.
const STUBBORN: usize = 4;
/// Calls after a denial among which the other way is looked for.
const SOON: usize = 6;
/// Files that are named as changed.
const NAMED: usize = 4;

/// Programs whose failure is an answer: nothing was found, two files differ, there is no such file.
const ANSWERS: &[&str] = &[
    "grep", "egrep", "fgrep", "rg", "ag", "ack", "diff", "cmp", "test", "[", "[[", "ls", "cat", "head", "tail", "find", "fd", "which", "command", "type",
    "stat", "sleep", "timeout", "kill", "pkill", "pgrep", "true", "false", "exit", "wc", "cd", "jq",
];
/// Checks of the work itself: that they fail and then pass is how code is written.
const CHECKS: &[&str] = &[
    "cargo",
    "rustc",
    "clippy-driver",
    "go",
    "npm",
    "pnpm",
    "yarn",
    "bun",
    "deno",
    "node",
    "npx",
    "tsc",
    "eslint",
    "prettier",
    "biome",
    "jest",
    "vitest",
    "mocha",
    "playwright",
    "pytest",
    "py.test",
    "tox",
    "nox",
    "ruff",
    "mypy",
    "pyright",
    "black",
    "flake8",
    "python",
    "python3",
    "uv",
    "poetry",
    "make",
    "ninja",
    "cmake",
    "ctest",
    "gcc",
    "g++",
    "clang",
    "cc",
    "mvn",
    "gradle",
    "./gradlew",
    "./mvnw",
    "dotnet",
    "swift",
    "xcodebuild",
    "rspec",
    "rake",
    "bundle",
    "ruby",
    "php",
    "phpunit",
    "composer",
    "mix",
    "elixir",
    "rebar3",
    "stack",
    "cabal",
    "ghc",
    "sbt",
    "scala",
    "lein",
    "dart",
    "flutter",
    "zig",
    "just",
    "task",
    "bash",
    "sh",
];
/// Ends of names of files that say how something is set up: what is mended there is easily forgotten.
const SETTINGS: &[&str] = &[
    ".toml",
    ".json",
    ".yaml",
    ".yml",
    ".ini",
    ".cfg",
    ".conf",
    ".env",
    ".lock",
    ".properties",
    ".plist",
    ".gradle",
    ".kts",
    ".tf",
    ".nix",
    "Dockerfile",
    "Makefile",
    "justfile",
    "Gemfile",
    "Rakefile",
    ".env.example",
    ".npmrc",
    ".nvmrc",
    ".tool-versions",
    "requirements.txt",
    "go.mod",
    ".gitignore",
    ".gitattributes",
];
/// Tools that write the file that they name.
const WRITERS: &[&str] = &["Write", "Edit", "MultiEdit", "NotebookEdit", "apply_patch", "write_file", "replace"];

/// What the entries show. Only what is shown by an entry from `fresh` on is given; those before it are what came first.
/// `learnings` is the document for what was learned; `root` is cut from paths.
#[must_use]
pub fn suggestions(entries: &[Entry], fresh: usize, learnings: &str, root: &str) -> Vec<Suggestion> {
    let mut lanes: HashMap<(&str, &str), Lane> = HashMap::new();
    let mut everywhere: HashMap<(String, u64), Vec<&str>> = HashMap::new();
    let mut found: Vec<Suggestion> = Vec::new();
    for (at, entry) in entries.iter().enumerate().filter(|(_, entry)| !entry.session.is_empty()) {
        let lane = lanes.entry((entry.session.as_str(), entry.agent_id.as_str())).or_default();
        let mut given = lane.step(entry, learnings, root);
        if let Some((what, error)) = failure(entry) {
            let sessions = everywhere.entry((what.clone(), error)).or_default();
            let before = sessions.len();
            if !sessions.contains(&entry.session.as_str()) {
                sessions.push(&entry.session);
            }
            if before == 1 && sessions.len() == 2 && !is_check(&what) {
                given.push(again(entry, &what, "in another session too", learnings));
            }
        }
        if at >= fresh {
            found.extend(given.into_iter().filter(|new| new.time == entry.time));
        }
    }
    let mut seen = std::collections::HashSet::new();
    found.retain(|one| seen.insert(one.id.clone()));
    found
}

/// What one agent of a session did, in order.
#[derive(Default)]
struct Lane<'e> {
    /// Failures that nothing has mended yet, by tool and command.
    failed: HashMap<(&'e str, String), Failed<'e>>,
    /// Every file that was changed, and after which call.
    edits: Vec<(usize, &'e str)>,
    /// Denials, each with what was denied and by which rule.
    denied: Vec<(usize, &'e Entry)>,
    /// The last call, while nothing is known of its end.
    open: Option<&'e Entry>,
    /// The call that was open when the person said something.
    stopped: Option<&'e Entry>,
    calls: usize,
}

struct Failed<'e> {
    first: usize,
    times: usize,
    last: &'e Entry,
    /// How often each error came.
    errors: HashMap<u64, usize>,
}

impl<'e> Lane<'e> {
    fn step(&mut self, entry: &'e Entry, learnings: &str, root: &str) -> Vec<Suggestion> {
        let mut found: Vec<Suggestion> = self.corrected(entry, learnings, root).into_iter().collect();
        match entry.event.as_str() {
            "PreToolUse" | "BeforeTool" => {
                self.calls += 1;
                self.open = Some(entry);
                if entry.held == Some(Held::Deny) && !entry.rules.is_empty() {
                    self.denied.push((self.calls, entry));
                    self.open = None;
                }
            }
            "PermissionDenied" => {
                self.denied.push((self.calls, entry));
                self.open = None;
            }
            // A prompt that a machine wrote is no correction.
            "UserPromptSubmit" => self.stopped = self.open.take().filter(|_| entry.said.is_empty()),
            "Stop" | "SubagentStop" | "SessionStart" | "SessionEnd" => self.open = None,
            _ => match entry.outcome {
                Some(Outcome::Ok) => found.extend(self.worked(entry, learnings, root)),
                Some(Outcome::Failed) => found.extend(self.failed(entry, learnings)),
                // The person stopped it: what they say next is what counts.
                Some(Outcome::Interrupted) => self.open = Some(entry),
                None => {}
            },
        }
        found
    }

    /// A person said something right behind a call that did not come to its end. What comes after the prompt tells whether
    /// it did not: a call that only took long, while the person wrote, ends then.
    fn corrected(&mut self, entry: &Entry, learnings: &str, root: &str) -> Option<Suggestion> {
        let call = self.stopped.take()?;
        if entry.call == call.call && matches!(entry.outcome, Some(Outcome::Ok | Outcome::Failed)) {
            return None;
        }
        let what = subject(call, root);
        let how = if call.held == Some(Held::Ask) { "was refused" } else { "was stopped" };
        let reason = format!("{what} {how} by the person, who then said what they want");
        let one = Suggestion::new(Kind::Corrected, &[&call.tool, &form(&what)], entry.time, learnings, &reason);
        Some(one.with([format!("call: {} {what}", call.tool)], &format!("- Not {what}: say what the person wants instead, and why.")))
    }

    fn worked(&mut self, entry: &'e Entry, learnings: &str, root: &str) -> Vec<Suggestion> {
        self.close(entry);
        let mut found = Vec::new();
        if WRITERS.contains(&entry.tool.as_str()) && !entry.path.is_empty() {
            self.edits.push((self.calls, inside(&entry.path, root)));
        }
        if entry.what.is_empty() || !entry.path.is_empty() {
            return found;
        }
        let what = form(&entry.what);
        if let Some(failed) = self.failed.remove(&(entry.tool.as_str(), what.clone())) {
            found.extend(self.fixed(&failed, entry, &what, learnings));
        }
        found.extend(self.other_way(entry, &what, learnings));
        found
    }

    /// It failed, something was changed, and it works.
    fn fixed(&self, failed: &Failed, entry: &Entry, what: &str, learnings: &str) -> Option<Suggestion> {
        let mut changed: Vec<&str> = Vec::new();
        for (_, path) in self.edits.iter().filter(|(at, _)| *at >= failed.first) {
            if !changed.contains(path) {
                changed.push(path);
            }
        }
        let settings: Vec<&str> = changed.iter().copied().filter(|path| SETTINGS.iter().any(|end| path.ends_with(end))).collect();
        // Tests that fail and then pass are how code is written, and nothing to learn from.
        let telling = !is_check(what) || !settings.is_empty() || failed.times >= STUBBORN;
        if changed.is_empty() || is_answer(what) || !telling {
            return None;
        }
        let cause = if settings.is_empty() { &changed } else { &settings };
        let files = cause.iter().take(NAMED).map(|path| code(path)).collect::<Vec<_>>().join(", ");
        let reason = format!("{} failed, and works since {files} changed", code(what));
        let evidence = [failure_line(failed.last), format!("changed: {files}"), format!("worked: {}", code(&entry.what))];
        let one = Suggestion::new(Kind::Fixed, &[what], entry.time, learnings, &reason);
        Some(one.with(evidence, &format!("- {} fails with {}: mended in {files}.", code(what), said(failed.last))))
    }

    fn failed(&mut self, entry: &'e Entry, learnings: &str) -> Vec<Suggestion> {
        self.close(entry);
        let Some((what, error)) = failure(entry) else { return Vec::new() };
        let calls = self.calls;
        let known =
            self.failed.entry((entry.tool.as_str(), what.clone())).or_insert_with(|| Failed { first: calls, times: 0, last: entry, errors: HashMap::new() });
        known.times += 1;
        known.last = entry;
        let times = known.errors.entry(error).or_default();
        *times += 1;
        if *times == OFTEN { vec![again(entry, &what, &format!("{OFTEN} times in one session"), learnings)] } else { Vec::new() }
    }

    /// What was done instead of what was denied just before: the same program, called otherwise.
    fn other_way(&mut self, entry: &Entry, what: &str, learnings: &str) -> Option<Suggestion> {
        let calls = self.calls;
        self.denied.retain(|(at, _)| calls - at <= SOON);
        let at = self
            .denied
            .iter()
            .rposition(|(_, denied)| denied.tool == entry.tool && program(&form(&denied.what)) == program(what) && form(&denied.what) != what)?;
        let (_, denied) = self.denied.remove(at);
        let rule = denied.rules.iter().max_by_key(|rule| rule.tier).map_or("the client", |rule| rule.name.as_str());
        let (not, instead) = (form(&denied.what), code(&entry.what));
        let reason = format!("{} is denied ({}); {instead} was the way that worked", code(&not), code(rule));
        let one = Suggestion::new(Kind::Denied, &[rule, &words(&not, 3)], entry.time, learnings, &reason);
        Some(one.with([format!("denied: {}", code(&denied.what)), format!("worked: {instead}")], &format!("- Not {}: {instead}.", code(&not))))
    }

    /// A call came to its end.
    fn close(&mut self, entry: &Entry) {
        if self.open.is_some_and(|open| open.call == entry.call || open.input == entry.input) {
            self.open = None;
        }
    }
}

fn again(entry: &Entry, what: &str, how: &str, learnings: &str) -> Suggestion {
    let reason = format!("{} failed the same way {how}", code(what));
    let one = Suggestion::new(Kind::Again, &[what, &format!("{:x}", entry.error.unwrap_or(0))], entry.time, learnings, &reason);
    one.with([failure_line(entry)], &format!("- {} fails with {}: say why, and what to do.", code(what), said(entry)))
}

/// A command that failed, and its error. Programs whose failure is an answer do not count.
fn failure(entry: &Entry) -> Option<(String, u64)> {
    if entry.outcome != Some(Outcome::Failed) || entry.what.is_empty() || !entry.path.is_empty() {
        return None;
    }
    let what = form(&entry.what);
    (!is_answer(&what)).then_some((what, entry.error?))
}

fn failure_line(entry: &Entry) -> String {
    let exit = entry.exit.map_or_else(String::new, |exit| format!(" (exit {exit})"));
    format!("failed: {}{exit}: {}", code(&entry.what), said(entry))
}

fn said(entry: &Entry) -> String {
    if entry.said.is_empty() { "no word".to_owned() } else { code(&entry.said) }
}

fn subject(entry: &Entry, root: &str) -> String {
    code(if entry.path.is_empty() { &entry.what } else { inside(&entry.path, root) })
}

fn inside<'t>(path: &'t str, root: &str) -> &'t str {
    path.strip_prefix(root).and_then(|rest| rest.strip_prefix('/')).unwrap_or(path)
}

/// A command without what does not make it another one: where it runs, where its output goes, how much of it is shown.
fn form(command: &str) -> String {
    let mut text = command.trim();
    while let Some((front, rest)) = text.split_once("&&").filter(|(front, _)| front.trim_start().starts_with("cd ")) {
        debug_assert!(!front.is_empty());
        text = rest.trim_start();
    }
    let shown = text.find(" | tail").or_else(|| text.find(" | head")).or_else(|| text.find(" | grep"));
    let text = shown.and_then(|at| text.get(..at)).unwrap_or(text);
    let words: Vec<&str> = text.split_whitespace().filter(|word| !matches!(*word, "2>&1" | ">/dev/null" | "2>/dev/null")).collect();
    words.join(" ")
}

/// The program of a command: its first word that is no assignment, without a folder.
fn program(form: &str) -> &str {
    let first = form.split(' ').find(|word| !word.split_once('=').is_some_and(|(name, _)| name.chars().all(|c| c.is_alphanumeric() || c == '_')));
    let first = first.unwrap_or(form);
    if first.starts_with("./") { first } else { first.rsplit('/').next().unwrap_or(first) }
}

fn is_answer(form: &str) -> bool {
    ANSWERS.contains(&program(form)) || form.starts_with("git diff") || form.starts_with("git grep") || form.starts_with("! ")
}

fn is_check(form: &str) -> bool {
    CHECKS.contains(&program(form))
}

/// The first words of a command.
fn words(form: &str, most: usize) -> String {
    form.split(' ').take(most).collect::<Vec<_>>().join(" ")
}
