//! The page as Markdown, short enough for a pull request.

use std::fmt::Write as _;

use super::figures::duration;
use super::html::OverviewPage;
use actions::shown::escaped;

/// Rows of each table.
const ROWS: usize = 10;

/// A text from outside in a cell, as code: no mark of Markdown or HTML within counts, and a cell does not end in it.
fn code(text: &str) -> String {
    let text: String = escaped(text).chars().take(160).map(|sign| if sign == '|' { '¦' } else { sign }).collect();
    // The fence is longer than any run of the same sign within.
    let longest = text.split(|sign| sign != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let space = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    if text.is_empty() { String::new() } else { format!("{fence}{space}{text}{space}{fence}") }
}

/// The whole page.
#[must_use]
pub fn page(page: &OverviewPage) -> String {
    let record = &page.record;
    let mut out = format!("### What agents did in {}\n\n{}\n\n", code(&page.title), page.range);
    let figures = &record.decisions;
    let _ = writeln!(
        out,
        "**{}** decisions in {} sessions: {} allowed, {} asked, {} denied.",
        figures.all(),
        record.sessions,
        figures.allowed,
        figures.asked,
        figures.denied
    );
    if !record.stopped.is_empty() {
        out.push_str("\n| rule | stopped | times | then |\n| --- | --- | --- | --- |\n");
        for call in record.stopped.iter().take(ROWS) {
            let then = call.instead.as_ref().map_or_else(String::new, |(instead, _)| code(instead));
            let _ = writeln!(out, "| {} | {} | {} | {then} |", code(&call.rule), code(&call.call), call.count);
        }
        let more = record.stopped.len().saturating_sub(ROWS) + record.more_stopped;
        if more > 0 {
            let _ = writeln!(out, "\nAnd {more} more.");
        }
    }
    if !record.rules.is_empty() {
        out.push_str("\n| rule | tier | denied | asked | only matched |\n| --- | --- | --- | --- | --- |\n");
        for (name, rule) in record.rules.iter().take(ROWS) {
            let _ = writeln!(out, "| {} | {} | {} | {} | {} |", code(name), rule.tier, rule.denied, rule.asked, rule.only_matched);
        }
    }
    if !record.times_taken.is_empty() {
        out.push_str("\n| answered by | decisions | half within | 95 % within | longest |\n| --- | --- | --- | --- | --- |\n");
        for (by, times) in &record.times_taken {
            let _ = writeln!(out, "| {by} | {} | {} | {} | {} |", times.count, duration(times.median), duration(times.most), duration(times.longest));
        }
    }
    if !page.meters.is_empty() {
        out.push_str("\nLimits and budgets now:\n\n");
        for (name, words, share) in page.meters.iter().take(ROWS) {
            let _ = writeln!(out, "- {}: {} ({share} %)", code(name), escaped(words));
        }
    }
    if record.approved + record.paused > 0 {
        let _ = writeln!(out, "\nPeople allowed {} calls by an approval and {} during a pause.", record.approved, record.paused);
    }
    if !page.policy_changes.is_empty() {
        out.push_str("\nChanges of the policy:\n\n");
        for [day, who, what, file] in page.policy_changes.iter().take(ROWS) {
            let _ = writeln!(out, "- {day}, {}: {} ({})", code(who), code(what), code(file));
        }
    }
    let _ = writeln!(out, "\n<sub>{}</sub>", escaped(&page.made));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_stays_in_its_cell() {
        assert_eq!(code("a | b"), "`a ¦ b`");
        assert_eq!(code("``x`"), "``` ``x` ```");
        assert_eq!(code("a\n| b"), "`a\\n¦ b`".replace("\\n", &escaped("\n")));
        assert_eq!(code(""), "");
    }
}
