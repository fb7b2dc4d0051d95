//! Conditions whose outcome is certain, in files that were there before the call: a script holds what it would do for all
//! its arguments, and only what it does for the given ones counts. What is on the command line itself is followed
//! whatever its conditions say.

use super::Shell;
use shell_reader::ast::{Command, Compound, Item, Join, Part, RawWord, Script};

impl Shell<'_> {
    /// Whether the condition holds. `None` if that is not certain.
    pub(super) fn certain(&mut self, condition: &Script) -> Option<bool> {
        match condition.items.as_slice() {
            [item] => self.ended(item),
            _ => None,
        }
    }

    /// Whether an item of a list succeeds. `None` if that is not certain.
    pub(super) fn ended(&mut self, item: &Item) -> Option<bool> {
        self.outcome(&item.command).map(|outcome| outcome != item.negated)
    }

    /// Whether an item of a list is passed over for certain, as what is before it failed, or did not. `last` is the
    /// outcome of what is before.
    pub(super) fn skipped(&self, join: Join, last: Option<bool>) -> bool {
        self.stored && matches!((join, last), (Join::And, Some(false)) | (Join::Or, Some(true)))
    }

    /// Whether a command succeeds. `None` if that is not certain.
    fn outcome(&mut self, command: &Command) -> Option<bool> {
        if !self.stored {
            return None;
        }
        match command {
            Command::Simple(simple) if simple.assigns.is_empty() && simple.redirects.is_empty() => {
                let first = self.certain_text(simple.words.first()?)?;
                match first.as_str() {
                    // A name may be made to mean something else.
                    name if self.state.function(name).is_some() || self.state.alias(name).is_some() => None,
                    "true" | ":" => Some(true),
                    "false" => Some(false),
                    "[" | "test" => self.test(simple.words.get(1..)?),
                    _ => None,
                }
            }
            Command::Compound { body: Compound::Test(words), redirects, .. } if redirects.is_empty() => self.test(words),
            _ => None,
        }
    }

    /// `[ … ]` over texts, where all words are known.
    fn test(&mut self, words: &[RawWord]) -> Option<bool> {
        let words: Vec<String> = words.iter().map(|word| self.certain_text(word)).collect::<Option<_>>()?;
        let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
        if matches!(words.last(), Some(&("]" | "]]"))) {
            words.pop();
        }
        let (turned, words) = match words.split_first() {
            Some((&"!", rest)) => (true, rest),
            _ => (false, words.as_slice()),
        };
        let number = |text: &str| text.parse::<i64>().ok();
        let holds = match *words {
            [text] | ["-n", text] => !text.is_empty(),
            ["-z", text] => text.is_empty(),
            // A pattern, or what `[[` alone takes for one, is left to the shell.
            [left, "=" | "==", right] if !right.contains(['*', '?', '[']) => left == right,
            [left, "!=", right] if !right.contains(['*', '?', '[']) => left != right,
            [left, "-eq", right] => number(left)? == number(right)?,
            [left, "-ne", right] => number(left)? != number(right)?,
            [left, "-gt", right] => number(left)? > number(right)?,
            [left, "-ge", right] => number(left)? >= number(right)?,
            [left, "-lt", right] => number(left)? < number(right)?,
            [left, "-le", right] => number(left)? <= number(right)?,
            _ => return None,
        };
        Some(holds != turned)
    }

    /// The text of a word, if nothing in it has to run for it or is only supposed, and it stays one word.
    pub(super) fn certain_text(&mut self, raw: &RawWord) -> Option<String> {
        for part in &raw.parts {
            match part {
                Part::Text(_) | Part::Quoted(_) => {}
                Part::Parameter(parameter) => {
                    let value = self.state.get(&parameter.name)?;
                    let stays = parameter.quoted || value.literal().is_some_and(|text| !text.is_empty() && !text.contains(char::is_whitespace));
                    if self.state.is_supposed(&parameter.name) || !stays {
                        return None;
                    }
                }
                _ => return None,
            }
        }
        self.scalar(raw).literal().map(str::to_owned)
    }

    /// Whether the text behind `case` agrees with a pattern. `None` if that is not certain.
    pub(super) fn agrees(&mut self, subject: Option<&str>, pattern: &RawWord) -> Option<bool> {
        let pattern = self.scalar(pattern);
        let subject = subject?;
        match pattern.literal() {
            Some("*") => Some(true),
            Some(text) if !text.contains(['*', '?', '[', '(', '\\']) => Some(text == subject),
            // One star at the end or at the front is what scripts use.
            Some(text) => match (text.strip_suffix('*'), text.strip_prefix('*')) {
                (Some(front), _) if !front.contains(['*', '?', '[', '(', '\\']) => Some(subject.starts_with(front)),
                (_, Some(back)) if !back.contains(['*', '?', '[', '(', '\\']) => Some(subject.ends_with(back)),
                _ => None,
            },
            None => None,
        }
    }
}
