//! `portcullis policy`: the policy that applies here, and where it comes from.

pub(super) mod lint;
mod new;
pub mod pull;
pub mod schema;
pub mod source;

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::json;

use super::place::Place;
use super::refusal::Refusal;
use super::terminal::{self, TextStyle, progress, say, say_json, styled};
use super::test::{shown, with_examples};
use crate::report::explain::tier;
use gate::failure::Failure;
use gate::world::layers::FoundLayer;
use policy::{Policy, Red, Rule, TestsFirst, Tier};
use policy_compiler::examples::{Example, RuleExamples};

#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub struct PolicyArguments {
    #[command(subcommand)]
    command: Option<PolicyCommand>,
    /// Show one rule: what it finds, why, what to do instead, and its examples
    rule: Option<String>,
    /// Show the files of all layers, those that do not exist too
    #[arg(long, conflicts_with = "rule")]
    paths: bool,
    /// Show the sentences of these documents, each with the rules that name it in `source`: `seeds`
    #[arg(long, value_name = "NAME", conflicts_with_all = ["rule", "paths"])]
    source: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Subcommand, Debug)]
enum PolicyCommand {
    /// Find rules that can never match, that another rule covers, or whose advice is denied
    Lint {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Print a rule to begin with, made from a command line
    New {
        /// The command: one argument is a command line, several arguments are its words
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true, value_name = "COMMAND")]
        command: Vec<String>,
    },
    /// Print the form of policy files as JSON Schema, for editors
    Schema,
    /// Put the organisation's newest policy in place, from the address in `source.toml` beside it (for the administrator)
    Pull(pull::PullArguments),
}

/// Runs one of the commands on the files of a policy.
fn command(command: &PolicyCommand, place: &Place) -> Result<ExitCode, Refusal> {
    match command {
        PolicyCommand::Pull(arguments) => pull::run(arguments),
        PolicyCommand::Schema => {
            say_json(&schema::schema());
            Ok(ExitCode::SUCCESS)
        }
        PolicyCommand::New { command } => {
            let bytes = place.policy()?;
            let policy = Policy::open(&bytes).ok_or(Failure::PolicyDamaged)?;
            // The empty line keeps it apart where it is appended to a file.
            say(&format!("\n{}", new::rule(&super::explain::command_line(command), &policy)?.trim_end()));
            let file = place.around.root.join(gate::world::PROJECT_POLICY);
            progress(&format!(
                "put this at the end of {}, fill in `reason` and `instead`, then run `portcullis test` and `portcullis policy lint`",
                terminal::shown(&file)
            ));
            Ok(ExitCode::SUCCESS)
        }
        PolicyCommand::Lint { json } => {
            let compiled = with_examples(place)?;
            let policy = Policy::open(&compiled.bytes).ok_or(Failure::PolicyDamaged)?;
            let rules = policy.all_rules().ok_or(Failure::RuleDamaged)?;
            let today = i64::try_from(gate::world::system::now() / 86_400).unwrap_or(i64::MAX);
            let ended: Vec<_> = compiled.waivers_past(today).collect();
            let findings = lint::findings(&rules, &compiled.rules, &ended, &policy).ok_or(Failure::RuleDamaged)?;
            if *json {
                say_json(&findings);
            } else {
                for lint::LintFinding { rule, place, what, fix } in &findings {
                    say(&format!("{} ({place})\n  {what}\n  fix: {fix}", styled(&format!("`{rule}`"), TextStyle::Doubtful)));
                }
                let own = rules.iter().filter(|rule| rule.layer != policy::Layer::BuiltIn).count();
                say(&format!("{own} rules of policy files, {} findings", findings.len()));
            }
            Ok(if findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
    }
}

fn red(section: &TestsFirst) -> &'static str {
    Red::NAMES.iter().find(|(_, red)| *red == section.red).map_or("", |(name, _)| *name)
}

/// Shows one rule.
fn one(name: &str, rules: &[Rule], place: &Place, json: bool) -> Result<ExitCode, Refusal> {
    let Some(rule) = rules.iter().find(|rule| rule.name == name) else {
        let names = rules.iter().map(|rule| rule.name);
        return Err(Refusal::usage("nothing is shown", format!("there is no rule `{name}` here"), policy_compiler::mistake::suggestion(name, names)));
    };
    let compiled = with_examples(place)?;
    let examples = compiled.rules.iter().find(|examples| examples.name == name);
    let list = |of: fn(&RuleExamples) -> &Vec<Example>| -> Vec<String> { examples.map(of).into_iter().flatten().map(|example| shown(&example.deed)).collect() };
    let (catches, spares) = (list(|rule| &rule.catches), list(|rule| &rule.spares));
    if json {
        say_json(&json!({
            "name": rule.name, "pack": rule.pack, "layer": rule.layer.name(), "tier": rule.tier as u8, "place": rule.place, "shadow": rule.shadow,
            "open": rule.open, "tell": rule.tell, "source": examples.map(|rule| &rule.source), "reason": rule.reason, "instead": rule.instead,
            "catches": catches, "spares": spares,
        }));
        return Ok(ExitCode::SUCCESS);
    }
    let held = match rule.tier {
        Tier::Prohibited => "denied",
        Tier::Supervised => "asked",
        Tier::Free | Tier::Metered if rule.tell => "allowed with a note",
        Tier::Free | Tier::Metered => "allowed",
    };
    say(&format!("{}: tier {} ({}), pack `{}`, {}", styled(rule.name, TextStyle::Bold), rule.tier as u8, tier(rule.tier), rule.pack, rule.place));
    say(&format!("why: {}\ninstead: {}", rule.reason, rule.instead));
    for (label, examples) in [(held, catches), ("allowed", spares)] {
        say(&format!("{label}, for example:"));
        for example in examples {
            say(&format!("  {example}"));
        }
    }
    if let Some(source) = examples.map(|rule| rule.source.join(", ")).filter(|source| !source.is_empty()) {
        say(&format!("source: {source}"));
    }
    let waivers =
        if rule.open { "a policy file can waive it for certain actions, until a day (`portcullis unblock` writes one)" } else { "no project can waive it" };
    say(&format!("waivers: {waivers}"));
    Ok(ExitCode::SUCCESS)
}

/// Runs the command.
///
/// # Errors
///
/// The policy has mistakes, or cannot be read.
pub fn run(arguments: &PolicyArguments) -> Result<ExitCode, Refusal> {
    // Where nothing else is known yet, and a policy with mistakes is to be replaced.
    if let Some(PolicyCommand::Pull(arguments)) = &arguments.command {
        return pull::run(arguments);
    }
    let place = Place::at(None)?;
    if let Some(asked) = &arguments.command {
        return command(asked, &place);
    }
    if let Some(name) = &arguments.source {
        return source::show(name, &with_examples(&place)?.rules, arguments.json);
    }
    let found = place.layers()?;
    if arguments.paths {
        // A policy with mistakes has files too.
        let file = |file: &FoundLayer| json!({ "layer": file.layer.name(), "path": file.path, "exists": !file.identity.is_empty() });
        if arguments.json {
            say_json(&found.iter().map(file).collect::<Vec<_>>());
        } else {
            let line = |file: &FoundLayer| {
                format!("{:<12} {}{}", file.layer.name(), super::terminal::shown(&file.path), if file.identity.is_empty() { " (does not exist)" } else { "" })
            };
            for file in &found {
                say(&line(file));
            }
        }
        return Ok(ExitCode::SUCCESS);
    }
    let bytes = place.policy()?;
    let policy = Policy::open(&bytes).ok_or(Failure::PolicyDamaged)?;
    let mut rules = policy.all_rules().ok_or(Failure::RuleDamaged)?;
    if let Some(name) = &arguments.rule {
        return one(name, &rules, &place, arguments.json);
    }
    rules.sort_by_key(|rule| (rule.layer, rule.pack, std::cmp::Reverse(rule.tier)));
    let release = policy.tiers().and_then(|tiers| tiers.release);
    let stale = release.as_ref().and_then(|release| gate::release::stale(release, gate::judge::today()));
    let layers = || found.iter().filter(|file| !file.identity.is_empty());
    if arguments.json {
        say_json(&json!({
            "root": place.around.root,
            "why_root": place.around.why,
            "digest": policy.digest,
            "release": release.as_ref().map(|release| json!({ "serial": release.serial, "valid_until": release.until.map(gate::release::day), "stale": stale })),
            "layers": layers().map(|file| json!({ "layer": file.layer.name(), "path": file.path })).collect::<Vec<_>>(),
            "protected": policy.protected.iter().map(|pattern| pattern.source).collect::<Vec<_>>(),
            "tests-first": policy.tests_first.as_ref().map(|section| json!({
                "tier": section.tier as u8, "weakening": section.weakening as u8, "red": red(section), "strict": section.strict, "place": section.place,
                "shadow": section.shadow, "layer": section.layer.name(), "exempt": section.exempt.len(),
            })),
            "rules": rules.iter().map(|rule| json!({
                "name": rule.name, "pack": rule.pack, "layer": rule.layer.name(), "tier": rule.tier as u8, "place": rule.place,
                "shadow": rule.shadow, "open": rule.open, "tell": rule.tell, "reason": rule.reason, "instead": rule.instead,
            })).collect::<Vec<_>>(),
        }));
        return Ok(ExitCode::SUCCESS);
    }
    let bold = |text: &str| styled(text, TextStyle::Bold);
    say(&format!("{} {} ({}), digest {}", bold("policy"), place.around.root.display(), place.around.why, policy.digest));
    for file in layers() {
        say(&format!("  {:<12} {}", file.layer.name(), file.path.display()));
    }
    if layers().next().is_none() {
        say("  no file; only the built-in packs apply");
    }
    if let Some(release) = &release {
        let until = release.until.map(|until| format!(", holds until {}", gate::release::day(until))).unwrap_or_default();
        say(&format!("  release      {}{until}", release.serial));
    }
    if let Some(stale) = &stale {
        say(&format!("  {}", styled(stale, TextStyle::Doubtful)));
    }
    let protected: Vec<&str> = policy.protected.iter().map(|pattern| pattern.source).collect();
    say(&format!("  protected    {}", protected.join(", ")));
    if let Some(section) = &policy.tests_first {
        let red = red(section);
        let more = format!(" (red = {red}{}, {} exempt)", if section.strict { ", strict" } else { "" }, section.exempt.len());
        let watches = if section.shadow { " (shadow)" } else { "" };
        say(&bold("tests-first"));
        for (rule, held, more) in [("tests-first", section.tier, more.as_str()), ("tests-weakened", section.weakening, "")] {
            say(&format!("  {} {:<10} {rule:<32} {}{more}{watches}", held as u8, tier(held), section.place));
        }
    }
    let mut pack = "";
    for rule in &rules {
        if rule.pack != pack {
            pack = rule.pack;
            say(&bold(pack));
        }
        let watches = if rule.shadow { " (shadow)" } else { "" };
        say(&format!("  {} {:<10} {:<32} {}{watches}", rule.tier as u8, tier(rule.tier), rule.name, rule.place));
    }
    say(&format!("{} rules", rules.len()));
    Ok(ExitCode::SUCCESS)
}
