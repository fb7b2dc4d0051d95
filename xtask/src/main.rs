//! The tasks of this repository, as `cargo xtask TASK`. Each task is a list of steps; a step is a command that can be
//! typed by hand, or a function of the module named after its subject.
#![expect(clippy::print_stdout, reason = "a task shows a person what it does")]

mod archive;
mod bench;
mod dist;
mod full;
mod hook;
mod installed;
mod order;
mod packages;
mod quick;
mod refresh;
mod release;
mod step;
mod workflows;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use step::Options;

#[derive(Parser)]
#[command(bin_name = "cargo xtask", about = "Checks, refreshes, measures and packs this repository", disable_help_subcommand = true)]
struct XtaskArguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Check what you just changed, in under 30 seconds when everything else is already built
    Quick {
        /// Check everything that changed since this commit or branch
        #[arg(long, value_name = "REF", default_value = "HEAD")]
        since: String,
        #[command(flatten)]
        options: Options,
    },
    /// Run everything that a change must pass; `.ci/run` calls this
    Full(Options),
    /// Write all generated files again, then show which of them changed
    Refresh(Options),
    /// Write the order of the hook's functions again, by following calls with valgrind
    Order,
    /// Build the release binaries, pack them into `dist/`, and make all packages
    Dist(dist::DistArguments),
    /// Make the packages of npm, Python, Debian, Homebrew and devcontainers out of archives that are there
    Packages(packages::PackagesArguments),
    /// Measure what a call costs and how the work grows; writes `docs/performance.md`
    Bench {
        #[command(flatten)]
        arguments: bench::BenchArguments,
        #[command(flatten)]
        options: Options,
    },
}

fn main() -> ExitCode {
    let result = match XtaskArguments::parse().task {
        Task::Quick { since, options } => quick::steps(&since).and_then(|steps| step::run(steps, &options)),
        Task::Full(options) => step::run(full::steps(), &options),
        Task::Refresh(options) => refresh::steps().and_then(|steps| step::run(steps, &options)),
        Task::Order => order::write(),
        Task::Dist(arguments) => dist::run(&arguments),
        Task::Packages(arguments) => packages::run(&arguments),
        Task::Bench { arguments, options } => step::run(bench::steps(&arguments), &options),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("\nfailed: {error:#}");
            ExitCode::FAILURE
        }
    }
}
