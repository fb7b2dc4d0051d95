//! `fetch` and `call`: addresses, and calls of tools.

use super::{Asking, text};
use crate::{CallWhen, Comparison, FetchWhen, ValueTest, secret::find, verdict::Answer};
use actions::Call;
use actions::word::{Word, WordPiece};

pub(super) fn fetch(table: &FetchWhen, url: &Word, method: Option<&Word>) -> Answer {
    let host = host(url);
    if table.host_known.is_some_and(|wanted| wanted != host.literal().is_some()) {
        return Answer::No;
    }
    let host = text::any_word_or_unasked(&table.host, &host);
    let method = method.map_or_else(|| table.method.is_empty().into(), |method| text::any_word_or_unasked(&table.method, method));
    host.min(text::any_word_or_unasked(&table.url, url)).min(method)
}

/// The host of an address: between `//` (and `user@`) and the next `:`, `/`, `?` or `#`.
fn host(url: &Word) -> Word {
    let Some(known) = url.literal() else {
        let prefix = authority(url.prefix());
        // The host is known if something that ends it is before the first hole.
        let end = prefix.find(['/', ':', '?', '#']);
        let mut word = Word::lit(prefix.get(..end.unwrap_or(prefix.len())).unwrap_or(prefix).to_ascii_lowercase());
        if end.is_none() {
            word.push(WordPiece::Any(actions::word::Bound::Anything));
        }
        return word;
    };
    let rest = authority(known);
    Word::lit(rest.split(['/', ':', '?', '#']).next().unwrap_or("").to_ascii_lowercase())
}

fn authority(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    match rest.get(..end).and_then(|authority| authority.rfind('@')) {
        Some(at) => rest.get(at + 1..).unwrap_or(rest),
        None => rest,
    }
}

pub(super) fn call(table: &CallWhen, call: &Call, asking: &mut Asking) -> Answer {
    let does = table.does.is_empty() || call.does.is_some_and(|effect| table.does.contains(&effect));
    if !does || table.described.is_some_and(|wanted| wanted != call.described) {
        return Answer::No;
    }
    let tool = text::any_or_unasked(&table.tool, &call.tool);
    let answer = table.args.iter().fold(tool, |answer, (pointer, test)| answer.min(argument(pointer, test, call).into()));
    if answer == Answer::No || table.secret.is_empty() {
        return answer;
    }
    let found = call.args.iter().flat_map(|(_, value)| find(value).into_iter().map(move |found| (found, value)));
    match found.into_iter().find(|(found, _)| table.secret.contains(&found.confidence)) {
        Some((found, value)) => {
            asking.told.push(format!("{}: `{}`", found.kind, found.shown(value)));
            answer
        }
        None => Answer::No,
    }
}

fn argument(pointer: &str, test: &ValueTest, call: &Call) -> bool {
    call.args.iter().filter(|(name, _)| name == pointer).any(|(_, value)| value_passes(test, value))
}

/// Whether a value is as a test wants it.
#[must_use]
pub fn value_passes(test: &ValueTest, value: &str) -> bool {
    match test {
        ValueTest::Text(pattern) => text::text(pattern, value),
        ValueTest::Number(comparison, bound) => match (value.parse::<f64>(), bound.parse::<f64>()) {
            (Ok(value), Ok(bound)) => match comparison {
                Comparison::Less => value < bound,
                Comparison::AtMost => value <= bound,
                Comparison::More => value > bound,
                Comparison::AtLeast => value >= bound,
            },
            _ => false,
        },
    }
}
