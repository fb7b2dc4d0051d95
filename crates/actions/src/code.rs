//! Program text (Python, JavaScript, Ruby, Perl, PHP, Lua, Julia, awk and others) read for the calls that run programs or touch files.
//! Runs nothing and follows no control flow: a call counts wherever it is, and a name stands for every literal that
//! is given to it anywhere in the text. Knows no rule and does not read shell text.
//!
//! Facts about functions come from the languages' own manuals: Python's library reference, the Node.js, Deno and Bun
//! manuals, Ruby's core and standard library documentation, perlfunc and perlop, the PHP manual, POSIX awk and gawk, the
//! manuals of Lua 5.4 and Julia 1.11, the documentation of Groovy's JDK, Kotlin's `kotlin.io`, Scala's `sys.process`, java.nio.

mod awk;
mod calls;
mod connections;
mod cron;
mod effects;
mod eval;
mod functions;
mod grammar;
mod lex;
mod marks;
mod names;
mod piece;
mod quotes;
mod requests;
mod sed;
mod value;

use crate::named_enum;
pub use connections::CodeConnection;
use lex::TextPart;
pub use marks::{environment, escapes, written};
use piece::CodePiece;

/// More text than this is not read; the rest counts as opaque. In bytes.
const MAX_TEXT: usize = 4 << 20;
/// More findings than this are not kept; one [`CodeAction::OpaqueShell`] stands for the rest.
const MAX_FOUND: usize = 512;
/// Code inside strings inside code: deeper nesting is opaque.
const MAX_DEPTH: usize = 6;

/// Is in shell text for a part that is not known before the program runs: a variable that nobody sets, so that a
/// reader of shell text sees an unknown word there.
pub const HOLE: &str = "${__unknown__}";

/// Is in texts and words where the program asks for the home folder. In paths that is `~`.
pub const HOME: &str = "${HOME}";

named_enum! {
    /// The language of a program text.
    pub enum Language {
        /// Python 3, and 2 where it reads the same.
        Python = "python",
        /// JavaScript and TypeScript, in Node.js, Deno and Bun.
        JavaScript = "javascript",
        /// Ruby.
        Ruby = "ruby",
        /// Perl 5.
        Perl = "perl",
        /// PHP.
        Php = "php",
        /// Lua 5.
        Lua = "lua",
        /// Julia.
        Julia = "julia",
        /// Groovy, Scala, Kotlin and Java, as they are in scripts.
        Jvm = "jvm",
        /// awk, gawk, mawk.
        Awk = "awk",
        /// sed.
        Sed = "sed",
        /// Lists of times and commands, as `crontab` takes them.
        Cron = "cron",
        /// Any other: the call names of all languages, with strings as in C.
        Unknown = "",
    }
}

named_enum! {
    /// How the arguments of a call are read. Places of arguments count from 0.
    pub enum CallEffect {
        /// Text for a shell or a list of words, then options.
        Shell = "shell",
        /// A program at a place, then its arguments as a list that begins with the name again.
        ExecList = "exec-list",
        /// The same, its arguments one by one.
        ExecArgs = "exec-args",
        /// Every argument is a word of the command; lists are taken apart.
        Argv = "argv",
        /// A program or a list, a list of further arguments, options that may hold both as `cmd` and `args`.
        Spawn = "spawn",
        /// One text is for the shell, several are a program and its arguments.
        Words = "words",
        /// A path, a mode at a place.
        Open = "open",
        /// Perl's `open`.
        PerlOpen = "perl-open",
        /// A path whose text is read.
        Read = "read",
        /// A path, the text.
        Write = "write",
        /// A path, the text that is added to what is there.
        Append = "append",
        /// A path at a place, the text is not known.
        WriteAt = "write-at",
        /// The folder of temporary files.
        TemporaryFolder = "temporary-folder",
        /// A new folder in it, or in the folder at a place.
        Temporary = "temporary",
        /// A new folder whose path begins with the text at a place.
        Prefix = "prefix",
        /// A path that comes to be, empty if it is new.
        Touch = "touch",
        /// An open file, the text.
        HandleText = "handle-text",
        /// One or several paths, and options.
        Delete = "delete",
        /// The same, with all that is below.
        DeleteTree = "delete-tree",
        /// A path, another one.
        Move = "move",
        /// A path at a place, whose mode, owner or times are changed; in Ruby and Perl all behind it too.
        Attributes = "attributes",
        /// A request: an address at a place. The name or an option says the method.
        Request = "request",
        /// The same, where the method is at the place, and the address behind it.
        RequestAs = "request-as",
        /// An option of a client at the first place.
        RequestOption = "request-option",
        /// Makes a client that sends requests, whose addresses begin with the text at a place or in an option.
        Client = "client",
        /// Opens a connection to a database. Behind it is the name of a client of the command line.
        Database = "database",
        /// The same, where the methods of the connection are commands.
        Store = "store",
        /// A client of a service, whose methods are subcommands of a program. Behind it is the name of the program.
        Service = "service",
        /// Program text of the same language.
        Code = "code",
        /// A file of program text of the same language.
        Script = "script",
        /// Program text where it is a literal, anything else is a function.
        CodeText = "code-text",
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CodeAction {
    /// Text given to a shell. Unknown parts are written as [`HOLE`]; some part is always known.
    Shell(String),
    /// A program with its arguments. `None` is an element that is not literal; a trailing `None` may stand for any
    /// number of elements. At least one element is known.
    Argv(Vec<Option<String>>),
    /// A [`CodeAction::Shell`] or [`CodeAction::Argv`] that reads this text from standard input; `None`: it is not known.
    Fed(Box<Self>, Option<String>),
    /// A file is written.
    Write {
        /// The path as the program names it; `~` stands for the home folder where the program asks for it.
        path: Option<String>,
        append: bool,
        /// The whole text that is written, where it is literal.
        text: Option<String>,
    },
    /// A file is read.
    Read {
        /// The path as the program names it.
        path: String,
    },
    /// A path is removed.
    Delete {
        /// The path as the program names it.
        path: Option<String>,
        recursive: bool,
    },
    /// What is at a path comes to be at another one.
    Copy {
        /// The paths as the program names them.
        from: Option<String>,
        to: Option<String>,
        /// It is no longer at the first.
        moved: bool,
    },
    /// The mode, the owner or the times of a path are changed.
    Attributes {
        /// The path as the program names it.
        path: Option<String>,
        recursive: bool,
    },
    /// A request is sent over HTTP.
    Request {
        /// The address; its host is known. Unknown parts are written as [`HOLE`].
        url: String,
        /// In capital letters.
        method: String,
    },
    /// A text is sent to a database.
    Query {
        connection: CodeConnection,
        /// Unknown parts are written as [`HOLE`].
        text: String,
    },
    /// A call that runs a program or program text of which nothing is known.
    OpaqueShell,
}

/// Takes the place in a text of a name that is made when the program runs; the reader of shell text takes it so too.
pub const MADE: char = '\u{f8fe}';

/// Takes the place of a sign that stands for others in a pattern of files, and of a name that a folder lists; two of them
/// lead through folders.
pub const STAR: char = '\u{f8f9}';

/// Finds the calls, in the order of the text; never fails. Takes time in proportion to the text.
pub fn scan(text: &str, language: Language) -> Vec<CodeAction> {
    match language {
        Language::Sed => sed::scan(text),
        Language::Cron => cron::scan(text),
        _ => {
            let mut scan = Scan::new(language, 0);
            scan.text(text);
            scan.found
        }
    }
}

/// What one text and the code inside its strings share.
struct Scan {
    language: Language,
    depth: usize,
    names: names::CodeNames,
    found: Vec<CodeAction>,
    /// Where the writes that a handle stands for are in `found`.
    handles: std::collections::HashMap<usize, usize>,
    /// Bytes that values may still take, so that doubling a text again and again stays cheap.
    budget: usize,
    /// The number of tokens of earlier pieces: makes a token's place unique.
    base: usize,
}

impl Scan {
    fn new(language: Language, depth: usize) -> Self {
        Self { language, depth, names: names::CodeNames::default(), found: Vec::new(), handles: std::collections::HashMap::new(), budget: 1 << 20, base: 0 }
    }

    fn text(&mut self, text: &str) {
        let mut end = text.len().min(MAX_TEXT);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let (text, rest) = text.split_at(end);
        self.budget += 4 * text.len();
        self.code(text);
        if !rest.is_empty() {
            self.push(CodeAction::OpaqueShell);
        }
    }

    /// Reads a piece of code: the text itself, or a hole in one of its strings, which sees the same names.
    fn code(&mut self, text: &str) {
        let piece = CodePiece::new(lex::tokens(text, self.language), self.language, self.base);
        self.base += piece.len() + 1;
        if self.language == Language::Awk {
            self.awk(&piece);
        } else {
            self.learn(&piece);
            self.calls(&piece);
        }
    }

    /// Reads the code that is in the holes of a string.
    fn holes(&mut self, parts: &[TextPart<'_>]) {
        for part in parts {
            let TextPart::Hole(code) = part else { continue };
            if code.len() < 4 || !code.contains(['(', '`', ' ', '%']) {
                continue; // a plain name runs nothing
            }
            if self.depth >= MAX_DEPTH {
                self.push(CodeAction::OpaqueShell);
                return;
            }
            self.depth += 1;
            self.code(code);
            self.depth -= 1;
        }
    }

    /// Reads literal text that the program gives to its own interpreter.
    fn evaluated(&mut self, text: &str) {
        if self.depth >= MAX_DEPTH {
            self.push(CodeAction::OpaqueShell);
            return;
        }
        let mut inner = Scan::new(self.language, self.depth + 1);
        inner.text(text);
        for found in inner.found {
            self.push(found);
        }
    }

    fn push(&mut self, mut found: CodeAction) {
        let (one, other) = match &mut found {
            CodeAction::Write { path, .. } | CodeAction::Delete { path, .. } | CodeAction::Attributes { path, .. } => (Some(path), None),
            CodeAction::Copy { from, to, .. } => (Some(from), Some(to)),
            _ => (None, None),
        };
        for path in one.into_iter().chain(other).filter_map(Option::as_mut) {
            if let Some(rest) = path.strip_prefix(HOME) {
                *path = format!("~{rest}");
            }
        }
        if self.found.len() < MAX_FOUND {
            self.found.push(found);
        } else if self.found.len() == MAX_FOUND {
            self.found.push(CodeAction::OpaqueShell);
        }
    }
}

#[cfg(test)]
#[path = "code_tests.rs"]
mod tests;
