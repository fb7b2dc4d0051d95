//! Gates and phases, on the disk: what a gate finds in a call, what keeps an agent from ending its work, where the work moves.

pub mod coverage;
pub mod imports;
pub mod moves;
pub mod needs;
pub mod seen;
pub mod status;
pub mod tree;

use clients::{Event, Moment};
use gate::record::hash_all;
use gate::world::Surroundings;
use gate::world::phase;
use gate::world::store::{NOTES, Slot, Store, VALUE};
use gate::world::system::now_ms;
use policy::matcher::text;
use policy::pipeline::{BEFORE_PHASE, BEFORE_STOP};
use policy::verdict::{Answer, Finding};
use policy::{Gate, Policy, Tier, Tiers};

use needs::{GateBook, NeedOutcome};
use tree::GatedTree;

impl<'b> GateBook<'b> {
    /// Everything that gates are judged by, as it is now.
    #[must_use]
    pub fn open(around: &'b Surroundings, policy: &'b Policy<'b>, tiers: &'b Tiers<'b>) -> Self {
        Self { around, policy, tiers, work: GatedTree::open(around, policy), place: phase::read(around) }
    }

    /// What a gate finds before something that `finding` speaks of. Empty: it is passed. What was there is added to `there`.
    #[must_use]
    pub fn held_by(&self, gate: &Gate, finding: &Finding, before: &str, there: &mut Vec<String>) -> Vec<Finding> {
        let (mut missing, mut unknown, mut remarks) = (Vec::new(), Vec::new(), Vec::new());
        for need in &gate.needs {
            match self.outcome(gate, need) {
                NeedOutcome::There(what) => there.push(what),
                NeedOutcome::Missing { what, how } => missing.push((what, how)),
                NeedOutcome::Unknown(why) => unknown.push(why),
                NeedOutcome::Remark(text) => remarks.push(text),
            }
        }
        let mut found: Vec<Finding> = Vec::new();
        let reason = |default: String| if gate.reason.is_empty() { default } else { gate.reason.to_owned() };
        if !missing.is_empty() {
            let told = missing.iter().map(|(what, _)| what.as_str()).chain(unknown.iter().map(String::as_str)).collect::<Vec<_>>().join("; ");
            let how = match missing.as_slice() {
                [(_, how)] => how.clone(),
                several => several
                    .iter()
                    .map(|(_, how)| how.strip_prefix("$ ").map_or_else(|| how.clone(), |command| format!("run `{command}` alone")))
                    .collect::<Vec<_>>()
                    .join("; then "),
            };
            let instead = if gate.instead.is_empty() { how } else { gate.instead.to_owned() };
            let reason = reason(format!("what must be there before {} is missing", moment(before)));
            found.push(Finding { tier: gate.tier, reason, told, instead, missing: true, ..finding.clone() });
        } else if !unknown.is_empty() {
            let reason = reason(format!("what must be there before {} could not be known", moment(before)));
            let told = unknown.join("; ");
            let instead = if gate.instead.is_empty() { "tell the user, who can look at it and decide".to_owned() } else { gate.instead.to_owned() };
            found.push(Finding { tier: Tier::Supervised, reason, told, instead, missing: true, ..finding.clone() });
        }
        found.extend(remarks.into_iter().map(|reason| Finding {
            tier: Tier::Free,
            tell: true,
            reason,
            instead: "tell the user why the change is larger than was thought, or make it smaller".to_owned(),
            ..finding.clone()
        }));
        found
    }

    /// A finding of a gate that speaks of nothing yet.
    #[must_use]
    pub fn blank(gate: &Gate) -> Finding {
        Finding::of_section(gate.layer.name(), gate.name, gate.place, gate.tier, gate.shadow)
    }
}

/// A moment in a sentence.
#[must_use]
pub fn moment(before: &str) -> String {
    match before {
        BEFORE_STOP => "the work ends".to_owned(),
        "pull-request" => "a pull request".to_owned(),
        "deploy" => "a deployment".to_owned(),
        before => before.strip_prefix(BEFORE_PHASE).map_or_else(|| format!("a {before}"), |phase| format!("the phase `{phase}`")),
    }
}

/// Why an agent must not end its work yet. `None`: it may. Each missing piece is said once in a session: a gate never keeps an
/// agent going round in circles.
#[must_use]
pub fn ending(event: &Event, around: &Surroundings, policy: &Policy) -> Option<String> {
    let tiers = policy.tiers()?;
    let ends_main = event.moment != Moment::SubagentEnd;
    let speaks = |gate: &&Gate| {
        let of_agent = if gate.for_agents.is_empty() { ends_main } else { text::any_or_unasked(&gate.for_agents, &event.agent) == Answer::Yes };
        gate.before.contains(&BEFORE_STOP) && of_agent && !gate.shadow
    };
    let gates: Vec<&Gate> = tiers.gates.iter().filter(speaks).collect();
    if gates.is_empty() {
        return None;
    }
    let book = GateBook::open(around, policy, &tiers);
    moves::note_autonomy(&book);
    let mut said: Vec<String> = Vec::new();
    for gate in gates {
        for (at, need) in gate.needs.iter().enumerate() {
            if let NeedOutcome::Missing { what, how } = book.outcome(gate, need)
                && is_new(around, gate, at)
            {
                let how = how
                    .strip_prefix("$ ")
                    .map_or_else(|| how.clone(), |command| format!("run `{command}` alone, in the foreground, from `{}`", around.tree().display()));
                let how = if gate.instead.is_empty() { how } else { gate.instead.strip_prefix("$ ").unwrap_or(gate.instead).to_owned() };
                let reason =
                    if gate.reason.is_empty() { format!("what must be there before {} is missing", moment(BEFORE_STOP)) } else { gate.reason.to_owned() };
                said.push(format!("not done yet, by `{}`: {}\nmissing: {}\ninstead: {}", gate.name, shown(&reason), shown(&what), shown(&how)));
            }
        }
    }
    if said.is_empty() {
        return None;
    }
    let _ = phase_stopped(&book);
    said.push("retry: yes; this is said once in a session for each missing piece. If it cannot be done, tell the user what is missing, and end".to_owned());
    Some(said.join("\n"))
}

fn shown(text: &str) -> String {
    actions::shown::escaped(text).into_owned()
}

/// Counts an action that a gate stopped.
fn phase_stopped(book: &GateBook) -> std::io::Result<()> {
    if book.tiers.pipeline.is_none() {
        return Ok(());
    }
    phase::change(book.around, false, |place| Some(phase::PhaseState { stopped: place.stopped.saturating_add(1), ..place }))
}

/// Whether a missing piece was not said in this session before; from now on it was. Where that cannot be remembered, nothing is
/// said.
fn is_new(around: &Surroundings, gate: &Gate, at: usize) -> bool {
    let key = hash_all(&["stop", &around.session, gate.name, &at.to_string()]);
    let new = |old: Option<Slot>| if old.is_none() { Some(Slot { key, time: now_ms(), value: [0; VALUE] }) } else { None };
    !around.session.is_empty() && Store::open(&around.memory, NOTES).and_then(|mut store| store.update(key, new)).is_ok_and(|new| new.is_some())
}
