//! Judges a call of the past with a policy, by the function that the hook calls. Questions about the world are answered from
//! what the transcript says and from what the record says of this very call; nothing is looked up on the disk.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::ongoing::{MeteredPast, OpenParts, PastMeter, PhaseEntry};
use super::past::PastDecision;
use super::sources::PastCall;
use super::texts::KnownTexts;
use crate::deep::tests_first::changed_text;
use actions::lookup::{Lookup, LookupAnswer};
use actions::{Action, Change, Deed};
use gate::deep::Stop;
use gate::failure;
use gate::judge::{Answers, Gated, answered, judge};
use gate::world::World;
use policy::decide::Metered;
use policy::facts::{Facts, Known, Need, Places};
use policy::pipeline::DONE;
use policy::verdict::{Answer, Finding};
use policy::{Meter, Pipeline, Policy, TestsFirst, Tier};
use tests_first::{Changed, FileVersion, RULE, Tree};

/// What stands for an answer that nobody has. It is found again in the findings that hang on it.
const NOT_KNOWN: &str = "it is not known what was true then";
/// What is said of tests that may be on the disk.
const NO_TEST: &str = "whether a test was on the disk";

/// What a policy says of a call of the past.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PastVerdict {
    Allowed,
    /// It hangs on something that is not known any more.
    Unknown,
    Asked,
    Denied,
}

impl PastVerdict {
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Unknown => "could not be known",
            Self::Asked => "asked",
            Self::Denied => "denied",
        }
    }

    /// True if a person would be asked or the call denied.
    #[must_use]
    pub fn stops(self) -> bool {
        matches!(self, Self::Asked | Self::Denied)
    }
}

/// The verdict, and what it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JudgedPast {
    pub verdict: PastVerdict,
    /// The rules that stop the call, or that it is not known of, each with what it found.
    pub rules: Vec<(String, String)>,
    /// Rules in shadow mode that would stop it.
    pub shadow: Vec<String>,
}

impl JudgedPast {
    /// Adds what holds for sure.
    pub fn find(&mut self, finding: &Finding) {
        if finding.tier < Tier::Supervised {
            return;
        }
        if finding.shadow {
            return self.shadow.push(finding.rule.clone());
        }
        let verdict = if finding.tier == Tier::Prohibited { PastVerdict::Denied } else { PastVerdict::Asked };
        if !self.verdict.stops() {
            self.rules.clear();
        }
        self.verdict = self.verdict.max(verdict);
        self.add(finding);
    }

    /// Adds what hangs on something that is not known.
    pub fn leave_open(&mut self, finding: &Finding) {
        if finding.tier >= Tier::Supervised && !finding.shadow && !self.verdict.stops() {
            self.verdict = PastVerdict::Unknown;
            self.add(finding);
        }
    }

    fn add(&mut self, finding: &Finding) {
        if self.rules.iter().all(|(rule, _)| *rule != finding.rule) {
            self.rules.push((finding.rule.clone(), finding.action.clone()));
            self.rules.sort();
        }
    }
}

/// Judges calls in one thread; what is the same for many calls is kept.
pub struct PastJudge<'p> {
    policy: Policy<'p>,
    world: World,
    today: i64,
    /// The folder where none is said.
    cwd: String,
    places: HashMap<String, Places>,
    pipeline: Option<Pipeline<'p>>,
}

impl<'p> PastJudge<'p> {
    /// `None`: the bytes are no compiled policy.
    #[must_use]
    pub fn new(policy: &'p [u8], world: &World, cwd: &str, today: i64) -> Option<Self> {
        let policy = Policy::open(policy)?;
        let pipeline = policy.tiers()?.pipeline;
        Some(Self { policy, world: world.clone(), today, cwd: cwd.to_owned(), places: HashMap::new(), pipeline })
    }

    /// Judges a call. `then` is what the record says of it. What earlier calls decide is left open.
    pub fn judge(&mut self, past: &PastCall, then: Option<&PastDecision>) -> (JudgedPast, OpenParts) {
        let (judged, mut open, asks) = self.judge_in(past, then, "");
        if let Some(pipeline) = self.pipeline.as_ref().filter(|_| asks) {
            let phases: Vec<String> = pipeline.phases.iter().chain([&DONE]).map(|phase| (*phase).to_owned()).collect();
            open.by_phase = phases.into_iter().map(|phase| (phase.clone(), self.judge_in(past, then, &phase).0)).collect();
            open.by_phase.push((String::new(), judged.clone()));
        }
        (judged, open)
    }

    /// Judges a call in a phase. The last of what is returned says whether the phase was asked for.
    fn judge_in(&mut self, past: &PastCall, then: Option<&PastDecision>, phase: &str) -> (JudgedPast, OpenParts, bool) {
        let places = self.places(&past.cwd);
        let answers = PastAnswers {
            texts: &past.texts,
            branch: &past.branch,
            roots: &places.roots,
            phase: Some(phase).filter(|_| self.pipeline.is_some()),
            asked: Cell::new(false),
            open: RefCell::default(),
        };
        let agent = if past.agent.is_empty() { "main" } else { &past.agent };
        let mode = if past.mode.is_empty() { "default" } else { &past.mode };
        let mut facts = Facts {
            known: std::collections::BTreeMap::new(),
            today: self.today,
            agent: agent.to_owned(),
            mode: mode.to_owned(),
            committing: false,
            places: places.clone(),
        };
        let unknown = |why: String| JudgedPast { verdict: PastVerdict::Unknown, rules: vec![(String::new(), why)], shadow: Vec::new() };
        let judged = match judge(&past.call, &mut facts, &self.policy, &answers, false) {
            // The hook denies such a call; the record leaves out fields.
            Err(Stop::Failed(failure)) if !past.partial => {
                JudgedPast { verdict: PastVerdict::Denied, rules: vec![("the call cannot be judged".to_owned(), failure::what(&failure))], shadow: Vec::new() }
            }
            Err(_) => unknown("a part of the call is not in the record".to_owned()),
            Ok(judgement) => {
                let judged = concluded(&judgement.verdict.findings, then);
                if past.partial && judged.verdict == PastVerdict::Allowed { unknown("a part of the call is not in the record".to_owned()) } else { judged }
            }
        };
        (judged, answers.open.into_inner(), answers.asked.get())
    }

    /// Folders around a call. The root is the folder that the transcript names: which repository was there is not known.
    fn places(&mut self, cwd: &str) -> Places {
        let cwd = if cwd.is_empty() { &self.cwd } else { cwd };
        if let Some(known) = self.places.get(cwd) {
            return known.clone();
        }
        let text = |path: &std::path::PathBuf| path.to_string_lossy().trim_end_matches('/').to_owned();
        let mut homes: Vec<String> = self.world.homes.iter().map(text).collect();
        // A transcript of another account or machine.
        let parts: Vec<&str> = cwd.split('/').collect();
        if let ["", top @ ("home" | "Users"), name, ..] = parts.as_slice() {
            let home = format!("/{top}/{name}");
            homes.retain(|known| *known != home);
            homes.insert(0, home);
        }
        let places = Places {
            roots: vec![cwd.trim_end_matches('/').to_owned()],
            cwd: cwd.to_owned(),
            homes,
            temporary: ["/tmp", "/var/tmp", "/private/tmp"].map(str::to_owned).to_vec(),
            binaries: self.world.binaries.iter().map(text).collect(),
            state: self.world.state_places.iter().map(text).collect(),
            config: self.world.configs.iter().map(text).collect(),
            policies: Vec::new(),
            git: vec![format!("{}/.git", cwd.trim_end_matches('/'))],
            zsh: self.world.zsh,
        };
        self.places.insert(cwd.to_owned(), places.clone());
        places
    }
}

/// What findings mean for a call of the past.
fn concluded(findings: &[Finding], then: Option<&PastDecision>) -> JudgedPast {
    let mut judged = JudgedPast { verdict: PastVerdict::Allowed, rules: Vec::new(), shadow: Vec::new() };
    let (mut sure, mut open) = (Vec::new(), Vec::new());
    for finding in findings.iter().filter(|finding| finding.tier >= Tier::Supervised) {
        let verdict = if finding.tier == Tier::Prohibited { PastVerdict::Denied } else { PastVerdict::Asked };
        // What only might hold, and not for a word that could not be read, might for a fact.
        let hangs = finding.answer == Answer::Maybe && (finding.unread.is_none() || [NOT_KNOWN, NO_TEST].iter().any(|why| finding.told.contains(why)));
        // The record may say of this call whether the rule matched then.
        let matched = then.map(|then| then.rules.contains(&finding.rule));
        match (hangs, matched) {
            (true, Some(false)) => {}
            (false, _) | (true, Some(true)) if finding.shadow => judged.shadow.push(finding.rule.clone()),
            (false, _) | (true, Some(true)) => sure.push((verdict, finding)),
            (true, None) if finding.shadow => {}
            (true, None) => open.push(finding),
        }
    }
    let found = |finding: &Finding| (finding.rule.clone(), finding.action.clone());
    if let Some(strictest) = sure.iter().map(|(verdict, _)| *verdict).max() {
        judged.verdict = strictest;
        judged.rules = sure.iter().map(|(_, finding)| found(finding)).collect();
    } else if !open.is_empty() {
        judged.verdict = PastVerdict::Unknown;
        judged.rules = open.into_iter().map(found).collect();
    }
    judged.rules.sort();
    judged.rules.dedup_by(|one, other| one.0 == other.0);
    judged
}

/// Answers from a transcript.
struct PastAnswers<'c> {
    texts: &'c Arc<KnownTexts>,
    branch: &'c str,
    roots: &'c [String],
    /// The phase in which the work is taken to be; empty: in none. `None`: the policy has no phases.
    phase: Option<&'c str>,
    asked: Cell<bool>,
    open: RefCell<OpenParts>,
}

impl PastAnswers<'_> {
    /// What the marker file says after a call. `None`: that is not known.
    fn marked(&self, marker: &str, actions: &[Action]) -> Option<String> {
        let path = format!("{}/{marker}", self.roots.first()?);
        let change = actions.iter().rev().find_map(|action| match &action.deed {
            Deed::Write(write) if write.path.word.literal() == Some(&path) => Some(&write.change),
            _ => None,
        })?;
        let before = self.texts.get(&path).map_or("", |text| text);
        changed_text(before, change)?.lines().next().map(|line| line.trim().to_owned())
    }

    fn known(&self, need: &Need) -> Known {
        let unknown = || Known::Unknown(NOT_KNOWN.to_owned());
        match need {
            // Links are rare, and a path that leads elsewhere is not known any more.
            Need::RealPath(path, _) => Known::Text(path.clone()),
            Need::Exists(path) => {
                if self.texts.contains_key(path) {
                    Known::Is(true, String::new())
                } else {
                    unknown()
                }
            }
            Need::Holds(path, text) => self.texts.get(path).map_or_else(unknown, |known| Known::Is(known.contains(text.as_str()), String::new())),
            Need::Text(path) => self.texts.get(path).map_or_else(unknown, |known| Known::Text(known.to_string())),
            Need::Phase => match self.phase {
                Some(phase) => {
                    self.asked.set(true);
                    if phase.is_empty() { Known::Is(false, String::new()) } else { Known::Text(phase.to_owned()) }
                }
                None => Known::Is(false, String::new()),
            },
            Need::Branch(_) if !self.branch.is_empty() => Known::Text(self.branch.to_owned()),
            Need::HooksFolder | Need::Size(_) => Known::Is(false, String::new()),
            _ => unknown(),
        }
    }
}

impl Answers for PastAnswers<'_> {
    fn lookup(&self, lookup: &Lookup) -> Result<LookupAnswer, Stop> {
        Ok(match lookup {
            // A script that the session wrote itself.
            Lookup::Text(paths) => {
                let found = paths.iter().find_map(|path| Some((path, self.texts.get(path)?)));
                found.map_or(LookupAnswer::Nothing, |(path, text)| LookupAnswer::Text { path: path.clone(), text: text.to_string(), written: true })
            }
            _ => LookupAnswer::Nothing,
        })
    }

    fn facts(&self, needs: BTreeSet<Need>) -> Result<Vec<(Need, Known)>, Stop> {
        Ok(answered(needs, |need| self.known(need)))
    }

    fn sections(&self, actions: &[Action], facts: &Facts, policy: &Policy) -> Result<Vec<Finding>, Stop> {
        let Some(section) = &policy.tests_first else { return Ok(Vec::new()) };
        Ok(self.roots.first().map_or_else(Vec::new, |root| tests_found(root, actions, facts, section, self.texts)))
    }

    /// What a gate asks for is not known. Where the work moves is left open.
    fn gates(&self, gated: &[Metered], actions: &[Action], _facts: &Facts, policy: &Policy) -> Result<Gated, Stop> {
        let mut found = Gated::default();
        let Some(tiers) = policy.tiers() else { return Ok(found) };
        let marker = tiers.pipeline.as_ref().map_or("", |pipeline| pipeline.marker);
        for entry in gated {
            match entry.meter {
                Meter::Gate(_) if found.findings.iter().all(|known| known.rule != entry.finding.rule) => {
                    let tier = tiers.gates.iter().find(|gate| gate.name == entry.finding.rule).map_or(Tier::Supervised, |gate| gate.tier);
                    found.findings.push(Finding { tier, answer: Answer::Maybe, told: NOT_KNOWN.to_owned(), ..entry.finding.clone() });
                }
                Meter::Phase(phase) => {
                    let to = if phase.is_empty() { self.marked(marker, actions) } else { Some(phase.to_owned()) };
                    let to = to.filter(|to| !to.is_empty());
                    self.open.borrow_mut().entries.extend(to.map(|to| PhaseEntry { to, starts: !phase.is_empty(), finding: entry.finding.clone() }));
                }
                _ => {}
            }
        }
        Ok(found)
    }

    /// Limits and budgets are left open.
    fn meters(&self, metered: &[Metered], _policy: &Policy) -> Result<Vec<Finding>, Stop> {
        let of = |entry: &Metered| {
            let meter = match &entry.meter {
                Meter::Limit(limit) => PastMeter::Limit(*limit),
                Meter::Cost(cost) => PastMeter::Cost(cost.budget.to_owned(), cost.micro),
                Meter::Result(_) | Meter::Gate(_) | Meter::Phase(_) => return None,
            };
            Some(MeteredPast { meter, times: entry.times, finding: entry.finding.clone() })
        };
        self.open.borrow_mut().metered.extend(metered.iter().filter_map(of));
        Ok(Vec::new())
    }
}

/// What `[tests-first]` finds in texts that the transcript has. A test that is missed there may have been on the disk.
fn tests_found(root: &str, actions: &[Action], facts: &Facts, section: &TestsFirst, texts: &KnownTexts) -> Vec<Finding> {
    let prefix = format!("{root}/");
    let change = |action: &Action| {
        let Deed::Write(write) = &action.deed else { return None };
        let full = write.path.word.literal()?;
        let path = full.strip_prefix(&prefix).filter(|path| section.concerns(path))?;
        let known = texts.get(full);
        // A file that is written whole and not known is taken as new, and others as unknown.
        let (old, new) = match (&write.change, known) {
            (Change::Attributes { .. } | Change::Tree(_), _) => return None,
            (Change::Whole(new), None) => (FileVersion::Absent, FileVersion::Known(new.clone())),
            (change, Some(text)) => (FileVersion::Known(text.to_string()), changed_text(text, change).map_or(FileVersion::Unknown, FileVersion::Known)),
            (_, None) => (FileVersion::Unknown, FileVersion::Unknown),
        };
        Some(Changed { path: path.to_owned(), old, new, part: false })
    };
    let changes: Vec<Changed> = actions.iter().filter_map(change).collect();
    if changes.is_empty() {
        return Vec::new();
    }
    let mut found = tests_first::judge(&changes, &TranscriptTree { prefix: &prefix, texts }, section, facts.today);
    let before_is_known = changes.iter().all(|change| matches!(change.old, FileVersion::Known(_)));
    // A test that is missed may be on the disk; what a known text loses is lost.
    for finding in found.iter_mut().filter(|finding| finding.rule == RULE || !before_is_known) {
        finding.answer = Answer::Maybe;
        NO_TEST.clone_into(&mut finding.told);
    }
    found
}

/// The files that a session wrote.
struct TranscriptTree<'t> {
    prefix: &'t str,
    texts: &'t KnownTexts,
}

impl Tree for TranscriptTree<'_> {
    fn read(&self, path: &str) -> Option<Vec<u8>> {
        self.texts.get(&format!("{}{path}", self.prefix)).map(|text| text.as_bytes().to_vec())
    }

    fn exists(&self, path: &str) -> bool {
        self.texts.contains_key(&format!("{}{path}", self.prefix))
    }

    fn list(&self, folder: &str) -> Vec<(String, bool)> {
        let below = if folder.is_empty() { self.prefix.to_owned() } else { format!("{}{folder}/", self.prefix) };
        let names: BTreeSet<(String, bool)> = self
            .texts
            .range(below.clone()..)
            .take_while(|(path, _)| path.starts_with(&below))
            .filter_map(|(path, _)| {
                let rest = path.strip_prefix(&below)?;
                Some(rest.split_once('/').map_or_else(|| (rest.to_owned(), false), |(name, _)| (name.to_owned(), true)))
            })
            .collect();
        names.into_iter().collect()
    }

    fn sees_runs(&self) -> bool {
        false
    }
}
