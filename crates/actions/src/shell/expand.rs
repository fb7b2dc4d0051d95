//! Words as read to words as run: braces, tildes, parameters, substitutions, splitting, globs. What is not known
//! becomes a hole.

use std::rc::Rc;

use super::walk::{HOLES, marked};
use super::{Output, Shell, Stdin, state::Variable};
use crate::word::{Bound, Word, WordPiece};
use shell_reader::ast::{Op, Parameter, Part, RawWord};
use shell_reader::braces::braces;

impl Shell<'_> {
    /// A word in a place where it is not split, globbed or brace-expanded (assignments, here-documents, `[[`).
    pub(super) fn scalar(&mut self, raw: &RawWord) -> Word {
        let mut word = Word::default();
        self.spend(raw.size());
        for (at, part) in raw.parts.iter().enumerate() {
            if self.stopped {
                break;
            }
            match part {
                Part::Text(text) => {
                    let text = if at == 0 { self.tilde(text, raw, &mut word) } else { text };
                    push_known(&mut word, text);
                }
                Part::Quoted(text) => push_known(&mut word, text),
                Part::Parameter(parameter) => {
                    let (values, _) = self.parameter(parameter);
                    word.extend(&self.in_one(&values, parameter));
                }
                other => word.extend(&self.run(other)),
            }
        }
        word.multi = false;
        word.span = Some(self.placed(raw.span));
        word
    }

    /// A word in a command: none, one or several words.
    pub(super) fn fields(&mut self, raw: &RawWord) -> Vec<Word> {
        let Some(alternatives) = braces(raw) else {
            let span = self.scalar(raw).span;
            return vec![Word { span, ..Word::several() }];
        };
        // What looks like an assignment only after braces were expanded is not one for the tilde in it.
        let several = alternatives.len() > 1;
        alternatives.into_iter().flat_map(|raw| if several { self.element(raw) } else { self.split(&raw, None) }).collect()
    }

    /// A word that is no assignment even where it looks like one.
    fn element(&mut self, mut raw: RawWord) -> Vec<Word> {
        if let Some(Part::Text(text)) = raw.parts.first_mut()
            && let Some((name, rest)) = text.split_once("=~")
        {
            let (name, rest) = (Part::Text(format!("{name}=")), Part::Text(format!("~{rest}")));
            raw.parts.splice(..1, [name, rest]);
        }
        self.split(&raw, None)
    }

    /// A word in an array.
    pub(super) fn elements(&mut self, raw: &RawWord) -> Vec<Word> {
        match braces(raw).as_deref() {
            Some([only]) => self.element(only.clone()),
            _ => self.fields(raw),
        }
    }

    /// A word made several. In an operand, text is split by `separators` too.
    fn split(&mut self, raw: &RawWord, separators: Option<&str>) -> Vec<Word> {
        let mut fields = Fields::default();
        self.spend(raw.size());
        // In front of a `$` that begins nothing, bash does not split.
        let lone = raw.parts.iter().rposition(|part| matches!(part, Part::Text(text) if text.contains('$'))).filter(|_| !self.zsh);
        for (at, part) in raw.parts.iter().enumerate() {
            if self.stopped {
                break;
            }
            fields.tighten();
            let whole = lone.is_some_and(|lone| at < lone);
            match part {
                Part::Text(text) => {
                    let mut front = Word::default();
                    let text = if at == 0 { self.tilde(text, raw, &mut front) } else { text };
                    // A tilde behind `name=` counts wherever that is.
                    if let Some(name) = text.strip_prefix('=').filter(|name| self.zsh && at == 0 && !name.is_empty()) {
                        // Where the program is.
                        fields.word(&Word { pieces: vec![WordPiece::Any(Bound::Anything), WordPiece::Lit(format!("/{name}"))], ..Word::default() });
                        continue;
                    }
                    // Few words have a tilde: a search for one byte is the cheaper one.
                    let assigned = if at == 0 && !self.zsh && text.as_bytes().contains(&b'~') { text.find("=~") } else { None };
                    let assigned = assigned.filter(|end| text.get(..*end).is_some_and(is_name));
                    let mut text = text;
                    let mut next = assigned;
                    while let Some(end) = next {
                        front.push_lit(text.get(..=end).unwrap_or(""));
                        text = self.tilde(text.get(end + 1..).unwrap_or(""), raw, &mut front);
                        next = text.find("=~");
                    }
                    fields.word(&front);
                    fields.open |= text.is_empty() && raw.parts.len() == 1;
                    match separators {
                        Some(separators) => {
                            // A blank at either end keeps what is outside apart.
                            if at == 0 && text.starts_with(|c| separators.contains(c)) {
                                fields.done.push(Word::default());
                            }
                            fields.separated(text, separators);
                            if at + 1 == raw.parts.len() && text.ends_with(|c| separators.contains(c)) {
                                fields.end();
                                fields.done.push(Word::default());
                            }
                        }
                        None => globs(text, &mut fields),
                    }
                }
                Part::Quoted(text) => {
                    let mut word = Word::default();
                    push_known(&mut word, text);
                    fields.word(&word);
                    fields.open = true;
                }
                Part::Parameter(parameter) => {
                    let (mut values, split) = self.parameter(parameter);
                    if is_list(parameter, "*") && !parameter.quoted && values.iter().any(|value| value.is("")) {
                        // Joined, and split again.
                        values = vec![self.in_one(&values, parameter)];
                    }
                    if (whole && !parameter.quoted) || (parameter.quoted && is_list(parameter, "*")) {
                        fields.quoted(&[self.in_one(&values, parameter)], false);
                    } else if parameter.quoted {
                        fields.quoted(&values, is_list(parameter, "@"));
                    } else {
                        self.unquoted(&mut fields, &values, split);
                    }
                }
                Part::Command { quoted, .. } => {
                    let output = self.run(part);
                    if *quoted || whole {
                        fields.quoted(&[output], false);
                    } else {
                        // This is split in zsh too.
                        let zsh = std::mem::replace(&mut self.zsh, false);
                        self.unquoted(&mut fields, &[output], false);
                        self.zsh = zsh;
                    }
                }
                other => fields.word(&self.run(other)),
            }
        }
        let span = Some(self.placed(raw.span));
        let mut words = fields.finish();
        for word in &mut words {
            word.span = span;
        }
        words
    }

    /// Adds what an expansion without quotes gave, `split` already or not.
    fn unquoted(&self, fields: &mut Fields, values: &[Word], split: bool) {
        match self.separators() {
            // Zsh neither splits nor globs what a parameter gives, but drops what is empty.
            _ if self.zsh => {
                let values: Vec<Word> = values.iter().filter(|value| !value.is("")).cloned().collect();
                fields.unquoted(&values, None);
            }
            None if !split => {
                let loose = |value: &Word| value.pieces.iter().any(|piece| matches!(piece, WordPiece::Lit(_)));
                let values: Vec<Word> = values.iter().map(|value| if loose(value) { Word::several() } else { value.clone() }).collect();
                fields.unquoted(&values, None);
            }
            separators => fields.unquoted(values, separators.filter(|_| !split).as_deref()),
        }
    }

    /// `IFS`, if it is known.
    fn separators(&self) -> Option<String> {
        self.state.get("IFS").and_then(|ifs| ifs.literal().map(str::to_owned))
    }

    /// Expands a tilde at the start of `text`, which is of `raw`, into `word`; gives what is left.
    fn tilde<'t>(&self, text: &'t str, raw: &RawWord, word: &mut Word) -> &'t str {
        // Where the name continues in quotes or in an expansion, it is not a name.
        let Some(rest) = text.strip_prefix('~').filter(|rest| rest.contains('/') || raw.parts.len() == 1) else { return text };
        let end = rest.find(['/', ':']).into_iter().chain(rest.find("=~")).min().unwrap_or(rest.len());
        let (name, rest) = rest.split_at(end);
        match name {
            "" => word.extend(&self.state.get("HOME").unwrap_or_else(Word::unknown)),
            "+" => word.extend(&self.state.place.cwd),
            "-" => word.push(WordPiece::Any(Bound::Anything)),
            user if user.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte)) => {
                // Another person's home, or one's own by name.
                word.push(WordPiece::Any(Bound::Anything));
            }
            _ => return text,
        }
        rest
    }

    /// What a substitution, an expression or a process gives as one word.
    fn run(&mut self, part: &Part) -> Word {
        match part {
            Part::Command { script, .. } => self.substitute(script),
            Part::Arithmetic(expression) => self.arithmetic(expression),
            Part::Process { script, write, .. } => self.process(script, *write),
            Part::Text(_) | Part::Quoted(_) | Part::Parameter(_) => Word::default(),
        }
    }

    /// The output of a command substitution, with what it does noted on the way.
    fn substitute(&mut self, script: &shell_reader::ast::Script) -> Word {
        let mark = self.flow_mark();
        let output = self.within("$()", |shell| shell.separate(|shell| shell.script(script, &Stdin::default())));
        let holds = self.flowed(mark);
        self.flow_into_word(&holds);
        // A substitution of which the shell refuses a part writes nothing.
        let patterned = |word: &Rc<Word>| word.pieces.iter().any(|piece| matches!(piece, WordPiece::Glob(text) if text.contains('(')));
        // What `find` found is known as words.
        if let Some(Output { text: None, items: Some(items), .. }) = &output
            && let [only] = items.as_slice()
            && !self.state.refused
        {
            return Word { multi: true, ..only.clone() };
        }
        let mut word =
            output.and_then(|output| output.text).filter(|word| !self.state.refused && !patterned(word)).map_or_else(Word::unknown, Rc::unwrap_or_clone);
        // Line ends at the end are cut off, and what is not known there may be nothing: the text is one line then, or several.
        let mut end = word.pieces.len();
        let mut open = false;
        while let Some(piece) = end.checked_sub(1).and_then(|at| word.pieces.get_mut(at)) {
            match piece {
                WordPiece::Lit(text) => {
                    let known = text.trim_end_matches('\n').len();
                    if open && known < text.len() {
                        return Word::several();
                    }
                    text.truncate(known);
                    if known > 0 {
                        break;
                    }
                    word.pieces.remove(end - 1);
                }
                WordPiece::Any(Bound::Anything | Bound::Setup) => open = true,
                _ => break,
            }
            end -= 1;
        }
        word
    }

    /// `<(…)`: a file name behind which the output is; remembered like a file that was written.
    fn process(&mut self, script: &shell_reader::ast::Script, write: bool) -> Word {
        if script.items.is_empty() {
            return Word::default();
        }
        let stdin = Stdin { connected: write, ..Stdin::default() };
        let mark = self.flow_mark();
        let output = self.within("<()", |shell| shell.separate(|shell| shell.script(script, &stdin)));
        if !write {
            let holds = self.flowed(mark);
            self.flow_into_word(&holds);
        }
        let path = format!("/dev/fd/{}", 63 + self.state.written_count());
        let text = output.and_then(|output| output.text).unwrap_or_else(|| Rc::new(Word::unknown()));
        self.state.write(&path, text);
        Word::lit(path)
    }

    /// Values side by side in one word, as `"$*"` gives them.
    fn in_one(&self, values: &[Word], parameter: &Parameter) -> Word {
        let separator = match self.separators().filter(|_| is_list(parameter, "*")) {
            Some(separators) => Word::lit(separators.chars().take(1).collect::<String>()),
            None if is_list(parameter, "*") => Word::unknown(),
            None => Word::lit(" "),
        };
        let loose = Word::unknown();
        let mut all = Word::default();
        for (at, value) in values.iter().enumerate() {
            if at > 0 {
                // A word that can vanish may leave no separator behind.
                let before = values.get(at - 1).is_some_and(|value| value.multi);
                all.extend(if value.multi || before { &loose } else { &separator });
            }
            all.extend(value);
        }
        all
    }

    /// The values of a parameter, and whether they are split already.
    fn parameter(&mut self, parameter: &Parameter) -> (Vec<Word>, bool) {
        self.used(parameter);
        let own = match &parameter.op {
            Op::Default { word, assign: false, .. } | Op::Alternative { word, .. } if !parameter.quoted => {
                let separators = self.separators().filter(|_| !self.zsh);
                Some(self.split(word, Some(separators.as_deref().unwrap_or(""))))
            }
            Op::Default { word, .. } | Op::Alternative { word, .. } => Some(vec![self.scalar(word)]),
            _ => None,
        };
        // A default may be what counts where a value is only supposed.
        let supposed = own.is_some() && self.state.is_supposed(&parameter.name);
        let value = if self.stopped || supposed { None } else { self.value_of(parameter) };
        self.spend(value.iter().flatten().map(Word::size).sum());
        match own {
            Some(own) if parameter.indirect => {
                let value = self.indirect(value);
                self.or_else(parameter, value, own)
            }
            Some(own) => self.or_else(parameter, value, own),
            None => (self.operated(parameter, value), false),
        }
    }

    /// `${name:-own}`, `${name:=own}`, `${name:+own}`.
    fn or_else(&mut self, parameter: &Parameter, values: Option<Vec<Word>>, own: Vec<Word>) -> (Vec<Word>, bool) {
        let empty = values.as_ref().is_some_and(|values| values.iter().all(|value| value.is("")));
        let unknown = vec![Word { multi: !parameter.quoted, ..Word::unknown() }];
        match (&parameter.op, values) {
            (Op::Default { colon, .. }, Some(values)) if !(*colon && empty) => (values, false),
            (Op::Default { assign, .. }, values) => {
                if *assign {
                    let value = if values.is_some() { super::builtin::joined(&own) } else { Word::unknown() };
                    self.state.set(&parameter.name, value);
                }
                // A variable that is not known may be set elsewhere: the default is one possibility among others. An
                // option among them must be seen; any other default stands for the usual case.
                let hidden = values.is_none() && (own.iter().all(|word| word.is("")) || own.iter().any(Word::may_be_option));
                (if hidden { unknown } else { own }, !*assign)
            }
            (Op::Alternative { colon, .. }, Some(values)) => {
                // Without a text of its own it is nothing, whatever the value.
                let holes = values.iter().any(Word::has_hole) && !own.iter().all(|word| word.is(""));
                // What is not known may be unset, too.
                if holes { (unknown, true) } else { (if *colon && empty { Vec::new() } else { own }, true) }
            }
            (Op::Alternative { .. }, None) if own.iter().all(|word| word.is("")) => (own, true),
            _ => (unknown, true),
        }
    }

    /// The value of the variable that another one names.
    fn indirect(&mut self, values: Option<Vec<Word>>) -> Option<Vec<Word>> {
        let name = values.as_deref().and_then(|values| if let [name] = values { name.literal() } else { None }).map(str::to_owned);
        self.faulty |= name.is_none();
        self.evaluate_value(name.as_deref());
        name.and_then(|name| self.state.get(&name)).map(|value| vec![value])
    }

    fn operated(&mut self, parameter: &Parameter, mut values: Option<Vec<Word>>) -> Vec<Word> {
        if parameter.length {
            return vec![Word::name()];
        }
        if parameter.indirect {
            values = self.indirect(values);
        }
        let unknown = || vec![Word { multi: !parameter.quoted, ..Word::unknown() }];
        let literal = values.as_ref().and_then(|values| match values.as_slice() {
            [one] => one.literal().map(str::to_owned),
            _ => None,
        });
        let text = literal.as_deref();
        let edited = match &parameter.op {
            Op::None => return values.unwrap_or_else(unknown),
            // `or_else` has seen to these.
            Op::Default { .. } | Op::Alternative { .. } => None,
            Op::Error { word, .. } => {
                self.scalar(word);
                (self.faulty, self.gives_up) = (true, true);
                // With `:?` an empty value ends the shell, so what follows has one.
                return values.unwrap_or_else(unknown);
            }
            Op::Trim { suffix, longest, pattern } => {
                let pattern = self.scalar(pattern);
                text.zip(pattern.literal()).and_then(|(text, pattern)| trim(text, pattern, *longest, !suffix))
            }
            Op::Replace { all, anchor, pattern, with } => {
                let (pattern, with) = (self.scalar(pattern), self.scalar(with));
                let plain = |pattern: &&str| !(pattern.contains(['*', '?', '[', '\\']) || anchor.is_some() || pattern.is_empty());
                let known = text.zip(pattern.literal().filter(plain)).zip(with.literal().filter(|with| !with.contains('&')));
                known.map(|((text, pattern), with)| if *all { text.replace(pattern, with) } else { text.replacen(pattern, with, 1) })
            }
            Op::Substring { offset, length } => {
                let offset = self.plain(offset);
                let length = length.as_ref().map(|length| self.plain(length));
                substring(text, offset.as_deref(), length.as_ref().map(Option::as_deref))
            }
            Op::Case { upper, all, pattern } => {
                self.scalar(pattern);
                text.filter(|_| *all && pattern.parts.is_empty()).map(|text| if *upper { text.to_uppercase() } else { text.to_lowercase() })
            }
            Op::Transform('L') => text.map(str::to_lowercase),
            Op::Transform('U') => text.map(str::to_uppercase),
            Op::Transform('P') => {
                if let Some(text) = text.filter(|text| text.contains('\\') && text.contains(['$', '`'])) {
                    self.opaque(text, "it contains escapes of a prompt");
                }
                self.evaluate_value(text);
                None
            }
            Op::Transform(_) => None,
            Op::Other(word) => {
                self.scalar(word);
                (self.faulty, self.gives_up) = (true, true);
                None
            }
        };
        edited.map_or_else(unknown, |text| vec![Word::lit(text)])
    }

    fn plain(&mut self, raw: &RawWord) -> Option<String> {
        let word = self.scalar(raw);
        self.evaluate(std::slice::from_ref(&word));
        word.literal().map(|text| text.trim().to_owned())
    }

    /// The value before the operator. `None` if it is not known.
    fn value_of(&mut self, parameter: &Parameter) -> Option<Vec<Word>> {
        if matches!(parameter.name.as_str(), "@" | "*") {
            return self.state.place.positional.as_deref().cloned();
        }
        if let Some(subscript) = &parameter.subscript {
            let index = self.scalar(subscript);
            if !matches!(index.literal(), Some("@" | "*")) {
                self.evaluate(std::slice::from_ref(&index));
            }
            return match (self.state.variable(&parameter.name)?.clone(), index.literal()) {
                (Variable::Array(values), Some("@" | "*")) => Some(values),
                (Variable::Array(values), Some(index)) => {
                    // Zsh counts from one.
                    let index = match index.trim().strip_prefix('-') {
                        Some(back) if !values.iter().any(|value| value.multi) => values.len().checked_sub(back.parse::<usize>().ok()?)?,
                        _ => index.trim().parse::<usize>().ok()?.checked_sub(usize::from(self.zsh))?,
                    };
                    values.get(index).filter(|_| !values.iter().take(index).any(|value| value.multi)).map(|value| vec![value.clone()])
                }
                (Variable::Scalar(value), Some("0" | "@" | "*")) if !self.zsh => Some(vec![value]),
                (Variable::Scalar(value), _) if value.has_hole() => Some(vec![value]),
                _ => None,
            };
        }
        match self.state.variable(&parameter.name) {
            Some(Variable::Array(values)) if self.zsh && parameter.quoted => Some(vec![self.in_one(values, parameter)]),
            Some(Variable::Array(values)) if self.zsh => Some(values.clone()),
            _ => self.state.get(&parameter.name).map(|value| vec![value]),
        }
    }
}

/// `$*` and `${name[*]}`, or with `@`.
fn is_list(parameter: &Parameter, sign: &str) -> bool {
    parameter.name == sign
        || parameter.subscript.as_ref().is_some_and(|word| matches!(word.parts.as_slice(), [Part::Text(text) | Part::Quoted(text)] if text == sign))
}

/// Whether this can name a variable.
pub(super) fn is_name(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') && text.bytes().next().is_some_and(|byte| !byte.is_ascii_digit())
}

/// The word of a text in which [`HOLES`] stand for holes.
pub(super) fn marked_text(text: &str) -> Word {
    let mut word = Word::default();
    push_known(&mut word, text);
    word
}

/// Adds text in which [`HOLES`] stand for holes.
fn push_known(word: &mut Word, text: &str) {
    let mut rest = text;
    while let Some((at, c)) = rest.char_indices().find(|(_, c)| HOLES.contains(c)) {
        word.push_lit(rest.get(..at).unwrap_or(""));
        word.push(WordPiece::Any(marked(c)));
        rest = rest.get(at + c.len_utf8()..).unwrap_or("");
    }
    word.push_lit(rest);
}

/// Words being made.
#[derive(Default)]
struct Fields {
    done: Vec<Word>,
    current: Word,
    /// The current word is there even if nothing is in it.
    open: bool,
    /// The current word may be none: what follows belongs to the one before, then.
    loose: bool,
}

impl Fields {
    fn word(&mut self, word: &Word) {
        self.current.extend(word);
    }

    fn end(&mut self) {
        let word = std::mem::take(&mut self.current);
        if self.open || !word.pieces.is_empty() {
            self.done.push(word);
        }
        self.open = false;
    }

    /// More is added to what may be no word.
    fn tighten(&mut self) {
        if std::mem::take(&mut self.loose) {
            self.done.pop();
            self.current = Word::several();
        }
    }

    fn quoted(&mut self, values: &[Word], list: bool) {
        self.loose = list && values.len() > 1 && values.last().is_some_and(|value| value.multi);
        self.open |= !list;
        for (at, value) in values.iter().enumerate() {
            if at > 0 && list {
                self.end();
            }
            self.open |= list;
            let mut value = value.clone();
            value.multi &= list;
            self.word(&value);
        }
        if list && values.len() == 1 && values.first().is_some_and(super::super::word::Word::has_hole) {
            self.current.multi = true;
        }
    }

    fn unquoted(&mut self, values: &[Word], separators: Option<&str>) {
        for (at, value) in values.iter().enumerate() {
            if at > 0 {
                self.end();
            }
            for piece in &value.pieces {
                match (piece, separators) {
                    (WordPiece::Lit(text), Some(separators)) => self.separated(text, separators),
                    (WordPiece::Any(Bound::Anything | Bound::Setup), _) => {
                        self.current.push(piece.clone());
                        self.current.multi = true;
                    }
                    (other, _) => self.current.push(other.clone()),
                }
            }
            self.current.multi |= value.multi;
            self.loose = at > 0 && value.multi;
        }
    }

    fn separated(&mut self, text: &str, separators: &str) {
        if !separators.chars().any(|separator| text.contains(separator)) {
            return globs(text, self);
        }
        let mut blank = false;
        for stretch in text.split_inclusive(|c| separators.contains(c)) {
            let separator = stretch.chars().next_back().filter(|c| separators.contains(*c));
            let known = stretch.get(..stretch.len() - separator.map_or(0, char::len_utf8)).unwrap_or("");
            globs(known, self);
            let Some(separator) = separator else { continue };
            // Blanks separate once, others each time.
            self.open |= !separator.is_whitespace() && (!blank || !known.is_empty());
            blank = separator.is_whitespace();
            self.end();
        }
    }

    fn finish(mut self) -> Vec<Word> {
        self.end();
        self.done
    }
}

/// Adds unquoted text: `*`, `?` and `[…]` are globs.
fn globs(text: &str, fields: &mut Fields) {
    let mut rest = text;
    let (mut close, mut slash) = (0, 0);
    // The next of these, which is looked for again only when it is passed.
    let next = |found: &mut usize, from: usize, wanted: char| {
        if *found < from {
            *found = text.get(from..).and_then(|tail| tail.find(wanted)).map_or(usize::MAX, |at| from + at);
        }
        *found
    };
    // A parenthesis that is not quoted belongs to a pattern.
    while let Some(at) = rest.find(|c| matches!(c, '*' | '?' | '[' | '(') || HOLES.contains(&c)) {
        let (plain, tail) = rest.split_at(at);
        fields.current.push_lit(plain);
        if let Some(c) = tail.chars().next().filter(|c| HOLES.contains(c)) {
            let bound = marked(c);
            fields.current.push(WordPiece::Any(bound));
            fields.current.multi |= bound.is_open();
            rest = tail.get(c.len_utf8()..).unwrap_or("");
            continue;
        }
        let length = match tail.as_bytes().first() {
            Some(b'*') => tail.bytes().take_while(|byte| *byte == b'*').count(),
            Some(b'[') => {
                let open = text.len() - tail.len();
                // A bracket right behind the first one is a member.
                let after = open + 1 + tail.chars().nth(1).map_or(0, char::len_utf8);
                let end = next(&mut close, after, ']');
                if end < next(&mut slash, open, '/') { end + 1 - open } else { 0 }
            }
            _ => 1,
        };
        if length == 0 {
            // A bracket that nothing closes stands for itself.
            fields.current.push_lit("[");
            rest = tail.get(1..).unwrap_or("");
            continue;
        }
        let (glob, tail) = tail.split_at(length);
        fields.current.push(WordPiece::Glob(glob.to_owned()));
        rest = tail;
    }
    fields.current.push_lit(rest);
}

/// `#`, `##`, `%`, `%%` with patterns that are literal but for a star at one end.
fn trim(text: &str, pattern: &str, longest: bool, front: bool) -> Option<String> {
    let plain = |pattern: &str| !pattern.contains(['*', '?', '[', '\\']);
    let cut = if plain(pattern) {
        if front { text.strip_prefix(pattern) } else { text.strip_suffix(pattern) }
    } else {
        let inner = if front { pattern.strip_prefix('*') } else { pattern.strip_suffix('*') };
        let inner = inner.filter(|inner| plain(inner) && !inner.is_empty())?;
        let at = if longest == front { text.rfind(inner) } else { text.find(inner) };
        at.and_then(|at| if front { text.get(at + inner.len()..) } else { text.get(..at) })
    };
    Some(cut.unwrap_or(text).to_owned())
}

fn substring(text: Option<&str>, offset: Option<&str>, length: Option<Option<&str>>) -> Option<String> {
    let text: Vec<char> = text?.chars().collect();
    let count = i64::try_from(text.len()).ok()?;
    let offset: i64 = offset?.parse().ok()?;
    let start = if offset < 0 { count.checked_add(offset)? } else { offset };
    if start < 0 || start > count {
        return Some(String::new());
    }
    let end = match length {
        None => count,
        Some(length) => {
            let length: i64 = length?.parse().ok()?;
            if length < 0 { count.checked_add(length)? } else { start.checked_add(length)?.min(count) }
        }
    };
    let (start, end) = (usize::try_from(start).ok()?, usize::try_from(end).ok()?);
    Some(text.get(start..end).unwrap_or(&[]).iter().collect())
}
