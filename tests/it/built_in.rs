//! What is compiled into the binaries is what is in `policies/`.

use std::collections::BTreeSet;
use std::fs;

use crate::support::package;
use clients::Moment;
use clients::claude_code::ClaudeCode;
use gate::BUILT_IN;
use gate::answer;
use gate::failure::Failure;
use policy::{Layer, MAGIC, Policy};
use policy_compiler::compile::{Input, PolicySource, compile, compile_quickly};
use policy_compiler::packs::{PACKS, PROGRAMS};
use portcullis::cli::test::run_examples;
use portcullis::deep::compiling;

/// Set to make generated files anew instead of comparing them.
const REFRESH: &str = "PORTCULLIS_REFRESH";

#[test]
fn the_compiled_policy_is_what_the_packs_compile_to() {
    let compiled = compiling::built_in().unwrap_or_else(|mistakes| panic!("{mistakes}"));
    assert!(compiled.bytes == BUILT_IN, "policies/compiled/ is not what policies/ compiles to; run `cargo xtask refresh`");
}

#[test]
fn the_layouts_are_those_of_their_files() {
    let mut files: Vec<_> = fs::read_dir(package().join("policies/layouts")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut all = toml::Table::new();
    for file in files {
        for (key, value) in fs::read_to_string(&file).unwrap().parse::<toml::Table>().unwrap() {
            match (all.get_mut(&key), value) {
                (Some(toml::Value::Array(known)), toml::Value::Array(more)) => known.extend(more),
                (None, value) => drop(all.insert(key, value)),
                _ => panic!("`{key}` stands in two files: {}", file.display()),
            }
        }
    }
    // A line for each, so that a change can be read.
    let lines: Vec<String> = all
        .iter()
        .map(|(key, value)| {
            let text = serde_json::to_string(value).unwrap();
            format!("{}: {}", serde_json::to_string(key).unwrap(), text.replace("},{\"name\"", "},\n{\"name\""))
        })
        .collect();
    let text = format!("{{\n{}\n}}\n", lines.join(",\n"));
    let path = package().join("policies/layouts.json");
    if std::env::var_os(REFRESH).is_some() {
        fs::write(&path, &text).unwrap();
    }
    assert!(fs::read_to_string(&path).unwrap() == text, "policies/layouts.json is not what policies/layouts/*.toml say; run `{REFRESH}=1 cargo test built_in`");
}

#[test]
fn every_policy_file_is_shipped() {
    let shipped: BTreeSet<String> = PACKS.iter().chain(PROGRAMS).map(|(path, _)| (*path).to_owned()).collect();
    let mut found = BTreeSet::new();
    for folder in ["policies", "policies/programs"] {
        for entry in fs::read_dir(package().join(folder)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if std::path::Path::new(&name).extension().is_some_and(|extension| extension == "toml") {
                found.insert(format!("{folder}/{name}"));
            }
        }
    }
    assert_eq!(shipped, found);
}

/// `portcullis test` runs the examples of what holds; a pack that is off by default must keep its word all the same.
/// Each pack is compiled alone: without branches of its own `<protected>` would match nothing.
#[test]
fn packs_that_speak_of_protected_branches_name_them() {
    for (path, text) in policy_compiler::packs::PACKS.iter().filter(|(_, text)| text.contains("<protected>")) {
        assert!(policy_compiler::packs::head(text).contains("\nprotected = [\"main\", "), "{path}");
    }
}

#[test]
fn packs_that_are_off_keep_their_word() {
    let off: Vec<String> = PACKS
        .iter()
        .map(|(_, text)| text.parse::<toml::Table>().unwrap())
        .filter(|pack| pack["default"].as_bool() == Some(false))
        .map(|pack| pack["pack"].as_str().unwrap().to_owned())
        .collect();
    let text = format!("schema = 1\npacks = {off:?}\n");
    let layers = [PolicySource { layer: Layer::Project, path: "portcullis.toml", text: &text }];
    let input = Input { build: "", compiled_at: 0, packs: PACKS, programs: PROGRAMS, layers: &layers, ..Input::default() };
    let compiled = compile(&input).unwrap_or_else(|mistakes| panic!("{}", input.render(&mistakes, false)));
    let own: Vec<_> = compiled.rules.iter().filter(|rule| off.contains(&rule.pack)).cloned().collect();
    let outcome = run_examples(&own, &Policy::open(&compiled.bytes).unwrap()).unwrap();
    assert!(outcome.rules >= off.len() && outcome.failures.is_empty(), "{:#?}", outcome.failures);
}

/// What the layers of a policy say, and whether the shipped files need not be read anew for it.
#[test]
fn the_quick_way_compiles_to_the_same_bytes() {
    const RULE: &str = "[[rule]]\nname = \"a\"\ntier = 3\nrun = { program = \"npm\", arg = [\"*drop*\"] }\nwhere = { branch = [\"<protected>\"] }\nreason = \"r\"\ninstead = \"i\"\ncatches = [\"npm drop\"]\nspares = [\"npm x\"]\n";
    const WAIVER: &str = "[[waiver]]\nrule = \"recursive-deletion\"\ndelete = { path = [\"build\"] }\nreason = \"r\"\nuntil = 2999-01-01\n";
    let project = |text: &str| vec![(Layer::Project, text.to_owned())];
    let layers = [
        (project(""), true),
        (project(RULE), true),
        (project("packs = [\"delivery-plan\", \"staged-agents\"]\n"), true),
        (project("packs = [\"twilio\"]\n[tests-first]\ntier = 4\n"), true),
        (project("protected = [\"production\", \"deploy/*\"]\n"), true),
        (project(WAIVER), true),
        (vec![(Layer::Project, RULE.to_owned()), (Layer::Organisation, "disable = [\"git\"]\nopens = [\"hooks-skipped\"]\n".to_owned())], true),
        (vec![(Layer::User, "mode = \"shadow\"\n".to_owned()), (Layer::Local, RULE.to_owned())], true),
        (project("[flywheel]\nmap = [{ code = \"src/**\", docs = [\"README.md\"] }]\n"), true),
        (project("[[program]]\nname = \"acme-run\"\noperands = [\"argv\"]\n"), false),
        (project("packs = [\"twillio\"]\n"), false),
        (project(&format!("{RULE}{RULE}")), false),
        (project(&WAIVER.replace("recursive-deletion", "force-push")), false),
        (project("packs = "), false),
    ];
    for (layers, quick) in &layers {
        let texts: Vec<(Layer, String)> = layers.iter().map(|(layer, text)| (*layer, format!("schema = 1\n{text}"))).collect();
        let layers: Vec<PolicySource> = texts.iter().map(|(layer, text)| PolicySource { layer: *layer, path: "portcullis.toml", text }).collect();
        let input = Input { build: "b", compiled_at: 7, packs: PACKS, programs: PROGRAMS, layers: &layers, ..Input::default() };
        let (whole, fast) = (compile(&input), compile_quickly(&input, gate::PIECES));
        assert_eq!(fast.is_some(), *quick, "{layers:?}: {:?}", whole.as_ref().map(drop).map_err(|mistakes| input.render(mistakes, false)));
        assert!(fast.is_none_or(|fast| whole.unwrap().bytes == fast), "{layers:?}");
    }
}

#[test]
fn a_policy_of_another_form_does_not_open() {
    assert!(Policy::open(BUILT_IN).is_some());
    for at in 0..MAGIC.len() {
        let mut other = BUILT_IN.to_vec();
        other[at] ^= 1;
        assert!(Policy::open(&other).is_none(), "byte {at} is not looked at");
    }
    for (moment, said) in [(Moment::BeforeCall, "2 "), (Moment::Permission, "0 deny"), (Moment::Other, "0 ")] {
        let answer = answer::to_failure(&Failure::PolicyDamaged, &ClaudeCode, moment);
        let denied = if answer.stdout.contains(r#""behavior":"deny""#) { "deny" } else { "" };
        assert_eq!(format!("{} {denied}", answer.code), said);
    }
}

#[test]
fn the_fingerprint_is_made_of_all_that_lays_the_form_down() {
    let form = fs::read_to_string(package().join("crates/policy/form.rs")).unwrap();
    let mut folders = vec![package().join("src"), package().join("crates")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if ["wire_struct!", "wire_enum!", " Wire<'a> for "].iter().any(|mark| fs::read_to_string(&path).unwrap().contains(mark)) {
                let name = path.strip_prefix(package()).unwrap().to_string_lossy().into_owned();
                let name = name.strip_prefix("crates/").unwrap_or(&name);
                assert!(form.contains(&format!("\"{name}\"")), "{name} is missing in crates/policy/form.rs");
            }
        }
    }
}

/// A rule that is found for every command, write or call costs each of them.
#[test]
fn shipped_rules_are_found_by_what_they_speak_of() {
    let policy = Policy::open(BUILT_IN).unwrap();
    let mut wide = BTreeSet::new();
    for (keys, rule) in policy.keyed_rules().unwrap() {
        wide.extend(["run", "call"].into_iter().filter(|kind| keys.contains(&actions::wire::key(kind))).map(|kind| (rule.name, kind)));
    }
    assert!(wide.is_empty(), "give these rules the name of a program or of a tool: {wide:?}");
}
