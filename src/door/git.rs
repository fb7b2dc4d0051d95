//! Git's door: `portcullis-git HOOK`, started by git as a hook of the repository. What git is told is the exit code: 0
//! lets it go on, 1 stops it, 2 says that the command line is wrong. Judges nothing itself.

use std::ffi::{OsStr, OsString};
use std::fs::OpenOptions;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::ExitCode;

use crate::BUILD;
use crate::cli::terminal::{agent, say, tell};
use crate::failure::{self, Failure};
use crate::pipeline::{self, Pushed};
use crate::world::system::{self, ReadFault};
use crate::world::{World, pusher};

/// What `--help` says.
const HELP: &str = "\
The gate at git's own door: stops what cannot be taken back, whoever asks git for it.

Usage: portcullis-git pre-push [REMOTE [URL]]

Git starts it as `.git/hooks/pre-push`, with the refs on standard input (githooks(5)):
    #!/bin/sh
    exec portcullis-git pre-push \"$@\"

Exit codes: 0 the push goes on; 1 it is refused, or could not be judged; 2 the command line is wrong.

Options:
  -h, --help     Print help
  -V, --version  Print version";

/// The longest answer to a question that is read.
const MAX_ANSWER: u64 = 64;

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(|place| format!("{}:{}", place.file(), place.line())).unwrap_or_default();
        tell(&failure::text(&Failure::Panic(place)));
        system::exit(1);
    }));
    let mut arguments = std::env::args_os().skip(1);
    let hook = arguments.next().unwrap_or_default();
    let rest: Vec<OsString> = arguments.collect();
    match (hook.to_str(), rest.as_slice()) {
        (Some("-h" | "--help"), _) => say(HELP),
        (Some("-V" | "--version"), _) => say(&format!("portcullis-git {BUILD}")),
        (Some("pre-push"), [] | [_] | [_, _]) => return pre_push(rest.first().map(OsString::as_os_str)),
        (Some("pre-push"), _) => return misused("`pre-push` takes the remote and its address, and nothing else"),
        (Some(""), _) => return misused("the name of a hook is missing"),
        _ => return misused(&format!("the hook `{}` is not supported by this version", hook.to_string_lossy())),
    }
    ExitCode::SUCCESS
}

fn misused(why: &str) -> ExitCode {
    tell(&format!("portcullis-git: {why}\nusage: portcullis-git pre-push [REMOTE [URL]]"));
    ExitCode::from(2)
}

fn pre_push(remote: Option<&OsStr>) -> ExitCode {
    let remote = remote.map(OsStr::to_string_lossy);
    let judged = lines().and_then(|lines| {
        let cwd = std::env::current_dir().map_err(|_| Failure::FolderUnknown)?;
        pipeline::pushed(remote.as_deref(), &lines, &pusher::commands(), &World::real(), &cwd)
    });
    let refusal = match judged {
        Ok(Pushed::GoesOn) => return ExitCode::SUCCESS,
        Ok(Pushed::Refused(refusal)) => refusal,
        Ok(Pushed::Asks { question, refusal }) => match agreed(&question) {
            Some(true) => return ExitCode::SUCCESS,
            Some(false) => "not pushed".to_owned(),
            None => refusal,
        },
        Err(failure) => failure::text(&failure),
    };
    tell(&refusal);
    ExitCode::FAILURE
}

fn lines() -> Result<Vec<u8>, Failure> {
    system::read_all(0, pipeline::MAX_INPUT).map_err(|fault| match fault {
        ReadFault::Closed(_) => Failure::PushUnreadable("standard input is closed".to_owned()),
        ReadFault::TooLarge { .. } => Failure::PushUnreadable("there is more of it than the gate reads; push fewer refs at a time".to_owned()),
    })
}

/// Asks on the terminal; whatever is not a yes is a no. None: nobody can be asked, for an agent runs this process or it
/// has no terminal. Standard input is git's.
fn agreed(question: &str) -> Option<bool> {
    if agent().is_some() {
        return None;
    }
    let mut terminal = OpenOptions::new().read(true).write(true).open("/dev/tty").ok()?;
    write!(terminal, "{question}\npush all the same? [y/N] ").ok()?;
    let mut answer = String::new();
    BufReader::new(terminal.take(MAX_ANSWER)).read_line(&mut answer).ok()?;
    Some(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}
