//! Git's hooks, started by the real git: what is committed, how refs move, and how the hooks are put beside others.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use actions::change::message::{Cleanup, cleaned};
use portcullis::git::block::HOOKS;

use crate::cli_init::PORTCULLIS;
use crate::push::{MEANWHILE, Scratch};
use crate::support::{rules, run};

/// Rules that a case can meet without knowing the built-in ones. Committed, as a team would have it.
pub(crate) const POLICY: &str = r#"schema = 1
[[rule]]
name = "forbidden-word"
tier = 4
write = { path = "**", adds = "FORBIDDEN" }
reason = "r"
instead = "i"
catches = [{ write = { path = "a", text = "FORBIDDEN" } }]
spares = [{ write = { path = "a", text = "x" } }]
[[rule]]
name = "guarded-path"
tier = 3
write = { path = "guarded/**" }
reason = "r"
instead = "i"
catches = [{ write = { path = "guarded/a", text = "" } }]
spares = [{ write = { path = "a", text = "" } }]
[[rule]]
name = "unfinished-commit"
tier = 4
commit = { message = '(?im)^\W*wip\b' }
reason = "r"
instead = "i"
catches = [{ commit = { message = "WIP: x" } }]
spares = [{ commit = { message = "wiping" } }, { commit = { touches = "a" } }]
[[rule]]
name = "licence-removal"
tier = 3
commit = { deletes = "LICENSE" }
reason = "r"
instead = "i"
catches = [{ commit = { deletes = "LICENSE" } }]
spares = [{ commit = { deletes = "a" } }]
"#;

/// What the table's scratch folder has beside that of the pushes: the policy, and a file that might not be written anew.
const BEGIN: &str = "printf '%s' \"$POLICY\" >portcullis.toml; printf 'FORBIDDEN\\n1\\n2\\n3\\n' >old; echo x >LICENSE; git add .; git commit -qm policy; git push -q; git switch -q main; git merge -q --ff-only topic; git push -q origin main";

fn scratch() -> Scratch {
    let scratch = Scratch::new();
    let said = run(scratch.command("sh", "work").env("POLICY", POLICY).args(["-ec", BEGIN]), b"");
    assert_eq!(said.code, 0, "{}", said.stderr);
    scratch
}

/// `goes on`, `refused RULES`, `noted RULES`, `unjudged`, or what git said.
fn done(scratch: &Scratch, before: &str, line: &str) -> String {
    let prepared = scratch.shell("work", before);
    assert_eq!(prepared.code, 0, "{before}: {}", prepared.stderr);
    for hook in HOOKS {
        scratch.put_hook(hook, &format!("exec DOOR {hook} \"$@\""));
    }
    let said = scratch.shell("work", line);
    let mut rules = rules(&said.stderr, "denied by `");
    rules.dedup();
    match (said.code, rules.as_slice()) {
        (0, []) if said.stderr.contains("denies this commit, so its hooks were skipped") => "noted".to_owned(),
        (0, []) => "goes on".to_owned(),
        (_, []) if said.stderr.contains("could not judge") && said.stderr.contains("the policy has mistakes") => "unjudged".to_owned(),
        (code, []) => format!("git says {code}: {}", said.stderr),
        (0, _) => format!("went on, though {}", said.stderr),
        (_, rules) => format!("refused {}", rules.join(" ")),
    }
}

#[track_caller]
fn check(cases: &[(&str, &str, &str)]) {
    let mut wrong = Vec::new();
    for (before, line, expected) in cases {
        let got = done(&scratch(), before, line);
        if got != *expected {
            wrong.push(format!("`{before}`, `{line}`: expected {expected}, got {got}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

const BAD: &str = "echo FORBIDDEN >bad";
const WORD: &str = "refused forbidden-word";

#[test]
fn what_is_staged_is_judged_and_nothing_else() {
    check(&[
        ("echo 1 >new; git add new", "git commit -qm x", "goes on"),
        (BAD, "git add bad; git commit -qm x", WORD),
        ("echo FORBIDDEN >>a", "git commit -qam x", WORD),
        // The index is judged, not the work tree.
        (&format!("{BAD}; git add bad; echo fine >bad"), "git commit -qm x", WORD),
        (&format!("echo 1 >new; git add new; {BAD}; echo FORBIDDEN >>a"), "git commit -qm x", "goes on"),
        // Only some files are committed, from an index of their own.
        (&format!("{BAD}; git add bad; echo 1 >>a"), "git commit -qm x a", "goes on"),
        (&format!("{BAD}; git add bad; echo 1 >>a"), "git commit -qm x bad", WORD),
        (&format!("{BAD}; git add -N bad; echo 1 >>a"), "git commit -qam x", WORD),
        // What was there is not judged anew.
        ("echo 4 >>old", "git commit -qam x", "goes on"),
        ("git mv old new", "git commit -qam x", "goes on"),
        ("git mv old new; echo 4 >>new", "git commit -qam x", "goes on"),
        ("sed -i /FORBIDDEN/d old", "git commit -qam x", "goes on"),
        ("chmod +x old", "git commit -qam x", "goes on"),
        ("git rm -q old", "git commit -qam x", "goes on"),
        // Nothing hides a text from the judgement.
        ("echo '* -diff -text' >.gitattributes; echo FORBIDDEN >bad", "git add .; git commit -qm x", WORD),
        ("echo '* filter=f' >.git/info/attributes; git config filter.f.smudge 'touch ../ran; cat'; echo FORBIDDEN >bad", "git add .; git commit -qm x", WORD),
        ("ln -s FORBIDDEN link", "git add link; git commit -qm x", WORD),
        ("printf 'a\\0FORBIDDEN' >binary", "git add .; git commit -qm x", "goes on"),
        ("mkdir guarded; echo 1 >guarded/a", "git add .; git commit -qm x", "refused guarded-path"),
        ("head -c 10000001 /dev/zero >large", "git add large; git commit -qm x", "refused large-file"),
        ("git rm -q LICENSE", "git commit -qm x", "refused licence-removal"),
        ("git mv LICENSE COPYING", "git commit -qm x", "refused licence-removal"),
    ]);
}

#[test]
fn wherever_and_however_a_commit_is_made() {
    let side = "git switch -qc side; echo FORBIDDEN >bad; git add bad; git commit -qm bad; git switch -q main";
    let clash = "git switch -qc side; echo side >a; git commit -qam side; git switch -q main; echo main >a; git commit -qam main; git merge -q side || true";
    check(&[
        ("git switch -q --orphan empty; echo 1 >a; git add a", "git commit -qm x", "goes on"),
        (&format!("git checkout -q --orphan empty; git rm -q --cached old portcullis.toml; {BAD}; git add bad"), "git commit -qm x", WORD),
        (
            "rm -rf ../new; git init -q ../new",
            "cd ../new; mkdir -p .git/hooks; cp \"$OLDPWD\"/.git/hooks/* .git/hooks; echo 1 >a; git add a; git commit -qm 1",
            "goes on",
        ),
        (&format!("git checkout -q --detach; {BAD}; git add bad"), "git commit -qm x", WORD),
        ("git worktree add -q ../side", "cd ../side; echo 1 >a; git commit -qam x", "goes on"),
        ("git worktree add -q ../side", "cd ../side; echo FORBIDDEN >bad; git add bad; git commit -qm x", WORD),
        (BAD, "git add bad; cd ..; git --git-dir=work/.git --work-tree=work commit -qm x", WORD),
        (BAD, "git add bad; mkdir d; cd d; git commit -qm x", WORD),
        // A submodule is another repository; here only its commit changes.
        ("git -c protocol.file.allow=always submodule add -q ../remote.git sub", "git commit -qm sub", "goes on"),
        (
            "git -c protocol.file.allow=always submodule add -q ../remote.git sub; git commit -qm sub",
            "cp .git/hooks/* .git/modules/sub/hooks; cd sub; echo FORBIDDEN >bad; git add bad; git commit -qm x",
            WORD,
        ),
        // Amended: what the commit had before was judged then.
        (&format!("{BAD}; git add bad; git commit -qm bad"), "git commit -q --amend -m anew", "noted"),
        (BAD, "git add bad; git commit -q --amend --no-edit", WORD),
        // A merge brings what others committed; only its own lines are its own.
        (&format!("{side}; echo 1 >>a; git commit -qam more"), "git merge -q --no-edit side", "goes on"),
        (side, "git merge -q --no-ff --no-edit side", "goes on"),
        (side, "git merge -q side", "goes on"),
        (&format!("{clash}; echo both >a; git add a"), "git commit -q --no-edit", "goes on"),
        (&format!("{clash}; echo FORBIDDEN >a; git add a"), "git commit -q --no-edit", WORD),
        (&format!("{clash}; echo both >a; {BAD}; git add ."), "git commit -q --no-edit", WORD),
        (&format!("{side}; echo 1 >>a; git commit -qam more"), "git cherry-pick side; true", "noted"),
        (&format!("{side}; echo 1 >>a; git commit -qam more"), "git switch -q side; git rebase -q main", "noted"),
        (
            "echo 1 >>a; git commit -qam one; echo 2 >>a; git commit -qam two",
            "GIT_SEQUENCE_EDITOR='sed -i 2s/pick/squash/' GIT_EDITOR=true git rebase -q -i HEAD~2",
            "goes on",
        ),
        ("echo 1 >>a; git commit -qam one", "git revert --no-edit HEAD", "goes on"),
        // Skipped, it is reported all the same.
        (BAD, "git add bad; git commit -q --no-verify -m x", "noted"),
    ]);
}

#[test]
fn messages_are_judged_as_they_are_committed() {
    let edit = |text: &str| format!("GIT_EDITOR='sh -c \"printf \\\"{text}\\\" >\\$1\" --'");
    check(&[
        ("true", "git commit -q --allow-empty -m 'wip: x'", "refused unfinished-commit"),
        ("true", "git commit -q --allow-empty -m 'wiping'", "goes on"),
        ("echo 'wip x' >m", "git commit -q --allow-empty -F m", "refused unfinished-commit"),
        // A comment is one only where an editor was open.
        ("true", &format!("{} git commit -q --allow-empty", edit("ok\\\\n# wip\\\\n")), "goes on"),
        ("true", &format!("{} git commit -q --allow-empty", edit("wip\\\\n")), "refused unfinished-commit"),
        ("true", "git commit -q --allow-empty -m '# wip'", "refused unfinished-commit"),
        ("git config core.commentChar ';'", &format!("{} git commit -q --allow-empty", edit("ok\\\\n; wip\\\\n")), "goes on"),
        ("git config core.commentChar ';'", &format!("{} git commit -q --allow-empty", edit("ok\\\\n# wip\\\\n")), "refused unfinished-commit"),
        ("echo wip >new; git add new", "GIT_EDITOR='sed -i 1s/^/ok/' git commit -qv", "goes on"),
        ("git commit -q --allow-empty -m 'wip x'", "git commit -q --amend --allow-empty --no-edit", "refused unfinished-commit"),
    ]);
}

#[test]
fn comments_and_scissors_go_as_git_takes_them() {
    let scissors = "a\n\n# ------------------------ >8 ------------------------\ndiff\n";
    for (text, cleanup, comment, expected) in [
        ("\n\na  \n\n\nb\n# c\n", Cleanup::Strip, "#", "a\n\nb"),
        ("a\n# c\n", Cleanup::Whitespace, "#", "a\n# c"),
        ("a\n;; c\n# d\n", Cleanup::Strip, ";;", "a\n# d"),
        (scissors, Cleanup::Strip, "#", "a"),
        (scissors, Cleanup::Scissors, "#", "a"),
        (scissors, Cleanup::Whitespace, "#", scissors.trim_end()),
        (scissors, Cleanup::Verbatim, "#", scissors),
        ("", Cleanup::Strip, "#", ""),
    ] {
        assert_eq!(cleaned(text, cleanup, comment), expected, "{text:?} {cleanup:?}");
    }
}

#[test]
fn a_change_of_the_policy_does_not_decide_over_itself() {
    check(&[
        ("echo 'protected = [\"next\"]' >x; cat x portcullis.toml >y; mv y portcullis.toml; rm x", "git commit -qam x", "goes on"),
        ("sed -i 's/path = \"guarded.*\"/path = \"other\"/' portcullis.toml", "git commit -qam x", "refused policy-weakened"),
        ("sed -i '1s/$/\\nmode = \"shadow\"/' portcullis.toml", "git commit -qam x", "refused policy-weakened"),
        (
            "sed -i '1s/$/\\nmode = \"shadow\"/' portcullis.toml; echo FORBIDDEN >bad; git add bad",
            "git commit -qam x",
            "refused forbidden-word policy-weakened",
        ),
        // Not committed, it does not loosen what is.
        ("sed -i s/FORBIDDEN/OTHER/ portcullis.toml; echo FORBIDDEN >bad; git add bad", "git commit -qm x", WORD),
        ("git rm -q portcullis.toml", "git commit -qm x", "refused policy-deletion"),
        ("echo nonsense >>portcullis.toml; git add .", "git commit -qm x", "unjudged"),
    ]);
}

#[test]
fn protected_branches_keep_their_commits() {
    const MOVED: &str = "refused protected-branch-moved";
    const GONE: &str = "refused protected-branch-deletion";
    let local = "echo 1 >>a; git commit -qam local";
    check(&[
        (local, "git commit -q --amend -m anew", "goes on"),
        (local, "git commit -q --allow-empty -m more", "goes on"),
        (local, "git reset -q --hard HEAD~1", MOVED),
        (local, "git reset -q --soft origin/main", MOVED),
        (local, "git update-ref refs/heads/main HEAD~1", MOVED),
        (local, "git switch -qC main HEAD~1", MOVED),
        (local, "git switch -qc side HEAD~1; git branch -f main side", MOVED),
        (local, "git switch -qc side HEAD~1; git fetch -q . +side:main", MOVED),
        (local, "git checkout -q --detach; git push -q . +HEAD~1:main", "refused force-push"),
        (local, "git switch -q topic; git branch -D main", GONE),
        (local, "git switch -q topic; git update-ref -d refs/heads/main", GONE),
        ("git pack-refs --all; git switch -q topic", "git branch -D main", GONE),
        (local, "rm .git/hooks/pre-push; git checkout -q --detach; git push -q . +HEAD~1:main", MOVED),
        // Its commits have another name.
        (&format!("{local}; git branch keep"), "git reset -q --hard HEAD~1", "goes on"),
        ("true", "git reset -q --hard HEAD~1; git merge -q --ff-only origin/main", "goes on"),
        // Everyday work, on this branch and on others.
        (MEANWHILE, "git pull -q --ff-only origin topic; git fetch -q --prune; git gc -q; git pack-refs --all --prune", "goes on"),
        (&format!("git push -q origin main:topic; {MEANWHILE}; {local}"), "git pull -q --rebase origin topic", "goes on"),
        (&format!("git switch -qc side; {local}; git switch -q main; echo 2 >b; git add b; git commit -qm b"), "git rebase -q side", "goes on"),
        (&format!("git switch -qc side HEAD~1; {local}"), "git rebase -q main; git reset -q --hard HEAD~1; git switch -q main; git branch -qD side", "goes on"),
        (
            "echo 1 >>a",
            "git stash -q; git stash pop -q; git tag x; git tag -d x; git worktree add -q ../w; git worktree remove ../w; git branch -m topic t",
            "goes on",
        ),
        ("git switch -q topic", "git branch -M main-renamed; git switch -q main; git branch -m trunk; git branch -m main", "goes on"),
        (&format!("{local}; {local}"), "GIT_SEQUENCE_EDITOR='sed -i 1d' git rebase -q -i HEAD~2 || git rebase --abort", "goes on"),
        ("git bisect start", "git bisect bad; git bisect good HEAD~2; git bisect reset", "goes on"),
    ]);
}

#[test]
fn what_is_pushed_holds_nothing_prohibited() {
    let hidden = "git switch -qc side; echo FORBIDDEN >bad; git add bad; git commit -qm bad; git rm -q bad; git commit -qm gone";
    check(&[
        ("git switch -qc side; echo 1 >>a; git commit -qam x", "git push -q origin side", "goes on"),
        (hidden, "git push -q origin side", WORD),
        (&format!("{hidden}; git tag -a t -m t"), "git push -q origin t", WORD),
        (&format!("{hidden}; git push -q origin side; echo 1 >>a; git commit -qam x"), "git push -q origin side", "goes on"),
        // What a person may approve was asked when it was committed.
        ("git switch -qc side; mkdir guarded; echo 1 >guarded/a; git add .; git commit -qm x", "git push -q origin side", "goes on"),
    ]);
}

/// Puts the gate beside `before`, shows that both are asked, and takes it out again.
#[test]
fn hooks_that_were_there_keep_running_and_come_back_as_they_were() {
    let shell = "printf '#!/bin/sh\\necho was-here $# >&2; cat >&2\\nexit ${FAILS:-0}\\n' >HOOK; chmod +x HOOK";
    let python = "printf '#!/usr/bin/env python3\\nimport os, sys\\nsys.stderr.write(\"was-here %%d %%s\" %% (len(sys.argv) - 1, sys.stdin.read() if sys.argv[1:] else \"\"))\\nsys.exit(int(os.environ.get(\"FAILS\", 0)))\\n' >HOOK; chmod +x HOOK";
    let in_git = |text: &str, hook: &str| text.replace("HOOK", &format!(".git/hooks/{hook}"));
    for (before, runs) in [
        ("true".to_owned(), false),
        (in_git(shell, "pre-push"), true),
        (in_git(python, "pre-push"), true),
        (in_git(shell, "pre-push").replace("chmod +x", "chmod -x"), false),
        (format!("{}; mv .git/hooks/pre-push ../mine; ln -s ../../../mine .git/hooks/pre-push", in_git(shell, "pre-push")), true),
        (format!("mkdir .githooks; git config core.hooksPath .githooks; {}", shell.replace("HOOK", ".githooks/pre-push")), true),
        (format!("mkdir .githooks; git config core.hooksPath .githooks; {}", python.replace("HOOK", ".githooks/pre-push")), true),
        // Husky's folder: what it writes starts the files of the person.
        (
            format!(
                "mkdir -p .husky/_; git config core.hooksPath .husky/_; printf '#!/bin/sh\\nn=$(basename \"$0\")\\ns=$(dirname \"$(dirname \"$0\")\")/$n\\n[ ! -f \"$s\" ] && exit 0\\nsh -e \"$s\" \"$@\"\\n' >.husky/_/pre-push; chmod +x .husky/_/pre-push; for h in pre-commit pre-merge-commit prepare-commit-msg commit-msg post-commit; do cp .husky/_/pre-push .husky/_/$h; done; {}; sed -i 1d .husky/pre-push",
                shell.replace("HOOK", ".husky/pre-push")
            ),
            true,
        ),
    ] {
        let scratch = scratch();
        let said = scratch.shell("work", &before);
        assert_eq!(said.code, 0, "{before}: {}", said.stderr);
        let hooks = || {
            scratch.shell("work", "for d in .git/hooks .githooks .husky; do [ ! -d $d ] || (cd $d; find . ! -type d | sort | while read f; do stat -c '%N %a' $f; cat $f; done); done").stdout
        };
        let then = hooks();
        let init =
            |more: &[&str]| run(scratch.command(PORTCULLIS, "work").env_remove("CLAUDECODE").args(["init", "--git", "--yes", "--no-policy"]).args(more), b"");
        let shown = init(&["--dry-run"]);
        assert!(shown.code == 0 && shown.stdout.contains("reference-transaction") && hooks() == then, "{shown:?}");
        let said = init(&[]);
        assert_eq!(said.code, 0, "{before}: {said:?}");
        let wired = hooks();
        assert!(wired != then && init(&[]).stdout.contains("in the settings already") && hooks() == wired, "{before}");

        let binaries = Path::new(PORTCULLIS).parent().unwrap().display();
        let path = format!("export PATH={binaries}:$PATH");
        let pushed = scratch.shell("work", &format!("{path}; git push origin main:refs/heads/b1"));
        let was = pushed.stderr.contains("was-here 2") && pushed.stderr.contains(" refs/heads/b1 0000");
        assert_eq!((pushed.code, was), (0, runs), "{before}: {}", pushed.stderr);
        // Each of the two can refuse.
        let failed = scratch.shell("work", &format!("{path}; FAILS=3 git push origin main:refs/heads/b2")).code;
        assert_eq!(failed != 0, runs, "{before}");
        let bad = scratch.shell("work", &format!("{path}; git switch -q main; {BAD}; git add bad; git commit -qm x"));
        assert!(bad.code != 0 && bad.stderr.contains("denied by `forbidden-word`"), "{before}: {}", bad.stderr);
        let forced = scratch.shell("work", &format!("{path}; git push -f origin main~1:topic"));
        assert!(forced.code != 0 && forced.stderr.contains("denied by `force-push`"), "{before}: {}", forced.stderr);
        let doctor = run(scratch.command(PORTCULLIS, "work").arg("doctor"), b"").stdout;
        assert!(doctor.contains(&format!("Portcullis is in {} git hooks", HOOKS.len())), "{before}: {doctor}");

        let said = init(&["--undo"]);
        assert_eq!((said.code, hooks()), (0, then), "{before}: {said:?}");
    }
}

#[test]
fn hooks_of_all_repositories_are_left_alone() {
    let scratch = scratch();
    let said = run(scratch.command(PORTCULLIS, "work").env_remove("CLAUDECODE").env("GIT_CONFIG_GLOBAL", "").args(["init", "--git", "--yes"]), b"");
    assert_eq!(said.code, 0, "{said:?}");
    fs::write(scratch.root.join("home/.gitconfig"), "[core]\n\thooksPath = ~/hooks\n").unwrap();
    let said = run(scratch.command(PORTCULLIS, "work").env_remove("CLAUDECODE").env_remove("GIT_CONFIG_GLOBAL").args(["init", "--git", "--yes"]), b"");
    assert!(said.code == 1 && said.stderr.contains("run in all your repositories"), "{said:?}");
}

#[test]
fn a_hook_without_the_gate_holds() {
    let scratch = scratch();
    let gate = scratch.root.join("gate");
    fs::create_dir(&gate).unwrap();
    scratch.put_hook("pre-commit", &format!("'{}/portcullis-git' pre-commit \"$@\" || exit $?", gate.display()));
    assert_ne!(scratch.shell("work", "git commit -q --allow-empty -m x").code, 0);
    fs::write(gate.join("portcullis-git"), "#!/bin/sh\nexit 0\n").unwrap();
    fs::set_permissions(gate.join("portcullis-git"), fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(scratch.shell("work", "git commit -q --allow-empty -m x").code, 0);
}
