//! The process around a judgement: it prepares the answer to a crash, reads the input, hands over to the cold binary if
//! necessary, and writes the answer. `portcullis-hook` uses it, and `portcullis hook` for calls that were handed over.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use crate::answer::{self, HookAnswer};
use crate::call;
use crate::deep::{Deep, HandsOver, Stop};
use crate::failure::Failure;
use crate::world::World;
use crate::world::system::{self, LastWords, ReadFault, Said};
use clients::{CLIENTS, Invocation, Moment, MomentKind};

/// Milliseconds after which the hook gives up. The client waits ten seconds.
const HOT_DEADLINE: u32 = 3_000;
/// Milliseconds after which the cold binary gives up.
const COLD_DEADLINE: u32 = 6_000;
/// The variables that the cold binary is started with, beside those of the clients. Others could change what its libraries
/// do.
const KEPT: &[&str] = &[
    "HOME",
    "XDG_CONFIG_HOME",
    "XDG_STATE_HOME",
    "TMPDIR",
    #[cfg(debug_assertions)]
    "PORTCULLIS_TEST_PASSWORD_HOME",
];

/// The hook.
pub fn hot(invocation: &Invocation) -> ! {
    let input = enter(invocation, HOT_DEADLINE);
    let world = World::real();
    let answer = match call::answer(invocation, &input, &world, &HandsOver) {
        Ok(answer) => answer,
        Err(Stop::HandOver) => hand_over(invocation, &input, &world),
        Err(Stop::Failed(failure)) => failed(&failure, invocation),
    };
    give(&answer, invocation)
}

/// The cold side of the hook: `build` is the hook's.
pub fn cold(build: &str, invocation: &Invocation, deep: &dyn Deep) -> ! {
    let input = enter(invocation, COLD_DEADLINE);
    if build != crate::BUILD {
        let failure = Failure::BuildMismatch { hot: build.to_owned(), cold: crate::BUILD.to_owned() };
        give(&failed(&failure, invocation), invocation);
    }
    let answer = call::answer(invocation, &input, &World::real(), deep);
    give(&answer.unwrap_or_else(|stop| failed(&Failure::from(stop), invocation)), invocation)
}

/// The answer to a failure, as far as the command line tells whose event it is.
fn failed(failure: &Failure, invocation: &Invocation) -> HookAnswer {
    answer::to_failure(failure, invocation.named(), invocation.moment)
}

/// Sees to the last words, and reads the input.
fn enter(invocation: &Invocation, deadline: u32) -> Vec<u8> {
    let (client, moment) = (invocation.named(), invocation.moment);
    let words = |what: &str| failed(&Failure::Panic(what.to_owned()), invocation);
    let (crash, late) = (words("it crashed (a signal, or the stack overflowed)"), words("it did not come to an end in time"));
    let code = crash.code;
    let [crash, late] = [crash, late].map(|answer| Said { stdout: answer.stdout.leak(), stderr: answer.stderr.leak() });
    // Under an emulator that counts instructions there is no time to keep; no build that is shipped looks for this.
    #[cfg(debug_assertions)]
    let deadline = if std::env::var_os("PORTCULLIS_TEST_NO_DEADLINE").is_some() { 0 } else { deadline };
    system::guard(LastWords { code, crash, late }, deadline);
    std::panic::set_hook(Box::new(move |panic| {
        let place = panic.location().map(|place| format!("{}:{}", place.file(), place.line())).unwrap_or_default();
        let answer = answer::to_failure(&Failure::Panic(place), client, moment);
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
            give(&failed(&failure, invocation), invocation)
        }
    }
}

/// Replaces this process by the cold binary; comes back only with the answer to a failure.
fn hand_over(invocation: &Invocation, input: &[u8], world: &World) -> HookAnswer {
    let Some(folder) = &world.binaries else {
        return failed(&Failure::ColdMissing { path: "portcullis".to_owned(), why: "the hook does not know its own folder".to_owned() }, invocation);
    };
    let program = folder.join("portcullis");
    let why = start(&program, invocation, input);
    failed(&Failure::ColdMissing { path: program.display().to_string(), why }, invocation)
}

fn start(program: &Path, invocation: &Invocation, input: &[u8]) -> String {
    let mut args: Vec<&OsStr> = vec![OsStr::new("portcullis"), OsStr::new("hook"), OsStr::new(crate::BUILD)];
    args.extend([invocation.event, invocation.client].into_iter().flatten().map(OsStr::new));
    let kept = KEPT.iter().copied().chain(CLIENTS.iter().flat_map(|client| client.variables().names()));
    let env: Vec<(OsString, OsString)> = kept.filter_map(|name| Some((OsString::from(name), std::env::var_os(name)?))).collect();
    system::hand_over(program, &args, &env, input).to_string()
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
