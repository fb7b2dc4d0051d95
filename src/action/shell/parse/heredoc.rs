//! Here-documents: their delimiters, and their bodies, which are read at the next line end and put in their places
//! when everything has been read.

use super::super::ast::{Assign, Command, Op, Parameter, Part, RawWord, Redirect, Script, Simple, Target, Value};
use super::ansi_c;
use super::cursor::{Pending, Reader};

/// A line of a body.
struct Line {
    /// Without the line end, and with its continuations joined.
    text: String,
    /// It ended in a line end.
    ended: bool,
    /// Where it begins, and how much of it stands there before the first continuation.
    start: usize,
    unbroken: usize,
}

impl Reader<'_, '_> {
    /// `<<` or `<<-` has been read: takes the delimiter, and notes that a body is to come.
    pub(super) fn here_document(&mut self, strip_tabs: bool) -> RawWord {
        self.skip_blanks();
        let start = self.pos;
        let word = self.word();
        if word.parts.is_empty() {
            self.fault("a redirection has no target");
            return word;
        }
        let quoted = word.parts.iter().any(is_quoted);
        let delimiter = delimiter(self.text.get(start..self.pos).unwrap_or_default());
        if word.parts.iter().any(is_respelled) {
            self.unread("an expansion in the delimiter of a here-document");
        }
        let body = self.shared.bodies.len();
        self.shared.bodies.push(RawWord::default());
        self.pending.push(Pending { body, delimiter, quoted, strip_tabs, from: self.pos, late: None });
        // The number stands in for the body until `place` puts it there.
        RawWord { parts: vec![Part::Text(body.to_string())] }
    }

    /// Passes over a line end, and over the bodies that begin there.
    pub(super) fn end_line(&mut self) {
        self.drop_hidden_here_documents();
        if self.pos < self.put_back && !self.pending.is_empty() {
            // Bash takes these bodies from behind the text that it put back, and runs what stands here.
            self.unread("a here-document begins within `( (` without a blank");
            self.pending.clear();
        }
        // Bash writes the text of a substitution anew, and loses its way where a quote goes over the line end, or where one
        // body ends within a line and another one waits.
        let broken = |from| self.text.get(from..self.pos).unwrap_or_default().replace("\\\n", "").contains('\n');
        if self.in_substitution && self.pending.iter().any(|pending| pending.late.is_none() && broken(pending.from)) {
            self.unread("a here-document waits behind a line end in quotes");
        }
        self.bump();
        for (at, pending) in std::mem::take(&mut self.pending).into_iter().enumerate() {
            if at > 0 && !self.text.get(..self.pos).unwrap_or_default().ends_with('\n') && self.raw().is_some() {
                self.unread("a here-document ends within a line, and another one waits");
            }
            let body = self.here_document_body(&pending);
            self.after_here_document = self.in_substitution && !self.shared.zsh;
            if let Some(place) = self.shared.bodies.get_mut(pending.body) {
                *place = body;
            }
        }
    }

    /// A substitution has ended before the bodies of these came. They come before those of the text around it.
    pub(super) fn delay_here_documents(&mut self, here_documents: Vec<Pending>) {
        let at = self.pos;
        let place = self.pending.partition_point(|pending| pending.late.is_some());
        let delayed = here_documents.into_iter().map(|pending| Pending { late: pending.late.or(Some(at)), ..pending });
        self.pending.splice(place..place, delayed);
    }

    /// Bash takes a delayed body from the line below, be that within a quote that is still open. It is not followed there.
    pub(super) fn drop_hidden_here_documents(&mut self) {
        let Some(Some(since)) = self.pending.first().map(|pending| pending.late) else {
            return;
        };
        let between = self.text.get(since..self.pos).unwrap_or_default();
        if between.contains('\n') {
            self.unread("a here-document begins within an open quote");
            self.pending.retain(|pending| pending.late.is_none());
        }
    }

    fn here_document_body(&mut self, pending: &Pending) -> RawWord {
        let start = self.pos;
        let mut body = String::new();
        while self.raw().is_some() {
            let line = self.body_line(pending.quoted);
            let text = if pending.strip_tabs { line.text.trim_start_matches('\t') } else { &line.text };
            if text == pending.delimiter {
                break;
            }
            let delimiter_end = line.text.len() - text.len() + pending.delimiter.len();
            if self.in_substitution && delimiter_end <= line.unbroken && text.strip_prefix(pending.delimiter.as_str()).is_some_and(|rest| rest.contains(')')) {
                // `EOF)`: bash lets the delimiter end the body, and reads on behind it.
                self.pos = line.start + delimiter_end;
                break;
            }
            if pending.late.is_some() && text.strip_prefix(pending.delimiter.as_str()).is_some_and(|rest| rest.contains(')')) {
                self.unread("the end of a here-document is not sure");
            }
            body.push_str(text);
            if line.ended {
                body.push('\n');
            }
        }
        if pending.quoted {
            return RawWord { parts: vec![Part::Quoted(body)] };
        }
        let mut word = RawWord::default();
        if self.enter() {
            if let Some(mut reader) = self.within(&body, start) {
                word = reader.here_text();
            }
            self.leave();
        }
        word
    }

    fn body_line(&mut self, quoted: bool) -> Line {
        let start = self.pos;
        let mut unbroken = None;
        let mut text = String::new();
        loop {
            let run = self.take_run(|byte| byte == b'\n');
            text.push_str(run);
            let ended = self.raw().is_some();
            if ended {
                self.bump();
            }
            let backslashes = run.len() - run.trim_end_matches('\\').len();
            if quoted || !ended || backslashes.is_multiple_of(2) {
                return Line { unbroken: unbroken.unwrap_or(text.len()), text, ended, start };
            }
            text.pop();
            unbroken.get_or_insert(text.len());
        }
    }
}

/// A delimiter with such a part makes the body data. Quotes within a substitution do not count.
fn is_quoted(part: &Part) -> bool {
    match part {
        Part::Quoted(_) => true,
        Part::Parameter(parameter) => parameter.quoted,
        Part::Command { quoted, .. } | Part::Arithmetic { quoted, .. } => *quoted,
        Part::Text(_) | Part::Process { .. } => false,
    }
}

/// Bash waits for its own spelling of such a part.
fn is_respelled(part: &Part) -> bool {
    match part {
        Part::Text(_) | Part::Quoted(_) => false,
        Part::Parameter(parameter) => parameter.op != Op::None || parameter.subscript.is_some(),
        Part::Command { .. } | Part::Arithmetic { .. } | Part::Process { .. } => true,
    }
}

/// The delimiter that a word stands for. Nothing in it is expanded.
fn delimiter(word: &str) -> String {
    let mut delimiter = String::new();
    let mut rest = word;
    while let Some(next) = rest.chars().next() {
        let tail = rest.get(next.len_utf8()..).unwrap_or_default();
        rest = match next {
            '\\' => match tail.chars().next() {
                Some('\n') => tail.get(1..).unwrap_or_default(),
                Some(escaped) => {
                    delimiter.push(escaped);
                    tail.get(escaped.len_utf8()..).unwrap_or_default()
                }
                None => {
                    delimiter.push('\\');
                    tail
                }
            },
            '\'' => {
                let (text, after) = tail.split_once('\'').unwrap_or((tail, ""));
                delimiter.push_str(text);
                after
            }
            '"' => double_quoted(tail, &mut delimiter),
            '$' if tail.starts_with('"') => tail,
            '$' if tail.starts_with('\'') => {
                let text = tail.get(1..).unwrap_or_default();
                let length = ansi_c_length(text);
                delimiter.push_str(&ansi_c::decode(text.get(..length).unwrap_or_default()));
                text.get(length + 1..).unwrap_or_default()
            }
            other => {
                delimiter.push(other);
                tail
            }
        };
    }
    delimiter
}

/// Bytes in front of the quote that ends a `$'…'`.
fn ansi_c_length(text: &str) -> usize {
    let mut escaped = false;
    text.bytes()
        .position(|byte| {
            let ends = byte == b'\'' && !escaped;
            escaped = byte == b'\\' && !escaped;
            ends
        })
        .unwrap_or(text.len())
}

/// Adds the text up to the double quote, and gives what follows it.
fn double_quoted<'t>(text: &'t str, delimiter: &mut String) -> &'t str {
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return text.get(at + 1..).unwrap_or_default(),
            '\\' => match characters.next() {
                Some((_, '\n')) | None => {}
                Some((_, escaped @ ('$' | '`' | '"' | '\\'))) => delimiter.push(escaped),
                Some((_, other)) => {
                    delimiter.push('\\');
                    delimiter.push(other);
                }
            },
            other => delimiter.push(other),
        }
    }
    ""
}

/// Puts the bodies where their numbers stand.
pub(super) fn place(script: &mut Script, bodies: &mut [RawWord]) {
    for item in &mut script.items {
        place_in_command(&mut item.command, bodies);
    }
}

fn place_in_command(command: &mut Command, bodies: &mut [RawWord]) {
    let redirects = match command {
        Command::Simple(simple) => return place_in_simple(simple, bodies),
        Command::Pipeline(commands) => {
            for command in commands {
                place_in_command(command, bodies);
            }
            return;
        }
        Command::Function { body, .. } | Command::Coproc { body } => return place_in_command(body, bodies),
        Command::Subshell { body, redirects } | Command::Group { body, redirects } => {
            place(body, bodies);
            redirects
        }
        Command::If { parts, redirects } => {
            for part in parts {
                place(part, bodies);
            }
            redirects
        }
        Command::While { condition, body, redirects } => {
            place(condition, bodies);
            place(body, bodies);
            redirects
        }
        Command::For { words, body, redirects, .. } => {
            place_in_words(words.as_deref_mut().unwrap_or_default(), bodies);
            place(body, bodies);
            redirects
        }
        Command::ArithmeticFor { expressions, body, redirects } => {
            place_in_word(expressions, bodies);
            place(body, bodies);
            redirects
        }
        Command::Case { word, arms, redirects } => {
            place_in_word(word, bodies);
            for arm in arms {
                place_in_words(&mut arm.patterns, bodies);
                place(&mut arm.body, bodies);
            }
            redirects
        }
        Command::Test { words, redirects } => {
            place_in_words(words, bodies);
            redirects
        }
        Command::Arithmetic { expression, redirects } => {
            place_in_word(expression, bodies);
            redirects
        }
    };
    place_in_redirects(redirects, bodies);
}

fn place_in_simple(simple: &mut Simple, bodies: &mut [RawWord]) {
    for assign in simple.assigns.iter_mut().chain(&mut simple.assigns_after) {
        place_in_assign(assign, bodies);
    }
    place_in_words(&mut simple.words, bodies);
    place_in_redirects(&mut simple.redirects, bodies);
}

fn place_in_assign(assign: &mut Assign, bodies: &mut [RawWord]) {
    if let Some(subscript) = &mut assign.subscript {
        place_in_word(subscript, bodies);
    }
    match &mut assign.value {
        Value::Scalar(word) => place_in_word(word, bodies),
        Value::Array(elements) => {
            for (subscript, word) in elements {
                if let Some(subscript) = subscript {
                    place_in_word(subscript, bodies);
                }
                place_in_word(word, bodies);
            }
        }
    }
}

fn place_in_redirects(redirects: &mut [Redirect], bodies: &mut [RawWord]) {
    for redirect in redirects {
        match &mut redirect.to {
            Target::HereDocument(word) => {
                if let [Part::Text(number)] = word.parts.as_slice()
                    && let Some(body) = number.parse().ok().and_then(|number: usize| bodies.get_mut(number))
                {
                    *word = std::mem::take(body);
                    place_in_word(word, bodies);
                }
            }
            Target::Read(word)
            | Target::Write(word)
            | Target::Append(word)
            | Target::ReadWrite(word)
            | Target::Duplicate { word, .. }
            | Target::HereString(word) => place_in_word(word, bodies),
        }
    }
}

fn place_in_words(words: &mut [RawWord], bodies: &mut [RawWord]) {
    for word in words {
        place_in_word(word, bodies);
    }
}

fn place_in_word(word: &mut RawWord, bodies: &mut [RawWord]) {
    for part in &mut word.parts {
        match part {
            Part::Text(_) | Part::Quoted(_) => {}
            Part::Parameter(parameter) => place_in_parameter(parameter, bodies),
            Part::Command { script, .. } | Part::Process { script, .. } => place(script, bodies),
            Part::Arithmetic { expression, .. } => place_in_word(expression, bodies),
        }
    }
}

fn place_in_parameter(parameter: &mut Parameter, bodies: &mut [RawWord]) {
    if let Some(subscript) = &mut parameter.subscript {
        place_in_word(subscript, bodies);
    }
    match &mut parameter.op {
        Op::None | Op::Transform(_) => {}
        Op::Default { word, .. } | Op::Alternative { word, .. } | Op::Error { word, .. } | Op::Other(word) => {
            place_in_word(word, bodies);
        }
        Op::TrimPrefix { pattern, .. } | Op::TrimSuffix { pattern, .. } | Op::Case { pattern, .. } => {
            place_in_word(pattern, bodies);
        }
        Op::Replace { pattern, with, .. } => {
            place_in_word(pattern, bodies);
            place_in_word(with, bodies);
        }
        Op::Substring { offset, length } => {
            place_in_word(offset, bodies);
            if let Some(length) = length {
                place_in_word(length, bodies);
            }
        }
    }
}
