//! Program texts and patches that a command is given: scripts that the line wrote, `-c TEXT`, what the text does.

use super::{Output, Shell, Stdin};
use crate::action::arguments::Arguments;
use crate::action::code::{self, Found, Language};
use crate::action::patch;
use crate::action::program::Program;
use crate::action::word::{Piece, Word};
use crate::action::{Change, Deed, Delete};

impl Shell<'_> {
    /// A program that this line wrote itself: a script, by its first line.
    pub(super) fn written_program(&mut self, text: &Word, args: &[Word], stdin: &Stdin) -> Output {
        let first = text.prefix().lines().next().unwrap_or("");
        let interpreter = first.strip_prefix("#!").and_then(|line| line.split_whitespace().rfind(|word| !word.ends_with("/env") && !word.starts_with('-')));
        let name = interpreter.map_or("sh", |path| path.rsplit('/').next().unwrap_or("sh"));
        match self.programs.find(name).filter(|program| !program.shell_stdin && !program.language.is_empty()) {
            Some(program) => {
                self.code(program.language, text, usize::MAX);
                Output::unknown()
            }
            None => {
                let (args, text) = (args.to_vec(), text.clone());
                let run = self.within("script", |shell| {
                    shell.separate(|shell| {
                        shell.state.positional = Some(args);
                        shell.text(&text, stdin)
                    })
                });
                run.unwrap_or_default()
            }
        }
    }

    /// A file of commands: followed if this line wrote it.
    pub(super) fn script_file(&mut self, program: &Program, word: &Word, arguments: &Arguments, stdin: &Stdin) {
        let path = self.path(word);
        let Some(text) = path.word.literal().and_then(|path| self.state.written_text(path)).cloned() else { return };
        if program.shell_stdin {
            let positional = arguments.operands.get(1..).unwrap_or(&[]).to_vec();
            self.within("script", |shell| {
                shell.separate(|shell| {
                    shell.state.positional = Some(positional);
                    shell.text(&text, stdin)
                })
            });
        } else if text.literal().is_none() && text.pieces.iter().all(|piece| matches!(piece, Piece::Any(_))) {
            self.opaque(word.to_string(), "the program text is computed");
        } else {
            self.code(program.language, &text, usize::MAX);
        }
    }

    /// Program text of another language.
    pub(super) fn code(&mut self, language: &str, text: &Word, at: usize) {
        let from = (at != usize::MAX).then_some(at);
        let language = match language {
            "python" => Language::Python,
            "javascript" => Language::JavaScript,
            "ruby" => Language::Ruby,
            "perl" => Language::Perl,
            "php" => Language::Php,
            "awk" => Language::Awk,
            _ => Language::Unknown,
        };
        let computed = !text.pieces.is_empty() && text.pieces.iter().all(|piece| matches!(piece, Piece::Any(_)));
        if computed && language != Language::Awk {
            self.opaque(text.to_string(), "the program text is computed");
            return;
        }
        // Holes leave the literals around them readable.
        let source = text.to_string();
        for found in code::scan(&source, language) {
            self.found(found, from);
        }
    }

    /// What program text does.
    pub(in crate::action) fn found(&mut self, found: Found, from: Option<usize>) {
        let known = |path: Option<String>| path.map_or_else(Word::unknown, Word::lit);
        match found {
            Found::Shell(line) => {
                self.within("code", |shell| shell.separate(|shell| shell.text(&Word::lit(line), &Stdin::default())));
            }
            Found::Argv(words) => {
                let words = words.into_iter().map(|word| word.map_or_else(|| Word { multi: true, ..Word::unknown() }, Word::lit)).collect();
                self.within("code", |shell| shell.separate(|shell| shell.invoke(words, Vec::new(), &Stdin::default())));
            }
            Found::Write { path, append, text } => {
                let change = match (text, append) {
                    (Some(text), true) => Change::Append(text),
                    (Some(text), false) => Change::Whole(text),
                    (None, _) => Change::Unknown,
                };
                self.write(&known(path), change, from);
            }
            Found::Delete { path, recursive } => {
                let path = self.path(&known(path));
                self.push(Deed::Delete(Delete { path, recursive, moved: false }), from);
            }
            Found::OpaqueShell => self.opaque("a command in program text", "the command line is computed"),
        }
    }

    /// A patch that is applied.
    pub(in crate::action) fn patch(&mut self, text: Option<&Word>, at: usize) {
        let from = (at != usize::MAX).then_some(at);
        let Some(text) = text.and_then(Word::literal) else { return };
        let changes = if text.contains("*** Begin Patch") { patch::codex(text) } else { patch::unified(text, None) };
        match changes {
            Ok(changes) => {
                for change in changes {
                    let path = self.path(&Word::lit(change.path));
                    let deed = match change.kind {
                        patch::Kind::Delete => Deed::Delete(Delete { path, recursive: false, moved: false }),
                        patch::Kind::Add => Deed::Write(crate::action::Write { path, change: Change::Whole(change.added) }),
                        patch::Kind::Update | patch::Kind::MoveTo => {
                            Deed::Write(crate::action::Write { path, change: Change::Patch { added: change.added, removed: change.removed } })
                        }
                    };
                    self.push(deed, from);
                }
            }
            Err(_) => self.opaque("a patch", "the patch cannot be read"),
        }
    }
}
