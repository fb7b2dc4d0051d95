//! Concludes: actions, facts and policy in, verdict out.
//! Reads nothing. A thing it must know is a field of [`Facts`]; what is missing there comes back as [`Need`]s.
#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros)]

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use crate::facts::{Facts, Need};
use crate::matcher::{self, Asking};
use crate::verdict::{Answer, Finding, Look, Verdict};
use crate::{Meter, Policy, Rule, RuleCandidate, Tier, index};
use actions::path::Path;
use actions::word::Word;
use actions::{Action, Deed, Span};

/// What was concluded so far.
#[derive(Debug)]
pub struct Decided<'p> {
    /// The verdict with what is known.
    pub verdict: Verdict,
    /// Facts that must be found out first. Empty: the verdict is final.
    pub needs: BTreeSet<Need>,
    /// The answer of each rule for each action. Without `every`, only answers that are not no.
    pub looks: Vec<Look>,
    /// What the call uses up, one entry a limit and a row of a budget's costs.
    pub metered: Vec<Metered<'p>>,
}

/// What a call uses up.
#[derive(Clone, Debug, PartialEq)]
pub struct Metered<'p> {
    pub meter: Meter<'p>,
    /// How many actions of the call use it up.
    pub times: u32,
    /// The limit or the budget, with the first of these actions. Its tier is 2.
    pub finding: Finding,
}

/// Decides on the actions of one call. Returns the verdict and the facts that are still needed. `None`: the compiled policy is
/// damaged. With `every`, `looks` also has the rules that said no.
pub fn decide<'p>(actions: &[Action], facts: &Facts, policy: &Policy<'p>, every: bool) -> Option<Decided<'p>> {
    let mut asking = Asking { facts, protected: &policy.protected, needs: BTreeSet::new(), told: Vec::new(), put_off: false, secrets: Vec::new() };
    let mut findings: Vec<Finding> = Vec::new();
    let mut known = BTreeSet::new();
    let mut looks = Vec::new();
    let mut metered: Vec<Metered> = Vec::new();
    // Rules are read once for all actions that they are looked up for.
    let mut places: BTreeMap<Vec<u32>, Vec<u32>> = BTreeMap::new();
    let mut read: BTreeMap<u32, RuleCandidate> = BTreeMap::new();
    for (at, action) in actions.iter().enumerate() {
        // Where a path leads is asked only if some rule speaks of such actions.
        if let Deed::Read(read) = &action.deed
            && policy.places_of(&index::any_of_read(read))?.is_empty()
        {
            continue;
        }
        let keys = match index::of_action(action, facts, every) {
            Ok(keys) => keys,
            Err(need) => {
                asking.needs.insert(*need);
                continue;
            }
        };
        let found = match places.entry(keys) {
            Entry::Vacant(place) => {
                let found = policy.places_of(place.key())?;
                place.insert(found)
            }
            Entry::Occupied(known) => known.into_mut(),
        };
        for place in &*found {
            let candidate = match read.entry(*place) {
                Entry::Vacant(entry) => entry.insert(policy.candidate(*place)?),
                Entry::Occupied(known) => known.into_mut(),
            };
            asking.told.clear();
            let answer = matcher::first(candidate, at, actions, &mut asking);
            if answer == Answer::No && !every {
                continue;
            }
            let rule = &candidate.rule()?;
            let answer = matcher::rule(rule, answer, at, actions, &mut asking);
            let told = asking.told.join("; ");
            let waived = if answer == Answer::No { None } else { waived(rule, at, actions, policy, &mut asking)? };
            if every || answer != Answer::No {
                looks.push(Look { action: at, rule: rule.name.to_owned(), answer, waived: waived.clone() });
            }
            if let (Some(tier), None) = (weight(rule.tier, answer), waived) {
                let found = Finding { told, ..finding(rule, action, actions, tier, answer) };
                if let Some(meter) = rule.meter.clone() {
                    match metered.iter_mut().find(|known| known.finding.place == rule.place && known.meter == meter) {
                        Some(known) => known.times = known.times.saturating_add(1),
                        None => metered.push(Metered { meter, times: 1, finding: found.clone() }),
                    }
                }
                // `cp A B` may write `B/A` too: one word is meant once.
                let meant = action
                    .span
                    .filter(|_| action.from.is_some() && matches!(action.deed, Deed::Write(_)))
                    .map_or_else(|| found.action.clone(), |span| format!("{span:?} {:?}", action.from));
                if known.insert((rule.name.to_owned(), meant, tier)) {
                    findings.push(found);
                }
            }
        }
    }
    let mut verdict = Verdict { tier: Tier::Free, findings: Vec::new(), price: 0 };
    verdict.add(findings);
    Some(Decided { verdict, needs: asking.needs, looks, metered })
}

/// The tier that an answer gives: a rule that only might hold gives tier 3 if it is of tier 3 or 4, and nothing otherwise.
fn weight(tier: Tier, answer: Answer) -> Option<Tier> {
    match answer {
        Answer::Yes => Some(tier),
        Answer::Maybe if tier >= Tier::Supervised => Some(Tier::Supervised),
        Answer::Maybe | Answer::No => None,
    }
}

/// The place of the waiver that covers the action for certain, if there is one.
#[inline(never)] // Most calls do not come here, and touch fewer pages without it.
fn waived(rule: &Rule, at: usize, actions: &[Action], policy: &Policy, asking: &mut Asking) -> Option<Option<String>> {
    let today = asking.facts.today;
    let found = policy
        .waivers_of(rule.name)?
        .into_iter()
        .filter(|waiver| waiver.until >= today)
        .find(|waiver| matcher::waiver(waiver, at, actions, asking) == Answer::Yes);
    Some(found.map(|waiver| waiver.place.to_owned()))
}

/// The action in one line, with the command that does it.
fn shown(action: &Action, actions: &[Action]) -> String {
    match action.from.and_then(|from| actions.get(from)) {
        Some(command) => format!("{} ({})", command.shown(), action.shown()),
        None => action.shown(),
    }
}

fn finding(rule: &Rule, action: &Action, actions: &[Action], tier: Tier, answer: Answer) -> Finding {
    let unread = if answer == Answer::Maybe { unread(action) } else { None };
    Finding {
        rule: rule.name.to_owned(),
        pack: rule.pack.to_owned(),
        place: rule.place.to_owned(),
        tier,
        answer,
        span: unread.as_ref().and_then(|(_, span)| *span).or(action.span),
        unread: unread.map(|(shown, _)| shown),
        shadow: rule.shadow,
        tell: rule.tell,
        reason: rule.reason.to_owned(),
        instead: rule.instead.to_owned(),
        action: shown(action, actions),
        via: action.via.clone(),
        told: String::new(),
        used_up: None,
        missing: false,
    }
}

/// The first word of the action that is not wholly known, and where it is.
fn unread(action: &Action) -> Option<(String, Option<Span>)> {
    let spelled = |word: &Word| (word.to_string(), word.span.filter(|_| action.span.is_some()));
    let path = |path: &Path| path.word.has_hole().then(|| (path.shown.clone(), action.span));
    match &action.deed {
        Deed::Run(run) => run.may_hide_flags.as_ref().or_else(|| run.words.iter().find(|word| word.has_hole())).map(spelled),
        Deed::Write(write) => path(&write.path),
        Deed::Delete(delete) => path(&delete.path),
        Deed::Read(read) => path(&read.path),
        Deed::Fetch { url, .. } => url.has_hole().then(|| spelled(url)),
        Deed::Push(push) => push.target.as_ref().filter(|word| word.has_hole()).map(spelled),
        Deed::Call(_) | Deed::Spawn { .. } | Deed::Commit(_) | Deed::Query(_) | Deed::Opaque { .. } => None,
    }
}
