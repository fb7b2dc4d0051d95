//! One judgement behind three commands: every case through the hook's process, through `explain --json`, and, where a case
//! needs no files, through the examples of `portcullis test`.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use gate::world::World;
use policy::Policy;
use policy::verdict::Finding;
use policy_compiler::examples::{Example, ExampleDeed, ExampleFacts};
use serde_json::Value;

use crate::cases::{Case, cases, payload_of, scratch_of, shared};
use crate::support::{Scratch, hook_path, package};

/// Commands whose verdict depends on something that examples cannot say, by a part of the command: the reason.
const BEYOND_EXAMPLES: &[(&str, &str)] = &[
    (".local/bin", "the binaries of examples are in the home folder, those of the hook where it was built"),
    ("portcullis-hook", "as above"),
    ("/home", "the home folder of examples is below /home"),
    ("..", "the repository of examples is at the root"),
    ("work.txt", "a file of the repository, which examples do not have"),
];

#[test]
fn hook_explain_and_test_agree_on_every_case() {
    let mut files: Vec<PathBuf> = fs::read_dir(package().join("tests/cases")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort_by_key(|path| std::cmp::Reverse(fs::metadata(path).unwrap().len()));
    let (next, wrong, counts) = (AtomicUsize::new(0), Mutex::new(Vec::new()), [const { AtomicUsize::new(0) }; 2]);
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                let plain = Scratch::new().with_work();
                while let Some(path) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let own = shared(path);
                    for (case, _) in cases(path) {
                        let found = differences(&case, own.as_ref().unwrap_or(&plain), &counts);
                        wrong.lock().unwrap().extend(found.map(|what| format!("{}: {what}", path.file_stem().unwrap().display())));
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    let [judged, examples] = counts.map(AtomicUsize::into_inner);
    assert!(judged > 4_000 && examples > 3_000, "{judged} cases, {examples} of them as examples");
    assert!(wrong.is_empty(), "{} of {judged} cases ({examples} as examples):\n{}", wrong.len(), wrong.join("\n"));
}

/// What differs between the three, if anything does.
fn differences(case: &Case, plain: &Scratch, counts: &[AtomicUsize; 2]) -> Option<String> {
    let own = scratch_of(case);
    let scratch = own.as_ref().unwrap_or(plain);
    let payload = payload_of(case, scratch);
    let shown = case.command.clone().unwrap_or_else(|| payload.clone());
    counts[0].fetch_add(1, Ordering::Relaxed);
    // The hook finds its own folder.
    let world = World { binaries: Path::new(hook_path()).parent().map(Path::to_path_buf), ..scratch.world() };
    let explained = portcullis::cli::explain::in_json(payload.as_bytes(), &world, None).unwrap_or_else(|refusal| panic!("{shown}: {refusal}"));
    let hook = scratch.hook("PreToolUse", payload.as_bytes());
    let answer = &explained["answer"];
    // A call that waits for a person has a code of its own. `explain` leaves no request, so it has none.
    let before_code = |text: &str| if hook.stderr.contains("\napproval: code ") { text.split("\nretry: ").next().unwrap().to_owned() } else { text.to_owned() };
    if (answer["exit"].as_i64(), answer["stdout"].as_str(), answer["stderr"].as_str().map(before_code))
        != (Some(i64::from(hook.code)), Some(hook.stdout.as_str()), Some(before_code(&hook.stderr)))
    {
        return Some(format!("{shown:?}: the hook says {hook:?}, explain {answer}"));
    }
    let kept = explained["notes"].as_array().unwrap().iter().find(|note| note["kind"] == "record").map(|note| without_clock(&note["line"]));
    let recorded = last_record(scratch).map(|line| without_clock(&line));
    if kept != recorded {
        return Some(format!("{shown:?}: the hook records {recorded:?}, explain says {kept:?}"));
    }
    as_example(case, &explained, counts).map(|what| format!("{shown:?}: {what}"))
}

/// A line of the record without the time and how long it took, without which binary decided, and without the link to the line
/// before it.
fn without_clock(line: &Value) -> Value {
    let mut line = line.clone();
    for key in ["time", "took", "door", "source", "n", "chain", "prev", "unlinked"] {
        line.as_object_mut().unwrap().remove(key);
    }
    line
}

fn last_record(scratch: &Scratch) -> Option<Value> {
    let states = scratch.home().join(".local/state/portcullis");
    let folders = fs::read_dir(states).ok()?;
    let record = folders.map(|folder| folder.unwrap().path().join("record.jsonl")).find(|path| path.is_file())?;
    let text = fs::read_to_string(&record).ok()?;
    // The next case finds its own line alone.
    fs::remove_file(record).unwrap();
    serde_json::from_str(text.lines().next_back()?).ok()
}

/// What `portcullis test` concludes otherwise on the same command.
fn as_example(case: &Case, explained: &Value, counts: &[AtomicUsize; 2]) -> Option<String> {
    let command = case.command.as_ref().filter(|_| case.files.is_empty() && !case.clean && case.packs.is_empty())?;
    if command.contains("REPO") || command.contains("HOME_DIR") || BEYOND_EXAMPLES.iter().any(|(part, _)| command.contains(part)) {
        return None;
    }
    counts[1].fetch_add(1, Ordering::Relaxed);
    // Examples say once what holds for all paths of a command; here it is what was found out for them.
    let found = |rules: &[&str]| {
        let findings = explained["verdict"]["findings"].as_array().unwrap();
        findings.iter().any(|finding| rules.contains(&finding["rule"].as_str().unwrap()))
    };
    let facts = ExampleFacts {
        branch: Some("main".to_owned()),
        dirty: Some(found(&[
            "recursive-deletion",
            "uncommitted-work-discarded",
            "uncommitted-work-reverted",
            "uncommitted-work-deleted",
            "uncommitted-work-replaced",
        ])),
        // `gate-settings-deletion` also knows files of the machine, for which this fact is not asked.
        loses_gate: Some(found(&["gate-unwired", "client-files-deletion"])),
        loses_commits: Some(found(&["remote-ref-deletion", "nested-repository-deletion"])),
        weakens_policy: Some(found(&["policy-weakened", "hook-manager-changed"])),
        ..ExampleFacts::default()
    };
    let example = Example { deed: ExampleDeed::Command(command.clone()), facts, agent: None, mode: case.mode.clone(), place: String::new() };
    let policy = Policy::open(gate::BUILT_IN).unwrap();
    let judged = portcullis::cli::test::judge_example(&example, &policy).unwrap();
    // Only the world of the examples has a policy behind a link and settings in the home, and only here does the home lie
    // beside the repository.
    let differs = |rule: &str| ["policy-deletion", "home-folder-deletion", "gate-settings-deletion"].contains(&rule);
    let of_example: Vec<Value> = judged.verdict.findings.iter().filter(|finding| !differs(&finding.rule)).map(shown).collect();
    let of_explain: Vec<Value> = explained["verdict"]["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| !differs(finding["rule"].as_str().unwrap()))
        .map(|finding| serde_json::json!([finding["rule"], finding["tier"], finding["span"]]))
        .collect();
    (of_example != of_explain).then(|| format!("the example gives {of_example:?}, explain {of_explain:?}"))
}

fn shown(finding: &Finding) -> Value {
    let span = finding.span.map(|span| serde_json::json!({ "start": span.range().start, "end": span.range().end }));
    serde_json::json!([finding.rule, finding.tier as u8, span])
}

/// Examples are judged without a disk: what they cannot say is listed with its reason.
#[test]
fn what_examples_cannot_say_is_said() {
    assert!(BEYOND_EXAMPLES.iter().all(|(part, why)| !part.is_empty() && !why.is_empty()));
    assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases").is_dir());
}

/// Explaining an event keeps nothing: no line of the record, no other file of the state.
#[test]
fn explain_keeps_nothing() {
    for event in ["SessionStart", "Stop", "PostToolUse", "ConfigChange", "PreToolUse"] {
        let scratch = Scratch::new();
        let payload = scratch.payload("Bash", r#"{"command":"git push --force"}"#, "default").replace("PreToolUse", event);
        portcullis::cli::explain::in_json(payload.as_bytes(), &scratch.world(), None).unwrap_or_else(|refusal| panic!("{event}: {refusal}"));
        assert!(!scratch.home().join(".local/state").exists(), "{event}");
    }
}
