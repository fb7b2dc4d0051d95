//! What a call costs, as a ratio to a program that does nothing, built for the same target with the same profile.
//!
//! `cargo test` measures the hook it has built. `.ci/run` sets two variables to measure the hook as it is shipped:
//! `PORTCULLIS_HOOK` (its path) and `PORTCULLIS_TARGET` (what it was built for). Runs are interleaved, so that a busy
//! machine slows all of them.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::support::{Scratch, hook_path, json};

/// Rounds; each runs every program once.
const ROUNDS: usize = 150;
/// The hook of a test build is not optimised, and carries what the cold binary needs.
const MOST_IN_A_TEST_BUILD: f64 = 25.0;
/// The shipped hook. Machines differ; a new dependency on the hot path costs more than they do.
const MOST_AS_SHIPPED: f64 = 10.0;

/// A program that does nothing.
fn empty(folder: &Path, target: Option<&str>) -> PathBuf {
    let source = folder.join("empty.rs");
    fs::write(&source, "fn main() {}\n").unwrap();
    let program = folder.join("empty");
    let mut rustc = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    rustc.arg(&source).arg("-o").arg(&program).args(["--edition", "2024", "-C", "panic=abort"]);
    if let Some(target) = target {
        rustc.args(["--target", target, "-C", "opt-level=3", "-C", "lto=fat", "-C", "codegen-units=1", "-C", "strip=symbols"]);
    }
    let output = rustc.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    program
}

/// One run: a name, a program, its argument and what is on its standard input.
struct Run {
    name: &'static str,
    program: PathBuf,
    input: PathBuf,
    code: i32,
}

fn microseconds(run: &Run, scratch: &Scratch) -> f64 {
    let mut command = scratch.command(&run.program.to_string_lossy());
    command.arg("PreToolUse").stdin(File::open(&run.input).unwrap()).stdout(Stdio::null()).stderr(Stdio::null());
    let begun = Instant::now();
    let status = command.status().unwrap();
    let took = begun.elapsed();
    assert_eq!(status.code(), Some(run.code), "{}", run.name);
    took.as_secs_f64() * 1e6
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

#[expect(clippy::print_stdout, reason = "the figures are what this is for; `--nocapture` shows them")]
fn say(table: &str) {
    println!("{table}");
}

#[test]
fn a_call_costs_little_more_than_a_process() {
    let scratch = Scratch::new();
    let shipped = std::env::var_os("PORTCULLIS_HOOK").map(PathBuf::from);
    let target = std::env::var("PORTCULLIS_TARGET").ok();
    let hook = shipped.clone().unwrap_or_else(|| PathBuf::from(hook_path()));
    let hook = fs::canonicalize(&hook).unwrap_or_else(|error| panic!("{}: {error}", hook.display()));
    let nothing = empty(&scratch.home(), target.as_deref().filter(|_| shipped.is_some()));
    let keep = |name: &str, text: &str| {
        let path = scratch.home().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let bash = |command: &str| scratch.payload("Bash", &format!(r#"{{"command":{}}}"#, json(command)), "default");
    let harmless = keep("harmless", &bash("git status --short"));
    let denied = keep("denied", &bash("git push --force origin main"));
    let file = json(&"let answer = question(\"life\"); // and so on\n".repeat(1_100));
    let path = json(&scratch.repo().join("src/long.rs").to_string_lossy());
    let write = keep("write", &scratch.payload("Write", &format!(r#"{{"file_path":{path},"content":{file}}}"#), "default"));
    let runs = [
        Run { name: "an empty program", program: nothing, input: harmless.clone(), code: 0 },
        Run { name: "/bin/true", program: PathBuf::from("/bin/true"), input: harmless.clone(), code: 0 },
        Run { name: "a harmless command", program: hook.clone(), input: harmless, code: 0 },
        Run { name: "a denied command", program: hook.clone(), input: denied, code: 2 },
        Run { name: "a write of 50 kB", program: hook, input: write, code: 0 },
    ];
    let runs: Vec<&Run> = runs.iter().filter(|run| run.program.exists()).collect();
    let mut took: Vec<Vec<f64>> = vec![Vec::new(); runs.len()];
    for round in 0..ROUNDS {
        for step in 0..runs.len() {
            // Each round begins with another one.
            let at = (round + step) % runs.len();
            took[at].push(microseconds(runs[at], &scratch));
        }
    }
    let floor = median(took[0].clone());
    let mut table = String::new();
    let mut most: f64 = 0.0;
    for (run, took) in runs.iter().zip(took) {
        let middle = median(took);
        let _ = writeln!(table, "{:<22} {middle:>8.0} us {:>6.2}", run.name, middle / floor);
        if run.name != "/bin/true" {
            most = most.max(middle / floor);
        }
    }
    say(&table);
    let limit = if shipped.is_some() { MOST_AS_SHIPPED } else { MOST_IN_A_TEST_BUILD };
    assert!(most < limit, "a call costs {most:.2} times an empty program:\n{table}");
}
