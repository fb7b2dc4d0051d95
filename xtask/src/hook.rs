//! The hook as it is shipped: installed by the README's first command into a home folder of its own, and called.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::json;
use tempfile::TempDir;

use crate::step::{RunState, command, output, pass};
use crate::workspace::HOOK;

/// The README's first command.
const INSTALL: &str = "cargo run --release -- install";
/// Exit code of a denied call.
const DENIED: i32 = 2;

/// An installed Portcullis. Its folder is removed with it.
pub(crate) struct Shipped {
    home: TempDir,
    pub(crate) hook: PathBuf,
    /// What the hook was built for, if that is not what cargo builds for by default.
    pub(crate) target: Option<String>,
}

/// What was installed in this run; installs it if no step did.
/// Error: it cannot be built or installed, or does not deny a force push.
pub(crate) fn shipped(state: &mut RunState) -> Result<&Shipped> {
    if state.shipped.is_none() {
        state.shipped = Some(install()?);
    }
    state.shipped.as_ref().context("nothing was installed")
}

fn install() -> Result<Shipped> {
    let home = tempfile::tempdir()?;
    let mut words = INSTALL.split(' ');
    let mut install = command(words.next().unwrap_or_default());
    install.args(words).env("HOME", home.path());
    // The folders of cargo and rustup are found by the real home.
    if let Some(real) = std::env::home_dir() {
        for (variable, folder) in [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")] {
            if std::env::var_os(variable).is_none() {
                install.env(variable, real.join(folder));
            }
        }
    }
    let said = output(&mut install)?;
    println!("{said}");
    ensure!(said.contains("denied by `force-push`"), "the installation did not show a denied force push");
    let hook = home.path().join(".local/bin").join(HOOK);
    ensure!(hook.is_file(), "`{}` was not installed", hook.display());
    let target = static_target(&hook)?;
    println!("{} bytes, {}", fs::metadata(&hook)?.len(), target.as_deref().unwrap_or("for the machine itself: the static target is not available here"));
    Ok(Shipped { home, hook, target })
}

/// The static target, if the hook was built for it.
/// Error: this toolchain has the target, but the hook needs a loader.
fn static_target(hook: &Path) -> Result<Option<String>> {
    if !cfg!(target_os = "linux") {
        return Ok(None);
    }
    let target = format!("{}-unknown-linux-musl", std::env::consts::ARCH);
    let libraries = output(command("rustc").args(["--print", "target-libdir", "--target", &target]))?;
    if !Path::new(libraries.trim()).is_dir() {
        return Ok(None);
    }
    needs_no_loader(hook)?;
    Ok(Some(target))
}

/// Error: the program is linked dynamically.
pub(crate) fn needs_no_loader(program: &Path) -> Result<()> {
    // `ldd` fails for a program that needs no loader, or calls it static; its words differ by system.
    let said = command("ldd").arg(program).output().context("`ldd` cannot be started")?;
    let needs = String::from_utf8_lossy(&said.stdout).contains("=>");
    ensure!(!needs, "`{}` needs a loader:\n{}", program.display(), String::from_utf8_lossy(&said.stdout));
    Ok(())
}

/// A harmless command is allowed and a force push is denied, by this hook with nothing but a home folder: first by itself, then
/// with a policy, for which it needs the main program of the same build. `runner` starts programs of another processor, which
/// can start no others.
pub(crate) fn judges(hook: &Path, runner: Option<&str>) -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let (repository, home) = (scratch.path().join("repository"), scratch.path().join("home"));
    for folder in [repository.join(".git/objects"), repository.join(".git/refs"), home.clone()] {
        fs::create_dir_all(folder)?;
    }
    fs::write(repository.join(".git/HEAD"), "ref: refs/heads/main\n")?;
    for policy in [None, Some("schema = 1\n")] {
        if let Some(policy) = policy.filter(|_| runner.is_none()) {
            fs::write(repository.join("portcullis.toml"), policy)?;
        }
        for (line, expected) in [("git status", 0), ("git push --force", DENIED)] {
            let mut call = Command::new(runner.map_or_else(|| hook.to_owned(), PathBuf::from));
            call.args(runner.map(|_| hook)).arg("PreToolUse").env_clear().env("HOME", &home).env("CLAUDE_PROJECT_DIR", &repository);
            let mut call = call.current_dir(&repository).stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().with_context(|| hook.display().to_string())?;
            call.stdin.take().context("no standard input")?.write_all(event(&repository, line).as_bytes())?;
            let ended = call.wait_with_output()?;
            let (code, said) = (ended.status.code(), String::from_utf8_lossy(&ended.stderr));
            ensure!(code == Some(expected), "`{line}`: exit {code:?} instead of {expected}: {said}");
            ensure!(expected == 0 || said.contains("denied by `force-push`"), "`{line}` was denied for another reason: {said}");
        }
    }
    Ok(())
}

/// What Claude Code sends before it runs a command.
fn event(folder: &Path, line: &str) -> String {
    json!({
        "session_id": "s",
        "cwd": folder,
        "permission_mode": "default",
        "hook_event_name": "PreToolUse",
        "tool_name": "Bash",
        "tool_input": { "command": line },
    })
    .to_string()
}

/// The installed programs wire a new repository, and find everything in order.
pub(crate) fn wires(shipped: &Shipped) -> Result<()> {
    let repository = shipped.home.path().join("repository");
    let program = shipped.hook.with_file_name("portcullis").display().to_string();
    pass(command("git").args(["init", "--quiet"]).arg(&repository))?;
    for arguments in [&["init", "--yes"][..], &["doctor"]] {
        pass(command(&program).args(arguments).current_dir(&repository).env("HOME", shipped.home.path()))?;
    }
    Ok(())
}

/// What a call costs, against an empty program of the same target.
pub(crate) fn startup(shipped: &Shipped) -> Result<()> {
    let mut measure = command("cargo");
    measure.args(["test", "--locked", "--test", "it", "--", "startup", "--nocapture"]).env("PORTCULLIS_HOOK", &shipped.hook);
    if let Some(target) = &shipped.target {
        measure.env("PORTCULLIS_TARGET", target);
    }
    pass(&mut measure)
}

/// The policy of this repository passes its own examples, and denies a force push here.
pub(crate) fn own_policy(shipped: &Shipped) -> Result<()> {
    let program = shipped.hook.with_file_name("portcullis").display().to_string();
    pass(command(&program).args(["test", "--all"]))?;
    output(command(&program).arg("policy"))?;
    for (line, denied) in [("git status", false), ("git push --force origin main", true)] {
        let said = output(command(&program).args(["explain", "--json", "--"]).args(line.split(' ')))?;
        let said: serde_json::Value = serde_json::from_str(&said).context("the answer of `portcullis explain --json`")?;
        let exit = said["answer"]["exit"].as_i64();
        if (exit == Some(i64::from(DENIED))) != denied {
            bail!("`{line}` in this repository: the hook would answer with exit {exit:?}");
        }
    }
    Ok(())
}
