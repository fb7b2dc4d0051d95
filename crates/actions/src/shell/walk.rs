//! From command to command: lists, pipelines, branches, loops, functions, redirections.

use std::{borrow::Cow, rc::Rc};

use super::state::{Function, Mark, Variable};
use super::{
    Output, Shell, Stdin,
    inner::{named, names},
};
use crate::word::{Bound, Word, WordPiece, is_one};
use crate::{Deed, Run, printed::is_plain_name, program::ProgramWay};
use shell_reader::ast::{Arm, Assign, Command, Compound, Item, Join, Part, RawWord, Redirect, Script, Simple, Span, Target, Value};
use shell_reader::parse;

/// Characters for holes in text that is read a second time (`bash -c "git push $X"`): for any text, for a name from a known
/// producer, for lines that set up a shell, and for paths of files. Private-use characters: letters to the reader, and never typed.
pub(super) const HOLES: [char; 4] = ['\u{f8ff}', '\u{f8fe}', '\u{f8fc}', '\u{f8fb}'];
/// Bytes of a command line that are read; the reader may take a hundred times as much memory.
const MAX_TEXT: usize = 4 << 20;
/// Words that a loop is followed over one by one.
const MAX_ROUNDS: usize = 32;

impl Shell<'_> {
    /// Reads and follows text that may have holes, and that is in a word of the present command or is reached by it.
    pub(super) fn text(&mut self, text: &Word, stdin: &Stdin) -> Output {
        if !text.pieces.is_empty() && text.pieces.iter().all(|piece| *piece == WordPiece::Any(Bound::Setup)) {
            return Output::unknown();
        }
        let origin = self.origin_of(text);
        let outer = std::mem::replace(&mut self.origin, origin);
        let output = self.whole_text(text, stdin);
        self.origin = outer;
        output
    }

    /// Reads and follows text that may have holes.
    pub(super) fn whole_text(&mut self, text: &Word, stdin: &Stdin) -> Output {
        if text.pieces.iter().all(|piece| !matches!(piece, WordPiece::Lit(_))) && !text.pieces.is_empty() {
            self.opaque(text.to_string(), "the command line is computed");
            return Output::unknown();
        }
        let mut source = String::new();
        for piece in &text.pieces {
            match piece {
                WordPiece::Lit(text) | WordPiece::Glob(text) => source.push_str(text),
                WordPiece::Any(bound) => source.push(mark(*bound)),
            }
        }
        if source.len() > MAX_TEXT {
            self.opaque(source.chars().take(80).collect::<String>(), "it is too long to be read");
            return Output::unknown();
        }
        self.spend(source.len());
        if source.contains('$') {
            self.state.prepare(self.setting, self.programs);
        }
        if self.power || self.cmd {
            if self.power {
                self.powershell(&source);
            } else {
                self.cmd_line(&source);
            }
            return Output::unknown();
        }
        let reading = parse::read_as(&source, self.zsh);
        let refused = std::mem::replace(&mut self.state.refused, !reading.faults.is_empty());
        let output = self.script(&reading.script, stdin);
        self.state.refused = refused;
        for fault in reading.faults.iter().filter(|fault| !fault.refused_by_shell) {
            let rest: String = source.get(fault.at..).unwrap_or("").chars().take(80).collect();
            let place = self.placed(Span::of(fault.at..fault.at + rest.len()));
            let outer = self.place.replace(place);
            self.opaque(rest, fault.what);
            self.place = outer;
        }
        output
    }

    /// Follows a list; gives what its commands write together.
    pub(super) fn script(&mut self, script: &Script, stdin: &Stdin) -> Output {
        if let [item] = script.items.as_slice() {
            return self.item(item, stdin);
        }
        let mut text = Some(Word::default());
        let before = std::mem::take(&mut self.gives_up);
        let mut last = None;
        // What was set behind `&&` was not if what is before it failed.
        let mut unless = None;
        let mut fails = false;
        // All that is joined by `&&` and `||` in front of a `&` runs in a shell of its own.
        let mut aside = None;
        for (at, item) in script.items.iter().enumerate() {
            if item.join == Join::Then {
                if let Some(before) = aside.take() {
                    self.unless(unless.take());
                    self.state.back_to(before);
                }
                let joined = script.items.iter().skip(at + 1).take_while(|next| next.join != Join::Then);
                aside = joined.last().is_some_and(|last| last.background).then(|| self.state.mark());
            }
            if self.skipped(item.join, last) {
                continue;
            }
            last = self.ended(item);
            match item.join {
                Join::Then => self.unless(unless.take()),
                Join::And if fails && unless.is_none() => unless = Some(self.state.mark()),
                _ => {}
            }
            fails = self.may_fail(&item.command);
            match (&mut text, self.item(item, stdin).text) {
                // What is after `||` writes instead of what failed in front of it, or behind it.
                (Some(all), Some(more)) if item.join == Join::Or => either(all, &more),
                // A command that may not run may write nothing: `$(type docker >/dev/null && echo docker)`.
                (Some(all), Some(more)) if unless.is_some() && all.is("") && is_plain_line(&more) => *all = Word { multi: true, ..(*more).clone() },
                (Some(all), Some(more)) if (unless.is_some() && !more.is("")) || (more.multi && !names(&more)) => unknown_behind(all),
                (Some(all), Some(more)) => all.extend(&more),
                (Some(all), None) => unknown_behind(all),
                _ => text = None,
            }
        }
        self.unless(unless);
        if let Some(before) = aside {
            self.state.back_to(before);
        }
        if self.gives_up {
            text = None;
        }
        self.gives_up |= before;
        Output { text: text.map(Rc::new), ..Output::default() }
    }

    /// Whether it makes a difference that a command can fail. The shell's own commands, and some more, are taken to succeed.
    fn may_fail(&self, command: &Command) -> bool {
        const SUCCEED: &str = "cd pushd export set shopt true : declare readonly typeset unset umask alias trap";
        match command {
            Command::Simple(simple) => match simple.words.first().map(|word| word.parts.as_slice()) {
                Some([Part::Text(name)]) => {
                    let option = |word: &RawWord| matches!(word.parts.first(), Some(Part::Text(text)) if text.starts_with('-'));
                    let late = simple.words.iter().skip(1).skip_while(|word| option(word)).any(option);
                    let described = || self.programs.is(name, ProgramWay::Succeeds).then(|| self.programs.find(name)).flatten();
                    // A program that takes every word as text has no options after its operands.
                    !(is_one(SUCCEED, name) && !late || described().is_some_and(|program| !late || program.options.is_empty() || program.stops))
                }
                Some(_) => true,
                None => simple
                    .assigns
                    .iter()
                    .any(|assign| matches!(&assign.value, Value::Scalar(word) if word.parts.iter().any(|part| matches!(part, Part::Command { .. })))),
            },
            Command::Function { .. } => false,
            _ => true,
        }
    }

    fn unless(&mut self, before: Option<Mark>) {
        if let Some(before) = before {
            self.state.join_variables(&before);
        }
    }

    fn item(&mut self, item: &Item, stdin: &Stdin) -> Output {
        if item.background {
            return self.separate(|shell| shell.follow(&item.command, stdin));
        }
        if item.join == Join::Or {
            // What is after `||` runs only if what is before failed.
            return self.perhaps(|shell| shell.follow(&item.command, stdin));
        }
        self.follow(&item.command, stdin)
    }

    /// Follows one command.
    pub(super) fn follow(&mut self, command: &Command, stdin: &Stdin) -> Output {
        if !self.count() {
            return Output::unknown();
        }
        match command {
            Command::Simple(simple) => {
                let outer = self.place.replace(self.placed(simple.span));
                let output = self.simple(simple, stdin);
                self.place = outer;
                output
            }
            Command::Pipeline(parts) => self.pipeline(parts, stdin),
            Command::Compound { body: body @ Compound::Subshell(_), redirects, .. } => self.separate(|shell| shell.compound(body, redirects, stdin)),
            Command::Compound { body, redirects, .. } => self.compound(body, redirects, stdin),
            Command::Function { name, body, .. } => {
                self.state.define(name, Function { body: (**body).clone(), origin: self.origin, stored: self.stored });
                if (self.zsh && name.starts_with("TRAP")) || name.starts_with("command_not_found_handle") {
                    // A signal, the end of the shell, or a program that is not there runs it.
                    self.perhaps(|shell| shell.follow(body, &Stdin::default()));
                }
                Output::nothing()
            }
            Command::Coproc { name, body, .. } => {
                let written = self.separate(|shell| shell.follow(body, &Stdin { connected: true, ..Stdin::default() }));
                // Its two ends are descriptors in an array; which numbers they have does not matter.
                let text = written.text.unwrap_or_else(|| Rc::new(Word::unknown()));
                self.state.write("/dev/fd/63", text);
                self.state.put(name.as_deref().unwrap_or("COPROC"), Variable::Array(vec![Word::lit("63"), Word::lit("60")]));
                Output::nothing()
            }
        }
    }

    /// A command that is made of others, with its redirections.
    fn compound(&mut self, body: &Compound, redirects: &[Redirect], stdin: &Stdin) -> Output {
        let stdin = &*self.redirect_all(redirects, stdin);
        let mark = self.flow_mark();
        let mut output = Output::unknown();
        match body {
            Compound::Subshell(body) | Compound::Group(body) => output = self.script(body, stdin),
            Compound::If { branches, otherwise } => {
                let mut goes = None;
                let mut values = Vec::new();
                for (at, (condition, body)) in branches.iter().enumerate() {
                    goes = self.certain(condition);
                    if goes != Some(false) {
                        // The first condition runs in any case.
                        if at == 0 {
                            self.script(condition, stdin);
                        } else {
                            self.maybe(condition, stdin);
                        }
                        values.push(self.branch(body, stdin));
                    }
                    if goes == Some(true) {
                        break;
                    }
                }
                if let Some(body) = otherwise.as_ref().filter(|_| goes != Some(true)) {
                    values.push(self.branch(body, stdin));
                }
                self.one_of(&values, otherwise.is_some() || goes == Some(true));
            }
            Compound::While { condition, body } => self.while_loop(condition, body, stdin),
            Compound::For { name, words, body } => output = self.for_loop(name, words.as_deref(), body, stdin),
            Compound::Select { name, words, body } => output = self.select(name, words.as_deref(), body, stdin),
            Compound::ArithmeticFor { expressions, body } => {
                self.arithmetic(expressions);
                self.repeated(body, stdin);
            }
            Compound::Case { word, arms } => self.case(word, arms, stdin),
            Compound::Test(words) => {
                let words: Vec<Word> = words.iter().map(|word| self.scalar(word)).collect();
                if words.iter().any(|word| word.literal().is_some_and(|text| is_one("-eq -ne -lt -le -gt -ge -v -R", text))) {
                    self.evaluate(&words);
                }
                output = Output::nothing();
            }
            Compound::Arithmetic(expression) => {
                let text = self.scalar(expression);
                if is_command(&text.to_string()) {
                    // No expression: a shell without arithmetic commands takes it for a subshell in a subshell.
                    self.separate(|shell| shell.text(&text, stdin));
                }
                self.arithmetic(expression);
                output = Output::nothing();
            }
        }
        self.send(redirects, output, mark)
    }

    fn case(&mut self, word: &RawWord, arms: &[Arm], stdin: &Stdin) {
        let certain = self.certain_text(word);
        self.scalar(word);
        let folds = self.stored && !arms.iter().any(|arm| arm.goes_on);
        let mut values = Vec::new();
        for arm in arms {
            let agree: Vec<Option<bool>> = arm.patterns.iter().map(|pattern| self.agrees(certain.as_deref(), pattern)).collect();
            let goes = agree.contains(&Some(true));
            if folds && agree.iter().all(|agrees| *agrees == Some(false)) {
                continue;
            }
            // Which arm a stored script goes is not certain without its arguments.
            let before = self.sure;
            self.sure &= goes || !folds;
            values.push(self.branch(&arm.body, stdin));
            self.sure = before;
            if folds && goes {
                break;
            }
        }
        let any = |pattern: &RawWord| matches!(pattern.parts.as_slice(), [Part::Text(text)] if text == "*");
        if !arms.iter().any(|arm| arm.goes_on) {
            self.one_of(&values, arms.iter().any(|arm| arm.patterns.iter().any(any)));
        }
    }

    /// What happens in a subshell stays there, but for what it does to files.
    pub(super) fn separate<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.state.mark();
        let traps = self.traps.len();
        let done = work(self);
        self.trapped(traps);
        self.state.back_to(before);
        done
    }

    /// Follows the command lines of `trap` behind the first `known`, with what the shell knows at its end.
    pub(super) fn trapped(&mut self, known: usize) {
        // A trap may set another one; those are not followed for ever.
        for (line, stored) in self.traps.split_off(known) {
            let follow = |shell: &mut Self| shell.line_within("trap", &line, &Stdin::default());
            if stored {
                self.while_stored(follow);
            } else {
                follow(self);
            }
        }
    }

    /// A part that may not run.
    fn maybe(&mut self, script: &Script, stdin: &Stdin) {
        self.perhaps(|shell| shell.script(script, stdin));
    }

    fn perhaps<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.state.mark();
        self.state.branches += 1;
        let done = work(self);
        self.state.branches -= 1;
        self.state.join(&before);
        done
    }

    /// A part that may run often. What it changes was so in front of its second time.
    fn repeated(&mut self, script: &Script, stdin: &Stdin) {
        let before = self.state.mark();
        self.maybe(script, stdin);
        if self.state.differs(&before) {
            self.maybe(script, stdin);
        }
    }

    fn pipeline(&mut self, parts: &[Command], stdin: &Stdin) -> Output {
        let mut stdin = Cow::Borrowed(stdin);
        let mut output = Output::unknown();
        for (at, part) in parts.iter().enumerate() {
            let (first, mark) = (self.actions.len(), self.flow_mark());
            // What zsh does last, it does itself.
            let itself = self.zsh && at + 1 == parts.len();
            output = if itself { self.follow(part, &stdin) } else { self.separate(|shell| shell.follow(part, &stdin)) };
            if at + 1 < parts.len() {
                let run = self.actions.iter().skip(first).find_map(|action| if let Deed::Run(run) = &action.deed { Some(run) } else { None });
                let (program, command) = (run.map(|run| run.program.clone()), run.map(written));
                let Output { text, items, file, made } = std::mem::take(&mut output);
                let holds = self.flowed(mark);
                stdin = Cow::Owned(Stdin { program, command, text, items, connected: true, file, holds, made });
            }
        }
        output
    }

    fn while_loop(&mut self, condition: &Script, body: &Script, stdin: &Stdin) {
        // `while read line` over known text is followed line by line.
        let lines: Option<Vec<Word>> = match (&stdin.items, stdin.text.as_deref().and_then(Word::literal)) {
            (Some(items), _) => Some(items.clone()),
            (None, Some(text)) => Some(text.lines().take(MAX_ROUNDS + 1).map(Word::lit).collect()),
            (None, None) => None,
        };
        match lines {
            Some(lines) if stdin.connected && lines.len() <= MAX_ROUNDS && reads(condition) && !self.is_long() => {
                for line in lines {
                    let one = Stdin { text: Some(Rc::new(line)), connected: true, holds: stdin.holds.clone(), ..Stdin::default() };
                    self.script(condition, &one);
                    self.maybe(body, &Stdin::default());
                }
            }
            _ => {
                // One name after another.
                let text = stdin.text.as_deref().filter(|text| names(text)).map(|text| Rc::new(named(text)));
                let unknown = Stdin { connected: stdin.connected, program: stdin.program.clone(), text, holds: stdin.holds.clone(), ..Stdin::default() };
                let before = self.state.mark();
                self.script(condition, &unknown);
                self.repeated(body, &unknown);
                if self.state.differs(&before) {
                    self.script(condition, &unknown);
                }
            }
        }
    }

    fn for_loop(&mut self, name: &str, words: Option<&[RawWord]>, body: &Script, stdin: &Stdin) -> Output {
        let before = self.word_mark();
        let values = self.loop_values(words);
        let holds = self.in_words(before);
        self.flow_into_variable(name, holds);
        self.rounds(name, values, body, stdin)
    }

    fn select(&mut self, name: &str, words: Option<&[RawWord]>, body: &Script, stdin: &Stdin) -> Output {
        let mut values = self.loop_values(words);
        if words.is_some() {
            // Any other answer gives the empty word.
            values.push(Word::default());
        }
        let output = self.rounds(name, values, body, stdin);
        if words.is_some() {
            // It ends with any of them.
            self.state.set(name, Word::several());
        }
        output
    }

    fn loop_values(&mut self, words: Option<&[RawWord]>) -> Vec<Word> {
        match words {
            Some(words) => words.iter().flat_map(|word| self.fields(word)).collect(),
            None => self.state.place.positional.as_deref().cloned().unwrap_or_else(|| vec![Word::several()]),
        }
    }

    fn rounds(&mut self, name: &str, values: Vec<Word>, body: &Script, stdin: &Stdin) -> Output {
        if values.is_empty() {
            return Output::nothing();
        }
        if values.len() > MAX_ROUNDS || self.is_long() {
            self.state.set(name, Word::unknown());
            self.repeated(body, stdin);
            return Output::unknown();
        }
        let mut text = Some(Word::default());
        for value in values {
            self.state.set(name, Word { multi: false, ..value });
            match (&mut text, self.script(body, stdin).text) {
                (Some(all), Some(more)) => all.extend(&more),
                _ => text = None,
            }
        }
        Output { text: text.map(Rc::new), ..Output::default() }
    }

    pub(super) fn simple(&mut self, simple: &Simple, stdin: &Stdin) -> Output {
        let outer = self.words_begin();
        let output = self.simple_command(simple, stdin);
        self.words_end(outer);
        output
    }

    fn simple_command(&mut self, simple: &Simple, stdin: &Stdin) -> Output {
        let mark = self.flow_mark();
        if let Some(output) = self.chosen(simple, stdin) {
            return output;
        }
        let before = (!simple.redirects.is_empty()).then(|| self.state.mark());
        // The words of a declaring builtin repeat what it assigns, so that comes first.
        let values: Vec<Variable> = simple.assigns_after.iter().map(|assign| self.assigned(assign)).collect();
        for (at, (assign, value)) in simple.assigns_after.iter().zip(values).enumerate() {
            self.localize(simple, &assign.name);
            // What is assigned twice may have been fixed the first time.
            let again = simple.assigns_after.iter().take(at).any(|before| before.name == assign.name);
            self.store(&assign.name, if again { Variable::Scalar(Word::several()) } else { value });
        }
        let fault = std::mem::take(&mut self.faulty);
        let words: Vec<Word> = simple.words.iter().flat_map(|word| self.fields(word)).collect();
        let faulty = std::mem::take(&mut self.faulty);
        if simple.words.is_empty() {
            for assign in &simple.assigns {
                self.assign(assign);
            }
        }
        let stdin = self.redirect_all(&simple.redirects, stdin);
        // Where a redirection fails, the command does not run.
        let before = before.filter(|_| self.faulty);
        self.faulty |= faulty;
        if words.is_empty() {
            // Assignments alone stay in the shell.
            for assign in simple.assigns.iter().filter(|_| !simple.words.is_empty()) {
                self.assign(assign);
            }
            // `$(<file)` is the text of the file, if nothing else is there.
            let file = simple.assigns.is_empty() && matches!(simple.redirects.as_slice(), [Redirect { to: Target::Read(_), .. }]);
            if let Some(before) = before {
                self.state.join(&before);
            }
            if file {
                self.flow(&stdin.holds);
            }
            return self.send(
                &simple.redirects,
                if file { Output { text: stdin.text.clone(), file: stdin.file.clone(), ..Output::default() } } else { Output::nothing() },
                mark,
            );
        }
        let env: Vec<(String, Word)> = simple.assigns.iter().map(|assign| (assign.name.clone(), self.value(assign))).collect();
        for (name, value) in &env {
            self.hook(name, value);
        }
        // Where an expansion may fail, the command may not run.
        let failing = std::mem::replace(&mut self.faulty, fault);
        let output = self.invoke(words, env, &stdin);
        if let Some(before) = before {
            self.state.join(&before);
        }
        let output = self.send(&simple.redirects, if failing { Output::unknown() } else { output }, mark);
        // What failed says so on standard error.
        let complains =
            failing && simple.redirects.iter().any(|redirect| redirect.fd.as_deref() == Some("2") && matches!(redirect.to, Target::Duplicate { .. }));
        if complains { Output::unknown() } else { output }
    }

    /// What `local` and its like set in a function is as it was behind it.
    fn localize(&mut self, simple: &Simple, name: &str) {
        let by = simple.words.first().map(|word| word.parts.as_slice());
        if matches!(by, Some([Part::Text(by)]) if matches!(by.as_str(), "local" | "declare" | "typeset")) {
            self.state.localize(name);
        }
    }

    /// The value of an assignment in front of a command, as far as it is one text.
    fn value(&mut self, assign: &Assign) -> Word {
        match &assign.value {
            Value::Scalar(word) => self.scalar(word),
            Value::Array(values) => {
                for (subscript, word) in values {
                    if let Some(subscript) = subscript {
                        self.arithmetic(subscript);
                    }
                    self.fields(word);
                }
                Word::unknown()
            }
        }
    }

    pub(super) fn assign(&mut self, assign: &Assign) {
        let value = self.assigned(assign);
        self.store(&assign.name, value);
    }

    /// The value that an assignment gives.
    fn assigned(&mut self, assign: &Assign) -> Variable {
        let mark = self.word_mark();
        let value = self.assigned_value(assign);
        let holds = self.in_words(mark);
        self.flow_into_variable(&assign.name, holds);
        value
    }

    fn assigned_value(&mut self, assign: &Assign) -> Variable {
        if let Some(subscript) = &assign.subscript {
            self.arithmetic(subscript);
            self.value(assign);
            // Which element is meant is not followed.
            return Variable::Scalar(Word::several());
        }
        let before = self.state.variable(&assign.name).filter(|_| assign.append).cloned();
        self.spend(before.as_ref().map_or(0, Variable::size));
        match &assign.value {
            Value::Scalar(word) => {
                let word = self.scalar(word);
                let mut whole = match before {
                    Some(Variable::Scalar(old)) => old,
                    Some(Variable::Array(_)) => return Variable::Scalar(Word::several()),
                    None if assign.append => Word::unknown(),
                    None => Word::default(),
                };
                whole.extend(&word);
                Variable::Scalar(whole)
            }
            Value::Array(values) => {
                // Only elements that are numbered in a row are followed.
                let first = usize::from(self.zsh);
                let in_row = |at: usize, subscript: &RawWord| matches!(subscript.parts.as_slice(), [Part::Text(text)] if text.parse() == Ok(at + first));
                let subscripts =
                    values.iter().enumerate().any(|(at, (subscript, _))| subscript.as_ref().is_some_and(|subscript| assign.append || !in_row(at, subscript)));
                let mut all = match before {
                    _ if subscripts => vec![Word::several()],
                    Some(Variable::Array(old)) => old,
                    Some(Variable::Scalar(old)) => vec![old],
                    None => Vec::new(),
                };
                for (subscript, word) in values {
                    if let Some(subscript) = subscript {
                        self.arithmetic(subscript);
                    }
                    all.extend(self.elements(word));
                }
                Variable::Array(all)
            }
        }
    }

    fn store(&mut self, name: &str, value: Variable) {
        if let Variable::Scalar(text) = &value {
            self.hook(name, text);
            self.keep(&text.to_string());
        }
        self.state.put(name, value);
        if self.zsh && matches!(name, "PATH" | "path") {
            // One is made of the other.
            self.state.set(if name == "path" { "PATH" } else { "path" }, Word::several());
        }
    }
}

/// Whether the text between `((` and `))` is no expression but a command: two names are side by side, or the last word is an
/// operator.
fn is_command(text: &str) -> bool {
    let name = |c: Option<char>| c.is_some_and(|c| c == '_' || c.is_ascii_alphabetic());
    let words: Vec<&str> = text.split_whitespace().collect();
    let side_by_side = |pair: &[&str]| matches!(pair, [front, behind] if name(behind.chars().next()) && front.chars().last().is_some_and(|last| last == '_' || last.is_ascii_alphanumeric()));
    let begins = words.first().is_some_and(|first| name(first.chars().next()));
    begins && words.len() > 1 && (words.windows(2).any(side_by_side) || words.last().is_some_and(|last| last.ends_with(['/', '~', '.', '*'])))
}

/// Adds what is not known to what was written before it. What one command writes says nothing of the lines of the others;
/// on a line that it did not end, it may continue.
fn unknown_behind(all: &mut Word) {
    if !matches!(all.pieces.last(), None | Some(WordPiece::Any(Bound::Anything)))
        && !matches!(all.pieces.last(), Some(WordPiece::Lit(text)) if text.ends_with('\n'))
    {
        *all = Word::default();
        all.multi = true;
    }
    all.extend(&Word::unknown());
    all.push_lit("\n");
}

/// Whether a text is a line of names: no option, path or pattern.
fn is_plain_line(text: &Word) -> bool {
    text.literal().is_some_and(|text| !text.trim().is_empty() && text.split_whitespace().all(|word| !word.starts_with('-') && is_plain_name(word)))
}

/// What is written where a second command runs only if the first fails, which may have written something by then.
fn either(all: &mut Word, other: &Word) {
    if other.is("") || all == other {
        return;
    }
    if other.literal().is_some_and(|text| text.trim().is_empty()) && is_plain_line(all) {
        all.multi = true;
        return;
    }
    let plain = |word: &Word| word.is("") || names(word) || word.literal().is_some_and(|text| text.split_whitespace().all(is_plain_name));
    let bound = if plain(all) && plain(other) { Bound::Name } else { Bound::Anything };
    *all = Word { pieces: vec![WordPiece::Any(bound), WordPiece::Lit("\n".to_owned())], multi: true, ..Word::default() };
}

/// The character that stands for a hole.
fn mark(bound: Bound) -> char {
    let [any, name, setup, file] = HOLES;
    match bound {
        Bound::Anything => any,
        Bound::Name | Bound::Truth => name,
        Bound::Setup => setup,
        Bound::File => file,
    }
}

/// The hole that a character stands for.
pub(super) fn marked(c: char) -> Bound {
    [Bound::Name, Bound::Setup, Bound::File].into_iter().find(|bound| c == mark(*bound)).unwrap_or(Bound::Anything)
}

/// Whether a `read` decides: nothing behind it can continue where it failed.
fn reads(condition: &Script) -> bool {
    let joined = condition.items.iter().rev().take_while(|item| item.join == Join::And).count();
    condition.items.iter().rev().take(joined + 1).any(|item| match &item.command {
        Command::Simple(simple) if simple.redirects.is_empty() => simple.words.first().is_some_and(|word| word.parts == [Part::Text("read".to_owned())]),
        _ => false,
    })
}

/// A command as rules on `stdin_from` see it.
fn written(run: &Run) -> String {
    let flags = run.flags.iter().filter_map(|flag| flag.names.first().cloned());
    let words = run.subcommand.iter().map(ToString::to_string).chain(flags).chain(run.args.iter().map(ToString::to_string));
    words.fold(run.program.clone(), |command, word| format!("{command} {word}"))
}
