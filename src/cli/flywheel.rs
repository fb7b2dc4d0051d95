//! `portcullis flywheel`: lists documentation suggestions, resolves them by hand, writes them into their document, and counts
//! them. For people and agents.

mod stats;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::files::{self, Edit};
use super::place::Place;
use super::refusal::Refusal;
use super::terminal::{TextStyle, agreed, can_ask, say, say_json, styled};
use crate::deep::flywheel::Desk;
use actions::shown::{escaped, escaped_lines};
use flywheel::ledger::{LedgerStep, Standing, What};
use flywheel::page::{self, moment};
use flywheel::{Suggestion, count};
use gate::world::system;
use policy::{Flywheel, Policy};

#[derive(Args, Debug)]
pub struct FlywheelArguments {
    #[command(subcommand)]
    command: FlywheelCommand,
}

#[derive(Subcommand, Debug)]
enum FlywheelCommand {
    /// List the open suggestions
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show one suggestion with its evidence
    Show {
        id: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Mark suggestions as documented, and move them to the archive
    Done(Ending),
    /// Reject suggestions: move them to the archive, and never suggest them again
    Drop(Ending),
    /// Write a suggestion into its document; the commit of that change resolves it
    Promote {
        id: String,
        /// Write it into this file instead
        #[arg(long, value_name = "FILE")]
        into: Option<String>,
        /// Write this text instead of the suggested line
        #[arg(long, value_name = "TEXT")]
        text: Option<String>,
        #[command(flatten)]
        way: ChangeArguments,
    },
    /// Move entries that are no longer needed from the learnings to the archive
    Archive {
        /// Move items and sections that contain this text
        text: String,
        #[command(flatten)]
        way: ChangeArguments,
    },
    /// Count suggestions: captured, resolved, how long it took, and which documents are out of date
    Stats {
        /// Print JSON
        #[arg(long, conflicts_with = "html")]
        json: bool,
        /// Write an HTML page with a chart to this file
        #[arg(long, value_name = "FILE")]
        html: Option<PathBuf>,
    },
}

#[derive(Args, Debug)]
struct Ending {
    #[arg(required = true, value_name = "ID")]
    ids: Vec<String>,
    /// The reason, which is kept in the archive
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Only show what would be done
    #[arg(long)]
    dry_run: bool,
}

#[derive(Args, Debug)]
struct ChangeArguments {
    /// Only show the difference
    #[arg(long)]
    dry_run: bool,
    /// Do not ask for confirmation
    #[arg(long)]
    yes: bool,
}

/// What every command needs.
struct FlywheelPlace<'a> {
    place: &'a Place,
    root: PathBuf,
    section: Flywheel<'a>,
}

/// Runs the command.
///
/// # Errors
///
/// The policy has no flywheel, a suggestion is not known, or a file cannot be written.
pub fn run(arguments: &FlywheelArguments) -> Result<ExitCode, Refusal> {
    let place = Place::at(None)?;
    let bytes = place.policy()?;
    let section = Policy::open(&bytes).and_then(|policy| policy.flywheel);
    let fix = "add `[flywheel]` to portcullis.toml; docs/flywheel.md describes its keys";
    let section = section.ok_or_else(|| Refusal::new("there is nothing to show", "the policy that applies here has no `[flywheel]`", fix))?;
    let here = FlywheelPlace { root: place.around.tree().to_path_buf(), place: &place, section };
    match &arguments.command {
        FlywheelCommand::List { json } => here.list(*json)?,
        FlywheelCommand::Show { id, json } => here.show(id, *json)?,
        FlywheelCommand::Done(ending) => here.end(ending, What::Done)?,
        FlywheelCommand::Drop(ending) => here.end(ending, What::Dropped)?,
        FlywheelCommand::Promote { id, into, text, way } => here.promote(id, into.as_deref(), text.as_deref(), way)?,
        FlywheelCommand::Archive { text, way } => here.archive(text, way)?,
        FlywheelCommand::Stats { json, html } => stats::run(&here, *json, html.as_deref())?,
    }
    Ok(ExitCode::SUCCESS)
}

impl FlywheelPlace<'_> {
    fn desk(&self) -> Result<Desk, Refusal> {
        Desk::open(&self.place.around.memory)
            .map_err(|error| Refusal::new("the flywheel's state cannot be opened", error, "make ~/.local/state writable, or try again"))
    }

    fn open(&self, desk: &Desk) -> Vec<(Suggestion, Option<Standing>)> {
        crate::documents::open(desk, &self.root, &self.section)
    }

    /// The suggestion of which the number begins so.
    fn one(&self, desk: &Desk, id: &str) -> Result<Suggestion, Refusal> {
        let mut found = self.open(desk).into_iter().map(|(one, _)| one).filter(|one| one.id.starts_with(id));
        match (found.next(), found.next()) {
            (Some(one), None) => Ok(one),
            (None, _) => Err(Refusal::new(
                "nothing was done",
                format!("there is no open suggestion `{id}` in {}", self.section.inbox),
                "`portcullis flywheel list` shows the open suggestions",
            )),
            _ => Err(Refusal::usage("nothing was done", format!("more than one suggestion begins with `{id}`"), "write more of its id")),
        }
    }

    fn list(&self, json: bool) -> Result<(), Refusal> {
        let open = self.open(&self.desk()?);
        if json {
            say_json(&open.iter().map(|(one, standing)| value(one, standing.as_ref())).collect::<Vec<_>>());
            return Ok(());
        }
        for (one, _) in &open {
            say(&format!("{} {:<9} {}", styled(&one.id, TextStyle::Bold), one.kind.name(), escaped(&one.target)));
            say(&format!("           {}", escaped(&one.reason)));
        }
        say(&format!("{} in {}", count(open.len()), self.section.inbox));
        Ok(())
    }

    fn show(&self, id: &str, json: bool) -> Result<(), Refusal> {
        let desk = self.desk()?;
        let one = self.one(&desk, id)?;
        let standing = desk.standings().remove(&one.id);
        if json {
            say_json(&value(&one, standing.as_ref()));
        } else {
            say(&escaped_lines(page::render(&one).trim()));
        }
        Ok(())
    }

    fn end(&self, ending: &Ending, what: What) -> Result<(), Refusal> {
        let mut desk = self.desk()?;
        let all = ending.ids.iter().map(|id| self.one(&desk, id)).collect::<Result<Vec<_>, _>>()?;
        let word = if what == What::Done { "done" } else { "dropped" };
        let why = ending.reason.as_deref().map_or_else(String::new, |reason| format!(": {reason}"));
        let now = system::now_ms();
        for one in &all {
            say(&format!("{word} {} ({}): {}", one.id, escaped(&one.target), escaped(&one.reason)));
        }
        if ending.dry_run {
            return Ok(());
        }
        let ended: Vec<(&Suggestion, String)> = all.iter().map(|one| (one, format!("{word} by hand, {} UTC{why}", moment(now)))).collect();
        desk.end(&self.root, (self.section.inbox, self.section.archive), &ended)
            .and_then(|()| desk.step(&all.iter().map(|one| LedgerStep::of(what, &one.id, now)).collect::<Vec<_>>()))
            .map_err(|error| Refusal::new("nothing was resolved", error, "make the inbox and the archive writable, then run this again"))
    }

    fn promote(&self, id: &str, into: Option<&str>, text: Option<&str>, way: &ChangeArguments) -> Result<(), Refusal> {
        let mut desk = self.desk()?;
        let one = self.one(&desk, id)?;
        let line = text.unwrap_or(&one.paste);
        if line.trim().is_empty() {
            return Err(Refusal::usage(
                "nothing was written",
                "this suggestion has no line to paste, because a description is missing",
                "give the text with `--text`, or edit the document",
            ));
        }
        let target = into.unwrap_or(&one.target);
        let edit = Edit::of(&self.root.join(target), files::FILE, |before| {
            let before = String::from_utf8(before.unwrap_or_default())
                .map_err(|_| Refusal::new("nothing was written", format!("`{target}` is not UTF-8"), "edit it by hand"))?;
            let end = if before.is_empty() || before.ends_with('\n') { "" } else { "\n" };
            Ok(Some(format!("{before}{end}{}\n", line.trim_end()).into_bytes()))
        })?;
        if change(&[edit], way)? {
            desk.step(&[LedgerStep::of(What::Promoted, &one.id, system::now_ms())])
                .map_err(|error| Refusal::new("it was written, but not recorded", error, "make ~/.local/state writable"))?;
            say(&format!("written into `{target}`; the commit of that file resolves {}", one.id));
        }
        Ok(())
    }

    /// Moves parts of the learnings.
    fn archive(&self, text: &str, way: &ChangeArguments) -> Result<(), Refusal> {
        let _desk = self.desk()?;
        let utf8 = |bytes: Option<Vec<u8>>| {
            String::from_utf8(bytes.unwrap_or_default()).map_err(|_| Refusal::new("nothing was moved", "a file is not UTF-8", "edit it by hand"))
        };
        let mut edits = Vec::new();
        let mut leaving = String::new();
        for learnings in &self.section.learnings {
            let edit = Edit::of(&self.root.join(learnings), files::FILE, |before| {
                if before.is_none() {
                    return Ok(None);
                }
                let before = utf8(before)?;
                let (kept, gone) = split(&before, text);
                leaving += &gone;
                Ok(Some(kept.into_bytes()))
            })?;
            edits.push(edit);
        }
        if leaving.is_empty() {
            return Err(Refusal::new(
                "nothing was moved",
                format!("`{text}` is not in {}", self.section.learnings.join(", ")),
                "name a part of the text that should be moved",
            ));
        }
        let archive = Edit::of(&self.root.join(self.section.archive), files::FILE, |before| {
            let before = utf8(before)?;
            let head = if before.is_empty() { page::ARCHIVE } else { "" };
            Ok(Some(format!("{before}{head}\n# Learned, and archived {} UTC\n\n{leaving}", moment(system::now_ms())).into_bytes()))
        })?;
        // What leaves is in the archive before it leaves.
        edits.insert(0, archive);
        change(&edits, way)?;
        Ok(())
    }
}

/// Shows differences and makes them; whether they were made.
fn change(edits: &[Edit], way: &ChangeArguments) -> Result<bool, Refusal> {
    for edit in edits.iter().filter(|edit| edit.changes()) {
        say(&escaped_lines(edit.difference().trim_end()));
    }
    if way.dry_run || (!way.yes && can_ask() && !agreed("write this?")) {
        return Ok(false);
    }
    for edit in edits {
        edit.apply()?;
    }
    Ok(true)
}

/// A text without its items and sections in which `part` is, and those.
fn split(text: &str, part: &str) -> (String, String) {
    let (mut kept, mut gone) = (String::new(), String::new());
    // How deep the heading is whose section goes, and whether the item that goes is still going on.
    let mut section: Option<usize> = None;
    let mut item = false;
    for row in text.split_inclusive('\n') {
        let depth = row.bytes().take_while(|byte| *byte == b'#').count();
        let heading = depth > 0 && row.as_bytes().get(depth) == Some(&b' ');
        if heading && section.is_some_and(|outer| depth <= outer) {
            section = None;
        }
        let continued = item && row.starts_with([' ', '\t']) && !row.trim().is_empty();
        item = continued;
        if section.is_none() && !continued && row.contains(part) {
            if heading {
                section = Some(depth);
            } else {
                item = true;
            }
        }
        if section.is_some() || item { &mut gone } else { &mut kept }.push_str(row);
    }
    (kept, gone)
}

fn value(one: &Suggestion, standing: Option<&Standing>) -> Value {
    json!({
        "id": one.id,
        "time": one.time,
        "kind": one.kind.name(),
        "target": one.target,
        "reason": one.reason,
        "evidence": one.evidence,
        "paste": one.paste,
        "shown": standing.is_some_and(|standing| standing.told),
        "promoted": standing.is_some_and(|standing| standing.promoted),
    })
}
