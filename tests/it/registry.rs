//! Every key of a policy turns some answer, and every fact that a rule can ask for has an answer. A key or a fact that
//! nobody reads or answers would only look like protection.

use std::collections::BTreeSet;

use crate::support::Scratch;
use actions::Change;
use gate::deep::Deep;
use gate::judge::{Answers, Here};
use policy::facts::{Known, Loss, Need, WorkAtRisk};
use policy::table::Shape;
use policy::{Conditions, Layer, Policy, When};
use policy_compiler::compile::{Input, PolicySource, compile};
use policy_compiler::packs::{PACKS, PROGRAMS};
use portcullis::cli::test::run_examples;
use portcullis::deep::Cold;

/// A kind of rule, one of its keys, a table with which the rule matches the example, and one in which only that key differs
/// and the rule does not match.
const KEYS: &[(&str, &str, &str, &str, &str)] = &[
    ("run", "program", r#"program = "git""#, r#"program = "hg""#, r#""git status""#),
    ("run", "subcommand", r#"program = "git", subcommand = "fetch""#, r#"program = "git", subcommand = "pull""#, r#""git fetch""#),
    ("run", "any_flag", r#"program = "ls", any_flag = ["-a"]"#, r#"program = "ls", any_flag = ["-l"]"#, r#""ls -a""#),
    ("run", "given_flag", r#"program = "ls", given_flag = ["-a"]"#, r#"program = "ls", given_flag = ["-l"]"#, r#""ls -a""#),
    ("run", "all_flags", r#"program = "ls", all_flags = ["-a", "-l"]"#, r#"program = "ls", all_flags = ["-a", "-R"]"#, r#""ls -al""#),
    ("run", "no_flag", r#"program = "ls", no_flag = ["-R"]"#, r#"program = "ls", no_flag = ["-a"]"#, r#""ls -a""#),
    ("run", "arg", r#"program = "acme", arg = ["go"]"#, r#"program = "acme", arg = ["stop"]"#, r#""acme go""#),
    ("run", "verb", r#"program = "acme", verb = ["list"]"#, r#"program = "acme", verb = ["tank"]"#, r#""acme list tank""#),
    ("run", "words", r#"program = "acme", words = ["* de*te"]"#, r#"program = "acme", words = ["delete"]"#, r#""acme disk delete a""#),
    ("run", "and_arg", r#"program = "acme", arg = ["a"], and_arg = ["b"]"#, r#"program = "acme", arg = ["a"], and_arg = ["c"]"#, r#""acme a b""#),
    ("run", "no_arg", r#"program = "acme", no_arg = ["b"]"#, r#"program = "acme", no_arg = ["a"]"#, r#""acme a""#),
    ("run", "min_args", r#"program = "acme", min_args = 2"#, r#"program = "acme", min_args = 3"#, r#""acme a b""#),
    ("run", "env", r#"program = "acme", env = ["A=1"]"#, r#"program = "acme", env = ["A=2"]"#, r#""A=1 acme""#),
    ("run", "stdin_from", r#"program = "acme", stdin_from = ["yes"]"#, r#"program = "acme", stdin_from = ["no"]"#, r#""yes | acme""#),
    ("write", "path", r#"path = "src/**""#, r#"path = "lib/**""#, WRITE),
    ("write", "new", "new = true", "new = false", WRITE),
    ("write", "adds", r#"adds = "let""#, r#"adds = "var""#, WRITE),
    ("write", "unless", r#"adds = "let", unless = "y""#, r#"adds = "let", unless = "x""#, WRITE),
    (
        "write",
        "secret",
        r#"secret = "key""#,
        r#"secret = "likely""#,
        r#"{ write = { path = "a", text = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA1234567890abcdefghijklmnopqrstuvwxyz1234567890ABCDE\n" } }"#,
    ),
    ("write", "conflict", "conflict = true", "conflict = false", r#"{ write = { path = "a", text = "<<<<<<< a\n1\n=======\n2\n>>>>>>> b\n" } }"#),
    ("write", "names_home", "names_home = true", "names_home = false", r#"{ write = { path = "a", text = "x = '/home/dev/b'\n" } }"#),
    ("write", "outside_repo", "outside_repo = true", "outside_repo = false", r#"{ write = { path = "/srv/a", text = "x" } }"#),
    ("write", "larger_than", "larger_than = 10", "larger_than = 10000", SIZED),
    ("write", "committed", "committed = true", "committed = false", SIZED),
    (
        "write",
        "loses_gate",
        r#"path = "a", loses_gate = true"#,
        r#"path = "a", loses_gate = false"#,
        r#"{ write = { path = "a", text = "x" }, facts = { loses_gate = true } }"#,
    ),
    (
        "write",
        "weakens_policy",
        r#"path = "a", weakens_policy = true"#,
        r#"path = "a", weakens_policy = false"#,
        r#"{ write = { path = "a", text = "x" }, facts = { weakens_policy = true } }"#,
    ),
    ("write", "recursive", r#"path = "/srv", recursive = true"#, r#"path = "/srv", recursive = false"#, r#""chmod -R a+w /srv""#),
    ("write", "attributes", r#"path = "/srv/a", attributes = true"#, r#"path = "/srv/a", attributes = false"#, r#""chmod a+w /srv/a""#),
    ("write", "sweeps", r#"sweeps = ["src"]"#, r#"sweeps = ["lib"]"#, r#""cp -r ../src/. src""#),
    ("write", "deep", r#"sweeps = ["src"], deep = true"#, r#"sweeps = ["src"], deep = false"#, r#""cp -r ../src/. src""#),
    ("delete", "path", r#"path = "src/**""#, r#"path = "lib/**""#, DELETE),
    ("delete", "outside_repo", "outside_repo = true", "outside_repo = false", r#"{ delete = { path = "/srv/a" } }"#),
    ("delete", "recursive", "recursive = true", "recursive = false", r#"{ delete = { path = "src", recursive = true } }"#),
    ("delete", "sweeps", r#"sweeps = ["src"]"#, r#"sweeps = ["lib"]"#, r#""rm src/*.rs""#),
    ("delete", "deep", r#"sweeps = ["src"], deep = true"#, r#"sweeps = ["src"], deep = false"#, r#""find src -name '*.txt' -delete""#),
    ("delete", "ignored", "ignored = true", "ignored = false", r#"{ delete = { path = "src", recursive = true }, facts = { ignored = true } }"#),
    (
        "delete",
        "loses_commits",
        r#"path = "**/.git", loses_commits = true"#,
        r#"path = "**/.git", loses_commits = false"#,
        r#"{ delete = { path = "lib/.git", recursive = true }, facts = { loses_commits = true } }"#,
    ),
    ("delete", "moved", "moved = true", "moved = false", r#"{ delete = { path = "src/a.rs", moved = true } }"#),
    (
        "delete",
        "loses_gate",
        r#"path = "a", loses_gate = true"#,
        r#"path = "a", loses_gate = false"#,
        r#"{ delete = { path = "a" }, facts = { loses_gate = true } }"#,
    ),
    (
        "delete",
        "weakens_policy",
        r#"path = "a", weakens_policy = true"#,
        r#"path = "a", weakens_policy = false"#,
        r#"{ delete = { path = "a" }, facts = { weakens_policy = true } }"#,
    ),
    ("read", "path", r#"path = "src/**""#, r#"path = "lib/**""#, r#"{ read = { path = "src/a.rs" } }"#),
    ("read", "outside_repo", "outside_repo = true", "outside_repo = false", r#"{ read = { path = "/srv/a" } }"#),
    ("fetch", "host", r#"host = "example.com""#, r#"host = "example.org""#, FETCH),
    ("fetch", "url", r#"url = "https://example.com/*""#, r#"url = "https://example.com/b*""#, FETCH),
    ("fetch", "host_known", "host_known = true", "host_known = false", FETCH),
    ("fetch", "method", r#"method = "PUT""#, r#"method = "GET""#, FETCH),
    ("call", "tool", r#"tool = "mcp__mail__send""#, r#"tool = "mcp__mail__list""#, CALL),
    ("call", "args", r#"tool = "mcp__mail__send", args = { "/to" = "all" }"#, r#"tool = "mcp__mail__send", args = { "/to" = "one" }"#, CALL),
    (
        "call",
        "secret",
        r#"secret = "certain""#,
        r#"secret = "key""#,
        r#"{ call = { tool = "mcp__mail__send", args = { text = "\u0067hp_FJ6kPU9541PZwIpm3EXYNHnBq6GDyx21l8sz" } } }"#,
    ),
    ("call", "does", r#"does = "sends""#, r#"does = "deletes""#, CALL),
    ("call", "described", "described = false", "described = true", CALL),
    ("read", "shown", "shown = true", "shown = false", r#""cat a.txt""#),
    ("read", "sent", "sent = true", "sent = false", r#""scp a.txt host:""#),
    ("write", "ignored", "ignored = true", "ignored = false", r#"{ write = { path = "src/a.rs", text = "x" }, facts = { ignored = true } }"#),
    ("spawn", "agent", r#"agent = "reviewer""#, r#"agent = "writer""#, SPAWN),
    ("spawn", "prompt", r#"prompt = "deploy""#, r#"prompt = "review""#, SPAWN),
    ("push", "refs", r#"refs = ["topic"]"#, r#"refs = ["other"]"#, PUSH),
    ("push", "remote", r#"remote = ["origin"]"#, r#"remote = ["upstream"]"#, PUSH),
    ("push", "kind", r#"kind = ["delete"]"#, r#"kind = ["create"]"#, PUSH),
    (
        "push",
        "loses_commits",
        "loses_commits = true",
        "loses_commits = false",
        r#"{ push = { ref = "topic", remote = "origin", kind = "delete" }, facts = { loses_commits = true } }"#,
    ),
    ("query", "loses", r#"loses = "table""#, r#"loses = "rows""#, QUERY),
    ("query", "language", r#"language = "postgres""#, r#"language = "mysql""#, QUERY),
    ("query", "name", r#"name = "users""#, r#"name = "orders""#, QUERY),
    ("query", "program", r#"program = "psql""#, r#"program = "mysql""#, QUERY),
    ("query", "host", r#"host = "db.example.com""#, r#"host = "localhost""#, QUERY),
    ("query", "database", r#"database = "shop""#, r#"database = "other""#, QUERY),
    ("query", "local", "local = false", "local = true", QUERY),
    ("opaque", "why", r#"why = "computed""#, r#"why = "no such reason""#, r#""eval \"$X\"""#),
    ("commit", "message", r#"message = "wip""#, r#"message = "done""#, COMMIT),
    ("commit", "author", r#"author = "*@example.com>""#, r#"author = "*@example.org>""#, COMMIT),
    ("commit", "touches", r#"touches = "src/**""#, r#"touches = "lib/**""#, COMMIT),
    ("commit", "deletes", r#"deletes = "docs/**""#, r#"deletes = "lib/**""#, COMMIT),
];

const WRITE: &str = r#"{ write = { path = "src/a.rs", text = "let x = 1;\n" } }"#;
const SIZED: &str = r#"{ write = { path = "src/a.rs", text = "x" }, facts = { bytes = 100 } }"#;
const DELETE: &str = r#"{ delete = { path = "src/a.rs" } }"#;
const FETCH: &str = r#"{ fetch = { url = "https://example.com/a", method = "PUT" } }"#;
const CALL: &str = r#"{ call = { tool = "mcp__mail__send", args = { to = "all" } } }"#;
const SPAWN: &str = r#"{ spawn = { agent = "reviewer", prompt = "deploy it" } }"#;
const PUSH: &str = r#"{ push = { ref = "topic", remote = "origin", kind = "delete" } }"#;
const QUERY: &str = r#""psql -h db.example.com -d shop -c 'DROP TABLE users'""#;
const COMMIT: &str = r#"{ commit = { message = "wip", author = "A <a@example.com>", touches = ["src/a.rs"], deletes = ["docs/b.md"] } }"#;

/// The same for the keys of `where` and of the rule itself, on a rule about `git status`.
const CONDITIONS: &[(&str, &str, &str, &str)] = &[
    ("branch", r#"branch = "topic""#, r#"branch = "other""#, r#"facts = { branch = "topic" }"#),
    ("protected_branch", "protected_branch = true", "protected_branch = false", "facts = { protected_branch = true }"),
    ("dirty", "dirty = false", "dirty = true", "facts = { dirty = false }"),
    ("agent", r#"agent = "reviewer""#, r#"agent = "main""#, r#"agent = "reviewer""#),
    ("mode", r#"mode = "plan""#, r#"mode = "default""#, r#"mode = "plan""#),
    ("phase", r#"phase = "dev""#, r#"phase = "docs""#, r#"facts = { phase = "dev" }"#),
];

/// A rule, and the same with another value of one key. Both say that they match the example.
fn pair(name: &str, keys: [&str; 2], example: &str) -> String {
    let rule = |name: &str, keys: &str| {
        format!(
            "[[rule]]\nname = \"{name}\"\ntier = 4\n{keys}\nreason = \"r\"\ninstead = \"Ask a person.\"\ncatches = [{example}]\nspares = [\"acme-unrelated\"]\n"
        )
    };
    let name = name.replace('_', "-");
    rule(&name, keys[0]) + &rule(&format!("{name}{OTHER}"), keys[1])
}

const OTHER: &str = "-other";

/// Checks that of each pair the first rule matches its example, and the other does not.
fn check(pairs: Vec<String>) {
    let text = format!("schema = 1\n{}", pairs.concat());
    let layers = [PolicySource { layer: Layer::Project, path: "portcullis.toml", text: &text }];
    let input = Input { build: "", compiled_at: 0, packs: PACKS, programs: PROGRAMS, layers: &layers, ..Input::default() };
    let compiled = compile(&input).unwrap_or_else(|mistakes| panic!("{}", input.render(&mistakes, false)));
    let own: Vec<_> = compiled.rules.iter().filter(|rule| rule.place.starts_with("portcullis.toml")).cloned().collect();
    assert_eq!(own.len(), 2 * pairs.len());
    let outcome = run_examples(&own, &Policy::open(&compiled.bytes).unwrap()).unwrap();
    let wrong: BTreeSet<&str> = outcome.failures.iter().map(|failed| failed.rule.as_str()).collect();
    let expected: BTreeSet<&str> = own.iter().map(|rule| rule.name.as_str()).filter(|name| name.ends_with(OTHER)).collect();
    let differ: Vec<&&str> = wrong.symmetric_difference(&expected).collect();
    assert!(differ.is_empty(), "{differ:?}: {:#?}", outcome.failures.iter().filter(|failed| differ.contains(&&failed.rule.as_str())).collect::<Vec<_>>());
}

#[test]
fn every_key_of_a_kind_turns_some_answer() {
    let keys = |kind: &policy::table::Key| match kind.shape {
        Shape::Tables(keys) => keys.iter().map(|key| (kind.name, key.name)).collect::<Vec<_>>(),
        _ => panic!("`{}` has no keys", kind.name),
    };
    let known: BTreeSet<(&str, &str)> = When::KINDS.iter().flat_map(keys).collect();
    assert_eq!(KEYS.iter().map(|(kind, key, ..)| (*kind, *key)).collect::<BTreeSet<_>>(), known);
    let pairs = KEYS.iter().map(|(kind, key, with, other, example)| {
        let table = |keys| format!("{kind} = {{ {keys} }}");
        pair(&format!("{kind}-{key}"), [&table(with), &table(other)], example)
    });
    check(pairs.collect());
}

#[test]
fn every_condition_turns_some_answer() {
    let known: BTreeSet<&str> = Conditions::KEYS.iter().map(|key| key.name).collect();
    assert_eq!(CONDITIONS.iter().map(|(key, ..)| *key).collect::<BTreeSet<_>>(), known);
    let pairs = CONDITIONS.iter().map(|(key, with, other, said)| {
        let keys = |table: &str| format!("run = {{ program = \"git\" }}\nwhere = {{ {table} }}");
        pair(key, [&keys(with), &keys(other)], &format!("{{ command = \"git status\", {said} }}"))
    });
    check(pairs.collect());
}

/// One question of each kind, in a repository with a file `a`. A new kind does not compile until it is here.
fn questions(root: &str) -> Vec<Need> {
    let file = format!("{root}/a");
    let settings = format!("{root}/.claude/settings.json");
    let next = |need: &Need| match need {
        Need::RealPath(..) => Some(Need::Exists(file.clone())),
        Need::Exists(_) => Some(Need::Holds(file.clone(), "x".to_owned())),
        Need::Holds(..) => Some(Need::Phase),
        Need::Phase => Some(Need::Branch(root.to_owned())),
        Need::Branch(_) => Some(Need::Dirty(WorkAtRisk { folder: root.to_owned(), paths: vec![file.clone()], loss: Loss::Tree, sources: Vec::new() })),
        Need::Dirty(..) => Some(Need::Ignored(file.clone())),
        Need::Ignored(_) => Some(Need::Ignores(file.clone())),
        Need::Ignores(_) => Some(Need::Text(file.clone())),
        Need::Text(_) => Some(Need::Unpushed(format!("{root}/.git"))),
        Need::Unpushed(_) => Some(Need::OnlyThere(root.to_owned(), "origin".to_owned(), "topic".to_owned())),
        Need::OnlyThere(..) => Some(Need::HooksFolder),
        Need::HooksFolder => Some(Need::LosesGate(settings.clone(), Change::Whole("{}".to_owned()))),
        Need::LosesGate(..) => Some(Need::WeakensPolicy(format!("{root}/portcullis.toml"), Change::Whole("schema = 1\n".to_owned()))),
        Need::WeakensPolicy(..) => Some(Need::Size(file.clone())),
        Need::Size(_) => None,
    };
    std::iter::successors(Some(Need::RealPath(file.clone(), true)), next).collect()
}

#[test]
fn every_fact_has_an_answer_from_the_hook_or_from_the_cold_binary() {
    let scratch = Scratch::new().with_work();
    scratch.write("a", "x");
    let repository = git2::Repository::open(scratch.repo()).unwrap();
    let who = git2::Signature::new("A", "a@example.com", &git2::Time::new(0, 0)).unwrap();
    let tree = repository.find_tree(repository.index().unwrap().write_tree().unwrap()).unwrap();
    let commit = repository.commit(None, &who, &who, "x", &tree, &[]).unwrap();
    repository.remote("origin", "https://example.com/r.git").unwrap();
    repository.reference("refs/remotes/origin/topic", commit, true, "x").unwrap();
    let around = scratch.world().at(&scratch.repo()).unwrap();
    let here = Here { around: &around, deep: &Cold as &dyn Deep, event: None };
    for need in questions(&scratch.repo().display().to_string()) {
        let answered = here.facts(BTreeSet::from([need.clone()])).unwrap();
        assert!(answered.iter().any(|(asked, known)| *asked == need && !matches!(known, Known::Unknown(_))), "{answered:?}");
    }
}
