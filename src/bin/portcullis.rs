//! The door for people and CI, and the cold side of the hook. Decides nothing itself.

use std::process::ExitCode;

fn main() -> ExitCode {
    portcullis::cli::main()
}
