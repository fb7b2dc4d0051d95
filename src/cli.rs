//! The people's door: its arguments, and which command does what. Judges nothing.

pub mod canary;
pub mod check;
pub mod doctor;
pub mod explain;
pub mod files;
pub mod flywheel;
pub mod init;
pub mod install;
pub mod log;
pub mod pause;
pub mod place;
pub mod policy;
pub mod refusal;
pub mod settings;
pub mod terminal;
pub mod test;
pub mod wired;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use gate::BUILD;

/// The gate between coding agents and the things that cannot be taken back.
#[derive(Parser)]
#[command(name = "portcullis", version = BUILD, disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build and install the binaries, and show a refused force push
    Install(install::Arguments),
    /// Wire the gate into the settings of Claude Code
    Init(init::Arguments),
    /// Judge what is staged, all files, or each commit of a range
    Check(check::Arguments),
    /// Say what is understood of a command, which rules look at it, and what is concluded
    Explain(explain::Arguments),
    /// Run every rule's examples
    Test(test::Arguments),
    /// Let everything go on for a while; a person does this on a terminal
    Pause(pause::Arguments),
    /// Look whether the gate stands
    Doctor(doctor::Arguments),
    /// Show what was decided here
    Log(log::Arguments),
    /// Show what is worth writing down, and settle it
    Flywheel(flywheel::Arguments),
    /// List the policy that holds here
    Policy(policy::Arguments),
}

/// Runs the command line of this process.
///
/// Exit codes: 0 done; 1 it was done and what was found is not well, or it could not be done; 2 the command line is
/// wrong; 3 nothing could be judged.
pub fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    // Not one of the commands for people: the hot door becomes this one, and waits.
    if arguments.next().is_some_and(|first| first == "hook") {
        let build = arguments.next().unwrap_or_default();
        let event = arguments.next();
        gate::hook::cold(&build.to_string_lossy(), event.as_deref().and_then(|event| event.to_str()), &crate::deep::Cold);
    }
    let done = match Arguments::parse().command {
        Command::Install(arguments) => install::run(&arguments),
        Command::Init(arguments) => init::run(&arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Test(arguments) => test::run(&arguments),
        Command::Pause(arguments) => pause::run(&arguments),
        Command::Doctor(arguments) => doctor::run(&arguments),
        Command::Log(arguments) => log::run(&arguments),
        Command::Flywheel(arguments) => flywheel::run(&arguments),
        Command::Policy(arguments) => policy::run(&arguments),
    };
    done.unwrap_or_else(|refusal| {
        terminal::tell(&refusal.to_string());
        ExitCode::from(refusal.code)
    })
}

#[cfg(test)]
mod tests;
