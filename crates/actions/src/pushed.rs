//! What a push does whose refs are known, as git tells them to its hook, and what the command that started it says
//! beside them. Touches no repository: whether the old commit is kept is reported to it.

use super::{Action, Deed, Push, PushKind, arguments, program::Programs, word::Word};
use crate::change::Update;

/// What becomes of the commits that a ref leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rewrite {
    /// They stay reachable, or nothing is dropped.
    Kept,
    /// They may be dropped.
    Dropped,
    /// They are dropped, but the remote holds just what the pusher expects there: a lease, on a branch that is not
    /// protected.
    Leased,
    /// They are dropped, and whether by a lease cannot be seen.
    PerhapsLeased,
}

/// What happens to one ref.
pub fn of(update: &Update, rewrite: Rewrite, remote: Option<&str>) -> Vec<Action> {
    let push = |kinds: &[PushKind], sure: bool| {
        Action::from(Deed::Push(Push { remote: remote.map(Word::lit), target: Some(Word::lit(update.name())), kinds: kinds.to_vec(), sure }))
    };
    match (&update.old, &update.new, rewrite) {
        (_, None, _) => vec![push(&[PushKind::Delete], true)],
        (None, Some(_), _) => vec![push(&[PushKind::Create], true)],
        (Some(_), Some(_), Rewrite::Kept) => vec![push(&[PushKind::FastForward], true)],
        (Some(_), Some(_), Rewrite::Dropped) => vec![push(&[PushKind::NonFastForward], true)],
        // As at the hook: a lease is no sign of force.
        (Some(_), Some(_), Rewrite::Leased) => vec![push(&[], true)],
        // The second is not sure; a rule that asks for no kind must hold for sure all the same.
        (Some(_), Some(_), Rewrite::PerhapsLeased) => vec![push(&[], true), push(&[PushKind::NonFastForward], false)],
    }
}

/// What a mirror does beside: refs that are not here go away in the remote, and git does not tell its hook which, or
/// that there are any (`run_pre_push_hook` in git's `transport.c` passes over refs without a local one).
pub fn mirrored(remote: Option<&str>) -> Action {
    let push = Push { remote: remote.map(Word::lit), target: Some(Word::unknown()), kinds: vec![PushKind::Delete], sure: false };
    Action { via: vec!["git push --mirror".to_owned()], ..Action::from(Deed::Push(push)) }
}

/// The command that pushes, as far as the refs do not tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PushCommand {
    /// Nothing is pushed, only shown; git runs its hook all the same.
    pub dry_run: bool,
    /// Refs that are not here go away.
    pub mirror: bool,
    /// Its leases; none where something forces without one (`--force`, `--mirror`, `+refspec`), for force goes before
    /// leases (git-push, "--force-with-lease").
    pub leases: Vec<Lease>,
}

/// What a lease expects the remote ref to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// What the remote-tracking ref says.
    Tracked,
    /// What this expression leads to (gitrevisions(7)).
    Given(String),
}

/// A `--force-with-lease` as given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The ref it is for. `None`: all that no other lease is for.
    target: Option<String>,
    expected: Expected,
}

/// The push among the command lines of the git processes above the hook, the nearest first. `None` if there is no push.
pub fn command(commands: &[Vec<String>], programs: &Programs) -> Option<PushCommand> {
    let git = programs.find("git")?;
    let arguments = commands.iter().find_map(|command| {
        let (program, rest) = command.split_first()?;
        let dashed = program.rsplit('/').next()?.strip_prefix("git-");
        let words: Vec<Word> = dashed.into_iter().chain(rest.iter().map(String::as_str)).map(Word::lit).collect();
        Some(arguments::read(&git, &words)).filter(|arguments| arguments.subcommand.first().is_some_and(|name| name.is("push")))
    })?;
    let (dry_run, mirror) = (arguments.has("--dry-run"), arguments.has("--mirror"));
    if mirror || arguments.has("--force") || arguments.operands.iter().any(|operand| operand.prefix().starts_with('+')) {
        return Some(PushCommand { dry_run, mirror, leases: Vec::new() });
    }
    let given = arguments.flags.iter().filter(|flag| flag.is("--force-with-lease"));
    Some(PushCommand { dry_run, mirror, leases: given.map(|flag| lease(flag.value.as_ref().and_then(Word::literal))).collect() })
}

/// Whether the nearest git among these commands takes a ref out of its place only to put it elsewhere: a branch gets
/// another name, or refs are packed.
pub fn keeps_refs(commands: &[Vec<String>], programs: &Programs) -> bool {
    let (Some(git), Some((_, rest))) = (programs.find("git"), commands.first().and_then(|command| command.split_first())) else { return false };
    let words: Vec<Word> = rest.iter().map(|word| Word::lit(word.as_str())).collect();
    let arguments = arguments::read(&git, &words);
    let moves = ["--move", "-M"].iter().any(|flag| arguments.has(flag));
    stores_refs(commands, programs) || (moves && arguments.subcommand.first().is_some_and(|name| name.is("branch")))
}

/// Whether the nearest git command only stores all refs in another way.
pub fn stores_refs(commands: &[Vec<String>], programs: &Programs) -> bool {
    let (Some(git), Some((_, rest))) = (programs.find("git"), commands.first().and_then(|command| command.split_first())) else { return false };
    let words: Vec<Word> = rest.iter().map(|word| Word::lit(word.as_str())).collect();
    let names: Vec<String> = arguments::read(&git, &words).subcommand.iter().filter_map(|name| name.literal().map(str::to_owned)).collect();
    matches!(names.iter().map(String::as_str).collect::<Vec<_>>().as_slice(), ["pack-refs", ..] | ["refs", "migrate" | "optimize", ..])
}

fn lease(value: Option<&str>) -> Lease {
    match value.map(|value| value.split_once(':').ok_or(value)) {
        None => Lease { target: None, expected: Expected::Tracked },
        Some(Err(target)) => Lease { target: Some(target.to_owned()), expected: Expected::Tracked },
        Some(Ok((target, expected))) => Lease { target: Some(target.to_owned()), expected: Expected::Given(expected.to_owned()) },
    }
}

/// What the leases expect of a ref. `None` if it has no lease. The first that names it counts, then the one for all
/// others (`apply_cas` in git's `remote.c`).
pub fn expected<'l>(leases: &'l [Lease], update: &Update) -> Option<&'l Expected> {
    let names = |lease: &&Lease| lease.target.as_deref().is_some_and(|name| names(name, &update.target));
    leases.iter().find(names).or_else(|| leases.iter().find(|lease| lease.target.is_none())).map(|lease| &lease.expected)
}

/// Whether a short name may stand for a ref (gitrevisions(7), `<refname>`).
fn names(name: &str, target: &str) -> bool {
    ["", "refs/", "refs/tags/", "refs/heads/"].iter().any(|front| target.strip_prefix(front) == Some(name))
}
