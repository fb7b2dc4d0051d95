//! What a shell remembers from command to command, as far as it is known. Two branches join in what they agree on.

use std::{collections::BTreeMap, rc::Rc};

use super::{Setting, TextOrigin};
use crate::word::{Bound, Word, WordPiece};
use crate::{lookup::fits, program::Programs};
use shell_reader::ast::Command;

/// The value of a variable.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Variable {
    /// A text.
    Scalar(Word),
    /// An array.
    Array(Vec<Word>),
}

impl Variable {
    /// Bytes of its text, and some for each word.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Scalar(word) => word.size(),
            Self::Array(words) => words.iter().map(Word::size).sum(),
        }
    }
}

/// Names with their values, and a way back: leaving a subshell or a branch costs only as much as it changed.
#[derive(Debug)]
struct ShellNames<T> {
    known: BTreeMap<String, T>,
    /// What was there before each change.
    before: Vec<(String, Option<T>)>,
}

impl<T> Default for ShellNames<T> {
    fn default() -> Self {
        Self { known: BTreeMap::new(), before: Vec::new() }
    }
}

impl<T> ShellNames<T> {
    fn change(&mut self, name: &str, value: Option<T>) {
        let old = match value {
            Some(value) => self.known.insert(name.to_owned(), value),
            None => self.known.remove(name),
        };
        self.before.push((name.to_owned(), old));
    }

    fn back_to(&mut self, mark: usize) {
        while self.before.len() > mark {
            match self.before.pop() {
                Some((name, Some(old))) => self.known.insert(name, old),
                Some((name, None)) => self.known.remove(&name),
                None => return,
            };
        }
    }

    /// What was changed since `mark`, with what was there at that time.
    fn since(&self, mark: usize) -> BTreeMap<&str, Option<&T>> {
        // The oldest change comes last and stays.
        self.before.iter().skip(mark).rev().map(|(name, old)| (name.as_str(), old.as_ref())).collect()
    }
}

/// A function.
#[derive(Debug)]
pub(super) struct Function {
    /// What runs.
    pub(super) body: Command,
    /// Of the text in which it is defined.
    pub(super) origin: TextOrigin,
    /// That text is in a file that was there before the call.
    pub(super) stored: bool,
}

/// Variables, functions, the folder.
#[derive(Debug, Default)]
pub(super) struct ShellState {
    variables: ShellNames<Variable>,
    exported: ShellNames<()>,
    /// The exported variables with their values, until one of them changes.
    environment: Option<Rc<Vec<(String, Word)>>>,
    functions: ShellNames<Rc<Function>>,
    /// Functions that are defined on one way only.
    doubtful: ShellNames<()>,
    aliases: ShellNames<Word>,
    /// Variables that stand for others (`declare -n`).
    references: ShellNames<String>,
    /// Variables whose values the shell changes (`declare -i`, `-u`), or keeps (`readonly`).
    changed: ShellNames<()>,
    /// Variables that have one of several values.
    choices: ShellNames<Vec<Word>>,
    /// Within a function: what its own variables hide.
    pub(super) hidden: Option<Vec<(String, Option<Variable>)>>,
    /// Put back as a whole when a subshell ends.
    pub(super) place: SubshellState,
    /// Files that this line wrote. They stay when a subshell ends.
    written: BTreeMap<String, Rc<Word>>,
    /// Text that this line added to files, since it wrote them or from the start.
    added: BTreeMap<String, Vec<Rc<Word>>>,
    /// Files that this line copied or moved: where they are now, and where they were.
    copied: BTreeMap<String, String>,
    /// Links that this line made: from and to, both absolute.
    links: BTreeMap<String, String>,
    /// Patterns of files that this line fetched; which names they have is not known.
    arrivals: Vec<Word>,
    /// Those of them that are symbolic.
    symbolic: std::collections::BTreeSet<String>,
    /// Git's configuration that this line set.
    pub(super) configured: Vec<(String, Word)>,
    /// How many branches around the present command might not be taken.
    pub(super) branches: usize,
    /// The variables from before the line are known.
    prepared: bool,
    /// The shell refuses a part of the text: what is set in it may never be.
    pub(super) refused: bool,
}

/// What a subshell has for itself beside names.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct SubshellState {
    /// `set -a`: every variable that is set from now on is exported.
    pub(super) exports_all: bool,
    /// The folder in which commands run.
    pub(super) cwd: Word,
    /// `$1`, `$2`, …. `None`: not known.
    pub(super) positional: Option<Rc<Vec<Word>>>,
    /// `$0` where it was given; otherwise it is the shell.
    pub(super) name: Option<Word>,
    /// The branch that this line switched to.
    pub(super) branch: Option<Word>,
    /// Commands of the shell that were switched off: programs of the same name run.
    pub(super) disabled: Rc<[String]>,
}

/// A state that [`ShellState::back_to`] returns to.
#[derive(Debug)]
pub(super) struct Mark {
    variables: usize,
    exported: usize,
    functions: usize,
    aliases: usize,
    doubtful: usize,
    references: usize,
    changed: usize,
    choices: usize,
    place: SubshellState,
}

/// Values kept of one array; a longer one is not known.
const MAX_VALUES: usize = 256;

/// Folders of a home where nothing else is set (XDG Base Directory Specification; the Cargo book; `go help environment`).
const FOLDERS: &str = "XDG_CACHE_HOME=.cache XDG_CONFIG_HOME=.config XDG_STATE_HOME=.local/state XDG_DATA_HOME=.local/share CARGO_HOME=.cargo GOPATH=go CLAUDE_CONFIG_DIR=.claude";

impl ShellState {
    pub(super) fn new(setting: &Setting) -> Self {
        let place = SubshellState { cwd: Word::lit(setting.cwd.as_str()), ..SubshellState::default() };
        let mut state = Self { place, ..Self::default() };
        if let Some(home) = &setting.home {
            state.given("HOME", Word::lit(home.as_str()));
        }
        state.given("IFS", Word::lit(" \t\n"));
        state
    }

    /// Adds the variables that exist before the line. Called only for texts that use variables, because most use none.
    #[inline(never)] // Most calls do not come here, and touch fewer pages without it.
    pub(super) fn prepare(&mut self, setting: &Setting, programs: &Programs) {
        if std::mem::replace(&mut self.prepared, true) {
            return;
        }
        if let Some(home) = &setting.home {
            for (name, folder) in FOLDERS.split(' ').filter_map(|folder| folder.split_once('=')) {
                self.supposed(name, format!("{home}/{folder}"));
            }
        }
        for name in ["TMPDIR", "TMP", "TEMP", "RUNNER_TEMP"] {
            self.supposed(name, setting.temporary.clone());
        }
        for (name, program) in programs.named() {
            self.supposed(name, program.to_owned());
        }
        // It begins with a folder of the system; a project cannot count on more.
        self.given("PATH", Word { pieces: vec![WordPiece::Lit("/usr/local/bin:".to_owned()), WordPiece::Any(Bound::Anything)], ..Word::default() });
        // Only their shape is known: a name or a number.
        for name in ["RANDOM", "SECONDS", "UID", "EUID", "PPID", "LINENO", "USER", "HOSTNAME"] {
            self.given(name, Word::name());
        }
    }

    /// Notes a value that a variable has by convention, if it is set at all.
    fn supposed(&mut self, name: &str, value: String) {
        self.given(name, Word { multi: true, ..Word::lit(value) });
    }

    /// Whether the variable may as well be unset. What is assigned is never known and several words at once.
    pub(super) fn is_supposed(&self, name: &str) -> bool {
        matches!(self.variable(name), Some(Variable::Scalar(word)) if word.multi && !word.has_hole())
    }

    /// Notes a value from before the line, which no subshell takes back.
    fn given(&mut self, name: &str, value: Word) {
        self.variables.known.entry(name.to_owned()).or_insert(Variable::Scalar(value));
    }

    pub(super) fn get(&self, name: &str) -> Option<Word> {
        match name {
            "PWD" => return Some(self.place.cwd.clone()),
            "?" | "$" | "#" | "-" => return Some(Word::name()),
            _ => {}
        }
        if let Ok(number) = name.parse::<usize>() {
            let positional = self.place.positional.as_ref()?;
            return Some(if number == 0 {
                self.place.name.clone().unwrap_or_else(|| Word::lit("bash"))
            } else {
                // A word that may be several moves those behind it.
                let moved = positional.iter().take(number).any(|word| word.multi);
                if moved { Word::unknown() } else { positional.get(number - 1).cloned().unwrap_or_default() }
            });
        }
        match self.variable(name)? {
            Variable::Scalar(word) => Some(word.clone()),
            Variable::Array(values) => Some(values.first().cloned().unwrap_or_default()),
        }
    }

    /// The variable that a name refers to (`declare -n`).
    fn meant<'n>(&'n self, name: &'n str) -> &'n str {
        (0..self.references.known.len()).fold(name, |name, _| self.references.known.get(name).map_or(name, String::as_str))
    }

    /// From now on `name` stands for `meant`.
    pub(super) fn refer(&mut self, name: &str, meant: &str) {
        self.references.change(name, Some(meant.to_owned()));
    }

    /// `name` keeps its value, or the shell gives up.
    pub(super) fn fix(&mut self, name: &str) {
        self.changed.change(name, Some(()));
    }

    /// The shell changes what is assigned to `name`.
    pub(super) fn change(&mut self, name: &str) {
        self.fix(name);
        if self.variable(name).is_some() {
            self.set(name, Word::several());
        }
    }

    /// A variable whose name starts so may be gone.
    pub(super) fn doubt(&mut self, prefix: &str) {
        let meant: Vec<String> = self.variables.known.keys().filter(|name| !prefix.is_empty() && name.starts_with(prefix)).cloned().collect();
        for name in meant {
            self.set(&name, Word::several());
        }
    }

    /// Whatever was set or entered may have changed.
    pub(super) fn lose_track(&mut self) {
        let kept = |name: &str| matches!(name, "HOME" | "IFS" | "PATH");
        let unknown = Variable::Scalar(Word::several());
        let names: Vec<String> = self.variables.known.iter().filter(|(name, value)| !kept(name) && **value != unknown).map(|(name, _)| name.clone()).collect();
        for name in names {
            self.put(&name, unknown.clone());
        }
        self.place.cwd = Word::unknown();
    }

    /// `name` is the function's own from here on.
    pub(super) fn localize(&mut self, name: &str) {
        let value = self.variable(name).cloned();
        if let Some(hidden) = self.hidden.as_mut().filter(|hidden| !hidden.iter().any(|(known, _)| known == name)) {
            hidden.push((name.to_owned(), value));
        }
    }

    /// The function ends: what it hid is seen again.
    pub(super) fn reveal(&mut self, outer: Option<Vec<(String, Option<Variable>)>>) {
        for (name, value) in std::mem::replace(&mut self.hidden, outer).unwrap_or_default() {
            self.variables.change(&name, value);
        }
    }

    pub(super) fn variable(&self, name: &str) -> Option<&Variable> {
        self.variables.known.get(self.meant(name))
    }

    pub(super) fn set(&mut self, name: &str, value: Word) {
        self.put(name, Variable::Scalar(value));
    }

    pub(super) fn put(&mut self, name: &str, value: Variable) {
        let value = match value {
            Variable::Array(values) if values.len() > MAX_VALUES => Variable::Scalar(Word::several()),
            Variable::Scalar(word) if self.changed.known.contains_key(name) => Variable::Scalar(Word { multi: word.multi, ..Word::unknown() }),
            _ if self.refused || self.changed.known.contains_key(name) => Variable::Scalar(Word::several()),
            other => other,
        };
        // It is in the environment from the start, so a new value is too.
        if self.place.exports_all || matches!(name, "PATH" | "HOME") {
            self.export(name);
        }
        let name = &*self.meant(name).to_owned();
        if self.exported.known.contains_key(name) {
            self.environment = None;
        }
        self.forget_choices(name);
        self.variables.change(name, Some(value));
    }

    fn forget_choices(&mut self, name: &str) {
        if self.choices.known.contains_key(name) {
            self.choices.change(name, None);
        }
    }

    pub(super) fn has_choices(&self) -> bool {
        !self.choices.known.is_empty()
    }

    /// The values of which a variable has one.
    pub(super) fn choices(&self, name: &str) -> Option<Vec<Word>> {
        self.choices.known.get(name).cloned()
    }

    /// Notes that a variable has one of these values.
    pub(super) fn choose(&mut self, name: &str, values: Vec<Word>) {
        if !self.refused && !self.changed.known.contains_key(name) && !self.references.known.contains_key(name) {
            self.choices.change(name, Some(values));
        }
    }

    /// The variables that were set since `mark`: what each is now and was then, where that is a text.
    pub(super) fn scalars_since(&self, mark: &Mark) -> super::choices::BranchValues {
        let scalar = |value: Option<&Variable>| if let Some(Variable::Scalar(word)) = value { Some(word.clone()) } else { None };
        let since = self.variables.since(mark.variables).into_iter();
        since.map(|(name, old)| (name.to_owned(), (scalar(self.variables.known.get(name)), scalar(old)))).collect()
    }

    pub(super) fn unset(&mut self, name: &str) {
        self.environment = None;
        self.forget_choices(name);
        self.variables.change(name, None);
        self.functions.change(name, None);
        self.exported.change(name, None);
        self.references.change(name, None);
    }

    /// `name` stands for no other variable from now on.
    pub(super) fn unset_reference(&mut self, name: &str) {
        if self.references.known.contains_key(name) {
            self.unset(name);
        }
    }

    pub(super) fn export(&mut self, name: &str) {
        if !self.exported.known.contains_key(name) {
            self.environment = None;
            self.exported.change(name, Some(()));
        }
    }

    /// What a program finds in its environment because the line put it there.
    pub(super) fn environment(&mut self) -> Rc<Vec<(String, Word)>> {
        if let Some(known) = &self.environment {
            return Rc::clone(known);
        }
        let all = Rc::new(self.exported.known.keys().filter_map(|name| Some((name.clone(), self.get(name)?))).collect());
        self.environment = Some(Rc::clone(&all));
        all
    }

    pub(super) fn define(&mut self, name: &str, function: Function) {
        self.doubtful.change(name, self.refused.then_some(()));
        self.functions.change(name, Some(Rc::new(function)));
    }

    pub(super) fn function(&self, name: &str) -> Option<Rc<Function>> {
        self.functions.known.get(name).cloned()
    }

    /// True if a function of this name may not exist.
    pub(super) fn is_doubtful(&self, name: &str) -> bool {
        self.doubtful.known.contains_key(name)
    }

    pub(super) fn set_alias(&mut self, name: &str, value: Word) {
        self.aliases.change(name, Some(value));
    }

    pub(super) fn alias(&self, name: &str) -> Option<&Word> {
        self.aliases.known.get(name)
    }

    /// Notes that the line wrote a file.
    pub(super) fn write(&mut self, path: &str, text: Rc<Word>) {
        if self.branches == 0 {
            self.added.remove(path);
        }
        self.written.insert(path.to_owned(), text);
    }

    /// Notes that the line wrote a file, but that what is on the disk says more of it.
    pub(super) fn forget(&mut self, path: &str) {
        if self.written.get(path).is_some_and(|text| text.has_hole()) {
            self.written.remove(path);
        }
    }

    /// Notes that the line added to a file.
    pub(super) fn append(&mut self, path: &str, text: Rc<Word>) {
        self.added.entry(path.to_owned()).or_default().push(text);
    }

    /// What the line added to this file since it wrote it, if it did.
    pub(super) fn added(&self, path: &str) -> &[Rc<Word>] {
        self.added.get(path).map_or(&[], Vec::as_slice)
    }

    /// Notes that what was at `from` is at `to` now.
    pub(super) fn copy(&mut self, from: &str, to: &str) {
        match self.written_text(from) {
            Some(text) => self.write(to, text),
            None => {
                self.copied.insert(to.to_owned(), from.to_owned());
            }
        }
    }

    /// Where a file was that the line copied here.
    pub(super) fn copied_from(&self, path: &str) -> Option<String> {
        self.copied.get(path).cloned()
    }

    /// The text of a file that was written by the line.
    pub(super) fn written_text(&self, path: &str) -> Option<Rc<Word>> {
        self.written.get(path).cloned()
    }

    /// The files that the line wrote whose paths fit a pattern.
    pub(super) fn written_like(&self, pattern: &[Word]) -> Vec<String> {
        self.written.keys().filter(|path| fits(pattern, &path.split('/').collect::<Vec<_>>())).cloned().collect()
    }

    /// Notes that files come whose paths fit a pattern.
    pub(super) fn arrive(&mut self, pattern: Word) {
        self.arrivals.push(pattern);
    }

    /// Whether the line may have fetched this file.
    pub(super) fn may_have_arrived(&self, path: &str) -> bool {
        let parts: Vec<&str> = path.split('/').collect();
        self.arrivals.iter().any(|pattern| fits(&pattern.split('/'), &parts))
    }

    /// Files that the line wrote.
    pub(super) fn written_count(&self) -> usize {
        self.written.len()
    }

    /// Notes a link that this line made.
    pub(super) fn link(&mut self, link: &str, target: &str, symbolic: bool) {
        self.links.insert(link.to_owned(), target.to_owned());
        if symbolic {
            self.symbolic.insert(link.to_owned());
        } else {
            self.symbolic.remove(link);
        }
    }

    /// Whether this line made a symbolic link at this path.
    pub(super) fn is_symbolic(&self, path: &str) -> bool {
        self.symbolic.contains(path)
    }

    /// Where a path leads through links that this line made.
    pub(super) fn through_links(&self, path: &str) -> Option<String> {
        if self.links.is_empty() {
            return None;
        }
        let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
        ends.filter_map(|end| path.split_at_checked(end)).find_map(|(front, rest)| Some(format!("{}{rest}", self.links.get(front)?)))
    }

    pub(super) fn mark(&self) -> Mark {
        Mark {
            variables: self.variables.before.len(),
            exported: self.exported.before.len(),
            functions: self.functions.before.len(),
            aliases: self.aliases.before.len(),
            doubtful: self.doubtful.before.len(),
            references: self.references.before.len(),
            changed: self.changed.before.len(),
            choices: self.choices.before.len(),
            place: self.place.clone(),
        }
    }

    /// Forgets all that was learnt since `mark`, but for files, links and the branch of the same folder.
    pub(super) fn back_to(&mut self, mark: Mark) {
        self.environment = None;
        self.variables.back_to(mark.variables);
        self.exported.back_to(mark.exported);
        self.functions.back_to(mark.functions);
        self.aliases.back_to(mark.aliases);
        self.doubtful.back_to(mark.doubtful);
        self.references.back_to(mark.references);
        self.changed.back_to(mark.changed);
        self.choices.back_to(mark.choices);
        let after = std::mem::replace(&mut self.place, mark.place);
        if self.place.branch != after.branch {
            self.place.branch = if self.place.cwd == after.cwd { after.branch } else { Some(Word::unknown()) };
        }
    }

    /// What was done since `mark` may not have been done: what differs is not known.
    pub(super) fn join(&mut self, mark: &Mark) {
        self.join_variables(mark);
        let lost = |(name, old): (&str, Option<&()>)| (old.is_some() && !self.exported.known.contains_key(name)).then(|| name.to_owned());
        let lost: Vec<String> = self.exported.since(mark.exported).into_iter().filter_map(lost).collect();
        for name in lost {
            self.export(&name);
        }
        let gone =
            |(name, old): (&str, Option<&Rc<Function>>)| old.filter(|_| !self.functions.known.contains_key(name)).map(|old| (name.to_owned(), Rc::clone(old)));
        let gone: Vec<(String, Rc<Function>)> = self.functions.since(mark.functions).into_iter().filter_map(gone).collect();
        for (name, body) in gone {
            self.functions.change(&name, Some(body));
        }
        let (mine, old) = (&mut self.place, &mark.place);
        if mine.cwd != old.cwd {
            mine.cwd = Word::unknown();
        }
        if mine.branch != old.branch {
            mine.branch = Some(Word::unknown());
        }
    }

    /// As [`Self::join`], for the variables alone, the positional ones among them.
    pub(super) fn join_variables(&mut self, mark: &Mark) {
        let differs = |(name, old): (&str, Option<&Variable>)| {
            let new = self.variables.known.get(name);
            // `$verbose && …`: a switch stays one.
            let bound = if is_truth(old) && is_truth(new) { Bound::Truth } else { Bound::Anything };
            (new != old).then(|| (name.to_owned(), Word { pieces: vec![WordPiece::Any(bound)], ..Word::default() }))
        };
        let differing: Vec<(String, Word)> = self.variables.since(mark.variables).into_iter().filter_map(differs).collect();
        let chosen: Vec<String> = self.choices.since(mark.choices).into_keys().map(str::to_owned).collect();
        for name in &chosen {
            self.forget_choices(name);
        }
        for (name, value) in differing {
            self.set(&name, value);
        }
        let linked: Vec<(String, String)> =
            self.references.since(mark.references).into_keys().filter_map(|name| Some((name.to_owned(), self.references.known.get(name)?.clone()))).collect();
        for (name, meant) in linked {
            self.references.change(&name, None);
            // Whether an assignment to one is to the other is not known from here on.
            self.change(&name);
            self.change(&meant);
        }
        let new: Vec<String> = self.functions.since(mark.functions).into_iter().filter(|(_, old)| old.is_none()).map(|(name, _)| name.to_owned()).collect();
        for name in new {
            self.doubtful.change(&name, Some(()));
        }
        if self.place.positional != mark.place.positional {
            self.place.positional = None;
        }
    }

    /// Whether something is not as it was.
    pub(super) fn differs(&self, mark: &Mark) -> bool {
        self.place != mark.place
            || self.variables.since(mark.variables).into_iter().any(|(name, old)| self.variables.known.get(name) != old)
            || self.functions.before.len() != mark.functions
            || self.aliases.before.len() != mark.aliases
    }
}

fn is_truth(value: Option<&Variable>) -> bool {
    matches!(value, Some(Variable::Scalar(word)) if matches!(word.literal(), Some("true" | "false" | ":")) || word.pieces == [WordPiece::Any(Bound::Truth)])
}
