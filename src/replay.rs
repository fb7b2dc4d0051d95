//! Judges calls of the past anew, by the same function as the hook: those in transcripts of clients, in the record, and in
//! files of events. Nothing runs, and nothing is kept.
//!
//! What was true of the world then is mostly not known now. A call whose verdict hangs on that *could not be known*, unless the
//! record says which rules matched then. Such calls are counted apart from those that are stopped.

pub mod judging;
pub mod ongoing;
pub mod past;
pub mod refused;
pub mod sources;
pub mod suggest;
pub mod tally;
pub mod texts;
