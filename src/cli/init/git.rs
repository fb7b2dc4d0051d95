//! Git's hooks: adds a block to each hook, before its own commands. A hook that is not a shell script is renamed and started
//! after Portcullis. The lines themselves are in `crate::git::block`.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use super::hooks_folder::{self, HooksFolder};
use super::plan::Plan;
use super::scope;
use crate::cli::files::{self, Edit};
use crate::cli::place;
use crate::cli::refusal::Refusal;
use crate::cli::terminal::shown;
use crate::deep::changes::Changes;
use crate::deep::commits::Folders;
use crate::git::beside::VIEW;
use crate::git::block::{self, BEGIN, BlockForm, GateCall, HOOKS, KEPT, block, is_script, without};
use actions::shown::escaped;
use gate::failure::Failure;
use gate::world::World;
use gate::world::repository::Repository;
use gate::world::state;

/// The gate's program for git.
const PROGRAM: &str = crate::git::NAME;
/// The one that husky does not know (its `index.js`, version 9).
const NOT_HUSKY: &str = "reference-transaction";
/// Husky's own folder within the one with the person's files.
const HUSKY_OWN: &str = "_";
/// The state of a repository whose hooks a person made.
const MADE: &str = "git-hooks";
/// Hook managers: a word in the hooks that they write, and the command that rewrites them.
const MANAGERS: [(&str, &str); 5] = [
    ("pre-commit.com", "`pre-commit install`"),
    ("prek", "`prek install`"),
    ("lefthook", "lefthook, when its configuration changes,"),
    ("hk run", "`hk install`"),
    ("SIMPLE_GIT_HOOKS", "`simple-git-hooks`"),
];
/// What managers name a hook that they found: pre-commit and prek, which start it, and lefthook, which does not.
const MOVED: [(&str, &str); 2] = [(".legacy", "hook-impl"), (".old", "lefthook")];
/// Managers that take out or leave out hooks, by what is in `package.json`: what they do, and what helps.
const IN_PACKAGE: [(&str, &str, &str); 2] = [
    (
        "\"simple-git-hooks\"",
        "`simple-git-hooks` deletes every hook that it does not know, when it is installed",
        "set `\"preserveUnused\": true` in its configuration, and run `portcullis init --git` after it",
    ),
    (
        "\"yorkie\"",
        "yorkie leaves out its hooks (`gitHooks` in `package.json`) where others are in their place",
        "run `portcullis init --git --undo`, `node node_modules/yorkie/bin/install.js`, then `portcullis init --git`",
    ),
];

/// The places of a repository's hooks.
#[derive(Clone, Debug)]
pub struct HookSite {
    /// Where git looks for them.
    pub folder: PathBuf,
    /// Husky's folder, if it writes them: git's hooks start the files of that name there.
    husky: Option<PathBuf>,
    /// The folder is committed.
    shared: bool,
    /// What `core.hooksPath` is, if it is set.
    pub set: Option<String>,
    gate: PathBuf,
    home: Option<PathBuf>,
    root: PathBuf,
}

/// A hook as it is to be.
pub struct Wanted {
    pub name: &'static str,
    pub path: PathBuf,
    /// It is committed.
    pub shared: bool,
    /// Husky gives it to a shell, so it needs no mode.
    pub by_shell: bool,
}

impl HookSite {
    /// The hooks of the repository around a place.
    ///
    /// # Errors
    ///
    /// There is no repository, git does not answer, or all repositories share the hooks.
    pub fn of(site: &scope::Site) -> Result<Self, Refusal> {
        let repository = repository(site)?;
        let refused = |why: String, fix: &str| Refusal::new("no git hook was changed", why, fix);
        let HooksFolder { path, set, for_all } = hooks_folder::asked(&repository.root).map_err(|why| refused(why, "let git work in this repository first"))?;
        let here = Self::in_folder(site, repository, path, set);
        if for_all && here.set.as_deref() != Some("") && !here.is_inside(repository) {
            let why = format!("`core.hooksPath` in your own git configuration is `{}`, and these hooks run in all your repositories", shown(&here.folder));
            return Err(refused(why, "call `portcullis-git HOOK \"$@\"` in them yourself, or set `core.hooksPath` for this repository"));
        }
        Ok(here)
    }

    fn in_folder(site: &scope::Site, repository: &Repository, folder: PathBuf, set: Option<String>) -> Self {
        let above = folder.parent().filter(|above| folder.ends_with(HUSKY_OWN) && (above.ends_with(".husky") || folder.join("h").is_file()));
        let husky = above.map(Path::to_path_buf).or_else(|| folder.ends_with(".husky").then(|| folder.clone()));
        let home = std::env::var_os("HOME").map(PathBuf::from).filter(|home| home.is_absolute());
        let gate = site.binaries.join(PROGRAM);
        let here = Self { folder, husky, shared: false, set, gate, home, root: repository.root.clone() };
        Self { shared: here.husky.is_none() && here.is_inside(repository), ..here }
    }

    /// Every place in which hooks of Portcullis can be, whatever the configuration says now: to take them out must not depend
    /// on what keeps git from starting them.
    fn all(site: &scope::Site) -> Result<Vec<Self>, Refusal> {
        let repository = repository(site)?;
        let now = hooks_folder::asked(&repository.root).ok();
        let husky = repository.root.join(".husky");
        let mut all = vec![Self::in_folder(site, repository, repository.common_dir.join("hooks"), None)];
        let others = now.into_iter().filter(|now| !now.for_all).map(|now| now.path).chain([husky.join(HUSKY_OWN)]);
        for folder in others {
            if all.iter().all(|known| known.folder != folder) {
                all.push(Self::in_folder(site, repository, folder, None));
            }
        }
        Ok(all)
    }

    /// The folder is part of the work tree, so it is committed.
    fn is_inside(&self, repository: &Repository) -> bool {
        self.folder.starts_with(&repository.root) && !self.folder.starts_with(&repository.common_dir)
    }

    /// Every hook, with the path of its file.
    pub fn wanted(&self) -> impl Iterator<Item = Wanted> {
        HOOKS.into_iter().map(|name| match &self.husky {
            // Husky starts the person's own files, and writes those that start them anew at each install.
            Some(husky) if self.by_husky(husky, name) => Wanted { name, path: husky.join(name), shared: true, by_shell: *husky != self.folder },
            _ => Wanted { name, path: self.folder.join(name), shared: self.shared, by_shell: false },
        })
    }

    /// Whether husky starts this hook. What it does not know is git's alone.
    fn by_husky(&self, husky: &Path, name: &str) -> bool {
        if husky == self.folder || !self.folder.is_dir() {
            return husky == self.folder || name != NOT_HUSKY;
        }
        fs::read_to_string(self.folder.join(name)).is_ok_and(|text| !text.contains(BEGIN))
    }

    /// The top of the work tree.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The file that git itself starts, where that is another one: husky's.
    pub fn started_by(&self, hook: &Wanted) -> Option<PathBuf> {
        let own = self.folder.join(hook.name);
        (own != hook.path).then_some(own)
    }

    fn call(&self, shared: bool) -> Result<GateCall, Refusal> {
        if shared { Ok(GateCall::committed(&self.gate, self.home.as_deref())) } else { Ok(GateCall::of_clone(place::text(&self.gate)?)) }
    }

    /// The ways in which a hook here may call this program.
    pub fn calls(&self) -> Vec<GateCall> {
        [self.call(false), self.call(true)].into_iter().flatten().chain([GateCall::usual()]).collect()
    }

    /// Why git starts no hook here, and what helps.
    pub fn starts_nothing(&self) -> Option<(String, String)> {
        let folder = shown(&self.folder);
        if self.folder.is_dir() && self.folder.parent().is_some() {
            return None;
        }
        let set = escaped(self.set.as_deref()?);
        if set.is_empty() || self.folder.parent().is_none() {
            return Some((format!("`core.hooksPath` is empty, so git looks for hooks in `{folder}`"), "run `git config --unset core.hooksPath`".to_owned()));
        }
        if let Some(husky) = self.husky.as_ref().filter(|husky| **husky != self.folder) {
            let folder = shown(husky.strip_prefix(&self.root).unwrap_or(husky));
            let why = format!("`core.hooksPath` is `{set}`, and husky has not made that folder in this work tree");
            return Some((why, format!("run `npx husky {folder}` in `{}` (or the project's own `prepare` script), in each work tree", shown(&self.root))));
        }
        let what = if self.folder.exists() { "is no folder" } else { "does not exist" };
        let fix = if self.shared { "run `portcullis init --git`, which makes it" } else { "make that folder, or run `git config --unset core.hooksPath`" };
        Some((format!("`core.hooksPath` is `{set}`, and `{folder}` {what}"), fix.to_owned()))
    }

    /// Adds the changes that install the hooks.
    ///
    /// # Errors
    ///
    /// A file cannot be read, `portcullis-git` is missing, or the hooks could not read this repository.
    pub fn wire(&self, plan: &mut Plan) -> Result<(), Refusal> {
        let refused = |why: String, fix: String| Refusal::new("no git hook was changed", why, fix);
        if !self.gate.is_file() {
            let why = format!("`{}` does not exist", self.gate.display());
            return Err(refused(why, "run `portcullis install` first (of an unpacked release, or in a clone: `cargo run --release -- install`)".to_owned()));
        }
        self.readable()?;
        match self.starts_nothing() {
            // The files of the hooks make the folder.
            Some((why, fix)) if !self.shared || self.folder.exists() => return Err(refused(why, fix)),
            _ => {}
        }
        for hook in self.wanted() {
            let call = self.call(hook.shared)?;
            let whole = |form| block(&call, hook.name, form).into_bytes();
            let form = if fs::symlink_metadata(kept(&hook.path)).is_ok() { BlockForm::Chained } else { BlockForm::Whole };
            match state(&hook)? {
                _ if moved(&hook).is_some_and(|(_, runs)| runs) => {}
                HookFile::Nothing => {
                    plan.edits.push(Edit { path: hook.path.clone(), before: None, after: Some(whole(BlockForm::Whole)), mode: files::PROGRAM });
                }
                HookFile::Script(text) if !hook.by_shell && !fs::metadata(&hook.path).is_ok_and(|found| is_program(&found)) => {
                    // Ours, and it lost its mode: made anew, it gets that back.
                    plan.edits.push(Edit { path: hook.path.clone(), before: Some(text.clone().into_bytes()), after: None, mode: files::PROGRAM });
                    let again = match without(&text) {
                        None => whole(form),
                        Some(rest) => block::with(&call, hook.name, &rest).into_bytes(),
                    };
                    plan.edits.push(Edit { path: hook.path.clone(), before: None, after: Some(again), mode: files::PROGRAM });
                }
                HookFile::Script(text) if without(&text).is_none() => {
                    plan.edits.push(ours(&hook, &text, whole(form)));
                }
                HookFile::Script(text) => {
                    let rest = without(&text).unwrap_or_default();
                    if let Some((_, when)) = MANAGERS.iter().find(|(mark, _)| rest.contains(mark)) {
                        let note = format!("when {when} rewrites `{}`, run `portcullis init --git` again; `portcullis doctor` reports it", hook.path.display());
                        if !plan.notes.contains(&note) {
                            plan.notes.push(note);
                        }
                    }
                    plan.edits.push(ours(&hook, &text, block::with(&call, hook.name, &rest).into_bytes()));
                }
                HookFile::Other => {
                    plan.moved_first.push((hook.path.clone(), kept(&hook.path)));
                    plan.edits.push(Edit { path: hook.path.clone(), before: None, after: Some(whole(BlockForm::Chained)), mode: files::PROGRAM });
                }
            }
        }
        plan.notes.extend(self.managers().map(|(what, fix)| format!("{what}: {fix}")));
        if self.shared || self.husky.is_some() {
            plan.notes.push(format!(
                "the hooks are committed: in clones without Portcullis ({} or the `PATH`) they say so, and check nothing",
                match self.call(true)? {
                    GateCall::Looked(word) => word.trim_matches(['"', '\'']).replace("$HOME", "~"),
                    GateCall::Full(word) => word,
                }
            ));
        }
        Ok(())
    }

    /// Whether the hooks could judge a commit in this repository. If not, they would refuse every one.
    ///
    /// # Errors
    ///
    /// What keeps it from being read, and what helps.
    pub fn readable(&self) -> Result<(), Refusal> {
        let look = || -> Result<(), String> {
            let folders = Folders::find(&self.root)?;
            let changes = Changes::open(&folders.own)?;
            let index = folders.own.join("index");
            if index.exists() { changes.around_index(&index).map(drop) } else { Ok(()) }
        };
        look().map_err(|why| Refusal { what: "no git hook was changed".to_owned(), ..Refusal::from(Failure::RepositoryUnreadable(why)) })
    }

    /// Managers in `package.json` that take out hooks, or leave out theirs: what they do, and what helps.
    pub fn managers(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let text = fs::read_to_string(self.root.join("package.json")).unwrap_or_default();
        IN_PACKAGE.into_iter().filter(move |(mark, ..)| text.contains(mark)).map(|(_, what, fix)| (what, fix))
    }

    /// Adds the changes that remove the hooks, wherever they are.
    ///
    /// # Errors
    ///
    /// A file cannot be read.
    pub fn unwire_all(site: &scope::Site, plan: &mut Plan) -> Result<(), Refusal> {
        for place in Self::all(site)? {
            // A folder that was made for the hooks goes with them.
            plan.folders.extend(place.shared.then(|| place.folder.clone()));
            for hook in place.wanted() {
                // What a manager has moved away is still ours.
                let names = MOVED.iter().map(|(suffix, _)| suffixed(&hook.path, suffix));
                for path in [hook.path.clone()].into_iter().chain(names) {
                    unwire(&Wanted { path, ..hook }, &kept(&hook.path), plan)?;
                }
            }
        }
        plan.views.extend(site.repository.iter().map(|repository| repository.common_dir.join(VIEW)));
        Ok(())
    }

    /// What an undo that leaves git's hooks alone says of them. `None` if Portcullis is in none.
    pub fn left(site: &scope::Site) -> Option<String> {
        let mut plan = Plan::default();
        Self::unwire_all(site, &mut plan).ok()?;
        let count = plan.edits.iter().filter(|edit| edit.changes()).count();
        let text = format!("Portcullis stays in {count} of git's hooks, which still check commits and pushes: `portcullis init --git --undo` removes it there");
        (count > 0).then_some(text)
    }

    /// Whether a person made the hooks of this repository, and did not take them out again.
    pub fn were_made(world: &World, repository: &Repository) -> bool {
        let made = state::read(&world.states, &repository.common_dir, MADE);
        made.is_some_and(|made| made == identity(repository).as_bytes())
    }

    /// Remembers that. A state that cannot be kept is reported by `doctor` anyway.
    pub fn remember(world: &World, repository: &Repository, made: bool) {
        let _ = if made {
            state::write(&world.states, &repository.common_dir, MADE, identity(repository).as_bytes()).map(drop)
        } else {
            state::remove(&world.states, &repository.common_dir, MADE)
        };
    }
}

/// What tells a repository from another one that was in its place before.
fn identity(repository: &Repository) -> String {
    let found = fs::metadata(&repository.common_dir).ok();
    let born = found.as_ref().and_then(|found| found.created().ok()?.duration_since(std::time::UNIX_EPOCH).ok());
    format!("{} {}", found.map_or(0, |found| found.ino()), born.map_or(0, |born| born.as_nanos()))
}

fn repository(site: &scope::Site) -> Result<&Repository, Refusal> {
    let refused = || Refusal::usage("no git hook was changed", format!("`{}` is not in a git repository", site.root.display()), "run it without `--git`");
    site.repository.as_ref().ok_or_else(refused)
}

/// Adds the changes that take Portcullis out of one file.
fn unwire(hook: &Wanted, kept: &Path, plan: &mut Plan) -> Result<(), Refusal> {
    let HookFile::Script(text) = state(hook)? else { return Ok(()) };
    if !text.contains(BEGIN) || plan.edits.iter().any(|edit| edit.path == hook.path) {
        return Ok(());
    }
    let after = without(&text).map(String::into_bytes);
    let back = (kept.to_path_buf(), hook.path.clone());
    if after.is_none() && fs::symlink_metadata(kept).is_ok() && plan.moved_last.iter().all(|(from, _)| *from != back.0) {
        plan.moved_last.push(back);
    }
    plan.edits.push(Edit { path: hook.path.clone(), before: Some(text.into_bytes()), after, mode: files::FILE });
    Ok(())
}

/// The file to which a manager has moved a hook of ours, and whether the manager's own hook starts it.
pub fn moved(hook: &Wanted) -> Option<(PathBuf, bool)> {
    let now = fs::read_to_string(&hook.path).unwrap_or_default();
    MOVED.iter().find_map(|(suffix, manager)| {
        let path = suffixed(&hook.path, suffix);
        let ours = fs::read_to_string(&path).is_ok_and(|text| text.contains(BEGIN));
        let runs = *suffix == ".legacy" && fs::metadata(&path).is_ok_and(|found| is_program(&found));
        (ours && now.contains(manager) && !now.contains(BEGIN)).then_some((path, runs))
    })
}

/// The file of a hook.
pub enum HookFile {
    Nothing,
    /// A shell script, or a text that git gives to the shell.
    Script(String),
    /// A link, another program, or a file that git does not run.
    Other,
}

/// What is in the place of a hook.
///
/// # Errors
///
/// It cannot be read.
pub fn state(hook: &Wanted) -> Result<HookFile, Refusal> {
    let refused = |error: io::Error| Refusal::new("no git hook was changed", format!("`{}`: {error}", hook.path.display()), "make it readable");
    let found = match fs::symlink_metadata(&hook.path) {
        Ok(found) => found,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => return Ok(HookFile::Nothing),
        Err(error) => return Err(refused(error)),
    };
    if !found.is_file() {
        return Ok(HookFile::Other);
    }
    let Ok(text) = String::from_utf8(fs::read(&hook.path).map_err(refused)?) else { return Ok(HookFile::Other) };
    // Git passes over a file without the mode of a program; ours is still ours then.
    let counts = hook.by_shell || is_program(&found) || text.contains(BEGIN);
    Ok(if counts && is_script(&text) { HookFile::Script(text) } else { HookFile::Other })
}

fn is_program(found: &fs::Metadata) -> bool {
    found.permissions().mode() & 0o111 != 0
}

fn kept(path: &Path) -> PathBuf {
    suffixed(path, KEPT)
}

fn suffixed(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn ours(hook: &Wanted, before: &str, after: Vec<u8>) -> Edit {
    let mode = if hook.by_shell { files::FILE } else { files::PROGRAM };
    Edit { path: hook.path.clone(), before: Some(before.to_owned().into_bytes()), after: Some(after), mode }
}
