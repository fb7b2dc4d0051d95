//! Whether tests, or what tools are told to check, say less after a change than before.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::{Kind, Language, Node, Source, Token, lex};

/// Words that set how far a value may be from the expected one; the numbers behind them grow with tolerance.
const TOLERANCES: &[&str] =
    &["abs", "rel", "atol", "rtol", "delta", "epsilon", "eps", "tolerance", "within", "abs_tol", "rel_tol", "abs_diff_eq", "max_relative"];
/// The same, for digits that must agree.
const DIGITS: &[&str] = &["places", "toBeCloseTo", "decimal", "precision", "numDigits"];
/// Tokens between such a word and its number.
const MAX_NEAR: usize = 12;
/// Comments and attributes that silence a tool, each tool's own words.
const SILENCERS: &[&str] = &[
    "eslint-disable",
    "oxlint-disable",
    "biome-ignore",
    "tslint:disable",
    "@ts-ignore",
    "@ts-nocheck",
    "@ts-expect-error",
    "$FlowFixMe",
    "type: ignore",
    "noqa",
    "pylint: disable",
    "pyright: ignore",
    "mypy: ignore-errors",
    "ruff: noqa",
    "pragma: no cover",
    "istanbul ignore",
    "c8 ignore",
    "v8 ignore",
    "nolint",
    "rubocop:disable",
    ":nocov:",
    "phpcs:ignore",
    "phpcs:disable",
    "@phpstan-ignore",
    "@psalm-suppress",
    "@codeCoverageIgnore",
    "swiftlint:disable",
    "shellcheck disable",
    "credo:disable",
    "coveralls-ignore",
    "LCOV_EXCL",
    "GCOVR_EXCL",
    "NOLINT",
    "noinspection",
    "scalastyle:off",
    "ktlint-disable",
    "ignore_for_file",
    "coverage:ignore",
    "luacheck: ignore",
    "stylelint-disable",
    "hadolint ignore",
    "tfsec:ignore",
    "checkov:skip",
    "nosec",
    "NOSONAR",
    "HLINT ignore",
    "no critic",
    "slither-disable",
    "solhint-disable",
];
/// The same, as code: the tokens without blanks.
const SILENCING_CODE: &[&str] = &[
    "#[allow(",
    "#![allow(",
    "#[coverage(off",
    "@SuppressWarnings",
    "@Suppress(",
    "@SuppressLint",
    "[SuppressMessage",
    "[ExcludeFromCodeCoverage",
    "#pragmawarningdisable",
    "@dialyzer",
    "@_silgen",
];
/// Assertions that hold whatever the code does.
const HOLLOW: &[&str] = &[
    "assert True",
    "assert ( true )",
    "assert! ( true )",
    "expect ( true ) . toBe ( true )",
    "expect ( true ) . toBeTruthy",
    "assertTrue ( true )",
    "assertTrue ( True )",
    "assert . ok ( true )",
    "Assert . True ( true )",
    "expect ( true ) . to",
];

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
pub fn tests_weakened(old: &Source, new: &Source, moved: &dyn Fn(&Node) -> bool) -> Vec<Weakened> {
    let after = new.nodes();
    let before: Vec<Node> = old.nodes().iter().filter(|node| after.iter().any(|kept| kept.name == node.name) || !moved(node)).cloned().collect();
    let mut found = Vec::new();
    let gone: Vec<&Node> = before.iter().filter(|node| !after.iter().any(|kept| kept.name == node.name)).collect();
    let come = after.iter().filter(|node| !before.iter().any(|known| known.name == node.name)).count();
    let lost = gone.len() > come;
    if lost {
        let words = |node: &&Node| {
            old.tokens
                .get(node.start..node.end)
                .into_iter()
                .flatten()
                .filter(|token| token.kind == Kind::Word)
                .map(|token| token.text.to_owned())
                .collect::<Vec<_>>()
        };
        let names: Vec<&str> = gone.iter().map(|node| node.name.as_str()).collect();
        found.push(Weakened { what: format!("{} would be gone: {}", tests(gone.len() - come), list(&names)), gone: gone.iter().flat_map(words).collect() });
    }
    let skipped = |nodes: &[Node]| nodes.iter().filter(|node| node.skipped).count();
    // A test that is skipped by another word for `it` is told once.
    let marks = |source: &Source| source.places(&source.language.skips).len() + source.places(&source.language.stops).len();
    if skipped(after) > skipped(&before) || marks(new) > marks(old) {
        let name = after.iter().find(|node| node.skipped && !before.iter().any(|known| known.skipped && known.name == node.name));
        found.clear();
        found.push(weakened(name.map_or_else(|| "tests would be skipped".to_owned(), |node| format!("the test {} would be skipped", node.name))));
    }
    if new.places(&new.language.only).len() > old.places(&old.language.only).len() {
        found.push(weakened("a mark would keep all other tests from running".to_owned()));
    }
    // A skipped test asserts nothing, and what is gone was told.
    let total = |nodes: &[Node]| nodes.iter().map(|node| node.asserts).sum::<usize>();
    let claims = |source: &Source, nodes: &[Node]| nodes.iter().filter(|node| !node.skipped).map(|node| source.claims(node.start, node.end)).sum::<usize>();
    let emptied = after.iter().find(|node| node.asserts == 0 && !node.skipped && before.iter().any(|known| known.name == node.name && known.asserts > 0));
    if let Some(node) = emptied {
        found.push(weakened(format!("the test {} would assert nothing", node.name)));
    } else if !lost && total(after) < total(&before) && claims(new, after) < claims(old, &before) {
        // What the text speaks of no more: where the code does not either, it may go.
        let words = |source: &Source| source.tokens.iter().filter(|token| token.kind == Kind::Word).map(|token| token.text.to_owned()).collect::<BTreeSet<_>>();
        let gone = words(old).difference(&words(new)).cloned().collect();
        found.push(Weakened { what: format!("{} assertions would be left of {}", claims(new, after), claims(old, &before)), gone });
    }
    if let Some(what) = widened(old, new) {
        found.push(weakened(what));
    }
    if let Some(hollow) = HOLLOW.iter().find(|hollow| occurrences(new, hollow) > occurrences(old, hollow)) {
        found.push(weakened(format!("`{}` would hold whatever the code does", hollow.replace(' ', ""))));
    }
    found
}

fn tests(count: usize) -> String {
    if count == 1 { "1 test".to_owned() } else { format!("{count} tests") }
}

fn list(names: &[&str]) -> String {
    let shown: Vec<&str> = names.iter().take(3).copied().collect();
    format!("{}{}", shown.join(", "), if names.len() > 3 { ", …" } else { "" })
}

/// How often the tokens, written with blanks, stand in a text.
fn occurrences(source: &Source, code: &str) -> usize {
    let wanted: Vec<String> = code
        .split(' ')
        .flat_map(|word| match word.strip_suffix('!') {
            Some(word) => vec![word.to_owned(), "!".to_owned()],
            None => vec![word.to_owned()],
        })
        .collect();
    let texts: Vec<&str> = source.tokens.iter().map(|token| token.text).collect();
    texts.windows(wanted.len()).filter(|window| window.iter().zip(&wanted).all(|(token, wanted)| token == wanted)).count()
}

/// A tolerance that grew.
fn widened(old: &Source, new: &Source) -> Option<String> {
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
fn near(source: &Source, word: &str) -> Vec<f64> {
    let places = source.tokens.iter().enumerate().filter(|(_, token)| token.kind == Kind::Word && token.text == word);
    let value = |(at, _): (usize, &Token)| {
        let open = at + 1;
        let end = match source.tokens.get(open).map(|token| token.text) {
            // Of a call the last argument is the tolerance.
            Some("(") => source.closes.get(open).copied().unwrap_or(open).min(open + MAX_NEAR),
            Some("=" | ":") => open + 2,
            _ => return None,
        };
        source.tokens.get(open..end)?.iter().rev().find(|token| token.kind == Kind::Number)?.text.replace('_', "").parse().ok()
    };
    places.filter_map(value).collect()
}

/// What would silence a tool that checks the code: the first such mark that the new text has more of.
pub fn silenced(old: &Source, new: &Source) -> Option<String> {
    let comments = |source: &Source, mark: &str| source.comments.iter().filter(|comment| comment.text.contains(mark)).count();
    if let Some(mark) = SILENCERS.iter().find(|mark| comments(new, mark) > comments(old, mark)) {
        return Some(format!("`{mark}` would silence a check"));
    }
    let code = |source: &Source| source.tokens.iter().filter(|token| token.kind != Kind::Text).map(|token| token.text).collect::<String>();
    let (before, after) = (code(old), code(new));
    let count = |text: &str, mark: &str| text.matches(mark).count();
    SILENCING_CODE.iter().find(|mark| count(&after, mark) > count(&before, mark)).map(|mark| format!("`{mark}…` would silence a check"))
}

/// Which settings of tools set how much is checked.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
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
}

/// How a settings file became weaker. The form of the file does not matter: names and values are found by their order.
pub fn settings_weakened(old: &str, new: &str, settings: &Settings, form: &Language) -> Vec<Weakened> {
    let (old, new) = (values(old, form), values(new, form));
    let mut found = Vec::new();
    let named = |key: &str, names: &[String]| names.iter().any(|name| super::glob(name, key));
    let on = |value: &str| matches!(value, "true" | "True" | "yes" | "on" | "1");
    for (key, before) in &old {
        let after = new.get(key);
        for (at, value) in before.iter().enumerate() {
            let now = after.and_then(|after| after.get(at)).map(String::as_str);
            let number = |value: &str| value.trim_end_matches('%').replace('_', "").parse::<f64>().ok();
            let smaller = |sign: f64| match (number(value), now.map(number)) {
                (Some(_), None) => true,
                (Some(before), Some(Some(after))) => (after - before) * sign > 0.0,
                _ => false,
            };
            let told = now.map_or_else(|| "would be gone".to_owned(), |now| format!("would go from {value} to {now}"));
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
fn values(text: &str, form: &Language) -> BTreeMap<String, Vec<String>> {
    let tokens: Vec<Token> = lex(text, form).into_iter().filter(|token| token.kind != Kind::Comment).collect();
    let bare = |token: &Token| token.text.trim_matches(['"', '\'', '`']).to_owned();
    let sets = |at: usize| tokens.get(at).is_some_and(|token| matches!(token.text, "=" | ":" | ">") && token.kind == Kind::Mark);
    let mut values: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut key = String::new();
    for (at, token) in tokens.iter().enumerate() {
        if token.kind == Kind::Mark {
            continue;
        }
        if sets(at + 1) || (token.kind == Kind::Word && tokens.get(at + 1).is_some_and(|next| next.kind == Kind::Number && next.line == token.line)) {
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
