//! What programs write to standard output, where their descriptions say that it follows from their arguments and input.
//! Everything else is not known.

use std::rc::Rc;

use super::{Output, Shell, Stdin, builtin::joined, inner::names};
use crate::program::{Prints, Program, ProgramWay, Role};
use crate::word::{Bound, Word, WordPiece};
use crate::{arguments::ParsedArguments, base64::decode as base64, printed};
use shell_reader::escapes::{self, low_byte};

impl Shell<'_> {
    /// What a call of `program` writes, by its description.
    pub(super) fn output(&mut self, program: &Program, called: &str, args: &[Word], arguments: &ParsedArguments, stdin: &Stdin) -> Output {
        if !std::mem::take(&mut self.speaks) {
            return Output::unknown();
        }
        if program.is(ProgramWay::SetsUp) && printed::sets_up(program, args) {
            return Output::text(line(Word { pieces: vec![WordPiece::Any(Bound::Setup)], multi: true, ..Word::default() }));
        }
        let Some(printed) = printed::of(program, called, arguments) else {
            let made = program.is(ProgramWay::Filters).then(|| Self::edited(program, arguments, &Stdin::default())).flatten();
            return Output { made: made.map(Rc::new), ..Output::unknown() };
        };
        let operands = arguments.operands.as_slice();
        let first = operands.first();
        let text = match printed.what {
            Prints::Nothing => return Output::nothing(),
            Prints::Name => Some(line(Word::name())),
            Prints::Names => Some(line(Word { multi: true, ..Word::name() })),
            Prints::Files => Some(line(Word { pieces: vec![WordPiece::Any(Bound::File)], multi: true, ..Word::default() })),
            Prints::Format => first.and_then(Word::literal).and_then(|format| format.strip_prefix('+')).map(|format| line(formatted(format, printed.text))),
            Prints::Path => first.map(|operand| line(self.path(operand).word)),
            Prints::LastName => {
                let name = |path: &str| {
                    let bare = path.trim_end_matches('/');
                    if bare.is_empty() && !path.is_empty() { "/".to_owned() } else { bare.rsplit('/').next().unwrap_or("").to_owned() }
                };
                let suffix = operands.get(1).map_or(Some(""), Word::literal);
                first.and_then(Word::literal).map(name).zip(suffix).map(|(name, suffix)| {
                    let cut = name.strip_suffix(suffix).filter(|rest| !rest.is_empty());
                    line(Word::lit(cut.unwrap_or(&name)))
                })
            }
            Prints::Folder => first.and_then(Word::literal).map(|path| {
                let bare = path.trim_end_matches('/');
                let folder = if bare.is_empty() && !path.is_empty() { "/" } else { bare.rsplit_once('/').map_or(".", |(folder, _)| folder) };
                let folder = folder.trim_end_matches('/');
                line(Word::lit(if folder.is_empty() { "/" } else { folder }))
            }),
            Prints::Template => first.and_then(Word::literal).and_then(made_up).map(line),
            Prints::Text => Some(line(self.described_text(printed.text, arguments))),
            Prints::Arguments | Prints::Printf => {
                self.says_words();
                if printed.what == Prints::Printf { printf(args) } else { Some(echo(args)) }
            }
            Prints::Input => return Output { text: stdin.text.clone(), items: stdin.items.clone(), file: stdin.file.clone(), made: None },
            Prints::File => return self.file_text(operands),
            // They leave lines out or put them in order, and change none.
            Prints::Lines => {
                let one = |text: &Word| text.literal().is_some_and(|text| text.lines().count() < 2);
                return Output { text: stdin.text.clone().filter(|text| names(text) || one(text)), ..Output::unknown() };
            }
            Prints::Listed => {
                // Files are listed by the names under which they were asked for, if they are there.
                if args.is_empty() || !args.iter().all(is_file_name) {
                    return Output::unknown();
                }
                return Output { items: Some(args.to_vec()), ..Output::text(line(joined(args))) };
            }
            Prints::Picked => {
                let picked = |item: &Word| Word { pieces: item.pieces.iter().map(unglobbed).collect(), ..item.clone() };
                return Output { items: stdin.items.as_ref().map(|items| items.iter().map(picked).collect()), ..Output::unknown() };
            }
            Prints::Below => {
                let here = [Word::lit(".")];
                let folders: Vec<&Word> = arguments.roles.iter().filter(|(role, _)| *role == Role::Read).map(|(_, word)| word).collect();
                let folders = if folders.is_empty() { here.iter().collect() } else { folders };
                let below = |folder: &&Word| {
                    let mut item = (*folder).clone();
                    if !item.pieces.iter().any(|piece| matches!(piece, WordPiece::Glob(_))) {
                        item.push_lit("/");
                        item.push(WordPiece::Glob(printed.text.to_owned()));
                    }
                    if printed.text.is_empty() { Word { pieces: item.pieces.iter().map(unglobbed).collect(), ..item } } else { item }
                };
                return Output { items: Some(folders.iter().map(below).collect()), ..Output::unknown() };
            }
            Prints::Program => first.map(|name| line(program_path(name))),
            Prints::Base64 => self.known(stdin).and_then(base64).and_then(decoded),
            Prints::Hex => self.known(stdin).and_then(hex).and_then(decoded),
            Prints::Reversed => {
                let reversed = |text: &str| Word::lit(text.lines().map(|line| line.chars().rev().collect::<String>() + "\n").collect::<String>());
                self.known(stdin).map(reversed)
            }
            Prints::Translated => self.known(stdin).and_then(|text| translated(text, args)).map(Word::lit),
        };
        text.map_or_else(Output::unknown, Output::text)
    }

    /// What the one file holds that is named.
    fn file_text(&mut self, operands: &[Word]) -> Output {
        let [file] = operands else { return Output::unknown() };
        let path = self.path(file);
        let Some(path) = path.word.literal().filter(|_| !self.remote) else { return Output::unknown() };
        if path == "/dev/null" {
            return Output::nothing();
        }
        let text = self.state.written_text(path).filter(|_| self.state.added(path).is_empty());
        let file = text.is_none().then(|| path.to_owned());
        Output { text, file, ..Output::unknown() }
    }

    /// The text of a description ([`Prints::Text`]).
    fn described_text(&self, text: &str, arguments: &ParsedArguments) -> Word {
        let mut word = Word::default();
        let mut rest = text;
        while let Some(at) = rest.find(['<', '*']) {
            let (plain, tail) = rest.split_at(at);
            word.push_lit(plain);
            rest = match tail.strip_prefix('<').and_then(|tail| tail.split_once('>')) {
                Some((name, behind)) => {
                    match name {
                        "root" => word.push_lit(&self.setting.root),
                        "here" => word.extend(&self.state.place.cwd),
                        "temporary" => word.push_lit(&self.setting.temporary),
                        "home" => word.extend(&self.state.get("HOME").unwrap_or_else(Word::unknown)),
                        "cache" => word.extend(&self.state.get("XDG_CACHE_HOME").unwrap_or_else(Word::unknown)),
                        option => word.extend(arguments.value(option).unwrap_or(&Word::unknown())),
                    }
                    behind
                }
                None => {
                    word.push(WordPiece::Any(Bound::Name));
                    tail.get(1..).unwrap_or("")
                }
            };
        }
        word.push_lit(rest);
        word.multi = false;
        word
    }

    /// The whole text of standard input, for a program that goes through it.
    fn known<'s>(&mut self, stdin: &'s Stdin) -> Option<&'s str> {
        let text = stdin.text.as_deref()?;
        self.spend(text.size());
        text.literal()
    }
}

/// A piece of a path of which only some of the files that it names are meant.
fn unglobbed(piece: &WordPiece) -> WordPiece {
    if matches!(piece, WordPiece::Glob(_)) { WordPiece::Any(Bound::Name) } else { piece.clone() }
}

/// A word and the end of the line.
fn line(mut word: Word) -> Word {
    word.push_lit("\n");
    word
}

/// A format of `date`: text, and behind each `%` a letter that stands for a name, if it is one of `letters`.
fn formatted(format: &str, letters: &str) -> Word {
    let mut word = Word::default();
    let mut rest = format;
    while let Some((plain, tail)) = rest.split_once('%') {
        word.push_lit(plain);
        let conversion = tail.trim_start_matches(['-', '_', '0', '^', '#']).trim_start_matches(|c: char| c.is_ascii_digit());
        let letter = conversion.chars().next();
        match letter {
            Some('%') => word.push_lit("%"),
            Some('n') => word.push_lit("\n"),
            Some('t') => word.push_lit("\t"),
            Some(letter) if letters.contains(letter) => word.push(WordPiece::Any(Bound::Name)),
            _ => word.push(WordPiece::Any(Bound::Anything)),
        }
        rest = conversion.get(letter.map_or(0, char::len_utf8)..).unwrap_or("");
    }
    word.push_lit(rest);
    word
}

/// `PATH/nameXXXXXX.end`: the last three or more `X` become something else.
fn made_up(template: &str) -> Option<Word> {
    let end = template.rfind("XXX")? + "XXX".len();
    let (front, behind) = template.split_at_checked(end)?;
    let mut word = Word::lit(front.trim_end_matches('X'));
    word.push(WordPiece::Any(Bound::Name));
    word.push_lit(behind);
    Some(word)
}

/// Where a program is: the folder is not known, the name is. Nothing, if there is no such program.
fn program_path(name: &Word) -> Word {
    if name.prefix().contains('/') {
        return name.clone();
    }
    let mut word = Word::lit("/");
    word.push(WordPiece::Any(Bound::Anything));
    word.push_lit("/");
    word.extend(name);
    word.multi = true;
    word
}

/// Whether a word is the name of a file, or a pattern of such names, rather than of a folder: it has an ending.
fn is_file_name(word: &Word) -> bool {
    let ending = match word.pieces.last() {
        Some(WordPiece::Lit(text)) => text.rsplit('/').next().unwrap_or(text).rsplit_once('.'),
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
            // A word that can vanish may leave no blank behind.
            word.extend(&if loose || arg.multi { Word::unknown() } else { Word::lit(" ") });
        }
        loose = arg.multi;
        word.extend(arg);
    }
    word.multi = false;
    if escapes {
        for piece in &mut word.pieces {
            if let WordPiece::Lit(text) = piece {
                *text = unescape(text, "");
            }
        }
    }
    if line_end {
        word.push_lit("\n");
    }
    word
}

/// `printf FORMAT ARGS` with `%s`, `%b`, `%d`, `%q`, `%%`. `None`: a conversion that is not followed.
pub(super) fn printf(args: &[Word]) -> Option<Word> {
    let dashes = usize::from(args.first().is_some_and(|arg| arg.is("--")));
    let args = args.get(dashes..)?;
    let (format, mut values) = args.split_first()?;
    // Bash 5.2 takes `-%s` for an option it does not have, and prints nothing; zsh 5.9 and coreutils print it.
    if dashes == 0 && format.prefix().starts_with('-') && !format.is("-") {
        return None;
    }
    let format = unescape(format.literal()?, "\"'?");
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
                            'b' => text.map(|text| Word::lit(unescape(text, ""))),
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
            WordPiece::Lit(text) | WordPiece::Glob(text) if text.chars().any(|c| c.is_control() || !c.is_ascii()) => return Word::unknown(),
            WordPiece::Lit(text) | WordPiece::Glob(text) => {
                let begins = quoted.pieces.is_empty();
                let plain = |at: usize, c: char| c.is_ascii_alphanumeric() || "_./:@%+-=".contains(c) || ("#~".contains(c) && !(begins && at == 0));
                quoted.push_lit(&text.chars().enumerate().flat_map(|(at, c)| (!plain(at, c)).then_some('\\').into_iter().chain([c])).collect::<String>());
            }
            WordPiece::Any(bound) => quoted.push(WordPiece::Any(*bound)),
        }
    }
    quoted
}

/// Backslash escapes of `echo -e` and `printf`; and of those characters that lose a backslash in front of them.
fn unescape(text: &str, plain: &str) -> String {
    let mut out: Vec<u8> = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let (byte, length) = match (first, tail) {
            (b'\\', [b'e' | b'E', ..]) => (27, 1),
            (b'\\', [b'\\', ..]) => (b'\\', 1),
            (b'\\', [sign, ..]) if plain.as_bytes().contains(sign) => (*sign, 1),
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

/// The characters of a `tr` set: plain ones and ranges. `None`: classes, repeats.
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

fn decoded(bytes: Vec<u8>) -> Option<Word> {
    String::from_utf8(bytes).ok().map(Word::lit)
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u32> = text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_digit(16)).collect::<Option<_>>()?;
    Some(digits.chunks_exact(2).map(|pair| low_byte(pair.iter().fold(0, |value, digit| value * 16 + digit))).collect())
}
