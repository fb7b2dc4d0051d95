//! `query`: what is lost in a database, and in which.

use super::path::outside;
use super::{Asking, text};
use crate::{QueryWhen, verdict::Answer};
use actions::Query;
use actions::word::Word;

pub(super) fn query(table: &QueryWhen, query: &Query, asking: &Asking) -> Answer {
    let mut answer = text::any_or_unasked(&table.loses, query.loses)
        .min(text::any_or_unasked(&table.language, query.language))
        .min(text::any_or_unasked(&table.name, &query.name))
        .min(text::any_or_unasked(&table.program, &query.program));
    let words = [(&table.host, &query.host), (&table.database, &query.database)];
    for (patterns, word) in words {
        answer = answer.min(text::any_word_or_unasked(patterns, word.as_ref().unwrap_or(&Word::default())));
    }
    answer.and_as(table.local, || local(query, asking))
}

/// Whether the database is on this machine. Without a host nobody knows: a tunnel, a service file or a variable may say.
fn local(query: &Query, asking: &Asking) -> Answer {
    if let Some(file) = &query.file {
        let places = &asking.facts.places;
        let temporary = |path: &str| places.temporary.iter().any(|folder| path.strip_prefix(folder.as_str()).is_some_and(|rest| rest.starts_with('/')));
        if file.word.literal().is_some_and(|path| temporary(path) || path.ends_with("/:memory:")) {
            return Answer::Yes;
        }
        return !outside(&file.word, places);
    }
    let Some(host) = &query.host else { return Answer::No };
    match host.literal() {
        None => Answer::Maybe,
        Some(host) => loopback(host).into(),
    }
}

fn loopback(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']);
    let host = if host.contains("::") { host } else { host.split(':').next().unwrap_or(host) };
    host.eq_ignore_ascii_case("localhost") || host.starts_with("127.") || host == "::1" || host.ends_with(".localhost")
}
