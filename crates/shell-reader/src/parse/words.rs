//! Words: text, quotes, escapes, patterns with parentheses, and what a `$` or a backquote begins.
//! Parameters are in `parameter.rs`, arithmetic in `arithmetic.rs`.

use super::cursor::{Closers, Origin, ShellReader, is_metacharacter};
use super::{ansi_c, arithmetic::Bracket};
use crate::ast::{Part, RawWord, Script};

/// How the text around a `$` is quoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quoting {
    /// Not at all.
    None,
    /// By `"…"`, or as in arithmetic: values are not split.
    Double,
    /// As in a here-document: as by `"…"`, but a double quote is a character like others.
    HereDocument,
}

impl Quoting {
    pub(super) const fn is_quoted(self) -> bool {
        !matches!(self, Self::None)
    }
}

/// Adds unquoted text.
pub(super) fn push_text(parts: &mut Vec<Part>, text: &str) {
    if text.is_empty() {
        return;
    }
    if let Some(Part::Text(last)) = parts.last_mut() {
        last.push_str(text);
    } else {
        parts.push(Part::Text(text.to_owned()));
    }
}

/// Adds quoted text. An empty one counts: `""` is a word.
pub(super) fn push_quoted(parts: &mut Vec<Part>, text: &str) {
    if let Some(Part::Quoted(last)) = parts.last_mut() {
        last.push_str(text);
    } else {
        parts.push(Part::Quoted(text.to_owned()));
    }
}

/// Adds parts, and joins text with text.
pub(super) fn append(parts: &mut Vec<Part>, more: Vec<Part>) {
    for part in more {
        match part {
            Part::Text(text) => push_text(parts, &text),
            Part::Quoted(text) => push_quoted(parts, &text),
            other => parts.push(other),
        }
    }
}

fn push_as(parts: &mut Vec<Part>, text: &str, quoting: Quoting) {
    match quoting {
        Quoting::None => push_text(parts, text),
        Quoting::Double | Quoting::HereDocument => push_quoted(parts, text),
    }
}

/// What is special within double quotes, here-documents and the like.
const fn is_special_when_quoted(byte: u8) -> bool {
    matches!(byte, b'"' | b'\\' | b'`' | b'$')
}

impl<'t> ShellReader<'t, '_> {
    /// The word here. Empty (no parts) where none is.
    pub(super) fn word(&mut self) -> RawWord {
        // Most words are one part.
        let mut parts = Vec::with_capacity(1);
        let from = self.pos;
        self.word_into(&mut parts);
        RawWord { parts, span: self.span(from) }
    }

    /// The rest of a word.
    pub(super) fn word_into(&mut self, parts: &mut Vec<Part>) {
        self.pieces_into(parts, false);
    }

    /// The right side of `=~`: there parentheses and bars belong to the word.
    pub(super) fn regular_expression(&mut self) -> RawWord {
        let mut parts = Vec::new();
        let from = self.pos;
        self.pieces_into(&mut parts, true);
        RawWord { parts, span: self.span(from) }
    }

    fn pieces_into(&mut self, parts: &mut Vec<Part>, regex: bool) {
        let zsh = self.shared.zsh;
        // In zsh a brace that the word did not open ends it.
        let braces = zsh && !regex && self.closers.has(Closers::BRACE);
        let (start, mut open) = (self.pos, 0_usize);
        while let Some(byte) = self.peek() {
            match byte {
                b'}' if braces && open == 0 && self.pos > start => return,
                b'{' | b'}' if braces => {
                    open = if byte == b'{' { open + 1 } else { open.saturating_sub(1) };
                    self.bump();
                    push_text(parts, if byte == b'{' { "{" } else { "}" });
                }
                b'(' if zsh && !regex && self.peek_second() != Some(b')') => self.zsh_group(parts),
                b'(' if regex => self.parenthesised(parts),
                b'|' if regex => {
                    self.bump();
                    push_text(parts, "|");
                }
                b'=' if zsh && !regex && parts.is_empty() && self.peek_second() == Some(b'(') => _ = self.process_substitution(parts),
                b'<' | b'>' => {
                    if !self.zsh_range(parts) && !self.process_substitution(parts) {
                        return;
                    }
                }
                _ if is_metacharacter(byte) => return,
                b'?' | b'*' | b'+' | b'@' | b'!' if !regex => {
                    self.bump();
                    push_text(parts, char::from(byte).encode_utf8(&mut [0; 4]));
                    // `name+()` defines a function; a pattern without alternatives is of no use to anybody.
                    if !zsh && self.peek() == Some(b'(') && self.peek_second() != Some(b')') {
                        self.parenthesised(parts);
                    }
                }
                _ => {
                    self.unquoted_piece(parts, |byte| {
                        is_metacharacter(byte) || (!regex && b"?*+@!".contains(&byte)) || (braces && matches!(byte, b'{' | b'}'))
                    });
                }
            }
        }
    }

    /// `( … )` of a pattern, blanks and operators included.
    fn parenthesised(&mut self, parts: &mut Vec<Part>) {
        let start = self.pos;
        self.pattern_at.get_or_insert(start);
        self.bump();
        push_text(parts, "(");
        let mut found = Vec::new();
        let close = self.closing(Bracket::Pattern, &mut found);
        if self.is_over() {
            append(parts, found);
            return;
        }
        self.up_to(close.unwrap_or(usize::MAX), |reader| {
            while let Some(byte) = reader.peek() {
                if matches!(byte, b'<' | b'>') {
                    reader.angle(parts);
                } else {
                    reader.unquoted_piece(parts, |byte| matches!(byte, b'<' | b'>'));
                }
            }
        });
        if close.is_some() {
            push_text(parts, ")");
        }
        self.close(b')', "unterminated pattern", start);
    }

    /// A piece of unquoted text: a quoted stretch, an expansion, or text up to one of these or to what `ends` names.
    /// The next byte is not one that `ends` names.
    pub(super) fn unquoted_piece(&mut self, parts: &mut Vec<Part>, ends: impl Fn(u8) -> bool) {
        match self.peek() {
            None => {}
            Some(b'\\') => {
                self.bump();
                match self.take_char() {
                    Some(escaped) => push_quoted(parts, escaped.encode_utf8(&mut [0; 4])),
                    // Bash loses a last backslash if the line began within single quotes.
                    None if self.shared.zsh || self.quoted_line_end.is_some() && self.quoted_line_end == self.last_line_end => {}
                    None => push_quoted(parts, "\\"),
                }
            }
            Some(b'\'') => {
                let text = self.single_quoted();
                push_quoted(parts, text);
            }
            Some(b'"') => self.double_quoted(parts),
            Some(b'`') => self.backquoted(parts, false, false),
            Some(b'$') => self.dollar(parts, Quoting::None),
            Some(_) => {
                let run = self.take_run(|byte| matches!(byte, b'\\' | b'\'' | b'"' | b'`' | b'$') || ends(byte));
                push_text(parts, run);
            }
        }
    }

    /// `'…'`: what is in it.
    pub(super) fn single_quoted(&mut self) -> &'t str {
        let start = self.pos;
        self.bump();
        let from = self.pos;
        let text = self.take_run(|byte| byte == b'\'');
        self.note_line_end(from);
        self.close(b'\'', "unterminated quote", start);
        text
    }

    fn note_line_end(&mut self, from: usize) {
        if let Some(at) = self.text.get(from..self.pos).and_then(|quoted| quoted.rfind('\n')) {
            self.quoted_line_end = Some(from + at);
        }
    }

    /// `$'…'`, from the quote on: what it stands for.
    pub(super) fn ansi_c_quoted(&mut self) -> String {
        self.ansi_c_decoded().0
    }

    /// The same, and whether a zero byte ended it.
    fn ansi_c_decoded(&mut self) -> (String, bool) {
        let start = self.pos;
        self.bump();
        let from = self.pos;
        self.take_run(|byte| matches!(byte, b'\'' | b'\\'));
        while self.raw() == Some(b'\\') {
            self.bump();
            self.take_char();
            self.take_run(|byte| matches!(byte, b'\'' | b'\\'));
        }
        self.note_line_end(from);
        let decoded = ansi_c::decode(self.text.get(from..self.pos).unwrap_or_default(), self.shared.zsh);
        self.close(b'\'', "unterminated quote", start);
        decoded
    }

    /// `"…"`
    pub(super) fn double_quoted(&mut self, parts: &mut Vec<Part>) {
        let start = self.pos;
        self.bump();
        if matches!(self.peek(), None | Some(b'"')) {
            push_quoted(parts, "");
        }
        while self.peek().is_some_and(|byte| byte != b'"') {
            self.quoted_piece(parts, b'"', Quoting::Double, |_| false);
        }
        self.close(b'"', "unterminated quote", start);
    }

    /// A piece of text that is quoted as by double quotes: an escape, an expansion, or text up to one of these,
    /// to a double quote or to what `ends` names. A backslash escapes `$`, `` ` ``, itself and `also`.
    pub(super) fn quoted_piece(&mut self, parts: &mut Vec<Part>, also: u8, quoting: Quoting, ends: impl Fn(u8) -> bool) {
        match self.peek() {
            None => {}
            Some(b'\\') => {
                self.bump();
                match self.raw() {
                    Some(escaped) if escaped == also || matches!(escaped, b'$' | b'`' | b'\\') || (escaped == b'"' && quoting == Quoting::Double) => {
                        self.bump();
                        push_quoted(parts, char::from(escaped).encode_utf8(&mut [0; 4]));
                    }
                    _ => push_quoted(parts, "\\"),
                }
            }
            Some(b'`') => self.backquoted(parts, true, quoting == Quoting::Double),
            Some(b'$') => self.dollar(parts, quoting),
            Some(_) => {
                // The first character is text even where it would be special: the caller has looked at it.
                if let Some(first) = self.take_char() {
                    push_quoted(parts, first.encode_utf8(&mut [0; 4]));
                }
                let run = self.take_run(|byte| is_special_when_quoted(byte) || ends(byte));
                push_quoted(parts, run);
            }
        }
    }

    /// All of this reader's text, read as a here-document is: only `$`, backquotes and backslashes are special.
    pub(super) fn here_text(&mut self) -> RawWord {
        let mut parts = Vec::new();
        while self.peek().is_some() || self.go_on() {
            self.quoted_piece(&mut parts, b'$', Quoting::HereDocument, |_| false);
        }
        RawWord { parts, span: self.span(0) }
    }

    /// A text that is expanded as a here-document is, though it is in single quotes, which begin at `pos` and have just
    /// been read: in arithmetic and in operands within double quotes these end nothing and protect nothing.
    #[expect(clippy::redundant_closure_for_method_calls, reason = "the method itself is not general enough")]
    pub(super) fn expanded_in_quotes(&mut self, text: &str, pos: usize, origin: Origin, parts: &mut Vec<Part>) {
        if !text.bytes().any(|byte| matches!(byte, b'$' | b'`' | b'\\')) {
            push_quoted(parts, text);
            return;
        }
        if let Some(word) = self.within(text, pos, origin, |reader| reader.here_text()) {
            append(parts, word.parts);
        }
    }

    /// What a `$` begins.
    pub(super) fn dollar(&mut self, parts: &mut Vec<Part>, quoting: Quoting) {
        let from = self.pos;
        self.bump();
        self.behind_dollar(parts, from, quoting);
    }

    /// What a `$` begins that is at `from` and has been passed over.
    pub(super) fn behind_dollar(&mut self, parts: &mut Vec<Part>, from: usize, quoting: Quoting) {
        let quoted = quoting.is_quoted();
        match self.peek() {
            Some(b'(') => self.parenthesised_dollar(parts, from, quoted),
            Some(b'{') => {
                self.bump();
                let part = self.braced_parameter(from, quoting);
                parts.push(part);
            }
            Some(b'[') => {
                self.bump();
                let part = self.bracketed_arithmetic();
                parts.push(part);
            }
            Some(b'\'') if !quoted => {
                let (decoded, zero) = self.ansi_c_decoded();
                push_quoted(parts, &decoded);
                if zero && self.shared.zsh {
                    // Zsh keeps the zero byte, at which the word ends for a program and not for a builtin.
                    append(parts, RawWord::unknown(self.span(from)).parts);
                }
            }
            Some(b'"') if !quoted && !self.shared.zsh => self.double_quoted(parts),
            _ => match self.bare_parameter(from, quoted) {
                Some(parameter) => {
                    let rest = self.text.get(self.pos..).filter(|rest| quoted && parameter.name == "$" && rest.starts_with(['(', '{']));
                    if rest.is_some_and(|rest| rest.split([')', '}']).next().is_some_and(|inner| inner.contains('"'))) {
                        // Where its quotes end, bash goes by the second `$`; what it means, by the first.
                        self.unread("a bracket follows `$$`");
                    }
                    parts.push(Part::Parameter(Box::new(parameter)));
                }
                None => push_as(parts, "$", quoting),
            },
        }
    }

    /// `$(`, from the parenthesis on.
    pub(super) fn parenthesised_dollar(&mut self, parts: &mut Vec<Part>, from: usize, quoted: bool) {
        self.bump();
        let part = if self.peek() == Some(b'(') {
            self.arithmetic_or_substitution(from, quoted)
        } else {
            let script = self.enclosed_list(Closers::PARENTHESIS, b')');
            Part::Command { script: Box::new(script), quoted, span: self.span(from) }
        };
        parts.push(part);
    }

    /// `<` or `>` where it is text unless it begins a substitution.
    pub(super) fn angle(&mut self, parts: &mut Vec<Part>) {
        if !self.process_substitution(parts)
            && let Some(sign) = self.take_char()
        {
            push_text(parts, sign.encode_utf8(&mut [0; 4]));
        }
    }

    /// `<( … )` or `>( … )`, if one is next.
    pub(super) fn process_substitution(&mut self, parts: &mut Vec<Part>) -> bool {
        let write = self.peek() == Some(b'>');
        if self.peek_second() != Some(b'(') {
            return false;
        }
        let from = self.pos;
        self.bump();
        self.peek();
        self.bump();
        let script = self.enclosed_list(Closers::PARENTHESIS, b')');
        parts.push(Part::Process { script: Box::new(script), write, span: self.span(from) });
        true
    }

    /// The list up to the sign that closes a substitution, whose beginning has been read.
    pub(super) fn enclosed_list(&mut self, closers: Closers, sign: u8) -> Script {
        let start = self.pos;
        self.substituted(closers, |reader| {
            let script = reader.list();
            reader.close(sign, "unterminated substitution", start);
            script
        })
    }

    /// A list that stands for itself: what the text around it waits for does not end it,
    /// and the here-documents of that text begin after it.
    pub(super) fn substituted(&mut self, closers: Closers, read: impl FnOnce(&mut Self) -> Script) -> Script {
        let list = |reader: &mut Self| {
            let outer = (reader.closers, std::mem::take(&mut reader.pending), reader.in_substitution, reader.after_here_document);
            (reader.closers, reader.in_substitution, reader.after_here_document) = (closers, true, false);
            let script = read(reader);
            let here_documents = std::mem::replace(&mut reader.pending, outer.1);
            (reader.closers, reader.in_substitution, reader.after_here_document) = (outer.0, outer.2, outer.3);
            // In zsh a body that has not begun here is empty.
            if !reader.shared.zsh {
                reader.delay_here_documents(here_documents);
            }
            script
        };
        self.deeper(list).unwrap_or_default()
    }

    /// `` `…` ``
    #[expect(clippy::redundant_closure_for_method_calls, reason = "the method itself is not general enough")]
    pub(super) fn backquoted(&mut self, parts: &mut Vec<Part>, quoted: bool, in_quotes: bool) {
        let start = self.pos;
        let (inner, end) = self.backquoted_text(in_quotes);
        let origin = match self.origin_of(&inner, start + 1, end) {
            Origin::Within(_) => Origin::Within(self.span(start)),
            known @ Origin::From(_) => known,
        };
        if let Some(script) = self.within(&inner, start, origin, |reader| reader.whole()) {
            parts.push(Part::Command { script: Box::new(script), quoted, span: self.span(start) });
        }
    }

    /// What is between backquotes, and where it ends. There a backslash escapes `$`, `` ` `` and itself, and in double
    /// quotes the double quote too.
    pub(super) fn backquoted_text(&mut self, in_quotes: bool) -> (String, usize) {
        let start = self.pos;
        self.bump();
        let mut inner = self.take_run(|byte| matches!(byte, b'`' | b'\\')).to_owned();
        while self.raw() == Some(b'\\') {
            self.bump();
            match self.raw() {
                Some(b'\n') => self.bump(),
                Some(escaped) if matches!(escaped, b'$' | b'`' | b'\\') || (escaped == b'"' && in_quotes) => {
                    self.bump();
                    inner.push(char::from(escaped));
                }
                // What the backslash is before comes with the next run.
                _ => inner.push('\\'),
            }
            inner.push_str(self.take_run(|byte| matches!(byte, b'`' | b'\\')));
        }
        let end = self.pos;
        self.close(b'`', "unterminated backquote", start);
        (inner, end)
    }
}
