//! What is known of a value of the program.

use super::HOLE;
use super::piece::Span;

/// A text, as far as it is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Text {
    /// With [`HOLE`] for every part that is not known.
    pub(super) text: String,
    /// Some part is not known.
    pub(super) holes: bool,
    /// Some part is known.
    pub(super) known: bool,
}

impl Text {
    pub(super) fn lit(text: &str) -> Self {
        Self { text: text.to_owned(), holes: false, known: true }
    }

    pub(super) fn hole() -> Self {
        Self { text: HOLE.to_owned(), holes: true, known: false }
    }

    pub(super) fn add(&mut self, other: &Text) {
        self.text.push_str(&other.text);
        self.holes |= other.holes;
        // An empty text in front of a hole tells nothing.
        self.known |= other.known && !other.text.trim().is_empty();
    }

    pub(super) fn literal(&self) -> Option<String> {
        (!self.holes).then(|| self.text.clone())
    }

    /// The words between blanks; a word with a hole is not known.
    pub(super) fn words(&self) -> Vec<Option<String>> {
        self.text.split_whitespace().map(|word| (!word.contains(HOLE)).then(|| word.to_owned())).collect()
    }
}

/// A value, as far as it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Text(Text),
    /// A path object.
    Path(Text),
    /// A trailing `None` may stand for several elements.
    List(Vec<Option<String>>),
    Bool(bool),
    /// Text when it is put into one; no path and no word by itself.
    Number(String),
    /// A function or module, by its full name with dots between the parts; or a name that nothing is known of.
    Named(String),
    /// A member of a value, not called yet.
    Method(Box<Value>, String),
    /// An open file, by the place of the call that opened it.
    Handle(usize),
    /// A `{…}` of this piece: the base of the piece and the place of the bracket.
    Object(usize, usize),
    /// The outcome of a call that decodes something.
    Decoded,
    Unknown,
}

impl Value {
    pub(super) fn lit(text: &str) -> Self {
        Self::Text(Text::lit(text))
    }

    pub(super) fn into_text(self) -> Text {
        match self {
            Self::Text(text) | Self::Path(text) => text,
            Self::Number(number) => Text::lit(&number),
            _ => Text::hole(),
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
            other => vec![other.literal()],
        }
    }

    pub(super) fn size(&self) -> usize {
        match self {
            Self::Text(text) | Self::Path(text) => text.text.len(),
            Self::List(items) => items.iter().map(|item| 16 + item.as_ref().map_or(0, String::len)).sum(),
            Self::Method(value, name) => value.size() + name.len(),
            Self::Named(name) => name.len(),
            _ => 0,
        }
    }
}

/// A call's argument.
pub(super) struct Arg<'a> {
    /// `name=…`, `name: …`
    pub(super) name: Option<&'a str>,
    pub(super) span: Span,
    /// It stands for several arguments.
    pub(super) splat: bool,
}

/// Joins the parts of a path as the languages do: an absolute part starts anew.
pub(super) fn join_path(parts: impl IntoIterator<Item = Text>) -> Text {
    let mut joined = Text::default();
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

/// Fills `%s` and its kin.
pub(super) fn fill_percent(format: &Text, values: &[Text]) -> Text {
    let mut filled = Text { text: String::new(), ..format.clone() };
    let mut values = values.iter();
    let mut rest = format.text.as_str();
    while let Some((before, after)) = rest.split_once('%') {
        filled.text.push_str(before);
        if let Some(after) = after.strip_prefix('%') {
            filled.text.push('%');
            rest = after;
            continue;
        }
        let after = match after.strip_prefix('(').and_then(|named| named.split_once(')')) {
            Some((_, after)) => after,
            None => after,
        };
        let after = after.trim_start_matches(|char: char| char.is_ascii_digit() || matches!(char, '-' | '.' | '+'));
        match after.chars().next() {
            Some(kind) if kind.is_ascii_alphabetic() => {
                filled.add(&values.next().cloned().unwrap_or_else(Text::hole));
                rest = after.get(1..).unwrap_or_default();
            }
            _ => {
                filled.text.push('%');
                rest = after;
            }
        }
    }
    filled.text.push_str(rest);
    filled
}

/// Fills `{}` and its kin.
pub(super) fn fill_braces(format: &Text, values: &[Text]) -> Text {
    let mut filled = Text { text: String::new(), ..format.clone() };
    let mut next = values.iter();
    let mut rest = format.text.as_str();
    while let Some((before, after)) = rest.split_once('{') {
        filled.text.push_str(before);
        // A hole that is already there keeps its braces.
        if before.ends_with('$') && after.starts_with(HOLE.trim_start_matches("${")) {
            filled.text.push('{');
            rest = after;
            continue;
        }
        if let Some(after) = after.strip_prefix('{') {
            filled.text.push('{');
            rest = after;
            continue;
        }
        let Some((field, after)) = after.split_once('}') else {
            rest = after;
            break;
        };
        let value = match field.parse::<usize>() {
            Ok(index) => values.get(index),
            Err(_) if field.is_empty() => next.next(),
            Err(_) => None,
        };
        filled.add(&value.cloned().unwrap_or_else(Text::hole));
        rest = after;
    }
    filled.text.push_str(rest);
    filled
}
