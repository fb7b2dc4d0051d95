//! The process around a judgement: it prepares the answer to a crash, reads the input, hands over to the cold binary if
//! necessary, and writes the answer. `portcullis-hook` uses it, and `portcullis hook` for calls that were handed over.

use std::ffi::{OsStr, OsString};
use std::io::IsTerminal as _;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::answer::{self, HookAnswer};
use crate::call;
use crate::deep::{Deep, HandsOver, Stop};
use crate::failure::Failure;
use crate::world::World;
use crate::world::system::{self, Asked, LastWords, ReadFault, Said, Started};
use clients::{CLIENTS, Invocation, Moment, MomentKind};

/// Seconds that the hook may take where the wiring says nothing: older ones let the client wait for ten.
const USUAL_SECONDS: u32 = 8;
/// Milliseconds by which the cold binary must be done before the hook, and the hook's waiting for it before the hook's end.
const MARGIN: u32 = 300;
/// The word with which the cold binary's answer to the hook begins.
const MARK: &str = "portcullis-answer";
/// The largest answer that is taken.
const MAX_ANSWER: usize = 4 << 20;
/// The variables that the cold binary is started with, beside those of the clients. Others could change what its libraries
/// do.
const KEPT: &[&str] = &[
    "HOME",
    "XDG_CONFIG_HOME",
    "XDG_STATE_HOME",
    "TMPDIR",
    #[cfg(debug_assertions)]
    "PORTCULLIS_TEST_PASSWORD_HOME",
    #[cfg(debug_assertions)]
    "PORTCULLIS_TEST_ORGANISATION",
];

/// What a person reads who starts the hook.
const HELP: &str = "\
portcullis-hook: the program that a coding agent's client starts before each call. It reads one event as JSON from standard
input and writes one answer; it is not started by hand. `portcullis --help` lists the commands for people,
`portcullis init` adds the hook to a client's settings, and `portcullis explain -- COMMAND` shows what it would answer.
";

/// Says to a person what this program is, and ends the process. Only at a terminal is that a success: a client that starts
/// the hook in this way would take one for permission. Returns if this is no question of a person.
#[cold]
#[inline(never)]
pub fn explained(argument: Option<&OsStr>) {
    let asked = argument.is_some_and(|argument| ["-h", "--help", "-V", "--version"].iter().any(|known| argument == *known));
    let person = std::io::stdin().is_terminal();
    if asked || (argument.is_none() && person) {
        let text = if argument.is_some_and(|argument| argument == "-V" || argument == "--version") {
            format!("portcullis-hook {}\n", crate::BUILD)
        } else {
            HELP.to_owned()
        };
        let _ = system::write_all(if person { 1 } else { 2 }, text.as_bytes());
        system::exit(if person { 0 } else { 2 });
    }
}

/// The hook, as it was started.
pub fn hot(invocation: &Invocation, started: Started) -> ! {
    let milliseconds = invocation.seconds.unwrap_or(USUAL_SECONDS).saturating_mul(1000);
    let begun = system::since_boot();
    system::begin(begun);
    let end = begun + Duration::from_millis(milliseconds.into());
    let input = enter(invocation, milliseconds, HookAnswer::clone);
    let world = World::without_binaries(&|name| started.variable(name).map(OsStr::to_os_string));
    let answer = match call::answer(invocation, &input, &world, &HandsOver) {
        Ok(answer) => answer,
        Err(Stop::HandOver) => hand_over(invocation, &input, (begun, end)),
        Err(Stop::Failed(failure)) => failed(&failure, invocation),
    };
    give(&answer, invocation)
}

/// The cold side of the hook: `build` is the hook's, which gives up after some `milliseconds`, and has used some microseconds.
pub fn cold(build: &str, milliseconds: Option<u32>, used: Option<u32>, invocation: &Invocation, deep: &dyn Deep) -> ! {
    system::begin(system::since_boot().saturating_sub(Duration::from_micros(used.unwrap_or(0).into())));
    let deadline = milliseconds.unwrap_or(USUAL_SECONDS * 1000).saturating_sub(MARGIN).max(1);
    if build != crate::BUILD {
        // A hook of another build may take the answer as the client would, or pass it on.
        enter(invocation, deadline, HookAnswer::clone);
        let failure = Failure::BuildMismatch { hot: build.to_owned(), cold: crate::BUILD.to_owned() };
        give(&failed(&failure, invocation), invocation);
    }
    let input = enter(invocation, deadline, marked);
    system::limit_facts(Duration::from_millis(u64::from(deadline) / 2));
    let answer = call::answer(invocation, &input, &World::real(), deep);
    give(&marked(&answer.unwrap_or_else(|stop| failed(&Failure::from(stop), invocation))), invocation)
}

/// An answer in the form in which the cold binary gives it to the hook: a line with the mark, the build, the exit code and
/// the bytes of both texts, and then the texts.
fn marked(answer: &HookAnswer) -> HookAnswer {
    let HookAnswer { code, stdout, stderr, held } = answer;
    let line = format!("{MARK} {} {code} {} {}\n{stdout}{stderr}", crate::BUILD, stdout.len(), stderr.len());
    HookAnswer { code: 0, stdout: line, stderr: String::new(), held: *held }
}

/// The answer in what the cold binary gave back. `None` if it is anything else.
#[must_use]
pub fn unmarked(bytes: &[u8]) -> Option<HookAnswer> {
    let (line, texts) = std::str::from_utf8(bytes).ok()?.split_once('\n')?;
    let words: Vec<&str> = line.split(' ').collect();
    let [MARK, crate::BUILD, code, stdout, stderr] = words.as_slice() else { return None };
    let (stdout, rest) = texts.split_at_checked(stdout.parse().ok()?)?;
    let length: usize = stderr.parse().ok()?;
    (rest.len() == length).then(|| HookAnswer { code: code.parse().unwrap_or(2), stdout: stdout.to_owned(), stderr: rest.to_owned(), held: None })
}

/// The answer to a failure, as far as the command line tells whose event it is.
fn failed(failure: &Failure, invocation: &Invocation) -> HookAnswer {
    answer::to_failure(failure, invocation.named(), invocation.moment)
}

/// Sees to the last words, and reads the input. `form` is what becomes of an answer before it is written.
fn enter(invocation: &Invocation, deadline: u32, form: fn(&HookAnswer) -> HookAnswer) -> Vec<u8> {
    let (client, moment) = (invocation.named(), invocation.moment);
    let words = |what: &str| form(&failed(&Failure::Panic(what.to_owned()), invocation));
    let (crash, late) = (words("it crashed (a signal, or the stack overflowed)"), form(&failed(&Failure::Busy, invocation)));
    let code = crash.code;
    let [crash, late] = [crash, late].map(|answer| Said { stdout: answer.stdout.leak(), stderr: answer.stderr.leak() });
    // Under an emulator that counts instructions there is no time to keep; no build that is shipped looks for this.
    #[cfg(debug_assertions)]
    let deadline = if std::env::var_os("PORTCULLIS_TEST_NO_DEADLINE").is_some() { 0 } else { deadline };
    system::guard(LastWords { code, crash, late }, deadline);
    std::panic::set_hook(Box::new(move |panic| {
        let place = panic.location().map(|place| format!("{}:{}", place.file(), place.line())).unwrap_or_default();
        let answer = form(&answer::to_failure(&Failure::Panic(place), client, moment));
        let _ = system::write_all(1, answer.stdout.as_bytes());
        let _ = system::write_all(2, answer.stderr.as_bytes());
        system::exit(answer.code);
    }));
    match system::read_all(0, crate::MAX_INPUT) {
        Ok(input) => input,
        Err(fault) => {
            let failure = match fault {
                ReadFault::Closed(_) => Failure::InputClosed,
                ReadFault::TooLarge { .. } => Failure::InputTooLarge,
            };
            give(&form(&failed(&failure, invocation)), invocation)
        }
    }
}

/// The cold binary's answer, or that to a failure of it. The hook began and ends at these times after the start of the machine.
#[cold]
#[inline(never)]
fn hand_over(invocation: &Invocation, input: &[u8], (begun, end): (Duration, Duration)) -> HookAnswer {
    let Some(folder) = system::own_folder() else {
        return failed(&Failure::ColdMissing { path: "portcullis".to_owned(), why: "the hook does not know its own folder".to_owned() }, invocation);
    };
    let program = folder.join("portcullis");
    let path = || program.display().to_string();
    // Should the waiting itself fail, the hook's own deadline ends it.
    let now = system::since_boot();
    let left = end.saturating_sub(now);
    let left = left.checked_sub(Duration::from_millis(MARGIN.into())).unwrap_or(left);
    match start(&program, invocation, input, (now.saturating_sub(begun), left)) {
        Err(error) => failed(&Failure::ColdMissing { path: path(), why: error.to_string() }, invocation),
        Ok(mut asked) => match unmarked(&asked.output).filter(|_| !asked.late) {
            Some(answer) => answer,
            None => {
                let ended = asked.end();
                // On a busy machine it says so itself, before that.
                let why = if asked.late { "it did not end in time".to_owned() } else { ended };
                failed(&Failure::ColdFailed { path: path(), why }, invocation)
            }
        },
    }
}

/// Starts the cold binary, which may take the time that is `left`; the hook `used` some before.
fn start(program: &Path, invocation: &Invocation, input: &[u8], (used, left): (Duration, Duration)) -> std::io::Result<Asked> {
    let until = Instant::now() + left;
    let (left, used) = (left.as_millis().to_string(), used.as_micros().to_string());
    let mut args: Vec<&OsStr> = vec![OsStr::new("portcullis"), OsStr::new("hook"), OsStr::new(crate::BUILD), OsStr::new(&left), OsStr::new(&used)];
    args.extend([invocation.event, invocation.client].into_iter().flatten().map(OsStr::new));
    let kept = KEPT.iter().copied().chain(CLIENTS.iter().flat_map(|client| client.variables().names()));
    let env: Vec<(OsString, OsString)> = kept.filter_map(|name| Some((OsString::from(name), std::env::var_os(name)?))).collect();
    system::ask(program, &args, env, input, MAX_ANSWER, until)
}

/// Writes the answer and ends the process. An answer that cannot be written is a failure of its own: a denial keeps its
/// exit code, and nothing else may look like one.
fn give(answer: &HookAnswer, invocation: &Invocation) -> ! {
    let written = system::write_all(1, answer.stdout.as_bytes()).and_then(|()| system::write_all(2, answer.stderr.as_bytes()));
    let lost = written.is_err() || (!answer.stdout.is_empty() && system::is_null_device(1));
    if lost && answer.code == 0 && !answer.stdout.is_empty() {
        // The question or the JSON denial is lost; exit 2 is what is left to say it with.
        let failure = answer::to_failure(&Failure::AnswerUnwritable, invocation.named(), Moment::Unknown);
        let _ = system::write_all(2, failure.stderr.as_bytes());
        system::exit(if invocation.moment.kind() == MomentKind::Observing { 0 } else { 2 });
    }
    system::exit(answer.code)
}
