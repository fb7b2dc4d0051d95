//! What a shell remembers from command to command, as far as it is known. Two branches join in what they agree on.

use super::Setting;
use super::ast::Command;
use crate::action::word::{Bound, Piece, Word};

/// The value of a variable.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Variable {
    /// A text.
    Scalar(Word),
    /// An array.
    Array(Vec<Word>),
}

/// Variables, functions, the folder.
#[derive(Clone, Debug)]
pub(super) struct State {
    variables: Vec<(String, Variable)>,
    exported: Vec<String>,
    /// `set -a`: every variable that is set from now on is exported.
    pub(super) exports_all: bool,
    functions: Vec<(String, Command)>,
    aliases: Vec<(String, Word)>,
    /// The folder in which commands run.
    pub(super) cwd: Word,
    /// `$1`, `$2`, …; none: not known.
    pub(super) positional: Option<Vec<Word>>,
    /// `$0` where it was given; otherwise it is the shell.
    pub(super) name: Option<Word>,
    /// Files that this line wrote: path and text.
    pub(super) written: Vec<(String, Word)>,
    /// Text that this line added to files, since it wrote them or from the start.
    appended: Vec<(String, Word)>,
    /// Files that this line copied or moved: where they are now, and where they were.
    copied: Vec<(String, String)>,
    /// Links that this line made: path and target, both absolute.
    pub(super) links: Vec<(String, String)>,
    /// Git's configuration that this line set.
    pub(super) configured: Vec<(String, Word)>,
    /// The branch that this line switched to.
    pub(super) branch: Option<Word>,
}

/// Values kept of one array; a longer one is not known.
const MAX_VALUES: usize = 256;

/// Variables that name a program by convention (environ(7), GNU make's "Variables Used by Implicit Rules"), and one of its kind.
const PROGRAMS: &[(&str, &str)] = &[
    ("SHELL", "bash"),
    ("BASH", "bash"),
    ("EDITOR", "vi"),
    ("VISUAL", "vi"),
    ("PAGER", "less"),
    ("BROWSER", "xdg-open"),
    ("SUDO", "sudo"),
    ("GIT", "git"),
    ("RM", "rm"),
    ("CC", "cc"),
    ("CXX", "c++"),
    ("LD", "ld"),
    ("AR", "ar"),
    ("MAKE", "make"),
    ("CMAKE", "cmake"),
    ("CARGO", "cargo"),
    ("RUSTC", "rustc"),
    ("GO", "go"),
    ("NODE", "node"),
    ("NPM", "npm"),
    ("JAVA", "java"),
    ("PYTHON", "python3"),
    ("PIP", "pip"),
    ("RUBY", "ruby"),
    ("PERL", "perl"),
    ("PHP", "php"),
    ("DOCKER", "docker"),
    ("KUBECTL", "kubectl"),
];

impl State {
    pub(super) fn new(setting: &Setting) -> Self {
        let mut state = Self {
            variables: Vec::new(),
            exported: Vec::new(),
            exports_all: false,
            functions: Vec::new(),
            aliases: Vec::new(),
            cwd: Word::lit(setting.cwd.as_str()),
            positional: None,
            name: None,
            written: Vec::new(),
            appended: Vec::new(),
            copied: Vec::new(),
            links: Vec::new(),
            configured: Vec::new(),
            branch: None,
        };
        if let Some(home) = &setting.home {
            state.set("HOME", Word::lit(home.as_str()));
        }
        state.set("TMPDIR", Word::lit(setting.temporary.as_str()));
        for (name, program) in PROGRAMS {
            state.set(name, Word::lit(*program));
        }
        state.set("IFS", Word::lit(" \t\n"));
        // Only their shape is known: a name or a number.
        for name in ["RANDOM", "SECONDS", "UID", "EUID", "PPID", "LINENO", "USER", "HOSTNAME"] {
            state.set(name, Word { pieces: vec![Piece::Any(Bound::Name)], multi: false });
        }
        state
    }

    pub(super) fn get(&self, name: &str) -> Option<Word> {
        match name {
            "PWD" => return Some(self.cwd.clone()),
            "?" | "$" | "!" | "#" => return Some(Word { pieces: vec![Piece::Any(Bound::Name)], multi: false }),
            _ => {}
        }
        if let Ok(number) = name.parse::<usize>() {
            let positional = self.positional.as_ref()?;
            return Some(if number == 0 {
                self.name.clone().unwrap_or_else(|| Word::lit("bash"))
            } else {
                positional.get(number - 1).cloned().unwrap_or_default()
            });
        }
        match self.variable(name)? {
            Variable::Scalar(word) => Some(word.clone()),
            Variable::Array(values) => Some(values.first().cloned().unwrap_or_default()),
        }
    }

    pub(super) fn variable(&self, name: &str) -> Option<&Variable> {
        self.variables.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    pub(super) fn set(&mut self, name: &str, value: Word) {
        self.put(name, Variable::Scalar(value));
    }

    pub(super) fn put(&mut self, name: &str, value: Variable) {
        let value = match value {
            Variable::Array(values) if values.len() > MAX_VALUES => Variable::Scalar(Word { multi: true, ..Word::unknown() }),
            other => other,
        };
        if self.exports_all || name == "PATH" {
            self.export(name);
        }
        match self.variables.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => *known = value,
            None => self.variables.push((name.to_owned(), value)),
        }
    }

    pub(super) fn unset(&mut self, name: &str) {
        self.variables.retain(|(known, _)| known != name);
        self.functions.retain(|(known, _)| known != name);
        self.exported.retain(|known| known != name);
    }

    pub(super) fn export(&mut self, name: &str) {
        if !self.exported.iter().any(|known| known == name) {
            self.exported.push(name.to_owned());
        }
    }

    /// What a program finds in its environment because the line put it there.
    pub(super) fn environment(&self) -> Vec<(String, Word)> {
        self.exported.iter().filter_map(|name| Some((name.clone(), self.get(name)?))).collect()
    }

    pub(super) fn define(&mut self, name: &str, body: Command) {
        self.functions.retain(|(known, _)| known != name);
        self.functions.push((name.to_owned(), body));
    }

    pub(super) fn function(&self, name: &str) -> Option<Command> {
        self.functions.iter().find(|(known, _)| known == name).map(|(_, body)| body.clone())
    }

    pub(super) fn set_alias(&mut self, name: &str, value: Word) {
        self.aliases.retain(|(known, _)| known != name);
        self.aliases.push((name.to_owned(), value));
    }

    pub(super) fn alias(&self, name: &str) -> Option<&Word> {
        self.aliases.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// Notes that the line wrote a file.
    pub(super) fn write(&mut self, path: &str, text: Word) {
        self.appended.retain(|(known, _)| known != path);
        self.written.push((path.to_owned(), text));
    }

    /// Notes that the line added to a file.
    pub(super) fn append(&mut self, path: &str, text: Word) {
        self.appended.push((path.to_owned(), text));
    }

    /// What the line added to this file since it wrote it, if it did.
    pub(super) fn added(&self, path: &str) -> Vec<Word> {
        self.appended.iter().filter(|(known, _)| known == path).map(|(_, text)| text.clone()).collect()
    }

    /// Notes that what stood at `from` stands at `to` now.
    pub(super) fn copy(&mut self, from: &str, to: &str) {
        match self.written_text(from).cloned() {
            Some(text) => self.write(to, text),
            None => self.copied.push((to.to_owned(), from.to_owned())),
        }
    }

    /// Where a file was that the line copied here.
    pub(super) fn copied_from(&self, path: &str) -> Option<String> {
        self.copied.iter().rev().find(|(to, _)| to == path).map(|(_, from)| from.clone())
    }

    /// Takes over what `other` did to files and to the branch, which outlives a subshell.
    pub(super) fn keep_files(&mut self, other: Self) {
        if self.branch != other.branch {
            self.branch = if self.cwd == other.cwd { other.branch } else { Some(Word::unknown()) };
        }
        (self.written, self.appended, self.copied, self.configured) = (other.written, other.appended, other.copied, other.configured);
    }

    /// Whether a file of this name was written by the line, and its text.
    pub(super) fn written_text(&self, path: &str) -> Option<&Word> {
        self.written.iter().rev().find(|(known, _)| known == path).map(|(_, text)| text)
    }

    /// Where a path leads through links that this line made.
    pub(super) fn through_links(&self, path: &str) -> Option<String> {
        self.links.iter().rev().find_map(|(link, target)| {
            let rest = path.strip_prefix(link.as_str())?;
            (rest.is_empty() || rest.starts_with('/')).then(|| format!("{target}{rest}"))
        })
    }

    /// Joins with the state of a way that may not have been gone: what differs is not known.
    pub(super) fn join(&mut self, other: &Self) {
        for (name, value) in &other.variables {
            match self.variable(name) {
                Some(mine) if mine == value => {}
                _ => self.set(name, Word::unknown()),
            }
        }
        let missing: Vec<String> = self.variables.iter().map(|(name, _)| name.clone()).filter(|name| other.variable(name).is_none()).collect();
        for name in missing {
            self.set(&name, Word::unknown());
        }
        if self.cwd != other.cwd {
            self.cwd = Word::unknown();
        }
        if self.positional != other.positional {
            self.positional = None;
        }
        if self.branch != other.branch {
            self.branch = Some(Word::unknown());
        }
        for name in &other.exported {
            self.export(name);
        }
        for (name, body) in &other.functions {
            if self.function(name).is_none() {
                self.functions.push((name.clone(), body.clone()));
            }
        }
        for (mine, theirs) in [(&mut self.written, &other.written), (&mut self.appended, &other.appended)] {
            for file in theirs {
                if !mine.contains(file) {
                    mine.push(file.clone());
                }
            }
        }
    }
}
