//! The inner loop: what gives the most certainty within 30 seconds on two cores. Everything is built the way `cargo test`
//! builds it, so that nothing is compiled twice. Clippy runs beside the tests, because each of them leaves a core idle.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result, anyhow, bail};
use serde_json::Value;

use crate::step::{Step, command, output};
use crate::workspace::{Member, members, root};

/// The test binary of the whole gate, and its tests that are run after any change: all cases, how programs' arguments are
/// read, recorded events, and the shape of the source.
const WHOLE: &str = "it";
const ALWAYS: &[&str] = &["cases::", "arguments::", "payloads::", "architecture::"];
/// How the tests are built.
const BUILD: &[&str] = &["test", "--no-run", "--quiet", "--lib", "--test", WHOLE, "--message-format", "json-render-diagnostics"];
/// Tests that take longer than all others of their member together; `cargo test` runs them.
const SLOW: &[&str] = &["work_grows_with_the_text_only"];
/// Folders whose files are compiled into other members than the one they lie in.
const SHARED: &[&str] = &["policies/"];

/// The steps after the changes since `since`, committed or not.
/// Error: `since` names no commit, or the workspace cannot be read.
pub(crate) fn steps(since: &str) -> Result<Vec<Step>> {
    let members = members()?;
    let changed = changed(since)?;
    let near = near(&members, &changed);
    let mut modules: Vec<String> = ALWAYS.iter().map(|module| (*module).to_owned()).collect();
    modules.extend(changed.iter().filter_map(|path| test_module(path)).filter(|module| !ALWAYS.contains(&module.as_str())));
    let tests_changed = changed.iter().any(|path| path.split('/').any(|part| part == "tests"));
    let targets = if tests_changed { "--all-targets" } else { "--lib --bins" };
    let clippy = format!("cargo clippy --quiet --workspace {targets} -- -D warnings");
    let units = near.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    let units = if units.is_empty() { "no member changed".to_owned() } else { format!("tests of {units}") };
    Ok(vec![
        Step::command("cargo fmt --all --check"),
        Step::action(&format!("cargo {}", BUILD.join(" ")), move |state| {
            state.tests = built(&near, &modules)?;
            Ok(())
        }),
        Step::action(&format!("{units}; {WHOLE} {}; beside them {clippy}", ALWAYS.join(" ")), move |state| beside(&clippy, &state.tests)),
    ])
}

/// The module of a file of the whole gate's tests: `docs::` for `tests/it/docs.rs`.
fn test_module(path: &str) -> Option<String> {
    let name = path.strip_prefix("tests/")?.strip_prefix(WHOLE)?.strip_prefix('/')?.strip_suffix(".rs")?;
    (!["main", "support"].contains(&name)).then(|| format!("{}::", name.replace('/', "::")))
}

/// Files that differ from `since`, and files that git does not know yet.
fn changed(since: &str) -> Result<Vec<String>> {
    let differ = output(command("git").args(["diff", "--name-only", since])).context("`--since` wants a commit or a branch")?;
    let unknown = output(command("git").args(["ls-files", "--others", "--exclude-standard"]))?;
    Ok(differ.lines().chain(unknown.lines()).map(str::to_owned).collect())
}

/// The members that changed, and those that are compiled with them.
fn near(members: &[Member], changed: &[String]) -> BTreeSet<String> {
    let mut near = BTreeSet::new();
    for path in changed {
        if SHARED.iter().any(|folder| path.starts_with(folder)) {
            return members.iter().map(|member| member.name.clone()).collect();
        }
        near.extend(member_of(members, path).map(|member| member.name.clone()));
    }
    loop {
        let before = near.len();
        for member in members {
            if member.needs.iter().any(|name| near.contains(name)) {
                near.insert(member.name.clone());
            }
        }
        if near.len() == before {
            return near;
        }
    }
}

/// The member whose sources hold the file: the one with the longest folder.
fn member_of<'a>(members: &'a [Member], path: &str) -> Option<&'a Member> {
    let holds = |member: &&Member| {
        let path = Path::new(path).strip_prefix(&member.folder);
        path.is_ok_and(|path| ["src", "tests", "build.rs", "Cargo.toml"].iter().any(|part| path.starts_with(part)))
    };
    members.iter().filter(holds).max_by_key(|member| member.folder.len())
}

/// A test binary and the tests of it that are run; no names mean all.
pub(crate) struct Test {
    name: String,
    program: PathBuf,
    folder: PathBuf,
    names: Vec<String>,
}

/// Builds the unit tests and the tests of the whole gate, and returns those to run.
/// Error: something does not compile.
fn built(near: &BTreeSet<String>, modules: &[String]) -> Result<Vec<Test>> {
    let members = members()?;
    let mut found = Vec::new();
    for line in output(command("cargo").args(BUILD))?.lines() {
        let Ok(message) = serde_json::from_str::<Value>(line) else { continue };
        let (Some(program), Some(manifest)) = (message["executable"].as_str(), message["manifest_path"].as_str()) else { continue };
        let Some(folder) = Path::new(manifest).parent() else { continue };
        let Some(member) = members.iter().find(|member| root().join(&member.folder) == folder) else { continue };
        let kinds = message["target"]["kind"].as_array().map(Vec::as_slice).unwrap_or_default();
        let whole = member.folder.is_empty() && kinds.iter().any(|kind| kind == "test");
        if whole || (message["profile"]["test"] == true && near.contains(&member.name)) {
            let name = if whole { WHOLE.to_owned() } else { format!("tests of {}", member.name) };
            let names = if whole { modules.to_vec() } else { Vec::new() };
            found.push(Test { name, program: program.into(), folder: folder.to_owned(), names });
        }
    }
    Ok(found)
}

/// Runs a command while the tests run one after the other, and waits for all.
/// Error: the command or a test fails.
fn beside(line: &str, tests: &[Test]) -> Result<()> {
    let timed = |name: &str, run: &mut Command| -> Result<Option<String>> {
        let begun = Instant::now();
        let passed = run.status().with_context(|| name.to_owned())?.success();
        println!("   {name}: {:.1} s", begun.elapsed().as_secs_f64());
        Ok((!passed).then(|| name.to_owned()))
    };
    let failed = std::thread::scope(|scope| -> Result<Vec<String>> {
        let other = scope.spawn(|| {
            let mut words = line.split(' ');
            timed(line, command(words.next().unwrap_or_default()).args(words))
        });
        let mut failed = Vec::new();
        for test in tests {
            let mut run = command(&test.program.display().to_string());
            failed.extend(timed(
                &test.name,
                run.arg("--quiet")
                    .args(&test.names)
                    .args(SLOW.iter().flat_map(|name| ["--skip", name]))
                    .current_dir(&test.folder)
                    .env("CARGO_MANIFEST_DIR", &test.folder),
            )?);
        }
        failed.extend(other.join().map_err(|_| anyhow!("`{line}` could not be waited for"))??);
        Ok(failed)
    })?;
    if failed.is_empty() { Ok(()) } else { bail!("see above: {}", failed.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::{near, test_module};
    use crate::workspace::Member;

    fn member(name: &str, folder: &str, needs: &[&str]) -> Member {
        let needs = needs.iter().map(|name| (*name).to_owned()).collect();
        Member { name: name.to_owned(), folder: folder.to_owned(), binaries: Vec::new(), needs }
    }

    fn near_to(paths: &[&str]) -> Vec<String> {
        let members =
            [member("whole", "", &["gate"]), member("gate", "crates/gate", &["reader"]), member("reader", "crates/reader", &[]), member("tasks", "tasks", &[])];
        near(&members, &paths.iter().map(|path| (*path).to_owned()).collect::<Vec<_>>()).into_iter().collect()
    }

    #[test]
    fn what_is_compiled_with_a_changed_member_is_near() {
        assert_eq!(near_to(&["crates/reader/src/parse/words.rs"]), ["gate", "reader", "whole"]);
        assert_eq!(near_to(&["src/cli.rs"]), ["whole"]);
        assert_eq!(near_to(&["tasks/src/main.rs"]), ["tasks"]);
    }

    #[test]
    fn what_is_compiled_into_any_member_is_near_to_all() {
        assert_eq!(near_to(&["policies/git.toml"]).len(), 4);
    }

    #[test]
    fn documents_are_near_to_nothing() {
        assert_eq!(near_to(&["README.md", "docs/policy.md", "crates/README.md"]), <[&str; 0]>::default());
    }

    #[test]
    fn a_changed_test_is_run() {
        assert_eq!(test_module("tests/it/docs.rs").as_deref(), Some("docs::"));
        assert_eq!(test_module("tests/it/support.rs"), None);
        assert_eq!(test_module("tests/cases/push.toml"), None);
        assert_eq!(test_module("tests/trial/jail.rs"), None);
    }
}
