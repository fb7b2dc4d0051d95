//! Command lines to actions: read as the shell would (`parse`), expanded as far as is known (`expand`), followed from
//! command to command (`walk`), each command line taken apart by what its program does (`invoke`).
//! Runs nothing and reads no file.

mod builtin;
mod choices;
mod cmd;
mod conditions;
mod effects;
mod evaluate;
mod expand;
mod filter;
mod find;
mod flows;
mod git;
mod inner;
mod invoke;
mod powershell;
mod queries;
mod recipes;
mod redirect;
mod scripts;
mod state;
mod texts;
mod walk;

use std::rc::Rc;

use shell_reader::ast::Span;
use shell_reader::parse;

use super::program::{Program, ProgramWay, Programs};
use super::{Action, Deed, Edited, lookup::Lookups, path::Path, word::Word};
use state::ShellState;

/// Where a command line starts.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The folder in which it starts.
    pub cwd: String,
    /// The home folder, if known.
    pub home: Option<String>,
    /// The temporary folder.
    pub temporary: String,
    /// The shell may be zsh.
    pub zsh: bool,
    /// The repository's root, for `git rev-parse --show-toplevel`.
    pub root: String,
}

/// Commands that may be followed in one call; what is behind is [`Deed::Opaque`].
const MAX_COMMANDS: usize = 20_000;
/// Commands that may be followed in files that were there before the call.
const MAX_STORED: usize = 20_000;
/// How often a file, recipe or function is followed that leads to itself.
const MAX_AGAIN: usize = 2;
/// Actions that may come of one call.
const MAX_ACTIONS: usize = 10_000;
/// Bytes of texts and words that may be handled in one call. A few times the longest command line: what is beyond makes
/// its texts by itself.
const MAX_WORK: usize = 16 << 20;
/// Command lines within command lines (`bash -c`, `eval`, functions).
const MAX_DEPTH: usize = 24;

/// Follows command lines and commands, and collects what they would do.
#[derive(Debug)]
pub struct Shell<'p> {
    programs: &'p Programs<'p>,
    setting: &'p Setting,
    state: ShellState,
    /// How the present command was reached.
    via: Vec<String>,
    /// The present command is there for sure.
    sure: bool,
    /// What runs does not touch this machine's files.
    remote: bool,
    /// What runs has the users and folders of a container.
    contained: bool,
    /// In a container: its folders that are this machine's, and which; none elsewhere.
    mounts: Option<Vec<(String, Word)>>,
    depth: usize,
    /// Variables of the present command that are followed with each of their values.
    choosing: usize,
    commands: usize,
    work: usize,
    stopped: bool,
    /// Variables in front of the present command, which a shell that it starts finds in its environment.
    lent: Vec<(String, Word)>,
    /// Something is said of the output of the present command, or of others of its program.
    speaks: bool,
    /// The next command is looked for among programs and builtins alone.
    plain: bool,
    /// What is followed is read as zsh reads it.
    zsh: bool,
    /// What is followed is a command line of PowerShell.
    power: bool,
    /// What is followed is a command line of cmd.
    cmd: bool,
    /// An expansion of the present command may fail.
    faulty: bool,
    /// An expansion may have ended the shell.
    gives_up: bool,
    /// Values with substitutions in them, which run where a variable is evaluated.
    dormant: Vec<String>,
    /// Command lines of `trap`, for the end of the shell that set them; and whether a stored file set them.
    traps: Vec<(Word, bool)>,
    /// What is followed is in a file that was there before the call.
    stored: bool,
    /// What is being followed there: files, recipes and functions. One that leads to itself is not followed for ever.
    open: Vec<String>,
    /// Commands followed there so far.
    stored_commands: usize,
    /// What could not be read there.
    unread: usize,
    lookups: Lookups,
    actions: Vec<Action>,
    /// Where the texts of files are on their way.
    flows: flows::Flows,
    /// The text of the call, if that is one command line: places in it are noted.
    source: Option<String>,
    /// The present command in it.
    place: Option<Span>,
    /// Where the text that is followed is in it.
    origin: TextOrigin,
}

/// Where a text is in the text of the call.
#[derive(Clone, Copy, Debug)]
pub(super) enum TextOrigin {
    /// From this byte on, as it is.
    From(usize),
    /// In this word, or reached by it.
    Within(Span),
}

/// Whether `whole` is `text` between these two bytes.
fn is_between(whole: &str, text: &str, (first, last): (u8, u8)) -> bool {
    matches!(whole.as_bytes(), [begins, inner @ .., ends] if *begins == first && *ends == last && inner == text.as_bytes())
}

/// The program name of an input that comes from a file and not from a pipe.
const FILE: &str = "a file";

/// What a command reads from standard input, as far as it is known.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stdin {
    /// The program in front of the pipe.
    program: Option<String>,
    /// That program with its subcommand, its options by their first names, and its operands.
    command: Option<String>,
    /// The whole text.
    text: Option<Rc<Word>>,
    /// The lines, where they are known as words (`find` in front of `xargs`).
    items: Option<Vec<Word>>,
    /// Something is connected.
    connected: bool,
    /// It is what this file holds.
    file: Option<String>,
    /// Reads whose texts are in it.
    holds: Vec<usize>,
    /// It is made by this text.
    made: Option<Rc<Edited>>,
}

/// What a command writes to standard output: known text with holes, and lines as words.
#[derive(Clone, Debug, Default)]
pub(crate) struct Output {
    text: Option<Rc<Word>>,
    items: Option<Vec<Word>>,
    /// It is what this file holds.
    file: Option<String>,
    /// It is made by this text.
    made: Option<Rc<Edited>>,
}

impl Output {
    fn unknown() -> Self {
        Self::default()
    }

    fn nothing() -> Self {
        Self::text(Word::default())
    }

    fn text(word: Word) -> Self {
        Self { text: Some(Rc::new(word)), ..Self::default() }
    }
}

impl<'p> Shell<'p> {
    /// A shell that has run nothing yet.
    pub fn new(setting: &'p Setting, programs: &'p Programs<'p>, lookups: Lookups) -> Self {
        Self {
            programs,
            setting,
            state: ShellState::new(setting),
            via: Vec::new(),
            sure: true,
            remote: false,
            contained: false,
            mounts: None,
            depth: 0,
            choosing: 0,
            commands: 0,
            work: 0,
            stopped: false,
            lent: Vec::new(),
            speaks: false,
            plain: false,
            zsh: false,
            power: false,
            cmd: false,
            faulty: false,
            gives_up: false,
            dormant: Vec::new(),
            traps: Vec::new(),
            stored: false,
            open: Vec::new(),
            stored_commands: 0,
            unread: 0,
            lookups,
            actions: Vec::new(),
            flows: flows::Flows::default(),
            source: None,
            place: None,
            origin: TextOrigin::From(0),
        }
    }

    /// Follows the command line that is the text of the call: as [`Self::line`], and notes places in it.
    pub fn call(&mut self, text: &str) {
        self.source = Some(text.to_owned());
        self.line(text);
    }

    /// Follows a command line, as bash reads it and, where that may differ, as zsh does: what either would do counts.
    pub fn line(&mut self, text: &str) {
        let (first, before) = (self.actions.len(), self.state.mark());
        self.whole_text(&Word::lit(text), &Stdin::default());
        self.trapped(0);
        self.show();
        if self.setting.zsh && parse::may_differ(text) && !self.stopped {
            let second = self.actions.len();
            self.state.back_to(before);
            self.zsh = true;
            // In a function it is the function's name.
            self.state.place.name = Some(Word::unknown());
            self.whole_text(&Word::lit(text), &Stdin::default());
            self.trapped(0);
            self.show();
            self.zsh = false;
            self.state.place.name = None;
            let (bash, zsh) = self.actions.get(first..).unwrap_or(&[]).split_at_checked(second - first).unwrap_or((&[], &[]));
            if bash.iter().map(|action| &action.deed).eq(zsh.iter().map(|action| &action.deed)) {
                self.actions.truncate(second);
            }
        }
    }

    /// Does `work` in another folder, relative to the one in which this shell is.
    pub fn starting_in<T>(&mut self, folder: &str, work: impl FnOnce(&mut Self) -> T) -> T {
        let inside = Path::resolve(&self.state.place.cwd, &Word::lit(folder)).word;
        let before = std::mem::replace(&mut self.state.place.cwd, inside);
        let done = work(self);
        self.state.place.cwd = before;
        done
    }

    /// Follows a command that is given as words.
    pub fn command(&mut self, words: Vec<Word>) {
        self.invoke(words, Vec::new(), &Stdin::default());
        self.trapped(0);
        self.show();
    }

    /// Adds what is known from elsewhere (a tool's arguments).
    pub fn add(&mut self, deed: Deed) {
        self.push(deed, None);
    }

    /// All that would be done, in order, and what must be looked up to know it better.
    pub fn finish(mut self) -> (Vec<Action>, Lookups) {
        self.show();
        (self.actions, self.lookups)
    }

    fn push(&mut self, deed: Deed, from: Option<usize>) -> usize {
        let at = self.actions.len();
        if at >= MAX_ACTIONS {
            self.stop("it does more than can be followed");
            return at;
        }
        let span = self.span_of(&deed, from);
        self.actions.push(Action { deed, via: self.via.clone(), sure: self.sure, stored: self.stored, from, span });
        at
    }

    /// Notes what could not be read.
    fn opaque(&mut self, text: impl Into<String>, why: &'static str) {
        if self.stored {
            self.unread += 1;
            return;
        }
        self.push(Deed::Opaque { text: text.into(), why }, None);
    }

    /// Gives up on the rest; says so once.
    fn stop(&mut self, why: &'static str) {
        if !std::mem::replace(&mut self.stopped, true) {
            self.limit(why);
        }
    }

    /// Notes that there is more than is followed, in a file that was there before the call too.
    fn limit(&mut self, why: &'static str) {
        let deed = |deed: &Deed| matches!(deed, Deed::Opaque { why: known, .. } if *known == why);
        if !self.actions.iter().any(|action| deed(&action.deed)) {
            let deed = Deed::Opaque { text: "the rest of the command".to_owned(), why };
            let span = self.place.filter(|_| self.source.is_some());
            self.actions.push(Action { via: self.via.clone(), span, ..Action::from(deed) });
        }
    }

    /// Where what is done is in the text of the call: the word that names what is touched, else the command.
    fn span_of(&self, deed: &Deed, from: Option<usize>) -> Option<Span> {
        self.source.as_ref()?;
        let own = match deed {
            Deed::Run(run) => {
                let spans = || run.words.iter().filter_map(|word| word.span);
                spans().map(|span| span.start).min().zip(spans().map(|span| span.end).max()).map(|(start, end)| Span { start, end })
            }
            Deed::Write(write) => write.path.word.span,
            Deed::Delete(delete) => delete.path.word.span,
            Deed::Read(read) => read.path.word.span,
            Deed::Fetch { url, .. } => url.span,
            _ => None,
        };
        own.or_else(|| self.actions.get(from?)?.span).or(self.place).filter(|span| !span.is_empty())
    }

    /// A place of the text that is followed, in the text of the call.
    fn placed(&self, span: Span) -> Span {
        match self.origin {
            TextOrigin::From(base) => Span::of(base + span.range().start..base + span.range().end),
            TextOrigin::Within(word) => word,
        }
    }

    /// The origin of a text that is in the word `text` of the present command, or is reached by that command.
    fn origin_of(&self, text: &Word) -> TextOrigin {
        let word = text.span.or(self.place).unwrap_or_default();
        let written = self.source.as_ref().and_then(|source| source.get(word.range()));
        // The body of a here-document, or a word in quotes.
        let quotes = match (written, text.literal()) {
            (Some(written), Some(text)) if written == text => Some(0),
            (Some(written), Some(text)) if [(b'\'', b'\''), (b'"', b'"')].iter().any(|quotes| is_between(written, text, *quotes)) => Some(1),
            _ => None,
        };
        quotes.map_or(TextOrigin::Within(word), |quotes| TextOrigin::From(word.range().start + quotes))
    }

    /// Does `work` with one more step on the way.
    fn within<T>(&mut self, step: &str, work: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.depth >= MAX_DEPTH {
            self.stop("it is nested too deep to be read");
            return None;
        }
        self.depth += 1;
        self.via.push(super::clip(step));
        let done = work(self);
        self.via.pop();
        self.depth -= 1;
        Some(done)
    }

    /// Does `work`, unless this is what leads here in a file that was there before: it would do the same again.
    fn unless_open<T: Default>(&mut self, what: String, work: impl FnOnce(&mut Self) -> T) -> T {
        if self.stored && self.open.iter().filter(|open| **open == what).count() >= MAX_AGAIN {
            return T::default();
        }
        self.open.push(what);
        let done = work(self);
        self.open.pop();
        done
    }

    /// Counts bytes that are handled; gives up when they are too many.
    fn spend(&mut self, bytes: usize) {
        self.work = self.work.saturating_add(bytes);
        if self.work > MAX_WORK {
            self.stop("it makes more text than can be followed");
        }
    }

    /// Does `work` with text that is read as this shell does.
    fn speaking<T>(&mut self, shell: &Program, work: impl FnOnce(&mut Self) -> T) -> T {
        let before = (self.zsh, self.power, self.cmd);
        (self.zsh, self.power, self.cmd) = (shell.is(ProgramWay::Zsh), shell.is(ProgramWay::PowerShell), shell.is(ProgramWay::Cmd));
        let done = work(self);
        (self.zsh, self.power, self.cmd) = before;
        done
    }

    /// Does `work` on a guess.
    fn unsurely<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> T {
        let before = std::mem::replace(&mut self.sure, false);
        let done = work(self);
        self.sure = before;
        done
    }

    /// The most commands that are followed where this shell is.
    fn most(&self) -> usize {
        if self.stored { MAX_STORED } else { MAX_COMMANDS }
    }

    /// Whether so much was followed that loops within loops are followed once from here on, over any word.
    fn is_long(&self) -> bool {
        self.commands > self.most() / 4
    }

    /// Counts a command; false when there were too many.
    fn count(&mut self) -> bool {
        self.commands += 1;
        if self.commands > self.most() {
            self.stop("it is too long to be followed");
        }
        !self.stopped
    }

    /// Follows a command line in a shell of its own.
    fn line_within(&mut self, step: &str, line: &Word, stdin: &Stdin) -> Output {
        self.within(step, |shell| shell.separate(|shell| shell.text(line, stdin))).unwrap_or_default()
    }

    /// Follows a command that another one starts.
    fn words_within(&mut self, step: &str, words: Vec<Word>, env: Vec<(String, Word)>, stdin: &Stdin) -> Output {
        self.within(step, |shell| shell.invoke(words, env, stdin)).unwrap_or_default()
    }
}
