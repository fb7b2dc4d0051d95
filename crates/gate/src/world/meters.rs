//! What calls used up of limits and budgets, for one repository and all its work trees.
//!
//! A call that is let through is reserved. It is used once it ran, and given back if it did not run. All changes are made
//! under the lock of the index of calls, so that parallel processes together never take more than there is.

mod fleet;
mod identity;
mod ledger;
mod people;
mod slots;
mod spending;

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Surroundings;
use super::repository::head_branch;
use super::state;
use super::store::{CALLS, PROMPTS, RAISES, Slot, Store, VALUE};
use super::system::now_ms;
use crate::failure::Failure;
use crate::record::{hash, hash_all};
pub use fleet::{FleetCount, FleetMeter, FleetStore, FleetUnit};
pub use identity::CallIdentity;
use ledger::{Ledger, ReservedCost};
pub use people::{MeterKind, MeterState, ResetFile, raise, reset, states};
use policy::decide::Metered;
use policy::{Budget, Limit, Meter, MeterScope, Period};
use slots::{CountedCall, IN_FLIGHT, SlotState, Slots};
pub use spending::{AnsweredPrice, has_transcript, spend, spend_file, spend_is_due, spent};

/// A pipe in the place of a file must not be waited for.
const FLAGS: i32 = libc::O_NONBLOCK | libc::O_NOCTTY;
/// How long a call without an id is the same as the one before it, in milliseconds: its question to a person comes with it.
const SAME: u64 = 60_000;
/// The folder of what all repositories of a user share, beside the repositories' own.
const MACHINE: &str = "machine";
/// Milliseconds of a day.
const DAY: u64 = 86_400_000;
/// What the files of budgets begin with that are over some time.
const PASSING: &str = "passing";
/// After so long without a change a file is of no use any more: it is longer than the longest window.
const OVER: Duration = Duration::from_hours(32 * 24);
/// How the names of files begin and end that are of a window, a session, a run or a day.
const OF_A_TIME: [(&str, &str); 4] = [("limit.", ".slots"), ("passing.", ".ledger"), ("spend.", ".json"), ("trail.", ".ring")];

/// A file that is not as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Damaged;

/// What a limit or a budget has left for a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeterUse {
    /// What was used before this call, in calls or millionths of a US dollar.
    pub used: u64,
    /// What this call needs.
    pub needs: u64,
    /// What there is in all.
    pub of: u64,
    /// Seconds until the call would fit. `None`: waiting does not help.
    pub opens_in: Option<u64>,
    /// So many calls with a price are under way that no more can be kept. Each is forgotten when it ends, or after ten minutes.
    pub is_crowded: bool,
}

impl MeterUse {
    /// Whether the call fits.
    #[must_use]
    pub fn fits(&self) -> bool {
        !self.is_crowded && self.used.saturating_add(self.needs) <= self.of
    }
}

/// A file, by kind and number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum MeterFile {
    Limit(u64),
    /// A limit of all repositories.
    MachineLimit(u64),
    Budget(u64),
    /// A budget of a session, a run or a day, which nobody asks for any more afterwards.
    PassingBudget(u64),
    /// A budget of all repositories.
    MachineBudget(u64),
    /// A limit of all machines of a fleet. It is no file.
    FleetLimit(u64),
    /// A budget of all machines of a fleet. It is no file.
    FleetBudget(u64),
}

/// Bits of a file's number that say its kind.
const KIND: u32 = 3;

impl MeterFile {
    /// As a number that is not 0.
    fn number(self) -> u64 {
        let (id, kind) = match self {
            Self::Limit(id) => (id, 1),
            Self::MachineLimit(id) => (id, 2),
            Self::Budget(id) => (id, 3),
            Self::MachineBudget(id) => (id, 4),
            Self::FleetLimit(id) => (id, 5),
            Self::FleetBudget(id) => (id, 6),
            Self::PassingBudget(id) => (id, 7),
        };
        (id >> KIND << KIND) | kind
    }

    /// The same on this machine alone.
    fn on_this_machine(self) -> Self {
        match self {
            Self::FleetLimit(id) => Self::MachineLimit(id),
            Self::FleetBudget(id) => Self::MachineBudget(id),
            other => other,
        }
    }

    /// As what it is counted for all machines of a fleet. `None`: it is not.
    fn of_fleet(self) -> Option<FleetMeter> {
        match self {
            Self::FleetLimit(_) => Some(FleetMeter { number: self.number(), counts: FleetUnit::Calls }),
            Self::FleetBudget(_) => Some(FleetMeter { number: self.number(), counts: FleetUnit::Money }),
            _ => None,
        }
    }

    fn of_number(number: u64) -> Option<Self> {
        match number & ((1 << KIND) - 1) {
            1 => Some(Self::Limit(number)),
            2 => Some(Self::MachineLimit(number)),
            3 => Some(Self::Budget(number)),
            4 => Some(Self::MachineBudget(number)),
            5 => Some(Self::FleetLimit(number)),
            6 => Some(Self::FleetBudget(number)),
            7 => Some(Self::PassingBudget(number)),
            _ => None,
        }
    }

    /// Where it is, from the memory of the repository.
    fn path(self, memory: &Path) -> PathBuf {
        let id = self.number() >> KIND;
        match self {
            Self::Limit(_) => memory.join(format!("limit.{id:016x}.slots")),
            Self::MachineLimit(_) => machine(memory).join(format!("limit.{id:016x}.slots")),
            Self::Budget(_) => memory.join(format!("budget.{id:016x}.ledger")),
            Self::PassingBudget(_) => memory.join(format!("{PASSING}.{id:016x}.ledger")),
            Self::MachineBudget(_) => machine(memory).join(format!("budget.{id:016x}.ledger")),
            Self::FleetLimit(_) | Self::FleetBudget(_) => PathBuf::new(),
        }
    }
}

fn machine(memory: &Path) -> PathBuf {
    memory.parent().unwrap_or(memory).join(MACHINE)
}

/// The file of a limit for whoever acts.
fn limit_file(name: &str, limit: Limit, around: &Surroundings) -> MeterFile {
    let id = |parts: &[&str]| hash_all(&[&["limit", name, limit.scope.name()], parts].concat());
    match limit.scope {
        MeterScope::Session => MeterFile::Limit(id(&[&around.session])),
        MeterScope::Agent => MeterFile::Limit(id(&[&around.session, &around.agent])),
        MeterScope::Repository => MeterFile::Limit(id(&[])),
        MeterScope::Machine => MeterFile::MachineLimit(id(&[])),
        MeterScope::Fleet => MeterFile::FleetLimit(id(&[])),
    }
}

/// The file of a budget for whoever acts, now.
fn budget_file(budget: &Budget, around: &Surroundings) -> MeterFile {
    let kind = match budget.per {
        _ if budget.fleet => MeterFile::FleetBudget,
        Period::Branch => MeterFile::Budget,
        Period::Session | Period::Run | Period::Day => MeterFile::PassingBudget,
    };
    let id = |part: &str| kind(hash_all(&["budget", budget.name, budget.per.name(), part]));
    match budget.per {
        Period::Session => id(&around.session),
        Period::Run => id(&format!("{} {}", around.session, run_of(around))),
        Period::Branch => id(&around.repository.as_ref().and_then(head_branch).unwrap_or_default()),
        Period::Day => id(&(now_ms() / DAY).to_string()),
    }
}

/// When the run of a session began, in milliseconds since 1970; 0 if no prompt was seen.
fn run_of(around: &Surroundings) -> u64 {
    Store::look(&around.memory, PROMPTS).and_then(|store| store.get(hash(around.session.as_bytes()))).map_or(0, |slot| slot.time)
}

/// A prompt of a person begins a new run.
///
/// # Errors
///
/// As [`standing`].
pub fn begin_run(around: &Surroundings) -> Result<(), Failure> {
    if around.session.is_empty() || counts_here(around).is_none() {
        return Ok(());
    }
    let mut store = Store::open(&around.memory, PROMPTS).map_err(|error| unwritable(&error))?;
    let begun = Slot { key: hash(around.session.as_bytes()), time: now_ms(), value: [0; VALUE] };
    store.update(begun.key, |_| Some(begun)).map(|_| ()).map_err(|error| unwritable(&error))
}

/// How long ago a file was changed. `None`: that is not known.
fn age(path: &Path) -> Option<Duration> {
    fs::metadata(path).and_then(|found| found.modified()).ok()?.elapsed().ok()
}

/// Removes files of sessions, runs and days that are over, and opens every other one once.
///
/// # Errors
///
/// The first one that cannot be used.
pub fn check(around: &Surroundings) -> Result<(), Failure> {
    let Some(memory) = counts_here(around) else { return Ok(()) };
    for folder in [memory.clone(), machine(memory)] {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let passes = OF_A_TIME.iter().any(|(front, end)| name.to_str().is_some_and(|name| name.starts_with(front) && name.ends_with(end)));
            if passes && age(&entry.path()).is_some_and(|age| age > OVER) {
                // Another process may have been faster.
                let _ = fs::remove_file(entry.path());
            }
        }
    }
    every_file(memory).into_iter().try_for_each(|file| open(file, memory, false).map(|_| ()))
}

/// Whether anything of a repository was ever counted.
#[must_use]
pub fn counts(around: &Surroundings) -> bool {
    counts_here(around).is_some()
}

fn counts_here(around: &Surroundings) -> Option<&PathBuf> {
    around.memory.iter().find(|memory| memory.join(CALLS.name).with_extension("store").exists())
}

fn unwritable(error: &io::Error) -> Failure {
    if error.kind() == io::ErrorKind::WouldBlock { Failure::Busy } else { Failure::StateUnusable(error.to_string()) }
}

/// Opens a file of meters with its size. With `make` it is made where it is missing; else `None`.
fn open_file(path: &Path, make: bool) -> io::Result<Option<(File, usize)>> {
    match OpenOptions::new().read(true).write(true).create(make).truncate(false).mode(0o600).custom_flags(FLAGS).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound && !make => Ok(None),
        opened => {
            let file = opened?;
            let size = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
            Ok(Some((file, size)))
        }
    }
}

/// What an open file of a meter is.
enum Opened {
    Slots(Slots),
    Ledger(Ledger),
}

/// Opens the file of a meter, and makes it with `make`.
fn open(file: MeterFile, memory: &Path, make: bool) -> Result<Option<Opened>, Failure> {
    if file.of_fleet().is_some() {
        return Ok(None);
    }
    let path = file.path(memory);
    if make && matches!(file, MeterFile::MachineLimit(_) | MeterFile::MachineBudget(_)) {
        state::make_folder(&machine(memory)).map_err(|error| unwritable(&error))?;
    }
    let opened = match file {
        MeterFile::Budget(_) | MeterFile::PassingBudget(_) | MeterFile::MachineBudget(_) | MeterFile::FleetBudget(_) => {
            Ledger::open(&path, make).map(|found| found.map(|found| found.map(Opened::Ledger)))
        }
        MeterFile::Limit(_) | MeterFile::MachineLimit(_) | MeterFile::FleetLimit(_) => {
            Slots::open(&path, make).map(|found| found.map(|found| found.map(Opened::Slots)))
        }
    };
    match opened.map_err(|error| unwritable(&error))? {
        None => Ok(None),
        Some(Ok(opened)) => Ok(Some(opened)),
        Some(Err(Damaged)) => Err(Failure::StateDamaged(path.to_string_lossy().into_owned())),
    }
}

/// A meter with its file.
struct OpenMeter<'w> {
    file: MeterFile,
    opened: Option<Opened>,
    /// In calls or millionths of a US dollar.
    needs: u64,
    of: u64,
    window: u64,
    /// Where its answer goes.
    of_metered: &'w [usize],
}

/// How far the limits and budgets of a call are used, in the order of `metered`; each entry of one budget has the answer of
/// the whole. With a call, what it needs is reserved if `wanted` says so of the answers.
///
/// # Errors
///
/// [`Failure::Busy`], [`Failure::StateUnusable`], [`Failure::StateDamaged`].
#[inline(never)] // Most calls do not come here, and touch fewer pages without it.
pub fn standing(
    metered: &[Metered],
    budgets: &[Budget],
    around: &Surroundings,
    call: Option<CallIdentity>,
    fleet: Option<&dyn FleetStore>,
    wanted: impl FnOnce(&[MeterUse]) -> bool,
) -> Result<Vec<MeterUse>, Failure> {
    let index = match call {
        Some(_) => Some(Store::open(&around.memory, CALLS).map_err(|error| unwritable(&error))?),
        None => None,
    };
    let call = call.zip(index.as_ref()).map(|(call, index)| call.known_as(index));
    let memory = index.as_ref().map(Store::folder).or_else(|| counts_here(around).map(PathBuf::as_path));
    let clock = now_ms();
    let (known, serial) = match (call, &index) {
        (Some(call), Some(index)) => serial(call, index, clock),
        _ => (false, 0),
    };
    let key = call.map(|call| call.key ^ serial);

    let mut groups = groups(metered, budgets, around);
    // While the engine of the fleet cannot be reached, this machine counts for itself.
    for (file, ..) in groups.iter_mut().filter(|_| fleet.is_none()) {
        *file = file.on_this_machine();
    }
    let mut open_files = Vec::new();
    let mut standings = vec![MeterUse { used: 0, needs: 0, of: u64::MAX, opens_in: None, is_crowded: false }; metered.len()];
    for (file, places, needs, of, window) in &groups {
        let opened = match memory {
            Some(memory) => open(*file, memory, call.is_some())?,
            None => None,
        };
        let one = OpenMeter { file: *file, opened, needs: *needs, of: *of, window: *window, of_metered: places };
        let standing = match (file.of_fleet(), fleet) {
            (Some(meter), Some(fleet)) => fleet.count(&FleetCount { meter, key, needs: *needs, of: *of, window: *window })?,
            _ => one.standing(key, clock),
        };
        for at in one.of_metered {
            if let Some(place) = standings.get_mut(*at) {
                *place = standing.clone();
            }
        }
        open_files.push(one);
    }
    let takes = wanted(&standings);
    if let (Some(fleet), Some(key), false) = (fleet, key, takes) {
        for meter in open_files.iter().filter_map(|one| one.file.of_fleet()) {
            fleet.end(meter, key, CallEnd::DidNotRun, None)?;
        }
    }
    if let (Some(call), Some(key), Some(mut index), true) = (call, key, index, takes) {
        let reserved = reserve(&mut open_files, call, (key, serial), clock, (&mut index, known));
        if let Some(crowded) = reserved.map_err(|error| unwritable(&error))? {
            for at in crowded {
                if let Some(place) = standings.get_mut(at) {
                    place.is_crowded = true;
                }
            }
        }
    }
    Ok(standings)
}

/// A file, the entries of `metered` that use it, what they need of it, what there is, and the window.
type Group = (MeterFile, Vec<usize>, u64, u64, u64);

/// The files that a call uses: one for each limit, one for each budget.
fn groups(metered: &[Metered], budgets: &[Budget], around: &Surroundings) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let raises = Store::look(&around.memory, RAISES);
    for (at, entry) in metered.iter().enumerate() {
        let times = u64::from(entry.times);
        match &entry.meter {
            Meter::Result(_) => {}
            Meter::Limit(limit) => {
                let limit = *limit;
                groups.push((
                    limit_file(&entry.finding.rule, limit, around),
                    vec![at],
                    times,
                    u64::from(limit.max).saturating_add(raised(raises.as_ref(), &entry.finding.rule)),
                    limit.window,
                ));
            }
            Meter::Cost(cost) => {
                let Some(budget) = budgets.iter().find(|budget| budget.name == cost.budget) else { continue };
                let (file, needs) = (budget_file(budget, around), cost.micro.saturating_mul(times));
                match groups.iter_mut().find(|(known, ..)| *known == file) {
                    Some((_, places, sum, ..)) => {
                        places.push(at);
                        *sum = sum.saturating_add(needs);
                    }
                    None => groups.push((file, vec![at], needs, budget.micro.saturating_add(raised(raises.as_ref(), budget.name)), 0)),
                }
            }
            Meter::Gate(_) | Meter::Phase(_) => {}
        }
    }
    groups
}

/// By how much a person raised a limit or a budget for now.
fn raised(raises: Option<&Store>, name: &str) -> u64 {
    let found = raises.and_then(|store| store.get(hash_all(&["raise", name]))).map(|slot| words(slot.value));
    found.filter(|[_, until, ..]| now_ms() < *until).map_or(0, |[more, ..]| more)
}

/// Whether this very call is known already, and the number that tells it from an equal one before it.
fn serial(call: CallIdentity, index: &Store, clock: u64) -> (bool, u64) {
    let found = index.get(call.key);
    match found.map(|slot| (slot.time, words(slot.value))) {
        // One that was given back, and is judged once more, is known anew.
        Some((_, [serial, ..])) if call.has_id => (serial & ENDED == 0, serial & !ENDED),
        Some((time, [serial, ..])) if serial & ENDED == 0 && clock.saturating_sub(time) < SAME => (true, serial),
        _ if call.has_id => (false, 0),
        _ => (false, clock & !ENDED),
    }
}

/// The bit of a serial number that says that the call has ended.
const ENDED: u64 = 1 << 63;

fn words(value: [u8; VALUE]) -> [u64; 4] {
    let (chunks, _) = value.as_chunks::<8>();
    let word = |at: usize| chunks.get(at).map_or(0, |chunk| u64::from_le_bytes(*chunk));
    [word(0), word(1), word(2), word(3)]
}

fn value(words: [u64; 4]) -> [u8; VALUE] {
    let mut bytes = [0; VALUE];
    for (to, from) in bytes.iter_mut().zip(words.iter().flat_map(|word| word.to_le_bytes())) {
        *to = from;
    }
    bytes
}

impl OpenMeter<'_> {
    /// How far it is used. What the call has reserved already is not counted once more, and fits.
    fn standing(&self, key: Option<u64>, clock: u64) -> MeterUse {
        let mut opens_in = None;
        let (used, own) = match &self.opened {
            None => (0, false),
            Some(Opened::Slots(slots)) => {
                let now = slots.now(clock);
                let is_own = |counted: &CountedCall| key.is_some_and(|key| counted.key.wrapping_sub(key) < self.needs);
                let (own, others): (Vec<&CountedCall>, Vec<&CountedCall>) = slots.counted(now, self.window).partition(|counted| is_own(counted));
                let mut times: Vec<u64> = others.iter().map(|counted| counted.time).collect();
                times.sort_unstable();
                let used = times.len() as u64;
                // So many must leave the window before the call fits.
                let leaving = (used + self.needs).checked_sub(self.of).filter(|leaving| *leaving > 0 && self.window > 0);
                let last = leaving.and_then(|leaving| times.get(usize::try_from(leaving).ok()? - 1));
                opens_in = last.map(|time| (time + self.window).saturating_sub(now).div_ceil(1000).max(1));
                (used, self.needs > 0 && own.len() as u64 == self.needs)
            }
            Some(Opened::Ledger(ledger)) => {
                let live = |call: &&ReservedCost| clock.saturating_sub(call.time) < IN_FLIGHT;
                let (own, others): (Vec<&ReservedCost>, Vec<&ReservedCost>) = ledger.reserved.iter().filter(live).partition(|call| Some(call.key) == key);
                (others.iter().fold(ledger.spent, |sum, call| sum.saturating_add(call.micro)), !own.is_empty())
            }
        };
        let used = if own { used.min(self.of.saturating_sub(self.needs)) } else { used };
        MeterUse { used, needs: self.needs, of: self.of, opens_in, is_crowded: false }
    }
}

/// Reserves what a call needs: first the index says which files are concerned, then the files. Gives the entries of budgets
/// that have no room for one more call under way.
fn reserve(
    files: &mut [OpenMeter],
    call: CallIdentity,
    (key, serial): (u64, u64),
    clock: u64,
    (index, known): (&mut Store, bool),
) -> io::Result<Option<Vec<usize>>> {
    if !known {
        let numbers: Vec<u64> = files.iter().map(|wanted| wanted.file.number()).collect();
        for (at, three) in numbers.chunks(3).enumerate() {
            let word = |at: usize| three.get(at).copied().unwrap_or(0);
            let entry = Slot { key: call.key.wrapping_add(at as u64), time: clock, value: value([serial, word(0), word(1), word(2)]) };
            index.update(entry.key, |_| Some(entry))?;
        }
        if let Some(alias) = call.alias(clock) {
            index.update(alias.key, |_| Some(alias))?;
        }
    }
    let mut crowded = Vec::new();
    for wanted in files {
        match &mut wanted.opened {
            Some(Opened::Slots(slots)) => {
                let now = slots.now(clock);
                for at in 0..wanted.needs {
                    let key = key.wrapping_add(at);
                    // The same call once more, at the client's question, is counted already.
                    if !slots.places.iter().flatten().any(|counted| counted.key == key && counted.state != SlotState::GivenBack) {
                        slots.put(CountedCall { key, session: call.session, time: now, state: SlotState::Reserved }, now, wanted.window)?;
                    }
                }
            }
            Some(Opened::Ledger(ledger)) => {
                ledger.expire(clock);
                if ledger.reserve(ReservedCost { key, session: call.session, time: clock, micro: wanted.needs }) {
                    ledger.keep()?;
                } else {
                    crowded.extend_from_slice(wanted.of_metered);
                }
            }
            None => {}
        }
    }
    Ok((!crowded.is_empty()).then_some(crowded))
}

/// Whether a call took places that all machines of a fleet share.
#[must_use]
pub fn is_of_fleet(call: CallIdentity, around: &Surroundings) -> bool {
    let index = Store::look(&around.memory, CALLS);
    index.is_some_and(|index| files_of(call, &index).is_some_and(|(_, files)| files.iter().any(|file| file.of_fleet().is_some())))
}

/// The first record of a call in the index, and the files that it takes from. `None`: it takes from none.
fn files_of(call: CallIdentity, index: &Store) -> Option<(Slot, Vec<MeterFile>)> {
    let first = index.get(call.key)?;
    let [serial, ..] = words(first.value);
    let (mut files, mut next) = (Vec::new(), Some(first));
    for at in 1u64.. {
        let Some(entry) = next else { break };
        let [of, numbers @ ..] = words(entry.value);
        let found: Vec<MeterFile> = numbers.iter().filter_map(|number| MeterFile::of_number(*number)).collect();
        if of & !ENDED != serial & !ENDED {
            break;
        }
        // Only one that is full has another behind it.
        next = if found.len() < numbers.len() { None } else { index.get(call.key.wrapping_add(at)) };
        files.extend(found);
    }
    Some((first, files))
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallEnd {
    /// It ran.
    Ran,
    /// It did not.
    DidNotRun,
}

/// Counts a call that ran, and gives back one that did not. Nothing if no limit or budget spoke of it.
///
/// # Errors
///
/// As [`standing`].
pub fn end(call: CallIdentity, how: CallEnd, around: &Surroundings, prices: &[AnsweredPrice], fleet: Option<&dyn FleetStore>) -> Result<(), Failure> {
    if counts_here(around).is_none() {
        return Ok(());
    }
    let mut index = Store::open(&around.memory, CALLS).map_err(|error| unwritable(&error))?;
    let call = call.known_as(&index);
    let Some((first, files)) = files_of(call, &index) else { return Ok(()) };
    let [serial, ..] = words(first.value);
    let key = call.key ^ (serial & !ENDED);
    let memory = index.folder().to_path_buf();
    for file in files {
        let told = prices.iter().filter(|price| price.file >> KIND == file.number() >> KIND).map(|price| price.micro).reduce(u64::saturating_add);
        if let (Some(meter), Some(fleet)) = (file.of_fleet(), fleet) {
            fleet.end(meter, key, how, told)?;
        }
        match open(file, &memory, false)? {
            Some(Opened::Slots(mut slots)) => end_in_slots(&mut slots, key, call.session, how).map_err(|error| unwritable(&error))?,
            Some(Opened::Ledger(mut ledger)) => {
                end_in_ledger(&mut ledger, key, how, told).map_err(|error| unwritable(&error))?;
            }
            None => {}
        }
    }
    let ended = Slot { value: value([serial | ENDED, words(first.value)[1], words(first.value)[2], words(first.value)[3]]), ..first };
    index.update(call.key, |_| Some(ended)).map(|_| ()).map_err(|error| unwritable(&error))
}

fn end_in_slots(slots: &mut Slots, key: u64, session: u64, how: CallEnd) -> io::Result<()> {
    // A call has as many keys in a row as it has actions; other calls' keys are far away.
    let own = |call: &CountedCall| call.session == session && call.key.wrapping_sub(key) < u64::from(Limit::MOST);
    match how {
        CallEnd::Ran => slots.mark(SlotState::Used, own),
        CallEnd::DidNotRun => slots.mark(SlotState::GivenBack, |call| own(call) && call.state == SlotState::Reserved),
    }
}

fn end_in_ledger(ledger: &mut Ledger, key: u64, how: CallEnd, told: Option<u64>) -> io::Result<()> {
    let Some(at) = ledger.reserved.iter().position(|call| call.key == key) else { return Ok(()) };
    let reserved = ledger.reserved.remove(at);
    if how == CallEnd::Ran {
        ledger.spend(told.unwrap_or(reserved.micro));
    }
    ledger.keep()
}

/// Gives back all calls of a session that were let through and have not ended: at the end of a turn nothing of it runs any
/// more.
///
/// # Errors
///
/// As [`standing`].
pub fn give_back_all(around: &Surroundings) -> Result<(), Failure> {
    let Some(memory) = counts_here(around) else { return Ok(()) };
    let _index = Store::open(&around.memory, CALLS).map_err(|error| unwritable(&error))?;
    let session = hash(around.session.as_bytes());
    // What was reserved longer ago no longer counts, so its file need not be opened.
    let is_recent = |file: &MeterFile| age(&file.path(memory)).is_none_or(|age| age.as_millis() < u128::from(IN_FLIGHT));
    for file in every_file(memory).into_iter().filter(is_recent) {
        match open(file, memory, false)? {
            Some(Opened::Slots(mut slots)) => {
                let open = |call: &CountedCall| call.session == session && call.state == SlotState::Reserved;
                slots.mark(SlotState::GivenBack, open).map_err(|error| unwritable(&error))?;
            }
            Some(Opened::Ledger(mut ledger)) => {
                let before = ledger.reserved.len();
                ledger.reserved.retain(|call| call.session != session);
                if ledger.reserved.len() != before {
                    ledger.keep().map_err(|error| unwritable(&error))?;
                }
            }
            None => {}
        }
    }
    Ok(())
}

/// Files of meters in the memory of a repository, and those of the machine.
fn every_file(memory: &Path) -> Vec<MeterFile> {
    let names =
        |folder: &Path| fs::read_dir(folder).into_iter().flatten().flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect::<Vec<_>>();
    let id = |name: &str, front: &str, end: &str| Some(u64::from_str_radix(name.strip_prefix(front)?.strip_suffix(end)?, 16).ok()? << KIND);
    let limit = |name: &String| id(name, "limit.", ".slots");
    let budget = |name: &String| id(name, "budget.", ".ledger");
    let (own, shared) = (names(memory), names(&machine(memory)));
    let passing = |name: &String| id(name, &format!("{PASSING}."), ".ledger");
    let of_repository = own.iter().filter_map(limit).map(MeterFile::Limit).chain(own.iter().filter_map(budget).map(MeterFile::Budget));
    let of_repository = of_repository.chain(own.iter().filter_map(passing).map(MeterFile::PassingBudget));
    let of_machine = shared.iter().filter_map(limit).map(MeterFile::MachineLimit).chain(shared.iter().filter_map(budget).map(MeterFile::MachineBudget));
    of_repository.chain(of_machine).collect()
}
