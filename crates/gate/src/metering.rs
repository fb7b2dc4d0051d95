//! What limits and budgets conclude of a call: findings, from how far they are used. The words for amounts and times.
#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros)]

use policy::decide::Metered;
use policy::verdict::{Finding, UsedUp};
use policy::{Budget, EveryCall, Limit, Meter, MeterScope, Period, Tier};

use crate::world::meters::{MeterKind, MeterState, MeterUse};
use actions::shown::escaped;

/// Units of times, the largest first: milliseconds, and the word.
const UNITS: [(u64, &str); 4] = [(86_400_000, "day"), (3_600_000, "hour"), (60_000, "minute"), (1_000, "second")];

/// What limits and budgets find: each that has no room for the call, and each budget of which a large share is spent.
/// `standings` are the answers for `metered`, in its order.
#[must_use]
pub fn findings(metered: &[Metered], standings: &[MeterUse], budgets: &[Budget]) -> Vec<Finding> {
    let mut found: Vec<Finding> = Vec::new();
    for (entry, standing) in metered.iter().zip(standings) {
        let finding = match &entry.meter {
            Meter::Limit(limit) if !standing.fits() => Some(over_limit(&entry.finding, *limit, standing)),
            Meter::Limit(_) | Meter::Result(_) | Meter::Gate(_) | Meter::Phase(_) => None,
            Meter::Cost(cost) => {
                let budget = budgets.iter().find(|budget| budget.name == cost.budget);
                budget.and_then(|budget| of_budget(Some(&entry.finding), budget, standing))
            }
        };
        // Several rows of one budget have one answer.
        found.extend(finding.filter(|finding| found.iter().all(|known| known.rule != finding.rule)));
    }
    found
}

/// What a call costs: several budgets may count the same money, so the one that counts most of it says it.
#[must_use]
pub fn price(metered: &[Metered]) -> u64 {
    let mut sums: Vec<(&str, u64)> = Vec::new();
    for entry in metered {
        let Meter::Cost(cost) = &entry.meter else { continue };
        let more = cost.micro.saturating_mul(u64::from(entry.times));
        match sums.iter_mut().find(|(budget, _)| *budget == cost.budget) {
            Some((_, sum)) => *sum = sum.saturating_add(more),
            None => sums.push((cost.budget, more)),
        }
    }
    sums.into_iter().map(|(_, sum)| sum).max().unwrap_or(0)
}

/// A limit on all calls, as one that speaks of this call.
#[must_use]
pub fn of_every_call<'p>(every: &EveryCall<'p>) -> Metered<'p> {
    let EveryCall { name, place, layer, shadow, limit, reason, instead } = every;
    let finding = Finding::of_section(layer.name(), name, place, Tier::Metered, *shadow);
    let finding = Finding { reason: (*reason).to_owned(), instead: (*instead).to_owned(), action: "a tool call".to_owned(), ..finding };
    Metered { meter: Meter::Limit(*limit), times: 1, finding }
}

fn over_limit(finding: &Finding, limit: Limit, standing: &MeterUse) -> Finding {
    let MeterUse { used, needs, of, opens_in, .. } = standing;
    let reason = match finding.reason.as_str() {
        "" => format!("only {of} {} {} {} allowed {}", calls(*of), window(limit.window), if *of == 1 { "is" } else { "are" }, whose(limit.scope)),
        reason => reason.to_owned(),
    };
    let needed = if *needs > 1 { format!(", and this one needs {needs}") } else { String::new() };
    let opens = opens_in.map(|seconds| format!("; it is allowed again in {}", duration(seconds))).unwrap_or_default();
    let told = format!("{used} of {of} are used, {} left{needed}{opens}", of.saturating_sub(*used));
    let instead = match (finding.instead.as_str(), opens_in) {
        ("", Some(seconds)) => format!("wait {}, and send the same call again", duration(*seconds)),
        ("", None) => "tell the user, who can raise the limit in the policy".to_owned(),
        (instead, _) => instead.to_owned(),
    };
    Finding { tier: limit.over, reason, told, instead, used_up: Some(UsedUp { opens_in: *opens_in }), ..finding.clone() }
}

/// What a budget finds of a call. `metered`: the call is one of its costs.
#[must_use]
pub fn of_budget(metered: Option<&Finding>, budget: &Budget, standing: &MeterUse) -> Option<Finding> {
    let MeterUse { used, needs, of, .. } = standing;
    let period = for_what(budget.per);
    let whole = || metered.cloned().unwrap_or_else(|| Finding::of_section(budget.layer.name(), budget.name, budget.place, budget.over, budget.shadow));
    if standing.is_crowded {
        let told = "too many calls with a price are under way at once".to_owned();
        let (reason, instead) = ("what this call costs cannot be added up".to_owned(), "let the other calls end, and send the same call again".to_owned());
        return Some(Finding { tier: budget.over, reason, told, instead, used_up: Some(UsedUp { opens_in: None }), ..whole() });
    }
    if !standing.fits() {
        let told = format!("{} of {} USD are spent {period}; this call costs {}", dollars(*used), dollars(*of), dollars(*needs));
        let (reason, instead) = (budget.reason.to_owned(), budget.instead.to_owned());
        return Some(Finding { tier: budget.over, reason, told, instead, used_up: Some(UsedUp { opens_in: None }), ..whole() });
    }
    let after = used.saturating_add(*needs);
    let near = budget.warn > 0 && u128::from(after) * 100 >= u128::from(*of) * u128::from(budget.warn);
    near.then(|| Finding {
        tier: Tier::Free,
        tell: true,
        reason: format!("{} of {} USD are spent {period}", dollars(after), dollars(*of)),
        instead: "finish what matters most, and tell the user".to_owned(),
        ..whole()
    })
}

/// What a budget finds of every call while it cannot be seen what the model costs.
#[must_use]
pub fn unseen(budget: &Budget) -> Finding {
    let finding = Finding::of_section(budget.layer.name(), budget.name, budget.place, budget.over, budget.shadow);
    Finding {
        reason: "what the model costs must be seen, and it cannot be".to_owned(),
        told: "the client names no transcript that exists and whose form is known".to_owned(),
        instead: "tell the user, who can write `unknown = \"note\"` in this budget".to_owned(),
        action: "a tool call".to_owned(),
        ..finding
    }
}

/// What is left of a limit or a budget, in one line.
#[must_use]
pub fn left(state: &MeterState) -> String {
    let MeterUse { used, of, .. } = state.standing;
    let (name, left) = (escaped(&state.name), of.saturating_sub(used));
    match state.kind {
        MeterKind::Limit(limit) => format!("limit `{name}`: {left} of {of} {} {} left {}", calls(of), window(limit.window), whose(limit.scope)),
        MeterKind::Budget(per) => format!("budget `{name}`: {} of {} USD left {}", dollars(left), dollars(of), for_what(per)),
    }
}

fn calls(number: u64) -> &'static str {
    if number == 1 { "call" } else { "calls" }
}

/// `in 1 minute`
#[must_use]
pub fn window(milliseconds: u64) -> String {
    if milliseconds == 0 { "in a session".to_owned() } else { format!("in {}", in_units(milliseconds)) }
}

fn in_units(milliseconds: u64) -> String {
    let (unit, word) = UNITS.into_iter().find(|(unit, _)| milliseconds.is_multiple_of(*unit)).unwrap_or((1_000, "second"));
    let number = milliseconds / unit;
    format!("{number} {word}{}", if number == 1 { "" } else { "s" })
}

/// `42 s`, `3 min 20 s`, `2 h 5 min`
#[must_use]
pub fn duration(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 if seconds.is_multiple_of(60) => format!("{} min", seconds / 60),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

/// `for this repository`
#[must_use]
pub fn whose(scope: MeterScope) -> &'static str {
    match scope {
        MeterScope::Session => "for this session",
        MeterScope::Agent => "for this agent",
        MeterScope::Repository => "for this repository",
        MeterScope::Machine => "for this machine",
        MeterScope::Fleet => "for all machines of this fleet",
    }
}

fn for_what(period: Period) -> &'static str {
    match period {
        Period::Session => "in this session",
        Period::Branch => "on this branch",
        Period::Day => "today",
        Period::Run => "in this run",
    }
}

/// Millionths of a US dollar as dollars: `5.00`, `0.0083`. Four places where two would hide something.
#[must_use]
pub fn dollars(micro: u64) -> String {
    let (whole, part) = (micro / 1_000_000, micro % 1_000_000);
    if part.is_multiple_of(10_000) { format!("{whole}.{:02}", part / 10_000) } else { format!("{whole}.{:04}", part.div_ceil(100)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_and_times_are_said_in_full() {
        for (micro, said) in [(0, "0.00"), (5_000_000, "5.00"), (8_300, "0.0083"), (1, "0.0001"), (1_250_000, "1.25"), (12_345_678, "12.3457")] {
            assert_eq!(dollars(micro), said, "{micro}");
        }
        for (seconds, said) in [(0, "0 s"), (59, "59 s"), (60, "1 min"), (200, "3 min 20 s"), (7_500, "2 h 5 min"), (90_000, "1 d 1 h")] {
            assert_eq!(duration(seconds), said, "{seconds}");
        }
        for (milliseconds, said) in
            [(0, "in a session"), (1_000, "in 1 second"), (60_000, "in 1 minute"), (5_400_000, "in 90 minutes"), (604_800_000, "in 7 days")]
        {
            assert_eq!(window(milliseconds), said, "{milliseconds}");
        }
    }
}
