//! Here-documents: their delimiters, and their bodies, which are read at the next line end.

use std::{cell::OnceCell, rc::Rc};

use super::cursor::{Pending, ShellReader};
use crate::ast::{Op, Part, RawWord};

/// A line of a body.
struct BodyLine {
    /// Without the line end, and with its continuations joined.
    text: String,
    /// It ended in a line end.
    ended: bool,
    /// Where it begins, and how much of it is there before the first continuation.
    start: usize,
    unbroken: usize,
}

impl ShellReader<'_, '_> {
    /// `<<` or `<<-` has been read: takes the delimiter, and notes that a body is to come.
    pub(super) fn here_document(&mut self, strip_tabs: bool) -> Rc<OnceCell<RawWord>> {
        let body = Rc::default();
        self.skip_blanks();
        let start = self.pos;
        let word = self.word();
        if word.parts.is_empty() {
            self.fault("a redirection has no target");
            return body;
        }
        let spelled = self.text.get(start..self.pos).unwrap_or_default();
        let parts: Vec<_> = word.parts.iter().map(delimiter).collect();
        let respelled = parts.contains(&None);
        if respelled {
            self.unread("an expansion in the delimiter of a here-document");
        }
        let braced = spelled.contains("${") && word.parts.iter().any(|part| matches!(part, Part::Parameter(_)));
        let quoted = parts.iter().flatten().any(|(_, quoted)| *quoted) || (respelled && spelled.contains('"'));
        let delimiter = if respelled || braced { spelled.replace(['\'', '"', '\\'], "") } else { parts.into_iter().flatten().map(|(text, _)| text).collect() };
        self.pending.push(Pending { body: Rc::clone(&body), delimiter, quoted, strip_tabs, from: self.pos, late: None });
        body
    }

    /// Passes over a line end, and over the bodies that begin there.
    pub(super) fn end_line(&mut self) {
        self.drop_hidden_here_documents();
        if self.pos < self.put_back && !self.pending.is_empty() {
            // Bash takes these bodies from behind the text that it put back, and runs what is here.
            self.unread("a here-document begins within `( (` without a blank");
            self.pending.clear();
        }
        // Bash writes the text of a substitution anew, and loses its way where a quote goes over the line end, or where one
        // body ends within a line and another one waits.
        let broken = |from| self.text.get(from..self.pos).unwrap_or_default().replace("\\\n", "").contains('\n');
        if self.in_substitution && self.pending.iter().any(|pending| pending.late.is_none() && broken(pending.from)) {
            self.unread("a here-document waits behind a line end in quotes");
        }
        self.bump();
        for (at, pending) in std::mem::take(&mut self.pending).into_iter().enumerate() {
            if at > 0 && !self.text.get(..self.pos).unwrap_or_default().ends_with('\n') && self.raw().is_some() {
                self.unread("a here-document ends within a line, and another one waits");
            }
            let body = self.here_document_body(&pending);
            self.after_here_document = self.in_substitution && !self.shared.zsh;
            _ = pending.body.set(body);
        }
    }

    /// A substitution has ended before the bodies of these came. They come before those of the text around it.
    pub(super) fn delay_here_documents(&mut self, here_documents: Vec<Pending>) {
        let at = self.pos;
        let place = self.pending.partition_point(|pending| pending.late.is_some());
        let delayed = here_documents.into_iter().map(|pending| Pending { late: pending.late.or(Some(at)), ..pending });
        self.pending.splice(place..place, delayed);
    }

    /// Bash takes a delayed body from the line below, be that within a quote that is still open. It is not followed there.
    pub(super) fn drop_hidden_here_documents(&mut self) {
        let Some(Some(since)) = self.pending.first().map(|pending| pending.late) else { return };
        let between = self.text.get(since..self.pos).unwrap_or_default();
        if between.contains('\n') {
            self.unread("a here-document begins within an open quote");
            self.pending.retain(|pending| pending.late.is_none());
        }
    }

    #[expect(clippy::redundant_closure_for_method_calls, reason = "the method itself is not general enough")]
    fn here_document_body(&mut self, pending: &Pending) -> RawWord {
        let start = self.pos;
        let mut body = String::new();
        let mut end = start;
        while self.raw().is_some() {
            let line = self.body_line(pending.quoted);
            let text = if pending.strip_tabs { line.text.trim_start_matches('\t') } else { &line.text };
            if text == pending.delimiter {
                break;
            }
            let delimiter_end = line.text.len() - text.len() + pending.delimiter.len();
            if self.in_substitution && delimiter_end <= line.unbroken && text.strip_prefix(pending.delimiter.as_str()).is_some_and(|rest| rest.contains(')')) {
                // `EOF)`: bash lets the delimiter end the body, and reads on behind it.
                self.pos = line.start + delimiter_end;
                break;
            }
            if pending.late.is_some() && text.strip_prefix(pending.delimiter.as_str()).is_some_and(|rest| rest.contains(')')) {
                self.unread("the end of a here-document is not sure");
            }
            end = self.pos;
            body.push_str(text);
            if line.ended {
                body.push('\n');
            }
        }
        if pending.quoted {
            return RawWord { parts: vec![Part::Quoted(body)], span: self.span_to(start, end) };
        }
        let origin = self.origin_of(&body, start, end);
        self.within(&body, start, origin, |reader| reader.here_text()).unwrap_or_else(|| RawWord { parts: Vec::new(), span: self.span_to(start, end) })
    }

    fn body_line(&mut self, quoted: bool) -> BodyLine {
        let start = self.pos;
        let mut unbroken = None;
        let mut text = String::new();
        loop {
            let run = self.take_run(|byte| byte == b'\n');
            text.push_str(run);
            let ended = self.raw().is_some();
            if ended {
                self.bump();
            }
            let backslashes = run.len() - run.trim_end_matches('\\').len();
            if quoted || !ended || backslashes.is_multiple_of(2) {
                return BodyLine { unbroken: unbroken.unwrap_or(text.len()), text, ended, start };
            }
            text.pop();
            unbroken.get_or_insert(text.len());
        }
    }
}

/// What a part of a delimiter stands for, in which nothing is expanded, and whether it is quoted, which makes the body data.
/// None: bash waits for its own spelling of such a part.
fn delimiter(part: &Part) -> Option<(String, bool)> {
    match part {
        Part::Text(text) => Some((text.clone(), false)),
        Part::Quoted(text) => Some((text.clone(), true)),
        Part::Parameter(parameter) if parameter.op == Op::None && parameter.subscript.is_none() => Some((format!("${}", parameter.name), parameter.quoted)),
        _ => None,
    }
}
