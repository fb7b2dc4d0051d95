//! `push`: what happens to refs of a remote repository.

use super::{Asking, Cover, text};
use crate::facts::{Known, Need};
use crate::{PushWhen, pattern::Pattern, verdict::Answer};
use actions::Push;

pub(super) fn push(table: &PushWhen, push: &Push, folder: Option<&str>, cover: Cover, asking: &mut Asking) -> Answer {
    let mut answer = Answer::Yes;
    if !table.kind.is_empty() {
        let kind = match cover {
            Cover::Any => push.kinds.iter().any(|kind| table.kind.contains(kind)),
            Cover::Every => !push.kinds.is_empty() && push.kinds.iter().all(|kind| table.kind.contains(kind)),
        };
        answer = Answer::from(kind);
    }
    if answer != Answer::No && !table.refs.is_empty() {
        answer = answer.min(target(&table.refs, push, folder, asking));
    }
    if answer != Answer::No && !table.remote.is_empty() {
        answer = answer.min(push.remote.as_ref().map_or(Answer::Maybe, |remote| text::any(&table.remote, remote)));
    }
    answer = answer.and_as(table.loses_commits, || match (folder, &push.target, push.remote.as_ref().map(|remote| remote.literal())) {
        (Some(folder), Some(target), Some(Some(remote))) if target.literal().is_some() => {
            asking.holds(Need::OnlyThere(folder.to_owned(), remote.to_owned(), target.prefix().to_owned()))
        }
        // Which ref it is is not known.
        _ => Answer::Yes,
    });
    if push.sure { answer } else { answer.min(Answer::Maybe) }
}

/// Whether the push is to a branch that one of the patterns names.
pub(super) fn target(patterns: &[Pattern], push: &Push, folder: Option<&str>, asking: &mut Asking) -> Answer {
    match &push.target {
        Some(word) => text::any(patterns, word),
        None => match folder.and_then(|folder| asking.known(Need::Branch(folder.to_owned()))) {
            Some(Known::Text(name)) => patterns.iter().any(|pattern| text::text(pattern, name)).into(),
            _ => Answer::Maybe,
        },
    }
}
