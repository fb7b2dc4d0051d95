//! The process around a judgement: it prepares the answer to a crash, reads the input, hands over to the cold binary if
//! necessary, and writes the answer. `portcullis-hook` uses it, and `portcullis hook` for calls that were handed over.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use crate::answer::{self, Answer};
use crate::call;
use crate::deep::{Deep, HandsOver, Stop};
use crate::failure::Failure;
use crate::world::World;
use crate::world::system::{self, LastWords, ReadFault, Said};
use clients::Kind;

/// Milliseconds after which the hook gives up. The client waits ten seconds.
const HOT_DEADLINE: u32 = 3_000;
/// Milliseconds after which the cold binary gives up.
const COLD_DEADLINE: u32 = 6_000;
/// The variables that the cold binary is started with. Others could change what its libraries do.
const KEPT: &[&str] = &[
    "HOME",
    "XDG_CONFIG_HOME",
    "XDG_STATE_HOME",
    "TMPDIR",
    "CLAUDE_PROJECT_DIR",
    "CLAUDE_PLUGIN_ROOT",
    "CLAUDE_CONFIG_DIR",
    "CLAUDE_CODE_SESSION_ATTENDED",
    "CLAUDECODE",
    #[cfg(debug_assertions)]
    "PORTCULLIS_TEST_PASSWORD_HOME",
];

/// The hook: `argument` is the event's name on the command line.
pub fn hot(argument: Option<&str>) -> ! {
    let input = enter(argument, HOT_DEADLINE);
    let world = World::real();
    let answer = match call::answer(argument, &input, &world, &HandsOver) {
        Ok(answer) => answer,
        Err(Stop::HandOver) => hand_over(argument, &input, &world),
        Err(Stop::Failed(failure)) => answer::to_failure(&failure, kind(argument)),
    };
    give(&answer, argument)
}

/// The cold side of the hook: `build` is the hook's.
pub fn cold(build: &str, argument: Option<&str>, deep: &dyn Deep) -> ! {
    let input = enter(argument, COLD_DEADLINE);
    if build != crate::BUILD {
        let failure = Failure::BuildMismatch { hot: build.to_owned(), cold: crate::BUILD.to_owned() };
        give(&answer::to_failure(&failure, kind(argument)), argument);
    }
    let answer = call::answer(argument, &input, &World::real(), deep);
    give(&answer.unwrap_or_else(|stop| answer::to_failure(&Failure::from(stop), kind(argument))), argument)
}

/// The event's kind, as far as the command line tells. Without an argument the worst is assumed.
fn kind(argument: Option<&str>) -> Kind {
    argument.map_or(Kind::Guarding, Kind::of)
}

/// Sees to the last words, and reads the input.
fn enter(argument: Option<&str>, deadline: u32) -> Vec<u8> {
    let kind = kind(argument);
    let words = |what: &str| answer::to_failure(&Failure::Panic(what.to_owned()), kind);
    let (crash, late) = (words("it crashed (a signal, or the stack overflowed)"), words("it did not come to an end in time"));
    let code = crash.code;
    let [crash, late] = [crash, late].map(|answer| Said { stdout: answer.stdout.leak(), stderr: answer.stderr.leak() });
    // Under an emulator that counts instructions there is no time to keep; no build that is shipped looks for this.
    #[cfg(debug_assertions)]
    let deadline = if std::env::var_os("PORTCULLIS_TEST_NO_DEADLINE").is_some() { 0 } else { deadline };
    system::guard(LastWords { code, crash, late }, deadline);
    std::panic::set_hook(Box::new(move |panic| {
        let place = panic.location().map(|place| format!("{}:{}", place.file(), place.line())).unwrap_or_default();
        let answer = answer::to_failure(&Failure::Panic(place), kind);
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
            give(&answer::to_failure(&failure, kind), argument)
        }
    }
}

/// Replaces this process by the cold binary; comes back only with the answer to a failure.
fn hand_over(argument: Option<&str>, input: &[u8], world: &World) -> Answer {
    let Some(folder) = &world.binaries else {
        return answer::to_failure(
            &Failure::ColdMissing { path: "portcullis".to_owned(), why: "the hook does not know its own folder".to_owned() },
            kind(argument),
        );
    };
    let program = folder.join("portcullis");
    let why = start(&program, argument, input);
    answer::to_failure(&Failure::ColdMissing { path: program.display().to_string(), why }, kind(argument))
}

fn start(program: &Path, argument: Option<&str>, input: &[u8]) -> String {
    let mut args: Vec<&OsStr> = vec![OsStr::new("portcullis"), OsStr::new("hook"), OsStr::new(crate::BUILD)];
    args.extend(argument.map(OsStr::new));
    let env: Vec<(OsString, OsString)> = KEPT.iter().filter_map(|name| Some((OsString::from(name), std::env::var_os(name)?))).collect();
    system::hand_over(program, &args, &env, input).to_string()
}

/// Writes the answer and ends the process. An answer that cannot be written is a failure of its own: a denial keeps its
/// exit code, and nothing else may look like one.
fn give(answer: &Answer, argument: Option<&str>) -> ! {
    let written = system::write_all(1, answer.stdout.as_bytes()).and_then(|()| system::write_all(2, answer.stderr.as_bytes()));
    let lost = written.is_err() || (!answer.stdout.is_empty() && system::is_null_device(1));
    if lost && answer.code == 0 && !answer.stdout.is_empty() {
        // The question or the JSON denial is lost; exit 2 is what is left to say it with.
        let failure = answer::to_failure(&Failure::AnswerUnwritable, Kind::Guarding);
        let _ = system::write_all(2, failure.stderr.as_bytes());
        system::exit(if kind(argument) == Kind::Observing { 0 } else { 2 });
    }
    system::exit(answer.code)
}
