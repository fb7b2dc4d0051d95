//! `portcullis policy lint`, `new` and `schema`.

use std::fs;

use serde_json::Value;

use crate::cli_init::portcullis;
use crate::support::{Scratch, not_run, package};
use portcullis::cli::policy::schema::{FILE, schema};

fn rule(name: &str, tier: u8, when: &str, catches: &str) -> String {
    format!("[[rule]]\nname = \"{name}\"\ntier = {tier}\n{when}\nreason = \"r\"\ninstead = \"i\"\ncatches = [{catches}]\nspares = [\"ls\"]\n")
}

/// What `lint` says of a policy file: rule and finding.
fn linted(text: &str) -> Vec<(String, String)> {
    let scratch = Scratch::new();
    scratch.write("portcullis.toml", &format!("schema = 1\n{text}"));
    let said = portcullis(&scratch, &["policy", "lint", "--json"]);
    let findings: Value = serde_json::from_str(&said.stdout).unwrap_or_else(|error| panic!("{error}: {}{}", said.stdout, said.stderr));
    let findings: Vec<(String, String)> =
        findings.as_array().unwrap().iter().map(|one| (one["rule"].as_str().unwrap().to_owned(), one["what"].as_str().unwrap().to_owned())).collect();
    assert_eq!(said.code, i32::from(!findings.is_empty()));
    findings
}

#[test]
fn lint_finds_what_can_never_match_and_nothing_else() {
    let deploy = rule("deploy", 3, "run = { program = \"acme\", subcommand = \"deploy\", any_flag = [\"--prod\"] }", "\"acme deploy --prod\"");
    let waiver = "[[waiver]]\nrule = \"recursive-deletion\"\ndelete = { path = [\"build\"] }\nreason = \"r\"\nuntil = 2020-01-01\n";
    for (text, findings) in [
        (deploy.clone(), vec![]),
        (rule("a", 4, "run = { program = \"git\", subcommand = \"pusch\" }", "\"git pusch\""), vec![("a", "`git` has no subcommand `pusch`")]),
        (rule("a", 3, "run = { program = \"git\", subcommand = \"remote add\", any_flag = [\"--tags\"] }", "\"git remote add --tags x y\""), vec![]),
        (
            rule("a", 3, "run = { program = \"git\", subcommand = \"fetch\", any_flag = [\"--prun\"] }", "\"git fetch --prun\""),
            vec![("a", "has no option `--prun`")],
        ),
        (rule("a", 3, "run = { program = \"acme\", arg = [\"--prod\"] }", "\"acme -- --prod\""), vec![]),
        (
            rule("a", 3, "run = { program = \"git\", subcommand = \"fetch\", arg = [\"--prune\"] }", "\"git fetch -- --prune\""),
            vec![("a", "never matches `--prune`")],
        ),
        (
            rule(
                "a",
                3,
                "fetch = { host = [\"https://acme.io\", \"Acme.io\", \"acme.io\"], method = [\"post\", \"PUT\"] }",
                "{ fetch = { url = \"https://acme.io/\", method = \"PUT\" } }",
            ),
            vec![("a", "no scheme"), ("a", "in lower case"), ("a", "in capitals")],
        ),
        (
            rule("a", 3, "run = { program = \"git\", subcommand = \"push\", any_flag = [\"--force\"] }", "\"git push --force\""),
            vec![("a", "also stopped by `force-push`")],
        ),
        (rule("a", 3, "run = { program = \"git\", subcommand = \"push\" }", "\"git push --force\", \"git push\""), vec![]),
        (deploy.replace("instead = \"i\"", "instead = \"$ git push --force\""), vec![("deploy", "its `instead` is denied by `force-push`")]),
        (waiver.to_owned(), vec![("recursive-deletion", "this waiver has ended")]),
        (waiver.replace("2020", "2999"), vec![]),
    ] {
        let found = linted(&text);
        let as_meant = found.len() == findings.len() && found.iter().zip(&findings).all(|((rule, what), (own, part))| rule == own && what.contains(part));
        assert!(as_meant, "{text}\n{found:?}");
    }
}

#[test]
fn a_new_rule_loads_and_holds_for_its_command() {
    for (command, when) in [
        ("acme deploy --prod", "program = \"acme\", all_flags = [\"--prod\"]"),
        ("git fetch --prune origin", "subcommand = \"fetch\", all_flags = [\"--prune\"]"),
        ("npm run 'db:reset'", "program = \"npm\", subcommand = \"run\", arg = [\"db:reset\"]"),
        ("acme say \"it's\"", "program = \"acme\", arg = [\"say\"]"),
    ] {
        let scratch = Scratch::new();
        let said = portcullis(&scratch, &["policy", "new", command]);
        assert!(said.code == 0 && said.stdout.contains(when), "`{when}` in\n{}{}", said.stdout, said.stderr);
        scratch.write("portcullis.toml", &format!("schema = 1\n\n{}", said.stdout));
        let tested = portcullis(&scratch, &["test"]);
        assert!(tested.code == 0 && tested.stdout.contains("1 rules"), "{}\n{}{}", said.stdout, tested.stdout, tested.stderr);
    }
    assert_eq!(portcullis(&Scratch::new(), &["policy", "new", "x=1"]).code, 2);
}

#[test]
fn the_shipped_schema_is_what_the_compiler_checks() {
    let text = format!("{}\n", serde_json::to_string_pretty(&schema()).unwrap());
    if std::env::var_os("PORTCULLIS_REFRESH").is_some() {
        fs::write(package().join(FILE), &text).unwrap();
    }
    assert!(fs::read_to_string(package().join(FILE)).unwrap() == text, "{FILE} is not fresh; run `cargo xtask refresh`");
    let said = portcullis(&Scratch::new(), &["policy", "schema"]);
    assert_eq!(serde_json::from_str::<Value>(&said.stdout).unwrap(), schema());
    let keys = |value: &Value| value["properties"].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert!(keys(&schema()).contains(&"tests-first".to_owned()) && keys(&schema()["properties"]["rule"]["items"]).contains(&"run".to_owned()));
}

/// What taplo says of a policy, if it is installed: `None` where it is not.
fn taplo(text: &str) -> Option<(bool, String)> {
    let scratch = Scratch::new();
    scratch.write("policy.toml", text);
    let schema = format!("file://{}", package().join(FILE).display());
    // `cargo xtask full` installs it there.
    let installed = package().join("target/tools/bin/taplo");
    let taplo = if installed.is_file() { installed } else { "taplo".into() };
    let ended = std::process::Command::new(taplo).args(["lint", "--schema", &schema, "policy.toml"]).current_dir(scratch.repo()).output().ok()?;
    Some((ended.status.success(), String::from_utf8_lossy(&ended.stderr).into_owned()))
}

#[test]
fn an_editor_accepts_what_the_compiler_does() {
    let shipped = fs::read_dir(package().join("policies")).unwrap().map(|entry| entry.unwrap().path());
    for path in shipped.filter(|path| path.extension().is_some_and(|extension| extension == "toml")).chain([package().join("portcullis.toml")]) {
        let text = fs::read_to_string(&path).unwrap();
        // These four keys make a file a pack; a policy has none of them.
        let pack = |line: &&str| ["pack ", "description ", "default ", "brings "].iter().any(|key| line.starts_with(key));
        let policy: Vec<&str> = text.lines().filter(|line| !pack(line)).collect();
        let Some((right, said)) = taplo(&policy.join("\n")) else { return not_run("taplo") };
        assert!(right, "{}: {said}", path.display());
    }
    let wrong = [
        ("[[rule]]\nname = \"a\"\ntier = 9\n", "tier"),
        ("[[rule]]\nname = \"a\"\nrunn = [{ program = \"x\" }]\n", "runn"),
        ("[[rule]]\nname = \"a\"\ntier = 4\nrun = { programm = \"x\" }\n", "run"),
        ("packs = 3\n", "packs"),
        ("schemas = 1\n", "schemas"),
    ];
    for (text, named) in wrong {
        let (right, said) = taplo(&format!("schema = 1\n{text}")).unwrap();
        assert!(!right && said.contains(named), "{text}: {said}");
    }
}
