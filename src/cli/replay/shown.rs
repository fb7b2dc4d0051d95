//! What `portcullis replay` shows.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{ReplayFigures, has_record, rules};
use crate::cli::canary::before_command;
use crate::cli::log::local;
use crate::cli::place::Place;
use crate::cli::refusal::Refusal;
use crate::cli::terminal::{TextStyle, say, say_json, styled};
use crate::cli::unblock::waiver::proposed;
use crate::replay::judging::PastVerdict;
use crate::replay::refused::PeoplesAnswers;
use crate::replay::suggest::{AgreedCall, OFTEN};
use crate::replay::tally::{PastSample, Tally};
use actions::shown::escaped;
use policy::{Layer, Policy};
use similar::TextDiff;

/// Proposals that are made at once: each compiles the policy.
const MAX_PROPOSALS: usize = 10;

pub(super) fn all(tally: &Tally, figures: &ReplayFigures, rule: Option<&str>, samples: usize, as_json: bool, compared: bool) {
    if as_json {
        return say_json(&json_of(tally, figures, rule, samples, compared));
    }
    let count = |verdict| tally.of(verdict);
    say(&styled(
        &format!(
            "{} calls in {} files: {} allowed, {} asked, {} denied, {} could not be known",
            tally.calls,
            figures.files,
            count(PastVerdict::Allowed),
            count(PastVerdict::Asked),
            count(PastVerdict::Denied),
            count(PastVerdict::Unknown)
        ),
        TextStyle::Bold,
    ));
    let rate = rate(tally, figures);
    say(&format!("{:.1} s with {} threads, {rate} calls a second for each; the record knows {} of them", figures.seconds, figures.threads, tally.recorded));
    let left_out = [
        (figures.repeated, "calls were in several files, and are counted once"),
        (figures.elsewhere, "calls were made elsewhere, and are left out (name their files to judge them)"),
        (figures.unknown, "lines are in no form that is known here"),
    ];
    for (count, what) in left_out.iter().filter(|(count, _)| *count > 0) {
        say(&format!("{count} {what}"));
    }
    for unreadable in &figures.unreadable {
        say(&format!("not read: {}", escaped(unreadable)));
    }
    let rules: Vec<_> = tally.by_rule().into_iter().filter(|(name, _)| rule.is_none_or(|rule| rule == name.as_str())).collect();
    if rules.iter().any(|(_, figures)| figures.stopped() > 0) {
        say(&format!("\n{}", styled("stopped, by rule; what ran and succeeded then may be a false block, and comes first:", TextStyle::Bold)));
    }
    for (name, of_rule) in rules.iter().filter(|(_, figures)| figures.stopped() > 0) {
        let ran = if of_rule.succeeded > 0 { format!(", {} ran and succeeded then", of_rule.succeeded) } else { String::new() };
        let unknown = if of_rule.unknown > 0 { format!(", {} more could not be known", of_rule.unknown) } else { String::new() };
        say(&format!("{}: {} denied, {} asked{ran}{unknown}", styled(&escaped(name), TextStyle::Bold), of_rule.denied, of_rule.asked));
        of_rule.samples(samples).into_iter().for_each(show);
    }
    let open: Vec<_> = rules.iter().filter(|(_, figures)| figures.stopped() == 0 && figures.unknown > 0).collect();
    if !open.is_empty() || !tally.unknown.is_empty() {
        say(&format!("\n{}", styled("could not be known, because it hangs on files and branches as they were then:", TextStyle::Bold)));
        for (name, of_rule) in open {
            say(&format!("{}: {}", escaped(name), of_rule.unknown));
        }
        for (why, count) in &tally.unknown {
            say(&format!("{}: {count}", escaped(why)));
        }
    }
    let shadow: Vec<_> = rules.iter().filter(|(_, figures)| figures.shadow > 0).collect();
    if !shadow.is_empty() {
        say(&format!("\n{}", styled("rules in shadow mode would have stopped:", TextStyle::Bold)));
        for (name, of_rule) in shadow {
            say(&format!("{}: {}", escaped(name), of_rule.shadow));
        }
    }
    if compared {
        show_changes(tally, samples);
    }
    if !figures.taken.is_empty() {
        say(&format!("\n{}", styled("taken as unknown:", TextStyle::Bold)));
        for what in &figures.taken {
            say(what);
        }
        if let Some((from, until)) = figures.counted {
            say(&format!("counted by the times of the calls, from {} to {}", local(from), local(until)));
        }
        if figures.undated > 0 {
            say(&format!("{} calls say no time, and count as if they were made at once, before all others", figures.undated));
        }
    }
}

fn show_changes(tally: &Tally, samples: usize) {
    if tally.changes.is_empty() {
        return say(&format!("\n{}", styled("both policies say the same of every call", TextStyle::Good)));
    }
    say(&format!("\n{}", styled("what the other policy says otherwise:", TextStyle::Bold)));
    // What would be stopped anew comes first.
    let mut changes: Vec<_> = tally.changes.iter().collect();
    changes.sort_by_key(|((before, after, _), figures)| (after <= before, std::cmp::Reverse(figures.count)));
    for ((before, after, rule), figures) in changes {
        let style = if after > before { TextStyle::Bad } else { TextStyle::Good };
        let rule = if rule.is_empty() { String::new() } else { format!(" (`{}`)", escaped(rule)) };
        say(&format!("{} → {}{rule}: {}", before.word(), styled(after.word(), style), figures.count));
        figures.samples(samples).into_iter().for_each(show);
    }
}

fn show(sample: &PastSample) {
    let mark = if sample.succeeded { ", ran and succeeded" } else { "" };
    say(&format!("  {}× {}  ({}{mark})", sample.count, escaped(&sample.text), escaped(&sample.place)));
}

fn rate(tally: &Tally, figures: &ReplayFigures) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a figure for people")]
    let rate = (tally.calls as f64 / figures.seconds.max(0.001) / figures.threads.max(1) as f64) as u64;
    rate
}

fn json_of(tally: &Tally, figures: &ReplayFigures, rule: Option<&str>, samples: usize, compared: bool) -> Value {
    let sample = |sample: &PastSample| json!({ "text": sample.text, "place": sample.place, "count": sample.count, "succeeded": sample.succeeded, "found": sample.found });
    let rules: Vec<Value> = tally
        .by_rule()
        .into_iter()
        .filter(|(name, _)| rule.is_none_or(|rule| rule == name.as_str()))
        .map(|(name, of_rule)| {
            json!({
                "rule": name, "denied": of_rule.denied, "asked": of_rule.asked, "unknown": of_rule.unknown, "shadow": of_rule.shadow, "succeeded": of_rule.succeeded,
                "samples": of_rule.samples(samples).into_iter().map(sample).collect::<Vec<_>>(),
            })
        })
        .collect();
    let changes: Vec<Value> = tally
        .changes
        .iter()
        .map(|((before, after, rule), figures)| {
            json!({ "before": before.word(), "after": after.word(), "rule": rule, "count": figures.count, "samples": figures.samples(samples).into_iter().map(sample).collect::<Vec<_>>() })
        })
        .collect();
    let mut report = json!({
        "calls": tally.calls, "files": figures.files, "bytes": figures.bytes, "seconds": figures.seconds, "threads": figures.threads, "per_second_and_thread": rate(tally, figures),
        "allowed": tally.of(PastVerdict::Allowed), "asked": tally.of(PastVerdict::Asked), "denied": tally.of(PastVerdict::Denied), "unknown": tally.of(PastVerdict::Unknown),
        "recorded": tally.recorded, "repeated": figures.repeated, "elsewhere": figures.elsewhere, "lines_unknown": figures.unknown, "unreadable": figures.unreadable,
        "tools": tally.tools, "rules": rules, "unknown_because": tally.unknown,
        "taken_as_unknown": figures.taken, "undated": figures.undated, "counted_from": figures.counted.map(|(from, _)| from), "counted_until": figures.counted.map(|(_, until)| until),
    });
    if let (true, Some(report)) = (compared, report.as_object_mut()) {
        report.insert("changes".to_owned(), changes.into());
    }
    report
}

/// What people agreed to or refused often, as a difference to the project's policy.
pub(super) fn suggestions(agreed: &[AgreedCall], answers: &PeoplesAnswers, place: &Place, as_json: bool) -> Result<(), Refusal> {
    let bytes = place.policy()?;
    let rules = Policy::open(&bytes).and_then(|policy| policy.all_rules()).unwrap_or_default();
    let file = place.around.layers.iter().rev().find(|(layer, _)| *layer == Layer::Project).map(|(_, path)| path.clone());
    let old = file.as_ref().and_then(|path| std::fs::read_to_string(path).ok()).unwrap_or_default();
    let (mut new, mut closed, mut made) = (if old.is_empty() { "schema = 1\n".to_owned() } else { old.clone() }, Vec::new(), Vec::new());
    for call in agreed.iter().take(MAX_PROPOSALS) {
        let Some(rule) = rules.iter().find(|rule| rule.name == call.rule) else { continue };
        let event: Option<Value> = serde_json::from_str(&before_command(&call.what, &place.cwd, "default")).ok();
        let waiver = Some(rule).filter(|rule| rule.open).map(|rule| proposed(rule.name, event.as_ref(), place)).filter(|waiver| waiver.covers.is_some());
        match waiver {
            Some(waiver) => {
                let reason = format!("reason = \"a person agreed to it {} times\"", call.times);
                let text = waiver.text.replace("reason = \"why this is harmless here\"", &reason);
                if !new.contains(&text) {
                    let _ = writeln!(new, "\n{text}");
                    made.push(json!({ "rule": call.rule, "what": call.what, "times": call.times, "refused": call.refused, "waiver": text }));
                }
            }
            None => closed.push(call),
        }
    }
    let (rules, refused) = rules::proposed(answers, MAX_PROPOSALS, &new, place)?;
    for rule in &rules {
        let _ = writeln!(new, "\n{}", rule.text);
    }
    if as_json {
        let closed: Vec<Value> =
            closed.iter().map(|call| json!({ "rule": call.rule, "what": call.what, "times": call.times, "refused": call.refused })).collect();
        let rules: Vec<Value> = rules.iter().map(|rule| json!({ "what": rule.command.command, "times": rule.command.times, "rule": rule.text })).collect();
        let refused: Vec<Value> = refused.iter().map(|one| json!({ "what": one.command, "times": one.times })).collect();
        say_json(&json!({ "file": file, "waivers": made, "not_open": closed, "rules": rules, "refused": refused }));
        return Ok(());
    }
    if agreed.is_empty() && rules.is_empty() && refused.is_empty() {
        let why = if has_record(place) {
            format!("nobody agreed to the same call {OFTEN} times, or refused it as often")
        } else {
            "nothing is recorded here yet".to_owned()
        };
        say(&format!("nothing to propose: {why}"));
        return Ok(());
    }
    if !made.is_empty() || !rules.is_empty() {
        say(&styled("to be looked at, and put into the policy by a person; nothing was written:", TextStyle::Bold));
        let name = file.map_or_else(|| "portcullis.toml".to_owned(), |path| path.display().to_string());
        let name = escaped(&name).into_owned();
        say(TextDiff::from_lines(&old, &new).unified_diff().header(&name, &name).to_string().trim_end());
    }
    for call in closed {
        say(&format!(
            "{}: a person agreed to `{}` {} times; the rule is not open to waivers, or the call cannot be named in one (`portcullis policy {}`)",
            escaped(&call.rule),
            escaped(&call.what),
            call.times,
            escaped(&call.rule)
        ));
    }
    for one in refused {
        say(&format!("people refused `{}` {} times; no rule was found that finds it and nothing that ran", escaped(&one.command), one.times));
    }
    Ok(())
}
