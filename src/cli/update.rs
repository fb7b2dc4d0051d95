//! `portcullis update`: how this Portcullis was installed, and the commands that bring a newer one. It looks for no newer one
//! itself, and runs the commands only if a person says so.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use clap::Args;
use serde_json::json;

use super::refusal::{FAILED, Refusal};
use super::terminal::{self, TextStyle, agreed_after_all, can_ask, progress, say, say_json, shown, styled};
use gate::world::{World, state};

/// The list of files that dpkg keeps for our package.
const DPKG_LIST: &str = "/var/lib/dpkg/info/portcullis.list";
/// Where releases are published, as the manifest says it.
const REPOSITORY: &str = env!("CARGO_PKG_REPOSITORY");

#[derive(Args, Debug)]
pub struct UpdateArguments {
    /// Run the commands without asking
    #[arg(long, short, conflicts_with_all = ["dry_run", "json"])]
    yes: bool,
    /// Show the commands and run none
    #[arg(long)]
    dry_run: bool,
    /// Print JSON, and run nothing
    #[arg(long)]
    json: bool,
}

/// How this program was put where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InstalledFrom {
    /// `portcullis install` built it in this source tree, and put it below this prefix.
    Source {
        tree: PathBuf,
        prefix: PathBuf,
    },
    /// npm; for one project if the path is of a `node_modules` that is in no global folder.
    Npm {
        project: Option<PathBuf>,
    },
    /// pip, with the Python beside the program.
    Pip {
        python: PathBuf,
    },
    Pipx,
    Uv,
    Homebrew,
    Debian,
    /// `cargo binstall`.
    Cargo,
    /// An archive of a release.
    Archive,
}

/// A command that brings a newer one, and the folder in which it is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdateStep {
    folder: Option<PathBuf>,
    words: Vec<String>,
}

impl UpdateStep {
    fn new(words: &[&str]) -> Self {
        Self { folder: None, words: words.iter().map(|word| (*word).to_owned()).collect() }
    }

    /// As a person types it.
    fn line(&self) -> String {
        let command = super::explain::command_line(&self.words);
        self.folder.as_ref().map_or_else(|| command.clone(), |folder| format!("(cd {} && {command})", super::explain::command_line(&[shown(folder)])))
    }
}

impl InstalledFrom {
    /// Finds out how `program` was installed, by where it is and by what is beside it.
    pub fn of(program: &Path, states: &[PathBuf]) -> Self {
        let folder = program.parent().unwrap_or(Path::new("/"));
        let prefix = folder.parent().unwrap_or(folder);
        let within = |name: &str| program.ancestors().find(|above| above.file_name().is_some_and(|last| last == name));
        if let Some(modules) = within("node_modules") {
            let above = modules.parent().unwrap_or(modules);
            // A global folder of npm is `PREFIX/lib/node_modules`.
            let is_global = above.ends_with("lib") && !above.join("package.json").exists();
            return Self::Npm { project: (!is_global).then(|| above.to_path_buf()) };
        }
        if within("Cellar").is_some() {
            return Self::Homebrew;
        }
        let lists = |list: String| list.lines().any(|line| Path::new(line) == program);
        if fs::read_to_string(DPKG_LIST).is_ok_and(lists) {
            return Self::Debian;
        }
        if folder.ends_with(".cargo/bin") || std::env::var_os("CARGO_HOME").is_some_and(|home| folder == Path::new(&home).join("bin")) {
            return Self::Cargo;
        }
        if let Some(tree) = state::read(states, folder, state::SOURCE).and_then(|bytes| String::from_utf8(bytes).ok()).map(PathBuf::from) {
            return Self::Source { tree, prefix: prefix.to_path_buf() };
        }
        if has_wheel(prefix) {
            let named = |name: &str| program.components().any(|part| part.as_os_str() == name);
            return match () {
                () if named("pipx") => Self::Pipx,
                () if named("uv") => Self::Uv,
                () => Self::Pip { python: folder.join("python3") },
            };
        }
        Self::Archive
    }

    /// In words.
    fn said(&self) -> String {
        match self {
            Self::Source { tree, .. } => format!("it was built in {}", shown(tree)),
            Self::Npm { project: None } => "npm installed it for all projects".to_owned(),
            Self::Npm { project: Some(project) } => format!("npm installed it for the project {}", shown(project)),
            Self::Pip { .. } => "pip installed it".to_owned(),
            Self::Pipx => "pipx installed it".to_owned(),
            Self::Uv => "uv installed it as a tool".to_owned(),
            Self::Homebrew => "Homebrew installed it".to_owned(),
            Self::Debian => "it comes from a Debian package".to_owned(),
            Self::Cargo => "cargo put it there".to_owned(),
            Self::Archive => "it comes from an archive of a release".to_owned(),
        }
    }

    /// The command that removes the programs, where something else than `portcullis install` has put them there.
    pub fn removal(&self) -> Option<String> {
        let command = match self {
            Self::Npm { project: None } => "npm uninstall --global portcullis",
            Self::Npm { project: Some(project) } => return Some(format!("npm uninstall --prefix {} portcullis", shown(project))),
            Self::Pip { .. } => "python3 -m pip uninstall portcullis-gate",
            Self::Pipx => "pipx uninstall portcullis-gate",
            Self::Uv => "uv tool uninstall portcullis-gate",
            Self::Homebrew => "brew uninstall portcullis",
            Self::Debian => "sudo apt remove portcullis",
            Self::Cargo => "cargo uninstall portcullis gate",
            Self::Source { .. } | Self::Archive => return None,
        };
        Some(command.to_owned())
    }

    /// The commands, in order. Empty if a person must fetch something first.
    fn steps(&self) -> Vec<UpdateStep> {
        match self {
            Self::Source { tree, prefix } => {
                let prefix = prefix.to_string_lossy();
                let pull = UpdateStep::new(&["git", "pull", "--ff-only"]);
                let install = UpdateStep::new(&["cargo", "run", "--release", "--", "install", "--prefix", &prefix]);
                [pull, install].map(|step| UpdateStep { folder: Some(tree.clone()), ..step }).into()
            }
            Self::Homebrew => vec![UpdateStep::new(&["brew", "upgrade", "portcullis"])],
            Self::Cargo => vec![UpdateStep::new(&["cargo", "binstall", "--git", REPOSITORY, "portcullis", "gate"])],
            // Not by a name in a registry: on PyPI `portcullis` is another project, and no name there is ours.
            Self::Npm { .. } | Self::Pip { .. } | Self::Pipx | Self::Uv | Self::Debian | Self::Archive => Vec::new(),
        }
    }

    /// What a person does where no command fetches it.
    fn by_hand(&self) -> Option<String> {
        let (file, command) = match self {
            Self::Npm { project: None } => ("npm package", "npm install --global ./portcullis-VERSION-npm-*.tgz".to_owned()),
            Self::Npm { project: Some(project) } => ("npm package", format!("npm install --save-dev ./portcullis-VERSION-npm-*.tgz` in `{}", shown(project))),
            // The Python of the environment where there is one; elsewhere the one on the `PATH`.
            Self::Pip { python } => {
                let python = if python.is_file() { shown(python) } else { "python3".to_owned() };
                ("wheel", format!("{python} -m pip install ./portcullis_gate-VERSION-*.whl"))
            }
            Self::Pipx => ("wheel", "pipx install --force ./portcullis_gate-VERSION-*.whl".to_owned()),
            Self::Uv => ("wheel", "uv tool install --force ./portcullis_gate-VERSION-*.whl".to_owned()),
            Self::Debian => ("Debian package", "sudo apt install ./portcullis_VERSION_*.deb".to_owned()),
            Self::Archive => ("archive", "portcullis-*/portcullis install".to_owned()),
            Self::Source { .. } | Self::Homebrew | Self::Cargo => return None,
        };
        let unpack = if *self == Self::Archive { "unpack it, and run" } else { "and run" };
        Some(format!("fetch the newer {file} and SHA256SUMS from {REPOSITORY}/releases, check them (docs/install.md), {unpack} `{command}`"))
    }
}

/// Whether pip's notes of our wheel are below this prefix.
fn has_wheel(prefix: &Path) -> bool {
    let entries = |folder: &Path| fs::read_dir(folder).into_iter().flatten().flatten().collect::<Vec<_>>();
    let named = |entry: &fs::DirEntry, begin: &str, end: &str| entry.file_name().to_str().is_some_and(|name| name.starts_with(begin) && name.ends_with(end));
    let pythons = entries(&prefix.join("lib")).into_iter().filter(|entry| named(entry, "python", ""));
    let mut packages = pythons.flat_map(|python| ["site-packages", "dist-packages"].map(|name| python.path().join(name)));
    packages.any(|folder| entries(&folder).iter().any(|entry| named(entry, "portcullis_gate-", ".dist-info")))
}

/// Runs the command.
///
/// # Errors
///
/// An agent runs it, the folder of this program is not known, or a command failed.
pub fn run(arguments: &UpdateArguments) -> Result<ExitCode, Refusal> {
    let program = gate::world::system::own_path().map_err(|error| Refusal::new("nothing was updated", error, "start `portcullis` by its full path"))?;
    let from = InstalledFrom::of(&program, &World::real().states);
    let steps = from.steps();
    if arguments.json {
        let commands: Vec<_> = steps.iter().map(|step| json!({ "folder": step.folder, "command": step.words })).collect();
        say_json(&json!({ "version": super::version(), "program": program, "installed": from.said(), "commands": commands, "by_hand": from.by_hand() }));
        return Ok(ExitCode::SUCCESS);
    }
    say(&format!("Portcullis {} is {}", super::version(), shown(&program)));
    say(&from.said());
    if let Some(by_hand) = from.by_hand() {
        say(&format!("to update: {by_hand}"));
        return Ok(ExitCode::SUCCESS);
    }
    say("to update:");
    for step in &steps {
        say(&format!("  {}", step.line()));
    }
    if arguments.dry_run || !(arguments.yes || can_ask()) {
        say("nothing was run; after an update, `portcullis doctor` checks that what is wired still works");
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(variable) = terminal::agent() {
        return Err(Refusal::new("nothing was updated", format!("an agent runs this (`{variable}` is set)"), "a person must run this at a terminal"));
    }
    if !arguments.yes && !agreed_after_all("run this now?") {
        say("nothing was run");
        return Ok(ExitCode::from(FAILED));
    }
    for step in &steps {
        done(step)?;
    }
    say(&format!("{}; `portcullis doctor` checks that what is wired still works", styled("updated", TextStyle::Good)));
    Ok(ExitCode::SUCCESS)
}

/// Runs one command, whose output goes to the terminal.
fn done(step: &UpdateStep) -> Result<(), Refusal> {
    let refused = |why: String| Refusal::new("the update stopped", why, format!("run it yourself: {}", step.line()));
    let Some((program, rest)) = step.words.split_first() else { return Ok(()) };
    progress(&step.line());
    let mut command = Command::new(program);
    command.args(rest).stdin(Stdio::null());
    if let Some(folder) = &step.folder {
        command.current_dir(folder);
    }
    let status = command.status().map_err(|error| refused(format!("`{program}` cannot be started: {error}")))?;
    if status.success() { Ok(()) } else { Err(refused(format!("`{program}` ended with {status}"))) }
}
