//! Which changes of a policy weaken it.

use super::weaker;

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
    ];
    for (before, after, expected) in cases {
        let why = weaker(&before.parse().unwrap(), &after.parse().unwrap());
        assert_eq!(why.is_some(), expected, "`{before}` to `{after}`: {why:?}");
    }
}
