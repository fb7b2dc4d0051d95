//! What layers may do to each other: packs switched on and off, names that are taken, waivers, shadow mode.

use std::collections::{HashMap, HashSet};

use super::{Named, PolicyDocument};
use crate::mistake::{PolicyMistake, suggestion};
use crate::schema::{Checker, SpannedText};
use policy::{Layer, Rule, Waiver, When};

/// The version of the language.
const SCHEMA: i64 = 1;

/// The keys at the top of a file.
pub(super) struct Head<'t> {
    pub(super) document: &'t PolicyDocument<'t>,
    /// The name of the pack, or of the layer.
    pub(super) pack: &'t str,
    default: bool,
    packs: Vec<SpannedText<'t>>,
    disable: Vec<SpannedText<'t>>,
    /// Packs that a pack switches on with itself.
    brings: Vec<SpannedText<'t>>,
    opens: Option<Vec<SpannedText<'t>>>,
    pub(super) shadow: bool,
}

impl<'t> Head<'t> {
    pub(super) fn of(document: &'t PolicyDocument<'t>, mistakes: &mut Vec<PolicyMistake>) -> Self {
        let view = document.view();
        let mut checker = document.checker(mistakes);
        if let Some(schema) = view.get("schema")
            && schema.as_number().is_some_and(|number| number != SCHEMA)
        {
            checker.mistake(&schema.span, "this schema is not known to this version", format!("write `schema = {SCHEMA}`, or update portcullis"));
        }
        let pack = if document.layer == Layer::BuiltIn { pack_name(document, &mut checker) } else { document.layer.name() };
        let shadow = view.text("mode").is_some_and(|mode| checker.named(&mode, &[("enforce", false), ("shadow", true)], "mode") == Some(true));
        if document.layer != Layer::Organisation && document.layer != Layer::BuiltIn {
            for (key, _) in view.entries().iter().filter(|(key, _)| ["opens", "disable"].contains(&key.text)) {
                let what = format!("`{}` is not allowed in the {} layer", key.text, document.layer.name());
                checker.mistake(&key.span, what, "only the organisation layer can have it");
            }
        }
        let opens = view.get("opens").map(|value| {
            for element in value.elements().iter().filter(|element| element.as_text().is_none()) {
                checker.mistake(&element.span, "`opens` is not a list of names", "write the names of rules; `[]` locks all of them");
            }
            view.texts("opens")
        });
        Self {
            document,
            pack,
            default: view.flag("default").unwrap_or(false),
            packs: view.texts("packs"),
            disable: view.texts("disable"),
            brings: view.texts("brings"),
            opens,
            shadow,
        }
    }
}

/// A pack is called as its file is.
fn pack_name<'t>(document: &'t PolicyDocument<'t>, checker: &mut Checker) -> &'t str {
    let file = document.path.rsplit('/').next().unwrap_or(document.path);
    let stem = file.strip_suffix(".toml").unwrap_or(file);
    if let Some(pack) = document.view().text("pack").filter(|pack| pack.text != stem) {
        checker.mistake(&pack.span, format!("the pack `{}` is in the file `{file}`", pack.text), format!("write `pack = \"{stem}\"`, or rename the file"));
    }
    stem
}

/// Names of the packs that hold: those on by default without those that the organisation switched off, and those that a layer adds.
pub(super) fn packs_on<'t>(heads: &[Head<'t>], whole: bool, all: bool, mistakes: &mut Vec<PolicyMistake>) -> HashSet<&'t str> {
    let built_in = || heads.iter().filter(|head| head.document.layer == Layer::BuiltIn);
    let mut on: HashSet<&str> = built_in().filter(|head| all || head.default).map(|head| head.pack).collect();
    for head in heads.iter().filter(|head| head.document.layer == Layer::Organisation) {
        on.retain(|pack| head.disable.iter().all(|disabled| disabled.text != *pack));
    }
    for head in heads {
        on.extend(head.packs.iter().map(|pack| pack.text));
        for pack in head.packs.iter().chain(&head.disable) {
            if whole && built_in().all(|head| head.pack != pack.text) {
                let fix = suggestion(pack.text, built_in().map(|head| head.pack).collect::<Vec<_>>());
                head.document.checker(mistakes).mistake(&pack.span, format!("unknown pack `{}`", pack.text), fix);
            }
        }
    }
    // A pack that is brought can bring others.
    loop {
        let known = on.len();
        for head in built_in().filter(|head| on.contains(head.pack)).collect::<Vec<_>>() {
            on.extend(head.brings.iter().map(|pack| pack.text));
        }
        if on.len() == known {
            break;
        }
    }
    on
}

/// Names of rules that are known but do not hold, because their packs are off.
pub(super) fn rules_of_packs_off<'t>(documents: &'t [PolicyDocument<'t>], on: &HashSet<&str>) -> HashSet<&'t str> {
    let off = documents.iter().filter(|document| {
        let stem = document.path.rsplit('/').next().and_then(|file| file.strip_suffix(".toml"));
        document.layer == Layer::BuiltIn && stem.is_none_or(|stem| !on.contains(stem))
    });
    off.flat_map(|document| document.view().tables("rule")).filter_map(|rule| rule.text("name")).map(|name| name.text).collect()
}

/// Checks rules between layers: names are unique, shadow mode is set, and waivers are for open rules.
pub(super) fn merge(
    heads: &[&Head],
    named: &mut [Named<Rule>],
    waivers: &[Named<Waiver>],
    idle: &HashSet<&str>,
    whole: bool,
    mistakes: &mut Vec<PolicyMistake>,
) {
    let mut places: HashMap<&str, (&PolicyDocument, &str)> = HashMap::new();
    for named in named.iter() {
        if let Some((document, first)) = places.get(named.it.name) {
            // The same project in two work trees: each may hold another version of its policy, and both hold.
            if document.layer == Layer::Project && named.document.layer == Layer::Project && !std::ptr::eq(*document, named.document) {
                continue;
            }
            let what = format!("the rule `{}` is defined twice: here and at {first}", named.it.name);
            let fix = "give it another name; a rule of another layer cannot be changed, but an open rule can be waived";
            named.document.checker(mistakes).mistake(&named.span, what, fix);
        } else {
            places.insert(named.it.name, (named.document, named.it.place));
        }
    }
    opens(heads, named, idle, whole, mistakes);
    for named in named.iter_mut() {
        named.it.shadow = shadowed(heads, named.it.layer);
    }
    for waiver in waivers {
        waived(waiver, named, idle, whole, mistakes);
    }
}

/// True if a layer lets rules and sections of `layer` only watch.
pub(super) fn shadowed(heads: &[&Head], layer: Layer) -> bool {
    heads.iter().any(|head| head.shadow && shadows(head.document.layer, layer))
}

/// A layer's `mode = "shadow"` makes rules only watch. The person may try out what is built in and their own, but not what
/// the organisation says; a repository may only speak for itself.
pub(super) fn shadows(by: Layer, rule: Layer) -> bool {
    match by {
        Layer::BuiltIn => false,
        Layer::Organisation => true,
        Layer::User => rule != Layer::Organisation,
        Layer::Project | Layer::Local => rule >= Layer::Project,
    }
}

/// Once the organisation names what is open, everything else is locked.
fn opens(heads: &[&Head], named: &mut [Named<Rule>], idle: &HashSet<&str>, whole: bool, mistakes: &mut Vec<PolicyMistake>) {
    let lists: Vec<(&PolicyDocument, &SpannedText)> = heads
        .iter()
        .filter(|head| head.document.layer == Layer::Organisation)
        .flat_map(|head| head.opens.iter().flatten().map(|text| (head.document, text)))
        .collect();
    if !heads.iter().any(|head| head.document.layer == Layer::Organisation && head.opens.is_some()) {
        return;
    }
    for named in named.iter_mut() {
        named.it.open = named.it.layer <= Layer::Organisation && lists.iter().any(|(_, text)| text.text == named.it.name);
    }
    for (document, text) in lists {
        let upper = || named.iter().filter(|named| named.it.layer <= Layer::Organisation).map(|named| named.it.name);
        if whole && !idle.contains(text.text) && upper().all(|name| name != text.text) {
            let fix = suggestion_near(text.text, upper());
            document.checker(mistakes).mistake(&text.span, format!("`opens` names the unknown rule `{}`", text.text), fix);
        }
    }
}

fn waived(waiver: &Named<Waiver>, named: &[Named<Rule>], idle: &HashSet<&str>, whole: bool, mistakes: &mut Vec<PolicyMistake>) {
    let name = waiver.it.rule;
    let layer = waiver.document.layer;
    if !matches!(layer, Layer::User | Layer::Project) {
        let what = format!("a waiver is not allowed in the {} layer", layer.name());
        return waiver.document.checker(mistakes).mistake(&waiver.span, what, "only the user layer and the project layer can have waivers");
    }
    let Some(rule) = named.iter().map(|named| &named.it).find(|rule| rule.name == name) else {
        if whole && !idle.contains(name) {
            let fix = suggestion_near(name, named.iter().map(|named| named.it.name));
            waiver.document.checker(mistakes).mistake(&waiver.span, format!("the waiver names the unknown rule `{name}`"), fix);
        }
        return;
    };
    if rule.layer < layer && !rule.open {
        let what = format!("the rule `{name}` ({}) is not open to waivers of the {} layer", rule.place, layer.name());
        waiver.document.checker(mistakes).mistake(&waiver.span, what, "remove the waiver; only the layer of the rule can open it");
    } else if !speaks_of(&waiver.it.when, &rule.when) {
        let (own, other) = (waiver.it.when.kind(), rule.when.kind());
        let what = format!("the waiver is for `{own}`, but the rule `{name}` is for `{other}`");
        waiver.document.checker(mistakes).mistake(&waiver.span, what, format!("write the waiver with `{other} = {{ … }}`"));
    }
}

/// A waiver of a command also covers what the command writes or deletes.
fn speaks_of(waiver: &When, rule: &When) -> bool {
    waiver.kind() == rule.kind() || (matches!(waiver, When::Run(_)) && matches!(rule, When::Write(_) | When::Delete(_)))
}

/// Rules are many, so only a near name is worth showing.
pub(super) fn suggestion_near<'c>(name: &str, names: impl IntoIterator<Item = &'c str>) -> String {
    crate::mistake::nearest(name, names).map_or_else(|| "`portcullis test` lists the rules".to_owned(), |near| format!("did you mean `{near}`?"))
}
