//! Everything that can break, tried on the real hook: what each kind of event is answered. docs/failures.md is made from
//! the same table and compared with it.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use clients::claude_code::WIRED;
use gate::{BUILD, failure};
use portcullis::cli::settings::{Wiring, install};

use crate::docs::fresh;
use crate::support::{Said, Scratch, hook_path, json, run};

/// The events that stand for their kinds.
const KINDS: [&str; 4] = ["PreToolUse", "PermissionRequest", "ConfigChange", "PostToolUse"];
/// What an answer looks like from outside.
const DENIED: &str = "exit 2";
const DENIED_BY_JSON: &str = "JSON deny";
const SILENT: &str = "allowed";
/// Events before an action are denied, observing events are allowed.
const HELD: [&str; 4] = [DENIED, DENIED_BY_JSON, DENIED, SILENT];
/// Nothing is concluded from it.
const HARMLESS: [&str; 4] = [SILENT; 4];
/// What cannot be read to its end: a person is asked; at the client's own prompt one is looking already.
const ASKED: [&str; 4] = ["JSON ask", SILENT, SILENT, SILENT];
/// As `HELD`, where changed settings are not concerned.
const CALLS_HELD: [&str; 4] = [DENIED, DENIED_BY_JSON, SILENT, SILENT];

/// A fault: its name, what the four kinds are answered, a part of the reason, and how it is made.
struct Fault {
    name: &'static str,
    expected: [&'static str; 4],
    why: &'static str,
    make: fn(&Scratch, &str) -> Said,
}

const fn fault(name: &'static str, expected: [&'static str; 4], why: &'static str, make: fn(&Scratch, &str) -> Said) -> Fault {
    Fault { name, expected, why, make }
}

/// A repository with the gate wired in, so that nothing but the fault is wrong.
fn scratch() -> Scratch {
    let scratch = Scratch::new();
    let wiring = Wiring { command: hook_path().to_owned(), events: WIRED, timeout_seconds: 10 };
    scratch.write(".claude/settings.local.json", &install(None, &wiring).unwrap());
    scratch
}

/// The event as a client sends it, with this Bash command in it and these fields in front.
fn input_with(scratch: &Scratch, event: &str, command: &str, fields: &str) -> String {
    let cwd = json(&scratch.repo().to_string_lossy());
    let rest = match event {
        "ConfigChange" => format!(r#""source":"local_settings","file_path":{}"#, json(&scratch.repo().join(".claude/settings.local.json").to_string_lossy())),
        _ => format!(r#""tool_name":"Bash","tool_input":{{"command":{}}}"#, json(command)),
    };
    format!(r#"{{{fields}"session_id":"s","cwd":{cwd},"permission_mode":"default","hook_event_name":{},{rest}}}"#, json(event))
}

fn input(scratch: &Scratch, event: &str) -> String {
    input_with(scratch, event, "ls", "")
}

fn bytes(scratch: &Scratch, event: &str, change: impl Fn(String) -> Vec<u8>) -> Said {
    scratch.hook(event, &change(input(scratch, event)))
}

fn fields(scratch: &Scratch, event: &str, fields: &str) -> Said {
    scratch.hook(event, input_with(scratch, event, "ls", fields).as_bytes())
}

fn command(scratch: &Scratch, event: &str, command: &str) -> Said {
    scratch.hook(event, input_with(scratch, event, command, "").as_bytes())
}

/// The hook started by a shell that does something first; `$0` is the hook and `$1` the event.
fn through_shell(scratch: &Scratch, event: &str, script: &str, input: &str) -> Said {
    run(scratch.command("/bin/sh").args(["-c", script, hook_path(), event]), input.as_bytes())
}

fn with_policy(scratch: &Scratch, event: &str, policy: &str) -> Said {
    scratch.write("portcullis.toml", policy);
    scratch.hook(event, input(scratch, event).as_bytes())
}

/// The hook in a folder of its own, with something beside it that calls itself the cold binary.
fn with_cold(scratch: &Scratch, event: &str, cold: Option<(&str, u32)>) -> Said {
    scratch.write("portcullis.toml", "schema = 1\n");
    let folder = scratch.home().join("bin");
    fs::create_dir_all(&folder).unwrap();
    // By another process: a program that this one has open for writing cannot be started by its other threads.
    assert!(Command::new("cp").arg(hook_path()).arg(folder.join("portcullis-hook")).status().unwrap().success());
    if let Some((text, mode)) = cold {
        fs::write(scratch.home().join("cold"), text).unwrap();
        assert!(Command::new("cp").arg(scratch.home().join("cold")).arg(folder.join("portcullis")).status().unwrap().success());
        fs::set_permissions(folder.join("portcullis"), fs::Permissions::from_mode(mode)).unwrap();
    }
    run(scratch.command(&folder.join("portcullis-hook").to_string_lossy()).arg(event), input(scratch, event).as_bytes())
}

/// The hook, started and left waiting for its input.
fn waiting(scratch: &Scratch, event: &str) -> Child {
    let mut child = scratch.command(hook_path()).arg(event).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.as_mut().unwrap().write_all(b"{").unwrap();
    child
}

fn ended(child: Child) -> Said {
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Said { code: output.status.code().unwrap_or(-1), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// The hook, hit by a signal while it reads: what a bad access, an abort or an impossible branch ends in.
fn hit(scratch: &Scratch, event: &str, signal: &str) -> Said {
    let mut child = waiting(scratch, event);
    // The input stays open, so that it can do nothing but read; half a second is plenty to have come to that.
    let stdin = child.stdin.take();
    std::thread::sleep(Duration::from_millis(500));
    let sent = Command::new("kill").args(["-s", signal, &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    let said = ended(child);
    drop(stdin);
    said
}

fn deep(open: &str, middle: &str, close: &str, levels: usize) -> String {
    format!("{}{middle}{}", open.repeat(levels), close.repeat(levels))
}

/// What a hook says that had no time.
const LATE: &str = "did not come to an end in time";
/// How often a fault is tried again on a busy machine.
const TRIES: usize = 4;
/// More commands than are followed in one call.
const MANY: usize = 25_000;

const FAULTS: &[Fault] = &[
    fault("nothing is wrong", HARMLESS, "", |scratch, event| bytes(scratch, event, String::into_bytes)),
    // What is read.
    fault("the input is empty", HELD, "could not be read: it ends too early", |scratch, event| scratch.hook(event, b"")),
    fault("the input ends in the middle", HELD, "could not be read: it ends too early", |scratch, event| {
        bytes(scratch, event, |text| text.into_bytes().into_iter().take(90).collect())
    }),
    fault("the input is not JSON", HELD, "could not be read: there is no JSON value", |scratch, event| scratch.hook(event, b"hello\n")),
    fault("the input is not an object", HELD, "it has no `hook_event_name`", |scratch, event| scratch.hook(event, b"[1, 2]")),
    fault("the input is not UTF-8", HELD, "could not be read: ", |scratch, event| {
        bytes(scratch, event, |text| text.into_bytes().into_iter().flat_map(|byte| if byte == b's' { vec![0xff] } else { vec![byte] }).collect())
    }),
    fault("a byte order mark at the beginning", HELD, "could not be read: ", |scratch, event| {
        bytes(scratch, event, |text| format!("\u{feff}{text}").into_bytes())
    }),
    fault("a key occurs twice", HELD, "a key occurs twice", |scratch, event| fields(scratch, event, r#""cwd":"/tmp","#)),
    fault("a key occurs twice, once in escapes", HELD, "a key occurs twice", |scratch, event| fields(scratch, event, r#""\u0063wd":"/tmp","#)),
    fault("half a surrogate pair", HELD, "could not be read: ", |scratch, event| fields(scratch, event, r#""x":"\ud800","#)),
    fault("200 levels of nesting", HELD, "could not be read: it is nested beyond", |scratch, event| {
        fields(scratch, event, &format!(r#""x":{},"#, deep("[", "", "]", 200)))
    }),
    fault("100,000 levels of nesting", HELD, "could not be read: it is nested beyond", |scratch, event| {
        fields(scratch, event, &format!(r#""x":{},"#, deep("{\"a\":", "1", "}", 100_000)))
    }),
    fault("more text after the end", HELD, "could not be read: there is more behind its end", |scratch, event| {
        bytes(scratch, event, |text| format!("{text}{{}}").into_bytes())
    }),
    fault("the event has no name", HELD, "it has no `hook_event_name`", |scratch, event| {
        bytes(scratch, event, |text| text.replace("hook_event_name", "hook_event").into_bytes())
    }),
    fault("the call has no tool name", CALLS_HELD, "it has no `tool_name`", |scratch, event| {
        bytes(scratch, event, |text| text.replace("tool_name", "tool").into_bytes())
    }),
    fault("64 MiB of input", HELD, "larger than 24 MiB", |scratch, event| fields(scratch, event, &format!(r#""x":"{}","#, "x".repeat(64 << 20)))),
    fault("another event than the hook is wired to", HELD, "wired to `", |scratch, event| {
        let other = if event == "PostToolUse" { "PostToolUseFailure" } else { "PostToolUse" };
        scratch.hook(event, input(scratch, other).as_bytes())
    }),
    fault("a guarding event that is wired as an observing one", [DENIED, DENIED_BY_JSON, DENIED, SILENT], "wired to `SessionEnd`", |scratch, event| {
        scratch.hook("SessionEnd", input(scratch, event).as_bytes())
    }),
    fault("standard input is closed", HELD, "could not be read: it ends too early", |scratch, event| {
        through_shell(scratch, event, "exec \"$0\" \"$1\" <&-", "")
    }),
    fault("standard input is a folder", HELD, "standard input is closed", |scratch, event| through_shell(scratch, event, "exec \"$0\" \"$1\" < /", "")),
    // What is read by a shell.
    fault("a command nested 100,000 deep in `$(…)`", ASKED, "", |scratch, event| command(scratch, event, &deep("$(", "ls", ")", 100_000))),
    fault("a force push nested 100,000 deep in `( … )`", ASKED, "", |scratch, event| command(scratch, event, &deep("( ", "git push --force", " )", 100_000))),
    fault("a list of 25,000 commands", ASKED, "", |scratch, event| command(scratch, event, &"true;".repeat(MANY))),
    fault("the same list, and nobody can be asked", [DENIED, SILENT, SILENT, SILENT], "", |scratch, event| {
        let text = input_with(scratch, event, &"true;".repeat(MANY), "").replace("\"default\"", "\"bypassPermissions\"");
        scratch.hook(event, text.as_bytes())
    }),
    // What is written.
    fault("the device of standard output is full", [DENIED, DENIED, DENIED, SILENT], "", |scratch, event| {
        if event == "PreToolUse" {
            // A denial needs no standard output; a question does.
            let asked = input_with(scratch, event, "git stash drop", "");
            return through_shell(scratch, event, "exec \"$0\" \"$1\" > /dev/full", &asked);
        }
        through_shell(scratch, event, "exec \"$0\" \"$1\" > /dev/full", "")
    }),
    // Rust's start-up opens the null device in place of a closed stream, so what is written there is lost.
    fault("standard output is closed, and the answer is a question", [DENIED, SILENT, SILENT, SILENT], "could not be written", |scratch, event| {
        through_shell(scratch, event, "exec \"$0\" \"$1\" >&-", &input_with(scratch, event, "git stash drop", ""))
    }),
    fault("standard output is closed, and the answer is a denial", [DENIED, DENIED, SILENT, SILENT], "", |scratch, event| {
        through_shell(scratch, event, "exec \"$0\" \"$1\" >&-", &input_with(scratch, event, "git push --force", ""))
    }),
    fault("nobody reads standard output and standard error", [DENIED, DENIED, DENIED, SILENT], "", |scratch, event| {
        let mut child = scratch.command(hook_path()).arg(event).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop((child.stdout.take(), child.stderr.take()));
        child.stdin.take().unwrap().write_all(b"hello").unwrap();
        ended(child)
    }),
    fault("standard error is closed", [DENIED, DENIED_BY_JSON, DENIED, SILENT], "", |scratch, event| {
        through_shell(scratch, event, "exec \"$0\" \"$1\" 2>&-", "")
    }),
    // The policy.
    fault("the policy has an unknown key", CALLS_HELD, "unknown key", |scratch, event| with_policy(scratch, event, "schema = 1\nmodus = \"shadow\"\n")),
    fault("the policy is not TOML", CALLS_HELD, "not TOML", |scratch, event| with_policy(scratch, event, "schema = \n")),
    fault("the policy names an unknown pack", CALLS_HELD, "unknown pack", |scratch, event| with_policy(scratch, event, "schema = 1\npacks = [\"gti\"]\n")),
    fault("the policy is empty", CALLS_HELD, "needs `schema`", |scratch, event| with_policy(scratch, event, "")),
    fault("the policy is a folder", CALLS_HELD, "portcullis.toml` could not be read", |scratch, event| {
        fs::create_dir(scratch.repo().join("portcullis.toml")).unwrap();
        scratch.hook(event, input(scratch, event).as_bytes())
    }),
    fault("the policy is a link to itself", HELD, "could not be read", |scratch, event| {
        symlink("portcullis.toml", scratch.repo().join("portcullis.toml")).unwrap();
        scratch.hook(event, input(scratch, event).as_bytes())
    }),
    fault("the policy is a link that leads to nothing", HELD, "it is a link that leads to nothing", |scratch, event| {
        symlink("elsewhere.toml", scratch.repo().join("portcullis.toml")).unwrap();
        scratch.hook(event, input(scratch, event).as_bytes())
    }),
    fault("the cache of the policy is damaged", HARMLESS, "", |scratch, event| {
        scratch.write("portcullis.toml", "schema = 1\n");
        // A machine with too much to do may need a second try.
        let cached = (0..TRIES).find(|_| command(scratch, "PreToolUse", "ls").code == 0);
        assert!(cached.is_some(), "the policy was not compiled");
        for path in state_files(scratch) {
            let mut bytes = fs::read(&path).unwrap();
            bytes.truncate(bytes.len() / 2);
            fs::write(path, bytes).unwrap();
        }
        scratch.hook(event, input(scratch, event).as_bytes())
    }),
    // The binaries.
    fault("`portcullis` is needed and missing", HELD, "No such file or directory", |scratch, event| with_cold(scratch, event, None)),
    fault("`portcullis` cannot be executed", HELD, "Permission denied", |scratch, event| with_cold(scratch, event, Some(("", 0o600)))),
    fault("`portcullis` is not a program", HELD, "Exec format error", |scratch, event| with_cold(scratch, event, Some(("\0", 0o755)))),
    fault("`portcullis` is a program that succeeds", HELD, "gave no answer: it ended with exit code 0", |scratch, event| {
        with_cold(scratch, event, Some(("#!/bin/sh\nexit 0\n", 0o755)))
    }),
    fault("`portcullis` is a program that fails", HELD, "gave no answer: it ended with exit code 1", |scratch, event| {
        with_cold(scratch, event, Some(("#!/bin/sh\nexit 1\n", 0o755)))
    }),
    fault("`portcullis` is a program that answers as a hook does", HELD, "gave no answer: it ended with exit code 0", |scratch, event| {
        with_cold(scratch, event, Some(("#!/bin/sh\necho '{\"systemMessage\":\"x\"}'\n", 0o755)))
    }),
    fault("`portcullis` answers for another build", HELD, "gave no answer: it ended with exit code 0", |scratch, event| {
        with_cold(scratch, event, Some(("#!/bin/sh\necho portcullis-answer 0.0.0+other 0 0 0\n", 0o755)))
    }),
    fault("`portcullis` is killed", HELD, "gave no answer: signal 9 ended it", |scratch, event| {
        with_cold(scratch, event, Some(("#!/bin/sh\nkill -9 $$\n", 0o755)))
    }),
    fault("`portcullis` hangs", HELD, "gave no answer: it did not end in time", |scratch, event| {
        with_cold(scratch, event, Some(("#!/bin/sh\nexec sleep 60\n", 0o755)))
    }),
    fault("`portcullis` closes its output and hangs", HELD, "gave no answer: it did not end", |scratch, event| {
        with_cold(scratch, event, Some(("#!/bin/sh\nexec >&-\nexec sleep 60\n", 0o755)))
    }),
    fault("`portcullis` is of another build", HELD, "portcullis-hook is of build 0.0.0+other", |scratch, event| {
        let cold = env!("CARGO_BIN_EXE_portcullis");
        run(scratch.command(cold).args(["hook", "0.0.0+other", event]), input(scratch, event).as_bytes())
    }),
    // The world.
    fault("no HOME", HARMLESS, "", |scratch, event| run(scratch.command(hook_path()).env_remove("HOME").arg(event), input(scratch, event).as_bytes())),
    fault("no HOME, and no entry in the password database", HARMLESS, "", |scratch, event| {
        let mut hook = scratch.command(hook_path());
        run(hook.env_remove("HOME").env("PORTCULLIS_TEST_PASSWORD_HOME", "").arg(event), input(scratch, event).as_bytes())
    }),
    fault("the state cannot be written, and the call is dangerous", CALLS_HELD, "", |scratch, event| {
        fs::write(scratch.home().join(".local"), "").unwrap();
        command(scratch, event, "git push --force")
    }),
    fault("the record cannot be written, and the call is harmless", HARMLESS, "", |scratch, event| {
        fs::write(scratch.home().join(".local"), "").unwrap();
        command(scratch, event, "ls")
    }),
    fault("the event does not name the session's folder", HARMLESS, "", |scratch, event| {
        bytes(scratch, event, |text| text.replace("\"cwd\"", "\"folder\"").into_bytes())
    }),
    fault("the session's folder does not exist any more", HELD, "", |scratch, event| {
        let text = input(scratch, event).replace("\"cwd\"", "\"folder\"");
        let script = "unset CLAUDE_PROJECT_DIR; mkdir gone; cd gone; rmdir ../gone; exec \"$0\" \"$1\"";
        through_shell(scratch, event, script, &text)
    }),
    // The process.
    fault("an invalid memory access (SIGSEGV)", HELD, "it crashed", |scratch, event| hit(scratch, event, "SEGV")),
    fault("an abort (SIGABRT)", HELD, "it crashed", |scratch, event| hit(scratch, event, "ABRT")),
    fault("a file that shrinks while it is read (SIGBUS)", HELD, "it crashed", |scratch, event| hit(scratch, event, "BUS")),
    fault("the deadline passes", HELD, LATE, |scratch, event| {
        let mut child = waiting(scratch, event);
        let stdin = child.stdin.take();
        let said = ended(child);
        drop(stdin);
        said
    }),
];

fn state_files(scratch: &Scratch) -> Vec<PathBuf> {
    let folder = scratch.home().join(".local/state/portcullis");
    let repositories = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files: Vec<PathBuf> = repositories.map(|folder| folder.join("policy")).filter(|path| path.exists()).collect();
    assert!(!files.is_empty(), "the policy was cached");
    files
}

/// An answer in two words; panics on what no host would understand.
#[track_caller]
fn looks(said: &Said, about: &str) -> &'static str {
    match (said.code, said.stdout.as_str()) {
        (2, "") => DENIED,
        (0, "") if said.stderr.is_empty() => SILENT,
        (0, text) if said.stderr.is_empty() => {
            let answer: serde_json::Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{about}: {error}: {text}"));
            let output = &answer["hookSpecificOutput"];
            assert!(output["hookEventName"].is_string(), "{about}: {text}");
            match (output["decision"]["behavior"].as_str(), output["permissionDecision"].as_str()) {
                (Some("deny"), None) => DENIED_BY_JSON,
                (None, Some("ask")) => "JSON ask",
                _ => panic!("{about}: {text}"),
            }
        }
        _ => panic!("{about}: no host understands {said:?}"),
    }
}

#[test]
fn what_breaks_holds_what_can_be_held() {
    let mut wrong = Vec::new();
    let mut document = String::from(HEAD);
    let mut texts: Vec<(String, &str)> = Vec::new();
    // One fault at a time, and its events at once: a busy machine must not be taken for a slow gate.
    let answers = FAULTS.iter().map(|fault| {
        let said = std::thread::scope(|scope| {
            let try_on = |event: &'static str| {
                let mut tries = 0..TRIES;
                loop {
                    let scratch = scratch();
                    let said = (fault.make)(&scratch, event);
                    // A machine with too much to do is not the fault that is tried.
                    let late = (said.stderr.contains(LATE) || said.stdout.contains(LATE)) && !fault.name.contains("deadline");
                    if !late || tries.next().is_none() {
                        return (said, scratch.repo());
                    }
                }
            };
            let running = KINDS.map(|event| scope.spawn(move || try_on(event)));
            running.map(|thread| thread.join().unwrap())
        });
        (fault, said)
    });
    for (fault, said) in answers {
        let _ = write!(document, "| {} |", fault.name);
        for ((said, repo), (event, expected)) in said.iter().zip(KINDS.iter().zip(fault.expected)) {
            let about = format!("{}, {event}", fault.name);
            let found = looks(said, &about);
            if found != expected {
                wrong.push(format!("{about}: expected {expected}, got {found}: {said:?}"));
            }
            if [DENIED, DENIED_BY_JSON].contains(&found) && !fault.why.is_empty() {
                let text = format!("{}{}", said.stdout, said.stderr);
                for part in [fault.why, "why: ", "fix: "] {
                    if !text.contains(part) && !text.contains(&part.replace('"', "\\\"")) {
                        wrong.push(format!("{about}: `{part}` is missing in {said:?}"));
                    }
                }
                let plain = plain(&said.stderr, repo);
                if found == DENIED && !texts.iter().any(|(known, _)| *known == plain) && *event == "PreToolUse" {
                    texts.push((plain, fault.name));
                }
            }
            let _ = write!(document, " {found} |");
        }
        document.push('\n');
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    document.push_str("\n## Messages\n\nThese texts answer a tool call on standard error.\n");
    for (text, name) in &texts {
        let _ = write!(document, "\n{name}:\n\n```text\n{}\n```\n", text.trim_end());
    }
    fresh("docs/failures.md", &document);
}

const HEAD: &str = "# When Portcullis cannot judge

This page shows what happens if Portcullis itself breaks. For example, if the policy contains an unknown key, a tool call is
denied with exit code 2 and a message that shows the mistake.

A broken hook must not let a call through. It must also not disturb events that only report what has happened. So every
failure is decided by one table (`src/failure.rs`): events that come before an action are denied, all others are allowed.
The client reads only JSON for `PermissionRequest`, so that event is denied by JSON.

The test `faults::what_breaks_holds_what_can_be_held` makes this page by starting the real hook with each fault. Do not edit
it; run `PORTCULLIS_REFRESH=1 cargo test faults` instead.

| answer | meaning |
| --- | --- |
| exit 2 | denied, with the reason on standard error |
| JSON deny | denied, with the reason in JSON |
| JSON ask | a person is asked |
| allowed | the hook says nothing, and the client continues |

| fault | PreToolUse | PermissionRequest | ConfigChange | PostToolUse |
| --- | --- | --- | --- | --- |
";

/// A text without what differs from machine to machine.
fn plain(text: &str, repo: &Path) -> String {
    let folder = repo.parent().unwrap().to_string_lossy().into_owned();
    text.replace(&repo.to_string_lossy().into_owned(), "/home/dev/project")
        .replace(&folder, "/home/dev")
        .replace("/home/dev/home/", "/home/dev/")
        .replace(BUILD, "0.1.0+this")
}

#[test]
fn a_stack_that_runs_over_is_a_denial() {
    // A stack so small that ordinary work does not fit into it.
    let scratch = scratch();
    let text = input_with(&scratch, "PreToolUse", &deep("echo $(", "ls", ")", 40), "");
    let sizes = [16, 24, 32, 48, 64, 96, 128, 256];
    let said: Vec<Said> = sizes.iter().map(|kib| through_shell(&scratch, "PreToolUse", &format!("ulimit -s {kib}; exec \"$0\" \"$1\""), &text)).collect();
    for (kib, said) in sizes.iter().zip(&said) {
        // Too small for the kernel to start it at all is the host's to see; `onFailure` is for that.
        let never_started = said.code == -1 || said.code > 2;
        assert!(never_started && said.stdout.is_empty() || [0, 2].contains(&said.code), "{kib} KiB: {said:?}");
    }
    assert!(said.iter().any(|said| said.code == 2 && said.stderr.contains("the stack overflowed")), "no stack was small enough: {said:?}");
}

#[test]
fn an_unreadable_policy_is_a_denial() {
    let scratch = scratch();
    scratch.write("portcullis.toml", "schema = 1\n");
    let path = scratch.repo().join("portcullis.toml");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o0)).unwrap();
    if fs::read(&path).is_ok() {
        // Who may read everything cannot try this.
        return;
    }
    for event in ["PreToolUse", "PermissionRequest"] {
        let said = scratch.hook(event, input(&scratch, event).as_bytes());
        assert_ne!(looks(&said, event), SILENT, "{said:?}");
    }
}

#[test]
fn a_deadline_is_well_below_the_client_s() {
    let scratch = scratch();
    let mut child = waiting(&scratch, "PreToolUse");
    let (stdin, begun) = (child.stdin.take(), Instant::now());
    let said = ended(child);
    drop(stdin);
    assert_eq!(said.code, 2);
    // Older wirings let the client wait for ten seconds.
    assert!(begun.elapsed() < Duration::from_millis(9_500), "the client waits for ten seconds; this took {:?}", begun.elapsed());
}

#[test]
fn every_failure_says_what_broke_and_how_to_fix_it() {
    use failure::Failure as F;
    let text = || "x".to_owned();
    let all = [
        F::InputClosed,
        F::InputTooLarge,
        F::InputUnreadable(text()),
        F::EventMismatch { argument: text(), input: text() },
        F::FolderUnknown,
        F::Unreadable { path: text(), why: text() },
        F::PolicyInvalid(text()),
        F::PolicyDamaged,
        F::RuleDamaged,
        F::ColdMissing { path: text(), why: text() },
        F::Busy,
        F::ColdFailed { path: text(), why: text() },
        F::CallMalformed { tool: text(), why: text() },
        F::BuildMismatch { hot: text(), cold: text() },
        F::Panic(text()),
        F::AnswerUnwritable,
        F::LastUnwritable(text()),
        F::RecordUnwritable(text()),
    ];
    for failure in all {
        let text = failure::text(&failure);
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines.iter().any(|line| line.starts_with("why: ") && line.len() > 15), "{text}");
        assert!(lines.last().unwrap().starts_with("fix: ") && !text.ends_with('.'), "{text}");
    }
}
