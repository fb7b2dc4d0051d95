//! Work that a call could lose: changes, new files and commits that are nowhere else. Read with libgit2, which starts no
//! program (no filter, no monitor, no hook) whatever the repository's configuration says. Git itself is never started.

use std::fs;
use std::path::{Path, PathBuf};

use actions::lookup::{fits, is_named};
use actions::word::{Word, WordPiece};
use gate::world::repository::Repository as FoundRepository;
use git2::{Direction, Oid, Repository, Status, StatusEntry, StatusOptions};
use policy::facts::{Loss, WorkAtRisk};

/// Entries of folders that are looked at to find a repository among what is deleted.
const MAX_ENTRIES: usize = 50_000;

/// What would take away a version of a file that git does not have.
const UNSAVED: Status = Status::WT_MODIFIED.union(Status::WT_TYPECHANGE).union(Status::WT_RENAMED).union(Status::CONFLICTED);
/// What is in the index and in no commit.
const STAGED: Status = Status::INDEX_NEW.union(Status::INDEX_MODIFIED).union(Status::INDEX_RENAMED).union(Status::INDEX_TYPECHANGE);

/// The files whose work would be lost, from the top of the work tree. A file that was deleted has nothing to lose; so has one
/// that a sparse checkout leaves out.
///
/// A file that goes through a filter program (git-lfs) counts as changed where its size or time differs from the index's, for
/// no filter is run.
///
/// # Errors
///
/// Why that could not be found out.
pub fn at_risk(found: &FoundRepository, risk: &WorkAtRisk, homes: &[String]) -> Result<Vec<String>, String> {
    let look = || -> Result<Option<Vec<String>>, git2::Error> {
        let repository = Repository::open(&found.root)?;
        let of_git = !matches!(risk.loss, Loss::Files | Loss::Tree);
        let mut patterns = Vec::new();
        for path in &risk.paths {
            match below(&found.root, path) {
                _ if of_git && path.contains("/:") => return whole(&repository, risk.loss).map(Some),
                Some(pattern) => patterns.push(pattern),
                // Git refuses a path outside of the work tree.
                None if of_git => {}
                None => return Ok(None),
            }
        }
        if risk.paths.is_empty() || (of_git && patterns.iter().any(String::is_empty)) {
            return whole(&repository, risk.loss).map(Some);
        }
        if patterns.is_empty() {
            return Ok(Some(Vec::new()));
        }
        if of_git {
            let specs: Vec<&str> = patterns.iter().map(String::as_str).collect();
            return Ok(Some(statuses(&repository, risk.loss, &specs, true)?.into_iter().map(|(path, _)| path).collect()));
        }
        let mut lost = Vec::new();
        for pattern in &patterns {
            let Some(mut files) = deleted(&repository, found, pattern, risk.loss, homes)? else { return Ok(None) };
            files.retain(|file| copied(file, pattern, &risk.sources));
            lost.extend(files);
        }
        Ok(Some(lost))
    };
    let found = look().map_err(|error| format!("`{}`: {}", found.root.display(), error.message()))?;
    found.ok_or_else(|| "not all that would be lost could be looked at".to_owned())
}

/// Why a repository, of which this is the git folder, has commits that are on no remote. `None`: it has none.
///
/// # Errors
///
/// Why that could not be found out.
pub fn unpushed(git_dir: &Path) -> Result<Option<String>, String> {
    let look = || -> Result<Option<String>, git2::Error> {
        let repository = super::commits::open(git_dir)?;
        let (mut own, mut pushed) = (Vec::new(), Vec::new());
        for reference in repository.references()?.flatten() {
            let name = String::from_utf8_lossy(reference.name_bytes()).into_owned();
            let Some(commit) = reference.peel_to_commit().ok().map(|commit| commit.id()) else { continue };
            if name.starts_with("refs/remotes/") { pushed.push(commit) } else { own.push((name, commit)) }
        }
        if let (true, Ok(head)) = (repository.head_detached()?, repository.head()) {
            own.extend(head.target().map(|commit| ("HEAD".to_owned(), commit)));
        }
        let reached = |commit: Oid| pushed.iter().any(|tip| *tip == commit || repository.graph_descendant_of(*tip, commit).unwrap_or(false));
        let lost = own.into_iter().find(|(name, commit)| !reached(*commit) && !name.starts_with("refs/tags/"));
        Ok(lost.map(|(name, _)| format!("the commits of `{}` are on no remote", name.trim_start_matches("refs/heads/"))))
    };
    look().map_err(|error| format!("`{}`: {}", git_dir.display(), error.message()))
}

/// Whether a branch of a remote has commits that no other branch or tag has, by what is known of it here. The branch of the
/// same name here does not count: it usually goes next.
///
/// # Errors
///
/// Why that could not be found out; a ref that is not known here is an error.
pub fn only_there(found: &FoundRepository, remote: &str, target: &str) -> Result<bool, String> {
    let look = || -> Result<Option<bool>, git2::Error> {
        let repository = Repository::open(&found.root)?;
        let branch = if target.starts_with("refs/") { target.to_owned() } else { format!("refs/heads/{target}") };
        let remote = repository.find_remote(remote)?;
        let Some(tracking) = remote
            .refspecs()
            .filter(|spec| spec.direction() == Direction::Fetch && spec.src_matches(&branch))
            .find_map(|spec| Some(spec.transform(&branch).ok()?.as_str().ok()?.to_owned()))
        else {
            return Ok(None);
        };
        let commit = repository.find_reference(&tracking)?.peel_to_commit()?.id();
        let mut tips = Vec::new();
        for reference in repository.references()?.flatten() {
            let name = String::from_utf8_lossy(reference.name_bytes()).into_owned();
            let other = name != tracking && name != branch && ["refs/heads/", "refs/tags/", "refs/remotes/"].iter().any(|front| name.starts_with(front));
            tips.extend(reference.peel_to_commit().ok().filter(|_| other).map(|commit| commit.id()));
        }
        Ok(Some(!tips.iter().any(|tip| *tip == commit || repository.graph_descendant_of(*tip, commit).unwrap_or(false))))
    };
    let known = look().map_err(|error| error.message().to_owned())?;
    known.ok_or_else(|| format!("what `{target}` leads to in `{remote}` is not known here"))
}

/// Whether git ignores what is at this path.
///
/// # Errors
///
/// Why that could not be found out.
pub fn is_ignored(found: &FoundRepository, path: &Path) -> Result<bool, String> {
    let Some(inside) = path.to_str().and_then(|path| below(&found.root, path)) else { return Ok(false) };
    let look = || {
        let repository = Repository::open(&found.root)?;
        // What is tracked is not ignored, whatever the rules say.
        let tracked = repository
            .index()?
            .iter()
            .any(|entry| entry.path.strip_prefix(inside.as_bytes()).is_some_and(|rest| rest.first().is_none_or(|next| *next == b'/')));
        Ok::<_, git2::Error>(!tracked && repository.is_path_ignored(Path::new(&inside))?)
    };
    look().map_err(|error| format!("`{}`: {}", found.root.display(), error.message()))
}

/// A path below the top of the work tree, from there.
fn below(root: &Path, path: &str) -> Option<String> {
    let strip = |path: &str| {
        let rest = path.strip_prefix(root.to_str()?)?;
        if rest.is_empty() { Some(String::new()) } else { rest.strip_prefix('/').map(str::to_owned) }
    };
    strip(path).or_else(|| {
        // The path may lead here through a link.
        let known = path.find(['*', '?', '[', '\\']).map_or(path, |at| path.get(..at).unwrap_or(path));
        let folder = Path::new(known).ancestors().find(|folder| folder.symlink_metadata().is_ok())?;
        let rest = path.strip_prefix(folder.to_str()?)?.trim_start_matches('/');
        strip(fs::canonicalize(folder).ok()?.join(rest).to_str()?.trim_end_matches('/'))
    })
}

fn whole(repository: &Repository, loss: Loss) -> Result<Vec<String>, git2::Error> {
    Ok(statuses(repository, loss, &[], false)?.into_iter().map(|(path, _)| path).collect())
}

/// The files that could be lost, with what git says of them. With `paths`, only those that they name, or that are below them;
/// `special` says that their signs are git's.
fn statuses(repository: &Repository, loss: Loss, paths: &[&str], special: bool) -> Result<Vec<(String, Status)>, git2::Error> {
    let mut options = StatusOptions::new();
    options.include_untracked(loss != Loss::Changes).include_ignored(loss == Loss::Ignored).include_unmodified(loss == Loss::Files).update_index(false);
    options.recurse_untracked_dirs(!paths.is_empty() || matches!(loss, Loss::Files | Loss::Tree)).disable_pathspec_match(!special);
    // A path with a NUL byte names no file.
    for path in paths.iter().filter(|path| !path.contains('\0')) {
        options.pathspec(*path);
    }
    let counted = match loss {
        Loss::Changes => UNSAVED | STAGED,
        Loss::Untracked | Loss::Ignored => UNSAVED | STAGED | Status::WT_NEW | Status::IGNORED,
        Loss::Files | Loss::Tree => UNSAVED | Status::WT_NEW,
    };
    let all = repository.statuses(Some(&mut options))?;
    let path = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    // An empty folder counts as ignored.
    let empty = |entry: &StatusEntry| {
        let folder =
            entry.path().ok().filter(|path| entry.status() == Status::IGNORED && path.ends_with('/')).and_then(|path| Some(repository.workdir()?.join(path)));
        folder.is_some_and(|folder| fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none()))
    };
    let counts = |status: Status| status.intersects(counted) || (loss == Loss::Files && !status.intersects(Status::WT_NEW));
    Ok(all.iter().filter(|entry| counts(entry.status()) && !empty(entry)).map(|entry| (path(entry.path_bytes()), entry.status())).collect())
}

/// What is lost when the files that a pattern names are deleted or overwritten. `None`: not all could be looked at.
fn deleted(repository: &Repository, found: &FoundRepository, pattern: &str, loss: Loss, homes: &[String]) -> Result<Option<Vec<String>>, git2::Error> {
    let inside = |folder: &Path| folder.strip_prefix(&found.root).is_ok_and(|folder| Path::new(pattern).starts_with(folder));
    if inside(&found.git_dir) || inside(&found.common_dir) {
        return Ok(Some(vec![pattern.to_owned()]));
    }
    let parts = components(pattern);
    let plain: Vec<&str> = parts.iter().map_while(Word::literal).collect();
    let folder = plain.join("/");
    let mut files = statuses(repository, loss, &[folder.as_str()].into_iter().filter(|folder| !folder.is_empty()).collect::<Vec<_>>(), false)?;
    let names = |path: &str| {
        let names: Vec<&str> = path.trim_end_matches('/').split('/').collect();
        let least = if loss == Loss::Tree { 1 } else { names.len() };
        (least..=names.len()).any(|count| names.get(..count).is_some_and(|front| fits(&parts, front)))
    };
    // All files below the folder into which a tree is copied.
    let whole = loss == Loss::Files && plain.len() == parts.len();
    files.retain(|(path, _)| names(path) || whole);
    if loss == Loss::Files {
        // New files of a kind of which git tracks none are what some program made.
        let tracked = !whole && files.iter().any(|(_, status)| !status.intersects(Status::WT_NEW));
        let counts = |status: &Status| status.intersects(UNSAVED) || (tracked && status.intersects(Status::WT_NEW));
        return Ok(Some(files.into_iter().filter(|(_, status)| counts(status)).map(|(path, _)| path).collect()));
    }
    let mut gone: Vec<String> = files.into_iter().map(|(path, _)| path).collect();
    // In a home that is a work tree, nearly everything is ignored; so is a person's whole work.
    let home = homes.iter().any(|home| Path::new(home).starts_with(&found.root));
    if gone.is_empty() && home && !folder.is_empty() && repository.is_path_ignored(Path::new(&folder))? {
        gone.push(folder.clone());
    }
    let mut left = MAX_ENTRIES;
    for deleted in named(&found.root.join(&folder), parts.get(plain.len()..).unwrap_or(&[])).iter().filter(|_| gone.is_empty()) {
        match repository_within(deleted, &mut left) {
            Some(inner) => return Ok(Some(vec![inner.strip_prefix(&found.root).unwrap_or(&inner).display().to_string()])),
            None if left == 0 => return Ok(None),
            None => {}
        }
    }
    Ok(Some(gone))
}

/// The folders that are deleted: the one that is known, or those in it that fit one more stretch.
fn named(folder: &Path, rest: &[Word]) -> Vec<PathBuf> {
    let entries = || fs::read_dir(folder).into_iter().flatten().flatten();
    match rest {
        [] => vec![folder.to_path_buf()],
        [name] => entries().filter(|entry| entry.file_name().to_str().is_some_and(|text| is_named(&name.pieces, text))).map(|entry| entry.path()).collect(),
        _ => Vec::new(),
    }
}

/// Whether all of a repository or work tree is on a remote, or in a repository elsewhere.
fn is_saved(folder: &Path) -> bool {
    let Ok(repository) = Repository::open(folder) else { return false };
    let clean = statuses(&repository, Loss::Untracked, &[], false).is_ok_and(|lost| lost.is_empty());
    // The commits of a linked work tree are in the repository to which it belongs.
    clean && if repository.is_worktree() { repository.head_detached() == Ok(false) } else { unpushed(repository.path()) == Ok(None) }
}

/// The git folder of another repository or work tree, below a folder, that has something to lose.
fn repository_within(folder: &Path, left: &mut usize) -> Option<PathBuf> {
    let mut inner = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        *left = left.checked_sub(1)?;
        if entry.file_name() == ".git" && !is_saved(folder) {
            return Some(entry.path());
        }
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            inner.push(entry.path());
        }
    }
    inner.into_iter().find_map(|folder| repository_within(&folder, left))
}

/// Whether a file below the folder `target` is among what is copied there. Without sources any may be.
fn copied(file: &str, target: &str, sources: &[String]) -> bool {
    let Some(rest) = file.strip_prefix(target).map(|rest| rest.trim_start_matches('/')).filter(|_| !sources.is_empty()) else { return true };
    // What is in the source comes there, or the source itself.
    let of = |source: &String| {
        let source = Path::new(source);
        let itself = source.file_name().and_then(|name| Path::new(rest).strip_prefix(name).ok()).filter(|rest| *rest != Path::new(""));
        [Some(Path::new(rest)), itself].into_iter().flatten().any(|rest| source.join(rest).symlink_metadata().is_ok())
    };
    sources.iter().any(of)
}

/// The stretches between the slashes of a pattern, as words.
fn components(pattern: &str) -> Vec<Word> {
    let mut parts = vec![Word::default()];
    let mut signs = pattern.chars().peekable();
    while let Some(sign) = signs.next() {
        if sign == '/' {
            parts.push(Word::default());
            continue;
        }
        let Some(part) = parts.last_mut() else { continue };
        match sign {
            '\\' => part.push_lit(signs.next().map(String::from).unwrap_or_default().as_str()),
            '*' if signs.next_if_eq(&'*').is_some() => part.push(WordPiece::Glob("**".to_owned())),
            '[' => part.push(WordPiece::Glob(format!("[{}]", signs.by_ref().take_while(|sign| *sign != ']').collect::<String>()))),
            '*' | '?' => part.push(WordPiece::Glob(sign.to_string())),
            sign => part.push_lit(sign.encode_utf8(&mut [0; 4])),
        }
    }
    parts.retain(|part| !part.pieces.is_empty());
    parts
}
