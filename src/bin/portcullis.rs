//! The cold binary. Under the name `portcullis-git` it is what git's hooks start; under any other, what people and CI
//! call, and the cold side of the hook. Decides nothing itself.

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let name = std::env::args_os().next();
    let for_git = name.as_deref().map(Path::new).and_then(Path::file_name).is_some_and(|name| name == portcullis::git::NAME);
    if for_git { portcullis::git::main() } else { portcullis::cli::main() }
}
