//! Tests first, by small projects of many ecosystems laid out as their documentation says (`tests/ecosystems/*.toml`).
//!
//! A project has its `manifest` (files and texts), a `source` with its `code` (a `smaller` and a `changed` one, and one that
//! only `declares`), a `test` with texts that are `real`, `skipped` and `hollow` (no assertion), the sign of a `remark`, and
//! where tests can be in the source, the source with one (`inline`).

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use policy::{Layer, Red, TestsFirst, Tier};
use tests_first::{Changed, FileVersion, Tree, judge};

use crate::support::{Scratch, json, package};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Ecosystem {
    name: String,
    manifest: BTreeMap<String, String>,
    source: String,
    code: String,
    smaller: String,
    changed: String,
    declares: Option<String>,
    remark: String,
    /// Of the test, where it is in another language.
    remark_test: Option<String>,
    test: String,
    real: String,
    skipped: Option<String>,
    hollow: String,
    inline: Option<String>,
}

#[derive(serde::Deserialize)]
struct File {
    ecosystem: Vec<Ecosystem>,
}

fn ecosystems() -> Vec<Ecosystem> {
    ["first", "second"]
        .iter()
        .flat_map(|name| {
            let text = fs::read_to_string(package().join(format!("tests/ecosystems/{name}.toml"))).unwrap();
            toml::from_str::<File>(&text).unwrap_or_else(|error| panic!("{name}: {error}")).ecosystem
        })
        .collect()
}

/// The policy of the projects.
const POLICY: &str = "schema = 1\n[tests-first]\ntier = 4\n";

/// A project with files, below a folder.
struct Project<'e> {
    scratch: &'e Scratch,
    of: &'e Ecosystem,
    folder: &'static str,
}

impl<'e> Project<'e> {
    /// The scratch repository is emptied and used again: its policy is compiled once.
    fn new(scratch: &'e Scratch, of: &'e Ecosystem, folder: &'static str) -> Self {
        for entry in fs::read_dir(scratch.repo()).unwrap().map(Result::unwrap) {
            if entry.file_name() == ".git" || entry.file_name() == "portcullis.toml" {
                continue;
            }
            if entry.path().is_dir() { fs::remove_dir_all(entry.path()).unwrap() } else { fs::remove_file(entry.path()).unwrap() }
        }
        let project = Self { scratch, of, folder };
        for (path, text) in &of.manifest {
            project.with(path, text);
        }
        project
    }

    fn with(&self, path: &str, text: &str) -> &Self {
        self.scratch.write(&format!("{}{path}", self.folder), text);
        self
    }

    /// What is said when a file is written.
    fn writes(&self, path: &str, text: &str) -> String {
        let path = self.scratch.repo().join(format!("{}{path}", self.folder));
        let input = format!(r#"{{"file_path":{},"content":{}}}"#, json(&path.to_string_lossy()), json(text));
        self.scratch.judge("PreToolUse", &self.scratch.payload("Write", &input, "default")).short()
    }

    fn source(&self, text: &str) -> String {
        self.writes(&self.of.source, text)
    }
}

/// Every line of a text as a remark.
fn remarked(text: &str, mark: &str) -> String {
    if mark.is_empty() {
        return format!("(* {} *)\n", text.replace("(*", "( *"));
    }
    text.lines().flat_map(|line| [mark, line, "\n"]).collect()
}

const DENY: &str = "deny tests-first";
const FREE: &str = "free";

/// The cells of a row: what, what was expected, what came.
fn row(scratch: &Scratch, of: &Ecosystem) -> Vec<(&'static str, String, String)> {
    let mut cells = Vec::new();
    let mut cell = |name: &'static str, expected: &str, got: String| cells.push((name, expected.to_owned(), got));
    let new = |folder| Project::new(scratch, of, folder);
    let remark_test = of.remark_test.as_ref().unwrap_or(&of.remark);

    cell("without test", DENY, new("").source(&of.code));
    cell("with test", FREE, new("").with(&of.test, &of.real).source(&of.code));
    cell("test first", FREE, new("").writes(&of.test, &of.real));
    cell("empty test", DENY, new("").with(&of.test, "").source(&of.code));
    cell("remarks only", DENY, new("").with(&of.test, &remarked(&of.real, remark_test)).source(&of.code));
    if let Some(skipped) = &of.skipped {
        cell("skipped test", DENY, new("").with(&of.test, skipped).source(&of.code));
    }
    cell("no assertion", DENY, new("").with(&of.test, &of.hollow).source(&of.code));
    if let Some(inline) = &of.inline {
        cell("in the file", FREE, new("").source(inline));
    }
    let with_code = |folder| {
        let project = new(folder);
        project.with(&of.source, &of.code);
        project
    };
    cell("changed body", DENY, with_code("").source(&of.changed));
    cell("refactored", FREE, with_code("").with(&of.test, &of.real).source(&of.changed));
    cell("lines leave", FREE, with_code("").source(&of.smaller));
    cell("remarks added", FREE, with_code("").source(&format!("{}{}", remarked("a remark", &of.remark), of.code)));
    cell("formatted", FREE, with_code("").source(&of.code.replace("\n\n", "\n\n\n")));
    let generated = if of.code.trim_start().starts_with("<?php") {
        of.code.replacen("<?php", "<?php\n// Code generated by maker. DO NOT EDIT.", 1)
    } else {
        format!("{}{}", remarked("Code generated by maker. DO NOT EDIT.", &of.remark), of.code)
    };
    cell("says generated", "ask tests-first", new("").source(&generated));
    let project = new("");
    project.with(&of.source, &generated.replace("maker", "another maker"));
    cell("generated", FREE, project.source(&generated));
    let project = new("");
    project.with(".gitattributes", &format!("*.none text\n{} linguist-generated\n", of.source));
    cell("told generated", FREE, project.source(&generated));
    let _ = fs::remove_file(scratch.repo().join(".gitattributes"));
    if let Some(declares) = &of.declares {
        cell("declares", FREE, new("").source(declares));
    }
    cell("monorepo", DENY, new("packages/one/").source(&of.code));
    cell("monorepo, tested", FREE, new("packages/one/").with(&of.test, &of.real).source(&of.code));
    if !of.manifest.is_empty() {
        let other = new("packages/one/");
        for (path, text) in of.manifest.iter().chain([(&of.test, &of.real)]) {
            other.scratch.write(&format!("packages/two/{path}"), text);
        }
        cell("tested elsewhere", DENY, other.source(&of.code));
    }
    // The file goes, and its test with it.
    let both = with_code("");
    both.with(&of.test, &of.real);
    cell("both go", FREE, both.scratch.bash(&format!("git rm -q --cached x; rm '{}' '{}'", of.source, of.test)).short());
    cells
}

#[test]
#[expect(clippy::print_stdout, reason = "the table is what a person looks at")]
fn no_cell_is_wrong() {
    let mut table = String::new();
    let mut wrong = String::new();
    let (mut rows, mut count) = (0, 0);
    let scratch = Scratch::new();
    scratch.write("portcullis.toml", POLICY);
    for of in &ecosystems() {
        rows += 1;
        let _ = write!(table, "{:<16}", of.name);
        for (cell, expected, got) in row(&scratch, of) {
            count += 1;
            let _ = write!(table, " {}:{}", cell, if got == expected { "ok" } else { "WRONG" });
            if got != expected {
                let _ = writeln!(wrong, "{}, {cell}: expected {expected}, got {got}", of.name);
            }
        }
        table.push('\n');
    }
    println!("{table}{rows} ecosystems, {count} cells");
    assert!(wrong.is_empty(), "{wrong}");
}

/// The same edit by many ways of writing, each a tool and its input; `{R}` is the repository.
const WAYS: &[(&str, &str, &str)] = &[
    ("Write", "Write", r#"{"file_path":"{R}/src/shop/price.py","content":"def total(net):\n    return net * 2\n"}"#),
    ("Edit", "Edit", r#"{"file_path":"{R}/src/shop/price.py","old_string":"","new_string":"def total(net):\n    return net * 2\n"}"#),
    ("MultiEdit", "MultiEdit", r#"{"file_path":"{R}/src/shop/price.py","edits":[{"old_string":"","new_string":"def total(net):\n    return net * 2\n"}]}"#),
    ("apply_patch", "apply_patch", r#"{"command":"*** Begin Patch\n*** Add File: src/shop/price.py\n+def total(net):\n+    return net * 2\n*** End Patch\n"}"#),
    ("here-document", "Bash", r#"{"command":"cat > src/shop/price.py <<'EOF'\ndef total(net):\n    return net * 2\nEOF"}"#),
    ("tee", "Bash", r#"{"command":"printf 'def total(net):\\n    return net * 2\\n' | tee src/shop/price.py"}"#),
    ("cp", "Bash", r#"{"command":"cp drafts/price.py src/shop/price.py"}"#),
    ("sed -i", "Bash", r#"{"command":"sed -i 's/pass/return 2/' src/shop/old.py"}"#),
    (
        "git apply",
        "Bash",
        r#"{"command":"git apply <<'EOF'\ndiff --git a/src/shop/price.py b/src/shop/price.py\nnew file mode 100644\n--- /dev/null\n+++ b/src/shop/price.py\n@@ -0,0 +1,2 @@\n+def total(net):\n+    return net * 2\nEOF"}"#,
    ),
    ("python", "Bash", r#"{"command":"python3 -c \"open('src/shop/price.py', 'w').write('def total(net):\\n    return net * 2\\n')\""}"#),
    ("echo", "Bash", r#"{"command":"echo 'def total(net): return net * 2' > src/shop/price.py"}"#),
    ("script", "Bash", r#"{"command":"bash write.sh"}"#),
    ("files together", "Bash", r#"{"command":"cat drafts/price.py drafts/price.py > src/shop/price.py"}"#),
    ("files together, behind", "Bash", r#"{"command":"cat drafts/price.py drafts/price.py >> src/shop/old.py"}"#),
    ("tool server", "mcp__files__write_file", r#"{"path":"{R}/src/shop/price.py","content":"def total(net):\n    return net * 2\n"}"#),
];

#[test]
fn every_way_of_writing_is_judged_alike() {
    let mut wrong = String::new();
    for tested in [false, true] {
        let scratch = Scratch::new();
        scratch.write("portcullis.toml", POLICY);
        for (way, tool, input) in WAYS {
            for mode in ["default", "plan", "bypassPermissions"] {
                scratch.write("pyproject.toml", "");
                scratch.write("drafts/price.py", "def total(net):\n    return net * 2\n");
                scratch.write("src/shop/old.py", "def old():\n    pass\n");
                scratch.write("write.sh", "echo 'def total(net): return net * 2' > src/shop/price.py\n");
                if tested {
                    for name in ["price", "old"] {
                        scratch.write(&format!("tests/test_{name}.py"), "def test_it():\n    assert total(1) == 2\n");
                    }
                }
                let input = input.replace("{R}", &scratch.repo().to_string_lossy());
                let said = scratch.hook("PreToolUse", scratch.payload(tool, &input, mode).as_bytes());
                let (expected, got) = (if tested { FREE } else { DENY }, said.short());
                if got != expected {
                    let _ = writeln!(wrong, "{way}, {mode}, tested {tested}: expected {expected}, got {got}\n{}{}", said.stdout, said.stderr);
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn what_writes_no_code_needs_no_test() {
    let scratch = Scratch::new();
    scratch.write("portcullis.toml", POLICY);
    scratch.write("pyproject.toml", "");
    scratch.write("src/shop/old.py", "def old():\n    pass\n");
    scratch.write("examples/pay.py", "def pay(n):\n    return n + 1\n");
    for (expected, command) in [
        (FREE, "touch src/shop/price.py"),
        (FREE, "mkdir -p src/shop/tax && touch src/shop/tax/__init__.py src/shop/tax/price.py"),
        (FREE, ": > src/shop/price.py"),
        (FREE, "touch src/shop/old.py"),
        (FREE, "git mv src/shop/old.py src/shop/older.py"),
        (FREE, "mv src/shop/old.py examples/old.py"),
        (FREE, "mv examples/pay.py examples/paid.py"),
        // What needed no test where it was is new code where it comes.
        (DENY, "mv examples/pay.py src/shop/pay.py"),
        (DENY, "git mv examples/pay.py src/shop/pay.py"),
        (DENY, "cp examples/pay.py src/shop/pay.py && rm examples/pay.py"),
        (FREE, "cp src/shop/old.py /tmp/old.py"),
        (DENY, "touch src/shop/price.py && printf 'def total(n):\\n    return n\\n' >> src/shop/price.py"),
        (DENY, "cat drafts/*.py > src/shop/price.py"),
    ] {
        assert_eq!(scratch.bash(command).short(), expected, "{command}");
    }
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    path: String,
    old: Option<String>,
    new: Option<String>,
    #[serde(default)]
    also: Vec<Also>,
    #[serde(default)]
    files: BTreeMap<String, String>,
    #[serde(default)]
    found: Vec<String>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Also {
    path: String,
    old: Option<String>,
    new: Option<String>,
}

#[derive(serde::Deserialize)]
struct Cases {
    case: Vec<Case>,
}

/// Files in memory.
pub(crate) struct Files<'c>(pub(crate) &'c BTreeMap<String, String>);

impl Tree for Files<'_> {
    fn read(&self, path: &str) -> Option<Vec<u8>> {
        self.0.get(path).map(|text| text.clone().into_bytes())
    }

    fn exists(&self, path: &str) -> bool {
        self.0.contains_key(path)
    }

    fn list(&self, folder: &str) -> Vec<(String, bool)> {
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let names = self.0.keys().filter_map(|path| path.strip_prefix(&prefix));
        let mut names: Vec<(String, bool)> =
            names.map(|rest| rest.split_once('/').map_or((rest.to_owned(), false), |(name, _)| (name.to_owned(), true))).collect();
        names.sort();
        names.dedup();
        names
    }
}

pub(crate) fn section() -> TestsFirst<'static> {
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
        tests: Vec::new(),
        endings: Vec::new(),
        runners: Vec::new(),
    }
}

fn text(text: Option<&String>) -> FileVersion {
    text.map_or(FileVersion::Absent, |text| FileVersion::Known(text.clone()))
}

#[test]
#[expect(clippy::print_stdout, reason = "the figures are what a person looks at")]
fn changes_are_told_apart() {
    let cases: Cases = toml::from_str(&fs::read_to_string(package().join("tests/ecosystems/changes.toml")).unwrap()).unwrap();
    let mut wrong = String::new();
    for case in &cases.case {
        let mut changes = vec![Changed { path: case.path.clone(), old: text(case.old.as_ref()), new: text(case.new.as_ref()), part: false }];
        changes.extend(case.also.iter().map(|also| Changed {
            path: also.path.clone(),
            old: text(also.old.as_ref()),
            new: text(also.new.as_ref()),
            part: false,
        }));
        let found = judge(&changes, &Files(&case.files), &section(), 0);
        let rules: Vec<&str> = found.iter().map(|finding| finding.rule.as_str()).collect();
        if rules != case.found {
            let _ = writeln!(
                wrong,
                "{}: expected {:?}, got {rules:?} {:?}",
                case.name,
                case.found,
                found.iter().map(|finding| &finding.reason).collect::<Vec<_>>()
            );
        }
    }
    let held = |rule: &str| cases.case.iter().filter(|case| case.found.iter().any(|found| found == rule)).count();
    println!("{} cases, {} of weakening held, {} without a test", cases.case.len(), held("tests-weakened"), held("tests-first"));
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn an_edit_of_a_file_with_other_line_ends_is_seen() {
    let scratch = Scratch::new();
    scratch.write("portcullis.toml", POLICY);
    scratch.write("pyproject.toml", "");
    scratch.write("src/shop/price.py", "def total(net):\r\n    return net\r\n");
    let path = scratch.repo().join("src/shop/price.py");
    let input = format!(
        r#"{{"file_path":{},"old_string":"def total(net):\n    return net\n","new_string":"def total(net):\n    return net * 2\n"}}"#,
        json(&path.to_string_lossy())
    );
    assert_eq!(scratch.judge("PreToolUse", &scratch.payload("Edit", &input, "default")).short(), DENY);
    // What lies outside the repository is not judged by its policy.
    assert_eq!(scratch.bash("echo 'def total(): return 1' > /tmp/src/shop/price.py").short(), FREE);
    for (command, expected) in
        [("npx jest -u", "ask tests-weakened"), ("INSTA_UPDATE=always cargo test", "ask tests-weakened"), ("npx jest", FREE), ("sort -u a", FREE)]
    {
        assert_eq!(scratch.bash(command).short(), expected, "{command}");
    }
}

/// What a project holds where a test was to be seen failing: manifest, test, its text, source, its text, another one.
type Shop<'t> = (&'t str, &'t str, &'t str, &'t str, &'t str);
const PYTHON: Shop =
    ("pyproject.toml", "tests/test_price.py", "def test_total():\n    assert total(1) == 2\n", "src/shop/price.py", "def total(net):\n    return net * 2\n");
const GO: Shop = (
    "go.mod",
    "price_test.go",
    "package shop\n\nfunc TestTotal(t *testing.T) {\n\tif Total(1) != 2 {\n\t\tt.Fatal()\n\t}\n}\n",
    "price.go",
    "package shop\n\nfunc Total(net int) int {\n\treturn net * 2\n}\n",
);
const JAVASCRIPT: Shop = (
    "package.json",
    "src/price.test.ts",
    "it('adds tax', () => expect(total(1)).toBe(2))\n",
    "src/price.ts",
    "export function total(net) {\n  return net * 2\n}\n",
);
const RUST: Shop = (
    "Cargo.toml",
    "src/price.rs",
    "#[cfg(test)]\nmod tests {\n    #[test]\n    fn adds() {\n        assert_eq!(super::total(1), 2);\n    }\n}\n",
    "src/price.rs",
    "pub fn total(net: u64) -> u64 {\n    net * 2\n}\n\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn adds() {\n        assert_eq!(super::total(1), 2);\n    }\n}\n",
);

/// What a run said, and whether it is evidence. `None`: the run is not over as the host tells it.
const RUNS: &[(&str, Shop, &str, &str, bool)] = &[
    ("none", PYTHON, "", "", false),
    ("pytest", PYTHON, "pytest", "Exit code 1\ntests/test_price.py F\nFAILED tests/test_price.py::test_total - NameError", true),
    ("pytest, of one file", PYTHON, "cd . && python3 -m pytest -q tests/test_price.py", "Exit code 2\nInterrupted", true),
    ("pytest, another fails", PYTHON, "pytest", "Exit code 1\ntests/test_price.py .\ntests/test_other.py F\nFAILED tests/test_other.py::test_other", false),
    ("pytest, found none", PYTHON, "pytest tests/test_price.py", "Exit code 5\nno tests ran", false),
    ("pytest, missing", PYTHON, "pytest tests/test_price.py", "Exit code 127\npytest: command not found", false),
    ("pytest, passes", PYTHON, "pytest tests/test_price.py", "tests/test_price.py . [100%]\n1 passed", false),
    ("pytest, behind a pipe", PYTHON, "pytest | tail -5", "FAILED tests/test_price.py::test_total\n1 failed", true),
    ("no runner", PYTHON, "cat tests/test_price.py", "Exit code 1\nFAILED tests/test_price.py::test_total", false),
    ("go, fails", GO, "go test ./...", "Exit code 1\n--- FAIL: TestTotal (0.00s)\n    price_test.go:5: \nFAIL\nFAIL\texample.com/shop", true),
    (
        "go, does not compile",
        GO,
        "go test ./...",
        "Exit code 1\n# example.com/shop\n./price_test.go:4:5: undefined: Total\nFAIL\texample.com/shop [build failed]",
        true,
    ),
    (
        "vitest",
        JAVASCRIPT,
        "npx vitest run",
        "Exit code 1\n \u{276f} src/price.test.ts (1 test | 1 failed)\n   \u{d7} adds tax\n FAIL  src/price.test.ts > adds tax",
        true,
    ),
    ("jest, another fails", JAVASCRIPT, "npm test", "Exit code 1\nPASS src/price.test.ts\nFAIL src/other.test.ts\n  \u{2715} adds tax", false),
    ("cargo, does not compile", RUST, "cargo test", "Exit code 101\nerror[E0425]: cannot find function `total`\n --> src/price.rs:5:27", true),
    (
        "cargo, fails",
        RUST,
        "cargo test price",
        "Exit code 101\ntest price::tests::adds ... FAILED\nthread 'price::tests::adds' panicked at src/price.rs:5:9:",
        true,
    ),
    ("cargo, passes", RUST, "cargo test", "test price::tests::adds ... ok\ntest result: ok. 1 passed; 0 failed", false),
];

#[test]
fn a_test_must_have_been_seen_to_fail() {
    let mut wrong = String::new();
    for (name, (manifest, test, text, source, code), command, output, evidence) in RUNS {
        let scratch = Scratch::new();
        scratch.write("portcullis.toml", "schema = 1\n[tests-first]\ntier = 4\nred = \"required\"\n");
        for (path, text) in [
            (*manifest, ""),
            (*test, *text),
            ("tests/test_other.py", "def test_other():\n    assert True\n"),
            ("src/other.test.ts", "it('adds tax', () => expect(1).toBe(2))\n"),
        ] {
            scratch.write(path, text);
        }
        let write = |code: &str| {
            let path = scratch.repo().join(source);
            let input = format!(r#"{{"file_path":{},"content":{}}}"#, json(&path.to_string_lossy()), json(code));
            scratch.hook("PreToolUse", scratch.payload("Write", &input, "default").as_bytes()).short()
        };
        let seen = |event: &str, result: String| {
            let payload = scratch.payload("Bash", &format!(r#"{{"command":{}}}"#, json(command)), "default");
            let payload = payload.replace("PreToolUse", event).replace(r#""tool_use_id""#, &format!(r#"{result},"tool_use_id""#));
            assert_eq!(scratch.hook(event, payload.as_bytes()).short(), "free", "{name}");
        };
        if output.starts_with("Exit code") {
            seen("PostToolUseFailure", format!(r#""error":{},"is_interrupt":false"#, json(output)));
        } else if !command.is_empty() {
            seen("PostToolUse", format!(r#""tool_response":{{"stdout":{},"stderr":"","interrupted":false}}"#, json(output)));
        }
        let mut check = |when: &str, expected: bool, got: String| {
            if got != if expected { FREE } else { "deny tests-not-red" } {
                let _ = writeln!(wrong, "{name}{when}: evidence {expected}, got {got}");
            }
        };
        check("", *evidence, write(code));
        if *evidence {
            // Green now, and the same test still asked for it.
            seen("PostToolUse", r#""tool_response":{"stdout":"all passed"}"#.to_owned());
            check(", green since", true, write(code));
            // Another test was never seen.
            let renamed = |text: &str| text.replace("adds", "adds_up").replace("total()", "total_of()").replace("TestTotal", "TestTotals");
            scratch.write(test, &renamed(text));
            check(", edited since", false, write(&if test == source { renamed(code) } else { (*code).to_owned() }));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
