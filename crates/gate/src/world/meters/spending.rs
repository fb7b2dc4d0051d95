//! Money that is spent beside calls, and prices that answers name.

use std::fs;

use super::super::Surroundings;
use super::super::store::{CALLS, RAISES, Store};
use super::super::system::now_ms;
use super::{FleetCount, FleetStore, MeterUse, OpenMeter, Opened, budget_file, counts_here, open, raised, unwritable};
use crate::failure::Failure;
use crate::record::hash;
use clients::Event;
use policy::Budget;

/// What a call cost by its own answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnsweredPrice {
    pub(super) file: u64,
    pub(super) micro: u64,
}

impl AnsweredPrice {
    /// Millionths of a US dollar that a budget of whoever acts has to bear.
    #[must_use]
    pub fn of(budget: &Budget, micro: u64, around: &Surroundings) -> Self {
        Self { file: budget_file(budget, around).number(), micro }
    }
}

/// How far a budget is used, whatever the call. Nothing is reserved.
///
/// # Errors
///
/// As [`standing`].
pub fn spent(budget: &Budget, around: &Surroundings, fleet: Option<&dyn FleetStore>) -> Result<MeterUse, Failure> {
    let file = budget_file(budget, around);
    let of = budget.micro.saturating_add(raised(Store::look(&around.memory, RAISES).as_ref(), budget.name));
    if let (Some(meter), Some(fleet)) = (file.of_fleet(), fleet) {
        return fleet.count(&FleetCount { meter, key: None, needs: 0, of, window: 0 });
    }
    let file = file.on_this_machine();
    let opened = match counts_here(around) {
        Some(memory) => open(file, memory, false)?,
        None => None,
    };
    Ok(OpenMeter { file, opened, needs: 0, of, window: 0, of_metered: &[] }.standing(None, now_ms()))
}

/// Whether the client names a transcript that exists and whose form is known.
#[must_use]
pub fn has_transcript(event: &Event) -> bool {
    event.client.transcript().is_some() && event.transcript.as_ref().is_some_and(|path| fs::exists(path).unwrap_or(false))
}

/// The name of the file that says how far a session's transcript was read.
#[must_use]
pub fn spend_file(around: &Surroundings) -> String {
    format!("spend.{:016x}.json", hash(around.session.as_bytes()))
}

/// Seconds between two looks into a transcript while calls are made.
const LOOKED: u64 = 10;

/// Whether the transcript was not looked into for some time.
#[must_use]
pub fn spend_is_due(around: &Surroundings) -> bool {
    let name = spend_file(around);
    let looked = around.memory.iter().find_map(|folder| fs::metadata(folder.join(&name)).and_then(|found| found.modified()).ok());
    looked.and_then(|looked| looked.elapsed().ok()).is_none_or(|elapsed| elapsed.as_secs() >= LOOKED)
}

/// Adds what was spent beside calls, and says how far the budget is used then.
///
/// # Errors
///
/// As [`standing`].
pub fn spend(budget: &Budget, micro: u64, around: &Surroundings, fleet: Option<&dyn FleetStore>) -> Result<MeterUse, Failure> {
    let file = budget_file(budget, around);
    match (file.of_fleet(), fleet) {
        _ if micro == 0 => {}
        (Some(meter), Some(fleet)) => fleet.spend(meter, micro)?,
        _ => {
            let index = Store::open(&around.memory, CALLS).map_err(|error| unwritable(&error))?;
            if let Some(Opened::Ledger(mut ledger)) = open(file.on_this_machine(), index.folder(), true)? {
                ledger.spend(micro);
                ledger.keep().map_err(|error| unwritable(&error))?;
            }
        }
    }
    spent(budget, around, fleet)
}
