//! Strings the flywheel together: what a turn of a session and a commit gave to write down, what is told of it, and what
//! settles it. What is worth a suggestion is `flywheel`'s.

use std::path::{Path, PathBuf};

use crate::action::{Action, Deed};
use crate::door::Door;
use crate::event::Event;
use crate::flywheel::drift::{self, Touched};
use crate::flywheel::ledger::{Standing, Step, What};
use crate::flywheel::{Kind, Suggestion, best, count, guard, page, pair, summary, told};
use crate::policy::{Flywheel, Pair, Policy};
use crate::tests_first::Tree as _;
use crate::verdict::Verdict;
use crate::world::flywheel::history::{ABSENT, Head, History, in_tree};
use crate::world::flywheel::{Desk, Signals};
use crate::world::{Surroundings, World, layers, system};

/// Trailers that a message is given, at the most.
const MAX_TRAILERS: usize = 5;
/// Documents below `docs` in which an option may be named, where the policy has no map.
const MAX_DOCUMENTS: usize = 200;

/// The work tree in which the inbox stands.
#[must_use]
pub fn tree(around: &Surroundings) -> PathBuf {
    around.repository.as_ref().map_or_else(|| around.root.clone(), |repository| repository.root.clone())
}

/// What is told to the model when a turn or a session begins or ends; none: nothing is.
pub(super) fn turned(event: &Event, around: &Surroundings, section: &Flywheel) -> Option<String> {
    let root = tree(around);
    let mut desk = Desk::open(&around.memory).ok()?;
    let signals = desk.signals(&around.memory, &event.session);
    learn(&mut desk, &signals, &event.session, &root, section);
    let now = system::now_ms();
    if event.name == "SessionStart" {
        let open = Desk::inbox(&root, section.inbox);
        let steps: Vec<Step> = untold(&desk).iter().map(|one| Step::of(What::Told, &one.id, now)).collect();
        let _ = desk.step(&steps);
        // The summary says it all.
        let _ = crate::world::pending::take(&around.memory);
        return (!open.is_empty()).then(|| summary(&open, section.inbox));
    }
    let untold = untold(&desk);
    if untold.is_empty() {
        return None;
    }
    let text = told(&untold.iter().collect::<Vec<_>>(), section.inbox);
    let steps: Vec<Step> = untold.iter().map(|one| Step::of(What::Told, &one.id, now)).collect();
    // What cannot be noted as told would be told at every turn.
    desk.step(&steps).ok()?;
    if event.name == "Stop" && !event.stopping {
        return Some(text);
    }
    let _ = desk.leave(&text);
    None
}

/// Suggestions that are open and that the model was not told of.
fn untold(desk: &Desk) -> Vec<Suggestion> {
    let all = desk.standings().into_values();
    all.filter(|standing| standing.ended.is_none() && !standing.told).map(|standing| standing.suggestion).collect()
}

/// Takes what the record shows into the inbox.
fn learn(desk: &mut Desk, signals: &Signals, session: &str, root: &Path, section: &Flywheel) {
    let Some(learnings) = section.learnings.first() else { return };
    let found = pair::suggestions(&signals.entries, signals.fresh, learnings, &root.to_string_lossy());
    let done = capture(desk, found, session, root, section).is_ok();
    if done {
        let _ = desk.mark(signals);
    }
}

/// Captures what is new, within what a session may have.
fn capture(desk: &mut Desk, found: Vec<Suggestion>, session: &str, root: &Path, section: &Flywheel) -> std::io::Result<Vec<Suggestion>> {
    let new: Vec<Suggestion> = found.into_iter().filter(|one| !desk.knows(&one.id)).collect();
    if new.is_empty() {
        return Ok(new);
    }
    let left = usize::from(section.per_session).saturating_sub(desk.captured_in(session));
    let history = History::open(root).ok();
    let was = |one: &Suggestion| {
        let head = history.as_ref().map_or_else(|| ABSENT.to_owned(), |history| history.in_head(&one.target));
        // A document that lags lags in what is committed; what was learned is written after it was.
        if one.kind == Kind::Drift { vec![head] } else { vec![head, in_tree(root, &one.target)] }
    };
    let new = best(new, left).into_iter().map(|one| (was(&one), one)).map(|(was, one)| (one, was)).collect();
    desk.capture(root, section.inbox, session, new)
}

/// What became of a commit, for git's door: suggestions that it settles or reopens, and those that it gives rise to.
/// None: the policy has no such section, or there is nothing to say.
#[must_use]
pub fn committed(world: &World, cwd: &Path) -> Option<String> {
    let around = World { project_dir: None, ..world.clone() }.at(cwd).ok()?;
    let found = layers::look(&around.layers).ok()?;
    let bytes = super::policy_bytes(&found, &around, world, Door::Cold).ok()??;
    let policy = Policy::open(&bytes)?;
    let section = policy.flywheel.as_ref()?;
    let root = tree(&around);
    let history = History::open(&root).ok()?;
    let head = history.head().ok()?;
    let mut desk = Desk::open(&around.memory).ok()?;
    let said = settle(&mut desk, &history, &head, &root, section);
    let new = arisen(&history, &head, &root, section);
    let session = desk.signals(&around.memory, "").entries.last().map(|entry| entry.session.clone()).unwrap_or_default();
    let new = capture(&mut desk, new, &session, &root, section).unwrap_or_default();
    let steps: Vec<Step> = new.iter().map(|one| Step::of(What::Told, &one.id, system::now_ms())).collect();
    if !new.is_empty() && desk.step(&steps).is_ok() {
        let _ = desk.leave(&told(&new.iter().collect::<Vec<_>>(), section.inbox));
    }
    let waiting = (!new.is_empty()).then(|| format!("{} in `{}`", count(new.len()), section.inbox));
    let all: Vec<String> = said.into_iter().chain(waiting).collect();
    (!all.is_empty()).then(|| format!("portcullis flywheel: {}", all.join("; ")))
}

/// A commit's message with trailers for the suggestions that it is about to settle, for `prepare-commit-msg`. None: it stays
/// as it is.
#[must_use]
pub fn trailed(world: &World, cwd: &Path, message: &str) -> Option<String> {
    let around = World { project_dir: None, ..world.clone() }.at(cwd).ok()?;
    let found = layers::look(&around.layers).ok()?;
    let bytes = super::policy_bytes(&found, &around, world, Door::Cold).ok()??;
    let policy = Policy::open(&bytes)?;
    let section = policy.flywheel.as_ref().filter(|section| section.trailers)?;
    let root = tree(&around);
    let touched = History::open(&root).ok()?.staged(false).ok()?;
    let open = Desk::inbox(&root, section.inbox);
    let alone = |one: &Suggestion| one.kind == Kind::Drift || open.iter().filter(|other| other.target == one.target).count() == 1;
    let answered = open.iter().filter(|one| touched.iter().any(|file| file.path == one.target && !file.gone) && (alone(one) || speaks_of(&touched, one)));
    let ids: Vec<&str> = answered.map(|one| one.id.as_str()).filter(|id| !message.contains(id)).take(MAX_TRAILERS).collect();
    (!ids.is_empty()).then(|| page::trailed(message, &ids))
}

/// Ends what the last commit settles, opens again what it undoes.
fn settle(desk: &mut Desk, history: &History, head: &Head, root: &Path, section: &Flywheel) -> Vec<String> {
    let standings = desk.standings();
    let now = system::now_ms();
    let mut steps = Vec::new();
    let mut ended: Vec<(&Suggestion, String)> = Vec::new();
    let mut opened: Vec<&Suggestion> = Vec::new();
    let mut moved: Vec<(&Suggestion, String)> = Vec::new();
    let mut renumbered: Vec<(String, &str)> = Vec::new();
    let trailers: Vec<&str> = head.message.lines().filter_map(|line| line.strip_prefix(page::TRAILER).map(str::trim)).collect();
    let open_for = |target: &str| standings.values().filter(|other| other.ended.is_none() && other.suggestion.target == target).count();
    for standing in standings.values() {
        let one = &standing.suggestion;
        let parent = head.parents.first().cloned().unwrap_or_default();
        let step = |what| Step { commit: head.id.clone(), parent: parent.clone(), ..Step::of(what, &one.id, now) };
        let state = history.in_head(&one.target);
        let before = history.in_parents(&one.target);
        let changed = before.iter().all(|before| *before != state) && !(before.is_empty() && state == ABSENT);
        let other = standing.was.iter().all(|was| *was != state);
        let short = head.id.get(..10).unwrap_or(&head.id);
        match standing.ended {
            None if state == ABSENT && changed => {
                let renamed = head.touched.iter().find(|file| file.from.as_deref() == Some(&one.target));
                let now_at = renamed.map(|file| (file, history.in_head(&file.path)));
                match now_at {
                    // The name is another one, and nothing else.
                    Some((file, state)) if standing.was.contains(&state) || before.contains(&state) => moved.push((one, file.path.clone())),
                    Some(_) => {
                        steps.push(step(What::Settled));
                        ended.push((one, format!("settled by {short}")));
                    }
                    None => {
                        steps.push(step(What::Dropped));
                        ended.push((one, format!("dropped, for {short} deletes the document")));
                    }
                }
            }
            None if changed && other && state != ABSENT => {
                let named = trailers.contains(&one.id.as_str());
                let alone = standing.promoted || one.kind == Kind::Drift || open_for(&one.target) == 1;
                if alone || named || speaks_of(&head.touched, one) {
                    steps.push(step(What::Settled));
                    ended.push((one, format!("settled by {short}")));
                }
            }
            Some((What::Settled, _)) => {
                // A commit in the place of the one that settled it: it was amended.
                let amended = standing.commit.1 == parent && standing.commit.0 != head.id;
                if !other && (changed || amended) {
                    steps.push(step(What::Reopened));
                    opened.push(one);
                } else if amended && changed {
                    steps.push(step(What::Settled));
                    renumbered.push((standing.commit.0.get(..10).unwrap_or_default().to_owned(), &one.id));
                }
            }
            _ => {}
        }
    }
    let pages = (section.inbox, section.archive);
    let mut done = desk.end(root, pages, &ended).and_then(|()| desk.put_in(root, section.inbox, &opened));
    if !opened.is_empty() {
        done = done.and_then(|()| desk.take_out(root, section.archive, &opened.iter().map(|one| one.id.as_str()).collect::<Vec<_>>()));
    }
    for (one, path) in &moved {
        let at = Suggestion { target: path.clone(), ..(*one).clone() };
        done = done.and_then(|()| desk.take_out(root, section.inbox, &[&one.id])).and_then(|()| desk.put_in(root, section.inbox, &[&at]));
        steps.push(Step { suggestion: Some(at), ..Step::of(What::Moved, &one.id, now) });
    }
    if let Some(short) = head.id.get(..10).filter(|_| !renumbered.is_empty()) {
        let anew =
            |text: &str| renumbered.iter().fold(text.to_owned(), |text, (old, _)| text.replace(&format!("settled by {old}"), &format!("settled by {short}")));
        done = done.and_then(|()| desk.rewrite(root, section.archive, anew));
    }
    // Pages first: what they could not be made to say is looked at again after the next commit.
    if done.is_err() || desk.step(&steps).is_err() {
        return Vec::new();
    }
    let list = |what: &str, ids: Vec<&str>| (!ids.is_empty()).then(|| format!("{what} {}", ids.join(", ")));
    let settled = list("settled", ended.iter().map(|(one, _)| one.id.as_str()).collect());
    let reopened = list("opened again", opened.iter().map(|one| one.id.as_str()).collect());
    settled.into_iter().chain(reopened).collect()
}

/// Whether the lines that a document gets speak of a suggestion: by its number, or by what it names.
fn speaks_of(touched: &[Touched], one: &Suggestion) -> bool {
    let words = one.words();
    let lines = touched.iter().filter(|file| file.path == one.target).flat_map(|file| &file.added);
    lines.into_iter().any(|line| line.contains(&one.id) || words.iter().any(|word| line.contains(word)))
}

/// What a commit gives rise to.
fn arisen(history: &History, head: &Head, root: &Path, section: &Flywheel) -> Vec<Suggestion> {
    // What a merge brings was committed before.
    if head.parents.len() > 1 {
        return Vec::new();
    }
    let now = system::now_ms();
    let mut found: Vec<Suggestion> = drift::commit(&head.subject, &head.id, &head.touched, section, now).into_iter().collect();
    for behind in drift::behind(section, &head.touched) {
        let Some(text) = text(root, behind.doc) else { continue };
        let is_code = |path: &str| behind.pair.code.iter().any(|glob| drift::is_of(glob, path));
        let commits = history.commits_since(behind.doc, is_code);
        let codes = history.files(is_code).into_iter().filter_map(|path| self::text(root, &path));
        let known: Vec<String> = codes.flat_map(|text| text.lines().flat_map(drift::surface).collect::<Vec<_>>()).collect();
        found.extend(drift::drift(&behind, &head.touched, (&text, &history.in_head(behind.doc)), &known, commits, now));
    }
    if section.map.is_empty() {
        found.extend(options(history, head, root, now));
    }
    found
}

/// Without a map: new options that neither the nearest README nor a page below `docs` names.
fn options(history: &History, head: &Head, root: &Path, now: u64) -> Vec<Suggestion> {
    let only_options = |file: &Touched| Touched {
        added: file.added.iter().flat_map(|line| drift::surface(line)).filter(|item| item.starts_with("--")).map(|item| format!("\"{item}\"")).collect(),
        ..file.clone()
    };
    let files: Vec<Touched> =
        head.touched.iter().filter(|file| !file.gone && !drift::is_page(&file.path)).map(only_options).filter(|file| !file.added.is_empty()).collect();
    let mut pages = String::new();
    if !files.is_empty() {
        pages = documents(root);
    }
    let mut found = Vec::new();
    for file in &files {
        let Some(readme) = nearest(root, &file.path).filter(|readme| head.touched.iter().all(|other| other.path != *readme)) else { continue };
        let text = text(root, &readme).unwrap_or_default() + &pages;
        let pair = Pair { place: "", code: vec![&file.path], docs: vec![&readme], after: u16::MAX, gate: None };
        let behind = drift::Behind { pair: &pair, doc: &readme, code: vec![file.path.clone()] };
        found.extend(drift::drift(&behind, &files, (&text, &history.in_head(&readme)), &[], 0, now));
    }
    found
}

/// The text of a file of the work tree.
fn text(root: &Path, path: &str) -> Option<String> {
    std::fs::read_to_string(root.join(path)).ok()
}

/// The README in the folder of a file, or above it.
fn nearest(root: &Path, path: &str) -> Option<String> {
    let folders = Path::new(path).ancestors().skip(1);
    folders.map(|folder| folder.join("README.md")).find(|readme| root.join(readme).is_file()).map(|readme| readme.to_string_lossy().into_owned())
}

/// The text of all pages below `docs`.
fn documents(root: &Path) -> String {
    let mut text = String::new();
    let mut left = vec![root.join("docs")];
    let mut read = 0;
    while let Some(folder) = left.pop().filter(|_| read < MAX_DOCUMENTS) {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => left.push(path),
                Ok(kind) if kind.is_file() && path.extension().is_some_and(|end| end == "md") => {
                    read += 1;
                    text += &std::fs::read_to_string(path).unwrap_or_default();
                }
                _ => {}
            }
        }
    }
    text
}

/// Adds what the section finds in a call: learnings that would be lost, and a commit that leaves a gate's document behind.
pub(super) fn judge(verdict: &mut Verdict, actions: &[Action], around: &Surroundings, section: &Flywheel) {
    let root = tree(around);
    if super::loses_learnings(section, actions, &around.places.roots) {
        for (tree, changes) in crate::world::tests_first::trees(actions, &around.places.roots, &around.memory, |_| true) {
            let archived = tree.read(section.archive).unwrap_or_default();
            verdict.add(guard::judge(&changes, &String::from_utf8_lossy(&archived), section));
        }
    }
    if section.map.iter().any(|pair| pair.gate.is_some()) {
        for run in actions.iter().filter_map(|action| if let Deed::Run(run) = &action.deed { Some(run) } else { None }).filter(|run| super::commits(run)) {
            let all = run.flags.iter().any(|flag| flag.names.iter().any(|name| name == "-a" || name == "--all"));
            let folder = run.folder.literal().map_or_else(|| root.clone(), PathBuf::from);
            let folder = crate::world::repository::discover(&folder);
            let root = if let crate::world::repository::Discovery::Found(found) = folder { found.root } else { root.clone() };
            if let Ok(touched) = History::open(&root).and_then(|history| history.staged(all)) {
                verdict.add(drift::gated(section, &touched));
            }
        }
    }
}

/// The standings that are open, for people: those in the inbox, and where each stands.
#[must_use]
pub fn open(desk: &Desk, root: &Path, section: &Flywheel) -> Vec<(Suggestion, Option<Standing>)> {
    let mut standings = desk.standings();
    Desk::inbox(root, section.inbox).into_iter().map(|one| (one.clone(), standings.remove(&one.id))).collect()
}
