//! What names stand for: imports, assignments of literals, loops over literal lists. Scopes are not told apart.

use std::collections::HashMap;

use super::lex::Token;
use super::piece::{Piece, Span};
use super::tables;
use super::value::Value;
use super::{Language, Scan};

/// More values of one name than this make it unknown.
const MAX_VALUES: usize = 8;

/// Everything that is given to each name anywhere in the text.
#[derive(Default)]
pub(super) struct Names {
    values: HashMap<String, Vec<Value>>,
    /// The parameters of the functions that the text defines.
    functions: HashMap<String, Vec<String>>,
    /// Modules whose members are known without their prefix.
    stars: Vec<String>,
}

impl Names {
    pub(super) fn get(&self, name: &str) -> Option<&[Value]> {
        self.values.get(name).map(Vec::as_slice)
    }

    /// The modules of `from … import *`.
    pub(super) fn stars(&self) -> &[String] {
        &self.stars
    }

    pub(super) fn give(&mut self, name: &str, value: Value) {
        let values = self.values.entry(name.to_owned()).or_default();
        if values.contains(&value) {
            return;
        }
        let value = if values.len() < MAX_VALUES { value } else { shared(values, &value) };
        if values.len() <= MAX_VALUES && !values.contains(&value) {
            values.push(value);
        }
    }
}

/// What all values begin with, and something unknown after it.
fn shared(values: &[Value], more: &Value) -> Value {
    let Value::List(first) = more else { return Value::Unknown };
    let mut length = first.len();
    for value in values {
        let Value::List(items) = value else { return Value::Unknown };
        length = length.min(items.iter().zip(first).take_while(|(left, right)| left == right).count());
    }
    Value::List(first.iter().take(length).cloned().chain([None]).collect())
}

impl Scan {
    /// Learns the names of a piece, in the order of the text.
    pub(super) fn learn(&mut self, piece: &Piece<'_>) {
        for at in 0..piece.len() {
            self.definition(piece, at);
        }
        let mut inside = 0;
        for at in 0..piece.len() {
            self.arguments_given(piece, at);
            if self.language == Language::Python && matches!(piece.mark(at), "(" | "[") {
                inside = inside.max(piece.close(at));
            }
            match piece.token(at) {
                // In brackets `name=` is an argument's name.
                Some(Token::Word(_)) if at < inside && piece.mark(at + 1) == "=" => {}
                Some(Token::Word("import")) => self.import(piece, at),
                Some(Token::Word("from")) if matches!(self.language, Language::Python | Language::Unknown) => {
                    self.members_import(piece, at);
                }
                Some(Token::Word("with")) => self.with(piece, at),
                Some(Token::Word("for" | "foreach")) => self.each(piece, at),
                Some(Token::Word(name)) => self.assignment(piece, at, name),
                Some(Token::Mark("{")) => self.destructuring(piece, at),
                _ => {}
            }
        }
    }

    /// The parameters of a function that is defined here.
    fn definition(&mut self, piece: &Piece<'_>, at: usize) {
        let Some(name) = piece.word(at) else { return };
        let defined = matches!(piece.before(at), Some(Token::Word("def" | "function")));
        let assigned = self.language == Language::JavaScript && piece.mark(at + 1) == "=";
        let mut open = at + 1;
        if assigned {
            open = at + 2;
            while matches!(piece.word(open), Some("async" | "function")) {
                open += 1;
            }
            if let (Some(only), "=>") = (piece.word(open), piece.mark(open + 1)) {
                self.names.functions.insert(name.to_owned(), vec![only.to_owned()]);
                return;
            }
            let arrow = piece.mark(piece.skip(open)) == "=>" || piece.mark(piece.skip(open)) == ":" || piece.word(open - 1) == Some("function");
            if !arrow {
                return;
            }
        } else if !defined {
            return;
        }
        if piece.mark(open) != "(" {
            return;
        }
        let mut parameters = Vec::new();
        for item in piece.items(open) {
            // In Python the receiver is not among the arguments; a type may stand in front of a name in PHP.
            let Some(name) = item.clone().take(4).filter_map(|place| piece.word(place)).find(|word| self.language != Language::Php || word.starts_with('$'))
            else {
                continue;
            };
            if matches!(name, "self" | "cls") {
                continue;
            }
            if let Some(sign) = item.clone().take(16).find(|place| piece.mark(*place) == "=") {
                for value in self.eval_all(piece, sign + 1..item.end) {
                    self.names.give(name, value);
                }
            }
            parameters.push(name.to_owned());
        }
        self.names.functions.insert(name.to_owned(), parameters);
    }

    /// What a call of a function of the text itself gives to its parameters.
    fn arguments_given(&mut self, piece: &Piece<'_>, at: usize) {
        let Some(name) = piece.word(at) else { return };
        if self.names.functions.is_empty() || matches!(piece.before(at), Some(Token::Word("def" | "function"))) {
            return;
        }
        let Some(parameters) = self.names.functions.get(name).cloned() else { return };
        if let (Some(Token::Mark(".")), Some(owner)) = (piece.before(at), at.checked_sub(2).and_then(|owner| piece.word(owner))) {
            // `subprocess.run` is not the `run` of the text.
            let known = match self.named(owner) {
                Value::Named(owner) => {
                    let full = tables::canonical(self.language, &format!("{owner}.{name}"), self.names.stars());
                    tables::function(self.language, &full).is_some()
                }
                Value::Unknown => false,
                _ => true,
            };
            if known {
                return;
            }
        }
        let open = if matches!(piece.mark(at + 1), "." | "?.") && piece.mark(at + 2) == "(" { at + 2 } else { at + 1 };
        if piece.mark(open) != "(" {
            let stop = piece.expression_end(at + 1, true);
            let command = self.language == Language::Ruby && matches!(piece.token(at + 1), Some(Token::Text(_) | Token::Word(_) | Token::Words(_)));
            if command {
                self.give_all(piece, &parameters, piece.split(at + 1..stop, |mark| mark == ","));
            } else if piece.mark(at + 1) != "=" && self.language != Language::Ruby {
                // The function is handed on: nobody knows what it is called with.
                for parameter in &parameters {
                    self.names.give(parameter, Value::Unknown);
                }
            }
            return;
        }
        self.give_all(piece, &parameters, piece.items(open));
    }

    fn give_all(&mut self, piece: &Piece<'_>, parameters: &[String], items: Vec<Span>) {
        for (index, item) in items.into_iter().enumerate().take(16) {
            let named = piece.word(item.start).filter(|_| matches!(piece.mark(item.start + 1), "=" | ":"));
            let named = named.and_then(|name| parameters.iter().find(|parameter| *parameter == name));
            let Some(parameter) = named.or_else(|| parameters.get(index)) else { continue };
            let start = if named.is_some() { item.start + 2 } else { item.start };
            for value in self.eval_all(piece, start..item.end) {
                match value {
                    Value::Named(name) if name == *parameter => {} // it calls itself
                    Value::Named(_) => self.names.give(parameter, Value::Unknown),
                    value => self.names.give(parameter, value),
                }
            }
        }
    }

    /// A dotted name; gives it and what follows it.
    fn dotted(piece: &Piece<'_>, at: usize) -> Option<(String, usize)> {
        let mut name = piece.word(at)?.to_owned();
        let mut at = at + 1;
        while piece.mark(at) == "."
            && let Some(part) = piece.word(at + 1)
        {
            name.push('.');
            name.push_str(part);
            at += 2;
        }
        Some((name, at))
    }

    /// `import a.b as c, d`; `import d, {x as y} from "m"`; `import * as n from "m"`.
    fn import(&mut self, piece: &Piece<'_>, at: usize) {
        if !matches!(piece.before(at), None | Some(Token::Newline | Token::Mark(";" | ":" | "{" | "}"))) {
            return;
        }
        let end = piece.expression_end(at + 1, true);
        let module = (at + 1..end).take(256).find(|place| piece.word(*place) == Some("from")).and_then(|from| match piece.token(from + 1) {
            Some(Token::Text(parts)) => Some((from, Self::plain(parts)?)),
            _ => None,
        });
        if let Some((from, module)) = module {
            self.import_clause(piece, at + 1..from, &module);
            return;
        }
        if self.language == Language::JavaScript {
            return;
        }
        let mut next = at + 1;
        while let Some((name, after)) = Self::dotted(piece, next) {
            next = after;
            if piece.word(next) == Some("as")
                && let Some(alias) = piece.word(next + 1)
            {
                self.names.give(alias, Value::Named(name));
                next += 2;
            }
            if piece.mark(next) != "," {
                break;
            }
            next += 1;
        }
    }

    fn import_clause(&mut self, piece: &Piece<'_>, clause: Span, module: &str) {
        for part in piece.split(clause, |mark| mark == ",") {
            match (piece.mark(part.start), piece.word(part.start)) {
                ("*", _) => {
                    if let Some(alias) = piece.word(part.start + 2) {
                        self.names.give(alias, Value::Named(module.to_owned()));
                    }
                }
                ("{", _) => self.members(piece, part.start, module),
                (_, Some(name)) => self.names.give(name, Value::Named(module.to_owned())),
                _ => {}
            }
        }
    }

    /// `{a, b as c, d: e}` taken from a module.
    fn members(&mut self, piece: &Piece<'_>, open: usize, module: &str) {
        for item in piece.items(open) {
            let Some(member) = piece.word(item.start) else { continue };
            let second = piece.word(item.start + 1) == Some("as") || piece.mark(item.start + 1) == ":";
            if second && piece.mark(item.start + 2) == "{" {
                self.members(piece, item.start + 2, &format!("{module}.{member}"));
                continue;
            }
            let alias = if second { piece.word(item.start + 2) } else { Some(member) };
            if let Some(alias) = alias {
                let full = if member == "default" { module.to_owned() } else { format!("{module}.{member}") };
                self.names.give(alias, Value::Named(full));
            }
        }
    }

    /// `from m import a, b as c`
    fn members_import(&mut self, piece: &Piece<'_>, at: usize) {
        let Some((module, next)) = Self::dotted(piece, at + 1) else { return };
        if piece.word(next) != Some("import") {
            return;
        }
        let span = if piece.mark(next + 1) == "(" { next + 2..piece.close(next + 1) } else { next + 1..piece.expression_end(next + 1, true) };
        for part in piece.split(span, |mark| mark == ",") {
            if piece.mark(part.start) == "*" {
                self.names.stars.push(module.clone());
            }
            let Some(member) = piece.word(part.start) else { continue };
            let alias = if piece.word(part.start + 1) == Some("as") { piece.word(part.start + 2) } else { Some(member) };
            if let Some(alias) = alias {
                self.names.give(alias, Value::Named(format!("{module}.{member}")));
            }
        }
    }

    /// `with open(…) as f, open(…) as g:`
    fn with(&mut self, piece: &Piece<'_>, at: usize) {
        let mut at = at + 1;
        if piece.mark(at) == "(" && piece.mark(piece.close(at) + 1) == ":" {
            at += 1;
        }
        loop {
            let (value, next) = self.chain(piece, at, piece.len(), false, 0);
            if piece.word(next) != Some("as") {
                return;
            }
            if let Some(name) = piece.word(next + 1) {
                self.names.give(name, value);
            }
            if piece.mark(next + 2) != "," {
                return;
            }
            at = piece.skip_newlines(next + 3);
        }
    }

    /// `for x in […]`, `for (const x of […])`, `foreach my $x (…)`, `foreach ([…] as $x)`
    fn each(&mut self, piece: &Piece<'_>, at: usize) {
        let mut at = at + 1;
        let inside = piece.mark(at) == "(";
        let close = piece.close(at);
        if inside {
            at += 1;
        }
        if piece.word(at).is_some_and(|word| matches!(word, "const" | "let" | "var" | "my" | "our" | "await")) {
            at += 1;
        }
        let (name, list) = match self.language {
            Language::Php if inside => {
                let Some(sign) = (at..close).take(64).find(|place| piece.word(*place) == Some("as")) else { return };
                (piece.word(sign + 1), at..sign)
            }
            Language::Perl if piece.mark(at + 1) == "(" => (piece.word(at), at + 1..piece.skip(at + 1)),
            _ if matches!(piece.word(at + 1), Some("in" | "of")) => {
                let mut end = at + 2;
                while end < piece.len().min(at + 64) && !matches!(piece.mark(end), ":" | ")" | "]" | "}" | "{" | ";") && !piece.is_newline(end) {
                    end = piece.skip(end);
                }
                (piece.word(at), at + 2..end)
            }
            _ => return,
        };
        let Some(name) = name else { return };
        match self.eval(piece, list, 0) {
            Value::List(items) => {
                for item in items {
                    self.names.give(name, item.map_or(Value::Unknown, |text| Value::lit(&text)));
                }
            }
            _ => self.names.give(name, Value::Unknown),
        }
    }

    fn assignment(&mut self, piece: &Piece<'_>, at: usize, name: &str) {
        let python = self.language == Language::Python;
        let mut sign = at + 1;
        let declared = matches!(piece.before(at), Some(Token::Word("const" | "let" | "var" | "my" | "our" | "local" | "export")));
        let starts = declared
            || match piece.before(at) {
                None | Some(Token::Newline | Token::Mark(";" | "{" | "}" | ":" | ")")) => true,
                Some(Token::Mark("(" | ",")) => !python || piece.mark(sign) == ":=",
                Some(Token::Word("else" | "do" | "then" | "global" | "begin")) => true,
                _ => false,
            };
        let own = match (piece.before(at), at.checked_sub(2).and_then(|owner| piece.word(owner))) {
            (Some(Token::Mark("." | "->")), Some(owner @ ("self" | "this" | "$this"))) if piece.mark(sign) == "=" => Some(format!("{owner}.{name}")),
            _ => None,
        };
        if !starts && own.is_none() {
            return;
        }
        let name = own.as_deref().unwrap_or(name);
        if piece.mark(sign) == ":" && (declared || python) {
            // The type of a name stands between it and its value.
            let end = (sign..sign + 16).find(|place| piece.mark(*place) == "=" || piece.is_newline(*place));
            sign = end.unwrap_or(sign);
        }
        match piece.mark(sign) {
            "=" | ":=" | "||=" => {
                let mut names = vec![name];
                // `a = b = "x"`
                while names.len() < MAX_VALUES
                    && let (Some(next), "=") = (piece.word(sign + 1), piece.mark(sign + 2))
                {
                    names.push(next);
                    sign += 2;
                }
                let span = sign + 1..piece.expression_end(sign + 1, false);
                for value in self.eval_all(piece, span) {
                    for name in &names {
                        self.names.give(name, value.clone());
                    }
                }
            }
            "+=" | ".=" | "<<" if !matches!(name, "cout" | "class") => {
                let span = sign + 1..piece.expression_end(sign + 1, false);
                let value = self.eval(piece, span, 0);
                self.extend(name, &value, piece.mark(sign) == "<<");
            }
            "." if piece.mark(at + 3) == "("
                && piece.word(at + 2).is_some_and(|word| matches!(word, "append" | "push" | "extend" | "concat" | "insert" | "unshift")) =>
            {
                let items = piece.items(at + 3);
                let value = match items.as_slice() {
                    [item] => self.eval(piece, item.clone(), 0),
                    items => {
                        let items = items.iter().map(|item| self.eval(piece, item.clone(), 0).literal()).collect();
                        Value::List(items)
                    }
                };
                self.extend(name, &value, true);
            }
            _ => {}
        }
    }

    /// Adds to every value of a name, and keeps the old ones, since it may happen under a condition.
    fn extend(&mut self, name: &str, more: &Value, as_element: bool) {
        let values: Vec<Value> = self.names.get(name).unwrap_or_default().to_vec();
        for value in values {
            if !self.spend(value.size() + more.size()) {
                return;
            }
            let longer = match value {
                Value::Text(mut text) => {
                    text.add(&more.clone().into_text());
                    Value::Text(text)
                }
                Value::List(mut items) => {
                    match more {
                        Value::List(more) => items.extend(more.iter().cloned()),
                        other if as_element => items.push(other.literal()),
                        _ => items.push(None),
                    }
                    Value::List(items)
                }
                _ => continue,
            };
            self.names.give(name, longer);
        }
    }

    /// `const {a, b: c} = require("m")`
    fn destructuring(&mut self, piece: &Piece<'_>, open: usize) {
        if self.language != Language::JavaScript && self.language != Language::Unknown {
            return;
        }
        let close = piece.close(open);
        if piece.mark(close + 1) != "=" || !matches!(piece.before(open), Some(Token::Word("const" | "let" | "var") | Token::Mark("(" | ","))) {
            return;
        }
        let span = close + 2..piece.expression_end(close + 2, false);
        if let Value::Named(module) = self.eval(piece, span, 0) {
            self.members(piece, open, &module);
        }
    }
}
