//! The reader against the general one, and what it refuses.

use super::*;

fn same(mine: &Json, other: &serde_json::Value) -> bool {
    use serde_json::Value;
    match (mine, other) {
        (Json::Null, Value::Null) => true,
        (Json::Bool(a), Value::Bool(b)) => a == b,
        (Json::Number(a), Value::Number(b)) => a.parse::<f64>().ok() == b.as_f64(),
        (Json::Text(a), Value::String(b)) => a == b,
        (Json::List(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Json::Object(a), Value::Object(b)) => a.len() == b.len() && a.iter().all(|(key, value)| b.get(key).is_some_and(|other| same(value, other))),
        _ => false,
    }
}

/// Pieces that meet in every order; a fixed sequence, so that a red run can be repeated.
#[test]
fn it_reads_what_the_general_reader_reads() {
    const PIECES: &[&str] = &[
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"a\"",
        "\"b\\n\"",
        "\"\\ud83d\\ude00\"",
        "\"\\ud83d\"",
        "\"long text without any escape at all\"",
        "\"x\\\\\\\"y\"",
        "1",
        "-0.5e3",
        "01",
        "1.",
        "true",
        "nul",
        "null",
        " ",
        "\n",
        "\"",
        "\\",
        "\"\\x\"",
        "\"\u{1}\"",
        "ä",
        "\"ä€\"",
        "{\"k\":1}",
        "[1,2]",
        "{\"k\":",
        "\"k\":",
    ];
    let mut seed = 1u64;
    let mut agreed = 0;
    for round in 0..60_000 {
        let mut text = String::new();
        for _ in 0..=round % 7 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            text.push_str(PIECES[(seed >> 33) as usize % PIECES.len()]);
        }
        match (Json::read(text.as_bytes()), serde_json::from_str::<serde_json::Value>(&text)) {
            (Ok(mine), Ok(other)) => {
                agreed += 1;
                assert!(same(&mine, &other), "{text:?}: {mine:?}");
            }
            (Err(why), Ok(_)) => assert_eq!(why.split(" at ").next(), Some("a key occurs twice"), "{text:?}: {why}"),
            // A number is kept as written, so it has no range.
            (Ok(_), Err(error)) if error.to_string().starts_with("number out of range") => {}
            (Ok(mine), Err(error)) => panic!("{text:?} was read as {mine:?}, but {error}"),
            (Err(_), Err(_)) => {}
        }
    }
    assert!(agreed > 1000, "only {agreed} texts were JSON");
}

#[test]
fn what_is_quoted_reads_back() {
    for text in ["", "a\"b\\c", "line\nend\t\r\u{1}\u{1f}", "ä€😀"] {
        assert_eq!(Json::read(quoted(text).as_bytes()), Ok(Json::Text(text.to_owned())));
    }
}

#[test]
fn what_an_attacker_might_send_is_refused() {
    for (text, what) in [
        ("{\"a\":1,\"a\":2}".to_owned(), "a key occurs twice"),
        (format!("{}1{}", "[".repeat(200), "]".repeat(200)), "it is nested beyond 128 levels"),
        ("\"\\ud800\"".to_owned(), "half of a surrogate pair is alone"),
        ("\"\\udc00\"".to_owned(), "half of a surrogate pair is alone"),
        ("{} {}".to_owned(), "there is more behind its end"),
        ("{\"a\":".to_owned(), "it ends too early"),
        (String::new(), "it ends too early"),
        ("\u{feff}{}".to_owned(), "there is no JSON value"),
        (format!("{{{}\"k3\":1}}", (0..40).map(|at| format!("\"k{at}\":1,")).collect::<Vec<_>>().concat()), "a key occurs twice"),
    ] {
        assert_eq!(Json::read(text.as_bytes()).unwrap_err().split(" at ").next(), Some(what), "{text}");
    }
    assert!(Json::read(&[b'"', 0xff, b'"']).unwrap_err().starts_with("it is not UTF-8"));
}

#[test]
fn numbers_are_written_as_others_write_them() {
    for number in [0, 1, 9, 10, 99, 100, 1_796_135_257_049, u64::MAX - 1, u64::MAX] {
        let mut out = "n".to_owned();
        put_number(number, &mut out);
        assert_eq!(out, format!("n{number}"));
    }
}

#[test]
fn a_text_is_added_as_it_is_quoted_alone() {
    for text in ["", "plain", "a \"quote\"", "tab\t", "\u{7f}", "größe", "a\u{202e}b", "\u{1}", "0123456\\"] {
        let mut out = "before".to_owned();
        put_quoted(text, &mut out);
        assert_eq!(out, format!("before{}", quoted(text)));
        assert_eq!(Json::read(quoted(text).as_bytes()).unwrap(), Json::Text(text.to_owned()));
    }
}
