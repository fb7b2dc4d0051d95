//! Whether a rule matches an action: yes, no, or maybe if something is not known.
//! Does not weigh tiers. Asks for facts and never looks them up.
#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros)]

mod call;
mod commit;
pub(crate) mod content;
mod file;
mod path;
mod push;
mod query;
mod risk;
mod run;
pub mod text;

pub use call::value_passes;
pub(crate) use path::swept;

use std::collections::BTreeSet;

use crate::facts::{Facts, Known, Need};
use crate::{Conditions, Rule, RuleCandidate, Waiver, When, pattern::Pattern, secret::FoundSecret, verdict::Answer};
use actions::{Action, Deed, Run};

/// The known facts, and the questions that came up.
#[derive(Debug)]
pub struct Asking<'f> {
    /// What is known.
    pub facts: &'f Facts,
    /// Names of protected branches.
    pub protected: &'f [Pattern<'f>],
    /// What must be found out before this can be answered.
    pub needs: BTreeSet<Need>,
    /// Why facts that were asked for hold, for the message.
    pub told: Vec<String>,
    /// A text was not looked at, because other questions are open: the rule will be asked again.
    pub put_off: bool,
    /// The secrets of texts that were searched: where a text is in memory, and what was found.
    pub secrets: Vec<((usize, usize), Vec<FoundSecret>)>,
}

/// Whether one yes among the targets suffices (a rule), or all must be covered by a yes (an exception).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cover {
    /// A rule's `when`.
    Any,
    /// `unless`, and a waiver.
    Every,
}

impl Asking<'_> {
    /// What is known of `need`; notes it down if it was not asked yet.
    fn known(&mut self, need: Need) -> Option<&Known> {
        let known = self.facts.of(&need);
        if known.is_none() {
            self.needs.insert(need);
        }
        known
    }

    /// A yes-or-no fact. What cannot be found out is maybe.
    fn holds(&mut self, need: Need) -> Answer {
        let (answer, why) = match self.known(need) {
            Some(Known::Is(holds, why)) => (Answer::from(*holds), why.clone()),
            Some(Known::Unknown(why)) => (Answer::Maybe, why.clone()),
            _ => (Answer::Maybe, String::new()),
        };
        if answer != Answer::No && !why.is_empty() && !self.told.contains(&why) {
            self.told.push(why);
        }
        answer
    }
}

/// Whether the `when` of a rule matches the action at `at`.
pub fn first(rule: &RuleCandidate, at: usize, actions: &[Action], asking: &mut Asking) -> Answer {
    let Some(action) = actions.get(at) else { return Answer::No };
    if !for_agent(&rule.for_agents, asking.facts) {
        return Answer::No;
    }
    let answer = when(&rule.when, action, actions, Cover::Any, asking);
    if action.sure { answer } else { answer.min(Answer::Maybe) }
}

/// Whether `rule` matches the action at `at`, to which its `when` gave `answer`.
pub fn rule(rule: &Rule, mut answer: Answer, at: usize, actions: &[Action], asking: &mut Asking) -> Answer {
    let Some(action) = actions.get(at) else { return Answer::No };
    if std::mem::take(&mut asking.put_off) || answer == Answer::No {
        return answer;
    }
    if let Some(unless) = &rule.unless {
        answer = answer.min(!when(unless, action, actions, Cover::Every, asking));
    }
    if answer == Answer::No {
        return answer;
    }
    answer = answer.min(conditions(&rule.conditions, at, actions, asking));
    if action.stored && answer != Answer::No {
        // In a file that was there before, only what is certain counts, and what is deleted there but does not exist yet
        // is of the script's own making.
        answer = match &action.deed {
            _ if answer == Answer::Maybe => Answer::No,
            Deed::Delete(delete) => delete.path.word.literal().map_or(answer, |path| answer.min(asking.holds(Need::Exists(path.to_owned())))),
            _ => answer,
        };
    }
    answer
}

/// Whether `waiver` takes the action at `at` out of its rule.
pub fn waiver(waiver: &Waiver, at: usize, actions: &[Action], asking: &mut Asking) -> Answer {
    let Some(action) = actions.get(at) else { return Answer::No };
    if let (When::Run(tables), false) = (&waiver.when, matches!(action.deed, Deed::Run(_))) {
        // A waiver on commands also covers what the command does, one target at a time.
        let Some(Action { deed: Deed::Run(run), .. }) = action.from.and_then(|from| actions.get(from)) else { return Answer::No };
        let Some(target) = target(action) else { return Answer::No };
        let narrowed = Run { args: vec![target], ..run.clone() };
        return run::tables(tables, &narrowed, Cover::Every);
    }
    when(&waiver.when, action, actions, Cover::Every, asking)
}

/// The word of the command that names what the action is about.
fn target(action: &Action) -> Option<actions::word::Word> {
    match &action.deed {
        Deed::Write(write) => Some(actions::word::Word::lit(write.path.shown.as_str())),
        Deed::Delete(delete) if !delete.path.word.has_hole() => Some(actions::word::Word::lit(delete.path.shown.as_str())),
        _ => None,
    }
}

fn for_agent(patterns: &[Pattern], facts: &Facts) -> bool {
    text::any_or_unasked(patterns, &facts.agent) == Answer::Yes
}

fn when(when: &When, action: &Action, actions: &[Action], cover: Cover, asking: &mut Asking) -> Answer {
    match (when, &action.deed) {
        (When::Run(tables), Deed::Run(run)) => run::tables(tables, run, cover),
        (When::Write(tables), Deed::Write(write)) => or(tables, |table| file::write(table, write, cover, asking)),
        (When::Delete(tables), Deed::Delete(delete)) => or(tables, |table| file::delete(table, delete, cover, asking)),
        (When::Read(tables), Deed::Read(read)) => or(tables, |table| file::read(table, read, cover, asking)),
        (When::Fetch(tables), Deed::Fetch { url, method }) => or(tables, |table| call::fetch(table, url, method.as_ref())),
        (When::Call(tables), Deed::Call(call)) => or(tables, |table| call::call(table, call, asking)),
        (When::Spawn(tables), Deed::Spawn { agent, prompt }) => {
            or(tables, |table| text::any_or_unasked(&table.agent, agent).min(text::any_or_unasked(&table.prompt, prompt)))
        }
        (When::Push(tables), Deed::Push(push)) => {
            let folder = folder(action, actions, asking.facts).map(str::to_owned);
            or(tables, |table| push::push(table, push, folder.as_deref(), cover, asking))
        }
        (When::Commit(tables), Deed::Commit(commit)) => or(tables, |table| commit::commit(table, commit, cover, asking)),
        (When::Query(tables), Deed::Query(query)) => or(tables, |table| query::query(table, query, asking)),
        (When::Opaque(tables), Deed::Opaque { why, .. }) => or(tables, |table| text::any_or_unasked(&table.why, why)),
        _ => Answer::No,
    }
}

fn or<T>(tables: &[T], test: impl FnMut(&T) -> Answer) -> Answer {
    tables.iter().map(test).max().unwrap_or(Answer::No)
}

/// The folder in which the action's command runs; for one that has no command, the call's. `None`: not known.
fn folder<'a>(action: &'a Action, actions: &'a [Action], facts: &'a Facts) -> Option<&'a str> {
    let command = action.from.and_then(|from| actions.get(from)).unwrap_or(action);
    match &command.deed {
        Deed::Run(run) => run.folder.literal(),
        _ => Some(&facts.places.cwd),
    }
}

/// `where`.
fn conditions(conditions: &Conditions, at: usize, actions: &[Action], asking: &mut Asking) -> Answer {
    let Some(action) = actions.get(at) else { return Answer::No };
    let folder = folder(action, actions, asking.facts).map(str::to_owned);
    let folder = folder.as_deref();
    let mut answer = text::any_or_unasked(&conditions.agent, &asking.facts.agent).min(text::any_or_unasked(&conditions.mode, &asking.facts.mode));
    if answer != Answer::No && !conditions.branch.is_empty() {
        answer = answer.min(branch(&conditions.branch, action, folder, asking));
    }
    if answer != Answer::No && !conditions.phase.is_empty() {
        answer = answer.min(phase(&conditions.phase, asking));
    }
    answer = answer.and_as(conditions.protected_branch, || match &action.deed {
        Deed::Push(push) => push::target(asking.protected, push, folder, asking),
        _ => branch(asking.protected, action, folder, asking),
    });
    answer.and_as(conditions.dirty, || risk::dirty(at, folder, actions, asking))
}

/// Whether the work is in one of these phases.
fn phase(patterns: &[Pattern], asking: &mut Asking) -> Answer {
    match asking.known(Need::Phase) {
        Some(Known::Text(name)) => patterns.iter().any(|pattern| text::text(pattern, name)).into(),
        // No phase was begun.
        Some(Known::Is(..)) => Answer::No,
        Some(Known::Unknown(_) | Known::Size(_)) | None => Answer::Maybe,
    }
}

/// Whether the current branch is one of these.
fn branch(patterns: &[Pattern], action: &Action, folder: Option<&str>, asking: &mut Asking) -> Answer {
    if let Deed::Run(Run { branch: Some(switched), .. }) = &action.deed {
        return text::any(patterns, switched);
    }
    match folder.and_then(|folder| asking.known(Need::Branch(folder.to_owned()))) {
        Some(Known::Text(name)) => patterns.iter().any(|pattern| text::text(pattern, name)).into(),
        // No branch: the head is detached.
        Some(Known::Is(..)) => Answer::No,
        Some(Known::Unknown(_) | Known::Size(_)) | None => Answer::Maybe,
    }
}
