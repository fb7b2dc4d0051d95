//! Lines of the record: what was written is read back, and no line is too long.

use super::*;

/// Numbers drawn by lot, the same in every run.
struct Lot(u64);

impl Lot {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % most
    }

    fn text(&mut self, most: usize) -> String {
        const SIGNS: &[char] = &['a', 'Z', '0', ' ', '"', '\\', '\n', '\t', '\u{1}', '\u{7f}', 'é', '…', '\u{1f600}', '/', '-', '{', '\u{2028}'];
        let length = self.below(most);
        (0..length).map(|_| SIGNS[self.below(SIGNS.len())]).collect()
    }

    fn entry(&mut self, long: usize) -> Entry {
        let named = |at: usize| ["force-push", "secret-written", "recursive-deletion", "gate-changed", "gate-unwired"][at].to_owned();
        Entry {
            session: self.text(long.min(60)),
            agent: self.text(long.min(40)),
            agent_id: self.text(long.min(30)),
            tool: self.text(long.min(60)),
            call: self.text(long.min(40)),
            input: Some(self.0),
            kinds: ["run", "write", "delete", "read", "fetch", "call", "spawn", "push", "opaque"]
                .iter()
                .take(self.below(10))
                .map(|kind| (*kind).to_owned())
                .collect(),
            tier: [None, Some(1), Some(4)][self.below(3)],
            rules: (0..self.below(6)).map(|at| RecordedRule { name: named(at.min(4)), tier: 3, shadow: at % 2 == 1 }).collect(),
            held: [None, Some(Held::Ask), Some(Held::Deny)][self.below(3)],
            paused: self.below(2) == 1,
            took: [None, Some(0), Some(1234)][self.below(3)],
            outcome: [None, Some(Outcome::Ok), Some(Outcome::Failed), Some(Outcome::Interrupted)][self.below(4)],
            exit: [None, Some(0), Some(-1), Some(i64::MAX)][self.below(4)],
            error: [None, Some(u64::MAX)][self.below(2)],
            said: self.text(long),
            path: self.text(long),
            what: self.text(long),
            ..Entry::new("PreToolUse", [RecordSource::Hot, RecordSource::Cold, RecordSource::Git, RecordSource::Check][self.below(4)], self.0)
        }
    }
}

#[test]
fn what_was_written_is_read_back() {
    let mut lot = Lot(1);
    for round in 0..3000 {
        let mut entry = lot.entry(8);
        let line = entry.line();
        assert!(line.ends_with("}\n") && line.len() <= MAX_LINE && line.matches('\n').count() == 1, "{line}");
        let json: serde_json::Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{round}: {error}: {line}"));
        assert_eq!(json["v"], SCHEMA);
        entry.rules.truncate(MAX_RULES);
        assert_eq!(Entry::read(line.as_bytes()).as_ref(), Some(&entry), "{line}");
        assert_eq!(entry.line_with_twin().twin().map(|twin| twin.map(str::to_owned)), entry.twin(), "{line}");
    }
}

#[test]
fn a_long_line_is_clipped_and_stays_whole() {
    let mut lot = Lot(2);
    for _ in 0..2000 {
        let entry = lot.entry(5000);
        let line = entry.line();
        assert!(line.len() <= MAX_LINE, "{}: {line}", line.len());
        let read = Entry::read(line.as_bytes()).unwrap_or_else(|| panic!("{line}"));
        for (read, whole) in [(&read.what, &entry.what), (&read.path, &entry.path), (&read.said, &entry.said), (&read.session, &entry.session)] {
            assert!(read == whole || whole.starts_with(read.trim_end_matches('…')), "{line}");
        }
        assert_eq!((read.time, read.input, read.tier, read.held), (entry.time, entry.input, entry.tier, entry.held));
    }
}

#[test]
fn other_lines_are_none() {
    for line in [
        "",
        "{}",
        "null",
        "{\"v\":2}",
        "{\"v\":3,\"time\":1,\"source\":\"hot\"}",
        "{\"v\":2,\"time\":1,\"source\":\"x\"}",
        "{\"v\":2,\"time\":1,\"door\":\"hot\"}",
        "{\"v\":2,\"time\":1,\"source\":\"hot\"",
    ] {
        assert_eq!(Entry::read(line.as_bytes()), None, "{line}");
    }
    assert!(Entry::read(br#"{"v":2,"time":1,"source":"hot","later":[1]}"#).is_some());
}

#[test]
fn lines_of_the_older_schema_are_read() {
    for (old, new, held) in [("deny", "denied", Held::Deny), ("ask", "asked", Held::Ask)] {
        let old = Entry::read(format!(r#"{{"v":1,"time":7,"door":"git","event":"pre-push","tier":4,"held":"{old}"}}"#).as_bytes()).unwrap();
        assert_eq!((old.source, old.held), (RecordSource::Git, Some(held)));
        assert_eq!(old.line(), format!("{{\"v\":2,\"time\":7,\"source\":\"git\",\"event\":\"pre-push\",\"tier\":4,\"stopped\":\"{new}\"}}\n"));
        assert_eq!(Entry::read(old.line().as_bytes()), Some(old));
    }
}

#[test]
fn the_hash_is_the_same_in_every_build() {
    // Records that are there already are compared with new ones.
    assert_eq!(["", "a", "ls -la", "0123456789abcdef"].map(|text| hash(text.as_bytes())), PINNED);
    assert_ne!(hash(b"a"), hash(b"a\0"));
    assert_ne!(hash_all(&["a", "b"]), hash_all(&["ab", ""]));
    let json = |text: &str| hash_of(&Json::read(text.as_bytes()).unwrap());
    assert_eq!(json(r#"{"a":1,"b":[true,null]}"#), json(r#"{"b":[true,null],"a":1}"#));
    assert_ne!(json(r#"{"a":1,"b":2}"#), json(r#"{"a":2,"b":1}"#));
    assert_ne!(json(r#"["a","b"]"#), json(r#"["b","a"]"#));
    assert_ne!(json(r#""1""#), json("1"));
}

const PINNED: [u64; 4] = [14_306_750_268_250_874_875, 9_271_604_239_295_644_970, 11_318_062_687_047_073_666, 10_763_804_041_573_525_852];

fn of(name: &str, fields: &str) -> Entry {
    let text = format!(r#"{{"hook_event_name":"{name}","session_id":"s",{fields}}}"#);
    Entry::of(&clients::Invocation::new(None, None).read(text.as_bytes()).unwrap(), RecordSource::Hot, 1)
}

#[test]
fn events_tell_what_became_of_a_call() {
    let bash = r#""tool_name":"Bash","tool_input":{"command":"make test"},"tool_use_id":"toolu_1""#;
    let asked = of("PreToolUse", bash);
    assert_eq!((asked.what.as_str(), asked.call.as_str(), asked.outcome), ("make test", "toolu_1", None));
    let done = of("PostToolUse", &format!(r#"{bash},"tool_response":{{"stdout":"x","interrupted":false}}"#));
    assert_eq!((done.outcome, done.input), (Some(Outcome::Ok), asked.input));
    assert_eq!(of("PostToolUse", &format!(r#"{bash},"tool_response":{{"interrupted":true}}"#)).outcome, Some(Outcome::Interrupted));
    let failed = of("PostToolUseFailure", &format!(r#"{bash},"error":"Exit code 3\n\nerror: no rule\nmore","is_interrupt":false"#));
    assert_eq!((failed.outcome, failed.exit, failed.said.as_str()), (Some(Outcome::Failed), Some(3), "error: no rule"));
    assert!(failed.error.is_some() && failed.input == asked.input);
    let file = of("PreToolUse", r#""tool_name":"Write","tool_input":{"file_path":"/a/b","content":"secret text"}"#);
    assert_eq!((file.path.as_str(), file.what.as_str()), ("/a/b", ""));
    let tool = of("PreToolUse", r#""tool_name":"mcp__a__b","tool_input":{"to":"x","n":[1,2]}"#);
    assert_eq!(tool.what, "to=x n=1 n=2");
}
