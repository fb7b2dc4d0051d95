//! `write`, `delete`, `read`: paths, and the text that a change brings in.

use super::path::{Question, emptied, is_deep, matches, named_as, nowhere, outside, swept};
use super::{Asking, Cover, content};
use crate::facts::{Known, Need};
use crate::pattern::{PathAnchor, PathPattern};
use crate::{FileWhen, verdict::Answer};
use actions::path::Path;
use actions::word::{Word, WordPiece};
use actions::{Change, Delete, Read, Write};

pub(super) fn write(table: &FileWhen, write: &Write, cover: Cover, asking: &mut Asking) -> Answer {
    let (attributes, tree) = match write.change {
        Change::Attributes { tree } => (true, tree),
        _ => (false, false),
    };
    for (asked, is) in [(table.recursive, tree), (table.attributes, attributes)] {
        if asked.is_some_and(|expected| expected != is) {
            return Answer::No;
        }
    }
    // Another mode of a whole folder does not change what a rule on texts protects.
    let tree = table.recursive == Some(true);
    let mut answer = place(table, &write.path, Question { cover, with_contents: tree }, true, asking);
    // `chmod -R FOLDER/*` leaves nothing of the folder as it was.
    if let (Some(folder), true, Cover::Any) = (emptied(&write.path.word), tree, cover) {
        answer = answer.max(at(table, &folder, Question { cover, with_contents: tree }, asking));
    }
    // Where nothing is known of the destination, no rule can say that it is meant.
    if nowhere(&write.path.word) && cover == Cover::Any {
        answer = Answer::No;
    }
    if answer != Answer::No && content::is_asked(table) {
        answer = answer.min(content::brought(table, write, asking));
    }
    answer = answer.and_as(table.ignored, || write.path.word.literal().map_or(Answer::Maybe, |path| asking.holds(Need::Ignores(path.to_owned()))));
    if answer != Answer::No {
        let tree = matches!(write.change, Change::Tree(_));
        answer = answer.min(sweep(table, &write.path.word, tree, asking));
    }
    let exists = |asking: &mut Asking| write.path.word.literal().map_or(Answer::Maybe, |path| asking.holds(Need::Exists(path.to_owned())));
    answer = answer.and_as(table.new, || !exists(asking));
    if answer != Answer::No && (table.larger_than.is_some() || table.committed.is_some()) {
        let bytes = bytes(write, asking);
        answer = answer.min(table.larger_than.is_none_or(|bound| bytes.is_some_and(|bytes| bytes > bound)).into());
        answer = answer.min(table.committed.is_none_or(|expected| expected == bytes.is_some()).into());
    }
    answer = answer.and_as(table.loses_gate, || effect(write, asking, Need::LosesGate));
    answer.and_as(table.weakens_policy, || effect(write, asking, Need::WeakensPolicy))
}

pub(super) fn delete(table: &FileWhen, delete: &Delete, cover: Cover, asking: &mut Asking) -> Answer {
    if nowhere(&delete.path.word) && !delete.recursive && cover == Cover::Any {
        return Answer::No;
    }
    let question = Question { cover, with_contents: delete.recursive || delete.moved };
    let mut answer = place(table, &delete.path, question, false, asking);
    // `rm -rf folder/*` leaves nothing of the folder. What is moved is not lost, and hidden files stay.
    if let (Some(folder), true, Cover::Any) = (emptied(&delete.path.word), delete.recursive, cover) {
        answer = answer.max(at(table, &folder, question, asking));
    }
    if answer == Answer::Yes && !delete.recursive && cover == Cover::Any {
        answer = there(table, &delete.path.word, question, asking);
    }
    if answer != Answer::No {
        answer = answer.min(sweep(table, &delete.path.word, false, asking));
    }
    for (asked, is) in [(table.recursive, delete.recursive), (table.moved, delete.moved)] {
        if asked.is_some_and(|expected| expected != is) {
            return Answer::No;
        }
    }
    let path = delete.path.word.literal();
    answer = answer.and_as(table.ignored, || path.map_or(Answer::No, |path| asking.holds(Need::Ignored(path.to_owned()))));
    answer = answer.and_as(table.loses_commits, || path.map_or(Answer::Maybe, |path| asking.holds(Need::Unpushed(path.to_owned()))));
    // What is deleted holds nothing any more.
    let mut lost = |need: fn(String, Change) -> Need| {
        delete.path.word.literal().map_or(Answer::Maybe, |path| asking.holds(need(path.to_owned(), Change::Whole(String::new()))))
    };
    answer = answer.and_as(table.loses_gate, || lost(Need::LosesGate));
    answer.and_as(table.weakens_policy, || lost(Need::WeakensPolicy))
}

/// A glob names only what is there: where all that it meets are single files of the repository, one of them must exist.
fn there(table: &FileWhen, path: &Word, question: Question, asking: &mut Asking) -> Answer {
    let globs = path.pieces.iter().any(|piece| matches!(piece, WordPiece::Glob(_)));
    if !globs || path.has_hole() {
        return Answer::Yes;
    }
    let places = &asking.facts.places;
    let met: Vec<&PathPattern> = table.path.iter().filter(|pattern| matches(pattern, path, places, question) == Answer::Yes).collect();
    // A repository has its `.git`.
    let git = |source: &str| source.strip_prefix(".git").is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let single = |pattern: &PathPattern| pattern.anchor == PathAnchor::Repository && !pattern.source.contains(['*', '?', '[']) && !git(pattern.source);
    if met.is_empty() || !met.iter().all(|pattern| single(pattern)) {
        return Answer::Yes;
    }
    let files: Vec<String> =
        places.roots.iter().flat_map(|root| met.iter().flat_map(|pattern| spellings(pattern.source)).map(move |name| format!("{root}/{name}"))).collect();
    files.into_iter().map(|file| asking.holds(Need::Exists(file))).max().unwrap_or(Answer::Yes)
}

/// What a pattern with at most one list of alternatives names: `a.{x,y}` is `a.x` and `a.y`.
fn spellings(source: &str) -> Vec<String> {
    let list = source.split_once('{').and_then(|(front, rest)| Some((front, rest.split_once('}')?)));
    match list {
        Some((front, (names, back))) => names.split(',').map(|name| format!("{front}{name}{back}")).collect(),
        None => vec![source.to_owned()],
    }
}

pub(super) fn read(table: &FileWhen, read: &Read, cover: Cover, asking: &mut Asking) -> Answer {
    let goes = [(table.shown, read.shown), (table.sent, read.sent)];
    if goes.iter().any(|(asked, is)| asked.is_some_and(|expected| expected != *is)) || (nowhere(&read.path.word) && cover == Cover::Any) {
        return Answer::No;
    }
    let answer = place(table, &read.path, Question { cover, with_contents: false }, true, asking);
    // Most files are no secrets: what only may be one is not taken for one, unless its name begins so.
    if (table.shown.is_none() && table.sent.is_none()) || cover == Cover::Every || answer == Answer::Yes {
        return answer;
    }
    // `.e*` begins as few names do.
    let front = match read.path.word.pieces.as_slice() {
        [.., WordPiece::Lit(front), WordPiece::Glob(_)] => front.rsplit('/').next().unwrap_or(""),
        _ => "",
    };
    let begins = |pattern: &PathPattern| pattern.literals.iter().any(|name| name.starts_with(front));
    if front.len() > 1 && table.path.iter().any(begins) { Answer::Maybe } else { Answer::No }
}

/// `sweeps` and `deep`. `tree`: all below the path is meant.
fn sweep(table: &FileWhen, path: &Word, tree: bool, asking: &mut Asking) -> Answer {
    if table.deep.is_some_and(|deep| deep != (tree || is_deep(path))) {
        return Answer::No;
    }
    if table.sweeps.is_empty() {
        return Answer::Yes;
    }
    let folder = path.literal().filter(|_| tree).map(str::to_owned).or_else(|| swept(path));
    let Some(folder) = folder else { return Answer::No };
    let question = Question { cover: Cover::Any, with_contents: false };
    let one = |folder: &str, asking: &Asking| {
        let word = Word::lit(folder);
        table.sweeps.iter().map(|pattern| matches(pattern, &word, &asking.facts.places, question)).max().unwrap_or(Answer::No)
    };
    let here = one(&folder, asking);
    if here == Answer::Yes { here } else { real(&folder, true, asking).filter(|real| *real != folder).map_or(here, |real| here.max(one(&real, asking))) }
}

/// How large the file is in the commit. `None`: nothing is committed.
fn bytes(write: &Write, asking: &mut Asking) -> Option<u64> {
    let path = write.path.word.literal()?;
    match asking.known(Need::Size(path.to_owned())) {
        Some(Known::Size(bytes)) => Some(*bytes),
        _ => None,
    }
}

/// What a change would do to a file that the gate rests on.
fn effect(write: &Write, asking: &mut Asking, need: fn(String, Change) -> Need) -> Answer {
    let Some(path) = write.path.word.literal() else { return Answer::Maybe };
    let path = real(path, true, asking).unwrap_or_else(|| path.to_owned());
    asking.holds(need(path, write.change.clone()))
}

/// `path` and `outside_repo`, for the path as written and for where it really leads.
fn place(table: &FileWhen, path: &Path, question: Question, follow: bool, asking: &mut Asking) -> Answer {
    let here = at(table, &path.word, question, asking);
    let decided = match question.cover {
        Cover::Any => Answer::Yes,
        Cover::Every => Answer::No,
    };
    if here == decided {
        return here;
    }
    let Some(literal) = path.word.literal() else { return here };
    let Some(real) = real(literal, follow, asking).filter(|real| real != literal) else { return here };
    let there = at(table, &Word::lit(real), question, asking);
    match question.cover {
        Cover::Any => here.max(there),
        Cover::Every => here.min(there),
    }
}

fn real(path: &str, follow: bool, asking: &mut Asking) -> Option<String> {
    match asking.known(Need::RealPath(path.to_owned(), follow)) {
        Some(Known::Text(real)) => Some(real.clone()),
        _ => None,
    }
}

/// Whether the path is that of a hook, in the folder that git's configuration names.
fn hook(patterns: &[PathPattern], path: &Word, asking: &mut Asking) -> Answer {
    let mut hooks = patterns.iter().filter(|pattern| pattern.anchor == PathAnchor::Hooks).peekable();
    if hooks.peek().is_none() {
        return Answer::No;
    }
    let name = Path { word: path.clone(), shown: String::new() }.name();
    let answer = hooks.map(|pattern| named_as(pattern, &name)).max().unwrap_or(Answer::No);
    let Some((folder, _)) = path.literal().and_then(|path| path.rsplit_once('/')).filter(|_| answer != Answer::No) else { return Answer::No };
    match asking.known(Need::HooksFolder) {
        Some(Known::Text(hooks)) if hooks == folder => answer,
        _ => Answer::No,
    }
}

fn at(table: &FileWhen, path: &Word, question: Question, asking: &mut Asking) -> Answer {
    let hook = hook(&table.path, path, asking);
    let places = &asking.facts.places;
    let mut answer =
        if table.path.is_empty() { Answer::Yes } else { table.path.iter().map(|pattern| matches(pattern, path, places, question)).max().unwrap_or(Answer::No) };
    answer = answer.max(hook);
    answer.and_as(table.outside_repo, || outside(path, places))
}
