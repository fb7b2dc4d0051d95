//! Settings texts through `install` and `remove`: what is added, what stays byte for byte, what is refused.

use serde_json::{Value, json};

use super::{Wiring, difference, hooks_json, install, remove};
use clients::claude_code::{NAME, WIRED};
use clients::settings::entry::starts_gate;
use clients::settings::{SettingsEffect, SettingsReading, judge};

fn wiring(command: &str) -> Wiring {
    Wiring { command: command.to_owned(), events: WIRED, timeout_seconds: 10 }
}

fn ours() -> Wiring {
    wiring("/opt/p/bin/portcullis-hook")
}

/// Texts without the gate, of every make.
fn samples() -> Vec<String> {
    let theirs = r#"{"type":"command","command":"/usr/bin/lint --fix","timeout":5}"#;
    let mut samples: Vec<String> = [
        "{}",
        "{}\n",
        "{ }",
        "{\n}\n",
        "{\n\n}",
        "\u{feff}{}\r\n",
        "  {}  ",
        "{\r\n}\r\n",
        "\t{\t}\t",
        r#"{"hooks":{}}"#,
        r#"{"hooks": {}}"#,
        r#"{ "hooks": { } }"#,
        "{\"hooks\": {\n}}",
        "{\n  \"hooks\": {}\n}\n",
        "{\n  \"hooks\": {\n  }\n}\n",
        "{\"hooks\":{\"PreToolUse\":[]}}",
        "{\n  \"hooks\": {\n    \"PreToolUse\": []\n  }\n}",
        "{\n  \"hooks\": {\n    \"PreToolUse\": [\n    ],\n    \"Stop\": [ ]\n  }\n}",
        r#"{"model":"opus"}"#,
        r#"{"model": "opus"}"#,
        r#"{ "model": "opus" }"#,
        "{\"model\" :\"opus\"}",
        "{\n  \"model\": \"opus\"\n}\n",
        "{\n\t\"model\": \"opus\"\n}",
        "{\n    \"a\": {\n        \"b\": [1, 2]\n    }\n}\n",
        "{\r\n  \"model\": \"opus\",\r\n  \"env\": {\"A\": \"b\"}\r\n}\r\n",
        "{ \"a\": 1,\n  \"b\": 2 }",
        "{\n\"a\": 1\n}",
        "{\n  \"a\": 1\n  , \"b\": 2\n}\n",
        "{\"a\":1,\n\"b\":2}",
        "\u{feff}{\n  \"a\": \"\u{e4}\u{1f600} \\u00e4\"\n}",
        "{\n  \"\\u0068ooks\": {\n    \"Stop\": []\n  }\n}",
        r#"{"hooks":{"Unknown":5,"Notification":[]}}"#,
        // Containers that share a line, so that filling one moves the other.
        "{\t\"hooks\":\r\n\t{\"Stop\"  :[  \t],\"PreToolUse\":[  \t\t], \t\n\"ConfigChange\":[]}}",
        " {\n   \"model\":\n\t\"opus\"\n \t}",
        "{\n  \"permissions\": {\n    \"allow\": [\n      \"Bash(ls:*)\"\n    ]\n  },\n  \"hooks\": {}\n}\n",
    ]
    .map(str::to_owned)
    .into();
    for event in ["PreToolUse", "ConfigChange", "Stop", "Notification"] {
        for group in [format!(r#"{{"matcher":"Bash","hooks":[{theirs}]}}"#), format!(r#"{{"hooks":[{theirs},{theirs}]}}"#)] {
            let dense = format!(r#"{{"hooks":{{"{event}":[{group},{group}]}},"model":"x"}}"#);
            let value: Value = serde_json::from_str(&dense).unwrap();
            let lines = serde_json::to_string_pretty(&value).unwrap();
            samples.extend([
                format!("{{\n  \"hooks\": {{\n    \"{event}\": [{group}]\n  }}\n}}\n"),
                format!("{{\n  \"hooks\": {{\n    \"{event}\": [\n      {group},\n      {group}\n    ],\n    \"PostToolUse\": []\n  }}\n}}\n"),
                lines.replace('\n', "\r\n"),
                lines.replace("  ", "\t"),
                lines.replace("  ", "    ") + "\n",
                lines,
                dense,
            ]);
        }
    }
    samples
}

fn effect(text: &str) -> SettingsEffect {
    match judge(text) {
        SettingsReading::Read(effect) => effect,
        SettingsReading::Unreadable(why) => panic!("{why}: {text}"),
    }
}

#[track_caller]
fn installed(text: &str) -> String {
    install(Some(text), &ours()).unwrap_or_else(|mistake| panic!("{mistake:?}: {text}"))
}

#[test]
fn installing_wires_every_event_and_nothing_else_changes() {
    for sample in samples() {
        let text = installed(&sample);
        assert_eq!(effect(&text), SettingsEffect { gate_entries: 1, whole: true, faults: Vec::new() }, "{text}");
        let mut after: Value = serde_json::from_str(text.trim_start_matches('\u{feff}')).unwrap();
        let before: Value = serde_json::from_str(sample.trim_start_matches('\u{feff}')).unwrap();
        for wired in WIRED {
            let groups = after["hooks"][wired.event].as_array_mut().unwrap();
            let mut handler = json!({"type": "command", "command": "/opt/p/bin/portcullis-hook", "args": [wired.event, NAME, "9"], "timeout": 10});
            if wired.is_guarding() {
                handler["onFailure"] = json!("block");
            }
            let mut group = json!({"hooks": [handler]});
            if wired.has_matcher {
                group["matcher"] = json!("*");
            }
            assert_eq!(groups.pop(), Some(group), "{sample}");
            if groups.is_empty() && before["hooks"].get(wired.event).is_none() {
                after["hooks"].as_object_mut().unwrap().remove(wired.event);
            }
        }
        if before.get("hooks").is_none() {
            assert_eq!(after["hooks"], json!({}));
            after.as_object_mut().unwrap().remove("hooks");
        }
        assert_eq!(after, before);
    }
}

#[test]
fn installing_twice_changes_nothing() {
    for sample in samples() {
        let once = installed(&sample);
        assert_eq!(installed(&once), once);
    }
    let made = install(None, &ours()).unwrap();
    assert_eq!(installed(&made), made);
}

#[test]
fn removing_gives_the_bytes_back() {
    for sample in samples() {
        let text = installed(&sample);
        assert_eq!(remove(&text, starts_gate).unwrap().as_deref(), Some(sample.as_str()), "{text}");
        let moved = install(Some(&text), &wiring("${CLAUDE_PROJECT_DIR}/.portcullis/bin/portcullis-hook")).unwrap();
        assert_eq!(remove(&moved, starts_gate).unwrap().as_deref(), Some(sample.as_str()), "{moved}");
        assert_eq!(remove(&sample, starts_gate).unwrap().as_deref(), Some(sample.as_str()));
    }
}

#[test]
fn every_prefix_of_the_wiring_is_completed_and_removed() {
    for sample in samples() {
        for count in 1..WIRED.len() {
            let fewer = Wiring { events: WIRED.get(..count).unwrap(), ..ours() };
            let part = install(Some(&sample), &fewer).unwrap();
            let whole = installed(&part);
            assert!(effect(&whole).whole);
            // Fewer events again: the entries that are no longer used go.
            assert_eq!(effect(&install(Some(&whole), &fewer).unwrap()), effect(&part));
            assert_eq!(remove(&whole, starts_gate).unwrap().as_deref(), Some(sample.as_str()), "{whole}");
        }
    }
}

#[test]
fn a_file_of_our_making_goes_and_any_other_stays() {
    let made = install(None, &ours()).unwrap();
    assert_eq!(remove(&made, starts_gate).unwrap(), None);
    // The client writes the file anew when a person allows a tool for good.
    let rewritten = serde_json::to_string_pretty(&serde_json::from_str::<Value>(&made).unwrap()).unwrap();
    assert_eq!(remove(&rewritten, starts_gate).unwrap(), None);
    let used = made.replacen("{\n", "{\n  \"model\": \"opus\",\n", 1);
    assert_eq!(remove(&used, starts_gate).unwrap().as_deref(), Some("{\n  \"model\": \"opus\"\n}\n"));
}

#[test]
fn a_made_file_reads_like_this() {
    let made = install(None, &ours()).unwrap();
    let start = r#"{
  "hooks": {
    "PreToolUse": [
      {
        "matcher": "*",
        "hooks": [
          {
            "type": "command",
            "command": "/opt/p/bin/portcullis-hook",
            "args": ["PreToolUse", "claude-code", "9"],
            "timeout": 10,
            "onFailure": "block"
          }
        ]
      }
    ],
    "PermissionRequest": ["#;
    assert!(made.starts_with(start), "{made}");
    assert!(made.ends_with("    ]\n  }\n}\n"), "{made}");
}

#[test]
fn the_file_s_own_layout_is_used() {
    // (before, a part that must appear)
    let cases = [
        ("{\n\t\"a\": 1\n}", "\n\t\"hooks\": {\n\t\t\"PreToolUse\": [\n\t\t\t{\n"),
        ("{\n    \"a\": 1\n}", "\n    \"hooks\": {\n        \"PreToolUse\": [\n            {\n"),
        ("{\r\n  \"a\": 1\r\n}", "1,\r\n  \"hooks\": {\r\n    \"PreToolUse\": [\r\n"),
        (r#"{"a":1}"#, r#"{"a":1,"hooks":{"PreToolUse":[{"matcher":"*","hooks":[{"type":"command","#),
        (r#"{"a": 1}"#, r#"{"a": 1, "hooks": {"PreToolUse": [{"matcher": "*", "hooks": [{"type": "command", "#),
        ("{}", "{ \n  \"hooks\": {\n    \"PreToolUse\": [\n"),
    ];
    for (before, part) in cases {
        let text = installed(before);
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn an_older_entry_is_mended_where_it_stands() {
    let right =
        r#"{"type": "command", "command": "/opt/p/bin/portcullis-hook", "args": ["PreToolUse", "claude-code", "9"], "timeout": 10, "onFailure": "block"}"#;
    let whole = install(None, &ours()).unwrap();
    let rest = whole.split_once("\n    ],\n    \"PermissionRequest\"").unwrap().1;
    let with = |groups: &str| format!("{{\n  \"hooks\": {{\n    \"PreToolUse\": [\n{groups}\n    ],\n    \"PermissionRequest\"{rest}");
    let theirs = r#"{"type": "command", "command": "/usr/bin/lint"}"#;
    let all = |handler: &str| format!(r#"      {{"matcher": "*", "hooks": [{handler}]}}"#);
    let added = whole.split_once("    \"PreToolUse\": [\n").unwrap().1.split_once("\n    ],").unwrap().0;
    // (what was there, what is there then), each below `PreToolUse`
    let cases = [
        (all(right), all(right)),
        (all(&right.replace("/opt/p/", "/old/")), all(right)),
        (all(&right.replace(", \"claude-code\"", "")), all(right)),
        (all(&right.replace("\"timeout\": 10", "\"timeout\": 60")), all(right)),
        (all(&right.replace(", \"onFailure\": \"block\"", "")), all(right)),
        (all(&right.replace("\"block\"", "\"continue\"")), all(right)),
        (all(&right.replace("\"timeout\"", "\"async\": true, \"timeout\"")), all(right)),
        (all(&right.replace("\"timeout\"", "\"if\": \"Bash(git *)\", \"timeout\"")), all(right)),
        (all(r#"{"type": "command", "command": "/old/portcullis-hook PreToolUse"}"#), all(right)),
        (all(r#"{"type": "command", "command": "\"$CLAUDE_PROJECT_DIR\"/bin/portcullis-hook PreToolUse"}"#), all(right)),
        // A matcher that sees everything stays, however it is written; another one is widened.
        (all(right).replace("\"*\"", "\"\""), all(right).replace("\"*\"", "\"\"")),
        (all(right).replace("\"matcher\": \"*\", ", ""), all(right).replace("\"matcher\": \"*\", ", "")),
        (all(right).replace("\"*\"", "\"Bash\""), all(right)),
        // What a person set for the display stays.
        (all(&right.replace(", \"onF", ", \"statusMessage\": \"gate\", \"onF")), all(&right.replace(", \"onF", ", \"statusMessage\": \"gate\", \"onF"))),
        // Keys in another order are no reason to write.
        (
            all(
                r#"{"command": "/opt/p/bin/portcullis-hook", "args": ["PreToolUse", "claude-code", "9"], "timeout": 10, "onFailure": "block", "type": "command"}"#,
            ),
            all(
                r#"{"command": "/opt/p/bin/portcullis-hook", "args": ["PreToolUse", "claude-code", "9"], "timeout": 10, "onFailure": "block", "type": "command"}"#,
            ),
        ),
        // Others' entries keep their places.
        ([all(theirs), all(&right.replace("10", "5")), all(theirs)].join(",\n"), [all(theirs), all(right), all(theirs)].join(",\n")),
        (all(&format!("{theirs}, {}", right.replace("10", "5"))), all(&format!("{theirs}, {right}"))),
        // Doubles go, the right one stays.
        ([all(&right.replace("/opt/p/", "/old/")), all(right)].join(",\n"), all(right)),
        ([all(right), all(theirs), all(right)].join(",\n"), [all(right), all(theirs)].join(",\n")),
        // In a group that another tool narrowed there is no place for the gate.
        (all(&format!("{theirs}, {right}")).replace("\"*\"", "\"Bash\""), [all(theirs).replace("\"*\"", "\"Bash\""), added.to_owned()].join(",\n")),
    ];
    for (before, after) in cases {
        assert_eq!(installed(&with(&before)), with(&after), "from {before}");
    }
}

#[test]
fn a_handler_in_lines_is_mended_in_lines() {
    let text = install(Some("{\n\t\"a\": 1\n}\n"), &ours()).unwrap();
    let other = install(Some(&text), &wiring("/new/portcullis-hook")).unwrap();
    assert_eq!(other, text.replace("/opt/p/bin/", "/new/"));
}

#[test]
fn what_is_not_ours_is_not_removed() {
    let text =
        r#"{"hooks":{"PreToolUse":[{"hooks":[{"type":"command","command":"/a/portcullis-hook-old"},{"type":"command","command":"/b/portcullis-hook"}]}]}}"#;
    let left = r#"{"hooks":{"PreToolUse":[{"hooks":[{"type":"command","command":"/a/portcullis-hook-old"}]}]}}"#;
    assert_eq!(remove(text, starts_gate).unwrap().as_deref(), Some(left));
    assert_eq!(remove(text, |command| command == "/c/portcullis-hook").unwrap().as_deref(), Some(text));
    // Wrong shapes elsewhere do not keep a person from taking the gate out.
    let odd = r#"{"model":5,"hooks":{"Stop":{},"PreToolUse":[5,{"hooks":7},{"hooks":[1,{"command":2},{"command":"/b/portcullis-hook"}]}]}}"#;
    assert_eq!(remove(odd, starts_gate).unwrap().as_deref(), Some(&*odd.replace(r#",{"command":"/b/portcullis-hook"}"#, "")));
}

#[test]
fn what_the_client_would_drop_is_refused_with_its_place() {
    let hook = |handler: &str| format!("{{\n \"hooks\": {{\"PreToolUse\": [{{\"hooks\": [\n  {handler}]}}]}}}}");
    let command = |more: &str| hook(&format!(r#"{{"type": "command", "command": "x"{more}}}"#));
    let cases = [
        (String::new(), 1, 1, "the file is empty"),
        (" \n".to_owned(), 1, 1, "the file is empty"),
        ("[]".to_owned(), 1, 1, "is not a JSON object"),
        ("{\n  // the model\n  \"model\": \"opus\"\n}".to_owned(), 2, 3, "a comment"),
        ("{\"model\": /* x */ 1}".to_owned(), 1, 11, "a comment"),
        ("{\n  \"a\": 1,\n}".to_owned(), 3, 1, "trailing comma"),
        ("{\n  \"\u{e4}\": 1 2}".to_owned(), 2, 10, "not JSON"),
        ("{\"a\": 1} x".to_owned(), 1, 10, "trailing characters"),
        ("{\"a\": ".to_owned(), 1, 6, "EOF"),
        ("{'a': 1}".to_owned(), 1, 2, "not JSON"),
        ("{\"a\": \"\\ud800\"}".to_owned(), 1, 14, "not JSON"),
        ("{\"hooks\": {},\n \"hooks\": {}}".to_owned(), 2, 2, "the key `hooks` is given twice"),
        ("{\"hooks\": {\"Stop\": [],\n  \"\\u0053top\": []}}".to_owned(), 2, 3, "the key `Stop` is given twice"),
        ("{\n  \"hooks\": []}".to_owned(), 2, 3, "`hooks` is not an object"),
        ("{\"hooks\": {\n\"Stop\": {}}}".to_owned(), 2, 1, "`hooks.Stop` is not a list"),
        ("{\"hooks\": {\"Stop\": [\n {\"matcher\": 1, \"hooks\": []}]}}".to_owned(), 2, 3, "a matcher on `Stop` is not a text"),
        ("{\"hooks\": {\"Stop\": [\n {\"matcher\": \"\"}]}}".to_owned(), 2, 2, "a group on `Stop` has no list `hooks`"),
        ("{\"permissions\": {\n\"deny\": \"Bash\"}}".to_owned(), 2, 1, "`permissions.deny` is not a list of texts"),
        ("{\n\"PreToolUse\": []}".to_owned(), 2, 1, "must be inside of `hooks`"),
        (hook("5"), 3, 3, "is not an object"),
        (hook("{}"), 3, 3, "has no `type` that is known"),
        (hook(r#"{"type": "shell"}"#), 3, 4, "has no `type` that is known"),
        (hook(r#"{"type": "command"}"#), 3, 3, "has no text `command`"),
        (hook(r#"{"type": "http", "url": 5}"#), 3, 20, "has no text `url`"),
        (command(r#", "timeout": 0"#), 3, 39, "`timeout` that is not a number above 0"),
        (command(r#", "timeout": -1"#), 3, 39, "`timeout` that is not a number above 0"),
        (command(r#", "timeout": "5""#), 3, 39, "`timeout` that is not a number above 0"),
        (command(r#", "onFailure": "deny""#), 3, 39, "`onFailure`"),
        (command(r#", "args": [5]"#), 3, 39, "`args` that is not a list of texts"),
    ];
    for (text, line, column, what) in cases {
        let mistake = install(Some(&text), &ours()).err().unwrap();
        assert_eq!((mistake.line, mistake.column), (line, column), "{mistake:?}: {text}");
        assert!(mistake.what.contains(what), "{mistake:?}: {text}");
        assert!(!mistake.fix.is_empty());
    }
}

#[test]
fn a_plugin_s_hooks_are_the_same() {
    let text = hooks_json(&wiring("${CLAUDE_PLUGIN_ROOT}/bin/portcullis-hook"));
    let value: Value = serde_json::from_str(&text).unwrap();
    assert!(value["description"].is_string());
    assert_eq!(effect(&text), SettingsEffect { gate_entries: 1, whole: true, faults: Vec::new() });
    assert_eq!(value["hooks"].as_object().unwrap().len(), WIRED.len());
}

#[test]
fn a_difference_names_both_sides() {
    assert_eq!(difference("s.json", Some("{}\n"), Some("{}\n")), "");
    assert_eq!(difference("s.json", None, Some("{}\n")), "--- /dev/null\n+++ s.json\n@@ -0,0 +1 @@\n+{}\n");
    assert_eq!(difference("s.json", Some("{}\n"), None), "--- s.json\n+++ /dev/null\n@@ -1 +0,0 @@\n-{}\n");
}
