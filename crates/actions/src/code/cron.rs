//! The commands of a crontab (crontab(5)).

use super::CodeAction;

/// Finds the calls of every line.
pub(super) fn scan(text: &str) -> Vec<CodeAction> {
    let command = |line: &str| {
        let mut rest = line.trim();
        let fields = if rest.starts_with('@') { 1 } else { 5 };
        for _ in 0..fields {
            rest = rest.split_once([' ', '\t'])?.1.trim_start();
        }
        // A percent sign ends the line; what is after it is standard input.
        let end = rest.match_indices('%').map(|(at, _)| at).find(|at| !rest.get(..*at).is_some_and(|front| front.ends_with('\\')));
        Some(CodeAction::Shell(rest.get(..end.unwrap_or(rest.len()))?.replace("\\%", "%")))
    };
    text.lines().filter(|line| !line.trim_start().starts_with('#')).filter_map(command).collect()
}
