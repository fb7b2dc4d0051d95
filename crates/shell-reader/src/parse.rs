//! From the text of a command line to its tree, as bash 5.2 reads it: lists, pipelines and which command is where.
//! The commands themselves are in `parse/simple.rs` and `parse/compound.rs`. Nothing is expanded and nothing is judged here.
//!
//! Reading never fails: what the shell would refuse is noted as a fault and passed over, and what is around it is
//! kept. Bash runs the lines in front of the one that it refuses.

mod ansi_c;
mod arithmetic;
mod compound;
mod cursor;
mod heredoc;
mod parameter;
mod simple;
#[cfg(test)]
mod tests;
mod words;
mod zsh;
mod zsh_words;

use crate::ast::{Command, Fault, Item, Join, Reading, Script, Simple};
use cursor::{Closers, Origin, SharedReading, ShellReader, closer};

/// Reads a text as `bash -c` would.
///
/// Total: it neither panics nor recurses without a bound, and takes time in proportion to the length of the text.
/// A text that nests deeper than 60 constructs, or that would have to be read again too often, ends at the place where
/// that shows, with a fault that is not `refused_by_shell`.
#[must_use]
pub fn read(text: &str) -> Reading {
    read_as(text, false)
}

/// As [`read`], or as `zsh -c` would.
#[must_use]
pub fn read_as(text: &str, zsh: bool) -> Reading {
    if u32::try_from(text.len()).is_err() {
        return Reading { script: Script::default(), faults: vec![Fault { what: "too long to read", at: 0, refused_by_shell: false }] };
    }
    let mut shared = SharedReading::new(text.len(), zsh);
    let script = ShellReader::new(text, None, Origin::From(0), &mut shared).whole();
    Reading { script, faults: shared.faults }
}

/// Whether zsh may read this otherwise than bash: a glance, which may be wrong on the side of yes.
#[must_use]
pub fn may_differ(text: &str) -> bool {
    let words = ["&|", "&!", ">!", ">&", "repeat", "foreach", "nocorrect", "noglob", "time", "coproc", "- "];
    text.bytes().any(|byte| b"$()[]{}=~\\^*?#`".contains(&byte))
        || words.iter().any(|word| text.contains(word))
        || text.as_bytes().windows(3).any(|bytes| matches!(bytes, [b'0'..=b'9', b'0'..=b'9', b'<' | b'>']))
}

impl ShellReader<'_, '_> {
    /// All of the text.
    pub(super) fn whole(&mut self) -> Script {
        self.closers = Closers::NONE;
        let mut script = self.list();
        while self.go_on() {
            script.items.append(&mut self.list().items);
        }
        // Bodies that never begin are empty, and bash runs the commands; but a delayed one may have begun.
        self.drop_hidden_here_documents();
        self.pending.clear();
        script
    }

    /// A list, up to what an open construct waits for or to the end of the text. What is out of place is passed over.
    pub(super) fn list(&mut self) -> Script {
        let mut items = Vec::new();
        let mut join = Join::Then;
        loop {
            self.skip_lines();
            if self.at_list_end() {
                break;
            }
            let before = self.pos;
            if self.pass_over_misplaced() {
                continue;
            }
            let (command, negated) = self.pipeline();
            self.skip_blanks();
            let mut background = false;
            let mut next = Join::Then;
            if self.eat("&&") {
                next = Join::And;
            } else if self.eat("||") {
                next = Join::Or;
            } else if self.at_arm_end() {
                // Left for `case`.
            } else if self.eat("&") {
                background = true;
                if self.shared.zsh && !self.eat("|") {
                    self.eat("!");
                }
            } else if self.peek() == Some(b';') && self.after_here_document {
                // Bash 5.2 writes a substitution anew, and leaves out the first `;` behind a here-document.
                self.unread("a `;` follows a here-document in a substitution");
                self.bump();
            } else if self.peek() == Some(b';') && self.in_substitution && !self.pending.is_empty() {
                self.after_here_document = !self.shared.zsh;
                self.bump();
            } else if !self.eat(";") && !self.at_command_end() {
                self.fault("unexpected word after a command");
                if self.pos == before {
                    self.take_char();
                }
            }
            items.push(Item { join, command, background, negated });
            join = next;
        }
        if join != Join::Then {
            self.fault("a command is missing");
        }
        Script { items }
    }

    /// A list that must not be empty.
    pub(super) fn required_list(&mut self) -> Script {
        let script = self.list();
        if script.items.is_empty() {
            self.fault("a command is missing");
        }
        script
    }

    /// `;;`, `;&` or `;;&`
    pub(super) fn at_arm_end(&mut self) -> bool {
        self.peek() == Some(b';') && matches!(self.peek_second(), Some(b';' | b'&'))
    }

    /// What an open construct waits for is next, or nothing is.
    fn at_list_end(&mut self) -> bool {
        match self.peek() {
            None => true,
            Some(b')') => self.closers.has(Closers::PARENTHESIS),
            Some(b';') => self.closers.has(Closers::ESAC) && self.at_arm_end(),
            Some(b'}') if self.closers.has(Closers::CHARACTER_BRACE) => true,
            Some(_) => self.reserved().and_then(|(reserved, _)| closer(reserved)).is_some_and(|closer| self.closers.has(closer)),
        }
    }

    /// Passes over an operator or a reserved word that cannot begin a command.
    fn pass_over_misplaced(&mut self) -> bool {
        let what = match self.peek() {
            Some(b')') => "unexpected `)`",
            Some(b';') => "unexpected `;`",
            Some(b'|') => "unexpected `|`",
            Some(b'&') if self.peek_second() != Some(b'>') => "unexpected `&`",
            _ => {
                let Some((reserved, end)) = self.reserved().filter(|(reserved, _)| closer(reserved).is_some()) else { return false };
                self.fault(match reserved {
                    "}" => "unexpected `}`",
                    _ => "unexpected reserved word",
                });
                self.pos = end;
                return true;
            }
        };
        self.fault(what);
        self.bump();
        true
    }

    /// What may follow a command.
    fn at_command_end(&mut self) -> bool {
        matches!(self.peek(), None | Some(b'\n' | b')')) || self.at_list_end() || self.reserved().is_some_and(|(reserved, _)| closer(reserved).is_some())
    }

    /// Commands joined by `|`, with `!` and `time` in front; and whether their exit status is negated.
    pub(super) fn pipeline(&mut self) -> (Command, bool) {
        let (mut optional, mut negated) = (false, false);
        loop {
            self.skip_blanks();
            if self.eat_word("!") {
                optional = true;
                negated = !negated;
            } else if self.eat_word("time") {
                optional = true;
                self.skip_blanks();
                if !self.shared.zsh && self.eat_word("-p") {
                    self.skip_blanks();
                }
                if !self.shared.zsh {
                    self.eat_word("--");
                }
            } else {
                break;
            }
        }
        let first = self.command(optional);
        if !self.eat_pipe() {
            return (first, negated);
        }
        let mut commands = vec![first];
        loop {
            self.skip_lines();
            while self.reserved().is_some_and(|(reserved, _)| reserved == "!") {
                self.fault("unexpected `!`");
                self.eat_word("!");
                self.skip_blanks();
            }
            commands.push(self.command(false));
            if !self.eat_pipe() {
                return (Command::Pipeline(commands), negated);
            }
        }
    }

    fn eat_pipe(&mut self) -> bool {
        self.skip_blanks();
        !self.looking_at("||") && (self.eat("|&") || self.eat("|"))
    }

    /// One command. Nothing can be here if it is `optional`.
    pub(super) fn command(&mut self, optional: bool) -> Command {
        self.skip_blanks();
        let from = self.pos;
        let mut command = self.command_here(optional);
        if let Command::Compound { span, .. } | Command::Function { span, .. } | Command::Coproc { span, .. } = &mut command {
            span.start = self.span_to(from, from).start;
        }
        command
    }

    fn command_here(&mut self, optional: bool) -> Command {
        if self.shared.zsh
            && let Some(command) = self.zsh_command()
        {
            return command;
        }
        if self.peek() == Some(b'(') {
            return self.nested(|reader| reader.arithmetic_command().unwrap_or_else(|| reader.subshell()));
        }
        let Some((reserved, end)) = self.reserved() else { return self.simple(optional) };
        let start = std::mem::replace(&mut self.pos, end);
        match reserved {
            "{" => self.nested(Self::group),
            "[[" => self.nested(Self::test),
            "case" => self.nested(Self::case),
            "coproc" => self.nested(Self::coproc),
            "for" => self.nested(|reader| reader.for_loop(false)),
            "select" => self.nested(|reader| reader.for_loop(true)),
            "function" => self.nested(Self::function),
            "if" => self.nested(Self::if_command),
            "until" | "while" => self.nested(Self::while_loop),
            // Behind `|`, `time` is a program. The others close something, and no command is before them.
            "time" => {
                self.pos = start;
                self.simple(optional)
            }
            _ => {
                self.pos = start;
                if !optional {
                    self.fault("a command is missing");
                }
                self.nothing()
            }
        }
    }

    /// Where a command is missing.
    pub(super) fn nothing(&self) -> Command {
        Command::Simple(Simple { span: self.span_to(self.pos, self.pos), ..Simple::default() })
    }

    #[inline(never)] // Most calls do not come here, and touch fewer pages without it.
    pub(super) fn nested(&mut self, read: impl FnOnce(&mut Self) -> Command) -> Command {
        self.deeper(read).unwrap_or_else(|| self.nothing())
    }
}
