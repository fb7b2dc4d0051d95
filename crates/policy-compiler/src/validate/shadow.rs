//! Rules and packs that a policy names in `[[shadow]]`: they only watch, while the rest of their layer holds.

use std::collections::HashSet;

use super::layers::{Head, shadows, suggestion_near};
use super::{Named, PolicyDocument, PolicyMistake};
use crate::mistake::suggestion;
use crate::schema::SpannedText;
use policy::{Budget, EveryCall, FollowUp, Gate, Layer, Rule};

/// Everything with a name that can be made to watch.
pub(super) struct Watchable<'w, 'd, 't> {
    pub(super) rules: &'w mut [Named<'d, Rule<'t>>],
    /// Costs of budgets and moments of gates, which have the names of these.
    pub(super) priced: &'w mut [Rule<'t>],
    pub(super) budgets: &'w mut [Named<'d, Budget<'t>>],
    pub(super) every_call: &'w mut [Named<'d, EveryCall<'t>>],
    pub(super) gates: &'w mut [Named<'d, Gate<'t>>],
    pub(super) follow_ups: &'w mut [FollowUp<'t>],
}

/// Names that hold nothing now.
pub(super) struct KnownNames<'k, 't> {
    /// All built-in packs, also those that are off.
    pub(super) packs: &'k [&'t str],
    /// Rules of packs that are off.
    pub(super) idle: &'k HashSet<&'t str>,
    /// Every file could be read, so a name that is not found is a mistake.
    pub(super) whole: bool,
}

/// One thing that can watch.
struct Watcher<'w, 't> {
    name: &'t str,
    pack: &'t str,
    place: &'t str,
    layer: Layer,
    shadow: &'w mut bool,
}

impl<'t> Watchable<'_, '_, 't> {
    fn all(&mut self) -> Vec<Watcher<'_, 't>> {
        fn of_rule<'w, 't>(rule: &'w mut Rule<'t>) -> Watcher<'w, 't> {
            Watcher { name: rule.name, pack: rule.pack, place: rule.place, layer: rule.layer, shadow: &mut rule.shadow }
        }
        let rules = self.rules.iter_mut().map(|named| &mut named.it).chain(self.priced.iter_mut()).map(of_rule);
        let budgets = self.budgets.iter_mut().map(|Named { it, .. }| Watcher {
            name: it.name,
            pack: it.layer.name(),
            place: it.place,
            layer: it.layer,
            shadow: &mut it.shadow,
        });
        let every = self.every_call.iter_mut().map(|Named { it, .. }| Watcher {
            name: it.name,
            pack: it.layer.name(),
            place: it.place,
            layer: it.layer,
            shadow: &mut it.shadow,
        });
        let gates = self.gates.iter_mut().map(|Named { it, .. }| Watcher {
            name: it.name,
            pack: it.layer.name(),
            place: it.place,
            layer: it.layer,
            shadow: &mut it.shadow,
        });
        rules.chain(budgets).chain(every).chain(gates).collect()
    }
}

/// Lets what `[[shadow]]` names only watch, where the layer may do that.
pub(super) fn mark(heads: &[&Head], watchable: &mut Watchable, known: &KnownNames, mistakes: &mut Vec<PolicyMistake>) {
    let mut watchers = watchable.all();
    for document in heads.iter().map(|head| head.document).filter(|document| document.layer != Layer::BuiltIn) {
        for table in document.view().tables("shadow") {
            let (rules, packs) = (table.texts("rule"), table.texts("pack"));
            if rules.is_empty() && packs.is_empty() {
                document.checker(mistakes).mistake(&table.span, "`shadow` names nothing", "add `rule = \"NAME\"` or `pack = \"NAME\"`");
            }
            for name in &rules {
                rule(name, document, &mut watchers, known, mistakes);
            }
            for name in &packs {
                pack(name, document, &mut watchers, known, mistakes);
            }
        }
    }
    drop(watchers);
    for follow_up in watchable.follow_ups.iter_mut() {
        follow_up.shadow |= watchable.rules.iter().any(|named| named.it.name == follow_up.name && named.it.shadow);
    }
}

fn rule(name: &SpannedText, document: &PolicyDocument, watchers: &mut [Watcher], known: &KnownNames, mistakes: &mut Vec<PolicyMistake>) {
    let mut found = false;
    let mut upper = None;
    for watcher in watchers.iter_mut().filter(|watcher| watcher.name == name.text) {
        found = true;
        if shadows(document.layer, watcher.layer) {
            *watcher.shadow = true;
        } else {
            upper = Some((watcher.place, watcher.layer));
        }
    }
    if let Some((place, layer)) = upper {
        let what = format!("the rule `{}` ({place}) is of the {} layer, and the {} layer cannot switch it off", name.text, layer.name(), document.layer.name());
        document.checker(mistakes).mistake(&name.span, what, who_may(document.layer));
    } else if !found && known.whole && !known.idle.contains(name.text) {
        let fix = suggestion_near(name.text, watchers.iter().map(|watcher| watcher.name));
        document.checker(mistakes).mistake(&name.span, format!("`shadow` names the unknown rule `{}`", name.text), fix);
    }
}

fn pack(name: &SpannedText, document: &PolicyDocument, watchers: &mut [Watcher], known: &KnownNames, mistakes: &mut Vec<PolicyMistake>) {
    if known.whole && !known.packs.contains(&name.text) {
        let fix = suggestion(name.text, known.packs.to_vec());
        document.checker(mistakes).mistake(&name.span, format!("unknown pack `{}`", name.text), fix);
    } else if !shadows(document.layer, Layer::BuiltIn) {
        let what = format!("the pack `{}` is built in, and the {} layer cannot switch it off", name.text, document.layer.name());
        document.checker(mistakes).mistake(&name.span, what, who_may(document.layer));
    }
    if shadows(document.layer, Layer::BuiltIn) {
        for watcher in watchers.iter_mut().filter(|watcher| watcher.layer == Layer::BuiltIn && watcher.pack == name.text) {
            *watcher.shadow = true;
        }
    }
}

/// Where such a line would be allowed.
fn who_may(layer: Layer) -> &'static str {
    if layer == Layer::User {
        "remove it; only the organisation's policy can do that"
    } else {
        "remove it, or write it into your own policy (`portcullis policy` shows where)"
    }
}
