//! How a value that is added to a settings text is laid out: with the file's own indentation, line ends and spaces.

use serde_json::Value;

pub(super) struct JsonLayout {
    pub eol: &'static str,
    pub unit: String,
    /// Whether the file does without spaces after `:` and `,`.
    pub dense: bool,
}

impl JsonLayout {
    /// The layout of the files that we make.
    pub(super) fn ours() -> Self {
        Self { eol: "\n", unit: "  ".to_owned(), dense: false }
    }

    /// What is between two children of a container on one line.
    pub(super) fn comma(&self) -> &'static str {
        if self.dense { "," } else { ", " }
    }

    /// A member of an object, or the bare value where there is no key. For `indent` see [`JsonLayout::value`].
    pub(super) fn child(&self, key: Option<&str>, piece: &Value, indent: Option<&str>) -> String {
        let value = self.value(piece, indent);
        match key {
            None => value,
            Some(key) => format!("{}{}{value}", Value::from(key), if self.dense { ":" } else { ": " }),
        }
    }

    /// A value. `indent` is the indentation of the line on which it begins; without it all continues that line.
    pub(super) fn value(&self, piece: &Value, indent: Option<&str>) -> String {
        match piece {
            Value::Array(items) => {
                let plain = items.iter().all(|item| !item.is_array() && !item.is_object());
                self.container(['[', ']'], items.iter().map(|item| (None, item)), indent.filter(|_| !plain))
            }
            Value::Object(members) => self.container(['{', '}'], members.iter().map(|(key, piece)| (Some(key.as_str()), piece)), indent),
            plain => plain.to_string(),
        }
    }

    fn container<'p>(&self, [open, close]: [char; 2], children: impl Iterator<Item = (Option<&'p str>, &'p Value)>, indent: Option<&str>) -> String {
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
