//! Sends the hook calls whose verdict is known, through the command in the settings file, and checks the answers.

use std::io::{Read, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use clients::claude_code;
use gate::call::TRIAL;
use gate::world::state;

use super::place::Place;
use super::refusal::Refusal;
use super::wired::Wired;

/// The command that must be denied.
pub const DENIED: &str = "git push --force origin main";
/// A command that must be allowed.
pub const HARMLESS: &str = "git status --short";
/// After this time the hook counts as stuck; its own deadlines are shorter.
const PATIENCE: Duration = Duration::from_secs(15);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The exit code. `None` if a signal ended it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// Runs `process` with `input` on standard input.
///
/// # Errors
///
/// It cannot be started, or does not end in time.
pub fn run(mut process: Command, input: &str) -> Result<Reply, String> {
    let started = process.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = started.map_err(|error| format!("`{}` cannot be started: {error}", process.get_program().display()))?;
    let (stdout, stderr) = (child.stdout.take().map(collect), child.stderr.take().map(collect));
    if let Some(mut stdin) = child.stdin.take() {
        // A process that answers without reading closes the pipe; what it says counts.
        let _ = stdin.write_all(input.as_bytes());
    }
    let end = Instant::now() + PATIENCE;
    let code = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status.code(),
            Ok(None) if Instant::now() < end => thread::sleep(Duration::from_millis(2)),
            Ok(None) => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("`{}` gave no answer within {} seconds", process.get_program().display(), PATIENCE.as_secs()));
            }
            Err(error) => return Err(error.to_string()),
        }
    };
    let text = |reader: Option<thread::JoinHandle<String>>| reader.and_then(|reader| reader.join().ok()).unwrap_or_default();
    Ok(Reply { code, stdout: text(stdout), stderr: text(stderr) })
}

fn collect(mut stream: impl Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// The event that the client sends before it runs `command` in its shell tool.
pub fn before_command(command: &str, cwd: &Path, mode: &str) -> String {
    claude_code::before_command(command, "a call made by portcullis to check its own answer", &cwd.to_string_lossy(), mode, TRIAL)
}

/// Sends one command through an entry of the settings. Keeps the last refusal, which a person might still want to see.
fn ask(entry: &Wired, place: &Place, command: &str) -> Result<Reply, String> {
    let (states, root) = (&place.world.states, &place.around.root);
    let last = state::read_last(states, root);
    let mut process = entry.process();
    process.current_dir(&place.cwd);
    let reply = run(process, &before_command(command, &place.cwd, "default"));
    let _ = match last {
        Some(bytes) => state::write(states, root, state::LAST, &bytes).map(drop),
        None => state::remove(states, root, state::LAST),
    };
    reply
}

/// The denial of a force push, as the agent sees it, through the command in the settings file.
///
/// # Errors
///
/// The force push was not denied, or was denied only because the hook is broken.
pub fn refused(entry: &Wired, place: &Place) -> Result<String, Refusal> {
    let fix = "run `portcullis doctor`, which checks each part";
    let reply = ask(entry, place, DENIED).map_err(|why| Refusal::new("Portcullis is not active", why, fix))?;
    let said = reply.stderr.trim_end();
    if reply.code == Some(2) && reply.stdout.is_empty() && said.starts_with("denied by `") {
        return Ok(said.to_owned());
    }
    let code = reply.code.map_or_else(|| "a signal".to_owned(), |code| format!("exit {code}"));
    let why = format!("`{DENIED}` should be denied (exit 2), but the answer was {code}{}{}", shown(&reply.stdout), shown(&reply.stderr));
    Err(Refusal::new("Portcullis is not active", why, fix))
}

/// Checks that a harmless command is allowed without output.
///
/// # Errors
///
/// What the hook printed instead.
pub fn lets_through(entry: &Wired, place: &Place) -> Result<(), String> {
    let reply = ask(entry, place, HARMLESS)?;
    if reply.code == Some(0) && reply.stdout.is_empty() && reply.stderr.is_empty() {
        return Ok(());
    }
    Err(format!("`{HARMLESS}` should be allowed, but the answer was {:?}{}{}", reply.code, shown(&reply.stdout), shown(&reply.stderr)))
}

/// Checks that the hook hands over to a cold binary of its own build.
///
/// # Errors
///
/// What the hook printed.
pub fn hands_over(entry: &Wired, place: &Place) -> Result<(), String> {
    // The same program, with an event that only the cold binary answers, so that the hook must start it.
    let event = claude_code::settings_changed(&place.cwd.to_string_lossy(), TRIAL);
    let mut entry = entry.clone();
    entry.command = entry.program().to_string_lossy().into_owned();
    entry.args = Some(vec![claude_code::SETTINGS_CHANGED.to_owned(), claude_code::NAME.to_owned()]);
    let mut process = entry.process();
    process.current_dir(&place.cwd);
    let reply = run(process, &event)?;
    let broken = reply.code.is_none_or(|code| code != 0 && code != 2) || reply.stderr.starts_with("denied: Portcullis could not judge");
    if broken { Err(reply.stderr.lines().find_map(|line| line.strip_prefix("why: ")).unwrap_or("it failed without a message").to_owned()) } else { Ok(()) }
}

fn shown(text: &str) -> String {
    if text.trim().is_empty() { String::new() } else { format!("\n{}", text.trim_end()) }
}
