//! Commands of the clients themselves: of psql, of the client of `MySQL`, of the one of `SQLite`.

use crate::lex::{QueryLexer, SqlTokenKind, Token, words};
use crate::session::{MAX_DEPTH, MAX_REPLACED, MAX_TEXT, Session};
use crate::{LossKind, Lost, QueryLanguage, Source};

impl Session<'_> {
    /// A variable of psql that is next is replaced.
    pub(crate) fn replaces(&mut self, lexer: &mut QueryLexer) -> bool {
        if lexer.peek(0) != ':' || lexer.peek(1) == ':' || (lexer.at > 0 && lexer.chars.get(lexer.at - 1) == Some(&':')) {
            return false;
        }
        let quote = Some(lexer.peek(1)).filter(|c| matches!(c, '\'' | '"'));
        let start = 1 + usize::from(quote.is_some());
        let name: String = (start..).map(|ahead| lexer.peek(ahead)).take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        let Some(value) = self.variable(&name).filter(|_| !name.is_empty()) else { return false };
        self.replaced += 1;
        if self.replaced > MAX_REPLACED {
            self.stopped = true;
            self.lost.push(Lost::new(LossKind::Unknown, ""));
            return true;
        }
        let count = start + name.chars().count() + usize::from(quote.is_some());
        let text = quote.map_or(value.clone(), |quote| format!("{quote}{value}{quote}"));
        let text: String = text.chars().take(MAX_TEXT / MAX_REPLACED).collect();
        lexer.replace(count, &text);
        true
    }

    /// A command that is a line of its own where no statement is open.
    pub(crate) fn line_command(&mut self, lexer: &mut QueryLexer, argument: bool) -> bool {
        match self.settings.language {
            QueryLanguage::Sqlite if !argument => {
                if lexer.at_line_start() && lexer.peek(0) == '#' {
                    lexer.line();
                    return true;
                }
                let start = lexer.at == 0 || lexer.chars.get(lexer.at - 1) == Some(&'\n');
                if lexer.peek(0) == '.' && start && lexer.peek(1).is_ascii_alphabetic() {
                    let line = lexer.line();
                    self.dot(line.trim());
                    return true;
                }
                if lexer.peek(0) == '\n' || lexer.starts("--") {
                    lexer.line();
                    return true;
                }
                if lexer.peek(0).is_ascii_whitespace() {
                    lexer.at += 1;
                    return true;
                }
                if lexer.starts("/*") {
                    lexer.blanks(self.quoting);
                    // A comment that ends its line leaves the next one to commands.
                    return true;
                }
                false
            }
            QueryLanguage::Mysql => {
                lexer.blanks(self.quoting);
                if !lexer.at_line_start() {
                    return false;
                }
                let line = lexer.ahead();
                let line = line.trim_end();
                let (word, rest) = line.split_once([' ', '\t']).unwrap_or((line, ""));
                let word = word.to_ascii_lowercase();
                let plain = !line.contains(';');
                match word.as_str() {
                    "delimiter" if !rest.trim().is_empty() => {
                        rest.split_whitespace().next().unwrap_or(";").clone_into(&mut self.delimiter);
                        if self.delimiter == ";" {
                            self.delimiter.clear();
                        }
                    }
                    "source" => self.file(rest.trim().trim_end_matches(';')),
                    "use" | "system" | "tee" | "pager" | "prompt" if !rest.is_empty() => {
                        if word == "use" && line.contains(';') {
                            return false;
                        }
                    }
                    "clear" | "go" | "ego" | "status" | "help" | "notee" | "nopager" | "print" | "rehash" | "warnings" | "nowarning" | "connect" | "edit"
                        if plain && rest.is_empty() => {}
                    "exit" | "quit" if plain => self.stopped = true,
                    _ => return false,
                }
                lexer.line();
                true
            }
            _ => false,
        }
    }

    /// What the client does with a file that is named.
    pub(crate) fn file(&mut self, name: &str) {
        let name = name.trim().trim_matches(['\'', '"']);
        if name.is_empty() {
            return;
        }
        if self.nested >= MAX_DEPTH {
            self.lost.push(Lost::new(LossKind::Unknown, ""));
            return;
        }
        if let Some(text) = (self.files)(name) {
            self.nested += 1;
            let whole = std::mem::replace(&mut self.whole, false);
            self.text(&text, Source::Input);
            self.whole = whole;
            self.nested -= 1;
            self.text_ended = false;
        }
    }

    /// A command of the client of `SQLite`, which may be shortened.
    pub(crate) fn dot(&mut self, line: &str) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let Some((name, args)) = words.split_first() else { return };
        let name = name.trim_start_matches('.').to_ascii_lowercase();
        let short = |full: &str, least: usize| name.len() >= least && full.starts_with(name.as_str());
        if short("read", 3) {
            let file = args.join(" ");
            if file.trim_start_matches(['"', '\'']).starts_with('|') {
                self.note(vec![Lost::new(LossKind::Unknown, "")]);
            } else {
                self.file(&file);
            }
        } else if short("restore", 3) {
            if !self.settings.read_only {
                self.note(vec![Lost::new(LossKind::Database, "")]);
            }
        } else if short("open", 2) && args.iter().any(|arg| matches!(*arg, "--new" | "-new")) {
            let file = args.last().copied().unwrap_or("").to_owned();
            self.lost.push(Lost::new(LossKind::Database, file));
        } else if short("open", 2) {
            self.settings.read_only = args.iter().any(|arg| arg.trim_start_matches('-') == "readonly");
            self.ended();
        } else if short("quit", 1) || short("exit", 2) {
            self.stopped = true;
        } else if short("bail", 3) {
            self.settings.stops = args.first().is_some_and(|arg| matches!(*arg, "on" | "yes" | "1" | "true"));
        } else if short("parameter", 3) {
            match args {
                [set, name, value @ ..] if *set == "set" => {
                    let value = value.join(" ");
                    self.made.parameters.push(((*name).to_owned(), value.trim_matches(['\'', '"']).to_owned()));
                }
                _ => {}
            }
        }
    }

    /// A command of psql, behind its backslash.
    pub(crate) fn backslash(&mut self, lexer: &mut QueryLexer, tokens: &mut Vec<Token>, argument: bool) {
        match lexer.peek(0) {
            '\\' => {
                lexer.at += 1;
                return;
            }
            ';' => {
                lexer.at += 1;
                self.end(tokens, lexer, argument);
                return;
            }
            _ => {}
        }
        let mut name = String::new();
        while lexer.peek(0).is_ascii_alphabetic() || matches!(lexer.peek(0), '_' | '?' | '!') {
            name.push(lexer.peek(0));
            lexer.at += 1;
            if name == "!" {
                break;
            }
        }
        let args = if matches!(name.as_str(), "!" | "copy" | "sf" | "sv") { lexer.line() } else { arguments(lexer) };
        let list = || split(&args);
        let active = self.conditions.iter().all(|(active, _)| *active);
        match name.as_str() {
            "if" => {
                let is = self.truth(&args);
                self.conditions.push((is != Some(false), is != Some(false) && is.is_some()));
                return;
            }
            "elif" => {
                let is = self.truth(&args);
                if let Some((active, taken)) = self.conditions.last_mut() {
                    *active = !*taken && is != Some(false);
                    *taken |= is == Some(true);
                }
                return;
            }
            "else" => {
                if let Some((active, taken)) = self.conditions.last_mut() {
                    *active = !*taken;
                }
                return;
            }
            "endif" => {
                self.conditions.pop();
                return;
            }
            _ if !active => return,
            _ => {}
        }
        match name.as_str() {
            "g" | "gx" | "gset" | "crosstabview" | "watch" => self.end(tokens, lexer, argument),
            "gexec" => {
                let query = std::mem::take(tokens);
                let texts: Vec<&str> = query.iter().filter(|token| token.kind == SqlTokenKind::Text).map(|token| token.text.as_str()).collect();
                let text = texts.concat().replace("%I", "name").replace("%s", "name");
                let run = if texts.is_empty() { vec![Lost::new(LossKind::Unknown, "")] } else { self.inner(&text) };
                self.note(run);
            }
            "gdesc" | "r" | "reset" => tokens.clear(),
            "bind" => {
                for (at, value) in list().into_iter().enumerate() {
                    self.made.parameters.push((format!("${}", at + 1), value));
                }
            }
            "q" | "quit" => self.stopped = true,
            "i" | "ir" | "include" | "include_relative" => {
                if let Some(file) = list().first() {
                    self.file(&file.clone());
                }
            }
            "set" => {
                let list = list();
                if let Some((name, values)) = list.split_first() {
                    let value = values.concat();
                    self.set(&name.clone(), if values.is_empty() { "on" } else { &value });
                }
            }
            "unset" => {
                let list = list();
                if let Some(name) = list.first() {
                    self.settings.variables.retain(|(known, _)| known != name);
                }
            }
            "c" | "connect" => self.roll_back(),
            "copy" => {
                let words = words(&args, self.quoting);
                if words.first().is_some_and(|first| first.sign("(")) {
                    let run = self.losses(&words).unwrap_or_default();
                    self.note(run);
                }
            }
            _ => {}
        }
    }

    /// What psql makes of a condition. `None`: it is not known.
    pub(crate) fn truth(&self, text: &str) -> Option<bool> {
        let text = text.trim();
        let text = text.strip_prefix(':').and_then(|name| self.variable(name)).unwrap_or_else(|| text.to_owned());
        match text.to_ascii_lowercase().as_str() {
            "true" | "on" | "1" | "yes" | "t" | "y" => Some(true),
            "false" | "off" | "0" | "no" | "f" | "n" => Some(false),
            _ => None,
        }
    }

    /// A short command of the client of `MySQL`, behind its backslash.
    pub(crate) fn short(&mut self, lexer: &mut QueryLexer, tokens: &mut Vec<Token>, argument: bool) {
        let c = lexer.peek(0);
        lexer.at += 1;
        match c {
            'g' | 'G' => self.end(tokens, lexer, argument),
            'c' => tokens.clear(),
            'q' => self.stopped = true,
            '.' => {
                let line = lexer.line();
                self.file(&line);
            }
            'd' => {
                let line = lexer.line();
                line.split_whitespace().next().unwrap_or("").clone_into(&mut self.delimiter);
            }
            '!' | 'T' | 'P' | 'R' | 'C' | 'u' | 'r' => drop(lexer.line()),
            _ => {}
        }
    }
}

/// The arguments of a command of psql: up to the end of the line, or to the next command.
fn arguments(lexer: &mut QueryLexer) -> String {
    let mut text = String::new();
    let mut quote = None;
    while !lexer.ended() {
        let c = lexer.peek(0);
        match (c, quote) {
            ('\n', _) | ('\\', None) => break,
            ('\'' | '"' | '`', None) => quote = Some(c),
            (c, Some(open)) if c == open => quote = None,
            _ => {}
        }
        text.push(c);
        lexer.at += 1;
    }
    text
}

/// Words, of which those in quotes are whole.
fn split(text: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            c if c.is_whitespace() => all.extend(word.take()),
            '\'' | '"' => {
                let inner: String = chars.by_ref().take_while(|other| *other != c).collect();
                word.get_or_insert_default().push_str(&inner);
            }
            c => word.get_or_insert_default().push(c),
        }
    }
    all.extend(word);
    all
}
