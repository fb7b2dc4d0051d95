//! The flywheel where things are not as they should be: pages that are no files, saved by others meanwhile or laid as traps,
//! places that are no work trees, repositories without a past.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use crate::flywheel::{ARCHIVE, COLD, Day, INBOX, context};
use crate::flywheel_commits::{API, MAP, Project};
use crate::support::{json, run};

const ON: &str = "[flywheel]\n";

/// Something worth a line.
fn learns(day: &Day, command: &str) {
    day.bash(command, Some("Exit code 1\nREGION is not set"));
    day.edit("config/deploy.yml");
    day.bash(command, None);
}

fn plain(command: &str, arguments: &[&str]) {
    assert!(Command::new(command).args(arguments).status().unwrap().success(), "{command} {arguments:?}");
}

#[test]
fn a_page_that_is_no_text_is_left_alone_and_nothing_is_lost() {
    type Lay = fn(&Day);
    let rows: &[(&str, Lay)] = &[
        ("a pipe, which would be waited for", |day| plain("mkfifo", &[&day.scratch.repo().join(INBOX).to_string_lossy()])),
        ("a folder", |day| fs::create_dir(day.scratch.repo().join(INBOX)).unwrap()),
        ("a link that leads nowhere", |day| symlink("/nonexistent/x", day.scratch.repo().join(INBOX)).unwrap()),
        ("a link within the repository", |day| symlink("../../portcullis.toml", day.scratch.repo().join(INBOX)).unwrap()),
        ("larger than is read", |day| fs::File::create(day.scratch.repo().join(INBOX)).unwrap().set_len((32 << 20) + 1).unwrap()),
        ("a file where the folder should be", |day| {
            fs::remove_dir(day.scratch.repo().join("docs/flywheel")).unwrap();
            fs::write(day.scratch.repo().join("docs/flywheel"), "x\n").unwrap();
        }),
    ];
    for (name, lay) in rows {
        let day = Day::new(ON);
        fs::create_dir_all(day.scratch.repo().join("docs/flywheel")).unwrap();
        lay(&day);
        let policy = day.read("portcullis.toml");
        learns(&day, "./deploy.sh staging");
        assert!(day.inbox().is_empty(), "{name}");
        day.stop();
        assert_eq!(day.read("portcullis.toml"), policy, "{name}");
        // Once it is as it should be, what was seen is still known.
        let place = day.scratch.repo().join("docs");
        plain("rm", &["-r", &place.to_string_lossy()]);
        assert!(day.stop().contains("deploy.sh"), "{name}");
        assert_eq!(day.inbox().len(), 1, "{name}");
    }
}

#[test]
fn what_a_person_saves_meanwhile_stays() {
    let day = Day::new(ON);
    learns(&day, "./deploy.sh staging");
    day.stop();
    let id = day.inbox()[0].id.clone();
    let path = day.scratch.repo().join(INBOX);
    let desk = day.desk();
    // A temporary file's name can be known in advance; a link there is not followed.
    let outside = day.scratch.home().join("mine.txt");
    fs::write(&outside, "mine\n").unwrap();
    symlink(&outside, path.with_file_name(format!(".pending.md.{}", std::process::id()))).unwrap();
    let saved = std::cell::Cell::new(false);
    desk.rewrite(&day.scratch.repo(), INBOX, |text| {
        if !saved.replace(true) {
            fs::write(&path, format!("A note of mine.\n{text}")).unwrap();
        }
        flywheel::page::without(text, &[&id])
    })
    .unwrap();
    drop(desk);
    let text = day.read(INBOX);
    assert!(text.contains("A note of mine.") && !text.contains(&id), "{text}");
    assert_eq!(fs::read_to_string(&outside).unwrap(), "mine\n");
    // What is not UTF-8 is not written anew, for it would be spoiled.
    learns(&day, "./migrate.sh");
    day.stop();
    let mut bytes = fs::read(&path).unwrap();
    bytes.extend(b"\nCaf\xe9\n");
    fs::write(&path, &bytes).unwrap();
    assert_eq!(day.command(&["drop", &day.inbox()[0].id]).code, 1);
    assert_eq!(fs::read(&path).unwrap(), bytes);
    // The line ends of an editor are no matter.
    let text = String::from_utf8_lossy(&bytes).replace('\u{fffd}', "e").replace('\n', "\r\n");
    fs::write(&path, text).unwrap();
    assert_eq!(day.command(&["drop", &day.inbox()[0].id]).code, 0);
    assert!(day.inbox().is_empty() && day.read(INBOX).contains("A note of mine.\r\n") && day.read(ARCHIVE).contains("migrate.sh"));
    // What was noted under an entry goes with it.
    assert!(day.read(ARCHIVE).contains("Cafe\n\nEnded: dropped"), "{}", day.read(ARCHIVE));
}

#[test]
fn places_that_are_no_work_trees_stay_as_they_are() {
    for bare in [false, true] {
        let day = Day::new(ON);
        let place = day.scratch.home().join("place");
        if bare {
            plain("git", &["init", "-q", "--bare", &place.to_string_lossy()]);
        } else {
            fs::create_dir(&place).unwrap();
        }
        fs::write(place.join("portcullis.toml"), "schema = 1\n[flywheel]\n").unwrap();
        let before = fs::read_dir(&place).unwrap().count();
        let tell = |name: &str, fields: &str| {
            let cwd = json(&place.to_string_lossy());
            let input = format!(r#"{{"session_id":"s","cwd":{cwd},"permission_mode":"default","hook_event_name":"{name}",{fields}}}"#);
            context(&run(day.scratch.command(crate::support::hook_path()).env_remove("CLAUDE_PROJECT_DIR").arg(name), input.as_bytes()))
        };
        let call = r#""tool_name":"Bash","tool_input":{"command":"./deploy.sh"},"tool_use_id":"t""#;
        for _ in 0..3 {
            tell("PostToolUseFailure", &format!(r#"{call},"error":"Exit code 1\nREGION is not set","is_interrupt":false"#));
        }
        assert_eq!(tell("Stop", r#""stop_hook_active":false"#), "", "bare: {bare}");
        assert_eq!(fs::read_dir(&place).unwrap().count(), before, "bare: {bare}");
    }
}

#[test]
fn a_shallow_clone_and_a_submodule_settle_as_any_other() {
    for submodule in [false, true] {
        let project = Project::new(MAP);
        project.write("other.txt", "x\n");
        project.commit("more of a past");
        let from = format!("file://{}", project.root.display());
        let place = project.day.scratch.home().join("place");
        let at = place.to_string_lossy().into_owned();
        if submodule {
            plain("git", &["init", "-q", &at]);
            plain("git", &["-c", "protocol.file.allow=always", "-C", &at, "submodule", "--quiet", "add", &from, "part"]);
        } else {
            plain("git", &["clone", "-q", "--depth=1", &from, &at]);
        }
        let root = if submodule { place.join("part") } else { place };
        let other = Project { root: fs::canonicalize(root).unwrap(), day: project.day };
        other.write("src/door.rs", "pub fn open_door() {}\n");
        other.commit("doors");
        assert_eq!(other.targets(), [API], "submodule: {submodule}");
        other.write(API, "# API\n\n`open_door`\n");
        other.commit("describe");
        assert!(other.targets().is_empty() && other.archive().contains("resolved by"), "submodule: {submodule}");
    }
}

#[test]
fn a_session_that_ends_without_a_turns_end_is_told_in_the_next() {
    let day = Day::new(ON);
    learns(&day, "./deploy.sh staging");
    assert_eq!(context(&day.event("SessionEnd", r#""reason":"prompt_input_exit""#)), "");
    assert_eq!(day.inbox().len(), 1);
    // What another session does is its own affair, and its own to be shown of.
    learns(&day, "./migrate.sh");
    assert_eq!(context(&day.event_of("s2", "Stop", r#""stop_hook_active":false"#)).matches("\n- ").count(), 1);
    let text = context(&day.event_of("s2", "SessionStart", r#""source":"startup""#));
    assert!(text.contains("deploy.sh") && !text.contains("migrate.sh"), "{text}");
    assert!(run(day.scratch.command(COLD).args(["flywheel", "list"]), b"").stdout.contains("deploy.sh"));
}

#[test]
fn other_places_of_a_line_that_was_fixed_are_named_once() {
    let day = Day::new("[flywheel]\ninbox = \"docs/flywheel/pending.md\"\n");
    let wrong = "let total = price.round() * amount.max(1);";
    for (path, rest) in [("src/a.rs", "a"), ("src/b.rs", "b"), ("src/deep/c.rs", "c")] {
        day.scratch.write(path, &format!("fn {rest}() {{\n    {wrong}\n    use_of(total);\n}}\n"));
    }
    day.scratch.write("src/d.rs", "fn d() {\n    only_here(one.and_only(2));\n}\n");
    let commit = |message: &str| {
        let repository = git2::Repository::open(day.scratch.repo()).unwrap();
        let mut index = repository.index().unwrap();
        index.add_all(["*"], git2::IndexAddOption::DEFAULT, None).unwrap();
        index.write().unwrap();
        let tree = repository.find_tree(index.write_tree().unwrap()).unwrap();
        let who = git2::Signature::now("A", "a@example.com").unwrap();
        let parents: Vec<git2::Commit> = repository.head().ok().and_then(|head| head.peel_to_commit().ok()).into_iter().collect();
        repository.commit(Some("HEAD"), &who, &who, message, &tree, &parents.iter().collect::<Vec<_>>()).unwrap();
    };
    commit("all of it");
    let ends = || {
        day.event("Stop", r#""stop_hook_active":false"#);
        context(&day.event("UserPromptSubmit", r#""prompt":"go on""#))
    };
    assert_eq!(ends(), "");
    // A line of its own, one that was only indented, and a new file are no fixes of a copied mistake.
    day.scratch.write("src/d.rs", "fn d() {\n    only_here(one.and_only(3));\n}\n");
    day.scratch.write("src/b.rs", &format!("fn b() {{\n        {wrong}\n    use_of(total);\n}}\n"));
    day.scratch.write("src/e.rs", &format!("{wrong}\n"));
    assert_eq!(ends(), "");
    day.scratch.write("src/a.rs", "fn a() {\n    let total = (price * amount.max(1)).round();\n    use_of(total);\n}\n");
    let told = ends();
    assert!(told.contains("was changed in src/a.rs, and 2 more places have the same line: src/b.rs:2, src/deep/c.rs:2"), "{told}");
    assert_eq!(ends(), "", "once in a session");
}
