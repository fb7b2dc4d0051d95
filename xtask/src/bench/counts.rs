//! How much work a call is: instructions by stage, page faults, system calls. They do not depend on how busy the machine is, so
//! CI goes by them. `xtask/counts.json` holds them as they were.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::calls::{MeasuredCall, Scene, everyday, stateful};
use super::pairs::{StartedProgram, compare, unique};
use crate::workspace::root;

/// Where the counts are kept.
const KEPT: &str = "xtask/counts.json";
/// By how much a count may grow, in hundredths, and how much is not looked at: paths are longer on other machines.
const MORE: u64 = 25;
const FEW: u64 = 6;
/// Starts of which the page faults are the mean.
const STARTS: usize = 12;
/// The stages of a call, and the functions that are one.
const STAGES: [(&str, &[&str]); 6] = [
    ("reading JSON", &["actions::json::Json::read"]),
    ("the folders around", &["gate::world::World::around"]),
    ("opening the policy", &["gate::world::layers::look", "gate::call::policy_here"]),
    ("reading the call", &["gate::judge::looked_up"]),
    ("rules", &["policy::decide::decide"]),
    ("the record", &["gate::record::Entry::of", "gate::notes::apply"]),
];
/// All other functions together.
const REST: &str = "start, facts and answer";

/// What one call costs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counts {
    /// Instructions of each stage. Empty without valgrind.
    pub(crate) stages: BTreeMap<String, u64>,
    pub(crate) faults: u64,
    /// `None` without strace.
    pub(crate) system_calls: Option<u64>,
}

impl Counts {
    pub(crate) fn instructions(&self) -> u64 {
        self.stages.values().sum()
    }
}

/// The counts of everyday calls in a repository, by this hook, which has its symbols.
/// Error: it cannot be started.
pub(crate) fn count(hook: &Path, places: &Scene, repository: &Path) -> Result<Vec<(&'static str, Counts)>> {
    let calls = everyday(repository);
    calls.iter().map(|call| Ok((call.name, one(&candidate(hook, places, repository, call), places)?))).collect()
}

/// The counts of calls of which sections speak that keep state.
/// Error: the hook cannot be started.
pub(crate) fn count_stateful(hook: &Path, places: &mut Scene) -> Result<Vec<(&'static str, Counts)>> {
    let calls = stateful(places)?;
    // The first of each compiles the policy, and makes the files. A denial would be counted as a cheap call.
    for (root, call) in &calls {
        let said = candidate(hook, places, root, call).answer(unique())?;
        ensure!(said.status.success() != call.waits(), "{}: {}", call.name, String::from_utf8_lossy(&said.stderr));
    }
    calls.iter().map(|(root, call)| Ok((call.name, one(&candidate(hook, places, root, call), places)?))).collect()
}

/// This build's hook, as a client starts it.
pub(crate) fn candidate<'c>(hook: &Path, places: &Scene, repository: &Path, call: &'c MeasuredCall) -> StartedProgram<'c> {
    let arguments = [call.event(), "claude-code", "50"].map(str::to_owned).to_vec();
    StartedProgram { program: hook.to_path_buf(), arguments, home: places.home(), root: repository.to_path_buf(), call }
}

fn one(candidate: &StartedProgram, places: &Scene) -> Result<Counts> {
    let faults = compare(STARTS, std::slice::from_ref(candidate))?.first().map_or(0.0, |figures| figures.faults);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a mean of counts")]
    let faults = faults.round() as u64;
    let profile = places.path("profile");
    let stages = under(candidate, "valgrind", &["--tool=callgrind", &format!("--callgrind-out-file={}", profile.display())])?
        .then(|| fs::read_to_string(&profile).map(|profile| by_stage(&profile)))
        .transpose()?;
    let trace = places.path("trace");
    let traced = under(candidate, "strace", &["-f", "-o", &trace.display().to_string()])?;
    let system_calls = traced.then(|| fs::read_to_string(&trace)).transpose()?.map(|trace| trace.lines().filter(|line| line.contains(" = ")).count() as u64);
    Ok(Counts { stages: stages.unwrap_or_default(), faults, system_calls })
}

/// Runs a candidate under another program. False: that one is not installed.
fn under(candidate: &StartedProgram, tool: &str, arguments: &[&str]) -> Result<bool> {
    let mut command = std::process::Command::new(tool);
    command.args(arguments).arg(&candidate.program).args(&candidate.arguments).current_dir(&candidate.root).env_clear();
    command.envs(candidate.command().get_envs().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned()))));
    let input = candidate.call.payload(&candidate.root, unique());
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let Ok(mut child) = command.spawn() else { return Ok(false) };
    child.stdin.take().map(|mut stdin| std::io::Write::write_all(&mut stdin, &input)).transpose()?;
    child.wait()?;
    Ok(true)
}

/// The instructions of each stage in a profile of callgrind: the costs of calls of its functions.
fn by_stage(profile: &str) -> BTreeMap<String, u64> {
    let mut names: HashMap<&str, &str> = HashMap::new();
    let mut inclusive: HashMap<&str, u64> = HashMap::new();
    let (mut called, mut cost_of_call, mut all) = ("", false, 0);
    for line in profile.lines() {
        let name = line.strip_prefix("cfn=").or_else(|| line.strip_prefix("fn="));
        if let Some((number, name)) = name.map(|name| name.split_once(' ').unwrap_or((name, ""))) {
            if !name.is_empty() {
                names.insert(number, name);
            }
            called = if line.starts_with("cfn=") { names.get(number).copied().unwrap_or("") } else { called };
        } else if line.starts_with("calls=") {
            cost_of_call = true;
        } else if line.starts_with(|first: char| first.is_ascii_digit() || "+-*".contains(first)) {
            let cost: u64 = line.split(' ').next_back().and_then(|cost| cost.parse().ok()).unwrap_or(0);
            if std::mem::take(&mut cost_of_call) {
                *inclusive.entry(called).or_default() += cost;
            } else {
                all += cost;
            }
        }
    }
    let of = |functions: &[&str]| inclusive.iter().filter(|(name, _)| functions.iter().any(|function| name == &function)).map(|(_, cost)| cost).sum::<u64>();
    let mut stages: BTreeMap<String, u64> = STAGES.iter().map(|(stage, functions)| ((*stage).to_owned(), of(functions))).collect();
    let known: u64 = stages.values().sum();
    stages.insert(REST.to_owned(), all.saturating_sub(known));
    stages
}

fn kept() -> PathBuf {
    root().join(KEPT)
}

/// Keeps the counts as those that CI goes by.
/// Error: the file cannot be written.
pub(crate) fn keep(counts: &[(&str, Counts)]) -> Result<()> {
    let all: serde_json::Map<String, Value> = counts
        .iter()
        .map(|(name, counts)| ((*name).to_owned(), json!({ "stages": counts.stages, "faults": counts.faults, "system calls": counts.system_calls })))
        .collect();
    fs::write(kept(), serde_json::to_string_pretty(&all)? + "\n").context(KEPT)
}

/// Error: a call costs more than was kept; it names what grew.
pub(crate) fn check(counts: &[(&str, Counts)]) -> Result<()> {
    let kept: Value = serde_json::from_str(&fs::read_to_string(kept()).context(KEPT)?)?;
    let grew = |was: u64, is: u64| is > was + was * MORE / 100 + FEW;
    let mut wrong = Vec::new();
    for (name, counts) in counts {
        let was = &kept[*name];
        let number = |value: &Value| value.as_u64().unwrap_or(0);
        let stages = was["stages"].as_object().cloned().unwrap_or_default();
        let before: u64 = stages.values().map(number).sum();
        if counts.stages.is_empty() || counts.system_calls.is_none() {
            println!("{name}: not all is counted, for valgrind or strace is missing");
        }
        if grew(before, counts.instructions()) {
            let more = |(stage, is): &(&String, &u64)| i128::from(**is) - i128::from(stages.get(*stage).map_or(0, number));
            let most = counts.stages.iter().max_by_key(more).map_or("", |(stage, _)| stage.as_str());
            wrong.push(format!("{name}: {} instructions instead of {before}; what grew most is `{most}`", counts.instructions()));
        }
        for (what, is) in [("faults", Some(counts.faults)), ("system calls", counts.system_calls)] {
            let was = number(&was[what]);
            if let Some(is) = is.filter(|is| grew(was, *is)) {
                wrong.push(format!("{name}: {is} {what} instead of {was}"));
            }
        }
    }
    ensure!(wrong.is_empty(), "{}\nIf that is meant, `cargo xtask bench --only counts --keep` keeps it.", wrong.join("\n"));
    Ok(())
}
