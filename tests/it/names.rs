//! A type's name says what it is, and no other type of the workspace has it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Names that two types share, each with its reason. At most fifteen.
const AGREED: &[(&str, &str)] = &[];
const MOST_AGREED: usize = 15;

/// The words before the name of a type.
const KEYWORDS: [&str; 5] = ["struct", "enum", "trait", "union", "type"];

/// Every source file below a folder that is not a file of tests.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.expect("a name").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            if name != "tests" {
                sources(&path, found);
            }
        } else if path.extension().is_some_and(|end| end == "rs") && !name.ends_with("_tests.rs") && name != "tests.rs" {
            found.push(path);
        }
    }
}

/// The name of the type that a line defines. Associated types and the types of functions are indented with a value or a
/// bound, so only `type` at the start of a line counts.
fn defined(line: &str) -> Option<&str> {
    let code = line.trim_start();
    let code = match code.strip_prefix("pub") {
        Some(rest) if rest.starts_with('(') => rest.split_once(") ")?.1,
        Some(rest) => rest.trim_start(),
        None => code,
    };
    let (keyword, rest) = code.split_once(' ')?;
    if !KEYWORDS.contains(&keyword) || (keyword == "type" && line.starts_with(' ')) {
        return None;
    }
    let end = rest.find(|sign: char| !sign.is_alphanumeric() && sign != '_').unwrap_or(rest.len());
    rest.get(..end).filter(|name| name.starts_with(char::is_uppercase))
}

#[test]
fn a_definition_is_found() {
    for (line, name) in [
        ("pub struct Event {", Some("Event")),
        ("    enum Found<'t> {", Some("Found")),
        ("pub(in crate::cli) trait Client: Sync {", Some("Client")),
        ("type Lines = Vec<String>;", Some("Lines")),
        ("    type Target = str;", None),
        ("// struct Event", None),
        ("let kind = entry.kind;", None),
    ] {
        assert_eq!(defined(line), name, "{line}");
    }
}

#[test]
fn no_two_types_share_a_name() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    sources(&root.join("src"), &mut files);
    sources(&root.join("xtask/src"), &mut files);
    for entry in fs::read_dir(root.join("crates")).expect("the crates") {
        sources(&entry.expect("a name").path().join("src"), &mut files);
    }
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for file in &files {
        let text = fs::read_to_string(file).expect("a source file");
        let shown = file.strip_prefix(root).unwrap_or(file).display().to_string();
        let before_tests = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        for (at, line) in before_tests.lines().enumerate() {
            if let Some(name) = defined(line) {
                places.entry(name.to_owned()).or_default().push(format!("{shown}:{}", at + 1));
            }
        }
    }
    assert!(places.len() > 200, "only {} types were found", places.len());
    let shared: BTreeMap<&str, &Vec<String>> = places.iter().filter(|(_, at)| at.len() > 1).map(|(name, at)| (name.as_str(), at)).collect();
    let new: Vec<_> = shared.iter().filter(|(name, _)| !AGREED.iter().any(|(agreed, _)| agreed == *name)).collect();
    assert!(new.is_empty(), "two types have one name; give one of them a name that says what it is: {new:#?}");
    assert!(AGREED.len() <= MOST_AGREED, "too many names are agreed");
    for (name, reason) in AGREED {
        assert!(shared.contains_key(name), "`{name}` ({reason}) is no longer shared: take it from the list");
    }
}
