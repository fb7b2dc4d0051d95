//! How a value that is added to a settings text is laid out: with the file's own indentation, line ends and spaces.

use serde_json::{Map, Value};

/// A value to be added. Keys keep their order, which [`Value`] would not.
pub(super) enum Piece {
    Text(String),
    Number(u32),
    List(Vec<Self>),
    Table(Vec<(&'static str, Self)>),
}

impl Piece {
    pub(super) fn text(text: &str) -> Self {
        Self::Text(text.to_owned())
    }

    /// The same as a JSON value, to compare with what is there.
    pub(super) fn to_value(&self) -> Value {
        match self {
            Self::Text(text) => Value::String(text.clone()),
            Self::Number(number) => Value::from(*number),
            Self::List(items) => Value::Array(items.iter().map(Self::to_value).collect()),
            Self::Table(members) => Value::Object(members.iter().map(|(key, piece)| ((*key).to_owned(), piece.to_value())).collect::<Map<_, _>>()),
        }
    }

    fn is_plain(&self) -> bool {
        matches!(self, Self::Text(_) | Self::Number(_))
    }
}

/// The layout of one file.
pub(super) struct Layout {
    /// The end of a line.
    pub eol: &'static str,
    /// One step of indentation.
    pub unit: String,
    /// Whether the file does without spaces after `:` and `,`.
    pub dense: bool,
}

impl Layout {
    /// The layout of the files that we make.
    pub(super) fn ours() -> Self {
        Self { eol: "\n", unit: "  ".to_owned(), dense: false }
    }

    /// What stands between two children of a container on one line.
    pub(super) fn comma(&self) -> &'static str {
        if self.dense { "," } else { ", " }
    }

    /// A member of an object, or the bare value where there is no key. For `indent` see [`Layout::value`].
    pub(super) fn child(&self, key: Option<&str>, piece: &Piece, indent: Option<&str>) -> String {
        let value = self.value(piece, indent);
        match key {
            None => value,
            Some(key) => format!("{}{}{value}", Value::from(key), if self.dense { ":" } else { ": " }),
        }
    }

    /// A value. `indent` is the indentation of the line on which it begins; without it all goes on that line.
    pub(super) fn value(&self, piece: &Piece, indent: Option<&str>) -> String {
        match piece {
            Piece::Text(text) => Value::from(text.as_str()).to_string(),
            Piece::Number(number) => number.to_string(),
            Piece::List(items) => {
                let indent = indent.filter(|_| !items.iter().all(Piece::is_plain));
                self.container(['[', ']'], items.iter().map(|item| (None, item)), indent)
            }
            Piece::Table(members) => self.container(['{', '}'], members.iter().map(|(key, piece)| (Some(*key), piece)), indent),
        }
    }

    fn container<'p>(&self, [open, close]: [char; 2], children: impl Iterator<Item = (Option<&'p str>, &'p Piece)>, indent: Option<&str>) -> String {
        let Some(indent) = indent else {
            let children: Vec<String> = children.map(|(key, piece)| self.child(key, piece, None)).collect();
            return format!("{open}{}{close}", children.join(self.comma()));
        };
        let inner = format!("{indent}{}", self.unit);
        let children: Vec<String> = children.map(|(key, piece)| self.child(key, piece, Some(&inner))).collect();
        let eol = self.eol;
        format!("{open}{eol}{inner}{}{eol}{indent}{close}", children.join(&format!(",{eol}{inner}")))
    }
}
