//! The shape of the source: which module may name which, what keeps the core pure, what the hot binary is built of.
//! ARCHITECTURE.md says why; this holds it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clients::CLIENTS;

use crate::support::package;

/// The members of the workspace in the order of the way of a call, and which of them each may name. `portcullis`, the
/// root package, may name all.
const MAY_NAME: &[(&str, &[&str])] = &[
    ("shell-reader", &[]),
    ("query-reader", &[]),
    ("actions", &["query-reader", "shell-reader"]),
    ("policy", &["actions"]),
    ("clients", &["actions"]),
    ("spend", &["clients"]),
    ("gate", &["actions", "clients", "policy"]),
    ("tests-first", &["actions", "policy"]),
    ("policy-compiler", &["actions", "policy", "tests-first"]),
    ("flywheel", &["actions", "clients", "gate", "policy", "tests-first"]),
];
/// Sources that touch no file, clock, environment, process or stream: whole members, and files of `gate` and `src`.
const PURE: &[&str] = &[
    "crates/shell-reader/src/lib.rs",
    "crates/query-reader/src/lib.rs",
    "crates/actions/src/lib.rs",
    "crates/policy/src/lib.rs",
    "crates/clients/src/lib.rs",
    "crates/tests-first/src/lib.rs",
    "crates/policy-compiler/src/lib.rs",
    "crates/flywheel/src/lib.rs",
    "crates/gate/src/answer.rs",
    "crates/gate/src/failure.rs",
    "crates/gate/src/record.rs",
    "crates/gate/src/refusal.rs",
    "src/report.rs",
];
/// What a pure module begins with.
const PURITY: &str = "#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros)]";
/// The only place with unsafe code.
const UNSAFE: &str = "crates/gate/src/world/system";
/// The members of the workspace at the most.
const MAX_MEMBERS: usize = 12;
/// A file that is longer is two files.
const MAX_LINES: usize = 700;
/// What has no name has no place yet.
const NAMELESS: &[&str] = &["util", "utils", "helper", "helpers", "common", "misc"];
/// All that the hook may be linked of.
const HOT_CRATES: &[&str] = &["actions", "clients", "gate", "libc", "policy", "query-reader", "shell-reader"];

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

/// Every Rust file that is compiled into a binary, and the tests within.
fn code() -> Vec<PathBuf> {
    let mut all = sources("src");
    all.extend(sources("crates"));
    all
}

/// The manifest of a member, or of the root package.
fn manifest(folder: &str) -> toml::Table {
    fs::read_to_string(package().join(folder).join("Cargo.toml")).unwrap().parse().unwrap()
}

/// The members among the dependencies of a manifest.
fn named(manifest: &toml::Table, of: &str) -> BTreeSet<String> {
    let dependencies = manifest.get(of).and_then(toml::Value::as_table);
    dependencies.into_iter().flatten().filter(|(_, value)| value.get("path").is_some()).map(|(name, _)| name.clone()).collect()
}

#[test]
fn members_name_only_what_they_may() {
    let found: BTreeSet<String> = fs::read_dir(package().join("crates")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    let known: BTreeSet<String> = MAY_NAME.iter().map(|(member, _)| (*member).to_owned()).collect();
    assert_eq!(found, known);
    // The root package and `xtask` are members too.
    assert!(found.len() + 2 <= MAX_MEMBERS, "{} members", found.len() + 2);
    for (at, (member, may)) in MAY_NAME.iter().enumerate() {
        let manifest = manifest(&format!("crates/{member}"));
        let may: BTreeSet<String> = may.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(named(&manifest, "dependencies"), may, "{member}");
        for name in &may {
            assert!(MAY_NAME.iter().take(at).any(|(earlier, _)| earlier == name), "`{member}` names `{name}`, which is after it");
        }
        let optional = manifest.get("features").and_then(toml::Value::as_table).map(|features| features.keys().cloned().collect::<Vec<_>>());
        assert_eq!(optional.unwrap_or_default(), if *member == "clients" { vec!["wiring"] } else { vec![] }, "features of {member}");
    }
    assert_eq!(named(&manifest("."), "dependencies"), known);
    assert!(manifest("crates/gate").get("build-dependencies").is_none(), "what a build script needs is compiled once more for it");
}

#[test]
fn no_code_asks_for_a_feature() {
    for path in code() {
        let text = fs::read_to_string(&path).unwrap();
        let lines = text.lines().filter(|line| line.contains("cfg(") && line.contains("feature"));
        let wrong: Vec<&str> = lines.filter(|line| !(shown(&path) == "crates/clients/src/lib.rs" && line.contains("wiring"))).collect();
        assert!(wrong.is_empty(), "{}: {wrong:?}", shown(&path));
    }
}

/// What only `clients` may write: names in the JSON of clients. Their events are added.
const CLIENT_JSON: &[&str] = &["hook_event_name", "hookSpecificOutput", "permissionDecision", "permission_mode", "turn_id"];
/// Names of tools, which only `actions::tools` and `clients` may write.
const TOOLS: &[&str] =
    &["Bash", "PowerShell", "Monitor", "Write", "Edit", "MultiEdit", "NotebookEdit", "WebFetch", "run_shell_command", "write_file", "apply_patch"];

/// Events of clients that are ordinary words too.
const ALSO_WORDS: &[&str] = &["stop"];

#[test]
fn only_clients_and_tools_know_the_words_of_clients() {
    let events: BTreeSet<&str> =
        CLIENTS.iter().flat_map(|client| client.wired().iter().map(|known| known.event).chain(client.unwired().iter().map(|known| known.event))).collect();
    let events: BTreeSet<&str> = events.into_iter().filter(|event| !ALSO_WORDS.contains(event)).collect();
    let mut wrong = Vec::new();
    for path in code() {
        let name = shown(&path);
        if name.starts_with("crates/clients/") || name.starts_with("crates/actions/src/tools") || name.ends_with("tests.rs") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        for line in text.lines().filter(|line| !line.trim_start().starts_with("//")) {
            // A name of one word is one only between quotes.
            let is_one_word = |name: &str| name.chars().filter(char::is_ascii_uppercase).count() < 2;
            let has_event = |event: &&str| {
                if is_one_word(event) { line.contains(&format!("\"{event}\"")) } else { line.replace(&format!("::{event}"), "").contains(*event) }
            };
            let has_tool = |tool: &&&str| line.contains(&format!("\"{tool}\""));
            let words = events.iter().find(|event| has_event(event)).or_else(|| TOOLS.iter().find(has_tool));
            if let Some(word) = words.or_else(|| CLIENT_JSON.iter().find(|word| line.contains(**word))) {
                wrong.push(format!("{name}: `{word}` in {}", line.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "what is known of clients is in crates/clients, of tools in crates/actions/src/tools.rs:\n{}", wrong.join("\n"));
}

/// Files that may have a client's name between quotes: how each is wired, kinds of lines of a transcript that are called as
/// their client, and a word of the protocol of tool servers.
const MAY_NAME_CLIENTS: &[&str] = &["crates/clients/src/wiring/table.rs", "crates/spend/src/forms.rs", "src/cli/servers/probe.rs"];

#[test]
fn each_client_is_one_file_that_nothing_else_names() {
    let lib = fs::read_to_string(package().join("crates/clients/src/lib.rs")).unwrap();
    for client in CLIENTS.iter().filter(|client| client.name() != clients::claude_code::NAME) {
        let file = client.name().replace('-', "_");
        assert!(package().join(format!("crates/clients/src/{file}.rs")).is_file(), "{file}.rs");
        assert!(lib.contains(&format!("\nmod {file};\n")), "`{file}` is a private module");
        let quoted = format!("\"{}\"", client.name());
        let naming: Vec<String> = code()
            .iter()
            .filter(|path| !shown(path).ends_with("tests.rs") && !MAY_NAME_CLIENTS.contains(&shown(path).as_str()))
            .filter(|path| fs::read_to_string(path).unwrap().contains(&quoted))
            .map(|path| shown(path))
            .collect();
        assert_eq!(naming, [format!("crates/clients/src/{file}.rs")]);
    }
}

#[test]
fn the_core_denies_what_is_not_pure() {
    for file in PURE {
        let text = fs::read_to_string(package().join(file)).unwrap();
        let head: Vec<&str> = text.lines().take_while(|line| line.starts_with("//!") || line.starts_with("#![")).collect();
        assert!(head.contains(&PURITY), "{file} must begin with\n{PURITY}");
    }
}

#[test]
fn unsafe_stands_in_one_module() {
    for path in sources("src").into_iter().chain(sources("crates")) {
        let name = shown(&path);
        let text = fs::read_to_string(&path).unwrap();
        let unsafe_code = text.lines().any(|line| line.contains("unsafe {") || line.contains("unsafe impl") || line.contains("unsafe fn"));
        assert!(!unsafe_code || name.starts_with(UNSAFE), "{name} has unsafe code, which belongs into {UNSAFE}");
    }
}

#[test]
fn files_are_short_and_say_what_they_hold() {
    let mut wrong = Vec::new();
    for path in ["src", "crates", "tests"].into_iter().flat_map(sources) {
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
fn the_hook_links_libc_and_nothing_else_that_is_not_ours() {
    let mut tree = Command::new(env!("CARGO"));
    tree.current_dir(package()).args(["tree", "--package", "gate", "--offline", "--locked", "--edges", "normal", "--prefix", "none", "--format", "{p}"]);
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
/// known of a program is in its description.
const NAMED_IN_CODE: &[(&str, &[&str], &str)] = &[
    ("crates/actions/src/lib.rs", &["column"], "a column of a table"),
    ("crates/actions/src/pushed.rs", &["git"], "moves of refs are what git does"),
    ("crates/actions/src/shell/git.rs", &["git", "cat", "less"], "git's own model, and the pagers that it does not start"),
    ("crates/actions/src/shell/invoke.rs", &["git", "noglob", "nocorrect"], "`git-push` is `git push`; words of zsh"),
    ("crates/actions/src/shell/builtin.rs", &["printf", "type"], "the shell's own commands"),
    ("crates/actions/src/shell/inner.rs", &["echo", "bash", "patch"], "what xargs runs without a command; what a shell is called in its script; a language"),
    ("crates/actions/src/shell/scripts.rs", &["sh", "script"], "a script without a first line of its own; the step of the way"),
    ("crates/actions/src/shell/state.rs", &["bash"], "what a shell is called in its script"),
    (
        "crates/actions/src/shell/find.rs",
        &["py", "ts", "tsx", "go", "java", "cc", "php", "swift", "scala", "ex", "clj", "sh", "type", "emacs"],
        "endings of files; the end of an option's name; a kind of regular expressions",
    ),
    ("crates/actions/src/shell/texts.rs", &["code", "patch", "printf"], "a step of the way; a language; a function of several languages"),
    ("crates/actions/src/tools/served.rs", &["mcp:"], "what is in front of the names of servers"),
    ("crates/actions/src/printed.rs", &["bash zsh sh fish posix dash ksh tcsh csh powershell pwsh xonsh nu nushell elvish -"], "what `<shell>` stands for"),
    ("crates/actions/src/recipe/make.rs", &["make"], "a variable of makefiles"),
    ("crates/actions/src/recipe/package.rs", &["command"], "a key of task lists"),
    ("crates/actions/src/recipe/task.rs", &["cmd", "task"], "keys of Taskfiles"),
];

/// Folders whose literals are names of functions, keys of tools and signs of other languages, not of programs.
const OTHER_LANGUAGES: &[&str] = &[
    "crates/actions/src/code",
    "crates/actions/src/tools.rs",
    "crates/actions/src/tools/kind.rs",
    "crates/actions/src/patch.rs",
    "crates/actions/src/program.rs",
];

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
    for path in sources("crates/actions/src").iter().filter(|path| !is_test(path)) {
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
