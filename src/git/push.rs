//! Judges a push: reads git's lines of refs, finds out which commits the push drops and brings, makes actions of them, and
//! decides. A rule has the same name and verdict here as in the Claude Code hook.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::path::Path;

use std::collections::HashSet;

use super::approved::{self, HookCase};
use super::commit::{self, Ground};
use gate::approval::ApprovalAnswer;
use gate::call::{pause_until, policy_around};
use gate::judge::{Here, conclude, facts_at};
use gate::notes::{Note, apply};
use gate::release;

use crate::deep::Cold;
use crate::deep::changes::Changes;
use crate::deep::commits::{Folders, Kept};
use actions::change::{self, Id, Update};
use actions::pushed::{self as pushes, Expected, Lease, Rewrite};
use actions::shown::escaped;
use actions::word::Word;
use gate::failure::Failure;
use gate::record::{Entry, Held, RecordSource};
use gate::refusal::Audience;
use gate::world::{Surroundings, World, system};
use policy::matcher::text;
use policy::verdict::{Answer, Finding, Verdict};
use policy::{Policy, Tier};

/// Commits of a push that are looked into, the youngest; `portcullis check` looks into all.
const MAX_BROUGHT: usize = 2_000;

/// The answer to a change or a push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ruling {
    /// It is allowed.
    GoesOn,
    /// A person must approve it.
    Asks {
        /// The text of the question.
        question: String,
        /// The text if nobody can be asked.
        refusal: String,
    },
    /// It is denied, with this text.
    Refused(String),
    /// It is done already, and this is shown of it.
    Tells(String),
}

impl Ruling {
    /// The answer to a verdict. A person is asked if a person may approve the action.
    pub fn by(verdict: &Verdict, person: bool) -> Self {
        let audience = if person { Audience::Person } else { Audience::Agent };
        let refusal = || gate::refusal::refusal(verdict, None, audience);
        match verdict.tier {
            Tier::Free | Tier::Metered => Self::GoesOn,
            Tier::Supervised if person => Self::Asks { question: gate::refusal::question(verdict, None, audience), refusal: refusal() },
            Tier::Supervised | Tier::Prohibited => Self::Refused(refusal()),
        }
    }
}

/// The answer to a verdict, which is also recorded.
///
/// # Errors
///
/// The policy cannot be read.
pub(super) fn concluded(case: &HookCase, verdict: &Verdict, person: bool, around: &Surroundings, world: &World) -> Result<Ruling, Failure> {
    let mut ruling = Ruling::by(verdict, person);
    let mut approved = String::new();
    if verdict.tier == Tier::Supervised && (!person || !has_terminal()) {
        let answer = approved::of_hook(case, verdict, around, world)?;
        if let Some(retry) = answer.retry() {
            let text = if person {
                let code = retry.split_once('\n').map_or("", |(_, code)| code);
                format!("{}\n{code}", gate::refusal::refusal(verdict, None, Audience::Person))
            } else {
                gate::refusal::refusal_with(verdict, None, &retry)
            };
            ruling = Ruling::Refused(text);
        } else if let ApprovalAnswer::Approved { signer, code } = answer {
            ruling = Ruling::GoesOn;
            approved = format!("{code} {signer}");
        }
    }
    let held = match ruling {
        Ruling::Asks { .. } => Some(Held::Ask),
        Ruling::Refused(_) => Some(Held::Deny),
        Ruling::GoesOn | Ruling::Tells(_) => None,
    };
    let entry = Entry { held, approved, took: system::took(), ..Entry::new(case.hook, RecordSource::Git, system::now_ms()).judged(&[], verdict) };
    apply(&[Note::Record(Box::new(entry))], around, world);
    Ok(ruling)
}

/// True if a person could be asked at a terminal.
fn has_terminal() -> bool {
    OpenOptions::new().read(true).write(true).open("/dev/tty").is_ok()
}

/// Judges a push by the lines that git hands to its `pre-push` hook in `cwd`. `remote` is the remote's name, or its
/// address where it has none; `commands` are the git processes above the hook, the nearest first; `person` says that no
/// agent runs it.
///
/// Git does not tell its hook how a ref is forced. A rewrite is allowed as a lease, as in the Claude Code hook, only if all of
/// this is true: the command line shows a lease for the ref and nothing that forces without one; the remote's ref is just
/// what the lease expects, looked up here again, so that a `+` hidden in the configuration (which would switch git's own
/// check off) gains nothing; and the branch is not protected. If the command line cannot be seen, a person decides.
///
/// # Errors
///
/// Everything that leaves the push unjudged.
pub fn pushed(remote: Option<&str>, input: &[u8], commands: &[Vec<String>], person: bool, world: &World, cwd: &Path) -> Result<Ruling, Failure> {
    let updates = change::updates(input).map_err(Failure::PushUnreadable)?;
    let folders = Folders::find(cwd).map_err(Failure::RepositoryUnreadable)?;
    let around = pushing(world, &folders, cwd)?;
    let bytes = policy_around(&around, world, &Cold)?;
    let policy = Policy::open(&bytes).ok_or(Failure::PolicyDamaged)?;
    let command = pushes::command(commands, &policy.programs);
    if command.as_ref().is_some_and(|command| command.dry_run) {
        return Ok(Ruling::GoesOn);
    }
    let mut actions = Vec::new();
    let mut absent = Vec::new();
    for update in &updates {
        let kept = match (&update.old, &update.new) {
            // A tag is a name for one thing; others hold it as it was, and fetches do not bring them the new one.
            (Some(old), Some(new)) if update.is_tag() && old != new => Kept::No,
            (Some(old), Some(new)) => folders.keeps(old, new).map_err(Failure::RepositoryUnreadable)?,
            _ => Kept::Yes,
        };
        if kept == Kept::Absent {
            absent.push(update.name());
        }
        let rewrite = match (kept, &command) {
            (Kept::Yes, _) => Rewrite::Kept,
            _ if text::any(&policy.protected, &Word::lit(update.name())) != Answer::No => Rewrite::Dropped,
            (_, None) => Rewrite::PerhapsLeased,
            (_, Some(command)) if holds(&command.leases, update, remote, &folders) => Rewrite::Leased,
            _ => Rewrite::Dropped,
        };
        actions.extend(pushes::of(update, rewrite, remote));
    }
    if command.is_some_and(|command| command.mirror) || folders.mirrors(remote) {
        actions.push(pushes::mirrored(remote));
    }
    let mut facts = facts_at(&around.places);
    let judgement = conclude(actions, &mut facts, &policy, &Here { around: &around, deep: &Cold, event: None }, false)?;
    let actions = judgement.actions;
    if pause_until(world, &around).is_some() {
        return Ok(Ruling::GoesOn);
    }
    let mut verdict = judgement.verdict;
    for finding in verdict.findings.iter_mut().filter(|finding| finding.rule == release::RULE) {
        "a push".clone_into(&mut finding.action);
        if person {
            release::MEND.clone_into(&mut finding.instead);
        }
    }
    let ground = Ground::of(around, cwd, person, world);
    verdict.findings.extend(brought(&updates, remote, &folders, &ground, &policy)?);
    verdict.tier = verdict.holding().map(|finding| finding.tier).max().unwrap_or(Tier::Free);
    let bound = format!("{}\n{}", remote.unwrap_or_default(), String::from_utf8_lossy(input));
    let case = HookCase { hook: "pre-push", bound: bound.trim_end(), actions: &actions };
    let mut held = concluded(&case, &verdict, person, &ground.around, world)?;
    if let (Ruling::Asks { refusal, .. } | Ruling::Refused(refusal), false) = (&mut held, absent.is_empty()) {
        let _ = write!(
            refusal,
            "\nnote: the remote has commits on `{}` that are not in this repository; fetch them and build on them",
            escaped(&absent.join("`, `"))
        );
    }
    Ok(held)
}

/// What is prohibited in the commits that the push brings. What a person may approve was asked when it was committed.
fn brought(updates: &[Update], remote: Option<&str>, folders: &Folders, ground: &Ground, policy: &Policy) -> Result<Vec<Finding>, Failure> {
    let changes = Changes::open(&folders.own).map_err(Failure::RepositoryUnreadable)?;
    let held: Vec<Id> = updates.iter().filter_map(|update| update.old.clone()).collect();
    let mut seen = HashSet::new();
    let mut found = Vec::new();
    for new in updates.iter().filter_map(|update| update.new.as_ref()) {
        let commits = changes.brought(new, &held, remote).map_err(Failure::RepositoryUnreadable)?;
        for id in commits.into_iter().rev().take(MAX_BROUGHT) {
            if seen.insert(id.clone()) {
                let commit = changes.commit(&id).map_err(Failure::RepositoryUnreadable)?;
                found.extend(ground.commit(&commit, &changes, std::slice::from_ref(policy))?);
            }
        }
    }
    found.retain(|located| located.finding.tier == Tier::Prohibited);
    Ok(commit::verdict(&found).findings)
}

/// What surrounds a push. The anchor is the repository that is pushed from: neither the variable in which a host names
/// the project (anybody can set it) nor a work tree given on the command line moves it.
pub(super) fn pushing(world: &World, folders: &Folders, cwd: &Path) -> Result<Surroundings, Failure> {
    let within = folders.common.file_name().is_some_and(|name| name == ".git");
    World { project_dir: within.then(|| folders.common.clone()), ..world.clone() }.at(cwd)
}

/// Whether the remote's ref is what its lease expects.
fn holds(leases: &[Lease], update: &Update, remote: Option<&str>, folders: &Folders) -> bool {
    let expected = match pushes::expected(leases, update) {
        None => None,
        Some(Expected::Tracked) => remote.and_then(|remote| folders.tracked(remote, &update.target)),
        Some(Expected::Given(expression)) => folders.resolved(expression),
    };
    expected.is_some() && expected == update.old
}
