//! Texts for databases against what real engines did with them: `tests/databases/*.tsv`, measured once, with versions.

use std::fs;

use serde_json::Value;

use crate::support::{Scratch, package};

/// Files that the rows name.
const FILES: &[(&str, &str)] = &[
    ("drop.sql", "DROP TABLE audit;\n"),
    ("drop.js", "db.audit.drop()\n"),
    ("flush.txt", "FLUSHALL\n"),
    ("del.lua", "return redis.call('del', KEYS[1])\n"),
    ("users.txt", "user:1\n"),
    ("keep.txt", "kept\n"),
];
/// What is said of an action that loses more than some rows or keys.
const WHOLE: &[&str] = &["drop the database", "drop the table", "drop or cut a column", "lose all rows", "delete all keys"];

/// The actions of a command.
fn actions(scratch: &Scratch, command: &str) -> Vec<(String, String)> {
    let payload = serde_json::json!({
        "session_id": "s", "transcript_path": "/dev/null", "cwd": scratch.repo(), "permission_mode": "default", "hook_event_name": "PreToolUse",
        "tool_name": "Bash", "tool_use_id": "t", "tool_input": { "command": command },
    });
    let explained =
        portcullis::cli::explain::in_json(payload.to_string().as_bytes(), &scratch.world(), None).unwrap_or_else(|refusal| panic!("{command}: {refusal}"));
    let text = |action: &Value, key: &str| action[key].as_str().unwrap().to_owned();
    explained["actions"].as_array().unwrap().iter().map(|action| (text(action, "kind"), text(action, "shown"))).collect()
}

/// The rows of a file: id, command, whether something whole is lost, and what.
fn rows(name: &str) -> Vec<(String, String, String, String)> {
    let text = fs::read_to_string(package().join("tests/databases").join(name)).unwrap();
    let row = |line: &str| {
        let fields: Vec<&str> = line.split('\t').collect();
        let command = serde_json::from_str(fields[2]).unwrap();
        (fields[0].to_owned(), command, fields[3].to_owned(), fields[4].to_owned())
    };
    text.lines().skip(1).filter(|line| !line.starts_with('#')).map(row).collect()
}

/// What is wrong in a file, how many rows were tried, and how many losses were let go.
fn tried(name: &str) -> (Vec<String>, usize, usize) {
    let scratch = Scratch::new();
    for (path, text) in FILES {
        scratch.write(path, text);
    }
    let (mut wrong, mut count, mut let_go) = (Vec::new(), 0, 0);
    for (id, command, destroys, what) in rows(name) {
        // Some rows are a question of policy, and others of the database. `mysql` is the worse of two engines: the rows are
        // those of MariaDB.
        if destroys == "partly" || what.contains("[depends on the database]") || id.starts_with("my-") {
            continue;
        }
        count += 1;
        let found = actions(&scratch, &command);
        let whole = found.iter().any(|(kind, shown)| kind == "query" && WHOLE.iter().any(|whole| shown.starts_with(whole)));
        // What a client writes to a file is for the rules on files.
        let file = what.strip_prefix("file ").and_then(|rest| rest.split(' ').next());
        let written = file.is_some_and(|file| found.iter().any(|(kind, shown)| kind == "write" && shown.contains(file)));
        if (whole || written) != (destroys == "yes") {
            let_go += usize::from(destroys == "yes");
            wrong.push(format!("{id} ({destroys}) {command}: {found:?}"));
        }
    }
    (wrong, count, let_go)
}

#[test]
#[expect(clippy::print_stdout, reason = "the figures are what `--nocapture` shows")]
fn what_engines_lost_is_seen() {
    for name in ["sql-truth.tsv", "sqlite.tsv"] {
        let (wrong, count, let_go) = tried(name);
        let report = format!("{name}: {} of {count} wrong, {let_go} let go\n{}", wrong.len(), wrong.join("\n"));
        println!("{report}");
        assert!(count >= 100, "{report}");
        assert!(wrong.len() * 100 <= count * 3 && let_go * 100 <= count, "{report}");
    }
}
