//! `portcullis doctor`: checks each part of the installation, and says how to fix what is wrong.

pub(super) mod client;
mod approvals;
mod clients;
mod hooks;
mod organisation;
mod others;
mod past;
mod permissions;
mod repair;
mod rules;
mod servers;
mod unread;
mod wiring;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;
use serde_json::json;

use super::init::scope::{Scope, Site};
use super::pause;
use super::place::Place;
use super::refusal::{FAILED, Refusal};
use super::terminal::{self, TextStyle, say, say_json, styled};
use crate::deep::compiling;
use crate::deep::flywheel::Desk;
use actions::shown::{escaped, escaped_lines};
use gate::BUILD;
use gate::world::{record, state, system};
use policy::{Layer, Policy};

#[derive(Args, Debug)]
pub struct DoctorArguments {
    /// Answer in JSON
    #[arg(long)]
    json: bool,
    /// Add what is missing in settings and git hooks that have Portcullis already, then check again
    #[arg(long)]
    fix: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckState {
    Ok,
    /// Portcullis is active, but something should be looked at.
    Warn,
    /// Calls are not protected.
    Fail,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CheckResult {
    pub part: &'static str,
    pub state: CheckState,
    pub text: String,
    /// How to fix it; empty if nothing is wrong.
    pub fix: String,
    /// What `--fix` does about it.
    #[serde(skip)]
    pub repair: Option<Repair>,
}

/// Something that `--fix` can do: it adds what `init` adds, and corrects who may change or start a file of this person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Repair {
    /// The entries of this scope in Claude Code's settings.
    Settings(Scope),
    /// The entries of this scope in those of another client.
    Client(&'static str, Scope),
    /// Git's hooks.
    Hooks,
    /// Nobody but the owner may change it.
    ReadOnly(PathBuf),
    /// The owner may start it.
    Executable(PathBuf),
}

#[derive(Debug, Default)]
pub struct CheckResults(Vec<CheckResult>);

impl CheckResults {
    fn ok(&mut self, part: &'static str, text: impl Into<String>) {
        self.add(part, CheckState::Ok, text.into(), String::new(), None);
    }

    fn warn(&mut self, part: &'static str, text: impl Into<String>, fix: impl Into<String>) {
        self.add(part, CheckState::Warn, text.into(), fix.into(), None);
    }

    fn fail(&mut self, part: &'static str, text: impl Into<String>, fix: impl Into<String>) {
        self.add(part, CheckState::Fail, text.into(), fix.into(), None);
    }

    /// A warning with a repair.
    fn repairable(&mut self, part: &'static str, text: impl Into<String>, fix: impl Into<String>, repair: Repair) {
        self.add(part, CheckState::Warn, text.into(), fix.into(), Some(repair));
    }

    /// A failure with a repair.
    fn broken(&mut self, part: &'static str, text: impl Into<String>, fix: impl Into<String>, repair: Repair) {
        self.add(part, CheckState::Fail, text.into(), fix.into(), Some(repair));
    }

    /// A failure whose text has several lines, in which names are escaped.
    fn fail_in_lines(&mut self, part: &'static str, text: String, fix: impl Into<String>) {
        self.0.push(CheckResult { part, state: CheckState::Fail, text, fix: fix.into(), repair: None });
    }

    fn add(&mut self, part: &'static str, state: CheckState, text: String, fix: String, repair: Option<Repair>) {
        self.0.push(CheckResult { part, state, text: escaped(&text).into_owned(), fix: escaped(&fix).into_owned(), repair });
    }
}

/// Runs the command.
///
/// # Errors
///
/// The folder is not known.
pub fn run(arguments: &DoctorArguments) -> Result<ExitCode, Refusal> {
    if let (true, Some(variable)) = (arguments.fix, terminal::agent()) {
        return Err(Refusal::new("nothing was fixed", format!("an agent runs this (`{variable}` is set)"), "a person must run this at a terminal"));
    }
    let (mut findings, mut silent) = checks()?;
    if arguments.fix && repair::all(&findings, arguments.json)? {
        (findings, silent) = checks()?;
    }
    let worst = findings.iter().map(|finding| finding.state).max().unwrap_or(CheckState::Ok);
    if arguments.json {
        let first = findings.iter().find(|finding| finding.state == CheckState::Fail);
        say_json(&json!({ "state": worst, "build": BUILD, "findings": findings, "failing": first }));
    } else {
        show(&findings, silent);
    }
    Ok(if worst == CheckState::Fail { ExitCode::from(FAILED) } else { ExitCode::SUCCESS })
}

/// All checks, and whether nothing is denied now because of a pause or of shadow mode.
fn checks() -> Result<(Vec<CheckResult>, bool), Refusal> {
    // The same place as for a session that starts at the root of the innermost repository: `init` wires that.
    let here = Place::at(None)?;
    let place = Place::in_project(&Site::at(&here.cwd, &here.world, None)?.root)?;
    let mut findings = CheckResults::default();
    findings.ok("place", format!("checks {} ({}); build {BUILD}", place.around.root.display(), place.around.why));
    policy(&place, &mut findings);
    organisation::look(&place, &mut findings);
    unread::look(&place, &here.cwd, &mut findings);
    state_folder(&place, &mut findings);
    match record::probe(&place.around.memory) {
        Ok(path) => findings.ok("record", format!("decisions are recorded in {}; `portcullis log` shows them", path.display())),
        Err(error) => findings.warn("record", format!("decisions cannot be recorded: {error}"), "make ~/.local/state writable"),
    }
    past::chain(&place, &mut findings);
    let past = past::Past::of(&place);
    past.fired(&mut findings);
    past.unseen(&place, &mut findings);
    servers::look(&place, &past, &mut findings);
    flywheel(&place, &mut findings);
    approvals::look(&place, &mut findings);
    let paused = gate::call::pause_until(&place.world, &place.around).is_some();
    if paused {
        findings.warn("pause", pause::status(&place), "run `portcullis pause --end` to end the pause");
    }
    let silent = paused || place.watches().unwrap_or(false);
    let untried = silent || place.lets_trial_through();
    let site = Site::at(&here.cwd, &here.world, None)?;
    let mut others = CheckResults::default();
    let wired = clients::look(&place, &site, untried, &mut others);
    wiring::look(&place, untried, wired, &mut findings);
    others::look(&place, &mut findings);
    others::starts(&place, &mut findings);
    permissions::look(&place, &mut findings);
    permissions::on_path(&place, &mut findings);
    hooks::look(&here, &mut findings);
    client::look(&place, &mut findings);
    findings.0.extend(others.0);
    Ok((findings.0, silent))
}

fn show(findings: &[CheckResult], silent: bool) {
    for finding in findings {
        let (word, style) = match finding.state {
            CheckState::Ok => ("ok  ", TextStyle::Good),
            CheckState::Warn => ("warn", TextStyle::Doubtful),
            CheckState::Fail => ("fail", TextStyle::Bad),
        };
        say(&format!("{} {:<8} {}", styled(word, style), finding.part, escaped_lines(&finding.text).replace('\n', "\n              ")));
        if !finding.fix.is_empty() {
            say(&format!("              fix: {}", escaped(&finding.fix)));
        }
    }
    say(&conclusion(findings, silent));
}

/// The last line. It repeats the first failing check and its fix, because a person has to do that first. `silent` says that
/// nothing is denied now, because of a pause or of shadow mode.
fn conclusion(findings: &[CheckResult], silent: bool) -> String {
    let failed = findings.iter().find(|finding| finding.state == CheckState::Fail);
    let silenced = || findings.iter().find(|finding| silent && finding.state == CheckState::Warn && matches!(finding.part, "pause" | "shadow"));
    match failed.or_else(silenced) {
        Some(first) => {
            let text = escaped(first.text.lines().next().unwrap_or_default());
            format!("{}: {}: {text}; fix: {}", styled("NOT PROTECTED", TextStyle::Bad), first.part, escaped(&first.fix))
        }
        None => styled("Portcullis is active", TextStyle::Good),
    }
}

/// Layers, mistakes, waivers, and rules in shadow mode.
fn policy(place: &Place, findings: &mut CheckResults) {
    let part = "policy";
    let found = match place.layers() {
        Ok(found) => found,
        Err(refusal) => return findings.fail_in_lines(part, refusal.why, refusal.fix),
    };
    let there: Vec<String> =
        found.iter().filter(|file| !file.identity.is_empty()).map(|file| format!("{} {}", file.layer.name(), file.path.display())).collect();
    let compiled = if there.is_empty() { None } else { Some(compiling::compile_layers(&found, &place.around, &place.world)) };
    let compiled = match compiled.transpose() {
        Ok(compiled) => compiled,
        Err(failure) => {
            let why = format!("{}\nuntil it is fixed, every call is denied", Refusal::from(failure).why);
            return findings.fail_in_lines(part, why, "fix the file, then run `portcullis doctor` again");
        }
    };
    let bytes = compiled.as_ref().map_or(gate::BUILT_IN, |compiled| &compiled.bytes);
    let opened = Policy::open(bytes).and_then(|policy| Some((policy.digest.to_owned(), policy.all_rules()?)));
    let Some((digest, rules)) = opened else {
        return findings.fail(part, "the built-in policy of this binary is damaged", "install Portcullis again (`portcullis install`)");
    };
    let layers = if there.is_empty() { "the built-in packs only".to_owned() } else { format!("built-in packs, {}", there.join(", ")) };
    if rules.is_empty() {
        findings.fail(part, "the policy has no rules", "install Portcullis again (`portcullis install`)");
    }
    findings.ok(part, format!("{} rules, digest {digest}: {layers}", rules.len()));
    let shadowed = rules.iter().filter(|rule| rule.shadow).count();
    if shadowed > 0 {
        let mut built_in = rules.iter().filter(|rule| rule.layer == Layer::BuiltIn);
        let which = match (built_in.clone().any(|rule| rule.shadow), built_in.all(|rule| rule.shadow)) {
            (true, true) => "including the built-in rules",
            (true, false) => "some built-in rules among them",
            (false, _) => "but no built-in rule",
        };
        let text = format!("{shadowed} rules are in shadow mode and deny nothing, {which}");
        findings.warn("shadow", text, "remove `mode = \"shadow\"` or `[[shadow]]` from the policy when you trust these rules");
    }
    let today = i64::try_from(system::now() / 86_400).unwrap_or(i64::MAX);
    for waiver in compiled.iter().flat_map(|compiled| compiled.waivers_past(today)) {
        let text = format!("the waiver of `{}` ({}) has expired and no longer applies", waiver.rule, waiver.place);
        findings.warn("waiver", text, "remove it, or give it a new date");
    }
    if let Some(compiled) = &compiled {
        rules::look(compiled, findings);
    }
}

/// Documents that the flywheel's map names and that do not exist.
fn flywheel(place: &Place, findings: &mut CheckResults) {
    let part = "flywheel";
    // A policy with mistakes is reported above.
    let Ok(bytes) = place.policy() else { return };
    let Some(section) = Policy::open(&bytes).and_then(|policy| policy.flywheel) else { return };
    let root = place.around.tree().to_path_buf();
    for pair in &section.map {
        for doc in pair.docs.iter().filter(|doc| !root.join(doc).is_file()) {
            findings.warn(part, format!("the map names `{doc}` ({}), which does not exist", pair.place), "write it, or remove it from the map");
        }
    }
    let open = Desk::inbox(&root, section.inbox).len();
    findings.ok(part, format!("{} in {}", flywheel::count(open), section.inbox));
}

/// The folder that contains the last refusal, the compiled policy and a pause.
fn state_folder(place: &Place, findings: &mut CheckResults) {
    const PROBE: &str = "probe";
    let (states, root) = (&place.world.states, &place.around.root);
    let written = state::write(states, root, PROBE, b"");
    let _ = state::remove(states, root, PROBE);
    match written {
        Ok(path) => findings.ok("state", format!("state is kept in {}", path.parent().unwrap_or(&path).display())),
        Err(error) => {
            let text = format!("state cannot be kept: {error}; `explain --last` and `pause` do not work, and every call compiles the policy again");
            findings.warn("state", text, "make ~/.local/state writable");
        }
    }
}
