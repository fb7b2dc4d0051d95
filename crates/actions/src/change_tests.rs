//! Lines that git gives its hooks.

use super::{Id, updates};

const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const B: &str = "BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB";

/// `target old new`, with `-` for no object and the first four digits otherwise.
fn short(input: &str) -> Result<Vec<String>, String> {
    let id = |id: &Option<Id>| id.as_ref().map_or("-".to_owned(), |id| id.digits().chars().take(4).collect());
    updates(input.as_bytes()).map(|all| all.iter().map(|one| format!("{} {} {}", one.target, id(&one.old), id(&one.new))).collect())
}

#[test]
fn lines_are_read() {
    let (zero, zero64, c) = ("0".repeat(40), "0".repeat(64), "c".repeat(64));
    for (input, expected) in [
        (String::new(), vec![]),
        (format!("refs/heads/x {A} refs/heads/y {B}\n"), vec!["refs/heads/y bbbb aaaa"]),
        (format!("refs/heads/x {A} refs/heads/y {zero}"), vec!["refs/heads/y - aaaa"]),
        (format!("(delete) {zero} refs/heads/y {B}\n"), vec!["refs/heads/y bbbb -"]),
        (format!("HEAD@{{1 day ago}} {A} refs/heads/y {B}\n"), vec!["refs/heads/y bbbb aaaa"]),
        (format!("a {c} refs/tags/t {zero64}\nb {zero64} refs/tags/u {c}\n"), vec!["refs/tags/t - cccc", "refs/tags/u cccc -"]),
    ] {
        assert_eq!(short(&input), Ok(expected.into_iter().map(str::to_owned).collect()), "{input:?}");
    }
}

#[test]
fn what_is_no_line_is_refused_with_its_place() {
    let good = format!("a {A} refs/heads/a {B}");
    for (input, expected) in [
        ("\n".to_owned(), "line 1, ``: it has fewer than four fields"),
        (format!("{good}\n{A} refs/heads/a {B}\n"), "line 2"),
        (format!("a {A}1 refs/heads/a {B}1\n"), "no object number"),
        (format!("a {} refs/heads/a {}\n", "g".repeat(40), "g".repeat(40)), "no object number"),
        (format!("a {A} refs/heads/a {}\n", "c".repeat(64)), "not of one kind"),
        (format!("a {A} main {B}\n"), "not written in full"),
        (format!("{good}\r\n"), "not of one kind"),
    ] {
        let why = short(&input).expect_err(&input);
        assert!(why.contains(expected), "{input:?}: {why}");
    }
}
