//! Judges the examples of rules by the same function as the hook. The facts come from the example.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::report::explain::{answer, tier};
use actions::ToolCall;
use actions::json::Json;
use actions::path::Path;
use actions::word::Word;
use actions::{Action, Change, Commit, Deed, Delete, Push, Write};
use gate::deep::Stop;
use gate::judge::{Answers, Judgement, answered, conclude, read};
use policy::facts::{Facts, Known, Need, Places};
use policy::pattern::Pattern;
use policy::verdict::Answer;
use policy::{Policy, Tier};
use policy_compiler::examples::{Example, ExampleDeed, ExampleFacts, Instead, ProgramExamples, RuleExamples};

const ROOT: &str = "/repo";
const HOME: &str = "/home/dev";
/// The branch that is checked out where an example names none.
const BRANCH: &str = "feature";
/// The branch where an example only says that it is protected.
const PROTECTED: &str = "main";

/// What became of the examples.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ExamplesOutcome {
    pub rules: usize,
    /// How many examples; a command in `instead` is one.
    pub examples: usize,
    pub failures: Vec<FailedExample>,
    pub notes: Vec<String>,
}

impl ExamplesOutcome {
    fn failed(&mut self, rule: &str, example: &Example, list: &'static str, (expected, got): (String, String)) {
        let (rule, place) = (rule.to_owned(), example.place.clone());
        self.failures.push(FailedExample { rule, place, list, example: shown(&example.deed), expected, got });
    }
}

/// A command as an example that says nothing of the world.
pub fn of_command(command: &str, place: &str) -> Example {
    Example { deed: ExampleDeed::Command(command.to_owned()), facts: ExampleFacts::default(), agent: None, mode: None, place: place.to_owned() }
}

/// An example that was not judged as its rule says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FailedExample {
    pub rule: String,
    pub place: String,
    /// `catches`, `spares`, `unsure`, `instead`, or `examples` of a program.
    pub list: &'static str,
    pub example: String,
    pub expected: String,
    pub got: String,
}

/// Tries the examples of described programs: whether the command that is said to run inside is found there.
pub fn run_programs(programs: &[ProgramExamples], policy: &Policy, outcome: &mut ExamplesOutcome) {
    for program in programs {
        for (command, inner) in &program.examples {
            outcome.examples += 1;
            let example = of_command(command, &program.place);
            let actions = actions(&example.deed, &facts(&example).places, policy, &ExampleAnswers(&example.facts)).unwrap_or_default();
            let run = |action: &Action| if let Deed::Run(run) = &action.deed { Some((run.program.clone(), action.shown())) } else { None };
            // Only what is followed by the description counts, not what is guessed without it.
            let inside: Vec<String> = actions.iter().filter(|action| action.sure && !action.via.is_empty()).filter_map(run).map(|(_, shown)| shown).collect();
            if if inner.is_empty() { !inside.is_empty() } else { !inside.contains(inner) } {
                let expected = if inner.is_empty() { "it runs nothing inside".to_owned() } else { format!("it runs `{inner}`") };
                let got = if inside.is_empty() { "nothing is run inside".to_owned() } else { inside.join(", ") };
                outcome.failed(&program.name, &example, "examples", (expected, got));
            }
        }
    }
}

/// Judges all examples of `rules`. `None` if the compiled policy is damaged.
///
/// A rule *alone* is what it answers itself, whatever others and waivers say; *all together* is the verdict.
pub fn run(rules: &[RuleExamples], policy: &Policy) -> Option<ExamplesOutcome> {
    let mut outcome = ExamplesOutcome { rules: rules.len(), ..ExamplesOutcome::default() };
    for rule in rules {
        for (list, examples) in [("catches", &rule.catches), ("spares", &rule.spares), ("unsure", &rule.unsure)] {
            for example in examples {
                outcome.examples += 1;
                let judged = JudgedExample::of(example, policy, &rule.name)?;
                let (wrong, note) = judged.against(list, rule);
                outcome.notes.extend(note.map(|note| format!("{}: `{}` {note}", example.place, shown(&example.deed))));
                if let Some((expected, got)) = wrong {
                    outcome.failed(&rule.name, example, list, (expected, got));
                }
            }
        }
        if let Instead::Command(command) = &rule.instead {
            outcome.examples += 1;
            let example = of_command(command, &rule.place);
            let judged = JudgedExample::of(&example, policy, &rule.name)?;
            if judged.whole == Tier::Prohibited {
                let got = format!("{}, by {}", tier(judged.whole), judged.holding.join(", "));
                let expected = "not prohibited, because a rule must not advise a command that another rule denies".to_owned();
                outcome.failed(&rule.name, &example, "instead", (expected, got));
            }
        }
    }
    Some(outcome)
}

/// Judges an example by a policy, in the world that it describes. `None` if the compiled policy is damaged.
#[must_use]
pub fn judge_example(example: &Example, policy: &Policy) -> Option<Judgement> {
    let (policy, mut facts) = (with_branch(policy, &example.facts), facts(example));
    let answers = ExampleAnswers(&example.facts);
    let actions = actions(&example.deed, &facts.places, &policy, &answers)?;
    conclude(actions, &mut facts, &policy, &answers, true).ok()
}

struct JudgedExample {
    /// What the rule answered, over all actions.
    alone: Answer,
    /// The strictest finding of all rules, of those too that only watch.
    whole: Tier,
    holding: Vec<String>,
    /// The waiver that takes the rule back, if there is one.
    waived: Option<String>,
}

impl JudgedExample {
    fn of(example: &Example, policy: &Policy, rule: &str) -> Option<Self> {
        let Judgement { verdict, looks, .. } = judge_example(example, policy)?;
        let looks = || looks.iter().filter(|look| look.rule == rule);
        let holding = verdict.findings.iter().filter(|finding| finding.tier >= Tier::Supervised).map(|finding| finding.rule.clone());
        let mut holding: Vec<String> = holding.collect();
        holding.dedup();
        Some(Self {
            alone: looks().map(|look| look.answer).max().unwrap_or(Answer::No),
            whole: verdict.findings.iter().map(|finding| finding.tier).max().unwrap_or(Tier::Free),
            holding,
            waived: looks().find_map(|look| look.waived.clone()),
        })
    }

    /// What was expected and what came, where they differ, and what is worth a note.
    fn against(&self, list: &str, rule: &RuleExamples) -> (Option<(String, String)>, Option<String>) {
        let expected = match list {
            "catches" => Answer::Yes,
            "unsure" => Answer::Maybe,
            _ => Answer::No,
        };
        // Below tier 3 an uncertain answer changes nothing, so it spares.
        let spared = expected == Answer::No && self.alone == Answer::Maybe && rule.tier < Tier::Supervised;
        if self.alone != expected && !spared {
            return (Some((format!("`{}` answers {}", rule.name, answer(expected)), answer(self.alone).to_owned())), None);
        }
        let least = match expected {
            Answer::Yes => rule.tier,
            Answer::Maybe => rule.tier.min(Tier::Supervised),
            Answer::No => Tier::Free,
        };
        match (&self.waived, expected) {
            (Some(waiver), Answer::Yes | Answer::Maybe) => (None, Some(format!("is waived by {waiver}"))),
            (None, Answer::Maybe) if rule.tier < Tier::Supervised => (None, None),
            _ if self.whole < least => (Some((format!("all rules together give at least {}", tier(least)), tier(self.whole).to_owned())), None),
            (_, Answer::No) if !self.holding.is_empty() => {
                (None, Some(format!("is not matched by `{}`, but stopped by {}", rule.name, self.holding.join(", "))))
            }
            _ => (None, None),
        }
    }
}

/// Answers from what an example says. No file and no configuration is behind it.
struct ExampleAnswers<'e>(&'e ExampleFacts);

impl Answers for ExampleAnswers<'_> {
    fn facts(&self, needs: BTreeSet<Need>) -> Result<Vec<(Need, Known)>, Stop> {
        Ok(answered(needs, |need| known(need, self.0)))
    }
}

fn known(need: &Need, said: &ExampleFacts) -> Known {
    let is = |fact: Option<bool>| fact.map_or_else(|| Known::Unknown("the example does not say".to_owned()), |is| Known::Is(is, String::new()));
    match need {
        // No links in examples.
        Need::RealPath(path, _) => Known::Text(path.clone()),
        Need::Exists(path) => Known::Is(said.exists.iter().any(|known| place(known).word.is(path)), String::new()),
        // The example's files do not exist yet, so they hold no text.
        Need::Holds(..) => Known::Is(false, String::new()),
        Need::Branch(_) => Known::Text(branch(said).to_owned()),
        Need::Phase => said.phase.clone().map_or(Known::Is(false, String::new()), Known::Text),
        Need::HooksFolder => Known::Is(false, String::new()),
        // An example that does not say is in a tree with work to lose.
        Need::Dirty(..) => is(Some(said.dirty.unwrap_or(true))),
        Need::Ignored(_) | Need::Ignores(_) => is(said.ignored),
        Need::Text(_) => Known::Is(false, String::new()),
        // As with work: what is not said to be elsewhere is lost.
        Need::Unpushed(_) | Need::OnlyThere(..) => is(Some(said.loses_commits.unwrap_or(true))),
        Need::LosesGate(..) => is(said.loses_gate),
        Need::WeakensPolicy(..) => is(said.weakens_policy),
        Need::Size(_) => said.bytes.map_or(Known::Is(false, String::new()), Known::Size),
    }
}

fn branch(said: &ExampleFacts) -> &str {
    said.branch.as_deref().unwrap_or(if said.protected_branch == Some(true) { PROTECTED } else { BRANCH })
}

/// The policy in which the example's branch is protected, or not, as it says.
fn with_branch<'p>(policy: &Policy<'p>, said: &'p ExampleFacts) -> Policy<'p> {
    let mut policy = policy.clone();
    match said.protected_branch {
        Some(true) => policy.protected.push(Pattern { source: branch(said), table: None }),
        Some(false) => policy.protected.retain(|pattern| !policy::matcher::text::text(pattern, branch(said))),
        None => {}
    }
    policy
}

fn facts(example: &Example) -> Facts {
    let owned = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
    let places = Places {
        roots: owned(&[ROOT]),
        cwd: ROOT.to_owned(),
        homes: owned(&[HOME]),
        temporary: owned(&["/tmp", "/var/tmp", "/private/tmp"]),
        binaries: owned(&["/home/dev/.local/bin"]),
        state: owned(&["/home/dev/.local/state/portcullis"]),
        config: owned(&["/home/dev/.config/portcullis", "/etc/portcullis"]),
        policies: owned(&["/home/dev/shared/rules.toml"]),
        git: owned(&["/repo/.git"]),
        zsh: true,
    };
    let agent = example.agent.clone().unwrap_or_else(|| "main".to_owned());
    let mode = example.mode.clone().unwrap_or_else(|| "default".to_owned());
    Facts { places, known: std::collections::BTreeMap::new(), today: 0, agent, mode, committing: example.facts.bytes.is_some() }
}

/// What the example would do; as a tool call where there is one that does it.
fn actions(deed: &ExampleDeed, places: &Places, policy: &Policy, answers: &ExampleAnswers) -> Option<Vec<Action>> {
    let read = |call: &ToolCall| read(call, places, policy, answers).ok();
    let directly = |deed: Deed| Some(vec![Action { deed, via: Vec::new(), sure: true, stored: false, from: None, span: None }]);
    match deed {
        ExampleDeed::Command(command) => read(&ToolCall::command(command)),
        ExampleDeed::Write { path, text: Some(content) } => read(&ToolCall::write(&absolute(path), content)),
        ExampleDeed::Write { path, text: None } => directly(Deed::Write(Write { path: place(path), change: Change::Unknown })),
        ExampleDeed::Delete { path, recursive, moved } => directly(Deed::Delete(Delete { path: place(path), recursive: *recursive, moved: *moved })),
        ExampleDeed::Read { path } => read(&ToolCall::read(&absolute(path))),
        ExampleDeed::Fetch { url, method } => directly(Deed::Fetch { url: Word::lit(url.as_str()), method: method.as_deref().map(Word::lit) }),
        ExampleDeed::Call { tool, args } => read(&ToolCall { name: tool.clone(), input: input(args) }),
        ExampleDeed::Spawn { agent, prompt } => read(&ToolCall::spawn(agent, prompt)),
        ExampleDeed::Commit { message, author, touches, deletes } => {
            let places = |paths: &[String]| paths.iter().map(|path| place(path)).collect();
            directly(Deed::Commit(Commit { message: message.clone(), author: author.clone(), touches: places(touches), deletes: places(deletes) }))
        }
        ExampleDeed::Push { target, remote, kind } => {
            directly(Deed::Push(Push { remote: remote.as_deref().map(Word::lit), target: target.as_deref().map(Word::lit), kinds: vec![*kind], sure: true }))
        }
    }
}

/// A path of an example; `~/` is the home folder.
fn absolute(path: &str) -> String {
    match path.strip_prefix('~') {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => format!("{HOME}{rest}"),
        _ => path.to_owned(),
    }
}

fn place(path: &str) -> Path {
    Path { shown: path.to_owned(), ..Path::known(ROOT, &absolute(path)) }
}

fn input(argument: &toml::Value) -> Json {
    match argument {
        toml::Value::String(text) => Json::Text(text.clone()),
        toml::Value::Boolean(flag) => Json::Bool(*flag),
        toml::Value::Array(list) => Json::List(list.iter().map(input).collect()),
        toml::Value::Table(table) => Json::Object(table.iter().map(|(key, value)| (key.clone(), input(value))).collect()),
        number => Json::Number(number.to_string()),
    }
}

/// An example in one line.
pub fn shown(deed: &ExampleDeed) -> String {
    match deed {
        ExampleDeed::Command(command) => command.replace('\n', "\\n"),
        ExampleDeed::Write { path, .. } => format!("write {path}"),
        ExampleDeed::Delete { path, moved, .. } => format!("{} {path}", if *moved { "move away" } else { "delete" }),
        ExampleDeed::Read { path } => format!("read {path}"),
        ExampleDeed::Fetch { url, .. } => format!("fetch {url}"),
        ExampleDeed::Call { tool, .. } => format!("call {tool}"),
        ExampleDeed::Spawn { agent, .. } => format!("start agent {agent}"),
        ExampleDeed::Commit { message, .. } => format!("commit {}", message.as_deref().unwrap_or_default()),
        ExampleDeed::Push { target, kind, .. } => format!("push {} ({kind:?})", target.as_deref().unwrap_or("the current branch")),
    }
}
