//! What earlier calls of a replay decide of later ones: limits, the fixed costs of budgets, and phases. The replay begins with
//! nothing used up and in no phase, and goes by the times of the calls. All of it is in memory.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use super::judging::{JudgedPast, PastVerdict};
use super::tally::SampleText;
use crate::pipeline::moves::{PERSON, PhaseStep, RETRIES, SKIPPED, person_needed, step};
use gate::metering;
use gate::world::meters::MeterUse;
use gate::world::phase::{PhaseMove, PhaseState};
use policy::decide::Metered;
use policy::pipeline::DONE;
use policy::verdict::Finding;
use policy::{Budget, Cost, Limit, Meter, MeterScope, Period, Pipeline, Tier, Tiers};

/// Milliseconds of a day.
const DAY: u64 = 86_400_000;

/// A limit or a cost that speaks of a call.
#[derive(Clone, Debug, PartialEq)]
pub struct MeteredPast {
    pub meter: PastMeter,
    pub times: u32,
    pub finding: Finding,
}

/// What a call uses up.
#[derive(Clone, Debug, PartialEq)]
pub enum PastMeter {
    Limit(Limit),
    /// Of this budget, in millionths of a US dollar.
    Cost(String, u64),
}

/// A phase that a call enters.
#[derive(Clone, Debug, PartialEq)]
pub struct PhaseEntry {
    pub to: String,
    /// An agent of the phase starts. Otherwise a marker file names it.
    pub starts: bool,
    pub finding: Finding,
}

/// What is left open of a call until those before it are counted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OpenParts {
    pub metered: Vec<MeteredPast>,
    pub entries: Vec<PhaseEntry>,
    /// What is concluded in each phase, where a rule asks for it.
    pub by_phase: Vec<(String, JudgedPast)>,
}

impl OpenParts {
    /// True if nothing is open.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A call of which something is open.
#[derive(Clone, Debug)]
pub struct WaitingCall {
    /// Milliseconds since 1970; 0 where no time is said.
    pub time: u64,
    pub place: Arc<str>,
    pub line: usize,
    /// Among the calls of one line.
    pub number: usize,
    pub session: u64,
    pub agent: u64,
    pub branch: String,
    /// The folder in which the session began.
    pub begun: Arc<str>,
    pub run: Option<usize>,
    /// How it ended then.
    pub succeeded: Option<bool>,
    /// A person refused it then.
    pub refused: bool,
    pub sample: SampleText,
    /// By each policy.
    pub judged: Vec<(JudgedPast, OpenParts)>,
}

/// What a replay takes as unknown, in words for people.
#[must_use]
pub fn taken_as_unknown(tiers: &Tiers) -> Vec<&'static str> {
    let counts = tiers.limits || !tiers.every_call.is_empty() || !tiers.budgets.is_empty();
    let shared = |limit: &Limit| matches!(limit.scope, MeterScope::Machine | MeterScope::Fleet);
    let mut all = Vec::new();
    if counts {
        all.push("limits and budgets begin with nothing used up, and count only the calls that were read");
    }
    if tiers.every_call.iter().any(|every| shared(&every.limit)) || tiers.budgets.iter().any(|budget| budget.fleet) {
        all.push("what other machines used up is not known");
    }
    if tiers.answers {
        all.push("prices in answers are not known: what the policy names is counted");
    }
    if tiers.budgets.iter().any(|budget| budget.tokens) {
        all.push("what models cost is not counted");
    }
    if tiers.budgets.iter().any(|budget| budget.per == Period::Run) {
        all.push("budgets for a run are left out where the prompts of a person cannot be seen");
    }
    if tiers.pipeline.is_some() {
        all.push("the work begins in no phase; where a person moves it, that is taken as done if the call ran then");
    }
    if !tiers.gates.is_empty() {
        all.push("what gates ask for is not known");
    }
    if tiers.stall.is_some() {
        all.push("circles are not looked for");
    }
    all
}

/// Counts calls in their order, for one policy.
pub struct OngoingState<'p> {
    tiers: Tiers<'p>,
    limits: HashMap<(String, u64), VecDeque<u64>>,
    spent: HashMap<(String, u64), u64>,
    phases: HashMap<Arc<str>, PhaseState>,
}

impl<'p> OngoingState<'p> {
    #[must_use]
    pub fn new(tiers: Tiers<'p>) -> Self {
        Self { tiers, limits: HashMap::new(), spent: HashMap::new(), phases: HashMap::new() }
    }

    /// The whole verdict of a call, after all those before it.
    pub fn judge(&mut self, call: &WaitingCall, judged: &JudgedPast, open: &OpenParts) -> JudgedPast {
        let phase = self.phases.get(&call.begun).map(|place| place.phase.clone()).unwrap_or_default();
        let mut judged = open.by_phase.iter().find(|(known, _)| *known == phase).map_or(judged, |(_, judged)| judged).clone();
        let mut moves = Vec::new();
        for entry in &open.entries {
            moves.extend(self.enter(call, entry, &mut judged));
        }
        self.meter(call, open, &mut judged);
        // What is denied does not happen.
        if judged.verdict != PastVerdict::Denied {
            for to in moves {
                let place = self.phases.entry(call.begun.clone()).or_default();
                *place = std::mem::take(place).moved(&to);
            }
        }
        judged
    }

    /// What a phase says of a call that enters it, and where the work moves.
    fn enter(&self, call: &WaitingCall, entry: &PhaseEntry, judged: &mut JudgedPast) -> Option<PhaseMove> {
        let pipeline = self.tiers.pipeline.as_ref()?;
        let place = self.phases.get(&call.begun).cloned().unwrap_or_default();
        let going = || PhaseMove {
            number: place.number,
            to: entry.to.clone(),
            first: pipeline.phases.first() == Some(&entry.to.as_str()),
            person: false,
            starts: entry.starts,
            head: String::new(),
            by: String::new(),
            evidence: String::new(),
        };
        let mut found = |rule: &str, tier: Tier, open: bool| {
            let finding = Finding { rule: rule.to_owned(), tier, ..entry.finding.clone() };
            if open { judged.leave_open(&finding) } else { judged.find(&finding) }
        };
        match step(pipeline, &place, &entry.to, entry.starts) {
            PhaseStep::Stays => None,
            PhaseStep::StartsAgain => Some(going()),
            PhaseStep::TriesUsedUp(_) => {
                found(RETRIES, Tier::Supervised, false);
                None
            }
            // A person may have moved the work, which no transcript says.
            PhaseStep::Skips(_) | PhaseStep::Back if moved_by_person(pipeline, &place, &entry.to) => {
                found(SKIPPED, Tier::Prohibited, true);
                call.succeeded.unwrap_or(true).then(going)
            }
            PhaseStep::Unknown | PhaseStep::Skips(_) | PhaseStep::Back => {
                found(SKIPPED, Tier::Prohibited, false);
                None
            }
            PhaseStep::Next => {
                let before = format!("{}{}", policy::pipeline::BEFORE_PHASE, entry.to);
                for gate in self.tiers.gates.iter().filter(|gate| gate.before.contains(&before.as_str())) {
                    found(gate.name, gate.tier, true);
                }
                if person_needed(pipeline, &place, &entry.to).is_some() {
                    found(PERSON, Tier::Prohibited, true);
                }
                call.succeeded.unwrap_or(true).then(going)
            }
        }
    }

    /// What limits and budgets say of a call. What it needs is used up, unless it is denied.
    fn meter(&mut self, call: &WaitingCall, open: &OpenParts, judged: &mut JudgedPast) {
        let of_row = |row: &'_ MeteredPast| -> Option<(Meter<'p>, u32, Finding)> {
            let meter = match &row.meter {
                PastMeter::Limit(limit) => Meter::Limit(*limit),
                PastMeter::Cost(budget, micro) => {
                    let budget = self.tiers.budgets.iter().find(|known| known.name == budget)?;
                    // Where prompts cannot be seen, a whole session would count as one run.
                    (budget.per != Period::Run || call.run.is_some()).then_some(Meter::Cost(Cost { budget: budget.name, micro: *micro, at: "" }))?
                }
            };
            Some((meter, row.times, row.finding.clone()))
        };
        let rows = open.metered.iter().filter_map(of_row).map(|(meter, times, finding)| Metered { meter, times, finding });
        let metered: Vec<Metered> = rows.chain(self.tiers.every_call.iter().map(metering::of_every_call)).collect();
        if metered.is_empty() {
            return;
        }
        let uses: Vec<(MeterKey, u64)> = metered.iter().map(|row| self.key(row, &metered, call)).collect();
        let standings: Vec<MeterUse> = metered.iter().zip(&uses).map(|(row, (key, needs))| self.standing(row, key, *needs, call.time)).collect();
        for finding in metering::findings(&metered, &standings, &self.tiers.budgets) {
            judged.find(&finding);
        }
        // What a person refused, or nobody answered, gives back what it took.
        let runs = match judged.verdict {
            PastVerdict::Denied => false,
            _ if call.refused => false,
            PastVerdict::Asked => call.succeeded.is_some(),
            PastVerdict::Allowed | PastVerdict::Unknown => true,
        };
        if !runs {
            return;
        }
        let mut paid = BTreeSet::new();
        for (row, (key, needs)) in metered.iter().zip(uses) {
            let MeterKey(name, id) = key;
            match &row.meter {
                Meter::Limit(_) => {
                    let times = self.limits.entry((name, id)).or_default();
                    times.extend((0..needs).map(|_| call.time));
                }
                Meter::Cost(_) if paid.insert((name.clone(), id)) => {
                    let spent = self.spent.entry((name, id)).or_default();
                    *spent = spent.saturating_add(needs);
                }
                _ => {}
            }
        }
    }

    /// Where a row is counted, and how much of it the call needs: all rows of one budget together.
    fn key(&self, row: &Metered, all: &[Metered], call: &WaitingCall) -> (MeterKey, u64) {
        let id = |parts: &[&str]| gate::record::hash_all(parts);
        let numbers = [call.session, call.agent].map(|number| format!("{number:x}"));
        match &row.meter {
            Meter::Limit(limit) => {
                let id = match limit.scope {
                    MeterScope::Session => id(&["session", &numbers[0]]),
                    MeterScope::Agent => id(&["agent", &numbers[0], &numbers[1]]),
                    MeterScope::Repository => id(&["repository", &call.begun]),
                    MeterScope::Machine | MeterScope::Fleet => 0,
                };
                (MeterKey(row.finding.rule.clone(), id), u64::from(row.times))
            }
            Meter::Cost(cost) => {
                let budget = self.tiers.budgets.iter().find(|budget| budget.name == cost.budget);
                let begun = if budget.is_some_and(|budget| budget.fleet) { "" } else { &*call.begun };
                let id = match budget.map(|budget| budget.per) {
                    Some(Period::Run) => id(&[begun, &numbers[0], &call.run.unwrap_or(0).to_string()]),
                    Some(Period::Branch) => id(&[begun, &call.branch]),
                    Some(Period::Day) => id(&[begun, &(call.time / DAY).to_string()]),
                    Some(Period::Session) | None => id(&[begun, &numbers[0]]),
                };
                let same = |other: &&Metered| matches!(&other.meter, Meter::Cost(other) if other.budget == cost.budget);
                let price = |row: &Metered| if let Meter::Cost(cost) = &row.meter { cost.micro.saturating_mul(u64::from(row.times)) } else { 0 };
                (MeterKey(cost.budget.to_owned(), id), all.iter().filter(same).map(price).fold(0, u64::saturating_add))
            }
            Meter::Result(_) | Meter::Gate(_) | Meter::Phase(_) => (MeterKey(String::new(), 0), 0),
        }
    }

    fn standing(&mut self, row: &Metered, key: &MeterKey, needs: u64, now: u64) -> MeterUse {
        match &row.meter {
            Meter::Limit(limit) => {
                let times = self.limits.entry((key.0.clone(), key.1)).or_default();
                while limit.window > 0 && times.front().is_some_and(|time| now.saturating_sub(*time) >= limit.window) {
                    times.pop_front();
                }
                let (used, of) = (times.len() as u64, u64::from(limit.max));
                let leaving = (used + needs).checked_sub(of).filter(|leaving| *leaving > 0 && limit.window > 0);
                let last = leaving.and_then(|leaving| times.get(usize::try_from(leaving).ok()?.checked_sub(1)?));
                MeterUse { used, needs, of, opens_in: last.map(|time| (time + limit.window).saturating_sub(now).div_ceil(1000).max(1)), is_crowded: false }
            }
            Meter::Cost(cost) => {
                let of = self.budget(cost.budget).map_or(u64::MAX, |budget| budget.micro);
                MeterUse { used: self.spent.get(&(key.0.clone(), key.1)).copied().unwrap_or(0), needs, of, opens_in: None, is_crowded: false }
            }
            Meter::Result(_) | Meter::Gate(_) | Meter::Phase(_) => MeterUse { used: 0, needs: 0, of: u64::MAX, opens_in: None, is_crowded: false },
        }
    }

    fn budget(&self, name: &str) -> Option<&Budget<'p>> {
        self.tiers.budgets.iter().find(|budget| budget.name == name)
    }
}

/// A limit or a budget, and for whom.
#[derive(Clone, Debug, PartialEq, Eq)]
struct MeterKey(String, u64);

/// True if a person could have moved the work from one phase to another without a call that says so.
fn moved_by_person(pipeline: &Pipeline, place: &PhaseState, to: &str) -> bool {
    person_needed(pipeline, place, to).is_some() || pipeline.phases.iter().chain([&DONE]).any(|phase| person_needed(pipeline, place, phase).is_some())
}
