//! `where = { dirty = … }`: which work an action could lose, and whether what an earlier part of the call does makes that
//! unknown.

use super::Asking;
use crate::facts::{Loss, Need, WorkAtRisk};
use crate::verdict::Answer;
use actions::lookup::is_named;
use actions::path::Path;
use actions::word::{Bound, Word, WordPiece};
use actions::{Action, Change, Deed, Delete, Run};

/// The name of the files that say what git ignores.
const IGNORES: &str = ".gitignore";
/// The end of the path of the one that is not committed.
const OWN_IGNORES: &str = "/info/exclude";

/// Whether the action at `at` could lose work that is in no commit. `folder` is the one in which its command runs.
pub(super) fn dirty(at: usize, folder: Option<&str>, actions: &[Action], asking: &mut Asking) -> Answer {
    let Some(action) = actions.get(at) else { return Answer::No };
    let of_git = |run: &Run| run.program == "git";
    match &action.deed {
        Deed::Delete(delete) => deleted(delete, at, actions, asking),
        Deed::Write(write) => {
            let sources = if let Change::Tree(sources) = &write.change { sources.clone() } else { Vec::new() };
            let tree = matches!(write.change, Change::Tree(_)) && write.path.word.literal().is_some();
            files(&write.path.word, tree, Loss::Files, sources, asking)
        }
        deed => {
            let Some(folder) = folder else { return Answer::Maybe };
            let run = if let Deed::Run(run) = deed { Some(run).filter(|run| of_git(run)) } else { None };
            let untracked = run.and_then(|run| run.subcommand.as_ref()).is_some_and(|name| name.is("clean"));
            let before = actions.iter().enumerate().filter(|(place, action)| action.from.unwrap_or(*place) < at).map(|(_, action)| action);
            let mut before = before.filter(|before| before.from != Some(at));
            let limits = run.map_or(&[][..], |run| &run.limits);
            if before.clone().any(|before| changes_tree(before, actions, folder, limits)) {
                return Answer::Maybe;
            }
            let loss = match untracked {
                true if run.is_some_and(unignores) || before.any(|before| drops_ignores(before, folder)) => Loss::Ignored,
                true => Loss::Untracked,
                false => Loss::Changes,
            };
            // A limit that is not known may be the whole tree.
            let paths: Option<Vec<String>> = limits.iter().map(|limit| pattern(&limit.word, false)).collect();
            asking.holds(Need::Dirty(WorkAtRisk { folder: folder.to_owned(), paths: paths.unwrap_or_default(), loss, sources: Vec::new() }))
        }
    }
}

/// A deletion loses what git neither has nor ignores. What is not there holds nothing.
fn deleted(delete: &Delete, at: usize, actions: &[Action], asking: &mut Asking) -> Answer {
    let command = |at: usize| if let Some(Action { deed: Deed::Run(run), .. }) = actions.get(at) { Some(run) } else { None };
    match actions.get(at).and_then(|action| action.from).and_then(command) {
        // Of another machine's files nothing is known.
        Some(run) if run.remote => return Answer::Yes,
        // Git takes away what it has; with force it is asked of the command.
        Some(run) if run.program == "git" && run.subcommand.as_ref().is_some_and(|name| name.is("rm")) => return Answer::No,
        _ => {}
    }
    let loss = if delete.recursive { Loss::Tree } else { Loss::Files };
    let answer = files(&delete.path.word, false, loss, Vec::new(), asking);
    // What this line moved or unpacked there is not seen yet.
    let brings = |before: &Action| match &before.deed {
        Deed::Delete(delete) => delete.moved,
        deed => unpacks_stash(deed),
    };
    if answer == Answer::No && actions.iter().take(at).any(brings) { Answer::Maybe } else { answer }
}

/// Whether files or folders that are deleted or written hold work that is in no commit. `inside`: what is in the folder.
fn files(path: &Word, inside: bool, loss: Loss, sources: Vec<String>, asking: &mut Asking) -> Answer {
    let known = path.prefix();
    let Some(pattern) = pattern(path, true).filter(|_| known.starts_with('/')) else { return Answer::Maybe };
    let whole = path.literal().is_some();
    // The folder in front of what is not known; for a path that is known the one that holds it.
    let parent = known.rsplit_once('/').map_or("/", |(folder, _)| if folder.is_empty() { "/" } else { folder });
    let folder = if inside { known } else { parent };
    let holds = asking.holds(Need::Dirty(WorkAtRisk { folder: folder.to_owned(), paths: vec![pattern], loss, sources }));
    if whole || holds != Answer::Yes || path.pieces.iter().all(|piece| !matches!(piece, WordPiece::Any(_))) { holds } else { Answer::Maybe }
}

/// A path as a pattern, in which `\` takes a sign as it is. `None`: a hole may lead anywhere.
fn pattern(path: &Word, escaped: bool) -> Option<String> {
    let mut text = String::new();
    for piece in &path.pieces {
        match piece {
            WordPiece::Lit(known) if escaped => {
                for sign in known.chars() {
                    if matches!(sign, '*' | '?' | '[' | '\\') {
                        text.push('\\');
                    }
                    text.push(sign);
                }
            }
            WordPiece::Lit(known) | WordPiece::Glob(known) => text.push_str(known),
            WordPiece::Any(Bound::Name) => text.push('*'),
            WordPiece::Any(Bound::File) => text.push_str("**"),
            WordPiece::Any(_) => return None,
        }
    }
    Some(text)
}

fn unpacks_stash(deed: &Deed) -> bool {
    matches!(deed, Deed::Run(run) if run.program == "git" && run.subcommand.as_ref().is_some_and(|name| name.is("stash pop")))
}

/// Whether an action of the same call makes changes in the work tree around `folder`: it writes a file there, or unpacks a
/// stash. What git itself writes there it has elsewhere. `limits`: the only paths that count, if there are any.
fn changes_tree(action: &Action, actions: &[Action], folder: &str, limits: &[Path]) -> bool {
    let git = |at: usize| matches!(actions.get(at), Some(Action { deed: Deed::Run(run), .. }) if run.program == "git");
    match &action.deed {
        Deed::Write(write) => {
            let inside = write.path.word.prefix().strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
            let limited = limits.is_empty() || limits.iter().any(|limit| may_be_in(&write.path.word, &limit.word));
            inside && limited && !matches!(write.change, Change::Attributes { .. }) && !action.from.is_some_and(git)
        }
        deed => unpacks_stash(deed),
    }
}

/// Whether a file may be the one that a limit names, or be below it.
fn may_be_in(file: &Word, limit: &Word) -> bool {
    let Some(limit) = limit.literal().filter(|limit| limit.starts_with('/') && !limit.contains(['*', '?', '[', ':'])) else { return true };
    let known = file.prefix();
    let below = known.strip_prefix(limit.trim_end_matches('/')).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    below || (file.literal().is_none() && limit.starts_with(known))
}

/// Whether the options of `git clean` take rules back by which files are ignored (`-e '!NAME'`).
fn unignores(run: &Run) -> bool {
    let excluded = run.flags.iter().filter(|flag| flag.is("--exclude")).filter_map(|flag| flag.value.as_ref());
    excluded.into_iter().any(|pattern| pattern.prefix().starts_with('!') || pattern.may_be_several())
}

/// Whether rules by which files below `folder` are ignored may be gone or changed after this action.
fn drops_ignores(action: &Action, folder: &str) -> bool {
    match &action.deed {
        Deed::Delete(delete) => is_ignores(&delete.path),
        // What git writes for the whole tree may be the rules too.
        Deed::Write(write) => is_ignores(&write.path) || write.path.word.literal().is_some_and(|path| folder.starts_with(path)),
        Deed::Run(run) => {
            let sets = run.program == "git" && run.subcommand.as_ref().is_some_and(|name| name.is("config set") || name.is("config once"));
            sets && run.args.first().is_some_and(|key| key.is("core.excludesfile"))
        }
        _ => false,
    }
}

fn is_ignores(path: &Path) -> bool {
    let name = path.name();
    // A glob finds no name that begins with a dot, unless the dot is written.
    path.word.literal().is_some_and(|path| path.ends_with(OWN_IGNORES) || path.ends_with("/git/ignore"))
        || (name.prefix().starts_with('.') && is_named(&name.pieces, IGNORES))
}
