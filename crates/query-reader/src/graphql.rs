//! Mutations of `GraphQL` whose names say that something is deleted.

use crate::{LossKind, Lost};

/// Beginnings of such names.
const DELETES: &[&str] = &["delete", "remove", "destroy", "drop", "purge", "truncate"];

/// What a request loses.
pub(crate) fn read(text: &str) -> Vec<Lost> {
    let Some(at) = text.find("mutation") else { return Vec::new() };
    if text.get(..at).is_some_and(|front| front.contains('{') && !front.contains('}')) {
        return Vec::new();
    }
    let mut lost = Vec::new();
    let (mut depth, mut quoted, mut brackets) = (0usize, false, 0usize);
    let mut word = String::new();
    for c in text.get(at..).unwrap_or("").chars().chain([' ']) {
        if c == '"' {
            quoted = !quoted;
        }
        if !quoted && (c.is_alphanumeric() || c == '_') {
            word.push(c);
            continue;
        }
        let name = std::mem::take(&mut word);
        let lower = name.to_lowercase();
        // `alias: deleteUser(…)`
        if depth == 1 && brackets == 0 && c != ':' && DELETES.iter().any(|begin| lower.starts_with(begin)) {
            let many = lower.contains("all") || lower.contains("many") || lower.starts_with("truncate") || lower.starts_with("drop");
            lost.push(Lost::new(if many { LossKind::AllRows } else { LossKind::Rows }, name));
        }
        match c {
            '{' if !quoted => depth += 1,
            '}' if !quoted => depth = depth.saturating_sub(1),
            '(' if !quoted => brackets += 1,
            ')' if !quoted => brackets = brackets.saturating_sub(1),
            _ => {}
        }
    }
    lost
}
