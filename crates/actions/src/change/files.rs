//! Files of a change: what is in a commit or in the index against what was there before.

use super::Id;

/// What a file is, as git keeps it (gitformat-index, "mode").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    Plain,
    /// A file that may be run.
    Program,
    /// A symbolic link; its text is where it leads.
    Link,
    /// A commit of another repository.
    Module,
}

/// A file on one side of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    pub kind: FileKind,
    /// The object that holds its text; for a module, the other repository's commit.
    pub id: Id,
}

/// A file that a change touches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// From the top of the repository; bytes that are not UTF-8 are replaced.
    pub path: String,
    /// The path that it had before, if it was moved.
    pub from: Option<String>,
    /// None: it is new.
    pub old: Option<Version>,
    /// None: it goes away.
    pub new: Option<Version>,
    /// How it is in the other parents of a merge.
    pub others: Vec<Option<Version>>,
}

/// The text of one side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileText {
    /// There is no file.
    None,
    /// Its lines; bytes that are not UTF-8 are replaced.
    Lines(String),
    /// It is no text, or too large to be read.
    Unread,
}

impl FileText {
    /// The lines, if they are known.
    pub fn lines(&self) -> Option<&str> {
        match self {
            Self::Lines(text) => Some(text),
            Self::None | Self::Unread => None,
        }
    }
}

/// What a change does to the text of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    pub old: FileText,
    pub new: FileText,
    /// Bytes of the new text.
    pub bytes: u64,
    /// Lines that the change adds, with their number in the new text (from one), without their ends.
    pub added: Vec<(usize, String)>,
    /// Lines that it takes away.
    pub removed: Vec<String>,
}

/// A commit with the files it touches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitFiles {
    pub id: Id,
    pub message: String,
    /// `Name <address>`
    pub author: String,
    pub files: Vec<File>,
}
