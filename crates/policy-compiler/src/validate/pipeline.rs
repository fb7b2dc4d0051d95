//! Reads `[pipeline]` and `[[gate]]`. A moment before which a gate is, and each way into a phase, become rules of tier 2 that
//! only say which calls the gate speaks of. Every layer may add gates: each only tightens.

use std::sync::LazyLock;

use toml::de::{DeTable, DeValue};

use super::layers::Head;
use super::rule::{Subject, name, prose, subject, tier_of};
use super::when::WhenReader;
use super::{Named, PolicyMistake};
use crate::schema::{SpannedText, SpannedValue};
use policy::pipeline::{BEFORE_DEPLOY, BEFORE_PHASE, BEFORE_STOP, DONE};
use policy::table::TableReader as _;
use policy::{Autonomy, Conditions, FileWhen, Gate, GateNeed, Layer, Meter, NeedKind, Pipeline, Rule, SpawnWhen, Tier, When};

/// The moments that are known without a *when* of the gate's own.
static MOMENTS: LazyLock<DeValue<'static>> =
    LazyLock::new(|| DeTable::parse(include_str!("moments.toml")).map_or(DeValue::Boolean(false), |table| DeValue::Table(table.into_inner())));
/// The name of the rules that lead into phases.
const PHASES: &str = "phases";
/// Keys that belong to some kinds of need, and the kinds.
const BESIDE: &[(&str, &[NeedKind])] = &[("since", &[NeedKind::Command, NeedKind::Touched]), ("by", &[NeedKind::Checklist]), ("boxes", &[NeedKind::Checklist])];
/// How far an estimate may be passed where it does not say.
const WITHIN: u32 = 150;
/// The largest number of lines, boxes or phases.
const MOST: i64 = 1_000_000;

/// What the layers say of the pipeline.
#[derive(Default)]
pub(super) struct Phases<'t> {
    section: Option<Pipeline<'t>>,
    rules: Vec<Rule<'t>>,
    /// The strictest autonomy so far, and where it is set.
    autonomy: Option<(Autonomy, &'t str)>,
}

impl<'t> Phases<'t> {
    /// Reads the section of one more layer, upper layers first.
    pub(super) fn read(&mut self, head: &Head<'t>, shadow: bool, reader: &mut WhenReader<'_, 't, '_>) {
        let Some(table) = head.document.view().table("pipeline") else { return };
        let place = reader.patterns.keep(&head.document.place(&table.span));
        let trusted = matches!(head.document.layer, Layer::Organisation | Layer::User);
        if let Some(text) = table.text("autonomy")
            && let Some(autonomy) = reader.checker.named(&text, Autonomy::NAMES, "autonomy")
        {
            if autonomy > Autonomy::Supervised && !trusted {
                let what = format!("`autonomy = \"{}\"` is not allowed in the {} layer", autonomy.name(), head.document.layer.name());
                reader.checker.mistake(&text.span, what, "remove it; only the organisation's and the user's policy may give an agent more autonomy");
            }
            if self.autonomy.is_none_or(|(known, _)| autonomy < known) {
                self.autonomy = Some((autonomy, reader.patterns.keep(&head.document.place(&text.span))));
            }
        }
        if let Some(value) = table.get("batch").filter(|value| !trusted && value.as_number().is_some_and(|number| number > 1)) {
            let what = format!("`batch` is not allowed in the {} layer", head.document.layer.name());
            reader.checker.mistake(&value.span, what, "remove it; only the organisation's and the user's policy may let an agent enter several phases");
        }
        let batch = number(&table, "batch", 1, reader).unwrap_or(1);
        if let Some(upper) = &mut self.section {
            for (key, _) in table.entries().iter().filter(|(key, _)| !["autonomy", "batch"].contains(&key.text)) {
                let what = format!("`{}` is not allowed here, because the {} layer has the phases", key.text, upper.layer.name());
                reader.checker.mistake(&key.span, what, "remove it; a lower layer may only set a stricter `autonomy`");
            }
            return;
        }
        let phases = phases(&table, reader);
        if phases.is_empty() {
            for (key, _) in table.entries().iter().filter(|(key, _)| !["autonomy", "batch", "phases"].contains(&key.text)) {
                reader.checker.mistake(&key.span, format!("`{}` without `phases`", key.text), "add `phases = [\"…\"]`, or remove it");
            }
            return;
        }
        let known = |text: &SpannedText, reader: &mut WhenReader| {
            if !phases.contains(&text.text) {
                let fix = crate::mistake::suggestion(text.text, phases.iter().copied());
                reader.checker.mistake(&text.span, format!("unknown phase `{}`", text.text), fix);
            }
        };
        let mut agents = Vec::new();
        for (phase, _) in table.table("agents").iter().flat_map(SpannedValue::entries) {
            known(&phase, reader);
            let patterns = table.table("agents").map(|agents| reader.texts(&agents, phase.text)).unwrap_or_default();
            let when = When::Spawn(vec![SpawnWhen { agent: patterns.clone(), ..SpawnWhen::default() }]);
            self.rules.push(speaks((PHASES, place), when, head, shadow, Meter::Phase(phase.text)));
            agents.push((phase.text, patterns));
        }
        let mut retries = Vec::new();
        for (phase, value) in table.table("retries").iter().flat_map(SpannedValue::entries) {
            known(&phase, reader);
            match value.as_number().and_then(|number| u16::try_from(number).ok()) {
                Some(number) => retries.push((phase.text, number)),
                None => reader.checker.mistake(&value.span, format!("`{}` is no number of retries", phase.text), "write a number from 0 on"),
            }
        }
        let mut marker = "";
        if let Some(text) = table.text("marker") {
            super::section::inside(&text, reader);
            marker = text.text;
            let when = When::Write(vec![FileWhen { path: reader.paths(&table, "marker"), ..FileWhen::default() }]);
            self.rules.push(speaks((PHASES, place), when, head, shadow, Meter::Phase("")));
        }
        self.section = Some(Pipeline {
            place,
            layer: head.document.layer,
            shadow,
            phases,
            autonomy: Autonomy::Supervised,
            autonomy_place: "",
            agents,
            marker,
            retries,
            batch: u16::try_from(batch).unwrap_or(u16::MAX),
        });
    }

    /// What the layers say together.
    pub(super) fn done(self) -> (Option<Pipeline<'t>>, Vec<Rule<'t>>) {
        let (autonomy, autonomy_place) = self.autonomy.unwrap_or((Autonomy::Supervised, ""));
        (self.section.map(|section| Pipeline { autonomy, autonomy_place, ..section }), self.rules)
    }
}

fn phases<'t>(table: &SpannedValue<'t>, reader: &mut WhenReader) -> Vec<&'t str> {
    let mut phases: Vec<&str> = Vec::new();
    for phase in table.texts("phases") {
        let plain = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if !plain(phase.text) || phase.text == DONE {
            reader.checker.mistake(
                &phase.span,
                format!("`{}` is not a name for a phase", phase.text.escape_debug()),
                "write lower-case words joined by dashes, and not `done`",
            );
        } else if phases.contains(&phase.text) {
            reader.checker.mistake(&phase.span, format!("the phase `{}` is named twice", phase.text), "give each phase a name of its own");
        } else {
            phases.push(phase.text);
        }
    }
    phases
}

/// Reads a gate, and the rules that say of which calls it speaks.
pub(super) fn gate<'t>(
    table: &SpannedValue<'t>,
    head: &Head<'t>,
    (place, shadow): (&'t str, bool),
    reader: &mut WhenReader<'_, 't, '_>,
) -> Option<(Gate<'t>, Vec<Rule<'t>>)> {
    let tier = match table.get("tier") {
        None => Some(Tier::Prohibited),
        Some(value) => tier_of(&value, reader).inspect(|tier| {
            if *tier < Tier::Supervised {
                reader.checker.mistake(&value.span, "a gate of this tier stops nothing", "write 3 (a person decides) or 4 (denied)");
            }
        }),
    };
    let needs: Vec<GateNeed> = table.tables("needs").iter().flat_map(|needs| self::needs(needs, reader)).collect();
    let for_agents = reader.texts(table, "for_agents");
    let conditions = table.table("where").map_or_else(Conditions::default, |table| Conditions::read(reader, &table));
    let reason = prose(table, "reason", reader).map_or("", |text| text.text);
    let instead = prose(table, "instead", reader).map_or("", |text| text.text);
    let name = name(table, "gate", reader)?;
    let moments = SpannedValue { value: &MOMENTS, span: table.span.clone() }.tables("moment");
    let mut rules: Vec<Rule> = Vec::new();
    let mut before = Vec::new();
    let named = table.texts("before");
    let own = When::KINDS.iter().any(|kind| table.get(kind.name).is_some());
    if own && !named.iter().any(|moment| moment.text == BEFORE_DEPLOY) {
        reader.checker.mistake(&table.span, "the gate says which actions it is before, and has no `deploy` in `before`", "add \"deploy\" to `before`");
    }
    for moment in named {
        let mut add = |subject: Subject<'t>, before: &'t str| {
            let Subject { when, unless, conditions: own, .. } = subject;
            let conditions = if own == Conditions::default() { conditions.clone() } else { own };
            let rule = speaks((name.text, place), when, head, shadow, Meter::Gate(before));
            rules.push(Rule { unless, conditions, for_agents: for_agents.clone(), ..rule });
        };
        match moment.text {
            BEFORE_STOP => {}
            text if text.starts_with(BEFORE_PHASE) => {}
            BEFORE_DEPLOY => {
                if let Some(subject) = subject(table, "a gate before `deploy`", reader) {
                    add(subject, BEFORE_DEPLOY);
                }
            }
            text => {
                let rows: Vec<&SpannedValue> = moments.iter().filter(|row| row.word("name") == text).collect();
                if rows.is_empty() {
                    let all = moments.iter().map(|row| row.word("name")).chain([BEFORE_STOP, BEFORE_DEPLOY]);
                    let fix = crate::mistake::suggestion(text, all.collect::<Vec<_>>());
                    reader.checker.mistake(&moment.span, format!("unknown moment `{}`", text.escape_debug()), fix);
                }
                for row in rows {
                    if let Some(subject) = subject(row, "a moment", reader) {
                        add(subject, text);
                    }
                }
            }
        }
        before.push(moment.text);
    }
    Some((Gate { name: name.text, place, layer: head.document.layer, shadow, before, needs, tier: tier?, for_agents, reason, instead }, rules))
}

/// A rule that says only of which calls a gate or a phase speaks.
fn speaks<'t>((name, place): (&'t str, &'t str), when: When<'t>, head: &Head<'t>, shadow: bool, meter: Meter<'t>) -> Rule<'t> {
    Rule {
        name,
        pack: head.pack,
        place,
        layer: head.document.layer,
        tier: Tier::Metered,
        shadow,
        open: false,
        tell: false,
        when,
        unless: None,
        conditions: Conditions::default(),
        for_agents: Vec::new(),
        meter: Some(meter),
        reason: "",
        instead: "",
    }
}

/// What a table of `needs` asks for: one need for each kind in it.
fn needs<'t>(table: &SpannedValue<'t>, reader: &mut WhenReader<'_, 't, '_>) -> Vec<GateNeed<'t>> {
    let mut found = Vec::new();
    let in_phase = table.text("since").and_then(|since| reader.checker.named(&since, &[("last-write", false), ("phase", true)], "value of `since`"));
    let blank = |kind| GateNeed { kind, text: "", says: "", paths: Vec::new(), by: Vec::new(), number: 0, within: 0, in_phase: false };
    for (name, kind) in NeedKind::NAMES {
        let Some(value) = table.get(name) else { continue };
        let need = blank(*kind);
        let inner = |reader: &mut WhenReader<'_, 't, '_>| GateNeed { by: reader.texts(&value, "by"), paths: paths(&value, "paths", reader), ..need.clone() };
        found.extend(match kind {
            NeedKind::Command => value.as_text().map(|text| GateNeed { text: text.text, in_phase: in_phase == Some(true), ..need }),
            NeedKind::Tests => {
                let text = value.as_text();
                text.and_then(|text| reader.checker.named(&text, &[("red", "red"), ("green", "green")], "state of tests")).map(|text| GateNeed { text, ..need })
            }
            NeedKind::Touched | NeedKind::Exists => Some(GateNeed { paths: paths(table, name, reader), in_phase: in_phase == Some(true), ..need }),
            NeedKind::Documents | NeedKind::Imports => {
                if !table.is(name) {
                    reader.checker.mistake(&value.span, format!("`{name}` is not `true`"), "write `true`, or remove it");
                }
                Some(need)
            }
            NeedKind::Checklist => value.as_text().map(|text| {
                super::section::inside(&text, reader);
                GateNeed { text: text.text, by: reader.texts(table, "by"), number: self::number(table, "boxes", 1, reader).unwrap_or(1), ..need }
            }),
            NeedKind::Verdict => file(&value, "file", reader).map(|text| GateNeed { text, says: value.word("says"), ..inner(reader) }),
            NeedKind::Coverage => file(&value, "report", reader).map(|text| GateNeed {
                text,
                number: self::number(&value, "at_least", 0, reader).unwrap_or(0).min(100),
                ..inner(reader)
            }),
            NeedKind::Estimate => {
                let within = value.get("within").map(|within| (within.as_decimal(), within));
                let within = match within {
                    None => WITHIN,
                    Some((Some(share), within)) if !(1.0..=100.0).contains(&share) => {
                        reader.checker.mistake(&within.span, "`within` is no factor", "write a number from 1 to 100, like 1.5");
                        WITHIN
                    }
                    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is in range")]
                    Some((Some(share), _)) => (share * 100.0).round() as u32,
                    Some((None, within)) => {
                        reader.checker.mistake(&within.span, "`within` is no factor", "write a number from 1 to 100, like 1.5");
                        WITHIN
                    }
                };
                Some(GateNeed { number: self::number(&value, "lines", 1, reader).unwrap_or(1), within, ..inner(reader) })
            }
        });
    }
    for (key, kinds) in BESIDE {
        if let Some(value) = table.get(key)
            && !kinds.iter().any(|kind| table.get(kind.name()).is_some())
        {
            let kinds: Vec<String> = kinds.iter().map(|kind| format!("`{}`", kind.name())).collect();
            reader.checker.mistake(&value.span, format!("`{key}` without {}", kinds.join(" or ")), "remove it");
        }
    }
    if found.is_empty() {
        let kinds: Vec<String> = NeedKind::NAMES.iter().map(|(name, _)| format!("`{name}`")).collect();
        reader.checker.mistake(&table.span, "`needs` asks for nothing", format!("add one of {}", kinds.join(", ")));
    }
    found
}

fn file<'t>(table: &SpannedValue<'t>, key: &str, reader: &mut WhenReader) -> Option<&'t str> {
    let text = table.text(key)?;
    super::section::inside(&text, reader);
    Some(text.text)
}

/// Globs from the root of the repository.
fn paths<'t>(table: &SpannedValue<'t>, key: &str, reader: &mut WhenReader) -> Vec<&'t str> {
    let texts = table.texts(key);
    for text in &texts {
        super::section::inside(text, reader);
    }
    texts.iter().map(|text| text.text).collect()
}

fn number(table: &SpannedValue, key: &str, least: i64, reader: &mut WhenReader) -> Option<u32> {
    let value = table.get(key)?;
    let number = value.as_number()?;
    if !(least..=MOST).contains(&number) {
        reader.checker.mistake(&value.span, format!("`{key}` is {number}"), format!("write a number from {least} to {MOST}"));
    }
    u32::try_from(number).ok()
}

/// Reports gates of one name, gates that are called like a rule or a limit, and phases that the pipeline does not have.
pub(super) fn checked(gates: &[Named<Gate>], named: &[Named<Rule>], pipeline: Option<&Pipeline>, mistakes: &mut Vec<PolicyMistake>) {
    for (at, gate) in gates.iter().enumerate() {
        let name = gate.it.name;
        let twins = gates.iter().take(at).filter(|other| other.it.name == name);
        // The same project in two work trees: each may hold another version of its policy, and both hold.
        let again = |other: &Named<Gate>| gate.it.layer == Layer::Project && other.it.layer == Layer::Project && !std::ptr::eq(gate.document, other.document);
        let first = twins.filter(|other| !again(other)).map(|other| other.it.place).next();
        let taken = first.or_else(|| named.iter().find(|rule| rule.it.name == name).map(|rule| rule.it.place));
        let mut checker = gate.document.checker(mistakes);
        if let Some(first) = taken {
            checker.mistake(&gate.span, format!("the name `{name}` is taken: {first} has it too"), "give the gate another name");
        }
        for phase in gate.it.before.iter().filter_map(|before| before.strip_prefix(BEFORE_PHASE)) {
            if pipeline.is_none_or(|pipeline| phase.is_empty() || pipeline.position(phase).is_none()) {
                let known = pipeline.iter().flat_map(|pipeline| pipeline.phases.iter().copied()).chain([DONE]);
                let fix = crate::mistake::suggestion(phase, known.collect::<Vec<_>>());
                checker.mistake(&gate.span, format!("the gate `{name}` is before the unknown phase `{}`", phase.escape_debug()), fix);
            }
        }
    }
}
