//! Verdicts as text. The reader is often a model that acts on the text: it says what was denied, why, what to do instead,
//! and whether another try can work. Every text that comes from outside is escaped here.
#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros)]

use std::fmt::Write as _;

use crate::metering::{dollars, duration};
use crate::underline::{Underlined, underlined};
use actions::shown::escaped;
use policy::Tier;
use policy::verdict::{Answer, Finding, Verdict};

/// Further findings of the first rule, and further rules, that are named. The rest is counted.
const MAX_NAMED: usize = 3;

/// Who reads a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// A coding agent: it must not try another way, and must tell its user.
    Agent,
    /// A person who runs git without a terminal, for example in an editor.
    Person,
}

/// The text of a denial: the strictest finding, and the names of the other rules. `command` is the text in which the
/// findings have their spans, if there is one.
pub fn refusal(verdict: &Verdict, command: Option<&str>, audience: Audience) -> String {
    let mut text = stated("denied", verdict, command);
    let waits = |rule: &str| verdict.holding().all(|finding| ["tests-first", "tests-not-red"].contains(&finding.rule.as_str())) && is_first(verdict, rule);
    text.push_str("\nretry: ");
    if let Some(seconds) = opens_in(verdict) {
        let _ = write!(text, "yes, in {}; the same call passes then", duration(seconds));
        return text;
    }
    text.push_str(match (verdict.tier, audience) {
        _ if waits("tests-first") => "yes; the same change passes once its test exists",
        _ if waits("tests-not-red") => "yes; the same change passes once its test was seen to fail",
        _ if verdict.holding().all(|finding| finding.missing) => "yes; the same call passes once what is missing is there",
        (Tier::Prohibited, Audience::Agent) => "no, not in any form; tell the user if it must be done",
        (Tier::Prohibited, Audience::Person) => "no, not in any form",
        (_, Audience::Agent) => "no, nobody can be asked here; tell the user, who can approve or do it",
        (_, Audience::Person) => "run the same command in a terminal: Portcullis asks there whether you approve it",
    });
    text
}

/// As [`refusal`], with these words on whether another try can work.
pub fn refusal_with(verdict: &Verdict, command: Option<&str>, retry: &str) -> String {
    format!("{}\nretry: {retry}", stated("denied", verdict, command))
}

/// The text of a question to a person: what would be lost, what would be done, why it is asked, and what each answer does.
/// `audience` is who does it.
pub fn question(verdict: &Verdict, command: Option<&str>, audience: Audience) -> String {
    let mut text = stated("asked", verdict, command);
    let by = verdict.holding().next().filter(|finding| finding.answer == Answer::Yes).map(|finding| &finding.rule);
    text.push_str("\nasked because: ");
    match by {
        Some(rule) if verdict.holding().all(|finding| finding.used_up.is_some()) => {
            let _ = write!(text, "`{rule}` has no room for this call");
        }
        Some(rule) if verdict.holding().all(|finding| finding.missing) => {
            let _ = write!(text, "what `{rule}` needs is not there yet, or not known");
        }
        Some(rule) => {
            let _ = write!(text, "`{rule}` leaves this to a person each time");
        }
        None => text.push_str("it cannot be known before it runs whether the rule matches"),
    }
    text.push_str("\nif yes: exactly this is done, once, and what the first line says can happen\nif no: nothing is done");
    if audience == Audience::Agent {
        text.push_str("; the agent can take another way");
    }
    text
}

/// The text of a note: what the model reads after a call that was allowed. One line.
pub fn note(finding: &Finding) -> String {
    let instead = finding.instead.strip_prefix("$ ").unwrap_or(&finding.instead);
    format!("note by `{}` on `{}`: {}; instead: {}", finding.rule, escaped(&finding.action), escaped(&finding.reason), escaped(instead))
}

/// Seconds after which the call passes, if nothing but limits stops it.
fn opens_in(verdict: &Verdict) -> Option<u64> {
    let waits: Option<Vec<u64>> = verdict.holding().map(|finding| finding.used_up.and_then(|used_up| used_up.opens_in)).collect();
    waits?.into_iter().max()
}

fn is_first(verdict: &Verdict, rule: &str) -> bool {
    verdict.holding().next().is_some_and(|finding| finding.rule == rule)
}

/// The strictest finding in full, and the others in a line or two.
fn stated(what: &str, verdict: &Verdict, command: Option<&str>) -> String {
    let mut text = String::new();
    let Some(first) = verdict.holding().next() else { return text };
    let _ = write!(text, "{what} by `{}`: {}", first.rule, escaped(&first.reason));
    found(first, command, &mut text);
    let others = verdict.holding().skip(1);
    let mut same: Vec<String> = Vec::new();
    let mut rules: Vec<String> = Vec::new();
    for other in others {
        let (list, name) = if other.rule == first.rule { (&mut same, escaped(&other.action).into_owned()) } else { (&mut rules, format!("`{}`", other.rule)) };
        if !list.contains(&name) && (other.rule != first.rule || other.action != first.action) {
            list.push(name);
        }
    }
    if !same.is_empty() {
        let more = same.len().saturating_sub(MAX_NAMED);
        same.truncate(MAX_NAMED);
        let _ = write!(text, "\nalso found: {}", same.join("; "));
        if more > 0 {
            let _ = write!(text, "; and {more} more");
        }
    }
    if !first.told.is_empty() {
        let _ = write!(text, "\nfact: {}", escaped(&first.told));
    }
    // A budget without room has said it.
    if verdict.price > 0 && first.used_up.is_none() {
        let _ = write!(text, "\ncosts: {} USD", dollars(verdict.price));
    }
    if first.answer == Answer::Maybe {
        match &first.unread {
            Some(word) => {
                let _ = write!(text, "\nunsure: `{}` is not known before it runs", escaped(word));
            }
            None => text.push_str("\nunsure: something that the rule needs to know could not be found out"),
        }
    }
    if !rules.is_empty() {
        let more = rules.len().saturating_sub(MAX_NAMED);
        rules.truncate(MAX_NAMED);
        let _ = write!(text, "\nalso: {}", rules.join(", "));
        if more > 0 {
            let _ = write!(text, ", and {more} more");
        }
    }
    let _ = write!(text, "\ninstead: {}", escaped(first.instead.strip_prefix("$ ").unwrap_or(&first.instead)));
    text
}

/// What was found: its place in the command, underlined, and after that what it comes to, unless that is the same text.
fn found(finding: &Finding, command: Option<&str>, text: &mut String) {
    let label = match command.zip(finding.span).and_then(|(command, span)| Some((command, span, underlined(command, span)?))) {
        Some((command, span, Underlined { line, below })) => {
            let _ = write!(text, "\nfound: {line}\n       {below}");
            label(&finding.action, command.get(span.range()).unwrap_or_default(), &line)
        }
        None => {
            text.push_str("\nfound:");
            finding.action.as_str()
        }
    };
    if !label.is_empty() {
        let _ = write!(text, " {}", escaped(label));
    }
    if !finding.via.is_empty() {
        let _ = write!(text, " (via {})", escaped(&finding.via.join(" > ")));
    }
}

/// The name of an action without what the underlined line shows already. Of `git push -f (push to main)` it is
/// `push to main`.
fn label<'f>(action: &'f str, meant: &str, line: &str) -> &'f str {
    let shown = |text: &str| meant.contains(text) || (text.contains(meant) && line.contains(text));
    if shown(action) {
        return "";
    }
    let inner = action.strip_suffix(')').unwrap_or(action);
    let splits = inner.rmatch_indices(" (").filter_map(|(at, mark)| Some((inner.get(..at)?, inner.get(at + mark.len()..)?)));
    splits.filter(|_| inner != action).find(|(front, _)| shown(front)).map_or(action, |(_, rest)| rest)
}
