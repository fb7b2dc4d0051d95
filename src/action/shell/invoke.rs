//! One command as words: builtins and functions, wrappers and what they run, and what a program does to files by its
//! description.

use super::builtin::joined;
use super::{FILE, Output, Shell, Stdin};
use crate::action::arguments::{self, Arguments};
use crate::action::code::{self, Found, Language};
use crate::action::git;
use crate::action::patch;
use crate::action::path::Path;
use crate::action::program::{Program, Role};
use crate::action::word::{Bound, Piece, Word};
use crate::action::{Change, Deed, Delete, Flag, Run};

impl Shell<'_> {
    /// Follows a command.
    pub(super) fn invoke(&mut self, words: Vec<Word>, env: Vec<(String, Word)>, stdin: &Stdin) -> Output {
        if !self.count() {
            return Output::unknown();
        }
        let plain = std::mem::take(&mut self.plain);
        let Some((head, args)) = words.split_first() else { return Output::nothing() };
        let Some(name) = program_name(head) else {
            return self.unknown_program(head, &words, env, stdin);
        };
        if head.literal().is_some_and(|text| !text.contains('/'))
            && let Some(output) = self.defined(&name, args, &env, stdin, plain)
        {
            return output;
        }
        if head.literal().is_some_and(|text| text.contains('/')) {
            let text = self.path(head).word.literal().and_then(|path| self.state.written_text(path)).cloned();
            if let Some(text) = text {
                return self.written_program(&text, args, stdin);
            }
        }
        match name.as_str() {
            "git" => return git::invoke(self, &words, env, stdin),
            "find" | "fd" | "fdfind" => return self.find(&name, &words, env, stdin),
            _ => {}
        }
        if let Some(dashed) = name.strip_prefix("git-").filter(|sub| !sub.is_empty()) {
            // `git-push` is `git push`.
            let words = [&[Word::lit("git"), Word::lit(dashed)], args].concat();
            return git::invoke(self, &words, env, stdin);
        }
        if name == "apply_patch" || name == "applypatch" {
            // Codex's own tool, which its shell knows as a command.
            let text = args.first().or(stdin.text.as_ref()).cloned();
            self.patch(text.as_ref(), usize::MAX);
            return Output::unknown();
        }
        let described = self.programs.find(&name);
        let arguments = match &described {
            Some(program) => arguments::read(program, args),
            None => arguments::read_undescribed(args),
        };
        let at = self.note(&name, &words, &arguments, env.clone(), stdin);
        if let Some(output) = described.as_ref().and_then(|program| self.effects(program, &words, &arguments, &env, stdin, at)) {
            return output;
        }
        self.output(&name, args, stdin)
    }

    /// Functions, aliases and builtins. None: it is a program.
    fn defined(&mut self, name: &str, args: &[Word], env: &[(String, Word)], stdin: &Stdin, plain: bool) -> Option<Output> {
        if let Some(body) = self.state.function(name).filter(|_| !plain) {
            let before = self.state.positional.replace(args.to_vec());
            let output = self.within(&format!("{name}()"), |shell| shell.follow(&body, stdin));
            self.state.positional = before;
            return Some(output.unwrap_or_default());
        }
        if let Some(alias) = self.state.alias(name).filter(|_| !plain).cloned() {
            let mut line = alias;
            if !args.is_empty() {
                line.push_lit(" ");
                line.extend(&joined(args));
            }
            // An alias that names itself is the program.
            if line.prefix().split_whitespace().next() != Some(name) {
                return Some(self.within("alias", |shell| shell.text(&line, stdin)).unwrap_or_default());
            }
        }
        let output = self.builtin(name, args, stdin)?;
        if !matches!(name, ":" | "true" | "false" | "test" | "[" | "cd" | "read" | "return" | "break" | "continue") {
            let words = [&[Word::lit(name)], args].concat();
            let arguments = arguments::read_undescribed(args);
            self.note(name, &words, &arguments, env.to_vec(), stdin);
        }
        Some(output)
    }

    /// Notes that a program is run.
    pub(in crate::action) fn note(&mut self, name: &str, words: &[Word], arguments: &Arguments, env: Vec<(String, Word)>, stdin: &Stdin) -> usize {
        let mut all = self.state.environment();
        all.extend(env);
        let subcommand = arguments.subcommand.split_first().map(|(first, rest)| {
            rest.iter().fold(first.clone(), |mut word, next| {
                word.push_lit(" ");
                word.extend(next);
                word
            })
        });
        let run = Run {
            program: name.to_owned(),
            subcommand,
            flags: arguments.flags.clone(),
            args: arguments.operands.clone(),
            may_hide_flags: arguments.may_hide.clone(),
            env: all,
            stdin_from: stdin.program.clone(),
            words: words.to_vec(),
            remote: self.remote,
        };
        self.push(Deed::Run(run), None)
    }

    /// A program that this line wrote itself: a script, by its first line.
    fn written_program(&mut self, text: &Word, args: &[Word], stdin: &Stdin) -> Output {
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

    /// The command word is not known.
    fn unknown_program(&mut self, head: &Word, words: &[Word], env: Vec<(String, Word)>, stdin: &Stdin) -> Output {
        let rest = words.get(1..).unwrap_or(&[]);
        self.opaque(joined(words).to_string(), "the name of the program is computed");
        if head.multi && !rest.is_empty() {
            // `$SUDO git push`: the first word may vanish.
            let before = std::mem::replace(&mut self.sure, false);
            self.invoke(rest.to_vec(), env, stdin);
            self.sure = before;
        }
        Output::unknown()
    }

    /// What the program does by its description. None: nothing that gives it a known output.
    fn effects(&mut self, program: &Program, words: &[Word], arguments: &Arguments, env: &[(String, Word)], stdin: &Stdin, at: usize) -> Option<Output> {
        let called = words.first().and_then(program_name).unwrap_or_default();
        let name = called.as_str();
        let outer = program.remote;
        let program = &*arguments::innermost(program, arguments);
        let remote = self.remote || outer || program.remote;
        let was_remote = std::mem::replace(&mut self.remote, remote);
        let folder = arguments.roles.iter().find(|(role, _)| *role == Role::Folder).map(|(_, word)| word.clone());
        let before = self.state.cwd.clone();
        if let Some(folder) = folder {
            self.state.cwd = Path::resolve(&before, &folder).word;
        }
        let lent = env.iter().chain(&arguments.assignments).cloned().collect();
        let lent = std::mem::replace(&mut self.lent, lent);
        self.roles(program, arguments, stdin, at);
        if name == "ln" {
            self.linked(arguments);
        }
        let output = self.inner(program, name, words, arguments, env, stdin);
        self.lent = lent;
        self.state.cwd = before;
        self.remote = was_remote;
        output
    }

    /// Effects of operands and option values.
    pub(in crate::action) fn roles(&mut self, program: &Program, arguments: &Arguments, stdin: &Stdin, at: usize) {
        let name = program.names.first().copied().unwrap_or("");
        let called = match self.actions.get(at).map(|action| &action.deed) {
            Some(Deed::Run(run)) => run.program.clone(),
            _ => name.to_owned(),
        };
        let mut sources: Vec<Word> = Vec::new();
        for (role, word) in &arguments.roles {
            if word.is("") {
                // The empty word names no file and is no command (POSIX, "Pathname Resolution").
                continue;
            }
            match role {
                Role::None | Role::Argv | Role::ShellRest | Role::Folder | Role::Assignments => sources.push(word.clone()),
                Role::Read => {
                    let path = self.path(word);
                    self.push(Deed::Read(path), Some(at));
                    sources.push(word.clone());
                }
                Role::Write => {
                    let change = match (&stdin.text, name) {
                        (Some(text), "tee") if arguments.flags.iter().any(|flag| flag.names.iter().any(|name| name == "--append")) => {
                            text.literal().map_or(Change::Unknown, |text| Change::Append(text.to_owned()))
                        }
                        (Some(text), "tee") => {
                            if let Some(path) = self.path(word).word.literal() {
                                self.state.written.push((path.to_owned(), text.clone()));
                            }
                            text.literal().map_or(Change::Unknown, |text| Change::Whole(text.to_owned()))
                        }
                        _ => Change::Unknown,
                    };
                    self.write(word, change, Some(at));
                    if arguments.gathered > 0 {
                        // The last operand may be a folder that takes the files before it.
                        self.write_below(word, &sources, at);
                    }
                }
                Role::WriteInto => {
                    let taken = arguments.roles.iter().filter(|(role, _)| matches!(role, Role::Read | Role::Move));
                    let mut names: Vec<Word> = taken.map(|(_, word)| word.clone()).collect();
                    if arguments.operands.is_empty() || !arguments.operands.iter().all(|word| names.contains(word)) {
                        // What comes out of an archive is not known.
                        names = vec![Word { pieces: vec![Piece::Any(Bound::Name)], multi: false }];
                    }
                    self.write_below(word, &names, at);
                }
                Role::Attributes => self.write(word, Change::Attributes, Some(at)),
                Role::Delete | Role::DeleteTree | Role::Move => {
                    let path = self.path(word);
                    let (recursive, moved) = (*role == Role::DeleteTree, *role == Role::Move);
                    self.push(Deed::Delete(Delete { path, recursive, moved }), Some(at));
                    sources.push(word.clone());
                }
                Role::Url => {
                    let method = arguments
                        .flags
                        .iter()
                        .find(|flag| flag.names.iter().any(|name| name == "--request" || name == "--method"))
                        .and_then(|flag| flag.value.clone());
                    self.push(Deed::Fetch { url: word.clone(), method }, Some(at));
                }
                Role::Shell => {
                    let word = word.clone();
                    // `bash -c TEXT NAME ARGUMENTS`
                    let given = program.shell_stdin && arguments.operands.first() == Some(&word);
                    let positional = given.then(|| arguments.operands.get(1..).unwrap_or(&[]).to_vec());
                    self.within(&format!("{called} …"), |shell| {
                        shell.separate(|shell| {
                            shell.inherit();
                            if let Some((name, rest)) =
                                positional.as_deref().map(|words| words.split_first().map_or((None, &[][..]), |(name, rest)| (Some(name), rest)))
                            {
                                shell.state.positional = Some(rest.to_vec());
                                shell.state.name = name.cloned();
                            }
                            shell.text(&word, stdin)
                        })
                    });
                }
                Role::SplitArgv => {
                    let word = word.clone();
                    self.within(name, |shell| shell.text(&word, stdin));
                }
                Role::Script => self.script_file(program, word, arguments, stdin),
                Role::Code => {
                    let word = word.clone();
                    self.code(program.language, &word, at);
                }
                Role::Patch => {
                    let text = self.path(word).word.literal().and_then(|path| self.state.written_text(path)).cloned();
                    self.patch(text.as_ref(), at);
                }
            }
        }
    }

    /// What stood in front of the command that started this shell is in its environment.
    fn inherit(&mut self) {
        for (name, value) in std::mem::take(&mut self.lent) {
            self.state.set(&name, value);
            self.state.export(&name);
        }
    }

    /// A link leads later commands of the line to its target.
    fn linked(&mut self, arguments: &Arguments) {
        let [target, link] = arguments.operands.as_slice() else { return };
        let link = self.path(link);
        // A symbolic link's target is read from the folder of the link.
        let folder = link.word.literal().filter(|_| arguments.has("--symbolic")).and_then(|link| link.rsplit_once('/'));
        let base = folder.map_or_else(|| self.state.cwd.clone(), |(folder, _)| Word::lit(folder));
        if let (Some(link), Some(target)) = (link.word.literal(), Path::resolve(&base, target).word.literal()) {
            self.state.links.push((link.to_owned(), target.to_owned()));
        }
    }

    fn write_below(&mut self, folder: &Word, sources: &[Word], at: usize) {
        for source in sources {
            let mut name = self.path(source).name();
            if name.pieces.iter().any(|piece| matches!(piece, Piece::Glob(glob) if glob.contains('*'))) {
                // What a glob finds elsewhere says nothing of which names come here.
                name = Word { pieces: vec![Piece::Any(Bound::Name)], multi: false };
            }
            let path = self.path(folder).below(&name);
            self.push(Deed::Write(crate::action::Write { path, change: Change::Unknown }), Some(at));
        }
    }

    /// Inner commands, and command lines on standard input.
    fn inner(&mut self, program: &Program, name: &str, words: &[Word], arguments: &Arguments, env: &[(String, Word)], stdin: &Stdin) -> Option<Output> {
        let mut env = env.to_vec();
        env.extend(arguments.assignments.iter().cloned());
        let mut output = None;
        for inner in &arguments.embedded {
            let inner = inner.clone();
            self.within(name, |shell| shell.invoke(inner, env.clone(), stdin));
        }
        let args = words.get(1..).unwrap_or(&[]);
        match arguments.inner {
            Some((Role::Argv, start)) => {
                let inner = args.get(start..).unwrap_or(&[]).to_vec();
                let inners = if program.appends { appended(inner, arguments, stdin) } else { vec![inner] };
                let inside = if program.appends { Stdin::default() } else { stdin.clone() };
                if let Some(first) = inners.first().filter(|first| arguments.unsure && first.len() > 1) {
                    // An unknown option may have taken the next word as its value.
                    let before = std::mem::replace(&mut self.sure, false);
                    let shorter = first.get(1..).unwrap_or(&[]).to_vec();
                    self.within(name, |shell| shell.invoke(shorter, env.clone(), &inside));
                    self.sure = before;
                }
                for inner in inners {
                    // What another program starts is no function; `time` is a word of the shell itself.
                    self.plain = name != "time";
                    output = self.within(name, |shell| shell.invoke(inner, env.clone(), &inside));
                }
            }
            Some((Role::ShellRest, start)) => {
                let rest = args.get(start..).unwrap_or(&[]);
                let lines = if program.appends { fanned(rest, arguments, stdin) } else { vec![joined(rest)] };
                for line in lines {
                    output = self.within(name, |shell| shell.separate(|shell| shell.text(&line, stdin)));
                }
            }
            _ => {}
        }
        let reads = stdin.connected && arguments.text_from_stdin();
        if program.shell_stdin && reads {
            output = match &stdin.text {
                Some(text) => {
                    let (text, positional) = (text.clone(), arguments.operands.clone());
                    self.within(name, |shell| {
                        shell.separate(|shell| {
                            shell.inherit();
                            shell.state.positional = Some(positional);
                            shell.text(&text, &Stdin::default())
                        })
                    })
                }
                // As a script that is named: what stood on the disk before is not read here.
                None if from_file(stdin) => None,
                None => {
                    let from = stdin.program.clone().unwrap_or_else(|| "a pipe".to_owned());
                    self.opaque(format!("{from} | {name}"), "a command line comes out of a pipe");
                    None
                }
            };
        } else if !program.language.is_empty() && reads {
            match stdin.text.clone() {
                Some(text) => self.code(program.language, &text, usize::MAX),
                None if from_file(stdin) => {}
                None => self.opaque(format!("{} | {name}", stdin.program.as_deref().unwrap_or("a pipe")), "a program text comes out of a pipe"),
            }
        } else if name == "apply_patch" || (name == "patch" && reads && !arguments.has("--dry-run")) {
            let text = arguments.operands.first().filter(|_| name == "apply_patch").or(stdin.text.as_ref()).cloned();
            self.patch(text.as_ref(), usize::MAX);
        }
        output
    }

    /// A file of commands: followed if this line wrote it.
    fn script_file(&mut self, program: &Program, word: &Word, arguments: &Arguments, stdin: &Stdin) {
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
    fn code(&mut self, language: &str, text: &Word, at: usize) {
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

    /// `find`: what it finds is known by its folder and its name test; what it does with it stands among its words.
    fn find(&mut self, name: &str, words: &[Word], env: Vec<(String, Word)>, stdin: &Stdin) -> Output {
        let args = words.get(1..).unwrap_or(&[]);
        let Some(program) = self.programs.find(name) else { return Output::unknown() };
        let arguments = arguments::read(&program, args);
        let at = self.note(name, words, &arguments, env.clone(), stdin);
        let operands: Vec<Word> = arguments.operands.iter().filter(|word| !matches!(word.literal(), Some("(" | ")" | "!" | ","))).cloned().collect();
        let (test, folders) = if name == "find" {
            let test = arguments
                .flags
                .iter()
                .find(|flag| flag.names.iter().any(|name| matches!(name.as_str(), "-name" | "-iname" | "-path" | "-wholename")))
                .and_then(|flag| flag.value.clone());
            // A test that everything passes is none.
            (test.filter(|test| !matches!(test.literal(), Some("*" | "**" | "*.*" | "?*"))), operands)
        } else {
            // fd: the first operand is the pattern, the others are folders.
            let extension =
                arguments.flags.iter().find(|flag| flag.names.iter().any(|name| name == "--extension")).and_then(|flag| flag.value.as_ref()?.literal());
            let pattern = operands.first().and_then(Word::literal).and_then(fd_pattern);
            (extension.map(|extension| Word::lit(format!("*.{extension}"))).or(pattern), operands.get(1..).unwrap_or(&[]).to_vec())
        };
        let folders = if folders.is_empty() { vec![Word::lit(".")] } else { folders };
        let found: Vec<Word> = folders.iter().map(|folder| found_below(folder, test.as_ref())).collect();
        // With `-empty` and no way around it, nothing goes that holds anything.
        let empty = arguments.has("-empty") && !args.iter().any(|word| word.literal().is_none_or(|text| matches!(text, "-o" | "-or" | "!" | "-not" | ",")));
        if arguments.has("-delete") && !empty {
            for word in &found {
                let path = self.path(word);
                self.push(Deed::Delete(Delete { path, recursive: test.is_none(), moved: false }), Some(at));
            }
        }
        for (role, word) in &arguments.roles {
            if *role == Role::Write {
                self.write(word, Change::Unknown, Some(at));
            }
        }
        for inner in arguments.embedded.clone() {
            for word in &found {
                let mut inner: Vec<Word> = inner.iter().map(|part| with_found(part, word)).collect();
                if name != "find" && !arguments.embedded.iter().flatten().any(|part| part.prefix().contains('{')) {
                    // fd adds what it finds where no place is marked.
                    inner.push(word.clone());
                }
                self.within(name, |shell| shell.invoke(inner, env.clone(), &Stdin::default()));
            }
        }
        Output { text: None, items: Some(found) }
    }
}

/// Whether standard input is a file and no pipe.
fn from_file(stdin: &Stdin) -> bool {
    stdin.program.as_deref() == Some(FILE)
}

/// The name of a program without its folder, if it is known.
fn program_name(head: &Word) -> Option<String> {
    if head.pieces.iter().any(|piece| matches!(piece, Piece::Glob(_))) {
        return None;
    }
    match head.pieces.last() {
        Some(Piece::Lit(text)) => match (text.rsplit_once('/'), head.pieces.len()) {
            (Some((_, name)), _) => Some(name.to_owned()),
            (None, 1) => Some(text.clone()),
            (None, _) => None,
        },
        _ => None,
    }
    .filter(|name| !name.is_empty())
}

/// The commands that `xargs` makes: the words added to its command, or one command for each line where a place is marked.
fn appended(mut inner: Vec<Word>, arguments: &Arguments, stdin: &Stdin) -> Vec<Vec<Word>> {
    if inner.is_empty() {
        inner.push(Word::lit("echo"));
    }
    let replaced = arguments
        .flags
        .iter()
        .find(|flag| flag.names.iter().any(|name| name == "-I" || name == "--replace"))
        .map(|flag| flag.value.as_ref().and_then(Word::literal).filter(|text| !text.is_empty()).unwrap_or("{}").to_owned());
    let items: Vec<Word> = match (&stdin.items, stdin.text.as_ref().map(|text| (text, text.literal()))) {
        (Some(items), _) => items.clone(),
        (None, Some((_, Some(text)))) if replaced.is_some() => text.lines().map(|line| Word::lit(line.trim_start())).collect(),
        (None, Some((_, Some(text)))) => text.split_whitespace().map(Word::lit).collect(),
        (None, Some((text, None))) if names(text) => vec![Word { pieces: vec![Piece::Any(Bound::Name)], multi: true }],
        (None, _) => vec![Word { multi: true, ..Word::unknown() }],
    };
    match replaced {
        Some(mark) if items.len() <= MAX_LINES => {
            items.iter().map(|item| inner.iter().flat_map(|word| replace(word, &mark, std::slice::from_ref(item))).collect()).collect()
        }
        Some(mark) => vec![inner.into_iter().flat_map(|word| replace(&word, &mark, &items)).collect()],
        None => {
            inner.extend(items);
            vec![inner]
        }
    }
}

/// Lines for which `xargs -I` is followed one by one.
const MAX_LINES: usize = 64;

/// Whether the text is made of nothing but names from a known producer.
pub(super) fn names(text: &Word) -> bool {
    let plain = |piece: &Piece| match piece {
        Piece::Any(bound) => *bound == Bound::Name,
        Piece::Lit(text) => text.trim().is_empty(),
        Piece::Glob(_) => false,
    };
    text.has_hole() && text.pieces.iter().all(plain)
}

/// The command lines that `parallel` makes of its template: one for each word behind `:::`, or of standard input.
fn fanned(words: &[Word], arguments: &Arguments, stdin: &Stdin) -> Vec<Word> {
    let end = words.iter().position(|word| matches!(word.literal(), Some(":::" | ":::+" | "::::" | "::::+"))).unwrap_or(words.len());
    let (template, sources) = words.split_at_checked(end).unwrap_or((words, &[]));
    let items = sources.iter().filter(|word| !word.is(":::") && !word.is(":::+")).cloned().collect();
    let stdin = match sources.first() {
        Some(first) if first.prefix().starts_with("::::") => &Stdin::default(),
        Some(_) => &Stdin { items: Some(items), ..Stdin::default() },
        None => stdin,
    };
    match template.is_empty() {
        true => stdin.items.clone().unwrap_or_default(),
        false if template.iter().any(|word| word.prefix().contains("{}")) => {
            let marked = Arguments { flags: vec![Flag { names: vec!["-I".to_owned()], value: Some(Word::lit("{}")) }], ..Arguments::default() };
            appended(template.to_vec(), &marked, stdin).iter().map(|words| joined(words)).collect()
        }
        false => appended(template.to_vec(), arguments, stdin).iter().map(|words| joined(words)).collect(),
    }
}

fn replace(word: &Word, mark: &str, items: &[Word]) -> Vec<Word> {
    let Some(text) = word.literal().filter(|text| text.contains(mark)) else { return vec![word.clone()] };
    items
        .iter()
        .map(|item| {
            let mut whole = Word::default();
            for (at, stretch) in text.split(mark).enumerate() {
                if at > 0 {
                    whole.extend(item);
                }
                whole.push_lit(stretch);
            }
            whole.multi = false;
            whole
        })
        .collect()
}

/// The glob of names in which `fd` finds a pattern without anything special in it.
fn fd_pattern(pattern: &str) -> Option<Word> {
    let (front, rest) = pattern.strip_prefix('^').map_or(("*", pattern), |rest| ("", rest));
    let (back, rest) = rest.strip_suffix('$').map_or(("*", rest), |rest| ("", rest));
    let plain = !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    plain.then(|| Word::lit(format!("{front}{rest}{back}")))
}

/// What `find FOLDER -name TEST` finds.
fn found_below(folder: &Word, test: Option<&Word>) -> Word {
    let Some(test) = test.and_then(Word::literal) else { return folder.clone() };
    let mut word = folder.clone();
    word.push_lit("/");
    word.push(Piece::Glob("**".to_owned()));
    word.push_lit("/");
    let mut rest = test.trim_start_matches("*/").trim_start_matches("./");
    while let Some(at) = rest.find(['*', '?']) {
        let (plain, tail) = rest.split_at(at);
        word.push_lit(plain);
        word.push(Piece::Glob("*".to_owned()));
        rest = tail.get(1..).unwrap_or("");
    }
    word.push_lit(rest);
    word
}

fn with_found(part: &Word, found: &Word) -> Word {
    replace(part, "{}", std::slice::from_ref(found)).into_iter().next().unwrap_or_default()
}
