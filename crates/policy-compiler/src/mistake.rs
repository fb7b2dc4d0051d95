//! A mistake in a policy file: where it is, what it is, and how to fix it.

use std::ops::Range;

use actions::shown::escaped;
use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

/// A mistake in a policy file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyMistake {
    /// The file, as shown to people.
    pub path: String,
    pub span: Range<usize>,
    pub what: String,
    pub fix: String,
}

impl PolicyMistake {
    /// The mistake with file, line and caret. `text` is the text of the file it is in.
    pub fn render(&self, text: &str, colour: bool) -> String {
        // The text may have been read again since the mistake was found, so the span must not be trusted.
        let start = boundary(text, self.span.start);
        let span = start..boundary(text, self.span.end).max(start);
        let snippet = Snippet::source(text).path(self.path.as_str()).annotation(AnnotationKind::Primary.span(span));
        let title = Level::ERROR.primary_title(shown(&self.what)).element(snippet);
        let report = if self.fix.is_empty() { title } else { title.element(Level::HELP.message(shown(&self.fix))) };
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        renderer.render(&[report])
    }

    /// The line on which it begins, counted from 1.
    pub fn line(&self, text: &str) -> usize {
        line(text, self.span.start)
    }
}

/// The line of a byte, counted from 1.
pub fn line(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

/// The candidate that `word` was probably meant to be.
pub fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let allowed = (word.chars().count() / 3).max(1);
    let scored = candidates.into_iter().map(|candidate| (strsim::osa_distance(word, candidate), candidate));
    scored.filter(|(distance, _)| *distance <= allowed).min_by_key(|(distance, _)| *distance).map(|(_, candidate)| candidate)
}

/// "did you mean …", or all candidates if none is near.
pub fn suggestion<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str> + Clone) -> String {
    nearest(word, candidates.clone()).map_or_else(
        || {
            let all: Vec<String> = candidates.into_iter().map(|candidate| format!("`{candidate}`")).collect();
            if all.is_empty() { String::new() } else { format!("known here: {}", all.join(", ")) }
        },
        |near| format!("did you mean `{near}`?"),
    )
}

fn boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// A policy file may come from a stranger's repository: what is quoted from it must not steer the terminal.
fn shown(text: &str) -> String {
    escaped(text).into_owned()
}
