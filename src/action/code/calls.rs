//! Chains of names, members and calls: from the text to the function that is called, with its arguments.

use super::effects::Call;
use super::lex::Token;
use super::piece::Piece;
use super::tables::{self, Effect};
use super::value::{Arg, Text, Value};
use super::{Found, Language, Scan};

/// Words that no chain begins with.
const KEYWORDS: &[&str] = &[
    "await", "new", "return", "if", "else", "elif", "elsif", "while", "for", "in", "of", "not", "and", "or", "do", "end", "then", "import", "from", "as",
    "with", "const", "let", "var", "my", "our", "local", "def", "sub", "function", "class", "fn", "func", "try", "except", "finally", "catch", "raise",
    "throw", "yield", "lambda", "async", "pass", "typeof", "void", "echo", "print", "puts", "unless", "begin", "rescue", "ensure", "case", "when", "use",
];

impl Scan {
    /// Finds the calls of a piece.
    pub(super) fn calls(&mut self, piece: &Piece<'_>) {
        for at in 0..piece.len() {
            match piece.token(at) {
                Some(Token::Command(parts)) => {
                    let text = self.text_of(parts);
                    self.shell(&Value::Text(text));
                    self.holes(parts);
                }
                Some(Token::Text(parts) | Token::Template(parts)) => {
                    self.holes(parts);
                    if matches!(piece.mark(at + 1), "." | "->") {
                        self.chain(piece, at, piece.len(), true, 0);
                    }
                }
                Some(Token::Word("print" | "say" | "printf")) if self.language == Language::Perl => {
                    self.perl_print(piece, at);
                }
                Some(Token::Word(word)) if self.begins_chain(piece, at, word) => {
                    self.chain(piece, at, piece.len(), true, 0);
                }
                Some(Token::Mark("(")) => {
                    let called = matches!(piece.before(at), Some(Token::Word(word)) if !KEYWORDS.contains(word))
                        || matches!(piece.before(at), Some(Token::Mark(")" | "]")));
                    let close = piece.close(at);
                    if !called && piece.mark(close) == ")" && matches!(piece.mark(close + 1), "(" | "." | "?." | "[") {
                        self.chain(piece, at, piece.len(), true, 0);
                    }
                }
                _ => {}
            }
        }
    }

    fn begins_chain(&self, piece: &Piece<'_>, at: usize, word: &str) -> bool {
        let called_keyword = matches!(word, "import" | "print") && piece.mark(at + 1) == "(";
        if KEYWORDS.contains(&word) && !called_keyword {
            return false;
        }
        match piece.before(at) {
            Some(Token::Mark("." | "->" | "::" | "?." | "&.")) => false,
            Some(Token::Word("def" | "sub" | "function" | "class" | "fn" | "func")) => false,
            _ => !(piece.mark(at + 1) == "=>" && self.language != Language::JavaScript),
        }
    }

    /// Follows the chain that begins at `at`, no further than `end`; gives its value and the index after it. Findings are
    /// kept only with `emit`.
    pub(super) fn chain(&mut self, piece: &Piece<'_>, at: usize, end: usize, emit: bool, level: usize) -> (Value, usize) {
        let mut next = piece.skip(at);
        let mut value = match piece.token(at) {
            Some(Token::Word("True" | "true" | "TRUE")) => Value::Bool(true),
            Some(Token::Word("False" | "false" | "FALSE" | "None" | "null" | "nil" | "undefined")) => Value::Bool(false),
            Some(Token::Word("$^X")) => Value::lit("perl"),
            Some(Token::Word("PHP_BINARY")) => Value::lit("php"),
            Some(Token::Word("__dirname" | "__dir__" | "__DIR__")) => Value::lit("."),
            Some(Token::Word("__file__" | "__FILE__" | "__filename")) => Value::lit("./__file__"),
            Some(Token::Word(word)) => self.named(word),
            Some(Token::Text(parts) | Token::Template(parts)) => Value::Text(self.text_of(parts)),
            Some(Token::Words(words)) => Value::List(words.iter().cloned().map(Some).collect()),
            Some(Token::Number(number)) => Value::Number((*number).to_owned()),
            Some(Token::Mark("(" | "[" | "{")) => self.group(piece, at, level + 1),
            _ => Value::Unknown,
        };
        while next < end {
            let ahead = if piece.is_newline(next) { piece.skip_newlines(next) } else { next };
            let mark = piece.mark(ahead);
            let called_below = mark == "(" && self.language == Language::JavaScript && matches!(value, Value::Named(_) | Value::Method(..));
            if ahead != next && !called_below && !matches!(mark, "." | "?." | "&." | "->") {
                break;
            }
            if called_below {
                next = ahead;
            }
            if matches!(mark, "." | "?." | "->" | "::" | "&.") && !self.is_concatenation(mark) {
                let place = piece.skip_newlines(ahead + 1);
                let Some(name) = piece.word(place) else {
                    if matches!(piece.mark(place), "(" | "[" | "{") {
                        next = place; // `->(…)`, `?.[…]`
                        continue;
                    }
                    break;
                };
                value = self.settle(piece, value, emit, ahead);
                value = self.member(value, name);
                next = place + 1;
                continue;
            }
            match piece.token(next) {
                Some(Token::Mark("(")) => {
                    let args = self.arguments(piece, piece.items(next));
                    value = self.call(piece, value, &args, next, emit, level);
                    next = piece.skip(next);
                    if emit {
                        self.block(piece, next, &value);
                    }
                }
                Some(Token::Mark("[")) => {
                    let inner = self.eval(piece, next + 1..piece.close(next), level + 1);
                    value = match (&value, inner.literal()) {
                        (Value::Named(_), Some(name)) => self.member(value, &name),
                        (Value::List(items), None) => match &inner {
                            Value::Number(at) => {
                                let item = at.parse::<usize>().ok().and_then(|at| items.get(at).cloned().flatten());
                                item.map_or(Value::Unknown, |item| Value::lit(&item))
                            }
                            _ => Value::Unknown,
                        },
                        _ => Value::Unknown,
                    };
                    next = piece.skip(next);
                }
                Some(Token::Mark("{")) if self.language == Language::Perl && piece.word(at) == Some("$ENV") => {
                    value = if piece.word(next + 1) == Some("HOME") { Value::lit("~") } else { Value::Unknown };
                    next = piece.skip(next);
                }
                Some(Token::Template(parts)) => {
                    if emit {
                        self.tagged(&value, parts);
                    }
                    value = Value::Unknown;
                    next += 1;
                }
                _ if self.is_command(piece, &value, next) => {
                    let stop = piece.expression_end(next, true).min(end);
                    let args = self.arguments(piece, piece.split(next..stop, |mark| mark == "," || mark == "=>" && self.language == Language::Perl));
                    value = self.call(piece, value, &args, next, emit, level);
                    if emit {
                        self.block(piece, stop, &value);
                    }
                    next = stop.max(next + 1);
                }
                _ => break,
            }
        }
        if self.language == Language::Ruby {
            value = self.settle(piece, value, emit, next);
        }
        if emit {
            self.reference(piece, &value, at, next);
        }
        (value, next)
    }

    fn is_concatenation(&self, mark: &str) -> bool {
        mark == "." && matches!(self.language, Language::Perl | Language::Php)
    }

    /// In Ruby a method needs no brackets to be called.
    fn settle(&mut self, piece: &Piece<'_>, value: Value, emit: bool, at: usize) -> Value {
        if self.language != Language::Ruby {
            return value;
        }
        match &value {
            Value::Method(..) => self.call(piece, value, &[], at, emit, 0),
            Value::Named(name) if matches!(name.as_str(), "Dir.home" | "Dir.pwd") => self.making(piece, name, &[], 0).unwrap_or(Value::Unknown),
            _ => value,
        }
    }

    /// Whether arguments without brackets follow, as Ruby and Perl have them.
    fn is_command(&self, piece: &Piece<'_>, value: &Value, next: usize) -> bool {
        if !matches!(self.language, Language::Ruby | Language::Perl) {
            return false;
        }
        let known = match value {
            Value::Named(name) => tables::function(self.language, name).is_some() || matches!(name.as_str(), "require" | "print"),
            Value::Method(on, name) => match **on {
                Value::Text(_) => false,
                Value::Handle(_) => true,
                Value::Path(_) => tables::path_method(name).is_some(),
                _ => tables::method(name).is_some(),
            },
            _ => false,
        };
        known
            && match piece.token(next) {
                Some(Token::Text(_) | Token::Command(_) | Token::Words(_)) => true,
                Some(Token::Word(word)) => {
                    !matches!(*word, "if" | "unless" | "while" | "until" | "and" | "or" | "do" | "end" | "then" | "eq" | "ne" | "x" | "rescue")
                }
                Some(Token::Mark("[" | "*" | "\\" | "+" | "-")) => !piece.adjacent(next) && (piece.adjacent(next + 1) || piece.mark(next) == "["),
                Some(Token::Mark("{" | "@" | "$")) => self.language == Language::Perl,
                _ => false,
            }
    }

    /// The arguments of a call.
    fn arguments<'a>(&self, piece: &Piece<'a>, spans: Vec<std::ops::Range<usize>>) -> Vec<Arg<'a>> {
        let named = |span: &std::ops::Range<usize>| match (self.language, piece.mark(span.start + 1)) {
            (Language::Python | Language::Unknown, "=") | (Language::Ruby | Language::Php, ":") => piece.word(span.start),
            _ => None,
        };
        spans
            .into_iter()
            .map(|span| {
                let name = named(&span);
                let start = span.start + if name.is_some() { 2 } else { 0 };
                let splat = matches!(piece.mark(span.start), "*" | "**" | "..." | "&") || piece.word(span.start).is_some_and(|word| word.starts_with('@'));
                let name = if piece.mark(span.start) == "**" { Some("**") } else { name };
                Arg { name, span: start..span.end, splat }
            })
            .collect()
    }

    /// A member of a value.
    pub(super) fn member(&self, value: Value, name: &str) -> Value {
        match value {
            Value::Named(owner) => {
                if owner.is_empty() || name == "default" || matches!(owner.as_str(), "globalThis" | "window" | "builtins" | "__builtins__" | "sys.modules") {
                    let full = if name == "default" { owner } else { name.to_owned() };
                    return Value::Named(full);
                }
                match (owner.as_str(), name) {
                    ("process.env" | "os.environ" | "ENV", "HOME") => return Value::lit("~"),
                    ("sys", "executable") => return Value::lit("python3"),
                    ("process", "execPath" | "argv0") => return Value::lit("node"),
                    ("Gem" | "RbConfig", "ruby") => return Value::lit("ruby"),
                    _ => {}
                }
                if matches!(name, "__call__" | "__dict__") {
                    return Value::Named(owner);
                }
                let full = format!("{owner}.{name}");
                match self.names.get(&full) {
                    Some([value]) => value.clone(),
                    Some(_) => Value::Unknown,
                    None => Value::Named(full),
                }
            }
            Value::Path(path) if name == "parent" || name == "dirname" => Value::Path(parent(&path)),
            other => Value::Method(Box::new(other), name.to_owned()),
        }
    }

    /// A call of `callee`; its value.
    fn call(&mut self, piece: &Piece<'_>, callee: Value, args: &[Arg<'_>], site: usize, emit: bool, level: usize) -> Value {
        let site = piece.base + site;
        match callee {
            Value::Named(name) => {
                let name = tables::canonical(self.language, &name, self.names.stars());
                if let Some(value) = self.making(piece, &name, args, level) {
                    return value;
                }
                if matches!(
                    name.as_str(),
                    "call_user_func" | "call_user_func_array" | "send" | "Kernel.send" | "Object.send" | "public_send" | "__send__" | "Kernel.public_send"
                ) && let Some((first, rest)) = args.split_first()
                    && let Some(name) = self.eval(piece, first.span.clone(), level + 1).literal()
                {
                    return self.call(piece, Value::Named(name), rest, site - piece.base, emit, level + 1);
                }
                let effect = tables::function(self.language, &name).or_else(|| {
                    let bare = self.language == Language::JavaScript && (name.ends_with("Sync") || name == "execFile");
                    let last = name.rsplit_once('.').map(|(_, last)| last).or_else(|| bare.then_some(name.as_str()))?;
                    tables::method(last).filter(|_| !args.is_empty())
                });
                match effect {
                    Some(effect) => self.effect(piece, &Call { name: &name, effect, args, on: None, site }, emit),
                    None => Value::Unknown,
                }
            }
            Value::Text(text) if self.language == Language::Php => self.call(piece, Value::Named(text.text), args, site - piece.base, emit, level),
            Value::Method(on, name) => {
                if let Some(value) = self.making_method(piece, &on, &name, args, level) {
                    return value;
                }
                match name.as_str() {
                    "call" | "apply" | "bind" | "()" => {
                        // `f.call(this, …)` is a call of `f`; in Ruby all arguments count.
                        let rest = if self.language == Language::JavaScript { args.get(1..).unwrap_or_default() } else { args };
                        return self.call(piece, *on, rest, site - piece.base, emit, level);
                    }
                    _ => {}
                }
                let effect = match *on {
                    Value::Path(_) => tables::path_method(&name).or_else(|| tables::method(&name)),
                    Value::Handle(place) => {
                        if emit {
                            self.handle(piece, place, &name, args);
                        }
                        return if name == "open" { Value::Handle(place) } else { Value::Unknown };
                    }
                    Value::Text(_) => None,
                    _ => tables::method(&name).or_else(|| tables::bare_method(&name, args.len())),
                };
                match effect {
                    Some(effect) => self.effect(piece, &Call { name: &name, effect, args, on: Some(&on), site }, emit),
                    None => Value::Unknown,
                }
            }
            _ => Value::Unknown,
        }
    }

    /// The name that a block gives to an open file: `File.open(p, "w") { |f| … }`.
    fn block(&mut self, piece: &Piece<'_>, at: usize, value: &Value) {
        if self.language == Language::Ruby
            && matches!(value, Value::Handle(_))
            && (piece.mark(at) == "{" || piece.word(at) == Some("do"))
            && piece.mark(at + 1) == "|"
            && let Some(name) = piece.word(at + 2)
        {
            self.names.give(name, value.clone());
        }
    }

    /// A template with a tag: the shells of zx, Bun and execa.
    fn tagged(&mut self, tag: &Value, parts: &[super::lex::Part<'_>]) {
        let Value::Named(name) = tag else { return };
        if matches!(name.as_str(), "$" | "Bun.$" | "bun.$" | "zx.$" | "execa.$" | "execa.execa" | "execa.execaSync" | "dax.$" | "$.sync") {
            let text: Text = self.text_of(parts);
            self.shell(&Value::Text(text));
        }
    }

    /// `print $file "text"` of Perl.
    fn perl_print(&mut self, piece: &Piece<'_>, at: usize) {
        let braces = piece.mark(at + 1) == "{";
        let handle = if braces { at + 2 } else { at + 1 };
        let from = if braces { piece.skip(at + 1) } else { at + 2 };
        let Some(Value::Handle(place)) = piece.word(handle).and_then(|name| self.names.get(name)).and_then(<[_]>::last).cloned() else {
            return;
        };
        let end = piece.expression_end(from, true);
        let mut text = Some(String::new());
        for part in piece.split(from..end, |mark| mark == ",") {
            text = match (text, self.eval(piece, part, 0).literal()) {
                (Some(text), Some(more)) if piece.word(at) != Some("printf") => Some(text + &more),
                _ => None,
            };
        }
        if piece.word(at) == Some("say") {
            text = text.map(|text| text + "\n");
        }
        self.handle_text(place, text);
    }

    /// A function that runs programs, given to another function without being called.
    fn reference(&mut self, piece: &Piece<'_>, value: &Value, at: usize, next: usize) {
        let before = at.checked_sub(2).and_then(|callee| piece.word(callee));
        if let Value::Handle(place) = value {
            let harmless =
                before.is_some_and(|word| matches!(word, "fwrite" | "fputs" | "fclose" | "close" | "closeSync" | "writeSync" | "flock" | "binmode" | "fflush"));
            let shift = piece.mark(next) == "<<";
            if shift {
                let end = piece.expression_end(next + 1, true);
                let text = self.eval(piece, next + 1..end, 0).literal();
                self.handle_text(*place, text);
            } else if next == at + 1 && matches!(piece.before(at), Some(Token::Mark("(" | "," | "="))) && matches!(piece.mark(next), ")" | ",") && !harmless {
                self.handle_text(*place, None);
            }
            return;
        }
        let Value::Named(name) = value else { return };
        let given = matches!(piece.before(at), Some(Token::Mark("(" | "," | "="))) && matches!(piece.mark(next), ")" | ",");
        // `(0, cp.exec)("…")` is a call.
        let called = piece.mark(next) == ")" && piece.mark(next + 1) == "(";
        if !given || called || !name.contains('.') {
            return;
        }
        let name = tables::canonical(self.language, name, self.names.stars());
        let runs =
            matches!(tables::function(self.language, &name), Some(Effect::Shell | Effect::Process | Effect::NodeShell | Effect::NodeSpawn | Effect::Words));
        // What `promisify` gives is followed where it is called.
        let followed = before == Some("promisify");
        if runs && !followed {
            self.push(Found::OpaqueShell);
        }
    }
}

/// The folder of a path.
pub(super) fn parent(path: &Text) -> Text {
    let folder = path.text.trim_end_matches('/').rsplit_once('/').map_or(".", |(folder, _)| folder);
    Text { text: folder.to_owned(), holes: folder.contains(super::HOLE), known: path.known }
}
