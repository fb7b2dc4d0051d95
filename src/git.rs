//! `portcullis-git HOOK`, which git starts as a hook of the repository. The exit code is the answer: 0 allows, 1 denies, 2
//! says that the command line is wrong. Judges nothing itself.

mod approved;
pub mod beside;
pub mod block;
pub mod commit;
mod push;
mod refs;

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::ExitCode;

use crate::cli::terminal::{agent, say, tell};
use crate::deep::pusher;
use crate::git::commit::{CommitMoment, Hook};
use actions::shown::escaped_lines;
use gate::BUILD;
use gate::failure::{self, Failure};
use gate::world::World;
use gate::world::system::{self, ReadFault};
pub use push::{Ruling, pushed};
pub use refs::refs_moved;

/// The name under which git's hooks start the cold binary.
pub const NAME: &str = "portcullis-git";
/// The first argument by which a script of that name starts the cold binary.
pub const BY_SCRIPT: &str = "git-hook";

/// What `--help` says.
const HELP: &str = "\
Portcullis as a git hook: checks what is committed and pushed, whoever runs git.

Usage: portcullis-git [--alone] [--then PROGRAM] HOOK [ARGUMENT]...

Git starts it as its hook, with git's own arguments and input (githooks(5)). `portcullis init --git` writes the hooks:
    #!/bin/sh
    exec portcullis-git pre-push \"$@\"

Hooks:
  pre-commit                   checks what is staged
  pre-merge-commit             checks what a merge itself adds
  prepare-commit-msg FILE      adds the suggestions that the commit resolves, if the policy has a flywheel
  commit-msg FILE              checks the message and the author
  post-commit                  reports a commit that skipped its hooks, and resolves suggestions
  post-merge FLAG              resolves suggestions by what a merge brings
  pre-push REMOTE [URL]        checks the refs, and the commits that are pushed
  reference-transaction STATE  checks moves of protected branches

Exit codes: 0 allowed; 1 denied, or could not be judged; 2 the command line is wrong.

Options:
      --alone         Nothing else is in the hook: start git-lfs and git-annex as their own hooks would
      --then PROGRAM  Run this program as the hook too, after Portcullis allowed the action
  -h, --help          Print help
  -V, --version       Print version";

/// The argument by which `portcullis doctor` starts a hook to see who answers. The answer to it is never a success.
pub const CANARY: &str = "--portcullis-canary";

/// The answer to [`CANARY`].
pub fn canary(hook: &str) -> String {
    format!("portcullis-git {hook} {BUILD}")
}

/// The longest answer to a question that is read.
const MAX_ANSWER: u64 = 64;

/// Runs the command line of this process, without so many of its first arguments.
pub fn main(skipped: usize) -> ExitCode {
    system::begin(system::since_boot());
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(|place| format!("{}:{}", place.file(), place.line())).unwrap_or_default();
        tell(&failure::text(&Failure::Panic(place)));
        system::exit(1);
    }));
    let mut arguments: Vec<OsString> = std::env::args_os().skip(1 + skipped).collect();
    let alone = arguments.first().is_some_and(|first| first == "--alone");
    arguments.drain(..usize::from(alone));
    let then = (arguments.first().is_some_and(|first| first == "--then") && arguments.len() > 1).then(|| arguments.drain(..2).nth(1)).flatten();
    let hook = if arguments.is_empty() { OsString::new() } else { arguments.remove(0) };
    let name = hook.to_string_lossy();
    if block::HOOKS.contains(&&*name) && arguments.first().is_some_and(|first| first == CANARY) {
        // Whoever looks whether git starts this hook; nothing behind it must run.
        say(&canary(&name));
        return ExitCode::FAILURE;
    }
    let input = match (&*name, arguments.as_slice()) {
        ("-h" | "--help", _) => return said(HELP),
        ("-V" | "--version", _) => return said(&format!("portcullis-git {BUILD}")),
        ("pre-push", [] | [_] | [_, _]) | ("reference-transaction", [_]) => lines(),
        ("pre-commit" | "pre-merge-commit" | "post-commit", []) | ("commit-msg" | "post-merge", [_]) | ("prepare-commit-msg", [_, ..]) => Ok(Vec::new()),
        ("pre-push", _) => return misused("`pre-push` takes the remote and its address, and nothing else"),
        ("commit-msg", _) => return misused("`commit-msg` takes the file with the message, and nothing else"),
        ("prepare-commit-msg", _) => return misused("`prepare-commit-msg` takes the file with the message"),
        ("reference-transaction", _) => return misused("`reference-transaction` takes the state, and nothing else"),
        ("post-merge", _) => return misused("`post-merge` takes one word"),
        ("pre-commit" | "pre-merge-commit" | "post-commit", _) => return misused(&format!("`{name}` takes nothing")),
        ("", _) => return misused("the name of a hook is missing"),
        _ => return misused(&format!("the hook `{name}` is not supported by this version")),
    };
    if name == "prepare-commit-msg" {
        trailers(arguments.first().map(Path::new));
    }
    let first = arguments.first().map(|argument| argument.to_string_lossy().into_owned());
    let judged = input.and_then(|input| Ok((judged(&name, first.as_deref(), &input)?, input)));
    match judged {
        Ok((held, input)) if goes_on(&held, &name) => {
            if matches!(&*name, "post-commit" | "post-merge") {
                documents(name == "post-commit");
            }
            if let Some(code) = alone.then(|| beside::gave_way(&name, &arguments, &input)).flatten() {
                return code;
            }
            then.map_or(ExitCode::SUCCESS, |program| beside::chained(&program, &name, &arguments, &input))
        }
        Ok(_) => ExitCode::FAILURE,
        Err(failure) => {
            tell(&failure::text(&failure));
            ExitCode::FAILURE
        }
    }
}

/// Adds the ids of the suggestions that a commit resolves to its message. A failure is ignored: the message belongs to the
/// person.
fn trailers(file: Option<&Path>) {
    let trailed = || {
        let file = std::env::current_dir().ok()?.join(file?);
        let message = fs::read_to_string(&file).ok()?;
        let trailed = crate::documents::trailed(&World::real(), &std::env::current_dir().ok()?, &message)?;
        fs::write(file, trailed).ok()
    };
    let _ = trailed();
}

/// Updates the suggestions for new commits. A person sees the result here, an agent with its next call.
fn documents(committed: bool) {
    let told = std::env::current_dir().ok().and_then(|cwd| crate::documents::committed(&World::real(), &cwd, committed));
    if let Some(told) = told.filter(|_| agent().is_none()) {
        tell(&told);
    }
}

fn said(text: &str) -> ExitCode {
    say(text);
    ExitCode::SUCCESS
}

fn misused(why: &str) -> ExitCode {
    tell(&format!("portcullis-git: {why}\nusage: portcullis-git HOOK [ARGUMENT]... (`--help` lists the hooks)"));
    ExitCode::from(2)
}

fn judged(hook: &str, first: Option<&str>, input: &[u8]) -> Result<Ruling, Failure> {
    // Git says `aborted` and `committed` of each transaction too, when nothing can be stopped any more.
    if matches!(hook, "prepare-commit-msg" | "post-merge") || (hook == "reference-transaction" && first != Some("prepared")) {
        return Ok(Ruling::GoesOn);
    }
    let cwd = std::env::current_dir().map_err(|_| Failure::FolderUnknown)?;
    let (world, person) = (World::real(), agent().is_none());
    let moment = match hook {
        "pre-push" => return pushed(first, input, &pusher::commands(), person, &world, &cwd),
        "reference-transaction" => return refs_moved(input, &pusher::commands(), person, &world, &cwd),
        "post-commit" => CommitMoment::After,
        "commit-msg" => {
            let file = cwd.join(first.unwrap_or_default());
            let text = fs::read(&file).map_err(|error| Failure::Unreadable { path: file.display().to_string(), why: error.to_string() })?;
            CommitMoment::Message(String::from_utf8_lossy(&text).into_owned())
        }
        _ => CommitMoment::Before,
    };
    Hook { name: hook, world: &world, cwd: &cwd, person }.judged(&moment)
}

/// True if git may continue. Prints the reason if it must not.
fn goes_on(held: &Ruling, hook: &str) -> bool {
    match held {
        Ruling::GoesOn => true,
        Ruling::Tells(note) => {
            tell(note);
            true
        }
        Ruling::Refused(refusal) => {
            tell(refusal);
            false
        }
        Ruling::Asks { question, refusal } => match agreed(question) {
            Some(true) => true,
            Some(false) => {
                tell(if hook == "pre-push" { "not pushed" } else { "nothing was changed" });
                false
            }
            None => {
                tell(refusal);
                false
            }
        },
    }
}

fn lines() -> Result<Vec<u8>, Failure> {
    system::read_all(0, gate::MAX_INPUT).map_err(|fault| match fault {
        ReadFault::Closed(_) => Failure::PushUnreadable("standard input is closed".to_owned()),
        ReadFault::TooLarge { .. } => Failure::PushUnreadable("it is larger than the limit; push fewer refs at a time".to_owned()),
    })
}

/// Asks at the terminal; every answer but yes is a no. `None` if there is no terminal. Standard input belongs to git.
fn agreed(question: &str) -> Option<bool> {
    let mut terminal = OpenOptions::new().read(true).write(true).open("/dev/tty").ok()?;
    write!(terminal, "{}\nallow it? [y/N] ", escaped_lines(question)).ok()?;
    let mut answer = String::new();
    BufReader::new(terminal.take(MAX_ANSWER)).read_line(&mut answer).ok()?;
    Some(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}
