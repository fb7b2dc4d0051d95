//! The compiled policy as a file that is read piece by piece: whatever becomes of it, a call is judged rightly or denied.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{Scratch, hook_path, run};
use actions::wire::is_intact;
use clients::{Event, Invocation};
use gate::call;
use gate::deep::{HandsOver, Stop};
use policy::MAGIC;
use policy_compiler::compile::{Input, compile_quickly};
use policy_compiler::packs::{PACKS, PROGRAMS};

/// A rule of the project, beside the built-in ones.
const POLICY: &str = r#"schema = 1
[[rule]]
name    = "stage-dropped"
tier    = 4
run     = { program = "stagectl", arg = "drop" }
reason  = "the stage is shared"
instead = "ask the team"
catches = ["stagectl drop"]
spares  = ["stagectl list"]
"#;
/// Bytes that are changed, spread over the file.
const CHANGED: usize = 24;

fn call(scratch: &Scratch, command: &str) -> String {
    scratch.hook("PreToolUse", scratch.payload("Bash", &format!(r#"{{"command":"{command}"}}"#), "default").as_bytes()).short()
}

/// The compiled policy of the only repository.
fn kept(scratch: &Scratch) -> PathBuf {
    let folders = fs::read_dir(scratch.home().join(".local/state/portcullis")).unwrap();
    folders.map(|folder| folder.unwrap().path().join("policy")).find(|path| path.is_file()).unwrap()
}

fn is_right(scratch: &Scratch, about: &str) {
    for (command, right) in [("stagectl drop", "deny stage-dropped"), ("git push --force", "deny force-push"), ("ls", "free")] {
        let said = call(scratch, command);
        assert!(said == right || said == "failure", "{about}: `{command}` is {said}");
    }
}

#[test]
fn a_damaged_policy_is_compiled_anew_or_denies() {
    let scratch = Scratch::new();
    scratch.write("portcullis.toml", POLICY);
    is_right(&scratch, "as it is");
    // A policy file as young as what was compiled from it proves nothing.
    std::thread::sleep(std::time::Duration::from_millis(60));
    is_right(&scratch, "compiled again");
    let whole = fs::read(kept(&scratch)).unwrap();
    assert!(is_intact(MAGIC, &whole));
    for number in 0..CHANGED {
        let at = (number * 7919 + number * number * 104_729) % whole.len();
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (number % 8);
        assert!(!is_intact(MAGIC, &bytes), "byte {at} is covered by no checksum");
        fs::write(kept(&scratch), &bytes).unwrap();
        is_right(&scratch, &format!("byte {at} is another"));
    }
    for length in [0, 1, MAGIC.len(), MAGIC.len() + 40, 4096, 65536, whole.len() / 2, whole.len() - 1] {
        fs::write(kept(&scratch), &whole[..length]).unwrap();
        is_right(&scratch, &format!("cut to {length} bytes"));
    }
    let path = kept(&scratch);
    fs::rename(&path, path.with_extension("other")).unwrap();
    std::os::unix::fs::symlink(path.with_extension("other"), &path).unwrap();
    is_right(&scratch, "behind a link");
}

/// Bytes of a page, and of bits that are turned round.
const PAGE: usize = 4096;
const FLIPS: usize = 1000;

/// Calls of which each reads other pieces of the policy, and the rule that stops each.
fn trials(scratch: &Scratch) -> Vec<(Event, Option<&'static str>)> {
    let event = |tool: &str, input: &str| Invocation::new(Some("PreToolUse"), None).read(scratch.payload(tool, input, "default").as_bytes()).unwrap();
    vec![
        (event("Bash", r#"{"command":"stagectl drop"}"#), Some("stage-dropped")),
        (event("Bash", r#"{"command":"git push --force && ls"}"#), Some("force-push")),
        (event("Bash", r#"{"command":"git status"}"#), None),
        (event("Read", &format!(r#"{{"file_path":"{}/src/a.rs"}}"#, scratch.repo().display())), None),
        (event("Write", &format!(r#"{{"file_path":"{}/notes.txt","content":"x"}}"#, scratch.repo().display())), None),
    ]
}

/// The hook's judgement in this process: it is right, or it leaves the call to the cold binary, which compiles the policy anew, or
/// it fails, which denies. True if it was right.
fn is_never_open(scratch: &Scratch, trials: &[(Event, Option<&str>)], about: &str) -> bool {
    let mut right = true;
    for (event, rule) in trials {
        match call::judged(event, &scratch.world(), &HandsOver, call::Purpose::Verdict) {
            Ok(judged) => {
                let findings = judged.unwrap().judgement.verdict.findings;
                assert_eq!(findings.first().map(|finding| finding.rule.as_str()), *rule, "{about}");
            }
            Err(Stop::HandOver | Stop::Failed(_)) => right = false,
        }
    }
    right
}

/// A repository whose policy is compiled, and old enough to be taken as it is.
fn compiled() -> Scratch {
    let scratch = Scratch::new();
    scratch.write("portcullis.toml", POLICY);
    is_right(&scratch, "as it is");
    std::thread::sleep(std::time::Duration::from_millis(60));
    is_right(&scratch, "compiled again");
    scratch
}

#[test]
fn no_damage_to_the_compiled_policy_opens_the_gate() {
    let scratch = compiled();
    let (path, trials) = (kept(&scratch), trials(&scratch));
    let whole = fs::read(&path).unwrap();
    assert!(is_never_open(&scratch, &trials, "whole"), "the hook does not take the policy as it is");

    let mut noticed = 0;
    for length in (0..whole.len()).step_by(PAGE) {
        fs::write(&path, &whole[..length]).unwrap();
        noticed += usize::from(!is_never_open(&scratch, &trials, &format!("cut to {length} bytes")));
    }
    assert!(noticed > 10, "{noticed}");

    let mut random = 7_u64;
    let mut noticed = 0;
    for _ in 0..FLIPS {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // Half of them in the front, which each call reads.
        let most = if random & 0x100 == 0 { whole.len() } else { PAGE };
        let at = usize::try_from(random >> 33).unwrap() % most;
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (random % 8);
        fs::write(&path, &bytes).unwrap();
        noticed += usize::from(!is_never_open(&scratch, &trials, &format!("byte {at} is another")));
    }
    assert!(noticed > FLIPS / 4, "{noticed}");

    // One of another build, with nothing in it that stops anything.
    let other = compile_quickly(&Input { build: "another build", packs: PACKS, programs: PROGRAMS, ..Input::default() }, gate::PIECES).unwrap();
    fs::write(&path, other).unwrap();
    assert!(!is_never_open(&scratch, &trials, "of another build"));
    // One behind a link, and a folder.
    let beside = path.with_extension("other");
    fs::write(&beside, &whole).unwrap();
    fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink(&beside, &path).unwrap();
    assert!(!is_never_open(&scratch, &trials, "behind a link"));
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert!(!is_never_open(&scratch, &trials, "a folder"));
}

/// What becomes of the file while others read it: cut, changed in place, changed for one of another build, for a link, and put
/// right again.
fn change(path: &Path, whole: &[u8], other: &[u8], number: usize) {
    let beside = path.with_extension(format!("new{}", number % 2));
    let put = |bytes: &[u8]| {
        fs::write(&beside, bytes).unwrap();
        fs::rename(&beside, path).unwrap();
    };
    match number % 6 {
        0 => put(whole),
        1 => fs::OpenOptions::new().write(true).open(path).unwrap().set_len((number * 7919 % whole.len()) as u64).unwrap(),
        2 => put(other),
        3 | 4 => {
            put(whole);
            let at = if number % 6 == 3 { number * 104_729 % whole.len() } else { number * 31 % PAGE };
            let file = fs::OpenOptions::new().write(true).open(path).unwrap();
            std::os::unix::fs::FileExt::write_all_at(&file, &[whole[at] ^ 1 << (number % 8)], at as u64).unwrap();
        }
        _ => {
            let target = path.with_extension("other");
            fs::write(&target, other).unwrap();
            let _ = fs::remove_file(&beside);
            std::os::unix::fs::symlink(&target, &beside).unwrap();
            fs::rename(&beside, path).unwrap();
        }
    }
}

/// Changes of the file while it is read, and how many judge at once.
const CHANGES: usize = 120;
const AT_ONCE: usize = 8;

#[test]
fn changes_of_the_compiled_policy_while_eight_judge_open_nothing() {
    use std::sync::atomic::{AtomicBool, Ordering};

    let scratch = compiled();
    let (path, trials) = (kept(&scratch), trials(&scratch));
    let whole = fs::read(&path).unwrap();
    let other = compile_quickly(&Input { build: "another build", packs: PACKS, programs: PROGRAMS, ..Input::default() }, gate::PIECES).unwrap();
    let ends = AtomicBool::new(false);
    let counts: Vec<(usize, usize)> = std::thread::scope(|scope| {
        let judge = || {
            let (mut right, mut wrong) = (0, 0);
            while !ends.load(Ordering::Relaxed) {
                *if is_never_open(&scratch, &trials, "changed meanwhile") { &mut right } else { &mut wrong } += 1;
            }
            (right, wrong)
        };
        let judges: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(judge)).collect();
        for number in 0..CHANGES {
            change(&path, &whole, &other, number);
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        ends.store(true, Ordering::Relaxed);
        judges.into_iter().map(|judge| judge.join().unwrap()).collect()
    });
    let (right, noticed) = counts.iter().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    assert!(right > 0 && noticed > 0, "{right} rounds were right, {noticed} noticed a change");

    // The same with processes: a hook that leaves the call to the cold binary has the policy compiled anew meanwhile.
    std::thread::scope(|scope| {
        let hooks: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(|| is_right(&scratch, "changed while hooks run"))).collect();
        let mut number = 0;
        while !hooks.iter().all(std::thread::ScopedJoinHandle::is_finished) {
            change(&path, &whole, &other, number);
            number += 1;
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    });
}

#[test]
fn eight_calls_right_after_a_change_are_judged_rightly() {
    let scratch = Scratch::new();
    for round in 0..2 {
        scratch.write("portcullis.toml", &format!("{POLICY}# {round}\n"));
        let said: Vec<(&str, String)> = std::thread::scope(|scope| {
            let calls = ["ls", "stagectl drop"].repeat(4);
            let started: Vec<_> = calls.into_iter().map(|command| (command, scope.spawn(|| call(&scratch, command)))).collect();
            started.into_iter().map(|(command, call)| (command, call.join().unwrap())).collect()
        });
        for (command, said) in said {
            assert_eq!(said, if command == "ls" { "free" } else { "deny stage-dropped" }, "`{command}` in round {round}");
        }
    }
}

#[test]
fn without_a_home_that_can_be_written_to_it_is_kept_in_memory() {
    if !Path::new("/dev/shm").is_dir() {
        return;
    }
    let scratch = Scratch::new();
    scratch.write("portcullis.toml", POLICY);
    let payload = scratch.payload("Bash", r#"{"command":"stagectl drop"}"#, "default");
    let hook = || {
        let mut command = scratch.command(hook_path());
        command.arg("PreToolUse").env("HOME", "/dev/null/home").env("PORTCULLIS_TEST_PASSWORD_HOME", "/dev/null/home");
        run(&mut command, payload.as_bytes()).short()
    };
    assert_eq!(hook(), "deny stage-dropped");
    let user = std::os::unix::fs::MetadataExt::uid(&fs::metadata(scratch.repo()).unwrap());
    let name = gate::world::state::folder_name(&scratch.repo());
    let folder = PathBuf::from(format!("/dev/shm/portcullis-{user}")).join(name);
    assert!(folder.join("policy").is_file(), "{} has no policy", folder.display());
    assert_eq!(hook(), "deny stage-dropped");
    fs::remove_dir_all(folder).unwrap();
}
