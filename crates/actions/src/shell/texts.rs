//! Program texts and patches that a command is given (`-c TEXT`), and what they do.

use std::rc::Rc;

use super::expand::marked_text;
use super::{Shell, Stdin};
use crate::arguments;
use crate::code::{self, CodeAction, Language};
use crate::word::{Bound, Word, WordPiece};
use crate::{Change, Deed, Delete, Write, patch, program::Program};

/// The environment as a whole in program text.
const WHOLE_ENVIRONMENT: &[&str] =
    &["(os.environ)", "(os.environ, ", "os.environ.items()", "(process.env)", "ENV.to_h", "ENV.inspect", "%ENV", "$_ENV)", "getenv())"];

/// Whether program text writes something to standard output, and whether it speaks to other machines.
fn code_goes(source: &str) -> (bool, bool) {
    const SHOWS: [&str; 13] = ["print(", "print ", "printf", "println", "puts", "console.", "stdout", "echo ", "say ", "p ", "pp ", "dump(", "IO.inspect"];
    const SENDS: [&str; 16] = [
        "requests.",
        "urllib",
        "urlopen",
        "http.client",
        "httpx",
        "aiohttp",
        "socket",
        "fetch(",
        "axios",
        "http.request",
        "https.request",
        "Net::HTTP",
        "LWP",
        "curl_exec",
        "HttpClient",
        "smtplib",
    ];
    (SHOWS.iter().any(|word| source.contains(word)), SENDS.iter().any(|word| source.contains(word)))
}

impl Shell<'_> {
    /// Program text of another language.
    pub(super) fn code(&mut self, language: &str, text: &Word, from: Option<usize>) {
        if language == "patch" {
            text.literal().map(|text| self.patch(text, from));
            return;
        }
        let language = Language::NAMES.iter().find(|(name, _)| *name == language).map_or(Language::Unknown, |(_, language)| *language);
        let computed = !text.pieces.is_empty() && text.pieces.iter().all(|piece| matches!(piece, WordPiece::Any(_)));
        if computed && !matches!(language, Language::Awk | Language::Sed | Language::Cron) {
            self.opaque(text.to_string(), "the program text is computed");
            return;
        }
        // Holes leave the literals around them readable.
        let source = text.to_string();
        self.spend(source.len());
        let env = code::environment(&source);
        self.separate(|shell| {
            shell.inherit();
            for (name, value) in env {
                shell.state.set(&name, Word::lit(value));
                shell.state.export(&name);
            }
            // What is written without its text being known is another program for what is started here. For what comes after
            // this text, the file on the disk says more than nothing: most such texts only change a file.
            let mut unknown = Vec::new();
            let goes = code_goes(&source);
            if goes.0 && WHOLE_ENVIRONMENT.iter().any(|text| source.contains(text)) {
                shell.says_environment();
            }
            for found in code::scan(&source, language) {
                if let CodeAction::Write { path: Some(path), append: false, text: None } = &found {
                    unknown.push(path.clone());
                }
                let first = shell.actions.len();
                shell.found(found, from);
                shell.code_goes(first, goes);
            }
            for path in unknown {
                let path = shell.code_path(Some(path));
                shell.state.forget(&shell.path(&path).word.to_string());
            }
        });
    }

    /// Text in a command language of which only the ways out are known ([`Program::escapes`]).
    pub(super) fn escaped(&mut self, program: &Program, text: &Word) {
        let writes = program.details().writes;
        if program.escapes.is_empty() && writes.is_empty() {
            return;
        }
        let holes = |piece: &WordPiece| match piece {
            WordPiece::Lit(text) | WordPiece::Glob(text) => text.clone(),
            WordPiece::Any(_) => code::HOLE.to_owned(),
        };
        let source: String = text.pieces.iter().map(holes).collect();
        self.spend(source.len());
        for line in source.lines() {
            for found in code::escapes(line, &program.escapes) {
                self.found(found, None);
            }
            for name in code::written(line, &writes) {
                let mut parts = name.split(code::HOLE);
                let mut path = Word::lit(parts.next().unwrap_or(""));
                for part in parts {
                    path.push(WordPiece::Any(Bound::Anything));
                    path.push_lit(part);
                }
                self.write(&path, Change::Unknown, None);
            }
        }
    }

    /// What program text does.
    pub(crate) fn found(&mut self, found: CodeAction, from: Option<usize>) {
        match found {
            CodeAction::Shell(_) | CodeAction::Argv(_) => self.started_by_code(found, &Stdin::default()),
            CodeAction::Fed(command, text) => {
                let text = text.map(|text| Rc::new(Word::lit(text)));
                self.started_by_code(*command, &Stdin { program: Some("code".to_owned()), text, connected: true, ..Stdin::default() });
            }
            CodeAction::Write { path, append, text } => {
                let path = self.code_path(path);
                let text = text.map(|text| Rc::new(Word::lit(text)));
                let change = self.sent(&path, text.as_ref(), None, append);
                self.write(&path, change, from);
            }
            CodeAction::Read { path } => {
                let path = self.code_path(Some(path));
                let path = self.path(&path);
                self.reads(path, from);
            }
            CodeAction::Copy { from: source, to, moved } => {
                let (source, to) = (self.code_path(source), self.code_path(to));
                let path = self.path(&source);
                if let (Some(source), Some(to)) = (path.word.literal(), self.path(&to).word.literal()) {
                    self.state.copy(source, to);
                }
                if moved {
                    self.push(Deed::Delete(Delete { path, recursive: false, moved }), from);
                }
                self.write(&to, Change::Unknown, from);
            }
            CodeAction::Attributes { path, recursive } => {
                let path = self.code_path(path);
                self.write(&path, Change::Attributes { tree: recursive }, from);
            }
            CodeAction::Delete { path, recursive } => {
                let path = self.code_path(path);
                let path = self.path(&path);
                self.push(Deed::Delete(Delete { path, recursive, moved: false }), from);
            }
            CodeAction::Request { url, method } => drop(self.push(Deed::Fetch { url: holed(&url), method: Some(Word::lit(method)) }, from)),
            CodeAction::Query { connection, text } => self.sent_by_code(&connection, &text, from),
            CodeAction::OpaqueShell => self.opaque("a command in program text", "the command line is computed"),
        }
    }

    /// Where the texts go that program text reads itself.
    fn code_goes(&mut self, first: usize, (shown, sent): (bool, bool)) {
        let reads: Vec<usize> =
            (first..self.actions.len()).filter(|at| matches!(self.actions.get(*at).map(|action| &action.deed), Some(Deed::Read(_)))).collect();
        if shown {
            self.flow(&reads);
        }
        if sent {
            self.send_off(&reads);
        }
    }

    /// A path that program text names; `~` is there only if the program expands it.
    fn code_path(&self, path: Option<String>) -> Word {
        match (path, self.state.get("HOME")) {
            (Some(path), Some(mut home)) if path == "~" || path.starts_with("~/") => {
                home.push_lit(path.trim_start_matches('~'));
                home
            }
            (path, _) => path.map_or_else(Word::unknown, |path| starred(&path, marked_text)),
        }
    }

    /// A word of a command that program text starts.
    fn code_word(&self, word: &str) -> Word {
        starred(word, |part| self.with_home(part))
    }

    fn with_home(&self, word: &str) -> Word {
        let mut parts = word.split(code::HOME);
        let mut whole = Word::lit(parts.next().unwrap_or(""));
        for part in parts {
            whole.extend(&self.state.get("HOME").unwrap_or_else(Word::unknown));
            whole.push_lit(part);
        }
        whole
    }

    /// A command that program text starts.
    fn started_by_code(&mut self, command: CodeAction, stdin: &Stdin) {
        match command {
            CodeAction::Shell(line) => drop(self.line_within("code", &Word::lit(line.replace(code::STAR, "*")), stdin)),
            CodeAction::Argv(words) => {
                let words = words.into_iter().map(|word| word.map_or_else(Word::several, |word| self.code_word(&word))).collect();
                self.within("code", |shell| shell.separate(|shell| shell.invoke(words, Vec::new(), stdin)));
            }
            _ => {}
        }
    }

    /// A text that program text sends to a database, as the client of the command line would send it.
    fn sent_by_code(&mut self, connection: &code::CodeConnection, text: &str, from: Option<usize>) {
        let Some(program) = self.programs.find(connection.client) else { return };
        let Some(client) = program.details().query else { return };
        let mut words = Vec::new();
        for (options, value) in [(&client.host, &connection.host), (&client.database, &connection.database)] {
            if let (Some(option), Some(value)) = (options.first(), value) {
                words.extend([Word::lit(*option), holed(value)]);
            }
        }
        // An address is a host for those whose operands are commands.
        if client.words && connection.address.is_some() {
            words.extend(client.host.last().map(|option| Word::lit(*option)));
        }
        words.extend(connection.address.as_deref().map(holed));
        let arguments = arguments::read(&program, &words);
        let stdin = Stdin { program: Some("code".to_owned()), text: Some(Rc::new(holed(text))), connected: true, ..Stdin::default() };
        self.queries(&program, connection.client, &arguments, &[], &stdin, from.unwrap_or(0));
    }

    /// A patch that is applied; false for a text that is not a patch.
    pub(crate) fn patch(&mut self, text: &str, from: Option<usize>) -> bool {
        let Some(changes) = patch::read(text) else {
            self.opaque("a patch", "the patch cannot be read");
            return true;
        };
        let any = !changes.is_empty();
        for patch::FileChange { path, kind, added, removed } in changes {
            let path = self.path(&Word::lit(path));
            let deed = match kind {
                patch::ChangeKind::Delete => Deed::Delete(Delete { path, recursive: false, moved: false }),
                patch::ChangeKind::Add => Deed::Write(Write { path, change: Change::Whole(added) }),
                patch::ChangeKind::Update => Deed::Write(Write { path, change: Change::Patch { added, removed } }),
            };
            self.push(deed, from);
        }
        any
    }
}

/// A text of program text as a word: what a pattern of the program stands for is a pattern of the shell.
fn starred(text: &str, plain: impl Fn(&str) -> Word) -> Word {
    let mut word = Word::default();
    for (at, part) in text.split(code::STAR).enumerate() {
        if at > 0 {
            match word.pieces.last_mut() {
                Some(WordPiece::Glob(glob)) if glob == "*" => glob.push('*'),
                _ => word.push(WordPiece::Glob("*".to_owned())),
            }
        }
        if at == 0 || !part.is_empty() {
            word.extend(&plain(part));
        }
    }
    word
}

/// A text of a program in which holes are unknown parts.
fn holed(text: &str) -> Word {
    let mut parts = text.split(code::HOLE);
    let mut word = Word::lit(parts.next().unwrap_or(""));
    for part in parts {
        word.push(WordPiece::Any(Bound::Anything));
        word.push_lit(part);
    }
    word
}
