//! Templates of paths: choices, variables, wildcards. `*` stays within a folder, `**/` stands for any folders or none,
//! `{a,b}` is a choice, `{name}` a variable, `[0-9]` one digit.

use std::collections::BTreeMap;

/// What the variables of a source's path stand for.
pub type Captures = BTreeMap<&'static str, String>;

/// Variables that a template may have, and those that a source may capture.
const VARIABLES: &[&str] = &["pkg", "rel", "dir", "up", "stem", "base", "ext", "Pascal", "snake", "kebab", "parent", "kind", "module", "Project"];
/// Steps of one comparison; a pattern of many stars could take ages.
const MAX_STEPS: usize = 100_000;

/// A template without choices, each choice on its own, in their order.
pub fn alternatives(template: &str) -> Vec<String> {
    let choice = template.match_indices('{').find_map(|(at, _)| {
        let inner = template.get(at + 1..)?;
        let inner = inner.get(..inner.find('}')?)?;
        (!VARIABLES.contains(&inner)).then_some((at, inner))
    });
    let Some((at, inner)) = choice else { return vec![template.to_owned()] };
    let (head, tail) = (template.get(..at).unwrap_or(""), template.get(at + inner.len() + 2..).unwrap_or(""));
    inner.split(',').flat_map(|one| alternatives(&format!("{head}{one}{tail}"))).collect()
}

/// A word in braces that is neither a choice nor a variable.
pub fn unknown_variable(template: &str) -> Option<&str> {
    let inner = template.split('{').skip(1).filter_map(|rest| rest.split('}').next());
    inner.into_iter().find(|inner| !inner.contains(',') && !VARIABLES.contains(inner))
}

/// A template with its variables filled in. `None` if one of them is not known.
pub(super) fn fill(template: &str, variables: &BTreeMap<&'static str, String>) -> Option<String> {
    let mut filled = String::new();
    let mut rest = template;
    while let Some((head, tail)) = rest.split_once('{') {
        let (name, tail) = tail.split_once('}')?;
        filled.push_str(head);
        filled.push_str(variables.get(name)?);
        rest = tail;
    }
    filled.push_str(rest);
    Some(filled)
}

/// A template with wildcards for its variables: how any test of this form is called.
pub(super) fn widened(template: &str) -> String {
    let mut wide = template.to_owned();
    for name in VARIABLES {
        let folders = matches!(*name, "rel" | "dir" | "pkg" | "up");
        wide = wide.replace(&format!("{{{name}}}"), if folders { "**/" } else { "*" });
    }
    while wide.contains("**/**/") {
        wide = wide.replace("**/**/", "**/");
    }
    wide
}

/// The part of the tree in which tests of this form are. `None` if any file could be there.
pub(super) fn area(form: &str) -> Option<String> {
    let folder = super::folder(form);
    folder.contains(|sign: char| sign.is_alphabetic()).then(|| format!("{}/**/*", folder.trim_end_matches("**/").trim_end_matches('/')))
}

/// Whether a path is as a pattern without variables.
pub fn matches(pattern: &str, path: &str) -> bool {
    if pattern.contains('{') { alternatives(pattern).iter().any(|pattern| fits(pattern, path)) } else { fits(pattern, path) }
}

/// As [`matches`], for a pattern without choices.
pub(super) fn fits(pattern: &str, path: &str) -> bool {
    // What is after the last star must be the path's end: most paths need no more than this look.
    let plain = |sign: char| matches!(sign, '*' | '}' | ']');
    let end = pattern.rfind(plain).map_or(pattern, |at| pattern.get(at + 1..).unwrap_or(""));
    path.ends_with(end) && step(pattern, path, &mut None, &mut 0)
}

/// Compares a path with a pattern; gives what its variables and its first `**/` (as `rel`) stand for.
pub(super) fn capture(pattern: &str, path: &str) -> Option<Captures> {
    let mut steps = 0;
    let mut captures = Some(Captures::new());
    if !step(pattern, path, &mut captures, &mut steps) {
        return None;
    }
    let mut captures = captures?;
    captures.entry("rel").or_default();
    Some(captures)
}

fn step(pattern: &str, path: &str, captures: &mut Option<Captures>, steps: &mut usize) -> bool {
    *steps += 1;
    if *steps > MAX_STEPS {
        return false;
    }
    if let Some(rest) = pattern.strip_prefix("**/") {
        let first = captures.as_ref().is_some_and(|captures| !captures.contains_key("rel"));
        let ends = std::iter::once(0).chain(path.match_indices('/').map(|(at, _)| at + 1));
        for end in ends {
            let (folders, tail) = path.split_at(end);
            if let Some(captures) = captures.as_mut().filter(|_| first) {
                captures.insert("rel", folders.to_owned());
            }
            if step(rest, tail, captures, steps) {
                return true;
            }
        }
        if let Some(captures) = captures.as_mut().filter(|_| first) {
            captures.remove("rel");
        }
        return false;
    }
    if pattern == "**" {
        return true;
    }
    if let Some(rest) = pattern.strip_prefix('*') {
        return stretch(path).any(|end| path.split_at_checked(end).is_some_and(|(_, tail)| step(rest, tail, captures, steps)));
    }
    if let Some((name, rest)) = pattern.strip_prefix('{').and_then(|inner| inner.split_once('}'))
        && let Some(name) = VARIABLES.iter().find(|known| **known == name)
    {
        for end in stretch(path).filter(|end| *end > 0) {
            let Some((value, tail)) = path.split_at_checked(end) else { continue };
            if step(rest, tail, captures, steps) {
                if let Some(captures) = captures {
                    captures.insert(name, value.to_owned());
                }
                return true;
            }
        }
        return false;
    }
    if let Some(rest) = pattern.strip_prefix("[0-9]") {
        return path.strip_prefix(|sign: char| sign.is_ascii_digit()).is_some_and(|tail| step(rest, tail, captures, steps));
    }
    match (pattern.chars().next(), path.chars().next()) {
        (None, None) => true,
        (Some(sign), Some(found)) if sign == found => {
            step(pattern.get(sign.len_utf8()..).unwrap_or(""), path.get(found.len_utf8()..).unwrap_or(""), captures, steps)
        }
        _ => false,
    }
}

/// The ends of stretches of a path that stay within its folder.
fn stretch(path: &str) -> impl Iterator<Item = usize> {
    let end = path.find('/').unwrap_or(path.len());
    (0..=end).filter(|at| path.is_char_boundary(*at))
}
