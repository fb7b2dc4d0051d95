//! A call whose function is known, with its arguments, to findings: what all effects share.

use super::piece::Piece;
use super::tables::Effect;
use super::value::{Arg, Text, Value};
use super::{Found, HOLE, Language, Scan};

/// A call whose effect is known.
pub(super) struct Call<'c, 'a> {
    /// The canonical name.
    pub(super) name: &'c str,
    pub(super) effect: Effect,
    pub(super) args: &'c [Arg<'a>],
    /// What a method is called on.
    pub(super) on: Option<&'c Value>,
    /// Unique in the text.
    pub(super) site: usize,
}

impl<'a> Call<'_, 'a> {
    /// The argument with one of these names, or the one at this place among those without a name.
    pub(super) fn arg(&self, index: usize, names: &[&str]) -> Option<&Arg<'a>> {
        self.args.iter().find(|arg| arg.name.is_some_and(|name| names.contains(&name))).or_else(|| self.args.iter().filter(|arg| arg.name.is_none()).nth(index))
    }

    pub(super) fn named(&self, name: &str) -> Option<&Arg<'a>> {
        self.args.iter().find(|arg| arg.name == Some(name))
    }
}

impl Scan {
    /// Pushes what the call does, with `emit`; gives what the call gives.
    pub(super) fn effect(&mut self, piece: &Piece<'_>, call: &Call<'_, '_>, emit: bool) -> Value {
        use Effect::{
            Argv, Code, CodeText, ExecArgs, ExecList, KeyedSpawn, NodeFork, NodeShell, NodeSpawn, Open, OpenFlags, PathOpen, PerlOpen, Popen, Process, Program,
            Shell, SpawnArgs, SpawnList, Words, WriteAt,
        };
        let opens = matches!(call.effect, Open | PathOpen | OpenFlags)
            || call.effect == WriteAt(0) && matches!(call.name, "fs.createWriteStream" | "Deno.create" | "Deno.createSync");
        if !emit {
            return if opens { Value::Handle(call.site) } else { Value::Unknown };
        }
        if call.args.is_empty() && call.on.is_none() {
            return Value::Unknown;
        }
        let before = self.found.len();
        match call.effect {
            Shell | Process | ExecList | ExecArgs | SpawnList | SpawnArgs | Argv | NodeShell | NodeSpawn | NodeFork | KeyedSpawn | Words | Popen | Program => {
                self.process(piece, call);
            }
            PerlOpen => self.perl_open(piece, call),
            Code | CodeText => self.program_text(piece, call),
            _ => self.file(piece, call),
        }
        if self.language == Language::Unknown && !matches!(call.name, "system" | "shell_exec" | "passthru") && !call.name.contains('.') {
            // In an unknown language such a name proves something only together with a literal.
            let mut at = before;
            while let Some(found) = self.found.get(at) {
                match found {
                    Found::OpaqueShell | Found::Delete { path: None, .. } | Found::Write { path: None, .. } => {
                        drop(self.found.remove(at));
                    }
                    _ => at += 1,
                }
            }
        }
        if opens { Value::Handle(call.site) } else { Value::Unknown }
    }

    /// Program text given to the language's own interpreter.
    fn program_text(&mut self, piece: &Piece<'_>, call: &Call<'_, '_>) {
        let arg = match call.name {
            "Function" | "create_function" => call.args.last(),
            _ => call.arg(0, &[]),
        };
        let Some(arg) = arg else { return };
        for value in self.eval_all(piece, arg.span.clone()) {
            match value {
                Value::Text(text) if text.known => {
                    self.evaluated(&text.text);
                    let begins = |before: &str| before.trim_end_matches([' ', '\t']).chars().next_back().is_none_or(|last| ";{}\n".contains(last));
                    if text.text.match_indices(HOLE).any(|(at, _)| text.text.get(..at).is_some_and(begins)) {
                        self.push(Found::OpaqueShell); // a whole statement is not known
                    }
                }
                Value::Bool(_) | Value::Object(..) | Value::Number(_) => {}
                Value::Decoded => self.push(Found::OpaqueShell),
                _ if call.effect == Effect::Code => self.push(Found::OpaqueShell),
                _ => {}
            }
        }
    }

    /// Text given to a shell.
    pub(super) fn shell(&mut self, value: &Value) {
        match value {
            Value::Text(text) | Value::Path(text) => {
                let known = text.known && !text.text.replace(HOLE, "").trim().is_empty();
                if !text.holes && !known {
                    return; // an empty command
                }
                self.push(if known { Found::Shell(open_holes(&text.text)) } else { Found::OpaqueShell });
            }
            Value::List(items) => self.argv(items.clone()),
            _ => self.push(Found::OpaqueShell),
        }
    }

    /// A program and its arguments.
    pub(super) fn argv(&mut self, mut words: Vec<Option<String>>) {
        /// More words than this are cut off, and something unknown stands for them.
        const MAX_WORDS: usize = 1024;
        if words.is_empty() {
            return;
        }
        if words.len() > MAX_WORDS {
            words.truncate(MAX_WORDS);
            words.push(None);
        }
        let known = words.iter().any(Option::is_some);
        self.push(if known { Found::Argv(words) } else { Found::OpaqueShell });
    }

    /// The values of an argument; those of a text that is none stay unknown.
    pub(super) fn values(&mut self, piece: &Piece<'_>, arg: Option<&Arg<'_>>) -> Vec<Value> {
        let Some(arg) = arg else { return vec![Value::Unknown] };
        let mut values: Vec<Value> = Vec::new();
        for value in self.eval_all(piece, arg.span.clone()) {
            let value = match value {
                // A name is often empty before it is given its value.
                Value::Text(text) if text.known && text.text.is_empty() => continue,
                value @ (Value::Text(_) | Value::Path(_) | Value::List(_) | Value::Object(..)) => value,
                _ => Value::Unknown,
            };
            if !values.contains(&value) {
                values.push(value);
            }
        }
        values
    }

    /// The one value of an argument.
    pub(super) fn value(&mut self, piece: &Piece<'_>, arg: Option<&Arg<'_>>) -> Value {
        arg.map_or(Value::Unknown, |arg| self.eval(piece, arg.span.clone(), 0))
    }

    /// The value of a key in an object of options, `None` where there is no such key.
    pub(super) fn option(&mut self, piece: &Piece<'_>, arg: Option<&Arg<'_>>, key: &str) -> Option<Value> {
        /// Keys further behind are not looked at.
        const MAX_KEYS: usize = 64;
        let arg = arg?;
        let open = (arg.span.start..arg.span.end).take(4).find(|at| matches!(piece.mark(*at), "{" | "["))?;
        for item in piece.items(open).into_iter().take(MAX_KEYS) {
            let name = match piece.token(item.start) {
                Some(super::lex::Token::Word(word)) => Some((*word).to_owned()),
                Some(super::lex::Token::Text(parts)) => Self::plain(parts),
                _ => None,
            };
            if name.as_deref() != Some(key) {
                continue;
            }
            if item.len() == 1 {
                return Some(self.eval(piece, item, 1)); // `{recursive}`
            }
            return Some(self.eval(piece, item.start + 2..item.end, 1));
        }
        None
    }

    /// An open file is written to, or used in a way that cannot be followed.
    pub(super) fn handle(&mut self, piece: &Piece<'_>, place: usize, method: &str, args: &[Arg<'_>]) {
        let line = matches!(method, "puts" | "say" | "println");
        match method {
            "write" | "puts" | "print" | "say" | "<<" | "end" | "writeln" | "println" | "syswrite" | "write_all" => {
                let mut text = Text { known: true, ..Text::default() };
                for arg in args {
                    text.add(&self.value(piece, Some(arg)).into_text());
                }
                if line && !text.text.ends_with('\n') {
                    text.text.push('\n');
                }
                self.handle_text(place, text.literal());
            }
            "writelines" | "truncate" | "printf" | "pipe" | "writev" => self.handle_text(place, None),
            _ => {}
        }
    }

    /// Adds to the text that goes to an open file; `None` makes it unknown for good.
    pub(super) fn handle_text(&mut self, place: usize, more: Option<String>) {
        let Some(&index) = self.handles.get(&place) else { return };
        let Some(Found::Write { text, .. }) = self.found.get_mut(index) else { return };
        match (more, text) {
            (Some(more), Some(text)) => text.push_str(&more),
            (Some(more), empty) => *empty = Some(more),
            (None, text) => {
                *text = None;
                self.handles.remove(&place);
            }
        }
    }

    /// Whether Ruby's or Perl's manners hold.
    pub(super) fn is_ruby(&self) -> bool {
        self.language == Language::Ruby
    }
}

/// Shell text in which no hole stands between single quotes, where it would be read as plain text: there the quotes are
/// closed around it.
fn open_holes(text: &str) -> String {
    let mut opened = String::with_capacity(text.len());
    let mut quote = None;
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        if rest.starts_with(HOLE) {
            let single = quote == Some('\'');
            opened.push_str(if single { "'\"" } else { "" });
            opened.push_str(HOLE);
            opened.push_str(if single { "\"'" } else { "" });
            rest = rest.get(HOLE.len()..).unwrap_or_default();
            continue;
        }
        let mut length = next.len_utf8();
        match (quote, next) {
            (None, '\'' | '"') => quote = Some(next),
            (Some(open), close) if open == close => quote = None,
            (None | Some('"'), '\\') => length += rest.chars().nth(1).map_or(0, char::len_utf8),
            _ => {}
        }
        let (taken, left) = rest.split_at_checked(length).unwrap_or((rest, ""));
        opened.push_str(taken);
        rest = left;
    }
    opened
}
