//! Command lines of PowerShell: words, and what separates commands; no structure beyond that. Blocks and parentheses are
//! read as lists of commands, a variable is a hole.

use super::{Shell, Stdin};
use crate::word::{Bound, Word, WordPiece};

impl Shell<'_> {
    /// Follows a command line of PowerShell.
    pub fn powershell(&mut self, text: &str) {
        // What a command of it reads in turn is for other shells.
        let outer = std::mem::replace(&mut self.power, false);
        let mut stdin = Stdin::default();
        for (mut words, piped) in commands(text) {
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
                _ => {
                    // Names of commands are the same in every case.
                    let usual =
                        words.first().and_then(Word::literal).is_some_and(|word| self.programs.find(word).is_none() && self.programs.find(&name).is_some());
                    if let Some(first) = words.first_mut().filter(|_| usual) {
                        *first = Word::lit(name);
                    }
                    self.invoke(words, Vec::new(), &stdin)
                }
            };
            stdin = if piped { Stdin { text: output.text, items: output.items, connected: true, ..Stdin::default() } } else { Stdin::default() };
        }
        self.power = outer;
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
            '\n' | ';' | '|' | '&' | '(' | ')' | '{' | '}' => {
                words.extend(word.take());
                if !words.is_empty() {
                    all.push((std::mem::take(&mut words), c == '|' && !tail.starts_with('|')));
                }
            }
            '$' => {
                let name = tail.find(|c: char| !c.is_alphanumeric() && !"_:?".contains(c)).unwrap_or(tail.len());
                rest = tail.get(name..).unwrap_or("");
                let word = word.get_or_insert_default();
                match tail.get(..name) {
                    Some("true" | "false" | "null") => word.push(WordPiece::Any(Bound::Name)),
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
