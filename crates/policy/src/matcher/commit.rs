//! `commit`: message, author, and which files it touches.

use super::path::{Question, matches};
use super::{Asking, Cover, text};
use crate::{CommitWhen, pattern::PathPattern, verdict::Answer};
use actions::Commit;
use actions::path::Path;

pub(super) fn commit(table: &CommitWhen, commit: &Commit, cover: Cover, asking: &Asking) -> Answer {
    let message = match &commit.message {
        _ if table.message.is_empty() => Answer::Yes,
        Some(message) => text::any_or_unasked(&table.message, message),
        // It is judged when it is written.
        None => Answer::No,
    };
    let author = text::any_or_unasked(&table.author, &commit.author);
    message.min(author).min(any(&table.touches, &commit.touches, cover, asking)).min(any(&table.deletes, &commit.deletes, cover, asking))
}

/// Whether one of the files is named by one of the patterns; for an exception, whether all are.
fn any(patterns: &[PathPattern], paths: &[Path], cover: Cover, asking: &Asking) -> Answer {
    if patterns.is_empty() {
        return Answer::Yes;
    }
    let question = Question { cover, with_contents: false };
    let named = |path: &Path| patterns.iter().map(|pattern| matches(pattern, &path.word, &asking.facts.places, question)).max().unwrap_or(Answer::No);
    match cover {
        Cover::Any => paths.iter().map(named).max().unwrap_or(Answer::No),
        Cover::Every if paths.is_empty() => Answer::No,
        Cover::Every => paths.iter().map(named).min().unwrap_or(Answer::No),
    }
}
