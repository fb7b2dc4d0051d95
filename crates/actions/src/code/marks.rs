//! What is found in a text by marks alone, whatever its language: ways out into a shell, and names in capitals that are
//! given a value.

use super::CodeAction;

/// The command lines in a line of some command language, by what is before them (`Program::escapes`).
pub fn escapes(line: &str, marks: &[&str]) -> Vec<CodeAction> {
    let lower = line.to_ascii_lowercase();
    let mut found = Vec::new();
    for mark in marks {
        for (at, _) in lower.match_indices(mark) {
            let (Some(front), Some(rest)) = (line.get(..at), line.get(at + mark.len()..)) else { continue };
            if let Some(quote) = mark.chars().next_back().filter(|last| matches!(last, '"' | '\'' | '`')) {
                found.push(CodeAction::Shell(quoted(rest, quote).replace("\\r", "\n").replace("\\n", "\n")));
            } else if mark.contains('(') {
                let words = literals(rest);
                match words.as_slice() {
                    [] => {}
                    [line] => found.push(CodeAction::Shell(line.clone())),
                    _ => found.push(CodeAction::Argv(words.into_iter().map(Some).collect())),
                }
            } else if begins(front, mark) {
                let open = ['"', '\''].into_iter().find(|quote| front.matches(*quote).count() % 2 == 1);
                match open {
                    // In a string that is data, but for `execute "!…"`.
                    Some(_) if !mark.starts_with('!') => {}
                    Some(quote) => found.push(CodeAction::Shell(quoted(rest, quote))),
                    None => found.push(CodeAction::Shell(rest.to_owned())),
                }
            }
        }
    }
    found
}

/// The files that a line of some command language writes, by what is before their names (`Details::writes`). A name with a
/// bar in front is a command.
pub fn written(line: &str, marks: &[&str]) -> Vec<String> {
    let lower = line.to_ascii_lowercase();
    let mut found = Vec::new();
    for mark in marks {
        let (mark, first) = mark.strip_prefix('^').map_or((*mark, false), |mark| (mark, true));
        let (opening, mark) = mark.split_once('…').map_or(("", mark), |(opening, mark)| (opening, mark));
        for (at, _) in lower.match_indices(mark) {
            let (Some(front), Some(rest)) = (line.get(..at), line.get(at + mark.len()..)) else { continue };
            let begins = front.trim_end_matches([' ', '\t']);
            // A number or `%` says of which lines an editor speaks.
            let begins = begins.is_empty() || begins.ends_with([';', '|', ':', '%', '$', '\n']) || begins.ends_with(|c: char| c.is_ascii_digit());
            let word = mark.starts_with(char::is_alphabetic) && front.ends_with(|c: char| c.is_alphanumeric() || "_-/.".contains(c));
            let quoted = front.matches('\'').count() % 2 == 1;
            let opened = opening.is_empty() || lower.get(..at).is_some_and(|front| front.contains(opening));
            if first && !begins || word || quoted || !opened {
                continue;
            }
            let rest = rest.trim_start();
            let name = match rest.chars().next().filter(|first| matches!(first, '\'' | '"')) {
                Some(quote) => quoted_name(rest, quote),
                None => rest.split(|c: char| c.is_whitespace() || c == ';').next().unwrap_or("").to_owned(),
            };
            let stream = matches!(name.to_ascii_lowercase().as_str(), "" | "-" | "stdout" | "stdin" | "pstdout" | "program" | "off" | "on");
            if !stream && !name.starts_with(['|', '-', '(']) {
                found.push(name);
            }
        }
    }
    found
}

fn quoted_name(text: &str, quote: char) -> String {
    quoted(text.get(1..).unwrap_or(""), quote)
}

/// Whether a command may begin behind `front`: behind words, but not in an address, a path or a comment, and a sign not at
/// the end of a word (`wq!`).
fn begins(front: &str, mark: &str) -> bool {
    let sign = !mark.starts_with(char::is_alphabetic);
    let word = front.ends_with(char::is_alphanumeric) && (front.len() > 1 || !sign);
    !word && front.chars().all(|c| c.is_alphanumeric() || " :%$.,;\"'(!-=*<>[{&|".contains(c))
}

/// The text up to `quote`, without backslashes in front of it.
fn quoted(text: &str, quote: char) -> String {
    let mut out = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next().filter(|c| *c != quote) {
        match chars.next_if(|next| c == '\\' && (*next == quote || *next == '\\')) {
            Some(next) => out.push(next),
            None => out.push(c),
        }
    }
    out
}

/// The strings in the brackets that are open in front of `text`.
fn literals(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut depth = 1;
    let mut rest = text;
    while let Some(at) = rest.find(['"', '\'', '(', ')']).filter(|_| depth > 0) {
        let (mark, behind) = rest.split_at(at).1.split_at(1);
        rest = behind;
        match mark {
            "(" => depth += 1,
            ")" => depth -= 1,
            _ => {
                let word = quoted(behind, mark.chars().next().unwrap_or('"'));
                rest = behind.split_once(mark).map_or("", |(_, rest)| rest);
                words.push(word);
            }
        }
    }
    words
}

/// Names in capitals that the text gives a literal value, as it does to change the environment of what it starts:
/// `os.environ["A"] = "1"`, `{"A": "1"}`, `putenv("A=1")`, `$ENV{A} = 1`. A name stands for every value it is given.
pub fn environment(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c.is_ascii_uppercase()) {
        let starts = !rest.get(..at).is_some_and(|front| front.ends_with(|c: char| c.is_alphanumeric() || c == '_'));
        let (_, from) = rest.split_at(at);
        let end = from.find(|c: char| !(c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')).unwrap_or(from.len());
        let (name, behind) = from.split_at(end);
        rest = behind;
        // `setenv("A", "1")`; without quotes it is a value itself, and so is what is behind the comma.
        let signs: &[&str] = if behind.starts_with(['"', '\'']) { &["=>", "=", ":", ","] } else { &["=>", "=", ":"] };
        let behind = behind.trim_start_matches(['"', '\'', ']', '}', ' ']);
        let sign = signs.iter().find_map(|sign| behind.strip_prefix(sign)).filter(|value| !value.starts_with('='));
        let Some(value) = sign.filter(|_| starts && name.len() > 2 && found.len() < 64) else { continue };
        let value = value.trim_start().trim_start_matches(['"', '\'']);
        let end = value.find(['"', '\'', ',', ')', '}', ';', ' ', '\n']).unwrap_or(value.len());
        found.push((name.to_owned(), value.get(..end).unwrap_or("").to_owned()));
    }
    found
}
