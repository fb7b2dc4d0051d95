//! What a patch makes of a text, and whether the first look agrees with the judgement.

use super::*;
use crate::deep::Cold;
use actions::ToolCall;
use gate::deep::Deep as _;
use gate::judge::Here;
use policy::{Layer, Policy};
use policy_compiler::compile::{Input, PolicySource, compile_quickly};
use policy_compiler::packs::{PACKS, PROGRAMS};

/// A policy of the project, compiled.
fn compiled(text: &str) -> Vec<u8> {
    let layers = [PolicySource { layer: Layer::Project, path: "portcullis.toml", text }];
    compile_quickly(&Input { build: gate::BUILD, packs: PACKS, programs: PROGRAMS, layers: &layers, ..Input::default() }, gate::PIECES).unwrap()
}

#[test]
fn lines_that_come_stand_where_the_first_that_leave_stood() {
    for (text, removed, added, expected) in [
        ("a\nb\nc\n", "b\n", "x\ny\n", "a\nx\ny\nc\n"),
        ("a\nb\nc\nd\n", "b\nc\n", "x\n", "a\nx\nd\n"),
        ("a\nb\n", "z\n", "x\n", "a\nb\nx\n"),
        // What is first among them is not there; the next one is.
        ("a\nb\nc\n", "z\nb\n", "x\n", "a\nx\nc\n"),
        ("b\na\nb\n", "b\n", "x\n", "x\na\nb\n"),
        ("a\nb\na\nb\n", "a\nb\n", "x\n", "x\na\nb\n"),
    ] {
        assert_eq!(patched(text, added, removed), expected, "{text:?} without {removed:?}");
    }
    let long = (0..200_000).map(|line| format!("line {line}")).collect::<Vec<_>>().join("\n") + "\n";
    assert_eq!(patched(&long, "x\n", &long), "x\n");
}

/// What the first look lets go by is nothing to the judgement itself.
#[test]
fn the_first_look_and_the_judgement_agree() {
    let scratch = tempfile::tempdir().unwrap();
    let root = scratch.path().canonicalize().unwrap();
    let write = |path: &str, text: &str| {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("pyproject.toml", "[tool.pytest.ini_options]\n");
    write("src/a.py", "def a():\n    return 1\n");
    write("tests/test_a.py", "from src.a import a\n\ndef test_a():\n    assert a() == 1\n");
    write("build/out/a.txt", "x\n");
    write("build/out/b.bin", "x\n");
    write("gen/a.py", "def b():\n    return 1\n");
    write("notes/a.md", "x\n");
    fs::create_dir(root.join("empty")).unwrap();
    std::os::unix::fs::symlink(root.join("tests"), root.join("linked")).unwrap();
    std::os::unix::fs::symlink("nowhere.py", root.join("gone.py")).unwrap();

    let catalogue = Catalogue::shipped().unwrap();
    let (endings, tests) = (catalogue.endings(), catalogue.test_names(&[]));
    let text = "schema = 1\n[tests-first]\ntier = 4\nweakening = 4\n";
    let compiled = compiled(text);
    let policy = Policy::open(&compiled).unwrap();
    let section = policy.tests_first.as_ref().unwrap();
    assert_eq!((section.endings.len(), section.tests.len()), (endings.len(), tests.len()));

    let name = root.display().to_string();
    let places = policy::facts::Places { roots: vec![name.clone()], cwd: name.clone(), ..Default::default() };
    let around = gate::world::World::default().at(&root).unwrap();
    let facts = gate::judge::facts_at(&places);
    let mut free = 0;
    for line in [
        "chmod +x src/a.py",
        "chmod -R 700 tests",
        "rm -rf build",
        "rm -rf build dist",
        "rm -rf gen",
        "rm -r tests",
        "rm tests/test_a.py",
        "rm nothing.py",
        "rmdir empty",
        "rm -rf empty",
        "rm -rf notes",
        "rm linked",
        "rm -rf linked",
        "rm gone.py",
        "rm -rf .",
        "rm -rf src tests",
        "touch tests/test_b.py",
        "mkdir docs",
        "mkdir -p a/b",
        "cat > tests/test_n.py <<'E'\ndef test_n():\n    assert 1 == 1\nE",
        "cat > tests/test_a.py <<'E'\npass\nE",
        "cat > src/n.py <<'E'\ndef n():\n    return 2\nE",
        "echo x > notes.json",
        "echo '[tool.ruff]' > ruff.toml",
        "echo > pyproject.toml",
        "cp src/a.py src/b.py",
        "mv tests/test_a.py tests/test_z.py",
        "cat > gone.py <<'E'\ndef g():\n    return 1\nE",
        "ln -s src/a.py src/c.py",
        "rm -rf node_modules",
        "find . -name '*.py' -delete",
        "rm -f tests/*.py",
    ] {
        let input = actions::json::Json::read(format!("{{\"command\":{}}}", actions::json::quoted(line)).as_bytes()).unwrap();
        let call = ToolCall { name: "Bash".to_owned(), input };
        let actions = gate::judge::read(&call, &places, &policy, &Here { around: &around, deep: &Cold, event: None }).unwrap();
        let changing = actions.iter().filter(|action| matches!(action.deed, Deed::Write(_) | Deed::Delete(_)));
        if changing.clone().all(|action| gate::first_look::is_free(action, section)) {
            free += 1;
            assert_eq!(Cold.tests_first(&actions, &facts, section, &around).unwrap(), [], "{line}");
        }
        // One that is free takes nothing from the others.
        let others: Vec<Action> = actions.iter().filter(|action| !gate::first_look::is_free(action, section)).cloned().collect();
        let rules = |found: Vec<policy::verdict::Finding>| found.into_iter().map(|found| found.rule).collect::<Vec<_>>();
        if actions.iter().all(|action| action.from.is_none() || others.len() == actions.len()) {
            assert_eq!(
                rules(Cold.tests_first(&others, &facts, section, &around).unwrap()),
                rules(Cold.tests_first(&actions, &facts, section, &around).unwrap()),
                "{line}"
            );
        }
    }
    assert!(free >= 13, "{free}");
}
