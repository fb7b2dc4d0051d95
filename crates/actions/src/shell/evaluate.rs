//! Text that the shell evaluates a second time: arithmetic, in which variables hold expressions again, subscripts that
//! builtins take as words, prompts. What counts are the substitutions that run in it and the variables that it sets.

use super::{Shell, Stdin};
use crate::word::{Word, WordPiece};
use shell_reader::ast::RawWord;
use shell_reader::parse;

/// Variables that are followed into variables.
const MAX_STEPS: usize = 8;
/// Ends a here-document that is made here. A private-use character: never typed.
const DELIMITER: char = '\u{f8fd}';

impl Shell<'_> {
    /// An arithmetic expression; gives a number that is not known.
    pub(super) fn arithmetic(&mut self, expression: &RawWord) -> Word {
        let word = self.scalar(expression);
        self.evaluate(&[word]);
        Word::name()
    }

    /// Expressions after expansion, evaluated in a row.
    pub(super) fn evaluate(&mut self, expressions: &[Word]) {
        let plain = expressions.iter().all(|word| word.literal().is_some_and(is_plain));
        self.faulty |= !plain;
        let value = if plain { Word::name() } else { Word::several() };
        for piece in expressions.iter().flat_map(|word| &word.pieces) {
            if let WordPiece::Lit(text) = piece {
                self.variables_in(text, &value, 0);
                self.again(text);
            }
        }
    }

    /// The value of a variable that is evaluated. One that is not known may be any that was assigned.
    pub(super) fn evaluate_value(&mut self, value: Option<&str>) {
        match value {
            Some(value) => self.again(value),
            None => self.dormant.clone().iter().for_each(|value| self.again(value)),
        }
    }

    /// Keeps a value for [`Self::evaluate_value`].
    pub(super) fn keep(&mut self, value: &str) {
        if (value.contains("$(") || value.contains('`')) && !self.dormant.iter().any(|known| known == value) {
            self.dormant.push(value.to_owned());
        }
    }

    /// Words of a builtin that takes names with subscripts (`unset 'a[$(…)]'`).
    pub(super) fn names(&mut self, words: &[Word]) {
        for word in words.iter().filter(|word| word.prefix().contains('[')) {
            self.evaluate(std::slice::from_ref(word));
        }
    }

    /// Text in which substitutions run once more.
    pub(super) fn again(&mut self, text: &str) {
        if text.contains("$(") || text.contains('`') {
            let line = format!(": <<{DELIMITER}\n{text}\n{DELIMITER}\n");
            if !parse::read_as(&line, self.zsh).faults.is_empty() {
                self.opaque(text, "an expression is not what it seems");
            }
            let line = Word::lit(line);
            self.line_within("an expression", &line, &Stdin::default());
        }
    }

    /// A value that the shell runs sooner or later on its own: its prompts and hooks.
    pub(super) fn hook(&mut self, name: &str, value: &Word) {
        match name {
            "PROMPT_COMMAND" => self.traps.push((value.clone(), self.stored)),
            "PS0" | "PS1" | "PS2" | "PS4" => self.again(&value.to_string()),
            "BASH_ENV" | "ENV" => {
                self.again(&value.to_string());
                // Every shell that is started reads this file first.
                self.within(name, |shell| shell.separate(|shell| shell.sourced(value, &[], &Stdin::default())));
            }
            _ => {}
        }
    }

    /// The variables of an expression: they are evaluated too, and some are set.
    fn variables_in(&mut self, text: &str, result: &Word, steps: usize) {
        let mut rest = text;
        let mut before = "";
        while let Some(start) = rest.find(|c: char| c.is_ascii_alphabetic() || c == '_') {
            let (front, tail) = rest.split_at(start);
            let (name, after) = tail.split_at(tail.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(tail.len()));
            let front = if front.trim().is_empty() { before } else { front.trim_end() };
            if front.ends_with(|c: char| c.is_ascii_digit() || c == '$') && !front.is_empty() && start == 0 {
                // `0x1f`
            } else if sets(front, after) {
                self.state.set(name, result.clone());
            } else if steps < MAX_STEPS {
                let value = self.state.get(name).and_then(|value| value.literal().map(str::to_owned));
                self.evaluate_value(value.as_deref());
                self.variables_in(value.as_deref().unwrap_or(""), result, steps + 1);
            }
            before = front;
            rest = after;
        }
    }
}

/// Whether an expression is one that cannot fail: names and numbers with operators between them.
fn is_plain(text: &str) -> bool {
    let is_operand = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let (mut wanted, mut rest) = (true, text.trim_matches([' ', '\t', '\n']));
    // Only a variable that is alone is assigned to.
    let (mut alone, mut named) = (true, false);
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|c: char| is_operand(c) != is_operand(first) || c == ' ').unwrap_or(rest.len());
        let (token, tail) = rest.split_at(end);
        if first.is_ascii_digit() && !token.bytes().all(|byte| byte.is_ascii_digit()) {
            return false;
        }
        let counts = matches!(token, "++" | "--");
        let operator = matches!(token, "=" | "+=" | "-=" | "*=" | "+" | "-" | "*" | "<" | ">" | "<=" | ">=" | "==" | "!=" | "&&" | "||" | "," | "%");
        if !counts && (is_operand(first) != wanted || !(operator || wanted)) {
            return false;
        }
        let assigns = matches!(token, "=" | "+=" | "-=" | "*=");
        if assigns && !(alone && named) {
            return false;
        }
        if operator {
            alone = assigns || token == ",";
        }
        named = first.is_ascii_alphabetic() || first == '_';
        wanted ^= !counts;
        rest = tail.trim_start_matches([' ', '\t', '\n']);
    }
    !wanted
}

/// Whether a variable between these is set.
fn sets(before: &str, after: &str) -> bool {
    let after = after.trim_start();
    let operator = after.trim_start_matches(|c| "+-*/%&|^<>".contains(c));
    before.ends_with("++")
        || before.ends_with("--")
        || after.starts_with("++")
        || after.starts_with("--")
        || (operator.starts_with('=') && !operator.starts_with("==") && !matches!(after.get(..2), Some("<=" | ">=")))
}
