//! awk: `system`, pipes to and from commands, redirections of `print`.

use super::lex::{CodeToken, TextPart};
use super::piece::{CodePiece, TokenRange};
use super::value::{CodeText, CodeValue};
use super::{CodeAction, Scan};

/// Expressions of more tokens than this are not looked through.
const MAX_TOKENS: usize = 256;

impl Scan {
    pub(super) fn awk(&mut self, piece: &CodePiece<'_>) {
        for at in 0..piece.len() {
            let command = match piece.word(at) {
                Some("system") if piece.mark(at + 1) == "(" => at + 2..piece.close(at + 1),
                Some("getline") if matches!(piece.before(at), Some(CodeToken::Mark("|" | "|&"))) => {
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
                    self.names.give(name, CodeValue::Text(text));
                    continue;
                }
                _ => continue,
            };
            let text = self.awk_text(piece, command);
            self.shell(&CodeValue::Text(text));
        }
    }

    fn awk_text(&mut self, piece: &CodePiece<'_>, span: TokenRange) -> CodeText {
        let mut text = CodeText::default();
        for at in span.take(MAX_TOKENS) {
            text.add(&match piece.token(at) {
                Some(CodeToken::Text(_, parts)) => self.text_of(parts),
                Some(CodeToken::Number(number)) if piece.mark(at.wrapping_sub(1)) != "$" => CodeText::lit(number),
                Some(CodeToken::Word(name)) => self.named(name).settled().into_text(),
                Some(CodeToken::Mark("$")) => CodeText::hole(),
                _ => continue,
            });
        }
        if self.spend(text.text.len()) { text } else { CodeText::hole() }
    }

    fn awk_print(&mut self, piece: &CodePiece<'_>, print: usize) {
        let mut at = print + 1;
        let mut sign = None;
        while at < piece.len() && at - print < MAX_TOKENS && !matches!(piece.mark(at), ";" | "}") && !piece.is_newline(at) {
            sign = sign.or_else(|| matches!(piece.mark(at), ">" | ">>" | "|" | "|&").then_some(at));
            at = piece.skip(at);
        }
        let Some(sign) = sign else { return };
        let said = match (sign - print, piece.token(print + 1)) {
            (2, Some(CodeToken::Text(_, parts))) => match parts.as_slice() {
                [TextPart::Lit(text)] => Some(if piece.word(print) == Some("print") { format!("{text}\n") } else { text.clone() }),
                _ => None,
            },
            _ => None,
        };
        let target = self.awk_text(piece, sign + 1..at);
        if let mark @ (">" | ">>") = piece.mark(sign) {
            let path = target.literal();
            if !path.as_deref().is_some_and(|path| path.starts_with("/dev/std")) {
                self.push(CodeAction::Write { path, append: mark == ">>", text: said });
            }
            return;
        }
        let first = self.found.len();
        self.shell(&CodeValue::Text(target));
        if let Some(found @ CodeAction::Shell(_)) = self.found.get(first).cloned() {
            self.found.truncate(first);
            self.push(CodeAction::Fed(Box::new(found), said));
        }
    }
}
