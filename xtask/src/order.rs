//! The order of the hook's functions: those of everyday calls side by side, so that a call touches few pages. It is written
//! to `crates/gate/order.ld`, which the linker reads. A function that the list does not know is only further away.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::bench::calls::Scene;
use crate::step::{command, pass};
use crate::workspace::{HOOK, HOOK_PROFILE, hook_member, root, target};

/// Where the order is kept.
const ORDER: &str = "crates/gate/order.ld";
/// The two large places of memory are behind the small ones, which are then all on one page.
const ROOM: &str = "SECTIONS\n{\n  .bss.room (NOLOAD) :\n  {\n    *(.bss.*9allocator5FIRST*)\n    *(.bss.*10last_words5STACK*)\n  }\n}\nINSERT AFTER .bss;\n";
/// The cold binary.
const COLD: &str = "portcullis";
/// Calls that are made before others are followed, and what is waited for after each.
const COMPILES: usize = 3;
const YOUNG: Duration = Duration::from_millis(60);
/// Commands of an ordinary day. The first ones of a list of functions are those that most calls use.
const COMMANDS: [&str; 12] = [
    "ls",
    "git status",
    "git push",
    "git push --force origin main",
    "npm test",
    "cargo test --workspace && git status --short",
    "git add -A && git commit -m 'Fix the thing'",
    "grep -rn TODO src --include='*.rs' | head -20 | sort -u > todo.txt",
    "cat > notes.md <<'EOF'\n# Notes\nEOF",
    "python3 -c 'import json; print(json.load(open(\"package.json\"))[\"name\"])'",
    "rm -rf build && mkdir -p build",
    "cd src && ls -la",
];

/// The hook as it is shipped, with its symbols.
///
/// Error: it cannot be built; the static target is missing.
pub(crate) fn hook_with_symbols() -> Result<PathBuf> {
    let folder = target().join("order");
    let triple = format!("{}-unknown-linux-musl", std::env::consts::ARCH);
    let mut build = command("cargo");
    build.args(["build", "--locked", "--profile", HOOK_PROFILE, "--package", &hook_member()?.name, "--bin", HOOK, "--target", &triple]);
    pass(build.env("CARGO_PROFILE_HOOK_STRIP", "none").env("CARGO_TARGET_DIR", &folder))?;
    Ok(folder.join(triple).join(HOOK_PROFILE).join(HOOK))
}

/// Builds the hook with its symbols, follows calls through it with valgrind, and writes the order.
///
/// Error: valgrind or the static target is missing.
pub(crate) fn write() -> Result<()> {
    let mut places = Scene::new()?;
    // The cold binary is there to compile the policy: most repositories have one.
    let folder = places.path("bin");
    fs::create_dir_all(&folder)?;
    let hook = folder.join(HOOK);
    fs::copy(hook_with_symbols()?, &hook)?;
    pass(command("cargo").args(["build", "--locked", "--bin", COLD]))?;
    fs::copy(target().join("debug").join(COLD), folder.join(COLD))?;
    let repository = places.repository("repository", Some(0))?;
    let make = |start: &mut Command, (event, tool, input): &(&str, &str, Value), id: usize| -> Result<()> {
        let payload = json!({
            "session_id": "00000000-0000-4000-8000-000000000001", "cwd": repository, "hook_event_name": event, "tool_name": tool, "tool_input": input,
            "tool_use_id": format!("toolu_{id:024}"),
        });
        start.args([event, "claude-code", "50"]).env("HOME", places.home()).env("CLAUDE_PROJECT_DIR", &repository).current_dir(&repository);
        let mut call = start.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().context("a call cannot be made; is valgrind there?")?;
        call.stdin.take().context("no standard input")?.write_all(payload.to_string().as_bytes())?;
        call.wait()?;
        Ok(())
    };
    let calls = calls(&repository);
    // A policy file as young as what was compiled from it is compiled once more.
    for (at, call) in calls.iter().take(COMPILES).enumerate() {
        make(&mut command(&hook.display().to_string()), call, at)?;
        std::thread::sleep(YOUNG);
    }
    let mut functions: HashMap<String, (usize, usize)> = HashMap::new();
    for (at, call) in calls.iter().enumerate() {
        let profile = places.path("profile");
        let mut follow = command("valgrind");
        follow.args(["--tool=callgrind", "--demangle=no", "--compress-strings=no"]).arg(format!("--callgrind-out-file={}", profile.display()));
        make(follow.arg(&hook), call, COMPILES + at)?;
        let mut names: Vec<String> = fs::read_to_string(&profile)?.lines().filter_map(section).collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            let first = functions.len();
            functions.entry(name).or_insert((0, first)).0 += 1;
        }
    }
    ensure!(!functions.is_empty(), "the profiles name no function");
    let mut order: Vec<_> = functions.into_iter().collect();
    order.sort_by_key(|(_, (uses, first))| (std::cmp::Reverse(*uses), *first));
    let mut text =
        "/* Functions of everyday calls, those of the most calls first. Written by `cargo xtask order`. */\nSECTIONS\n{\n  .text.everyday :\n  {\n".to_owned();
    // The C library has names of its own for many functions, and what the hook has of it is short.
    text.push_str("    *libc.a:*(.text .text.*)\n");
    for (name, _) in &order {
        // Those that are marked as rarely called are in a section for these, though some are called often.
        writeln!(text, "    *(.text.{name} .text.unlikely.{name})")?;
    }
    text.push_str("  }\n}\nINSERT BEFORE .text;\n");
    text.push_str(ROOM);
    fs::write(root().join(ORDER), text)?;
    println!("{} functions in {ORDER}", order.len());
    Ok(())
}

/// Calls of an ordinary day: event, tool, input.
fn calls(repository: &Path) -> Vec<(&'static str, &'static str, Value)> {
    let file = repository.join("src/lib.py");
    let text = "def add(a, b):\n    return a + b\n".repeat(20);
    let mut calls = vec![
        ("PreToolUse", "Read", json!({ "file_path": file })),
        ("PreToolUse", "Grep", json!({ "pattern": "fn main", "path": repository })),
        ("PreToolUse", "mcp__github__create_issue", json!({ "owner": "o", "repo": "r", "title": "A title", "body": "A body" })),
        ("PreToolUse", "Edit", json!({ "file_path": file, "old_string": "a + b", "new_string": "b + a" })),
        ("PreToolUse", "Write", json!({ "file_path": file, "content": text })),
        ("PostToolUse", "Write", json!({ "file_path": file, "content": text })),
        ("PostToolUse", "Bash", json!({ "command": "ls" })),
    ];
    calls.extend(COMMANDS.iter().map(|line| ("PreToolUse", "Bash", json!({ "command": line }))));
    calls
}

/// The section of a function in a line of a profile, with `*` in place of the hash at its end.
fn section(line: &str) -> Option<String> {
    let name = line.strip_prefix("fn=")?.split('\'').next()?.trim();
    let plain = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.chars().all(|sign| sign.is_ascii_alphanumeric() || "_$.".contains(sign));
    let hash = name.rfind("17h").filter(|at| name.starts_with("_ZN") && name.len() >= at + 20);
    plain.then(|| hash.map_or_else(|| name.to_owned(), |at| format!("{}*", name.get(..at + 3).unwrap_or(name))))
}
