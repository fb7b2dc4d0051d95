//! What is known of a value of the program.

use super::{HOLE, HOME};

/// A text, as far as it is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct CodeText {
    /// With [`HOLE`] for every part that is not known.
    pub(super) text: String,
    /// Some part is not known.
    pub(super) holes: bool,
    /// Some part is known.
    pub(super) known: bool,
}

impl CodeText {
    pub(super) fn lit(text: &str) -> Self {
        Self { text: text.to_owned(), holes: false, known: true }
    }

    pub(super) fn hole() -> Self {
        Self { text: HOLE.to_owned(), holes: true, known: false }
    }

    pub(super) fn add(&mut self, other: &CodeText) {
        self.text.push_str(&other.text);
        self.holes |= other.holes;
        // An empty text in front of a hole makes nothing known.
        self.known |= other.known && !other.text.trim().is_empty();
    }

    pub(super) fn literal(&self) -> Option<String> {
        (!self.holes).then(|| self.text.clone())
    }

    /// The words between `separators`; a word with a hole is not known.
    pub(super) fn words(&self, separator: Option<&str>) -> CodeValue {
        let word = |word: &str| (!word.contains(HOLE)).then(|| word.to_owned());
        CodeValue::List(match separator {
            Some(separator) => self.text.split(separator).map(word).collect(),
            None => self.text.split_whitespace().map(word).collect(),
        })
    }

    pub(super) fn parent(&self) -> Self {
        let folder = self.text.trim_end_matches('/').rsplit_once('/').map_or(".", |(folder, _)| folder);
        Self { text: folder.to_owned(), holes: folder.contains(HOLE), known: self.known }
    }
}

/// A value, as far as it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum CodeValue {
    Text(CodeText),
    Path(CodeText),
    /// A trailing `None` may stand for several elements.
    List(Vec<Option<String>>),
    Bool(bool),
    /// Text when it is put into one; no path and no word by itself.
    Number(String),
    /// A function or module, by its full name with dots between the parts; or a name that nothing is known of.
    Named(String),
    /// A member of a value, not called yet.
    Method(Box<CodeValue>, String),
    /// An open file, by the place of the call that opened it.
    Handle(usize),
    Object(Vec<(String, CodeValue)>),
    /// Something that sends requests, with the beginning of its addresses.
    Client(CodeText),
    /// A client of a service, with the words of the command line that it stands for.
    Service(Vec<String>),
    /// A thing of such a service, or several of a kind, with their name: `bucket`, `objects`.
    Resource(Vec<String>, String),
    /// A connection to a database, a cursor, a transaction.
    Connection(Box<super::CodeConnection>),
    OneOf(Vec<CodeValue>),
    /// The outcome of a call that decodes something.
    Decoded,
    Unknown,
}

impl CodeValue {
    pub(super) fn lit(text: &str) -> Self {
        Self::Text(CodeText::lit(text))
    }

    /// The home folder.
    pub(super) fn home() -> Self {
        Self::lit(HOME)
    }

    /// A text in which `~` at the beginning is the home folder.
    pub(super) fn expanded(self) -> Self {
        let expand = |text: CodeText| match text.text.strip_prefix('~').filter(|rest| rest.is_empty() || rest.starts_with('/')) {
            Some(rest) => CodeText { text: format!("{HOME}{rest}"), ..text },
            None => text,
        };
        match self {
            Self::Text(text) => Self::Text(expand(text)),
            Self::Path(text) => Self::Path(expand(text)),
            other => other,
        }
    }

    pub(super) fn into_text(self) -> CodeText {
        match self {
            Self::Text(text) | Self::Path(text) => text,
            Self::Number(number) => CodeText::lit(&number),
            _ => CodeText::hole(),
        }
    }

    /// The text, if all of it is known.
    pub(super) fn literal(&self) -> Option<String> {
        match self {
            Self::Text(text) | Self::Path(text) => text.literal(),
            _ => None,
        }
    }

    /// The elements that a list or a single value gives to a list of arguments.
    pub(super) fn elements(self) -> Vec<Option<String>> {
        match self {
            Self::List(items) => items,
            Self::Object(_) => Vec::new(),
            other => vec![other.literal()],
        }
    }

    /// All that the value may be. Of a name that is first empty, only what it is given later.
    pub(super) fn choices(self) -> Vec<Self> {
        match self {
            Self::OneOf(values) => values.into_iter().filter(|value| *value != Self::lit("")).collect(),
            one => vec![one],
        }
    }

    /// Without what may be one or the other.
    pub(super) fn settled(self) -> Self {
        match self {
            // A function under several names is one of them; of several texts none is sure.
            Self::OneOf(values) => values.into_iter().find(|value| matches!(value, Self::Named(_))).unwrap_or(Self::Unknown),
            one => one,
        }
    }

    pub(super) fn size(&self) -> usize {
        match self {
            Self::Text(text) | Self::Path(text) | Self::Client(text) => text.text.len(),
            Self::List(items) => items.iter().map(|item| 16 + item.as_ref().map_or(0, String::len)).sum(),
            Self::Method(value, name) => value.size() + name.len(),
            Self::Named(name) => name.len(),
            Self::Object(keys) => keys.iter().map(|(key, value)| key.len() + value.size()).sum(),
            Self::OneOf(values) => values.iter().map(Self::size).sum(),
            _ => 0,
        }
    }
}

/// Joins the parts of a path as the languages do: an absolute part starts anew.
pub(super) fn join_path(parts: impl IntoIterator<Item = CodeText>) -> CodeText {
    let mut joined = CodeText::default();
    for part in parts {
        if joined.text.is_empty() || part.text.starts_with('/') {
            joined = part;
            continue;
        }
        if !joined.text.ends_with('/') {
            joined.text.push('/');
        }
        joined.add(&part);
        joined.known = true;
    }
    joined
}

/// The elements of a list in one text.
pub(super) fn joined(list: &CodeValue, separator: &str) -> CodeValue {
    let CodeValue::List(items) = list else { return CodeValue::Unknown };
    let mut text = CodeText::default();
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            text.text.push_str(separator);
        }
        text.add(&item.as_ref().map_or_else(CodeText::hole, |item| CodeText::lit(item)));
    }
    CodeValue::Text(text)
}

/// Fills `%s` and its kin, or with `braces` `{}` and its kin, in their order; a field with a name of its own is unknown.
pub(super) fn fill(format: &CodeText, values: &[CodeText], braces: bool) -> CodeText {
    let open = if braces { '{' } else { '%' };
    let mut filled = CodeText { text: String::new(), ..format.clone() };
    let mut values = values.iter();
    let mut rest = format.text.as_str();
    while let Some((before, after)) = rest.split_once(open) {
        filled.text.push_str(before);
        // A doubled mark stands for itself, and a hole that is already there keeps its braces.
        let hole = before.ends_with('$') && after.starts_with(HOLE.trim_start_matches("${"));
        if after.starts_with(open) || hole {
            filled.text.push(open);
            rest = if hole { after } else { after.get(1..).unwrap_or_default() };
            continue;
        }
        let last = |char: char| if braces { char == '}' } else { char.is_ascii_alphabetic() && !after.starts_with('(') || char == ')' };
        let Some(end) = after.find(last) else {
            filled.text.push(open);
            rest = after;
            break;
        };
        let (field, tail) = after.split_at_checked(end + 1).unwrap_or((after, ""));
        let named = field.len() > 1 && braces || field.starts_with('(');
        filled.add(&values.next().filter(|_| !named).cloned().unwrap_or_else(CodeText::hole));
        rest = if field.starts_with('(') { tail.get(1..).unwrap_or_default() } else { tail };
    }
    filled.text.push_str(rest);
    filled
}
