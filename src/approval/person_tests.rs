//! Chains of processes, of persons and of others.

use super::*;

fn process(id: u32, session: u32, line: &str) -> ProcessAbove {
    ProcessAbove { id, session, words: line.split(' ').map(str::to_owned).collect(), ..ProcessAbove::default() }
}

/// `portcullis approve` under these processes: session and command line. A `=NAME` in front is the file that runs. Above the last
/// is the process 1 of the machine, but for a container's `1`.
fn chain(above: &[(u32, u32, &str)]) -> ProcessChain {
    let own = above.first().map_or(9, |first| first.1);
    let mut all = vec![process(100, own, "portcullis approve K7QM-2XRD")];
    for (id, session, line) in above {
        let (program, line) = line.strip_prefix('=').and_then(|rest| rest.split_once(' ')).map_or((None, *line), |(name, line)| (Some(name), line));
        all.push(ProcessAbove { program: program.map(str::to_owned), ..process(*id, *session, line) });
    }
    if above.last().is_none_or(|last| last.0 != 1) {
        all.push(ProcessAbove { program: None, ..process(1, 1, "/sbin/systemd --system") });
    }
    let parents: Vec<u32> = all.iter().skip(1).map(|process| process.id).chain([0]).collect();
    for (process, parent) in all.iter_mut().zip(parents) {
        process.parent = parent;
    }
    ProcessChain { processes: all, is_whole: true, is_apart: false }
}

#[test]
fn a_person_in_a_terminal_is_one() {
    for above in [
        &[(9, 9, "-bash"), (8, 7, "sshd: me@pts/0"), (7, 7, "sshd: me [priv]"), (5, 5, "/usr/sbin/sshd -D")][..],
        &[(9, 9, "bash"), (8, 8, "/usr/libexec/gnome-terminal-server"), (7, 7, "/lib/systemd/systemd --user")],
        &[(20, 9, "sudo -s"), (9, 9, "/bin/zsh"), (8, 8, "alacritty"), (7, 7, "sway"), (6, 6, "/usr/bin/some-session")],
        // `sudo` with a terminal of its own in between.
        &[(30, 29, "bash"), (29, 29, "sudo -s"), (28, 9, "sudo -s"), (9, 9, "bash"), (8, 8, "xterm")],
        &[(9, 9, "-bash"), (8, 8, "/bin/login -f")],
        // Whose names only look like an agent's.
        &[(9, 9, "bash"), (8, 8, "xterm -title claude"), (7, 7, "ssh-agent claude")],
        // The files that run have the names of packages and versions, and are called by others.
        &[(9, 9, "=zsh-5.9 -zsh"), (8, 8, "=.kitty-wrapped kitty")],
        &[(9, 9, "=dash /bin/sh"), (8, 8, "=rxvt-unicode x-terminal-emulator")],
        &[(9, 9, "=bash bash"), (8, 8, "=xterm (deleted) xterm")],
        // A container's first process is the shell itself.
        &[(1, 1, "bash")],
        &[(9, 1, "=sudo sudo -s"), (1, 1, "=bash bash")],
        // Windows' own.
        &[(9, 9, "-bash"), (8, 8, "/init"), (7, 7, "/init")],
    ] {
        assert_eq!(doubt(&chain(above)), None, "{above:?}");
    }
    // `docker exec`: nothing is above it that can be seen from inside.
    let mut inside = chain(&[(9, 9, "bash")]);
    inside.processes.truncate(2);
    inside.processes[1].parent = 0;
    assert_eq!(doubt(&inside), None);
}

#[test]
fn whoever_might_be_no_person_is_doubted() {
    for (above, why) in [
        (&[(9, 9, "bash"), (8, 8, "tmux new-session -d")][..], "tmux"),
        (&[(9, 9, "bash"), (8, 8, "tmux: server")], "tmux"),
        (&[(9, 9, "sh -c x"), (8, 8, "script -qc portcullis"), (7, 7, "bash"), (6, 6, "xterm")], "script"),
        (&[(9, 9, "bash"), (8, 8, "/usr/bin/expect -f x"), (7, 7, "xterm")], "expect"),
        (&[(9, 9, "bash"), (8, 8, "python3 pty.py"), (7, 7, "bash"), (6, 6, "xterm")], "python3"),
        (&[(9, 9, "python3 -c x"), (8, 8, "xterm")], "python3"),
        (&[(9, 9, "sh"), (8, 8, "atd")], "atd"),
        (&[(9, 9, "bash"), (8, 8, "claude -p x"), (7, 7, "xterm")], "claude"),
        (&[(9, 9, "bash"), (8, 8, "node /usr/lib/node_modules/@google/gemini-cli/dist/index.js")], "gemini"),
        (&[(9, 9, "bash"), (8, 8, "node /opt/bin/codex.js exec")], "codex"),
        (&[(20, 9, "bash"), (8, 8, "xterm")], "no shell on this terminal"),
        (&[(8, 8, "xterm")], "which is no shell"),
        (&[(1, 1, "systemd")], "which is no shell"),
        // Under another's name.
        (&[(9, 9, "bash"), (8, 8, "=expect xterm -c x"), (7, 7, "bash"), (6, 6, "xterm")], "expect"),
        (&[(9, 9, "=python3.11 bash"), (8, 8, "xterm")], "python"),
        (&[(9, 9, "bash"), (8, 8, "=socat login")], "socat"),
        // Left behind by what started it, and by what the machine starts for others.
        (&[(9, 9, "sh -c x")], "systemd"),
        (&[(9, 9, "sh -c x"), (8, 8, "=systemd /lib/systemd/systemd --user")], "systemd"),
        (&[(9, 9, "sh -c x"), (1, 1, "bash")], "no terminal of a person"),
    ] {
        let found = doubt(&chain(above));
        assert!(found.as_ref().is_some_and(|found| found.contains(why)), "{above:?}: {found:?}");
    }
    let person = || chain(&[(9, 9, "bash"), (8, 8, "xterm")]);
    assert_eq!(doubt(&person()), None);
    // In a user namespace of its own, and where the system hides what is above.
    assert!(doubt(&ProcessChain { is_apart: true, ..person() }).is_some());
    let mut hidden = ProcessChain { is_whole: false, ..chain(&[(9, 9, "bash")]) };
    hidden.processes.truncate(2);
    assert!(doubt(&hidden).is_some_and(|why| why.contains("cannot be seen")));
    assert!(doubt(&ProcessChain::default()).is_some());
    // What is seen of an agent counts all the same.
    hidden.processes[1].variables.push("CLAUDECODE".to_owned());
    assert!(agent_above(&hidden).is_some());
}

#[test]
fn a_variable_of_an_agent_counts_wherever_it_is_above() {
    let mut all = chain(&[(9, 9, "bash"), (8, 8, "xterm"), (7, 7, "bash")]);
    assert_eq!(doubt(&all), None);
    all.processes[3].variables.push("CLAUDECODE".to_owned());
    assert!(doubt(&all).is_some_and(|why| why.contains("CLAUDECODE")));
}
