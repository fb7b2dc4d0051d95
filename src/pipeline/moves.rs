//! Where the work moves: into the phase of a sub-agent that starts, or into the one that the marker file names. Forward only,
//! one phase at a time, and only where the gates before it are passed.

use std::path::Path;

use actions::{Action, Deed};
use gate::failure::Failure;
use gate::judge::Gated;
use gate::world::phase::{self, DamagedPhase, PhaseMove, PhaseState};
use policy::decide::Metered;
use policy::facts::Facts;
use policy::pipeline::{BEFORE_PHASE, DONE};
use policy::verdict::Finding;
use policy::{Autonomy, Gate, Meter, Pipeline, Policy, Tier};

use super::GateBook;
use super::tree::GatedTree;
use crate::deep::own_files::after_text;
use gate::world::Surroundings;
use gate::world::repository::{Discovery, Repository, discover, same_repository};

/// The rules of the pipeline itself.
pub(crate) const PERSON: &str = "phase-by-person";
pub(crate) const SKIPPED: &str = "phase-skipped";
pub(crate) const RETRIES: &str = "phase-retries";
const DAMAGED: &str = "phase-unknown";

/// What gates and phases find in a call that they speak of.
///
/// # Errors
///
/// [`Failure::RuleDamaged`]
pub fn judge(gated: &[Metered], call: &[Action], facts: &Facts, policy: &Policy, around: &Surroundings) -> Result<Gated, Failure> {
    let tiers = policy.tiers().ok_or(Failure::RuleDamaged)?;
    let mut book = GateBook::open(around, policy, &tiers);
    let others: Vec<Surroundings> = other_trees(call, around);
    let elsewhere = others.iter().map(|around| GateBook::open(around, policy, &tiers)).collect::<Vec<_>>();
    let here = is_here(call, around);
    note_autonomy(&book);
    let mut result = Gated::default();
    if let Some(to) = book.marked() {
        book.place = book.place.map(|place| place.moved(&to));
        result.moves = Some(to);
    }
    let mut seen: Vec<&str> = Vec::new();
    for entry in gated {
        match entry.meter {
            Meter::Gate(before) => {
                let gate = tiers.gates.iter().find(|gate| gate.name == entry.finding.rule && gate.place == entry.finding.place);
                if let Some(gate) = gate.filter(|gate| !seen.contains(&gate.place)) {
                    seen.push(gate.place);
                    for book in Some(&book).filter(|_| here).into_iter().chain(&elsewhere) {
                        result.findings.extend(book.held_by(gate, &entry.finding, before, &mut Vec::new()));
                    }
                }
            }
            Meter::Phase(phase) => {
                let Some(pipeline) = &tiers.pipeline else { continue };
                let by_agent = !phase.is_empty();
                let to = if by_agent { Some(phase.to_owned()) } else { new_mark(call, pipeline, book.work.as_ref().ok()) };
                let Some(to) = to.filter(|to| !to.is_empty()) else { continue };
                let by = if by_agent {
                    format!("{}, who starts an agent of the phase", facts.agent)
                } else {
                    format!("{}, who wrote `{}`", facts.agent, pipeline.marker)
                };
                match book.enters(pipeline, &to, &entry.finding, by_agent, &by) {
                    Ok(to) => result.moves = to.or(result.moves),
                    Err(findings) => result.findings.extend(findings),
                }
            }
            _ => {}
        }
    }
    if result.findings.iter().any(|finding| finding.tier >= Tier::Supervised && !finding.shadow) {
        let _ = super::phase_stopped(&book);
    }
    Ok(result)
}

/// The folders of the calls of git that make commits, push or merge. `None`: the folder is not known.
fn folders_of_git(call: &[Action]) -> impl Iterator<Item = Option<&str>> {
    call.iter().filter_map(|action| match &action.deed {
        Deed::Run(run) if run.program == "git" => {
            let subcommand = run.subcommand.as_ref()?.literal()?;
            ["commit", "push", "merge"].contains(&subcommand).then(|| run.folder.literal())
        }
        _ => None,
    })
}

/// Whether a call may do something in the work tree that it was made in: git works there, or something else than git.
fn is_here(call: &[Action], around: &Surroundings) -> bool {
    let mut folders = folders_of_git(call).peekable();
    folders.peek().is_none() || folders.any(|folder| folder.is_none_or(|folder| found(folder).is_none_or(|found| found.root == around.tree())))
}

/// The other work trees of the same repository in which git commits, pushes or merges. What it does in another repository is
/// no matter of these gates.
fn other_trees(call: &[Action], around: &Surroundings) -> Vec<Surroundings> {
    let Some(own) = &around.repository else { return Vec::new() };
    let mut trees: Vec<Surroundings> = Vec::new();
    for other in folders_of_git(call).flatten().filter_map(found) {
        if other.root != own.root && same_repository(&other, own) && trees.iter().all(|known| known.tree() != other.root) {
            trees.push(Surroundings { repository: Some(other), ..around.clone() });
        }
    }
    trees
}

fn found(folder: &str) -> Option<Repository> {
    if let Discovery::Found(repository) = discover(Path::new(folder)) { Some(repository) } else { None }
}

/// The first line of the marker file as a call makes it. `None`: what it makes of it is not known.
fn new_mark(call: &[Action], pipeline: &Pipeline, work: Option<&GatedTree>) -> Option<String> {
    let root = &work?.root;
    let change = call.iter().rev().find_map(|action| match &action.deed {
        Deed::Write(write) if write.path.word.literal().is_some_and(|path| Path::new(path) == root.join(pipeline.marker)) => Some(&write.change),
        _ => None,
    })?;
    let before = work?.text(pipeline.marker).unwrap_or_default();
    first_line(&after_text(&before, change)?)
}

fn first_line(text: &str) -> Option<String> {
    text.lines().next().map(|line| line.trim().to_owned())
}

/// What a move into a phase would be, before gates and persons are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PhaseStep<'p> {
    /// The work is there, or is done with it; nothing moves.
    Stays,
    /// The agent of the present phase starts once more.
    StartsAgain,
    /// Into the next phase.
    Next,
    /// There is no such phase, or the present one is not known.
    Unknown,
    /// The agent of the phase was started as often as it may.
    TriesUsedUp(u32),
    /// Back, which a marker does not do.
    Back,
    /// Over this phase, which comes first.
    Skips(&'p str),
}

/// What a move from `place` into `to` would be. `starts`: an agent of the phase starts.
#[must_use]
pub fn step<'p>(pipeline: &Pipeline<'p>, place: &PhaseState, to: &str, starts: bool) -> PhaseStep<'p> {
    let (Some(at), Some(wanted)) = (pipeline.position(&place.phase), pipeline.position(to)) else { return PhaseStep::Unknown };
    // Behind the last phase, the next piece of work begins.
    let at = if place.phase == DONE { 0 } else { at };
    if to == place.phase {
        return match pipeline.tries(to).filter(|most| place.tries >= *most) {
            _ if !starts => PhaseStep::Stays,
            Some(most) => PhaseStep::TriesUsedUp(most),
            None => PhaseStep::StartsAgain,
        };
    }
    match pipeline.after(&place.phase) {
        Some(next) if next == to => PhaseStep::Next,
        // A phase that is over may be worked on once more; the work stays where it is.
        _ if wanted < at && starts => PhaseStep::Stays,
        _ if wanted < at => PhaseStep::Back,
        next => PhaseStep::Skips(next.unwrap_or(DONE)),
    }
}

impl GateBook<'_> {
    /// The move that the marker file asks for and that is allowed. `None`: it asks for none.
    #[must_use]
    pub fn marked(&self) -> Option<PhaseMove> {
        let pipeline = self.tiers.pipeline.as_ref().filter(|pipeline| !pipeline.marker.is_empty())?;
        let to = first_line(&self.work.as_ref().ok()?.text(pipeline.marker)?)?;
        let place = self.place.as_ref().ok()?;
        if to == place.phase || pipeline.after(&place.phase) != Some(to.as_str()) {
            return None;
        }
        let finding = Finding::of_section(pipeline.layer.name(), "phases", pipeline.place, Tier::Metered, pipeline.shadow);
        self.enters(pipeline, &to, &finding, false, &format!("`{}`", pipeline.marker)).ok().flatten()
    }

    /// The move into a phase, or what is against it. `Ok(None)`: nothing moves.
    ///
    /// # Errors
    ///
    /// The findings.
    pub fn enters(&self, pipeline: &Pipeline, to: &str, finding: &Finding, starts: bool, by: &str) -> Result<Option<PhaseMove>, Vec<Finding>> {
        let stop = |rule: &str, tier: Tier, reason: String, told: String, instead: String, missing: bool| {
            vec![Finding { rule: rule.to_owned(), tier, reason, told, instead, missing, ..finding.clone() }]
        };
        let place = match &self.place {
            Ok(place) => place,
            Err(DamagedPhase(path)) => {
                let told = format!("`{}` is damaged", path.display());
                let instead = "a person must run `portcullis phase NAME` with the true phase; the damaged file is kept under another name".to_owned();
                return Err(stop(DAMAGED, Tier::Prohibited, "in which phase the work is cannot be known".to_owned(), told, instead, true));
            }
        };
        let now = phase::shown(&place.phase);
        let forward = |next: &str| format!("do the work of `{next}` first");
        match step(pipeline, place, to, starts) {
            PhaseStep::Stays => return Ok(None),
            PhaseStep::StartsAgain => return Ok(Some(self.going(place, to, starts, by, String::new()))),
            PhaseStep::Next => {}
            PhaseStep::Unknown => {
                let (reason, known) = (format!("there is no phase `{to}`"), pipeline.phases.join(", "));
                let told = format!("the phases are {known}; the work is in {now}");
                return Err(stop(SKIPPED, Tier::Prohibited, reason, told, "tell the user, who can set the phase".to_owned(), false));
            }
            PhaseStep::TriesUsedUp(most) => {
                let reason = format!("the phase `{to}` has used up its tries");
                let told = format!("its agent was started {} times, and {most} are allowed", place.tries);
                return Err(stop(RETRIES, Tier::Supervised, reason, told, "tell the user what fails, and what was tried".to_owned(), false));
            }
            PhaseStep::Back => {
                let reason = format!("the marker moves the work only forward, and `{to}` is before `{}`", place.phase);
                let instead = "tell the user, who can move the work back with `portcullis phase NAME`".to_owned();
                return Err(stop(SKIPPED, Tier::Prohibited, reason, format!("the work is in {now}"), instead, false));
            }
            PhaseStep::Skips(next) => {
                let reason = format!("no phase is skipped, and `{next}` comes before `{to}`");
                return Err(stop(SKIPPED, Tier::Prohibited, reason, format!("the work is in {now}"), forward(next), false));
            }
        }
        let (mut found, there) = self.gates_before(to, finding);
        if let Some(why) = person_needed(pipeline, place, to) {
            let reason = format!("a person moves the work into the phase `{to}`");
            let instead = format!("tell the user what was done, and ask them to run `portcullis phase {to}` in a terminal");
            found.extend(stop(PERSON, Tier::Prohibited, reason, why, instead, true));
        }
        if found.iter().any(|finding| finding.tier >= Tier::Supervised && !finding.shadow) {
            return Err(found);
        }
        Ok(Some(self.going(place, to, starts, by, there.join("; "))))
    }

    /// What the gates before a phase find, and what was there.
    #[must_use]
    pub fn gates_before(&self, to: &str, finding: &Finding) -> (Vec<Finding>, Vec<String>) {
        let (mut found, mut there) = (Vec::new(), Vec::new());
        let before = format!("{BEFORE_PHASE}{to}");
        for gate in self.tiers.gates.iter().filter(|gate| gate.before.contains(&before.as_str())) {
            let blank = Self::blank(gate);
            let Finding { action, span, via, .. } = finding.clone();
            found.extend(self.held_by(gate, &Finding { action, span, via, ..blank }, &before, &mut there));
        }
        (found, there)
    }

    /// The move, as data.
    #[must_use]
    pub fn going(&self, place: &PhaseState, to: &str, starts: bool, by: &str, evidence: String) -> PhaseMove {
        let first = self.tiers.pipeline.as_ref().is_some_and(|pipeline| pipeline.phases.first() == Some(&to));
        let head = self.work.as_ref().ok().and_then(GatedTree::head).map(|head| head.to_string()).unwrap_or_default();
        let evidence = if evidence.is_empty() { "no gate is before it".to_owned() } else { evidence };
        PhaseMove { number: place.number, to: to.to_owned(), first, person: false, starts, head, by: by.to_owned(), evidence }
    }
}

/// Why a person must move the work into a phase. `None`: evidence is enough.
#[must_use]
pub fn person_needed(pipeline: &Pipeline, place: &PhaseState, to: &str) -> Option<String> {
    let first = pipeline.phases.first() == Some(&to);
    match pipeline.autonomy {
        Autonomy::Headless => None,
        Autonomy::Semi if first || to == DONE => Some("the autonomy is `semi`: a person begins the work and ends it".to_owned()),
        Autonomy::Semi => None,
        // A person moved the work at least once; then as many phases follow as a batch has.
        Autonomy::Supervised if !first && place.number > 0 && place.steps.saturating_add(1) < u32::from(pipeline.batch) => None,
        Autonomy::Supervised if pipeline.batch > 1 => Some(format!("the autonomy is `supervised`: a person looks after each {} phases", pipeline.batch)),
        Autonomy::Supervised => Some("the autonomy is `supervised`: a person looks between phases".to_owned()),
    }
}

/// Records that the autonomy is another one than before: who set it, when, and on what evidence.
pub fn note_autonomy(book: &GateBook) {
    let (Some(pipeline), Ok(place)) = (&book.tiers.pipeline, &book.place) else { return };
    let now = pipeline.autonomy.name();
    if place.autonomy == now {
        return;
    }
    let changed = phase::change(book.around, false, |place| (place.autonomy != now).then(|| PhaseState { autonomy: now.to_owned(), ..place }));
    if changed.is_err() || (place.autonomy.is_empty() && pipeline.autonomy == Autonomy::Supervised) {
        return;
    }
    let before = if place.autonomy.is_empty() { Autonomy::Supervised.name() } else { &place.autonomy };
    let evidence = format!(
        "{}; evidence: {} moves passed their gates, {} actions were stopped",
        set_by(pipeline.autonomy_place, &book.around.root),
        place.passed,
        place.stopped
    );
    let _ = phase::note(&format!("autonomy: {before} -> {now}"), &evidence, book.around);
}

/// Who wrote the file that sets the autonomy, and when.
fn set_by(place: &str, root: &Path) -> String {
    use std::os::unix::fs::MetadataExt as _;
    if place.is_empty() {
        return "no layer sets it any more".to_owned();
    }
    let file = place.rsplit_once(':').map_or(place, |(file, _)| file);
    match std::fs::metadata(root.join(file)) {
        Ok(data) => format!("{place}, written by user {} at {}", data.uid(), data.mtime()),
        Err(_) => place.to_owned(),
    }
}

/// The gates that stop a commit or a push that git makes.
///
/// # Errors
///
/// [`Failure::RuleDamaged`]
pub fn before(moment: &'static str, policy: &Policy, around: &Surroundings) -> Result<Vec<Finding>, Failure> {
    let tiers = policy.tiers().ok_or(Failure::RuleDamaged)?;
    if !tiers.gates.iter().any(|gate| gate.before.contains(&moment)) {
        return Ok(Vec::new());
    }
    let book = GateBook::open(around, policy, &tiers);
    let gates = tiers.gates.iter().filter(|gate| gate.before.contains(&moment) && speaks_of_main(gate));
    Ok(gates.flat_map(|gate| book.held_by(gate, &Finding { action: super::moment(moment), ..GateBook::blank(gate) }, moment, &mut Vec::new())).collect())
}

/// Git does not say which agent acts.
fn speaks_of_main(gate: &Gate) -> bool {
    policy::matcher::text::any_or_unasked(&gate.for_agents, "main") == policy::verdict::Answer::Yes
}
