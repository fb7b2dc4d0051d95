//! Reads the sections of all layers. The uppermost layer owns a section; lower layers only make it stricter.

use super::{layers::Head, when::WhenReader};
use crate::schema::{SpannedText, SpannedValue};
use policy::{Exempt, Flywheel, Layer, OwnLayout, Pair, Red, TestsFirst, Tier};
use tests_first::layout::Catalogue;

/// Keys that only the layer which owns the section may have: they take from what is judged, or choose it.
const OWNERS: &[&str] = &["layouts", "layout", "exempt", "only", "reports"];
/// What a variable of a template may be.
const UNITS: &[(&str, &str)] = &[("file", "file"), ("folder", "folder"), ("module", "module")];

/// Reads the section of one more layer into what the layers above it say.
pub(super) fn tests_first<'t>(known: Option<TestsFirst<'t>>, head: &Head<'t>, shadow: bool, reader: &mut WhenReader<'_, 't, '_>) -> Option<TestsFirst<'t>> {
    let Some(table) = head.document.view().table("tests-first") else { return known };
    let weakening = tier(&table, "weakening", reader).unwrap_or(Tier::Supervised);
    let tier = tier(&table, "tier", reader);
    let red = table.text("red").and_then(|red| reader.checker.named(&red, Red::NAMES, "value of `red`")).unwrap_or(Red::Off);
    let strict = table.is("strict");
    if let Some(upper) = known {
        owned(&table, "tests-first", upper.layer, |key| OWNERS.contains(&key), "raise `tier`, `weakening`, `red` and `strict`", reader);
        let rank = |red: Red| Red::NAMES.iter().position(|(_, known)| *known == red);
        let red = if rank(red) > rank(upper.red) { red } else { upper.red };
        return Some(TestsFirst {
            runners: runners(red, reader),
            tier: tier.map_or(upper.tier, |tier| tier.max(upper.tier)),
            weakening: weakening.max(upper.weakening),
            red,
            strict: strict || upper.strict,
            ..upper
        });
    }
    let layer = head.document.layer;
    let own: Vec<OwnLayout> = table.tables("layout").iter().map(|table| own_layout(table, reader)).collect();
    let (layouts, endings, tests) = layouts(&table, &own, reader);
    let place = reader.patterns.keep(&head.document.place(&table.span));
    Some(TestsFirst {
        place,
        layer,
        shadow,
        tier: tier.unwrap_or(Tier::Prohibited),
        weakening,
        red,
        strict,
        only: table.words("only"),
        exempt: table.tables("exempt").iter().filter_map(|table| exempt(table)).collect(),
        layouts,
        own,
        reports: table.words("reports"),
        endings,
        tests,
        runners: runners(red, reader),
    })
}

/// What `[flywheel]` has where nothing is said.
const INBOX: &str = "docs/flywheel/pending.md";
const ARCHIVE: &str = "docs/flywheel/archive.md";
const LEARNINGS: &str = "docs/learnings.md";
const PER_SESSION: u16 = 5;
const SHRINK: u8 = 20;
const AFTER: u16 = 5;

/// Reads `[flywheel]` of one more layer. Only the uppermost layer that has it says how it works; others add to the map.
pub(super) fn flywheel<'t>(known: Option<Flywheel<'t>>, head: &Head<'t>, shadow: bool, reader: &mut WhenReader<'_, 't, '_>) -> Option<Flywheel<'t>> {
    let Some(table) = head.document.view().table("flywheel") else { return known };
    let map: Vec<Pair> = table.tables("map").iter().map(|table| pair(table, head, reader)).collect();
    if let Some(mut upper) = known {
        owned(&table, "flywheel", upper.layer, |key| key != "map", "add to `map`", reader);
        upper.map.extend(map);
        return Some(upper);
    }
    for text in ["inbox", "archive", "learnings"].iter().flat_map(|key| table.texts(key)) {
        inside(&text, reader);
    }
    for text in ["inbox", "archive"].iter().filter_map(|key| table.text(key)).filter(|text| text.text.rsplit_once('.').is_none_or(|(_, end)| end != "md")) {
        // It is written to by the gate: a repository must not have it write into what runs.
        reader.checker.mistake(&text.span, format!("`{}` is not a Markdown file", text.text), "name a file that ends in `.md`");
    }
    let one = |key: &str, default: &'static str| table.text(key).map_or(default, |text| text.text);
    let learnings = Some(table.words("learnings")).filter(|learnings| !learnings.is_empty()).unwrap_or_else(|| vec![LEARNINGS]);
    let (inbox, archive) = (one("inbox", INBOX), one("archive", ARCHIVE));
    let mut names: Vec<&str> = learnings.iter().copied().chain([inbox, archive]).collect();
    names.sort_unstable();
    if let Some(pair) = names.windows(2).find(|pair| pair.first() == pair.last()) {
        let twice = pair.first().copied().unwrap_or_default();
        reader.checker.mistake(&table.span, format!("`{twice}` is more than one of inbox, archive and learnings"), "name a different file for each");
    }
    Some(Flywheel {
        place: reader.patterns.keep(&head.document.place(&table.span)),
        layer: head.document.layer,
        shadow,
        inbox,
        archive,
        learnings,
        map,
        per_session: number(&table, "per_session", 1..=100, reader).unwrap_or(PER_SESSION),
        shrink: number(&table, "shrink", 0..=100, reader).and_then(|share| u8::try_from(share).ok()).unwrap_or(SHRINK),
        trailers: table.is("trailers"),
    })
}

fn pair<'t>(table: &SpannedValue<'t>, head: &Head<'t>, reader: &mut WhenReader<'_, 't, '_>) -> Pair<'t> {
    for text in table.texts("docs") {
        inside(&text, reader);
        if text.text.contains(['*', '?', '[', '{']) {
            reader.checker.mistake(&text.span, format!("`{}` is a glob, not a document", text.text), "name each document");
        }
    }
    for text in table.texts("code") {
        inside(&text, reader);
        if tests_first::layout::unknown_variable(text.text).is_some() {
            reader.checker.mistake(&text.span, format!("`{}` has braces around a single word", text.text), "write `{one,other}`, or the word alone");
        }
    }
    let gate = tier(table, "gate", reader);
    if let (Some(Tier::Free | Tier::Metered), Some(value)) = (gate, table.get("gate")) {
        reader.checker.mistake(&value.span, "a `gate` of this tier stops nothing", "write 3 or 4, or remove it; then it is only a suggestion");
    }
    let place = reader.patterns.keep(&head.document.place(&table.span));
    Pair { place, code: table.words("code"), docs: table.words("docs"), after: number(table, "after", 1..=1000, reader).unwrap_or(AFTER), gate }
}

/// A path of the repository.
pub(super) fn inside(text: &SpannedText, reader: &mut WhenReader) {
    if text.text.starts_with(['/', '~']) || text.text.ends_with('/') || text.text.split('/').any(|name| matches!(name, "" | "." | "..")) {
        reader.checker.mistake(&text.span, format!("`{}` is not a path from the root of the repository", text.text), "write it like `docs/learnings.md`");
    }
}

fn number(table: &SpannedValue, key: &str, range: std::ops::RangeInclusive<i64>, reader: &mut WhenReader) -> Option<u16> {
    let value = table.get(key)?;
    let number = value.as_number()?;
    if !range.contains(&number) {
        reader.checker.mistake(&value.span, format!("`{key}` is {number}"), format!("write a number from {} to {}", range.start(), range.end()));
    }
    u16::try_from(number).ok()
}

/// The commands whose runs must be seen.
fn runners<'t>(red: Red, reader: &WhenReader<'_, 't, '_>) -> Vec<&'t str> {
    let shipped = if red == Red::Required { Catalogue::shipped().ok() } else { None };
    shipped.iter().flat_map(|catalogue| &catalogue.runners).map(|runner| reader.patterns.keep(runner)).collect()
}

/// Keys that only the layer which owns a section may say are mistakes below it.
fn owned(table: &SpannedValue, section: &str, owner: Layer, is_owners: impl Fn(&str) -> bool, may: &str, reader: &mut WhenReader) {
    for (key, _) in table.entries().iter().filter(|(key, _)| is_owners(key.text)) {
        let what = format!("`{}` is not allowed here, because the {} layer has `[{section}]` too", key.text, owner.name());
        reader.checker.mistake(&key.span, what, format!("remove it; a lower layer may only {may}"));
    }
}

fn tier(table: &SpannedValue, key: &str, reader: &mut WhenReader) -> Option<Tier> {
    super::rule::tier_of(&table.get(key)?, reader)
}

fn exempt<'t>(table: &SpannedValue<'t>) -> Option<Exempt<'t>> {
    Some(Exempt { path: table.text("path")?.text, reason: table.text("reason")?.text, until: table.get("until").and_then(|value| value.as_day()) })
}

fn own_layout<'t>(table: &SpannedValue<'t>, reader: &mut WhenReader) -> OwnLayout<'t> {
    for text in ["source", "test", "exempt"].iter().flat_map(|key| table.texts(key)) {
        if let Some(unknown) = tests_first::layout::unknown_variable(text.text) {
            reader.checker.mistake(&text.span, format!("unknown variable `{{{unknown}}}` in a template"), "docs/tests-first.md lists the variables");
        }
    }
    let unit = table.text("unit").and_then(|unit| reader.checker.named(&unit, UNITS, "unit")).unwrap_or("file");
    OwnLayout {
        name: table.word("name"),
        manifest: table.words("manifest"),
        source: table.words("source"),
        test: table.words("test"),
        exempt: table.words("exempt"),
        inline: table.is("inline"),
        unit,
    }
}

/// The layouts by name, the ends of file names that they and the settings of tools speak of, and the names of tests.
fn layouts<'t>(table: &SpannedValue<'t>, own: &[OwnLayout<'t>], reader: &mut WhenReader<'_, 't, '_>) -> (Vec<&'t str>, Vec<&'t str>, Vec<&'t str>) {
    let Ok(catalogue) = Catalogue::shipped() else { return <_>::default() };
    let named: Vec<SpannedText> = table.texts("layouts");
    let auto = named.is_empty() || named.iter().any(|name| name.text == "auto");
    for name in named.iter().filter(|name| name.text != "auto") {
        let known = || catalogue.layouts.iter().map(|layout| layout.name.as_str()).chain(own.iter().map(|layout| layout.name));
        if known().all(|known| known != name.text) {
            let fix = crate::mistake::suggestion(name.text, known().collect::<Vec<_>>());
            reader.checker.mistake(&name.span, format!("unknown layout `{}`", name.text), fix);
        }
    }
    let layouts = if auto { Vec::new() } else { named.iter().map(|name| name.text).collect() };
    let tests = catalogue.test_names(&layouts);
    let kept = |texts: Vec<String>| texts.iter().map(|text| reader.patterns.keep(text)).collect();
    (layouts, kept(catalogue.endings()), kept(tests))
}
