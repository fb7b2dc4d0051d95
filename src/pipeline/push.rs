//! Strings the stages together for git's door: lines of refs, what becomes of the commits they lead to, actions, decision.
//! A rule has the same name and verdict here as at the hot door.

use std::fmt::Write as _;
use std::path::Path;

use super::{pause_until, policy_bytes, settle, today};
use std::collections::BTreeMap;

use crate::action::pushed::{self as pushes, Expected, Lease, Rewrite};
use crate::action::word::Word;
use crate::change::{self, Update};
use crate::door::Door;
use crate::facts::Facts;
use crate::failure::Failure;
use crate::matcher::text;
use crate::policy::{Policy, Tier};
use crate::report::plain;
use crate::verdict::Answer;
use crate::world::commits::{Folders, Kept};
use crate::world::{Surroundings, World, layers};

/// What became of a push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pushed {
    /// It goes on.
    GoesOn,
    /// A person must approve it.
    Asks {
        /// The text of the question.
        question: String,
        /// The text if nobody can be asked.
        refusal: String,
    },
    /// It is refused, with this text.
    Refused(String),
}

/// Judges a push by the lines that git hands to its `pre-push` hook in `cwd`. `remote` is the remote's name, or its
/// address where it has none; `commands` are the git processes above the hook, the nearest first.
///
/// The hook is not told how a ref is forced. A rewrite is let pass as a lease, as at the hot door, only where all of
/// this holds: the command line shows a lease for the ref and nothing that forces without one; the remote's ref is just
/// what the lease expects, looked up here again, so that a `+` hidden in the configuration (which would switch git's own
/// look off) gains nothing; and the branch is not protected. Where the command line cannot be seen, a person decides.
/// Error: everything that leaves the push unjudged.
pub fn pushed(remote: Option<&str>, input: &[u8], commands: &[Vec<String>], world: &World, cwd: &Path) -> Result<Pushed, Failure> {
    let updates = change::updates(input).map_err(Failure::PushUnreadable)?;
    let folders = Folders::find(cwd).map_err(Failure::RepositoryUnreadable)?;
    let around = pushing(world, &folders, cwd)?;
    let found = layers::look(&around.layers)?;
    let bytes = policy_bytes(&found, &around, world, Door::Cold)?.ok_or(Failure::PolicyDamaged)?;
    let policy = Policy::open(&bytes).ok_or(Failure::PolicyDamaged)?;
    let command = pushes::command(commands, &policy.programs);
    if command.as_ref().is_some_and(|command| command.dry_run) {
        return Ok(Pushed::GoesOn);
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
    // Git does not say which agent pushes, or in which mode: it is judged as the main agent's, in the usual one.
    let mut facts = Facts { places: around.places.clone(), known: BTreeMap::new(), today: today(), agent: "main".to_owned(), mode: "default".to_owned() };
    let decided = settle(&actions, &mut facts, &around, &policy, Door::Cold, false)?.ok_or(Failure::PolicyDamaged)?;
    let verdict = decided.verdict;
    if verdict.tier < Tier::Supervised || pause_until(world, &around).is_some() {
        return Ok(Pushed::GoesOn);
    }
    let mut refusal = plain::refusal(&verdict, false);
    if !absent.is_empty() {
        let _ = write!(refusal, "\nnote: the remote holds commits on `{}` that are not in this repository; fetch them and build on them", absent.join("`, `"));
    }
    Ok(if verdict.tier == Tier::Prohibited { Pushed::Refused(refusal) } else { Pushed::Asks { question: plain::question(&verdict), refusal } })
}

/// What surrounds a push. The anchor is the repository that is pushed from: neither the variable in which a host names
/// the project (anybody can set it) nor a work tree given on the command line moves it.
fn pushing(world: &World, folders: &Folders, cwd: &Path) -> Result<Surroundings, Failure> {
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
