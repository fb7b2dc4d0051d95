//! Chains of processes, of persons and of others.

use super::*;

fn process(id: u32, session: u32, line: &str) -> ProcessAbove {
    ProcessAbove { id, session, words: line.split(' ').map(str::to_owned).collect(), variables: Vec::new() }
}

/// `portcullis approve` under these processes: session and command line.
fn chain(above: &[(u32, u32, &str)]) -> Vec<ProcessAbove> {
    let own = above.first().map_or(9, |first| first.1);
    let mut all = vec![process(100, own, "portcullis approve K7QM-2XRD")];
    all.extend(above.iter().map(|(id, session, line)| process(*id, *session, line)));
    all
}

#[test]
fn a_person_in_a_terminal_is_one() {
    for above in [
        &[(9, 9, "-bash"), (8, 7, "sshd: me@pts/0"), (7, 7, "sshd: me [priv]"), (5, 5, "/usr/sbin/sshd -D")][..],
        &[(9, 9, "bash"), (8, 8, "/usr/libexec/gnome-terminal-server"), (7, 7, "/lib/systemd/systemd --user")],
        &[(20, 9, "sudo -s"), (9, 9, "/bin/zsh"), (8, 8, "alacritty"), (7, 7, "sway"), (6, 6, "/usr/bin/some-session")],
        &[(9, 9, "-bash"), (8, 8, "/bin/login -f")],
        // Whose names only look like an agent's.
        &[(9, 9, "bash"), (8, 8, "xterm -title claude"), (7, 7, "ssh-agent claude")],
        // A container's first process is the shell itself.
        &[(9, 9, "bash")],
    ] {
        assert_eq!(doubt(Some(&chain(above))), None, "{above:?}");
    }
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
        (&[], "no shell on this terminal"),
    ] {
        let found = doubt(Some(&chain(above)));
        assert!(found.as_ref().is_some_and(|found| found.contains(why)), "{above:?}: {found:?}");
    }
    assert!(doubt(None).is_some());
}

#[test]
fn a_variable_of_an_agent_counts_wherever_it_is_above() {
    let mut all = chain(&[(9, 9, "bash"), (8, 8, "xterm"), (7, 7, "bash")]);
    assert_eq!(doubt(Some(&all)), None);
    all[3].variables.push("CLAUDECODE".to_owned());
    assert!(doubt(Some(&all)).is_some_and(|why| why.contains("CLAUDECODE")));
}
