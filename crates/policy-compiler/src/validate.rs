//! Checks the parsed policies of all layers together, and turns them into rules. Reports every mistake with its place.
//! Reads no file and writes no bytes.

pub(crate) mod approval;
mod example;
mod layers;
mod meter;
mod pipeline;
mod record;
mod release;
mod rule;
mod section;
mod shadow;
mod stall;
mod store;
pub(crate) mod when;

use std::collections::HashMap;
use std::ops::Range;

use toml::de::DeValue;

use super::schema::{Checker, LAYER, PACK, SpannedValue};
use super::{compile::pattern::Patterns, examples::RuleExamples, mistake::PolicyMistake};
use layers::Head;
use meter::Taken;
use policy::table::TableReader as _;
use policy::{Budget, EveryCall, Gate, Layer, Limit, Meter, MeterScope, Parts, Rule, Waiver};
use when::WhenReader;

/// A file of a layer, read but not understood.
#[derive(Debug)]
pub struct PolicyDocument<'t> {
    pub layer: Layer,
    pub path: &'t str,
    /// Where its lines end, in bytes.
    pub ends: Vec<usize>,
    pub table: DeValue<'t>,
}

impl<'t> PolicyDocument<'t> {
    /// Whether a key is at its top.
    pub fn has(&'t self, key: &str) -> bool {
        self.view().get(key).is_some()
    }

    fn view(&'t self) -> SpannedValue<'t> {
        SpannedValue { value: &self.table, span: 0..0 }
    }

    fn checker<'c>(&self, mistakes: &'c mut Vec<PolicyMistake>) -> Checker<'c>
    where
        't: 'c,
    {
        Checker { path: self.path, mistakes }
    }

    fn place(&self, span: &Range<usize>) -> String {
        format!("{}:{}", self.path, self.ends.partition_point(|end| *end < span.start) + 1)
    }
}

/// A rule or a waiver, its file, and the place where it names a rule.
struct Named<'t, T> {
    it: T,
    document: &'t PolicyDocument<'t>,
    span: Range<usize>,
}

/// What is known of the files beside their texts.
#[derive(Debug)]
pub struct ValidationScope<'s, 't> {
    /// Every file could be read, so a name that is not found is a mistake.
    pub whole: bool,
    /// Every pack holds, also one that is off by default.
    pub all_packs: bool,
    /// The rules of packs whose documents end before them, by the paths of the packs.
    pub ready: &'s HashMap<&'t str, Vec<Rule<'t>>>,
}

/// Validates documents, upper layers first. Returns `meant` with what they say, the examples of its rules in their order, and
/// all mistakes.
pub fn validate<'t>(
    mut meant: Parts<'t>,
    documents: &'t [PolicyDocument<'t>],
    scope: &ValidationScope<'_, 't>,
    patterns: &mut Patterns<'t>,
) -> (Parts<'t>, Vec<RuleExamples>, Vec<PolicyMistake>) {
    let ValidationScope { whole, all_packs, ready } = *scope;
    let mut mistakes = Vec::new();
    let heads: Vec<Head> = documents.iter().map(|document| Head::of(document, &mut mistakes)).collect();
    let on = layers::packs_on(&heads, whole, all_packs, &mut mistakes);
    let packs: Vec<&str> = heads.iter().filter(|head| head.document.layer == Layer::BuiltIn).map(|head| head.pack).collect();
    let heads: Vec<&Head> = heads.iter().filter(|head| on.contains(&head.pack) || head.document.layer != Layer::BuiltIn).collect();

    let mut all_examples = Vec::new();
    for head in &heads {
        let keys = if head.document.layer == Layer::BuiltIn { PACK } else { LAYER };
        let of = if head.document.layer == Layer::BuiltIn { "a pack" } else { "a policy" };
        let mut checker = head.document.checker(&mut mistakes);
        checker.table(&head.document.view(), keys, of);
        let mut reader = WhenReader { checker: &mut checker, patterns: &mut *patterns, protected: &[] };
        for branch in reader.texts(&head.document.view(), "protected") {
            if !meant.protected.iter().any(|known| known.source == branch.source) {
                meant.protected.push(branch);
            }
        }
    }

    let mut named: Vec<Named<Rule>> = Vec::new();
    let mut waivers: Vec<Named<Waiver>> = Vec::new();
    let (mut budgets, mut priced): (Vec<Named<Budget>>, Vec<Rule>) = (Vec::new(), Vec::new());
    let (mut gates, mut phases): (Vec<Named<Gate>>, _) = (Vec::new(), pipeline::Phases::default());
    let mut every_call: Vec<Named<EveryCall>> = Vec::new();
    for head in &heads {
        let document = head.document;
        let mut checker = document.checker(&mut mistakes);
        let mut reader = WhenReader { checker: &mut checker, patterns: &mut *patterns, protected: &meant.protected };
        let shadow = layers::shadowed(&heads, document.layer);
        named.extend(ready.get(document.path).into_iter().flatten().map(|rule| Named { it: rule.clone(), document, span: 0..0 }));
        meant.tests_first = section::tests_first(meant.tests_first, head, shadow, &mut reader);
        meant.flywheel = section::flywheel(meant.flywheel, head, shadow, &mut reader);
        meant.approval = approval::approval(meant.approval, head, &mut reader);
        for table in document.view().tables("rule") {
            let place = reader.patterns.keep(&document.place(&table.span));
            if let Some((rule, examples, span)) = rule::rule(&table, head, place, &mut reader) {
                named.push(Named { it: rule, document, span });
                all_examples.push(examples);
            }
        }
        for table in document.view().tables("limit") {
            let place = reader.patterns.keep(&document.place(&table.span));
            match meter::limit(&table, head, (place, shadow), &mut reader) {
                Some(meter::LimitOf::Calls(rule, span)) => named.push(Named { it: *rule, document, span }),
                Some(meter::LimitOf::EveryCall(limit, span)) => every_call.push(Named { it: limit, document, span }),
                None => {}
            }
        }
        for table in document.view().tables("budget") {
            let place = reader.patterns.keep(&document.place(&table.span));
            if let Some((budget, costs)) = meter::budget(&table, head, (place, shadow), &mut reader) {
                budgets.push(Named { it: budget, document, span: table.span });
                priced.extend(costs);
            }
        }
        phases.read(head, shadow, &mut reader);
        for table in document.view().tables("gate") {
            let place = reader.patterns.keep(&document.place(&table.span));
            if let Some((gate, moments)) = pipeline::gate(&table, head, (place, shadow), &mut reader) {
                gates.push(Named { it: gate, document, span: table.span });
                priced.extend(moments);
            }
        }
        for table in document.view().tables("result") {
            let place = reader.patterns.keep(&document.place(&table.span));
            if let Some((rule, follow_up, span)) = meter::result(&table, head, (place, shadow), &mut reader) {
                named.push(Named { it: rule, document, span });
                meant.tiers.follow_ups.extend(follow_up);
            }
        }
        meant.tiers.fleet = store::store(meant.tiers.fleet, head, &mut reader);
        meant.tiers.record = record::record(meant.tiers.record, head, &mut reader);
        meant.tiers.release = release::release(meant.tiers.release, head, shadow, &mut reader);
        meant.tiers.stall = stall::stall(meant.tiers.stall, head, shadow, &mut reader);
        for table in document.view().tables("waiver") {
            let place = reader.patterns.keep(&document.place(&table.span));
            if let Some((waiver, span)) = rule::waiver(&table, document.layer, place, &mut reader) {
                waivers.push(Named { it: waiver, document, span });
            }
        }
    }
    meant.approval = approval::settled(meant.approval, &heads);
    let mut idle = layers::rules_of_packs_off(documents, &on);
    let off = ready.iter().filter(|(path, _)| heads.iter().all(|head| head.document.path != **path));
    idle.extend(off.flat_map(|(_, rules)| rules).map(|rule| rule.name));
    layers::merge(&heads, &mut named, &waivers, &idle, whole, &mut mistakes);
    let (of_budgets, of_every) = (budgets.iter().map(|named| (named.it.name, named.it.place, named)), every_call.iter());
    let of_budgets: Vec<Taken> = of_budgets.map(|(name, place, named)| Taken { name, place, document: named.document, span: &named.span }).collect();
    let of_every = of_every.map(|named| Taken { name: named.it.name, place: named.it.place, document: named.document, span: &named.span });
    if meant.tiers.fleet.is_none() {
        let shared = |limit: &Limit| limit.scope == MeterScope::Fleet;
        let of_rules =
            named.iter().filter(|named| matches!(&named.it.meter, Some(Meter::Limit(limit)) if shared(limit))).map(|named| (named.document, &named.span));
        let of_all = every_call.iter().filter(|named| shared(&named.it.limit)).map(|named| (named.document, &named.span));
        let of_money = budgets.iter().filter(|named| named.it.fleet).map(|named| (named.document, &named.span));
        for (document, span) in of_rules.chain(of_all).chain(of_money) {
            let fix = "the organisation's or the user's policy says where: `[store]` with `engine = \"redis://HOST:6379/0\"`";
            document.checker(&mut mistakes).mistake(span, "`scope = \"fleet\"` without a `[store]` that all machines share", fix);
        }
    }
    meter::unique(&of_budgets.into_iter().chain(of_every).collect::<Vec<_>>(), &named, &mut mistakes);
    let mut watchable = shadow::Watchable {
        rules: &mut named,
        priced: &mut priced,
        budgets: &mut budgets,
        every_call: &mut every_call,
        gates: &mut gates,
        follow_ups: &mut meant.tiers.follow_ups,
    };
    shadow::mark(&heads, &mut watchable, &shadow::KnownNames { packs: &packs, idle: &idle, whole }, &mut mistakes);
    meant.tiers.every_call = every_call.into_iter().map(|named| named.it).collect();
    let (section, ways) = phases.done();
    pipeline::checked(&gates, &named, section.as_ref(), &mut mistakes);
    priced.extend(ways);
    // Several rows of one budget or gate share its name, so they come after the check of names.
    meant.rules = named.into_iter().map(|named| named.it).chain(priced).collect();
    let looks = |rule: &Rule| matches!(&rule.meter, Some(Meter::Result(_))) || matches!(&rule.meter, Some(Meter::Cost(cost)) if !cost.at.is_empty());
    meant.tiers.limits = meant.rules.iter().any(|rule| matches!(&rule.meter, Some(Meter::Limit(_))));
    meant.tiers.answers = meant.rules.iter().any(looks);
    meant.tiers.budgets = budgets.into_iter().map(|named| named.it).collect();
    meant.tiers.pipeline = section;
    meant.tiers.gates = gates.into_iter().map(|named| named.it).collect();
    // A waiver of a rule whose pack is off has nothing to waive.
    meant.waivers = waivers.into_iter().map(|waiver| waiver.it).collect();
    (meant, all_examples, mistakes)
}
