//! Git takes policies and settings away without naming them.

use std::fs;
use std::path::Path;

use clients::claude_code::WIRED;
use portcullis::cli::settings::{Wiring, install};

use crate::support::{Scratch, hook_path};

const RULE: &str = "schema = 1\n[[rule]]\nname = \"no-deploy\"\ntier = 4\nrun = { program = \"deploy\" }\nreason = \"r\"\ninstead = \"i\"\ncatches = [\"deploy\"]\nspares = [\"ls\"]\n";
const MORE: &str =
    "[[rule]]\nname = \"no-release\"\ntier = 4\nrun = { program = \"release\" }\nreason = \"r\"\ninstead = \"i\"\ncatches = [\"release\"]\nspares = [\"ls\"]\n";

/// Commits the files of the work tree that are named, and moves this branch there.
fn commit(scratch: &Scratch, branch: &str, files: &[(&str, &str)]) {
    let repository = git2::Repository::open(scratch.repo()).unwrap();
    let mut index = repository.index().unwrap();
    index.clear().unwrap();
    for (path, text) in files {
        scratch.write(path, text);
        index.add_path(Path::new(path)).unwrap();
    }
    index.write().unwrap();
    let tree = repository.find_tree(index.write_tree().unwrap()).unwrap();
    let who = git2::Signature::new("A", "a@example.com", &git2::Time::new(0, 0)).unwrap();
    let name = format!("refs/heads/{branch}");
    let parent = repository.head().ok().and_then(|head| head.peel_to_commit().ok());
    let id = repository.commit(None, &who, &who, "x", &tree, &parent.iter().collect::<Vec<_>>()).unwrap();
    repository.reference(&name, id, true, "x").unwrap();
}

/// The branch `main` with a policy; `old` before it was there, `more` with another rule, `docs` with the same policy.
fn scratch() -> Scratch {
    let scratch = Scratch::new();
    commit(&scratch, "old", &[("a.txt", "a\n")]);
    commit(&scratch, "docs", &[("a.txt", "b\n"), ("portcullis.toml", RULE)]);
    commit(&scratch, "more", &[("a.txt", "a\n"), ("portcullis.toml", &format!("{RULE}{MORE}"))]);
    // `main` comes from `old`.
    let repository = git2::Repository::open(scratch.repo()).unwrap();
    let old = repository.revparse_single("old").unwrap().id();
    repository.reference("refs/heads/main", old, true, "x").unwrap();
    commit(&scratch, "main", &[("a.txt", "a\n"), ("portcullis.toml", RULE)]);
    fs::create_dir_all(scratch.repo().join("sub")).unwrap();
    scratch
}

#[test]
fn a_commit_without_the_policy_is_not_checked_out_unasked() {
    let scratch = scratch();
    let gone = [
        "git switch old",
        "git switch -q --detach HEAD~1",
        "git switch -c new old",
        "git switch --orphan new",
        "git checkout old",
        "git checkout HEAD^",
        "git checkout -b new old",
        "git checkout -f old",
        "cd sub && git checkout -q old",
        "git reset --hard old",
        "git reset --hard HEAD~1",
        "git reset --keep old",
        "git restore --source old .",
        "git restore -s HEAD~1 :/",
        "git restore --source=HEAD~1 --staged --worktree .",
        "git revert HEAD",
        "git revert --no-edit main",
        "git read-tree -u --reset old",
    ];
    for command in gone {
        let said = scratch.bash(command).short();
        assert!(said.contains("policy-deletion"), "{command}: {said}");
    }
    let free = [
        "git switch docs",
        "git switch more",
        "git switch -c new",
        "git switch -",
        "git checkout -b new",
        "git checkout docs",
        "git checkout main -- a.txt",
        // What is not in the older commit stays.
        "git checkout HEAD~1 -- .",
        "git checkout old -- a.txt",
        "git checkout old a.txt",
        "git checkout more -- .",
        "git restore --source old a.txt",
        "git restore --source=more .",
        "git restore --staged .",
        "git restore --source old --staged .",
        "cd sub && git restore --source old .",
        "git checkout nowhere",
        "git switch \"$BRANCH\"",
        "git reset old",
        "git reset --soft HEAD~1",
        "git cherry-pick more",
        "git status",
    ];
    for command in free {
        let said = scratch.bash(command).short();
        assert!(!said.contains("policy-"), "{command}: {said}");
    }
}

#[test]
fn a_weaker_policy_is_not_checked_out_unasked() {
    let scratch = scratch();
    commit(&scratch, "main", &[("a.txt", "a\n"), ("portcullis.toml", &format!("{RULE}{MORE}"))]);
    for command in [
        "git switch docs",
        "git checkout docs -- .",
        "git checkout docs portcullis.toml",
        "git restore --source docs .",
        "git reset --hard docs",
        "git stash -u; git checkout HEAD~1",
    ] {
        let said = scratch.bash(command).short();
        assert!(said.contains("policy-weakened") || said.contains("policy-deletion"), "{command}: {said}");
    }
    for command in ["git switch more", "git checkout -- .", "git reset --hard", "git checkout main"] {
        let said = scratch.bash(command).short();
        assert!(!said.contains("policy-"), "{command}: {said}");
    }
    // A rule that is in no commit yet.
    scratch.write("portcullis.toml", &format!("{RULE}{MORE}{}", MORE.replace("release", "publish")));
    for command in ["git stash", "git checkout -- .", "git checkout .", "git restore .", "git reset --hard"] {
        let said = scratch.bash(command).short();
        assert!(said.contains("policy-weakened"), "{command}: {said}");
    }
    for command in ["git stash list", "git stash push a.txt", "git checkout -- a.txt", "git switch main"] {
        let said = scratch.bash(command).short();
        assert!(!said.contains("policy-"), "{command}: {said}");
    }
}

#[test]
fn untracked_policies_and_settings_are_not_swept_away() {
    let scratch = scratch();
    commit(&scratch, "main", &[("a.txt", "a\n"), (".gitignore", ".claude/\n.portcullis/\n")]);
    let wiring = Wiring { command: hook_path().to_owned(), events: WIRED, timeout_seconds: 10 };
    scratch.write(".claude/settings.local.json", &install(None, &wiring).unwrap());
    scratch.write(".portcullis/local.toml", "schema = 1\n");
    scratch.write("portcullis.toml", RULE);
    let taken = [
        ("git stash -u", "policy-deletion"),
        ("git stash push --include-untracked", "policy-deletion"),
        ("git stash --all", "gate-settings-deletion"),
        ("git stash -a -m x", "gate-settings-deletion"),
        ("git clean -xdf", "gate-settings-deletion"),
        ("git clean -dfX", "gate-settings-deletion"),
        ("git clean -fdx .claude", "gate-settings-deletion"),
        ("git clean -fd", "policy-deletion"),
        ("git clean -f", "policy-deletion"),
        ("git clean -fdx -e .claude", "policy-deletion"),
    ];
    for (command, rule) in taken {
        let said = scratch.bash(command).short();
        assert!(said.contains(rule), "{command}: {said}");
    }
    let kept = [
        "git clean -ndx",
        "git clean -fdx sub",
        "git clean -fdx -e .claude -e portcullis.toml -e .portcullis",
        "git clean -fX",
        "git stash",
        "git stash push -u sub",
        "git stash pop",
        "cd sub && git clean -fdx",
    ];
    for command in kept {
        let said = scratch.bash(command).short();
        assert!(!said.contains("policy-deletion") && !said.contains("gate-"), "{command}: {said}");
    }
}

#[test]
fn a_merge_that_takes_the_policy_away_is_asked_about() {
    let scratch = scratch();
    let git = |arguments: &[&str]| {
        let repository = git2::Repository::open(scratch.repo()).unwrap();
        let commit = |name: &str| repository.revparse_single(name).unwrap().peel_to_commit().unwrap();
        let who = git2::Signature::new("A", "a@example.com", &git2::Time::new(0, 0)).unwrap();
        // A branch from `main` with the tree of another commit.
        let [branch, tree] = arguments else { panic!("two names") };
        let (main, tree) = (commit("main"), commit(tree).tree().unwrap());
        let id = repository.commit(None, &who, &who, "x", &tree, &[&main]).unwrap();
        repository.reference(&format!("refs/heads/{branch}"), id, true, "x").unwrap();
        repository.reference(&format!("refs/remotes/origin/{branch}"), id, true, "x").unwrap();
    };
    git(&["without", "old"]);
    git(&["with", "more"]);
    for command in [
        "git merge without",
        "git merge --no-ff -m x without",
        "git rebase without",
        "git pull origin without",
        "git pull . without",
        "git merge --squash origin/without",
    ] {
        let said = scratch.bash(command).short();
        assert!(said.contains("policy-deletion"), "{command}: {said}");
    }
    for command in [
        "git merge with",
        "git merge docs",
        "git rebase with",
        "git pull origin with",
        "git merge --abort",
        "git merge -s ours without",
        "git pull",
        "git merge old",
        "git rebase --continue",
    ] {
        let said = scratch.bash(command).short();
        assert!(!said.contains("policy-"), "{command}: {said}");
    }
    // A stash whose work took the policy out.
    git(&["stashed", "old"]);
    let repository = git2::Repository::open(scratch.repo()).unwrap();
    let id = repository.revparse_single("stashed").unwrap().id();
    repository.reference("refs/stash", id, true, "x").unwrap();
    fs::create_dir_all(repository.path().join("logs/refs")).unwrap();
    fs::write(repository.path().join("logs/refs/stash"), format!("{} {id} A <a@example.com> 0 +0000\tx\n", "0".repeat(40))).unwrap();
    for command in ["git stash pop", "git stash apply", "git stash pop stash@{0}", "git stash apply 0"] {
        let said = scratch.bash(command).short();
        assert!(said.contains("policy-deletion"), "{command}: {said}");
    }
}
