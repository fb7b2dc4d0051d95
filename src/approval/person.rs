//! Whether a person types here: no agent is above this process, and the terminal is one that no program types into.
//!
//! This finds everyday cases. A program that an agent compiled can dress up as a shell in a terminal; SECURITY.md says so.

use std::fs;

use clients::CLIENTS;

/// A process above this one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProcessAbove {
    pub id: u32,
    /// 0: it is the first of all that can be seen from here.
    pub parent: u32,
    /// The words of its command line, which it can choose.
    pub words: Vec<String>,
    /// The name of the file that runs. `None`: the system does not show it, as for other users' processes.
    pub program: Option<String>,
    /// The names of its variables.
    pub variables: Vec<String>,
    /// Its session.
    pub session: u32,
}

/// This process and those above it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProcessChain {
    /// The nearest first, this one in front.
    pub processes: Vec<ProcessAbove>,
    /// False: there are more, which the system does not show.
    pub is_whole: bool,
    /// It is in a user namespace of its own, which every user can make: nothing that is seen from there is sure.
    pub is_apart: bool,
}

/// Processes that are looked at.
const MAX_ABOVE: usize = 64;

/// Shells, and what is between a shell and its terminal.
const SHELLS: &[&str] =
    &["sh", "bash", "zsh", "fish", "dash", "ksh", "mksh", "nu", "elvish", "xonsh", "tcsh", "csh", "ash", "busybox", "toybox", "sudo", "su", "doas", "env"];
/// What gives a person a terminal.
const TERMINALS: &[&str] = &[
    "login",
    "agetty",
    "sshd",
    "sshd-session",
    "mosh-server",
    "xterm",
    "urxvt",
    "urxvtd",
    "rxvt",
    "rxvt-unicode",
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
];
/// Programs that type into a terminal for others, or let others do it.
const TYPISTS: &[&str] =
    &["tmux", "screen", "script", "expect", "unbuffer", "zellij", "dtach", "abduco", "socat", "ttyd", "atd", "at", "cron", "crond", "scriptreplay"];

/// This process and those above it, as far as the system shows them.
#[must_use]
pub fn above() -> ProcessChain {
    let map = fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    let mut chain = ProcessChain { is_apart: !map.is_empty() && map.split_whitespace().ne(["0", "0", "4294967295"]), ..ProcessChain::default() };
    let mut process = std::process::id();
    while chain.processes.len() < MAX_ABOVE {
        let Some(found) = looked_at(process) else { return chain };
        process = found.parent;
        chain.processes.push(found);
        if process == 0 {
            chain.is_whole = true;
            return chain;
        }
    }
    chain
}

fn looked_at(process: u32) -> Option<ProcessAbove> {
    let (parent, session) = stat(process)?;
    let words = fs::read(format!("/proc/{process}/cmdline")).ok()?;
    // The variables of other users' processes cannot be read: those are no agent of this user.
    let variables = fs::read(format!("/proc/{process}/environ")).unwrap_or_default();
    let program = fs::read_link(format!("/proc/{process}/exe")).ok();
    let program = program.and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned()));
    let list = |bytes: &[u8]| -> Vec<String> {
        bytes.split(|byte| *byte == 0).filter(|word| !word.is_empty()).map(|word| String::from_utf8_lossy(word).into_owned()).collect()
    };
    let variables = list(&variables).iter().filter_map(|entry| Some(entry.split_once('=')?.0.to_owned())).collect();
    Some(ProcessAbove { id: process, parent, words: list(&words), program, variables, session })
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
pub fn agent_above(chain: &ProcessChain) -> Option<String> {
    for process in &chain.processes {
        if let Some(name) = process.variables.iter().find(|name| CLIENTS.iter().any(|client| client.variables().is_of_agent(name))) {
            return Some(format!("`{name}` is set for the process {} above this one", process.id));
        }
        // What an interpreter runs is in the words behind its name.
        let interprets =
            ["node", "bun", "deno", "python", "ruby", "npx", "npm", "uv", "sh", "bash", "zsh", "env"].iter().any(|name| said_name(process).starts_with(name));
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
pub fn doubt(chain: &ProcessChain) -> Option<String> {
    if let Some(agent) = agent_above(chain) {
        return Some(agent);
    }
    if chain.is_apart {
        return Some("this runs in a user namespace of its own, in which any process can look like another".to_owned());
    }
    let unseen = || Some("the processes above this one cannot be seen".to_owned());
    let Some(own) = chain.processes.first() else { return unseen() };
    let (mut has_leader, mut has_terminal) = (false, false);
    for process in chain.processes.iter().skip(1) {
        let name = name_of(process);
        let named =
            |known: &str| [name, said_name(process)].iter().any(|name| *name == known || name.strip_prefix(known).is_some_and(|rest| rest.starts_with(':')));
        if let Some(typist) = TYPISTS.iter().find(|typist| named(typist)) {
            return Some(format!("`{typist}` is above this process, and other programs can type into its terminal"));
        }
        let is_ours = process.session == own.session;
        if is_ours && !SHELLS.contains(&name) {
            return Some(format!("`{}` is above this process, which is no shell", actions::clip(name)));
        }
        has_leader |= is_ours && process.id == own.session;
        has_terminal |= !is_ours && is_terminal(name);
        // What started the terminal does not matter.
        if !is_ours && !has_terminal && !SHELLS.contains(&name) {
            return Some(format!("`{}` gives this terminal, and is not known as a terminal of a person", actions::clip(name)));
        }
    }
    // The first process of a terminal is a shell that a person got, and not something that made a terminal for itself.
    if !has_leader {
        return Some("no shell on this terminal is above this process".to_owned());
    }
    // The shell is the first process of a container. Elsewhere one without a terminal above it was left behind by what started it.
    let is_first = chain.processes.last().is_some_and(|last| last.parent == 0 && last.session == own.session);
    match (has_terminal, chain.is_whole) {
        (true, _) => None,
        (false, true) if is_first => None,
        (false, true) => Some("no terminal of a person is above this process".to_owned()),
        (false, false) => unseen(),
    }
}

fn is_terminal(name: &str) -> bool {
    TERMINALS.iter().any(|known| name == *known || name.strip_prefix(known).is_some_and(|rest| rest.starts_with(':') || rest.starts_with('-')))
}

/// The name of a process: that of the file that runs, else what it says of itself.
fn name_of(process: &ProcessAbove) -> &str {
    process.program.as_deref().map_or_else(|| said_name(process), plain)
}

/// The name of a program without what packages add: `.kitty-wrapped`, `zsh-5.9`.
fn plain(name: &str) -> &str {
    let name = name.strip_suffix(" (deleted)").unwrap_or(name).trim_start_matches('.');
    let name = name.strip_suffix("-wrapped").unwrap_or(name);
    let front = name.trim_end_matches(|sign: char| sign.is_ascii_digit() || sign == '.');
    let front = front.strip_suffix('-').unwrap_or(front);
    if front.is_empty() { name } else { front }
}

/// The name of a program, as it is written in front of its command line: `-bash`, `sshd: me@pts/0`.
fn said_name(process: &ProcessAbove) -> &str {
    let word = process.words.first().map_or("", |word| word.trim_start_matches('-'));
    let word = word.split(' ').next().unwrap_or(word);
    word.rsplit('/').next().unwrap_or(word)
}

#[cfg(test)]
#[path = "person_tests.rs"]
mod tests;
