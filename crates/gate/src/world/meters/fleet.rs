//! What all machines of a fleet count together, as a question to where it is counted.

use super::{CallEnd, MeterUse};
use crate::failure::Failure;

/// A limit or a budget of a fleet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FleetMeter {
    /// The same on every machine.
    pub number: u64,
    pub counts: FleetUnit,
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FleetUnit {
    /// Calls.
    Calls,
    /// Millionths of a US dollar.
    Money,
}

/// A question how far a limit or a budget is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FleetCount {
    pub meter: FleetMeter,
    /// The call that takes what it needs if that fits. `None`: it is only looked at.
    pub key: Option<u64>,
    /// What the call needs.
    pub needs: u64,
    /// What there is.
    pub of: u64,
    /// Milliseconds. 0: without an end.
    pub window: u64,
}

/// Where what machines share is counted.
pub trait FleetStore {
    /// How far a limit or a budget is used; the call takes what it needs if that fits, and what it took before counts as its own.
    ///
    /// # Errors
    ///
    /// [`Failure::StateUnusable`]
    fn count(&self, count: &FleetCount) -> Result<MeterUse, Failure>;

    /// The call has ended. `told`: what it cost by its own answer.
    ///
    /// # Errors
    ///
    /// [`Failure::StateUnusable`]
    fn end(&self, meter: FleetMeter, key: u64, how: CallEnd, told: Option<u64>) -> Result<(), Failure>;

    /// Money was spent beside calls, in millionths of a US dollar.
    ///
    /// # Errors
    ///
    /// [`Failure::StateUnusable`]
    fn spend(&self, meter: FleetMeter, micro: u64) -> Result<(), Failure>;
}
