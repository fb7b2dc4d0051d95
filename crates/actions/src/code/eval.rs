//! Expressions to values: literals, their concatenation, names, lists, chains of members and calls.

use super::effects::Arg;
use super::functions;
use super::lex::{Form, Part, Token};
use super::piece::{Piece, Span};
use super::value::{Text, Value, fill, join_path};
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

    /// The text of a string; holes that are names of known texts are filled.
    pub(super) fn text_of(&mut self, parts: &[Part<'_>]) -> Text {
        let mut text = Text { known: parts.iter().all(|part| matches!(part, Part::Lit(_))), ..Text::default() };
        for part in parts {
            match part {
                Part::Lit(lit) => text.add(&Text::lit(lit)),
                Part::Hole(code) => {
                    let name = code.trim_matches(|char: char| char.is_whitespace() || "{}()".contains(char));
                    let sigil = matches!(self.language, Language::Perl | Language::Php) && !name.starts_with(['$', '@']);
                    let value = if sigil { self.named(&format!("${name}")) } else { self.named(name) };
                    let value = if matches!(value, Value::List(_)) { super::value::joined(&value, " ") } else { value };
                    text.add(&value.into_text());
                }
            }
        }
        if self.spend(text.text.len()) && text.text.len() <= MAX_VALUE { text } else { Text::hole() }
    }

    /// The value of a name; the name itself where nothing is given to it.
    pub(super) fn named(&mut self, name: &str) -> Value {
        let value = match self.names.get(name) {
            None => return Value::Named(name.to_owned()),
            Some([value]) => value.clone(),
            Some(values) => Value::OneOf(values.to_vec()),
        };
        if self.spend(value.size()) { value } else { Value::Unknown }
    }

    /// The value of an expression, which may be a choice between several.
    pub(super) fn eval(&mut self, piece: &Piece<'_>, span: Span, level: usize) -> Value {
        /// More choices than this are not distinguished.
        const MAX_CHOICES: usize = 16;
        let span = piece.trim(span);
        let python = self.language == Language::Python;
        let mut choices = Vec::from([span.clone()]);
        let mut at = span.start;
        while at < span.end && choices.len() < MAX_CHOICES && at - span.start < MAX_TERMS {
            let next = piece.skip(at);
            match (piece.mark(at), piece.word(at)) {
                ("?", _) if !python => choices.clear(), // what is before is the condition
                ("||" | "??", _) | (_, Some("or")) => {}
                (":", _) if choices.first().is_some_and(|choice| choice.start > span.start) => {}
                (_, Some("if")) if python => {}
                (_, Some("else")) if python && choices.len() > 1 => {
                    choices.pop(); // the condition is between the two
                    choices.push(next..span.end);
                    at = next;
                    continue;
                }
                _ => {
                    at = next;
                    continue;
                }
            }
            if let Some(last) = choices.last_mut() {
                last.end = at;
            }
            choices.push(next..span.end);
            at = next;
        }
        let mut values: Vec<Value> = Vec::new();
        for choice in choices {
            values.extend(self.sum(piece, choice, level).choices());
        }
        if values.len() == 1 { values.pop().unwrap_or(Value::Unknown) } else { Value::OneOf(values) }
    }

    /// The value of terms with operators between them.
    fn sum(&mut self, piece: &Piece<'_>, span: Span, level: usize) -> Value {
        let span = piece.trim(span);
        if level > MAX_LEVEL || span.is_empty() || !self.spend(span.len().min(MAX_TERMS)) {
            return Value::Unknown;
        }
        let (mut value, mut at) = self.term(piece, &span, span.start, level);
        for _ in 0..MAX_TERMS {
            at = piece.skip_newlines(at);
            if at >= span.end {
                return value;
            }
            let joins = if self.dot_joins() { "." } else { "+" };
            let from = match (piece.mark(at), &value) {
                (mark, _) if mark == joins => at + 1,
                ("/", Value::Path(_)) | ("|", Value::Named(_)) => at + 1,
                ("", Value::Text(_)) if matches!(piece.token(at), Some(Token::Text(Form::Plain, _))) => at,
                ("%", Value::Text(format)) => {
                    let rest = at + 1..span.end;
                    let items = if piece.mark(at + 1) == "(" { piece.items(at + 1) } else { Vec::from([rest]) };
                    let values: Vec<Text> = items.into_iter().map(|item| self.eval(piece, item, level + 1).settled().into_text()).collect();
                    return Value::Text(fill(format, &values, false));
                }
                _ if piece.word(at) == Some("as") || piece.mark(at) == "!" => return value, // a type's assertion
                (_, Value::Decoded) => return value,
                _ => return Value::Unknown,
            };
            let (right, next) = self.term(piece, &span, from, level);
            value = self.concat(value, right);
            at = next;
        }
        Value::Unknown
    }

    fn dot_joins(&self) -> bool {
        matches!(self.language, Language::Perl | Language::Php)
    }

    pub(super) fn concat(&mut self, left: Value, right: Value) -> Value {
        if !self.spend(left.size() + right.size()) || left.size() + right.size() > MAX_VALUE {
            return Value::Unknown;
        }
        match (left.settled(), right.settled()) {
            (Value::Decoded, _) | (_, Value::Decoded) => Value::Decoded,
            (Value::Number(_), Value::Number(_)) => Value::Unknown,
            (Value::Named(left), Value::Named(right)) => Value::Named(format!("{left}|{right}")), // flags
            (Value::Path(left), right) => Value::Path(join_path([left, right.into_text()])),
            (Value::List(left), right) => Value::List(left.into_iter().chain(if let Value::List(right) = right { right } else { vec![None] }).collect()),
            (left, Value::List(right)) => Value::List(left.elements().into_iter().map(|_| None).chain(right).collect()),
            (left, right) => {
                let mut text = left.into_text();
                text.add(&right.into_text());
                Value::Text(text)
            }
        }
    }

    /// One term from `at`, and the index after it.
    fn term(&mut self, piece: &Piece<'_>, span: &Span, at: usize, level: usize) -> (Value, usize) {
        let mut at = piece.skip_newlines(at);
        while at < span.end {
            let named = piece.word(at).is_some() && matches!(piece.mark(at + 1), "=" | ":=");
            let prefix = matches!(piece.word(at), Some("await" | "new" | "my" | "our" | "local")) || matches!(piece.mark(at), "*" | "**" | "..." | "&" | "\\");
            match (named, prefix) {
                (true, _) => at += 2,
                (_, true) => at += 1,
                _ => return self.chain(piece, at, span.end, false, level),
            }
        }
        (Value::Unknown, span.end)
    }

    fn list(&mut self, piece: &Piece<'_>, items: Vec<Span>, level: usize) -> Value {
        let mut list = Vec::new();
        for item in items {
            // A comprehension may be any number of elements.
            if list.len() >= MAX_TERMS || item.clone().take(64).any(|place| piece.word(place) == Some("for")) {
                list.push(None);
                break;
            }
            // A key in front tells nothing of a list.
            let start = item.clone().take(4).find(|place| piece.mark(*place) == "=>").map_or(item.start, |place| place + 1);
            let spread = matches!(piece.mark(start), "*" | "..." | "@") || self.language == Language::Perl;
            match self.eval(piece, start..item.end, level + 1).settled() {
                Value::List(inner) if spread => list.extend(inner),
                Value::List(_) => list.push(None),
                other => list.push(other.literal()),
            }
        }
        Value::List(list)
    }

    fn object(&mut self, piece: &Piece<'_>, open: usize, level: usize) -> Value {
        /// Keys further behind are not looked at.
        const MAX_KEYS: usize = 64;
        let mut keys = Vec::new();
        for item in piece.items(open).into_iter().take(MAX_KEYS) {
            let key = match piece.token(item.start) {
                Some(Token::Word(word)) => (*word).to_owned(),
                Some(Token::Text(_, parts)) => self.text_of(parts).text,
                _ => continue,
            };
            let start = if item.len() == 1 { item.start } else { item.start + 2 };
            if item.len() == 1 || matches!(piece.mark(item.start + 1), ":" | "=>") {
                keys.push((key, self.eval(piece, start..item.end, level + 1)));
            }
        }
        Value::Object(keys)
    }

    /// The value of a bracket that is alone.
    fn group(&mut self, piece: &Piece<'_>, open: usize, level: usize) -> Value {
        if level > MAX_LEVEL {
            return Value::Unknown;
        }
        if piece.mark(open) == "{" {
            return self.object(piece, open, level);
        }
        let items = piece.items(open);
        let round = piece.mark(open) == "(" && piece.mark(piece.close(open).saturating_sub(1)) != ",";
        match items.as_slice() {
            [only] if round => self.eval(piece, only.clone(), level + 1),
            // In JavaScript the last one is the value.
            [.., last] if round && self.language == Language::JavaScript => self.eval(piece, last.clone(), level + 1),
            _ => self.list(piece, items, level),
        }
    }

    /// Follows the chain that begins at `at`, no further than `end`; gives its value and the index after it. Findings are
    /// kept only with `emit`.
    pub(super) fn chain(&mut self, piece: &Piece<'_>, at: usize, end: usize, emit: bool, level: usize) -> (Value, usize) {
        let mut next = piece.skip(at);
        let mut value = match piece.token(at) {
            Some(Token::Word(word)) => match *word {
                "True" | "true" | "TRUE" => Value::Bool(true),
                "False" | "false" | "FALSE" | "None" | "null" | "nil" | "undefined" => Value::Bool(false),
                "$^X" => Value::lit("perl"),
                "PHP_BINARY" => Value::lit("php"),
                "__dirname" | "__dir__" | "__DIR__" => Value::lit("."),
                "__file__" | "__FILE__" | "__filename" => Value::lit("./__file__"),
                word => self.named(word),
            },
            Some(Token::Text(Form::Words, parts)) => self.text_of(parts).words(None),
            Some(Token::Text(Form::Plain | Form::Template, parts)) => Value::Text(self.text_of(parts)),
            Some(Token::Number(number)) => Value::Number((*number).to_owned()),
            Some(Token::Mark("(" | "[" | "{")) => self.group(piece, at, level + 1),
            _ => Value::Unknown,
        };
        while next < end {
            let ahead = piece.skip_newlines(next);
            let mark = piece.mark(ahead);
            if matches!(mark, "." | "?." | "->" | "::" | "&.") && !(mark == "." && self.dot_joins()) {
                let place = piece.skip_newlines(ahead + 1);
                if let Some(name) = piece.word(place) {
                    let settled = self.bare_call(piece, value.settled(), emit, ahead);
                    value = self.member(settled, name);
                    next = place + 1;
                } else if matches!(piece.mark(place), "(" | "[" | "{") {
                    next = place; // `->(…)`, `?.[…]`
                } else {
                    break;
                }
                continue;
            }
            if ahead != next && mark == "(" && self.language == Language::JavaScript && matches!(value, Value::Named(_) | Value::Method(..)) {
                next = ahead; // a call continues although a line ends
            }
            let open = next;
            match piece.token(next) {
                Some(Token::Mark("(")) => {
                    let args = self.arguments(piece, piece.items(next), level);
                    value = self.call(value.settled(), args, piece.base + next, emit);
                    next = piece.skip(next);
                }
                Some(Token::Mark("[")) => {
                    let inner = self.eval(piece, next + 1..piece.close(next), level + 1);
                    value = match (value.settled(), inner) {
                        (Value::List(items), Value::Number(at)) => {
                            at.parse().ok().and_then(|at: usize| items.into_iter().nth(at).flatten()).map_or(Value::Unknown, |item| Value::lit(&item))
                        }
                        (value @ Value::Named(_), Value::Text(name)) if !name.holes => self.member(value, &name.text),
                        _ => Value::Unknown,
                    };
                    next = piece.skip(next);
                }
                Some(Token::Mark("{")) if piece.word(at) == Some("$ENV") => {
                    value = if piece.word(next + 1) == Some("HOME") { Value::lit("~") } else { Value::Unknown };
                    next = piece.skip(next);
                }
                Some(Token::Text(Form::Template, parts)) => {
                    // The shells of zx, Bun and execa.
                    if emit && matches!(&value, Value::Named(name) if matches!(name.as_str(), "$" | "Bun.$" | "zx.$" | "execa.$" | "dax.$" | "$.sync")) {
                        let text = self.text_of(parts);
                        self.shell(&Value::Text(text));
                    }
                    value = Value::Unknown;
                    next += 1;
                }
                _ if self.is_command(piece, &value, next) => {
                    let stop = piece.expression_end(next, true).min(end);
                    let args = self.arguments(piece, piece.split(next..stop), level);
                    value = self.call(value.settled(), args, piece.base + next, emit);
                    next = stop.max(next + 1);
                }
                _ => break,
            }
            if piece.unclosed(open) {
                break; // INVARIANT: so that many of them cost no more than one
            }
        }
        (self.bare_call(piece, value, emit, next), next)
    }

    /// In Ruby a method needs no brackets to be called.
    fn bare_call(&mut self, piece: &Piece<'_>, value: Value, emit: bool, at: usize) -> Value {
        let called = match &value {
            Value::Method(..) => true,
            Value::Named(name) => matches!(name.as_str(), "Dir.home" | "Dir.pwd"),
            _ => false,
        };
        if called && self.language == Language::Ruby { self.call(value, Vec::new(), piece.base + at, emit) } else { value }
    }

    /// Whether arguments without brackets follow, as Ruby and Perl have them.
    fn is_command(&self, piece: &Piece<'_>, value: &Value, next: usize) -> bool {
        let known = match value {
            Value::Named(name) => functions::function(self.language, name).is_some() || name == "require",
            Value::Method(on, name) => match **on {
                Value::Text(_) => false,
                Value::Handle(_) => true,
                Value::Path(_) => functions::path_method(name).is_some(),
                _ => functions::method(name).is_some(),
            },
            _ => false,
        };
        known
            && matches!(self.language, Language::Ruby | Language::Perl)
            && match piece.token(next) {
                Some(Token::Text(form, _)) => *form != Form::Regex,
                Some(Token::Word(word)) => {
                    !matches!(*word, "if" | "unless" | "while" | "until" | "and" | "or" | "do" | "end" | "then" | "eq" | "ne" | "x" | "rescue")
                }
                Some(Token::Mark("*" | "\\" | "+" | "-" | "[")) => !piece.adjacent(next) && (piece.adjacent(next + 1) || piece.mark(next) == "["),
                Some(Token::Mark("{" | "@" | "$")) => self.language == Language::Perl,
                _ => false,
            }
    }

    fn arguments(&mut self, piece: &Piece<'_>, spans: Vec<Span>, level: usize) -> Vec<Arg> {
        let mut args = Vec::new();
        for span in spans.into_iter().take(MAX_TERMS) {
            let name = match (self.language, piece.mark(span.start + 1)) {
                (Language::Python | Language::Unknown, "=") | (Language::Ruby | Language::Php, ":") => piece.word(span.start),
                _ => None,
            };
            let start = span.start + if name.is_some() { 2 } else { 0 };
            let name = if piece.mark(span.start) == "**" { Some("**") } else { name };
            args.push(Arg { name: name.map(str::to_owned), value: self.eval(piece, start..span.end, level + 1) });
        }
        args
    }

    pub(super) fn member(&mut self, value: Value, name: &str) -> Value {
        let owner = match value {
            Value::Path(path) if name == "parent" || name == "dirname" => return Value::Path(path.parent()),
            Value::Named(owner) => owner,
            other => return Value::Method(Box::new(other), name.to_owned()),
        };
        match (owner.as_str(), name) {
            ("process.env" | "os.environ" | "ENV", "HOME") => Value::lit("~"),
            ("sys", "executable") => Value::lit("python3"),
            ("process", "execPath" | "argv0") => Value::lit("node"),
            ("Gem" | "RbConfig", "ruby") => Value::lit("ruby"),
            (_, "default" | "__call__" | "__dict__") => Value::Named(owner),
            ("" | "globalThis" | "window" | "builtins" | "__builtins__" | "sys.modules", _) => Value::Named(name.to_owned()),
            _ => self.named(&format!("{owner}.{name}")).settled(),
        }
    }
}
