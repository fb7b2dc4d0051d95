//! What zsh reads and bash does not: short forms of loops, functions without a name, flags of parameters.
//! Small differences are where the thing itself is read.

use super::cursor::{Closers, ShellReader, begins_name};
use super::words::{Quoting, push_text};
use crate::ast::{Assign, Command, Compound, Item, Join, Op, Parameter, RawWord, Script, Simple, Span, Value};

/// The name under which a function without one is defined and called.
const NAMELESS: &str = "(anon)";

fn item(command: Command) -> Item {
    Item { join: Join::Then, command, background: false, negated: false }
}

impl ShellReader<'_, '_> {
    /// A command that only zsh has, if one is next.
    pub(super) fn zsh_command(&mut self) -> Option<Command> {
        if self.looking_at("()") {
            self.eat("()");
            return Some(self.nameless());
        }
        if self.eat_word("repeat") {
            self.skip_blanks();
            let expressions = self.word();
            self.skip_blanks();
            self.eat(";");
            self.skip_lines();
            let body = self.loop_body();
            return Some(self.compound(Compound::ArithmeticFor { expressions, body }));
        }
        if self.eat_word("foreach") {
            self.skip_blanks();
            let name = self.take_name().unwrap_or_default();
            self.skip_blanks();
            return self.zsh_for(&name, true).or_else(|| Some(self.nothing()));
        }
        None
    }

    /// `() { … } words`: defined and called at once.
    fn nameless(&mut self) -> Command {
        let function = self.function_body(NAMELESS.to_owned());
        let here = self.span(self.pos);
        let mut words = vec![RawWord::text(NAMELESS, here)];
        words.extend(self.words());
        let span = words.last().map_or(here, |last| here.to(last.span));
        let call = Command::Simple(Simple { words, span, ..Simple::default() });
        self.compound(Compound::Group(Script { items: vec![item(function), item(call)] }))
    }

    /// `for name (words)` and `for name name in words`, whose first name has been read; up to the body's end.
    pub(super) fn zsh_for(&mut self, name: &str, foreach: bool) -> Option<Command> {
        let mut names = Vec::new();
        while self.peek().is_some_and(begins_name) && self.reserved().is_none() {
            let here = self.pos;
            if self.eat_word("in") {
                self.pos = here;
                break;
            }
            names.push(self.take_name()?);
            self.skip_blanks();
        }
        let words = if self.eat("(") {
            let mut words = self.words();
            while self.peek() == Some(b'\n') {
                self.skip_lines();
                words.extend(self.words());
            }
            self.eat(")");
            words
        } else if names.is_empty() {
            return None;
        } else {
            self.eat_word("in");
            self.words()
        };
        let here = self.span(self.pos);
        self.skip_blanks();
        self.eat(";");
        self.skip_lines();
        let ends = self.closers;
        self.closers = ends.with(Closers::END);
        let mut body = match self.reserved() {
            Some(("do" | "{", _)) => self.loop_body(),
            _ if foreach => self.required_list(),
            _ => self.short_body(),
        };
        self.closers = ends;
        self.waiting(Closers::END, |reader| reader.eat_word("end"));
        for other in &names {
            let assign = Assign { name: other.clone(), subscript: None, append: false, value: Value::Scalar(RawWord::unknown(here)), span: here };
            body.items.insert(0, item(Command::Simple(Simple { assigns: vec![assign], span: here, ..Simple::default() })));
        }
        let words = if names.is_empty() { words } else { words.into_iter().chain([RawWord::unknown(here)]).collect() };
        Some(self.compound(Compound::For { name: name.to_owned(), words: Some(words), body }))
    }

    /// The body of a function that has several names.
    pub(super) fn shared_body(&mut self, name: String, others: Vec<String>) -> Command {
        let function = self.function_body(name);
        let Command::Function { body, .. } = &function else { return function };
        if others.is_empty() {
            return function;
        }
        let span = function.span();
        let more: Vec<Item> = others.into_iter().map(|name| item(Command::Function { name, body: body.clone(), span })).collect();
        let body = Script { items: more.into_iter().chain([item(function)]).collect() };
        Command::Compound { body: Compound::Group(body), redirects: Vec::new(), span }
    }

    /// One command, where a list could be.
    pub(super) fn one_command(&mut self) -> Script {
        Script { items: vec![item(self.command(false))] }
    }

    /// The body of a short loop: pipelines that `&&` and `||` join.
    fn short_body(&mut self) -> Script {
        let mut items = Vec::new();
        let mut join = Join::Then;
        loop {
            let (command, negated) = self.pipeline();
            items.push(Item { join, command, background: false, negated });
            self.skip_blanks();
            join = if self.eat("&&") {
                Join::And
            } else if self.eat("||") {
                Join::Or
            } else {
                return Script { items };
            };
            self.skip_lines();
        }
    }

    /// `$name`, with the subscript and the signs that zsh takes without braces.
    pub(super) fn bare_zsh_parameter(&mut self, from: usize, quoted: bool) -> Option<Parameter> {
        let start = self.pos;
        let mut changed = false;
        let mut split = false;
        while let Some(sign @ (b'=' | b'~' | b'^' | b'+' | b'#')) = self.peek()
            && (matches!(sign, b'=' | b'~' | b'^')
                || self.peek_second().is_some_and(|byte| begins_name(byte) || byte.is_ascii_digit() || matches!(byte, b'=' | b'~' | b'^')))
        {
            changed = true;
            // In quotes too.
            split |= sign == b'=';
            self.bump();
        }
        let name = match self.bare_name() {
            Some(name) => name,
            // The signs alone are nothing.
            None if changed => String::new(),
            None => {
                self.pos = start;
                return None;
            }
        };
        let mut parameter = Parameter::plain(name, quoted && !split, Span::default());
        if self.eat("[") {
            let (subscript, _) = self.subscript(false);
            parameter.subscript = Some(subscript);
        }
        changed |= self.zsh_modifiers();
        parameter.span = self.span(from);
        if changed {
            parameter.op = Op::Other(RawWord { parts: Vec::new(), span: self.span(self.pos) });
        }
        Some(parameter)
    }

    /// Flags, signs and a parameter within a parameter: then the value is not followed, and all is read up to the brace.
    pub(super) fn zsh_flags(&mut self, parameter: &mut Parameter, quoting: Quoting) -> bool {
        let plain = match self.peek() {
            Some(b'(' | b'=' | b'~' | b'^' | b'+' | b'$' | b'"' | b':') => false,
            Some(b'#') => self.peek_second().is_none_or(|byte| !matches!(byte, b'$' | b'{')),
            _ => true,
        };
        if plain {
            return false;
        }
        let mut word = RawWord::default();
        let from = self.pos;
        let evaluated = self.peek() == Some(b'(') && {
            let flags = self.take_run(|byte| matches!(byte, b')' | b'$' | b'`'));
            push_text(&mut word.parts, flags);
            flags.contains('e') || flags.contains('P')
        };
        self.eat(")");
        if let Some(name) = self.take_name() {
            parameter.name = name;
        }
        let rest = self.operand(if quoting.is_quoted() { quoting } else { Quoting::None }, b'}');
        word.parts.extend(rest.parts);
        word.span = self.span(from);
        self.eat("}");
        parameter.op = if evaluated { Op::Transform('P') } else { Op::Other(word) };
        true
    }
}
