//! Names the target, the commit that is built, and the day of that commit, for `--version`. No time of the build: the same sources give
//! the same binary. Without git, or outside a clone, no commit is named.

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // What `install` says of a release that it takes as it is.
    println!("cargo::rustc-env=PORTCULLIS_TARGET={}", std::env::var("TARGET").unwrap_or_default());
    // A tree without a `.git` of its own can be within a clone of something else.
    if !Path::new(".git").exists() {
        return;
    }
    let git = |arguments: &[&str]| {
        let said = Command::new("git").args(arguments).output().ok().filter(|said| said.status.success())?;
        Some(String::from_utf8_lossy(&said.stdout).trim().to_owned()).filter(|said| !said.is_empty())
    };
    // The log of `HEAD` grows with each commit and each checkout.
    for path in ["HEAD", "logs/HEAD"].iter().filter_map(|name| git(&["rev-parse", "--git-path", name])) {
        // A file that is missing would make every build a new one.
        if Path::new(&path).exists() {
            println!("cargo::rerun-if-changed={path}");
        }
    }
    if let Some(commit) = git(&["-c", "core.abbrev=12", "show", "--no-patch", "--no-show-signature", "--format=commit %h, %cs", "HEAD"]) {
        println!("cargo::rustc-env=PORTCULLIS_COMMIT={commit}");
    }
}
