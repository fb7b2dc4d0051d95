//! Expressions to values: literals, their concatenation, names, lists.

use super::lex::{Part, Token};
use super::piece::{Piece, Span};
use super::value::{Text, Value, fill_percent, join_path};
use super::{Language, Scan};

/// Expressions nested deeper than this are unknown.
const MAX_LEVEL: usize = 12;
/// Expressions of more terms than this are unknown.
pub(super) const MAX_TERMS: usize = 200;
/// A text that grew longer than this by concatenation is unknown. In bytes.
const MAX_VALUE: usize = 256 << 10;

impl Scan {
    /// Takes from the budget; false where it is spent.
    pub(super) fn spend(&mut self, bytes: usize) -> bool {
        let left = self.budget.checked_sub(bytes + 8);
        self.budget = left.unwrap_or(0);
        left.is_some()
    }

    /// The text of a string without holes.
    pub(super) fn plain(parts: &[Part<'_>]) -> Option<String> {
        match parts {
            [] => Some(String::new()),
            [Part::Lit(text)] => Some(text.clone()),
            _ => None,
        }
    }

    /// The text of a string; holes that are names of known texts are filled.
    pub(super) fn text_of(&mut self, parts: &[Part<'_>]) -> Text {
        let mut text = Text { known: parts.iter().all(|part| matches!(part, Part::Lit(_))), ..Text::default() };
        for part in parts {
            match part {
                Part::Lit(lit) => text.add(&Text::lit(lit)),
                Part::Hole(code) => {
                    let name = code.trim().trim_start_matches(['{', '('].as_slice()).trim_end_matches(['}', ')'].as_slice());
                    let name = match self.language {
                        Language::Perl | Language::Php if !name.starts_with(['$', '@']) => format!("${name}"),
                        _ => name.to_owned(),
                    };
                    let value = self.named(&name);
                    let hole = match value {
                        Value::List(items) => items.into_iter().collect::<Option<Vec<_>>>().map(|items| Text::lit(&items.join(" "))),
                        other => Some(other.into_text()),
                    };
                    text.add(&hole.unwrap_or_else(Text::hole));
                }
            }
        }
        if self.spend(text.text.len()) && text.text.len() <= MAX_VALUE { text } else { Text::hole() }
    }

    /// The one value of a name; the name itself where nothing is given to it.
    pub(super) fn named(&mut self, name: &str) -> Value {
        let value = match self.names.get(name) {
            None => return Value::Named(name.to_owned()),
            Some([value]) => value.clone(),
            // A function under several names is one of them; of several texts none is sure.
            Some(values) => values.iter().find(|value| matches!(value, Value::Named(_))).cloned().unwrap_or(Value::Unknown),
        };
        if self.spend(value.size()) { value } else { Value::Unknown }
    }

    /// All values that an expression may have: those of a name, both sides of a choice.
    pub(super) fn eval_all(&mut self, piece: &Piece<'_>, span: Span) -> Vec<Value> {
        let span = piece.trim(span);
        if span.len() == 1
            && let Some(values) = piece.word(span.start).and_then(|name| self.names.get(name))
        {
            let values = values.to_vec();
            let size = values.iter().map(Value::size).sum();
            return if self.spend(size) { values } else { vec![Value::Unknown] };
        }
        let python = self.language == Language::Python;
        let mut choices = vec![span.start];
        let mut question = false;
        let mut at = span.start;
        while at < span.end && choices.len() < 16 {
            let next = piece.skip(at);
            match (piece.mark(at), piece.word(at)) {
                ("?", _) if !python => {
                    question = true;
                    choices = vec![next]; // what stands before is the condition
                }
                (":", _) if question => choices.push(next),
                ("||" | "??", _) | (_, Some("or")) => choices.push(next),
                (_, Some("if")) if python && at > span.start => {
                    // `a if c else b`: the condition is between the two.
                    let Some(other) = (at..span.end).take(MAX_TERMS).find(|place| piece.word(*place) == Some("else")) else {
                        break;
                    };
                    let first = self.eval(piece, span.start..at, 0);
                    let mut values = vec![first];
                    values.push(self.eval(piece, other + 1..span.end, 0));
                    return values;
                }
                _ => {}
            }
            at = next;
        }
        if choices.len() == 1 && !question {
            return vec![self.eval(piece, span, 0)];
        }
        let ends: Vec<usize> = choices.iter().skip(1).map(|start| start - 1).chain([span.end]).collect();
        choices.into_iter().zip(ends).map(|(start, end)| self.eval(piece, start..end, 0)).collect()
    }

    /// The value of an expression.
    pub(super) fn eval(&mut self, piece: &Piece<'_>, span: Span, level: usize) -> Value {
        let span = piece.trim(span);
        if level > MAX_LEVEL || span.is_empty() || !self.spend(span.len()) {
            return Value::Unknown;
        }
        if self.language == Language::Awk {
            return Value::Text(self.awk_text(piece, span));
        }
        let (mut value, mut at) = self.term(piece, &span, span.start, level);
        for _ in 0..MAX_TERMS {
            at = piece.skip_newlines(at);
            if at >= span.end {
                return value;
            }
            let mark = piece.mark(at);
            let joins = match self.language {
                Language::Perl | Language::Php => mark == ".",
                _ => mark == "+",
            };
            if joins {
                let (right, next) = self.term(piece, &span, at + 1, level);
                value = self.concat(value, right);
                at = next;
            } else if mark == "/" && matches!(value, Value::Path(_)) {
                let (right, next) = self.term(piece, &span, at + 1, level);
                value = Value::Path(join_path([value.into_text(), right.into_text()]));
                at = next;
            } else if mark == "%" && matches!(value, Value::Text(_)) {
                let tuple = piece.mark(at + 1) == "(";
                let values = if tuple { piece.items(at + 1) } else { piece.split(at + 1..span.end, |_| false) };
                let values: Vec<Text> = values.into_iter().map(|item| self.eval(piece, item, level + 1).into_text()).collect();
                return Value::Text(fill_percent(&value.into_text(), &values));
            } else if matches!(piece.token(at), Some(Token::Text(_))) && matches!(value, Value::Text(_)) {
                let (right, next) = self.term(piece, &span, at, level);
                value = self.concat(value, right);
                at = next;
            } else if piece.word(at) == Some("as") || mark == "!" {
                return value; // a type's assertion
            } else {
                return if value == Value::Decoded { value } else { Value::Unknown };
            }
        }
        Value::Unknown
    }

    pub(super) fn concat(&mut self, left: Value, right: Value) -> Value {
        if !self.spend(left.size() + right.size()) || left.size() + right.size() > MAX_VALUE {
            return Value::Unknown;
        }
        match (left, right) {
            (Value::Decoded, _) | (_, Value::Decoded) => Value::Decoded,
            (Value::Number(_), Value::Number(_)) => Value::Unknown,
            (Value::List(mut items), Value::List(more)) => {
                items.extend(more);
                Value::List(items)
            }
            (Value::List(mut items), _) => {
                items.push(None);
                Value::List(items)
            }
            (_, Value::List(items)) => {
                let mut all = vec![None];
                all.extend(items);
                Value::List(all)
            }
            (left, right) => {
                let mut text = left.into_text();
                let right = right.into_text();
                text.known |= right.known && !right.text.trim().is_empty();
                text.add(&right);
                Value::Text(text)
            }
        }
    }

    /// One term from `at`, and the index after it.
    fn term(&mut self, piece: &Piece<'_>, span: &Span, at: usize, level: usize) -> (Value, usize) {
        let mut at = piece.skip_newlines(at);
        while at < span.end
            && (matches!(piece.word(at), Some("await" | "new" | "my" | "our" | "local"))
                || matches!(piece.mark(at), "*" | "**" | "..." | "&" | "\\")
                || piece.word(at).is_some() && matches!(piece.mark(at + 1), "=" | ":="))
        {
            at += if matches!(piece.mark(at + 1), "=" | ":=") && piece.word(at).is_some() { 2 } else { 1 };
        }
        if at >= span.end {
            return (Value::Unknown, span.end);
        }
        self.chain(piece, at, span.end, false, level)
    }

    /// A list in brackets: `[…]`, `(…)` with commas, `array(…)`.
    pub(super) fn list(&mut self, piece: &Piece<'_>, open: usize, level: usize) -> Value {
        let mut items = Vec::new();
        for item in piece.items(open) {
            if items.len() >= MAX_TERMS {
                items.push(None);
                break;
            }
            if (item.start..item.end).take(64).any(|place| piece.word(place) == Some("for")) {
                items.push(None); // a comprehension
                continue;
            }
            // A key in front tells nothing of a list.
            let start = (item.start..item.end).take(4).find(|place| piece.mark(*place) == "=>").map_or(item.start, |place| place + 1);
            let spread = matches!(piece.mark(start), "*" | "..." | "@") || piece.word(start).is_some_and(|word| word.starts_with('@'));
            match self.eval(piece, start..item.end, level + 1) {
                Value::List(inner) if spread || self.language == Language::Perl => items.extend(inner),
                Value::List(_) => items.push(None),
                other => items.push(other.literal()),
            }
        }
        Value::List(items)
    }

    /// The value of a bracket that stands alone.
    pub(super) fn group(&mut self, piece: &Piece<'_>, open: usize, level: usize) -> Value {
        if level > MAX_LEVEL {
            return Value::Unknown;
        }
        let close = piece.close(open);
        match piece.mark(open) {
            "[" => self.list(piece, open, level),
            "{" => Value::Object(piece.base, open),
            _ => {
                let items = piece.items(open);
                let comma = piece.mark(close.saturating_sub(1)) == ",";
                match items.as_slice() {
                    [] => Value::List(Vec::new()),
                    [only] if !comma => {
                        let value = self.eval(piece, only.clone(), level + 1);
                        match value {
                            Value::Text(_) if self.language == Language::Perl && !matches!(piece.mark(close + 1), "." | "->") => value,
                            value => value,
                        }
                    }
                    // In JavaScript the last one is the value.
                    [.., last] if self.language == Language::JavaScript => self.eval(piece, last.clone(), level + 1),
                    _ => self.list(piece, open, level),
                }
            }
        }
    }
}
