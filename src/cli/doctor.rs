//! `portcullis doctor`: looks at each part of the gate, and says what to do about what is not well.

pub(super) mod client;
mod hooks;
mod wiring;

use std::process::ExitCode;

use clap::Args;
use serde::Serialize;
use serde_json::json;

use super::init::scope::Site;
use super::pause;
use super::place::Place;
use super::refusal::{FAILED, Refusal};
use super::terminal::{Style, say, say_json, styled};
use crate::deep::compiling;
use crate::deep::flywheel::Desk;
use gate::BUILD;
use gate::world::{record, state, system};
use policy::{Layer, Policy};

#[derive(Args, Debug)]
pub struct Arguments {
    /// Answer in JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    Ok,
    /// Worth a look.
    Warn,
    /// The gate does not stand.
    Fail,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub part: &'static str,
    pub state: State,
    pub text: String,
    /// What to do about it; empty where it is well.
    pub mend: String,
}

#[derive(Debug, Default)]
pub struct Findings(Vec<Finding>);

impl Findings {
    fn ok(&mut self, part: &'static str, text: impl Into<String>) {
        self.0.push(Finding { part, state: State::Ok, text: text.into(), mend: String::new() });
    }

    fn warn(&mut self, part: &'static str, text: impl Into<String>, mend: impl Into<String>) {
        self.0.push(Finding { part, state: State::Warn, text: text.into(), mend: mend.into() });
    }

    fn fail(&mut self, part: &'static str, text: impl Into<String>, mend: impl Into<String>) {
        self.0.push(Finding { part, state: State::Fail, text: text.into(), mend: mend.into() });
    }
}

/// Runs the command.
/// Error: it is not known where this is.
pub fn run(arguments: &Arguments) -> Result<ExitCode, Refusal> {
    // As for a session that starts at the root of the innermost repository, which is what `init` wires.
    let here = Place::at(None)?;
    let place = Place::in_project(&Site::at(&here.cwd, &here.world, None)?.root)?;
    let mut findings = Findings::default();
    findings.ok("place", format!("{} ({}); build {BUILD}", place.around.root.display(), place.around.why));
    policy(&place, &mut findings);
    state_folder(&place, &mut findings);
    match record::probe(&place.around.memory) {
        Ok(path) => findings.ok("record", format!("kept in {}; `portcullis log` shows it", path.display())),
        Err(error) => findings.warn("record", format!("nothing that is decided can be recorded: {error}"), "make ~/.local/state writable"),
    }
    flywheel(&place, &mut findings);
    let paused = gate::call::pause_until(&place.world, &place.around).is_some();
    if paused {
        findings.warn("pause", pause::status(&place), "`portcullis pause --end` ends it");
    }
    wiring::look(&place, paused, &mut findings);
    hooks::look(&here, &mut findings);
    client::look(&mut findings);

    let findings = findings.0;
    let worst = findings.iter().map(|finding| finding.state).max().unwrap_or(State::Ok);
    if arguments.json {
        say_json(&json!({ "state": worst, "build": BUILD, "findings": findings }));
    } else {
        show(&findings, worst);
    }
    Ok(if worst == State::Fail { ExitCode::from(FAILED) } else { ExitCode::SUCCESS })
}

fn show(findings: &[Finding], worst: State) {
    for finding in findings {
        let (word, style) = match finding.state {
            State::Ok => ("ok  ", Style::Good),
            State::Warn => ("warn", Style::Doubtful),
            State::Fail => ("fail", Style::Bad),
        };
        say(&format!("{} {:<8} {}", styled(word, style), finding.part, finding.text.replace('\n', "\n              ")));
        if !finding.mend.is_empty() {
            say(&format!("              mend: {}", finding.mend));
        }
    }
    say(match worst {
        State::Ok => "the gate stands",
        State::Warn => "the gate is wired in; see what is said above",
        State::Fail => "the gate does not stand",
    });
}

/// Layers, mistakes, waivers, rules that only watch.
fn policy(place: &Place, findings: &mut Findings) {
    let part = "policy";
    let found = match place.layers() {
        Ok(found) => found,
        Err(refusal) => return findings.fail(part, refusal.why, refusal.mend),
    };
    let there: Vec<String> =
        found.iter().filter(|file| !file.identity.is_empty()).map(|file| format!("{} {}", file.layer.name(), file.path.display())).collect();
    let compiled = if there.is_empty() { None } else { Some(compiling::compile_layers(&found, &place.around, &place.world)) };
    let compiled = match compiled.transpose() {
        Ok(compiled) => compiled,
        Err(failure) => {
            let why = format!("{}\nuntil it is mended, every guarded call is denied", Refusal::from(failure).why);
            return findings.fail(part, why, "mend the file; `portcullis doctor` shows what is left");
        }
    };
    let bytes = compiled.as_ref().map_or(gate::BUILT_IN, |compiled| &compiled.bytes);
    let opened = Policy::open(bytes).and_then(|policy| Some((policy.digest.to_owned(), policy.all_rules()?)));
    let Some((digest, rules)) = opened else {
        return findings.fail(part, "the built-in policy of this binary is damaged", "install the gate again (`portcullis install`)");
    };
    let layers = if there.is_empty() { "the built-in packs alone".to_owned() } else { format!("built-in packs, {}", there.join(", ")) };
    if rules.is_empty() {
        findings.fail(part, "there is no rule in it", "install the gate again (`portcullis install`)");
    }
    findings.ok(part, format!("{} rules, digest {digest}: {layers}", rules.len()));
    let shadowed = rules.iter().filter(|rule| rule.shadow).count();
    if shadowed > 0 {
        let built_in = rules.iter().any(|rule| rule.shadow && rule.layer == Layer::BuiltIn);
        let which = if built_in { "the built-in ones among them" } else { "none of the built-in ones" };
        let text = format!("{shadowed} rules only watch and hold nothing, {which}");
        findings.warn("shadow", text, "take `mode = \"shadow\"` out of the policy when you trust them");
    }
    let today = i64::try_from(system::now() / 86_400).unwrap_or(i64::MAX);
    for waiver in compiled.iter().flat_map(|compiled| compiled.waivers_past(today)) {
        let text = format!("the waiver of `{}` ({}) is past its day and holds no more", waiver.rule, waiver.place);
        findings.warn("waiver", text, "take it out, or give it a new day");
    }
}

/// Documents of the flywheel's map that are not there.
fn flywheel(place: &Place, findings: &mut Findings) {
    let part = "flywheel";
    // Without a valid policy there is none, which is told above.
    let Ok(bytes) = place.policy() else { return };
    let Some(section) = Policy::open(&bytes).and_then(|policy| policy.flywheel) else { return };
    let root = place.around.tree().to_path_buf();
    for pair in &section.map {
        for doc in pair.docs.iter().filter(|doc| !root.join(doc).is_file()) {
            findings.warn(part, format!("`{doc}`, which the map names ({}), is not there", pair.place), "write it, or take it out of the map");
        }
    }
    let open = Desk::inbox(&root, section.inbox).len();
    findings.ok(part, format!("{} in {}", flywheel::count(open), section.inbox));
}

/// Where the last refusal, the compiled policy and a pause are kept.
fn state_folder(place: &Place, findings: &mut Findings) {
    const PROBE: &str = "probe";
    let (states, root) = (&place.world.states, &place.around.root);
    let written = state::write(states, root, PROBE, b"");
    let _ = state::remove(states, root, PROBE);
    match written {
        Ok(path) => findings.ok("state", format!("kept in {}", path.parent().unwrap_or(&path).display())),
        Err(error) => {
            let text = format!("nothing can be kept: {error}; `explain --last` and `pause` need it, and every call compiles the policy anew");
            findings.warn("state", text, "make ~/.local/state writable");
        }
    }
}
