//! What names stand for: imports and assignments, anywhere in the text. Scopes are not distinguished.

use std::collections::HashMap;

use super::lex::{CodeToken, TextForm, TextPart};
use super::piece::{CodePiece, TokenRange};
use super::{Language, Scan, value::CodeValue};

/// More values of one name than this make it unknown.
const MAX_VALUES: usize = 8;

/// Everything that is given to each name anywhere in the text.
#[derive(Default)]
pub(super) struct CodeNames {
    values: HashMap<String, Vec<CodeValue>>,
    stars: Vec<String>,
}

impl CodeNames {
    pub(super) fn get(&self, name: &str) -> Option<&[CodeValue]> {
        self.values.get(name).map(Vec::as_slice)
    }

    /// The modules of `from … import *`.
    pub(super) fn stars(&self) -> &[String] {
        &self.stars
    }

    pub(super) fn give(&mut self, name: &str, value: CodeValue) {
        let values = self.values.entry(name.to_owned()).or_default();
        let value = if values.len() < MAX_VALUES { value } else { CodeValue::Unknown };
        if values.len() <= MAX_VALUES && !values.contains(&value) {
            values.push(value);
        }
    }

    /// A list under this name grows: it has an unknown rest from now on.
    fn grow(&mut self, name: &str) {
        for value in self.values.get_mut(name).into_iter().flatten() {
            if let CodeValue::List(items) = value
                && items.last() != Some(&None)
            {
                items.push(None);
            }
        }
    }
}

impl Scan {
    /// Learns the names of a piece, in the order of the text.
    pub(super) fn learn(&mut self, piece: &CodePiece<'_>) {
        let mut inside = 0;
        for at in 0..piece.len() {
            if self.language == Language::Python && matches!(piece.mark(at), "(" | "[") {
                inside = inside.max(piece.close(at));
            }
            match piece.token(at) {
                // In brackets `name=` is an argument's name.
                Some(CodeToken::Word(_)) if at < inside && piece.mark(at + 1) == "=" => {}
                Some(CodeToken::Word("for" | "foreach")) => self.repeated(piece, at),
                Some(CodeToken::Word("import")) => self.import(piece, at),
                Some(CodeToken::Word("from")) if matches!(self.language, Language::Python | Language::Unknown) => self.members_import(piece, at),
                Some(CodeToken::Word(name)) => self.assignment(piece, at, name),
                Some(CodeToken::Mark("{")) => self.destructuring(piece, at),
                _ => {}
            }
        }
    }

    /// A dotted name; gives it and what follows it.
    fn dotted(piece: &CodePiece<'_>, mut at: usize) -> Option<(String, usize)> {
        let mut name = piece.word(at)?.to_owned();
        at += 1;
        while let (".", Some(part)) = (piece.mark(at), piece.word(at + 1)) {
            name.push('.');
            name.push_str(part);
            at += 2;
        }
        Some((name, at))
    }

    /// `import a.b as c, d`; `import d, {x as y} from "m"`; `import * as n from "m"`.
    fn import(&mut self, piece: &CodePiece<'_>, at: usize) {
        if !matches!(piece.before(at), None | Some(CodeToken::Newline | CodeToken::Mark(";" | ":" | "{" | "}"))) {
            return;
        }
        let end = piece.expression_end(at + 1, true);
        if let Some(from) = (at + 1..end).take(256).find(|place| piece.word(*place) == Some("from"))
            && let Some(CodeToken::Text(TextForm::Plain, parts)) = piece.token(from + 1)
            && let [TextPart::Lit(module)] = parts.as_slice()
        {
            for part in piece.split(at + 1..from) {
                match (piece.mark(part.start), piece.word(part.start)) {
                    ("{", _) => self.members(piece, piece.items(part.start), module),
                    (mark, word) => {
                        let name = if mark == "*" { piece.word(part.start + 2) } else { word };
                        if let Some(name) = name {
                            self.names.give(name, CodeValue::Named(module.clone()));
                        }
                    }
                }
            }
        } else if self.language != Language::JavaScript {
            for part in piece.split(at + 1..end) {
                if let Some((name, next)) = Self::dotted(piece, part.start)
                    && let (Some("as"), Some(alias)) = (piece.word(next), piece.word(next + 1))
                {
                    self.names.give(alias, CodeValue::Named(name));
                }
            }
        }
    }

    /// `a, b as c, d: e` taken from a module.
    fn members(&mut self, piece: &CodePiece<'_>, items: Vec<TokenRange>, module: &str) {
        for item in items {
            if piece.mark(item.start) == "*" {
                self.names.stars.push(module.to_owned());
            }
            let Some(member) = piece.word(item.start) else { continue };
            let second = piece.word(item.start + 1) == Some("as") || piece.mark(item.start + 1) == ":";
            let alias = if second { piece.word(item.start + 2) } else { Some(member) };
            let full = if member == "default" { module.to_owned() } else { format!("{module}.{member}") };
            if let Some(alias) = alias {
                self.names.give(alias, CodeValue::Named(full));
            }
        }
    }

    /// `from m import a, b as c`
    fn members_import(&mut self, piece: &CodePiece<'_>, at: usize) {
        let Some((module, next)) = Self::dotted(piece, at + 1) else { return };
        if piece.word(next) == Some("import") {
            let brackets = piece.mark(next + 1) == "(";
            let items = if brackets { piece.items(next + 1) } else { piece.split(next + 1..piece.expression_end(next + 1, true)) };
            self.members(piece, items, &module);
        }
    }

    fn assignment(&mut self, piece: &CodePiece<'_>, at: usize, name: &str) {
        let python = self.language == Language::Python;
        let mut sign = at + 1;
        let declared = matches!(piece.before(at), Some(CodeToken::Word("const" | "let" | "var" | "my" | "our" | "local" | "export")));
        let starts = match piece.before(at) {
            None
            | Some(CodeToken::Newline | CodeToken::Mark(";" | "{" | "}" | ":" | ")" | "=") | CodeToken::Word("else" | "do" | "then" | "global" | "begin")) => {
                true
            }
            Some(CodeToken::Mark("(" | ",")) => !python || piece.mark(sign) == ":=",
            _ => declared,
        };
        if !starts {
            return;
        }
        if piece.mark(sign) == ":" && (declared || python) {
            // The type of a name is between it and its value.
            sign = (sign..sign + 16).find(|place| piece.mark(*place) == "=" || piece.is_newline(*place)).unwrap_or(sign);
        }
        let value = |scan: &mut Self| scan.eval(piece, sign + 1..piece.expression_end(sign + 1, false), 0);
        match piece.mark(sign) {
            "=" | ":=" | "||=" => {
                for value in value(self).choices() {
                    self.names.give(name, value);
                }
            }
            // It may happen under a condition, so that a text keeps its shorter value too.
            "+=" | ".=" => {
                let more = value(self);
                self.names.grow(name);
                for value in self.names.get(name).unwrap_or_default().to_vec() {
                    if matches!(value, CodeValue::Text(_)) {
                        let longer = self.concat(value, more.clone());
                        self.names.give(name, longer);
                    }
                }
            }
            "<<" => self.names.grow(name),
            "." if matches!(piece.word(at + 2), Some("append" | "push" | "extend" | "concat" | "insert" | "unshift")) => self.names.grow(name),
            _ => {}
        }
    }

    /// `for x in ["a", "b"]`, `for (const x of list)`: the name is each of the values.
    fn repeated(&mut self, piece: &CodePiece<'_>, at: usize) {
        if matches!(self.language, Language::Php | Language::Perl) {
            return self.repeated_over(piece, at);
        }
        let Some(from) = (at + 2..at + 5).find(|place| matches!(piece.word(*place), Some("in" | "of"))) else { return };
        let (Some(name), list) = (piece.word(from - 1), from + 1) else { return };
        if matches!(piece.mark(list), "[" | "(") && !matches!(piece.mark(piece.close(list) + 1), "+" | "." | "[") {
            for item in piece.items(list) {
                let value = self.eval(piece, item, 1);
                self.names.give(name, value);
            }
        } else if let Some(CodeValue::List(items)) =
            piece.word(list).filter(|_| matches!(piece.mark(list + 1), ":" | ")" | "]" | "}")).map(|list| self.named(list).settled())
        {
            for item in items {
                self.names.give(name, item.map_or(CodeValue::Unknown, |item| CodeValue::lit(&item)));
            }
        } else if piece.word(list).is_some() {
            let (files, _) = self.chain(piece, list, piece.len(), false, 1);
            self.names_each(name, &files.settled());
        }
    }

    /// `foreach (glob("x") as $f)`, `for my $f (glob "x")`
    fn repeated_over(&mut self, piece: &CodePiece<'_>, at: usize) {
        let Some(open) = (at + 1..at + 4).find(|place| piece.mark(*place) == "(") else { return };
        let (files, next) = self.chain(piece, open + 1, piece.close(open), false, 1);
        let behind = (piece.word(next) == Some("as")).then_some(next + 1);
        let in_front = (open > at + 1).then(|| open - 1);
        if let Some(name) = behind.or(in_front).and_then(|place| piece.word(place)) {
            self.names_each(name, &files.settled());
        }
    }

    /// `const {a, b: c} = require("m")`
    fn destructuring(&mut self, piece: &CodePiece<'_>, open: usize) {
        let close = piece.close(open);
        if matches!(self.language, Language::JavaScript | Language::Unknown)
            && piece.mark(close + 1) == "="
            && matches!(piece.before(open), Some(CodeToken::Word("const" | "let" | "var") | CodeToken::Mark("(" | ",")))
            && let CodeValue::Named(module) = self.eval(piece, close + 2..piece.expression_end(close + 2, false), 0)
        {
            self.members(piece, piece.items(open), &module);
        }
    }
}
