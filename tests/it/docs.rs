//! Documents that are made from the source, and documents that speak of it: both must be true.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;

use policy::{Layer, Policy, Rule, Tier};
use policy_compiler::compile::{Input, PolicySource, compile};
use policy_compiler::examples::{Example, ExampleDeed, Instead, RuleExamples};
use policy_compiler::packs::{PACKS, PROGRAMS};
use portcullis::cli::test::run_examples;
use portcullis::deep::compiling;
use tests_first::layout::Catalogue;

use crate::support::package;

/// Set to make generated files anew instead of comparing them.
const REFRESH: &str = "PORTCULLIS_REFRESH";
/// Examples of one kind that are shown; the policy file has the rest.
const MAX_SHOWN: usize = 4;

/// Compares a document with what it is made from, or makes it.
#[track_caller]
pub(crate) fn fresh(path: &str, text: &str) {
    let file = package().join(path);
    if std::env::var_os(REFRESH).is_some() {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, text).unwrap();
    }
    let found = fs::read_to_string(&file).unwrap_or_default();
    if found != text {
        let line = found.lines().zip(text.lines()).position(|(old, new)| old != new).map_or(found.lines().count(), |at| at);
        let (old, new) = (found.lines().nth(line).unwrap_or(""), text.lines().nth(line).unwrap_or(""));
        panic!("{path} is stale; run `{REFRESH}=1 cargo test`. Line {}:\n- {old}\n+ {new}", line + 1);
    }
}

fn tier(tier: Tier) -> &'static str {
    match tier {
        Tier::Free => "1, allowed",
        Tier::Metered => "2, allowed within a limit",
        Tier::Supervised => "3, a person is asked",
        Tier::Prohibited => "4, denied",
    }
}

/// An example in one line of Markdown.
fn shown(example: &Example) -> String {
    let text = match &example.deed {
        ExampleDeed::Command(command) => command.replace('\n', " ⏎ "),
        ExampleDeed::Write { path, .. } => format!("write {path}"),
        ExampleDeed::Delete { path, recursive, moved } => {
            let how = if *moved { "move away" } else { "delete" };
            format!("{how} {path}{}", if *recursive { " and all below" } else { "" })
        }
        ExampleDeed::Read { path } => format!("read {path}"),
        ExampleDeed::Fetch { url, .. } => format!("fetch {url}"),
        ExampleDeed::Call { tool, .. } => format!("call {tool}"),
        ExampleDeed::Spawn { agent, .. } => format!("start the sub-agent {agent}"),
        ExampleDeed::Commit { message, touches, deletes, .. } => {
            let files = |word: &str, paths: &[String]| if paths.is_empty() { String::new() } else { format!(", {word} {}", paths.join(" ")) };
            format!("commit {}{}{}", message.as_deref().unwrap_or_default(), files("touching", touches), files("deleting", deletes))
        }
        ExampleDeed::Push { target, kind, .. } => format!("push {}: {kind:?}", target.as_deref().unwrap_or("the current branch")),
    };
    let facts = &example.facts;
    let known = [
        ("Portcullis would not be started any more", facts.loses_gate),
        ("the policy would be weaker", facts.weakens_policy),
        ("there are uncommitted changes", facts.dirty),
        ("the branch is protected", facts.protected_branch),
    ];
    let mut known: Vec<String> = known.iter().filter_map(|(what, is)| is.map(|is| if is { (*what).to_owned() } else { format!("not: {what}") })).collect();
    known.extend(facts.bytes.map(|bytes| format!("committed with {bytes} bytes")));
    let mark = if text.contains('`') { "``" } else { "`" };
    let space = if mark.len() > 1 { " " } else { "" };
    let facts = if known.is_empty() { String::new() } else { format!(" ({})", known.join(", ")) };
    format!("{mark}{space}{text}{space}{mark}{facts}")
}

fn list(title: &str, examples: &[Example], page: &mut String) {
    if examples.is_empty() {
        return;
    }
    let mut lines: Vec<String> = examples.iter().map(shown).collect();
    let rest = lines.len().saturating_sub(MAX_SHOWN);
    lines.truncate(MAX_SHOWN);
    if rest > 0 {
        lines.push(format!("and {rest} more"));
    }
    let _ = writeln!(page, "- {title}: {}", lines.join(", "));
}

fn entry(rule: &Rule, examples: &RuleExamples, page: &mut String) {
    let _ = writeln!(page, "\n## {}\n", rule.name);
    let _ = writeln!(page, "Tier {}. {}.\n", tier(rule.tier), sentence(rule.reason));
    match &examples.instead {
        Instead::Command(command) => drop(writeln!(page, "- instead: `{command}`")),
        Instead::Prose(words) => drop(writeln!(page, "- instead: {words}")),
    }
    list("matches", &examples.catches, page);
    list("does not match", &examples.spares, page);
    list("might match, so a person is asked", &examples.unsure, page);
    if rule.open {
        page.push_str("- open: a waiver can exempt actions from this rule\n");
    }
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[test]
fn the_pages_of_the_rules_are_fresh() {
    let off: Vec<String> = PACKS.iter().map(|(_, text)| text.parse::<toml::Table>().unwrap()).map(|pack| pack["pack"].as_str().unwrap().to_owned()).collect();
    let all = format!("schema = 1\npacks = {off:?}\n");
    let layers = [PolicySource { layer: Layer::Project, path: "portcullis.toml", text: &all }];
    let input = Input { packs: PACKS, programs: PROGRAMS, layers: &layers, ..Input::default() };
    let compiled = compile(&input).unwrap_or_else(|mistakes| panic!("{}", input.render(&mistakes, false)));
    let policy = Policy::open(&compiled.bytes).unwrap();
    let rules = policy.all_rules().unwrap();
    let mut index = format!(
        "# The shipped rules\n\nEach pack is a group of rules on one subject. Its page says what each rule does, why, and what to do instead, and shows\nexamples of what it matches and what it does not match. `portcullis policy RULE` shows one rule in your terminal, and\n`portcullis test --all` runs all examples.\n\nPacks that are on apply without any policy file. To switch another one on, name it in `packs` of a policy file.\n[policy.md](policy.md) explains waivers.\n\nTests make this page and those of the packs from `policies/*.toml`. Do not edit them; run `{REFRESH}=1 cargo test docs`\ninstead.\n\n| pack | on | what it is for | denies | asks |\n| --- | --- | --- | --- | --- |\n"
    );
    let mut pages = BTreeSet::new();
    for (path, text) in PACKS {
        let pack: toml::Table = text.parse().unwrap();
        let (name, on) = (pack["pack"].as_str().unwrap(), pack["default"].as_bool() == Some(true));
        let own: Vec<&Rule> = rules.iter().filter(|rule| rule.pack == name).collect();
        let count = |tier: Tier| own.iter().filter(|rule| rule.tier == tier).count();
        let about = sentence(pack["description"].as_str().unwrap());
        let _ = writeln!(
            index,
            "| [{name}](rules/{name}.md) | {} | {about} | {} | {} |",
            if on { "yes" } else { "no" },
            count(Tier::Prohibited),
            count(Tier::Supervised)
        );
        let switch = if on { "It is on without any policy file." } else { "It is off. To switch it on, name it in `packs` of a policy file." };
        let mut page = format!("# The pack `{name}`\n\n{about}. {switch} [All packs](../rules.md). Made from `{path}`.\n");
        for rule in own {
            let examples = compiled.rules.iter().find(|examples| examples.name == rule.name).unwrap();
            entry(rule, examples, &mut page);
        }
        fresh(&format!("docs/rules/{name}.md"), &page);
        pages.insert(format!("{name}.md"));
    }
    fresh("docs/rules.md", &index);
    let found: BTreeSet<String> = fs::read_dir(package().join("docs/rules")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(found, pages, "a page of a pack that is gone must go");
}

/// A Markdown text outside its fenced blocks, and the blocks, each with the language that its fence names.
pub(crate) fn fenced(text: &str) -> (String, Vec<(String, String)>) {
    let (mut outside, mut blocks) = (String::new(), Vec::new());
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(language) = line.trim().strip_prefix("```") {
            let block: Vec<&str> = lines.by_ref().take_while(|line| line.trim() != "```").collect();
            blocks.push((language.to_owned(), block.join("\n")));
        } else {
            outside.push_str(line);
            outside.push('\n');
        }
    }
    (outside, blocks)
}

/// Blocks of a Markdown text whose fence names this language.
pub(crate) fn blocks(text: &str, language: &str) -> Vec<String> {
    fenced(text).1.into_iter().filter(|(named, _)| named == language).map(|(_, block)| block).collect()
}

#[test]
fn every_policy_in_the_documents_compiles_and_keeps_its_word() {
    let mut count = 0;
    // The cookbook has a test of its own.
    for (path, text) in crate::pages::pages().iter().filter(|(path, _)| path != "docs/cookbook.md") {
        for (at, block) in blocks(text, "toml").iter().enumerate() {
            let name = format!("{path}, block {}", at + 1);
            let written: toml::Table = block.parse().unwrap_or_else(|error| panic!("{name}: {error}"));
            let has = |key: &str| written.contains_key(key);
            let layer = match () {
                () if has("opens") || has("disable") || has("release") => Layer::Organisation,
                () if has("approval") || has("store") || has("record") || has("shadow") => Layer::User,
                () => Layer::Project,
            };
            let whole = if written.contains_key("schema") { block.clone() } else { format!("schema = 1\n{block}") };
            let layers = [PolicySource { layer, path: &name, text: &whole }];
            let input = Input { build: "", compiled_at: 0, packs: PACKS, programs: PROGRAMS, layers: &layers, ..Input::default() };
            let compiled = compile(&input).unwrap_or_else(|mistakes| panic!("{}", input.render(&mistakes, false)));
            let own: Vec<RuleExamples> = compiled.rules.iter().filter(|rule| rule.place.starts_with(path.as_str())).cloned().collect();
            assert_eq!(own.len(), written.get("rule").and_then(toml::Value::as_array).map_or(0, Vec::len), "{name}");
            let outcome = run_examples(&own, &Policy::open(&compiled.bytes).unwrap()).unwrap();
            assert!(outcome.failures.is_empty(), "{name}: {:#?}", outcome.failures);
            count += 1;
        }
    }
    assert!(count >= 8, "only {count} blocks were found");
}

/// Files at the top level and in `docs` that people read.
fn documents() -> Vec<(String, String)> {
    let names = [
        "README.md",
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "CHANGELOG.md",
        "docs/README.md",
        "docs/approvals.md",
        "docs/check.md",
        "docs/clients.md",
        "docs/commands.md",
        "docs/cookbook.md",
        "docs/failures.md",
        "docs/flywheel.md",
        "docs/git.md",
        "docs/install.md",
        "docs/limits.md",
        "docs/organisation.md",
        "docs/pipeline.md",
        "docs/performance.md",
        "docs/policy.md",
        "docs/record.md",
        "docs/replay.md",
        "docs/report.md",
        "docs/rules.md",
        "docs/servers.md",
        "docs/team.md",
        "docs/tests-first.md",
        "docs/troubleshooting.md",
        "fuzz/README.md",
        "tests/events/README.md",
    ];
    names.iter().map(|name| ((*name).to_owned(), fs::read_to_string(package().join(name)).unwrap_or_else(|error| panic!("{name}: {error}")))).collect()
}

#[test]
fn every_file_that_a_document_names_is_there() {
    let mut missing = BTreeSet::new();
    for (name, text) in documents() {
        // Made from the rules, whose examples name files of other repositories.
        if name == "docs/rules.md" || name == "docs/failures.md" {
            continue;
        }
        let links = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for link in links.filter(|link| !link.contains("://") && !link.starts_with('#')) {
            let folder = package().join(&name).parent().unwrap().to_path_buf();
            if !folder.join(link.split('#').next().unwrap()).exists() {
                missing.insert(format!("{name}: {link}"));
            }
        }
        // Its recipes name files of other repositories.
        for word in text.split('`').skip(1).step_by(2).filter(|_| name != "docs/cookbook.md") {
            let own = ["src/", "policies/", "tests/", "docs/", "fuzz/", "benches/"].iter().any(|folder| word.starts_with(folder));
            let plain = !word.contains(['*', '<', '{', ' ', '…']) && !word.contains("NAME");
            if own && plain && !package().join(word.split(':').next().unwrap()).exists() {
                missing.insert(format!("{name}: {word}"));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn every_rule_that_a_document_names_is_there() {
    let compiled = compiling::built_in().unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let known: BTreeSet<&str> = compiled.rules.iter().map(|rule| rule.name.as_str()).collect();
    for (name, text) in documents() {
        for rule in text.split("denied by `").skip(1).filter_map(|rest| rest.split('`').next()) {
            // A page may also bring its own.
            let own = text.contains(&format!("= \"{rule}\""));
            assert!(own || known.contains(rule), "{name} names the rule `{rule}`, which is not shipped");
        }
    }
}

#[test]
fn the_tests_that_hold_the_promises_are_there() {
    let text = fs::read_to_string(package().join("SECURITY.md")).unwrap();
    let table = text.split("## Which test checks each promise").nth(1).unwrap().split("\n## ").next().unwrap();
    let rows: Vec<&str> = table.lines().filter(|line| line.starts_with("| ")).skip(2).collect();
    assert!(rows.len() > 10, "{rows:?}");
    for row in rows {
        let named: Vec<&str> = row.split(" | ").nth(1).unwrap().split('`').skip(1).step_by(2).filter(|word| !word.contains(' ')).collect();
        for name in named {
            let (file, function) = name.split_once("::").map_or((name, None), |(file, function)| (file, Some(function)));
            let source = fs::read_to_string(package().join(format!("tests/it/{file}.rs"))).unwrap_or_else(|error| panic!("{name}: {error}"));
            let is_test = |function: &str| source.contains(&format!("fn {function}()"));
            assert!(function.is_none_or(is_test), "{name} is no test");
        }
    }
}

#[test]
fn the_architecture_is_short() {
    let text = fs::read_to_string(package().join("ARCHITECTURE.md")).unwrap();
    assert!(text.lines().count() <= 150, "ARCHITECTURE.md has {} lines", text.lines().count());
}

#[test]
fn the_table_of_layouts_is_fresh() {
    let path = "docs/tests-first.md";
    let text = fs::read_to_string(package().join(path)).unwrap();
    let mark = "applies only to sources of\nthat name.\n\n";
    let (head, _) = text.split_once(mark).unwrap();
    let mut page = format!("{head}{mark}| name | for | sources | tests, the most likely first | in the source |\n| --- | --- | --- | --- | --- |\n");
    let catalogue = Catalogue::shipped().unwrap();
    let shown = |list: &[String], most: usize| {
        let shown: Vec<String> = list.iter().take(most).map(|text| format!("`{text}`")).collect();
        shown.join(", ") + if list.len() > most { ", …" } else { "" }
    };
    for layout in &catalogue.layouts {
        let inline = if layout.inline { "yes" } else { "" };
        let _ = writeln!(page, "| {} | {} | {} | {} | {inline} |", layout.name, layout.title, shown(&layout.source, 3), shown(&layout.test, 3));
    }
    let _ = writeln!(
        page,
        "\n## Add a layout\n\nA layout and its language are data in `policies/layouts/*.toml`, in the file of their family. `[[language]]` says what\ncomments, strings, tests, skips and assertions look like. The notation is explained in `crates/tests-first/src/syntax/pattern.rs`. `[[layout]]`\nsays where sources and tests are.\n\nAdd a project to `tests/ecosystems/` with one real test, one skipped test and one test that asserts nothing. Then run\n`cargo test --test it tests_first`, which judges the project in all ways, and `{REFRESH}=1 cargo test`."
    );
    fresh(path, &page);
}
