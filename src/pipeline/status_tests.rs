//! Command lines of which the status is that of a command in them, and others.

use super::*;

fn said(line: &str, wanted: &str) -> &'static str {
    match of(line, wanted, CommandPlace { folder: "/r", root: "/r" }) {
        CommandStatus::Absent => "absent",
        CommandStatus::Decides => "decides",
        CommandStatus::Swallowed(_) => "swallowed",
    }
}

#[test]
fn only_a_status_that_is_the_command_s_own_counts() {
    for line in [
        "./validate.sh",
        "/r/validate.sh",
        "validate=1 true && ./validate.sh",
        "npm ci && ./validate.sh",
        "cd /r && ./validate.sh",
        "./validate.sh && echo done",
        "./validate.sh > /tmp/log 2>&1",
        "set -o pipefail; ./validate.sh | tee log",
        "set -euo pipefail && ./validate.sh 2>&1 | tail -20",
        "(./validate.sh)",
        "{ ./validate.sh; }",
        "bash -c './validate.sh'",
        "bash -lc 'cd /r && ./validate.sh'",
        "timeout 60 ./validate.sh",
        "time ./validate.sh",
        "env ./validate.sh",
        "command ./validate.sh",
        "pwd && [ -x validate.sh ] && ./validate.sh",
        "cd \"$(git rev-parse --show-toplevel)\" && ./validate.sh",
        "./validate.sh 2>/dev/null && true",
        "./validate.sh <<< y",
        "sleep $N && ./validate.sh",
    ] {
        let expected = if line.starts_with("validate=1") { "swallowed" } else { "decides" };
        assert_eq!(said(line, "./validate.sh"), expected, "{line}");
    }
    for line in [
        "./validate.sh || true",
        "./validate.sh || echo failed",
        "true || ./validate.sh",
        "./validate.sh; true",
        "./validate.sh; echo $?",
        "./validate.sh\necho done",
        "! ./validate.sh",
        "./validate.sh &",
        "./validate.sh & wait",
        "./validate.sh | tee log",
        "./validate.sh 2>&1 | tail -5",
        "./validate.sh | cat && echo ok",
        "set -o pipefail; true | ./validate.sh",
        "if ./validate.sh; then echo ok; fi",
        "while ! ./validate.sh; do sleep 1; done",
        "for i in 1 2; do ./validate.sh; done",
        "./validate.sh && git checkout validate.sh",
        "trap 'exit 0' EXIT && ./validate.sh",
        "export SKIP=1 && ./validate.sh",
        "SKIP=1 ./validate.sh",
        "SKIP=1 && ./validate.sh",
        "cd sub && ./validate.sh",
        "cd /elsewhere && ./validate.sh",
        "bash -c './validate.sh; true'",
        "bash -c './validate.sh || true'",
        "bash -c './validate.sh | cat'",
        "(./validate.sh || true)",
        "(./validate.sh; true)",
        "nohup ./validate.sh &",
        "timeout 5 ./validate.sh || true",
        "eval './validate.sh'",
        "xargs -n1 ./validate.sh",
        "f() { ./validate.sh; }; f",
        "coproc ./validate.sh",
        "script -qc './validate.sh' /dev/null",
        "sudo ./validate.sh",
        "set +e && ./validate.sh",
        "{ ./validate.sh; } || :",
        "./validate.sh; exit 0",
        "./validate.sh && exit 0",
        "exec ./validate.sh; true",
        "(./validate.sh) | cat",
        "{ ./validate.sh; true; }",
        "./validate.sh |& tee log",
        "set -o pipefail; (./validate.sh || true) | cat",
        "until ./validate.sh; do true; done",
        "case x in x) ./validate.sh;; esac",
        "set -e; ./validate.sh || :",
        "cd $DIR && ./validate.sh",
        "cd \"$(git rev-parse --show-toplevel)/sub\" && ./validate.sh",
        "PATH=/tmp/x:$PATH && ./validate.sh",
        "eval \"$X\" && ./validate.sh",
        "source ./env && ./validate.sh",
        "validate() { true; }; ./validate.sh",
        "bash -c './validate.sh' || true",
        "sh -c 'exit 0; ./validate.sh'",
    ] {
        assert_eq!(said(line, "./validate.sh"), "swallowed", "{line}");
    }
    for line in [
        "echo ./validate.sh",
        "cat validate.sh",
        "git commit -m './validate.sh'",
        "./other.sh",
        "./validate.sh --help",
        "bash validate.sh",
        "ls",
        "x=$(./validate.sh)",
        "echo $(./validate.sh)",
        ". ./validate.sh",
        "exec ./validate.sh",
        "./validate.sh $ARGS",
        "'./validate.sh --x'",
    ] {
        assert_ne!(said(line, "./validate.sh"), "decides", "{line}");
    }
}

#[test]
fn what_finds_a_command_in_the_project_passes_its_status_on() {
    for line in ["uv run pytest -q", "poetry run pytest -q", "set -o pipefail; npx pytest -q | tail", "pytest -q"] {
        assert_eq!(said(line, "pytest -q"), "decides", "{line}");
    }
    assert_eq!(said("uv run pytest -q", "uv run pytest -q"), "decides");
    assert_eq!(said("timeout 60 ./validate.sh", "timeout 60 ./validate.sh"), "decides");
    for line in ["uv run -- true pytest -q", "uv run pytest -q || true", "npx --yes other pytest -q", "xargs pytest -q"] {
        assert_ne!(said(line, "pytest -q"), "decides", "{line}");
    }
}

#[test]
fn a_command_of_several_parts_runs_in_one_row() {
    let wanted = "npm run lint && npm test";
    for (line, expected) in [
        ("npm run lint && npm test", "decides"),
        ("cd /r && npm run lint && npm test && echo ok", "decides"),
        ("npm run lint && true && npm test", "swallowed"),
        ("npm run lint; npm test", "swallowed"),
        ("npm run lint", "swallowed"),
        ("npm test", "absent"),
    ] {
        let found = said(line, wanted);
        assert!(found == expected || (expected == "swallowed" && found == "absent"), "{line}: {found}");
    }
}

#[test]
fn a_command_elsewhere_does_not_count() {
    let there = CommandPlace { folder: "/r/sub", root: "/r" };
    assert!(matches!(of("./validate.sh", "./validate.sh", there), CommandStatus::Swallowed(_)));
    assert_eq!(of("cd /r && ./validate.sh", "./validate.sh", there), CommandStatus::Decides);
    assert!(matches!(of("cd .. && ./validate.sh", "./validate.sh", there), CommandStatus::Swallowed(_)));
    assert_eq!(of("cargo test --workspace", "cargo test --workspace", CommandPlace { folder: "/r", root: "/r" }), CommandStatus::Decides);
    assert!(matches!(of("cd /tmp/x && cargo test", "cargo test", CommandPlace { folder: "/r", root: "/r" }), CommandStatus::Swallowed(_)));
}
