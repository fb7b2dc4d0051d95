//! An event from its bytes to its answer: what arrived, which policy applies, what is concluded, what is answered, what is
//! left behind.

use std::borrow::Cow;
use std::mem::ManuallyDrop;

use actions::json::{Json, quoted};
use actions::wire::is_intact;
use clients::{Event, Invocation, Moment, MomentKind, UnreadableEvent};
use policy::facts::Facts;
use policy::verdict::Verdict;
use policy::{MAGIC, Policy, Tier};

use crate::BUILT_IN;
use crate::answer::{self, HookAnswer};
use crate::approval::{ApprovalAnswer, ApprovalCase};
use crate::deep::{Deep, Stop};
use crate::ended::input_of;
use crate::failure::{self, Conclusion, Failure, conclude};
use crate::judge::{Here, Judgement, facts_of, judge};
use crate::notes::{Note, apply};
use crate::record::{Entry, Held, RecordSource};
use crate::refusal::{self, Audience};
use crate::session;
use crate::stall::SeenCall;
use crate::world::compiled::{CompiledPolicy, PolicyFile};
use crate::world::meters::{self, CallEnd, CallIdentity, FleetStore};
use crate::world::{Surroundings, World, layers, state, system, written};

/// The session of the calls that Portcullis makes up to check its own answer.
pub const TRIAL: &str = "portcullis";
/// The largest input that is kept with a refusal.
const MAX_KEPT: usize = 256 << 10;

/// The answer to an event as it came in. `invocation` is how the hook was started.
///
/// # Errors
///
/// [`Stop::HandOver`]: the cold binary must answer. Failures are answered here.
pub fn answer(invocation: &Invocation, input: &[u8], world: &World, deep: &dyn Deep) -> Result<HookAnswer, Stop> {
    // What a call had in memory is not given back, for the process ends with the answer.
    let event = match invocation.read(input) {
        Ok(event) => ManuallyDrop::new(event),
        Err(unreadable) => return Ok(answer::to_failure(&unreadable_input(unreadable), invocation.named(), invocation.moment)),
    };
    if let Some(argument) = invocation.event.filter(|argument| *argument != event.name) {
        // Whichever of the two can stop something decides what the failure concludes.
        let strict = if invocation.moment.kind() == MomentKind::Observing { event.moment } else { invocation.moment };
        let failure = Failure::EventMismatch { argument: argument.to_owned(), input: event.name.clone() };
        return Ok(answer::to_failure(&failure, event.client, strict));
    }
    let failure = match respond(&event, input, world, deep) {
        Err(Stop::Failed(failure)) => failure,
        answered => return answered,
    };
    if let Ok(around) = world.around(&event) {
        let held = (conclude(&failure, event.moment.kind()) == Conclusion::Deny).then_some(Held::Deny);
        let entry = Entry { held, said: failure::what(&failure), tier: held.map(|_| Tier::Prohibited as u8), ..entry(&event, deep) };
        let last = held.map(|_| Note::LastRefusal(last_failure(&event, &failure, input)));
        apply(&last.into_iter().chain([Note::Record(Box::new(entry))]).collect::<Vec<_>>(), &around, world);
    }
    Ok(answer::to_failure(&failure, event.client, event.moment))
}

/// Why an event could not be read, as a failure.
#[must_use]
pub fn unreadable_input(unreadable: UnreadableEvent) -> Failure {
    Failure::InputUnreadable(match unreadable {
        UnreadableEvent::Json(why) => why,
        UnreadableEvent::Missing(field) => format!("it has no `{field}`"),
    })
}

fn respond(event: &Event, input: &[u8], world: &World, deep: &dyn Deep) -> Result<HookAnswer, Stop> {
    if event.moment.kind() == MomentKind::Observing {
        return session::inform(event, world, deep);
    }
    if event.moment == Moment::SettingsChanged {
        let answer = session::settings_changed(event, world, deep)?;
        if let Ok(around) = world.around(event) {
            apply(&[Note::Record(Box::new(Entry { held: answer.held, ..entry(event, deep) }))], &around, world);
        }
        return Ok(answer);
    }
    let Some(judged) = judged(event, world, deep, Purpose::Answer)? else { return Ok(HookAnswer::nothing()) };
    let mut judged = ManuallyDrop::new(judged);
    let Judged { around, judgement, .. } = &*judged;
    if judged.paused.is_none() && event.session != TRIAL && answer::needs_approval(event, &judgement.verdict, world.attended) {
        let asked = deep.approval(&ApprovalCase { event, judgement, around, world });
        if asked.is_err() {
            give_back(event, around, world, deep)?;
        }
        judged.approval = asked?;
    }
    let (answer, notes) = judged.response(event, input, world, deep);
    let notes = ManuallyDrop::new(notes);
    if answer.held == Some(Held::Deny) && judged.judgement.metered {
        give_back(event, &judged.around, world, deep)?;
    }
    apply(&notes, &judged.around, world);
    Ok(answer)
}

/// Gives back what was reserved for a call that does not run, or that is judged anew: the next judgement must not find that
/// what the first one took without room is there.
#[inline(never)] // Most calls do not come here, and touch fewer pages without it.
fn give_back(event: &Event, around: &Surroundings, world: &World, deep: &dyn Deep) -> Result<(), Stop> {
    let Some(call) = CallIdentity::of(event) else { return Ok(()) };
    let fleet = fleet_store(call, around, world, deep)?;
    Ok(meters::end(call, CallEnd::DidNotRun, around, &[], fleet.as_deref())?)
}

/// The answer to an event without a call, for `explain`: nothing is recorded and nothing else is kept. An event that only
/// informs has no verdict, so its answer is empty.
///
/// # Errors
///
/// [`Stop`]
pub fn answer_without_call(event: &Event, world: &World, deep: &dyn Deep) -> Result<HookAnswer, Stop> {
    if event.moment == Moment::SettingsChanged { session::settings_changed(event, world, deep) } else { Ok(HookAnswer::nothing()) }
}

/// A judged call with its surroundings.
#[derive(Debug)]
pub struct Judged {
    /// What surrounds the call.
    pub around: Surroundings,
    /// What was known, and what was found out.
    pub facts: Facts,
    /// What was concluded.
    pub judgement: Judgement,
    /// The end of a pause, in seconds since 1970, if there is one and something would be stopped.
    pub paused: Option<u64>,
    /// What approvals say of it. `None`: they were not asked.
    pub approval: Option<ApprovalAnswer>,
    /// The policy has `[stall]`.
    pub looks_for_circles: bool,
}

/// What a call is judged for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The client waits for the answer: what the call needs of limits and budgets is reserved for it.
    Answer,
    /// A person wants to know. Each rule that looked is noted.
    Explain,
    /// Only the verdict is wanted.
    Verdict,
}

/// Judges the call of an event. `None`: it has none.
///
/// # Errors
///
/// [`Stop`]
pub fn judged(event: &Event, world: &World, deep: &dyn Deep, purpose: Purpose) -> Result<Option<Judged>, Stop> {
    let Some(call) = &event.tool else { return Ok(None) };
    let mut around = world.around(event)?;
    let found = layers::look(&around.layers)?;
    layers::guard_linked(&found, &mut around.places);
    let mut file = None;
    let compiled = policy_here(&found, &around, world, deep, &mut file)?;
    let policy = compiled.open()?;
    let mut facts = facts_of(event, &around.places);
    let judgement = judge(call, &mut facts, &policy, &Here { around: &around, deep, event: Some((event, purpose)) }, purpose == Purpose::Explain);
    // The cold binary reads the file as a whole, and compiles it anew.
    if !compiled.is_intact() {
        if purpose == Purpose::Answer {
            give_back(event, &around, world, deep)?;
        }
        return Err(Stop::HandOver);
    }
    let judgement = judgement?;
    let stops = judgement.verdict.findings.iter().any(|finding| finding.tier >= Tier::Supervised);
    let paused = if stops { pause_until(world, &around) } else { None };
    Ok(Some(Judged { looks_for_circles: policy.tiers().is_some_and(|tiers| tiers.stall.is_some()), around, facts, judgement, paused, approval: None }))
}

impl Judged {
    /// The answer to the client, and what is left behind once it is given. A pause lets every call pass.
    #[must_use]
    pub fn response(&self, event: &Event, input: &[u8], world: &World, deep: &dyn Deep) -> (HookAnswer, Vec<Note>) {
        let Judgement { actions, verdict, .. } = &self.judgement;
        let answer = match &self.approval {
            _ if self.paused.is_some() => HookAnswer::nothing(),
            Some(ApprovalAnswer::Approved { .. }) => HookAnswer::nothing(),
            approval => answer::to(event, verdict, command(event), world.attended, approval.as_ref()),
        };
        let mut notes = Vec::new();
        let is_approved = matches!(self.approval, Some(ApprovalAnswer::Approved { .. }));
        if !is_approved && verdict.findings.iter().any(|finding| finding.tier >= Tier::Supervised) {
            notes.push(Note::LastRefusal(last_refusal(event, verdict, input, &answer, self.paused.is_some())));
        }
        let held = answer.held;
        if held != Some(Held::Deny) {
            let files = written::files(actions, &self.around);
            if !files.is_empty() {
                notes.push(Note::Written(files));
            }
            notes.extend(self.judgement.moves.clone().map(Note::Phase));
            notes.extend(verdict.notes().map(|finding| Note::Tell { rule: finding.rule.clone(), text: refusal::note(finding) }));
        }
        if let (Some(Held::Deny), true, Some(call)) = (held, self.looks_for_circles, &event.tool) {
            notes.push(Note::Tried(SeenCall { input: input_of(call), denied: true, time: system::now_ms(), ..SeenCall::default() }));
        }
        let approved = match &self.approval {
            Some(ApprovalAnswer::Approved { signer, code }) => format!("{code} {signer}"),
            _ => String::new(),
        };
        let entry = Entry { held, approved, paused: self.paused.is_some(), ..entry(event, deep).judged(actions, verdict) };
        notes.push(Note::Record(Box::new(entry)));
        (answer, notes)
    }
}

/// Where a call is counted that took places which all machines of a fleet share. `None`: it took none.
///
/// # Errors
///
/// [`Stop`]
pub(crate) fn fleet_store(call: CallIdentity, around: &Surroundings, world: &World, deep: &dyn Deep) -> Result<Option<Box<dyn FleetStore>>, Stop> {
    if !meters::is_of_fleet(call, around) {
        return Ok(None);
    }
    let bytes = policy_around(around, world, deep)?;
    let section = Policy::open(&bytes).and_then(|policy| policy.tiers()).and_then(|tiers| tiers.fleet);
    section.map_or(Ok(None), |section| deep.fleet(&section))
}

/// The compiled policy that applies: the built-in one where no layer has a file, else the one compiled from the layers. The
/// hook reads it piece by piece, from `file`.
///
/// # Errors
///
/// [`Stop`]: what keeps the policy from being known.
pub fn policy_here<'f>(
    found: &[layers::FoundLayer],
    around: &Surroundings,
    world: &World,
    deep: &dyn Deep,
    file: &'f mut Option<PolicyFile>,
) -> Result<CompiledPolicy<'f>, Stop> {
    if !deep.is_cold() && found.iter().any(|file| !file.identity.is_empty()) {
        *file = PolicyFile::open(&world.states, &around.root);
        if let Some(CompiledPolicy::File(file, policy)) = file.as_ref().and_then(PolicyFile::policy)
            && layers::fresh(&policy, found)
        {
            return Ok(CompiledPolicy::File(file, policy));
        }
    }
    policy_bytes(found, around, world, deep).map(CompiledPolicy::Memory)
}

/// As [`policy_here`], as a whole.
///
/// # Errors
///
/// [`Stop`]
pub fn policy_bytes(found: &[layers::FoundLayer], around: &Surroundings, world: &World, deep: &dyn Deep) -> Result<Cow<'static, [u8]>, Stop> {
    if found.iter().all(|file| file.identity.is_empty()) {
        return Ok(BUILT_IN.into());
    }
    if let Some(bytes) = deep.is_cold().then(|| kept_policy(found, around, world)).flatten() {
        return Ok(bytes.into());
    }
    // A policy with mistakes is not compiled anew on each call.
    if let Some(mistakes) = state::read(&world.states, &around.root, state::MISTAKES)
        && let Some((key, text)) = String::from_utf8_lossy(&mistakes).split_once('\n')
        && key == layers::key(found)
    {
        return Err(Failure::PolicyInvalid(text.to_owned()).into());
    }
    deep.compile(found, around, world).map(Into::into)
}

/// The compiled policy that was kept for these layers as they are. `None`: it was not kept, or it is damaged.
#[must_use]
pub fn kept_policy(found: &[layers::FoundLayer], around: &Surroundings, world: &World) -> Option<Vec<u8>> {
    let usable = |bytes: &Vec<u8>| Policy::open(bytes).is_some_and(|policy| layers::fresh(&policy, found)) && is_intact(MAGIC, bytes);
    state::read(&state::policy_places(&world.states).collect::<Vec<_>>(), &around.root, state::POLICY).filter(usable)
}

/// The compiled policy that applies in these surroundings, by the layers as they are now.
///
/// # Errors
///
/// As [`policy_bytes`], or it cannot be found out whether a layer has a file.
pub fn policy_around(around: &Surroundings, world: &World, deep: &dyn Deep) -> Result<Cow<'static, [u8]>, Stop> {
    policy_bytes(&layers::look(&around.layers)?, around, world, deep)
}

/// An entry of the record for an event, as of now.
pub(crate) fn entry(event: &Event, deep: &dyn Deep) -> Entry {
    let source = match deep.is_cold() {
        _ if event.session == TRIAL => RecordSource::Trial,
        true => RecordSource::Cold,
        false => RecordSource::Hot,
    };
    Entry { took: system::took(), ..Entry::of(event, source, system::now_ms()) }
}

/// The end of a pause that a person made, in seconds since 1970, if it has not come yet.
#[must_use]
pub fn pause_until(world: &World, around: &Surroundings) -> Option<u64> {
    let bytes = state::read(&world.states, &around.root, state::PAUSE)?;
    let pause = Json::read(&bytes).ok()?;
    let until: u64 = pause.get("until")?.scalar()?.parse().ok()?;
    (system::now() < until).then_some(until)
}

/// The minutes that are left of a pause, rounded up. `None` if there is no pause.
#[must_use]
pub fn pause_minutes(world: &World, around: &Surroundings) -> Option<u64> {
    pause_until(world, around).map(|until| until.saturating_sub(system::now()).div_ceil(60))
}

/// The text in which the actions of a call have their spans. `None` if it is no command.
#[must_use]
pub fn command(event: &Event) -> Option<&str> {
    event.tool.as_ref().and_then(actions::tools::command_line)
}

/// The line of the last refusal, for `explain --last` and `unblock`.
#[inline(never)] // Most calls do not come here, and touch fewer pages without it.
fn last_refusal(event: &Event, verdict: &Verdict, input: &[u8], answer: &HookAnswer, paused: bool) -> String {
    let rules: Vec<String> = verdict.findings.iter().map(|finding| quoted(&finding.rule)).collect();
    let text = match answer.stderr.strip_suffix('\n') {
        Some(refusal) => Cow::Borrowed(refusal),
        None if answer.held == Some(Held::Ask) => Cow::Owned(refusal::question(verdict, command(event), Audience::Agent)),
        None => Cow::Owned(refusal::refusal(verdict, command(event), Audience::Agent)),
    };
    let tier = verdict.findings.iter().map(|finding| finding.tier).max().unwrap_or(Tier::Free);
    last_line(event, (answer.held.is_some(), paused, tier), &rules.join(","), &text, input)
}

/// The line of a call that was denied because it could not be judged: it names no rule.
fn last_failure(event: &Event, failure: &Failure, input: &[u8]) -> String {
    last_line(event, (true, false, Tier::Prohibited), "", &failure::text(failure), input)
}

fn last_line(event: &Event, (held, paused, tier): (bool, bool, Tier), rules: &str, text: &str, input: &[u8]) -> String {
    let kept = if input.len() <= MAX_KEPT { std::str::from_utf8(input).unwrap_or("null") } else { "null" };
    format!(
        "{{\"time\":{},\"stopped\":{held},\"paused\":{paused},\"tier\":{},\"event\":{},\"rules\":[{rules}],\"text\":{},\"input\":{}}}\n",
        system::now(),
        tier as u8,
        quoted(&event.name),
        quoted(text),
        // One line: a line end outside a string is a blank to JSON, and within one it is escaped.
        kept.trim().replace(['\n', '\r'], " "),
    )
}
