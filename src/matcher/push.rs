//! `push`: what happens to refs of a remote repository.

use super::{Asking, Cover, text};
use crate::action::Push;
use crate::facts::{Known, Need};
use crate::policy::PushWhen;
use crate::policy::pattern::Pattern;
use crate::verdict::Answer;

pub(super) fn push(table: &PushWhen, push: &Push, cover: Cover, asking: &mut Asking) -> Answer {
    let mut answer = Answer::Yes;
    if !table.kind.is_empty() {
        let kind = match cover {
            Cover::Any => push.kinds.iter().any(|kind| table.kind.contains(kind)),
            Cover::Every => !push.kinds.is_empty() && push.kinds.iter().all(|kind| table.kind.contains(kind)),
        };
        answer = Answer::from(kind);
    }
    if answer != Answer::No && !table.refs.is_empty() {
        answer = answer.min(target(&table.refs, push, asking));
    }
    if answer != Answer::No && !table.remote.is_empty() {
        answer = answer.min(push.remote.as_ref().map_or(Answer::Maybe, |remote| text::any(&table.remote, remote)));
    }
    if push.sure { answer } else { answer.min(Answer::Maybe) }
}

/// Whether the push is to a protected branch.
pub(super) fn protected(push: &Push, asking: &mut Asking) -> Answer {
    let protected = asking.protected;
    target(protected, push, asking)
}

fn target(patterns: &[Pattern], push: &Push, asking: &mut Asking) -> Answer {
    match &push.target {
        Some(word) => text::any(patterns, word),
        None => match asking.known(Need::Branch) {
            Some(Known::Text(name)) => patterns.iter().any(|pattern| text::text(pattern, name)).into(),
            _ => Answer::Maybe,
        },
    }
}
