//! Parameters: `$name`, `${name}` with its operators and operands.

use super::arithmetic::Bracket;
use super::cursor::{Closers, ShellReader, begins_name, continues_name};
use super::words::{Quoting, append, push_quoted};
use crate::ast::{Op, Parameter, Part, RawWord, Span};

pub(super) const fn is_special_parameter(byte: u8) -> bool {
    matches!(byte, b'@' | b'*' | b'#' | b'?' | b'-' | b'$' | b'!')
}

impl ShellReader<'_, '_> {
    /// A parameter's name without braces. `$10` is `$1` and a zero.
    pub(super) fn bare_name(&mut self) -> Option<String> {
        let byte = self.peek()?;
        if begins_name(byte) {
            self.take_name()
        } else if byte.is_ascii_digit() || is_special_parameter(byte) {
            self.bump();
            Some(char::from(byte).to_string())
        } else {
            None
        }
    }

    /// The parameter after a `$` without braces, which is at `from`.
    pub(super) fn bare_parameter(&mut self, from: usize, quoted: bool) -> Option<Parameter> {
        if self.shared.zsh {
            return self.bare_zsh_parameter(from, quoted);
        }
        let name = self.bare_name()?;
        Some(Parameter::plain(name, quoted, self.span(from)))
    }

    /// `${ … }`, whose opening has been read.
    pub(super) fn braced_parameter(&mut self, from: usize, quoting: Quoting) -> Part {
        let quoted = quoting.is_quoted();
        if matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'|')) {
            // Bash 5.3; before that, and for the shells that have neither, a substitution that fails.
            self.eat("|");
            let script = self.enclosed_list(Closers::CHARACTER_BRACE, b'}');
            return Part::Command { script: Box::new(script), quoted, span: self.span(from) };
        }
        let start = self.pos;
        let mut parameter = Parameter::plain(String::new(), quoted, Span::default());
        self.deeper(|reader| {
            if !(reader.shared.zsh && reader.zsh_flags(&mut parameter, quoting)) {
                reader.parameter_head(&mut parameter);
                parameter.op = reader.operator(&parameter, quoting);
                reader.close(b'}', "unterminated parameter expansion", start);
            }
        });
        parameter.span = self.span(from);
        Part::Parameter(Box::new(parameter))
    }

    /// `!`, `#`, the name and the subscript.
    fn parameter_head(&mut self, parameter: &mut Parameter) {
        let second = self.peek_second();
        if let Some(sign @ (b'!' | b'#')) = self.peek() {
            let given = match second {
                Some(b'@' | b'*') => true,
                Some(byte) if begins_name(byte) || byte.is_ascii_digit() => true,
                // `${!#}`, `${#?}`
                Some(byte) => self.peek_ahead(2) == Some(b'}') && if sign == b'!' { matches!(byte, b'#' | b'?') } else { is_special_parameter(byte) },
                None => false,
            };
            (parameter.indirect, parameter.length) = (given && sign == b'!', given && sign == b'#');
            self.pos += usize::from(given);
        }
        match self.peek() {
            Some(byte) if byte.is_ascii_digit() => {
                while let Some(digit) = self.peek().filter(u8::is_ascii_digit) {
                    self.bump();
                    parameter.name.push(char::from(digit));
                }
            }
            _ => parameter.name = self.bare_name().unwrap_or_default(),
        }
        if !parameter.name.is_empty() && self.peek() == Some(b'[') {
            self.bump();
            let (subscript, closed) = self.subscript(true);
            if !closed && self.peek() == Some(b'}') {
                // The word ends here, and yet bash looks for the bracket behind it, once the word is expanded.
                self.unread("a brace in a subscript");
            }
            parameter.subscript = Some(subscript);
        }
    }

    /// The operator and its operands, up to the closing brace.
    fn operator(&mut self, parameter: &Parameter, quoting: Quoting) -> Op {
        let Some(byte) = self.peek() else { return Op::None };
        if parameter.name.is_empty() {
            return Op::Other(self.operand(Quoting::None, b'}'));
        }
        match byte {
            b'}' => Op::None,
            b':' => {
                self.bump();
                match self.peek() {
                    Some(symbol @ (b'-' | b'=' | b'?' | b'+')) => self.substitute(symbol, true, quoting),
                    _ => self.substring(),
                }
            }
            b'-' | b'=' | b'?' | b'+' => self.substitute(byte, false, quoting),
            b'#' | b'%' => {
                let longest = self.doubled(byte);
                Op::Trim { suffix: byte == b'%', longest, pattern: self.operand(Quoting::None, b'}') }
            }
            b'/' => self.replacement(),
            b'^' | b',' => {
                let all = self.doubled(byte);
                Op::Case { upper: byte == b'^', all, pattern: self.operand(Quoting::None, b'}') }
            }
            b'@' if self.peek_second().is_some_and(|letter| letter.is_ascii_alphabetic()) && self.peek_ahead(2) == Some(b'}') => {
                self.bump();
                let letter = self.peek().unwrap_or_default();
                self.bump();
                Op::Transform(char::from(letter))
            }
            _ => Op::Other(self.operand(Quoting::None, b'}')),
        }
    }

    /// Passes over the operator. True: it was twice.
    fn doubled(&mut self, byte: u8) -> bool {
        self.bump();
        let twice = self.peek() == Some(byte);
        if twice {
            self.bump();
        }
        twice
    }

    fn substitute(&mut self, symbol: u8, colon: bool, quoting: Quoting) -> Op {
        self.bump();
        let word = self.operand(quoting, b'}');
        match symbol {
            b'+' => Op::Alternative { colon, word },
            b'?' => Op::Error { colon, word },
            _ => Op::Default { assign: symbol == b'=', colon, word },
        }
    }

    fn substring(&mut self) -> Op {
        let offset = self.offset(true);
        let length = (self.peek() == Some(b':')).then(|| {
            self.bump();
            self.offset(false)
        });
        Op::Substring { offset, length }
    }

    fn replacement(&mut self) -> Op {
        let all = self.doubled(b'/');
        let anchor = match self.peek() {
            Some(byte @ (b'#' | b'%')) if !all => {
                self.bump();
                Some(char::from(byte))
            }
            _ => None,
        };
        let pattern = self.operand(Quoting::None, b'/');
        let with = if self.eat("/") { self.operand(Quoting::None, b'}') } else { RawWord { parts: Vec::new(), span: self.span(self.pos) } };
        Op::Replace { all, anchor, pattern, with }
    }

    /// An operand up to the closing brace, or to `stop`. Quotes work in it as outside, but for the word of
    /// `${name:-word}` and its like within double quotes: that is quoted already, and ends at the brace.
    pub(super) fn operand(&mut self, quoting: Quoting, stop: u8) -> RawWord {
        let mut parts = Vec::new();
        let from = self.pos;
        if quoting.is_quoted() {
            self.quoted_operand(&mut parts, quoting, false);
            return RawWord { parts, span: self.span(from) };
        }
        while let Some(byte) = self.peek() {
            match byte {
                b'}' => break,
                _ if byte == stop => break,
                b'<' | b'>' => self.angle(&mut parts),
                _ => self.unquoted_piece(&mut parts, |byte| byte == b'}' || byte == stop || matches!(byte, b'<' | b'>')),
            }
        }
        RawWord { parts, span: self.span(from) }
    }

    /// A word that is quoted already. Double quotes in it only keep braces from ending it, and vanish before anything
    /// is expanded. Single quotes keep braces from ending it too, but stay. If it is `bounded`, its end is known.
    fn quoted_operand(&mut self, parts: &mut Vec<Part>, quoting: Quoting, bounded: bool) {
        let (mut in_quotes, mut in_single) = (false, false);
        while let Some(byte) = self.peek() {
            in_single ^= byte == b'\'' && bounded && !in_quotes;
            match byte {
                b'}' if !bounded && !in_quotes => return,
                b'"' => {
                    self.bump();
                    in_quotes = !in_quotes;
                    self.rejoin(parts, quoting);
                }
                b'\'' if !bounded && !in_quotes && !self.shared.zsh => {
                    let start = self.pos;
                    let mut found = Vec::new();
                    let close = self.closing(Bracket::Operand, &mut found);
                    if self.is_over() {
                        append(parts, found);
                        return;
                    }
                    if close.is_none() {
                        self.fault_at("unterminated quote", start);
                    }
                    self.up_to(close.unwrap_or(usize::MAX), |reader| reader.quoted_operand(parts, quoting, true));
                    return;
                }
                b'$' if self.peek_second() == Some(b'\'') && !in_quotes && !in_single && !self.shared.zsh => {
                    self.bump();
                    self.peek();
                    let decoded = self.ansi_c_quoted();
                    push_quoted(parts, &decoded);
                }
                b'$' if !self.shared.zsh && quoting == Quoting::Double && !bounded && !in_quotes && self.peek_second() == Some(b'"') => self.bump(),
                // A backslash in front of a double quote stays there.
                b'`' => self.backquoted(parts, true, false),
                b'\\' if in_quotes && !self.shared.zsh && !self.peek_second().is_some_and(is_escaped_when_quoted) => {
                    self.bump();
                    if let Some(escaped) = self.take_char() {
                        push_quoted(parts, escaped.encode_utf8(&mut [0; 4]));
                    }
                }
                _ => self.quoted_piece(parts, b'}', quoting, |byte| matches!(byte, b'}' | b'\'')),
            }
        }
    }

    /// A quote has vanished here: a name continues behind it, and a `$` in front of it begins something.
    fn rejoin(&mut self, parts: &mut Vec<Part>, quoting: Quoting) {
        let before = |back: usize| self.pos.checked_sub(back).and_then(|pos| self.byte_at(pos));
        let (last, escape) = (before(2), before(3));
        let Some(next) = self.peek() else { return };
        match (parts.last_mut(), last) {
            (Some(Part::Parameter(parameter)), Some(last)) if continues_name(last) && parameter.name.bytes().next().is_some_and(begins_name) => {
                while let Some(byte) = self.peek().filter(|&byte| continues_name(byte)) {
                    parameter.name.push(char::from(byte));
                    self.bump();
                }
                parameter.span = parameter.span.to(self.span(self.pos));
            }
            (Some(Part::Quoted(text)), Some(b'$'))
                if escape != Some(b'\\')
                    && text.ends_with('$')
                    && (matches!(next, b'(' | b'{' | b'[') || continues_name(next) || is_special_parameter(next)) =>
            {
                text.pop();
                self.behind_dollar(parts, self.pos.saturating_sub(2), quoting);
            }
            _ => {}
        }
    }
}

const fn is_escaped_when_quoted(byte: u8) -> bool {
    matches!(byte, b'$' | b'`' | b'"' | b'\\')
}
