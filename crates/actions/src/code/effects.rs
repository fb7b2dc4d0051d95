//! A call whose effect is known, with its arguments, to findings.

use super::value::{CodeText, CodeValue};
use super::{CallEffect, CodeAction, HOLE, HOME, Language, MADE, Scan};

/// A folder of temporary files.
const TEMPORARY: &str = "/tmp";

pub(super) struct Arg {
    /// `name=…`, `name: …`
    pub(super) name: Option<String>,
    pub(super) value: CodeValue,
}

/// A call whose effect is known.
pub(super) struct CodeCall<'c> {
    pub(super) name: &'c str,
    pub(super) effect: CallEffect,
    /// The place among the arguments that the effect speaks of.
    pub(super) place: usize,
    pub(super) args: &'c [Arg],
    /// Unique in the text.
    pub(super) site: usize,
}

impl CodeCall<'_> {
    pub(super) fn plain(&self) -> impl Iterator<Item = &CodeValue> {
        self.args.iter().filter(|arg| arg.name.is_none()).map(|arg| &arg.value)
    }

    /// The argument with one of these names, or the one at this place among those without a name.
    fn arg(&self, index: usize, names: &[&str]) -> CodeValue {
        let by_name = self.args.iter().find(|arg| arg.name.as_deref().is_some_and(|name| names.contains(&name))).map(|arg| &arg.value);
        by_name.or_else(|| self.plain().nth(index)).cloned().unwrap_or(CodeValue::Unknown)
    }

    /// The path of what is made for a short time, if the call makes that.
    pub(super) fn made(&self) -> Option<CodeValue> {
        let folder = || {
            let named = self.option("dir").or_else(|| self.option("tmpdir")).cloned();
            named.or_else(|| self.plain().nth(self.place).cloned().filter(|_| self.place > 0)).unwrap_or_else(|| CodeValue::lit(TEMPORARY))
        };
        let elsewhere = self.plain().any(|value| value.literal().as_deref() == Some("DIR"));
        let path = match self.effect {
            CallEffect::TemporaryFolder => return Some(CodeValue::lit(TEMPORARY)),
            CallEffect::Client => return Some(self.client()),
            CallEffect::Prefix => format!("{}{MADE}", self.arg(self.place, &["prefix"]).settled().literal().unwrap_or_default()),
            CallEffect::Temporary if !elsewhere => folder().literal().map_or_else(String::new, |folder| format!("{folder}/{MADE}")),
            CallEffect::Temporary => String::new(),
            _ => return None,
        };
        Some(if path.starts_with('/') || path.starts_with('.') { CodeValue::lit(&path) } else { CodeValue::Unknown })
    }

    /// An option, by name or in an object; `None` if there is no such option.
    pub(super) fn option(&self, key: &str) -> Option<&CodeValue> {
        self.args.iter().find_map(|arg| match &arg.value {
            value if arg.name.as_deref() == Some(key) => Some(value),
            CodeValue::Object(keys) if arg.name.as_deref().is_none_or(|name| name == "**") => keys.iter().find(|(name, _)| name == key).map(|(_, value)| value),
            _ => None,
        })
    }

    /// Whether an option is given and not false.
    fn set(&self, key: &str) -> bool {
        self.option(key).is_some_and(|value| *value != CodeValue::Bool(false))
    }

    /// The words of arguments from this place on, lists taken apart.
    fn words(&self, from: usize) -> Vec<Option<String>> {
        self.plain().skip(from).flat_map(|value| value.clone().settled().elements()).collect()
    }
}

impl Scan {
    pub(super) fn effect(&mut self, call: &CodeCall<'_>) {
        let before = self.found.len();
        let path = |index: usize, names: &[&str]| call.arg(index, names).choices();
        match call.effect {
            CallEffect::Open => self.open(call, call.place),
            CallEffect::PerlOpen => self.perl_open(call),
            CallEffect::Read => {
                for path in path(call.place, &["file", "path", "filename"]).into_iter().flat_map(CodeValue::elements).flatten() {
                    self.push(CodeAction::Read { path });
                }
            }
            // `write(io, text)`
            CallEffect::Write
                if matches!(call.arg(0, &[]), CodeValue::Handle(_)) || self.language == Language::Julia && call.arg(0, &[]).literal().is_none() =>
            {
                if let CodeValue::Handle(place) = call.arg(0, &[]) {
                    self.handle_text(place, call.arg(1, &[]).literal());
                }
            }
            CallEffect::Write | CallEffect::Append => {
                let text = match call.arg(1, &["data", "text"]) {
                    CodeValue::List(items) => items.into_iter().collect::<Option<Vec<_>>>().map(|items| items.concat()),
                    other => other.literal(),
                };
                let flags = call.option("flag").or_else(|| call.option("mode")).and_then(CodeValue::literal).is_some_and(|flag| flag.starts_with('a'));
                let named = call.args.iter().any(|arg| matches!(&arg.value, CodeValue::Named(name) if name.contains("FILE_APPEND")));
                let append = call.effect == CallEffect::Append || flags || named || call.option("append") == Some(&CodeValue::Bool(true));
                for path in path(0, &["file", "path"]).into_iter().flat_map(CodeValue::elements) {
                    self.push(CodeAction::Write { path, append, text: text.clone() });
                }
            }
            CallEffect::WriteAt if call.place > 0 => {
                let from = call.arg(0, &["src"]).literal();
                for path in path(call.place, &["dst", "dest", "filename"]) {
                    let to = path.literal().map(|path| below(&path, from.as_deref()));
                    self.push(CodeAction::Copy { from: from.clone(), to, moved: false });
                }
            }
            CallEffect::WriteAt => {
                let append = call.option("flags").and_then(CodeValue::literal).is_some_and(|flags| flags.contains('a'));
                for path in path(call.place, &["filename"]) {
                    self.opened(call.site, path.literal(), append);
                }
            }
            CallEffect::Attributes => {
                let several = matches!(self.language, Language::Ruby | Language::Perl);
                let recursive = call.name.ends_with("_R") || call.set("recursive");
                let paths: Vec<CodeValue> = call.plain().skip(call.place).take(if several { usize::MAX } else { 1 }).cloned().collect();
                for path in paths.into_iter().flat_map(CodeValue::choices).flat_map(CodeValue::elements) {
                    self.push(CodeAction::Attributes { path, recursive });
                }
            }
            CallEffect::Touch => {
                for path in path(0, &[]).into_iter().flat_map(CodeValue::elements) {
                    self.push(CodeAction::Write { path, append: true, text: Some(String::new()) });
                }
            }
            CallEffect::HandleText => {
                if let CodeValue::Handle(place) = call.arg(0, &[]) {
                    self.handle_text(place, call.arg(1, &[]).literal());
                }
            }
            CallEffect::Delete | CallEffect::DeleteTree => {
                let several = !matches!(self.language, Language::Python | Language::JavaScript | Language::Julia | Language::Lua | Language::Jvm);
                // Options under a name may hold it.
                let named = call.name.contains("rm") && !call.name.contains("rmdir") && matches!(call.plain().nth(1), Some(CodeValue::Named(_)));
                let recursive = call.effect == CallEffect::DeleteTree || call.set("recursive") || !several && named;
                let paths = call.args.iter().filter(|arg| arg.name.as_deref().is_none_or(|name| name == "path")).map(|arg| arg.value.clone());
                for value in paths.take(if several { usize::MAX } else { 1 }).flat_map(CodeValue::choices).filter(|value| !matches!(value, CodeValue::Bool(_)))
                {
                    for path in value.elements() {
                        self.push(CodeAction::Delete { path, recursive });
                    }
                }
            }
            CallEffect::Move => {
                for from in path(0, &["src"]) {
                    for from in from.elements() {
                        let to = call.arg(1, &["dst", "dest", "target"]).literal().map(|path| below(&path, from.as_deref()));
                        self.push(CodeAction::Copy { from, to, moved: true });
                    }
                }
            }
            CallEffect::Request | CallEffect::RequestAs => self.request(call, &CodeText::default()),
            CallEffect::RequestOption => self.request_option(call),
            CallEffect::Client | CallEffect::Database | CallEffect::Store | CallEffect::Service => {}
            CallEffect::Code | CallEffect::CodeText => self.program_text(call),
            CallEffect::Script => {
                let interpreter = if self.language == Language::Python { "python3" } else { self.language.name() };
                for path in path(0, &["path_name"]).into_iter().filter_map(|path| path.literal()) {
                    self.argv(vec![Some(interpreter.to_owned()), Some(path)]);
                }
            }
            _ => self.process(call),
        }
        if self.language == Language::Unknown && !matches!(call.name, "system" | "shell_exec" | "passthru") && !call.name.contains('.') {
            // In an unknown language such a name proves something only together with a literal.
            let later = self.found.split_off(before.min(self.found.len()));
            let unknown = |found: &CodeAction| match found {
                CodeAction::OpaqueShell => true,
                CodeAction::Delete { path, .. } | CodeAction::Write { path, .. } | CodeAction::Attributes { path, .. } => path.is_none(),
                CodeAction::Copy { from, to, .. } => from.is_none() && to.is_none(),
                _ => false,
            };
            self.found.extend(later.into_iter().filter(|found| !unknown(found)));
        }
    }

    fn process(&mut self, call: &CodeCall<'_>) {
        let input = call.option("input").or_else(|| call.option("stdin")).cloned();
        let options = |value: &CodeValue| matches!(value, CodeValue::Object(_));
        match call.effect {
            CallEffect::Argv => self.argv(call.words(0)),
            CallEffect::ExecList => {
                let program = call.arg(call.place, &["path", "file"]).literal();
                for list in call.arg(call.place + 1, &["argv", "args"]).choices() {
                    // The first word is only the name under which the program is shown.
                    let rest = if let CodeValue::List(items) = list { items.into_iter().skip(1).collect() } else { vec![None] };
                    self.argv([program.clone()].into_iter().chain(rest).collect());
                }
            }
            CallEffect::ExecArgs => {
                let mut words = vec![call.arg(call.place, &[]).literal()];
                words.extend(call.words(call.place + 2));
                words.truncate(words.len() - usize::from(call.name.ends_with('e') && words.len() > 1)); // the environment
                self.argv(words);
            }
            CallEffect::Spawn => {
                let list = call.plain().nth(1).filter(|value| !options(value)).or_else(|| call.option("args"));
                let list = list.map_or_else(Vec::new, |list| list.clone().settled().elements());
                for program in call.arg(0, &[]).choices() {
                    let program = if options(&program) { call.option("cmd").cloned().unwrap_or(CodeValue::Unknown) } else { program };
                    if call.set("shell") {
                        let mut text = program.into_text();
                        for word in &list {
                            text.text.push(' ');
                            text.add(&word.as_ref().map_or_else(CodeText::hole, |word| CodeText::lit(word)));
                        }
                        self.shell(&CodeValue::Text(text));
                        continue;
                    }
                    let words: Vec<_> = program.elements().into_iter().chain(list.iter().cloned()).collect();
                    self.argv(words.clone());
                    self.standard_input(&words, input.clone());
                }
            }
            CallEffect::Words if call.plain().filter(|value| !options(value)).count() > 1 => {
                let popen = call.name.contains("popen") && call.name.starts_with("IO");
                if let (true, Some(first)) = (popen, call.plain().find(|value| !options(value))) {
                    self.shell(first); // what follows is the mode
                } else {
                    self.argv(call.words(0));
                }
            }
            _ => {
                let first = call.plain().find(|value| !options(value) || call.effect != CallEffect::Words);
                let named = call.arg(usize::MAX, &["args", "cmd", "command"]);
                let first = if named == CodeValue::Unknown { first.cloned().unwrap_or(named) } else { named };
                for value in first.choices() {
                    self.one_process(call, value, input.clone());
                }
            }
        }
    }

    /// One value that is a command: a list of words, or a text. Without a shell a text is a program and nothing else, but
    /// it may have come out of `shlex.split`.
    fn one_process(&mut self, call: &CodeCall<'_>, value: CodeValue, input: Option<CodeValue>) {
        let words = match value {
            // The rest are arguments of the shell itself.
            CodeValue::List(items) if call.set("shell") => {
                return self.shell(&items.into_iter().next().flatten().map_or(CodeValue::Unknown, |text| CodeValue::lit(&text)));
            }
            CodeValue::List(mut words) => {
                if let (Some(program), Some(first)) = (call.option("executable"), words.first_mut()) {
                    *first = program.literal();
                }
                self.argv(words.clone());
                words
            }
            CodeValue::Path(path) => return self.argv(vec![path.literal()]),
            other => {
                self.shell(&other);
                other.into_text().words(None).elements()
            }
        };
        self.standard_input(&words, input);
    }

    /// A program reads what it is given.
    fn standard_input(&mut self, words: &[Option<String>], input: Option<CodeValue>) {
        let Some(input) = input.filter(|input| !matches!(input, CodeValue::Bool(_) | CodeValue::Named(_))) else { return };
        if words.first().is_some_and(Option::is_some) {
            let text = if let CodeValue::Text(text) = input { (text.known || text.holes).then(|| open_holes(&text.text)) } else { None };
            self.push(CodeAction::Fed(Box::new(CodeAction::Argv(words.to_vec())), text));
        }
    }

    /// Program text given to the language's own interpreter.
    fn program_text(&mut self, call: &CodeCall<'_>) {
        let last = matches!(call.name, "Function" | "create_function");
        let value = if last { call.plain().last().cloned().unwrap_or(CodeValue::Unknown) } else { call.arg(0, &[]) };
        for value in value.choices() {
            match value {
                CodeValue::Text(text) if text.known => {
                    self.evaluated(&text.text);
                    let begins = |before: &str| before.trim_end_matches([' ', '\t']).chars().next_back().is_none_or(|last| ";{}\n".contains(last));
                    if text.text.match_indices(HOLE).any(|(at, _)| text.text.get(..at).is_some_and(begins)) {
                        self.push(CodeAction::OpaqueShell); // a whole statement is not known
                    }
                }
                CodeValue::Bool(_) | CodeValue::Object(_) | CodeValue::Number(_) => {}
                CodeValue::Decoded => self.push(CodeAction::OpaqueShell),
                _ if call.effect == CallEffect::Code => self.push(CodeAction::OpaqueShell),
                _ => {}
            }
        }
    }

    pub(super) fn shell(&mut self, value: &CodeValue) {
        match value {
            CodeValue::Text(text) => {
                let known = text.known && !text.text.replace(HOLE, "").trim().is_empty();
                if text.holes || known {
                    self.push(if known { CodeAction::Shell(open_holes(&text.text)) } else { CodeAction::OpaqueShell });
                }
            }
            CodeValue::List(items) => self.argv(items.clone()),
            _ => self.push(CodeAction::OpaqueShell),
        }
    }

    fn argv(&mut self, mut words: Vec<Option<String>>) {
        /// More words than this are cut off, and something unknown stands for them.
        const MAX_WORDS: usize = 1024;
        if words.len() > MAX_WORDS {
            words.truncate(MAX_WORDS);
            words.push(None);
        }
        if !words.is_empty() {
            let known = words.iter().any(Option::is_some);
            self.push(if known { CodeAction::Argv(words) } else { CodeAction::OpaqueShell });
        }
    }

    /// A path and a mode; in Ruby a path that begins with `|` is a command.
    fn open(&mut self, call: &CodeCall<'_>, mode: usize) {
        let given = call.plain().count() > mode || call.option("mode").is_some() || call.option("flags").is_some();
        let append = match call.arg(mode, &["mode", "flags"]) {
            _ if !given => None,
            CodeValue::Text(text) if !text.holes => {
                let mode = text.text.split([':', ',']).next().unwrap_or_default();
                // What is longer is an encoding.
                let writes = mode.contains(['w', 'a', 'x', '+', 'c', '>']) && (mode.len() <= 5 || mode.starts_with(['<', '>', '+']));
                writes.then(|| mode.contains('a') || mode.contains(">>"))
            }
            CodeValue::Object(_) => call.set("write").then_some(false),
            CodeValue::Bool(_) | CodeValue::List(_) => None,
            CodeValue::Named(flags) if flags.contains("RDONLY") && !flags.contains("CREAT") && !flags.contains("TRUNC") => None,
            CodeValue::Named(flags) => Some(flags.contains("APPEND")),
            _ => Some(false),
        };
        for path in call.arg(0, &["file", "path", "name", "filename"]).choices() {
            let command = path.literal().and_then(|path| path.strip_prefix('|').map(CodeValue::lit)).filter(|_| self.language == Language::Ruby);
            match (command, append) {
                (Some(command), _) => self.shell(&command),
                (None, None) => self.found.extend(path.literal().filter(|path| !path.is_empty()).map(|path| CodeAction::Read { path })),
                (None, Some(append)) if !matches!(path, CodeValue::Number(_)) => self.opened(call.site, path.literal().filter(|path| !path.is_empty()), append),
                _ => {}
            }
        }
    }

    /// A file was opened to be written; what goes into it is added later.
    fn opened(&mut self, site: usize, path: Option<String>, append: bool) {
        self.push(CodeAction::Write { path, append, text: None });
        self.handles.insert(site, self.found.len() - 1);
    }

    /// Perl's `open`: a handle, then a mode and a path or a command, in one or several arguments.
    fn perl_open(&mut self, call: &CodeCall<'_>) {
        let mode = call.arg(1, &[]).into_text();
        let (sign, rest) = mode.text.trim().split_at(mode.text.trim().bytes().take_while(|byte| b"+<>|-".contains(byte)).count());
        let (name, words) = (rest.trim(), call.words(2));
        let text = |text: &str| CodeValue::Text(CodeText { text: text.to_owned(), ..mode.clone() });
        match sign {
            "|-" | "-|" if words.len() == 1 => self.shell(&call.arg(2, &[])),
            "|-" | "-|" => self.argv(words),
            "|" => self.shell(&text(name)),
            // `>&` makes a handle the same as another one, `>-` is the standard output.
            ">" | ">>" | "+<" | "+>" | "+>>" if !name.starts_with('&') => {
                let path = if call.args.len() > 2 { call.arg(2, &[]).literal() } else { text(name).literal() };
                self.opened(call.site, path, sign.contains(">>"));
            }
            "" | "<" if !name.is_empty() && !name.ends_with('|') => self.found.extend(text(name).literal().map(|path| CodeAction::Read { path })),
            "<" => self.found.extend(call.arg(2, &[]).literal().map(|path| CodeAction::Read { path })),
            "" if name.ends_with('|') => self.shell(&text(name.trim_end_matches('|').trim())),
            _ => {}
        }
    }

    /// An open file is written to, or used in a way that cannot be followed.
    pub(super) fn handle(&mut self, place: usize, method: &str, args: &[Arg]) {
        match method {
            "write" | "puts" | "print" | "say" | "end" => {
                let mut text = CodeText::default();
                for arg in args {
                    text.add(&arg.value.clone().into_text());
                }
                if matches!(method, "puts" | "say") && !text.text.ends_with('\n') {
                    text.text.push('\n');
                }
                self.handle_text(place, text.literal());
            }
            "close" | "flush" | "fileno" | "read" | "on" => {}
            _ => self.handle_text(place, None),
        }
    }

    /// Adds to the text that goes to an open file; `None` makes it unknown for good.
    pub(super) fn handle_text(&mut self, place: usize, more: Option<String>) {
        let Some(&index) = self.handles.get(&place) else { return };
        let Some(CodeAction::Write { text, .. }) = self.found.get_mut(index) else { return };
        if let Some(more) = more {
            text.get_or_insert_default().push_str(&more);
        } else {
            *text = None;
            self.handles.remove(&place);
        }
    }
}

/// The path of a file that is put into a folder, where the target says by its end that it is one.
fn below(target: &str, source: Option<&str>) -> String {
    let name = source.and_then(|source| source.trim_end_matches('/').rsplit('/').next());
    name.filter(|_| target.ends_with('/')).map_or_else(|| target.to_owned(), |name| format!("{target}{name}"))
}

/// Shell text in which no hole and no home folder is between single quotes, where it would be read as plain text: there the
/// quotes are closed around it.
fn open_holes(text: &str) -> String {
    let mut opened = String::with_capacity(text.len());
    let (mut quote, mut escaped) = (None, false);
    let mut rest = text;
    while let Some(char) = rest.chars().next() {
        if let Some(hole) = [HOLE, HOME].into_iter().find(|hole| char == '$' && rest.starts_with(hole)) {
            let single = quote == Some('\'');
            opened.extend([if single { "'\"" } else { "" }, hole, if single { "\"'" } else { "" }]);
            rest = rest.get(hole.len()..).unwrap_or("");
            continue;
        }
        match (quote, char) {
            _ if escaped => escaped = false,
            (None | Some('"'), '\\') => escaped = true,
            (None, '\'' | '"') => quote = Some(char),
            (Some(open), close) if open == close => quote = None,
            _ => {}
        }
        opened.push(char);
        rest = rest.get(char.len_utf8()..).unwrap_or("");
    }
    opened
}
