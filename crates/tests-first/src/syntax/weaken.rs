//! Finds changes that weaken tests, or the settings of tools that check code.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::Deserialize;

use super::soften::{Strengths, softened};
use super::{Node, SourceCode, SourceLanguage, SourceToken, TokenKind, lex};

/// Words that set how far a value may be from the expected one; the numbers behind them grow with tolerance.
const TOLERANCES: &[&str] =
    &["abs", "rel", "atol", "rtol", "delta", "epsilon", "eps", "tolerance", "within", "abs_tol", "rel_tol", "abs_diff_eq", "max_relative"];
/// The same, for digits that must agree.
const DIGITS: &[&str] = &["places", "toBeCloseTo", "decimal", "precision", "numDigits"];
/// Assertions that come for each that leaves without another in its place: then tests are rewritten.
const MOSTLY: usize = 3;
/// Tokens between such a word and its number.
const MAX_NEAR: usize = 12;
/// What became weaker, in one clause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weakened {
    pub what: String,
    /// Words of tests that are gone, or that no test holds any more. What nothing defines any more may go.
    pub gone: Vec<String>,
}

fn weakened(what: String) -> Weakened {
    Weakened { what, gone: Vec::new() }
}

/// How the tests of a text became weaker. `moved` tells which tests come into another file of the same change.
pub fn tests_weakened(old: &SourceCode, new: &SourceCode, strengths: &Strengths, moved: &dyn Fn(&Node) -> bool) -> Vec<Weakened> {
    let after = new.nodes();
    let stays: HashSet<&str> = after.iter().map(|node| node.name.as_str()).collect();
    let before: Vec<Node> = old.nodes().iter().filter(|node| stays.contains(node.name.as_str()) || !moved(node)).cloned().collect();
    let mut found = Vec::new();
    let gone: Vec<&Node> = before.iter().filter(|node| !stays.contains(node.name.as_str())).collect();
    let known: HashSet<&str> = before.iter().map(|node| node.name.as_str()).collect();
    let fresh = |node: &&Node| !known.contains(node.name.as_str());
    // A test of a table stands for as many as that has rows.
    let come: usize = if gone.is_empty() { 0 } else { after.iter().filter(fresh).map(|node| new.rows(node)).sum() };
    let lost = gone.len() > come;
    if lost {
        let names: Vec<&str> = gone.iter().map(|node| node.name.as_str()).collect();
        let words = gone.iter().flat_map(|node| words(old, node.start, node.end)).map(|(word, _)| word).collect();
        found.push(Weakened { what: format!("{} would be deleted: {}", tests(gone.len() - come), list(&names)), gone: words });
    }
    let skipped = |nodes: &[Node]| nodes.iter().filter(|node| node.skipped).count();
    // A test that is skipped by another word for `it` is reported once.
    let marks = |source: &SourceCode| source.places(&source.language.skips).len();
    if skipped(after) > skipped(&before) || marks(new) > marks(old) {
        let name = after.iter().find(|node| node.skipped && !before.iter().any(|known| known.skipped && known.name == node.name));
        found.clear();
        found.push(weakened(name.map_or_else(|| "tests would be skipped".to_owned(), |node| format!("the test {} would be skipped", node.name))));
    }
    if new.places(&new.language.only).len() > old.places(&old.language.only).len() {
        found.push(weakened("a marker would keep all other tests from running".to_owned()));
    }
    // A skipped test asserts nothing, and what is gone was reported.
    let total = |nodes: &[Node]| nodes.iter().map(|node| node.asserts).sum::<usize>();
    let rows = |source: &SourceCode, node: &Node| if gone.is_empty() || !fresh(&node) { 1 } else { source.rows(node) };
    let claims = |source: &SourceCode, nodes: &[Node]| {
        nodes.iter().filter(|node| !node.skipped).map(|node| source.claims(node.start, node.end) * rows(source, node)).sum::<usize>()
    };
    // Tests may have the same name.
    let (asserted, asserts) = (asserting(&before), asserting(after));
    let emptied = after.iter().find(|node| node.asserts == 0 && !node.skipped && asserted.get(node.name.as_str()) > asserts.get(node.name.as_str()));
    if let Some(node) = emptied {
        found.push(weakened(format!("the test {} would assert nothing", node.name)));
    } else if !lost && total(after) < total(&before) && claims(new, after) < claims(old, &before) && !rewritten(old, &before, new) {
        // What the tests speak of less: where the code does no more, it may go.
        let (before_words, after_words) = (words(old, 0, old.tokens.len()), words(new, 0, new.tokens.len()));
        let less = before_words.into_iter().filter(|(word, count)| after_words.get(word).is_none_or(|left| left < count)).map(|(word, _)| word);
        // An assertion on a name of the test's own speaks of what the test calls.
        let left: HashMap<&str, usize> = after.iter().map(|node| (node.name.as_str(), new.claims(node.start, node.end))).collect();
        let fewer = before.iter().filter(|node| left.get(node.name.as_str()) < Some(&old.claims(node.start, node.end)));
        let around = fewer.flat_map(|node| words(old, node.start, node.end)).map(|(word, _)| word);
        let gone = less.chain(around).collect();
        found.push(Weakened { what: format!("only {} of {} assertions would be left", claims(new, after), claims(old, &before)), gone });
    }
    if let Some(what) = widened(old, new) {
        found.push(weakened(what));
    }
    if found.is_empty()
        && let Some(what) = softened(old, new, strengths)
    {
        found.push(weakened(what));
    }
    let hollow = |source: &SourceCode| source.hollow().len();
    if emptied.is_none()
        && hollow(new) > hollow(old)
        && let Some(at) = new.hollow().pop()
    {
        let line = new.tokens.get(at..new.statement_end(at)).unwrap_or(&[]);
        found.push(weakened(format!("`{}` would pass whatever the code does", line.iter().map(|token| token.text).collect::<Vec<_>>().join(" "))));
    }
    found
}

/// How many tests of each name assert something.
fn asserting(nodes: &[Node]) -> HashMap<&str, usize> {
    let mut found = HashMap::new();
    for node in nodes.iter().filter(|node| node.asserts > 0) {
        *found.entry(node.name.as_str()).or_default() += 1;
    }
    found
}

/// Whether the assertions that leave are mostly replaced by others, rather than taken away.
fn rewritten(old: &SourceCode, before: &[Node], new: &SourceCode) -> bool {
    let (old, new) = (old.statements(before), new.statements(new.nodes()));
    let more = |one: &BTreeMap<String, usize>, other: &BTreeMap<String, usize>| {
        one.iter().map(|(text, count)| count.saturating_sub(other.get(text).copied().unwrap_or(0))).sum::<usize>()
    };
    let (lost, come) = (more(&old, &new), more(&new, &old));
    lost.saturating_sub(come) * MOSTLY <= come
}

/// Words and texts of a stretch, without quotes, and how often they are there.
fn words(source: &SourceCode, start: usize, end: usize) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    for token in source.tokens.get(start..end).unwrap_or(&[]).iter().filter(|token| matches!(token.kind, TokenKind::Word | TokenKind::Text)) {
        *found.entry(bare(token).to_owned()).or_default() += 1;
    }
    found
}

/// A word, or what a text holds between its quotes.
pub fn bare<'t>(token: &SourceToken<'t>) -> &'t str {
    if token.kind == TokenKind::Text { token.text.trim_matches(['"', '\'', '`', '/']) } else { token.text }
}

fn tests(count: usize) -> String {
    if count == 1 { "1 test".to_owned() } else { format!("{count} tests") }
}

fn list(names: &[&str]) -> String {
    let shown: Vec<&str> = names.iter().take(3).copied().collect();
    format!("{}{}", shown.join(", "), if names.len() > 3 { ", …" } else { "" })
}

/// A tolerance that grew.
fn widened(old: &SourceCode, new: &SourceCode) -> Option<String> {
    for (words, sign) in [(TOLERANCES, 1.0), (DIGITS, -1.0)] {
        for word in words {
            let (before, after) = (near(old, word), near(new, word));
            if before.len() != after.len() {
                continue;
            }
            if let Some((before, after)) = before.iter().zip(&after).find(|(before, after)| (*after - *before) * sign > 0.0) {
                return Some(format!("the tolerance `{word}` would go from {before} to {after}"));
            }
        }
    }
    None
}

/// The numbers behind a word: `abs=0.1`, `.toBeCloseTo(x, 2)`.
fn near(source: &SourceCode, word: &str) -> Vec<f64> {
    let places = source.tokens.iter().enumerate().filter(|(_, token)| token.kind == TokenKind::Word && token.text == word);
    let value = |(at, _): (usize, &SourceToken)| {
        let open = at + 1;
        let end = match source.tokens.get(open).map(|token| token.text) {
            // Of a call the last argument is the tolerance.
            Some("(") => source.closes.get(open).copied().unwrap_or(open).min(open + MAX_NEAR),
            Some("=" | ":") => open + 2,
            _ => return None,
        };
        source.tokens.get(open..end)?.iter().rev().find(|token| token.kind == TokenKind::Number)?.text.replace('_', "").parse().ok()
    };
    places.filter_map(value).collect()
}

/// What silences tools that check code.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Silencers {
    /// What comments hold then.
    pub comments: Vec<String>,
    /// The same, in sources alone.
    pub sources: Vec<String>,
    /// The same as code: its tokens without blanks.
    pub code: Vec<String>,
}

impl Silencers {
    /// What would silence a tool: the first such mark that the new text has more of.
    pub fn more(&self, old: &SourceCode, new: &SourceCode, is_test: bool) -> Option<String> {
        let comments = |source: &SourceCode, mark: &str| source.comments.iter().filter(|comment| comment.text.contains(mark)).count();
        let marks = self.comments.iter().chain(self.sources.iter().filter(|_| !is_test));
        if let Some(mark) = marks.into_iter().find(|mark| comments(new, mark) > comments(old, mark)) {
            return Some(format!("`{mark}` would silence a check"));
        }
        let code = |source: &SourceCode| source.tokens.iter().filter(|token| token.kind != TokenKind::Text).map(|token| token.text).collect::<String>();
        let (before, after) = (code(old), code(new));
        let count = |text: &str, mark: &str| text.matches(mark).count();
        self.code.iter().find(|mark| count(&after, mark) > count(&before, mark)).map(|mark| format!("`{mark}…` would silence a check"))
    }
}

/// Which settings of tools set how much is checked.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ToolSettings {
    /// Names of the files.
    pub files: Vec<String>,
    /// Numbers that must not get smaller.
    pub least: Vec<String>,
    /// Numbers that must not get larger.
    pub most: Vec<String>,
    /// What must stay on.
    pub on: Vec<String>,
    /// What must stay off.
    pub off: Vec<String>,
    /// Lists that must not grow.
    pub lists: Vec<String>,
    /// Words that switch a check off, as values.
    pub lax: Vec<String>,
    /// Words that keep something from being checked, wherever they are; they may hold `*`.
    pub words: Vec<String>,
}

/// How a settings file became weaker. The form of the file does not matter: names and values are found by their order.
/// `also` holds other files of its kind that the same change writes.
pub fn settings_weakened(old: &str, new: &str, also: &str, settings: &ToolSettings, form: &SourceLanguage) -> Vec<Weakened> {
    let more = |word: &&String| {
        // In these files a remark has its line to itself; `/*` is a path there as often.
        let lines = |text: &str| text.lines().filter(|line| !line.trim_start().starts_with(['#', ';'])).map(str::to_owned).collect::<Vec<_>>();
        let parts = |line: &String| line.split(|sign: char| sign.is_whitespace() || "\"'`,[]=".contains(sign)).filter(|part| super::glob(word, part)).count();
        let count = |text: &str| lines(text).iter().map(parts).sum::<usize>();
        count(new) > count(old)
    };
    let words = settings.words.iter().filter(more).map(|word| weakened(format!("`{}` would exclude more from the checks", word.trim_end_matches('*'))));
    let mut found: Vec<Weakened> = words.collect();
    let others = values(also, form);
    let (old, new) = (values(old, form), values(new, form));
    let named = |key: &str, names: &[String]| names.iter().any(|name| super::glob(name, key));
    let on = |value: &str| matches!(value, "true" | "True" | "yes" | "on" | "1");
    for (key, before) in &old {
        let after = new.get(key).or_else(|| others.get(key));
        for (at, value) in before.iter().enumerate() {
            let now = after.and_then(|after| after.get(at)).map(String::as_str);
            let number = |value: &str| value.trim_end_matches('%').replace('_', "").parse::<f64>().ok();
            let smaller = |sign: f64| match (number(value), now.map(number)) {
                (Some(_), None) => true,
                (Some(before), Some(Some(after))) => (after - before) * sign > 0.0,
                _ => false,
            };
            let told = now.map_or_else(|| "would be deleted".to_owned(), |now| format!("would go from {value} to {now}"));
            if (named(key, &settings.least) && smaller(-1.0))
                || (named(key, &settings.most) && smaller(1.0))
                || (named(key, &settings.on) && on(value) && !now.is_some_and(on))
            {
                found.push(weakened(format!("`{key}` {told}")));
            }
        }
    }
    for (key, after) in &new {
        let before = old.get(key).map_or(&[][..], Vec::as_slice);
        if named(key, &settings.off) && after.iter().filter(|value| on(value)).count() > before.iter().filter(|value| on(value)).count() {
            found.push(weakened(format!("`{key}` would be switched on")));
        }
        if named(key, &settings.lists) && after.len() > before.len() {
            found.push(weakened(format!("`{key}` would name more: {}", after.last().map_or("", String::as_str))));
        }
        let lax = |values: &[String]| values.iter().filter(|value| settings.lax.contains(value)).count();
        if lax(after) > lax(before) && !before.is_empty() | !after.is_empty() {
            found.push(weakened(format!("`{key}` would be {}", after.iter().find(|value| settings.lax.contains(value)).map_or("", String::as_str))));
        }
    }
    found
}

/// Names with the values behind them: up to the next name that a value follows.
fn values(text: &str, form: &SourceLanguage) -> BTreeMap<String, Vec<String>> {
    let tokens: Vec<SourceToken> = lex(text, form).into_iter().filter(|token| token.kind != TokenKind::Comment).collect();
    let bare = |token: &SourceToken| token.text.trim_matches(['"', '\'', '`']).to_owned();
    let sets = |at: usize| tokens.get(at).is_some_and(|token| matches!(token.text, "=" | ":" | ">") && token.kind == TokenKind::Mark);
    let mut values: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut key = String::new();
    let (mut depth, mut header) = (0_usize, 0);
    for (at, token) in tokens.iter().enumerate() {
        if token.kind == TokenKind::Mark {
            // `[tool.mypy]` begins another part.
            if token.text == "[" && token.first && depth == 0 {
                key.clear();
                header = token.line;
            }
            depth = if matches!(token.text, "[" | "(" | "{") { depth + 1 } else { depth.saturating_sub(usize::from(matches!(token.text, "]" | ")" | "}"))) };
            continue;
        }
        if token.line == header {
            continue;
        }
        if sets(at + 1) || (token.kind == TokenKind::Word && tokens.get(at + 1).is_some_and(|next| next.kind == TokenKind::Number && next.line == token.line)) {
            key = bare(token);
            values.entry(key.clone()).or_default();
        } else if !key.is_empty() {
            // `--cov-fail-under=80` within a string, and the like.
            match token.text.trim_matches(['"', '\'']).split_once('=').filter(|(name, _)| name.starts_with('-')) {
                Some((name, value)) => values.entry(name.to_owned()).or_default().push(value.to_owned()),
                None => values.entry(key.clone()).or_default().push(bare(token)),
            }
        }
    }
    values
}
