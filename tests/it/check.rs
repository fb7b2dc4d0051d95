//! `portcullis check` over ranges of commits, what is staged and all files: verdicts, exit codes, and each report read by
//! what reads it elsewhere.

use std::fs;

use serde_json::Value;

use crate::cli_init::PORTCULLIS;
use crate::push::Scratch;
use crate::support::{Said, run};

const POLICY: &str = r#"schema = 1
[[rule]]
name = "forbidden-word"
tier = 4
write = { path = "**", adds = "FORBIDDEN" }
reason = "50% of it: no\nline, is like another"
instead = "$ say <\"it\"> & other"
catches = [{ write = { path = "a", text = "FORBIDDEN" } }]
spares = [{ write = { path = "a", text = "x" } }]
[[rule]]
name = "guarded-path"
tier = 3
write = { path = "guarded/**" }
reason = "r"
instead = "i"
catches = [{ write = { path = "guarded/a", text = "" } }]
spares = [{ write = { path = "a", text = "" } }]
[[rule]]
name = "unfinished-commit"
tier = 3
commit = { message = '(?i)^wip', author = "* <*@example.org>" }
reason = "r"
instead = "i"
catches = [{ commit = { message = "WIP", author = "a <a@example.org>" } }]
spares = [{ commit = { message = "WIP", author = "a <a@b>" } }]
"#;

/// A policy on `main`, and the branch `side` of it checked out.
fn scratch() -> Scratch {
    let scratch = Scratch::new();
    let begin = "git switch -q main; printf '%s' \"$POLICY\" >portcullis.toml; git add .; git commit -qm policy; git switch -qc side";
    let said = run(scratch.command("sh", "work").env("POLICY", POLICY).args(["-ec", begin]), b"");
    assert_eq!(said.code, 0, "{}", said.stderr);
    scratch
}

fn checked(scratch: &Scratch, before: &str, arguments: &str) -> Said {
    let said = scratch.shell("work", before);
    assert_eq!(said.code, 0, "{before}: {}", said.stderr);
    run(scratch.command(PORTCULLIS, "work").arg("check").args(arguments.split_whitespace()), b"")
}

/// The exit code, and each finding as `rule path:line`.
fn found(scratch: &Scratch, before: &str, arguments: &str) -> String {
    let said = checked(scratch, before, &format!("{arguments} --format json"));
    let Ok(report) = serde_json::from_str::<Value>(&said.stdout) else { return format!("{} {}", said.code, said.stderr) };
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap_or("-").to_owned();
    let line = |finding: &Value| finding["line"].as_u64().map(|line| format!(":{line}")).unwrap_or_default();
    let findings = report["findings"].as_array().unwrap().iter();
    let findings: Vec<String> = findings.map(|found| format!("{} {}{}", text(found, "rule"), text(found, "path"), line(found))).collect();
    format!("{} {}", said.code, findings.join(", ")).trim_end().to_owned()
}

const BAD: &str = "printf '1\\n2\\nFORBIDDEN\\n4\\n' >bad; git add bad; git commit -qm bad";
const GUARDED: &str = "mkdir guarded; echo 1 >guarded/a; git add .; git commit -qm guarded";

#[test]
fn each_commit_of_a_range_is_judged_by_the_policy_of_its_base() {
    let gone = format!("{BAD}; git rm -q bad; git commit -qm gone");
    let clash = "echo m >a; git commit -qam m; git switch -q side; echo s >a; git commit -qam s; git merge -q main || true";
    let mut wrong = Vec::new();
    for (before, arguments, expected) in [
        ("true", "--base main", "0"),
        ("echo 1 >>a; git commit -qam x", "--base main", "0"),
        (BAD, "--base main", "1 forbidden-word bad:3"),
        (GUARDED, "--base main", "1 guarded-path guarded/a"),
        // Nothing hides in the middle, behind a change of the policy, or behind a merge.
        (&gone, "--base main", "1 forbidden-word bad:3"),
        (&gone, "--base main --head HEAD~2", "0"),
        (
            &format!("sed -i 's/FORBIDDEN/OTHER/' portcullis.toml; git commit -qam x; {BAD}"),
            "--base main",
            "1 policy-weakened portcullis.toml, forbidden-word bad:3",
        ),
        (&format!("git rm -q portcullis.toml; git commit -qm x; {BAD}"), "--base main", "1 policy-deletion portcullis.toml, forbidden-word bad:3"),
        (&format!("git switch -qc x; {BAD}; git switch -q side; git merge -q --no-ff --no-edit x"), "--base main", "1 forbidden-word bad:3"),
        (&format!("git switch -q main; {BAD}; git switch -q side; git commit -q --allow-empty -m s; git merge -q --no-edit main"), "--base main", "0"),
        (&format!("git switch -q main; {clash}; echo both >a; git add a; git commit -q --no-edit"), "--base main", "0"),
        (&format!("git switch -q main; {clash}; printf 'both\\nFORBIDDEN\\n' >a; git add a; git commit -q --no-edit"), "--base main", "1 forbidden-word a:2"),
        ("git commit -q --allow-empty -m 'WIP x'", "--base main", "1 unfinished-commit -"),
        ("git commit -q --allow-empty -m 'WIP x' --author 'b <b@c>'", "--base main", "0"),
        // What fails is said by tier or by rule.
        (GUARDED, "--base main --fail-on prohibited", "0 guarded-path guarded/a"),
        (GUARDED, "--base main --fail-on 4,guarded-path", "1 guarded-path guarded/a"),
        (BAD, "--base main --fail-on guarded-path", "0 forbidden-word bad:3"),
        (BAD, "--base main --fail-on never", "0 forbidden-word bad:3"),
        // What is staged, and all that is tracked.
        ("echo FORBIDDEN >bad; git add bad; rm bad", "--staged", "1 forbidden-word bad:1"),
        ("echo FORBIDDEN >bad", "--staged", "0"),
        (BAD, "--staged", "0"),
        (BAD, "--all", "1 forbidden-word bad:3, guarded-path guarded/a"),
    ] {
        let scratch = scratch();
        let before = if arguments == "--all" {
            format!("{before}; {GUARDED}; sed -i s/FORBIDDEN/[F]ORBIDDEN/ portcullis.toml; git commit -qam x")
        } else {
            before.to_owned()
        };
        let got = found(&scratch, &before, arguments);
        if got != expected {
            wrong.push(format!("`{before}`, {arguments}: expected {expected}, got {got}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn sources_need_their_tests_in_the_true_difference() {
    let begin = "git switch -q main; printf 'schema = 1\n[tests-first]\ntier = 4\n' >portcullis.toml; mkdir -p src tests lib; printf '{}' >package.json; echo 'export const old = () => 1;' >lib/old.js; git add .; git commit -qm x; git switch -q side; git merge -q main";
    let source = "printf 'export function a() {\\n  return 1;\\n}\\n' >src/a.js";
    let test = "printf \"import { a } from './a.js';\\ntest('a', () => { expect(a()).toBe(1); });\\n\" >src/a.test.js";
    let mut wrong = Vec::new();
    for (before, arguments, expected) in [
        (format!("{source}; git add ."), "--staged", "1 tests-first src/a.js"),
        (format!("{source}; {test}; git add ."), "--staged", "0"),
        // Only what is committed counts.
        (format!("{source}; {test}; git add src/a.js"), "--staged", "1 tests-first src/a.js"),
        (format!("{test}; git add .; git commit -qm test; {source}; git add ."), "--staged", "0"),
        ("git mv lib/old.js lib/new.js".to_owned(), "--staged", "0"),
        // Every source is looked at as if it were new.
        (format!("{source}; git add .; git commit -qm a"), "--all", "1 tests-first lib/old.js, tests-first src/a.js"),
        (format!("{source}; {test}; git rm -q lib/old.js; git add .; git commit -qm a"), "--all", "0"),
        (format!("{source}; git add .; git commit -qm a; {test}; git add .; git commit -qm test"), "--base main", "1 tests-first src/a.js"),
        (format!("{source}; {test}; git add .; git commit -qm a"), "--base main", "0"),
        (format!("{source}; {test}; git add .; git commit -qm a; git rm -q src/a.test.js; git commit -qm b"), "--base main", "1 tests-weakened src/a.test.js"),
        // What a program wrote is not known before it ran; here it is.
        (
            format!("{source}; {test}; git add .; git commit -qm a; sed -i s/test/test.skip/ src/a.test.js; git add ."),
            "--staged",
            "1 tests-weakened src/a.test.js",
        ),
        (
            format!("{source}; {test}; git add .; git commit -qm a; perl -pi -e 's/expect.*?;//' src/a.test.js; git commit -qam b"),
            "--base main",
            "1 tests-weakened src/a.test.js",
        ),
        // The mark of a generated file counts if it was there, or if the repository said so before.
        ("(echo '// @generated'; echo 'export function g() { return 1 }') >src/g.js; git add .".to_owned(), "--staged", "1 tests-first src/g.js"),
        (
            "(echo '// @generated'; echo 'export function g() { return 1 }') >src/g.js; echo 'src/g.js linguist-generated' >.gitattributes; git add ."
                .to_owned(),
            "--staged",
            "1 tests-first src/g.js",
        ),
        (
            "echo 'src/g.js linguist-generated' >.gitattributes; git add .; git commit -qm x; (echo '// @generated'; echo 'export function g() { return 1 }') >src/g.js; git add ."
                .to_owned(),
            "--staged",
            "0",
        ),
    ] {
        let scratch = scratch();
        assert_eq!(scratch.shell("work", begin).code, 0);
        let got = found(&scratch, &before, arguments);
        if got != expected {
            wrong.push(format!("`{before}`, {arguments}: expected {expected}, got {got}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_cannot_be_judged_is_said_with_the_next_step() {
    for (before, arguments, code, parts) in [
        ("true", "--base nowhere", 3, &["why: there is no commit `nowhere` in this clone", "fix: run `git fetch origin nowhere`", "fetch-depth: 0"][..]),
        ("true", "--base origin/next", 3, &["fix: run `git fetch origin next`"]),
        (
            "git clone -q --depth 1 -b topic file://$ROOT/remote.git ../shallow; rm -rf .git; mv ../shallow/.git .; git commit -q --allow-empty -m m; git fetch -q --depth 1 origin main:main",
            "--base main",
            3,
            &["why: the clone is shallow, and its history ends before it meets `main`", "fix: run `git fetch --unshallow`"],
        ),
        ("true", "", 2, &["--staged"]),
        ("true", "--staged --all", 2, &["cannot be used with"]),
        ("true", "--staged --fail-on forbiden-word", 2, &["neither a tier nor a rule", "forbidden-word"]),
        ("true", "--staged --baseline none.json", 2, &["there is no `none.json`", "--write-baseline"]),
        ("echo '{}' >b.json", "--staged --baseline b.json", 2, &["is not a baseline"]),
        ("echo nonsense >>portcullis.toml", "--staged", 3, &["the policy has mistakes"]),
        ("rm -rf .git", "--staged", 3, &["is not in a git work tree"]),
        ("echo x >.git/index", "--staged", 3, &["the index"]),
    ] {
        let said = checked(&scratch(), before, arguments);
        assert_eq!(said.code, code, "{before}, {arguments}: {said:?}");
        for part in parts {
            assert!(said.stderr.contains(part), "{before}, {arguments}: {}", said.stderr);
        }
    }
}

#[test]
fn a_shallow_clone_that_holds_the_range_is_enough() {
    let scratch = scratch();
    let clone = "git push -q origin main side; git clone -q --depth 1 -b main file://$ROOT/remote.git ../shallow; cd ../shallow; echo FORBIDDEN >bad; git add bad; git commit -qm x";
    assert_eq!(scratch.shell("work", clone).code, 0);
    let said = run(scratch.command(PORTCULLIS, "shallow").args(["check", "--base", "origin/main"]), b"");
    assert!(said.code == 1 && said.stdout.contains("bad:1"), "{said:?}");
}

#[test]
fn a_commit_that_its_hooks_would_have_refused_is_told() {
    let said = checked(&scratch(), &format!("{BAD}; {GUARDED}"), "--base main --fail-on never");
    let notes: Vec<&str> = said.stdout.lines().filter(|line| line.starts_with("note: ")).collect();
    assert_eq!(notes.len(), 1, "{}", said.stdout);
    assert!(notes[0].contains("`forbidden-word` denies the commit"), "{}", notes[0]);
}

#[test]
fn the_baseline_only_shrinks() {
    let scratch = scratch();
    let base = "--all --baseline b.json --fail-on forbidden-word";
    let begin = format!("sed -i s/FORBIDDEN/[F]ORBIDDEN/ portcullis.toml; git commit -qam x; {BAD}; cp bad other; git add other; git commit -qm other");
    assert_eq!(found(&scratch, &begin, &format!("{base} --write-baseline")), "0 forbidden-word bad:3, forbidden-word other:3");
    let entries = || fs::read_to_string(scratch.root.join("work/b.json")).unwrap().matches("\"rule\"").count();
    assert_eq!(entries(), 2);
    // Further down it is the same finding; another one is new, and is never added.
    assert_eq!(
        found(&scratch, "sed -i 1i0 bad; printf 'NOT FORBIDDEN\\n' >new; git add bad new", base),
        "1 forbidden-word bad:4, forbidden-word new:1, forbidden-word other:3"
    );
    assert!(found(&scratch, "true", &format!("{base} --write-baseline")).starts_with('1'));
    assert_eq!(entries(), 2);
    // What is fixed goes, and does not come back.
    let said = checked(&scratch, "git rm -qf other new", base);
    assert!(said.stdout.contains("1 known findings no longer exist; `--write-baseline` removes them"), "{}", said.stdout);
    checked(&scratch, "true", &format!("{base} --write-baseline"));
    assert_eq!(entries(), 1);
    assert_eq!(found(&scratch, "cp bad other; git add other", base), "1 forbidden-word bad:4, forbidden-word other:4");
}

/// A finding in a file whose name every format must escape.
fn awkward() -> Scratch {
    let scratch = scratch();
    let begin = format!(
        "mkdir -p guarded; printf 'FORBIDDEN\\n' >'a:b,c %<&\"d.txt'; git add .; git commit -qm awkward; {GUARDED}; git commit -q --allow-empty -m 'wip'"
    )
    .replace("mkdir guarded", "true");
    assert_eq!(scratch.shell("work", &begin).code, 0);
    scratch
}

#[test]
fn annotations_are_escaped() {
    let said = checked(&awkward(), "true", "--base main --format github --fail-on 4");
    let lines: Vec<&str> = said.stdout.lines().collect();
    assert_eq!(lines.len(), 4, "{}", said.stdout);
    assert!(
        lines[0].starts_with(
            "::error title=forbidden-word,file=a%3Ab%2Cc %25<&\"d.txt,line=1::forbidden-word: 50%25 of it: no⏎line, is like another%0Ainstead: say"
        ),
        "{}",
        lines[0]
    );
    assert!(lines[1].starts_with("::warning title=guarded-path,file=guarded/a::"), "{}", lines[1]);
    assert!(lines[2].starts_with("::warning title=unfinished-commit::"), "{}", lines[2]);
    assert!(lines[3].starts_with("::notice title=portcullis::`forbidden-word` denies the commit "), "{}", lines[3]);
}

#[test]
fn junit_is_read_by_a_parser_of_xml() {
    let scratch = awkward();
    let said = checked(&scratch, "true", "--base main --format junit --fail-on 4");
    let document = roxmltree::Document::parse(&said.stdout).unwrap();
    let suite = document.descendants().find(|node| node.has_tag_name("testsuite")).unwrap();
    assert_eq!(["tests", "failures", "errors", "skipped"].map(|name| suite.attribute(name).unwrap()), ["3", "1", "0", "0"]);
    let cases: Vec<_> = suite.children().filter(|node| node.has_tag_name("testcase")).collect();
    assert_eq!(cases.len(), 3);
    assert_eq!(cases[0].attribute("name"), Some("a:b,c %<&\"d.txt:1"));
    let failure = cases[0].children().find(|node| node.has_tag_name("failure")).unwrap();
    assert_eq!(failure.attribute("message"), Some("50% of it: no⏎line, is like another"));
    assert!(failure.text().unwrap().contains("instead: say <\"it\"> & other"));
    let none = checked(&scratch, "true", "--staged --format junit");
    let none = roxmltree::Document::parse(&none.stdout).unwrap();
    assert_eq!(none.descendants().filter(|node| node.has_tag_name("testcase")).count(), 1);
}

/// The parts of SARIF 2.1.0 that its schema requires and code scanning reads. The whole schema was run over such logs.
#[test]
fn sarif_has_what_its_schema_asks_for() {
    let scratch = awkward();
    let log: Value = serde_json::from_str(&checked(&scratch, "true", "--base main --format sarif").stdout).unwrap();
    assert_eq!((&log["version"], log["runs"].as_array().unwrap().len()), (&Value::from("2.1.0"), 1));
    let run = &log["runs"][0];
    let driver = &run["tool"]["driver"];
    assert_eq!(driver["name"], "portcullis");
    let rules = driver["rules"].as_array().unwrap();
    assert_eq!(rules.iter().map(|rule| rule["id"].as_str().unwrap()).collect::<Vec<_>>(), ["forbidden-word", "guarded-path", "unfinished-commit"]);
    for result in run["results"].as_array().unwrap() {
        assert_eq!(rules[usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()]["id"], result["ruleId"]);
        assert!(result["message"]["text"].is_string() && ["error", "warning", "note"].contains(&result["level"].as_str().unwrap()));
        assert!(result["partialFingerprints"]["portcullis/v1"].is_string());
        // A finding on a commit has a place too; code scanning refuses the whole log otherwise.
        let place = &result["locations"][0]["physicalLocation"];
        assert!(place["artifactLocation"]["uri"].is_string() && place["region"]["startLine"].is_u64(), "{result}");
    }
    let place = &run["results"][0]["locations"][0]["physicalLocation"];
    assert_eq!((&place["artifactLocation"]["uri"], &place["region"]["startLine"]), (&"a%3Ab%2Cc%20%25%3C%26%22d.txt".into(), &1.into()));
    assert_eq!(run["invocations"][0]["executionSuccessful"], true);
}

#[test]
fn a_report_that_is_lost_is_no_success() {
    let scratch = scratch();
    let full = |arguments: &str| scratch.shell("work", &format!("{PORTCULLIS} check {arguments} >/dev/full"));
    for format in ["text", "json", "sarif", "github", "junit"] {
        let said = full(&format!("--base main --format {format}"));
        // Workflow commands say nothing where nothing is found; the line end alone is lost too.
        assert!(said.code == 3 && said.stderr.contains("the report was not written"), "{format}: {said:?}");
    }
    assert_eq!(scratch.shell("work", &format!("{PORTCULLIS} check --all | true")).code, 0);
}

/// The script of the action's last step, started as the runner starts `shell: bash`.
#[test]
fn the_github_action_judges_what_its_event_says() {
    #[derive(serde::Deserialize)]
    struct Action {
        runs: Runs,
    }
    #[derive(serde::Deserialize)]
    struct Runs {
        steps: Vec<Step>,
    }
    #[derive(serde::Deserialize)]
    struct Step {
        run: String,
    }
    let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/action.yml")).unwrap();
    let script = serde_saphyr::from_str::<Action>(&text).unwrap().runs.steps.pop().unwrap().run;
    let scratch = scratch();
    assert_eq!(scratch.shell("work", &format!("{BAD}; {GUARDED}")).code, 0);
    let folder = std::path::Path::new(PORTCULLIS).parent().unwrap().to_str().unwrap();
    let path = format!("{folder}:{}", std::env::var("PATH").unwrap());
    assert_eq!(scratch.shell("work", "git update-ref refs/remotes/origin/trunk main").code, 0);
    let (nothing, forced) = ("0".repeat(40), "1".repeat(40));
    let mut wrong = Vec::new();
    for (base, event, format, output, fail_on, baseline, expected) in [
        // The base of a pull request, or what was pushed onto; a base that is given goes before it.
        ("", "main", "github", "", "3", "", (1, "::error title=forbidden-word,file=bad,line=3::")),
        ("HEAD~1", "main", "text", "", "3", "", (1, "guarded/a")),
        ("", "main", "text", "", "never", "", (0, "bad:3")),
        // A branch that is new has no commit before it: all files are judged.
        ("", &nothing, "json", "", "3", "", (1, "\"all\"")),
        ("", "", "text", "", "4", "", (1, "bad:3")),
        // With a default branch, only what is not in that; also after a forced push, whose old commit is on no branch.
        ("", &nothing, "json", "DEFAULT", "3", "", (1, "refs/remotes/origin/trunk..HEAD")),
        ("", &forced, "json", "DEFAULT", "3", "", (1, "refs/remotes/origin/trunk..HEAD")),
        ("", &forced, "json", "", "3", "", (3, "")),
        // The report in a file leaves the log empty; what is known does not fail.
        ("", "main", "sarif", "report.sarif", "3", "", (1, "")),
        ("", "main", "text", "", "3", "missing.json", (2, "")),
        // A base that is not there is reported, and is no command.
        ("$(touch broken)", "main", "text", "", "3", "", (3, "")),
    ] {
        let mut command = scratch.command("bash", "work");
        let (default, output) = if output == "DEFAULT" { ("trunk", "") } else { ("", output) };
        for (name, value) in [("BASE", base), ("EVENT_BASE", event), ("FORMAT", format), ("OUTPUT", output), ("FAIL_ON", fail_on), ("BASELINE", baseline)] {
            command.env(name, value);
        }
        command.env("DEFAULT_BRANCH", default).env("REF_NAME", "side");
        let said = run(command.env("PATH", &path).args(["--noprofile", "--norc", "-eo", "pipefail", "-c", &script]), b"");
        if said.code != expected.0 || !said.stdout.contains(expected.1) || (expected.1.is_empty() != said.stdout.is_empty()) {
            wrong.push(format!("{base:?} {event:?} {format} {output:?} {fail_on} {baseline:?}: {} {}{}", said.code, said.stdout, said.stderr));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let report = fs::read_to_string(scratch.root.join("work/report.sarif")).unwrap();
    assert!(serde_json::from_str::<Value>(&report).is_ok_and(|log| log["runs"][0]["results"].as_array().is_some_and(|results| results.len() == 2)), "{report}");
    assert!(!scratch.root.join("work/broken").exists());
}
