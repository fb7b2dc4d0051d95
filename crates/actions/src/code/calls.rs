//! From a piece of code to the functions that are called, and calls that only make a value.

use super::effects::{Arg, Call};
use super::eval::MAX_TERMS;
use super::functions;
use super::lex::{Form, Token};
use super::piece::Piece;
use super::value::{Text, Value, fill, join_path, joined};
use super::{Effect, Found, Language, Scan};

/// Words that no chain begins with.
const KEYWORDS: &[&str] = &[
    "await", "new", "return", "if", "else", "elif", "elsif", "while", "for", "in", "of", "not", "and", "or", "do", "end", "then", "import", "from", "as",
    "with", "const", "let", "var", "my", "our", "local", "def", "sub", "function", "class", "fn", "func", "try", "except", "finally", "catch", "raise",
    "throw", "yield", "lambda", "async", "pass", "typeof", "void", "echo", "print", "puts", "unless", "begin", "rescue", "ensure", "case", "when", "use",
];

/// Methods that only path objects have.
const PATH_ONLY: &[&str] = &["write_text", "write_bytes"];

impl Scan {
    pub(super) fn calls(&mut self, piece: &Piece<'_>) {
        for at in 0..piece.len() {
            let starts = match piece.token(at) {
                Some(Token::Text(form, parts)) => {
                    if *form == Form::Command {
                        let text = self.text_of(parts);
                        self.shell(&Value::Text(text));
                    }
                    self.holes(parts);
                    *form != Form::Regex && matches!(piece.mark(at + 1), "." | "->")
                }
                Some(Token::Word(word)) => {
                    let member = matches!(piece.before(at), Some(Token::Mark("." | "->" | "::" | "?." | "&.")));
                    let defined = matches!(piece.before(at), Some(Token::Word("def" | "sub" | "function" | "class" | "fn" | "func")));
                    let key = piece.mark(at + 1) == "=>" && self.language != Language::JavaScript;
                    let keyword = KEYWORDS.contains(word) && !(*word == "import" && piece.mark(at + 1) == "(");
                    !member && !defined && !key && !keyword
                }
                Some(Token::Mark("(")) => {
                    let called = matches!(piece.before(at), Some(Token::Word(word)) if !KEYWORDS.contains(word))
                        || matches!(piece.before(at), Some(Token::Mark(")" | "]")));
                    !called && !piece.unclosed(at) && matches!(piece.mark(piece.close(at) + 1), "(" | "." | "?." | "[")
                }
                _ => false,
            };
            if starts {
                let (value, next) = self.chain(piece, at, piece.len(), true, 0);
                if let Value::Handle(place) = value {
                    self.opened_as(piece, place, next);
                }
            }
        }
    }

    /// What follows an open file: `as f`, `{ |f| … }`, `<< "text"`.
    fn opened_as(&mut self, piece: &Piece<'_>, place: usize, next: usize) {
        let name = match (piece.word(next), piece.mark(next)) {
            (Some("as"), _) => piece.word(next + 1),
            (Some("do"), _) | (_, "{") if piece.mark(next + 1) == "|" => piece.word(next + 2),
            (_, "<<") => {
                let text = self.eval(piece, next + 1..piece.expression_end(next + 1, true), 0).literal();
                return self.handle_text(place, text);
            }
            _ => None,
        };
        if let Some(name) = name {
            self.names.give(name, Value::Handle(place));
        }
    }

    /// A call of `callee`; its value.
    pub(super) fn call(&mut self, callee: Value, mut args: Vec<Arg>, site: usize, emit: bool) -> Value {
        let (name, effect) = match callee {
            Value::Text(text) if self.language == Language::Php => return self.call(Value::Named(text.text), args, site, emit),
            Value::Named(name) => {
                let name = functions::canonical(self.language, &name, self.names.stars());
                if let Some(value) = self.making(&name, &args) {
                    return value;
                }
                let last = name.rsplit('.').next().unwrap_or_default();
                if matches!(last, "call_user_func" | "call_user_func_array" | "send" | "public_send" | "__send__")
                    && let Some(name) = args.first().and_then(|arg| arg.value.literal())
                {
                    return self.call(Value::Named(name), args.split_off(1), site, emit);
                }
                let program = name.strip_prefix("sh.").filter(|_| self.language == Language::Python);
                let bare = self.language == Language::JavaScript && (name.ends_with("Sync") || name == "execFile");
                let effect = if let Some(program) = program {
                    args.insert(0, Arg { name: None, value: Value::lit(program) });
                    Some((Effect::Argv, 0))
                } else if last != name && PATH_ONLY.contains(&last) {
                    args.insert(0, Arg { name: None, value: Value::Unknown });
                    functions::path_method(last)
                } else {
                    // Else a function of a module under a name that is not known.
                    functions::function(self.language, &name).or_else(|| functions::method(last).filter(|_| (last != name || bare) && !args.is_empty()))
                };
                (name, effect)
            }
            Value::Method(on, name) => {
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
                    Value::Handle(place) => {
                        if emit {
                            self.handle(place, &name, &args);
                        }
                        None
                    }
                    Value::Text(_) => None,
                    on if matches!(on, Value::Path(_)) || bare || PATH_ONLY.contains(&name.as_str()) => {
                        args.insert(0, Arg { name: None, value: on });
                        functions::path_method(&name)
                    }
                    _ => functions::method(&name),
                };
                (name, effect)
            }
            _ => return Value::Unknown,
        };
        let Some(effect) = effect else {
            if emit {
                self.handed_on(&name, &args);
            }
            return Value::Unknown;
        };
        let (effect, place) = effect;
        let opens = effect == Effect::Open || (effect, place) == (Effect::WriteAt, 0);
        if emit && !args.is_empty() {
            self.effect(&Call { name: &name, effect, place, args: &args, site });
        }
        if opens { Value::Handle(site) } else { Value::Unknown }
    }

    /// What is given to a function of which nothing is known: one that runs programs may be called there with anything, and
    /// anything may be written to an open file.
    fn handed_on(&mut self, to: &str, args: &[Arg]) {
        for arg in args {
            match &arg.value {
                Value::Handle(place) if !matches!(to, "fclose" | "close" | "fs.closeSync" | "fs.close" | "flock" | "binmode" | "fflush") => {
                    self.handle_text(*place, None);
                }
                Value::Named(name) if name.contains('.') => {
                    let name = functions::canonical(self.language, name, self.names.stars());
                    if matches!(functions::function(self.language, &name), Some((Effect::Shell | Effect::Spawn | Effect::Words, _))) {
                        self.push(Found::OpaqueShell);
                    }
                }
                _ => {}
            }
        }
    }

    /// Calls of functions that only make a value. `None` for any other name.
    fn making(&mut self, name: &str, args: &[Arg]) -> Option<Value> {
        if functions::decodes(name) {
            return Some(Value::Decoded);
        }
        let arg = |index: usize| args.get(index).map_or(Value::Unknown, |arg| arg.value.clone().settled());
        let texts = |from: usize| -> Vec<Text> {
            let texts = args.iter().skip(from).flat_map(|arg| match arg.value.clone().settled() {
                Value::List(items) => items.into_iter().map(|item| item.map_or_else(Text::hole, |item| Text::lit(&item))).collect(),
                other => vec![other.into_text()],
            });
            texts.take(MAX_TERMS).collect()
        };
        let size = args.iter().map(|arg| arg.value.size()).sum();
        if !self.spend(size) {
            return Some(Value::Unknown);
        }
        Some(match name {
            "Path" | "pathlib.Path" | "pathlib.PosixPath" | "PurePath" | "pathlib.PurePath" | "Pathname.new" | "Pathname" | "path" | "Bun.file" => {
                Value::Path(join_path(texts(0)))
            }
            "Path.home" | "pathlib.Path.home" => Value::Path(Text::lit("~")),
            "Path.cwd" | "pathlib.Path.cwd" => Value::Path(Text::lit(".")),
            "os.path.join" | "path.join" | "path.resolve" | "path.posix.join" | "File.join" | "File.Spec.catfile" | "catfile" => {
                Value::Text(join_path(texts(0)))
            }
            _ if functions::keeps(name) => arg(0),
            "os.path.dirname" | "path.dirname" | "File.dirname" | "dirname" => Value::Text(arg(0).into_text().parent()),
            "array" => Value::List(args.iter().map(|arg| arg.value.literal()).collect()),
            "Buffer.from" if args.len() > 1 => Value::Decoded,
            "Buffer.from" => arg(0),
            "shlex.join" | "subprocess.list2cmdline" | "Shellwords.join" => joined(&arg(0), " "),
            "implode" => joined(&arg(1), &arg(0).literal().unwrap_or_default()),
            "join" => joined(&Value::List(texts(1).iter().map(Text::literal).collect()), &arg(0).literal().unwrap_or_default()),
            "sprintf" | "format" => match arg(0) {
                Value::Text(format) => Value::Text(fill(&format, &texts(1), false)),
                _ => Value::Unknown,
            },
            "os.homedir" | "Dir.home" | "Deno.homeDir" => Value::lit("~"),
            "os.getcwd" | "process.cwd" | "Dir.pwd" | "getcwd" | "Deno.cwd" | "cwd" => Value::lit("."),
            "os.getenv" | "os.environ.get" | "getenv" | "ENV.fetch" | "Deno.env.get" => match arg(0).literal().as_deref() {
                Some("HOME") => Value::lit("~"),
                Some("PWD") => Value::lit("."),
                _ => Value::Unknown,
            },
            "__import__" | "importlib.import_module" | "import_module" | "require" | "import" | "process.mainModule.require" | "module.require" | "method" => {
                Value::Named(arg(0).literal()?)
            }
            "getattr" | "Reflect.get" => self.member(arg(0), &arg(1).literal()?),
            "globals" | "locals" | "vars" if args.is_empty() => Value::Named(String::new()),
            "vars" => arg(0),
            _ => return None,
        })
    }

    /// Methods of texts and lists that only make a value. `None` for any other name.
    fn making_method(&mut self, on: &Value, name: &str, args: &[Arg]) -> Option<Value> {
        let first = args.first().map_or(Value::Unknown, |arg| arg.value.clone().settled());
        if !self.spend(on.size()) {
            return Some(Value::Unknown);
        }
        Some(match (on, name) {
            (Value::Text(text), "split" | "shellsplit") if text.known => text.words(first.literal().filter(|mark| !mark.trim().is_empty()).as_deref()),
            (Value::Text(text), "format") => {
                let values: Vec<Text> = args.iter().filter(|arg| arg.name.is_none()).map(|arg| arg.value.clone().into_text()).collect();
                Value::Text(fill(text, &values, true))
            }
            (Value::Text(separator), "join") => joined(&first, &separator.text),
            (Value::List(_), "join") => joined(on, &first.literal().unwrap_or_else(|| if self.language == Language::JavaScript { "," } else { "" }.to_owned())),
            (Value::Text(_) | Value::List(_), "concat") => self.concat(on.clone(), first),
            (
                Value::Text(_) | Value::Path(_) | Value::List(_) | Value::Decoded,
                "strip" | "trim" | "encode" | "decode" | "freeze" | "to_s" | "toString" | "chomp" | "expanduser" | "expand_path" | "resolve" | "absolute"
                | "as_posix" | "dup" | "copy" | "flatten" | "compact" | "to_a",
            ) => on.clone(),
            (Value::Path(base), "joinpath" | "join" | "child") => Value::Path(join_path([base.clone(), first.into_text()])),
            (_, name) if functions::decodes(name) => Value::Decoded,
            _ => return None,
        })
    }
}
