//! awk: `system`, pipes to and from commands, redirections of `print`.

use super::lex::Token;
use super::piece::{Piece, Span};
use super::value::{Text, Value};
use super::{Found, Scan};

/// Expressions of more tokens than this are not looked through.
const MAX_TOKENS: usize = 256;

impl Scan {
    pub(super) fn awk(&mut self, piece: &Piece<'_>) {
        for at in 0..piece.len() {
            match (piece.word(at), piece.mark(at)) {
                (Some("system"), _) if piece.mark(at + 1) == "(" => {
                    let text = self.awk_text(piece, at + 2..piece.close(at + 1));
                    self.shell(&Value::Text(text));
                }
                (Some("print" | "printf"), _) => self.awk_print(piece, at),
                (Some("getline"), _) if matches!(piece.before(at), Some(Token::Mark("|" | "|&"))) => {
                    let end = at - 1;
                    let mut start = end;
                    while start > 0 && end - start < MAX_TOKENS && !starts_statement(piece, start - 1) {
                        start -= 1;
                    }
                    let text = self.awk_text(piece, start..end);
                    self.shell(&Value::Text(text));
                }
                _ => {}
            }
        }
    }

    /// What stands side by side is joined.
    pub(super) fn awk_text(&mut self, piece: &Piece<'_>, span: Span) -> Text {
        let mut text = Text { known: false, ..Text::default() };
        for at in span.take(MAX_TOKENS) {
            let part = match piece.token(at) {
                Some(Token::Text(parts)) => self.text_of(parts),
                Some(Token::Number(number)) if !matches!(piece.before(at), Some(Token::Mark("$"))) => Text::lit(number),
                Some(Token::Word(name)) => match self.named(name) {
                    Value::Text(text) => text,
                    _ => Text::hole(),
                },
                Some(Token::Mark("$")) => Text::hole(),
                _ => continue,
            };
            text.add(&part);
        }
        if self.spend(text.text.len()) { text } else { Text::hole() }
    }

    fn awk_print(&mut self, piece: &Piece<'_>, print: usize) {
        let mut at = print + 1;
        let mut sign = None;
        while at < piece.len() && at - print < MAX_TOKENS && !matches!(piece.mark(at), ";" | "}") && !piece.is_newline(at) {
            if sign.is_none() && matches!(piece.mark(at), ">" | ">>" | "|" | "|&") {
                sign = Some(at);
            }
            at = piece.skip(at);
        }
        let Some(sign) = sign else { return };
        let said = match piece.trim(print + 1..sign) {
            span if span.len() == 1 => match piece.token(span.start) {
                Some(Token::Text(parts)) => Self::plain(parts).map(|text| if piece.word(print) == Some("print") { text + "\n" } else { text }),
                _ => None,
            },
            _ => None,
        };
        let target = self.awk_text(piece, sign + 1..at);
        if let mark @ (">" | ">>") = piece.mark(sign) {
            let path = target.literal();
            if !path.as_deref().is_some_and(|path| path.starts_with("/dev/std")) {
                self.push(Found::Write { path, append: mark == ">>", text: said });
            }
        } else {
            let shell = target.text.split_whitespace().next().is_some_and(|program| matches!(program.rsplit('/').next(), Some("sh" | "bash" | "zsh" | "dash")));
            match said {
                Some(said) if shell => self.push(Found::Shell(said)),
                None if shell => self.push(Found::OpaqueShell),
                _ => self.shell(&Value::Text(target)),
            }
        }
    }
}

fn starts_statement(piece: &Piece<'_>, at: usize) -> bool {
    piece.is_newline(at)
        || matches!(piece.mark(at), ";" | "{" | "}" | "&&" | "||" | "!")
        || piece.mark(at) == "(" && piece.word(at.wrapping_sub(1)).is_some_and(|word| matches!(word, "while" | "if" | "for"))
}
