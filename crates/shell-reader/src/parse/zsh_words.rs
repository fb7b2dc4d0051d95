//! What words mean in zsh and not in bash: groups of patterns, ranges of numbers, modifiers behind a parameter, and when two
//! parentheses are arithmetic. As zsh 5.9 does it.

use super::cursor::{ShellReader, is_metacharacter};
use super::words::push_text;
use crate::ast::Part;

impl ShellReader<'_, '_> {
    /// `( … )` of a pattern. Blanks, line ends and bars belong to it; an operator ends it and the word, closed or not.
    pub(super) fn zsh_group(&mut self, parts: &mut Vec<Part>) {
        let mut open = 0_usize;
        while let Some(byte) = self.peek() {
            match byte {
                b'(' | b')' => {
                    self.bump();
                    push_text(parts, if byte == b'(' { "(" } else { ")" });
                    open = if byte == b'(' { open + 1 } else { open.saturating_sub(1) };
                    if open == 0 {
                        return;
                    }
                }
                b'<' | b'>' => {
                    if !self.zsh_range(parts) && !self.process_substitution(parts) {
                        return;
                    }
                }
                b';' | b'&' => return,
                _ => self.unquoted_piece(parts, |byte| matches!(byte, b'(' | b')' | b'<' | b'>' | b';' | b'&')),
            }
        }
    }

    /// Whether the bracket here is closed before the word ends. True where there is more than text.
    pub(super) fn is_zsh_subscript(&mut self) -> bool {
        let rest = self.text.get(self.pos..self.end).unwrap_or_default();
        let mut open = 0_usize;
        for byte in rest.bytes() {
            match byte {
                b'[' => open += 1,
                b']' if open <= 1 => return true,
                b']' => open -= 1,
                b'$' | b'`' | b'"' | b'\'' | b'\\' => return true,
                _ if is_metacharacter(byte) => return false,
                _ => {}
            }
        }
        false
    }

    /// Whether `<1-5>`, a pattern for numbers, is next.
    pub(super) fn at_zsh_range(&mut self) -> bool {
        self.zsh_range_length().is_some()
    }

    /// Passes over `<1-5>`, if it is next. It is read as the wider pattern that bash has too.
    pub(super) fn zsh_range(&mut self, parts: &mut Vec<Part>) -> bool {
        let Some(length) = self.zsh_range_length() else { return false };
        push_text(parts, "*");
        self.pos += length;
        true
    }

    fn zsh_range_length(&mut self) -> Option<usize> {
        if !self.shared.zsh || self.peek() != Some(b'<') {
            return None;
        }
        let inner = self.text.get(self.pos..self.end)?.strip_prefix('<')?;
        let digits = |text: &str| text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let first = digits(inner);
        let rest = inner.get(first..)?.strip_prefix('-')?;
        let second = digits(rest);
        rest.get(second..)?.starts_with('>').then_some(first + second + 3)
    }

    /// Passes over the modifiers behind a parameter: `:t`, `:h2`, `:gs/from/to/`. False: the parameter has no modifier.
    pub(super) fn zsh_modifiers(&mut self) -> bool {
        let start = self.pos;
        loop {
            let here = self.pos;
            if !self.eat(":") {
                break;
            }
            while matches!(self.peek(), Some(b'g' | b'w' | b'f')) {
                self.bump();
            }
            match self.peek() {
                Some(b'a' | b'A' | b'c' | b'e' | b'l' | b'P' | b'q' | b'Q' | b'r' | b'u' | b'&') => self.bump(),
                Some(b'h' | b't') => {
                    self.bump();
                    while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
                        self.bump();
                    }
                }
                Some(b's') => {
                    self.bump();
                    self.zsh_replacement();
                }
                _ => {
                    self.pos = here;
                    break;
                }
            }
        }
        self.pos > start
    }

    /// The texts of `:s/from/to/`, where they are plain. What else is there is read as what it is.
    fn zsh_replacement(&mut self) {
        let Some(rest) = self.text.get(self.pos..self.end) else { return };
        let Some(sign) = rest.chars().next().filter(char::is_ascii_punctuation) else { return };
        let mut left = 3;
        for (at, c) in rest.char_indices() {
            if c == sign {
                left -= 1;
            } else if c.is_whitespace() || "\\'\"`$();&|<>{}".contains(c) {
                self.pos += at;
                return;
            }
            if left == 0 {
                self.pos += at + c.len_utf8();
                return;
            }
        }
        self.pos += rest.len();
    }
}

/// Whether zsh takes a text between `((` and `))` for arithmetic: it counts square brackets too. True where the text holds
/// what is not looked into.
pub(super) fn is_zsh_arithmetic(text: &str) -> bool {
    let mut open = 0_usize;
    let mut bytes = text.bytes().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => drop(bytes.next()),
            b'`' => return true,
            b'$' if matches!(bytes.peek(), Some(b'(' | b'{' | b'\'')) => return true,
            b'[' => open += 1,
            b']' => match open.checked_sub(1) {
                Some(left) => open = left,
                None => return false,
            },
            _ => {}
        }
    }
    open == 0
}
