//! Patch texts read into changes of files: the envelope of Codex's `apply_patch` (`*** Begin Patch`), `diff -u` as
//! GNU diff, Subversion and git write it, and context diffs.
//! Applies nothing and looks at no file. A change that only names a file has empty texts.

mod envelope;
mod header;
mod unified;

/// What a patch does to one path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileChange {
    /// The path as the patch names it, without quotes and stripped prefix; not cleaned.
    pub path: String,
    /// What happens to the path.
    pub kind: Kind,
    /// The lines that come in, without markers, joined with newlines.
    pub added: String,
    /// The lines that leave, without markers, joined with newlines.
    pub removed: String,
}

/// What happens to a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The file is new; `added` is all of its text.
    Add,
    /// Some lines of the file change.
    Update,
    /// The file goes, or is moved away.
    Delete,
    /// Another file's text comes to stand here (a rename or a copy), changed by `added` and `removed`.
    /// A rename also gives a [`Kind::Delete`] of the old path, a copy does not.
    MoveTo,
}

/// Why a text that claims to be a patch gives no change at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mistake {
    /// Nothing can be told from the text.
    Unreadable {
        /// The line where reading failed, counted from 1.
        line: usize,
        /// What is wrong there.
        what: &'static str,
    },
}

/// Reads the text given to `apply_patch`. What stands before the first `*** Begin Patch` (a here-document's first line,
/// commentary) and after `*** End Patch` is skipped. A text without that marker and without a file header in its first
/// line gives an empty list.
///
/// # Errors
/// The envelope is there, but no file can be told.
pub fn codex(text: &str) -> Result<Vec<FileChange>, Mistake> {
    envelope::read(text)
}

/// Reads unified diffs (and context diffs) of any number of files, with whatever stands around them.
///
/// `strip` is the number of leading path parts to drop, as `-p` of `patch` and `git apply`. Without it, the `a/` and `b/`
/// of git are dropped where they are, and nothing elsewhere.
///
/// Where the two names of a file differ and no rename is stated, `patch` takes the one that exists: both are given.
///
/// # Errors
/// There are hunks, but no file can be told.
pub fn unified(text: &str, strip: Option<usize>) -> Result<Vec<FileChange>, Mistake> {
    unified::read(text, strip)
}

/// Adds a line to a text of lines joined with newlines.
fn push_line(text: &mut Option<String>, line: &str) {
    match text {
        Some(text) => {
            text.push('\n');
            text.push_str(line);
        }
        None => *text = Some(line.to_owned()),
    }
}

#[cfg(test)]
#[path = "patch_tests.rs"]
mod tests;
