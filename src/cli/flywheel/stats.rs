//! The figures of the flywheel: as text, as JSON, and as a page with a chart, which loads nothing.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use serde_json::json;

use super::FlywheelPlace;
use crate::cli::refusal::Refusal;
use crate::cli::terminal::{say, say_json};
use crate::deep::flywheel::history::History;
use actions::shown::escaped;
use flywheel::Suggestion;
use flywheel::drift::is_code;
use flywheel::ledger::{Standing, What};
use flywheel::page::{day, moment};
use gate::world::system;

const DAY: u64 = 86_400_000;
/// The most days that the chart shows.
const SHOWN: u64 = 90;
/// Documents that are named.
const NAMED: usize = 10;

struct Figures {
    /// The name of the repository's folder.
    project: String,
    /// What is open, the oldest first.
    waiting: Vec<Suggestion>,
    captured: usize,
    ended: BTreeMap<&'static str, usize>,
    open: usize,
    /// The median time from capture to resolution, in milliseconds.
    median: Option<u64>,
    kinds: BTreeMap<&'static str, (usize, usize)>,
    /// Documents with open suggestions, and with commits of their code since they changed.
    lagging: Vec<(String, usize, usize)>,
    /// For each day since the first: how many were captured and ended up to then.
    days: Vec<(u64, usize, usize)>,
}

pub(super) fn run(here: &FlywheelPlace, json: bool, html: Option<&Path>) -> Result<(), Refusal> {
    let standings: Vec<Standing> = here.desk()?.standings().into_values().collect();
    let figures = Figures::of(&standings, here, system::now_ms());
    if let Some(path) = html {
        std::fs::write(path, figures.page()).map_err(|error| Refusal::new(format!("could not write `{}`", path.display()), error, "name another file"))?;
        say(&format!("written to {}", path.display()));
    } else if json {
        let lagging: Vec<_> = figures.lagging.iter().map(|(doc, open, commits)| json!({ "document": doc, "open": open, "commits_behind": commits })).collect();
        let kinds: BTreeMap<_, _> = figures.kinds.iter().map(|(kind, (all, settled))| (kind, json!({ "captured": all, "resolved": settled }))).collect();
        say_json(
            &json!({ "captured": figures.captured, "open": figures.open, "ended": figures.ended, "median_age_ms": figures.median, "kinds": kinds, "lagging": lagging }),
        );
    } else {
        say(&figures.text());
    }
    Ok(())
}

impl Figures {
    fn of(standings: &[Standing], here: &FlywheelPlace, now: u64) -> Self {
        let word = |what: What| match what {
            What::Settled => "resolved",
            What::Done => "done",
            _ => "dropped",
        };
        let mut ended: BTreeMap<&'static str, usize> = [("resolved", 0), ("done", 0), ("dropped", 0)].into();
        let mut kinds: BTreeMap<&'static str, (usize, usize)> = BTreeMap::new();
        let mut ages = Vec::new();
        for standing in standings {
            let (all, settled) = kinds.entry(standing.suggestion.kind.name()).or_default();
            *all += 1;
            if let Some((what, time)) = standing.ended {
                *ended.entry(word(what)).or_default() += 1;
                if what != What::Dropped {
                    *settled += 1;
                    ages.push(time.saturating_sub(standing.suggestion.time));
                }
            }
        }
        ages.sort_unstable();
        let history = History::open(&here.root).ok();
        let mut lagging: BTreeMap<String, (usize, usize)> = BTreeMap::new();
        for standing in standings.iter().filter(|standing| standing.ended.is_none()) {
            lagging.entry(standing.suggestion.target.clone()).or_default().0 += 1;
        }
        for pair in &here.section.map {
            for doc in &pair.docs {
                let commits = history.as_ref().map_or(0, |history| history.commits_since(doc, |path| is_code(pair, path)));
                let known = &mut lagging.entry((*doc).to_owned()).or_default().1;
                *known = commits.max(*known);
            }
        }
        let mut lagging: Vec<(String, usize, usize)> =
            lagging.into_iter().map(|(doc, (open, commits))| (doc, open, commits)).filter(|(_, open, commits)| open + commits > 0).collect();
        lagging.sort_by_key(|(_, open, commits)| std::cmp::Reverse((*commits, *open)));
        lagging.truncate(NAMED);
        let first = standings.iter().map(|standing| standing.suggestion.time / DAY).min().unwrap_or(now / DAY).max((now / DAY).saturating_sub(SHOWN));
        let up_to = |day: u64| {
            let captured = standings.iter().filter(|standing| standing.suggestion.time / DAY <= day).count();
            let ended = standings.iter().filter(|standing| standing.ended.is_some_and(|(_, time)| time / DAY <= day)).count();
            (day, captured, ended)
        };
        let mut waiting: Vec<Suggestion> = standings.iter().filter(|standing| standing.ended.is_none()).map(|standing| standing.suggestion.clone()).collect();
        waiting.sort_by_key(|one| one.time);
        Self {
            project: here.root.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
            waiting,
            captured: standings.len(),
            open: standings.iter().filter(|standing| standing.ended.is_none()).count(),
            ended,
            median: ages.get(ages.len() / 2).copied(),
            kinds,
            lagging,
            days: (first..=now / DAY).map(up_to).collect(),
        }
    }

    fn text(&self) -> String {
        let mut text = format!("captured {}, open {}", self.captured, self.open);
        for (word, count) in &self.ended {
            let _ = write!(text, ", {word} {count}");
        }
        if let Some(median) = self.median {
            let _ = write!(text, "\nmedian age when resolved: {}", length(median));
        }
        for (kind, (all, settled)) in &self.kinds {
            let _ = write!(text, "\n{kind:<10} {all:>5} captured {settled:>5} resolved");
        }
        for (doc, open, commits) in &self.lagging {
            let _ = write!(text, "\nout of date: {}: {open} open, {commits} commits of its code since it changed", escaped(doc));
        }
        text
    }

    /// A page that loads nothing.
    fn page(&self) -> String {
        let row = |cells: [&str; 3]| format!("<tr><td>{}</td></tr>\n", cells.map(in_html).join("</td><td>"));
        let project = in_html(&self.project);
        let waiting: String = self.waiting.iter().map(|one| row([&format!("{} {}", day(one.time / DAY), one.id), &one.target, &one.reason])).collect();
        let waiting = match waiting.as_str() {
            "" => "<p>nothing is open</p>".to_owned(),
            rows => format!("<table><tr><th>since</th><th>document</th><th>what</th></tr>\n{rows}</table>"),
        };
        let rows: Vec<String> = self.lagging.iter().map(|(doc, open, commits)| row([doc, &open.to_string(), &commits.to_string()])).collect();
        let kinds: Vec<String> = self.kinds.iter().map(|(kind, (all, settled))| row([kind, &all.to_string(), &settled.to_string()])).collect();
        let (rows, kinds) = (rows.concat(), kinds.concat());
        let ended: Vec<String> = self.ended.iter().map(|(word, count)| format!("{word} {count}")).collect();
        let median = self.median.map_or_else(|| "nothing is resolved yet".to_owned(), |median| format!("median age when resolved: {}", length(median)));
        format!(
            "<!doctype html>\n<meta charset=\"utf-8\">\n<title>{project}: documentation flywheel</title>\n<style>body{{font:16px/1.5 sans-serif;max-width:50rem;margin:2rem auto;padding:0 1rem}}table{{border-collapse:collapse}}td,th{{padding:.2rem 1rem .2rem 0;text-align:left}}svg{{width:100%;height:auto}}</style>\n<h1>{project}: documentation flywheel</h1>\n<p>captured {}, open {}, {}; {median}.</p>\n{}\n<table><tr><th>kind</th><th>captured</th><th>resolved</th></tr>\n{kinds}</table>\n<h2>Open suggestions</h2>\n{waiting}\n<h2>Documents that are out of date</h2>\n<table><tr><th>document</th><th>open</th><th>commits of its code since it changed</th></tr>\n{rows}</table>\n<p>{} UTC</p>\n",
            self.captured,
            self.open,
            ended.join(", "),
            self.picture(),
            moment(system::now_ms())
        )
    }

    /// Captured and ended, day by day.
    fn picture(&self) -> String {
        const WIDE: usize = 800;
        const HIGH: usize = 240;
        const EDGE: usize = 30;
        let most = self.captured.max(1);
        let last = self.days.len().saturating_sub(1).max(1);
        let points = |value: &dyn Fn(&(u64, usize, usize)) -> usize| -> String {
            let place = |(at, day): (usize, &(u64, usize, usize))| {
                format!("{},{}", EDGE + at * (WIDE - 2 * EDGE) / last, HIGH - EDGE - value(day) * (HIGH - 2 * EDGE) / most)
            };
            let mut all: Vec<String> = self.days.iter().enumerate().map(place).collect();
            // A single day is a line too.
            if let ([one], true) = (self.days.as_slice(), all.len() == 1) {
                all.push(place((last, one)));
            }
            all.join(" ")
        };
        let line = |colour: &str, points: &str| format!("<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\" points=\"{points}\"/>");
        let label = |x: usize, y: usize, anchor: &str, colour: &str, text: &str| {
            format!("<text x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\" fill=\"{colour}\" font-size=\"12\">{text}</text>")
        };
        // Lines across, with what they stand for: a quarter of the most each, where that is more than one.
        let step = most.div_ceil(4);
        let across: String = (1..=most / step)
            .map(|count| {
                let y = HIGH - EDGE - count * step * (HIGH - 2 * EDGE) / most;
                let line = format!("<line x1=\"{EDGE}\" y1=\"{y}\" x2=\"{}\" y2=\"{y}\" stroke=\"#ddd\"/>", WIDE - EDGE);
                line + &label(EDGE - 4, y + 4, "end", "#666", &(count * step).to_string())
            })
            .collect();
        let middle = self.days.get(self.days.len() / 2).filter(|_| self.days.len() > 2);
        let ends = |at: Option<&(u64, usize, usize)>| at.map(|(of, ..)| day(*of)).unwrap_or_default();
        format!(
            "<svg viewBox=\"0 0 {WIDE} {HIGH}\" role=\"img\" aria-label=\"captured and ended over time\"><line x1=\"{EDGE}\" y1=\"{y}\" x2=\"{x}\" y2=\"{y}\" stroke=\"#999\"/><line x1=\"{EDGE}\" y1=\"{EDGE}\" x2=\"{EDGE}\" y2=\"{y}\" stroke=\"#999\"/>{across}{}{}{}{}{}{}{}{}</svg>",
            line("#b45309", &points(&|(_, captured, _)| *captured)),
            line("#15803d", &points(&|(_, _, ended)| *ended)),
            label(EDGE, HIGH - 10, "start", "#666", &ends(self.days.first())),
            label(WIDE - EDGE, HIGH - 10, "end", "#666", &ends(self.days.last())),
            label(EDGE, 20, "start", "#b45309", "captured"),
            label(EDGE + 80, 20, "start", "#15803d", "ended"),
            label(WIDE / 2, HIGH - 10, "middle", "#666", &ends(middle)),
            label(EDGE - 4, HIGH - EDGE + 4, "end", "#666", "0"),
            x = WIDE - EDGE,
            y = HIGH - EDGE,
        )
    }
}

/// `3 d 4 h`, `12 min`.
fn length(milliseconds: u64) -> String {
    let minutes = milliseconds / 60_000;
    match (minutes / 1440, minutes / 60 % 24, minutes % 60) {
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}

fn in_html(text: &str) -> String {
    escaped(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
