//! The tables of a *when*, from written to meant. Knows not whose they are.

use toml::de::DeValue;

use crate::action::PushKind;
use crate::policy::compile::pattern::{Fault, Patterns};
use crate::policy::mistake::suggestion;
use crate::policy::pattern::{PathPattern, Pattern};
use crate::policy::schema::{Checker, Text, Value, View};
use crate::policy::{CallWhen, Comparison, Conditions, FetchWhen, FileWhen, OpaqueWhen, PushWhen, RunWhen, SpawnWhen, ValueTest, When};

/// Stands for the names of all protected branches.
const PROTECTED: &str = "<protected>";

/// The kinds of push by their names.
pub(super) const PUSH_KINDS: &[(&str, PushKind)] =
    &[("create", PushKind::Create), ("fast-forward", PushKind::FastForward), ("non-fast-forward", PushKind::NonFastForward), ("delete", PushKind::Delete)];

/// What reading tables needs.
pub(super) struct Reader<'r, 't, 'p> {
    pub(super) checker: &'r mut Checker<'p>,
    pub(super) patterns: &'r mut Patterns<'t>,
    /// Protected branches of all layers.
    pub(super) protected: &'r [Pattern<'t>],
}

impl<'t> Reader<'_, 't, '_> {
    /// Tables of one kind. None if there is no such kind.
    pub(super) fn when(&mut self, kind: &str, tables: &[View<'t>]) -> Option<When<'t>> {
        Some(match kind {
            "run" => When::Run(tables.iter().map(|table| self.run(table)).collect()),
            "write" => When::Write(tables.iter().map(|table| self.file(table)).collect()),
            "delete" => When::Delete(tables.iter().map(|table| self.file(table)).collect()),
            "read" => When::Read(tables.iter().map(|table| self.file(table)).collect()),
            "fetch" => When::Fetch(tables.iter().map(|table| self.fetch(table)).collect()),
            "call" => When::Call(tables.iter().map(|table| self.call(table)).collect()),
            "spawn" => When::Spawn(tables.iter().map(|table| self.spawn(table)).collect()),
            "push" => When::Push(tables.iter().map(|table| self.push(table)).collect()),
            "opaque" => When::Opaque(tables.iter().map(|table| OpaqueWhen { why: self.contents(table, "why") }).collect()),
            _ => return None,
        })
    }

    /// `where`.
    pub(super) fn conditions(&mut self, table: &View<'t>) -> Conditions<'t> {
        Conditions {
            branch: self.texts_with_protected(table, "branch"),
            protected_branch: table.flag("protected_branch"),
            dirty: table.flag("dirty"),
            agent: self.texts(table, "agent"),
            mode: self.texts(table, "mode"),
        }
    }

    /// Globs, or regular expressions between slashes.
    pub(super) fn texts(&mut self, table: &View<'t>, key: &str) -> Vec<Pattern<'t>> {
        table.texts(key).iter().filter_map(|text| self.text(text)).collect()
    }

    fn text(&mut self, text: &Text<'t>) -> Option<Pattern<'t>> {
        if text.text == PROTECTED {
            let mend = "it stands in `refs`, `branch`, `arg`, `and_arg` and `no_arg`";
            self.checker.mistake(&text.span, format!("`{PROTECTED}` does not stand here"), mend);
            return None;
        }
        let pattern = self.patterns.text(text.text);
        self.good(text, pattern)
    }

    fn texts_with_protected(&mut self, table: &View<'t>, key: &str) -> Vec<Pattern<'t>> {
        let mut all = Vec::new();
        for text in table.texts(key) {
            if text.text != PROTECTED {
                all.extend(self.text(&text));
            } else if self.protected.is_empty() {
                // An empty list would not be asked, and so would hold for everything.
                all.push(self.patterns.never(PROTECTED));
            } else {
                all.extend_from_slice(self.protected);
            }
        }
        all
    }

    /// Regular expressions over content.
    fn contents(&mut self, table: &View<'t>, key: &str) -> Vec<Pattern<'t>> {
        let mut all = Vec::new();
        for text in table.texts(key) {
            let pattern = self.patterns.content(text.text);
            all.extend(self.good(&text, pattern));
        }
        all
    }

    fn paths(&mut self, table: &View<'t>, key: &str) -> Vec<PathPattern<'t>> {
        let mut all = Vec::new();
        for text in table.texts(key) {
            let patterns = self.patterns.path(text.text);
            all.extend(self.good(&text, patterns).into_iter().flatten());
        }
        all
    }

    fn good<T>(&mut self, text: &Text, made: Result<T, Fault>) -> Option<T> {
        made.map_err(|fault| self.checker.mistake(&text.span, format!("bad pattern: {}", fault.what), fault.mend)).ok()
    }

    fn run(&mut self, table: &View<'t>) -> RunWhen<'t> {
        let min_args = table.get("min_args").and_then(|value| {
            let number = u8::try_from(value.number()?);
            if number.is_err() {
                self.checker.mistake(&value.span, "`min_args` is not between 0 and 255", "write how many operands there must be");
            }
            number.ok()
        });
        RunWhen {
            program: self.texts(table, "program"),
            subcommand: self.texts(table, "subcommand"),
            any_flag: self.flags(table, "any_flag"),
            all_flags: self.flags(table, "all_flags"),
            no_flag: self.bare_flags(table),
            arg: self.texts_with_protected(table, "arg"),
            and_arg: self.texts_with_protected(table, "and_arg"),
            no_arg: self.texts_with_protected(table, "no_arg"),
            min_args: min_args.unwrap_or(0),
            env: self.texts(table, "env"),
            stdin_from: self.texts(table, "stdin_from"),
        }
    }

    /// `--force`, `--exec=GLOB`
    fn flags(&mut self, table: &View<'t>, key: &str) -> Vec<(&'t str, Option<Pattern<'t>>)> {
        let mut flags = Vec::new();
        for text in table.texts(key) {
            let (name, value) = text.text.split_once('=').map_or((text.text, None), |(name, value)| (name, Some(value)));
            self.flag_name(&text, name, value.is_some());
            let value = value.and_then(|value| self.text(&Text { text: value, span: text.span.clone() }));
            flags.push((name, value));
        }
        flags
    }

    fn bare_flags(&mut self, table: &View<'t>) -> Vec<&'t str> {
        let mut flags = Vec::new();
        for text in table.texts("no_flag") {
            if text.text.contains('=') {
                self.checker.mistake(&text.span, "`no_flag` asks for a value", "write the option's name alone");
            }
            self.flag_name(&text, text.text, false);
            flags.push(text.text);
        }
        flags
    }

    /// Programs such as `dd` have options without dashes; these always have a value.
    fn flag_name(&mut self, text: &Text, name: &str, valued: bool) {
        if name.is_empty() || name.contains(['*', '{', '[', ' ']) || !(valued || name.starts_with(['-', '+'])) {
            self.checker.mistake(
                &text.span,
                format!("`{}` does not name an option", text.text),
                "write its name with its dashes: `--force`, `-f`, or `--name=GLOB` for its value",
            );
        }
    }

    fn file(&mut self, table: &View<'t>) -> FileWhen<'t> {
        if let (Some(unless), None) = (table.get("unless"), table.get("adds")) {
            self.checker.mistake(&unless.span, "`unless` without `adds`", "it spares lines that `adds` found");
        }
        FileWhen {
            path: self.paths(table, "path"),
            new: table.flag("new"),
            adds: self.contents(table, "adds"),
            unless: self.contents(table, "unless"),
            outside_repo: table.flag("outside_repo"),
            recursive: table.flag("recursive"),
            moved: table.flag("moved"),
            loses_gate: table.flag("loses_gate"),
            weakens_policy: table.flag("weakens_policy"),
        }
    }

    fn fetch(&mut self, table: &View<'t>) -> FetchWhen<'t> {
        FetchWhen { host: self.texts(table, "host"), url: self.texts(table, "url"), method: self.texts(table, "method") }
    }

    fn call(&mut self, table: &View<'t>) -> CallWhen<'t> {
        let mut args = Vec::new();
        for (pointer, value) in table.table("args").iter().flat_map(View::entries) {
            if !pointer.text.starts_with('/') {
                let mend = format!("write `\"/{}\" = …`", pointer.text);
                self.checker.mistake(&pointer.span, format!("`{}` is not a JSON pointer", pointer.text), mend);
            }
            if let Some(test) = self.test(&value) {
                args.push((pointer.text, test));
            }
        }
        CallWhen { tool: self.texts(table, "tool"), args }
    }

    fn test(&mut self, value: &Value<'t>) -> Option<ValueTest<'t>> {
        let written = match value.value {
            DeValue::String(text) => return self.text_test(&Text { text, span: value.span.clone() }),
            DeValue::Integer(_) => value.number().map(|number| number.to_string()),
            DeValue::Float(number) => Some(number.as_str().to_owned()),
            DeValue::Boolean(flag) => Some(flag.to_string()),
            _ => None,
        };
        let Some(written) = written else {
            self.checker.mistake(&value.span, "a value of a call is neither text, number nor boolean", "write a glob, `/regex/`, or `>5`");
            return None;
        };
        Some(ValueTest::Text(self.patterns.exactly(&written)))
    }

    fn text_test(&mut self, text: &Text<'t>) -> Option<ValueTest<'t>> {
        let signs = [("<=", Comparison::AtMost), (">=", Comparison::AtLeast), ("<", Comparison::Less), (">", Comparison::More)];
        let Some((comparison, number)) = signs.iter().find_map(|(sign, comparison)| Some((*comparison, text.text.strip_prefix(sign)?))) else {
            return self.text(text).map(ValueTest::Text);
        };
        let number = number.trim();
        if !number.parse::<f64>().is_ok_and(f64::is_finite) {
            self.checker.mistake(
                &text.span,
                format!("`{}` compares with what is not a number", text.text),
                "write a decimal number; `\\<` for the sign itself",
            );
            return None;
        }
        Some(ValueTest::Number(comparison, number))
    }

    fn spawn(&mut self, table: &View<'t>) -> SpawnWhen<'t> {
        SpawnWhen { agent: self.texts(table, "agent"), prompt: self.contents(table, "prompt") }
    }

    fn push(&mut self, table: &View<'t>) -> PushWhen<'t> {
        let kinds = table.texts("kind");
        PushWhen {
            refs: self.texts_with_protected(table, "refs"),
            remote: self.texts(table, "remote"),
            kind: kinds.iter().filter_map(|kind| push_kind(kind, self.checker)).collect(),
        }
    }
}

/// A kind of push by its name.
pub(super) fn push_kind(text: &Text, checker: &mut Checker) -> Option<PushKind> {
    let found = PUSH_KINDS.iter().find(|(name, _)| *name == text.text);
    if found.is_none() {
        let mend = suggestion(text.text, PUSH_KINDS.iter().map(|(name, _)| *name));
        checker.mistake(&text.span, format!("unknown kind of push `{}`", text.text), mend);
    }
    found.map(|(_, kind)| *kind)
}
