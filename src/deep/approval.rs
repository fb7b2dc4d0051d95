//! Whether a person approved a call: finds the approval that was made for it and uses it up, or leaves a request.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use actions::lookup::{Lookup, LookupAnswer};
use actions::{Action, ToolCall};
use clients::Event;
use gate::approval::{ApprovalAnswer, ApprovalCase};
use gate::call::policy_around;
use gate::deep::Stop;
use gate::failure::Failure;
use gate::judge::{Answers, Here, facts_of, read};
use gate::metering::dollars;
use gate::stall;
use gate::world::meters::CallIdentity;
use gate::world::{Surroundings, World, approved, layers, system};
use policy::facts::{Known, Need};
use policy::section::approval::LIFETIME;
use policy::verdict::Verdict;
use policy::{ApprovalSection, Policy};

use super::Cold;
use crate::approval::parts::{self, CallParts};
use crate::approval::signers::{self, SignersFile};
use crate::approval::store::{self, ApprovalRequest, ApprovalShelf, ApprovalUse, FORMAT};
use crate::approval::{approver, code, gitfacts};

/// Answers as the hook does, and notes which files are opened.
struct OpenedFiles<'w> {
    here: Here<'w>,
    opened: RefCell<BTreeSet<String>>,
}

impl Answers for OpenedFiles<'_> {
    fn lookup(&self, lookup: &Lookup) -> Result<LookupAnswer, Stop> {
        if let Lookup::Text(paths) | Lookup::Yaml(paths) = lookup {
            // Programs are opened too, to see that they are no scripts.
            self.opened.borrow_mut().extend(paths.iter().find(|path| Path::new(path).is_file()).cloned());
        }
        self.here.lookup(lookup)
    }

    fn facts(&self, needs: BTreeSet<Need>) -> Result<Vec<(Need, Known)>, Stop> {
        self.here.facts(needs)
    }

    fn taken_by_git(&self, actions: &[Action], policy: &Policy) -> Result<Vec<Action>, Stop> {
        self.here.taken_by_git(actions, policy)
    }
}

/// An action that waits for a person.
pub(crate) struct PendingAction<'a> {
    pub(crate) parts: CallParts,
    pub(crate) event: &'a str,
    pub(crate) session: &'a str,
    /// The client's id of the call; empty: it has none.
    pub(crate) call: &'a str,
    /// The call, to find how it ended. `None`: it is no call of a client.
    pub(crate) identity: Option<CallIdentity>,
    /// The rule that stops it.
    pub(crate) rule: &'a str,
}

/// What approvals say of a call.
///
/// # Errors
///
/// The policy or the call cannot be read.
pub(super) fn of_call(case: &ApprovalCase) -> Result<Option<ApprovalAnswer>, Stop> {
    let ApprovalCase { event, judgement, around, world } = case;
    let Some(call) = &event.tool else { return Ok(None) };
    // Whoever goes in circles needs another way, and not a yes to this one.
    if judgement.verdict.holding().all(|finding| finding.rule == stall::RULE) {
        return Ok(None);
    }
    let bytes = policy_around(around, world, &Cold)?;
    let policy = Policy::open(&bytes).ok_or(Failure::PolicyDamaged)?;
    let parts = parts_of(event, call, &judgement.verdict, &policy, around)?;
    let pending = PendingAction {
        parts,
        event: &event.name,
        session: &event.session,
        call: event.call.as_deref().unwrap_or_default(),
        identity: CallIdentity::of(event),
        rule: judgement.verdict.holding().next().map_or("", |finding| &finding.rule),
    };
    Ok(Some(decide(&pending, policy.approval.as_ref(), around, world)))
}

/// What the digest of a call is made of. The call is read anew, so that what is bound is what was opened last.
fn parts_of(event: &Event, call: &ToolCall, verdict: &Verdict, policy: &Policy, around: &Surroundings) -> Result<CallParts, Stop> {
    let answers = OpenedFiles { here: Here { around, deep: &Cold, event: None }, opened: RefCell::default() };
    let places = facts_of(event, &around.places).places;
    let mut actions = read(call, &places, policy, &answers)?;
    let taken = answers.taken_by_git(&actions, policy)?;
    actions.extend(taken);
    let opened = answers.opened.into_inner();
    let agent = format!("{} {}", event.client.name(), event.agent);
    let mut parts = common(parts::call(call), &agent, &actions, verdict, around)?;
    parts.add("files", parts::files(&opened, &actions));
    Ok(parts)
}

/// Parts that calls and git's hooks share.
pub(crate) fn common(call: String, agent: &str, actions: &[Action], verdict: &Verdict, around: &Surroundings) -> Result<CallParts, Failure> {
    let mut parts = CallParts::default();
    parts.add("call", call);
    parts.add("folder", folder(&around.places.cwd, around));
    parts.add("git", gitfacts::lines(actions, around));
    parts.add("paths", parts::paths(actions));
    parts.add("policy", parts::policy(&layers::look(&around.layers)?));
    parts.add("agent", agent.to_owned());
    parts.add("rules", parts::rules(verdict));
    if verdict.price > 0 {
        parts.add("cost", format!("{} USD", dollars(verdict.price)));
    }
    parts.add("reading", parts::reading(actions));
    Ok(parts)
}

fn folder(cwd: &str, around: &Surroundings) -> String {
    let real = std::fs::canonicalize(cwd).unwrap_or_else(|_| PathBuf::from(cwd));
    format!("{}\n{}\n{}", cwd, real.display(), around.tree().display())
}

/// The file of keys that a policy names, which must not be where agents write.
pub(crate) fn signers_of(section: Option<&ApprovalSection>, around: &Surroundings, world: &World) -> SignersFile {
    let mut outside: Vec<PathBuf> = around.places.roots.iter().map(PathBuf::from).collect();
    outside.push(around.tree().to_path_buf());
    signers::file(section.map_or("", |section| section.signers), &world.homes, outside)
}

/// Uses up the approval of an action, or leaves a request for one.
pub(crate) fn decide(pending: &PendingAction, section: Option<&ApprovalSection>, around: &Surroundings, world: &World) -> ApprovalAnswer {
    let digest = pending.parts.digest();
    let minutes = section.map_or(LIFETIME, |section| section.lifetime).div_ceil(60);
    let waits = |code: Option<String>, note: String| ApprovalAnswer::Waits { code, minutes, note };
    let shelf = store::look(&around.memory);
    let file = signers_of(section, around, world);
    let mut why = String::new();
    for known in shelf.requests.iter().rev().filter(|known| known.request.digest == digest && !known.revoked) {
        let code = &known.request.code;
        let Some(record) = &known.approval else { continue };
        match approver(record, code, &digest, section, &file) {
            Err(fault) => why = format!("the approval {code} does not count: {fault}"),
            Ok(signer) => {
                let used = ApprovalUse {
                    format: FORMAT,
                    time: system::now(),
                    session: pending.session.to_owned(),
                    call: pending.call.to_owned(),
                    signer: signer.clone(),
                };
                let same = |by: &ApprovalUse| !used.call.is_empty() && by.call == used.call && by.session == used.session;
                let mine = match &known.used {
                    // The client asked twice about one call: two hooks are wired.
                    Some(by) => same(by),
                    None => match store::take(&around.memory, code, known.number, &used) {
                        Ok(true) => {
                            // Where that is lost, the approval stays used.
                            let _ = pending.identity.map(|call| approved::began(call, code, known.number, around));
                            true
                        }
                        Ok(false) => store::look(&around.memory).find(code).and_then(|known| known.used.as_ref()).is_some_and(same),
                        Err(error) => {
                            why = format!("the approval {code} could not be used: {error}");
                            false
                        }
                    },
                };
                if mine {
                    return ApprovalAnswer::Approved { signer, code: code.clone() };
                }
            }
        }
    }
    let open = shelf.requests.iter().rev().find(|known| {
        let over = known.approval.as_ref().is_some_and(|record| approver(record, &known.request.code, &digest, section, &file).is_err());
        known.request.digest == digest && known.used.is_none() && !known.revoked && !known.late && !over
    });
    if let Some(known) = open {
        return waits(Some(known.request.code.clone()), why);
    }
    let note = if why.is_empty() { nearest(&pending.parts, &shelf) } else { why };
    let code = match code::fresh() {
        Ok(code) => code,
        Err(error) => return waits(None, format!("no code could be made: {error}")),
    };
    let request = ApprovalRequest {
        format: FORMAT,
        code: code.clone(),
        digest,
        asked: system::now(),
        session: pending.session.to_owned(),
        event: pending.event.to_owned(),
        parts: pending.parts.clone(),
    };
    if let Err(error) = store::ask(&around.memory, &request) {
        return waits(None, format!("the request could not be kept, so it cannot be approved: {error}"));
    }
    if let Some(section) = section {
        notify(section, &code, pending.rule, around, world);
    }
    waits(Some(code), note)
}

/// How an action differs from the newest that waits, is approved or was used, and is near it.
fn nearest(parts: &CallParts, shelf: &ApprovalShelf) -> String {
    let used = shelf.requests.iter().rev().find(|known| known.used.is_some() && known.request.parts == *parts);
    if let Some(known) = used {
        return format!("the approval {} was used already, and stands for one run", known.request.code);
    }
    let open = shelf.requests.iter().rev().filter(|known| known.used.is_none() && !known.revoked && !known.late);
    let near = open.filter_map(|known| Some((known, parts.difference(&known.request.parts)?)));
    // The nearest; of two that are as near, the one that was approved.
    let found = near.min_by_key(|(known, (differ, _))| (*differ, known.approval.is_none()));
    found.map_or_else(String::new, |(known, (_, what))| {
        let state = if known.approval.is_some() { "was approved for" } else { "waits for" };
        format!("this is not what {} {state}; what differs: {what}", known.request.code)
    })
}

/// Starts the program that tells a person. It is not waited for, gets no shell, and does not start in the repository.
fn notify(section: &ApprovalSection, code: &str, rule: &str, around: &Surroundings, world: &World) {
    let Some((program, arguments)) = section.notify.split_first() else { return };
    let program = match (program.strip_prefix("~/"), world.homes.first()) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(program),
    };
    let inside = |path: &Path| around.places.roots.iter().map(Path::new).chain([around.tree()]).any(|root| path.starts_with(root));
    let Some(real) = std::fs::canonicalize(&program).ok().filter(|real| !inside(real)) else { return };
    let mut command = Command::new(real);
    command.args(arguments).args([code, rule]).env_clear().current_dir("/");
    if let Some(home) = world.homes.first() {
        command.env("HOME", home);
    }
    command.env("PATH", "/usr/local/bin:/usr/bin:/bin").env("PORTCULLIS_CODE", code).env("PORTCULLIS_RULE", rule);
    command.env("PORTCULLIS_FOLDER", around.tree());
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // Of its own, so that what ends the hook does not end it.
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let _ = command.spawn();
}
