//! Program texts and patches that a command is given (`-c TEXT`), and what they do.

use std::rc::Rc;

use super::expand::marked_text;
use super::{Shell, Stdin};
use crate::code::{self, CodeAction, Language};
use crate::word::{Word, WordPiece};
use crate::{Change, Deed, Delete, Write, patch, program::Program};

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
            for found in code::scan(&source, language) {
                shell.found(found, from);
            }
        });
    }

    /// Text in a command language of which only the ways out are known ([`Program::escapes`]).
    pub(super) fn escaped(&mut self, program: &Program, text: &Word) {
        if program.escapes.is_empty() {
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
        }
    }

    /// What program text does.
    pub(crate) fn found(&mut self, found: CodeAction, from: Option<usize>) {
        let home = self.state.get("HOME");
        // `~` is there only if the program expands it.
        let known = |path: Option<String>| match (path, home) {
            (Some(path), Some(mut home)) if path == "~" || path.starts_with("~/") => {
                home.push_lit(path.trim_start_matches('~'));
                home
            }
            (path, _) => path.map_or_else(Word::unknown, |path| marked_text(&path)),
        };
        match found {
            CodeAction::Shell(_) | CodeAction::Argv(_) => self.started_by_code(found, &Stdin::default()),
            CodeAction::Fed(command, text) => {
                let text = text.map(|text| Rc::new(Word::lit(text)));
                self.started_by_code(*command, &Stdin { program: Some("code".to_owned()), text, connected: true, ..Stdin::default() });
            }
            CodeAction::Write { path, append, text } => {
                let change = match (text, append) {
                    (Some(text), true) => Change::Append(text),
                    (Some(text), false) => Change::Whole(text),
                    (None, _) => Change::Unknown,
                };
                self.write(&known(path), change, from);
            }
            CodeAction::Modes { path, tree } => self.write(&known(path), Change::Attributes { tree }, from),
            CodeAction::Delete { path, recursive } => {
                let path = self.path(&known(path));
                self.push(Deed::Delete(Delete { path, recursive, moved: false }), from);
            }
            CodeAction::OpaqueShell => self.opaque("a command in program text", "the command line is computed"),
        }
    }

    /// A command that program text starts.
    fn started_by_code(&mut self, command: CodeAction, stdin: &Stdin) {
        match command {
            CodeAction::Shell(line) => drop(self.line_within("code", &Word::lit(line), stdin)),
            CodeAction::Argv(words) => {
                let words = words.into_iter().map(|word| word.map_or_else(Word::several, Word::lit)).collect();
                self.within("code", |shell| shell.separate(|shell| shell.invoke(words, Vec::new(), stdin)));
            }
            _ => {}
        }
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
