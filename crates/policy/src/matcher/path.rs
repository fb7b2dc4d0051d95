//! Path patterns on paths with holes, from the folder at which the pattern is anchored.

use super::Cover;
use crate::pattern::{PathAnchor, PathPattern};
use crate::{facts::Places, verdict::Answer};
use actions::word::{Bound, Word, WordPiece};

/// How a path is asked about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Question {
    /// A rule or an exception.
    pub cover: Cover,
    /// All below the path is concerned too (a recursive deletion, a move).
    pub with_contents: bool,
}

/// Whether `path` is one that `pattern` names.
pub(super) fn matches(pattern: &PathPattern, path: &Word, places: &Places, question: Question) -> Answer {
    let answer = one(pattern, path, places, question);
    // `a/**/b` is `a/b` too.
    match without_any_folder(path) {
        Some(shorter) if answer != Answer::Yes && question.cover == Cover::Any => answer.max(one(pattern, &shorter, places, question)),
        _ => answer,
    }
}

fn without_any_folder(path: &Word) -> Option<Word> {
    let at = path.pieces.iter().position(|piece| matches!(piece, WordPiece::Glob(glob) if glob == "**"))?;
    let mut word = Word { pieces: Vec::new(), multi: path.multi, span: path.span };
    for (place, piece) in path.pieces.iter().enumerate().filter(|(place, _)| *place != at) {
        match piece {
            WordPiece::Lit(text) if place == at + 1 => word.push_lit(text.strip_prefix('/').unwrap_or(text)),
            other => word.push(other.clone()),
        }
    }
    Some(word)
}

fn one(pattern: &PathPattern, path: &Word, places: &Places, question: Question) -> Answer {
    let beside: Vec<String>;
    let bases: &[String] = match pattern.anchor {
        PathAnchor::Absolute | PathAnchor::Anywhere => return with_text(pattern, path, question),
        PathAnchor::Repository => &places.roots,
        PathAnchor::Beside => {
            beside = places.roots.iter().filter_map(|root| root.rsplit_once('/')).map(|(parent, _)| parent.to_owned()).collect();
            &beside
        }
        PathAnchor::Home => &places.homes,
        PathAnchor::Binaries => &places.binaries,
        PathAnchor::State => &places.state,
        PathAnchor::Config => &places.config,
        PathAnchor::Policy => &places.policies,
        PathAnchor::Temporary => &places.temporary,
        PathAnchor::GitDirectory => &places.git,
        PathAnchor::Here => std::slice::from_ref(&places.cwd),
        // Its folder is a fact of its own.
        PathAnchor::Hooks => &[],
    };
    let meant = bases.iter().filter(|base| match pattern.anchor {
        PathAnchor::Temporary => !of_value(path, base, places),
        _ => question.cover == Cover::Every || !unnamed(path, base, places),
    });
    let named = |base: &String| if pattern.anchor == PathAnchor::Temporary { named(path, base) } else { path.clone() };
    meant.map(|base| below(pattern, &named(base), base, question)).max().unwrap_or(Answer::No)
}

/// A repository or a home that lies in a temporary folder is not temporary.
fn of_value(path: &Word, temporary: &str, places: &Places) -> bool {
    let kept = places.roots.iter().chain(&places.homes).chain([&places.cwd]);
    kept.filter(|folder| folder.strip_prefix(temporary).is_some_and(|rest| rest.starts_with('/'))).any(|folder| {
        // What lies beside it there belongs to it.
        let end = folder.get(temporary.len() + 1..).and_then(|rest| rest.find('/')).map_or(folder.len(), |at| temporary.len() + 1 + at);
        let whole = folder.get(..end).unwrap_or(folder);
        (inside(path, whole) != Answer::No && !unnamed(path, whole, places))
            || path.literal().is_some_and(|path| folder.strip_prefix(path).is_some_and(|rest| rest.starts_with('/')))
    })
}

/// A hole right below a temporary folder is taken for a name.
fn named(path: &Word, temporary: &str) -> Word {
    let mut word = path.clone();
    if let [WordPiece::Lit(front), hole @ WordPiece::Any(Bound::Anything | Bound::Setup), ..] = word.pieces.as_mut_slice()
        && front.strip_prefix(temporary) == Some("/")
    {
        *hole = WordPiece::Any(Bound::Name);
    }
    word
}

/// A hole right below a temporary folder is a name there, and not the way into a repository that happens to lie in it.
fn unnamed(path: &Word, folder: &str, places: &Places) -> bool {
    let prefix = path.prefix().trim_end_matches('/');
    path.has_hole() && places.temporary.iter().any(|temporary| temporary == prefix && folder.starts_with(prefix))
}

/// A pattern over the whole path.
fn with_text(pattern: &PathPattern, path: &Word, question: Question) -> Answer {
    let contents = contained(pattern, path, "", question);
    if let ([WordPiece::Any(_), WordPiece::Lit(rest)], true) = (path.pieces.as_slice(), pattern.source.starts_with("**/")) {
        // `**` takes in whatever folder the hole stands for, so the rest alone decides.
        let known = WordPiece::Lit(format!("/folder{rest}"));
        if rest.starts_with('/') && over(pattern, &[known], false) == Answer::Yes {
            return Answer::Yes;
        }
    }
    contents.max(weighed(pattern, &path.pieces, over(pattern, &path.pieces, false), question))
}

/// A pattern anchored at `base`.
fn below(pattern: &PathPattern, path: &Word, base: &str, question: Question) -> Answer {
    let contents = contained(pattern, path, base, question);
    if contents == Answer::Yes {
        return contents;
    }
    let prefix = path.prefix();
    if let Some(rest) = prefix.strip_prefix(base) {
        if rest.is_empty() && path.pieces.len() <= 1 {
            return weighed(pattern, &[], over(pattern, &[], false), question);
        }
        if rest.starts_with('/') {
            let rest = path.without_prefix(base.len() + 1);
            return weighed(pattern, &rest.pieces, over(pattern, &rest.pieces, false), question);
        }
    }
    // Names looked for in all folders are found there too.
    if let ([WordPiece::Lit(_), WordPiece::Glob(all), rest @ ..], Cover::Any, false) = (path.pieces.as_slice(), question.cover, pattern.literals.is_empty())
        && all == "**"
        && base.starts_with(prefix)
    {
        let rest = Word { pieces: rest.to_vec(), ..Word::default() }.without_prefix(1);
        return weighed(pattern, &rest.pieces, over(pattern, &rest.pieces, false), question);
    }
    // A hole before the base is reached may lead there, where nothing or something of what is after it agrees.
    let open = path.pieces.get(usize::from(!prefix.is_empty()));
    if base.starts_with(prefix) && matches!(open, Some(WordPiece::Any(Bound::Anything | Bound::Setup))) {
        let rest = path.pieces.get(usize::from(!prefix.is_empty())..).unwrap_or(&[]);
        let last = base.rsplit('/').next().unwrap_or(base);
        let known = is_telling(names(rest).filter(|name| *name == last || pattern.literals.contains(name)));
        let silent = rest.iter().all(|piece| !matches!(piece, WordPiece::Lit(text) if !text.trim_matches('/').is_empty()));
        if question.cover == Cover::Any && !(silent && question.with_contents) && !known {
            return Answer::No;
        }
        return weighed(pattern, rest, over(pattern, rest, true), question).min(Answer::Maybe);
    }
    Answer::No
}

/// Whether the name of the file at `path` is one that `pattern` names, wherever it is.
pub(super) fn named_as(pattern: &PathPattern, name: &Word) -> Answer {
    over(pattern, &name.pieces, false)
}

fn over(pattern: &PathPattern, pieces: &[WordPiece], floating: bool) -> Answer {
    // Nearly every path is wholly known.
    match pieces {
        [] if !floating => return super::text::text(&pattern.pattern, "").into(),
        [WordPiece::Lit(text)] if !floating => return super::text::text(&pattern.pattern, text).into(),
        _ => {}
    }
    let Some(table) = &pattern.pattern.table else {
        let word = Word { pieces: pieces.to_vec(), ..Word::default() };
        let answer = super::text::word(&pattern.pattern, &word);
        let Some((WordPiece::Any(_), rest)) = pieces.split_first().filter(|_| floating && answer == Answer::No) else { return answer };
        // The hole may have been the base itself; then a slash follows that is not part of the pattern.
        let rest = Word { pieces: rest.to_vec(), ..Word::default() };
        return super::text::word(&pattern.pattern, &rest.without_prefix(usize::from(rest.prefix().starts_with('/')))).min(Answer::Maybe);
    };
    let answer = super::text::walk(table, pieces);
    if floating && answer == Answer::No {
        let rest = Word { pieces: pieces.get(1..).unwrap_or(&[]).to_vec(), ..Word::default() };
        return super::text::walk(table, &rest.without_prefix(usize::from(rest.prefix().starts_with('/'))).pieces).min(Answer::Maybe);
    }
    answer
}

/// A glob names all files that fit: for a rule one of them suffices. A hole, and folders of any name, count only where
/// something agrees.
fn weighed(pattern: &PathPattern, rest: &[WordPiece], answer: Answer, question: Question) -> Answer {
    let hole = rest.iter().any(|piece| matches!(piece, WordPiece::Any(_)));
    if answer != Answer::Maybe {
        return answer;
    }
    if question.cover == Cover::Every {
        // An exception for some of the files that are found does not cover the others.
        let found = rest.iter().any(|piece| matches!(piece, WordPiece::Glob(glob) if glob == "**"));
        return if hole && !found { Answer::Maybe } else { Answer::No };
    }
    let any_folder = pattern.source.starts_with("**/") || rest.iter().any(|piece| matches!(piece, WordPiece::Glob(glob) if glob.contains("**")));
    match (hole || any_folder) && !agrees(pattern, rest) {
        true => Answer::No,
        false if hole => Answer::Maybe,
        false => Answer::Yes,
    }
}

/// Whether a literal part of the path agrees with a literal part of the pattern. A pattern without any always agrees.
fn agrees(pattern: &PathPattern, rest: &[WordPiece]) -> bool {
    // A short stretch is found by chance in any name (`md` in `a.md`), so it must be all of one.
    let agreed = |name: &&str| pattern.literals.iter().any(|literal| if literal.len() > 3 { name.contains(literal) } else { name == literal });
    let hole = matches!(rest.first(), Some(WordPiece::Any(Bound::Anything | Bound::Setup)));
    pattern.literals.is_empty() || if hole { is_telling(names(rest).filter(agreed)) } else { names(rest).any(|name| agreed(&name)) }
}

/// The names, or parts of names, that are known of a path.
fn names(pieces: &[WordPiece]) -> impl Iterator<Item = &str> {
    let known = pieces.iter().map(|piece| if let WordPiece::Lit(text) = piece { text.as_str() } else { "" });
    known.flat_map(|text| text.split('/')).filter(|name| !name.is_empty())
}

/// Names that folders of every kind have: in a folder of which nothing is known, one of them alone says nothing.
const COMMON: &str = "bin config settings.json state logs";

/// Whether names that agree say more than that two files are called the same.
fn is_telling<'w>(agreed: impl Iterator<Item = &'w str>) -> bool {
    let mut common = 0;
    for name in agreed {
        if !COMMON.split(' ').any(|known| known == name) {
            return true;
        }
        common += 1;
    }
    common > 1
}

/// Whether `path` is a folder above what the pattern names.
fn contained(pattern: &PathPattern, path: &Word, base: &str, question: Question) -> Answer {
    let (true, Cover::Any, Some(stem), Some(path)) = (question.with_contents, question.cover, pattern.stem, path.literal()) else { return Answer::No };
    let whole = if stem.is_empty() { base.to_owned() } else { format!("{base}/{}", stem.trim_start_matches('/')) };
    // At the stem itself there is something below it only if the pattern continues.
    let at_stem = whole == path && pattern.source.trim_end_matches('/').len() > stem.len() && !stem.is_empty();
    let above = whole.strip_prefix(path).is_some_and(|rest| rest.starts_with('/') || path == "/");
    (at_stem || above).into()
}

/// Whether the path lies outside all repository roots; maybe where it has a hole that may lead inside or outside.
pub(super) fn outside(path: &Word, places: &Places) -> Answer {
    let inside = places.roots.iter().map(|root| inside(path, root)).max().unwrap_or(Answer::No);
    !inside
}

fn inside(path: &Word, root: &str) -> Answer {
    let prefix = path.prefix();
    match prefix.strip_prefix(root) {
        Some(rest) if rest.starts_with('/') || (rest.is_empty() && path.pieces.len() <= 1) || root == "/" => Answer::Yes,
        _ if root.starts_with(prefix) && matches!(path.pieces.get(usize::from(!prefix.is_empty())), Some(WordPiece::Any(Bound::Anything | Bound::Setup))) => {
            Answer::Maybe
        }
        _ => Answer::No,
    }
}

/// The folder of which `path` (`folder/*`) names everything.
pub(super) fn emptied(path: &Word) -> Option<Word> {
    let (last, front) = path.pieces.split_last()?;
    let [.., WordPiece::Lit(text)] = front else { return None };
    if !matches!(last, WordPiece::Glob(glob) if glob == "*") {
        return None;
    }
    let folder = text.strip_suffix('/').or_else(|| text.strip_suffix("/."))?;
    let mut word = Word { pieces: front.get(..front.len() - 1)?.to_vec(), ..Word::default() };
    word.push_lit(if folder.is_empty() && front.len() == 1 { "/" } else { folder });
    Some(word)
}

/// The folder in front of the first stretch of a path that is a pattern, or a name that is not known.
pub(crate) fn swept(path: &Word) -> Option<String> {
    let known = path.prefix();
    let open = path.pieces.iter().find(|piece| !matches!(piece, WordPiece::Lit(_)))?;
    let (folder, _) = known.rsplit_once('/').filter(|_| matches!(open, WordPiece::Glob(_) | WordPiece::Any(Bound::File)))?;
    Some(if folder.is_empty() { "/".to_owned() } else { folder.to_owned() })
}

/// Whether files are looked for in all folders.
pub(super) fn is_deep(path: &Word) -> bool {
    path.pieces.iter().any(|piece| matches!(piece, WordPiece::Glob(glob) if glob == "**"))
}

/// Whether nothing at all is known of where the path leads.
pub(super) fn nowhere(path: &Word) -> bool {
    let silent = |piece: &WordPiece| match piece {
        WordPiece::Any(_) => true,
        WordPiece::Lit(text) => text.trim_matches('/').is_empty(),
        WordPiece::Glob(_) => false,
    };
    matches!(path.pieces.first(), Some(WordPiece::Any(_)) | None) && path.pieces.iter().all(silent)
}
