//! Whether what a gate needs is there: for each need that it is, or exactly what is missing and how to get it, or why that
//! cannot be known.

use std::collections::BTreeSet;

use gate::world::Surroundings;
use gate::world::phase::{DamagedPhase, PhaseState};
use git2::Oid;
use policy::{Gate, GateNeed, NeedKind, Policy, Tiers};

use super::coverage;
use super::imports::ImportLanguage;
use super::seen::{self, SeenCommand};
use super::tree::{GatedTree, TreeResult, fits};
use crate::deep::flywheel::Desk;

/// Files and names that a text lists; the rest is counted.
const MAX_LISTED: usize = 3;

/// What is found of a need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NeedOutcome {
    /// It is there: what, for the record.
    There(String),
    /// It is missing: what, and how to get it. A command begins with `$ `.
    Missing { what: String, how: String },
    /// It could not be known.
    Unknown(String),
    /// It stops nothing, and the model should read it.
    Remark(String),
}

/// What gates are judged by.
pub struct GateBook<'b> {
    pub around: &'b Surroundings,
    pub policy: &'b Policy<'b>,
    pub tiers: &'b Tiers<'b>,
    pub work: TreeResult<GatedTree>,
    pub place: Result<PhaseState, DamagedPhase>,
}

impl<'b> GateBook<'b> {
    /// What is found of a need of a gate.
    #[must_use]
    pub fn outcome(&self, gate: &Gate, need: &GateNeed) -> NeedOutcome {
        let work = match &self.work {
            Ok(work) => work,
            Err(why) => return NeedOutcome::Unknown(format!("`{}`: {why}", need.kind.name())),
        };
        let place = match &self.place {
            Ok(place) => place,
            Err(DamagedPhase(path)) => {
                return NeedOutcome::Missing {
                    what: format!("in which phase the work is, for `{}` is damaged", path.display()),
                    how: "a person must run `portcullis phase NAME` with the true phase; the damaged file is kept under another name".to_owned(),
                };
            }
        };
        let one = OneNeed { book: self, gate, need, work, place };
        let found = match need.kind {
            NeedKind::Command => one.command(),
            NeedKind::Tests => one.tests(),
            NeedKind::Touched => one.touched(),
            NeedKind::Documents => Ok(one.documents()),
            NeedKind::Checklist => Ok(one.checklist()),
            NeedKind::Verdict => Ok(one.verdict()),
            NeedKind::Coverage => Ok(one.coverage()),
            NeedKind::Imports => one.imports(),
            NeedKind::Exists => one.exists(),
            NeedKind::Estimate => one.estimate(),
        };
        found.unwrap_or_else(|why| NeedOutcome::Unknown(format!("`{}`: {why}", need.kind.name())))
    }

    /// Files in which writes do not count: pages of the gates' own.
    fn apart(&self) -> Vec<&'b str> {
        let files = self
            .tiers
            .gates
            .iter()
            .flat_map(|gate| &gate.needs)
            .filter(|need| matches!(need.kind, NeedKind::Checklist | NeedKind::Verdict | NeedKind::Coverage));
        let marker = self.tiers.pipeline.iter().map(|pipeline| pipeline.marker);
        let pages = self.policy.flywheel.iter().flat_map(|section| [section.inbox, section.archive]);
        files.map(|need| need.text).chain(marker).chain(pages).filter(|path| !path.is_empty()).collect()
    }
}

/// A need with what it is judged by.
struct OneNeed<'o, 'b> {
    book: &'o GateBook<'b>,
    gate: &'o Gate<'o>,
    need: &'o GateNeed<'o>,
    work: &'o GatedTree,
    place: &'o PhaseState,
}

fn missing(what: impl Into<String>, how: impl Into<String>) -> NeedOutcome {
    NeedOutcome::Missing { what: what.into(), how: how.into() }
}

/// Some of a list, and how many more there are.
fn some(items: &[String]) -> String {
    let shown: Vec<String> = items.iter().take(MAX_LISTED).map(|item| format!("`{item}`")).collect();
    let more = items.len().saturating_sub(MAX_LISTED);
    if more == 0 { shown.join(", ") } else { format!("{} and {more} more", shown.join(", ")) }
}

impl OneNeed<'_, '_> {
    /// What of a run does not let it count. `None`: it counts.
    fn outdated(&self, seen: &SeenCommand) -> TreeResult<Option<String>> {
        if self.need.in_phase {
            return Ok((seen.number != self.place.number).then(|| "it ran before this phase began".to_owned()));
        }
        let written = self.work.written_since(&seen.files, &self.book.apart())?;
        Ok(written.map(|path| format!("`{path}` was written after it")))
    }

    fn command(&self) -> TreeResult<NeedOutcome> {
        let command = self.need.text;
        let since = if self.need.in_phase { "since this phase began" } else { "since the last write" };
        let seen = seen::command(self.book.around, command);
        let time = seen.as_ref().map_or(0, |seen| seen.time);
        let mut why = match &seen {
            None => "it was not seen to run here".to_owned(),
            Some(seen) if !seen.ok => "it failed when it ran last".to_owned(),
            Some(seen) => match self.outdated(seen)? {
                None => return Ok(NeedOutcome::There(format!("`{command}` succeeded"))),
                Some(why) => why,
            },
        };
        if let Some(other) = seen::uncounted(self.book.around, command, time) {
            why = other;
        }
        if let Some(path) = seen::own_file(command, self.work)
            && let Err(other) = seen::is_trusted(self.work, self.book.around, self.work.base(&self.place.begun), &path)
        {
            let how = format!("a person can look at `{path}` and run `portcullis phase --trust`; then run `{command}`");
            return Ok(missing(format!("`{command}` was not seen to succeed {since}: {other}"), how));
        }
        Ok(missing(format!("`{command}` was not seen to succeed {since}: {why}"), format!("$ {command}")))
    }

    fn tests(&self) -> TreeResult<NeedOutcome> {
        let red = self.need.text == "red";
        let wanted = if red { "fail" } else { "pass" };
        let seen = seen::tests(self.book.around);
        let why = match &seen {
            None => "no run of them was seen here".to_owned(),
            Some(seen) => match (seen.ok == red, self.outdated(seen)?) {
                (true, _) if red => "they passed when they ran last".to_owned(),
                (true, _) => "they failed when they ran last".to_owned(),
                (false, Some(why)) => why,
                (false, None) => return Ok(NeedOutcome::There(format!("tests were seen to {wanted}"))),
            },
        };
        let why = seen::uncounted_tests(self.book.around, seen.map_or(0, |seen| seen.time)).filter(|_| !red).unwrap_or(why);
        let how = if red {
            "write tests for what is to be built, and run them alone: they must fail"
        } else {
            "run all tests alone, from the top folder of the work tree"
        };
        Ok(missing(format!("tests were not seen to {wanted} since the last write: {why}"), how))
    }

    /// Where the change begins, and what that is called.
    fn begin(&self) -> TreeResult<(Option<Oid>, &'static str)> {
        if self.need.in_phase {
            let head = self.place.head.as_str();
            return if self.place.number == 0 {
                Err("no phase was begun".to_owned())
            } else if head.is_empty() {
                Ok((None, "since this phase began"))
            } else {
                Oid::from_str(head).map(|head| (Some(head), "since this phase began")).map_err(|error| error.message().to_owned())
            };
        }
        match self.work.base(&self.place.begun) {
            Some(base) => Ok((Some(base), "on this branch")),
            // There is no commit that it could have begun at: what is not committed is what changed.
            None => Ok((self.work.head(), "since the last commit")),
        }
    }

    fn touched(&self) -> TreeResult<NeedOutcome> {
        let (base, since) = self.begin()?;
        let changed = self.work.changed(base)?;
        let untouched: Vec<String> =
            self.need.paths.iter().filter(|glob| !changed.iter().any(|path| fits(&[glob], path))).map(|glob| (*glob).to_owned()).collect();
        Ok(if untouched.is_empty() {
            NeedOutcome::There(format!("files of {} changed", some(&self.need.paths.iter().map(|glob| (*glob).to_owned()).collect::<Vec<_>>())))
        } else {
            missing(format!("no file of {} changed {since}", some(&untouched)), format!("bring {} up to date with the change", some(&untouched)))
        })
    }

    fn documents(&self) -> NeedOutcome {
        let Some(section) = &self.book.policy.flywheel else {
            return NeedOutcome::Unknown("`documents`: the policy has no `[flywheel]`".to_owned());
        };
        let open: Vec<String> = Desk::inbox(&self.work.root, section.inbox).into_iter().map(|one| one.target).collect::<BTreeSet<_>>().into_iter().collect();
        if open.is_empty() {
            NeedOutcome::There("no suggestion for the documentation is open".to_owned())
        } else {
            missing(
                format!("suggestions for the documentation are open in `{}`, for {}", section.inbox, some(&open)),
                format!("write what they suggest into {}, and commit it", some(&open)),
            )
        }
    }

    fn agents(&self) -> String {
        let names: Vec<String> = self.need.by.iter().map(|pattern| format!("`{}`", pattern.source)).collect();
        names.join(" or ")
    }

    fn checklist(&self) -> NeedOutcome {
        let file = self.need.text;
        let Some(text) = self.work.text(file) else {
            return missing(
                format!("the checklist `{file}` does not exist"),
                format!("write `{file}` with a box for each point (`- [ ] …`), and tick what is done"),
            );
        };
        let (ticked, open) = seen::boxes(&text);
        if !open.is_empty() {
            let count = open.len();
            return missing(
                format!("{count} of {} boxes in `{file}` are not ticked: {}", count + ticked.len(), some(&open)),
                "do these points, and tick their boxes",
            );
        }
        let least = self.need.number as usize;
        if ticked.len() < least {
            return missing(format!("`{file}` has {} boxes, and {least} are needed", ticked.len()), format!("put a box for each point into `{file}`"));
        }
        if self.need.by.is_empty() {
            return NeedOutcome::There(format!("all {} boxes of `{file}` are ticked", ticked.len()));
        }
        for line in &ticked {
            let why = match seen::writer(self.book.around, self.gate.name, file, line) {
                None => "nobody was seen to tick it in this phase".to_owned(),
                Some(writer) if !writer.named => format!("`{}` ticked it", writer.agent),
                Some(writer) if writer.number != self.place.number => "it was ticked before this phase began".to_owned(),
                Some(_) => continue,
            };
            let how = format!("let {} look at this point, and tick it in a call of its own", self.agents());
            return missing(format!("`{line}` in `{file}` must be ticked by {} in this phase: {why}", self.agents()), how);
        }
        NeedOutcome::There(format!("all {} boxes of `{file}` are ticked by {}", ticked.len(), self.agents()))
    }

    fn verdict(&self) -> NeedOutcome {
        let GateNeed { text: file, says, .. } = *self.need;
        let by = if self.need.by.is_empty() { String::new() } else { format!(" by {}", self.agents()) };
        let how = if by.is_empty() {
            format!("review the work, and write the verdict into `{file}`")
        } else {
            format!("start {}, who reviews the work and writes `{file}`", self.agents())
        };
        let Some(text) = self.work.text(file) else { return missing(format!("the verdict `{file}`{by} does not exist"), how) };
        if !seen::has_line(&text, says) {
            return missing(format!("`{file}` has no line `{says}`"), how);
        }
        if self.need.by.is_empty() {
            return NeedOutcome::There(format!("`{file}` says `{says}`"));
        }
        let writer = |what: &str| seen::writer(self.book.around, self.gate.name, file, what);
        let why = match (writer(&text), writer(says)) {
            (Some(whole), Some(line)) if whole.named && line.named && whole.number == self.place.number && line.number == self.place.number => {
                return NeedOutcome::There(format!("`{file}` says `{says}`{by}"));
            }
            (None, _) | (_, None) => "nobody was seen to write it as it is".to_owned(),
            (Some(one), Some(other)) => match [one, other].iter().find(|writer| !writer.named) {
                Some(writer) => format!("`{}` wrote it", writer.agent),
                None => "it was written before this phase began".to_owned(),
            },
        };
        missing(format!("`{file}` must be written{by} in this phase: {why}"), how)
    }

    fn coverage(&self) -> NeedOutcome {
        let GateNeed { text: report, number: least, .. } = *self.need;
        let how = format!("run the tests with coverage, so that they write `{report}`");
        let Some(text) = self.work.text(report) else { return missing(format!("the coverage report `{report}` does not exist"), how) };
        if let Some(writer) = seen::writer(self.book.around, self.gate.name, report, &text) {
            return missing(format!("`{report}` was written by hand (`{}`), and not by a run of the tests", writer.agent), how);
        }
        let Some(all) = coverage::read(&text) else {
            return NeedOutcome::Unknown(format!("`coverage`: `{report}` is neither a tracefile of lcov nor XML of Cobertura"));
        };
        let root = format!("{}/", self.work.root.display());
        let inside = |path: &str| path.strip_prefix(&root).unwrap_or(path.strip_prefix("./").unwrap_or(path)).to_owned();
        let (mut lines, mut hit) = (0, 0);
        for (path, (count, covered)) in all.iter().map(|(path, counts)| (inside(path), counts)) {
            if !self.need.paths.is_empty() && !fits(&self.need.paths, &path) {
                continue;
            }
            if self.work.written_at(&path).zip(self.work.written_at(report)).is_some_and(|(source, report)| source > report) {
                return missing(format!("`{path}` was written after the coverage report `{report}`"), how);
            }
            lines += count;
            hit += covered;
        }
        let of =
            if self.need.paths.is_empty() { "all files".to_owned() } else { some(&self.need.paths.iter().map(|path| (*path).to_owned()).collect::<Vec<_>>()) };
        if lines == 0 {
            return missing(format!("the coverage report `{report}` has no line of {of}"), how);
        }
        let share = hit * 100 / lines;
        if share >= least as usize {
            NeedOutcome::There(format!("{share} % of {of} are covered"))
        } else {
            missing(
                format!("{hit} of {lines} lines of {of} are covered ({share} %), and {least} % are needed"),
                format!("write tests for {of}, and run them with coverage"),
            )
        }
    }

    fn imports(&self) -> TreeResult<NeedOutcome> {
        let (base, _) = self.begin()?;
        let mut absent: Vec<String> = Vec::new();
        let (mut looked, mut unread) = (0, BTreeSet::new());
        for path in self.work.changed(base)? {
            let Some(language) = ImportLanguage::of(&path) else {
                if let Some((_, end)) = path.rsplit_once('.').filter(|(_, end)| OTHER_SOURCES.contains(end)) {
                    unread.insert(end.to_owned());
                }
                continue;
            };
            let Some(text) = self.work.text(&path) else { continue };
            looked += 1;
            let imported = language.imported(&text);
            if imported.is_empty() {
                continue;
            }
            let manifests = self.manifests(&path, language);
            for import in imported {
                let own = language != ImportLanguage::JavaScript && self.is_own(&path, &import);
                if !own && !manifests.iter().any(|manifest| language.names(manifest, &import)) {
                    absent.push(format!("{import}` in `{path}"));
                }
            }
        }
        Ok(if absent.is_empty() {
            let rest = if unread.is_empty() {
                String::new()
            } else {
                format!("; imports of .{} files are not read", unread.into_iter().collect::<Vec<_>>().join(", ."))
            };
            NeedOutcome::There(format!("the imports of {looked} changed sources are in their manifests{rest}"))
        } else {
            missing(
                format!("imports that no manifest names: {}", some(&absent)),
                "add the packages to the manifest of the project, at the versions that are meant",
            )
        })
    }

    /// The manifests of a source: those in its folder, and in the folders above it.
    fn manifests(&self, path: &str, language: ImportLanguage) -> Vec<String> {
        let folders = std::path::Path::new(path).ancestors().skip(1);
        let files = folders.flat_map(|folder| language.manifests().iter().map(move |name| folder.join(name)));
        files.filter_map(|file| self.work.text(file.to_str()?)).collect()
    }

    /// Whether an import is a module of the project: a file or folder of this name beside the source, or above it.
    fn is_own(&self, path: &str, import: &str) -> bool {
        std::path::Path::new(path).ancestors().skip(1).any(|folder| {
            let folder = self.work.root.join(folder);
            ["", "src", "lib"].iter().any(|inner| {
                let place = folder.join(inner).join(import);
                place.is_dir() || place.with_extension("py").is_file() || place.with_extension("rs").is_file()
            })
        })
    }

    fn exists(&self) -> TreeResult<NeedOutcome> {
        let paths = self.work.paths()?;
        let there = |glob: &&&str| paths.keys().any(|path| fits(&[glob], path) && self.work.root.join(path).exists());
        let absent: Vec<String> = self.need.paths.iter().filter(|glob| !there(glob)).map(|glob| (*glob).to_owned()).collect();
        Ok(if absent.is_empty() {
            NeedOutcome::There(format!("{} exist", some(&self.need.paths.iter().map(|glob| (*glob).to_owned()).collect::<Vec<_>>())))
        } else {
            missing(format!("there is no file {}", some(&absent)), format!("write {} first", some(&absent)))
        })
    }

    fn estimate(&self) -> TreeResult<NeedOutcome> {
        let base = if self.place.head.is_empty() { self.begin()?.0 } else { Oid::from_str(&self.place.head).ok() };
        let lines = self.work.changed_lines(base)?;
        let (estimate, most) = (self.need.number as usize, self.need.number as usize * self.need.within as usize / 100);
        Ok(if lines > most {
            NeedOutcome::Remark(format!("this change has {lines} lines, and {estimate} were estimated: look whether it does more than was asked"))
        } else {
            NeedOutcome::There(format!("the change has {lines} lines of {estimate} that were estimated"))
        })
    }
}

/// Ends of the names of sources of which imports are not read.
const OTHER_SOURCES: &[&str] = &["go", "java", "kt", "cs", "rb", "php", "swift", "ex", "c", "cpp", "dart", "scala"];
