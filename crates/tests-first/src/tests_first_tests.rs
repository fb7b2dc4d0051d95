//! Tests of `tests_first`: what a message says.

use std::collections::BTreeMap;

use super::*;
use policy::{Layer, Red};

struct Files<'t>(BTreeMap<&'t str, &'t str>);

impl Tree for Files<'_> {
    fn read(&self, path: &str) -> Option<Vec<u8>> {
        self.0.get(path).map(|text| text.as_bytes().to_vec())
    }

    fn exists(&self, path: &str) -> bool {
        self.0.contains_key(path)
    }

    fn list(&self, folder: &str) -> Vec<(String, bool)> {
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let rest = self.0.keys().filter_map(|path| path.strip_prefix(prefix.as_str()));
        let names = rest.map(|rest| rest.split_once('/').map_or((rest.to_owned(), false), |(name, _)| (name.to_owned(), true)));
        names.collect::<std::collections::BTreeSet<_>>().into_iter().collect()
    }

    fn newer(&self, _: &str, _: &str) -> Option<bool> {
        Some(false)
    }
}

fn section() -> TestsFirst<'static> {
    TestsFirst {
        place: "portcullis.toml:2",
        layer: Layer::Project,
        shadow: false,
        tier: Tier::Prohibited,
        weakening: Tier::Supervised,
        red: Red::Off,
        strict: false,
        only: Vec::new(),
        exempt: Vec::new(),
        layouts: Vec::new(),
        own: Vec::new(),
        reports: Vec::new(),
        endings: Vec::new(),
        tests: Vec::new(),
        runners: Vec::new(),
    }
}

fn price(new: FileVersion) -> [Changed; 1] {
    [Changed { path: "src/shop/price.py".to_owned(), old: FileVersion::Absent, new, part: false }]
}

const CODE: &str = "def total(net):\n    return net\n";
const TEST: &str = "def test_it():\n    assert total(1) == 1\n";

#[test]
fn a_message_names_what_fits_this_repository_best() {
    let files = Files(BTreeMap::from([
        ("pyproject.toml", ""),
        ("src/shop/a.py", ""),
        ("src/shop/a_test.py", TEST),
        ("src/shop/b_test.py", TEST),
        ("tests/test_price.py", "# later\n"),
    ]));
    let found = judge(&price(FileVersion::Known(CODE.to_owned())), &files, &section(), 0);
    let [finding] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(finding.reason, "`src/shop/price.py` defines `def total(net):`, and `tests/test_price.py` contains only comments");
    let expected = "write a failing test first, in `src/shop/price_test.py` (like 2 tests here), or in ";
    assert!(finding.instead.starts_with(expected), "{}", finding.instead);
}

#[test]
fn unknown_text_counts_as_code_and_an_unknown_test_is_unsure() {
    let files = Files(BTreeMap::from([("pyproject.toml", "")]));
    assert_eq!(judge(&price(FileVersion::Unknown), &files, &section(), 0).len(), 1);
    let test = Changed { path: "tests/test_price.py".to_owned(), old: FileVersion::Absent, new: FileVersion::Unknown, part: false };
    let [source] = price(FileVersion::Known(CODE.to_owned()));
    let found = judge(&[source, test], &files, &section(), 0);
    assert_eq!(found.iter().map(|finding| (finding.answer, finding.tier)).collect::<Vec<_>>(), [(Answer::Maybe, Tier::Supervised)]);
}

#[test]
fn a_strict_section_asks_for_a_test_that_is_newer() {
    let files = Files(BTreeMap::from([("pyproject.toml", ""), ("tests/test_price.py", TEST)]));
    let strict = TestsFirst { strict: true, ..section() };
    let changes = price(FileVersion::Known(CODE.to_owned()));
    assert!(judge(&changes, &files, &section(), 0).is_empty());
    assert_eq!(judge(&changes, &files, &strict, 0).len(), 1);
}

#[test]
fn red_goes_by_reports_that_speak_of_the_test_as_it_stands() {
    let report = |name: &str, failed: bool| format!(r#"<testsuite><testcase name="{name}">{}</testcase></testsuite>"#, if failed { "<failure/>" } else { "" });
    let (green, red, stale) = (report("test_it", false), report("test_it", true), report("test_other", false));
    let old = "def total(net):\n    return 1\n";
    for (what, report, asked, expected) in [
        ("off", Some(&green), Red::Off, 0),
        ("green", Some(&green), Red::WhenReported, 1),
        ("red", Some(&red), Red::WhenReported, 0),
        ("of another test", Some(&stale), Red::WhenReported, 0),
        ("none", None, Red::WhenReported, 0),
        ("none, required", None, Red::Required, 1),
        ("of another test, required", Some(&stale), Red::Required, 1),
        ("red, required", Some(&red), Red::Required, 0),
    ] {
        let mut files = BTreeMap::from([("pyproject.toml", ""), ("tests/test_price.py", TEST)]);
        files.extend(report.map(|report| ("reports/junit.xml", report.as_str())));
        let section = TestsFirst { red: asked, ..section() };
        assert_eq!(judge(&price(FileVersion::Known(CODE.to_owned())), &Files(files.clone()), &section, 0).len(), expected, "{what}");
        // A body that changes under green tests is refactoring.
        let [change] = price(FileVersion::Known(CODE.to_owned()));
        let change = Changed { old: FileVersion::Known(old.to_owned()), ..change };
        assert!(judge(&[change], &Files(files), &section, 0).is_empty(), "{what}");
    }
}

#[test]
fn a_section_holds_where_it_says() {
    use policy::{Exempt, OwnLayout};
    let files = Files(BTreeMap::from([("pyproject.toml", "")]));
    let changes = price(FileVersion::Known(CODE.to_owned()));
    let exempt = |until| TestsFirst { exempt: vec![Exempt { path: "src/shop/**", reason: "old", until }], ..section() };
    let own = OwnLayout { name: "own", source: vec!["src/**/*.py"], test: vec!["{pkg}checks/{stem}.py"], unit: "file", ..OwnLayout::default() };
    for (what, section, expected) in [
        ("exempt", exempt(None), 0),
        ("exempt until tomorrow", exempt(Some(11)), 0),
        ("exempt until yesterday", exempt(Some(9)), 1),
        ("only elsewhere", TestsFirst { only: vec!["lib/**"], ..section() }, 0),
        ("another layout", TestsFirst { layouts: vec!["go"], ..section() }, 0),
        ("this layout", TestsFirst { layouts: vec!["python-pytest"], ..section() }, 1),
        ("an own layout", TestsFirst { layouts: vec!["go"], own: vec![own], ..section() }, 1),
    ] {
        assert_eq!(judge(&changes, &files, &section, 10).len(), expected, "{what}");
    }
}

/// The hook goes by this without asking: nothing is found in a new file that is called so, whatever is in it and around it.
#[test]
fn what_the_first_look_takes_for_free_is_free() {
    let catalogue = Catalogue::shipped().unwrap();
    let names = catalogue.test_names(&[]);
    let endings = catalogue.endings();
    let section = TestsFirst {
        endings: endings.iter().map(String::as_str).collect(),
        tests: names.iter().map(String::as_str).collect(),
        tier: Tier::Prohibited,
        strict: true,
        red: Red::Required,
        ..section()
    };
    assert!(names.len() > 20, "{names:?}");
    let texts = [CODE, "// Code generated by x. DO NOT EDIT.\nfunc A() int { return 1 }\n", "@pytest.mark.skip\ndef test_a():\n    pass\n"];
    let around: [&[&str]; 5] = [
        &[],
        &["pyproject.toml", "src/a.py", "tests/test_a.py"],
        &["package.json", "src/a.ts", "lib/deep/package.json", "lib/deep/b.js"],
        &["go.mod", "src/main.go", "Cargo.toml", "src/lib.rs", "pom.xml"],
        &["Gemfile", "lib/a.rb", "composer.json", "src/A.php", "mix.exs", "a.sln"],
    ];
    let called = names.iter().flat_map(|name| ["a_b"].map(|word| name.replace('*', word)));
    let others = ["notes.txt", "package.json", "a.json", "Cargo.toml", "a.csv", ".eslintrc.json", "tsconfig.json", "README.md", "a.snap"].map(str::to_owned);
    let mut tried = 0;
    for name in called.chain(others) {
        for folder in ["", "src/", "lib/deep/", "tests/", "docs/", "app/src/main/"] {
            let path = format!("{folder}{name}");
            if !section.is_test_or_no_code(&path) {
                continue;
            }
            for files in around {
                let files = Files(files.iter().filter(|file| **file != path).map(|file| (*file, CODE)).collect());
                for text in texts {
                    let change = Changed { path: path.clone(), old: FileVersion::Absent, new: FileVersion::Known(text.to_owned()), part: false };
                    assert_eq!(judge(&[change], &files, &section, 0), [], "{path}");
                    tried += 1;
                }
            }
        }
    }
    assert!(tried > 2_000, "{tried}");
    for path in ["src/price.py", "src/main.go", "Makefile", "x", ".bashrc", "src/latest.py", "src/contest.ts"] {
        assert!(!section.is_test_or_no_code(path), "{path}");
    }
}
