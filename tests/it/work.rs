//! Which work a call could lose, in repositories that real git made.

use std::path::Path;

use gate::world::repository::{Discovery, discover};
use policy::facts::{Loss, WorkAtRisk};
use portcullis::deep::work;

use crate::push::Scratch;

/// What is at risk in the folder `work`: of all files, or of those that patterns in it name.
fn lost(scratch: &Scratch, patterns: &[&str], loss: Loss, sources: &[&str]) -> Result<Vec<String>, String> {
    let folder = scratch.root.join("work");
    let Discovery::Found(repository) = discover(&folder) else { panic!("there is no repository") };
    let below =
        |names: &[&str]| names.iter().map(|name| if name.starts_with('/') { (*name).to_owned() } else { format!("{}/{name}", folder.display()) }).collect();
    let risk = WorkAtRisk { folder: folder.display().to_string(), paths: below(patterns), loss, sources: below(sources) };
    work::at_risk(&repository, &risk, &[])
}

#[test]
fn uncommitted_changes_are_found_without_git() {
    for (before, tracked, all) in [
        ("true", false, false),
        ("touch a", false, false),
        ("echo x >a", true, true),
        ("echo x >a; git add a", true, true),
        // What was deleted is in the commit.
        ("rm a", false, false),
        ("git rm -q a", false, false),
        ("echo x >new", false, true),
        ("mkdir d; echo x >d/new", false, true),
        ("mkdir d", false, false),
        ("echo x >new; echo new >.git/info/exclude", false, false),
        // Files that a sparse checkout leaves out are not deleted.
        ("mkdir d; echo x >d/x; git add d; git commit -qm d; git sparse-checkout set --no-cone /a", false, false),
        // No program is run for it.
        (
            "echo 'a filter=f' >.git/info/attributes; git config filter.f.clean 'touch ../ran; cat'; git config core.fsmonitor 'touch ../ran;'; echo x >a",
            true,
            true,
        ),
    ] {
        let scratch = Scratch::new();
        assert_eq!(scratch.shell("work", before).code, 0, "{before}");
        for (loss, expected) in [(Loss::Changes, tracked), (Loss::Untracked, all)] {
            assert_eq!(lost(&scratch, &[], loss, &[]).map(|files| !files.is_empty()), Ok(expected), "{before} {loss:?}");
        }
        assert!(!scratch.root.join("ran").exists(), "{before}");
    }
    let nowhere = discover(&Scratch::new().root.join("work"));
    let Discovery::Found(mut repository) = nowhere else { panic!("there is no repository") };
    repository.root = "/nonexistent".into();
    let risk = WorkAtRisk { folder: String::new(), paths: Vec::new(), loss: Loss::Changes, sources: Vec::new() };
    assert!(work::at_risk(&repository, &risk, &[]).is_err());
}

#[test]
fn only_what_is_named_is_at_risk() {
    let scratch = Scratch::new();
    let made = "mkdir src docs own; echo 1 >src/a.py; echo 1 >src/b.py; echo 1 >docs/x.md; printf 'out\n*.log\nown/ignored\n' >.gitignore; git add .; git commit -qm 1; \
        echo 2 >src/a.py; echo n >src/new.py; echo n >notes.txt; mkdir out scratch; echo o >out/o; echo s >scratch/s; echo l >a.log; \
        git init -q own/ignored; echo 1 >own/ignored/x; mkdir ../other ../other/src; echo 3 >../other/src/b.py";
    assert_eq!(scratch.shell("work", made).code, 0);
    for (patterns, loss, sources, expected) in [
        (&["docs/x.md"][..], Loss::Changes, &[][..], &[][..]),
        (&["src/a.py"], Loss::Changes, &[], &["src/a.py"]),
        (&["src"], Loss::Changes, &[], &["src/a.py"]),
        (&["*.py"], Loss::Changes, &[], &["src/a.py"]),
        // What is special in a path specification is not read.
        (&[":!src"], Loss::Changes, &[], &["src/a.py"]),
        (&["docs"], Loss::Untracked, &[], &[]),
        (&["scratch/s"], Loss::Untracked, &[], &["scratch/s"]),
        (&["src"], Loss::Untracked, &[], &["src/a.py", "src/new.py"]),
        (&["/elsewhere"], Loss::Changes, &[], &[]),
        (&["src/*.py"], Loss::Files, &[], &["src/a.py", "src/new.py"]),
        (&["src/b*"], Loss::Files, &[], &[]),
        (&["**/*.py"], Loss::Files, &[], &["src/a.py", "src/new.py"]),
        // Git tracks no file of that kind.
        (&["*.txt"], Loss::Files, &[], &[]),
        (&["*.log"], Loss::Files, &[], &[]),
        (&["docs/*"], Loss::Files, &[], &[]),
        (&["src"], Loss::Files, &["../other/src"], &[]),
        (&["src"], Loss::Files, &["src"], &["src/a.py"]),
        (&["src"], Loss::Files, &[], &["src/a.py"]),
        (&["docs"], Loss::Tree, &[], &[]),
        (&["src"], Loss::Tree, &[], &["src/a.py", "src/new.py"]),
        (&["out"], Loss::Tree, &[], &[]),
        (&["scratch"], Loss::Tree, &[], &["scratch/s"]),
        (&["s*"], Loss::Tree, &[], &["scratch/s", "src/a.py", "src/new.py"]),
        // Another repository lies in what is ignored.
        (&["own"], Loss::Tree, &[], &["own/ignored/.git"]),
        (&["own/ignored"], Loss::Tree, &[], &["own/ignored/.git"]),
    ] {
        assert_eq!(lost(&scratch, patterns, loss, sources), Ok(expected.iter().map(|file| (*file).to_owned()).collect()), "{patterns:?} {loss:?} {sources:?}");
    }
    let Discovery::Found(repository) = discover(&scratch.root.join("work")) else { panic!("there is no repository") };
    for (path, expected) in [("out", true), ("src", false), ("a.log", true), ("gone.log", true), ("/", false)] {
        assert_eq!(work::is_ignored(&repository, &scratch.root.join("work").join(Path::new(path))), Ok(expected), "{path}");
    }
}

/// A work tree with commits, and `src/a.py` changed since; `other` beside it has another version of `src`. `clean`: nothing is
/// changed.
fn worked(clean: bool) -> crate::support::Scratch {
    let scratch = crate::support::Scratch::new();
    let files = [
        ("src/a.py", "print(1)\n"),
        ("src/b.py", "print(1)\n"),
        ("docs/x.md", "x\n"),
        ("README.md", "x\n"),
        (".gitignore", "out/\n*.log\nnested/\ndata/\n"),
        ("vendor/lib/a.c", "int a;\n"),
        (".github/x.yml", "x\n"),
    ];
    let repository = git2::Repository::open(scratch.repo()).unwrap();
    let who = git2::Signature::new("A", "a@example.com", &git2::Time::new(0, 0)).unwrap();
    let commit = |repository: &git2::Repository, names: &[&str]| {
        let mut index = repository.index().unwrap();
        for name in names {
            index.add_path(Path::new(name)).unwrap();
        }
        index.write().unwrap();
        let tree = repository.find_tree(index.write_tree().unwrap()).unwrap();
        let parent = repository.head().ok().and_then(|head| head.peel_to_commit().ok());
        repository.commit(Some("HEAD"), &who, &who, "x", &tree, &parent.iter().collect::<Vec<_>>()).unwrap()
    };
    for (path, text) in files {
        scratch.write(path, text);
    }
    // The rules of the first commit ignore nothing.
    scratch.write(".gitignore", "");
    commit(&repository, &files.map(|(path, _)| path));
    scratch.write(".gitignore", files[4].1);
    let head = commit(&repository, &[".gitignore"]);
    for (path, text) in
        [("out/o", "o\n"), ("a.log", "l\n"), ("data/d", "d\n"), ("../other/src/a.py", "print(3)\n"), ("../other/docs/x.md", "y\n"), ("nested/f", "f\n")]
    {
        scratch.write(path, text);
    }
    commit(&git2::Repository::init(scratch.repo().join("nested")).unwrap(), &["f"]);
    // Branches of a remote: one is in `main`, the other is not.
    repository.remote("origin", "https://example.com/r.git").unwrap();
    repository.reference("refs/remotes/origin/merged", head, true, "x").unwrap();
    let tree = repository.find_commit(head).unwrap().tree().unwrap();
    let only = repository.commit(None, &who, &who, "only", &tree, &[&repository.find_commit(head).unwrap()]).unwrap();
    for name in ["refs/remotes/origin/only", "refs/heads/only"] {
        repository.reference(name, only, true, "x").unwrap();
    }
    if !clean {
        scratch.write("src/a.py", "print(2)\n");
        scratch.write("new.txt", "new\n");
        scratch.write("scratch/s", "s\n");
    }
    scratch
}

#[test]
fn work_is_asked_about_and_nothing_else() {
    let (dirty, clean) = (worked(false), worked(true));
    let mut wrong = Vec::new();
    // Of each command: what is said where `src/a.py` is changed, and where nothing is.
    for (command, in_dirty, in_clean) in [
        ("git checkout -- README.md", "free", "free"),
        ("git checkout -- src/a.py", "ask uncommitted-work-discarded", "free"),
        ("git checkout HEAD README.md", "free", "free"),
        ("git checkout HEAD src/a.py", "ask uncommitted-work-discarded", "free"),
        ("git restore docs src", "ask uncommitted-work-discarded", "free"),
        ("git restore docs", "free", "free"),
        ("cd docs && git checkout .", "free", "free"),
        ("cd src && git checkout .", "ask uncommitted-work-discarded", "free"),
        ("git -C docs checkout -- x.md", "free", "free"),
        ("git reset --hard", "ask uncommitted-work-discarded", "free"),
        ("git clean -fd docs", "free", "free"),
        ("git clean -fd", "ask uncommitted-work-discarded", "free"),
        ("git rm -r docs", "free", "free"),
        ("git rm -rf docs", "free", "free"),
        ("git rm -rf src", "ask uncommitted-work-discarded", "free"),
        ("rm src/b.py; git checkout -- src/b.py", "free", "free"),
        // Other words.
        ("git checkout $(git diff --name-only)", "ask uncommitted-work-discarded", "free"),
        ("git checkout $(git rev-list -n 1 main)", "free", "free"),
        ("git diff --name-only | xargs git restore", "ask uncommitted-work-discarded", "free"),
        ("git diff | git apply -R", "ask uncommitted-work-reverted", "free"),
        ("git ls-files -om | xargs rm -f", "ask uncommitted-work-deleted", "free"),
        ("git ls-files -m | while read -r f; do rm \"$f\"; done", "ask uncommitted-work-deleted", "free"),
        ("for f in src/*; do rm -f \"$f\"; done", "ask uncommitted-work-deleted", "free"),
        ("rm -f src/*.py docs/*.md", "ask uncommitted-work-deleted", "free"),
        ("rm -f docs/*.md", "free", "free"),
        ("rm -f *.txt *.log", "free", "free"),
        ("rm -f src/a.py", "free", "free"),
        ("git ls-files -d | xargs git rm", "free", "free"),
        ("sed -i s/1/2/ src/*.py", "free", "free"),
        ("truncate -s 0 src/*.py", "ask uncommitted-work-replaced", "free"),
        ("for f in src/*; do : > \"$f\"; done", "ask uncommitted-work-replaced", "free"),
        ("cp -r ../other/src/. src/", "ask uncommitted-work-replaced", "free"),
        ("cp -r ../other/src .", "ask uncommitted-work-replaced", "free"),
        ("cp ../other/src/*.py src/", "ask uncommitted-work-replaced", "free"),
        ("cp -r ../other/docs/. docs/", "free", "free"),
        ("cp -rn ../other/src/. src/", "free", "free"),
        ("cp -rt . ../other/src", "ask uncommitted-work-replaced", "free"),
        ("cp -rt . ../other/docs", "free", "free"),
        ("cp -r src /tmp/src", "free", "free"),
        ("rsync -a ../other/ ./", "ask uncommitted-work-replaced", "free"),
        ("rsync -a ../other/docs/ docs/", "free", "free"),
        ("rsync -an ../other/ ./", "free", "free"),
        ("tar -C ../other -cf - src | tar xf -", "ask uncommitted-work-replaced", "free"),
        ("tar -C ../other -cf - src | tar xf - -C out", "free", "free"),
        ("git archive HEAD | tar x", "ask uncommitted-work-replaced", "free"),
        ("curl -L https://example.com/a.tgz | tar xz", "free", "free"),
        // Rules by which files are ignored leave first.
        ("rm .gitignore; git clean -fd", "ask uncommitted-work-discarded", "ask uncommitted-work-discarded"),
        ("git checkout HEAD~1 -- .gitignore && git clean -fd", "ask uncommitted-work-discarded", "ask uncommitted-work-discarded"),
        ("git checkout HEAD~1 && git clean -fd", "ask uncommitted-work-discarded", "ask uncommitted-work-discarded"),
        ("git reset --hard HEAD~1 && git clean -fd", "ask uncommitted-work-discarded", "ask uncommitted-work-discarded"),
        ("mv .gitignore x && git clean -fd", "ask uncommitted-work-discarded", "ask uncommitted-work-discarded"),
        ("git config core.excludesFile /dev/null && git clean -fd", "ask uncommitted-work-discarded", "ask uncommitted-work-discarded"),
        ("git clean -fd -e '!a.log'", "ask uncommitted-work-discarded", "ask uncommitted-work-discarded"),
        ("git checkout HEAD -- docs && git clean -fd", "ask uncommitted-work-discarded", "free"),
        ("git reset --hard && git clean -fd", "ask uncommitted-work-discarded", "free"),
        ("git clean -fd -e a.log docs", "free", "free"),
        // Nothing there to lose.
        ("rm -rf ./nothere", "free", "free"),
        ("rm -rf new && mkdir new", "free", "free"),
        ("mkdir new && cd new && touch a && cd .. && rm -rf new", "free", "free"),
        ("git clone https://example.com/t app && rm -rf app/.git", "free", "free"),
        ("rm -rf docs .github", "free", "free"),
        ("rm -rf src", "ask recursive-deletion", "free"),
        ("rm -rf vendor/*", "free", "free"),
        ("rm -rf scratch", "ask recursive-deletion", "free"),
        ("rm -rf data", "ask ignored-data-deletion", "ask ignored-data-deletion"),
        ("rm -rf nested", "ask recursive-deletion", "ask recursive-deletion"),
        ("rm -rf nested/.git", "deny nested-repository-deletion recursive-deletion", "deny nested-repository-deletion recursive-deletion"),
        ("mv src old && rm -rf old", "ask recursive-deletion", "ask recursive-deletion"),
        ("mkdir old && mv src old/ && rm -rf old", "ask recursive-deletion", "ask recursive-deletion"),
        ("git stash pop && rm -rf nothere", "ask recursive-deletion", "ask recursive-deletion"),
        ("rm -rf .git/lfs", "free", "free"),
        ("rm -rf ../other", "ask recursive-deletion", "ask recursive-deletion"),
        ("docker exec c rm -rf /nothere", "ask recursive-deletion", "ask recursive-deletion"),
        ("find docs -mtime +30 -delete", "free", "free"),
        // Refs of a remote.
        ("git push origin --delete merged", "free", "free"),
        ("git push origin :merged", "free", "free"),
        ("git push origin --delete only", "ask remote-ref-deletion", "ask remote-ref-deletion"),
        ("git push origin --delete unknown", "ask remote-ref-deletion", "ask remote-ref-deletion"),
        ("git push https://example.com/r.git --delete merged", "ask remote-ref-deletion", "ask remote-ref-deletion"),
        ("git push origin --delete main", "deny protected-remote-branch-deletion", "deny protected-remote-branch-deletion"),
    ] {
        let [dirty, clean] = [&dirty, &clean].map(|scratch| scratch.bash(command).short());
        if !agrees(in_dirty, &dirty) || !agrees(in_clean, &clean) {
            wrong.push(format!("{command}: {dirty}, and {clean} in a clean tree"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is expected comes first.
fn agrees(expected: &str, got: &str) -> bool {
    got == expected || got.strip_prefix(expected).is_some_and(|rest| rest.starts_with(' '))
}

/// The shell takes `~` for `HOME`; other programs ask the password database.
#[test]
fn both_homes_are_judged() {
    let scratch = worked(false);
    let world = scratch.world();
    let other = scratch.repo();
    let world = gate::world::World { homes: vec![world.homes[0].clone(), other], ..world };
    let said = |command: &str| {
        crate::support::judge_in(&world, "PreToolUse", &scratch.payload("Bash", &format!("{{\"command\":{}}}", crate::support::json(command)), "default"))
            .short()
    };
    for (command, expected) in
        [("rm -rf ~/src", "ask recursive-deletion"), ("rm -f ~/src/*.py", "ask uncommitted-work-deleted"), ("ls ~", "free"), ("rm -rf /tmp/x/home", "free")]
    {
        assert!(agrees(expected, &said(command)), "{command}: {}", said(command));
    }
}
