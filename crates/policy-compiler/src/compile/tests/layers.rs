//! What layers may do to each other, and the round trip through the compiled form.

use super::{RULE, with_pack};
use policy::{Layer, Policy, Tier, When};

fn rule(name: &str) -> String {
    RULE.replace("force-push", name)
}

fn waiver(name: &str) -> String {
    format!("schema = 1\n[[waiver]]\nrule = \"{name}\"\nrun = {{ program = \"git\", arg = \"x\" }}\nreason = \"r\"\nuntil = 2027-03-31\n")
}

/// Names of the rules that come out, upper layers first, or the mistakes.
fn names(pack: &str, layers: &[(Layer, &str)]) -> Result<Vec<String>, Vec<String>> {
    with_pack(pack, layers, |_, result| match result {
        Ok(compiled) => Ok(Policy::open(&compiled.bytes).unwrap().all_rules().unwrap().iter().map(|rule| rule.name.to_owned()).collect()),
        Err(mistakes) => Err(mistakes.into_iter().map(|mistake| mistake.what).collect()),
    })
}

#[test]
fn a_policy_survives_being_compiled() {
    let user = format!("schema = 1\nprotected = [\"release/*\"]\n{}", rule("own-rule"));
    let opened = RULE.replace("tier = 4", "tier = 3\nopen = true\nwhere = { branch = \"<protected>\" }\nunless = { arg = \"-n\" }\nfor_agents = \"a*\"");
    let pack = format!("protected = \"main\"\n{opened}");
    with_pack(&pack, &[(Layer::User, &user), (Layer::Project, &waiver("force-push"))], |_, result| {
        let compiled = result.unwrap();
        let policy = Policy::open(&compiled.bytes).unwrap();
        assert_eq!((policy.build, policy.compiled_at, policy.digest.len()), ("test", 7, 16));
        assert_eq!(policy.protected.iter().map(|pattern| pattern.source).collect::<Vec<_>>(), ["main", "release/*"]);
        let rules = policy.all_rules().unwrap();
        let [built_in, own] = rules.as_slice() else { panic!("{rules:#?}") };
        assert_eq!((built_in.name, built_in.pack, built_in.place, built_in.layer), ("force-push", "git", "policies/git.toml:7", Layer::BuiltIn));
        assert_eq!((built_in.tier, built_in.open, built_in.shadow), (Tier::Supervised, true, false));
        assert_eq!((built_in.reason, built_in.instead), ("it drops commits", "git push"));
        assert_eq!(built_in.conditions.branch, policy.protected);
        assert!(built_in.unless.is_some() && built_in.for_agents.len() == 1);
        assert_eq!((own.name, own.pack, own.place, own.layer), ("own-rule", "user", "user:4", Layer::User));
        assert_eq!(policy.rules_for(&["run git", "run git push"]).unwrap().len(), 2);
        assert_eq!(policy.rules_for(&["run", "write"]).unwrap(), []);
        let waivers = policy.waivers_of("force-push").unwrap();
        let [waiver] = waivers.as_slice() else { panic!("{waivers:#?}") };
        assert_eq!((waiver.until, waiver.place, waiver.reason), (20_908, "project:2", "r"));
        assert!(matches!(waiver.when, When::Run(_)));
        assert_eq!(compiled.rules.iter().map(|rule| (rule.name.as_str(), rule.catches.len())).collect::<Vec<_>>(), [("force-push", 1), ("own-rule", 1)]);
        assert_eq!((compiled.waivers_past(20_908).count(), compiled.waivers_past(20_909).count()), (0, 1));
    });
}

#[test]
fn without_protected_branches_the_word_for_them_matches_nothing() {
    let pack = RULE.replace("any_flag = \"--force\"", "arg = \"<protected>\"");
    with_pack(&pack, &[], |_, result| {
        let compiled = result.unwrap();
        let rules = Policy::open(&compiled.bytes).unwrap().all_rules().unwrap();
        let [policy::Rule { when: When::Run(tables), .. }] = rules.as_slice() else { panic!("{rules:#?}") };
        assert_eq!(tables[0].arg.len(), 1);
        assert_eq!(tables[0].arg[0].literal(), None);
    });
}

#[test]
fn packs_are_added_by_any_layer_and_switched_off_by_the_organisation() {
    type Case<'c> = (&'c [(Layer, &'c str)], &'c [&'c str]);
    let extra = "schema = 1\npacks = [\"extra\"]";
    let off = "schema = 1\ndisable = \"git\"";
    let cases: &[Case] = &[
        (&[], &["force-push"]),
        (&[(Layer::Local, extra)], &["force-push", "extra-rule"]),
        (&[(Layer::Organisation, off)], &[]),
        (&[(Layer::Organisation, off), (Layer::User, extra)], &["extra-rule"]),
        // A lower layer may tighten again.
        (&[(Layer::Organisation, off), (Layer::Project, "schema = 1\npacks = \"git\"")], &["force-push"]),
    ];
    for (layers, expected) in cases {
        assert_eq!(names(RULE, layers).unwrap(), *expected, "{layers:?}");
    }
}

#[test]
fn upper_layers_come_first_however_they_are_given() {
    let [organisation, user, project, local] = ["org-rule", "user-rule", "project-rule", "local-rule"].map(|name| format!("schema = 1\n{}", rule(name)));
    let layers = [(Layer::Local, local.as_str()), (Layer::Project, &project), (Layer::Organisation, &organisation), (Layer::User, &user)];
    assert_eq!(names(RULE, &layers).unwrap(), ["force-push", "org-rule", "user-rule", "project-rule", "local-rule"]);
}

#[test]
fn waivers_need_a_rule_that_is_open_to_them() {
    type Case<'c> = (&'c str, Vec<(Layer, String)>, Option<String>);
    let own = |text: &str| format!("{text}{}", rule("own-rule"));
    let open = RULE.replace("tier = 4", "tier = 4\nopen = true");
    let closed = |name: &str| Some(format!("the rule `{name}`"));
    // the pack, the layers, the beginning of the mistake
    let cases: &[Case] = &[
        (RULE, vec![(Layer::User, waiver("force-push"))], closed("force-push")),
        (RULE, vec![(Layer::Project, waiver("force-push"))], closed("force-push")),
        (&open, vec![(Layer::User, waiver("force-push"))], None),
        (&open, vec![(Layer::Project, waiver("force-push"))], None),
        // Once the organisation says what is open, nothing else is.
        (&open, vec![(Layer::Organisation, "schema = 1\nopens = []".into()), (Layer::User, waiver("force-push"))], closed("force-push")),
        (RULE, vec![(Layer::Organisation, "schema = 1\nopens = \"force-push\"".into()), (Layer::User, waiver("force-push"))], None),
        (RULE, vec![(Layer::Organisation, own("schema = 1\n")), (Layer::User, waiver("own-rule"))], closed("own-rule")),
        (RULE, vec![(Layer::Organisation, own("schema = 1\nopens = \"own-rule\"")), (Layer::Project, waiver("own-rule"))], None),
        // A rule of the same or a lower layer needs no opening, one of an upper layer always does.
        (RULE, vec![(Layer::User, own(&waiver("own-rule")))], None),
        (RULE, vec![(Layer::User, waiver("own-rule")), (Layer::Project, own("schema = 1\n"))], None),
        (RULE, vec![(Layer::User, own("schema = 1\n")), (Layer::Project, waiver("own-rule"))], closed("own-rule")),
        // A pack that is off has nothing to waive, but its rules are known.
        (RULE, vec![(Layer::User, waiver("extra-rule"))], None),
        (RULE, vec![(Layer::Organisation, "schema = 1\ndisable = \"git\"".into()), (Layer::User, waiver("force-push"))], None),
        // A waiver of a command covers what the command deletes, but no call.
        (RULE, vec![(Layer::User, format!("packs = \"extra\"\n{}", waiver("extra-rule")))], None),
        (
            RULE,
            vec![(
                Layer::User,
                format!(
                    "{}{}",
                    waiver("own-rule"),
                    rule("own-rule").replace("run = {", "call = {").replace("program = \"git\", subcommand = \"push\", any_flag = \"--force\"", "tool = \"x\"")
                ),
            )],
            Some("the waiver is for `run`".into()),
        ),
    ];
    for (pack, layers, expected) in cases {
        let layers: Vec<(Layer, &str)> = layers.iter().map(|(layer, text)| (*layer, text.as_str())).collect();
        match (names(pack, &layers), expected) {
            (Ok(_), None) => {}
            (Err(found), Some(expected)) => assert!(found.len() == 1 && found[0].starts_with(expected), "{layers:?}: {found:?}"),
            (result, _) => panic!("{layers:?}: {result:?}, expected {expected:?}"),
        }
    }
}

#[test]
fn single_rules_and_packs_can_watch() {
    type Watching<'a> = Result<&'a [&'a str], &'a str>;
    let [user, project] = ["user-rule", "project-rule"].map(|name| format!("schema = 1\n{}", rule(name)));
    // By whom, what is written, and which rules watch or which mistake is found at which line of the end.
    let cases: &[(Layer, &str, Watching)] = &[
        (Layer::User, "[[shadow]]\nrule = \"force-push\"", Ok(&["force-push"])),
        (Layer::User, "[[shadow]]\nrule = [\"force-push\", \"user-rule\"]", Ok(&["force-push", "user-rule"])),
        (Layer::User, "[[shadow]]\nrule = \"project-rule\"", Ok(&["project-rule"])),
        (Layer::User, "[[shadow]]\npack = \"git\"", Ok(&["force-push"])),
        (Layer::Project, "[[shadow]]\nrule = \"project-rule\"", Ok(&["project-rule"])),
        (Layer::Project, "[[shadow]]\nrule = \"force-push\"", Err("is of the built-in layer, and the project layer cannot switch it off")),
        (Layer::Project, "[[shadow]]\nrule = \"user-rule\"", Err("is of the user layer, and the project layer cannot switch it off")),
        (Layer::Project, "[[shadow]]\npack = \"git\"", Err("is built in, and the project layer cannot switch it off")),
        (Layer::User, "[[shadow]]\nrule = \"forse-push\"", Err("`shadow` names the unknown rule `forse-push`")),
        (Layer::User, "[[shadow]]\npack = \"gti\"", Err("unknown pack `gti`")),
    ];
    for (by, text, expected) in cases {
        let texts: Vec<(Layer, String)> = [(Layer::User, &user), (Layer::Project, &project)]
            .map(|(layer, policy)| (layer, if layer == *by { format!("{policy}\n{text}\n") } else { policy.clone() }))
            .to_vec();
        let layers: Vec<(Layer, &str)> = texts.iter().map(|(layer, text)| (*layer, text.as_str())).collect();
        with_pack(RULE, &layers, |_, result| match (result, expected) {
            (Ok(compiled), Ok(expected)) => {
                let rules = Policy::open(&compiled.bytes).unwrap().all_rules().unwrap();
                let watching: Vec<&str> = rules.iter().filter(|rule| rule.shadow).map(|rule| rule.name).collect();
                assert_eq!(watching, *expected, "{text}");
            }
            (Err(mistakes), Err(expected)) => assert!(mistakes.len() == 1 && mistakes[0].what.contains(expected), "{text}: {mistakes:?}"),
            (result, _) => panic!("{text}: {result:?}, expected {expected:?}"),
        });
    }
}

#[test]
fn shadow_reaches_no_further_than_its_layer_may() {
    let [organisation, user, project, local] = ["org-rule", "user-rule", "project-rule", "local-rule"].map(|name| format!("schema = 1\n{}", rule(name)));
    let files = [(Layer::Organisation, organisation), (Layer::User, user), (Layer::Project, project), (Layer::Local, local)];
    let cases: &[(Layer, &[&str])] = &[
        (Layer::Organisation, &["force-push", "org-rule", "user-rule", "project-rule", "local-rule"]),
        (Layer::User, &["force-push", "user-rule", "project-rule", "local-rule"]),
        (Layer::Project, &["project-rule", "local-rule"]),
        (Layer::Local, &["project-rule", "local-rule"]),
    ];
    for (by, expected) in cases {
        let texts: Vec<(Layer, String)> = files
            .iter()
            .map(|(layer, text)| (*layer, if layer == by { text.replacen("schema = 1", "schema = 1\nmode = \"shadow\"", 1) } else { text.clone() }))
            .collect();
        let layers: Vec<(Layer, &str)> = texts.iter().map(|(layer, text)| (*layer, text.as_str())).collect();
        with_pack(RULE, &layers, |_, result| {
            let compiled = result.unwrap();
            let rules = Policy::open(&compiled.bytes).unwrap().all_rules().unwrap();
            let watching: Vec<&str> = rules.iter().filter(|rule| rule.shadow).map(|rule| rule.name).collect();
            assert_eq!(watching, *expected, "{by:?}");
        });
    }
}

#[test]
fn examples_of_all_kinds() {
    use crate::examples::{ExampleDeed, Instead};
    let spares = r#"spares = [
        { command = "git push", facts = { branch = "main", dirty = true, exists = ["a", "b"] }, agent = "dev", mode = "plan" },
        { write = { path = "a", text = "t" } },
        { delete = { path = "a", recursive = true } },
        { read = { path = "a" } },
        { fetch = { url = "https://a", method = "POST" } },
        { call = { tool = "t", args = { a = [1, 2.5], b = { c = true } } } },
        { spawn = { agent = "dev", prompt = "p" } },
        { push = { ref = "main", remote = "origin", kind = "delete" } },
    ]"#;
    let pack = RULE.replace("spares = [\"git push\"]", spares).replace("$ git push", "ask a person");
    with_pack(&pack, &[], |_, result| {
        let compiled = result.unwrap();
        let rule = &compiled.rules[0];
        assert_eq!(rule.instead, Instead::Prose("ask a person".into()));
        let first = &rule.spares[0];
        assert_eq!((first.facts.branch.as_deref(), first.facts.dirty, first.facts.exists.len()), (Some("main"), Some(true), 2));
        assert_eq!((first.agent.as_deref(), first.mode.as_deref()), (Some("dev"), Some("plan")));
        let ExampleDeed::Call { args, .. } = &rule.spares[5].deed else { panic!("{:?}", rule.spares[5]) };
        assert_eq!(*args, "a = [1, 2.5]\nb.c = true".parse::<toml::Table>().unwrap().into());
        assert_eq!(rule.spares.iter().map(|example| example.place.as_str()).next_back(), Some("policies/git.toml:21"));
    });
}

#[test]
fn the_uppermost_section_owns_its_lists_and_others_only_tighten() {
    let upper = "schema = 1\n[tests-first]\ntier = 3\nexempt = [{ path = \"old/**\", reason = \"r\" }]\n";
    let lower = "schema = 1\n[tests-first]\ntier = 4\nweakening = 1\nred = \"when-reported\"\nstrict = true\n";
    with_pack(RULE, &[(Layer::User, upper), (Layer::Project, lower)], |_, result| {
        let compiled = result.unwrap();
        let section = Policy::open(&compiled.bytes).unwrap().tests_first.unwrap();
        assert_eq!((section.place, section.layer, section.tier, section.weakening), ("user:2", Layer::User, Tier::Prohibited, Tier::Supervised));
        assert!(section.strict && section.red == policy::Red::WhenReported && section.exempt.len() == 1);
        assert!(section.concerns("src/a.py") && section.concerns("bin/run") && section.concerns(".coveragerc") && !section.concerns("README.md"));
    });
    let loose = "schema = 1\n[tests-first]\ntier = 1\nexempt = [{ path = \"**\", reason = \"r\" }]\nonly = \"x\"\n";
    let found = names(RULE, &[(Layer::User, upper), (Layer::Project, loose)]).unwrap_err();
    assert!(found.len() == 2 && found[0].contains("`exempt` is not allowed here, because the user layer") && found[1].contains("`only`"), "{found:?}");
    with_pack(RULE, &[], |_, result| assert_eq!(Policy::open(&result.unwrap().bytes).unwrap().tests_first, None));
}
