//! `portcullis check`: checks what is staged, all tracked files, or each commit of a range, and reports to people and CI.

mod baseline;
mod cores;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{ArgGroup, Args, ValueEnum};

use super::place::Place;
use super::refusal::{FAILED, Refusal, UNJUDGED};
use super::terminal::{self, Progress, print_whole};
use crate::deep::changes::{Changes, Gap};
use crate::deep::commits::Folders;
use crate::git::commit::{Ground, prohibited, verdict};
use crate::report::changes::{Checked, Level, Reported};
use crate::report::{changes, github, junit, sarif};
use actions::change::Id;
use actions::shown::escaped_json;
use cores::on_all_cores;
use gate::BUILD;
use gate::failure::Failure;
use gate::notes::{Note, apply};
use gate::record::{Entry, RecordSource};
use gate::world::repository::{Discovery, discover};
use gate::world::{World, system};
use policy::verdict::Located;
use policy::{Policy, Tier};

#[derive(Args, Debug)]
#[command(group(ArgGroup::new("what").args(["staged", "all", "base"]).required(true)))]
pub struct CheckArguments {
    /// Check the changes that are staged for the next commit
    #[arg(long)]
    staged: bool,
    /// Check every tracked file, as it is in the index
    #[arg(long)]
    all: bool,
    /// Check each commit that REF does not contain, by the policy of REF
    #[arg(long, value_name = "REF")]
    base: Option<String>,
    /// The last commit to check
    #[arg(long, value_name = "REF", default_value = "HEAD", requires = "base")]
    head: String,
    /// The form of the report
    #[arg(long, value_enum, default_value = "text")]
    format: ReportFormat,
    /// Which findings make the check fail: those of a tier (3 or 4) and above, or of a rule; `never` for none
    #[arg(long, value_name = "TIER|RULE", value_delimiter = ',', default_value = "3")]
    fail_on: Vec<String>,
    /// A file of known findings, which do not make the check fail
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Write the baseline: a new file gets all findings, an existing file loses those that are gone
    #[arg(long, requires = "baseline")]
    write_baseline: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ReportFormat {
    /// For people
    Text,
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// Workflow commands, which annotate a pull request
    Github,
    /// `JUnit` XML, for test reports
    Junit,
}

/// A check whose report got lost.
const NOT_WRITTEN: &str = "the report was not written";

/// What is judged, where a finding speaks of all of it.
const CHECKED: &str = "what is checked";

/// The result of a check.
#[derive(Default)]
struct Looked {
    located: Vec<Located>,
    commits: usize,
    files: usize,
    notes: Vec<String>,
}

/// Runs the command.
///
/// # Errors
///
/// The command line is wrong, or nothing could be judged.
pub fn run(arguments: &CheckArguments) -> Result<ExitCode, Refusal> {
    checked(arguments).map_err(|refusal| {
        if refusal.code == UNJUDGED && refusal.what != NOT_WRITTEN { Refusal { what: "nothing was checked".to_owned(), ..refusal } } else { refusal }
    })
}

fn checked(arguments: &CheckArguments) -> Result<ExitCode, Refusal> {
    let place = Place::at(None)?;
    let Discovery::Found(repository) = discover(&place.cwd) else {
        let why = format!("`{}` is not in a git work tree", place.cwd.display());
        return Err(Refusal { code: UNJUDGED, ..Refusal::new("nothing was checked", why, "run it in a clone of the repository") });
    };
    let world = World { project_dir: None, ..place.world };
    let around = world.at(&repository.root)?;
    let folders = Folders::find(&repository.root).map_err(Failure::RepositoryUnreadable)?;
    let ground = Ground::of(around, &repository.root, terminal::agent().is_none(), &world);
    let changes = Changes::open(&folders.own).map_err(Failure::RepositoryUnreadable)?;
    let looked = match &arguments.base {
        Some(base) => range(base, &arguments.head, &ground, &changes, &folders)?,
        None => staged(arguments.all, &folders.index(&repository.root), &ground, &changes, &folders)?,
    };
    let entry = Entry::new("check", RecordSource::Check, system::now_ms()).judged(&[], &verdict(&looked.located));
    apply(&[Note::Record(Box::new(entry))], &ground.around, &world);
    let mut notes = looked.notes;
    let fails = fails_on(&arguments.fail_on, &ground, &changes)?;
    let mut reported: Vec<Reported> = looked
        .located
        .into_iter()
        .map(|located| {
            let level = if fails(&located) { Level::Fails } else { Level::Tells };
            Reported { fingerprint: changes::fingerprint(&located), level, located }
        })
        .collect();
    if let Some(path) = &arguments.baseline {
        notes.extend(baseline::apply(path, arguments.write_baseline, &mut reported)?);
    }
    let what = match &arguments.base {
        Some(base) => format!("{base}..{}", arguments.head),
        None => if arguments.all { "all" } else { "staged" }.to_owned(),
    };
    let checked = Checked { build: BUILD, what, commits: looked.commits, files: looked.files, reported, notes };
    let report = match arguments.format {
        ReportFormat::Text => checked.text(),
        ReportFormat::Json => json(&checked.json()),
        ReportFormat::Sarif => json(&sarif::log(&checked)),
        ReportFormat::Github => github::commands(&checked),
        ReportFormat::Junit => junit::suites(&checked),
    };
    let lost = |error| Refusal { code: UNJUDGED, ..Refusal::new(NOT_WRITTEN, error, "send standard output to a place with room") };
    print_whole(&report).map_err(lost)?;
    let failed = checked.reported.iter().any(|reported| reported.level == Level::Fails);
    Ok(if failed { ExitCode::from(FAILED) } else { ExitCode::SUCCESS })
}

fn json(value: &serde_json::Value) -> String {
    escaped_json(&serde_json::to_string_pretty(value).unwrap_or_default()).into_owned()
}

fn opened(bytes: &[impl AsRef<[u8]>]) -> Result<Vec<Policy<'_>>, Failure> {
    bytes.iter().map(|bytes| Policy::open(bytes.as_ref())).collect::<Option<_>>().ok_or(Failure::PolicyDamaged)
}

/// The repository once more, for another thread.
fn opened_again(folders: &Folders) -> Result<Changes, Failure> {
    Changes::open(&folders.own).map_err(Failure::RepositoryUnreadable)
}

fn staged(all: bool, index: &std::path::Path, ground: &Ground, changes: &Changes, folders: &Folders) -> Result<Looked, Refusal> {
    let bytes = ground.policies(changes)?;
    let policies = opened(&bytes)?;
    let merged = if all { Vec::new() } else { changes.merged() };
    let files = changes.staged(index, &merged, all).map_err(Failure::RepositoryUnreadable)?;
    let mut looked = Looked { files: files.len(), notes: unknown_gates(&policies), ..Looked::default() };
    if !all {
        looked.located = ground.staged(&files, index, changes, &policies)?;
        looked.located.extend(ground.ended(&policies, CHECKED)?);
        return Ok(looked);
    }
    let judged =
        on_all_cores(&files, Progress::of(files.len(), "files"), || opened_again(folders), |changes, file| ground.file(file, changes, &policies, None))?;
    looked.located.extend(judged.into_iter().flatten());
    // Compared with nothing every source is new.
    looked.located.extend(ground.untested(&files, index, changes, &policies)?);
    looked.located.extend(ground.ended(&policies, CHECKED)?);
    Ok(looked)
}

fn range(base: &str, head: &str, ground: &Ground, changes: &Changes, folders: &Folders) -> Result<Looked, Refusal> {
    let (from, commits) = changes.range(Some(base), head).map_err(|gap| refused(gap, base))?;
    let mut looked = Looked { commits: commits.len(), ..Looked::default() };
    let bytes = match from.map(|from| ground.policy_at(changes, &from)) {
        Some(Err(Failure::PolicyInvalid(_))) | None => {
            looked.notes.push(format!("the policy of `{base}` has mistakes, so the policy of this work tree was used"));
            ground.policies(changes)?
        }
        Some(policy) => vec![policy?],
    };
    let policies = opened(&bytes)?;
    looked.notes.extend(unknown_gates(&policies));
    let judge = |changes: &Changes, id: &Id| {
        let commit = changes.commit(id).map_err(Failure::RepositoryUnreadable)?;
        let located = ground.commit(&commit, changes, &policies)?;
        Ok((commit.files.len(), skipped(id, &commit.author, &located), located))
    };
    for (files, note, located) in on_all_cores(&commits, Progress::of(commits.len(), "commits"), || opened_again(folders), judge)? {
        looked.files += files;
        looked.notes.extend(note);
        looked.located.extend(located);
    }
    looked.located.extend(ground.ended(&policies, CHECKED)?);
    Ok(looked)
}

/// A note on each gate: what it needs was seen on the machine of whoever did the work, or it was not. Nobody says here that it
/// is passed.
fn unknown_gates(policies: &[Policy]) -> Vec<String> {
    let gates = policies.iter().filter_map(Policy::tiers).flat_map(|tiers| tiers.gates);
    let mut notes: Vec<String> =
        gates.map(|gate| format!("not known here: whether the gate `{}` (before {}) is passed", gate.name, gate.before.join(", "))).collect();
    notes.dedup();
    notes
}

/// A note on a commit that a rule prohibits and that exists: its hooks did not run.
fn skipped(id: &Id, author: &str, located: &[Located]) -> Option<String> {
    let rules = prohibited(located);
    let short = id.digits().get(..12).unwrap_or_default();
    (!rules.is_empty()).then(|| format!("`{}` denies the commit {short} by {author}, so its hooks were skipped or missing", rules.join("`, `")))
}

fn refused(gap: Gap, base: &str) -> Refusal {
    let (why, fix) = match gap {
        Gap::Missing(name) => {
            let branch = name.strip_prefix("origin/").unwrap_or(&name);
            (
                format!("there is no commit `{name}` in this clone"),
                format!("run `git fetch origin {branch}`; in GitHub Actions give `actions/checkout` the option `fetch-depth: 0`"),
            )
        }
        Gap::Shallow => (
            format!("the clone is shallow, and its history ends before it meets `{base}`"),
            "run `git fetch --unshallow`; in GitHub Actions give `actions/checkout` the option `fetch-depth: 0`".to_owned(),
        ),
        Gap::Unread(why) => (why, "repair the repository (`git fsck` shows what is wrong)".to_owned()),
    };
    Refusal { code: UNJUDGED, ..Refusal::new("nothing was checked", why, fix) }
}

/// A test that says which findings make the check fail.
///
/// # Errors
///
/// The option is neither a tier nor the name of a rule.
fn fails_on(written: &[String], ground: &Ground, changes: &Changes) -> Result<impl Fn(&Located) -> bool, Refusal> {
    let mut tier = None;
    let mut rules: Vec<String> = Vec::new();
    let mut known: Option<Vec<String>> = None;
    for name in written {
        let asked = match name.as_str() {
            "3" | "supervised" => Some(Tier::Supervised),
            "4" | "prohibited" => Some(Tier::Prohibited),
            "never" => continue,
            _ => None,
        };
        if asked.is_some() {
            tier = asked.min(tier.or(asked));
            continue;
        }
        if known.is_none() {
            let bytes = ground.policies(changes)?;
            known = Some(opened(&bytes)?.iter().flat_map(|policy| policy.all_rules().unwrap_or_default()).map(|rule| rule.name.to_owned()).collect());
        }
        let known = known.iter().flatten();
        if !known.clone().any(|rule| rule == name) {
            let fix = policy_compiler::mistake::suggestion(name, known.map(String::as_str).chain(["3", "4", "never"]));
            return Err(Refusal::usage("nothing was checked", format!("`--fail-on {name}` is neither a tier nor a rule"), fix));
        }
        rules.push(name.clone());
    }
    Ok(move |located: &Located| tier.is_some_and(|tier| located.finding.tier >= tier) || rules.contains(&located.finding.rule))
}
