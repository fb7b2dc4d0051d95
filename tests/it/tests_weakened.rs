//! Tests that are weakened by commands rather than by an edit tool, and commands that only look like it.

use std::fmt::Write as _;

use crate::support::Scratch;

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
