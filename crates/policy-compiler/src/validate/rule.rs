//! Reads one rule or one waiver. Does not know other files.

use std::ops::Range;

use super::{example, layers::Head, when::WhenReader};
use crate::examples::{Example, Instead, RuleExamples};
use crate::schema::{SpannedText, SpannedValue};
use policy::matcher::text;
use policy::pattern::Pattern;
use policy::table::{Key, TableReader as _};
use policy::{Conditions, Layer, Rule, RunWhen, Tier, Waiver, When};

/// The longest name of a rule, in bytes.
const MAX_NAME: usize = 64;

/// A rule, its examples, and where its name is. `None` if too little of it is there; that has been reported then.
pub(super) fn rule<'t>(
    table: &SpannedValue<'t>,
    head: &Head<'t>,
    place: &'t str,
    reader: &mut WhenReader<'_, 't, '_>,
) -> Option<(Rule<'t>, RuleExamples, Range<usize>)> {
    let layer = head.document.layer;
    let tier = table.get("tier").and_then(|value| tier_of(&value, reader));
    let subject = subject(table, "a rule", reader);
    if let Some(open) = table.get("open")
        && layer > Layer::Organisation
    {
        let what = format!("`open` is not allowed in the {} layer", layer.name());
        reader.checker.mistake(&open.span, what, "remove it; only rules of the layers above need to be opened");
    }
    let tell = table.is("tell");
    if let Some(value) = table.get("tell").filter(|_| tell && tier.is_some_and(|tier| tier != Tier::Free)) {
        reader.checker.mistake(&value.span, "`tell` is only allowed at tier 1", "write `tier = 1`; other rules show their reason when they stop a call");
    }
    let source = sources(table, reader);
    let reason = prose(table, "reason", reader);
    let instead = prose(table, "instead", reader).map(|text| instead(&text, reader));
    let catches = examples(table, "catches", head, reader);
    let spares = examples(table, "spares", head, reader);
    let unsure = examples(table, "unsure", head, reader);
    let name = name(table, "rule", reader)?;

    let (reason, instead, tier, Subject { when, unless, conditions, for_agents }) = (reason?, instead?, tier?, subject?);
    let (Instead::Command(text) | Instead::Prose(text)) = &instead;
    let instead_text = reader.patterns.keep(text);
    let rule = Rule {
        name: name.text,
        pack: head.pack,
        place,
        layer,
        tier,
        shadow: false,
        open: table.is("open"),
        tell,
        when,
        unless,
        conditions,
        for_agents,
        meter: None,
        reason: reason.text,
        instead: instead_text,
    };
    let examples =
        RuleExamples { name: name.text.to_owned(), pack: head.pack.to_owned(), place: place.to_owned(), tier, source, instead, catches, spares, unsure };
    Some((rule, examples, name.span))
}

/// Which calls a rule, a limit or a cost speaks of.
pub(super) struct Subject<'t> {
    pub(super) when: When<'t>,
    pub(super) unless: Option<When<'t>>,
    pub(super) conditions: Conditions<'t>,
    pub(super) for_agents: Vec<Pattern<'t>>,
}

/// Reads which calls `of` speaks of. `None` if too little of it is there; that has been reported then.
pub(super) fn subject<'t>(table: &SpannedValue<'t>, of: &str, reader: &mut WhenReader<'_, 't, '_>) -> Option<Subject<'t>> {
    let when = kind(table, of, reader);
    let unless = table.get("unless").and_then(|value| {
        let (key, _) = when.as_ref()?;
        let kind = key.name;
        if let Some((named, _)) = value.as_tables().iter().flat_map(SpannedValue::entries).find(|(key, _)| key.text == kind) {
            let what = format!("`unless` names the kind `{kind}` again");
            reader.checker.mistake(&named.span, what, format!("write `unless = {{ … }}` with the keys of `{kind}`"));
            return None;
        }
        reader.checker.value(&value, &Key { name: "unless", ..**key });
        all_filled(&value.as_tables(), "unless", "it would exempt everything", reader);
        let unless = self::when(kind, &value.as_tables(), reader)?;
        if let (Some((_, When::Run(when))), When::Run(tables)) = (&when, &unless) {
            never_holds(when, tables, &value, reader);
        }
        Some(unless)
    });
    let conditions = table.table("where").map_or_else(Conditions::default, |table| Conditions::read(reader, &table));
    let for_agents = reader.texts(table, "for_agents");
    Some(Subject { when: when?.1, unless, conditions, for_agents })
}

/// The name of a rule or of something that is named like one.
pub(super) fn name<'t>(table: &SpannedValue<'t>, of: &str, reader: &mut WhenReader) -> Option<SpannedText<'t>> {
    let name = prose(table, "name", reader)?;
    if !is_kebab(name.text) {
        reader.checker.mistake(&name.span, format!("`{}` is not a name for a {of}", name.text), "write lower-case words joined by dashes: `force-push`");
    }
    Some(name)
}

/// A waiver, and where its rule is named.
pub(super) fn waiver<'t>(table: &SpannedValue<'t>, layer: Layer, place: &'t str, reader: &mut WhenReader<'_, 't, '_>) -> Option<(Waiver<'t>, Range<usize>)> {
    // Where a waiver might not be, what it says does not matter.
    let when = if matches!(layer, Layer::User | Layer::Project) { kind(table, "a waiver", reader) } else { None };
    if let Some((key, _)) = &when {
        all_filled(&table.tables(key.name), key.name, "it would waive everything", reader);
    }
    let reason = prose(table, "reason", reader);
    let rule = table.text("rule")?;
    if !matches!(layer, Layer::User | Layer::Project) {
        let waiver = Waiver { rule: rule.text, when: When::Run(Vec::new()), reason: "", until: 0, place };
        return Some((waiver, rule.span));
    }
    let until = table.get("until")?.as_day()?;
    Some((Waiver { rule: rule.text, when: when?.1, reason: reason?.text, until, place }, rule.span))
}

pub(super) fn tier_of(value: &SpannedValue, reader: &mut WhenReader) -> Option<Tier> {
    let number = value.as_number()?;
    let tier = [Tier::Free, Tier::Metered, Tier::Supervised, Tier::Prohibited].into_iter().find(|tier| *tier as i64 == number);
    if tier.is_none() {
        let fix = "1 free, 2 metered, 3 supervised (a person approves), 4 prohibited";
        reader.checker.mistake(&value.span, format!("there is no tier {number}"), fix);
    }
    tier
}

/// The only *when* of a table, and its kind.
fn kind<'t>(table: &SpannedValue<'t>, of: &str, reader: &mut WhenReader<'_, 't, '_>) -> Option<(&'static Key, When<'t>)> {
    let of_name = |name: SpannedText<'t>| When::KINDS.iter().find(|kind| kind.name == name.text).map(|kind| (name, kind));
    let given: Vec<(SpannedText, &'static Key)> = table.entries().into_iter().filter_map(|(name, _)| of_name(name)).collect();
    match given.as_slice() {
        [] => {
            let names: Vec<String> = When::KINDS.iter().map(|kind| format!("`{}`", kind.name)).collect();
            reader.checker.mistake(&table.span, format!("{of} does not say which actions it matches"), format!("add one of {}", names.join(", ")));
            None
        }
        [(_, kind)] => when(kind.name, &table.tables(kind.name), reader).map(|when| (*kind, when)),
        [(_, first), rest @ ..] => {
            for (key, kind) in rest {
                let what = format!("`{}` and `{}` are in one rule", kind.name, first.name);
                reader.checker.mistake(&key.span, what, format!("{of} matches one kind of action; split it"));
            }
            None
        }
    }
}

fn when<'t>(kind: &str, tables: &[SpannedValue<'t>], reader: &mut WhenReader<'_, 't, '_>) -> Option<When<'t>> {
    for unless in tables.iter().filter(|table| kind == "write" && table.get("adds").is_none()).filter_map(|table| table.get("unless")) {
        reader.checker.mistake(&unless.span, "`unless` without `adds`", "`unless` exempts lines that `adds` matched; add `adds`");
    }
    When::read(reader, kind, tables)
}

/// Reports an `unless` that can never hold: its `arg` must match every operand, and the rule matches only if another one is
/// given.
fn never_holds(when: &[RunWhen], unless: &[RunWhen], value: &SpannedValue, reader: &mut WhenReader) {
    let plain = |patterns: &[Pattern]| !patterns.is_empty() && patterns.iter().all(|pattern| pattern.literal().is_some_and(|text| !text.contains('/')));
    let other = |patterns: &[Pattern], exempt: &RunWhen| {
        let exempts = |text: &str| exempt.arg.iter().any(|pattern| text::text(pattern, text));
        !patterns.is_empty() && patterns.iter().all(|pattern| pattern.literal().is_some_and(|text| !exempts(text)))
    };
    for (exempt, table) in unless.iter().zip(value.as_tables()).filter(|(exempt, _)| !exempt.arg.is_empty()) {
        let more = |rule: &RunWhen| other(&rule.arg, exempt) || other(&rule.verb, exempt) || (rule.min_args > 1 && plain(&exempt.arg));
        if !when.is_empty() && when.iter().all(more) {
            let what = "`unless` can never hold: its `arg` must match every operand, and the rule needs one that it does not match";
            reader.checker.mistake(&table.span, what, "write `verb` if only the first operand is meant, or `no_arg` in the rule");
        }
    }
}

/// An exception without any key would apply to everything.
fn all_filled(tables: &[SpannedValue], name: &str, danger: &str, reader: &mut WhenReader) {
    for table in tables.iter().filter(|table| table.entries().is_empty()) {
        reader.checker.mistake(&table.span, format!("`{name}` is empty"), format!("{danger}; write what it should match"));
    }
}

/// A text that is shown to people, so it must not steer their terminal.
pub(super) fn prose<'t>(table: &SpannedValue<'t>, key: &str, reader: &mut WhenReader) -> Option<SpannedText<'t>> {
    let text = table.text(key)?;
    if text.text.chars().any(|sign| sign.is_control() && sign != '\n' && sign != '\t') {
        reader.checker.mistake(&text.span, format!("`{key}` contains control characters"), "remove them, because terminals would act on them");
    }
    Some(text)
}

/// The ids in `source`. A broken one would never be found under its document.
fn sources(table: &SpannedValue, reader: &mut WhenReader) -> Vec<String> {
    let ids = table.texts("source");
    for id in &ids {
        let plain = |part: &str| !part.is_empty() && part.chars().all(|sign| sign.is_alphanumeric() || "._-/".contains(sign));
        if !id.text.split_once(':').is_some_and(|(document, sentence)| plain(document) && plain(sentence)) {
            reader.checker.mistake(
                &id.span,
                format!("`{}` names no sentence of a document", id.text.escape_debug()),
                "write `DOCUMENT:ID`, for example `handbook:4.2`",
            );
        }
    }
    ids.iter().map(|id| id.text.to_owned()).collect()
}

/// `$ ` marks a command.
fn instead(text: &SpannedText, reader: &mut WhenReader) -> Instead {
    let Some(command) = text.text.strip_prefix("$ ") else { return Instead::Prose(text.text.to_owned()) };
    if command.trim().is_empty() {
        reader.checker.mistake(&text.span, "`instead` has the mark of a command and no command", "write the command after `$ `");
    }
    Instead::Command(command.trim().to_owned())
}

fn examples(table: &SpannedValue, key: &str, head: &Head, reader: &mut WhenReader) -> Vec<Example> {
    let Some(value) = table.get(key) else { return Vec::new() };
    let elements = value.elements();
    if elements.is_empty() {
        reader.checker.mistake(&value.span, format!("`{key}` is empty"), "give at least one example");
    }
    elements.iter().filter_map(|element| example::example(element, key, head.document, reader.checker)).collect()
}

fn is_kebab(name: &str) -> bool {
    let word = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    name.len() <= MAX_NAME && name.split('-').all(word) && name.starts_with(|first: char| first.is_ascii_lowercase())
}
