//! sed scripts: what they run (`e`, `s///e`) and write (`w`, `W`, `s///w`). Facts: sed(1) of GNU, "Commands".

use super::{CodeAction, HOLE};

/// Finds the calls of a script.
pub(super) fn scan(script: &str) -> Vec<CodeAction> {
    let mut sed = Sed { rest: script, found: Vec::new() };
    while !sed.rest.is_empty() {
        sed.command();
    }
    sed.found
}

struct Sed<'a> {
    rest: &'a str,
    found: Vec<CodeAction>,
}

impl<'a> Sed<'a> {
    /// Reads one command with its addresses.
    fn command(&mut self) {
        self.addresses();
        let Some(name) = self.next() else { return };
        match name {
            '#' | 'r' | 'R' => drop(self.line()),
            ':' | 'b' | 't' | 'T' => drop(self.until(&['\n', ';', '}'])),
            'a' | 'i' | 'c' => {
                // Text continues behind a backslash at the end of a line.
                while self.line().ends_with('\\') && !self.rest.is_empty() {}
            }
            'e' => {
                let line = self.line().trim().to_owned();
                self.found.push(if line.is_empty() { CodeAction::OpaqueShell } else { CodeAction::Shell(line) });
            }
            'w' | 'W' => self.write(),
            'y' => {
                let end = self.next();
                self.part(end);
                self.part(end);
            }
            's' => self.replace(),
            _ => {}
        }
    }

    fn replace(&mut self) {
        let end = self.next();
        self.part(end);
        let new = self.part(end);
        while let Some(flag) = self.rest.chars().next().filter(char::is_ascii_alphanumeric) {
            self.next();
            if flag == 'w' {
                return self.write();
            }
            if flag == 'e' {
                // What is found stands for `&` and `\1`.
                let line: String = new.split('&').collect::<Vec<_>>().join(HOLE);
                let line = ('0'..='9').fold(line, |line, digit| line.replace(&format!("\\{digit}"), HOLE));
                let known = !line.replace(HOLE, "").trim().is_empty();
                self.found.push(if known { CodeAction::Shell(line) } else { CodeAction::OpaqueShell });
            }
        }
    }

    fn write(&mut self) {
        let path = self.line().trim().to_owned();
        if !path.starts_with("/dev/std") {
            self.found.push(CodeAction::Write { path: Some(path), append: false, text: None });
        }
    }

    /// Skips blanks, addresses and the signs between them.
    fn addresses(&mut self) {
        loop {
            self.rest = self.rest.trim_start_matches(|c: char| c.is_whitespace() || c.is_ascii_digit() || ";,$!~+{}".contains(c));
            match self.rest.chars().next() {
                Some('/') => {
                    let end = self.next();
                    self.part(end);
                }
                Some('\\') => {
                    self.next();
                    let end = self.next();
                    self.part(end);
                }
                _ => return,
            }
            self.rest = self.rest.trim_start_matches(['I', 'M']);
        }
    }

    /// The text up to `end`, without the backslash in front of it.
    fn part(&mut self, end: Option<char>) -> String {
        let mut text = String::new();
        while let Some(c) = self.next().filter(|c| Some(*c) != end) {
            if c != '\\' {
                text.push(c);
            } else if let Some(c) = self.next() {
                if Some(c) != end {
                    text.push('\\');
                }
                text.push(c);
            }
        }
        text
    }

    fn line(&mut self) -> &'a str {
        self.until(&['\n'])
    }

    fn until(&mut self, ends: &[char]) -> &'a str {
        let (front, rest) = self.rest.split_at(self.rest.find(ends).unwrap_or(self.rest.len()));
        self.rest = rest.strip_prefix('\n').unwrap_or(rest);
        front
    }

    fn next(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let next = chars.next();
        self.rest = chars.as_str();
        next
    }
}
