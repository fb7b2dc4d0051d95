//! Expressions to values: literals, their concatenation, names, lists, chains of members and calls.

use super::lex::{self, CodeToken, TextForm, TextPart};
use super::piece::{CodePiece, TokenRange};
use super::value::{CodeText, CodeValue, fill, join_path};
use super::{CodeAction, Language, MAX_DEPTH, Scan, effects::Arg, functions};

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
    pub(super) fn text_of(&mut self, parts: &[TextPart<'_>]) -> CodeText {
        let mut text = CodeText { known: parts.iter().all(|part| matches!(part, TextPart::Lit(_))), ..CodeText::default() };
        for part in parts {
            match part {
                TextPart::Lit(lit) => text.add(&CodeText::lit(lit)),
                TextPart::Hole(code) => {
                    let name = code.trim_matches(|char: char| char.is_whitespace() || "{}()".contains(char));
                    let plain = |char: char| char.is_alphanumeric() || "_$@".contains(char);
                    let sigil = matches!(self.language, Language::Perl | Language::Php) && !name.starts_with(['$', '@']);
                    let value = match sigil {
                        _ if !name.chars().all(plain) || code.contains('(') => self.hole_value(code),
                        true => self.named(&format!("${name}")),
                        false => self.named(name),
                    };
                    let value = if matches!(value, CodeValue::List(_)) { super::value::joined(&value, " ") } else { value };
                    text.add(&value.into_text());
                }
            }
        }
        if self.spend(text.text.len()) && text.text.len() <= MAX_VALUE { text } else { CodeText::hole() }
    }

    /// The value of the code in a hole.
    fn hole_value(&mut self, code: &str) -> CodeValue {
        /// Longer code makes no text that matters here.
        const MAX_HOLE: usize = 256;
        if self.depth >= MAX_DEPTH || code.len() > MAX_HOLE || !self.spend(code.len()) {
            return CodeValue::Unknown;
        }
        let piece = CodePiece::new(lex::tokens(code, self.language), self.language, self.base);
        self.base += piece.len() + 1;
        self.depth += 1;
        let value = self.eval(&piece, 0..piece.len(), 1).settled();
        self.depth -= 1;
        value
    }

    /// The value of a name; the name itself where nothing is given to it.
    pub(super) fn named(&mut self, name: &str) -> CodeValue {
        let value = match self.names.get(name) {
            None => return CodeValue::Named(name.to_owned()),
            Some([value]) => value.clone(),
            Some(values) => CodeValue::OneOf(values.to_vec()),
        };
        if self.spend(value.size()) { value } else { CodeValue::Unknown }
    }

    /// The value of an expression, which may be a choice between several.
    pub(super) fn eval(&mut self, piece: &CodePiece<'_>, span: TokenRange, level: usize) -> CodeValue {
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
        let mut values: Vec<CodeValue> = Vec::new();
        for choice in choices {
            values.extend(self.sum(piece, choice, level).choices());
        }
        if values.len() == 1 { values.pop().unwrap_or(CodeValue::Unknown) } else { CodeValue::OneOf(values) }
    }

    /// The value of terms with operators between them.
    fn sum(&mut self, piece: &CodePiece<'_>, span: TokenRange, level: usize) -> CodeValue {
        let span = piece.trim(span);
        if level > MAX_LEVEL || span.is_empty() || !self.spend(span.len().min(MAX_TERMS)) {
            return CodeValue::Unknown;
        }
        let (mut value, mut at) = self.term(piece, &span, span.start, level);
        for _ in 0..MAX_TERMS {
            at = piece.skip_newlines(at);
            if at >= span.end {
                return value;
            }
            let joins = self.joins();
            let from = match (piece.mark(at), &value) {
                (mark, _) if mark == joins => at + 1,
                ("/", CodeValue::Path(_)) | ("|", CodeValue::Named(_)) => at + 1,
                ("", CodeValue::Text(_)) if matches!(piece.token(at), Some(CodeToken::Text(TextForm::Plain, _))) => at,
                ("%", CodeValue::Text(format)) => {
                    let rest = at + 1..span.end;
                    let items = if piece.mark(at + 1) == "(" { piece.items(at + 1) } else { Vec::from([rest]) };
                    let values: Vec<CodeText> = items.into_iter().map(|item| self.eval(piece, item, level + 1).settled().into_text()).collect();
                    return CodeValue::Text(fill(format, &values, false));
                }
                _ if piece.word(at) == Some("as") || piece.mark(at) == "!" => return value, // a type's assertion
                (_, CodeValue::Decoded) => return value,
                // Nothing need be between two statements of Lua.
                ("", _) if self.language == Language::Lua && piece.word(at).is_some() => return value,
                _ => return CodeValue::Unknown,
            };
            let (right, next) = self.term(piece, &span, from, level);
            value = self.concat(value, right);
            at = next;
        }
        CodeValue::Unknown
    }

    /// The operator that puts two texts together.
    fn joins(&self) -> &'static str {
        match self.language {
            Language::Perl | Language::Php => ".",
            Language::Lua => "..",
            Language::Julia => "*",
            _ => "+",
        }
    }

    pub(super) fn concat(&mut self, left: CodeValue, right: CodeValue) -> CodeValue {
        if !self.spend(left.size() + right.size()) || left.size() + right.size() > MAX_VALUE {
            return CodeValue::Unknown;
        }
        match (left.settled(), right.settled()) {
            (CodeValue::Decoded, _) | (_, CodeValue::Decoded) => CodeValue::Decoded,
            (CodeValue::Number(_), CodeValue::Number(_)) => CodeValue::Unknown,
            (CodeValue::Named(left), CodeValue::Named(right)) => CodeValue::Named(format!("{left}|{right}")), // flags
            (CodeValue::Path(left), right) => CodeValue::Path(join_path([left, right.into_text()])),
            (CodeValue::List(left), right) => {
                CodeValue::List(left.into_iter().chain(if let CodeValue::List(right) = right { right } else { vec![None] }).collect())
            }
            (left, CodeValue::List(right)) => CodeValue::List(left.elements().into_iter().map(|_| None).chain(right).collect()),
            (left, right) => {
                let mut text = left.into_text();
                text.add(&right.into_text());
                CodeValue::Text(text)
            }
        }
    }

    /// One term from `at`, and the index after it.
    fn term(&mut self, piece: &CodePiece<'_>, span: &TokenRange, at: usize, level: usize) -> (CodeValue, usize) {
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
        (CodeValue::Unknown, span.end)
    }

    fn list(&mut self, piece: &CodePiece<'_>, items: Vec<TokenRange>, level: usize) -> CodeValue {
        let mut list = Vec::new();
        for item in items {
            // A comprehension may be any number of elements.
            if list.len() >= MAX_TERMS || item.clone().take(64).any(|place| piece.word(place) == Some("for")) {
                list.push(None);
                break;
            }
            // A key in front does not change what the list holds.
            let start = item.clone().take(4).find(|place| piece.mark(*place) == "=>").map_or(item.start, |place| place + 1);
            let spread = matches!(piece.mark(start), "*" | "..." | "@") || self.language == Language::Perl;
            match self.eval(piece, start..item.end, level + 1).settled() {
                CodeValue::List(inner) if spread => list.extend(inner),
                CodeValue::List(_) => list.push(None),
                other => list.push(other.literal()),
            }
        }
        CodeValue::List(list)
    }

    fn object(&mut self, piece: &CodePiece<'_>, open: usize, level: usize) -> CodeValue {
        /// Keys further behind are not looked at.
        const MAX_KEYS: usize = 64;
        let mut keys = Vec::new();
        for item in piece.items(open).into_iter().take(MAX_KEYS) {
            let key = match piece.token(item.start) {
                Some(CodeToken::Word(word)) => (*word).to_owned(),
                Some(CodeToken::Text(_, parts)) => self.text_of(parts).text,
                _ => continue,
            };
            let start = if item.len() == 1 { item.start } else { item.start + 2 };
            if item.len() == 1 || matches!(piece.mark(item.start + 1), ":" | "=>") {
                keys.push((key, self.eval(piece, start..item.end, level + 1)));
            }
        }
        CodeValue::Object(keys)
    }

    /// The value of a bracket that is alone.
    fn group(&mut self, piece: &CodePiece<'_>, open: usize, level: usize) -> CodeValue {
        if level > MAX_LEVEL {
            return CodeValue::Unknown;
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
    pub(super) fn chain(&mut self, piece: &CodePiece<'_>, at: usize, end: usize, emit: bool, level: usize) -> (CodeValue, usize) {
        let mut next = piece.skip(at);
        let mut value = match piece.token(at) {
            Some(CodeToken::Word(word)) => match *word {
                "True" | "true" | "TRUE" => CodeValue::Bool(true),
                "False" | "false" | "FALSE" | "None" | "null" | "nil" | "undefined" => CodeValue::Bool(false),
                "$^X" => CodeValue::lit("perl"),
                "PHP_BINARY" => CodeValue::lit("php"),
                "__dirname" | "__dir__" | "__DIR__" => CodeValue::lit("."),
                "__file__" | "__FILE__" | "__filename" => CodeValue::lit("./__file__"),
                word => self.named(word),
            },
            Some(CodeToken::Text(TextForm::Words, parts)) => self.text_of(parts).words(None),
            Some(CodeToken::Text(TextForm::Plain | TextForm::Template, parts)) => CodeValue::Text(self.text_of(parts)),
            Some(CodeToken::Number(number)) => CodeValue::Number((*number).to_owned()),
            Some(CodeToken::Mark("(" | "[" | "{")) => self.group(piece, at, level + 1),
            _ => CodeValue::Unknown,
        };
        while next < end {
            let ahead = piece.skip_newlines(next);
            let mark = piece.mark(ahead);
            let member = matches!(mark, "." | "?." | "->" | "::" | "&.") && mark != self.joins();
            // `file:write(…)`
            let method = self.language == Language::Lua && mark == ":" && piece.word(ahead + 1).is_some() && piece.token(ahead + 2).is_some();
            if self.language == Language::Jvm && (mark == "." || ahead == at + 1) {
                // Scala: `"ls".!`, `"ls".!!`, `"ls" !`.
                let marks = if mark == "." { ahead + 1 } else { ahead };
                if piece.mark(marks) == "!" && matches!(value, CodeValue::Text(_) | CodeValue::List(_)) && !matches!(piece.word(marks + 1), Some("in" | "is")) {
                    if emit {
                        self.shell(&value);
                    }
                    return (CodeValue::Unknown, marks + 1);
                }
            }
            if member || method {
                let place = piece.skip_newlines(ahead + 1);
                if let Some(name) = piece.word(place) {
                    if emit && self.language == Language::Jvm && matches!(name, "text" | "bytes") && piece.mark(place + 1) == "=" {
                        self.assigned_text(piece, &value, place + 2);
                        return (CodeValue::Unknown, place + 2);
                    }
                    let settled = self.bare_call(piece, value.settled(), emit, ahead);
                    if functions::gives_each(name) {
                        self.each(piece, &settled, place + 1);
                    }
                    value = self.member(settled, name);
                    next = place + 1;
                } else if matches!(piece.mark(place), "(" | "[" | "{") {
                    next = place; // `->(…)`, `?.[…]`
                } else {
                    break;
                }
                continue;
            }
            if ahead != next && mark == "(" && self.language == Language::JavaScript && matches!(value, CodeValue::Named(_) | CodeValue::Method(..)) {
                next = ahead; // a call continues although a line ends
            }
            let open = next;
            match piece.token(next) {
                Some(CodeToken::Mark("(")) => {
                    let args = self.arguments(piece, piece.items(next), level);
                    value = self.call(value.settled(), args, piece.base + next, emit);
                    next = piece.skip(next);
                }
                Some(CodeToken::Mark("[")) => {
                    let inner = self.eval(piece, next + 1..piece.close(next), level + 1);
                    value = match (value.settled(), inner) {
                        (CodeValue::List(items), CodeValue::Number(at)) => {
                            at.parse().ok().and_then(|at: usize| items.into_iter().nth(at).flatten()).map_or(CodeValue::Unknown, |item| CodeValue::lit(&item))
                        }
                        (value @ CodeValue::Named(_), CodeValue::Text(name)) if !name.holes => self.member(value, &name.text),
                        // `"$_SERVER[HOME]"`
                        (value @ CodeValue::Named(_), CodeValue::Named(name)) if name == "HOME" => self.member(value, &name),
                        _ => CodeValue::Unknown,
                    };
                    next = piece.skip(next);
                }
                Some(CodeToken::Mark("{")) if piece.word(at) == Some("$ENV") => {
                    let quoted = self.eval(piece, next + 1..piece.close(next), level + 1).literal();
                    let home = piece.word(next + 1) == Some("HOME") || quoted.as_deref() == Some("HOME");
                    value = if home { CodeValue::home() } else { CodeValue::Unknown };
                    next = piece.skip(next);
                }
                Some(CodeToken::Text(TextForm::Template, parts)) => {
                    // The shells of zx, Bun and execa.
                    if emit && matches!(&value, CodeValue::Named(name) if matches!(name.as_str(), "$" | "Bun.$" | "zx.$" | "execa.$" | "dax.$" | "$.sync")) {
                        let text = self.text_of(parts);
                        self.shell(&CodeValue::Text(text));
                    }
                    value = CodeValue::Unknown;
                    next += 1;
                }
                _ if self.is_command(piece, &value, next) => {
                    let stop = if self.language == Language::Lua { next + 1 } else { piece.expression_end(next, true).min(end) };
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

    /// `list.forEach(x => …)`, `list.each { |x| … }`: the name is each of the files that a pattern stands for.
    fn each(&mut self, piece: &CodePiece<'_>, list: &CodeValue, from: usize) {
        let before = |at: &usize| matches!(piece.mark(*at), "(" | "{" | "|") || matches!(piece.word(*at), Some("do" | "async" | "function"));
        let Some(at) = (from..from + 4).find(|at| !before(at)) else { return };
        let named = matches!(piece.mark(at + 1), "=>" | ")" | "|" | ",");
        if let Some(name) = piece.word(at).filter(|_| named) {
            self.names_each(name, list);
        }
    }

    /// A name is each of the files that a pattern stands for.
    pub(super) fn names_each(&mut self, name: &str, list: &CodeValue) {
        match list {
            CodeValue::List(items) => {
                for item in items.iter().flatten().filter(|item| item.contains(super::STAR)) {
                    self.names.give(name, CodeValue::lit(item));
                }
            }
            CodeValue::Path(path) if path.text.contains(super::STAR) => self.names.give(name, list.clone()),
            _ => {}
        }
    }

    /// Groovy: `file.text = "…"`.
    fn assigned_text(&mut self, piece: &CodePiece<'_>, file: &CodeValue, from: usize) {
        if let CodeValue::Path(path) = file {
            let text = self.eval(piece, from..piece.expression_end(from, false), 1).settled().literal();
            self.push(CodeAction::Write { path: path.literal(), append: false, text });
        }
    }

    /// In Ruby a method needs no brackets to be called.
    fn bare_call(&mut self, piece: &CodePiece<'_>, value: CodeValue, emit: bool, at: usize) -> CodeValue {
        let called = match &value {
            CodeValue::Method(..) => true,
            CodeValue::Named(name) => matches!(name.as_str(), "Dir.home" | "Dir.pwd" | "Dir.tmpdir" | "Dir.mktmpdir"),
            _ => false,
        };
        if called && self.language == Language::Ruby { self.call(value, Vec::new(), piece.base + at, emit) } else { value }
    }

    /// Whether arguments without brackets follow, as Ruby and Perl have them.
    fn is_command(&self, piece: &CodePiece<'_>, value: &CodeValue, next: usize) -> bool {
        let known = match value {
            CodeValue::Named(name) => functions::function(self.language, name).is_some() || functions::lists(name) || name == "require",
            CodeValue::Method(on, name) => match **on {
                CodeValue::Text(_) => false,
                CodeValue::Handle(_) => true,
                CodeValue::Path(_) => functions::path_method(name).is_some(),
                _ => functions::method(name).is_some(),
            },
            _ => false,
        };
        known
            && matches!(self.language, Language::Ruby | Language::Perl | Language::Lua)
            && match piece.token(next) {
                // In Lua a string or a table alone.
                Some(token) if self.language == Language::Lua => matches!(token, CodeToken::Text(..)),
                Some(CodeToken::Text(form, _)) => *form != TextForm::Regex,
                Some(CodeToken::Word(word)) => {
                    !matches!(*word, "if" | "unless" | "while" | "until" | "and" | "or" | "do" | "end" | "then" | "eq" | "ne" | "x" | "rescue")
                }
                Some(CodeToken::Mark("*" | "\\" | "+" | "-" | "[")) => !piece.adjacent(next) && (piece.adjacent(next + 1) || piece.mark(next) == "["),
                Some(CodeToken::Mark("{" | "@" | "$")) => self.language == Language::Perl,
                _ => false,
            }
    }

    fn arguments(&mut self, piece: &CodePiece<'_>, spans: Vec<TokenRange>, level: usize) -> Vec<Arg> {
        let mut args = Vec::new();
        for span in spans.into_iter().take(MAX_TERMS) {
            let name = match (self.language, piece.mark(span.start + 1)) {
                (Language::Python | Language::Julia | Language::Jvm | Language::Unknown, "=") | (Language::Ruby | Language::Php | Language::Jvm, ":") => {
                    piece.word(span.start)
                }
                _ => None,
            };
            let start = span.start + if name.is_some() { 2 } else { 0 };
            let name = if piece.mark(span.start) == "**" { Some("**") } else { name };
            args.push(Arg { name: name.map(str::to_owned), value: self.eval(piece, start..span.end, level + 1) });
        }
        args
    }

    pub(super) fn member(&mut self, value: CodeValue, name: &str) -> CodeValue {
        let owner = match value {
            CodeValue::Path(path) if name == "parent" || name == "dirname" => return CodeValue::Path(path.parent()),
            CodeValue::Named(owner) => owner,
            // `TemporaryDirectory().name`
            CodeValue::Text(text) if name == "name" && text.text.contains(super::MADE) => return CodeValue::Text(text),
            // `bucket.objects.all`
            CodeValue::Method(on, of) if matches!(*on, CodeValue::Resource(..)) => {
                return CodeValue::Method(Box::new(on.resource(&of)), name.to_owned());
            }
            other => return CodeValue::Method(Box::new(other), name.to_owned()),
        };
        match (owner.as_str(), name) {
            ("process.env" | "os.environ" | "ENV" | "$_SERVER" | "$_ENV", "HOME") => CodeValue::home(),
            ("sys", "executable") => CodeValue::lit("python3"),
            ("process", "execPath" | "argv0") => CodeValue::lit("node"),
            ("Gem" | "RbConfig", "ruby") => CodeValue::lit("ruby"),
            (_, "default" | "__call__" | "__dict__") => CodeValue::Named(owner),
            ("" | "globalThis" | "window" | "builtins" | "__builtins__" | "sys.modules", _) => CodeValue::Named(name.to_owned()),
            _ => self.named(&format!("{owner}.{name}")).settled(),
        }
    }
}
