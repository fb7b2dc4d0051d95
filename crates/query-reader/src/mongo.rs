//! Calls of the `MongoDB` shell in their usual forms. It is no reader of JavaScript: what is not written as a call is not seen.

use crate::{LossKind, Lost};

/// Bytes of a script that are read.
const MAX_SCRIPT: usize = 1 << 16;
/// Texts within each other.
const MAX_DEPTH: usize = 6;

/// Bytes of lines that are open together.
const MAX_LINES_OPEN: usize = 1 << 12;

#[derive(Clone, Debug, PartialEq)]
enum Piece {
    Name(String),
    Text(String),
    Sign(char),
}

impl Piece {
    fn sign(&self, sign: char) -> bool {
        *self == Self::Sign(sign)
    }

    fn name(&self) -> Option<&str> {
        if let Self::Name(name) = self { Some(name) } else { None }
    }

    /// The key of an object, in quotes or without.
    fn key(&self) -> &str {
        match self {
            Self::Name(text) | Self::Text(text) => text,
            Self::Sign(_) => "",
        }
    }
}

/// What a text loses; with `lines` each line is a text of its own.
pub(crate) fn read(text: &str, lines: bool, files: &mut dyn FnMut(&str) -> Option<String>) -> Vec<Lost> {
    if !lines {
        return whole(text, files, 0);
    }
    let mut lost = Vec::new();
    let mut open = String::new();
    for line in text.lines() {
        if matches!(line.trim(), "exit" | "quit" | "quit()" | "exit()" | ".exit") && open.is_empty() {
            return lost;
        }
        open.push_str(line);
        open.push('\n');
        if open.len() > MAX_LINES_OPEN {
            lost.push(Lost::new(LossKind::Unknown, ""));
            return lost;
        }
        // A line with open brackets continues.
        let pieces = pieces(&open);
        let count = |signs: [char; 3]| pieces.iter().filter(|piece| signs.iter().any(|sign| piece.sign(*sign))).count();
        if count(['(', '{', '[']) <= count([')', '}', ']']) {
            lost.extend(whole(&open, files, 0));
            open.clear();
        }
    }
    lost
}

fn pieces(text: &str) -> Vec<Piece> {
    let mut all = Vec::new();
    let chars: Vec<char> = text.chars().collect();
    let at = |place: usize| chars.get(place).copied().unwrap_or('\0');
    let mut place = 0;
    while place < chars.len() {
        let c = at(place);
        if c == '/' && at(place + 1) == '/' {
            while place < chars.len() && at(place) != '\n' {
                place += 1;
            }
        } else if c == '/' && at(place + 1) == '*' {
            place += 2;
            while place < chars.len() && !(at(place) == '*' && at(place + 1) == '/') {
                place += 1;
            }
            place += 2;
        } else if matches!(c, '\'' | '"' | '`') {
            let mut text = String::new();
            place += 1;
            while place < chars.len() && at(place) != c {
                place += usize::from(at(place) == '\\');
                text.push(at(place));
                place += 1;
            }
            place += 1;
            all.push(Piece::Text(text));
        } else if c.is_alphanumeric() || matches!(c, '_' | '$') {
            let start = place;
            while at(place).is_alphanumeric() || matches!(at(place), '_' | '$') {
                place += 1;
            }
            all.push(Piece::Name(chars.get(start..place).unwrap_or(&[]).iter().collect()));
        } else {
            if !c.is_whitespace() {
                all.push(Piece::Sign(c));
            }
            place += 1;
        }
    }
    all
}

/// The place behind the bracket that closes the one at `at`.
fn closing(pieces: &[Piece], at: usize) -> usize {
    let mut depth = 0usize;
    for (place, piece) in pieces.iter().enumerate().skip(at) {
        match piece {
            Piece::Sign('(' | '{' | '[') => depth += 1,
            Piece::Sign(')' | '}' | ']') => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return place + 1;
                }
            }
            _ => {}
        }
    }
    pieces.len()
}

/// Parts between commas outside of all brackets.
fn parts(pieces: &[Piece]) -> Vec<&[Piece]> {
    let (mut start, mut depth, mut all) = (0, 0usize, Vec::new());
    for (at, piece) in pieces.iter().enumerate() {
        match piece {
            Piece::Sign('(' | '{' | '[') => depth += 1,
            Piece::Sign(')' | '}' | ']') => depth = depth.saturating_sub(1),
            Piece::Sign(',') if depth == 0 => {
                all.push(pieces.get(start..at).unwrap_or(&[]));
                start = at + 1;
            }
            _ => {}
        }
    }
    let last = pieces.get(start..).unwrap_or(&[]);
    if !last.is_empty() {
        all.push(last);
    }
    all
}

/// Leaves out bodies of functions that nothing calls, and what is behind `if (false)`.
fn without_idle(mut pieces: Vec<Piece>) -> Vec<Piece> {
    let mut at = 0;
    while at < pieces.len() {
        let name = |ahead: usize| pieces.get(at + ahead).and_then(Piece::name);
        let sign = |ahead: usize, sign: char| pieces.get(at + ahead).is_some_and(|piece| piece.sign(sign));
        let called = |wanted: &str, from: usize| {
            pieces.windows(2).enumerate().any(|(place, pair)| place != from && matches!(pair, [one, open] if one.name() == Some(wanted) && open.sign('(')))
                || pieces.windows(3).any(|three| matches!(three, [open, one, _] if (open.sign('(') || open.sign(',')) && one.name() == Some(wanted)))
        };
        let range = if name(0) == Some("function") && name(1).is_some_and(|function| !called(function, at + 1)) {
            let open = pieces.iter().enumerate().skip(at).find(|(_, piece)| piece.sign('{')).map(|(place, _)| place);
            open.map(|open| (at, closing(&pieces, open)))
        } else if matches!(name(0), Some("const" | "let" | "var")) && sign(2, '=') && name(1).is_some_and(|function| !called(function, usize::MAX)) {
            // `const f = () => { … }`
            let start = at + 3;
            let arrow = if pieces.get(start).is_some_and(|piece| piece.sign('(')) { closing(&pieces, start) } else { start + 1 };
            let is_arrow = pieces.get(arrow).is_some_and(|piece| piece.sign('=')) && pieces.get(arrow + 1).is_some_and(|piece| piece.sign('>'));
            let is_function = pieces.get(start).and_then(Piece::name) == Some("function");
            let body = if is_arrow { arrow + 2 } else { start + 1 };
            if is_arrow || is_function {
                let open = pieces.iter().enumerate().skip(body).find(|(_, piece)| piece.sign('{') || piece.sign(';')).map_or(pieces.len(), |(place, _)| place);
                let end = if pieces.get(open).is_some_and(|piece| piece.sign('{')) { closing(&pieces, open) } else { open };
                Some((at, end))
            } else {
                None
            }
        } else if matches!(name(0), Some("if" | "while")) && sign(1, '(') && matches!(name(2), Some("false" | "0" | "null")) && sign(3, ')') {
            let end = if sign(4, '{') {
                closing(&pieces, at + 4)
            } else {
                pieces.iter().enumerate().skip(at + 4).find(|(_, piece)| piece.sign(';')).map_or(pieces.len(), |(place, _)| place)
            };
            Some((at, end))
        } else if matches!(name(0), Some("false" | "null")) && sign(1, '&') && sign(2, '&') {
            let end = pieces.iter().enumerate().skip(at).find(|(_, piece)| piece.sign(';')).map_or(pieces.len(), |(place, _)| place);
            Some((at, end))
        } else {
            None
        };
        match range {
            Some((from, to)) if to > from => drop(pieces.drain(from..to.min(pieces.len()))),
            _ => at += 1,
        }
    }
    pieces
}

fn whole(text: &str, files: &mut dyn FnMut(&str) -> Option<String>, depth: usize) -> Vec<Lost> {
    if depth > MAX_DEPTH || text.len() > MAX_SCRIPT {
        return vec![Lost::new(LossKind::Unknown, "")];
    }
    let pieces = without_idle(pieces(text));
    let has = |name: &str| pieces.iter().any(|piece| piece.name() == Some(name));
    let undone = has("startTransaction") && !has("commitTransaction");
    let mut lost = Vec::new();
    let mut open_braces = 0usize;
    for (at, pair) in pieces.windows(2).enumerate() {
        match pair.first() {
            Some(Piece::Sign('{')) => open_braces += 1,
            Some(Piece::Sign('}')) => open_braces = open_braces.saturating_sub(1),
            Some(Piece::Name(name)) if name == "throw" && open_braces == 0 => break,
            _ => {}
        }
        // `name(`, `.name(`, `['name'](`
        let [before, open] = pair else { continue };
        if !open.sign('(') {
            continue;
        }
        let method = match before {
            Piece::Name(name) => name.clone(),
            Piece::Sign(']') => match at.checked_sub(2).and_then(|start| pieces.get(start..at)) {
                Some([bracket, Piece::Text(name)]) if bracket.sign('[') => name.clone(),
                _ => continue,
            },
            _ => continue,
        };
        let end = closing(&pieces, at + 1);
        let inner = pieces.get(at + 2..end.saturating_sub(1)).unwrap_or(&[]);
        let free = at == 0 || !pieces.get(at - 1).is_some_and(|piece| piece.sign('.'));
        if free && method != "]" && !before.sign(']') {
            match method.as_str() {
                "eval" | "Function" => {
                    let text: String = inner.iter().map(|piece| if let Piece::Text(text) = piece { text.as_str() } else { "" }).collect();
                    lost.extend(whole(&text, files, depth + 1));
                }
                "load" => {
                    if let Some(text) = inner.first().and_then(|piece| files(piece.key())) {
                        lost.extend(whole(&text, files, depth + 1));
                    }
                }
                "quit" | "exit" => break,
                _ => {}
            }
            continue;
        }
        // A line that begins with a dot has nothing in front.
        let dot = if before.sign(']') { at.saturating_sub(2) } else { at - 1 };
        if dot == 0 {
            continue;
        }
        let chain = chain(&pieces, dot);
        if chain.iter().any(|piece| piece.name() == Some("explain")) {
            continue;
        }
        let name = chain.last().map(|piece| piece.key().to_lowercase()).unwrap_or_default();
        let found = call(&method, inner, &pieces, &chain);
        if let Some(what) = found.filter(|_| !undone) {
            lost.push(Lost::new(what, name));
        }
    }
    lost
}

/// The names and words in front of a place, back to where the chain of calls begins.
fn chain(pieces: &[Piece], end: usize) -> Vec<Piece> {
    let mut start = end;
    let mut depth = 0usize;
    while start > 0 {
        match pieces.get(start - 1) {
            Some(Piece::Sign(')' | ']' | '}')) => depth += 1,
            Some(Piece::Sign('(' | '[' | '{')) if depth == 0 => break,
            Some(Piece::Sign('(' | '[' | '{')) => depth -= 1,
            Some(Piece::Sign('.')) => {}
            Some(Piece::Sign(_)) if depth == 0 => break,
            _ => {}
        }
        start -= 1;
    }
    pieces.get(start..end).unwrap_or(&[]).iter().filter(|piece| !matches!(piece, Piece::Sign(_))).cloned().collect()
}

fn call(method: &str, inner: &[Piece], pieces: &[Piece], chain: &[Piece]) -> Option<LossKind> {
    let args = parts(inner);
    let first = args.first().copied().unwrap_or(&[]);
    let has = |pieces: &[Piece], name: &str| pieces.iter().any(|piece| piece.key() == name);
    let yes = |key: &str| {
        inner.windows(3).any(|three| matches!(three, [one, colon, value] if one.key() == key && colon.sign(':') && matches!(value.key(), "true" | "1")))
    };
    let rows = |all: bool| Some(if all { LossKind::AllRows } else { LossKind::Rows });
    match method {
        "drop" if inner.is_empty() || first.first().is_some_and(|piece| piece.sign('{')) => Some(LossKind::Table),
        "dropDatabase" => Some(LossKind::Database),
        "deleteMany" | "remove" if !args.is_empty() => {
            let one = args.get(1).is_some_and(|second| matches!(second.first().map_or("", Piece::key), "true" | "1")) || yes("justOne");
            rows(everything(first) && !one)
        }
        "delete" | "remove" if has(chain, "find") && has(pieces, "execute") => rows(chain_finds_all(pieces)),
        "deleteOne" | "removeOne" | "findOneAndDelete" | "findOneAndReplace" | "findOneAndUpdate" | "replaceOne" | "updateOne" | "save" => Some(LossKind::Rows),
        "findAndModify" => Some(LossKind::Rows),
        "updateMany" if args.len() > 1 => rows(everything(first)),
        "update" if args.len() > 1 => rows(everything(first) && yes("multi")),
        "bulkWrite" => bulk(inner),
        "runCommand" | "adminCommand" => command(inner),
        "renameCollection" if args.get(1).is_some_and(|second| second.first().map_or("", Piece::key) == "true") => Some(LossKind::Table),
        "aggregate" if has(inner, "$out") => Some(LossKind::AllRows),
        "aggregate" if has(inner, "$merge") => Some(LossKind::Rows),
        "mapReduce" if inner.windows(3).any(|three| matches!(three, [out, colon, Piece::Text(_)] if out.key() == "out" && colon.sign(':'))) => {
            Some(LossKind::AllRows)
        }
        "createIndex" | "createIndexes" | "ensureIndex" if has(inner, "expireAfterSeconds") => Some(LossKind::Rows),
        "dropIndex" | "dropIndexes" | "dropUser" | "dropAllUsers" | "dropRole" | "dropAllRoles" | "dropView" => Some(LossKind::Definition),
        "grantRolesToUser" if has(inner, "root") => Some(LossKind::Permissions),
        _ => None,
    }
}

/// Whether a filter is written that every document passes.
fn everything(filter: &[Piece]) -> bool {
    let keys: Vec<&str> = filter.iter().filter(|piece| !matches!(piece, Piece::Sign(_))).map(Piece::key).collect();
    match keys.as_slice() {
        [] => filter.first().is_some_and(|piece| piece.sign('{')) || filter.is_empty(),
        ["_id", "$exists", "true" | "1"]
        | ["_id", "$ne", _]
        | ["_id", "$nin"]
        | ["$expr", "true" | "1"]
        | ["$where", "true" | "1" | "return true"]
        | ["$or" | "$and"] => true,
        ["_id", "$gt" | "$gte", "MinKey"] | ["_id", "$not" | "$exists", ..] if keys.len() == 3 && keys.get(2) != Some(&"false") => true,
        _ => false,
    }
}

/// Whether the last `find` of a bulk is without a filter.
fn chain_finds_all(pieces: &[Piece]) -> bool {
    pieces.windows(2).enumerate().any(|(at, pair)| {
        matches!(pair, [find, open] if find.name() == Some("find") && open.sign('('))
            && everything(pieces.get(at + 2..closing(pieces, at + 1).saturating_sub(1)).unwrap_or(&[]))
    })
}

/// The object behind a key.
fn object<'p>(pieces: &'p [Piece], key: &str) -> Vec<&'p [Piece]> {
    let mut all = Vec::new();
    for (at, pair) in pieces.windows(2).enumerate() {
        if matches!(pair, [one, colon] if one.key() == key && colon.sign(':')) && pieces.get(at + 2).is_some_and(|piece| piece.sign('{')) {
            all.push(pieces.get(at + 2..closing(pieces, at + 2)).unwrap_or(&[]));
        }
    }
    all
}

fn bulk(inner: &[Piece]) -> Option<LossKind> {
    let mut worst = None;
    for name in ["deleteMany", "updateMany", "deleteOne", "updateOne", "replaceOne"] {
        for body in object(inner, name) {
            let all = name.ends_with("Many") && object(body, "filter").iter().any(|filter| everything(filter));
            worst = if all { Some(LossKind::AllRows) } else { worst.or(Some(LossKind::Rows)) };
        }
    }
    worst
}

fn command(inner: &[Piece]) -> Option<LossKind> {
    let key = inner.iter().find(|piece| !matches!(piece, Piece::Sign(_))).map_or("", Piece::key);
    let object_given = inner.first().is_some_and(|piece| piece.sign('{'));
    let yes = |name: &str| inner.windows(3).any(|three| matches!(three, [one, colon, value] if one.key() == name && colon.sign(':') && value.key() == "true"));
    match key {
        "dropDatabase" => Some(LossKind::Database),
        "drop" if object_given => Some(LossKind::Table),
        "renameCollection" if yes("dropTarget") => Some(LossKind::Table),
        "delete" | "update" => {
            let limited = inner.windows(3).any(|three| matches!(three, [one, colon, value] if one.key() == "limit" && colon.sign(':') && value.key() == "1"));
            let all = object(inner, "q").iter().any(|filter| everything(filter)) && !limited && (key == "delete" || yes("multi"));
            Some(if all { LossKind::AllRows } else { LossKind::Rows })
        }
        "findAndModify" | "convertToCapped" => Some(LossKind::Rows),
        "aggregate" if inner.iter().any(|piece| piece.key() == "$out") => Some(LossKind::AllRows),
        "dropIndexes" | "dropUser" | "dropRole" | "dropAllUsersFromDatabase" | "dropAllRolesFromDatabase" => Some(LossKind::Definition),
        _ => None,
    }
}
