//! Approvals for what git's hooks stop where nobody can be asked: by an agent, or without a terminal.

use std::collections::BTreeSet;
use std::path::Path;

use actions::Action;
use gate::approval::ApprovalAnswer;
use gate::call::policy_around;
use gate::failure::Failure;
use gate::world::{Surroundings, World, system};
use git2::Index;
use policy::Policy;
use policy::verdict::Verdict;

use crate::approval::{approver, parts, store};
use crate::deep::Cold;
use crate::deep::approval::{PendingAction, common, decide, signers_of};

/// What git's hook is about to allow or deny.
pub(super) struct HookCase<'h> {
    /// The hook's name.
    pub(super) hook: &'h str,
    /// What it was given, or what is committed: two that are the same do the same.
    pub(super) bound: &'h str,
    pub(super) actions: &'h [Action],
}

/// What approvals say.
///
/// # Errors
///
/// The policy cannot be read.
pub(super) fn of_hook(case: &HookCase, verdict: &Verdict, around: &Surroundings, world: &World) -> Result<ApprovalAnswer, Failure> {
    let bytes = policy_around(around, world, &Cold)?;
    let policy = Policy::open(&bytes).ok_or(Failure::PolicyDamaged)?;
    let section = policy.approval.as_ref();
    if let Some(answer) = approved_as_call(case, verdict, &policy, around, world) {
        return Ok(answer);
    }
    let parts = common(format!("git {}\n{}\n", case.hook, case.bound), "git", case.actions, verdict, around)?;
    let rule = verdict.holding().next().map_or("", |finding| &finding.rule);
    Ok(decide(&PendingAction { parts, event: case.hook, session: "", call: "", identity: None, rule }, section, around, world))
}

/// A push or a move of branches that belongs to a call which a person approved a moment ago: the same rules, and only
/// commits that the approval names. Each hook goes by it once.
fn approved_as_call(case: &HookCase, verdict: &Verdict, policy: &Policy, around: &Surroundings, world: &World) -> Option<ApprovalAnswer> {
    if !matches!(case.hook, "pre-push" | "reference-transaction") {
        return None;
    }
    let section = policy.approval.as_ref()?;
    let file = signers_of(Some(section), around, world);
    let shelf = store::look(&around.memory);
    for known in shelf.requests.iter().rev().filter(|known| !known.revoked && known.request.event != case.hook) {
        let (Some(used), Some(record)) = (&known.used, &known.approval) else { continue };
        if system::now().saturating_sub(used.time) > u64::from(section.lifetime) || used.call.is_empty() {
            continue;
        }
        let parts = &known.request.parts;
        let rules: BTreeSet<&str> = parts.text("rules").lines().filter_map(|line| Some(line.trim_start_matches("perhaps ").split_once(':')?.0)).collect();
        let same_rules = verdict.holding().all(|finding| rules.contains(finding.rule.as_str()));
        if !same_rules || !names_all(parts.text("git"), case.bound) || parts.text("policy") != policy_part(around) {
            continue;
        }
        let Ok(signer) = approver(record, &known.request.code, &known.request.digest, Some(section), &file) else { continue };
        if store::follow(&around.memory, known, case.hook).unwrap_or(false) {
            return Some(ApprovalAnswer::Approved { signer, code: known.request.code.clone() });
        }
    }
    None
}

fn policy_part(around: &Surroundings) -> String {
    gate::world::layers::look(&around.layers).map(|found| parts::policy(&found)).unwrap_or_default()
}

/// True if each line that git gave speaks of a commit that is bound, and of no other.
fn names_all(git: &str, bound: &str) -> bool {
    let ids: BTreeSet<&str> = git.lines().filter_map(|line| line.rsplit_once(' ')).map(|(_, id)| id).collect();
    let names: BTreeSet<&str> = git.lines().filter_map(|line| line.split_once(' ')).map(|(name, _)| name).collect();
    let is_id = |word: &str| word.len() >= 40 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let mut lines = 0;
    for line in bound.lines().filter(|line| line.split(' ').any(is_id)) {
        lines += 1;
        let words: Vec<&str> = line.split(' ').collect();
        let is_zero = |word: &str| word.bytes().all(|byte| byte == b'0');
        // `LOCAL-REF LOCAL-ID REMOTE-REF REMOTE-ID`, and `OLD NEW REF`.
        let fits = match words.as_slice() {
            [_, id, name, _] if is_zero(id) => names.contains(name),
            [_, id, ..] if words.len() == 4 => ids.contains(id),
            [old, _, name] => names.contains(name) && (ids.contains(old) || is_zero(old)),
            _ => false,
        };
        if !fits {
            return false;
        }
    }
    lines > 0
}

/// What an index holds, as one digest.
pub(super) fn index_digest(path: &Path) -> String {
    let Ok(index) = Index::open(path) else { return "an index that cannot be read".to_owned() };
    let lines: Vec<String> = index.iter().map(|entry| format!("{:o} {} {}", entry.mode, entry.id, String::from_utf8_lossy(&entry.path))).collect();
    format!("index {} ({} files)", parts::digest(&lines.join("\n")), lines.len())
}

#[cfg(test)]
mod tests {
    use super::names_all;

    #[test]
    fn only_commits_that_were_approved_follow_a_call() {
        let (one, two, zero) = ("1".repeat(40), "2".repeat(40), "0".repeat(40));
        let git = format!("HEAD refs/heads/main {one}\nrefs/heads/main {one}\n");
        for (line, fits) in [
            (format!("refs/heads/main {one} refs/heads/main {zero}"), true),
            (format!("refs/heads/main {two} refs/heads/main {one}"), false),
            (format!("(delete) {zero} refs/heads/main {one}"), true),
            (format!("(delete) {zero} refs/heads/other {one}"), false),
            (format!("{one} {two} refs/heads/main"), true),
            (format!("{two} {one} refs/heads/main"), false),
            (format!("refs/heads/main {one} refs/heads/main {zero}\nrefs/heads/x {two} refs/heads/x {zero}"), false),
            (String::new(), false),
        ] {
            assert_eq!(names_all(&git, &line), fits, "{line}");
        }
    }
}
