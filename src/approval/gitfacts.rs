//! What of a repository an approval is bound to: `HEAD`, the refs that a call names, where remotes are, and work that is in
//! no commit. Read with libgit2, which starts no program.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use actions::{Action, Deed, Run};
use gate::world::Surroundings;
use gate::world::repository::configuration;
use git2::{Repository, StatusOptions};

use super::parts::{content, digest};

/// Files of uncommitted work that are bound by their content.
const MAX_WORK: usize = 2_000;
/// Calls of git that can lose what is in no commit.
const WORK: [&str; 10] = ["reset", "checkout", "switch", "restore", "clean", "stash", "rm", "read-tree", "rebase", "merge"];
/// Options of a push that speak of all refs.
const ALL: [&str; 5] = ["--all", "--mirror", "--tags", "--branches", "--follow-tags"];

/// The lines of the part `git`. Empty where there is no repository.
#[must_use]
pub fn lines(actions: &[Action], around: &Surroundings) -> String {
    let Some(place) = &around.repository else { return String::new() };
    let Ok(repository) = Repository::open(&place.git_dir) else { return "unreadable\n".to_owned() };
    let mut lines = BTreeSet::new();
    lines.insert(head(&repository));
    let mut text = String::new();
    for run in git_runs(actions) {
        let folder = run.folder.literal().filter(|folder| *folder != around.places.cwd).map(Path::new);
        let other = folder.and_then(|folder| Repository::discover(folder).ok());
        let at = other.as_ref().unwrap_or(&repository);
        if other.is_some() {
            lines.insert(head(at));
        }
        lines.extend(named(run, at));
        let subcommand = run.subcommand.as_ref().and_then(|word| word.literal()).unwrap_or_default();
        if subcommand == "push" {
            lines.extend(remotes(folder.unwrap_or(Path::new(&around.places.cwd)), around));
        }
        if WORK.contains(&subcommand.split(' ').next().unwrap_or_default()) {
            lines.extend(work(at));
        }
    }
    if actions.iter().any(|action| matches!(&action.deed, Deed::Push(_))) {
        lines.extend(remotes(Path::new(&around.places.cwd), around));
    }
    if actions.iter().any(|action| matches!(&action.deed, Deed::Delete(_))) {
        lines.extend(work(&repository));
    }
    for line in lines {
        let _ = writeln!(text, "{line}");
    }
    text
}

/// The calls of git among the actions.
pub(super) fn git_runs(actions: &[Action]) -> impl Iterator<Item = &Run> {
    actions.iter().filter_map(|action| match &action.deed {
        Deed::Run(run) if run.program == "git" => Some(run),
        _ => None,
    })
}

fn head(repository: &Repository) -> String {
    let name = repository.find_reference("HEAD").ok().and_then(|head| head.symbolic_target().ok().flatten().map(str::to_owned));
    let id = repository.refname_to_id("HEAD").map_or_else(|_| "no commit".to_owned(), |id| id.to_string());
    format!("HEAD {} {id}", name.as_deref().unwrap_or("on no branch"))
}

/// What the words of a call of git name, and the commit of each.
pub(super) fn named(run: &Run, repository: &Repository) -> Vec<String> {
    let all = run.args.iter().any(actions::word::Word::has_hole) || run.flags.iter().any(|flag| ALL.iter().any(|name| flag.is(name)));
    let mut lines: Vec<String> = Vec::new();
    let words = run.args.iter().filter_map(|word| word.literal());
    for name in words.flat_map(|word| word.split(':')).map(|word| word.trim_start_matches('+')).filter(|word| !word.is_empty()) {
        // Of a branch the remote's side counts too: it is what a push overwrites.
        for full in [name.to_owned(), format!("refs/heads/{name}"), format!("refs/tags/{name}")] {
            if let Ok(object) = repository.revparse_single(&full) {
                lines.push(format!("{full} {}", object.id()));
            }
        }
    }
    if all {
        for reference in repository.references().into_iter().flatten().flatten() {
            if let (Ok(name), Some(id)) = (reference.name(), reference.target())
                && (name.starts_with("refs/heads/") || name.starts_with("refs/tags/"))
            {
                lines.push(format!("{name} {id}"));
            }
        }
    }
    lines
}

/// Where remotes are, as the configuration says it.
fn remotes(folder: &Path, around: &Surroundings) -> Vec<String> {
    let entries = configuration::entries(folder, around).into_iter();
    entries
        .filter(|(key, _)| ["remote.", "url.", "push.", "branch."].iter().any(|front| key.starts_with(front)))
        .map(|(key, value)| format!("{key} = {value}"))
        .collect()
}

/// Work that is in no commit, by its content.
fn work(repository: &Repository) -> Vec<String> {
    let Some(root) = repository.workdir().map(Path::to_path_buf) else { return Vec::new() };
    let mut options = StatusOptions::new();
    options.include_untracked(true).recurse_untracked_dirs(true).include_ignored(false).no_refresh(true);
    let Ok(found) = repository.statuses(Some(&mut options)) else { return vec!["uncommitted work: unreadable".to_owned()] };
    let mut text = String::new();
    let mut changed = 0;
    for entry in found.iter() {
        let path = root.join(std::ffi::OsStr::new(&*String::from_utf8_lossy(entry.path_bytes())));
        let what = if changed < MAX_WORK { content(&path) } else { String::new() };
        let _ = writeln!(text, "{:?} {what} {}", entry.status(), path.display());
        changed += 1;
    }
    if changed == 0 { Vec::new() } else { vec![format!("uncommitted work: {changed} files, {}", digest(&text))] }
}
