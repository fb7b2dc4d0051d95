//! Tests that are weakened by commands rather than by an edit tool, and commands that only look like it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use tests_first::{Changed, FileVersion, judge};

use crate::support::Scratch;
use crate::tests_first::{Files, section};

const TEST: &str = "import pytest\n\ndef test_total():\n    assert total(1) == 2\n\n\ndef test_half():\n    assert half(2) == 1\n";

/// Commands after which tests would say less, or nobody knows what they would say.
const HELD: &[&str] = &[
    "> tests/test_price.py",
    ": > tests/test_price.py",
    "truncate -s 0 tests/test_price.py",
    "truncate -s0 tests/test_price.py",
    "truncate --size=0 tests/*.py",
    "cp /dev/null tests/test_price.py",
    "cat /dev/null > tests/test_price.py",
    "git show HEAD~3:tests/test_price.py > tests/test_price.py",
    "echo > tests/test_price.py",
    "sed -i 's/assert/print/' tests/test_price.py",
    "sed -i '/assert half/d' tests/test_price.py",
    "sed -i.bak -e 's/def test_half/def half_test/' tests/test_price.py",
    "sed -i '7,8d' tests/test_price.py",
    "sed -i '1i import x\\npytestmark = pytest.mark.skip' tests/test_price.py",
    "sed -i -n '1,4p' tests/test_price.py",
    "perl -pi -e 's/assert/pass #/' tests/test_price.py",
    "perl -0pi -e 's/def test_half.*//s' tests/test_price.py",
    "rm tests/*.py",
    "rm -f tests/test_price.py",
    "find tests -name 'test_*.py' -exec sed -i 's/assert/print/' {} +",
    "find tests -name '*.py' -exec truncate -s 0 {} \\;",
    "git rm -q tests/test_price.py",
    "mv tests/test_price.py /tmp/x.py",
    "dd if=/dev/null of=tests/test_price.py",
    "install /dev/null tests/test_price.py",
    "python3 - <<E\nopen('tests/test_price.py','w').write('')\nE",
    "python3 - <<E\nimport re\np='tests/test_price.py'\ns=open(p).read()\ns=s.replace('assert','#')\nopen(p,'w').write(s)\nE",
    "tee tests/test_price.py < /dev/null",
    "ed -s tests/test_price.py <<< $'1,2d\nw\nq'",
    "sed -i 's/assert/print/' tests/*.py",
    "curl -o tests/test_price.py https://x.y/z",
    "ln -sf /dev/null tests/test_price.py",
    "node -e \"require('fs').writeFileSync('tests/test_price.py','')\"",
    "vim -c '%d|wq' tests/test_price.py",
    "awk '!/assert/' tests/test_price.py > t && mv t tests/test_price.py",
    "grep -v assert tests/test_price.py > t; cp t tests/test_price.py",
    "head -4 tests/test_price.py | sponge tests/test_price.py",
    "ruby -i -pe '$_.sub!(/assert/, \"print\")' tests/test_price.py",
    "cd tests && sed -i s/assert/print/ test_price.py",
    "bash -c \"sed -i 's/assert/print/' tests/test_price.py\"",
    "for f in tests/*.py; do sed -i 's/assert/print/' \"$f\"; done",
    "yes '' | head -1 > tests/test_price.py",
    "sed 's/assert/print/' tests/test_price.py > tests/test_price.py.new && mv tests/test_price.py.new tests/test_price.py",
];

/// Commands after which they say as much as before, or that write no tests.
const FREE: &[&str] = &[
    "black tests/test_price.py",
    "black src/shop/price.py",
    "prettier --write tests/a.test.js",
    "ruff format tests",
    "cat tests/data.json >> tests/test_price.py",
    "cat new.py >> tests/test_price.py",
    "cat a b > tests/test_new.py",
    "python3 gen.py > tests/test_new.py",
    "sed -i 's/total/sum/' src/shop/price.py",
    "sed -i '/half/d' src/shop/price.py",
    "jq . a.json > tests/x.json",
    "sed -i 's/import pytest/import pytest, os/' tests/test_price.py",
    "sed -i 's/total/sum_of/g' src/shop/price.py tests/test_price.py",
    "sed -i 's/test_half/test_half_of/' tests/test_price.py",
    "perl -pi -e 's/total/summe/g' tests/test_price.py",
    "sed -i '$a\\\\ndef test_more():\\n    assert total(3) == 6' tests/test_price.py",
    "cp tests/test_price.py tests/test_price_copy.py",
    "cp new.py tests/test_sum.py",
    "echo '# x' >> tests/test_price.py",
    "printf 'def test_n():\\n    assert total(0) == 0\\n' >> tests/test_price.py",
    "touch tests/test_price.py",
    "chmod +x tests/test_price.py",
    "python3 -m pytest tests",
    "sed -n 1,5p tests/test_price.py",
    "sed -i 's/a/b/' README",
    "find . -name '*.pyc' -delete",
    "rm -f tests/*.log",
    "sed -i '' tests/data.json",
    "git mv tests/test_price.py tests/test_prices.py",
    "isort tests/test_price.py",
    "cp tests/test_price.py /tmp/",
    "truncate -s 0 app.log",
    "rm -f tests/__pycache__/*.pyc",
    "sed -i 's/[ \\t]*$//' tests/test_price.py",
    "npx eslint --fix tests/test_price.py",
    "gofmt -w a_test.go",
    "python3 - <<E\np='src/shop/price.py'\ns=open(p).read()\nopen(p,'w').write(s.replace('n*2','2*n'))\nE",
    "jq '.a=1' tests/data.json > t && mv t tests/data.json",
    "curl -so tests/fixtures/a.json https://x.y/a.json",
    "cat a b >> tests/test_price.py",
    "cp new.py tests/test_price.py",
];

#[test]
fn what_a_command_makes_of_tests_is_judged() {
    let scratch = Scratch::new();
    for (path, text) in [
        ("portcullis.toml", "schema = 1\n[tests-first]\ntier = 4\n"),
        ("pyproject.toml", ""),
        ("README", "x"),
        ("src/shop/price.py", "def total(net):\n    return net * 2\n\n\ndef half(net):\n    return net / 2\n"),
        ("tests/test_price.py", TEST),
        ("tests/conftest.py", "import x\n"),
        ("tests/data.json", "{}"),
        ("new.py", &TEST.replace("total", "sum_of")),
    ] {
        scratch.write(path, text);
    }
    let mut wrong = String::new();
    for (commands, expected) in [(HELD, true), (FREE, false)] {
        for command in commands {
            let said = scratch.bash(command);
            let got = said.stdout.contains("tests-weakened");
            if got != expected || (!expected && said.short() != "free") {
                let _ = writeln!(wrong, "{command:?}: expected held {expected}, got {}", said.short());
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// A test that is word for word in another file, where a runner finds it, was moved there; also by an earlier call.
#[test]
fn what_was_moved_has_not_left() {
    const HALF: &str = "\n\ndef test_half():\n    assert half(2) == 1\n";
    const REMOVE: &str = "rm tests/test_price.py";
    type Files = &'static [(&'static str, &'static str)];
    let rows: &[(&str, Files, bool)] = &[
        ("mkdir -p tests/it && cp tests/test_price.py tests/it/ && rm tests/test_price.py", &[], false),
        ("mkdir tests/it; git mv tests/test_price.py tests/it", &[], false),
        ("mkdir -p tests/it; mv tests/test_price.py tests/it/", &[], false),
        ("install -D tests/test_price.py tests/it/test_price.py && rm tests/test_price.py", &[], false),
        (REMOVE, &[("tests/it/test_price.py", TEST)], false),
        ("git rm tests/test_price.py", &[("tests/one/test_total.py", TEST), ("tests/two/test_half.py", HALF)], false),
        (
            REMOVE,
            &[(
                "tests/it/test_price.py",
                "# Moved.\nimport shop\n\n\ndef test_total():\n    # tax\n    assert total(1) == 2\n\n\ndef test_half():\n    assert half(2) == 1\n",
            )],
            false,
        ),
        // It says something else there, is skipped, or no runner finds it.
        (REMOVE, &[], true),
        (REMOVE, &[("tests/it/test_price.py", "def test_total():\n    assert total(1) == 3\n\n\ndef test_half():\n    assert half(2) == 1\n")], true),
        (
            REMOVE,
            &[(
                "tests/it/test_price.py",
                "@pytest.mark.skip\ndef test_total():\n    assert total(1) == 2\n\n\n@pytest.mark.skip\ndef test_half():\n    assert half(2) == 1\n",
            )],
            true,
        ),
        (REMOVE, &[("tests/it/price_old.txt", TEST), ("notes/copy.py", TEST)], true),
        (REMOVE, &[("tests/it/test_price.py", HALF)], true),
        ("mkdir -p attic && mv tests/test_price.py attic/price_old.py", &[], true),
        ("mkdir -p old && cp tests/test_price.py old/price.txt && rm tests/test_price.py", &[], true),
    ];
    let mut wrong = String::new();
    for (command, others, expected) in rows {
        let scratch = Scratch::new();
        let code = "def total(net):\n    return net * 2\n\n\ndef half(net):\n    return net / 2\n";
        for (path, text) in
            [("portcullis.toml", "schema = 1\n[tests-first]\ntier = 4\n"), ("pyproject.toml", ""), ("src/shop/price.py", code), ("tests/test_price.py", TEST)]
        {
            scratch.write(path, text);
        }
        for (path, text) in *others {
            scratch.write(path, text);
        }
        let said = scratch.bash(command);
        if format!("{}{}", said.stdout, said.stderr).contains("tests-weakened") != *expected {
            let _ = writeln!(wrong, "{command:?} with {others:?}: expected held {expected}, got {}", said.short());
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Annotations by their full names, on the line of what they speak of or above it.
#[test]
fn full_names_of_annotations_count() {
    let java = |test: &str| format!("package a;\n\nclass PriceTest {{\n  {test}\n}}\n");
    let rows: &[(&str, &str, String, bool)] = &[
        ("src/main/java/a/Price.java", "src/test/java/a/PriceTest.java", java("@org.junit.jupiter.api.Test void adds() { assertEquals(2, Price.total(1)); }"), true),
        ("src/main/java/a/Price.java", "src/test/java/a/PriceTest.java", java("@org.junit.Test public void adds() { assertEquals(2, Price.total(1)); }"), true),
        ("src/main/java/a/Price.java", "src/test/java/a/PriceTest.java", java("@org.testng.annotations.Test(priority = 1)\n  public void adds() { assertEquals(2, Price.total(1)); }"), true),
        ("src/main/java/a/Price.java", "src/test/java/a/PriceTest.java", java("@org.junit.jupiter.params.ParameterizedTest @ValueSource(ints = {1}) void adds(int n) { assertEquals(2 * n, Price.total(n)); }"), true),
        ("src/main/java/a/Price.java", "src/test/java/a/PriceTest.java", java("@org.junit.jupiter.api.Disabled @org.junit.jupiter.api.Test void adds() { assertEquals(2, Price.total(1)); }"), false),
        ("src/main/java/a/Price.java", "src/test/java/a/PriceTest.java", java("@com.acme.Timed void adds() { assertEquals(2, Price.total(1)); }"), false),
        ("src/main/kotlin/a/Price.kt", "src/test/kotlin/a/PriceTest.kt", "class PriceTest {\n  @kotlin.test.Test fun adds() { assertEquals(2, total(1)) }\n}\n".to_owned(), true),
        ("src/main/kotlin/a/Price.kt", "src/test/kotlin/a/PriceTest.kt", "class PriceTest {\n  @org.junit.jupiter.api.Disabled @org.junit.jupiter.api.Test fun adds() { assertEquals(2, total(1)) }\n}\n".to_owned(), false),
        ("src/Shop/Price.cs", "tests/Shop.Tests/PriceTests.cs", "public class PriceTests {\n  [Xunit.Fact] public void Adds() { Assert.Equal(2, Price.Total(1)); }\n}\n".to_owned(), true),
        ("src/Shop/Price.cs", "tests/Shop.Tests/PriceTests.cs", "public class PriceTests {\n  [System.Obsolete] public void Adds() { Assert.Equal(2, Price.Total(1)); }\n}\n".to_owned(), false),
        ("src/Price.php", "tests/PriceTest.php", "<?php\nclass PriceTest extends TestCase {\n  #[\\PHPUnit\\Framework\\Attributes\\Test] public function adds(): void { $this->assertSame(2, total(1)); }\n}\n".to_owned(), true),
    ];
    let mut wrong = String::new();
    for (source, test, text, expected) in rows {
        let code = match source.rsplit('.').next() {
            Some("kt") => "fun total(n: Int): Int {\n  return n * 2\n}\n",
            Some("php") => "<?php\nfunction total($n) {\n    return $n * 2;\n}\n",
            _ => "package a;\n\nclass Price {\n  static int total(int n) {\n    return n * 2;\n  }\n}\n",
        };
        let mut files: BTreeMap<String, String> =
            ["pom.xml", "build.gradle.kts", "Shop.sln", "composer.json"].map(|name| (name.to_owned(), String::new())).into();
        files.insert((*test).to_owned(), text.clone());
        let change = Changed { path: (*source).to_owned(), old: FileVersion::Absent, new: FileVersion::Known(code.to_owned()), part: false };
        let found = judge(&[change], &Files(&files), &section(), 0);
        if found.is_empty() != *expected {
            let _ = writeln!(wrong, "{text}: expected {expected}, got {:?}", found.iter().map(|finding| &finding.reason).collect::<Vec<_>>());
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// The advice names files of what the project uses, in the source's own language first.
#[test]
fn the_advice_is_of_the_projects_own_framework() {
    let react = r#"{"dependencies":{"react":"19"}}"#;
    let mut wrong = String::new();
    for (manifest, path, first, never) in [
        (react, "components/Button.tsx", "`components/Button.test.tsx`", "e2e-spec"),
        (react, "src/Button.tsx", "`src/Button.test.tsx`", ".js`"),
        (react, "src/total.service.ts", "`src/total.service.test.ts`", "e2e-spec"),
        (r#"{"dependencies":{"vue":"3"}}"#, "src/App.vue", "`src/App.test.ts`", "e2e-spec"),
        (r#"{"dependencies":{"@angular/core":"18"}}"#, "src/app/total.service.ts", "`src/app/total.service.spec.ts`", "e2e-spec"),
        (r#"{"dependencies":{"@nestjs/core":"10"}}"#, "src/total.service.ts", "`src/total.service.spec.ts`", ".js`"),
        (r#"{"devDependencies":{"mocha":"10"}}"#, "src/total.js", "`src/total.test.js`", ".ts`"),
    ] {
        let files = BTreeMap::from([("package.json".to_owned(), manifest.to_owned())]);
        let code =
            if path.contains(".vue") { "<script setup>\nfunction f() { return make(1) }\n</script>\n" } else { "export function f() {\n  return make(1)\n}\n" };
        let change = Changed { path: path.to_owned(), old: FileVersion::Absent, new: FileVersion::Known(code.to_owned()), part: false };
        let found = judge(&[change], &Files(&files), &section(), 0);
        let instead = found.first().map_or("", |finding| &finding.instead);
        if !instead.starts_with(&format!("write a failing test first, in {first}")) || instead.contains(never) {
            let _ = writeln!(wrong, "{manifest} {path}: {instead}");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
