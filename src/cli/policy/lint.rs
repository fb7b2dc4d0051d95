//! `portcullis policy lint`: rules that load, and still do not say what their writer meant.

use serde::Serialize;

use super::new::TO_FILL_IN;
use crate::cli::test::{judge_example, of_command};
use actions::program::{Program, Programs};
use policy::pattern::Pattern;
use policy::verdict::Answer;
use policy::{Policy, Rule, RunWhen, Tier, When};
use policy_compiler::compile::WaiverEnd;
use policy_compiler::examples::{Instead, RuleExamples};

/// Something that is worth a second look.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(in crate::cli) struct LintFinding {
    pub(in crate::cli) rule: String,
    /// `portcullis.toml:12`
    pub(in crate::cli) place: String,
    pub(in crate::cli) what: String,
    pub(in crate::cli) fix: String,
}

/// All findings on the rules of the policy files, and on the waivers that ended before the day `today` (days since
/// 1970-01-01, UTC). `None`: the compiled policy is damaged.
pub(in crate::cli) fn findings(rules: &[Rule], examples: &[RuleExamples], waivers: &[&WaiverEnd], policy: &Policy) -> Option<Vec<LintFinding>> {
    let mut all = Vec::new();
    for rule in rules.iter().filter(|rule| rule.layer != policy::Layer::BuiltIn) {
        let mut add = |what: String, fix: String| all.push(LintFinding { rule: rule.name.to_owned(), place: rule.place.to_owned(), what, fix });
        if let When::Run(tables) = &rule.when {
            for table in tables {
                never_run(table, &policy.programs, &mut add);
            }
        }
        never_fetched(&rule.when, &mut add);
        if [rule.reason, rule.instead].iter().any(|text| TO_FILL_IN.contains(text)) {
            add("its `reason` or `instead` is still the text of `policy new`".to_owned(), "say what would be lost, and what to do instead".to_owned());
        }
        let Some(own) = examples.iter().find(|own| own.name == rule.name) else { continue };
        if let Some(other) = covering(rule, own, rules, policy)? {
            add(
                format!("each of its examples is also stopped by `{other}`, at the same tier or a stricter one"),
                "remove the rule, or add an example that only this rule stops".to_owned(),
            );
        }
        if let Instead::Command(command) = &own.instead {
            let held = judge_example(&of_command(command, rule.place), policy)?.verdict.findings;
            if let Some(denying) = held.iter().find(|finding| finding.tier == Tier::Prohibited) {
                add(format!("its `instead` is denied by `{}`", denying.rule), "name a command that is allowed, or write words".to_owned());
            }
        }
    }
    for waiver in waivers {
        let what = "this waiver has ended".to_owned();
        let fix = "remove it, or give it a later day".to_owned();
        all.push(LintFinding { rule: waiver.rule.clone(), place: waiver.place.clone(), what, fix });
    }
    Some(all)
}

/// A rule of at least the same tier that holds for all examples of this one.
fn covering<'r>(rule: &Rule, own: &RuleExamples, rules: &'r [Rule], policy: &Policy) -> Option<Option<&'r str>> {
    let mut others: Vec<&Rule> = rules.iter().filter(|other| other.name != rule.name && other.tier >= rule.tier && !other.shadow).collect();
    for example in &own.catches {
        let judgement = judge_example(example, policy)?;
        let holds = |other: &Rule| judgement.looks.iter().any(|look| look.rule == other.name && look.answer == Answer::Yes && look.waived.is_none());
        others.retain(|other| holds(other));
    }
    Some(others.first().map(|other| other.name).filter(|_| !own.catches.is_empty()))
}

/// Parts of a table that no command can match, because the program is described and has no such thing.
fn never_run(table: &RunWhen, programs: &Programs, add: &mut impl FnMut(String, String)) {
    let described: Vec<(&str, Program)> = table.program.iter().filter_map(Pattern::literal).filter_map(|name| Some((name, programs.find(name)?))).collect();
    let [(name, program)] = described.as_slice() else { return };
    let known = |name: &str, program: &Program| program.options.iter().any(|option| option.names.contains(&name));
    for subcommand in table.subcommand.iter().filter_map(Pattern::literal) {
        let mut path = subcommand.split(' ');
        let found = path.try_fold(program.clone(), |program, word| program.subcommand(word));
        if found.is_none() && !program.subcommands.is_empty() && path.next().is_none() {
            add(format!("`{name}` has no subcommand `{subcommand}`"), "check the name; an alias is read as what it stands for".to_owned());
        }
    }
    let subcommands: Vec<Program> = table
        .subcommand
        .iter()
        .filter_map(Pattern::literal)
        .filter_map(|subcommand| subcommand.split(' ').try_fold(program.clone(), |program, word| program.subcommand(word)))
        .collect();
    let only = table.subcommand.is_empty() && program.subcommands.is_empty() || !subcommands.is_empty();
    for (flag, _) in table.any_flag.iter().chain(&table.all_flags).filter(|_| only) {
        if !known(flag, program) && !subcommands.iter().any(|subcommand| known(flag, subcommand)) {
            add(format!("`{name}` has no option `{flag}` that is known here"), "check its spelling; if it is new, keep it".to_owned());
        }
    }
    for pattern in table.arg.iter().chain(&table.and_arg).chain(&table.verb).filter(|pattern| pattern.source.starts_with("--")) {
        add(format!("`arg` never matches `{}`, because that is an option", pattern.source), "write it in `any_flag`".to_owned());
    }
}

/// Hosts and methods as they are never compared.
fn never_fetched(when: &When, add: &mut impl FnMut(String, String)) {
    let When::Fetch(tables) = when else { return };
    for host in tables.iter().flat_map(|table| &table.host) {
        if host.source.contains('/') || host.source.contains(':') {
            add(format!("`host` never matches `{}`, because it has no scheme, port or path", host.source), "write the host alone, or use `url`".to_owned());
        } else if host.source.chars().any(|sign| sign.is_ascii_uppercase()) && host.literal().is_some() {
            add(format!("`host` never matches `{}`, because hosts are compared in lower case", host.source), "write it in lower case".to_owned());
        }
    }
    for method in tables.iter().flat_map(|table| &table.method).filter(|method| method.source.chars().any(|sign| sign.is_ascii_lowercase())) {
        if method.literal().is_some() {
            add(format!("`method` never matches `{}`, because methods are in capitals", method.source), "write it in capitals".to_owned());
        }
    }
}
