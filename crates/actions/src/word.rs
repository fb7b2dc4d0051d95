//! A word of a command line as far as it can be known before it runs.
//! Knows nothing of commands, paths or rules.

use shell_reader::ast::Span;

/// What is known of a part of a word whose text is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// Any text, the empty one too.
    Anything,
    /// A name made by a known producer (`git branch --show-current`, `mktemp`, `wc -l`): not empty, one word, and
    /// it starts with none of `-`, `+`, `:`, `/`, `~`.
    Name,
    /// As `Name`, and the paths of files: one after another where it is of several.
    File,
    /// `true` or `false`, as a variable that was set in a branch.
    Truth,
    /// As `Anything`: what a tool prints to set up a shell (`direnv hook bash`).
    Setup,
}

impl Bound {
    /// Whether it may be any text.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Anything | Self::Setup)
    }

    /// Whether it is a name made by a known producer.
    pub const fn is_name(self) -> bool {
        matches!(self, Self::Name | Self::File)
    }
}

/// A stretch of a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WordPiece {
    /// Text that the program will see as it is written here.
    Lit(String),
    /// An unquoted glob (`*`, `?`, `[a-z]`, `**`), as written: it becomes names of files that exist, or stays.
    Glob(String),
    /// Text that is only known when the command runs.
    Any(Bound),
}

/// One word, after quotes and expansions.
#[derive(Clone, Debug, Default)]
pub struct Word {
    /// Never two `Lit` side by side, never an empty `Lit`; no piece at all is the empty word.
    pub pieces: Vec<WordPiece>,
    /// Can become no word, or several (`$X` without quotes, `"$@"`).
    pub multi: bool,
    /// Its place in the text of the tool call. For a word of a text within that text (`bash -c`, an alias, a script): the place
    /// of the word that led there. `None`: it has no place in that text. Places do not count when words are compared.
    pub span: Option<Span>,
}

impl PartialEq for Word {
    fn eq(&self, other: &Self) -> bool {
        self.multi == other.multi && self.pieces == other.pieces
    }
}

impl Eq for Word {}

impl Word {
    /// A word that is wholly known.
    pub fn lit(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { pieces: if text.is_empty() { Vec::new() } else { vec![WordPiece::Lit(text)] }, ..Self::default() }
    }

    /// A word of which nothing is known.
    pub fn unknown() -> Self {
        Self { pieces: vec![WordPiece::Any(Bound::Anything)], ..Self::default() }
    }

    /// An unknown word that can also be no word, or several.
    pub fn several() -> Self {
        Self { multi: true, ..Self::unknown() }
    }

    /// A name or a number that is not known.
    pub fn name() -> Self {
        Self { pieces: vec![WordPiece::Any(Bound::Name)], ..Self::default() }
    }

    /// The text, if all of it is known.
    pub fn literal(&self) -> Option<&str> {
        match self.pieces.as_slice() {
            [] if !self.multi => Some(""),
            [WordPiece::Lit(text)] => Some(text),
            _ => None,
        }
    }

    /// About how many bytes it takes.
    pub fn size(&self) -> usize {
        let texts = self.pieces.iter().map(|piece| match piece {
            WordPiece::Lit(text) | WordPiece::Glob(text) => text.len(),
            WordPiece::Any(_) => 0,
        });
        texts.map(|bytes| bytes + size_of::<WordPiece>()).sum()
    }

    /// Whether `self` is literally `text`.
    pub fn is(&self, text: &str) -> bool {
        self.literal() == Some(text)
    }

    /// The known text at the start, possibly empty.
    pub fn prefix(&self) -> &str {
        match self.pieces.first() {
            Some(WordPiece::Lit(text)) => text,
            _ => "",
        }
    }

    /// Whether any part is unknown (a glob counts as known: its shape is).
    pub fn has_hole(&self) -> bool {
        self.pieces.iter().any(|piece| matches!(piece, WordPiece::Any(_)))
    }

    /// Whether the word could start with `-`, and so be an option.
    pub fn may_be_option(&self) -> bool {
        match self.pieces.first() {
            None => self.multi,
            Some(WordPiece::Lit(text)) => text.starts_with('-'),
            Some(WordPiece::Any(bound)) => bound.is_open(),
            Some(WordPiece::Glob(_)) => false,
        }
    }

    /// Whether the word may become several, or one that is an option.
    pub fn may_be_several(&self) -> bool {
        self.multi && self.may_be_option()
    }

    /// The parts between each `mark` in the known text.
    pub fn split(&self, mark: char) -> Vec<Self> {
        let empty = || Self { span: self.span, ..Self::default() };
        let mut parts = vec![empty()];
        for piece in &self.pieces {
            let WordPiece::Lit(text) = piece else {
                parts.last_mut().into_iter().for_each(|last| last.push(piece.clone()));
                continue;
            };
            for (at, stretch) in text.split(mark).enumerate() {
                if at > 0 {
                    parts.push(empty());
                }
                parts.last_mut().into_iter().for_each(|last| last.push_lit(stretch));
            }
        }
        parts
    }

    /// Adds known text at the end.
    pub fn push_lit(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        if let Some(WordPiece::Lit(last)) = self.pieces.last_mut() {
            last.push_str(text);
        } else {
            self.pieces.push(WordPiece::Lit(text.to_owned()));
        }
    }

    /// Adds a piece at the end, keeping the invariant of `pieces`.
    pub fn push(&mut self, piece: WordPiece) {
        match piece {
            WordPiece::Lit(text) => self.push_lit(&text),
            WordPiece::Any(Bound::Anything) if matches!(self.pieces.last(), Some(WordPiece::Any(Bound::Anything))) => {}
            other => self.pieces.push(other),
        }
    }

    /// Adds all of `other` at the end.
    pub fn extend(&mut self, other: &Self) {
        for piece in &other.pieces {
            self.push(piece.clone());
        }
        self.multi |= other.multi;
    }

    /// `self` without the first `bytes` bytes of its known prefix.
    ///
    /// `bytes` must lie on a character boundary inside [`Word::prefix`]; otherwise the word is given back whole.
    pub fn without_prefix(&self, bytes: usize) -> Self {
        let Some(rest) = self.prefix().get(bytes..) else { return self.clone() };
        let mut word = Self { pieces: Vec::new(), multi: self.multi, span: self.span };
        word.push_lit(rest);
        let skip = usize::from(!self.prefix().is_empty());
        for piece in self.pieces.iter().skip(skip) {
            word.push(piece.clone());
        }
        word
    }
}

/// Holes are shown as `…`.
impl std::fmt::Display for Word {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for piece in &self.pieces {
            match piece {
                WordPiece::Lit(text) | WordPiece::Glob(text) => f.write_str(text)?,
                WordPiece::Any(_) => f.write_str("…")?,
            }
        }
        Ok(())
    }
}

/// Whether `name` is one of the `names`, which are between blanks.
pub(crate) fn is_one(names: &str, name: &str) -> bool {
    let (names, name) = (names.as_bytes(), name.as_bytes());
    let mut rest = names;
    while rest.len() >= name.len() {
        let (front, behind) = rest.split_at(name.len());
        // Nearly all names begin otherwise.
        if front.first() == name.first() && front == name && behind.first().is_none_or(|byte| *byte == b' ') {
            return !name.contains(&b' ');
        }
        let Some(blank) = rest.iter().position(|byte| *byte == b' ') else { break };
        rest = rest.get(blank + 1..).unwrap_or(&[]);
    }
    false
}
