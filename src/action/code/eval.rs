//! Expressions to values: literals, their concatenation, names, lists, and the functions that only make texts and paths.

use super::lex::{Part, Token};
use super::piece::{Piece, Span};
use super::value::{Arg, Text, Value, fill_braces, fill_percent, join_path};
use super::{Language, Scan};

/// Expressions nested deeper than this are unknown.
const MAX_LEVEL: usize = 12;
/// Expressions of more terms than this are unknown.
const MAX_TERMS: usize = 256;
/// A text that grew longer than this by concatenation is unknown. In bytes.
const MAX_VALUE: usize = 256 << 10;

/// Modules and functions whose outcome is text that was hidden in the source.
const DECODERS: &[&str] = &[
    "b64decode", "b32decode", "b16decode", "b85decode", "a85decode", "decodebytes", "unhexlify", "fromhex", "decompress", "atob",
    "base64_decode", "gzinflate", "gzuncompress", "gzdecode", "str_rot13", "hex2bin", "convert_uudecode", "decode64",
    "strict_decode64", "urlsafe_decode64", "decode_base64", "unpack", "fromCharCode", "loads", "inflate",
];

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
                    let Some(other) = (at..span.end).take(MAX_TERMS).find(|place| piece.word(*place) == Some("else")) else { break };
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
                let values = if piece.mark(at + 1) == "(" {
                    piece.items(at + 1)
                } else {
                    vec![at + 1..span.end]
                };
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

    fn concat(&mut self, left: Value, right: Value) -> Value {
        if !self.spend(left.size() + right.size()) || left.size() + right.size() > MAX_VALUE {
            return Value::Unknown;
        }
        match (left, right) {
            (Value::Decoded, _) | (_, Value::Decoded) => Value::Decoded,
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
                || piece.word(at).is_some() && piece.mark(at + 1) == "=")
        {
            at += if piece.mark(at + 1) == "=" && piece.word(at).is_some() { 2 } else { 1 };
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

    /// Calls that only make a value. `None` where the name is none of them.
    pub(super) fn making(&mut self, piece: &Piece<'_>, name: &str, args: &[Arg<'_>], level: usize) -> Option<Value> {
        let last = name.rsplit('.').next().unwrap_or(name);
        if DECODERS.contains(&last) && name != "json.loads" && name != "yaml.loads" && name != "toml.loads" && name != "tomllib.loads" {
            return Some(Value::Decoded);
        }
        let arg = |scan: &mut Self, index: usize| match args.get(index) {
            Some(arg) => scan.eval(piece, arg.span.clone(), level + 1),
            None => Value::Unknown,
        };
        let texts = |scan: &mut Self, from: usize| -> Vec<Text> {
            let mut texts = Vec::new();
            for arg in args.iter().skip(from).take(MAX_TERMS) {
                match scan.eval(piece, arg.span.clone(), level + 1) {
                    Value::List(items) => {
                        texts.extend(items.into_iter().map(|item| item.map_or_else(Text::hole, |item| Text::lit(&item))));
                    }
                    other => texts.push(other.into_text()),
                }
            }
            texts
        };
        Some(match name {
            "Path" | "pathlib.Path" | "pathlib.PosixPath" | "PurePath" | "pathlib.PurePath" | "Pathname.new" | "Pathname" | "path"
            | "Path.Tiny.path" => Value::Path(join_path(texts(self, 0))),
            "Bun.file" => Value::Path(arg(self, 0).into_text()),
            "Path.home" | "pathlib.Path.home" => Value::Path(Text::lit("~")),
            "Path.cwd" | "pathlib.Path.cwd" => Value::Path(Text::lit(".")),
            "os.path.join" | "path.join" | "path.resolve" | "path.posix.join" | "File.join" | "File.Spec.catfile" | "catfile"
            | "File.Spec.catdir" | "posixpath.join" | "os.path.join.join" => {
                let first = texts(self, usize::from(name.is_empty()));
                if first.is_empty() { Value::lit(".") } else { Value::Text(join_path(first)) }
            }
            "os.path.expanduser" | "os.path.abspath" | "os.path.normpath" | "os.path.realpath" | "os.fspath" | "os.fsencode" | "str"
            | "String" | "bytes" | "list" | "tuple" | "Array" | "shlex.quote" | "pipes.quote" | "escapeshellarg" | "escapeshellcmd"
            | "File.expand_path" | "Shellwords.escape" | "path.normalize" | "realpath" | "util.promisify" | "promisify"
            | "functools.partial" | "partial" | "Object.freeze" => arg(self, 0),
            "array" => self.array(piece, args, level),
            "Buffer.from" => match arg(self, 1) {
                Value::Unknown => arg(self, 0),
                _ => Value::Decoded,
            },
            "shlex.split" | "Shellwords.split" | "Shellwords.shellsplit" | "Shellwords.shellwords" => match arg(self, 0) {
                Value::Text(text) if text.known => Value::List(quoted_words(&text)),
                _ => Value::Unknown,
            },
            "shlex.join" | "subprocess.list2cmdline" | "Shellwords.join" => joined(&arg(self, 0), " "),
            "implode" | "join" => joined(&arg(self, 1), &arg(self, 0).literal().unwrap_or_default()),
            "sprintf" | "format" => {
                let values = texts(self, 1);
                match arg(self, 0) {
                    Value::Text(format) => Value::Text(fill_percent(&format, &values)),
                    _ => Value::Unknown,
                }
            }
            "os.homedir" | "Dir.home" | "Deno.homeDir" => Value::lit("~"),
            "os.getcwd" | "process.cwd" | "Dir.pwd" | "getcwd" | "Deno.cwd" | "cwd" => Value::lit("."),
            "os.getenv" | "os.environ.get" | "getenv" | "ENV.fetch" | "Deno.env.get" => match arg(self, 0).literal().as_deref() {
                Some("HOME") => Value::lit("~"),
                Some("PWD") => Value::lit("."),
                _ => Value::Unknown,
            },
            "__import__" | "importlib.import_module" | "import_module" | "require" | "import" | "process.mainModule.require"
            | "module.require" | "globalThis.require" => {
                Value::Named(arg(self, 0).literal()?)
            }
            "getattr" | "Reflect.get" => {
                let owner = arg(self, 0);
                let name = arg(self, 1).literal()?;
                self.member(owner, &name)
            }
            "method" | "Kernel.method" => Value::Named(arg(self, 0).literal()?),
            "globals" | "locals" | "vars" => Value::Named(String::new()),
            _ => return None,
        })
    }

    fn array(&mut self, piece: &Piece<'_>, args: &[Arg<'_>], level: usize) -> Value {
        Value::List(args.iter().take(MAX_TERMS).map(|arg| self.eval(piece, arg.span.clone(), level + 1).literal()).collect())
    }

    /// Methods of texts and lists that only make a value. `None` where the name is none of them.
    pub(super) fn making_method(&mut self, piece: &Piece<'_>, on: &Value, name: &str, args: &[Arg<'_>], level: usize) -> Option<Value> {
        let first = match args.first() {
            Some(arg) => self.eval(piece, arg.span.clone(), level + 1),
            None => Value::Unknown,
        };
        Some(match (on, name) {
            (Value::Text(text), "split" | "shellsplit") if text.known => match first.literal() {
                Some(mark) if !mark.trim().is_empty() => {
                    Value::List(text.text.split(mark.as_str()).map(|word| (!word.contains(super::HOLE)).then(|| word.to_owned())).collect())
                }
                _ => Value::List(text.words()),
            },
            (Value::Text(text), "format") => {
                let mut values = Vec::new();
                for arg in args.iter().take(MAX_TERMS) {
                    values.push(if arg.name.is_some() { Text::hole() } else { self.eval(piece, arg.span.clone(), level + 1).into_text() });
                }
                Value::Text(fill_braces(text, &values))
            }
            (Value::Text(separator), "join") => joined(&first, &separator.text),
            (Value::List(_), "join") => joined(on, &first.literal().unwrap_or_else(|| if self.language == Language::JavaScript { ",".into() } else { String::new() })),
            (Value::Text(_), "concat") => self.concat(on.clone(), first),
            (
                Value::Text(_) | Value::Path(_) | Value::List(_),
                "strip" | "trim" | "encode" | "decode" | "freeze" | "to_s" | "toString" | "chomp" | "expanduser" | "expand_path" | "resolve"
                | "absolute" | "as_posix" | "to_path" | "valueOf" | "dup" | "copy" | "slice" | "flatten" | "compact" | "to_a" | "stringify" | "absolute_path",
            ) => on.clone(),
            (Value::Path(base), "joinpath" | "join" | "child" | "with_segments") => Value::Path(join_path([base.clone(), first.into_text()])),
            (Value::Decoded, "decode" | "toString" | "to_s" | "strip" | "trim" | "force_encoding" | "first") => Value::Decoded,
            (Value::Unknown | Value::Named(_) | Value::Method(..), name) if DECODERS.contains(&name) && name != "loads" => Value::Decoded,
            _ => return None,
        })
    }
}

/// The elements of a list in one text.
fn joined(list: &Value, separator: &str) -> Value {
    let Value::List(items) = list else { return Value::Unknown };
    let mut text = Text::default();
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            text.text.push_str(separator);
        }
        text.add(&item.as_ref().map_or_else(Text::hole, |item| Text::lit(item)));
    }
    Value::Text(text)
}

/// Words as a shell would tell them apart, for text with simple quotes.
fn quoted_words(text: &Text) -> Vec<Option<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for char in text.text.chars() {
        match (quote, char) {
            (Some(open), close) if open == close => quote = None,
            (None, '\'' | '"') => {
                quote = Some(char);
                word.get_or_insert_default();
            }
            (None, char) if char.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(char),
        }
    }
    words.extend(word);
    words.into_iter().map(|word| (!word.contains(super::HOLE)).then_some(word)).collect()
}
