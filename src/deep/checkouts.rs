//! What git would do to Portcullis' own files without naming them: a switch to a commit with another policy, a stash that
//! takes an untracked one, a clean that takes the settings. Git is not started; its objects and index are read.

use std::ffi::OsStr;
use std::fs;
use std::path::Path as FilePath;

use actions::path::Path;
use actions::{Action, Change, Deed, Delete, Run, Write};
use clients::surroundings::with_settings;
use gate::world::Surroundings;
use gate::world::observe::repository_at;
use git2::{Commit, Index, Oid, Pathspec, PathspecFlags, Repository, RepositoryOpenFlags, Tree};
use policy::Layer;

/// Commits of a revert or cherry-pick that are looked at.
const MAX_PICKED: usize = 16;

/// The name of the files that say what git ignores.
const IGNORES: &str = ".gitignore";
/// Such files that are looked at.
const MAX_IGNORES: usize = 64;

/// The writes and deletions of policies and settings that the calls of git among `actions` would make.
pub fn taken(actions: &[Action], around: &Surroundings) -> Vec<Action> {
    let calls = actions.iter().enumerate().filter_map(|(at, action)| match &action.deed {
        Deed::Run(run) if run.program == "git" && !run.remote => Some((at, action, run)),
        _ => None,
    });
    let cleans = |run: &Run| run.subcommand.as_ref().is_some_and(|name| name.is("clean"));
    let last = actions.iter().rposition(|action| matches!(&action.deed, Deed::Run(run) if cleans(run)));
    let mut all = Vec::new();
    for (at, action, run) in calls {
        // What is ignored before a clean might no longer be when it runs.
        let before = last.is_some_and(|last| at < last);
        for deed in of_call(run, before, around).unwrap_or_default() {
            all.push(Action { deed, from: Some(at), ..action.clone() });
        }
    }
    all
}

/// What becomes of a file.
enum Fate {
    Same,
    Gone,
    Text(String),
}

/// The text that a call of git gives a file below the top of the work tree; the inner `None`: the file goes. `None` if
/// that is not known.
pub fn text_after(run: &Run, path: &str, around: &Surroundings) -> Option<Option<String>> {
    let git = run.program == "git" && !run.remote;
    let found = repository_at(run.folder.literal().filter(|_| git)?, around)?;
    let repository = Repository::open_ext(&found.root, RepositoryOpenFlags::NO_SEARCH, &[] as &[&OsStr]).ok()?;
    let index = repository.index().ok()?;
    let head = repository.head().ok().and_then(|head| head.peel_to_tree().ok());
    match (GitCall { run, repository: &repository, index: &index, root: &found.root, head }).fate(FilePath::new(path))? {
        Fate::Gone => Some(None),
        Fate::Text(text) => Some(Some(text)),
        Fate::Same => None,
    }
}

/// `None` if the repository or what the call names cannot be found out. `ignores`: changes of the rules by which files are
/// ignored count too.
fn of_call(run: &Run, ignores: bool, around: &Surroundings) -> Option<Vec<Deed>> {
    let found = repository_at(run.folder.literal()?, around)?;
    let repository = Repository::open_ext(&found.root, RepositoryOpenFlags::NO_SEARCH, &[] as &[&OsStr]).ok()?;
    let index = repository.index().ok()?;
    let call =
        GitCall { run, repository: &repository, index: &index, root: &found.root, head: repository.head().ok().and_then(|head| head.peel_to_tree().ok()) };
    let own = around.layers.iter().filter(|(layer, _)| matches!(layer, Layer::Project | Layer::Local)).map(|(_, path)| path.clone());
    let settings = with_settings().flat_map(|(_, names)| [names.shared, names.local].map(|name| found.root.join(names.folder).join(name)));
    let policies: Vec<_> = own.collect();
    let settings: Vec<_> = settings.filter(|path| !policies.contains(path)).collect();
    let mut deeds = Vec::new();
    if ignores {
        let rules = index.iter().map(|entry| String::from_utf8_lossy(&entry.path).into_owned()).filter(|path| path.rsplit('/').next() == Some(IGNORES));
        for rules in rules.take(MAX_IGNORES) {
            let file = found.root.join(&rules);
            let same = match call.fate(FilePath::new(&rules))? {
                Fate::Same => true,
                Fate::Gone => false,
                Fate::Text(text) => fs::read_to_string(&file).is_ok_and(|now| now == text),
            };
            if !same {
                deeds.push(Deed::Write(Write { path: Path::known("/", &file.to_string_lossy()), change: Change::Unknown }));
            }
        }
    }
    for (path, is_policy) in policies.iter().map(|path| (path, true)).chain(settings.iter().map(|path| (path, false))) {
        let Ok(below) = path.strip_prefix(&found.root) else { continue };
        if fs::symlink_metadata(path).is_err() {
            continue;
        }
        let path = Path::known("/", &path.to_string_lossy());
        match call.joined(below).or_else(|| call.fate(below))? {
            Fate::Gone => deeds.push(Deed::Delete(Delete { path, recursive: false, moved: false })),
            // What an older commit wires is the business of the client, which is asked when its settings change.
            Fate::Text(text) if is_policy => deeds.push(Deed::Write(Write { path, change: Change::Whole(text) })),
            Fate::Text(_) | Fate::Same => {}
        }
    }
    Some(deeds)
}

/// The words as texts. `None` if one of them is not known.
fn literals(words: &[actions::word::Word]) -> Option<Vec<String>> {
    words.iter().map(|word| word.literal().map(str::to_owned)).collect()
}

/// A call of git in its repository.
struct GitCall<'c> {
    run: &'c Run,
    repository: &'c Repository,
    index: &'c Index,
    root: &'c FilePath,
    head: Option<Tree<'c>>,
}

impl<'c> GitCall<'c> {
    /// What the call makes of a file, whose path is from the top of the work tree. `None` if that cannot be found out.
    fn fate(&self, file: &FilePath) -> Option<Fate> {
        let run = self.run;
        let subcommand = run.subcommand.as_ref()?.literal()?;
        let first = run.args.first().and_then(|word| word.literal());
        let patch = self.has("--patch") || self.has("--interactive");
        match subcommand {
            _ if patch => Some(Fate::Same),
            "switch" if self.has("--orphan") => Some(self.switched(file, None)),
            "switch" => Some(self.switched(file, Some(&self.tree(first.unwrap_or("HEAD"))?))),
            "checkout" if self.has("--orphan") => Some(Fate::Same),
            "checkout" => self.checked_out(file),
            "restore" if self.has("--staged") && !self.has("--worktree") => Some(Fate::Same),
            "restore" => {
                let source = self.value("--source").or_else(|| self.has("--staged").then(|| "HEAD".to_owned()));
                let tree = match source {
                    Some(source) => Some(self.tree(&source)?),
                    None => None,
                };
                Some(self.restored(file, tree.as_ref(), &literals(&run.args)?, self.has("--overlay")))
            }
            "reset" if self.has("--hard") => {
                let tree = self.tree(first.unwrap_or("HEAD"))?;
                Some(self.exactly(file, Some(&tree)))
            }
            "reset" if self.has("--merge") || self.has("--keep") => Some(self.switched(file, Some(&self.tree(first.unwrap_or("HEAD"))?))),
            "read-tree" if self.has("-u") => Some(self.switched(file, Some(&self.tree(first?)?))),
            "stash" | "stash push" | "stash save" => Some(self.stashed(file, subcommand == "stash push")),
            "revert" | "cherry-pick" => self.picked(file, subcommand == "revert"),
            "clean" => Some(self.cleaned(file)),
            _ => Some(Fate::Same),
        }
    }

    /// What a merge, a rebase or a stash that is put back makes of a file. `None` for any other call, and where it cannot be
    /// found out: what a pull will fetch is not known before, but what was fetched last is.
    fn joined(&self, file: &FilePath) -> Option<Fate> {
        let args = literals(&self.run.args)?;
        let first = args.first().map(String::as_str);
        if ["--abort", "--continue", "--quit", "--skip", "--dry-run"].iter().any(|name| self.has(name)) || self.value("--strategy").as_deref() == Some("ours") {
            return None;
        }
        let theirs = match self.run.subcommand.as_ref()?.literal()? {
            "merge" => first?.to_owned(),
            "rebase" => self.value("--onto").or_else(|| first.map(str::to_owned)).unwrap_or_else(|| "@{upstream}".to_owned()),
            "pull" => match (first, args.get(1)) {
                (Some("."), Some(branch)) => branch.clone(),
                (Some(remote), Some(branch)) => format!("refs/remotes/{remote}/{}", branch.trim_start_matches('+').split(':').next()?),
                _ => "@{upstream}".to_owned(),
            },
            "stash pop" | "stash apply" => {
                let stash = first.map_or_else(|| "stash@{0}".to_owned(), |name| if name.contains('{') { name.to_owned() } else { format!("stash@{{{name}}}") });
                let stash = self.commit(&stash)?;
                return Some(self.three_way(file, &stash, &stash.parent(0).ok()?));
            }
            _ => return None,
        };
        let (ours, theirs) = (self.commit("HEAD")?, self.commit(&theirs)?);
        let base = self.repository.merge_base(ours.id(), theirs.id()).ok().and_then(|base| self.repository.find_commit(base).ok())?;
        Some(self.three_way(file, &theirs, &base))
    }

    fn commit(&self, name: &str) -> Option<Commit<'c>> {
        self.repository.revparse_single(name).ok()?.peel_to_commit().ok()
    }

    /// What the other side alone changed is taken over. Of what both changed, git keeps both changes or stops.
    fn three_way(&self, file: &FilePath, theirs: &Commit, base: &Commit) -> Fate {
        let of = |tree: Option<&Tree>| tree.and_then(|tree| self.text(tree, file));
        let (theirs, base) = (of(theirs.tree().ok().as_ref()), of(base.tree().ok().as_ref()));
        let id = |text: &Option<(Oid, String)>| text.as_ref().map(|(id, _)| *id);
        if id(&theirs) == id(&base) || id(&of(self.head.as_ref())) != id(&base) {
            return Fate::Same;
        }
        theirs.map_or(Fate::Gone, |(_, text)| Fate::Text(text))
    }

    fn has(&self, name: &str) -> bool {
        self.run.flags.iter().any(|flag| flag.is(name))
    }

    fn value(&self, name: &str) -> Option<String> {
        self.run.flags.iter().filter(|flag| flag.is(name)).find_map(|flag| flag.value.as_ref()?.literal().map(str::to_owned))
    }

    /// The tree that a name means. A branch that only a remote has is made by the call.
    fn tree(&self, name: &str) -> Option<Tree<'c>> {
        let name = if name == "-" { "@{-1}" } else { name };
        let of = |name: &str| self.repository.revparse_single(name).ok()?.peel_to_tree().ok();
        of(name).or_else(|| {
            let remotes = self.repository.remotes().ok()?;
            remotes.iter().filter_map(Result::ok).flatten().find_map(|remote| of(&format!("refs/remotes/{remote}/{name}")))
        })
    }

    /// The text of a file in a tree. `None` if it has none there.
    fn text(&self, tree: &Tree, file: &FilePath) -> Option<(Oid, String)> {
        let id = tree.get_path(file).ok()?.id();
        Some((id, self.blob(id)?))
    }

    fn blob(&self, id: Oid) -> Option<String> {
        Some(String::from_utf8_lossy(self.repository.find_blob(id).ok()?.content()).into_owned())
    }

    fn staged(&self, file: &FilePath) -> Option<Oid> {
        self.index.get_path(file, 0).map(|entry| entry.id)
    }

    /// The work tree goes over to another commit. What both have alike is not touched.
    fn switched(&self, file: &FilePath, tree: Option<&Tree>) -> Fate {
        let target = tree.and_then(|tree| self.text(tree, file));
        match (self.staged(file), target) {
            (Some(_), None) => Fate::Gone,
            (Some(staged), Some((id, _))) if staged == id && !self.has("--force") => Fate::Same,
            (None, None) => Fate::Same,
            (_, Some((_, text))) => Fate::Text(text),
        }
    }

    /// A tracked file becomes what it is in the tree, or in the index where no tree is given.
    fn exactly(&self, file: &FilePath, tree: Option<&Tree>) -> Fate {
        let staged = self.staged(file);
        let target = match tree {
            Some(tree) => self.text(tree, file).map(|(_, text)| text),
            None => staged.and_then(|id| self.blob(id)),
        };
        match target {
            Some(text) => Fate::Text(text),
            None if staged.is_some() => Fate::Gone,
            None => Fate::Same,
        }
    }

    fn restored(&self, file: &FilePath, tree: Option<&Tree>, paths: &[String], overlay: bool) -> Fate {
        if !self.covers(paths, file) {
            return Fate::Same;
        }
        match self.exactly(file, tree) {
            Fate::Gone if overlay => Fate::Same,
            fate => fate,
        }
    }

    fn checked_out(&self, file: &FilePath) -> Option<Fate> {
        let args = literals(&self.run.args)?;
        let behind = self.run.words.iter().rev().take_while(|word| word.literal() != Some("--")).count();
        let behind = if behind == self.run.words.len() { None } else { Some(behind) };
        let made = ["-b", "-B"].iter().any(|name| self.has(name));
        let (tree, paths) = match behind {
            Some(count) => {
                let (front, paths) = args.split_at_checked(args.len().saturating_sub(count))?;
                (front.first().cloned(), paths.to_vec())
            }
            None => match args.split_first() {
                Some((first, rest)) if made || self.tree(first).is_some() => (Some(first.clone()), rest.to_vec()),
                _ => (None, args),
            },
        };
        let tree = match tree {
            Some(tree) => Some(self.tree(&tree)?),
            None => None,
        };
        Some(match (tree, paths.is_empty()) {
            (None, true) if self.has("--force") => self.exactly(file, self.head.as_ref()),
            (None, true) => Fate::Same,
            (Some(tree), true) => self.switched(file, Some(&tree)),
            (tree, false) => self.restored(file, tree.as_ref(), &paths, true),
        })
    }

    fn stashed(&self, file: &FilePath, takes_paths: bool) -> Fate {
        let paths = if takes_paths { literals(&self.run.args).unwrap_or_default() } else { Vec::new() };
        if !paths.is_empty() && !self.covers(&paths, file) {
            return Fate::Same;
        }
        let ignored = self.repository.is_path_ignored(file).unwrap_or(false);
        match self.staged(file) {
            Some(_) => self.exactly(file, self.head.as_ref()),
            None if self.has("--all") || (self.has("--include-untracked") && !ignored) => Fate::Gone,
            None => Fate::Same,
        }
    }

    /// A commit that touched the file is undone or made again.
    fn picked(&self, file: &FilePath, undone: bool) -> Option<Fate> {
        let mut fate = Fate::Same;
        for name in literals(&self.run.args)?.iter().take(MAX_PICKED) {
            let Some(commit) = self.repository.revparse_single(name).ok().and_then(|object| object.peel_to_commit().ok()) else { continue };
            let (Ok(new), old) = (commit.tree(), commit.parent(0).ok().and_then(|parent| parent.tree().ok())) else { continue };
            let (new, old) = (self.text(&new, file), old.and_then(|tree| self.text(&tree, file)));
            if new.as_ref().map(|(id, _)| id) == old.as_ref().map(|(id, _)| id) {
                continue;
            }
            fate = match if undone { old } else { new } {
                Some((_, text)) => Fate::Text(text),
                None => Fate::Gone,
            };
        }
        Some(fate)
    }

    fn cleaned(&self, file: &FilePath) -> Fate {
        if self.has("--dry-run") || self.staged(file).is_some() {
            return Fate::Same;
        }
        let mut paths = literals(&self.run.args).unwrap_or_default();
        if paths.is_empty() {
            // Without a path it cleans from the folder of the call on.
            paths.push(".".to_owned());
        }
        let kept: Vec<String> =
            self.run.flags.iter().filter(|flag| flag.is("--exclude")).filter_map(|flag| flag.value.as_ref()?.literal().map(str::to_owned)).collect();
        let spared = kept.iter().any(|pattern| {
            let pattern = pattern.trim_matches('/');
            file.ancestors().any(|part| part == FilePath::new(pattern) || part.file_name() == Some(OsStr::new(pattern)))
        });
        let ignored = self.repository.is_path_ignored(file).unwrap_or(false);
        // Without `-d`, a folder in which nothing is tracked is left alone.
        let entered = self.has("-d")
            || file.parent().is_none_or(|folder| {
                folder.as_os_str().is_empty() || self.index.iter().any(|entry| entry.path.starts_with(folder.as_os_str().as_encoded_bytes()))
            });
        let taken = if self.has("-X") { ignored } else { self.has("-x") || !ignored };
        if taken && !spared && entered && self.covers(&paths, file) { Fate::Gone } else { Fate::Same }
    }

    /// Whether one of the path specifications covers a file. They are from the folder of the call.
    fn covers(&self, paths: &[String], file: &FilePath) -> bool {
        let Some(folder) = self.run.folder.literal().and_then(|folder| FilePath::new(folder).strip_prefix(self.root).ok()) else { return true };
        paths.iter().any(|path| {
            let magic = path.starts_with(':');
            let joined = Path::known("/", &format!("/{}/{path}", folder.display()));
            let joined = if path.starts_with('/') {
                FilePath::new(path).strip_prefix(self.root).ok().map(|path| path.to_string_lossy().into_owned())
            } else {
                joined.word.literal().map(|path| path.trim_start_matches('/').to_owned())
            };
            match joined {
                // What is special in it is not read.
                _ if magic => true,
                None => false,
                Some(path) if path.is_empty() => true,
                Some(path) => Pathspec::new([path.as_str()]).is_ok_and(|spec| spec.matches_path(file, PathspecFlags::DEFAULT)),
            }
        })
    }
}
