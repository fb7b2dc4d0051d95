//! Git's door: refs on standard input, an exit code for git. Decides nothing itself.

use std::process::ExitCode;

fn main() -> ExitCode {
    portcullis::git::main()
}
