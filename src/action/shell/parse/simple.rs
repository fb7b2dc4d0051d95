//! Simple commands: assignments, words and redirections.

use super::super::ast::{Assign, Command, Op, Parameter, Part, RawWord, Redirect, Simple, Target, Value};
use super::cursor::{Closers, Reader, is_metacharacter};
use super::words::{append, push_text};

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

/// A word that begins like an assignment.
enum Beginning {
    Assign(Assign),
    /// It was none, and has been read as a word.
    Word(RawWord),
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

impl Reader<'_, '_> {
    /// A simple command, or a function that is defined by `name ()`. Nothing may stand here if the command is `optional`.
    pub(super) fn simple(&mut self, optional: bool) -> Command {
        let start = self.pos;
        let mut simple = Simple::default();
        let mut builtin = Builtin::None;
        let mut after_assign = false;
        let mut name_end = start;
        loop {
            self.skip_blanks();
            if let Some(redirect) = self.redirect() {
                simple.redirects.push(redirect);
                after_assign = false;
                continue;
            }
            match self.peek() {
                None | Some(b'\n' | b';' | b'&' | b'|' | b')') => break,
                // In zsh a brace closes wherever it stands by itself.
                Some(b'}') if self.shared.zsh && self.closers.has(Closers::BRACE) && self.reserved().is_some() => break,
                Some(b'(') if self.shared.zsh && !simple.words.is_empty() && self.peek_second() != Some(b')') => self.argument(&mut simple, builtin),
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
                    Some(Beginning::Assign(assign)) => {
                        simple.assigns.push(assign);
                        after_assign = true;
                    }
                    Some(Beginning::Word(word)) => simple.words.push(word),
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
        }
        if !optional && simple == Simple::default() {
            self.fault("a command is missing");
        }
        Command::Simple(simple)
    }

    /// `( )`, if it is next.
    fn eat_parentheses(&mut self) -> bool {
        let here = self.pos;
        self.bump();
        self.skip_blanks();
        if self.peek() == Some(b')') {
            self.bump();
            return true;
        }
        self.pos = here;
        false
    }

    /// A word behind the command word.
    fn argument(&mut self, simple: &mut Simple, builtin: Builtin) {
        let head = if builtin == Builtin::None { None } else { self.assignment_head() };
        match (builtin, head) {
            (Builtin::Declaring, Some(head)) => {
                let assign = self.assigned(head);
                simple.words.push(mention(&assign));
                simple.assigns_after.push(assign);
            }
            (Builtin::TakesArrays, Some(head)) if self.peek() == Some(b'(') => {
                let mut word = RawWord::default();
                push_text(&mut word.parts, &head.spelling());
                append(&mut word.parts, spelled(self.value()).parts);
                simple.words.push(word);
            }
            (_, head) => {
                let mut word = RawWord::default();
                if let Some(head) = head {
                    push_text(&mut word.parts, &head.spelling());
                }
                self.word_into(&mut word.parts);
                simple.words.push(word);
            }
        }
    }

    /// `name=`, `name+=`, `name[1]=`, which is passed over, if it is next. The subscript is plain text.
    fn assignment_head(&mut self) -> Option<Head> {
        let here = self.pos;
        let head = self.try_assignment_head();
        if head.is_none() {
            self.pos = here;
        }
        head
    }

    fn try_assignment_head(&mut self) -> Option<Head> {
        let name = self.take_name()?;
        let mut subscript = None;
        if self.peek() == Some(b'[') {
            self.bump();
            let special = |byte| is_metacharacter(byte) || matches!(byte, b'\\' | b'\'' | b'"' | b'`' | b'$');
            let text = self.take_run(|byte| special(byte) || matches!(byte, b'[' | b']'));
            if self.peek() != Some(b']') {
                return None;
            }
            self.bump();
            subscript = Some(text.to_owned());
        }
        let append = self.peek() == Some(b'+');
        if append {
            self.bump();
        }
        if self.peek() != Some(b'=') {
            return None;
        }
        self.bump();
        Some(Head { name, subscript, append })
    }

    /// The assignment whose head has been read.
    fn assigned(&mut self, head: Head) -> Assign {
        let subscript = head.subscript.map(|text| RawWord { parts: vec![Part::Text(text)] });
        let value = self.value();
        Assign { name: head.name, subscript, append: head.append, value }
    }

    /// A word that begins with a name and a bracket, or an assignment. None, and nothing passed over: neither.
    fn beginning(&mut self, subscripts: bool) -> Option<Beginning> {
        if let Some(head) = self.assignment_head() {
            return Some(Beginning::Assign(self.assigned(head)));
        }
        let here = self.pos;
        let name = self.take_name()?;
        if !subscripts || self.peek() != Some(b'[') {
            self.pos = here;
            return None;
        }
        let bracket = self.pos;
        self.bump();
        let (subscript, closed) = self.subscript(false);
        if !closed {
            self.fault_at("unterminated subscript", bracket);
        }
        let appends = self.looking_at("+=");
        if self.eat("+=") || self.eat("=") {
            let value = self.value();
            return Some(Beginning::Assign(Assign { name, subscript: Some(subscript), append: appends, value }));
        }
        let mut parts = vec![Part::Text(name)];
        push_text(&mut parts, "[");
        append(&mut parts, subscript.parts);
        if closed {
            push_text(&mut parts, "]");
        }
        self.word_into(&mut parts);
        Some(Beginning::Word(RawWord { parts }))
    }

    /// What is assigned.
    fn value(&mut self) -> Value {
        if self.peek() != Some(b'(') {
            return Value::Scalar(self.word());
        }
        let mut elements = Vec::new();
        if !self.enter() {
            return Value::Array(elements);
        }
        let start = self.pos;
        let outer_pattern = self.pattern_at.take();
        self.bump();
        loop {
            self.skip_lines();
            match self.peek() {
                None => {
                    self.fault_at("unterminated array", start);
                    break;
                }
                Some(b')') => {
                    self.bump();
                    break;
                }
                Some(b'[') => elements.push(self.subscripted_element()),
                Some(_) => {
                    let word = self.word();
                    if word.parts.is_empty() {
                        self.fault("unexpected operator in an array");
                        self.give_up_line();
                        // It is not assigned: a parameter without a name has no value that is known.
                        let nothing = Parameter { name: String::new(), subscript: None, indirect: false, length: false, op: Op::None, quoted: true };
                        elements.insert(0, (None, RawWord { parts: vec![Part::Parameter(Box::new(nothing))] }));
                        break;
                    }
                    elements.push((None, word));
                }
            }
        }
        self.leave();
        let pattern = std::mem::replace(&mut self.pattern_at, outer_pattern);
        if pattern.is_some_and(|at| self.last_line_end.is_some_and(|line_end| at < line_end)) {
            // Without the option `extglob`, bash gives up the line, and runs the next one as if nothing were open.
            self.unread("a pattern in an array in front of other lines");
        }
        // `a=(x)y` is no array, but a text.
        let rest = self.word();
        if rest.parts.is_empty() {
            return Value::Array(elements);
        }
        let mut word = spelled(Value::Array(elements));
        append(&mut word.parts, rest.parts);
        Value::Scalar(word)
    }

    /// `[…]=word`, or a word that begins with a bracket.
    fn subscripted_element(&mut self) -> (Option<RawWord>, RawWord) {
        let bracket = self.pos;
        self.bump();
        let (subscript, closed) = self.subscript(false);
        if !closed {
            self.fault_at("unterminated subscript", bracket);
        }
        if self.eat("=") || self.eat("+=") {
            return (Some(subscript), self.word());
        }
        let mut parts = vec![Part::Text("[".to_owned())];
        append(&mut parts, subscript.parts);
        if closed {
            push_text(&mut parts, "]");
        }
        self.word_into(&mut parts);
        (None, RawWord { parts })
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
        Some(Redirect { fd, to })
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
                digits.parse::<i32>().ok().map(|_| digits)
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
            Some(b'>') => {}
            _ if first == b'&' => return None,
            _ => {}
        }
        // The longest operator counts.
        let target: fn(RawWord) -> Target = if self.eat("<<<") {
            Target::HereString
        } else if self.eat("<<-") {
            return Some(Target::HereDocument(self.here_document(true)));
        } else if self.eat("<<") {
            return Some(Target::HereDocument(self.here_document(false)));
        } else if self.eat("<&") {
            return Some(Target::Duplicate { word: self.duplicated(), output: false });
        } else if self.eat(">&") {
            return Some(Target::Duplicate { word: self.duplicated(), output: true });
        } else if self.eat("&>>") || self.eat(">>") {
            if self.shared.zsh && !self.eat("|") && !self.eat("!") {
                self.eat("&");
            }
            Target::Append
        } else if self.eat("<>") {
            Target::ReadWrite
        } else if self.shared.zsh && self.peek() == Some(b'>') && self.peek_second() == Some(b'!') {
            self.bump();
            self.bump();
            Target::Write
        } else if self.eat("&>") || self.eat(">|") || self.eat(">") {
            Target::Write
        } else {
            self.bump();
            Target::Read
        };
        Some(target(self.target_word()))
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
            return RawWord { parts: vec![Part::Text("-".to_owned())] };
        }
        self.target_word()
    }
}

/// The part of an assignment in front of its value.
struct Head {
    name: String,
    subscript: Option<String>,
    append: bool,
}

impl Head {
    fn spelling(&self) -> String {
        let mut spelling = self.name.clone();
        if let Some(subscript) = &self.subscript {
            spelling.push('[');
            spelling.push_str(subscript);
            spelling.push(']');
        }
        spelling.push_str(if self.append { "+=" } else { "=" });
        spelling
    }
}

/// The word for an assignment that stands among the arguments as well. A value that holds more than text and plain
/// parameters is not repeated, since what is in it runs once: the word then names the variable that was just assigned.
fn mention(assign: &Assign) -> RawWord {
    let mut parts = Vec::new();
    push_text(&mut parts, &assign.name);
    if let Some([Part::Text(subscript)]) = assign.subscript.as_ref().map(|word| word.parts.as_slice()) {
        push_text(&mut parts, &format!("[{subscript}]"));
    }
    push_text(&mut parts, if assign.append { "+=" } else { "=" });
    match &assign.value {
        Value::Scalar(word) if word.parts.iter().all(is_plain) => {
            append(&mut parts, word.parts.clone());
        }
        _ => parts.push(Part::Parameter(Box::new(Parameter {
            name: assign.name.clone(),
            subscript: None,
            indirect: false,
            length: false,
            op: Op::None,
            quoted: true,
        }))),
    }
    RawWord { parts }
}

fn is_plain(part: &Part) -> bool {
    match part {
        Part::Text(_) | Part::Quoted(_) => true,
        Part::Parameter(parameter) => parameter.op == Op::None && parameter.subscript.is_none(),
        _ => false,
    }
}

/// A value as the word it was written as.
fn spelled(value: Value) -> RawWord {
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
    RawWord { parts }
}
