//! The chain of the record through the real binaries: what `log verify` finds after hooks that ran at once, after kills at
//! every system call, after edits, and with checkpoints that a person signed.
//!
//! `PORTCULLIS_CHAIN_HOOKS`, `PORTCULLIS_CHAIN_CALLS` (each) and `PORTCULLIS_CHAIN_KILLS` (in all) make the long run of it.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Stdio;

use gate::chain::LineLink;
use gate::record::Entry;
use gate::world::record;
use serde_json::Value;

use crate::approvals::{Desk, KEYGEN, PASSPHRASE, SCRIPT};
use crate::support::{COLD, Said, Scratch, hook_path, not_run, run};

const STRACE: &str = "/usr/bin/strace";

/// What is expected of an edit, and the edit.
type Edit<'e> = (&'e str, &'e dyn Fn(&mut Vec<String>));

fn number(variable: &str, otherwise: usize) -> usize {
    std::env::var(variable).ok().map_or(otherwise, |text| text.parse().expect("a number"))
}

fn event(scratch: &Scratch, call: &str) -> String {
    scratch.payload("Bash", r#"{"command":"git status --short"}"#, "default").replace("toolu_1", call)
}

fn hook(scratch: &Scratch, call: &str) -> Said {
    scratch.hook("PreToolUse", event(scratch, call).as_bytes())
}

fn verify(scratch: &Scratch, arguments: &[&str]) -> Said {
    run(scratch.command(COLD).args(["log", "verify"]).args(arguments), b"")
}

/// What `log verify --json` says of the one record, and its exit code.
fn report(scratch: &Scratch) -> (Value, i32) {
    let said = verify(scratch, &["--json"]);
    let all: Value = serde_json::from_str(&said.stdout).unwrap_or_else(|_| panic!("{said:?}"));
    (all[0].clone(), said.code)
}

/// What was found, as `FILE:LINE KIND`.
fn found(scratch: &Scratch) -> Vec<String> {
    let (report, _) = report(scratch);
    report["breaks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|found| format!("{}:{} {}", found["file"].as_str().unwrap(), found["line"], found["kind"].as_str().unwrap()))
        .collect()
}

fn current(scratch: &Scratch) -> PathBuf {
    record::current(&scratch.world().at(&scratch.repo()).unwrap().memory).unwrap()
}

fn lines(scratch: &Scratch) -> Vec<String> {
    fs::read_to_string(current(scratch)).unwrap().split_inclusive('\n').map(str::to_owned).collect()
}

#[test]
#[expect(clippy::print_stdout, reason = "the figures are what `--nocapture` is for")]
fn hooks_that_run_at_once_leave_a_whole_chain() {
    let (hooks, calls) = (number("PORTCULLIS_CHAIN_HOOKS", 16), number("PORTCULLIS_CHAIN_CALLS", 20));
    let scratch = Scratch::new();
    hook(&scratch, "toolu_first");
    std::thread::scope(|scope| {
        for at in 0..hooks {
            let scratch = &scratch;
            scope.spawn(move || (0..calls).for_each(|call| assert_eq!(hook(scratch, &format!("toolu_{at}_{call}")).code, 0)));
        }
    });
    let (report, code) = report(&scratch);
    let unlinked = report["breaks"].as_array().unwrap().len();
    println!("{hooks} hooks at once, {calls} calls each: {} lines, {unlinked} without the lock", report["lines"]);
    assert_eq!((code, &report["whole"]), (0, &Value::Bool(true)), "{report}");
    assert_eq!(report["lines"], hooks * calls + 1);
}

/// The system calls of a hook, each with how often it was made before.
fn system_calls(scratch: &Scratch) -> Vec<(String, usize)> {
    let trace = scratch.home().join("trace");
    let mut command = scratch.command(STRACE);
    command.args(["-qq", "-o"]).arg(&trace).arg(hook_path()).arg("PreToolUse");
    run(&mut command, event(scratch, "toolu_traced").as_bytes());
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let name =
        |line: &str| line.split_once('(').map(|(name, _)| name.to_owned()).filter(|name| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'));
    let calls = fs::read_to_string(&trace).unwrap_or_default();
    calls
        .lines()
        .filter_map(name)
        .map(|name| {
            let count = counts.entry(name.clone()).or_default();
            *count += 1;
            (name, *count)
        })
        .collect()
}

#[test]
#[expect(clippy::print_stdout, reason = "the figures are what `--nocapture` is for")]
fn a_hook_killed_at_any_system_call_breaks_no_chain() {
    let scratch = Scratch::new();
    if !fs::exists(STRACE).unwrap() {
        return not_run("strace");
    }
    hook(&scratch, "toolu_first");
    let all: Vec<(String, usize)> = system_calls(&scratch).into_iter().filter(|(name, _)| name != "execve").collect();
    if all.is_empty() {
        return not_run("strace (ptrace is not permitted here)");
    }
    let kills = number("PORTCULLIS_CHAIN_KILLS", all.len());
    let mut killed = 0;
    for at in 0..kills {
        let (name, nth) = &all[at % all.len()];
        let mut command = scratch.command(STRACE);
        command.args(["-qq", "-o", "/dev/null", "-e", &format!("inject={name}:signal=KILL:when={nth}")]).arg(hook_path()).arg("PreToolUse");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let _ = child.stdin.take().unwrap().write_all(event(&scratch, &format!("toolu_k{at}")).as_bytes());
        killed += usize::from(!child.wait().unwrap().success());
    }
    assert!(killed * 2 > kills, "{killed} of {kills} were killed");
    hook(&scratch, "toolu_last");
    let (report, code) = report(&scratch);
    println!("{killed} of {kills} hooks killed, one at each of {} system calls in turn: {} lines", all.len(), report["lines"]);
    assert_eq!((code, report["breaks"].as_array().unwrap().len()), (0, 0), "{report}");
    // No lock is stuck, and the line after the last kill is a part of the chain.
    let last = lines(&scratch).pop().unwrap();
    assert!(last.contains("toolu_last") && LineLink::read(last.trim_end().as_bytes()).unwrap().unlinked.is_none(), "{last}");
}

#[test]
fn an_edit_is_found_and_the_chain_goes_on() {
    let scratch = Scratch::new();
    let alone = verify(&scratch, &[]);
    assert_eq!((alone.code, alone.stderr.contains("nothing is recorded")), (3, true), "{alone:?}");
    (0..10).for_each(|at| drop(hook(&scratch, &format!("toolu_{at}"))));
    let whole = verify(&scratch, &[]);
    assert_eq!(whole.code, 0, "{whole:?}");
    let first = whole.stdout.lines().next().unwrap();
    assert!(first.starts_with("without a checkpoint, a chain shows") && first.contains("cannot show"), "{first}");
    assert!(whole.stdout.contains("lines 1 to 10") && whole.stdout.contains("ok: every line follows"), "{whole:?}");
    let kept = lines(&scratch);
    let edits: [Edit<'_>; 4] = [
        ("record.jsonl:5 changed", &|lines| lines[4] = lines[4].replace("git status", "git stutas")),
        ("record.jsonl:5 removed", &|lines| drop(lines.remove(4))),
        ("record.jsonl:5 swapped", &|lines| lines.swap(4, 5)),
        ("record.jsonl:5 inserted", &|lines| lines.insert(4, lines[2].clone())),
    ];
    for (expected, edit) in edits {
        let mut lines = kept.clone();
        edit(&mut lines);
        fs::write(current(&scratch), lines.concat()).unwrap();
        assert_eq!(found(&scratch), [expected]);
        let said = verify(&scratch, &[]);
        assert!(said.code == 1 && said.stdout.contains("BROKEN: the chain is broken at 1 place"), "{said:?}");
        // The next line is linked to what is there now.
        hook(&scratch, "toolu_next");
        assert_eq!(found(&scratch), [expected]);
    }
}

/// An earlier version appends lines without a link and without the lock.
#[test]
fn an_earlier_version_may_write_in_between() {
    let scratch = Scratch::new();
    let old = |at: u64| {
        let entry = Entry { call: format!("old_{at}"), ..Entry::new("PreToolUse", gate::record::RecordSource::Hot, at) };
        let path = scratch.world().at(&scratch.repo()).unwrap().memory[0].join("record.jsonl");
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut file = fs::OpenOptions::new().append(true).create(true).open(path).unwrap();
        file.write_all(entry.line().as_bytes()).unwrap();
    };
    (0..3).for_each(old);
    (0..3).for_each(|at| drop(hook(&scratch, &format!("toolu_{at}"))));
    let (before, code) = report(&scratch);
    assert_eq!((code, before["older"].as_u64(), before["first"].as_u64(), before["last"].as_u64()), (0, Some(3), Some(1), Some(3)), "{before}");
    old(9);
    hook(&scratch, "toolu_after");
    // Nobody can tell such a line from one that was put in: it is named. The chain goes on behind it.
    assert_eq!(found(&scratch), ["record.jsonl:7 inserted"]);
    let log = run(scratch.command(COLD).args(["log", "--json", "-n", "50"]), b"");
    assert_eq!(log.stdout.lines().count(), 8, "{log:?}");
}

#[test]
fn a_checkpoint_of_a_person_shows_a_record_that_was_written_anew() {
    if !fs::exists(KEYGEN).unwrap() || !fs::exists(SCRIPT).unwrap() {
        return not_run("ssh-keygen or script");
    }
    let desk = Desk::keyed();
    let public = fs::read_to_string(desk.scratch.home().join(".config/portcullis/approval_key.pub")).unwrap();
    let signers = desk.scratch.home().join(".config/portcullis/allowed_signers");
    (0..6).for_each(|at| drop(hook(&desk.scratch, &format!("toolu_{at}"))));
    // A key that may sign approvals alone makes no checkpoint.
    let line = format!("{COLD} log checkpoint --git --note 'end of the day'");
    let refused = desk.on_terminal(SCRIPT.as_ref(), &line, &[("passphrase", PASSPHRASE)]);
    assert!(refused.code == "1" && refused.text.contains("portcullis-record"), "{} {}", refused.code, refused.text);
    fs::write(&signers, format!("approver namespaces=\"portcullis,portcullis-record\" {public}")).unwrap();
    let signed = desk.on_terminal(SCRIPT.as_ref(), &line, &[("passphrase", PASSPHRASE)]);
    assert!(
        signed.code == "0" && signed.text.contains("a checkpoint of line 6") && signed.text.contains("refs/portcullis/record/"),
        "{} {}",
        signed.code,
        signed.text
    );
    let name = current(&desk.scratch).parent().unwrap().file_name().unwrap().to_string_lossy().into_owned();
    assert!(desk.repository().find_reference(&format!("refs/portcullis/record/{name}")).is_ok());
    (6..9).for_each(|at| drop(hook(&desk.scratch, &format!("toolu_{at}"))));
    let said = verify(&desk.scratch, &[]);
    let first = said.stdout.lines().next().unwrap();
    assert!(said.code == 0 && first.contains("compared with 1 checkpoint, the last of line 6") && first.contains("only lines after it"), "{said:?}");
    let kept = lines(&desk.scratch);
    // The rest is made anew from a line on, as one can who may write the file.
    let rewritten = |from: usize| {
        fs::write(current(&desk.scratch), kept[..from].concat()).unwrap();
        (from..kept.len()).for_each(|at| drop(hook(&desk.scratch, &format!("toolu_forged{at}"))));
        found(&desk.scratch)
    };
    assert_eq!(rewritten(7), [""; 0], "behind the checkpoint nothing shows it");
    assert_eq!(rewritten(3), ["record.jsonl:6 rewritten"]);
    fs::write(current(&desk.scratch), kept[..4].concat()).unwrap();
    assert_eq!(found(&desk.scratch), ["record.jsonl:4 cut"]);
    // The file beside the record is gone; the ref still knows.
    fs::remove_file(current(&desk.scratch).with_file_name("checkpoints.jsonl")).unwrap();
    assert_eq!(found(&desk.scratch), ["record.jsonl:4 cut"]);
    // One that was sent away.
    fs::write(current(&desk.scratch), kept.concat()).unwrap();
    let printed = run(desk.scratch.command(COLD).args(["log", "checkpoint", "--print"]), b"");
    let printed = printed.stdout.trim();
    assert_eq!(verify(&desk.scratch, &["--checkpoint", printed]).code, 0);
    fs::write(current(&desk.scratch), kept[..7].concat()).unwrap();
    let said = verify(&desk.scratch, &["--checkpoint", printed]);
    assert!(said.code == 1 && said.stdout.contains("cut"), "{said:?}");
    assert_eq!(verify(&desk.scratch, &["--checkpoint", "12"]).code, 2);
    // An agent signs nothing.
    let agent = run(desk.scratch.command(COLD).args(["log", "checkpoint"]).env("CLAUDECODE", "1"), b"");
    assert!(agent.code == 1 && agent.stderr.contains("an agent runs this"), "{agent:?}");
}
