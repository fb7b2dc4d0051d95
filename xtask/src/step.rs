//! Steps: what each is called, what it does, and how long it took.

use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use clap::Args;

use crate::hook::Shipped;
use crate::quick::Test;
use crate::workspace;

#[derive(Args)]
pub(crate) struct Options {
    /// Print the steps without running them
    #[arg(long)]
    dry_run: bool,
    /// Run only the steps whose name contains this text; can be given several times
    #[arg(long, value_name = "TEXT")]
    only: Vec<String>,
}

/// What earlier steps of a run leave for later ones.
#[derive(Default)]
pub(crate) struct RunState {
    pub(crate) shipped: Option<Shipped>,
    pub(crate) tests: Vec<Test>,
}

/// A step that is no single command.
pub(crate) type StepAction = Box<dyn FnOnce(&mut RunState) -> Result<()>>;

enum Work {
    Command { words: Vec<String>, variables: Vec<(String, String)> },
    Action(StepAction),
}

pub(crate) struct Step {
    name: String,
    work: Work,
}

impl Step {
    /// A command line without quotes: words are separated by blanks.
    pub(crate) fn command(line: &str) -> Self {
        Self { name: line.to_owned(), work: Work::Command { words: line.split_whitespace().map(str::to_owned).collect(), variables: Vec::new() } }
    }

    pub(crate) fn action(name: &str, action: impl FnOnce(&mut RunState) -> Result<()> + 'static) -> Self {
        Self { name: name.to_owned(), work: Work::Action(Box::new(action)) }
    }

    /// The same command with a variable of the environment.
    pub(crate) fn with(mut self, variable: &str, value: &str) -> Self {
        if let Work::Command { variables, .. } = &mut self.work {
            variables.push((variable.to_owned(), value.to_owned()));
            self.name = format!("{variable}={value} {}", self.name);
        }
        self
    }
}

/// Runs the steps in their order and stops at the first that fails.
pub(crate) fn run(steps: Vec<Step>, options: &Options) -> Result<()> {
    let begun = Instant::now();
    let wanted = |step: &Step| options.only.is_empty() || options.only.iter().any(|text| step.name.contains(text.as_str()));
    let steps: Vec<Step> = steps.into_iter().filter(wanted).collect();
    if steps.is_empty() {
        bail!("no step has this name; `--dry-run` without `--only` lists all of them");
    }
    let mut state = RunState::default();
    for step in steps {
        if options.dry_run {
            println!("{}", step.name);
            continue;
        }
        println!("\n== {}", step.name);
        let begun = Instant::now();
        match step.work {
            Work::Command { words, variables } => {
                let (program, rest) = words.split_first().context("a step without a command")?;
                pass(command(program).args(rest).envs(variables)).with_context(|| step.name.clone())?;
            }
            Work::Action(action) => action(&mut state).with_context(|| step.name.clone())?,
        }
        println!("-- {:.1} s", begun.elapsed().as_secs_f64());
    }
    if !options.dry_run {
        println!("\nall passed in {:.1} s", begun.elapsed().as_secs_f64());
    }
    Ok(())
}

/// A program started in the root of the repository, without what cargo shown this one about itself.
pub(crate) fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    command.current_dir(workspace::root()).stdin(Stdio::null());
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_BIN_") || name.starts_with("CARGO_MANIFEST_")) {
            command.env_remove(name);
        }
    }
    command
}

/// Runs a command whose output goes to the terminal.
/// Error: it cannot be started, or it fails.
pub(crate) fn pass(command: &mut Command) -> Result<()> {
    let program = command.get_program().display().to_string();
    let status = command.status().with_context(|| format!("`{program}` cannot be started; is it installed and on PATH?"))?;
    if status.success() { Ok(()) } else { bail!("`{program}` ended with {status}; see its output above") }
}

/// Runs a command and returns its standard output. Its errors go to the terminal.
/// Error: it cannot be started, or it fails.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let program = command.get_program().display().to_string();
    let output = command.stderr(Stdio::inherit()).output().with_context(|| format!("`{program}` cannot be started; is it installed and on PATH?"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    // What is for machines says nothing to people.
    let shown = if text.starts_with('{') { "" } else { text.trim_end() };
    if output.status.success() { Ok(text) } else { bail!("`{program}` ended with {}; see its errors above\n{shown}", output.status) }
}
