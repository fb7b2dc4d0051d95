//! Unified and context diffs: sections, hunks, git's extended headers.

use super::header::{self, Name};
use super::{FileChange, Kind, Mistake, push_line};

/// One file's part of the diff while it is being read.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is one independent line of a diff's header, seen or not")]
struct Section {
    git: bool,
    /// The names of the `---` and `+++` lines, else those of the `diff --git` or `Index:` line.
    old: Name,
    new: Name,
    named_by_lines: bool,
    prefixed: bool,
    is_new: bool,
    is_deleted: bool,
    from: Option<String>,
    to: Option<String>,
    is_copy: bool,
    /// Something besides the names was seen, so that there is a change to report.
    touched: bool,
    has_hunk: bool,
    added: Option<String>,
    removed: Option<String>,
}

struct Reader<'a> {
    lines: Vec<&'a str>,
    at: usize,
    strip: Option<usize>,
    section: Option<Section>,
    changes: Vec<FileChange>,
    mistake: Option<Mistake>,
}

pub(super) fn read(text: &str, strip: Option<usize>) -> Result<Vec<FileChange>, Mistake> {
    let mut reader = Reader { lines: text.lines().collect(), at: 0, strip, section: None, changes: Vec::new(), mistake: None };
    while reader.at < reader.lines.len() {
        reader.step();
    }
    reader.finish();
    match reader.mistake {
        Some(mistake) if reader.changes.is_empty() => Err(mistake),
        _ => Ok(reader.changes),
    }
}

impl<'a> Reader<'a> {
    fn line(&self, ahead: usize) -> &'a str {
        self.lines.get(self.at + ahead).copied().unwrap_or_default()
    }

    /// Reads one line, or one whole hunk, outside of hunks.
    fn step(&mut self) {
        // `patch` takes off what indents the whole diff.
        let line = self.line(0);
        let bare = line.trim_start_matches([' ', '\t']);
        let indent = line.len() - bare.len();
        if let Some(rest) = bare.strip_prefix("diff --git ") {
            self.finish();
            self.section = Some(git_section(rest));
        } else if let Some(rest) = bare.strip_prefix("diff --cc ").or_else(|| bare.strip_prefix("diff --combined ")) {
            self.finish();
            let name = header::name(rest);
            self.section = Some(Section { git: true, touched: true, old: name.clone(), new: name, ..Section::default() });
        } else if self.pair(indent, "--- ", "+++ ") || self.context_pair(indent) {
            let below = unindented(self.line(1), indent);
            self.names(bare.get(4..).unwrap_or_default(), below.get(4..).unwrap_or_default());
            self.at += 2;
            return;
        } else if bare.starts_with("@@ ") || bare == "@@" {
            self.hunk(indent);
            return;
        } else if bare.starts_with("***************") {
            self.context_hunk(indent);
            return;
        } else if indent == 0 && !self.extended(bare) {
            self.plain(bare);
        }
        self.at += 1;
    }

    /// Whether this line and the next one are a pair of name lines.
    fn pair(&self, indent: usize, first: &str, second: &str) -> bool {
        unindented(self.line(0), indent).starts_with(first) && unindented(self.line(1), indent).starts_with(second)
    }

    /// Whether a file of a context diff begins here.
    fn context_pair(&self, indent: usize) -> bool {
        self.pair(indent, "*** ", "--- ") && unindented(self.line(2), indent).starts_with("***************")
    }

    fn names(&mut self, old: &str, new: &str) {
        let (old, new) = (header::name(old), header::name(new));
        if self.section.as_ref().is_none_or(|section| section.has_hunk || section.named_by_lines || !section.git) {
            self.finish();
        }
        let section = self.section.get_or_insert_default();
        if !section.git {
            section.prefixed = header::prefixed(&old.text, &new.text, false);
        }
        section.is_new |= old.is_none();
        section.is_deleted |= new.is_none();
        section.old = old;
        section.new = new;
        section.named_by_lines = true;
    }

    /// Git's lines between `diff --git` and the names. Gives false for what is none of them.
    fn extended(&mut self, line: &str) -> bool {
        let Some(section) = self.section.as_mut().filter(|section| section.git && !section.has_hunk) else {
            return false;
        };
        let path = |rest: &str| header::quoted(rest).map_or_else(|| rest.trim_end_matches('\r').to_owned(), |(path, _)| path);
        if line.starts_with("new file mode") {
            section.is_new = true;
        } else if line.starts_with("deleted file mode") {
            section.is_deleted = true;
        } else if let Some(rest) = line.strip_prefix("rename from ").or_else(|| line.strip_prefix("rename old ")) {
            section.from = Some(path(rest));
        } else if let Some(rest) = line.strip_prefix("rename to ").or_else(|| line.strip_prefix("rename new ")) {
            section.to = Some(path(rest));
        } else if let Some(rest) = line.strip_prefix("copy from ") {
            section.from = Some(path(rest));
            section.is_copy = true;
        } else if let Some(rest) = line.strip_prefix("copy to ") {
            section.to = Some(path(rest));
            section.is_copy = true;
        } else if !(line.starts_with("old mode") || line.starts_with("new mode") || line.starts_with("Binary files ") || line.starts_with("GIT binary patch")) {
            return false;
        }
        section.touched = true;
        true
    }

    /// Lines that name a file in diffs that are not git's.
    fn plain(&mut self, line: &str) {
        if let Some(rest) = line.strip_prefix("Index: ") {
            self.finish();
            let name = header::name(rest);
            self.section = Some(Section { old: name.clone(), new: name, ..Section::default() });
        } else if let Some(rest) = line.strip_prefix("Binary files ")
            && let Some((old, new)) = rest.trim_end().strip_suffix(" differ").and_then(|rest| rest.split_once(" and "))
        {
            self.finish();
            self.names(old, new);
            if let Some(section) = self.section.as_mut() {
                section.touched = true;
            }
            self.finish();
        }
    }

    /// Reads a hunk. Its counts say where it ends, so that a removed `-- x` is no header. `git apply --recount` does
    /// without counts: added and removed lines that follow at once belong to the hunk too.
    fn hunk(&mut self, indent: usize) {
        let head = unindented(self.line(0), indent);
        let ranges = ranges(head);
        if self.section.is_none() {
            self.mistake = self.mistake.or(Some(Mistake::Unreadable { line: self.at + 1, what: "a hunk without a file name before it" }));
        }
        let mut nameless = Section::default();
        let lines = &self.lines;
        let section = self.section.as_mut().unwrap_or(&mut nameless);
        section.has_hunk = true;
        let (mut old_left, mut new_left) = ranges.unwrap_or((0, 0));
        // Git says by other lines that a file is new; elsewhere a file without lines before is as good as new.
        section.is_new |= !section.git && head.starts_with("@@ -0,0 ") && section.removed.is_none();
        let mut at = self.at + 1;
        while let Some(line) = lines.get(at).map(|line| unindented(line, indent)) {
            let counted = old_left > 0 || new_left > 0;
            if !counted {
                let next = lines.get(at + 1).map_or("", |line| unindented(line, indent));
                let is_header = line.starts_with("--- ") && next.starts_with("+++ ");
                // `-- ` alone is the signature of a mail.
                if is_header || line == "-- " || line.starts_with("+++ ") {
                    break;
                }
            }
            match line.as_bytes().first() {
                Some(b'+') => {
                    new_left = new_left.saturating_sub(1);
                    push_line(&mut section.added, line.get(1..).unwrap_or_default());
                }
                Some(b'-') => {
                    old_left = old_left.saturating_sub(1);
                    push_line(&mut section.removed, line.get(1..).unwrap_or_default());
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

    /// Reads one hunk of a context diff: the lines of the old side, then those of the new one.
    fn context_hunk(&mut self, indent: usize) {
        self.at += 1;
        let Some(section) = self.section.as_mut().filter(|section| section.named_by_lines) else { return };
        let mut new_side = None;
        while let Some(line) = self.lines.get(self.at).map(|line| unindented(line, indent)) {
            if line.starts_with("*** ") && line.ends_with(" ****") && new_side.is_none() {
                new_side = Some(false);
            } else if line.starts_with("--- ") && line.ends_with(" ----") && new_side == Some(false) {
                new_side = Some(true);
            } else if let Some(new_side) = new_side
                && let Some((mark @ ("+" | "-" | "!" | " " | "\\"), text)) = line.split_at_checked(1)
            {
                let text = text.strip_prefix(' ').unwrap_or(text);
                match mark {
                    "+" => push_line(&mut section.added, text),
                    "!" if new_side => push_line(&mut section.added, text),
                    "-" | "!" => push_line(&mut section.removed, text),
                    _ => {}
                }
            } else {
                break;
            }
            section.has_hunk = true;
            self.at += 1;
        }
    }

    /// Ends the section and gives its changes.
    fn finish(&mut self) {
        let Some(section) = self.section.take() else { return };
        if !(section.touched || section.has_hunk) {
            return;
        }
        let strip = self.strip.unwrap_or(usize::from(section.prefixed));
        let stripped = |name: &Name| header::strip(&name.text, strip).to_owned();
        let (old, new) = (stripped(&section.old), stripped(&section.new));
        let added = section.added.unwrap_or_default();
        let removed = section.removed.unwrap_or_default();
        let mut push = |path: String, kind, added, removed| self.changes.push(FileChange { path, kind, added, removed });
        if let (Some(from), Some(to)) = (&section.from, &section.to) {
            // These names never carry git's prefix, which is the first part that `-p` counts.
            let bare = |path: &str| header::strip(path, self.strip.unwrap_or(1).saturating_sub(1)).to_owned();
            if !section.is_copy {
                push(bare(from), Kind::Delete, String::new(), String::new());
            }
            push(bare(to), Kind::MoveTo, added, removed);
        } else if section.is_deleted {
            let path = if section.old.text == "/dev/null" { new } else { old };
            push(path, Kind::Delete, added, removed);
        } else if section.is_new {
            let path = if section.new.text == "/dev/null" { old } else { new };
            push(path, Kind::Add, added, removed);
        } else if new.is_empty() {
            push(old, Kind::Update, added, removed);
        } else {
            // A backup's name (`x.orig`, `x~`) is the older side of the same file.
            if !section.git && !old.is_empty() && !old.starts_with(&new) {
                push(old, Kind::Update, added.clone(), removed.clone());
            }
            push(new, Kind::Update, added, removed);
        }
    }
}

fn git_section(rest: &str) -> Section {
    let (old, new) = header::git_names(rest).unwrap_or_default();
    Section {
        git: true,
        prefixed: header::prefixed(&old, &new, true),
        old: Name { text: old, epoch: false },
        new: Name { text: new, epoch: false },
        ..Section::default()
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
