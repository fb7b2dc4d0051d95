//! Brace expansion (bash(1), "Brace Expansion"): one word before expansion to several.

use crate::ast::{Op, Part, RawWord, Span};

/// Words that braces may make of one word; more become one hole.
const MAX_BRACES: usize = 64;

/// Expands `{a,b}` and `{1..3}` in unquoted text. `None`: too many.
pub fn braces(raw: &RawWord) -> Option<Vec<RawWord>> {
    let count: usize = raw.parts.iter().map(|part| if let Part::Text(text) = part { text.matches('{').count() } else { 0 }).sum();
    if count == 0 {
        return Some(vec![raw.clone()]);
    }
    // Braces in an operand count too, where the shell looks for the end of a group.
    let braced = |part: &Part| matches!(part, Part::Text(text) if text.contains(['{', '}']));
    let nested = |part: &Part| match part {
        Part::Parameter(parameter) => match &parameter.op {
            Op::Default { word, .. } | Op::Alternative { word, .. } | Op::Error { word, .. } | Op::Other(word) => word.parts.iter().any(braced),
            _ => false,
        },
        _ => false,
    };
    if count > MAX_BRACES || raw.parts.iter().any(nested) {
        return None;
    }
    let mut tokens = Vec::new();
    for part in &raw.parts {
        match part {
            Part::Text(text) => tokens.extend(text.chars().map(BraceToken::Char)),
            other => tokens.push(BraceToken::Part(other)),
        }
    }
    let expanded = alternatives(&tokens)?;
    Some(expanded.into_iter().map(|tokens| whole(&tokens, raw.span)).collect())
}

#[derive(Clone, Copy)]
enum BraceToken<'r> {
    Char(char),
    Part(&'r Part),
}

fn whole(tokens: &[BraceToken], span: Span) -> RawWord {
    let mut parts: Vec<Part> = Vec::new();
    for token in tokens {
        match (token, parts.last_mut()) {
            (BraceToken::Char(c), Some(Part::Text(text))) => text.push(*c),
            (BraceToken::Char(c), _) => parts.push(Part::Text(c.to_string())),
            (BraceToken::Part(part), _) => parts.push((*part).clone()),
        }
    }
    RawWord { parts, span }
}

fn alternatives<'r>(tokens: &[BraceToken<'r>]) -> Option<Vec<Vec<BraceToken<'r>>>> {
    let mut search = 0;
    while let Some(open) = tokens.iter().skip(search).position(|token| matches!(token, BraceToken::Char('{'))).map(|at| at + search) {
        if let Some((close, choices)) = group(tokens, open) {
            let (before, after) = (tokens.get(..open)?, tokens.get(close + 1..)?);
            let tails = alternatives(after)?;
            let mut all = Vec::new();
            for choice in choices {
                for middle in alternatives(&choice)? {
                    for tail in &tails {
                        all.push([before, &middle, tail].concat());
                        if all.len() > MAX_BRACES {
                            return None;
                        }
                    }
                }
            }
            return Some(all);
        }
        search = open + 1;
    }
    Some(vec![tokens.to_vec()])
}

/// The end of the group that opens at `open`, and its choices. `None` if it is no group.
fn group<'r>(tokens: &[BraceToken<'r>], open: usize) -> Option<(usize, Vec<Vec<BraceToken<'r>>>)> {
    // `{}` in front stands for itself, and so does what follows `$$`.
    if open == 0 && matches!(tokens.get(1), Some(BraceToken::Char('}'))) {
        return None;
    }
    let before = open.checked_sub(1).and_then(|at| tokens.get(at));
    if matches!(before, Some(BraceToken::Part(Part::Parameter(parameter))) if parameter.name == "$") {
        return None;
    }
    let mut depth = 0;
    let mut choices = vec![Vec::new()];
    for (at, token) in tokens.iter().enumerate().skip(open + 1) {
        match token {
            BraceToken::Char('{') => depth += 1,
            BraceToken::Char('}') if depth == 0 => {
                if choices.len() > 1 {
                    return Some((at, choices));
                }
                let text = choices.first()?;
                if text.windows(2).any(|pair| matches!(pair, [BraceToken::Char('.'), BraceToken::Char('.')])) {
                    return range(text).map(|choices| (at, choices));
                }
                // A brace in front of which nothing was separated ends nothing.
            }
            BraceToken::Char('}') => depth -= 1,
            BraceToken::Char(',') if depth == 0 => {
                choices.push(Vec::new());
                continue;
            }
            _ => {}
        }
        choices.last_mut()?.push(*token);
    }
    None
}

/// `{1..3}`, `{a..c}`.
fn range<'r>(tokens: &[BraceToken<'r>]) -> Option<Vec<Vec<BraceToken<'r>>>> {
    let text: Option<String> = tokens.iter().map(|token| if let BraceToken::Char(c) = token { Some(*c) } else { None }).collect();
    let text = text?;
    let (first, last) = text.split_once("..")?;
    let (last, step) = last.split_once("..").map_or((last, 1), |(last, step)| (last, step.parse::<i64>().unwrap_or(1).abs().max(1)));
    // A number, or the code of a letter.
    let value = |text: &str| match (text.parse::<i64>(), text.as_bytes()) {
        (Ok(number), _) => Some((number, false)),
        (_, [letter]) if letter.is_ascii_alphabetic() => Some((i64::from(*letter), true)),
        _ => None,
    };
    let ((first, letters), (last, also)) = (value(first)?, value(last)?);
    if letters != also {
        return None;
    }
    let count = usize::try_from(first.abs_diff(last) / step.unsigned_abs()).ok()? + 1;
    let step = if first <= last { step } else { -step };
    let values = (0..count.min(MAX_BRACES + 1)).filter_map(|at| first.checked_add(step.checked_mul(i64::try_from(at).ok()?)?));
    let shown = |value: i64| if letters { u8::try_from(value).map(char::from).into_iter().collect() } else { value.to_string() };
    Some(values.map(|value| shown(value).chars().map(BraceToken::Char).collect()).collect())
}
