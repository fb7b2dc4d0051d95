//! What all machines of a fleet count together, as a question to where it is counted.

use super::{CallEnd, MeterUse};
use crate::failure::Failure;

/// What is counted for all machines of a fleet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FleetCount {
    /// The limit.
    pub number: u64,
    /// The call that takes its places if it fits. `None`: it is only looked at.
    pub key: Option<u64>,
    /// Places that the call needs.
    pub needs: u64,
    /// Places that there are.
    pub of: u64,
    /// Milliseconds. 0: without an end.
    pub window: u64,
}

/// Where what machines share is counted.
pub trait FleetStore {
    /// How far a limit is used; the call takes what it needs if that fits, and what it took before counts as its own.
    ///
    /// # Errors
    ///
    /// [`Failure::StateUnusable`]
    fn count(&self, count: &FleetCount) -> Result<MeterUse, Failure>;

    /// The call has ended.
    ///
    /// # Errors
    ///
    /// [`Failure::StateUnusable`]
    fn end(&self, number: u64, key: u64, how: CallEnd) -> Result<(), Failure>;
}
