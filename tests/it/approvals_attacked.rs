//! Ways around a person that must fail: agents that approve, files written by hand, calls that change after an approval.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::approvals::{Desk, KEYGEN, SCRIPT, can_play, code_of};
use crate::support::{COLD, Said, commit_files, json, run};

#[test]
fn whatever_differs_gets_another_code_and_is_named() {
    if !can_play() {
        return;
    }
    let desk = Desk::keyed();
    desk.scratch.write("run.sh", "npm publish\n");
    desk.scratch.write("sub/x", "x");
    let code = desk.denied("bash run.sh --tag a", "toolu_1");
    desk.approved(&code);
    let repo = desk.scratch.repo();
    let differs = |said: Said, what: &str| {
        assert_ne!(code_of(&said), code);
        assert!(said.stderr.contains(&format!("{code} was approved for")) && said.stderr.contains(what), "{what}: {}", said.stderr);
    };
    differs(desk.hook("bash run.sh --tag 'a '", "toolu_2"), "the command");
    differs(desk.hook_in("bash ../run.sh --tag a", "toolu_3", &repo.join("sub"), "PreToolUse", "bypassPermissions"), "the folder");
    let sub = desk.hook_in("npm publish", "toolu_4", &repo.join("sub"), "PreToolUse", "bypassPermissions");
    assert_ne!(code_of(&sub), code);
    // A file that the judgement opened is swapped: a line that is harmless, and back again.
    desk.scratch.write("run.sh", "npm publish\n# more\n");
    differs(desk.hook("bash run.sh --tag a", "toolu_5"), "run.sh");
    desk.scratch.write("run.sh", "npm publish\n");
    // Another branch, at the same commit.
    fs::write(repo.join(".git/refs/heads/other"), fs::read(repo.join(".git/refs/heads/main")).unwrap()).unwrap();
    desk.scratch.write(".git/HEAD", "ref: refs/heads/other\n");
    differs(desk.hook("bash run.sh --tag a", "toolu_6"), "the branch");
    desk.scratch.write(".git/HEAD", "ref: refs/heads/main\n");
    // Another policy.
    desk.scratch.write("portcullis.toml", "schema = 1\nprotected = [\"x\"]\n");
    differs(desk.hook("bash run.sh --tag a", "toolu_7"), "the policy");
    fs::remove_file(repo.join("portcullis.toml")).unwrap();
    // Another client, and another agent of it.
    let agent = format!(
        r#"{{"session_id":"s","transcript_path":"/t","cwd":{},"permission_mode":"bypassPermissions","hook_event_name":"PreToolUse","tool_name":"Bash","agent_id":"a","agent_type":"deployer","tool_input":{{"command":"bash run.sh --tag a"}},"tool_use_id":"toolu_8"}}"#,
        json(&repo.to_string_lossy())
    );
    differs(desk.event("PreToolUse", &agent), "the agent");
    // All of it as it was: the approval is still there, and used now.
    assert_eq!(desk.hook("bash run.sh --tag a", "toolu_9").code, 0);
}

#[test]
fn more_commits_after_the_approval_are_not_pushed() {
    if !can_play() {
        return;
    }
    let desk = Desk::keyed();
    let code = desk.denied("git push origin main", "toolu_1");
    desk.approved(&code);
    desk.scratch.write("b.txt", "two\n");
    commit_files(&desk.repository(), &["b.txt"], "second");
    let said = desk.hook("git push origin main", "toolu_2");
    assert_ne!(code_of(&said), code);
    assert!(said.stderr.contains("a commit"), "{}", said.stderr);
    // Another place for the remote of the same name.
    let code = desk.denied("git push origin main", "toolu_3");
    desk.approved(&code);
    desk.scratch.write(".git/config", "[core]\n\trepositoryformatversion = 0\n[remote \"origin\"]\n\turl = https://example.com/other\n");
    assert_ne!(desk.denied("git push origin main", "toolu_4"), code);
}

#[test]
fn of_many_processes_at_once_exactly_one_passes() {
    if !can_play() {
        return;
    }
    let desk = Desk::keyed();
    let code = desk.denied("npm publish", "toolu_0");
    desk.approved(&code);
    let codes: Vec<i32> = std::thread::scope(|scope| {
        let runs: Vec<_> = (1..=8).map(|at| (at, &desk)).map(|(at, desk)| scope.spawn(move || desk.hook("npm publish", &format!("toolu_{at}")).code)).collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    assert_eq!(codes.iter().filter(|code| **code == 0).count(), 1, "{codes:?}");
    assert!(codes.iter().all(|code| matches!(code, 0 | 2)), "{codes:?}");
}

#[test]
fn a_store_that_was_written_by_hand_allows_nothing() {
    if !can_play() {
        return;
    }
    let desk = Desk::keyed();
    let code = desk.denied("npm publish", "toolu_1");
    let folder = desk.folder();
    let request: serde_json::Value = serde_json::from_slice(&fs::read(folder.join(format!("{code}.request"))).unwrap()).unwrap();
    let digest = request["digest"].as_str().unwrap();
    let now = gate::world::system::now();
    let statement = format!("portcullis approval, format 1\ncode: {code}\ndigest: {digest}\nfrom: {now}\nuntil: {}\n", now + 600);
    let forge = |way: &str, signature: Option<&str>| {
        let record = serde_json::json!({ "format": 1, "statement": statement, "way": way, "by": "dev", "signature": signature });
        fs::write(folder.join(format!("{code}.approval")), record.to_string()).unwrap();
    };
    let sign = |key: &Path, namespace: &str| {
        let said = run(Command::new(KEYGEN).args(["-Y", "sign", "-n", namespace, "-f"]).arg(key), statement.as_bytes());
        assert_eq!(said.code, 0, "{}", said.stderr);
        said.stdout
    };
    // Nobody signed; the agent's own key; a key that may sign for something else.
    let own = desk.scratch.home().join("agents_key");
    Desk::make_key(&own, "");
    for (way, signature) in
        [("terminal", None), ("key", None), ("key", Some("x".to_owned())), ("key", Some(sign(&own, "portcullis"))), ("key", Some(sign(&own, "git")))]
    {
        forge(way, signature.as_deref());
        let said = desk.hook("npm publish", "toolu_2");
        assert_eq!(said.code, 2);
        assert_eq!(desk.state_of(&code), "invalid");
    }
    // The person is shown what is bound, or nothing: a request that shows something else is no request.
    fs::remove_file(folder.join(format!("{code}.approval"))).unwrap();
    let mut changed = request.clone();
    changed["parts"][0][1] = serde_json::json!("Bash\nnpm publish --dry-run\n{}");
    fs::write(folder.join(format!("{code}.request")), changed.to_string()).unwrap();
    assert_eq!(desk.state_of(&code), "unknown");
    assert!(desk.approve(&code).text.contains("there is no request"));
    assert!(desk.cold(&["approvals"]).stdout.contains("its digest is not that of what it shows"));
    // Damaged and foreign files are named, and count for nothing.
    fs::write(folder.join(format!("{code}.request")), "{").unwrap();
    fs::write(folder.join("note"), "x").unwrap();
    fs::write(folder.join("AAAA-BBBB.approval"), "{}").unwrap();
    std::os::unix::fs::symlink("/etc/passwd", folder.join("CCCC-DDDD.request")).unwrap();
    let (listed, doctor) = (desk.cold(&["approvals"]).stdout, desk.cold(&["doctor"]).stdout);
    for name in [&format!("{code}.request"), "note", "AAAA-BBBB.approval", "CCCC-DDDD.request"] {
        assert!(listed.contains(name) && doctor.contains(name), "{name}:\n{listed}\n{doctor}");
    }
}

#[test]
fn no_repository_says_who_may_sign() {
    if !can_play() {
        return;
    }
    let desk = Desk::keyed();
    let own = desk.scratch.home().join("agents_key");
    Desk::make_key(&own, "agents words");
    let public = fs::read_to_string(own.with_extension("pub")).unwrap();
    // A file of keys in the project, where nothing names it.
    for place in ["allowed_signers", ".config/portcullis/allowed_signers", ".portcullis/allowed_signers"] {
        desk.scratch.write(place, &format!("agent {public}"));
    }
    let code = desk.denied("npm publish", "toolu_1");
    let shown = desk.on_terminal(Path::new(SCRIPT), &format!("{COLD} approve {code} --key {}", own.display()), &[("passphrase", "agents words")]);
    assert!(shown.code == "1" && shown.text.contains("may not sign"), "{}", shown.text);
    assert_eq!(desk.denied("npm publish", "toolu_2"), code);
    // The policy of the project, and the local one.
    for file in ["portcullis.toml", ".portcullis/local.toml"] {
        desk.scratch.write(file, "schema = 1\n[approval]\nsigners = \"/tmp/allowed_signers\"\nterminal = true\n");
        let said = desk.hook("npm publish", "toolu_3");
        assert!(said.code == 2 && said.stderr.contains("`[approval]` is not allowed in the"), "{}", said.stderr);
        assert_eq!(desk.hook("ls", "toolu_4").code, 2);
        fs::remove_file(desk.scratch.repo().join(file)).unwrap();
    }
    // A person's policy that names a file which agents can write.
    desk.policy(&format!("signers = \"{}/allowed_signers\"", desk.scratch.repo().display()));
    let code = desk.denied("npm publish", "toolu_5");
    let shown = desk.on_terminal(Path::new(SCRIPT), &format!("{COLD} approve {code} --key {}", own.display()), &[("passphrase", "agents words")]);
    assert!(shown.code == "1" && shown.text.contains("is in the repository"), "{}", shown.text);
    assert!(desk.cold(&["doctor"]).stdout.contains("is in the repository"));
}

#[test]
fn a_key_without_a_passphrase_signs_nothing() {
    if !can_play() {
        return;
    }
    let desk = Desk::keyed();
    let bare = desk.scratch.home().join("bare");
    Desk::make_key(&bare, "");
    desk.allow("bare", &bare.with_extension("pub"));
    let code = desk.denied("npm publish", "toolu_1");
    let shown = desk.on_terminal(Path::new(SCRIPT), &format!("{COLD} approve {code} --key {}", bare.display()), &[]);
    assert!(shown.code == "1" && shown.text.contains("has no passphrase"), "{}", shown.text);
    // The public half, for which `ssh-keygen` would ask an agent of keys.
    let shown = desk.on_terminal(Path::new(SCRIPT), &format!("{COLD} approve {code} --key {}.pub", bare.display()), &[]);
    assert!(shown.code == "1" && shown.text.contains("no private key"), "{}", shown.text);
    assert_eq!(desk.denied("npm publish", "toolu_2"), code);
}

#[test]
fn agents_cannot_approve() {
    if !can_play() {
        return;
    }
    let desk = Desk::new("terminal = true");
    let code = desk.denied("npm publish", "toolu_1");
    // At the gate, in every form.
    for line in [
        format!("portcullis approve {code}"),
        format!("portcullis revoke {code}"),
        "portcullis approve --setup".to_owned(),
        format!("script -qc 'portcullis approve {code}' /dev/null"),
        format!("tmux new-session -d 'portcullis approve {code}'"),
        format!("tmux send-keys -t 0 'portcullis approve {code}' Enter"),
        format!("expect -c 'spawn portcullis approve {code}; expect type; send approve'"),
        format!("echo 'portcullis approve {code}' | at now"),
        format!("at now <<< 'portcullis approve {code}'"),
        format!("screen -dm portcullis approve {code}"),
        format!("setsid env -i portcullis approve {code}"),
        format!("python3 -c 'import pty; pty.spawn([\"portcullis\", \"approve\", \"{code}\"])'"),
        "echo x > ~/.local/state/portcullis/1/approvals/K7QM-2XRD.approval".to_owned(),
        "rm ~/.local/state/portcullis/1/approvals/K7QM-2XRD.used".to_owned(),
        "echo x >> ~/.config/portcullis/allowed_signers".to_owned(),
        "cat ~/.config/portcullis/approval_key".to_owned(),
        "ssh-keygen -Y sign -n portcullis -f ~/.ssh/id_ed25519 statement".to_owned(),
        "ssh-add ~/.config/portcullis/approval_key".to_owned(),
    ] {
        let said = desk.hook(&line, "toolu_2");
        assert!(said.code == 2 && said.stderr.contains("retry: no, not in any form"), "{line}: {said:?}");
    }
    // A sub-agent's call is judged like any other.
    let agent = format!(
        r#"{{"session_id":"s","transcript_path":"/t","cwd":{},"permission_mode":"bypassPermissions","hook_event_name":"PreToolUse","tool_name":"Bash","agent_id":"a","agent_type":"helper","tool_input":{{"command":"portcullis approve {code}"}},"tool_use_id":"toolu_8"}}"#,
        json(&desk.scratch.repo().to_string_lossy())
    );
    assert!(desk.event("PreToolUse", &agent).stderr.contains("not in any form"));
    // And where the gate did not see it: the command itself refuses. A terminal that a program gives is doubted.
    let shown = desk.on_terminal(Path::new(SCRIPT), &format!("{COLD} approve {code}"), &[("type the word", "approve")]);
    assert!(shown.code == "1" && shown.text.contains("`script` is above this process"), "{}", shown.text);
    let shown = desk.on_terminal(Path::new(SCRIPT), &format!("CLAUDECODE=1 {COLD} approve {code}"), &[("type the word", "approve")]);
    assert!(shown.code == "1" && shown.text.contains("an agent runs this"), "{}", shown.text);
    // The variable is taken away, but the shell above has it.
    let line = format!("CLAUDECODE=1 sh -c 'env -u CLAUDECODE {COLD} approve {code}; true'");
    let shown = desk.on_terminal(Path::new(SCRIPT), &line, &[("type the word", "approve")]);
    assert!(shown.text.contains("`CLAUDECODE` is set for the process"), "{}", shown.text);
    let claude = desk.scratch.home().join("claude");
    fs::copy("/bin/sh", &claude).unwrap();
    let shown = desk.on_terminal(Path::new(SCRIPT), &format!("{} -c '{COLD} approve {code}; true'", claude.display()), &[("type the word", "approve")]);
    assert!(shown.text.contains("is an agent's"), "{}", shown.text);
    // No terminal at all.
    assert!(desk.cold(&["approve", &code]).stderr.contains("there is no terminal here"));
    assert_eq!(desk.denied("npm publish", "toolu_3"), code);
}

/// Where Debian puts them (packages `expect` and `at`).
const EXPECT: &str = "/usr/bin/expect";
const AT: &str = "/usr/bin/at";
const ATD: &str = "/usr/sbin/atd";

/// Runs a program below no process of the test, with the desk's home and nothing of the test's environment, until it has written
/// the line `rc=` into the file. `None`: it never did.
fn left_alone(desk: &Desk, words: &[&str], seen: &Path) -> Option<String> {
    let _ = fs::remove_file(seen);
    let mut command = Command::new("/bin/sh");
    command.args(["-c", r#"exec < /dev/null; setsid "$@" > /dev/null 2>&1 &"#, "sh"]).args(words);
    let home = desk.scratch.home();
    command.env_clear().current_dir(desk.scratch.repo()).env("HOME", &home).env("PORTCULLIS_TEST_PASSWORD_HOME", &home);
    command.env("PATH", "/usr/bin:/bin").env("USER", "dev").env("SHELL", "/bin/sh").env("NO_COLOR", "1").env("TERM", "dumb").env("LC_ALL", "C.UTF-8");
    assert!(command.status().unwrap().success());
    waited(seen)
}

fn waited(seen: &Path) -> Option<String> {
    for _ in 0..1200 {
        std::thread::sleep(Duration::from_millis(50));
        let text = fs::read_to_string(seen).unwrap_or_default();
        if text.contains("rc=") {
            return Some(text.replace(['\r', '\n'], " "));
        }
    }
    None
}

/// A script of `expect` that types the word, and writes what it saw into a file. `begin` starts the command on a terminal.
fn typing(begin: &str, seen: &Path) -> String {
    format!(
        "log_user 0\nset timeout 30\nset saw {{}}\n{begin}\nexpect {{\n  \"type the word\" {{ append saw $expect_out(buffer); send \"approve\\r\"; exp_continue }}\n  -re {{fix: [^\n]*\n}} {{ append saw $expect_out(buffer) }}\n  eof {{ append saw $expect_out(buffer) }}\n  timeout {{ append saw $expect_out(buffer) }}\n}}\nset file [open {{{}}} w]\nputs $file \"$saw rc=done\"\nclose $file\n",
        seen.display()
    )
}

#[test]
fn a_program_that_types_is_no_person() {
    if !can_play() || !Path::new(EXPECT).is_file() {
        return;
    }
    let desk = Desk::new("terminal = true");
    let code = desk.denied("npm publish", "toolu_1");
    let (script, seen) = (desk.scratch.home().join("x.exp"), desk.scratch.home().join("seen"));
    let approve = format!("{COLD} approve {code}");
    // What the gate says of the script, and what happens if it did not see it: each is a chain of processes with a real pseudo-terminal.
    let chains = [
        (format!("spawn {approve}"), vec![EXPECT, "-f"], "`expect` is above this process"),
        (format!("spawn sh -c \"{approve}; true\""), vec![EXPECT], "`expect` is above this process"),
        (format!("spawn bash -c \"env -u CLAUDECODE {approve}; true\""), vec!["bash", "-c", "exec -a xterm expect \"$0\""], "`expect` is above this process"),
        // The shell is left behind by the process that started it, with the terminal that `expect` holds.
        (
            format!("spawn -noecho -pty\nset slave $spawn_out(slave,name)\nexec setsid -f -c sh -c \"{approve}; true\" < $slave > $slave 2> $slave &"),
            vec![EXPECT, "-f"],
            "this terminal",
        ),
    ];
    for (begin, with, why) in chains {
        fs::write(&script, typing(&begin, &seen).replace("npm publish", "")).unwrap();
        let words: Vec<&str> = with.into_iter().chain([script.to_str().unwrap()]).collect();
        let said = desk.hook(&format!("expect -f {}", script.display()), "toolu_2");
        assert!(said.code == 2 && said.stderr.contains("retry: no, not in any form"), "{begin}: {said:?}");
        let saw = left_alone(&desk, &words, &seen).unwrap_or_else(|| panic!("{begin}: it never ended"));
        assert!(saw.contains(why) || saw.contains("no terminal of a person"), "{begin}: {saw}");
        assert_eq!(desk.state_of(&code), "pending", "{begin}: {saw}");
    }
    // In namespaces of its own for users and processes any shell can be the first process of all. Not every machine lets users make one.
    if Command::new("unshare").args(["-Ur", "true"]).status().is_ok_and(|status| status.success()) {
        for options in ["-Ur", "-Urpf --mount-proc"] {
            let line = format!("unshare {options} sh -c '{approve}; true'");
            let shown = desk.on_terminal(Path::new(SCRIPT), &line, &[("type the word", "approve")]);
            assert!(shown.text.contains("a user namespace of its own") || shown.text.contains("`script` is above"), "{}", shown.text);
            assert_eq!(desk.state_of(&code), "pending", "{}", shown.text);
        }
    }
    // With a key: what is typed is no passphrase, and nothing else signs.
    let desk = Desk::keyed();
    let code = desk.denied("npm publish", "toolu_1");
    let (script, seen) = (desk.scratch.home().join("x.exp"), desk.scratch.home().join("seen"));
    let begin = format!("spawn {COLD} approve {code}");
    fs::write(&script, typing(&begin, &seen).replace("type the word", "passphrase")).unwrap();
    let saw = left_alone(&desk, &[EXPECT, "-f", script.to_str().unwrap()], &seen).unwrap();
    assert!(saw.contains("did not sign"), "{saw}");
    assert_eq!(desk.state_of(&code), "pending");
}

#[test]
fn a_job_of_at_approves_nothing() {
    if !can_play() || ![AT, ATD, EXPECT].iter().all(|program| Path::new(program).is_file()) {
        return;
    }
    let Some(_starter) = JobStarter::here() else { return };
    let desk = Desk::new("terminal = true");
    let code = desk.denied("npm publish", "toolu_1");
    let home = desk.scratch.home();
    let (seen, script, inner) = (home.join("seen"), home.join("x.exp"), home.join("inner"));
    let approve = format!("{COLD} approve {code}");
    fs::write(&script, typing(&format!("spawn sh -c \"{approve}; true\""), &inner)).unwrap();
    let (seen, inner) = (seen.to_str().unwrap(), inner.to_str().unwrap());
    let jobs = [
        // A job has no terminal.
        (format!("{approve} < /dev/null > {seen} 2>&1; echo rc=$? >> {seen}"), "there is no terminal here"),
        // `at` hands on the variables of whoever submits, unless they are taken away.
        (format!("CLAUDECODE=1 {approve} > {seen} 2>&1; echo rc=$? >> {seen}"), "an agent runs this"),
        // With a terminal that a program gives.
        (format!("script -qec '{approve}; true' {seen} < /dev/null; echo rc=$? >> {seen}"), "is above this process"),
        (format!("expect -f {}; cat {inner} > {seen}; echo rc=$? >> {seen}", script.display()), "is above this process"),
    ];
    for (job, why) in jobs {
        let _ = fs::remove_file(seen);
        // The gate sees the job in what is given to `at`.
        let said = desk.hook(&format!("at now <<'E'\n{job}\nE"), "toolu_2");
        assert!(said.code == 2 && said.stderr.contains("retry: no, not in any form"), "{job}: {said:?}");
        let mut at = Command::new(AT);
        at.arg("now").env_clear().env("HOME", &home).env("PORTCULLIS_TEST_PASSWORD_HOME", &home).env("PATH", "/usr/bin:/bin").env("NO_COLOR", "1");
        let given = run(at.env("USER", "dev").env("SHELL", "/bin/sh").current_dir(desk.scratch.repo()), format!("{job}\n").as_bytes());
        assert_eq!(given.code, 0, "{given:?}");
        let saw = waited(Path::new(seen)).unwrap_or_else(|| panic!("{job}: it never ended"));
        assert!(saw.contains(why), "{job}: {saw}");
        assert_eq!(desk.state_of(&code), "pending", "{job}: {saw}");
    }
}

/// The daemon that starts the jobs of `at`, for as long as this lives; one that runs already is left running.
struct JobStarter(Option<Child>);

impl JobStarter {
    /// `None`: jobs are not started here.
    fn here() -> Option<Self> {
        let named = |entry: fs::DirEntry| fs::read_to_string(entry.path().join("comm")).is_ok_and(|name| name.trim() == "atd");
        if fs::read_dir("/proc").into_iter().flatten().flatten().any(named) {
            return Some(Self(None));
        }
        // Only the administrator can start it.
        let child = (gate::world::system::user() == 0).then(|| Command::new(ATD).arg("-f").stdin(Stdio::null()).spawn().ok())??;
        std::thread::sleep(Duration::from_millis(500));
        Some(Self(Some(child)))
    }
}

impl Drop for JobStarter {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

#[test]
fn a_multiplexer_is_no_terminal_of_a_person() {
    const TMUX: &str = "/usr/bin/tmux";
    if !can_play() || !Path::new(TMUX).is_file() {
        return;
    }
    let desk = Desk::new("terminal = true");
    let code = desk.denied("npm publish", "toolu_1");
    let (socket, seen) = (desk.scratch.home().join("tmux"), desk.scratch.home().join("seen"));
    let tmux = |arguments: &[&str]| {
        let mut command = Command::new(TMUX);
        command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", desk.scratch.home()).env("TERM", "screen").env("LC_ALL", "C.UTF-8");
        command.env("PORTCULLIS_TEST_PASSWORD_HOME", desk.scratch.home()).env("SHELL", "/bin/sh");
        run(command.arg("-S").arg(&socket).args(["-f", "/dev/null"]).args(arguments).current_dir(desk.scratch.repo()), b"")
    };
    let line = format!("{COLD} approve {code} 2> {}; sleep 0.2", seen.display());
    let made = tmux(&["new-session", "-d", "-x", "80", "-y", "20", &line]);
    assert_eq!(made.code, 0, "{}", made.stderr);
    // Standard error is a file there, so that no question can be asked; and with a terminal, tmux is doubted.
    let line = format!("{COLD} approve {code}; sleep 5");
    tmux(&["new-session", "-d", "-s", "typed", "-x", "200", "-y", "20", &line]);
    let mut pane = String::new();
    for _ in 0..50 {
        std::thread::sleep(Duration::from_millis(100));
        pane = tmux(&["capture-pane", "-p", "-J", "-t", "typed"]).stdout;
        if pane.contains("tmux") {
            break;
        }
    }
    tmux(&["kill-server"]);
    assert!(pane.contains("`tmux` is above this process"), "{pane}");
    assert_eq!(desk.denied("npm publish", "toolu_2"), code);
}
