//! Files of commands that a line runs: what the line itself wrote to them, and what was on the disk before. Of the latter
//! only what is certain counts ([`crate::Action::stored`]), unless the session wrote it.

use std::rc::Rc;

use super::{Output, Shell, Stdin, state::Variable};
use crate::lookup::{Lookup, LookupAnswer};
use crate::{program::Program, word::Word};

/// Folders of programs that come with the system.
const SYSTEM: &[&str] = &["/bin/", "/sbin/", "/usr/bin/", "/usr/sbin/", "/usr/local/bin/", "/usr/libexec/", "/opt/homebrew/bin/"];
/// Commands that may be followed in stored files in one call.
const MAX_STORED_IN_ALL: usize = 20_000;

impl Shell<'_> {
    /// The text of the first of these files, if one was there before the call, and whether it is the session's own.
    fn found_on_disk(&mut self, paths: Vec<String>) -> Option<(String, String, bool)> {
        // What runs elsewhere is not on this machine's disk.
        if self.remote || paths.is_empty() {
            return None;
        }
        match self.lookups.of(Lookup::Text(paths)) {
            LookupAnswer::Text { path, text, written } => Some((path.clone(), text.clone(), *written)),
            _ => None,
        }
    }

    /// The text of the first of these files, if one was there before the call.
    pub(super) fn on_disk(&mut self, paths: Vec<String>) -> Option<(String, String)> {
        self.found_on_disk(paths).map(|(path, text, _)| (path, text))
    }

    /// What was found; nothing where that is not this machine's.
    pub(crate) fn look_up(&mut self, lookup: Lookup) -> LookupAnswer {
        if self.remote { LookupAnswer::Nothing } else { self.lookups.of(lookup).clone() }
    }

    /// What the file holds when the line comes to it: stretches of text, and whether each was there before the call.
    pub(super) fn texts(&mut self, path: &Word) -> Vec<(Rc<Word>, bool)> {
        let key = path.to_string();
        let added = self.state.added(&key).to_vec();
        if let Some(text) = self.state.written_text(&key) {
            // Where a part of the name is not known, it may be another file: what is known of its text counts.
            let known = |text: &Rc<Word>| path.literal().is_some() || text.literal().is_some();
            return [text].into_iter().chain(added).filter(known).map(|text| (text, false)).collect();
        }
        let Some(path) = path.literal() else {
            let paths = if path.has_hole() { Vec::new() } else { self.files(path) };
            return paths.iter().flat_map(|path| self.texts(&Word::lit(path.as_str()))).collect();
        };
        let source = self.state.copied_from(path);
        let stored = self.found_on_disk(vec![source.unwrap_or_else(|| path.to_owned())]);
        if stored.is_none() && self.state.may_have_arrived(path) {
            return vec![(Rc::new(Word::unknown()), false)];
        }
        stored.map(|(_, text, written)| (Rc::new(Word::lit(text)), !written)).into_iter().chain(added.into_iter().map(|text| (text, false))).collect()
    }

    /// The file that a pattern names, if it is one alone.
    pub(super) fn only_file(&mut self, pattern: &Word) -> Option<String> {
        let path = self.path(pattern).word;
        let mut files = if path.has_hole() { Vec::new() } else { self.files(&path) };
        files.dedup();
        files.pop().filter(|_| files.is_empty())
    }

    /// The files that a path with globs names: those that the line wrote, and those on the disk.
    fn files(&mut self, path: &Word) -> Vec<String> {
        let mut files = self.state.written_like(&path.split('/'));
        if let LookupAnswer::Names(names) = self.look_up(Lookup::Named(path.clone())) {
            files.extend(names);
        }
        files
    }

    /// Does `work` with what was on the disk before the call.
    pub(crate) fn while_stored<T: Default>(&mut self, work: impl FnOnce(&mut Self) -> T) -> T {
        if self.stored {
            return work(self);
        }
        if self.stored_commands > MAX_STORED_IN_ALL {
            self.opaque("a script", "it runs more scripts than can be followed");
            return T::default();
        }
        self.stored = true;
        let before = (std::mem::take(&mut self.commands), self.stopped);
        let done = work(self);
        self.stored_commands += self.commands;
        self.stored = false;
        (self.commands, self.stopped) = before;
        done
    }

    /// Follows each stretch of the file at `path`; gives the output of the last. `stays`: what it sets is seen behind it.
    /// `None`: there is no such file.
    fn stretches(&mut self, path: &Word, stays: bool, mut work: impl FnMut(&mut Self, &Word) -> Output) -> Option<Output> {
        let mut output = None;
        for (text, stored) in self.texts(path) {
            output = Some(if stored && !self.sure && !stays {
                // Of such a file only what is certain counts, and here nothing is.
                Output::unknown()
            } else if stored {
                self.while_stored(|shell| shell.unless_open(path.to_string(), |shell| work(shell, &text)))
            } else if path.has_hole() {
                self.unsurely(|shell| work(shell, &text))
            } else {
                work(self, &text)
            });
        }
        output
    }

    /// `./x`, as far as it is a script: by its first line. `None` if it is not a script.
    pub(super) fn program_file(&mut self, head: &Word, args: &[Word], env: &[(String, Word)], stdin: &Stdin) -> Option<Output> {
        let path = self.path(head).word;
        if is_system(path.prefix()) {
            return None;
        }
        self.stretches(&path, false, |shell, text| match shell.programs.find(interpreter(text.prefix())).filter(|program| !program.shell_stdin) {
            Some(program) => shell.interpreted(&program, text, &path, args, stdin),
            None => {
                shell.lent = env.to_vec();
                shell.script_text("script", text, &path, args, stdin)
            }
        })
    }

    /// Whether a program's file was there before the call and is not the session's own.
    pub(super) fn is_installed(&mut self, head: &Word) -> bool {
        let path = self.path(head).word;
        let fetched = path.literal().is_some_and(|path| self.state.may_have_arrived(path) || self.state.copied_from(path).is_some());
        !fetched && self.texts(&path).iter().all(|(_, stored)| *stored)
    }

    /// A file of commands that is given to its interpreter. `None`: there is no such file.
    pub(super) fn script_file(&mut self, program: &Program, path: &Word, name: &Word, args: &[Word], stdin: &Stdin) -> Option<Output> {
        self.stretches(path, false, |shell, text| shell.interpreted(program, text, name, args, stdin))
    }

    /// Text that a program reads as its commands.
    fn interpreted(&mut self, program: &Program, text: &Word, name: &Word, args: &[Word], stdin: &Stdin) -> Output {
        if program.shell_stdin {
            return self.script_text("script", text, name, args, stdin);
        }
        self.code(program.language, text, None);
        self.escaped(program, text);
        Output::unknown()
    }

    /// Text of a shell script in a shell of its own, where it finds `name` as `$0` and `args` behind it.
    pub(super) fn script_text(&mut self, step: &str, text: &Word, name: &Word, args: &[Word], stdin: &Stdin) -> Output {
        let run = self.within(step, |shell| {
            shell.separate(|shell| {
                shell.inherit();
                shell.state.place.positional = Some(Rc::new(args.to_vec()));
                shell.state.place.name = Some(name.clone());
                shell.state.put("BASH_SOURCE", Variable::Array(vec![name.clone()]));
                shell.text(text, stdin)
            })
        });
        run.unwrap_or_default()
    }

    /// `source FILE`: what it sets stays.
    pub(super) fn sourced(&mut self, file: &Word, args: &[Word], stdin: &Stdin) -> Output {
        let piped = file.is("/dev/stdin") && stdin.connected && stdin.file.is_none();
        if !args.is_empty() {
            self.state.place.positional = Some(Rc::new(args.to_vec()));
        }
        if piped {
            let text = stdin.text.clone().unwrap_or_else(|| Rc::new(Word::unknown()));
            return self.within("source", |shell| shell.text(&text, stdin)).unwrap_or_default();
        }
        let path = self.path(file).word;
        let before = (self.state.place.name.clone(), self.state.variable("BASH_SOURCE").cloned());
        let name = path.clone();
        let output = self.stretches(&path, true, |shell, text| {
            shell.state.put("BASH_SOURCE", Variable::Array(vec![name.clone()]));
            shell.within("source", |shell| shell.text(text, stdin)).unwrap_or_default()
        });
        self.state.place.name = before.0;
        if let Some(source) = before.1 {
            self.state.put("BASH_SOURCE", source);
        }
        output.unwrap_or_default()
    }
}

/// Whether a program's path leads to a folder of the system.
pub(super) fn is_system(path: &str) -> bool {
    SYSTEM.iter().any(|folder| path.starts_with(folder))
}

/// The interpreter that the first line of a script names; without one a shell tries it itself.
fn interpreter(text: &str) -> &str {
    let first = text.lines().next().unwrap_or("");
    let named = first.strip_prefix("#!").and_then(|line| line.split_whitespace().rfind(|word| !word.ends_with("/env") && !word.starts_with('-')));
    named.map_or("sh", |path| path.rsplit('/').next().unwrap_or("sh"))
}
