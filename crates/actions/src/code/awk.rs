//! awk: `system`, pipes to and from commands, redirections of `print`.

use super::lex::{Part, Token};
use super::piece::{Piece, Span};
use super::value::{Text, Value};
use super::{Found, Scan};

/// Expressions of more tokens than this are not looked through.
const MAX_TOKENS: usize = 256;

impl Scan {
    pub(super) fn awk(&mut self, piece: &Piece<'_>) {
        for at in 0..piece.len() {
            let command = match piece.word(at) {
                Some("system") if piece.mark(at + 1) == "(" => at + 2..piece.close(at + 1),
                Some("getline") if matches!(piece.before(at), Some(Token::Mark("|" | "|&"))) => {
                    let starts = |place: &usize| piece.is_newline(*place) || matches!(piece.mark(*place), ";" | "{" | "}" | "&&" | "||" | "!" | "(");
                    (0..at - 1).rev().take(MAX_TOKENS).find(starts).map_or(0, |place| place + 1)..at - 1
                }
                Some("print" | "printf") => {
                    self.awk_print(piece, at);
                    continue;
                }
                // Assignments are read here, since what is side by side is joined.
                Some(name) if piece.mark(at + 1) == "=" => {
                    let end = (at + 2..piece.len().min(at + MAX_TOKENS)).find(|place| matches!(piece.mark(*place), ";" | "}") || piece.is_newline(*place));
                    let text = self.awk_text(piece, at + 2..end.unwrap_or(at + 2));
                    self.names.give(name, Value::Text(text));
                    continue;
                }
                _ => continue,
            };
            let text = self.awk_text(piece, command);
            self.shell(&Value::Text(text));
        }
    }

    fn awk_text(&mut self, piece: &Piece<'_>, span: Span) -> Text {
        let mut text = Text::default();
        for at in span.take(MAX_TOKENS) {
            text.add(&match piece.token(at) {
                Some(Token::Text(_, parts)) => self.text_of(parts),
                Some(Token::Number(number)) if piece.mark(at.wrapping_sub(1)) != "$" => Text::lit(number),
                Some(Token::Word(name)) => self.named(name).settled().into_text(),
                Some(Token::Mark("$")) => Text::hole(),
                _ => continue,
            });
        }
        if self.spend(text.text.len()) { text } else { Text::hole() }
    }

    fn awk_print(&mut self, piece: &Piece<'_>, print: usize) {
        let mut at = print + 1;
        let mut sign = None;
        while at < piece.len() && at - print < MAX_TOKENS && !matches!(piece.mark(at), ";" | "}") && !piece.is_newline(at) {
            sign = sign.or_else(|| matches!(piece.mark(at), ">" | ">>" | "|" | "|&").then_some(at));
            at = piece.skip(at);
        }
        let Some(sign) = sign else { return };
        let said = match (sign - print, piece.token(print + 1)) {
            (2, Some(Token::Text(_, parts))) => match parts.as_slice() {
                [Part::Lit(text)] => Some(if piece.word(print) == Some("print") { format!("{text}\n") } else { text.clone() }),
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
            return;
        }
        let first = self.found.len();
        self.shell(&Value::Text(target));
        if let Some(found @ Found::Shell(_)) = self.found.get(first).cloned() {
            self.found.truncate(first);
            self.push(Found::Fed(Box::new(found), said));
        }
    }
}
