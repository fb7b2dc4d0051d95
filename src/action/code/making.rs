//! Functions and methods that only make texts, paths, lists and modules.

use super::eval::MAX_TERMS;
use super::piece::Piece;
use super::value::{Arg, Text, Value, fill_braces, fill_percent, join_path};
use super::{Language, Scan};

/// Modules and functions whose outcome is text that was hidden in the source.
const DECODERS: &[&str] = &[
    "b64decode",
    "b32decode",
    "b16decode",
    "b85decode",
    "a85decode",
    "decodebytes",
    "unhexlify",
    "fromhex",
    "decompress",
    "atob",
    "base64_decode",
    "gzinflate",
    "gzuncompress",
    "gzdecode",
    "str_rot13",
    "hex2bin",
    "convert_uudecode",
    "decode64",
    "strict_decode64",
    "urlsafe_decode64",
    "decode_base64",
    "unpack",
    "fromCharCode",
    "loads",
    "inflate",
];

/// Whether the outcome of a function is text that was hidden in the source.
fn decodes(name: &str) -> bool {
    let data = matches!(name, "json.loads" | "yaml.loads" | "toml.loads" | "tomllib.loads");
    !data && DECODERS.contains(&name.rsplit('.').next().unwrap_or(name))
}

impl Scan {
    /// Calls that only make a value. `None` where the name is none of them.
    pub(super) fn making(&mut self, piece: &Piece<'_>, name: &str, args: &[Arg<'_>], level: usize) -> Option<Value> {
        if decodes(name) {
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
            "Path" | "pathlib.Path" | "pathlib.PosixPath" | "PurePath" | "pathlib.PurePath" | "Pathname.new" | "Pathname" | "path" | "Path.Tiny.path" => {
                Value::Path(join_path(texts(self, 0)))
            }
            "Bun.file" => Value::Path(arg(self, 0).into_text()),
            "Path.home" | "pathlib.Path.home" => Value::Path(Text::lit("~")),
            "Path.cwd" | "pathlib.Path.cwd" => Value::Path(Text::lit(".")),
            "os.path.join" | "path.join" | "path.resolve" | "path.posix.join" | "File.join" | "File.Spec.catfile" | "catfile" | "File.Spec.catdir"
            | "posixpath.join" => {
                let first = texts(self, 0);
                if first.is_empty() { Value::lit(".") } else { Value::Text(join_path(first)) }
            }
            "os.path.expanduser" | "os.path.abspath" | "os.path.normpath" | "os.path.realpath" | "os.fspath" | "os.fsencode" | "str" | "String" | "bytes"
            | "list" | "tuple" | "Array" | "shlex.quote" | "pipes.quote" | "escapeshellarg" | "escapeshellcmd" | "File.expand_path" | "Shellwords.escape"
            | "path.normalize" | "realpath" | "util.promisify" | "promisify" | "functools.partial" | "partial" | "Object.freeze" | "compile" => arg(self, 0),
            "os.path.dirname" | "path.dirname" | "File.dirname" | "dirname" => Value::Text(super::calls::parent(&arg(self, 0).into_text())),
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
            "implode" => joined(&arg(self, 1), &arg(self, 0).literal().unwrap_or_default()),
            "join" => {
                let items = texts(self, 1).into_iter().map(|text| text.literal()).collect();
                joined(&Value::List(items), &arg(self, 0).literal().unwrap_or_default())
            }
            "sprintf" | "format" => {
                let values = texts(self, 1);
                match arg(self, 0) {
                    Value::Text(format) => Value::Text(fill_percent(&format, &values)),
                    _ => Value::Unknown,
                }
            }
            "os.homedir" | "Dir.home" | "Deno.homeDir" => Value::lit("~"),
            "Deno.execPath" => Value::lit("deno"),
            "os.getcwd" | "process.cwd" | "Dir.pwd" | "getcwd" | "Deno.cwd" | "cwd" => Value::lit("."),
            "os.getenv" | "os.environ.get" | "getenv" | "ENV.fetch" | "Deno.env.get" => match arg(self, 0).literal().as_deref() {
                Some("HOME") => Value::lit("~"),
                Some("PWD") => Value::lit("."),
                _ => Value::Unknown,
            },
            "__import__"
            | "importlib.import_module"
            | "import_module"
            | "require"
            | "import"
            | "process.mainModule.require"
            | "module.require"
            | "globalThis.require" => Value::Named(arg(self, 0).literal()?),
            "getattr" | "Reflect.get" => {
                let owner = arg(self, 0);
                let name = arg(self, 1).literal()?;
                self.member(owner, &name)
            }
            "method" | "Kernel.method" => Value::Named(arg(self, 0).literal()?),
            "globals" | "locals" | "vars" => {
                if args.is_empty() {
                    Value::Named(String::new())
                } else {
                    arg(self, 0)
                }
            }
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
            (Value::List(_), "join") => {
                joined(on, &first.literal().unwrap_or_else(|| if self.language == Language::JavaScript { ",".into() } else { String::new() }))
            }
            (Value::Text(_), "concat") => self.concat(on.clone(), first),
            (
                Value::Text(_) | Value::Path(_) | Value::List(_),
                "strip" | "trim" | "encode" | "decode" | "freeze" | "to_s" | "toString" | "chomp" | "expanduser" | "expand_path" | "resolve" | "absolute"
                | "as_posix" | "to_path" | "valueOf" | "dup" | "copy" | "slice" | "flatten" | "compact" | "to_a" | "stringify" | "absolute_path",
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
