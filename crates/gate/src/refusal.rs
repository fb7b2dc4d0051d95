//! Verdicts as text. The reader is often a model that will act on it: what, why, what instead, and whether another try
//! can work.
#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros)]

use std::fmt::Write as _;

use policy::Tier;
use policy::verdict::{Answer, Finding, Verdict};

/// Findings beyond these are counted, not shown.
const MAX_SHOWN: usize = 4;

/// The text of a denial. `asked` tells whether a person can be asked by the host.
pub fn refusal(verdict: &Verdict, asked: bool) -> String {
    let mut text = String::new();
    for (at, finding) in verdict.holding().take(MAX_SHOWN).enumerate() {
        if at > 0 {
            text.push_str("\n\n");
        }
        let _ = write!(text, "denied by `{}` ({})", finding.rule, finding.place);
        body(finding, &mut text);
    }
    let more = verdict.holding().count().saturating_sub(MAX_SHOWN);
    if more > 0 {
        let _ = write!(text, "\n\nand {more} more");
    }
    text.push_str("\nagain: ");
    let waits = verdict.holding().all(|finding| matches!(finding.rule.as_str(), "tests-first" | "tests-not-red"));
    text.push_str(match (verdict.tier, asked) {
        _ if waits => "the same change passes as soon as the test is there",
        (Tier::Prohibited, _) => "trying again or another way to the same end will be denied too; if it must be done, tell the person",
        (_, true) => "a person may approve this very action when asked",
        (_, false) => "nobody can be asked in this mode; a person must do this or approve it, so tell the person",
    });
    text
}

/// The text of a question to a person.
pub fn question(verdict: &Verdict) -> String {
    let mut text = String::new();
    for (at, finding) in verdict.holding().take(MAX_SHOWN).enumerate() {
        if at > 0 {
            text.push_str("\n\n");
        }
        let _ = write!(text, "portcullis asks by `{}` ({})", finding.rule, finding.place);
        body(finding, &mut text);
    }
    text
}

fn body(finding: &Finding, text: &mut String) {
    let _ = write!(text, "\nfound: {}", finding.action);
    if !finding.via.is_empty() {
        let _ = write!(text, " (reached through {})", finding.via.join(" > "));
    }
    if !finding.told.is_empty() {
        let _ = write!(text, "\nfact: {}", finding.told);
    }
    if finding.answer == Answer::Maybe {
        match &finding.unread {
            Some(word) => {
                let _ = write!(text, "\nunsure: could not be read: {word}");
            }
            None => text.push_str("\nunsure: something the rule asks for could not be found out"),
        }
    }
    let _ = write!(text, "\nwhy: {}\ninstead: {}", finding.reason, finding.instead.strip_prefix("$ ").unwrap_or(&finding.instead));
}
