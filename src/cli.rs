//! The command line `portcullis`: its arguments, and which function runs which command. Judges nothing.

pub mod approvals;
pub mod approve;
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
pub mod phase;
pub mod place;
pub mod policy;
pub mod refusal;
pub mod replay;
pub mod report;
pub mod revoke;
pub mod servers;
pub mod settings;
pub mod state;
pub mod status;
pub mod terminal;
pub mod test;
pub mod unblock;
pub mod uninstall;
pub mod update;
pub mod wired;
pub mod wiring;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::LazyLock;

use clap::{CommandFactory as _, Parser, Subcommand};

use clients::Invocation;
use gate::BUILD;
use refusal::Refusal;

/// Denies actions of coding agents that cannot be undone. Without a command: shows the state of this repository.
#[derive(Parser)]
#[command(name = "portcullis", version = version(), disable_help_subcommand = true)]
struct CommandLine {
    /// When to write colours; `auto` writes them on a terminal, and not with `NO_COLOR`
    #[arg(long, value_enum, value_name = "WHEN", default_value = "auto", global = true)]
    color: terminal::Colour,
    #[command(subcommand)]
    command: Option<PortcullisCommand>,
}

/// The version, the build, and where they are known the commit that it was built from and the day of that commit.
pub fn version() -> &'static str {
    static VERSION: LazyLock<String> = LazyLock::new(|| match option_env!("PORTCULLIS_COMMIT") {
        Some(commit) => format!("{BUILD} ({commit})"),
        None => BUILD.to_owned(),
    });
    &VERSION
}

#[derive(Subcommand)]
enum PortcullisCommand {
    /// Install the programs, built from the source or out of a release, and show how a force push is denied
    Install(install::InstallArguments),
    /// Add Portcullis to the settings of Claude Code or other clients (`--git`: also to git's hooks; `--undo`: remove it)
    Init(init::InitArguments),
    /// Check staged changes, all files, or each commit of a range against the policy (for CI)
    Check(check::CheckArguments),
    /// Show how a command is read, which rules match, and the verdict
    Explain(explain::ExplainArguments),
    /// Check that each rule matches its examples; nothing is executed
    Test(test::TestArguments),
    /// Allow everything for a limited time (only a person at a terminal can do this)
    Pause(pause::PauseArguments),
    /// Approve one denied call by its code (only a person at a terminal can do this; `--setup` makes a key for it)
    Approve(approve::ApproveArguments),
    /// List the calls that wait for a person, and what was approved
    Approvals(approvals::ApprovalsArguments),
    /// Take an approval back, or refuse a call that waits
    Revoke(revoke::RevokeArguments),
    /// Show in which phase the work is and what its gates need; a person moves it
    Phase(phase::PhaseArguments),
    /// Show the state of this repository: where Portcullis is wired, whether it is active, what was stopped last
    Status(status::StatusArguments),
    /// Show how far limits and budgets are used, or count anew
    State(state::StateArguments),
    /// Show what stopped the last call, and the ways out
    Unblock(unblock::UnblockArguments),
    /// Check the installation
    Doctor(doctor::DoctorArguments),
    /// Show the recorded decisions of this repository
    Log(log::LogArguments),
    /// Write what happened here as one page: decisions, what was stopped, budgets, approvals, changes of the policy
    Report(report::ReportArguments),
    /// Judge calls of past sessions again, against this policy or two others, and show what would be stopped
    Replay(replay::ReplayArguments),
    /// List suggested changes to the documentation, and resolve them
    Flywheel(flywheel::FlywheelArguments),
    /// List the rules that apply here, or show one of them (`portcullis policy RULE`)
    Policy(policy::PolicyArguments),
    /// List the tool servers that are declared here, and what is known of their tools
    Servers(servers::ServersArguments),
    /// Show how this Portcullis was installed, and the commands that bring a newer one
    Update(update::UpdateArguments),
    /// Remove Portcullis from everything that starts it, and then the programs
    Uninstall(uninstall::UninstallArguments),
    /// Print the completions for a shell
    Completions(CompletionsArguments),
    /// Write the manual pages into a folder
    Man(ManArguments),
}

#[derive(clap::Args)]
struct CompletionsArguments {
    #[arg(value_enum)]
    shell: clap_complete::Shell,
}

#[derive(clap::Args)]
struct ManArguments {
    folder: PathBuf,
}

/// Runs the command line of this process.
///
/// Exit codes: 0 success; 1 the command failed, or it found something that must be fixed; 2 the command line is wrong;
/// 3 nothing could be judged.
pub fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    // Not one of the commands for people: the hook replaces itself by this process, and the client waits for it.
    if arguments.next().is_some_and(|first| first == "hook") {
        let build = arguments.next().unwrap_or_default();
        let mut arguments = arguments.peekable();
        let number = |argument: &std::ffi::OsString| argument.to_str()?.parse().ok();
        // A hook of an older build gives no number.
        let mut next = || arguments.next_if(|argument| number(argument).is_some()).and_then(|argument| number(&argument));
        let (milliseconds, used) = (next(), next());
        let (event, client) = (arguments.next(), arguments.next());
        let [event, client] = [&event, &client].map(|argument| argument.as_deref().and_then(|argument| argument.to_str()));
        gate::hook::cold(&build.to_string_lossy(), milliseconds, used, &Invocation::new(event, client), &crate::deep::Cold);
    }
    let line = CommandLine::parse();
    terminal::set_colour(line.color);
    let done = match line.command {
        None => status::run(&status::StatusArguments::default(), true),
        Some(command) => run(command),
    };
    done.unwrap_or_else(|refusal| {
        terminal::tell(&refusal.to_string());
        ExitCode::from(refusal.code)
    })
}

fn run(command: PortcullisCommand) -> Result<ExitCode, Refusal> {
    match command {
        PortcullisCommand::Install(arguments) => install::run(&arguments),
        PortcullisCommand::Init(arguments) => init::run(&arguments),
        PortcullisCommand::Check(arguments) => check::run(&arguments),
        PortcullisCommand::Explain(arguments) => explain::run(&arguments),
        PortcullisCommand::Test(arguments) => test::run(&arguments),
        PortcullisCommand::Pause(arguments) => pause::run(&arguments),
        PortcullisCommand::Approve(arguments) => approve::run(&arguments),
        PortcullisCommand::Approvals(arguments) => approvals::run(&arguments),
        PortcullisCommand::Revoke(arguments) => revoke::run(&arguments),
        PortcullisCommand::Doctor(arguments) => doctor::run(&arguments),
        PortcullisCommand::Log(arguments) => log::run(&arguments),
        PortcullisCommand::Report(arguments) => report::run(&arguments),
        PortcullisCommand::Replay(arguments) => replay::run(&arguments),
        PortcullisCommand::Flywheel(arguments) => flywheel::run(&arguments),
        PortcullisCommand::Policy(arguments) => policy::run(&arguments),
        PortcullisCommand::Servers(arguments) => servers::run(&arguments),
        PortcullisCommand::Phase(arguments) => phase::run(&arguments),
        PortcullisCommand::Status(arguments) => status::run(&arguments, false),
        PortcullisCommand::State(arguments) => state::run(&arguments),
        PortcullisCommand::Unblock(arguments) => unblock::run(&arguments),
        PortcullisCommand::Update(arguments) => update::run(&arguments),
        PortcullisCommand::Uninstall(arguments) => uninstall::run(&arguments),
        PortcullisCommand::Completions(CompletionsArguments { shell }) => {
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut CommandLine::command(), "portcullis", &mut text);
            let printed = terminal::print_whole(String::from_utf8_lossy(&text).trim_end());
            printed.map(|()| ExitCode::SUCCESS).map_err(|error| Refusal::new("the completions were not printed", error, "write them to a file"))
        }
        PortcullisCommand::Man(ManArguments { folder }) => {
            let refused = |error| Refusal::new("the manual pages were not written", error, "name a folder that you can write");
            std::fs::create_dir_all(&folder).and_then(|()| clap_mangen::generate_to(CommandLine::command(), &folder)).map_err(refused)?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

#[cfg(test)]
mod tests;
