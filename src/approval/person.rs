//! Whether a person types here: no agent is above this process, and the terminal is one that no program types into.
//!
//! This finds everyday cases. A program that an agent compiled can dress up as a shell in a terminal; SECURITY.md says so.

use std::fs;

use clients::CLIENTS;

/// A process above this one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProcessAbove {
    pub id: u32,
    /// The words of its command line.
    pub words: Vec<String>,
    /// The names of its variables.
    pub variables: Vec<String>,
    /// Its session.
    pub session: u32,
}

/// Processes that are looked at.
const MAX_ABOVE: usize = 64;

/// Shells, and what is between a shell and its terminal.
const SHELLS: &[&str] =
    &["sh", "bash", "zsh", "fish", "dash", "ksh", "mksh", "nu", "elvish", "xonsh", "tcsh", "csh", "ash", "busybox", "sudo", "su", "doas", "env"];
/// What gives a person a terminal.
const TERMINALS: &[&str] = &[
    "login",
    "agetty",
    "sshd",
    "sshd-session",
    "mosh-server",
    "xterm",
    "urxvt",
    "rxvt",
    "st",
    "foot",
    "footclient",
    "alacritty",
    "kitty",
    "wezterm-gui",
    "wezterm",
    "ghostty",
    "konsole",
    "yakuake",
    "gnome-terminal-server",
    "gnome-terminal-",
    "gnome-console",
    "kgx",
    "ptyxis",
    "ptyxis-agent",
    "xfce4-terminal",
    "mate-terminal",
    "lxterminal",
    "qterminal",
    "terminator",
    "tilix",
    "terminology",
    "kitten",
    "init",
    "systemd",
];
/// Programs that type into a terminal for others, or let others do it.
const TYPISTS: &[&str] =
    &["tmux", "screen", "script", "expect", "unbuffer", "zellij", "dtach", "abduco", "socat", "ttyd", "atd", "at", "cron", "crond", "scriptreplay"];

/// The processes above this one, the nearest first. `None`: the system does not show them.
#[must_use]
pub fn above() -> Option<Vec<ProcessAbove>> {
    let mut all = Vec::new();
    let mut process = std::process::id();
    for _ in 0..MAX_ABOVE {
        let (parent, session) = stat(process)?;
        let words = fs::read(format!("/proc/{process}/cmdline")).ok()?;
        // The variables of other users' processes cannot be read: those are no agent of this user.
        let variables = fs::read(format!("/proc/{process}/environ")).unwrap_or_default();
        let list = |bytes: &[u8]| -> Vec<String> {
            bytes.split(|byte| *byte == 0).filter(|word| !word.is_empty()).map(|word| String::from_utf8_lossy(word).into_owned()).collect()
        };
        let variables = list(&variables).iter().filter_map(|entry| Some(entry.split_once('=')?.0.to_owned())).collect();
        all.push(ProcessAbove { id: process, words: list(&words), variables, session });
        if parent <= 1 {
            return Some(all);
        }
        process = parent;
    }
    None
}

/// The parent and the session of a process (proc(5)). The second field is in parentheses and may hold anything.
fn stat(process: u32) -> Option<(u32, u32)> {
    let text = fs::read(format!("/proc/{process}/stat")).ok()?;
    let text = String::from_utf8_lossy(&text);
    let mut fields = text.rsplit_once(')')?.1.split_whitespace().skip(1);
    let parent = fields.next()?.parse().ok()?;
    Some((parent, fields.nth(1)?.parse().ok()?))
}

/// Why an agent may be above: its variable or its name. `None`: nothing says so.
#[must_use]
pub fn agent_above(chain: &[ProcessAbove]) -> Option<String> {
    for process in chain {
        if let Some(name) = process.variables.iter().find(|name| CLIENTS.iter().any(|client| client.variables().is_of_agent(name))) {
            return Some(format!("`{name}` is set for the process {} above this one", process.id));
        }
        // What an interpreter runs is in the words behind its name.
        let interprets =
            ["node", "bun", "deno", "python", "ruby", "npx", "npm", "uv", "sh", "bash", "zsh", "env"].iter().any(|name| name_of(process).starts_with(name));
        if let Some(word) = process.words.iter().take(if interprets { 3 } else { 1 }).find(|word| is_client(word)) {
            return Some(format!("the process {} above this one is an agent's (`{}`)", process.id, actions::clip(word)));
        }
    }
    None
}

/// True if a word of a command line is a client: `claude`, `/opt/codex/bin/codex.js`, `…/node_modules/@google/gemini-cli/…`.
fn is_client(word: &str) -> bool {
    let known = |part: &str| {
        let part = part.split('.').next().unwrap_or(part);
        CLIENTS.iter().any(|client| client.programs().contains(&part))
    };
    let mut parts = word.rsplit('/');
    let last = parts.next().unwrap_or_default();
    known(last) || (word.contains("/node_modules/") && parts.any(known))
}

/// Why it is not sure that a person types here. `None`: it is, as far as can be seen.
#[must_use]
pub fn doubt(chain: Option<&[ProcessAbove]>) -> Option<String> {
    let Some(chain) = chain else { return Some("the processes above this one cannot be seen".to_owned()) };
    if let Some(agent) = agent_above(chain) {
        return Some(agent);
    }
    let own = chain.first()?;
    let mut leader = None;
    for (at, process) in chain.iter().enumerate().skip(1) {
        let name = name_of(process);
        if let Some(typist) = TYPISTS.iter().find(|typist| name == **typist || name.starts_with(&format!("{typist}:"))) {
            return Some(format!("`{typist}` is above this process, and other programs can type into its terminal"));
        }
        let ours = process.session == own.session;
        if ours && !SHELLS.contains(&name) {
            return Some(format!("`{}` is above this process, which is no shell", actions::clip(name)));
        }
        if ours && process.id == own.session {
            leader = Some(at);
        }
        if !ours && !SHELLS.contains(&name) && !is_terminal(name) {
            // What started the terminal does not matter.
            let behind = chain.get(..at).is_some_and(|front| front.iter().any(|process| process.session != own.session && is_terminal(name_of(process))));
            if !behind {
                return Some(format!("`{}` gives this terminal, and is not known as a terminal of a person", actions::clip(name)));
            }
        }
    }
    // The first process of a terminal is a shell that a person got, and not something that made a terminal for itself.
    match leader {
        None => Some("no shell on this terminal is above this process".to_owned()),
        Some(_) => None,
    }
}

fn is_terminal(name: &str) -> bool {
    TERMINALS.iter().any(|known| name == *known || name.strip_prefix(known).is_some_and(|rest| rest.starts_with(':') || rest.starts_with('-')))
}

/// The name of a program, as it is written in front of its command line: `-bash`, `sshd: me@pts/0`.
fn name_of(process: &ProcessAbove) -> &str {
    let word = process.words.first().map_or("", |word| word.trim_start_matches('-'));
    let word = word.split(' ').next().unwrap_or(word);
    word.rsplit('/').next().unwrap_or(word)
}

#[cfg(test)]
#[path = "person_tests.rs"]
mod tests;
