//! Layouts of hooks with the real git: whether git starts Portcullis, whether `doctor` says just that, and whether `--undo`
//! gives everything back. Hook managers are played by what they leave behind.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::cli_init::PORTCULLIS;
use crate::push::Scratch;
use crate::support::{Said, run};

/// A commit that is refused if the hook runs.
const BAD: &str = "printf '<<<<<<< a\\n=======\\n>>>>>>> b\\n' >bad; git add bad; git commit -qm bad";
/// Husky's files: git starts `_/NAME`, which starts `../NAME` by a shell.
const HUSKY: &str = "mkdir -p DIR/_; printf '#!/usr/bin/env sh\\n. \"$(dirname \"$0\")/h\"' >DIR/_/pre-commit; printf 'n=$(basename \"$0\")\\ns=$(dirname \"$(dirname \"$0\")\")/$n\\n[ ! -f \"$s\" ] && exit 0\\nsh -e \"$s\" \"$@\"\\n' >DIR/_/h; chmod +x DIR/_/pre-commit; for h in commit-msg post-commit post-merge pre-push prepare-commit-msg pre-merge-commit; do cp DIR/_/pre-commit DIR/_/$h; done; git config core.hooksPath DIR/_";
/// The same at the root of the repository.
pub(crate) const HUSKY_AT_ROOT: &str = "mkdir -p .husky/_; printf '#!/usr/bin/env sh\\n. \"$(dirname \"$0\")/h\"' >.husky/_/pre-commit; printf 'n=$(basename \"$0\")\\ns=$(dirname \"$(dirname \"$0\")\")/$n\\n[ ! -f \"$s\" ] && exit 0\\nsh -e \"$s\" \"$@\"\\n' >.husky/_/h; chmod +x .husky/_/pre-commit; for h in commit-msg post-commit post-merge pre-push prepare-commit-msg pre-merge-commit; do cp .husky/_/pre-commit .husky/_/$h; done; git config core.hooksPath .husky/_";

fn person(scratch: &Scratch, folder: &str, arguments: &[&str]) -> Said {
    run(scratch.command(PORTCULLIS, folder).env_remove("CLAUDECODE").args(arguments), b"")
}

fn init(scratch: &Scratch, folder: &str) -> Said {
    // What is added is tried, and both binaries must be of one build.
    crate::support::hook_path();
    person(scratch, folder, &["init", "--git", "--yes", "--no-policy"])
}

#[track_caller]
fn done(said: &Said) {
    assert_eq!(said.code, 0, "{said:?}");
}

/// Whether git starts Portcullis before a commit.
fn runs(scratch: &Scratch, folder: &str) -> bool {
    let said = scratch.shell(folder, BAD);
    let refused = said.code != 0 && said.stderr.contains("denied by `conflict-markers`");
    assert!(refused || said.code == 0, "{}", said.stderr);
    done(&scratch.shell(folder, "git reset -q --soft origin/topic; git rm -qf --cached bad; rm -f bad"));
    refused
}

/// What `doctor` says of git: its states and texts, and the fixes.
fn git_part(scratch: &Scratch, folder: &str) -> String {
    let said = person(scratch, folder, &["doctor", "--json"]);
    let value: serde_json::Value = serde_json::from_str(&said.stdout).unwrap_or_else(|error| panic!("{error}: {said:?}"));
    let text = |finding: &serde_json::Value, key: &str| finding[key].as_str().unwrap().to_owned();
    let findings = value["findings"].as_array().unwrap().iter().filter(|finding| finding["part"] == "git");
    let lines: Vec<String> = findings.map(|finding| format!("{}: {}; {}", text(finding, "state"), text(finding, "text"), text(finding, "fix"))).collect();
    lines.join("\n")
}

/// All files that could be a hook or say where hooks are, with their modes.
fn files(scratch: &Scratch) -> String {
    scratch.shell("work", "find . ../nothere -path ./.git/objects -prune -o -path ./.git/logs -prune -o -path ./.git/refs -prune -o \\( -type f -o -type l \\) -print 2>/dev/null | sort | grep -v 'index\\|HEAD\\|COMMIT_EDITMSG' | while read -r f; do stat -c '%N %a' \"$f\"; cat \"$f\"; done").stdout
}

#[test]
fn git_starts_what_doctor_says_that_it_starts() {
    const TRIED: &str = "and git starts it in each";
    let (root, below) = (HUSKY.replace("DIR", ".husky"), HUSKY.replace("DIR", "packages/app/.husky"));
    let mine = "printf '#!/bin/sh\\nexit 0\\n' >HOOK; chmod +x HOOK";
    let in_githooks = format!("mkdir .githooks; {}; git config core.hooksPath .githooks", mine.replace("HOOK", ".githooks/pre-commit"));
    // what is done before, whether `init` does it, whether the hook runs then, what `doctor` says
    for (before, wires, starts, says) in [
        ("true", true, true, TRIED),
        (&mine.replace("HOOK", ".git/hooks/pre-commit"), true, true, TRIED),
        // What git does not start is not started by Portcullis either.
        ("printf '#!/bin/sh\\ntouch ../started\\n' >.git/hooks/pre-commit", true, true, TRIED),
        (&in_githooks, true, true, TRIED),
        (&format!("{in_githooks}; chmod -x .githooks/pre-commit"), true, true, TRIED),
        ("git config core.hooksPath .githooks", true, true, TRIED),
        (&root, true, true, TRIED),
        (&format!("{root}; printf 'true\\n' >.husky/pre-commit"), true, true, TRIED),
        (&below, true, true, TRIED),
        (&format!("{root}; rm -r .husky/_"), false, false, "husky has not made that folder"),
        ("git config core.hooksPath ''", false, false, "`core.hooksPath` is empty"),
        ("git config core.hooksPath /dev/null", false, false, "is no folder"),
        ("git config core.hooksPath ../nothere", false, false, "does not exist"),
        ("mkdir ../inc; printf '[core]\\nhooksPath = ../inc\\n' >../cfg; git config includeIf.onbranch:topic.path \"$ROOT/cfg\"", true, true, TRIED),
        ("git config extensions.worktreeConfig true; git config --worktree core.hooksPath .own", true, true, TRIED),
        ("mkdir -p d; echo 1 >d/f; git sparse-checkout set --cone d", true, true, TRIED),
        ("git update-index --split-index", false, false, "in no git hook"),
    ] {
        let scratch = Scratch::new();
        done(&scratch.shell("work", before));
        let then = files(&scratch);
        let said = init(&scratch, "work");
        assert_eq!(said.code == 0, wires, "{before}: {said:?}");
        assert!(
            wires || (said.stderr.contains("\nwhy: ") && said.stderr.contains("\nfix: run `") || said.stderr.contains("\nfix: make")),
            "{before}: {said:?}"
        );
        assert_eq!(runs(&scratch, "work"), starts, "{before}");
        let part = git_part(&scratch, "work");
        assert!(part.starts_with("ok: ") && part.contains(says) && part.lines().count() == 1, "{before}: {part}");
        done(&person(&scratch, "work", &["init", "--git", "--undo", "--yes"]));
        assert_eq!(files(&scratch), then, "{before}");
        assert!(!scratch.root.join("started").exists());
    }
}

#[test]
fn what_is_lost_after_it_was_made_is_said_with_its_fix() {
    let husky = HUSKY.replace("DIR", ".husky");
    for (before, after, says) in [
        ("true", "git config core.hooksPath ''", "fail: git starts no hook of Portcullis: `core.hooksPath` is empty"),
        ("true", "rm .git/hooks/*", "fail: Portcullis was added to git's hooks, and is in none of them now; run `portcullis init --git` again"),
        ("true", "rm .git/hooks/pre-push", "warn: Portcullis is missing in the git hooks pre-push; run `portcullis init --git` again"),
        ("true", "chmod -x .git/hooks/pre-push", "is not executable, so git does not start it; run"),
        // Managers: one starts what it moved, the other does not.
        (
            "true",
            "cd .git/hooks; mv pre-commit pre-commit.old; printf '#!/bin/sh\\nlefthook run\\n' >pre-commit; chmod +x pre-commit",
            "fail: pre-commit: the hook manager moved it to `",
        ),
        (
            "true",
            "cd .git/hooks; mv pre-commit pre-commit.legacy; printf '#!/bin/sh\\n\"$0.legacy\" || exit\\n: hook-impl\\n' >pre-commit; chmod +x pre-commit",
            "ok: Portcullis is in 8 git hooks",
        ),
        // What stands before the lines of Portcullis is not started.
        ("true", "sed -i '1a touch ../started' .git/hooks/pre-commit", "warn: pre-commit: the lines of Portcullis are not the first"),
        ("true", "printf '{\"simple-git-hooks\":{}}' >package.json; rm .git/hooks/*", "set `\"preserveUnused\": true`"),
        ("true", "printf '{\"yorkie\":1}' >package.json", "warn: yorkie leaves out its hooks"),
        ("true", "git update-index --split-index", "fail: the hooks would refuse every commit"),
        (&husky, "rm -r .husky/_", "fail: git starts no hook of Portcullis: `core.hooksPath` is `.husky/_`"),
        (&husky, "git config --unset core.hooksPath", "fail: Portcullis was added to git's hooks"),
    ] {
        let scratch = Scratch::new();
        done(&scratch.shell("work", before));
        done(&init(&scratch, "work"));
        done(&scratch.shell("work", after));
        let part = git_part(&scratch, "work");
        assert!(part.contains(says), "{after}: {part}");
        assert!(part.lines().filter(|line| !line.starts_with("ok")).all(|line| !line.ends_with("; ")), "each has its fix: {part}");
        assert!(!scratch.root.join("started").exists());
        // The way back is open in each of these states.
        done(&person(&scratch, "work", &["init", "--git", "--undo", "--yes"]));
        let left = scratch.shell("work", "grep -rl 'portcullis-git' .git/hooks .husky 2>/dev/null; true").stdout;
        assert!(left.is_empty(), "{after}: {left}");
    }
}

#[test]
fn a_clone_and_a_linked_work_tree_are_told_from_the_repository_that_was_made() {
    let scratch = Scratch::new();
    done(&scratch.shell("work", &format!("{}; rm .git/hooks/*; true", HUSKY.replace("DIR", ".husky"))));
    done(&init(&scratch, "work"));
    done(
        &scratch
            .shell("work", "echo _ >.husky/.gitignore; git add .husky; git commit -qnm husky; git worktree add -q --detach ../tree; git clone -q . ../clone"),
    );
    let tree = git_part(&scratch, "tree");
    assert!(tree.starts_with("fail: ") && tree.contains("run `npx husky .husky` in `"), "{tree}");
    let clone = git_part(&scratch, "clone");
    assert!(clone.starts_with("warn: Portcullis is in the committed hooks of `.husky`, and git does not start them in this clone"), "{clone}");
    // Another repository in the place of one that had hooks had none.
    done(&scratch.shell("", "rm -rf work tree; mkdir keep; git init -q work"));
    assert!(git_part(&scratch, "work").starts_with("ok: Portcullis is in no git hook"));
}

#[test]
fn doctor_adds_what_is_missing_if_a_person_asks() {
    let scratch = Scratch::new();
    done(&init(&scratch, "work"));
    done(&scratch.shell("work", "rm .git/hooks/pre-push"));
    let by_agent = run(scratch.command(PORTCULLIS, "work").args(["doctor", "--fix"]), b"");
    assert!(by_agent.code == 1 && by_agent.stderr.contains("a person must run this"), "{by_agent:?}");
    let said = person(&scratch, "work", &["doctor", "--fix"]);
    assert!(said.code == 0 && said.stdout.contains("fixed ") && said.stdout.contains("Portcullis is in 8 git hooks"), "{said:?}");
    // The last line has the fix.
    done(&scratch.shell("work", "git config core.hooksPath ''"));
    let said = person(&scratch, "work", &["doctor"]);
    let last = said.stdout.lines().last().unwrap();
    assert!(said.code == 1 && last.starts_with("NOT PROTECTED: git: ") && last.ends_with("; fix: run `git config --unset core.hooksPath`"), "{last}");
}

/// A `git-lfs` that writes down how it was started.
#[test]
fn programs_that_leave_their_hooks_out_are_started() {
    let scratch = Scratch::new();
    let program = scratch.root.join("bin/git-lfs");
    fs::create_dir(program.parent().unwrap()).unwrap();
    fs::write(&program, "#!/bin/sh\n{ echo \"$0 $*\"; [ \"$1\" != pre-push ] || cat; } >>\"$ROOT/lfs\"\nexit ${LFS_FAILS:-0}\n").unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("export PATH={}:$PATH", program.parent().unwrap().display());
    let seen = || fs::read_to_string(scratch.root.join("lfs")).unwrap_or_default();
    done(&init(&scratch, "work"));
    // Not where nothing says that it is used.
    done(&scratch.shell("work", &format!("{path}; echo 1 >n1; git add n1; git commit -qm n1; git push -q origin HEAD:refs/heads/n1")));
    assert_eq!(seen(), "");
    done(&scratch.shell("work", &format!("{path}; mkdir .git/lfs; echo 1 >n2; git add n2; git commit -qm n2; git push -q origin HEAD:refs/heads/n2")));
    let text = seen();
    assert!(
        text.contains("git-lfs post-commit\n") && text.contains("git-lfs pre-push origin ../remote.git\n") && text.contains(" refs/heads/n2 0000"),
        "{text}"
    );
    // In a linked work tree too. If it fails or is missing, nothing is pushed.
    let push = "git push -q origin HEAD:refs/heads/n3";
    done(&scratch.shell("work", &format!("{path}; git worktree add -q --detach ../tree; rm ../lfs")));
    assert_ne!(scratch.shell("tree", &format!("{path}; LFS_FAILS=2 {push}")).code, 0);
    assert!(seen().contains("pre-push"));
    let missing = scratch.shell("tree", &format!("echo '*.bin filter=lfs' >.gitattributes; PATH=/usr/bin:/bin; ! command -v git-lfs || exit 9; {push}"));
    assert!(missing.code == 9 || missing.code != 0 && missing.stderr.contains("`git-lfs` could not be started"), "{missing:?}");
    // A hook with commands of its own starts what its owner wrote; `doctor` says what is not among it.
    done(&scratch.shell("work", "printf '#!/bin/sh\\nexit 0\\n' >.git/hooks/pre-push; rm -f ../lfs"));
    done(&init(&scratch, "work"));
    done(&scratch.shell("work", &format!("{path}; {push}")));
    assert!(seen().is_empty() && git_part(&scratch, "work").contains("git-lfs is not among them"));
}

#[test]
fn a_hook_that_is_moved_keeps_its_name_and_what_is_beside_it() {
    let scratch = Scratch::new();
    let hook = "printf '#!/bin/sh\\necho \"I am $(basename \"$0\") $# $(cat \"$(dirname \"$0\")/beside\") $(ls \"$0.d\")\" >&2\\n' >.git/hooks/all; chmod +x .git/hooks/all; echo near >.git/hooks/beside; mkdir .git/hooks/pre-commit.d .git/hooks/pre-push.d; touch .git/hooks/pre-commit.d/1 .git/hooks/pre-push.d/2; ln -s all .git/hooks/pre-commit; ln -s all .git/hooks/pre-push";
    done(&scratch.shell("work", hook));
    let hooks = || scratch.shell("work", "ls .git; cd .git/hooks; for f in * */*; do stat -c '%N %a' $f; done").stdout;
    let then = hooks();
    done(&init(&scratch, "work"));
    let commit =
        |name: &str| scratch.shell("work", &format!("echo 1 >{name}; git add {name}; git commit -qm {name}; git push -q origin HEAD:refs/heads/{name}")).stderr;
    let said = commit("n1");
    assert!(said.contains("I am pre-commit 0 near 1\n") && said.contains("I am pre-push 2 near 2\n"), "{said}");
    // Also when a manager moves our hook in its turn.
    done(&scratch.shell(
        "work",
        "cd .git/hooks; mv pre-commit pre-commit.legacy; printf '#!/bin/sh\\n: hook-impl\\nexec \"$0.legacy\"\\n' >pre-commit; chmod +x pre-commit",
    ));
    assert!(commit("n2").contains("I am pre-commit 0 near 1\n"));
    assert!(git_part(&scratch, "work").starts_with("ok: "));
    done(&scratch.shell("work", "cd .git/hooks; mv pre-commit.legacy pre-commit"));
    done(&person(&scratch, "work", &["init", "--git", "--undo", "--yes"]));
    assert_eq!(hooks(), then);
}

#[test]
fn refs_in_tables_leave_a_way_back() {
    let scratch = Scratch::new();
    // Git before 2.48 has none, or cannot store them in another way.
    if scratch.shell("", "git init -q --ref-format=reftable tables").code != 0
        || scratch.shell("work", "git refs migrate --help >/dev/null 2>&1 || git refs migrate --dry-run --ref-format=reftable").code != 0
    {
        return;
    }
    let said = init(&scratch, "tables");
    assert!(said.code != 0 && said.stderr.contains("git refs migrate --ref-format=files"), "{said:?}");
    done(&person(&scratch, "tables", &["init", "--git", "--undo", "--yes"]));
    done(&init(&scratch, "work"));
    done(&scratch.shell("work", "git config core.logAllRefUpdates false; rm -rf .git/logs; git refs migrate --ref-format=reftable"));
    assert!(git_part(&scratch, "work").starts_with("fail: the hooks would refuse every commit"));
    let said = scratch.shell("work", "git commit -q --allow-empty -m x");
    assert!(said.code != 0 && said.stderr.contains("git refs migrate --ref-format=files"), "{said:?}");
    done(&scratch.shell("work", "git refs migrate --ref-format=files; git commit -q --allow-empty -m x"));
}
