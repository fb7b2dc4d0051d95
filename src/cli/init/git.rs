//! Git's hooks: adds a block to each hook, before its own commands. A hook that is not a shell script is renamed and started
//! after Portcullis.
//!
//! A hook of one clone names Portcullis by its full path, and nothing is committed if Portcullis is missing. A hook that is
//! committed (a folder of the work tree, husky's files) can reach machines without Portcullis, so it skips it there.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::plan::Plan;
use super::scope;
use crate::cli::files::{self, Edit};
use crate::cli::place;
use crate::cli::refusal::Refusal;
use crate::cli::terminal::shell_word;
use crate::deep::commits;
use gate::world::repository::Repository;

/// The gate's program for git.
const PROGRAM: &str = crate::git::NAME;
/// The hooks that can stop something, or that only report.
pub const HOOKS: [&str; 8] =
    ["pre-commit", "pre-merge-commit", "prepare-commit-msg", "commit-msg", "post-commit", "post-merge", "pre-push", "reference-transaction"];
/// Hooks that get lines on standard input from git.
const TOLD: [&str; 2] = ["pre-push", "reference-transaction"];
/// The one that husky does not know (its `index.js`, version 9).
const NOT_HUSKY: &str = "reference-transaction";
const BEGIN: &str = "# >>> portcullis: made by `portcullis init --git`, taken out by `portcullis init --git --undo`\n";
const END: &str = "# <<< portcullis\n";
/// What a hook begins with that is ours alone.
const SHELL: &str = "#!/bin/sh\n";
/// The name of a hook that was there before and is no shell script.
const KEPT: &str = ".before-portcullis";
/// Shells that read the block.
const SHELLS: [&str; 6] = ["sh", "bash", "dash", "ash", "ksh", "zsh"];
/// Hook managers: a word in the hooks that they write, and the command that rewrites them.
const MANAGERS: [(&str, &str); 5] = [
    ("pre-commit.com", "`pre-commit install`"),
    ("prek", "`prek install`"),
    ("lefthook", "lefthook, when its configuration changes,"),
    ("hk run", "`hk install`"),
    ("simple-git-hooks", "`simple-git-hooks`"),
];

/// The places of a repository's hooks.
#[derive(Clone, Debug)]
pub struct HookSite {
    /// Where git looks for them.
    folder: PathBuf,
    /// Husky's folder, if it writes them: git's hooks start the files of that name there.
    husky: Option<PathBuf>,
    /// The folder is committed.
    shared: bool,
    gate: PathBuf,
}

/// A hook as it is to be.
struct Wanted {
    name: &'static str,
    path: PathBuf,
    shared: bool,
}

impl HookSite {
    /// The hooks of the repository around a place.
    ///
    /// # Errors
    ///
    /// There is no repository, its configuration cannot be read, or all repositories share the hooks.
    pub fn of(site: &scope::Site) -> Result<Self, Refusal> {
        let Some(Repository { root, git_dir, common_dir }) = &site.repository else {
            return Err(Refusal::usage("no git hook was changed", format!("`{}` is not in a git repository", site.root.display()), "run it without `--git`"));
        };
        let gate = site.binaries.join(PROGRAM);
        let refused = |why: String, fix: &str| Refusal::new("no git hook was changed", why, fix);
        let set = commits::hooks_path(git_dir).map_err(|why| refused(why, "fix the configuration of the repository"))?;
        let Some((path, own)) = set else { return Ok(Self { folder: common_dir.join("hooks"), husky: None, shared: false, gate }) };
        let folder = root.join(&path);
        let inside = folder.starts_with(root) && !folder.starts_with(common_dir);
        if !own && !inside {
            let why = format!("`core.hooksPath` in your own git configuration is `{}`, and these hooks run in all your repositories", folder.display());
            return Err(refused(why, "call `portcullis-git HOOK \"$@\"` in them yourself, or set `core.hooksPath` for this repository"));
        }
        let husky = (path.ends_with(".husky/_") || path.ends_with(".husky")).then(|| root.join(".husky"));
        Ok(Self { shared: inside && husky.is_none(), folder, husky, gate })
    }

    /// Every hook, with the path of its file.
    fn wanted(&self) -> impl Iterator<Item = Wanted> {
        HOOKS.into_iter().map(|name| match &self.husky {
            // Husky starts the person's own files, and writes those that start them anew at each install.
            Some(husky) if *husky == self.folder || name != NOT_HUSKY => Wanted { name, path: husky.join(name), shared: true },
            _ => Wanted { name, path: self.folder.join(name), shared: self.shared },
        })
    }

    /// Adds the changes that install the hooks.
    ///
    /// # Errors
    ///
    /// A file cannot be read, or `portcullis-git` is missing.
    pub fn wire(&self, plan: &mut Plan) -> Result<(), Refusal> {
        if !self.gate.is_file() {
            let why = format!("`{}` does not exist", self.gate.display());
            return Err(Refusal::new("no git hook was changed", why, "run `portcullis install` first (in a clone: `cargo run --release -- install`)"));
        }
        let call = shell_word(place::text(&self.gate)?);
        for hook in self.wanted() {
            let call = if hook.shared { PROGRAM } else { &call };
            let block = |whole: bool| block(call, &hook, whole, "");
            match state(&hook)? {
                HookFile::Nothing => {
                    plan.edits.push(Edit { path: hook.path.clone(), before: None, after: Some(block(true).into_bytes()), mode: files::PROGRAM });
                }
                HookFile::Script(text) if without(&text).is_none() => plan.edits.push(ours(&hook.path, &text, block(true))),
                HookFile::Script(text) => {
                    let rest = without(&text).unwrap_or_default();
                    if let Some((_, when)) = MANAGERS.iter().find(|(mark, _)| rest.contains(mark)) {
                        let note = format!("when {when} rewrites `{}`, run `portcullis init --git` again; `portcullis doctor` reports it", hook.path.display());
                        if !plan.notes.contains(&note) {
                            plan.notes.push(note);
                        }
                    }
                    let head = if rest.starts_with("#!") { rest.find('\n').map_or(0, |end| end + 1) } else { 0 };
                    let (head, body) = rest.split_at(head);
                    plan.edits.push(ours(&hook.path, &text, format!("{head}{}{body}", block(false))));
                }
                HookFile::Other => {
                    plan.moved_first.push((hook.path.clone(), kept(&hook.path)));
                    let text = self::block(call, &hook, true, &format!("--then \"$0{KEPT}\" "));
                    plan.edits.push(Edit { path: hook.path.clone(), before: None, after: Some(text.into_bytes()), mode: files::PROGRAM });
                }
            }
        }
        if self.shared || self.husky.is_some() {
            plan.notes.push("the hooks are committed: they call `portcullis-git` by its name, and skip it where it is not on the `PATH`".to_owned());
        }
        Ok(())
    }

    /// Adds the changes that remove the hooks.
    ///
    /// # Errors
    ///
    /// A file cannot be read.
    pub fn unwire(&self, plan: &mut Plan) -> Result<(), Refusal> {
        for hook in self.wanted() {
            let HookFile::Script(text) = state(&hook)? else { continue };
            if !text.contains(BEGIN) {
                continue;
            }
            let after = without(&text).map(String::into_bytes);
            if after.is_none() && fs::symlink_metadata(kept(&hook.path)).is_ok() {
                plan.moved_last.push((kept(&hook.path), hook.path.clone()));
            }
            plan.edits.push(Edit { path: hook.path.clone(), before: Some(text.into_bytes()), after, mode: files::PROGRAM });
        }
        Ok(())
    }

    /// The hooks that start Portcullis, and those that do not.
    pub fn standing(&self) -> (Vec<&'static str>, Vec<&'static str>) {
        let (yes, no): (Vec<Wanted>, Vec<Wanted>) = self.wanted().partition(stands);
        let names = |hooks: Vec<Wanted>| hooks.iter().map(|hook| hook.name).collect();
        (names(yes), names(no))
    }
}

fn stands(hook: &Wanted) -> bool {
    let runs = fs::metadata(&hook.path).is_ok_and(|found| found.permissions().mode() & 0o111 != 0);
    // Husky's files are started by a shell, and need no mode.
    (runs || hook.shared) && matches!(state(hook), Ok(HookFile::Script(text)) if text.contains(BEGIN))
}

/// The file of a hook.
enum HookFile {
    Nothing,
    /// A shell script, or a text that git gives to the shell.
    Script(String),
    /// A link, another program, or a file that git does not run.
    Other,
}

fn state(hook: &Wanted) -> Result<HookFile, Refusal> {
    let refused = |error: io::Error| Refusal::new("no git hook was changed", format!("`{}`: {error}", hook.path.display()), "make it readable");
    let found = match fs::symlink_metadata(&hook.path) {
        Ok(found) => found,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => return Ok(HookFile::Nothing),
        Err(error) => return Err(refused(error)),
    };
    if !found.is_file() || (found.permissions().mode() & 0o111 == 0 && !hook.shared) {
        return Ok(HookFile::Other);
    }
    let Ok(text) = String::from_utf8(fs::read(&hook.path).map_err(refused)?) else { return Ok(HookFile::Other) };
    let script = match text.strip_prefix("#!") {
        None => !text.contains('\0'),
        Some(rest) => rest.split_once('\n').is_some_and(|(first, _)| is_shell(first)),
    };
    Ok(if script { HookFile::Script(text) } else { HookFile::Other })
}

/// Whether the words behind `#!` start a shell that reads the block.
fn is_shell(words: &str) -> bool {
    let mut words = words.split_whitespace().filter(|word| !word.starts_with('-')).map(|word| word.rsplit('/').next().unwrap_or(word));
    let first = words.next();
    let program = if first == Some("env") { words.next() } else { first };
    program.is_some_and(|program| SHELLS.contains(&program))
}

/// The text without the block. `None` if nothing else was in the file.
fn without(text: &str) -> Option<String> {
    let Some((front, rest)) = text.split_once(BEGIN) else { return Some(text.to_owned()) };
    let behind = rest.split_once(END).map_or("", |(_, behind)| behind);
    (front != SHELL || !behind.is_empty() || !rest.contains("exec ")).then(|| format!("{front}{behind}"))
}

fn kept(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(KEPT);
    PathBuf::from(name)
}

fn ours(path: &Path, before: &str, after: String) -> Edit {
    // A kept hook of before is still started.
    let after = if before.contains(KEPT) { before.to_owned() } else { after };
    Edit { path: path.to_path_buf(), before: Some(before.to_owned().into_bytes()), after: Some(after.into_bytes()), mode: files::PROGRAM }
}

/// The lines of Portcullis. `whole` means that the hook has no other lines.
fn block(call: &str, hook: &Wanted, whole: bool, options: &str) -> String {
    let Wanted { name, shared, .. } = hook;
    let run = format!("{call} {options}{name} \"$@\"");
    let lines = match (whole, TOLD.contains(name)) {
        (true, _) => format!("exec {run}\n"),
        (false, false) => format!("{run} || exit $?\n"),
        // Both get git's input.
        (false, true) => format!(
            "portcullis_told=$(cat)\nif [ -n \"$portcullis_told\" ]; then\nprintf '%s\\n' \"$portcullis_told\" | {run} || exit $?\nexec <<portcullis_end\n$portcullis_told\nportcullis_end\nelse\nexec </dev/null\nfi\n"
        ),
    };
    let lines = match (shared, whole) {
        (false, _) => lines,
        (true, true) if options.is_empty() => format!("command -v {PROGRAM} >/dev/null 2>&1 || exit 0\n{lines}"),
        (true, true) => format!("command -v {PROGRAM} >/dev/null 2>&1 || {{ [ ! -x \"$0{KEPT}\" ] || exec \"$0{KEPT}\" \"$@\"; exit 0; }}\n{lines}"),
        (true, false) => format!("if command -v {PROGRAM} >/dev/null 2>&1; then\n{lines}fi\n"),
    };
    let head = if whole { SHELL } else { "" };
    format!("{head}{BEGIN}{lines}{END}")
}
