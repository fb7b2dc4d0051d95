//! Texts and their trees, one line for each node with its span.

use std::fmt::Write as _;
use std::fs;

use shell_reader::parse;

use crate::file;
use crate::nodes::script;

/// Set to write the trees anew instead of comparing them.
const REFRESH: &str = "PORTCULLIS_REFRESH";
/// Is in front of a text; behind it the shell as which it is read.
const TEXT: &str = "=== ";
/// Is in front of its tree.
const TREE: &str = "---";

/// The tree and the faults of a text.
fn tree(text: &str, zsh: bool) -> String {
    let reading = parse::read_as(text, zsh);
    let mut out = String::new();
    for node in script(&reading.script) {
        node.print(0, true, &mut out);
    }
    for fault in &reading.faults {
        writeln!(out, "fault {}: {}{}", fault.at, fault.what, if fault.refused_by_shell { "" } else { " (a limit of the reader)" }).unwrap();
    }
    out
}

#[test]
fn trees_are_as_they_were() {
    let path = file("trees.txt");
    let before = fs::read_to_string(&path).unwrap();
    let mut after = String::new();
    let mut count = 0;
    for block in before.split_inclusive('\n').fold(Vec::<String>::new(), blocks) {
        let Some((head, rest)) = block.strip_prefix(TEXT).and_then(|block| block.split_once('\n')) else {
            after.push_str(&block);
            continue;
        };
        let text = rest.split_once(&format!("\n{TREE}\n")).map_or(rest.trim_end_matches('\n'), |(text, _)| text);
        write!(after, "{TEXT}{head}\n{text}\n{TREE}\n{}\n", tree(text, head == "zsh")).unwrap();
        count += 1;
    }
    if std::env::var_os(REFRESH).is_some() {
        fs::write(&path, &after).unwrap();
        return;
    }
    assert!(count >= 60, "{count} trees");
    for (number, (before, after)) in before.lines().zip(after.lines()).enumerate() {
        assert_eq!(before, after, "trees.txt:{}; `{REFRESH}=1 cargo test -p shell-reader` writes it anew", number + 1);
    }
    assert_eq!(before.lines().count(), after.lines().count());
}

/// Adds a line to the last block, or begins one.
fn blocks(mut blocks: Vec<String>, line: &str) -> Vec<String> {
    match blocks.last_mut() {
        Some(last) if !line.starts_with(TEXT) => last.push_str(line),
        _ => blocks.push(line.to_owned()),
    }
    blocks
}
