//! What a patch makes of a text.

use super::patched;

#[test]
fn lines_that_come_stand_where_the_first_that_leave_stood() {
    for (text, removed, added, expected) in [
        ("a\nb\nc\n", "b\n", "x\ny\n", "a\nx\ny\nc\n"),
        ("a\nb\nc\nd\n", "b\nc\n", "x\n", "a\nx\nd\n"),
        ("a\nb\n", "z\n", "x\n", "a\nb\nx\n"),
        // What is first among them is not there; the next one is.
        ("a\nb\nc\n", "z\nb\n", "x\n", "a\nx\nc\n"),
        ("b\na\nb\n", "b\n", "x\n", "x\na\nb\n"),
        ("a\nb\na\nb\n", "a\nb\n", "x\n", "x\na\nb\n"),
    ] {
        assert_eq!(patched(text, added, removed), expected, "{text:?} without {removed:?}");
    }
    let long = (0..200_000).map(|line| format!("line {line}")).collect::<Vec<_>>().join("\n") + "\n";
    assert_eq!(patched(&long, "x\n", &long), "x\n");
}
