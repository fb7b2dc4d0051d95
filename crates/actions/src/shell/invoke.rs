//! One command as words: functions, aliases and builtins, programs with ways of their own, and all others by their
//! description (`effects`).

use std::rc::Rc;

use super::{Output, Shell, Stdin, builtin::joined, git, state::Function};
use crate::arguments::{self, ParsedArguments};
use crate::program::{Program, ProgramWay, Role, Takes};
use crate::word::{Bound, Word, WordPiece};
use crate::{Deed, Run, printed};

/// Words of a program that nobody described among which a command is looked for.
const MAX_GUESSED: usize = 64;
/// Variables that one line may export: each command is judged with all of them.
const MAX_EXPORTED: usize = 400;

impl Shell<'_> {
    /// Follows a command.
    pub(super) fn invoke(&mut self, words: Vec<Word>, env: Vec<(String, Word)>, stdin: &Stdin) -> Output {
        if !self.count() {
            return Output::unknown();
        }
        let plain = std::mem::take(&mut self.plain);
        self.started(&env);
        let Some((head, args)) = words.split_first() else { return Output::nothing() };
        if head.multi && head.literal().is_some() && args.first().is_some_and(|next| program_name(next).is_some()) {
            // `$EDITOR git push`: the variable may be unset.
            self.unsurely(|shell| shell.invoke(args.to_vec(), env.clone(), stdin));
        }
        if head.pieces == [WordPiece::Any(Bound::Truth)] {
            return Output::nothing();
        }
        if head.pieces == [WordPiece::Any(Bound::Setup)] && args.is_empty() {
            return Output::unknown();
        }
        let Some(name) = program_name(head) else { return self.unknown_program(&words, env, stdin) };
        if let Some(package) = self.packaged(head, &name) {
            return self.invoke([&[Word { span: head.span, ..Word::lit(package) }], args].concat(), env, stdin);
        }
        if head.literal().is_some_and(|text| !text.contains('/'))
            && let Some(output) = self.defined(&name, args, &env, stdin, plain)
        {
            return output;
        }
        if head.literal().is_some_and(|text| text.contains('/')) {
            // What this line linked or copied here is another program.
            let path = self.path(head).word;
            let source = path.literal().and_then(|path| self.state.copied_from(path)).filter(|source| source.contains("/bin/"));
            let target = source.map_or(path, Word::lit);
            if let Some(called) = program_name(&target).filter(|called| *called != name) {
                // A script is found again only by its whole path.
                let system = target.has_hole() || target.prefix().contains("/bin/");
                let head = if system { Word::lit(called) } else { target };
                return self.invoke([&[head], args].concat(), env, stdin);
            }
        }
        let described = self.programs.find(&name);
        if let Some(program) = described.as_ref().filter(|program| program.is(ProgramWay::House)) {
            // A policy adds to what is said of a program that nobody described, and takes nothing away.
            let arguments = arguments::read_undescribed(args);
            self.note(&name, &words, &arguments, env.clone(), stdin);
            self.guessed(&name, args, &env, stdin);
            let arguments = arguments::read(program, args);
            let at = self.note(&name, &words, &arguments, env.clone(), stdin);
            self.effects(program, &words, &arguments, &env, stdin, at);
            if head.literal().is_some_and(|text| text.contains('/')) {
                self.program_file(head, args, &env, stdin);
            }
            return Output::unknown();
        }
        if let Some(program) = &described {
            if program.is(ProgramWay::Git) {
                let git = if name == "git" { None } else { self.programs.find("git") };
                return git::invoke(self, git.as_ref().unwrap_or(program), &words, env, stdin);
            }
            if program.is(ProgramWay::Find) || program.is(ProgramWay::Fd) {
                return self.find(program, &name, &words, env, stdin);
            }
        }
        if let Some(dashed) = name.strip_prefix("git-").filter(|sub| sub.starts_with(|c: char| c.is_ascii_lowercase())) {
            // `git-push` is `git push`.
            let words = [&[Word::lit("git"), Word::lit(dashed)], args].concat();
            let Some(git) = self.programs.find("git") else { return Output::unknown() };
            return git::invoke(self, &git, &words, env, stdin);
        }
        let more = described.as_ref().map(|program| self.given_by_variables(program, &env)).unwrap_or_default();
        let words = if more.is_empty() { words } else { [words.as_slice(), more.as_slice()].concat() };
        let (Some(head), args) = (words.first(), words.get(1..).unwrap_or(&[])) else { return Output::nothing() };
        let arguments = match &described {
            Some(program) => arguments::read(program, args),
            None => arguments::read_undescribed(args),
        };
        if let Some(program) = described.as_ref().filter(|program| only_explains(program, args, &arguments)) {
            let flags = arguments.flags.iter().filter(|flag| flag.is("--help") || flag.is("--version")).cloned().collect();
            let subcommand = if arguments.subcommand.is_empty() { Vec::new() } else { vec![Word::lit("help")] };
            self.note(&name, &words, &ParsedArguments { subcommand, flags, ..ParsedArguments::default() }, env, stdin);
            return self.output(program, &name, args, &arguments, stdin);
        }
        let at = self.note(&name, &words, &arguments, env.clone(), stdin);
        let known = described.as_ref().and_then(|program| self.effects(program, &words, &arguments, &env, stdin, at));
        let speaks = self.speaks;
        let path = head.prefix().contains('/');
        // Wherever it is installed, its lines for a shell are its own, unless the session made the file.
        let sets_up = path && described.as_ref().is_some_and(|program| program.is(ProgramWay::SetsUp) && printed::sets_up(program, args));
        let sets_up = sets_up && self.is_installed(head);
        if head.literal().is_some_and(|text| text.contains('/'))
            && let Some(output) = self.program_file(head, args, &env, stdin)
            && !sets_up
        {
            return output;
        }
        let unknown = match (&described, arguments.subcommand.first().and_then(Word::literal)) {
            (None, _) => true,
            (Some(program), Some(subcommand)) => !program.has_subcommand(subcommand),
            (Some(_), None) => false,
        };
        let runs_any = |program: &Program| {
            program.is(ProgramWay::Scripts) && program.details().scripts.is_some_and(|scripts| scripts.names.iter().any(|(name, _)| *name == "*"))
        };
        if unknown && described.as_ref().is_some_and(runs_any) {
            // What is no script of the project is a program of one of its packages: `pnpm rimraf src`.
            let front = args.iter().position(|word| Some(word) == arguments.subcommand.first()).unwrap_or(args.len());
            let inner = args.get(front..).unwrap_or(&[]).to_vec();
            self.unsurely(|shell| shell.words_within(&name, inner, env.clone(), stdin));
        } else if unknown {
            self.guessed(&name, args, &env, stdin);
        }
        if let Some(output) = known {
            return output;
        }
        // In a folder of one's own another program may have the name.
        let other = self.state.place.disabled.contains(&name);
        if other || (path && !sets_up && !super::scripts::is_system(head.prefix())) {
            return Output::unknown();
        }
        self.speaks = speaks;
        described.map_or_else(Output::unknown, |program| self.output(&program, &name, args, &arguments, stdin))
    }

    /// The program of a package that is named with its version or its scope, as runners of packages take it:
    /// `wrangler@3`, `@scope/name@latest`.
    fn packaged(&self, head: &Word, name: &str) -> Option<String> {
        let text = head.literal().filter(|text| text.contains('@'))?;
        // Elsewhere a name with the sign is the name of a program.
        let starts_packages = |step: &String| self.programs.find(step).is_some_and(|program| program.is(ProgramWay::Packages));
        self.via.last().filter(|step| starts_packages(step))?;
        let version = text.get(1..)?.find('@').map_or(text.len(), |at| at + 1);
        let bare = text.get(..version)?;
        // `cat@` is another name: no version is left empty.
        if bare.len() + 1 == text.len() {
            return None;
        }
        if let Some(program) = self.programs.find(bare).filter(|program| !program.runs.is_empty()) {
            return Some(program.runs.to_owned());
        }
        let last = bare.rsplit('/').next()?;
        (last != name && self.programs.find(last).is_some() && self.programs.find(name).is_none()).then(|| last.to_owned())
    }

    /// Words that variables add to a program's arguments (`Details::options_in`).
    fn given_by_variables(&mut self, program: &Program, env: &[(String, Word)]) -> Vec<Word> {
        let options = |name: &String| name.ends_with("OPTIONS");
        if program.details.is_empty() {
            return Vec::new();
        }
        let exported = self.state.environment();
        let mut given = env.iter().chain(exported.iter()).filter(|(name, _)| options(name)).peekable();
        if given.peek().is_none() {
            return Vec::new();
        }
        let names = program.details().options_in;
        given.find(|(name, _)| names.contains(&name.as_str())).map(|(_, value)| arguments::split(value)).unwrap_or_default()
    }

    /// Functions, aliases and builtins. `None`: it is a program.
    fn defined(&mut self, name: &str, args: &[Word], env: &[(String, Word)], stdin: &Stdin, plain: bool) -> Option<Output> {
        if let Some(function) = self.state.function(name).filter(|_| !plain)
            && let Some(output) = self.called(&function, name, args, env, stdin)
        {
            return Some(output);
        }
        if let Some(alias) = self.state.alias(name).filter(|_| !plain).cloned()
            && let Some(output) = self.aliased(alias, name, args, stdin)
        {
            return Some(output);
        }
        let separators = env.iter().find(|(lent, _)| lent == "IFS" && name == "read").map(|(_, value)| value.clone());
        let before = separators.and_then(|separators| self.state.variable("IFS").cloned().inspect(|_| self.state.set("IFS", separators)));
        if self.zsh && matches!(name, "noglob" | "nocorrect" | "-") {
            return Some(self.invoke(args.to_vec(), env.to_vec(), stdin));
        }
        let output = self.builtin(name, args, stdin);
        if let Some(before) = before {
            self.state.put("IFS", before);
        }
        let output = output?;
        if !matches!(name, ":" | "true" | "false" | "test" | "[" | "cd" | "read" | "return" | "break" | "continue") {
            let words = [&[Word::lit(name)], args].concat();
            let arguments = arguments::read_undescribed(args);
            self.note(name, &words, &arguments, env.to_vec(), stdin);
        }
        Some(output)
    }

    /// Follows the call of a function. `None`: there may be none of this name.
    #[inline(never)] // Most calls do not come here, and touch fewer pages without it.
    fn called(&mut self, function: &Function, name: &str, args: &[Word], env: &[(String, Word)], stdin: &Stdin) -> Option<Output> {
        if self.stored && self.is_long() {
            // It was called often enough. The lines behind it are still followed, without what it sets.
            self.state.lose_track();
            return Some(Output::unknown());
        }
        let before = self.state.place.positional.replace(Rc::new(args.to_vec()));
        let hidden = self.state.hidden.replace(Vec::new());
        let without = self.state.is_doubtful(name).then(|| self.state.mark());
        let outer = std::mem::replace(&mut self.origin, function.origin);
        let step = format!("{name}()");
        let (unread, first) = (self.unread, self.actions.len());
        let follow = |shell: &mut Self| shell.unless_open(step.clone(), |shell| shell.within(&step, |shell| shell.follow(&function.body, stdin)));
        // What a file brought (`. nvm.sh; nvm use 20`) is a part of that file, unless the call gives it what is not known.
        let output = if function.stored && !args.iter().any(Word::has_hole) { self.while_stored(follow) } else { follow(self) };
        if function.stored && !self.stored && (self.unread > unread || self.actions.iter().skip(first).any(|action| !action.sure)) {
            self.handed_on(name, args, env, stdin);
        }
        self.origin = outer;
        self.state.reveal(hidden);
        self.state.place.positional = before;
        match without {
            Some(without) => {
                self.state.join(&without);
                None
            }
            None => Some(output.unwrap_or_default()),
        }
    }

    /// Follows an alias. `None`: the program of its name may run too.
    #[inline(never)] // Most calls do not come here, and touch fewer pages without it.
    fn aliased(&mut self, alias: Word, name: &str, args: &[Word], stdin: &Stdin) -> Option<Output> {
        // What is pointed out is the call, and not where the alias is defined.
        let mut line = Word { span: None, ..alias };
        let mut args = args.to_vec();
        // Behind a blank the next word may be an alias too.
        let next = args.first().filter(|_| line.prefix().ends_with(' ')).and_then(Word::literal).and_then(|next| self.state.alias(next));
        if let Some(next) = next.cloned() {
            args.splice(..1, [next]);
        }
        if !args.is_empty() {
            line.push_lit(" ");
            line.extend(&joined(&args));
        }
        if line.prefix().contains("<<") {
            self.opaque(line.to_string(), "an alias takes the lines behind it");
        }
        if line.prefix().split_whitespace().next() == Some(name) {
            // An alias that names itself is the program.
            let mut itself = Word::lit("command ");
            itself.extend(&line);
            return Some(self.within("alias", |shell| shell.text(&itself, stdin)).unwrap_or_default());
        }
        // A script takes no aliases, unless it is reported to: both may run.
        self.within("alias", |shell| shell.text(&line, stdin));
        None
    }

    /// A function out of a file, of which not all is certain, may run the words that the call gives it: as the program of its
    /// name would, where that is described.
    fn handed_on(&mut self, name: &str, args: &[Word], env: &[(String, Word)], stdin: &Stdin) {
        if self.programs.find(name).is_none() {
            self.guessed(name, args, env, stdin);
            return;
        }
        let words = [&[Word::lit(name)], args].concat();
        self.plain = true;
        self.unsurely(|shell| shell.invoke(words, env.to_vec(), stdin));
    }

    /// Notes that a program is run.
    pub(crate) fn note(&mut self, name: &str, words: &[Word], arguments: &ParsedArguments, env: Vec<(String, Word)>, stdin: &Stdin) -> usize {
        self.spend(env.iter().map(|(_, value)| value.size()).chain(words.iter().map(Word::size)).sum());
        let subcommand = arguments.subcommand.split_first().map(|(first, rest)| {
            rest.iter().fold(first.clone(), |mut word, next| {
                word.push_lit(" ");
                word.extend(next);
                word
            })
        });
        let exported = self.state.environment();
        if exported.len() > MAX_EXPORTED {
            self.stop("it exports more than can be followed");
        }
        let run = Run {
            program: name.to_owned(),
            subcommand,
            flags: arguments.flags.clone(),
            args: arguments.operands.clone(),
            may_hide_flags: arguments.may_hide.clone(),
            env,
            exported,
            stdin_from: stdin.command.clone().or_else(|| stdin.program.clone()).or_else(|| stdin.connected.then(|| "a text".to_owned())),
            keyed: false,
            words: words.to_vec(),
            remote: self.remote,
            branch: self.state.place.branch.clone(),
            limits: Vec::new(),
            folder: if self.remote { Word::unknown() } else { self.state.place.cwd.clone() },
        };
        self.push(Deed::Run(run), None)
    }

    /// The command word is not known.
    fn unknown_program(&mut self, words: &[Word], env: Vec<(String, Word)>, stdin: &Stdin) -> Output {
        self.opaque(joined(words).to_string(), "the name of the program is computed");
        // `$SUDO git push`: the first words may vanish, where nothing of them is known.
        let vanishes = |word: &&Word| word.multi && word.pieces.iter().all(|piece| matches!(piece, WordPiece::Any(_)));
        let vanishing = words.iter().take_while(vanishes).count();
        let rest = words.get(vanishing..).unwrap_or(&[]);
        if vanishing > 0 && !rest.is_empty() {
            self.unsurely(|shell| shell.invoke(rest.to_vec(), env, stdin));
        }
        Output::unknown()
    }

    /// A program that nobody described may run what is after it. Its other words are data.
    fn guessed(&mut self, name: &str, args: &[Word], env: &[(String, Word)], stdin: &Stdin) {
        // `grep-all`, `my_echo`: what it is called says that its words are text. So does `run echo …`.
        let reads = |name: &str| self.programs.find(name).is_some_and(|program| is_reader(&program));
        if name.split(['-', '_', '.']).any(reads) {
            return;
        }
        let behind = |at: usize| args.get(at..).unwrap_or(&[]);
        let end = args.iter().position(|word| word.literal().is_some_and(reads)).unwrap_or(args.len());
        let dashes = args.iter().position(|word| word.is("--")).map(|at| at + 1);
        let start = (0..end.min(MAX_GUESSED)).find(|at| self.is_command(behind(*at), dashes == Some(*at)));
        if let Some(inner) = start.and_then(|at| args.get(at..)) {
            self.unsurely(|shell| shell.within(name, |shell| shell.invoke(inner.to_vec(), env.to_vec(), stdin)));
        }
    }

    /// Whether these words are a command by themselves: a shell or a wrapper of one, a program with a subcommand of its, or
    /// one with options that it has. `marked`: `--` is before it, so that a program alone is enough.
    fn is_command(&self, words: &[Word], marked: bool) -> bool {
        let Some((head, args)) = words.split_first() else { return false };
        let Some(program) = head.literal().and_then(|_| program_name(head)).and_then(|name| self.programs.find(&name)) else { return false };
        let Some(next) = args.first().and_then(Word::literal) else { return marked || program.is(ProgramWay::Git) || program.shell_stdin };
        if marked || program.is(ProgramWay::Git) || program.is(ProgramWay::Find) || (program.shell_stdin && next != "--") {
            return true;
        }
        if !program.subcommands.is_empty() {
            return program.has_subcommand(next);
        }
        let arguments = arguments::read(&program, args);
        next.starts_with('-') && !matches!(next, "-" | "--") && !arguments.unsure && !arguments.operands.is_empty()
    }

    /// Follows the commands in variables whose values programs start (`GIT_EDITOR`).
    pub(super) fn started(&mut self, env: &[(String, Word)]) {
        let programs = self.programs;
        for (name, value) in env.iter().filter(|(name, value)| value.literal().is_some() && programs.starts(name)) {
            // A bar in front says that the output is read (less(1), "INPUT PREPROCESSOR").
            let line = Word::lit(value.prefix().trim_start_matches('|'));
            self.line_within(name, &line, &Stdin::default());
        }
    }
}

/// Whether a call only shows how the program is used, or its version: options are read to the end before anything is done.
/// Interpreters hand theirs on to what they run; elsewhere than with GNU's `getopt` an operand ends the options.
fn only_explains(program: &Program, args: &[Word], arguments: &ParsedArguments) -> bool {
    let asks = |word: &Word| word.is("--help") || word.is("--version");
    if !args.iter().any(asks) || program.shell_stdin || !program.language.is_empty() {
        return false;
    }
    let first = args.first().is_some_and(asks);
    let innermost = arguments::innermost(program, arguments);
    let declared = |name: &str| program.options.iter().chain(&innermost.options).any(|opt| opt.names.contains(&name) && opt.takes == Takes::Nothing);
    let given = arguments.has("--help") || (declared("--version") && arguments.flags.iter().any(|flag| flag.is("--version") && flag.value.is_none()));
    // Behind a word without a dash it is no option's value.
    let sure = || {
        !arguments.unsure
            || matches!(args.iter().position(asks).and_then(|at| args.get(at.checked_sub(1)?)), Some(before) if before.literal().is_some_and(|text| !text.starts_with('-')))
    };
    given && (first || (!cfg!(target_vendor = "apple") && sure()))
}

/// The name of a program without its folder, if it is known.
pub(super) fn program_name(head: &Word) -> Option<String> {
    if head.pieces.iter().any(|piece| matches!(piece, WordPiece::Glob(_))) {
        return None;
    }
    match head.pieces.last() {
        Some(WordPiece::Lit(text)) => match (text.rsplit_once('/'), head.pieces.len()) {
            (Some((_, name)), _) => Some(name.to_owned()),
            (None, 1) => Some(text.clone()),
            // `./scripts/$NAME.sh`: whatever its name is, it is no program of the system.
            (None, _) => text.strip_prefix('.').filter(|_| head.prefix().contains('/')).map(|_| text.clone()).or_else(|| own_program(head)),
        },
        _ => own_program(head),
    }
    .map(|name| name.strip_suffix(".exe").map_or(name.clone(), str::to_owned))
    .filter(|name| !name.is_empty())
}

/// `./tool-$(uname -m)`, `.venv/bin/$NAME`: a program of a folder that is no folder of the system, by what is known of its name.
fn own_program(head: &Word) -> Option<String> {
    let front = head.prefix();
    let (folder, name) = front.rsplit_once('/')?;
    let own = !folder.is_empty() && !folder.ends_with("..") && !super::scripts::is_system(&format!("{folder}/"));
    own.then(|| format!("{name}…"))
}

/// Whether a program only reads and prints: what it is given is text or the name of a file.
fn is_reader(program: &Program) -> bool {
    let plain = |role: Role| matches!(role, Role::None | Role::Read);
    let forms = &program.forms;
    program.subcommands.is_empty()
        && !forms.is_empty()
        && !program.details.is_empty()
        && forms.iter().flat_map(|form| &form.operands).all(|(role, _)| plain(*role))
}
