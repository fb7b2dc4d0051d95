//! `portcullis report`: what happened here, as one page for people. Reads the record, the state and git's history of the policy.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use git2::{Oid, Repository, Sort};
use serde_json::json;

use super::approvals::state;
use super::log::{local, time};
use super::place::Place;
use super::refusal::Refusal;
use super::state::{line, states};
use super::terminal::{print_whole, say, say_json, shown};
use crate::approval::store;
use crate::deep::flywheel::Desk;
use crate::overview::figures::{DecisionFigures, overview};
use crate::overview::html::{self, OverviewPage};
use crate::overview::markdown;
use crate::record::feed::{FeedPosition, RecordFeed};
use flywheel::page::day;
use gate::BUILD;
use gate::record::Entry;
use gate::world::{LOCAL_POLICY, PROJECT_POLICY, system};
use policy::Policy;

const NOT: &str = "no report was made";
/// Where the page is written if nothing else is said.
const FILE: &str = "portcullis-report.html";
/// Lines that are read at a time.
const HEAP: usize = 1000;
/// Commits that are looked through for changes of the policy, and changes that are shown.
const MAX_COMMITS: usize = 5000;
const MAX_CHANGES: usize = 20;
/// Approvals and suggestions that are shown.
const MAX_SHOWN: usize = 20;

/// A form of the report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum OverviewFormat {
    /// One page that loads nothing, for a browser or a printer
    #[default]
    Html,
    /// A short text for a pull request
    Md,
}

#[derive(Args, Debug)]
pub struct ReportArguments {
    /// Only after this time: `7d` ago, or from the beginning of a day like `2027-03-31`
    #[arg(long, value_name = "WHEN")]
    since: Option<String>,
    /// Only before this time, in the same form
    #[arg(long, value_name = "WHEN")]
    until: Option<String>,
    /// The form
    #[arg(long, value_enum, default_value_t)]
    format: OverviewFormat,
    /// Write into this file; `-` is standard output (default: `portcullis-report.html`, and standard output for `md`)
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Print the figures as JSON instead
    #[arg(long, conflicts_with_all = ["output", "format"])]
    json: bool,
}

/// Runs the command.
///
/// # Errors
///
/// An argument is wrong, or the page cannot be written.
pub fn run(arguments: &ReportArguments) -> Result<ExitCode, Refusal> {
    let place = Place::at(None)?;
    let since = arguments.since.as_deref().map(|text| time(text, false)).transpose()?;
    let until = arguments.until.as_deref().map(|text| time(text, true)).transpose()?;
    let page = collect(&place, since, until);
    if arguments.json {
        say_json(&figures(&page));
        return Ok(ExitCode::SUCCESS);
    }
    let refused = |error: std::io::Error| Refusal::new(NOT, error, "name a file that you can write with `--output`");
    let (text, usual) = match arguments.format {
        OverviewFormat::Html => (html::page(&page), Some(PathBuf::from(FILE))),
        OverviewFormat::Md => (markdown::page(&page), None),
    };
    match arguments.output.clone().or(usual).filter(|path| path.as_os_str() != "-") {
        None => print_whole(text.trim_end()).map_err(refused)?,
        Some(path) => {
            // A page that is there is replaced as a whole.
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            let mut file = tempfile::NamedTempFile::new_in(folder).map_err(refused)?;
            file.write_all(text.as_bytes()).map_err(refused)?;
            file.persist(&path).map_err(|error| refused(error.error))?;
            say(&format!("written: {} ({} decisions; it loads nothing, so it can be sent as it is)", shown(&path), page.record.decisions.all()));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Everything that the page says. What cannot be read becomes a note.
fn collect(place: &Place, since: Option<u64>, until: Option<u64>) -> OverviewPage {
    let mut notes = Vec::new();
    let entries = entries(place, since, until, &mut notes);
    let record = overview(entries, |seconds| system::ahead_of_utc(i64::try_from(seconds).unwrap_or(0)));
    let range = match (record.from, record.until) {
        (Some(from), Some(until)) => format!("From {} to {}", local(from), local(until)),
        _ => "Nothing is recorded for this time".to_owned(),
    };
    let meters = states(place).unwrap_or_else(|refusal| {
        notes.push(format!("limits and budgets ({})", refusal.why));
        Vec::new()
    });
    let share =
        |state: &gate::world::meters::MeterState| u64::try_from(u128::from(state.standing.used) * 100 / u128::from(state.standing.of.max(1))).unwrap_or(100);
    let version = BUILD.split('+').next().unwrap_or(BUILD);
    OverviewPage {
        title: place.around.root.file_name().map_or_else(|| place.around.root.display().to_string(), |name| name.to_string_lossy().into_owned()),
        made: format!("Made {} by Portcullis {version}", local(system::now_ms())),
        range,
        record,
        meters: meters
            .iter()
            .map(|state| (state.name.clone(), line(state).split_once(": ").map_or_else(String::new, |(_, words)| words.to_owned()), share(state)))
            .collect(),
        approvals: approvals(place, since),
        suggestions: suggestions(place),
        policy_changes: policy_changes(place, since, until, &mut notes),
        notes,
    }
}

fn entries(place: &Place, since: Option<u64>, until: Option<u64>, notes: &mut Vec<String>) -> Vec<Entry> {
    let mut entries = Vec::new();
    for folder in &place.around.memory {
        let mut read = || -> std::io::Result<()> {
            let mut feed = RecordFeed::after(folder, &FeedPosition::default())?;
            loop {
                let lines = feed.batch(HEAP)?;
                if lines.is_empty() {
                    return Ok(());
                }
                let wanted = |entry: &Entry| since.is_none_or(|since| entry.time >= since) && until.is_none_or(|until| entry.time < until);
                entries.extend(lines.into_iter().map(|line| line.entry).filter(wanted));
            }
        };
        if let Err(error) = read() {
            notes.push(format!("a part of the record ({error})"));
        }
    }
    entries
}

fn approvals(place: &Place, since: Option<u64>) -> Vec<(String, String, String)> {
    let bytes = place.policy().ok();
    let section = bytes.as_deref().and_then(Policy::open).and_then(|policy| policy.approval);
    let recent = store::look(&place.around.memory).requests.into_iter().rev().filter(|known| since.is_none_or(|since| known.request.asked * 1000 >= since));
    let row = |known: store::KnownRequest| {
        let (_, words) = state(&known, section.as_ref(), place);
        let call = known.request.parts.text("call");
        let call = call.split_once('\n').map_or(call, |(_, call)| call);
        let call = call.rsplit_once('\n').map_or(call, |(command, _)| command);
        (known.request.code.clone(), words, gate::record::redact_line(call))
    };
    recent.take(MAX_SHOWN).map(row).collect()
}

fn suggestions(place: &Place) -> Vec<(String, String)> {
    let bytes = place.policy().ok();
    let section = bytes.as_deref().and_then(Policy::open).and_then(|policy| policy.flywheel);
    let inbox = section.map(|section| Desk::inbox(&place.around.root, section.inbox)).unwrap_or_default();
    inbox.into_iter().take(MAX_SHOWN).map(|one| (one.target.clone(), one.reason.clone())).collect()
}

/// Commits that changed a policy file of the repository, the newest first.
fn policy_changes(place: &Place, since: Option<u64>, until: Option<u64>, notes: &mut Vec<String>) -> Vec<[String; 4]> {
    let Some(found) = &place.around.repository else { return Vec::new() };
    let files = [PROJECT_POLICY, LOCAL_POLICY];
    let look = || -> Result<Vec<[String; 4]>, git2::Error> {
        let repository = Repository::open(&found.git_dir)?;
        let mut walk = repository.revwalk()?;
        walk.set_sorting(Sort::TIME)?;
        walk.simplify_first_parent()?;
        walk.push_head()?;
        let blob = |commit: &git2::Commit, file: &str| -> Option<Oid> { commit.tree().ok()?.get_path(Path::new(file)).ok().map(|entry| entry.id()) };
        let mut changes = Vec::new();
        for id in walk.take(MAX_COMMITS) {
            let commit = repository.find_commit(id?)?;
            let seconds = u64::try_from(commit.time().seconds()).unwrap_or(0);
            if since.is_some_and(|since| seconds * 1000 < since) || changes.len() >= MAX_CHANGES {
                break;
            }
            if until.is_some_and(|until| seconds * 1000 >= until) {
                continue;
            }
            let parent = commit.parent(0).ok();
            for file in files.iter().filter(|file| blob(&commit, file) != parent.as_ref().and_then(|parent| blob(parent, file))) {
                let who = String::from_utf8_lossy(commit.author().name_bytes()).into_owned();
                let what = String::from_utf8_lossy(commit.summary_bytes().unwrap_or_default()).into_owned();
                changes.push([day(seconds / 86_400), who, what, (*file).to_owned()]);
            }
        }
        Ok(changes)
    };
    look().unwrap_or_else(|error| {
        // A repository without a commit has no changes.
        if error.code() != git2::ErrorCode::UnbornBranch {
            notes.push(format!("changes of the policy ({})", error.message()));
        }
        Vec::new()
    })
}

fn figures(page: &OverviewPage) -> serde_json::Value {
    let record = &page.record;
    let of = |figures: &DecisionFigures| json!({ "allowed": figures.allowed, "asked": figures.asked, "denied": figures.denied });
    let named = |names: &[(String, DecisionFigures)]| names.iter().map(|(name, figures)| (name.clone(), of(figures))).collect::<serde_json::Map<_, _>>();
    let rules = record
        .rules
        .iter()
        .map(|(name, rule)| json!({ "rule": name, "tier": rule.tier, "denied": rule.denied, "asked": rule.asked, "only_matched": rule.only_matched }));
    let stopped = record.stopped.iter().map(|call| {
        json!({ "rule": call.rule, "call": call.call, "count": call.count, "allowed_later": call.allowed_later, "then": call.instead.as_ref().map(|(instead, _)| instead), "last": call.last })
    });
    json!({
        "from": record.from, "until": record.until, "decisions": of(&record.decisions), "sessions": record.sessions, "succeeded": record.succeeded, "failed": record.failed,
        "approved": record.approved, "paused": record.paused, "by_week": record.by_week, "times": named(&record.times), "tiers": record.tiers,
        "answered_in_microseconds": record.times_taken.iter().map(|(by, times)| json!({ "by": by, "decisions": times.count, "median": times.median, "p95": times.most, "p99": times.nearly_all, "longest": times.longest })).collect::<Vec<_>>(),
        "rules": rules.collect::<Vec<_>>(), "tools": named(&record.tools), "agents": named(&record.agents), "stopped": stopped.collect::<Vec<_>>(),
        "meters": page.meters.iter().map(|(name, words, share)| json!({ "name": name, "words": words, "percent": share })).collect::<Vec<_>>(),
        "approvals": page.approvals.iter().map(|(code, state, what)| json!({ "code": code, "state": state, "what": what })).collect::<Vec<_>>(),
        "suggestions": page.suggestions.iter().map(|(target, reason)| json!({ "target": target, "reason": reason })).collect::<Vec<_>>(),
        "policy_changes": page.policy_changes.iter().map(|[day, who, what, file]| json!({ "day": day, "who": who, "what": what, "file": file })).collect::<Vec<_>>(),
        "notes": page.notes,
    })
}
