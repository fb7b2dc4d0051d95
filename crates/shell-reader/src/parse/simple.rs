//! Simple commands: assignments, words and redirections.

use super::cursor::{Closers, ShellReader, is_metacharacter};
use super::words::{append, push_text};
use crate::ast::{Assign, Command, Op, Parameter, Part, RawWord, Redirect, Simple, Span, Target, Value};

/// What bash does with words like `name=value` behind a command word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Builtin {
    /// They are words like others.
    None,
    /// They are assignments.
    Declaring,
    /// They are words, and may be of the form `name=( … )`.
    TakesArrays,
}

impl Builtin {
    fn of(word: &RawWord) -> Self {
        match word.parts.as_slice() {
            [Part::Text(name)] => match name.as_str() {
                "declare" | "export" | "local" | "readonly" | "typeset" => Self::Declaring,
                "alias" | "eval" | "let" => Self::TakesArrays,
                _ => Self::None,
            },
            _ => Self::None,
        }
    }
}

impl ShellReader<'_, '_> {
    /// A simple command, or a function that is defined by `name ()`. Nothing can be here if the command is `optional`.
    pub(super) fn simple(&mut self, optional: bool) -> Command {
        let start = self.pos;
        let mut simple = Simple::default();
        let mut builtin = Builtin::None;
        let mut after_assign = false;
        let mut name_end = start;
        let mut end = start;
        loop {
            self.skip_blanks();
            if let Some(redirect) = self.redirect() {
                simple.redirects.push(redirect);
                after_assign = false;
                end = self.pos;
                continue;
            }
            match self.peek() {
                None | Some(b'\n' | b';' | b'&' | b'|' | b')') => break,
                // In zsh a brace closes wherever it is by itself.
                Some(b'}') if self.shared.zsh && self.closers.has(Closers::BRACE) && self.reserved().is_some() => break,
                Some(b'(') if self.shared.zsh && !simple.words.is_empty() && self.peek_second() != Some(b')') => {}
                Some(b'(') => {
                    let alone = simple.words.len() == 1 && simple.assigns.is_empty() && simple.redirects.is_empty();
                    if alone && self.eat_parentheses() {
                        let name = self.text.get(start..name_end).unwrap_or_default();
                        return self.function_body(name.replace("\\\n", ""));
                    }
                    self.fault("unexpected `(`");
                    break;
                }
                Some(_) => {}
            }
            if simple.words.is_empty() {
                // Behind `name=value >file`, bash no longer takes `name[a b]=` for one word.
                match self.beginning(after_assign || simple.assigns.is_empty()) {
                    Some(Ok(assign)) => {
                        simple.assigns.push(assign);
                        after_assign = true;
                    }
                    Some(Err(word)) => simple.words.push(word),
                    None => {
                        let word = self.word();
                        builtin = Builtin::of(&word);
                        simple.words.push(word);
                    }
                }
                name_end = self.pos;
            } else {
                self.argument(&mut simple, builtin);
            }
            end = self.pos;
        }
        if !optional && simple.is_empty() {
            self.fault("a command is missing");
        }
        simple.span = self.span_to(start, end);
        Command::Simple(simple)
    }

    /// `( )`, if it is next.
    fn eat_parentheses(&mut self) -> bool {
        let here = self.pos;
        self.bump();
        self.skip_blanks();
        if self.eat(")") {
            return true;
        }
        self.pos = here;
        false
    }

    /// A word behind the command word.
    fn argument(&mut self, simple: &mut Simple, builtin: Builtin) {
        let from = self.pos;
        let head = if builtin == Builtin::None { None } else { self.assignment_head() };
        let mut word = RawWord::default();
        match head {
            Some((assign, head)) if builtin == Builtin::Declaring => {
                let assign = Assign { value: self.value(), span: self.span(from), ..assign };
                word = mention(&assign, &head);
                simple.assigns_after.push(assign);
            }
            Some((_, head)) if self.peek() == Some(b'(') => {
                push_text(&mut word.parts, &head);
                append(&mut word.parts, spelled(self.value(), Span::default()).parts);
            }
            head => {
                push_text(&mut word.parts, &head.map(|(_, head)| head).unwrap_or_default());
                self.word_into(&mut word.parts);
            }
        }
        word.span = self.span(from);
        simple.words.push(word);
    }

    /// `name=`, `name+=`, `name[1]=`, which is passed over, if it is next: the assignment without its value, and how this is
    /// spelled. The subscript is plain text.
    fn assignment_head(&mut self) -> Option<(Assign, String)> {
        let here = self.pos;
        let head = self.try_assignment_head();
        if head.is_none() {
            self.pos = here;
        }
        Some((head?, self.text.get(here..self.pos).unwrap_or_default().replace("\\\n", "")))
    }

    fn try_assignment_head(&mut self) -> Option<Assign> {
        let name = self.take_name()?;
        let mut subscript = None;
        if self.eat("[") {
            let from = self.pos;
            let text = self.take_run(|byte| is_metacharacter(byte) || b"\\'\"`$[]".contains(&byte));
            let end = self.pos;
            if !self.eat("]") {
                return None;
            }
            subscript = Some(RawWord::text(text, self.span_to(from, end)));
        }
        let append = self.eat("+=");
        (append || self.eat("=")).then(|| Assign { name, subscript, append, value: Value::Scalar(RawWord::default()), span: Span::default() })
    }

    /// A word that begins with a name and a bracket, or an assignment. None, and nothing passed over: neither.
    fn beginning(&mut self, subscripts: bool) -> Option<Result<Assign, RawWord>> {
        let here = self.pos;
        if let Some((assign, _)) = self.assignment_head() {
            return Some(Ok(Assign { value: self.value(), span: self.span(here), ..assign }));
        }
        let name = self.take_name()?;
        if !subscripts || self.peek() != Some(b'[') || (self.shared.zsh && !self.is_zsh_subscript()) {
            self.pos = here;
            return None;
        }
        Some(self.bracketed(&name, here).map(|(subscript, append)| {
            let value = self.value();
            Assign { name, subscript: Some(subscript), append, value, span: self.span(here) }
        }))
    }

    /// What is assigned.
    fn value(&mut self) -> Value {
        if self.peek() != Some(b'(') {
            return Value::Scalar(self.word());
        }
        let from = self.pos;
        let elements = self.deeper(Self::elements).unwrap_or_default();
        if self.shared.zsh {
            return Value::Array(elements);
        }
        // `a=(x)y` is no array, but a text.
        let rest = self.word();
        if rest.parts.is_empty() {
            return Value::Array(elements);
        }
        let mut word = spelled(Value::Array(elements), self.span(from));
        append(&mut word.parts, rest.parts);
        Value::Scalar(word)
    }

    /// The words of an array, from the parenthesis on.
    fn elements(&mut self) -> Vec<(Option<RawWord>, RawWord)> {
        let mut elements = Vec::new();
        let start = self.pos;
        let outer_pattern = self.pattern_at.take();
        self.bump();
        loop {
            self.skip_lines();
            match self.peek() {
                None | Some(b')') => {
                    self.close(b')', "unterminated array", start);
                    break;
                }
                // In zsh it is as good as a line end.
                Some(b';') if self.shared.zsh && self.peek_second() != Some(b';') => self.bump(),
                Some(b'[') => elements.push(self.subscripted_element()),
                Some(_) => {
                    let word = self.word();
                    if word.parts.is_empty() {
                        self.fault("unexpected operator in an array");
                        self.give_up_line();
                        // It is not assigned: a parameter without a name has no value that is known.
                        elements.insert(0, (None, RawWord::unknown(self.span_to(start, start))));
                        break;
                    }
                    elements.push((None, word));
                }
            }
        }
        let pattern = std::mem::replace(&mut self.pattern_at, outer_pattern);
        if pattern.is_some_and(|at| self.last_line_end.is_some_and(|line_end| at < line_end)) {
            // Without the option `extglob`, bash gives up the line, and runs the next one as if nothing were open.
            self.unread("a pattern in an array in front of other lines");
        }
        elements
    }

    /// `[…]` where an assignment may begin: what is in it, and whether it is one (`+=` or `=` is after it); the
    /// word that it begins otherwise, which begins with `name` and is at `from`.
    fn bracketed(&mut self, name: &str, from: usize) -> Result<(RawWord, bool), RawWord> {
        let bracket = self.pos;
        self.bump();
        let (subscript, closed) = self.subscript(false);
        if !closed {
            self.fault_at("unterminated subscript", bracket);
        }
        let appends = self.eat("+=");
        if appends || self.eat("=") {
            return Ok((subscript, appends));
        }
        let mut parts = vec![Part::Text(format!("{name}["))];
        append(&mut parts, subscript.parts);
        if closed {
            push_text(&mut parts, "]");
        }
        self.word_into(&mut parts);
        Err(RawWord { parts, span: self.span(from) })
    }

    /// `[…]=word`, or a word that begins with a bracket.
    fn subscripted_element(&mut self) -> (Option<RawWord>, RawWord) {
        match self.bracketed("", self.pos) {
            Ok((subscript, _)) => (Some(subscript), self.word()),
            Err(word) => (None, word),
        }
    }

    /// Redirections behind a compound command.
    pub(super) fn redirects(&mut self) -> Vec<Redirect> {
        let mut redirects = Vec::new();
        loop {
            self.skip_blanks();
            match self.redirect() {
                Some(redirect) => redirects.push(redirect),
                None => return redirects,
            }
        }
    }

    /// The redirection that is next, if one is.
    fn redirect(&mut self) -> Option<Redirect> {
        let here = self.pos;
        let fd = self.descriptor();
        let Some(to) = self.redirect_target() else {
            self.pos = here;
            return None;
        };
        Some(Redirect { fd, to, span: self.span(here) })
    }

    /// The digits, or the name in braces, in front of `<` or `>`.
    fn descriptor(&mut self) -> Option<String> {
        let here = self.pos;
        let descriptor = match self.peek()? {
            b'0'..=b'9' => {
                let mut digits = String::new();
                let several = self.peek_second().is_some_and(|byte| byte.is_ascii_digit());
                if several && self.shared.zsh {
                    return None;
                }
                while let Some(digit) = self.peek().filter(u8::is_ascii_digit) {
                    self.bump();
                    // More are no number to the shell, and the word is left alone below.
                    if digits.len() <= 10 {
                        digits.push(char::from(digit));
                    }
                }
                // `peek` passed over line continuations, and zsh does not.
                let spliced = self.shared.zsh && self.pos > here + digits.len();
                digits.parse::<i32>().ok().map(|_| digits).filter(|_| !spliced)
            }
            b'{' => {
                self.bump();
                self.take_name().filter(|_| self.eat("}"))
            }
            _ => None,
        };
        if descriptor.is_none() || !matches!(self.peek(), Some(b'<' | b'>')) {
            self.pos = here;
            return None;
        }
        descriptor
    }

    fn redirect_target(&mut self) -> Option<Target> {
        let first = self.peek().filter(|byte| matches!(byte, b'&' | b'<' | b'>'))?;
        match self.peek_second() {
            Some(b'(') => return None,
            _ if first == b'<' && self.at_zsh_range() => return None,
            Some(b'>') => {}
            _ if first == b'&' => return None,
            _ => {}
        }
        let zsh = self.shared.zsh;
        // The longest operator counts.
        let operator = ["<<<", "<<-", "<<", "<&", ">&", "&>>", ">>", "<>", ">!", "&>", ">|", ">", "<"];
        let operator = operator.into_iter().filter(|operator| zsh || *operator != ">!").find(|operator| self.eat(operator))?;
        if operator.ends_with(">>") && zsh && !self.eat("|") && !self.eat("!") {
            self.eat("&");
        }
        if operator == "&>" && zsh && !self.eat("|") {
            self.eat("!");
        }
        Some(match operator {
            "<<-" | "<<" => Target::HereDocument(self.here_document(operator == "<<-")),
            "<&" | ">&" => Target::Duplicate { word: self.duplicated(), output: operator == ">&" },
            "<<<" => Target::HereString(self.target_word()),
            "<>" => Target::ReadWrite(self.target_word()),
            "<" => Target::Read(self.target_word()),
            "&>>" | ">>" => Target::Append(self.target_word()),
            _ => Target::Write(self.target_word()),
        })
    }

    fn target_word(&mut self) -> RawWord {
        self.skip_blanks();
        let word = self.word();
        if word.parts.is_empty() {
            self.fault("a redirection has no target");
        }
        word
    }

    /// The word after `>&` or `<&`. A `-` there closes the descriptor, and what follows it is the next word.
    fn duplicated(&mut self) -> RawWord {
        if self.shared.zsh && !self.eat("|") {
            self.eat("!");
        }
        self.skip_blanks();
        if self.peek() == Some(b'-') && !self.shared.zsh {
            self.bump();
            return RawWord::text("-", self.span(self.pos - 1));
        }
        self.target_word()
    }
}

/// The word for an assignment that is among the arguments as well. A value that holds more than text and plain
/// parameters is not repeated, since what is in it runs once: the word then names the variable that was just assigned.
fn mention(assign: &Assign, head: &str) -> RawWord {
    let mut parts = Vec::new();
    let span = assign.span;
    push_text(&mut parts, head);
    match &assign.value {
        Value::Scalar(word) if word.parts.iter().all(is_plain) => {
            append(&mut parts, word.parts.clone());
        }
        _ => parts.push(Part::Parameter(Box::new(Parameter::plain(assign.name.clone(), true, span)))),
    }
    RawWord { parts, span }
}

fn is_plain(part: &Part) -> bool {
    match part {
        Part::Text(_) | Part::Quoted(_) => true,
        Part::Parameter(parameter) => parameter.op == Op::None && parameter.subscript.is_none(),
        _ => false,
    }
}

/// A value as the word it was written as.
fn spelled(value: Value, span: Span) -> RawWord {
    let mut parts = Vec::new();
    match value {
        Value::Scalar(word) => append(&mut parts, word.parts),
        Value::Array(elements) => {
            push_text(&mut parts, "(");
            for (index, (subscript, word)) in elements.into_iter().enumerate() {
                if index > 0 {
                    push_text(&mut parts, " ");
                }
                if let Some(subscript) = subscript {
                    push_text(&mut parts, "[");
                    append(&mut parts, subscript.parts);
                    push_text(&mut parts, "]=");
                }
                append(&mut parts, word.parts);
            }
            push_text(&mut parts, ")");
        }
    }
    RawWord { parts, span }
}
