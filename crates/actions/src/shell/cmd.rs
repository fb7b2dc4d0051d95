//! Command lines of cmd: words, and what separates commands. `%NAME%` is a hole. Blocks are read as lists of commands, and what
//! is behind a condition or a loop as one.

use super::{Shell, Stdin, walk::HOLES};
use crate::Change;
use crate::word::{Bound, Word, WordPiece};

/// One command with the files to which its output goes.
#[derive(Default)]
struct CmdCommand {
    words: Vec<Word>,
    targets: Vec<Word>,
}

impl Shell<'_> {
    /// Follows a command line of cmd.
    pub(super) fn cmd_line(&mut self, text: &str) {
        // What a command of it reads in turn is for other shells.
        let outer = std::mem::replace(&mut self.cmd, false);
        for CmdCommand { words, targets } in commands(text) {
            for target in targets.iter().filter(|target| !target.literal().is_some_and(|name| name.eq_ignore_ascii_case("nul"))) {
                self.write(target, Change::Unknown, None);
            }
            self.cmd_command(&words);
        }
        self.cmd = outer;
    }

    fn cmd_command(&mut self, words: &[Word]) {
        let Some((head, rest)) = words.split_first() else { return };
        // `rd/s/q FOLDER`
        if let Some((name, options)) = head.literal().and_then(|head| head.split_once('/'))
            && self.programs.find(&format!("cmd:{}", name.to_ascii_lowercase())).is_some()
        {
            return self.cmd_command(&[&[Word::lit(name), Word::lit(format!("/{options}"))], rest].concat());
        }
        let name = head.literal().map(|name| name.trim_start_matches('@').to_ascii_lowercase()).unwrap_or_default();
        let is = |word: &Word, name: &str| word.literal().is_some_and(|word| word.eq_ignore_ascii_case(name));
        match name.as_str() {
            "" if head.literal().is_some() => self.cmd_command(rest),
            "call" | "else" => self.cmd_command(rest),
            "for" => {
                let body = rest.iter().position(|word| is(word, "do")).map_or(rest.len(), |at| at + 1);
                self.cmd_command(rest.get(body..).unwrap_or(&[]));
            }
            "if" => {
                let options = rest.iter().take_while(|word| is(word, "not") || is(word, "/i")).count();
                let condition = rest.get(options..).unwrap_or(&[]);
                // `exist FILE`, `A==B`, `A EQU B`
                let compared = condition.get(1).is_some_and(|word| ["EQU", "NEQ", "LSS", "LEQ", "GTR", "GEQ", "=="].iter().any(|sign| is(word, sign)));
                let length = match condition.first() {
                    Some(word) if word.to_string().contains("==") => 1,
                    _ if compared => 3,
                    _ => 2,
                };
                self.cmd_command(condition.get(length..).unwrap_or(&[]));
            }
            "set" => {
                let line = super::builtin::joined(rest);
                if let Some((name, value)) = crate::arguments::assignment(&line) {
                    self.state.set(&name, value);
                    self.state.export(&name);
                }
            }
            _ => {
                let own = format!("cmd:{name}");
                let usual = if self.programs.find(&own).is_some() { Some(own) } else { Some(name).filter(|name| self.programs.find(name).is_some()) };
                let head = usual.map_or_else(|| head.clone(), |usual| Word { span: head.span, ..Word::lit(usual) });
                self.invoke([&[head], rest].concat(), Vec::new(), &Stdin::default());
            }
        }
    }
}

/// The commands of a line.
fn commands(text: &str) -> Vec<CmdCommand> {
    let mut all = Vec::new();
    let mut command = CmdCommand::default();
    let mut word: Option<Word> = None;
    let (mut quoted, mut target) = (false, false);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let tail = rest.get(c.len_utf8()..).unwrap_or("");
        rest = tail;
        match c {
            '"' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            '%' => {
                // `%NAME%`, `%%i`, `%1`
                let end = tail
                    .trim_start_matches('%')
                    .find(|c: char| !(c.is_alphanumeric() || "_:~-,()".contains(c)))
                    .map(|at| at + tail.len() - tail.trim_start_matches('%').len());
                let end = end.unwrap_or(tail.len());
                let closed = tail.get(end..).is_some_and(|behind| behind.starts_with('%'));
                rest = if closed { tail.get(end + 1..) } else { tail.get(end.min(2)..) }.unwrap_or("");
                let word = word.get_or_insert_default();
                match tail.get(..end) {
                    Some("USERPROFILE" | "HOME") => word.push_lit("~"),
                    _ => word.push(WordPiece::Any(Bound::Anything)),
                }
            }
            _ if HOLES.contains(&c) => word.get_or_insert_default().push(WordPiece::Any(Bound::Anything)),
            '^' if !quoted => {
                let escaped = tail.chars().next();
                rest = tail.get(escaped.map_or(0, char::len_utf8)..).unwrap_or("");
                if let Some(c) = escaped.filter(|c| *c != '\n') {
                    word.get_or_insert_default().push_lit(c.encode_utf8(&mut [0; 4]));
                }
            }
            '>' | '<' if !quoted => {
                // A digit in front says which of its streams it is.
                if word.as_ref().is_some_and(|word| word.literal().is_some_and(|text| text.len() == 1 && text.starts_with(|c: char| c.is_ascii_digit()))) {
                    word = None;
                }
                end_word(&mut word, &mut command, &mut target);
                let behind = tail.trim_start_matches('>');
                match behind.strip_prefix('&') {
                    Some(number) => rest = number.trim_start_matches(|c: char| c.is_ascii_digit()),
                    None => {
                        rest = behind;
                        target = c == '>';
                    }
                }
            }
            ' ' | '\t' | '\r' if !quoted => end_word(&mut word, &mut command, &mut target),
            '&' | '|' | '\n' | '(' | ')' if !quoted => {
                end_word(&mut word, &mut command, &mut target);
                // What a loop goes over is in brackets.
                let looped = command.words.last().is_some_and(|word| word.literal().is_some_and(|word| word.eq_ignore_ascii_case("in")));
                if c == '(' && looped {
                    rest = tail.split_once(')').map_or("", |(_, after)| after);
                } else if !(command.words.is_empty() && command.targets.is_empty()) && c != '(' {
                    all.push(std::mem::take(&mut command));
                }
            }
            '\\' => word.get_or_insert_default().push_lit("/"),
            '*' | '?' => word.get_or_insert_default().push(WordPiece::Glob(c.to_string())),
            c => word.get_or_insert_default().push_lit(c.encode_utf8(&mut [0; 4])),
        }
    }
    end_word(&mut word, &mut command, &mut target);
    all.push(command);
    all
}

fn end_word(word: &mut Option<Word>, command: &mut CmdCommand, target: &mut bool) {
    let Some(word) = word.take() else { return };
    if std::mem::take(target) { command.targets.push(word) } else { command.words.push(word) }
}
