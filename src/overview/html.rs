//! The page as HTML: one file that loads nothing, with no script, for light and dark, wide and narrow, and paper.

use std::fmt::Write as _;

use super::figures::{DecisionFigures, RecordOverview, duration};
use actions::shown::escaped;

/// What the page says besides the figures of the record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OverviewPage {
    /// The repository.
    pub title: String,
    /// When it was made, and by which version.
    pub made: String,
    /// From when until when.
    pub range: String,
    pub record: RecordOverview,
    /// Limits and budgets: name, what is used, and the share of it in percent.
    pub meters: Vec<(String, String, u64)>,
    /// Approvals: code, state, what.
    pub approvals: Vec<(String, String, String)>,
    /// Open suggestions for documents: target, reason.
    pub suggestions: Vec<(String, String)>,
    /// Changes of policy files: day, who, what, the file.
    pub policy_changes: Vec<[String; 4]>,
    /// What could not be read, in words.
    pub notes: Vec<String>,
}

/// Nothing is loaded, whatever a browser takes a text for.
const HEAD: &str = r#"<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
"#;

const STYLE: &str = r"
:root { --back: #ffffff; --card: #f6f7f9; --text: #1b1f24; --dim: #525a64; --line: #d5dae1; --allowed: #2f7d4f; --asked: #9a6700; --denied: #b42318; }
@media (prefers-color-scheme: dark) {
  :root { --back: #0f1419; --card: #182028; --text: #e6edf3; --dim: #a3afbb; --line: #303a45; --allowed: #56b27a; --asked: #d9a441; --denied: #f0776a; }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0 auto; padding: 1.25rem; max-width: 62rem; background: var(--back); color: var(--text);
  font: 1rem/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .25rem; }
h2 { font-size: 1.15rem; margin: 2.25rem 0 .75rem; }
p { margin: .25rem 0; }
.dim { color: var(--dim); }
code { font: .875rem/1.45 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; white-space: pre-wrap; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: .75rem; margin: 1.25rem 0 0; padding: 0; list-style: none; }
.cards li { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: .75rem; }
.cards strong { display: block; font-size: 1.6rem; line-height: 1.2; font-variant-numeric: tabular-nums; }
.allowed strong { color: var(--allowed); } .asked strong { color: var(--asked); } .denied strong { color: var(--denied); }
.rows { margin: 0; padding: 0; list-style: none; }
.rows > li { padding: .5rem 0; border-top: 1px solid var(--line); }
.rows > li:last-child { border-bottom: 1px solid var(--line); }
.rows.days > li { display: grid; grid-template-columns: 6.5rem 1fr 3.5rem; gap: .75rem; align-items: center; padding: .2rem 0; border: 0; }
.days li > span { white-space: nowrap; }
.days .sum { text-align: right; font-variant-numeric: tabular-nums; }
.named > li { display: grid; grid-template-columns: minmax(0, 2fr) minmax(0, 3fr); gap: .25rem 1rem; }
.bar { display: flex; height: .9rem; background: var(--card); border-radius: .2rem; overflow: hidden; min-width: 0; }
.bar i { display: block; height: 100%; min-width: 2px; }
i.allowed { background: var(--allowed); } i.asked { background: var(--asked); } i.denied { background: var(--denied); }
.key { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; margin: 0 0 .75rem; padding: 0; list-style: none; }
.key i { display: inline-block; width: .8rem; height: .8rem; border-radius: .15rem; margin-right: .4rem; vertical-align: -.05rem; }
@media (max-width: 34rem) {
  body { padding: 1rem; }
  .named > li { grid-template-columns: minmax(0, 1fr); }
  .rows.days > li { grid-template-columns: 5.4rem 1fr 2.6rem; gap: .5rem; font-size: .875rem; }
}
@media print {
  :root { --back: #ffffff; --card: #f6f7f9; --text: #1b1f24; --dim: #525a64; --line: #d5dae1; --allowed: #2f7d4f; --asked: #9a6700; --denied: #b42318; }
  body { max-width: none; padding: 0; font-size: .8rem; -webkit-print-color-adjust: exact; print-color-adjust: exact; }
  h2 { break-after: avoid; } li { break-inside: avoid; }
}
";

/// A text from outside, for HTML.
fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for sign in escaped(text).chars() {
        match sign {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            sign => out.push(sign),
        }
    }
    out
}

/// A number with its thousands apart.
fn number(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

/// A bar of three parts. `most` is what fills it.
fn bar(figures: &DecisionFigures, most: usize) -> String {
    let part = |class: &str, count: usize| {
        if count == 0 {
            return String::new();
        }
        // In hundredths of a percent.
        let share = count * 10_000 / most.max(1);
        format!("<i class=\"{class}\" style=\"width:{}.{:02}%\"></i>", share / 100, share % 100)
    };
    let parts = part("allowed", figures.allowed) + &part("asked", figures.asked) + &part("denied", figures.denied);
    let words = format!("{} allowed, {} asked, {} denied", figures.allowed, figures.asked, figures.denied);
    format!("<div class=\"bar\" role=\"img\" aria-label=\"{words}\" title=\"{words}\">{parts}</div>")
}

/// The whole page.
#[must_use]
pub fn page(page: &OverviewPage) -> String {
    let record = &page.record;
    let mut out = format!("{HEAD}<title>{} · Portcullis</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<header>\n", text(&page.title));
    let _ =
        write!(out, "<h1>What agents did in {}</h1>\n<p class=\"dim\">{}. {}</p>\n</header>\n<main>\n", text(&page.title), text(&page.range), text(&page.made));
    let cards = [
        ("", "decisions", record.decisions.all()),
        ("allowed", "allowed", record.decisions.allowed),
        ("asked", "a person was asked", record.decisions.asked),
        ("denied", "denied", record.decisions.denied),
        ("", "sessions", record.sessions),
        ("", "calls that failed", record.failed),
    ];
    out.push_str("<ul class=\"cards\">\n");
    for (class, word, count) in cards {
        let _ = writeln!(out, "<li class=\"{class}\"><strong>{}</strong>{word}</li>", number(count));
    }
    out.push_str("</ul>\n");
    if record.decisions.all() == 0 {
        out.push_str("<p>Nothing was decided in this time.</p>\n");
    }
    over_time(&mut out, record);
    stopped(&mut out, record);
    rules(&mut out, record);
    by_name(&mut out, "By tool", &record.tools);
    if record.agents.len() > 1 {
        by_name(&mut out, "By agent", &record.agents);
    }
    times_taken(&mut out, record);
    meters(&mut out, page);
    approvals(&mut out, page);
    policy(&mut out, page);
    if !page.suggestions.is_empty() {
        out.push_str("<section>\n<h2>Open suggestions for documents</h2>\n<ul class=\"rows named\">\n");
        for (target, reason) in &page.suggestions {
            let _ = writeln!(out, "<li><code>{}</code><span>{}</span></li>", text(target), text(reason));
        }
        out.push_str("</ul>\n</section>\n");
    }
    out.push_str(
        "</main>\n<footer>\n<p class=\"dim\">Made from the record of Portcullis. <code>portcullis log verify</code> says whether the record is whole.</p>\n",
    );
    for note in &page.notes {
        let _ = writeln!(out, "<p class=\"dim\">Not shown: {}</p>", text(note));
    }
    out.push_str("</footer>\n</body>\n</html>\n");
    out
}

fn over_time(out: &mut String, record: &RecordOverview) {
    if record.times.is_empty() {
        return;
    }
    let most = record.times.iter().map(|(_, figures)| figures.all()).max().unwrap_or(1);
    let _ = writeln!(out, "<section>\n<h2>Decisions by {}</h2>", if record.by_week { "week" } else { "day" });
    out.push_str("<ul class=\"key\"><li><i class=\"allowed\"></i>allowed</li><li><i class=\"asked\"></i>asked</li><li><i class=\"denied\"></i>denied</li></ul>\n<ul class=\"rows days\">\n");
    for (day, figures) in &record.times {
        let _ = writeln!(out, "<li><span>{day}</span>{}<span class=\"sum\">{}</span></li>", bar(figures, most), number(figures.all()));
    }
    let tiers: Vec<String> = record.tiers.iter().map(|(tier, count)| format!("tier {tier}: {}", number(*count))).collect();
    let _ = writeln!(out, "</ul>\n<p class=\"dim\">By tier: {}.</p>\n</section>", tiers.join(", "));
}

fn stopped(out: &mut String, record: &RecordOverview) {
    if record.stopped.is_empty() {
        return;
    }
    out.push_str("<section>\n<h2>What was stopped, and what was done instead</h2>\n<ul class=\"rows\">\n");
    for call in &record.stopped {
        let times = if call.count == 1 { String::new() } else { format!(" · {} times", number(call.count)) };
        let _ = write!(out, "<li><p><strong>{}</strong>{times}</p><p><code>{}</code></p>", text(&call.rule), text(&call.call));
        if let Some((instead, _)) = &call.instead {
            let _ = write!(out, "<p class=\"dim\">then: <code>{}</code></p>", text(instead));
        }
        if call.allowed_later > 0 {
            let _ = write!(
                out,
                "<p class=\"dim\">the same call was allowed later: {}</p>",
                if call.allowed_later == 1 { "once".to_owned() } else { format!("{} times", call.allowed_later) }
            );
        }
        out.push_str("</li>\n");
    }
    out.push_str("</ul>\n");
    if record.more_stopped > 0 {
        let _ = writeln!(out, "<p class=\"dim\">And {} more; <code>portcullis log --stopped</code> lists them all.</p>", number(record.more_stopped));
    }
    out.push_str("</section>\n");
}

fn rules(out: &mut String, record: &RecordOverview) {
    if record.rules.is_empty() {
        return;
    }
    out.push_str("<section>\n<h2>By rule</h2>\n<ul class=\"rows named\">\n");
    for (name, figures) in &record.rules {
        let counts = [(figures.denied, "denied"), (figures.asked, "asked"), (figures.only_matched, "matched and allowed")];
        let counts: Vec<String> = counts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{} {word}", number(*count))).collect();
        let _ = writeln!(out, "<li><strong>{}</strong><span>{} <span class=\"dim\">· tier {}</span></span></li>", text(name), counts.join(", "), figures.tier);
    }
    out.push_str("</ul>\n</section>\n");
}

fn by_name(out: &mut String, title: &str, names: &[(String, DecisionFigures)]) {
    let Some(most) = names.iter().map(|(_, figures)| figures.all()).max() else { return };
    let _ = writeln!(out, "<section>\n<h2>{title}</h2>\n<ul class=\"rows named\">");
    for (name, figures) in names {
        let _ = writeln!(out, "<li><span>{} <span class=\"dim\">· {}</span></span>{}</li>", text(name), number(figures.all()), bar(figures, most));
    }
    out.push_str("</ul>\n</section>\n");
}

fn times_taken(out: &mut String, record: &RecordOverview) {
    if record.times_taken.is_empty() {
        return;
    }
    out.push_str("<section>\n<h2>How long answers took</h2>\n<ul class=\"rows named\">\n");
    for (by, times) in &record.times_taken {
        let _ = writeln!(
            out,
            "<li><span>{by} <span class=\"dim\">· {} decisions</span></span><span>half within {}, 95 of 100 within {}, 99 within {} <span class=\"dim\">· the longest {}</span></span></li>",
            number(times.count),
            duration(times.median),
            duration(times.most),
            duration(times.nearly_all),
            duration(times.longest)
        );
    }
    out.push_str("</ul>\n<p class=\"dim\">From the start of the hook until its answer was known; the start of the process is not in it.</p>\n</section>\n");
}

fn meters(out: &mut String, page: &OverviewPage) {
    if page.meters.is_empty() {
        return;
    }
    out.push_str("<section>\n<h2>Limits and budgets now</h2>\n<ul class=\"rows named\">\n");
    for (name, words, share) in &page.meters {
        let class = match share {
            0..80 => "allowed",
            80..100 => "asked",
            _ => "denied",
        };
        let bar = format!("<div class=\"bar\" role=\"img\" aria-label=\"{share}%\"><i class=\"{class}\" style=\"width:{}%\"></i></div>", share.min(&100));
        let _ = writeln!(out, "<li><span><strong>{}</strong><br><span class=\"dim\">{}</span></span>{bar}</li>", text(name), text(words));
    }
    out.push_str("</ul>\n</section>\n");
}

fn approvals(out: &mut String, page: &OverviewPage) {
    if page.approvals.is_empty() && page.record.approved == 0 && page.record.paused == 0 {
        return;
    }
    out.push_str("<section>\n<h2>What people allowed</h2>\n");
    let _ = writeln!(out, "<p>{} calls by an approval, {} during a pause.</p>", number(page.record.approved), number(page.record.paused));
    if !page.approvals.is_empty() {
        out.push_str("<ul class=\"rows named\">\n");
        for (code, state, what) in &page.approvals {
            let _ =
                writeln!(out, "<li><span><strong>{}</strong> <span class=\"dim\">{}</span></span><code>{}</code></li>", text(code), text(state), text(what));
        }
        out.push_str("</ul>\n");
    }
    out.push_str("</section>\n");
}

fn policy(out: &mut String, page: &OverviewPage) {
    if page.policy_changes.is_empty() {
        return;
    }
    out.push_str("<section>\n<h2>Changes of the policy</h2>\n<ul class=\"rows named\">\n");
    for [day, who, what, file] in &page.policy_changes {
        let _ = writeln!(
            out,
            "<li><span>{} <span class=\"dim\">{}</span></span><span>{} <span class=\"dim\">({})</span></span></li>",
            text(day),
            text(who),
            text(what),
            text(file)
        );
    }
    out.push_str("</ul>\n</section>\n");
}
