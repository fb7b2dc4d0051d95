//! The envelope of `apply_patch`. As lenient as the tool itself: markers may be padded with blanks, the text may be
//! wrapped in a here-document. Where the tool would refuse a line, reading goes on, so that no later file is missed.

use super::{FileChange, Kind, Mistake, push_line};

/// A file's section while it is being read.
struct Section {
    path: String,
    kind: Kind,
    move_to: Option<String>,
    added: Option<String>,
    removed: Option<String>,
}

impl Section {
    fn finish(self, changes: &mut Vec<FileChange>) {
        let added = self.added.unwrap_or_default();
        let removed = self.removed.unwrap_or_default();
        let Some(target) = self.move_to else {
            changes.push(FileChange { path: self.path, kind: self.kind, added, removed });
            return;
        };
        changes.push(FileChange { path: self.path, kind: Kind::Delete, added: String::new(), removed: String::new() });
        changes.push(FileChange { path: target, kind: Kind::MoveTo, added, removed });
    }

    fn take(&mut self, line: &str) {
        match self.kind {
            Kind::Add => push_line(&mut self.added, line.strip_prefix('+').unwrap_or(line)),
            Kind::Update => {
                if let Some(rest) = line.strip_prefix('+') {
                    push_line(&mut self.added, rest);
                } else if let Some(rest) = line.strip_prefix('-') {
                    push_line(&mut self.removed, rest);
                }
            }
            Kind::Delete | Kind::MoveTo => {}
        }
    }
}

pub(super) fn read(text: &str) -> Result<Vec<FileChange>, Mistake> {
    let has_envelope = text.lines().any(|line| line.trim() == "*** Begin Patch");
    let starts_with_header = || text.lines().find(|line| !line.trim().is_empty()).and_then(header).is_some();
    if !has_envelope && !starts_with_header() {
        return Ok(Vec::new());
    }
    let mut changes = Vec::new();
    let mut section: Option<Section> = None;
    let mut inside = !has_envelope;
    let mut mistake = None;
    let mut last = 0;
    for (index, line) in text.lines().enumerate() {
        last = index + 1;
        let trimmed = line.trim();
        if trimmed == "*** Begin Patch" {
            inside = true;
            continue;
        }
        if !inside {
            continue;
        }
        if trimmed == "*** End Patch" {
            if let Some(open) = section.take() {
                open.finish(&mut changes);
            }
            inside = false;
            // An envelope with nothing in it does nothing: that is readable.
            continue;
        }
        if let Some((kind, path)) = header(line) {
            if let Some(open) = section.take() {
                open.finish(&mut changes);
            }
            if path.is_empty() {
                mistake = mistake.or(Some(Mistake::Unreadable { line: last, what: "a file header without a path" }));
                continue;
            }
            section = Some(Section { path: path.to_owned(), kind, move_to: None, added: None, removed: None });
            continue;
        }
        let Some(open) = section.as_mut() else {
            if !trimmed.is_empty() && !trimmed.starts_with("*** Environment ID:") {
                mistake = mistake.or(Some(Mistake::Unreadable { line: last, what: "a line that belongs to no file" }));
            }
            continue;
        };
        match trimmed.strip_prefix("*** Move to:") {
            Some(target) if open.kind == Kind::Update => open.move_to = Some(target.trim().to_owned()),
            _ if trimmed == "*** End of File" && open.kind == Kind::Update => {}
            _ => open.take(line),
        }
    }
    if let Some(open) = section.take() {
        open.finish(&mut changes);
    } else if inside && changes.is_empty() {
        mistake = mistake.or(Some(Mistake::Unreadable { line: last, what: "the patch ends before its first file" }));
    }
    match mistake {
        Some(mistake) if changes.is_empty() => Err(mistake),
        _ => Ok(changes),
    }
}

/// The header of a file's section. The tool takes off blanks before it looks, so an indented header is one too.
fn header(line: &str) -> Option<(Kind, &str)> {
    let rest = line.trim().strip_prefix("*** ")?;
    for (word, kind) in [("Add File:", Kind::Add), ("Update File:", Kind::Update), ("Delete File:", Kind::Delete)] {
        if let Some(path) = rest.strip_prefix(word) {
            return Some((kind, path.trim()));
        }
    }
    None
}
