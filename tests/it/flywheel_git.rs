//! What git itself does to suggestions, by all its ways of moving `HEAD`: the hooks after a commit and a merge, and the next
//! end of a turn. What the commits say is `flywheel_commits`'.

use std::fs;
use std::path::PathBuf;

use crate::flywheel_commits::{API, MAP, Project, hooked};
use crate::support::run;

/// Says something of the doors, in another clone, and comes back with its folder.
fn described_elsewhere(project: &Project, date: &str) -> PathBuf {
    let other = project.day.scratch.home().join("other");
    run_git(project, &["clone", "-q", &project.root.to_string_lossy(), &other.to_string_lossy()], "");
    fs::write(other.join(API), "# API\n\n`open_door` opens it.\n").unwrap();
    run_git(project, &["-C", &other.to_string_lossy(), "commit", "-qam", "describe the doors"], date);
    other
}

fn run_git(project: &Project, arguments: &[&str], date: &str) {
    let mut command = project.day.scratch.command("/usr/bin/git");
    command.env("CLAUDECODE", "1").args(["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "protocol.file.allow=always"]).args(arguments);
    if !date.is_empty() {
        command.env("GIT_COMMITTER_DATE", date).env("GIT_AUTHOR_DATE", date);
    }
    let said = run(&mut command, b"");
    assert_eq!(said.code, 0, "git {arguments:?}: {said:?}");
}

/// What git is reported, line by line, in a repository whose doors wait to be described; and whether they still do.
struct Way {
    name: &'static str,
    does: fn(&Project),
    /// After git's own hooks.
    waits: bool,
    /// After the next end of a turn.
    waits_then: bool,
}

fn all(project: &Project, lines: &[&str]) {
    for line in lines {
        run_git(project, &line.split(' ').collect::<Vec<_>>(), "");
    }
}

fn describes(project: &Project) {
    project.write(API, "# API\n\n`open_door` opens it.\n");
    all(project, &["add docs/the?api.md", "commit -qm described"]);
}

const LONG_AGO: &str = "2020-01-01T00:00:00Z";

const WAYS: &[Way] = &[
    Way { name: "a commit", does: describes, waits: false, waits_then: false },
    Way {
        name: "a commit past the hooks",
        does: |project| {
            project.write(API, "# API\n\ndoors\n");
            all(project, &["-c core.hooksPath=/dev/null commit -qam described"]);
        },
        waits: true,
        waits_then: false,
    },
    Way {
        name: "pulled, with nothing of our own",
        does: |project| {
            let other = described_elsewhere(project, "");
            run_git(project, &["pull", "-q", &other.to_string_lossy()], "");
        },
        waits: false,
        waits_then: false,
    },
    Way {
        name: "merged with work of our own",
        does: |project| {
            let other = described_elsewhere(project, "");
            project.write("other.txt", "x\n");
            all(project, &["add other.txt", "commit -qm other"]);
            run_git(project, &["pull", "-q", "--no-rebase", "--no-edit", &other.to_string_lossy()], "");
        },
        waits: false,
        waits_then: false,
    },
    Way {
        name: "merged, written before it was asked for, and to the point",
        does: |project| {
            let other = described_elsewhere(project, LONG_AGO);
            run_git(project, &["pull", "-q", "--no-ff", "--no-edit", &other.to_string_lossy()], "");
        },
        waits: false,
        waits_then: false,
    },
    Way {
        name: "pulled, written before it was asked for",
        does: |project| {
            let other = described_elsewhere(project, LONG_AGO);
            run_git(project, &["pull", "-q", &other.to_string_lossy()], "");
        },
        waits: true,
        waits_then: true,
    },
    Way {
        name: "a pick",
        does: |project| {
            let other = described_elsewhere(project, LONG_AGO);
            run_git(project, &["fetch", "-q", &other.to_string_lossy()], "");
            all(project, &["cherry-pick FETCH_HEAD"]);
        },
        waits: false,
        waits_then: false,
    },
    Way {
        name: "reverted",
        does: |project| {
            describes(project);
            all(project, &["revert --no-edit HEAD"]);
        },
        waits: true,
        waits_then: true,
    },
    Way {
        name: "reset",
        does: |project| {
            describes(project);
            all(project, &["reset -q --hard HEAD~1"]);
        },
        waits: false,
        waits_then: true,
    },
    Way {
        name: "reset, and made again",
        does: |project| {
            describes(project);
            all(project, &["reset -q --soft HEAD~1", "commit -qm again"]);
        },
        waits: false,
        waits_then: false,
    },
    Way {
        name: "set upon others' work",
        does: |project| {
            all(project, &["checkout -q -b topic"]);
            describes(project);
            all(project, &["checkout -q main"]);
            project.write("other.txt", "x\n");
            all(project, &["add other.txt", "commit -qm other", "rebase -q main topic"]);
        },
        waits: false,
        waits_then: false,
    },
    Way {
        name: "on another branch, which is left",
        does: |project| {
            all(project, &["checkout -q -b topic"]);
            describes(project);
            all(project, &["checkout -q main"]);
        },
        waits: false,
        waits_then: false,
    },
    Way {
        name: "on another branch, which is thrown away",
        does: |project| {
            all(project, &["checkout -q -b topic"]);
            describes(project);
            all(project, &["checkout -q main", "branch -q -D topic"]);
        },
        waits: false,
        waits_then: true,
    },
    Way {
        name: "with a detached head",
        does: |project| {
            all(project, &["checkout -q --detach"]);
            describes(project);
        },
        waits: false,
        waits_then: false,
    },
    Way {
        name: "the document is deleted, and comes back",
        does: |project| {
            all(project, &["rm -q docs/the?api.md", "commit -qm gone"]);
            assert!(project.targets().is_empty());
            all(project, &["revert --no-edit HEAD"]);
        },
        waits: true,
        waits_then: true,
    },
];

#[test]
fn git_settles_and_opens_again_in_all_its_ways() {
    for way in WAYS {
        let project = hooked(MAP, &["post-commit", "post-merge"]);
        project.write("src/door.rs", "pub fn open_door() {}\n");
        all(&project, &["add src", "commit -qm doors"]);
        assert_eq!(project.targets(), [API], "{}", way.name);
        (way.does)(&project);
        assert_eq!(!project.targets().is_empty(), way.waits, "{}: {}", way.name, project.archive());
        project.day.stop();
        assert_eq!(!project.targets().is_empty(), way.waits_then, "{}, at the end of the turn: {}", way.name, project.archive());
        project.day.stop();
        assert_eq!(!project.targets().is_empty(), way.waits_then, "{}, looked at again", way.name);
        // What proves it is a commit that is still part of the history.
        let repository = project.repository();
        let mut walk = repository.revwalk().unwrap();
        walk.push_head().unwrap();
        walk.push_glob("heads").unwrap();
        let commits: Vec<String> = walk.map(|id| id.unwrap().to_string()).collect();
        let archive = project.archive();
        let proofs: Vec<&str> = archive.lines().filter_map(|line| line.strip_prefix("Ended: resolved by ")).collect();
        assert_eq!(proofs.len(), usize::from(!way.waits_then), "{}: {archive}", way.name);
        assert!(proofs.iter().all(|proof| commits.iter().any(|commit| commit.starts_with(proof))), "{}: {archive}", way.name);
    }
}

/// What git shows as changed or new.
fn changed(project: &Project) -> String {
    let mut command = project.day.scratch.command("/usr/bin/git");
    let said = run(command.args(["-C", &project.root.to_string_lossy(), "status", "--porcelain", "--untracked-files=all"]), b"");
    assert_eq!(said.code, 0, "{said:?}");
    said.stdout
}

#[test]
fn pages_of_the_flywheel_leave_the_work_tree_clean() {
    let project = hooked(MAP, &["post-commit", "post-merge"]);
    project.write("src/door.rs", "pub fn open_door() {}\n");
    all(&project, &["add -A", "commit -qm doors"]);
    assert_eq!((project.targets().as_slice(), changed(&project).as_str()), (&[API.to_owned()][..], ""));
    // As whoever adds everything does it.
    project.write(API, "# API\n\n`open_door` opens it.\n");
    all(&project, &["add -A", "commit -qm described"]);
    assert!(project.targets().is_empty() && project.archive().contains("resolved by"));
    assert_eq!(changed(&project), "");
    let exclude = project.root.join(".git/info/exclude");
    let text = fs::read_to_string(&exclude).unwrap();
    assert!(text.contains("\n/docs/flywheel/pending.md\n") && text.contains("\n/docs/flywheel/archive.md\n"), "{text}");
    // Other files of the folder are no pages.
    project.write("docs/flywheel/README.md", "ours\n");
    assert_eq!(changed(&project), "?? docs/flywheel/README.md\n");
    fs::remove_file(project.root.join("docs/flywheel/README.md")).unwrap();
    // A second suggestion names nothing again.
    project.write("src/window.rs", "pub fn open_window() {}\n");
    all(&project, &["add -A", "commit -qm windows"]);
    assert_eq!((changed(&project).as_str(), fs::read_to_string(&exclude).unwrap()), ("", text));
}

#[test]
fn a_page_that_is_tracked_or_ignored_already_stays_so() {
    for ignored in [false, true] {
        let project = hooked(MAP, &["post-commit", "post-merge"]);
        if ignored {
            project.write(".gitignore", "docs/flywheel/\n");
        } else {
            project.write("docs/flywheel/pending.md", "");
            project.write("docs/flywheel/archive.md", "");
        }
        project.write("src/door.rs", "pub fn open_door() {}\n");
        all(&project, &["add -A", "commit -qm doors"]);
        let shown = if ignored { "" } else { " M docs/flywheel/pending.md\n" };
        assert_eq!((project.targets().as_slice(), changed(&project).as_str()), (&[API.to_owned()][..], shown));
        let exclude = fs::read_to_string(project.root.join(".git/info/exclude")).unwrap_or_default();
        assert!(!exclude.contains("flywheel"), "{exclude}");
    }
}
