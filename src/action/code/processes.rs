//! Calls that start programs.

use super::effects::Call;
use super::piece::Piece;
use super::tables::Effect;
use super::value::{Arg, Value};
use super::{Found, HOLE, Language, Scan};

impl Scan {
    pub(super) fn process(&mut self, piece: &Piece<'_>, call: &Call<'_, '_>) {
        match call.effect {
            Effect::Process => self.python_process(piece, call),
            Effect::ExecList => self.exec_list(piece, call, 0),
            Effect::SpawnList => self.exec_list(piece, call, 1),
            Effect::ExecArgs => self.exec_args(piece, call, 0),
            Effect::SpawnArgs => self.exec_args(piece, call, 1),
            Effect::Argv => {
                let words = self.words(piece, call.args);
                self.argv(words);
            }
            Effect::Program => {
                let mut words = vec![call.name.rsplit('.').next().map(str::to_owned)];
                words.extend(self.words(piece, call.args));
                self.argv(words);
            }
            Effect::NodeSpawn => self.node_spawn(piece, call),
            Effect::NodeFork => {
                let module = self.value(piece, call.arg(0, &[])).literal();
                for list in self.lists(piece, call.arg(1, &[])) {
                    let words = [Some("node".to_owned()), module.clone()];
                    self.argv(words.into_iter().chain(list).collect());
                }
            }
            Effect::KeyedSpawn => self.keyed_spawn(piece, call),
            Effect::Words | Effect::Popen => self.one_or_several(piece, call),
            _ => {
                for value in self.values(piece, call.arg(0, &["cmd", "command"])) {
                    self.shell(&value);
                    let input = self.option(piece, call.args.get(1), "input");
                    if let Value::Text(text) = &value {
                        self.standard_input(&text.words(), input);
                    }
                }
            }
        }
    }

    /// The words of arguments that each are one word, or a list of words.
    fn words(&mut self, piece: &Piece<'_>, args: &[Arg<'_>]) -> Vec<Option<String>> {
        let mut words = Vec::new();
        for arg in args.iter().filter(|arg| arg.name.is_none()) {
            match self.eval(piece, arg.span.clone(), 0) {
                Value::List(items) => words.extend(items),
                Value::Object(..) => {}
                other => words.push(other.literal()),
            }
        }
        words
    }

    /// The lists of arguments that may stand here; one unknown element where a list is not known.
    fn lists(&mut self, piece: &Piece<'_>, arg: Option<&Arg<'_>>) -> Vec<Vec<Option<String>>> {
        let Some(arg) = arg else { return vec![Vec::new()] };
        let list = |value| match value {
            Value::List(items) => items,
            Value::Object(..) => Vec::new(),
            _ => vec![None],
        };
        self.values(piece, Some(arg)).into_iter().map(list).collect()
    }

    /// `subprocess.run` and its kin; also PHP's `proc_open`, where a text always goes to a shell.
    fn python_process(&mut self, piece: &Piece<'_>, call: &Call<'_, '_>) {
        let shell = match call.named("shell") {
            Some(arg) => self.eval(piece, arg.span.clone(), 0) != Value::Bool(false),
            None => self.language == Language::Php || call.args.iter().any(|arg| arg.name == Some("**")),
        };
        let executable = call.named("executable").map(|arg| self.eval(piece, arg.span.clone(), 0).literal());
        let input = call.named("input").or_else(|| call.named("stdin")).map(|arg| self.eval(piece, arg.span.clone(), 0));
        for value in self.values(piece, call.arg(0, &["args", "cmd", "command"])) {
            let mut words = match value {
                Value::List(items) if shell && call.named("shell").is_some() => {
                    let first = items.into_iter().next().flatten();
                    self.push(first.map_or(Found::OpaqueShell, Found::Shell));
                    continue;
                }
                Value::List(items) => items,
                Value::Text(text) if shell => {
                    self.shell(&Value::Text(text));
                    continue;
                }
                Value::Text(text) if text.known => text.words(),
                Value::Path(text) => vec![text.literal()],
                _ => vec![None],
            };
            if let Some(program) = &executable {
                match words.first_mut() {
                    Some(first) => first.clone_from(program),
                    None => words.push(program.clone()),
                }
            }
            self.argv(words.clone());
            self.standard_input(&words, input.clone());
        }
    }

    /// A shell without arguments runs what it reads.
    fn standard_input(&mut self, words: &[Option<String>], input: Option<Value>) {
        let Some(input) = input else { return };
        let Some((Some(program), rest)) = words.split_first() else { return };
        let name = program.rsplit('/').next().unwrap_or(program);
        let reads = rest.iter().flatten().all(|word| matches!(word.as_str(), "-" | "-s" | "-e" | "-x" | "-l" | "-i" | "-ex" | "-eux"));
        if !matches!(name, "sh" | "bash" | "zsh" | "dash" | "ksh" | "fish" | "ash") || !reads {
            return;
        }
        match input {
            Value::Bool(_) => {}
            other => self.shell(&other),
        }
    }

    fn exec_list(&mut self, piece: &Piece<'_>, call: &Call<'_, '_>, from: usize) {
        let program = self.value(piece, call.arg(from, &["path", "file"])).literal();
        for list in self.lists(piece, call.arg(from + 1, &["argv", "args"])) {
            // The first word is only the name under which the program is shown.
            let rest = if list == [None] { list } else { list.into_iter().skip(1).collect() };
            self.argv([program.clone()].into_iter().chain(rest).collect());
        }
    }

    fn exec_args(&mut self, piece: &Piece<'_>, call: &Call<'_, '_>, from: usize) {
        let mut words = vec![self.value(piece, call.args.get(from)).literal()];
        words.extend(self.words(piece, call.args.get(from + 2..).unwrap_or_default()));
        if call.name.ends_with('e') || call.name.ends_with("pe") {
            words.pop(); // the environment
        }
        self.argv(words);
    }

    fn node_spawn(&mut self, piece: &Piece<'_>, call: &Call<'_, '_>) {
        let lists = self.lists(piece, call.args.get(1));
        let options = call.args.iter().skip(1).take(2).rfind(|arg| piece.mark(arg.span.start) == "{");
        let shell = self.option(piece, options, "shell").is_some_and(|value| value != Value::Bool(false));
        let input = self.option(piece, options, "input");
        let programs = self.values(piece, call.args.first());
        for (value, words) in programs.iter().flat_map(|program| lists.iter().map(move |words| (program, words))) {
            if shell {
                let mut text = value.clone().into_text();
                for word in words {
                    text.text.push(' ');
                    match word {
                        Some(word) => text.add(&super::value::Text::lit(word)),
                        None => text.text.push_str(HOLE),
                    }
                }
                self.shell(&Value::Text(text));
                continue;
            }
            let mut all = vec![value.literal()];
            all.extend(words.iter().cloned());
            self.argv(all.clone());
            self.standard_input(&all, input.clone());
        }
    }

    /// Deno and Bun: a list, `{cmd: […]}`, or a program and `{args: […]}`.
    fn keyed_spawn(&mut self, piece: &Piece<'_>, call: &Call<'_, '_>) {
        let first = call.args.first();
        if let Some(list) = self.option(piece, first.filter(|arg| piece.mark(arg.span.start) == "{"), "cmd") {
            self.argv(list.elements());
            return;
        }
        for value in self.values(piece, first) {
            let mut words = value.elements();
            match self.option(piece, call.args.get(1), "args") {
                Some(Value::List(more)) => words.extend(more),
                Some(_) => words.push(None),
                None => {}
            }
            self.argv(words);
        }
    }

    /// Ruby's and Perl's `system`: one text is for the shell, several are a program and its arguments.
    fn one_or_several(&mut self, piece: &Piece<'_>, call: &Call<'_, '_>) {
        let options = |arg: &&Arg<'_>| arg.name.is_none() && !(self.is_ruby() && piece.mark(arg.span.start) == "{");
        let args: Vec<&Arg<'_>> = call.args.iter().filter(options).collect();
        // `system { $program } @words`: the block names the program, the first word is only shown.
        let block = args.first().map(|arg| arg.span.clone()).filter(|span| piece.mark(span.start) == "{");
        let program = block.as_ref().map(|span| self.eval(piece, span.start + 1..piece.close(span.start), 0).literal());
        let after_block = |arg: &Arg<'_>| match &block {
            Some(span) if span.start == arg.span.start => piece.close(span.start) + 1..span.end,
            _ => arg.span.clone(),
        };
        if let [only] = args.as_slice()
            && program.is_none()
            && !only.splat
        {
            for value in self.eval_all(piece, only.span.clone()) {
                self.shell(&value);
            }
            return;
        }
        let mut words = Vec::new();
        for (index, arg) in args.into_iter().enumerate() {
            match self.eval(piece, after_block(arg), 0) {
                // `["git", "name"]` in Ruby is a program under another name.
                Value::List(items) if index == 0 && self.is_ruby() && !arg.splat && call.effect == Effect::Words => {
                    words.extend(items.into_iter().take(1));
                }
                Value::List(items) => words.extend(items),
                // The mode of `IO.popen`.
                Value::Text(_) if index > 0 && call.effect == Effect::Popen => {}
                other => words.push(other.literal()),
            }
        }
        if let (Some(program), Some(first)) = (program, words.first_mut()) {
            *first = program;
        }
        if call.effect == Effect::Popen && words.len() == 1 {
            let text = words.pop().flatten();
            self.push(text.map_or(Found::OpaqueShell, Found::Shell));
        } else {
            self.argv(words);
        }
    }
}
