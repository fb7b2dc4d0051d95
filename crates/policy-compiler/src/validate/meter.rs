//! Reads `[[limit]]`, `[[budget]]` and `[[result]]`. Each row that speaks of calls becomes a rule of tier 2 with a meter. Every
//! layer may add some: each only tightens.

use std::ops::Range;

use super::layers::Head;
use super::rule::{Subject, name, prose, subject, tier_of};
use super::when::WhenReader;
use super::{Named, PolicyDocument, PolicyMistake};
use crate::schema::{SpannedText, SpannedValue};
use policy::table::TableReader as _;
use policy::{Budget, Cost, EveryCall, FollowUp, Layer, Limit, Meter, MeterScope, Period, Rule, Tier, When};

/// Milliseconds of the units in which windows are written.
const UNITS: &[(&str, u64)] = &[("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];
/// The longest window.
const LONGEST: u64 = 31 * 86_400_000;
/// Where a limit names no scope.
const USUAL_SCOPE: MeterScope = MeterScope::Repository;
/// The share in percent at which the model is warned where a budget does not say.
const USUAL_WARNING: u8 = 80;
/// Millionths of a US dollar.
const MICRO: f64 = 1_000_000.0;
/// The largest budget in US dollars.
const MOST: f64 = 1_000_000.0;

/// What a limit counts, and where its name is.
pub(super) enum LimitOf<'t> {
    /// Calls that a rule speaks of.
    Calls(Box<Rule<'t>>, Range<usize>),
    /// All calls.
    EveryCall(EveryCall<'t>, Range<usize>),
}

/// Reads a limit. `place` comes with whether the layer only watches.
pub(super) fn limit<'t>(
    table: &SpannedValue<'t>,
    head: &Head<'t>,
    (place, shadow): (&'t str, bool),
    reader: &mut WhenReader<'_, 't, '_>,
) -> Option<LimitOf<'t>> {
    let every = When::KINDS.iter().all(|kind| table.get(kind.name).is_none());
    let subject = if every { None } else { Some(subject(table, "a limit", reader)) };
    for (key, _) in table.entries().iter().filter(|(key, _)| every && ["unless", "where", "for_agents"].contains(&key.text)) {
        reader.checker.mistake(&key.span, format!("`{}` in a limit on all calls", key.text), "say which calls are counted, for example with `run` or `call`");
    }
    let max = table.get("max").and_then(|value| {
        let number = value.as_number()?;
        let max = u32::try_from(number).ok().filter(|max| *max <= Limit::MOST);
        if max.is_none() {
            reader.checker.mistake(&value.span, format!("`max` is {number}"), format!("write a number from 0 to {}", Limit::MOST));
        }
        max
    });
    let scope = table.text("scope").map_or(Some(USUAL_SCOPE), |scope| reader.checker.named(&scope, MeterScope::NAMES, "scope"));
    let window = table.text("per").and_then(|per| window(&per, reader));
    if let (Some(0), Some(MeterScope::Repository | MeterScope::Machine | MeterScope::Fleet), Some(per)) = (window, scope, table.text("per")) {
        reader.checker.mistake(
            &per.span,
            "`per = \"session\"` needs a scope within a session",
            "write `scope = \"session\"` or `scope = \"agent\"`, or a time",
        );
    }
    let over = over(table, reader);
    let name = name(table, "limit", reader)?;
    let limit = Limit { max: max?, window: window?, scope: scope?, over: over? };
    let Some(subject) = subject else {
        let text = |key: &str, reader: &mut WhenReader<'_, 't, '_>| prose(table, key, reader).map_or("", |text| text.text);
        let (reason, instead) = (text("reason", reader), text("instead", reader));
        return Some(LimitOf::EveryCall(EveryCall { name: name.text, place, layer: head.document.layer, shadow, limit, reason, instead }, name.span));
    };
    let rule = metered((name.text, place), subject?, head, Meter::Limit(limit), table, reader);
    Some(LimitOf::Calls(Box::new(rule), name.span))
}

/// Reads a budget and the rows of its costs. `place` comes with whether the layer only watches.
pub(super) fn budget<'t>(
    table: &SpannedValue<'t>,
    head: &Head<'t>,
    (place, shadow): (&'t str, bool),
    reader: &mut WhenReader<'_, 't, '_>,
) -> Option<(Budget<'t>, Vec<Rule<'t>>)> {
    let micro = table.get("usd").and_then(|value| usd(&value, "usd", reader));
    let per = table.text("per").and_then(|per| reader.checker.named(&per, Period::NAMES, "period"));
    let warn = match table.get("warn") {
        None => Some(USUAL_WARNING),
        Some(value) => share(&value, reader),
    };
    let over = over(table, reader);
    let name = name(table, "budget", reader)?;
    let mut tokens = false;
    let mut costs = Vec::new();
    for row in table.tables("costs") {
        if let Some(source) = row.text("tokens") {
            tokens |= reader.checker.named(&source, &[("transcript", ())], "source of tokens").is_some();
            for (key, _) in row.entries().iter().filter(|(key, _)| key.text != "tokens") {
                reader.checker.mistake(&key.span, format!("`{}` beside `tokens`", key.text), "write a row of its own for the cost of calls");
            }
            continue;
        }
        let at = row.text("usd_at");
        if let Some(at) = at.as_ref().filter(|at| !at.text.starts_with('/')) {
            reader.checker.mistake(&at.span, format!("`{}` is no JSON pointer", at.text), "write it like `/price/usd`");
        }
        let price = row.get("usd").map(|value| usd(&value, "usd", reader));
        if price.is_none() && at.is_none() {
            reader.checker.mistake(&row.span, "a cost without a price", "add `usd`, or `usd_at` with the place of the price in the tool's answer");
        }
        if let Some(subject) = subject(&row, "a cost", reader) {
            let cost = Cost { budget: name.text, micro: price.flatten().unwrap_or(0), at: at.map_or("", |at| at.text) };
            let row_place = reader.patterns.keep(&head.document.place(&row.span));
            costs.push(Rule { shadow, ..metered((name.text, row_place), subject, head, Meter::Cost(cost), table, reader) });
        }
    }
    let fleet = table.text("scope").is_some_and(|scope| reader.checker.named(&scope, &[("repo", false), ("fleet", true)], "scope") == Some(true));
    if let (true, Some(per), Some(text)) = (fleet, per, table.text("per"))
        && per != Period::Day
    {
        reader.checker.mistake(
            &text.span,
            format!("`per = \"{}\"` in a budget of a fleet", per.name()),
            "write `per = \"day\"`: sessions and branches are of one machine",
        );
    }
    let unknown = table.text("unknown");
    let needs_transcript = unknown.as_ref().is_some_and(|what| reader.checker.named(what, &[("note", false), ("deny", true)], "answer") == Some(true));
    if let (Some(what), false) = (&unknown, tokens) {
        let fix = "add the row `{ tokens = \"transcript\" }` to `costs`: without it nothing can be unknown";
        reader.checker.mistake(&what.span, "`unknown` in a budget that counts no tokens", fix);
    }
    let reason = prose(table, "reason", reader).map_or("the money that this is allowed to cost is spent", |text| text.text);
    let instead = prose(table, "instead", reader).map_or("tell the user what was spent, and what is still to do", |text| text.text);
    Some((
        Budget {
            name: name.text,
            place,
            layer: head.document.layer,
            micro: micro?,
            per: per?,
            warn: warn?,
            over: over?,
            tokens,
            needs_transcript,
            fleet,
            shadow,
            reason,
            instead,
        },
        costs,
    ))
}

/// Reads a result: the rule, what must follow before the turn ends, and where its name is.
pub(super) fn result<'t>(
    table: &SpannedValue<'t>,
    head: &Head<'t>,
    (place, shadow): (&'t str, bool),
    reader: &mut WhenReader<'_, 't, '_>,
) -> Option<(Rule<'t>, Option<FollowUp<'t>>, Range<usize>)> {
    let subject = subject(table, "a result", reader);
    let finds = reader.args(table, "finds");
    let calls = reader.texts(table, "follow");
    let holds = table.text("holds").is_some_and(|holds| reader.checker.named(&holds, &[("stop", ())], "moment").is_some());
    if let Some(value) = table.get("holds").filter(|_| calls.is_empty()) {
        reader.checker.mistake(&value.span, "`holds` without `follow`", "add `follow` with the tool that must be called before the turn ends");
    }
    let name = name(table, "result", reader)?;
    let shown = reader.patterns.keep(&table.words("follow").join(", "));
    let follow_up = (holds && !calls.is_empty()).then_some(FollowUp { name: name.text, place, calls, shown, shadow });
    let rule = metered((name.text, place), subject?, head, Meter::Result(finds), table, reader);
    // What follows is named where the policy says nothing else.
    let instead = if rule.instead.is_empty() && !shown.is_empty() { reader.patterns.keep(&format!("call {shown}")) } else { rule.instead };
    Some((Rule { instead, ..rule }, follow_up, name.span))
}

/// A name that is taken by a budget, or by a limit on all calls.
pub(super) struct Taken<'n, 't> {
    pub(super) name: &'t str,
    pub(super) place: &'t str,
    pub(super) document: &'t PolicyDocument<'t>,
    pub(super) span: &'n Range<usize>,
}

/// Reports names that are taken twice, or that a rule has.
pub(super) fn unique(taken: &[Taken], named: &[Named<Rule>], mistakes: &mut Vec<PolicyMistake>) {
    for (at, one) in taken.iter().enumerate() {
        let twins = taken.iter().take(at).filter(|other| other.name == one.name);
        // The same project in two work trees: each may hold another version of its policy, and both hold.
        let project = |document: &PolicyDocument| document.layer == Layer::Project;
        let again = |other: &Taken| project(one.document) && project(other.document) && !std::ptr::eq(one.document, other.document);
        let first = twins.filter(|other| !again(other)).map(|other| other.place).next();
        if let Some(first) = first.or_else(|| named.iter().find(|rule| rule.it.name == one.name).map(|rule| rule.it.place)) {
            let what = format!("the name `{}` is taken: {first} has it too", one.name);
            one.document.checker(mistakes).mistake(one.span, what, "give it another name");
        }
    }
}

fn metered<'t>(
    (name, place): (&'t str, &'t str),
    subject: Subject<'t>,
    head: &Head<'t>,
    meter: Meter<'t>,
    table: &SpannedValue<'t>,
    reader: &mut WhenReader<'_, 't, '_>,
) -> Rule<'t> {
    let Subject { when, unless, conditions, for_agents } = subject;
    Rule {
        name,
        pack: head.pack,
        place,
        layer: head.document.layer,
        tier: Tier::Metered,
        shadow: false,
        open: false,
        tell: false,
        when,
        unless,
        conditions,
        for_agents,
        meter: Some(meter),
        reason: prose(table, "reason", reader).map_or("", |text| text.text),
        instead: prose(table, "instead", reader).map_or("", |text| text.text),
    }
}

/// `30s`, `1m`, `24h`, `7d` or `session`, in milliseconds.
fn window(per: &SpannedText, reader: &mut WhenReader) -> Option<u64> {
    if per.text == "session" {
        return Some(0);
    }
    let unit = UNITS.iter().find_map(|(unit, milliseconds)| Some((per.text.strip_suffix(unit)?, milliseconds)));
    let window = unit.and_then(|(number, milliseconds)| number.parse::<u64>().ok()?.checked_mul(*milliseconds));
    let known = window.filter(|window| (1..=LONGEST).contains(window));
    if known.is_none() {
        reader.checker.mistake(
            &per.span,
            format!("`{}` is no window", per.text.escape_debug()),
            "write it like `30s`, `1m`, `1h`, `1d` (31 days at the most) or `session`",
        );
    }
    known
}

fn over(table: &SpannedValue, reader: &mut WhenReader) -> Option<Tier> {
    let Some(value) = table.get("over") else { return Some(Tier::Supervised) };
    let tier = tier_of(&value, reader)?;
    if tier < Tier::Supervised {
        reader.checker.mistake(&value.span, "`over` of this tier stops nothing", "write 3 (a person decides) or 4 (denied)");
    }
    Some(tier)
}

/// Millionths of a US dollar, rounded up: a price is never taken for less.
fn usd(value: &SpannedValue, key: &str, reader: &mut WhenReader) -> Option<u64> {
    let amount = value.as_decimal().filter(|amount| (0.0..=MOST).contains(amount));
    if amount.is_none() {
        reader.checker.mistake(&value.span, format!("`{key}` is no amount of money"), format!("write US dollars as a number from 0 to {MOST}, like 5.00"));
    }
    // In range, and the sign is known.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in range, and the sign is known")]
    amount.map(|amount| (amount * MICRO - 1e-3).ceil().max(0.0) as u64)
}

/// A share like 0.8, in percent.
fn share(value: &SpannedValue, reader: &mut WhenReader) -> Option<u8> {
    let share = value.as_decimal().filter(|share| (0.0..=1.0).contains(share));
    if share.is_none() {
        reader.checker.mistake(&value.span, "`warn` is no share", "write a number from 0 to 1, like 0.8");
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in range, and the sign is known")]
    share.map(|share| (share * 100.0).round() as u8)
}
