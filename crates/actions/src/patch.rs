//! Patch texts read into changes of files: the envelope of Codex's `apply_patch` (`*** Begin Patch`), and `diff -u` as GNU
//! diff, Subversion and git write it, with whatever is around.
//! Applies nothing and looks at no file. A change that only names a file has empty texts.

use shell_reader::escapes;

/// What a patch does to one path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileChange {
    /// The path as the patch names it, without quotes and without git's `a/` and `b/`; not cleaned.
    pub path: String,
    /// What happens to the path.
    pub kind: ChangeKind,
    /// The lines that come in, without markers, joined with newlines.
    pub added: String,
    /// The lines that leave, without markers, joined with newlines.
    pub removed: String,
}

/// What happens to a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// The file is new; `added` is all of its text.
    Add,
    /// Some lines of the file change. A rename gives it for the new path, beside [`ChangeKind::Delete`] of the old one.
    Update,
    /// The file goes, or is moved away.
    Delete,
}

/// The changes of a patch; empty for a text that is not a patch. `None`: it says that it is one, but no file can be shown.
///
/// Where the two names of a file differ and no rename is stated, `patch` takes the one that exists: both are given.
pub fn read(text: &str) -> Option<Vec<FileChange>> {
    let mut reader = PatchReader { lines: text.lines().collect(), at: 0, section: None, changes: Vec::new(), unreadable: false };
    if text.contains("*** Begin Patch") {
        reader.envelope();
    } else {
        while reader.at < reader.lines.len() {
            reader.step();
        }
    }
    reader.finish();
    (!reader.unreadable || !reader.changes.is_empty()).then_some(reader.changes)
}

/// One file's part of the patch while it is being read.
#[derive(Default)]
struct Section<'a> {
    /// It begins with git's own line.
    git: bool,
    /// The names of the `---` and `+++` lines, else those of the line before them.
    old: String,
    new: String,
    named_by_lines: bool,
    /// The names carry git's `a/` and `b/`.
    prefixed: bool,
    is_new: bool,
    is_deleted: bool,
    /// The names of a rename, or of a copy.
    from: Option<String>,
    to: Option<String>,
    is_copy: bool,
    /// Something besides the names was seen, so that there is a change to report.
    touched: bool,
    has_hunk: bool,
    added: Vec<&'a str>,
    removed: Vec<&'a str>,
}

struct PatchReader<'a> {
    lines: Vec<&'a str>,
    at: usize,
    section: Option<Section<'a>>,
    changes: Vec<FileChange>,
    /// A part is there that belongs to no file.
    unreadable: bool,
}

impl<'a> PatchReader<'a> {
    /// The envelope, as lenient as the tool itself: markers may be padded with blanks, and text can be around it. Where
    /// the tool would refuse a line, reading continues, so that no later file is missed.
    fn envelope(&mut self) {
        let mut inside = false;
        let mut empty = true;
        for line in std::mem::take(&mut self.lines) {
            let marker = line.trim();
            let header = || {
                ["Add", "Update", "Delete"]
                    .into_iter()
                    .find_map(|word| Some((word, marker.strip_prefix("*** ")?.strip_prefix(word)?.strip_prefix(" File:")?.trim())))
            };
            match (inside, marker, header()) {
                (_, "*** Begin Patch", _) => inside = true,
                (false, ..) => {}
                (_, "*** End Patch", _) => {
                    self.finish();
                    inside = false;
                    empty = false;
                }
                (_, _, Some((word, path))) => {
                    self.finish();
                    self.unreadable |= path.is_empty();
                    let section = Section { touched: true, new: path.to_owned(), is_new: word == "Add", is_deleted: word == "Delete", ..Section::default() };
                    self.section = Some(section).filter(|_| !path.is_empty());
                }
                _ => match &mut self.section {
                    Some(section) if section.is_new => section.added.push(line.strip_prefix('+').unwrap_or(line)),
                    Some(section) if !section.is_deleted => match (marker.strip_prefix("*** Move to:"), line.split_at_checked(1)) {
                        (Some(target), _) => (section.from, section.to) = (Some(section.new.clone()), Some(target.trim().to_owned())),
                        (None, Some(("+", rest))) => section.added.push(rest),
                        (None, Some(("-", rest))) => section.removed.push(rest),
                        _ => {}
                    },
                    Some(_) => {}
                    None => self.unreadable |= !marker.is_empty() && !marker.starts_with("*** Environment ID:"),
                },
            }
        }
        self.unreadable |= inside && empty;
    }

    fn line(&self, ahead: usize) -> &'a str {
        self.lines.get(self.at + ahead).copied().unwrap_or_default()
    }

    /// Reads one line, or one whole hunk, outside of hunks.
    fn step(&mut self) {
        // `patch` takes off what indents the whole diff.
        let line = self.line(0);
        let bare = line.trim_start_matches([' ', '\t']);
        let indent = line.len() - bare.len();
        let below = unindented(self.line(1), indent).strip_prefix("+++ ");
        if let Some(rest) = bare.strip_prefix("diff --git ") {
            self.finish();
            let (old, new) = git_names(rest.trim_end());
            self.section = Some(Section { git: true, prefixed: prefixed(&old, &new, true), old, new, ..Section::default() });
        } else if let (Some(old), Some(new)) = (bare.strip_prefix("--- "), below) {
            self.names(old, new);
            self.at += 1;
        } else if bare.starts_with("@@ ") || bare == "@@" {
            return self.hunk(indent);
        } else if bare.starts_with("***************") {
            // Context diffs are out of use, and are not read.
            self.unreadable = true;
        } else if let Some(rest) = line.strip_prefix("Index: ") {
            self.finish();
            self.section = Some(Section { old: name(rest), new: name(rest), ..Section::default() });
        } else if indent == 0 {
            self.extended(bare);
        }
        self.at += 1;
    }

    /// The lines `--- old` and `+++ new`.
    fn names(&mut self, old: &str, new: &str) {
        if self.section.as_ref().is_none_or(|section| section.has_hunk || section.named_by_lines || !section.git) {
            self.finish();
        }
        let section = self.section.get_or_insert_default();
        // By the beginning of the epoch, in whatever zone it was written, `diff -N` says that there is no such file.
        let none =
            |rest: &str| name(rest) == "/dev/null" || ["\t1970-01-01 ", "\t1969-12-31 ", "\tThu Jan  1 00:00:00 1970"].iter().any(|day| rest.contains(day));
        section.is_new |= none(old);
        section.is_deleted |= none(new);
        (section.old, section.new) = (name(old), name(new));
        if !section.git {
            section.prefixed = prefixed(&section.old, &section.new, false);
        }
        section.named_by_lines = true;
    }

    /// Git's lines between `diff --git` and the names.
    fn extended(&mut self, line: &str) {
        let Some(section) = self.section.as_mut().filter(|section| section.git && !section.has_hunk) else { return };
        let heads = "new file mode|deleted file mode|rename from |rename to |copy from |copy to |old mode|new mode|Binary files |GIT binary patch";
        let Some((head, rest)) = heads.split('|').find_map(|head| Some((head, line.strip_prefix(head)?))) else { return };
        section.touched = true;
        section.is_new |= head.starts_with("new file");
        section.is_deleted |= head.starts_with("deleted");
        section.is_copy |= head.starts_with("copy");
        match head.split(' ').nth(1) {
            Some("from") => section.from = Some(name(rest)),
            Some("to") => section.to = Some(name(rest)),
            _ => {}
        }
    }

    /// Reads a hunk. Its counts say where it ends, so that a removed `-- x` is no header. `git apply --recount` does
    /// without counts: added and removed lines that follow at once belong to the hunk too.
    fn hunk(&mut self, indent: usize) {
        let head = unindented(self.line(0), indent);
        let ranges = ranges(head);
        self.unreadable |= self.section.is_none();
        let mut nameless = Section::default();
        let section = self.section.as_mut().unwrap_or(&mut nameless);
        section.has_hunk = true;
        let (mut old_left, mut new_left) = ranges.unwrap_or((0, 0));
        // Git says by other lines that a file is new; elsewhere a file without lines before is as good as new.
        section.is_new |= !section.git && head.starts_with("@@ -0,0 ") && section.removed.is_empty();
        let mut at = self.at + 1;
        while let Some(line) = self.lines.get(at).map(|line| unindented(line, indent)) {
            let counted = old_left > 0 || new_left > 0;
            if !counted {
                let next = self.lines.get(at + 1).map_or("", |line| unindented(line, indent));
                let is_header = line.starts_with("--- ") && next.starts_with("+++ ");
                // `-- ` alone is the signature of a mail.
                if is_header || line == "-- " || line.starts_with("+++ ") {
                    break;
                }
            }
            match line.as_bytes().first() {
                Some(b'+') => {
                    new_left = new_left.saturating_sub(1);
                    section.added.push(line.get(1..).unwrap_or_default());
                }
                Some(b'-') => {
                    old_left = old_left.saturating_sub(1);
                    section.removed.push(line.get(1..).unwrap_or_default());
                }
                // An empty line is context whose blank was lost on the way.
                Some(b' ' | b'\t') | None if counted || ranges.is_none() => {
                    old_left = old_left.saturating_sub(1);
                    new_left = new_left.saturating_sub(1);
                }
                Some(b' ' | b'\\') => {}
                _ => break,
            }
            at += 1;
        }
        self.at = at;
    }

    /// Ends the section and gives its changes.
    fn finish(&mut self) {
        let Some(section) = self.section.take().filter(|section| section.touched || section.has_hunk) else { return };
        let stripped =
            |name: String| name.split_once('/').filter(|_| section.prefixed && name != "/dev/null").map_or(name.clone(), |(_, rest)| rest.to_owned());
        let (old, new) = (stripped(section.old), stripped(section.new));
        let (added, removed) = (section.added.join("\n"), section.removed.join("\n"));
        let mut push = |path: String, kind, added, removed| self.changes.push(FileChange { path, kind, added, removed });
        let is_none = |name: &str| name.is_empty() || name == "/dev/null";
        if let (Some(from), Some(to)) = (section.from, section.to) {
            if !section.is_copy {
                push(from, ChangeKind::Delete, String::new(), String::new());
            }
            push(to, ChangeKind::Update, added, removed);
        } else if section.is_deleted {
            push(if is_none(&old) { new } else { old }, ChangeKind::Delete, added, removed);
        } else if section.is_new {
            push(if is_none(&new) { old } else { new }, ChangeKind::Add, added, removed);
        } else if new.is_empty() {
            push(old, ChangeKind::Update, added, removed);
        } else {
            // A backup's name (`x.orig`, `x~`) is the older side of the same file.
            if !section.git && !old.is_empty() && !old.starts_with(&new) {
                push(old, ChangeKind::Update, added.clone(), removed.clone());
            }
            push(new, ChangeKind::Update, added, removed);
        }
    }
}

/// A file's name as a header gives it: in quotes with C's escapes, or up to the time stamp.
fn name(rest: &str) -> String {
    let rest = rest.trim_end_matches('\r');
    let is_day = |at: &usize| {
        rest.get(at + 1..at + 11)
            .is_some_and(|day| day.bytes().enumerate().all(|(at, byte)| if matches!(at, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() }))
    };
    let end = rest.find('\t').or_else(|| rest.match_indices(' ').map(|(at, _)| at).find(is_day)).unwrap_or(rest.len());
    quoted(rest).map_or_else(|| rest.get(..end).unwrap_or(rest).trim().to_owned(), |(name, _)| name)
}

/// A name in quotes with C's escapes, and what follows it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut rest = text.strip_prefix('"')?;
    let mut bytes = Vec::new();
    loop {
        let (stretch, tail) = rest.split_at(rest.find(['"', '\\'])?);
        bytes.extend_from_slice(stretch.as_bytes());
        if let Some(after) = tail.strip_prefix('"') {
            return Some((String::from_utf8_lossy(&bytes).into_owned(), after));
        }
        let escape = tail.get(1..)?;
        let (byte, length) = escapes::byte(escape.as_bytes()).or_else(|| Some((*escape.as_bytes().first()?, 1)))?;
        bytes.push(byte);
        rest = escape.get(length..)?;
    }
}

/// Both names of a `diff --git` line. Without quotes they are as long as each other: a rename gives its names by lines.
fn git_names(rest: &str) -> (String, String) {
    match quoted(rest) {
        Some((old, after)) => (old, name(after.trim_start())),
        None => {
            let (old, new) = rest.split_at_checked(rest.len() / 2).unwrap_or((rest, ""));
            (old.to_owned(), name(new.trim_start()))
        }
    }
}

/// Whether the two names carry git's prefixes: `a/` and `b/`, or in git's own headers also those of `diff.mnemonicPrefix`.
fn prefixed(old: &str, new: &str, git: bool) -> bool {
    let front = |name: &str| name.split_once('/').map(|(front, _)| front.to_owned()).unwrap_or_default();
    match (front(old).as_str(), front(new).as_str()) {
        ("a", "b") => true,
        ("a", "") => new == "/dev/null",
        ("", "b") => old == "/dev/null",
        (left, right) => git && left.len() == 1 && right.len() == 1 && left != right,
    }
}

/// Takes off up to `indent` blanks.
fn unindented(line: &str, indent: usize) -> &str {
    let blanks = line.bytes().take(indent).take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    line.get(blanks..).unwrap_or_default()
}

/// The numbers of old and new lines of `@@ -1,2 +3,4 @@`; a count that is missing is 1.
fn ranges(head: &str) -> Option<(usize, usize)> {
    let (ranges, _) = head.strip_prefix("@@ -")?.split_once(" @@")?;
    let (old, new) = ranges.split_once(" +")?;
    let count = |range: &str| match range.split_once(',') {
        Some((start, count)) => start.parse::<usize>().ok().and(count.parse().ok()),
        None => range.parse::<usize>().ok().map(|_| 1),
    };
    Some((count(old)?, count(new)?))
}

#[cfg(test)]
#[path = "patch_tests.rs"]
mod tests;
