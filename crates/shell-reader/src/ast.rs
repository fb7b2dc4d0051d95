//! The shape of a command line, as the shell would read it. Nothing is expanded here.

use std::{cell::OnceCell, ops::Range, rc::Rc};

/// A stretch of the text that was given to the reader, in bytes. Both ends lie on character boundaries.
///
/// Texts within the text (`$(…)`, backquotes, here-documents) have their places in the whole text. Where their characters are
/// not there one to one (backquotes with backslashes in them, here-documents whose tabs are dropped), everything in
/// them has the span of the whole construct. What the reader adds has an empty span.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Span {
    /// The first byte.
    pub start: u32,
    /// The byte behind the last one.
    pub end: u32,
}

impl Span {
    /// As a span. What lies beyond 4 GiB is cut off: such a text is not read.
    #[must_use]
    pub fn of(range: Range<usize>) -> Self {
        let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Self { start: place(range.start), end: place(range.end.max(range.start)) }
    }

    /// As an index of the text.
    #[must_use]
    pub fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// From the start of this one to the end of `last`.
    #[must_use]
    pub fn to(self, last: Self) -> Self {
        Self { start: self.start, end: last.end.max(self.start) }
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.start >= self.end
    }
}

/// A list of commands, in the order in which they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Script {
    /// The commands with what is before each.
    pub items: Vec<Item>,
}

/// A command of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// How it is joined to the one before it.
    pub join: Join,
    /// The command.
    pub command: Command,
    /// Ended by `&`.
    pub background: bool,
    /// `!` turns its outcome round.
    pub negated: bool,
}

/// What is between a command and the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Join {
    /// The start of the list, `;`, `&` or a line end.
    Then,
    /// `&&`
    And,
    /// `||`
    Or,
}

/// A command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Assignments, words and redirections.
    Simple(Simple),
    /// Two or more commands joined by `|` or `|&`. (`!` and `time` in front of a pipeline are dropped.)
    Pipeline(Vec<Command>),
    /// A command made of others, and its redirections.
    Compound { body: Compound, redirects: Vec<Redirect>, span: Span },
    /// `name() …` or `function name …`
    Function { name: String, body: Box<Command>, span: Span },
    /// `coproc [NAME] command`
    Coproc { name: Option<String>, body: Box<Command>, span: Span },
}

impl Command {
    /// Where it is, its redirections included, but for the bodies of here-documents.
    #[must_use]
    pub fn span(&self) -> Span {
        match self {
            Self::Simple(simple) => simple.span,
            Self::Pipeline(commands) => match commands.as_slice() {
                [first, .., last] => first.span().to(last.span()),
                [only] => only.span(),
                [] => Span::default(),
            },
            Self::Compound { span, .. } | Self::Function { span, .. } | Self::Coproc { span, .. } => *span,
        }
    }
}

/// A command made of others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Compound {
    /// `( … )`
    Subshell(Script),
    /// `{ …; }`
    Group(Script),
    /// `if` and each `elif` with its condition and its body; `else`.
    If { branches: Vec<(Script, Script)>, otherwise: Option<Script> },
    /// `while` and `until`.
    While { condition: Script, body: Script },
    /// `for name in words`. Without `in`, `words` is `None`, which means the positional parameters.
    For { name: String, words: Option<Vec<RawWord>>, body: Script },
    /// `select name in words`: a person chooses one of the words, or none of them, as often as they like.
    Select { name: String, words: Option<Vec<RawWord>>, body: Script },
    /// `for ((a; b; c))`
    ArithmeticFor { expressions: RawWord, body: Script },
    /// `case word in pattern) … ;; esac`
    Case { word: RawWord, arms: Vec<Arm> },
    /// `[[ … ]]`: its words, operators among them.
    Test(Vec<RawWord>),
    /// `(( … ))`
    Arithmetic(RawWord),
}

/// An arm of `case`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arm {
    /// The patterns, without `|`.
    pub patterns: Vec<RawWord>,
    /// What runs.
    pub body: Script,
    /// `;&` or `;;&`: the next arm can run too.
    pub goes_on: bool,
}

/// A simple command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Simple {
    /// Assignments in front.
    pub assigns: Vec<Assign>,
    /// The command word and its arguments. Assignment-like words after a declaring builtin (`export A=$x`,
    /// `declare -a l=(1 2)`, `local`, `readonly`, `typeset`) are in `assigns_after` as well.
    pub words: Vec<RawWord>,
    /// For declaring builtins: the assignments among the arguments.
    pub assigns_after: Vec<Assign>,
    /// Redirections, wherever they are.
    pub redirects: Vec<Redirect>,
    /// From its first word, assignment or redirection to its last.
    pub span: Span,
}

impl Simple {
    /// Whether nothing is there.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.assigns.is_empty() && self.words.is_empty() && self.redirects.is_empty()
    }
}

/// `name=value`, `name+=value`, `name[i]=value`, `name=(…)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assign {
    /// The variable.
    pub name: String,
    /// `[i]`
    pub subscript: Option<RawWord>,
    /// `+=`
    pub append: bool,
    /// What is assigned.
    pub value: Value,
    /// From the name to the end of the value.
    pub span: Span,
}

/// The right side of an assignment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// One word, not split and not globbed.
    Scalar(RawWord),
    /// `( … )`: subscripts, where given, and words.
    Array(Vec<(Option<RawWord>, RawWord)>),
}

/// A word before expansion. Quotes are gone, what they did is kept in the parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RawWord {
    /// Side by side in the text. `""` gives one empty [`Part::Quoted`], so that an empty word differs from none.
    pub parts: Vec<Part>,
    /// Where it is, its quotes included.
    pub span: Span,
}

impl RawWord {
    /// A word without quotes and expansions.
    #[must_use]
    pub fn text(text: &str, span: Span) -> Self {
        Self { parts: vec![Part::Text(text.to_owned())], span }
    }

    /// A word of which nothing is known: a parameter without a name.
    #[must_use]
    pub fn unknown(span: Span) -> Self {
        Self { parts: vec![Part::Parameter(Box::new(Parameter::plain(String::new(), true, span)))], span }
    }

    /// Whether it is exactly this text, without quotes and expansions.
    #[must_use]
    pub fn is_text(&self, wanted: &str) -> bool {
        matches!(self.parts.as_slice(), [Part::Text(text)] if text == wanted)
    }

    /// About as many bytes as are in it, without what is in its expansions.
    #[must_use]
    pub fn size(&self) -> usize {
        let texts = self.parts.iter().map(|part| if let Part::Text(text) | Part::Quoted(text) = part { text.len() } else { 0 });
        texts.map(|bytes| bytes + size_of::<Part>()).sum()
    }
}

/// A stretch of a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Unquoted text. Tildes, braces and globs in it are still to be expanded.
    Text(String),
    /// Text that was quoted in any way (`'…'`, `"…"`, `$'…'` decoded, `\x`). It is not expanded.
    Quoted(String),
    /// `$name`, `${…}`
    Parameter(Box<Parameter>),
    /// `$(…)`, backquotes, `${ …; }`
    Command { script: Box<Script>, quoted: bool, span: Span },
    /// `$((…))`, `$[…]`: the expression as a word, for the substitutions in it. Its span is without the brackets.
    Arithmetic(Box<RawWord>),
    /// `<(…)`, `>(…)` (`write`), zsh's `=(…)`
    Process { script: Box<Script>, write: bool, span: Span },
}

/// `${…}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// A variable's name, digits, or one of `@ * # ? - $ ! _`.
    pub name: String,
    /// `[…]`
    pub subscript: Option<RawWord>,
    /// `${!name}`
    pub indirect: bool,
    /// `${#name}`
    pub length: bool,
    /// What is done with the value.
    pub op: Op,
    /// Within double quotes: the result is not split and not globbed.
    pub quoted: bool,
    /// From the `$` on.
    pub span: Span,
}

impl Parameter {
    /// `$name`
    #[must_use]
    pub fn plain(name: String, quoted: bool, span: Span) -> Self {
        Self { name, subscript: None, indirect: false, length: false, op: Op::None, quoted, span }
    }
}

/// An operator of a parameter expansion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// The value as it is.
    None,
    /// `:-` and `:=` (`assign`); without the colon (`-`, `=`) `colon` is false.
    Default { assign: bool, colon: bool, word: RawWord },
    /// `:+`, `+`
    Alternative { colon: bool, word: RawWord },
    /// `:?`, `?`
    Error { colon: bool, word: RawWord },
    /// `#`, `%` (`suffix`); `##`, `%%` (`longest`)
    Trim { suffix: bool, longest: bool, pattern: RawWord },
    /// `/`, `//` (`all`), `/#` and `/%` (`anchor` is `#` or `%`)
    Replace { all: bool, anchor: Option<char>, pattern: RawWord, with: RawWord },
    /// `:offset`, `:offset:length`
    Substring { offset: RawWord, length: Option<RawWord> },
    /// `^`, `^^`, `,`, `,,`
    Case { upper: bool, all: bool, pattern: RawWord },
    /// `@Q`, `@P`, …: the letter.
    Transform(char),
    /// Anything else: kept for the substitutions in it.
    Other(RawWord),
}

/// A redirection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirect {
    /// `2` of `2>`, `fd` of `{fd}>`.
    pub fd: Option<String>,
    /// What is redirected where.
    pub to: Target,
    /// From the descriptor to the target. The body of a here-document has its own.
    pub span: Span,
}

/// The right side of a redirection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// `< word`
    Read(RawWord),
    /// `> word`, `>| word`, `&> word`
    Write(RawWord),
    /// `>> word`, `&>> word`
    Append(RawWord),
    /// `<> word`
    ReadWrite(RawWord),
    /// `>&word`, `<&word`: a descriptor, `-`, or for `>&` possibly a file.
    Duplicate { word: RawWord, output: bool },
    /// `<<`, `<<-`: with a quoted delimiter the body is one [`Part::Quoted`], else it is expanded as in double quotes.
    /// The body is read later than the redirection, at the next line end; one that never begins is empty.
    HereDocument(Rc<OnceCell<RawWord>>),
    /// `<<<`
    HereString(RawWord),
}

/// A place that was not read as the shell reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What, in lower case, without a full stop: `unterminated quote`, `nested too deep`.
    pub what: &'static str,
    /// Where: byte offset in the text given to the reader.
    pub at: usize,
    /// The shell itself would refuse the text from here on. False for limits of ours: there, what is hidden may run.
    pub refused_by_shell: bool,
}

/// The result of reading a text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// All commands that could be read; those in front of a fault are there.
    pub script: Script,
    /// What was not read.
    pub faults: Vec<Fault>,
}
