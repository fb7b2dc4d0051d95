//! The shape of the source: which module may name which, what keeps the core pure, what the hot binary is built of.
//! ARCHITECTURE.md says why; this holds it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::package;

/// Every module in the order of `lib.rs`, and what of the crate it may name: a module, or one thing of a module.
/// `cli` stands at the end and may name everything.
const MAY_NAME: &[(&str, &[&str])] = &[
    ("door", &["answer", "cli::terminal", "event", "failure", "pipeline", "world", "BUILD"]),
    ("event", &[]),
    ("change", &[]),
    // How programs read their arguments comes out of the compiled policy.
    ("action", &["change", "event", "policy::wire", "secret::base64"]),
    ("facts", &["action"]),
    ("world", &["action", "change", "event", "facts", "failure", "flywheel", "layout", "policy", "record", "syntax", "tests_first", "BUILD"]),
    ("secret", &[]),
    ("report_file", &[]),
    ("syntax", &[]),
    ("layout", &["syntax"]),
    ("policy", &["action", "layout", "secret::Confidence"]),
    ("matcher", &["action", "facts", "policy", "secret", "verdict"]),
    ("decide", &["action", "facts", "matcher", "policy", "verdict"]),
    ("verdict", &["policy::Tier"]),
    ("tests_first", &["action", "event", "layout", "policy", "report_file", "syntax", "verdict"]),
    ("failure", &["event::Kind", "pipeline::MAX_INPUT"]),
    ("answer", &["event", "failure", "policy::Tier", "report::plain", "verdict"]),
    ("report", &["action", "answer", "policy", "verdict"]),
    ("record", &["action", "event", "secret", "verdict"]),
    ("flywheel", &["event::json", "layout::matches", "policy", "record", "secret::redact", "tests_first", "verdict"]),
    (
        "pipeline",
        &[
            "action",
            "answer",
            "change",
            "cli::compiling",
            "decide",
            "door::Door",
            "event",
            "facts",
            "failure",
            "flywheel",
            "matcher::text",
            "policy",
            "record",
            "report::plain",
            "tests_first",
            "verdict",
            "world",
        ],
    ),
    (
        "cli",
        &[
            "action", "answer", "change", "decide", "door", "event", "facts", "failure", "flywheel", "matcher", "pipeline", "policy", "record", "report",
            "verdict", "world", "BUILD",
        ],
    ),
];

/// Modules that touch no file, clock, environment, process or stream.
const PURE: &[&str] = &[
    "event",
    "change",
    "action",
    "facts",
    "secret",
    "report_file",
    "syntax",
    "layout",
    "policy",
    "matcher",
    "decide",
    "verdict",
    "tests_first",
    "failure",
    "answer",
    "report",
    "record",
    "flywheel",
];
/// What a pure module begins with.
const PURITY: &str = "#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros)]";
/// A file that is longer is two files.
const MAX_LINES: usize = 700;
/// What has no name has no place yet.
const NAMELESS: &[&str] = &["util", "utils", "helper", "helpers", "common", "misc"];
/// All that the hot binary may be built of.
const HOT_CRATES: &[&str] = &["portcullis", "libc"];
/// Of those, what Cargo.toml names.
const HOT_DEPENDENCIES: &[&str] = &["libc"];

/// Every Rust file below a folder of the package.
fn sources(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut left = vec![package().join(folder)];
    while let Some(folder) = left.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                left.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn shown(path: &Path) -> String {
    path.strip_prefix(package()).unwrap().display().to_string()
}

/// Unit tests name what they test with.
fn is_test(path: &Path) -> bool {
    let name = shown(path);
    name.ends_with("_tests.rs") || name.ends_with("/tests.rs") || name.contains("/tests/")
}

/// What the code names of its own crate: `policy::Tier`, `BUILD`.
fn named(text: &str) -> BTreeSet<String> {
    let code: String =
        text.split("#[cfg(test)]").next().unwrap().lines().filter(|line| !line.trim_start().starts_with("//")).flat_map(|line| [line, "\n"]).collect();
    let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut names = BTreeSet::new();
    for after in code.split("crate::").skip(1) {
        let first = word(after);
        assert!(!first.is_empty(), "one `use crate::module` a line: `crate::{}`", after.lines().next().unwrap_or_default());
        match after.get(first.len()..).and_then(|rest| rest.strip_prefix("::")) {
            None => drop(names.insert(first)),
            Some(rest) => match rest.strip_prefix('{') {
                None => drop(names.insert(format!("{first}::{}", word(rest)))),
                Some(list) => {
                    let list = list.split('}').next().unwrap();
                    names.extend(list.split(',').map(str::trim).filter(|part| !part.is_empty()).map(|part| match word(part).as_str() {
                        "self" => first.clone(),
                        part => format!("{first}::{part}"),
                    }));
                }
            },
        }
    }
    names
}

#[test]
fn modules_name_only_what_they_may() {
    let mut wrong = Vec::new();
    for path in sources("src").iter().filter(|path| !is_test(path)) {
        let name = shown(path);
        let Some(module) = name.strip_prefix("src/").and_then(|name| name.split(['/', '.']).next()).filter(|module| !["lib", "bin"].contains(module)) else {
            continue;
        };
        let Some((_, may)) = MAY_NAME.iter().find(|(known, _)| *known == module) else {
            wrong.push(format!("{name}: the module `{module}` is not in the table"));
            continue;
        };
        for used in named(&fs::read_to_string(path).unwrap()) {
            let outer = used.split("::").next().unwrap();
            if outer != module && !may.contains(&outer) && !may.contains(&used.as_str()) {
                wrong.push(format!("{name}: `{module}` may not name `{used}`"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_allowed_is_used() {
    let used = |module: &str| -> BTreeSet<String> {
        let own = |path: &&PathBuf| shown(path) == format!("src/{module}.rs") || shown(path).starts_with(&format!("src/{module}/"));
        sources("src").iter().filter(own).flat_map(|path| named(&fs::read_to_string(path).unwrap())).collect()
    };
    for (module, may) in MAY_NAME.iter().filter(|(module, _)| *module != "cli") {
        let used = used(module);
        for name in *may {
            let found = used.iter().any(|used| used == name || used.split("::").next() == Some(name));
            assert!(found, "`{module}` may name `{name}` and does not: take it out of the table");
        }
    }
}

#[test]
fn the_map_shows_the_modules_in_the_order_of_a_call() {
    let text = fs::read_to_string(package().join("src/lib.rs")).unwrap();
    let modules: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    let expected: Vec<&str> = MAY_NAME.iter().map(|(module, _)| *module).collect();
    assert_eq!(modules, expected);
}

#[test]
fn the_core_denies_what_is_not_pure() {
    for module in PURE {
        let text = fs::read_to_string(package().join(format!("src/{module}.rs"))).unwrap();
        let head: Vec<&str> = text.lines().take_while(|line| line.starts_with("//!") || line.starts_with("#![")).collect();
        assert!(head.contains(&PURITY), "src/{module}.rs must begin with\n{PURITY}");
    }
}

#[test]
fn unsafe_stands_in_one_module() {
    for path in sources("src") {
        let name = shown(&path);
        let text = fs::read_to_string(&path).unwrap();
        let unsafe_code = text.lines().any(|line| line.contains("unsafe {") || line.contains("unsafe impl") || line.contains("unsafe fn"));
        assert!(!unsafe_code || name.starts_with("src/world/system"), "{name} has unsafe code, which is `world::system`'s");
    }
}

#[test]
fn files_are_short_and_say_what_they_hold() {
    let mut wrong = Vec::new();
    for path in sources("src").into_iter().chain(sources("tests")) {
        let (name, text) = (shown(&path), fs::read_to_string(&path).unwrap());
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        let lines = text.lines().count();
        if lines > MAX_LINES {
            wrong.push(format!("{name} has {lines} lines; split it by family (at most {MAX_LINES})"));
        }
        if !text.starts_with("//!") {
            wrong.push(format!("{name} does not begin with `//!` and what it holds"));
        }
        if NAMELESS.contains(&stem.as_str()) || NAMELESS.iter().any(|nameless| name.contains(&format!("/{nameless}/"))) {
            wrong.push(format!("{name}: a module is called after what it holds"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_test_file_is_run() {
    let main = fs::read_to_string(package().join("tests/it/main.rs")).unwrap();
    for path in sources("tests/it").iter().filter(|path| path.parent() == Some(&package().join("tests/it"))) {
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        assert!(stem == "main" || main.lines().any(|line| line == format!("mod {stem};")), "tests/it/{stem}.rs is not in main.rs");
    }
}

#[test]
fn the_hot_binary_is_built_of_one_crate() {
    let manifest: toml::Table = fs::read_to_string(package().join("Cargo.toml")).unwrap().parse().unwrap();
    let dependencies = manifest["dependencies"].as_table().unwrap();
    let optional = |value: &toml::Value| value.get("optional").and_then(toml::Value::as_bool) == Some(true);
    let hot: BTreeSet<&str> = dependencies.iter().filter(|(_, value)| !optional(value)).map(|(name, _)| name.as_str()).collect();
    assert_eq!(hot, HOT_DEPENDENCIES.iter().copied().collect(), "what is not optional is linked into the hot binary");
    let cold: BTreeSet<&str> = manifest["features"]["cold"].as_array().unwrap().iter().filter_map(|name| name.as_str()?.strip_prefix("dep:")).collect();
    let expected: BTreeSet<&str> = dependencies.iter().filter(|(_, value)| optional(value)).map(|(name, _)| name.as_str()).collect();
    assert_eq!(cold, expected, "every optional dependency stands behind the feature `cold`");

    let mut tree = Command::new(env!("CARGO"));
    tree.current_dir(package()).args(["tree", "--offline", "--locked", "--no-default-features", "--edges", "normal", "--prefix", "none", "--format", "{p}"]);
    let output = tree.output().unwrap();
    if !output.status.success() {
        // Without the sources of every platform's crates cargo cannot say; .ci/run asks again with a network.
        return;
    }
    let text = String::from_utf8(output.stdout).unwrap();
    for line in text.lines() {
        let name = line.split(' ').next().unwrap();
        assert!(HOT_CRATES.contains(&name), "`{name}` would be linked into the hot binary");
    }
}

/// Literals of the reader of commands that equal the name of a described program, and why each is there. All else that is
/// known of a program stands in its description.
const NAMED_IN_CODE: &[(&str, &[&str], &str)] = &[
    ("src/action/pushed.rs", &["git"], "moves of refs are what git does"),
    ("src/action/shell/git.rs", &["git", "cat", "less"], "git's own model, and the pagers that it does not start"),
    ("src/action/shell/invoke.rs", &["git", "noglob", "nocorrect"], "`git-push` is `git push`; words of zsh"),
    ("src/action/shell/builtin.rs", &["printf", "type"], "the shell's own commands"),
    ("src/action/shell/inner.rs", &["echo", "bash", "patch"], "what xargs runs without a command; what a shell is called in its script; a language"),
    ("src/action/shell/scripts.rs", &["sh", "script"], "a script without a first line of its own; the step of the way"),
    ("src/action/shell/state.rs", &["bash"], "what a shell is called in its script"),
    ("src/action/shell/parse/compound.rs", &["time"], "the shell's grammar"),
    ("src/action/shell/parse/cursor.rs", &["time"], "the shell's grammar"),
    (
        "src/action/shell/find.rs",
        &["py", "ts", "tsx", "go", "java", "cc", "php", "swift", "scala", "ex", "clj", "sh", "type"],
        "endings of files; the end of an option's name",
    ),
    ("src/action/shell/texts.rs", &["code", "patch"], "a step of the way; a language"),
    ("src/action/printed.rs", &["bash zsh sh fish posix dash ksh tcsh csh powershell pwsh xonsh nu nushell elvish -"], "what `<shell>` stands for"),
    ("src/action/recipe/make.rs", &["make"], "a variable of makefiles"),
    ("src/action/recipe/package.rs", &["command"], "a key of task lists"),
    ("src/action/recipe/task.rs", &["cmd", "task"], "keys of Taskfiles"),
];

/// Folders whose literals are names of functions, keys of tools and signs of other languages, not of programs.
const OTHER_LANGUAGES: &[&str] = &["src/action/code", "src/action/tools.rs", "src/action/patch.rs", "src/action/program.rs", "src/action/shell/parse/"];

#[test]
fn what_is_known_of_programs_stands_in_their_descriptions() {
    let mut described = BTreeSet::new();
    for path in fs::read_dir(package().join("policies/programs")).unwrap() {
        let table: toml::Table = fs::read_to_string(path.unwrap().path()).unwrap().parse().unwrap();
        for program in table["program"].as_array().unwrap() {
            match &program["name"] {
                toml::Value::Array(names) => described.extend(names.iter().map(|name| name.as_str().unwrap().to_owned())),
                name => drop(described.insert(name.as_str().unwrap().to_owned())),
            }
        }
    }
    let mut wrong = Vec::new();
    let mut used = BTreeSet::new();
    for path in sources("src/action").iter().filter(|path| !is_test(path)) {
        let name = shown(path);
        let agreed = NAMED_IN_CODE.iter().find(|(file, ..)| *file == name).map_or(&[][..], |(_, names, _)| names);
        if agreed.is_empty() && OTHER_LANGUAGES.iter().any(|other| name.starts_with(other)) {
            continue;
        }
        let text = fs::read_to_string(path).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap().lines().filter(|line| !line.trim_start().starts_with("//"));
        for (at, literal) in code.flat_map(|line| line.split('"').enumerate()).filter(|(at, _)| at % 2 == 1) {
            let _ = at;
            let words: Vec<&str> = literal.split_whitespace().collect();
            let list = words.len() > 2 && 2 * words.iter().filter(|word| described.contains(**word)).count() > words.len();
            if described.contains(literal) || list {
                used.insert((name.clone(), literal.to_owned()));
                if !agreed.contains(&literal) {
                    wrong.push(format!("{name}: `{literal}` is the name of a described program; say what is known of it in its description"));
                }
            }
        }
    }
    for (file, names, _) in NAMED_IN_CODE {
        for name in names.iter().filter(|name| !used.contains(&((*file).to_owned(), (**name).to_owned()))) {
            wrong.push(format!("{file}: `{name}` is agreed on and not there"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
