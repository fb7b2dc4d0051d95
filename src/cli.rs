//! The people's door: its arguments, and which command does what. Judges nothing.

pub mod compiling;
pub mod settings;

use std::process::ExitCode;

/// Runs the command line of this process.
#[must_use]
pub fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_some_and(|first| first == "hook") {
        let build = arguments.next().unwrap_or_default();
        let event = arguments.next();
        crate::door::cold(&build.to_string_lossy(), event.as_deref().and_then(|event| event.to_str()));
    }
    ExitCode::from(2)
}
