//! Which changes of a policy weaken it.

use super::{weakened, weaker};
use crate::git::block::{self, BlockForm, GateCall};

#[test]
fn what_goes_or_is_opened_weakens_a_policy() {
    // before, after, whether it is weaker
    let cases = [
        ("", "protected = [\"a\"]", false),
        ("protected = [\"a\", \"b\"]", "protected = [\"b\", \"a\"]", false),
        ("protected = [\"a\"]", "", true),
        ("protected = \"a\"", "protected = \"a\"", false),
        ("protected = \"a\"", "", true),
        ("protected = \"a\"", "protected = [\"a\", \"b\"]", false),
        ("packs = \"cloud\"", "packs = \"git\"", true),
        ("rule = { name = \"a\" }", "", true),
        ("[[rule]]\nname = \"a\"", "[rule]\nname = \"a\"", false),
        ("", "[[waiver]]\nrule = \"a\"", true),
        ("", "[waiver]\nrule = \"a\"", true),
        ("[[waiver]]\nrule = \"a\"", "", false),
        ("", "[[program]]\nname = \"a\"", false),
        ("[[program]]\nname = \"a\"", "", true),
        ("", "disable = \"git\"", true),
        ("", "opens = \"a\"", true),
        ("opens = []", "", true),
        ("opens = [\"a\"]", "opens = []", false),
        ("", "opens = []", false),
        ("[flywheel]", "", true),
        ("", "[flywheel]", false),
        ("[flywheel]", "[flywheel]\ninbox = \"a.md\"\nmap = { code = \"a\", docs = \"b\" }", false),
        ("[flywheel]", "[flywheel]\nlearnings = \"other.md\"", true),
        ("[flywheel]\nshrink = 5", "[flywheel]\nshrink = 90", true),
        ("[flywheel]\nmap = { code = \"a\", docs = \"b\" }", "[flywheel]", false),
        ("[flywheel]\nmap = { code = \"a\", docs = \"b\", gate = 3 }", "[flywheel]", true),
        ("", "mode = \"shadow\"", true),
        ("mode = \"shadow\"", "mode = \"enforce\"", false),
        ("", "[[shadow]]\nrule = \"force-push\"", true),
        ("[[shadow]]\nrule = \"force-push\"", "", false),
        ("[[shadow]]\nrule = \"a\"", "[[shadow]]\nrule = [\"a\", \"b\"]", true),
    ];
    for (before, after, expected) in cases {
        let why = weaker(&before.parse().unwrap(), &after.parse().unwrap());
        assert_eq!(why.is_some(), expected, "`{before}` to `{after}`: {why:?}");
    }
}

#[test]
fn other_versions_of_the_same_checks_are_no_fewer() {
    let config = "repos:\n- repo: https://a.b/c\n  rev: v1.0\n  hooks:\n  - id: lint\n    additional_dependencies: \n    - mypy==1.2\n";
    for (after, expected) in [
        (config.replace("v1.0", "d2f1  # frozen: v2"), false),
        (config.replace("mypy==1.2", "mypy==1.3"), false),
        (config.replace("1.0\n  hooks", "1.0\n\n  hooks"), false),
        (config.replace("a.b/c", "d.e/f"), true),
        (config.replace("  - id: lint\n", ""), true),
        (config.replace("id: lint", "id: other"), true),
        (config.replace("mypy==1.2", "other==1.2"), true),
        (format!("# checks\n{config}"), false),
        (format!("{config}exclude: .*\n"), true),
        (String::new(), true),
    ] {
        assert_eq!(weakened(std::path::Path::new("/r/.pre-commit-config.yaml"), Some(config), Some(&after)).is_some(), expected, "{after}");
    }
    let hook = std::path::Path::new("/r/.husky/pre-commit");
    for (after, expected) in [
        ("#!/bin/sh\nnpm test\nexit 0\n", false),
        ("#!/bin/sh\n# checks\nnpm test\nexit 0\n", false),
        ("#!/bin/sh\nexit 0\nnpm test\n", true),
        ("#!/bin/sh\n# npm test\nexit 0\n", true),
        ("#!/bin/true\nnpm test\nexit 0\n", true),
        ("#!/bin/sh\nnpx test\nexit 0\n", true),
    ] {
        assert_eq!(weakened(hook, Some("#!/bin/sh\nnpm test\nexit 0\n"), Some(after)).is_some(), expected, "{after}");
    }
}

#[test]
fn what_is_new_is_not_unknown_and_the_own_lines_are_known() {
    let told = |path: &str, before: Option<&str>, after: &str| weakened(std::path::Path::new(path), before, Some(after));
    let hook = "/r/.husky/pre-commit";
    let call = GateCall::usual();
    let ours = block::block(&call, "pre-commit", BlockForm::Whole);
    let beside = block::with(&call, "pre-commit", "#!/bin/sh\nnpm test\n");
    // The gate's own wiring, alone, in a new file, and beside what was there.
    assert_eq!(told(hook, None, &ours), None);
    assert_eq!(told(hook, Some("#!/bin/sh\nnpm test\n"), &beside), None);
    assert_eq!(told("/r/.githooks/pre-push", None, &block::block(&call, "pre-push", BlockForm::Chained)), None);
    // Taken out, changed, in another hook's file, or with more beside it.
    assert!(told(hook, Some(&beside), "#!/bin/sh\nnpm test\n").is_some());
    assert!(told(hook, Some("#!/bin/sh\nnpm test\n"), &beside.replace("|| exit $?", "|| true")).is_some());
    assert!(told(hook, None, &block::block(&call, "pre-push", BlockForm::Whole)).is_some());
    assert!(told(hook, Some("#!/bin/sh\nnpm test\n"), &beside.replace("npm test", "exit 0; npm test")).is_some());
    assert!(told(hook, None, &ours.replace("$HOME/.local/bin", "/tmp/x")).is_some());
    // A first file is said to be new, and one that is read in the place of another is said to be that.
    for (path, text) in [(hook, ""), (hook, "#!/bin/sh\n# nothing yet\n"), ("/r/lefthook.yml", "pre-commit: x\n"), ("/r/.pre-commit-config.yaml", "x\n")] {
        assert!(told(path, None, text).is_some_and(|why| why.starts_with("the file is new")), "{path} {text}");
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("lefthook.yml"), "a: b\n").unwrap();
    let local = folder.path().join("lefthook-local.yml");
    assert!(weakened(&local, None, Some("pre-commit:\n  skip: true\n")).is_some_and(|why| why.contains("in the place of `lefthook.yml`")));
}
