//! The cold binary. Under the name `portcullis-git`, or with the argument `git-hook`, it is what git's hooks start; otherwise
//! what people and CI call, and the cold side of the hook. Decides nothing itself.

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut words = std::env::args_os();
    let name = words.next();
    let for_git = name.as_deref().map(Path::new).and_then(Path::file_name).is_some_and(|name| name == portcullis::git::NAME);
    // Packages that can contain no link have a script of that name, which says so in the first argument.
    let by_script = words.next().is_some_and(|first| first == portcullis::git::BY_SCRIPT);
    if for_git || by_script { portcullis::git::main(usize::from(by_script)) } else { portcullis::cli::main() }
}
