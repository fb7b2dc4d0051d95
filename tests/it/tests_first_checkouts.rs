//! Tests first, where other checkouts lie within the repository: linked work trees and nested repositories. Their tests
//! are not this project's, and looking costs no more for them.

use std::fs;
use std::path::Path;

use git2::{Repository, WorktreeAddOptions};

use crate::support::{Scratch, commit_files, json};

const POLICY: &str = "schema = 1\n[tests-first]\ntier = 4\nexempt = [{ path = \"src/old/**\", reason = \"goes away\" }]\n";
const TEST: &str = "def test_total():\n    assert total(1) == 2\n";
const CODE: &str = "def total(net):\n    return net * 2\n";
const DENY: &str = "deny tests-first";
const FREE: &str = "free";

/// A repository with a commit, to which work trees can be linked.
fn committed() -> Scratch {
    let scratch = Scratch::new();
    for (path, text) in [("portcullis.toml", POLICY), ("pyproject.toml", ""), ("src/shop/tax.py", "def tax(net):\n    return net\n")] {
        scratch.write(path, text);
    }
    commit(&scratch.repo(), &["pyproject.toml", "src/shop/tax.py"]);
    scratch
}

fn commit(folder: &Path, paths: &[&str]) {
    commit_files(&Repository::open(folder).unwrap(), paths, "a");
}

fn linked(scratch: &Scratch, name: &str, folder: &str) {
    let path = scratch.repo().join(folder);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    Repository::open(scratch.repo()).unwrap().worktree(name, &path, Some(&WorktreeAddOptions::new())).unwrap();
}

fn writes(scratch: &Scratch, path: &str, text: &str) -> String {
    let input = format!(r#"{{"file_path":{},"content":{}}}"#, json(&scratch.repo().join(path).to_string_lossy()), json(text));
    let said = scratch.judge("PreToolUse", &scratch.payload("Write", &input, "default"));
    said.short()
}

#[test]
fn tests_of_another_checkout_are_not_this_ones() {
    let scratch = committed();
    for (name, folder) in [("one", ".wt/one"), ("two", ".claude/worktrees/two"), ("three", "three")] {
        linked(&scratch, name, folder);
        scratch.write(&format!("{folder}/tests/test_price.py"), TEST);
    }
    for folder in ["lib/other", "tests/other"] {
        Repository::init(scratch.repo().join(folder)).unwrap();
        scratch.write(&format!("{folder}/tests/test_price.py"), TEST);
        scratch.write(&format!("{folder}/test_price.py"), TEST);
    }
    assert_eq!(writes(&scratch, "src/shop/price.py", CODE), DENY);
    // Each is tested by its own, and exempted as the policy says of the repository.
    for folder in [".wt/one", ".claude/worktrees/two", "three", "lib/other"] {
        assert_eq!(writes(&scratch, &format!("{folder}/src/shop/price.py"), CODE), FREE, "{folder}");
        assert_eq!(writes(&scratch, &format!("{folder}/src/shop/rate.py"), "def rate():\n    return 1\n"), DENY, "{folder}");
    }
    assert_eq!(writes(&scratch, ".wt/one/src/old/rate.py", "def rate():\n    return 1\n"), FREE);
    assert_eq!(writes(&scratch, "lib/other/src/old/rate.py", "def rate():\n    return 1\n"), DENY);
    scratch.write("tests/test_price.py", TEST);
    assert_eq!(writes(&scratch, "src/shop/price.py", CODE), FREE);
}

#[test]
fn a_checkout_that_goes_takes_no_tests_of_this_one() {
    let scratch = committed();
    let weakens = |command: &str| scratch.bash(command).stdout.contains("tests-weakened");
    scratch.write("tests/test_tax.py", "def test_tax():\n    assert tax(1) == 1\n");
    commit(&scratch.repo(), &["tests/test_tax.py"]);
    linked(&scratch, "one", ".wt/one");
    Repository::init(scratch.repo().join("lib/other")).unwrap();
    scratch.write("lib/other/test_tax.py", TEST);
    for command in ["rm -rf .wt/one", "rm -r lib/other", "rm -rf .wt lib"] {
        assert!(!weakens(command), "{command}");
    }
    // A repository around files that this one tracks takes nothing out of it.
    assert!(weakens("rm -rf tests"));
    assert!(weakens("mv tests/test_tax.py .wt/one/tests/test_tax_too.py"));
    Repository::init(scratch.repo().join("tests")).unwrap();
    assert!(weakens("rm -rf tests") && weakens("rm tests/test_tax.py"));
}

/// Twenty linked work trees with more files than are looked through.
#[test]
fn looking_costs_nothing_for_other_checkouts() {
    let scratch = committed();
    for at in 0..20 {
        let folder = format!(".wt/w{at}");
        linked(&scratch, &format!("w{at}"), &folder);
        let folder = scratch.repo().join(folder).join("src/many");
        fs::create_dir_all(&folder).unwrap();
        for file in 0..1100 {
            fs::write(folder.join(format!("f{file}.py")), "").unwrap();
        }
    }
    assert_eq!(writes(&scratch, "src/shop/price.py", CODE), DENY);
    // The limit is reached in one's own: whether there is a test is not known then.
    for at in 0..21 {
        let folder = scratch.repo().join(format!("data/d{at}"));
        fs::create_dir_all(&folder).unwrap();
        for file in 0..1000 {
            fs::write(folder.join(format!("f{file}.csv")), "").unwrap();
        }
    }
    assert_eq!(writes(&scratch, "src/shop/price.py", CODE), "ask tests-first");
}
