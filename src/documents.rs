//! Runs the flywheel: takes suggestions from sessions and commits, shows them to the model, and resolves them. The crate
//! `flywheel` decides what becomes a suggestion.

use std::path::{Path, PathBuf};

use crate::deep::Cold;
use crate::deep::flywheel::history::{ABSENT, History, Made, in_tree};
use crate::deep::flywheel::same_lines::same_lines;
use crate::deep::flywheel::{Desk, signals, text_of};
use actions::{Action, Deed};
use clients::{Event, Moment};
use flywheel::drift::{self, Touched};
use flywheel::ledger::{LedgerStep, Standing, What};
use flywheel::{Suggestion, SuggestionKind, best, count, guard, page, pair, summary, told};
use gate::call::policy_around;
use gate::judge::{loses_learnings, makes_commit};
use gate::record::Entry;
use gate::world::{Surroundings, World, system};
use policy::verdict::Finding;
use policy::{Flywheel, Pair, Policy};
use tests_first::Tree as _;

/// Trailers that a message is given, at the most.
const MAX_TRAILERS: usize = 5;
/// Documents below `docs` in which an option may be named, where the policy has no map.
const MAX_DOCUMENTS: usize = 200;

/// Changed lines of one turn whose other places are named.
const SAME: usize = 3;
/// Seconds within which a resolved suggestion is opened again if its commit is undone.
const UNDONE: u64 = 30 * 86_400;

/// The state of each suggestion.
type Standings = std::collections::BTreeMap<String, Standing>;

/// The text for the model when a turn or a session begins or ends. `None` if there is nothing to say.
pub fn turned(event: &Event, around: &Surroundings, section: &Flywheel) -> Option<String> {
    // Without commits nothing is ever proved.
    let root = around.repository.as_ref()?.root.clone();
    let mut desk = Desk::open(&around.memory).ok()?;
    learn(&mut desk, &signals(&around.memory), &event.session, &root, section);
    if let Some(history) = History::open(&root).ok().filter(|history| !history.is_rewriting()) {
        settle(&mut desk, &history, &root, section, None);
    }
    let now = system::now_ms();
    if event.moment == Moment::SessionStart {
        let open = Desk::inbox(&root, section.inbox);
        let steps: Vec<LedgerStep> = untold(&desk).iter().map(|one| LedgerStep::of(What::Told, &one.id, now)).collect();
        let _ = desk.step(&steps);
        // The summary says it all.
        let _ = gate::world::pending::take(&around.memory, &root, &event.session);
        return (!open.is_empty()).then(|| summary(&open, section.inbox));
    }
    if event.moment == Moment::TurnEnd && !section.shadow {
        for same in same_lines(&root).iter().take(SAME) {
            // Each line once in a session. What cannot be left is found again.
            let _ = gate::world::pending::tell(&format!("same-line {}", same.line), &same.text(), around);
        }
    }
    let untold = untold(&desk);
    // The next session's beginning tells all.
    if untold.is_empty() || event.moment == Moment::SessionEnd {
        return None;
    }
    let text = told(&untold.iter().collect::<Vec<_>>(), section.inbox);
    let steps: Vec<LedgerStep> = untold.iter().map(|one| LedgerStep::of(What::Told, &one.id, now)).collect();
    // If the ledger cannot note it as shown, it would be shown at every turn.
    desk.step(&steps).ok()?;
    // The others' ends of turns take no context; a client's own next event does.
    if event.moment == Moment::TurnEnd && event.client.takes_context(Moment::TurnEnd) && !event.stopping {
        return Some(text);
    }
    let _ = desk.leave(&root, &text);
    None
}

/// Open suggestions that the model has not seen.
fn untold(desk: &Desk) -> Vec<Suggestion> {
    let all = desk.standings().into_values();
    all.filter(|standing| standing.ended.is_none() && !standing.told).map(|standing| standing.suggestion).collect()
}

/// Takes what the record shows of a session into the inbox.
fn learn(desk: &mut Desk, entries: &[Entry], session: &str, root: &Path, section: &Flywheel) {
    let Some(learnings) = section.learnings.first() else { return };
    let found = pair::suggestions(entries, session, learnings, &root.to_string_lossy());
    // What could not be taken in is found again.
    let _ = capture(desk, found, session, root, section);
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
        if one.kind == SuggestionKind::Drift { vec![head] } else { vec![head, in_tree(root, &one.target)] }
    };
    let new = best(new, left).into_iter().map(|one| (was(&one), one)).map(|(was, one)| (one, was)).collect();
    desk.capture(root, section.inbox, session, new)
}

/// The compiled policy of the repository around a folder, for the git hooks.
fn policy_at(world: &World, cwd: &Path) -> Option<(Surroundings, std::borrow::Cow<'static, [u8]>)> {
    let around = World { project_dir: None, ..world.clone() }.at(cwd).ok()?;
    let bytes = policy_around(&around, world, &Cold).ok()?;
    Some((around, bytes))
}

/// Updates the suggestions for new commits: resolves them, opens them again and, if git just made a commit (`anew`), adds
/// new ones. Returns the text for the person. `None` if the policy has no flywheel, or if nothing changed.
#[must_use]
pub fn committed(world: &World, cwd: &Path, anew: bool) -> Option<String> {
    let (around, bytes) = policy_at(world, cwd)?;
    let policy = Policy::open(&bytes)?;
    let section = policy.flywheel.as_ref()?;
    let root = around.tree().to_path_buf();
    // What comes of a rebase is looked at when it is done, with the next event.
    let history = History::open(&root).ok().filter(|history| !history.is_rewriting())?;
    let head = history.head().ok()?;
    let mut desk = Desk::open(&around.memory).ok()?;
    let said = settle(&mut desk, &history, &root, section, Some(&head).filter(|_| anew));
    let new = if anew { arisen(&history, &head, &root, section) } else { Vec::new() };
    let session = signals(&around.memory).last().map(|entry| entry.session.clone()).unwrap_or_default();
    let new = capture(&mut desk, new, &session, &root, section).unwrap_or_default();
    let steps: Vec<LedgerStep> = new.iter().map(|one| LedgerStep::of(What::Told, &one.id, system::now_ms())).collect();
    if !new.is_empty() && desk.step(&steps).is_ok() {
        let _ = desk.leave(&root, &told(&new.iter().collect::<Vec<_>>(), section.inbox));
    }
    let waiting = (!new.is_empty()).then(|| format!("{} in `{}`", count(new.len()), section.inbox));
    let all: Vec<String> = said.into_iter().chain(waiting).collect();
    (!all.is_empty()).then(|| format!("portcullis flywheel: {}", all.join("; ")))
}

/// The message of a commit with trailers for the suggestions that the commit will resolve, for `prepare-commit-msg`. `None`
/// if the message does not change.
#[must_use]
pub fn trailed(world: &World, cwd: &Path, message: &str) -> Option<String> {
    let (around, bytes) = policy_at(world, cwd)?;
    let policy = Policy::open(&bytes)?;
    let section = policy.flywheel.as_ref().filter(|section| section.trailers)?;
    let root = around.tree().to_path_buf();
    let touched = History::open(&root).ok()?.staged(false).ok()?;
    let open = Desk::inbox(&root, section.inbox);
    let alone = |one: &Suggestion| one.kind == SuggestionKind::Drift || open.iter().filter(|other| other.target == one.target).count() == 1;
    let answered = open.iter().filter(|one| touched.iter().any(|file| file.path == one.target && !file.gone) && (alone(one) || speaks_of(&touched, one)));
    let ids: Vec<&str> = answered.map(|one| one.id.as_str()).filter(|id| !message.contains(id)).take(MAX_TRAILERS).collect();
    (!ids.is_empty()).then(|| page::trailed(message, &ids))
}

/// Resolves suggestions by the commits since the last check of `HEAD`, and opens suggestions again whose commits were undone.
/// Merges, rebases and resets are noticed here too. `told` is the commit that git just made. Returns what changed.
fn settle(desk: &mut Desk, history: &History, root: &Path, section: &Flywheel, told: Option<&Made>) -> Vec<String> {
    let Ok(head) = history.head() else { return Vec::new() };
    if told.is_none() && desk.looked_at(root).as_ref() == Some(&head.id) {
        return Vec::new();
    }
    let before = desk.standings();
    let first = |ended: bool| before.values().filter(|standing| standing.ended.is_some() == ended).map(|standing| standing.suggestion.time / 1000).min();
    let mut done = undone(desk, history, root, section, &before);
    if let Some(first) = first(false).into_iter().chain(first(true)).min() {
        let recent = first.max((system::now_ms() / 1000).saturating_sub(UNDONE));
        let mut made = history.since(recent);
        if !made.iter().any(|made| made.id == head.id) {
            made.push(head.clone());
        }
        for made in made {
            let told = told.is_some_and(|told| told.id == made.id);
            done = done.and_then(|()| settled_by(desk, history, &Made { own: made.own || told, ..made }, told, root, section));
        }
    }
    // Pages first: what they could not be made to say is looked at again.
    if done.is_ok() {
        let _ = desk.look_at(root, &head.id);
    }
    let after = desk.standings();
    let list = |what: &str, ends: bool| {
        let changed = before.iter().filter(|(id, was)| after.get(*id).is_some_and(|is| was.ended.is_none() == ends && is.ended.is_some() == ends));
        let ids: Vec<&str> = changed.map(|(id, _)| id.as_str()).collect();
        (!ids.is_empty()).then(|| format!("{what} {}", ids.join(", ")))
    };
    list("resolved", true).into_iter().chain(list("opened again", false)).collect()
}

/// Opens again what a commit ended that was reverted or is part of no history any more.
fn undone(desk: &mut Desk, history: &History, root: &Path, section: &Flywheel, standings: &Standings) -> std::io::Result<()> {
    let now = system::now_ms();
    let recent = |standing: &&Standing| standing.ended.is_some_and(|(_, time)| now.saturating_sub(time) < UNDONE * 1000) && !standing.commit.is_empty();
    let ended: Vec<&Standing> = standings.values().filter(recent).collect();
    let times: Vec<Option<u64>> = ended.iter().map(|standing| history.time_of(&standing.commit)).collect();
    let Some(first) = times.iter().map(|time| time.unwrap_or(u64::MAX)).min() else { return Ok(()) };
    let here = history.reached(false, first);
    let everywhere = if ended.iter().all(|standing| here.contains(&standing.commit)) { here.clone() } else { history.reached(true, first) };
    for standing in ended {
        let (one, commit) = (&standing.suggestion, &standing.commit);
        let state = history.in_head(&one.target);
        // On another branch the document is another one, and nothing was undone.
        let gone = !everywhere.contains(commit);
        let as_it_was = standing.was.contains(&state) || (standing.ended.is_some_and(|(what, _)| what == What::Dropped) && state != ABSENT);
        if as_it_was && (gone || here.contains(commit)) {
            desk.put_in(root, section.inbox, &[one])?;
            desk.take_out(root, section.archive, &[&one.id])?;
            desk.step(&[LedgerStep::of(What::Reopened, &one.id, now)])?;
        } else if gone && let Some(other) = history.last_change(&one.target) {
            // It was amended, or set upon another commit: what proves it has another number now.
            let new = format!("resolved by {}", short(&other));
            // Archives of earlier versions say `settled`.
            let olds = ["resolved", "settled"].map(|word| format!("{word} by {}", short(commit)));
            desk.rewrite(root, section.archive, |text| olds.iter().fold(text.to_owned(), |text, old| text.replace(old, &new)))?;
            desk.step(&[LedgerStep { commit: other, ..LedgerStep::of(What::Settled, &one.id, standing.ended.map_or(now, |(_, time)| time)) }])?;
        }
    }
    Ok(())
}

/// Resolves the suggestions that one commit answers.
fn settled_by(desk: &mut Desk, history: &History, made: &Made, told: bool, root: &Path, section: &Flywheel) -> std::io::Result<()> {
    let touches = |target: &str| made.touched.iter().any(|file| file.path == target || file.from.as_deref() == Some(target));
    let standings = desk.standings();
    let open: Vec<&Standing> = standings.values().filter(|standing| standing.ended.is_none()).collect();
    let trailers: Vec<&str> = made.message.lines().filter_map(|line| line.strip_prefix(page::TRAILER).map(str::trim)).collect();
    let now = system::now_ms();
    for standing in open.iter().filter(|standing| touches(&standing.suggestion.target)) {
        let one = &standing.suggestion;
        let Some((state, before)) = history.around(&made.id, &one.target) else { continue };
        // What was committed before it was suggested is no proof, however it came here; nor is what was undone since.
        if (!told && made.time < one.time / 1000) || standing.was.contains(&state) || standing.was.contains(&history.in_head(&one.target)) {
            continue;
        }
        let step = |what| LedgerStep { commit: made.id.clone(), ..LedgerStep::of(what, &one.id, now) };
        let end = |desk: &mut Desk, what, how: String| desk.end(root, (section.inbox, section.archive), &[(one, how)]).and_then(|()| desk.step(&[step(what)]));
        if state == ABSENT {
            let renamed = made.touched.iter().find(|file| file.from.as_deref() == Some(&one.target));
            match renamed.map(|file| (file, history.around(&made.id, &file.path).map(|(state, _)| state).unwrap_or_default())) {
                // The name is another one, and nothing else.
                Some((file, state)) if standing.was.contains(&state) || before.contains(&state) => {
                    let at = Suggestion { target: file.path.clone(), ..one.clone() };
                    desk.take_out(root, section.inbox, &[&one.id])?;
                    desk.put_in(root, section.inbox, &[&at])?;
                    desk.step(&[LedgerStep { suggestion: Some(at), ..LedgerStep::of(What::Moved, &one.id, now) }])?;
                }
                Some(_) => end(desk, What::Settled, format!("resolved by {}", short(&made.id)))?,
                None => end(desk, What::Dropped, format!("dropped: {} deletes the document", short(&made.id)))?,
            }
            continue;
        }
        let speaks = trailers.contains(&one.id.as_str()) || speaks_of(&made.touched, one);
        let alone = standing.promoted
            || one.kind == SuggestionKind::Drift
            || (made.own && open.iter().filter(|other| other.suggestion.target == one.target).count() == 1);
        // What a merge brings was committed before; here it comes to be, and has to speak of it.
        let changed = before.iter().all(|before| *before != state);
        if speaks || (alone && changed) {
            end(desk, What::Settled, format!("resolved by {}", short(&made.id)))?;
        }
    }
    Ok(())
}

fn short(commit: &str) -> &str {
    commit.get(..10).unwrap_or(commit)
}

/// Whether the lines that a document gets speak of a suggestion: by its number, or by what it names.
fn speaks_of(touched: &[Touched], one: &Suggestion) -> bool {
    let words = one.words();
    let lines = touched.iter().filter(|file| file.path == one.target).flat_map(|file| &file.added);
    lines.into_iter().any(|line| line.contains(&one.id) || words.iter().any(|word| line.contains(word)))
}

/// The suggestions that a commit gives rise to.
fn arisen(history: &History, head: &Made, root: &Path, section: &Flywheel) -> Vec<Suggestion> {
    // What a merge brings was committed before.
    if head.merges {
        return Vec::new();
    }
    let now = system::now_ms();
    let mut found: Vec<Suggestion> = drift::commit(&head.subject, &head.id, &head.touched, section, now).into_iter().collect();
    for behind in drift::behind(section, &head.touched) {
        let Some(text) = text_of(root, behind.doc) else { continue };
        let is_code = |path: &str| drift::is_code(behind.pair, path);
        let commits = history.commits_since(behind.doc, is_code);
        let codes = history.files(is_code).into_iter().filter_map(|path| text_of(root, &path));
        let known: Vec<String> = codes.flat_map(|text| text.lines().flat_map(drift::surface).collect::<Vec<_>>()).collect();
        found.extend(drift::drift(&behind, &head.touched, (&text, &history.in_head(behind.doc)), &known, commits, now));
    }
    if section.map.is_empty() {
        found.extend(options(history, head, root, now));
    }
    found
}

/// Without a map: new options that neither the nearest README nor a page below `docs` names.
fn options(history: &History, head: &Made, root: &Path, now: u64) -> Vec<Suggestion> {
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
        let text = text_of(root, &readme).unwrap_or_default() + &pages;
        let pair = Pair { place: "", code: vec![&file.path], docs: vec![&readme], after: u16::MAX, gate: None };
        let behind = drift::Behind { pair: &pair, doc: &readme, code: vec![file.path.clone()] };
        found.extend(drift::drift(&behind, &files, (&text, &history.in_head(&readme)), &[], 0, now));
    }
    found
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

/// What the section finds in a call: learnings that would be lost, and a commit that leaves a gate's document behind.
#[must_use]
pub fn judge(actions: &[Action], around: &Surroundings, section: &Flywheel) -> Vec<Finding> {
    let mut found = Vec::new();
    let root = around.tree().to_path_buf();
    if loses_learnings(section, actions, &around.places.roots) {
        for (tree, changes) in crate::deep::tests_first::trees(actions, around, |_| true) {
            let archived = tree.read(section.archive).unwrap_or_default();
            found.extend(guard::judge(&changes, &String::from_utf8_lossy(&archived), section));
        }
    }
    if section.map.iter().any(|pair| pair.gate.is_some()) {
        for run in actions.iter().filter_map(|action| if let Deed::Run(run) = &action.deed { Some(run) } else { None }).filter(|run| makes_commit(run)) {
            let all = run.flags.iter().any(|flag| flag.names.iter().any(|name| name == "-a" || name == "--all"));
            let folder = run.folder.literal().map_or_else(|| root.clone(), PathBuf::from);
            let folder = gate::world::repository::discover(&folder);
            let root = if let gate::world::repository::Discovery::Found(found) = folder { found.root } else { root.clone() };
            if let Ok(touched) = History::open(&root).and_then(|history| history.staged(all)) {
                found.extend(drift::gated(section, &touched));
            }
        }
    }
    found
}

/// The open suggestions of the inbox, each with its state.
#[must_use]
pub fn open(desk: &Desk, root: &Path, section: &Flywheel) -> Vec<(Suggestion, Option<Standing>)> {
    let mut standings = desk.standings();
    Desk::inbox(root, section.inbox).into_iter().map(|one| (one.clone(), standings.remove(&one.id))).collect()
}
