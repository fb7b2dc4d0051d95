//! Rows of calls that are a circle, and rows that are not.

use super::*;
use policy::Layer;

fn section() -> Stall<'static> {
    Stall {
        place: "p:1",
        layer: Layer::Project,
        shadow: false,
        repeat: 3,
        cycle: (2, 5),
        times: 3,
        errors: 4,
        idle: 6,
        notes: true,
        denies: true,
        stops: true,
        waits: Vec::new(),
    }
}

/// A trail by letters: the call and its answer (`aA`), `!` behind it for a change, `?` for a failure, `-` for a denied try.
fn trail(text: &str) -> Vec<SeenCall> {
    let call = |(at, word): (usize, &str)| {
        let bytes = word.as_bytes();
        let [input, result] = [0, 1].map(|at| bytes.get(at).copied().unwrap_or(0));
        SeenCall {
            input: input.into(),
            result: result.into(),
            failed: word.ends_with('?'),
            changed: word.ends_with('!'),
            denied: word.ends_with('-'),
            time: at as u64,
        }
    };
    text.split_whitespace().enumerate().map(call).collect()
}

#[test]
fn circles_are_noted_when_they_are_seen_and_again_when_they_are_as_long_once_more() {
    for (text, noted) in [
        ("aA aA", None),
        ("aA aA aA", Some(Circle::Repeated(3))),
        ("aA aA aA aA", None),
        ("aA aA aA aA aA aA", Some(Circle::Repeated(6))),
        ("aA aB aA aB", None),
        ("aA aA bB aA", None),
        ("aA aA wW! aA", None),
        ("aA bB aA bB aA bB", Some(Circle::Cycle(2, 3))),
        ("aA bB aA bC aA bB", None),
        ("aA bB cC aA bB cC aA bB cC", Some(Circle::Cycle(3, 3))),
        ("aA bB cC dD eE aA bB cC dD eE aA bB cC dD eE", Some(Circle::Cycle(5, 3))),
        ("aX? bX? cX?", None),
        ("aX? bX? cX? dX?", Some(Circle::SameError(4))),
        ("aX? bX? cY? dX?", None),
        ("aA bB cC dD eE fF", None),
        ("wW! aA bB cC dD eE fF", Some(Circle::Idle(6))),
        ("wW! aA bB cC dD eE", None),
    ] {
        assert_eq!(after(&trail(text), &section()), noted, "{text}");
    }
}

#[test]
fn the_next_call_of_a_circle_is_stopped_and_any_other_is_not() {
    for (text, input, step) in [
        ("aA aA aA", 'a', Some(StallStep::Deny(Circle::Repeated(3)))),
        ("aA aA aA", 'b', None),
        ("aA aA", 'a', None),
        ("aA aA aA wW!", 'a', None),
        ("aA bB aA bB aA bB", 'a', Some(StallStep::Deny(Circle::Cycle(2, 3)))),
        ("aA bB aA bB aA bB", 'c', None),
        ("aA aA aA a- a-", 'a', Some(StallStep::Deny(Circle::Repeated(3)))),
        ("aA aA aA a- a- a-", 'a', Some(StallStep::Stop(3))),
        ("x- x- x- x- x-", 'x', None),
        ("x- x- x- x- x- x-", 'x', Some(StallStep::Stop(6))),
        ("x- x- x- x- x- x-", 'y', None),
    ] {
        assert_eq!(before(&trail(text), &section(), u64::from(u32::from(input)), 100), step, "{text} {input}");
    }
    // Denied tries are forgotten.
    assert_eq!(before(&trail("x- x- x- x- x- x-"), &section(), u64::from(b'x'), 100 + FORGOTTEN), None);
    let quiet = Stall { denies: false, stops: false, ..section() };
    assert_eq!(before(&trail("aA aA aA a- a- a-"), &quiet, u64::from(b'a'), 100), None);
}

#[test]
fn durations_and_times_of_day_do_not_make_an_answer_another_one() {
    let of = |text: &str| fingerprint(&Json::read(text.as_bytes()).unwrap());
    for (one, other, equal) in [
        (r#"{"stdout":"2 failed in 0.03s"}"#, r#"{"stdout":"2 failed in 0.12s"}"#, true),
        (r#"{"stdout":"2 failed in 0.03s"}"#, r#"{"stdout":"1 failed in 0.03s"}"#, false),
        (r#"{"stdout":"at 12:03:44 done"}"#, r#"{"stdout":"at 12:03:59 done"}"#, true),
        (r#"{"stdout":"at 12:03:44 done"}"#, r#"{"stdout":"at 12:03:44 gone"}"#, false),
        (r#"{"stdout":"x","durationMs":3}"#, r#"{"durationMs":9,"stdout":"x"}"#, true),
        (r#"{"stdout":"10 %"}"#, r#"{"stdout":"20 %"}"#, false),
        (r#"{"stdout":"line 10"}"#, r#"{"stdout":"line 11"}"#, false),
        (r#"["a","b"]"#, r#"["b","a"]"#, false),
        (r#"{"stdout":"2026-11-30 ok, 3 ms"}"#, r#"{"stdout":"2026-12-01 ok, 14 ms"}"#, true),
        (r#""é 3µs""#, r#""é 4µs""#, true),
        // Whoever waits for a pipeline sees its minutes; a run that is tried once more takes about as long.
        (r#""in progress, 3 min""#, r#""in progress, 4 min""#, false),
        (r#""in progress, 1 minute ago""#, r#""in progress, 2 minutes ago""#, false),
        (r#""X build in 2m13s""#, r#""X build in 3m2s""#, false),
        (r#""X build in 2m13s""#, r#""X build in 2m40s""#, true),
        (r#""2 failed in 83.2s (0:01:23)""#, r#""2 failed in 84.9s (0:01:24)""#, true),
        (r#""BUILD FAILED in 1m 23s""#, r#""BUILD FAILED in 1m 21s""#, true),
        (r#""Total time: 01:23 min""#, r#""Total time: 01:25 min""#, true),
        (r#""done in 1.2 min""#, r#""done in 1.4 min""#, true),
        // Gemini CLI's shell names the process group of each call.
        (r#"{"llmContent":"Output: a\nProcess Group PGID: 14468"}"#, r#"{"llmContent":"Output: a\nProcess Group PGID: 15171"}"#, true),
        (r#"{"llmContent":"Output: a\nProcess Group PGID: 14468"}"#, r#"{"llmContent":"Output: b\nProcess Group PGID: 14468"}"#, false),
        (r#""server (pid 17) is up""#, r#""server (pid 923) is up""#, true),
        (r#""pid=17 ok""#, r#""pid=18 ok""#, true),
        (r#""Background PIDs: 17, 18\nExit Code: 1""#, r#""Background PIDs: 27, 28\nExit Code: 1""#, true),
        (r#""Background PIDs: 17, 18\nExit Code: 1""#, r#""Background PIDs: 17, 18\nExit Code: 2""#, false),
        (r#""rapid 17""#, r#""rapid 18""#, false),
        (r#""PID 17: 3 left""#, r#""PID 17: 2 left""#, false),
        (r#""17 PID""#, r#""18 PID""#, false),
    ] {
        assert_eq!(of(one) == of(other), equal, "{one} {other}");
    }
}
