//! Compound commands: groups, loops, conditions, `case`, tests, functions and co-processes.

use super::cursor::{Closers, ShellReader, closer, is_metacharacter};
use crate::ast::{Arm, Command, Compound, RawWord, Script};

impl ShellReader<'_, '_> {
    /// Reads with more to wait for.
    pub(super) fn waiting<T>(&mut self, closers: Closers, read: impl FnOnce(&mut Self) -> T) -> T {
        let outer = self.closers;
        self.closers = outer.with(closers);
        let result = read(self);
        self.closers = outer;
        result
    }

    /// A command made of others, with the redirections behind it.
    pub(super) fn compound(&mut self, body: Compound) -> Command {
        let end = self.pos;
        let redirects = self.redirects();
        // Where it begins is filled in by `command`.
        let whole = self.span_to(0, end);
        let span = redirects.last().map_or(whole, |last| whole.to(last.span));
        Command::Compound { body, redirects, span }
    }

    pub(super) fn expect(&mut self, reserved: &str, missing: &'static str) {
        if !self.eat_word(reserved) {
            self.fault(missing);
        }
    }

    /// `( … )`, from the parenthesis on.
    pub(super) fn subshell(&mut self) -> Command {
        self.bump();
        let body = self.waiting(Closers::PARENTHESIS, Self::required_list);
        self.close(b')', "a `)` is missing", self.pos);
        self.compound(Compound::Subshell(body))
    }

    /// `{ …; }`, whose brace has been read.
    pub(super) fn group(&mut self) -> Command {
        let mut body = self.braced_body();
        self.skip_blanks();
        if self.shared.zsh && self.eat_word("always") {
            self.skip_lines();
            if self.eat_word("{") {
                body.items.append(&mut self.braced_body().items);
            }
        }
        self.compound(Compound::Group(body))
    }

    fn braced_body(&mut self) -> Script {
        let body = self.waiting(Closers::BRACE, Self::required_list);
        self.expect("}", "a `}` is missing");
        body
    }

    /// `do …; done`, or the braces that bash takes instead of it; in zsh a single command will do.
    pub(super) fn loop_body(&mut self) -> Script {
        if self.eat_word("{") {
            return self.braced_body();
        }
        if self.shared.zsh && self.reserved().is_none_or(|(reserved, _)| closer(reserved).is_none()) {
            return self.one_command();
        }
        self.done_body()
    }

    /// `do …; done`
    fn done_body(&mut self) -> Script {
        self.expect("do", "a `do` is missing");
        let body = self.waiting(Closers::DONE, Self::required_list);
        self.expect("done", "a `done` is missing");
        body
    }

    /// `if`, which has been read.
    pub(super) fn if_command(&mut self) -> Command {
        let all = Closers::THEN.with(Closers::ELSE).with(Closers::FI);
        let (branches, otherwise) = self.waiting(all, |reader| {
            let mut branches = Vec::new();
            loop {
                let condition = reader.required_list();
                reader.expect("then", "a `then` is missing");
                branches.push((condition, reader.required_list()));
                if !reader.eat_word("elif") {
                    break;
                }
            }
            let mut otherwise = reader.eat_word("else").then(|| reader.required_list());
            while reader.misplaced_in_if() {
                otherwise.get_or_insert_default().items.append(&mut reader.required_list().items);
            }
            (branches, otherwise)
        });
        self.expect("fi", "a `fi` is missing");
        self.compound(Compound::If { branches, otherwise })
    }

    /// Passes over a reserved word of `if` that cannot follow `else`.
    fn misplaced_in_if(&mut self) -> bool {
        let Some(("then" | "elif" | "else", end)) = self.reserved() else { return false };
        self.fault("unexpected reserved word");
        self.pos = end;
        true
    }

    /// `while` or `until`, which has been read.
    pub(super) fn while_loop(&mut self) -> Command {
        let condition = self.waiting(Closers::DO.with(Closers::DONE), Self::required_list);
        let body = self.done_body();
        self.compound(Compound::While { condition, body })
    }

    /// `for` or `select`, which has been read.
    pub(super) fn for_loop(&mut self, select: bool) -> Command {
        self.skip_blanks();
        if !select && self.looking_at("((") {
            let at = self.pos;
            let expressions = self.double_parentheses().unwrap_or_else(|| {
                self.fault_at("unterminated arithmetic", at);
                RawWord { parts: Vec::new(), span: self.span(at) }
            });
            self.skip_blanks();
            if !self.at_arm_end() {
                self.eat(";");
            }
            self.skip_lines();
            let body = self.loop_body();
            return self.compound(Compound::ArithmeticFor { expressions, body });
        }
        let name = self.spelled_name();
        if self.shared.zsh
            && let Some(command) = self.zsh_for(&name, false)
        {
            return command;
        }
        let separated = !self.at_arm_end() && self.eat(";");
        self.skip_lines();
        let words = (!separated && self.eat_word("in")).then(|| {
            let words = self.words();
            if !self.at_arm_end() {
                self.eat(";");
            }
            self.skip_lines();
            words
        });
        let body = self.loop_body();
        self.compound(if select { Compound::Select { name, words, body } } else { Compound::For { name, words, body } })
    }

    /// Words up to the end of the line or to an operator.
    pub(super) fn words(&mut self) -> Vec<RawWord> {
        let mut words = Vec::new();
        loop {
            self.skip_blanks();
            let word = self.word();
            if word.parts.is_empty() {
                return words;
            }
            words.push(word);
        }
    }

    /// A name as it is written, and the blanks behind it.
    fn spelled_name(&mut self) -> String {
        let name = self.spelled_word();
        if name.is_empty() {
            self.fault("a name is missing");
        }
        self.skip_blanks();
        name
    }

    /// A word as it is written.
    fn spelled_word(&mut self) -> String {
        self.skip_blanks();
        let start = self.pos;
        self.word();
        self.text.get(start..self.pos).unwrap_or_default().replace("\\\n", "")
    }

    /// `case`, which has been read.
    pub(super) fn case(&mut self) -> Command {
        self.skip_blanks();
        let word = self.word();
        if word.parts.is_empty() {
            self.fault("a word is missing");
        }
        self.skip_lines();
        if !self.eat_word("in") {
            self.fault("an `in` is missing");
        }
        let arms = self.waiting(Closers::ESAC, |reader| {
            let mut arms = Vec::new();
            loop {
                reader.skip_lines();
                let before = reader.pos;
                if reader.peek().is_none() || reader.reserved().is_some_and(|(word, _)| word == "esac") {
                    break;
                }
                let arm = reader.arm();
                let goes_on = reader.eat(";;&") || reader.eat(";&");
                arms.push(Arm { goes_on, ..arm });
                if !goes_on && !reader.eat(";;") && reader.pos == before {
                    break;
                }
            }
            arms
        });
        self.expect("esac", "an `esac` is missing");
        self.compound(Compound::Case { word, arms })
    }

    fn arm(&mut self) -> Arm {
        self.eat("(");
        let mut patterns = Vec::new();
        loop {
            self.skip_blanks();
            let pattern = self.word();
            if pattern.parts.is_empty() {
                self.fault("a pattern is missing");
            } else {
                patterns.push(pattern);
            }
            self.skip_blanks();
            if self.peek() != Some(b'|') {
                break;
            }
            self.bump();
        }
        self.close(b')', "a `)` is missing after a pattern", self.pos);
        Arm { patterns, body: self.list(), goes_on: false }
    }

    /// `[[`, which has been read.
    pub(super) fn test(&mut self) -> Command {
        let start = self.pos;
        let mut words: Vec<RawWord> = Vec::new();
        let mut open = 0_usize;
        loop {
            self.skip_lines();
            let from = self.pos;
            let operator = match self.peek() {
                None => {
                    self.fault_at("unterminated test", start);
                    break;
                }
                Some(b'&') => "&&",
                Some(b'|') => "||",
                Some(b'(') => {
                    open += 1;
                    "("
                }
                Some(b')') if open > 0 => {
                    open -= 1;
                    ")"
                }
                Some(b';' | b')') => {
                    self.fault("unexpected operator in a test");
                    break;
                }
                Some(byte @ (b'<' | b'>')) if self.peek_second() != Some(b'(') => {
                    if byte == b'<' {
                        "<"
                    } else {
                        ">"
                    }
                }
                Some(b']') if self.eat_word("]]") => break,
                Some(_) => {
                    let matching = words.last().is_some_and(|word| word.is_text("=~"));
                    let word = if matching { self.regular_expression() } else { self.word() };
                    words.push(word);
                    continue;
                }
            };
            // After `=~`, a parenthesis or a bar begins a regular expression.
            if matches!(operator, "(" | "||") && words.last().is_some_and(|word| word.is_text("=~")) {
                open -= usize::from(operator == "(");
                words.push(self.regular_expression());
            } else if self.eat(operator) {
                words.push(RawWord::text(operator, self.span(from)));
            } else {
                self.fault("unexpected operator in a test");
                break;
            }
        }
        self.compound(Compound::Test(words))
    }

    /// `function`, which has been read.
    pub(super) fn function(&mut self) -> Command {
        let name = self.spelled_name();
        let here = self.pos;
        let mut parentheses = false;
        if self.eat("(") {
            self.skip_blanks();
            parentheses = self.eat(")");
            if !parentheses {
                // The body is a subshell.
                self.pos = here;
            }
        }
        let mut others = Vec::new();
        while self.shared.zsh && !parentheses && self.peek() != Some(b'(') && self.reserved().is_none() {
            let other = self.spelled_word();
            if other.is_empty() {
                break;
            }
            others.push(other);
            self.skip_blanks();
        }
        self.shared_body(name, others)
    }

    /// The body of a function, whose head has been read.
    pub(super) fn function_body(&mut self, name: String) -> Command {
        self.skip_lines();
        let at = self.pos;
        let body = self.nested(|reader| reader.command(false));
        if !self.shared.zsh && matches!(body, Command::Simple(_) | Command::Function { .. } | Command::Coproc { .. }) {
            self.fault_at("the body of a function is not a compound command", at);
        }
        let span = body.span();
        Command::Function { name, body: Box::new(body), span }
    }

    /// `coproc`, which has been read.
    pub(super) fn coproc(&mut self) -> Command {
        self.skip_blanks();
        let name = if self.reserved().is_none() && !self.shared.zsh { self.coproc_name() } else { None };
        let body = self.command(false);
        let span = body.span();
        Command::Coproc { name, body: Box::new(body), span }
    }

    /// A name, if a compound command follows it. Otherwise it is the first word of a simple command.
    fn coproc_name(&mut self) -> Option<String> {
        let here = self.pos;
        let name = self.take_name();
        if name.is_some() && self.peek().is_some_and(is_metacharacter) {
            self.skip_blanks();
            let compound = match self.reserved() {
                Some((reserved, _)) => closer(reserved).is_none() && !matches!(reserved, "!" | "time" | "coproc"),
                None => self.peek() == Some(b'('),
            };
            if compound {
                return name;
            }
        }
        self.pos = here;
        None
    }
}
