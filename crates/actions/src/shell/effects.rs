//! What a program does by its description: files, addresses, and (in `inner`) commands.

use std::rc::Rc;

use super::{Output, Shell, Stdin, invoke::program_name};
use crate::arguments::{self, ParsedArguments};
use crate::program::{Method, Program, ProgramWay, Role};
use crate::word::{Bound, Word, WordPiece};
use crate::{Action, Change, Deed, Delete, EMPTIED, Edited, path::Path};

/// Such an address is a file of this machine (RFC 8089).
const FILE_SCHEME: &str = "file://";

impl Shell<'_> {
    /// Notes what the program does, by its description. Returns its output. `None`: the output is not known.
    pub(crate) fn effects(
        &mut self,
        program: &Program,
        words: &[Word],
        arguments: &ParsedArguments,
        env: &[(String, Word)],
        stdin: &Stdin,
        at: usize,
    ) -> Option<Output> {
        let called = words.first().and_then(program_name).unwrap_or_default();
        let name = called.as_str();
        let (outer, described) = (program.remote, program);
        let program = &*arguments::innermost(program, arguments);
        if program.is(ProgramWay::Checks) && only_checks(arguments) {
            for (_, word) in arguments.roles.iter().filter(|(role, _)| matches!(role, Role::Script | Role::Read)) {
                let path = self.path(word);
                self.push(Deed::Read(path.into()), Some(at));
            }
            return Some(Output::nothing());
        }
        let remote = self.remote || outer || program.remote;
        let was_remote = std::mem::replace(&mut self.remote, remote);
        let contained = self.contained || program.is(ProgramWay::Container);
        let was_contained = std::mem::replace(&mut self.contained, contained);
        let before = self.state.place.cwd.clone();
        let mounts = if arguments.word(&[Role::Mount]).is_some() || program.options.iter().any(|opt| opt.role == Role::Mount) {
            let mounts = self.mounted(arguments);
            // Where a container starts is said by its image; without anything of this machine in it, it does not matter.
            let rooted = mounts.iter().all(|(inside, _)| inside.is_empty());
            self.state.place.cwd = if rooted { Word::lit("/") } else { Word::unknown() };
            self.mounts.replace(mounts)
        } else {
            self.mounts.clone()
        };
        if let Some(folder) = arguments.word(&[Role::Folder]) {
            self.state.place.cwd = Path::resolve(&self.state.place.cwd, folder).word;
        }
        let lent = env.iter().chain(&arguments.assignments).cloned().collect();
        let lent = std::mem::replace(&mut self.lent, lent);
        let first = self.actions.len();
        self.roles(program, arguments, stdin, at);
        self.goes(program, arguments, stdin, first, at);
        if program.is(ProgramWay::Links) {
            self.linked(arguments);
        }
        if program.is(ProgramWay::Unpacks) && arguments.has("--extract") && stdin.command.as_deref().is_some_and(|command| self.archives(command)) {
            let folder = arguments.value("--directory").cloned().unwrap_or_else(|| Word::lit("."));
            self.tree(&folder, &[], at);
        }
        if program.is(ProgramWay::Queries) {
            self.queries(program, name, arguments, env, stdin, at);
        }
        self.recipes(described, name, arguments, stdin);
        let output = self.inner(program, name, words, arguments, env, stdin);
        self.speaks = !program.details.is_empty() || described.is(ProgramWay::SetsUp);
        self.lent = lent;
        self.state.place.cwd = before;
        self.mounts = mounts;
        self.remote = was_remote;
        self.contained = was_contained;
        output
    }

    /// The folders of a container that are this machine's (`docker run`, "VOLUME (shared filesystems)").
    fn mounted(&self, arguments: &ParsedArguments) -> Vec<(String, Word)> {
        let mut mounts = Vec::new();
        for (_, word) in arguments.roles.iter().filter(|(role, _)| *role == Role::Mount) {
            let fields = word.split(',');
            let field = |names: &[&str]| {
                let named = |field: &Word| names.iter().find(|name| field.prefix().starts_with(**name)).map(|name| field.without_prefix(name.len()));
                fields.iter().find_map(named)
            };
            let parts = word.split(':');
            let (host, inside, kept) = match (field(&["target=", "dst=", "destination="]), parts.as_slice()) {
                (Some(inside), _) => (field(&["source=", "src="]), inside, fields.iter().any(|field| field.is("readonly") || field.is("ro"))),
                (None, [host, inside, rest @ ..]) => {
                    (Some(host.clone()), inside.clone(), rest.iter().any(|modes| modes.split(',').iter().any(|mode| mode.is("ro"))))
                }
                // `chroot ROOT`
                (None, _) => (Some(word.clone()), Word::lit("/"), false),
            };
            if let (Some(host), Some(inside), false) = (host, inside.literal(), kept) {
                let inside = inside.trim_end_matches('/').to_owned();
                // A volume has a name and no path; what is in it stays as it is called.
                let named = host.literal().is_some_and(|host| !host.contains('/') && !host.starts_with(['.', '~']));
                let host = if named { Word::lit(inside.as_str()) } else { self.path(&host).word };
                mounts.push((inside, host));
            }
        }
        mounts
    }

    /// Effects of operands and option values.
    #[inline(never)] // Most calls do not come here, and touch fewer pages without it.
    pub(crate) fn roles(&mut self, program: &Program, arguments: &ParsedArguments, stdin: &Stdin, at: usize) {
        let name = program.names.first().copied().unwrap_or("");
        let (called, env) = match self.actions.get(at).map(|action| &action.deed) {
            Some(Deed::Run(run)) => (run.program.clone(), run.env.clone()),
            _ => (name.to_owned(), Vec::new()),
        };
        let mut sources: Vec<Word> = Vec::new();
        for (role, word) in &arguments.roles {
            if word.is("") {
                // The empty word names no file and is no command (POSIX, "Pathname Resolution").
                continue;
            }
            match role {
                Role::None | Role::SentText | Role::Argv | Role::ShellRest | Role::Folder | Role::Assignments => sources.push(word.clone()),
                Role::Method | Role::Keys | Role::Image | Role::Entrypoint | Role::Mount | Role::SplitArgv => {}
                Role::Read | Role::Sent => {
                    let path = self.path(word);
                    let read = self.reads(path, Some(at));
                    if *role == Role::Sent {
                        self.send_off(&[read, read + 1]);
                        if word.is("-") {
                            self.send_off(&stdin.holds);
                        }
                    }
                    sources.push(word.clone());
                }
                Role::Write | Role::WriteTree => {
                    let pattern = |word: &Word| word.pieces.iter().any(|piece| matches!(piece, WordPiece::Glob(_) | WordPiece::Any(Bound::File)));
                    if *role == Role::WriteTree || (arguments.gathered > 0 && sources.iter().any(pattern)) {
                        let taken = |role: Role| matches!(role, Role::Read | Role::Move | Role::DeleteTree);
                        let taken: Vec<Word> = arguments.roles.iter().filter(|(role, _)| taken(*role)).map(|(_, word)| word.clone()).collect();
                        self.tree(word, &taken, at);
                    } else if program.is(ProgramWay::Erases) && pattern(word) {
                        self.tree(word, &[], at);
                    }
                    // What another program gives `tee` is not known, but it is there.
                    let given = program.is(ProgramWay::CopiesInput) && (stdin.connected || stdin.text.is_some());
                    let change = if !given && let Some(change) = self.made(program, arguments, stdin) {
                        change
                    } else if given {
                        self.sent(word, stdin.text.as_ref(), stdin.file.as_deref(), arguments.has("--append"))
                    } else {
                        Change::Unknown
                    };
                    let change = self.with_sources(change, program, arguments, stdin, given);
                    self.write(word, change, Some(at));
                    self.arrived(word, &sources, arguments);
                    if program.is(ProgramWay::HostPaths) {
                        self.brought(word, arguments);
                    }
                    if arguments.gathered > 0 {
                        // The last operand may be a folder that takes the files before it.
                        self.write_below(word, &sources, program.is(ProgramWay::Copies), at);
                    }
                }
                Role::WriteInto => {
                    if program.is(ProgramWay::HostPaths) {
                        self.brought(word, arguments);
                    }
                    let taken = arguments.roles.iter().filter(|(role, _)| matches!(role, Role::Read | Role::Move | Role::Download | Role::Write));
                    let mut names: Vec<Word> = taken.map(|(_, word)| word.clone()).collect();
                    if arguments.operands.is_empty() || !arguments.operands.iter().all(|word| names.contains(word)) {
                        // What comes out of an archive is not known.
                        names = vec![Word::name()];
                    }
                    self.write_below(word, &names, program.is(ProgramWay::Copies), at);
                }
                // In a container they are its own.
                Role::Attributes if self.contained => {}
                Role::Attributes => self.write(word, Change::Attributes { tree: arguments.has("--recursive") }, Some(at)),
                Role::Touch => self.write(word, Change::Append(String::new()), Some(at)),
                Role::Delete | Role::DeleteTree | Role::Move => {
                    let own = Some(Path::resolve(&self.state.place.cwd, word)).filter(|_| *role != Role::Move && !word.to_string().ends_with(['/', '.']));
                    // What deletes a link leaves what it leads to.
                    let link = own.filter(|own| own.word.literal().is_some_and(|path| self.state.is_symbolic(path)));
                    let mut path = link.unwrap_or_else(|| self.path(word));
                    // `FOLDER/**` is all below the folder, one by one.
                    let all = matches!(path.word.pieces.last(), Some(WordPiece::Glob(glob)) if glob == "**");
                    if all {
                        path.word.pieces.pop();
                        path = Path { word: Path::resolve(&path.word, &Word::default()).word, shown: path.shown };
                    }
                    // What is moved onto the null device is gone.
                    let moved = *role == Role::Move && !arguments.operands.last().is_some_and(|to| to.is("/dev/null"));
                    let recursive = matches!(role, Role::DeleteTree) || all || (*role == Role::Move && !moved);
                    self.push(Deed::Delete(Delete { path: path.clone(), recursive, moved }), Some(at));
                    // What was moved here goes with it.
                    let from = path.word.literal().filter(|_| recursive).and_then(|path| self.state.copied_from(path)).map(Word::lit);
                    let gone = |action: &Action| matches!(&action.deed, Deed::Delete(delete) if delete.moved && Some(&delete.path.word) == from.as_ref());
                    if self.actions.iter().any(gone) {
                        let path = Path { word: from.unwrap_or_default(), shown: path.shown.clone() };
                        self.push(Deed::Delete(Delete { path, recursive, moved }), Some(at));
                    }
                    let takes_trees = || program.forms.iter().flat_map(|form| &form.operands).any(|(role, _)| *role == Role::DeleteTree);
                    if !recursive && path.word.literal().is_some() && arguments.may_hide.is_some() && takes_trees() {
                        // `rm $FLAGS FOLDER`
                        self.unsurely(|shell| shell.push(Deed::Delete(Delete { path, recursive: true, moved }), Some(at)));
                    }
                    sources.push(word.clone());
                }
                Role::Url | Role::Download if word.prefix().starts_with(FILE_SCHEME) => {
                    let path = self.path(&word.without_prefix(FILE_SCHEME.len()));
                    let read = self.reads(path, Some(at));
                    self.flow(&[read]);
                }
                Role::Url | Role::Download => {
                    let method = method(program, arguments);
                    self.push(Deed::Fetch { url: word.clone(), method }, Some(at));
                    if *role == Role::Download {
                        let folder = arguments.word(&[Role::WriteInto]);
                        if folder.is_none() {
                            self.write_below(&Word::lit("."), std::slice::from_ref(word), false, at);
                        }
                        let file = self.path(&folder.cloned().unwrap_or_else(|| Word::lit("."))).below(&self.path(word).name());
                        match file.word.literal() {
                            Some(path) if path.contains(['*', '?']) => self.state.arrive(pattern(path)),
                            Some(path) => self.state.write(path, Word::unknown().into()),
                            None => {}
                        }
                    }
                }
                Role::Shell => {
                    // `bash -c TEXT NAME ARGUMENTS`: what may be no word, or several, moves those behind it.
                    let given = arguments.operands.split_first().filter(|(first, _)| program.shell_stdin && *first == word).map(|(_, given)| given);
                    let name = given.and_then(<[_]>::first).map(|name| if name.multi { Word::unknown() } else { name.clone() });
                    let moved = |words: &[Word]| words.first().is_none_or(|name| name.multi);
                    let args = given.map(|words| words.iter().skip(usize::from(!moved(words))).cloned().collect());
                    self.within(&format!("{called} …"), |shell| {
                        shell.separate(|shell| {
                            shell.inherit();
                            if let Some(args) = args {
                                (shell.state.place.positional, shell.state.place.name) = (Some(Rc::new(args)), name);
                            }
                            shell.speaking(program, |shell| shell.text(word, stdin))
                        })
                    });
                }
                Role::Script => {
                    if let Some(package) = word.literal().and_then(package_of) {
                        let words = [&[Word::lit(package)], arguments.operands.get(1..).unwrap_or(&[])].concat();
                        self.words_within(&called, words, env.clone(), stdin);
                        continue;
                    }
                    // `python manage.py flush`, `ruby bin/rails db:drop`: the script is a program by itself.
                    if let Some(known) = word.literal().and_then(|path| path.rsplit('/').next()).filter(|name| self.programs.find(name).is_some()) {
                        let words = [&[Word::lit(known)], arguments.operands.get(1..).unwrap_or(&[])].concat();
                        self.words_within(&called, words, env.clone(), stdin);
                    }
                    let path = self.path(word).word;
                    self.script_file(program, &path, &path, arguments.operands.get(1..).unwrap_or(&[]), stdin);
                }
                Role::Code => {
                    self.code(program.language, word, Some(at));
                    self.escaped(program, word);
                }
                Role::Commands => self.escaped(program, word),
                Role::Queries if word.is("-") => {}
                Role::Queries => {
                    let path = self.path(word);
                    self.push(Deed::Read(path.into()), Some(at));
                }
            }
        }
        let keys: Vec<&Word> = arguments.roles.iter().filter(|(role, _)| *role == Role::Keys).map(|(_, word)| word).collect();
        if !keys.is_empty() {
            let line = typed(&keys);
            self.line_within(&called, &line, &Stdin::default());
        }
    }

    /// Notes that files of whole folders take the place of those of the same names below a folder.
    fn tree(&mut self, folder: &Word, sources: &[Word], at: usize) {
        // Of a pattern, the folder in front of it.
        let from = |source: &Word| {
            let path = self.path(source).word;
            path.literal().map(str::to_owned).or_else(|| Some(path.prefix().rsplit_once('/').filter(|_| !path.has_hole())?.0.to_owned()))
        };
        let sources: Option<Vec<String>> = sources.iter().map(from).collect();
        let path = self.path(folder);
        self.push(Deed::Write(crate::Write { path, change: Change::Tree(sources.unwrap_or_default()) }), Some(at));
    }

    /// Whether a command writes an archive of folders to standard output.
    fn archives(&self, command: &str) -> bool {
        let mut words = command.split(' ');
        let Some(program) = words.next().and_then(|name| self.programs.find(name)) else { return false };
        program.is(ProgramWay::Archives) || words.next().and_then(|name| program.subcommand(name)).is_some_and(|subcommand| subcommand.is(ProgramWay::Archives))
    }

    /// What becomes of the texts of the files that a program writes, by its description.
    fn made(&mut self, program: &Program, arguments: &ParsedArguments, stdin: &Stdin) -> Option<Change> {
        if program.is(ProgramWay::Formats) {
            return Some(Change::Append(String::new()));
        }
        if program.is(ProgramWay::Copies) {
            let taken = arguments.roles.iter().filter(|(role, _)| matches!(role, Role::Read | Role::Move)).map(|(_, word)| word);
            return self.copy_of(taken.collect::<Vec<_>>().as_slice());
        }
        let given = |option: &&str| option.split_once('=').is_some_and(|(name, value)| arguments.value(name).is_some_and(|word| word.is(value)));
        if !program.details.is_empty() && program.details().empties.iter().any(given) {
            return Some(Change::Edited(Edited { language: EMPTIED.to_owned(), ..Edited::default() }));
        }
        program.is(ProgramWay::Edits).then(|| Self::edited(program, arguments, stdin)).flatten().map(Change::Edited)
    }

    /// The text of the one file that is copied.
    fn copy_of(&self, sources: &[&Word]) -> Option<Change> {
        let [source] = sources else { return None };
        let path = self.path(source);
        let from = path.word.literal().filter(|_| !self.remote)?;
        Some(if from == "/dev/null" { Change::Whole(String::new()) } else { Change::Copy { from: from.to_owned(), append: false } })
    }

    /// The program text by which a call changes its files. `None` if it is not known.
    pub(super) fn edited(program: &Program, arguments: &ParsedArguments, stdin: &Stdin) -> Option<Edited> {
        let texts = arguments.roles.iter().filter(|(role, _)| matches!(role, Role::Code | Role::Commands));
        let texts = texts.map(|(_, word)| word.literal()).collect::<Option<Vec<_>>>()?;
        let script = if texts.is_empty() { stdin.text.as_ref()?.literal()?.to_owned() } else { texts.join("\n") };
        let options = arguments.flags.iter().filter_map(|flag| flag.names.first().cloned()).collect();
        Some(Edited { language: program.language.to_owned(), options, script, ..Edited::default() })
    }

    /// What was in front of the command that started this shell is in its environment.
    pub(super) fn inherit(&mut self) {
        for (name, value) in std::mem::take(&mut self.lent) {
            self.state.set(&name, value);
            self.state.export(&name);
        }
    }

    /// A link leads later commands of the line to its target.
    fn linked(&mut self, arguments: &ParsedArguments) {
        let [target, link] = arguments.operands.as_slice() else { return };
        let link = self.path(link);
        // A symbolic link's target is read from the folder of the link.
        let folder = link.word.literal().filter(|_| arguments.has("--symbolic")).and_then(|link| link.rsplit_once('/'));
        let base = folder.map_or_else(|| self.state.place.cwd.clone(), |(folder, _)| Word::lit(folder));
        let target = Path::resolve(&base, target).word;
        if target.prefix().starts_with("/dev/") && !arguments.has("--symbolic") {
            // `mount DEVICE FOLDER`: what is on it is not the device.
            return;
        }
        match (link.word.literal(), target.literal(), stands_for(&target)) {
            (Some(link), Some(target), _) => self.state.link(link, target, arguments.has("--symbolic")),
            (Some(link), None, Some(text)) => self.state.write(link, text.into()),
            _ => {}
        }
    }

    /// A file that came from elsewhere: a copy, or what was fetched.
    fn arrived(&mut self, word: &Word, sources: &[Word], arguments: &ParsedArguments) {
        let target = self.path(word);
        let Some(target) = target.word.literal() else { return };
        if arguments.roles.iter().any(|(role, _)| *role == Role::Url) {
            self.state.write(target, Rc::new(Word::unknown()));
        }
        for source in sources {
            let from = self.path(source).word;
            if let Some((from, name)) = from.literal().and_then(|from| Some((from, from.rsplit_once('/')?.1))) {
                self.state.copy(from, target);
                self.state.copy(from, &format!("{target}/{name}"));
            } else if let Some(text) = stands_for(&from) {
                self.state.write(target, text.into());
            }
        }
    }

    /// What comes from another machine is not known.
    fn brought(&mut self, to: &Word, arguments: &ParsedArguments) {
        let Some(target) = self.path(to).word.literal().map(str::to_owned) else { return };
        for source in arguments.operands.iter().filter(|word| arguments::elsewhere(word)) {
            self.state.write(&target, Rc::new(Word::unknown()));
            if let Some(name) = source.literal().and_then(|source| source.rsplit([':', '/']).next()).filter(|name| !name.is_empty()) {
                self.state.write(&format!("{target}/{name}"), Rc::new(Word::unknown()));
            }
        }
    }

    fn write_below(&mut self, folder: &Word, sources: &[Word], copies: bool, at: usize) {
        for source in sources {
            let mut name = self.path(source).name();
            if name.pieces.iter().any(|piece| matches!(piece, WordPiece::Glob(glob) if glob.contains('*'))) {
                // What a glob finds elsewhere says nothing of which names come here.
                name = Word::name();
            }
            let path = self.path(folder).below(&name);
            let change = copies.then(|| self.copy_of(&[source])).flatten().unwrap_or(Change::Unknown);
            self.push(Deed::Write(crate::Write { path, change }), Some(at));
        }
    }
}

/// A pattern that a program expands by itself.
fn pattern(text: &str) -> Word {
    let mut word = Word::default();
    for (at, plain) in text.split(['*', '?']).enumerate() {
        if at > 0 {
            word.push(WordPiece::Glob("*".to_owned()));
        }
        word.push_lit(plain);
    }
    word
}

/// Whether a shell only looks for mistakes (POSIX, `set`, "-n"). An interactive shell does not.
fn only_checks(arguments: &ParsedArguments) -> bool {
    let given = arguments.has("-n") || arguments.flags.iter().any(|flag| flag.is("-o") && flag.value.as_ref().is_some_and(|value| value.is("noexec")));
    given && !["-i", "+n", "+o", "--interactive"].iter().any(|flag| arguments.has(flag))
}

/// The method of a request, said or implied. `None`: the program makes no requests of which that is described.
fn method(program: &Program, arguments: &ParsedArguments) -> Option<Word> {
    if let Some(method) = overridden(arguments) {
        return Some(Word::lit(method));
    }
    if let Some(said) = arguments.word(&[Role::Method]) {
        return Some(said.literal().map_or_else(|| said.clone(), |method| Word { span: said.span, ..Word::lit(method.to_ascii_uppercase()) }));
    }
    let requests = program.details().methods;
    let fits = |method: &&Method| {
        let given = method.any.is_empty() || method.any.iter().any(|name| arguments.has(name));
        given && (!method.items || arguments.operands.len() > 1)
    };
    let found = requests.iter().find(fits)?;
    // An unknown word can be an option that gives another method.
    let known = arguments.may_hide.is_none() && !found.method.is_empty();
    Some(if known { Word::lit(found.method) } else { Word::unknown() })
}

/// The method that a server takes in place of the one of the request: frameworks read it from a header or from `_method`.
fn overridden(arguments: &ParsedArguments) -> Option<String> {
    const HEADERS: [&str; 3] = ["x-http-method-override", "x-http-method", "x-method-override"];
    let values = arguments.flags.iter().filter_map(|flag| flag.value.as_ref()).chain(&arguments.operands);
    values.filter_map(Word::literal).find_map(|text| {
        let header = text.split_once(':').filter(|(name, _)| HEADERS.iter().any(|known| name.eq_ignore_ascii_case(known))).map(|(_, value)| value);
        let field = || text.split(['?', '&']).find_map(|pair| pair.strip_prefix("_method="));
        let method = header.or_else(field)?.trim().to_ascii_uppercase();
        matches!(method.as_str(), "DELETE" | "PUT" | "PATCH").then_some(method)
    })
}

/// The package that a runtime fetches and runs as a script: `npm:name@5`, `jsr:@scope/name`.
fn package_of(script: &str) -> Option<&str> {
    let (scheme, package) = script.split_once(':')?;
    let named = scheme.len() > 1 && scheme.bytes().all(|byte| byte.is_ascii_lowercase()) && !package.starts_with(['/', '\\', ':']);
    (named && !package.is_empty()).then_some(package)
}

/// A copy of a program does what the program does.
fn stands_for(path: &Word) -> Option<Word> {
    let program = program_name(path).filter(|_| path.has_hole() || path.prefix().contains("/bin/"))?;
    Some(Word::lit(format!("{program} \"$@\"")))
}

/// What keys write: `Space` and `Enter` by their names (tmux(1), "KEY BINDINGS"), `\n` and `^M` as `screen -X stuff` reads
/// them.
fn typed(keys: &[&Word]) -> Word {
    let mut line = Word::default();
    for key in keys {
        match key.literal() {
            Some("Space") => line.push_lit(" "),
            Some("Enter" | "C-m" | "C-j" | "KPEnter") => line.push_lit("\n"),
            Some(text) => line.push_lit(&["\\n", "\\r", "\\015", "\\012", "^M", "^J", "\r"].iter().fold(text.to_owned(), |text, end| text.replace(end, "\n"))),
            None => line.extend(key),
        }
    }
    line
}
