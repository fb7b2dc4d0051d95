//! Calls that write, move and remove files.

use super::effects::Call;
use super::piece::Piece;
use super::tables::Effect;
use super::value::{Arg, Value};
use super::{Found, Scan};

impl Scan {
    pub(super) fn file(&mut self, piece: &Piece<'_>, call: &Call<'_, '_>) {
        let own = || call.on.cloned().unwrap_or(Value::Unknown);
        match call.effect {
            Effect::Open | Effect::OpenFlags => {
                self.open(piece, call, call.arg(0, &["file", "path", "name", "filename"]), 1);
            }
            Effect::PathOpen => {
                if self.writes(piece, call.arg(0, &["mode"])).is_some_and(|append| append) {
                    self.opened(call.site, &[own()], true);
                } else if self.writes(piece, call.arg(0, &["mode"])).is_some() {
                    self.opened(call.site, &[own()], false);
                }
            }
            Effect::PerlSysopen => self.open(piece, call, call.args.get(1), 2),
            Effect::WriteText { append } => self.write_text(piece, call, append),
            Effect::WriteAt(index) => self.write_at(piece, call, index),
            Effect::HandleText => {
                let text = self.value(piece, call.args.get(1)).literal();
                if let Value::Handle(place) = self.value(piece, call.args.first()) {
                    self.handle_text(place, text);
                }
            }
            Effect::Delete { recursive } => {
                for arg in call.args.iter().filter(|arg| arg.name.is_none() || arg.name == Some("path")) {
                    if matches!(piece.mark(arg.span.start), "{") || arg.span.len() > 1 && piece.mark(arg.span.start) == "\\" {
                        continue; // options
                    }
                    for value in self.eval_all(piece, arg.span.clone()) {
                        self.gone(value, recursive);
                    }
                    if self.language == super::Language::Python || self.language == super::Language::JavaScript {
                        break;
                    }
                }
            }
            Effect::DeleteOption => {
                let options = call.args.get(1);
                let recursive = match self.option(piece, options, "recursive") {
                    Some(value) => value != Value::Bool(false),
                    // Options under a name may hold it; a function is the callback.
                    None => options.is_some_and(|arg| arg.span.len() == 1 && !call.name.contains("unlink") && !call.name.contains("rmdir")),
                };
                for value in self.values(piece, call.args.first()) {
                    self.gone(value, recursive);
                }
            }
            Effect::Move => {
                let target = self.value(piece, call.arg(1, &["dst", "dest"]));
                for value in self.values(piece, call.arg(0, &["src"])) {
                    self.moved(value, &target);
                }
            }
            Effect::PathWrite { append } => {
                let text = self.value(piece, call.arg(0, &["data"])).literal();
                self.written(&own(), append, text);
            }
            Effect::PathTouch => self.written(&own(), true, Some(String::new())),
            Effect::PathLink => self.written(&own(), false, None),
            Effect::PathDelete { recursive } => self.gone(own(), recursive),
            Effect::PathMove => {
                let target = self.value(piece, call.arg(0, &["target"]));
                self.moved(own(), &target);
            }
            Effect::ShellRm | Effect::ShellMove | Effect::ShellCopy => self.shell_file(piece, call),
            _ => {}
        }
    }

    fn written(&mut self, path: &Value, append: bool, text: Option<String>) {
        self.push(Found::Write { path: path.literal(), append, text });
    }

    /// Each path of a list, or the one path.
    fn gone(&mut self, value: Value, recursive: bool) {
        match value {
            Value::Bool(_) | Value::Object(..) => {}
            value => {
                for path in value.elements() {
                    self.push(Found::Delete { path, recursive });
                }
            }
        }
    }

    fn moved(&mut self, from: Value, to: &Value) {
        let sources = from.elements();
        let path = to.literal().map(|target| below(&target, sources.first().and_then(Option::as_deref)));
        for path in sources {
            self.push(Found::Delete { path, recursive: false });
        }
        self.push(Found::Write { path, append: false, text: None });
    }

    /// Whether a mode or flags write, and then whether they append.
    fn writes(&mut self, piece: &Piece<'_>, mode: Option<&Arg<'_>>) -> Option<bool> {
        let mode = mode?;
        match self.eval(piece, mode.span.clone(), 0) {
            Value::Text(text) if !text.holes => {
                let mode = text.text.split([':', ',']).next().unwrap_or_default();
                if mode.len() > 5 && !mode.starts_with(['<', '>', '+']) {
                    return None; // an encoding
                }
                mode.contains(['w', 'a', 'x', '+', 'c', '>']).then(|| mode.contains('a') || mode.contains(">>"))
            }
            Value::Bool(_) | Value::Object(..) | Value::List(_) => None,
            _ => {
                // Flags by name.
                let names: Vec<&str> = mode.span.clone().take(64).filter_map(|at| piece.word(at)).collect();
                let flag = |part: &str| names.iter().any(|name| name.contains(part));
                if flag("RDONLY") && !flag("CREAT") && !flag("TRUNC") {
                    return None;
                }
                Some(flag("APPEND"))
            }
        }
    }

    fn open(&mut self, piece: &Piece<'_>, call: &Call<'_, '_>, path: Option<&Arg<'_>>, mode: usize) {
        let paths = self.values(piece, path);
        if self.is_ruby()
            && let Some(Value::Text(text)) = paths.first()
            && let Some(command) = text.text.strip_prefix('|')
        {
            let command = super::value::Text { text: command.to_owned(), ..text.clone() };
            self.shell(&Value::Text(command));
            return;
        }
        let mode = call.arg(mode, &["mode", "flags"]);
        let options = self.option(piece, call.args.get(1), "write").is_some_and(|value| value != Value::Bool(false));
        let flags = call.effect == Effect::OpenFlags && paths.iter().all(|path| path.literal().is_none());
        let named = |part: &str| mode.is_some_and(|mode| mode.span.clone().take(64).filter_map(|at| piece.word(at)).any(|name| name.contains(part)));
        if flags && !["WRONLY", "RDWR", "CREAT", "TRUNC", "APPEND"].into_iter().any(named) {
            return; // nothing is known at all
        }
        match self.writes(piece, mode) {
            Some(append) => self.opened(call.site, &paths, append),
            None if options => self.opened(call.site, &paths, false),
            None => {}
        }
    }

    /// A file was opened to be written; what goes into it is added later.
    pub(super) fn opened(&mut self, site: usize, paths: &[Value], append: bool) {
        for path in paths {
            self.push(Found::Write { path: path.literal(), append, text: None });
            if matches!(self.found.last(), Some(Found::Write { .. })) {
                self.handles.insert(site, self.found.len() - 1);
            }
        }
    }

    fn write_text(&mut self, piece: &Piece<'_>, call: &Call<'_, '_>, append: bool) {
        let text = self.value(piece, call.arg(1, &["data", "text"]));
        let text = match &text {
            Value::List(items) => items.iter().cloned().collect::<Option<Vec<_>>>().map(|items| items.concat()),
            other => other.literal(),
        };
        // `FILE_APPEND`, `{flag: "a"}`, `mode: "a"`
        let flag = call.args.iter().skip(2).any(|arg| arg.span.clone().take(8).any(|at| piece.word(at) == Some("FILE_APPEND")));
        let option = self.option(piece, call.args.get(2), "flag").or_else(|| self.option(piece, call.args.get(2), "append"));
        let option = option.or_else(|| call.named("mode").map(|arg| self.eval(piece, arg.span.clone(), 0)));
        let append = append || flag || option.is_some_and(|value| value == Value::Bool(true) || value.literal().is_some_and(|flag| flag.starts_with('a')));
        for path in self.values(piece, call.arg(0, &["file", "path"])) {
            for path in path.elements() {
                self.push(Found::Write { path, append, text: text.clone() });
            }
        }
    }

    /// A copy, a link, or another call that only names the path it writes.
    fn write_at(&mut self, piece: &Piece<'_>, call: &Call<'_, '_>, index: usize) {
        let source = if index > 0 { self.value(piece, call.args.first()).literal() } else { None };
        let append = self.option(piece, call.args.get(index + 1), "flags").and_then(|value| value.literal()).is_some_and(|flags| flags.contains('a'));
        for value in self.values(piece, call.arg(index, &["dst", "dest", "filename"])) {
            let path = value.literal().map(|target| below(&target, source.as_deref()));
            self.push(Found::Write { path, append, text: None });
            if index == 0 {
                self.handles.insert(call.site, self.found.len() - 1);
            }
        }
    }

    /// `rm('-rf', path)`, `cp('-r', from, to)`, `mv(from, to)` of shelljs.
    fn shell_file(&mut self, piece: &Piece<'_>, call: &Call<'_, '_>) {
        let mut recursive = false;
        let mut paths = Vec::new();
        for arg in call.args {
            for path in self.value(piece, Some(arg)).elements() {
                match path {
                    Some(flags) if flags.starts_with('-') => recursive |= flags.contains(['r', 'R']),
                    path => paths.push(path),
                }
            }
        }
        let target = if call.effect == Effect::ShellRm { None } else { paths.pop() };
        if call.effect != Effect::ShellCopy {
            for path in &paths {
                self.push(Found::Delete { path: path.clone(), recursive: recursive && call.effect == Effect::ShellRm });
            }
        }
        if let Some(target) = target {
            let source = paths.first().cloned().flatten();
            self.push(Found::Write { path: target.map(|target| below(&target, source.as_deref())), append: false, text: None });
        }
    }

    /// Perl's `open` in its forms.
    pub(super) fn perl_open(&mut self, piece: &Piece<'_>, call: &Call<'_, '_>) {
        let handle = call.args.first().and_then(|arg| arg.span.clone().rev().find_map(|at| piece.word(at)));
        let mode = self.value(piece, call.args.get(1)).into_text();
        let trimmed = mode.text.trim();
        let append = trimmed.contains(">>");
        // `>&` makes a handle the same as another one, `>-` is the standard output.
        let writes = trimmed.starts_with(['>', '+']) && !trimmed.trim_start_matches(['>', '+', '<']).trim_start().starts_with(['&', '-']);
        let mut paths = Vec::new();
        match call.args.get(2) {
            None => {
                if let Some(command) = trimmed.strip_prefix('|').or_else(|| trimmed.strip_suffix('|')) {
                    let command = super::value::Text { text: command.trim().to_owned(), ..mode.clone() };
                    self.shell(&Value::Text(command));
                } else if writes {
                    let path = trimmed.trim_start_matches(['>', '+', '<']).trim().to_owned();
                    paths.push(Value::Text(super::value::Text { text: path, ..mode.clone() }));
                }
            }
            Some(arg) if trimmed.starts_with("|-") || trimmed.starts_with("-|") => {
                let mut words = Vec::new();
                for arg in call.args.iter().skip(2) {
                    words.extend(self.value(piece, Some(arg)).elements());
                }
                match words.as_slice() {
                    [_] => {
                        let text = self.value(piece, Some(arg));
                        self.shell(&text);
                    }
                    _ => self.argv(words),
                }
            }
            arg @ Some(_) if writes => paths = self.values(piece, arg),
            Some(_) => {}
        }
        if paths.is_empty() {
            return;
        }
        self.opened(call.site, &paths, append);
        if let Some(handle) = handle {
            self.names.give(handle, Value::Handle(call.site));
        }
    }
}

/// The path of a file that is put into a folder, where the target says by its end that it is one.
fn below(target: &str, source: Option<&str>) -> String {
    let name = source.and_then(|source| source.trim_end_matches('/').rsplit('/').next());
    match name {
        Some(name) if target.ends_with('/') => format!("{target}{name}"),
        _ => target.to_owned(),
    }
}
