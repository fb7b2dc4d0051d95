//! The reader against real shells that read and run nothing (`-n`): what they accept, it accepts, and what they refuse, it
//! notes. What commands the shells run, and whether the reader found them, needs their words expanded; that trial is
//! where words are.

use std::io::Write as _;
use std::process::{Command, Stdio};

use shell_reader::parse;

use crate::{mutate, texts};

/// Texts that are made.
const TEXTS: u64 = 1_500;

/// Whether the shell accepts the text. `None`: there is no such shell.
fn accepts(shell: &str, text: &str) -> Option<bool> {
    let mut command = Command::new(shell);
    command.args(if shell == "zsh" { ["-f", "-n"].as_slice() } else { ["--norc", "-n"].as_slice() });
    let mut child = command.env_clear().env("LC_ALL", "C.UTF-8").stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()?;
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    Some(child.wait().unwrap().success())
}

/// Compares over all texts. `most` is how many in each hundred may be refused by one of both alone.
fn compare(shell: &str, most: usize) {
    let zsh = shell == "zsh";
    let mut seeds = texts("bash.txt");
    if zsh {
        seeds.extend(texts("zsh.txt"));
    }
    let made: Vec<String> = (0..TEXTS).map(|number| mutate::text(number, &seeds, zsh)).collect();
    let (mut same, mut harsher, mut milder) = (0, Vec::new(), Vec::new());
    for text in seeds.iter().chain(&made) {
        let Some(accepted) = accepts(shell, text) else {
            println!("\n!!! {shell} WAS NOT ASKED: it is not installed\n");
            return;
        };
        let read = parse::read_as(text, zsh).faults.iter().all(|fault| !fault.refused_by_shell);
        match (accepted, read) {
            (true, false) => harsher.push(text),
            (false, true) => milder.push(text),
            _ => same += 1,
        }
    }
    println!("{shell}: {same} the same, {} refused by the reader alone, {} by the shell alone", harsher.len(), milder.len());
    if std::env::var_os("SHELL_READER_SHOW").is_some() {
        for text in &harsher {
            println!("reader alone: {text:?}");
        }
        for text in &milder {
            println!("shell alone: {text:?}");
        }
    }
    let (different, all) = (harsher.len() + milder.len(), seeds.len() + made.len());
    assert!(different * 100 <= all * most, "{shell}: {different} of {all} differ; SHELL_READER_SHOW=1 shows them");
}

#[test]
fn bash_refuses_the_same() {
    compare("bash", 4);
}

#[test]
fn zsh_refuses_the_same() {
    compare("zsh", 20);
}
