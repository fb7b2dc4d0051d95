//! What a tool call, a commit or a push would do: the one model that rules speak of, whatever the tool.
//! Knows no rule and judges nothing.
#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros)]

pub mod arguments;
pub mod base64;
pub mod change;
pub mod code;
pub mod committed;
pub mod hidden;
pub mod json;
pub mod lookup;
pub mod patch;
pub mod path;
pub mod printed;
pub mod program;
pub mod pushed;
pub mod recipe;
pub mod shell;
pub mod shown;
pub mod tools;
pub mod wire;
pub mod word;

use std::rc::Rc;

use path::Path;
pub use shell_reader::ast::Span;
pub use tools::ToolCall;
use word::Word;

/// One thing that would be done.
#[derive(Clone, Debug, PartialEq)]
pub struct Action {
    /// What.
    pub deed: Deed,
    /// How it was reached, the outermost first: `sudo`, `bash -c`, `$()`. Empty: the call does it directly.
    pub via: Vec<String>,
    /// The call does it for certain. False if a guess was needed (an unknown option in front of an inner command).
    pub sure: bool,
    /// The action comes from a file that existed before the call. Rules match it only when they are certain: nearly every
    /// script has a word that cannot be known before it runs.
    pub stored: bool,
    /// The place in the list of the [`Deed::Run`] that does it.
    pub from: Option<usize>,
    /// Its place in the text of the tool call: the word that names what is touched, or the command. `None`: the call has no
    /// such text, or the action is not in it.
    pub span: Option<Span>,
}

/// The kinds of action.
#[derive(Clone, Debug, PartialEq)]
pub enum Deed {
    /// A program is run.
    Run(Run),
    /// Text is written to a file.
    Write(Write),
    /// A file or folder goes away.
    Delete(Delete),
    /// A file is read.
    Read(Read),
    /// An address is fetched.
    Fetch { url: Word, method: Option<Word> },
    /// A tool is called that is neither a shell nor a file tool.
    Call(Call),
    /// A sub-agent is started.
    Spawn { agent: String, prompt: String },
    /// A ref of a remote repository is changed.
    Push(Push),
    /// A commit is made.
    Commit(Commit),
    /// Something is lost in a database.
    Query(Box<Query>),
    /// Something that could not be read.
    Opaque { text: String, why: &'static str },
}

/// A program with its arguments, wrappers taken off.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Run {
    /// The program's name without a folder; always known (a computed name is [`Deed::Opaque`]).
    pub program: String,
    /// For programs with subcommands: `push`, `remote set-url`; with a hole if it is computed.
    pub subcommand: Option<Word>,
    /// Options given, by all their names.
    pub flags: Vec<Flag>,
    /// Operands.
    pub args: Vec<Word>,
    /// Some word could turn out to be an option: the first such word.
    pub may_hide_flags: Option<Word>,
    /// Assignments in front, or given by `env`.
    pub env: Vec<(String, Word)>,
    /// What the line exported before.
    pub exported: Rc<Vec<(String, Word)>>,
    /// The name of the program whose output is its standard input, if any.
    pub stdin_from: Option<String>,
    /// The first operand is the key of a setting, and those behind it are its value.
    pub keyed: bool,
    /// All words, for the message.
    pub words: Vec<Word>,
    /// It does not run on this machine's files.
    pub remote: bool,
    /// The folder in which it runs; for git the one that `-C` or `--git-dir` names.
    pub folder: Word,
    /// The branch to which the line switched before. `None`: it did not.
    pub branch: Option<Word>,
    /// The files and folders to which a call of git is limited. Empty: it is not.
    pub limits: Vec<Path>,
}

/// An option as given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flag {
    /// All names of the option, with dashes.
    pub names: Vec<String>,
    /// Its value.
    pub value: Option<Word>,
}

impl Flag {
    /// Whether the option has this name.
    pub fn is(&self, name: &str) -> bool {
        self.names.iter().any(|known| known == name)
    }
}

/// A write.
#[derive(Clone, Debug, PartialEq)]
pub struct Write {
    /// Where.
    pub path: Path,
    /// What becomes of the text.
    pub change: Change,
}

/// What a write does to the text of a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// The file's whole new text.
    Whole(String),
    /// Replacements in order: old, new, everywhere.
    Edits(Vec<(String, String, bool)>),
    /// Text added at the end.
    Append(String),
    /// Text that is not known, added at the end.
    AppendUnknown,
    /// Lines that a patch adds and removes.
    Patch { added: String, removed: String },
    /// The text of another file as it is before the call, in place of the text or at its end.
    Copy { from: String, append: bool },
    /// What a program's own language makes of the text, or writes: `sed -i`, `ed`, the output of `jq`.
    Edited(Edited),
    /// The owner, the mode or the times, not the text.
    Attributes {
        /// Of all below a folder too.
        tree: bool,
    },
    /// Files below the path take the place of those of the same names: all that are in these folders, or that are not known.
    Tree(Vec<String>),
    /// Not known.
    Unknown,
}

/// The language of an edit that leaves nothing, such as `truncate -s 0`.
pub const EMPTIED: &str = "empty";

/// A text in a program's own language that changes a file, or makes it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edited {
    /// `sed`, `perl`; empty: of another program. Then the new text cannot be computed.
    pub language: String,
    /// Options that were given, by their first names.
    pub options: Vec<String>,
    pub script: String,
    /// Files whose text may come with it.
    pub from: Vec<String>,
    /// It comes behind what the file holds.
    pub append: bool,
}

impl Edited {
    /// It is no text that changes a file: only where the new text comes from is known.
    pub fn only_arrives(&self) -> bool {
        self.language.is_empty() && self.options.is_empty() && self.script.is_empty()
    }
}

/// A file that is read, and where its text goes.
#[derive(Clone, Debug, PartialEq)]
pub struct Read {
    /// What.
    pub path: Path,
    /// Its text comes back as the result of the call.
    pub shown: bool,
    /// Its text goes to another machine.
    pub sent: bool,
}

impl From<Path> for Read {
    /// Nothing is known of where its text goes.
    fn from(path: Path) -> Self {
        Self { path, shown: false, sent: false }
    }
}

/// A deletion.
#[derive(Clone, Debug, PartialEq)]
pub struct Delete {
    /// What.
    pub path: Path,
    /// With all below it.
    pub recursive: bool,
    /// It is only moved away.
    pub moved: bool,
}

/// A call of a tool server's tool, or of a tool that is not known.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// `mcp__server__tool`, or the host's name for the tool.
    pub tool: String,
    /// Every scalar of its input: JSON pointer and text.
    pub args: Vec<(String, String)>,
    /// What it does, if its description says so, or else the first word of its name.
    pub does: Option<program::ToolEffect>,
    /// The tools of its server are described.
    pub described: bool,
}

/// What happens to one ref.
#[derive(Clone, Debug, PartialEq)]
pub struct Push {
    /// The remote, where it is named.
    pub remote: Option<Word>,
    /// The name of the ref in the remote. `None`: whatever the configuration says (the current branch).
    pub target: Option<Word>,
    /// What is known of its kind.
    pub kinds: Vec<PushKind>,
    /// The kinds above are certain; otherwise an unknown word could give them.
    pub sure: bool,
}

/// A commit, but for what it does to each file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Commit {
    /// Its message. `None`: it is not written yet.
    pub message: Option<String>,
    /// `Name <address>`
    pub author: String,
    /// Files that are added or changed.
    pub touches: Vec<Path>,
    /// Files that go away, or are moved away.
    pub deletes: Vec<Path>,
}

/// Something that is lost in a database, or could be.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Query {
    /// The language of the text: `postgres`, `mysql`, `sqlite`, `sql`, `redis`, `mongodb`, `graphql`.
    pub language: &'static str,
    /// What is lost: `table`, `all-rows`, and so on ([`query_reader::Loss`]).
    pub loses: &'static str,
    /// The name of what is lost, in lower case; empty: it has none.
    pub name: String,
    /// The client, or the tool.
    pub program: String,
    /// The host that is named.
    pub host: Option<Word>,
    /// The database that is named.
    pub database: Option<Word>,
    /// The database is this file.
    pub file: Option<Path>,
}

impl Query {
    /// What is done, for a message in front of the name.
    fn effect(&self) -> &'static str {
        match self.loses {
            "database" if self.language == "redis" => "delete all keys",
            "database" => "drop the database",
            "table" => "drop the table",
            "column" => "drop or cut a column of",
            "all-rows" => "lose all rows of",
            "rows" => "change some rows of",
            "definition" => "drop",
            "keys" => "change the key",
            "permissions" => "grant wide permissions",
            _ => "run a text that cannot be read",
        }
    }
}

named_enum! {
    /// How a push changes a ref.
    pub enum PushKind {
        /// The ref is new.
        Create = "create",
        /// The old commit stays reachable.
        FastForward = "fast-forward",
        /// The old commit may be dropped.
        NonFastForward = "non-fast-forward",
        /// The ref goes away.
        Delete = "delete",
    }
}

impl Deed {
    /// The kind of it, as policies name it.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Run(_) => "run",
            Self::Write(_) => "write",
            Self::Delete(_) => "delete",
            Self::Read(_) => "read",
            Self::Fetch { .. } => "fetch",
            Self::Call(_) => "call",
            Self::Spawn { .. } => "spawn",
            Self::Push(_) => "push",
            Self::Commit(_) => "commit",
            Self::Query(_) => "query",
            Self::Opaque { .. } => "opaque",
        }
    }
}

impl From<Deed> for Action {
    /// An action that the call does directly and for certain, without a place in a text.
    fn from(deed: Deed) -> Self {
        Self { deed, via: Vec::new(), sure: true, stored: false, from: None, span: None }
    }
}

impl Action {
    /// What is done, in one line, for messages.
    pub fn shown(&self) -> String {
        match &self.deed {
            // Each word takes a character at least.
            Deed::Run(run) => clip(&run.words.iter().take(SHOWN + 1).map(|word| visible(word.to_string())).collect::<Vec<_>>().join(" ")),
            Deed::Write(Write { path, change: Change::Tree(_) }) => format!("replace files of {}", clip(&path.shown)),
            Deed::Write(write) => format!("write {}", clip(&write.path.shown)),
            Deed::Delete(delete) => format!("{} {}", if delete.moved { "move away" } else { "delete" }, clip(&delete.path.shown)),
            Deed::Read(read) => format!("{} {}", if read.sent { "send" } else { "read" }, clip(&read.path.shown)),
            Deed::Fetch { url, .. } => format!("fetch {}", clip(&url.to_string())),
            Deed::Call(call) => format!("call {}", clip(&call.tool)),
            Deed::Spawn { agent, .. } => format!("start agent {}", clip(agent)),
            Deed::Push(push) => {
                let target = push.target.as_ref().map_or_else(|| "the current branch".to_owned(), ToString::to_string);
                format!("push to {}", clip(&target))
            }
            Deed::Commit(commit) => {
                let subject = commit.message.as_deref().map_or("", |message| message.lines().next().unwrap_or_default());
                format!("commit {}", clip(subject))
            }
            Deed::Query(query) => {
                let blank = if query.name.is_empty() { "" } else { " " };
                clip(&format!("{}{blank}{}, through {}", query.effect(), query.name, query.program))
            }
            Deed::Opaque { text, .. } => clip(text),
        }
    }
}

/// The longest stretch of the user's own text in a message, in characters.
const SHOWN: usize = 160;

/// The user's own text in one line, for a message: never longer than is read, and never blank.
pub fn clip(text: &str) -> String {
    let end = text.char_indices().nth(SHOWN).map(|(at, _)| at);
    let line = shown::escaped(text.get(..end.unwrap_or(text.len())).unwrap_or(text));
    visible(if end.is_some() { format!("{line}…") } else { line.into_owned() })
}

/// Blank text in quotes.
fn visible(text: String) -> String {
    if text.trim().is_empty() { format!("'{text}'") } else { text }
}
