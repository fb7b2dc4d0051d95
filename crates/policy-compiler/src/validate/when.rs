//! Reads the tables of a *when*. Does not know which rule they belong to.

use toml::de::DeValue;

use crate::compile::pattern::{PatternFault, Patterns};
use crate::schema::{Checker, SpannedText, SpannedValue};
use actions::PushKind;
use actions::program::ToolEffect;
use policy::pattern::{PathPattern, Pattern};
use policy::secret::Confidence;
use policy::table::TableReader;
use policy::{Comparison, ValueTest};

/// Stands for the names of all protected branches.
const PROTECTED: &str = "<protected>";

/// What reading tables needs.
pub(crate) struct WhenReader<'r, 't, 'p> {
    pub(super) checker: &'r mut Checker<'p>,
    pub(super) patterns: &'r mut Patterns<'t>,
    /// Protected branches of all layers.
    pub(super) protected: &'r [Pattern<'t>],
}

impl<'t> TableReader<'t> for WhenReader<'_, 't, '_> {
    type Table = SpannedValue<'t>;

    fn texts(&mut self, table: &SpannedValue<'t>, key: &str) -> Vec<Pattern<'t>> {
        table.texts(key).iter().filter_map(|text| self.text(text)).collect()
    }

    fn word_lists(&mut self, table: &SpannedValue<'t>, key: &str) -> Vec<Vec<Vec<Pattern<'t>>>> {
        let mut all = Vec::new();
        for text in table.texts(key) {
            if text.text.trim().is_empty() {
                // It would be the beginning of every command.
                self.checker.mistake(&text.span, format!("`{key}` has an entry without words"), "write the words that the command begins with");
            }
            let mut sequence = Vec::new();
            for word in text.text.split_whitespace() {
                let patterns = self.patterns.alternatives(word);
                sequence.extend(self.good(&text, patterns));
            }
            all.push(sequence);
        }
        all
    }

    fn texts_with_protected(&mut self, table: &SpannedValue<'t>, key: &str) -> Vec<Pattern<'t>> {
        let mut all = Vec::new();
        for text in table.texts(key) {
            if text.text != PROTECTED {
                all.extend(self.text(&text));
            } else if self.protected.is_empty() {
                // An empty list would not be checked, and so would match everything.
                all.push(self.patterns.never(PROTECTED));
            } else {
                all.extend_from_slice(self.protected);
            }
        }
        all
    }

    fn contents(&mut self, table: &SpannedValue<'t>, key: &str) -> Vec<Pattern<'t>> {
        let mut all = Vec::new();
        for text in table.texts(key) {
            let pattern = self.patterns.content(text.text);
            all.extend(self.good(&text, pattern));
        }
        all
    }

    fn paths(&mut self, table: &SpannedValue<'t>, key: &str) -> Vec<PathPattern<'t>> {
        let mut all = Vec::new();
        for text in table.texts(key) {
            let patterns = self.patterns.path(text.text);
            all.extend(self.good(&text, patterns).into_iter().flatten());
        }
        all
    }

    fn flag(&mut self, table: &SpannedValue<'t>, key: &str) -> Option<bool> {
        table.flag(key)
    }

    fn count(&mut self, table: &SpannedValue<'t>, key: &str) -> u8 {
        let Some((number, value)) = table.get(key).and_then(|value| Some((value.as_number()?, value))) else { return 0 };
        u8::try_from(number).unwrap_or_else(|_| {
            self.checker.mistake(&value.span, format!("`{key}` is not between 0 and 255"), "write the number of operands");
            0
        })
    }

    fn bytes(&mut self, table: &SpannedValue<'t>, key: &str) -> Option<u64> {
        let value = table.get(key)?;
        let number = value.as_number()?;
        u64::try_from(number).map_err(|_| self.checker.mistake(&value.span, format!("`{key}` is negative"), "write the number of bytes")).ok()
    }

    fn flags(&mut self, table: &SpannedValue<'t>, key: &str) -> Vec<(&'t str, Option<Pattern<'t>>)> {
        let mut flags = Vec::new();
        for text in table.texts(key) {
            let (name, value) = text.text.split_once('=').map_or((text.text, None), |(name, value)| (name, Some(value)));
            self.flag_name(&text, name, value.is_some());
            let value = value.and_then(|value| self.text(&SpannedText { text: value, span: text.span.clone() }));
            flags.push((name, value));
        }
        flags
    }

    fn bare_flags(&mut self, table: &SpannedValue<'t>, key: &str) -> Vec<&'t str> {
        let mut flags = Vec::new();
        for text in table.texts(key) {
            if text.text.contains('=') {
                self.checker.mistake(&text.span, format!("`{key}` does not allow a value"), "write only the name of the option");
            }
            self.flag_name(&text, text.text, false);
            flags.push(text.text);
        }
        flags
    }

    fn args(&mut self, table: &SpannedValue<'t>, key: &str) -> Vec<(&'t str, ValueTest<'t>)> {
        let mut args = Vec::new();
        for (pointer, value) in table.table(key).iter().flat_map(SpannedValue::entries) {
            if !pointer.text.starts_with('/') {
                let fix = format!("write `\"/{}\" = …`", pointer.text);
                self.checker.mistake(&pointer.span, format!("`{}` is not a JSON pointer", pointer.text), fix);
            }
            if let Some(test) = self.test(&value) {
                args.push((pointer.text, test));
            }
        }
        args
    }

    fn confidences(&mut self, table: &SpannedValue<'t>, key: &str) -> Vec<Confidence> {
        table.texts(key).iter().filter_map(|name| self.checker.named(name, Confidence::NAMES, "confidence")).collect()
    }

    fn tool_effects(&mut self, table: &SpannedValue<'t>, key: &str) -> Vec<ToolEffect> {
        table.texts(key).iter().filter_map(|name| self.checker.named(name, ToolEffect::NAMES, "effect of a tool")).collect()
    }

    fn push_kinds(&mut self, table: &SpannedValue<'t>, key: &str) -> Vec<PushKind> {
        table.texts(key).iter().filter_map(|kind| self.checker.named(kind, PushKind::NAMES, "kind of push")).collect()
    }
}

impl<'t> WhenReader<'_, 't, '_> {
    /// Globs, or regular expressions between slashes.
    fn text(&mut self, text: &SpannedText<'t>) -> Option<Pattern<'t>> {
        if text.text == PROTECTED {
            let fix = "use it in `refs`, `branch`, `arg`, `and_arg` or `no_arg`";
            self.checker.mistake(&text.span, format!("`{PROTECTED}` is not allowed here"), fix);
            return None;
        }
        let pattern = self.patterns.text(text.text);
        self.good(text, pattern)
    }

    /// The compiled pattern. `None`: it was reported as a mistake.
    fn good<T>(&mut self, text: &SpannedText, made: Result<T, PatternFault>) -> Option<T> {
        made.map_err(|fault| self.checker.mistake(&text.span, format!("bad pattern: {}", fault.what), fault.fix)).ok()
    }

    /// Checks the name of an option. Programs such as `dd` have options without dashes; these always have a value.
    fn flag_name(&mut self, text: &SpannedText, name: &str, valued: bool) {
        if name.is_empty() || name.contains(['*', '{', '[', ' ']) || !(valued || name.starts_with(['-', '+'])) {
            let what = format!("`{}` does not name an option", text.text);
            self.checker.mistake(&text.span, what, "write its name with its dashes: `--force`, `-f`, or `--name=GLOB` for its value");
        }
    }

    /// JSON pointers, and what must be there.
    fn test(&mut self, value: &SpannedValue<'t>) -> Option<ValueTest<'t>> {
        let written = match value.value {
            DeValue::String(text) => return self.text_test(&SpannedText { text, span: value.span.clone() }),
            DeValue::Integer(_) => value.as_number().map(|number| number.to_string()),
            DeValue::Float(number) => Some(number.as_str().to_owned()),
            DeValue::Boolean(flag) => Some(flag.to_string()),
            _ => None,
        };
        let Some(written) = written else {
            self.checker.mistake(&value.span, "a value of a call is not a text, a number or a boolean", "write a glob, `/regex/`, or `>5`");
            return None;
        };
        Some(ValueTest::Text(self.patterns.exactly(&written)))
    }

    fn text_test(&mut self, text: &SpannedText<'t>) -> Option<ValueTest<'t>> {
        let signs = [("<=", Comparison::AtMost), (">=", Comparison::AtLeast), ("<", Comparison::Less), (">", Comparison::More)];
        let Some((comparison, number)) = signs.iter().find_map(|(sign, comparison)| Some((*comparison, text.text.strip_prefix(sign)?))) else {
            return self.text(text).map(ValueTest::Text);
        };
        let number = number.trim();
        if !number.parse::<f64>().is_ok_and(f64::is_finite) {
            let what = format!("`{}` compares with something that is not a number", text.text);
            self.checker.mistake(&text.span, what, "write a decimal number; `\\<` for the sign itself");
            return None;
        }
        Some(ValueTest::Number(comparison, number))
    }
}
