//! Who a call is, for what limits and budgets keep of it. Some clients give a call an id in one event, and none in another.

use super::{ENDED, SAME, value, words};
use crate::record::{hash, hash_all, hash_of};
use crate::world::store::{Slot, Store};
use clients::Event;

/// What the key of a record is changed by that leads from what a call is to its id.
const ALIAS: u64 = 0x616c_6961_735f_6f66;

/// Who a call is, for its files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallIdentity {
    pub(super) key: u64,
    pub(super) session: u64,
    /// What it is: who makes it, with which tool and which input.
    like: u64,
    /// The client gives it an id. Without one it is known by what it is.
    pub(super) has_id: bool,
}

impl CallIdentity {
    /// The identity of an event's call. `None`: it has none.
    #[must_use]
    pub fn of(event: &Event) -> Option<Self> {
        let tool = event.tool.as_ref()?;
        let session = hash(event.session.as_bytes());
        let agent = event.agent_id.as_deref().unwrap_or_default();
        let like = hash_all(&[&event.session, agent, &tool.name]) ^ hash_of(&tool.input);
        let key = event.call.as_ref().map_or(like, |id| hash_all(&[&event.session, id]));
        Some(Self { key, session, like, has_id: event.call.is_some() })
    }

    /// What the call can be found by: its id, and what it is, for events without the id.
    pub(in crate::world) fn keys(self) -> [u64; 2] {
        [self.key, self.like]
    }

    /// The record that leads from what a call is to its id. Claude Code 2.1.332 gives the id before a call, and not in its question
    /// to a person about the same call (recorded).
    pub(super) fn alias(self, clock: u64) -> Option<Slot> {
        self.has_id.then(|| Slot { key: self.like ^ ALIAS, time: clock, value: value([self.key, 0, 0, 0]) })
    }

    /// As the index knows it: an event without an id speaks of the equal call that began a moment before and has not ended.
    pub(super) fn known_as(self, index: &Store) -> Self {
        let began = |slot: &Slot| crate::world::system::now_ms().saturating_sub(slot.time) < SAME;
        let found = if self.has_id { None } else { index.get(self.like ^ ALIAS) };
        let Some(alias) = found.filter(began) else { return self };
        let [key, ..] = words(alias.value);
        let is_open = index.get(key).is_some_and(|slot| words(slot.value)[0] & ENDED == 0);
        if is_open { Self { key, has_id: true, ..self } } else { self }
    }
}
