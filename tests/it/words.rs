//! Public texts use plain words. This file contains the words that made readers stop, each with the word to use instead,
//! and looks for them in documents, policies, `--help`, and the comments and messages of Rust files.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::docs::fenced;
use crate::flywheel::COLD;
use crate::support::{package, run};

/// Words that public texts avoid, and what to write instead.
const AVOIDED: &[(&str, &str)] = &[
    ("again:", "retry:"),
    ("are none", "say what is missing or false"),
    ("belong into", "belong in"),
    ("belongs into", "belongs in"),
    ("door", "Claude Code hook, git hook, CI check; in the record: source"),
    ("doors", "hooks, checks; in the record: sources"),
    ("gate stands", "Portcullis is active"),
    ("go on", "is allowed, continues"),
    ("goes on", "is allowed, continues"),
    ("held", "denied or asked; together: stopped"),
    ("is none", "say what is missing or false"),
    ("may not be", "must not be, or might not be"),
    ("mend", "fix"),
    ("mended", "fixed"),
    ("mends", "fixes"),
    ("settle", "resolve (a suggestion), decide (a verdict)"),
    ("settled", "resolved, decided"),
    ("settles", "resolves, decides"),
    ("spared", "not matched, exempt"),
    ("stand", "be, exist, apply"),
    ("standing", "being, existing"),
    ("stands", "is, exists, applies"),
    ("stood", "was, existed"),
    ("told", "shown, reported"),
    ("turned round", "reversed"),
    ("which is it itself", "name the thing"),
    ("would hold", "would contain, would apply"),
];

/// Phrases in which an avoided word is good English.
const ALLOWED: &[(&str, &str)] = &[("stand for", "it means: represent"), ("stands for", "it means: represents")];

/// Strings of Rust files in which an avoided word is a key or an option of earlier versions, which are still read.
const OLDER: &[(&str, &str)] = &[
    ("crates/flywheel/src/ledger.rs", "told"),
    ("crates/flywheel/src/ledger.rs", "settled"),
    ("crates/gate/src/record.rs", "door"),
    ("crates/gate/src/record.rs", "held"),
    ("src/cli/explain.rs", "held"),
    ("src/cli/log.rs", "held"),
    ("src/documents.rs", "settled"),
];

/// Blocks of Markdown that show what the program prints: messages in code are looked at where they are written.
const PRINTED: &[&str] = &["console", "text"];

/// Keys of TOML files whose texts people read.
const SHOWN_KEYS: &[&str] = &["about", "description", "instead", "reason", "title"];

/// The avoided words of a text, each with the words around it.
fn avoided(text: &str) -> Vec<String> {
    let mut text = text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    for (phrase, _) in ALLOWED {
        text = text.replace(phrase, "…");
    }
    let part = |sign: char| sign.is_alphanumeric() || sign == '_' || sign == '-';
    let mut found = Vec::new();
    for (word, instead) in AVOIDED {
        for (at, _) in text.match_indices(word) {
            let (before, behind) = (text.get(..at).unwrap(), text.get(at + word.len()..).unwrap());
            if !before.ends_with(part) && !behind.starts_with(part) {
                let before: String = before.chars().rev().take(30).collect::<Vec<_>>().into_iter().rev().collect();
                let behind: String = behind.chars().take(30).collect();
                found.push(format!("…{before}«{word}»{behind}… (use: {instead})"));
            }
        }
    }
    found
}

/// A text without its code spans: they name keys, options and functions, which are renamed in the code.
fn prose(text: &str) -> String {
    text.split('`').step_by(2).collect::<Vec<_>>().join(" … ")
}

/// A Markdown text without code spans and without what the program prints.
fn markdown(text: &str) -> String {
    let (outside, blocks) = fenced(text);
    let shown = blocks.into_iter().filter(|(language, _)| !PRINTED.contains(&language.as_str())).map(|(_, block)| block);
    prose(&outside) + "\n" + &shown.collect::<Vec<_>>().join("\n")
}

/// The comment of a line of TOML.
fn comment(line: &str) -> Option<&str> {
    let mut open = None;
    let mut escaped = false;
    for (at, sign) in line.char_indices() {
        match (open, sign) {
            (None, '#') => return line.get(at + 1..),
            (None, '"' | '\'') => open = Some(sign),
            (Some('"'), '\\') if !escaped => {
                escaped = true;
                continue;
            }
            (Some(mark), _) if sign == mark && !escaped => open = None,
            _ => {}
        }
        escaped = false;
    }
    None
}

/// The texts of a TOML file that people read: comments, and the values of some keys.
fn toml_texts(text: &str) -> String {
    fn values(value: &toml::Value, into: &mut Vec<String>) {
        match value {
            toml::Value::Table(table) => {
                for (key, value) in table {
                    match value {
                        toml::Value::String(text) if SHOWN_KEYS.contains(&key.as_str()) => into.push(text.clone()),
                        _ => values(value, into),
                    }
                }
            }
            toml::Value::Array(all) => all.iter().for_each(|value| values(value, into)),
            _ => {}
        }
    }
    let mut texts: Vec<String> = text.lines().filter_map(comment).map(str::to_owned).collect();
    values(&toml::Value::Table(text.parse().unwrap()), &mut texts);
    // A mark of code that is open in one text must not swallow the next.
    texts.iter().map(|text| prose(text)).collect::<Vec<_>>().join("\n")
}

/// Files of the tree with this ending, from its root.
fn files(ending: &str) -> Vec<String> {
    fn walk(folder: &Path, from: &str, ending: &str, into: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = format!("{from}{name}");
            if entry.file_type().unwrap().is_dir() {
                // Projects of tests have texts of other people's kind.
                if !["target", ".git", "node_modules", "ecosystems", "corpus", "artifacts"].contains(&name.as_str()) {
                    walk(&entry.path(), &format!("{path}/"), ending, into);
                }
            } else if name.ends_with(ending) {
                into.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(package(), "", ending, &mut found);
    found.sort();
    found
}

fn read(path: &str) -> String {
    fs::read_to_string(package().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Fails if one of the texts has an avoided word.
#[track_caller]
fn clean(texts: &[(String, String)]) {
    let found = texts.iter().map(|(name, text)| (name, avoided(text))).filter(|(_, found)| !found.is_empty());
    let wrong: Vec<String> = found.map(|(name, found)| format!("{name}:\n  {}", found.join("\n  "))).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn documents_use_plain_words() {
    let texts: Vec<_> = files(".md").into_iter().map(|path| (path.clone(), markdown(&read(&path)))).collect();
    assert!(texts.len() >= 15, "only {} documents were found", texts.len());
    clean(&texts);
}

#[test]
fn policies_and_settings_use_plain_words() {
    let public = |path: &String| !path.starts_with("tests/") && !path.contains("/tests/");
    let toml = files(".toml").into_iter().filter(public).map(|path| (path.clone(), toml_texts(&read(&path))));
    let yaml = [".yml", ".yaml"].iter().flat_map(|ending| files(ending)).filter(public).map(|path| (path.clone(), prose(&read(&path))));
    let texts: Vec<_> = toml.chain(yaml).collect();
    for expected in ["git.toml", "starter.toml", "action.yml", ".pre-commit-hooks.yaml"] {
        assert!(texts.iter().any(|(path, _)| path.rsplit('/').next() == Some(expected)), "{expected} was not found");
    }
    clean(&texts);
}

/// Where the text of a Rust file is shown to people.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    Comment,
    Message,
}

/// The comments and the strings of a Rust file.
fn rust_texts(text: &str) -> Vec<(Shown, &str)> {
    let mut found: Vec<(Shown, &str)> = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['/', '"', '\'', 'r']) {
        let (before, here) = rest.split_at(at);
        let in_word = before.ends_with(|c: char| c.is_alphanumeric() || c == '_') && !before.ends_with('b');
        let hashes = here.strip_prefix('r').map_or(0, |open| open.len() - open.trim_start_matches('#').len());
        let raw = here.get(hashes + 1..).is_some_and(|open| here.starts_with('r') && open.starts_with('"')) && !in_word;
        let taken = if here.starts_with("//") {
            let end = here.find('\n').unwrap_or(here.len());
            found.push((Shown::Comment, &here[..end]));
            end
        } else if raw {
            let close = format!("\"{}", "#".repeat(hashes));
            let open = hashes + 2;
            let end = here[open..].find(&close).map_or(here.len(), |end| open + end);
            found.push((Shown::Message, &here[open..end]));
            (end + close.len()).min(here.len())
        } else if let Some(inner) = here.strip_prefix('"') {
            let mut escaped = false;
            let end = inner.find(|c: char| {
                let ends = c == '"' && !escaped;
                escaped = c == '\\' && !escaped;
                ends
            });
            let end = end.unwrap_or(inner.len());
            found.push((Shown::Message, &inner[..end]));
            (end + 2).min(here.len())
        } else if let Some(quoted) = here.strip_prefix('\'') {
            // A character; otherwise it is a lifetime.
            let mut signs = quoted.char_indices();
            let first = signs.next().map(|(_, c)| c);
            let close =
                if first == Some('\\') { quoted.get(2..).and_then(|more| more.find('\'')).map(|end| end + 2) } else { signs.next().map(|(end, _)| end) };
            close.filter(|end| quoted[*end..].starts_with('\'')).map_or(1, |end| end + 2)
        } else {
            1
        };
        rest = &here[taken..];
    }
    found
}

/// The texts of a kind, those of comments as a whole: they go over several lines.
fn shown(texts: &[(Shown, &str)], kind: Shown, path: &str) -> String {
    let older = |text: &str| OLDER.contains(&(path, text));
    let texts = texts.iter().filter(|(of, text)| *of == kind && !older(text)).map(|(_, text)| *text);
    match kind {
        Shown::Comment => prose(&texts.map(|text| text.trim_start_matches(['/', '!'])).collect::<Vec<_>>().join(" ")),
        // A string without a blank is a key, a name or a word of a command.
        Shown::Message => texts.filter(|text| text.contains(' ')).map(|text| prose(&placeholders(text))).collect::<Vec<_>>().join(" … "),
    }
}

/// A message without the names of its placeholders.
fn placeholders(text: &str) -> String {
    let mut parts = text.split('{');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + "…" + part.split_once('}').map_or(part, |(_, rest)| rest))
}

#[test]
fn rust_files_use_plain_words() {
    let own = |path: &&String| !path.starts_with("tests/") && !path.contains("/tests/") && !path.ends_with("tests.rs");
    let paths: Vec<String> = files(".rs").iter().filter(own).cloned().collect();
    assert!(paths.len() > 100, "only {} files were found", paths.len());
    let mut texts = Vec::new();
    for path in paths {
        let text = read(&path);
        let found = rust_texts(&text);
        texts.push((format!("{path}, comments"), shown(&found, Shown::Comment, &path)));
        texts.push((format!("{path}, messages"), shown(&found, Shown::Message, &path)));
    }
    clean(&texts);
}

/// The help of a command and of those below it, each with its name.
fn help(command: &[String], into: &mut Vec<(String, String)>) {
    let said = run(Command::new(COLD).args(command).arg("--help"), b"");
    assert_eq!(said.code, 0, "{command:?}: {said:?}");
    let below = said.stdout.split("Commands:\n").nth(1).and_then(|rest| rest.split("\n\n").next()).unwrap_or_default().to_owned();
    into.push((format!("portcullis {}", command.join(" ")).trim_end().to_owned(), prose(&said.stdout)));
    for name in below.lines().filter_map(|line| line.strip_prefix("  ")?.split(' ').next()).filter(|name| !name.is_empty() && *name != "help") {
        let mut command = command.to_vec();
        command.push(name.to_owned());
        help(&command, into);
    }
}

#[test]
fn help_uses_plain_words() {
    let mut texts = Vec::new();
    help(&[], &mut texts);
    assert!(texts.len() >= 15, "only {} commands were found", texts.len());
    clean(&texts);
}

#[test]
fn words_are_found_whole_across_lines_and_outside_code() {
    let words = |text: &str| avoided(&markdown(text)).len();
    assert_eq!(words("the call is held"), 1);
    assert_eq!(words("the call goes\non, and the gate stands"), 3);
    assert_eq!(words("`held`, `--held`, withheld, hand-held, upheld"), 0);
    assert_eq!(words("`{pkg}` stands for a folder; a standard; outstanding"), 0);
    assert_eq!(words("```text\nthe call is held\n```\n```sh\n# the call is held\n```\n"), 1);
    assert_eq!(avoided(&toml_texts("a = 1 # it is held\nreason = \"it is held\"\nb = \"# held\"\n")).len(), 2);
}

#[test]
fn comments_and_messages_of_rust_files_are_found() {
    let text = r##"//! it is `held`
fn a<'a>(b: &'a str) -> char { '"' } // it stands
const C: &str = "the {held} call \" is held"; /// it
/// goes on
const D: [&str; 3] = [r#"it "is" told"#, "told", b'\''];
"##;
    let found = rust_texts(text);
    let of = |kind| avoided(&shown(&found, kind, "a.rs")).len();
    assert_eq!((of(Shown::Comment), of(Shown::Message)), (2, 2), "{:?}", found.iter().map(|(_, text)| text).collect::<Vec<_>>());
}

#[test]
fn the_list_of_words_is_in_order_and_every_exception_is_needed() {
    assert!(AVOIDED.is_sorted_by_key(|(word, _)| *word), "sort the list");
    let words: BTreeSet<&str> = AVOIDED.iter().map(|(word, _)| *word).collect();
    for (phrase, _) in ALLOWED {
        assert!(phrase.split(' ').any(|word| words.contains(word)), "`{phrase}` excuses no word of the list");
    }
}
