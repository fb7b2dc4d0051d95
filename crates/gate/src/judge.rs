//! The one judgement: what a call would do, what must be known for it, what the policy concludes. The hook, git's hooks,
//! `check`, `explain` and `policy test` all call it, and differ only in who answers the questions.

use std::collections::{BTreeMap, BTreeSet};

use actions::json::Json;
use actions::lookup::{Lookup, LookupAnswer, Lookups};
use actions::{Action, Deed, ToolCall, shell};
use clients::Event;
use policy::decide::{Decided, Metered, decide};
use policy::facts::{Facts, Known, Need, Places};
use policy::verdict::{Finding, Look, Verdict};
use policy::{Budget, Flywheel, Layer, LayerFile, Meter, MeterScope, Policy, TestsFirst, Tier, Tiers};

use crate::call::Purpose;
use crate::deep::{Deep, Stop};
use crate::failure::Failure;
use crate::world::meters::{self, CallIdentity, MeterUse};
use crate::world::phase::PhaseMove;
use crate::world::{Surroundings, lookup, observe, system, trail};
use crate::{ended, first_look, metering, release, stall};

/// Rounds of asking for facts: each round's questions come of the answers before, and rules have two levels of them.
const MAX_ROUNDS: usize = 8;
/// Files and configurations that are looked up for one call.
const MAX_LOOKUPS: usize = 128;

/// Calls of git that can take files away that it does not track.
const REMOVES: [&str; 4] = ["clean", "stash", "stash push", "stash save"];
/// Calls of git that put other versions of tracked files into the work tree.
const CHANGES: [&str; 12] =
    ["switch", "checkout", "restore", "reset", "read-tree", "revert", "cherry-pick", "merge", "pull", "rebase", "stash pop", "stash apply"];

/// Answers what a judgement asks.
pub trait Answers {
    /// The answer to what the reading of a command asks. [`LookupAnswer::Nothing`] where there is no world behind the call.
    ///
    /// # Errors
    ///
    /// [`Stop`]
    fn lookup(&self, _lookup: &Lookup) -> Result<LookupAnswer, Stop> {
        Ok(LookupAnswer::Nothing)
    }

    /// The answers to one or more of `needs`. Questions that are left are asked again.
    ///
    /// # Errors
    ///
    /// [`Stop`]
    fn facts(&self, needs: BTreeSet<Need>) -> Result<Vec<(Need, Known)>, Stop>;

    /// Adds places that only some actions are compared with.
    fn complete(&self, _actions: &[Action], _places: &mut Places) {}

    /// What calls of git would do to Portcullis' own files without naming them.
    ///
    /// # Errors
    ///
    /// [`Stop`]
    fn taken_by_git(&self, _actions: &[Action], _policy: &Policy) -> Result<Vec<Action>, Stop> {
        Ok(Vec::new())
    }

    /// What the sections of the policy find, beside its rules.
    ///
    /// # Errors
    ///
    /// [`Stop`]
    fn sections(&self, _actions: &[Action], _facts: &Facts, _policy: &Policy) -> Result<Vec<Finding>, Stop> {
        Ok(Vec::new())
    }

    /// What gates and phases find. Where there is no world behind the call, nothing is known of what they need.
    ///
    /// # Errors
    ///
    /// [`Stop`]
    fn gates(&self, _gated: &[Metered], _actions: &[Action], _facts: &Facts, _policy: &Policy) -> Result<Gated, Stop> {
        Ok(Gated::default())
    }

    /// What limits and budgets find of what the call uses up. Where there is no world behind the call, nothing was used before.
    ///
    /// # Errors
    ///
    /// [`Stop`]
    fn meters(&self, _metered: &[Metered], _policy: &Policy) -> Result<Vec<Finding>, Stop> {
        Ok(Vec::new())
    }
}

/// Each need with its answer.
pub fn answered(needs: impl IntoIterator<Item = Need>, answer: impl Fn(&Need) -> Known) -> Vec<(Need, Known)> {
    needs.into_iter().map(|need| (need.clone(), answer(&need))).collect()
}

/// What gates and phases find in a call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gated {
    pub findings: Vec<Finding>,
    /// Where the work moves if the call is made.
    pub moves: Option<PhaseMove>,
}

/// What was concluded, and by which rules.
#[derive(Debug)]
pub struct Judgement {
    /// What would be done.
    pub actions: Vec<Action>,
    /// The verdict on it.
    pub verdict: Verdict,
    /// Which rules looked at which action, and what they said: only those that did not say no, and those that were
    /// waived, unless all were asked for.
    pub looks: Vec<Look>,
    /// A limit or a budget may speak of the call.
    pub metered: bool,
    /// Where the work moves if the call is made.
    pub moves: Option<PhaseMove>,
}

/// Judges a call. With `every`, each rule that looked is noted, also where it said no.
///
/// # Errors
///
/// [`Stop::HandOver`] if `answers` cannot answer; [`Failure::RuleDamaged`].
pub fn judge(call: &ToolCall, facts: &mut Facts, policy: &Policy, answers: &dyn Answers, every: bool) -> Result<Judgement, Stop> {
    let mut actions = read(call, &facts.places, policy, answers)?;
    let taken = answers.taken_by_git(&actions, policy)?;
    actions.extend(taken);
    answers.complete(&actions, &mut facts.places);
    conclude(actions, facts, policy, answers, every)
}

/// What a call would do.
///
/// # Errors
///
/// [`Stop::HandOver`] if `answers` cannot answer; [`Failure::CallMalformed`].
pub fn read(call: &ToolCall, places: &Places, policy: &Policy, answers: &dyn Answers) -> Result<Vec<Action>, Stop> {
    if let Some(why) = actions::tools::malformed(call) {
        return Err(Failure::CallMalformed { tool: call.name.clone(), why }.into());
    }
    let mut actions = read_in(call, &setting(places), policy, answers)?;
    // A shell takes `~` for `HOME`, and others for what the password database says: what either means counts.
    for home in places.homes.iter().skip(1).filter(|_| names_home(call)) {
        let more = read_in(call, &shell::Setting { home: Some(home.clone()), ..setting(places) }, policy, answers)?;
        if more.iter().map(|action| &action.deed).ne(actions.iter().map(|action| &action.deed)) {
            let first = actions.len();
            actions.extend(more.into_iter().map(|action| Action { from: action.from.map(|from| from + first), ..action }));
        }
    }
    Ok(actions)
}

/// Whether the text of a call may lead to a home folder.
fn names_home(call: &ToolCall) -> bool {
    let signs = |text: &str| ["~", "HOME", "home", "cd"].iter().any(|sign| text.contains(sign));
    match ["command", "cmd", "commands"].iter().find_map(|key| call.input.get(key)) {
        Some(Json::Text(text)) => signs(text),
        Some(Json::List(list)) => list.iter().any(|item| item.scalar().is_none_or(|text| signs(&text))),
        _ => false,
    }
}

/// The files that the reading of a call opens: scripts, recipes, and what these name.
///
/// # Errors
///
/// As [`read`].
pub fn opened(call: &ToolCall, places: &Places, policy: &Policy, answers: &dyn Answers) -> Result<Vec<String>, Stop> {
    let (_, lookups) = looked_up(call, &setting(places), policy, answers)?;
    let path = |(_, answer): (Lookup, LookupAnswer)| if let LookupAnswer::Text { path, .. } = answer { Some(path) } else { None };
    Ok(lookups.known.into_iter().filter_map(path).collect())
}

fn read_in(call: &ToolCall, setting: &shell::Setting, policy: &Policy, answers: &dyn Answers) -> Result<Vec<Action>, Stop> {
    looked_up(call, setting, policy, answers).map(|(actions, _)| actions)
}

fn looked_up(call: &ToolCall, setting: &shell::Setting, policy: &Policy, answers: &dyn Answers) -> Result<(Vec<Action>, Lookups), Stop> {
    let mut lookups = Lookups::default();
    for _ in 0..MAX_ROUNDS {
        let (actions, mut found) = actions::tools::of(call, setting, &policy.programs, lookups);
        if found.asked.is_empty() || found.known.len() > MAX_LOOKUPS {
            return Ok((actions, found));
        }
        for lookup in std::mem::take(&mut found.asked) {
            let answer = answers.lookup(&lookup)?;
            found.known.push((lookup, answer));
        }
        lookups = found;
    }
    Ok(actions::tools::of(call, setting, &policy.programs, lookups))
}

/// Where a command of a call starts.
#[must_use]
pub fn setting(places: &Places) -> shell::Setting {
    shell::Setting {
        cwd: places.cwd.clone(),
        home: places.homes.first().cloned(),
        temporary: places.temporary.last().cloned().unwrap_or_else(|| "/tmp".to_owned()),
        root: places.roots.first().cloned().unwrap_or_default(),
        zsh: places.zsh,
    }
}

/// Calls [`decide`], answers the facts it asks for, and repeats until it asks for none; then adds what the sections find.
///
/// # Errors
///
/// As [`judge`].
pub fn conclude(actions: Vec<Action>, facts: &mut Facts, policy: &Policy, answers: &dyn Answers, every: bool) -> Result<Judgement, Stop> {
    let Decided { mut verdict, looks, metered, .. } = decided(&actions, facts, policy, answers, every)?;
    let found = answers.sections(&actions, facts, policy)?;
    if !found.is_empty() {
        verdict.add(found);
    }
    let (gated, metered): (Vec<Metered>, Vec<Metered>) = metered.into_iter().partition(|entry| entry.meter.is_gate());
    let mut moves = None;
    if !gated.is_empty() && verdict.tier < Tier::Prohibited {
        let found = answers.gates(&gated, &actions, facts, policy)?;
        moves = found.moves;
        if !found.findings.is_empty() {
            verdict.add(found.findings);
        }
    }
    verdict.price = metering::price(&metered);
    // Last, for they are used up: nothing that comes later can ask for the call to be judged again.
    let found = answers.meters(&metered, policy)?;
    if !found.is_empty() {
        verdict.add(found);
    }
    Ok(Judgement { actions, verdict, looks, metered: policy.has_meters(), moves })
}

/// Calls [`decide`] until it asks for no more facts.
fn decided<'p>(actions: &[Action], facts: &mut Facts, policy: &Policy<'p>, answers: &dyn Answers, every: bool) -> Result<Decided<'p>, Stop> {
    let mut rounds = 0;
    loop {
        let decided = decide(actions, facts, policy, every).ok_or(Failure::RuleDamaged)?;
        if decided.needs.is_empty() || rounds == MAX_ROUNDS {
            return Ok(decided);
        }
        rounds += 1;
        facts.known.extend(answers.facts(decided.needs)?);
    }
}

/// What limits, budgets and results speak of a call.
///
/// # Errors
///
/// As [`judge`].
pub fn metered<'p>(actions: &[Action], facts: &mut Facts, policy: &Policy<'p>, answers: &dyn Answers) -> Result<Vec<Metered<'p>>, Stop> {
    Ok(decided(actions, facts, policy, answers, false)?.metered)
}

/// The facts that are known of an event before anything is asked.
#[must_use]
pub fn facts_of(event: &Event, places: &Places) -> Facts {
    Facts { agent: event.agent.clone(), mode: event.mode.clone(), ..facts_at(places) }
}

/// The facts where git asks. It does not say which agent acts, or in which mode, so it is judged as the main agent in the
/// usual mode.
#[must_use]
pub fn facts_at(places: &Places) -> Facts {
    Facts { places: places.clone(), known: BTreeMap::new(), today: today(), agent: "main".to_owned(), mode: "default".to_owned(), committing: false }
}

/// Days since 1970-01-01 (UTC).
#[must_use]
pub fn today() -> i64 {
    i64::try_from(system::now() / 86_400).unwrap_or(i64::MAX)
}

/// Answers from this machine.
pub struct Here<'w> {
    /// What surrounds the call.
    pub around: &'w Surroundings,
    /// What only the cold binary can find out.
    pub deep: &'w dyn Deep,
    /// The event whose call is judged, and what for: limits and budgets are used up for an answer, and only looked at otherwise.
    /// `None`: they are not asked. What an agent does by git was counted when its call was judged.
    pub event: Option<(&'w Event, Purpose)>,
}

impl Answers for Here<'_> {
    fn lookup(&self, lookup: &Lookup) -> Result<LookupAnswer, Stop> {
        lookup::look_up(lookup, self.around, self.deep)
    }

    fn facts(&self, needs: BTreeSet<Need>) -> Result<Vec<(Need, Known)>, Stop> {
        let (mut known, mut heavy) = (Vec::new(), Vec::new());
        for need in needs {
            match observe::light(&need, self.around) {
                Some(answer) => known.push((need, answer)),
                None => heavy.push(need),
            }
        }
        // The heavy questions are asked last: the answers to the others may make them needless.
        if known.is_empty() { self.deep.facts(heavy, self.around) } else { Ok(known) }
    }

    fn complete(&self, actions: &[Action], places: &mut Places) {
        let on_path = |action: &Action| matches!(action.deed, Deed::Write(_) | Deed::Delete(_) | Deed::Read(_));
        if places.binaries.is_empty() && actions.iter().any(on_path) {
            places.binaries.extend(system::own_folder().map(|folder| folder.to_string_lossy().into_owned()));
        }
    }

    fn taken_by_git(&self, actions: &[Action], policy: &Policy) -> Result<Vec<Action>, Stop> {
        let own = |layer: &LayerFile| matches!(layer.layer, Layer::Project | Layer::Local) && !layer.identity.is_empty();
        let mut calls = actions.iter().filter_map(|action| match &action.deed {
            Deed::Run(run) if run.program == "git" => run.subcommand.as_ref()?.literal(),
            _ => None,
        });
        let concerned = calls.any(|call| REMOVES.contains(&call) || (CHANGES.contains(&call) && policy.layers.iter().any(own)));
        if concerned { self.deep.taken_by_git(actions, self.around) } else { Ok(Vec::new()) }
    }

    fn sections(&self, actions: &[Action], facts: &Facts, policy: &Policy) -> Result<Vec<Finding>, Stop> {
        let release = policy.tiers().ok_or(Failure::RuleDamaged)?.release;
        // Without an event it is git that asks.
        let what = if self.event.is_some() { "a tool call" } else { "what git does" };
        let mut found: Vec<Finding> = release.and_then(|section| release::finding(&section, facts.today, what)).into_iter().collect();
        if let Some(section) = policy.tests_first.as_ref().filter(|section| concerns_tests(section, actions, facts)) {
            found.extend(self.deep.tests_first(actions, facts, section, self.around)?);
        }
        if let Some(section) = policy.flywheel.as_ref().filter(|section| concerns_documents(section, actions, &self.around.places.roots)) {
            found.extend(self.deep.documents(actions, self.around, section)?);
        }
        Ok(found)
    }

    fn gates(&self, gated: &[Metered], actions: &[Action], facts: &Facts, policy: &Policy) -> Result<Gated, Stop> {
        self.deep.gates(gated, actions, facts, policy, self.around)
    }

    fn meters(&self, metered: &[Metered], policy: &Policy) -> Result<Vec<Finding>, Stop> {
        let Tiers { budgets, stall, every_call, fleet, .. } = policy.tiers().ok_or(Failure::RuleDamaged)?;
        let mut all = Vec::new();
        let Some((event, purpose)) = self.event else { return Ok(all) };
        if let (Some(section), Some(call)) = (stall, event.tool.as_ref())
            && !ended::is_call(&section.waits, call)
        {
            let step = stall::before(&trail::read(self.around), &section, ended::input_of(call), system::now_ms());
            all.extend(step.map(|step| stall::finding(step, &section)));
        }
        let shared = budgets.iter().any(|budget| budget.fleet && budget.tokens) || metered.iter().any(|entry| is_shared(&entry.meter, &budgets));
        let shared = shared || every_call.iter().any(|every| every.limit.scope == MeterScope::Fleet);
        let fleet = if let (Some(section), true) = (&fleet, shared) { self.deep.fleet(section)? } else { None };
        // What models cost is known only afterwards: once it is spent, nothing more is let through.
        for budget in budgets.iter().filter(|budget| budget.tokens) {
            let unseen = budget.needs_transcript && purpose == Purpose::Answer && !meters::has_transcript(event);
            all.extend(unseen.then(|| metering::unseen(budget)));
            let standing = meters::spent(budget, self.around, fleet.as_deref())?;
            all.extend(
                Some(budget).filter(|_| standing.used >= standing.of).and_then(|budget| metering::of_budget(None, budget, &MeterUse { needs: 1, ..standing })),
            );
        }
        let counted = metered.iter().filter(|entry| !matches!(entry.meter, Meter::Result(_))).cloned();
        let metered: Vec<Metered> = counted.chain(every_call.iter().map(metering::of_every_call)).collect();
        if metered.is_empty() {
            return Ok(all);
        }
        let found = |standings: &[MeterUse]| metering::findings(&metered, standings, &budgets);
        // What is denied for sure takes nothing. What a person is asked for takes what it needs, and gives it back after a no.
        let takes = |standings: &[MeterUse]| found(standings).iter().all(|finding| finding.shadow || finding.tier < Tier::Prohibited);
        let call = if purpose == Purpose::Answer { CallIdentity::of(event) } else { None };
        let standings = meters::standing(&metered, &budgets, self.around, call, fleet.as_deref(), takes)?;
        all.extend(found(&standings));
        Ok(all)
    }
}

/// Whether what a call takes is counted for all machines of a fleet.
fn is_shared(meter: &Meter, budgets: &[Budget]) -> bool {
    match meter {
        Meter::Limit(limit) => limit.scope == MeterScope::Fleet,
        Meter::Cost(cost) => budgets.iter().any(|budget| budget.fleet && budget.name == cost.budget),
        Meter::Result(_) | Meter::Gate(_) | Meter::Phase(_) => false,
    }
}

/// True if a call writes or deletes a file that could be a source, a test or a setting of what is checked, or renews what
/// tests expect.
#[inline(never)] // Most calls do not come here, and touch fewer pages without it.
fn concerns_tests(section: &TestsFirst, actions: &[Action], facts: &Facts) -> bool {
    let inside = |path: &str| below(path, &facts.places.roots).any(|rest| !rest.is_empty());
    // A pattern of names is looked at by its text.
    let named = |word: &actions::word::Word, is: &dyn Fn(&str) -> bool| match word.literal() {
        Some(path) => is(path),
        None => !word.has_hole() && is(&word.to_string()),
    };
    let concerns = |action: &Action| match &action.deed {
        Deed::Write(write) => named(&write.path.word, &|path| inside(path) && section.concerns(path)),
        // A folder's name tells nothing of what is in it.
        Deed::Delete(delete) => named(&delete.path.word, &|path| inside(path) && (delete.recursive || section.concerns(path))),
        Deed::Run(run) => policy::renews_snapshots(run),
        _ => false,
    };
    actions.iter().any(|action| concerns(action) && !first_look::is_free(action, section))
}

/// The path from each root that it is below or is itself; that of a root is empty.
fn below<'p>(path: &'p str, roots: &'p [String]) -> impl Iterator<Item = &'p str> {
    roots.iter().filter_map(move |root| {
        let rest = path.strip_prefix(root.as_str())?;
        if rest.is_empty() { Some(rest) } else { rest.strip_prefix('/') }
    })
}

/// True if a call may lose learnings, or makes a commit while the section has a gate on documents.
#[inline(never)] // Most calls do not come here, and touch fewer pages without it.
fn concerns_documents(section: &Flywheel, actions: &[Action], roots: &[String]) -> bool {
    let gated = section.map.iter().any(|pair| pair.gate.is_some());
    let commits = || actions.iter().any(|action| matches!(&action.deed, Deed::Run(run) if makes_commit(run)));
    loses_learnings(section, actions, roots) || (gated && commits())
}

/// True if a call writes or deletes a file of learnings, or deletes a folder in which one is.
#[must_use]
pub fn loses_learnings(section: &Flywheel, actions: &[Action], roots: &[String]) -> bool {
    let kept = || section.learnings.iter().chain([&section.archive]);
    let inside = |path: &str, with_contents: bool| {
        below(path, roots).any(|rest| {
            kept().any(|file| *file == rest || (with_contents && (rest.is_empty() || file.strip_prefix(rest).is_some_and(|rest| rest.starts_with('/')))))
        })
    };
    actions.iter().any(|action| match &action.deed {
        Deed::Write(write) => write.path.word.literal().is_some_and(|path| inside(path, false)),
        Deed::Delete(delete) => delete.path.word.literal().is_some_and(|path| inside(path, delete.recursive || delete.moved)),
        _ => false,
    })
}

/// True if a command makes a commit.
#[must_use]
pub fn makes_commit(run: &actions::Run) -> bool {
    run.program == "git" && run.subcommand.as_ref().and_then(|subcommand| subcommand.literal()) == Some("commit")
}
