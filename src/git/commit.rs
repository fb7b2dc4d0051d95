//! Judges changes: makes actions of the files of the index or of a commit, decides, and returns findings with their places.
//! A rule has the same name and verdict here as in the Claude Code hook.

mod tests_first;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::Path;

use super::approved::{HookCase, index_digest};
use super::push::{Ruling, concluded, pushing};
use crate::deep::Cold;
use crate::deep::changes::Changes;
use crate::deep::commits::Folders;
use crate::deep::compiling;
use crate::deep::own_files;
use crate::pipeline::moves::before;
use actions::change::files::{CommitFiles, Content, File};
use actions::change::{Id, message};
use actions::{Action, Change, committed};
use flywheel::drift::{self, Touched, gated};
use gate::call::{pause_until, policy_bytes};
use gate::deep::Stop;
use gate::failure::Failure;
use gate::judge::{Answers, answered, conclude, facts_at, today};
use gate::release;
use gate::world::{Surroundings, World, layers, observe};
use policy::facts::{Facts, Known, Need};
use policy::pipeline::BEFORE_COMMIT;
use policy::verdict::{Finding, Located, Verdict};
use policy::{Layer, Policy, Tier};

/// The hook before a commit that is no merge: what git itself puts into the work tree for a merge was never looked at.
const ALONE: &str = "pre-commit";
/// The pack that guards the gate against agents.
const SELF: &str = "self";

/// Where changes are judged.
pub struct Ground<'w> {
    pub around: Surroundings,
    /// The top of the work tree, as the policy's paths are anchored.
    root: String,
    /// A person does this: what guards the gate against agents is theirs to approve.
    person: bool,
    world: &'w World,
}

impl<'w> Ground<'w> {
    /// The ground in a work tree whose top is `top`.
    pub fn of(around: Surroundings, top: &Path, person: bool, world: &'w World) -> Self {
        let top = top.to_string_lossy().trim_end_matches('/').to_owned();
        let roots = &around.places.roots;
        let root = if roots.contains(&top) { top } else { roots.first().cloned().unwrap_or(top) };
        Self { around, root, person, world }
    }

    /// The policies by which a change against the commit `base` is judged (none: against the one that is checked out):
    /// the one that holds here, and the committed one where it differs. What a change makes of the policy must not decide
    /// over the change.
    ///
    /// # Errors
    ///
    /// What keeps the policy from being known.
    pub fn policies(&self, changes: &Changes) -> Result<Vec<Cow<'static, [u8]>>, Failure> {
        let found = layers::look(&self.around.layers)?;
        let mut policies = vec![policy_bytes(&found, &self.around, self.world, &Cold)?];
        let Some((file, path)) = self.project_policy() else { return Ok(policies) };
        let committed = changes.text_at(None, &path).map_err(Failure::RepositoryUnreadable)?;
        if committed != std::fs::read_to_string(file).ok()
            && let Ok(compiled) = self.compiled(&found, committed)
        {
            policies.push(compiled.into());
        }
        Ok(policies)
    }

    /// The policy as it was in the commit `base`.
    ///
    /// # Errors
    ///
    /// It has mistakes, or an object is missing.
    pub fn policy_at(&self, changes: &Changes, base: &Id) -> Result<Cow<'static, [u8]>, Failure> {
        let found = layers::look(&self.around.layers)?;
        let Some((_, path)) = self.project_policy() else {
            return Ok(policy_bytes(&found, &self.around, self.world, &Cold)?);
        };
        let committed = changes.text_at(Some(base), &path).map_err(Failure::RepositoryUnreadable)?;
        Ok(self.compiled(&found, committed)?.into())
    }

    fn compiled(&self, found: &[layers::FoundLayer], project: Option<String>) -> Result<Vec<u8>, Failure> {
        let told = |file: &layers::FoundLayer| match file.layer {
            Layer::Project if self.project_policy().is_some_and(|(path, _)| path == file.path) => Some(project.clone()),
            // What is not committed does not speak of commits.
            Layer::Local if file.path.starts_with(&self.around.root) => Some(None),
            _ => None,
        };
        compiling::bytes_with(found, &self.around, told)
    }

    /// The project's policy, in full and from the top of the repository. `None`: it is elsewhere.
    fn project_policy(&self) -> Option<(&Path, String)> {
        let mut paths = self.around.layers.iter().filter(|(layer, _)| *layer == Layer::Project);
        let (_, path) = paths.next_back()?;
        Some((path, path.strip_prefix(&self.root).ok()?.to_string_lossy().into_owned()))
    }

    /// Judges one file of a change.
    ///
    /// # Errors
    ///
    /// [`Failure::RuleDamaged`], or an object that is missing.
    pub fn file(&self, file: &File, changes: &Changes, policies: &[Policy], commit: Option<&Id>) -> Result<Vec<Located>, Failure> {
        let content = changes.content(file).map_err(Failure::RepositoryUnreadable)?;
        let actions = committed::of_file(&self.root, file, &content, usize::MAX);
        let mut located: Vec<Located> = Vec::new();
        for policy in policies {
            let mut facts = self.facts(file, &content);
            for finding in self.holding(actions.clone(), &mut facts, policy, Some((file, &content)))? {
                if located.iter().any(|known| known.finding.rule == finding.rule && known.finding.action == finding.action) {
                    continue;
                }
                let at = self.line(&finding, file, &content, &mut facts, policy)?;
                let (line, text) = at.and_then(|at| content.added.get(at)).map_or((None, String::new()), |(line, text)| (Some(*line), text.trim().to_owned()));
                located.push(Located { finding, path: Some(file.path.clone()), line, commit: commit.map(|id| id.digits().to_owned()), text });
            }
        }
        Ok(located)
    }

    /// Judges what is about to be committed, but for its message.
    ///
    /// # Errors
    ///
    /// As [`Ground::file`].
    pub fn staged(&self, files: &[File], index: &Path, changes: &Changes, policies: &[Policy]) -> Result<Vec<Located>, Failure> {
        let mut located = self.message(None, &changes.author(), files, policies, None)?;
        for file in files {
            located.extend(self.file(file, changes, policies, None)?);
        }
        located.extend(self.untested(files, index, changes, policies)?);
        Ok(located)
    }

    /// Judges the tests of what is staged.
    ///
    /// # Errors
    ///
    /// An object is missing.
    pub fn untested(&self, files: &[File], index: &Path, changes: &Changes, policies: &[Policy]) -> Result<Vec<Located>, Failure> {
        let around = changes.around_index(index).map_err(Failure::RepositoryUnreadable)?;
        tests_first::tested(files, &around, changes, policies, None)
    }

    /// Judges a commit without the contents of its files; none for `message`: it is not written yet.
    ///
    /// # Errors
    ///
    /// [`Failure::RuleDamaged`].
    pub fn message(&self, message: Option<&str>, author: &str, files: &[File], policies: &[Policy], commit: Option<&Id>) -> Result<Vec<Located>, Failure> {
        let actions = vec![committed::of_commit(&self.root, message, author, files)];
        let mut located: Vec<Located> = Vec::new();
        let touched = |file: &File| Touched { path: file.path.clone(), from: file.from.clone(), gone: file.new.is_none(), added: Vec::new() };
        let touched: Vec<Touched> = files.iter().map(touched).collect();
        for policy in policies {
            let gates = policy.flywheel.iter().flat_map(|section| gated(section, &touched));
            let new = |known: &Located, finding: &Finding| {
                known.finding.rule != finding.rule || (finding.rule == drift::RULE && known.finding.reason != finding.reason)
            };
            for finding in gates.chain(self.holding(actions.clone(), &mut facts_at(&self.around.places), policy, None)?) {
                if located.iter().all(|known| new(known, &finding)) {
                    located.push(Located { finding, path: None, line: None, commit: commit.map(|id| id.digits().to_owned()), text: String::new() });
                }
            }
        }
        Ok(located)
    }

    /// Judges a whole commit.
    ///
    /// # Errors
    ///
    /// As [`Ground::file`].
    pub fn commit(&self, commit: &CommitFiles, changes: &Changes, policies: &[Policy]) -> Result<Vec<Located>, Failure> {
        let mut located = self.message(Some(&commit.message), &commit.author, &commit.files, policies, Some(&commit.id))?;
        for file in &commit.files {
            located.extend(self.file(file, changes, policies, Some(&commit.id))?);
        }
        let around = changes.around_commit(&commit.id).map_err(Failure::RepositoryUnreadable)?;
        located.extend(tests_first::tested(&commit.files, &around, changes, policies, Some(&commit.id))?);
        Ok(located)
    }

    /// That the organisation's policy has ended and its grace is over: whatever `action` is, it is denied.
    ///
    /// # Errors
    ///
    /// [`Failure::RuleDamaged`].
    pub fn ended(&self, policies: &[Policy], action: &str) -> Result<Vec<Located>, Failure> {
        for policy in policies {
            let section = policy.tiers().ok_or(Failure::RuleDamaged)?.release;
            let found = section.and_then(|section| release::finding(&section, today(), action)).filter(|finding| !finding.shadow);
            if let Some(finding) = found {
                let instead = if self.person { release::MEND.to_owned() } else { finding.instead };
                return Ok(vec![Located { finding: Finding { instead, ..finding }, path: None, line: None, commit: None, text: String::new() }]);
            }
        }
        Ok(Vec::new())
    }

    /// The first added line with which the rule holds. `None` if it holds whatever is added.
    fn line(&self, finding: &Finding, file: &File, content: &Content, facts: &mut Facts, policy: &Policy) -> Result<Option<usize>, Failure> {
        let mut holds = |lines: usize| -> Result<bool, Failure> {
            let actions = committed::of_file(&self.root, file, content, lines);
            Ok(self.holding(actions, facts, policy, Some((file, content)))?.iter().any(|found| found.rule == finding.rule))
        };
        let (mut without, mut with) = (0, content.added.len());
        if with == 0 || holds(0)? || !holds(with)? {
            return Ok(None);
        }
        while with - without > 1 {
            let middle = without.midpoint(with);
            if holds(middle)? {
                with = middle;
            } else {
                without = middle;
            }
        }
        Ok(Some(without))
    }

    /// What holds the actions.
    fn holding(&self, actions: Vec<Action>, facts: &mut Facts, policy: &Policy, about: Option<(&File, &Content)>) -> Result<Vec<Finding>, Failure> {
        let judgement = conclude(actions, facts, policy, &OfChange { ground: self, about }, false)?;
        let findings = judgement.verdict.findings.into_iter().filter(|finding| !finding.shadow && finding.tier >= Tier::Supervised);
        Ok(findings.map(|finding| self.softened(finding)).collect())
    }

    fn softened(&self, finding: Finding) -> Finding {
        let tier = if self.person && finding.pack == SELF { finding.tier.min(Tier::Supervised) } else { finding.tier };
        Finding { tier, ..finding }
    }

    fn facts(&self, file: &File, content: &Content) -> Facts {
        let mut facts = Facts { committing: true, ..facts_at(&self.around.places) };
        let path = committed::place(&self.root, &file.path).word;
        facts.known.extend(path.literal().map(|path| (Need::Size(path.to_owned()), Known::Size(content.bytes))));
        facts
    }
}

/// Answers what is asked about a change: a file of it, or the commit itself.
struct OfChange<'g> {
    ground: &'g Ground<'g>,
    about: Option<(&'g File, &'g Content)>,
}

impl Answers for OfChange<'_> {
    fn facts(&self, needs: BTreeSet<Need>) -> Result<Vec<(Need, Known)>, Stop> {
        Ok(answered(needs, |need| self.known(need)))
    }
}

impl OfChange<'_> {
    /// What is true of a change, rather than of the work tree.
    fn known(&self, need: &Need) -> Known {
        let because = |why: Option<String>| Known::Is(why.is_some(), why.unwrap_or_default());
        match (need, self.about) {
            // Links are not followed in a commit.
            (Need::RealPath(path, _), _) => Known::Text(path.clone()),
            (Need::Exists(_), Some((file, _))) => Known::Is(file.old.is_some(), String::new()),
            (Need::Holds(_, text), Some((_, content))) => Known::Is(content.old.lines().is_some_and(|old| old.contains(text)), String::new()),
            (Need::Text(_), Some((_, content))) => content.old.lines().map_or(Known::Is(false, String::new()), |old| Known::Text(old.to_owned())),
            // What is committed is not ignored.
            (Need::Ignored(_) | Need::Ignores(_), _) => Known::Is(false, String::new()),
            // A commit discards nothing.
            (Need::Dirty(..), _) => Known::Is(false, String::new()),
            (Need::LosesGate(_, Change::Attributes { .. }), _) => Known::Is(false, String::new()),
            // A hook without its mode does not run; a policy needs none.
            (Need::WeakensPolicy(path, Change::Attributes { .. }), _) => Known::Is(Path::new(path).extension().is_none_or(|end| end != "toml"), String::new()),
            (Need::LosesGate(path, _), Some((_, content))) => {
                because(own_files::worse(Path::new(path), content.old.lines(), content.new.lines().unwrap_or_default(), &self.ground.around.places.homes))
            }
            (Need::WeakensPolicy(..), Some((file, content))) if file.old.is_some() && content.old.lines().is_none() => {
                Known::Is(true, "the text before the change could not be read".to_owned())
            }
            (Need::WeakensPolicy(path, _), Some((_, content))) => because(own_files::weakened(Path::new(path), content.old.lines(), content.new.lines())),
            _ => observe::light(need, &self.ground.around).unwrap_or_else(|| Known::Unknown("a commit does not say".to_owned())),
        }
    }
}

/// When git asks about a commit.
pub enum CommitMoment {
    /// Before its message is written.
    Before,
    /// When its message is written: the text as it is in the file.
    Message(String),
    /// When it is made.
    After,
}

/// A hook of git's around a commit.
pub struct Hook<'w> {
    /// Its name.
    pub name: &'w str,
    pub world: &'w World,
    /// The folder in which git starts the hook: the top of the work tree.
    pub cwd: &'w Path,
    /// No agent runs it.
    pub person: bool,
}

impl Hook<'_> {
    /// Judges what is committed.
    ///
    /// # Errors
    ///
    /// Everything that leaves it unjudged.
    pub fn judged(&self, moment: &CommitMoment) -> Result<Ruling, Failure> {
        let folders = Folders::find(self.cwd).map_err(Failure::RepositoryUnreadable)?;
        let ground = Ground::of(pushing(self.world, &folders, self.cwd)?, self.cwd, self.person, self.world);
        if pause_until(self.world, &ground.around).is_some() {
            return Ok(Ruling::GoesOn);
        }
        let changes = Changes::open(&folders.own).map_err(Failure::RepositoryUnreadable)?;
        let bytes = ground.policies(&changes)?;
        let policies = bytes.iter().map(|bytes| Policy::open(bytes)).collect::<Option<Vec<_>>>().ok_or(Failure::PolicyDamaged)?;
        let staged = || changes.staged(&folders.index(self.cwd), &changes.merged(), false).map_err(Failure::RepositoryUnreadable);
        let mut located = match moment {
            CommitMoment::Before => {
                let mut located = ground.staged(&staged()?, &folders.index(self.cwd), &changes, &policies)?;
                // What is missing is the same whichever of the policies asks for it.
                let mut gated = Vec::new();
                for policy in policies.iter().filter(|_| self.name == ALONE) {
                    gated.extend(before(BEFORE_COMMIT, policy, &ground.around)?);
                }
                for finding in gated.into_iter().filter(|finding| finding.tier >= Tier::Supervised && !finding.shadow) {
                    if !located.iter().any(|known| known.finding.rule == finding.rule) {
                        located.push(Located { finding, path: None, line: None, commit: None, text: String::new() });
                    }
                }
                located
            }
            CommitMoment::Message(text) => {
                let (cleanup, comment) = changes.cleanup();
                let (files, author) = (staged()?, changes.author());
                let mut located = ground.message(Some(&message::cleaned(text, cleanup, &comment)), &author, &files, &policies, None)?;
                // What holds whatever the message says was said before it was written.
                let before = ground.message(None, &author, &files, &policies, None)?;
                located.retain(|now| !before.iter().any(|before| before.finding.rule == now.finding.rule));
                located
            }
            CommitMoment::After => {
                let Some(head) = changes.leads("HEAD") else { return Ok(Ruling::GoesOn) };
                let commit = changes.commit(&head).map_err(Failure::RepositoryUnreadable)?;
                ground.commit(&commit, &changes, &policies)?
            }
        };
        located.extend(ground.ended(&policies, "a commit")?);
        if matches!(moment, CommitMoment::After) {
            // What a person may approve was asked before.
            let rules = prohibited(&located);
            let told = || format!("note: `{}` denies this commit, so its hooks were skipped or missing; it cannot be pushed from here", rules.join("`, `"));
            return Ok(if rules.is_empty() { Ruling::GoesOn } else { Ruling::Tells(told()) });
        }
        let message = if let CommitMoment::Message(text) = moment { text.as_str() } else { "" };
        let bound = format!("{}\n{message}", index_digest(&folders.index(self.cwd)));
        let case = HookCase { hook: self.name, bound: bound.trim_end(), actions: &[] };
        concluded(&case, &verdict(&located), self.person, &ground.around, self.world)
    }
}

/// The rules that prohibit what was found, each once.
pub fn prohibited(located: &[Located]) -> Vec<&str> {
    let rules: BTreeSet<&str> = located.iter().filter(|found| found.finding.tier == Tier::Prohibited).map(|found| found.finding.rule.as_str()).collect();
    rules.into_iter().collect()
}

/// The findings as one verdict.
pub fn verdict(located: &[Located]) -> Verdict {
    let shown = |located: &Located| {
        let place = match (&located.path, located.line) {
            (Some(path), Some(line)) => format!("{path}:{line}"),
            _ => located.finding.action.clone(),
        };
        let action = match &located.commit {
            Some(commit) => format!("{place} in the commit {}", commit.get(..12).unwrap_or(commit)),
            None => place,
        };
        Finding { action, ..located.finding.clone() }
    };
    let mut findings: Vec<Finding> = located.iter().map(shown).collect();
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.tier));
    Verdict { tier: findings.first().map_or(Tier::Free, |finding| finding.tier), findings, price: 0 }
}
