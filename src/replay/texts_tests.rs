//! Texts that a session leaves, call by call.

use super::*;
use actions::json::Json;
use policy::Policy;

fn call(name: &str, input: &str) -> ToolCall {
    ToolCall { name: name.to_owned(), input: Json::read(input.as_bytes()).unwrap() }
}

#[test]
fn what_calls_make_of_a_text_is_followed() {
    let programs = Policy::programs_of(gate::BUILT_IN).unwrap();
    let write = r#"{"file_path":"/r/a.py","content":"one\ntwo\n"}"#;
    for (name, input, after) in [
        ("Edit", r#"{"file_path":"/r/a.py","old_string":"two","new_string":"three"}"#, Some("one\nthree\n")),
        ("MultiEdit", r#"{"file_path":"/r/a.py","edits":[{"old_string":"one","new_string":"1"},{"old_string":"two","new_string":"2"}]}"#, Some("1\n2\n")),
        ("apply_patch", r#"{"input":"*** Begin Patch\n*** Update File: a.py\n@@\n one\n-two\n+2\n*** End Patch"}"#, Some("one\n2\n")),
        ("Bash", r#"{"command":"sed -i s/one/1/ a.py"}"#, Some("1\ntwo\n")),
        ("Bash", r#"{"command":"echo three >> a.py"}"#, Some("one\ntwo\nthree\n")),
        ("Bash", r#"{"command":"cat > a.py <<'E'\nnew\nE"}"#, Some("new\n")),
        ("Bash", r#"{"command":"cat a.py; grep -n one a.py"}"#, Some("one\ntwo\n")),
        ("Bash", r#"{"command":"make"}"#, Some("one\ntwo\n")),
        ("Bash", r#"{"command":"make > a.py"}"#, None),
        ("Bash", r#"{"command":"rm a.py"}"#, None),
        ("Bash", r#"{"command":"rm -rf ../r/a.py"}"#, None),
        ("Edit", r#"{"file_path":"/r/b.py","old_string":"x","new_string":"y"}"#, Some("one\ntwo\n")),
    ] {
        let mut texts = FollowedTexts::default();
        texts.call(&call("Write", write), "/r", &programs);
        let changed = texts.call(&call(name, input), "/r", &programs);
        assert_eq!(texts.now().get("/r/a.py").map(|text| &**text), after, "{name} {input}");
        assert_eq!(texts.now().len(), usize::from(after.is_some()), "{name} {input}");
        texts.undo(changed);
        assert_eq!(texts.now().get("/r/a.py").map(|text| &**text), Some("one\ntwo\n"), "{name} {input}");
    }
}

#[test]
fn a_here_document_is_a_text_and_what_is_too_long_is_none() {
    let programs = Policy::programs_of(gate::BUILT_IN).unwrap();
    let mut texts = FollowedTexts::default();
    texts.call(&call("Bash", r#"{"command":"mkdir -p t && cat > t/x.sh <<'E'\necho 1\nE"}"#), "/r", &programs);
    assert_eq!(texts.now().get("/r/t/x.sh").map(|text| &**text), Some("echo 1\n"));
    texts.call(&call("Bash", r#"{"command":"rm -rf t; cat <<E\nx.sh\nE"}"#), "/r", &programs);
    assert!(texts.now().is_empty());
    let long = format!(r#"{{"file_path":"/r/a","content":"{}"}}"#, "x".repeat(MAX_TEXT + 1));
    texts.call(&call("Write", r#"{"file_path":"/r/a","content":"short"}"#), "/r", &programs);
    texts.call(&call("Write", &long), "/r", &programs);
    assert!(texts.now().is_empty(), "the old text is not the file's any more");
}
