//! Command lines of PowerShell: words, and what separates commands; no structure beyond that. Blocks and parentheses are
//! read as lists of commands, a variable is a hole. A call of .NET is a command of that name.

use super::{Shell, Stdin, walk::HOLES};
use crate::arguments;
use crate::program::{Program, Role};
use crate::word::{Bound, Word, WordPiece};

impl Shell<'_> {
    /// Follows a command line of PowerShell.
    pub fn powershell(&mut self, text: &str) {
        // What a command of it reads in turn is for other shells.
        let outer = std::mem::replace(&mut self.power, false);
        let mut stdin = Stdin::default();
        for (mut words, piped) in commands(text) {
            if let [name, sign, rest @ ..] = words.as_slice()
                && let Some(name) = name.literal().and_then(|name| name.strip_prefix("$env:")).filter(|_| sign.is("="))
            {
                self.in_environment(name, rest.first());
                // What is behind the name of a program is a command whose output is taken.
                words = if rest.len() > 1 { rest.to_vec() } else { Vec::new() };
            }
            // `$x = command`, and the call operators.
            if words.get(1).is_some_and(|word| word.is("=") || word.is("+=")) {
                words.drain(..2);
            }
            let called = words.first().is_some_and(|word| word.is(".") || word.is("&"));
            if called {
                words.remove(0);
            }
            for word in words.iter_mut().filter(|word| word.is("~") || word.prefix().starts_with("~/")) {
                let mut home = self.state.get("HOME").unwrap_or_else(Word::unknown);
                home.extend(&word.without_prefix(1));
                *word = home;
            }
            let name = words.first().and_then(Word::literal).unwrap_or("").to_ascii_lowercase();
            let output = match name.as_str() {
                // What begins with a variable is an expression, unless it is called.
                "" if words.first().is_none_or(|word| !called && matches!(word.pieces.first(), Some(WordPiece::Any(_)))) => super::Output::unknown(),
                "iex" | "invoke-expression" => {
                    let line = words.get(1..).unwrap_or(&[]).iter().find(|word| !word.prefix().starts_with('-'));
                    match line.map(|line| (line, line.literal())) {
                        Some((_, Some(line))) => _ = self.within("iex", |shell| shell.powershell(line)),
                        Some((line, None)) => self.opaque(line.to_string(), "the command line is computed"),
                        None => self.opaque(text, "a command line comes out of a pipe"),
                    }
                    super::Output::unknown()
                }
                // A call of .NET, or of a method, of which nothing is said.
                _ if name.starts_with('[') && name.contains("]::") && self.programs.find(&name).is_none() => {
                    if let ("[environment]::setenvironmentvariable", Some(variable)) = (name.as_str(), words.get(1).and_then(Word::literal)) {
                        self.in_environment(variable, words.get(2));
                    }
                    super::Output::unknown()
                }
                _ if name.starts_with('.') && !name.contains('/') && self.programs.find(&name).is_none() => super::Output::unknown(),
                ">" => {
                    if let Some(target) = words.get(1) {
                        let change = self.sent(target, stdin.text.as_ref(), None, false);
                        self.write(target, change, None);
                    }
                    super::Output::nothing()
                }
                _ if self.set_item(&name, &words) => super::Output::nothing(),
                _ => {
                    // Names of commands are the same in every case.
                    let usual = self.usual(words.first().and_then(Word::literal).unwrap_or(""), &name);
                    if let (Some(first), Some(usual)) = (words.first_mut(), usual) {
                        *first = Word::lit(usual);
                    }
                    self.bind(&mut words, &stdin);
                    // A text alone is handed on as it is.
                    let text =
                        piped && !called && words.len() == 1 && words.first().and_then(Word::literal).is_some_and(|text| self.programs.find(text).is_none());
                    let items = text.then(|| words.clone());
                    let output = self.invoke(words, Vec::new(), &stdin);
                    super::Output { items: items.or(output.items), ..output }
                }
            };
            stdin = if piped { Stdin { text: output.text, items: output.items, connected: true, ..Stdin::default() } } else { Stdin::default() };
        }
        self.power = outer;
    }

    /// The name under which a command is described, if that is not the one that was typed.
    fn usual(&self, typed: &str, small: &str) -> Option<String> {
        let alias = format!("ps:{small}");
        if self.programs.find(&alias).is_some() {
            return Some(alias);
        }
        (self.programs.find(typed).is_none() && self.programs.find(small).is_some()).then(|| small.to_owned())
    }

    fn in_environment(&mut self, name: &str, value: Option<&Word>) {
        self.state.set(name, value.cloned().unwrap_or_default());
        self.state.export(name);
    }

    /// `Set-Item env:NAME VALUE`; false if it is about something else.
    fn set_item(&mut self, name: &str, words: &[Word]) -> bool {
        let role = |program: Program| program.forms.iter().filter_map(|form| form.operands.first()).any(|(role, _)| *role == Role::Write);
        if words.len() < 3 || !self.programs.find(name).is_none_or(role) {
            return false;
        }
        let plain: Vec<&Word> = words.iter().skip(1).filter(|word| !word.prefix().starts_with('-')).collect();
        let name =
            plain.first().and_then(|word| word.literal()).and_then(|word| word.get(..4).filter(|drive| drive.eq_ignore_ascii_case("env:")).and(word.get(4..)));
        let Some(name) = name.map(|name| name.trim_start_matches('/').to_owned()) else { return false };
        // `New-Item -Path env: -Name NAME`
        match plain.get(1).and_then(|word| word.literal()).filter(|_| name.is_empty()) {
            Some(name) => self.in_environment(name, plain.get(2).copied()),
            None => self.in_environment(&name, plain.get(1).copied()),
        }
        true
    }

    /// Gives a command that deletes or moves what comes out of the pipe, where it names nothing itself.
    fn bind(&self, words: &mut Vec<Word>, stdin: &Stdin) {
        let deletes = |role: Role| matches!(role, Role::Delete | Role::DeleteTree | Role::Move);
        let Some(program) = words.first().and_then(Word::literal).and_then(|name| self.programs.find(name)).filter(|_| stdin.connected) else { return };
        let arguments = arguments::read(&program, words.get(1..).unwrap_or(&[]));
        let takes = arguments::form(&program, &arguments.flags).and_then(|form| form.operands.first()).is_some_and(|(role, _)| deletes(*role));
        if takes && !arguments.roles.iter().any(|(role, _)| deletes(*role)) {
            let items = stdin.items.clone().unwrap_or_else(|| vec![Word::unknown()]);
            words.splice(1..1, items);
        }
    }
}

/// The commands of a line, and whether each is in front of a pipe.
fn commands(text: &str) -> Vec<(Vec<Word>, bool)> {
    let mut all = Vec::new();
    let mut words: Vec<Word> = Vec::new();
    let mut word: Option<Word> = None;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let tail = rest.get(c.len_utf8()..).unwrap_or("");
        let here_string = ["@'", "@\""].iter().any(|open| rest.starts_with(open))
            && tail.get(1..).is_some_and(|inner| inner.trim_start_matches([' ', '\r']).starts_with('\n'));
        rest = tail;
        match c {
            '@' if here_string => {
                let quote = tail.get(..1).unwrap_or("'");
                let inner = tail.get(1..).unwrap_or("").trim_start_matches([' ', '\r']).get(1..).unwrap_or("");
                let (body, after) = inner.split_once(&format!("\n{quote}@")).unwrap_or((inner, ""));
                add(word.get_or_insert_default(), body, quote == "\"");
                rest = after;
            }
            '\'' | '"' => {
                let (body, after) = quoted(tail, c);
                add(word.get_or_insert_default(), &body, c == '"');
                rest = after;
            }
            '`' => {
                let escaped = tail.chars().next();
                rest = tail.get(escaped.map_or(0, char::len_utf8)..).unwrap_or("");
                match escaped {
                    Some('\n') | None => {}
                    Some(c) => word.get_or_insert_default().push_lit(c.encode_utf8(&mut [0; 4])),
                }
            }
            '#' if word.is_none() => rest = tail.find('\n').and_then(|end| tail.get(end..)).unwrap_or(""),
            '<' if tail.starts_with('#') => rest = tail.split_once("#>").map_or("", |(_, after)| after),
            ' ' | '\t' | '\r' | ',' => words.extend(word.take()),
            '&' if !tail.starts_with('&') && word.is_none() && words.is_empty() => words.push(Word::lit("&")),
            '(' if word.as_ref().is_some_and(is_method) => {
                let (inner, after) = bracketed(tail);
                rest = after;
                let called = word.take().unwrap_or_default();
                let name = called.pieces.last().map_or("", |piece| if let WordPiece::Lit(text) = piece { text.as_str() } else { "" }).to_ascii_lowercase();
                // `[void][System.IO.File]::Delete`
                let of_type = name.split_once("]::").and_then(|(front, _)| front.rfind('[')).and_then(|at| name.get(at..)).unwrap_or(&name);
                let name = of_type.replacen("[system.", "[", 1);
                let parts = commands(inner);
                let mut call = match (name.strip_prefix('['), name.rsplit_once('.')) {
                    (None, Some((_, method))) => vec![Word::lit(format!(".{method}"))],
                    _ => vec![Word::lit(name.as_str())],
                };
                if called.pieces.len() > 1 {
                    call.push(Word::unknown()); // `$file.Delete()`
                } else if let Some((_, piped)) = all.last_mut().filter(|_| name.starts_with('.')) {
                    *piped = true; // `(Get-Item x).Delete()`
                }
                match parts.as_slice() {
                    [(words, _)] => call.extend(words.iter().cloned()),
                    _ => {
                        call.push(Word::unknown());
                        all.extend(parts);
                    }
                }
                all.push((call, false));
                if words.get(1).is_some_and(|word| word.is("=")) {
                    words.clear();
                } else if !words.is_empty() {
                    words.push(Word::several()); // `git $line.Split(' ')`
                }
            }
            '>' => {
                // A digit or a star in front says which of its streams it is.
                if word.as_ref().is_some_and(|word| matches!(word.pieces.as_slice(), [WordPiece::Lit(text) | WordPiece::Glob(text)] if text.len() == 1)) {
                    word = None;
                }
                words.extend(word.take());
                let behind = tail.trim_start_matches('>');
                let target = behind.trim_start();
                if let Some(number) = behind.strip_prefix('&') {
                    rest = number.trim_start_matches(|c: char| c.is_ascii_digit());
                } else if let Some(behind) = target.strip_prefix("$null") {
                    rest = behind;
                } else {
                    rest = behind;
                    all.push((std::mem::take(&mut words), true));
                    words.push(Word::lit(">"));
                }
            }
            _ if HOLES.contains(&c) => word.get_or_insert_default().push(WordPiece::Any(Bound::Anything)),
            '\n' | ';' | '|' | '&' | '(' | ')' | '{' | '}' => {
                words.extend(word.take());
                if !words.is_empty() {
                    all.push((std::mem::take(&mut words), c == '|' && !tail.starts_with('|')));
                }
            }
            '$' if word.is_none() && words.is_empty() && assigned(tail).is_some() => {
                if let Some((name, behind)) = assigned(tail) {
                    words.extend([Word::lit(format!("$env:{name}")), Word::lit("=")]);
                    rest = behind;
                }
            }
            '$' => {
                let name = tail.find(|c: char| !c.is_alphanumeric() && !"_:?".contains(c)).unwrap_or(tail.len());
                rest = tail.get(name..).unwrap_or("");
                let word = word.get_or_insert_default();
                match tail.get(..name) {
                    Some("true") => word.push_lit("$true"),
                    Some("false") => word.push_lit("$false"),
                    Some("null") => word.push(WordPiece::Any(Bound::Name)),
                    Some("HOME" | "env:HOME" | "env:USERPROFILE") => word.push_lit("~"),
                    _ => word.push(WordPiece::Any(Bound::Anything)),
                }
                word.multi = true;
            }
            // It separates folders as well.
            '\\' => word.get_or_insert_default().push_lit("/"),
            '*' | '?' => word.get_or_insert_default().push(WordPiece::Glob(c.to_string())),
            c => word.get_or_insert_default().push_lit(c.encode_utf8(&mut [0; 4])),
        }
    }
    words.extend(word);
    all.push((words, false));
    all
}

/// The variable to which `env:NAME = …` or `{env:NAME} = …` gives a value, and what is behind the sign.
fn assigned(text: &str) -> Option<(&str, &str)> {
    let (name, behind) = match text.strip_prefix('{') {
        Some(inner) => inner.split_once('}')?,
        None => text.split_at(text.find(|c: char| !c.is_alphanumeric() && !"_:".contains(c))?),
    };
    let name = name.get(..4).filter(|drive| drive.eq_ignore_ascii_case("env:")).and(name.get(4..))?;
    let value = behind.trim_start_matches(' ').strip_prefix('=')?;
    (!value.starts_with('=')).then_some((name, value))
}

/// Whether an opening bracket behind this word calls a method: `[Type]::Name`, `.Name`, `$x.Name`.
fn is_method(word: &Word) -> bool {
    let Some(WordPiece::Lit(last)) = word.pieces.last() else { return false };
    let method = last.rsplit(['.', ':']).next().is_some_and(|name| !name.is_empty() && name.chars().all(char::is_alphanumeric));
    let of_type = word.pieces.len() == 1 && last.starts_with('[') && last.contains("]::");
    let of_value = last.starts_with('.') && !last.contains('/');
    method && (of_type || of_value)
}

/// The text up to the bracket that closes, outside of quotes, and what follows it.
fn bracketed(text: &str) -> (&str, &str) {
    let (mut depth, mut quote) = (1_usize, None);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), close) if open == close => quote = None,
            (None, '(') => depth += 1,
            (None, ')') => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return (text.get(..at).unwrap_or(""), text.get(at + 1..).unwrap_or(""));
        }
    }
    (text, "")
}

/// The text up to the closing quote, which stands for itself when it is doubled, and what follows it.
fn quoted(text: &str, quote: char) -> (String, &str) {
    let mut body = String::new();
    let mut rest = text;
    while let Some((stretch, tail)) = rest.split_once(quote) {
        body.push_str(stretch);
        match tail.strip_prefix(quote) {
            Some(tail) => rest = tail,
            None => return (body, tail),
        }
        body.push(quote);
    }
    (body + rest, "")
}

/// Adds quoted text; in double quotes a variable is a hole, and a backtick escapes.
fn add(word: &mut Word, text: &str, expanded: bool) {
    let mut parts = text.split('$');
    word.push_lit(&parts.next().unwrap_or("").replace(if expanded { "`" } else { "\0" }, ""));
    for part in parts {
        let end = part.find(|c: char| !c.is_alphanumeric() && c != '_' && c != ':').unwrap_or(part.len());
        if expanded {
            word.push(WordPiece::Any(Bound::Anything));
            word.push_lit(part.get(end..).unwrap_or(""));
        } else {
            word.push_lit("$");
            word.push_lit(part);
        }
    }
}
