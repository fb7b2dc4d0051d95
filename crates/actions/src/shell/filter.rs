//! What plain programs write to standard output, where it follows from their arguments and input. Everything else is
//! not known.

use super::builtin::joined;
use super::inner::names;
use super::{Output, Shell, Stdin};
use crate::base64::decode as base64;
use crate::word::{Bound, Piece, Word};
use shell_reader::escapes::{self, low_byte};

impl Shell<'_> {
    /// The output of `program`, as far as it is known.
    pub(super) fn output(&mut self, program: &str, args: &[Word], stdin: &Stdin) -> Output {
        match program {
            "echo" => Output::text(echo(args)),
            "printf" => printf(args).map_or_else(Output::unknown, Output::text),
            "cat" | "tee" | "sort" | "uniq" | "head" | "tail" if program == "tee" || args.iter().all(|arg| arg.is("-")) || args.is_empty() => {
                Output { text: stdin.text.clone(), items: stdin.items.clone(), file: stdin.file.clone() }
            }
            "cat" => match args {
                [file] => {
                    let path = self.path(file);
                    if self.remote {
                        return Output::unknown();
                    }
                    let Some(path) = path.word.literal() else { return Output::unknown() };
                    let text = self.state.written_text(path).filter(|_| self.state.added(path).is_empty());
                    let file = text.is_none().then(|| path.to_owned());
                    Output { text, file, ..Output::unknown() }
                }
                _ => Output::unknown(),
            },
            // They leave lines out and change none.
            "grep" | "egrep" | "fgrep" | "rg" | "sort" | "uniq" | "head" | "tail" | "shuf" if stdin.text.as_deref().is_some_and(names) => {
                Output { text: stdin.text.clone(), ..Output::unknown() }
            }
            // Files are listed by the names under which they were asked for, if they are there.
            "ls" if !args.is_empty() && args.iter().all(is_file_name) => {
                let mut text = joined(args);
                text.push_lit("\n");
                Output { items: Some(args.to_vec()), ..Output::text(text) }
            }
            "pwd" => Output::text(self.state.place.cwd.clone()),
            // The folder is not known, the name is.
            "which" | "type" | "command" if args.last().is_some_and(|arg| arg.literal().is_some_and(|text| !text.contains('/'))) => {
                let mut word = Word::lit("/");
                word.push(Piece::Any(Bound::Anything));
                word.push_lit(&format!("/{}", args.last().map(ToString::to_string).unwrap_or_default()));
                // Nothing, if there is no such program.
                word.multi = true;
                Output::text(word)
            }
            "which" | "type" | "command" | "readlink" | "realpath" => match args.iter().rfind(|arg| !arg.prefix().starts_with('-')) {
                Some(arg) => Output::text(arg.clone()),
                None => Output::unknown(),
            },
            "basename" => match args.first().and_then(Word::literal) {
                Some(path) => {
                    let name = path.trim_end_matches('/').rsplit('/').next().unwrap_or("");
                    let suffix = args.get(1).and_then(Word::literal).unwrap_or("");
                    Output::text(Word::lit(name.strip_suffix(suffix).unwrap_or(name)))
                }
                None => Output::text(Word::name()),
            },
            "dirname" => match args.first().and_then(Word::literal) {
                Some(path) => {
                    Output::text(Word::lit(path.trim_end_matches('/').rsplit_once('/').map_or(".", |(folder, _)| if folder.is_empty() { "/" } else { folder })))
                }
                None => Output::unknown(),
            },
            // Their output only sets up a shell; it is made to be given to `eval`.
            "ssh-agent" | "direnv" | "pyenv" | "rbenv" | "nodenv" | "goenv" | "jenv" | "fnm" | "opam" | "brew" | "conda" | "mamba" | "micromamba"
            | "starship" | "zoxide" | "dircolors" | "lesspipe" | "mise" | "asdf" | "rtx" | "luarocks" | "keychain" | "docker-machine" | "minikube" | "fzf"
            | "atuin" | "thefuck" | "op" | "resize" | "devbox" | "volta" | "oh-my-posh" | "mcfly" => Output::nothing(),
            _ if args.iter().any(|arg| arg.literal().is_some_and(|text| SETS_UP.contains(&text)))
                && !matches!(program, "curl" | "wget" | "ssh" | "echo" | "printf" | "cat") =>
            {
                Output::nothing()
            }
            // Folders of caches that a tool made for itself.
            "npm" | "yarn" | "pnpm" | "pip" | "pip3" | "uv" | "go" | "composer"
                if args.iter().any(|arg| arg.to_string().to_ascii_lowercase().contains("cache")) =>
            {
                let mut word = self.state.get("XDG_CACHE_HOME").unwrap_or_else(Word::unknown);
                word.push_lit("/");
                word.push(Piece::Any(Bound::Name));
                Output::text(word)
            }
            "mktemp" => {
                let mut word = Word::lit(format!("{}/", self.setting.temporary));
                word.push(Piece::Any(Bound::Name));
                Output::text(word)
            }
            "date" | "wc" | "nproc" | "uname" | "hostname" | "whoami" | "id" | "seq" | "sha256sum" | "md5sum" | "uuidgen" | "expr" | "tty" | "arch"
            | "getconf" => Output::text(Word::name()),
            "base64" if args.iter().any(|arg| arg.literal().is_some_and(|text| matches!(text, "-d" | "-D" | "--decode" | "-di" | "-id"))) => {
                decoded(self.known(stdin), base64)
            }
            "xxd"
                if args.iter().any(|arg| arg.is("-r"))
                    || args.iter().any(|arg| arg.literal().is_some_and(|text| text.starts_with('-') && text.contains('r'))) =>
            {
                decoded(self.known(stdin), hex)
            }
            "rev" => match self.known(stdin) {
                Some(text) => Output::text(Word::lit(text.lines().map(|line| line.chars().rev().collect::<String>() + "\n").collect::<String>())),
                None => Output::unknown(),
            },
            "tr" => self.known(stdin).and_then(|text| translated(text, args)).map_or_else(Output::unknown, |text| Output::text(Word::lit(text))),
            _ => Output::unknown(),
        }
    }

    /// The whole text of standard input, for a program that goes through it.
    fn known<'s>(&mut self, stdin: &'s Stdin) -> Option<&'s str> {
        let text = stdin.text.as_deref()?;
        self.spend(text.size());
        text.literal()
    }

    /// The output of a git command that only asks.
    pub(super) fn git_output(&self, subcommand: &str, args: &[Word]) -> Output {
        match subcommand {
            "rev-parse" if args.iter().any(|arg| arg.is("--git-dir") || arg.is("--git-path")) => {
                let below = args.iter().skip_while(|arg| !arg.is("--git-path")).nth(1).and_then(Word::literal).unwrap_or_default();
                Output::text(Word::lit(format!(".git/{below}")))
            }
            "rev-parse" if args.iter().any(|arg| arg.is("--show-toplevel")) => Output::text(Word::lit(self.setting.root.as_str())),
            "diff" | "ls-tree" if !args.iter().any(|arg| arg.is("--name-only")) => Output::unknown(),
            "ls-files" | "diff" | "ls-tree" | "branch" | "rev-parse" | "describe" | "symbolic-ref" | "merge-base" | "rev-list" | "name-rev"
            | "stash create" | "commit-tree" | "write-tree" | "hash-object" => Output::text(Word::name()),
            _ => Output::unknown(),
        }
    }
}

/// Words by which a program is asked for lines that set up the shell.
const SETS_UP: &[&str] = &["completion", "completions", "generate-shell-completion", "shellenv", "shell-init", "export-credentials"];

/// Whether a word is the name of a file, or a pattern of such names, rather than of a folder: it has an ending.
fn is_file_name(word: &Word) -> bool {
    let ending = match word.pieces.last() {
        Some(Piece::Lit(text)) => text.rsplit('/').next().unwrap_or(text).rsplit_once('.'),
        _ => None,
    };
    !word.has_hole()
        && !word.prefix().starts_with('-')
        && ending.is_some_and(|(front, ending)| !ending.is_empty() && (!front.is_empty() || word.pieces.len() > 1))
}

fn echo(args: &[Word]) -> Word {
    let mut line_end = true;
    let mut escapes = false;
    let mut args = args;
    while let Some((first, rest)) = args.split_first() {
        match first.literal() {
            Some(option) if option.len() > 1 && option.strip_prefix('-').is_some_and(|letters| letters.bytes().all(|byte| b"neE".contains(&byte))) => {
                line_end &= !option.contains('n');
                escapes |= option.contains('e');
                args = rest;
            }
            _ => break,
        }
    }
    let mut word = Word::default();
    let mut loose = false;
    for (at, arg) in args.iter().enumerate() {
        if at > 0 {
            // What may be no word has no blank for certain.
            word.extend(&if loose || arg.multi { Word::unknown() } else { Word::lit(" ") });
        }
        loose = arg.multi;
        word.extend(arg);
    }
    word.multi = false;
    if escapes {
        for piece in &mut word.pieces {
            if let Piece::Lit(text) = piece {
                *text = unescape(text);
            }
        }
    }
    if line_end {
        word.push_lit("\n");
    }
    word
}

/// `printf FORMAT ARGS` with `%s`, `%b`, `%d`, `%q`, `%%`. None: a conversion that is not followed.
pub(super) fn printf(args: &[Word]) -> Option<Word> {
    let mut args = args;
    if args.first().is_some_and(|arg| arg.is("--")) {
        args = args.get(1..)?;
    }
    let (format, mut values) = args.split_first()?;
    let format = unescape(format.literal()?);
    if format.is_empty() {
        return Some(Word::default());
    }
    let mut word = Word::default();
    for _ in 0..64 {
        let mut chars = format.chars();
        let mut used = false;
        while let Some(c) = chars.next() {
            if c != '%' {
                word.push_lit(c.encode_utf8(&mut [0; 4]));
                continue;
            }
            match chars.next()? {
                '%' => word.push_lit("%"),
                letter @ ('s' | 'b' | 'd' | 'i' | 'q') => {
                    used = true;
                    if let Some((value, rest)) = values.split_first() {
                        let text = value.literal();
                        let said = match letter {
                            'b' => text.map(|text| Word::lit(unescape(text))),
                            'd' | 'i' if text.is_none_or(|text| text.parse::<i64>().is_err()) => Some(Word::name()),
                            'q' => Some(requoted(value)),
                            _ => None,
                        };
                        word.extend(said.as_ref().unwrap_or(value));
                        values = rest;
                    }
                }
                _ => return None,
            }
        }
        if values.is_empty() || !used {
            break;
        }
    }
    word.multi = false;
    Some(word)
}

/// A word as `%q` writes it. Where it would be put into `$'…'`, it is not known.
fn requoted(word: &Word) -> Word {
    if word.is("") {
        return Word::lit("''");
    }
    let mut quoted = Word { pieces: Vec::new(), multi: word.multi, span: word.span };
    for piece in &word.pieces {
        match piece {
            Piece::Lit(text) | Piece::Glob(text) if text.chars().any(|c| c.is_control() || !c.is_ascii()) => return Word::unknown(),
            Piece::Lit(text) | Piece::Glob(text) => {
                let begins = quoted.pieces.is_empty();
                let plain = |at: usize, c: char| c.is_ascii_alphanumeric() || "_./:@%+-=".contains(c) || ("#~".contains(c) && !(begins && at == 0));
                quoted.push_lit(&text.chars().enumerate().flat_map(|(at, c)| (!plain(at, c)).then_some('\\').into_iter().chain([c])).collect::<String>());
            }
            Piece::Any(bound) => quoted.push(Piece::Any(*bound)),
        }
    }
    quoted
}

/// Backslash escapes of `echo -e` and `printf`.
fn unescape(text: &str) -> String {
    let mut out: Vec<u8> = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let (byte, length) = match (first, tail) {
            (b'\\', [b'e' | b'E', ..]) => (27, 1),
            (b'\\', [b'\\', ..]) => (b'\\', 1),
            (b'\\', [b'x', digits @ ..]) if digits.first().is_some_and(u8::is_ascii_hexdigit) => {
                let (value, length) = escapes::number(digits, 16, 2);
                (low_byte(value), 1 + length)
            }
            // Behind a zero there may be three more digits.
            (b'\\', [b'0', digits @ ..]) => {
                let (value, length) = escapes::number(digits, 8, 3);
                (low_byte(value), 1 + length)
            }
            (b'\\', escape) => escapes::byte(escape).unwrap_or((b'\\', 0)),
            (plain, _) => (*plain, 0),
        };
        out.push(byte);
        rest = tail.get(length..).unwrap_or_default();
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// What `tr` makes of a text.
fn translated(text: &str, args: &[Word]) -> Option<String> {
    let [from, to] = args else { return None };
    if from.is("-d") {
        let gone = set(to.literal()?)?;
        return Some(text.chars().filter(|c| !gone.contains(c)).collect());
    }
    let (from, to) = (set(from.literal()?)?, set(to.literal()?)?);
    let last = *to.last()?;
    let change = |c: char| from.iter().position(|known| *known == c).map_or(c, |at| to.get(at).copied().unwrap_or(last));
    Some(text.chars().map(change).collect())
}

/// The characters of a `tr` set: plain ones and ranges. None: classes, repeats.
fn set(text: &str) -> Option<Vec<char>> {
    if text.contains("[:") || text.contains('\\') {
        return None;
    }
    let chars: Vec<char> = text.chars().collect();
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(first) = chars.get(at) {
        match (chars.get(at + 1), chars.get(at + 2)) {
            (Some('-'), Some(last)) if first <= last => {
                out.extend(*first..=*last);
                at += 3;
            }
            _ => {
                out.push(*first);
                at += 1;
            }
        }
    }
    Some(out)
}

fn decoded(text: Option<&str>, decode: fn(&str) -> Option<Vec<u8>>) -> Output {
    let text = text.and_then(decode).and_then(|bytes| String::from_utf8(bytes).ok());
    text.map_or_else(Output::unknown, |text| Output::text(Word::lit(text)))
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u32> = text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_digit(16)).collect::<Option<_>>()?;
    Some(digits.chunks_exact(2).map(|pair| low_byte(pair.iter().fold(0, |value, digit| value * 16 + digit))).collect())
}
