//! In which phase the work of a work tree is: one line in a file of the repository's memory, which is replaced as a whole, so
//! that a kill leaves the old state or the new one. Changes are made under a lock.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use actions::json::{Json, quoted};

use super::Surroundings;
use super::record::{self, in_first, lock};
use super::state::folder_name;
use super::system::now_ms;
use crate::record::{Entry, RecordSource, hash};

/// How often the lock is tried, and how long is waited in between: 2 s in all.
const TRIES: u32 = 4000;
const PAUSE: Duration = Duration::from_micros(500);
/// The format of the file.
const FORMAT: u64 = 1;
/// Larger files are not ours.
const MAX_BYTES: u64 = 64 << 10;

/// Where the work is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PhaseState {
    /// Empty: no phase was begun.
    pub phase: String,
    /// Counts the changes of phase, so that what was done in one phase differs from what was done in the next.
    pub number: u64,
    /// When the phase began, in milliseconds since 1970.
    pub since: u64,
    /// The commit that was checked out then; empty: there was no commit.
    pub head: String,
    /// As [`Self::head`], when the first phase began.
    pub begun: String,
    /// Phases that were entered since a person moved the work last.
    pub steps: u32,
    /// How often the phase's agent was started in it.
    pub tries: u32,
    /// The autonomy that the policy had last.
    pub autonomy: String,
    /// Moves for which all gates were passed, and actions that gates stopped.
    pub passed: u32,
    pub stopped: u32,
    /// Who moved the work last.
    pub by: String,
}

/// A file of the state that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DamagedPhase(pub PathBuf);

/// A move of the work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhaseMove {
    /// [`PhaseState::number`] when it was decided on. If it is another one by now, nothing is moved.
    pub number: u64,
    /// The phase. The present one: its agent was started once more.
    pub to: String,
    /// The work begins anew with it.
    pub first: bool,
    /// A person moved it.
    pub person: bool,
    /// It is an agent of the phase that starts.
    pub starts: bool,
    /// The commit that is checked out.
    pub head: String,
    pub by: String,
    /// What was there.
    pub evidence: String,
}

/// The name of the file of a work tree.
#[must_use]
pub fn name(tree: &Path) -> String {
    format!("phase.{}", folder_name(tree))
}

/// Where the work of this work tree is.
///
/// # Errors
///
/// [`DamagedPhase`]: what the file says cannot be believed.
pub fn read(around: &Surroundings) -> Result<PhaseState, DamagedPhase> {
    let found = around.memory.iter().map(|folder| folder.join(name(around.tree()))).find(|path| fs::symlink_metadata(path).is_ok());
    found.map_or_else(|| Ok(PhaseState::default()), |path| read_file(&path))
}

fn read_file(path: &Path) -> Result<PhaseState, DamagedPhase> {
    let whole = || {
        if !fs::metadata(path).ok().is_some_and(|found| found.is_file() && found.len() <= MAX_BYTES) {
            return None;
        }
        let text = fs::read_to_string(path).ok()?;
        let (sum, line) = text.strip_suffix('\n')?.split_once(' ')?;
        if u64::from_str_radix(sum, 16).ok()? != hash(line.as_bytes()) {
            return None;
        }
        let json = Json::read(line.as_bytes()).ok()?;
        let number = |key: &str| json.get(key)?.scalar()?.parse::<u64>().ok();
        let text = |key: &str| json.text(key).map(str::to_owned);
        let small = |key: &str| number(key).and_then(|number| u32::try_from(number).ok());
        if number("v")? != FORMAT {
            return None;
        }
        Some(PhaseState {
            phase: text("phase")?,
            number: number("number")?,
            since: number("since")?,
            head: text("head")?,
            begun: text("begun")?,
            steps: small("steps")?,
            tries: small("tries")?,
            autonomy: text("autonomy")?,
            passed: small("passed")?,
            stopped: small("stopped")?,
            by: text("by")?,
        })
    };
    whole().ok_or_else(|| DamagedPhase(path.to_path_buf()))
}

impl PhaseState {
    fn line(&self) -> String {
        let [phase, head, begun, autonomy, by] = [&self.phase, &self.head, &self.begun, &self.autonomy, &self.by].map(|text| quoted(text));
        let Self { number, since, steps, tries, passed, stopped, .. } = self;
        let line = format!(
            "{{\"v\":{FORMAT},\"phase\":{phase},\"number\":{number},\"since\":{since},\"head\":{head},\"begun\":{begun},\"steps\":{steps},\"tries\":{tries},\"autonomy\":{autonomy},\"passed\":{passed},\"stopped\":{stopped},\"by\":{by}}}"
        );
        format!("{:016x} {line}\n", hash(line.as_bytes()))
    }

    /// The state after a move.
    #[must_use]
    pub fn moved(self, to: &PhaseMove) -> Self {
        if self.phase == to.to && !to.person {
            return Self { tries: self.tries.saturating_add(u32::from(to.starts)), ..self };
        }
        Self {
            phase: to.to.clone(),
            number: self.number.saturating_add(1),
            since: now_ms(),
            head: to.head.clone(),
            begun: if to.first { to.head.clone() } else { self.begun },
            steps: if to.person { 0 } else { self.steps.saturating_add(1) },
            tries: u32::from(to.starts),
            passed: self.passed.saturating_add(1),
            by: to.by.clone(),
            ..self
        }
    }
}

/// Replaces the state by what `make` makes of it; nothing if it makes nothing. A damaged file is put aside only with `renew`.
///
/// # Errors
///
/// The system's; [`io::ErrorKind::WouldBlock`] if another process keeps the lock; [`io::ErrorKind::InvalidData`] if the file
/// is damaged.
pub fn change(around: &Surroundings, renew: bool, make: impl Fn(PhaseState) -> Option<PhaseState>) -> io::Result<()> {
    let name = name(around.tree());
    in_first(&around.memory, |folder| {
        let guard = record::open(&folder.join("phase.lock"))?;
        lock(&guard, TRIES, PAUSE)?;
        let path = folder.join(&name);
        let old = if fs::symlink_metadata(&path).is_ok() { read_file(&path) } else { Ok(PhaseState::default()) };
        let old = match old {
            Ok(old) => old,
            Err(DamagedPhase(path)) if renew => {
                fs::rename(&path, folder.join(format!("{name}.damaged.{}", now_ms())))?;
                PhaseState::default()
            }
            Err(DamagedPhase(path)) => return Err(io::Error::new(io::ErrorKind::InvalidData, format!("`{}` is damaged", path.display()))),
        };
        let Some(new) = make(old) else { return Ok(()) };
        let beside = folder.join(format!(".{name}.{}", std::process::id()));
        let written = File::create(&beside).and_then(|mut file| file.write_all(new.line().as_bytes())).and_then(|()| fs::rename(&beside, &path));
        if written.is_err() {
            let _ = fs::remove_file(&beside);
        }
        written
    })
}

/// Moves the work, and records it. Of two that move it at once, the first does.
///
/// # Errors
///
/// As [`change`].
pub fn go(to: &PhaseMove, around: &Surroundings) -> io::Result<()> {
    let from = std::cell::RefCell::new(None);
    change(around, to.person, |state| {
        if state.number != to.number && !to.person {
            return None;
        }
        let old = state.phase.clone();
        let new = state.moved(to);
        *from.borrow_mut() = Some(old);
        Some(new)
    })?;
    match from.into_inner() {
        Some(from) if from != to.to || to.person => note(&format!("phase: {} -> {}", shown(&from), to.to), &format!("by {}: {}", to.by, to.evidence), around),
        _ => Ok(()),
    }
}

/// A phase in a sentence.
#[must_use]
pub fn shown(phase: &str) -> &str {
    if phase.is_empty() { "no phase" } else { phase }
}

/// Writes a line of the record about phases.
///
/// # Errors
///
/// The system's.
pub fn note(said: &str, what: &str, around: &Surroundings) -> io::Result<()> {
    let entry = Entry {
        session: around.session.clone(),
        agent_id: around.agent.clone(),
        said: said.to_owned(),
        what: what.to_owned(),
        ..Entry::new("phase", RecordSource::Cold, now_ms())
    };
    record::append(&around.memory, &entry.line(), None)
}

#[cfg(test)]
#[path = "phase_tests.rs"]
mod tests;
