//! The record and the store through the real hook: what is written, what is kept out of it, and what eight processes and
//! kills at random points leave behind. `portcullis log` reads it.
//!
//! `PORTCULLIS_RECORD_CALLS` (a process) and `PORTCULLIS_RECORD_KILLS` (in all) make the long run of it.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use gate::record::RecordSource::{Cold, Hot};
use gate::record::{Entry, Held, Outcome};
use gate::world::store::{SCRIPTS, Store};
use gate::world::{Surroundings, record, written};

use crate::support::{COLD, Said, Scratch, hook_path, json, package, run};

/// Processes that call at the same time.
const PROCESSES: usize = 8;
/// Files that each of them writes again and again.
const FILES: usize = 25;

fn number(variable: &str, otherwise: usize) -> usize {
    std::env::var(variable).ok().map_or(otherwise, |text| text.parse().expect("a number"))
}

fn around(scratch: &Scratch, session: &str) -> Surroundings {
    Surroundings { session: session.to_owned(), ..scratch.world().at(&scratch.repo()).unwrap() }
}

/// The lines that have an end: a reader may come while the last one is being written.
fn whole(text: &str) -> &str {
    text.rfind('\n').map_or("", |end| &text[..=end])
}

/// Entries of the record, and the number of lines that are none.
fn entries(scratch: &Scratch) -> (Vec<Entry>, usize) {
    let texts: Vec<String> = record::files(&around(scratch, "").memory).iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    let read: Vec<Option<Entry>> =
        texts.iter().flat_map(|text| whole(text).lines()).filter(|line| !line.is_empty()).map(|line| Entry::read(line.as_bytes())).collect();
    let bad = read.iter().filter(|entry| entry.is_none()).count();
    (read.into_iter().flatten().collect(), bad)
}

/// An event of a session, with what only it has.
fn event(scratch: &Scratch, name: &str, session: &str, fields: &str) -> String {
    let cwd = json(&scratch.repo().to_string_lossy());
    format!(r#"{{"session_id":"{session}","cwd":{cwd},"permission_mode":"default","hook_event_name":"{name}",{fields}}}"#)
}

fn bash(command: &str, call: &str) -> String {
    format!(r#""tool_name":"Bash","tool_input":{{"command":{}}},"tool_use_id":"{call}""#, json(command))
}

fn write(scratch: &Scratch, path: &str, text: &str, call: &str) -> String {
    let path = json(&scratch.repo().join(path).to_string_lossy());
    format!(r#""tool_name":"Write","tool_input":{{"file_path":{path},"content":{}}},"tool_use_id":"{call}""#, json(text))
}

fn hook(scratch: &Scratch, name: &str, session: &str, fields: &str) -> Said {
    scratch.hook(name, event(scratch, name, session, fields).as_bytes())
}

/// The hook, killed after a while unless it is done by then. Whether it came to its end.
fn call(scratch: &Scratch, input: &str, kill_after: Option<Duration>) -> bool {
    let mut child = scratch.command(hook_path()).arg("PreToolUse").stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    if let Some(after) = kill_after {
        std::thread::sleep(after);
        let _ = child.kill();
    }
    child.wait().unwrap().code() == Some(0)
}

#[test]
#[expect(clippy::print_stdout, reason = "the figures are what `--nocapture` is for")]
fn eight_processes_and_kills_lose_and_tear_nothing() {
    let (calls, kills) = (number("PORTCULLIS_RECORD_CALLS", 60), number("PORTCULLIS_RECORD_KILLS", 48));
    let scratch = Scratch::new();
    let (done, reads) = (AtomicBool::new(false), AtomicUsize::new(0));
    let ended: Vec<BTreeMap<String, bool>> = std::thread::scope(|scope| {
        let (scratch, done, reads) = (&scratch, &done, &reads);
        let reader = scope.spawn(move || {
            while !done.load(Ordering::Relaxed) {
                // Whatever is there now can be read: whole lines.
                assert_eq!(entries(scratch).1, 0, "a line is torn");
                reads.fetch_add(1, Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        let callers: Vec<_> = (0..PROCESSES)
            .map(|process| {
                scope.spawn(move || {
                    let mut lot = process as u64 + 1;
                    let mut draw = |most: u64| {
                        lot = lot.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                        (lot >> 33) % most
                    };
                    let every = (calls * PROCESSES).checked_div(kills).unwrap_or(usize::MAX).max(1);
                    let one = |at: usize, draw: &mut dyn FnMut(u64) -> u64| {
                        let name = format!("toolu_{process}_{at}");
                        let fields = match at % 2 {
                            0 => bash("git status --short", &name),
                            _ => write(scratch, &format!("src/{process}_{}.sh", at / 2 % FILES), "echo\n", &name),
                        };
                        // A call takes a few milliseconds; each of them is hit.
                        let kill = (at % every == every - 1).then(|| Duration::from_micros(draw(25_000)));
                        let ended = call(scratch, &event(scratch, "PreToolUse", "s", &fields), kill);
                        (name, ended)
                    };
                    (0..calls).map(|at| one(at, &mut draw)).collect::<BTreeMap<_, _>>()
                })
            })
            .collect();
        let ended = callers.into_iter().map(|caller| caller.join().unwrap()).collect();
        done.store(true, Ordering::Relaxed);
        reader.join().unwrap();
        ended
    });
    let ended: BTreeMap<String, bool> = ended.into_iter().flatten().collect();
    let (found, bad) = entries(&scratch);
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for entry in &found {
        *counts.entry(&entry.call).or_default() += 1;
    }
    let acknowledged = ended.values().filter(|ended| **ended).count();
    println!(
        "{} calls, {} killed, {acknowledged} acknowledged, {} recorded, {bad} torn; read {} times meanwhile",
        ended.len(),
        ended.len() - acknowledged,
        found.len(),
        reads.load(Ordering::Relaxed)
    );
    assert_eq!(bad, 0);
    assert!(kills == 0 || acknowledged < ended.len(), "nothing was killed");
    for (name, ended) in &ended {
        let count = counts.get(name.as_str()).copied().unwrap_or(0);
        assert!(count == 1 || (count == 0 && !ended), "{name}: ended {ended}, recorded {count} times");
    }
    // What a call that came to its end wrote is remembered, and no lock is stuck.
    let around = around(&scratch, "s");
    for (name, _) in ended.iter().filter(|(_, ended)| **ended) {
        let (process, at) = name.trim_start_matches("toolu_").split_once('_').unwrap();
        let at: usize = at.parse().unwrap();
        let path = scratch.repo().join(format!("src/{process}_{}.sh", at / 2 % FILES));
        assert!(at.is_multiple_of(2) || written::is_written(&path.to_string_lossy(), &around), "{name}");
    }
    assert!(Store::open(&around.memory, SCRIPTS).is_ok());
}

#[test]
fn every_decision_and_signal_is_one_line() {
    let scratch = Scratch::new();
    hook(&scratch, "SessionStart", "s1", r#""source":"startup""#);
    hook(&scratch, "UserPromptSubmit", "s1", r#""prompt":"the password is hunter2""#);
    hook(&scratch, "PreToolUse", "s1", &bash("ls -la", "t1"));
    hook(&scratch, "PostToolUse", "s1", &format!(r#"{},"tool_response":{{"stdout":"x"}}"#, bash("ls -la", "t1")));
    assert_eq!(hook(&scratch, "PreToolUse", "s1", &bash("git push --force", "t2")).code, 2);
    assert!(hook(&scratch, "PreToolUse", "s1", &bash("git stash drop", "t3")).stdout.contains("ask"));
    hook(&scratch, "PostToolUseFailure", "s1", &format!(r#"{},"error":"Exit code 2\nno rule","is_interrupt":false"#, bash("make", "t4")));
    hook(&scratch, "Stop", "s1", r#""stop_hook_active":false"#);
    hook(&scratch, "SubagentStop", "s1", r#""agent_id":"a1","agent_type":"Explore""#);
    hook(&scratch, "Notification", "s1", r#""message":"x""#);
    let (found, bad) = entries(&scratch);
    let short: Vec<String> = found
        .iter()
        .map(|entry| {
            let rules: Vec<&str> = entry.rules.iter().map(|rule| rule.name.as_str()).collect();
            format!("{} {} {:?} {:?} {:?} {}", entry.event, entry.call, entry.tier, entry.held, entry.outcome, rules.join(","))
        })
        .collect();
    let expected = [
        "SessionStart  None None None ".to_owned(),
        "UserPromptSubmit  None None None ".to_owned(),
        "PreToolUse t1 Some(1) None None ".to_owned(),
        format!("PostToolUse t1 None None {:?} ", Some(Outcome::Ok)),
        format!("PreToolUse t2 Some(4) {:?} None force-push", Some(Held::Deny)),
        format!("PreToolUse t3 Some(3) {:?} None set-aside-work-discarded", Some(Held::Ask)),
        format!("PostToolUseFailure t4 None None {:?} ", Some(Outcome::Failed)),
        "Stop  None None None ".to_owned(),
        "SubagentStop  None None None ".to_owned(),
    ];
    assert_eq!((short.as_slice(), bad), (expected.as_slice(), 0));
    assert_eq!(found[2].input, found[3].input, "one call has one hash");
    assert_eq!((found[6].exit, found[6].said.as_str()), (Some(2), "no rule"));
    assert_eq!(found[8].agent_id, "a1");
    // What a person says is not kept.
    assert!(!fs::read_to_string(record::current(&around(&scratch, "").memory).unwrap()).unwrap().contains("hunter2"));
}

/// A made-up secret of each form of `policies/secret-formats.txt` that a text of chance can have.
fn made_up_secrets() -> Vec<(String, String)> {
    let text = fs::read_to_string(package().join("policies/secret-formats.txt")).unwrap();
    let mut lot = 7_u64;
    let mut draw = |most: usize| {
        lot = lot.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(lot >> 33).unwrap() % most
    };
    let mut made = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#') && line.contains('|')) {
        let parts: Vec<&str> = line.split('|').map(str::trim).collect();
        let letters = match parts[2] {
            "Hex" => "0123456789abcdef",
            "Base32" => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
            "Upper" => "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
            _ => "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
        };
        let length: usize = parts[3].parse().unwrap();
        // Some ask for a text within, or for a checksum: those that come out wrong are left out.
        let secret: String = parts[1].chars().chain((0..length).map(|_| char::from(letters.as_bytes()[draw(letters.len())]))).collect();
        if !policy::secret::find(&secret).is_empty() {
            made.push((parts[0].to_owned(), secret));
        }
    }
    made
}

#[test]
fn a_secret_of_any_provider_in_any_field_does_not_come_into_the_record() {
    let scratch = Scratch::new();
    let secrets = made_up_secrets();
    assert!(secrets.len() > 60, "{} forms", secrets.len());
    let cwd = json(&scratch.repo().to_string_lossy());
    for (at, (_, secret)) in secrets.iter().enumerate() {
        let common = format!(
            r#""session_id":"{secret}","cwd":{cwd},"permission_mode":"{secret}","agent_id":"{secret}","agent_type":"{secret}","tool_use_id":"{secret}""#
        );
        let call = |event: &str, tool: &str, input: &str| {
            let more = if event == "PostToolUseFailure" { format!(r#","error":"Exit code 1\nno: {secret}","is_interrupt":false"#) } else { String::new() };
            scratch.hook(event, format!(r#"{{{common},"hook_event_name":"{event}","tool_name":"{tool}","tool_input":{input}{more}}}"#).as_bytes());
        };
        let inputs = [
            ("Bash", format!(r#"{{"command":"run it {secret} on","description":"{secret}"}}"#)),
            ("Write", format!(r#"{{"file_path":"/tmp/{secret}/x","content":"{secret}"}}"#)),
            ("WebFetch", format!(r#"{{"url":"https://acme.io/?q={secret}&b=1","prompt":"{secret}"}}"#)),
            ("Grep", format!(r#"{{"pattern":"{secret}"}}"#)),
            ("Task", format!(r#"{{"subagent_type":"{secret}","description":"{secret}","prompt":"{secret}"}}"#)),
            ("mcp__acme__send", format!(r#"{{"to":"{secret}","{secret}":1,"deep":[{{"body":"{secret}"}}]}}"#)),
        ];
        let (tool, input) = &inputs[at % inputs.len()];
        call("PreToolUse", tool, input);
        call("PostToolUseFailure", tool, input);
        call("PreToolUse", secret, r#"{"x":1}"#);
        scratch.hook("UserPromptSubmit", format!(r#"{{{common},"hook_event_name":"UserPromptSubmit","prompt":"{secret}","source":"{secret}"}}"#).as_bytes());
    }
    let mut lines = 0;
    for path in record::files(&around(&scratch, "").memory) {
        for line in fs::read_to_string(path).unwrap().lines() {
            lines += 1;
            let found: Vec<&str> = secrets.iter().filter(|(_, secret)| line.contains(secret.as_str())).map(|(kind, _)| kind.as_str()).collect();
            assert!(found.is_empty(), "{found:?} in {line}");
        }
    }
    assert!(lines > secrets.len(), "{lines} lines");
    // Nor out of it.
    let record = record::current(&around(&scratch, "").memory).unwrap();
    let commands: [&[&str]; 6] = [
        &["log", "--json", "-n", "1000"],
        &["log", "export", "--format", "csv"],
        &["log", "export", "--format", "ocsf"],
        &["report", "--output", "-"],
        &["report", "--format", "md"],
        &["replay", "--json", "--samples", "1000", record.to_str().unwrap()],
    ];
    for command in commands {
        let said = run(scratch.command(COLD).args(command), b"");
        let found: Vec<&str> = secrets.iter().filter(|(_, secret)| said.stdout.contains(secret.as_str())).map(|(kind, _)| kind.as_str()).collect();
        assert!(said.code == 0 && said.stdout.len() > 200 && found.is_empty(), "{command:?}: {found:?}");
    }
}

#[test]
fn secrets_do_not_come_into_the_record() {
    let scratch = Scratch::new();
    let secrets = ["hunter2hunter2", "Zq81LmXw02", "c2VjcmV0OnNlY3JldA", "s3cr3tvalue"];
    for command in [
        "mysql -u root -phunter2hunter2 shop",
        "docker login -u me -p hunter2hunter2 registry.acme.io",
        "curl -H 'Authorization: Bearer Zq81LmXw02' https://acme.io",
        "curl -H \"Authorization: Basic c2VjcmV0OnNlY3JldA\" https://acme.io",
        "curl -u me:hunter2hunter2 https://acme.io",
        "curl https://me:hunter2hunter2@acme.io/x",
        "deploy --token=Zq81LmXw02 --password s3cr3tvalue",
        "API_KEY=Zq81LmXw02 PASSWORD='Zq81LmXw02 s3cr3tvalue' ./run",
        "export DB_PASSWORD=s3cr3tvalue",
        "curl 'https://acme.io/?access_token=Zq81LmXw02&b=1'",
        "psql postgres://app:s3cr3tvalue@db/app",
        // By their place, as the descriptions of programs have it.
        "curl --user=me:hunter2hunter2 https://acme.io",
        "curl -fsSu me:hunter2hunter2 https://acme.io",
        "curl -sSume:hunter2hunter2 https://acme.io",
        "curl -fsSLUme:hunter2hunter2 https://acme.io",
        "echo Zq81LmXw02 | docker login -u me --password-stdin acme.io",
        "docker login --password-stdin <<< s3cr3tvalue",
        "podman login --password-stdin <<E\ns3cr3tvalue\nE",
        "openssl enc -aes-256-cbc -k s3cr3tvalue -in a -out b",
        "openssl rsa -in k.pem -passin pass:s3cr3tvalue",
        "zip -rP s3cr3tvalue a.zip b && unzip -P s3cr3tvalue a.zip",
        "7z a -ps3cr3tvalue a.7z b",
        "sudo -S true <<< hunter2hunter2",
        "echo hunter2hunter2 | sudo -S true",
        "npm config set //registry.npmjs.org/:_authToken s3cr3tvalue",
        "npm set //registry.npmjs.org/:_authToken=s3cr3tvalue",
        "aws configure set aws_secret_access_key s3cr3tvalue",
        "kubectl create secret generic x --from-literal=password=s3cr3tvalue",
        "kubectl create secret generic x --from-literal x=s3cr3tvalue",
        "redis-cli -a s3cr3tvalue ping",
        "gh secret set NAME --body s3cr3tvalue",
        "bash -c 'zip -P s3cr3tvalue a b'",
        "X=$(timeout 5 curl -u me:hunter2hunter2 https://acme.io)",
        "htpasswd -cb file me s3cr3tvalue",
        "keytool -list -storepass s3cr3tvalue",
        "fly secrets set DB=s3cr3tvalue OTHER=Zq81LmXw02",
        "tool --db-password-stdin <<< s3cr3tvalue",
        "java -Ddb.password=s3cr3tvalue -jar a.jar",
        "ssh host \"mysql -ps3cr3tvalue -e 'select 1'\"",
    ] {
        hook(&scratch, "PreToolUse", "s", &bash(command, "t"));
        let failed = format!(r#"{},"error":"Exit code 1\nlogin failed: password=s3cr3tvalue""#, bash(command, "t"));
        hook(&scratch, "PostToolUseFailure", "s", &failed);
    }
    let text = fs::read_to_string(record::current(&around(&scratch, "").memory).unwrap()).unwrap();
    for line in text.lines() {
        assert!(!secrets.iter().any(|secret| line.contains(secret)), "{line}");
    }
    // What stays tells what was done.
    let harmless = [
        "git push -u origin main",
        "docker run -p 8080:80 nginx",
        "mkdir -p a/b && sort -u names.txt",
        "npm config set registry https://acme.io",
        "aws configure set region eu-west-1",
        "echo hello | sudo tee /etc/x",
        "openssl req -new -key server.key -out a.csr",
        "kubectl create configmap c --from-literal=a=b",
        "unzip a.zip -d out",
        "grep -P x file",
    ];
    for command in harmless {
        hook(&scratch, "PreToolUse", "s", &bash(command, "t"));
    }
    let text = text + &fs::read_to_string(record::current(&around(&scratch, "").memory).unwrap()).unwrap();
    for command in harmless {
        assert!(text.contains(command), "{command}");
    }
    assert!(text.matches("[secret]").count() > 20 && text.contains("https://acme.io"), "{text}");
}

#[test]
fn work_trees_share_one_record() {
    let scratch = Scratch::new();
    let tree = scratch.home().join("tree");
    let own = scratch.repo().join(".git/worktrees/tree");
    fs::create_dir_all(&own).unwrap();
    fs::create_dir_all(&tree).unwrap();
    fs::write(own.join("HEAD"), "ref: refs/heads/side\n").unwrap();
    fs::write(own.join("commondir"), "../..\n").unwrap();
    fs::write(own.join("gitdir"), format!("{}\n", tree.join(".git").display())).unwrap();
    fs::write(tree.join(".git"), format!("gitdir: {}\n", own.display())).unwrap();
    let world = scratch.world();
    let there = gate::world::World { project_dir: Some(tree.clone()), ..world.clone() }.at(&tree).unwrap();
    assert_eq!(there.memory, world.at(&scratch.repo()).unwrap().memory);
}

#[test]
fn a_record_that_cannot_be_written_changes_nothing_and_is_told() {
    let scratch = Scratch::new();
    fs::create_dir_all(record_path(&scratch)).unwrap();
    assert_eq!(hook(&scratch, "PreToolUse", "s", &bash("ls", "t")).short(), "free");
    assert_eq!(hook(&scratch, "PreToolUse", "s", &bash("git push --force", "t")).short(), "deny force-push");
    assert_eq!(hook(&scratch, "Stop", "s", r#""stop_hook_active":false"#).short(), "free");
    let started = hook(&scratch, "SessionStart", "s", r#""source":"startup""#);
    assert!(started.code == 0 && started.stdout.contains("it cannot write its record"), "{started:?}");
    let doctor = run(scratch.command(env!("CARGO_BIN_EXE_portcullis")).arg("doctor"), b"");
    assert!(doctor.stdout.contains("decisions cannot be recorded"), "{doctor:?}");
}

pub(crate) fn record_path(scratch: &Scratch) -> PathBuf {
    around(scratch, "").memory[0].join("record.jsonl")
}

/// Of a script that was there only what is certain counts; of one that the session wrote everything does.
#[test]
fn a_script_of_the_session_is_judged_like_its_call() {
    let unsure = "#!/bin/bash\ngit push $HOW origin main\n";
    let run_it = |scratch: &Scratch, session: &str| hook(scratch, "PreToolUse", session, &bash("bash tools/go.sh", "t")).short();
    let scratch = Scratch::new();
    scratch.write("tools/go.sh", unsure);
    assert_eq!(run_it(&scratch, "s"), "free", "it was there before");
    // A change within it does not make it the session's.
    let path = json(&scratch.repo().join("tools/go.sh").to_string_lossy());
    hook(&scratch, "PreToolUse", "s", &format!(r#""tool_name":"Edit","tool_input":{{"file_path":{path},"old_string":"main","new_string":"side"}}"#));
    assert_eq!(run_it(&scratch, "s"), "free");
    for fields in [write(&scratch, "tools/go.sh", unsure, "t"), bash("cat > tools/go.sh <<'EOF'\ngit push $HOW origin main\nEOF", "t")] {
        let scratch = Scratch::new();
        let fields = fields.replace(&path, &json(&scratch.repo().join("tools/go.sh").to_string_lossy()));
        assert_eq!(hook(&scratch, "PreToolUse", "s", &fields).short(), "free");
        scratch.write("tools/go.sh", unsure);
        let said = run_it(&scratch, "s");
        assert!(said.starts_with("ask ") && said.contains("force-push"), "{said}");
        assert_eq!(run_it(&scratch, "another"), "free");
    }
    // What was denied was not written.
    let scratch = Scratch::new();
    let denied = bash("git push --force; echo 'git push $HOW origin main' > tools/go.sh", "t");
    assert_eq!(hook(&scratch, "PreToolUse", "s", &denied).code, 2);
    scratch.write("tools/go.sh", unsure);
    assert_eq!(run_it(&scratch, "s"), "free");
}

fn log(scratch: &Scratch, arguments: &[&str]) -> Said {
    run(scratch.command(env!("CARGO_BIN_EXE_portcullis")).arg("log").args(arguments), b"")
}

#[test]
fn the_log_shows_what_is_asked_for() {
    let scratch = Scratch::new();
    let empty = log(&scratch, &[]);
    assert!(empty.code == 0 && empty.stdout.is_empty() && empty.stderr.contains("nothing is recorded"), "{empty:?}");
    hook(&scratch, "PreToolUse", "one", &bash("ls -la", "t1"));
    hook(&scratch, "PreToolUse", "one", &bash("git push --force", "t2"));
    hook(&scratch, "PreToolUse", "two", &write(&scratch, "src/a.rs", "fn a() {}\n", "t3"));
    hook(&scratch, "PostToolUseFailure", "two", &format!(r#"{},"error":"Exit code 7\nno such file""#, bash("cat x", "t4")));
    let path = record_path(&scratch);
    fs::write(&path, format!("{}{{\"v\":1,\"ti\nnoise\n", fs::read_to_string(&path).unwrap())).unwrap();
    for (arguments, expected) in [
        (&[][..], &["ls -la", "git push --force", "src/a.rs", "cat x"][..]),
        (&["--session", "one"], &["ls -la", "git push --force"]),
        (&["--stopped"], &["git push --force"]),
        (&["--held"], &["git push --force"]),
        (&["--tier", "3"], &["git push --force"]),
        (&["--rule", "force-push"], &["git push --force"]),
        (&["--tool", "Write"], &["src/a.rs"]),
        (&["--path", "src/"], &["src/a.rs"]),
        (&["--agent", "main", "--since", "1h", "-n", "2"], &["src/a.rs", "cat x"]),
        (&["--since", "2100-01-01"], &[]),
        (&["--agent", "Explore"], &[]),
    ] {
        let said = log(&scratch, arguments);
        let lines: Vec<&str> = said.stdout.lines().collect();
        assert_eq!(lines.len(), expected.len(), "{arguments:?}: {said:?}");
        for (line, part) in lines.iter().zip(expected) {
            assert!(line.contains(part) && line.starts_with("20"), "{arguments:?}: {line}");
        }
        assert!(said.stderr.contains("2 lines of the record cannot be read"), "{said:?}");
        let in_json = log(&scratch, &[arguments, &["--json"]].concat());
        let read: Vec<Entry> = in_json.stdout.lines().map(|line| Entry::read(line.as_bytes()).unwrap()).collect();
        assert_eq!(read.len(), expected.len());
    }
    let shown = log(&scratch, &[]).stdout;
    assert!(shown.contains("denied") && shown.contains("[force-push]") && shown.contains("exit 7: no such file"), "{shown}");
    let summary = log(&scratch, &["--summary"]).stdout;
    assert!(summary.starts_with("3 decisions, 1 signals\n") && summary.contains("force-push"), "{summary}");
    let counted: serde_json::Value = serde_json::from_str(&log(&scratch, &["--summary", "--json"]).stdout).unwrap();
    assert_eq!((&counted["decisions"], &counted["by"]["tool"]["Bash"], &counted["by"]["tier"]["4"]), (&3.into(), &2.into(), &1.into()));
    assert_eq!(log(&scratch, &["--since", "yesterday"]).code, 2);
}

#[test]
fn a_prompt_of_the_client_is_no_second_decision() {
    let scratch = Scratch::new().with_work();
    let request = |command: &str| format!(r#""tool_name":"Bash","tool_input":{{"command":{}}}"#, json(command));
    for command in ["ls -la", "git reset --hard", "git push --force"] {
        hook(&scratch, "PreToolUse", "one", &bash(command, command));
        hook(&scratch, "PermissionRequest", "one", &request(command));
    }
    let shown = log(&scratch, &[]).stdout;
    let words: Vec<&str> = shown.lines().filter_map(|line| line.split_whitespace().nth(3)).collect();
    assert_eq!(words, ["allowed", "prompt", "asked", "prompt", "denied", "denied"], "{shown}");
    assert!(log(&scratch, &["--summary"]).stdout.starts_with("4 decisions, 2 signals\n"));
}

#[test]
fn the_log_follows_through_a_new_file() {
    let scratch = Scratch::new();
    hook(&scratch, "PreToolUse", "s", &bash("echo one", "t1"));
    let mut following = Command::new(env!("CARGO_BIN_EXE_portcullis"));
    let world = scratch.command(hook_path());
    following.env_clear().envs(world.get_envs().filter_map(|(name, value)| Some((name, value?)))).current_dir(scratch.repo());
    let shown = scratch.home().join("shown");
    let mut child = following.args(["log", "--follow"]).stdout(fs::File::create(&shown).unwrap()).spawn().unwrap();
    let wait_for = |text: &str| {
        (0..200).any(|_| {
            std::thread::sleep(Duration::from_millis(50));
            fs::read_to_string(&shown).unwrap().contains(text)
        })
    };
    let first = wait_for("echo one");
    hook(&scratch, "PreToolUse", "s", &bash("echo two", "t2"));
    let second = wait_for("echo two");
    let path = record_path(&scratch);
    fs::rename(&path, path.with_file_name("record.1.jsonl")).unwrap();
    hook(&scratch, "PreToolUse", "s", &bash("echo three", "t3"));
    let third = wait_for("echo three");
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!((first, second, third), (true, true, true));
    assert_eq!(fs::read_to_string(&shown).unwrap().lines().count(), 3);
}

#[test]
fn how_long_an_answer_took_is_recorded() {
    let scratch = Scratch::new();
    hook(&scratch, "PreToolUse", "s", &bash("git status", "toolu_hot"));
    hook(&scratch, "PostToolUse", "s", &bash("git status", "toolu_hot"));
    // A policy that must be compiled is the full program's matter.
    scratch.write("portcullis.toml", "schema = 1\n");
    hook(&scratch, "PreToolUse", "s", &bash("git status", "toolu_cold"));
    let (entries, _) = entries(&scratch);
    let found: Vec<_> = entries.iter().map(|entry| (entry.event.as_str(), entry.source)).collect();
    assert_eq!(found, [("PreToolUse", Hot), ("PostToolUse", Hot), ("PreToolUse", Cold)]);
    let took: Vec<u64> = entries.iter().map(|entry| entry.took.expect("it is known")).collect();
    assert!(took.iter().all(|took| (1..60_000_000).contains(took)), "{took:?}");
    // What is judged in a process of its own begins with the hook, and not with that process.
    let begun = std::time::Instant::now();
    let mut child = scratch.command(hook_path()).arg("PreToolUse").stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    scratch.write("portcullis.toml", "schema = 1\n# changed\n");
    std::thread::sleep(Duration::from_millis(120));
    stdin.write_all(event(&scratch, "PreToolUse", "s", &bash("git log", "toolu_late")).as_bytes()).unwrap();
    drop(stdin);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let last = self::entries(&scratch).0.pop().unwrap();
    let took = Duration::from_micros(last.took.unwrap());
    assert!(last.call == "toolu_late" && last.source == Cold && took >= Duration::from_millis(100) && took <= begun.elapsed(), "{took:?} {last:?}");
}
