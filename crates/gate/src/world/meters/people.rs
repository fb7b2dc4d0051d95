//! What people do with limits and budgets: look at them, raise them, count anew.

use std::fs;
use std::path::PathBuf;

use super::super::Surroundings;
use super::super::store::{CALLS, RAISES, Slot, Store};
use super::super::system::now_ms;
use super::{FleetCount, FleetStore, MeterUse, OpenMeter, budget_file, counts_here, every_file, limit_file, open, raised, unwritable, value};
use crate::failure::Failure;
use crate::record::hash_all;
use policy::{EveryCall, Limit, Meter, Period, Policy, Tiers};

/// Raises a limit or a budget by some calls or millionths of a US dollar, until a time in milliseconds since 1970.
///
/// # Errors
///
/// It cannot be kept.
pub fn raise(name: &str, more: u64, until: u64, around: &Surroundings) -> Result<(), Failure> {
    let slot = Slot { key: hash_all(&["raise", name]), time: now_ms(), value: value([more, until, 0, 0]) };
    let kept = Store::open(&around.memory, RAISES).and_then(|mut store| store.update(slot.key, |_| Some(slot)));
    kept.map(|_| ()).map_err(|error| unwritable(&error))
}

/// A limit or a budget of a policy, and how far it is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeterState {
    pub name: String,
    /// `portcullis.toml:12`
    pub place: String,
    pub kind: MeterKind,
    pub standing: MeterUse,
}

/// What a meter counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MeterKind {
    /// Calls.
    Limit(Limit),
    /// Money, for a period.
    Budget(Period),
}

/// Every limit and budget of a policy, as the session of `around` has it. Nothing is changed. Those of a fleet are left out
/// without `fleet`.
///
/// # Errors
///
/// As [`standing`], or [`Failure::RuleDamaged`].
pub fn states(policy: &Policy, around: &Surroundings, fleet: Option<&dyn FleetStore>) -> Result<Vec<MeterState>, Failure> {
    let Tiers { budgets, every_call, .. } = policy.tiers().ok_or(Failure::RuleDamaged)?;
    let mut all = Vec::new();
    for rule in policy.all_rules().ok_or(Failure::RuleDamaged)? {
        if let Some(Meter::Limit(limit)) = rule.meter {
            all.push((rule.name, rule.place, MeterKind::Limit(limit), limit_file(rule.name, limit, around), limit.max.into(), limit.window));
        }
    }
    for EveryCall { name, place, limit, .. } in &every_call {
        all.push((*name, *place, MeterKind::Limit(*limit), limit_file(name, *limit, around), limit.max.into(), limit.window));
    }
    all.extend(budgets.iter().map(|budget| (budget.name, budget.place, MeterKind::Budget(budget.per), budget_file(budget, around), budget.micro, 0)));
    let memory = counts_here(around);
    let raises = Store::look(&around.memory, RAISES);
    let mut states = Vec::new();
    for (name, place, kind, file, of, window) in all {
        let of = of + raised(raises.as_ref(), name);
        let standing = match (file.of_fleet(), fleet, memory) {
            (Some(meter), Some(fleet), _) => fleet.count(&FleetCount { meter, key: None, needs: 0, of, window })?,
            (Some(_), None, _) => continue,
            (None, _, memory) => {
                let opened = memory.map_or(Ok(None), |memory| open(file, memory, false))?;
                OpenMeter { file, opened, needs: 0, of, window, of_metered: &[] }.standing(None, now_ms())
            }
        };
        states.push(MeterState { name: name.to_owned(), place: place.to_owned(), kind, standing });
    }
    Ok(states)
}

/// What was done with a file of a meter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResetFile {
    pub path: PathBuf,
    /// Where its bytes are now.
    pub kept: PathBuf,
    /// It was damaged.
    pub damaged: bool,
}

/// Puts files of limits and budgets aside, so that counting begins anew: damaged ones alone, or all. With `dry`, it only says
/// which.
///
/// # Errors
///
/// A file that cannot be put aside.
pub fn reset(around: &Surroundings, all: bool, dry: bool) -> Result<Vec<ResetFile>, Failure> {
    let Some(memory) = counts_here(around) else { return Ok(Vec::new()) };
    let _index = Store::open(&around.memory, CALLS).map_err(|error| unwritable(&error))?;
    let mut done = Vec::new();
    for file in every_file(memory) {
        let damaged = matches!(open(file, memory, false), Err(Failure::StateDamaged(_)));
        let path = file.path(memory);
        if damaged || (all && path.exists()) {
            let kept = path.with_extension(format!("{}.{}", if damaged { "damaged" } else { "reset" }, now_ms()));
            if !dry {
                fs::rename(&path, &kept).map_err(|error| unwritable(&error))?;
            }
            done.push(ResetFile { path, kept, damaged });
        }
    }
    Ok(done)
}
