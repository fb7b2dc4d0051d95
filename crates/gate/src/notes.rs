//! What a judgement leaves behind, as data: applied once, after the answer is known. `explain` and dry runs show notes
//! and apply none.

use std::io;

use crate::failure::{Conclusion, Failure, conclude};
use crate::record::Entry;
use crate::stall::SeenCall;
use crate::world::phase::{self, PhaseMove};
use crate::world::{Surroundings, World, pending, record, state, trail, written};
use clients::MomentKind;

/// One thing that a judgement leaves behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// The line of the last refusal, for `explain --last`.
    LastRefusal(String),
    /// Files that the session writes anew, by their full paths. Scripts among them are judged like the call that runs them.
    Written(Vec<String>),
    /// What a rule has to say about an allowed call. The model reads it once a session and rule, after the call.
    Tell { rule: String, text: String },
    /// The work moves to another phase.
    Phase(PhaseMove),
    /// A denied try, for those who look for circles.
    Tried(SeenCall),
    /// A line of the record.
    Record(Box<Entry>),
}

/// Applies notes, and returns whether all could be. What cannot be kept never changes a verdict.
pub fn apply(notes: &[Note], around: &Surroundings, world: &World) -> bool {
    let mut kept = true;
    for note in notes {
        let (done, lost): (io::Result<()>, fn(String) -> Failure) = match note {
            Note::LastRefusal(line) => (state::write_last(&world.states, &around.root, line), Failure::LastUnwritable),
            Note::Written(files) => (written::remember(files, around), Failure::RecordUnwritable),
            Note::Tell { rule, text } => (pending::tell(rule, text, around), Failure::RecordUnwritable),
            Note::Phase(to) => (phase::go(to, around), Failure::RecordUnwritable),
            Note::Tried(call) => (trail::add(*call, around).map(|_| ()), Failure::RecordUnwritable),
            Note::Record(entry) => {
                let written = entry.line_with_twin();
                (record::append(&around.memory, &written.line, written.twin()), Failure::RecordUnwritable)
            }
        };
        if let Err(error) = done {
            debug_assert_eq!(conclude(&lost(error.to_string()), MomentKind::Guarding), Conclusion::GoOn);
            kept = false;
        }
    }
    kept
}
