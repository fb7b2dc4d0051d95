//! The lines of Portcullis in a hook of git. Text in, text out: no hook is read here.
//!
//! A hook of one clone names Portcullis by its full path, and stops git if Portcullis is missing. A hook that is committed
//! can reach machines without Portcullis. There it says that it checked nothing.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::NAME;
use crate::cli::terminal::shell_word;
use gate::world::system;

/// The hooks that can stop something, or that only report.
pub const HOOKS: [&str; 8] =
    ["pre-commit", "pre-merge-commit", "prepare-commit-msg", "commit-msg", "post-commit", "post-merge", "pre-push", "reference-transaction"];
/// Hooks that get lines on standard input from git.
const TOLD: [&str; 2] = ["pre-push", "reference-transaction"];
/// Committed hooks that say it if Portcullis is missing. The others run together with one of these.
const SAID: [&str; 2] = ["pre-commit", "pre-push"];
/// The first line of the block.
pub const BEGIN: &str = "# >>> portcullis: made by `portcullis init --git`, taken out by `portcullis init --git --undo`\n";
const END: &str = "# <<< portcullis\n";
/// What a hook begins with that is ours alone.
const SHELL: &str = "#!/bin/sh\n";
/// Shells that read the block.
const SHELLS: [&str; 6] = ["sh", "bash", "dash", "ash", "ksh", "zsh"];
/// The name of a hook that was there before and is no shell script.
pub const KEPT: &str = ".before-portcullis";
/// Where `portcullis install` puts the binaries, from the home folder.
const INSTALLED: &str = ".local/bin";

/// How a hook names the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GateCall {
    /// By its full path.
    Full(String),
    /// For a committed file: a word of the shell that is the path on most machines; else by the `PATH`.
    Looked(String),
}

impl GateCall {
    /// The call in a hook of one clone.
    pub fn of_clone(gate: &str) -> Self {
        Self::Full(shell_word(gate))
    }

    /// The call in a committed hook. A path below the home folder begins with `$HOME`.
    pub fn committed(gate: &Path, home: Option<&Path>) -> Self {
        let below = home.and_then(|home| gate.strip_prefix(home).ok()).map(|rest| rest.to_string_lossy().into_owned());
        match below {
            Some(rest) if !rest.contains(['"', '$', '`', '\\']) => Self::Looked(format!("\"$HOME/{rest}\"")),
            _ => Self::Looked(shell_word(&gate.to_string_lossy())),
        }
    }

    /// The call in a committed hook that any machine with the usual folder makes.
    pub fn usual() -> Self {
        Self::Looked(format!("\"$HOME/{INSTALLED}/{NAME}\""))
    }

    fn word(&self) -> &str {
        match self {
            Self::Full(word) => word,
            Self::Looked(_) => "\"$portcullis_git\"",
        }
    }
}

/// The calls that this program would write into a committed hook.
pub fn known_calls() -> Vec<GateCall> {
    let gate = system::own_path().ok().map(|path| path.with_file_name(NAME));
    let home = std::env::var_os("HOME").map(PathBuf::from);
    gate.iter().map(|gate| GateCall::committed(gate, home.as_deref())).chain([GateCall::usual()]).collect()
}

/// What of a hook is ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockForm {
    /// The whole hook.
    Whole,
    /// The whole hook, which also starts the one that was there before.
    Chained,
    /// Lines before the hook's own.
    Front,
}

/// The lines of Portcullis in the hook `name`.
pub fn block(call: &GateCall, name: &str, form: BlockForm) -> String {
    let kept = format!("\"${{0%/*}}/{name}{KEPT}\"");
    // Managers that see our hook in their place leave out theirs: `--alone` starts what they would have started.
    let options = match form {
        BlockForm::Whole => "--alone ".to_owned(),
        BlockForm::Chained => format!("--alone --then {kept} "),
        BlockForm::Front => String::new(),
    };
    let run = format!("{} {options}{name} \"$@\"", call.word());
    let lines = match (form, TOLD.contains(&name)) {
        (BlockForm::Whole | BlockForm::Chained, _) => format!("exec {run}\n"),
        (BlockForm::Front, false) => format!("{run} || exit $?\n"),
        // Both get git's input.
        (BlockForm::Front, true) => format!(
            "portcullis_told=$(cat)\nif [ -n \"$portcullis_told\" ]; then\nprintf '%s\\n' \"$portcullis_told\" | {run} || exit $?\nexec <<portcullis_end\n$portcullis_told\nportcullis_end\nelse\nexec </dev/null\nfi\n"
        ),
    };
    let lines = match call {
        GateCall::Full(_) => lines,
        GateCall::Looked(usual) => {
            let mut missing = String::new();
            if SAID.contains(&name) {
                missing = format!("echo 'portcullis: this hook checked nothing, because `{NAME}` is neither at {} nor on the PATH' >&2\n", shown(usual));
            }
            if form == BlockForm::Chained {
                let _ = writeln!(missing, "[ ! -x {kept} ] || exec {kept} \"$@\"");
            }
            // A relative path is no place of ours: `node_modules/.bin` is on the `PATH` of some managers.
            format!(
                "portcullis_git={usual}\n[ -x \"$portcullis_git\" ] || portcullis_git=$(command -v {NAME}) || portcullis_git=\ncase $portcullis_git in\n/*)\n{lines};;\n*)\n{missing};;\nesac\n"
            )
        }
    };
    let head = if form == BlockForm::Front { "" } else { SHELL };
    format!("{head}{BEGIN}{lines}{END}")
}

/// A word of the shell as people write it in a sentence.
fn shown(word: &str) -> String {
    word.trim_matches(['"', '\'']).replace("$HOME", "~").replace('\'', "")
}

/// The text without the block. `None` if nothing else was in the file.
pub fn without(text: &str) -> Option<String> {
    let Some((front, rest)) = text.split_once(BEGIN) else { return Some(text.to_owned()) };
    let behind = rest.split_once(END).map_or("", |(_, behind)| behind);
    (front != SHELL || !behind.is_empty() || !rest.contains("exec ")).then(|| format!("{front}{behind}"))
}

/// The text of a hook with the lines of Portcullis at its beginning.
pub fn with(call: &GateCall, name: &str, rest: &str) -> String {
    let (head, body) = split_head(rest);
    format!("{head}{}{body}", block(call, name, BlockForm::Front))
}

/// The first line, if it names an interpreter, and the rest.
fn split_head(text: &str) -> (&str, &str) {
    text.split_at(if text.starts_with("#!") { text.find('\n').map_or(0, |end| end + 1) } else { 0 })
}

/// Whether the first thing that the hook does is what Portcullis wrote, by one of these calls: so to start it is to start
/// Portcullis, and nothing else if that fails.
pub fn begins_with(text: &str, name: &str, calls: &[GateCall]) -> bool {
    let (head, body) = split_head(text);
    let shell = head.is_empty() || head.strip_prefix("#!").is_some_and(|first| is_shell(first.trim_end()));
    let forms = [BlockForm::Whole, BlockForm::Chained, BlockForm::Front];
    shell && calls.iter().any(|call| forms.iter().any(|form| body.starts_with(block(call, name, *form).trim_start_matches(SHELL))))
}

/// Whether a text is one that a shell reads, by its first line.
pub fn is_script(text: &str) -> bool {
    match text.strip_prefix("#!") {
        None => !text.contains('\0'),
        Some(rest) => rest.split_once('\n').is_some_and(|(first, _)| is_shell(first)),
    }
}

/// Whether the words behind `#!` start a shell that reads the block.
fn is_shell(words: &str) -> bool {
    let mut words = words.split_whitespace().filter(|word| !word.starts_with('-')).map(|word| word.rsplit('/').next().unwrap_or(word));
    let first = words.next();
    let program = if first == Some("env") { words.next() } else { first };
    program.is_some_and(|program| SHELLS.contains(&program))
}
