//! Judges a call of the past with a policy, by the function that the hook calls. Questions about the world are answered from
//! what the transcript says and from what the record says of this very call; nothing is looked up on the disk.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::past::PastDecision;
use super::sources::{KnownTexts, PastCall};
use actions::lookup::{Lookup, LookupAnswer};
use actions::{Action, Change, Deed};
use gate::deep::Stop;
use gate::failure;
use gate::judge::{Answers, answered, judge};
use gate::world::World;
use policy::facts::{Facts, Known, Need, Places};
use policy::verdict::{Answer, Finding};
use policy::{Policy, TestsFirst, Tier};
use tests_first::{Changed, FileVersion, Tree};

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

/// Judges calls in one thread; what is the same for many calls is kept.
pub struct PastJudge<'p> {
    policy: Policy<'p>,
    world: World,
    today: i64,
    /// The folder where none is said.
    cwd: String,
    places: HashMap<String, Places>,
}

impl<'p> PastJudge<'p> {
    /// `None`: the bytes are no compiled policy.
    #[must_use]
    pub fn new(policy: &'p [u8], world: &World, cwd: &str, today: i64) -> Option<Self> {
        Some(Self { policy: Policy::open(policy)?, world: world.clone(), today, cwd: cwd.to_owned(), places: HashMap::new() })
    }

    /// Judges a call. `then` is what the record says of it.
    pub fn judge(&mut self, past: &PastCall, then: Option<&PastDecision>) -> JudgedPast {
        let places = self.places(&past.cwd);
        let answers = PastAnswers { texts: &past.texts, branch: &past.branch, roots: &places.roots };
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
        match judge(&past.call, &mut facts, &self.policy, &answers, false) {
            // The hook denies such a call; the record leaves out fields.
            Err(Stop::Failed(failure)) if !past.partial => {
                JudgedPast { verdict: PastVerdict::Denied, rules: vec![("the call cannot be judged".to_owned(), failure::what(&failure))], shadow: Vec::new() }
            }
            Err(_) => unknown("a part of the call is not in the record".to_owned()),
            Ok(judgement) => {
                let judged = concluded(&judgement.verdict.findings, then);
                if past.partial && judged.verdict == PastVerdict::Allowed { unknown("a part of the call is not in the record".to_owned()) } else { judged }
            }
        }
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
}

impl PastAnswers<'_> {
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
}

/// What `[tests-first]` finds in texts that the transcript has. A test that is missed there may have been on the disk.
fn tests_found(root: &str, actions: &[Action], facts: &Facts, section: &TestsFirst, texts: &KnownTexts) -> Vec<Finding> {
    let prefix = format!("{root}/");
    let change = |action: &Action| {
        let Deed::Write(write) = &action.deed else { return None };
        let full = write.path.word.literal()?;
        let path = full.strip_prefix(&prefix).filter(|path| section.concerns(path))?;
        let Change::Whole(new) = &write.change else { return None };
        let old = texts.get(full).map_or(FileVersion::Absent, |text| FileVersion::Known(text.to_string()));
        Some(Changed { path: path.to_owned(), old, new: FileVersion::Known(new.clone()), part: false })
    };
    let changes: Vec<Changed> = actions.iter().filter_map(change).collect();
    if changes.is_empty() {
        return Vec::new();
    }
    let mut found = tests_first::judge(&changes, &TranscriptTree { prefix: &prefix, texts }, section, facts.today);
    let before_is_known = changes.iter().all(|change| change.old != FileVersion::Absent);
    for finding in found.iter_mut().filter(|_| !before_is_known) {
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
