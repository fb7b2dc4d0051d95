//! From a piece of code to the functions that are called, and calls that only make a value.

use super::effects::{Arg, CodeCall};
use super::lex::{CodeToken, TextForm};
use super::value::{CodeText, CodeValue, fill, join_path, joined};
use super::{CallEffect, CodeAction, HOME, Language, STAR, Scan, eval::MAX_TERMS, functions, piece::CodePiece};
use crate::word::is_one;

/// Words that no chain begins with.
const KEYWORDS: &[&str] = &[
    "await", "new", "return", "if", "else", "elif", "elsif", "while", "for", "in", "of", "not", "and", "or", "do", "end", "then", "import", "from", "as",
    "with", "const", "let", "var", "my", "our", "local", "def", "sub", "function", "class", "fn", "func", "try", "except", "finally", "catch", "raise",
    "throw", "yield", "lambda", "async", "pass", "typeof", "void", "echo", "print", "puts", "unless", "begin", "rescue", "ensure", "case", "when", "use",
];

/// Methods that call the method which their first argument names.
const SENDERS: &str = "call_user_func call_user_func_array send public_send __send__";

/// What texts and lists of Groovy and Scala have to be run as commands.
const RUNNERS: &str = "execute ! !! !< !!< run lazyLines lineStream";

/// Methods that only path objects have.
const PATH_ONLY: &[&str] = &["write_text", "write_bytes", "read_text", "read_bytes"];

impl Scan {
    pub(super) fn calls(&mut self, piece: &CodePiece<'_>) {
        for at in 0..piece.len() {
            let starts = match piece.token(at) {
                Some(CodeToken::Text(form, parts)) => {
                    if *form == TextForm::Command {
                        let text = self.text_of(parts);
                        self.shell(&CodeValue::Text(text));
                    }
                    self.holes(parts);
                    let run = self.language == Language::Jvm && matches!(piece.mark(at + 1), "!" | "!!");
                    *form != TextForm::Regex && (run || matches!(piece.mark(at + 1), "." | "->"))
                }
                Some(CodeToken::Word(word)) => {
                    let member = matches!(piece.before(at), Some(CodeToken::Mark("." | "->" | "::" | "?." | "&.")));
                    let defined = matches!(piece.before(at), Some(CodeToken::Word("def" | "sub" | "function" | "class" | "fn" | "func")));
                    let key = piece.mark(at + 1) == "=>" && self.language != Language::JavaScript;
                    let keyword = KEYWORDS.contains(word) && !(*word == "import" && piece.mark(at + 1) == "(");
                    !member && !defined && !key && !keyword
                }
                Some(CodeToken::Mark("(")) => {
                    let called = matches!(piece.before(at), Some(CodeToken::Word(word)) if !KEYWORDS.contains(word))
                        || matches!(piece.before(at), Some(CodeToken::Mark(")" | "]")));
                    !called && !piece.unclosed(at) && matches!(piece.mark(piece.close(at) + 1), "(" | "." | "?." | "[" | "->")
                }
                // `["git", "push"].execute()`
                Some(CodeToken::Mark("[")) => {
                    self.language == Language::Jvm
                        && !piece.unclosed(at)
                        && piece.mark(piece.close(at) + 1) == "."
                        && !matches!(piece.before(at), Some(CodeToken::Word(_)))
                }
                _ => false,
            };
            if starts {
                let (value, next) = self.chain(piece, at, piece.len(), true, 0);
                match value {
                    CodeValue::Handle(place) => self.opened_as(piece, place, next),
                    // `with TemporaryDirectory() as name`
                    CodeValue::Text(_) | CodeValue::Client(_) | CodeValue::Connection(_) | CodeValue::Service(_) | CodeValue::Resource(..)
                        if piece.word(next) == Some("as") && self.language == Language::Python =>
                    {
                        piece.word(next + 1).into_iter().for_each(|name| self.names.give(name, value.clone()));
                    }
                    _ => {}
                }
            }
        }
    }

    /// What follows an open file: `as f`, `{ |f| … }`, `<< "text"`.
    fn opened_as(&mut self, piece: &CodePiece<'_>, place: usize, next: usize) {
        let name = match (piece.word(next), piece.mark(next)) {
            (Some("as"), _) => piece.word(next + 1),
            (Some("do"), _) | (_, "{") if piece.mark(next + 1) == "|" => piece.word(next + 2),
            // `do io`
            (Some("do"), _) if self.language == Language::Julia => piece.word(next + 1),
            (_, "<<") => {
                let text = self.eval(piece, next + 1..piece.expression_end(next + 1, true), 0).literal();
                return self.handle_text(place, text);
            }
            _ => None,
        };
        if let Some(name) = name {
            self.names.give(name, CodeValue::Handle(place));
        }
    }

    /// A call of `callee`; its value.
    pub(super) fn call(&mut self, callee: CodeValue, mut args: Vec<Arg>, site: usize, emit: bool) -> CodeValue {
        let (name, effect) = match callee {
            CodeValue::Text(text) if self.language == Language::Php => return self.call(CodeValue::Named(text.text), args, site, emit),
            CodeValue::Named(name) => {
                let name = functions::canonical(self.language, &name, self.names.stars());
                if let Some(value) = self.making(&name, &args) {
                    return value;
                }
                let last = name.rsplit('.').next().unwrap_or_default();
                if is_one(SENDERS, last)
                    && let Some(sent) = args.first().and_then(|arg| arg.value.literal())
                {
                    let owner = name.strip_suffix(last).filter(|_| self.language == Language::Ruby).unwrap_or("");
                    return self.call(CodeValue::Named(format!("{owner}{sent}")), args.split_off(1), site, emit);
                }
                if let Some(base) = name.strip_suffix(last).and_then(|base| base.strip_suffix('.')).filter(|_| matches!(last, "call" | "apply" | "bind"))
                    && functions::function(self.language, base).is_some()
                {
                    let this = usize::from(self.language == Language::JavaScript).min(args.len());
                    return self.call(CodeValue::Named(base.to_owned()), args.split_off(this), site, emit);
                }
                let program = name.strip_prefix("sh.").filter(|_| self.language == Language::Python);
                let bare = self.language == Language::JavaScript && (name.ends_with("Sync") || name == "execFile");
                let effect = if let Some(program) = program {
                    args.insert(0, Arg { name: None, value: CodeValue::lit(program) });
                    Some((CallEffect::Argv, 0))
                } else if last != name && PATH_ONLY.contains(&last) {
                    args.insert(0, Arg { name: None, value: CodeValue::Unknown });
                    functions::path_method(last)
                } else {
                    // Else a function of a module under a name that is not known.
                    functions::function(self.language, &name).or_else(|| functions::method(last).filter(|_| (last != name || bare) && !args.is_empty()))
                };
                (name, effect)
            }
            CodeValue::Method(on, name) => {
                if is_one(SENDERS, &name)
                    && let Some(sent) = args.first().and_then(|arg| arg.value.literal())
                {
                    let value = self.member(*on, &sent);
                    return self.call(value, args.split_off(1), site, emit);
                }
                if let Some(value) = self.making_method(&on, &name, &args) {
                    return value;
                }
                if matches!(name.as_str(), "call" | "apply" | "bind") {
                    // `f.call(this, …)` is a call of `f`; in Ruby all arguments count.
                    let this = usize::from(self.language == Language::JavaScript).min(args.len());
                    return self.call(*on, args.split_off(this), site, emit);
                }
                let bare = args.is_empty() && matches!(name.as_str(), "unlink" | "rmdir" | "rmtree");
                let effect = match *on {
                    CodeValue::Handle(place) => {
                        if emit {
                            self.handle(place, &name, &args);
                        }
                        None
                    }
                    ref text @ (CodeValue::Text(_) | CodeValue::List(_)) if self.language == Language::Jvm && is_one(RUNNERS, &name) => {
                        if emit {
                            self.shell(text);
                        }
                        None
                    }
                    CodeValue::Service(words) => {
                        if emit {
                            self.service_method(&words, &name, &args);
                        }
                        None
                    }
                    resource @ CodeValue::Resource(..) => return self.resource_method(resource, &name, &args, emit),
                    CodeValue::Connection(connection) => return self.connection_method(&connection, &name, &args, emit),
                    CodeValue::Client(begins) => {
                        if emit {
                            self.client_method(&begins, &name, &args, site);
                        }
                        None
                    }
                    CodeValue::Text(_) => None,
                    on if matches!(on, CodeValue::Path(_)) || bare || PATH_ONLY.contains(&name.as_str()) => {
                        args.insert(0, Arg { name: None, value: on });
                        functions::path_method(&name)
                    }
                    _ => {
                        if emit {
                            self.unknown_client(&name, &args, site);
                        }
                        functions::method(&name)
                    }
                };
                (name, effect)
            }
            _ => return CodeValue::Unknown,
        };
        let Some(effect) = effect else {
            // `boto3.Session().client(…)`: what is made has the functions that the table has of it.
            let class = name.rsplit('.').next().is_some_and(|last| last.starts_with(|first: char| first.is_ascii_uppercase()));
            if class && functions::client(self.language, &format!("{name}.client")).is_some() {
                return CodeValue::Named(name);
            }
            if emit {
                self.handed_on(&name, &args);
            }
            return CodeValue::Unknown;
        };
        let (effect, place) = effect;
        if effect == CallEffect::Service {
            return self.service(&CodeCall { name: &name, effect, place, args: &args, site });
        }
        if matches!(effect, CallEffect::Database | CallEffect::Store) {
            return self.connected(&CodeCall { name: &name, effect, place, args: &args, site }, effect == CallEffect::Store);
        }
        if let Some(made) = (CodeCall { name: &name, effect, place, args: &args, site }).made() {
            return made;
        }
        let opens = effect == CallEffect::Open || (effect, place) == (CallEffect::WriteAt, 0);
        if emit && !args.is_empty() {
            self.effect(&CodeCall { name: &name, effect, place, args: &args, site });
        }
        if opens { CodeValue::Handle(site) } else { CodeValue::Unknown }
    }

    /// What is given to a function of which nothing is known: one that runs programs may be called there with anything, and
    /// anything may be written to an open file.
    fn handed_on(&mut self, to: &str, args: &[Arg]) {
        for arg in args {
            match &arg.value {
                CodeValue::Handle(place) if !matches!(to, "fclose" | "close" | "fs.closeSync" | "fs.close" | "flock" | "binmode" | "fflush") => {
                    self.handle_text(*place, None);
                }
                CodeValue::Named(name) if name.contains('.') => {
                    let name = functions::canonical(self.language, name, self.names.stars());
                    if matches!(functions::function(self.language, &name), Some((CallEffect::Shell | CallEffect::Spawn | CallEffect::Words, _))) {
                        self.push(CodeAction::OpaqueShell);
                    }
                }
                _ => {}
            }
        }
    }

    /// Calls of functions that only make a value. `None` for any other name.
    fn making(&mut self, name: &str, args: &[Arg]) -> Option<CodeValue> {
        if functions::decodes(name) {
            return Some(CodeValue::Decoded);
        }
        let arg = |index: usize| args.get(index).map_or(CodeValue::Unknown, |arg| arg.value.clone().settled());
        let texts = |from: usize| -> Vec<CodeText> {
            let texts = args.iter().skip(from).flat_map(|arg| match arg.value.clone().settled() {
                CodeValue::List(items) => items.into_iter().map(|item| item.map_or_else(CodeText::hole, |item| CodeText::lit(&item))).collect(),
                other => vec![other.into_text()],
            });
            texts.take(MAX_TERMS).collect()
        };
        let size = args.iter().map(|arg| arg.value.size()).sum();
        if !self.spend(size) {
            return Some(CodeValue::Unknown);
        }
        Some(match name {
            "Path" | "pathlib.Path" | "pathlib.PosixPath" | "PurePath" | "pathlib.PurePath" | "Pathname.new" | "Pathname" | "path" | "Bun.file" => {
                CodeValue::Path(join_path(texts(0)))
            }
            "Path.home" | "pathlib.Path.home" => CodeValue::Path(CodeText::lit(HOME)),
            "Path.cwd" | "pathlib.Path.cwd" => CodeValue::Path(CodeText::lit(".")),
            "os.path.join" | "path.join" | "path.resolve" | "path.posix.join" | "File.join" | "File.Spec.catfile" | "catfile" | "joinpath" => {
                CodeValue::Text(join_path(texts(0)))
            }
            "os.path.expanduser" | "File.expand_path" => arg(0).expanded(),
            _ if functions::keeps(name) => arg(0),
            "File" | "java.io.File" | "Paths.get" | "Path.of" | "java.nio.file.Paths.get" | "java.nio.file.Path.of" | "os.Path"
                if self.language == Language::Jvm =>
            {
                CodeValue::Path(join_path(texts(0)))
            }
            "Seq" | "List" | "listOf" | "arrayOf" | "List.of" | "Arrays.asList" | "java.util.List.of" if self.language == Language::Jvm => {
                CodeValue::List(args.iter().map(|arg| arg.value.literal()).collect())
            }
            "Runtime.getRuntime" | "java.lang.Runtime.getRuntime" => CodeValue::Named("Runtime".to_owned()),
            "System.getProperty" | "java.lang.System.getProperty" | "sys.props" => match arg(0).literal().as_deref() {
                Some("user.home") => CodeValue::home(),
                Some("user.dir") => CodeValue::lit("."),
                _ => CodeValue::Unknown,
            },
            "os.path.dirname" | "path.dirname" | "File.dirname" | "dirname" => CodeValue::Text(arg(0).into_text().parent()),
            _ if functions::lists(name) => listed(&arg(0), functions::takes_pattern(name)),
            "array" => CodeValue::List(args.iter().map(|arg| arg.value.literal()).collect()),
            "Buffer.from" if args.len() > 1 => CodeValue::Decoded,
            "Buffer.from" => arg(0),
            "shlex.join" | "subprocess.list2cmdline" | "Shellwords.join" => joined(&arg(0), " "),
            "implode" => joined(&arg(1), &arg(0).literal().unwrap_or_default()),
            "join" => joined(&CodeValue::List(texts(1).iter().map(CodeText::literal).collect()), &arg(0).literal().unwrap_or_default()),
            "sprintf" | "format" => match arg(0) {
                CodeValue::Text(format) => CodeValue::Text(fill(&format, &texts(1), false)),
                _ => CodeValue::Unknown,
            },
            "os.homedir" | "Dir.home" | "Deno.homeDir" | "homedir" => CodeValue::home(),
            "os.getcwd" | "process.cwd" | "Dir.pwd" | "getcwd" | "Deno.cwd" | "cwd" => CodeValue::lit("."),
            "os.getenv" | "os.environ.get" | "getenv" | "ENV.fetch" | "Deno.env.get" | "System.getenv" | "sys.env" => match arg(0).literal().as_deref() {
                Some("HOME") => CodeValue::home(),
                Some("PWD") => CodeValue::lit("."),
                _ => CodeValue::Unknown,
            },
            "__import__" | "importlib.import_module" | "import_module" | "require" | "import" | "process.mainModule.require" | "module.require" | "method" => {
                CodeValue::Named(arg(0).literal()?)
            }
            "getattr" | "Reflect.get" => self.member(arg(0), &arg(1).literal()?),
            // `File.method(:unlink)`
            _ if self.language == Language::Ruby && name.ends_with(".method") => {
                CodeValue::Named(format!("{}{}", name.strip_suffix("method").unwrap_or(""), arg(0).literal()?))
            }
            "globals" | "locals" | "vars" if args.is_empty() => CodeValue::Named(String::new()),
            "vars" => arg(0),
            _ => return None,
        })
    }

    /// Methods of texts and lists that only make a value. `None` for any other name.
    fn making_method(&mut self, on: &CodeValue, name: &str, args: &[Arg]) -> Option<CodeValue> {
        let first = args.first().map_or(CodeValue::Unknown, |arg| arg.value.clone().settled());
        if !self.spend(on.size()) {
            return Some(CodeValue::Unknown);
        }
        Some(match (on, name) {
            (CodeValue::Text(text), "split" | "shellsplit") if text.known => text.words(first.literal().filter(|mark| !mark.trim().is_empty()).as_deref()),
            (CodeValue::Text(text), "format") => {
                let values: Vec<CodeText> = args.iter().filter(|arg| arg.name.is_none()).map(|arg| arg.value.clone().into_text()).collect();
                CodeValue::Text(fill(text, &values, true))
            }
            (CodeValue::Text(separator), "join") => joined(&first, &separator.text),
            (CodeValue::List(_), "join") => {
                joined(on, &first.literal().unwrap_or_else(|| if self.language == Language::JavaScript { "," } else { "" }.to_owned()))
            }
            (CodeValue::Text(_) | CodeValue::List(_), "concat") => self.concat(on.clone(), first),
            (
                CodeValue::Text(_) | CodeValue::Path(_) | CodeValue::List(_) | CodeValue::Decoded,
                "strip" | "trim" | "encode" | "decode" | "freeze" | "to_s" | "toString" | "toFile" | "toPath" | "chomp" | "resolve" | "absolute" | "as_posix"
                | "dup" | "copy" | "flatten" | "compact" | "to_a",
            ) => on.clone(),
            (CodeValue::Text(_) | CodeValue::Path(_), "expanduser" | "expand_path") => on.clone().expanded(),
            (CodeValue::Path(base), "glob" | "rglob" | "iterdir") => {
                let below = if name == "rglob" { format!("{STAR}{STAR}/") } else { String::new() };
                let pattern = if name == "iterdir" { STAR.to_string() } else { starred(&first.literal()?) };
                CodeValue::Path(join_path([base.clone(), CodeText::lit(&format!("{below}{pattern}"))]))
            }
            (CodeValue::Path(base), "joinpath" | "join" | "child") => CodeValue::Path(join_path([base.clone(), first.into_text()])),
            (_, name) if functions::decodes(name) => CodeValue::Decoded,
            _ => return None,
        })
    }
}

/// The names that a pattern or a folder stands for, as one text.
fn listed(of: &CodeValue, pattern: bool) -> CodeValue {
    let one = of.literal().map(|text| if pattern { starred(&text) } else { STAR.to_string() });
    CodeValue::List(vec![one])
}

/// A pattern of files with the mark for each sign that stands for others.
fn starred(pattern: &str) -> String {
    let mut text = String::with_capacity(pattern.len());
    let mut rest = pattern;
    while let Some(at) = rest.find(['*', '?', '[']) {
        let (plain, sign) = rest.split_at(at);
        text.push_str(plain);
        text.push(STAR);
        let end = if sign.starts_with('[') { sign.find(']').unwrap_or(0) } else { 0 };
        rest = sign.get(end + 1..).unwrap_or("");
    }
    text + rest
}
