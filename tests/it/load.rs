//! The hook on a machine that is busy, in places that give nothing: harmless calls are allowed, and what guards is not let
//! through. Takes a minute or two and all processors, so it is run by name:
//! `cargo test --test it -- --ignored load::`. `PORTCULLIS_LOAD` sets how many busy processes there are.

use std::fs;
use std::io::{Read as _, Write as _};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use gate::world::state;
use gate::world::system::now_ms;

use crate::support::{Said, Scratch, hook_path, json, run};

/// Busy processes.
const LOAD: usize = 30;
/// Hooks that are started at the same moment.
const AT_ONCE: usize = 8;
/// Changes of the policy.
const CHANGES: usize = 5;
/// Folders of the large repository, and files in each.
const LARGE: (usize, usize) = (200, 1000);
const HARMLESS: &[&str] = &["git status --short", "ls -la", "cargo test", "rm -rf target", "git commit -m 'git push --force'"];
const GUARDING: &[&str] = &["git push --force origin main", "rm -rf ~", "git push origin +main"];

/// Busy processes of low priority, which end with this.
struct BusyMachine(Vec<Child>);

impl BusyMachine {
    fn new() -> Self {
        let wanted = std::env::var("PORTCULLIS_LOAD").ok().and_then(|text| text.parse().ok()).unwrap_or(LOAD);
        let busy = || Command::new("nice").args(["-n", "5", "sh", "-c", "while :; do :; done"]).spawn().unwrap();
        Self((0..wanted).map(|_| busy()).collect())
    }
}

impl Drop for BusyMachine {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn payload(scratch: &Scratch, command: &str) -> Vec<u8> {
    scratch.payload("Bash", &format!(r#"{{"command":{}}}"#, json(command)), "default").into_bytes()
}

/// What the hook says as the wiring of `init` starts it.
fn said(scratch: &Scratch, command: &str) -> Said {
    run(scratch.command(hook_path()).args(["PreToolUse", "claude-code", "50"]), &payload(scratch, command))
}

/// Judges both lists, `AT_ONCE` calls at the same moment; gives what went wrong.
fn wrong(scratch: &Scratch, harmless: &[&str], guarding: &[&str]) -> Vec<String> {
    let mixed: Vec<(&str, bool)> = harmless.iter().map(|command| (*command, false)).chain(guarding.iter().map(|command| (*command, true))).collect();
    std::thread::scope(|scope| {
        let calls: Vec<_> = mixed.iter().cycle().take(AT_ONCE.max(mixed.len())).map(|call| scope.spawn(move || (call, said(scratch, call.0)))).collect();
        let done = calls.into_iter().map(|call| call.join().unwrap());
        let is_wrong = |(command, held): &(&str, bool), said: &Said| {
            let short = said.short();
            let right = if *held { short.starts_with("deny ") || short.starts_with("ask ") } else { short == "free" };
            (!right).then(|| format!("`{command}`: {short} {}{}", said.stdout, said.stderr))
        };
        done.filter_map(|(call, said)| is_wrong(call, &said)).collect()
    })
}

/// A policy with a rule of its own, so that it has to be compiled.
fn policy(number: usize) -> String {
    format!(
        "schema = 1\n[[rule]]\nname = \"own-{number}\"\ntier = 4\nrun = [{{ program = \"own-{number}\" }}]\nreason = \"it is for a test\"\ninstead = \"nothing\"\ncatches = [\"own-{number}\"]\nspares = [\"ls\"]\n"
    )
}

#[test]
#[ignore = "makes the machine busy"]
fn a_changed_policy_is_compiled_once_for_eight_hooks() {
    let scratch = Scratch::new();
    let _load = BusyMachine::new();
    for number in 0..CHANGES {
        scratch.write("portcullis.toml", &policy(number));
        let own = format!("own-{number}");
        let guarding: Vec<&str> = GUARDING.iter().copied().chain([own.as_str()]).collect();
        assert_eq!(wrong(&scratch, HARMLESS, &guarding), Vec::<String>::new(), "change {number}");
    }
}

#[test]
#[ignore = "makes the machine busy"]
fn a_repository_of_two_hundred_thousand_files_is_judged() {
    let scratch = Scratch::new();
    for folder in 0..LARGE.0 {
        fs::create_dir_all(scratch.repo().join(format!("d{folder}"))).unwrap();
        (0..LARGE.1).for_each(|file| fs::write(scratch.repo().join(format!("d{folder}/f{file}.py")), "x\n").unwrap());
    }
    for arguments in [&["add", "."][..], &["-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-qm", "all"]] {
        assert!(Command::new("git").args(arguments).current_dir(scratch.repo()).status().unwrap().success());
    }
    let _load = BusyMachine::new();
    let harmless = ["git checkout -- d1/f1.py", "git restore d2", "rm -rf d3/__pycache__", "git switch -c topic", "rm -f d4/f1.py", "git reset --hard"];
    assert_eq!(wrong(&scratch, &harmless, GUARDING), Vec::<String>::new());
    scratch.write("d1/f1.py", "work\n");
    let guarding = ["git reset --hard", "git checkout -- d1", "rm -f d1/*.py", "git restore d1/f1.py"];
    assert_eq!(wrong(&scratch, &["git checkout -- d5", "ls d1"], &guarding), Vec::<String>::new());
}

#[test]
#[ignore = "makes the machine busy"]
fn state_that_cannot_be_kept_and_locks_that_are_never_given_back_stop_nothing() {
    let scratch = Scratch::new();
    scratch.write("portcullis.toml", &policy(0));
    let _load = BusyMachine::new();
    // Nothing can be made below the home folder.
    fs::write(scratch.home().join(".local"), "").unwrap();
    assert_eq!(wrong(&scratch, HARMLESS, GUARDING), Vec::<String>::new(), "no state");
    fs::remove_file(scratch.home().join(".local")).unwrap();
    // Somebody has every lock and is stopped.
    assert_eq!(wrong(&scratch, &["ls"], &[]), Vec::<String>::new());
    let mut left = vec![scratch.home().join(".local/state")];
    let mut held = Vec::new();
    while let Some(folder) = left.pop() {
        for entry in fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                fs::File::create(entry.join(state::COMPILING)).unwrap();
                left.push(entry);
            } else {
                let file = fs::OpenOptions::new().read(true).write(true).open(&entry).unwrap();
                file.lock().unwrap();
                held.push(file);
            }
        }
    }
    assert!(!held.is_empty());
    scratch.write("portcullis.toml", &policy(1));
    assert_eq!(wrong(&scratch, HARMLESS, GUARDING), Vec::<String>::new(), "{} locks are held", held.len());
}

#[test]
#[ignore = "makes the machine busy"]
fn a_pipe_in_place_of_a_policy_is_not_waited_for() {
    let scratch = Scratch::new();
    let path = scratch.repo().join("portcullis.toml");
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    let _load = BusyMachine::new();
    let begun = Instant::now();
    // What the policy says is not known, so nothing passes, and the reason is named.
    let said = said(&scratch, "ls -la");
    assert!(said.short() == "failure" && said.stderr.contains("portcullis.toml"), "{said:?}");
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}

#[test]
#[ignore = "makes the machine busy"]
fn standard_input_that_is_left_open_is_answered() {
    let scratch = Scratch::new();
    let _load = BusyMachine::new();
    for (command, code) in [("ls -la", 0), ("git push --force origin main", 2)] {
        let mut hook = scratch.command(hook_path());
        let mut child = hook.args(["PreToolUse", "claude-code", "50"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(&payload(&scratch, command)).unwrap();
        let begun = now_ms();
        let status = child.wait().unwrap();
        let mut text = String::new();
        child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
        drop(stdin);
        assert_eq!(status.code(), Some(code), "{command} after {} ms: {text}", now_ms() - begun);
    }
}
