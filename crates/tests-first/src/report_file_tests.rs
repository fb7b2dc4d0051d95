//! Tests of `report_file`: each form of a report, and what is none.

use super::*;

/// `name` for a test that passed, `name!` for one that failed.
fn short(text: &str) -> String {
    read(text).iter().map(|ran| format!("{}{}", ran.name, if ran.failed { "!" } else { "" })).collect::<Vec<_>>().join(" ")
}

#[test]
fn reports_are_read() {
    for (what, text, expected) in [
        (
            "junit",
            r#"<?xml version="1.0"?><testsuites><testsuite name="s"><testcase name="a &lt; b" classname="c"/><testcase name="c"><failure message="m">x</failure></testcase><testcase name="d"><skipped/></testcase><testcase name="e"><error/></testcase></testsuite></testsuites>"#,
            "a < b c! e!",
        ),
        ("junit cut short", r#"<testsuites><testcase name="a"></testsuites>"#, ""),
        ("tap", "TAP version 14\n1..4\nok 1 - a\nnot ok 2 - b\nok 3 - c # SKIP why\nnot ok 4 - d # TODO\n", "a b!"),
        (
            "jest",
            r#"{"testResults":[{"assertionResults":[{"title":"a","status":"passed"},{"title":"b","status":"failed"},{"title":"c","status":"pending"}]}]}"#,
            "a b!",
        ),
        ("mocha", r#"{"tests":[{"title":"a","fullTitle":"x a","err":{}},{"title":"b","fullTitle":"x b","err":{"message":"m"}}],"pending":[]}"#, "a b!"),
        (
            "pytest",
            r#"{"tests":[{"nodeid":"tests/test_a.py::test_a","outcome":"passed"},{"nodeid":"tests/test_a.py::test_b","outcome":"failed"}]}"#,
            "tests/test_a.py::test_a tests/test_a.py::test_b!",
        ),
        (
            "go",
            "{\"Action\":\"run\",\"Test\":\"TestA\"}\n{\"Action\":\"pass\",\"Test\":\"TestA\"}\n{\"Action\":\"fail\",\"Test\":\"TestB\"}\n{\"Action\":\"fail\",\"Package\":\"p\"}\n",
            "TestA TestB!",
        ),
        (
            "libtest",
            "{\"type\":\"suite\",\"event\":\"started\"}\n{\"type\":\"test\",\"event\":\"ok\",\"name\":\"m::a\"}\n{\"type\":\"test\",\"event\":\"failed\",\"name\":\"m::b\"}\n",
            "m::a m::b!",
        ),
        ("a package's settings", r#"{"name":"shop","tests":{}}"#, ""),
        ("other prose", "The results are fine.\nok 1 - a\n", ""),
        ("nothing", "", ""),
    ] {
        assert_eq!(short(text), expected, "{what}");
    }
}
