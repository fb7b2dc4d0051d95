//! Strings the stages together for changes of local refs: what git is about to do to protected branches, judged as the
//! command that would do it.

use std::path::Path;

use super::approved::HookCase;
use super::push::{Ruling, concluded, pushing};
use crate::cli::terminal::shell_word;
use crate::deep::Cold;
use crate::deep::changes::Changes;
use crate::deep::commits::{Folders, Kept};
use actions::ToolCall;
use actions::change::Id;
use actions::word::Word;
use actions::{Action, pushed as pushes};
use gate::call::{pause_until, policy_around};
use gate::failure::Failure;
use gate::judge::{Here, conclude, facts_at, read};
use gate::world::World;
use policy::Policy;
use policy::matcher::text;
use policy::verdict::Answer;

/// Judges what git hands to its `reference-transaction` hook in the state `prepared` (githooks(5)): only branches that
/// are protected, and only where one goes away or is moved off its commits.
///
/// Whoever amends or rebases a branch makes its commits anew, and commits that another ref holds keep a name: neither is
/// a loss. `commands` and `person` are as for [`super::pushed`].
///
/// # Errors
///
/// Everything that leaves it unjudged.
pub fn refs_moved(input: &[u8], commands: &[Vec<String>], person: bool, world: &World, cwd: &Path) -> Result<Ruling, Failure> {
    let lines: Vec<(Option<Id>, Option<Id>, String)> = String::from_utf8_lossy(input).lines().filter_map(moved).collect();
    if lines.is_empty() {
        return Ok(Ruling::GoesOn);
    }
    let folders = Folders::find(cwd).map_err(Failure::RepositoryUnreadable)?;
    let around = pushing(world, &folders, cwd)?;
    let bytes = policy_around(&around, world, &Cold)?;
    let policy = Policy::open(&bytes).ok_or(Failure::PolicyDamaged)?;
    let protected = |name: &str| text::any(&policy.protected, &Word::lit(name)) != Answer::No;
    let lines: Vec<_> = lines.into_iter().filter(|(_, _, name)| protected(short(name))).collect();
    if lines.is_empty() || pause_until(world, &around).is_some() {
        return Ok(Ruling::GoesOn);
    }
    // Where refs are in tables the repository cannot be read, and this is the way out of them.
    if pushes::stores_refs(commands, &policy.programs) {
        return Ok(Ruling::GoesOn);
    }
    let changes = Changes::open(&folders.own).map_err(Failure::RepositoryUnreadable)?;
    let here = Here { around: &around, deep: &Cold, event: None };
    let mut all: Vec<Action> = Vec::new();
    for (told, new, name) in lines {
        // Zeros mean that the old value does not matter, not that the ref is new.
        let Some(old) = changes.leads(&name).or(told) else { continue };
        let branch = short(&name);
        let command = match new {
            None if pushes::keeps_refs(commands, &policy.programs) => continue,
            // Where the commands above cannot be seen, packing looks like this.
            None if commands.is_empty() && folders.packed(&name, &old) => continue,
            None => format!("git branch --delete --force {}", shell_word(branch)),
            Some(new) if folders.keeps(&old, &new).map_err(Failure::RepositoryUnreadable)? == Kept::Yes => continue,
            Some(new) => {
                let parents = |id: &Id| changes.parents(id).unwrap_or_default();
                let amended = !parents(&old).is_empty() && parents(&old) == parents(&new);
                if amended || changes.rebasing(&name, &old) || changes.named_elsewhere(&old, &name) {
                    continue;
                }
                format!("git branch --force {} {}", shell_word(branch), new.digits())
            }
        };
        all.extend(read(&ToolCall::command(&command), &around.places, &policy, &here)?);
    }
    // Nothing is lost: what is committed and pushed is judged by its own hooks.
    if all.is_empty() {
        return Ok(Ruling::GoesOn);
    }
    let mut facts = facts_at(&around.places);
    let judgement = conclude(all, &mut facts, &policy, &here, false)?;
    let bound = String::from_utf8_lossy(input);
    let case = HookCase { hook: "reference-transaction", bound: bound.trim_end(), actions: &judgement.actions };
    concluded(&case, &judgement.verdict, person, &around, world)
}

/// A line of a local branch whose commit changes.
fn moved(line: &str) -> Option<(Option<Id>, Option<Id>, String)> {
    let mut fields = line.splitn(3, ' ');
    let (old, new, name) = (fields.next()?, fields.next()?, fields.next()?);
    if !name.starts_with("refs/heads/") {
        return None;
    }
    // A name in place of a number makes the ref follow another one. That moves no branch.
    let (old, new) = (Id::read(old)?, Id::read(new)?);
    // Of a deletion git says zeros twice.
    (old != new || new.is_none()).then(|| (old, new, name.to_owned()))
}

fn short(name: &str) -> &str {
    name.strip_prefix("refs/heads/").unwrap_or(name)
}
