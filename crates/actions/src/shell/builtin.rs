//! Commands of the shell itself that change what it remembers, or read text as commands.

use std::rc::Rc;

use super::{Output, Shell, Stdin};
use crate::arguments::{self, assignment};
use crate::word::Word;

/// No folder has a longer path (`PATH_MAX` of Linux).
const MAX_PATH: usize = 4096;
/// What `IFS` holds, unless it is set.
const BLANKS: [char; 3] = [' ', '\t', '\n'];

impl Shell<'_> {
    /// Follows a builtin. `None` if the name is not a builtin.
    #[inline(never)] // Most calls do not come here, and touch fewer pages without it.
    pub(super) fn builtin(&mut self, name: &str, args: &[Word], stdin: &Stdin) -> Option<Output> {
        if self.state.place.disabled.iter().any(|disabled| disabled == name) {
            return None;
        }
        let prints = prints(name, args);
        match name {
            "cd" | "pushd" => self.cd(args),
            "popd" => self.state.place.cwd = Word::unknown(),
            "export" | "declare" | "typeset" | "local" | "readonly" => self.declare(name, args),
            "unset" => {
                self.names(args);
                let option = |letter| args.iter().take_while(|arg| arg.prefix().starts_with('-')).any(|arg| arg.prefix().contains(letter));
                for arg in args {
                    match arg.literal() {
                        Some(name) if option('n') => self.state.unset_reference(name),
                        Some(name) => self.state.unset(name),
                        None => {
                            self.state.place.positional = None;
                            self.state.doubt(arg.prefix());
                        }
                    }
                }
            }
            "set" => {
                if args.is_empty() {
                    self.says_environment();
                }
                self.set(args);
            }
            "shift" => {
                let count = args.first().map_or(Some(1), |arg| arg.literal().and_then(|text| text.parse::<usize>().ok()));
                self.state.place.positional = match (self.state.place.positional.take(), count) {
                    (Some(words), Some(count)) if !words.iter().take(count).any(|word| word.multi) => {
                        self.spend(words.iter().map(Word::size).sum());
                        Some(Rc::new(words.iter().skip(count).cloned().collect()))
                    }
                    _ => None,
                };
            }
            "eval" => {
                let line = joined(if args.first().is_some_and(|arg| arg.is("--")) { args.get(1..).unwrap_or(&[]) } else { args });
                return self.within("eval", |shell| shell.text(&line, stdin)).or_else(|| Some(Output::unknown()));
            }
            "source" | "." => {
                let file = args.first().cloned().unwrap_or_default();
                return Some(self.sourced(&file, args.get(1..).unwrap_or(&[]), stdin));
            }
            "trap" => {
                let first = args.iter().find(|arg| !arg.prefix().starts_with('-') || arg.literal().is_none());
                if let Some(line) = first.filter(|_| args.len() > 1) {
                    self.traps.push((line.clone(), self.stored));
                }
            }
            "alias" => {
                for arg in args {
                    if let Some((name, _)) = arg.prefix().split_once('=') {
                        let value = arg.without_prefix(name.len() + 1);
                        self.state.set_alias(name, value);
                    }
                }
            }
            "read" => {
                for name in args.iter().filter_map(Word::literal).filter(|_| !stdin.holds.is_empty()) {
                    self.flow_into_variable(name, stdin.holds.clone());
                }
                self.names(args);
                self.read(args, stdin);
            }
            "mapfile" | "readarray" => {
                if let Some(line) = args.iter().skip_while(|arg| !arg.is("-C")).nth(1) {
                    self.within(name, |shell| shell.text(line, &Stdin::default()));
                }
                for name in args.iter().filter_map(Word::literal).filter(|text| !text.starts_with('-')).chain(args.is_empty().then_some("MAPFILE")) {
                    self.flow_into_variable(name, stdin.holds.clone());
                    self.state.set(name, Word::several());
                }
            }
            "let" => self.evaluate(args),
            "enable" if args.first().is_some_and(|arg| arg.is("-n")) && args.iter().all(|arg| arg.literal().is_some()) => {
                let names = args.iter().skip(1).filter_map(Word::literal).map(str::to_owned);
                self.state.place.disabled = self.state.place.disabled.iter().cloned().chain(names).collect();
            }
            "enable" if args.iter().any(|arg| arg.literal().is_none_or(|text| text.starts_with('-') && text.contains(['n', 'f']))) => {
                self.opaque(joined(args).to_string(), "it changes what the shell's own commands mean");
            }
            "test" | "[" if args.iter().any(|arg| matches!(arg.literal(), Some("-v" | "-R")) || (arg.has_hole() && arg.may_be_option())) => self.names(args),
            "printf" => {
                // `-v` names the variable that takes the text.
                let [option, name, rest @ ..] = args else { return None };
                let name = name.literal().filter(|_| option.is("-v"))?;
                self.names(args.get(1..2).unwrap_or(&[]));
                let text = super::filter::printf(rest).unwrap_or_else(Word::unknown);
                self.state.set(name, text);
            }
            "getopts" => {
                if let Some(name) = args.get(1).and_then(Word::literal) {
                    self.state.set(name, Word::name());
                }
            }
            // What they say may be the name of a program.
            "type" => {
                let described = self.programs.find(name)?;
                self.speaks = true;
                return Some(self.output(&described, name, args, &arguments::read(&described, args), stdin));
            }
            "hash" if args.first().is_some_and(|arg| arg.is("-p")) => {
                // `hash -p PROGRAM NAME`: from now on the name is that program.
                if let [_, program, names @ ..] = args {
                    for name in names.iter().filter_map(Word::literal) {
                        self.state.set_alias(name, Word { span: None, ..program.clone() });
                    }
                }
                return Some(Output::unknown());
            }
            "hash" | "compgen" | "history" | "fc" | "jobs" => return Some(Output::unknown()),
            ":" | "true" | "false" | "test" | "[" | "wait" | "return" | "break" | "continue" | "umask" | "ulimit" | "shopt" | "enable" | "bind"
            | "complete" | "disown" | "fg" | "bg" | "times" | "exit" | "logout" => {}
            _ => return None,
        }
        Some(if prints { Output::unknown() } else { Output::nothing() })
    }

    fn cd(&mut self, args: &[Word]) {
        let target = args.iter().find(|arg| !(arg.prefix().starts_with('-') && arg.literal().is_some_and(|text| text.len() > 1)));
        self.state.place.cwd = match target {
            None => self.state.get("HOME").unwrap_or_else(Word::unknown),
            Some(word) if word.is("-") => Word::unknown(),
            Some(word) => {
                Some(crate::path::Path::resolve(&self.state.place.cwd, word).word).filter(|path| path.size() < MAX_PATH).unwrap_or_else(Word::unknown)
            }
        };
        // Another folder may be another repository, where the line has not switched.
        if self.state.place.branch.is_some() {
            self.state.place.branch = Some(Word::unknown());
        }
    }

    fn declare(&mut self, by: &str, args: &[Word]) {
        // There are no options after the first name.
        let options: String = args.iter().take_while(|arg| arg.may_be_option()).filter_map(Word::literal).filter_map(|text| text.strip_prefix('-')).collect();
        let exports = by == "export" || options.contains('x');
        if matches!(by, "export" | "declare" | "typeset")
            && !options.contains(['f', 'F'])
            && args.iter().all(|arg| arg.literal().is_some_and(|text| text.starts_with('-')))
        {
            self.says_environment();
        }
        self.names(args);
        let known = |arg: &Word| arg.literal().is_some_and(|option| option.bytes().skip(1).all(|byte| b"aAfFgiIlnrtuxp".contains(&byte)) || option == "--");
        let unclear = args.iter().take_while(|arg| arg.may_be_option()).any(|arg| !known(arg));
        for arg in args.iter().filter(|arg| !arg.prefix().starts_with('-')) {
            let (name, value) = arg.prefix().split_once('=').unwrap_or((arg.prefix(), ""));
            if options.contains('p') {
                // It is shown, and not assigned.
                self.state.change(name);
                continue;
            } else if unclear || (options.contains('n') && options.contains(['a', 'A', 'i', 'f'])) {
                // The shell refuses it, or not.
                self.state.change(name);
                self.state.change(value);
            } else if options.contains('n') && !self.zsh && by != "export" {
                // Without a value, the name it refers to is assigned later.
                if value.is_empty() {
                    self.state.change(name);
                } else {
                    self.state.refer(name, value);
                }
                continue;
            } else if by == "readonly" || options.contains('r') {
                self.state.fix(name);
            } else if unclear || (self.zsh && options.contains('n')) || options.contains(['i', 'l', 'u', 'c', 'A', 'f']) {
                self.state.change(name);
            } else if by == "local" && arg.literal() == Some(name) {
                self.state.localize(name);
                self.state.set(name, Word::unknown());
            }
            if options.contains('i') {
                self.evaluate(&[arg.without_prefix(name.len() + 1)]);
            }
            // Plain assignments were followed by the reader; here are those that came out of an expansion.
            if let Some((name, value)) = assignment(arg) {
                if self.state.get(&name).is_none() {
                    self.state.set(&name, value);
                }
                if exports {
                    self.state.export(&name);
                    let value = self.state.get(&name).unwrap_or_default();
                    self.started(&[(name, value)]);
                }
            } else if let (Some(name), true) = (arg.literal(), exports) {
                self.state.export(name);
            }
        }
    }

    /// `set -- a b`: the positional parameters. Options are not followed.
    fn set(&mut self, args: &[Word]) {
        let long = args.iter().any(|arg| arg.is("allexport"));
        for sign in ['-', '+'] {
            let given = |arg: &Word| {
                arg.literal().and_then(|text| text.strip_prefix(sign)).is_some_and(|letters| letters.contains('a') || (long && letters.ends_with('o')))
            };
            if args.iter().take_while(|arg| !arg.is("--")).any(given) {
                self.state.place.exports_all = sign == '-';
            }
        }
        let mut over = false;
        let option = |arg: &&Word| {
            let counts = !over && (arg.prefix().starts_with(['-', '+']) || args.first().is_some_and(|first| first.prefix().ends_with('o')));
            over |= arg.is("--");
            counts
        };
        let options = args.iter().take_while(option).count();
        let known =
            |arg: &Word| arg.literal().is_some_and(|text| text.len() == 1 || text.bytes().skip(1).all(|byte| b"abefhkmnopruvxtBCEHPT-".contains(&byte)));
        let odd = |arg: &Word| arg.prefix().starts_with("--") && !arg.is("--");
        if args.iter().take(options).any(|arg| arg.prefix().starts_with(['-', '+']) && (!known(arg) || odd(arg))) {
            self.state.place.positional = None;
        } else if let Some(at) = args.iter().take(options).position(|arg| arg.is("--") || arg.is("-")) {
            self.state.place.positional = Some(Rc::new(args.get(at + 1..).unwrap_or(&[]).to_vec()));
        } else if args.first().is_some_and(|arg| !arg.prefix().starts_with(['-', '+'])) {
            self.state.place.positional = if args.iter().any(Word::may_be_option) { None } else { Some(Rc::new(args.to_vec())) };
        }
    }

    fn read(&mut self, args: &[Word], stdin: &Stdin) {
        let plain = args.iter().skip_while(|arg| matches!(arg.literal(), Some("-r" | "-s" | "-e")));
        let own = !plain.clone().all(|arg| arg.literal().is_some_and(super::expand::is_name));
        let names: Vec<&str> = args.iter().filter_map(Word::literal).filter(|text| !text.starts_with('-')).collect();
        // An array, a delimiter or a bound of its own, another descriptor, a mistake: the values are not followed.
        if own || self.state.get("IFS").is_none_or(|ifs| !ifs.is(" \t\n") && !ifs.is("")) {
            for name in names {
                self.state.set(name, Word { multi: own, ..Word::unknown() });
            }
            return;
        }
        let line = stdin.text.as_deref().and_then(Word::literal).and_then(|text| text.lines().next());
        // With `IFS=`, blanks at the ends stay.
        let line = if self.state.get("IFS").is_some_and(|ifs| ifs.is("")) { line } else { line.map(|line| line.trim_matches(BLANKS)) };
        match (names.as_slice(), line, &stdin.text) {
            ([only], Some(line), _) => self.state.set(only, Word::lit(line)),
            ([only], None, Some(text)) => {
                self.spend(text.size());
                self.state.set(only, (**text).clone());
            }
            ([first, others @ ..], Some(line), _) => {
                let (word, mut rest) = line.split_once(BLANKS).unwrap_or((line, ""));
                self.state.set(first, Word::lit(word));
                for (at, name) in others.iter().enumerate() {
                    rest = rest.trim_start_matches(BLANKS);
                    let (word, behind) = if at + 1 == others.len() { (rest, "") } else { rest.split_once(BLANKS).unwrap_or((rest, "")) };
                    self.state.set(name, Word::lit(word));
                    rest = behind;
                }
            }
            _ => {
                for name in names {
                    self.state.set(name, Word::unknown());
                }
                if args.is_empty() {
                    self.state.set("REPLY", Word::unknown());
                }
            }
        }
    }
}

/// Whether a builtin says what it knows, rather than to change it.
fn prints(name: &str, args: &[Word]) -> bool {
    let operands = args.iter().filter(|arg| !arg.prefix().starts_with(['-', '+'])).count();
    let asked = args.iter().any(|arg| arg.literal().is_none_or(|text| text.starts_with('-') && text.contains(['p', 'l'])));
    match name {
        "export" | "declare" | "typeset" | "local" | "readonly" | "trap" => operands == 0 || asked,
        "alias" => args.iter().any(|arg| !arg.prefix().contains('=')) || args.is_empty(),
        "set" | "umask" | "shopt" => operands == 0 || asked,
        "cd" => args.iter().any(|arg| arg.is("-") || arg.has_hole()),
        "pushd" | "popd" | "ulimit" | "times" | "bind" | "complete" | "enable" | "fg" | "bg" => true,
        _ => false,
    }
}

/// Words joined by blanks, as `eval`, `ssh` and `watch` do.
pub(super) fn joined(words: &[Word]) -> Word {
    let mut line = Word::default();
    for (at, word) in words.iter().enumerate() {
        if at > 0 {
            line.push_lit(" ");
        }
        line.extend(word);
    }
    line.multi = false;
    line.span = words.first().and_then(|word| word.span).zip(words.last().and_then(|word| word.span)).map(|(first, last)| first.to(last));
    line
}
